//! The two control files by which a Debian package says what its shared libraries are worth: `symbols`
//! (deb-symbols(5), deb-src-symbols(5)) and `shlibs` (deb-shlibs(5)); read as dpkg-shlibdeps reads them.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use packhouse::package::version::compare_debian;

use crate::Result;

/// A dependency: the lowest version that will do, and which of the library's templates it goes into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Minimum {
    pub(crate) version: String,
    pub(crate) template: usize,
}

/// What is known of one library.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Library {
    /// Dependencies with `#MINVER#` where the version goes; the first is for the library itself.
    pub(crate) templates: Vec<String>,
    /// The smallest version of all symbols in the first template, with which a dependency begins.
    pub(crate) smallest: Option<String>,
    /// Symbol versions (`Base` where there are none) and names.
    pub(crate) symbols: BTreeMap<(String, String), Minimum>,
    /// Patterns for all symbols of a version.
    pub(crate) nodes: BTreeMap<String, Minimum>,
}

/// Reads a `symbols` file for an architecture of Debian.
pub(crate) fn parse_symbols(text: &str, architecture: &str) -> Result<BTreeMap<String, Library>> {
    let mut libraries: BTreeMap<String, Library> = BTreeMap::new();
    let mut current: Option<String> = None;
    for (number, line) in text.lines().enumerate() {
        let wrong = |what: &str| format!("line {}: {what}: {line}", number + 1);
        if line.contains("#include") && !line.starts_with(' ') {
            // Only source packages have them; dpkg-gensymbols resolves them.
            return Err(wrong("an installed symbols file includes nothing").into());
        }
        let gone = line.strip_prefix("#MISSING: ").or_else(|| line.strip_prefix("#DEPRECATED: "));
        let gone = gone.map(|rest| rest.split_once('#').map_or(rest, |(_, symbol)| symbol));
        if let Some(specification) = gone.or_else(|| line.starts_with([' ', '\t']).then_some(line)) {
            let name = current.as_ref().ok_or_else(|| wrong("a symbol without library"))?;
            let library = libraries.entry(name.clone()).or_default();
            let symbol = Symbol::parse(specification.trim_start()).ok_or_else(|| wrong("no symbol"))?;
            library.add(symbol, gone.is_some(), architecture);
        } else if line.is_empty() || line.starts_with('#') {
        } else if let Some(template) = line.strip_prefix('|') {
            let name = current.as_ref().ok_or_else(|| wrong("a dependency without library"))?;
            libraries.entry(name.clone()).or_default().templates.push(template.trim().to_owned());
        } else if line.starts_with('*') {
            // Build-Depends-Package speaks of how a source package was built, and there is none.
        } else if let Some((name, template)) = line.split_once(char::is_whitespace) {
            libraries.entry(name.to_owned()).or_default().templates = vec![template.trim().to_owned()];
            current = Some(name.to_owned());
        } else {
            return Err(wrong("no dependency").into());
        }
    }
    Ok(libraries)
}

/// One line on a symbol.
#[derive(Debug)]
struct Symbol<'a> {
    tags: Vec<(&'a str, Option<&'a str>)>,
    name: &'a str,
    minimum: Minimum,
}

