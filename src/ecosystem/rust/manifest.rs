//! One `Cargo.toml`, read without cargo: nothing that `.cargo/config.toml` or a build script says is looked at.
//!
//! Source: The Cargo Book, "The Manifest Format" and "Workspaces".

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use cargo_toml::{Dependency, Manifest};
use toml::de::{DeTable, DeValue};

use crate::config::{read_text, value};
use crate::diagnostic::{Code, Diagnose, ExitCode, Location, codes, io_code, io_hints};
use crate::workspace::Requirement;

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// It is no manifest.
    #[error("{message}")]
    Syntax {
        /// What the parser says.
        message: String,
        /// Where.
        location: Box<Location>,
    },
    /// It is TOML, and still cannot be used.
    #[error("`{}`: {problem}", .path.display())]
    Manifest {
        /// The manifest, relative to the root.
        path: PathBuf,
        /// What is wrong.
        problem: String,
        /// What to do.
        hints: Vec<String>,
    },
    /// A path dependency that cannot be used.
    #[error("the path dependency `{name}` {problem}")]
    Dependency {
        /// The dependency.
        name: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        hint: &'static str,
        /// Where.
        location: Box<Location>,
    },
    /// It lies in a workspace that does not know it.
    #[error("`{}` lies in the workspace of `{}`, which does not list it; cargo refuses to build it", .path.display(), .workspace.display())]
    Unlisted {
        /// The manifest.
        path: PathBuf,
        /// The workspace's.
        workspace: PathBuf,
    },
    /// A file could not be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Diagnose for Error {
    fn code(&self) -> &'static Code {
        match self {
            Self::Syntax { .. } => &codes::INVALID_TOML,
            Self::Manifest { .. } => &codes::INVALID_MANIFEST,
            Self::Dependency { .. } => &codes::PATH_DEPENDENCY_MISSING,
            Self::Unlisted { .. } => &codes::NOT_A_WORKSPACE_MEMBER,
            Self::Io(error) => io_code(error),
        }
    }

    fn exit_code(&self) -> ExitCode {
        ExitCode::Failed
    }

    fn location(&self) -> Option<&Location> {
        match self {
            Self::Syntax { location, .. } | Self::Dependency { location, .. } => Some(location),
            _ => None,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Manifest { hints, .. } => hints.clone(),
            Self::Dependency { hint, .. } => vec![(*hint).to_owned()],
            Self::Unlisted { path, workspace } => {
                let directory = path.parent().unwrap_or(Path::new("")).display();
                vec![
                    format!("add it to `members` or `exclude` of [workspace] in `{}`", workspace.display()),
                    format!("or leave it out of packhouse's view: `exclude = [\"{directory}\"]` in [project]"),
                ]
            }
            Self::Io(error) => io_hints(error),
            Self::Syntax { .. } => Vec::new(),
        }
    }
}

/// A manifest with the places in it.
pub(super) struct Read {
    /// Relative to the root.
    pub(super) path: PathBuf,
    /// What cargo sees.
    pub(super) manifest: Manifest,
    text: Arc<str>,
}

/// The kinds of dependencies that a build takes in.
const BUILD_TABLES: [&str; 2] = ["dependencies", "build-dependencies"];
/// All kinds; a path dependency of any kind makes a member of a workspace.
const ALL_TABLES: [&str; 3] = ["dependencies", "build-dependencies", "dev-dependencies"];

impl Read {
    /// Reads the manifest in `directory` (relative to `root`).
    pub(super) fn new(root: &Path, directory: &Path) -> Result<Self, Error> {
        let path = directory.join("Cargo.toml");
        let text = read_text(&root.join(&path))?;
        let manifest = Manifest::from_str(&text).map_err(|error| match error {
            cargo_toml::Error::Parse(error) => Error::Syntax {
                message: error.message().to_owned(),
                location: Box::new(Location::new(&path, text.as_ref(), error.span().unwrap_or(0..0))),
            },
            other => Error::Manifest { path: path.clone(), problem: other.to_string(), hints: Vec::new() },
        })?;
        if manifest.package.is_none() && manifest.workspace.is_none() {
            let problem = "has neither [package] nor [workspace]".to_owned();
            return Err(Error::Manifest { path, problem, hints: Vec::new() });
        }
        Ok(Self { path, manifest, text })
    }

    /// The same file, with what cargo adds to it.
    pub(super) fn completed(&self, manifest: Manifest) -> Self {
        Self { path: self.path.clone(), manifest, text: Arc::clone(&self.text) }
    }

    /// The directory, relative to the root.
    pub(super) fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// An error about this manifest.
    pub(super) fn error(&self, problem: impl Into<String>, hint: &str) -> Error {
        Error::Manifest { path: self.path.clone(), problem: problem.into(), hints: vec![hint.to_owned()] }
    }

    /// Whether `[package]` has this key itself.
    pub(super) fn has_package_key(&self, key: &str) -> bool {
        self.in_document(|document| get(document, &["package", key]).map(|_| ())).is_some()
    }

