//! `packhouse repo rotate`.

use std::path::PathBuf;

use clap::Args;

use super::super::session::{Session, problem};
use super::super::{Failure, Output, key, prompt};
use crate::diagnostic::codes;
use crate::repo::sign::Signer;
use crate::repo::trust::passphrase;
use crate::repo::trust::rotation::{self, Rotated, RotationOptions, Step};
use crate::repo::{self, Repository};

/// Replace the repository's key: first both sign, later the new one alone.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("step").required(true))]
pub(in crate::cli) struct Rotate {
    /// The repository (default: `path` in [repository]).
    repository: Option<PathBuf>,
    /// Sign with both keys from now on: the present one (--key) and this one.
    #[arg(long, value_name = "KEY", group = "step")]
    to: Option<String>,
    /// The certificate of the new key, when it is a command.
    #[arg(long, value_name = "FILE")]
    to_certificate: Option<PathBuf>,
    /// A file whose first line opens the new key, when its passphrase is another one.
    #[arg(long, value_name = "FILE")]
    to_passphrase_file: Option<PathBuf>,
    /// Drop the old key: the new one (--key, or `next-key` in [repository]) signs alone, packages included.
    #[arg(long, group = "step")]
    finish: bool,
    /// Drop the new key again: the old one (--key) signs alone.
    #[arg(long, group = "step")]
    abort: bool,
    /// Sign with this key alone from now on: the old one is lost or not to be trusted. Clients that have only that one
    /// refuse the repository.
    #[arg(long, value_name = "KEY", group = "step")]
    at_once: Option<String>,
    /// Change nothing: show what would be.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    key: key::KeyArguments,
}

pub(super) fn run(session: &Session, arguments: &Rotate) -> Result<(), Failure> {
    let repository = repo::open(&super::path(session, arguments.repository.as_ref())?)?;
    let time = key::now();
    let options = RotationOptions { dry_run: arguments.dry_run, time, reporter: session.reporter() };
    if let Some(new) = &arguments.at_once {
        let signer = new_key(session, arguments, new, time)?;
        let rotated = rotation::rotate(&repository, &Step::AtOnce, &signer, &options)?;
        return tell(session, &repository, arguments.dry_run, &rotated);
    }
    let signers = key::signer(session, &arguments.key, time)?;
    let configuration = repository.configuration();
    let wanted = match (&configuration.next, arguments.finish) {
        (Some(next), true) => next,
        _ => &configuration.fingerprint,
    };
    let signer = signers.only(wanted).ok_or_else(|| {
        let message = format!("this step is taken with the key {wanted}");
        problem(&codes::NO_SIGNING_KEY, message, "name it with --key")
    })?;
    let step = match &arguments.to {
        Some(to) => Step::To(new_key(session, arguments, to, time)?),
        None if arguments.finish => Step::Finish,
        None => Step::Abort,
    };
    let rotated = rotation::rotate(&repository, &step, &signer, &options)?;
    tell(session, &repository, arguments.dry_run, &rotated)
}

fn tell(session: &Session, repository: &Repository, dry_run: bool, rotated: &Rotated) -> Result<(), Failure> {
    if session.output() == Output::Json {
        return session.print_json("rotation", rotated);
    }
    let would = if dry_run { "(not done) " } else { "" };
    let root = repository.root().display();
    session.print(&match &rotated.next {
        Some(next) => format!(
            "{would}{root} is signed by {} and {next}\n    give clients the new key.gpg and key.asc; publish with both keys \
             (--key twice); when all clients have them: packhouse repo rotate --finish",
            rotated.key
        ),
        None => format!("{would}{root} is signed by {}", rotated.key),
    })?;
    if rotated.packages > 0 {
        session.print(&format!("    {} packages signed anew", rotated.packages))?;
    }
    if rotated.snapshots > 0 {
        session.print(&format!("    {} snapshots signed anew", rotated.snapshots))?;
    }
    Ok(())
}

fn new_key(session: &Session, arguments: &Rotate, to: &str, time: i64) -> Result<Signer, Failure> {
    let source = key::source(session, to, &mut arguments.to_certificate.iter())?;
    let file = arguments.to_passphrase_file.as_ref().or(arguments.key.passphrase_file.as_ref());
    let file = file.map(|file| session.path(file)).transpose()?;
    let passphrase = passphrase::given(file.as_deref())?;
    Ok(source.signer(passphrase.as_deref(), &prompt::passphrase, time)?)
}
