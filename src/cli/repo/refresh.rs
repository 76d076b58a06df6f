//! `packhouse repo refresh`.

use std::path::PathBuf;

use clap::Args;

use super::signing::Signing;
use super::time::shown;
use crate::cli::session::Session;
use crate::cli::{Failure, Output};
use crate::repo::travel;

/// Renew the date of suites before their time is over, and move phased updates on; for a timer.
#[derive(Debug, Args)]
pub(in crate::cli) struct Refresh {
    /// The suites (default: all).
    suite: Vec<String>,
    /// Renew those as well that have more than half of their time left.
    #[arg(long)]
    force: bool,
    /// The repository (default: `path` in [repository]).
    #[arg(long, value_name = "REPO")]
    repo: Option<PathBuf>,
    #[command(flatten)]
    signing: Signing,
}

pub(super) fn run(session: &Session, arguments: &Refresh) -> Result<(), Failure> {
    let repository = super::open(session, arguments.repo.as_ref())?;
    let suites = super::named(&repository, &arguments.suite)?;
    let refreshed =
        arguments.signing.act(session, |actor| Ok(travel::refresh(&repository, &suites, arguments.force, actor)?))?;
    for done in &refreshed {
        if session.output() == Output::Json {
            session.print_json("refresh", done)?;
            continue;
        }
        let due = if done.due.is_empty() { "nothing due".to_owned() } else { done.due.join("; ") };
        let valid = done.valid_until.map(|until| format!(", valid until {}", shown(until))).unwrap_or_default();
        session.print(&format!(
            "{}{}: {due} (generation {} of {}{valid})",
            arguments.signing.would(),
            done.suite,
            done.generation,
            shown(done.date)
        ))?;
    }
    Ok(())
}
