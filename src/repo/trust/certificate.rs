//! A certificate taken apart: which of its keys may sign, until when, and what some client will not like about each.
//!
//! Nothing is judged here; `policy` and `lint` do, each with the table of `clients`. Source: RFC 9580, sections 5.2 and
//! 10.1; a signature by anybody else than the key itself binds nothing.

use pgp::composed::{SignedPublicKey, SignedPublicSubKey};
use pgp::crypto::ecc_curve::ECCCurve;
use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::public_key::PublicKeyAlgorithm;
use pgp::packet::{KeyFlags, PublicKey, Signature, SignatureType, SignatureVersion};
use pgp::ser::Serialize as _;
use pgp::types::{KeyDetails, KeyVersion, PublicParams, Tag};

use super::clients::Trouble;

/// One key of a certificate: the primary key, or a subkey that is meant to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// Upper-case hexadecimal.
    pub(super) fingerprint: String,
    /// Whether it is the primary key.
    pub(super) primary: bool,
    /// `RSA 4096`.
    pub(super) kind: String,
    /// Seconds since 1970-01-01 UTC.
    pub(super) created: i64,
    /// When it expires, or the signature that binds it.
    pub(super) expires: Option<i64>,
    /// Whether it is meant to sign data.
    pub(super) signs: bool,
    /// What some client refuses.
    pub(super) troubles: Vec<Trouble>,
    /// What makes it useless for everybody.
    pub(super) flaw: Option<Flaw>,
}

/// What makes a key useless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    Revoked,
    UserIdRevoked,
    NoSelfSignature,
    NoBackSignature,
}

/// The primary key, then the subkeys that are meant to sign, the newest first; as things are at `time` (seconds since
/// 1970-01-01 UTC).
pub(super) fn parts(certificate: &SignedPublicKey, time: i64) -> Vec<Part> {
    let mut subkeys: Vec<Part> =
        certificate.public_subkeys.iter().filter_map(|subkey| subkey_part(certificate, subkey, time)).collect();
    subkeys.sort_by_key(|part| std::cmp::Reverse(part.created));
    let mut parts = vec![primary_part(certificate, time)];
    parts.append(&mut subkeys);
    parts
}

/// How a key is bound.
struct Binding<'a> {
    signature: Option<&'a Signature>,
    weak: bool,
    flaw: Option<Flaw>,
}

fn part(key: &impl KeyDetails, primary: bool, binding: &Binding<'_>) -> Part {
    let mut troubles = kind_troubles(key);
    if binding.weak {
        troubles.push(Trouble::WeakBinding);
    }
    let created = i64::from(key.created_at().as_secs());
    let flags = binding.signature.map(Signature::key_flags);
    let signs = flags.is_some_and(|flags| flags.sign() || (primary && flags == KeyFlags::default()));
    let expires = binding.signature.and_then(|signature| expiry(created, signature));
    Part {
        fingerprint: format!("{:X}", key.fingerprint()),
        primary,
        kind: kind(key),
        created,
        expires,
        signs,
        troubles,
        flaw: binding.flaw,
    }
}

fn primary_part(certificate: &SignedPublicKey, time: i64) -> Part {
    let key = &certificate.primary_key;
    let mut binding = primary_binding(certificate, time);
    if !certificate.details.revocation_signatures.is_empty() {
        binding.flaw = Some(Flaw::Revoked);
    }
    part(key, true, &binding)
}

/// The newest valid self-signature of the primary key: on a user ID, or on the key itself. A weak one counts when there is
/// no strong one.
fn primary_binding(certificate: &SignedPublicKey, time: i64) -> Binding<'_> {
    let key: &PublicKey = &certificate.primary_key;
    let certifications = certificate.details.users.iter().flat_map(|user| {
        user.signatures.iter().map(move |signature| {
            let own = signature.is_certification() || signature.typ() == Some(SignatureType::CertRevocation);
            (signature, own && signature.verify_certification(key, Tag::UserId, &user.id).is_ok())
        })
    });
    let direct =
        certificate.details.direct_signatures.iter().map(|signature| {
            (signature, signature.typ() == Some(SignatureType::Key) && signature.verify_key(key).is_ok())
        });
    let (mut newest, mut weak): (Option<&Signature>, Option<&Signature>) = (None, None);
    for (signature, verified) in certifications.chain(direct) {
        if !made_by(signature, key) || made_at(signature) > time {
            continue;
        }
        let held = if strong(signature) { &mut newest } else { &mut weak };
        if (verified || !strong(signature)) && held.is_none_or(|held| made_at(signature) >= made_at(held)) {
            *held = Some(signature);
        }
    }
    let flaw = match newest.or(weak) {
        Some(signature) if signature.typ() == Some(SignatureType::CertRevocation) => Some(Flaw::UserIdRevoked),
        Some(_) => None,
        None => Some(Flaw::NoSelfSignature),
    };
    Binding { signature: newest.or(weak), weak: newest.is_none() && weak.is_some(), flaw }
}

