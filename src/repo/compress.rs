//! Index files compressed, the same bytes every time. No xz: apt would prefer it, and it is slow to write.

use std::io::{self, Write};

use flate2::{Compression, GzBuilder};

/// "Unknown" in gzip's list of operating systems (RFC 1952): the machine must not show.
const UNKNOWN_SYSTEM: u8 = 255;

/// libdeflate's default.
const LEVEL: i32 = 6;

/// gzip without name and time.
pub(super) fn gzip(content: &[u8]) -> io::Result<Vec<u8>> {
    let target = Vec::with_capacity(content.len() / 4);
    let mut encoder = GzBuilder::new().mtime(0).operating_system(UNKNOWN_SYSTEM).write(target, Compression::new(9));
    encoder.write_all(content)?;
    encoder.finish()
}

/// One zstd frame, written by one thread. Large indices get a low level: the time to publish grows with them, and the
/// levels between 3 and 19 gain next to nothing on this kind of text.
pub(super) fn zstd(content: &[u8]) -> io::Result<Vec<u8>> {
    let level = if content.len() < 256 << 10 { 19 } else { 3 };
    zstd::bulk::compress(content, level)
}

/// One gzip member, without name and time. The members of several texts, one after the other, are the gzip form of the
/// texts one after the other.
pub(super) fn member(content: &[u8]) -> io::Result<Vec<u8>> {
    let level = libdeflater::CompressionLvl::new(LEVEL).map_err(|_| io::Error::other("no such level"))?;
    let mut compressor = libdeflater::Compressor::new(level);
    let mut packed = vec![0; compressor.gzip_compress_bound(content.len())];
    let length = compressor
        .gzip_compress(content, &mut packed)
        .map_err(|error| io::Error::other(format!("an index could not be compressed: {error}")))?;
    packed.truncate(length);
    Ok(packed)
}
