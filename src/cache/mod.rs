//! Where packhouse keeps what can be had again: downloads by SHA-256, unpacked wheels, tools, build results.
//!
//! Everything in it is content-addressed and comes into place by one rename, so that any number of processes share it and
//! a killed one leaves at most a file below `tmp`. A [`Lock`] is for what is not made by a rename, and for what would only
//! be slower done twice; the kernel releases it with the process.
//!
//! Nothing in it is believed only because it is there: downloads and programs have their digest for a name, small files are
//! records (`record.rs`), what is unpacked is sealed (`seal.rs`). It has a limit, and what was not used for longest goes
//! first (`trim.rs`).

mod blocks;
pub(crate) mod record;
pub(crate) mod seal;
mod sections;
mod size;
mod state;
mod trim;
mod used;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};
use std::time::Duration;

use crate::digest::Sha256;
use crate::{unfinished, variables};

pub use blocks::{Blocks, Pending};
pub use sections::Section;
pub use size::{InvalidLimit, InvalidSize, Size};
pub use trim::{Keep, Removed, Usage};

use state::{Limit, State};

/// Something that one thread of one process does at a time, until this is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: fs_err::File,
}

/// The cache's root, with its layout.
#[derive(Debug, Clone)]
pub struct Cache {
    root: PathBuf,
    /// One that this user may not write, from which downloads and blocks are taken all the same.
    below: Option<PathBuf>,
    state: Arc<State>,
}

/// A cache that another one stands in for.
#[derive(Debug)]
pub struct Refused {
    /// Its root.
    pub root: PathBuf,
    /// What of it this user may not read and write.
    pub path: PathBuf,
}

impl Cache {
    /// A cache below `root`, which is made when it is first written to. It has no limit.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), below: None, state: Arc::new(State::new(Limit::None)) }
    }

    /// The same with a limit.
    pub fn with_limit(self, limit: Size) -> Self {
        Self { state: Arc::new(State::new(Limit::Size(limit))), ..self }
    }

    /// The user's: `PACKHOUSE_CACHE_DIR`, `$XDG_CACHE_HOME/packhouse`, `~/.cache/packhouse`; a directory of the user's own
    /// below the system's temporary one when there is no home. Its limit is `PACKHOUSE_CACHE_SIZE`; the other part of the
    /// answer says that this is no size, and then the default holds.
    pub fn of_user() -> (Self, Result<(), InvalidLimit>) {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let root = variable(variables::PACKHOUSE_CACHE_DIR)
            .or_else(|| Some(variable(variables::XDG_CACHE_HOME)?.join("packhouse")))
            .or_else(|| Some(variable(variables::HOME)?.join(".cache/packhouse")))
            .unwrap_or_else(homeless);
        let limit = std::env::var(variables::PACKHOUSE_CACHE_SIZE).ok().filter(|text| !text.is_empty());
        let (limit, valid) = match limit.map(|text| text.parse::<Size>()) {
            None => (Limit::Default, Ok(())),
            Some(Ok(Size(0))) => (Limit::None, Ok(())),
            Some(Ok(size)) => (Limit::Size(size), Ok(())),
            Some(Err(error)) => (Limit::Default, Err(InvalidLimit::from(error))),
        };
        let root = std::path::absolute(&root).unwrap_or(root);
        (Self { root, below: None, state: Arc::new(State::new(limit)) }, valid)
    }

    /// The same, unless the user may not read and write all of its directories (another user or root has made some): then
    /// the one that there is without a home, for which only downloads and blocks are taken from this one.
    pub fn permitted(self) -> (Self, Option<Refused>) {
        let Some(path) = sections::refused(&self.root) else { return (self, None) };
        let Self { root, state, .. } = self;
        (Self { root: homeless(), below: Some(root.clone()), state }, Some(Refused { root, path }))
    }

    /// Its root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Downloaded files: `artefacts/sha256/ab/abcd…`.
    pub fn artefact(&self, sha256: Sha256) -> PathBuf {
        let name = sha256.to_string();
        let place = Path::new("artefacts/sha256").join(name.get(..2).unwrap_or_default()).join(name);
        let own = self.root.join(&place);
        let below = self.below.as_ref().map(|below| below.join(&place));
        below.filter(|below| !own.exists() && fs_err::File::open(below).is_ok()).unwrap_or(own)
    }

    /// A directory for one kind of derived thing: `wheels`, `bytecode`, `built-wheels`, `tools`.
    pub fn section(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// A fresh file in the cache's own file system, to be renamed into place.
    pub fn temporary_file(&self) -> io::Result<tempfile::NamedTempFile> {
        // Readable for whom the umask admits, as all else there.
        unfinished::file(&self.temporary()?, ".", "", 0o666)
    }

    /// A fresh directory in the cache's own file system, to be renamed into place.
    pub fn temporary_directory(&self) -> io::Result<tempfile::TempDir> {
        unfinished::directory(&self.temporary()?, ".")
    }

    /// Waits until no other thread or process holds the lock `name` of this cache. A thread holds one at a time.
    pub fn lock(&self, name: &str) -> io::Result<Lock> {
        let file = self.lock_file(name)?;
        let path = file.path().display();
        file.file().lock().map_err(|error| io::Error::other(format!("cannot lock {path}: {error}")))?;
        Ok(Lock { _file: file })
    }

    fn lock_file(&self, name: &str) -> io::Result<fs_err::File> {
        let path = self.root.join("locks").join(name);
        let open = || fs_err::OpenOptions::new().create(true).append(true).open(&path);
        match open() {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                self.directory(&self.root.join("locks"))?;
                open()
            }
            // A cache that cannot be written can be locked all the same.
            Err(_) if path.is_file() => fs_err::File::open(&path),
            opened => opened,
        }
    }

    /// Makes a directory of the cache and all that it is in. What stands in the way is no part of a cache and goes.
    pub(crate) fn directory(&self, path: &Path) -> io::Result<()> {
        let mut made = fs_err::create_dir_all(path);
        for place in path.ancestors().take_while(|place| *place != self.root && place.starts_with(&self.root)) {
            if made.is_err() && !place.is_dir() && fs_err::symlink_metadata(place).is_ok() {
                fs_err::remove_file(place)?;
                made = fs_err::create_dir_all(path);
            }
        }
        made
    }

    /// A directory to work in, from which nothing is renamed into place: elsewhere if the cache cannot be written.
    pub(crate) fn scratch(&self) -> io::Result<tempfile::TempDir> {
        self.temporary_directory().or_else(|_| unfinished::directory(&std::env::temp_dir(), "packhouse-"))
    }

    /// Notes that an entry (a file or a directory, as it came into place) is used: it is not among the first to go.
    pub(crate) fn used(&self, entry: &Path) {
        used::touch(entry);
    }

    /// Notes that so many bytes have come into place.
    pub(crate) fn added(&self, bytes: u64) {
        self.state.add(bytes);
    }

    /// Notes that an entry has come into place or grown.
    pub(crate) fn added_entry(&self, entry: &Path) {
        self.state.add(sections::size(entry));
    }

    /// Whether something could not be kept in this run.
    fn has_failed(&self) -> bool {
        self.state.problem().is_some()
    }

    fn failed(&self, error: &io::Error) {
        self.state.fail(error);
    }

    fn temporary(&self) -> io::Result<PathBuf> {
        static CLEARED: Once = Once::new();
        let directory = self.root.join("tmp");
        self.directory(&directory)?;
        CLEARED.call_once(|| clear(&directory));
        Ok(directory)
    }
}

