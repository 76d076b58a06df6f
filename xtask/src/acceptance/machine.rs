//! Throw-away machines: a copy of a kept root, booted with systemd and without network (`tests/acceptance/boot.sh`).

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::Result;
use crate::process::{output, root};

/// A machine to be booted.
pub(super) struct Machine<'a> {
    /// The root that is copied.
    pub(super) base: &'a Path,
    /// Directories that are seen at their own paths, read-only.
    pub(super) directories: &'a [&'a Path],
    /// Files that are copied to `/root`.
    pub(super) files: &'a [PathBuf],
}

impl Machine<'_> {
    /// Boots, runs `command` to its end, and throws the machine away.
    pub(super) fn run(&self, command: &[&str]) -> Result<Output> {
        let mut boot = Command::new(script("boot.sh"));
        boot.arg(self.base);
        for directory in self.directories {
            boot.arg("--bind").arg(directory);
        }
        for file in self.files {
            boot.arg("--file").arg(file);
        }
        output(boot.arg("--").args(command))
    }
}

/// A file of `tests/acceptance`.
pub(super) fn script(name: &str) -> PathBuf {
    root().join("tests/acceptance").join(name)
}
