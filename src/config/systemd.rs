//! `[services.NAME.systemd]`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::layer::{Layer, layer};
use super::reader::{Reader, Value};
use super::service::checked;
use super::suggest::closest;
use super::value;
use crate::tree::InstallPath;

/// `restart` of a service's units on upgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestartPolicy {
    /// Stopped before unpacking, started afterwards.
    StopStart,
    /// Restarted once the new version is configured.
    #[default]
    AfterUpgrade,
    /// Left alone.
    Never,
}

impl Layer for RestartPolicy {
    fn over(self, _below: Self) -> Self {
        self
    }
}

/// A file for systemd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitSource {
    /// Where it is, relative to the service's directory.
    pub path: PathBuf,
    /// The name to install it by, when it is not the file's own.
    pub name: Option<String>,
    /// What the package's scripts do with this unit, when it is not what they do with all of them.
    pub policy: Option<UnitPolicy>,
}

impl From<PathBuf> for UnitSource {
    fn from(path: PathBuf) -> Self {
        Self { path, name: None, policy: None }
    }
}

/// What the package's scripts do with one unit; what is not said is as for all units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UnitPolicy {
    /// Enable on first installation.
    pub enable: Option<bool>,
    /// Start on first installation.
    pub start: Option<bool>,
    /// Restart once the new version is configured.
    pub restart_after_upgrade: Option<bool>,
    /// Stop before the new version is unpacked, when it is not restarted after that.
    pub stop_on_upgrade: Option<bool>,
}

impl UnitPolicy {
    /// What happens on upgrade, as debhelper reads the two (dh_installsystemd(1)): what is restarted is not stopped before.
    /// `None` when neither is said.
    pub fn restart(self) -> Option<RestartPolicy> {
        match (self.restart_after_upgrade, self.stop_on_upgrade) {
            (None, None) => None,
            (None | Some(true), _) => Some(RestartPolicy::AfterUpgrade),
            (Some(false), None | Some(true)) => Some(RestartPolicy::StopStart),
            (Some(false), Some(false)) => Some(RestartPolicy::Never),
        }
    }
}

/// `[services.NAME.systemd]`.
#[derive(Debug, Clone, Default)]
pub struct SystemdSettings {
    /// Unit files in the service's directory, drop-ins (`x.service.d/y.conf`) among them.
    pub units: Vec<UnitSource>,
    /// Unit files for the users' managers.
    pub user_units: Vec<UnitSource>,
    /// The command line of a generated unit (first word: one of the service's commands) when there are no `units`.
    pub command: Option<String>,
    /// The system user to run as; made by sysusers.d.
    pub user: Option<String>,
    /// `EnvironmentFile=` of the generated unit; with `-` before it, it may be missing.
    pub environment_file: Option<String>,
    /// `Restart=` of the generated unit.
    pub service_restart: Option<String>,
    /// Times (`OnCalendar=`) at which a timer starts the generated unit.
    pub schedule: Vec<String>,
    /// Addresses (`ListenStream=`) of a generated socket.
    pub listen: Vec<String>,
    /// Further directives of the generated units: section, name, values. No value takes the directive out.
    pub directives: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    /// sysusers.d files in the service's directory.
    pub sysusers: Vec<UnitSource>,
    /// tmpfiles.d files in the service's directory.
    pub tmpfiles: Vec<UnitSource>,
    /// What happens to running units on upgrade.
    pub restart: RestartPolicy,
    /// Enable on first installation; `None` is the family's custom (Debian: yes, RPM: by preset).
    pub enable: Option<bool>,
    /// Start on first installation; `None` is the family's custom (Debian: yes, RPM: no).
    pub start: Option<bool>,
    /// Whether a purge leaves the services' own state, cache and logs.
    pub keep_data: bool,
}

layer!(SystemdSettings {
    units,
    user_units,
    command,
    user,
    environment_file,
    service_restart,
    schedule,
    listen,
    directives,
    sysusers,
    tmpfiles,
    restart,
    enable,
    start,
    keep_data,
});

impl SystemdSettings {
    /// All files that it names.
    pub fn files(&self) -> impl Iterator<Item = &UnitSource> {
        [&self.units, &self.user_units, &self.sysusers, &self.tmpfiles].into_iter().flatten()
    }
}

/// Values of `Restart=` (systemd.service(5)).
const RESTARTS: [(&str, &str); 7] = [
    ("no", "no"),
    ("on-success", "on-success"),
    ("on-failure", "on-failure"),
    ("on-abnormal", "on-abnormal"),
    ("on-watchdog", "on-watchdog"),
    ("on-abort", "on-abort"),
    ("always", "always"),
];

