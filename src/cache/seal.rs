//! Files of the cache that nobody changes, and how it is seen that somebody did.
//!
//! What is unpacked is too much to be hashed each time that it is used. It gets one fixed time of modification instead:
//! whatever writes to a file moves it, and looking at it costs nothing beside looking at the size. (The time of change
//! would move with each hard link.)

use std::fs::{FileTimes, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use walkdir::WalkDir;

/// Seconds since 1970: 2001-09-09, so that no clock and no archiver has a reason to doubt it.
const SEALED: Duration = Duration::from_secs(1_000_000_000);

/// Seals every file below `directory`.
pub(crate) fn all(directory: &Path) -> io::Result<()> {
    if !directory.is_dir() {
        return Ok(());
    }
    for entry in WalkDir::new(directory) {
        let entry = entry?;
        if entry.file_type().is_file() {
            one(entry.path())?;
        }
    }
    Ok(())
}

/// Seals one file. One with other names is left as it is: it is of the store, and sealed, or it is somebody's source.
pub(crate) fn one(path: &Path) -> io::Result<()> {
    if fs_err::symlink_metadata(path)?.nlink() > 1 {
        return Ok(());
    }
    set(path, UNIX_EPOCH + SEALED)
}

/// Whether the file at `path` has this size and was not written to since it was sealed.
pub(crate) fn holds(path: &Path, size: u64) -> bool {
    let holds = |metadata: &Metadata| {
        metadata.is_file()
            && metadata.len() == size
            && metadata.modified().is_ok_and(|time| time == UNIX_EPOCH + SEALED)
    };
    fs_err::symlink_metadata(path).is_ok_and(|metadata| holds(&metadata))
}

/// Breaks the seal of a file whose content has turned out to be another: the next run makes it again. Files without one are
/// not the cache's.
pub(crate) fn break_if_sealed(path: &Path) {
    let size = fs_err::symlink_metadata(path).map_or(0, |metadata| metadata.len());
    if holds(path, size) {
        drop(set(path, SystemTime::now()));
    }
}

fn set(path: &Path, time: SystemTime) -> io::Result<()> {
    fs_err::File::open(path)?.file().set_times(FileTimes::new().set_modified(time))
}
