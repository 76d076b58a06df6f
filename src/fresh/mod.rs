//! A build that would make again what the last one made is answered from a record of everything that one looked at.
//!
//! The question comes first: before the configuration is read, services are looked for and git is opened, because these
//! alone take longer than the answer. A record is found by the directory and the arguments of the command. It answers when
//! its identity (this very packhouse, the environment, the rights that the kernel gives) and the stamp of every file are
//! what they were; else, and whenever anything is unreadable, the build goes its ordinary way and leaves a new record. What
//! is printed is what the build printed: artefacts, notes and warnings, none left out.
//!
//! What could change a result without a file's stamp, and how it is met:
//!
//! | change | met by |
//! |---|---|
//! | a file that was not there | each directory's own stamp; the names that configuration, git and toolchains are looked for by, there or not |
//! | content of the same size, time set back | the time of change, which nobody can set |
//! | a change while the build ran | stamps are taken before it and compared after it; what is younger than its beginning leaves no record |
//! | a change within the clock's granularity | the same: a stamp must be older than the beginning by more than a tick; artefacts are waited for |
//! | the clock set back | time since the beginning is taken from two clocks; a record is only left when they agree |
//! | packhouse itself | its version and the stamp of its file |
//! | the environment | every variable that [`crate::variables::is_read`] |
//! | a tag, an amended commit, another branch, a fetch | HEAD, refs, packed-refs, the index, the configurations, of submodules and worktrees as well |
//! | who runs it, sandboxes that become possible or impossible | user, capabilities, the kernel's settings, its boot |
//! | interpreters and toolchains | the stamp of each candidate, there or not, and of the package manager's records |
//! | the packages published last | all files of that repository or directory |
//! | an artefact removed, edited, replaced | the stamps of the artefacts and of their list |
//! | a revision that means another one tomorrow (`@{yesterday}`) | such a build leaves no record |
//!
//! Not met, as in git and make: a file that was mapped into memory before the build and is written through that mapping
//! after it, as long as the kernel has not written it back; a library or header of the system that was replaced by hand,
//! past the package manager (the build itself would not notice either: its caches do not ask); a directory outside of the
//! repository that a link leads to.

mod git;
mod look;
mod machine;
mod record;
mod watch;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use crate::build::ARTEFACTS_FILE;
use crate::cache::Cache;
use crate::digest::Sha256;
use crate::format::Artefact;
use crate::stamp::{self, Stamp, TICK};
use crate::variables;
use look::{Manner, Paths, Seen};
pub use watch::Looked;

/// Where records are in the cache.
const SECTION: &str = "fresh/v1";
/// A record that nobody has renewed for so long is removed when another one is written.
const OLDEST: Duration = Duration::from_secs(90 * 24 * 3600);
/// So far the two clocks may be apart.
const CLOCKS: Duration = Duration::from_millis(10);

/// Why there is no answer, or no record.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct NotFresh {
    reason: String,
    is_young: bool,
}

impl NotFresh {
    fn new(reason: String) -> Self {
        Self { reason, is_young: false }
    }

    fn young(path: &Path) -> Self {
        Self { reason: format!("{} has just been changed", path.display()), is_young: true }
    }

    fn io(error: std::io::Error) -> Self {
        Self::new(error.to_string())
    }

    /// True, after a moment, when something was changed so shortly before that a [`Call`] made now can leave a record where
    /// this one cannot.
    pub fn passes(&self) -> bool {
        if self.is_young {
            std::thread::sleep(Duration::from_nanos(TICK.unsigned_abs()));
        }
        self.is_young
    }
}

/// What the last build gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The workspace's root.
    pub root: PathBuf,
    /// What it made.
    pub artefacts: Vec<Artefact>,
    /// What it told the user.
    pub notes: Vec<String>,
}

/// One call of `build`: made before anything is read.
#[derive(Debug)]
pub struct Call {
    place: PathBuf,
    identity: Sha256,
    directory: PathBuf,
    began: i64,
    clocks: (SystemTime, Instant),
}

impl Call {
    /// A build that starts in `directory` with these `arguments`: all that change its result.
    pub fn new(cache: &Cache, directory: &Path, arguments: &str) -> Result<Self, NotFresh> {
        let (began, clocks) = (stamp::now(), (SystemTime::now(), Instant::now()));
        let real = fs_err::canonicalize(directory).map_err(NotFresh::io)?;
        let name = Sha256::of(format!("{directory:?}\n{real:?}\n{:?}\n{arguments}", cache.root()).as_bytes());
        let place = cache.section(SECTION).join(name.to_string());
        Ok(Self { place, identity: identity()?, directory: real, began, clocks })
    }

