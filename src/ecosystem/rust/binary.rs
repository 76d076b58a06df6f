//! Whether a program that was built here runs on a target: its architecture, and the versions of the C library's symbols
//! that it needs (ELF gABI; the LSB's symbol versioning).

use object::elf;
use object::read::elf::{FileHeader as _, Sym as _};

use crate::target::Architecture;

/// A version of glibc: major and minor number.
pub(super) type Glibc = (u32, u32);

/// What a program needs of the machine that it runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Needs {
    pub(super) architecture: Option<Architecture>,
    /// The newest version and one symbol that asks for it: `fmod@GLIBC_2.38`; `None` for a static program.
    pub(super) glibc: Option<(Glibc, String)>,
}

/// Versions of glibc that stand for something else than symbols: since which release it has them.
const ABI: &[(&str, Glibc)] =
    &[("GLIBC_ABI_DT_RELR", (2, 36)), ("GLIBC_ABI_GNU_TLS", (2, 42)), ("GLIBC_ABI_GNU2_TLS", (2, 42))];

/// Reads the needs of an ELF program.
pub(super) fn needs(data: &[u8]) -> Result<Needs, object::read::Error> {
    let header = elf::FileHeader64::<object::Endianness>::parse(data)?;
    let endian = header.endian()?;
    let architecture = match header.e_machine(endian) {
        elf::EM_X86_64 => Some(Architecture::X86_64),
        elf::EM_AARCH64 => Some(Architecture::Aarch64),
        _ => None,
    };
    let sections = header.sections(endian, data)?;
    let mut newest: Option<(Glibc, String)> = None;
    let mut take = |version: &[u8], symbol: &str| {
        let text = String::from_utf8_lossy(version);
        let number = ABI.iter().find(|(name, _)| *name == text).map(|(_, number)| *number);
        if let Some(number) = number.or_else(|| glibc(&text))
            && newest
                .as_ref()
                .is_none_or(|(newest, known)| number > *newest || (number == *newest && known.starts_with("GLIBC_")))
        {
            let symbol = if symbol.is_empty() { text.into_owned() } else { format!("{symbol}@{text}") };
            newest = Some((number, symbol));
        }
    };
    if let Some((mut files, strings)) = sections.gnu_verneed(endian, data)? {
        let strings = sections.strings(endian, data, strings)?;
        while let Some((_, mut versions)) = files.next()? {
            while let Some(version) = versions.next()? {
                take(version.name(endian, strings)?, "");
            }
        }
    }
    if let Some(table) = sections.versions(endian, data)? {
        let symbols = sections.symbols(endian, data, elf::SHT_DYNSYM)?;
        for (index, symbol) in symbols.enumerate() {
            let version = table.version_index(endian, index).index();
            if let Some(version) = table.version(version)?.filter(|version| version.file().is_some()) {
                take(version.name(), &String::from_utf8_lossy(symbol.name(endian, symbols.strings())?));
            }
        }
    }
    Ok(Needs { architecture, glibc: newest })
}

/// `GLIBC_2.34` as numbers; `GLIBC_2.2.5` counts as 2.2.
fn glibc(version: &str) -> Option<Glibc> {
    let mut numbers = version.strip_prefix("GLIBC_")?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_this_machine_names_the_symbol_that_asks_for_the_newest_glibc() {
        let data = fs_err::read("/proc/self/exe").expect("the test itself");
        let needs = needs(&data).expect("ELF");
        assert_eq!(needs.architecture, Architecture::host());
        let ((major, minor), symbol) = needs.glibc.expect("a dynamic program");
        assert!(major == 2 && minor >= 17, "{major}.{minor}");
        assert!(symbol.ends_with(&format!("@GLIBC_{major}.{minor}")), "{symbol}");
    }

    #[test]
    fn damaged_programs_are_errors() {
        let data = fs_err::read("/proc/self/exe").expect("the test itself");
        assert!(needs(b"#!/bin/sh\n").is_err());
        assert!(needs(&data[..1000]).is_err());
        for at in (0..4096).step_by(7) {
            let mut data = data[..8192].to_vec();
            data[at] ^= 0xff;
            let _ = needs(&data);
        }
    }

    #[test]
    fn versions_are_read_and_private_ones_are_not() {
        assert_eq!(glibc("GLIBC_2.34"), Some((2, 34)));
        assert_eq!(glibc("GLIBC_2.2.5"), Some((2, 2)));
        assert_eq!(glibc("GLIBC_PRIVATE"), None);
        assert_eq!(glibc("GCC_3.0"), None);
    }
}
