//! Keys that are not in a file: gpg's agent, commands, and passphrases from everywhere.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use packhouse::repo::keys::{self, Algorithm, NewKey, PublicKey, SecretKey};
use packhouse::repo::trust::source::KeySource;

use crate::keys::Gpg;
use crate::support::{Apt, Bench, both, now, output, run, write};

fn packhouse(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_packhouse"));
    command.args(arguments).env_remove("PACKHOUSE_KEY_PASSPHRASE").env_remove("PACKHOUSE_KEY_PASSPHRASE_FILE");
    command
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn script(path: &Path, body: &str) {
    write(path, &format!("#!/bin/sh\n{body}\n"));
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A key of gpg's, its fingerprint and its certificate's file.
fn gpg_key(gpg: &Gpg) -> (String, PathBuf) {
    gpg.run(&["--passphrase", "", "--quick-generate-key", "Acme <a@acme.example>", "rsa3072", "cert,sign", "never"]);
    let certificate = gpg.home.path().join("certificate.asc");
    gpg.run(&["--armor", "--output", text(&certificate), "--export", "Acme"]);
    (PublicKey::read(&certificate).unwrap().fingerprint(), certificate)
}

/// Makes a repository with this key and publishes a package into it; then apt reads it.
fn publishes(bench: &Bench, name: &str, deb: &Path, environment: &[(&str, &Path)], key: &[&str]) {
    let repository = bench.path(name);
    let environment = environment.iter().map(|(name, value)| (*name, value.as_os_str())).collect::<Vec<_>>();
    let mut init = packhouse(&["repo", "init", text(&repository), "--origin", "Acme"]);
    run(init.args(key).envs(environment.iter().copied()));
    let mut publish = packhouse(&["publish", text(deb), "--repo", text(&repository), "--suite", "bookworm"]);
    run(publish.args(key).envs(environment.iter().copied()));
    let sources = std::fs::read_to_string(repository.join("acme-bookworm.sources")).unwrap();
    let apt = Apt::new(bench, &format!("{name}-client"), &sources);
    assert_eq!(apt.update().expect("updated"), ["acme"]);
    let dists = repository.join("apt/dists/bookworm");
    let keyring = repository.join("key.gpg");
    run(Command::new("gpgv").arg("--keyring").arg(&keyring).arg(dists.join("Release.gpg")).arg(dists.join("Release")));
    run(Command::new("gpgv").arg("--keyring").arg(&keyring).arg(dists.join("InRelease")));
}

#[test]
fn gpgs_agent_signs_a_repository_that_apt_reads() {
    let gpg = Gpg::new();
    let (fingerprint, _) = gpg_key(&gpg);
    let bench = Bench::new();
    let deb = bench.deb("acme", "1", "amd64");
    let home = [("GNUPGHOME", gpg.home.path())];
    publishes(&bench, "agent", &deb, &home, &["--key", &format!("gpg:{fingerprint}")]);
    // A subkey signs when it is named, and when it is the newest.
    gpg.run(&["--passphrase", "", "--quick-add-key", &fingerprint, "rsa3072", "sign", "1y"]);
    let listed = gpg.run(&["--with-colons", "--list-keys", &fingerprint]);
    let subkey = listed.lines().filter_map(|line| line.strip_prefix("fpr:::::::::")).nth(1).unwrap().replace(':', "");
    publishes(&bench, "subkey", &deb, &home, &["--key", &format!("gpg:{subkey}")]);
    publishes(&bench, "newest", &deb, &home, &["--key", &format!("gpg:{fingerprint}")]);

    let stranger = "0".repeat(40);
    let output = output(
        packhouse(&[
            "repo",
            "init",
            text(&bench.path("none")),
            "--origin",
            "Acme",
            "--key",
            &format!("gpg:{stranger}"),
        ])
        .env("GNUPGHOME", gpg.home.path()),
    );
    assert!(!output.status.success() && both(&output).contains("gpg has no such key"), "{}", both(&output));
}

/// A signer that keeps the contract, by gpg.
fn contract(gpg: &Gpg, fingerprint: &str) -> String {
    format!(
        "[ \"$PACKHOUSE_SIGN_FINGERPRINT\" = {fingerprint} ] || exit 9\n[ \"$PACKHOUSE_SIGN_FORM\" = text ] && form=--textmode\n\
         exec gpg --homedir {0} --batch --quiet --digest-algo SHA256 --local-user {fingerprint} $form --detach-sign",
        gpg.home.path().display()
    )
}

#[test]
fn a_command_signs_a_repository_that_apt_reads_and_never_sees_a_passphrase() {
    let gpg = Gpg::new();
    let (fingerprint, certificate) = gpg_key(&gpg);
    let bench = Bench::new();
    let deb = bench.deb("acme", "1", "amd64");
    let (signer, seen) = (bench.path("kms sign"), bench.path("seen"));
    script(&signer, &format!("env >>{}; echo $1 $2 >>{0}\n{}", seen.display(), contract(&gpg, &fingerprint)));
    let key = format!("command:'{}' --region 'a b'", signer.display());
    let passphrase = [("PACKHOUSE_KEY_PASSPHRASE", Path::new("correct-horse"))];
    publishes(&bench, "command", &deb, &passphrase, &["--key", &key, "--certificate", text(&certificate)]);
    let seen = std::fs::read_to_string(seen).unwrap();
    assert!(seen.contains("--region a b") && !seen.contains("correct-horse"), "{seen}");
}

#[test]
fn what_a_command_gives_is_not_believed() {
    let gpg = Gpg::new();
    let (fingerprint, certificate) = gpg_key(&gpg);
    gpg.run(&["--passphrase", "", "--quick-generate-key", "Eve <e@acme.example>", "rsa3072", "cert,sign", "never"]);
    let bench = Bench::new();
    let sign = format!("gpg --homedir {} --batch --quiet --detach-sign", gpg.home.path().display());
    let cases = [
        (format!("{sign} --local-user Eve"), "not a valid one by"),
        (format!("echo x | {sign} --local-user {fingerprint}"), "not a valid one by"),
        (format!("{sign} --local-user {fingerprint} --textmode"), "of the type Text"),
        (format!("{sign} --local-user {fingerprint} --digest-algo SHA1"), "not of version 4 over SHA-256"),
        (format!("{sign} --local-user {fingerprint} --default-sig-expire 1d --no-ask-sig-expire"), "expires"),
        (format!("{sign} --local-user {fingerprint} --local-user Eve"), "more than one signature"),
        ("echo sorry".to_owned(), "no OpenPGP signature"),
        ("true".to_owned(), "no OpenPGP signature"),
        ("echo no card >&2; exit 2".to_owned(), "no card"),
        ("yes | head -c 9000000".to_owned(), "more than a signature"),
    ];
    for (body, complaint) in cases {
        let program = bench.path("signer");
        script(&program, &body);
        let source = KeySource::parse(&format!("command:{}", program.display()), Some(&certificate)).unwrap();
        let signer = source.signer(None, &|_| Ok(None), now() + 1).unwrap();
        let error = signer.detached(b"data\n", now()).expect_err(&body).to_string();
        assert!(error.contains(complaint), "{body}: {error}");
    }
    script(&bench.path("signer"), &contract(&gpg, &fingerprint));
    let source = KeySource::parse(&format!("command:{}", text(&bench.path("signer"))), Some(&certificate)).unwrap();
    source.signer(None, &|_| Ok(None), now() + 1).unwrap().detached(b"data\n", now()).expect("the contract is kept");
}

/// A locked key in a file.
fn locked(directory: &Path) -> PathBuf {
    let new = NewKey {
        user_id: "Acme <a@acme.example>",
        algorithm: Algorithm::Ed25519,
        time: now() - 5,
        expires_after: None,
        passphrase: Some("open sesame"),
    };
    let path = directory.join("locked.asc");
    keys::generate(&new).unwrap().write(&path, false).unwrap();
    path
}

fn publish(bench: &Bench, key: &Path, deb: &Path, further: &[&str], environment: &[(&str, &str)]) -> Output {
    let repository = bench.path("locked");
    if !repository.exists() {
        run(&mut packhouse(&["repo", "init", text(&repository), "--origin", "Acme", "--key", text(key)]));
    }
    let mut command =
        packhouse(&["publish", text(deb), "--repo", text(&repository), "--suite", "bookworm", "--key", text(key)]);
    output(command.args(further).envs(environment.iter().copied()))
}

#[test]
fn a_passphrase_comes_from_a_file_or_the_environment_and_is_not_asked_for_without_a_terminal() {
    let bench = Bench::new();
    let key = locked(bench.directory.path());
    let deb = bench.deb("acme", "1", "amd64");
    let file = bench.path("passphrase");
    write(&file, "open sesame\nand more\n");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let fails = |further: &[&str], environment: &[(&str, &str)], complaint: &str| {
        let output = publish(&bench, &key, &deb, further, environment);
        assert!(!output.status.success() && both(&output).contains(complaint), "{}", both(&output));
    };
    fails(&[], &[], "--passphrase-file");
    fails(&[], &[("PACKHOUSE_KEY_PASSPHRASE", "wrong")], "cannot be unlocked");
    for (further, environment) in [
        (&["--passphrase-file", text(&file)][..], &[][..]),
        (&[], &[("PACKHOUSE_KEY_PASSPHRASE", "open sesame")]),
        (&[], &[("PACKHOUSE_KEY_PASSPHRASE_FILE", text(&file))]),
    ] {
        let output = publish(&bench, &key, &deb, further, environment);
        assert!(output.status.success(), "{}", both(&output));
        assert!(!both(&output).contains("sesame"));
    }
    write(&bench.path("empty"), "\nopen sesame\n");
    std::fs::set_permissions(bench.path("empty"), std::fs::Permissions::from_mode(0o600)).unwrap();
    fails(&["--passphrase-file", text(&bench.path("empty"))], &[], "is empty");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    fails(&["--passphrase-file", text(&file)], &[], "chmod 600");
}

#[test]
fn a_passphrase_is_asked_for_on_a_terminal_and_not_shown() {
    let bench = Bench::new();
    let key = locked(bench.directory.path());
    let deb = bench.deb("acme", "1", "amd64");
    run(&mut packhouse(&["repo", "init", text(&bench.path("locked")), "--origin", "Acme", "--key", text(&key)]));
    let command = format!(
        "{} publish {} --repo {} --suite bookworm --key {}",
        env!("CARGO_BIN_EXE_packhouse"),
        deb.display(),
        bench.path("locked").display(),
        key.display()
    );
    // script(1) gives the command a terminal, and types what comes from its standard input.
    let on_terminal = |typed: &str| {
        let script =
            format!("(sleep 2; printf '{typed}'; sleep 2) | script --quiet --return --command '{command}' /dev/null");
        output(Command::new("sh").args(["-c", &script]).env_remove("PACKHOUSE_KEY_PASSPHRASE"))
    };
    let cancelled = on_terminal("open\\003");
    assert!(!cancelled.status.success() || both(&cancelled).contains("no passphrase"), "{}", both(&cancelled));
    let done = on_terminal("open sesame\\n");
    let said = both(&done);
    assert!(said.contains("Passphrase of") && said.contains("1 packages"), "{said}");
    assert!(!said.contains("sesame"), "{said}");
}

#[test]
fn a_secret_key_that_others_can_read_is_refused_as_ssh_does() {
    let bench = Bench::new();
    let key = locked(bench.directory.path());
    SecretKey::read(&key).expect("private");
    for mode in [0o640, 0o604, 0o660] {
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
        let error = SecretKey::read(&key).expect_err("readable by others");
        assert!(error.to_string().contains(&format!("mode {mode:04o}")), "{error}");
        let hints = packhouse::diagnostic::Diagnose::hints(&error);
        assert!(hints[0].contains("chmod 600"), "{hints:?}");
    }
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o400)).unwrap();
    SecretKey::read(&key).expect("private");
}
