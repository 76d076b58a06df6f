//! One file of a package, as the readers of both formats tell it.

use serde::Serialize;

use crate::digest::Sha256;

/// What a listed path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// Another name of a file in the same package.
    Hardlink,
    /// A device, FIFO or socket.
    Special,
}

/// One file of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileInfo {
    /// Where it is installed, with the leading `/` and without a trailing one.
    pub path: String,
    /// What it is.
    pub kind: FileKind,
    /// Permission bits, set-id and sticky bits included.
    pub mode: u32,
    /// Owner's name.
    pub user: String,
    /// Group's name.
    pub group: String,
    /// Bytes; 0 for all but regular files (and what RPM records for others).
    pub size: u64,
    /// Seconds since 1970-01-01 UTC.
    pub time: i64,
    /// Where a symbolic or hard link leads.
    pub link: Option<String>,
    /// SHA-256 of the content where the package records it (RPM).
    pub sha256: Option<Sha256>,
    /// A conffile, `%config`.
    pub config: bool,
    /// `%config(noreplace)`: what the administrator changed stays; always so with a conffile.
    pub noreplace: bool,
    /// `%config(missingok)` (RPM): it may be missing.
    pub missing_ok: bool,
    /// `%doc`.
    pub documentation: bool,
    /// `%license`.
    pub license: bool,
    /// `%ghost`: owned, but not shipped.
    pub ghost: bool,
    /// Where the package records them (RPM), as setcap(8) reads them.
    pub capabilities: Option<String>,
}
