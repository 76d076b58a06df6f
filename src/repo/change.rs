//! What a commit is going to do to one suite: packages put, packages removed.
//!
//! Texts are spooled to an unlinked temporary file, so that a change of a hundred thousand packages needs the memory of
//! their records alone.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use super::cell::CellName;
use super::error::RepoError;
use super::record::{Entry, Identity, Record};
use super::root::{self, Root};
use super::store::{Copied, Store};
use super::suite::Suite;

/// What is going to happen to one suite. Made under the lock, from the root that is in place.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) base: Root,
    /// The digest of the index that is in place.
    pub(super) before: Option<crate::digest::Sha256>,
    /// Says what happened, in the history.
    pub(super) note: String,
    /// Files for the pool, each with its place relative to the repository.
    pub(super) files: Vec<(Copied, String)>,
    /// A root whose index files may be used again: that of the suite which packages are promoted from.
    pub(super) donor: Option<Root>,
    /// Make a new generation although nothing changes: new signatures, a new date.
    pub(super) renew: bool,
    edits: BTreeMap<CellName, Edit>,
    spool: Option<Spool>,
}

/// What happens to one cell.
#[derive(Debug, Default)]
pub(super) struct Edit {
    removed: BTreeSet<Identity>,
    put: BTreeMap<Identity, Put>,
}

/// A record with the place of its texts in the spool.
#[derive(Debug)]
struct Put {
    record: Record,
    begin: u64,
    lengths: Vec<u64>,
}

/// Where texts wait.
#[derive(Debug)]
struct Spool {
    file: std::io::BufWriter<fs_err::File>,
    length: u64,
}

impl Change {
    /// No change yet of the suite as it is now.
    pub(super) fn of(store: &Store, suite: &Suite) -> Result<Self, RepoError> {
        let before = root::current_digest(store, suite)?;
        let base = root::current(store, suite)?.unwrap_or_else(|| Root::empty(suite));
        let (edits, files, note) = (BTreeMap::new(), Vec::new(), String::new());
        Ok(Self { base, before, note, files, donor: None, renew: false, edits, spool: None })
    }

    /// The suite.
    pub(super) fn suite(&self) -> &Suite {
        &self.base.suite
    }

    /// Whether the suite stays as it is.
    pub(super) fn is_idle(&self) -> bool {
        self.edits.is_empty() && !self.renew
    }

    /// The records of one name, as they will be.
    pub(super) fn find(&self, store: &Store, name: &str) -> Result<Vec<Record>, RepoError> {
        let mut found = self.base.find(store, name)?;
        found.retain(|record| !self.is_superseded(record));
        let put = self.edits.values().flat_map(|edit| edit.put.values());
        found.extend(put.filter(|put| put.record.identity.name == name).map(|put| put.record.clone()));
        Ok(found)
    }

    /// All records, as they will be.
    pub(super) fn records<'a>(&'a self, store: &'a Store) -> impl Iterator<Item = Result<Record, RepoError>> + 'a {
        let held = self.base.records(store);
        let put = self.edits.values().flat_map(|edit| edit.put.values()).map(|put| Ok(put.record.clone()));
        held.filter(|record| record.as_ref().map_or(true, |record| !self.is_superseded(record))).chain(put)
    }

    /// Puts a package into the suite, in the place of one of the same identity and component.
    pub(super) fn put(&mut self, store: &Store, entry: Entry) -> Result<(), RepoError> {
        let cell = entry.record.cell(self.base.suite.kind);
        let spool = match &mut self.spool {
            Some(spool) => spool,
            none => none.insert(Spool::new(store)?),
        };
        let (begin, lengths) = spool.push(&entry.texts)?;
        let identity = entry.record.identity.clone();
        let put = Put { record: entry.record, begin, lengths };
        let edit = self.edits.entry(cell).or_default();
        edit.removed.remove(&identity);
        edit.put.insert(identity, put);
        Ok(())
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
        self.base.cells.clone_from(&root.cells);
        self.donor = Some(root.clone());
        self.renew = true;
    }

    /// Puts a file into the pool before the suite names it.
    pub(super) fn place(&mut self, file: Copied, place: String) {
        self.files.push((file, place));
    }

    /// Whether a record of the base is not there any more.
    fn is_superseded(&self, record: &Record) -> bool {
        let edit = self.edits.get(&record.cell(self.base.suite.kind));
        edit.is_some_and(|edit| edit.removed.contains(&record.identity) || edit.put.contains_key(&record.identity))
    }
}

impl Spool {
    fn new(store: &Store) -> Result<Self, RepoError> {
        let file = store.unlinked().map_err(RepoError::io("a temporary file could not be made"))?;
        Ok(Self { file: std::io::BufWriter::with_capacity(1 << 20, file), length: 0 })
    }

    fn push(&mut self, texts: &[Vec<u8>]) -> Result<(u64, Vec<u64>), RepoError> {
        let begin = self.length;
        for text in texts {
            self.file.write_all(text).map_err(RepoError::io("a temporary file could not be written"))?;
            self.length += text.len() as u64;
        }
        Ok((begin, texts.iter().map(|text| text.len() as u64).collect()))
    }
}
