//! Which of a service's scripts become commands of the system.
//!
//! All scripts of an environment stand in its `bin`; only the service's own are linked into `/usr/bin`: its console
//! scripts, and what the repository keeps in `bin/`, copied with the first line that it needs. A repository whose commands
//! carry the organisation's name (`acme-*`) keeps other scripts in `bin/` for developers, so where there is one such
//! command only such ones are taken from there. The settings' `commands` override all of this.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use super::environment::{Environment, Place, ScriptError, rewritten};
use super::launcher;
use super::project::Project;
use crate::config::closest;
use crate::diagnostic::{Clue, Code, Diagnose, ExitCode, codes};
use crate::tree::{Content, Entry, InstallPath, InvalidInstallPath, Node};
use crate::workspace::Member;

/// What is known of the service.
pub(super) struct Own<'a> {
    pub(super) service: &'a Member,
    pub(super) project: &'a Project,
    pub(super) directory: &'a Path,
    pub(super) org: &'a str,
    /// The name of the service's own distribution.
    pub(super) distribution: &'a str,
    /// `commands` of the settings.
    pub(super) chosen: Option<Vec<String>>,
}

/// A command cannot be offered.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The settings name one that is not there.
    #[error("{service} has no command `{command}` ({})", list(known))]
    Unknown {
        /// The service.
        service: String,
        /// What the settings say.
        command: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A script of `bin/` and one of another distribution have one name.
    #[error("the script bin/{command} of {service} and {other} want the same name")]
    Taken {
        /// The service.
        service: String,
        /// The command.
        command: String,
        /// Who has it.
        other: String,
    },
    /// A name that cannot be a command.
    #[error("the script bin/{} of {service} {reason}", command.escape_debug())]
    Name {
        /// The service.
        service: String,
        /// The script.
        command: String,
        /// Why.
        reason: &'static str,
    },
    /// Its first line.
    #[error("{service}: {error}")]
    Script {
        /// The service.
        service: String,
        /// What is wrong.
        #[source]
        error: launcher::Error,
    },
    /// A path that cannot be.
    #[error(transparent)]
    Path(#[from] InvalidInstallPath),
    /// Reading the script.
    #[error(transparent)]
    Io(#[from] io::Error),
}

fn list(known: &[String]) -> String {
    if known.is_empty() { "it has none".to_owned() } else { format!("it has {}", known.join(", ")) }
}

impl Diagnose for Error {
    fn code(&self) -> &'static Code {
        match self {
            Self::Unknown { .. } => &codes::UNKNOWN_COMMAND,
            Self::Taken { .. } => &codes::SAME_COMMAND,
            Self::Name { .. } => &codes::UNUSABLE_COMMAND,
            Self::Script { error, .. } => error.code(),
            Self::Path(_) => &codes::INVALID_INSTALL_PATH,
            Self::Io(error) => crate::diagnostic::io_code(error),
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Unknown { .. } => ExitCode::Usage,
            _ => ExitCode::Failed,
        }
    }

    fn clues(&self) -> Vec<Clue> {
        match self {
            Self::Unknown { service, .. } => vec![Clue::of_service(service, "commands")],
            _ => Vec::new(),
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Unknown { service, command, known } => {
                let place = format!("`commands` of [services.{service}]");
                vec![match closest(command, known.iter().map(String::as_str)) {
                    Some(name) => format!("did you mean `{name}`? Change {place}"),
                    None => format!("change {place}"),
                }]
            }
            Self::Taken { .. } => vec!["rename the script".to_owned()],
            Self::Script { error, .. } => error.hints(),
            Self::Io(error) => crate::diagnostic::io_hints(error),
            Self::Name { .. } | Self::Path(_) => Vec::new(),
        }
    }
}

/// Copies the scripts of `bin/` into the environment and gives the commands of the service with the files they lead to.
pub(super) fn commands(
    own: &Own<'_>,
    place: &Place,
    environment: &mut Environment,
) -> Result<Vec<(String, InstallPath)>, Error> {
    let service = || own.service.name.to_string();
    for name in &own.project.bin {
        add_script(own, place, environment, name)?;
    }
    let from_bin: BTreeSet<&String> = own.project.bin.iter().collect();
    let mut candidates: BTreeSet<String> = own.project.bin.iter().cloned().collect();
    candidates.extend(
        environment
            .commands
            .iter()
            .filter(|(_, distribution)| *distribution == own.distribution)
            .map(|(name, _)| name.clone()),
    );
    let wanted: Vec<String> = match &own.chosen {
        Some(chosen) => {
            let all: BTreeSet<String> = environment.commands.keys().cloned().collect();
            if let Some(unknown) = chosen.iter().find(|name| !all.contains(*name)) {
                let known = candidates.into_iter().collect();
                return Err(Error::Unknown { service: service(), command: unknown.clone(), known });
            }
            chosen.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect()
        }
        None => {
            let prefix = format!("{}-", own.org);
            let is_ours = |name: &String| name.starts_with(&prefix) || name == own.org;
            let some_are_ours = own.project.bin.iter().any(is_ours);
            candidates.into_iter().filter(|name| !from_bin.contains(name) || !some_are_ours || is_ours(name)).collect()
        }
    };
    wanted
        .into_iter()
        .map(|name| {
            let path = place.prefix.join(&format!("bin/{name}"))?;
            Ok((name, path))
        })
        .collect()
}

/// Adds `bin/NAME` of the repository to the environment, unless the service's own wheel has brought it.
fn add_script(own: &Own<'_>, place: &Place, environment: &mut Environment, name: &str) -> Result<(), Error> {
    let service = || own.service.name.to_string();
    if let Some(reason) = launcher::unfit_command(name) {
        return Err(Error::Name { service: service(), command: name.to_owned(), reason });
    }
    match environment.commands.get(name) {
        Some(distribution) if distribution == own.distribution => return Ok(()),
        Some(other) => {
            return Err(Error::Taken { service: service(), command: name.to_owned(), other: other.clone() });
        }
        None => {}
    }
    // The content is taken into memory: the repository may change while packages are written.
    let content = Content::bytes(fs_err::read(own.directory.join("bin").join(name))?);
    let content = rewritten(content, &place.python()?, name).map_err(|error| match error {
        ScriptError::Launcher(error) => Error::Script { service: service(), error },
        ScriptError::Io(error) => Error::Io(error),
    })?;
    let path = place.prefix.join(&format!("bin/{name}"))?;
    environment.tree.insert(path, Entry::root(Node::File(content), 0o755)).map_err(|_| Error::Taken {
        service: service(),
        command: name.to_owned(),
        other: "the environment's interpreter".to_owned(),
    })?;
    environment.commands.insert(name.to_owned(), own.distribution.to_owned());
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::ecosystem::python::environment::assemble;
    use crate::target::PythonVersion;

    fn place() -> Place {
        Place {
            prefix: InstallPath::parse("/usr/lib/acme/acme-api").unwrap(),
            python: PythonVersion::three(11),
            interpreter: InstallPath::parse("/usr/bin/python3.11").unwrap(),
            relative: true,
        }
    }

    /// The commands of a repository with these scripts in `bin/`, whose wheel brings these and others those.
    fn of(bin: &[(&str, &str)], wheel: &[&str], chosen: Option<&[&str]>) -> (Result<Vec<String>, Error>, Environment) {
        let directory = tempfile::tempdir().unwrap();
        fs_err::create_dir(directory.path().join("bin")).unwrap();
        fs_err::write(
            directory.path().join("pyproject.toml"),
            "[project]\nname = \"acme-api\"\nversion = \"1\"\n[build-system]\nrequires = []\nbuild-backend = \"x\"\n",
        )
        .unwrap();
        for (name, text) in bin {
            fs_err::write(directory.path().join("bin").join(name), text).unwrap();
        }
        let mut project = crate::ecosystem::python::project::read(directory.path()).unwrap().unwrap();
        project.bin = bin.iter().map(|(name, _)| (*name).to_owned()).collect();
        let mut environment = assemble(&place(), &[]).unwrap();
        environment.commands = wheel.iter().map(|name| ((*name).to_owned(), "acme-api".to_owned())).collect();
        environment.commands.insert("flask".to_owned(), "flask".to_owned());
        let service = Member {
            name: crate::name::PackageName::parse("acme-api").unwrap(),
            ecosystem_name: "acme-api".to_owned(),
            ecosystem: crate::workspace::EcosystemKind::Python,
            kind: crate::workspace::Kind::Service,
            path: "services/acme-api".into(),
            manifest: "services/acme-api/pyproject.toml".into(),
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
        let own = Own {
            service: &service,
            project: &project,
            directory: directory.path(),
            org: "acme",
            distribution: "acme-api",
            chosen: chosen.map(|chosen| chosen.iter().map(|name| (*name).to_owned()).collect()),
        };
        let result = commands(&own, &place(), &mut environment);
        (result.map(|commands| commands.into_iter().map(|(name, _)| name).collect()), environment)
    }

    #[test]
    fn own_scripts_are_commands_and_those_of_dependencies_are_not() {
        let python = "#!/usr/bin/env python3\n";
        assert_eq!(of(&[("serve", python)], &["api"], None).0.unwrap(), ["api", "serve"]);
        let (commands, environment) =
            of(&[("acme-api", python), ("acme-tool", "#!/bin/sh\n"), ("lint", "#!/bin/sh\n")], &["api"], None);
        assert_eq!(commands.unwrap(), ["acme-api", "acme-tool", "api"], "bin/lint is for developers");
        let texts: BTreeMap<String, String> = environment
            .tree
            .iter()
            .filter_map(|(path, entry)| match &entry.node {
                Node::File(content) => {
                    let mut text = String::new();
                    io::Read::read_to_string(&mut content.open().unwrap(), &mut text).unwrap();
                    Some((path.file_name().to_owned(), text))
                }
                _ => None,
            })
            .collect();
        assert_eq!(texts["acme-api"], "#!/usr/lib/acme/acme-api/bin/python -Iu\n");
        assert_eq!(texts["acme-tool"], "#!/bin/sh\n");
    }

    #[test]
    fn the_settings_choose_and_a_name_that_is_not_there_is_an_error_with_the_nearest() {
        let (commands, _) = of(&[("acme-api", "#!/bin/sh\n")], &["api"], Some(&["flask", "acme-api"]));
        assert_eq!(commands.unwrap(), ["acme-api", "flask"]);
        let error = of(&[("acme-api", "#!/bin/sh\n")], &["api"], Some(&["acme-apo"])).0.unwrap_err();
        assert_eq!(error.to_string(), "acme-api has no command `acme-apo` (it has acme-api, api)");
        assert!(error.hints()[0].contains("did you mean `acme-api`?"), "{:?}", error.hints());
        assert_eq!(error.exit_code(), ExitCode::Usage);
    }

    #[test]
    fn a_script_may_not_take_a_name_that_is_taken() {
        let error = of(&[("flask", "#!/bin/sh\n")], &[], None).0.unwrap_err();
        assert!(error.to_string().contains("flask"), "{error}");
        assert!(of(&[("python3", "#!/bin/sh\n")], &[], None).0.is_err());
        assert!(matches!(of(&[("old", "#!/usr/bin/python2\n")], &[], None).0, Err(Error::Script { .. })));
    }
}
