//! The door: a file becomes a package of the repository only through here.
//!
//! A package is first copied onto the repository's file system, hashed while it is copied, and from then on the copy is
//! read: what was judged is what gets published. Name, version and architecture come from inside the package, never from
//! its file name. Fields that the index itself owns are refused, for a package could speak about other files with them.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::error::RepoError;
use super::record::{Entry, Identity, Record};
use super::sign::Signer;
use super::store::{Copied, Store};
use super::{apt, yum};
use crate::digest::Sha256;
use crate::format::deb::{DebInfo, Files};
use crate::format::rpm::RpmInfo;
use crate::format::{self, deb, rpm};

/// A file to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The .deb or .rpm.
    pub path: PathBuf,
    /// The suite it goes to.
    pub suite: String,
    /// The component of an apt suite; `main` as a rule. Yum suites have none.
    pub component: String,
    /// What its SHA-256 must be, where a list of artefacts tells.
    pub sha256: Option<Sha256>,
}

/// Fields that an index adds, or that dpkg keeps of installed packages (deb-control(5) knows none of them).
const OWNED_BY_THE_INDEX: [&str; 13] = [
    "Filename",
    "Size",
    "MD5sum",
    "SHA1",
    "SHA256",
    "SHA512",
    "Description-md5",
    "Phased-Update-Percentage",
    "Status",
    "Config-Version",
    "Conffiles",
    "Triggers-Pending",
    "Triggers-Awaited",
];

/// What a file turned out to be.
pub(super) enum Ingested {
    Deb { copy: Copied, info: Box<DebInfo> },
    Rpm { copy: Copied, info: Box<RpmInfo>, immutable: Sha256 },
}

/// What an index says of a file and the package itself does not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    pub(super) size: u64,
    pub(super) sha256: Sha256,
    /// Seconds since 1970-01-01 UTC.
    pub(super) published: i64,
    pub(super) phase: Option<u8>,
}

/// Copies and judges one file.
pub(super) fn take(store: &Store, item: &Item, link: bool) -> Result<Ingested, RepoError> {
    let failed = || RepoError::io(format!("{} could not be taken in", item.path.display()));
    let mut source = fs_err::File::open(&item.path).map_err(failed())?;
    let mut magic = [0; 8];
    let length = read_up_to(&mut source, &mut magic).map_err(failed())?;
    let begin = magic.get(..length).unwrap_or_default();
    let copy = match link {
        true => store.link_in(&item.path),
        false => store.copy_in(&mut begin.chain(source)),
    };
    let copy = copy.map_err(failed())?;
    if let Some(expected) = item.sha256.filter(|expected| *expected != copy.sha256) {
        let reason = format!("its SHA-256 is {}, the list of artefacts says {expected}", copy.sha256);
        return Err(RepoError::refused(&item.path, reason));
    }
    if begin == b"!<arch>\n" {
        let info = deb::read(&copy.file, Files::Skip).map_err(|error| refused(&item.path, error))?;
        check_fields(&item.path, &info)?;
        return Ok(Ingested::Deb { copy, info: Box::new(info) });
    }
    if begin.starts_with(&[0xed, 0xab, 0xee, 0xdb]) {
        let info = rpm::read(&copy.file).map_err(|error| refused(&item.path, error))?;
        check_relations(&item.path, &info)?;
        let immutable = rpm::immutable_digest(&copy.file).map_err(|error| refused(&item.path, error))?;
        return Ok(Ingested::Rpm { copy, info: Box::new(info), immutable });
    }
    Err(RepoError::refused(&item.path, "this is neither a .deb nor an .rpm"))
}

/// What a .deb becomes in an index. `tag` goes into its place when the usual one is taken by another content.
pub(super) fn deb_entry(info: &DebInfo, component: &str, file: &Facts, tag: Option<Sha256>) -> Entry {
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
    Entry { texts: apt::texts(info, &record), record }
}

/// What an .rpm becomes in metadata, as it is.
pub(super) fn rpm_entry(info: &RpmInfo, file: &Facts, original: Sha256, content: Sha256, tag: Option<Sha256>) -> Entry {
    // `acme-1.0-1.el9.src.rpm`
    let mut source = info.source_rpm.as_deref().unwrap_or_default().trim_end_matches(".src.rpm").rsplitn(3, '-');
    let (release, version, name) = (source.next(), source.next(), source.next());
    let source_version = version.zip(release).map(|(version, release)| format!("{version}-{release}"));
    let version = yum::version(info);
    let record = Record {
        identity: Identity {
            name: info.name.clone(),
            version: version.clone(),
            architecture: info.architecture.clone(),
        },
        source: name.unwrap_or(&info.name).to_owned(),
        source_version: source_version.unwrap_or(version),
        component: String::new(),
        place: yum::location(&info.name, &info.version, &info.release, &info.architecture, tag),
        size: file.size,
        sha256: file.sha256,
        content,
        original,
        published: file.published,
        phase: None,
        further: Vec::new(),
    };
    Entry { texts: yum::texts(info, &record), record }
}

