//! Where a signing key is kept: in a file, with gpg's agent, or behind a command.

use std::path::{Path, PathBuf};

use super::external::{self, External};
use super::keys::{PublicKey, SecretKey};
use super::passphrase::Ask;
use super::policy;
use super::sign::Signer;
use crate::repo::error::RepoError;

/// A key that can sign, as it is named: `FILE`, `gpg:FINGERPRINT` or `command:PROGRAM ARGUMENTS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// An OpenPGP secret key in a file.
    File(PathBuf),
    /// A key that gpg's agent holds: the fingerprint of it or of a subkey.
    Gpg(String),
    /// A command that signs, and the certificate that its signatures are checked with.
    Command {
        /// The program.
        program: String,
        /// Its arguments.
        arguments: Vec<String>,
        /// The certificate's file.
        certificate: PathBuf,
    },
}

/// Whether gpg has the secret half of the key with this fingerprint.
pub(crate) fn held_by_gpg(fingerprint: &str) -> Result<(), RepoError> {
    external::held_by_gpg(fingerprint)
}

/// Whether this names a file, rather than gpg or a command.
pub fn is_file(text: &str) -> bool {
    !text.starts_with("gpg:") && !text.starts_with("command:")
}

impl KeySource {
    /// Reads the name of a key. `certificate` is what a command's signatures are checked with.
    pub fn parse(text: &str, certificate: Option<&Path>) -> Result<Self, RepoError> {
        let invalid = |rule| RepoError::InvalidWord { text: text.to_owned(), what: "a signing key", rule };
        if let Some(fingerprint) = text.strip_prefix("gpg:") {
            let fingerprint: String =
                fingerprint.chars().filter(|character| *character != ' ').collect::<String>().to_ascii_uppercase();
            if fingerprint.len() != 40 || !fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(invalid("after `gpg:` stands a fingerprint, 40 hexadecimal digits; see `gpg -K`"));
            }
            return Ok(Self::Gpg(fingerprint));
        }
        let Some(line) = text.strip_prefix("command:") else { return Ok(Self::File(PathBuf::from(text))) };
        let mut words = shlex::split(line).unwrap_or_default().into_iter();
        let program = words.next().ok_or_else(|| invalid("after `command:` stands a program with its arguments"))?;
        let certificate = certificate.ok_or_else(|| {
            invalid("a command's signatures are checked with a certificate: name its file with --certificate")
        })?;
        Ok(Self::Command { program, arguments: words.collect(), certificate: certificate.to_path_buf() })
    }

    /// The certificate; nothing is unlocked for it.
    pub fn certificate(&self) -> Result<PublicKey, RepoError> {
        match self {
            Self::File(path) => Ok(SecretKey::read(path)?.public()),
            Self::Gpg(fingerprint) => {
                let bytes = external::exported_by_gpg(fingerprint)?;
                PublicKey::parse(&bytes, &self.name()).map_err(|_| RepoError::UnusableKey {
                    path: self.name(),
                    reason: "gpg has no such key".to_owned(),
                    hint: "`gpg -K` lists the keys there are; GNUPGHOME says where gpg looks".to_owned(),
                })
            }
            Self::Command { certificate, .. } => PublicKey::read(certificate),
        }
    }

    /// What signs with this key at `time` (seconds since 1970-01-01 UTC). A locked file is opened with `passphrase`, else
    /// with what `ask` gives.
    pub fn signer(&self, passphrase: Option<&str>, ask: &Ask<'_>, time: i64) -> Result<Signer, RepoError> {
        if let Self::File(path) = self {
            let key = SecretKey::read(path)?;
            return match passphrase {
                None if key.is_locked() => key.signer(ask(path)?.as_deref(), time),
                passphrase => key.signer(passphrase, time),
            };
        }
        let certificate = self.certificate()?;
        let fit = policy::choose(&certificate.0, time).map_err(|refusal| refusal.at(&self.name(), false))?;
        let external = match self {
            Self::File(_) => return Err(RepoError::OpenPgp("a file signs by itself".to_owned())),
            Self::Gpg(named) => {
                // The primary key's fingerprint stands for the whole certificate, a subkey's for this subkey.
                let whole = *named == certificate.fingerprint();
                let chosen = fit.iter().find(|fingerprint| whole || *fingerprint == named);
                let fingerprint = chosen.cloned().ok_or_else(|| RepoError::UnusableKey {
                    path: self.name(),
                    reason: "this subkey is not one that clients accept signatures from".to_owned(),
                    hint: "`packhouse key lint` says why".to_owned(),
                })?;
                External::Gpg { fingerprint }
            }
            Self::Command { program, arguments, .. } => External::Command {
                program: program.clone(),
                arguments: arguments.clone(),
                fingerprint: certificate.fingerprint(),
            },
        };
        Ok(Signer::outside(certificate, fit, external))
    }

    /// How errors name it.
    fn name(&self) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Gpg(fingerprint) => PathBuf::from(format!("gpg:{fingerprint}")),
            Self::Command { program, .. } => PathBuf::from(format!("command:{program}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_file_a_fingerprint_or_a_command() {
        let parse = |text: &str| KeySource::parse(text, Some(Path::new("cert.asc")));
        assert_eq!(parse("keys/acme.asc").unwrap(), KeySource::File("keys/acme.asc".into()));
        let fingerprint = "cd86e4e8 eae062de8f238dd4cd0117b03dab3867";
        let gpg = parse(&format!("gpg:{fingerprint}")).unwrap();
        assert_eq!(gpg, KeySource::Gpg("CD86E4E8EAE062DE8F238DD4CD0117B03DAB3867".into()));
        let command = KeySource::Command {
            program: "kms-sign".into(),
            arguments: vec!["--key".into(), "a b".into()],
            certificate: "cert.asc".into(),
        };
        assert_eq!(parse("command:kms-sign --key 'a b'").unwrap(), command);
        for wrong in ["gpg:", "gpg:DAB3867", "command:", "command:'"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        let error = KeySource::parse("command:x", None).unwrap_err();
        assert!(error.to_string().contains("--certificate"), "{error}");
    }
}
