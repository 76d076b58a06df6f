//! The yum half: every directory with a `repodata/repomd.xml`, as createrepo_c and its kin publish it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::index::{self, Checksum};
use super::{Identity, ImportOptions, ImportPlan, Left, PlannedSuite, place, relative, wanted};
use crate::repo::error::RepoError;
use crate::repo::ingest::Item;
use crate::repo::layout::check_suite;
use crate::repo::suite::Kind;

/// How deep below the root a repository is looked for: `el9/x86_64/os/repodata`.
const DEPTH: usize = 5;
/// No repomd.xml is longer.
const MAXIMUM: u64 = 1 << 20;
/// What packhouse makes itself.
const DERIVED: [&str; 9] = [
    "primary",
    "filelists",
    "other",
    "primary_db",
    "filelists_db",
    "other_db",
    "filelists-ext",
    "prestodelta",
    "deltainfo",
];

/// A file that repomd.xml lists.
#[derive(Debug, Default)]
struct Listed {
    checksum: Option<(String, String)>,
    href: String,
}

/// A package that primary.xml lists.
#[derive(Debug, Default)]
struct Package {
    checksum: Option<(String, String)>,
    href: String,
    /// It lies at another place than the repository.
    elsewhere: bool,
    size: Option<u64>,
}

/// Plans for all yum repositories below the root; `false` when there are none.
pub(super) fn plan(root: &Path, options: &ImportOptions, plan: &mut ImportPlan) -> Result<bool, RepoError> {
    let mut bases = Vec::new();
    for entry in walkdir::WalkDir::new(root).max_depth(DEPTH).sort_by_file_name() {
        let entry = entry.map_err(io::Error::from).map_err(RepoError::io("the source could not be read"))?;
        if entry.file_type().is_dir() && entry.path().join("repodata/repomd.xml").is_file() {
            bases.push(entry.into_path());
        }
    }
    let single = bases.len() == 1;
    for base in &bases {
        let of_directory = relative(root, base).replace('/', "-");
        // One repository goes where it is told to; several keep the names of their directories.
        let name = match options.suites.as_slice() {
            [name] if single => name.clone(),
            _ if of_directory.is_empty() => return Err(RepoError::SuiteNeeded { path: options.source.clone() }),
            _ => of_directory,
        };
        if !wanted(options, &name) {
            continue;
        }
        check_suite(&name)?;
        let items = suite(root, base, &name, &mut plan.left)?;
        plan.suites.push(PlannedSuite {
            kind: Kind::Yum,
            suite: name,
            identity: Identity::default(),
            packages: 0,
            items,
        });
    }
    Ok(!bases.is_empty())
}

fn suite(root: &Path, base: &Path, name: &str, left: &mut Vec<Left>) -> Result<Vec<Item>, RepoError> {
    let repomd = base.join("repodata/repomd.xml");
    let bad = |path: &Path, reason: String| RepoError::BadState { path: path.to_path_buf(), reason };
    let listed = listed(&repomd).map_err(|error| bad(&repomd, error.to_string()))?;
    for (kind, file) in &listed {
        if !DERIVED.contains(&kind.trim_end_matches("_zck")) {
            let reason = match kind.as_str() {
                "group" => {
                    "groups are not taken over by themselves; give the file with --comps where packages are published"
                }
                "updateinfo" => "packhouse makes its own from the packages' changelogs",
                _ => "packhouse has no such metadata",
            };
            left.push(Left::other(
                format!("{}: {kind} ({})", relative(root, &repomd), file.href.escape_debug()),
                reason,
            ));
        }
    }
    let primary = listed.get("primary").ok_or_else(|| bad(&repomd, "it names no primary metadata".to_owned()))?;
    let path = place::file(root, base, &primary.href)
        .map_err(|reason| bad(&base.join("repodata"), format!("{}: {reason}", primary.href.escape_debug())))?;
    let checksum = primary.checksum.as_ref().and_then(|(kind, digest)| Checksum::parse(kind, digest));
    let checksum = checksum
        .ok_or_else(|| bad(&repomd, "it has no SHA-256, SHA-512 or SHA-1 of the primary metadata".to_owned()))?;
    if !checksum.matches(&path).map_err(|error| bad(&path, error.to_string()))? {
        let reason =
            "it is not the file that repomd.xml names: the repository is damaged, or was being published".to_owned();
        return Err(bad(&path, reason));
    }
    let mut items = Vec::new();
    let mut seen = BTreeSet::new();
    let reader = index::open(&path).map_err(|error| bad(&path, error.to_string()))?;
    packages(reader, &mut |package| match item(root, base, name, &package) {
        Ok(item) if seen.insert(item.path.clone()) => items.push(item),
        Ok(_) => {}
        Err(reason) => left.push(Left::package(package.href.escape_debug().to_string(), reason)),
    })
    .map_err(|error| bad(&path, error.to_string()))?;
    Ok(items)
}

