//! The signatures that clients check, checked with the certificates that clients have.

use pgp::composed::{CleartextSignedMessage, Deserializable as _, DetachedSignature, SignedPublicKey};
use pgp::types::KeyDetails as _;

use super::{Cure, Damage};
use crate::repo::error::RepoError;
use crate::repo::layout::Repository;
use crate::repo::store::Store;

const END: &str = "-----END PGP SIGNATURE-----";

/// The certificates in `key.gpg`.
#[derive(Debug)]
pub(super) struct Keys(Vec<SignedPublicKey>);

impl Keys {
    /// Reads them; `key.asc` must have the repository's own too.
    pub(super) fn read(store: &Store, repository: &Repository, damages: &mut Vec<Damage>) -> Self {
        let expected = &repository.configuration().fingerprint;
        let is_own = |key: &SignedPublicKey| format!("{:X}", key.fingerprint()) == *expected;
        let mut all = Vec::new();
        for name in ["key.gpg", "key.asc"] {
            let keys = fs_err::read(store.path(name)).map_err(RepoError::io("the key")).and_then(|bytes| parse(&bytes));
            match keys {
                // A byte of a name or of a signature changes neither key nor fingerprint; clients refuse it all the same.
                Ok(keys) if keys.iter().any(|key| key.verify_bindings().is_err()) => {
                    damages.push(certificate(name, "a signature in it is not good".to_owned()));
                }
                Ok(keys) if keys.iter().any(is_own) => all.extend(keys),
                Ok(_) => damages.push(certificate(name, format!("it is not the certificate of {expected}"))),
                Err(error) => damages.push(certificate(name, error.to_string())),
            }
        }
        Self(all)
    }

    /// Whether one of them has signed this message; the text that was signed.
    pub(super) fn cleartext(&self, message: &str) -> Result<String, String> {
        let (message, _) = CleartextSignedMessage::from_string(message).map_err(|error| error.to_string())?;
        let good = self.0.iter().any(|key| {
            message.verify(key).is_ok() || key.public_subkeys.iter().any(|subkey| message.verify(&subkey.key).is_ok())
        });
        if good { Ok(message.signed_text()) } else { Err("no signature on it is good".to_owned()) }
    }

    /// Whether one of them has made one of these detached signatures, which may stand in several blocks.
    pub(super) fn detached(&self, armored: &str, data: &[u8]) -> Result<(), String> {
        let mut found = false;
        for block in armored.split_inclusive(END).filter(|block| block.contains(END)) {
            let block = format!("{}\n", block.trim_start());
            let (signatures, _) = DetachedSignature::from_string_many(&block).map_err(|error| error.to_string())?;
            for signature in signatures {
                let signature = signature.map_err(|error| error.to_string())?;
                found = true;
                let good = |key: &SignedPublicKey| {
                    signature.verify(key, data).is_ok()
                        || key.public_subkeys.iter().any(|subkey| signature.verify(&subkey.key, data).is_ok())
                };
                if self.0.iter().any(good) {
                    return Ok(());
                }
            }
        }
        Err(if found { "no signature in it is good" } else { "there is no signature in it" }.to_owned())
    }
}

fn certificate(name: &str, what: String) -> Damage {
    Damage::new(name, what, "clients cannot be given the key that they need", Cure::Certificate)
}

/// Certificates, binary or in any number of armored blocks.
fn parse(bytes: &[u8]) -> Result<Vec<SignedPublicKey>, RepoError> {
    if bytes.first().is_some_and(|byte| byte & 0x80 != 0) {
        return Ok(SignedPublicKey::from_bytes_many(bytes)?.collect::<Result<_, _>>()?);
    }
    let text = String::from_utf8_lossy(bytes);
    let end = "-----END PGP PUBLIC KEY BLOCK-----";
    let mut keys = Vec::new();
    for block in text.split_inclusive(end).filter(|block| block.contains(end)) {
        let block = format!("{}\n", block.trim_start());
        for key in SignedPublicKey::from_string_many(&block)?.0 {
            keys.push(key?);
        }
    }
    Ok(keys)
}
