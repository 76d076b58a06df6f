//! One package out of all the files that may speak of it, as its build back end would combine them.
//!
//! `[project]` decides what it states and leaves to others what it calls dynamic. With setuptools, setup.py goes before
//! setup.cfg (`ConfigHandler.__setitem__` leaves alone what `setup()` has set). `[tool.poetry]` knows neither.
//! What the classic layout calls the repository's libraries stands in requirements.txt, so that is read for every style.

#[cfg(test)]
mod tests;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::facts::{Facts, Field};
use super::project::{BuildSystem, Project, RequirementLine, Style};
use super::pyproject::{self, PyProject, requirement_name};
use super::requirements::{Options, PathRequirement, Requirement, RequirementsFile, UrlRequirement, read_source};
use super::source::{Error, Source};
use super::{package_info, setup_cfg, setup_py};
use crate::diagnostic::Diagnose;
use crate::name::normalize;

/// What PEP 517 lets a front end assume of a project without `[build-system]`.
const DEFAULT_REQUIRES: &str = "setuptools>=40.8.0";
const DEFAULT_BACKEND: &str = "setuptools.build_meta:__legacy__";

/// Reads the package in `directory` (absolute); `None` when there is no Python manifest, or only one that configures
/// tools.
pub fn read(directory: &Path) -> Result<Option<Project>, Box<dyn Diagnose + Send + Sync>> {
    Ok(read_project(directory)?)
}

/// Reads the package in `directory`, the unpacked manifests of somebody else's source distribution. Its requirements.txt is
/// none of the user's, so it is not read; what an old setup.py or setup.cfg says against the standards makes that field
/// unread, not the package: its PKG-INFO may say it well. The name is empty when it cannot be read.
pub fn read_archive(directory: &Path) -> Result<Option<Project>, Box<dyn Diagnose + Send + Sync>> {
    Ok(read_from(directory, Origin::Archive)?)
}

/// Whose package it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The repository's own: faults are errors, for they can be mended.
    Repository,
    /// Somebody else's archive.
    Archive,
}

/// As [`read`], with the error by its type.
pub(super) fn read_project(directory: &Path) -> Result<Option<Project>, Error> {
    read_from(directory, Origin::Repository)
}

