//! What a .deb must be to be published, beyond what its reader asks of it (`format/deb/read.rs`).
//!
//! An index is read whole or not at all: a single relation that apt cannot parse makes every client of the suite stop
//! with `The package lists or status file could not be parsed or opened`. So relations are parsed here, as leniently as
//! apt does and no more.

use std::path::Path;

use super::Facts;
use crate::digest::Sha256;
use crate::format::deb::DebInfo;
use crate::repo::apt::{self, Descriptions};
use crate::repo::error::RepoError;
use crate::repo::record::{Entry, Identity, Record};

/// Fields that an index adds, or that dpkg keeps of installed packages (deb-control(5) knows none of them).
pub(super) const OWNED_BY_THE_INDEX: [&str; 17] = [
    "Filename",
    "Size",
    "MD5sum",
    "SHA1",
    "SHA256",
    "SHA512",
    "Directory",
    "Files",
    "Checksums-Sha1",
    "Checksums-Sha256",
    "Description-md5",
    "Phased-Update-Percentage",
    "Status",
    "Config-Version",
    "Conffiles",
    "Triggers-Pending",
    "Triggers-Awaited",
];

/// The fields that apt parses as relations (`deblistparser.cc`).
const RELATIONS: [&str; 9] =
    ["Pre-Depends", "Depends", "Recommends", "Suggests", "Enhances", "Conflicts", "Breaks", "Replaces", "Provides"];

/// Fields with few values: apt warns everybody of others.
const FEW_VALUES: [(&str, &[&str]); 4] = [
    ("Multi-Arch", &["no", "same", "foreign", "allowed"]),
    ("Essential", &["yes", "no"]),
    ("Protected", &["yes", "no"]),
    ("Important", &["yes", "no"]),
];

/// Refuses what must not stand in an index.
pub(super) fn check(path: &Path, info: &DebInfo) -> Result<(), RepoError> {
    let refuse = |reason: String| Err(RepoError::refused(path, reason));
    for (name, value) in &info.control {
        if OWNED_BY_THE_INDEX.iter().any(|owned| owned.eq_ignore_ascii_case(name)) {
            return refuse(format!("its control file has the field `{name}`, which only an index may have"));
        }
        if !is_one_field(value) {
            return refuse(format!("the field `{name}` of its control file is malformed"));
        }
        if RELATIONS.iter().any(|relation| relation.eq_ignore_ascii_case(name))
            && let Err(relation) = parse_relations(value)
        {
            let relation = relation.escape_debug();
            return refuse(format!("its field `{name}` has `{relation}`, which apt cannot parse"));
        }
        let few = FEW_VALUES.iter().find(|(field, _)| field.eq_ignore_ascii_case(name));
        if few.is_some_and(|(_, values)| !values.contains(&value.to_ascii_lowercase().as_str())) {
            return refuse(format!("its field `{name}` cannot be `{}`", value.escape_debug()));
        }
    }
    let architecture = info.architecture();
    if architecture == "source" || architecture.split('-').any(|part| part == "any") {
        return refuse(format!("`{architecture}` is no architecture of a binary package"));
    }
    if architecture == "all" && info.field("Multi-Arch").is_some_and(|value| value.eq_ignore_ascii_case("same")) {
        return refuse("it is for all architectures and cannot be `Multi-Arch: same`".to_owned());
    }
    for name in ["Maintainer", "Description"] {
        if info.field(name).is_none_or(|value| value.trim().is_empty()) {
            return refuse(format!("its control file has no field `{name}`"));
        }
    }
    match info.files.iter().find(|file| file.path.chars().any(char::is_control)) {
        Some(file) => refuse(format!("the name of its file `{}` has a control character", file.path.escape_debug())),
        None => Ok(()),
    }
}

/// Whether nothing in a value begins another field or another stanza.
pub(super) fn is_one_field(value: &str) -> bool {
    let continued = |line: &str| line.starts_with([' ', '\t']) && !line.trim().is_empty();
    value.split('\n').skip(1).all(continued) && !value.contains(['\r', '\0'])
}

