//! `packhouse init`.

use clap::Args;

use super::Failure;
use super::session::{Session, detectors};
use crate::config;
use crate::workspace;

/// Find out what is in the repository and write a commented `packhouse.toml`.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// The organisation's short name: packages install below /usr/lib/ORG (default: guessed from the services' names).
    #[arg(long)]
    org: Option<String>,
    /// Who answers for the packages (default: git's user).
    #[arg(long, value_name = "NAME <MAIL>")]
    maintainer: Option<String>,
}

pub(super) fn run(session: &Session, arguments: &Init) -> Result<(), Failure> {
    let root = config::repository_root(&session.directory()?)?;
    let workspace = workspace::discover_unconfigured(&root, &detectors())?;
    let proposal = config::propose(&root, arguments.org.as_deref(), arguments.maintainer.as_deref(), &workspace)?;
    proposal.write()?;
    session.reporter().step("Wrote", &proposal.path.display().to_string());
    session.reporter().step("Organisation", &format!("{} ({})", proposal.org, proposal.org_reason));
    session.reporter().step("Maintainer", &format!("{} ({})", proposal.maintainer, proposal.maintainer_reason));
    for member in &workspace.members {
        session.reporter().step(&format!("{:?}", member.kind), &format!("{} ({})", member.name, member.reason));
    }
    session.print(if workspace.services().next().is_some() {
        "Next: `packhouse list` shows what was found, `packhouse vendor` downloads what it needs."
    } else {
        "No service was found: `packhouse list` says why; `kind = \"service\"` under [services.NAME] makes one of a library."
    })
}
