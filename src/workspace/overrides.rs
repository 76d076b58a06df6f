//! What `[services.NAME]` says about what was detected.

use std::path::Path;

use super::{EcosystemKind, Error, Kind, Member, Workspace};
use crate::config::{KindSetting, ServiceSettings, Settings, UnitSource, closest, value};
use crate::diagnostic::Location;
use crate::name::PackageName;

/// Applies the tables: a new name for a directory, another kind, other commands.
pub(super) fn apply(settings: &Settings, members: &mut [Member], left_out: &[Member]) -> Result<(), Error> {
    // All tables are matched against the names that were detected before the first one changes a name.
    let mut matches: Vec<(&str, &ServiceSettings, usize)> = Vec::new();
    for (name, table) in &settings.services {
        let index = find(name, table, members).ok_or_else(|| unknown(name, table, members, left_out))?;
        if let Some((other, ..)) = matches.iter().find(|(.., other)| *other == index) {
            return Err(Error::TwoTables {
                first: (*other).to_owned(),
                second: name.clone(),
                path: members.get(index).map(|member| member.path.clone()).unwrap_or_default(),
                location: location(table),
            });
        }
        matches.push((name, table, index));
    }
    for (name, table, index) in matches {
        let Some(member) = members.get_mut(index) else { continue };
        if table.path.is_some()
            && let Ok(renamed) = PackageName::parse(name)
        {
            member.name = renamed;
        }
        if let Some(kind) = table.kind {
            let (kind, word) = match kind {
                KindSetting::Service => (Kind::Service, "service"),
                KindSetting::Library => (Kind::Library, "library"),
            };
            if member.kind != kind {
                member.reason = format!("`kind = \"{word}\"` of [services.{name}] ({})", member.reason);
            }
            member.kind = kind;
        }
        for extra in &table.python.extras {
            member.requires.extend(member.optional.get(extra).cloned().unwrap_or_default());
        }
        if let Some(commands) = &table.commands {
            member.commands.clone_from(commands);
        }
    }
    Ok(())
}

/// The member that a table speaks of; of several in one directory or of one name, the service.
fn find(name: &str, table: &ServiceSettings, members: &[Member]) -> Option<usize> {
    let speaks_of = |member: &Member| match &table.path {
        Some(path) => member.path == *path,
        None => member.name.as_str() == name,
    };
    let candidates = || members.iter().enumerate().filter(|(_, member)| speaks_of(member)).map(|(index, _)| index);
    let service = candidates().find(|index| members.get(*index).is_some_and(|member| member.kind == Kind::Service));
    service.or_else(|| candidates().next())
}

fn unknown(name: &str, table: &ServiceSettings, members: &[Member], left_out: &[Member]) -> Error {
    let hint = if let Some(path) = &table.path {
        let paths = members.iter().filter_map(|member| member.path.to_str());
        match closest(&path.to_string_lossy(), paths) {
            Some(near) => {
                format!("`{}` is neither service nor library; did you mean `path = \"{near}\"`?", path.display())
            }
            None => format!("`{}` is neither service nor library; `packhouse list` shows all", path.display()),
        }
    } else if let Some(member) = left_out.iter().find(|member| member.name.as_str() == name) {
        format!("`{}` is left out by `members` or `exclude` of [project]", member.path.display())
    } else {
        match closest(name, members.iter().map(|member| member.name.as_str())) {
            Some(near) => format!("did you mean `[services.{near}]`?"),
            None if members.is_empty() => "nothing was detected in this repository".to_owned(),
            None => {
                let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).take(20).collect();
                format!("detected: {}", names.join(", "))
            }
        }
    };
    Error::UnknownService { name: name.to_owned(), hint, location: location(table) }
}

fn location(table: &ServiceSettings) -> Option<Box<Location>> {
    table.origin.as_ref().map(|origin| Box::new(origin.location()))
}

/// Checks what only shows when the members are known: files that a table names, commands, tables of another language.
pub(super) fn check(settings: &Settings, workspace: &Workspace) -> Result<(), Error> {
    for (name, table) in &settings.services {
        let found = workspace.members.iter().find(|member| match &table.path {
            Some(path) => member.path == *path && member.name.as_str() == name,
            None => member.name.as_str() == name,
        });
        let Some(member) = found else { continue };
        let problem = |keys: &[&str], problem: String, hint: Option<String>| Error::Setting {
            name: name.clone(),
            key: keys.join("."),
            problem,
            hint,
            location: table.origin.as_ref().and_then(|origin| origin.find(keys)).map(Box::new),
        };
        let has = |key: &str| table.origin.as_ref().is_some_and(|origin| origin.find(&[key]).is_some());
        let (foreign, language) = match member.ecosystem {
            EcosystemKind::Python => ("rust", "Python"),
            EcosystemKind::Rust => ("python", "Rust"),
        };
        if has(foreign) {
            return Err(problem(
                &[foreign],
                format!("`{name}` is a {language} package"),
                Some("remove the table".to_owned()),
            ));
        }
        let directory = workspace.directory(member);
        let systemd = table.systemd.iter().flat_map(|systemd| {
            let of = |keys: &'static [&'static str], files| {
                std::iter::repeat(keys).zip(files).map(|(keys, file): (_, &UnitSource)| (keys, &file.path))
            };
            of(&["systemd", "units"], &systemd.units)
                .chain(of(&["systemd", "user-units"], &systemd.user_units))
                .chain(of(&["systemd", "sysusers"], &systemd.sysusers))
                .chain(of(&["systemd", "tmpfiles"], &systemd.tmpfiles))
        });
        let files = table.config.iter().map(|file| (&["config"][..], file));
        for (keys, file) in files.chain(systemd) {
            if let Some(text) = wrong_file(&workspace.root, &directory, file) {
                return Err(problem(keys, text, Some(format!("paths are relative to `{}`", directory.display()))));
            }
        }
        if let Some(command) = table.systemd.as_ref().and_then(|systemd| systemd.command.as_deref()) {
            let words = shlex::split(command).unwrap_or_default();
            let keys = ["systemd", "command"];
            let Some(first) = words.first() else {
                return Err(problem(&keys, "is no command line: a quote is not closed".to_owned(), None));
            };
            if !member.commands.contains(first) {
                let known = member.commands.iter().map(String::as_str);
                let hint = match closest(first, known.clone()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("its commands: {}", known.collect::<Vec<_>>().join(", ")),
                };
                return Err(problem(&keys, format!("`{first}` is no command of `{name}`"), Some(hint)));
            }
        }
    }
    Ok(())
}

/// Why a file of a service cannot be used.
fn wrong_file(root: &Path, directory: &Path, file: &Path) -> Option<String> {
    let path = directory.join(file);
    if !path.exists() {
        Some(format!("`{}` does not exist", file.display()))
    } else if !value::stays_inside(root, &path) {
        Some(format!("`{}` leads out of the repository", file.display()))
    } else if !path.is_file() {
        Some(format!("`{}` is not a regular file", file.display()))
    } else {
        None
    }
}
