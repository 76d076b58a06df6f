//! systemd's units (systemd.syntax(7), systemd.service(5), systemd.unit(5)).

use std::collections::BTreeMap;

use crate::check::subject::{Item, Place, file_name, parent};
use crate::check::{Formats, Hit, Rule, Severity, Subject, shell};
use crate::format::FileKind;

pub(in crate::check) static RULES: &[Rule] = &[
    Rule {
        code: "unit-command-missing",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a unit starts a program that will not be there",
        explanation: "`ExecStart=` and its kind name a file that the package does not hold and no dependency brings. The unit fails with \
                      status 203/EXEC.",
        remedy: "Correct the path, add the command to `commands`, or depend on the package that has it.",
        source: "systemd.service(5); packhouse",
        find: commands,
    },
    Rule {
        code: "unit-command-not-executable",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a unit starts a file that cannot be executed",
        explanation: "The file that `ExecStart=` or its kind names has no executable bit, or is a directory.",
        remedy: "Give the file the mode 0755.",
        source: "systemd.service(5)",
        find: not_executable,
    },
    Rule {
        code: "unit-command-relative",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a unit names its program by a relative path",
        explanation: "systemd takes an absolute path, or (since 239) a name without slashes that it looks for in its own path. Anything \
                      else is refused, and the unit does not load.",
        remedy: "Write the absolute path.",
        source: "systemd.service(5), COMMAND LINES",
        find: relative,
    },
    Rule {
        code: "unit-syntax",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a line of a unit is none",
        explanation: "A unit is made of sections in brackets, assignments and comments. systemd ignores what it cannot read, with a \
                      message in the log that nobody reads: the setting is not in force.",
        remedy: "Check the unit with `systemd-analyze verify`.",
        source: "systemd.syntax(7); lintian systemd-service-file-missing-install-key and its kind",
        find: syntax,
    },
    Rule {
        code: "unit-user-unknown",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a unit runs as a user that nobody makes",
        explanation: "`User=` names a user that is neither on every system, nor made by the package's sysusers.d or scripts, nor dynamic. \
                      The unit fails with status 217/USER.",
        remedy: "Set `user` under `[services.NAME.systemd]`, or use `DynamicUser=yes`.",
        source: "systemd.exec(5); sysusers.d(5)",
        find: unit_users,
    },
    Rule {
        code: "unit-without-service",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a socket, timer or path unit activates a unit that is not there",
        explanation: "When it fires, systemd looks for the unit of the same name (or of `Service=`, `Unit=`), and there is none.",
        remedy: "Ship the service, or correct the name.",
        source: "systemd.socket(5), systemd.timer(5), systemd.path(5)",
        find: activated,
    },
    Rule {
        code: "unit-not-enableable",
        severity: Severity::Warning,
        formats: Formats::Both,
        title: "a unit that the package enables has no [Install] section",
        explanation: "`systemctl enable` and presets do nothing with a unit that does not say where it belongs: the service does not start \
                      with the machine.",
        remedy: "Add `[Install]` with `WantedBy=multi-user.target`, or do not enable it.",
        source: "systemd.unit(5); lintian systemd-service-file-missing-install-key",
        find: installs,
    },
    Rule {
        code: "unit-in-etc",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a unit lies in the administrator's directory",
        explanation: "`/etc/systemd/system` is where administrators override units of packages. One of a package there cannot be \
                      overridden, and is a configuration file whose upgrades ask questions.",
        remedy: "Install it in `/usr/lib/systemd/system`.",
        source: "systemd.unit(5); lintian systemd-service-file-outside-lib",
        find: in_etc,
    },
];

const DIRECTORIES: [&str; 4] =
    ["/usr/lib/systemd/system", "/usr/lib/systemd/user", "/lib/systemd/system", "/lib/systemd/user"];

/// A unit: where it is, and its assignments with section and line.
struct Unit<'a> {
    item: &'a Item,
    assignments: Vec<Assignment>,
    /// Lines that are none.
    strange: Vec<(usize, String)>,
    sections: Vec<String>,
}

struct Assignment {
    section: String,
    key: String,
    value: String,
    line: usize,
}

impl Unit<'_> {
    fn value(&self, section: &str, key: &str) -> Option<&str> {
        let found = self.assignments.iter().rev().find(|one| one.section == section && one.key == key);
        found.map(|one| one.value.as_str()).filter(|value| !value.is_empty())
    }

    /// The last part of its name: `service`.
    fn kind(&self) -> &str {
        self.item.name().rsplit('.').next().unwrap_or_default()
    }

    fn stem(&self) -> &str {
        self.item.name().rsplit_once('.').map_or(self.item.name(), |(stem, _)| stem)
    }
}

