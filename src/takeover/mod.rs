//! Packaging directories of other tools, read once and written down as a packhouse.toml.
//!
//! Only `init` reads them: what they say is a program of its own (debhelper's sequence, a makefile), of which the usual
//! part can be told without running it. That part becomes configuration, and the rest is told with its reason, so that
//! whoever takes a package over knows what to look at. The files themselves stay where they are and are named from there,
//! and the old tool goes on working.

mod control;
mod debian;
mod files;
mod install;
mod options;
mod python;
mod rules;
mod stanzas;
#[cfg(test)]
mod tests;
mod units;

use crate::config::{Guess, Maintainer, Setting, Table};

pub use debian::{Debian, find};

/// What another tool's files say.
#[derive(Debug, Clone, Default)]
pub struct TakenOver {
    /// Who answers for the package.
    pub maintainer: Option<Guess<Maintainer>>,
    /// Keys of `[project]`.
    pub project: Vec<Setting>,
    /// Other tables.
    pub tables: Vec<Table>,
    /// What could not be carried over, and why.
    pub left: Vec<String>,
}

/// What is put together from the parts of a debian directory.
#[derive(Debug, Default)]
struct Draft {
    maintainer: Option<Guess<Maintainer>>,
    project: Vec<Setting>,
    indexes: Vec<Table>,
    service: Vec<Setting>,
    systemd: Vec<Setting>,
    python: Vec<Setting>,
    files: Vec<Vec<Setting>>,
    left: Vec<String>,
}

impl Draft {
    /// Something that is not carried over.
    fn leave(&mut self, what: impl std::fmt::Display, why: impl std::fmt::Display) {
        let text = format!("{what}: {why}");
        if !self.left.contains(&text) {
            self.left.push(text);
        }
    }

    /// The tables of the service `name`.
    fn finish(self, name: &str, comment: String) -> TakenOver {
        let mut service = Table::new(&["services", name]);
        service.comments.push(comment);
        service.settings = self.service;
        let mut tables = self.indexes;
        tables.push(service);
        for (key, settings) in [("systemd", self.systemd), ("python", self.python)] {
            if !settings.is_empty() {
                tables.push(Table { settings, ..Table::new(&["services", name, key]) });
            }
        }
        let element = |settings| Table { settings, is_element: true, ..Table::new(&["services", name, "files"]) };
        tables.extend(self.files.into_iter().map(element));
        TakenOver { maintainer: self.maintainer, project: self.project, tables, left: self.left }
    }
}
