//! Compressed blocks by the hash of what they were made from.

use std::path::PathBuf;

use super::Cache;
use crate::digest::Sha256;

/// The blocks of a cache. What cannot be kept or read is only made again: no error ever comes from here.
#[derive(Debug, Clone)]
pub struct Blocks {
    directory: PathBuf,
}

impl Blocks {
    /// Those of `cache`.
    pub fn of(cache: &Cache) -> Self {
        Self { directory: cache.section("blocks/v1") }
    }

    /// What was kept under `key`, if it is there and whole.
    pub fn get(&self, key: Sha256) -> Option<Vec<u8>> {
        fs_err::read(self.place(key)).ok()
    }

    /// Keeps `block` under `key`.
    pub fn put(&self, key: Sha256, block: &[u8]) {
        drop(fs_err::create_dir_all(&self.directory).and_then(|()| fs_err::write(self.place(key), block)));
    }

    fn place(&self, key: Sha256) -> PathBuf {
        self.directory.join(key.to_string())
    }
}