fn read_from(directory: &Path, origin: Origin) -> Result<Option<Project>, Error> {
    let mut files = Vec::new();
    let mut open = |name: &str| -> Result<Option<Source>, Error> {
        let source = Source::read_if_there(&directory.join(name))?;
        files.extend(source.iter().map(|source| source.path.clone()));
        Ok(source)
    };
    let (pyproject_source, cfg_source, py_source) = (open("pyproject.toml")?, open("setup.cfg")?, open("setup.py")?);
    let pyproject = pyproject_source.as_ref().map(pyproject::read).transpose()?;
    let with_setuptools =
        pyproject.as_ref().is_none_or(|pyproject| pyproject.is_setuptools() && pyproject.style != Some(Style::Poetry));
    let cfg = match &cfg_source {
        Some(source) if with_setuptools => match setup_cfg::read(source) {
            Err(error) if origin == Origin::Archive => Some(unread_cfg(&error)),
            read => read?,
        },
        _ => None,
    };
    let py = match &py_source {
        Some(source) if with_setuptools => setup_py::read(source, origin)?,
        _ => None,
    };
    let Some((style, manifest)) = style(pyproject.as_ref(), cfg.as_ref(), py.as_ref()) else { return Ok(None) };
    let manifest = directory.join(manifest);

    let mut facts = Facts::default();
    let mut dynamic: Option<Vec<Field>> = None;
    let mut build_system = None;
    let (mut paths, mut urls) = (Vec::new(), Vec::new());
    if let Some(pyproject) = pyproject {
        facts = pyproject.facts;
        dynamic = pyproject.dynamic;
        build_system = pyproject.build_system;
        paths = pyproject.path_sources;
        urls = pyproject.url_sources;
    }
    let takes = |field: Field| match (&dynamic, field) {
        (_, Field::SetupRequires | Field::Other) | (None, _) => true,
        (Some(dynamic), field) => dynamic.contains(&field),
    };
    for weaker in [py, cfg].into_iter().flatten() {
        facts.fill(weaker, takes);
    }

    let unpacked = match origin {
        Origin::Repository => package_info::read(directory)?,
        Origin::Archive => None,
    };
    let is_unpacked = unpacked.is_some();
    if let Some(info) = unpacked {
        let same = |own: &String| info.name.as_ref().is_none_or(|name| normalize(name) == normalize(own));
        if facts.name.as_ref().is_none_or(same) {
            facts.complete(info);
        }
    }
    facts.settle_doubts();
    let name = project_name(directory, &manifest, origin, &mut facts)?;
    let dependencies = facts.dependencies.take().unwrap_or_default();
    paths.extend(dependencies.paths);
    urls.extend(dependencies.urls);
    let mut needs = Needs { named: dependencies.named, paths, urls, ..Needs::default() };
    // In an unpacked source distribution it is for those who work on it: what its users need stands in PKG-INFO.
    if origin == Origin::Repository
        && !is_unpacked
        && let Some(source) = Source::read_if_there(&directory.join("requirements.txt"))?
    {
        needs.add(read_source(&source)?, &mut files)?;
    }
    if origin == Origin::Repository && directory.join("Pipfile").is_file() && !directory.join("Pipfile.lock").is_file()
    {
        let what = "Pipfile:1: what it requires is read from a Pipfile.lock alone: run `pipenv lock`";
        facts.unread.push((Field::Other, what.to_owned()));
    }
    let optional_dependencies = facts.optional_dependencies.take().unwrap_or_default();
    needs.resolve_itself(directory, &normalize(&name), &optional_dependencies);

    files.append(&mut facts.files);
    let python_version_file = python_version_file(directory, &mut files)?;
    let mut seen = std::collections::BTreeSet::new();
    files.retain(|file| seen.insert(file.clone()));
    Ok(Some(Project {
        directory: directory.to_path_buf(),
        manifest,
        style,
        name,
        version: facts.version,
        requires_python: facts.requires_python,
        python_version_file,
        dependencies: needs.named,
        constraints: needs.constraints,
        paths: needs.paths,
        urls: needs.urls,
        options: needs.options,
        files,
        optional_dependencies,
        console_scripts: facts.scripts.unwrap_or_default(),
        bin: bin(directory)?,
        programs: facts.programs,
        build_system: complete(build_system, facts.setup_requires),
        summary: facts.summary.as_deref().map(one_line).filter(|summary| !summary.is_empty()),
        license: facts.license,
        unread: facts.unread.into_iter().map(|(_, text)| text).collect(),
    }))
}

/// Where the metadata stand; `None`: this is no package.
fn style(pyproject: Option<&PyProject>, cfg: Option<&Facts>, py: Option<&Facts>) -> Option<(Style, &'static str)> {
    if let Some(style) = pyproject.and_then(|pyproject| pyproject.style) {
        return Some((style, "pyproject.toml"));
    }
    match (cfg, py) {
        // `setup()` without a name: a stub beside setup.cfg.
        (Some(cfg), Some(py)) if cfg.name.is_some() && py.name.is_none() => Some((Style::SetupCfg, "setup.cfg")),
        (_, Some(_)) => Some((Style::SetupPy, "setup.py")),
        (Some(_), None) => Some((Style::SetupCfg, "setup.cfg")),
        (None, None) => {
            pyproject.and_then(|pyproject| pyproject.build_system.as_ref()).map(|_| (Style::Project, "pyproject.toml"))
        }
    }
}

/// A setup.cfg of which nothing can be told.
fn unread_cfg(error: &Error) -> Facts {
    let fields = [Field::Name, Field::Version, Field::Dependencies, Field::OptionalDependencies, Field::SetupRequires];
    let names = ["name", "version", "install_requires", "extras_require", "setup_requires"];
    let text = |name: &str| format!("setup.cfg:1: {name}: {error}");
    Facts { unread: fields.into_iter().zip(names.map(text)).collect(), ..Facts::default() }
}

