//! Conffiles and `%config` (Policy 10.7; rpm-spec(5)).

use std::collections::HashSet;

use crate::check::{Formats, Hit, Rule, Severity, Subject, shell};
use crate::format::FileKind;
use crate::target::Format;

pub(in crate::check) static RULES: &[Rule] = &[
    Rule {
        code: "configuration-not-marked",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a file in /etc is not marked as configuration",
        explanation: "An upgrade overwrites what the administrator changed, without a question and without a copy.",
        remedy: "Name the file under `config` of `[services.NAME]`, or install it below `/usr`.",
        source: "Policy 10.7; lintian file-in-etc-not-marked-as-conffile; rpmlint non-conffile-in-etc",
        find: unmarked,
    },
    Rule {
        code: "conffile-outside-etc",
        severity: Severity::Error,
        formats: Formats::DEB,
        title: "a conffile lies outside /etc",
        explanation: "Configuration is in `/etc`, where administrators, backups and configuration management look for it.",
        remedy: "Install it in `/etc`, or do not mark it.",
        source: "Policy 10.7.2; lintian non-etc-file-marked-as-conffile",
        find: outside,
    },
    Rule {
        code: "conffile-not-shipped",
        severity: Severity::Error,
        formats: Formats::DEB,
        title: "`conffiles` names a file that the package does not hold",
        explanation: "dpkg warns at each installation, and the file is never cared for. A link or a directory cannot be a conffile.",
        remedy: "Remove the line, or install the file.",
        source: "deb-conffiles(5); lintian missing-conffile, conffile-is-not-in-package",
        find: missing,
    },
    Rule {
        code: "configuration-replaced",
        severity: Severity::Error,
        formats: Formats::RPM,
        title: "an upgrade replaces the administrator's configuration",
        explanation: "With plain `%config`, rpm moves a changed file aside (`.rpmsave`) and installs the new one: the service starts \
                      with another configuration after the upgrade.",
        remedy: "Use `%config(noreplace)`; packhouse does for all files under `config`.",
        source: "rpm-spec(5); rpmlint conffile-without-noreplace-flag",
        find: replaced,
    },
    Rule {
        code: "conffile-changed-by-script",
        severity: Severity::Warning,
        formats: Formats::DEB,
        title: "a maintainer script writes to a conffile",
        explanation: "dpkg then takes the file for one that the administrator changed, and asks at each upgrade.",
        remedy: "Let the service read a second file that the script makes, or do not ship the file as a conffile.",
        source: "Policy 10.7.3",
        find: written,
    },
];

fn unmarked(subject: &Subject) -> Vec<Hit> {
    let files = subject.files().filter(|item| item.path.starts_with("/etc/") && !item.config && !item.ghost);
    files.map(|item| Hit::at(&item.path, "it is not marked as configuration")).collect()
}

/// Paths of `conffiles`; a line with a flag is about a file that goes (deb-conffiles(5)).
fn conffiles(subject: &Subject) -> impl Iterator<Item = &str> {
    subject.conffiles.iter().map(String::as_str).filter(|line| line.starts_with('/'))
}

fn outside(subject: &Subject) -> Vec<Hit> {
    let outside = conffiles(subject).filter(|path| !path.starts_with("/etc/"));
    outside.map(|path| Hit::at(path, "it is a conffile")).collect()
}

fn missing(subject: &Subject) -> Vec<Hit> {
    let mut seen = HashSet::new();
    let mut hits = Vec::new();
    for path in conffiles(subject) {
        if !seen.insert(path) {
            hits.push(Hit::at(path, "it is named twice"));
            continue;
        }
        match subject.get(path).map(|item| item.kind) {
            Some(FileKind::File | FileKind::Hardlink) => {}
            Some(_) => hits.push(Hit::at(path, "it is no regular file")),
            None => hits.push(Hit::at(path, "it is not in the package")),
        }
    }
    hits
}

fn replaced(subject: &Subject) -> Vec<Hit> {
    let files =
        subject.files().filter(|item| item.config && !item.noreplace && !item.ghost && item.path.starts_with("/etc/"));
    files.map(|item| Hit::at(&item.path, "it is not marked `noreplace`")).collect()
}

fn written(subject: &Subject) -> Vec<Hit> {
    debug_assert!(subject.format == Format::Deb);
    let mut hits = Vec::new();
    for script in &subject.scripts {
        for line in shell::lines(&script.text) {
            let commands = shell::commands(line.text);
            for path in conffiles(subject) {
                let redirected = line.text.match_indices('>').any(|(at, _)| {
                    let after = line.text.get(at + 1..).unwrap_or_default().trim_start_matches('>').trim_start();
                    after.trim_start_matches(['"', '\'']).starts_with(path)
                });
                let edited = commands.contains(&"sed") && line.text.contains("-i") && shell::has_word(line.text, path);
                if redirected || edited {
                    hits.push(Hit::at(path, format!("{}, line {}, writes to it", script.name, line.number)));
                }
            }
        }
    }
    hits
}
