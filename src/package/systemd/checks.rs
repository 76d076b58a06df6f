//! What would make a unit fail on the machine, found while the package is made: a command that the package does not have,
//! a timer, socket or path without the service that it starts, an `[Install]` section that enables nothing.

use super::unit_file::{Directive, UnitFile};
use super::{Error, ServiceFacts, problem};
use crate::diagnostic::Location;
use crate::tree::{InstallPath, Tree};

/// Whose manager the units are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manager {
    System,
    User,
}

/// Checks all units of one manager.
pub(super) fn check(
    service: &ServiceFacts<'_>,
    tree: &Tree,
    files: &[UnitFile],
    manager: Manager,
) -> Result<(), Error> {
    let units: Vec<&UnitFile> = files.iter().filter(|file| !file.is_drop_in()).collect();
    for file in files {
        sections(service, file)?;
        commands(service, tree, file)?;
        if !file.is_drop_in() {
            content(service, file)?;
            activated(service, &units, file)?;
            install_section(service, &units, file, manager)?;
        }
    }
    Ok(())
}

/// An error at a directive of a unit.
fn at(
    service: &ServiceFacts<'_>,
    file: &UnitFile,
    directive: Option<&Directive>,
    text: String,
    hint: impl Into<Option<String>>,
) -> Error {
    let span = directive.map(|directive| directive.span.clone());
    problem(service, text, hint, span.map(|span| Location::new(&file.name, file.text.as_str(), span)))
}

/// The sections that a kind of unit has beside `[Unit]` and `[Install]` (systemd.unit(5) and the page of the kind).
fn own_section(kind: &str) -> Option<&'static str> {
    match kind {
        "service" => Some("Service"),
        "socket" => Some("Socket"),
        "timer" => Some("Timer"),
        "path" => Some("Path"),
        "mount" => Some("Mount"),
        "slice" => Some("Slice"),
        _ => None,
    }
}

fn sections(service: &ServiceFacts<'_>, file: &UnitFile) -> Result<(), Error> {
    let own = own_section(file.kind());
    for (name, span) in file.sections() {
        let known = name == "Unit" || name == "Install" || name.starts_with("X-") || Some(name.as_str()) == own;
        if !known {
            let own = own.map(|own| format!("`[{own}]`, ")).unwrap_or_default();
            let hint = format!("systemd reads only {own}`[Unit]` and `[Install]` of a .{}", file.kind());
            let location = Location::new(&file.name, file.text.as_str(), span.clone());
            let text = format!("`{}` has the section `[{name}]`, which systemd would ignore", file.name);
            return Err(problem(service, text, hint, Some(location)));
        }
    }
    Ok(())
}

/// What a unit of a kind must have for systemd to load it.
fn content(service: &ServiceFacts<'_>, file: &UnitFile) -> Result<(), Error> {
    let any = |section: &str, keys: &[&str]| {
        file.directives.iter().any(|directive| {
            directive.section == section
                && !directive.value.is_empty()
                && keys.iter().any(|key| directive.key.starts_with(key))
        })
    };
    let (good, missing) = match file.kind() {
        "service" => (
            any("Service", &["ExecStart", "ExecStop"]) || any("Unit", &["SuccessAction", "FailureAction"]),
            "`ExecStart=` in `[Service]`",
        ),
        "socket" => (any("Socket", &["Listen"]), "a `Listen…=` in `[Socket]`"),
        "timer" => (any("Timer", &["On"]), "an `On…=` in `[Timer]`"),
        "path" => (
            any("Path", &["PathExists", "PathChanged", "PathModified", "DirectoryNotEmpty"]),
            "a condition in `[Path]`",
        ),
        "mount" => (any("Mount", &["What"]) && any("Mount", &["Where"]), "`What=` and `Where=` in `[Mount]`"),
        _ => (true, ""),
    };
    if good {
        return Ok(());
    }
    Err(at(service, file, None, format!("`{}` has no {missing}: systemd would not load it", file.name), None))
}

/// Where programs of the distribution are. What stands elsewhere is of no package, or must be in this one.
const SYSTEM_DIRECTORIES: [&str; 6] = ["/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/etc/"];

