//! Which names of packages a suite holds otherwise than before: shards that are the same are not looked at.

use std::collections::BTreeSet;

use crate::digest::Sha256;
use crate::repo::cell::Cell;
use crate::repo::error::RepoError;
use crate::repo::record::{Identity, Record};
use crate::repo::root::Root;
use crate::repo::shard::{self, ShardReference};
use crate::repo::store::Store;

/// More shards that differ are not worth being compared one by one.
const SHARDS: usize = 64;

/// What a page shows of a record.
type Shown = (Identity, String, Sha256, Option<u8>);

/// The names whose packages differ between two roots of a suite; `None` when that is most of them.
pub(super) fn names(store: &Store, old: &Root, new: &Root) -> Result<Option<BTreeSet<String>>, RepoError> {
    let empty = Cell::default();
    let cells: BTreeSet<_> = old.cells.keys().chain(new.cells.keys()).collect();
    let mut pairs: Vec<(Vec<&ShardReference>, Vec<&ShardReference>)> = Vec::new();
    for name in cells {
        let old = old.cells.get(name).unwrap_or(&empty);
        let new = new.cells.get(name).unwrap_or(&empty);
        if old.bits == new.bits {
            for number in 0..old.shards.len().max(new.shards.len()) {
                if !old.at(number).eq(new.at(number)) {
                    pairs.push((old.at(number).collect(), new.at(number).collect()));
                }
            }
        } else {
            // Cut otherwise: every shard may have the packages of any other.
            pairs.push((old.present().collect(), new.present().collect()));
        }
    }
    if pairs.iter().map(|(old, new)| old.len() + new.len()).sum::<usize>() > 2 * SHARDS {
        return Ok(None);
    }
    let mut names = BTreeSet::new();
    for (old, new) in pairs {
        let (old, new) = (shown(store, &old)?, shown(store, &new)?);
        names.extend(old.symmetric_difference(&new).map(|(identity, ..)| identity.name.clone()));
    }
    Ok(Some(names))
}

fn shown(store: &Store, shards: &[&ShardReference]) -> Result<BTreeSet<Shown>, RepoError> {
    let mut all = BTreeSet::new();
    for shard in shards {
        let records = shard::records(store, shard)?;
        all.extend(
            records.into_iter().map(|Record { identity, place, sha256, phase, .. }| (identity, place, sha256, phase)),
        );
    }
    Ok(all)
}
