//! The scripts of a package: what packhouse itself has to do ([`generated`]), and what the project brings, which runs in
//! either format as it would in its own ([`carried`]).
//!
//! A script for the other format is called as that format would call it, and in that format's order. On an upgrade dpkg runs
//! the old package's `prerm` before the new files are there, and its `postrm` before the new `postinst`; rpm runs the old
//! `%preun` and `%postun` at the very end, after the new `%post`. A `prerm` that stops a service would thus stop it for good
//! if it were simply called from `%preun`. So what belongs to the old package is done by the new one's script of the same
//! name, at the moment that it was written for.
//!
//! A script for the package's own format goes through as it is. What packhouse has to do stands where the script has the
//! mark `#DEBHELPER#`, as debhelper and cargo-deb have it; a script without the mark runs first, in a subshell, so that its
//! `exit` does not keep packhouse's part from running.

mod carried;
mod commands;
mod debian;
mod generated;
mod own;
mod rpm;

use super::systemd::Units;
use super::{Error, Scripts};
use crate::target::{Format, PythonVersion, Target};
use crate::tree::InstallPath;

pub(super) use carried::programs;
pub(super) use own::{OwnScripts, read};

/// All that the scripts have to do.
#[derive(Debug, Default)]
pub(super) struct Actions {
    /// For the units.
    pub(super) units: Units,
    /// The directory whose byte-code is made on installation, and by which interpreter.
    pub(super) compile: Option<(InstallPath, PythonVersion)>,
    /// Conffiles that an earlier version had and this one has not, each with the first version that was without it
    /// (`dpkg-maintscript-helper rm_conffile PATH VERSION~`).
    pub(super) removed_conffiles: Vec<(InstallPath, String)>,
    /// Files with an owner, a mode or capabilities that dpkg cannot unpack, because the user is made by the postinst or
    /// because tar has no place for them; `dpkg-statoverride` of the administrator goes first.
    pub(super) ownership: Vec<Ownership>,
    /// Files and directories made at run time that a purge takes away.
    pub(super) ghosts: Vec<InstallPath>,
}

/// What the postinst sets on a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ownership {
    /// The file or directory.
    pub(super) path: InstallPath,
    /// User, group and permission bits, when they are not what was unpacked.
    pub(super) owner: Option<(String, String, u32)>,
    /// As setcap(8) reads them.
    pub(super) capabilities: Option<String>,
}

/// A package's scripts, with what must be said about them.
#[derive(Debug, Default)]
pub(super) struct Composed {
    pub(super) scripts: Scripts,
    /// What only a .deb has: debconf's `config` and `templates`.
    pub(super) debconf: (Option<String>, Option<String>),
    /// What the user should know: which script is not what it was.
    pub(super) notes: Vec<String>,
}

/// The scripts of a package.
pub(super) fn scripts(package: &str, target: &Target, actions: &Actions, own: &OwnScripts) -> Result<Composed, Error> {
    let generated = generated::generated(package, target, actions)?;
    let mut composed = Composed::default();
    match target.format() {
        Format::Deb => {
            composed.scripts = debian::compose(package, own, generated, &mut composed.notes)?;
            composed.debconf = (own.config.clone(), own.templates.clone());
        }
        Format::Rpm => {
            composed.scripts = rpm::compose(package, own, generated, &mut composed.notes);
            if own.config.is_some() || own.templates.is_some() {
                composed
                    .notes
                    .push(format!("{package}: RPM has no debconf, so that nobody is asked its questions there"));
            }
        }
    }
    Ok(composed)
}

#[cfg(test)]
mod own_tests;
#[cfg(test)]
mod tests;
