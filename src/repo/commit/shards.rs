//! The shards of a suite after a change: what is not touched stays, what is touched is written anew.

use std::collections::BTreeMap;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use crate::repo::cell::{Cell, CellName, shard_number};
use crate::repo::change::{Change, Edit, Put};
use crate::repo::error::RepoError;
use crate::repo::record::{Entry, Identity};
use crate::repo::shard::{self, ShardReference};
use crate::repo::store::Store;

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
    let put = edit.put.iter().map(|(identity, put)| (identity, Some(put)));
    for (identity, put) in put.chain(edit.removed.iter().map(|identity| (identity, None))) {
        touched.entry(shard_number(&identity.name, bits)).or_default().push((identity, put));
    }
    let touched: Vec<_> = touched.into_iter().collect();
    let streams = name.streams().len();
    let written = touched.into_par_iter().map(|(number, changes)| {
        let before = held.shards.get(number).and_then(Option::as_ref);
        Ok((number, one(store, before, edit, changes, streams)?))
    });
    let written = written.collect::<Result<Vec<_>, RepoError>>()?;
    let mut shards = held.shards;
    shards.resize(1 << bits, None);
    for (number, shard) in written {
        if let Some(place) = shards.get_mut(number) {
            *place = shard;
        }
    }
    Ok(Cell { bits, shards })
}

/// One shard after the change; none when nothing is left in it.
fn one(
    store: &Store,
    before: Option<&ShardReference>,
    edit: &Edit,
    changes: Vec<(&Identity, Option<&Put>)>,
    streams: usize,
) -> Result<Option<ShardReference>, RepoError> {
    let mut entries = match before {
        Some(shard) => shard::entries(store, shard)?,
        None => Vec::new(),
    };
    entries.retain(|entry| !edit.supersedes(&entry.record.identity));
    for put in changes.into_iter().filter_map(|(_, put)| put) {
        entries.push(Entry { record: put.record.clone(), texts: put.texts.read()? });
    }
    entries.sort_by(|left, right| left.record.identity.cmp(&right.record.identity));
    if entries.is_empty() {
        return Ok(None);
    }
    shard::write(store, entries, streams).map(Some)
}
