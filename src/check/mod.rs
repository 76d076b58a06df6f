//! `packhouse check`: what is wrong with a package, before anybody installs it.
//!
//! The rules are of two kinds: those that lintian and rpmlint call errors, so that a package which passes here passes
//! there, and those that they do not know, because they know nothing of private trees: a command that leads nowhere, an
//! interpreter that no dependency brings, the build's own paths in a file. A rule says no only when the package alone
//! proves it; what another package might provide is given the benefit of the doubt.
//!
//! Rules look at a [`Subject`], which is made from a [`crate::package::Package`] that is about to be written or from an
//! artefact of anyone. The catalogue ([`rules`]) is the only source of what `explain`, SARIF and `docs/checks.md` say.

mod artefact;
mod codes;
mod content;
mod package;
mod relation;
mod rules;
mod sarif;
mod shell;
mod subject;

use std::fmt;

use globset::GlobMatcher;
use serde::Serialize;

pub use codes::{find, rules};
pub use sarif::sarif;
pub use subject::Subject;

use crate::diagnostic::{Code, Diagnose, ExitCode};
use crate::target::Format;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Bad style, or wrong in some cases; a person should look.
    Warning,
    /// The package is broken, or no distribution would take it. `build` refuses it.
    Error,
}

impl Severity {
    /// `error`, `warning`, `note`: SARIF's words as well.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Which packages a rule applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Formats {
    /// Both.
    Both,
    /// One of them.
    Only(Format),
}

impl Formats {
    /// Only .deb.
    pub const DEB: Self = Self::Only(Format::Deb);
    /// Only .rpm.
    pub const RPM: Self = Self::Only(Format::Rpm);

    /// Whether `format` is among them.
    pub fn contains(self, format: Format) -> bool {
        match self {
            Self::Both => true,
            Self::Only(only) => only == format,
        }
    }
}

/// One thing that a package must not do.
#[derive(Debug)]
pub struct Rule {
    /// Its name: words in small letters with hyphens, never changed once it is published.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Which packages it applies to.
    pub formats: Formats,
    /// One line.
    pub title: &'static str,
    /// Why it is wrong.
    pub explanation: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
    /// Where it is written: Policy, FHS, a manual page, the tag of lintian or rpmlint that says the same.
    pub source: &'static str,
    find: fn(&Subject) -> Vec<Hit>,
}

/// A place where a rule is broken, before it is known by which name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hit {
    path: Option<String>,
    detail: String,
}

impl Hit {
    /// Something about the package as a whole.
    fn new(detail: impl Into<String>) -> Self {
        Self { path: None, detail: detail.into() }
    }

    /// Something about the file at `path`.
    fn at(path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { path: Some(path.into()), detail: detail.into() }
    }
}

/// A place where a rule is broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule's code.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The installed file; `None` when it is about the package as a whole.
    pub path: Option<String>,
    /// What is wrong here, in one line without control characters.
    pub detail: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}[{}]", self.severity.name(), self.code)?;
        match &self.path {
            Some(path) => write!(out, " {path}: {}", self.detail),
            None => write!(out, " {}", self.detail),
        }
    }
}

/// An exception that somebody took responsibility for.
#[derive(Debug, Clone)]
pub struct Allow {
    /// The rule.
    pub code: String,
    /// The files that it is allowed for; `None` for the whole package.
    pub path: Option<GlobMatcher>,
}

impl Allow {
    fn matches(&self, finding: &Finding) -> bool {
        self.code == finding.code
            && self.path.as_ref().is_none_or(|glob| finding.path.as_ref().is_some_and(|path| glob.is_match(path)))
    }
}

/// More findings of one rule in one package than anybody reads.
const MOST: usize = 100;

/// All that is wrong with `subject` and not allowed: errors first, then by code and path. An exception that was not needed
/// is itself a finding.
pub fn check(subject: &Subject, allows: &[Allow]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut needed = vec![false; allows.len()];
    for rule in rules().filter(|rule| rule.formats.contains(subject.format)) {
        let mut kept = 0;
        for hit in (rule.find)(subject) {
            let path = hit.path.as_deref().map(harmless);
            let finding = Finding { code: rule.code, severity: rule.severity, path, detail: harmless(&hit.detail) };
            let mut allowed = false;
            for (allow, needed) in allows.iter().zip(&mut needed) {
                if allow.matches(&finding) {
                    (allowed, *needed) = (true, true);
                }
            }
            if allowed {
                continue;
            }
            kept += 1;
            if kept <= MOST {
                findings.push(finding);
            }
        }
        if kept > MOST {
            let detail = format!("and {} more of this kind", kept - MOST);
            findings.push(Finding { code: rule.code, severity: rule.severity, path: None, detail });
        }
    }
    for (allow, _) in allows.iter().zip(needed).filter(|(_, needed)| !needed) {
        let place = allow.path.as_ref().map(|glob| format!(" at {}", glob.glob())).unwrap_or_default();
        let detail = format!("`{}`{place} is allowed, but nothing breaks that rule", allow.code);
        findings.push(Finding { code: codes::UNUSED_ALLOW, severity: Severity::Warning, path: None, detail });
    }
    findings.sort_by(|left, right| {
        (right.severity, left.code, &left.path, &left.detail).cmp(&(
            left.severity,
            right.code,
            &right.path,
            &right.detail,
        ))
    });
    findings
}

/// Control characters and those that turn the direction of text, escaped: what is shown comes from packages of anyone.
fn harmless(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_bidirectional(character) {
            clean.extend(character.escape_unicode());
        } else {
            clean.push(character);
        }
    }
    clean
}

/// Characters that make text read otherwise than it is (CVE-2021-42574).
fn is_bidirectional(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `build` made a package that breaks rules.
#[derive(Debug, thiserror::Error)]
#[error("the package breaks {} of packhouse's rules:{}", rules_of(findings), lines_of(findings))]
pub struct Refused {
    /// The errors among the findings.
    pub findings: Vec<Finding>,
}

fn rules_of(findings: &[Finding]) -> String {
    let mut codes: Vec<&str> = findings.iter().map(|finding| finding.code).collect();
    codes.dedup();
    if codes.len() == 1 { "one".to_owned() } else { codes.len().to_string() }
}

fn lines_of(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("\n{finding}")).collect()
}

impl Diagnose for Refused {
    fn code(&self) -> &'static Code {
        &crate::diagnostic::codes::RULES_BROKEN
    }

    fn exit_code(&self) -> ExitCode {
        ExitCode::Policy
    }

    fn hints(&self) -> Vec<String> {
        let code = self.findings.first().map_or("CODE", |finding| finding.code);
        vec![
            format!("run `packhouse explain {code}` to see why this is wrong and what to do"),
            "where it is meant, allow it with a reason under [services.NAME.check] in packhouse.toml".to_owned(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_cannot_talk_to_a_terminal_or_turn_text_around() {
        assert_eq!(harmless("a\u{1b}[31m\nb\u{202e}"), "a\\u{1b}[31m\\u{a}b\\u{202e}");
        assert_eq!(harmless("Grüße"), "Grüße");
    }
}
