//! Files beside a service's code that packages usually carry: units and configuration files.
//!
//! They are in the package only when the configuration names them: a unit may be an example, and one that does not fit is
//! an error of the build. So `init` proposes those that fit, and says of the others why they do not.

use std::path::{Path, PathBuf};

use super::Fact;
use crate::config::{read_text, value};
use crate::ecosystem::rust::is_described_elsewhere;
use crate::workspace::{EcosystemKind, Member, Workspace};

/// Where people keep units, relative to the service's directory.
const PLACES: [&str; 11] = [
    "",
    "systemd",
    "systemd/system",
    "etc/systemd/system",
    "units",
    "deploy",
    "deploy/systemd",
    "dist",
    "contrib",
    "contrib/systemd",
    "packaging",
];

/// Kinds of units that a service brings along.
const KINDS: [&str; 4] = ["service", "socket", "timer", "path"];

/// No service has more configuration files in its `etc`.
const MOST: usize = 50;

/// What lies beside a service's code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Unit files that run the service's own commands, relative to its directory, sorted.
    pub units: Vec<PathBuf>,
    /// Unit files that do not, each with the reason.
    pub unfit: Vec<(PathBuf, String)>,
    /// Files below `etc`, relative to its directory, sorted.
    pub config: Vec<PathBuf>,
}

impl Found {
    /// Looks into the directory of `service`. Where a table of another tool says what is in the package, it decides.
    pub fn of(workspace: &Workspace, service: &Member) -> Self {
        if service.ecosystem == EcosystemKind::Rust && is_described_elsewhere(workspace, service) {
            return Self::default();
        }
        let directory = workspace.directory(service);
        let mut found = Self::default();
        for place in PLACES {
            for name in names(&directory.join(place)) {
                let path = Path::new(place).join(&name);
                let is_unit = name.rsplit_once('.').is_some_and(|(_, kind)| KINDS.contains(&kind));
                if !is_unit
                    || value::unit(&name).is_err()
                    || !value::stays_inside(&workspace.root, &directory.join(&path))
                {
                    continue;
                }
                match objection(&directory.join(&path), service) {
                    None => found.units.push(path),
                    Some(reason) => found.unfit.push((path, reason)),
                }
            }
        }
        found.units.sort();
        // A socket or a timer starts a service: without it, it is none of ours.
        let started: Vec<PathBuf> = found.units.iter().filter(|unit| kind(unit) == "service").cloned().collect();
        let (units, alone): (Vec<_>, Vec<_>) = found.units.drain(..).partition(|unit| {
            kind(unit) == "service" || started.iter().any(|service| service.file_stem() == unit.file_stem())
        });
        found.units = units;
        let no_service = |unit: PathBuf| (unit, "there is no service of its name beside it".to_owned());
        found.unfit.extend(alone.into_iter().map(no_service));
        found.config = below(&workspace.root, &directory, Path::new("etc"), &found);
        found
    }

    /// Whether there is nothing that a package should carry.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty() && self.config.is_empty()
    }

    /// What a build without a configuration leaves out of the package of `service`, in a sentence.
    pub fn left_out(&self, service: &Member) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let all = self.units.iter().chain(&self.config).map(|path| path.display().to_string());
        Some(format!(
            "{}: {} will not be in the package; `packhouse init` writes a packhouse.toml that takes them",
            service.name,
            all.collect::<Vec<_>>().join(", ")
        ))
    }

    pub(super) fn facts(&self) -> Vec<Fact> {
        let list =
            |paths: &[PathBuf]| paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
        let mut facts = Vec::new();
        if !self.units.is_empty() {
            facts.push(Fact::new("units", list(&self.units)));
        }
        facts.extend(
            self.unfit.iter().map(|(path, reason)| Fact::new("not taken", format!("{}: {reason}", path.display()))),
        );
        if !self.config.is_empty() {
            facts.push(Fact::new("config", list(&self.config)));
        }
        facts
    }
}

fn kind(unit: &Path) -> &str {
    unit.extension().and_then(|kind| kind.to_str()).unwrap_or_default()
}