fn item(root: &Path, base: &Path, suite: &str, package: &Package) -> Result<Item, String> {
    if package.elsewhere {
        return Err("it lies in another place than its repository (xml:base)".to_owned());
    }
    let path: PathBuf = place::file(root, base, &package.href)?;
    let length = path.metadata().map(|file| file.len()).unwrap_or_default();
    if package.size.is_some_and(|size| size != length) {
        return Err(format!("it has {length} bytes, its index says {}", package.size.unwrap_or_default()));
    }
    let checksum = package.checksum.as_ref().and_then(|(kind, digest)| Checksum::parse(kind, digest));
    let sha256 = match checksum {
        Some(Checksum::Sha256(digest)) => Some(digest),
        Some(other) if other.matches(&path).unwrap_or_default() => None,
        Some(_) => return Err("its content is not what its index says".to_owned()),
        None => return Err("its index has no SHA-256, SHA-512 or SHA-1 of it".to_owned()),
    };
    Ok(Item { path, suite: suite.to_owned(), component: "main".to_owned(), sha256 })
}

/// What repomd.xml lists, by its kind.
fn listed(path: &Path) -> io::Result<BTreeMap<String, Listed>> {
    if fs_err::metadata(path)?.len() > MAXIMUM {
        return Err(malformed("it is longer than any repomd.xml"));
    }
    let text = fs_err::read(path)?;
    let (mut all, mut current, mut checksum) = (BTreeMap::new(), None::<(String, Listed)>, None);
    walk(text.as_slice(), &mut |event, path, text| {
        match (event, path) {
            (Step::Begin(element), ["repomd", "data"]) => {
                current = Some((attribute(element, "type")?, Listed::default()))
            }
            (Step::Begin(element), ["repomd", "data", "checksum"]) => checksum = Some(attribute(element, "type")?),
            (Step::End, ["repomd", "data", "checksum"]) => {
                if let (Some((_, listed)), Some(kind)) = (&mut current, checksum.take()) {
                    listed.checksum = Some((kind, text.trim().to_owned()));
                }
            }
            (Step::Begin(element), ["repomd", "data", "location"]) => {
                if let Some((_, listed)) = &mut current {
                    listed.href = attribute(element, "href")?;
                }
            }
            (Step::End, ["repomd", "data"]) => all.extend(current.take()),
            _ => {}
        }
        Ok(())
    })?;
    Ok(all)
}

/// The packages of a primary.xml.
fn packages(reader: impl BufRead, each: &mut dyn FnMut(Package)) -> io::Result<()> {
    let (mut current, mut checksum) = (Package::default(), None);
    walk(reader, &mut |event, path, text| {
        match (event, path) {
            (Step::Begin(_), ["metadata", "package"]) => current = Package::default(),
            (Step::Begin(element), ["metadata", "package", "checksum"]) => checksum = Some(attribute(element, "type")?),
            (Step::End, ["metadata", "package", "checksum"]) => {
                current.checksum = checksum.take().map(|kind| (kind, text.trim().to_owned()));
            }
            (Step::Begin(element), ["metadata", "package", "location"]) => {
                current.href = attribute(element, "href")?;
                current.elsewhere = attribute(element, "xml:base").is_ok_and(|base| !base.is_empty());
            }
            (Step::Begin(element), ["metadata", "package", "size"]) => {
                current.size = attribute(element, "package").ok().and_then(|size| size.parse().ok());
            }
            (Step::End, ["metadata", "package"]) => each(std::mem::take(&mut current)),
            _ => {}
        }
        Ok(())
    })
}