/// Whether apt reads all of a field of relations; the part that it does not otherwise.
pub(super) fn parse_relations(value: &str) -> Result<(), &str> {
    let value = value.trim();
    // apt bears one comma at the end, and a field without anything.
    let value = value.strip_suffix(',').unwrap_or(value);
    if value.is_empty() {
        return Ok(());
    }
    let alternatives = value.split(',').flat_map(|group| group.split('|'));
    alternatives.map(str::trim).try_for_each(|one| if is_relation(one) { Ok(()) } else { Err(one) })
}

/// `name`, `name:any`, `name (>= version)`.
fn is_relation(text: &str) -> bool {
    let end = text.find(|character: char| character.is_whitespace() || character == '(').unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end).unwrap_or_default();
    let (name, qualifier) = name.split_once(':').unwrap_or((name, "any"));
    let good_name = name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte));
    let good_qualifier =
        !qualifier.is_empty() && qualifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let rest = rest.trim();
    good_name && good_qualifier && (rest.is_empty() || is_comparison(rest))
}

fn is_comparison(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) else { return false };
    let inner = inner.trim();
    let operator = ["<<", "<=", ">=", ">>", "=", "<", ">"].into_iter().find(|operator| inner.starts_with(operator));
    let version = operator.and_then(|operator| inner.strip_prefix(operator)).unwrap_or_default().trim();
    !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.~:".contains(&byte))
}

/// What a .deb becomes in an index. `tag` goes into its place when the usual one is taken by another content.
pub(in crate::repo) fn deb_entry(
    info: &DebInfo,
    component: &str,
    file: &Facts,
    descriptions: Descriptions,
    tag: Option<Sha256>,
) -> Entry {
    let (name, version, architecture) = (info.package(), info.version(), info.architecture());
    let place = apt::pool_path(component, info.source(), name, version, architecture, tag);
    let source = info.field("Source").unwrap_or_default();
    let source_version = source.split_once('(').map(|(_, rest)| rest.trim_end_matches([')', ' ']).trim());
    let record = Record {
        identity: Identity {
            name: name.to_owned(),
            version: version.to_owned(),
            architecture: architecture.to_owned(),
        },
        source: info.source().to_owned(),
        source_version: source_version.unwrap_or(version).to_owned(),
        component: component.to_owned(),
        place,
        size: file.size,
        sha256: file.sha256,
        content: file.sha256,
        original: file.sha256,
        published: file.published,
        phase: file.phase,
        further: Vec::new(),
    };
    Entry { texts: apt::texts(info, &record, descriptions), record }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What apt 2.6 does with each of them was tried: the bad ones make it refuse the whole index.
    #[test]
    fn relations_are_taken_as_apt_takes_them() {
        for good in ["", "a", "a,", "a (> 1)", "a:any", "A_b", "a(>=1)", "a ( >= 1 ) | b,\n c:amd64 (= 1:2~x)", "a, b"]
        {
            assert_eq!(parse_relations(good), Ok(()), "{good:?}");
        }
        for bad in [
            "a,,b",
            ",a",
            "a (1)",
            "a (>= 1",
            "a [amd64]",
            "a <x>",
            "| a",
            "a || b",
            "a b",
            "a (>= 1) x",
            "a (>= )",
            "(>= 1)",
            "a (",
            "a (>= 1 2)",
            "${x}",
            "a:",
            "a |",
        ] {
            assert!(parse_relations(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_value_cannot_begin_another_field_or_stanza() {
        for good in ["a", "a\n b", "\n a\n .\n b", ""] {
            assert!(is_one_field(good), "{good:?}");
        }
        for bad in ["a\nb", "a\n\n b", "a\n ", "a\n \t\n b", "a\r", "a\0", "a\n b\n"] {
            assert!(!is_one_field(bad), "{bad:?}");
        }
    }
}
