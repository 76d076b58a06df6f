//! `packhouse repo show`.

use std::path::PathBuf;

use clap::Args;

use super::list::line;
use super::time::shown;
use crate::cli::session::Session;
use crate::cli::{Failure, Output};
use crate::repo::travel;

/// Show what a suite holds, or all versions of one package of it.
#[derive(Debug, Args)]
pub(in crate::cli) struct Show {
    /// The suite; `apt/NAME` or `yum/NAME` where both halves have one of the name.
    suite: String,
    /// The package.
    package: Option<String>,
    /// The repository (default: `path` in [repository]).
    #[arg(long, value_name = "REPO")]
    repo: Option<PathBuf>,
}

pub(super) fn run(session: &Session, arguments: &Show) -> Result<(), Failure> {
    let repository = super::open(session, arguments.repo.as_ref())?;
    for suite in travel::suites(&repository, &arguments.suite)? {
        match &arguments.package {
            Some(name) => package(session, &travel::package(&repository, &suite, name)?)?,
            None => whole(session, &travel::show(&repository, &suite)?)?,
        }
    }
    Ok(())
}

fn whole(session: &Session, suite: &travel::ShownSuite) -> Result<(), Failure> {
    if session.output() == Output::Json {
        return session.print_json("suite", suite);
    }
    session.print(&line(&suite.suite))?;
    for package in &suite.contents {
        let architectures = package.architectures.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        session.print(&format!("    {} {} ({architectures})", package.name, package.versions.join(", ")))?;
    }
    Ok(())
}

fn package(session: &Session, versions: &[travel::PackageVersion]) -> Result<(), Failure> {
    for version in versions {
        if session.output() == Output::Json {
            session.print_json("package", version)?;
            continue;
        }
        let record = &version.record;
        let component = match record.component.as_str() {
            "" => String::new(),
            component => format!(", {component}"),
        };
        let phase = record.phase.map(|phase| format!(", for {phase} % of the machines")).unwrap_or_default();
        session.print(&format!(
            "{} ({}{component}), published {}{phase}\n    built from {} {}\n    {} ({} bytes)\n    sha256 {}",
            record.identity,
            version.suite,
            shown(record.published),
            record.source,
            record.source_version,
            version.path,
            record.size,
            record.sha256
        ))?;
    }
    Ok(())
}
