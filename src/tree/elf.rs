//! What an ELF file of the tree needs from the system it is installed on.
//!
//! Read from the program headers, the dynamic section and what it points to (System V gABI chapter 5; "Linux Standard Base
//! Core", symbol versioning), which is what the dynamic loader reads: section headers may be missing. dpkg-shlibdeps and
//! rpm's elfdeps look at the same facts; neither is run.
//!
//! Files come from strangers. Nothing here is larger in memory than a bounded part of the file, and a count that no linker
//! would write is an error of its own, because a file that is left out would be a dependency that is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::sync::Arc;

use object::elf;
use object::endian::{U16, U32};
use object::read::elf::{Dyn, FileHeader, ProgramHeader, Sym};
use object::{Endianness, ReadCache, ReadRef};
use rayon::iter::{IndexedParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _};
use serde::{Deserialize, Serialize};

use super::{Content, Source, Tree, facts};
use crate::target::Architecture;

/// The dynamic needs of one ELF file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ElfFacts {
    /// Its machine, when it is one that packhouse packages for.
    pub architecture: Option<Architecture>,
    /// `DT_SONAME`.
    pub soname: Option<String>,
    /// `DT_NEEDED`, in order.
    pub needed: Vec<String>,
    /// Directories of `DT_RPATH` and `DT_RUNPATH`, as they stand (`$ORIGIN/../lib`).
    pub search: Vec<String>,
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

/// An ELF file with more of something than any linker writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it has {what}, which no linker writes")]
pub struct Absurd {
    /// What there is too much of.
    pub what: &'static str,
}

/// The longest SONAME or symbol version that is believed.
const LONGEST_NAME: usize = 4096;
/// The longest symbol that is looked at: those of C++ programs can be this long, those that libraries export are not.
const LONGEST_SYMBOL: usize = 16 * 1024;
/// The most libraries and symbol versions that one file is believed to need.
const MOST_NEEDS: usize = 4096;
/// The largest table of dynamic strings; Chromium's has 1 MB.
const LARGEST_STRINGS: u64 = 256 << 20;

/// The facts of `content`; `None` when it is no well-formed ELF file. Of a large file only the parts that hold them are
/// read, and none of one that was read before. An [`Absurd`] file is an error of kind `InvalidData`.
pub fn read(content: &Content) -> io::Result<Option<Arc<ElfFacts>>> {
    if content.digests.size < 64 {
        return Ok(None);
    }
    facts::elf(content, || Ok(read_anew(content)?.map(Arc::new)))
}

/// Reads the facts of all of a tree's files, on all cores, so that [`read`] has them. What cannot be read says so there.
pub fn read_all(tree: &Tree) {
    let contents: Vec<&Content> = tree.iter().filter_map(|(_, entry)| entry.content()).collect();
    contents.par_iter().with_min_len(64).for_each(|content| drop(read(content)));
}

fn read_anew(content: &Content) -> io::Result<Option<ElfFacts>> {
    let mut reader = content.open()?;
    let mut magic = [0; 4];
    reader.read_exact(&mut magic)?;
    if magic != elf::ELFMAG {
        return Ok(None);
    }
    drop(reader);
    let facts = match &content.source {
        Source::Bytes(bytes) => parse(bytes.as_ref()),
        Source::Path(path) => parse(&ReadCache::new(fs_err::File::open(path)?)),
    };
    facts.map_err(|absurd| io::Error::new(io::ErrorKind::InvalidData, absurd))
}

