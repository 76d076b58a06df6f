//! systemd units of a service and what belongs to them: those of the repository, or one generated from its command; users
//! (sysusers.d(5)), directories (tmpfiles.d(5)) and presets (systemd.preset(5)).

mod checks;
mod directives;
mod generated;
mod presets;
mod shipped;
mod sysusers;
mod tmpfiles;
mod unit_file;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

pub(crate) use directives::{names as unit_directives, sections as unit_sections};
pub(super) use sysusers::Sysusers;

use super::{Error, former};
use crate::config::value::stays_inside;
use crate::config::{RestartPolicy, Settings, SystemdSettings, UnitPolicy, UnitSource};
use crate::diagnostic::Location;
use crate::name::PackageName;
use crate::target::{Format, Target};
use crate::tree::{Content, InstallPath, Tree};
use crate::workspace::Member;
use unit_file::UnitFile;

/// What the maintainer scripts must know of the units.
#[derive(Debug, Default)]
pub(super) struct Units {
    /// Of the system's manager.
    pub(super) system: Scope,
    /// Of the users' managers.
    pub(super) user: Scope,
    /// Users and groups that the package makes.
    pub(super) sysusers: Option<Sysusers>,
    /// Base names of the tmpfiles.d files, sorted.
    pub(super) tmpfiles: Vec<String>,
    /// The services' own directories of state, cache and logs, which a purge takes away, sorted.
    pub(super) data: Vec<InstallPath>,
    /// What happens on upgrade.
    pub(super) restart: RestartPolicy,
    /// Enable on first installation.
    pub(super) enable: bool,
    /// Start on first installation.
    pub(super) start: bool,
    /// Units that are treated otherwise, by name.
    pub(super) policies: BTreeMap<String, UnitPolicy>,
    /// Units that the configuration ships as plain files and says nothing of.
    pub(super) shipped: BTreeSet<String>,
}

impl Units {
    /// Whether a unit is enabled on first installation.
    pub(super) fn enables(&self, unit: &str) -> bool {
        self.policies.get(unit).and_then(|policy| policy.enable).unwrap_or(self.enable)
    }

    /// Whether a unit is started on first installation.
    pub(super) fn starts(&self, unit: &str) -> bool {
        self.policies.get(unit).and_then(|policy| policy.start).unwrap_or(self.start)
    }

    /// What happens to a unit on upgrade.
    pub(super) fn restarts(&self, unit: &str) -> RestartPolicy {
        self.policies.get(unit).and_then(|policy| policy.restart()).unwrap_or(self.restart)
    }

    /// Whether anything in the package is for systemd.
    pub(super) fn any(&self) -> bool {
        let scope = |scope: &Scope| !scope.startable.is_empty() || !scope.templates.is_empty();
        scope(&self.system) || scope(&self.user) || self.sysusers.is_some() || !self.tmpfiles.is_empty()
    }
}

/// The units of one kind of manager.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// Units with `[Install]`, templates left out, sorted.
    pub(super) enableable: Vec<String>,
    /// Units that can be started and stopped: all but templates, those first that start others.
    pub(super) startable: Vec<String>,
    /// Those of `startable` that do one job and end, and that something else starts: `Type=oneshot` without `[Install]`.
    pub(super) jobs: Vec<String>,
    /// Templates (`x@.service`), sorted.
    pub(super) templates: Vec<String>,
}

impl Scope {
    fn of(files: &[UnitFile]) -> Self {
        let mut scope = Self::default();
        for file in files.iter().filter(|file| !file.is_drop_in()) {
            let name = file.name.clone();
            if file.is_template() {
                scope.templates.push(name);
                continue;
            }
            if file.has_section("Install") {
                scope.enableable.push(name.clone());
            } else if file.is_job() {
                scope.jobs.push(name.clone());
            }
            scope.startable.push(name);
        }
        scope.sort();
        scope
    }

    /// Adds the units of `other`.
    fn add(&mut self, other: Self) {
        self.enableable.extend(other.enableable);
        self.startable.extend(other.startable);
        self.jobs.extend(other.jobs);
        self.templates.extend(other.templates);
        self.sort();
    }

