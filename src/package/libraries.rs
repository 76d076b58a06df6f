//! Dependencies on the system's shared libraries: what the tree's ELF files need minus what the tree itself holds.
//!
//! RPM's names are made from the file alone (`libc.so.6(GLIBC_2.34)(64bit)`, as rpm's elfdeps makes them). Debian's are
//! names and versions of packages, from the target's own packages ([`crate::target::libraries`]), as dpkg-shlibdeps chooses
//! them. Nothing is guessed: a library that nobody is known to provide is an error unless the configuration names its
//! package, and so is a symbol that the target's library does not have, because the package would install and not run.

mod debian;
mod loader;

use std::collections::BTreeSet;
use std::sync::Arc;

use self::debian::{DebianNeeds, split_number};
use self::loader::{Place, TreeLibraries};
use super::Error;
use crate::name::PackageName;
use crate::target::libraries::{Libraries, newest};
use crate::target::{Format, Target, distributions};
use crate::tree::elf::{self, ElfFacts};
use crate::tree::{Content, InstallPath, Node, Tree};

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

/// An ELF file of the tree.
struct ElfFile<'a> {
    path: &'a InstallPath,
    content: &'a Content,
    vendored: bool,
    facts: Arc<ElfFacts>,
}

impl ElfFile<'_> {
    fn error(&self, package: &PackageName, problem: std::io::Error) -> Error {
        unreadable(package, self.path, problem)
    }
}

fn unreadable(package: &PackageName, path: &InstallPath, problem: std::io::Error) -> Error {
    match problem.kind() {
        std::io::ErrorKind::InvalidData => {
            Error::Elf { package: package.to_string(), file: path.clone(), problem: problem.to_string() }
        }
        _ => Error::Io(problem),
    }
}

/// The dependencies of `tree` on libraries of `target`, in the syntax of its format, sorted: what a package of it declares.
pub fn library_relations(package: &PackageName, tree: &Tree, target: &Target) -> Result<Vec<String>, Error> {
    needs(package, tree, target, Some(&[])).map(|needs| needs.depends)
}

/// Reads all ELF files of `tree`. `declared` are the dependencies that the configuration names; without them none on
/// libraries are looked for.
pub(super) fn needs(
    package: &PackageName,
    tree: &Tree,
    target: &Target,
    declared: Option<&[String]>,
) -> Result<LibraryNeeds, Error> {
    let mut files: Vec<ElfFile<'_>> = Vec::new();
    let mut vendored_binaries = VendoredBinaries::default();
    elf::read_all(tree);
    for (path, entry) in tree.iter() {
        let Node::File(content) = &entry.node else { continue };
        let facts = elf::read(content).map_err(|problem| unreadable(package, path, problem))?;
        let Some(facts) = facts else { continue };
        // Some wheels carry helpers for other machines as data; they are shipped as locked and need nothing here. So do
        // objects for other machines that nothing here would load, like BPF's.
        if entry.vendored {
            vendored_binaries.add(&facts);
        }
        let foreign = facts.architecture != Some(target.architecture);
        if !(foreign && (entry.vendored || !facts.is_program)) {
            files.push(ElfFile { path, content, vendored: entry.vendored, facts });
        }
    }
    let Some(declared) = declared else {
        let has_binaries = !files.is_empty();
        return Ok(LibraryNeeds { depends: Vec::new(), has_binaries, vendored: vendored_binaries });
    };
    let libraries = TreeLibraries::new(tree, files.iter().map(|file| (file.path, file.facts.as_ref())));
    let mut debian = Libraries::of(&target.distribution)
        .filter(|_| target.format() == Format::Deb)
        .map(|table| DebianNeeds::new(package, target, declared, table));
    let mut rpm: BTreeSet<String> = BTreeSet::new();
    let names = if target.format() == Format::Rpm { known_names() } else { BTreeSet::new() };
    for file in &files {
        check_architecture(package, file, target)?;
        let needed = file.facts.needed.iter().map(|library| {
            let place = libraries.place(file.path, &file.facts, library);
            (library.as_str(), place)
        });
        let outside: Vec<(&str, Place)> = needed.filter(|(_, place)| *place != Place::InReach).collect();
        match &mut debian {
            Some(debian) => debian.add(file, &outside)?,
            None => {
                for (library, _) in outside.iter().filter(|(_, place)| *place == Place::Outside) {
                    if is_library(library) && !names.contains(library) && !declares(declared, library) {
                        return Err(Error::UnknownLibrary {
                            package: package.to_string(),
                            file: file.path.clone(),
                            library: (*library).to_owned(),
                            expected: format!("{library}()(64bit)"),
                            format: Format::Rpm,
                            target: target.to_string(),
                        });
                    }
                    for version in file.facts.versions.get(*library).into_iter().flatten() {
                        check_glibc(package, file, version, target)?;
                        check_newest(package, file, library, version, target)?;
                    }
                }
                rpm_requires(&mut rpm, &file.facts, &outside);
            }
        }
    }
    let mut depends = debian.map_or_else(|| rpm.into_iter().collect(), DebianNeeds::relations);
    depends.sort();
    Ok(LibraryNeeds { depends, has_binaries: !files.is_empty(), vendored: vendored_binaries })
}

