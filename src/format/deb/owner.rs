//! The owners that a file of a .deb can have. dpkg sets an owner while it unpacks, before any maintainer script could have
//! made a user, so that only those can own a file who are on every system.

use super::tar_writer::Owner;
use crate::format::error::Error;
use crate::target::{Format, accounts};
use crate::tree::InstallPath;

/// The owner of a file, or why it cannot be.
pub(super) fn owner(path: &InstallPath, user: &str, group: &str) -> Result<Owner, Error> {
    let refuse = |what: &str, name: &str| Error::Unpackable {
        path: path.clone(),
        rule: format!("the {what} `{name}` does not exist on every Debian system when the package is unpacked"),
        hint: "let root own it in the package, and give it its owner with tmpfiles.d, StateDirectory= or a postinst",
    };
    let user = accounts::user(user, Format::Deb).ok_or_else(|| refuse("user", user))?;
    let group = accounts::group(group, Format::Deb).ok_or_else(|| refuse("group", group))?;
    Ok(Owner { user, group })
}
