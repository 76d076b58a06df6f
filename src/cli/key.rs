//! `packhouse key`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::session::{Session, failure, problem, usage};
use super::{Failure, Output, prompt};
use crate::diagnostic::codes;
use crate::repo::RepoError;
use crate::repo::keys::{self, Algorithm, Certificates, NewKey, PublicKey, SecretKey};
use crate::repo::sign::Signer;
use crate::repo::trust::lint::{self, Report, Severity};
use crate::repo::trust::passphrase;
use crate::repo::trust::source::{self, KeySource};

#[derive(Debug, Subcommand)]
pub(super) enum Key {
    Generate(Generate),
    Export(Export),
    Lint(Lint),
}

/// The signing key, and how it is opened.
#[derive(Debug, Args)]
pub(super) struct KeyArguments {
    /// The signing key: a FILE, gpg:FINGERPRINT, or command:'PROGRAM ARGS'; twice while one replaces the other
    /// (default: `key` and `next-key` in [repository]).
    #[arg(long, value_name = "KEY")]
    pub(super) key: Vec<String>,
    /// The certificate that a command's signatures are checked with; once for each command.
    #[arg(long, value_name = "FILE")]
    pub(super) certificate: Vec<PathBuf>,
    /// A file whose first line opens the key (default: $PACKHOUSE_KEY_PASSPHRASE, $PACKHOUSE_KEY_PASSPHRASE_FILE, asking).
    #[arg(long, value_name = "FILE")]
    pub(super) passphrase_file: Option<PathBuf>,
}

/// Make a signing key.
#[derive(Debug, Args)]
pub(super) struct Generate {
    /// The file for the secret key (OpenPGP, armored, readable by you alone); the public key goes beside it as FILE.pub.
    file: PathBuf,
    /// Whose key it is: "NAME <MAIL>" (default: the project's maintainer).
    #[arg(long, value_name = "NAME <MAIL>")]
    user_id: Option<String>,
    /// The algorithm. rsa4096 is understood by every client from Enterprise Linux 8 on.
    #[arg(long, value_enum, default_value_t)]
    algorithm: KeyAlgorithm,
    /// Days after which it expires (default: never).
    #[arg(long, value_name = "N")]
    expires: Option<u32>,
    /// Replace an existing file.
    #[arg(long)]
    force: bool,
    /// A file whose first line will open the key (default: $PACKHOUSE_KEY_PASSPHRASE, $PACKHOUSE_KEY_PASSPHRASE_FILE).
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Ask for the passphrase that will open the key.
    #[arg(long, conflicts_with = "passphrase_file")]
    ask_passphrase: bool,
}

/// Say what clients of which distribution will refuse about keys, and from when.
#[derive(Debug, Args)]
pub(super) struct Lint {
    /// Secret or public keys, one or several in a file, or gpg:FINGERPRINT.
    #[arg(required = true)]
    keys: Vec<String>,
    /// Judge as on this day instead of today.
    #[arg(long, value_name = "YYYY-MM-DD")]
    on: Option<jiff::civil::Date>,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum KeyAlgorithm {
    #[default]
    Rsa4096,
    Rsa3072,
    Ed25519,
}

/// Write the public part of a key.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// The secret or public key's file.
    file: PathBuf,
}

pub(super) fn run(session: &Session, command: &Key) -> Result<(), Failure> {
    match command {
        Key::Generate(arguments) => generate(session, arguments),
        Key::Export(arguments) => export(session, arguments),
        Key::Lint(arguments) => judge(session, arguments),
    }
}

fn generate(session: &Session, arguments: &Generate) -> Result<(), Failure> {
    let user_id = match &arguments.user_id {
        Some(user_id) => user_id.clone(),
        None => session.settings()?.project.maintainer.to_string(),
    };
    let file = session.path(&arguments.file)?;
    let mut public = file.clone().into_os_string();
    public.push(".pub");
    let public = PathBuf::from(public);
    if let Some(present) = [&file, &public].into_iter().find(|file| file.exists())
        && !arguments.force
    {
        let message = format!("`{}` exists", present.display());
        return Err(problem(
            &codes::FILE_EXISTS,
            message,
            "name another file; --force replaces it, and with it the key",
        ));
    }
    session.reporter().step("Making", &format!("a key for {user_id}"));
    let passphrase = match arguments.ask_passphrase {
        true => Some(prompt::new_passphrase(&file)?.ok_or_else(no_terminal)?),
        false => given(session, arguments.passphrase_file.as_ref())?,
    };
    let key = keys::generate(&NewKey {
        user_id: &user_id,
        algorithm: match arguments.algorithm {
            KeyAlgorithm::Rsa4096 => Algorithm::Rsa4096,
            KeyAlgorithm::Rsa3072 => Algorithm::Rsa3072,
            KeyAlgorithm::Ed25519 => Algorithm::Ed25519,
        },
        time: now(),
        expires_after: arguments.expires.map(|days| days.saturating_mul(86_400)),
        passphrase: passphrase.as_deref(),
    })?;
    key.write(&file, arguments.force)?;
    fs_err::write(&public, key.public().armored()?).map_err(failure)?;
    match session.output() {
        Output::Json => session.print_json(
            "key",
            &serde_json::json!({"secret": file, "public": public, "fingerprint": key.fingerprint(), "user_id": user_id}),
        ),
        Output::Human => session.print(&format!(
            "{}\n    secret key: {} (keep it safe, and out of the repository)\n    public key: {}",
            keys::spaced(&key.fingerprint()),
            file.display(),
            public.display()
        )),
    }
}

fn export(session: &Session, arguments: &Export) -> Result<(), Failure> {
    let file = session.path(&arguments.file)?;
    let public = match SecretKey::read(&file) {
        Ok(secret) => secret.public(),
        Err(_) => PublicKey::read(&file)?,
    };
    session.print(public.armored()?.trim_end())
}

