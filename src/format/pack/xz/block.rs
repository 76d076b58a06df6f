//! One block of an .xz stream, or a piece of one, by liblzma. With `src/sandbox/namespaces.rs` the only module with `unsafe`: the `liblzma` crate
//! has no safe way to encode one by itself.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_void};
use std::io;
use std::mem::zeroed;
use std::ptr;

use liblzma_sys as lzma;

use super::Settings;

/// What is done to a block's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filter {
    /// Stored: chunks of LZMA2 that are not compressed.
    Stored,
    /// LZMA2.
    Plain,
    /// LZMA2 after jumps of x86 machine code were made absolute, which makes calls of one function look alike.
    X86,
    /// LZMA2 of the differences between the bytes of records of this length.
    Records(u8),
}

/// The version of liblzma that is linked.
pub(super) fn version() -> &'static str {
    // SAFETY: it takes nothing and gives a static text that ends in NUL.
    unsafe { CStr::from_ptr(lzma::lzma_version_string()) }.to_str().unwrap_or("unknown")
}

/// The CRC64 of `bytes`.
pub(super) fn checksum(bytes: &[u8]) -> u64 {
    // SAFETY: the bytes can be read.
    unsafe { lzma::lzma_crc64(bytes.as_ptr(), bytes.len(), 0) }
}

/// The complete block (header, data, padding, CRC64) of `bytes`. The header has both sizes.
pub(super) fn encode(bytes: &[u8], filter: Filter, settings: &Settings) -> io::Result<Vec<u8>> {
    let mut options = options(settings)?;
    options.dict_size = dictionary(bytes.len() as u64, settings);
    // SAFETY: it is a plain structure of C whose fields are numbers and pointers; zero is valid for all.
    let mut block: lzma::lzma_block = unsafe { zeroed() };

    let lzma2 = lzma::lzma_filter { id: lzma::LZMA_FILTER_LZMA2, options: (&raw mut options).cast::<c_void>() };
    let x86 = lzma::lzma_filter { id: lzma::LZMA_FILTER_X86, options: ptr::null_mut() };
    let end = lzma::lzma_filter { id: lzma::LZMA_VLI_UNKNOWN, options: ptr::null_mut() };
    // SAFETY: it is a plain structure of C whose fields are numbers and pointers; zero is valid for all.
    let mut differences: lzma::lzma_options_delta = unsafe { zeroed() };
    differences.type_ = lzma::lzma_delta_type_LZMA_DELTA_TYPE_BYTE;
    differences.dist = if let Filter::Records(length) = filter { u32::from(length) } else { 1 };
    let records = lzma::lzma_filter { id: lzma::LZMA_FILTER_DELTA, options: (&raw mut differences).cast::<c_void>() };
    let mut filters = match filter {
        Filter::X86 => [x86, lzma2, end],
        Filter::Records(_) => [records, lzma2, end],
        Filter::Plain | Filter::Stored => [lzma2, end, end],
    };
    block.check = lzma::LZMA_CHECK_CRC64;
    block.filters = filters.as_mut_ptr();

    written(bytes.len(), |to, length, bound| {
        let (from, size) = (bytes.as_ptr(), bytes.len());
        // SAFETY: `from` can be read for `size` bytes and `to` written for `bound`; `block`, its filters (ended by the unknown
        // one) and their options live until after the call, and nothing keeps them. No allocator means malloc.
        unsafe {
            if filter == Filter::Stored {
                lzma::lzma_block_uncomp_encode(&raw mut block, from, size, to, length, bound)
            } else {
                lzma::lzma_block_buffer_encode(&raw mut block, ptr::null(), from, size, to, length, bound)
            }
        }
    })
}

