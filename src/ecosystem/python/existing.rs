//! A lock that the repository brings along: `uv.lock`, `poetry.lock`, `pdm.lock`, `pylock.toml`, `Pipfile.lock`.
//!
//! It is taken as the resolution, versions and digests both, after it was checked to be the one of today's manifests: by
//! its tool's own digest over them, and by what they require. A lock that is older than them is an error and not a reason
//! to resolve anew. An index is only asked where the files are that the lock names without URLs.
//!
//! It is looked for in the service's directory; a `uv.lock` also above it, up to the repository's root, because uv's
//! workspaces have one for all members. Of several that of the tool that pyproject.toml has a table for is taken, else the
//! first in the order above, and the others are named in a note. A requirements.txt of which every line has one version
//! and digests (pip-tools, `uv pip compile`) is no file of its own kind: its lines are requirements that admit one
//! solution, so it is resolved, and whatever else would come in is an error, as it is to pip.

mod graph;
mod lookup;
mod other_pylock;
mod pdm_lock;
mod pipfile_lock;
mod poetry_lock;
mod python_json;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pep508_rs::{Requirement, VerbatimUrl, VersionOrUrl};

use self::graph::Edge;
use self::pdm_lock::PdmLock;
use self::pipfile_lock::PipfileLock;
use self::poetry_lock::PoetryLock;
use super::closure::{Closure, location};
use super::index::SDIST_ENDINGS;
use super::indexes::{Indexes, without_credentials};
use super::lock_error::LockError;
use super::project::{Project, RequirementLine};
use super::pylock::{BUILD_LOCK_FILE, LOCK_FILE};
use super::tags::PythonEnvironment;
use super::uv_lock::{Reached, UvLock};
use crate::fetch::Client;
use crate::name::normalize;

/// A lock of the repository.
#[derive(Debug, Clone)]
pub(super) struct Existing {
    /// Where it is.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// Other locks in the same directory, which are not asked.
    pub passed_over: Vec<PathBuf>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Uv,
    Poetry,
    Pdm,
    PyLock,
    Pipfile,
}

impl Kind {
    /// The table of pyproject.toml that says whose project it is.
    fn tool(self) -> Option<&'static str> {
        match self {
            Self::Uv => Some("uv"),
            Self::Poetry => Some("poetry"),
            Self::Pdm => Some("pdm"),
            Self::PyLock | Self::Pipfile => None,
        }
    }
}

/// What a lock is asked.
pub(super) struct Question<'a> {
    /// The repository, without symbolic links.
    pub root: &'a Path,
    /// The service and its libraries.
    pub closure: &'a Closure<'a>,
    /// Extras of the service that are wanted.
    pub extras: &'a [String],
    pub environments: &'a [PythonEnvironment],
    /// Where files are looked for.
    pub indexes: &'a Indexes,
    /// Further requirements that must be met.
    pub further: &'a [RequirementLine],
    /// Names that come from elsewhere (`vendor.txt`) and need not be in it.
    pub elsewhere: &'a BTreeSet<String>,
}

