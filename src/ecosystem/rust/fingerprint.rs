//! What the programs of a Rust service are made from, without running cargo.
//!
//! cargo sees the whole repository, so all of it counts, with what git ignores and without what [`super::stage`] does not
//! count either: a change anywhere is a reason to ask cargo, which knows better. The vendored crates are the lock's, as
//! [`vendor::require`] makes sure.
//!
//! The directories of members that the service does not use are left out where nothing can reach them: when none of the
//! repository's crates that it is made of has a build script or is a macro, and no source of theirs has a `..` in a path.
//! What remains is a vendored macro that climbs out of the crate by itself and goes down into another member.

use std::io;
use std::path::{Path, PathBuf};

use toml::Table;
use walkdir::{DirEntry, WalkDir};

use super::error::RustError;
use super::project::Project;
use super::stage::is_counted;
use super::toolchain::Toolchain;
use super::wanted::calls_cargo;
use super::{debug, linked, linkers, vendor};
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
    let of = |target: &&Target| context.settings.service_for(&service.name, target.format());
    if !targets.iter().any(|target| calls_cargo(&of(target), target)) {
        // The files that are named are looked at by whoever asks.
        let mut common = Fingerprint::default();
        common.text("how Rust services are staged", EDITION);
        return Ok(vec![common; targets.len()]);
    }
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
    for program in linkers::programs(&project) {
        common.file_as(program.display(), files, &program)?;
    }
    if targets.iter().any(|target| of(target).rust.debug_package) {
        common.path(files, debug::OBJCOPY.as_ref())?;
    }
    let locked = |member: &&Member| lock.packages.iter().any(|package| package.name == member.ecosystem_name);
    let members = context.workspace.members.iter().filter(|member| member.ecosystem == EcosystemKind::Rust);
    let own: Vec<_> = members.filter(locked).map(|member| (&member.ecosystem_name, &member.license)).collect();
    common.value("the repository's own crates among the locked", &own);
    let walk = WalkDir::new(&project.repository).sort_by_file_name().into_iter();
    let unreachable = unreachable(context, service, &project)?;
    let counts = |entry: &DirEntry| {
        let path = entry.path();
        is_counted(context, path) && !files.is_made(path) && !unreachable.iter().any(|directory| directory == path)
    };
    for entry in walk.filter_entry(counts) {
        let entry = entry.map_err(io::Error::from)?;
        if !entry.file_type().is_dir() {
            common.path(files, entry.path())?;
        }
    }
    for directory in &unreachable {
        // cargo reads the manifests of a whole workspace.
        common.path(files, &directory.join("Cargo.toml"))?;
    }
    targets
        .iter()
        .map(|target| {
            let mut fingerprint = common.clone();
            let linked = linked::linked(Path::new("/"), &toolchain.rustc, &target.distribution)?;
            fingerprint.value("the toolchain's own package", &linked);
            Ok(fingerprint)
        })
        .collect()
}

/// The directories of members, absolute, from which nothing comes into the programs of `service`.
fn unreachable(context: Context<'_>, service: &Member, project: &Project) -> io::Result<Vec<PathBuf>> {
    let workspace = context.workspace;
    let used: Vec<&Member> = std::iter::once(service).chain(workspace.closure(service)).collect();
    for member in &used {
        if reaches_out(context, &workspace.directory(member))? {
            return Ok(Vec::new());
        }
    }
    let is_used = |member: &Member| {
        let inside = |path: &Path| path.starts_with(&member.path);
        inside(&project.directory) || used.iter().any(|used| inside(&used.path))
    };
    let others = workspace.members.iter().filter(|member| !is_used(member));
    Ok(others.map(|member| workspace.directory(member)).collect())
}

/// Whether a crate may read what is outside its directory, as far as that can be told.
fn reaches_out(context: Context<'_>, directory: &Path) -> io::Result<bool> {
    let manifest: Table = match fs_err::read_to_string(directory.join("Cargo.toml"))?.parse() {
        Ok(manifest) => manifest,
        Err(_) => return Ok(true),
    };
    let is_macro = manifest.get("lib").is_some_and(|lib| lib.get("proc-macro").or(lib.get("proc_macro")).is_some());
    let builds = manifest.get("package").is_some_and(|package| package.get("build").is_some());
    if is_macro || builds || directory.join("build.rs").exists() {
        return Ok(true);
    }
    // Paths in it may be those of files elsewhere (`[[bin]] path`, `links`); dependencies are members.
    let targets = ["lib", "bin", "example", "test", "bench"];
    if targets.iter().any(|kind| manifest.get(*kind).is_some_and(|table| table.to_string().contains("../"))) {
        return Ok(true);
    }
    for entry in WalkDir::new(directory).into_iter().filter_entry(|entry| is_counted(context, entry.path())) {
        let entry = entry?;
        if entry.path_is_symlink() {
            return Ok(true);
        }
        let is_source = entry.path().extension().is_some_and(|extension| extension == "rs");
        if is_source && climbs(entry.path())? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a source has `..` as a part of a path: with a slash before or behind it, or alone in a text.
fn climbs(source: &Path) -> io::Result<bool> {
    let text = fs_err::read(source)?;
    Ok([&b"../"[..], b"/..", b"\"..\""].iter().any(|part| text.windows(part.len()).any(|window| window == *part)))
}
