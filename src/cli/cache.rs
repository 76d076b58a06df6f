//! `packhouse cache`.

use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::session::{Session, failure};
use super::{Failure, Output};
use crate::cache::{Keep, Removed, Size};

#[derive(Debug, Subcommand)]
pub(super) enum Cache {
    /// Print the directory of the cache.
    Dir,
    /// Show how much it holds, and of what.
    #[command(visible_alias = "size")]
    Info,
    Prune(Prune),
    /// Remove all that it holds; builds that run are waited for.
    Clear,
}

/// Remove what was not used for longest; builds that run are waited for.
///
/// Without an option the cache is brought within its limit, which happens by itself as well.
#[derive(Debug, Args)]
pub(super) struct Prune {
    /// Leave at most so much: 500M, 2G, 2GiB.
    #[arg(long, value_name = "SIZE")]
    size: Option<Size>,
    /// Remove what was not used for so long: 12h, 30d, 8w.
    #[arg(long, value_name = "AGE")]
    older_than: Option<Age>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Age(Duration);

impl FromStr for Age {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || "give it as 12h, 30d or 8w".to_owned();
        let seconds = [("m", 60), ("h", 3600), ("d", 86_400), ("w", 7 * 86_400)];
        let (number, unit) = seconds
            .iter()
            .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, *seconds)))
            .ok_or_else(invalid)?;
        let number: u64 = number.trim().parse().map_err(|_| invalid())?;
        Ok(Self(Duration::from_secs(number.checked_mul(unit).ok_or_else(invalid)?)))
    }
}

pub(super) fn run(session: &Session, command: &Cache) -> Result<(), Failure> {
    match command {
        Cache::Dir => dir(session),
        Cache::Info => info(session),
        Cache::Prune(arguments) => prune(session, arguments),
        Cache::Clear => {
            let removed = session.cache().clear(session.reporter());
            told(session, removed.map_err(failure)?)
        }
    }
}

fn dir(session: &Session) -> Result<(), Failure> {
    let root = session.cache().root();
    match session.output() {
        Output::Json => session.print_json("cache", &serde_json::json!({ "directory": root })),
        Output::Human => session.print(&root.display().to_string()),
    }
}

fn info(session: &Session) -> Result<(), Failure> {
    let cache = session.cache();
    let usage = cache.usage().map_err(failure)?;
    let (total, limit) = (Size(usage.iter().map(|usage| usage.size.0).sum()), cache.limit());
    if session.output() == Output::Json {
        let sections: Vec<_> = usage
            .iter()
            .map(
                |usage| serde_json::json!({ "name": usage.section.name, "size": usage.size, "entries": usage.entries }),
            )
            .collect();
        let document =
            serde_json::json!({ "directory": cache.root(), "size": total, "limit": limit, "sections": sections });
        return session.print_json("cache", &document);
    }
    let limit = limit.map_or("without a limit".to_owned(), |limit| format!("of at most {limit}"));
    session.print(&format!("{}: {total} {limit}", cache.root().display()))?;
    for usage in usage {
        let (size, what) = (usage.size.to_string(), usage.section.what);
        session.print(&format!("{size:>12}  {:<14}  {what} ({})", usage.section.name, usage.entries))?;
    }
    Ok(())
}

fn prune(session: &Session, arguments: &Prune) -> Result<(), Failure> {
    let cache = session.cache();
    let size = match (arguments.size, arguments.older_than) {
        (None, None) => cache.limit(),
        (size, _) => size,
    };
    let keep = Keep { size, used_within: arguments.older_than.map(|age| age.0) };
    told(session, cache.prune(keep, session.reporter()).map_err(failure)?)
}

fn told(session: &Session, removed: Removed) -> Result<(), Failure> {
    match session.output() {
        Output::Json => session
            .print_json("cache-removed", &serde_json::json!({ "entries": removed.entries, "size": removed.size })),
        Output::Human => session.print(&format!("Removed {} in {} entries", removed.size, removed.entries)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_numbers_with_a_unit() {
        let seconds = |text: &str| text.parse::<Age>().map(|age| age.0.as_secs());
        assert_eq!(seconds("30d"), Ok(30 * 86_400));
        assert_eq!(seconds("12h"), Ok(12 * 3600));
        for text in ["", "30", "d", "-1d", "1.5d", "99999999999999999999d", "9999999999999999999w"] {
            assert!(text.parse::<Age>().is_err(), "{text}");
        }
    }
}
