//! What commands that sign take.

use std::path::PathBuf;

use clap::Args;

use crate::cli::session::Session;
use crate::cli::{Failure, key};
use crate::repo::sign::Signer;
use crate::repo::travel::Actor;

/// With what a change is signed, or that it is only tried.
#[derive(Debug, Args)]
pub(super) struct Signing {
    /// The signing key (default: `key` in [repository]).
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Change nothing: tell what would be done.
    #[arg(long)]
    pub(super) dry_run: bool,
}

impl Signing {
    /// Does something as who has the key; who only tries needs none.
    pub(super) fn act<T>(
        &self,
        session: &Session,
        work: impl FnOnce(&Actor<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let time = key::now();
        let signer = match self.dry_run {
            true => None,
            false => Some(signer(session, self.key.as_ref(), time)?),
        };
        work(&Actor { signer: signer.as_ref(), time, reporter: session.reporter() })
    }

    /// What stands before a report.
    pub(super) fn would(&self) -> &'static str {
        if self.dry_run { "(not done) " } else { "" }
    }
}

fn signer(session: &Session, key: Option<&PathBuf>, time: i64) -> Result<Signer, Failure> {
    Ok(key::signing_key(session, key)?.signer(key::passphrase().as_deref(), time)?)
}

/// Who does what needs no signature.
pub(super) fn unsigned(session: &Session) -> Actor<'_> {
    Actor { signer: None, time: key::now(), reporter: session.reporter() }
}
