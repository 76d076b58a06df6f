//! From a request's path to an open file below the root, and to nothing else.
//!
//! The path is decoded once; hidden names (`.packhouse`, `..`) are nobody's to ask for. Then the file is opened, and the
//! kernel is asked what was opened (`/proc/self/fd`): a symbolic link may lead about inside the repository, never out of
//! it and never into a hidden place. Asking afterwards leaves no moment in which a link could be exchanged.

use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

/// What a path leads to.
pub(super) enum Place {
    /// A regular file, open.
    File(fs_err::File),
    /// A directory.
    Directory,
    /// Nothing that may be seen.
    Nowhere,
}

/// The path, relative to the root, that the path of a URL names; `None` when it is no path that is served.
pub(super) fn relative(path: &str) -> Option<PathBuf> {
    let decoded = percent_encoding::percent_decode_str(path.strip_prefix('/')?).decode_utf8().ok()?;
    let mut relative = PathBuf::new();
    for name in decoded.split('/').filter(|name| !name.is_empty()) {
        if name.starts_with('.') || name.chars().any(char::is_control) || name.len() > 255 {
            return None;
        }
        relative.push(name);
    }
    Some(relative)
}

/// Opens `relative` below `root`, which must be canonical.
pub(super) fn open(root: &Path, relative: &Path) -> io::Result<Place> {
    let path = root.join(relative);
    // Without NONBLOCK a FIFO would hold the thread until somebody writes to it.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = match rustix::io::retry_on_intr(|| rustix::fs::open(&path, flags, Mode::empty())) {
        Ok(file) => fs_err::File::from_parts(file.into(), path),
        // NXIO: a socket, or a device without a driver.
        Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS | Errno::NAMETOOLONG | Errno::LOOP | Errno::NXIO) => {
            return Ok(Place::Nowhere);
        }
        Err(error) => return Err(error.into()),
    };
    let opened = fs_err::read_link(format!("/proc/self/fd/{}", file.file().as_raw_fd()))?;
    let Ok(below) = opened.strip_prefix(root) else { return Ok(Place::Nowhere) };
    let hidden = |part: Component<'_>| part.as_os_str().as_bytes().starts_with(b".");
    if below.components().any(hidden) {
        return Ok(Place::Nowhere);
    }
    let kind = file.metadata()?.file_type();
    Ok(match () {
        () if kind.is_file() => Place::File(file),
        () if kind.is_dir() => Place::Directory,
        () => Place::Nowhere,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_spelling_of_a_path_names_what_is_hidden_or_outside() {
        for bad in [
            "/..",
            "/../x",
            "/a/../../x",
            "/%2e%2e/x",
            "/a/%2E%2e%2fx",
            "/..%2fx",
            "/.packhouse/lock",
            "/%2epackhouse",
            "/a/.hidden",
            "/a%00b",
            "/%ff",
            "/a%0ab",
            "",
            "x",
            "*",
            "http://x/",
            "/./x",
        ] {
            assert_eq!(relative(bad), None, "{bad}");
        }
        assert_eq!(relative("/"), Some(PathBuf::new()));
        assert_eq!(relative("//apt//dists/"), Some(PathBuf::from("apt/dists")));
        assert_eq!(relative("/a%2Bb/c%5e%2525"), Some(PathBuf::from("a+b/c^%25")));
        // Decoded once: what is encoded twice is a name with a per cent sign.
        assert_eq!(relative("/%252e%252e/x"), Some(PathBuf::from("%2e%2e/x")));
    }

    #[test]
    fn links_are_followed_inside_the_root_only() {
        use std::os::unix::fs::symlink;
        let directory = tempfile::tempdir().expect("a directory");
        let base = fs_err::canonicalize(directory.path()).expect("a path");
        let root = base.join("repository");
        fs_err::create_dir_all(root.join(".packhouse")).expect("a directory");
        fs_err::create_dir_all(root.join("apt")).expect("a directory");
        for file in ["secret", "repository/.packhouse/lock", "repository/apt/file"] {
            fs_err::write(base.join(file), file).expect("written");
        }
        for (target, link) in [
            ("../../secret", "apt/out"),
            ("/etc/passwd", "apt/absolute"),
            ("../.packhouse/lock", "apt/private"),
            ("../..", "apt/up"),
            ("file", "apt/inside"),
            ("loop", "apt/loop"),
            (".packhouse", "state"),
        ] {
            symlink(target, root.join(link)).expect("a link");
        }
        rustix::fs::mknodat(
            rustix::fs::CWD,
            root.join("fifo"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o644),
            0,
        )
        .expect("a FIFO");
        let found = |path: &str| open(&root, Path::new(path)).expect("an answer");
        for path in [
            "apt/out",
            "apt/absolute",
            "apt/private",
            "apt/up/secret",
            "apt/loop",
            "state/lock",
            "state",
            "fifo",
            "none",
            "apt/file/x",
        ] {
            assert!(matches!(found(path), Place::Nowhere), "{path}");
        }
        assert!(matches!(found("apt"), Place::Directory));
        assert!(matches!(found("apt/file"), Place::File(_)));
        assert!(matches!(found("apt/inside"), Place::File(_)));
    }
}