/// The name that the manifests state, else the directory's, which is then said to be a guess.
fn project_name(directory: &Path, manifest: &Path, origin: Origin, facts: &mut Facts) -> Result<String, Error> {
    let Some(name) = facts.name.take() else {
        let file = manifest.file_name().map(|file| file.to_string_lossy().into_owned()).unwrap_or_default();
        if origin == Origin::Archive {
            return Ok(String::new());
        }
        let name = directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if !is_name(&name) {
            return Err(Error::Invalid {
                message: format!("{} states no name that can be read, and `{name}` cannot be one", manifest.display()),
                location: Box::new(crate::diagnostic::Location::new(manifest, Source::read(manifest)?.text, 0..0)),
                hints: vec!["state the name as a literal".to_owned()],
            });
        }
        let place = facts.unread.iter().find(|(field, _)| *field == Field::Name).map(|(_, text)| text.clone());
        facts.unread.retain(|(field, _)| *field != Field::Name);
        let what = place.unwrap_or_else(|| format!("{file}:1: no name is stated"));
        facts.unread.push((Field::Name, format!("{what}; the directory's, {name}, is taken")));
        return Ok(name);
    };
    if is_name(&name) {
        return Ok(name);
    }
    let source = Source::read(manifest)?;
    let at = source.text.find(&name).unwrap_or_default();
    let hint = "a name has ASCII letters, digits, `-`, `_`, `.`, and begins and ends with a letter or digit";
    Err(source.error(at..at + name.len(), format!("`{name}` cannot be the name of a Python package"), &[hint]))
}

/// <https://packaging.python.org/en/latest/specifications/name-normalization/#name-format>
fn is_name(name: &str) -> bool {
    let ends_well = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        && ends_well(name.as_bytes().first())
        && ends_well(name.as_bytes().last())
}

/// What a package needs, of all kinds.
#[derive(Default)]
struct Needs {
    named: Vec<RequirementLine>,
    paths: Vec<PathRequirement>,
    urls: Vec<UrlRequirement>,
    constraints: Vec<RequirementLine>,
    options: Options,
}

impl Needs {
    /// Adds a requirements file.
    fn add(&mut self, file: RequirementsFile, files: &mut Vec<PathBuf>) -> Result<(), Error> {
        files.extend(file.files);
        for requirement in file.requirements {
            match requirement {
                // setup.py may have read the same file.
                Requirement::Named(named) => {
                    if !self.named.contains(&named) {
                        self.named.push(named);
                    }
                }
                Requirement::Path(path) => {
                    if !self.paths.contains(&path) {
                        self.paths.push(path);
                    }
                }
                Requirement::Url(url) => {
                    if !self.urls.contains(&url) {
                        self.urls.push(url);
                    }
                }
            }
        }
        for constraint in file.constraints {
            let (file, line) = match constraint {
                Requirement::Named(named) => {
                    self.constraints.push(named);
                    continue;
                }
                Requirement::Path(path) => (path.file, path.line),
                Requirement::Url(url) => (url.file, url.line),
            };
            let text = Source::read(&file)?.text;
            return Err(Error::Invalid {
                message: "a constraint must be a name with versions".to_owned(),
                location: Box::new(crate::diagnostic::Location::line(&file, text, line)),
                hints: vec!["move it to the requirements".to_owned()],
            });
        }
        self.options = file.options;
        Ok(())
    }

    /// A package that requires itself (`-e .`, `name[extra]` in an extra of `name`) requires what that extra brings.
    fn resolve_itself(
        &mut self,
        directory: &Path,
        own_name: &str,
        extras: &std::collections::BTreeMap<String, Vec<String>>,
    ) {
        let mut wanted: Vec<(String, PathBuf, usize)> = Vec::new();
        self.paths.retain(|path| {
            if path.path != directory {
                return true;
            }
            wanted.extend(path.extras.iter().map(|extra| (extra.clone(), path.file.clone(), path.line)));
            false
        });
        let is_own = |line: &RequirementLine| requirement_name(&line.requirement) == own_name;
        for line in self.named.iter().filter(|line| is_own(line)) {
            let names = extras_of(&line.requirement);
            wanted.extend(names.into_iter().map(|extra| (extra, line.file.clone(), line.line)));
        }
        self.named.retain(|line| !is_own(line));
        let mut taken = Vec::new();
        while let Some((extra, file, line)) = wanted.pop() {
            if taken.contains(&extra) {
                continue;
            }
            for requirement in extras.get(&extra).into_iter().flatten() {
                if requirement_name(requirement) == own_name {
                    wanted.extend(extras_of(requirement).into_iter().map(|extra| (extra, file.clone(), line)));
                } else {
                    let requirement = requirement.clone();
                    self.named.push(RequirementLine { requirement, sha256: Vec::new(), file: file.clone(), line });
                }
            }
            taken.push(extra);
        }
    }
}

