//! A file that appears whole or not at all.

use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256 as Sha256Hasher};
use tempfile::NamedTempFile;

use super::Written;
use super::error::Error;
use crate::digest::Sha256;
use crate::unfinished;

/// A file in the making, in the directory of its final place; it vanishes unless it is finished.
pub(super) struct Output {
    file: NamedTempFile,
    name: String,
    path: PathBuf,
}

impl Output {
    /// Begins `name` in `directory`, which must exist.
    pub(super) fn create(directory: &Path, name: String) -> Result<Self, Error> {
        let path = directory.join(&name);
        match unfinished(directory) {
            Ok(file) => Ok(Self { file, name, path }),
            Err(source) => Err(Error::Write { path, source }),
        }
    }

    /// The final path, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The open file.
    pub(super) fn file(&mut self) -> &mut NamedTempFile {
        &mut self.file
    }

    /// Makes the content durable and gives it its name, mode 0644 whatever the umask. `digest` is its SHA-256 with its
    /// length, if they were told while it was written.
    pub(super) fn finish(mut self, digest: Option<(Sha256, u64)>) -> Result<Written, Error> {
        let (sha256, size) = self.seal(digest).map_err(|source| Error::Write { path: self.path.clone(), source })?;
        let Self { file, name, path } = self;
        let write_error = |source| Error::Write { path: path.clone(), source };
        file.persist(&path).map_err(|error| write_error(error.error))?;
        let directory = path.parent().unwrap_or(Path::new("."));
        let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        fs_err::File::open(directory).and_then(|directory| directory.sync_all()).map_err(write_error)?;
        Ok(Written { file: PathBuf::from(name), path, size, sha256 })
    }

    fn seal(&mut self, digest: Option<(Sha256, u64)>) -> io::Result<(Sha256, u64)> {
        let file = self.file.as_file_mut();
        file.set_permissions(std::fs::Permissions::from_mode(0o644))?;
        file.flush()?;
        file.sync_all()?;
        if let Some(digest) = digest {
            return Ok(digest);
        }
        file.seek(SeekFrom::Start(0))?;
        Sha256::of_reader(file)
    }
}

const PREFIX: &str = ".packhouse-";
const SUFFIX: &str = ".part";

/// A file without its final name, locked for as long as somebody writes it.
pub(crate) fn unfinished(directory: &Path) -> io::Result<NamedTempFile> {
    let _creating = lock(directory)?;
    let file = unfinished::file(directory, PREFIX, SUFFIX, 0o600)?;
    // A file system without locks is one without the removal of leftovers as well.
    let _ = file.as_file().lock();
    Ok(file)
}

/// Removes the unfinished files of runs that were killed; those of runs that go on are locked.
pub(crate) fn remove_leftovers(directory: &Path) -> io::Result<()> {
    let Some(_creating) = lock(directory)? else { return Ok(()) };
    for entry in fs_err::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with(PREFIX) || !name.ends_with(SUFFIX) {
            continue;
        }
        // What is gone has been finished meanwhile; what is not ours to open is not ours to remove.
        let Ok(file) = fs_err::File::open(entry.path()) else { continue };
        if file.file().try_lock().is_ok() {
            fs_err::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Nothing is removed between the birth of a file and its lock: both hold the directory's own. `None` where there are no
/// locks.
fn lock(directory: &Path) -> io::Result<Option<fs_err::File>> {
    let opened = fs_err::File::open(directory)?;
    Ok(opened.file().lock().is_ok().then_some(opened))
}

/// Counts and hashes what passes through.
pub(super) struct Hashing<W> {
    inner: W,
    hasher: Sha256Hasher,
    size: u64,
}

impl<W: Write> Hashing<W> {
    pub(super) fn new(inner: W) -> Self {
        Self { inner, hasher: Sha256Hasher::new(), size: 0 }
    }

    /// The output, the digest of all that was written to it, and its length.
    pub(super) fn finish(self) -> (W, Sha256, u64) {
        (self.inner, Sha256(self.hasher.finalize().into()), self.size)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.inner.write(bytes)?;
        self.hasher.update(bytes.get(..length).unwrap_or_default());
        self.size += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod leftovers {
    use super::*;

    #[test]
    fn unfinished_files_are_removed_unless_somebody_writes_them() {
        let directory = tempfile::tempdir().unwrap();
        let killed = directory.path().join(".packhouse-a1b2c3.part");
        let foreign = directory.path().join("notes.part");
        fs_err::write(&killed, "half").unwrap();
        fs_err::write(&foreign, "mine").unwrap();
        let writing = unfinished(directory.path()).unwrap();
        remove_leftovers(directory.path()).unwrap();
        assert!(!killed.exists());
        assert!(foreign.exists());
        assert!(writing.path().exists());
    }
}
