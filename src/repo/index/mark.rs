//! Marks: how far the digests of an index file had come after some of its pieces, so that a file which begins alike is hashed
//! from there on.
//!
//! In a large suite hashing is most of what one package more would take. What is added stands at the end of an index (see
//! [`crate::repo::cell`]), so that of most files the last mark, after what is settled, is the one that serves. An XML document
//! begins with the number of its packages: of these nothing can be kept.

use std::collections::HashMap;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};
use sha2::Sha256 as Hasher;
use sha2::digest::common::hazmat::{SerializableState, SerializedState};

use super::{Held, Planned};
use crate::digest::Sha256;
use crate::repo::store::Store;

/// Smaller files are hashed in no time.
const SMALLEST: u64 = 256 << 10;
/// In how many parts marks cut what is settled.
const PARTS: usize = 8;
/// Bytes of a state's own digest that are kept with it.
const CHECK: usize = 8;

/// How far both digests of an index file had come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::repo) struct Mark {
    /// What the file is made of up to here: equal keys, equal beginnings.
    key: Sha256,
    open: String,
    packed: String,
}

impl Mark {
    pub(super) fn new(key: Sha256, open: &Hasher, packed: &Hasher) -> Self {
        Self { key, open: text(open), packed: text(packed) }
    }
}

/// The beginning of a file that is there already, and that another one has too.
pub(super) struct Begun {
    /// So many pieces.
    pub(super) pieces: usize,
    pub(super) open: Hasher,
    pub(super) packed: Hasher,
    /// The file that has it.
    pub(super) held: PathBuf,
    /// Marks before it, and its own, by the number of pieces.
    pub(super) marks: Vec<(usize, Mark)>,
}

/// The longest beginning of a planned file that one of the others has.
pub(super) fn begun(store: &Store, planned: &Planned, beginnings: &[Sha256], held: &[Held<'_>]) -> Option<Begun> {
    if !planned.head.is_empty() || !planned.tail.is_empty() {
        return None;
    }
    let marks: HashMap<Sha256, (&Mark, &Held<'_>)> =
        held.iter().rev().flat_map(|held| held.file.marks.iter().map(move |mark| (mark.key, (mark, held)))).collect();
    let found = beginnings.iter().enumerate().rev().find_map(|(pieces, key)| {
        let (mark, held) = marks.get(key)?;
        let path = store.path(&held.place);
        let is_whole = fs_err::metadata(&path).is_ok_and(|there| there.len() == held.file.packed.0);
        let (open, packed) = (state(&mark.open)?, state(&mark.packed)?);
        is_whole.then_some(Begun { pieces, open, packed, held: path, marks: Vec::new() })
    })?;
    let before = beginnings.iter().enumerate().take(found.pieces + 1);
    let known = before.filter_map(|(pieces, key)| Some((pieces, marks.get(key)?.0.clone())));
    Some(Begun { marks: known.filter(|(pieces, _)| is_marked(planned, *pieces)).collect(), ..found })
}

/// Whether a file has a mark after so many pieces.
pub(super) fn is_marked(planned: &Planned, pieces: usize) -> bool {
    let step = planned.settled.div_ceil(PARTS).max(1);
    let at = pieces == planned.settled || (pieces < planned.settled && pieces.is_multiple_of(step));
    at && pieces > 0 && planned.head.is_empty() && planned.tail.is_empty() && planned.size() >= SMALLEST
}

/// A digest's state with a check of itself: it is believed for as long as the suite grows.
fn text(hasher: &Hasher) -> String {
    let mut bytes = hasher.serialize().to_vec();
    let Sha256(check) = Sha256::of(&bytes);
    bytes.extend(check.into_iter().take(CHECK));
    BASE64.encode(bytes)
}

fn state(text: &str) -> Option<Hasher> {
    let bytes = BASE64.decode(text).ok()?;
    let (bytes, check) = bytes.split_at_checked(bytes.len().checked_sub(CHECK)?)?;
    let Sha256(wanted) = Sha256::of(bytes);
    if !wanted.starts_with(check) {
        return None;
    }
    Hasher::deserialize(&SerializedState::<Hasher>::try_from(bytes).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use sha2::Digest as _;

    use super::*;

    #[test]
    fn a_digest_goes_on_from_its_state_and_a_damaged_state_is_none() {
        for length in [0, 1, 63, 64, 65, 1000] {
            let bytes = vec![7; length];
            let kept = text(&Hasher::new_with_prefix(&bytes));
            let resumed = state(&kept).expect("a state").chain_update(b"more");
            assert_eq!(
                resumed.finalize(),
                Hasher::new_with_prefix(&bytes).chain_update(b"more").finalize(),
                "{length}"
            );
            for at in 0..kept.len() {
                let mut damaged = kept.clone().into_bytes();
                damaged[at] = if damaged[at] == b'A' { b'B' } else { b'A' };
                assert!(state(std::str::from_utf8(&damaged).expect("text")).is_none(), "{length}, {at}");
            }
        }
        assert!(state("").is_none() && state("AAAA").is_none());
    }
}
