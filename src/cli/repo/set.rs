//! `packhouse repo set`.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::signing::Signing;
use super::time::span_or_none;
use crate::cli::session::Session;
use crate::cli::{Failure, Output};
use crate::repo::travel::{self, Settings};

/// What can be absent.
type Span = Option<u64>;
type Count = Option<u32>;
type Word = Option<String>;

/// Set options of a suite. A text that is empty leaves its field out.
#[derive(Debug, Args)]
pub(in crate::cli) struct Set {
    /// The suite; `apt/NAME` or `yum/NAME` where both halves have one of the name, or for one that is not there yet.
    suite: String,
    /// How long clients are to believe an index, as in 7d, or none (`Valid-Until`); `repo refresh` renews it.
    #[arg(long, value_name = "SPAN", value_parser = span_or_none)]
    valid_for: Option<Span>,
    /// How many versions of a package are kept, or none for all.
    #[arg(long, value_name = "N", value_parser = count_or_none)]
    keep_versions: Option<Count>,
    /// How many days a version is kept after a newer one came, or none for ever.
    #[arg(long, value_name = "DAYS", value_parser = count_or_none)]
    keep_days: Option<Count>,
    /// Whether nothing enters or leaves the suite.
    #[arg(long, value_name = "yes|no", action = ArgAction::Set, value_parser = yes_or_no)]
    frozen: Option<bool>,
    /// The ring that a yum suite is, or none: `canary` of a suite called `el9-canary`. The repository then has a file for
    /// clients with `$ring` in its URL.
    #[arg(long, value_name = "NAME", value_parser = word_or_none)]
    ring: Option<Word>,
    /// Whether there are `Contents` files.
    #[arg(long, value_name = "yes|no", action = ArgAction::Set, value_parser = yes_or_no)]
    contents: Option<bool>,
    /// Architectures that have an index even without packages.
    #[arg(long, value_name = "ARCH,…", value_delimiter = ',')]
    architectures: Vec<String>,
    /// The `Version` of the distribution.
    #[arg(long, value_name = "TEXT")]
    version: Option<String>,
    /// The `Description`.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// The `Suite`, as in stable.
    #[arg(long = "suite-name", value_name = "TEXT")]
    suite_name: Option<String>,
    /// The `Codename`; cannot change once something was published.
    #[arg(long, value_name = "TEXT")]
    codename: Option<String>,
    /// The `Origin`, where it is not the repository's; cannot change once something was published.
    #[arg(long, value_name = "TEXT")]
    origin: Option<String>,
    /// The `Label`, where it is not the repository's; cannot change once something was published.
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// Whether clients install from the suite only what they are told to; cannot change once something was published.
    #[arg(long, value_name = "yes|no", action = ArgAction::Set, value_parser = yes_or_no)]
    not_automatic: Option<bool>,
    /// Whether what was installed from such a suite is upgraded from it; cannot change once something was published.
    #[arg(long, value_name = "yes|no", action = ArgAction::Set, value_parser = yes_or_no)]
    but_automatic_upgrades: Option<bool>,
    /// Where snapshots are, a URL with @SNAPSHOTID@ in it (default: below the repository's URL).
    #[arg(long, value_name = "URL")]
    snapshots: Option<String>,
    /// Change what clients refuse to see changed.
    #[arg(long)]
    force: bool,
    /// The repository (default: `path` in [repository]).
    #[arg(long, value_name = "REPO")]
    repo: Option<PathBuf>,
    #[command(flatten)]
    signing: Signing,
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("say yes or no".to_owned()),
    }
}

fn count_or_none(text: &str) -> Result<Option<u32>, String> {
    match text {
        "none" => Ok(None),
        _ => match text.parse() {
            Ok(number @ 1..) => Ok(Some(number)),
            _ => Err("say a number from 1 on, or none".to_owned()),
        },
    }
}

#[expect(clippy::unnecessary_wraps, reason = "clap wants it")]
fn word_or_none(text: &str) -> Result<Option<String>, String> {
    Ok((text != "none").then(|| text.to_owned()))
}

pub(super) fn run(session: &Session, arguments: &Set) -> Result<(), Failure> {
    let repository = super::open(session, arguments.repo.as_ref())?;
    let settings = Settings {
        origin: arguments.origin.clone(),
        label: arguments.label.clone(),
        suite: arguments.suite_name.clone(),
        codename: arguments.codename.clone(),
        version: arguments.version.clone(),
        description: arguments.description.clone(),
        architectures: arguments.architectures.clone(),
        not_automatic: arguments.not_automatic,
        but_automatic_upgrades: arguments.but_automatic_upgrades,
        valid_for: arguments.valid_for,
        contents: arguments.contents,
        keep_versions: arguments.keep_versions,
        keep_days: arguments.keep_days,
        frozen: arguments.frozen,
        snapshots: arguments.snapshots.clone(),
        ring: arguments.ring.clone(),
    };
    let done = arguments
        .signing
        .act(session, |actor| Ok(travel::set(&repository, &arguments.suite, &settings, arguments.force, actor)?))?;
    if session.output() == Output::Json {
        return session.print_json("options", &done);
    }
    session.print(&format!(
        "{}{}: {} (generation {})",
        arguments.signing.would(),
        done.suite,
        if done.changed { "set" } else { "unchanged" },
        done.generation
    ))
}
