//! `uv.lock`, as far as packhouse reads it: packages, their files, and the graph with its markers.
//!
//! The format is uv's own and versioned (`version = 1`; revisions of it only add). The graph is walked here, once per
//! environment, instead of asking uv for an export: the walk says which package a target needs without simplified
//! markers in between, and it works the same for a lock that the repository brings along.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use pep508_rs::{MarkerEnvironment, MarkerTree, VerbatimUrl};
use serde::Deserialize;
use url::Url;

use crate::digest::Sha256;
use crate::name::normalize;

use super::tags::PythonEnvironment;

/// A `uv.lock`.
#[derive(Debug, Clone, Deserialize)]
pub struct UvLock {
    version: u32,
    #[serde(default, rename = "package")]
    packages: Vec<Package>,
    /// Where it lies; relative paths in it are relative to this.
    #[serde(skip)]
    directory: PathBuf,
}

/// `[[package]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Package {
    /// Normalised.
    pub name: String,
    /// PEP 440; absent for directories whose version is dynamic.
    pub version: Option<String>,
    source: Source,
    #[serde(default)]
    resolution_markers: Vec<String>,
    #[serde(default)]
    dependencies: Vec<Edge>,
    #[serde(default)]
    optional_dependencies: BTreeMap<String, Vec<Edge>>,
    sdist: Option<File>,
    #[serde(default)]
    wheels: Vec<File>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Source {
    registry: Option<String>,
    url: Option<String>,
    git: Option<String>,
    path: Option<String>,
    directory: Option<String>,
    editable: Option<String>,
    r#virtual: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Edge {
    name: String,
    version: Option<String>,
    source: Option<Source>,
    marker: Option<String>,
    #[serde(default)]
    extra: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct File {
    url: Option<String>,
    path: Option<String>,
    filename: Option<String>,
    hash: Option<String>,
    size: Option<u64>,
}

/// Where a package comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// An index or a directory of files, by its URL.
    Index(String),
    /// An archive at a URL.
    Archive(String),
    /// A directory, absolute.
    Directory(PathBuf),
}

/// A file, not yet complete: an index may give no digest or size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artefact {
    /// File name.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// SHA-256, if the index gives it.
    pub sha256: Option<Sha256>,
    /// Bytes, if the index gives it.
    pub size: Option<u64>,
}

/// A package that some environment needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// Normalised.
    pub name: String,
    /// PEP 440.
    pub version: Option<String>,
    /// Where it comes from.
    pub place: Place,
    /// The source distribution.
    pub sdist: Option<Artefact>,
    /// The wheels.
    pub wheels: Vec<Artefact>,
    /// Positions of the environments that need it.
    pub environments: BTreeSet<usize>,
    /// Names of those that require it, for messages.
    pub required_by: BTreeSet<String>,
}

/// Why a `uv.lock` cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UvLockError {
    /// It is not what uv writes.
    #[error("cannot be read: {0}")]
    Syntax(String),
    /// Another major version of the format.
    #[error("has version {0}, packhouse reads version 1")]
    Version(u32),
    /// A package that another names is not in it, or more than once.
    #[error("does not say which `{name}` {by} needs")]
    Dangling {
        /// Whom.
        name: String,
        /// Who.
        by: String,
    },
    /// A marker that cannot be evaluated.
    #[error("has a marker that packhouse cannot evaluate: `{0}`")]
    Marker(String),
    /// A source that no package can be made of.
    #[error("takes {name} from {from}, which packhouse cannot vendor")]
    Source {
        /// The package.
        name: String,
        /// In words.
        from: String,
    },
}

impl UvLock {
    /// Reads `text`, which lies in `directory` (absolute).
    pub fn parse(text: &str, directory: &Path) -> Result<Self, UvLockError> {
        let mut lock: Self = toml::from_str(text)
            .map_err(|error| UvLockError::Syntax(error.message().lines().collect::<Vec<_>>().join(" ")))?;
        if lock.version != 1 {
            return Err(UvLockError::Version(lock.version));
        }
        lock.directory = directory.to_path_buf();
        Ok(lock)
    }

