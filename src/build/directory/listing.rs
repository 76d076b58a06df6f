//! What is in a directory, with everything the kernel tells of it without reading a file: the walk that answers whether
//! anything has changed.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sha2::Digest as _;

use crate::digest::Sha256;
use crate::stamp::{Stamp, now};

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
    pub(super) read: i64,
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
            for time in [*modified, *changed] {
                hasher.update(time.to_le_bytes());
            }
        }
        Sha256(hasher.finalize().into())
    }

    /// Whether nothing was changed so shortly before the walk that a later change might not be seen.
    pub(super) fn is_settled(&self) -> bool {
        self.entries.iter().all(|found| found.stamp.is_older_than(self.read))
    }
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
