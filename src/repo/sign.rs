//! Signatures in the three forms that repositories need: a cleartext-signed text (InRelease), a detached armored one
//! (Release.gpg, repomd.xml.asc) and a detached binary one (the header of an RPM).

use pgp::composed::{ArmorOptions, CleartextSignedMessage, Deserializable, DetachedSignature};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureConfig, SignatureType, Subpacket, SubpacketData};
use pgp::ser::Serialize as _;
use pgp::types::{Password, SigningKey, Timestamp};

use super::error::RepoError;
use super::key_policy::Component;
use super::keys::PublicKey;

/// An unlocked key that signs.
#[derive(Clone)]
pub struct Signer {
    certificate: PublicKey,
    component: Component,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Signer({})", self.fingerprint())
    }
}

impl Signer {
    pub(super) fn new(certificate: PublicKey, component: Component) -> Self {
        Self { certificate, component }
    }

    /// The certificate that the signatures are checked with.
    pub fn certificate(&self) -> &PublicKey {
        &self.certificate
    }

    /// The fingerprint of the certificate's primary key.
    pub fn fingerprint(&self) -> String {
        self.certificate.fingerprint()
    }

    /// `text` with a signature in the cleartext framework (RFC 9580, section 7), made at `time` (seconds since
    /// 1970-01-01 UTC).
    ///
    /// Verifiers strip blanks at the ends of lines before they hash, signers do not: a text that has some would get a
    /// signature that nobody accepts, so it is an error here.
    pub fn cleartext(&self, text: &str, time: i64) -> Result<String, RepoError> {
        if text.split('\n').any(|line| line.ends_with([' ', '\t', '\r'])) {
            return Err(RepoError::OpenPgp("a line of the text to sign ends with a blank".to_owned()));
        }
        let message = match &self.component {
            Component::Primary(key) => cleartext(key, text, time),
            Component::Subkey(key) => cleartext(key, text, time),
        }?;
        Ok(message.to_armored_string(ArmorOptions::default())?)
    }

    /// A detached signature of `data`, armored.
    pub fn detached(&self, data: &[u8], time: i64) -> Result<String, RepoError> {
        let signature = self.sign(HashAlgorithm::Sha512, data, time)?;
        Ok(DetachedSignature::new(signature).to_armored_string(ArmorOptions::default())?)
    }

    /// A detached signature of `data` as one binary packet, with SHA-256: what an RPM's header carries.
    pub fn detached_binary(&self, data: &[u8], time: i64) -> Result<Vec<u8>, RepoError> {
        Ok(DetachedSignature::new(self.sign(HashAlgorithm::Sha256, data, time)?).to_bytes()?)
    }

    /// Whether `signature` (a binary packet) is a valid one of `data` by this very key.
    pub fn has_signed(&self, signature: &[u8], data: &[u8]) -> bool {
        let Ok(signature) = DetachedSignature::from_bytes(signature) else { return false };
        match &self.component {
            Component::Primary(key) => signature.verify(key.public_key(), data).is_ok(),
            Component::Subkey(key) => signature.verify(key.public_key(), data).is_ok(),
        }
    }

    fn sign(&self, hash: HashAlgorithm, data: &[u8], time: i64) -> Result<Signature, RepoError> {
        match &self.component {
            Component::Primary(key) => sign(key, SignatureType::Binary, hash, data, time),
            Component::Subkey(key) => sign(key, SignatureType::Binary, hash, data, time),
        }
    }
}

fn configuration(
    key: &impl SigningKey,
    kind: SignatureType,
    hash: HashAlgorithm,
    time: i64,
) -> Result<SignatureConfig, RepoError> {
    let seconds = u32::try_from(time)
        .map_err(|_| RepoError::OpenPgp(format!("the time {time} is outside what OpenPGP can hold (1970 to 2106)")))?;
    let mut config = SignatureConfig::v4(kind, key.algorithm(), hash);
    config.hashed_subpackets = vec![
        Subpacket::regular(SubpacketData::SignatureCreationTime(Timestamp::from_secs(seconds)))?,
        Subpacket::regular(SubpacketData::IssuerFingerprint(key.fingerprint()))?,
    ];
    config.unhashed_subpackets = vec![Subpacket::regular(SubpacketData::IssuerKeyId(key.legacy_key_id()))?];
    Ok(config)
}

fn sign(
    key: &impl SigningKey,
    kind: SignatureType,
    hash: HashAlgorithm,
    data: &[u8],
    time: i64,
) -> Result<Signature, RepoError> {
    Ok(configuration(key, kind, hash, time)?.sign(key, &Password::empty(), data)?)
}

fn cleartext(key: &impl SigningKey, text: &str, time: i64) -> Result<CleartextSignedMessage, RepoError> {
    let config = configuration(key, SignatureType::Text, HashAlgorithm::Sha512, time)?;
    Ok(CleartextSignedMessage::new(text, config, key, &Password::empty())?)
}
