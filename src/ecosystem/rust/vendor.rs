//! Fills the vendor directory of a cargo workspace.
//!
//! `cargo vendor` downloads into a directory beside it; every crate is judged against `Cargo.lock` there, by packhouse;
//! only then do the crates that differ take their places, each by a rename. The user's `.cargo/config.toml` is not
//! touched: the sources are replaced when the build runs.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::crates::{Difference, Stamp};
use super::error::RustError;
use super::lock::ONE_AT_A_TIME;
use super::lockfile::Lock;
use super::project::Project;
use super::toolchain::Toolchain;
use crate::ecosystem::{Context, Error, Outcome, Upgrade};
use crate::workspace::Member;

pub(super) fn vendor(context: Context<'_>, service: &Member) -> Result<Outcome, Error> {
    let boxed = |error| Box::new(error) as Error;
    let project = Project::of(context.workspace, service).map_err(boxed)?;
    super::lock::lock(context, service, &Upgrade::Nothing)?;
    let _guard = ONE_AT_A_TIME.lock();
    fill(context, service, &project).map_err(boxed)
}

/// The vendor directory of a cargo workspace, absolute.
pub(super) fn directory(context: Context<'_>, project: &Project) -> PathBuf {
    project.absolute().join(&context.settings.project.vendor)
}

/// The lock of `project`, if it is there and fits.
pub(super) fn fitting_lock(context: Context<'_>, service: &Member, project: &Project) -> Result<Lock, RustError> {
    let lock = Lock::read(project)?;
    let lock = lock.ok_or_else(|| RustError::NoLock {
        lock: project.lock(),
        service: service.name.to_string(),
        locked: context.locked,
    })?;
    match lock.misfit(project, &project.members(context.workspace)?, context.locked)? {
        Some(misfit) => Err(misfit),
        None => Ok(lock),
    }
}

fn fill(context: Context<'_>, service: &Member, project: &Project) -> Result<Outcome, RustError> {
    let lock = fitting_lock(context, service, project)?;
    let directory = directory(context, project);
    Shelf { project, lock: &lock, directory: &directory, service: service.name.as_str() }.fill(context)
}

/// A directory of vendored crates, and what belongs there.
#[derive(Clone, Copy)]
pub(super) struct Shelf<'a> {
    pub(super) project: &'a Project,
    pub(super) lock: &'a Lock,
    /// Absolute.
    pub(super) directory: &'a Path,
    /// Whose it is, for messages.
    pub(super) service: &'a str,
}

impl Shelf<'_> {
    /// Makes the directory hold what the lock names.
    pub(super) fn fill(&self, context: Context<'_>) -> Result<Outcome, RustError> {
        let Self { lock, directory, .. } = *self;
        let stamp = Stamp::of(context.cache, directory, lock)?;
        let leftovers = leftovers(directory.parent().unwrap_or(directory))?;
        if leftovers.is_empty() && stamp.is_there() {
            return Ok(Outcome::Fresh);
        }
        // Another process may be filling it; what it leaves is looked at afterwards.
        let _guard = context.cache.lock("cargo-vendor")?;
        remove(&leftovers)?;
        if stamp.is_there() {
            return Ok(Outcome::Fresh);
        }
        let difference = Difference::between(directory, lock)?;
        if !difference.foreign.is_empty() {
            let names = difference.foreign.join(", ");
            context.reporter.note(&format!("kept in {}: {names} (no vendored crate)", self.shown()));
        }
        if difference.is_none() {
            stamp.write(context.cache)?;
            return Ok(Outcome::Fresh);
        }
        if !difference.wrong.is_empty() {
            let fresh = self.download(context)?;
            for (name, _) in &difference.wrong {
                replace(fresh.path(), directory, name)?;
            }
        }
        for name in &difference.surplus {
            fs_err::remove_dir_all(directory.join(name))?;
        }
        Stamp::of(context.cache, directory, lock)?.write(context.cache)?;
        context.reporter.step("Vendored", &format!("{} crates into {}", lock.external().len(), self.shown()));
        Ok(Outcome::Changed)
    }

    /// The directory as people know it.
    fn shown(&self) -> String {
        self.relative().display().to_string()
    }

    fn relative(&self) -> PathBuf {
        self.directory.strip_prefix(&self.project.repository).unwrap_or(self.directory).to_path_buf()
    }

    /// Lets cargo vendor into a new directory beside the vendor directory, and judges what it got.
    fn download(&self, context: Context<'_>) -> Result<tempfile::TempDir, RustError> {
        let toolchain = Toolchain::default()?;
        let parent = self.directory.parent().unwrap_or(self.directory);
        fs_err::create_dir_all(parent)?;
        let fresh = crate::unfinished::directory(parent, TEMPORARY)?;
        let mut arguments: Vec<OsString> = vec!["vendor".into(), "--locked".into(), "--versioned-dirs".into()];
        if context.offline {
            arguments.push("--offline".into());
        }
        arguments.push(fresh.path().into());
        context.reporter.step("Vendoring", &self.shown());
        toolchain.cargo(self.project, self.service, &arguments, context.reporter)?;
        let difference = Difference::between(fresh.path(), self.lock)?;
        if let Some((name, why)) = difference.wrong.first() {
            return Err(RustError::Checksum { service: self.service.to_owned(), why: format!("{name}: {why}") });
        }
        Ok(fresh)
    }

    /// That the directory holds what the lock names; checked by bytes once, then by names, sizes and times.
    pub(super) fn require(&self, context: Context<'_>) -> Result<(), RustError> {
        let stamp = Stamp::of(context.cache, self.directory, self.lock)?;
        if stamp.is_there() {
            return Ok(());
        }
        let difference = Difference::between(self.directory, self.lock)?;
        if let Some((name, why)) = difference.wrong.first() {
            let more = difference.wrong.len() - 1;
            let more = if more == 0 { String::new() } else { format!(" (and {more} more)") };
            return Err(RustError::Vendor {
                directory: self.relative(),
                lock: self.project.lock(),
                why: format!("{name}: {why}{more}"),
                service: self.service.to_owned(),
            });
        }
        stamp.write(context.cache)?;
        Ok(())
    }
}

/// How the directories begin that cargo vendors into.
const TEMPORARY: &str = ".packhouse-vendor-";

/// What interrupted runs have left beside a vendor directory; or what another run works with, which holds the lock.
fn leftovers(parent: &Path) -> io::Result<Vec<PathBuf>> {
    let mut leftovers = Vec::new();
    for entry in fs_err::read_dir(parent)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            leftovers.push(entry.path());
        }
    }
    Ok(leftovers)
}

/// Removes what is left once the lock is had; a run that has ended meanwhile has removed its own.
fn remove(leftovers: &[PathBuf]) -> io::Result<()> {
    for path in leftovers {
        match fs_err::remove_dir_all(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Puts the crate `name` of `fresh` into `directory`; what is there goes away with `fresh`.
fn replace(fresh: &Path, directory: &Path, name: &str) -> io::Result<()> {
    fs_err::create_dir_all(directory)?;
    let (new, place) = (fresh.join(name), directory.join(name));
    match fs_err::rename(&place, fresh.join(format!(".old-{name}"))) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    fs_err::rename(new, place)
}

/// That the vendor directory of `project` holds what `lock` names.
pub(super) fn require(context: Context<'_>, service: &Member, project: &Project, lock: &Lock) -> Result<(), RustError> {
    let directory = directory(context, project);
    Shelf { project, lock, directory: &directory, service: service.name.as_str() }.require(context)
}
