//! Signing keys: made, read, written. Ordinary OpenPGP files, so that gpg, apt, rpm and packhouse read the same ones.
//!
//! What is made is what every client reads: version 4, RSA (or the older encoding of Ed25519), a SHA-512
//! self-signature. Version 6 keys and the newer Ed25519 (algorithm 27) are unreadable for gpgv 2.2, rpm and zypper, so
//! they are never made. Source: RFC 9580 (OpenPGP); what clients accept was tried with each of them.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use pgp::composed::{
    ArmorOptions, Deserializable, DetachedSignature, KeyType, PublicOrSecret, SignedKeyDetails, SignedPublicKey,
    SignedSecretKey,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{self, KeyFlags, PubKeyInner, SignatureConfig, SignatureType, Subpacket, SubpacketData, UserId};
use pgp::ser::Serialize as _;
use pgp::types::{Duration, KeyDetails as _, KeyVersion, Password, S2kParams, SecretParams, Tag, Timestamp};
use rand_for_pgp::rngs::OsRng;

use super::passphrase::check_private;
use super::policy::{self, Refusal};
use super::sign::{Component, Signer};
use crate::repo::error::RepoError;

/// The kind of a new key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// RSA with 4096 bits: read by every client, EL 8's rpm included.
    #[default]
    Rsa4096,
    /// RSA with 3072 bits.
    Rsa3072,
    /// Ed25519 in its older encoding (EdDSALegacy): small and quick; EL 9 and Debian 11 on.
    Ed25519,
}

/// What a new key is to be. Not printable: it holds a passphrase.
#[derive(Clone)]
pub struct NewKey<'a> {
    /// `Name <mail>`.
    pub user_id: &'a str,
    /// Its kind.
    pub algorithm: Algorithm,
    /// Seconds since 1970-01-01 UTC: when it was made.
    pub time: i64,
    /// Seconds after which it expires; `None`: never. An expired key makes every client refuse the repository.
    pub expires_after: Option<u32>,
    /// Locks the secret key's file.
    pub passphrase: Option<&'a str>,
}

/// A secret key with its certificate.
#[derive(Clone)]
pub struct SecretKey {
    key: SignedSecretKey,
    path: PathBuf,
}

/// A certificate: what clients need to check signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(pub(super) SignedPublicKey);

/// The certificates of a repository: one, or two while a key is being replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificates(Vec<PublicKey>);

/// The largest key file that is read: far above any real one.
const MAXIMAL_FILE: u64 = 4 << 20;

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "SecretKey({})", self.fingerprint())
    }
}

/// Makes a key: one primary key that signs and certifies.
pub fn generate(new: &NewKey<'_>) -> Result<SecretKey, RepoError> {
    let user_id = check_user_id(new.user_id)?;
    let created = Timestamp::from_secs(u32::try_from(new.time).map_err(|_| {
        RepoError::OpenPgp(format!("the time {} is outside what OpenPGP can hold (1970 to 2106)", new.time))
    })?);
    let kind = match new.algorithm {
        Algorithm::Rsa4096 => KeyType::Rsa(4096),
        Algorithm::Rsa3072 => KeyType::Rsa(3072),
        Algorithm::Ed25519 => KeyType::Ed25519Legacy,
    };
    let (public, secret) = kind.generate(OsRng)?;
    let public =
        packet::PublicKey::from_inner(PubKeyInner::new(KeyVersion::V4, kind.to_alg(), created, None, public)?)?;
    let mut primary = packet::SecretKey::new(public, secret)?;

    let mut config = SignatureConfig::v4(SignatureType::CertPositive, primary.algorithm(), HashAlgorithm::Sha512);
    let mut flags = KeyFlags::default();
    flags.set_certify(true);
    flags.set_sign(true);
    let mut hashed = vec![
        SubpacketData::SignatureCreationTime(created),
        SubpacketData::IssuerFingerprint(primary.fingerprint()),
        SubpacketData::KeyFlags(flags),
        SubpacketData::PreferredHashAlgorithms([HashAlgorithm::Sha512, HashAlgorithm::Sha256].into_iter().collect()),
        SubpacketData::IsPrimary(true),
    ];
    if let Some(seconds) = new.expires_after {
        hashed.push(SubpacketData::KeyExpirationTime(Duration::from_secs(seconds)));
    }
    config.hashed_subpackets = hashed.into_iter().map(Subpacket::regular).collect::<Result<_, _>>()?;
    config.unhashed_subpackets = vec![Subpacket::regular(SubpacketData::IssuerKeyId(primary.legacy_key_id()))?];
    let signature =
        config.sign_certification(&primary, primary.public_key(), &Password::empty(), Tag::UserId, &user_id)?;

    if let Some(passphrase) = new.passphrase {
        primary.set_password_with_s2k(&passphrase.into(), S2kParams::new_default(OsRng, KeyVersion::V4))?;
    }
    let details = SignedKeyDetails::new(vec![], vec![], vec![user_id.into_signed(signature)], vec![]);
    let key = SignedSecretKey::new(primary, details, vec![], vec![]);
    Ok(SecretKey { key, path: PathBuf::from("new key") })
}

