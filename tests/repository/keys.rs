//! Signing keys, against gpg.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use packhouse::diagnostic::Diagnose;
use packhouse::repo::keys::{self, Algorithm, NewKey, SecretKey};

use crate::support::{now, run};

pub(crate) struct Gpg {
    pub(crate) home: tempfile::TempDir,
}

impl Gpg {
    pub(crate) fn new() -> Self {
        let home = tempfile::Builder::new().prefix("gpg").tempdir().unwrap();
        std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        Self { home }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("gpg");
        command.arg("--homedir").arg(self.home.path()).args(["--batch", "--yes", "--pinentry-mode", "loopback"]);
        run(command.args(arguments))
    }

    /// Makes a key with these parameters and exports its secret part.
    pub(crate) fn key(&self, parameters: &[&str]) -> PathBuf {
        let mut arguments = vec!["--passphrase", "", "--quick-generate-key"];
        arguments.extend(parameters);
        self.run(&arguments);
        self.export(parameters[0])
    }

    pub(crate) fn export(&self, user: &str) -> PathBuf {
        let path = self.home.path().join("exported.asc");
        self.run(&["--passphrase", "", "--armor", "--output", path.to_str().unwrap(), "--export-secret-keys", user]);
        path
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        let _ = Command::new("gpgconf").arg("--homedir").arg(self.home.path()).args(["--kill", "all"]).output();
    }
}

fn refusal(path: &Path, time: i64) -> String {
    let error = SecretKey::read(path).and_then(|key| key.signer(None, time)).expect_err("refused");
    assert!(!error.hints().is_empty(), "{error}");
    error.to_string()
}

#[test]
fn gpg_reads_a_key_that_packhouse_made_and_its_secret_file_is_for_its_owner_alone() {
    let directory = tempfile::tempdir().unwrap();
    let new = NewKey {
        user_id: "Acme <a@acme.example>",
        algorithm: Algorithm::Ed25519,
        time: now() - 5,
        expires_after: Some(86_400),
        passphrase: None,
    };
    let key = keys::generate(&new).unwrap();
    let path = directory.path().join("keys/secret.asc");
    key.write(&path, false).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let error = key.write(&path, false).expect_err("kept");
    assert!(error.to_string().contains("exists"), "{error}");
    key.write(&path, true).unwrap();
    let gpg = Gpg::new();
    gpg.run(&["--import", path.to_str().unwrap()]);
    let listed = gpg.run(&["--with-colons", "--list-secret-keys"]);
    assert!(listed.contains(&key.fingerprint()), "{listed}");
    assert!(listed.contains("Acme <a@acme.example>"), "{listed}");
    assert_eq!(SecretKey::read(&path).unwrap().fingerprint(), key.fingerprint());
}

#[test]
fn a_locked_key_is_opened_by_its_passphrase_alone() {
    let directory = tempfile::tempdir().unwrap();
    let new = NewKey {
        user_id: "Acme <a@acme.example>",
        algorithm: Algorithm::Ed25519,
        time: now() - 5,
        expires_after: None,
        passphrase: Some("open sesame"),
    };
    let path = directory.path().join("secret.asc");
    keys::generate(&new).unwrap().write(&path, false).unwrap();
    let key = SecretKey::read(&path).unwrap();
    key.signer(Some("open sesame"), now()).expect("opened");
    let error = key.signer(None, now()).expect_err("locked");
    assert!(error.to_string().contains("locked with a passphrase"), "{error}");
    assert!(error.hints()[0].contains("PACKHOUSE_KEY_PASSPHRASE"));
    assert!(key.signer(Some("wrong"), now()).is_err());
}

#[test]
fn keys_that_gpg_made_sign_with_their_newest_signing_subkey() {
    let gpg = Gpg::new();
    let path = gpg.key(&["rsa <r@acme.example>", "rsa3072", "cert,sign", "never"]);
    let key = SecretKey::read(&path).unwrap();
    key.signer(None, now() + 5).expect("usable");
    gpg.run(&["--passphrase", "", "--quick-add-key", &key.fingerprint(), "rsa3072", "sign", "1y"]);
    let path = gpg.export("rsa");
    let signer = SecretKey::read(&path).unwrap().signer(None, now() + 5).expect("usable");
    let (text, signature) = (gpg.home.path().join("text"), gpg.home.path().join("text.asc"));
    std::fs::write(&text, "hello\n").unwrap();
    std::fs::write(&signature, signer.detached(b"hello\n", now()).unwrap()).unwrap();
    let said = gpg.run(&["--status-fd", "1", "--verify", signature.to_str().unwrap(), text.to_str().unwrap()]);
    let valid = said.lines().find(|line| line.contains("VALIDSIG")).expect("valid").to_owned();
    let fields: Vec<&str> = valid.split_whitespace().collect();
    assert_ne!(fields[2], fields[fields.len() - 1], "a subkey signed: {valid}");
    assert_eq!(fields[fields.len() - 1], key.fingerprint());
}

#[test]
fn keys_that_some_client_would_refuse_are_refused_here() {
    let gpg = Gpg::new();
    let weak = gpg.key(&["weak <w@acme.example>", "rsa1024", "cert,sign", "never"]);
    assert!(refusal(&weak, now() + 5).contains("RSA 1024"));
    let ecdsa = gpg.key(&["ecdsa <e@acme.example>", "nistp256", "cert,sign", "never"]);
    assert!(refusal(&ecdsa, now() + 5).contains("ECDSA"));
    let short = gpg.key(&["short <s@acme.example>", "ed25519", "cert,sign", "1d"]);
    SecretKey::read(&short).unwrap().signer(None, now() + 5).expect("not expired yet");
    assert!(refusal(&short, now() + 3 * 86_400).contains("expired"));
    assert!(refusal(&short, now() - 3 * 86_400).contains("future"));
    let text = gpg.home.path().join("text");
    std::fs::write(&text, "no key\n").unwrap();
    assert!(refusal(&text, now()).contains("no secret OpenPGP key"));
    let public = gpg.home.path().join("public.asc");
    gpg.run(&["--armor", "--output", public.to_str().unwrap(), "--export", "short"]);
    assert!(refusal(&public, now()).contains("secret"));
}

#[test]
fn a_key_bound_by_sha1_is_refused_with_the_remedy() {
    let gpg = Gpg::new();
    gpg.run(&[
        "--passphrase",
        "",
        "--cert-digest-algo",
        "SHA1",
        "--quick-generate-key",
        "old <o@acme.example>",
        "rsa3072",
        "cert,sign",
        "never",
    ]);
    let path = gpg.export("old");
    assert!(refusal(&path, now() + 5).contains("SHA-1"));
}

#[test]
fn a_revoked_key_is_refused() {
    let gpg = Gpg::new();
    let path = gpg.key(&["gone <g@acme.example>", "ed25519", "cert,sign", "never"]);
    let fingerprint = SecretKey::read(&path).unwrap().fingerprint();
    let certificate = gpg.home.path().join("openpgp-revocs.d").join(format!("{fingerprint}.rev"));
    let text = std::fs::read_to_string(certificate).unwrap().replace(":-----BEGIN", "-----BEGIN");
    let certificate = gpg.home.path().join("revocation.asc");
    std::fs::write(&certificate, text).unwrap();
    gpg.run(&["--import", certificate.to_str().unwrap()]);
    let path = gpg.export("gone");
    assert!(refusal(&path, now() + 5).contains("revoked"));
}
