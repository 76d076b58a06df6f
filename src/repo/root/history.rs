//! Roots on disk: the current one and those before it.

use super::Root;
use crate::digest::Sha256;
use crate::repo::error::RepoError;
use crate::repo::store::Store;
use crate::repo::suite::Suite;

/// The root of the index that is in place; none when the suite was never published. Needs no lock: a publisher may replace
/// both while they are read, so that a root that is missing is looked for again.
pub(in crate::repo) fn current(store: &Store, suite: &Suite) -> Result<Option<Root>, RepoError> {
    let mut missing = None;
    for _ in 0..3 {
        let Some(digest) = current_digest(store, suite)? else { return Ok(None) };
        if missing == Some(digest) {
            break;
        }
        if let Some(root) = load(store, suite, digest)? {
            return Ok(Some(root));
        }
        missing = Some(digest);
    }
    Err(RepoError::ForeignIndex { path: store.path(&suite.index()) })
}

/// The digest of the index that is in place.
pub(in crate::repo) fn current_digest(store: &Store, suite: &Suite) -> Result<Option<Sha256>, RepoError> {
    match fs_err::read(store.path(&suite.index())) {
        Ok(index) => Ok(Some(Sha256::of(&index))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(RepoError::io("the repository's index could not be read")(error)),
    }
}

/// The root of the index with this digest, when it is still kept.
pub(in crate::repo) fn load(store: &Store, suite: &Suite, index: Sha256) -> Result<Option<Root>, RepoError> {
    let path = store.path(&file(suite, index));
    match fs_err::read(&path) {
        Ok(text) => serde_json::from_slice(&text)
            .map(Some)
            .map_err(|error| RepoError::BadState { path, reason: error.to_string() }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(RepoError::io("the repository's state could not be read")(error)),
    }
}

/// The kept roots of a suite, the current one first.
pub(in crate::repo) fn history<'a>(
    store: &'a Store,
    suite: &'a Suite,
) -> impl Iterator<Item = Result<Root, RepoError>> + 'a {
    let mut next = Some(current(store, suite));
    std::iter::from_fn(move || {
        let root = match next.take()? {
            Ok(root) => root?,
            Err(error) => return Some(Err(error)),
        };
        next = root.previous.map(|previous| load(store, suite, previous));
        Some(Ok(root))
    })
}

/// Where the root of an index is, relative to the repository.
pub(in crate::repo) fn file(suite: &Suite, index: Sha256) -> String {
    format!("{}/{index}.json", suite.roots())
}