fn judge(session: &Session, arguments: &Lint) -> Result<(), Failure> {
    let time = match arguments.on {
        None => now(),
        Some(date) => date
            .to_zoned(jiff::tz::TimeZone::UTC)
            .map_err(|error| usage(format!("`{date}` is no day: {error}")))?
            .timestamp()
            .as_second(),
    };
    let mut refused = Vec::new();
    for named in &arguments.keys {
        let certificates = if source::is_file(named) {
            Certificates::read(&session.path(named.as_ref())?)?
        } else {
            Certificates::new(vec![KeySource::parse(named, None)?.certificate()?])
        };
        for certificate in certificates.iter() {
            let report = lint::lint(certificate, time);
            if report.is_refused() {
                refused.push(report.fingerprint.clone());
            }
            match session.output() {
                Output::Json => session.print_json("key", &report)?,
                Output::Human => session.print(&described(named, &report))?,
            }
        }
    }
    match refused.as_slice() {
        [] => Ok(()),
        refused => {
            let hint = "make a new key with `packhouse key generate FILE`, and replace this one with `packhouse repo rotate --to FILE`";
            Err(problem(&codes::KEY_REFUSED, format!("clients refuse {}", refused.join(", ")), hint))
        }
    }
}

fn described(name: &str, report: &Report) -> String {
    let Report { fingerprint, user_ids, kind, signs_with, findings } = report;
    let mut text = format!("{name}: {} ({kind}) {}", keys::spaced(fingerprint), user_ids.join(", "));
    match signs_with {
        Some(part) if part != fingerprint => text += &format!("\n    signs with the subkey {part}"),
        Some(_) => {}
        None => text += "\n    packhouse would not sign with it",
    }
    if findings.is_empty() {
        text += "\n    ok: no client is known to refuse it";
    }
    for finding in findings {
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        text += &format!("\n    {severity}[{}]: {}", finding.code, finding.message);
        for refusal in &finding.clients {
            text += &match (&refusal.since, refusal.now) {
                (None, _) => format!("\n        refused by {}", refusal.client),
                (Some(day), true) => format!("\n        refused by {} since {day}", refusal.client),
                (Some(day), false) => format!("\n        will be refused by {} from {day} on", refusal.client),
            };
        }
        text += &format!("\n        help: {}", finding.remedy);
    }
    text
}

fn given(session: &Session, file: Option<&PathBuf>) -> Result<Option<String>, Failure> {
    let file = file.map(|file| session.path(file)).transpose()?;
    Ok(passphrase::given(file.as_deref())?)
}

fn no_terminal() -> Failure {
    let hint = "give the passphrase with --passphrase-file FILE, or in PACKHOUSE_KEY_PASSPHRASE";
    problem(&codes::NO_TERMINAL, "there is no terminal to ask on", hint)
}

fn no_key() -> Failure {
    let hint = "give --key KEY, or set `key` in [repository]; `packhouse key generate FILE` makes one";
    problem(&codes::NO_SIGNING_KEY, "no signing key was named", hint)
}

/// Seconds since 1970.
pub(super) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// The signing keys of the arguments, else of `[repository]`: the present one, and the one that replaces it.
pub(super) fn sources(session: &Session, arguments: &KeyArguments) -> Result<Vec<KeySource>, Failure> {
    if arguments.key.is_empty() {
        let settings = session.settings()?;
        let root = &settings.root;
        let named = |key: &Option<String>, certificate: &Option<PathBuf>| {
            let certificate = certificate.as_ref().map(|path| root.join(path));
            key.as_ref().map(|key| match source::is_file(key) {
                true => Ok(KeySource::File(root.join(key))),
                false => KeySource::parse(key, certificate.as_deref()),
            })
        };
        let repository = &settings.repository;
        let sources: Vec<KeySource> = [
            named(&repository.key, &repository.certificate),
            named(&repository.next_key, &repository.next_certificate),
        ]
        .into_iter()
        .flatten()
        .collect::<Result<_, RepoError>>()?;
        if sources.is_empty() {
            return Err(no_key());
        }
        return Ok(sources);
    }
    let mut certificates = arguments.certificate.iter();
    arguments.key.iter().map(|key| source(session, key, &mut certificates)).collect()
}

/// One key as the command line names it; a command takes the next of `certificates`.
pub(super) fn source<'a>(
    session: &Session,
    key: &str,
    certificates: &mut impl Iterator<Item = &'a PathBuf>,
) -> Result<KeySource, Failure> {
    if source::is_file(key) {
        return Ok(KeySource::File(session.path(key.as_ref())?));
    }
    let certificate = match key.starts_with("command:") {
        true => certificates.next().map(|path| session.path(path)).transpose()?,
        false => None,
    };
    Ok(KeySource::parse(key, certificate.as_deref())?)
}

/// What signs with the keys of the arguments, else of `[repository]`, at `time`.
pub(super) fn signer(session: &Session, arguments: &KeyArguments, time: i64) -> Result<Signer, Failure> {
    let passphrase = given(session, arguments.passphrase_file.as_ref())?;
    let mut signers = Vec::new();
    for source in sources(session, arguments)? {
        signers.push(source.signer(passphrase.as_deref(), &prompt::passphrase, time)?);
    }
    signers.into_iter().reduce(Signer::with).ok_or_else(no_key)
}

/// The certificate of the repository's key.
pub(super) fn certificate(session: &Session, arguments: &KeyArguments) -> Result<PublicKey, Failure> {
    match sources(session, arguments)?.first() {
        Some(source) => Ok(source.certificate()?),
        None => Err(no_key()),
    }
}
