//! The yum half: where packages go, which metadata files a suite has, and what `repomd.xml` says of them.
//!
//! gzip throughout: it is what dnf 4.7 of EL 8 reads. Source: createrepo_c's `xml_dump_repomd.c`.

pub(super) mod comps;
mod primary;
mod updateinfo;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::cell::{Cell, CellName, Stream};
use super::error::RepoError;
use super::index::Planned;
use super::options::SuiteOptions;
use super::record::Record;
use super::root::Root;
use super::shard;
use super::store::Store;
use crate::digest::Sha256;
use crate::format::rpm::RpmInfo;

const COMMON: &str = "http://linux.duke.edu/metadata/common";
const FILELISTS: &str = "http://linux.duke.edu/metadata/filelists";
const OTHER: &str = "http://linux.duke.edu/metadata/other";
const REPO: &str = "http://linux.duke.edu/metadata/repo";
const RPM: &str = "http://linux.duke.edu/metadata/rpm";
const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// Where a package goes, relative to the suite's directory: `packages/a/acme-1.0-1.el9.x86_64.rpm`.
///
/// `tagged` puts a directory named after the content in between, for a package whose place is taken by another content.
pub(super) fn location(name: &str, version: &str, release: &str, architecture: &str, tagged: Option<Sha256>) -> String {
    let letter: String = name.chars().take(1).flat_map(char::to_lowercase).collect();
    let tag = tagged.map(|digest| digest.to_string().chars().take(12).collect::<String>() + "/").unwrap_or_default();
    format!("packages/{letter}/{tag}{name}-{version}-{release}.{architecture}.rpm")
}

/// The whole version of an .rpm. An epoch of 0 and none at all are the same to rpm.
pub(super) fn version(info: &RpmInfo) -> String {
    match info.epoch.unwrap_or(0) {
        0 => format!("{}-{}", info.version, info.release),
        epoch => format!("{epoch}:{}-{}", info.version, info.release),
    }
}

/// What the metadata say of an .rpm, in the order of its cell's streams: primary, filelists, other, updateinfo.
pub(super) fn texts(info: &RpmInfo, record: &Record) -> Vec<Vec<u8>> {
    let published = primary::Published { sha256: record.sha256, location: &record.place, time: record.published };
    let elements = primary::describe(info, &published);
    vec![
        elements.primary.into_bytes(),
        elements.filelists.into_bytes(),
        elements.other.into_bytes(),
        updateinfo::notices(info).into_bytes(),
    ]
}

/// The suite's metadata files. Group metadata come from an object, as they were given.
pub(super) fn index_files(
    store: &Store,
    cells: &BTreeMap<CellName, Cell>,
    options: &SuiteOptions,
) -> Result<Vec<Planned>, RepoError> {
    let count: u64 = cells.values().map(Cell::count).sum();
    let document = |kind: &str, stream, element: &str, namespaces: &str| {
        let mut planned = Planned { is_listed_open: false, ..Planned::of(kind.to_owned(), stream, cells) };
        planned.head = format!("{DECLARATION}<{element} {namespaces} packages=\"{count}\">\n").into_bytes();
        planned.tail = format!("</{element}>\n").into_bytes();
        planned
    };
    let common = format!("xmlns=\"{COMMON}\" xmlns:rpm=\"{RPM}\"");
    let mut files = vec![
        document("primary", Stream::Primary, "metadata", &common),
        document("filelists", Stream::Filelists, "filelists", &format!("xmlns=\"{FILELISTS}\"")),
        document("other", Stream::Other, "otherdata", &format!("xmlns=\"{OTHER}\"")),
    ];
    let notices = Planned::of("updateinfo".to_owned(), Stream::Updateinfo, cells);
    let mut notices = Planned { is_listed_open: false, ..notices };
    if !notices.pieces.is_empty() {
        notices.head = format!("{DECLARATION}<updates>\n").into_bytes();
        notices.tail = b"</updates>\n".to_vec();
        files.push(notices);
    }
    if let Some(groups) = options.groups {
        let head = fs_err::read(store.path(&shard::object(groups)));
        let head = head.map_err(RepoError::io("the suite's group metadata could not be read"))?;
        files.push(Planned { path: "group".to_owned(), head, ..Planned::default() });
    }
    Ok(files)
}

/// The text of `repomd.xml`.
pub(super) fn repomd(root: &Root) -> String {
    let mut xml = format!("{DECLARATION}<repomd xmlns=\"{REPO}\" xmlns:rpm=\"{RPM}\">\n");
    let _ = writeln!(xml, "  <revision>{}</revision>", root.stamp);
    // No `open-checksum`: none of the readers looks at it, and hashing what nobody fetches is most of the work in a large suite.
    for file in &root.files {
        let ((open_size, _), (size, digest)) = (file.open, file.packed);
        let (kind, date) = (&file.path, root.date);
        let _ = write!(
            xml,
            "  <data type=\"{kind}\">\n    <checksum type=\"sha256\">{digest}</checksum>\n    \
             <location href=\"repodata/{digest}-{kind}.xml.gz\"/>\n    <timestamp>{date}</timestamp>\n    \
             <size>{size}</size>\n    <open-size>{open_size}</open-size>\n  </data>\n"
        );
    }
    xml.push_str("</repomd>\n");
    xml
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_lies_below_its_first_letter() {
        assert_eq!(location("Acme", "1.0~rc1", "1.el9", "noarch", None), "packages/a/Acme-1.0~rc1-1.el9.noarch.rpm");
    }
}