const KINDS: [&str; 11] =
    ["service", "socket", "timer", "path", "target", "mount", "automount", "swap", "slice", "scope", "device"];

fn units(subject: &Subject) -> Vec<Unit<'_>> {
    let texts = subject.texts_in(&DIRECTORIES);
    let units = texts.filter(|(item, _)| KINDS.iter().any(|kind| item.name().ends_with(&format!(".{kind}"))));
    units.map(|(item, text)| parse(item, &text)).collect()
}

/// systemd.syntax(7): lines end with a backslash to go on; `#` and `;` begin comments, also between the parts of such a line.
fn parse<'a>(item: &'a Item, text: &str) -> Unit<'a> {
    let mut unit = Unit { item, assignments: Vec::new(), strange: Vec::new(), sections: Vec::new() };
    let mut section = String::new();
    let mut pending: Option<(usize, String)> = None;
    for (index, raw) in text.lines().enumerate() {
        let trimmed = raw.trim();
        if trimmed.starts_with(['#', ';']) || (trimmed.is_empty() && pending.is_none()) {
            continue;
        }
        let (line, mut whole) = pending.take().unwrap_or((index + 1, String::new()));
        match trimmed.strip_suffix('\\') {
            Some(part) => {
                whole.push_str(part);
                whole.push(' ');
                pending = Some((line, whole));
                continue;
            }
            None => whole.push_str(trimmed),
        }
        if let Some(name) = whole.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.to_owned();
            unit.sections.push(section.clone());
            let known = matches!(
                name,
                "Unit"
                    | "Install"
                    | "Service"
                    | "Socket"
                    | "Timer"
                    | "Path"
                    | "Mount"
                    | "Automount"
                    | "Swap"
                    | "Slice"
                    | "Scope"
            );
            if !known && !name.starts_with("X-") {
                unit.strange.push((line, format!("[{name}] is no section")));
            }
        } else if let Some((key, value)) = whole.split_once('=') {
            let key = key.trim();
            if section.is_empty() {
                unit.strange.push((line, format!("`{key}=` stands in no section")));
            } else if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
                unit.strange.push((line, format!("`{key}` is no name of a setting")));
            }
            unit.assignments.push(Assignment {
                section: section.clone(),
                key: key.to_owned(),
                value: value.trim().to_owned(),
                line,
            });
        } else {
            unit.strange.push((line, format!("`{whole}` is neither a section nor an assignment")));
        }
    }
    if let Some((line, _)) = pending {
        unit.strange.push((line, "the last line goes on, and nothing follows".to_owned()));
    }
    unit
}

/// The programs that units start: unit, line, setting, program.
fn programs(subject: &Subject) -> Vec<(String, usize, String, String)> {
    let mut all = Vec::new();
    for unit in units(subject) {
        for one in &unit.assignments {
            let runs =
                one.section == "Service" || one.section == "Socket" || one.section == "Mount" || one.section == "Swap";
            if !runs || !one.key.starts_with("Exec") || matches!(one.key.as_str(), "ExecPaths" | "ExecSearchPath") {
                continue;
            }
            let command = one.value.trim_start_matches(['@', '-', ':', '+', '!', '|']).trim_start();
            let program = match command.chars().next() {
                Some(quote @ ('"' | '\'')) => command.get(1..).and_then(|rest| rest.split(quote).next()),
                _ => command.split_whitespace().next(),
            };
            // An empty assignment clears the list; specifiers are known at run time alone.
            let Some(program) = program.filter(|program| !program.is_empty() && !program.contains(['%', '$'])) else {
                continue;
            };
            all.push((unit.item.path.clone(), one.line, one.key.clone(), program.to_owned()));
        }
    }
    all
}

/// Commands of the packages that every system with systemd has (coreutils, util-linux, kmod, procps, systemd, a shell).
const EVERYWHERE: [&str; 46] = [
    "sh",
    "bash",
    "dash",
    "env",
    "true",
    "false",
    "echo",
    "cat",
    "chmod",
    "chown",
    "chgrp",
    "cp",
    "dd",
    "install",
    "ln",
    "ls",
    "mkdir",
    "mknod",
    "mktemp",
    "mv",
    "rm",
    "rmdir",
    "sleep",
    "stat",
    "stty",
    "sync",
    "tail",
    "test",
    "touch",
    "tr",
    "flock",
    "kill",
    "mount",
    "umount",
    "nice",
    "setpriv",
    "setsid",
    "find",
    "xargs",
    "grep",
    "sed",
    "awk",
    "modprobe",
    "sysctl",
    "systemctl",
    "udevadm",
];

