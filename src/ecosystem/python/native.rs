//! What a shared object asks of the C library.
//!
//! An object that was linked here names the versions of the symbols it uses (`.gnu.version_r`, "Symbol Versioning" of the
//! Linux Standard Base); the largest `GLIBC_x.y` among them is the oldest glibc that loads it.

use std::io::{self, Read as _};
use std::path::Path;

use object::elf::{FileHeader32, FileHeader64};
use object::read::elf::FileHeader;
use object::{Endianness, FileKind};

/// A symbol version of glibc that a file needs, with one symbol that needs it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GlibcNeed {
    /// `(2, 34)`.
    pub(super) version: (u32, u32),
    /// The symbol's name; empty when none uses the version.
    pub(super) symbol: String,
}

/// Whether the file at `path` is an ELF file.
pub(super) fn is_elf(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    fs_err::File::open(path)?.take(4).read_to_end(&mut start)?;
    Ok(start == b"\x7fELF")
}

/// The newest glibc that the ELF file in `bytes` needs; `None` when it is no ELF file or needs none. A damaged one is an
/// error in words.
pub(super) fn needed_glibc(bytes: &[u8]) -> Result<Option<GlibcNeed>, String> {
    if !bytes.starts_with(b"\x7fELF") {
        return Ok(None);
    }
    match FileKind::parse(bytes).map_err(|error| error.to_string())? {
        FileKind::Elf64 => needed::<FileHeader64<Endianness>>(bytes),
        FileKind::Elf32 => needed::<FileHeader32<Endianness>>(bytes),
        _ => Ok(None),
    }
    .map_err(|error| error.to_string())
}

fn needed<Elf: FileHeader<Endian = Endianness>>(bytes: &[u8]) -> Result<Option<GlibcNeed>, object::read::Error> {
    let header = Elf::parse(bytes)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, bytes)?;
    let Some((mut needs, link)) = sections.gnu_verneed(endian, bytes)? else { return Ok(None) };
    let strings = sections.strings(endian, bytes, link)?;
    let mut newest: Option<(u32, u32)> = None;
    while let Some((_, mut versions)) = needs.next()? {
        while let Some(version) = versions.next()? {
            newest = newest.max(glibc_version(version.name(endian, strings)?));
        }
    }
    let Some(version) = newest else { return Ok(None) };
    let mut symbol = String::new();
    if let Some(versions) = sections.versions(endian, bytes)? {
        let symbols = sections.symbols(endian, bytes, object::elf::SHT_DYNSYM)?;
        for (index, candidate) in symbols.enumerate() {
            let of = versions.version(versions.version_index(endian, index).index())?;
            if of.is_some_and(|of| glibc_version(of.name()) == Some(version)) {
                let name = object::read::elf::Sym::name(candidate, endian, symbols.strings())?;
                symbol = String::from_utf8_lossy(name).into_owned();
                break;
            }
        }
    }
    Ok(Some(GlibcNeed { version, symbol }))
}

/// `(2, 34)` of `GLIBC_2.34`. `GLIBC_ABI_DT_RELR`, which linkers add for packed relocations, came with glibc 2.36.
fn glibc_version(name: &[u8]) -> Option<(u32, u32)> {
    let name = std::str::from_utf8(name).ok()?.strip_prefix("GLIBC_")?;
    if name == "ABI_DT_RELR" {
        return Some((2, 36));
    }
    let (major, rest) = name.split_once('.')?;
    Some((major.parse().ok()?, rest.split('.').next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_this_machine_needs_some_glibc_and_a_text_none() {
        let program = fs_err::read(std::env::current_exe().unwrap()).unwrap();
        let need = needed_glibc(&program).unwrap().unwrap();
        assert!(need.version >= (2, 2) && need.version < (3, 0), "{need:?}");
        assert!(!need.symbol.is_empty());
        assert_eq!(needed_glibc(b"#!/bin/sh\n").unwrap(), None);
        assert!(needed_glibc(program.get(..200).unwrap()).is_err());
    }

    #[test]
    fn version_names_are_read() {
        assert_eq!(glibc_version(b"GLIBC_2.2.5"), Some((2, 2)));
        assert_eq!(glibc_version(b"GLIBC_2.34"), Some((2, 34)));
        assert_eq!(glibc_version(b"GLIBC_ABI_DT_RELR"), Some((2, 36)));
        assert_eq!(glibc_version(b"GLIBC_PRIVATE"), None);
        assert_eq!(glibc_version(b"OPENSSL_3.0.0"), None);
    }
}
