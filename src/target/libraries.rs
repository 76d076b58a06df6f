//! Which package of a distribution holds a shared library, and since which version it has each symbol.
//!
//! For Debian and Ubuntu a table per release, made from the release's own packages by `cargo xtask libraries`
//! (`libraries/*.txt`). Its lines are
//!
//! ```text
//! libz.so.1 zlib1g #MINVER#          a library and what to depend on (deb-symbols(5)); `libc.so.6:amd64`, when it is
//! | zlib1g (>> 1), zlib1g (<< 2)     so on one architecture alone; further such templates; a template without #MINVER#
//! * 1:1.1.4                          is all that is known (deb-shlibs(5)); the version that every use needs
//!  ZLIB_1.2.0 1:1.2.0                what the symbols of a version need; a number behind it is the template's, else 0
//!  ZLIB_1.2.3.3 1:1.2.3.4            what some of them need instead:
//!   gzseek64                         each of these
//! ```
//!
//! Symbols without version are in `Base`; only those are listed that need more than every use does.
//!
//! For RPM there are no names of packages to know; what is known is how far the symbol versions of some libraries go.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::OnceLock;

use super::{Architecture, Distribution, Format, distributions};

/// The tables, by distribution.
const TEXTS: &[(&str, &str)] = &[
    ("debian-11", include_str!("libraries/debian-11.txt")),
    ("debian-12", include_str!("libraries/debian-12.txt")),
    ("debian-13", include_str!("libraries/debian-13.txt")),
    ("ubuntu-22.04", include_str!("libraries/ubuntu-22.04.txt")),
    ("ubuntu-24.04", include_str!("libraries/ubuntu-24.04.txt")),
];

/// The libraries of one release of Debian or Ubuntu.
#[derive(Debug)]
pub struct Libraries {
    /// The text of each library, from behind its SONAME.
    blocks: HashMap<&'static str, &'static str>,
}

/// A version that is needed, and the template that it goes into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minimum {
    /// A version of the package.
    pub version: &'static str,
    /// An index of [`Library::templates`].
    pub template: usize,
}

/// One library.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Library {
    /// Dependencies, with `#MINVER#` where `(>= VERSION)` goes. There is at least one.
    pub templates: Vec<&'static str>,
    /// The version that every use of the library needs.
    pub smallest: Option<&'static str>,
    /// Symbol versions, and what their symbols need.
    pub versions: BTreeMap<&'static str, Minimum>,
    /// Symbols that need something else, by symbol version and name.
    pub symbols: HashMap<(&'static str, &'static str), Minimum>,
}

impl Libraries {
    /// The table of a distribution; `None` for those of RPM. A distribution of the user's own has the table of the one that
    /// it is based on, which its C library tells.
    pub fn of(distribution: &Distribution) -> Option<&'static Self> {
        static TABLES: OnceLock<Vec<(Distribution, Libraries)>> = OnceLock::new();
        let tables = TABLES.get_or_init(|| {
            let known = distributions().into_iter().filter_map(|distribution| {
                let (_, text) = TEXTS.iter().find(|(name, _)| *name == distribution.name)?;
                Some((distribution, Self::read(text)))
            });
            known.collect()
        });
        if distribution.format == Format::Rpm {
            return None;
        }
        let named = tables.iter().find(|(known, _)| known.name == distribution.name);
        let like = || tables.iter().find(|(known, _)| known.glibc == distribution.glibc);
        named.or_else(like).map(|(_, table)| table)
    }

    fn read(text: &'static str) -> Self {
        let mut blocks = HashMap::new();
        let mut rest = text;
        while !rest.is_empty() {
            let is_head = |line: &str| !line.starts_with([' ', '|', '*', '#']);
            let mut end = rest.find('\n').map_or(rest.len(), |end| end + 1);
            let head = rest.get(..end).unwrap_or_default();
            while let Some(line) = rest.get(end..).filter(|after| !after.is_empty() && !is_head(after)) {
                end += line.find('\n').map_or(line.len(), |end| end + 1);
            }
            let (block, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            if is_head(head)
                && let Some((soname, block)) = block.split_once(' ')
            {
                blocks.insert(soname, block);
            }
            rest = after;
        }
        Self { blocks }
    }

    /// What is known of the library with this SONAME.
    pub fn library(&self, soname: &str, architecture: Architecture) -> Option<Library> {
        let own = format!("{soname}:{}", architecture.debian());
        let block = self.blocks.get(own.as_str()).or_else(|| self.blocks.get(soname))?;
        Some(Library::read(block))
    }

    /// The SONAMEs of all libraries, on any architecture.
    pub fn sonames(&self) -> BTreeSet<&'static str> {
        self.blocks.keys().map(|key| key.split_once(':').map_or(*key, |(soname, _)| soname)).collect()
    }
}