    fn sort(&mut self) {
        self.enableable.sort();
        self.templates.sort();
        // A service may start with the socket's listening descriptors, so the socket goes first.
        let rank = |name: &str| match name.rsplit_once('.') {
            Some((_, "slice" | "mount")) => 0,
            Some((_, "socket")) => 1,
            Some((_, "path" | "timer")) => 2,
            _ => 3,
        };
        self.startable.sort_by(|left, right| (rank(left), left).cmp(&(rank(right), right)));
    }

    /// Those units that `keep` takes.
    pub(super) fn only(&self, keep: impl Fn(&String) -> bool) -> Self {
        let only = |units: &[String]| units.iter().filter(|unit| keep(unit)).cloned().collect();
        Self {
            enableable: only(&self.enableable),
            startable: only(&self.startable),
            jobs: only(&self.jobs),
            templates: only(&self.templates),
        }
    }

    /// What an upgrade looks after: all but jobs, which end by themselves.
    pub(super) fn managed(&self) -> Vec<String> {
        self.startable.iter().filter(|name| !self.jobs.contains(name)).cloned().collect()
    }

    /// What an upgrade may stop: not what holds other units' processes or files.
    pub(super) fn upgraded(&self) -> Vec<String> {
        let holds = |name: &str| name.ends_with(".slice") || name.ends_with(".mount");
        self.managed().into_iter().filter(|name| !holds(name)).collect()
    }

    /// What an upgrade restarts in place: a socket goes on listening, so that no connection is lost.
    pub(super) fn restarted(&self) -> Vec<String> {
        self.upgraded().into_iter().filter(|name| !name.ends_with(".socket")).collect()
    }

    /// systemctl's patterns for the instances of the templates.
    pub(super) fn instances(&self) -> Vec<String> {
        self.templates.iter().map(|name| name.replacen("@.", "@*.", 1)).collect()
    }
}

/// What a generated unit says of its service.
pub(super) struct ServiceFacts<'a> {
    /// The service.
    pub(super) member: &'a Member,
    /// The package's name.
    pub(super) package: &'a PackageName,
    /// Whether what could not work is left to `packhouse check`: it was written for a tool that does not look.
    pub(super) lenient: bool,
    /// Its absolute directory.
    pub(super) directory: &'a Path,
    /// Its private tree's directory.
    pub(super) prefix: &'a InstallPath,
    /// Where units that were written for another tool take that directory to be.
    pub(super) former: Option<&'a InstallPath>,
    /// One line.
    pub(super) summary: &'a str,
    /// The commands that are linked into `/usr/bin`.
    pub(super) commands: &'a [String],
    /// Whether it runs on a Python interpreter.
    pub(super) python: bool,
}

impl ServiceFacts<'_> {
    fn package(&self) -> &str {
        self.package.as_str()
    }
}

/// Adds the units and what belongs to them to `tree`.
pub(super) fn install(
    settings: &Settings,
    systemd: &SystemdSettings,
    service: &ServiceFacts<'_>,
    target: &Target,
    tree: &mut Tree,
) -> Result<Units, Error> {
    let debian = target.format() == Format::Deb;
    let read = |sources: &[UnitSource]| -> Result<Vec<UnitFile>, Error> {
        sources.iter().map(|source| read_unit(settings, service, source)).collect()
    };
    let mut system = read(&systemd.units)?;
    if let (Some(command), true) = (&systemd.command, systemd.units.is_empty()) {
        system.extend(generated::units(settings, systemd, service, target, command)?);
    }
    let user = read(&systemd.user_units)?;
    if !service.lenient {
        checks::check(service, tree, &system, checks::Manager::System)?;
        checks::check(service, tree, &user, checks::Manager::User)?;
    }

    let mut units = Units {
        data: if systemd.keep_data { Vec::new() } else { data(service.package(), &system) },
        system: Scope::of(&system),
        user: Scope::of(&user),
        restart: systemd.restart,
        enable: systemd.enable.unwrap_or(debian),
        start: systemd.start.unwrap_or(debian),
        policies: policies(systemd),
        ..Units::default()
    };
    for (directory, files) in [(SYSTEM_UNITS, &system), (USER_UNITS, &user)] {
        for file in files {
            add(service, tree, &format!("{directory}/{}", file.name), &file.text)?;
        }
    }
    units.sysusers = sysusers::install(settings, systemd, service, target, tree)?;
    units.tmpfiles = tmpfiles::install(settings, systemd, service, target, tree)?;
    // Debian enables by deb-systemd-helper, RPM by presets alone.
    if !debian {
        presets::install(service, systemd, &units, tree)?;
    }
    Ok(units)
}

