//! Programs that are scripts: whether their interpreter will be there (Policy 10.4; execve(2)).

use crate::check::subject::{Item, Place, file_name, is_command};
use crate::check::{Formats, Hit, Rule, Severity, Subject};
use crate::format::FileKind;
use crate::target::Format;

pub(in crate::check) static RULES: &[Rule] = &[
    Rule {
        code: "script-without-interpreter",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a command is neither a program nor a script",
        explanation: "An executable file in the path has neither an ELF header nor a `#!` line. The kernel refuses it; some shells then \
                      try to run it as a shell script, systemd does not.",
        remedy: "Begin it with `#!` and the interpreter's path.",
        source: "execve(2); lintian executable-not-elf-or-script; rpmlint script-without-shebang",
        find: without,
    },
    Rule {
        code: "interpreter-missing",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "the interpreter of a script is neither in the package nor in a dependency",
        explanation: "The `#!` line names a path that nothing brings: the program fails with “bad interpreter: no such file or \
                      directory”, although it is there.",
        remedy: "Depend on the package that has the interpreter, or correct the path; packhouse does both for what it stages.",
        source: "execve(2); Policy 10.4; lintian missing-dep-for-interpreter; rpmlint wrong-script-interpreter",
        find: missing,
    },
    Rule {
        code: "interpreter-by-env",
        severity: Severity::Error,
        formats: Formats::RPM,
        title: "a script asks env for its interpreter",
        explanation: "`#!/usr/bin/env python3` takes whatever comes first in the caller's path: a developer's own interpreter instead of \
                      the one that the package depends on.",
        remedy: "Name the interpreter itself: `#!/usr/bin/python3.11`.",
        source: "Fedora packaging guidelines, Shebang lines; rpmlint env-script-interpreter",
        find: env,
    },
    Rule {
        code: "shebang-too-long",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a `#!` line is longer than the kernel reads",
        explanation: "Linux before 5.1 (EL 8 has 4.18) reads 127 bytes of the line; the rest is cut off, and the interpreter is not \
                      found, or its argument is another one.",
        remedy: "Shorten the path, for instance the names of the organisation and the service.",
        source: "execve(2)",
        find: long,
    },
];

/// Files in the path and what links in the path lead to.
fn commands(subject: &Subject) -> impl Iterator<Item = (&Item, &Item)> {
    let items =
        subject.items().filter(|item| is_command(&item.path) && item.kind != FileKind::Directory && !item.ghost);
    items.filter_map(|item| subject.target(&item.path).map(|target| (item, target)))
}

fn without(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (item, target) in commands(subject) {
        let text = !target.content.head.is_empty() && !target.content.head.starts_with(b"#!");
        // Java archives and Windows programs have interpreters by binfmt_misc.
        let other = target.content.head.starts_with(b"PK\x03\x04") || target.content.head.starts_with(b"MZ");
        // A 32-bit ELF file is no text.
        let elf = target.content.head.starts_with(b"\x7fELF");
        if target.is_executable() && (target.size == 0 || (text && !other && !elf)) && target.kind == FileKind::File {
            hits.push(Hit::at(&item.path, "it has neither an ELF header nor a `#!` line"));
        }
    }
    hits
}

/// Executable scripts, with the interpreter's path and its arguments.
fn shebangs(subject: &Subject) -> impl Iterator<Item = (&Item, String, String)> {
    let files = subject.files().filter(|item| item.is_executable() && !item.path.starts_with("/usr/share/doc/"));
    files.filter_map(|item| item.shebang().map(|(program, arguments)| (item, program, arguments)))
}

/// Interpreters that every system has, by their names: Debian's essential packages, and what rpm's scriptlets need.
const ESSENTIAL: [&str; 12] =
    ["sh", "bash", "dash", "perl", "awk", "mawk", "gawk", "sed", "env", "cat", "false", "true"];

/// Interpreters that come from a package of another name.
const PACKAGES: [(&str, &[&str]); 10] = [
    ("node", &["nodejs"]),
    ("nodejs", &["nodejs"]),
    ("wish", &["tk"]),
    ("tclsh", &["tcl"]),
    ("expect", &["expect"]),
    ("guile", &["guile"]),
    ("lua", &["lua5.1", "lua5.2", "lua5.3", "lua5.4"]),
    ("gjs", &["gjs"]),
    ("make", &["make"]),
    ("pwsh", &["powershell"]),
];

