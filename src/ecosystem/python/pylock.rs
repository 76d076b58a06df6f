//! The lock file of PEP 751, as packhouse reads and writes it.
//!
//! A service has two: `pylock.packhouse.toml` holds what is installed, `pylock.packhouse-build.toml` what builds those
//! of its parts that have no wheel (source distributions, the repository's own packages). Each is complete and valid by
//! itself, so other installers can use it. What packhouse must remember beyond the PEP stands in `[tool.packhouse]`.
//!
//! Wheels in it are those that one of the targets takes, no others; a source distribution is listed only where some
//! target has no wheel. The text is canonical: sorted, one form, no time stamps.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Sha256;

/// File name of the lock of what is installed.
pub const LOCK_FILE: &str = "pylock.packhouse.toml";
/// File name of the lock of what builds.
pub const BUILD_LOCK_FILE: &str = "pylock.packhouse-build.toml";

/// A lock file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PyLock {
    /// `1.0`.
    pub lock_version: String,
    /// One PEP 508 marker per target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<String>,
    /// The lowest Python it is for, as a version specifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires_python: Option<String>,
    /// Who wrote it.
    pub created_by: String,
    /// Sorted by name and version.
    #[serde(default)]
    pub packages: Vec<LockedPackage>,
    /// `[tool.packhouse]`.
    #[serde(default)]
    pub tool: Tools,
}

/// `[tool]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tools {
    /// Ours.
    #[serde(default)]
    pub packhouse: LockFacts,
}

/// `[tool.packhouse]`: what packhouse must know again later.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LockFacts {
    /// SHA-256 over all that the resolution depended on; another value means that the lock is out of date.
    #[serde(default)]
    pub inputs: String,
    /// The targets it serves (`debian-12/amd64`).
    #[serde(default)]
    pub targets: Vec<String>,
    /// The repository's own packages in the closure, by normalised name, with their directories relative to the root.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub local: BTreeMap<String, String>,
}

/// `[[packages]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LockedPackage {
    /// Normalised.
    pub name: String,
    /// PEP 440; absent only for directories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// When it is to be installed (PEP 508); absent: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// Its own `Requires-Python`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires_python: Option<String>,
    /// The base URL of the index it came from, without credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    /// A file that is no index's: a URL of `vendor.txt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<LockedFile>,
    /// The source distribution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdist: Option<LockedFile>,
    /// Sorted by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wheels: Vec<LockedFile>,
}

/// A file to download.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LockedFile {
    /// File name; packhouse always writes it.
    #[serde(default)]
    pub name: String,
    /// Without credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// By algorithm.
    pub hashes: Hashes,
}

/// `hashes`; packhouse needs SHA-256 and keeps no weaker one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hashes {
    /// SHA-256 of the file.
    pub sha256: Sha256,
}

impl LockedPackage {
    /// All its files.
    pub fn files(&self) -> impl Iterator<Item = &LockedFile> {
        self.archive.iter().chain(&self.sdist).chain(&self.wheels)
    }
}