/// What is said of single units, by the names that they are installed by.
fn policies(systemd: &SystemdSettings) -> BTreeMap<String, UnitPolicy> {
    let sources = systemd.units.iter().chain(&systemd.user_units);
    sources.filter_map(|source| Some((installed_name(source), source.policy?))).collect()
}

/// `StateDirectory=` and its like of `units` (systemd.exec(5)), where they bear the package's name: another name may be another
/// package's as well. With `DynamicUser=` they are links to what lies below `private`.
fn data(package: &str, units: &[UnitFile]) -> Vec<InstallPath> {
    let mut directories = Vec::new();
    for (key, base) in [("StateDirectory", "/var/lib"), ("CacheDirectory", "/var/cache"), ("LogsDirectory", "/var/log")]
    {
        let values = units.iter().flat_map(|unit| unit.all("Service", key));
        for name in values.flat_map(|directive| directive.value.split_whitespace()) {
            let name = name.split(':').next().unwrap_or_default();
            if name.split('/').next() == Some(package) && !name.contains('%') {
                let paths = [format!("{base}/{name}"), format!("{base}/private/{name}")];
                // What is no path is none to systemd either.
                directories.extend(paths.iter().filter_map(|path| InstallPath::parse(path).ok()));
            }
        }
    }
    directories.sort();
    directories.dedup();
    directories
}

const SYSTEM_UNITS: &str = "/usr/lib/systemd/system";
const USER_UNITS: &str = "/usr/lib/systemd/user";

/// The paths outside the service's own tree at which [`install`] puts files, as far as the settings alone tell.
pub(super) fn installed_paths(systemd: &SystemdSettings, package: &str) -> Vec<String> {
    let below = |directory: &str, files: &[UnitSource]| -> Vec<String> {
        files.iter().map(|file| format!("{directory}/{}", installed_name(file))).collect()
    };
    let mut paths = below(SYSTEM_UNITS, &systemd.units);
    if systemd.units.is_empty() && systemd.command.is_some() {
        paths.extend(generated::names(systemd, package).into_iter().map(|name| format!("{SYSTEM_UNITS}/{name}")));
    }
    paths.extend(below(USER_UNITS, &systemd.user_units));
    paths.extend(below(sysusers::DIRECTORY, &systemd.sysusers));
    paths.extend(below(tmpfiles::DIRECTORY, &systemd.tmpfiles));
    paths
}

/// The name below the directory of its kind: the given one, else the file's own, with the directory of a drop-in before it.
fn installed_name(source: &UnitSource) -> String {
    if let Some(name) = &source.name {
        return name.clone();
    }
    let path = &source.path;
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match path.parent().map(name) {
        Some(parent) if name(path).ends_with(".conf") && parent.ends_with(".d") && is_unit_drop_in(&parent) => {
            format!("{parent}/{}", name(path))
        }
        _ => name(path),
    }
}

/// `x.service.d`, but not `sysusers.d`.
fn is_unit_drop_in(directory: &str) -> bool {
    directory.strip_suffix(".d").is_some_and(|unit| unit.contains('.'))
}

fn read_unit(settings: &Settings, service: &ServiceFacts<'_>, source: &UnitSource) -> Result<UnitFile, Error> {
    let text = read_text(settings, service, "unit", &source.path)?;
    let text = former::rewritten(&text, service.former, service.prefix);
    UnitFile::parse(installed_name(source), text).map_err(|malformed| {
        let text = malformed.text;
        problem(service, malformed.problem, malformed.hint, Some(located(&source.path, &text, malformed.span)))
    })
}

fn located(path: &Path, text: &str, span: std::ops::Range<usize>) -> Location {
    Location::new(path, text, span)
}

