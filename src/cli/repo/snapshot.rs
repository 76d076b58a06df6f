//! `packhouse repo snapshot`.

use std::path::PathBuf;

use clap::Args;

use super::signing::{Signing, unsigned};
use super::time::shown;
use crate::cli::session::{Session, problem};
use crate::cli::{Failure, Output, key};
use crate::diagnostic::codes;
use crate::repo::Kind;
use crate::repo::travel::{self, SnapshotId};

/// Keep a copy of suites as they are now, until it is removed; or list them.
///
/// apt 2.7 and later go there by `apt update --snapshot ID` when the repository has a URL and their source says
/// `Snapshot: enable`; others by a source whose URI ends with `apt/snapshot/ID`, dnf and zypper by one that ends with
/// `yum/snapshot/ID/SUITE`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Snapshot {
    /// The suites; with --remove only the snapshot of these is removed.
    suite: Vec<String>,
    /// Its name (default: the time, as in 20261121T160000Z).
    #[arg(long, value_name = "ID")]
    name: Option<SnapshotId>,
    /// List the snapshots that there are.
    #[arg(long, conflicts_with_all = ["name", "remove", "suite"])]
    list: bool,
    /// Remove a snapshot; `repo gc` then collects what only it held.
    #[arg(long, value_name = "ID", conflicts_with = "name")]
    remove: Option<SnapshotId>,
    /// The repository (default: `path` in [repository]).
    #[arg(long, value_name = "REPO")]
    repo: Option<PathBuf>,
    #[command(flatten)]
    signing: Signing,
}

pub(super) fn run(session: &Session, arguments: &Snapshot) -> Result<(), Failure> {
    let repository = super::open(session, arguments.repo.as_ref())?;
    if arguments.list {
        return travel::snapshots(&repository)?.iter().try_for_each(|snapshot| print(session, "", snapshot));
    }
    let mut suites = Vec::new();
    for name in &arguments.suite {
        suites.extend(travel::suites(&repository, name)?);
    }
    let dry_run = arguments.signing.dry_run;
    if let Some(id) = &arguments.remove {
        let meant = if suites.is_empty() { vec![None] } else { suites.iter().map(Some).collect() };
        for suite in meant {
            for removed in travel::remove_snapshot(&repository, id, suite, dry_run, &unsigned(session))? {
                print(session, if dry_run { "(not done) removed: " } else { "removed: " }, &removed)?;
            }
        }
        return Ok(());
    }
    if suites.is_empty() {
        return Err(problem(
            &codes::INVALID_ARGUMENT,
            "no suite was named",
            "name those that the snapshot is of, or give --list, or --remove ID",
        ));
    }
    let id = match &arguments.name {
        Some(id) => id.clone(),
        None => SnapshotId::of_time(key::now())?,
    };
    let taken = arguments.signing.act(session, |actor| Ok(travel::snapshot(&repository, &suites, &id, actor)?))?;
    taken.iter().try_for_each(|snapshot| print(session, arguments.signing.would(), snapshot))
}

fn print(session: &Session, before: &str, snapshot: &travel::Snapshot) -> Result<(), Failure> {
    if session.output() == Output::Json {
        return session.print_json("snapshot", snapshot);
    }
    let at = match snapshot.suite.kind {
        Kind::Apt => format!("{} {}", snapshot.path, snapshot.suite.name),
        Kind::Yum => snapshot.path.clone(),
    };
    session.print(&format!(
        "{before}{}: {}, generation {} of {}, {} packages\n    at {at}",
        snapshot.id,
        snapshot.suite,
        snapshot.generation,
        shown(snapshot.date),
        snapshot.packages
    ))
}
