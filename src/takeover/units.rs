//! Units, users, temporary files, maintainer scripts and triggers of a debian directory (dh_installsystemd(1),
//! dh_installsysusers(1), dh_installtmpfiles(1), dh_installdeb(1)).

use toml::Value;

use super::Draft;
use super::debian::Debian;
use super::files::{append, append_value, is_unit};
use super::rules::UNKNOWN;
use crate::config::Setting;

/// The files that are read here.
pub(super) const EXTENSIONS: [&str; 17] = [
    "service",
    "socket",
    "timer",
    "path",
    "target",
    "mount",
    "slice",
    "sysusers",
    "tmpfiles",
    "tmpfile",
    "preinst",
    "postinst",
    "prerm",
    "postrm",
    "config",
    "templates",
    "triggers",
];

/// Of these, the kinds of units.
const KINDS: [&str; 7] = ["service", "socket", "timer", "path", "target", "mount", "slice"];

/// debhelper's name of a maintainer script, and the configuration's.
const SCRIPTS: [(&str, &str); 6] = [
    ("preinst", "pre-install"),
    ("postinst", "post-install"),
    ("prerm", "pre-remove"),
    ("postrm", "post-remove"),
    ("config", "debconf-config"),
    ("templates", "debconf-templates"),
];

pub(super) fn units(debian: &Debian, new: &str, draft: &mut Draft) {
    let calls = Calls::of(debian);
    // Texts in which the old place may stand.
    let mut texts = Vec::new();
    for kind in KINDS {
        for (file, installed) in found(debian, kind, &calls, draft) {
            let Some(path) = debian.named(&file, draft) else { continue };
            if !is_unit(&installed) {
                draft.leave(format!("debian/{file}"), format!("`{installed}` is no name of a unit"));
                continue;
            }
            texts.push(debian.text(&file));
            append_file(draft, "units", &file, path, installed);
        }
    }
    for (extension, key) in [("sysusers", "sysusers"), ("tmpfiles", "tmpfiles"), ("tmpfile", "tmpfiles")] {
        if let Some(file) = debian.file(extension)
            && let Some(path) = debian.named(&file, draft)
        {
            append_file(draft, key, &file, path, format!("{}.conf", debian.name));
        }
    }
    if draft.systemd.iter().any(|setting| setting.key == "units") {
        calls.policy(debian, draft);
    }
    scripts(debian, &mut texts, draft);
    triggers(debian, draft);
    let names_old = texts.iter().any(|text| text.contains(&debian.old));
    if names_old && debian.old != new {
        draft.service.push(Setting::new("former-root", debian.old.as_str()).because(format!(
            "Where dh-virtualenv installed: units and maintainer scripts name it, and it is read as {new} in them."
        )));
    }
}

/// A file with the name that it is installed by, which may be its own.
fn append_file(draft: &mut Draft, key: &str, file: &str, path: String, installed: String) {
    if file == installed {
        append(&mut draft.systemd, key, &path);
        return;
    }
    let entry = [("path".to_owned(), Value::String(path)), ("name".to_owned(), Value::String(installed))];
    append_value(&mut draft.systemd, key, Value::Table(toml::Table::from_iter(entry)));
}

/// The units of a kind, each with the name that debhelper installs it by.
fn found(debian: &Debian, kind: &str, calls: &Calls, draft: &mut Draft) -> Vec<(String, String)> {
    let package = debian.name.as_str();
    let mut found = Vec::new();
    if let Some(file) = debian.file(kind) {
        found.push((file, format!("{package}.{kind}")));
    }
    if let Some(file) = debian.names.get(&format!("{package}@.{kind}")) {
        found.push((file.clone(), file.clone()));
    }
    for file in &debian.names {
        let Some(name) =
            file.strip_prefix(&format!("{package}.")).and_then(|rest| rest.strip_suffix(&format!(".{kind}")))
        else {
            continue;
        };
        let (plain, at) = (name.trim_end_matches('@'), name.ends_with('@'));
        if calls.names.iter().any(|known| known == plain) {
            found.push((file.clone(), format!("{plain}{}.{kind}", if at { "@" } else { "" })));
        } else {
            let why = format!(
                "debhelper installs it for `dh_installsystemd --name={plain}`, which debian/rules does not call; `{{ path = \
                 …, name = \"{name}.{kind}\" }}` in `units` does"
            );
            draft.leave(format!("debian/{file}"), why);
        }
    }
    found
}

/// What the rules tell debhelper of units.
struct Calls {
    /// `--name` of each call.
    names: Vec<String>,
    /// The flags of each call, with the line it stands on.
    flags: Vec<(usize, Vec<String>)>,
}

