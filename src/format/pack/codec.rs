//! What a compressor is to the packer.

use std::io;

/// A compressor whose output is put together from blocks that were compressed apart.
///
/// `begin`, then for each block in order its compressed bytes as `compress` gave them with `add` having been told of it, then
/// `end`: that is one stream, which depends on nothing but the blocks and the settings.
pub(super) trait Codec: Sync {
    /// Everything that `compress` depends on beside its arguments: names, versions, settings. Part of a block's key.
    fn edition(&self) -> String;

    /// How much of the archive before a block is its context (zstd's long distances), at the most. A block's key has it too.
    fn context(&self) -> u64 {
        0
    }

    /// Bytes that `compress` needs beside the block, its context and the result.
    fn memory(&self) -> u64;

    /// Compresses one block. Called from several threads at once.
    fn compress(&self, context: Option<&[u8]>, block: &[u8]) -> io::Result<Vec<u8>>;

    /// The state of one stream.
    fn stream(&self) -> Box<dyn Stream + '_>;
}

/// One stream being put together.
pub(super) trait Stream {
    /// What stands before the first block. `size` is that of the whole archive (bytes).
    fn begin(&mut self, size: u64) -> Vec<u8>;

    /// Takes note of a block of `unpacked` bytes, compressed to `packed`: an error if that cannot be such a block.
    fn add(&mut self, unpacked: u64, packed: &[u8]) -> io::Result<()>;

    /// What stands after the last block. `checksum` is the XXH64 (seed 0) of the archive, if it was asked for.
    fn end(self: Box<Self>, checksum: Option<u64>) -> io::Result<Vec<u8>>;
}
