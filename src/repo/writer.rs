//! The exclusive right to change a repository, and what it is changed with.
//!
//! Whatever takes time (copying, hashing, parsing, signing packages) is done with a [`Store`] before; then the lock is
//! taken, the configuration is read again, changes are made of the roots that are in place now, and committed.

use super::change::Change;
use super::commit::{self, Committer};
use super::error::RepoError;
use super::layout::{self, Repository};
use super::root::Root;
use super::sign::Signer;
use super::store::{Lock, Store};
use super::suite::Suite;
use crate::report::Reporter;

/// A repository that nobody else changes as long as this is there.
#[derive(Debug)]
pub(super) struct Writer {
    /// As it is now.
    pub(super) repository: Repository,
    /// Its directory.
    pub(super) store: Store,
    _lock: Lock,
}

impl Writer {
    /// Waits for the right to change the repository whose unfinished files `store` has.
    pub(super) fn new(store: Store, reporter: &dyn Reporter) -> Result<Self, RepoError> {
        let lock = store.lock(reporter).map_err(RepoError::io("the repository could not be locked"))?;
        // Another publisher may have changed it since it was opened.
        let repository = layout::open(store.root())?;
        Ok(Self { repository, store, _lock: lock })
    }

    /// No change yet of a suite as it is now.
    pub(super) fn change(&self, suite: &Suite) -> Result<Change, RepoError> {
        Change::of(&self.store, suite)
    }

    /// Refuses a signer that has not the repository's keys, all of them while one replaces another.
    pub(super) fn check(&self, signer: &Signer) -> Result<(), RepoError> {
        signer.clone().of(self.repository.configuration()).map(drop)
    }

    /// Makes changes current; see [`commit::commit`].
    pub(super) fn commit(&mut self, changes: Vec<Change>, by: &Committer<'_>) -> Result<Vec<Root>, RepoError> {
        let signer = &by.signer.clone().of(self.repository.configuration())?;
        let by = &Committer { signer, ..*by };
        commit::commit(&mut self.repository, &self.store, changes, by)
    }
}
