//! `packhouse repo log`.

use std::path::PathBuf;

use clap::Args;

use super::time::shown;
use crate::cli::session::Session;
use crate::cli::{Failure, Output};
use crate::repo::travel;

/// List the generations of a suite that it can be rolled back to, the newest first.
#[derive(Debug, Args)]
pub(in crate::cli) struct Log {
    /// The suite; `apt/NAME` or `yum/NAME` where both halves have one of the name.
    suite: String,
    /// The repository (default: `path` in [repository]).
    #[arg(long, value_name = "REPO")]
    repo: Option<PathBuf>,
}

pub(super) fn run(session: &Session, arguments: &Log) -> Result<(), Failure> {
    let repository = super::open(session, arguments.repo.as_ref())?;
    for suite in travel::suites(&repository, &arguments.suite)? {
        let generations = travel::log(&repository, &suite)?;
        for generation in &generations {
            match session.output() {
                Output::Json => session.print_json("generation", generation)?,
                Output::Human => session.print(&format!(
                    "{} {} {}, {} packages: {}",
                    suite,
                    generation.number,
                    shown(generation.date),
                    generation.packages,
                    generation.note
                ))?,
            }
        }
        let oldest = generations.last().map_or(1, |generation| generation.number);
        if oldest > 1 && session.output() == Output::Human {
            session.print(&format!("{suite} 1 to {}: collected", oldest - 1))?;
        }
    }
    Ok(())
}
