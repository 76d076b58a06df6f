//! Which CPython a service runs on, on a target.
//!
//! The strongest word first: `python.version` of the service's settings, which is meant strictly; `.python-version`, which
//! developers keep for their own machines and which therefore yields to what a distribution has; `requires-python`; the
//! distribution's own default.

use std::path::Path;
use std::str::FromStr as _;

use pep440_rs::VersionSpecifiers;

use crate::diagnostic::{Clue, Code, Diagnose, ExitCode, codes};
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
        /// Its manifest.
        manifest: Box<Path>,
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
        requires: Box<str>,
        /// What it has.
        available: String,
        /// The target.
        target: String,
        /// Its manifest.
        manifest: Box<Path>,
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
        /// Its manifest.
        manifest: Box<Path>,
    },
    /// The distribution has no interpreter at all.
    #[error("{target} has no Python interpreter")]
    None {
        /// The target.
        target: String,
    },
}

impl Diagnose for InterpreterError {
    fn code(&self) -> &'static Code {
        match self {
            Self::NotThere { .. } | Self::None { .. } => &codes::INTERPRETER_NOT_IN_TARGET,
            Self::Excluded { .. } | Self::Neither { .. } => &codes::PYTHON_EXCLUDED,
            Self::Unreadable { .. } => &codes::INVALID_REQUIRES_PYTHON,
        }
    }

    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn clues(&self) -> Vec<Clue> {
        match self {
            Self::NotThere { service, .. } => vec![Clue::of_service(service, "python.version")],
            Self::Excluded { manifest, .. } | Self::Neither { manifest, .. } | Self::Unreadable { manifest, .. } => {
                let word = |word: &str| Clue::Word { file: manifest.to_path_buf(), word: word.to_owned() };
                vec![word("requires-python"), word("python_requires"), word("python = ")]
            }
            Self::None { .. } => Vec::new(),
        }
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
            Self::None { target } => vec![format!("leave {target} out of `targets` in [project]")],
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
                manifest: member.manifest.as_path().into(),
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
        manifest: member.manifest.as_path().into(),
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
            let (requires, target) = (text.as_str().into(), target.to_string());
            let manifest = member.manifest.as_path().into();
            Err(InterpreterError::Neither { service, wanted, requires, available: available(), target, manifest })
        }
        (None, _, _) if pythons.is_empty() => Err(InterpreterError::None { target: target.to_string() }),
        (None, _, _) => Err(excluded(available())),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;
    use std::sync::Mutex;

    use super::*;
    use crate::cache::Cache;
    use crate::config::{Maintainer, ProjectSettings, PythonSettings, RepositorySettings, ServiceSettings, Settings};
    use crate::ecosystem::python::project::{BuildSystem, Style};
    use crate::name::{OrgName, PackageName};
    use crate::report::{Progress, Reporter, Silent, Unit};
    use crate::target::{distributions, parse_target};
    use crate::workspace::{EcosystemKind, Kind, Workspace};

    #[derive(Default)]
    struct Notes(Mutex<Vec<String>>);
    impl Reporter for Notes {
        fn step(&self, _verb: &str, _subject: &str) {}
        fn note(&self, message: &str) {
            self.0.lock().unwrap().push(message.to_owned());
        }
        fn detail(&self, _message: &str) {}
        fn progress(&self, _label: &str, _total: u64, _unit: Unit) -> Box<dyn Progress> {
            Box::new(Silent)
        }
    }

    /// The interpreter or the error for these words, and the notes.
    fn choose(
        target: &str,
        setting: Option<u8>,
        file: Option<&str>,
        requires: Option<&str>,
    ) -> (Result<PythonVersion, InterpreterError>, Vec<String>) {
        let version = setting.map(PythonVersion::three);
        let service =
            ServiceSettings { python: PythonSettings { version, ..Default::default() }, ..Default::default() };
        let settings = Settings {
            root: PathBuf::from("/r"),
            project: ProjectSettings {
                org: OrgName::parse("acme").unwrap(),
                maintainer: Maintainer { name: "A".to_owned(), mail: "a@example.org".to_owned() },
                homepage: None,
                license: None,
                targets: Vec::new(),
                members: None,
                exclude: globset::GlobSet::empty(),
                vendor: PathBuf::from("vendor"),
                effort: crate::format::Effort::default(),
            },
            indexes: Vec::new(),
            services: BTreeMap::from([("api".to_owned(), service)]),
            adopted: Default::default(),
            distributions: distributions(),
            licenses: crate::config::LicensePolicy::default(),
            repository: RepositorySettings::default(),
        };
        let member = Member {
            name: PackageName::parse("api").unwrap(),
            ecosystem_name: "api".to_owned(),
            ecosystem: EcosystemKind::Python,
            kind: Kind::Service,
            path: PathBuf::from("api"),
            manifest: PathBuf::from("api/pyproject.toml"),
            version: None,
            summary: None,
            license: None,
            reason: String::new(),
            commands: Vec::new(),
            requires: Vec::new(),
            optional: std::collections::BTreeMap::new(),
            dependencies: Vec::new(),
            unread: Vec::new(),
            submodule: None,
        };
        let project = Project {
            directory: PathBuf::from("/r/api"),
            manifest: PathBuf::from("/r/api/pyproject.toml"),
            style: Style::Project,
            name: "api".to_owned(),
            version: None,
            requires_python: requires.map(str::to_owned),
            python_version_file: file.map(str::to_owned),
            dependencies: Vec::new(),
            constraints: Vec::new(),
            paths: Vec::new(),
            urls: Vec::new(),
            options: Default::default(),
            files: Vec::new(),
            optional_dependencies: BTreeMap::new(),
            console_scripts: Vec::new(),
            bin: Vec::new(),
            programs: Vec::new(),
            build_system: BuildSystem { requires: Vec::new(), backend: String::new(), backend_path: Vec::new() },
            summary: None,
            license: None,
            unread: Vec::new(),
        };
        let (notes, cache) = (Notes::default(), Cache::at("/nonexistent"));
        let workspace = Workspace { root: PathBuf::from("/r"), members: Vec::new() };
        let context = Context {
            settings: &settings,
            workspace: &workspace,
            cache: &cache,
            reporter: &notes,
            offline: true,
            locked: true,
            threads: 1,
        };
        let target = parse_target(target, &settings.distributions).unwrap();
        let result = interpreter(context, &member, &project, &target);
        let notes = notes.0.into_inner().unwrap();
        (result, notes)
    }

    #[test]
    fn the_target_s_default_is_taken_when_nothing_else_is_said() {
        assert_eq!(choose("debian-12", None, None, None), (Ok(PythonVersion::three(11)), vec![]));
        assert_eq!(choose("el9", None, None, None).0, Ok(PythonVersion::three(11)));
    }

    #[test]
    fn the_setting_is_strict() {
        assert_eq!(choose("el9", Some(12), Some("3.9"), None).0, Ok(PythonVersion::three(12)));
        let error = choose("debian-12", Some(12), None, None).0.unwrap_err();
        assert!(error.to_string().contains("3.12") && error.to_string().contains("debian-12"), "{error}");
        assert_eq!(error.exit_code(), ExitCode::Usage);
    }

    #[test]
    fn the_python_version_file_is_followed_where_it_can_be_and_noted_where_not() {
        assert_eq!(choose("el9", None, Some("3.12.4"), None), (Ok(PythonVersion::three(12)), vec![]));
        let (result, notes) = choose("debian-13", None, Some("3.11"), Some(">=3.9"));
        assert_eq!(result, Ok(PythonVersion::three(13)));
        assert!(notes[0].contains("3.11") && notes[0].contains("3.13"), "{notes:?}");
        let error = choose("debian-13", None, Some("3.11"), Some("<3.12")).0.unwrap_err();
        assert!(matches!(error, InterpreterError::Neither { .. }) && !error.hints().is_empty());
    }

    #[test]
    fn requires_python_chooses_among_what_the_target_has() {
        assert_eq!(choose("el9", None, None, Some(">=3.12")).0, Ok(PythonVersion::three(12)));
        assert_eq!(choose("el9", None, None, Some("<3.10")).0, Ok(PythonVersion::three(9)));
        assert!(matches!(choose("debian-12", None, None, Some(">=3.12")).0, Err(InterpreterError::Excluded { .. })));
        assert!(matches!(choose("debian-12", None, None, Some("three")).0, Err(InterpreterError::Unreadable { .. })));
    }
}
