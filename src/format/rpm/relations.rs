//! Relations in RPM's terms: expressions as a spec file has them become names, flags and versions (`rpmds.h`), and what
//! the package implies about itself is added, as rpmbuild would.

use super::read::Dependency;
use super::tag::sense;
use crate::format::error::Error;
use crate::package::Package;
use crate::target::Architecture;

/// Relations of one kind, sorted as rpm searches them.
pub(super) struct All {
    pub(super) provides: Vec<Dependency>,
    pub(super) requires: Vec<Dependency>,
    pub(super) conflicts: Vec<Dependency>,
    pub(super) obsoletes: Vec<Dependency>,
    pub(super) recommends: Vec<Dependency>,
    pub(super) suggests: Vec<Dependency>,
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

/// Whether boolean expressions (`(a if b)`) are allowed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rich {
    Allowed,
    Refused,
}

/// All relations of `package`.
pub(super) fn relations(package: &Package, features: PayloadFeatures) -> Result<All, Error> {
    let relations = &package.relations;
    if !relations.breaks.is_empty() {
        return Err(Error::Unwritable {
            what: format!("relation `Breaks: {}`", relations.breaks.join(", ")),
            rule: "RPM has no such relation",
            hint: "use conflicts",
        });
    }
    let evr = package.version.rpm();
    let name = package.name.as_str();
    let own = |name: String, flags| Dependency { name, flags: sense::EQUAL | flags, version: evr.clone() };

    let mut provides = parse_all(&relations.provides, "Provides", 0, Rich::Refused)?;
    provides.push(own(name.to_owned(), 0));
    provides.extend(package.architecture.map(|built_for| own(format!("{name}({})", isa(built_for)), 0)));
    let mut requires = parse_all(&relations.depends, "Requires", 0, Rich::Allowed)?;
    requires.extend(parse_all(&relations.pre_depends, "Requires(pre)", sense::SCRIPT_PRE, Rich::Allowed)?);
    if features.configuration {
        provides.push(own(format!("config({name})"), sense::CONFIG));
        requires.push(own(format!("config({name})"), sense::CONFIG));
    }
    let scripts = &package.scripts;
    for (script, flag) in [
        (&scripts.pre_install, sense::SCRIPT_PRE),
        (&scripts.post_install, sense::SCRIPT_POST),
        (&scripts.pre_remove, sense::SCRIPT_PREUN),
        (&scripts.post_remove, sense::SCRIPT_POSTUN),
        (&scripts.post_transaction, sense::POSTTRANS),
    ] {
        if script.is_some() {
            let flags = sense::INTERP | flag;
            requires.push(Dependency { name: super::SHELL.to_owned(), flags, version: String::new() });
        }
    }
    let mut all = All {
        provides,
        requires,
        conflicts: parse_all(&relations.conflicts, "Conflicts", 0, Rich::Allowed)?,
        obsoletes: parse_all(&relations.replaces, "Obsoletes", 0, Rich::Refused)?,
        recommends: parse_all(&relations.recommends, "Recommends", 0, Rich::Allowed)?,
        suggests: parse_all(&relations.suggests, "Suggests", 0, Rich::Allowed)?,
    };
    let needed = rpmlib(&all, features);
    all.requires.extend(needed);
    for list in all.lists() {
        list.sort_by(|left, right| {
            (&left.name, &left.version, left.flags).cmp(&(&right.name, &right.version, right.flags))
        });
        list.dedup();
    }
    Ok(all)
}

