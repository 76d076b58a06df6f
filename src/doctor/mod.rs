//! What this machine lacks for the project at hand, before a build finds out: one finding for each thing that was looked at,
//! with the command that mends it.
//!
//! Nothing is changed and, unless asked for, nothing is requested from the network. What a stage would refuse is a problem
//! here, and told with that stage's own error; what only makes packages less (no isolation, no byte-code) is a warning.

mod places;
mod sources;
mod trust;

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cache::Cache;
use crate::diagnostic::Diagnose;
use crate::ecosystem::{self, Context};
use crate::variables;

/// How it stands with one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Ok,
    /// Work is possible, with less.
    Warning,
    /// Work of this project would fail.
    Problem,
}

/// What was found of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The thing: `uv`, `sandbox`, `disk`.
    pub topic: &'static str,
    /// How it stands.
    pub status: Status,
    /// What was found, as a clause.
    pub message: String,
    /// What mends it.
    pub remedy: Option<String>,
    /// The code of the error that this would be.
    pub code: Option<&'static str>,
}

impl Finding {
    /// As it should be.
    pub fn ok(topic: &'static str, message: impl Into<String>) -> Self {
        Self { topic, status: Status::Ok, message: message.into(), remedy: None, code: None }
    }

    /// Work is possible, with less.
    pub fn warning(topic: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { status: Status::Warning, remedy: Some(remedy.into()), ..Self::ok(topic, message) }
    }

    /// Work would fail.
    pub fn problem(topic: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { status: Status::Problem, ..Self::warning(topic, message, remedy) }
    }

    /// Work would fail with this error.
    pub fn of(topic: &'static str, error: &dyn Diagnose) -> Self {
        let place = error.location().map(|location| {
            let (line, column) = location.line_and_column();
            format!("{}:{line}:{column}: ", location.path.display())
        });
        let message = format!("{}{error}", place.unwrap_or_default());
        let mut hints = error.hints();
        if hints.is_empty() {
            hints.push(format!("`packhouse explain {}`", error.code().name));
        }
        Self { code: Some(error.code().name), ..Self::problem(topic, message, hints.join("; ")) }
    }

    /// The same where the project does not need the thing.
    #[must_use]
    pub fn unless(self, needed: bool) -> Self {
        let status = if needed || self.status == Status::Ok { self.status } else { Status::Warning };
        Self { status, ..self }
    }
}

/// What is looked at.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    /// The project, if there is one.
    pub project: Option<Context<'a>>,
    /// The cache that was asked for.
    pub cache: &'a Cache,
    /// Whether servers may be asked.
    pub network: bool,
}

/// Looks at everything.
pub fn examine(ground: &Ground<'_>) -> Vec<Finding> {
    let mut findings = sources::examine(ground);
    for ecosystem in ecosystem::all() {
        findings.extend(ecosystem.examine(ground));
    }
    findings.extend(places::examine(ground));
    findings.extend(trust::examine(ground));
    findings
}

/// The command that installs a package here: its name in Debian's family and in RPM's.
pub(crate) fn install(debian: &str, rpm: &str) -> String {
    let has = |program: &str| Path::new("/usr/bin").join(program).exists();
    if has("apt-get") {
        format!("sudo apt-get install {debian}")
    } else if has("zypper") {
        format!("sudo zypper install {rpm}")
    } else {
        format!("sudo dnf install {rpm}")
    }
}

/// The first file of this name on PATH.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os(variables::PATH)?;
    let absolute = std::env::split_paths(&path).filter(|directory| directory.is_absolute());
    absolute.map(|directory| directory.join(program)).find(|candidate| candidate.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_project_does_not_need_is_no_problem_and_what_is_in_order_stays_so() {
        let missing = Finding::problem("uv", "there is none", "install it");
        assert_eq!(missing.clone().unless(false).status, Status::Warning);
        assert_eq!(missing.unless(true).status, Status::Problem);
        assert_eq!(Finding::ok("uv", "0.9").unless(false).status, Status::Ok);
    }

    #[test]
    fn an_error_becomes_a_finding_with_its_code_and_what_mends_it() {
        let error = crate::sandbox::Mode::parse("requir").unwrap_err();
        let finding = Finding::of("sandbox", &error);
        assert_eq!(finding.code, Some("unknown-sandbox-mode"));
        assert!(finding.remedy.unwrap().contains("PACKHOUSE_SANDBOX=require"));
    }
}
