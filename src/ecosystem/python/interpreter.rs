//! Which CPython a service runs on, on a target.
//!
//! The strongest word first: `python.version` of the service's settings, which is meant strictly; `.python-version`, which
//! developers keep for their own machines and which therefore yields to what a distribution has; `requires-python`; the
//! distribution's own default.

use std::str::FromStr as _;

use pep440_rs::VersionSpecifiers;

use crate::diagnostic::{Diagnose, ExitCode};
use crate::ecosystem::Context;
use crate::target::{PythonVersion, Target};
use crate::workspace::Member;

use super::project::Project;
use super::tags::PythonEnvironment;

/// Why no interpreter of a target fits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InterpreterError {
    /// The settings want one that the target does not have.
    #[error("{service} is set to CPython {wanted}, which {target} does not have (it has {available})")]
    NotThere {
        /// The service.
        service: String,
        /// What the settings say.
        wanted: PythonVersion,
        /// The target.
        target: String,
        /// What it has.
        available: String,
    },
    /// `requires-python` excludes all that the target has, or the one that was asked for.
    #[error("{service} needs Python {requires}, which CPython {python} of {target} does not meet")]
    Excluded {
        /// The service.
        service: String,
        /// `requires-python`.
        requires: String,
        /// What the target has.
        python: String,
        /// The target.
        target: String,
    },
    /// `.python-version` names one that the target lacks, and what it has is excluded by `requires-python`.
    #[error(
        "the .python-version of {service} names CPython {wanted}, which {target} does not have, and its requires-python {requires} excludes CPython {available}, which it has"
    )]
    Neither {
        /// The service.
        service: String,
        /// What `.python-version` says.
        wanted: PythonVersion,
        /// `requires-python`.
        requires: String,
        /// What it has.
        available: String,
        /// The target.
        target: String,
    },
    /// `requires-python` is no specifier.
    #[error("the requires-python `{requires}` of {service} cannot be read: {reason}")]
    Unreadable {
        /// The service.
        service: String,
        /// `requires-python`.
        requires: String,
        /// Why.
        reason: String,
    },
    /// The distribution has no interpreter at all.
    #[error("{target} has no Python interpreter")]
    None {
        /// The target.
        target: String,
    },
}

impl Diagnose for InterpreterError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::NotThere { service, .. } => vec![format!(
                "change `version` in [services.{service}.python], or leave the target out of `targets` in [project]"
            )],
            Self::Excluded { target, .. } | Self::Neither { target, .. } => vec![
                format!("widen requires-python if the code runs on what {target} has"),
                format!("or leave {target} out of `targets` in [project]"),
            ],
            Self::Unreadable { .. } => vec!["write it as in PEP 440: `>=3.9,<4`".to_owned()],
            Self::None { .. } => Vec::new(),
        }
    }
}

/// The interpreter of `target` that `member`, whose manifest is `project`, runs on. Tells the reporter when
/// `.python-version` could not be followed.
pub fn interpreter(
    context: Context<'_>,
    member: &Member,
    project: &Project,
    target: &Target,
) -> Result<PythonVersion, InterpreterError> {
    let service = member.name.to_string();
    let pythons = &target.distribution.pythons;
    let available = || pythons.iter().map(PythonVersion::to_string).collect::<Vec<_>>().join(", ");
    let requires = match project.requires_python.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        None => None,
        Some(text) => Some((
            text.to_owned(),
            VersionSpecifiers::from_str(text).map_err(|error| InterpreterError::Unreadable {
                service: service.clone(),
                requires: text.to_owned(),
                reason: error.to_string(),
            })?,
        )),
    };
    let admits = |python: PythonVersion| {
        requires.as_ref().is_none_or(|(_, specifiers)| PythonEnvironment::of(target, python).meets(specifiers))
    };
    let excluded = |python: String| InterpreterError::Excluded {
        service: service.clone(),
        requires: requires.as_ref().map(|(text, _)| text.clone()).unwrap_or_default(),
        python,
        target: target.to_string(),
    };

    if let Some(wanted) = context.settings.service(&member.name).python.version {
        if !pythons.contains(&wanted) {
            let target = target.to_string();
            return Err(InterpreterError::NotThere { service, wanted, target, available: available() });
        }
        return if admits(wanted) { Ok(wanted) } else { Err(excluded(wanted.to_string())) };
    }
    let written = project.python_version_file.as_deref().and_then(PythonVersion::parse);
    if let Some(wanted) = written.filter(|wanted| pythons.contains(wanted)) {
        return if admits(wanted) { Ok(wanted) } else { Err(excluded(wanted.to_string())) };
    }
    let best = pythons.iter().copied().find(|&python| admits(python));
    match (best, written, requires.as_ref()) {
        (Some(python), None, _) => Ok(python),
        (Some(python), Some(wanted), _) => {
            context.reporter.note(&format!(
                "{service}: {target} has no CPython {wanted}, which .python-version names; CPython {python} is taken"
            ));
            Ok(python)
        }
        (None, Some(wanted), Some((text, _))) => {
            let (requires, target) = (text.clone(), target.to_string());
            Err(InterpreterError::Neither { service, wanted, requires, available: available(), target })
        }
        (None, _, _) if pythons.is_empty() => Err(InterpreterError::None { target: target.to_string() }),
        (None, _, _) => Err(excluded(available())),
    }
}
