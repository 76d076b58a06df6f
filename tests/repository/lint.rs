//! `key lint`, against gpgv and sqv: what the table says of them is what they do.

use std::path::{Path, PathBuf};
use std::process::Command;

use pgp::composed::{DetachedSignature, KeyType, SecretKeyParamsBuilder};
use pgp::crypto::hash::HashAlgorithm;
use pgp::ser::Serialize as _;
use pgp::types::{KeyVersion, Password};
use rand_for_pgp::rngs::OsRng;

use packhouse::repo::keys::{Certificates, PublicKey};
use packhouse::repo::trust::lint::{Report, lint};

use crate::keys::Gpg;
use crate::support::{both, now, output, write};

/// Debian 13's `/usr/share/apt/default-sequoia.config`.
const POLICY: &str = "[asymmetric_algorithms]\ndsa2048 = 2024-02-01\ndsa3072 = 2024-02-01\ndsa4096 = 2024-02-01\n\
    brainpoolp256 = 2028-02-01\nbrainpoolp384 = 2028-02-01\nbrainpoolp512 = 2028-02-01\nrsa2048  = 2030-02-01\n\
    [hash_algorithms]\nsha1.second_preimage_resistance = 2026-02-01\nsha224 = 2026-02-01\n\
    [packets]\nsignature.v3 = 2026-02-01\n";

struct Judged {
    report: Report,
    gpgv: bool,
    sqv: bool,
}

impl Judged {
    /// Whether the table says that this client refuses the key today.
    fn refused_by(&self, client: &str) -> bool {
        let refusals = self.report.findings.iter().flat_map(|finding| &finding.clients);
        refusals.into_iter().any(|refusal| refusal.now && refusal.client.starts_with(client))
    }

    fn codes(&self) -> Vec<&str> {
        self.report.findings.iter().map(|finding| finding.code.as_str()).collect()
    }
}

/// Makes a key, signs with it and asks everybody.
fn judge(gpg: &Gpg, user: &str, further: &[&str], parameters: &[&str]) -> Judged {
    let mut arguments = further.to_vec();
    arguments.extend(["--passphrase", "", "--quick-generate-key", user]);
    arguments.extend(parameters);
    gpg.run(&arguments);
    let path = |name: &str| gpg.home.path().join(name);
    let (certificate, text, signature) = (path("certificate"), path("text"), path("signature"));
    write(&text, "text\n");
    let name = |path: &PathBuf| path.to_str().unwrap().to_owned();
    gpg.run(&["--output", &name(&certificate), "--export", user]);
    gpg.run(&[
        "--local-user",
        user,
        "--digest-algo",
        "SHA512",
        "--output",
        &name(&signature),
        "--detach-sign",
        &name(&text),
    ]);
    let policy = path("policy");
    write(&policy, POLICY);
    let gpgv = accepted(Command::new("gpgv").arg("--keyring").arg(&certificate).arg(&signature).arg(&text));
    let sqv = accepted(
        Command::new("sqv")
            .env("SEQUOIA_CRYPTO_POLICY", &policy)
            .arg("--keyring")
            .arg(&certificate)
            .arg(&signature)
            .arg(&text),
    );
    Judged { report: lint(&PublicKey::read(&certificate).unwrap(), now() + 1), gpgv, sqv }
}

fn accepted(command: &mut Command) -> bool {
    output(command).status.success()
}

#[test]
fn gpgv_and_sqv_refuse_what_the_table_says_and_take_the_rest() {
    let gpg = Gpg::new();
    let sha1: &[&str] = &["--cert-digest-algo", "SHA1"];
    let cases: [(&str, &[&str], &str, &[&str]); 9] = [
        ("small", &[], "rsa1024", &["rsa-below2048"]),
        ("two", &[], "rsa2048", &["rsa-below3072"]),
        ("four", &[], "rsa4096", &[]),
        ("sha1", sha1, "rsa3072", &["weak-binding"]),
        ("dsa", &[], "dsa2048", &["dsa"]),
        ("nist", &[], "nistp256", &["ecdsa"]),
        ("brain", &[], "brainpoolP256r1", &["ecdsa", "brainpool"]),
        ("koblitz", &[], "secp256k1", &["ecdsa", "secp256k1"]),
        ("edwards", &[], "ed25519", &["eddsa-legacy"]),
    ];
    for (name, further, kind, codes) in cases {
        let user = format!("{name} <{name}@acme.example>");
        let judged = judge(&gpg, &user, further, &[kind, "cert,sign", "never"]);
        assert_eq!(judged.gpgv, !judged.refused_by("Debian 12"), "gpgv on {kind}: {:#?}", judged.report);
        // Debian 12's sqv, older than the policy, does not read its lines on DSA; Debian 13's does.
        if kind != "dsa2048" || !judged.sqv {
            assert_eq!(judged.sqv, !judged.refused_by("Debian 13"), "sqv on {kind}: {:#?}", judged.report);
        }
        let mut found = judged.codes();
        found.sort_unstable();
        let mut wanted: Vec<&str> = codes.iter().copied().filter(|code| !found.contains(code)).collect();
        wanted.sort_unstable();
        found.retain(|code| !codes.contains(code));
        assert!(wanted.is_empty() && found.is_empty(), "{kind}: lacks {wanted:?}, has {found:?}");
    }
}

