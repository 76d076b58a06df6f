//! From an archive that is not there yet to its compressed bytes: cut, compressed on all cores, put together in order.
//!
//! An archive (tar for a .deb, cpio for an .rpm) is a plan first: headers, and contents that stay where they are. It is cut
//! at boundaries that stay put when something else changes, each block is compressed on its own, and the blocks are put
//! together to what every reader takes for one ordinary stream. Compressed blocks are kept by the hash of what they were
//! made from; the bytes depend on the plan and the settings alone, never on what was kept.

mod codec;
mod cut;
mod gzip;
mod key;
mod parts;
mod plan;
#[cfg(test)]
mod samples;
mod schedule;
mod source;
mod threads;
mod xz;
mod zstd;

use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;

use self::codec::Codec;
use self::cut::Limits;
use self::key::Keys;
use self::schedule::{Part, Wants, Work};
use super::Resolved;
use super::compression::Effort;
use super::error::Error;
use super::output::Hashing;
use crate::digest::Sha256;
use crate::target::Compression;

pub(in crate::format) use self::plan::Plan;
pub(crate) use self::threads::{memory, memory_of};

/// What came out.
pub(in crate::format) struct Packed {
    /// Of the compressed bytes, with how many there are.
    pub(in crate::format) sha256: Sha256,
    pub(in crate::format) size: u64,
    /// Of the archive, if it was asked for.
    pub(in crate::format) archive_sha256: Option<Sha256>,
}

/// Compresses the archive that `plan` describes to `out`. `archive_sha256` asks for that of the archive. `artefact` is the
/// file being written, for messages.
pub(in crate::format) fn pack(
    plan: &Plan<'_>,
    options: Resolved<'_>,
    archive_sha256: bool,
    out: impl Write,
    artefact: &Path,
) -> Result<Packed, Error> {
    let settings = match options.program {
        true => Settings { codec: Box::new(xz::Xz::for_program()), limits: Limits::xz(options.effort) },
        false => Settings::of(options.compression, options.effort),
    };
    threads::free_eagerly();
    let codec = settings.codec.as_ref();
    let failed = |source: io::Error| Error::Write { path: artefact.to_path_buf(), source };
    let lengths = match options.program {
        true => parts::cut(plan),
        false => cut::cut(plan.entries(), plan.tail(), &settings.limits),
    };
    let ranges = ranges(lengths);
    let contexts = codec.contexts(&ranges);
    let keys = Keys::of(plan, codec, &ranges, &contexts);
    let wanted = Wants { sha256: archive_sha256, xxh64: options.compression == Compression::Zstd };
    // Where no digest of the archive is wanted, or it is known, what is kept is not read.
    let record = options.blocks.filter(|_| wanted.sha256 || wanted.xxh64);
    let known = record.and_then(|blocks| keys.digests(blocks, wanted));
    let wants = if known.is_some() { Wants::default() } else { wanted };
    let threads = options.threads.unwrap_or_else(|| threads::useful(settings.memory()));
    // Where only the second part has changed, the checksum goes on from the end of the first, which is not read.
    let part = record.filter(|_| wants.xxh64 && !wants.sha256).zip(plan.second_part()).map(|(blocks, begin)| {
        let first = ranges.partition_point(|range| range.end <= begin);
        Part { first, known: keys.checksum(blocks, first) }
    });
    let first = part.as_ref().map(|part| part.first);
    let work =
        Work { plan, codec, ranges, contexts, keys: keys.blocks(), blocks: options.blocks, threads, wants, part };

    let mut out = Hashing::new(out);
    let mut stream = codec.stream();
    out.write_all(&stream.begin(plan.size())).map_err(failed)?;
    let digests = schedule::run(&work, &failed, &mut |unpacked, packed| {
        stream.add(unpacked, packed).and_then(|bytes| out.write_all(&bytes)).map_err(failed)
    })?;
    if let (Some(blocks), Some(first), Some(checksum)) = (record, first, &digests.first) {
        keys.keep_checksum(blocks, first, checksum);
    }
    if let (Some(blocks), None) = (record, &known) {
        keys.keep_digests(blocks, wanted, &digests);
    }
    let digests = known.unwrap_or(digests);
    stream.end(digests.xxh64).and_then(|end| out.write_all(&end)).and_then(|()| out.flush()).map_err(failed)?;
    let (_, sha256, size) = out.finish();
    Ok(Packed { sha256, size, archive_sha256: digests.sha256 })
}

/// The level that `effort` means for `compression`.
pub(in crate::format) fn level(compression: Compression, effort: Effort) -> u32 {
    match compression {
        Compression::Zstd => zstd::level(effort),
        Compression::Xz if effort == Effort::Fast => 1,
        Compression::Xz => 6,
        Compression::Gzip => gzip::level(effort),
    }
}

/// The file name extension, without the dot.
pub(in crate::format) fn extension(compression: Compression) -> &'static str {
    match compression {
        Compression::Zstd => "zst",
        Compression::Xz => "xz",
        Compression::Gzip => "gz",
    }
}

/// A compressor and the blocks that suit it.
struct Settings {
    codec: Box<dyn Codec>,
    limits: Limits,
}

impl Settings {
    fn of(compression: Compression, effort: Effort) -> Self {
        let (codec, limits): (Box<dyn Codec>, Limits) = match compression {
            Compression::Zstd => (Box::new(zstd::Zstd::new(effort)), Limits::zstd(zstd::BLOCK)),
            Compression::Xz => (Box::new(xz::Xz::new(effort)), Limits::xz(effort)),
            Compression::Gzip => (Box::new(gzip::Gzip::new(effort)), Limits::gzip()),
        };
        Self { codec, limits }
    }

    /// What one thread holds (bytes): a block with its context, what it becomes, which may be as long, and the encoder.
    fn memory(&self) -> u64 {
        self.codec.reach() + self.limits.largest() * 2 + self.codec.memory()
    }
}

/// Where blocks of these lengths lie.
fn ranges(lengths: Vec<u64>) -> Vec<Range<u64>> {
    let mut end = 0;
    let range = |length: u64| {
        end += length;
        end - length..end
    };
    lengths.into_iter().map(range).collect()
}