/// Whether a dependency brings the program at `path`.
pub(super) fn is_brought(subject: &Subject, path: &str) -> bool {
    let name = file_name(path);
    let merged = format!("/usr{path}");
    if subject.requires(path) || subject.requires(&merged) || subject.requires(name) {
        return true;
    }
    if let Some((_, packages)) = PACKAGES.iter().find(|(program, _)| *program == name)
        && packages.iter().any(|package| subject.requires(package))
    {
        return true;
    }
    if let Some(version) = name.strip_prefix("python") {
        return brings_python(subject, version);
    }
    // `php8.2` in `php8.2-cli`, `ruby3.1` in `ruby3.1`, `zsh` in `zsh-static`.
    let stem = name.trim_end_matches(|last: char| last.is_ascii_digit() || last == '.');
    stem.len() >= 2
        && subject.required_names().any(|required| {
            required == stem
                || required.strip_prefix(name).is_some_and(|rest| rest.starts_with('-'))
                || required
                    .strip_prefix(stem)
                    .is_some_and(|rest| rest.starts_with(|c: char| c == '-' || c.is_ascii_digit()))
        })
}

/// Whether a dependency brings `pythonVERSION`: by its package, its minimal package, RPM's ABI, or for `python3` any minor.
fn brings_python(subject: &Subject, version: &str) -> bool {
    subject.requirements().any(|expression| {
        crate::check::relation::names(subject.format, expression).any(|name| {
            let abi = name == "python(abi)"
                && (version == "3" || version.is_empty() || expression.ends_with(&format!("= {version}")));
            let package = name.strip_prefix("/usr/bin/").unwrap_or(name).strip_prefix("python").is_some_and(|rest| {
                let rest = rest.strip_suffix("-minimal").or_else(|| rest.strip_suffix("-base")).unwrap_or(rest);
                rest == version || rest == version.replace('.', "") || (version == "3" && rest.starts_with("3."))
            });
            abi || package
        })
    })
}

fn missing(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (item, program, arguments) in shebangs(subject) {
        if program.is_empty() {
            hits.push(Hit::at(&item.path, "its `#!` line names no interpreter"));
            continue;
        }
        if !program.starts_with('/') {
            hits.push(Hit::at(&item.path, format!("its interpreter `{program}` is no absolute path")));
            continue;
        }
        if let Some(problem) = absent(subject, &program) {
            hits.push(Hit::at(&item.path, problem));
            continue;
        }
        // What env looks for must be there as well; in a private tree of others nobody starts it.
        if program == "/usr/bin/env" && !item.vendored {
            let words = arguments.split_whitespace().filter(|word| !word.starts_with('-') && !word.contains('='));
            if let Some(name) = words.into_iter().next()
                && absent(subject, &if name.starts_with('/') { name.to_owned() } else { format!("/usr/bin/{name}") })
                    .is_some()
            {
                hits.push(Hit::at(&item.path, format!("nothing that it depends on brings `{name}`")));
            }
        }
    }
    hits
}

/// Why the program at `path` will not be there; `None` when it is, or when it may be.
fn absent(subject: &Subject, path: &str) -> Option<String> {
    let end = match subject.resolve(path) {
        Place::Inside(_) => return None,
        Place::Outside(end) => end,
        Place::Nowhere | Place::Circle => return Some(format!("its interpreter `{path}` is a link to nowhere")),
    };
    let standard = matches!(crate::check::subject::parent(&end), Some("/bin" | "/sbin" | "/usr/bin" | "/usr/sbin"));
    let essential = standard && ESSENTIAL.contains(&file_name(&end));
    if essential || (standard && is_brought(subject, &end)) {
        return None;
    }
    // Outside the path, what a dependency brings cannot be told by its name; what is the package's own, can.
    if !standard
        && !subject.is_own(&end)
        && (subject.requires(&end) || end.starts_with("/usr/lib") || end.starts_with("/lib/"))
    {
        return None;
    }
    let what = if end == path { format!("`{path}`") } else { format!("`{path}`, which leads to `{end}`,") };
    Some(format!("its interpreter {what} is neither in the package nor in a dependency"))
}

fn env(subject: &Subject) -> Vec<Hit> {
    debug_assert!(subject.format == Format::Rpm);
    let found = shebangs(subject).filter(|(_, program, _)| matches!(program.as_str(), "/usr/bin/env" | "/bin/env"));
    found.map(|(item, _, arguments)| Hit::at(&item.path, format!("it asks env for `{arguments}`"))).collect()
}

fn long(subject: &Subject) -> Vec<Hit> {
    const LIMIT: usize = 127;
    let mut hits = Vec::new();
    for item in subject.files().filter(|item| item.is_executable()) {
        let Some(rest) = item.content.head.strip_prefix(b"#!") else { continue };
        let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
        if line.len() + 2 > LIMIT {
            hits.push(Hit::at(&item.path, format!("its `#!` line has more than {LIMIT} bytes")));
        }
    }
    hits
}
