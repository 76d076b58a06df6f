//! Public crates as the registry has them, and the tools that package them today: what the differential parts of the suite
//! compare with.
//!
//! A crate comes through cargo, which verifies it against the index; its digest is pinned here as well, because a comparison
//! is worth nothing when its subject has changed.

use std::path::{Path, PathBuf};
use std::process::Command;

use packhouse::digest::Sha256;

use super::Bench;
use crate::Result;
use crate::process::{output, root, run, say, shell};

/// A crate of the registry.
pub(super) struct Crate {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    /// Of the `.crate` file.
    pub(super) sha256: &'static str,
}

/// The crate's files, in a directory that is not to be changed.
pub(super) fn fetch(bench: &Bench, wanted: &Crate) -> Result<PathBuf> {
    let Crate { name, version, sha256 } = wanted;
    let crates = bench.directory.join("crates");
    let directory = crates.join(format!("{name}-{version}"));
    if directory.is_dir() {
        return Ok(directory);
    }
    say("Fetching", &format!("{name} {version}"));
    fs_err::create_dir_all(&crates)?;
    // Outside of every workspace, whose locks and configuration would have a say.
    run(Command::new("cargo").args(["info", "--quiet", &format!("{name}@{version}")]).current_dir("/"))?;
    let archive = downloaded(&format!("{name}-{version}.crate"))?;
    let found = Sha256::of(&fs_err::read(&archive)?).to_string();
    if found != *sha256 {
        return Err(format!("{name} {version} has the digest {found}, not {sha256}").into());
    }
    run(&mut shell(
        r#"rm -rf "$1.new"; mkdir "$1.new"; tar -xzf "$2" -C "$1.new" --strip-components=1 --no-same-owner; mv "$1.new" "$1""#,
        [directory.as_os_str(), archive.as_os_str()],
    ))?;
    Ok(directory)
}

/// Where cargo put a file that it downloaded.
fn downloaded(file: &str) -> Result<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")));
    let cache = home.ok_or("neither CARGO_HOME nor HOME is set")?.join("registry/cache");
    for registry in fs_err::read_dir(&cache)? {
        let path = registry?.path().join(file);
        if path.is_file() {
            return Ok(path);
        }
    }
    Err(format!("cargo has not left {file} below {}", cache.display()).into())
}

/// A program that needs the C library and nothing else, in place of one whose build takes minutes.
pub(super) fn stub(bench: &Bench) -> Result<PathBuf> {
    let program = bench.directory.join("crates/stub");
    if !program.is_file() {
        fs_err::create_dir_all(bench.directory.join("crates"))?;
        run(&mut shell(
            r#"printf '#include <stdio.h>\nint main(int count, char **words) { puts(count > 1 ? words[1] : "stub"); return 0; }\n' |
               cc -O1 -s -x c -o "$1.new" - && mv "$1.new" "$1""#,
            [&program],
        ))?;
    }
    Ok(program)
}

/// A cargo subcommand of exactly this version.
pub(super) fn tool(bench: &Bench, name: &str, version: &str) -> Result<PathBuf> {
    let tools = bench.directory.join("tools");
    let places = [root().join("target/bench/tools/bin").join(name), tools.join("bin").join(name)];
    let is_right = |path: &PathBuf| {
        let said = output(Command::new(path).arg("--version"));
        said.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).split_whitespace().any(|word| word == version))
    };
    if let Some(found) = places.iter().find(|path| is_right(path)) {
        return Ok(found.clone());
    }
    say("Installing", &format!("{name} {version}"));
    let arguments = ["install", "--quiet", "--locked", "--force", "--version", version, name, "--root"];
    run(Command::new("cargo").args(arguments).arg(&tools))?;
    places.into_iter().find(is_right).ok_or_else(|| format!("{name} does not say that it is {version}").into())
}
