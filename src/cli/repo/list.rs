//! `packhouse repo list`.

use std::path::PathBuf;

use clap::Args;

use super::time::shown;
use crate::cli::session::Session;
use crate::cli::{Failure, Output};
use crate::repo::travel;

/// List the suites of a repository.
#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    /// The repository (default: `path` in [repository]).
    repository: Option<PathBuf>,
}

pub(super) fn run(session: &Session, arguments: &List) -> Result<(), Failure> {
    let repository = super::open(session, arguments.repository.as_ref())?;
    for listed in travel::list(&repository)? {
        if session.output() == Output::Json {
            session.print_json("suite", &listed)?;
            continue;
        }
        session.print(&line(&listed))?;
    }
    Ok(())
}

/// One suite for people.
pub(super) fn line(listed: &travel::Listed) -> String {
    if listed.generation == 0 {
        return format!("{}: nothing published", listed.suite);
    }
    let frozen = if listed.frozen { ", frozen" } else { "" };
    let valid = listed.valid_until.map(|until| format!(", valid until {}", shown(until))).unwrap_or_default();
    format!(
        "{}: {} packages, generation {} of {}{valid}{frozen}",
        listed.suite,
        listed.packages,
        listed.generation,
        shown(listed.date)
    )
}
