//! The repository's directory, written so that a reader at any moment, and a publisher killed at any instruction, sees
//! whole files only.
//!
//! Every file is written below `.packhouse/tmp` (same file system, never served by mistake as an index), synced, given
//! mode 0644 whatever the umask, and renamed into place. Directories are synced together at a [`Store::barrier`]:
//! everything before it is durable before anything after it is visible. One publisher at a time holds an advisory lock
//! (flock(2)), which the kernel releases when its holder dies, so that there are no stale locks.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rustix::fs::{FlockOperation, RenameFlags};
use sha2::Digest as _;

use super::stage::{self, Stage};
use crate::digest::Sha256;
use crate::report::Reporter;

/// More files or directories than are worth being synced one by one.
const MANY: usize = 32;

/// What is read whole: of most packages the first bytes would not be worth a second reading.
const SMALL: u64 = 1 << 20;

/// packhouse's own directory in a repository.
pub(crate) const PRIVATE: &str = ".packhouse";

/// A repository's directory. Relative paths are relative to its root.
#[derive(Debug)]
pub(crate) struct Store {
    root: PathBuf,
    /// Directories whose entries are not durable yet.
    dirty: Mutex<BTreeSet<PathBuf>>,
    /// Files that have their place and are not durable yet.
    unsynced: Mutex<BTreeSet<PathBuf>>,
    stage: OnceLock<Stage>,
    /// Whether directories have mode 0755 when they are made.
    plain_umask: OnceLock<bool>,
    /// How many temporary names were given.
    names: AtomicU64,
}

/// A copy that waits for its place.
#[derive(Debug)]
pub(crate) struct Copied {
    pub(crate) file: tempfile::TempPath,
    pub(crate) sha256: Sha256,
    pub(crate) size: u64,
}

/// The right to write. Dropping it lets the next publisher go on.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: fs_err::File,
}

/// A file that is hashed while it is written.
struct Hashing {
    file: tempfile::NamedTempFile,
    hasher: sha2::Sha256,
    size: u64,
}

impl Write for Hashing {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let length = self.file.write(buffer)?;
        self.hasher.update(buffer.get(..length).unwrap_or_default());
        self.size += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Store {
    pub(crate) fn at(root: &Path) -> Self {
        Self {
            root: root.to_path_buf(),
            dirty: Mutex::default(),
            unsynced: Mutex::default(),
            stage: OnceLock::new(),
            plain_umask: OnceLock::new(),
            names: AtomicU64::new(0),
        }
    }

    /// Its directory.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The absolute form of a path relative to the root.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Waits for the exclusive right to write, and removes what a killed publisher left behind.
    pub(crate) fn lock(&self, reporter: &dyn Reporter) -> io::Result<Lock> {
        let temporary = self.temporary();
        self.make_directory(&temporary)?;
        let path = self.root.join(PRIVATE).join("lock");
        let file = fs_err::OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        match rustix::fs::flock(file.file(), FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                reporter.note("another publisher is at work in this repository; waiting for it");
                rustix::io::retry_on_intr(|| rustix::fs::flock(file.file(), FlockOperation::LockExclusive))?;
            }
            Err(error) => return Err(error.into()),
        }
        stage::clean(&temporary)?;
        Ok(Lock { _file: file })
    }

    /// Makes `relative` hold `content`, durably after the next barrier.
    pub(crate) fn write(&self, relative: &str, content: &[u8]) -> io::Result<()> {
        let file = self.prepared(content)?;
        self.settle([&*file])?;
        self.place(file, relative)
    }

    /// Makes `relative` hold `content`, durably after the next [`Store::settle`] only: for what can be made again. A machine
    /// that loses its power before may show an empty file.
    pub(crate) fn write_soon(&self, relative: &str, content: &[u8]) -> io::Result<()> {
        self.place(self.prepared(content)?, relative)?;
        lock(&self.unsynced).insert(self.path(relative));
        Ok(())
    }

