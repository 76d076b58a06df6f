//! Roots: what a suite holds, one for each generation.
//!
//! A root is filed under the SHA-256 of the signed index that it belongs to (`InRelease`, `repomd.xml`), and written before
//! it: whichever index is in place, its root is there. The one rename that makes an index current makes its root current
//! too, and a publisher killed at any point leaves at most a root that no index names.

mod history;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::cell::{Cell, CellName, Stream};
use super::error::RepoError;
use super::index::{Mark, Planned};
use super::options::SuiteOptions;
use super::record::{Entry, Record};
use super::shard;
use super::store::Store;
use super::suite::{Kind, Suite};
use crate::digest::Sha256;

pub(super) use history::{current, current_digest, file, history, load};

/// What a suite holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Root {
    /// The suite.
    pub suite: Suite,
    /// Which generation this is: 1 for the first.
    pub number: u64,
    /// The date of the signed index, seconds since 1970-01-01 UTC. Never smaller than that of the generation before.
    pub date: i64,
    /// The time of modification of the signed index: greater than that of the generation before, since clients ask for
    /// what was modified after what they have, in whole seconds.
    pub stamp: i64,
    /// Until when clients are to believe the index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<i64>,
    /// What this generation did: `publish acme 1.0-1 amd64`.
    pub note: String,
    /// The index of the generation before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Sha256>,
    /// The suite's options when it was made.
    #[serde(default)]
    pub options: SuiteOptions,
    /// What it holds.
    pub cells: BTreeMap<CellName, Cell>,
    /// The index files, without the signed ones.
    pub files: Vec<IndexFile>,
    /// Digests of the small files that lie beside the index and are made with it (`Release`, `Release.gpg`), by their place
    /// in the repository.
    #[serde(default)]
    pub beside: BTreeMap<String, Sha256>,
}

/// An index file, as a root and the signed index list it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexFile {
    /// Relative to the suite's index directory, without `.gz`: `main/binary-amd64/Packages`; of yum its type, `primary`.
    pub path: String,
    /// What it is made of: equal keys, equal files.
    pub key: Sha256,
    /// The uncompressed form, which is nowhere: its bytes, and of an apt suite its digest, without which apt reads nothing.
    pub open: (u64, Option<Sha256>),
    /// The gzip form, which is what clients fetch: bytes and digest.
    pub packed: (u64, Sha256),
    /// Where hashing may go on when the next file begins as this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) marks: Vec<Mark>,
}

impl IndexFile {
    /// Where its gzip form is, under a name that says its content, relative to the repository.
    pub(super) fn place(&self, suite: &Suite) -> String {
        let (directory, (_, digest)) = (suite.index_directory(), self.packed);
        match suite.kind {
            Kind::Apt => {
                let below = self.path.rsplit_once('/').map_or("", |(below, _)| below);
                format!("{directory}/{below}/by-hash/SHA256/{digest}")
            }
            Kind::Yum => format!("{directory}/{digest}-{}.xml.gz", self.path),
        }
    }

    /// What `Release` says of it: name, bytes and digest of each form.
    pub(super) fn listed(&self) -> impl Iterator<Item = (String, u64, Sha256)> {
        let ((size, open), (packed_size, packed)) = (self.open, self.packed);
        let open = open.map(|digest| (self.path.clone(), size, digest));
        open.into_iter().chain([(format!("{}.gz", self.path), packed_size, packed)])
    }

    /// Where the gzip form of an apt suite is for clients that know no by-hash, relative to the repository.
    pub(super) fn plain_place(&self, suite: &Suite) -> String {
        format!("{}/{}.gz", suite.index_directory(), self.path)
    }
}

impl Root {
    /// The root of a suite that was never published.
    pub fn empty(suite: &Suite) -> Self {
        Self {
            suite: suite.clone(),
            number: 0,
            date: 0,
            stamp: 0,
            valid_until: None,
            note: String::new(),
            previous: None,
            options: SuiteOptions::default(),
            cells: BTreeMap::new(),
            files: Vec::new(),
            beside: BTreeMap::new(),
        }
    }

