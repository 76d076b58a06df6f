//! The clean copy of a package of the repository that it is built from.
//!
//! Back ends write into the directory they build (`build/`, `*.egg-info`), and what lies there from earlier builds comes
//! back to life: setuptools packs deleted modules from a stale `build/lib`. So a build never sees the repository: it sees
//! a copy of what git would track, and the copy's content is the key under which the result is kept.
//!
//! Ignore files are read as git reads them, without the user's global ones: a build must not depend on who builds. Of an
//! unpacked source distribution everything is copied ([`package_info`] says why).

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::package_info;
use crate::digest::{Digests, Sha256};

/// A file of the package.
#[derive(Debug, Clone)]
struct SourceFile {
    /// Relative to the package.
    path: PathBuf,
    /// What is read.
    source: PathBuf,
    executable: bool,
    /// Where a link leads that leads nowhere.
    link: Option<PathBuf>,
    digests: Digests,
}

/// The files of a package of the repository.
#[derive(Debug, Clone)]
pub(super) struct SourceTree {
    files: Vec<SourceFile>,
}

/// What keeps a directory from being copied.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("{} is a link that leads out of the repository", .0.display())]
    Outside(PathBuf),
    #[error("{} is neither a file nor a directory", .0.display())]
    Special(PathBuf),
    #[error("{} has a name that is not UTF-8", .0.display())]
    Name(PathBuf),
    #[error(transparent)]
    Walk(#[from] ignore::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl SourceTree {
    /// Reads the package in `directory` of the repository at `root`; `vendor` is the name of vendor directories.
    pub(super) fn read(root: &Path, directory: &Path, vendor: &Path) -> Result<Self, Error> {
        let files = Self::list(root, directory, vendor)?.into_iter();
        let files = files.map(|(path, source)| SourceFile::read(path, source)).collect::<io::Result<_>>()?;
        Ok(Self { files })
    }

    /// Its files, sorted: each with its path in the package and what is read for it, which is a link only when that leads
    /// nowhere.
    pub(super) fn list(root: &Path, directory: &Path, vendor: &Path) -> Result<Vec<(PathBuf, PathBuf)>, Error> {
        let root = fs_err::canonicalize(root)?;
        let mut files = Vec::new();
        let (top, vendor) = (directory.to_path_buf(), vendor.to_path_buf());
        let unpacked = package_info::is_unpacked(directory);
        let walk = ignore::WalkBuilder::new(directory)
            .hidden(false)
            .ignore(false)
            .git_ignore(!unpacked)
            .git_global(false)
            .git_exclude(false)
            .require_git(false)
            .follow_links(false)
            .sort_by_file_name(Ord::cmp)
            .filter_entry(move |entry| entry.depth() == 0 || !is_left_out(&top, &vendor, unpacked, entry.path()))
            .build();
        for entry in walk {
            let entry = entry?;
            let Some(kind) = entry.file_type() else { continue };
            let path = entry.path().strip_prefix(directory).unwrap_or(entry.path()).to_path_buf();
            if kind.is_dir() {
                continue;
            }
            if path.to_str().is_none() {
                return Err(Error::Name(entry.into_path()));
            }
            if kind.is_symlink() && !entry.path().exists() {
                // A back end sees it as pip shows it: a lock of an editor is nothing to it, and of a file to be packed it
                // says itself that it is not there.
                files.push((path, entry.into_path()));
                continue;
            }
            let source = fs_err::canonicalize(entry.path())?;
            if kind.is_symlink() && !source.starts_with(&root) {
                return Err(Error::Outside(entry.into_path()));
            }
            let metadata = fs_err::metadata(&source)?;
            if metadata.is_dir() {
                // A link to a directory of the repository.
                Self::below(&source, &path, &mut files)?;
            } else if metadata.is_file() {
                files.push((path, source));
            } else {
                return Err(Error::Special(entry.into_path()));
            }
        }
        files.sort();
        Ok(files)
    }

    /// The regular files in a linked directory; links in it are not followed a second time.
    fn below(directory: &Path, shown: &Path, files: &mut Vec<(PathBuf, PathBuf)>) -> Result<(), Error> {
        let walk = walkdir::WalkDir::new(directory)
            .into_iter()
            .filter_entry(|entry| !matches!(entry.file_name().to_str(), Some(".git" | "__pycache__")));
        for entry in walk {
            let entry = entry.map_err(io::Error::from)?;
            if entry.file_type().is_file() {
                let below = entry.path().strip_prefix(directory).unwrap_or(entry.path());
                files.push((shown.join(below), entry.path().to_path_buf()));
            } else if !entry.file_type().is_dir() {
                return Err(Error::Special(entry.into_path()));
            }
        }
        Ok(())
    }

    /// A digest over all names, contents and executable bits.
    pub(super) fn digest(&self) -> Sha256 {
        self.digest_without(|_| false)
    }

    /// A digest over all names, executable bits, and the contents of all files but those that `is_left_out` names.
    pub(super) fn digest_without(&self, is_left_out: impl Fn(&str) -> bool) -> Sha256 {
        let mut text = String::new();
        for file in &self.files {
            let name = file.path.to_string_lossy();
            let kind = if file.link.is_some() { 2 } else { u8::from(file.executable) };
            let content =
                if file.link.is_none() && is_left_out(&name) { "-" } else { &file.digests.sha256.to_string() };
            text.push_str(&format!("{content} {kind} {} {name}\n", name.len()));
        }
        Sha256::of(text.as_bytes())
    }

    /// The files of which `is_wanted` says so, by path, each with the digest of its content. Links that lead nowhere are none.
    pub(super) fn modules(&self, is_wanted: impl Fn(&str) -> bool) -> BTreeMap<&str, Sha256> {
        let files = self.files.iter().filter(|file| file.link.is_none());
        let files = files.filter_map(|file| Some((file.path.to_str()?, file.digests.sha256)));
        files.filter(|(path, _)| is_wanted(path)).collect()
    }

    /// The size of the file at `path`, if there is one.
    pub(super) fn size_of(&self, path: &Path) -> Option<u64> {
        self.files.iter().find(|file| file.path == path).map(|file| file.digests.size)
    }

    /// The content of the file at `path`, if it is there and what it was when the tree was read.
    pub(super) fn read_file(&self, path: &Path) -> io::Result<Option<(Vec<u8>, Digests)>> {
        let Some(file) = self.files.iter().find(|file| file.path == path && file.link.is_none()) else {
            return Ok(None);
        };
        let content = fs_err::read(&file.source)?;
        Ok((Sha256::of(&content) == file.digests.sha256).then_some((content, file.digests)))
    }

    /// Copies all files into `directory`, which must be empty.
    pub(super) fn copy_to(&self, directory: &Path) -> io::Result<()> {
        use fs_err::os::unix::fs::OpenOptionsExt as _;
        for file in &self.files {
            let target = directory.join(&file.path);
            if let Some(parent) = target.parent() {
                fs_err::create_dir_all(parent)?;
            }
            if let Some(link) = &file.link {
                fs_err::os::unix::fs::symlink(link, &target)?;
                continue;
            }
            let mode = if file.executable { 0o755 } else { 0o644 };
            let mut output = fs_err::OpenOptions::new().write(true).create_new(true).mode(mode).open(&target)?;
            io::copy(&mut fs_err::File::open(&file.source)?, &mut output)?;
        }
        Ok(())
    }
}

