//! `Cargo.lock` is the lock. It is made by `cargo generate-lockfile`, and brought up to date by
//! `cargo update --workspace`, which moves nothing that still fits.

use std::ffi::OsString;
use std::sync::Mutex;

use super::error::RustError;
use super::lockfile::Lock;
use super::project::Project;
use super::toolchain::Toolchain;
use crate::ecosystem::{Context, Error, Outcome, Upgrade};
use crate::workspace::Member;

/// Several services may share one lock and one vendor directory: they are worked on one after the other.
pub(super) static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

pub(super) fn lock(context: Context<'_>, service: &Member, upgrade: &Upgrade) -> Result<Outcome, Error> {
    let _guard = ONE_AT_A_TIME.lock();
    lock_or_say(context, service, upgrade).map_err(|error| Box::new(error) as Error)
}

/// The names of what is locked; `None` without a lock.
pub(super) fn names(context: Context<'_>, service: &Member) -> Result<Option<Vec<String>>, RustError> {
    let lock = Lock::read(&Project::of(context.workspace, service)?)?;
    Ok(lock.map(|lock| lock.packages.into_iter().map(|package| package.name).collect()))
}

fn lock_or_say(context: Context<'_>, service: &Member, upgrade: &Upgrade) -> Result<Outcome, RustError> {
    let project = Project::of(context.workspace, service)?;
    let members = project.members(context.workspace)?;
    let present = Lock::read(&project)?;
    let misfit = match &present {
        Some(lock) => lock.misfit(&project, &members, context.locked)?,
        None => {
            Some(RustError::NoLock { lock: project.lock(), service: service.name.to_string(), locked: context.locked })
        }
    };
    let arguments: Vec<OsString> = match (&present, &misfit, upgrade) {
        (Some(_), None, Upgrade::Nothing) => return Ok(Outcome::Fresh),
        (None, ..) => vec!["generate-lockfile".into()],
        (Some(_), _, Upgrade::All) => vec!["update".into()],
        (Some(lock), misfit, Upgrade::Names(names)) => {
            let known = |name: &&String| lock.packages.iter().any(|package| package.name == **name);
            let names: Vec<&String> = names.iter().filter(known).collect();
            if names.is_empty() && misfit.is_none() {
                return Ok(Outcome::Fresh);
            }
            let mut arguments = vec![OsString::from("update")];
            if names.is_empty() {
                arguments.push("--workspace".into());
            }
            arguments.extend(names.into_iter().map(OsString::from));
            arguments
        }
        (Some(_), Some(_), Upgrade::Nothing) => vec!["update".into(), "--workspace".into()],
    };
    if context.locked {
        return Err(misfit.unwrap_or_else(|| RustError::UpgradeLocked { lock: project.lock() }));
    }
    let mut arguments = arguments;
    if context.offline {
        arguments.push("--offline".into());
    }
    let toolchain = Toolchain::default()?;
    // Another process may be about to write the same file.
    let _guard = context.cache.lock("cargo-lock")?;
    toolchain.cargo(&project, service.name.as_str(), &arguments, context.reporter)?;
    let after = Lock::read(&project)?.map(|lock| lock.digest);
    if present.map(|lock| lock.digest) == after {
        return Ok(Outcome::Fresh);
    }
    context.reporter.step("Locked", &project.lock().display().to_string());
    Ok(Outcome::Changed)
}