/// A subkey, when it is meant to sign and is not revoked.
fn subkey_part(certificate: &SignedPublicKey, subkey: &SignedPublicSubKey, time: i64) -> Option<Part> {
    let (primary, key) = (&certificate.primary_key, &subkey.key);
    let (mut newest, mut weak): (Option<&Signature>, Option<&Signature>) = (None, None);
    for signature in &subkey.signatures {
        let verified = made_at(signature) <= time && signature.verify_subkey_binding(primary, key).is_ok();
        match signature.typ() {
            Some(SignatureType::SubkeyRevocation) if verified || !strong(signature) => return None,
            Some(SignatureType::SubkeyBinding) => {
                let held = if strong(signature) { &mut newest } else { &mut weak };
                if (verified || !strong(signature)) && held.is_none_or(|held| made_at(signature) >= made_at(held)) {
                    *held = Some(signature);
                }
            }
            _ => {}
        }
    }
    let binding = newest.or(weak).filter(|binding| binding.key_flags().sign())?;
    let back = binding.embedded_signature();
    let crossed = back.is_some_and(|back| back.verify_primary_key_binding(key, primary).is_ok());
    let weak = newest.is_none() || back.is_some_and(|back| !strong(back));
    let flaw = (!crossed && !weak).then_some(Flaw::NoBackSignature);
    Some(part(key, false, &Binding { signature: Some(binding), weak, flaw }))
}

/// When a key made at `created` and bound by this expires.
fn expiry(created: i64, binding: &Signature) -> Option<i64> {
    let lifetime = binding.key_expiration_time().map(|span| i64::from(span.as_secs())).filter(|&span| span > 0);
    let signature = binding.signature_expiration_time().map(|span| i64::from(span.as_secs())).filter(|&span| span > 0);
    let ends = [lifetime.map(|span| created + span), signature.map(|span| made_at(binding) + span)];
    ends.into_iter().flatten().min()
}

/// What some client refuses about keys of this kind.
fn kind_troubles(key: &impl KeyDetails) -> Vec<Trouble> {
    let version = match key.version() {
        KeyVersion::V4 => None,
        KeyVersion::V6 => Some(Trouble::Version6),
        _ => Some(Trouble::Version3),
    };
    let algorithm = match (key.algorithm(), key.public_params()) {
        (PublicKeyAlgorithm::RSA | PublicKeyAlgorithm::RSASign, parameters) => match rsa_bits(parameters) {
            0..2048 => vec![Trouble::RsaBelow2048],
            2048..3072 => vec![Trouble::RsaBelow3072],
            _ => Vec::new(),
        },
        (PublicKeyAlgorithm::DSA, _) => vec![Trouble::Dsa],
        (PublicKeyAlgorithm::ECDSA, parameters) => {
            let mut troubles = vec![Trouble::Ecdsa];
            troubles.extend(match curve(parameters) {
                Some(ECCCurve::BrainpoolP256r1 | ECCCurve::BrainpoolP384r1 | ECCCurve::BrainpoolP512r1) => {
                    Some(Trouble::Brainpool)
                }
                Some(ECCCurve::Secp256k1) => Some(Trouble::Secp256k1),
                _ => None,
            });
            troubles
        }
        (PublicKeyAlgorithm::EdDSALegacy, _) => vec![Trouble::EddsaLegacy],
        (PublicKeyAlgorithm::Ed25519 | PublicKeyAlgorithm::Ed448, _) => vec![Trouble::EddsaNew],
        _ => vec![Trouble::Unknown],
    };
    version.into_iter().chain(algorithm).collect()
}

/// What kind of key it is, for people.
fn kind(key: &impl KeyDetails) -> String {
    let version = match key.version() {
        KeyVersion::V4 => "",
        _ => &format!(", {:?}", key.version()),
    };
    let parameters = key.public_params();
    let kind = match (key.algorithm(), parameters) {
        (PublicKeyAlgorithm::RSA | PublicKeyAlgorithm::RSASign, _) => format!("RSA {}", rsa_bits(parameters)),
        (PublicKeyAlgorithm::EdDSALegacy, _) => "Ed25519 (EdDSALegacy)".to_owned(),
        (PublicKeyAlgorithm::ECDSA, _) => {
            curve(parameters).map_or_else(|| "ECDSA".to_owned(), |curve| format!("ECDSA {curve}"))
        }
        (algorithm, _) => format!("{algorithm:?}"),
    };
    kind + version
}

fn curve(parameters: &PublicParams) -> Option<ECCCurve> {
    match parameters {
        PublicParams::ECDSA(parameters) => Some(parameters.curve()),
        _ => None,
    }
}

/// The bits of the modulus: the length that its encoding begins with.
fn rsa_bits(parameters: &PublicParams) -> u16 {
    let PublicParams::RSA(parameters) = parameters else { return 0 };
    let bytes = parameters.to_bytes().unwrap_or_default();
    bytes.first_chunk::<2>().map_or(0, |length| u16::from_be_bytes(*length))
}

/// Version 4 or 6, with a hash that every policy still takes.
pub(super) fn strong(signature: &Signature) -> bool {
    let hash =
        matches!(signature.hash_alg(), Some(HashAlgorithm::Sha256 | HashAlgorithm::Sha384 | HashAlgorithm::Sha512));
    hash && matches!(signature.version(), SignatureVersion::V4 | SignatureVersion::V6)
}

/// Seconds since 1970-01-01 UTC; a signature without a time counts as made at the beginning.
pub(super) fn made_at(signature: &Signature) -> i64 {
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
