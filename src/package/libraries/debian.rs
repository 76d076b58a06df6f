//! Debian's names and versions for libraries, as dpkg-shlibdeps(1) finds them: of each library the smallest version that it
//! ever had in its package, raised to the version of the newest symbol that is used.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use super::{ElfFile, Place, check_glibc, example_of};
use crate::name::PackageName;
use crate::package::Error;
use crate::package::version::compare_debian;
use crate::target::libraries::{Libraries, Library, Minimum};
use crate::target::{Format, Target};
use crate::tree::elf::{self, SymbolVersion};

/// Collects what the files of a package need.
pub(super) struct DebianNeeds<'a> {
    package: &'a PackageName,
    target: &'a Target,
    /// Relations that the configuration names.
    declared: &'a [String],
    table: &'static Libraries,
    /// Libraries read so far.
    known: HashMap<String, Option<Library>>,
    wanted: Wanted,
}

/// A symbol version that a file needs, and what most of its symbols need.
struct NeededVersion<'a> {
    soname: &'a str,
    version: &'a str,
    template: &'static str,
    minimum: &'static str,
    /// Whether a symbol asked for it, which is then looked up by itself.
    seen: bool,
}

/// Dependency templates, and the version for each.
#[derive(Debug, Default)]
struct Wanted(BTreeMap<&'static str, Option<&'static str>>);

impl Wanted {
    /// A template may be several relations; each is raised by itself, as it may belong to several libraries.
    fn raise(&mut self, template: &'static str, version: Option<&'static str>) {
        for relation in template.split(',').map(str::trim).filter(|relation| !relation.is_empty()) {
            let lowest = self.0.entry(relation).or_default();
            if higher(version, *lowest) {
                *lowest = version;
            }
        }
    }

    /// The relations, with what is implied by another left out.
    fn relations(self) -> Vec<String> {
        let mut relations = Vec::new();
        let mut minima: BTreeMap<&'static str, Option<&'static str>> = BTreeMap::new();
        for (template, version) in self.0 {
            // dpkg takes version 0 for none.
            let version = version.filter(|version| *version != "0");
            match plain(template) {
                Some((package, fixed)) => {
                    let version = if template.contains("#MINVER#") { version } else { fixed };
                    let lowest = minima.entry(package).or_default();
                    if higher(version, *lowest) {
                        *lowest = version;
                    }
                }
                None => {
                    let version = version.map(|version| format!("(>= {version})")).unwrap_or_default();
                    let relation = template.replace("#MINVER#", &version);
                    relations.push(relation.split_whitespace().collect::<Vec<_>>().join(" "));
                }
            }
        }
        relations.extend(minima.into_iter().map(|(package, version)| match version {
            Some(version) => format!("{package} (>= {version})"),
            None => package.to_owned(),
        }));
        relations
    }
}

/// `libfoo1 #MINVER#`, `libfoo1`, `libfoo1 (>= 1)`: the package, and the version where it is fixed.
fn plain(template: &'static str) -> Option<(&'static str, Option<&'static str>)> {
    let (package, rest) = template.split_once(' ').unwrap_or((template, ""));
    let fixed = match rest.trim() {
        "" | "#MINVER#" => None,
        rest => Some(rest.strip_prefix("(>=")?.strip_suffix(')')?.trim()),
    };
    (!package.contains(['|', '(', '#']) && !rest.contains('|')).then_some((package, fixed))
}

fn higher(version: Option<&str>, than: Option<&str>) -> bool {
    match (version, than) {
        (Some(version), Some(than)) => compare_debian(version, than) == Ordering::Greater,
        (version, None) => version.is_some(),
        (None, Some(_)) => false,
    }
}

impl<'a> DebianNeeds<'a> {
    pub(super) fn new(
        package: &'a PackageName,
        target: &'a Target,
        declared: &'a [String],
        table: &'static Libraries,
    ) -> Self {
        Self { package, target, declared, table, known: HashMap::new(), wanted: Wanted::default() }
    }

