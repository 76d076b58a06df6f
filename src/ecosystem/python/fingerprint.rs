//! What the tree of a Python service is made from, without making it.
//!
//! The same is looked at as in [`super::stage`], in the same order: manifest, locks, vendored files, sources, interpreters,
//! isolation. The locks name the vendored files by their digests, and [`vendor::verify`] makes sure that these are there;
//! the back ends that build see nothing of the repository but the files of [`SourceTree`].

use std::collections::BTreeSet;
use std::path::Path;

use super::crates;
use super::host;
use super::interpreter::interpreter;
use super::lock;
use super::project::{self, Project};
use super::pylock::{BUILD_LOCK_FILE, LOCK_FILE};
use super::source_tree::SourceTree;
use super::stage::boxed;
use super::vendor;
use crate::diagnostic::{Code, Diagnose, ExitCode, codes, io_code};
use crate::ecosystem::{Context, Error};
use crate::fingerprint::{Files, Fingerprint};
use crate::name::normalize;
use crate::sandbox::Sandbox;
use crate::target::Target;
use crate::workspace::{EcosystemKind, Member};

/// Changes with how trees are made, where nothing else does.
const EDITION: &str = "python stage 1";

/// Why it cannot be told.
#[derive(Debug, thiserror::Error)]
enum Unknown {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Sources(#[from] super::source_tree::Error),
    #[error("{0} has no manifest")]
    NoProject(String),
}

impl Diagnose for Unknown {
    fn code(&self) -> &'static Code {
        match self {
            Self::Io(error) => io_code(error),
            Self::Sources(_) => &codes::SOURCE_TREE_UNUSABLE,
            Self::NoProject(_) => &codes::NO_PYTHON_MANIFEST,
        }
    }

    fn exit_code(&self) -> ExitCode {
        ExitCode::Failed
    }
}

pub(super) fn inputs(
    context: Context<'_>,
    service: &Member,
    targets: &[&Target],
    files: &Files,
) -> Result<Vec<Fingerprint>, Error> {
    let root = context.workspace.root.as_path();
    let directory = context.workspace.directory(service);
    let own = read(&directory)?;
    let locks = lock::load(context, service).map_err(boxed)?;
    vendor::verify(context, service)?;
    let mut common = Fingerprint::default();
    common.text("how Python services are staged", EDITION);
    for name in [LOCK_FILE, BUILD_LOCK_FILE] {
        common.path(files, &directory.join(name)).map_err(unknown)?;
    }
    let local = locks.runtime.tool.packhouse.local.iter();
    let libraries = local.filter(|(name, _)| **name != normalize(&service.ecosystem_name));
    for directory in libraries.map(|(_, path)| root.join(path)).chain([directory.clone()]) {
        package(context, &directory, files, &mut common)?;
    }
    common.value("the repository's own packages among the locked", &own_names(context, &locks));
    let sandbox = Sandbox::from_environment().map_err(boxed)?;
    common.text("isolation", &sandbox.isolation().to_string());
    targets
        .iter()
        .map(|target| {
            let mut fingerprint = common.clone();
            let python = interpreter(context, service, &own, target).map_err(boxed)?;
            fingerprint.value("the target's Python", &python);
            for (name, found) in [
                ("the interpreter", host::of_version(&sandbox, python).map_err(boxed)?),
                ("the interpreter that builds", host::any(&sandbox, &[python]).map_err(boxed)?),
            ] {
                fingerprint.value(name, &found);
                if let Some(found) = found {
                    fingerprint.file_as(format!("{name} itself"), files, &found.path).map_err(unknown)?;
                }
            }
            Ok(fingerprint)
        })
        .collect()
}

/// A package of the repository: what its metadata say, every file that they were read from, every file that is built.
fn package(context: Context<'_>, directory: &Path, files: &Files, into: &mut Fingerprint) -> Result<(), Error> {
    let project = read(directory)?;
    let root = context.workspace.root.as_path();
    let sources = SourceTree::list(root, directory, &context.settings.project.vendor);
    for (path, source) in sources.map_err(|error| boxed(Unknown::Sources(error)))? {
        let shown = directory.join(path);
        let noted = if source.is_symlink() { into.path(files, &shown) } else { into.file_at(files, &shown, &source) };
        noted.map_err(unknown)?;
    }
    for path in project.files.iter().chain([&directory.join("bin")]) {
        into.path(files, path).map_err(unknown)?;
    }
    into.value(format!("the metadata of {}", project.name), &project);
    if let Some(crates) = crates::of(context, &project)? {
        crates.require(context).map_err(boxed)?;
        into.value(format!("the crates of {} and what compiles them", project.name), &crates.key().map_err(unknown)?);
    }
    Ok(())
}

/// Which locked names are packages of the repository: they are nobody else's, and packages say so.
fn own_names(context: Context<'_>, locks: &lock::Locks) -> BTreeSet<String> {
    let locked: BTreeSet<String> = locks.runtime.packages.iter().map(|package| normalize(&package.name)).collect();
    let members = context.workspace.members.iter().filter(|member| member.ecosystem == EcosystemKind::Python);
    members.map(|member| normalize(&member.ecosystem_name)).filter(|name| locked.contains(name)).collect()
}

fn read(directory: &Path) -> Result<Project, Error> {
    let project = project::read(directory)?;
    project.ok_or_else(|| boxed(Unknown::NoProject(directory.display().to_string())))
}

fn unknown(error: std::io::Error) -> Error {
    boxed(Unknown::Io(error))
}