    /// A temporary file with mode 0644 and this content; durable after [`Store::settle`].
    pub(crate) fn prepared(&self, content: &[u8]) -> io::Result<tempfile::TempPath> {
        let mut file = self.temporary_file()?;
        file.write_all(content)?;
        make_readable(file.as_file())?;
        Ok(file.into_temp_path())
    }

    /// An empty temporary file on the repository's file system.
    pub(crate) fn temporary_file(&self) -> io::Result<tempfile::NamedTempFile> {
        tempfile::NamedTempFile::new_in(self.stage()?)
    }

    /// Copies all of `source` into a temporary file, hashing what is written: the digest is that of the copy, whatever
    /// happens to the source meanwhile.
    pub(crate) fn copy_in(&self, source: &mut dyn Read) -> io::Result<Copied> {
        self.produce(|writer| io::copy(source, writer).map(drop))
    }

    /// A temporary file of what `write` writes, closed: a thousand of them may wait for their places. It is not durable
    /// before [`Store::settle`].
    pub(crate) fn produce<E: From<io::Error>>(
        &self,
        write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
    ) -> Result<Copied, E> {
        let file = self.temporary_file()?;
        let mut hashing = Hashing { file, hasher: sha2::Sha256::new(), size: 0 };
        let mut buffered = BufWriter::with_capacity(256 * 1024, &mut hashing);
        write(&mut buffered)?;
        buffered.flush()?;
        drop(buffered);
        let Hashing { file, hasher, size } = hashing;
        make_readable(file.as_file())?;
        Ok(Copied { file: file.into_temp_path(), sha256: Sha256(hasher.finalize().into()), size })
    }

