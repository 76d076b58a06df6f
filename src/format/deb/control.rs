//! The control archive's files: `control` (deb-control(5)), `md5sums` (deb-md5sums(5)), `conffiles` (deb-conffiles(5)).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::format::error::Error;
use crate::format::text;
use crate::package::Package;
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
    field(&mut out, "Architecture", architecture)?;
    field(&mut out, "Maintainer", &maintainer(package)?)?;
    field(&mut out, "Installed-Size", &installed_size(entries).to_string())?;
    let relations = &package.relations;
    for (name, expressions) in [
        ("Pre-Depends", &relations.pre_depends),
        ("Depends", &relations.depends),
        ("Recommends", &relations.recommends),
        ("Suggests", &relations.suggests),
        ("Conflicts", &relations.conflicts),
        ("Breaks", &relations.breaks),
        ("Replaces", &relations.replaces),
        ("Provides", &relations.provides),
    ] {
        if !expressions.is_empty() {
            expressions.iter().try_for_each(|expression| check_relation(name, expression))?;
            field(&mut out, name, &expressions.join(", "))?;
        }
    }
    field(&mut out, "Section", &package.section)?;
    field(&mut out, "Priority", "optional")?;
    if let Some(homepage) = &package.homepage {
        field(&mut out, "Homepage", homepage)?;
    }
    field(&mut out, "Description", &package.summary)?;
    for line in text::lines("description", &package.description)? {
        fold(&mut out, &line);
    }
    Ok(out)
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

/// Policy 5.6.12: it begins with a digit, and only these characters are allowed.
fn check_version(version: &str) -> Result<(), Error> {
    let upstream = version.split_once(':').map_or(version, |(_, rest)| rest);
    let good = upstream.starts_with(|first: char| first.is_ascii_digit())
        && upstream.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+~-".contains(&byte));
    if good {
        return Ok(());
    }
    Err(Error::Unwritable {
        what: format!("version `{}`", version.escape_debug()),
        rule: "it must begin with a digit and hold only letters, digits, `.`, `+`, `~`, `-` (Policy 5.6.12)",
        hint: "correct the version in the manifest or the git tag",
    })
}

/// One relation, alternatives included; a comma would make it two, a line break another field.
fn check_relation(field: &str, expression: &str) -> Result<(), Error> {
    let alternative = |text: &str| {
        let text = text.trim();
        let name: String = text.chars().take_while(|character| !matches!(character, ' ' | '(' | '[' | '<')).collect();
        let rest = text.strip_prefix(name.as_str()).unwrap_or_default();
        name.len() >= 2
            && name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.:".contains(&byte))
            && rest.chars().all(|character| character.is_ascii_graphic() || character == ' ')
            && rest.matches('(').count() == rest.matches(')').count()
    };
    if !expression.contains(',') && expression.split('|').all(alternative) {
        return Ok(());
    }
    Err(Error::Unwritable {
        what: format!("{field} `{}`", expression.escape_debug()),
        rule: "it is no relation of a package (Policy 7.1)",
        hint: "write each relation on its own: `name`, `name (>= version)`, `one | other`",
    })
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
        for good in ["libc6 (>= 2.36)", "python3.11 (>= 3.11.2)", "a1 | b2 (<< 1)", "gcc:any", "foo [amd64]"] {
            assert!(check_relation("Depends", good).is_ok(), "{good}");
        }
        for bad in ["", "a", "libc6, evil", "libc6\nEssential: yes", "libc6 (>= 1", "| a1", "-x"] {
            assert!(check_relation("Depends", bad).is_err(), "{bad}");
        }
    }
}
