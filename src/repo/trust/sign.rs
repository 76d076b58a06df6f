//! Signatures in the forms that repositories need: a cleartext-signed text (InRelease), a detached armored one
//! (Release.gpg, repomd.xml.asc) and a detached binary one (the header of an RPM).
//!
//! While a key is being replaced the old and the new one sign together, so that a client with either goes on working.
//! Who reads how many signatures was tried: gpgv and sqv take any number of packets in one armor block, but sqv looks at
//! the first block alone; dnf 4 takes all there is; zypper looks at the first signature; librepo on rpm's own OpenPGP code
//! (Fedora, Enterprise Linux 10) refuses a block with two packets and looks at the first block alone. Hence one block for
//! apt, one block per signature for yum, and the older key first: it is the one that all clients of before have.

use pgp::composed::{ArmorOptions, CleartextSignedMessage, Deserializable, DetachedSignature, SignedPublicKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{self, Signature, SignatureConfig, SignatureType, SignatureVersion, Subpacket, SubpacketData};
use pgp::ser::Serialize;
use pgp::types::{Password, SigningKey, Timestamp, VerifyingKey};

use super::certificate::strong;
use super::external::{External, Form};
use super::keys::{Certificates, PublicKey};
use crate::repo::error::RepoError;
use crate::repo::layout::Configuration;

/// What signs a repository: one key, or two of which the second replaces the first.
#[derive(Clone)]
pub struct Signer {
    /// Never empty; the repository's present key first.
    parties: Vec<Party>,
}

/// One key that signs.
#[derive(Clone)]
struct Party {
    certificate: PublicKey,
    /// Fingerprints of the parts of the certificate whose signatures clients accept.
    fit: Vec<String>,
    hand: Hand,
}

#[derive(Clone)]
enum Hand {
    Own(Box<Component>),
    Outside(External),
}

/// The part of a key that signs, unlocked.
#[derive(Clone)]
pub(super) enum Component {
    /// The primary key itself.
    Primary(packet::SecretKey),
    /// A signing subkey.
    Subkey(packet::SecretSubkey),
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Signer({})", self.fingerprints().join(", "))
    }
}

impl Signer {
    pub(super) fn own(certificate: PublicKey, fit: Vec<String>, component: Component) -> Self {
        Self { parties: vec![Party { certificate, fit, hand: Hand::Own(Box::new(component)) }] }
    }

    pub(super) fn outside(certificate: PublicKey, fit: Vec<String>, external: External) -> Self {
        Self { parties: vec![Party { certificate, fit, hand: Hand::Outside(external) }] }
    }

    /// Both: `self` is the repository's key, `next` the one that replaces it.
    #[must_use]
    pub fn with(mut self, next: Self) -> Self {
        for party in next.parties {
            if self.parties.iter().all(|held| held.certificate.fingerprint() != party.certificate.fingerprint()) {
                self.parties.push(party);
            }
        }
        self
    }

    /// The one with this fingerprint alone, if it is here.
    pub fn only(&self, fingerprint: &str) -> Option<Self> {
        let party = self.parties.iter().find(|party| party.certificate.fingerprint() == fingerprint)?;
        Some(Self { parties: vec![party.clone()] })
    }

    /// The certificates that the signatures are checked with.
    pub fn certificate(&self) -> Certificates {
        Certificates::new(self.parties.iter().map(|party| party.certificate.clone()).collect())
    }

    /// The fingerprint of the primary key of the first certificate.
    pub fn fingerprint(&self) -> String {
        self.fingerprints().into_iter().next().unwrap_or_default()
    }

    /// The fingerprints of all certificates.
    pub fn fingerprints(&self) -> Vec<String> {
        self.parties.iter().map(|party| party.certificate.fingerprint()).collect()
    }

    /// This signer for a repository with this configuration: its key, and the next one while it is being replaced; an
    /// error when one is missing or foreign.
    pub fn of(mut self, configuration: &Configuration) -> Result<Self, RepoError> {
        let expected: Vec<&String> = Some(&configuration.fingerprint).into_iter().chain(&configuration.next).collect();
        let found = self.fingerprints();
        if found.len() != expected.len() || !expected.iter().all(|fingerprint| found.contains(fingerprint)) {
            let list = |fingerprints: &[&String]| {
                fingerprints.iter().map(|fingerprint| fingerprint.as_str()).collect::<Vec<_>>().join(" and ")
            };
            let found: Vec<&String> = found.iter().collect();
            return Err(RepoError::OtherKey { expected: list(&expected), found: list(&found) });
        }
        self.parties.sort_by_key(|party| party.certificate.fingerprint() != configuration.fingerprint);
        Ok(self)
    }

