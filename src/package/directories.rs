//! Whose a directory is: the distribution's, or the package's.

use crate::target::hierarchy;
use crate::tree::{InstallPath, Node, Tree};

/// All directories of the tree that no package of the distribution holds.
pub(super) fn owned(tree: &Tree) -> Vec<InstallPath> {
    tree.with_directories()
        .into_iter()
        .filter(|(path, entry)| matches!(entry.node, Node::Directory) && !hierarchy::is_system_directory(path.as_str()))
        .map(|(path, _)| path)
        .collect()
}