    fn in_document<T>(&self, look: impl FnOnce(&DeTable<'_>) -> Option<T>) -> Option<T> {
        let document = DeTable::parse(&self.text).ok()?;
        look(document.get_ref())
    }

    /// The path dependencies that a build takes in, with their places; `patches` are the workspace's, by name.
    pub(super) fn requirements(&self, root: &Path, patches: &[(String, PathBuf)]) -> Result<Vec<Requirement>, Error> {
        let mut requirements = Vec::new();
        for (tables, name, dependency) in self.dependencies(&BUILD_TABLES) {
            let package = dependency.package().unwrap_or(name);
            let detail = dependency.detail();
            let path = match detail.and_then(|detail| detail.path.as_deref()) {
                Some(text) => Some(self.resolve(root, &tables, name, text)?),
                None if dependency.git().is_none() => {
                    patches.iter().find(|(patched, _)| patched == package).map(|(_, path)| path.clone())
                }
                None => None,
            };
            if let Some(path) = path {
                let (line, _) = self.place(&tables, name).line_and_column();
                requirements.push(Requirement {
                    name: package.to_owned(),
                    path: Some(path),
                    extras: Vec::new(),
                    file: self.path.clone(),
                    line,
                });
            }
        }
        Ok(requirements)
    }

    /// The directories of all path dependencies, also those for tests; one that leads out of the repository is left to
    /// [`Read::requirements`]. `workspace` is the manifest that `dependency.workspace = true` refers to.
    pub(super) fn path_dependencies(&self, root: &Path, workspace: &Self) -> BTreeSet<PathBuf> {
        let shared = workspace.manifest.workspace.as_ref().map(|workspace| &workspace.dependencies);
        let directory = |(_, name, dependency): (Vec<String>, &str, &Dependency)| {
            let (base, dependency) = match dependency {
                Dependency::Inherited(_) => (workspace, shared?.get(name)?),
                own => (self, own),
            };
            inside(root, base.directory(), Path::new(dependency.detail()?.path.as_deref()?))
        };
        self.dependencies(&ALL_TABLES).into_iter().filter_map(directory).collect()
    }

    /// The directories that `[patch]` puts in the place of packages, by name.
    pub(super) fn patches(&self, root: &Path) -> Result<Vec<(String, PathBuf)>, Error> {
        let mut patches = Vec::new();
        for (source, dependencies) in &self.manifest.patch {
            for (name, dependency) in dependencies {
                if let Some(path) = dependency.detail().and_then(|detail| detail.path.as_deref()) {
                    let tables = vec!["patch".to_owned(), source.clone()];
                    let path = self.resolve(root, &tables, name, path)?;
                    patches.push((dependency.package().unwrap_or(name).to_owned(), path));
                }
            }
        }
        Ok(patches)
    }

    /// All dependencies in these kinds of tables: the tables that lead there, the key, the dependency.
    fn dependencies(&self, kinds: &[&'static str]) -> Vec<(Vec<String>, &str, &Dependency)> {
        let mut all = Vec::new();
        for kind in kinds {
            let set = match *kind {
                "dependencies" => &self.manifest.dependencies,
                "build-dependencies" => &self.manifest.build_dependencies,
                _ => &self.manifest.dev_dependencies,
            };
            all.extend(set.iter().map(|(name, one)| (vec![(*kind).to_owned()], name.as_str(), one)));
        }
        for (platform, target) in &self.manifest.target {
            for kind in kinds {
                let set = match *kind {
                    "dependencies" => &target.dependencies,
                    "build-dependencies" => &target.build_dependencies,
                    _ => &target.dev_dependencies,
                };
                let tables = || vec!["target".to_owned(), platform.clone(), (*kind).to_owned()];
                all.extend(set.iter().map(|(name, one)| (tables(), name.as_str(), one)));
            }
        }
        all
    }

    /// The directory of a path dependency, relative to the root.
    fn resolve(&self, root: &Path, tables: &[String], name: &str, path: &str) -> Result<PathBuf, Error> {
        let problem = |problem: String, hint| Error::Dependency {
            name: name.to_owned(),
            problem,
            hint,
            location: Box::new(self.place(tables, name)),
        };
        let inner = inside(root, self.directory(), Path::new(path)).ok_or_else(|| {
            let hint = "bring it into the repository (a submodule will do), or depend on a published version";
            problem(format!("leads out of the repository: `{path}`"), hint)
        })?;
        if !root.join(&inner).join("Cargo.toml").is_file() {
            let hint = "correct the path, or check the submodule out that it is in";
            return Err(problem(format!("leads to `{}`, where there is no Cargo.toml", inner.display()), hint));
        }
        Ok(inner)
    }

    /// Where a key of a table stands; the start of the file when it cannot be found.
    fn place(&self, tables: &[String], name: &str) -> Location {
        let span = self.in_document(|document| {
            let keys: Vec<&str> = tables.iter().map(String::as_str).collect();
            let table = get(document, &keys)?.as_table()?;
            table.get_key_value(name).map(|(key, _)| key.span())
        });
        Location::new(&self.path, self.text.as_ref(), span.unwrap_or(0..0))
    }
}

fn get<'a>(table: &'a DeTable<'a>, keys: &[&str]) -> Option<&'a DeValue<'a>> {
    let (first, rest) = keys.split_first()?;
    let mut value = table.get(*first)?.get_ref();
    for key in rest {
        value = value.get(*key)?.get_ref();
    }
    Some(value)
}

/// The path, seen from `directory` (relative to `root`), relative to `root`; `None` when it leaves the root, in its text
/// or through a symbolic link.
pub(super) fn inside(root: &Path, directory: &Path, path: &Path) -> Option<PathBuf> {
    let joined = root.join(directory).join(path);
    let mut normal = PathBuf::new();
    for component in joined.components() {
        match component {
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir => {}
            other => normal.push(other),
        }
    }
    let inner = normal.strip_prefix(root).ok()?;
    value::stays_inside(root, &normal).then(|| inner.to_path_buf())
}