    /// Makes these files durable, and those that [`Store::add_object`] has placed: one by one, or, when there are many, with
    /// their file system at once, which is one commit of its journal rather than hundreds.
    pub(crate) fn settle<'a>(&self, files: impl IntoIterator<Item = &'a Path>) -> io::Result<()> {
        let mut waiting = std::mem::take(&mut *lock(&self.unsynced));
        waiting.extend(files.into_iter().take(MANY + 1).map(Path::to_path_buf));
        self.sync(waiting)
    }

    /// A hard link of `source` where the file system can make one, else a copy; hashed as it is then. A link is as good as a
    /// copy as long as nobody writes to the file in place.
    pub(crate) fn link_in(&self, source: &Path) -> io::Result<Copied> {
        self.take_in(source, true).map(|(copied, _)| copied)
    }

    /// A copy of `source`, or a hard link where that is wanted and possible, with its content when it is small: read once, it is
    /// what is hashed, written and judged.
    pub(crate) fn take_in(&self, source: &Path, link: bool) -> io::Result<(Copied, Option<Vec<u8>>)> {
        let mut linked = if link { self.linked(source)? } else { None };
        let mut opened = fs_err::File::open(linked.as_deref().unwrap_or(source))?;
        let metadata = opened.metadata()?;
        if metadata.permissions().mode() & 0o444 != 0o444 {
            // Clients could not read it, and its mode is its owner's.
            linked = None;
        }
        let mut content = Vec::new();
        if metadata.len() <= SMALL {
            content.reserve_exact(usize::try_from(metadata.len()).unwrap_or(0) + 1);
            (&mut opened).take(SMALL + 1).read_to_end(&mut content)?;
        }
        let size = content.len() as u64;
        let is_whole = metadata.len() <= SMALL && size <= SMALL;
        let copied = match (linked, is_whole) {
            (Some(file), true) => Copied { file, sha256: Sha256::of(&content), size },
            (None, true) => Copied { file: self.prepared(&content)?, sha256: Sha256::of(&content), size },
            (Some(file), false) => {
                let (sha256, size) = Sha256::of_reader(&mut content.as_slice().chain(opened))?;
                Copied { file, sha256, size }
            }
            (None, false) => self.copy_in(&mut content.as_slice().chain(opened))?,
        };
        Ok((copied, is_whole.then_some(content)))
    }

    /// A hard link of a file, through symbolic ones; none where the file system cannot make it.
    fn linked(&self, source: &Path) -> io::Result<Option<tempfile::TempPath>> {
        let (link, here) = (self.temporary_name()?, rustix::fs::CWD);
        match rustix::fs::linkat(here, source, here, &link, rustix::fs::AtFlags::SYMLINK_FOLLOW) {
            Ok(()) => tempfile::TempPath::try_from_path(link).map(Some),
            Err(_) => Ok(None),
        }
    }

    /// Makes `relative` the same file as `held`, or a copy of it, replacing what is there.
    pub(crate) fn link(&self, held: &str, relative: &str) -> io::Result<()> {
        let link = self.temporary_name()?;
        if fs_err::hard_link(self.path(held), &link).is_ok() {
            return self.place(tempfile::TempPath::try_from_path(link)?, relative);
        }
        let copied = self.copy_in(&mut fs_err::File::open(self.path(held))?)?;
        self.settle([&*copied.file])?;
        self.place(copied.file, relative)
    }

    /// Gives a file the time `seconds` (since 1970-01-01 UTC) of modification; one that is not there is fine.
    pub(crate) fn touch(&self, relative: &str, seconds: i64) -> io::Result<()> {
        match touch(&self.path(relative), seconds) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// A name in the place for unfinished files that no other file has.
    fn temporary_name(&self) -> io::Result<PathBuf> {
        let number = self.names.fetch_add(1, Ordering::Relaxed);
        Ok(self.stage()?.join(format!("{number}")))
    }

    /// Renames a durable temporary file to `relative`.
    pub(crate) fn place(&self, file: tempfile::TempPath, relative: &str) -> io::Result<()> {
        let path = self.path(relative);
        if let Some(parent) = path.parent() {
            self.make_directory(parent)?;
            self.soil(parent);
        }
        file.persist(&path).map_err(|error| {
            io::Error::new(error.error.kind(), format!("failed to rename into `{}`: {}", path.display(), error.error))
        })?;
        Ok(())
    }

    /// Makes everything placed so far durable before anything that follows.
    pub(crate) fn barrier(&self) -> io::Result<()> {
        self.settle([])?;
        let directories = std::mem::take(&mut *lock(&self.dirty));
        self.sync(directories)
    }

    /// Makes these files or directories durable, all at once: together they share a commit of the journal.
    fn sync(&self, paths: BTreeSet<PathBuf>) -> io::Result<()> {
        if paths.len() > MANY {
            return self.sync_all();
        }
        let sync = |path: &Path| fs_err::File::open(path)?.sync_all();
        std::thread::scope(|scope| {
            let mut paths = paths.iter();
            let first = paths.next();
            let others: Vec<_> = paths.map(|path| scope.spawn(move || sync(path))).collect();
            first.map_or(Ok(()), |path| sync(path))?;
            others.into_iter().try_for_each(|other| {
                other.join().unwrap_or_else(|_| Err(io::Error::other("a file could not be made durable")))
            })
        })
    }

    /// Makes everything on the repository's file system durable.
    pub(crate) fn sync_all(&self) -> io::Result<()> {
        Ok(rustix::fs::syncfs(fs_err::File::open(&self.root)?.file())?)
    }

    /// Puts the directory `new` (made by [`Store::temporary_directory`]) in the place of `relative` in one step, which is
    /// durable after the next barrier.
    ///
    /// Gives `false`, with nothing changed, where the file system cannot exchange two directories.
    pub(crate) fn exchange(&self, new: &tempfile::TempDir, relative: &str) -> io::Result<bool> {
        let target = self.path(relative);
        let parent = target.parent().unwrap_or(&self.root).to_path_buf();
        self.make_directory(&parent)?;
        let flags = if target.exists() { RenameFlags::EXCHANGE } else { RenameFlags::NOREPLACE };
        let cwd = rustix::fs::CWD;
        match rustix::fs::renameat_with(cwd, new.path(), cwd, &target, flags) {
            Ok(()) => {}
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        self.soil(&parent);
        Ok(true)
    }

    /// An empty directory on the repository's file system; removed when dropped.
    pub(crate) fn temporary_directory(&self) -> io::Result<tempfile::TempDir> {
        let directory = tempfile::TempDir::new_in(self.stage()?)?;
        fs_err::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755))?;
        Ok(directory)
    }

    /// Removes a file; one that is not there is fine.
    pub(crate) fn remove(&self, relative: &str) -> io::Result<()> {
        match fs_err::remove_file(self.path(relative)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Makes a directory and its parents below the root, each with mode 0755 whatever the umask.
    pub(crate) fn make_directory(&self, path: &Path) -> io::Result<()> {
        if path.is_dir() {
            return Ok(());
        }
        match fs_err::create_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && path != self.root => {
                path.parent().map_or(Ok(()), |parent| self.make_directory(parent))?;
                return self.make_directory(path);
            }
            // Another thread was quicker; the mode is its business.
            Err(_) if path.is_dir() => return Ok(()),
            made => made?,
        }
        if !*self.plain_umask.get_or_init(|| rustix::fs::stat(path).is_ok_and(|made| made.st_mode & 0o777 == 0o755)) {
            fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o755))?;
        }
        path.parent().into_iter().for_each(|parent| self.soil(parent));
        Ok(())
    }

    /// A temporary file without a name.
    pub(crate) fn unlinked(&self) -> io::Result<fs_err::File> {
        let file = tempfile::tempfile_in(self.stage()?)?;
        Ok(fs_err::File::from_parts(file, "a temporary file"))
    }

    /// Puts a content-addressed file where it belongs; it is durable after the next barrier. One that is there is trusted
    /// when it is what its name says: a machine may have lost its power while it was written.
    pub(crate) fn add_object(&self, copied: Copied, relative: &str) -> io::Result<()> {
        let path = self.path(relative);
        let same = match fs_err::File::open(&path) {
            Ok(mut file) => Sha256::of_reader(&mut file)? == (copied.sha256, copied.size),
            Err(_) => false,
        };
        if !same {
            self.place(copied.file, relative)?;
        }
        remember(&self.unsynced, path);
        Ok(())
    }

    /// The place of this process for unfinished files.
    fn stage(&self) -> io::Result<&Path> {
        if self.stage.get().is_none() {
            let temporary = self.temporary();
            self.make_directory(&temporary)?;
            let _ = self.stage.set(Stage::new(&temporary)?);
        }
        self.stage.get().map(Stage::directory).ok_or_else(|| io::Error::other("there is no temporary directory"))
    }

    fn temporary(&self) -> PathBuf {
        self.root.join(PRIVATE).join("tmp")
    }

    /// Remembers a directory whose entries have changed, for the next barrier.
    pub(crate) fn soil(&self, directory: &Path) {
        remember(&self.dirty, directory.to_path_buf());
    }
}

/// Adds to what a barrier has to care for. More than are dealt with one by one need not be known by name.
fn remember(paths: &Mutex<BTreeSet<PathBuf>>, path: PathBuf) {
    let mut paths = lock(paths);
    if paths.len() <= MANY {
        paths.insert(path);
    }
}

/// Sets a file's time of modification.
pub(crate) fn touch(path: &Path, seconds: i64) -> io::Result<()> {
    let time = rustix::fs::Timespec { tv_sec: seconds, tv_nsec: 0 };
    let times = rustix::fs::Timestamps { last_access: time, last_modification: time };
    Ok(rustix::fs::utimensat(rustix::fs::CWD, path, &times, rustix::fs::AtFlags::empty())?)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Mode 0644, whatever the umask.
#[expect(clippy::disallowed_types, reason = "temporary files are of this type")]
pub(crate) fn make_readable(file: &std::fs::File) -> io::Result<()> {
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}
