//! The place of one process for unfinished files: `.packhouse/tmp/<name>`, on the repository's file system.
//!
//! Packages are copied and hashed before the lock is taken, so several processes have unfinished files at the same time. Each
//! holds an advisory lock on `<name>.lock`, which the kernel releases when it dies: what is not locked is rubbish.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

/// A directory that is removed when it is dropped.
#[derive(Debug)]
pub(super) struct Stage {
    directory: PathBuf,
    lock: PathBuf,
    _held: fs_err::File,
}

impl Stage {
    /// Makes one in `temporary`, which is there.
    pub(super) fn new(temporary: &Path) -> io::Result<Self> {
        loop {
            let (held, lock) = tempfile::Builder::new().suffix(".lock").tempfile_in(temporary)?.keep()?;
            let held = fs_err::File::from_parts(held, &lock);
            if !try_lock(&held)? || rustix::fs::fstat(held.file())?.st_nlink == 0 {
                // Somebody cleaned up between these steps.
                continue;
            }
            let directory = lock.with_extension("");
            fs_err::create_dir(&directory)?;
            return Ok(Self { directory, lock, _held: held });
        }
    }

    /// Where unfinished files go.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next publisher.
        let _ = fs_err::remove_dir_all(&self.directory);
        let _ = fs_err::remove_file(&self.lock);
    }
}

/// Removes the unfinished files of processes that are no more.
pub(super) fn clean(temporary: &Path) -> io::Result<()> {
    let mut entries = fs_err::read_dir(temporary)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    for path in &entries {
        let is_lock = path.extension().is_some_and(|extension| extension == "lock");
        let lock = if is_lock { path.clone() } else { path.with_extension("lock") };
        let Some(held) = absent(fs_err::OpenOptions::new().write(true).open(&lock))? else {
            // Stages lock first: what has no lock has no owner.
            remove_any(path)?;
            continue;
        };
        if try_lock(&held)? {
            remove_any(&lock.with_extension(""))?;
            remove_any(&lock)?;
        }
    }
    Ok(())
}

fn try_lock(file: &fs_err::File) -> io::Result<bool> {
    match rustix::fs::flock(file.file(), FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn remove_any(path: &Path) -> io::Result<()> {
    let Some(metadata) = absent(fs_err::symlink_metadata(path))? else { return Ok(()) };
    let removed = if metadata.is_dir() { fs_err::remove_dir_all(path) } else { fs_err::remove_file(path) };
    absent(removed).map(drop)
}

/// `None` for what is not there.
fn absent<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unfinished_files_of_the_dead_are_removed_and_those_of_the_living_stay() {
        let temporary = tempfile::tempdir().expect("a directory");
        let living = Stage::new(temporary.path()).expect("a stage");
        fs_err::write(living.directory().join("copy"), "half").expect("written");
        for rubbish in ["dead/copy", "older"] {
            let path = temporary.path().join(rubbish);
            fs_err::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs_err::write(path, "half").expect("written");
        }
        fs_err::write(temporary.path().join("dead.lock"), "").expect("written");
        clean(temporary.path()).expect("cleaned");
        let names = |path: &Path| {
            let entries = fs_err::read_dir(path).expect("a directory");
            entries.map(|entry| entry.expect("an entry").path()).collect::<std::collections::BTreeSet<PathBuf>>()
        };
        let own = [living.directory().to_path_buf(), living.lock.clone()];
        assert_eq!(names(temporary.path()), own.into());
        assert_eq!(names(living.directory()).len(), 1);
        drop(living);
        assert!(names(temporary.path()).is_empty());
    }
}
