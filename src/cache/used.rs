//! When an entry of the cache was last used: its time of modification, which nothing else needs.
//!
//! The time is written at most once an hour, as with `relatime`, so that using what is there costs no writing.

use std::fs::{FileTimes, Metadata};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// How exact the time of use is.
const GRANULARITY: Duration = Duration::from_secs(3600);

/// Notes that the entry at `path` is used. Where that cannot be written (a read-only cache) nothing is evicted either.
pub(super) fn touch(path: &Path) {
    if let Ok(metadata) = fs_err::symlink_metadata(path) {
        touch_if_due(path, &metadata);
    }
}

/// The same, of an entry whose metadata are known.
pub(super) fn touch_if_due(path: &Path, metadata: &Metadata) {
    let is_recent = metadata.modified().is_ok_and(|time| time.elapsed().is_ok_and(|age| age < GRANULARITY));
    if !is_recent && !metadata.is_symlink() {
        let times = FileTimes::new().set_modified(SystemTime::now());
        drop(fs_err::File::open(path).and_then(|file| file.file().set_times(times)));
    }
}