    /// The directory package of this name (normalised), if the lock has one.
    pub fn local(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name && package.source.directory_path().is_some())
    }

    /// The first file with a digest of another algorithm than SHA-256, by which it could not be known again: its name or
    /// URL, and the digest.
    pub fn foreign_digest(&self) -> Option<(&str, &str)> {
        let files = self.packages.iter().flat_map(|package| package.sdist.iter().chain(&package.wheels));
        files
            .filter_map(|file| {
                let shown = file.filename.as_deref().or(file.url.as_deref()).or(file.path.as_deref());
                Some((shown.unwrap_or("a file"), file.hash.as_deref()?))
            })
            .find(|(_, hash)| !hash.starts_with("sha256:"))
    }

    /// All packages that the package `root` (normalised name of a directory) needs in one of `environments`, with what
    /// its extras `extras` need; `root` itself is not among them.
    pub fn reach(
        &self,
        root: &str,
        extras: &[String],
        environments: &[PythonEnvironment],
    ) -> Result<Vec<Reached>, UvLockError> {
        let dangling = || UvLockError::Dangling { name: root.to_owned(), by: "the project".to_owned() };
        let start = self
            .packages
            .iter()
            .position(|package| package.name == root && package.source.directory_path().is_some())
            .ok_or_else(dangling)?;
        let mut reached: BTreeMap<usize, (BTreeSet<usize>, BTreeSet<String>)> = BTreeMap::new();
        for (position, environment) in environments.iter().enumerate() {
            let markers = environment.markers();
            let mut seen: BTreeSet<(usize, Option<String>)> = BTreeSet::new();
            let mut open: Vec<(usize, Option<String>)> = vec![(start, None)];
            open.extend(extras.iter().map(|extra| (start, Some(normalize(extra)))));
            while let Some((index, extra)) = open.pop() {
                if !seen.insert((index, extra.clone())) {
                    continue;
                }
                let Some(package) = self.packages.get(index) else { continue };
                let edges = match &extra {
                    None => package.dependencies.as_slice(),
                    Some(extra) => package.optional_dependencies.get(extra).map(Vec::as_slice).unwrap_or_default(),
                };
                for edge in edges {
                    if !holds(edge.marker.as_deref(), &markers)? {
                        continue;
                    }
                    let to = self.target(edge, &package.name, &markers)?;
                    if to != start {
                        let (environments, required_by) = reached.entry(to).or_default();
                        environments.insert(position);
                        required_by.insert(package.name.clone());
                    }
                    open.push((to, None));
                    open.extend(edge.extra.iter().map(|extra| (to, Some(normalize(extra)))));
                }
            }
        }
        let packages = reached.into_iter().filter_map(|(index, facts)| Some((self.packages.get(index)?, facts)));
        packages.map(|(package, (environments, by))| self.describe(package, environments, by)).collect()
    }

    /// The package that an edge leads to.
    fn target(&self, edge: &Edge, by: &str, markers: &MarkerEnvironment) -> Result<usize, UvLockError> {
        let fits = |package: &Package| {
            package.name == edge.name
                && edge.version.as_ref().is_none_or(|version| package.version.as_ref() == Some(version))
                && edge.source.as_ref().is_none_or(|source| package.source == *source)
        };
        let mut candidates: Vec<usize> =
            self.packages.iter().enumerate().filter(|(_, package)| fits(package)).map(|(index, _)| index).collect();
        if candidates.len() > 1 {
            let mut here = Vec::new();
            for &index in &candidates {
                let forks = self.packages.get(index).map(|package| package.resolution_markers.as_slice());
                let forks = forks.unwrap_or_default();
                let mut holds_here = forks.is_empty();
                for fork in forks {
                    holds_here |= holds(Some(fork), markers)?;
                }
                if holds_here {
                    here.push(index);
                }
            }
            candidates = here;
        }
        match candidates.as_slice() {
            [only] => Ok(*only),
            _ => Err(UvLockError::Dangling { name: edge.name.clone(), by: by.to_owned() }),
        }
    }

    fn describe(
        &self,
        package: &Package,
        environments: BTreeSet<usize>,
        required_by: BTreeSet<String>,
    ) -> Result<Reached, UvLockError> {
        let refused = |from: String| UvLockError::Source { name: package.name.clone(), from };
        let source = &package.source;
        let place = if let Some(registry) = &source.registry {
            Place::Index(self.url(registry).ok_or_else(|| refused(registry.clone()))?)
        } else if let Some(url) = &source.url {
            Place::Archive(url.clone())
        } else if let Some(directory) = source.directory_path() {
            Place::Directory(self.absolute(directory))
        } else if let Some(git) = &source.git {
            return Err(refused(format!("the git repository {git}")));
        } else {
            return Err(refused(format!("the file {}", source.path.as_deref().unwrap_or("of an unknown kind"))));
        };
        let artefact = |file: &File| -> Result<Artefact, UvLockError> {
            let base = match &place {
                Place::Index(url) | Place::Archive(url) => url.clone(),
                Place::Directory(_) => String::new(),
            };
            let broken = || UvLockError::Syntax(format!("a file of {} has no URL", package.name));
            let url = match (&file.url, &file.path) {
                (Some(url), _) => url.clone(),
                (None, Some(path)) if base.starts_with("file:") => Url::parse(&format!("{base}/"))
                    .ok()
                    .and_then(|base| base.join(path).ok())
                    .ok_or_else(broken)?
                    .into(),
                _ => base,
            };
            let name = file.filename.clone().or_else(|| super::pylock::file_name_of_url(&url)).ok_or_else(broken)?;
            let sha256 = file.hash.as_deref().and_then(|hash| hash.strip_prefix("sha256:")?.parse().ok());
            Ok(Artefact { name, url, sha256, size: file.size })
        };
        Ok(Reached {
            name: package.name.clone(),
            version: package.version.clone(),
            sdist: package.sdist.as_ref().map(artefact).transpose()?,
            wheels: package.wheels.iter().map(artefact).collect::<Result<_, _>>()?,
            place: place.clone(),
            environments,
            required_by,
        })
    }

    /// A registry as a URL: one already, or a directory relative to the lock.
    fn url(&self, registry: &str) -> Option<String> {
        if registry.contains("://") {
            return Some(super::indexes::without_credentials(registry).0);
        }
        let url = Url::from_file_path(self.absolute(registry)).ok()?;
        Some(url.as_str().trim_end_matches('/').to_owned())
    }

    fn absolute(&self, path: &str) -> PathBuf {
        let mut absolute = PathBuf::new();
        for component in self.directory.join(path).components() {
            match component {
                std::path::Component::ParentDir => {
                    absolute.pop();
                }
                std::path::Component::CurDir => {}
                other => absolute.push(other),
            }
        }
        absolute
    }
}