#[test]
fn gpgv_refuses_the_newer_encoding_of_ed25519_and_version_6_as_the_table_says() {
    let directory = tempfile::tempdir().unwrap();
    for (version, code) in [(KeyVersion::V4, "eddsa-new"), (KeyVersion::V6, "version6")] {
        let key = SecretKeyParamsBuilder::default()
            .version(version)
            .key_type(KeyType::Ed25519)
            .can_certify(true)
            .can_sign(true)
            .primary_user_id("Acme <a@acme.example>".into())
            .build()
            .unwrap()
            .generate(OsRng)
            .unwrap();
        let path = |name: &str| directory.path().join(format!("{name}-{version:?}"));
        let (certificate, text, signature) = (path("certificate"), path("text"), path("signature"));
        std::fs::write(&certificate, key.to_public_key().to_bytes().unwrap()).unwrap();
        write(&text, "text\n");
        let hash = HashAlgorithm::Sha512;
        let made =
            DetachedSignature::sign_binary_data(OsRng, &key.primary_key, &Password::empty(), hash, &b"text\n"[..]);
        std::fs::write(&signature, made.unwrap().to_bytes().unwrap()).unwrap();
        let report = lint(&PublicKey::read(&certificate).unwrap(), now() + 1);
        let gpgv = accepted(Command::new("gpgv").arg("--keyring").arg(&certificate).arg(&signature).arg(&text));
        let judged = Judged { report, gpgv, sqv: false };
        assert!(judged.codes().contains(&code), "{:#?}", judged.report);
        assert!(!judged.gpgv && judged.refused_by("Debian 12") && judged.refused_by("Enterprise Linux 9"));
        assert_eq!(judged.report.signs_with, None);
    }
}

#[test]
fn expired_keys_subkeys_and_keys_that_cannot_sign_are_told() {
    let gpg = Gpg::new();
    gpg.run(&["--passphrase", "", "--quick-generate-key", "short <s@acme.example>", "ed25519", "cert,sign", "2d"]);
    let certificate = export(&gpg, "short");
    let later = |days: i64| lint(certificate.iter().next().unwrap(), now() + 1 + days * 86_400);
    let today = later(0);
    assert!(!today.is_refused() && today.findings.iter().any(|finding| finding.code == "expires"), "{today:#?}");
    assert!(later(3).is_refused());

    gpg.run(&["--passphrase", "", "--quick-generate-key", "mute <m@acme.example>", "rsa3072", "cert", "never"]);
    let report = lint(export(&gpg, "mute").iter().next().unwrap(), now() + 1);
    assert!(report.findings.iter().any(|finding| finding.code == "no-signing-key"), "{report:#?}");
    assert_eq!(report.signs_with, None);

    let fingerprint = report.fingerprint;
    gpg.run(&["--passphrase", "", "--quick-add-key", &fingerprint, "rsa3072", "sign", "1d"]);
    let report = lint(export(&gpg, "mute").iter().next().unwrap(), now() + 1);
    assert!(!report.is_refused(), "{report:#?}");
    assert!(report.signs_with.is_some_and(|part| part != fingerprint));
    let report = lint(export(&gpg, "mute").iter().next().unwrap(), now() + 2 * 86_400);
    assert!(report.is_refused() && report.signs_with.is_none(), "{report:#?}");
}

#[test]
fn the_command_judges_every_key_of_a_file_and_ends_with_3_when_one_is_refused() {
    let gpg = Gpg::new();
    for (user, kind) in [("good <g@acme.example>", "rsa3072"), ("bad <b@acme.example>", "rsa1024")] {
        gpg.run(&["--passphrase", "", "--quick-generate-key", user, kind, "cert,sign", "never"]);
    }
    let path = |name: &str| gpg.home.path().join(name);
    let lint = |file: &Path, further: &[&str]| {
        output(Command::new(env!("CARGO_BIN_EXE_packhouse")).args(["key", "lint"]).arg(file).args(further))
    };
    gpg.run(&["--armor", "--output", path("good.asc").to_str().unwrap(), "--export", "good"]);
    let good = lint(&path("good.asc"), &[]);
    assert!(good.status.success() && both(&good).contains("no client is known to refuse it"), "{}", both(&good));
    let old = lint(&path("good.asc"), &["--on", "2019-01-01"]);
    assert_eq!(old.status.code(), Some(3), "a key of the future: {}", both(&old));

    gpg.run(&["--armor", "--output", path("bad.asc").to_str().unwrap(), "--export", "bad"]);
    let text = |name: &str| std::fs::read_to_string(path(name)).unwrap();
    write(&path("both.asc"), &format!("{}{}", text("good.asc"), text("bad.asc")));
    let both_keys = lint(&path("both.asc"), &["--format", "json"]);
    assert_eq!(both_keys.status.code(), Some(3), "{}", both(&both_keys));
    let documents: Vec<serde_json::Value> = String::from_utf8(both_keys.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|document: &serde_json::Value| document["reason"] == "key")
        .collect();
    let codes: Vec<Option<&str>> = documents.iter().map(|document| document["findings"][0]["code"].as_str()).collect();
    assert_eq!(codes, [None, Some("rsa-below2048")], "{documents:#?}");
}

fn export(gpg: &Gpg, user: &str) -> Certificates {
    let path = gpg.home.path().join("exported");
    gpg.run(&["--output", path.to_str().unwrap(), "--export", user]);
    Certificates::read(&path).unwrap()
}
