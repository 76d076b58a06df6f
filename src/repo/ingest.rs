//! The door: a file becomes a package of the repository only through here.
//!
//! A package is first copied onto the repository's file system, hashed while it is copied, and from then on the copy is
//! read: what was judged is what gets published. Name, version and architecture come from inside the package, never from
//! its file name. Fields that the index itself owns are refused, for a package could speak about other files with them.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::error::RepoError;
use super::primary;
use super::sign::Signer;
use super::state::{Deb, Rpm};
use super::store::{Copied, Store};
use super::{apt, yum};
use crate::digest::Sha256;
use crate::format::deb::{DebInfo, Files};
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
    Rpm { copy: Copied, info: Box<rpm::RpmInfo>, immutable: Sha256 },
}

/// Copies and judges one file.
pub(super) fn take(store: &Store, item: &Item) -> Result<Ingested, RepoError> {
    let failed = || RepoError::io(format!("{} could not be taken in", item.path.display()));
    let mut source = fs_err::File::open(&item.path).map_err(failed())?;
    let mut magic = [0; 8];
    let length = read_up_to(&mut source, &mut magic).map_err(failed())?;
    let begin = magic.get(..length).unwrap_or_default();
    let copy = store.copy_in(&mut begin.chain(source)).map_err(failed())?;
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

/// The index entry of a .deb; `tagged` when its usual place is taken by another content.
pub(super) fn deb_record(info: &DebInfo, component: &str, copy: &Copied, tagged: bool) -> Deb {
    let tag = tagged.then_some(copy.sha256);
    let (package, version, architecture) = (info.package(), info.version(), info.architecture());
    let filename = apt::pool_path(component, info.source(), package, version, architecture, tag);
    let line = |name: &str, value: &str| {
        let separator = if value.is_empty() || value.starts_with('\n') { "" } else { " " };
        format!("{name}:{separator}{value}\n")
    };
    let is = |name: &str, wanted: &str| name.eq_ignore_ascii_case(wanted);
    let mut control = line("Package", package);
    for (name, value) in &info.control {
        if !is(name, "Package") && !is(name, "Description") {
            control.push_str(&line(name, value));
        }
    }
    Deb {
        component: component.to_owned(),
        package: package.to_owned(),
        version: version.to_owned(),
        architecture: architecture.to_owned(),
        filename,
        size: copy.size,
        sha256: copy.sha256,
        control,
        description: line("Description", info.field("Description").unwrap_or_default()),
    }
}

/// What an .rpm becomes: the file to publish, with our signature in the place of any other, and its entry. `original` is
/// the digest of the file that was given; `tag` goes into its place when the usual one is taken.
pub(super) fn rpm_record(
    store: &Store,
    copy: Copied,
    original: Sha256,
    immutable: Sha256,
    tag: Option<Sha256>,
    signer: &Signer,
    time: i64,
) -> Result<(Copied, Rpm), RepoError> {
    let unreadable = |error| refused(&copy.file, error);
    let held = rpm::header_signature(&copy.file).map_err(unreadable)?;
    let signed = if held.is_some_and(|held| signer.has_signed(&held.signature, &held.header)) {
        None
    } else {
        let mut sign = |header: &[u8]| signer.detached_binary(header, time).map_err(rpm::SignerError::from);
        let signed = store.produce(|writer| rpm::sign(&copy.file, writer, &mut sign).map_err(as_io));
        Some(signed.map_err(RepoError::io("the package could not be signed"))?)
    };
    let copy = signed.unwrap_or(copy);
    let info = rpm::read(&copy.file).map_err(|error| refused(&copy.file, error))?;
    let location = yum::location(&info.name, &info.version, &info.release, &info.architecture, tag);
    let published = primary::Published { sha256: copy.sha256, location: &location, time };
    let elements = primary::describe(&info, &published);
    let record = Rpm {
        epoch: info.epoch.unwrap_or(0),
        name: info.name,
        version: info.version,
        release: info.release,
        architecture: info.architecture,
        location,
        size: copy.size,
        sha256: copy.sha256,
        immutable,
        original,
        primary: elements.primary,
        filelists: elements.filelists,
        other: elements.other,
    };
    Ok((copy, record))
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
fn check_relations(path: &Path, info: &rpm::RpmInfo) -> Result<(), RepoError> {
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
