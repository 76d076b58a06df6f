//! Packages that only a dropped key has signed get a signature of the key that stays.

use super::keys::Certificates;
use super::sign::Signer;
use crate::format::rpm;
use crate::repo::change::Change;
use crate::repo::error::RepoError;
use crate::repo::ingest::{self, Facts};
use crate::repo::store::Store;
use crate::report::{Reporter, Unit};

/// Signs every .rpm of a suite that one of `dropped` signed with `signer` instead. Gives their number.
///
/// Files that clients may be fetching stay as they are: a package signed anew gets a place of its own. Packages without a
/// signature, or with somebody else's, were published that way and stay that way.
pub(super) fn packages(
    change: &mut Change,
    store: &Store,
    dropped: &Certificates,
    signer: Option<&Signer>,
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
        if !dropped.have_signed(&held.signature, &held.header) {
            continue;
        }
        let Some(signer) = signer else {
            count += 1;
            continue;
        };
        if signer.has_signed(&held.signature, &held.header) {
            continue;
        }
        let mut sign = |header: &[u8]| signer.detached_binary(header, time).map_err(rpm::SignerError::from);
        let copy = store
            .produce(|writer| rpm::sign(&path, writer, &mut sign).map(drop).map_err(std::io::Error::other))
            .map_err(RepoError::io("the package could not be signed"))?;
        let old = entry.record;
        let facts = Facts { size: copy.size, sha256: copy.sha256, published: old.published, phase: old.phase };
        let info = ingest::read_rpm(&copy.file)?;
        let entry = ingest::rpm_entry(&info, &facts, old.original, old.content, Some(copy.sha256));
        let target = entry.record.path(change.suite());
        change.place(copy, target);
        change.put(store, entry)?;
        count += 1;
    }
    Ok(count)
}
