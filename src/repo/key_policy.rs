//! Which part of a key may sign a repository: the strictest of what apt (gpgv, sqv), dnf, zypper and rpm accept.
//!
//! Sources: apt 3's `default-sequoia.config` (SHA-1 bindings refused since 2026-02-01, RSA below 3072 bits from
//! 2030-02-01), rpm-sequoia's policy, and what rpm 4.18 and gpgv 2.2 can parse at all.

use std::path::Path;

use pgp::composed::{SignedSecretKey, SignedSecretSubKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::public_key::PublicKeyAlgorithm;
use pgp::packet::{self, KeyFlags, Signature, SignatureType, SignatureVersion};
use pgp::ser::Serialize as _;
use pgp::types::{KeyDetails, KeyVersion, Password, PublicParams, Tag};

use super::error::RepoError;

/// 2030-02-01: from here on apt refuses RSA keys below 3072 bits.
const RSA_2048_ENDS: i64 = 1_896_134_400;

/// The part of a key that signs, unlocked.
#[derive(Clone)]
pub(super) enum Component {
    /// The primary key itself.
    Primary(packet::SecretKey),
    /// A signing subkey.
    Subkey(packet::SecretSubkey),
}

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
                hint: "PACKHOUSE_KEY_PASSPHRASE does not open this key; correct it".to_owned(),
            },
            Self::Locked(_) => RepoError::UnusableKey {
                path,
                reason: "the key is locked with a passphrase".to_owned(),
                hint: "put the passphrase into the environment variable PACKHOUSE_KEY_PASSPHRASE".to_owned(),
            },
        }
    }
}

const NEW_KEY: &str = "make a new key with `packhouse key generate`";
const REBIND: &str = "renew the self-signature: `gpg --cert-digest-algo SHA512 --quick-set-expire FINGERPRINT 0`, then export the key again";

/// Chooses and unlocks what signs at `time`.
pub(super) fn choose(key: &SignedSecretKey, password: &Password, time: i64) -> Result<Component, Refusal> {
    let primary = &key.primary_key;
    fit_algorithm(primary, time)?;
    exists(primary, time)?;
    if !key.details.revocation_signatures.is_empty() {
        return Err(Refusal::Unfit("the key is revoked".to_owned(), NEW_KEY));
    }
    let binding = primary_binding(key, time)?;
    alive(primary, &binding, time)?;

    let mut subkeys: Vec<&SignedSecretSubKey> = key.secret_subkeys.iter().collect();
    subkeys.sort_by_key(|subkey| std::cmp::Reverse(subkey.key.created_at()));
    let mut refusals = Vec::new();
    for subkey in subkeys {
        match fit_subkey(key, subkey, time) {
            Ok(true) => {}
            Ok(false) => continue,
            Err(refusal) => {
                refusals.push(refusal);
                continue;
            }
        }
        let mut unlocked = subkey.key.clone();
        match unlocked.remove_password(password) {
            Ok(()) => return Ok(Component::Subkey(unlocked)),
            Err(error) => refusals.push(Refusal::Locked(error.to_string())),
        }
    }
    let flags = binding.key_flags();
    if flags.sign() || flags == KeyFlags::default() {
        let mut unlocked = primary.clone();
        match unlocked.remove_password(password) {
            Ok(()) => return Ok(Component::Primary(unlocked)),
            Err(error) => refusals.push(Refusal::Locked(error.to_string())),
        }
    }
    Err(refusals.pop().unwrap_or_else(|| {
        Refusal::Unfit("neither the key nor a subkey of it is meant for signing".to_owned(), NEW_KEY)
    }))
}

/// The newest valid self-signature of the primary key: on a user ID, or on the key itself.
fn primary_binding(key: &SignedSecretKey, time: i64) -> Result<Signature, Refusal> {
    let public = key.primary_key.public_key();
    let certifications = key.details.users.iter().flat_map(|user| {
        user.signatures.iter().map(move |signature| {
            let own = signature.is_certification() || signature.typ() == Some(SignatureType::CertRevocation);
            (signature, own && signature.verify_certification(public, Tag::UserId, &user.id).is_ok())
        })
    });
    let direct = key.details.direct_signatures.iter().map(|signature| {
        (signature, signature.typ() == Some(SignatureType::Key) && signature.verify_key(public).is_ok())
    });
    let mut newest: Option<&Signature> = None;
    let mut weak = false;
    for (signature, verified) in certifications.chain(direct) {
        if !made_by(signature, public) || made_at(signature) > time {
            continue;
        }
        if !strong(signature) {
            weak = true;
        } else if verified && newest.is_none_or(|held| made_at(signature) >= made_at(held)) {
            newest = Some(signature);
        }
    }
    match newest {
        Some(signature) if signature.typ() == Some(SignatureType::CertRevocation) => {
            Err(Refusal::Unfit("the key's user ID is revoked".to_owned(), NEW_KEY))
        }
        Some(signature) => Ok(signature.clone()),
        None if weak => {
            Err(Refusal::Unfit("the key's self-signature uses SHA-1, which apt and rpm refuse".to_owned(), REBIND))
        }
        None => Err(Refusal::Unfit("the key has no valid self-signature".to_owned(), NEW_KEY)),
    }
}

