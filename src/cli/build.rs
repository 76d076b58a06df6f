//! `packhouse build`.

use std::path::PathBuf;

use clap::Args;

use super::session::{Session, usage};
use super::{Failure, Output};
use crate::build::{self, Options, PreviousSource};
use crate::target::parse_target;
use crate::workspace::changes;

/// Build packages from what is vendored, without network.
#[derive(Debug, Args)]
pub(super) struct Build {
    /// The services (default: all).
    services: Vec<String>,
    /// What to build for: debian-12, el9/x86_64, … (default: the project's targets).
    #[arg(short, long, value_name = "TARGET", value_delimiter = ',')]
    target: Vec<String>,
    /// Where the artefacts go (default: target/packhouse in the repository).
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Only the services that differ from this revision, in their own directories or in those of their libraries.
    #[arg(long, value_name = "REV")]
    changed_since: Option<String>,
    /// The packages published last: a repository, a directory of packages, or a .deb or .rpm (default: `path` in
    /// [repository]).
    #[arg(long, value_name = "REPO", conflicts_with = "no_previous")]
    previous: Option<PathBuf>,
    /// Do not compare with what was published.
    #[arg(long)]
    no_previous: bool,
}

pub(super) fn run(session: &Session, arguments: &Build) -> Result<(), Failure> {
    let project = session.project()?;
    let mut services = project.services(&arguments.services)?;
    if let Some(revision) = &arguments.changed_since {
        let changed = changes::since(&project.workspace, revision)?;
        services.retain(|service| changed.contains(service.name.as_str()));
        if services.is_empty() {
            session.reporter().step("Fresh", &format!("no service differs from {revision}"));
        }
    }
    let known = &project.settings.distributions;
    let targets = if arguments.target.is_empty() {
        project.settings.project.targets.clone()
    } else {
        let parsed: Result<Vec<_>, _> = arguments.target.iter().map(|text| parse_target(text, known)).collect();
        parsed.map_err(|error| {
            let names: Vec<&str> = known.iter().map(|distribution| distribution.name.as_str()).collect();
            usage(format!("{error} (known: {})", names.join(", ")))
        })?
    };
    let out = match &arguments.out {
        Some(out) => session.path(out)?,
        None => project.settings.root.join("target/packhouse"),
    };
    let previous = match &arguments.previous {
        Some(path) => PreviousSource::Path(session.path(path)?),
        None if arguments.no_previous => PreviousSource::Nowhere,
        None => PreviousSource::Repository,
    };
    let options = Options { services, targets, out: out.clone(), previous, force: false };
    let artefacts = build::build(session.context(&project), &options)?;
    for artefact in &artefacts {
        match session.output() {
            Output::Json => session.print_json("artefact", artefact)?,
            Output::Human => session.print(&out.join(&artefact.file).display().to_string())?,
        }
    }
    Ok(())
}
