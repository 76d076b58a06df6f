//! Which part of a key may sign a repository: what none of apt (gpgv, sqv), dnf, zypper and rpm refuses.

use std::path::Path;

use pgp::composed::SignedPublicKey;

use super::certificate::{Flaw, Part, parts};
use super::clients::{self, NEW_KEY};
use crate::repo::error::RepoError;

/// Why a key cannot be used.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Something is wrong with the key; what, and what to do.
    Unfit(String, &'static str),
    /// It could not be unlocked.
    Locked(String),
}

impl Refusal {
    pub(super) fn at(self, path: &Path, passphrase_given: bool) -> RepoError {
        let path = path.to_path_buf();
        match self {
            Self::Unfit(reason, hint) => RepoError::UnusableKey { path, reason, hint: hint.to_owned() },
            Self::Locked(reason) if passphrase_given => RepoError::UnusableKey {
                path,
                reason: format!("the key cannot be unlocked ({reason})"),
                hint: "the passphrase given does not open this key; correct it".to_owned(),
            },
            Self::Locked(_) => RepoError::UnusableKey {
                path,
                reason: "the key is locked with a passphrase".to_owned(),
                hint: "give the passphrase in a file with --passphrase-file, or in the environment variable \
                       PACKHOUSE_KEY_PASSPHRASE; on a terminal it is asked for"
                    .to_owned(),
            },
        }
    }
}

/// The fingerprints of the parts that may sign at `time`, in order of preference: the newest subkey that every client
/// accepts first, the primary key last. Never empty.
pub(super) fn choose(certificate: &SignedPublicKey, time: i64) -> Result<Vec<String>, Refusal> {
    let parts = parts(certificate, time);
    let (Some(primary), subkeys) = (parts.first(), parts.get(1..).unwrap_or_default()) else {
        return Err(Refusal::Unfit("there is no key".to_owned(), NEW_KEY));
    };
    // A subkey is worth nothing under a primary key that clients refuse.
    judge(primary, time)?;
    let mut fit = Vec::new();
    let mut refusal = None;
    for part in subkeys.iter().chain(Some(primary).filter(|primary| primary.signs)) {
        match judge(part, time) {
            Ok(()) => fit.push(part.fingerprint.clone()),
            Err(reason) => refusal = Some(reason),
        }
    }
    match (fit.is_empty(), refusal) {
        (false, _) => Ok(fit),
        (true, Some(reason)) => Err(reason),
        (true, None) => {
            Err(Refusal::Unfit("neither the key nor a subkey of it is meant for signing".to_owned(), NEW_KEY))
        }
    }
}

fn judge(part: &Part, time: i64) -> Result<(), Refusal> {
    if part.created > time {
        return Err(Refusal::Unfit("the key was made in the future".to_owned(), "set the clock of this machine"));
    }
    let named = if part.primary { "the key" } else { "the signing subkey" };
    if let Some(trouble) = part.troubles.iter().find(|trouble| clients::is_refused(**trouble, time)) {
        let clients: Vec<&str> = clients::refusing(*trouble)
            .filter(|(_, since)| *since <= time)
            .map(|(client, _)| client.distribution)
            .collect();
        let reason = format!("{named} ({}) is refused by {}: {}", part.kind, clients.join("; "), trouble.describe());
        return Err(Refusal::Unfit(reason, trouble.remedy()));
    }
    let (reason, hint) = match part.flaw {
        None => (None, NEW_KEY),
        Some(Flaw::Revoked) => (Some(format!("{named} is revoked")), NEW_KEY),
        Some(Flaw::UserIdRevoked) => (Some("the key's user ID is revoked".to_owned()), NEW_KEY),
        Some(Flaw::NoSelfSignature) => (Some("the key has no valid self-signature".to_owned()), NEW_KEY),
        Some(Flaw::NoBackSignature) => (
            Some("the signing subkey lacks a valid back signature".to_owned()),
            "run `gpg --edit-key FINGERPRINT cross-certify save`, then export the key again",
        ),
    };
    if let Some(reason) = reason {
        return Err(Refusal::Unfit(reason, hint));
    }
    if part.expires.is_some_and(|end| end <= time) {
        let hint =
            "prolong it with `gpg --quick-set-expire FINGERPRINT 5y`, or make a new key with `packhouse key generate`";
        return Err(Refusal::Unfit(format!("{named} has expired"), hint));
    }
    Ok(())
}
