//! A file that is not complete yet.
//!
//! There is one for each SHA-256, `parts/<sha256>.part` in the cache, so that an interrupted download goes on where it
//! stopped, whichever process comes next. Who writes to it holds its lock (flock(2), which the kernel lifts when the
//! process dies); who finds it locked waits and then finds the file done. Where the file system has no locks, each process
//! writes its own part.

use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use fs_err::{File, OpenOptions};
use rustix::fs::{FlockOperation, flock};

use crate::cache::Cache;
use crate::digest::Sha256;

/// An incomplete file, held by this process alone.
#[derive(Debug)]
pub(super) struct Part {
    file: File,
    path: PathBuf,
    /// Deleted when dropped.
    temporary: bool,
}

impl Part {
    /// The part of the file with this digest; waits for another process that writes to it.
    pub(super) fn of(cache: &Cache, sha256: Sha256) -> io::Result<Self> {
        let directory = cache.section("parts");
        fs_err::create_dir_all(&directory)?;
        let path = directory.join(format!("{sha256}.part"));
        loop {
            let file = open(&path)?;
            if flock(&file, FlockOperation::LockExclusive).is_err() {
                return Self::unshared(&directory, &format!("{sha256}-"));
            }
            // Whoever held the lock may have moved the file to its place meanwhile: then the path is another file's.
            let ours = file.metadata()?;
            match fs_err::metadata(&path) {
                Ok(there) if (there.dev(), there.ino()) == (ours.dev(), ours.ino()) => {
                    return Ok(Self { file, path, temporary: false });
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// A part that nobody goes on with: for a file whose digest is not known.
    pub(super) fn unnamed(cache: &Cache) -> io::Result<Self> {
        let directory = cache.section("parts");
        fs_err::create_dir_all(&directory)?;
        Self::unshared(&directory, "unnamed-")
    }

    fn unshared(directory: &Path, prefix: &str) -> io::Result<Self> {
        let file = tempfile::Builder::new().prefix(prefix).suffix(".part").tempfile_in(directory)?;
        let (file, path) = file.keep().map_err(|error| error.error)?;
        Ok(Self { file: File::from_parts(file, &path), path, temporary: true })
    }

    /// Bytes that it has.
    pub(super) fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Its content from the beginning; afterwards [`Self::append`] goes on at the end.
    pub(super) fn content(&mut self) -> io::Result<&mut File> {
        self.file.seek(SeekFrom::Start(0))?;
        Ok(&mut self.file)
    }

    /// Cuts it.
    pub(super) fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        self.file.seek(SeekFrom::Start(length))?;
        Ok(())
    }

    /// Writes at the current end.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Makes it the file `destination`: durable first, then by one rename.
    pub(super) fn complete(mut self, destination: &Path) -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt as _;
        self.file.set_permissions(std::fs::Permissions::from_mode(0o644))?;
        self.file.sync_all()?;
        if let Some(directory) = destination.parent() {
            fs_err::create_dir_all(directory)?;
        }
        fs_err::rename(&self.path, destination)?;
        self.temporary = false;
        Ok(())
    }

    /// Removes it.
    pub(super) fn discard(mut self) {
        self.temporary = true;
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.temporary {
            // It is in the cache and nobody looks for it: if it cannot be removed there is nobody to tell.
            let _ = fs_err::remove_file(&self.path);
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}
