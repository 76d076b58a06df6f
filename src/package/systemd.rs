//! systemd units of a service: those of the repository, or one generated from its command.
//!
//! A generated unit is hardened by default; who needs more gives a unit of his own or a drop-in. Users are made by
//! sysusers.d(5) with the type `u` alone, because `u!` needs systemd 257.

use std::path::Path;

use minijinja::context;

use super::{Error, template};
use crate::config::value::stays_inside;
use crate::config::{RestartPolicy, Settings, SystemdSettings};
use crate::target::{Format, Target};
use crate::tree::{Content, InstallPath, Tree};
use crate::workspace::Member;

/// What the maintainer scripts must know of the units.
#[derive(Debug, Default)]
pub(super) struct Units {
    /// Units with `[Install]`, templates left out.
    pub(super) enableable: Vec<String>,
    /// Units that can be started, stopped and restarted: all but templates.
    pub(super) running: Vec<String>,
    /// Base name of the sysusers.d file and its text.
    pub(super) sysusers: Option<(String, String)>,
    /// What happens on upgrade.
    pub(super) restart: RestartPolicy,
    /// Enable on first installation.
    pub(super) enable: bool,
    /// Start on first installation.
    pub(super) start: bool,
}

/// Adds the units and what belongs to them to `tree`.
pub(super) fn install(
    settings: &Settings,
    systemd: &SystemdSettings,
    service: &ServiceFacts<'_>,
    target: &Target,
    tree: &mut Tree,
) -> Result<Units, Error> {
    let package = service.member.name.as_str();
    let conflict = |conflict| Error::Conflict { package: package.to_owned(), conflict };
    let path = |text: String| {
        InstallPath::parse(&text).map_err(|invalid| Error::Path { package: package.to_owned(), invalid })
    };
    let debian = target.format() == Format::Deb;
    let mut units = Units {
        restart: systemd.restart,
        enable: systemd.enable.unwrap_or(debian),
        start: systemd.start.unwrap_or(debian),
        ..Units::default()
    };
    let mut texts = Vec::new();
    for unit in &systemd.units {
        texts.push((file_name(unit), read_text(&settings.root, service.directory, package, unit)?));
    }
    if let (Some(command), true) = (&systemd.command, systemd.units.is_empty()) {
        texts.push((format!("{package}.service"), generate(settings, systemd, service, target, command)?));
    }
    for (name, text) in texts {
        check_commands(service, tree, &name, &text)?;
        if !name.contains('@') {
            if has_install_section(&text) {
                units.enableable.push(name.clone());
            }
            units.running.push(name.clone());
        }
        tree.file(path(format!("/usr/lib/systemd/system/{name}"))?, Content::bytes(text.into_bytes()), 0o644)
            .map_err(conflict)?;
    }
    units.enableable.sort();
    units.running.sort();
    if let Some(user) = &systemd.user {
        let text = format!("u {user} - \"{}\" /var/lib/{package}\n", gecos(service.summary, package));
        let name = format!("{package}.conf");
        let file = path(format!("/usr/lib/sysusers.d/{name}"))?;
        tree.file(file, Content::bytes(text.clone().into_bytes()), 0o644).map_err(conflict)?;
        units.sysusers = Some((name, text.trim_end().to_owned()));
    }
    if !debian && systemd.enable == Some(true) && !units.enableable.is_empty() {
        let text: String = units.enableable.iter().map(|unit| format!("enable {unit}\n")).collect();
        let file = path(format!("/usr/lib/systemd/system-preset/50-{package}.preset"))?;
        tree.file(file, Content::bytes(text.into_bytes()), 0o644).map_err(conflict)?;
    }
    Ok(units)
}

/// The GECOS field of the service's user: a colon would end it in passwd(5), and systemd-sysusers refuses the line.
fn gecos(summary: &str, package: &str) -> String {
    let text = template::unit_value(&summary.replace(['"', '\\', ':'], " "));
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() { package.to_owned() } else { text }
}