/// The .rpm with a signature of our key; `None` when it has one.
pub(super) fn signed(store: &Store, copy: &Copied, signer: &Signer, time: i64) -> Result<Option<Copied>, RepoError> {
    let held = rpm::header_signature(&copy.file).map_err(|error| refused(&copy.file, error))?;
    if held.is_some_and(|held| signer.has_signed(&held.signature, &held.header)) {
        return Ok(None);
    }
    let mut sign = |header: &[u8]| signer.detached_binary(header, time).map_err(rpm::SignerError::from);
    let signed = store.produce(|writer| rpm::sign(&copy.file, writer, &mut sign).map_err(as_io));
    signed.map(Some).map_err(RepoError::io("the package could not be signed"))
}

/// Reads a .deb that was judged before.
pub(super) fn read_deb(path: &Path) -> Result<DebInfo, RepoError> {
    deb::read(path, Files::Skip).map_err(|error| refused(path, error))
}

/// Reads an .rpm that was judged before.
pub(super) fn read_rpm(path: &Path) -> Result<RpmInfo, RepoError> {
    rpm::read(path).map_err(|error| refused(path, error))
}

fn check_fields(path: &Path, info: &DebInfo) -> Result<(), RepoError> {
    for (name, value) in &info.control {
        if OWNED_BY_THE_INDEX.iter().any(|owned| owned.eq_ignore_ascii_case(name)) {
            return Err(RepoError::refused(
                path,
                format!("its control file has the field `{name}`, which only an index may have"),
            ));
        }
        // What would begin another stanza, or another field, in the index.
        let mut lines = value.split('\n');
        let first = lines.next().unwrap_or_default();
        let breaks = lines.any(|line| line.trim().is_empty() || !line.starts_with([' ', '\t']));
        if breaks || first.contains(['\r', '\0']) || value.contains(['\r', '\0']) {
            return Err(RepoError::refused(path, format!("the field `{name}` of its control file is malformed")));
        }
    }
    let architecture = info.architecture();
    if architecture == "source" || architecture.split('-').any(|part| part == "any") {
        return Err(RepoError::refused(path, format!("`{architecture}` is no architecture of a binary package")));
    }
    for name in ["Maintainer", "Description"] {
        if info.field(name).is_none_or(|value| value.trim().is_empty()) {
            return Err(RepoError::refused(path, format!("its control file has no field `{name}`")));
        }
    }
    Ok(())
}

/// Control characters have no place in names; XML attributes could not hold them either.
fn check_relations(path: &Path, info: &RpmInfo) -> Result<(), RepoError> {
    let relations = [&info.provides, &info.requires, &info.conflicts, &info.obsoletes].into_iter().flatten();
    let names = relations.map(|dependency| &dependency.name).chain(info.files.iter().map(|file| &file.path));
    for name in names {
        if name.chars().any(char::is_control) {
            return Err(RepoError::refused(path, format!("`{}` has a control character", name.escape_debug())));
        }
    }
    if info.architecture == "src" {
        return Err(RepoError::refused(path, "this is a source package; a suite holds binary packages"));
    }
    Ok(())
}

/// The reader's finding, about the file that the user named rather than our copy of it.
fn refused(path: &Path, error: format::Error) -> RepoError {
    let reason = match error {
        format::Error::Malformed { what, .. } => format!("this is not a well-formed package: {what}"),
        format::Error::Mismatch { what, .. } => format!("this package is damaged or was altered: {what}"),
        format::Error::Read { source, .. } => format!("this package cannot be read: {source}"),
        other => other.to_string(),
    };
    RepoError::refused(path, reason)
}

fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut bytes = Vec::new();
    let length = reader.take(buffer.len() as u64).read_to_end(&mut bytes)?;
    buffer.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    Ok(length)
}

/// Keeps the kind, by which a full or read-only disk is told from anything else.
fn as_io(error: format::Error) -> io::Error {
    match &error {
        format::Error::Write { source, .. } | format::Error::Read { source, .. } => {
            io::Error::new(source.kind(), error.to_string())
        }
        _ => io::Error::other(error.to_string()),
    }
}
