//! The users and groups that exist on every Debian system with fixed numbers (base-passwd's `users-and-groups`). dpkg
//! sets an owner while it unpacks, before any maintainer script could have made one, so no other can own a file.

use super::tar_writer::Owner;
use crate::format::error::Error;
use crate::tree::InstallPath;

const USERS: [(&str, u64); 12] = [
    ("root", 0),
    ("daemon", 1),
    ("bin", 2),
    ("sys", 3),
    ("games", 5),
    ("man", 6),
    ("lp", 7),
    ("mail", 8),
    ("news", 9),
    ("proxy", 13),
    ("www-data", 33),
    ("backup", 34),
];
const GROUPS: [(&str, u64); 15] = [
    ("root", 0),
    ("daemon", 1),
    ("bin", 2),
    ("sys", 3),
    ("adm", 4),
    ("tty", 5),
    ("disk", 6),
    ("mail", 8),
    ("proxy", 13),
    ("www-data", 33),
    ("backup", 34),
    ("shadow", 42),
    ("utmp", 43),
    ("staff", 50),
    ("games", 60),
];

/// The owner of a file, or why it cannot be.
pub(super) fn owner(path: &InstallPath, user: &str, group: &str) -> Result<Owner, Error> {
    let find = |table: &[(&'static str, u64)], name: &str| table.iter().find(|(known, _)| *known == name).copied();
    let refuse = |what: &str, name: &str| Error::Unpackable {
        path: path.clone(),
        rule: format!("the {what} `{name}` does not exist on every Debian system when the package is unpacked"),
        hint: "let root own it in the package, and give it its owner with tmpfiles.d, StateDirectory= or a postinst",
    };
    let user = find(&USERS, user).ok_or_else(|| refuse("user", user))?;
    let group = find(&GROUPS, group).ok_or_else(|| refuse("group", group))?;
    Ok(Owner { user, group })
}
