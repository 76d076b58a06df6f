//! Where packages may go. The pool is immutable: a place that holds, or in this call is going to hold, another content is
//! never written over, for another suite may name it, or an index that a client still has.

use std::collections::HashMap;

use super::error::RepoError;
use super::store::Store;
use crate::digest::Sha256;
use crate::format::rpm;

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing yet.
    Free,
    /// This very content.
    Same,
    /// Another content.
    Other,
}

/// The places of both pools, with what one call to `publish` is going to put there.
#[derive(Debug)]
pub(super) struct Pool<'a> {
    pub(super) store: &'a Store,
    claimed: HashMap<String, Sha256>,
}

impl<'a> Pool<'a> {
    pub(super) fn of(store: &'a Store) -> Self {
        Self { store, claimed: HashMap::new() }
    }

    /// Whether a .deb with this digest may go to `place` (relative to the repository).
    pub(super) fn deb(&self, place: &str, sha256: Sha256) -> Result<Place, RepoError> {
        self.look(place, sha256, |pool| {
            let failed = || RepoError::io("the pool could not be read");
            let mut file = fs_err::File::open(pool.store.path(place)).map_err(failed())?;
            Ok(Sha256::of_reader(&mut file).map_err(failed())?.0 == sha256)
        })
    }

    /// Whether an .rpm with this immutable digest may go to `place`.
    pub(super) fn rpm(&self, place: &str, immutable: Sha256) -> Result<Place, RepoError> {
        let digest = |pool: &Self| rpm::immutable_digest(&pool.store.path(place));
        self.look(place, immutable, |pool| Ok(digest(pool).is_ok_and(|digest| digest == immutable)))
    }

    /// Takes the place for this content.
    pub(super) fn claim(&mut self, place: &str, content: Sha256) {
        self.claimed.insert(place.to_owned(), content);
    }

    /// A place claimed for the same content counts as free: whichever suite is written first puts the package there.
    fn look(
        &self,
        place: &str,
        content: Sha256,
        same: impl FnOnce(&Self) -> Result<bool, RepoError>,
    ) -> Result<Place, RepoError> {
        Ok(match self.claimed.get(place) {
            Some(claimed) if *claimed == content => Place::Free,
            Some(_) => Place::Other,
            None if !self.store.path(place).exists() => Place::Free,
            None if same(self)? => Place::Same,
            None => Place::Other,
        })
    }
}