impl Calls {
    fn of(debian: &Debian) -> Self {
        const PROGRAMS: [&str; 4] = ["dh_installsystemd", "dh_systemd_enable", "dh_systemd_start", "dh_installinit"];
        let mut calls = Self { names: Vec::new(), flags: Vec::new() };
        for command in &debian.rules.commands {
            for words in debian.rules.words(command) {
                if !words.first().is_some_and(|word| PROGRAMS.contains(&word.as_str())) {
                    continue;
                }
                let mut flags = Vec::new();
                let mut rest = words.iter().skip(1);
                while let Some(word) = rest.next() {
                    let name = match word.strip_prefix("--name") {
                        Some("") => rest.next().map(String::as_str),
                        Some(value) => value.strip_prefix('='),
                        None => None,
                    };
                    match name.filter(|name| !name.contains(UNKNOWN)) {
                        Some(name) => calls.names.push(name.to_owned()),
                        None if word.starts_with('-') && !word.starts_with("-p") => flags.push(word.clone()),
                        None => {}
                    }
                }
                calls.flags.push((command.line, flags));
            }
        }
        calls
    }

    /// One policy for all units; where the calls differ, it is told.
    fn policy(&self, debian: &Debian, draft: &mut Draft) {
        let has = |flags: &[String], names: &[&str]| flags.iter().any(|flag| names.contains(&flag.as_str()));
        let each = |names: &[&str]| {
            let count = self.flags.iter().filter(|(_, flags)| has(flags, names)).count();
            (count > 0, count == self.flags.len())
        };
        for (names, key) in [(["--no-enable"].as_slice(), "enable"), (["--no-start"].as_slice(), "start")] {
            match each(names) {
                (true, true) => draft.systemd.push(Setting::new(key, false)),
                (true, false) => self.differ(names, draft),
                _ => {}
            }
        }
        let never = ["--no-stop-on-upgrade", "--no-restart-on-upgrade", "-r"];
        let in_place = ["--restart-after-upgrade", "-R"];
        let stopped = ["--no-restart-after-upgrade"];
        // Since level 10 a unit is restarted after the upgrade; before, it was stopped meanwhile (debhelper(7)).
        let old = debian.level < 10 && !each(&in_place).1;
        let restart = match (each(&never), each(&stopped)) {
            ((true, true), _) => Some("never"),
            (_, (true, true)) => Some("stop-start"),
            ((true, false), _) => {
                self.differ(&never, draft);
                None
            }
            (_, (true, false)) => {
                self.differ(&stopped, draft);
                None
            }
            _ => old.then_some("stop-start"),
        };
        if let Some(restart) = restart {
            let because = if old && restart == "stop-start" {
                format!("As debhelper does at level {}.", debian.level)
            } else {
                "As debian/rules tells debhelper.".to_owned()
            };
            draft.systemd.push(Setting::new("restart", restart).because(because));
        }
    }

    fn differ(&self, flags: &[&str], draft: &mut Draft) {
        let line = self.flags.iter().find(|(_, given)| given.iter().any(|flag| flags.contains(&flag.as_str())));
        let (line, flag) = (line.map_or(0, |(line, _)| *line), flags.first().copied().unwrap_or_default());
        draft.leave(
            format!("debian/rules:{line}: {flag}"),
            "it is not for all units, and `enable`, `start` and `restart` of the systemd table are",
        );
    }
}

fn scripts(debian: &Debian, texts: &mut Vec<String>, draft: &mut Draft) {
    let mut scripts = toml::Table::new();
    for (extension, key) in SCRIPTS {
        let Some(file) = debian.file(extension) else { continue };
        let text = debian.text(&file);
        if extension != "templates" && is_empty(&text) {
            continue;
        }
        let Some(path) = debian.named(&file, draft) else { continue };
        texts.push(text);
        scripts.insert(key.to_owned(), Value::String(path));
    }
    if !scripts.is_empty() {
        draft.service.push(
            Setting::new("scripts", scripts)
                .because("Maintainer scripts; #DEBHELPER# in them is what packhouse has to do itself."),
        );
    }
}

/// Whether a script does nothing beside what debhelper would put into it.
fn is_empty(script: &str) -> bool {
    let lines = script.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .all(|line| ["set -e", "set -eu", "exit 0", "exit", ":", "true"].contains(&line))
}

/// Triggers, but for those with which dh-virtualenv keeps its copies of the interpreter up to date: packhouse's trees have
/// links to it.
fn triggers(debian: &Debian, draft: &mut Draft) {
    let Some(file) = debian.file("triggers") else { return };
    let of_interpreter = |words: &Vec<String>| {
        words
            .get(1)
            .is_some_and(|name| name.starts_with("/usr/bin/python") || name == "dh-virtualenv-interpreter-update")
    };
    let lines = debian.lines(&file, draft);
    let why = "packhouse's tree links to the system's interpreter, so that nothing has to be done when that changes";
    if lines.iter().all(of_interpreter) {
        if !lines.is_empty() {
            draft.leave(format!("debian/{file}"), why);
        }
        return;
    }
    if let Some(path) = debian.named(&file, draft) {
        let setting = Setting::new("triggers", path);
        let extra = lines.iter().any(of_interpreter);
        draft.service.push(if extra {
            setting.because(format!("Those for the interpreter do nothing: {why}."))
        } else {
            setting
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_with_nothing_but_debhelpers_mark_is_empty() {
        assert!(is_empty("#!/bin/sh\nset -e\n\n#DEBHELPER#\n\nexit 0\n"));
        assert!(!is_empty("#!/bin/sh\nset -e\nadduser --system shop\n#DEBHELPER#\n"));
    }
}
