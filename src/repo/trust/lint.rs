//! What clients will say of a key, before they do: the table of `clients` held against one certificate.
//!
//! SHA-1 self-signatures broke many repositories on one day, 2026-02-01, which had been announced years before. Nothing
//! here needs the secret key.

use serde::Serialize;

use super::certificate::{Flaw, Part, parts};
use super::clients::{self, NEW_KEY};
use super::keys::PublicKey;
use super::policy;

pub use super::clients::Trouble;

/// What is to be said of one certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The primary key's fingerprint, upper-case hexadecimal.
    pub fingerprint: String,
    /// Whose it is.
    pub user_ids: Vec<String>,
    /// Its kind: `RSA 4096`.
    pub kind: String,
    /// The fingerprint of the key or subkey that packhouse would sign with; none when it would refuse to.
    pub signs_with: Option<String>,
    /// The worst first.
    pub findings: Vec<Finding>,
}

/// One thing that clients object to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// A word for it: `weak-binding`, `expired`.
    pub code: String,
    /// The fingerprint of the key or subkey.
    pub key: String,
    /// What is the matter, as a clause.
    pub message: String,
    /// Who refuses it; empty: everybody.
    pub clients: Vec<Refusal>,
    /// What to do.
    pub remedy: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A client that counts refuses the key now.
    Error,
    /// Some client will, or one that is too old to count does.
    Warning,
}

/// A client that refuses a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// `Debian 13, Ubuntu 25.10 (apt 3, sqv)`.
    pub client: String,
    /// The day from which it does, `2026-02-01`; none: always.
    pub since: Option<String>,
    /// Whether that day has come.
    pub now: bool,
}

impl Report {
    /// Whether some client that counts refuses the key.
    pub fn is_refused(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }
}

/// What is to be said of `certificate` at `time` (seconds since 1970-01-01 UTC).
pub fn lint(certificate: &PublicKey, time: i64) -> Report {
    let parts = parts(&certificate.0, time);
    let mut findings: Vec<Finding> = parts.iter().flat_map(|part| of_part(part, time)).collect();
    let fingerprint = certificate.fingerprint();
    let readable = parts.first().is_some_and(|primary| primary.flaw != Some(Flaw::NoSelfSignature));
    if readable && !parts.iter().any(|part| part.signs) {
        findings.push(Finding {
            severity: Severity::Error,
            code: "no-signing-key".to_owned(),
            key: fingerprint.clone(),
            message: "neither the key nor a subkey of it is meant for signing".to_owned(),
            clients: Vec::new(),
            remedy: "add a subkey that signs: `gpg --quick-add-key FINGERPRINT rsa4096 sign`".to_owned(),
        });
    }
    findings.sort_by_key(|finding| finding.severity);
    let signs_with = policy::choose(&certificate.0, time).ok().and_then(|fit| fit.into_iter().next());
    let kind = parts.first().map(|part| part.kind.clone()).unwrap_or_default();
    Report { fingerprint, user_ids: certificate.user_ids(), kind, signs_with, findings }
}

