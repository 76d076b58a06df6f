//! zstd (RFC 8878): one frame put together from blocks that were compressed apart.
//!
//! dpkg reads one frame and no more, so there is never a second. zstd's own threads forget what lies further back than a
//! fraction of a window, and vendored trees are rich in distant twins: here a block is compressed with what stands before it
//! as prefix, long-distance matching on, which keeps nearly all of what one thread finds, on any number of them.
//!
//! The trap of joining: an encoder begins with the repeat offsets {1, 4, 8}, but the decoder comes from the block before
//! with others, and corrupts silently. So an encoder's are declared unknown before its first byte, as zstd does between its
//! own jobs. That is only right while prefix and block follow one another in memory.
#![allow(unsafe_code, reason = "the safe binding cannot reach what joins blocks")]

use std::ffi::{CStr, c_void};
use std::io;
use std::ops::Range;
use std::ptr::NonNull;

use zstd::zstd_safe::zstd_sys::{
    self as sys, ZSTD_CCtx, ZSTD_EndDirective, ZSTD_cParameter, ZSTD_inBuffer, ZSTD_outBuffer,
};

use super::codec::{Codec, Context, Stream};
use crate::format::compression::Effort;

const MIB: u64 = 1024 * 1024;
/// The largest window that decoders accept without being asked to.
const MAX_WINDOW_LOG: u32 = 27;
/// The smallest that is declared: below it nothing is saved.
const MIN_WINDOW_LOG: u32 = 17;
const MAGIC: [u8; 4] = 0xFD2F_B528_u32.to_le_bytes();
/// How many times as large as a block its context is at the most: to read it must not cost more than it brings.
const CONTEXT: u64 = 8;
/// A last block of no bytes, which ends a frame.
const LAST_BLOCK: [u8; 3] = [1, 0, 0];

unsafe extern "C" {
    // Public, but not stable: compresses without a copy of the input, as what was begun by `ZSTD_compressStream2` goes on.
    fn ZSTD_compressContinue(
        context: *mut ZSTD_CCtx,
        out: *mut c_void,
        capacity: usize,
        input: *const c_void,
        size: usize,
    ) -> usize;
    // Internal to the library, which is always the bundled one.
    fn ZSTD_invalidateRepCodes(context: *mut ZSTD_CCtx);
}

/// The compressor.
pub(super) struct Zstd {
    level: u32,
    /// Bytes before a block that it may refer to.
    context: u64,
    /// Bytes of the largest block.
    block: u64,
}

impl Zstd {
    /// With the settings for `effort`.
    pub(super) fn new(effort: Effort) -> Self {
        Self::with(level(effort), context(effort), BLOCK)
    }

    pub(super) fn with(level: u32, context: u64, block: u64) -> Self {
        Self { level, context, block }
    }

    /// How far a decoder has to remember an archive of `size` bytes.
    fn window(&self, size: u64) -> u64 {
        size.min(self.context + self.block)
    }
}

/// The level that an effort means.
pub(super) fn level(effort: Effort) -> u32 {
    match effort {
        Effort::Fast => 3,
        Effort::Default => 4,
        Effort::Small => 19,
    }
}

/// Bytes of the largest block. What is before each block is looked at once more for it: smaller ones take longer.
pub(super) const BLOCK: u64 = 32 * MIB;

/// Bytes before a block that it may refer to, for an effort.
fn context(effort: Effort) -> u64 {
    match effort {
        Effort::Fast => 16 * MIB,
        Effort::Default | Effort::Small => 64 * MIB,
    }
}

impl Codec for Zstd {
    fn edition(&self) -> String {
        format!("zstd 1, libzstd {}, level {}", zstd::zstd_safe::version_string(), self.level)
    }

    fn contexts(&self, ranges: &[Range<u64>]) -> Vec<Vec<Range<u64>>> {
        let context = |range: &Range<u64>| {
            let length = self.context.min((range.end - range.start).saturating_mul(CONTEXT));
            std::iter::once(range.start.saturating_sub(length)..range.start).collect()
        };
        ranges.iter().map(context).collect()
    }

    fn reach(&self) -> u64 {
        self.context
    }

    fn memory(&self) -> u64 {
        if self.level > 12 { 120 << 20 } else { 24 << 20 }
    }

    fn compress(&self, context: Context<'_>, block: &[u8]) -> io::Result<Vec<u8>> {
        let context = context.bytes;
        if (context.len() + block.len()) as u64 > self.context + self.block {
            return Err(io::Error::other("zstd was given a larger block than it was made for"));
        }
        if context.is_empty() || context.as_ptr_range().end == block.as_ptr() {
            return Encoder::begin(self.level, context, block.len())?.blocks(block);
        }
        let together = [context, block].concat();
        let (context, block) = together.split_at(context.len());
        Encoder::begin(self.level, context, block.len())?.blocks(block)
    }

    fn stream(&self) -> Box<dyn Stream + '_> {
        Box::new(Frame { codec: self })
    }
}

/// What stands around the blocks.
struct Frame<'a> {
    codec: &'a Zstd,
}

