//! Packing a program that is built already, against cargo-deb and cargo-generate-rpm.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::bench::{Bench, Contestant, peers, projects, remove};
use crate::process::{run as execute, shell};

pub(super) const DEB: &str = "packhouse build, .deb";
pub(super) const RPM: &str = "packhouse build, .rpm";
pub(super) const XZ: &str = "xz of the program, all cores, at about the settings of most of it";

/// What a cache holds that would spare the packing; what cargo made stays.
const PACKED: &str = r#"cd "$1" 2>/dev/null || exit 0
rm -rf blocks* fresh* jobs* directories*"#;

/// Runs all four. Warm on our side: cargo's results, the list of vendored crates that were judged, what programs said for
/// `--help`, facts and digests of files by their stamps. Cold: everything that was packed, records of jobs and of fresh builds.
/// Theirs have cargo's results in `target`; cargo-deb asks cargo for metadata each time, and neither makes a man page, a
/// bill of materials or licence texts.
pub(in crate::bench) fn run(bench: &mut Bench) -> Result<()> {
    bench.begin("rust")?;
    let directory = projects::ripgrep(bench)?;
    let version = execute(Command::new("git").args(["log", "-1", "--format=%s"]).current_dir(&directory))?;
    let mut input = crate::bench::results::Input { files: 1, ..Default::default() };
    input.bytes = fs_err::metadata(directory.join("target/release/rg"))?.len();
    input.parts = vec![format!("ripgrep's crate, its program stripped by cargo ({} commits)", version.lines().count())];
    bench.results.inputs.insert("ripgrep".to_owned(), input);
    for step in [&["vendor"][..], &["build"][..]] {
        let mut command = bench.packhouse("rust");
        execute(command.arg("-C").arg(&directory).args(step).args(out(bench, step)))?;
    }
    let can_skip = execute(bench.packhouse("rust").args(["build", "--help"]))?.contains("--no-build");
    let mut contestants =
        vec![ours(bench, DEB, "debian-12", &directory, can_skip), ours(bench, RPM, "el9", &directory, can_skip)];
    if let Ok(program) = peers::program(bench, "cargo-deb") {
        let arguments = ["deb", "--no-build", "--quiet", "--output"];
        contestants.push(theirs(bench, "cargo-deb", &program, &arguments, &directory));
    }
    if let Ok(program) = peers::program(bench, "cargo-generate-rpm") {
        contestants.push(theirs(bench, "cargo-generate-rpm", &program, &["generate-rpm", "--output"], &directory));
    }
    let program = directory.join("target/release/rg");
    contestants.push(Contestant::new(XZ, move || {
        let mut command = Command::new("xz");
        command.args(["-c", "-T0", "--block-size=2500000", "--x86", "--lzma2=preset=6,mf=hc4,nice=12,depth=2"]);
        command.arg(&program);
        command
    }));
    bench.compete("rust", 10, contestants);
    Ok(())
}

fn out(bench: &Bench, step: &[&str]) -> Vec<PathBuf> {
    if step == ["build"] { vec!["--out".into(), bench.work("rust-out")] } else { Vec::new() }
}

fn ours(bench: &Bench, name: &str, target: &'static str, directory: &Path, can_skip: bool) -> Contestant {
    let (program, cache, out) = (bench.packhouse.clone(), bench.work("rust"), bench.work("rust-out"));
    let (directory, made, place) = (directory.to_path_buf(), out.clone(), cache.clone());
    let command = move || {
        let mut command = Command::new(&program);
        command.env("PACKHOUSE_CACHE_DIR", &cache).arg("-C").arg(&directory).args(["build", "--target", target]);
        command.args(can_skip.then_some("--no-build")).arg("--out").arg(&out);
        command
    };
    let stale = made.clone();
    Contestant::new(name, command)
        .prepared(move || {
            execute(&mut shell(PACKED, [&place]))?;
            remove(&stale)
        })
        .makes(made)
}

fn theirs(bench: &Bench, name: &str, program: &Path, arguments: &[&'static str], directory: &Path) -> Contestant {
    let made = bench.work(&format!("{name}.package"));
    let (program, directory, out) = (program.to_path_buf(), directory.to_path_buf(), made.clone());
    let arguments = arguments.to_vec();
    let command = move || {
        let mut command = Command::new(&program);
        command.args(&arguments).arg(&out).current_dir(&directory);
        command
    };
    let stale = made.clone();
    Contestant::new(name, command).prepared(move || remove(&stale)).makes(made)
}
