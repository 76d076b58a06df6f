//! The shards of a suite after a change: what is not touched stays, what is touched is written anew.

use std::collections::BTreeMap;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use crate::repo::cell::{Cell, CellName, shard_number};
use crate::repo::change::{Change, Edit, Put};
use crate::repo::error::RepoError;
use crate::repo::record::{Entry, Identity};
use crate::repo::shard::{self, ShardReference};
use crate::repo::store::Store;

/// What was added lately to a shard is at most such a part of it: a quarter.
const RECENT: usize = 4;

/// The cells as they are after the change.
pub(super) fn cells(store: &Store, change: &mut Change) -> Result<BTreeMap<CellName, Cell>, RepoError> {
    let mut cells = change.base.cells.clone();
    let names: Vec<CellName> = change.edits.keys().cloned().collect();
    for name in names {
        let held = cells.get(&name).cloned().unwrap_or_default();
        let edited = cell(store, change, &name, held)?;
        cells.insert(name, edited);
    }
    Ok(cells)
}

/// One cell after the change. It may have become empty: its index stays, for clients ask for it.
fn cell(store: &Store, change: &mut Change, name: &CellName, mut held: Cell) -> Result<Cell, RepoError> {
    let Some(edit) = change.edits.get(name) else { return Ok(held) };
    // At most so many: what is put may replace something.
    let expected = (held.count() + edit.put.len() as u64).saturating_sub(edit.removed.len() as u64);
    let bits = Cell::bits_for(expected, held.bits);
    if bits != held.bits {
        // Cut anew: everything is put once more.
        for entry in held.entries(store) {
            let entry = entry?;
            if !change.edits.get(name).is_some_and(|edit| edit.supersedes(&entry.record.identity)) {
                change.put(store, entry)?;
            }
        }
        held = Cell::default();
    }
    let Some(edit) = change.edits.get(name) else { return Ok(held) };
    let mut touched: BTreeMap<usize, Vec<(&Identity, Option<&Put>)>> = BTreeMap::new();
    let put = edit.put.iter().map(|put| (&put.record.identity, Some(put)));
    for (identity, put) in put.chain(edit.removed.iter().map(|identity| (identity, None))) {
        touched.entry(shard_number(&identity.name, bits)).or_default().push((identity, put));
    }
    let touched: Vec<_> = touched.into_iter().collect();
    let streams = name.streams().len();
    let written = touched.into_par_iter().map(|(number, changes)| {
        let settled = held.shards.get(number).and_then(Option::as_ref);
        let put = changes.into_iter().filter_map(|(_, put)| put).collect();
        Ok((number, both(store, settled, held.recent.get(&number), edit, put, streams)?))
    });
    let written = written.collect::<Result<Vec<_>, RepoError>>()?;
    let Cell { mut shards, mut recent, .. } = held;
    shards.resize(1 << bits, None);
    for (number, (settled, added)) in written {
        if let Some(place) = shards.get_mut(number) {
            *place = settled;
        }
        recent.remove(&number);
        recent.extend(added.map(|added| (number, added)));
    }
    Ok(Cell { bits, shards, recent })
}

/// The shards of one number after the change. What is put goes to what was added lately; when that has become a part of the
/// settled shard that matters, to that.
fn both(
    store: &Store,
    settled: Option<&ShardReference>,
    recent: Option<&ShardReference>,
    edit: &Edit,
    put: Vec<&Put>,
    streams: usize,
) -> Result<(Option<ShardReference>, Option<ShardReference>), RepoError> {
    let added = recent.map_or(0, |shard| shard.count as usize) + put.len();
    let Some(settled) = settled.filter(|settled| added <= settled.count as usize / RECENT) else {
        let before = settled.into_iter().chain(recent);
        return Ok((one(store, before, edit, put, streams)?, None));
    };
    let touched = shard::records(store, settled)?.iter().any(|record| edit.supersedes(&record.identity));
    let kept = if touched { one(store, Some(settled), edit, Vec::new(), streams)? } else { Some(settled.clone()) };
    Ok((kept, one(store, recent, edit, put, streams)?))
}

/// One shard after the change; none when nothing is left in it.
fn one<'a>(
    store: &Store,
    before: impl IntoIterator<Item = &'a ShardReference>,
    edit: &Edit,
    put: Vec<&Put>,
    streams: usize,
) -> Result<Option<ShardReference>, RepoError> {
    let mut entries = Vec::new();
    for shard in before {
        entries.append(&mut shard::entries(store, shard)?);
    }
    entries.retain(|entry| !edit.supersedes(&entry.record.identity));
    for put in put {
        entries.push(Entry { record: put.record.clone(), texts: put.texts.read()? });
    }
    entries.sort_by(|left, right| left.record.identity.cmp(&right.record.identity));
    if entries.is_empty() {
        return Ok(None);
    }
    shard::write(store, entries, streams).map(Some)
}
