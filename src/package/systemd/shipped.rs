//! Units that a table for another tool ships as plain files, without a word to the package's scripts.
//!
//! Nobody was asked whether they are to be enabled or started, so they are neither. What no administrator would want otherwise is
//! done: the manager reads the new files, what runs is restarted with the new version, and stopped when the package goes.

use std::io::Read as _;

use super::unit_file::UnitFile;
use super::{LARGEST, SYSTEM_UNITS, Scope, Units};
use crate::config::UnitPolicy;
use crate::tree::{Node, Tree};

/// Kinds of units that run, or that let others run.
const KINDS: [&str; 5] = ["mount", "path", "service", "socket", "timer"];

/// Where an administrator's own units are; packages have theirs there as well.
const LOCAL_UNITS: &str = "/etc/systemd/system";

impl Units {
    /// Takes the units in `tree` that are none of these to them; `is_managed` says of which the project itself takes care.
    pub(in crate::package) fn ship(&mut self, tree: &Tree, is_managed: impl Fn(&str) -> bool) -> std::io::Result<()> {
        let mut files = Vec::new();
        for (path, entry) in tree.iter() {
            let Node::File(content) = &entry.node else { continue };
            let (directory, name) = path.as_str().rsplit_once('/').unwrap_or_default();
            let is_unit = name.rsplit_once('.').is_some_and(|(_, kind)| KINDS.contains(&kind));
            let is_known = self.system.startable.iter().chain(&self.system.templates).any(|known| known == name);
            if ![SYSTEM_UNITS, LOCAL_UNITS].contains(&directory)
                || !is_unit
                || is_known
                || is_managed(name)
                || content.digests.size > LARGEST
            {
                continue;
            }
            let mut text = Vec::new();
            content.open()?.read_to_end(&mut text)?;
            // What systemd would not take does not run.
            if let Ok(Ok(file)) = String::from_utf8(text).map(|text| UnitFile::parse(name.to_owned(), text)) {
                files.push(file);
            }
        }
        let quiet = UnitPolicy {
            enable: Some(false),
            start: Some(false),
            restart_after_upgrade: Some(true),
            stop_on_upgrade: None,
        };
        for file in &files {
            self.policies.insert(file.name.clone(), quiet);
            self.shipped.insert(file.name.clone());
        }
        self.system.add(Scope::of(&files));
        Ok(())
    }
}
