//! `packhouse repo promote`.

use std::path::PathBuf;

use clap::Args;

use super::signing::Signing;
use crate::cli::session::{Session, problem};
use crate::cli::{Failure, Output};
use crate::diagnostic::codes;
use crate::repo::Suite;
use crate::repo::travel::{self, PromoteOptions, Promotion, Wanted};

/// Put packages of one suite into another: these, or everything.
///
/// A named package enters only when the target has all that it needs and that the source could give it. What is in the
/// target stays there.
#[derive(Debug, Args)]
pub(in crate::cli) struct Promote {
    /// Packages, NAME (its newest version) or NAME=VERSION; everything without.
    package: Vec<Wanted>,
    /// The suite, or ring, that has them.
    #[arg(long, value_name = "SUITE")]
    from: String,
    /// The suite, or ring, that gets them.
    #[arg(long, value_name = "SUITE")]
    to: String,
    /// The names are those of source packages: promote all that was built from them.
    #[arg(long, requires = "package")]
    source: bool,
    /// Make the target when it is not there.
    #[arg(long)]
    create: bool,
    /// Replace packages of the same name and version that have another content.
    #[arg(long)]
    force: bool,
    /// Promote packages although the target lacks what they need.
    #[arg(long)]
    allow_uninstallable: bool,
    /// The repository (default: `path` in [repository]).
    #[arg(long, value_name = "REPO")]
    repo: Option<PathBuf>,
    #[command(flatten)]
    signing: Signing,
}

pub(super) fn run(session: &Session, arguments: &Promote) -> Result<(), Failure> {
    let repository = super::open(session, arguments.repo.as_ref())?;
    let sources = travel::suites(&repository, &arguments.from)?;
    let targets = match travel::suites(&repository, &arguments.to) {
        Ok(targets) => targets,
        Err(_) if arguments.create => sources.iter().map(|from| Suite::of(from.kind, name(&arguments.to))).collect(),
        Err(error) => return Err(error.into()),
    };
    let pairs = sources.iter().filter_map(|from| Some((from, targets.iter().find(|to| to.kind == from.kind)?)));
    let pairs: Vec<(&Suite, &Suite)> = pairs.collect();
    if pairs.is_empty() {
        return Err(problem(
            &codes::INVALID_ARGUMENT,
            format!("`{}` and `{}` are not of one kind", arguments.from, arguments.to),
            "debs cannot enter a yum suite, nor rpms an apt suite; `packhouse repo list` says of which kind each is",
        ));
    }
    let options = PromoteOptions {
        wanted: &arguments.package,
        sources: arguments.source,
        force: arguments.force,
        uninstallable: arguments.allow_uninstallable,
    };
    arguments.signing.act(session, |actor| {
        for (from, to) in pairs {
            let done = travel::promote(&repository, from, to, &options, actor)?;
            match session.output() {
                Output::Json => session.print_json("promotion", &done)?,
                Output::Human => session.print(&described(arguments.signing.would(), &done))?,
            }
        }
        Ok(())
    })
}

/// The name of a suite that is not there yet.
fn name(text: &str) -> &str {
    text.rsplit('/').next().unwrap_or(text)
}

fn described(would: &str, done: &Promotion) -> String {
    let Promotion { from, to, generation, promoted, added, unchanged, lacking, removed, .. } = done;
    let mut text = format!("{would}{to}: {promoted} packages promoted from {} (generation {generation})", from.name);
    let lists = [("", added), ("there already: ", unchanged), ("lacking: ", lacking), ("not kept: ", removed)];
    for (what, list) in lists {
        list.iter().for_each(|line| text.push_str(&format!("\n    {what}{line}")));
    }
    text
}
