//! Writes packages: `deb/`, `rpm/`, and what they share. Streams in bounded memory; the bytes depend on the
//! [`crate::package::Package`] alone, never on the machine, the clock or the number of cores.

mod compression;
pub mod deb;
mod error;
mod inspect;
mod listing;
mod mode;
mod output;
mod pack;
mod program;
pub mod rpm;
mod text;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::cache::Blocks;
use crate::digest::Sha256;
use crate::package::Package;
use crate::target::{Compression, Format};

pub use compression::Effort;
pub use error::Error;
pub use inspect::{Contents, Inspection, inspect};
pub use listing::{FileInfo, FileKind};
pub(crate) use mode::{is_shared_library, mode_of};
pub(crate) use output::{remove_leftovers, unfinished};
pub(crate) use pack::{memory, memory_of};

/// A file that came out of `build`, as `packhouse-artefacts.json` lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artefact {
    /// The file, relative to the directory of `packhouse-artefacts.json`.
    pub file: PathBuf,
    /// `deb` or `rpm`.
    pub format: String,
    /// The package's name: the service's, or that of the service's debug symbols.
    pub package: String,
    /// The full version as the format spells it.
    pub version: String,
    /// `amd64`, `all`, `x86_64`, `noarch`.
    pub architecture: String,
    /// The target it was built for: `debian-12/amd64`.
    pub target: String,
    /// The suite it goes to unless another is named.
    pub suite: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the file.
    pub sha256: Sha256,
    /// How build steps were isolated; empty when none ran.
    pub isolation: Vec<String>,
}

/// How to write a package. The default is what the target wants.
#[derive(Debug, Clone, Copy, Default)]
pub struct WriteOptions<'a> {
    /// The payload's compressor; the target's own when `None`.
    pub compression: Option<Compression>,
    /// How hard to compress.
    pub effort: Effort,
    /// Threads to compress with; `None` takes what processors and memory allow. Never changes the bytes.
    pub threads: Option<usize>,
    /// Where compressed blocks are kept for the next time. Never changes the bytes.
    pub blocks: Option<&'a Blocks>,
}

/// [`WriteOptions`] with every decision made that changes bytes.
#[derive(Debug, Clone, Copy)]
struct Resolved<'a> {
    compression: Compression,
    effort: Effort,
    /// Whether it is a small program, whose blocks are not worth keeping: see [`program`].
    program: bool,
    threads: Option<usize>,
    blocks: Option<&'a Blocks>,
}

/// A package that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Written {
    /// Its file name.
    pub file: PathBuf,
    /// Where it is.
    pub path: PathBuf,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the file.
    pub sha256: Sha256,
}

/// Writes `package` into `directory` (which must exist) in its target's format. The file appears whole, durable and under
/// its final name, or not at all; one of the same name is replaced.
///
/// The bytes are a function of `package`, the compressor and the effort.
pub fn write(package: &Package, directory: &Path, options: &WriteOptions<'_>) -> Result<Written, Error> {
    let program = options.compression.is_none() && options.effort == Effort::Default && program::is_program(package)?;
    let own = if program { Compression::Xz } else { package.target.distribution.compression };
    let resolved = Resolved {
        compression: options.compression.unwrap_or(own),
        effort: options.effort,
        program,
        threads: options.threads,
        blocks: options.blocks,
    };
    match package.target.format() {
        Format::Deb => deb::write(package, directory, resolved),
        Format::Rpm => rpm::write(package, directory, resolved),
    }
}
