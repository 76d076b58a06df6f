//! What commands that sign take.

use clap::Args;

use crate::cli::session::Session;
use crate::cli::{Failure, key};
use crate::repo::travel::Actor;

/// With what a change is signed, or that it is only tried.
#[derive(Debug, Args)]
pub(super) struct Signing {
    #[command(flatten)]
    key: key::KeyArguments,
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
            false => Some(key::signer(session, &self.key, time)?),
        };
        work(&Actor { signer: signer.as_ref(), time, reporter: session.reporter() })
    }

    /// What stands before a report.
    pub(super) fn would(&self) -> &'static str {
        if self.dry_run { "(not done) " } else { "" }
    }
}

/// Who does what needs no signature.
pub(super) fn unsigned(session: &Session) -> Actor<'_> {
    Actor { signer: None, time: key::now(), reporter: session.reporter() }
}
