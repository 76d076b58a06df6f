//! packhouse as a repository's administrator calls it: packages are signed in, synced and published by one command.

use std::path::PathBuf;
use std::process::Command;

use super::{ADD, APT, Field, Newcomer, PROMOTE, YUM};
use crate::Result;
use crate::bench::{Bench, Contestant, remove};
use crate::process::run as execute;
use crate::synthetic::Format;

/// The suite's name, of either kind.
const SUITE: &str = "bench";

fn init(bench: &Bench, field: &Field, name: &str) -> Command {
    let mut command = bench.packhouse("repo-cache");
    command.args(["repo", "init"]).arg(field.directory(name)).args(["--origin", "Acme", "--key"]).arg(&field.key);
    command
}

fn import(bench: &Bench, field: &Field, name: &str, format: Format) -> Command {
    let packages = if format == Format::Deb { &field.debs } else { &field.rpms };
    let mut command = bench.packhouse("repo-cache");
    command.args(["repo", "import"]).arg(packages).args(["--suite", SUITE, "--repo"]).arg(field.directory(name));
    command.arg("--key").arg(&field.key);
    command
}

/// The same command once more.
fn again(command: &Command) -> Command {
    let mut again = Command::new(command.get_program());
    again.args(command.get_args());
    again.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    again
}

/// Where repositories of former rounds wait for the end of their contest. One that goes right before the next is made would be
/// measured with it: ext4 passes over the inodes of what was deleted within the last minutes, one by one.
pub(super) fn aside(field: &Field) -> PathBuf {
    field.directory("ours-aside")
}

/// A new repository of all packages, which are linked into it.
pub(super) fn first(bench: &Bench, field: &Field, format: Format) -> Contestant {
    let (names, place) = if format == Format::Deb { (APT, "ours-apt") } else { (YUM, "ours-yum") };
    let (directory, mut init) = (field.directory(place), init(bench, field, place));
    let import = import(bench, field, place, format);
    let (aside, mut number) = (aside(field), 0);
    Contestant::new(field.name(names), move || again(&import)).prepared(move || {
        if directory.exists() {
            number += 1;
            fs_err::create_dir_all(&aside)?;
            fs_err::rename(&directory, aside.join(format!("{place}-{number}")))?;
        }
        execute(&mut init).map(drop)
    })
}

/// A repository of all packages of both kinds.
pub(super) fn both(bench: &Bench, field: &Field) -> Result<()> {
    remove(&field.directory("ours"))?;
    execute(&mut init(bench, field, "ours"))?;
    for format in [Format::Deb, Format::Rpm] {
        execute(&mut import(bench, field, "ours", format))?;
    }
    Ok(())
}

/// One deb and one rpm more, each into its suite.
pub(super) fn add(bench: &Bench, field: &Field) -> Result<Contestant> {
    let mut newcomer = Newcomer::new(&field.place, "ours")?;
    let mut publish = bench.packhouse("repo-cache");
    publish.arg("publish").arg(&newcomer.deb).arg(&newcomer.rpm).args(["--suite", SUITE, "--repo"]);
    publish.arg(field.directory("ours")).arg("--key").arg(&field.key);
    Ok(Contestant::new(field.name(ADD), move || again(&publish)).prepared(move || newcomer.next()))
}

/// All of one suite into a new one.
pub(super) fn promote(bench: &Bench, field: &Field) -> Contestant {
    let mut promote = bench.packhouse("repo-cache");
    // The repository with debs alone, as reprepro's.
    promote.args(["repo", "promote", "--create", "--from", SUITE, "--repo"]).arg(field.directory("ours-apt"));
    promote.arg("--key").arg(&field.key);
    let count = std::rc::Rc::new(std::cell::Cell::new(std::process::id()));
    let next = count.clone();
    let command = move || {
        let mut command = again(&promote);
        command.arg("--to").arg(format!("stable-{}", count.get()));
        command
    };
    Contestant::new(PROMOTE, command).prepared(move || {
        next.set(next.get() + 1);
        Ok(())
    })
}