    /// Adds what `file` needs of these libraries.
    pub(super) fn add(&mut self, file: &ElfFile<'_>, libraries: &[(&str, Place)]) -> Result<(), Error> {
        for (soname, _) in libraries {
            if !self.known.contains_key(*soname) {
                self.known.insert((*soname).to_owned(), self.table.library(soname, self.target.architecture));
            }
        }
        let mut used: Vec<(&str, &Library)> = Vec::new();
        let mut versions: Vec<NeededVersion<'_>> = Vec::new();
        for (soname, place) in libraries {
            let Some(library) = self.known.get(*soname).and_then(Option::as_ref) else {
                // What is in the tree and unknown to the distribution can only be the tree's.
                if *place == Place::Outside && !self.declared.iter().any(|relation| provides_library(relation, soname))
                {
                    return Err(self.unknown(file, soname));
                }
                continue;
            };
            used.push((soname, library));
            self.wanted.raise(library.templates.first().copied().unwrap_or_default(), library.smallest);
            for version in file.facts.versions.get(*soname).into_iter().flatten() {
                match library.versions.get(version.as_str()) {
                    Some(minimum) => {
                        let template = template(library, *minimum);
                        versions.push(NeededVersion {
                            soname,
                            version,
                            template,
                            minimum: minimum.version,
                            seen: false,
                        });
                    }
                    // The loader refuses a version that the library does not define, unless it defines none at all. The
                    // tree's own library may define it.
                    None if library.versions.is_empty() || *place == Place::Elsewhere => {}
                    None => {
                        check_glibc(self.package, file, version, self.target)?;
                        return Err(self.too_new(file, soname, library, version));
                    }
                }
            }
        }
        let wanted = &mut self.wanted;
        if used.iter().any(|(_, library)| !library.symbols.is_empty()) {
            let mut visit = |name: &str, version: Option<SymbolVersion<'_>>| {
                let node = version.map_or("Base", |version| version.version);
                let mut is_exception = false;
                for (soname, library) in &used {
                    let Some(minimum) = library.symbols.get(&(node, name)) else { continue };
                    wanted.raise(template(library, *minimum), Some(minimum.version));
                    is_exception |= version.is_some_and(|version| version.library == *soname);
                }
                let mut versions = versions.iter_mut();
                let of = version
                    .and_then(|of| versions.find(|known| known.soname == of.library && known.version == of.version));
                if let Some(of) = of {
                    if !is_exception {
                        wanted.raise(of.template, Some(of.minimum));
                    }
                    of.seen = true;
                }
            };
            elf::undefined_symbols(file.content, &mut visit).map_err(|problem| file.error(self.package, problem))?;
        }
        for version in versions.iter().filter(|version| !version.seen) {
            wanted.raise(version.template, Some(version.minimum));
        }
        Ok(())
    }

    /// In the syntax of `Depends`.
    pub(super) fn relations(self) -> Vec<String> {
        self.wanted.relations()
    }

    fn unknown(&self, file: &ElfFile<'_>, library: &str) -> Error {
        Error::UnknownLibrary {
            package: self.package.to_string(),
            file: file.path.clone(),
            library: library.to_owned(),
            expected: policy_name(library),
            format: Format::Deb,
            target: self.target.to_string(),
        }
    }

    fn too_new(&self, file: &ElfFile<'_>, soname: &str, library: &Library, version: &str) -> Error {
        let (prefix, _) = split_number(version);
        let alike = library.versions.keys().filter(|known| split_number(known).0 == prefix);
        let newest = alike.max_by_key(|known| split_number(known).1);
        Error::SymbolTooNew {
            package: self.package.to_string(),
            file: file.path.clone(),
            symbol: example_of(file.content, version),
            limit: match newest {
                Some(newest) => format!("{soname} of {} ends with {newest}", self.target),
                None => format!("{soname} of {} has no such version", self.target),
            },
            vendored: file.vendored,
        }
    }
}

fn template(library: &Library, minimum: Minimum) -> &'static str {
    library.templates.get(minimum.template).copied().unwrap_or_default()
}

/// `GLIBCXX_3.4.29` → `GLIBCXX_` and its numbers.
pub(super) fn split_number(version: &str) -> (&str, Vec<u64>) {
    let start = version.find(|character: char| character.is_ascii_digit()).unwrap_or(version.len());
    let (prefix, number) = version.split_at_checked(start).unwrap_or((version, ""));
    (prefix, number.split(['.', '_']).map(|part| part.parse().unwrap_or(0)).collect())
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
    fn versions_are_raised_in_dpkg_s_order_and_never_lowered() {
        let mut wanted = Wanted::default();
        wanted.raise("libc6 #MINVER#", Some("2.2.5"));
        wanted.raise("libc6 #MINVER#", Some("2.14"));
        wanted.raise("libc6 #MINVER#", Some("2.4"));
        wanted.raise("libc6 (>> 2.36), libc6 (<< 2.37)", Some("2.36"));
        wanted.raise("zlib1g #MINVER#", Some("1:1.1.4"));
        wanted.raise("libgl1 #MINVER#", Some("0"));
        wanted.raise("libblas3 | libblas.so.3", None);
        wanted.raise("libfoo1 #MINVER# | libfoo-compat", Some("2"));
        wanted.raise("libbar1", None);
        wanted.raise("libbar1 (>= 1.0~rc1)", None);
        wanted.raise("libbar1 #MINVER#, bar-data", Some("1.0"));
        let mut relations = wanted.relations();
        relations.sort();
        assert_eq!(
            relations,
            [
                "bar-data",
                "libbar1 (>= 1.0)",
                "libblas3 | libblas.so.3",
                "libc6 (<< 2.37)",
                "libc6 (>= 2.14)",
                "libc6 (>> 2.36)",
                "libfoo1 (>= 2) | libfoo-compat",
                "libgl1",
                "zlib1g (>= 1:1.1.4)",
            ]
        );
    }

    #[test]
    fn numbers_of_symbol_versions_are_told_from_their_names() {
        assert_eq!(split_number("GLIBCXX_3.4.29"), ("GLIBCXX_", vec![3, 4, 29]));
        assert_eq!(split_number("OPENSSL_1_1_1"), ("OPENSSL_", vec![1, 1, 1]));
        assert!(split_number("GLIBCXX_3.4.9").1 < split_number("GLIBCXX_3.4.29").1);
    }
}
