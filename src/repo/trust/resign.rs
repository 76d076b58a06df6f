//! Packages that only a dropped key has signed get a signature of the key that stays.

use super::keys::Certificates;
use super::sign::Signer;
use crate::format::rpm;
use crate::repo::cell::Stream;
use crate::repo::change::Change;
use crate::repo::error::RepoError;
use crate::repo::primary;
use crate::repo::record::Entry;
use crate::repo::store::Store;
use crate::repo::yum;
use crate::report::{Reporter, Unit};

/// Signs every .rpm of a suite that one of `dropped` signed with `signer` instead. Gives their number.
///
/// Files that clients may be fetching stay as they are: a package signed anew gets a place of its own. Packages without a
/// signature, or with somebody else's, were published that way and stay that way.
pub(super) fn packages(
    change: &mut Change,
    store: &Store,
    dropped: &Certificates,
    signer: &Signer,
    time: i64,
    reporter: &dyn Reporter,
) -> Result<u64, RepoError> {
    let base = change.base.clone();
    let progress = reporter.progress("Signing", base.count(), Unit::Items);
    let mut count = 0;
    for entry in base.entries(store) {
        let entry = entry?;
        progress.advance(1);
        let path = store.path(&entry.record.path(change.suite()));
        let unreadable = |error: crate::format::Error| RepoError::refused(path.clone(), error.to_string());
        let Some(held) = rpm::header_signature(&path).map_err(unreadable)? else { continue };
        if signer.has_signed(&held.signature, &held.header) || !dropped.have_signed(&held.signature, &held.header) {
            continue;
        }
        let mut sign = |header: &[u8]| signer.detached_binary(header, time).map_err(rpm::SignerError::from);
        let copy = store
            .produce(|writer| rpm::sign(&path, writer, &mut sign).map_err(std::io::Error::other))
            .map_err(RepoError::io("the package could not be signed"))?;
        let info = rpm::read(&copy.file).map_err(unreadable)?;
        let Entry { mut record, mut texts } = entry;
        let (place, sha256) = (record.place.clone(), record.sha256);
        record.place =
            yum::location(&info.name, &info.version, &info.release, &info.architecture, Some(copy.sha256));
        record.sha256 = copy.sha256;
        record.size = copy.size;
        let published =
            primary::Published { sha256: record.sha256, location: &record.place, time: record.published };
        let elements = primary::describe(&info, &published);
        let cell = record.cell(change.suite().kind);
        let mut put = |stream, text: String| {
            if let Some(held) = cell.position(stream).and_then(|position| texts.get_mut(position)) {
                *held = text.into_bytes();
            }
        };
        put(Stream::Primary, elements.primary);
        put(Stream::Filelists, elements.filelists);
        put(Stream::Other, elements.other);
        if let Some(notices) = cell.position(Stream::Updateinfo).and_then(|position| texts.get_mut(position)) {
            let text = String::from_utf8_lossy(notices);
            let text = text.replace(&place, &record.place).replace(&sha256.to_string(), &record.sha256.to_string());
            *notices = text.into_bytes();
        }
        let target = record.path(change.suite());
        change.place(copy, target);
        change.put(store, Entry { record, texts })?;
        count += 1;
    }
    Ok(count)
}
