//! A package's relations, cut into the parts that may lead to other pages.

use serde::{Deserialize, Serialize};

use crate::format::deb::DebInfo;
use crate::format::rpm::{Dependency, RpmInfo};
use crate::package::changelog::clean;

/// How many relations of one kind are shown.
const SHOWN: usize = 200;

/// One kind of relation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Relations {
    /// `Depends`, `Requires`.
    pub(super) label: String,
    /// Each with its alternatives, of which one is enough.
    pub(super) all: Vec<Vec<Relation>>,
    /// How many more there are.
    #[serde(default)]
    pub(super) more: usize,
}

/// A package, or something that a package provides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Relation {
    /// The package's name, if it is one.
    pub(super) name: String,
    /// What follows the name: ` (>= 1.0)`.
    pub(super) rest: String,
}

const DEBIAN: [&str; 10] = [
    "Pre-Depends",
    "Depends",
    "Recommends",
    "Suggests",
    "Enhances",
    "Breaks",
    "Conflicts",
    "Replaces",
    "Provides",
    "Built-Using",
];

/// Those of a .deb.
pub(super) fn of_deb(info: &DebInfo) -> Vec<Relations> {
    let field = |label: &&str| {
        let value = info.field(label)?;
        let all = value.split(',').filter(|one| !one.trim().is_empty());
        relations(label, all.map(|one| one.split('|').map(relation).collect()).collect())
    };
    DEBIAN.iter().filter_map(field).collect()
}

/// Those of an .rpm, without what rpm and the loader must have and what each package provides of itself.
pub(super) fn of_rpm(info: &RpmInfo) -> Vec<Relations> {
    let lists = [
        ("Requires", &info.requires),
        ("Recommends", &info.recommends),
        ("Suggests", &info.suggests),
        ("Supplements", &info.supplements),
        ("Enhances", &info.enhances),
        ("Conflicts", &info.conflicts),
        ("Obsoletes", &info.obsoletes),
        ("Provides", &info.provides),
    ];
    let kind = |(label, list): (&str, &Vec<Dependency>)| {
        let own = |one: &&Dependency| {
            !one.is_rpmlib() && one.name != "rtld(GNU_HASH)" && !(label == "Provides" && one.name == info.name)
        };
        let mut all: Vec<Vec<Relation>> = Vec::new();
        for one in list.iter().filter(own) {
            // Of a shared library, `libc.so.6(GLIBC_2.17)(64bit)` and its like are once `libc.so.6`.
            let one = match one.name.split_once('(') {
                Some((library, _)) if library.contains(".so") => vec![relation(library)],
                _ => vec![relation(&one.to_string())],
            };
            if !all.contains(&one) {
                all.push(one);
            }
            if all.len() > 4 * SHOWN {
                break;
            }
        }
        relations(label, all)
    };
    lists.into_iter().filter_map(kind).collect()
}

fn relations(label: &str, mut all: Vec<Vec<Relation>>) -> Option<Relations> {
    let more = all.len().saturating_sub(SHOWN);
    all.truncate(SHOWN);
    (!all.is_empty()).then(|| Relations { label: label.to_owned(), all, more })
}

/// `acme:any (>= 1)`, `acme(x86-64) >= 1`: the name ends where no name goes on.
fn relation(text: &str) -> Relation {
    let text: String = clean(text).chars().take(300).collect();
    let end = text.find(|character: char| !(character.is_ascii_alphanumeric() || "+-._~^".contains(character)));
    let (name, rest) = text.split_at_checked(end.unwrap_or(text.len())).unwrap_or((&text, ""));
    Relation { name: name.to_owned(), rest: rest.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_relation_ends_where_its_version_begins() {
        for (text, name, rest) in [
            ("libc6 (>= 2.36)", "libc6", " (>= 2.36)"),
            ("python3:any", "python3", ":any"),
            ("libstdc++6", "libstdc++6", ""),
            ("acme(x86-64) >= 1.0", "acme", "(x86-64) >= 1.0"),
            ("(a or b)", "", "(a or b)"),
            ("/usr/bin/sh", "", "/usr/bin/sh"),
            ("<b>", "", "<b>"),
        ] {
            let wanted = Relation { name: name.to_owned(), rest: rest.to_owned() };
            assert_eq!(relation(text), wanted);
        }
    }
}
