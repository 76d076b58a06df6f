//! What the suites of a repository hold of the packages that are to be published.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use crate::repo::cell::shard_number;
use crate::repo::error::RepoError;
use crate::repo::record::{Identity, Record};
use crate::repo::root::Root;
use crate::repo::shard;
use crate::repo::store::Store;
use crate::repo::suite::{Kind, Suite};

/// Records by kind and identity, with the suites that have them.
pub(super) type Held = HashMap<(Kind, Identity), Vec<(Suite, Record)>>;

/// The records of all suites that have one of the `wanted` identities. Each shard is read at most once.
pub(super) fn find(
    store: &Store,
    roots: &BTreeMap<Suite, Root>,
    wanted: &HashSet<(Kind, &Identity)>,
) -> Result<Held, RepoError> {
    let mut shards = Vec::new();
    for (suite, root) in roots {
        for (name, cell) in &root.cells {
            let fits = |(kind, identity): &&(Kind, &Identity)| {
                *kind == suite.kind && (*kind == Kind::Yum || identity.architecture == name.architecture)
            };
            let numbers: BTreeSet<usize> =
                wanted.iter().filter(fits).map(|(_, identity)| shard_number(&identity.name, cell.bits)).collect();
            let present = numbers.into_iter().flat_map(|number| cell.at(number));
            shards.extend(present.map(|shard| (suite, shard)));
        }
    }
    let found = shards.into_par_iter().map(|(suite, shard)| {
        let mut records = shard::records(store, shard)?;
        records.retain(|record| wanted.contains(&(suite.kind, &record.identity)));
        Ok((suite, records))
    });
    let mut held = Held::new();
    for (suite, records) in found.collect::<Result<Vec<_>, RepoError>>()? {
        for record in records {
            held.entry((suite.kind, record.identity.clone())).or_default().push((suite.clone(), record));
        }
    }
    Ok(held)
}