/// Commands that are not there when the unit starts.
fn commands(service: &ServiceFacts<'_>, tree: &Tree, file: &UnitFile) -> Result<(), Error> {
    for directive in file.directives.iter().filter(|directive| directive.key.starts_with("Exec")) {
        if matches!(directive.key.as_str(), "ExecPaths" | "ExecSearchPath") || directive.value.is_empty() {
            continue;
        }
        // Prefixes of systemd.service(5), COMMAND LINES.
        let line = directive.value.trim_start_matches(['@', '-', ':', '+', '!', '|']);
        let program = line.split_whitespace().next().unwrap_or_default().trim_matches(['"', '\'']);
        // Specifiers are known on the machine only.
        if program.contains('%') {
            continue;
        }
        let unknown = |hint: String| {
            let text = format!("`{}` runs `{program}`, which is not in the package", file.name);
            Err(at(service, file, Some(directive), text, hint))
        };
        let known = service.commands.join(", ");
        if let Some(name) = program.strip_prefix("/usr/bin/") {
            let own = service.member.commands.iter().any(|command| command == name);
            if own && !service.commands.iter().any(|command| command == name) {
                return unknown(format!("list `{name}` in `commands` of [services.{}]", service.package()));
            }
            continue;
        }
        if !program.starts_with('/') {
            // systemd looks for a bare name where the distribution's programs are.
            if program.contains('/') || service.commands.iter().any(|command| command == program) {
                return unknown(format!("write the whole path: `/usr/bin/{}`", program.trim_start_matches("./")));
            }
            continue;
        }
        let Ok(path) = InstallPath::parse(program) else {
            return unknown("write the path without `.`, `..` and empty parts".to_owned());
        };
        let system = SYSTEM_DIRECTORIES.iter().any(|directory| program.starts_with(directory));
        let local = program.starts_with("/usr/local/");
        if tree.get(&path).is_none() && (path.is_within(service.prefix) || !system || local) {
            return unknown(format!("run one of the package's commands ({known}) by its path in /usr/bin"));
        }
    }
    Ok(())
}

/// A timer, socket or path starts a service of the package, itself or as an instance of a template.
fn activated(service: &ServiceFacts<'_>, units: &[&UnitFile], file: &UnitFile) -> Result<(), Error> {
    let (section, key) = match file.kind() {
        "timer" => ("Timer", "Unit"),
        "path" => ("Path", "Unit"),
        "socket" => ("Socket", "Service"),
        _ => return Ok(()),
    };
    let stem = file.unit().rsplit_once('.').map_or("", |(stem, _)| stem);
    let named = file.last(section, key);
    let starts = match named {
        Some(directive) => directive.value.clone(),
        // One instance for each connection (systemd.socket(5)).
        None if file.is_true("Socket", "Accept") => format!("{}@.service", stem.trim_end_matches('@')),
        None => format!("{stem}.service"),
    };
    let template = starts.split_once('@').and_then(|(stem, rest)| {
        let (_, kind) = rest.rsplit_once('.')?;
        Some(format!("{stem}@.{kind}"))
    });
    let found = |name: &str| units.iter().any(|unit| unit.name == name);
    if found(&starts) || template.is_some_and(|template| found(&template)) {
        return Ok(());
    }
    let hint = format!(
        "add `{starts}` to the units of [services.{}.systemd], or name the right one in `{key}=` of `[{section}]`",
        service.package()
    );
    Err(at(service, file, named, format!("`{}` starts `{starts}`, which is not in the package", file.name), hint))
}

/// `systemctl enable` fails on an `Also=` that is not there, and cannot do anything for a target that the manager lacks.
fn install_section(
    service: &ServiceFacts<'_>,
    units: &[&UnitFile],
    file: &UnitFile,
    manager: Manager,
) -> Result<(), Error> {
    let words = |key: &'static str| {
        file.all("Install", key)
            .flat_map(|directive| directive.value.split_whitespace().map(move |word| (directive, word)))
    };
    for (directive, also) in words("Also") {
        if !units.iter().any(|unit| unit.name == also) {
            let text = format!("`{}` is enabled together with `{also}`, which is not in the package", file.name);
            let hint = format!("add `{also}` to the units, or take it from `Also=`");
            return Err(at(service, file, Some(directive), text, hint));
        }
    }
    for (directive, alias) in words("Alias") {
        if units.iter().any(|unit| unit.name == alias && unit.name != file.name) {
            let text = format!("`{}` has the alias `{alias}`, which is another unit of the package", file.name);
            return Err(at(service, file, Some(directive), text, "choose another alias".to_owned()));
        }
        let kind = alias.rsplit_once('.').map(|(_, kind)| kind);
        if kind != Some(file.kind()) || alias.contains('/') {
            let text = format!("`{alias}` cannot be an alias of `{}`", file.name);
            let hint = format!("an alias is a unit's name that ends in `.{}`", file.kind());
            return Err(at(service, file, Some(directive), text, hint));
        }
    }
    if manager == Manager::User {
        for (directive, target) in words("WantedBy").chain(words("RequiredBy")) {
            if matches!(target, "multi-user.target" | "graphical.target") {
                let text =
                    format!("the user unit `{}` is wanted by `{target}`, which no user's manager has", file.name);
                return Err(at(service, file, Some(directive), text, "write `default.target`".to_owned()));
            }
        }
    }
    if file.has_section("Install") && !file.directives.iter().any(|directive| directive.section == "Install") {
        let text = format!("the `[Install]` section of `{}` is empty: it could not be enabled", file.name);
        return Err(at(service, file, None, text, "add `WantedBy=multi-user.target`".to_owned()));
    }
    Ok(())
}
