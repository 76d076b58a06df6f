//! How hard to compress, and the decompressors of package payloads in bounded memory. `pack/` has the compressors.

use std::io::{self, BufRead, Read};

use flate2::bufread::MultiGzDecoder;
use liblzma::bufread::XzDecoder;
use liblzma::stream::Stream;

use crate::target::Compression;

/// The largest window that zstd's decoder accepts without being asked to.
const MAX_WINDOW_LOG: u32 = 27;
/// What an .xz stream may ask of its reader: twice what `xz -9` needs.
const XZ_MEMORY: u64 = 130 * 1024 * 1024;

/// What any payload may unpack to, however small it is: a second's work.
const UNPACKED_FREELY: u64 = 1024 * 1024 * 1024;
/// Beyond that, how often its packed size: real payloads stay below 20, a bomb is above 1,000 (gzip's limit; zstd's and
/// xz's are far higher).
const MOST_TIMES: u64 = 250;
/// The largest payload at all.
const MOST_UNPACKED: u64 = 64 * 1024 * 1024 * 1024;

/// How many bytes a payload of `packed` bytes may unpack to before it is taken for a bomb.
pub(super) fn most_unpacked(packed: u64) -> u64 {
    packed.saturating_mul(MOST_TIMES).clamp(UNPACKED_FREELY, MOST_UNPACKED)
}

/// How hard to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    /// As fast as is useful, while developing.
    Fast,
    /// The balance for everyday builds.
    #[default]
    Default,
    /// As small as possible, for releases.
    Small,
}

impl Effort {
    /// All of them, by the names that people write.
    pub const NAMES: [(&'static str, Self); 3] =
        [("fast", Self::Fast), ("default", Self::Default), ("small", Self::Small)];
}

/// A decompressor in bounded memory; `None` is for stored data.
pub(super) fn decoder<'a>(
    compression: Option<Compression>,
    input: impl BufRead + 'a,
) -> io::Result<Box<dyn Read + 'a>> {
    Ok(match compression {
        None => Box::new(input),
        Some(Compression::Gzip) => Box::new(MultiGzDecoder::new(input)),
        Some(Compression::Xz) => Box::new(XzDecoder::new_stream(input, Stream::new_stream_decoder(XZ_MEMORY, 0)?)),
        Some(Compression::Zstd) => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?.single_frame();
            decoder.window_log_max(MAX_WINDOW_LOG)?;
            Box::new(decoder)
        }
    })
}

/// A reader that fails, rather than ends, after `limit` bytes.
pub(super) struct Bounded<R> {
    inner: R,
    left: u64,
    limit: u64,
}

impl<R: Read> Bounded<R> {
    /// At most `limit` bytes of `inner`.
    pub(super) fn new(inner: R, limit: u64) -> Self {
        Self { inner, left: limit, limit }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(length as u64).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, format!("it unpacks to more than {} bytes", self.limit))
        })?;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bounded_reader_fails_instead_of_ending() {
        let mut bounded = Bounded::new([0_u8; 10].as_slice(), 9);
        assert!(bounded.read_to_end(&mut Vec::new()).is_err());
        let mut enough = Bounded::new([0_u8; 10].as_slice(), 10);
        assert_eq!(enough.read_to_end(&mut Vec::new()).expect("within the bound"), 10);
    }
}