fn of_part(part: &Part, time: i64) -> Vec<Finding> {
    let finding = |severity, code: &str, message: String, remedy: &str| Finding {
        severity,
        code: code.to_owned(),
        key: part.fingerprint.clone(),
        message,
        clients: Vec::new(),
        remedy: remedy.to_owned(),
    };
    let named = if part.primary { "the key" } else { "the signing subkey" };
    let mut findings: Vec<Finding> = part.troubles.iter().map(|trouble| of_trouble(part, *trouble, time)).collect();
    // A curve that packhouse cannot compute leaves signatures that it cannot check: no fault of theirs.
    let incomputable = part.troubles.iter().any(|trouble| matches!(trouble, Trouble::Brainpool | Trouble::Unknown));
    let flaw = part.flaw.filter(|flaw| *flaw != Flaw::NoSelfSignature || !incomputable).map(|flaw| match flaw {
        Flaw::Revoked => ("revoked", format!("{named} is revoked")),
        Flaw::UserIdRevoked => ("revoked", "the key's user ID is revoked".to_owned()),
        Flaw::NoSelfSignature => ("no-self-signature", format!("{named} has no valid self-signature")),
        Flaw::NoBackSignature => ("no-back-signature", format!("{named} lacks a valid back signature")),
    });
    findings.extend(flaw.map(|(code, message)| finding(Severity::Error, code, message, NEW_KEY)));
    if part.created > time {
        let message = format!("{named} is made on {}, in the future", day(part.created));
        findings.push(finding(Severity::Error, "future", message, "set the clock of the machine that made it"));
    }
    if let Some(end) = part.expires {
        let prolong = "prolong it with `gpg --quick-set-expire FINGERPRINT 5y`, export it again, and give clients the new certificate";
        let (severity, code, tense) = match end <= time {
            true => (Severity::Error, "expired", "expired"),
            false => (Severity::Warning, "expires", "expires"),
        };
        findings.push(finding(severity, code, format!("{named} {tense} on {}", day(end)), prolong));
    }
    findings
}

fn of_trouble(part: &Part, trouble: Trouble, time: i64) -> Finding {
    let clients = clients::refusing(trouble)
        .map(|(client, since)| Refusal {
            client: format!("{} ({})", client.distribution, client.tools),
            since: (since > 0).then(|| day(since)),
            now: since <= time,
        })
        .collect();
    let refused = clients::is_refused(trouble, time);
    let code = serde_json::to_value(trouble).ok().and_then(|value| value.as_str().map(str::to_owned));
    Finding {
        severity: if refused { Severity::Error } else { Severity::Warning },
        code: code.unwrap_or_default(),
        key: part.fingerprint.clone(),
        message: format!("{}: {}", part.kind, trouble.describe()),
        clients,
        remedy: trouble.remedy().to_owned(),
    }
}

/// The day of a moment, in UTC: `2026-02-01`.
fn day(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| seconds.to_string(), |timestamp| timestamp.strftime("%Y-%m-%d").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::keys::{Algorithm, NewKey, generate};

    const NOW: i64 = 1_795_000_000;

    fn report(algorithm: Algorithm, expires_after: Option<u32>, time: i64) -> Report {
        let new = NewKey { user_id: "Acme <a@acme.example>", algorithm, time: NOW, expires_after, passphrase: None };
        lint(&generate(&new).unwrap().public(), time)
    }

    #[test]
    fn a_key_that_packhouse_makes_is_refused_by_nobody_that_counts() {
        let rsa = report(Algorithm::Rsa3072, None, NOW);
        assert_eq!((rsa.findings.as_slice(), rsa.kind.as_str()), (&[][..], "RSA 3072"));
        assert_eq!(rsa.signs_with, Some(rsa.fingerprint.clone()));
        let ed25519 = report(Algorithm::Ed25519, None, NOW);
        assert!(!ed25519.is_refused());
        let [finding] = ed25519.findings.as_slice() else { panic!("{ed25519:?}") };
        assert_eq!(finding.code, "eddsa-legacy");
        assert!(finding.clients.iter().all(|refusal| refusal.client.starts_with("Enterprise Linux 8")));
    }

    #[test]
    fn expiry_is_told_before_and_after() {
        let before = report(Algorithm::Ed25519, Some(86_400), NOW);
        let expires = before.findings.iter().find(|finding| finding.code == "expires").unwrap();
        assert_eq!(expires.severity, Severity::Warning);
        assert!(expires.message.contains("expires on 2026-11-19"), "{}", expires.message);
        let after = report(Algorithm::Ed25519, Some(86_400), NOW + 86_400);
        assert!(after.is_refused() && after.signs_with.is_none());
        assert_eq!(after.findings[0].code, "expired");
    }
}