/// The extras in a PEP 508 text, normalised.
fn extras_of(requirement: &str) -> Vec<String> {
    let before = requirement.split([';', '@']).next().unwrap_or_default();
    let inside = before.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(inside, _)| inside);
    let names = inside.unwrap_or_default().split(',').map(str::trim);
    names.filter(|name| !name.is_empty()).map(normalize).collect()
}

/// The first line of `.python-version` that says something, as a minor version where it is CPython's.
fn python_version_file(directory: &Path, files: &mut Vec<PathBuf>) -> Result<Option<String>, Error> {
    let Some(source) = Source::read_if_there(&directory.join(".python-version"))? else { return Ok(None) };
    files.push(source.path.clone());
    let mut lines = source.text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let Some(text) = lines.next().filter(|line| *line != "system") else { return Ok(None) };
    let version = text.strip_prefix("cpython-").or_else(|| text.strip_prefix("cpython@")).unwrap_or(text);
    let version = version.strip_prefix("python").unwrap_or(version);
    let mut parts = version.split(['.', '-', '+', ' ']);
    let number =
        |part: Option<&str>| part.filter(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit())).map(str::to_owned);
    Ok(Some(match (number(parts.next()), number(parts.next())) {
        (Some(major), Some(minor)) => format!("{major}.{minor}"),
        // `3.13t`, `pypy3.10`: said as it is, for whoever has to refuse it.
        _ => text.to_owned(),
    }))
}

/// The programs in `bin/`: regular files that are executable or start with `#!`.
fn bin(directory: &Path) -> Result<Vec<String>, Error> {
    let path = directory.join("bin");
    let failed = |source| Error::Read { path: path.clone(), source };
    if !path.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs_err::read_dir(&path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().into_string().map_err(|name| Error::Encoding {
            path: entry.path(),
            what: format!("its name, {}", name.to_string_lossy()),
        })?;
        let is_leftover = name.starts_with(['.', '#'])
            || [".pyc", ".pyo", ".bak", ".orig", ".rej", ".swp", ".tmp", "~"].iter().any(|end| name.ends_with(end));
        let is_program = || -> std::io::Result<bool> {
            let inside = fs_err::canonicalize(entry.path())?.starts_with(fs_err::canonicalize(directory)?);
            let metadata = fs_err::metadata(entry.path())?;
            if !metadata.is_file() || !inside {
                return Ok(false);
            }
            let mut start = [0; 2];
            let is_script = match std::io::Read::read_exact(&mut fs_err::File::open(entry.path())?, &mut start) {
                Ok(()) => &start == b"#!",
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => false,
                Err(error) => return Err(error),
            };
            Ok(is_script || metadata.permissions().mode() & 0o111 != 0)
        };
        if let (false, false, Ok(to)) = (is_leftover, entry.path().exists(), fs_err::read_link(entry.path())) {
            return Err(Error::Dangling { path: entry.path(), to });
        }
        if !is_leftover && is_program().map_err(failed)? {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn complete(stated: Option<BuildSystem>, setup_requires: Vec<String>) -> BuildSystem {
    let mut system = stated.unwrap_or_else(|| BuildSystem {
        requires: vec![DEFAULT_REQUIRES.to_owned()],
        backend: String::new(),
        backend_path: Vec::new(),
    });
    if system.backend.is_empty() {
        system.backend = DEFAULT_BACKEND.to_owned();
    }
    for requirement in setup_requires {
        if !system.requires.contains(&requirement) {
            system.requires.push(requirement);
        }
    }
    system
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
