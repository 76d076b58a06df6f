//! What an .rpm must be to be published, beyond what its reader asks of it (`format/rpm/read.rs`), and its signing.

use std::path::Path;

use super::{as_io, refused};
use crate::digest::Sha256;
use crate::format::rpm::{self, RpmInfo};
use crate::repo::error::RepoError;
use crate::repo::sign::Signer;
use crate::repo::state::Rpm;
use crate::repo::store::{Copied, Store};
use crate::repo::{primary, yum};

/// Control characters have no place in names (XML could not hold them either), and a file is where its path says.
pub(super) fn check(path: &Path, info: &RpmInfo) -> Result<(), RepoError> {
    let refuse = |reason: String| Err(RepoError::refused(path, reason));
    let lists = [
        &info.provides,
        &info.requires,
        &info.conflicts,
        &info.obsoletes,
        &info.recommends,
        &info.suggests,
        &info.supplements,
        &info.enhances,
    ];
    for dependency in lists.into_iter().flatten() {
        for text in [&dependency.name, &dependency.version] {
            if text.chars().any(char::is_control) {
                return refuse(format!("its relation `{}` has a control character", text.escape_debug()));
            }
        }
    }
    let is_source = info.source_rpm.is_none();
    for file in &info.files {
        let shown = file.path.escape_debug();
        if file.path.chars().any(char::is_control) {
            return refuse(format!("the name of its file `{shown}` has a control character"));
        }
        // A source package's files lie in no directory.
        let below = if is_source { Some(file.path.as_str()) } else { file.path.strip_prefix('/') };
        let stays = below.is_some_and(|below| {
            !(is_source && below.contains('/')) && !below.split('/').any(|part| matches!(part, "." | ".."))
        });
        if !stays {
            return refuse(format!("its file `{shown}` has no absolute path without `.` and `..`"));
        }
    }
    if let Some(source) = &info.source_rpm
        && !source.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/')
    {
        return refuse(format!("`{}` cannot be the name of its source package", source.escape_debug()));
    }
    Ok(())
}

/// What an .rpm becomes: the file to publish, with our signature in the place of any other, and its entry. `original` is
/// the digest of the file that was given; `tag` goes into its place when the usual one is taken.
pub(in crate::repo) fn rpm_record(
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