fn check_architecture(package: &PackageName, file: &ElfFile<'_>, target: &Target) -> Result<(), Error> {
    if file.facts.architecture == Some(target.architecture) {
        return Ok(());
    }
    Err(Error::WrongArchitecture {
        package: package.to_string(),
        file: file.path.clone(),
        found: file.facts.architecture.map_or("another machine", |architecture| architecture.machine()),
        target: target.to_string(),
    })
}

/// A symbol version of a later glibc than the target's. A table knows better, where there is one: distributions take some
/// versions over into older releases.
fn check_glibc(package: &PackageName, file: &ElfFile<'_>, version: &str, target: &Target) -> Result<(), Error> {
    let (major, minor) = target.distribution.glibc;
    if elf::glibc_version(version).is_none_or(|needed| needed <= (major, minor)) {
        return Ok(());
    }
    Err(Error::GlibcTooNew {
        package: package.to_string(),
        file: file.path.clone(),
        symbol: example_of(file.content, version),
        target: target.to_string(),
        glibc: format!("{major}.{minor}"),
        vendored: file.vendored,
    })
}

/// A symbol version beyond the last that the target's library has, where no table says it.
fn check_newest(
    package: &PackageName,
    file: &ElfFile<'_>,
    library: &str,
    version: &str,
    target: &Target,
) -> Result<(), Error> {
    let (prefix, number) = split_number(version);
    let newest = newest(&target.distribution).iter().find(|newest| newest.soname == library && newest.prefix == prefix);
    let Some(newest) = newest.filter(|newest| {
        let last = split_number(newest.number).1;
        // GCC_14 stands for GCC_14.0.0 as well.
        number.iter().take(last.len()).gt(last.iter())
    }) else {
        return Ok(());
    };
    Err(Error::SymbolTooNew {
        package: package.to_string(),
        file: file.path.clone(),
        symbol: example_of(file.content, version),
        limit: format!("{library} of {target} ends with {prefix}{}", newest.number),
        vendored: file.vendored,
    })
}

/// `fmod@GLIBC_2.38`: a symbol that asks for this version; the version alone, where only the loader asks for it.
fn example_of(content: &Content, version: &str) -> String {
    let mut example = None;
    // That the file cannot be read again is no reason to say less than is known.
    let _ = elf::undefined_symbols(content, &mut |name, of| {
        if of.is_some_and(|of| of.version == version) && example.is_none() {
            example = Some(format!("{name}@{version}"));
        }
    });
    example.unwrap_or_else(|| version.to_owned())
}

/// The SONAMEs that any distribution is known to have. What RPM's distributions have beside these is not known; that one
/// of them has a library which no Debian has is for the configuration to say.
fn known_names() -> BTreeSet<&'static str> {
    distributions().iter().filter_map(Libraries::of).flat_map(Libraries::sonames).collect()
}

/// Whether one of the relations names the library, like `libfoo.so.1()(64bit)`.
fn declares(declared: &[String], library: &str) -> bool {
    let mut words = declared.iter().flat_map(|relation| relation.split_whitespace());
    words.any(|word| word.trim_start_matches('(').strip_prefix(library).is_some_and(|rest| rest.starts_with('(')))
}

/// Whether elfdeps takes the name for that of a library.
fn is_library(name: &str) -> bool {
    name.contains(".so") && ["lib", "ld.", "ld-", "ld64.", "ld64-"].iter().any(|start| name.starts_with(start))
}

