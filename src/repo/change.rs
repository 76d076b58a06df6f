//! What a commit is going to do to one suite: packages put, packages removed.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::cell::{CellName, shard_number};
use super::error::RepoError;
use super::record::{Entry, Identity, Record};
use super::root::{self, Root};
use super::shard;
use super::spool::{Spool, Spooled};
use super::store::{Copied, Store};
use super::suite::Suite;
use crate::digest::Sha256;

/// What is going to happen to one suite. Made under the lock, from the root that is in place.
#[derive(Debug)]
pub(super) struct Change {
    /// What the suite holds before the change.
    pub(super) base: Root,
    /// The digest of the index that is in place.
    pub(super) before: Option<Sha256>,
    /// Says what happened, in the history.
    pub(super) note: String,
    /// Files for the pool, each with its place relative to the repository.
    pub(super) files: Vec<(Copied, String)>,
    /// A root whose index files may be used again: that of the suite which packages are promoted from.
    pub(super) donor: Option<Root>,
    /// Make a new generation although nothing changes: new signatures, a new date.
    pub(super) renew: bool,
    /// Make all index files from shards, whatever there is already.
    pub(super) fresh: bool,
    /// A publisher was killed before it was done: what lies beside the index belongs to another generation.
    pub(super) unfinished: bool,
    pub(super) edits: BTreeMap<CellName, Edit>,
    spool: Option<Arc<Spool>>,
}

/// What happens to one cell.
#[derive(Debug, Default)]
pub(super) struct Edit {
    pub(super) removed: BTreeSet<Identity>,
    /// By their identities.
    pub(super) put: BTreeSet<Put>,
}

/// A record whose texts are spooled.
#[derive(Debug)]
pub(super) struct Put {
    pub(super) record: Record,
    pub(super) texts: Spooled,
}

impl Borrow<Identity> for Put {
    fn borrow(&self) -> &Identity {
        &self.record.identity
    }
}

impl Ord for Put {
    fn cmp(&self, other: &Self) -> Ordering {
        self.record.identity.cmp(&other.record.identity)
    }
}

impl PartialOrd for Put {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Put {
    fn eq(&self, other: &Self) -> bool {
        self.record.identity == other.record.identity
    }
}

impl Eq for Put {}

impl Change {
    /// No change yet of the suite as it is now.
    pub(super) fn of(store: &Store, suite: &Suite) -> Result<Self, RepoError> {
        let before = root::current_digest(store, suite)?;
        let base = root::current(store, suite)?.unwrap_or_else(|| Root::empty(suite));
        let unfinished = base.is_unfinished(store)?;
        Ok(Self { unfinished, ..Self::on(base, before) })
    }

    /// No change yet of what `base` says, which follows the index with the digest `before`.
    pub(super) fn on(base: Root, before: Option<Sha256>) -> Self {
        Self {
            base,
            before,
            note: String::new(),
            files: Vec::new(),
            donor: None,
            renew: false,
            fresh: false,
            unfinished: false,
            edits: BTreeMap::new(),
            spool: None,
        }
    }

    /// The suite.
    pub(super) fn suite(&self) -> &Suite {
        &self.base.suite
    }

    /// Whether the suite's index stays as it is.
    pub(super) fn is_idle(&self) -> bool {
        self.edits.is_empty() && !self.renew && !self.unfinished
    }

    /// The records of one name, as they will be.
    pub(super) fn find(&self, store: &Store, name: &str) -> Result<Vec<Record>, RepoError> {
        let mut found = self.base.find(store, name)?;
        found.retain(|record| !self.is_superseded(record));
        found.extend(self.put_records().filter(|record| record.identity.name == name).cloned());
        Ok(found)
    }

    /// All records, as they will be.
    pub(super) fn records<'a>(&'a self, store: &'a Store) -> impl Iterator<Item = Result<Record, RepoError>> + 'a {
        let held = self.base.records(store);
        held.filter(|record| record.as_ref().map_or(true, |record| !self.is_superseded(record)))
            .chain(self.put_records().cloned().map(Ok))
    }

    /// The records that are new or take the place of others.
    pub(super) fn put_records(&self) -> impl Iterator<Item = &Record> {
        self.edits.values().flat_map(|edit| &edit.put).map(|put| &put.record)
    }

    /// Puts a package into the suite, in the place of one of the same identity and component.
    pub(super) fn put(&mut self, store: &Store, entry: Entry) -> Result<(), RepoError> {
        let spool = match self.spool.take() {
            Some(spool) => spool,
            None => Spool::new(store)?,
        };
        let texts = spool.push(&entry.texts)?;
        self.spool = Some(spool);
        self.put_spooled(entry.record, texts);
        Ok(())
    }

    /// The same for a package whose texts are spooled already.
    pub(super) fn put_spooled(&mut self, record: Record, texts: Spooled) {
        let edit = self.edits.entry(record.cell(self.base.suite.kind)).or_default();
        edit.removed.remove(&record.identity);
        edit.put.replace(Put { record, texts });
    }

    /// Takes a package out of the suite.
    pub(super) fn remove(&mut self, record: &Record) {
        let edit = self.edits.entry(record.cell(self.base.suite.kind)).or_default();
        edit.put.remove(&record.identity);
        edit.removed.insert(record.identity.clone());
    }

    /// Makes the suite hold what `root` holds (of this suite, or of another of its kind), whatever it held: its shards and
    /// index files are used as they are. Of a yum suite the caller sees to the packages' files.
    pub(super) fn take_over(&mut self, root: &Root) {
        self.edits.clear();
        // Clients ask for the architectures that they know: none ever goes away.
        let known = std::mem::replace(&mut self.base.cells, root.cells.clone());
        for name in known.into_keys() {
            self.base.cells.entry(name).or_default();
        }
        self.donor = Some(root.clone());
        self.renew = true;
    }

    /// Puts a file into the pool before the suite names it.
    pub(super) fn place(&mut self, file: Copied, place: String) {
        self.files.push((file, place));
    }

    /// How many packages there will be.
    pub(super) fn count(&self, store: &Store) -> Result<u64, RepoError> {
        let mut count = self.base.count();
        for (name, edit) in &self.edits {
            count += edit.put.len() as u64;
            let Some(cell) = self.base.cells.get(name) else { continue };
            let put = edit.put.iter().map(|put| &put.record.identity);
            let names = put.chain(&edit.removed).map(|identity| shard_number(&identity.name, cell.bits));
            for shard in names.collect::<BTreeSet<usize>>().into_iter().flat_map(|number| cell.at(number)) {
                let gone = shard::records(store, shard)?.iter().filter(|held| edit.supersedes(&held.identity)).count();
                count = count.saturating_sub(gone as u64);
            }
        }
        Ok(count)
    }

    /// Whether a record of the base is not there any more.
    fn is_superseded(&self, record: &Record) -> bool {
        let edit = self.edits.get(&record.cell(self.base.suite.kind));
        edit.is_some_and(|edit| edit.supersedes(&record.identity))
    }
}

impl Edit {
    /// Whether a record that the cell has is removed or replaced.
    pub(super) fn supersedes(&self, identity: &Identity) -> bool {
        self.removed.contains(identity) || self.put.contains(identity)
    }
}
