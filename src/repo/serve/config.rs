//! The configuration of real servers, with the same rules as [`super::serve`]: nginx and Caddy.

use minijinja::{Environment, context};

use super::super::error::RepoError;
use super::super::layout::Repository;

const NGINX: &str = include_str!("../../../templates/repository/nginx.conf");
const CADDY: &str = include_str!("../../../templates/repository/Caddyfile");

/// A server that a configuration can be written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// A `server` block for nginx's `conf.d`.
    Nginx,
    /// A Caddyfile.
    Caddy,
}

/// The configuration of `server` for this repository, with the host of its URL.
pub fn print(repository: &Repository, server: Server) -> Result<String, RepoError> {
    let url = repository.configuration().url.as_deref().and_then(|url| url::Url::parse(url).ok());
    let url = url.filter(|url| url.scheme().starts_with("http"));
    let host = url.as_ref().and_then(|url| url.host_str()).unwrap_or("packages.example.org").to_owned();
    let prefix = url.as_ref().map(|url| url.path().trim_end_matches('/').to_owned()).unwrap_or_default();
    let (name, template) = match server {
        Server::Nginx => ("nginx.conf", NGINX),
        Server::Caddy => ("Caddyfile", CADDY),
    };
    let root = quoted(&repository.root().to_string_lossy());
    Environment::new()
        .render_str(template, context! { host, prefix, root })
        .map(|text| text.trim_end().to_owned() + "\n")
        .map_err(|error| RepoError::BadState { path: name.into(), reason: error.to_string() })
}

/// A path in double quotes, as both servers read it; nginx would take a `$` for a variable, and has no way to write it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
