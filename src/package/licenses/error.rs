//! What the policy of `[licenses]` refuses.

use std::fmt::Write as _;

use spdx::LicenseReq;

use super::{Component, Expression};
use crate::config::{Clarification, LicensePolicy, Settings};
use crate::diagnostic::{Clue, Code, Diagnose, ExitCode, codes, io_code, io_hints};
use crate::digest::Sha256;
use crate::workspace::Member;

/// Why a package may not be made.
#[derive(Debug, thiserror::Error)]
pub enum LicenseError {
    /// A licence file could not be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The policy does not allow what is inside.
    #[error("{package} holds what [licenses] does not allow:{}", listed(offenders))]
    Forbidden {
        /// The service.
        package: String,
        /// All of them.
        offenders: Vec<Offender>,
    },
    /// The licence file that a person looked at has changed.
    #[error(
        "[[licenses.clarify]] for {component} was written for another text: {file} now has the SHA-256 {found}, not {expected}"
    )]
    Changed {
        /// Name and version.
        component: String,
        /// The licence file.
        file: String,
        /// What the configuration says.
        expected: Sha256,
        /// What it is.
        found: String,
    },
}

/// One component that the policy does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offender {
    /// Its name.
    pub name: String,
    /// Its version; `None` for the service's own code.
    pub version: Option<String>,
    /// Its licence.
    pub expression: String,
    /// Whether nothing tells its licence.
    pub unknown: bool,
}

fn listed(offenders: &[Offender]) -> String {
    let mut text = String::new();
    for Offender { name, version, expression, unknown } in offenders {
        let version =
            version.as_deref().map_or_else(|| "(its own code)".to_owned(), |text| text.escape_debug().to_string());
        let licence = if *unknown { "its licence is not known" } else { expression };
        // A String takes whatever is written.
        let _ = write!(text, "\n  {} {version}: {licence}", name.escape_debug());
    }
    text
}

impl Diagnose for LicenseError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Io(error) => io_code(error),
            Self::Forbidden { .. } => &codes::LICENSE_FORBIDDEN,
            Self::Changed { .. } => &codes::LICENSE_CHANGED,
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Io(_) => ExitCode::Failed,
            Self::Forbidden { .. } | Self::Changed { .. } => ExitCode::Policy,
        }
    }

    fn clues(&self) -> Vec<Clue> {
        match self {
            Self::Io(_) => Vec::new(),
            Self::Forbidden { .. } => vec![Clue::Key(vec!["licenses".to_owned(), "allow".to_owned()])],
            Self::Changed { .. } => vec![Clue::Key(vec!["licenses".to_owned(), "clarify".to_owned()])],
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Io(error) => io_hints(error),
            Self::Changed { .. } => {
                vec!["read the text again, then correct `expression` and `sha256` of the entry".to_owned()]
            }
            Self::Forbidden { offenders, .. } => {
                let mut hints = Vec::new();
                let known = offenders.iter().find(|offender| !offender.unknown && offender.version.is_some());
                let unknown = offenders.iter().find(|offender| offender.unknown);
                if offenders.iter().any(|offender| offender.version.is_none()) {
                    hints.push("add the licence of the project's own code to `allow`".to_owned());
                }
                if let Some(Offender { name, expression, .. }) = known {
                    hints.push(format!(
                        "add the licence of a component to `allow`, make an exception for it (`exceptions = [{{ name = \"{}\", \
                         allow = [{}] }}]`), or leave the dependency out",
                        name.escape_debug(),
                        enough(expression)
                    ));
                }
                if let Some(Offender { name, .. }) = unknown {
                    hints.push(format!(
                        "read its licence and say what it is: [[licenses.clarify]] name = \"{}\", expression = \"…\"",
                        name.escape_debug()
                    ));
                }
                hints
            }
        }
    }
}

/// Licences that meet an expression, as an array has them: of alternatives the first.
fn enough(expression: &str) -> String {
    let read = Expression::parse(expression);
    let first = match &read {
        Some(Expression::Any(parts)) => parts.first(),
        other => other.as_ref(),
    };
    let licenses = first.map(Expression::licenses).unwrap_or_default();
    licenses.into_iter().map(|license| format!("\"{license}\"")).collect::<Vec<_>>().join(", ")
}

/// Holds everything against the policy, if there is one.
pub(super) fn check(
    settings: &Settings,
    member: &Member,
    own: &Expression,
    components: &[Component],
) -> Result<(), LicenseError> {
    let policy = &settings.licenses;
    if policy.allow.is_none() {
        return Ok(());
    }
    let mut offenders = Vec::new();
    if !is_allowed(policy, member.name.as_str(), own) {
        offenders.push(Offender {
            name: member.name.to_string(),
            version: None,
            expression: own.to_string(),
            unknown: false,
        });
    }
    for component in components {
        let Some(expression) = &component.expression else { continue };
        if !is_allowed(policy, &component.name, expression) {
            offenders.push(Offender {
                name: component.name.clone(),
                version: Some(component.version.clone()),
                expression: expression.to_string(),
                unknown: *expression == Expression::reference(&component.name),
            });
        }
    }
    if offenders.is_empty() {
        Ok(())
    } else {
        Err(LicenseError::Forbidden { package: member.name.to_string(), offenders })
    }
}

/// Whether an exception of the licence's (`WITH …`) is there or not: it only adds to what the licence permits.
fn is_allowed(policy: &LicensePolicy, name: &str, expression: &Expression) -> bool {
    let extra =
        policy.exceptions.iter().filter(|exception| exception.is_for(name)).flat_map(|exception| &exception.allow);
    let allowed: Vec<_> = policy.allow.iter().flatten().chain(extra).collect();
    expression.is_met(&|license| {
        let bare = LicenseReq { license: license.license.clone(), addition: None };
        allowed.iter().any(|allowed| allowed.satisfies(license) || allowed.satisfies(&bare))
    })
}

/// That the text which a person has looked at is still the same.
pub(super) fn check_clarification(component: &Component, clarification: &Clarification) -> Result<(), LicenseError> {
    let Some(expected) = clarification.sha256 else { return Ok(()) };
    if component.license_files.iter().any(|file| file.content.digests.sha256 == expected) {
        return Ok(());
    }
    let first = component.license_files.first();
    Err(LicenseError::Changed {
        component: format!("{} {}", component.name.escape_debug(), component.version.escape_debug()),
        file: first.map_or_else(|| "its licence file".to_owned(), |file| file.name.escape_debug().to_string()),
        expected,
        found: first.map_or_else(|| "(there is none)".to_owned(), |file| file.content.digests.sha256.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_names_licences_that_may_stand_in_the_configuration() {
        for (expression, expected) in [
            ("MPL-2.0", "\"MPL-2.0\""),
            ("MIT OR ISC", "\"MIT\""),
            ("(MIT AND ISC) OR Zlib", "\"MIT\", \"ISC\""),
            (
                "MIT AND GPL-2.0-only WITH Classpath-exception-2.0",
                "\"MIT\", \"GPL-2.0-only WITH Classpath-exception-2.0\"",
            ),
        ] {
            assert_eq!(enough(expression), expected);
        }
    }
}
