//! Whether all that is on the disk is what it was when it was published.
//!
//! A suite's root decides what must be there; the signed index that clients see decides which root. From there every file
//! is read once: the signatures, the index files and their further names, the shards, the packages. What was found is told
//! file by file, with what is lost by it; [`repair`] puts back what follows from what is left.

mod index;
mod pool;
mod repair;
mod shards;
mod signature;
mod snapshots;

use serde::Serialize;

use super::cell::CellName;
use super::error::RepoError;
use super::layout::Repository;
use super::root::{self, Root};
use super::shard::ShardReference;
use super::store::Store;
use super::suite::Suite;
use super::travel::SnapshotId;
use crate::digest::Sha256;
use crate::report::Reporter;

pub use repair::repair;

/// A publisher may be at work: so often a suite is looked at again before it is believed to be damaged.
const ATTEMPTS: usize = 3;

/// What was looked at, and what is damaged.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// The suites, in order of kind and name.
    pub suites: Vec<Checked>,
    /// In order of suites and paths.
    pub damages: Vec<Damage>,
}

/// A suite that was looked at.
#[derive(Debug, Clone, Serialize)]
pub struct Checked {
    /// The suite.
    pub suite: Suite,
    /// The snapshot of it, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<SnapshotId>,
    /// Its current generation; 0 where none could be read.
    pub generation: u64,
    /// How many packages it holds.
    pub packages: u64,
    /// Index files, shards and packages that were read.
    pub files: u64,
}

/// A file that is not what it must be.
#[derive(Debug, Clone, Serialize)]
pub struct Damage {
    /// Relative to the repository.
    pub path: String,
    /// What is wrong with it.
    pub what: String,
    /// What is lost by it.
    pub lost: String,
    /// Whether it was put back.
    pub repaired: bool,
    #[serde(skip)]
    pub(super) cure: Cure,
}

/// What puts a file back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cure {
    /// Nothing that is here.
    None,
    /// The index file of a root is put together again from its shards: the suite, the file's path in the root.
    Index(Suite, String),
    /// Another name of a file that is there.
    Link {
        /// Relative to the repository.
        from: String,
    },
    /// The shard is written again from its own texts, or from those in the index.
    Shard(Suite, Sha256),
    /// The file for clients is written again.
    Snippet(Suite),
    /// The directory of a snapshot is made again.
    Snapshot(Suite, SnapshotId),
    /// A new generation with the same content: new signatures, new small files beside the index.
    Renew(Suite),
    /// The newest root that is kept becomes current again.
    Reinstate(Suite),
    /// The key's certificate.
    Certificate,
}

impl Checked {
    /// What it is, for people: `apt suite stable`, `snapshot 2026.4 of the apt suite stable`.
    pub fn owner(&self) -> String {
        match &self.snapshot {
            Some(id) => format!("snapshot {id} of the {}", self.suite),
            None => self.suite.to_string(),
        }
    }
}

impl Damage {
    fn new(path: impl Into<String>, what: impl Into<String>, lost: impl Into<String>, cure: Cure) -> Self {
        Self { path: path.into(), what: what.into(), lost: lost.into(), repaired: false, cure }
    }
}

impl Report {
    /// Whether there is damage that is still there.
    pub fn is_damaged(&self) -> bool {
        self.damages.iter().any(|damage| !damage.repaired)
    }
}

/// Looks at everything that clients see of the current generations and of snapshots, and at all that these are made of.
pub fn verify(repository: &Repository, reporter: &dyn Reporter) -> Result<Report, RepoError> {
    let store = Store::at(repository.root());
    let mut report = Report::default();
    let keys = signature::Keys::read(&store, repository, &mut report.damages);
    let mut roots = Vec::new();
    for suite in repository.suites() {
        let (checked, mut damages, root) = steadily(repository, &store, &suite, &keys)?;
        report.suites.push(checked);
        report.damages.append(&mut damages);
        roots.extend(root.map(|root| (suite.to_string(), root)));
    }
    roots.extend(snapshots::check(&store, &keys, &mut report)?);
    pool::check(&store, &roots, &mut report, reporter)?;
    report.damages.sort_by(|left, right| left.path.cmp(&right.path));
    report.damages.dedup_by(|left, right| left.path == right.path && left.what == right.what);
    Ok(report)
}

type Seen = (Checked, Vec<Damage>, Option<Root>);

/// A suite whose index stayed the same while it was looked at.
fn steadily(repository: &Repository, store: &Store, suite: &Suite, keys: &signature::Keys) -> Result<Seen, RepoError> {
    let mut attempt = 1;
    loop {
        let before = root::current_digest(store, suite)?;
        let seen = one(repository, store, suite, keys)?;
        if attempt == ATTEMPTS || seen.1.is_empty() || root::current_digest(store, suite)? == before {
            return Ok(seen);
        }
        attempt += 1;
    }
}

fn one(repository: &Repository, store: &Store, suite: &Suite, keys: &signature::Keys) -> Result<Seen, RepoError> {
    let mut checked = Checked { suite: suite.clone(), snapshot: None, generation: 0, packages: 0, files: 0 };
    let mut damages = Vec::new();
    let Some(root) = index::root(store, suite, keys, &mut damages)? else { return Ok((checked, damages, None)) };
    (checked.generation, checked.packages) = (root.number, root.count());
    index::snippet(repository, store, &root, &mut damages)?;
    checked.files += index::files(store, &root, &mut damages)?;
    checked.files += shards::check(store, &root, &mut damages)?;
    Ok((checked, damages, Some(root)))
}

/// The shards of a root: cell, number, into how many bits' worth of numbers the cell is cut.
fn shards_of(root: &Root) -> impl Iterator<Item = (&CellName, usize, u32, &ShardReference)> {
    root.cells.iter().flat_map(|(name, cell)| {
        (0..cell.shards.len()).flat_map(move |at| cell.at(at).map(move |shard| (name, at, cell.bits, shard)))
    })
}
