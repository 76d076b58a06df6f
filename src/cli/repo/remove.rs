//! `packhouse repo remove`.

use std::path::PathBuf;

use clap::Args;

use super::signing::{Signing, unsigned};
use crate::cli::session::{Session, problem};
use crate::cli::{Failure, Output};
use crate::diagnostic::codes;
use crate::repo::travel::{self, Removed, Wanted};

/// Take packages out of a suite, or a suite out of the repository.
#[derive(Debug, Args)]
pub(in crate::cli) struct Remove {
    /// The suite; `apt/NAME` or `yum/NAME` where both halves have one of the name.
    suite: String,
    /// Packages, NAME (all versions) or NAME=VERSION.
    package: Vec<Wanted>,
    /// Only those for this architecture.
    #[arg(long, value_name = "ARCH", requires = "package")]
    arch: Option<String>,
    /// Remove the suite itself, with its history.
    #[arg(long = "suite", conflicts_with = "package")]
    whole: bool,
    /// Remove them although packages that stay need them.
    #[arg(long)]
    force: bool,
    /// The repository (default: `path` in [repository]).
    #[arg(long, value_name = "REPO")]
    repo: Option<PathBuf>,
    #[command(flatten)]
    signing: Signing,
}

pub(super) fn run(session: &Session, arguments: &Remove) -> Result<(), Failure> {
    let repository = super::open(session, arguments.repo.as_ref())?;
    let suite = travel::suite(&repository, &arguments.suite)?;
    let would = arguments.signing.would();
    if arguments.whole {
        let done = travel::remove_suite(&repository, &suite, arguments.signing.dry_run, &unsigned(session))?;
        return match session.output() {
            Output::Json => session.print_json("removal", &done),
            Output::Human => session.print(&format!("{would}{suite} removed ({})", done.removed.join(", "))),
        };
    }
    if arguments.package.is_empty() {
        return Err(problem(
            &codes::INVALID_ARGUMENT,
            "no package was named",
            "name those to be removed, or the suite itself with --suite",
        ));
    }
    let (wanted, architecture) = (&arguments.package, arguments.arch.as_deref());
    let done = arguments
        .signing
        .act(session, |actor| Ok(travel::remove(&repository, &suite, wanted, architecture, arguments.force, actor)?))?;
    match session.output() {
        Output::Json => session.print_json("removal", &done),
        Output::Human => session.print(&described(would, &done)),
    }
}

fn described(would: &str, done: &Removed) -> String {
    let Removed { suite, generation, packages, removed, lacking } = done;
    let mut text = format!("{would}{suite}: {} removed, {packages} left (generation {generation})", removed.len());
    for (what, list) in [("", removed), ("lacking: ", lacking)] {
        list.iter().for_each(|line| text.push_str(&format!("\n    {what}{line}")));
    }
    text
}