/// `soname()(64bit)` and `soname(VERSION)(64bit)`, as rpm's elfdeps writes them.
fn rpm_requires(requires: &mut BTreeSet<String>, facts: &ElfFacts, outside: &[(&str, Place)]) {
    for (library, place) in outside {
        if !is_library(library) {
            continue;
        }
        // Which libraries a distribution has is not known; of these every one has the same.
        if *place == Place::Elsewhere && !EVERYWHERE.contains(library) {
            continue;
        }
        requires.insert(format!("{library}()(64bit)"));
        if *place == Place::Outside {
            let versions = facts.versions.get(*library).into_iter().flatten();
            requires.extend(versions.map(|version| format!("{library}({version})(64bit)")));
        }
    }
    if facts.gnu_hash_only {
        requires.insert("rtld(GNU_HASH)".to_owned());
    }
}

/// Libraries that every distribution of RPM has under one SONAME.
const EVERYWHERE: &[&str] = &["libatomic.so.1", "libgcc_s.so.1", "libgomp.so.1", "libstdc++.so.6", "libz.so.1"];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::diagnostic::Diagnose as _;
    use crate::target::{Architecture, distribution};
    use crate::tree::elf::fixture::needing;

    fn relations(target: &str, files: &[(&str, Vec<u8>)], declared: &[&str]) -> Result<Vec<String>, Error> {
        let distribution = distribution(target).expect("a distribution");
        let target = Target { distribution, architecture: Architecture::X86_64 };
        let mut tree = Tree::new();
        for (path, bytes) in files {
            let path = InstallPath::parse(path).expect("a path");
            tree.file(path, Content::bytes(bytes.clone()), 0o755).expect("a file");
        }
        let declared: Vec<String> = declared.iter().map(|relation| (*relation).to_owned()).collect();
        needs(&PackageName::parse("acme").expect("a name"), &tree, &target, Some(&declared)).map(|needs| needs.depends)
    }

    fn refused(target: &str, file: Vec<u8>) -> (String, Vec<String>) {
        let error = relations(target, &[("/usr/lib/acme/a.so", file)], &[]).expect_err("an error");
        (error.to_string(), error.hints())
    }

    #[test]
    fn each_release_names_its_own_package_in_the_version_of_the_newest_symbol() {
        let symbols = [
            ("sysconf", "libc.so.6", "GLIBC_2.2.5"),
            ("free", "libc.so.6", "GLIBC_2.2.5"),
            ("gzseek64", "libz.so.1", "ZLIB_1.2.3.3"),
            ("SSL_new", "libssl.so.3", "OPENSSL_3.0.0"),
        ];
        let file = needing(&["libz.so.1", "libssl.so.3", "libc.so.6"], &symbols);
        let on = |target| relations(target, &[("/usr/lib/acme/a.so", file.clone())], &[]).expect("relations");
        assert_eq!(on("debian-12"), ["libc6 (>= 2.34)", "libssl3 (>= 3.0.0)", "zlib1g (>= 1:1.2.3.4)"]);
        assert_eq!(on("debian-13"), ["libc6 (>= 2.34)", "libssl3t64 (>= 3.0.0)", "zlib1g (>= 1:1.2.3.4)"]);
        assert_eq!(on("ubuntu-24.04")[1], "libssl3t64 (>= 3.0.0)");
        assert!(on("el9").contains(&"libz.so.1(ZLIB_1.2.3.3)(64bit)".to_owned()), "{:?}", on("el9"));
    }

    #[test]
    fn a_symbol_that_the_target_does_not_have_is_an_error_that_names_it_and_the_remedy() {
        let file = needing(&["libc.so.6"], &[("fmod", "libc.so.6", "GLIBC_2.38")]);
        let (text, hints) = refused("debian-12", file);
        assert_eq!(text, "acme: /usr/lib/acme/a.so needs fmod@GLIBC_2.38, but debian-12/amd64 has glibc 2.36");
        assert!(hints[0].contains("oldest distribution among the targets"), "{hints:?}");
        let file = needing(&["libstdc++.so.6"], &[("_ZSt1x", "libstdc++.so.6", "GLIBCXX_3.4.32")]);
        let expected = "acme: /usr/lib/acme/a.so needs _ZSt1x@GLIBCXX_3.4.32, but libstdc++.so.6 of";
        let (text, _) = refused("debian-12", file.clone());
        assert_eq!(text, format!("{expected} debian-12/amd64 ends with GLIBCXX_3.4.30"));
        assert_eq!(refused("el9", file).0, format!("{expected} el9/x86_64 ends with GLIBCXX_3.4.29"));
        let file = needing(&["libcrypto.so.3"], &[("f", "libcrypto.so.3", "ACME_1")]);
        assert!(refused("debian-12", file).0.ends_with("libcrypto.so.3 of debian-12/amd64 has no such version"));
    }

    #[test]
    fn what_a_release_took_over_from_a_later_glibc_is_there() {
        let file = needing(&["libc.so.6"], &[("x", "libc.so.6", "GLIBC_ABI_GNU2_TLS")]);
        let found = relations("debian-13", &[("/usr/lib/acme/a.so", file.clone())], &[]).expect("relations");
        assert_eq!(found, ["libc6 (>= 2.41-12+deb13u2)"]);
        assert!(refused("debian-12", file).0.ends_with("but debian-12/amd64 has glibc 2.36"));
    }

    #[test]
    fn a_library_that_nobody_provides_is_an_error_until_its_package_is_declared() {
        let file = || needing(&["libacme.so.1"], &[]);
        let (text, hints) = refused("debian-12", file());
        assert!(text.contains("a.so needs the shared library libacme.so.1"), "{text}");
        assert!(hints[0].contains("libacme1"), "{hints:?}");
        let path = "/usr/lib/acme/a.so";
        assert_eq!(relations("debian-12", &[(path, file())], &["libacme1 (>= 2)"]).expect("relations"), [""; 0]);
        let (text, hints) = refused("el9", file());
        assert!(text.contains("a.so needs the shared library libacme.so.1"), "{text}");
        assert!(hints[0].contains("rpm = [\"libacme.so.1()(64bit)\"]"), "{hints:?}");
        for declared in ["libacme.so.1()(64bit)", "(libacme.so.1()(64bit) or acme-libs)"] {
            let found = relations("el9", &[(path, file())], &[declared]).expect("relations");
            assert_eq!(found, ["libacme.so.1()(64bit)"], "{declared}");
        }
        assert!(relations("el9", &[(path, file())], &["libacme.so.10()(64bit)"]).is_err());
        let own = ("/usr/lib/acme/sub/libacme.so.1", needing(&[], &[]));
        assert_eq!(relations("debian-12", &[(path, file()), own], &[]).expect("relations"), [""; 0]);
    }

    #[test]
    fn a_library_of_the_tree_that_the_loader_does_not_find_leaves_the_system_s_needed() {
        let file = ("/usr/lib/acme/a.so", needing(&["libgomp.so.1"], &[("x", "libgomp.so.1", "GOMP_99")]));
        let beside = ("/usr/lib/acme/libgomp.so.1", needing(&[], &[]));
        let away = ("/usr/lib/acme/other.libs/libgomp.so.1", needing(&[], &[]));
        let found = relations("debian-12", &[file.clone(), beside], &[]).expect("relations");
        assert_eq!(found, [""; 0]);
        let found = relations("debian-12", &[file, away], &[]).expect("relations");
        assert!(found.len() == 1 && found[0].starts_with("libgomp1 (>= "), "{found:?}");
    }

    #[test]
    fn static_programs_need_nothing() {
        assert_eq!(relations("debian-12", &[("/usr/bin/acme", needing(&[], &[]))], &[]).expect("relations"), [""; 0]);
    }

    fn requires(facts: &ElfFacts, outside: &[(&str, Place)]) -> Vec<String> {
        let mut requires = BTreeSet::new();
        rpm_requires(&mut requires, facts, outside);
        requires.into_iter().collect()
    }

    fn facts() -> ElfFacts {
        let versions = BTreeSet::from(["GLIBC_2.34".to_owned()]);
        ElfFacts {
            versions: BTreeMap::from([("libc.so.6".to_owned(), versions)]),
            gnu_hash_only: true,
            ..ElfFacts::default()
        }
    }

    #[test]
    fn rpm_names_are_those_of_elfdeps() {
        let outside =
            ["libc.so.6", "ld-linux-x86-64.so.2", "plugin.so", "ldap.so.2"].map(|name| (name, Place::Outside));
        let expected =
            ["ld-linux-x86-64.so.2()(64bit)", "libc.so.6()(64bit)", "libc.so.6(GLIBC_2.34)(64bit)", "rtld(GNU_HASH)"];
        assert_eq!(requires(&facts(), &outside), expected);
    }

    #[test]
    fn a_library_that_the_loader_may_not_find_in_the_tree_is_required_where_everybody_has_it() {
        let facts = ElfFacts { gnu_hash_only: false, ..facts() };
        let outside = [("libgomp.so.1", Place::Elsewhere), ("libssl.so.1.1", Place::Elsewhere)];
        assert_eq!(requires(&facts, &outside), ["libgomp.so.1()(64bit)"]);
    }
}
