//! Reads the relations of whole suites: many texts, of which few matter.

use std::io::Read as _;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use super::{Names, Package};
use crate::repo::cell::{CellName, Stream};
use crate::repo::change::Change;
use crate::repo::error::RepoError;
use crate::repo::root::Root;
use crate::repo::shard::{Piece, ShardReference};
use crate::repo::store::Store;
use crate::repo::suite::Kind;

/// The packages of a root that `pick` says yes to, among those that `names` lets through.
pub(in crate::repo::travel) fn in_root(
    store: &Store,
    root: &Root,
    pick: &(dyn Fn(&Package) -> bool + Sync),
    names: &Names<'_>,
) -> Result<Vec<Package>, RepoError> {
    let kind = root.suite.kind;
    let shards: Vec<(&ShardReference, usize)> = root
        .cells
        .iter()
        .filter_map(|(name, cell)| Some((cell, position(name)?)))
        .flat_map(|(cell, position)| cell.present().map(move |shard| (shard, position)))
        .collect();
    let found = shards.into_par_iter().map(|(shard, position)| {
        let mut bytes = Vec::new();
        let failed = RepoError::io("a part of the repository's state could not be read");
        Piece { shard, position }.open(store, false)?.read_to_end(&mut bytes).map_err(failed)?;
        let text = String::from_utf8_lossy(&bytes);
        let texts = split(kind, &text).filter(|text| names.may_be(kind, text));
        Ok(texts.filter_map(|text| Package::read(kind, text)).filter(|package| pick(package)).collect())
    });
    let found: Vec<Vec<Package>> = found.collect::<Result<_, RepoError>>()?;
    Ok(found.concat())
}

/// The same of a suite as a change makes it.
pub(in crate::repo::travel) fn in_change(
    store: &Store,
    change: &Change,
    pick: &(dyn Fn(&Package) -> bool + Sync),
    names: &Names<'_>,
) -> Result<Vec<Package>, RepoError> {
    let kind = change.suite().kind;
    let stays =
        |package: &Package| !change.edits.values().any(|edit| edit.supersedes(&package.identity)) && pick(package);
    let mut found = in_root(store, &change.base, &stays, names)?;
    for (name, edit) in &change.edits {
        let Some(position) = position(name) else { continue };
        for put in &edit.put {
            let texts = put.texts.read()?;
            let Some(text) = texts.get(position) else { continue };
            let text = String::from_utf8_lossy(text);
            if names.may_be(kind, &text) {
                found.extend(Package::read(kind, &text).filter(|package| pick(package)));
            }
        }
    }
    Ok(found)
}

/// The stream that has relations; sources have none that machines must satisfy.
fn position(cell: &CellName) -> Option<usize> {
    cell.position(Stream::Packages).or_else(|| cell.position(Stream::Primary))
}

/// The stanzas or elements of a text.
fn split(kind: Kind, text: &str) -> impl Iterator<Item = &str> {
    let end = match kind {
        Kind::Apt => "\n\n",
        Kind::Yum => "</package>\n",
    };
    text.split_inclusive(end)
}