impl<'a> Symbol<'a> {
    /// `(tag|tag=value)"name@VERSION" minimum template`.
    fn parse(text: &'a str) -> Option<Self> {
        let (tags, rest) = match text.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
            Some((tags, rest)) => (tags, rest),
            None => ("", text),
        };
        let tags: Vec<_> = tags
            .split('|')
            .filter(|tag| !tag.is_empty())
            .map(|tag| tag.split_once('=').map_or((tag, None), |(name, value)| (name, Some(value))))
            .collect();
        let quote = rest.chars().next().filter(|quote| !tags.is_empty() && matches!(quote, '"' | '\''));
        let (name, rest) = match quote {
            Some(quote) => rest.strip_prefix(quote)?.split_once(quote).map(|(name, after)| {
                // The version stands within or right behind the quotes.
                (name, after.trim_start_matches(|character: char| !character.is_whitespace()))
            })?,
            None => rest.split_once(' ')?,
        };
        let mut words = rest.split_whitespace();
        let version = words.next()?.to_owned();
        let template = words.next().map_or(Ok(0), str::parse).ok()?;
        Some(Self { tags, name, minimum: Minimum { version, template } })
    }

    fn has(&self, tag: &str) -> bool {
        self.tags.iter().any(|(name, _)| *name == tag)
    }

    /// Whether its `arch` tags let it be on this architecture.
    fn is_on(&self, architecture: &str) -> bool {
        let matches = |pattern: &str| {
            pattern == architecture
                || matches!(pattern, "any" | "linux-any")
                || pattern.strip_prefix("any-").or_else(|| pattern.strip_prefix("linux-")) == Some(architecture)
        };
        self.tags.iter().all(|(name, value)| match (*name, value) {
            ("arch", Some(list)) => {
                let mut patterns = list.split([' ', ',']).filter(|pattern| !pattern.is_empty()).peekable();
                match patterns.peek().is_some_and(|first| first.starts_with('!')) {
                    true => patterns.all(|pattern| !matches(pattern.trim_start_matches('!'))),
                    false => patterns.any(matches),
                }
            }
            ("arch-bits", Some(bits)) => *bits == "64",
            ("arch-endian", Some(endian)) => *endian == "little",
            _ => true,
        })
    }
}

impl Library {
    /// Adds a symbol. Those that are gone count for the smallest version, as dpkg-shlibdeps counts them, and for no more.
    fn add(&mut self, symbol: Symbol<'_>, gone: bool, architecture: &str) {
        if !symbol.is_on(architecture) {
            return;
        }
        let Minimum { version, template } = &symbol.minimum;
        let node = symbol.name.strip_prefix("*@").or_else(|| symbol.has("symver").then_some(symbol.name));
        // dpkg-shlibdeps looks nothing up by pattern; a pattern for all of a version tells that the version exists.
        if let Some(node) = node {
            if !gone {
                raise(self.nodes.entry(node.to_owned()), symbol.minimum.clone());
            }
            return;
        }
        if symbol.has("regex") || symbol.has("c++") {
            return;
        }
        if *template == 0 && self.smallest.as_ref().is_none_or(|known| compare_debian(version, known) == Ordering::Less)
        {
            self.smallest = Some(version.clone());
        }
        if gone {
            return;
        }
        let (name, node) = symbol.name.rsplit_once('@').unwrap_or((symbol.name, "Base"));
        self.symbols.insert((node.to_owned(), name.to_owned()), symbol.minimum);
    }
}

fn raise<K: Ord>(entry: std::collections::btree_map::Entry<'_, K, Minimum>, minimum: Minimum) {
    entry
        .and_modify(|known| {
            if compare_debian(&minimum.version, &known.version) == Ordering::Greater {
                *known = minimum.clone();
            }
        })
        .or_insert(minimum);
}

