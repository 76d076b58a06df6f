//! A package's scripts, in the words of its format: complete texts, each for the moment at which it runs.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::config::Stage;

/// One script.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Script {
    /// All of it: with its `#!` line for dpkg, which runs the file itself; without for rpm, which tells a program to read it.
    pub text: String,
    /// RPM: the program that reads it and its arguments, or `<lua>`; empty for `/bin/sh`.
    pub interpreter: Vec<String>,
    /// RPM: what is done with the text before, and what its failure means (`rpmscriptFlags`).
    pub flags: u32,
}

impl Script {
    /// Macros in it are expanded when it runs.
    pub const EXPAND: u32 = 1;
    /// It is a query format of the package's header.
    pub const QUERY_FORMAT: u32 = 1 << 1;
    /// Its failure is the package's.
    pub const CRITICAL: u32 = 1 << 2;

    /// The program that runs it as RPM's header names it.
    pub fn program(&self) -> &str {
        self.interpreter.first().map_or("/bin/sh", String::as_str)
    }
}

/// A script for the shell.
impl<T: Into<String>> From<T> for Script {
    fn from(text: T) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

/// The scripts of a package by the moment at which they run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Scripts {
    stages: BTreeMap<Stage, Script>,
    /// RPM: whether the programs that run them are left out of the package's requirements.
    pub without_interpreter_relation: bool,
}

impl Scripts {
    /// The script for `stage`.
    pub fn get(&self, stage: Stage) -> Option<&Script> {
        self.stages.get(&stage)
    }

    /// Its text.
    pub fn text(&self, stage: Stage) -> Option<&str> {
        self.get(stage).map(|script| script.text.as_str())
    }

    /// Gives it a script for `stage`, in the place of the one that it has.
    pub fn set(&mut self, stage: Stage, script: impl Into<Script>) {
        self.stages.insert(stage, script.into());
    }

    /// All of them, in the order of [`Stage`].
    pub fn iter(&self) -> impl Iterator<Item = (Stage, &Script)> {
        self.stages.iter().map(|(stage, script)| (*stage, script))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.stages.is_empty()
    }
}

impl<S: Into<Script>> FromIterator<(Stage, S)> for Scripts {
    fn from_iter<I: IntoIterator<Item = (Stage, S)>>(scripts: I) -> Self {
        let stages = scripts.into_iter().map(|(stage, script)| (stage, script.into())).collect();
        Self { stages, without_interpreter_relation: false }
    }
}
