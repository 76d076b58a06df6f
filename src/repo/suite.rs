//! The name of a suite, and what it says about where its files are.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::store::PRIVATE;

/// apt or yum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// .deb packages.
    Apt,
    /// .rpm packages.
    Yum,
}

impl Kind {
    /// `apt` or `yum`: the name of its half of the repository.
    pub fn name(self) -> &'static str {
        match self {
            Self::Apt => "apt",
            Self::Yum => "yum",
        }
    }
}

/// One suite of a repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Suite {
    /// Which half it is in.
    pub kind: Kind,
    /// Its name there.
    pub name: String,
}

impl Suite {
    /// The suite `name` of one half.
    pub fn of(kind: Kind, name: &str) -> Self {
        Self { kind, name: name.to_owned() }
    }

    /// The directory of what clients read, relative to the repository: `apt/dists/bookworm`, `yum/el9`.
    pub(super) fn directory(&self) -> String {
        match self.kind {
            Kind::Apt => format!("apt/dists/{}", self.name),
            Kind::Yum => format!("yum/{}", self.name),
        }
    }

    /// The directory that the index's file names are relative to: `apt/dists/bookworm`, `yum/el9/repodata`.
    pub(super) fn index_directory(&self) -> String {
        match self.kind {
            Kind::Apt => self.directory(),
            Kind::Yum => format!("{}/repodata", self.directory()),
        }
    }

    /// The signed index whose rename is the moment of publication, relative to the repository.
    pub(super) fn index(&self) -> String {
        match self.kind {
            Kind::Apt => format!("{}/InRelease", self.directory()),
            Kind::Yum => format!("{}/repodata/repomd.xml", self.directory()),
        }
    }

    /// The directory that places of packages are relative to: `apt`, `yum/el9`.
    pub(super) fn base(&self) -> String {
        match self.kind {
            Kind::Apt => "apt".to_owned(),
            Kind::Yum => self.directory(),
        }
    }

    /// Where its roots are kept.
    pub(super) fn roots(&self) -> String {
        format!("{PRIVATE}/roots/{}/{}", self.kind.name(), self.name)
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} suite {}", self.kind.name(), self.name)
    }
}
