//! Dependencies on the system's shared libraries: what the tree's ELF files need minus what the tree itself holds.
//!
//! RPM's names are made from the file alone (`libc.so.6(GLIBC_2.34)(64bit)`, as rpm's elfdeps makes them). Debian's are
//! names of packages, from [`library_table`](super::library_table); there the version is the lowest that has every symbol version used. Nothing is
//! guessed: a library that is in neither is an error unless the configuration names its package.

use std::collections::{BTreeMap, BTreeSet};

use super::{Error, library_table};
use crate::name::PackageName;
use crate::target::{Format, Target};
use crate::tree::elf::{self, ElfFacts};
use crate::tree::{InstallPath, Node, Tree};

/// The parts of glibc, all in `libc6`.
const GLIBC: &[&str] = &[
    "ld-linux-aarch64.so.1",
    "ld-linux-x86-64.so.2",
    "libanl.so.1",
    "libc.so.6",
    "libdl.so.2",
    "libm.so.6",
    "libmvec.so.1",
    "libnsl.so.1",
    "libpthread.so.0",
    "libresolv.so.2",
    "librt.so.1",
    "libutil.so.1",
];

/// libstdc++'s symbol versions and the GCC release that brought them (GCC's ABI policy and guidelines).
const GLIBCXX: &[(&str, &str)] = &[
    ("GLIBCXX_3.4.20", "4.9"),
    ("GLIBCXX_3.4.21", "5.2"),
    ("GLIBCXX_3.4.22", "6"),
    ("GLIBCXX_3.4.23", "7"),
    ("GLIBCXX_3.4.24", "7.2"),
    ("GLIBCXX_3.4.25", "8"),
    ("GLIBCXX_3.4.26", "9"),
    ("GLIBCXX_3.4.27", "9.2"),
    ("GLIBCXX_3.4.28", "9.3"),
    ("GLIBCXX_3.4.29", "11"),
    ("GLIBCXX_3.4.30", "12"),
    ("GLIBCXX_3.4.31", "13.1"),
    ("GLIBCXX_3.4.32", "13.2"),
    ("GLIBCXX_3.4.33", "14"),
];

/// What the tree needs from the system.
#[derive(Debug, Default)]
pub(super) struct LibraryNeeds {
    /// In the target format's syntax, sorted.
    pub(super) depends: Vec<String>,
    /// Whether the tree holds anything of the target's architecture.
    pub(super) has_binaries: bool,
    /// What third-party binaries are like.
    pub(super) vendored: VendoredBinaries,
}

/// What lintian says of third-party binaries, which packhouse never changes.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct VendoredBinaries {
    /// There are some.
    pub(super) any: bool,
    /// One has a symbol table.
    pub(super) unstripped: bool,
    /// One needs libraries, but not the C library.
    pub(super) without_libc: bool,
    /// A shared library needs nothing at all.
    pub(super) without_needs: bool,
}

impl VendoredBinaries {
    fn add(&mut self, facts: &ElfFacts) {
        self.any = true;
        self.unstripped |= facts.has_symbol_table;
        let libc = facts.needed.iter().any(|library| library.starts_with("libc.so."));
        self.without_libc |= facts.is_shared && !libc && !facts.needed.is_empty();
        self.without_needs |= facts.is_shared && facts.needed.is_empty();
    }
}