/// `[services.NAME.systemd]`.
pub(super) fn systemd(table: Reader<'_>) -> Result<SystemdSettings, Error> {
    let policies = [
        ("after-upgrade", RestartPolicy::AfterUpgrade),
        ("stop-start", RestartPolicy::StopStart),
        ("never", RestartPolicy::Never),
    ];
    let units = sources(&table, "units", value::unit)?;
    let user_units = sources(&table, "user-units", value::unit)?;
    let command = table.string("command")?;
    if let (Some(command), false) = (&command, units.is_empty()) {
        return Err(command.error(
            "a unit is generated from `command` only when there are no `units`",
            Some("keep one of `units` and `command`".to_owned()),
        ));
    }
    let command = command.map(|text| text.checked(command_line, "")).transpose()?;
    let restarts = RESTARTS;
    let service_restart = table.string("service-restart")?.map(|text| text.choice(&restarts)).transpose()?;
    let schedule = checked(table.strings("schedule")?.unwrap_or_default(), calendar_event)?;
    let listen = checked(table.strings("listen")?.unwrap_or_default(), listen_address)?;
    if !schedule.is_empty() && !listen.is_empty() {
        let hint = "keep one of them, or write units of your own and list them in `units`";
        return Err(table.problem("listen", "a service is started by a timer or by a socket", Some(hint.to_owned())));
    }
    let settings = SystemdSettings {
        directives: directives(&table, !schedule.is_empty(), !listen.is_empty())?,
        units,
        user_units,
        user: table.string("user")?.map(|text| text.checked(value::user, "")).transpose()?,
        environment_file: table
            .string("environment-file")?
            .map(|text| {
                text.checked(environment_file, "write an absolute path, with `-` before it if it may be missing")
            })
            .transpose()?,
        service_restart: service_restart.map(str::to_owned),
        schedule,
        listen,
        sysusers: sources(&table, "sysusers", configuration_snippet)?,
        tmpfiles: sources(&table, "tmpfiles", configuration_snippet)?,
        restart: table.string("restart")?.map(|text| text.choice(&policies)).transpose()?.unwrap_or_default(),
        enable: table.boolean("enable")?,
        start: table.boolean("start")?,
        keep_data: table.boolean("keep-data")?.unwrap_or_default(),
        command,
    };
    if settings.command.is_none() {
        for (key, given) in [
            ("environment-file", settings.environment_file.is_some()),
            ("service-restart", settings.service_restart.is_some()),
            ("schedule", !settings.schedule.is_empty()),
            ("listen", !settings.listen.is_empty()),
            ("directives", !settings.directives.is_empty()),
        ] {
            if given {
                let hint = "write it into the units themselves, or let one be generated from `command`";
                let rule = "is for the unit that is generated from `command`, and there is none";
                return Err(table.problem(key, rule, Some(hint.to_owned())));
            }
        }
    }
    table.finish()?;
    Ok(settings)
}

/// A list of files: each a path, or a table with the path and the name to install it by, which is not the file's own.
fn sources(
    table: &Reader<'_>,
    key: &'static str,
    parse: fn(&str) -> Result<PathBuf, value::Rule>,
) -> Result<Vec<UnitSource>, Error> {
    let Some(item) = table.item(key)? else { return Ok(Vec::new()) };
    let Value::List(items) = item.value else { return Err(item.mistyped("an array of paths and tables")) };
    let mut all: Vec<UnitSource> = Vec::new();
    for item in items {
        let (place, source) = match item.value {
            Value::Text => {
                let source = UnitSource::from(item.text.parse(parse, "")?);
                (item.text, source)
            }
            Value::Table(entry) => {
                let example = "{ path = \"debian/acme-api.worker.service\", name = \"worker.service\" }";
                let path = entry.string("path")?.ok_or_else(|| entry.missing("path", example))?;
                let name = entry.string("name")?.ok_or_else(|| entry.missing("name", example))?;
                let installed = |text: &str| match parse(text)? {
                    path if path.to_str() == Some(text) && !text.contains('/') => Ok(text.to_owned()),
                    _ => Err(format!("`{text}` must be the name of a file")),
                };
                let source = UnitSource {
                    path: path.parse(value::file_path, "")?,
                    name: Some(name.parse(installed, "")?),
                    policy: None,
                };
                entry.finish()?;
                (path, source)
            }
            _ => return Err(item.mistyped("a path or a table")),
        };
        if all.contains(&source) {
            return Err(place.error(format!("`{}` stands here twice", place.as_str()), None));
        }
        all.push(source);
    }
    Ok(all)
}

