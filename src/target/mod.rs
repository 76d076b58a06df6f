//! Distributions as data: what differs between Debian 12 and EL 9 stands in one table (`table.rs`), not in ifs.

pub(crate) mod accounts;
pub(crate) mod hierarchy;
pub mod libraries;
mod table;

use std::fmt;

use serde::Serialize;

pub use table::{distribution, distributions};

/// The package format of a distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Debian's, deb(5).
    Deb,
    /// RPM's, version 4.
    Rpm,
}

/// The processor, named once; each format spells it in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// 64-bit x86.
    X86_64,
    /// 64-bit Arm.
    Aarch64,
}

impl Architecture {
    /// All that are known.
    pub const ALL: [Self; 2] = [Self::X86_64, Self::Aarch64];

    /// The architecture that packhouse itself runs on, if it is one that it packages for.
    pub fn host() -> Option<Self> {
        Self::ALL.into_iter().find(|architecture| architecture.machine() == std::env::consts::ARCH)
    }

    /// Debian's name (`amd64`).
    pub fn debian(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Aarch64 => "arm64",
        }
    }

    /// The kernel's, RPM's and Python's name (`x86_64`): `platform.machine()` of PEP 508.
    pub fn machine(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        }
    }

    /// The name in this format.
    pub fn name(self, format: Format) -> &'static str {
        match format {
            Format::Deb => self.debian(),
            Format::Rpm => self.machine(),
        }
    }

    /// Reads any of the spellings.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|architecture| text == architecture.debian() || text == architecture.machine())
    }
}

/// `major.minor` of a CPython.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PythonVersion {
    /// 3.
    pub major: u8,
    /// 11 of 3.11.
    pub minor: u8,
}

impl PythonVersion {
    /// `3.minor`.
    pub const fn three(minor: u8) -> Self {
        Self { major: 3, minor }
    }

    /// Reads `3.11`, `3.11.2`, `python3.11`, `cpython-3.11` (as `.python-version` files have them); `None` for others.
    pub fn parse(text: &str) -> Option<Self> {
        let text =
            text.trim().trim_start_matches("cpython").trim_start_matches("python").trim_start_matches(['-', '@']);
        let mut parts = text.split('.');
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next()?.parse().ok()?;
        Some(Self { major, minor })
    }
}

impl fmt::Display for PythonVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

impl Serialize for PythonVersion {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The compressor of a package's payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// One zstd frame with long-distance matching.
    Zstd,
    /// One xz stream of many blocks.
    Xz,
    /// gzip.
    Gzip,
}

impl Compression {
    /// All of them, by the names that people write.
    pub const NAMES: [(&'static str, Self); 3] = [("zstd", Self::Zstd), ("xz", Self::Xz), ("gzip", Self::Gzip)];
}

/// A compressor that the clients of a distribution cannot read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{title} cannot read zstd")]
pub struct Unreadable {
    /// The distribution.
    pub title: String,
}

impl Unreadable {
    /// What to do.
    pub const HINT: &'static str = "write `xz` or `gzip`, or leave it out";
}

impl Distribution {
    /// The same with another compressor, if its oldest client reads that.
    pub fn compressed_with(self, compression: Compression) -> Result<Self, Unreadable> {
        if compression == Compression::Zstd && !self.reads_zstd {
            return Err(Unreadable { title: self.title });
        }
        Ok(Self { compression, compression_is_asked_for: true, ..self })
    }
}

/// One release of a distribution. All fields are facts about it, checked against its packages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Distribution {
    /// The name in targets: `debian-12`, `el9`.
    pub name: String,
    /// What people call it: `Debian 12 (bookworm)`.
    pub title: String,
    /// The format of its packages.
    pub format: Format,
    /// apt's suite or yum's directory that its packages go to by default: `bookworm`, `el9`.
    pub suite: String,
    /// Appended to the revision so that releases of the same version sort by distribution: `~deb12u1`, `.el9`.
    pub revision_suffix: String,
    /// Its CPython interpreters, all installed as `/usr/bin/pythonX.Y`; the first is the one that is taken by default.
    pub pythons: Vec<PythonVersion>,
    /// `(2, 36)` for glibc 2.36.
    pub glibc: (u32, u32),
    /// systemd's major version.
    pub systemd: u32,
    /// The compressor of packages made for it, readable by its oldest client.
    pub compression: Compression,
    /// Whether its oldest client reads zstd: dpkg from 1.21.18 (Ubuntu's before that), rpm from 4.14.
    pub reads_zstd: bool,
    /// Whether somebody asked for that compressor; else a package may have the other that suits its content better.
    pub compression_is_asked_for: bool,
    /// RPM's version as (major, minor), for features of the header; `None` for Debian.
    pub rpm: Option<(u32, u32)>,
    /// Whether it is one of SUSE, whose systemd has helpers of its own for scriptlets.
    pub suse: bool,
}

/// What a package is built for: a distribution release and an architecture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Target {
    /// The release.
    pub distribution: Distribution,
    /// The processor.
    pub architecture: Architecture,
}

impl Target {
    /// The format of this target's packages.
    pub fn format(&self) -> Format {
        self.distribution.format
    }

    /// The interpreter taken when nothing else is said.
    pub fn default_python(&self) -> Option<PythonVersion> {
        self.distribution.pythons.first().copied()
    }
}

impl fmt::Display for Target {
    /// `debian-12/amd64`, `el9/x86_64`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.distribution.name, self.architecture.name(self.distribution.format))
    }
}

/// A text that names no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTarget {
    /// No such distribution.
    #[error("unknown distribution `{name}` in target `{target}`")]
    Distribution {
        /// The whole text.
        target: String,
        /// Its distribution part.
        name: String,
    },
    /// No such architecture.
    #[error("unknown architecture `{name}` in target `{target}` (known: amd64/x86_64, arm64/aarch64)")]
    Architecture {
        /// The whole text.
        target: String,
        /// Its architecture part.
        name: String,
    },
}

/// Reads `debian-12`, `debian-12/amd64`, `el9/x86_64`; the architecture defaults to the host's, else x86-64.
/// `known` are the distributions to choose from: the built-in ones with the configuration's changes.
pub fn parse_target(text: &str, known: &[Distribution]) -> Result<Target, InvalidTarget> {
    let (name, architecture) = match text.split_once('/') {
        Some((name, architecture)) => (name, Some(architecture)),
        None => (text, None),
    };
    let distribution = known.iter().find(|distribution| distribution.name == name).cloned();
    let distribution =
        distribution.ok_or_else(|| InvalidTarget::Distribution { target: text.to_owned(), name: name.to_owned() })?;
    let architecture = match architecture {
        None => Architecture::host().unwrap_or(Architecture::X86_64),
        Some(spelling) => Architecture::parse(spelling)
            .ok_or_else(|| InvalidTarget::Architecture { target: text.to_owned(), name: spelling.to_owned() })?,
    };
    Ok(Target { distribution, architecture })
}
