//! Maintainer scripts (Policy 6) and scriptlets (rpm-scriptlets(7)), as far as their text alone tells. Nothing is run.

use crate::check::subject::{Script, file_name};
use crate::check::{Formats, Hit, Rule, Severity, Subject, shell};

pub(in crate::check) static RULES: &[Rule] = &[
    Rule {
        code: "script-not-for-shell",
        severity: Severity::Error,
        formats: Formats::DEB,
        title: "a maintainer script does not begin with an interpreter that is always there",
        explanation: "dpkg runs the file itself: without a `#!` line the kernel refuses it. While a package is installed or removed, \
                      only essential packages are sure to be there.",
        remedy: "Begin it with `#!/bin/sh`.",
        source: "Policy 6.1, 10.4; lintian maintainer-script-lacks-shebang, unusual-control-interpreter",
        find: interpreter,
    },
    Rule {
        code: "script-ignores-errors",
        severity: Severity::Warning,
        formats: Formats::DEB,
        title: "a maintainer script goes on after an error",
        explanation: "Without `set -e` a failed step is forgotten, and dpkg takes the package for configured.",
        remedy: "Write `set -e` in the second line.",
        source: "Policy 10.4; lintian maintainer-script-ignores-errors",
        find: errors,
    },
    Rule {
        code: "script-syntax",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a maintainer script is not complete",
        explanation: "An `if`, loop, `case`, quote or here-document is opened and never closed, or the other way round. The shell \
                      refuses the script in the middle of an installation.",
        remedy: "Check it with `sh -n`.",
        source: "POSIX.1-2024, Shell Command Language; lintian maintainer-shell-script-fails-syntax-check",
        find: syntax,
    },
    Rule {
        code: "script-bashism",
        severity: Severity::Warning,
        formats: Formats::DEB,
        title: "a script for /bin/sh uses what only bash knows",
        explanation: "Debian's `/bin/sh` is dash: it knows neither `[[`, nor arrays, `<<<`, `&>`, `function` or `source`.",
        remedy: "Use the POSIX form, or begin the script with `#!/bin/bash`.",
        source: "Policy 10.4; lintian possible-bashism-in-maintainer-script",
        find: bashisms,
    },
    Rule {
        code: "script-command-with-path",
        severity: Severity::Warning,
        formats: Formats::DEB,
        title: "a maintainer script calls a command by its path",
        explanation: "dpkg sets the path. A path in the script breaks when the command moves, as it did when `/bin` became a link.",
        remedy: "Call the command by its name.",
        source: "Policy 6.1; lintian command-with-path-in-maintainer-script",
        find: paths,
    },
    Rule {
        code: "scriptlet-macro",
        severity: Severity::Error,
        formats: Formats::RPM,
        title: "a scriptlet has a macro that nobody expanded",
        explanation: "`%systemd_post` and `%{…}` are expanded when a spec file is built. In the header of a package they are words that \
                      the shell does not know.",
        remedy: "Build it with packhouse, which writes the expansions, or have systemd-rpm-macros installed where the spec is built.",
        source: "rpm-macros(7); rpmlint percent-in-%post",
        find: macros,
    },
    Rule {
        code: "scriptlet-may-fail",
        severity: Severity::Warning,
        formats: Formats::RPM,
        title: "a scriptlet gives the status of its last command",
        explanation: "rpm does not roll back. A failing `%pre` or `%preun` leaves the package half-way; a failing `%postun` leaves two \
                      versions in the database.",
        remedy: "End the scriptlet with `exit 0`, and commands that may fail with `|| :`.",
        source: "rpm-scriptlets(7); Fedora packaging guidelines, Scriptlets",
        find: status,
    },
    Rule {
        code: "script-removes-by-variable",
        severity: Severity::Warning,
        formats: Formats::Both,
        title: "a script removes a tree whose path is a variable",
        explanation: "When the variable is empty, `rm -rf \"$DIR\"/*` removes the root directory.",
        remedy: "Write the path itself, or `${DIR:?}`.",
        source: "shellcheck SC2115",
        find: removals,
    },
    Rule {
        code: "postrm-needs-dependency",
        severity: Severity::Error,
        formats: Formats::DEB,
        title: "postrm relies on a command that may be gone",
        explanation: "When `postrm` runs, the package's dependencies may be removed already. An unguarded call of a command that is not \
                      essential makes a purge fail.",
        remedy: "Ask first: `if command -v ucf >/dev/null; then …`, or let it fail with `|| true`.",
        source: "Policy 6.5, 7.2; piuparts",
        find: postrm,
    },
];

