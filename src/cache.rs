//! Where packhouse keeps what can be had again: downloads by SHA-256, unpacked wheels, tools, build results.
//!
//! Everything in it is content-addressed and comes into place by one rename, so that any number of processes share it and
//! a killed one leaves at most a file below `tmp`. A [`Lock`] is for what is not made by a rename, and for what would only
//! be slower done twice; the kernel releases it with the process.

use std::io;
use std::path::{Path, PathBuf};

use crate::digest::Sha256;
use crate::variables;

/// Something that one thread of one process does at a time, until this is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: fs_err::File,
}

/// The cache's root, with its layout.
#[derive(Debug, Clone)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// A cache below `root`, which is made when it is first written to.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The user's: `PACKHOUSE_CACHE_DIR`, `$XDG_CACHE_HOME/packhouse`, `~/.cache/packhouse`; below the system's temporary
    /// directory when there is no home.
    pub fn of_user() -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let root = variable(variables::PACKHOUSE_CACHE_DIR)
            .or_else(|| Some(variable(variables::XDG_CACHE_HOME)?.join("packhouse")))
            .or_else(|| Some(variable(variables::HOME)?.join(".cache/packhouse")))
            .unwrap_or_else(|| std::env::temp_dir().join("packhouse-cache"));
        Self::at(std::path::absolute(&root).unwrap_or(root))
    }

    /// Its root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Downloaded files: `artefacts/sha256/ab/abcd…`.
    pub fn artefact(&self, sha256: Sha256) -> PathBuf {
        let name = sha256.to_string();
        self.root.join("artefacts/sha256").join(name.get(..2).unwrap_or_default()).join(name)
    }

    /// A directory for one kind of derived thing: `wheels`, `bytecode`, `built-wheels`, `tools`.
    pub fn section(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// A fresh file in the cache's own file system, to be renamed into place.
    pub fn temporary_file(&self) -> io::Result<tempfile::NamedTempFile> {
        tempfile::NamedTempFile::new_in(self.temporary()?)
    }

    /// A fresh directory in the cache's own file system, to be renamed into place.
    pub fn temporary_directory(&self) -> io::Result<tempfile::TempDir> {
        tempfile::TempDir::new_in(self.temporary()?)
    }

    /// Waits until no other thread or process holds the lock `name` of this cache. A thread holds one at a time.
    pub fn lock(&self, name: &str) -> io::Result<Lock> {
        let directory = self.root.join("locks");
        fs_err::create_dir_all(&directory)?;
        let path = directory.join(name);
        let file = fs_err::OpenOptions::new().create(true).append(true).open(&path)?;
        file.file().lock().map_err(|error| io::Error::other(format!("cannot lock {}: {error}", path.display())))?;
        Ok(Lock { _file: file })
    }

    fn temporary(&self) -> io::Result<PathBuf> {
        let directory = self.root.join("tmp");
        fs_err::create_dir_all(&directory)?;
        Ok(directory)
    }
}
