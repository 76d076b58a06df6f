//! Shards: whether each is what its name says, whether its gzip members are its texts, and whether it holds what belongs there.

use rayon::prelude::*;

use super::index::differs;
use super::{Cure, Damage, shards_of};
use crate::repo::cell::{CellName, Stream, shard_number};
use crate::repo::error::RepoError;
use crate::repo::record::Entry;
use crate::repo::root::Root;
use crate::repo::shard::{self, ShardReference};
use crate::repo::store::Store;
use crate::repo::suite::Kind;

/// Looks at every shard of a root. Gives how many there are.
pub(super) fn check(store: &Store, root: &Root, damages: &mut Vec<Damage>) -> Result<u64, RepoError> {
    let all: Vec<_> = shards_of(root).collect();
    let judged: Vec<Option<Damage>> =
        all.par_iter().map(|(name, at, bits, shard)| judge(store, root, name, *at, *bits, shard)).collect();
    damages.extend(judged.into_iter().flatten());
    Ok(all.len() as u64)
}

fn judge(store: &Store, root: &Root, name: &CellName, at: usize, bits: u32, shard: &ShardReference) -> Option<Damage> {
    let path = shard.path();
    let cure = Cure::Shard(root.suite.clone(), shard.digest);
    let lost = format!("{} packages of {name} in the {} cannot be changed", shard.count, root.suite);
    if let Some(what) = differs(&store.path(&path), shard.size(), shard.digest) {
        return Some(Damage::new(path, what, lost, cure));
    }
    // What its digest vouches for was written so: a mistake of the program, which nothing here can undo.
    let broken = |what: String| Some(Damage::new(&path, what, &lost, Cure::None));
    let entries = match shard::entries(store, shard) {
        Ok(entries) => entries,
        Err(error) => return broken(error.to_string()),
    };
    if entries.len() != shard.count as usize {
        return broken(format!("it has {} records, its root says {}", entries.len(), shard.count));
    }
    let foreign = |entry: &&Entry| {
        let record = &entry.record;
        record.cell(root.suite.kind) != *name || shard_number(&record.identity.name, bits) != at
    };
    if let Some(entry) = entries.iter().find(foreign) {
        return broken(format!("{} belongs to another part of the suite", entry.record.identity));
    }
    let is_not_told = |entry: &&Entry| {
        let stream = match (root.suite.kind, name.architecture.as_str()) {
            (Kind::Yum, _) => Stream::Primary,
            (Kind::Apt, "source") => Stream::Sources,
            (Kind::Apt, _) => Stream::Packages,
        };
        let text = String::from_utf8_lossy(entry.text(&root.suite, stream)).into_owned();
        !text.contains(&entry.record.sha256.to_string())
    };
    if let Some(entry) = entries.iter().find(is_not_told) {
        return broken(format!("its text of {} names another file", entry.record.identity));
    }
    let mut order = entries.windows(2).filter_map(|pair| match pair {
        [one, two] if one.record.identity >= two.record.identity => Some(&two.record.identity),
        _ => None,
    });
    order.next().and_then(|identity| broken(format!("{identity} is not in its place")))
}
