//! `packhouse inspect`.

use std::path::PathBuf;

use clap::Args;

use super::session::Session;
use super::{Failure, Output};
use crate::format::inspect;

/// Show what is in a .deb or .rpm: metadata, relations, scripts, files.
#[derive(Debug, Args)]
pub(super) struct Inspect {
    /// The packages.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

pub(super) fn run(session: &Session, arguments: &Inspect) -> Result<(), Failure> {
    for file in &arguments.files {
        let inspection = inspect(&session.path(file)?)?;
        match session.output() {
            Output::Json => session.print_json("package", &inspection)?,
            Output::Human => session.print(inspection.to_string().trim_end())?,
        }
    }
    Ok(())
}
