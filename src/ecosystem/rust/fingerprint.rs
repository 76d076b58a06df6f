//! What the programs of a Rust service are made from, without running cargo.
//!
//! cargo sees the whole repository (`include_str!`, build scripts, workspaces), so all of it counts, with what git ignores
//! and without what [`super::stage`] does not count either: a change anywhere is a reason to ask cargo, which knows better.
//! The vendored crates are the lock's, as [`vendor::require`] makes sure.

use walkdir::{DirEntry, WalkDir};

use super::error::RustError;
use super::project::Project;
use super::stage::is_counted;
use super::toolchain::Toolchain;
use super::{debug, linked, vendor};
use crate::ecosystem::Context;
use crate::fingerprint::{Files, Fingerprint};
use crate::sandbox::Sandbox;
use crate::target::Target;
use crate::workspace::{EcosystemKind, Member};

/// Changes with how trees are made, where nothing else does.
const EDITION: &str = "rust stage 1";

pub(super) fn inputs(
    context: Context<'_>,
    service: &Member,
    targets: &[&Target],
    files: &Files,
) -> Result<Vec<Fingerprint>, RustError> {
    let project = Project::of(context.workspace, service)?;
    let lock = vendor::fitting_lock(context, service, &project)?;
    vendor::require(context, service, &project, &lock)?;
    let toolchain = Toolchain::of(&project)?;
    let mut common = Fingerprint::default();
    common.text("how Rust services are staged", EDITION);
    common.value("the cargo workspace", &project);
    common.text("isolation", &Sandbox::from_environment()?.isolation().to_string());
    common.value("the toolchain", &toolchain);
    for (name, program) in [("cargo", &toolchain.cargo), ("rustc", &toolchain.rustc)] {
        common.file_as(format!("{name} itself"), files, program)?;
    }
    if context.settings.service(&service.name).rust.debug_package {
        common.path(files, debug::OBJCOPY.as_ref())?;
    }
    let locked = |member: &&Member| lock.packages.iter().any(|package| package.name == member.ecosystem_name);
    let members = context.workspace.members.iter().filter(|member| member.ecosystem == EcosystemKind::Rust);
    let own: Vec<_> = members.filter(locked).map(|member| (&member.ecosystem_name, &member.license)).collect();
    common.value("the repository's own crates among the locked", &own);
    let walk = WalkDir::new(&project.repository).sort_by_file_name().into_iter();
    let counts = |entry: &DirEntry| is_counted(context, entry.path()) && !files.is_made(entry.path());
    for entry in walk.filter_entry(counts) {
        let entry = entry.map_err(std::io::Error::from)?;
        if !entry.file_type().is_dir() {
            common.path(files, entry.path())?;
        }
    }
    targets
        .iter()
        .map(|target| {
            let mut fingerprint = common.clone();
            let linked = linked::linked(std::path::Path::new("/"), &toolchain.rustc, &target.distribution)?;
            fingerprint.value("the toolchain's own package", &linked);
            Ok(fingerprint)
        })
        .collect()
}
