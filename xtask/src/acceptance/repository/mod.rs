//! A repository that cannot be broken: publishers that are killed, whose disk is full, that are many; clients that read
//! meanwhile; and all the readers there are. Nothing of packhouse's own library judges here.

mod check;
mod crowd;
mod faults;
mod race;
mod readers;

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Bench;
use crate::Result;
use crate::process::{run, say, shell};
use crate::synthetic::{self, Template};

/// The suite's name, of either kind.
const SUITE: &str = "proof";

/// A repository with its key, and where the packages for it are.
pub(super) struct Field<'a> {
    bench: &'a Bench,
    /// Everything of this test.
    place: PathBuf,
    repository: PathBuf,
    key: PathBuf,
}

impl<'a> Field<'a> {
    /// An empty repository below `target/acceptance/proof/<name>`.
    fn new(bench: &'a Bench, name: &str) -> Result<Self> {
        let place = bench.directory.join("proof").join(name);
        if place.exists() {
            fs_err::remove_dir_all(&place)?;
        }
        fs_err::create_dir_all(&place)?;
        let key = bench.directory.join("proof/acme.key");
        if !key.is_file() {
            run(Command::new(&bench.packhouse)
                .args(["key", "generate", "--user-id", "Acme <p@acme.example>"])
                .arg(&key))?;
        }
        let field = Self { bench, repository: place.join("repository"), place, key };
        let mut init = Command::new(&bench.packhouse);
        run(init.args(["repo", "init"]).arg(&field.repository).args(["--origin", "Acme", "--key"]).arg(&field.key))?;
        Ok(field)
    }

    /// `packhouse publish` of these packages.
    fn publish<'b>(&self, packages: impl IntoIterator<Item = &'b PathBuf>) -> Command {
        let mut command = Command::new(&self.bench.packhouse);
        command.arg("publish").args(packages).args(["--suite", SUITE, "--repo"]).arg(&self.repository);
        command.arg("--key").arg(&self.key);
        command
    }

    /// The deb and the rpm of package `number`.
    fn packages(&self, template: &Template, number: usize) -> Result<[PathBuf; 2]> {
        let name = synthetic::name(number);
        let pair = [self.place.join(format!("{name}.deb")), self.place.join(format!("{name}.rpm"))];
        fs_err::write(&pair[0], synthetic::deb(&name, "1.0-1", "")?)?;
        fs_err::write(&pair[1], template.rpm(&name, "1.0")?)?;
        Ok(pair)
    }

    fn template(&self) -> Result<Template> {
        Template::make(&self.bench.directory.join("proof/template"))
    }

    /// What `packhouse repo verify` says must be nothing.
    fn verify(&self) -> Result<()> {
        run(Command::new(&self.bench.packhouse).args(["repo", "verify"]).arg(&self.repository)).map(drop)
    }
}

/// A part that can be run alone.
type Part = (&'static str, fn(&Bench) -> Result<()>);

/// All of it.
pub(super) fn judge(bench: &Bench, wanted: impl Fn(&str) -> bool) -> Result<()> {
    let parts: [Part; 7] = [
        ("readers", readers::judge),
        ("kills", faults::kills),
        ("errors", faults::errors),
        ("full", faults::full),
        ("moments", faults::moments),
        ("crowd", crowd::judge),
        ("race", race::judge),
    ];
    for (name, part) in parts {
        if wanted(&format!("repository-{name}")) {
            say("Judging", &format!("repositories: {name}"));
            part(bench).map_err(|error| format!("repositories, {name}: {error}"))?;
        }
    }
    Ok(())
}

/// Replaces a directory by a copy of another.
fn restore(from: &Path, to: &Path) -> Result<()> {
    run(&mut shell(r#"rm -rf "$2"; cp -a "$1" "$2""#, [from, to])).map(drop)
}
