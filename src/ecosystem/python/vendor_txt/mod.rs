//! `vendor.txt`: what to vendor beside what a resolver finds, one thing a line.
//!
//! Each line is what one would give to `pip download`: a requirement with options, or the URL of an archive. No resolver
//! is asked: a line names what it wants. `docs/vendor-txt.md` is the table of the options, for users; `options.rs` has the same
//! table, for the reader.

mod options;
mod reader;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub use self::reader::read;
use super::project::RequirementLine;
use super::requirements::{BinaryPolicy, Placed};
pub use super::source::Error;
use crate::digest::Sha256;

/// One thing to vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VendorEntry {
    /// A distribution from an index.
    Requirement(Box<VendorRequirement>),
    /// An archive at a URL.
    Archive(VendorArchive),
}

/// A distribution from an index, with what `pip download` would be told about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorRequirement {
    /// PEP 508, without pip options.
    pub requirement: String,
    /// `--no-deps`: it alone, not what it requires.
    pub no_deps: bool,
    /// `--platform`, literally as pip takes them (`manylinux_2_36_x86_64` does not include `manylinux_2_34_x86_64`);
    /// empty: the target's.
    pub platforms: Vec<String>,
    /// `--abi`; empty: the target's.
    pub abis: Vec<String>,
    /// `--implementation` (`cp`, `py`).
    pub implementation: Option<String>,
    /// `--python-version` (`3`, `3.11`, `3.11.2`; `311` is written `3.11` here).
    pub python_version: Option<String>,
    /// The platforms are those of another system (`macosx_…`, `win…`) and there is `--no-deps`: a pure wheel if there is
    /// one, else the source distribution. Never a wheel of that platform.
    pub source_or_pure: bool,
    /// `--no-binary`, `--only-binary`, `--prefer-binary`.
    pub binary: BinaryPolicy,
    /// `--pre`.
    pub pre: bool,
    /// `--index-url`: from there and nowhere else.
    pub index_url: Option<Placed<String>>,
    /// `--extra-index-url`, for this name only.
    pub extra_index_urls: Vec<Placed<String>>,
    /// `--find-links`, for this name only.
    pub find_links: Vec<Placed<String>>,
    /// `--hash=sha256:…`; empty: none was given.
    pub sha256: Vec<Sha256>,
    /// Lines of `-c` files.
    pub constraints: Vec<RequirementLine>,
    /// Absolute path of the file that says so.
    pub file: PathBuf,
    /// Line in it, from 1.
    pub line: usize,
}

/// An archive at a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorArchive {
    /// The URL without its fragment.
    pub url: String,
    /// Digests it may have; empty: none was given, the first download decides and the lock keeps it.
    pub sha256: Vec<Sha256>,
    /// Absolute path of the file that says so.
    pub file: PathBuf,
    /// Line in it, from 1.
    pub line: usize,
}

/// All that a `vendor.txt` says, with the files that it names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VendorFile {
    /// In the order of the lines.
    pub entries: Vec<VendorEntry>,
    /// Every file that was read, absolute, each once: what the result depends on.
    pub files: Vec<PathBuf>,
}
