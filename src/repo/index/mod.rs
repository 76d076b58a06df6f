//! Index files, put together from the members of shards.

mod build;
mod mark;

use std::io::{self, Read};
use std::ops::Range;

use sha2::Digest as _;

use super::cell::{Cell, CellName, Stream};
use super::compress;
use super::error::RepoError;
use super::root::{IndexFile, Root};
use super::shard::{Piece, ShardReference};
use super::store::{Copied, Store};
use crate::digest::Sha256;

pub(super) use build::{Built, Content, Held, build};
pub(super) use mark::Mark;

/// How much is read, hashed and written at once.
const BUFFER: usize = 256 << 10;

/// What an index file is to be made of.
#[derive(Debug, Clone, Default)]
pub(super) struct Planned {
    /// See [`IndexFile::path`].
    pub(super) path: String,
    /// Text before all others.
    pub(super) head: Vec<u8>,
    /// A stream of each of these shards; its position among the streams of its cell.
    pub(super) pieces: Vec<(ShardReference, usize)>,
    /// How many of them are of settled shards, which come first.
    pub(super) settled: usize,
    /// Text after all others.
    pub(super) tail: Vec<u8>,
    /// Whether clients are told the digest of the open form.
    pub(super) is_listed_open: bool,
}

impl Planned {
    /// The file at `path` of one stream of some cells, in order: first what is settled in all of them, then what was added.
    pub(super) fn of<'a>(
        path: String,
        stream: Stream,
        cells: impl IntoIterator<Item = (&'a CellName, &'a Cell)>,
    ) -> Self {
        let (mut pieces, mut recent) = (Vec::new(), Vec::new());
        for (name, cell) in cells {
            let Some(position) = name.position(stream) else { continue };
            let has_any = |shard: &&ShardReference| shard.streams.get(position).is_some_and(|(open, _)| *open > 0);
            pieces.extend(cell.settled().filter(has_any).map(|shard| (shard.clone(), position)));
            recent.extend(cell.recent.values().filter(has_any).map(|shard| (shard.clone(), position)));
        }
        let settled = pieces.len();
        pieces.append(&mut recent);
        Self { path, pieces, settled, is_listed_open: true, ..Self::default() }
    }

    /// What it begins with, as far as each of its pieces, none and all included: equal digests, equal beginnings.
    fn beginnings(&self) -> Vec<Sha256> {
        let mut hasher = sha2::Sha256::new();
        hasher.update((self.head.len() as u64).to_be_bytes());
        hasher.update(&self.head);
        let mut beginnings = vec![Sha256(hasher.clone().finalize().into())];
        for (shard, position) in &self.pieces {
            hasher.update(shard.digest.0);
            hasher.update((*position as u64).to_be_bytes());
            beginnings.push(Sha256(hasher.clone().finalize().into()));
        }
        beginnings
    }

    /// Of a file that begins so: equal keys, equal files.
    fn key(&self, beginning: Sha256) -> Sha256 {
        Sha256(sha2::Sha256::new_with_prefix(beginning.0).chain_update(&self.tail).finalize().into())
    }

    /// Bytes of the open form.
    fn size(&self) -> u64 {
        (self.head.len() + self.tail.len()) as u64 + self.length(self.pieces.len(), false)
    }

    /// Bytes of the first pieces together, open or packed.
    fn length(&self, count: usize, packed: bool) -> u64 {
        let lengths = self.pieces.iter().take(count).filter_map(|(shard, position)| shard.streams.get(*position));
        lengths.map(|(open, small)| if packed { *small } else { *open }).sum()
    }

    /// Where a stream of a shard stands in the open form, and how long it is.
    pub(super) fn find(&self, shard: &ShardReference, position: usize) -> Option<(u64, u64)> {
        let at = self.pieces.iter().position(|(held, at)| held.digest == shard.digest && *at == position)?;
        let begin = self.length(at, false);
        Some((self.head.len() as u64 + begin, self.length(at + 1, false) - begin))
    }

    /// Gives the part of the file that some of its pieces are to `each`, open or packed, bit by bit; with the first piece
    /// comes what is before it, with the last what is after it.
    fn read(
        &self,
        store: &Store,
        packed: bool,
        pieces: Range<usize>,
        each: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), RepoError> {
        let failed = || RepoError::io("an index could not be written");
        let form = |text: &[u8]| if packed { compress::member(text) } else { Ok(text.to_vec()) };
        let is_empty = self.head.is_empty() && self.pieces.is_empty() && self.tail.is_empty();
        if pieces.start == 0 && (!self.head.is_empty() || is_empty) {
            each(&form(&self.head).map_err(failed())?).map_err(failed())?;
        }
        let mut buffer = vec![0; BUFFER];
        for (shard, position) in self.pieces.get(pieces.clone()).unwrap_or_default() {
            let mut reader = Piece { shard, position: *position }.open(store, packed)?;
            loop {
                let length = match reader.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(length) => length,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => return Err(failed()(error)),
                };
                each(buffer.get(..length).unwrap_or_default()).map_err(failed())?;
            }
        }
        if pieces.end == self.pieces.len() && !self.tail.is_empty() {
            each(&form(&self.tail).map_err(failed())?).map_err(failed())?;
        }
        Ok(())
    }
}

/// The gzip form of an index file of a root, made again from its shards.
pub(super) fn again(store: &Store, root: &Root, file: &IndexFile) -> Result<Copied, RepoError> {
    let failed = || RepoError::io("an index could not be written");
    let planned = root.planned(store)?.into_iter().find(|planned| planned.path == file.path);
    let mut result = Ok(());
    let copied = store.produce(|writer| -> io::Result<()> {
        if let Some(planned) = planned {
            let all = 0..planned.pieces.len();
            result = planned.read(store, true, all, &mut |bytes| writer.write_all(bytes));
        }
        Ok(())
    });
    result?;
    copied.map_err(failed())
}
