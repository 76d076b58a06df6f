//! Back to an old generation, forward: its content under a new number and date.
//!
//! What a generation held comes back, phases included, which belong to packages. Options are as they are now: they are
//! what the administrator wants today.

use std::collections::HashSet;

use serde::Serialize;

use super::super::cell::Cell;
use super::super::error::RepoError;
use super::super::layout::Repository;
use super::super::root::{self, Root};
use super::super::shard::{self, ShardReference};
use super::super::store::Store;
use super::super::suite::Suite;
use super::actor::{Actor, thawed};

/// Which generation to go back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The one before the current one.
    Previous,
    /// The one of this number.
    Number(u64),
    /// The one that was current at this time, seconds since 1970-01-01 UTC.
    Time(i64),
}

/// What a rollback did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RolledBack {
    /// The suite.
    #[serde(flatten)]
    pub suite: Suite,
    /// The generation whose content came back.
    pub to: u64,
    /// The new generation; of a trial the one in place.
    pub generation: u64,
    /// How many packages it holds.
    pub packages: u64,
    /// Whether nothing was to be done: the suite holds what it held then.
    pub unchanged: bool,
}

/// Makes a suite hold what it held.
pub fn rollback(
    repository: &Repository,
    suite: &Suite,
    target: Target,
    actor: &Actor<'_>,
) -> Result<RolledBack, RepoError> {
    actor.alone(repository, |writer| {
        thawed(&writer.repository, suite)?;
        let mut change = writer.change(suite)?;
        let old = find(&writer.store, suite, target)?;
        let to = old.number;
        let held = |root: &Root| {
            let cells = root.cells.iter().filter(|(_, cell)| cell.count() > 0);
            cells.map(|(name, cell)| (name.clone(), cell.clone())).collect::<Vec<_>>()
        };
        let packages = old.count();
        if held(&old) == held(&change.base) {
            let generation = change.base.number;
            return Ok(RolledBack { suite: suite.clone(), to, generation, packages, unchanged: true });
        }
        complete(&writer.store, &change.base, &old)?;
        change.take_over(&old);
        change.note = format!("roll back to generation {to}");
        let now = actor.commit(writer, change)?;
        Ok(RolledBack { suite: suite.clone(), to, generation: now.number, packages, unchanged: false })
    })
}

/// The old generation.
fn find(store: &Store, suite: &Suite, target: Target) -> Result<Root, RepoError> {
    let mut oldest = None;
    let mut current = None;
    for root in root::history(store, suite) {
        let root = root?;
        let now = *current.get_or_insert(root.number);
        let found = match target {
            Target::Previous => root.number < now,
            Target::Number(number) => root.number == number,
            Target::Time(time) => root.date <= time,
        };
        if found {
            return Ok(root);
        }
        oldest = Some((root.number, root.date));
    }
    let what = match target {
        Target::Previous => format!("{suite} has no generation before the one in place"),
        Target::Number(number) => format!("{suite} has no generation {number} any more, or not yet"),
        Target::Time(_) => format!("{suite} has no generation as old as that any more"),
    };
    let hint = match (oldest, current) {
        (Some((oldest, _)), Some(current)) => {
            format!("it has those from {oldest} to {current}: see `packhouse repo log {}`", suite.name)
        }
        _ => "nothing was ever published there".to_owned(),
    };
    Err(RepoError::Unknown { what, hint, code: &crate::diagnostic::codes::UNKNOWN_SNAPSHOT })
}

/// An error that names what is missing of an old generation. What the current one has as well is there.
fn complete(store: &Store, current: &Root, old: &Root) -> Result<(), RepoError> {
    let shards =
        |root: &Root| -> Vec<ShardReference> { root.cells.values().flat_map(Cell::present).cloned().collect() };
    let held: HashSet<_> = shards(current).into_iter().map(|shard| shard.digest).collect();
    let mut missing = Vec::new();
    for reference in shards(old).into_iter().filter(|shard| !held.contains(&shard.digest)) {
        if !fs_err::metadata(store.path(&reference.path())).is_ok_and(|metadata| metadata.len() == reference.size()) {
            missing.push(reference.path());
            continue;
        }
        for record in shard::records(store, &reference)? {
            let further = record.further.iter().map(|file| (format!("{}/{}", old.suite.base(), file.place), file.size));
            let files = std::iter::once((record.path(&old.suite), record.size)).chain(further);
            let is_gone = |(place, size): &(String, u64)| {
                !fs_err::metadata(store.path(place)).is_ok_and(|metadata| metadata.len() == *size)
            };
            missing.extend(files.filter(is_gone).map(|(place, _)| place));
        }
    }
    match missing.is_empty() {
        true => Ok(()),
        false => Err(RepoError::refused_change(
            format!("files of generation {} of {} are gone", old.number, old.suite),
            missing,
            "publish what is missing again, or choose another generation".to_owned(),
        )),
    }
}
