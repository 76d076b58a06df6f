//! `packhouse repo`: one file per command.

mod gc;
mod list;
mod log;
mod promote;
mod refresh;
mod remove;
mod retain;
mod rollback;
mod set;
mod show;
mod signing;
mod snapshot;
mod time;

mod phase;
mod rotate;

mod page;
mod serve;

mod import;
mod verify;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::session::{Session, problem};
use super::{Failure, Output, key};
use crate::diagnostic::codes;
use crate::repo::{self, NewRepository};

#[derive(Debug, Subcommand)]
pub(super) enum Repo {
    Init(Init),
    List(list::List),
    Show(show::Show),
    Log(log::Log),
    Promote(promote::Promote),
    Remove(remove::Remove),
    Rollback(rollback::Rollback),
    Snapshot(snapshot::Snapshot),
    Set(Box<set::Set>),
    Refresh(refresh::Refresh),
    Retain(retain::Retain),
    Gc(gc::Gc),
    Phase(phase::Phase),
    Rotate(rotate::Rotate),
    Serve(serve::Serve),
    Page(page::Page),
    Import(import::Import),
    Verify(verify::Verify),
}

impl Repo {
    /// Whether it goes on until it is interrupted, and then ends by itself.
    pub(super) fn is_server(&self) -> bool {
        matches!(self, Self::Serve(command) if command.is_server())
    }
}

/// Make an empty repository.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// The directory (default: `path` in [repository]).
    repository: Option<PathBuf>,
    /// Who publishes; clients remember it, so it cannot change later (default: the project's org).
    #[arg(long)]
    origin: Option<String>,
    /// A short name for people; cannot change later either (default: the origin).
    #[arg(long)]
    label: Option<String>,
    /// One line about it.
    #[arg(long)]
    description: Option<String>,
    /// The URL under which clients will see the directory; without it the clients' files name the directory itself.
    #[arg(long)]
    url: Option<String>,
    #[command(flatten)]
    key: key::KeyArguments,
}

pub(super) fn run(session: &Session, command: &Repo) -> Result<(), Failure> {
    match command {
        Repo::Init(arguments) => init(session, arguments),
        Repo::List(arguments) => list::run(session, arguments),
        Repo::Show(arguments) => show::run(session, arguments),
        Repo::Log(arguments) => log::run(session, arguments),
        Repo::Promote(arguments) => promote::run(session, arguments),
        Repo::Remove(arguments) => remove::run(session, arguments),
        Repo::Rollback(arguments) => rollback::run(session, arguments),
        Repo::Snapshot(arguments) => snapshot::run(session, arguments),
        Repo::Set(arguments) => set::run(session, arguments),
        Repo::Refresh(arguments) => refresh::run(session, arguments),
        Repo::Retain(arguments) => retain::run(session, arguments),
        Repo::Gc(arguments) => gc::run(session, arguments),
        Repo::Phase(arguments) => phase::run(session, arguments),
        Repo::Rotate(arguments) => rotate::run(session, arguments),
        Repo::Serve(arguments) => serve::run(session, arguments),
        Repo::Page(arguments) => page::run(session, arguments),
        Repo::Import(arguments) => import::run(session, arguments),
        Repo::Verify(arguments) => verify::run(session, arguments),
    }
}

fn init(session: &Session, arguments: &Init) -> Result<(), Failure> {
    let path = path(session, arguments.repository.as_ref())?;
    let public = key::certificate(session, &arguments.key)?;
    let origin = match &arguments.origin {
        Some(origin) => origin.clone(),
        None => session.settings()?.project.org.to_string(),
    };
    let label = arguments.label.clone().unwrap_or_else(|| origin.clone());
    let description = arguments.description.clone().unwrap_or_else(|| format!("Packages of {label}"));
    let new = NewRepository {
        origin: &origin,
        label: &label,
        description: &description,
        url: arguments.url.as_deref(),
        key: &public,
    };
    let repository = repo::init(&path, &new)?;
    match session.output() {
        Output::Json => session.print_json("repository", repository.configuration()),
        Output::Human => session.print(&repository.root().display().to_string()),
    }
}

/// The repository of an argument, opened.
fn open(session: &Session, argument: Option<&PathBuf>) -> Result<repo::Repository, Failure> {
    Ok(repo::open(&path(session, argument)?)?)
}

/// The suites of these names; all without.
fn named(repository: &repo::Repository, names: &[String]) -> Result<Vec<repo::Suite>, Failure> {
    if names.is_empty() {
        return Ok(repository.suites());
    }
    let mut suites = Vec::new();
    for name in names {
        suites.extend(repo::travel::suites(repository, name)?);
    }
    Ok(suites)
}

/// The repository of an argument, else of `[repository] path`.
pub(super) fn path(session: &Session, argument: Option<&PathBuf>) -> Result<PathBuf, Failure> {
    if let Some(path) = argument {
        return session.path(path);
    }
    let settings = session.settings()?;
    let path = settings.repository.path.ok_or_else(|| {
        let hint = "name its directory, or set `path` in [repository] of packhouse.toml";
        problem(&codes::NO_REPOSITORY_NAMED, "no repository was named", hint)
    })?;
    Ok(settings.root.join(path))
}