/// What a generated unit says of its service.
pub(super) struct ServiceFacts<'a> {
    /// The service.
    pub(super) member: &'a Member,
    /// Its absolute directory.
    pub(super) directory: &'a Path,
    /// Its private tree's directory.
    pub(super) prefix: &'a InstallPath,
    /// One line.
    pub(super) summary: &'a str,
    /// The commands that are linked into `/usr/bin`.
    pub(super) commands: &'a [String],
    /// Whether it runs on a Python interpreter.
    pub(super) python: bool,
}

fn generate(
    settings: &Settings,
    systemd: &SystemdSettings,
    service: &ServiceFacts<'_>,
    target: &Target,
    command: &str,
) -> Result<String, Error> {
    let package = service.member.name.as_str();
    let words = shlex::split(command).filter(|words| !words.is_empty()).ok_or_else(|| Error::Text {
        package: package.to_owned(),
        what: format!("the unit's command `{command}`"),
        problem: "is empty or has an unclosed quote",
    })?;
    let (program, arguments) = words.split_first().map_or(("", [].as_slice()), |(first, rest)| (first.as_str(), rest));
    let program = program.strip_prefix("/usr/bin/").unwrap_or(program);
    if !service.commands.iter().any(|known| known == program) {
        return Err(Error::UnknownCommand {
            package: package.to_owned(),
            command: program.to_owned(),
            known: service.commands.join(", "),
        });
    }
    let exec: Vec<String> = std::iter::once(format!("/usr/bin/{program}"))
        .chain(arguments.iter().map(|word| template::unit_word(word)))
        .collect();
    let documentation =
        settings.project.homepage.clone().unwrap_or_else(|| format!("file:///usr/share/doc/{package}/"));
    let values = context! {
        unit => format!("{package}.service"),
        summary => service.summary,
        documentation,
        // Type=exec came with systemd 240.
        type => if target.distribution.systemd >= 240 { "exec" } else { "simple" },
        exec => exec.join(" "),
        user => systemd.user.clone(),
        state => package,
        python => service.python,
        org => settings.project.org.as_str(),
        name => package,
        systemd => target.distribution.systemd,
    };
    Ok(template::render(include_str!("../../templates/systemd/service.unit"), values)?)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn read_text(root: &Path, directory: &Path, package: &str, unit: &Path) -> Result<String, Error> {
    let path = directory.join(unit);
    if !path.is_file() {
        return Err(Error::Missing { package: package.to_owned(), what: "the unit", path: unit.to_path_buf() });
    }
    if !stays_inside(root, &path) {
        return Err(Error::Text {
            package: package.to_owned(),
            what: format!("the unit `{}`", unit.display()),
            problem: "is a link that leads out of the repository",
        });
    }
    let bytes = fs_err::read(&path)?;
    String::from_utf8(bytes).map_err(|_| Error::Text {
        package: package.to_owned(),
        what: format!("the unit `{}`", unit.display()),
        problem: "is not UTF-8",
    })
}

fn has_install_section(unit: &str) -> bool {
    unit.lines().any(|line| line.trim() == "[Install]")
}

/// A unit that starts `/usr/bin/X` or a file of the private tree which the package does not hold would fail only on the
/// machine; it is found here.
fn check_commands(service: &ServiceFacts<'_>, tree: &Tree, unit: &str, text: &str) -> Result<(), Error> {
    for line in text.lines() {
        let Some((key, value)) = line.split_once('=') else { continue };
        if !key.trim().starts_with("Exec") {
            continue;
        }
        let program = value.trim().trim_start_matches(['@', '-', ':', '+', '!', '|']).split_whitespace().next();
        let program = program.unwrap_or_default().trim_matches(['"', '\'']);
        if let Ok(path) = InstallPath::parse(program)
            && path.is_within(service.prefix)
            && tree.get(&path).is_none()
        {
            return Err(Error::UnknownCommand {
                package: format!("{} ({unit})", service.member.name),
                command: program.to_owned(),
                known: service.commands.join(", "),
            });
        }
        let Some(name) = program.strip_prefix("/usr/bin/") else { continue };
        let own = service.member.commands.iter().any(|command| command == name);
        if own && !service.commands.iter().any(|command| command == name) {
            return Err(Error::UnknownCommand {
                package: format!("{} ({unit})", service.member.name),
                command: name.to_owned(),
                known: service.commands.join(", "),
            });
        }
    }
    Ok(())
}