impl Existing {
    /// The lock for the service `name` (normalised) in `directory`, if there is one. Below `root` only.
    pub(super) fn find(root: &Path, directory: &Path, name: &str) -> Result<Option<Self>, LockError> {
        let read = |path: PathBuf, kind| match fs_err::read_to_string(&path) {
            Ok(text) => Ok(Some(Self { path, text, passed_over: Vec::new(), kind })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(LockError::Io(error)),
        };
        let named = format!("pylock.{name}.toml");
        let mut found = Vec::new();
        for (file, kind) in [
            ("uv.lock", Kind::Uv),
            ("poetry.lock", Kind::Poetry),
            ("pdm.lock", Kind::Pdm),
            ("pylock.toml", Kind::PyLock),
            (named.as_str(), Kind::PyLock),
            ("Pipfile.lock", Kind::Pipfile),
        ] {
            if ![LOCK_FILE, BUILD_LOCK_FILE].contains(&file) {
                found.extend(read(directory.join(file), kind)?);
            }
        }
        let manifest = table(&directory.join("pyproject.toml"))?;
        let tools = manifest.as_ref().and_then(|manifest| manifest.get("tool"));
        let has_table =
            |kind: Kind| kind.tool().is_some_and(|tool| tools.is_some_and(|tools| tools.get(tool).is_some()));
        found.sort_by_key(|lock| !has_table(lock.kind));
        let mut found = found.into_iter();
        if let Some(mut first) = found.next() {
            first.passed_over = found.map(|lock| lock.path).collect();
            return Ok(Some(first));
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

    /// What it holds, checked against the manifests and the further requirements.
    pub(super) fn resolution(&self, question: &Question<'_>, client: &Client) -> Result<Vec<Reached>, LockError> {
        let Question { closure, extras, environments, .. } = *question;
        let directory = self.path.parent().unwrap_or(Path::new("/"));
        let fault = |reason: String| self.fault(reason);
        let older = |manifest: &str| fault(format!("is older than {manifest}: its digest is of another content"));
        let manifest =
            |name: &str| -> Result<toml::Table, LockError> { Ok(table(&directory.join(name))?.unwrap_or_default()) };
        let roots = || -> Vec<Edge> {
            let own = closure.locals.iter().flat_map(|local| &local.requirements);
            let optional = lines_of_extras(closure, extras).into_iter().map(|line| line.requirement);
            own.map(|text| Edge::of(text)).chain(optional.map(|text| Edge::of(&text))).collect()
        };
        let pins = match self.kind {
            Kind::Uv => {
                let name = closure.service().map(|local| local.member.ecosystem_name.clone()).unwrap_or_default();
                let lock = self.uv(directory)?;
                let reached = lock.reach(&name, extras, environments);
                let reached = reached.map_err(|error| LockError::existing(self.path.clone(), &error))?;
                if let Some((file, hash)) = lock.foreign_digest() {
                    let _ = graph::digest(hash, file).map_err(fault)?;
                }
                self.check(question, &reached)?;
                return Ok(reached);
            }
            Kind::PyLock => {
                let reached = other_pylock::reach(question, &self.path, &self.text, &fault)?;
                self.check(question, &reached)?;
                return Ok(reached);
            }
            Kind::Poetry => {
                let lock = PoetryLock::parse(&self.text, directory).map_err(fault)?;
                if !lock.is_of(&manifest("pyproject.toml")?) {
                    return Err(older("pyproject.toml"));
                }
                lock.graph.reach(&roots(), extras, environments).map_err(fault)?
            }
            Kind::Pdm => {
                let lock = PdmLock::parse(&self.text, directory).map_err(fault)?;
                if !lock.is_of(&manifest("pyproject.toml")?) {
                    return Err(older("pyproject.toml"));
                }
                lock.graph.reach(&roots(), extras, environments).map_err(fault)?
            }
            Kind::Pipfile => {
                let lock = PipfileLock::parse(&self.text).map_err(fault)?;
                if let Some(pipfile) = table(&directory.join("Pipfile"))?
                    && !lock.is_of(&pipfile)
                {
                    return Err(older("Pipfile"));
                }
                lock.reach(directory, environments).map_err(fault)?
            }
        };
        let needed = |pin: &graph::Pin| !question.elsewhere.contains(&pin.name);
        let reached = lookup::complete(question, client, pins.into_iter().filter(needed).collect(), &fault)?;
        self.check(question, &reached)?;
        Ok(reached)
    }

    /// All requirements are met in every environment.
    fn check(&self, question: &Question<'_>, reached: &[Reached]) -> Result<(), LockError> {
        let own = question.closure.locals.iter().flat_map(|local| &local.project.dependencies);
        let optional = lines_of_extras(question.closure, question.extras);
        let mut exempt = question.elsewhere.clone();
        exempt.extend(question.closure.locals.iter().map(|local| local.member.ecosystem_name.clone()));
        for line in own.chain(question.further).chain(&optional) {
            self.check_line(line, &exempt, question.environments, reached)?;
        }
        Ok(())
    }

    /// The requirement is met in every environment.
    fn check_line(
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
            Kind::Poetry => "run `poetry lock`",
            Kind::Pdm => "run `pdm lock`",
            Kind::Pipfile => "run `pipenv lock`",
            Kind::PyLock => "make it again with the tool that wrote it",
        };
        let hint = format!("{tool}, or remove it so that packhouse resolves by itself");
        LockError::Existing { path: self.path.clone(), reason, hint, location: None }
    }
}

/// The requirements file of the project that is a lock: all its lines have one version and digests.
pub(super) fn hashed_requirements(project: &Project) -> Option<&RequirementLine> {
    let is_manifest = |line: &&RequirementLine| {
        let name = line.file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        ["pyproject.toml", "setup.cfg", "setup.py", super::package_info::FILE].contains(&name)
    };
    let lines: Vec<&RequirementLine> = project.dependencies.iter().filter(|line| !is_manifest(line)).collect();
    let is_locked = |line: &&RequirementLine| {
        let requirement = line.requirement.parse::<Requirement<VerbatimUrl>>();
        let exact = requirement.is_ok_and(|requirement| match requirement.version_or_url {
            Some(VersionOrUrl::VersionSpecifier(specifiers)) => specifiers.iter().any(|specifier| {
                matches!(specifier.operator(), pep440_rs::Operator::Equal | pep440_rs::Operator::ExactEqual)
            }),
            _ => false,
        });
        exact && !line.sha256.is_empty()
    };
    lines.first().copied().filter(|_| lines.iter().all(is_locked))
}

/// What the wanted extras of the service require.
fn lines_of_extras(closure: &Closure<'_>, extras: &[String]) -> Vec<RequirementLine> {
    let Some(project) = closure.service().map(|local| &local.project) else { return Vec::new() };
    let wanted = |extra: &&String| extras.iter().any(|other| normalize(other) == normalize(extra));
    let optional = project.optional_dependencies.iter().filter(|(extra, _)| wanted(extra));
    let lines = optional.flat_map(|(_, texts)| texts).map(|text| RequirementLine {
        requirement: text.clone(),
        sha256: Vec::new(),
        file: project.manifest.clone(),
        line: 1,
    });
    lines.collect()
}

/// Whether an index of a lock is the one that all tools ask by default, and so the one that is configured here.
fn is_default_index(url: &str) -> bool {
    let bare = without_credentials(url).0;
    super::index::DEFAULT_INDEXES.iter().any(|known| bare == *known)
}

/// A TOML document; `None` when there is none. That it cannot be read is its own reader's error.
fn table(path: &Path) -> Result<Option<toml::Table>, LockError> {
    match fs_err::read_to_string(path) {
        Ok(text) => Ok(text.parse().ok()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(LockError::Io(error)),
    }
}

fn json(value: &toml::Value) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// Whether two paths are one directory, `.` and `..` resolved.
fn same(left: &Path, right: &Path) -> bool {
    match (left.canonicalize(), right.canonicalize()) {
        (Ok(left), Ok(right)) => left == right,
        _ => false,
    }
}
