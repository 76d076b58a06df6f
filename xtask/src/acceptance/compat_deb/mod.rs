//! What cargo-deb makes of its own table, and what packhouse makes of it: public crates as the registry has them, packaged by
//! both in one run, with programs that stand in for theirs.
//!
//! Compared are control fields, members with modes, links and contents, conffiles, and what the maintainer scripts do when a
//! package is installed, upgraded, removed and purged. What differs stands in [`intended::INTENDED`] with its reason, or is a
//! failure; a reason that nothing needs any more is one too.

mod compare;
mod effects;
mod forms;
mod intended;
mod prepare;
mod subjects;

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Bench;
use super::crates::tool;
use crate::Result;
use crate::process::{output, run, say, text};
use compare::{Difference, Package};
use intended::INTENDED;
use subjects::{SUBJECTS, Subject};

/// The time of everything in the packages.
const TIME: &str = "1767225600";

/// Compares, and prints each difference with its reason.
pub(super) fn judge(bench: &Bench) -> Result<()> {
    let cargo_deb = tool(bench, "cargo-deb", "3.8.0")?;
    let directory = bench.directory.join("compat-deb");
    fs_err::create_dir_all(&directory)?;
    let mut used = vec![false; INTENDED.len()];
    let (mut unexplained, mut failed) = (0, Vec::new());
    for subject in SUBJECTS {
        let differences = match differences(bench, &cargo_deb, &directory, subject) {
            Ok(differences) => differences,
            Err(error) => {
                failed.push(format!("{}: {error}", subject.label()));
                continue;
            }
        };
        say("Compared", &format!("{}: {} differences", subject.label(), differences.len()));
        for difference in &differences {
            let reason = reason(subject, difference, &mut used);
            unexplained += usize::from(reason.is_none());
            let Difference { what, ours, theirs } = difference;
            say("", &format!("{what}: ours `{ours}`, theirs `{theirs}`: {}", reason.unwrap_or("NOT EXPLAINED")));
        }
    }
    if !failed.is_empty() {
        return Err(failed.join("\n").into());
    }

    let idle: Vec<&str> = INTENDED.iter().zip(&used).filter(|(_, used)| !**used).map(|(one, _)| one.what).collect();
    if unexplained > 0 || !idle.is_empty() {
        let idle =
            if idle.is_empty() { String::new() } else { format!("; reasons that nothing needs: {}", idle.join(", ")) };
        return Err(format!("{unexplained} differences from cargo-deb without a reason{idle}").into());
    }
    say("Compared", &format!("{} packages with cargo-deb's: each difference is meant", SUBJECTS.len()));
    Ok(())
}

/// What differs between the two packages of one crate.
fn differences(bench: &Bench, cargo_deb: &Path, directory: &Path, subject: &Subject) -> Result<Vec<Difference>> {
    let project = prepare::project(bench, directory, subject)?;
    let theirs = theirs(cargo_deb, &project, subject)?;
    let better = Package::read(&ours(bench, &project, subject, &[])?)?;
    let ours = ours(bench, &project, subject, &["--strict-compat"])?;
    // What is made without being told to leave anything out must be a package that holds all of that, too.
    let lost = better.lacks(&Package::read(&ours)?);
    if !lost.is_empty() {
        return Err(format!("without --strict-compat the package lacks {}", lost.join(", ")).into());
    }
    let of_packages = compare::packages(&Package::read(&ours)?, &Package::read(&theirs)?);
    Ok(of_packages.into_iter().chain(effects::compare(directory, &ours, &theirs)?).collect())
}

fn reason(subject: &Subject, difference: &Difference, used: &mut [bool]) -> Option<&'static str> {
    let found = INTENDED.iter().position(|intended| intended.explains(subject, difference))?;
    if let Some(used) = used.get_mut(found) {
        *used = true;
    }
    INTENDED.get(found).map(|intended| intended.reason)
}

/// The package that cargo-deb makes. It refuses unknown keys, so that it gets a manifest without those.
fn theirs(cargo_deb: &Path, project: &Path, subject: &Subject) -> Result<PathBuf> {
    let manifest = project.join(subject.directory).join("Cargo.toml");
    let whole = fs_err::read_to_string(&manifest)?;
    let mut mended = whole.clone();
    for (from, to) in subject.mended {
        mended = mended.replace(from, to);
    }
    if !subject.mended.is_empty() && mended == whole {
        return Err(format!("{}: nothing was mended", subject.label()).into());
    }
    let out = fresh(&project.with_extension("theirs"))?;
    fs_err::write(&manifest, mended)?;
    let mut command = Command::new(cargo_deb);
    command.arg("deb").args(["--no-build", "--manifest-path"]).arg(&manifest).arg("--output").arg(&out);
    command.args(subject.variant.iter().flat_map(|variant| ["--variant", variant])).args(subject.arguments);
    let result = output(command.current_dir(manifest.parent().unwrap_or(project)).env("SOURCE_DATE_EPOCH", TIME))?;
    fs_err::write(&manifest, whole)?;
    if !result.status.success() {
        return Err(format!("{}: cargo-deb fails\n{}", subject.label(), text(&result)).into());
    }
    only(&out, ".deb")
}

/// The package that packhouse makes of the manifest as it is.
fn ours(bench: &Bench, project: &Path, subject: &Subject, switches: &[&str]) -> Result<PathBuf> {
    let out = fresh(&project.with_extension("ours"))?.join(switches.len().to_string());
    let mut command = Command::new(&bench.packhouse);
    command.env("PACKHOUSE_CACHE_DIR", bench.directory.join("compat-deb/cache")).env("SOURCE_DATE_EPOCH", TIME);
    command.arg("-C").arg(project).args(["build", "--no-build", "--target", "debian-12", "--out"]).arg(&out);
    command
        .args(subject.variant.iter().flat_map(|variant| ["--variant", variant]))
        .args(subject.arguments)
        .args(switches);
    run(&mut command).map_err(|error| format!("{}: {error}", subject.label()))?;
    only(&out, ".deb")
}

fn fresh(directory: &Path) -> Result<PathBuf> {
    if directory.exists() {
        fs_err::remove_dir_all(directory)?;
    }
    fs_err::create_dir_all(directory)?;
    Ok(directory.to_path_buf())
}

/// The one file of a directory with this end, debug symbols left out.
fn only(directory: &Path, end: &str) -> Result<PathBuf> {
    let mut found = Vec::new();
    for entry in fs_err::read_dir(directory)? {
        let path = entry?.path();
        let name = path.to_string_lossy().into_owned();
        if name.ends_with(end) && !name.contains("-dbgsym_") {
            found.push(path);
        }
    }
    match found.pop() {
        Some(path) if found.is_empty() => Ok(path),
        _ => Err(format!("{} does not hold one package", directory.display()).into()),
    }
}
