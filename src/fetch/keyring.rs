//! The `keyring` command of the Python project of that name, as pip and uv run it.
//!
//! `keyring get SERVICE USER` prints the password, or exits with 1 and prints nothing when there is none. The service is
//! the URL first, then the host, which is the order of pip and uv.

use std::io;
use std::process::{Command, Stdio};

use url::Url;

use super::credentials::{Login, Secret};
use super::error::Error;
use crate::variables;

/// The user that is asked for when none is known: what package indexes with tokens use.
const TOKEN_USER: &str = "oauth2accesstoken";

/// Asks for the login of `url`.
pub(super) fn get(url: &Url, user: Option<&str>) -> Result<Option<Login>, Error> {
    let Some(host) = url.host_str() else { return Ok(None) };
    let authority = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    let user = user.unwrap_or(TOKEN_USER);
    for service in [url.as_str(), &authority] {
        if let Some(password) = run(service, user)? {
            return Ok(Some(Login { username: user.to_owned(), password }));
        }
    }
    Ok(None)
}

fn run(service: &str, user: &str) -> Result<Option<Secret>, Error> {
    let result = Command::new("keyring")
        .args(["get", service, user])
        .env("PYTHONIOENCODING", "utf-8")
        .env_remove(variables::PACKHOUSE_KEY_PASSPHRASE)
        .env_remove(variables::PACKHOUSE_KEY_PASSPHRASE_FILE)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let output = result.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::Keyring { reason: "there is no `keyring` on PATH".to_owned() },
        _ => Error::Keyring { reason: error.to_string() },
    })?;
    if !output.status.success() {
        return Ok(None);
    }
    let text = String::from_utf8(output.stdout).unwrap_or_default();
    let password = text.lines().next().unwrap_or_default();
    Ok((!password.is_empty()).then(|| Secret::new(password)))
}