impl Stream for Frame<'_> {
    fn begin(&mut self, size: u64) -> Vec<u8> {
        // The content's size in eight bytes, a checksum, a window.
        let mut header = MAGIC.to_vec();
        header.push(0b1100_0100);
        header.push(window_descriptor(self.codec.window(size)));
        header.extend(size.to_le_bytes());
        header
    }

    fn add(&mut self, _unpacked: u64, packed: Vec<u8>) -> io::Result<Vec<u8>> {
        Ok(packed)
    }

    fn end(self: Box<Self>, checksum: Option<u64>) -> io::Result<Vec<u8>> {
        let checksum = checksum.ok_or_else(|| io::Error::other("zstd was given no checksum"))?;
        Ok([&LAST_BLOCK[..], &(checksum as u32).to_le_bytes()].concat())
    }
}

/// The smallest window that covers `size` bytes, as a frame's header tells it: a power of two and eighths of it.
fn window_descriptor(size: u64) -> u8 {
    let size = size.max(1 << MIN_WINDOW_LOG);
    let exponent = size.ilog2();
    let eighths = (size - (1 << exponent)).div_ceil(1 << (exponent - 3));
    // Eight eighths are the next power of two, and read as that.
    (((exponent - 10) << 3) as u64 + eighths) as u8
}

/// The smallest window of an encoder that covers `size` bytes.
fn window_log(size: u64) -> u32 {
    let covering = size.max(1).checked_next_power_of_two().map_or(64, u64::trailing_zeros);
    covering.clamp(MIN_WINDOW_LOG, MAX_WINDOW_LOG)
}

/// One block's encoder, new for each: what it writes depends on nothing that came before.
struct Encoder<'a> {
    context: NonNull<ZSTD_CCtx>,
    /// The library keeps a reference to it.
    prefix: &'a [u8],
}

impl<'a> Encoder<'a> {
    /// For a block of `size` bytes after `prefix`.
    fn begin(level: u32, prefix: &'a [u8], size: usize) -> io::Result<Self> {
        // SAFETY: it takes nothing, and gives null or a context that is freed once, when this is dropped.
        let context = NonNull::new(unsafe { sys::ZSTD_createCCtx() });
        let this = Self { context: context.ok_or(io::ErrorKind::OutOfMemory)?, prefix };
        let context = this.context.as_ptr();
        let covered = window_log((prefix.len() + size) as u64);
        for (parameter, value) in [
            (ZSTD_cParameter::ZSTD_c_compressionLevel, level),
            (ZSTD_cParameter::ZSTD_c_windowLog, covered),
            (ZSTD_cParameter::ZSTD_c_enableLongDistanceMatching, 1),
        ] {
            // SAFETY: the context is alive.
            check(unsafe { sys::ZSTD_CCtx_setParameter(context, parameter, value as i32) })?;
        }
        // SAFETY: the context is alive; `prefix` lives as long as it.
        unsafe {
            check(sys::ZSTD_CCtx_setPledgedSrcSize(context, size as u64))?;
            if !this.prefix.is_empty() {
                check(sys::ZSTD_CCtx_refPrefix(context, this.prefix.as_ptr().cast(), this.prefix.len()))?;
            }
        }
        // The settings take hold, the prefix is read; nothing is written.
        let mut nothing = [0_u8; 32];
        let mut out = ZSTD_outBuffer { dst: nothing.as_mut_ptr().cast(), size: nothing.len(), pos: 0 };
        let mut input = ZSTD_inBuffer { src: [].as_ptr(), size: 0, pos: 0 };
        // SAFETY: the context is alive; both buffers describe memory that is.
        check(unsafe { sys::ZSTD_compressStream2(context, &mut out, &mut input, ZSTD_EndDirective::ZSTD_e_continue) })?;
        // The header of a frame, which is not wanted.
        // SAFETY: the same; an empty input is not read.
        let header = unsafe {
            ZSTD_compressContinue(context, nothing.as_mut_ptr().cast(), nothing.len(), [0_u8; 0].as_ptr().cast(), 0)
        };
        check(header)?;
        // SAFETY: the context is alive.
        unsafe { ZSTD_invalidateRepCodes(context) };
        Ok(this)
    }

    /// `block`, which follows the prefix in memory, as blocks of the format, none of them the last one of its frame.
    fn blocks(self, block: &[u8]) -> io::Result<Vec<u8>> {
        // SAFETY: it takes a number.
        let capacity = check(unsafe { sys::ZSTD_compressBound(block.len()) })? + 1024;
        let mut packed: Vec<u8> = Vec::with_capacity(capacity);
        let out = packed.spare_capacity_mut();
        // SAFETY: the context is alive, both ranges are what they are said to be, and the library writes before it tells
        // how much it wrote.
        unsafe {
            let (context, input) = (self.context.as_ptr(), block.as_ptr().cast());
            let size = check(ZSTD_compressContinue(context, out.as_mut_ptr().cast(), out.len(), input, block.len()))?;
            packed.set_len(size);
        }
        packed.shrink_to_fit();
        Ok(packed)
    }
}

impl Drop for Encoder<'_> {
    fn drop(&mut self) {
        // SAFETY: it was made by `ZSTD_createCCtx`, and is freed here alone.
        unsafe { sys::ZSTD_freeCCtx(self.context.as_ptr()) };
    }
}

/// A result of the library as a result.
fn check(code: usize) -> io::Result<usize> {
    // SAFETY: both take a number; the text is a constant of the library.
    unsafe {
        if sys::ZSTD_isError(code) == 0 {
            return Ok(code);
        }
        let text = CStr::from_ptr(sys::ZSTD_getErrorName(code)).to_string_lossy();
        Err(io::Error::other(format!("zstd: {text}")))
    }
}

#[cfg(test)]
mod tests;
