//! Commands of the private tree: launchers for console scripts, and the first line of legacy scripts.
//!
//! A launcher names the tree's own interpreter link by its final absolute path, so that it works through a link in
//! `/usr/bin`, and isolates it: `-I` keeps `PYTHONPATH`, the user's site directory and the script's directory out, `-u`
//! leaves output unbuffered (`-I` would ignore `PYTHONUNBUFFERED` of a unit). Both in one word, because the kernel
//! passes everything after the interpreter as one argument (execve(2), "Interpreter scripts").
//!
//! Sources: "Entry points specification" of the packaging specifications; PEP 427 for `#!python`.

use super::project::EntryPoint;
use crate::diagnostic::{Code, Diagnose, codes};
use crate::tree::InstallPath;

/// The longest first line, with `#!` and without the line break, that every supported kernel runs: 127 bytes before
/// Linux 5.1 (execve(2)).
pub const LONGEST_SHEBANG: usize = 127;

/// What keeps a command from being made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// `entry_points.txt` cannot be read.
    #[error("line {line} of entry_points.txt of {distribution} {reason}: `{}`", text.escape_debug())]
    EntryPoints {
        /// Whose.
        distribution: String,
        /// From 1.
        line: usize,
        /// The line.
        text: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// The path of the interpreter is too long for a first line.
    #[error("the first line of `{command}` would have {length} bytes, kernels run at most {LONGEST_SHEBANG}: {line}")]
    TooLong {
        /// The command.
        command: String,
        /// Its first line.
        line: String,
        /// Bytes.
        length: usize,
    },
    /// A script for Python 2.
    #[error("the script `{command}` is for Python 2: its first line is `{}`", line.escape_debug())]
    Python2 {
        /// The command.
        command: String,
        /// Its first line.
        line: String,
    },
    /// Options that cannot be kept.
    #[error("the options in the first line of the script `{command}` cannot be kept: `{}`", line.escape_debug())]
    Options {
        /// The command.
        command: String,
        /// Its first line.
        line: String,
    },
}

impl Diagnose for Error {
    fn code(&self) -> &'static Code {
        &codes::UNUSABLE_SCRIPT
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::EntryPoints { .. } => "a console script is `name = module:attribute`",
            Self::TooLong { .. } => "choose a shorter organisation or service name",
            Self::Python2 { .. } => "port the script to Python 3 and change its first line to `#!/usr/bin/env python3`",
            Self::Options { .. } => "keep single-letter options only, or set them in the program",
        };
        vec![hint.to_owned()]
    }
}

/// The console scripts (and GUI scripts, which are the same on Linux) in an `entry_points.txt`, sorted by name.
pub fn console_scripts(distribution: &str, text: &str) -> Result<Vec<EntryPoint>, Error> {
    let mut scripts: Vec<EntryPoint> = Vec::new();
    let mut wanted = false;
    for (number, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(section) = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            wanted = matches!(section.trim(), "console_scripts" | "gui_scripts");
            continue;
        }
        if !wanted {
            continue;
        }
        let problem = |reason| Error::EntryPoints {
            distribution: distribution.to_owned(),
            line: number + 1,
            text: line.chars().take(200).collect(),
            reason,
        };
        let (name, object) = trimmed.split_once('=').ok_or_else(|| problem("has no `=`"))?;
        let script = entry_point(name.trim(), object.trim()).map_err(problem)?;
        if scripts.iter().any(|present| present.name == script.name && *present != script) {
            return Err(problem("names a script that another line names too"));
        }
        scripts.push(script);
    }
    scripts.sort();
    scripts.dedup();
    Ok(scripts)
}

/// Checks one console script: `module:attribute`, extras in brackets are let go.
pub fn entry_point(name: &str, object: &str) -> Result<EntryPoint, &'static str> {
    if let Some(reason) = unfit_command(name) {
        return Err(reason);
    }
    let object = object.split('[').next().unwrap_or_default().trim();
    let (module, attribute) = object.split_once(':').ok_or("names no attribute to call")?;
    let (module, attribute) = (module.trim(), attribute.trim());
    if !is_dotted_identifier(module) || !is_dotted_identifier(attribute) {
        return Err("names something that is no Python identifier");
    }
    Ok(EntryPoint { name: name.to_owned(), module: module.to_owned(), attribute: attribute.to_owned() })
}

/// Why `name` cannot be a command; `None` when it can.
pub fn unfit_command(name: &str) -> Option<&'static str> {
    if name.is_empty() || name.len() > 200 || name.starts_with(['-', '.']) {
        return Some("has a command name that is empty, too long, or begins with `-` or `.`");
    }
    let good = |letter: char| letter.is_ascii_alphanumeric() || "_.-+@".contains(letter);
    (!name.chars().all(good)).then_some("has a command name with other characters than letters, digits and `_.-+@`")
}