/// Reads a `shlibs` file: SONAMEs and their dependencies. `is_file` tells whether the package has a file of a name.
pub(crate) fn parse_shlibs(text: &str, is_file: impl Fn(&str) -> bool) -> BTreeMap<String, Library> {
    let mut libraries = BTreeMap::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        // `udeb: libfoo 1 libfoo1-udeb` is for the installer.
        let [library, version, dependency @ ..] = words.as_slice() else { continue };
        if library.ends_with(':') || dependency.is_empty() {
            continue;
        }
        // `libfoo 1.2` stands for libfoo.so.1.2 as well as for libfoo-1.2.so.
        let dashed = format!("{library}-{version}.so");
        let soname = if is_file(&dashed) { dashed } else { format!("{library}.so.{version}") };
        libraries.insert(soname, Library { templates: vec![dependency.join(" ")], ..Library::default() });
    }
    libraries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(text: &str) -> Library {
        let mut libraries = parse_symbols(text, "amd64").expect("a symbols file");
        assert_eq!(libraries.len(), 1);
        libraries.pop_first().expect("one").1
    }

    fn minimum(library: &Library, name: &str, node: &str) -> Option<(String, usize)> {
        let found = library.symbols.get(&(node.to_owned(), name.to_owned()))?;
        Some((found.version.clone(), found.template))
    }

    #[test]
    fn alternative_dependencies_and_fields_belong_to_the_library_above() {
        let libfoo = library(
            "libfoo.so.1 libfoo1 #MINVER#, libfoo-data\n| libfoo1 (>> 2), libfoo1 (<< 3)\n* Build-Depends-Package: libfoo-dev\n old@Base 1.0\n private@FOO_PRIVATE 2.0 1\n",
        );
        assert_eq!(libfoo.templates, ["libfoo1 #MINVER#, libfoo-data", "libfoo1 (>> 2), libfoo1 (<< 3)"]);
        assert_eq!(minimum(&libfoo, "private", "FOO_PRIVATE"), Some(("2.0".to_owned(), 1)));
        assert_eq!(libfoo.smallest.as_deref(), Some("1.0"));
    }

    #[test]
    fn a_dependency_begins_with_the_smallest_version_in_dpkg_s_order_even_of_symbols_that_are_gone() {
        let libfoo = library(
            "libfoo.so.1 libfoo1 #MINVER#\n#MISSING: 3.0# lost@Base 1:0.9~rc1\n a@Base 1:0.9\n b@Base 1:0.10\n",
        );
        assert_eq!(libfoo.smallest.as_deref(), Some("1:0.9~rc1"));
        assert_eq!(minimum(&libfoo, "lost", "Base"), None);
    }

    #[test]
    fn wildcards_stand_for_a_version_and_not_for_a_symbol() {
        let libfoo = library("libfoo.so.1 libfoo1 #MINVER#\n *@FOO_1 1.0\n (symver|optional)FOO_2 2.0\n x@FOO_2 2.1\n");
        assert_eq!(libfoo.nodes["FOO_1"].version, "1.0");
        assert_eq!(libfoo.nodes["FOO_2"].version, "2.0");
        assert_eq!(libfoo.symbols.len(), 1);
    }

    #[test]
    fn tags_choose_the_architecture() {
        let text = "libfoo.so.1 libfoo1 #MINVER#\n (arch=amd64)a@Base 1\n (arch=!amd64 !i386)b@Base 1\n (optional|arch=any-amd64)\"c@Base\" 1\n (arch-bits=32)d@Base 1\n (regex)\"^e.*@Base$\" 1\n";
        let names = |architecture| {
            let all = parse_symbols(text, architecture).expect("a symbols file");
            all["libfoo.so.1"].symbols.keys().map(|(_, name)| name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names("amd64"), ["a", "c"]);
        assert_eq!(names("arm64"), ["b"]);
    }

    #[test]
    fn what_dpkg_would_not_install_is_refused() {
        assert!(parse_symbols(" a@Base 1\n", "amd64").is_err(), "no library");
        assert!(parse_symbols("libfoo.so.1 libfoo1\n a@Base\n", "amd64").is_err(), "no version");
        assert!(parse_symbols("libfoo.so.1 libfoo1\n#include \"common\"\n", "amd64").is_err(), "an include");
        assert!(parse_symbols("libfoo.so.1 libfoo1\n(arch=any)#include \"common\"\n", "amd64").is_err(), "an include");
    }

    #[test]
    fn shlibs_name_a_library_in_one_of_two_ways() {
        let text = "udeb: libfoo 1 libfoo1-udeb\nlibfoo 1 libfoo1 (>= 1.2), libfoo-data\nlibbar 2.1 libbar-2.1\n";
        let libraries = parse_shlibs(text, |name| name == "libbar-2.1.so");
        assert_eq!(libraries.keys().collect::<Vec<_>>(), ["libbar-2.1.so", "libfoo.so.1"]);
        assert_eq!(libraries["libfoo.so.1"].templates, ["libfoo1 (>= 1.2), libfoo-data"]);
    }
}