    /// `text` with a signature of each key in the cleartext framework (RFC 9580, section 7), made at `time` (seconds
    /// since 1970-01-01 UTC).
    ///
    /// Verifiers strip blanks at the ends of lines before they hash, signers do not: a text that has some would get a
    /// signature that nobody accepts, so it is an error here.
    pub fn cleartext(&self, text: &str, time: i64) -> Result<String, RepoError> {
        if text.split('\n').any(|line| line.ends_with([' ', '\t', '\r'])) {
            return Err(RepoError::OpenPgp("a line of the text to sign ends with a blank".to_owned()));
        }
        let mut signatures = Vec::new();
        let lines = text.replace('\n', "\r\n");
        for party in &self.parties {
            signatures.push(party.sign(Form::Text, HashAlgorithm::Sha512, lines.as_bytes(), time)?);
        }
        let message = CleartextSignedMessage::new_many(text, |_| Ok(signatures))?;
        Ok(message.to_armored_string(ArmorOptions::default())?)
    }

    /// Detached signatures of `data` by each key in one armor block: what apt takes.
    pub fn detached(&self, data: &[u8], time: i64) -> Result<String, RepoError> {
        let mut armored = Vec::new();
        let all = Packets(self.signatures(data, time)?);
        pgp::armor::write(&all, pgp::armor::BlockType::Signature, &mut armored, None, true)?;
        String::from_utf8(armored).map_err(|error| RepoError::OpenPgp(error.to_string()))
    }

    /// Detached signatures of `data`, each in an armor block of its own: what dnf and zypper take.
    pub fn detached_blocks(&self, data: &[u8], time: i64) -> Result<String, RepoError> {
        let mut text = String::new();
        for signature in self.signatures(data, time)? {
            text += &DetachedSignature::new(signature).to_armored_string(ArmorOptions::default())?;
        }
        Ok(text)
    }

    fn signatures(&self, data: &[u8], time: i64) -> Result<Vec<Signature>, RepoError> {
        self.parties.iter().map(|party| party.sign(Form::Binary, HashAlgorithm::Sha512, data, time)).collect()
    }

    /// A detached signature of `data` as one binary packet: what an RPM's header carries. There is room for one only, and
    /// until the old key has gone it is the old one's, which every client has.
    pub fn detached_binary(&self, data: &[u8], time: i64) -> Result<Vec<u8>, RepoError> {
        let party =
            self.parties.first().ok_or_else(|| RepoError::OpenPgp("there is no key to sign with".to_owned()))?;
        Ok(DetachedSignature::new(party.sign(Form::Binary, HashAlgorithm::Sha256, data, time)?).to_bytes()?)
    }

    /// Whether `signature` (a binary packet) is a valid one of `data` by one of the keys.
    pub fn has_signed(&self, signature: &[u8], data: &[u8]) -> bool {
        let Ok(signature) = DetachedSignature::from_bytes(signature) else { return false };
        self.parties.iter().any(|party| party.has_made(&signature.signature, data))
    }
}

impl Party {
    fn sign(&self, form: Form, hash: HashAlgorithm, data: &[u8], time: i64) -> Result<Signature, RepoError> {
        match &self.hand {
            Hand::Own(component) => match component.as_ref() {
                Component::Primary(key) => sign(key, form, hash, data, time),
                Component::Subkey(key) => sign(key, form, hash, data, time),
            },
            Hand::Outside(external) => {
                let given = external.sign(form, data)?;
                self.check(&given, form, data)
                    .map_err(|reason| RepoError::Signer { program: external.to_string(), reason })
            }
        }
    }