fn is_dotted_identifier(text: &str) -> bool {
    text.split('.').all(|part| {
        part.starts_with(|first: char| first == '_' || first.is_alphabetic())
            && part.chars().all(|letter| letter == '_' || letter.is_alphanumeric())
    })
}

/// The launcher of a console script; `python` is the tree's interpreter link.
pub fn launcher(python: &InstallPath, script: &EntryPoint) -> Result<String, Error> {
    let shebang = shebang(python, "", &script.name)?;
    let EntryPoint { module, attribute, .. } = script;
    let imported = attribute.split('.').next().unwrap_or(attribute);
    Ok(format!(
        "{shebang}\nimport sys\n\nfrom {module} import {imported}\n\nif __name__ == \"__main__\":\n    sys.exit({attribute}())\n"
    ))
}

/// A first line with the tree's interpreter and, beside `-Iu`, these options (letters, a value may follow the last).
fn shebang(python: &InstallPath, options: &str, command: &str) -> Result<String, Error> {
    let line = format!("#!{python} -Iu{options}");
    if line.len() > LONGEST_SHEBANG {
        return Err(Error::TooLong { command: command.to_owned(), length: line.len(), line });
    }
    Ok(line)
}

/// The first line that a script gets: `None` when it keeps its own (a shell script, a binary, another interpreter).
///
/// `#!python` and `#!pythonw` (PEP 427) and any interpreter or `env` that is some CPython 3 become the tree's
/// interpreter; options are kept.
pub fn rewritten_shebang(python: &InstallPath, command: &str, content: &[u8]) -> Result<Option<String>, Error> {
    let Some(rest) = content.strip_prefix(b"#!") else { return Ok(None) };
    let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line.get(..line.len().min(1024)).unwrap_or_default()).into_owned();
    let mut words = line.split_whitespace();
    let mut interpreter = base_name(words.next().unwrap_or_default());
    if interpreter == "env" {
        let mut next = words.next().unwrap_or_default();
        while next.starts_with('-') || next.contains('=') {
            // `env -S python3 -u`, `env -i X=y python3`: what env itself would do with the environment is lost under -I.
            next = match next.strip_prefix("-S").filter(|rest| !rest.is_empty()) {
                Some(rest) => rest,
                None => words.next().unwrap_or_default(),
            };
            if next.is_empty() {
                return Ok(None);
            }
        }
        interpreter = base_name(next);
    }
    let shown = || format!("#!{}", line.trim_end());
    match cpython(interpreter) {
        None => return Ok(None),
        Some(2) => return Err(Error::Python2 { command: command.to_owned(), line: shown() }),
        Some(_) => {}
    }
    let options: Vec<&str> = words.collect();
    let options =
        merged_options(&options).ok_or_else(|| Error::Options { command: command.to_owned(), line: shown() })?;
    shebang(python, &options, command).map(Some)
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The major version that an interpreter's name speaks of; `python` alone is 3 (PEP 394). `None`: no CPython.
fn cpython(name: &str) -> Option<u8> {
    let version = name.strip_prefix("pythonw").or_else(|| name.strip_prefix("python"))?;
    if version.is_empty() {
        return Some(3);
    }
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    let major: u8 = major.parse().ok()?;
    (matches!(major, 2 | 3) && !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit())).then_some(major)
}

