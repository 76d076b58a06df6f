//! What an ELF file of the tree needs from the system it is installed on.
//!
//! Read from the file's own dynamic section and version needs (System V gABI chapter 5; "Linux Standard Base Core",
//! symbol versioning), as dpkg-shlibdeps and rpm's elfdeps do, but without running either.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use object::elf;
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use object::{Endianness, ReadCache, ReadRef};

use super::{Content, Source};
use crate::target::Architecture;

/// The dynamic needs of one ELF file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ElfFacts {
    /// Its machine, when it is one that packhouse packages for.
    pub architecture: Option<Architecture>,
    /// `DT_SONAME`.
    pub soname: Option<String>,
    /// `DT_NEEDED`, in order.
    pub needed: Vec<String>,
    /// `DT_RUNPATH` and `DT_RPATH`, split at colons: where the loader looks first.
    pub run_paths: Vec<String>,
    /// Symbol versions needed, by the library they come from: `libc.so.6` → `GLIBC_2.34`.
    pub versions: BTreeMap<String, BTreeSet<String>>,
    /// Whether symbols are only found through `DT_GNU_HASH`.
    pub gnu_hash_only: bool,
    /// Whether it names a program interpreter (an executable).
    pub has_interpreter: bool,
    /// Whether it is a shared object or a position-independent program (`ET_DYN`).
    pub is_shared: bool,
    /// Whether it can be run or loaded, which object files for a linker (or for the kernel's BPF) cannot.
    pub is_program: bool,
    /// Whether it has a symbol table for the linker, that is, was not stripped.
    pub has_symbol_table: bool,
}

/// The facts of `content`; `None` when it is no well-formed ELF file. Of a large file only the parts that hold them are
/// read.
pub fn read(content: &Content) -> io::Result<Option<ElfFacts>> {
    if content.digests.size < 64 {
        return Ok(None);
    }
    let mut reader = content.open()?;
    let mut magic = [0; 4];
    reader.read_exact(&mut magic)?;
    if magic != elf::ELFMAG {
        return Ok(None);
    }
    drop(reader);
    Ok(match &content.source {
        Source::Bytes(bytes) => parse(bytes.as_ref()),
        Source::Path(path) => parse(&ReadCache::new(fs_err::File::open(path)?)),
    })
}

/// The facts of an ELF image; `None` for anything that is no well-formed 64-bit ELF. A static program needs nothing.
pub fn parse<'data>(data: impl ReadRef<'data>) -> Option<ElfFacts> {
    let header = elf::FileHeader64::<Endianness>::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let architecture = match header.e_machine(endian) {
        elf::EM_X86_64 => Some(Architecture::X86_64),
        elf::EM_AARCH64 => Some(Architecture::Aarch64),
        _ => None,
    };
    let segments = header.program_headers(endian, data).ok()?;
    let has_interpreter = segments.iter().any(|segment| segment.p_type(endian) == elf::PT_INTERP);
    let sections = header.sections(endian, data).ok();
    let has_symbol_table =
        sections.is_some_and(|sections| sections.iter().any(|section| section.sh_type.get(endian) == elf::SHT_SYMTAB));
    let is_shared = header.e_type(endian) == elf::ET_DYN;
    let is_program = is_shared || header.e_type(endian) == elf::ET_EXEC;
    let Some(entries) = segments.iter().find_map(|segment| segment.dynamic(endian, data).ok().flatten()) else {
        return Some(ElfFacts {
            architecture,
            has_interpreter,
            is_shared,
            is_program,
            has_symbol_table,
            ..ElfFacts::default()
        });
    };
    let value =
        |tag: elf::DynamicTag| entries.iter().find(|entry| entry.tag(endian) == tag).map(|entry| entry.d_val(endian));
    let at_address = |address: u64| {
        segments.iter().find_map(|segment| {
            if segment.p_type(endian) != elf::PT_LOAD {
                return None;
            }
            let offset = address.checked_sub(segment.p_vaddr(endian))?;
            (offset < segment.p_filesz(endian)).then(|| segment.p_offset(endian).checked_add(offset)).flatten()
        })
    };
    let strings = at_address(value(elf::DT_STRTAB)?)?;
    let string = |index: u64| -> Option<String> {
        let start = strings.checked_add(index)?;
        let bytes = data.read_bytes_at_until(start..data.len().ok()?, 0).ok()?;
        String::from_utf8(bytes.to_vec()).ok()
    };
    let needed: Vec<String> = entries
        .iter()
        .filter(|entry| entry.tag(endian) == elf::DT_NEEDED)
        .filter_map(|entry| string(entry.d_val(endian)))
        .collect();
    let run_paths = [elf::DT_RUNPATH, elf::DT_RPATH].into_iter().filter_map(|tag| string(value(tag)?));
    let run_paths = run_paths.flat_map(|paths| paths.split(':').map(str::to_owned).collect::<Vec<_>>()).collect();
    let versions = match (value(elf::DT_VERNEED), value(elf::DT_VERNEEDNUM)) {
        (Some(address), Some(count)) => version_needs(data, endian, at_address(address)?, count.min(4096), &string)?,
        _ => BTreeMap::new(),
    };
    Some(ElfFacts {
        architecture,
        soname: value(elf::DT_SONAME).and_then(string),
        needed,
        run_paths,
        versions,
        gnu_hash_only: value(elf::DT_GNU_HASH).is_some() && value(elf::DT_HASH).is_none(),
        has_interpreter,
        is_shared,
        is_program,
        has_symbol_table,
    })
}

