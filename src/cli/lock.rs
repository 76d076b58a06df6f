//! `packhouse lock`.

use clap::Args;

use super::session::Session;
use super::{Failure, Output};
use crate::ecosystem::{self, Outcome, Upgrade};

/// Resolve the dependencies of services for every target; write exact versions, URLs, sizes and SHA-256.
#[derive(Debug, Args)]
pub(super) struct Lock {
    /// The services (default: all).
    services: Vec<String>,
    /// Take newer versions: of everything, or of the packages named (`--upgrade=flask,requests`).
    #[arg(long, value_name = "NAME", num_args = 0.., value_delimiter = ',', require_equals = true)]
    upgrade: Option<Vec<String>>,
}

pub(super) fn run(session: &Session, arguments: &Lock) -> Result<(), Failure> {
    let project = session.project()?;
    let upgrade = match &arguments.upgrade {
        None => Upgrade::Nothing,
        Some(names) if names.is_empty() => Upgrade::All,
        Some(names) => Upgrade::Names(names.clone()),
    };
    for service in project.services(&arguments.services)? {
        let outcome = ecosystem::of(service.ecosystem).lock(session.context(&project), service, &upgrade)?;
        tell(session, "locked", service.name.as_str(), outcome)?;
    }
    Ok(())
}

/// One result line: what was done with a service.
pub(super) fn tell(session: &Session, done: &str, service: &str, outcome: Outcome) -> Result<(), Failure> {
    match (session.output(), outcome) {
        (Output::Json, _) => session.print_json(done, &serde_json::json!({"service": service, "outcome": outcome})),
        (Output::Human, Outcome::Fresh) => {
            session.reporter().step("Fresh", service);
            Ok(())
        }
        // The stage has said what it did.
        (Output::Human, Outcome::Changed) => Ok(()),
    }
}
