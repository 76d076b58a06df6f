//! `packhouse repo retain`.

use std::path::PathBuf;

use clap::Args;

use super::signing::Signing;
use crate::cli::session::Session;
use crate::cli::{Failure, Output};
use crate::repo::travel;

/// Take old versions out of suites that say how many to keep (`repo set SUITE --keep-versions N --keep-days D`).
///
/// Publishing does so for the packages that it touches. The newest version of each stays, and what another package needs.
#[derive(Debug, Args)]
pub(in crate::cli) struct Retain {
    /// The suites (default: all).
    suite: Vec<String>,
    /// The repository (default: `path` in [repository]).
    #[arg(long, value_name = "REPO")]
    repo: Option<PathBuf>,
    #[command(flatten)]
    signing: Signing,
}

pub(super) fn run(session: &Session, arguments: &Retain) -> Result<(), Failure> {
    let repository = super::open(session, arguments.repo.as_ref())?;
    let suites = super::named(&repository, &arguments.suite)?;
    let retained = arguments.signing.act(session, |actor| Ok(travel::retain(&repository, &suites, actor)?))?;
    for done in &retained {
        if session.output() == Output::Json {
            session.print_json("retention", done)?;
            continue;
        }
        let removed: String = done.removed.iter().map(|package| format!("\n    {package}")).collect();
        session.print(&format!(
            "{}{}: {} removed (generation {}){removed}",
            arguments.signing.would(),
            done.suite,
            done.removed.len(),
            done.generation
        ))?;
    }
    Ok(())
}
