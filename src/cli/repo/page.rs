//! `packhouse repo page`.

use std::path::PathBuf;

use clap::Args;

use super::super::session::Session;
use super::super::{Failure, Output};
use crate::repo::{self, page};

/// Write the repository's site anew: an index, lists, and a page for each package.
///
/// Every command that changes a repository keeps the site up to date; after a change of more than 1,000 packages it leaves
/// the site to this command.
#[derive(Debug, Args)]
pub(in crate::cli) struct Page {
    /// The repository (default: `path` in [repository]).
    repository: Option<PathBuf>,
    /// Remove the site, and write none from now on (until this command is given without the option).
    #[arg(long)]
    off: bool,
}

pub(super) fn run(session: &Session, arguments: &Page) -> Result<(), Failure> {
    let mut repository = repo::open(&super::path(session, arguments.repository.as_ref())?)?;
    repository.set_page(!arguments.off, session.reporter())?;
    let packages = if arguments.off {
        page::remove(&repository)?;
        None
    } else {
        Some(page::write(&repository, session.reporter())?)
    };
    let index = repository.root().join("index.html");
    match (session.output(), packages) {
        (Output::Json, packages) => {
            session.print_json("page", &serde_json::json!({ "index": packages.map(|_| index), "packages": packages }))
        }
        (Output::Human, Some(packages)) => session.print(&format!("{} and {packages} pages", index.display())),
        (Output::Human, None) => session.print("the repository has no site now"),
    }
}