/// `packhouse-cache-UID` in the directory for temporary files. What is unpacked in a cache is believed, so that a
/// directory which is not the user's alone is not taken: then it is a new one with a name that nobody can know.
fn homeless() -> PathBuf {
    let user = rustix::process::geteuid().as_raw();
    private_directory(&std::env::temp_dir(), &format!("packhouse-cache-{user}"), user)
}

fn private_directory(parent: &Path, name: &str, user: u32) -> PathBuf {
    use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
    let path = parent.join(name);
    // Whether it was there already shows in its metadata.
    drop(std::fs::DirBuilder::new().mode(0o700).create(&path));
    let ours =
        |metadata: std::fs::Metadata| metadata.is_dir() && metadata.uid() == user && metadata.mode() & 0o022 == 0;
    if fs_err::symlink_metadata(&path).is_ok_and(ours) {
        return path;
    }
    let fresh = tempfile::Builder::new().prefix(&format!("{name}-")).tempdir_in(parent);
    fresh.map_or(path, tempfile::TempDir::keep)
}

/// Nobody works for this long on something that has no place yet.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// Removes what killed runs have left. What cannot be removed stays: it takes room and is never looked at.
fn clear(directory: &Path) {
    for entry in fs_err::read_dir(directory).into_iter().flatten().flatten() {
        let Ok(metadata) = entry.metadata() else { continue };
        let age = metadata.modified().ok().and_then(|time| time.elapsed().ok()).unwrap_or_default();
        if age > ABANDONED {
            let removed = if metadata.is_dir() {
                fs_err::remove_dir_all(entry.path())
            } else {
                fs_err::remove_file(entry.path())
            };
            drop(removed);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn without_a_home_the_cache_is_a_directory_of_the_user_alone() {
        let temporary = tempfile::tempdir().unwrap();
        let user = rustix::process::geteuid().as_raw();
        let first = private_directory(temporary.path(), "cache", user);
        assert_eq!(first, temporary.path().join("cache"));
        assert_eq!(private_directory(temporary.path(), "cache", user), first);
        // Another's, as far as this user can tell.
        assert_ne!(private_directory(temporary.path(), "cache", user + 1), first);
        let target = temporary.path().join("target");
        fs_err::create_dir(&target).unwrap();
        fs_err::os::unix::fs::symlink(&target, temporary.path().join("link")).unwrap();
        assert_ne!(private_directory(temporary.path(), "link", user), temporary.path().join("link"));
    }

    #[test]
    fn what_killed_runs_have_left_is_removed_after_a_day() {
        let directory = tempfile::tempdir().unwrap();
        let (old, new) = (directory.path().join("old"), directory.path().join("new"));
        fs_err::create_dir(&old).unwrap();
        fs_err::write(&new, "").unwrap();
        let yesterday = std::time::SystemTime::now() - 2 * ABANDONED;
        fs_err::File::open(&old).unwrap().file().set_modified(yesterday).unwrap();
        clear(directory.path());
        assert!(!old.exists());
        assert!(new.exists());
    }
}