fn check_user_id(text: &str) -> Result<UserId, RepoError> {
    let invalid = |rule| RepoError::InvalidWord { text: text.to_owned(), what: "a key's user ID", rule };
    if text.trim().is_empty() || text.len() > 500 {
        return Err(invalid("it must have 1 to 500 bytes, `Name <mail>` is usual"));
    }
    if text.chars().any(char::is_control) {
        return Err(invalid("it must not hold control characters"));
    }
    Ok(UserId::from_str(pgp::types::PacketHeaderVersion::New, text)?)
}

impl SecretKey {
    /// Reads a secret key, armored or binary. It may be locked; [`SecretKey::signer`] unlocks it.
    ///
    /// A file of our own that others can read is refused, locked or not, as ssh does.
    pub fn read(path: &Path) -> Result<Self, RepoError> {
        let unusable = |reason: String, hint: &str| RepoError::UnusableKey {
            path: path.to_path_buf(),
            reason,
            hint: hint.to_owned(),
        };
        let export = "export the secret key with `gpg --armor --export-secret-keys FINGERPRINT`";
        let failed = || RepoError::io("the key could not be read");
        let file = fs_err::File::open(path).map_err(failed())?;
        let stated = file.try_clone().map_err(failed())?;
        let bytes = read_bounded(path, file)?;
        let parsed = if looks_armored(&bytes) {
            SignedSecretKey::from_armor_many(&bytes[..]).map(|(keys, _)| keys.collect::<Vec<_>>())
        } else {
            SignedSecretKey::from_bytes_many(&bytes[..]).map(|keys| keys.collect::<Vec<_>>())
        };
        let mut keys = parsed.map_err(|error| unusable(format!("this is no secret OpenPGP key ({error})"), export))?;
        match (keys.pop(), keys.is_empty()) {
            (Some(Ok(key)), true) => {
                check_private(path, stated.file(), "the secret key")?;
                Ok(Self { key, path: path.to_path_buf() })
            }
            (Some(Err(error)), _) => Err(unusable(format!("this is no secret OpenPGP key ({error})"), export)),
            (None, _) => Err(unusable("there is no secret key in this file".to_owned(), export)),
            (Some(Ok(_)), false) => Err(unusable("there are several keys in this file".to_owned(), export)),
        }
    }

