//! Relations in RPM's terms: expressions as a spec file has them become names, flags and versions (`rpmds.h`), and what
//! the package implies about itself is added, as rpmbuild would.

use super::read::Dependency;
use super::scriptlets;
use super::tag::sense;
use crate::format::error::Error;
use crate::package::Package;
use crate::relation::RelationKind;
use crate::relation::rpm::{self, Comparison};
use crate::target::Architecture;

/// Relations of one kind, sorted as rpm searches them.
pub(super) struct All {
    pub(super) provides: Vec<Dependency>,
    pub(super) requires: Vec<Dependency>,
    pub(super) conflicts: Vec<Dependency>,
    pub(super) obsoletes: Vec<Dependency>,
    pub(super) recommends: Vec<Dependency>,
    pub(super) suggests: Vec<Dependency>,
    pub(super) supplements: Vec<Dependency>,
    pub(super) enhances: Vec<Dependency>,
}

/// What the payload asks of the rpm that reads it.
#[derive(Debug, Clone, Copy)]
pub(super) struct PayloadFeatures {
    pub(super) zstd: bool,
    pub(super) xz: bool,
    pub(super) large_files: bool,
    pub(super) hard_links: bool,
    pub(super) capabilities: bool,
    pub(super) configuration: bool,
}

/// All relations of `package`.
pub(super) fn relations(package: &Package, features: PayloadFeatures) -> Result<All, Error> {
    let relations = &package.relations;
    for (name, list) in [
        ("Breaks", &relations.breaks),
        ("Built-Using", &relations.built_using),
        ("Static-Built-Using", &relations.static_built_using),
    ] {
        if !list.is_empty() {
            return Err(Error::Unwritable {
                what: format!("relation `{name}: {}`", list.join(", ").escape_debug()),
                rule: "RPM has no such relation",
                hint: "use conflicts in the place of breaks, and leave the others to Debian's packages",
            });
        }
    }
    let evr = package.version.rpm();
    let name = package.name.as_str();
    let own = |name: String, flags| Dependency { name, flags: sense::EQUAL | flags, version: evr.clone() };

    let mut provides = parse_all(RelationKind::Provides, &relations.provides)?;
    provides.push(own(name.to_owned(), 0));
    provides.extend(package.architecture.map(|built_for| own(format!("{name}({})", isa(built_for)), 0)));
    let mut requires = parse_all(RelationKind::Depends, &relations.depends)?;
    requires.extend(flagged(parse_all(RelationKind::PreDepends, &relations.pre_depends)?, sense::SCRIPT_PRE));
    for (scriptlet, text) in &relations.scriptlets {
        let parsed = parse_all(RelationKind::PreDepends, std::slice::from_ref(text))?;
        requires.extend(flagged(parsed, scriptlets::sense(*scriptlet)));
    }
    if features.configuration {
        provides.push(own(format!("config({name})"), sense::CONFIG));
        requires.push(own(format!("config({name})"), sense::CONFIG));
    }
    requires.extend(scriptlets::interpreters(package));
    let mut all = All {
        provides,
        requires,
        conflicts: parse_all(RelationKind::Conflicts, &relations.conflicts)?,
        obsoletes: parse_all(RelationKind::Replaces, &relations.replaces)?,
        recommends: parse_all(RelationKind::Recommends, &relations.recommends)?,
        suggests: parse_all(RelationKind::Suggests, &relations.suggests)?,
        supplements: parse_all(RelationKind::Supplements, &relations.supplements)?,
        enhances: parse_all(RelationKind::Enhances, &relations.enhances)?,
    };
    let needed = rpmlib(&all, features, package);
    all.requires.extend(needed);
    for list in all.lists_mut() {
        list.sort_by(|left, right| {
            (&left.name, &left.version, left.flags).cmp(&(&right.name, &right.version, right.flags))
        });
        list.dedup();
    }
    Ok(all)
}

impl All {
    fn lists(&self) -> [&Vec<Dependency>; 8] {
        let Self { provides, requires, conflicts, obsoletes, recommends, suggests, supplements, enhances } = self;
        [provides, requires, conflicts, obsoletes, recommends, suggests, supplements, enhances]
    }

    fn lists_mut(&mut self) -> [&mut Vec<Dependency>; 8] {
        let Self { provides, requires, conflicts, obsoletes, recommends, suggests, supplements, enhances } = self;
        [provides, requires, conflicts, obsoletes, recommends, suggests, supplements, enhances]
    }
}