/// Walks `count` Verneed records from `offset`.
fn version_needs<'data>(
    data: impl ReadRef<'data>,
    endian: Endianness,
    mut offset: u64,
    count: u64,
    string: &dyn Fn(u64) -> Option<String>,
) -> Option<BTreeMap<String, BTreeSet<String>>> {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for _ in 0..count {
        let need: &elf::Verneed<Endianness> = data.read_at(offset).ok()?;
        let library = string(need.vn_file.get(endian).into())?;
        let mut auxiliary = offset.checked_add(need.vn_aux.get(endian).into())?;
        for _ in 0..need.vn_cnt.get(endian) {
            let entry: &elf::Vernaux<Endianness> = data.read_at(auxiliary).ok()?;
            if let Some(version) = string(entry.vna_name.get(endian).into()) {
                versions.entry(library.clone()).or_default().insert(version);
            }
            let next = u64::from(entry.vna_next.get(endian));
            if next == 0 {
                break;
            }
            auxiliary = auxiliary.checked_add(next)?;
        }
        let next = u64::from(need.vn_next.get(endian));
        if next == 0 {
            break;
        }
        offset = offset.checked_add(next)?;
    }
    Some(versions)
}

/// `GLIBC_2.34` → `(2, 34)`; `GLIBC_ABI_DT_RELR` came with glibc 2.36; others have no place in the order.
pub fn glibc_version(symbol_version: &str) -> Option<(u32, u32)> {
    if symbol_version == "GLIBC_ABI_DT_RELR" {
        return Some((2, 36));
    }
    let mut parts = symbol_version.strip_prefix("GLIBC_")?.split('.');
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next()?.parse().ok()?;
    Some((major, minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_program_itself_needs_the_c_library_in_some_version() {
        let program = std::env::current_exe().expect("a program");
        let facts = parse(fs_err::read(program).expect("its bytes").as_slice()).expect("dynamic ELF facts");
        assert_eq!(facts.architecture, Architecture::host());
        assert!(facts.needed.iter().any(|library| library.starts_with("libc.so")), "{facts:?}");
        let highest = facts.versions.values().flatten().filter_map(|version| glibc_version(version)).max();
        assert!(highest >= Some((2, 17)), "{facts:?}");
        assert!(facts.has_interpreter);
    }

    #[test]
    fn truncated_images_give_nothing_and_never_panic() {
        let program = std::env::current_exe().expect("a program");
        let bytes = fs_err::read(program).expect("its bytes");
        for length in [0, 3, 16, 63, 64, 100, 1000, 4096, 10_000] {
            let _ = parse(&bytes[..length.min(bytes.len())]);
        }
        let mut damaged = bytes;
        for position in (0..damaged.len().min(8192)).step_by(7) {
            damaged[position] ^= 0xff;
            let _ = parse(damaged.as_slice());
            damaged[position] ^= 0xff;
        }
    }
}