/// Single-letter options in one word, those that `-Iu` says already left out; `-W` and `-X` take the rest of their word or
/// the next one, so only one of them can stand, at the end.
fn merged_options(words: &[&str]) -> Option<String> {
    let mut letters = String::new();
    let mut last: Option<String> = None;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut characters = word.strip_prefix('-').filter(|rest| !rest.is_empty() && !rest.starts_with('-'))?.chars();
        while let Some(letter) = characters.next() {
            match letter {
                'I' | 'u' | 'E' | 's' | 'P' => {}
                'W' | 'X' => {
                    let rest: String = characters.by_ref().collect();
                    let value = if rest.is_empty() { (*words.next()?).to_owned() } else { rest };
                    if last.replace(format!("{letter}{value}")).is_some() {
                        return None;
                    }
                }
                'b' | 'B' | 'd' | 'O' | 'q' | 'R' | 'S' | 'v' | 'x' => letters.push(letter),
                _ => return None,
            }
        }
    }
    letters.push_str(&last.unwrap_or_default());
    Some(letters)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn python() -> InstallPath {
        InstallPath::parse("/usr/lib/acme/acme-api/bin/python").unwrap()
    }

    fn rewritten(first_line: &str) -> Option<String> {
        let content = format!("{first_line}\nprint()\n");
        rewritten_shebang(&python(), "acme-x", content.as_bytes()).unwrap()
    }

    #[test]
    fn console_scripts_are_read_and_other_groups_left_alone() {
        let text = "# comment\n[other]\nx = whatever it is\n\n[console_scripts]\nb=pkg.cli:app.run [extra]\n a = pkg:main\n[gui_scripts]\ng = pkg:gui\n";
        let scripts = console_scripts("demo", text).unwrap();
        let shown: Vec<String> =
            scripts.iter().map(|script| format!("{}={}:{}", script.name, script.module, script.attribute)).collect();
        assert_eq!(shown, ["a=pkg:main", "b=pkg.cli:app.run", "g=pkg:gui"]);
    }

    #[test]
    fn nothing_but_identifiers_gets_into_a_launcher() {
        for (name, object) in [
            ("../evil", "a:b"),
            ("a b", "a:b"),
            ("-x", "a:b"),
            ("a\u{7}", "a:b"),
            ("x", "os:system('id')"),
            ("x", "os; import evil:main"),
            ("x", "os"),
            ("x", "os:"),
            ("x", "a..b:c"),
            ("x", "1a:b"),
        ] {
            assert!(entry_point(name, object).is_err(), "{name} = {object}");
        }
        let error = console_scripts("demo", "[console_scripts]\nx = os:system('id')\n").unwrap_err();
        assert!(error.to_string().starts_with("line 2 of entry_points.txt of demo"), "{error}");
    }

    #[test]
    fn a_launcher_names_the_trees_interpreter_and_isolates_it() {
        let script = entry_point("acme-x", "pkg.cli:app.run").unwrap();
        assert_eq!(
            launcher(&python(), &script).unwrap(),
            "#!/usr/lib/acme/acme-api/bin/python -Iu\nimport sys\n\nfrom pkg.cli import app\n\nif __name__ == \"__main__\":\n    sys.exit(app.run())\n"
        );
        let far = InstallPath::parse(&format!("/usr/lib/{}/bin/python", "a".repeat(110))).unwrap();
        assert!(matches!(launcher(&far, &script), Err(Error::TooLong { .. })));
    }

    #[test]
    fn every_first_line_that_means_cpython_3_is_rewritten_with_its_options() {
        let own = "#!/usr/lib/acme/acme-api/bin/python -Iu";
        for (line, options) in [
            ("#!python", ""),
            ("#!pythonw", ""),
            ("#!/usr/bin/python3", ""),
            ("#! /usr/bin/env python3", ""),
            ("#!/usr/bin/python3.11 -u", ""),
            ("#!/usr/bin/env -S python3 -O", "O"),
            ("#!/usr/bin/env -Spython3 -OO -W ignore", "OOWignore"),
            ("#!/opt/venv/bin/python -E -s -Xutf8", "Xutf8"),
            ("#!/usr/bin/python3\r", ""),
        ] {
            assert_eq!(rewritten(line), Some(format!("{own}{options}")), "{line}");
        }
        for line in [
            "#!/bin/sh",
            "#!/opt/x/pypy3",
            "print()",
            "#!/usr/bin/env bash",
            "#!",
            "#!/usr/bin/env",
            "#!/usr/bin/python3-config",
        ] {
            assert_eq!(rewritten(line), None, "{line}");
        }
        assert_eq!(rewritten_shebang(&python(), "binary", b"\x7fELF\0\0").unwrap(), None);
    }

    #[test]
    fn python_2_and_options_that_cannot_be_kept_are_errors() {
        for line in ["#!/usr/bin/python2", "#!/usr/bin/env python2.7"] {
            let error = rewritten_shebang(&python(), "old", line.as_bytes()).unwrap_err();
            assert!(matches!(error, Error::Python2 { .. }) && !error.hints().is_empty(), "{error}");
        }
        for line in ["#!/usr/bin/python3 --check", "#!/usr/bin/python3 -W a -X b", "#!/usr/bin/python3 script.py"] {
            let error = rewritten_shebang(&python(), "odd", line.as_bytes()).unwrap_err();
            assert!(matches!(error, Error::Options { .. }), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_first_line_makes_it_panic(content in proptest::collection::vec(any::<u8>(), 0..200), tail in "#!.*") {
            let _ = rewritten_shebang(&python(), "x", &content);
            if let Ok(Some(line)) = rewritten_shebang(&python(), "x", tail.as_bytes()) {
                prop_assert!(line.len() <= LONGEST_SHEBANG && !line.contains('\n'));
            }
        }

        #[test]
        fn no_entry_points_make_it_panic(text in "\\PC*") {
            let _ = console_scripts("x", &text);
        }
    }
}