/// Reads all ELF files of `tree`. `declared` are the dependencies that the configuration names.
pub(super) fn needs(
    package: &PackageName,
    tree: &Tree,
    target: &Target,
    declared: &[String],
) -> Result<LibraryNeeds, Error> {
    let mut files: Vec<(&InstallPath, bool, ElfFacts)> = Vec::new();
    let mut held: BTreeSet<&str> = BTreeSet::new();
    let mut vendored_binaries = VendoredBinaries::default();
    for (path, entry) in tree.iter() {
        let Node::File(content) = &entry.node else { continue };
        held.insert(path.file_name());
        let Some(facts) = elf::read(content)? else { continue };
        // Some wheels carry helpers for other machines as data; they are shipped as locked and need nothing here. So do
        // objects for other machines that nothing here would load, like BPF's.
        if entry.vendored {
            vendored_binaries.add(&facts);
        }
        let foreign = facts.architecture != Some(target.architecture);
        if !(foreign && (entry.vendored || !facts.is_program)) {
            files.push((path, entry.vendored, facts));
        }
    }
    let sonames: BTreeSet<String> = files.iter().filter_map(|(_, _, facts)| facts.soname.clone()).collect();
    let in_tree = |library: &str| held.contains(library) || sonames.contains(library);

    let mut wanted: BTreeMap<&str, (&InstallPath, BTreeSet<&str>)> = BTreeMap::new();
    let mut gnu_hash = false;
    for (path, vendored, facts) in &files {
        check_architecture(package, path, facts, target)?;
        gnu_hash |= facts.gnu_hash_only;
        for library in facts.needed.iter().filter(|library| !in_tree(library)) {
            let versions = facts.versions.get(library).into_iter().flatten();
            for version in versions.clone() {
                check_glibc(package, path, *vendored, version, target)?;
                check_glibcxx(package, path, *vendored, version, target)?;
            }
            let slot = wanted.entry(library).or_insert_with(|| (path, BTreeSet::new()));
            slot.1.extend(versions.map(String::as_str));
        }
    }
    let mut depends = match target.format() {
        Format::Rpm => rpm_requires(&wanted, gnu_hash),
        Format::Deb => debian_depends(package, &wanted, target, declared)?,
    };
    depends.sort();
    depends.dedup();
    Ok(LibraryNeeds { depends, has_binaries: !files.is_empty(), vendored: vendored_binaries })
}

fn check_architecture(
    package: &PackageName,
    path: &InstallPath,
    facts: &ElfFacts,
    target: &Target,
) -> Result<(), Error> {
    if facts.architecture == Some(target.architecture) {
        return Ok(());
    }
    Err(Error::WrongArchitecture {
        package: package.to_string(),
        file: path.clone(),
        found: facts.architecture.map_or("another machine", |architecture| architecture.machine()),
        target: target.to_string(),
    })
}

fn check_glibc(
    package: &PackageName,
    path: &InstallPath,
    vendored: bool,
    version: &str,
    target: &Target,
) -> Result<(), Error> {
    let (major, minor) = target.distribution.glibc;
    if elf::glibc_version(version).is_none_or(|needed| needed <= (major, minor)) {
        return Ok(());
    }
    Err(Error::GlibcTooNew {
        package: package.to_string(),
        file: path.clone(),
        symbol: version.to_owned(),
        target: target.to_string(),
        glibc: format!("{major}.{minor}"),
        vendored,
    })
}

/// A symbol of libstdc++ that the target's does not have: no package of the target could fulfil the dependency.
fn check_glibcxx(
    package: &PackageName,
    path: &InstallPath,
    vendored: bool,
    version: &str,
    target: &Target,
) -> Result<(), Error> {
    let number = version.strip_prefix("GLIBCXX_3.4.").and_then(|number| number.parse::<u32>().ok());
    let (Some(needed), Some(newest)) = (number, library_table::newest_glibcxx(&target.distribution)) else {
        return Ok(());
    };
    if needed <= newest {
        return Ok(());
    }
    Err(Error::LibstdcxxTooNew {
        package: package.to_string(),
        file: path.clone(),
        symbol: version.to_owned(),
        target: target.to_string(),
        newest: format!("GLIBCXX_3.4.{newest}"),
        vendored,
    })
}

/// `soname()(64bit)` and `soname(VERSION)(64bit)`, as rpm's elfdeps writes them.
fn rpm_requires(wanted: &BTreeMap<&str, (&InstallPath, BTreeSet<&str>)>, gnu_hash: bool) -> Vec<String> {
    let mut requires = Vec::new();
    for (library, (_, versions)) in wanted {
        if !library.contains(".so") || !(library.starts_with("lib") || library.starts_with("ld")) {
            continue;
        }
        requires.push(format!("{library}()(64bit)"));
        requires.extend(versions.iter().map(|version| format!("{library}({version})(64bit)")));
    }
    if gnu_hash {
        requires.push("rtld(GNU_HASH)".to_owned());
    }
    requires
}

