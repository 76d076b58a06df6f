//! The scripts that the project brings, with their texts read and the languages that they are in.

use std::collections::BTreeMap;

use super::super::{Error, relations};
use crate::config::{Script as ScriptSetting, ScriptSettings, Stage, TextSource};
use crate::target::Format;

/// Where debhelper's generated parts go (dh_installdeb(1)).
pub(super) const MARK: &str = "#DEBHELPER#";

/// What `format` calls a stage, for messages.
pub(super) fn name(stage: Stage, format: Format) -> &'static str {
    stage.name(format).or(stage.name(Format::Rpm)).unwrap_or_default()
}

/// A script of the project.
#[derive(Debug, Clone)]
pub(in crate::package) struct Own {
    /// As it was written.
    pub(super) text: String,
    /// What it is configured to be run by; empty when it says so itself.
    pub(super) interpreter: Vec<String>,
    /// RPM's (`rpmscriptFlags`).
    pub(super) flags: u32,
    /// Whose arguments it takes.
    pub(super) written_for: Format,
}

/// All of them.
#[derive(Debug, Clone, Default)]
pub(in crate::package) struct OwnScripts {
    pub(super) stages: BTreeMap<Stage, Own>,
    /// debconf's.
    pub(super) config: Option<String>,
    /// debconf's.
    pub(super) templates: Option<String>,
}

/// Reads the texts of `settings`; `text` gives the text of one, whatever it is called.
pub(in crate::package) fn read(
    settings: &ScriptSettings,
    text: impl Fn(&TextSource, &'static str) -> Result<String, Error>,
) -> Result<OwnScripts, Error> {
    let own = |(stage, script): (&Stage, &ScriptSetting)| -> Result<(Stage, Own), Error> {
        let what = stage.name(script.written_for).or(stage.name(Format::Rpm)).unwrap_or("script");
        let own = Own {
            text: text(&script.text, what)?,
            interpreter: script.interpreter.clone(),
            flags: script.flags,
            written_for: script.written_for,
        };
        Ok((*stage, own))
    };
    let debconf = settings.debconf.clone().unwrap_or_default();
    Ok(OwnScripts {
        stages: settings.stages.iter().map(own).collect::<Result<_, _>>()?,
        config: debconf.config.map(|source| text(&source, "config")).transpose()?,
        templates: debconf.templates.map(|source| text(&source, "templates")).transpose()?,
    })
}

impl OwnScripts {
    /// Whether one of them speaks of `unit` or manages units at all: then it is the project that decides what happens to units.
    pub(in crate::package) fn manage(&self, unit: &str) -> bool {
        const MANAGERS: [&str; 7] = [
            "systemctl",
            "deb-systemd-helper",
            "deb-systemd-invoke",
            "systemd-update-helper",
            "invoke-rc.d",
            "update-rc.d",
            "chkconfig",
        ];
        let service = unit.trim_end_matches(".service");
        self.stages.values().any(|script| {
            let words = relations::words(&script.text);
            let words = words.iter().map(|word| word.trim_matches(['"', '\'']).rsplit('/').next().unwrap_or_default());
            let mut before = "";
            words.filter(|word| !word.is_empty()).any(|word| {
                let called = before == "service" && word == service;
                before = word;
                called || word == unit || MANAGERS.contains(&word)
            })
        })
    }
}

/// What runs a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Language {
    /// A shell of the Bourne family: its program, and the options that `set` knows as well.
    Shell { program: String, options: Vec<String> },
    /// The interpreter inside rpm.
    Lua,
    /// Any other program, with its arguments.
    Program(Vec<String>),
}

impl Own {
    pub(super) fn has_mark(&self) -> bool {
        self.text.contains(MARK)
    }

    /// Without the mark.
    pub(super) fn unmarked(&self) -> String {
        self.text.replace(MARK, "")
    }

    /// With a command that does nothing in the place of the mark: what comes before it is not to become the script's end, whose
    /// status counts.
    pub(super) fn without_generated(&self) -> String {
        let nothing = if matches!(self.language(), Language::Shell { .. }) { ":" } else { "" };
        self.text.replace(MARK, nothing)
    }

    /// The program that runs it and its arguments, of a Debian script as the kernel reads its first line (execve(2)).
    pub(super) fn interpreter(&self) -> Vec<String> {
        if !self.interpreter.is_empty() {
            return self.interpreter.clone();
        }
        let line = self.text.strip_prefix("#!").and_then(|rest| rest.lines().next()).unwrap_or_default().trim();
        let (program, argument) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        let words = [program, argument.trim()].into_iter().filter(|word| !word.is_empty());
        let words: Vec<String> = words.map(str::to_owned).collect();
        if words.is_empty() { vec!["/bin/sh".to_owned()] } else { words }
    }

    pub(super) fn language(&self) -> Language {
        let interpreter = self.interpreter();
        let (program, options) = interpreter.split_first().map_or(("/bin/sh", &[][..]), |(one, more)| (one, more));
        if program == "<lua>" {
            return Language::Lua;
        }
        // What `set` takes as well (POSIX.1-2024, `set`).
        let settable = |option: &String| {
            let letters = option.strip_prefix('-').unwrap_or_default();
            !letters.is_empty() && letters.bytes().all(|letter| b"abCefmuvx".contains(&letter))
        };
        let is_shell = matches!(program.rsplit('/').next(), Some("sh" | "bash" | "dash"));
        if is_shell && options.iter().all(settable) {
            return Language::Shell { program: program.to_owned(), options: options.to_vec() };
        }
        Language::Program(interpreter)
    }
}
