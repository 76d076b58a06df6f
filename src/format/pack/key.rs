//! What a compressed block is kept by: the hash of what it was made from, without reading that.
//!
//! Contents are told by the digests that the tree has of them, headers by their bytes; with them go the compressor's edition
//! and what stands before the block, where that is its context.

use std::ops::Range;

use sha2::{Digest as _, Sha256 as Sha256Hasher};
use twox_hash::XxHash64;

use super::codec::Codec;
use super::plan::{Plan, Segment};
use super::schedule::{Digests, Wants};
use crate::cache::Blocks;
use crate::digest::Sha256;

/// Raised when a key comes to mean something else.
const EDITION: u32 = 2;

/// The keys of an archive's blocks.
pub(super) struct Keys {
    blocks: Vec<Sha256>,
}

impl Keys {
    /// Those of the blocks of `plan` at `ranges`, after these contexts.
    pub(super) fn of(plan: &Plan<'_>, codec: &dyn Codec, ranges: &[Range<u64>], contexts: &[Vec<Range<u64>>]) -> Self {
        let settings = format!("packhouse block {EDITION}\n{}\n", codec.edition());
        let key = |(range, context): (&Range<u64>, &Vec<Range<u64>>)| {
            let mut hasher = Sha256Hasher::new();
            hasher.update(settings.as_bytes());
            context.iter().chain([range]).for_each(|range| add(&mut hasher, plan, range.clone()));
            Sha256(hasher.finalize().into())
        };
        Self { blocks: ranges.iter().zip(contexts).map(key).collect() }
    }

    /// One for each block.
    pub(super) fn blocks(&self) -> &[Sha256] {
        &self.blocks
    }

    /// The digests of the archive that was made of these blocks before, if those that are wanted were taken.
    pub(super) fn digests(&self, blocks: &Blocks, wants: Wants) -> Option<Digests> {
        let kept = blocks.get(self.archive(wants))?;
        let (sha256, xxh64) = kept.split_first_chunk::<32>()?;
        let xxh64 = u64::from_le_bytes(xxh64.try_into().ok()?);
        let (sha256, xxh64) = (wants.sha256.then_some(Sha256(*sha256)), wants.xxh64.then_some(xxh64));
        Some(Digests { sha256, xxh64, first: None })
    }

    /// Keeps those digests.
    pub(super) fn keep_digests(&self, blocks: &Blocks, wants: Wants, digests: &Digests) {
        let sha256 = digests.sha256.map_or([0; 32], |sha256| sha256.0);
        let xxh64 = digests.xxh64.unwrap_or_default().to_le_bytes();
        blocks.put(self.archive(wants), &[&sha256[..], &xxh64].concat());
    }

    /// The checksum of an archive that begins with the first so many of these blocks, after them, if it was taken.
    pub(super) fn checksum(&self, blocks: &Blocks, first: usize) -> Option<XxHash64> {
        serde_json::from_slice(&blocks.get(self.part(first))?).ok()
    }

    /// Keeps that checksum.
    pub(super) fn keep_checksum(&self, blocks: &Blocks, first: usize, checksum: &XxHash64) {
        if let Ok(text) = serde_json::to_vec(checksum) {
            blocks.put(self.part(first), &text);
        }
    }

    fn part(&self, first: usize) -> Sha256 {
        let mut hasher = Sha256Hasher::new();
        hasher.update(format!("packhouse part {EDITION}\n"));
        self.blocks.iter().take(first).for_each(|key| hasher.update(key.0));
        Sha256(hasher.finalize().into())
    }

    fn archive(&self, wants: Wants) -> Sha256 {
        let mut hasher = Sha256Hasher::new();
        hasher.update(format!("packhouse archive {EDITION} {wants:?}\n"));
        self.blocks.iter().for_each(|key| hasher.update(key.0));
        Sha256(hasher.finalize().into())
    }
}

/// Adds what stands in a range: each part with its kind and length, so that no two mean the same.
fn add(hasher: &mut Sha256Hasher, plan: &Plan<'_>, range: Range<u64>) {
    hasher.update(b"range");
    for segment in plan.segments(range) {
        match segment {
            Segment::Bytes(bytes) => {
                hasher.update(b"bytes");
                hasher.update((bytes.len() as u64).to_le_bytes());
                hasher.update(bytes);
            }
            Segment::Zeros(length) => {
                hasher.update(b"zeros");
                hasher.update(length.to_le_bytes());
            }
            Segment::Content { content, offset, length, .. } => {
                hasher.update(b"content");
                hasher.update(content.digests.sha256.0);
                hasher.update(content.digests.size.to_le_bytes());
                hasher.update(offset.to_le_bytes());
                hasher.update(length.to_le_bytes());
            }
        }
    }
}
