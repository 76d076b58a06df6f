//! Running commands, and saying so.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::Result;

/// A line on standard error.
#[expect(clippy::print_stderr, reason = "a developer's tool speaks on standard error")]
pub(crate) fn say(verb: &str, subject: &str) {
    eprintln!("{verb:>12} {subject}");
}

/// A result of several lines, as it is.
#[expect(clippy::print_stderr, reason = "a developer's tool speaks on standard error")]
pub(crate) fn show(text: &str) {
    eprintln!("{text}");
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Runs `command` to its end; an exit status other than 0 is an error with all that it printed.
pub(crate) fn run(command: &mut Command) -> Result<String> {
    let output = output(command)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{command:?} ended with {}\n{}", output.status, text(&output)).into())
}

/// Runs `command` to its end, whatever its status.
pub(crate) fn output(command: &mut Command) -> Result<Output> {
    command.output().map_err(|error| format!("{command:?}: {error}").into())
}

/// Standard output and error of a finished command.
pub(crate) fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A shell script with positional arguments, stopped at its first failing command.
pub(crate) fn shell<S: AsRef<OsStr>>(script: &str, arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail", "-c", script, "shell"]).args(arguments);
    command
}