impl Package {
    /// Its directory, as the lock writes it, relative to the lock.
    pub fn directory(&self) -> Option<&str> {
        self.source.directory_path()
    }
}

impl Source {
    fn directory_path(&self) -> Option<&str> {
        self.directory.as_deref().or(self.editable.as_deref()).or(self.r#virtual.as_deref())
    }
}

/// Whether a marker is true. Those in which uv encodes its own choices (`extra == 'extra-3-…'`, from `conflicts`) cannot
/// be judged from the outside and are refused rather than taken for false.
fn holds(marker: Option<&str>, markers: &MarkerEnvironment) -> Result<bool, UvLockError> {
    let Some(marker) = marker else { return Ok(true) };
    let refused = || UvLockError::Marker(marker.to_owned());
    if marker.contains("extra ==") || marker.contains("extra !=") {
        return Err(refused());
    }
    let tree = MarkerTree::parse_str::<VerbatimUrl>(marker).map_err(|_| refused())?;
    Ok(tree.evaluate(markers, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::{Architecture, PythonVersion};

    const LOCK: &str = r#"
version = 1
revision = 3
requires-python = ">=3.9"
[[package]]
name = "root"
source = { virtual = "." }
dependencies = [
    { name = "numpy", version = "2.0", source = { registry = "https://i.example/simple" }, marker = "python_full_version < '3.12'" },
    { name = "numpy", version = "2.5", source = { registry = "https://i.example/simple" }, marker = "python_full_version >= '3.12'" },
    { name = "lib", extra = ["x"] },
]
[package.optional-dependencies]
pins = [{ name = "pinned" }]
[[package]]
name = "numpy"
version = "2.0"
source = { registry = "https://i.example/simple" }
wheels = [{ url = "https://f.example/numpy-2.0-py3-none-any.whl", hash = "sha256:0000000000000000000000000000000000000000000000000000000000000000", size = 5 }]
[[package]]
name = "numpy"
version = "2.5"
source = { registry = "https://i.example/simple" }
[[package]]
name = "lib"
version = "1"
source = { editable = "../lib" }
dependencies = [{ name = "root" }]
[package.optional-dependencies]
x = [{ name = "linked" }]
y = [{ name = "never" }]
[[package]]
name = "linked"
version = "1"
source = { registry = "../wheels" }
wheels = [{ path = "linked-1-py3-none-any.whl" }]
[[package]]
name = "pinned"
version = "1"
source = { registry = "https://i.example/simple" }
"#;

    fn environments() -> Vec<PythonEnvironment> {
        [11, 13]
            .map(|minor| PythonEnvironment {
                python: PythonVersion::three(minor),
                glibc: (2, 36),
                architecture: Architecture::X86_64,
            })
            .to_vec()
    }

    #[test]
    fn the_graph_is_walked_once_for_each_environment_with_extras_and_markers() {
        let lock = UvLock::parse(LOCK, Path::new("/repo/service")).unwrap();
        let reached = lock.reach("root", &[], &environments()).unwrap();
        let seen: Vec<(String, Vec<usize>)> = reached
            .iter()
            .map(|package| {
                (
                    format!("{} {}", package.name, package.version.clone().unwrap()),
                    package.environments.iter().copied().collect(),
                )
            })
            .collect();
        let expected =
            [("numpy 2.0", vec![0]), ("numpy 2.5", vec![1]), ("lib 1", vec![0, 1]), ("linked 1", vec![0, 1])];
        assert_eq!(seen, expected.map(|(name, list)| (name.to_owned(), list)));
        assert_eq!(reached[2].place, Place::Directory("/repo/lib".into()));
        assert_eq!(reached[3].place, Place::Index("file:///repo/wheels".to_owned()));
        assert_eq!(reached[3].wheels[0].url, "file:///repo/wheels/linked-1-py3-none-any.whl");
        assert_eq!(reached[0].wheels[0].size, Some(5));
        assert_eq!(lock.reach("root", &["pins".to_owned()], &environments()).unwrap().len(), 5);
    }

    #[test]
    fn what_cannot_be_judged_is_refused() {
        let parse = |from: &str, to: &str| {
            UvLock::parse(&LOCK.replacen(from, to, 1), Path::new("/repo/service"))?.reach("root", &[], &environments())
        };
        assert!(matches!(parse("version = 1", "version = 2"), Err(UvLockError::Version(2))));
        assert!(matches!(parse("name = \"linked\" }", "name = \"gone\" }"), Err(UvLockError::Dangling { .. })));
        assert!(matches!(
            parse("python_full_version < '3.12'", "extra == 'extra-4-root-x'"),
            Err(UvLockError::Marker(_))
        ));
        assert!(matches!(
            parse("registry = \"../wheels\"", "git = \"https://g.example/x\""),
            Err(UvLockError::Source { .. })
        ));
        assert!(matches!(parse("[[package]]", "[[package"), Err(UvLockError::Syntax(_))));
    }
}
