//! Index files compressed, the same bytes every time. gzip alone: every client reads it, and its members can be put one after
//! the other, which apt, dnf and zypper do not take of xz.

use std::io;

use libdeflater::{CompressionLvl, Compressor};

/// libdeflate's default.
const LEVEL: i32 = 6;

/// One gzip member, without name and time. The members of several texts, one after the other, are the gzip form of the
/// texts one after the other.
pub(super) fn member(content: &[u8]) -> io::Result<Vec<u8>> {
    let level = CompressionLvl::new(LEVEL).map_err(|_| io::Error::other("no such level"))?;
    let mut compressor = Compressor::new(level);
    let mut packed = vec![0; compressor.gzip_compress_bound(content.len())];
    let length = compressor
        .gzip_compress(content, &mut packed)
        .map_err(|error| io::Error::other(format!("an index could not be compressed: {error}")))?;
    packed.truncate(length);
    Ok(packed)
}
