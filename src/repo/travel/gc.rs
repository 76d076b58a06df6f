//! Collects what nobody names any more: old generations, and the index files, shards and packages that only they named.
//!
//! What kept generations and snapshots name is marked, the rest goes when it is older than the grace, in which clients that
//! began with an older index still fetch its files. The lock is held, and publishers place nothing without it, so that it
//! runs beside any number of them. Generations go first: killed in between, it leaves files too many, never too few.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use serde::Serialize;

use super::super::error::RepoError;
use super::super::layout::Repository;
use super::super::root::{self, Root};
use super::super::store::{PRIVATE, Store};
use super::super::suite::{Kind, Suite};
use super::super::sweep::Named;
use super::actor::Actor;
use super::snapshot;

/// What is collected.
#[derive(Debug, Clone, Copy)]
pub struct GcOptions {
    /// Seconds that files stay after nothing names them any more.
    pub grace: i64,
    /// So many generations of each suite are kept, however old.
    pub generations: usize,
    /// Only count.
    pub dry_run: bool,
}

/// Files of one sort.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// How many.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What was collected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Freed {
    /// Generations that cannot be rolled back to any more.
    pub generations: Tally,
    /// Index files of superseded generations.
    pub indices: Tally,
    /// Parts of the state.
    pub objects: Tally,
    /// Packages.
    pub packages: Tally,
    /// Bytes of all.
    pub bytes: u64,
}

/// Files that may go.
struct Sweep<'a> {
    store: &'a Store,
    /// What was modified later stays.
    before: i64,
    dry_run: bool,
}

/// Collects.
pub fn gc(repository: &Repository, options: GcOptions, actor: &Actor<'_>) -> Result<Freed, RepoError> {
    actor.alone(repository, |writer| {
        let store = &writer.store;
        let sweep = Sweep { store, before: actor.time - options.grace, dry_run: options.dry_run };
        let mut freed = Freed::default();
        let (mut named, mut seen) = (Named::default(), BTreeSet::new());
        let suites = writer.repository.suites();
        for suite in &suites {
            // Given, and perhaps in no generation yet.
            named.objects.extend(writer.repository.options(suite).groups);
            let (kept, files) = kept(store, suite, &sweep, options.generations)?;
            sweep.files(&suite.roots(), &mut freed.generations, &|path| {
                files.contains(path) || !path.ends_with(".json")
            })?;
            for root in &kept {
                named.add_root(store, root, &mut seen)?;
            }
            if let Some(current) = kept.first() {
                indices(&sweep, current, &mut freed.indices)?;
            }
        }
        for root in snapshot::roots(store)? {
            named.add_root(store, &root, &mut seen)?;
        }
        sweep.files(&format!("{PRIVATE}/objects"), &mut freed.objects, &|path| {
            let digest = path.rsplit('/').next().unwrap_or_default().parse();
            digest.is_ok_and(|digest| named.objects.contains(&digest))
        })?;
        let pools = suites.iter().filter(|suite| suite.kind == Kind::Yum);
        let pools = pools.map(|suite| format!("{}/packages", suite.base())).chain(["apt/pool".to_owned()]);
        for pool in pools {
            sweep.files(&pool, &mut freed.packages, &|path| named.files.contains(path))?;
            sweep.empty_directories(&pool)?;
        }
        let all = [freed.generations, freed.indices, freed.objects, freed.packages];
        freed.bytes = all.iter().map(|tally| tally.bytes).sum();
        Ok(freed)
    })
}

/// The generations of a suite that are kept, the current one first, and their files.
fn kept(
    store: &Store,
    suite: &Suite,
    sweep: &Sweep<'_>,
    generations: usize,
) -> Result<(Vec<Root>, BTreeSet<String>), RepoError> {
    let mut kept = Vec::new();
    let mut files: BTreeSet<String> =
        root::current_digest(store, suite)?.map(|digest| root::file(suite, digest)).into_iter().collect();
    let mut superseded = i64::MAX;
    for root in root::history(store, suite) {
        let root = root?;
        if kept.len() >= generations.max(1) && superseded <= sweep.before {
            break;
        }
        superseded = root.date;
        kept.push(root);
    }
    // Each root but the last names the file of the one before it.
    let previous = kept.iter().take(kept.len().saturating_sub(1)).filter_map(|root| root.previous);
    files.extend(previous.map(|digest| root::file(suite, digest)));
    Ok((kept, files))
}

/// Index files under names that say their content, of generations that are not current.
fn indices(sweep: &Sweep<'_>, current: &Root, tally: &mut Tally) -> Result<(), RepoError> {
    let suite = &current.suite;
    let named: BTreeSet<String> = current.files.iter().map(|file| file.place(suite)).collect();
    sweep.files(&suite.index_directory(), tally, &|path| {
        let addressed = match suite.kind {
            Kind::Apt => path.contains("/by-hash/"),
            Kind::Yum => path.ends_with(".xml.gz"),
        };
        !addressed || named.contains(path)
    })
}

impl Sweep<'_> {
    /// Removes the files below a directory that `stays` says no to (it gets paths relative to the repository) and that are
    /// old enough.
    fn files(&self, directory: &str, tally: &mut Tally, stays: &dyn Fn(&str) -> bool) -> Result<(), RepoError> {
        let failed = || RepoError::io(format!("{directory} could not be swept"));
        let top = self.store.path(directory);
        if !top.is_dir() {
            return Ok(());
        }
        for entry in walkdir::WalkDir::new(&top).follow_links(false) {
            let entry = entry.map_err(std::io::Error::from).map_err(failed())?;
            let Some(path) = relative(self.store, entry.path()).filter(|_| entry.file_type().is_file()) else {
                continue;
            };
            let metadata = entry.metadata().map_err(std::io::Error::from).map_err(failed())?;
            if metadata.mtime() > self.before || stays(&path) {
                continue;
            }
            tally.files += 1;
            tally.bytes += metadata.len();
            if !self.dry_run {
                self.store.remove(&path).map_err(failed())?;
            }
        }
        Ok(())
    }

    /// Removes directories that became empty.
    fn empty_directories(&self, directory: &str) -> Result<(), RepoError> {
        let failed = || RepoError::io(format!("{directory} could not be swept"));
        let top = self.store.path(directory);
        if self.dry_run || !top.is_dir() {
            return Ok(());
        }
        for entry in walkdir::WalkDir::new(&top).min_depth(1).contents_first(true) {
            let entry = entry.map_err(std::io::Error::from).map_err(failed())?;
            if !entry.file_type().is_dir() || fs_err::read_dir(entry.path()).map_err(failed())?.next().is_some() {
                continue;
            }
            fs_err::remove_dir(entry.path()).map_err(failed())?;
        }
        Ok(())
    }
}

fn relative(store: &Store, path: &Path) -> Option<String> {
    Some(path.strip_prefix(store.root()).ok()?.to_str()?.to_owned())
}
