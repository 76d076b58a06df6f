//! Reading shards: the records alone, records with texts, or the pieces that an index is put together from.

use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

use super::{Line, ShardReference};
use crate::repo::error::RepoError;
use crate::repo::record::{Entry, Record};
use crate::repo::store::Store;

/// The records of a shard, without their texts. The file's digest is not checked: the cheap way to look around.
pub(in crate::repo) fn records(store: &Store, shard: &ShardReference) -> Result<Vec<Record>, RepoError> {
    let mut file = BufReader::with_capacity(64 * 1024, open(store, shard)?).take(shard.head);
    let mut line = Vec::with_capacity(usize::try_from(shard.head).unwrap_or(0));
    file.read_until(b'\n', &mut line).map_err(failed(store, shard))?;
    Ok(parse(store, shard, &line)?.into_iter().map(|line| line.record).collect())
}

/// The records of a shard with their texts; an error when the file is not what its digest says.
pub(in crate::repo) fn entries(store: &Store, shard: &ShardReference) -> Result<Vec<Entry>, RepoError> {
    let mut content = Vec::new();
    open(store, shard)?.read_to_end(&mut content).map_err(failed(store, shard))?;
    if crate::digest::Sha256::of(&content) != shard.digest {
        return Err(damaged(store, shard, "its content is not what its name says"));
    }
    split(store, shard, &content)
}

/// The records and texts of a shard whose bytes are `content`, whatever its digest.
pub(in crate::repo) fn split(store: &Store, shard: &ShardReference, content: &[u8]) -> Result<Vec<Entry>, RepoError> {
    let short = || damaged(store, shard, "it is too short");
    let (head, mut rest) = content.split_at_checked(length(shard.head)).ok_or_else(short)?;
    let mut entries = Vec::new();
    let mut lengths = Vec::new();
    for line in parse(store, shard, head)? {
        entries.push(Entry { record: line.record, texts: Vec::with_capacity(line.texts.len()) });
        lengths.push(line.texts);
    }
    for (at, (open, packed)) in shard.streams.iter().enumerate() {
        let (mut texts, after) = rest.split_at_checked(length(*open)).ok_or_else(short)?;
        for (entry, lengths) in entries.iter_mut().zip(&lengths) {
            let wanted = lengths.get(at).copied().unwrap_or(0);
            let (own, others) = texts.split_at_checked(length(wanted)).ok_or_else(short)?;
            entry.texts.push(own.to_vec());
            texts = others;
        }
        rest = after.get(length(*packed)..).ok_or_else(short)?;
    }
    Ok(entries)
}

/// One stream of a shard, open or packed.
#[derive(Debug, Clone, Copy)]
pub(in crate::repo) struct Piece<'a> {
    pub(in crate::repo) shard: &'a ShardReference,
    /// Which stream of its cell.
    pub(in crate::repo) position: usize,
}

impl Piece<'_> {
    /// Reads the texts as they are, or the gzip member of them.
    pub(in crate::repo) fn open(&self, store: &Store, packed: bool) -> Result<impl Read + use<>, RepoError> {
        let before: u64 = self.shard.streams.iter().take(self.position).map(|(open, packed)| open + packed).sum();
        let (open_length, packed_length) = self.shard.streams.get(self.position).copied().unwrap_or((0, 0));
        let (skipped, length) = if packed { (open_length, packed_length) } else { (0, open_length) };
        let mut file = open(store, self.shard)?;
        let begin = SeekFrom::Start(self.shard.head + before + skipped);
        file.seek(begin).map_err(failed(store, self.shard))?;
        Ok(file.take(length))
    }
}

fn open(store: &Store, shard: &ShardReference) -> Result<fs_err::File, RepoError> {
    fs_err::File::open(store.path(&shard.path())).map_err(failed(store, shard))
}

fn parse(store: &Store, shard: &ShardReference, line: &[u8]) -> Result<Vec<Line>, RepoError> {
    serde_json::from_slice(line).map_err(|error| damaged(store, shard, &error.to_string()))
}

fn failed(_: &Store, _: &ShardReference) -> impl FnOnce(std::io::Error) -> RepoError {
    RepoError::io("a part of the repository's state could not be read")
}

fn damaged(store: &Store, shard: &ShardReference, reason: &str) -> RepoError {
    RepoError::BadState { path: store.path(&shard.path()), reason: reason.to_owned() }
}

fn length(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