/// Whether a subkey may sign; an error when it is meant to and must not.
fn fit_subkey(key: &SignedSecretKey, subkey: &SignedSecretSubKey, time: i64) -> Result<bool, Refusal> {
    let primary = key.primary_key.public_key();
    let public = subkey.key.public_key();
    let mut newest: Option<&Signature> = None;
    for signature in &subkey.signatures {
        let verified = made_at(signature) <= time && signature.verify_subkey_binding(primary, public).is_ok();
        match signature.typ() {
            Some(SignatureType::SubkeyRevocation) if verified || !strong(signature) => return Ok(false),
            Some(SignatureType::SubkeyBinding) if verified && strong(signature) => {
                newest = newest.filter(|held| made_at(held) > made_at(signature)).or(Some(signature));
            }
            Some(SignatureType::SubkeyBinding) if !strong(signature) && signature.key_flags().sign() => {
                return Err(Refusal::Unfit("the signing subkey is bound with SHA-1".to_owned(), REBIND));
            }
            _ => {}
        }
    }
    let Some(binding) = newest.filter(|binding| binding.key_flags().sign()) else { return Ok(false) };
    fit_algorithm(&subkey.key, time)?;
    exists(&subkey.key, time)?;
    alive(&subkey.key, binding, time)?;
    let crossed = binding
        .embedded_signature()
        .is_some_and(|back| strong(back) && back.verify_primary_key_binding(public, primary).is_ok());
    if crossed {
        Ok(true)
    } else {
        Err(Refusal::Unfit(
            "the signing subkey lacks a valid back signature".to_owned(),
            "run `gpg --edit-key FINGERPRINT cross-certify save`, then export the key again",
        ))
    }
}

/// Whether every client can read and trusts keys of this kind.
fn fit_algorithm(key: &impl KeyDetails, time: i64) -> Result<(), Refusal> {
    let unfit = |reason: String| Err(Refusal::Unfit(reason, NEW_KEY));
    if key.version() != KeyVersion::V4 {
        return unfit("only version 4 keys are read by apt, dnf and zypper alike".to_owned());
    }
    match (key.algorithm(), key.public_params()) {
        (PublicKeyAlgorithm::RSA | PublicKeyAlgorithm::RSASign, PublicParams::RSA(params)) => {
            let bits = params
                .to_bytes()
                .ok()
                .and_then(|bytes| bytes.first_chunk::<2>().map(|length| u16::from_be_bytes(*length)))
                .unwrap_or(0);
            let least = if time >= RSA_2048_ENDS { 3072 } else { 2048 };
            if bits < least {
                return unfit(format!("an RSA key of {bits} bits is too weak, clients want at least {least}"));
            }
            Ok(())
        }
        (PublicKeyAlgorithm::EdDSALegacy, _) => Ok(()),
        (algorithm, _) => {
            unfit(format!("keys of the kind {algorithm:?} are not read by all of apt, rpm, dnf and zypper"))
        }
    }
}

/// Whether the key exists already at `time`.
fn exists(key: &impl KeyDetails, time: i64) -> Result<(), Refusal> {
    if i64::from(key.created_at().as_secs()) <= time {
        return Ok(());
    }
    Err(Refusal::Unfit("the key was made in the future".to_owned(), "set the clock of this machine"))
}

/// Whether the key has not expired at `time`.
fn alive(key: &impl KeyDetails, binding: &Signature, time: i64) -> Result<(), Refusal> {
    let created = i64::from(key.created_at().as_secs());
    let lifetime = binding.key_expiration_time().map(|duration| i64::from(duration.as_secs())).filter(|&span| span > 0);
    let signature_lifetime = binding.signature_expiration_time().map(|duration| i64::from(duration.as_secs()));
    let expired = lifetime.is_some_and(|span| created + span <= time)
        || signature_lifetime.is_some_and(|span| span > 0 && made_at(binding) + span <= time);
    if expired {
        let hint =
            "prolong it with `gpg --quick-set-expire FINGERPRINT 5y`, or make a new key with `packhouse key generate`";
        return Err(Refusal::Unfit("the key has expired".to_owned(), hint));
    }
    Ok(())
}

/// Version 4, with a hash that every policy still takes.
fn strong(signature: &Signature) -> bool {
    let hash =
        matches!(signature.hash_alg(), Some(HashAlgorithm::Sha256 | HashAlgorithm::Sha384 | HashAlgorithm::Sha512));
    hash && signature.version() == SignatureVersion::V4
}

/// Seconds since 1970-01-01 UTC; a signature without a time counts as made at the beginning.
fn made_at(signature: &Signature) -> i64 {
    signature.created().map_or(0, |created| i64::from(created.as_secs()))
}

/// Whether the signature claims to be the key's own; others certify a key, they do not bind it.
fn made_by(signature: &Signature, key: &impl KeyDetails) -> bool {
    let fingerprints = signature.issuer_fingerprint();
    if fingerprints.is_empty() {
        return signature.issuer_key_id().into_iter().any(|id| *id == key.legacy_key_id());
    }
    fingerprints.into_iter().any(|fingerprint| *fingerprint == key.fingerprint())
}
