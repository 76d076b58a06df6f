//! The acceptance suite: the sample repository, from sources to running services in clean roots, judged by apt, dpkg, dnf,
//! zypper, rpm and systemd.
//!
//! Everything is made below `target/acceptance`. Roots and downloads are kept there between runs; what is tested is made
//! anew. Needs root (namespaces, chroots) and the packages that `scripts/set-up test` installs.

mod build;
mod compat_deb;
mod compat_rpm;
mod crates;
mod debian;
mod dh_virtualenv;
mod lifecycle;
mod lint;
mod machine;
mod packing;
mod page;
mod piuparts;
mod relations;
mod repository;
mod rpm;

use std::path::PathBuf;
use std::process::Command;

use crate::Result;
use crate::process::{self, root, say};

/// Where the suite works, and what it made so far.
pub(crate) struct Bench {
    /// `target/acceptance`.
    pub(crate) directory: PathBuf,
    /// The program under test.
    pub(crate) packhouse: PathBuf,
    /// Whether what is tried at random is tried a thousand times, which takes half an hour.
    pub(crate) long: bool,
    /// The sample as a git repository, vendored.
    pub(crate) sample: PathBuf,
    /// Its artefacts.
    pub(crate) artefacts: PathBuf,
    /// The signed repository.
    pub(crate) repository: PathBuf,
}

/// Runs the suite, or the parts of it that are named; with `--keep`, on the sample that an earlier run made;
/// with `--long`, a thousand tries of what is random.
pub(crate) fn run(parts: &[String]) -> Result<()> {
    let directory = root().join("target/acceptance");
    fs_err::create_dir_all(&directory)?;
    say("Building", "packhouse");
    process::run(Command::new("cargo").args(["build", "--locked", "--bin", "packhouse"]).current_dir(root()))?;
    let bench = Bench {
        packhouse: root().join("target/debug/packhouse"),
        long: parts.iter().any(|part| part == "--long"),
        sample: directory.join("acme-cloud"),
        artefacts: directory.join("artefacts"),
        repository: directory.join("repository"),
        directory,
    };
    let keep = parts.iter().any(|part| part == "--keep");
    let parts: Vec<&String> = parts.iter().filter(|part| !part.starts_with('-')).collect();
    let wanted = |name: &str| parts.is_empty() || parts.iter().any(|part| *part == name);
    // The lifecycle has services of its own, packing needs none, and the relations of the sample are judged when it is there.
    if !keep
        && !matches!(parts.as_slice(), [only] if ["lifecycle", "packing", "relations", "dh-virtualenv", "compat-deb", "compat-rpm"].contains(&only.as_str()) || only.starts_with("repository"))
    {
        build::make(&bench)?;
    }
    if wanted("build") {
        build::twice(&bench)?;
        build::refusals(&bench)?;
    }
    if wanted("relations") {
        relations::judge(&bench)?;
    }
    if wanted("dh-virtualenv") {
        dh_virtualenv::judge(&bench)?;
    }
    if wanted("packing") {
        packing::judge(&bench)?;
    }
    if wanted("compat-rpm") {
        compat_rpm::judge(&bench)?;
    }
    if wanted("compat-deb") {
        compat_deb::judge(&bench)?;
    }
    if wanted("debian") {
        debian::install(&bench, "bookworm", "debian-12")?;
        debian::install(&bench, "trixie", "debian-13")?;
        debian::tampering(&bench)?;
    }
    if wanted("rpm") {
        rpm::install(&bench)?;
        rpm::tampering(&bench)?;
    }
    if wanted("lint") {
        lint::run_all(&bench)?;
    }
    if wanted("piuparts") {
        piuparts::run_all(&bench)?;
    }
    if wanted("page") {
        page::judge(&bench)?;
    }
    // All of `repository`, or one of its parts: `repository-race`.
    repository::judge(&bench, |name| wanted("repository") || parts.iter().any(|part| *part == name))?;
    if wanted("lifecycle") {
        lifecycle::run_all(&bench)?;
    }
    say("Passed", "acceptance");
    Ok(())
}