/// Is told of each step, where it is, and at the end of an element the text in it.
type Visit<'a> = dyn FnMut(Step<'_>, &[&str], &str) -> io::Result<()> + 'a;

/// Where an element begins or ends.
enum Step<'a> {
    Begin(&'a BytesStart<'a>),
    End,
}

/// Walks over the elements of a document.
///
/// Entities that a document defines for itself are never looked up; no index has any.
fn walk(reader: impl BufRead, each: &mut Visit<'_>) -> io::Result<()> {
    let bad = |error: quick_xml::Error| malformed(&format!("it is no well-formed XML: {error}"));
    let mut reader = Reader::from_reader(reader);
    let (mut buffer, mut stack, mut text) = (Vec::new(), Vec::<String>::new(), String::new());
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer).map_err(bad)?;
        match &event {
            Event::Eof => break,
            Event::Start(element) | Event::Empty(element) => {
                stack.push(element.name().as_ref().to_owned());
                if stack.len() > 32 {
                    return Err(malformed("its elements lie deeper in each other than in any index"));
                }
                text.clear();
                let path: Vec<&str> = stack.iter().map(String::as_str).collect();
                each(Step::Begin(element), &path, "")?;
                if matches!(event, Event::Empty(_)) {
                    each(Step::End, &path, "")?;
                    stack.pop();
                }
            }
            Event::Text(content) => text.push_str(content.as_ref()),
            Event::End(_) => {
                let path: Vec<&str> = stack.iter().map(String::as_str).collect();
                each(Step::End, &path, &text)?;
                stack.pop();
                text.clear();
            }
            _ => {}
        }
    }
    if stack.is_empty() { Ok(()) } else { Err(malformed("it ends within an element")) }
}

/// The value of an attribute, its five predefined entities resolved.
fn attribute(element: &BytesStart<'_>, name: &str) -> io::Result<String> {
    let found = element.attributes().flatten().find(|attribute| attribute.key.as_ref() == name);
    let found = found.ok_or_else(|| malformed(&format!("an element has no attribute `{name}`")))?;
    quick_xml::escape::unescape(&found.value)
        .map(|value| value.into_owned())
        .map_err(|error| malformed(&error.to_string()))
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_read_with_their_places_and_digests() {
        let xml = r#"<?xml version="1.0"?><metadata xmlns="x" xmlns:rpm="y" packages="2">
            <package type="rpm"><name>a</name><checksum type="sha256" pkgid="YES">00ff</checksum>
            <size package="7" installed="1" archive="1"/><location href="Packages/a&amp;b.rpm"/>
            <format><rpm:provides><rpm:entry name="location"/></rpm:provides></format></package>
            <package type="rpm"><checksum type="sha">11</checksum><location xml:base="http://x/" href="b.rpm"/></package></metadata>"#;
        let mut all = Vec::new();
        packages(xml.as_bytes(), &mut |package| all.push(package)).expect("packages");
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].href.as_str(), all[0].size, all[0].elsewhere), ("Packages/a&b.rpm", Some(7), false));
        assert_eq!(all[0].checksum, Some(("sha256".to_owned(), "00ff".to_owned())));
        assert!(all[1].elsewhere);
    }

    #[test]
    fn a_document_that_ends_early_is_refused() {
        assert!(packages(b"<metadata><package><checksum type='sha256'>".as_slice(), &mut |_| ()).is_err());
        assert!(packages(b"<metadata><package>&bomb;</metadata>".as_slice(), &mut |_| ()).is_err());
        assert!(packages("<a>".repeat(100).as_bytes(), &mut |_| ()).is_err());
    }
}