/// An error of a unit or of a file that belongs to it.
fn problem(
    service: &ServiceFacts<'_>,
    problem: impl Into<String>,
    hint: impl Into<Option<String>>,
    location: Option<Location>,
) -> Error {
    Error::Systemd {
        package: service.package().to_owned(),
        problem: problem.into(),
        hints: hint.into().into_iter().collect(),
        location: location.map(Box::new),
    }
}

/// The most that a unit, sysusers.d or tmpfiles.d file may have: far more than any has.
const LARGEST: u64 = 1 << 20;

/// The text of a file in the service's directory.
fn read_text(
    settings: &Settings,
    service: &ServiceFacts<'_>,
    what: &'static str,
    file: &Path,
) -> Result<String, Error> {
    let path = service.directory.join(file);
    let refuse = |rule: &str| problem(service, format!("the {what} `{}` {rule}", file.display()), None, None);
    if !path.is_file() {
        let missing = "is not in the service's directory, or is no file";
        let hint = format!("correct the path in [services.{}.systemd]", service.package());
        return Err(problem(service, format!("the {what} `{}` {missing}", file.display()), hint, None));
    }
    if !stays_inside(&settings.root, &path) {
        return Err(refuse("is a link that leads out of the repository"));
    }
    if fs_err::metadata(&path)?.len() > LARGEST {
        return Err(refuse("is larger than a mebibyte"));
    }
    let text = String::from_utf8(fs_err::read(&path)?).map_err(|_| refuse("is not UTF-8"))?;
    if let Some(at) = text.find(|character: char| character.is_control() && !matches!(character, '\n' | '\t')) {
        let rule = format!("the {what} `{}` has a control character", file.display());
        let hint = "save it as plain text with Unix line ends".to_owned();
        return Err(problem(service, rule, hint, Some(located(file, &text, at..at + 1))));
    }
    Ok(text)
}

/// What is wrong with a line of a sysusers.d or tmpfiles.d file.
#[derive(Debug)]
struct LineProblem {
    /// Counted from 1.
    line: usize,
    problem: String,
    hint: Option<String>,
}

fn line_problem(service: &ServiceFacts<'_>, what: &'static str, file: &Path, text: &str, wrong: LineProblem) -> Error {
    let LineProblem { line, problem: rule, hint } = wrong;
    let location = Location::line(file, text, line);
    problem(service, format!("a line of the {what} `{}` {rule}", file.display()), hint, Some(location))
}

/// The fields of a line of sysusers.d(5) and tmpfiles.d(5): words, in quotes if there is white space in them. The seventh
/// is the rest of the line. `None` when a quote is not closed.
fn fields(line: &str) -> Option<Vec<String>> {
    const LAST: usize = 6;
    let mut fields = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() && fields.len() < LAST {
        let mut field = String::new();
        let mut quote = None;
        let mut characters = rest.char_indices();
        let mut end = rest.len();
        while let Some((position, character)) = characters.next() {
            match (quote, character) {
                (None, '"' | '\'') => quote = Some(character),
                (Some(open), _) if character == open => quote = None,
                (_, '\\') => field.extend(characters.next().map(|(_, escaped)| escaped)),
                (None, space) if space.is_whitespace() => {
                    end = position;
                    break;
                }
                _ => field.push(character),
            }
        }
        if quote.is_some() {
            return None;
        }
        fields.push(field);
        rest = rest.get(end..).unwrap_or_default().trim_start();
    }
    if !rest.is_empty() {
        fields.push(rest.to_owned());
    }
    Some(fields)
}

/// Adds a root-owned file of this text.
fn add(service: &ServiceFacts<'_>, tree: &mut Tree, path: &str, text: &str) -> Result<(), Error> {
    let package = service.package().to_owned();
    let path = InstallPath::parse(path).map_err(|invalid| Error::Path { package: package.clone(), invalid })?;
    // A plain file of the same table goes first.
    if service.lenient && tree.get(&path).is_some() {
        return Ok(());
    }
    tree.file(path, Content::bytes(text.as_bytes().to_vec()), 0o644)
        .map_err(|conflict| Error::Conflict { package, conflict })
}

#[cfg(test)]
mod tests;
