//! Where packages may go. The pool is immutable: a place that holds, or in this call is going to hold, another content is
//! never written over, for another suite may name it, or an index that a client still has.

use std::collections::HashMap;

use super::error::RepoError;
use super::store::Store;
use super::suite::Kind;
use crate::digest::Sha256;
use crate::format::rpm;

/// Some texts as a short key: a hundred thousand places and names are to need little memory.
pub(super) type Key = [u8; 16];

/// The key of these texts.
pub(super) fn key(texts: &[&str]) -> Key {
    let Sha256(digest) = Sha256::of(texts.join("\0").as_bytes());
    digest.first_chunk().copied().unwrap_or_default()
}

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing yet.
    Free,
    /// This very content, or in this call it is going to.
    Same,
    /// Another content.
    Other,
}

/// The places of both pools, with what one call is going to put there.
#[derive(Debug)]
pub(super) struct Pool<'a> {
    store: &'a Store,
    claimed: HashMap<Key, Sha256>,
}

impl<'a> Pool<'a> {
    pub(super) fn of(store: &'a Store) -> Self {
        Self { store, claimed: HashMap::new() }
    }

    /// What stands at `place` (relative to the repository), for a package with this content: see
    /// [`super::record::Record::content`].
    pub(super) fn look(&self, kind: Kind, place: &str, content: Sha256) -> Result<Place, RepoError> {
        if let Some(claimed) = self.claimed.get(&key(&[place])) {
            return Ok(if *claimed == content { Place::Same } else { Place::Other });
        }
        let path = self.store.path(place);
        if !path.exists() {
            return Ok(Place::Free);
        }
        let failed = || RepoError::io("the pool could not be read");
        let same = match kind {
            Kind::Apt => {
                Sha256::of_reader(&mut fs_err::File::open(&path).map_err(failed())?).map_err(failed())?.0 == content
            }
            Kind::Yum => rpm::immutable_digest(&path).is_ok_and(|digest| digest == content),
        };
        if same {
            // Who put it there may have been killed before its name was durable.
            path.parent().into_iter().for_each(|directory| self.store.soil(directory));
        }
        Ok(if same { Place::Same } else { Place::Other })
    }

    /// Takes the place for this content.
    pub(super) fn claim(&mut self, place: &str, content: Sha256) {
        self.claimed.insert(key(&[place]), content);
    }

    /// Whether this call is going to put something there.
    pub(super) fn is_claimed(&self, place: &str) -> bool {
        self.claimed.contains_key(&key(&[place]))
    }
}