/// The names of the regular files in a directory, sorted; none when it cannot be read.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs_err::read_dir(directory).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let mut names: Vec<String> = files.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// Why a unit is none of the service's.
fn objection(path: &Path, service: &Member) -> Option<String> {
    let text = match read_text(path) {
        Ok(text) => text,
        Err(error) => return Some(error.to_string()),
    };
    if kind(path) != "service" {
        return None;
    }
    let commands =
        text.lines().filter_map(|line| line.trim().strip_prefix("ExecStart=")).filter(|line| !line.is_empty());
    let mut commands = commands.map(|line| {
        let first = line.split_whitespace().next().unwrap_or_default();
        first.trim_start_matches(['@', '-', ':', '+', '!'])
    });
    let is_ours = |command: &str| {
        let name = command.strip_prefix("/usr/bin/").unwrap_or(command);
        service.commands.iter().any(|ours| ours == name)
    };
    let Some(first) = commands.next() else { return Some("it starts nothing".to_owned()) };
    let wrong = std::iter::once(first).chain(commands).find(|command| !is_ours(command))?;
    Some(format!("it starts `{wrong}`, which is no command of {} in /usr/bin", service.name))
}

/// The files of a directory and those below it that are no units, relative to `directory`, sorted.
fn below(root: &Path, directory: &Path, path: &Path, units: &Found) -> Vec<PathBuf> {
    let walk = walkdir::WalkDir::new(directory.join(path)).sort_by_file_name().into_iter().flatten();
    let files = walk.filter(|entry| entry.file_type().is_file() && value::stays_inside(root, entry.path()));
    let relative = files.filter_map(|entry| entry.path().strip_prefix(directory).ok().map(Path::to_path_buf));
    let mut files: Vec<PathBuf> = relative
        .filter(|file| !units.units.contains(file) && !units.unfit.iter().any(|(unfit, _)| unfit == file))
        .filter(|file| file.to_str().is_some_and(|text| value::file_path(text).is_ok()))
        .filter(|file| !file.to_string_lossy().split('/').any(|part| part.starts_with('.')))
        .take(MOST + 1)
        .collect();
    // A directory of this name with hundreds of files is not what the name says.
    if files.len() > MOST {
        files.clear();
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{Detector, discover_unconfigured};

    fn found(files: &[(&str, &str)]) -> Found {
        let directory = tempfile::tempdir().unwrap();
        let manifest = "[project]\nname = \"acme-api\"\nversion = \"1\"\n[project.scripts]\nacme-api = \"a:m\"\n";
        for (path, text) in files.iter().chain(&[("pyproject.toml", manifest)]) {
            let path = directory.path().join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        }
        let python = &crate::ecosystem::python::Python as &dyn Detector;
        let workspace = discover_unconfigured(directory.path(), &[python]).unwrap();
        Found::of(&workspace, workspace.service("acme-api").unwrap())
    }

    #[test]
    fn units_that_start_the_services_commands_are_taken_with_what_starts_them() {
        let unit = "[Service]\nExecStartPre=/bin/true\nExecStart=-/usr/bin/acme-api --config /etc/acme/x\n";
        let found = found(&[
            ("systemd/acme-api.service", unit),
            ("systemd/acme-api.timer", "[Timer]\nOnCalendar=daily\n"),
            ("systemd/other.timer", "[Timer]\nOnCalendar=daily\n"),
            ("deploy/local.service", "[Service]\nExecStart=/usr/local/bin/acme-api\n"),
            ("notes.service", "[Unit]\n"),
        ]);
        assert_eq!(found.units, [Path::new("systemd/acme-api.service"), Path::new("systemd/acme-api.timer")]);
        let reasons: Vec<String> =
            found.unfit.iter().map(|(path, reason)| format!("{}: {reason}", path.display())).collect();
        assert_eq!(
            reasons,
            [
                "notes.service: it starts nothing",
                "deploy/local.service: it starts `/usr/local/bin/acme-api`, which is no command of acme-api in /usr/bin",
                "systemd/other.timer: there is no service of its name beside it"
            ]
        );
    }

    #[test]
    fn what_lies_in_etc_is_configuration_but_for_units_and_hidden_files() {
        let unit = "[Service]\nExecStart=/usr/bin/acme-api\n";
        let found = found(&[
            ("etc/acme-api.toml", "a"),
            ("etc/conf.d/b.toml", "b"),
            ("etc/.swp", "c"),
            ("etc/systemd/system/acme-api.service", unit),
        ]);
        assert_eq!(found.config, [Path::new("etc/acme-api.toml"), Path::new("etc/conf.d/b.toml")]);
        assert_eq!(found.units, [Path::new("etc/systemd/system/acme-api.service")]);
    }
}
