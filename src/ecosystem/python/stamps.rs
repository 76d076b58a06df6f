//! What a vendored file's digest was when it was last read, so that files that nobody has touched need not be read again.
//!
//! Stamps (see [`crate::stamp`]) are in packhouse's cache and never decide alone that a file is *wrong*.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cache::Cache;
use crate::digest::Sha256;
use crate::stamp::{self, is_absent};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    seen: stamp::Stamp,
    /// When it was read: taken before the reading began.
    read: i64,
    sha256: Sha256,
}

/// The stamps of one directory.
#[derive(Debug)]
pub(super) struct Stamps {
    path: PathBuf,
    known: BTreeMap<String, Stamp>,
    current: BTreeMap<String, Stamp>,
}

impl Stamps {
    /// Reads the stamps of `directory` (absolute). Stamps that cannot be read are as good as none.
    pub(super) fn of(cache: &Cache, directory: &Path) -> Self {
        let key = Sha256::of(directory.as_os_str().as_encoded_bytes());
        let path = cache.section("stamps").join(format!("{key}.json"));
        let known = fs_err::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Self { path, known, current: BTreeMap::new() }
    }

    /// Size and digest of each of the files `names` in `directory`; those that are no regular files there are left out.
    /// Only what has no believable stamp is read, several files at a time.
    pub(super) fn digests(
        &mut self,
        directory: &Path,
        names: &[&str],
    ) -> std::io::Result<BTreeMap<String, (u64, Sha256)>> {
        let known = &self.known;
        let stamps: Vec<Option<Stamp>> = names
            .par_iter()
            .map(|name| {
                let path = directory.join(name);
                match fs_err::metadata(&path) {
                    Ok(metadata) if metadata.is_file() => stamp(&path, &metadata, known.get(*name)).map(Some),
                    Ok(_) => Ok(None),
                    Err(error) if is_absent(&error) => Ok(None),
                    Err(error) => Err(error),
                }
            })
            .collect::<std::io::Result<_>>()?;
        let mut digests = BTreeMap::new();
        for (name, stamp) in names.iter().zip(stamps) {
            if let Some(stamp) = stamp {
                digests.insert((*name).to_owned(), (stamp.seen.size, stamp.sha256));
                self.current.insert((*name).to_owned(), stamp);
            }
        }
        Ok(digests)
    }

    /// Keeps the stamps that were used or made, if any of them is new. That they cannot be kept (a full disk, a cache that
    /// cannot be written) only means that files are read again the next time.
    pub(super) fn keep(&self, cache: &Cache) {
        if self.current == self.known {
            return;
        }
        let written = || -> std::io::Result<()> {
            let bytes = serde_json::to_vec(&self.current)?;
            let file = cache.temporary_file()?;
            fs_err::write(file.path(), bytes)?;
            fs_err::create_dir_all(cache.section("stamps"))?;
            file.persist(&self.path).map_err(|error| error.error)?;
            Ok(())
        };
        let _ = written();
    }
}

/// The stamp of a file as it is now: the known one if it still holds, else a new one from its content.
fn stamp(path: &Path, metadata: &std::fs::Metadata, known: Option<&Stamp>) -> std::io::Result<Stamp> {
    let seen = stamp::Stamp::of(metadata);
    if let Some(known) = known.filter(|known| known.seen == seen && seen.is_older_than(known.read)) {
        return Ok(*known);
    }
    let read = stamp::now();
    let mut file = fs_err::File::open(path)?;
    let (sha256, _) = Sha256::of_reader(&mut file)?;
    // What the file is after the reading is what the digest is of, or the next look sees a change.
    Ok(Stamp { seen, read, sha256 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn look(cache: &Cache, directory: &Path) -> BTreeMap<String, (u64, Sha256)> {
        let mut stamps = Stamps::of(cache, directory);
        let digests = stamps.digests(directory, &["a", "missing", "sub"]).unwrap();
        stamps.keep(cache);
        digests
    }

    #[test]
    fn a_file_that_was_not_touched_is_not_read_again() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::at(root.path().join("cache"));
        let directory = root.path().join("vendor");
        fs_err::create_dir_all(directory.join("sub")).unwrap();
        fs_err::write(directory.join("a"), "one").unwrap();
        std::thread::sleep(Duration::from_millis(80));
        let first = look(&cache, &directory);
        assert_eq!(first.len(), 1);
        // A digest that no content has: who sees it has not read the file.
        let path = Stamps::of(&cache, &directory).path;
        let text = fs_err::read_to_string(&path).unwrap().replace(&Sha256::of(b"one").to_string(), &"0".repeat(64));
        fs_err::write(&path, text).unwrap();
        assert_eq!(look(&cache, &directory)["a"].1, Sha256([0; 32]));
    }

    #[test]
    fn a_change_of_the_same_size_is_seen_even_when_the_time_of_modification_is_set_back() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::at(root.path().join("cache"));
        let directory = root.path().to_path_buf();
        let file = directory.join("a");
        fs_err::write(&file, "one").unwrap();
        let modified = fs_err::metadata(&file).unwrap().modified().unwrap();
        std::thread::sleep(Duration::from_millis(80));
        look(&cache, &directory);
        fs_err::write(&file, "two").unwrap();
        fs_err::File::open(&file).unwrap().set_modified(modified).unwrap();
        assert_eq!(look(&cache, &directory)["a"].1, Sha256::of(b"two"));
    }

    #[test]
    fn a_change_right_after_the_first_look_is_seen() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::at(root.path().join("cache"));
        for content in ["one", "two", "six"] {
            fs_err::write(root.path().join("a"), content).unwrap();
            assert_eq!(look(&cache, root.path())["a"].1, Sha256::of(content.as_bytes()));
        }
    }

    #[test]
    fn broken_stamps_are_as_good_as_none() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::at(root.path().join("cache"));
        fs_err::write(root.path().join("a"), "one").unwrap();
        look(&cache, root.path());
        fs_err::write(Stamps::of(&cache, root.path()).path, "{").unwrap();
        assert_eq!(look(&cache, root.path())["a"].1, Sha256::of(b"one"));
    }
}
