//! Requirement files, as pip reads them.
//!
//! Source: <https://pip.pypa.io/en/stable/reference/requirements-file-format/>, and pip's own
//! `_internal/req/req_file.py` and `constructors.py` for what the page leaves open. The reader is packhouse's own because
//! each line must be judged before a resolver sees it: an index in a requirements file, a hash, a path into the
//! repository are decisions that the lock has to make knowingly. Where pip lets something pass that a lock cannot carry
//! (an environment variable, a branch of a git repository, the second file of a line) it is an error here.
//!
//! Two things are narrower than pip's on purpose. Text is UTF-8, whatever the locale. And a relative path (`./lib`,
//! `-e ../lib`) is relative to the directory of the first file that was read, the project's, as if pip had been started
//! there; pip takes whatever directory it is started in.

pub(in crate::ecosystem::python) mod lines;
pub(in crate::ecosystem::python) mod options;
pub(in crate::ecosystem::python) mod reader;
pub(in crate::ecosystem::python) mod requirement;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub(in crate::ecosystem::python) use self::reader::read_source;
pub use self::reader::{Allowed, read};
use super::project::RequirementLine;
pub use super::source::Error;
use crate::digest::Sha256;

/// A requirement that is a directory (`./lib`, `-e ../lib`, `lib @ file:../lib`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathRequirement {
    /// The name before `@`, or after `#egg=`, as written.
    pub name: Option<String>,
    /// Extras asked of it.
    pub extras: Vec<String>,
    /// When it is needed (PEP 508 marker).
    pub marker: Option<String>,
    /// The directory, absolute, without `.` and `..`; nothing says yet that it exists or lies in the repository.
    pub path: PathBuf,
    /// `-e`.
    pub editable: bool,
    /// Absolute path of the file that says so.
    pub file: PathBuf,
    /// Line in it, from 1.
    pub line: usize,
}

/// A requirement that is an archive at a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlRequirement {
    /// The name before `@`, or after `#egg=`, as written.
    pub name: Option<String>,
    /// Extras asked of it.
    pub extras: Vec<String>,
    /// When it is needed (PEP 508 marker).
    pub marker: Option<String>,
    /// The URL without its fragment.
    pub url: String,
    /// Digests it may have (`#sha256=…`, `--hash=sha256:…`); empty: none was given.
    pub sha256: Vec<Sha256>,
    /// Absolute path of the file that says so.
    pub file: PathBuf,
    /// Line in it, from 1.
    pub line: usize,
}

/// One requirement of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// A distribution by its name.
    Named(RequirementLine),
    /// A directory.
    Path(PathRequirement),
    /// An archive.
    Url(UrlRequirement),
}

/// The value of an option, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    /// What it says.
    pub value: T,
    /// Absolute path of the file.
    pub file: PathBuf,
    /// Line in it, from 1.
    pub line: usize,
}

/// Which names `--no-binary` or `--only-binary` speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Names {
    /// None.
    #[default]
    Nothing,
    /// `:all:`.
    All,
    /// These, normalised, sorted.
    These(Vec<String>),
}

/// Wheels or source distributions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BinaryPolicy {
    /// `--no-binary`: never a wheel of these.
    pub no_binary: Names,
    /// `--only-binary`: never a source distribution of these.
    pub only_binary: Names,
    /// `--prefer-binary`: an older wheel before a newer source distribution.
    pub prefer_binary: bool,
}

/// The options of a requirements file that hold for all of it. The lock decides what becomes of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// `--index-url`; the last one stands.
    pub index_url: Option<Placed<String>>,
    /// `--extra-index-url`, in their order.
    pub extra_index_urls: Vec<Placed<String>>,
    /// `--find-links`, in their order.
    pub find_links: Vec<Placed<String>>,
    /// `--no-index`.
    pub no_index: Option<Placed<()>>,
    /// `--pre`.
    pub pre: Option<Placed<()>>,
    /// `--require-hashes`.
    pub require_hashes: Option<Placed<()>>,
    /// `--no-binary`, `--only-binary`, `--prefer-binary`.
    pub binary: BinaryPolicy,
}

/// All that a requirements file says, with those that it names by `-r` and `-c`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequirementsFile {
    /// In the order of the lines.
    pub requirements: Vec<Requirement>,
    /// Lines of `-c` files: they limit what is taken and add nothing.
    pub constraints: Vec<Requirement>,
    /// Options that hold for all of it.
    pub options: Options,
    /// Every file that was read, absolute, in the order of reading, each once: what the result depends on.
    pub files: Vec<PathBuf>,
}
