//! What is in a directory, with everything the kernel tells of it without reading a file: the walk that answers whether
//! anything has changed.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use crate::digest::Sha256;

/// How far apart the last change of a file and its reading must be, where times are to the nanosecond: more than the
/// longest tick of the kernel's clock (CONFIG_HZ=100).
const TICK: i128 = 50_000_000;
/// The same where times are to the second or to two.
const COARSE_TICK: i128 = 3_000_000_000;

/// What changes when a file does. The kernel alone sets the time of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    mode: u32,
    /// Nanoseconds since 1970.
    modified: i128,
    /// Nanoseconds since 1970.
    changed: i128,
}

impl Stamp {
    fn of(metadata: &std::fs::Metadata) -> Self {
        let nanoseconds = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            mode: metadata.mode(),
            modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Of what stands at `path` now.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        fs_err::symlink_metadata(path).map(|metadata| Self::of(&metadata))
    }

    /// Whether a later change cannot have left this stamp as it is, when what it stands for was looked at at `read`
    /// (nanoseconds since 1970).
    pub(super) fn is_settled(&self, read: i128) -> bool {
        let coarse = self.modified % 1_000_000_000 == 0 && self.changed % 1_000_000_000 == 0;
        self.changed.max(self.modified) + if coarse { COARSE_TICK } else { TICK } < read
    }

    /// Which file it is: equal for its hard links.
    pub(super) fn file(&self) -> (u64, u64) {
        (self.device, self.inode)
    }

    /// Permission bits.
    pub(super) fn permissions(&self) -> u32 {
        self.mode & 0o7777
    }
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Directory,
    /// A regular file and whether it has further names.
    File {
        linked: bool,
    },
    /// A symbolic link with its target.
    Symlink(String),
}

/// One entry of the directory.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// Below the directory, beginning with `/`.
    pub(super) path: String,
    pub(super) kind: Kind,
    pub(super) stamp: Stamp,
}

/// All that is in a directory, sorted bytewise by path.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) root: PathBuf,
    pub(super) entries: Vec<Found>,
    /// When the walk began: nanoseconds since 1970.
    pub(super) read: i128,
}

impl Listing {
    /// Walks `root`. Names must be UTF-8; sockets, devices and pipes are errors.
    pub(super) fn of(root: &Path) -> io::Result<Self> {
        let read = now();
        let mut entries = walk(root, "")?;
        entries.par_sort_unstable_by(|left, right| left.path.cmp(&right.path));
        Ok(Self { root: root.to_path_buf(), entries, read })
    }

    /// Differs when anything in the directory does.
    pub(super) fn digest(&self) -> Sha256 {
        let mut hasher = sha2::Sha256::new();
        for Found { path, kind, stamp } in &self.entries {
            let target = if let Kind::Symlink(target) = kind { target.as_str() } else { "" };
            for text in [path.as_str(), target] {
                hasher.update((text.len() as u64).to_le_bytes());
                hasher.update(text);
            }
            hasher.update([matches!(kind, Kind::File { linked: true }).into()]);
            let Stamp { device, inode, size, mode, modified, changed } = stamp;
            for number in [*device, *inode, *size, u64::from(*mode)] {
                hasher.update(number.to_le_bytes());
            }
            hasher.update(modified.to_le_bytes());
            hasher.update(changed.to_le_bytes());
        }
        Sha256(hasher.finalize().into())
    }

    /// Whether nothing was changed so shortly before the walk that a later change might not be seen.
    pub(super) fn is_settled(&self) -> bool {
        self.entries.iter().all(|found| found.stamp.is_settled(self.read))
    }
}

/// Nanoseconds since 1970.
pub(super) fn now() -> i128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i128::try_from(since.as_nanos()).unwrap_or_default()
}

fn walk(directory: &Path, prefix: &str) -> io::Result<Vec<Found>> {
    let mut found = Vec::new();
    let mut below = Vec::new();
    for entry in fs_err::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let invalid = |what: &str| io::Error::other(format!("{}: {what}", entry.path().display()));
        let name = name.to_str().ok_or_else(|| invalid("its name is not UTF-8"))?;
        let path = format!("{prefix}/{name}");
        let metadata = entry.metadata()?;
        let kind = if metadata.is_dir() {
            below.push((entry.path(), path.clone()));
            Kind::Directory
        } else if metadata.is_file() {
            Kind::File { linked: metadata.nlink() > 1 }
        } else if metadata.is_symlink() {
            let target = fs_err::read_link(entry.path())?;
            Kind::Symlink(target.to_str().ok_or_else(|| invalid("its target is not UTF-8"))?.to_owned())
        } else {
            return Err(invalid("it is neither a file nor a directory nor a symbolic link"));
        };
        found.push(Found { path, kind, stamp: Stamp::of(&metadata) });
    }
    let deeper = below.par_iter().map(|(directory, prefix)| walk(directory, prefix)).collect::<io::Result<Vec<_>>>()?;
    found.extend(deeper.into_iter().flatten());
    Ok(found)
}
