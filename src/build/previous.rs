//! Finds the version of each package that was published last.
//!
//! It is an input of the build like the sources: conffiles that went are told from it, and what cannot follow it is
//! refused (see [`crate::package::previous`]). A pool and a directory may hold packages for several distributions; their
//! revisions tell them apart.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::config::Settings;
use crate::ecosystem;
use crate::format::deb::Files;
use crate::format::{Contents, FileInfo, FileKind, deb, inspect, rpm};
use crate::package::previous::{PathKind, Previous, compare};
use crate::repo::{self, Kind, Repository};
use crate::report::Reporter;
use crate::target::{Distribution, Format, Target};

/// Where to look for the packages that were published last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PreviousSource {
    /// In the configuration's repository, when it is a directory that exists.
    #[default]
    Repository,
    /// In a repository, a directory of packages, or a package.
    Path(PathBuf),
    /// Nowhere.
    Nowhere,
}

/// Why what was published could not be read.
#[derive(Debug, thiserror::Error)]
#[error("`{}` holds no packages to compare with: it is neither a repository nor a directory nor a .deb or .rpm", path.display())]
pub struct NoPackages {
    path: PathBuf,
}

impl crate::diagnostic::Diagnose for NoPackages {
    fn code(&self) -> &'static crate::diagnostic::Code {
        &crate::diagnostic::codes::NO_PACKAGES_TO_COMPARE
    }

    fn exit_code(&self) -> crate::diagnostic::ExitCode {
        crate::diagnostic::ExitCode::Usage
    }

    fn hints(&self) -> Vec<String> {
        vec!["name one with --previous, or build with --no-previous".to_owned()]
    }
}

/// What there is to compare with.
pub(super) struct Published {
    place: Option<Place>,
    distributions: Vec<Distribution>,
    /// What the user named.
    named: Option<PathBuf>,
    found: AtomicBool,
}

enum Place {
    Repository(Repository),
    Files(Vec<PathBuf>),
}

/// A package that could be the previous one.
struct Candidate {
    version: String,
    path: PathBuf,
}

impl Published {
    /// Opens `source`.
    pub(super) fn open(settings: &Settings, source: &PreviousSource) -> Result<Self, ecosystem::Error> {
        let place = match source {
            PreviousSource::Nowhere => None,
            PreviousSource::Path(path) => Some(place(path)?),
            PreviousSource::Repository => match local(settings) {
                Some(path) if path.join(repo::CONFIGURATION).is_file() => Some(Place::Repository(repo::open(&path)?)),
                _ => None,
            },
        };
        let named = match source {
            PreviousSource::Path(path) => Some(path.clone()),
            PreviousSource::Repository | PreviousSource::Nowhere => None,
        };
        Ok(Self { place, distributions: settings.distributions.clone(), named, found: AtomicBool::new(false) })
    }

    /// Says so when nothing in what the user named was of use.
    pub(super) fn finish(&self, reporter: &dyn Reporter) {
        if let Some(named) = self.named.as_ref().filter(|_| !self.found.load(Ordering::Relaxed)) {
            reporter.note(&format!("`{}` has no earlier version of any package that was built", named.display()));
        }
    }

    /// What the newest package `name` for `target` says.
    pub(super) fn newest(&self, name: &str, target: &Target) -> Result<Option<Previous>, ecosystem::Error> {
        self.file(name, target)?.map(|path| read(target.format(), &path)).transpose()
    }

    /// The newest package `name` for `target`.
    pub(super) fn file(&self, name: &str, target: &Target) -> Result<Option<PathBuf>, ecosystem::Error> {
        let format = target.format();
        let mut candidates = match &self.place {
            None => return Ok(None),
            Some(Place::Repository(repository)) => in_repository(repository, name, target)?,
            Some(Place::Files(files)) => among(files, name, target)?,
        };
        candidates.retain(|candidate| self.is_for(&candidate.version, &target.distribution));
        let newest = candidates
            .into_iter()
            .max_by(|left, right| compare(format, &left.version, &right.version).then(left.path.cmp(&right.path)));
        self.found.fetch_or(newest.is_some(), Ordering::Relaxed);
        Ok(newest.map(|newest| newest.path))
    }

    /// Whether a version's revision is not that of another distribution.
    fn is_for(&self, version: &str, distribution: &Distribution) -> bool {
        let has = |other: &Distribution| {
            !other.revision_suffix.is_empty() && version.ends_with(other.revision_suffix.as_str())
        };
        has(distribution) || !self.distributions.iter().any(has)
    }
}