/// The facts of an ELF image; `None` for anything that is no well-formed 64-bit ELF. A static program needs nothing.
pub fn parse<'data>(data: impl ReadRef<'data>) -> Result<Option<ElfFacts>, Absurd> {
    let Some(image) = Image::open(data)? else { return Ok(None) };
    let Some(dynamic) = &image.dynamic else { return Ok(Some(image.facts)) };
    let needed = dynamic.all(elf::DT_NEEDED);
    if needed.len() > MOST_NEEDS {
        return Err(Absurd { what: "thousands of needed libraries" });
    }
    let Some(needed) = needed.into_iter().map(|index| dynamic.string(index)).collect::<Option<Vec<_>>>() else {
        return Ok(None);
    };
    let Some(needs) = image.version_needs()? else { return Ok(None) };
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for need in needs {
        versions.entry(need.library).or_default().insert(need.version);
    }
    let search = [elf::DT_RPATH, elf::DT_RUNPATH].into_iter().filter_map(|tag| dynamic.string(dynamic.first(tag)?));
    let search: Vec<String> = search
        .flat_map(|path| path.split(':').map(str::to_owned).collect::<Vec<_>>())
        .filter(|part| !part.is_empty())
        .collect();
    let soname = dynamic.first(elf::DT_SONAME).and_then(|index| dynamic.string(index));
    let gnu_hash_only = dynamic.first(elf::DT_GNU_HASH).is_some() && dynamic.first(elf::DT_HASH).is_none();
    Ok(Some(ElfFacts { soname, needed, search, versions, gnu_hash_only, ..image.facts }))
}

/// The version that a symbol is wanted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SymbolVersion<'a> {
    /// The library that is to have it: `libc.so.6`.
    pub library: &'a str,
    /// `GLIBC_2.34`.
    pub version: &'a str,
}

/// Calls `visit` with the name and the version of each symbol that `content` takes from elsewhere.
pub fn undefined_symbols(content: &Content, visit: &mut dyn FnMut(&str, Option<SymbolVersion<'_>>)) -> io::Result<()> {
    let result = match &content.source {
        Source::Bytes(bytes) => visit_undefined(bytes.as_ref(), visit),
        Source::Path(path) => visit_undefined(&ReadCache::new(fs_err::File::open(path)?), visit),
    };
    result.map_err(|absurd| io::Error::new(io::ErrorKind::InvalidData, absurd))
}

fn visit_undefined<'data>(
    data: impl ReadRef<'data>,
    visit: &mut dyn FnMut(&str, Option<SymbolVersion<'_>>),
) -> Result<(), Absurd> {
    let Some(image) = Image::open(data)? else { return Ok(()) };
    let Some(dynamic) = &image.dynamic else { return Ok(()) };
    let Some(offset) = dynamic.first(elf::DT_SYMTAB).and_then(|address| image.at_address(address)) else {
        return Ok(());
    };
    let endian = image.endian;
    let count = image.symbol_count(dynamic, offset).unwrap_or(0);
    let Ok(symbols) = data.read_slice_at::<elf::Sym64<Endianness>>(offset, count) else {
        return Err(Absurd { what: "a symbol table that is larger than the file" });
    };
    let versions: BTreeMap<u16, VersionNeed> =
        image.version_needs()?.into_iter().flatten().map(|need| (need.index, need)).collect();
    let table = dynamic.first(elf::DT_VERSYM).and_then(|address| image.at_address(address));
    let table = table.and_then(|offset| data.read_slice_at::<U16<Endianness>>(offset, count).ok()).unwrap_or_default();
    for (index, symbol) in symbols.iter().enumerate().skip(1) {
        if symbol.st_shndx(endian) != elf::SHN_UNDEF {
            continue;
        }
        let start = usize::try_from(symbol.st_name(endian)).unwrap_or(usize::MAX);
        let Some(name) = dynamic.strings.get(start..).and_then(|rest| until_zero(rest, LONGEST_SYMBOL)) else {
            continue;
        };
        if name.is_empty() {
            continue;
        }
        // The highest bit hides a symbol from the linker; 0 and 1 are no versions.
        let version = table.get(index).map(|version| version.get(endian) & 0x7fff);
        let version = version.and_then(|version| versions.get(&version));
        let version = version.map(|need| SymbolVersion { library: &need.library, version: &need.version });
        visit(&String::from_utf8_lossy(name), version);
    }
    Ok(())
}

fn until_zero(bytes: &[u8], longest: usize) -> Option<&[u8]> {
    let bytes = bytes.get(..bytes.len().min(longest))?;
    bytes.get(..bytes.iter().position(|byte| *byte == 0)?)
}

/// What the dynamic section says the place of.
const TABLES: &[elf::DynamicTag] = &[
    elf::DT_STRTAB,
    elf::DT_GNU_HASH,
    elf::DT_VERSYM,
    elf::DT_VERNEED,
    elf::DT_VERDEF,
    elf::DT_RELA,
    elf::DT_JMPREL,
    elf::DT_INIT_ARRAY,
];

/// The dynamic section: tags with values, and its strings.
struct Dynamic<'data> {
    entries: Vec<(elf::DynamicTag, u64)>,
    strings: &'data [u8],
}

