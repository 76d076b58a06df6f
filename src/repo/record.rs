//! What a suite knows of one package.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::cell::CellName;
use super::suite::{Kind, Suite};
use crate::digest::Sha256;

/// What tells the packages of a suite apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// The package's name.
    pub name: String,
    /// The whole version, as the format spells it: `1:1.0-1`. rpm's epoch 0 is left out.
    pub version: String,
    /// `amd64`, `all`, `x86_64`, `noarch`, `source`, `src`.
    pub architecture: String,
}

impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} {}", self.name, self.version, self.architecture)
    }
}

/// A further file of a source package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FurtherFile {
    /// Relative to the suite's base directory (`apt`).
    pub place: String,
    /// Bytes.
    pub size: u64,
    /// Of the file.
    pub sha256: Sha256,
}

/// One package of a suite, without the texts that indices have of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Name, version, architecture.
    pub identity: Identity,
    /// The name of the source package it was built from.
    pub source: String,
    /// The version of that source package.
    pub source_version: String,
    /// The component of an apt suite; empty in a yum suite.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub component: String,
    /// The file, relative to `apt` or `yum/<suite>`; of a source package its .dsc.
    pub place: String,
    /// Of the published file, bytes.
    pub size: u64,
    /// Of the published file.
    pub sha256: Sha256,
    /// Of what no signature changes: an rpm's header and payload. Of everything else the published file's.
    pub content: Sha256,
    /// Of the file that was given to `publish`, before packhouse signed it.
    pub original: Sha256,
    /// When it was published, seconds since 1970-01-01 UTC.
    pub published: i64,
    /// How many percent of the machines get it; everybody without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<u8>,
    /// The other files of a source package.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<FurtherFile>,
}

impl Record {
    /// The cell of a suite that it belongs to.
    pub(super) fn cell(&self, kind: Kind) -> CellName {
        match kind {
            Kind::Apt => CellName::of(&self.component, &self.identity.architecture),
            Kind::Yum => CellName::of("", "all"),
        }
    }

    /// Its file, relative to the repository.
    pub(super) fn path(&self, suite: &Suite) -> String {
        format!("{}/{}", suite.base(), self.place)
    }
}

/// A record with its texts, one for each stream of its cell (see [`super::cell::Stream`]), each as it stands in the index:
/// a whole stanza with the empty line after it, a whole element. A text may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The package.
    pub record: Record,
    /// In the order of [`super::cell::CellName::streams`].
    pub texts: Vec<Vec<u8>>,
}
