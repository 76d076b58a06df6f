//! Puts back what follows from what is left: shards from their own texts and from the index, index files from shards, further
//! names from the files themselves, and a new generation where a signature or a root is gone.
//!
//! Each is compared with the digest that its root has of it, or made by the same commit that publishes: a repair never
//! guesses.

use std::io::Read as _;

use super::index::{self, names};
use super::{Cure, Report, shards_of, verify};
use crate::repo::cell::CellName;
use crate::repo::change::Change;
use crate::repo::commit::Committer;
use crate::repo::error::RepoError;
use crate::repo::import::index as packed;
use crate::repo::index::Planned;
use crate::repo::layout::Repository;
use crate::repo::page;
use crate::repo::root::{self, Root};
use crate::repo::shard::{self, ShardReference};
use crate::repo::sign::Signer;
use crate::repo::store::Store;
use crate::repo::suite::Suite;
use crate::repo::travel::snapshot::{self, SnapshotId};
use crate::repo::writer::Writer;
use crate::report::Reporter;

/// Verifies, repairs what can be repaired, and tells of all damage there was.
pub fn repair(
    repository: &Repository,
    signer: &Signer,
    time: i64,
    reporter: &dyn Reporter,
) -> Result<Report, RepoError> {
    let mut writer = Writer::new(Store::at(repository.root()), reporter)?;
    let by = Committer { signer, time, reporter };
    let mut report = verify(&writer.repository, reporter)?;
    // What others are made from comes first.
    let rank = |cure: &Cure| match cure {
        Cure::None => None,
        Cure::Shard(..) => Some(0),
        Cure::Index(..) => Some(1),
        Cure::Link { .. } => Some(2),
        Cure::Certificate => Some(3),
        Cure::Reinstate(_) => Some(4),
        Cure::Renew(_) => Some(5),
        Cure::Snippet(_) => Some(6),
        Cure::Snapshot(..) => Some(7),
    };
    let mut made: Vec<(Suite, Option<SnapshotId>)> = Vec::new();
    for round in 0..=7 {
        for at in 0..report.damages.len() {
            let Some(damage) = report.damages.get(at).filter(|damage| rank(&damage.cure) == Some(round)) else {
                continue;
            };
            let (cure, path) = (damage.cure.clone(), damage.path.clone());
            // Made anew as a whole, once for all that is wrong with it.
            let whole = match &cure {
                Cure::Renew(suite) | Cure::Reinstate(suite) => Some((suite.clone(), None)),
                Cure::Snapshot(suite, id) => Some((suite.clone(), Some(id.clone()))),
                _ => None,
            };
            let is_made = whole.as_ref().is_some_and(|whole| made.contains(whole));
            let repaired = is_made || apply(&mut writer, &cure, &path, &by)?;
            if repaired {
                made.extend(whole.filter(|_| !is_made));
            }
            if repaired {
                reporter.step("Repaired", &path);
            }
            if let Some(damage) = report.damages.get_mut(at) {
                damage.repaired = repaired;
            }
        }
        writer.store.barrier().map_err(failed())?;
    }
    let repository = writer.repository.clone();
    drop(writer);
    page::refresh(&repository, reporter);
    Ok(report)
}

