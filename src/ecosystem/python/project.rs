//! One Python package of the repository, read without running any of its code.

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use super::combine::{read, read_archive};
use super::requirements::{Options, PathRequirement, UrlRequirement};

/// Where a project's metadata stand, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `[project]` of pyproject.toml (PEP 621).
    Project,
    /// `[tool.poetry]` of pyproject.toml.
    Poetry,
    /// setup.cfg.
    SetupCfg,
    /// `setup()` in setup.py.
    SetupPy,
}

/// A requirement as PEP 508 text, with the place where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequirementLine {
    /// PEP 508 (`flask[async]>=3; python_version < "3.13"`), without pip options.
    pub requirement: String,
    /// `--hash=sha256:…` of the line, if any.
    pub sha256: Vec<crate::digest::Sha256>,
    /// Absolute path of the file.
    pub file: PathBuf,
    /// Line in it, from 1.
    pub line: usize,
}

/// A console script: `name = module:attribute`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryPoint {
    /// The command.
    pub name: String,
    /// The module to import.
    pub module: String,
    /// What to call in it, dotted.
    pub attribute: String,
}

/// `[build-system]` (PEP 518), with its default when there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildSystem {
    /// PEP 508 requirements, `setup_requires` of setup.py/setup.cfg among them.
    pub requires: Vec<String>,
    /// `build-backend`; `setuptools.build_meta:__legacy__` when there is none.
    pub backend: String,
    /// `backend-path`, relative to the project.
    pub backend_path: Vec<String>,
}

/// A Python package.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its directory, absolute.
    pub directory: PathBuf,
    /// The manifest file the metadata came from.
    pub manifest: PathBuf,
    /// See [`Style`].
    pub style: Style,
    /// The name as written.
    pub name: String,
    /// PEP 440; `None` when it is dynamic.
    pub version: Option<String>,
    /// `requires-python`.
    pub requires_python: Option<String>,
    /// Minor version in `.python-version`.
    pub python_version_file: Option<String>,
    /// All that it needs at run time: its metadata's dependencies and its requirements.txt (with `-r` followed); each
    /// name with all its constraints.
    pub dependencies: Vec<RequirementLine>,
    /// Lines of `-c` files.
    pub constraints: Vec<RequirementLine>,
    /// Requirements that are directories (`-e ../lib`, poetry's `path =`, `[tool.uv.sources]`). Where the name is known
    /// and is also among [`Project::dependencies`], the directory is where it comes from.
    pub paths: Vec<PathRequirement>,
    /// Requirements that are archives at a URL.
    pub urls: Vec<UrlRequirement>,
    /// Options of its requirements.txt: indexes, hashes, wheels or sources.
    pub options: Options,
    /// Every file that was read for this, absolute, each once: what it depends on.
    pub files: Vec<PathBuf>,
    /// Extras.
    pub optional_dependencies: BTreeMap<String, Vec<String>>,
    /// Console scripts of its metadata.
    pub console_scripts: Vec<EntryPoint>,
    /// Regular files in `bin/`, by name, sorted.
    pub bin: Vec<String>,
    /// Programs that its wheel brings beside them, by name: `scripts` of setuptools and its like, what cargo compiles.
    pub programs: Vec<String>,
    /// How it is built.
    pub build_system: BuildSystem,
    /// One line about it.
    pub summary: Option<String>,
    /// SPDX expression or free text.
    pub license: Option<String>,
    /// What could not be read without running code (`setup.py:12: install_requires is not a literal`).
    pub unread: Vec<String>,
}