    /// Whether a publisher was killed between the files beside the index and the index.
    pub(super) fn is_unfinished(&self, store: &Store) -> Result<bool, RepoError> {
        for (place, digest) in &self.beside {
            match fs_err::read(store.path(place)) {
                Ok(content) if Sha256::of(&content) == *digest => {}
                Ok(_) => return Ok(true),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(true),
                Err(error) => return Err(RepoError::io("the repository could not be read")(error)),
            }
        }
        Ok(false)
    }

    /// How many packages it holds.
    pub fn count(&self) -> u64 {
        self.cells.values().map(Cell::count).sum()
    }

    /// The components of an apt suite, in order.
    pub fn components(&self) -> Vec<String> {
        super::apt::components(&self.cells, &self.options)
    }

    /// What its index files are made of: with [`super::index::Planned::read`] they can be made again.
    pub(super) fn planned(&self, store: &Store) -> Result<Vec<Planned>, RepoError> {
        match self.suite.kind {
            Kind::Apt => Ok(super::apt::index_files(&self.cells, &self.options)),
            Kind::Yum => super::yum::index_files(store, &self.cells, &self.options),
        }
    }

    /// All its records, cell by cell and shard by shard, one shard in memory.
    pub(super) fn records<'a>(&'a self, store: &'a Store) -> impl Iterator<Item = Result<Record, RepoError>> + 'a {
        self.cells.values().flat_map(|cell| cell.records(store))
    }

    /// All its records with their texts.
    pub(super) fn entries<'a>(&'a self, store: &'a Store) -> impl Iterator<Item = Result<Entry, RepoError>> + 'a {
        self.cells.values().flat_map(|cell| cell.entries(store))
    }

    /// The records of all packages of one name, in any cell.
    pub(super) fn find(&self, store: &Store, name: &str) -> Result<Vec<Record>, RepoError> {
        let mut found = Vec::new();
        for shard in self.cells.values().flat_map(|cell| cell.shards_of(name)) {
            found.extend(shard::records(store, shard)?.into_iter().filter(|record| record.identity.name == name));
        }
        Ok(found)
    }

    /// The same with their texts.
    pub(super) fn find_entries(&self, store: &Store, name: &str) -> Result<Vec<Entry>, RepoError> {
        let mut found = Vec::new();
        for shard in self.cells.values().flat_map(|cell| cell.shards_of(name)) {
            found.extend(shard::entries(store, shard)?.into_iter().filter(|entry| entry.record.identity.name == name));
        }
        Ok(found)
    }
}

impl Cell {
    /// Its records, one shard in memory.
    pub(super) fn records<'a>(&'a self, store: &'a Store) -> impl Iterator<Item = Result<Record, RepoError>> + 'a {
        self.present().flat_map(|shard| one_by_one(shard::records(store, shard)))
    }

    /// Its records with their texts.
    pub(super) fn entries<'a>(&'a self, store: &'a Store) -> impl Iterator<Item = Result<Entry, RepoError>> + 'a {
        self.present().flat_map(|shard| one_by_one(shard::entries(store, shard)))
    }
}

impl Entry {
    /// Its text of one stream; empty when its cell has no such stream.
    pub fn text(&self, suite: &Suite, stream: Stream) -> &[u8] {
        let position = self.record.cell(suite.kind).position(stream);
        position.and_then(|position| self.texts.get(position)).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The members of a list, or its error.
fn one_by_one<T>(list: Result<Vec<T>, RepoError>) -> impl Iterator<Item = Result<T, RepoError>> {
    let (list, error) = match list {
        Ok(list) => (list, None),
        Err(error) => (Vec::new(), Some(Err(error))),
    };
    list.into_iter().map(Ok).chain(error)
}