impl All {
    fn lists(&mut self) -> [&mut Vec<Dependency>; 6] {
        let Self { provides, requires, conflicts, obsoletes, recommends, suggests } = self;
        [provides, requires, conflicts, obsoletes, recommends, suggests]
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
fn rpmlib(all: &All, features: PayloadFeatures) -> Vec<Dependency> {
    let lists = [&all.provides, &all.requires, &all.conflicts, &all.obsoletes, &all.recommends, &all.suggests];
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
        (any(|one| one.version.contains('~')), "TildeInVersions", "4.10.0-1"),
        (any(|one| one.version.contains('^')), "CaretInVersions", "4.15.0-1"),
        (any(|one| one.name.starts_with('(')), "RichDependencies", "4.12.0-1"),
    ]
    .into_iter()
    .filter(|(needed, ..)| *needed)
    .map(|(_, feature, version)| Dependency {
        name: format!("rpmlib({feature})"),
        flags: sense::LESS | sense::EQUAL | sense::RPMLIB,
        version: version.to_owned(),
    })
    .collect()
}

fn parse_all(expressions: &[String], field: &str, flags: u32, rich: Rich) -> Result<Vec<Dependency>, Error> {
    let parse_one = |expression: &String| {
        parse(expression.trim(), flags, rich).map_err(|rule| Error::Unwritable {
            what: format!("{field} `{}`", expression.escape_debug()),
            rule,
            hint: "write each relation on its own: `name`, `name >= version`, `(one or other)`",
        })
    };
    expressions.iter().map(parse_one).collect()
}

/// `name`, `name OPERATOR [epoch:]version[-release]`, or a boolean expression in parentheses.
fn parse(expression: &str, flags: u32, rich: Rich) -> Result<Dependency, &'static str> {
    if expression.chars().any(char::is_control) {
        return Err("control characters are not allowed");
    }
    if expression.starts_with('(') {
        let closed = expression.ends_with(')') && balanced(expression);
        return match rich {
            Rich::Refused => Err("boolean expressions are not allowed here"),
            Rich::Allowed if !closed => Err("its parentheses do not match"),
            Rich::Allowed => Ok(Dependency { name: expression.to_owned(), flags, version: String::new() }),
        };
    }
    let mut words = expression.split_ascii_whitespace();
    let (name, operator, version, rest) = (words.next(), words.next(), words.next(), words.next());
    let name = name.ok_or("it is empty")?;
    let first_is_good = name.starts_with(|first: char| first.is_ascii_alphanumeric() || "_/%.".contains(first));
    if !first_is_good || name.contains([',', '<', '>', '=']) || !balanced(name) {
        return Err("it does not begin with the name of a capability");
    }
    let (name, version, operator) = match (operator, version, rest) {
        (None, None, None) => return Ok(Dependency { name: name.to_owned(), flags, version: String::new() }),
        (Some(operator), Some(version), None) => (name, version, operator),
        _ => return Err("it is neither a name nor a name, an operator and a version"),
    };
    let operator = match operator {
        "<" => sense::LESS,
        "<=" => sense::LESS | sense::EQUAL,
        "=" | "==" => sense::EQUAL,
        ">=" => sense::GREATER | sense::EQUAL,
        ">" => sense::GREATER,
        _ => return Err("its operator is none of `<`, `<=`, `=`, `>=`, `>`"),
    };
    if version.contains([',', '(', ')', '<', '>']) {
        return Err("its version is no version");
    }
    Ok(Dependency { name: name.to_owned(), flags: flags | operator, version: version.to_owned() })
}

fn balanced(text: &str) -> bool {
    let mut depth = 0_i32;
    for character in text.chars() {
        depth += i32::from(character == '(') - i32::from(character == ')');
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_become_names_flags_and_versions() {
        let one = |text| parse(text, 0, Rich::Allowed).map(|found| (found.name, found.flags, found.version));
        assert_eq!(one("python3.11"), Ok(("python3.11".to_owned(), 0, String::new())));
        assert_eq!(one("python3.11 >= 3.11.2"), Ok(("python3.11".to_owned(), 12, "3.11.2".to_owned())));
        assert_eq!(one("a < 1:2-3"), Ok(("a".to_owned(), 2, "1:2-3".to_owned())));
        assert_eq!(one("/bin/sh"), Ok(("/bin/sh".to_owned(), 0, String::new())));
        assert_eq!(
            one("libc.so.6(GLIBC_2.34)(64bit)"),
            Ok(("libc.so.6(GLIBC_2.34)(64bit)".to_owned(), 0, String::new()))
        );
        assert_eq!(one("(systemd if systemd-libs)"), Ok(("(systemd if systemd-libs)".to_owned(), 0, String::new())));
        for bad in ["", "a >=", "a >= 1 b", "a ~> 1", "(a if b", "(a))", "a, b", "a\nb", "-x", ">= 1", "a >= (1)"] {
            assert!(one(bad).is_err(), "{bad:?}");
        }
        assert!(parse("(a or b)", 0, Rich::Refused).is_err());
    }
}
