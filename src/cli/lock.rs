//! `packhouse lock`.

use clap::Args;

use super::session::{Session, problem};
use super::{Failure, Output};
use crate::diagnostic::codes;
use crate::ecosystem::{self, Context, Outcome, Upgrade};
use crate::workspace::Member;

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
    let services = project.services(&arguments.services)?;
    if let Upgrade::Names(names) = &upgrade {
        refuse_unknown(session.context(&project), &services, names)?;
    }
    for service in services {
        let outcome = ecosystem::of(service.ecosystem).lock(session.context(&project), service, &upgrade)?;
        tell(session, "locked", service.name.as_str(), outcome)?;
    }
    Ok(())
}

/// A name that no lock has would be passed over in silence. A service without a lock may come to have any.
fn refuse_unknown(context: Context<'_>, services: &[&Member], names: &[String]) -> Result<(), Failure> {
    let mut locked = Vec::new();
    for service in services {
        let ecosystem = ecosystem::of(service.ecosystem);
        let Some(names) = ecosystem.locked(context, service)? else { return Ok(()) };
        locked.extend(names.into_iter().map(|name| (ecosystem, name)));
    }
    let is_locked = |name: &&String| locked.iter().any(|(ecosystem, other)| ecosystem.is_same_name(other, name));
    let Some(unknown) = names.iter().find(|name| !is_locked(name)) else { return Ok(()) };
    let hint = match crate::config::closest(unknown, locked.iter().map(|(_, name)| name.as_str())) {
        Some(near) => format!("did you mean `--upgrade={near}`?"),
        None => "a package that is new comes into the lock by being required".to_owned(),
    };
    let message = format!("`{unknown}`, which is to be upgraded, is in no lock");
    Err(problem(&codes::NOT_LOCKED, message, hint))
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
