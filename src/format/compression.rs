//! The compressors of package payloads, in settings whose output depends on the input alone, and bounded decompressors.
//!
//! - zstd (RFC 8878): one frame, one thread, long-distance matching, a content checksum. dpkg stops after the first frame,
//!   so there is never a second; vendored trees are rich in distant twins, which is why the window may reach 128 MiB, the
//!   largest that decoders accept unasked. The window never exceeds the input: small packages stay cheap to unpack.
//! - xz (the .xz file format): the multi-threaded encoder with blocks of a fixed size, whatever the number of threads,
//!   because the single-threaded encoder writes other bytes than the multi-threaded one.
//! - gzip (RFC 1952): no name, no time, operating system "unknown".

use std::io::{self, BufRead, Read, Write};

use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use liblzma::bufread::XzDecoder;
use liblzma::stream::{Check, MtStreamBuilder, Stream};
use liblzma::write::XzEncoder;
use zstd::zstd_safe::CParameter;

use crate::target::Compression;

/// The largest window that zstd's decoder accepts without being asked to.
const MAX_WINDOW_LOG: u32 = 27;
/// Uncompressed bytes of one block of an .xz stream: what `xz -6` cuts at.
const XZ_BLOCK: u64 = 24 * 1024 * 1024;
/// What an .xz stream may ask of its reader: twice what `xz -9` needs.
const XZ_MEMORY: u64 = 130 * 1024 * 1024;

/// How hard to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    /// As fast as is useful, while developing.
    Fast,
    /// The balance for everyday builds.
    #[default]
    Normal,
    /// As small as possible, for releases.
    Best,
}

/// Bytes that a compressor is given at a time.
const PIECE: usize = 128 * 1024;

/// A compressor that writes to `W`.
///
/// It hands its input on in pieces of one size, because what zlib-rs writes depends on how its input is cut.
pub(super) struct Encoder<W: Write> {
    codec: Codec<W>,
    pending: Vec<u8>,
}

enum Codec<W: Write> {
    Zstd(zstd::stream::write::Encoder<'static, W>),
    Xz(XzEncoder<W>),
    Gzip(GzEncoder<W>),
}

/// The level that `effort` means for `compression`.
pub(super) fn level(compression: Compression, effort: Effort) -> u32 {
    match (compression, effort) {
        (Compression::Zstd, Effort::Fast) => 3,
        (Compression::Zstd, Effort::Normal) => 9,
        (Compression::Zstd, Effort::Best) => 19,
        (Compression::Xz, Effort::Fast) => 2,
        (Compression::Xz, Effort::Normal | Effort::Best) => 6,
        (Compression::Gzip, Effort::Fast) => 1,
        (Compression::Gzip, Effort::Normal | Effort::Best) => 9,
    }
}

/// The file name extension, without the dot.
pub(super) fn extension(compression: Compression) -> &'static str {
    match compression {
        Compression::Zstd => "zst",
        Compression::Xz => "xz",
        Compression::Gzip => "gz",
    }
}

