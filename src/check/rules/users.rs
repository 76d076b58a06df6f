//! Users and run-time directories: sysusers.d(5) and tmpfiles.d(5).

use crate::check::subject::file_name;
use crate::check::{Formats, Hit, Rule, Severity, Subject};

pub(in crate::check) static RULES: &[Rule] = &[
    Rule {
        code: "sysusers-line",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "systemd-sysusers cannot read a line",
        explanation: "A line that it does not understand makes systemd-sysusers fail; on Debian the package is then left half-configured.",
        remedy: "Write `u NAME - \"COMMENT\" HOME`, with a name of small letters, digits, `_` and `-`.",
        source: "sysusers.d(5); systemd's User/Group Name Syntax",
        find: sysusers,
    },
    Rule {
        code: "sysusers-too-new",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a line of sysusers.d is for a newer systemd than the target's",
        explanation: "`u!` came with systemd 257. An older one fails on the line (“Unknown modifier”), and the package is left \
                      half-configured.",
        remedy: "Use plain `u`.",
        source: "sysusers.d(5)",
        find: modifiers,
    },
    Rule {
        code: "tmpfiles-line",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "systemd-tmpfiles cannot read a line",
        explanation: "The line has no type that systemd-tmpfiles knows, or no absolute path. It is skipped with an error at each start, \
                      and what it should make is not there.",
        remedy: "Write `TYPE PATH MODE USER GROUP AGE ARGUMENT`.",
        source: "tmpfiles.d(5)",
        find: tmpfiles,
    },
    Rule {
        code: "tmpfiles-foreign-path",
        severity: Severity::Warning,
        formats: Formats::Both,
        title: "a line of tmpfiles.d is about a path that is not the package's",
        explanation: "tmpfiles.d is for what is made at run time, below `/run`, `/var`, `/tmp`. A line that makes or removes files below \
                      `/usr`, `/etc`, `/home` or `/boot` changes what belongs to others.",
        remedy: "Ship the file in the package, or name a path below `/run` or `/var/lib`.",
        source: "tmpfiles.d(5); Policy 9.1",
        find: foreign,
    },
];

const SYSUSERS: [&str; 2] = ["/usr/lib/sysusers.d", "/etc/sysusers.d"];
const TMPFILES: [&str; 2] = ["/usr/lib/tmpfiles.d", "/etc/tmpfiles.d"];

/// Path, number and words of the lines of configuration fragments in these directories.
fn lines(subject: &Subject, directories: &[&str]) -> Vec<(String, usize, Vec<String>)> {
    let mut all = Vec::new();
    for (item, text) in subject.texts_in(directories) {
        if !item.path.ends_with(".conf") {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let words = shlex::split(line).unwrap_or_else(|| line.split_whitespace().map(str::to_owned).collect());
            all.push((item.path.clone(), index + 1, words));
        }
    }
    all
}

/// The users and groups that the package's own sysusers.d makes.
pub(super) fn made(subject: &Subject) -> Vec<String> {
    let lines = lines(subject, &SYSUSERS);
    let makes = lines
        .into_iter()
        .filter(|(.., words)| words.first().is_some_and(|kind| matches!(kind.as_str(), "u" | "u!" | "g")));
    makes.filter_map(|(.., words)| words.into_iter().nth(1)).collect()
}

/// systemd's strict rule for names of users, which holds for what packages make.
fn is_user(name: &str) -> bool {
    let first = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    first && name.len() <= 31 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

fn sysusers(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (path, number, words) in lines(subject, &SYSUSERS) {
        let kind = words.first().map(String::as_str).unwrap_or_default();
        let name = words.get(1).map(String::as_str).unwrap_or_default();
        let problem = match kind {
            "u" | "u!" | "g" if !is_user(name) => format!("`{name}` cannot be a name"),
            "m" if !is_user(name) || !words.get(2).is_some_and(|group| is_user(group)) => {
                "`m` wants a user and a group".to_owned()
            }
            "u" | "u!" | "g" | "m" | "r" => {
                let most = if kind == "u" || kind == "u!" { 6 } else { 4 };
                let comment = words.get(3).is_some_and(|comment| comment.contains(':'));
                match () {
                    () if words.len() > most => "it has more fields than its type takes".to_owned(),
                    () if comment => "a comment cannot hold a colon".to_owned(),
                    () => continue,
                }
            }
            other => format!("`{other}` is no type"),
        };
        hits.push(Hit::at(path, format!("line {number}: {problem}")));
    }
    hits
}

fn modifiers(subject: &Subject) -> Vec<Hit> {
    if subject.systemd.is_none_or(|version| version >= 257) {
        return Vec::new();
    }
    let lines =
        lines(subject, &SYSUSERS).into_iter().filter(|(.., words)| words.first().is_some_and(|kind| kind == "u!"));
    lines.map(|(path, number, _)| Hit::at(path, format!("line {number}: `u!` needs systemd 257"))).collect()
}

fn tmpfiles(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (path, number, words) in lines(subject, &TMPFILES) {
        let kind = words.first().map(String::as_str).unwrap_or_default();
        let letter = kind.chars().next().unwrap_or_default();
        let known = "fFwdDeqvQpLcbCxXrRzZtThHaAmkG".contains(letter) && letter.is_ascii_alphabetic();
        let modifiers = kind.chars().skip(1).all(|modifier| "+!-=~^$?".contains(modifier));
        let place = words.get(1).map(String::as_str).unwrap_or_default();
        if !known || !modifiers {
            hits.push(Hit::at(path, format!("line {number}: `{kind}` is no type")));
        } else if !place.starts_with('/') && !place.starts_with('%') {
            hits.push(Hit::at(path, format!("line {number}: `{place}` is no absolute path")));
        }
    }
    hits
}

fn foreign(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (path, number, words) in lines(subject, &TMPFILES) {
        let place = words.get(1).map(String::as_str).unwrap_or_default();
        let foreign = ["/usr", "/boot", "/home", "/root", "/bin", "/lib", "/etc"].iter().any(|directory| {
            place.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        // What it does to the package's own paths is its own affair.
        let own = subject.has(place) || file_name(place) == subject.name;
        if foreign && !own {
            hits.push(Hit::at(path, format!("line {number}: `{place}` is not the package's")));
        }
    }
    hits
}