    /// Writes the secret key, armored, readable by its owner alone from the first moment.
    ///
    /// A file that exists is kept, and that is an error, unless `force`.
    pub fn write(&self, path: &Path, force: bool) -> Result<(), RepoError> {
        let text = self.key.to_armored_string(ArmorOptions::default())?;
        let failed = || RepoError::io("the secret key could not be written");
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs_err::create_dir_all(parent).map_err(failed())?;
        }
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new()
            .prefix(".packhouse-key")
            .permissions(std::fs::Permissions::from_mode(0o600))
            .tempfile_in(parent)
            .map_err(failed())?;
        file.write_all(text.as_bytes()).map_err(failed())?;
        file.as_file().sync_all().map_err(failed())?;
        let placed = if force { file.persist(path) } else { file.persist_noclobber(path) };
        placed.map(drop).map_err(|error| match error.error.kind() {
            std::io::ErrorKind::AlreadyExists => RepoError::KeyExists { path: path.to_path_buf() },
            _ => failed()(error.error),
        })
    }

    /// The certificate.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.key.to_public_key())
    }

    /// The primary key's fingerprint, upper-case hexadecimal without spaces.
    pub fn fingerprint(&self) -> String {
        format!("{:X}", self.key.primary_key.fingerprint())
    }

    /// Whether a passphrase is needed.
    pub fn is_locked(&self) -> bool {
        let locked = |parameters: &SecretParams| matches!(parameters, SecretParams::Encrypted(_));
        locked(self.key.primary_key.secret_params())
            || self.key.secret_subkeys.iter().any(|subkey| locked(subkey.key.secret_params()))
    }

    /// The part of this key that signs, unlocked: the newest signing subkey that every client accepts at `time`
    /// (seconds since 1970-01-01 UTC), else the primary key.
    ///
    /// A key that is revoked, expired, too weak, bound by SHA-1 or of a kind that some client cannot read is refused.
    pub fn signer(&self, passphrase: Option<&str>, time: i64) -> Result<Signer, RepoError> {
        let password = passphrase.map_or_else(Password::empty, Password::from);
        let refused = |refusal: Refusal| refusal.at(&self.path, passphrase.is_some());
        let fit = policy::choose(&self.key.to_public_key(), time).map_err(refused)?;
        let mut locked = String::new();
        for fingerprint in &fit {
            match self.unlock(fingerprint, &password) {
                Some(Ok(component)) => return Ok(Signer::own(self.public(), fit, component)),
                Some(Err(error)) => locked = error.to_string(),
                None => {}
            }
        }
        Err(refused(Refusal::Locked(locked)))
    }

    /// The part with this fingerprint, unlocked; `None` when its secret is not in the file.
    fn unlock(&self, fingerprint: &str, password: &Password) -> Option<pgp::errors::Result<Component>> {
        let named = |key: &dyn pgp::types::KeyDetails| format!("{:X}", key.fingerprint()) == fingerprint;
        if named(&self.key.primary_key) {
            let mut key = self.key.primary_key.clone();
            return Some(key.remove_password(password).map(|()| Component::Primary(key)));
        }
        let subkey = self.key.secret_subkeys.iter().find(|subkey| named(&subkey.key))?;
        let mut key = subkey.key.clone();
        Some(key.remove_password(password).map(|()| Component::Subkey(key)))
    }
}

impl PublicKey {
    /// Reads a certificate, armored or binary.
    pub fn read(path: &Path) -> Result<Self, RepoError> {
        let file = fs_err::File::open(path).map_err(RepoError::io("the key could not be read"))?;
        Self::parse(&read_bounded(path, file)?, path)
    }

    /// Reads a certificate, armored or binary, that came from `path`.
    pub(super) fn parse(bytes: &[u8], path: &Path) -> Result<Self, RepoError> {
        let parsed = if looks_armored(bytes) {
            SignedPublicKey::from_armor_single(bytes).map(|(key, _)| key)
        } else {
            SignedPublicKey::from_bytes(bytes)
        };
        parsed.map(Self).map_err(|error| RepoError::UnusableKey {
            path: path.to_path_buf(),
            reason: format!("this is no OpenPGP certificate ({error})"),
            hint: "export it with `packhouse key export`".to_owned(),
        })
    }

    /// The form that people and rpm take.
    pub fn armored(&self) -> Result<String, RepoError> {
        Ok(self.0.to_armored_string(ArmorOptions::default())?)
    }

    /// The form that apt's `Signed-By` and gpgv take.
    pub fn binary(&self) -> Result<Vec<u8>, RepoError> {
        Ok(self.0.to_bytes()?)
    }

    /// The primary key's fingerprint, upper-case hexadecimal without spaces.
    pub fn fingerprint(&self) -> String {
        format!("{:X}", self.0.fingerprint())
    }

    /// The user IDs, as far as they are UTF-8.
    pub fn user_ids(&self) -> Vec<String> {
        self.0.details.users.iter().filter_map(|user| user.id.as_str().map(str::to_owned)).collect()
    }
}

impl Certificates {
    /// These.
    pub fn new(certificates: Vec<PublicKey>) -> Self {
        Self(certificates)
    }

