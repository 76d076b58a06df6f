//! The digests of a directory's files as they were last read, so that what nobody has touched is not read again.
//!
//! As git does with its index, a stamp is not believed when the file could have been changed after it was read without the
//! stamp moving. Such files are read once more when packing has ended, which is mostly late enough.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::listing::{Kind, Listing};
use crate::cache::{Cache, record};
use crate::digest::{Digests, Sha256};
use crate::stamp::{Stamp, now};

/// What was read, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Read {
    stamp: Stamp,
    digests: Digests,
    /// Taken before the reading began: nanoseconds since 1970.
    read: i64,
}

/// The digests of one directory's files by path.
#[derive(Debug)]
pub(super) struct Known {
    place: PathBuf,
    subject: String,
    before: BTreeMap<String, Read>,
    current: BTreeMap<String, Read>,
}

impl Known {
    /// Those of the files in `listing`; what has no believable stamp is read, several files at a time.
    pub(super) fn of(cache: &Cache, listing: &Listing) -> io::Result<Self> {
        let key = Sha256::of(listing.root.as_os_str().as_encoded_bytes());
        let subject = format!("directory {key}");
        let place = super::section(cache).join(key.to_string());
        let before: BTreeMap<String, Read> =
            record::read(&place, &subject).and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        let read = |found: &super::listing::Found| {
            let known = before.get(&found.path);
            let known = known.filter(|known| known.stamp == found.stamp && known.stamp.is_older_than(known.read));
            let read = known.map_or_else(|| read(listing, &found.path, found.stamp), |known| Ok(*known))?;
            Ok((found.path.clone(), read))
        };
        let files = listing.entries.par_iter().filter(|found| matches!(found.kind, Kind::File { .. }));
        let current = files.map(read).collect::<io::Result<_>>()?;
        Ok(Self { place, subject, before, current })
    }

    /// The digests of the file at `path` of the listing.
    pub(super) fn digests(&self, path: &str) -> Option<Digests> {
        Some(self.current.get(path)?.digests)
    }

    /// Reads again what was read too soon after its last change. Whether all digests are now beyond doubt.
    pub(super) fn settle(&mut self, listing: &Listing) -> bool {
        let mut settled = true;
        for (path, known) in &mut self.current {
            if known.stamp.is_older_than(known.read) {
                continue;
            }
            let again = super::stamp_at(&listing.root.join(path.trim_start_matches('/')));
            match again.and_then(|stamp| read(listing, path, stamp)) {
                Ok(again) if (again.stamp, again.digests) == (known.stamp, known.digests) => *known = again,
                _ => settled = false,
            }
            settled &= known.stamp.is_older_than(known.read);
        }
        settled
    }

    /// Keeps them for the next time. Where that fails, files are only read again.
    pub(super) fn keep(&self, cache: &Cache) {
        if self.before != self.current {
            super::put(cache, &self.place, &self.subject, &self.current);
        }
    }
}

fn read(listing: &Listing, path: &str, stamp: Stamp) -> io::Result<Read> {
    let read = now();
    let mut file = fs_err::File::open(listing.root.join(path.trim_start_matches('/')))?;
    Ok(Read { stamp, digests: Digests::of_reader(&mut file)?, read })
}
