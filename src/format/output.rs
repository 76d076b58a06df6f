//! A file that appears whole or not at all, and the one read of every content on its way into it.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256 as Sha256Hasher};
use tempfile::NamedTempFile;

use super::Written;
use super::error::Error;
use crate::digest::Sha256;
use crate::tree::{Content, InstallPath, Source};

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
        let file = tempfile::Builder::new().prefix(".packhouse-").suffix(".part").tempfile_in(directory);
        match file {
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

    /// Makes the content durable and gives it its name, mode 0644 whatever the umask.
    pub(super) fn finish(mut self) -> Result<Written, Error> {
        let (sha256, size) = self.seal().map_err(|source| Error::Write { path: self.path.clone(), source })?;
        let Self { file, name, path } = self;
        let write_error = |source| Error::Write { path: path.clone(), source };
        file.persist(&path).map_err(|error| write_error(error.error))?;
        let directory = path.parent().unwrap_or(Path::new("."));
        let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        fs_err::File::open(directory).and_then(|directory| directory.sync_all()).map_err(write_error)?;
        Ok(Written { file: PathBuf::from(name), path, size, sha256 })
    }

    fn seal(&mut self) -> io::Result<(Sha256, u64)> {
        let file = self.file.as_file_mut();
        file.set_permissions(std::fs::Permissions::from_mode(0o644))?;
        file.flush()?;
        file.sync_all()?;
        file.seek(SeekFrom::Start(0))?;
        Sha256::of_reader(file)
    }
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

/// Copies a staged file's content to `out` and fails unless it is what the tree said: another size or digest means that
/// it changed after it was staged. `artefact` is the file being written, for messages.
pub(super) fn copy_content(
    path: &InstallPath,
    content: &Content,
    out: &mut dyn Write,
    artefact: &Path,
) -> Result<(), Error> {
    let read_error = |source: io::Error| {
        let from = match &content.source {
            Source::Path(file) => file.clone(),
            Source::Bytes(_) => PathBuf::from(path.as_str()),
        };
        Error::Read { path: from, source }
    };
    let expected = content.digests;
    let mut reader = content.open().map_err(read_error)?;
    let mut hasher = Sha256Hasher::new();
    let mut buffer = vec![0; 128 * 1024];
    let mut size = 0;
    loop {
        let length = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(read_error(error)),
        };
        size += length as u64;
        if size > expected.size {
            return Err(Error::Changed {
                path: path.clone(),
                what: format!("it had {} bytes, now more", expected.size),
            });
        }
        let chunk = buffer.get(..length).unwrap_or_default();
        hasher.update(chunk);
        out.write_all(chunk).map_err(|source| Error::Write { path: artefact.to_path_buf(), source })?;
    }
    if size != expected.size {
        let what = format!("it had {} bytes, now {size}", expected.size);
        return Err(Error::Changed { path: path.clone(), what });
    }
    if Sha256(hasher.finalize().into()) != expected.sha256 {
        return Err(Error::Changed { path: path.clone(), what: "its SHA-256 is another".to_owned() });
    }
    Ok(())
}
