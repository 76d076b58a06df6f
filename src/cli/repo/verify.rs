//! `packhouse repo verify`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::session::Session;
use crate::cli::{Failure, Output, key};
use crate::repo::verify::{self, Report};
use crate::repo::{self, RepoError};

/// Check everything on the disk against what was published: signatures, indices, packages.
///
/// Each damage is named, with what is lost by it. The exit status is 1 where damage is left.
#[derive(Debug, Args)]
pub(in crate::cli) struct Verify {
    /// The repository (default: `path` in [repository]).
    repository: Option<PathBuf>,
    /// Put back what follows from what is left.
    #[arg(long)]
    repair: bool,
    #[command(flatten)]
    key: key::KeyArguments,
}

pub(super) fn run(session: &Session, arguments: &Verify) -> Result<(), Failure> {
    let repository = repo::open(&super::path(session, arguments.repository.as_ref())?)?;
    let report = if arguments.repair {
        let time = key::now();
        let signer = key::signer(session, &arguments.key, time)?;
        verify::repair(&repository, &signer, time, session.reporter())?
    } else {
        verify::verify(&repository, session.reporter())?
    };
    match session.output() {
        Output::Json => session.print_json("verify", &report)?,
        Output::Human => show(session, &report)?,
    }
    let left = report.damages.iter().filter(|damage| !damage.repaired).count();
    if left == 0 { Ok(()) } else { Err(RepoError::Damaged { files: left, repaired: arguments.repair }.into()) }
}

fn show(session: &Session, report: &Report) -> Result<(), Failure> {
    for checked in &report.suites {
        session.print(&format!(
            "{}: generation {}, {} packages, {} files looked at",
            checked.owner(),
            checked.generation,
            checked.packages,
            checked.files
        ))?;
    }
    for damage in &report.damages {
        let state = if damage.repaired { "repaired" } else { "damaged" };
        session.print(&format!("{state}: {}: {}; {}", damage.path, damage.what, damage.lost))?;
    }
    Ok(())
}