impl Dynamic<'_> {
    fn first(&self, tag: elf::DynamicTag) -> Option<u64> {
        self.entries.iter().find(|(known, _)| *known == tag).map(|(_, value)| *value)
    }

    fn all(&self, tag: elf::DynamicTag) -> Vec<u64> {
        self.entries.iter().filter(|(known, _)| *known == tag).map(|(_, value)| *value).collect()
    }

    /// The string at an index of the table; one that is not UTF-8 is shown as well as can be.
    fn string(&self, index: u64) -> Option<String> {
        let rest = self.strings.get(usize::try_from(index).ok()?..)?;
        Some(String::from_utf8_lossy(until_zero(rest, LONGEST_NAME)?).into_owned())
    }
}

/// One symbol version that is needed.
struct VersionNeed {
    library: String,
    version: String,
    /// What stands for it in the table of the symbols' versions.
    index: u16,
}

/// An ELF file with its headers read.
struct Image<'data, R> {
    data: R,
    endian: Endianness,
    facts: ElfFacts,
    /// Address, size in the file and offset of what is loaded.
    segments: Vec<(u64, u64, u64)>,
    /// Offset and size of the section of dynamic symbols, where there are section headers.
    symbol_section: Option<(u64, u64)>,
    dynamic: Option<Dynamic<'data>>,
}

