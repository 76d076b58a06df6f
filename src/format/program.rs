//! Which packages are little more than a program.
//!
//! zstd knows nothing of machine code: of a program of five megabytes it makes a fifth more than xz does, or is as slow.
//! xz with settings for each part of a program (`pack/parts.rs`) is several times as fast as it usually is, and hardly larger
//! (docs/compression.md). For larger packages that takes too long, and what is long lived of them comes from the cache.

use std::io::{self, Read as _};

use super::error::Error;
use crate::package::Package;
use crate::target::Compression;
use crate::tree::{Content, InstallPath, Node, Source};

/// The largest such package, in bytes of its contents.
const LARGEST: u64 = 16 << 20;
/// Smaller files say nothing of the whole.
const SMALLEST_FILE: u64 = 64 << 10;

/// Whether nobody has asked for a compressor, zstd would be taken, and most of a small package is machine code.
pub(super) fn is_program(package: &Package) -> Result<bool, Error> {
    let distribution = &package.target.distribution;
    if distribution.compression != Compression::Zstd || distribution.compression_is_asked_for {
        return Ok(false);
    }
    let contents = || {
        package.tree.iter().filter_map(|(path, entry)| match &entry.node {
            Node::File(content) => Some((path, content)),
            _ => None,
        })
    };
    let total: u64 = contents().map(|(_, content)| content.digests.size).sum();
    if total > LARGEST {
        return Ok(false);
    }
    let mut code = 0;
    for (path, content) in contents().filter(|(_, content)| content.digests.size >= SMALLEST_FILE) {
        if is_elf(path, content)? {
            code += content.digests.size;
        }
    }
    Ok(code > total / 2)
}

fn is_elf(path: &InstallPath, content: &Content) -> Result<bool, Error> {
    let mut start = [0; 4];
    match content.open().and_then(|mut reader| reader.read_exact(&mut start)) {
        Ok(()) => Ok(&start == b"\x7fELF"),
        // It became shorter: whoever packs it says so.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(source) => {
            let path = match &content.source {
                Source::Path(file) => file.clone(),
                Source::Bytes(_) => path.as_str().into(),
            };
            Err(Error::Read { path, source })
        }
    }
}