    /// Reads every certificate of a file: of one armor block or several, public or secret (of which the public part is
    /// taken).
    pub fn read(path: &Path) -> Result<Self, RepoError> {
        let file = fs_err::File::open(path).map_err(RepoError::io("the key could not be read"))?;
        Self::parse(&read_bounded(path, file)?, path)
    }

    fn parse(bytes: &[u8], path: &Path) -> Result<Self, RepoError> {
        let unreadable = |reason: String| RepoError::UnusableKey {
            path: path.to_path_buf(),
            reason,
            hint: "export it with `packhouse key export` or `gpg --armor --export FINGERPRINT`".to_owned(),
        };
        let failed = |error: pgp::errors::Error| unreadable(format!("this is no OpenPGP key ({error})"));
        let mut certificates = Vec::new();
        for block in blocks(bytes) {
            let keys: Box<dyn Iterator<Item = pgp::errors::Result<PublicOrSecret>>> = if looks_armored(block) {
                PublicOrSecret::from_armor_many(block).map_err(failed)?.0
            } else {
                PublicOrSecret::from_bytes_many(block).map_err(failed)?
            };
            for key in keys {
                certificates.push(match key.map_err(failed)? {
                    PublicOrSecret::Public(key) => PublicKey(key),
                    PublicOrSecret::Secret(key) => PublicKey(key.to_public_key()),
                });
            }
        }
        if certificates.is_empty() {
            return Err(unreadable("there is no OpenPGP key in this file".to_owned()));
        }
        Ok(Self(certificates))
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &PublicKey> {
        self.0.iter()
    }

    /// Whether `signature` (a binary packet) is a valid one of `data` by any key of any of them, fit to sign or not.
    pub(super) fn have_signed(&self, signature: &[u8], data: &[u8]) -> bool {
        let Ok(DetachedSignature { signature }) = DetachedSignature::from_bytes(signature) else { return false };
        self.0.iter().any(|PublicKey(certificate)| {
            signature.verify(&certificate.primary_key, data).is_ok()
                || certificate.public_subkeys.iter().any(|subkey| signature.verify(&subkey.key, data).is_ok())
        })
    }

    /// The form that people and rpm take: one armor block for each. (rpm reads a block with two as well; librepo on
    /// rpm's OpenPGP code files them wrongly.)
    pub fn armored(&self) -> Result<String, RepoError> {
        self.0.iter().map(PublicKey::armored).collect()
    }

    /// The form that apt's `Signed-By` and gpgv take.
    pub fn binary(&self) -> Result<Vec<u8>, RepoError> {
        let parts: Vec<Vec<u8>> = self.0.iter().map(PublicKey::binary).collect::<Result<_, _>>()?;
        Ok(parts.concat())
    }
}

/// The armor blocks of a file, each from its first line; the whole of a binary one.
fn blocks(bytes: &[u8]) -> Vec<&[u8]> {
    const BEGIN: &[u8] = b"-----BEGIN PGP ";
    if !looks_armored(bytes) {
        return vec![bytes];
    }
    let starts: Vec<usize> =
        bytes.windows(BEGIN.len()).enumerate().filter(|(_, window)| *window == BEGIN).map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain(Some(bytes.len()));
    starts.iter().zip(ends).filter_map(|(start, end)| bytes.get(*start..end)).collect()
}

/// A fingerprint in the groups of four that people compare.
pub fn spaced(fingerprint: &str) -> String {
    let groups: Vec<String> =
        fingerprint.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group).into_owned()).collect();
    groups.join(" ")
}

fn read_bounded(path: &Path, file: fs_err::File) -> Result<Vec<u8>, RepoError> {
    let mut bytes = Vec::new();
    let read = file.take(MAXIMAL_FILE + 1).read_to_end(&mut bytes);
    read.map_err(RepoError::io("the key could not be read"))?;
    if bytes.len() as u64 > MAXIMAL_FILE {
        return Err(RepoError::UnusableKey {
            path: path.to_path_buf(),
            reason: "this is too large for a key".to_owned(),
            hint: "export one key only".to_owned(),
        });
    }
    Ok(bytes)
}

/// Binary OpenPGP starts with a packet header, whose highest bit is set; armor starts with text.
fn looks_armored(bytes: &[u8]) -> bool {
    bytes.first().is_none_or(|byte| byte & 0x80 == 0)
}