/// One line that the kernel takes: no argument is longer than 128 KiB (execve(2)).
fn command_line(text: &str) -> Result<(), value::Rule> {
    if text.len() > 128 << 10 {
        return Err("is longer than a command line may be".to_owned());
    }
    value::one_line(text)
}

/// `[services.NAME.systemd.directives.SECTION]`.
fn directives(
    table: &Reader<'_>,
    timer: bool,
    socket: bool,
) -> Result<BTreeMap<String, BTreeMap<String, Vec<String>>>, Error> {
    let mut sections = BTreeMap::new();
    for (section, reader) in table.tables("directives")? {
        let name = section.as_str();
        let present = match name {
            "Timer" => timer,
            "Socket" => socket,
            "Install" => !timer,
            _ => sections_known(name),
        };
        if !present {
            let hint = if sections_known(name) {
                format!(
                    "`[{name}]` is in the generated units only with {}",
                    match name {
                        "Timer" => "`schedule`",
                        "Socket" => "`listen`",
                        _ => "a service that no timer starts",
                    }
                )
            } else {
                let known = crate::package::unit_sections().map(|known| format!("`{known}`"));
                format!("the sections are {}", known.collect::<Vec<_>>().join(", "))
            };
            return Err(section.error(format!("`{name}` is no section of the generated units"), Some(hint)));
        }
        let mut directives = BTreeMap::new();
        for (key, values) in reader.scalars()? {
            let known = crate::package::unit_directives(name);
            if !known.clone().any(|known| known == key.as_str()) {
                let hint = match closest(key.as_str(), known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "packhouse knows those of systemd 258; write a unit of your own for others".to_owned(),
                };
                return Err(key.error(format!("`[{name}]` has no directive `{}`", key.as_str()), Some(hint)));
            }
            let values = values.into_iter().map(|text| text.checked(directive_value, ""));
            directives.insert(key.as_str().to_owned(), values.collect::<Result<Vec<_>, _>>()?);
        }
        sections.insert(name.to_owned(), directives);
    }
    Ok(sections)
}

fn sections_known(name: &str) -> bool {
    crate::package::unit_sections().any(|known| known == name)
}

/// A value of a unit's directive: one line that does not continue on the next. Empty is a value: it resets a list.
fn directive_value(text: &str) -> Result<(), value::Rule> {
    if text.is_empty() {
        return Ok(());
    }
    value::one_line(text)?;
    if text.trim_end().ends_with('\\') {
        return Err("must not end in `\\`, which would join the next line to it".to_owned());
    }
    Ok(())
}

/// A path of `EnvironmentFile=`, which knows specifiers: one `%` would be one.
fn environment_file(text: &str) -> Result<(), value::Rule> {
    value::one_line(text)?;
    let path = text.strip_prefix('-').unwrap_or(text);
    match InstallPath::parse(path) {
        Ok(_) if text.contains(['%', '"', '\'', '\\', '*', '?', '[']) => {
            Err(format!("`{path}` has a character that means something to systemd"))
        }
        Ok(_) => Ok(()),
        Err(invalid) => Err(invalid.to_string()),
    }
}

/// A file of sysusers.d or tmpfiles.d.
fn configuration_snippet(text: &str) -> Result<PathBuf, value::Rule> {
    let path = value::file_path(text)?;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let stem = name.strip_suffix(".conf").unwrap_or_default();
    let good = stem.starts_with(|first: char| first.is_ascii_alphanumeric())
        && stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte))
        && name.len() <= 100;
    if good { Ok(path) } else { Err(format!("`{name}` must be letters, digits and `._+-`, and end in `.conf`")) }
}

