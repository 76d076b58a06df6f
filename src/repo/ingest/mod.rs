//! The door: a file becomes a package of the repository only through here.
//!
//! A package is first copied onto the repository's file system, hashed while it is copied, and from then on the copy is
//! read: what was judged is what gets published. Name, version and architecture come from inside the package, never from
//! its file name. Fields that the index itself owns are refused, for a package could speak about other files with them.

mod deb;
mod opened;
mod rpm;
mod source;

use std::io::{self, BufReader, Cursor, Read, Seek as _};
use std::path::{Path, PathBuf};

pub(super) use deb::deb_entry;
pub(super) use rpm::{rpm_entry, signed};
pub(super) use source::{Source, source_entry};

use opened::{Opened, Watched};

use super::error::RepoError;
use super::record::Identity;
use super::store::{Copied, Store};
use super::{page, yum};
use crate::digest::Sha256;
use crate::format::deb::{DebInfo, Files};
use crate::format::rpm::RpmInfo;
use crate::format::{self, FileInfo};

/// What is read at once of a large package.
const BUFFER: usize = 128 << 10;

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
    /// With what its page says, where that was wanted and seen.
    Deb {
        copy: Copied,
        info: Box<DebInfo>,
        page: Option<Box<page::Facts>>,
    },
    Rpm {
        copy: Copied,
        info: Box<RpmInfo>,
        immutable: Sha256,
    },
    Source {
        copy: Copied,
        source: Box<Source>,
    },
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

/// How a file is taken in.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    /// Hard-linked, not copied, where that is possible.
    pub(super) link: bool,
    /// Whether the names of a .deb's files are read: that means unpacking it.
    pub(super) files: Files,
    /// Whether, being unpacked, it is asked for what its page says.
    pub(super) page: bool,
}

/// Copies and judges one file.
pub(super) fn take(store: &Store, item: &Item, how: How) -> Result<Ingested, RepoError> {
    let failed = || RepoError::io(format!("{} could not be taken in", item.path.display()));
    if !fs_err::metadata(&item.path).map_err(failed())?.is_file() {
        return Err(RepoError::refused(&item.path, "this is no regular file"));
    }
    let (copy, content) = store.take_in(&item.path, how.link).map_err(failed())?;
    if let Some(expected) = item.sha256.filter(|expected| *expected != copy.sha256) {
        let reason = format!("its SHA-256 is {}, the list of artefacts says {expected}", copy.sha256);
        return Err(RepoError::refused(&item.path, reason));
    }
    let mut file = match &content {
        Some(bytes) => Opened::Memory(Cursor::new(bytes.as_slice())),
        None => Opened::File(BufReader::with_capacity(BUFFER, fs_err::File::open(&copy.file).map_err(failed())?)),
    };
    match judge(&mut file, item, how)? {
        Judged::Deb(info, page) => Ok(Ingested::Deb { copy, info, page }),
        Judged::Rpm(info, immutable) => Ok(Ingested::Rpm { copy, info, immutable }),
        Judged::Source => {
            let source = source::take(store, &item.path, &copy)?;
            Ok(Ingested::Source { copy, source: Box::new(source) })
        }
    }
}

/// Judges one file where it is, and gives the identity of a binary package.
pub(super) fn look(item: &Item) -> Result<Option<Identity>, RepoError> {
    let failed = || RepoError::io(format!("{} could not be read", item.path.display()));
    let mut file = BufReader::with_capacity(BUFFER, fs_err::File::open(&item.path).map_err(failed())?);
    if let Some(expected) = item.sha256 {
        let (digest, _) = Sha256::of_reader(&mut file).map_err(failed())?;
        if digest != expected {
            return Err(RepoError::refused(&item.path, format!("its SHA-256 is {digest}, its index says {expected}")));
        }
        file.rewind().map_err(failed())?;
    }
    let how = How { link: false, files: Files::Skip, page: false };
    let (name, version, architecture) = match judge(&mut Opened::File(file), item, how)? {
        Judged::Deb(info, _) => (info.package().to_owned(), info.version().to_owned(), info.architecture().to_owned()),
        Judged::Rpm(info, _) => (info.name.clone(), yum::version(&info), info.architecture),
        Judged::Source => return Ok(None),
    };
    Ok(Some(Identity { name, version, architecture }))
}

/// What a file turned out to be, wherever it is.
enum Judged {
    Deb(Box<DebInfo>, Option<Box<page::Facts>>),
    Rpm(Box<RpmInfo>, Sha256),
    /// Its files are still to be looked at.
    Source,
}

fn judge(file: &mut Opened<'_>, item: &Item, how: How) -> Result<Judged, RepoError> {
    let failed = || RepoError::io(format!("{} could not be read", item.path.display()));
    let path = &item.path;
    let mut magic = [0; 8];
    let length = read_up_to(file, &mut magic).map_err(failed())?;
    let begin = magic.get(..length).unwrap_or_default();
    file.rewind().map_err(failed())?;
    if begin == b"!<arch>\n" {
        let (mut sight, mut seen) = (page::Sight::default(), how.page && how.files == Files::List);
        let mut each = |entry: &FileInfo, content: &mut dyn Read| {
            let mut content = Watched { inner: content, failed: false };
            match if seen { sight.look(entry, &mut content) } else { Ok(()) } {
                // What is odd about a changelog is no reason to refuse a package.
                Err(_) if !content.failed => seen = false,
                looked => looked?,
            }
            Ok(())
        };
        let info = format::deb::read_from(file, path, how.files, &mut each).map_err(|error| refused(path, error))?;
        deb::check(path, &info)?;
        let page = seen.then(|| Box::new(sight.facts(&info)));
        return Ok(Judged::Deb(Box::new(info), page));
    }
    if begin.starts_with(&[0xed, 0xab, 0xee, 0xdb]) {
        let (info, immutable) = format::rpm::read_from(file, path).map_err(|error| refused(path, error))?;
        rpm::check(path, &info)?;
        return Ok(Judged::Rpm(Box::new(info), immutable));
    }
    if source::is_source(path, begin) {
        return Ok(Judged::Source);
    }
    Err(RepoError::refused(path, "this is neither a .deb nor an .rpm nor a .dsc"))
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
