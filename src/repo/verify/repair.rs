//! Puts back what follows from what is left: shards from their own texts and from the index, index files from shards, further
//! names from the files themselves, and a new generation where a signature or a root is gone.
//!
//! Each is compared with the digest that its root has of it, or made by the same commit that publishes: a repair never
//! guesses.

use super::index::{self, names};
use super::{Cure, Report, shards_of, verify};
use crate::digest::Sha256;
use crate::repo::cell::{CellName, Stream};
use crate::repo::change::Change;
use crate::repo::commit::Committer;
use crate::repo::error::RepoError;
use crate::repo::import::index as packed;
use crate::repo::layout::Repository;
use crate::repo::root::{self, Root};
use crate::repo::shard::{self, ShardReference};
use crate::repo::sign::Signer;
use crate::repo::store::Store;
use crate::repo::suite::{Kind, Suite};
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
    };
    let mut renewed: Vec<Suite> = Vec::new();
    for round in 0..=6 {
        for at in 0..report.damages.len() {
            let Some(damage) = report.damages.get(at).filter(|damage| rank(&damage.cure) == Some(round)) else {
                continue;
            };
            let (cure, path) = (damage.cure.clone(), damage.path.clone());
            let repaired = match &cure {
                Cure::Renew(suite) | Cure::Reinstate(suite) if renewed.contains(suite) => true,
                _ => apply(&mut writer, &cure, &path, &by)?,
            };
            if let (true, Cure::Renew(suite) | Cure::Reinstate(suite)) = (repaired, cure) {
                renewed.push(suite);
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
    Ok(report)
}

fn apply(writer: &mut Writer, cure: &Cure, path: &str, by: &Committer<'_>) -> Result<bool, RepoError> {
    let store = &writer.store;
    match cure {
        Cure::None => Ok(false),
        Cure::Shard(suite, name, at) => {
            let Some(root) = root::current(store, suite)? else { return Ok(false) };
            let found = shards_of(&root).find(|(held, number, ..)| *held == name && number == at);
            let Some((_, _, _, reference)) = found else { return Ok(false) };
            rebuild(store, &root, name, *at, reference)
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
        Cure::Renew(suite) => {
            let mut change = writer.change(suite)?;
            change.note = "repair".to_owned();
            change.renew = true;
            writer.commit(vec![change], by)?;
            Ok(true)
        }
        Cure::Reinstate(suite) => {
            let Some((digest, root)) = index::newest(store, suite)? else { return Ok(false) };
            let mut change = Change::on(root, Some(digest));
            change.note = "repair".to_owned();
            change.renew = true;
            writer.commit(vec![change], by)?;
            Ok(true)
        }
    }
}

/// Writes a shard again from its first line and its texts, each as the shard itself or the index has it; whether one of these
/// is what the root says.
fn rebuild(store: &Store, root: &Root, name: &CellName, at: usize, wanted: &ShardReference) -> Result<bool, RepoError> {
    let Ok(content) = fs_err::read(store.path(&wanted.path())) else { return Ok(false) };
    let streams = name.streams();
    let others: Vec<Option<Vec<u8>>> = streams.iter().map(|stream| in_index(store, root, name, at, *stream)).collect();
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

/// The texts of one stream of a shard as the published index has them.
fn in_index(store: &Store, root: &Root, name: &CellName, at: usize, stream: Stream) -> Option<Vec<u8>> {
    let path = match (root.suite.kind, stream) {
        (Kind::Apt, Stream::Packages) => format!("{}/binary-{}/Packages", name.component, name.architecture),
        (Kind::Apt, Stream::Sources) => format!("{}/source/Sources", name.component),
        (Kind::Yum, Stream::Primary) => "primary".to_owned(),
        (Kind::Yum, Stream::Filelists) => "filelists".to_owned(),
        (Kind::Yum, Stream::Other) => "other".to_owned(),
        _ => return None,
    };
    let file = root.files.iter().find(|file| file.path == path)?;
    let addressed = store.path(&names(&root.suite, file).0);
    let mut text = Vec::new();
    std::io::Read::read_to_end(&mut packed::open_form(&addressed, "gz").ok()?, &mut text).ok()?;
    if Sha256::of(&text) != file.open.1 {
        return None;
    }
    let position = name.position(stream)?;
    let length = |shard: &ShardReference| shard.streams.get(position).map_or(0, |(open, _)| *open);
    let cell = root.cells.get(name)?;
    let all: u64 = cell.present().map(length).sum();
    let before: u64 = cell.shards.iter().take(at).flatten().map(length).sum();
    // A document has a head and a foot around its elements.
    let foot = match stream {
        Stream::Primary => "</metadata>\n".len() as u64,
        Stream::Filelists => "</filelists>\n".len() as u64,
        Stream::Other => "</otherdata>\n".len() as u64,
        _ => 0,
    };
    let head = if root.suite.kind == Kind::Yum { file.open.0.checked_sub(all + foot)? } else { 0 };
    let begin = usize::try_from(head + before).ok()?;
    let end = begin.checked_add(usize::try_from(length(cell.shards.get(at)?.as_ref()?)).ok()?)?;
    text.get(begin..end).map(<[u8]>::to_vec)
}

fn failed() -> impl FnOnce(std::io::Error) -> RepoError {
    RepoError::io("the repository could not be repaired")
}