/// `bytes` as chunks of LZMA2 that go on from `before`, without the mark of their end. Where nothing is before them, the first
/// one begins the dictionary.
pub(super) fn chunks(before: &[u8], bytes: &[u8], settings: &Settings) -> io::Result<Vec<u8>> {
    let mut options = options(settings)?;
    options.dict_size = dictionary((before.len() + bytes.len()) as u64, settings);
    options.preset_dict = before.as_ptr();
    options.preset_dict_size = u32::try_from(before.len()).map_err(io::Error::other)?;
    let filters = [
        lzma::lzma_filter { id: lzma::LZMA_FILTER_LZMA2, options: (&raw mut options).cast::<c_void>() },
        lzma::lzma_filter { id: lzma::LZMA_VLI_UNKNOWN, options: ptr::null_mut() },
    ];
    let mut chunks = written(bytes.len(), |to, length, bound| {
        let (from, size) = (bytes.as_ptr(), bytes.len());
        // SAFETY: `from` can be read for `size` bytes, the preset dictionary for the size that is said, and `to` written for
        // `bound`; the filters (ended by the unknown one) and their options live until after the call, and nothing keeps
        // them. No allocator means malloc.
        unsafe { lzma::lzma_raw_buffer_encode(filters.as_ptr(), ptr::null(), from, size, to, length, bound) }
    })?;
    if chunks.pop() != Some(0) {
        return Err(failure(lzma::LZMA_PROG_ERROR));
    }
    Ok(chunks)
}

/// The dictionary that `length` bytes need with these settings.
pub(super) fn dictionary(length: u64, settings: &Settings) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX).clamp(lzma::LZMA_DICT_SIZE_MIN, settings.dictionary)
}

/// What `encode` writes for `size` bytes: it is given where to, where to say how much it was, and how much it may be.
fn written(size: usize, encode: impl FnOnce(*mut u8, *mut usize, usize) -> lzma::lzma_ret) -> io::Result<Vec<u8>> {
    // SAFETY: it takes a number.
    let bound = unsafe { lzma::lzma_block_buffer_bound(size) };
    // Chunks that are not compressed may be shorter than it counts with.
    let bound = bound + size / 4096;
    let mut out: Vec<u8> = Vec::new();
    out.try_reserve_exact(bound).map_err(io::Error::other)?;
    let mut length = 0;
    let result = encode(out.as_mut_ptr(), &raw mut length, bound);
    if result != lzma::LZMA_OK || length > bound {
        return Err(failure(result));
    }
    // SAFETY: liblzma has written the first `length` bytes, which is at most what was reserved.
    unsafe { out.set_len(length) };
    out.shrink_to_fit();
    Ok(out)
}

/// What an encoder with these settings takes, in bytes.
pub(super) fn memory(settings: &Settings) -> u64 {
    let Ok(mut options) = options(settings) else { return 0 };
    let filters = [
        lzma::lzma_filter { id: lzma::LZMA_FILTER_LZMA2, options: (&raw mut options).cast::<c_void>() },
        lzma::lzma_filter { id: lzma::LZMA_VLI_UNKNOWN, options: ptr::null_mut() },
    ];
    // SAFETY: the filters are ended by the unknown one, and they and their options live until after the call.
    unsafe { lzma::lzma_raw_encoder_memusage(filters.as_ptr()) }
}

fn options(settings: &Settings) -> io::Result<lzma::lzma_options_lzma> {
    // SAFETY: it is a plain structure of C whose fields are numbers and pointers; zero is valid for all.
    let mut options: lzma::lzma_options_lzma = unsafe { zeroed() };
    // SAFETY: `options` is a structure that may be written.
    if unsafe { lzma::lzma_lzma_preset(&raw mut options, settings.preset) } != 0 {
        return Err(failure(lzma::LZMA_OPTIONS_ERROR));
    }
    options.nice_len = settings.nice;
    options.depth = settings.depth;
    options.mf = if settings.hash_chains { lzma::LZMA_MF_HC4 } else { lzma::LZMA_MF_BT4 };
    options.dict_size = settings.dictionary;
    if let Some((lc, lp, pb)) = settings.places {
        (options.lc, options.lp, options.pb) = (lc, lp, pb);
    }
    if settings.greedy {
        options.mode = lzma::LZMA_MODE_FAST;
    }
    Ok(options)
}

fn failure(code: lzma::lzma_ret) -> io::Error {
    if code == lzma::LZMA_MEM_ERROR {
        return io::Error::new(io::ErrorKind::OutOfMemory, "not enough memory to compress with xz; use fewer threads");
    }
    io::Error::other(format!("liblzma cannot compress a block (code {code})"))
}