fn debian_depends(
    package: &PackageName,
    wanted: &BTreeMap<&str, (&InstallPath, BTreeSet<&str>)>,
    target: &Target,
    declared: &[String],
) -> Result<Vec<String>, Error> {
    let mut depends = Vec::new();
    let mut libc: Option<(u32, u32)> = None;
    for (&library, (file, versions)) in wanted {
        if GLIBC.contains(&library) {
            let lowest = versions.iter().filter_map(|version| elf::glibc_version(version)).max();
            libc = libc.max(lowest).or(Some((2, 17)));
            continue;
        }
        let name = match library_table::package(library, &target.distribution) {
            Some(name) => name,
            None if declared.iter().any(|relation| provides_library(relation, library)) => continue,
            None => {
                return Err(Error::UnknownLibrary {
                    package: package.to_string(),
                    file: (*file).clone(),
                    library: library.to_owned(),
                    expected: policy_name(library),
                    target: target.to_string(),
                });
            }
        };
        depends.push(match lowest_version(library, versions) {
            Some(lowest) => format!("{name} (>= {lowest})"),
            None => name.to_owned(),
        });
    }
    if let Some((major, minor)) = libc {
        depends.push(format!("libc6 (>= {major}.{minor})"));
    }
    Ok(depends)
}

/// The lowest version of a library's package that has all these symbol versions, for the libraries whose packages are
/// numbered like their symbols (their `symbols` files).
fn lowest_version(library: &str, versions: &BTreeSet<&str>) -> Option<String> {
    match library {
        "libstdc++.so.6" => {
            GLIBCXX.iter().rev().find(|(symbol, _)| versions.contains(symbol)).map(|(_, gcc)| (*gcc).to_owned())
        }
        "libssl.so.3" | "libcrypto.so.3" => highest(versions, "OPENSSL_").map(|parts| dotted(&parts)),
        "libgcc_s.so.1" => {
            let mut parts = highest(versions, "GCC_")?;
            // GCC_4.2.0 came with 4.2, GCC_7.0.0 with 7.
            let kept = if parts.first().is_some_and(|major| *major >= 5) { 1 } else { 2 };
            while parts.len() > kept && parts.last() == Some(&0) {
                parts.pop();
            }
            Some(dotted(&parts))
        }
        _ => None,
    }
}

fn highest(versions: &BTreeSet<&str>, prefix: &str) -> Option<Vec<u32>> {
    let numbers = |version: &&str| version.strip_prefix(prefix)?.split('.').map(|part| part.parse().ok()).collect();
    versions.iter().filter_map(numbers).max()
}

fn dotted(parts: &[u32]) -> String {
    parts.iter().map(u32::to_string).collect::<Vec<_>>().join(".")
}

/// The name that Policy 8.1 gives to the package of `library`.
fn policy_name(library: &str) -> String {
    let (stem, version) = library.split_once(".so").unwrap_or((library, ""));
    let version = version.trim_start_matches('.');
    let dash = if stem.ends_with(|last: char| last.is_ascii_digit()) && !version.is_empty() { "-" } else { "" };
    format!("{}{dash}{version}", stem.to_lowercase().replace('_', "-"))
}

/// Whether a declared relation names the package that Policy 8.1 gives to `library`: `libfoo.so.1` is in `libfoo1`,
/// `libfoo2.so.1` in `libfoo2-1`, `libfoo-1.2.so` in `libfoo-1.2`; `t64` may follow.
fn provides_library(relation: &str, library: &str) -> bool {
    let name = policy_name(library);
    relation.split('|').any(|alternative| {
        let alternative = alternative.split(['(', '[', ':']).next().unwrap_or_default().trim();
        alternative.strip_suffix("t64").unwrap_or(alternative) == name
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declared_package_stands_for_the_library_of_its_policy_name() {
        assert!(provides_library("libfoo1 (>= 2)", "libfoo.so.1"));
        assert!(provides_library("libfoo2-1t64", "libfoo2.so.1"));
        assert!(provides_library("other | libfoo-1.2", "libfoo-1.2.so"));
        assert!(!provides_library("libfoo1", "libbar.so.1"));
    }

    #[test]
    fn rpm_names_are_those_of_elfdeps() {
        let path = InstallPath::parse("/usr/lib/acme/x").expect("a path");
        let wanted = BTreeMap::from([
            ("libc.so.6", (&path, BTreeSet::from(["GLIBC_2.34"]))),
            ("plugin.so", (&path, BTreeSet::new())),
        ]);
        let requires = rpm_requires(&wanted, true);
        assert_eq!(requires, ["libc.so.6()(64bit)", "libc.so.6(GLIBC_2.34)(64bit)", "rtld(GNU_HASH)"]);
    }
}