    /// What the last build gave, when nothing has changed since.
    pub fn answer(&self) -> Result<Answer, NotFresh> {
        let bytes = fs_err::read(&self.place).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => NotFresh::new("no build like this one has left a record".to_owned()),
            _ => NotFresh::io(error),
        })?;
        record::answer(&bytes, self.identity)
    }

    /// Takes the stamps of everything that a build may look at, before it does. `out` is made, so that it is there before
    /// and after.
    pub fn watch(&self, cache: &Cache, looked: &Looked<'_>) -> Result<Watch<'_>, NotFresh> {
        fs_err::create_dir_all(looked.out).map_err(NotFresh::io)?;
        fs_err::create_dir_all(cache.section(SECTION)).map_err(NotFresh::io)?;
        let paths = watch::paths(&self.directory, cache, looked)?;
        Ok(Watch { call: self, out: looked.out.to_path_buf(), seen: Seen::at(paths, self.began)? })
    }
}

/// What a build that is running may look at.
#[derive(Debug)]
pub struct Watch<'a> {
    call: &'a Call,
    out: PathBuf,
    seen: Seen,
}

impl Watch<'_> {
    /// Leaves a record of the build that has ended well with `answer`.
    pub fn keep(mut self, cache: &Cache, answer: &Answer) -> Result<(), NotFresh> {
        let (wall, steady) = self.call.clocks;
        let steady = steady.elapsed();
        if wall.elapsed().map_or(true, |wall| wall + CLOCKS < steady) {
            return Err(NotFresh::new("the clock was set back".to_owned()));
        }
        let mut paths = Paths::default();
        for file in answer.artefacts.iter().map(|artefact| artefact.file.as_path()).chain([Path::new(ARTEFACTS_FILE)]) {
            paths.add_file(self.out.join(file));
        }
        let artefacts = Seen::at(paths, i64::MAX)?;
        wait_for(artefacts.0.iter().filter_map(|(_, _, stamp)| stamp.as_ref()))?;
        // What was written while others were looked at shows now.
        artefacts.holds()?;
        self.seen.holds()?;
        self.seen.0.extend(artefacts.0);
        self.seen.0.sort_by(|one, other| (&one.0, one.1).cmp(&(&other.0, other.1)));
        let bytes = record::write(self.call.identity, answer, &self.seen);
        let bytes = bytes.ok_or_else(|| NotFresh::new("a path is too long for a record".to_owned()))?;
        let file = cache.temporary_file().map_err(NotFresh::io)?;
        fs_err::write(file.path(), bytes).map_err(NotFresh::io)?;
        file.persist(&self.call.place).map_err(|error| NotFresh::io(error.error))?;
        remove_old(&cache.section(SECTION));
        Ok(())
    }
}

/// Waits until what has just been written cannot be written again without showing it: a tick of the kernel's clock.
fn wait_for<'a>(stamps: impl Iterator<Item = &'a Stamp>) -> Result<(), NotFresh> {
    let newest = stamps.map(|stamp| stamp.changed.max(stamp.modified)).max().unwrap_or_default();
    let missing = newest.saturating_add(TICK).saturating_sub(stamp::now());
    match u64::try_from(missing) {
        Err(_) => Ok(()),
        Ok(missing) if missing <= TICK.cast_unsigned() => {
            std::thread::sleep(Duration::from_nanos(missing));
            Ok(())
        }
        Ok(_) => Err(NotFresh::new("the artefacts are from the future".to_owned())),
    }
}

/// This packhouse, in this environment, with these rights.
fn identity() -> Result<Sha256, NotFresh> {
    let mut text = env!("CARGO_PKG_VERSION").to_owned();
    let program = look::stamp(Path::new("/proc/self/exe"), Manner::Behind).map_err(NotFresh::io)?;
    let program = program.ok_or_else(|| NotFresh::new("the program's own file cannot be seen".to_owned()))?;
    text.push_str(&format!("\n{program:?}\n{}\n", machine::facts()));
    let mut variables: Vec<_> =
        std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(variables::is_read)).collect();
    variables.sort();
    text.push_str(&format!("{variables:?}"));
    Ok(Sha256::of(text.as_bytes()))
}

fn remove_old(directory: &Path) {
    for entry in fs_err::read_dir(directory).into_iter().flatten().flatten() {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        if modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > OLDEST)) {
            drop(fs_err::remove_file(entry.path()));
        }
    }
}
