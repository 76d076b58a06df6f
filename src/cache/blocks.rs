//! Compressed blocks by the hash of what they were made from.
//!
//! A block is a record (`record.rs`): one that is cut, flipped, swapped or of another version is none, and is removed. It
//! comes into place by one rename, and a reader has it open, so that any number of processes may read, write and evict at
//! once. Nothing depends on a block being there: when one cannot be kept, no further one is tried for the rest of the run,
//! and [`Cache::settle`] says so.

use std::path::{Path, PathBuf};

use super::{Cache, record};
use crate::digest::Sha256;

/// Changes with the layout, so that another version's blocks are not looked for here.
pub(super) const SECTION: &str = "blocks/v1";

/// The blocks of a cache. What cannot be kept or read is only made again: no error ever comes from here.
#[derive(Debug, Clone)]
pub struct Blocks {
    cache: Cache,
    directory: PathBuf,
}

impl Blocks {
    /// Those of `cache`.
    pub fn of(cache: &Cache) -> Self {
        Self { cache: cache.clone(), directory: cache.section(SECTION) }
    }

    /// What was kept under `key`, if it is there and whole.
    pub fn get(&self, key: Sha256) -> Option<Vec<u8>> {
        let name = key.to_string();
        let below = || record::read(&self.cache.below.as_ref()?.join(SECTION).join(shelved(&name)), &name);
        record::read(&self.place(&name), &name).or_else(below)
    }

    /// Keeps `block` under `key`.
    pub fn put(&self, key: Sha256, block: &[u8]) {
        if let Some(pending) = self.prepare(key, block) {
            pending.keep();
        }
    }

    /// Writes `block` down without keeping it yet: until all that it was made from has turned out to be what `key` says.
    pub fn prepare(&self, key: Sha256, block: &[u8]) -> Option<Pending> {
        if self.cache.has_failed() {
            return None;
        }
        match record::prepare(&self.cache, &key.to_string(), block) {
            Ok(prepared) => Some(Pending { blocks: self.clone(), key, prepared }),
            Err(error) => {
                self.cache.failed(&error);
                None
            }
        }
    }

    fn place(&self, name: &str) -> PathBuf {
        self.directory.join(shelved(name))
    }
}

fn shelved(name: &str) -> PathBuf {
    Path::new(name.get(..2).unwrap_or_default()).join(name)
}

/// A block that is not kept yet. It vanishes unless it is.
#[derive(Debug)]
pub struct Pending {
    blocks: Blocks,
    key: Sha256,
    prepared: record::Prepared,
}

impl Pending {
    /// Keeps it.
    pub fn keep(self) {
        let Self { blocks, key, prepared } = self;
        if let Err(error) = record::place(&blocks.cache, prepared, &blocks.place(&key.to_string())) {
            blocks.cache.failed(&error);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn a_block_in_anothers_place_is_none_and_goes() {
        let directory = tempfile::tempdir().unwrap();
        let blocks = Blocks::of(&Cache::at(directory.path()));
        let (one, two) = (Sha256::of(b"one"), Sha256::of(b"two"));
        blocks.put(one, b"first");
        blocks.put(two, b"second");
        assert_eq!((blocks.get(one).unwrap(), blocks.get(two).unwrap()), (b"first".to_vec(), b"second".to_vec()));
        fs_err::copy(blocks.place(&two.to_string()), blocks.place(&one.to_string())).unwrap();
        assert_eq!(blocks.get(one), None);
        assert!(!blocks.place(&one.to_string()).exists());
        assert!(blocks.get(two).is_some());
    }

    #[test]
    fn where_a_block_cannot_be_kept_no_further_one_is_tried() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("cache");
        fs_err::write(&root, "no directory").unwrap();
        let cache = Cache::at(&root);
        let blocks = Blocks::of(&cache);
        blocks.put(Sha256::of(b"one"), b"first");
        assert!(cache.has_failed());
        fs_err::remove_file(&root).unwrap();
        blocks.put(Sha256::of(b"one"), b"first");
        assert!(!root.exists());
        assert_eq!(blocks.get(Sha256::of(b"one")), None);
    }
}
