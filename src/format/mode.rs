//! The one mode on which the two formats differ: a shared library is 0644 with Debian (Policy 8.1, 10.9) and 0755 with RPM, whose
//! tools find libraries by their executable bit.
//!
//! lintian (checks Files::Permissions, Libraries::Shared::FilePermissions) and rpmlint (FilesCheck) agree on everything
//! else: programs and directories 0755, files 0644. Where an unusual mode is meant (0440 in `/etc/sudoers.d`, a private key,
//! a directory of 0750) each names it in its own way, and the mode itself is right for both.

use crate::target::Format;
use crate::tree::{Entry, InstallPath, Node};

/// The permission bits that `entry` gets in this format.
pub(crate) fn mode_of(path: &InstallPath, entry: &Entry, format: Format) -> u32 {
    let mode = entry.mode & 0o7777;
    match (&entry.node, format) {
        (Node::Symlink(_), _) => 0o777,
        (Node::File(_) | Node::HardLink(_), _) if mode & 0o7022 != 0 || !is_shared_library(path.file_name()) => mode,
        (Node::File(_) | Node::HardLink(_), Format::Deb) => mode & !0o111,
        (Node::File(_) | Node::HardLink(_), Format::Rpm) => mode | 0o111,
        (Node::Directory, _) => mode,
    }
}

/// `libfoo.so`, `libfoo.so.1.2`, `_speedups.cpython-311-x86_64-linux-gnu.so`.
pub(crate) fn is_shared_library(name: &str) -> bool {
    match name.rsplit_once(".so") {
        Some((stem, rest)) => {
            !stem.is_empty()
                && (rest.is_empty()
                    || rest.starts_with('.') && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_told_by_their_names() {
        for name in ["libz.so", "libz.so.1", "libz.so.1.2.11", "_cffi.cpython-311-x86_64-linux-gnu.so"] {
            assert!(is_shared_library(name), "{name}");
        }
        for name in ["so", ".so", "a.sock", "a.so.py", "a.sort", "resolve.sox"] {
            assert!(!is_shared_library(name), "{name}");
        }
    }
}