impl Library {
    fn read(block: &'static str) -> Self {
        let mut library = Self::default();
        let mut group: Option<(&str, Minimum)> = None;
        let mut lines = block.lines().peekable();
        library.templates.extend(lines.next());
        while let Some(line) = lines.next() {
            if let Some(template) = line.strip_prefix("| ") {
                library.templates.push(template);
            } else if let Some(smallest) = line.strip_prefix("* ") {
                library.smallest = Some(smallest);
            } else if let Some(symbol) = line.strip_prefix("  ") {
                library.symbols.extend(group.map(|(version, minimum)| ((version, symbol), minimum)));
            } else {
                let mut words = line.split_whitespace();
                let (Some(node), Some(version)) = (words.next(), words.next()) else { continue };
                let template = words.next().and_then(|number| number.parse().ok()).unwrap_or(0);
                let minimum = Minimum { version, template };
                group = Some((node, minimum));
                if lines.peek().is_none_or(|next| !next.starts_with("  ")) {
                    library.versions.insert(node, minimum);
                }
            }
        }
        library
    }
}

/// How far the symbol versions of a library go: `GLIBCXX_3.4.29` is the last of those that begin with `GLIBCXX_`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Newest {
    /// `libstdc++.so.6`.
    pub soname: &'static str,
    /// `GLIBCXX_`.
    pub prefix: &'static str,
    /// `3.4.29`.
    pub number: &'static str,
}

/// The run-time of a GCC (libstdc++'s "ABI Policy and Guidelines"; libgcc's `*.ver` files).
const fn gcc(libstdcxx: &'static str, cxxabi: &'static str, libgcc: &'static str) -> [Newest; 3] {
    [
        Newest { soname: "libstdc++.so.6", prefix: "GLIBCXX_", number: libstdcxx },
        Newest { soname: "libstdc++.so.6", prefix: "CXXABI_", number: cxxabi },
        Newest { soname: "libgcc_s.so.1", prefix: "GCC_", number: libgcc },
    ]
}

/// Distributions of RPM by the GCC that their run-time is from.
const RPM: &[(&str, [Newest; 3])] = &[
    ("el8", gcc("3.4.25", "1.3.11", "8")),
    ("el9", gcc("3.4.29", "1.3.13", "11")),
    ("el10", gcc("3.4.33", "1.3.15", "14")),
    ("fedora-42", gcc("3.4.34", "1.3.16", "15")),
    ("fedora-43", gcc("3.4.34", "1.3.16", "15")),
];

