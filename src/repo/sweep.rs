//! What nobody needs any more: index files of superseded generations, old roots, objects that no kept root names.
//!
//! Clients that began with an index must still find its files, so all of it stays for a grace period. The time of
//! modification of an index file under a name that says its content is the time when it was superseded.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::cell::Cell;
use super::error::RepoError;
use super::root::{self, Root};
use super::shard;
use super::store::Store;
use super::suite::{Kind, Suite};
use crate::digest::Sha256;

/// How long files of superseded generations stay for clients that began with an older index: two days.
pub(super) const GRACE: i64 = 48 * 60 * 60;
/// So many generations are kept, however old.
pub(super) const GENERATIONS: usize = 10;
/// How often it is worth looking: once an hour.
const INTERVAL: i64 = 60 * 60;

/// Removes what a suite's superseded generations left, when their grace is over. Looks at most once an hour.
pub(super) fn suite(store: &Store, suite: &Suite, now: i64) -> Result<(), RepoError> {
    let failed = || RepoError::io(format!("old files of {} could not be removed", suite.name));
    let mark = format!("{}/swept", suite.roots());
    let last = modified(&store.path(&mark)).unwrap_or(0);
    if (now - INTERVAL..=now).contains(&last) {
        return Ok(());
    }
    roots(store, suite, now)?;
    if suite.kind == Kind::Apt {
        by_hash(store, suite, now)?;
    }
    let file = store.prepared(b"").map_err(failed())?;
    super::store::touch(&file, now).map_err(failed())?;
    store.place(file, &mark).map_err(failed())
}

/// Removes by-hash files that the current root does not name. (A yum suite's are left out of its next directory.)
fn by_hash(store: &Store, suite: &Suite, now: i64) -> Result<(), RepoError> {
    let failed = || RepoError::io(format!("old files of {} could not be removed", suite.name));
    let Some(root) = root::current(store, suite)? else { return Ok(()) };
    let named: BTreeSet<String> = root.files.iter().map(|file| file.place(suite)).collect();
    let directory = suite.directory();
    let top = store.path(&directory);
    for entry in walkdir::WalkDir::new(&top).follow_links(false) {
        let entry = entry.map_err(std::io::Error::from).map_err(failed())?;
        let Ok(below) = entry.path().strip_prefix(&top) else { continue };
        let relative = format!("{directory}/{}", below.to_string_lossy());
        let old = || modified(entry.path()).is_some_and(|modified| modified < now - GRACE);
        if entry.file_type().is_file() && relative.contains("/by-hash/") && !named.contains(&relative) && old() {
            store.remove(&relative).map_err(failed())?;
        }
    }
    Ok(())
}

/// Removes roots: those before the last ones whose successor is older than the grace, and those that no index ever had.
fn roots(store: &Store, suite: &Suite, now: i64) -> Result<(), RepoError> {
    let failed = || RepoError::io(format!("old roots of {} could not be removed", suite.name));
    let (mut kept, mut superseded) = (BTreeSet::new(), i64::MAX);
    let mut next = root::current_digest(store, suite)?;
    while let Some(digest) = next.filter(|_| kept.len() < GENERATIONS || superseded >= now - GRACE) {
        let Some(root) = root::load(store, suite, digest)? else { break };
        kept.insert(root::file(suite, digest));
        (superseded, next) = (root.date, root.previous);
    }
    let directory = suite.roots();
    for entry in fs_err::read_dir(store.path(&directory)).map_err(failed())? {
        let entry = entry.map_err(failed())?;
        let relative = format!("{directory}/{}", entry.file_name().to_string_lossy());
        let old = modified(&entry.path()).is_some_and(|modified| modified < now - GRACE);
        if relative.ends_with(".json") && !kept.contains(&relative) && old {
            store.remove(&relative).map_err(failed())?;
        }
    }
    Ok(())
}

/// The objects and the files of the pool (relative to the repository) that kept roots name.
#[derive(Debug, Default)]
pub(super) struct Named {
    /// Digests of shards and other objects.
    pub(super) objects: BTreeSet<Sha256>,
    /// Packages.
    pub(super) files: BTreeSet<String>,
}

impl Named {
    /// Adds what one root names.
    pub(super) fn add_root(
        &mut self,
        store: &Store,
        root: &Root,
        seen: &mut BTreeSet<(Suite, Sha256)>,
    ) -> Result<(), RepoError> {
        let suite = &root.suite;
        self.objects.extend(root.options.groups);
        for shard in root.cells.values().flat_map(Cell::present) {
            self.objects.insert(shard.digest);
            // A shard that two suites share names files of both.
            if !seen.insert((suite.clone(), shard.digest)) {
                continue;
            }
            for record in shard::records(store, shard)? {
                self.files.insert(record.path(suite));
                self.files.extend(record.further.iter().map(|file| format!("{}/{}", suite.base(), file.place)));
            }
        }
        Ok(())
    }
}

/// When a file was modified; `None` when it is not there.
fn modified(path: &Path) -> Option<i64> {
    fs_err::symlink_metadata(path).ok().map(|metadata| metadata.mtime())
}
