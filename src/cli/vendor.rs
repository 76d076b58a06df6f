//! `packhouse vendor`.

use clap::Args;

use super::Failure;
use super::session::Session;
use crate::ecosystem;

/// Fill the vendor directories of services from their locks; lock first what has no lock or one that is out of date (an error under
/// --locked).
#[derive(Debug, Args)]
pub(super) struct Vendor {
    /// The services (default: all).
    services: Vec<String>,
}

pub(super) fn run(session: &Session, arguments: &Vendor) -> Result<(), Failure> {
    let project = session.project()?;
    for service in project.services(&arguments.services)? {
        let outcome = ecosystem::of(service.ecosystem).vendor(session.context(&project), service)?;
        super::lock::tell(session, "vendored", service.name.as_str(), outcome)?;
    }
    Ok(())
}