fn is_there(subject: &Subject, program: &str) -> bool {
    let absolute = if program.starts_with('/') { program.to_owned() } else { format!("/usr/bin/{program}") };
    let end = match subject.resolve(&absolute) {
        Place::Inside(_) => return true,
        Place::Nowhere | Place::Circle => return false,
        Place::Outside(end) => end,
    };
    // On merged systems `/bin/x` is `/usr/bin/x`.
    let merged = if end.starts_with("/usr/") {
        end.strip_prefix("/usr").unwrap_or(&end).to_owned()
    } else {
        format!("/usr{end}")
    };
    let other = end.replace("/bin/", "/sbin/");
    if subject.has(&merged) || subject.has(&other) {
        return true;
    }
    // A script may make it, with update-alternatives for instance.
    if subject.scripts.iter().any(|script| shell::has_word(&script.text, &end)) {
        return true;
    }
    let name = file_name(&end);
    if matches!(parent(&end), Some("/bin" | "/sbin" | "/usr/bin" | "/usr/sbin")) {
        return EVERYWHERE.contains(&name)
            || name.starts_with("systemd-")
            || super::scripts::is_brought(subject, &end)
            || subject.required_names().any(|required| !is_plain(required));
    }
    // Elsewhere below /usr a dependency may have it; what is the package's own, it must have itself.
    (end.starts_with("/usr/")
        && !end.starts_with("/usr/local/")
        && !subject.is_own(&end)
        && subject.required_names().any(|name| !is_plain(name)))
        || subject.requires(&end)
}

/// Whether a required package or capability is one of which it is known that it brings no daemon of its own: libraries,
/// interpreters, what maintainer scripts need.
fn is_plain(required: &str) -> bool {
    const PLAIN: [&str; 20] = [
        "/bin/sh",
        "adduser",
        "bash",
        "ca-certificates",
        "coreutils",
        "debconf",
        "debconf-2.0",
        "findutils",
        "glibc",
        "init-system-helpers",
        "lsb-base",
        "media-types",
        "netbase",
        "passwd",
        "perl",
        "shadow-utils",
        "systemd",
        "systemd-standalone-sysusers",
        "systemd-sysusers",
        "tzdata",
    ];
    PLAIN.contains(&required)
        || required.starts_with("lib")
        || required.starts_with("python")
        || required.starts_with("/usr/bin/python")
        || ["ld-linux", "rtld(", "config(", "user(", "group(", "zlib1g"].iter().any(|start| required.starts_with(start))
}

fn commands(subject: &Subject) -> Vec<Hit> {
    let found = programs(subject)
        .into_iter()
        .filter(|(.., program)| (program.starts_with('/') || !program.contains('/')) && !is_there(subject, program));
    found
        .map(|(path, line, key, program)| {
            Hit::at(path, format!("line {line}: {key}= starts `{program}`, which nothing brings"))
        })
        .collect()
}

fn not_executable(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (path, line, key, program) in programs(subject) {
        if !program.starts_with('/') {
            continue;
        }
        let Place::Inside(end) = subject.resolve(&program) else { continue };
        let fit = subject
            .target(end)
            .is_some_and(|item| item.kind != FileKind::Directory && (item.is_executable() || item.ghost));
        if !fit || subject.is_directory(end) {
            hits.push(Hit::at(path, format!("line {line}: {key}= starts `{program}`, which cannot be executed")));
        }
    }
    hits
}

fn relative(subject: &Subject) -> Vec<Hit> {
    let found =
        programs(subject).into_iter().filter(|(.., program)| !program.starts_with('/') && program.contains('/'));
    found.map(|(path, line, key, program)| Hit::at(path, format!("line {line}: {key}= starts `{program}`"))).collect()
}

fn syntax(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for unit in units(subject) {
        for (line, problem) in &unit.strange {
            hits.push(Hit::at(&unit.item.path, format!("line {line}: {problem}")));
        }
        let lacks = |section: &str| !unit.sections.iter().any(|present| present == section);
        let wanted = match unit.kind() {
            "service" => Some("Service"),
            "socket" => Some("Socket"),
            "timer" => Some("Timer"),
            "path" => Some("Path"),
            _ => None,
        };
        // A template's instances may have drop-ins, an alias is a link: what is a file is whole.
        if let Some(wanted) = wanted.filter(|wanted| lacks(wanted) && unit.item.size > 0) {
            hits.push(Hit::at(&unit.item.path, format!("it has no section [{wanted}]")));
        }
    }
    hits
}

/// Users that are on every system of either family.
const USERS: [&str; 12] =
    ["root", "daemon", "bin", "sys", "games", "man", "mail", "nobody", "www-data", "backup", "proxy", "news"];