fn apply(writer: &mut Writer, cure: &Cure, path: &str, by: &Committer<'_>) -> Result<bool, RepoError> {
    let store = &writer.store;
    match cure {
        Cure::None => Ok(false),
        Cure::Shard(suite, digest) => {
            let frozen = snapshot::kept(store)?.into_iter().map(|(_, root)| root).filter(|root| root.suite == *suite);
            for root in root::current(store, suite)?.into_iter().chain(frozen) {
                if let Some((name, _, _, shard)) = shards_of(&root).find(|(.., shard)| shard.digest == *digest) {
                    return rebuild(store, &root, name, shard);
                }
            }
            Ok(false)
        }
        Cure::Index(suite, file) => {
            let Some(root) = root::current(store, suite)? else { return Ok(false) };
            let Some(file) = root.files.iter().find(|held| held.path == *file) else { return Ok(false) };
            let Ok(copied) = crate::repo::index::again(store, &root, file) else { return Ok(false) };
            if (copied.size, copied.sha256) != file.packed {
                return Ok(false);
            }
            store.settle([&*copied.file]).map_err(failed())?;
            store.place(copied.file, &names(suite, file).0).map_err(failed())?;
            Ok(true)
        }
        Cure::Link { from } => store.link(from, path).map_err(failed()).map(|()| true),
        Cure::Certificate => {
            let certificate = by.signer.certificate();
            let content =
                if path.ends_with(".gpg") { certificate.binary()? } else { certificate.armored()?.into_bytes() };
            store.write(path, &content).map_err(failed())?;
            Ok(true)
        }
        Cure::Snippet(suite) => {
            let change = writer.change(suite)?;
            writer.commit(vec![change], by)?;
            Ok(true)
        }
        Cure::Snapshot(suite, id) => {
            let kept = snapshot::kept(store)?;
            let Some((_, root)) = kept.iter().find(|(held, root)| held == id && root.suite == *suite) else {
                return Ok(false);
            };
            let signer = &by.signer.clone().of(writer.repository.configuration())?;
            match snapshot::make(&writer.repository, store, root, id, signer, by.time) {
                Err(RepoError::BadState { .. }) => Ok(false),
                made => made.map(|()| true),
            }
        }
        Cure::Renew(suite) => {
            let mut change = writer.change(suite)?;
            change.note = "repair".to_owned();
            (change.renew, change.fresh) = (true, true);
            writer.commit(vec![change], by)?;
            Ok(true)
        }
        Cure::Reinstate(suite) => {
            let Some((digest, root)) = index::newest(store, suite)? else { return Ok(false) };
            let mut change = Change::on(root, Some(digest));
            change.note = "repair".to_owned();
            (change.renew, change.fresh) = (true, true);
            writer.commit(vec![change], by)?;
            Ok(true)
        }
    }
}

/// Writes a shard again from its first line and its texts, each as the shard itself or the index has it; whether one of these
/// is what the root says.
fn rebuild(store: &Store, root: &Root, name: &CellName, wanted: &ShardReference) -> Result<bool, RepoError> {
    let Ok(content) = fs_err::read(store.path(&wanted.path())) else { return Ok(false) };
    let streams = name.streams();
    let plans = root.planned(store)?;
    let others: Vec<Option<Vec<u8>>> =
        (0..streams.len()).map(|stream| in_index(store, root, &plans, wanted, stream)).collect();
    // Damage is in one place, as a rule: nowhere in the texts, in those of one stream, or all over the file.
    let none = vec![false; streams.len()];
    let single = (0..streams.len()).map(|chosen| (0..streams.len()).map(|stream| stream == chosen).collect());
    let ways = std::iter::once(none).chain(single).chain([vec![true; streams.len()]]);
    for way in ways {
        let mut patched = content.clone();
        let mut begin = usize::try_from(wanted.head).unwrap_or(usize::MAX);
        for ((replace, other), (open, packed)) in way.iter().zip(&others).zip(&wanted.streams) {
            let (open, packed) = (usize::try_from(*open).unwrap_or(0), usize::try_from(*packed).unwrap_or(0));
            if let (true, Some(text), Some(place)) =
                (*replace, other, patched.get_mut(begin..begin.saturating_add(open)))
                && text.len() == place.len()
            {
                place.copy_from_slice(text);
            }
            begin = begin.saturating_add(open + packed);
        }
        let Ok(entries) = shard::split(store, wanted, &patched) else { continue };
        store.remove(&wanted.path()).map_err(failed())?;
        if shard::write(store, entries, streams.len())? == *wanted {
            return Ok(true);
        }
        fs_err::write(store.path(&wanted.path()), &content).map_err(failed())?;
    }
    Ok(false)
}

/// The texts of one stream of a shard as a published index file has them.
fn in_index(store: &Store, root: &Root, plans: &[Planned], shard: &ShardReference, at: usize) -> Option<Vec<u8>> {
    let (planned, begin, length) = plans.iter().find_map(|planned| {
        let (begin, length) = planned.find(shard, at)?;
        Some((planned, begin, length))
    })?;
    let file = root.files.iter().find(|file| file.path == planned.path)?;
    let addressed = store.path(&names(&root.suite, file).0);
    let (size, digest) = file.packed;
    if index::differs(&addressed, size, digest).is_some() {
        return None;
    }
    let mut text = packed::open_form(&addressed, "gz").ok()?;
    std::io::copy(&mut text.by_ref().take(begin), &mut std::io::sink()).ok()?;
    let mut own = Vec::new();
    text.take(length).read_to_end(&mut own).ok()?;
    Some(own)
}

fn failed() -> impl FnOnce(std::io::Error) -> RepoError {
    RepoError::io("the repository could not be repaired")
}
