//! `packhouse repo rollback`.

use std::path::PathBuf;

use clap::Args;

use super::signing::Signing;
use super::time::point;
use crate::cli::session::Session;
use crate::cli::{Failure, Output};
use crate::repo::travel::{self, Target};

/// Make a suite hold what it held before: the old content gets a new number and a new date, so that clients take it.
///
/// Packages come back with their phases; the suite's options stay as they are. Machines do not downgrade by themselves
/// what they have installed already.
#[derive(Debug, Args)]
pub(in crate::cli) struct Rollback {
    /// The suite; `apt/NAME` or `yum/NAME` where both halves have one of the name.
    suite: String,
    /// The number of a generation, or a time (UTC; a date alone means its end) at which it was current; see `repo log`
    /// (default: the one before).
    #[arg(long, value_name = "N|TIME", value_parser = target)]
    to: Option<Target>,
    /// The repository (default: `path` in [repository]).
    #[arg(long, value_name = "REPO")]
    repo: Option<PathBuf>,
    #[command(flatten)]
    signing: Signing,
}

fn target(text: &str) -> Result<Target, String> {
    match text.parse() {
        Ok(number) => Ok(Target::Number(number)),
        Err(_) => point(text).map(Target::Time),
    }
}

pub(super) fn run(session: &Session, arguments: &Rollback) -> Result<(), Failure> {
    let repository = super::open(session, arguments.repo.as_ref())?;
    let suite = travel::suite(&repository, &arguments.suite)?;
    let target = arguments.to.unwrap_or(Target::Previous);
    let done = arguments.signing.act(session, |actor| Ok(travel::rollback(&repository, &suite, target, actor)?))?;
    if session.output() == Output::Json {
        return session.print_json("rollback", &done);
    }
    session.print(&match done.unchanged {
        true => format!("{suite} holds what it held in generation {} already", done.to),
        false => format!(
            "{}{suite}: {} packages as in generation {} (generation {})",
            arguments.signing.would(),
            done.packages,
            done.to,
            done.generation
        ),
    })
}
