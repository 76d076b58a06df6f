//! A lock that the repository brings along: `uv.lock` or `pylock.toml`.
//!
//! It is taken as the resolution, without asking an index for anything else, after it was checked to meet what the
//! manifests require today: a lock that is older than them is an error and not a reason to resolve anew. It is looked for
//! in the service's directory; a `uv.lock` also above it, up to the repository's root, because uv's workspaces have one
//! for all members.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pep508_rs::{Requirement, VerbatimUrl, VersionOrUrl};

use crate::name::normalize;

use super::closure::{Closure, location};
use super::lock_error::LockError;
use super::project::RequirementLine;
use super::pylock::{LockedFile, PyLock};
use super::tags::PythonEnvironment;
use super::uv_lock::{Artefact, Place, Reached, UvLock};

/// A lock of the repository.
#[derive(Debug, Clone)]
pub(super) struct Existing {
    /// Where it is.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Uv,
    PyLock,
}

impl Existing {
    /// The lock for the service `name` (normalised) in `directory`, if there is one. Below `root` only.
    pub(super) fn find(root: &Path, directory: &Path, name: &str) -> Result<Option<Self>, LockError> {
        let read = |path: PathBuf, kind| match fs_err::read_to_string(&path) {
            Ok(text) => Ok(Some(Self { path, text, kind })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(LockError::Io(error)),
        };
        if let Some(own) = read(directory.join("uv.lock"), Kind::Uv)? {
            return Ok(Some(own));
        }
        if let Some(own) = read(directory.join("pylock.toml"), Kind::PyLock)? {
            return Ok(Some(own));
        }
        for above in directory.ancestors().skip(1).take_while(|above| above.starts_with(root)) {
            if let Some(shared) = read(above.join("uv.lock"), Kind::Uv)? {
                let lock = shared.uv(above)?;
                let ours = lock.local(name).and_then(|package| package.directory()).map(|path| above.join(path));
                return Ok(ours.filter(|path| same(path, directory)).map(|_| shared));
            }
        }
        Ok(None)
    }

    fn uv(&self, directory: &Path) -> Result<UvLock, LockError> {
        UvLock::parse(&self.text, directory).map_err(|error| LockError::existing(self.path.clone(), &error))
    }

    /// What it holds for these environments, checked against the manifests and `further` requirements. Names that come
    /// from `elsewhere` (`vendor.txt`) need not be in it.
    pub(super) fn resolution(
        &self,
        closure: &Closure<'_>,
        extras: &[String],
        environments: &[PythonEnvironment],
        further: &[RequirementLine],
        elsewhere: &BTreeSet<String>,
    ) -> Result<Vec<Reached>, LockError> {
        let directory = self.path.parent().unwrap_or(Path::new("/"));
        let name = closure.service().map(|local| local.member.ecosystem_name.clone()).unwrap_or_default();
        let reached = match self.kind {
            Kind::Uv => {
                let lock = self.uv(directory)?;
                lock.reach(&name, extras, environments)
                    .map_err(|error| LockError::existing(self.path.clone(), &error))?
            }
            Kind::PyLock => self.pylock(environments)?,
        };
        let own = closure.locals.iter().flat_map(|local| &local.project.dependencies);
        let mut exempt = elsewhere.clone();
        exempt.extend(closure.locals.iter().map(|local| local.member.ecosystem_name.clone()));
        for line in own.chain(further) {
            self.check(line, &exempt, environments, &reached)?;
        }
        Ok(reached)
    }

    fn pylock(&self, environments: &[PythonEnvironment]) -> Result<Vec<Reached>, LockError> {
        let lock = PyLock::parse(&self.path, &self.text)?;
        let mut reached = Vec::new();
        for package in &lock.packages {
            let mut wanted = BTreeSet::new();
            for (position, environment) in environments.iter().enumerate() {
                if environment.wants(package).map_err(|error| self.fault(error.to_string()))? {
                    wanted.insert(position);
                }
            }
            if wanted.is_empty() {
                continue;
            }
            let artefact = |file: &LockedFile| -> Result<Artefact, LockError> {
                let url = file.url.clone().ok_or_else(|| {
                    self.fault(format!("names {} by a path, which packhouse cannot vendor from", package.title()))
                })?;
                Ok(Artefact { name: file.name.clone(), url, sha256: Some(file.hashes.sha256), size: file.size })
            };
            let archive = package.archive.as_ref().map(artefact).transpose()?;
            let place = match (&archive, package.files().next()) {
                (Some(archive), _) => Place::Archive(archive.url.clone()),
                (None, Some(_)) => Place::Index(package.index.clone().unwrap_or_default()),
                (None, None) => Place::Directory(PathBuf::new()),
            };
            let mut sdist = package.sdist.as_ref().map(artefact).transpose()?;
            let mut wheels = package.wheels.iter().map(artefact).collect::<Result<Vec<_>, _>>()?;
            match archive {
                Some(archive) if archive.name.ends_with(".whl") => wheels.push(archive),
                Some(archive) => sdist = Some(archive),
                None => {}
            }
            reached.push(Reached {
                name: package.name.clone(),
                version: package.version.clone(),
                place,
                sdist,
                wheels,
                environments: wanted,
                required_by: BTreeSet::new(),
            });
        }
        Ok(reached)
    }

    /// The requirement is met in every environment.
    fn check(
        &self,
        line: &RequirementLine,
        exempt: &BTreeSet<String>,
        environments: &[PythonEnvironment],
        reached: &[Reached],
    ) -> Result<(), LockError> {
        let Ok(requirement) = line.requirement.parse::<Requirement<VerbatimUrl>>() else { return Ok(()) };
        let name = normalize(requirement.name.as_ref());
        if exempt.contains(&name) {
            return Ok(());
        }
        for (position, environment) in environments.iter().enumerate() {
            if !requirement.evaluate_markers(&environment.markers(), &[]) {
                continue;
            }
            let found = reached.iter().find(|package| package.name == name && package.environments.contains(&position));
            let met = match (found, &requirement.version_or_url) {
                (Some(package), Some(VersionOrUrl::VersionSpecifier(specifiers))) => package
                    .version
                    .as_deref()
                    .and_then(|version| version.parse::<pep440_rs::Version>().ok())
                    .is_none_or(|version| specifiers.contains(&version)),
                (Some(_), _) => true,
                (None, _) => false,
            };
            if !met {
                let has = found
                    .and_then(|package| package.version.clone())
                    .map_or_else(|| "has none".to_owned(), |version| format!("has {version}"));
                let mut fault = self.fault(format!(
                    "is older than the requirements: `{}` is required for {environment}, and it {has}",
                    line.requirement
                ));
                if let LockError::Existing { location: place, .. } = &mut fault {
                    *place = location(&line.file, line.line);
                }
                return Err(fault);
            }
        }
        Ok(())
    }

    fn fault(&self, reason: String) -> LockError {
        let tool = match self.kind {
            Kind::Uv => "run `uv lock`",
            Kind::PyLock => "make it again with the tool that wrote it",
        };
        let hint = format!("{tool}, or remove it so that packhouse resolves by itself");
        LockError::Existing { path: self.path.clone(), reason, hint, location: None }
    }
}

/// Whether two paths are one directory, `.` and `..` resolved.
fn same(left: &Path, right: &Path) -> bool {
    match (left.canonicalize(), right.canonicalize()) {
        (Ok(left), Ok(right)) => left == right,
        _ => false,
    }
}
