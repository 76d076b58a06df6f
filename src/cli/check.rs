//! `packhouse check`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::session::{Session, failure, internal, problem};
use super::{Failure, Output};
use crate::build::{ARTEFACTS_FILE, Artefacts};
use crate::check::{self, Finding, Severity, Subject};
use crate::config::closest;
use crate::diagnostic::codes;

/// Look for what is wrong with .deb and .rpm files.
///
/// Finds what lintian and rpmlint call errors, and what they do not know: commands that lead nowhere, interpreters that no
/// dependency brings, paths of the build in files. `packhouse explain CODE` tells more of a finding.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// Packages, directories of them, or a `packhouse-artefacts.json`.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Findings of this kind fail the check as errors do.
    #[arg(long, value_name = "SEVERITY", value_enum)]
    deny: Vec<Deny>,
    /// Do not report this code.
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    allow: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Deny {
    /// What a person should look at.
    Warnings,
    /// What is only worth knowing.
    Notes,
}

pub(super) fn run(session: &Session, arguments: &Check) -> Result<(), Failure> {
    for code in &arguments.allow {
        if check::find(code).is_none() {
            return Err(unknown(code, check::rules().map(|rule| rule.code)));
        }
    }
    let files = artefacts(session, &arguments.files)?;
    if files.is_empty() {
        let hint =
            "name .deb or .rpm files, directories of them, or a packhouse-artefacts.json; `packhouse build` makes them";
        return Err(problem(&codes::NO_PACKAGES_NAMED, "there is no .deb and no .rpm in what was named", hint));
    }
    let mut all = Vec::new();
    for (name, path) in &files {
        session.reporter().step("Checking", name);
        let findings = check::check(&Subject::of_artefact(path)?, &[]);
        let findings: Vec<Finding> =
            findings.into_iter().filter(|finding| !arguments.allow.iter().any(|code| code == finding.code)).collect();
        report(session, name, &findings)?;
        all.push((name.clone(), findings));
    }
    if session.sarif() {
        let document = serde_json::to_string_pretty(&check::sarif(&all));
        session.print(&document.map_err(internal)?)?;
    }
    summary(session, arguments, &all)
}

/// A code that does not exist, with the nearest that does.
pub(super) fn unknown<'a>(code: &str, known: impl Iterator<Item = &'a str>) -> Failure {
    let hint = match closest(code, known) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => "`packhouse explain` lists all codes".to_owned(),
    };
    problem(&codes::UNKNOWN_CODE, format!("no code `{code}`"), hint)
}

/// The packages that arguments name, each with the name to show.
fn artefacts(session: &Session, arguments: &[PathBuf]) -> Result<Vec<(String, PathBuf)>, Failure> {
    let mut all = Vec::new();
    for argument in arguments {
        let path = session.path(argument)?;
        if path.is_dir() {
            let mut found = Vec::new();
            for entry in fs_err::read_dir(&path).map_err(failure)? {
                let entry = entry.map_err(failure)?.path();
                if is_package(&entry) {
                    let name = argument.join(entry.file_name().unwrap_or_default());
                    found.push((name.display().to_string(), entry));
                }
            }
            found.sort();
            all.extend(found);
        } else if path.file_name().is_some_and(|name| name == ARTEFACTS_FILE) {
            for (file, artefact) in Artefacts::read(&path)? {
                let name = argument.with_file_name(&artefact.file);
                all.push((name.display().to_string(), file));
            }
        } else {
            all.push((argument.display().to_string(), path));
        }
    }
    Ok(all)
}

fn is_package(path: &Path) -> bool {
    path.is_file() && path.extension().is_some_and(|extension| extension == "deb" || extension == "rpm")
}

fn report(session: &Session, name: &str, findings: &[Finding]) -> Result<(), Failure> {
    if session.sarif() {
        return Ok(());
    }
    if session.output() == Output::Json {
        for finding in findings {
            let document = serde_json::json!({
                "file": name, "code": finding.code, "severity": finding.severity, "path": finding.path,
                "detail": finding.detail,
            });
            session.print_json("finding", &document)?;
        }
        return Ok(());
    }
    if !findings.is_empty() {
        session.print(name)?;
        for finding in findings {
            session.print(&format!("  {finding}"))?;
        }
    }
    Ok(())
}

fn summary(session: &Session, arguments: &Check, all: &[(String, Vec<Finding>)]) -> Result<(), Failure> {
    let count = |severity| all.iter().flat_map(|(_, findings)| findings).filter(|one| one.severity == severity).count();
    let (errors, warnings, notes) = (count(Severity::Error), count(Severity::Warning), count(Severity::Note));
    let text = format!(
        "{} checked: {}, {}, {}",
        plural(all.len(), "package"),
        plural(errors, "error"),
        plural(warnings, "warning"),
        plural(notes, "note"),
    );
    if !session.sarif() {
        match session.output() {
            Output::Json => {
                let document = serde_json::json!({
                    "packages": all.len(), "errors": errors, "warnings": warnings, "notes": notes,
                });
                session.print_json("summary", &document)?;
            }
            Output::Human => session.print(&text)?,
        }
    }
    let denied = errors
        + if arguments.deny.contains(&Deny::Warnings) { warnings } else { 0 }
        + if arguments.deny.contains(&Deny::Notes) { notes } else { 0 };
    if denied == 0 {
        return Ok(());
    }
    let severities = [(Severity::Error, true), (Severity::Warning, arguments.deny.contains(&Deny::Warnings))];
    let first = all
        .iter()
        .flat_map(|(_, findings)| findings)
        .find(|finding| severities.iter().any(|(severity, counts)| *counts && *severity == finding.severity));
    let code = first.map_or("CODE", |finding| finding.code);
    let hint = format!("`packhouse explain {code}` tells why, and what to do");
    Err(problem(&codes::RULES_BROKEN, format!("the check failed: {}", plural(denied, "finding")), hint))
}

fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
