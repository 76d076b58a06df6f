//! `packhouse key`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::session::{Session, failure, usage};
use super::{Failure, Output};
use crate::repo::keys::{self, Algorithm, NewKey, PublicKey, SecretKey};
use crate::variables;

#[derive(Debug, Subcommand)]
pub(super) enum Key {
    Generate(Generate),
    Export(Export),
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
        return Err(usage(format!("`{}` exists; --force replaces it, and with it the key", present.display())));
    }
    session.reporter().step("Making", &format!("a key for {user_id}"));
    let passphrase = passphrase();
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
    fs_err::write(&public, key.public().armored()?).map_err(|error| failure(error.to_string()))?;
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

/// The passphrase of the signing key, from the environment.
pub(super) fn passphrase() -> Option<String> {
    std::env::var(variables::PACKHOUSE_KEY_PASSPHRASE).ok().filter(|passphrase| !passphrase.is_empty())
}

/// Seconds since 1970.
pub(super) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// The signing key of `--key`, else of `[repository] key`.
pub(super) fn signing_key(session: &Session, argument: Option<&PathBuf>) -> Result<SecretKey, Failure> {
    let path = match argument {
        Some(path) => session.path(path)?,
        None => {
            let settings = session.settings()?;
            let key = settings.repository.key.ok_or_else(|| {
                usage(
                    "no signing key: give --key FILE or set `key` in [repository]; `packhouse key generate` makes one"
                        .to_owned(),
                )
            })?;
            settings.root.join(key)
        }
    };
    Ok(SecretKey::read(&path)?)
}