    /// The one signature in what a foreign signer gave, if it is what was asked for.
    fn check(&self, given: &[u8], form: Form, data: &[u8]) -> Result<Signature, String> {
        let unreadable = "what it gave is no OpenPGP signature";
        let parsed = if given.starts_with(b"-----BEGIN PGP SIGNATURE-----") {
            DetachedSignature::from_armor_many(given).map(|(signatures, _)| signatures.collect())
        } else {
            DetachedSignature::from_bytes_many(given).map(|signatures| signatures.collect())
        };
        let signatures: Vec<Result<DetachedSignature, _>> =
            parsed.map_err(|error| format!("{unreadable} ({error})"))?;
        let mut signatures = signatures.into_iter();
        let signature = match (signatures.next(), signatures.next()) {
            (Some(Ok(signature)), None) => signature.signature,
            (Some(Err(error)), _) => return Err(format!("{unreadable} ({error})")),
            (None, _) => return Err(unreadable.to_owned()),
            (_, Some(_)) => return Err("it gave more than one signature".to_owned()),
        };
        let wanted = match form {
            Form::Binary => SignatureType::Binary,
            Form::Text => SignatureType::Text,
        };
        if signature.version() != SignatureVersion::V4 || !strong(&signature) {
            return Err("its signature is not of version 4 over SHA-256, SHA-384 or SHA-512".to_owned());
        }
        if signature.typ() != Some(wanted) {
            let kind = signature.typ().map_or_else(|| "unknown".to_owned(), |kind| format!("{kind:?}"));
            return Err(format!("its signature is of the type {kind}, asked for was {wanted:?}"));
        }
        if signature.signature_expiration_time().is_some_and(|span| span.as_secs() > 0) {
            return Err("its signature expires".to_owned());
        }
        // gpg makes binary ones that name the time of their making in whole seconds: a second of grace.
        let now = jiff::Timestamp::now().as_second() + 1;
        if signature.created().is_none_or(|created| i64::from(created.as_secs()) > now) {
            return Err("its signature is from the future: compare the clocks".to_owned());
        }
        if !self.has_made(&signature, data) {
            let fingerprint = self.certificate.fingerprint();
            return Err(format!("its signature is not a valid one by {fingerprint}"));
        }
        Ok(signature)
    }

    /// Whether a part of the certificate that may sign has made this.
    fn has_made(&self, signature: &Signature, data: &[u8]) -> bool {
        let SignedPublicKey { primary_key, public_subkeys, .. } = &self.certificate.0;
        self.accepts(primary_key, signature, data)
            || public_subkeys.iter().any(|subkey| self.accepts(&subkey.key, signature, data))
    }

    fn accepts(&self, key: &impl VerifyingKey, signature: &Signature, data: &[u8]) -> bool {
        self.fit.contains(&format!("{:X}", key.fingerprint())) && signature.verify(key, data).is_ok()
    }
}

/// Signature packets, one after the other.
struct Packets(Vec<Signature>);

impl Serialize for Packets {
    fn to_writer<W: std::io::Write>(&self, writer: &mut W) -> pgp::errors::Result<()> {
        use pgp::packet::PacketTrait as _;
        self.0.iter().try_for_each(|signature| signature.to_writer_with_header(writer))
    }

    fn write_len(&self) -> usize {
        use pgp::packet::PacketTrait as _;
        self.0.iter().map(|signature| signature.write_len_with_header()).sum()
    }
}

fn sign(
    key: &impl SigningKey,
    form: Form,
    hash: HashAlgorithm,
    data: &[u8],
    time: i64,
) -> Result<Signature, RepoError> {
    let seconds = u32::try_from(time)
        .map_err(|_| RepoError::OpenPgp(format!("the time {time} is outside what OpenPGP can hold (1970 to 2106)")))?;
    let kind = match form {
        Form::Binary => SignatureType::Binary,
        Form::Text => SignatureType::Text,
    };
    let mut config = SignatureConfig::v4(kind, key.algorithm(), hash);
    config.hashed_subpackets = vec![
        Subpacket::regular(SubpacketData::SignatureCreationTime(Timestamp::from_secs(seconds)))?,
        Subpacket::regular(SubpacketData::IssuerFingerprint(key.fingerprint()))?,
    ];
    config.unhashed_subpackets = vec![Subpacket::regular(SubpacketData::IssuerKeyId(key.legacy_key_id()))?];
    Ok(config.sign(key, &Password::empty(), data)?)
}
