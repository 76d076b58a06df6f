//! `packhouse repo serve`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::super::session::Session;
use super::super::{Failure, Output};
use crate::repo::{self, serve};

/// Serve a repository over HTTP, to try it out; or print the configuration of a real server.
#[derive(Debug, Args)]
pub(in crate::cli) struct Serve {
    /// The repository (default: `path` in [repository]).
    repository: Option<PathBuf>,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    address: String,
    /// Print a configuration for this server, with the same rules, and serve nothing.
    #[arg(long, value_enum, value_name = "SERVER")]
    print: Option<Server>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Server {
    Nginx,
    Caddy,
}

impl Serve {
    /// Whether it goes on until it is interrupted.
    pub(super) fn is_server(&self) -> bool {
        self.print.is_none()
    }
}

pub(super) fn run(session: &Session, arguments: &Serve) -> Result<(), Failure> {
    let repository = repo::open(&super::path(session, arguments.repository.as_ref())?)?;
    if let Some(server) = arguments.print {
        let server = match server {
            Server::Nginx => serve::config::Server::Nginx,
            Server::Caddy => serve::config::Server::Caddy,
        };
        return session.print(serve::config::print(&repository, server)?.trim_end());
    }
    let mut told = Ok(());
    serve::serve(repository.root(), &arguments.address, session.reporter(), |address| {
        let url = format!("http://{address}/");
        told = match session.output() {
            Output::Json => session.print_json("serving", &serde_json::json!({ "url": url })),
            Output::Human => session.print(&format!("{url} serves {} (Ctrl-C ends it)", repository.root().display())),
        };
    })?;
    told
}
