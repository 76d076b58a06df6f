//! `packhouse completions` and `packhouse man`.

use clap::{Args, CommandFactory as _};

use super::session::{Session, failure};
use super::{Arguments, Failure};

/// Write a completion script for a shell.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell.
    shell: clap_complete::Shell,
}

/// Write the manual page.
#[derive(Debug, Args)]
pub(super) struct Man {}

pub(super) fn run(session: &Session, arguments: &Completions) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "packhouse", &mut script);
    session.print(String::from_utf8_lossy(&script).trim_end())
}

pub(super) fn man(session: &Session, _arguments: &Man) -> Result<(), Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Arguments::command()).render(&mut page).map_err(failure)?;
    session.print(String::from_utf8_lossy(&page).trim_end())
}
