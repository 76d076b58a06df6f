//! What a compressor is to the packer.

use std::io;
use std::ops::Range;

/// A compressor whose output is put together from blocks that were compressed apart.
///
/// `begin`, then what `add` makes of each block's compressed bytes, in order and as `compress` gave them, then `end`: that is
/// one stream, which depends on nothing but the blocks and the settings.
pub(super) trait Codec: Sync {
    /// Everything that `compress` depends on beside its arguments: names, versions, settings. Part of a block's key.
    fn edition(&self) -> String;

    /// What stands before each of the blocks at `ranges` as its context: parts in a row, of which the last one ends where the
    /// block begins. A block's key has them too, each by itself.
    fn contexts(&self, ranges: &[Range<u64>]) -> Vec<Vec<Range<u64>>> {
        vec![Vec::new(); ranges.len()]
    }

    /// How long a context is at the most (bytes).
    fn reach(&self) -> u64 {
        0
    }

    /// Bytes that `compress` needs beside the block, its context and the result.
    fn memory(&self) -> u64;

    /// Compresses one block. Called from several threads at once.
    fn compress(&self, context: Context<'_>, block: &[u8]) -> io::Result<Vec<u8>>;

    /// The state of one stream.
    fn stream(&self) -> Box<dyn Stream + '_>;
}

/// What stands before a block.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Context<'a> {
    pub(super) bytes: &'a [u8],
    /// The lengths of its parts, in order.
    pub(super) parts: &'a [usize],
}

/// One stream being put together.
pub(super) trait Stream {
    /// What stands before the first block. `size` is that of the whole archive (bytes).
    fn begin(&mut self, size: u64) -> Vec<u8>;

    /// Takes a block of `unpacked` bytes, compressed to `packed`, and gives what is to be written now, which may be less or
    /// more than that: an error if it cannot be such a block.
    fn add(&mut self, unpacked: u64, packed: Vec<u8>) -> io::Result<Vec<u8>>;

    /// What stands after the last block. `checksum` is the XXH64 (seed 0) of the archive, if it was asked for.
    fn end(self: Box<Self>, checksum: Option<u64>) -> io::Result<Vec<u8>>;
}