/// RPM's name of an instruction set, as in `glibc(x86-64)`.
fn isa(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X86_64 => "x86-64",
        Architecture::Aarch64 => "aarch-64",
    }
}

/// The features of rpm that reading this package needs, with the version that brought each (`lib/rpmds.c`).
fn rpmlib(all: &All, features: PayloadFeatures, package: &Package) -> Vec<Dependency> {
    let lists = all.lists();
    let any = |test: fn(&Dependency) -> bool| lists.iter().any(|list| list.iter().any(test));
    [
        (true, "CompressedFileNames", "3.0.4-1"),
        (true, "FileDigests", "4.6.0-1"),
        (true, "PayloadFilesHavePrefix", "4.0-1"),
        (features.xz, "PayloadIsXz", "5.2-1"),
        (features.zstd, "PayloadIsZstd", "5.4.18-1"),
        (features.large_files, "LargeFiles", "4.12.0-1"),
        // rpmbuild names it for every file of several names, also when all of them are in the package.
        (features.hard_links, "PartialHardlinkSets", "4.0.4-1"),
        (features.capabilities, "FileCaps", "4.6.1-1"),
        (any(|one| has(one, '~')), "TildeInVersions", "4.10.0-1"),
        (any(|one| has(one, '^')), "CaretInVersions", "4.15.0-1"),
        (any(|one| one.name.starts_with('(')), "RichDependencies", "4.12.0-1"),
    ]
    .into_iter()
    .chain(scriptlets::features(package))
    .filter(|(needed, ..)| *needed)
    .map(|(_, feature, version)| Dependency {
        name: format!("rpmlib({feature})"),
        flags: sense::LESS | sense::EQUAL | sense::RPMLIB,
        version: version.to_owned(),
    })
    .collect()
}

/// Whether a version in `dependency` has this character; the versions of a boolean expression stand in its name.
fn has(dependency: &Dependency, character: char) -> bool {
    dependency.version.contains(character) || (dependency.name.starts_with('(') && dependency.name.contains(character))
}

fn flagged(mut dependencies: Vec<Dependency>, flags: u32) -> Vec<Dependency> {
    dependencies.iter_mut().for_each(|dependency| dependency.flags |= flags);
    dependencies
}

fn parse_all(kind: RelationKind, expressions: &[String]) -> Result<Vec<Dependency>, Error> {
    let field = kind.field(crate::target::Format::Rpm).unwrap_or_default();
    let parse_one = |expression: &String| {
        let parsed = rpm::parse(kind, expression);
        let parsed = parsed.map_err(|invalid| Error::Relation { field, text: expression.clone(), invalid })?;
        let (flags, version) = parsed.version.map_or((0, String::new()), |(comparison, version)| {
            let flags = match comparison {
                Comparison::Less => sense::LESS,
                Comparison::LessOrEqual => sense::LESS | sense::EQUAL,
                Comparison::Equal => sense::EQUAL,
                Comparison::GreaterOrEqual => sense::GREATER | sense::EQUAL,
                Comparison::Greater => sense::GREATER,
            };
            (flags, version)
        });
        Ok(Dependency { name: parsed.name, flags, version })
    };
    expressions.iter().map(parse_one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_become_names_flags_and_versions() {
        let one = |text: &str| {
            let found = parse_all(RelationKind::Depends, &[text.to_owned()]).ok()?.pop()?;
            Some((found.name, found.flags, found.version))
        };
        let good = |name: &str, flags, version: &str| Some((name.to_owned(), flags, version.to_owned()));
        assert_eq!(one("python3.11"), good("python3.11", 0, ""));
        assert_eq!(one("python3.11 >= 3.11.2"), good("python3.11", 12, "3.11.2"));
        assert_eq!(one("a < 1:2-3"), good("a", 2, "1:2-3"));
        assert_eq!(one("/bin/sh"), good("/bin/sh", 0, ""));
        assert_eq!(one("libc.so.6(GLIBC_2.34)(64bit)"), good("libc.so.6(GLIBC_2.34)(64bit)", 0, ""));
        assert_eq!(one("( systemd  if systemd-libs)"), good("(systemd if systemd-libs)", 0, ""));
        for bad in
            ["", "a >=", "a >= 1 b", "a ~> 1", "(a if b", "(a))", "a, b", "a\nb", "-x", ">= 1", "a >= (1)", "%(x)"]
        {
            assert_eq!(one(bad), None, "{bad:?}");
        }
    }
}