/// The configured repository's directory, when it is one.
pub(crate) fn local(settings: &Settings) -> Option<PathBuf> {
    let path = settings.repository.path.as_deref()?;
    match url::Url::parse(path) {
        Ok(url) if url.scheme() == "file" => url.to_file_path().ok(),
        Ok(_) => None,
        Err(_) => Some(settings.root.join(path)),
    }
}

fn place(path: &Path) -> Result<Place, ecosystem::Error> {
    if path.join(repo::CONFIGURATION).is_file() {
        return Ok(Place::Repository(repo::open(path)?));
    }
    let is_package = |path: &Path| {
        path.is_file() && path.extension().is_some_and(|extension| extension == "deb" || extension == "rpm")
    };
    if is_package(path) {
        return Ok(Place::Files(vec![path.to_path_buf()]));
    }
    if !path.is_dir() {
        return Err(Box::new(NoPackages { path: path.to_path_buf() }));
    }
    let entries = fs_err::read_dir(path).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let entries = entries.map_err(super::Error::Io)?;
    let mut files: Vec<PathBuf> = entries.iter().map(fs_err::DirEntry::path).filter(|path| is_package(path)).collect();
    files.sort();
    Ok(Place::Files(files))
}

/// From the suite that has the target's name or that of its release; from all suites when there is none.
fn in_repository(repository: &Repository, name: &str, target: &Target) -> Result<Vec<Candidate>, ecosystem::Error> {
    let configuration = repository.configuration();
    let (kind, suites) = match target.format() {
        Format::Deb => (Kind::Apt, &configuration.apt),
        Format::Rpm => (Kind::Yum, &configuration.yum),
    };
    let own = [&target.distribution.name, &target.distribution.suite];
    let named: Vec<&String> = suites.keys().filter(|suite| own.contains(suite)).collect();
    let chosen = if named.is_empty() { suites.keys().collect() } else { named };
    let mut candidates = Vec::new();
    for suite in chosen {
        let packages = repo::in_suite(repository, kind, suite, name)?.into_iter();
        let fitting = packages.filter(|package| fits(target, &package.architecture));
        candidates.extend(fitting.map(|package| Candidate { version: package.version, path: package.path }));
    }
    Ok(candidates)
}

fn among(files: &[PathBuf], name: &str, target: &Target) -> Result<Vec<Candidate>, ecosystem::Error> {
    let mut candidates = Vec::new();
    for path in files {
        let (package, architecture, version) = match target.format() {
            Format::Deb if has_extension(path, "deb") => {
                let info = deb::read(path, Files::Skip)?;
                (info.package().to_owned(), info.architecture().to_owned(), info.version().to_owned())
            }
            Format::Rpm if has_extension(path, "rpm") => {
                let info = rpm::read(path)?;
                let version = info.evr();
                (info.name, info.architecture, version)
            }
            _ => continue,
        };
        if package == name && fits(target, &architecture) {
            candidates.push(Candidate { version, path: path.clone() });
        }
    }
    Ok(candidates)
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|extension| extension == wanted)
}

/// Whether a package of this architecture may be installed where one for `target` is.
fn fits(target: &Target, architecture: &str) -> bool {
    let format = target.format();
    [target.architecture.name(format), "all", "noarch"].contains(&architecture)
}

fn read(format: Format, path: &Path) -> Result<Previous, ecosystem::Error> {
    let kind = |file: &FileInfo| match file.kind {
        FileKind::Directory => PathKind::Directory,
        FileKind::Symlink => PathKind::Symlink,
        FileKind::File | FileKind::Hardlink | FileKind::Special => PathKind::File,
    };
    // What is not shipped may stand there as anything.
    let paths = |files: &[FileInfo]| {
        files.iter().filter(|file| !file.ghost).map(|file| (file.path.clone(), kind(file))).collect()
    };
    Ok(match inspect(path)?.package {
        Contents::Deb(info) => Previous {
            format,
            version: info.version().to_owned(),
            paths: paths(&info.files),
            conffiles: info.conffiles.iter().filter(|line| line.starts_with('/')).cloned().collect(),
            preinst: info.scripts.iter().find(|(name, _)| name == "preinst").map(|(_, text)| text.clone()),
        },
        Contents::Rpm(info) => {
            Previous { format, version: info.evr(), paths: paths(&info.files), conffiles: Vec::new(), preinst: None }
        }
    })
}