fn is_shell(script: &Script) -> bool {
    let program = script.program.split_whitespace().next().unwrap_or_default();
    matches!(file_name(program), "sh" | "bash" | "dash") || (program.is_empty() && !script.text.starts_with("#!"))
}

fn each(subject: &Subject) -> impl Iterator<Item = &Script> {
    subject.scripts.iter().filter(|script| is_shell(script))
}

fn interpreter(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for script in &subject.scripts {
        // A compiled one has no text.
        if script.text.starts_with("\u{7f}ELF") {
            continue;
        }
        let program = script.program.split_whitespace().next().unwrap_or_default();
        let essential = matches!(
            program,
            "/bin/sh" | "/bin/bash" | "/bin/dash" | "/usr/bin/sh" | "/usr/bin/bash" | "/usr/bin/dash" | "/usr/bin/perl"
        );
        // debconf's `config` runs before unpacking, with debconf's own needs.
        if !essential {
            let what =
                if program.is_empty() { "has no `#!` line".to_owned() } else { format!("is run by `{program}`") };
            hits.push(Hit::new(format!("{} {what}", script.name)));
        }
    }
    hits
}

fn errors(subject: &Subject) -> Vec<Hit> {
    let careless = each(subject).filter(|script| {
        let by_option =
            script.program.split_whitespace().skip(1).any(|word| word.starts_with('-') && word.contains('e'));
        let by_set = shell::lines(&script.text).iter().any(|line| {
            let mut words = line.text.split_whitespace();
            words.next() == Some("set")
                && words.any(|word| (word.starts_with('-') && word.contains('e')) || word == "errexit")
        });
        !by_option && !by_set && !shell::lines(&script.text).is_empty()
    });
    careless.map(|script| Hit::new(format!("{} has no `set -e`", script.name))).collect()
}

fn syntax(subject: &Subject) -> Vec<Hit> {
    let broken = each(subject).filter_map(|script| Some((script, shell::incomplete(&script.text)?)));
    broken.map(|(script, problem)| Hit::new(format!("{}: {problem}", script.name))).collect()
}

fn bashisms(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for script in each(subject).filter(|script| !script.program.contains("bash")) {
        for line in shell::lines(&script.text) {
            let commands = shell::commands(line.text);
            let word = ["[[", "function", "source", "declare", "typeset", "pushd", "popd", "shopt"];
            let found = word.iter().find(|word| commands.contains(word)).copied();
            let bare = unquoted(line.text);
            let found = found.or_else(|| ["<<<", "&>", "<(", ">("].into_iter().find(|sign| bare.contains(sign)));
            if let Some(found) = found {
                hits.push(Hit::new(format!("{}, line {}: `{found}`", script.name, line.number)));
            }
        }
    }
    hits
}

/// The text outside quotes.
fn unquoted(line: &str) -> String {
    let mut quote = None;
    let mut bare = String::new();
    for character in line.chars() {
        match (quote, character) {
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            (None, _) => bare.push(character),
            _ => {}
        }
    }
    bare
}

fn paths(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for script in each(subject) {
        for line in shell::lines(&script.text) {
            for command in shell::commands(line.text) {
                let directory = ["/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/"]
                    .iter()
                    .any(|directory| command.starts_with(directory));
                // In a `case` it may be a pattern, and the package's own commands are where it put them.
                if directory && !subject.has(command) {
                    hits.push(Hit::new(format!("{}, line {}: `{command}`", script.name, line.number)));
                }
            }
        }
    }
    hits
}

