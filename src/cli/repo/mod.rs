//! `packhouse repo`: one file per command.

mod import;
mod verify;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::session::{Session, usage};
use super::{Failure, Output, key};
use crate::repo::{self, NewRepository};

#[derive(Debug, Subcommand)]
pub(super) enum Repo {
    Init(Init),
    Import(import::Import),
    Verify(verify::Verify),
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
    /// The key that will sign it (default: `key` in [repository]).
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

pub(super) fn run(session: &Session, command: &Repo) -> Result<(), Failure> {
    match command {
        Repo::Init(arguments) => init(session, arguments),
        Repo::Import(arguments) => import::run(session, arguments),
        Repo::Verify(arguments) => verify::run(session, arguments),
    }
}

fn init(session: &Session, arguments: &Init) -> Result<(), Failure> {
    let path = path(session, arguments.repository.as_ref())?;
    let public = key::signing_key(session, arguments.key.as_ref())?.public();
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

/// The repository of an argument, else of `[repository] path`.
pub(super) fn path(session: &Session, argument: Option<&PathBuf>) -> Result<PathBuf, Failure> {
    if let Some(path) = argument {
        return session.path(path);
    }
    let settings = session.settings()?;
    let path = settings
        .repository
        .path
        .ok_or_else(|| usage("no repository: name it, or set `path` in [repository]".to_owned()))?;
    Ok(settings.root.join(path))
}
