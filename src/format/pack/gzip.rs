//! gzip (RFC 1952): a member for each block, by libdeflate. dpkg, rpm and everybody else read members in a row as one stream.
//!
//! libdeflate compresses a whole buffer at a time, which is what a block is: at the size that zlib's level 9 gives it is
//! fifteen times as fast. A member says neither a name nor a time, and that its system is unknown.

use std::io;

use libdeflater::{CompressionLvl, Compressor};

use super::codec::{self, Codec, Context};
use crate::format::compression::Effort;

/// Raised when the version of libdeflate is: it has no function that tells it.
const EDITION: &str = "1, libdeflate 1.26";
/// A member of nothing: a stream without a block must still be one.
const EMPTY: [u8; 20] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
/// What each member of ours begins with: deflate, no flags, no time.
const HEADER: [u8; 8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0];

/// The compressor.
#[derive(Debug)]
pub(super) struct Gzip {
    level: u32,
}

impl Gzip {
    /// With the level for `effort`.
    pub(super) fn new(effort: Effort) -> Self {
        Self { level: level(effort) }
    }
}

/// libdeflate's level, of 12.
pub(super) fn level(effort: Effort) -> u32 {
    match effort {
        Effort::Fast => 2,
        Effort::Default => 7,
        Effort::Small => 12,
    }
}

impl Codec for Gzip {
    fn edition(&self) -> String {
        format!("gzip {EDITION}, level {}", self.level)
    }

    fn memory(&self) -> u64 {
        // The compressor of level 12, the largest.
        10 * 1024 * 1024
    }

    fn compress(&self, _context: Context<'_>, block: &[u8]) -> io::Result<Vec<u8>> {
        let level =
            CompressionLvl::new(self.level as i32).map_err(|_| io::Error::other("libdeflate knows no such level"))?;
        let mut compressor = Compressor::new(level);
        let mut out = vec![0; compressor.gzip_compress_bound(block.len())];
        let length = compressor.gzip_compress(block, &mut out).map_err(io::Error::other)?;
        out.truncate(length);
        out.shrink_to_fit();
        Ok(out)
    }

    fn stream(&self) -> Box<dyn codec::Stream + '_> {
        Box::new(Stream { is_empty: true })
    }
}

/// One stream being put together.
struct Stream {
    is_empty: bool,
}

impl codec::Stream for Stream {
    fn begin(&mut self, _size: u64) -> Vec<u8> {
        Vec::new()
    }

    fn add(&mut self, unpacked: u64, packed: Vec<u8>) -> io::Result<Vec<u8>> {
        // The last four bytes of a member are the size of its content, modulo 2^32.
        let size = packed.last_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes));
        if !packed.starts_with(&HEADER) || packed.len() < EMPTY.len() - 2 || size != Some(unpacked as u32) {
            let message = format!("these {} bytes are no gzip member of {unpacked} bytes", packed.len());
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        self.is_empty = false;
        Ok(packed)
    }

    fn end(self: Box<Self>, _checksum: Option<u64>) -> io::Result<Vec<u8>> {
        Ok(if self.is_empty { EMPTY.to_vec() } else { Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    const EFFORTS: [Effort; 3] = [Effort::Fast, Effort::Default, Effort::Small];

    #[test]
    fn a_stream_of_every_kind_of_block_is_what_the_tools_of_the_field_read() {
        let samples = samples::all();
        let blocks: Vec<&[u8]> = samples.iter().map(|(_, bytes)| bytes.as_slice()).collect();
        for effort in EFFORTS {
            let packed = samples::stream(&Gzip::new(effort), &blocks);
            samples::through("gzip", &["-t"], &packed);
            assert!(samples::through("gzip", &["-dc"], &packed) == blocks.concat());
            let python = "import gzip,sys; sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))";
            assert!(samples::through("python3", &["-c", python], &packed) == blocks.concat());
            assert!(packed.len() < blocks.concat().len() * 3 / 4, "{effort:?}: {}", packed.len());
        }
    }

    #[test]
    fn a_stream_without_blocks_is_empty_and_whole() {
        let packed = samples::stream(&Gzip::new(Effort::Default), &[]);
        assert!(samples::through("gzip", &["-dc"], &packed).is_empty());
    }

    #[test]
    fn a_member_tells_neither_name_nor_time_nor_system() {
        for effort in EFFORTS {
            let member = Gzip::new(effort).compress(Context::default(), b"a").expect("it compresses");
            assert_eq!((&member[..8], member[9]), (HEADER.as_slice(), 255), "{effort:?}");
        }
    }

    #[test]
    fn what_is_no_member_of_that_size_is_refused() {
        let codec = Gzip::new(Effort::Default);
        let member = codec.compress(Context::default(), b"several bytes").expect("it compresses");
        assert!(codec.stream().add(13, member.clone()).is_ok());
        assert!(codec.stream().add(14, member.clone()).is_err());
        assert!(codec.stream().add(13, member[..member.len() - 1].to_vec()).is_err());
        assert!(codec.stream().add(13, member[1..].to_vec()).is_err());
        assert!(codec.stream().add(0, Vec::new()).is_err());
    }
}