/// A calendar event of systemd.time(7): shorthand, or weekdays, date, time and zone.
fn calendar_event(text: &str) -> Result<(), value::Rule> {
    static EVENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let day = "(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*";
        let days = format!(r"{day}(?:\.\.{day})?(?:,{day}(?:\.\.{day})?)*,?");
        // Lists, ranges and repetitions of numbers.
        let one = r"\d+(?:\.\.\d+)?(?:/\d+)?";
        let number = format!(r"(?:\*(?:/\d+)?|{one}(?:,{one})*)");
        let date = format!("(?:{number}-)?{number}[-~]{number}");
        let seconds = r"\d+(?:\.\d+)?";
        let second =
            format!(r"(?:\*(?:/{seconds})?|{seconds}(?:\.\.{seconds})?(?:/{seconds})?(?:,{seconds}(?:/{seconds})?)*)");
        let time = format!("{number}:{number}(?::{second})?");
        let zone = "(?:UTC|[A-Za-z_]+(?:/[A-Za-z0-9_+-]+)+)";
        let short = "minutely|hourly|daily|weekly|monthly|quarterly|semiannually|yearly|annually";
        let both = format!(r"(?:{date}\s+{time}|{date}|{time})");
        Regex::new(&format!(r"(?i)^(?:(?:{short})|(?:{days}(?:\s+{both})?)|{both})(?:\s+{zone})?$")).ok()
    });
    value::one_line(text)?;
    if EVENT.as_ref().is_some_and(|event| event.is_match(text)) {
        return Ok(());
    }
    Err(format!(
        "`{text}` is no calendar event: write `daily`, `Mon..Fri 06:00`, `*-*-01 03:30:00 UTC` (systemd.time(7))"
    ))
}

/// An address of `ListenStream=`: a path, a port, or an address with a port (systemd.socket(5)).
fn listen_address(text: &str) -> Result<(), value::Rule> {
    value::one_line(text)?;
    let port = |text: &str| text.parse::<u16>().is_ok_and(|port| port > 0);
    let good = match text.rsplit_once(':') {
        _ if text.starts_with('/') => {
            text.len() <= 107
                && InstallPath::parse(text).is_ok()
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._+-@".contains(&byte))
        }
        None => port(text),
        Some((host, number)) => {
            let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
                Some(host) => host.parse::<std::net::Ipv6Addr>().is_ok(),
                None => host.parse::<std::net::Ipv4Addr>().is_ok(),
            };
            host && port(number)
        }
    };
    if good {
        return Ok(());
    }
    Err(format!("`{text}` is no address: write `/run/NAME.sock`, `8080`, `127.0.0.1:8080` or `[::1]:8080`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What systemd-analyze(1) says of it, when it is here.
    fn systemd_takes(event: &str) -> Option<bool> {
        let output = std::process::Command::new("systemd-analyze").args(["calendar", "--", event]).output().ok()?;
        Some(output.status.success())
    }

    #[test]
    fn calendar_events_are_those_that_systemd_takes() {
        for good in [
            "daily",
            "Mon..Fri 06:00",
            "Sat,Sun 12:00:00",
            "*-*-01 03:30:00",
            "*:0/15",
            "2026-01-01",
            "*-*~01",
            "Mon *-05~03",
            "hourly UTC",
            "05:30 Europe/Berlin",
            "*-*-* 00/2:00:00",
            "*-1,4,7,10-1 00:00",
            "Monday",
        ] {
            assert_eq!(calendar_event(good), Ok(()), "{good}");
            assert_ne!(systemd_takes(good), Some(false), "{good}");
        }
        for wrong in
            ["", "dayly", "25", "every day", "daily\nUnit=x", "$(id)", "%i", "12:00;id", "Mon Mon", "*-*-* UTC x"]
        {
            assert!(calendar_event(wrong).is_err(), "{wrong:?} must be refused");
        }
    }

    #[test]
    fn addresses_and_paths_can_add_nothing_to_a_unit() {
        for good in ["/run/acme/api.sock", "8080", "127.0.0.1:8080", "[::1]:8080"] {
            assert_eq!(listen_address(good), Ok(()), "{good}");
        }
        for wrong in
            ["", "0", "70000", "run/x", "/run/../x", "/run/%i", "host:80", "1.2.3.4:", "8080\nX=y", "@abstract"]
        {
            assert!(listen_address(wrong).is_err(), "{wrong:?} must be refused");
        }
        assert!(environment_file("-/etc/acme/api.env").is_ok() && environment_file("/etc/acme/api.env").is_ok());
        for wrong in ["etc/x", "--/etc/x", "/etc/%i", "/etc/a b\nX=y", "/etc/*", "/etc/../x"] {
            assert!(environment_file(wrong).is_err(), "{wrong:?} must be refused");
        }
        assert!(directive_value("").is_ok() && directive_value("a %i b").is_ok());
        for wrong in ["a\nExecStart=/bin/evil", "a \\", "a\u{202e}b", "a\0b", " "] {
            assert!(directive_value(wrong).is_err(), "{wrong:?} must be refused");
        }
        assert!(configuration_snippet("systemd/acme.conf").is_ok());
        for wrong in ["acme", "../acme.conf", ".conf", "a b.conf", "$(id).conf", "-x.conf", "acme;id.conf"] {
            assert!(configuration_snippet(wrong).is_err(), "{wrong:?} must be refused");
        }
    }
}
