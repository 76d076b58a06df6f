//! Whom this machine trusts, and what it signs with.

use std::path::{Path, PathBuf};

use super::{Finding, Ground, install, on_path};
use crate::config::RepositorySettings;
use crate::repo::trust::lint;
use crate::repo::trust::source::{self, KeySource};
use crate::variables;

/// Where distributions keep the certificates of authorities.
const STORES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/var/lib/ca-certificates/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// A key that expires within so many seconds is to be replaced now: 60 days.
const SOON: i64 = 60 * 86_400;

pub(super) fn examine(ground: &Ground<'_>) -> Vec<Finding> {
    let mut findings = vec![certificates()];
    if let Some(context) = ground.project {
        findings.extend(keys(&context.settings.root, &context.settings.repository));
    }
    findings
}

fn certificates() -> Finding {
    let topic = "certificates";
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(file) = variable(variables::SSL_CERT_FILE) {
        let name = variables::SSL_CERT_FILE;
        return match count(&file) {
            Ok(0) => {
                let message = format!("{name} names {}, which has no certificate in it", file.display());
                Finding::problem(topic, message, format!("unset {name}, or name a file in PEM form"))
            }
            Ok(count) => Finding::ok(topic, format!("{count} of {name} ({})", file.display())),
            Err(error) => Finding::problem(topic, format!("{name}: {error}"), format!("unset {name}")),
        };
    }
    if let Some(directory) = variable(variables::SSL_CERT_DIR) {
        let name = variables::SSL_CERT_DIR;
        // As with PATH, several may stand there.
        let filled = |directory: PathBuf| fs_err::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some());
        return match std::env::split_paths(&directory).any(filled) {
            true => Finding::ok(topic, format!("those of {name} ({})", directory.display())),
            false => {
                let message = format!("{name} names {}, which holds nothing", directory.display());
                Finding::problem(topic, message, format!("unset {name}"))
            }
        };
    }
    let found =
        STORES.iter().map(Path::new).find_map(|store| Some((store, count(store).ok().filter(|count| *count > 0)?)));
    match found {
        Some((store, count)) => Finding::ok(topic, format!("{count} in {}", store.display())),
        None => Finding::warning(
            topic,
            "the system has none, so that no server is trusted; `lock` and `vendor` use the network",
            install("ca-certificates", "ca-certificates"),
        ),
    }
}

/// How many certificates a file in PEM form has.
fn count(file: &Path) -> std::io::Result<usize> {
    Ok(String::from_utf8_lossy(&fs_err::read(file)?).matches("-----BEGIN CERTIFICATE-----").count())
}

/// The keys that `[repository]` names.
fn keys(root: &Path, settings: &RepositorySettings) -> Vec<Finding> {
    let RepositorySettings { key, certificate, next_key, next_certificate, .. } = settings;
    let named = [(key, certificate), (next_key, next_certificate)];
    let time = jiff::Timestamp::now().as_second();
    named
        .into_iter()
        .filter_map(|(key, certificate)| Some((key.as_deref()?, certificate.as_ref().map(|path| root.join(path)))))
        .map(|(key, certificate)| {
            let source = match source::is_file(key) {
                true => Ok(KeySource::File(root.join(key))),
                false => KeySource::parse(key, certificate.as_deref()),
            };
            source.map_or_else(|error| Finding::of("key", &error), |source| judged(key, &source, time))
        })
        .collect()
}

fn judged(name: &str, source: &KeySource, time: i64) -> Finding {
    let topic = "key";
    // A file's is refused here when others may read it.
    let certificate = match source.certificate() {
        Ok(certificate) => certificate,
        Err(error) => return Finding::of(topic, &error),
    };
    if let KeySource::Command { program, .. } = source
        && !Path::new(program).is_file()
        && on_path(program).is_none()
    {
        return Finding::problem(
            topic,
            format!("{name}: the program {program} is not there"),
            "correct `key` in [repository]",
        );
    }
    if let KeySource::Gpg(fingerprint) = source
        && let Err(error) = source::held_by_gpg(fingerprint)
    {
        return Finding::of(topic, &error);
    }
    let worst =
        |time| lint::lint(&certificate, time).findings.into_iter().find(|one| one.severity == lint::Severity::Error);
    if let Some(finding) = worst(time) {
        let message = format!("{name}: {}", finding.message);
        return Finding::problem(topic, message, format!("packhouse key lint '{name}' says more; {}", finding.remedy));
    }
    if let Some(finding) = worst(time + SOON) {
        return Finding::warning(topic, format!("{name}: soon {}", finding.message), finding.remedy);
    }
    Finding::ok(topic, format!("{name}, {}", certificate.fingerprint()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::doctor::Status;
    use crate::repo::trust::keys::{Algorithm, NewKey, generate};

    const DAY: i64 = 86_400;

    fn key(directory: &Path, expires_after: Option<u32>) -> KeySource {
        let time = jiff::Timestamp::now().as_second() - DAY;
        let user_id = "Acme <acme@acme.example>";
        let new = NewKey { user_id, algorithm: Algorithm::Ed25519, time, expires_after, passphrase: None };
        let path = directory.join("acme.key");
        generate(&new).unwrap().write(&path, true).unwrap();
        KeySource::File(path)
    }

    #[test]
    fn a_key_is_judged_by_its_expiry_and_by_who_may_read_it() {
        let directory = tempfile::tempdir().unwrap();
        let now = jiff::Timestamp::now().as_second();
        let day = u32::try_from(DAY).unwrap();
        let lasting = key(directory.path(), Some(1000 * day));
        assert_eq!(judged("acme.key", &lasting, now).status, Status::Ok);
        let ending = key(directory.path(), Some(30 * day));
        assert_eq!(judged("acme.key", &ending, now).status, Status::Warning);
        let ended = judged("acme.key", &ending, now + 40 * DAY);
        assert_eq!(ended.status, Status::Problem);
        assert!(ended.remedy.unwrap().contains("packhouse key lint"));
        let path = directory.path().join("acme.key");
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let open = judged("acme.key", &ending, now);
        assert_eq!((open.status, open.code), (Status::Problem, Some("unusable-key")));
        fs_err::remove_file(&path).unwrap();
        assert_eq!(judged("acme.key", &ending, now).code, Some("file-not-found"));
    }

    #[test]
    fn a_command_that_signs_must_be_there() {
        let directory = tempfile::tempdir().unwrap();
        let KeySource::File(path) = key(directory.path(), None) else { unreachable!() };
        let public = crate::repo::trust::keys::SecretKey::read(&path).unwrap().public();
        let certificate = directory.path().join("cert.asc");
        fs_err::write(&certificate, public.armored().unwrap()).unwrap();
        let of = |program: &str| KeySource::Command {
            program: program.into(),
            arguments: vec![],
            certificate: certificate.clone(),
        };
        let now = jiff::Timestamp::now().as_second();
        assert_eq!(judged("command:x", &of("no-such-program-at-all"), now).status, Status::Problem);
        assert_eq!(judged("command:x", &of("/bin/sh"), now).status, Status::Ok);
    }
}
