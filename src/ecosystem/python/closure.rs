//! A service with the repository's own packages that it needs: everything that its lock is made from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pep508_rs::{Requirement, VerbatimUrl};

use crate::diagnostic::Location;
use crate::ecosystem::Context;
use crate::workspace::{EcosystemKind, Member};

use super::existing::hashed_requirements;
use super::lock_error::LockError;
use super::project::{self, Project, RequirementLine};
use super::requirements::{PathRequirement, UrlRequirement};
use super::shim::{Origin, Shim};

/// A package of the repository, with its manifest.
pub(super) struct Local<'a> {
    /// As discovery sees it.
    pub member: &'a Member,
    /// As its manifest says.
    pub project: Project,
    /// PEP 508: what it requires, paths resolved to names.
    pub requirements: Vec<String>,
}

/// A service and its libraries; the service is the first.
pub(super) struct Closure<'a> {
    /// Never empty.
    pub locals: Vec<Local<'a>>,
    /// Directory and version of every Python member of the repository, by normalised name.
    members: BTreeMap<String, (PathBuf, Option<String>)>,
}

impl<'a> Closure<'a> {
    /// Reads the manifests.
    pub(super) fn read(context: Context<'a>, service: &'a Member) -> Result<Self, LockError> {
        let workspace = context.workspace;
        let python = |member: &&Member| member.ecosystem == EcosystemKind::Python;
        let members: BTreeMap<String, (PathBuf, Option<String>)> = workspace
            .members
            .iter()
            .filter(python)
            .map(|member| (member.ecosystem_name.clone(), (workspace.directory(member), member.version.clone())))
            .collect();
        let mut locals = Vec::new();
        for member in std::iter::once(service).chain(workspace.closure(service)).filter(python) {
            let directory = workspace.directory(member);
            let project = project::read(&directory)?.ok_or_else(|| LockError::NoProject {
                service: member.name.to_string(),
                directory: directory.clone(),
            })?;
            let said = project.dependencies.iter().any(|line| line.file != project.manifest);
            for line in &project.unread {
                if line.contains("install_requires") && !said && !directory.join("requirements.txt").is_file() {
                    return Err(LockError::Unread { package: member.ecosystem_name.clone(), what: line.clone() });
                }
                context.reporter.detail(&format!("{}: not read: {line}", member.ecosystem_name));
            }
            for line in project.dependencies.iter().chain(&project.constraints) {
                if let Err(error) = line.requirement.parse::<Requirement<VerbatimUrl>>() {
                    return Err(LockError::Requirement {
                        requirement: super::indexes::redact(&line.requirement),
                        reason: super::indexes::redact(&error.message.to_string()),
                        location: location(&line.file, line.line),
                    });
                }
            }
            let requirements = requirements(&project, &members)?;
            locals.push(Local { member, project, requirements });
        }
        Ok(Self { locals, members })
    }

    /// The service itself.
    pub(super) fn service(&self) -> Option<&Local<'a>> {
        self.locals.first()
    }

    /// A stand-in for every Python member of the repository: those of the closure with what they require, the others
    /// empty, so that none of their names is ever asked of an index.
    pub(super) fn shims(&self) -> BTreeMap<String, Shim> {
        let mut shims: BTreeMap<String, Shim> = self
            .members
            .iter()
            .map(|(name, (_, version))| {
                let shim = Shim {
                    name: name.clone(),
                    version: version.clone().filter(|version| is_version(version)),
                    dependencies: Vec::new(),
                    optional_dependencies: BTreeMap::new(),
                    origin: Origin::Member,
                };
                (name.clone(), shim)
            })
            .collect();
        for local in &self.locals {
            if let Some(shim) = shims.get_mut(&local.member.ecosystem_name) {
                shim.version = local.project.version.clone().filter(|version| is_version(version));
                shim.dependencies.clone_from(&local.requirements);
                shim.optional_dependencies.clone_from(&local.project.optional_dependencies);
            }
        }
        shims
    }

    /// Whether `name` is a package of the repository that is not part of this closure.
    pub(super) fn is_foreign_member(&self, name: &str) -> bool {
        self.members.contains_key(name) && !self.locals.iter().any(|local| local.member.ecosystem_name == name)
    }

    /// Directories of the libraries, relative to the root, by normalised name; the service's own too.
    pub(super) fn directories(&self) -> BTreeMap<String, String> {
        let path = |member: &Member| {
            let path = member.path.to_string_lossy().into_owned();
            if path.is_empty() { ".".to_owned() } else { path }
        };
        self.locals.iter().map(|local| (local.member.ecosystem_name.clone(), path(local.member))).collect()
    }

    /// All lines that require or limit something, with their places.
    pub(super) fn lines(&self) -> impl Iterator<Item = &RequirementLine> {
        self.locals.iter().flat_map(|local| local.project.dependencies.iter().chain(&local.project.constraints))
    }

    /// Limits: what `-c` files say.
    pub(super) fn constraints(&self) -> Vec<String> {
        let lines = self.locals.iter().flat_map(|local| &local.project.constraints);
        lines.map(|line| line.requirement.clone()).collect()
    }

    /// Requirements that are archives at a URL.
    pub(super) fn archives(&self) -> impl Iterator<Item = &UrlRequirement> {
        self.locals.iter().flat_map(|local| &local.project.urls)
    }

    /// The projects, the service first.
    pub(super) fn projects(&self) -> Vec<&Project> {
        self.locals.iter().map(|local| &local.project).collect()
    }

    /// Where a requirements file says `--require-hashes`, or the service's has digests on all its lines, which means the
    /// same to pip.
    pub(super) fn require_hashes(&self) -> Option<(&Path, usize)> {
        let said = self.locals.iter().find_map(|local| local.project.options.require_hashes.as_ref());
        let meant = || hashed_requirements(&self.service()?.project).map(|line| (line.file.as_path(), line.line));
        said.map(|placed| (placed.file.as_path(), placed.line)).or_else(meant)
    }
}

/// The place of a requirement.
pub(super) fn location(file: &Path, line: usize) -> Option<Box<Location>> {
    let text = fs_err::read_to_string(file).ok()?;
    Some(Box::new(Location::line(file, super::indexes::redact(&text), line)))
}

fn is_version(text: &str) -> bool {
    text.parse::<pep440_rs::Version>().is_ok()
}

/// What a project requires by name: its dependencies, and the directories and archives it requires by their names.
fn requirements(
    project: &Project,
    members: &BTreeMap<String, (PathBuf, Option<String>)>,
) -> Result<Vec<String>, LockError> {
    let mut requirements: Vec<String> = project.dependencies.iter().map(|line| line.requirement.clone()).collect();
    let mut add = |name: &str, extras: &[String], marker: Option<&String>| {
        let extras = if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
        let marker = marker.map(|marker| format!(" ; {marker}")).unwrap_or_default();
        requirements.push(format!("{name}{extras}{marker}"));
    };
    for path in &project.paths {
        if path.path == project.directory {
            continue;
        }
        let name = member_at(path, members)?;
        add(&name, &path.extras, path.marker.as_ref());
    }
    for url in &project.urls {
        if let Some(name) = &url.name {
            add(name, &url.extras, url.marker.as_ref());
        }
    }
    Ok(requirements)
}

fn member_at(
    path: &PathRequirement,
    members: &BTreeMap<String, (PathBuf, Option<String>)>,
) -> Result<String, LockError> {
    let found = members.iter().find(|(_, (directory, _))| *directory == path.path);
    found
        .map(|(name, _)| name.clone())
        .ok_or_else(|| LockError::NotMember { path: path.path.clone(), location: location(&path.file, path.line) })
}
