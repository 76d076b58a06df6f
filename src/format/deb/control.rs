//! The control archive's files: `control` (deb-control(5)), `md5sums` (deb-md5sums(5)), `conffiles` (deb-conffiles(5)).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::config::MultiArch;
use crate::format::error::Error;
use crate::format::text;
use crate::package::Package;
use crate::relation::{RelationKind, debian};
use crate::target::Format;
use crate::tree::{Entry, InstallPath, Node, Role};

type Entries = BTreeMap<InstallPath, Entry>;

/// The text of `control`, its fields in the order of dpkg-gencontrol(1).
pub(super) fn control(package: &Package, entries: &Entries) -> Result<String, Error> {
    let architecture = package.architecture.map_or("all", |architecture| architecture.name(Format::Deb));
    let version = package.version.debian();
    check_version(&version)?;
    let mut out = String::new();
    field(&mut out, "Package", package.name.as_str())?;
    if package.source != package.name {
        field(&mut out, "Source", package.source.as_str())?;
    }
    field(&mut out, "Version", &version)?;
    if !package.build_ids.is_empty() {
        field(&mut out, "Auto-Built-Package", "debug-symbols")?;
    }
    field(&mut out, "Architecture", architecture)?;
    field(&mut out, "Maintainer", &maintainer(package)?)?;
    field(&mut out, "Installed-Size", &installed_size(entries).to_string())?;
    let relations = &package.relations;
    // The order of Dpkg::Control::FieldsCore.
    for (kind, expressions) in [
        (RelationKind::PreDepends, &relations.pre_depends),
        (RelationKind::Depends, &relations.depends),
        (RelationKind::Recommends, &relations.recommends),
        (RelationKind::Suggests, &relations.suggests),
        (RelationKind::Enhances, &relations.enhances),
        (RelationKind::Conflicts, &relations.conflicts),
        (RelationKind::Breaks, &relations.breaks),
        (RelationKind::Replaces, &relations.replaces),
        (RelationKind::Provides, &relations.provides),
        (RelationKind::BuiltUsing, &relations.built_using),
        (RelationKind::StaticBuiltUsing, &relations.static_built_using),
        (RelationKind::Supplements, &relations.supplements),
    ] {
        if !expressions.is_empty() {
            let (name, value) = relation_field(kind, expressions)?;
            field(&mut out, name, &value)?;
        }
    }
    let debian = &package.debian;
    field(&mut out, "Section", &package.section)?;
    field(&mut out, "Priority", debian.priority.as_deref().unwrap_or("optional"))?;
    if let Some(multi_arch) = debian.multi_arch {
        let name = MultiArch::ALL.iter().find(|(_, one)| *one == multi_arch).map_or("no", |(name, _)| name);
        field(&mut out, "Multi-Arch", name)?;
    }
    if let Some(homepage) = &package.homepage {
        field(&mut out, "Homepage", homepage)?;
    }
    field(&mut out, "Description", &package.summary)?;
    for line in text::lines("description", &package.description)? {
        fold(&mut out, &line);
    }
    if !package.build_ids.is_empty() {
        field(&mut out, "Build-Ids", &package.build_ids.join(" "))?;
    }
    for (name, value) in &debian.fields {
        further_field(&mut out, name, value)?;
    }
    Ok(out)
}

/// A field that packhouse does not write itself: its lines after the first continue it.
fn further_field(out: &mut String, name: &str, value: &str) -> Result<(), Error> {
    let refuse = |rule| Error::Unwritable {
        what: format!("control field `{}`", name.escape_debug()),
        rule,
        hint: "correct it where the package's further fields are configured",
    };
    let good = name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if !good {
        return Err(refuse("a field's name is made of letters, digits and `-` (Policy 5.1)"));
    }
    let is_there = |line: &str| line.split_once(':').is_some_and(|(present, _)| present.eq_ignore_ascii_case(name));
    let relations = RelationKind::ALL.iter().filter_map(|(kind, _)| kind.field(Format::Deb));
    if out.lines().any(is_there) || relations.into_iter().any(|field| field.eq_ignore_ascii_case(name)) {
        return Err(refuse("packhouse writes this field itself, and none may stand twice (Policy 5.1)"));
    }
    let mut lines = text::lines(name, value)?.into_iter();
    field(out, name, &lines.next().unwrap_or_default())?;
    lines.for_each(|line| fold(out, &line));
    Ok(())
}

fn field(out: &mut String, name: &str, value: &str) -> Result<(), Error> {
    let value = text::line(name, value)?;
    let _ = writeln!(out, "{name}: {value}");
    Ok(())
}

fn maintainer(package: &Package) -> Result<String, Error> {
    let maintainer = &package.maintainer;
    if maintainer.name.contains(['<', '>'])
        || maintainer.mail.contains(['<', '>', ' '])
        || !maintainer.mail.contains('@')
    {
        return Err(Error::Unwritable {
            what: format!("maintainer `{maintainer}`"),
            rule: "it must be a name and a mail address (Policy 5.6.2)",
            hint: "set the maintainer's name and mail in packhouse.toml",
        });
    }
    Ok(maintainer.to_string())
}