/// How far the libraries of a distribution of RPM go, beside its C library; nothing for others.
pub fn newest(distribution: &Distribution) -> &'static [Newest] {
    let named = RPM.iter().find(|(name, _)| *name == distribution.name);
    let like = || {
        let known = distributions().into_iter().filter(|known| known.format == Format::Rpm);
        let base =
            known.into_iter().find(|known| known.glibc == distribution.glibc && known.rpm == distribution.rpm)?;
        RPM.iter().find(|(name, _)| *name == base.name)
    };
    if distribution.format == Format::Deb {
        return &[];
    }
    named.or_else(like).map_or(&[], |(_, newest)| newest.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::distribution;

    fn library(soname: &str, name: &str) -> Option<Library> {
        let distribution = distribution(name).expect("a distribution");
        Libraries::of(&distribution).expect("a table").library(soname, Architecture::X86_64)
    }

    fn package(soname: &str, name: &str) -> Option<&'static str> {
        library(soname, name)?.templates[0].split_whitespace().next()
    }

    #[test]
    fn every_distribution_of_debian_s_kind_has_a_table_and_each_library_a_package() {
        for distribution in distributions() {
            let Some(table) = Libraries::of(&distribution) else {
                assert_eq!(distribution.format, Format::Rpm, "{distribution:?}");
                continue;
            };
            assert!(table.blocks.len() > 300, "{} of {}", table.blocks.len(), distribution.name);
            for (soname, block) in &table.blocks {
                let library = Library::read(block);
                assert!(!library.templates[0].is_empty(), "{soname} in {}", distribution.name);
                let minima = library.versions.values().chain(library.symbols.values());
                for minimum in minima {
                    assert!(minimum.template < library.templates.len(), "{soname} in {}", distribution.name);
                }
                let lines = block.lines().filter(|line| line.starts_with(' ')).count();
                assert!(library.versions.len() + library.symbols.len() <= lines, "{soname}");
            }
        }
    }

    #[test]
    fn a_block_is_read_with_all_that_it_has() {
        let table = Libraries::read(
            "# Head.\nliba.so.1 liba1 (>= 2)\nlibb.so.2:amd64 libb2 #MINVER#, b-data\n| libb2 (>> 3)\n* 1.0\n Base 1.5\n  x\n  y\n B_1 1.0\n B_1 1.2\n  z\n B_PRIVATE 3.0 1\n",
        );
        let a = table.library("liba.so.1", Architecture::Aarch64).expect("liba");
        assert_eq!(a, Library { templates: vec!["liba1 (>= 2)"], ..Library::default() });
        assert_eq!(table.library("libb.so.2", Architecture::Aarch64), None);
        let b = table.library("libb.so.2", Architecture::X86_64).expect("libb");
        assert_eq!(b.templates, ["libb2 #MINVER#, b-data", "libb2 (>> 3)"]);
        assert_eq!(b.smallest, Some("1.0"));
        assert_eq!(b.versions.keys().copied().collect::<Vec<_>>(), ["B_1", "B_PRIVATE"]);
        assert_eq!(b.versions["B_PRIVATE"], Minimum { version: "3.0", template: 1 });
        assert_eq!(b.symbols[&("Base", "y")], Minimum { version: "1.5", template: 0 });
        assert_eq!(b.symbols[&("B_1", "z")].version, "1.2");
        assert_eq!(table.sonames(), BTreeSet::from(["liba.so.1", "libb.so.2"]));
    }

    #[test]
    fn a_release_has_its_own_names_and_no_other_s() {
        assert_eq!(package("libssl.so.3", "debian-11"), None);
        assert_eq!(package("libssl.so.1.1", "debian-11"), Some("libssl1.1"));
        assert_eq!(package("libssl.so.1.1", "debian-12"), None);
        assert_eq!(package("libssl.so.3", "debian-12"), Some("libssl3"));
        assert_eq!(package("libssl.so.3", "debian-13"), Some("libssl3t64"));
        assert_eq!(package("libssl.so.3", "ubuntu-22.04"), Some("libssl3"));
        assert_eq!(package("libssl.so.3", "ubuntu-24.04"), Some("libssl3t64"));
        assert_eq!(package("libffi.so.8", "debian-11"), None);
        assert_eq!(package("libodbc.so.2", "debian-11"), Some("libodbc1"));
        assert_eq!(package("libldap.so.2", "debian-13"), Some("libldap2"));
        assert_eq!(package("libjpeg.so.62", "debian-12"), Some("libjpeg62-turbo"));
        // Ubuntu's libjpeg-turbo8 wants others to name the package that chooses it.
        assert_eq!(package("libjpeg.so.8", "ubuntu-24.04"), Some("libjpeg8"));
        assert_eq!(package("libpython3.11.so.1.0", "debian-12"), Some("libpython3.11"));
    }

    #[test]
    fn a_distribution_of_the_user_s_own_has_the_libraries_of_its_base() {
        let own = Distribution { name: "acme-os".to_owned(), ..distribution("debian-13").expect("it") };
        let table = Libraries::of(&own).expect("a table");
        assert_eq!(table.library("libssl.so.3", Architecture::X86_64), library("libssl.so.3", "debian-13"));
        let own = Distribution { name: "acme-el".to_owned(), ..distribution("el9").expect("it") };
        assert_eq!(newest(&own), newest(&distribution("el9").expect("it")));
    }

    #[test]
    fn the_c_library_s_newest_symbols_are_of_the_release_that_the_distribution_is_said_to_have() {
        for distribution in distributions() {
            let Some(table) = Libraries::of(&distribution) else { continue };
            for architecture in [Architecture::X86_64, Architecture::Aarch64] {
                let libc = table.library("libc.so.6", architecture).expect("libc");
                // glibc 2.31 brought nothing new for arm64.
                let numbered = libc.versions.keys().filter(|version| version.starts_with("GLIBC_2."));
                let newest = numbered.filter_map(|version| crate::tree::elf::glibc_version(version)).max();
                assert!(
                    newest <= Some(distribution.glibc) && newest >= Some((2, 30)),
                    "{newest:?} {}",
                    distribution.name
                );
            }
        }
    }

    /// Every library that this machine's own packages say they hold, where this machine runs a release of the table.
    #[test]
    fn this_machine_s_shlibs_say_the_same() {
        let release = fs_err::read_to_string("/etc/os-release").unwrap_or_default();
        let field = |name: &str| {
            release.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim_matches('"').to_owned())
        };
        let name = format!("{}-{}", field("ID=").unwrap_or_default(), field("VERSION_ID=").unwrap_or_default());
        if !TEXTS.iter().any(|(known, _)| *known == name) {
            return;
        }
        let Ok(directory) = fs_err::read_dir("/var/lib/dpkg/info") else { return };
        let mut compared = 0;
        for file in directory.filter_map(Result::ok) {
            if file.path().extension().is_none_or(|extension| extension != "shlibs") {
                continue;
            }
            for line in fs_err::read_to_string(file.path()).expect("shlibs").lines() {
                let words: Vec<&str> = line.split_whitespace().collect();
                let [library, version, holder, ..] = words.as_slice() else { continue };
                // Of the distribution's own: others bring private copies, and `udeb:` lines are for its installer.
                if library.ends_with(':') || !(holder.starts_with("lib") || *holder == "zlib1g") {
                    continue;
                }
                for soname in [format!("{library}.so.{version}"), format!("{library}-{version}.so")] {
                    if let Some(known) = package(&soname, &name) {
                        assert_eq!(known, *holder, "{soname}");
                        compared += 1;
                    }
                }
            }
        }
        assert!(compared > 10, "only {compared} libraries were compared");
    }
}
