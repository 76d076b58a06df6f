//! The door: a file becomes a package of the repository only through here.
//!
//! A package is first copied onto the repository's file system, hashed while it is copied, and from then on the copy is
//! read: what was judged is what gets published. Name, version and architecture come from inside the package, never from
//! its file name. Fields that the index itself owns are refused, for a package could speak about other files with them.

mod deb;
mod rpm;
mod source;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub(super) use deb::deb_entry;
pub(super) use rpm::{rpm_entry, signed};
pub(super) use source::{Source, source_entry};

use super::error::RepoError;
use super::store::{Copied, Store};
use crate::digest::Sha256;
use crate::format;
use crate::format::deb::{DebInfo, Files};
use crate::format::rpm::RpmInfo;

/// A file to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The .deb, .rpm or .dsc.
    pub path: PathBuf,
    /// The suite it goes to.
    pub suite: String,
    /// The component of an apt suite; `main` as a rule. Yum suites have none.
    pub component: String,
    /// What its SHA-256 must be, where a list of artefacts tells.
    pub sha256: Option<Sha256>,
}

/// What a file turned out to be.
pub(super) enum Ingested {
    Deb { copy: Copied, info: Box<DebInfo> },
    Rpm { copy: Copied, info: Box<RpmInfo>, immutable: Sha256 },
    Source { copy: Copied, source: Box<Source> },
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

/// Copies (or hard-links, where `link` says so) and judges one file. The names of a .deb's files are read where `files` says
/// so: that means unpacking it.
pub(super) fn take(store: &Store, item: &Item, link: bool, files: Files) -> Result<Ingested, RepoError> {
    let failed = || RepoError::io(format!("{} could not be taken in", item.path.display()));
    if !fs_err::metadata(&item.path).map_err(failed())?.is_file() {
        return Err(RepoError::refused(&item.path, "this is no regular file"));
    }
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
        let info = format::deb::read(&copy.file, files).map_err(|error| refused(&item.path, error))?;
        deb::check(&item.path, &info)?;
        return Ok(Ingested::Deb { copy, info: Box::new(info) });
    }
    if begin.starts_with(&[0xed, 0xab, 0xee, 0xdb]) {
        let info = format::rpm::read(&copy.file).map_err(|error| refused(&item.path, error))?;
        rpm::check(&item.path, &info)?;
        let immutable = format::rpm::immutable_digest(&copy.file).map_err(|error| refused(&item.path, error))?;
        return Ok(Ingested::Rpm { copy, info: Box::new(info), immutable });
    }
    if source::is_source(&item.path, begin) {
        let source = source::take(store, &item.path, &copy)?;
        return Ok(Ingested::Source { copy, source: Box::new(source) });
    }
    Err(RepoError::refused(&item.path, "this is neither a .deb nor an .rpm nor a .dsc"))
}

/// Reads a .deb that was judged before.
pub(super) fn read_deb(path: &Path, files: Files) -> Result<DebInfo, RepoError> {
    format::deb::read(path, files).map_err(|error| refused(path, error))
}

/// Reads an .rpm that was judged before.
pub(super) fn read_rpm(path: &Path) -> Result<RpmInfo, RepoError> {
    format::rpm::read(path).map_err(|error| refused(path, error))
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
