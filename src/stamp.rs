//! What a file looked like from outside when it was looked at, so that what nobody has touched need not be read again.
//!
//! Size alone says nothing. A stamp holds device, inode, mode, size, and the times of modification and of change to the
//! nanosecond (the kernel alone sets the last one, at every change of content, name, mode or owner). As git does with its
//! index, a stamp is not believed when the file could have been changed after it was read without any of them moving:
//! within the clock's granularity of the reading.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// How far apart the last change of a file and its reading must be, where times are to the nanosecond: more than the
/// longest tick of the kernel's clock (10 ms at CONFIG_HZ=100).
pub(crate) const TICK: i64 = 20_000_000;
/// The same where times are to the second or to two.
const COARSE_TICK: i64 = 3_000_000_000;
const SECOND: i64 = 1_000_000_000;

/// A file, directory or link from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) mode: u32,
    pub(crate) size: u64,
    /// Nanoseconds since 1970.
    pub(crate) modified: i64,
    /// Nanoseconds since 1970.
    pub(crate) changed: i64,
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let nanoseconds = |seconds: i64, rest: i64| seconds.saturating_mul(SECOND).saturating_add(rest);
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            mode: metadata.mode(),
            size: metadata.len(),
            modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether nothing can have happened to the file since `moment` ([`now`]): what is done to it then shows in its stamp.
    pub(crate) fn is_older_than(&self, moment: i64) -> bool {
        let coarse = self.modified % SECOND == 0 && self.changed % SECOND == 0;
        let tick = if coarse { COARSE_TICK } else { TICK };
        self.changed.max(self.modified).saturating_add(tick) < moment
    }
}

/// Nanoseconds since 1970; 0 when the clock is before it, so that no stamp is older.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_nanos()).unwrap_or(0))
}

/// Nothing is there: also when what should be a directory on the way is none.
pub(crate) fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}
