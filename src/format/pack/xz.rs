//! xz: one stream of blocks that were compressed apart, each with its own filter.
//!
//! Small blocks let a change touch little, but lose what they share with their neighbours. So they are compressed with what
//! is before them as preset dictionary, and are pieces of one block of the stream (`piece.rs`).
//!
//! What a large block is decides how it is treated, and its bytes tell: machine code of x86 gets the filter that was made for it
//! (1 to 6 % smaller for nothing), and what does not shrink is stored, because trying costs as much as compressing text. The filter
//! for 64-bit Arm is left out: it came with xz 5.4, and Debian 11 and EL 9 have 5.2.
//!
//! The settings were chosen by measurement: `docs/compression.md`.

mod block;
mod checksum;
mod container;
mod kind;
mod piece;
mod runs;

use std::io;
use std::ops::Range;

use self::block::Filter;
use self::piece::{Kind, Piece};
use super::codec::{self, Codec, Context};
use crate::format::compression::Effort;

/// Raised when this module comes to choose otherwise for the same bytes and settings.
const EDITION: u32 = 3;
const MIB: u32 = 1024 * 1024;
/// Samples for the probe, in bytes: one of `SAMPLE` of each `STRIDE`.
const SAMPLE: usize = 64 * 1024;
const STRIDE: usize = 512 * 1024;

/// The settings of LZMA2's encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Settings {
    /// The preset that gives what is not set here.
    preset: u32,
    /// A match of this length is taken without looking for a longer one.
    nice: u32,
    /// How many candidates are looked at.
    depth: u32,
    /// Hash chains instead of binary trees.
    hash_chains: bool,
    /// The largest dictionary, in bytes.
    dictionary: u32,
    /// What a byte is told by, where the preset does not say it (lc, lp, pb of LZMA): bits of the byte before it, of its place
    /// for literals and for matches.
    places: Option<(u32, u32, u32)>,
    /// Takes the longest match at once, instead of weighing what may follow.
    greedy: bool,
}

/// The compressor.
#[derive(Debug)]
pub(super) struct Xz {
    settings: Settings,
    /// For small blocks, if they are pieces that see what is before them.
    pieces: Option<Settings>,
    /// Blocks are parts of a program, each with settings for its kind.
    program: bool,
}

impl Xz {
    /// With the settings for `effort`.
    pub(super) fn new(effort: Effort) -> Self {
        let plain = Settings {
            preset: 6,
            nice: 24,
            depth: 8,
            hash_chains: true,
            dictionary: 8 * MIB,
            places: None,
            greedy: false,
        };
        let settings = match effort {
            Effort::Fast => Settings { preset: 1, nice: 128, depth: 8, dictionary: 4 * MIB, greedy: true, ..plain },
            Effort::Default => plain,
            Effort::Small => Settings { nice: 64, depth: 0, hash_chains: false, ..plain },
        };
        // Binary trees would take as long for what is before a piece as for the piece itself.
        let pieces = match effort {
            Effort::Fast => None,
            Effort::Default => Some(Settings { depth: 7, ..settings }),
            Effort::Small => Some(Settings { hash_chains: true, depth: 32, ..settings }),
        };
        Self { settings, pieces, program: false }
    }

    /// For a program that is made anew each time, so that little of it is ever kept, cut into its parts.
    pub(super) fn for_program() -> Self {
        Self { settings: kind::PLAIN, pieces: None, program: true }
    }
}

impl Codec for Xz {
    fn edition(&self) -> String {
        format!(
            "xz {EDITION}, liblzma {}, zstd {}, {:?}, {:?}{}",
            block::version(),
            zstd::zstd_safe::version_number(),
            self.settings,
            self.pieces,
            if self.program { ", parts of a program" } else { "" }
        )
    }

    fn contexts(&self, ranges: &[Range<u64>]) -> Vec<Vec<Range<u64>>> {
        runs::contexts(ranges, self.reach())
    }

    fn reach(&self) -> u64 {
        self.pieces.map_or(0, |pieces| u64::from(pieces.dictionary))
    }

    fn memory(&self) -> u64 {
        block::memory(&self.settings).max(self.pieces.as_ref().map_or(0, block::memory))
    }

    fn compress(&self, context: Context<'_>, block: &[u8]) -> io::Result<Vec<u8>> {
        let piece = match self.pieces {
            Some(settings) if is_piece(block)? => {
                let before = pieces_of(context)?;
                let kind = if before.is_empty() { Kind::Begins } else { Kind::GoesOn };
                let packed = block::chunks(before, block, &settings)?;
                Piece { kind, packed, checksum: block::checksum(block) }
            }
            _ => {
                let filter = filter(block)?;
                let suits = if self.program { kind::suits(block, filter) } else { (filter, self.settings) };
                Piece::block(block::encode(block, suits.0, &suits.1)?)
            }
        };
        Ok(piece.into_bytes())
    }

    fn stream(&self) -> Box<dyn codec::Stream + '_> {
        Box::new(container::Stream::new(self.settings.dictionary))
    }
}

/// The end of a context as far as its parts are pieces of the same block of the stream.
fn pieces_of(context: Context<'_>) -> io::Result<&[u8]> {
    let mut begin = context.bytes.len();
    for part in context.parts.iter().rev() {
        let (before, end) = (begin.saturating_sub(*part), begin);
        let part = context.bytes.get(before..end).unwrap_or_default();
        if !is_piece(part)? {
            break;
        }
        begin = before;
    }
    Ok(context.bytes.get(begin..).unwrap_or_default())
}

/// Whether a block may be a piece. Code may: what is before it serves programs that are small better than the filter.
fn is_piece(block: &[u8]) -> io::Result<bool> {
    Ok((1..=runs::LARGEST).contains(&(block.len() as u64)) && !is_incompressible(block)?)
}

/// How these bytes are best treated.
fn filter(block: &[u8]) -> io::Result<Filter> {
    Ok(if is_incompressible(block)? {
        Filter::Stored
    } else if is_x86(block) {
        Filter::X86
    } else {
        Filter::Plain
    })
}

/// Whether zstd's fastest level takes less than 1 % off an eighth of it.
fn is_incompressible(block: &[u8]) -> io::Result<bool> {
    let mut compressor = zstd::bulk::Compressor::new(1)?;
    let (mut before, mut after) = (0, 0);
    for sample in block.chunks(STRIDE).filter_map(|chunk| chunk.get(..SAMPLE.min(chunk.len()))) {
        before += sample.len();
        after += compressor.compress(sample)?.len();
    }
    Ok(after > before - before / 100)
}

/// Whether there is a near call of x86 (E8 and a distance below 16 MiB) in each kilobyte on average. Chance makes one in 32.
fn is_x86(block: &[u8]) -> bool {
    let calls = block.windows(5).filter(|bytes| matches!(bytes, [0xE8, .., 0x00 | 0xFF])).count();
    calls > block.len() / 1024
}

#[cfg(test)]
mod tests;
