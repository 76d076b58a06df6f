//! `packhouse build`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::session::{Session, usage};
use super::{Failure, Output};
use crate::build::{self, Options, PreviousSource};
use crate::format::Effort;
use crate::target::{Compression, Target, Unreadable, parse_target};
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
    /// How hard to compress: fast while developing, small for releases (default: `effort` in [project]).
    #[arg(long, value_name = "EFFORT")]
    effort: Option<EffortName>,
    /// The compressor of all packages: zstd, xz or gzip (default: what is best among those that the target reads).
    #[arg(long, value_name = "NAME")]
    compression: Option<CompressionName>,
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

#[derive(Debug, Clone, Copy, ValueEnum)]
enum EffortName {
    Fast,
    Default,
    Small,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum CompressionName {
    Zstd,
    Xz,
    Gzip,
}

impl From<EffortName> for Effort {
    fn from(name: EffortName) -> Self {
        match name {
            EffortName::Fast => Self::Fast,
            EffortName::Default => Self::Default,
            EffortName::Small => Self::Small,
        }
    }
}

impl From<CompressionName> for Compression {
    fn from(name: CompressionName) -> Self {
        match name {
            CompressionName::Zstd => Self::Zstd,
            CompressionName::Xz => Self::Xz,
            CompressionName::Gzip => Self::Gzip,
        }
    }
}

/// The targets with this compressor in place of their own.
fn compressed_with(targets: Vec<Target>, compression: Compression) -> Result<Vec<Target>, Failure> {
    let change = |target: Target| {
        let Target { distribution, architecture } = target;
        Ok(Target { distribution: distribution.compressed_with(compression)?, architecture })
    };
    let changed: Result<_, Unreadable> = targets.into_iter().map(change).collect();
    changed.map_err(|error| usage(format!("{error} ({})", Unreadable::HINT)))
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
    let targets = match arguments.compression {
        Some(compression) => compressed_with(targets, compression.into())?,
        None => targets,
    };
    let effort = arguments.effort.map_or(project.settings.project.effort, Effort::from);
    let out = match &arguments.out {
        Some(out) => session.path(out)?,
        None => project.settings.root.join("target/packhouse"),
    };
    let previous = match &arguments.previous {
        Some(path) => PreviousSource::Path(session.path(path)?),
        None if arguments.no_previous => PreviousSource::Nowhere,
        None => PreviousSource::Repository,
    };
    let options = Options { services, targets, out: out.clone(), previous, effort, force: false };
    let artefacts = build::build(session.context(&project), &options)?;
    for artefact in &artefacts {
        match session.output() {
            Output::Json => session.print_json("artefact", artefact)?,
            Output::Human => session.print(&out.join(&artefact.file).display().to_string())?,
        }
    }
    Ok(())
}
