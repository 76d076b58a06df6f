//! `packhouse repo gc`.

use std::path::PathBuf;

use clap::Args;

use super::signing::unsigned;
use super::time::span;
use crate::cli::session::Session;
use crate::cli::{Failure, Output};
use crate::repo::travel::{self, GcOptions};

/// Delete what no generation and no snapshot that is kept needs: old generations, their index files, packages.
///
/// Safe while others publish.
#[derive(Debug, Args)]
pub(in crate::cli) struct Gc {
    /// The repository (default: `path` in [repository]).
    repository: Option<PathBuf>,
    /// How long files stay for clients that began with an older index.
    #[arg(long, value_name = "SPAN", default_value = "48h", value_parser = span)]
    grace: u64,
    /// How many generations of each suite stay however old, to be rolled back to.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    keep: u16,
    /// Delete nothing: tell what would be.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(session: &Session, arguments: &Gc) -> Result<(), Failure> {
    let repository = super::open(session, arguments.repository.as_ref())?;
    let options = GcOptions {
        grace: i64::try_from(arguments.grace).unwrap_or(i64::MAX),
        generations: usize::from(arguments.keep),
        dry_run: arguments.dry_run,
    };
    let freed = travel::gc(&repository, options, &unsigned(session))?;
    if session.output() == Output::Json {
        return session.print_json("freed", &freed);
    }
    session.print(&format!(
        "{}{} bytes freed: {} packages, {} index files, {} parts of the state, {} generations",
        if arguments.dry_run { "(not done) " } else { "" },
        freed.bytes,
        freed.packages.files,
        freed.indices.files,
        freed.objects.files,
        freed.generations.files
    ))
}