impl<'data, R: ReadRef<'data>> Image<'data, R> {
    fn open(data: R) -> Result<Option<Self>, Absurd> {
        let Ok(header) = elf::FileHeader64::<Endianness>::parse(data) else { return Ok(None) };
        let Ok(endian) = header.endian() else { return Ok(None) };
        let Ok(segments) = header.program_headers(endian, data) else { return Ok(None) };
        let sections = header.sections(endian, data).ok();
        let section = |kind| {
            sections.as_ref().and_then(|sections| sections.iter().find(|section| section.sh_type.get(endian) == kind))
        };
        let is_shared = header.e_type(endian) == elf::ET_DYN;
        let facts = ElfFacts {
            architecture: match header.e_machine(endian) {
                elf::EM_X86_64 => Some(Architecture::X86_64),
                elf::EM_AARCH64 => Some(Architecture::Aarch64),
                _ => None,
            },
            has_interpreter: segments.iter().any(|segment| segment.p_type(endian) == elf::PT_INTERP),
            is_shared,
            is_program: is_shared || header.e_type(endian) == elf::ET_EXEC,
            has_symbol_table: section(elf::SHT_SYMTAB).is_some(),
            ..ElfFacts::default()
        };
        let loaded = segments.iter().filter(|segment| segment.p_type(endian) == elf::PT_LOAD);
        let mut image = Image {
            data,
            endian,
            facts,
            segments: loaded
                .map(|segment| (segment.p_vaddr(endian), segment.p_filesz(endian), segment.p_offset(endian)))
                .collect(),
            symbol_section: section(elf::SHT_DYNSYM)
                .map(|section| (section.sh_offset.get(endian), section.sh_size.get(endian))),
            dynamic: None,
        };
        let Some(entries) = segments.iter().find_map(|segment| segment.dynamic(endian, data).ok().flatten()) else {
            return Ok(Some(image));
        };
        let entries: Vec<_> = entries
            .iter()
            .take(1 << 16)
            .map(|entry| (entry.tag(endian), entry.d_val(endian)))
            .take_while(|(tag, _)| *tag != elf::DT_NULL)
            .collect();
        if entries.len() == 1 << 16 {
            return Err(Absurd { what: "a dynamic section without end" });
        }
        let mut dynamic = Dynamic { entries, strings: &[] };
        let Some(strings) = dynamic.first(elf::DT_STRTAB).and_then(|address| image.at_address(address)) else {
            return Ok(None);
        };
        let Some(size) = dynamic.first(elf::DT_STRSZ) else { return Ok(None) };
        if size > LARGEST_STRINGS {
            return Err(Absurd { what: "hundreds of megabytes of dynamic strings" });
        }
        let Ok(strings) = data.read_bytes_at(strings, size) else { return Ok(None) };
        dynamic.strings = strings;
        image.dynamic = Some(dynamic);
        Ok(Some(image))
    }

    /// Where in the file a loaded address is.
    fn at_address(&self, address: u64) -> Option<u64> {
        self.segments.iter().find_map(|(start, size, offset)| {
            let distance = address.checked_sub(*start)?;
            (distance < *size).then(|| offset.checked_add(distance)).flatten()
        })
    }

    /// How many dynamic symbols there are. The dynamic section does not say it: the section header does, else the hash
    /// table, else the table that the linker put right behind.
    fn symbol_count(&self, dynamic: &Dynamic<'_>, symbols: u64) -> Option<usize> {
        const SIZE: u64 = size_of::<elf::Sym64<Endianness>>() as u64;
        let from_section = self.symbol_section.filter(|(offset, _)| *offset == symbols).map(|(_, size)| size / SIZE);
        let from_hash = || {
            let offset = self.at_address(dynamic.first(elf::DT_HASH)?)?;
            let counts = self.data.read_slice_at::<U32<Endianness>>(offset, 2).ok()?;
            counts.last().map(|chains| u64::from(chains.get(self.endian)))
        };
        let from_next = || {
            let next = TABLES.iter().filter_map(|tag| self.at_address(dynamic.first(*tag)?));
            let next = next.filter(|next| *next > symbols).min()?;
            Some((next - symbols) / SIZE)
        };
        usize::try_from(from_section.or_else(from_hash).or_else(from_next)?).ok()
    }

    /// The symbol versions needed; `None` when the table is damaged.
    fn version_needs(&self) -> Result<Option<Vec<VersionNeed>>, Absurd> {
        let Some(dynamic) = &self.dynamic else { return Ok(Some(Vec::new())) };
        let (Some(address), Some(count)) = (dynamic.first(elf::DT_VERNEED), dynamic.first(elf::DT_VERNEEDNUM)) else {
            return Ok(Some(Vec::new()));
        };
        let mut needs = Vec::new();
        let walked =
            self.at_address(address).and_then(|offset| self.walk_version_needs(dynamic, offset, count, &mut needs));
        if needs.len() > MOST_NEEDS {
            return Err(Absurd { what: "thousands of symbol versions" });
        }
        Ok(walked.map(|()| needs))
    }

    /// Walks `count` Verneed records from `offset`, and stops once there are too many.
    fn walk_version_needs(
        &self,
        dynamic: &Dynamic<'_>,
        mut offset: u64,
        count: u64,
        needs: &mut Vec<VersionNeed>,
    ) -> Option<()> {
        let endian = self.endian;
        for _ in 0..count.min(MOST_NEEDS as u64) {
            let need: &elf::Verneed<Endianness> = self.data.read_at(offset).ok()?;
            let library = dynamic.string(need.vn_file.get(endian).into())?;
            let mut auxiliary = offset.checked_add(need.vn_aux.get(endian).into())?;
            for _ in 0..need.vn_cnt.get(endian) {
                let entry: &elf::Vernaux<Endianness> = self.data.read_at(auxiliary).ok()?;
                let version = dynamic.string(entry.vna_name.get(endian).into())?;
                needs.push(VersionNeed {
                    library: library.clone(),
                    version,
                    index: entry.vna_other.get(endian).0 & 0x7fff,
                });
                if needs.len() > MOST_NEEDS {
                    return None;
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
        Some(())
    }
}

/// Versions of glibc's that stand for something else than symbols: since which release it has them.
const GLIBC_ABI: &[(&str, (u32, u32))] =
    &[("GLIBC_ABI_DT_RELR", (2, 36)), ("GLIBC_ABI_GNU_TLS", (2, 42)), ("GLIBC_ABI_GNU2_TLS", (2, 42))];

/// `GLIBC_2.34` → `(2, 34)`; `GLIBC_ABI_DT_RELR` came with glibc 2.36; others have no place in the order.
pub fn glibc_version(symbol_version: &str) -> Option<(u32, u32)> {
    if let Some((_, release)) = GLIBC_ABI.iter().find(|(name, _)| *name == symbol_version) {
        return Some(*release);
    }
    let mut parts = symbol_version.strip_prefix("GLIBC_")?.split('.');
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next()?.parse().ok()?;
    Some((major, minor))
}

/// ELF files for tests.
#[cfg(test)]
pub(crate) mod fixture {
    /// A minimal shared object for x86-64: a header, a PT_LOAD over everything, a PT_DYNAMIC with these entries, and `rest` at
    /// 0x1000.
    pub(crate) fn image(entries: &[(u64, u64)], rest: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 0x1000];
        bytes[..16].copy_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
        bytes[16..20].copy_from_slice(&[3, 0, 62, 0]);
        bytes[20] = 1;
        bytes[32] = 64;
        bytes[52..58].copy_from_slice(&[64, 0, 56, 0, 2, 0]);
        let size = 0x1000 + rest.len() as u64 + 0x20_0000;
        let mut segment = |at: usize, kind: u32, offset: u64, size: u64| {
            bytes[at..at + 4].copy_from_slice(&kind.to_le_bytes());
            for (field, value) in [(8, offset), (16, offset), (32, size), (40, size)] {
                bytes[at + field..at + field + 8].copy_from_slice(&value.to_le_bytes());
            }
        };
        segment(64, 1, 0, size);
        segment(120, 2, 0x1000 + rest.len() as u64, 16 * entries.len() as u64);
        bytes.extend(rest);
        bytes.extend(entries.iter().flat_map(|(tag, value)| [tag.to_le_bytes(), value.to_le_bytes()]).flatten());
        bytes
    }

    /// A shared object that needs these libraries, and of them these symbols: name, library, version.
    pub(crate) fn needing(libraries: &[&str], symbols: &[(&str, &str, &str)]) -> Vec<u8> {
        let mut strings = vec![0];
        let mut string = |text: &str| {
            let at = strings.len() as u32;
            strings.extend(text.bytes().chain([0]));
            at
        };
        let mut entries: Vec<(u64, u64)> = libraries.iter().map(|library| (1, string(library).into())).collect();
        let (mut needs, mut table, mut versions) = (Vec::new(), vec![0; 24], vec![0, 0]);
        for (index, (name, library, version)) in symbols.iter().enumerate() {
            let number = index as u16 + 2;
            let next: u32 = if index + 1 == symbols.len() { 0 } else { 32 };
            needs.extend([1, 0, 1, 0]);
            needs.extend([string(library), 16, next, 0].map(u32::to_le_bytes).concat());
            needs.extend([0, 0]);
            needs.extend(number.to_le_bytes());
            needs.extend([string(version), 0].map(u32::to_le_bytes).concat());
            table.extend(string(name).to_le_bytes());
            table.extend([0; 20]);
            versions.extend(number.to_le_bytes());
        }
        let mut rest = Vec::new();
        let mut add = |part: &[u8]| {
            let at = 0x1000 + rest.len() as u64;
            rest.extend_from_slice(part);
            rest.resize(rest.len().next_multiple_of(8), 0);
            at
        };
        entries.extend([
            (6, add(&table)),
            (0x6fff_fff0, add(&versions)),
            (0x6fff_fffe, add(&needs)),
            (0x6fff_ffff, symbols.len() as u64),
            (5, add(&strings)),
            (10, strings.len() as u64),
            (0, 0),
        ]);
        if symbols.is_empty() {
            entries.retain(|(tag, _)| *tag < 0x6000_0000);
        }
        image(&entries, &rest)
    }
}

#[cfg(test)]
mod tests {
    use super::fixture::image;
    use super::*;

    fn this_program() -> Vec<u8> {
        fs_err::read(std::env::current_exe().expect("a program")).expect("its bytes")
    }

    #[test]
    fn the_test_program_itself_needs_the_c_library_in_some_version() {
        let facts = parse(this_program().as_slice()).expect("no absurdity").expect("dynamic ELF facts");
        assert_eq!(facts.architecture, Architecture::host());
        assert!(facts.needed.iter().any(|library| library.starts_with("libc.so")), "{facts:?}");
        let highest = facts.versions.values().flatten().filter_map(|version| glibc_version(version)).max();
        assert!(highest >= Some((2, 17)), "{facts:?}");
        assert!(facts.has_interpreter);
    }

    #[test]
    fn undefined_symbols_come_with_the_versions_that_the_file_says_it_needs() {
        let bytes = this_program();
        let facts = parse(bytes.as_slice()).expect("no absurdity").expect("dynamic ELF facts");
        let known: BTreeSet<&String> = facts.versions.values().flatten().collect();
        let mut versions = BTreeSet::new();
        let mut names = BTreeSet::new();
        visit_undefined(bytes.as_slice(), &mut |name, version| {
            names.insert(name.to_owned());
            versions.extend(version.map(|version| version.version.to_owned()));
        })
        .expect("no absurdity");
        assert!(names.contains("__libc_start_main"), "{names:?}");
        assert!(
            !versions.is_empty() && versions.iter().all(|version| known.contains(version)),
            "{versions:?} {known:?}"
        );
    }

    #[test]
    fn undefined_symbols_are_found_without_section_headers_too() {
        let mut bytes = this_program();
        let all = |bytes: &[u8]| {
            let mut names = BTreeSet::new();
            visit_undefined(bytes, &mut |name, _| {
                names.insert(name.to_owned());
            })
            .expect("no absurdity");
            names
        };
        let before = all(&bytes);
        // e_shoff, e_shnum and e_shstrndx of the ELF header.
        bytes[40..48].fill(0);
        bytes[60..64].fill(0);
        assert_eq!(all(&bytes), before);
    }

    #[test]
    fn truncated_images_give_nothing_and_never_panic() {
        let bytes = this_program();
        let try_one = |bytes: &[u8]| {
            let _ = parse(bytes);
            let _ = visit_undefined(bytes, &mut |_, _| {});
        };
        for length in [0, 3, 16, 63, 64, 100, 1000, 4096, 10_000] {
            try_one(&bytes[..length.min(bytes.len())]);
        }
        let mut damaged = bytes;
        for position in (0..damaged.len().min(8192)).step_by(7) {
            damaged[position] ^= 0xff;
            try_one(&damaged);
            damaged[position] ^= 0xff;
        }
    }

    #[test]
    fn counts_that_no_linker_writes_are_refused() {
        let strings = [(5, 0x1000), (10, 16)];
        let rest = *b"\0libfoo.so.1\0\0\0\0";
        let ok = parse(image(&[(1, 1), strings[0], strings[1], (0, 0)], &rest).as_slice()).expect("fine").expect("ELF");
        assert_eq!(ok.needed, ["libfoo.so.1"]);

        let mut many = vec![(1, 1); 5000];
        many.extend(strings);
        assert!(parse(image(&many, &rest).as_slice()).is_err(), "5000 libraries");
        let endless = vec![(1, 1); 70_000];
        assert!(parse(image(&endless, &rest).as_slice()).is_err(), "an endless dynamic section");
        let huge = [(1, 1), (5, 0x1000), (10, 1 << 40), (0, 0)];
        assert!(parse(image(&huge, &rest).as_slice()).is_err(), "a terabyte of strings");

        // A symbol version that points to itself, as often as a count of 65535 files allows.
        let mut need = vec![0; 16];
        need.extend([1, 0, 0xff, 0xff, 1, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0]);
        need.extend([0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
        need[..16].copy_from_slice(&rest);
        let circle = [strings[0], strings[1], (0x6fff_fffe, 0x1010), (0x6fff_ffff, 65_535), (0, 0)];
        assert!(parse(image(&circle, &need).as_slice()).is_ok(), "ends where the loader's own walk would");
    }

    #[test]
    fn search_paths_are_split_and_kept_as_written() {
        let rest = *b"\0$ORIGIN/../x:/y\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
        let facts =
            parse(image(&[(29, 1), (5, 0x1000), (10, 32), (0, 0)], &rest).as_slice()).expect("fine").expect("ELF");
        assert_eq!(facts.search, ["$ORIGIN/../x", "/y"]);
    }

    #[test]
    fn versions_of_glibc_are_ordered_and_private_ones_are_not() {
        assert_eq!(glibc_version("GLIBC_2.34"), Some((2, 34)));
        assert_eq!(glibc_version("GLIBC_2.2.5"), Some((2, 2)));
        assert_eq!(glibc_version("GLIBC_ABI_DT_RELR"), Some((2, 36)));
        assert_eq!(glibc_version("GLIBC_PRIVATE"), None);
        assert_eq!(glibc_version("GCC_3.0"), None);
    }
}
