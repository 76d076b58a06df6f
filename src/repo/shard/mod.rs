//! Shards: content-addressed files that hold some packages of a cell, and all that indices need of them.
//!
//! A file `.packhouse/objects/ab/<sha256>` is one line of JSON (the records, in order of name, version and architecture,
//! each with the lengths of its texts), then for each stream of the cell the texts one after the other, then the same as
//! one gzip member. A served index is the concatenation of the members of its shards; what a change does not touch is
//! neither compressed nor written again.

mod read;
mod write;

use serde::{Deserialize, Serialize};

use super::record::Record;
use super::store::PRIVATE;
use crate::digest::Sha256;

#[allow(unused_imports)]
pub(super) use read::{Piece, entries, records, split};
#[allow(unused_imports)]
pub(super) use write::write;

/// What a root says of one shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Compact", into = "Compact")]
pub struct ShardReference {
    /// Of the whole file.
    pub digest: Sha256,
    /// How many records it has.
    pub count: u32,
    /// The length of its first line.
    pub head: u64,
    /// For each stream of the cell, how long its texts are, open and packed.
    pub streams: Vec<(u64, u64)>,
}

/// How a reference is written: roots have hundreds of them.
#[derive(Serialize, Deserialize)]
struct Compact(Sha256, u32, u64, Vec<(u64, u64)>);

impl From<Compact> for ShardReference {
    fn from(Compact(digest, count, head, streams): Compact) -> Self {
        Self { digest, count, head, streams }
    }
}

impl From<ShardReference> for Compact {
    fn from(ShardReference { digest, count, head, streams }: ShardReference) -> Self {
        Self(digest, count, head, streams)
    }
}

impl ShardReference {
    /// Its file, relative to the repository.
    pub(super) fn path(&self) -> String {
        object(self.digest)
    }

    /// How long its file is.
    pub(super) fn size(&self) -> u64 {
        self.head + self.streams.iter().map(|(open, packed)| open + packed).sum::<u64>()
    }
}

/// Where the object of this digest is, relative to the repository.
pub(super) fn object(digest: Sha256) -> String {
    let digest = digest.to_string();
    let directory: String = digest.chars().take(2).collect();
    format!("{PRIVATE}/objects/{directory}/{digest}")
}

/// A record as the first line of a shard has it.
#[derive(Serialize, Deserialize)]
struct Line {
    record: Record,
    /// The length of each of its texts.
    texts: Vec<u64>,
}