/// rpm expands macros in it, or takes it for a query format (`rpmscriptFlags`).
const EXPANDED: u32 = 1 | 2;

fn macros(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    // What rpm expands when it runs the scriptlet may stand there.
    for script in each(subject).filter(|script| script.flags & (EXPANDED) == 0) {
        for line in shell::lines(&script.text) {
            for word in line.text.split(|character: char| character.is_whitespace() || ";&|".contains(character)) {
                let word = word.trim_start_matches(['"', '\'']);
                let Some(name) = word.strip_prefix('%') else { continue };
                let named =
                    name.chars().take_while(|character| character.is_ascii_lowercase() || *character == '_').count()
                        >= 4;
                if named || name.starts_with('{') || name.starts_with('(') {
                    hits.push(Hit::new(format!("%{}, line {}: `{word}`", script.name, line.number)));
                }
            }
        }
    }
    hits
}

fn status(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for script in each(subject) {
        let lines = shell::lines(&script.text);
        let Some(last) = lines.last() else { continue };
        let text = last.text.trim();
        // packhouse runs a project's own script and goes on; what it ended with is what the project wants rpm to know.
        let harmless = ["exit 0", "exit \"$status\"", ":", "true", "fi", "done", "esac", "}"].contains(&text)
            || ["|| :", "|| true", "||:", "|| exit 0", "; :", "; true", "; exit 0", "fi", "done", "esac"]
                .iter()
                .any(|ending| text.ends_with(ending));
        if !harmless {
            hits.push(Hit::new(format!("%{} ends with `{text}`", script.name)));
        }
    }
    hits
}

fn removals(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for script in each(subject) {
        for line in shell::lines(&script.text) {
            let mut words = line
                .text
                .split_whitespace()
                .skip_while(|word| word.trim_start_matches(['(', '{', '`']) != "rm")
                .skip(1);
            let recursive = words
                .clone()
                .take_while(|word| word.starts_with('-'))
                .any(|word| word.contains('r') || word.contains('R'));
            let risky = words.any(|word| {
                let bare = word.trim_matches(['"', '\'']);
                // `"$DIR"/x` is `/x` without the variable; `$DIR` alone is nothing.
                bare.starts_with('$')
                    && !bare.contains(":?")
                    && !bare.starts_with("${DPKG_ROOT")
                    && !bare.starts_with("$DPKG_ROOT")
                    && bare.contains('/')
            });
            if recursive && risky {
                hits.push(Hit::new(format!("{}, line {}: `{}`", script.name, line.number, line.text.trim())));
            }
        }
    }
    hits
}

/// Commands of packages that are not essential, as maintainer scripts call them. deb-systemd-helper and invoke-rc.d are of one
/// that is.
const NOT_ESSENTIAL: [&str; 13] = [
    "systemctl",
    "systemd-sysusers",
    "systemd-tmpfiles",
    "adduser",
    "addgroup",
    "deluser",
    "delgroup",
    "ucf",
    "ucfr",
    "py3clean",
    "py3compile",
    "setcap",
    "python3",
];

fn postrm(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for script in each(subject).filter(|script| script.name == "postrm") {
        let lines = shell::lines(&script.text);
        for line in &lines {
            for command in shell::commands(line.text) {
                let name = file_name(command);
                if !NOT_ESSENTIAL.contains(&name) || line.text.contains("||") {
                    continue;
                }
                // Asked for before, or only where systemd runs.
                let guarded = lines.iter().take_while(|other| other.number <= line.number).any(|other| {
                    let asks = ["command -v", "which ", "type ", "-x ", "-e ", "-f "]
                        .iter()
                        .any(|question| other.text.contains(question));
                    (asks && other.text.contains(name))
                        || (name == "systemctl" && other.text.contains("/run/systemd/system"))
                });
                if !guarded {
                    hits.push(Hit::new(format!("postrm, line {}: `{name}` is not essential", line.number)));
                }
            }
        }
    }
    hits
}