fn unit_users(subject: &Subject) -> Vec<Hit> {
    let made = super::users::made(subject);
    let mut hits = Vec::new();
    for unit in units(subject) {
        // The user manager's units run as their user.
        if unit.item.path.contains("/systemd/user/") {
            continue;
        }
        let dynamic =
            unit.value("Service", "DynamicUser").is_some_and(|value| matches!(value, "yes" | "true" | "1" | "on"));
        for (section, key) in
            [("Service", "User"), ("Service", "Group"), ("Socket", "SocketUser"), ("Socket", "SocketGroup")]
        {
            let Some(user) = unit.value(section, key) else { continue };
            let group = key.ends_with("Group");
            let known = USERS.contains(&user)
                || (group && matches!(user, "adm" | "tty" | "disk" | "shadow" | "utmp" | "systemd-journal" | "nogroup" | "users" | "ssl-cert" | "video" | "audio" | "input"))
                || user.starts_with("systemd-")
                || user.contains('%')
                || user.bytes().all(|byte| byte.is_ascii_digit())
                || (dynamic && section == "Service")
                || made.iter().any(|made| made == user)
                || subject.scripts.iter().any(|script| shell::has_word(&script.text, user))
                || subject.requires(&format!("user({user})"))
                || subject.requires(&format!("group({user})"))
                // A package that the user is named after makes it.
                || subject.required_names().any(|name| name.split('-').next() == Some(user));
            if !known {
                hits.push(Hit::at(&unit.item.path, format!("{key}={user} is made by nobody")));
            }
        }
    }
    hits
}

fn activated(subject: &Subject) -> Vec<Hit> {
    let units = units(subject);
    let names: BTreeMap<&str, ()> = subject
        .items()
        .filter(|item| parent(&item.path).is_some_and(|directory| DIRECTORIES.contains(&directory)))
        .map(|item| (item.name(), ()))
        .collect();
    let mut hits = Vec::new();
    for unit in &units {
        let wanted = match unit.kind() {
            "socket" => match unit.value("Socket", "Service") {
                Some(service) => service.to_owned(),
                None if unit
                    .value("Socket", "Accept")
                    .is_some_and(|value| matches!(value, "yes" | "true" | "1" | "on")) =>
                {
                    format!("{}@.service", unit.stem().trim_end_matches('@'))
                }
                None => format!("{}.service", unit.stem()),
            },
            "timer" => unit.value("Timer", "Unit").map_or_else(|| format!("{}.service", unit.stem()), str::to_owned),
            "path" => unit.value("Path", "Unit").map_or_else(|| format!("{}.service", unit.stem()), str::to_owned),
            _ => continue,
        };
        // An instance comes from its template; a target or another package's unit may be anywhere.
        let template = wanted
            .split_once('@')
            .map(|(stem, rest)| format!("{stem}@.{}", rest.rsplit('.').next().unwrap_or_default()));
        let there = names.contains_key(wanted.as_str())
            || template.is_some_and(|template| names.contains_key(template.as_str()));
        if !there && wanted.ends_with(".service") && !wanted.contains('%') && !wanted.starts_with("systemd-") {
            hits.push(Hit::at(&unit.item.path, format!("it activates {wanted}, which the package does not hold")));
        }
    }
    hits
}

fn installs(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    let presets: String = subject
        .texts_in(&["/usr/lib/systemd/system-preset", "/lib/systemd/system-preset"])
        .map(|(_, text)| {
            text.lines().filter(|line| line.trim_start().starts_with("enable ")).collect::<Vec<_>>().join("\n")
        })
        .collect();
    for unit in units(subject) {
        let name = unit.item.name();
        let installable = unit.sections.iter().any(|section| section == "Install");
        let enabled = shell::has_word(&presets, name)
            || subject.scripts.iter().any(|script| {
                shell::lines(&script.text).iter().any(|line| {
                    let enables = ["deb-systemd-helper enable", "systemctl enable", "install-system-units"];
                    enables.iter().any(|command| line.text.contains(command)) && shell::has_word(line.text, name)
                })
            });
        if enabled && !installable {
            hits.push(Hit::at(&unit.item.path, "it is enabled and has no [Install] section"));
        }
    }
    hits
}

fn in_etc(subject: &Subject) -> Vec<Hit> {
    let found = subject.files().filter(|item| {
        parent(&item.path) == Some("/etc/systemd/system")
            && KINDS.iter().any(|kind| item.name().ends_with(&format!(".{kind}")))
    });
    found.map(|item| Hit::at(&item.path, "`/etc/systemd/system` is the administrator's")).collect()
}
