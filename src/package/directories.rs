//! Whose a directory is: the distribution's, or the package's.

use crate::tree::{InstallPath, Node, Tree};

/// Directories that the distributions' own packages hold; a package of ours never lists them (source: the `filesystem`
/// and `systemd` packages).
const SYSTEM_DIRECTORIES: &[&str] = &[
    "/etc",
    "/etc/cron.d",
    "/etc/default",
    "/etc/logrotate.d",
    "/etc/sysconfig",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/lib/systemd",
    "/usr/lib/systemd/system",
    "/usr/lib/systemd/system-preset",
    "/usr/lib/systemd/user",
    "/usr/lib/sysusers.d",
    "/usr/lib/tmpfiles.d",
    "/usr/sbin",
    "/usr/share",
    "/usr/share/doc",
    "/usr/share/licenses",
    "/usr/share/man",
    "/usr/share/man/man1",
    "/usr/share/man/man2",
    "/usr/share/man/man3",
    "/usr/share/man/man4",
    "/usr/share/man/man5",
    "/usr/share/man/man6",
    "/usr/share/man/man7",
    "/usr/share/man/man8",
    "/var",
    "/var/lib",
];

/// All directories of the tree that no package of the distribution holds.
pub(super) fn owned(tree: &Tree) -> Vec<InstallPath> {
    tree.with_directories()
        .into_iter()
        .filter(|(path, entry)| matches!(entry.node, Node::Directory) && !SYSTEM_DIRECTORIES.contains(&path.as_str()))
        .map(|(path, _)| path)
        .collect()
}
