//! Writes packages: `deb/`, `rpm/`, and what they share. Streams in bounded memory; the bytes depend on the
//! [`crate::package::Package`] alone, never on the machine, the clock or the number of cores.

mod compression;
pub mod deb;
mod error;
mod listing;
pub mod rpm;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::digest::Sha256;

pub use compression::Effort;
pub use error::Error;
pub use listing::{FileInfo, FileKind};

/// A file that came out of `build`, as `packhouse-artefacts.json` lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artefact {
    /// The file, relative to the directory of `packhouse-artefacts.json`.
    pub file: PathBuf,
    /// `deb` or `rpm`.
    pub format: String,
    /// The service.
    pub package: String,
    /// The full version as the format spells it.
    pub version: String,
    /// `amd64`, `all`, `x86_64`, `noarch`.
    pub architecture: String,
    /// The target it was built for: `debian-12/amd64`.
    pub target: String,
    /// The suite it goes to unless another is named.
    pub suite: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the file.
    pub sha256: Sha256,
    /// How build steps were isolated; empty when none ran.
    pub isolation: Vec<String>,
}