impl<W: Write> Encoder<W> {
    /// A compressor for an input of `input_size` bytes (a bound on the window, not a promise). `threads` changes the time
    /// taken, never the bytes.
    pub(super) fn new(
        compression: Compression,
        effort: Effort,
        threads: u32,
        input_size: u64,
        out: W,
    ) -> io::Result<Self> {
        let level = level(compression, effort);
        let codec = match compression {
            Compression::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(out, i32::try_from(level).unwrap_or(9))?;
                encoder.set_parameter(CParameter::WindowLog(window_log(input_size)))?;
                encoder.set_parameter(CParameter::EnableLongDistanceMatching(true))?;
                encoder.include_checksum(true)?;
                encoder.include_contentsize(false)?;
                Codec::Zstd(encoder)
            }
            Compression::Xz => {
                let stream = MtStreamBuilder::new()
                    .threads(threads.max(1))
                    .preset(level)
                    .check(Check::Crc64)
                    .block_size(XZ_BLOCK)
                    .encoder()?;
                Codec::Xz(XzEncoder::new_stream(out, stream))
            }
            Compression::Gzip => {
                let builder = flate2::GzBuilder::new().mtime(0).operating_system(255);
                Codec::Gzip(builder.write(out, flate2::Compression::new(level)))
            }
        };
        Ok(Self { codec, pending: Vec::with_capacity(PIECE) })
    }

    /// Writes what is left and gives the output back.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.hand_on()?;
        match self.codec {
            Codec::Zstd(encoder) => encoder.finish(),
            Codec::Xz(encoder) => encoder.finish(),
            Codec::Gzip(encoder) => encoder.finish(),
        }
    }

    fn hand_on(&mut self) -> io::Result<()> {
        match &mut self.codec {
            Codec::Zstd(encoder) => encoder.write_all(&self.pending)?,
            Codec::Xz(encoder) => encoder.write_all(&self.pending)?,
            Codec::Gzip(encoder) => encoder.write_all(&self.pending)?,
        }
        self.pending.clear();
        Ok(())
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len().min(PIECE - self.pending.len());
        self.pending.extend_from_slice(bytes.get(..length).unwrap_or_default());
        if self.pending.len() == PIECE {
            self.hand_on()?;
        }
        Ok(length)
    }

    /// Does nothing: flushing a compressor would end its block, and make the bytes depend on who flushes when.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The smallest window that covers the input, within what decoders accept.
fn window_log(input_size: u64) -> u32 {
    let covering = input_size.max(1).checked_next_power_of_two().map_or(64, u64::trailing_zeros);
    covering.clamp(17, MAX_WINDOW_LOG)
}

/// Threads worth using for a pack: each of xz's takes about 130 MiB, and two keep the whole below 300 MiB.
pub(super) fn useful_threads() -> u32 {
    std::thread::available_parallelism().map_or(1, |count| count.get().min(2) as u32)
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

    fn sample(length: usize) -> Vec<u8> {
        let mut state = 1_u32;
        (0..length)
            .map(|index| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if index % 64 == 0 { (state >> 24) as u8 } else { b'a' }
            })
            .collect()
    }

    fn pack(compression: Compression, threads: u32, data: &[u8], piece: usize) -> Vec<u8> {
        let mut encoder =
            Encoder::new(compression, Effort::Fast, threads, data.len() as u64, Vec::new()).expect("encoder");
        for chunk in data.chunks(piece) {
            encoder.write_all(chunk).expect("write");
            encoder.flush().expect("flush");
        }
        encoder.finish().expect("finish")
    }

    #[test]
    fn every_compressor_reads_back_and_ignores_threads_and_write_sizes() {
        // More than one block of xz.
        let data = sample(XZ_BLOCK as usize + 1_000_000);
        for compression in [Compression::Zstd, Compression::Xz, Compression::Gzip] {
            let packed = pack(compression, 1, &data, 65_536);
            assert!(packed == pack(compression, 2, &data, 1_000_003), "{compression:?}");
            let mut unpacked = Vec::new();
            decoder(Some(compression), packed.as_slice()).expect("decoder").read_to_end(&mut unpacked).expect("read");
            assert!(unpacked == data, "{compression:?}");
        }
    }

    #[test]
    fn a_window_never_exceeds_what_readers_accept() {
        assert_eq!(window_log(0), 17);
        assert_eq!(window_log(1 << 20), 20);
        assert_eq!(window_log((1 << 20) + 1), 21);
        assert_eq!(window_log(u64::MAX / 4), 27);
    }

    #[test]
    fn a_bounded_reader_fails_instead_of_ending() {
        let mut bounded = Bounded::new([0_u8; 10].as_slice(), 9);
        assert!(bounded.read_to_end(&mut Vec::new()).is_err());
        let mut enough = Bounded::new([0_u8; 10].as_slice(), 10);
        assert_eq!(enough.read_to_end(&mut Vec::new()).expect("within the bound"), 10);
    }
}