/// Policy 5.6.12.
fn check_version(version: &str) -> Result<(), Error> {
    debian::check_version(version).map_err(|_| Error::Unwritable {
        what: format!("version `{}`", version.escape_debug()),
        rule: "it must begin with a digit and hold only letters, digits, `.`, `+`, `~`, `-` (Policy 5.6.12)",
        hint: "correct the version in the manifest or the git tag",
    })
}

/// Name and value of the field of `kind`: every relation checked, none of them able to become two or another field.
fn relation_field(kind: RelationKind, expressions: &[String]) -> Result<(&'static str, String), Error> {
    let name = kind.field(Format::Deb).ok_or_else(|| Error::Unwritable {
        what: format!("relation `{}`", expressions.join(", ").escape_debug()),
        rule: "Debian has no `Supplements`",
        hint: "let the other package recommend this one",
    })?;
    let spelt = expressions.iter().map(|text| {
        let refuse = |invalid| Error::Relation { field: name, text: text.clone(), invalid };
        debian::canonical(kind, text).map_err(refuse)
    });
    Ok((name, spelt.collect::<Result<Vec<_>, _>>()?.join(", ")))
}

/// A line of the extended description (Policy 5.6.13): empty ones as a full stop, what begins with a blank verbatim,
/// anything else wrapped; a row that would begin with a full stop has another meaning and gets a blank more.
fn fold(out: &mut String, line: &str) {
    for row in text::wrapped(line) {
        let _ = match row.as_str() {
            "" => writeln!(out, " ."),
            dotted if dotted.starts_with('.') => writeln!(out, "  {dotted}"),
            plain => writeln!(out, " {plain}"),
        };
    }
}

/// deb-substvars(5): KiB, each file and symbolic link rounded up, a file with several names once (dpkg-gencontrol), one
/// for anything else, the root included.
fn installed_size(entries: &Entries) -> u64 {
    let size = |entry: &Entry| match &entry.node {
        Node::File(content) => content.digests.size.div_ceil(1024),
        Node::Symlink(target) => (target.len() as u64).div_ceil(1024),
        Node::HardLink(_) => 0,
        Node::Directory => 1,
    };
    entries.values().map(size).sum::<u64>() + 1
}

/// `md5sums`: every regular file but the conffiles, under each of its names, two blanks, no leading slash, sorted bytewise.
pub(super) fn md5sums(entries: &Entries) -> String {
    let mut sums: Vec<(&str, String)> = Vec::new();
    for (path, entry) in entries {
        let file = if let Node::HardLink(file) = &entry.node { entries.get(file) } else { Some(entry) };
        if let Some(Entry { node: Node::File(content), .. }) = file
            && entry.role != Role::Config
        {
            sums.push((path.relative(), content.digests.md5.to_string()));
        }
    }
    sums.sort_unstable();
    sums.into_iter().fold(String::new(), |mut text, (path, md5)| {
        let _ = writeln!(text, "{md5}  {path}");
        text
    })
}

/// `conffiles`: the regular files of that role, sorted; Policy 10.7 allows nothing else to be one.
pub(super) fn conffiles(entries: &Entries) -> Result<String, Error> {
    let mut paths = Vec::new();
    for (path, entry) in entries.iter().filter(|(_, entry)| entry.role == Role::Config) {
        if !matches!(entry.node, Node::File(_)) || path.as_str().trim_end() != path.as_str() {
            return Err(Error::Unpackable {
                path: path.clone(),
                rule: "a conffile must be a regular file (Policy 10.7.3)".to_owned(),
                hint: "ship it without the role of a configuration file",
            });
        }
        paths.push(path.as_str());
    }
    paths.sort_unstable();
    Ok(paths.iter().map(|path| format!("{path}\n")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_description_folds_as_policy_says() {
        let mut out = String::new();
        for line in ["one", "", ".hidden", "  verbatim", &"word ".repeat(20)] {
            fold(&mut out, line);
        }
        let long = vec!["word"; 15].join(" ");
        assert_eq!(out, format!(" one\n .\n  .hidden\n   verbatim\n {long}\n {}\n", ["word"; 5].join(" ")));
    }

    #[test]
    fn relations_cannot_smuggle_others() {
        let field =
            |text: &str| relation_field(RelationKind::Depends, &["libc6 (>= 2.36)".to_owned(), text.to_owned()]);
        let good = field("python3.11(>= 3.11.2)").expect("a field");
        assert_eq!(good, ("Depends", "libc6 (>= 2.36), python3.11 (>= 3.11.2)".to_owned()));
        for bad in
            ["", "libc6, evil", "libc6\nEssential: yes", "libc6 (>= 1", "${misc:Depends}", "a1\u{202e}b", "foo [amd64]"]
        {
            assert!(field(bad).is_err(), "{bad}");
        }
        assert!(relation_field(RelationKind::Supplements, &["a1".to_owned()]).is_err());
    }
}