impl SourceFile {
    fn read(path: PathBuf, source: PathBuf) -> io::Result<Self> {
        use std::os::unix::ffi::OsStrExt as _;
        use std::os::unix::fs::PermissionsExt as _;
        if source.is_symlink() {
            let link = fs_err::read_link(&source)?;
            let digests = Digests::of(link.as_os_str().as_bytes());
            return Ok(Self { path, source, executable: false, link: Some(link), digests });
        }
        let mut file = fs_err::File::open(&source)?;
        let executable = file.metadata()?.permissions().mode() & 0o111 != 0;
        let digests = Digests::of_reader(&mut file)?;
        Ok(Self { path, source, executable, link: None, digests })
    }
}

/// What is never part of a package's source: left-overs of builds and environments, the vendor directory.
fn is_left_out(top: &Path, vendor: &Path, unpacked: bool, path: &Path) -> bool {
    let Ok(below) = path.strip_prefix(top) else { return false };
    if below == vendor {
        return true;
    }
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let left_over = name.ends_with(".egg-info") && !unpacked;
    if name == ".git" || name == "__pycache__" || left_over || path.join("pyvenv.cfg").is_file() {
        return true;
    }
    // What packhouse itself has made, where it is not ignored: no build may depend on the one before it.
    if path.join(crate::build::ARTEFACTS_FILE).is_file() {
        return true;
    }
    let at_top = below.components().filter(|part| matches!(part, Component::Normal(_))).count() == 1;
    // A directory of this name that is an import package is source.
    at_top && matches!(name, "build" | "dist" | ".tox" | ".nox" | ".eggs") && !path.join("__init__.py").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }

    fn names(tree: &SourceTree) -> Vec<String> {
        tree.files.iter().map(|file| file.path.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn what_git_ignores_and_left_overs_of_builds_are_not_copied() {
        let root = tempfile::tempdir().unwrap();
        for path in [
            ".gitignore",
            "svc/setup.py",
            "svc/pkg/__init__.py",
            "svc/pkg/build/__init__.py",
            "svc/pkg/__pycache__/x.pyc",
            "svc/build/lib/pkg/deleted.py",
            "svc/svc.egg-info/PKG-INFO",
            "svc/vendor/flask.whl",
            "svc/.venv/pyvenv.cfg",
            "svc/secret.log",
            "svc/.hidden",
        ] {
            write(root.path(), path, "");
        }
        write(root.path(), ".gitignore", "*.log\n");
        write(root.path(), "shared/data.txt", "data");
        std::os::unix::fs::symlink("../../shared", root.path().join("svc/pkg/shared")).unwrap();
        let tree = SourceTree::read(root.path(), &root.path().join("svc"), Path::new("vendor")).unwrap();
        assert_eq!(
            names(&tree),
            [".hidden", "pkg/__init__.py", "pkg/build/__init__.py", "pkg/shared/data.txt", "setup.py"]
        );
        let before = tree.digest();
        let copy = tempfile::tempdir().unwrap();
        tree.copy_to(copy.path()).unwrap();
        assert_eq!(fs_err::read_to_string(copy.path().join("pkg/shared/data.txt")).unwrap(), "data");
        write(root.path(), "svc/build/lib/pkg/other.py", "x");
        let digest = |root: &Path| SourceTree::read(root, &root.join("svc"), Path::new("vendor")).unwrap().digest();
        assert_eq!(digest(root.path()), before);
        write(root.path(), "svc/setup.py", "changed");
        assert_ne!(digest(root.path()), before);
    }

    #[test]
    fn of_an_unpacked_source_distribution_everything_is_copied() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), ".gitignore", "_version.py\n");
        for path in ["PKG-INFO", "x/_version.py", "x.egg-info/SOURCES.txt", "vendor/six.whl", "x/__pycache__/y.pyc"] {
            write(root.path(), path, "");
        }
        let tree = SourceTree::read(root.path(), root.path(), Path::new("vendor")).unwrap();
        assert_eq!(names(&tree), [".gitignore", "PKG-INFO", "x/_version.py", "x.egg-info/SOURCES.txt"]);
    }

    #[test]
    fn a_link_that_leads_nowhere_is_copied_as_it_is() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "setup.py", "");
        let link = |to: &str| {
            drop(fs_err::remove_file(root.path().join(".#setup.py")));
            std::os::unix::fs::symlink(to, root.path().join(".#setup.py")).unwrap();
            SourceTree::read(root.path(), root.path(), Path::new("vendor")).unwrap()
        };
        let (one, other) = (link("ada@machine.1"), link("ada@machine.2"));
        assert_ne!(one.digest(), other.digest());
        let copy = tempfile::tempdir().unwrap();
        other.copy_to(copy.path()).unwrap();
        assert_eq!(fs_err::read_link(copy.path().join(".#setup.py")).unwrap(), Path::new("ada@machine.2"));
    }

    #[test]
    fn a_link_out_of_the_repository_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "setup.py", "");
        std::os::unix::fs::symlink("/etc/passwd", root.path().join("passwd")).unwrap();
        let result = SourceTree::read(root.path(), root.path(), Path::new("vendor"));
        assert!(matches!(result, Err(Error::Outside(_))), "{result:?}");
    }
}
