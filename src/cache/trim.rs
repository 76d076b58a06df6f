//! Keeps the cache within its limit: entries that were not used for longest go first.
//!
//! A process that works with the cache holds a shared lock on it ([`Cache::hold`]), so that what it has found stays until
//! it ends; entries go only under the exclusive one. They are renamed into `tmp` under it and deleted afterwards: nobody
//! waits for the deleting. Blocks alone go at any time, because whoever reads one has it open.
//!
//! No run looks through the whole cache to see whether it is too large: each adds what it has put in to the file `usage`,
//! under a lock, and looks only when that passes the limit. What cannot be removed or written is left as it is: a cache
//! that is too large is no reason for a build to fail.

use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::sections::{self, Entry, SECTIONS, Section};
use super::{Cache, Limit, Lock, Size, blocks};
use crate::report::Reporter;

/// The most that is kept when nobody says how much, …
const DEFAULT: u64 = 10 << 30;
/// … unless the disk is smaller than so many times that.
const PART_OF_DISK: u64 = 10;
/// What is kept of a cache that has passed its limit: the next runs should not pass it again at once.
const KEPT_PERCENT: u64 = 80;
/// The lock of whoever works with the cache.
const IN_USE: &str = "in-use";
/// The file with what the cache holds (bytes), as far as runs have told.
const USAGE: &str = "usage";
/// Marks a directory as a cache (<https://bford.info/cachedir/>): backups leave it out, and what has it is ours to trim.
const TAG: &str = "CACHEDIR.TAG";
const TAG_CONTENT: &str = "Signature: 8a477f597d28d172789f06886806bc55\n# The cache of packhouse.\n";

/// What a section holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Which.
    pub section: Section,
    /// How many entries.
    pub entries: usize,
    /// Bytes on the disk.
    pub size: Size,
}

/// What is to be left by [`Cache::prune`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Keep {
    /// So much at most.
    pub size: Option<Size>,
    /// What was used since so long.
    pub used_within: Option<Duration>,
}

/// What went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    /// How many entries.
    pub entries: usize,
    /// Bytes on the disk.
    pub size: Size,
}

impl Cache {
    /// Keeps others from removing anything of the cache, until this process ends or [`Cache::settle`]s. Where there is no
    /// cache to write to, nobody removes anything.
    pub fn hold(&self) {
        let mut held = self.state.held();
        if held.is_none() {
            *held = self
                .lock_file(IN_USE)
                .ok()
                .filter(|file| file.file().lock_shared().is_ok())
                .map(|_file| Lock { _file });
            drop(self.is_ours());
        }
    }

    /// What all sections hold.
    pub fn usage(&self) -> io::Result<Vec<Usage>> {
        let entries = sections::entries(self.root())?;
        let usage = |section: &Section| {
            let own = entries.iter().filter(|entry| entry.section == *section);
            let (count, size) = own.fold((0, 0), |(count, size), entry| (count + 1, size + entry.size));
            Usage { section: *section, entries: count, size: Size(size) }
        };
        Ok(SECTIONS.iter().map(usage).filter(|usage| usage.entries > 0).collect())
    }

    /// The most that it may hold; `None` without a limit.
    pub fn limit(&self) -> Option<Size> {
        match self.state.limit {
            Limit::None => None,
            Limit::Size(size) => Some(size),
            Limit::Default => {
                let existing = self.root().ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
                let disk = rustix::fs::statvfs(existing).map_or(u64::MAX, |disk| disk.f_blocks * disk.f_frsize);
                Some(Size(DEFAULT.min(disk / PART_OF_DISK)))
            }
        }
    }

    /// Removes what is more than `keep`, what was not used for longest first. Waits for those who work with the cache.
    pub fn prune(&self, keep: Keep, reporter: &dyn Reporter) -> io::Result<Removed> {
        let _exclusive = self.exclusive(reporter)?;
        let entries = sections::entries(self.root())?;
        let victims = victims(entries, keep);
        let (removed, _trash) = self.evict(&victims);
        self.forget_usage();
        Ok(removed)
    }

    /// Removes all that is in it. Waits for those who work with it.
    pub fn clear(&self, reporter: &dyn Reporter) -> io::Result<Removed> {
        let exclusive = self.exclusive(reporter)?;
        let entries = sections::entries(self.root())?;
        self.forget_usage();
        let mut first_error = None;
        for name in SECTIONS.iter().map(|section| section.name).chain(["tmp"]) {
            match fs_err::remove_dir_all(self.root().join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => first_error = first_error.or(Some(error)),
                _ => {}
            }
        }
        drop(exclusive);
        match first_error {
            Some(error) => Err(error),
            None => Ok(Removed { entries: entries.len(), size: Size(entries.iter().map(|entry| entry.size).sum()) }),
        }
    }

    /// Ends this process's work with the cache: says why nothing was kept, and trims the cache when what was put in has
    /// made it too large.
    pub fn settle(&self, reporter: &dyn Reporter) {
        if let Some((message, is_full)) = self.state.problem() {
            let message = format!("nothing more is kept in the cache {}: {message}", self.root().display());
            if is_full { reporter.note(&message) } else { reporter.detail(&message) }
        }
        *self.state.held() = None;
        if let (Some(Size(limit)), Some(added)) = (self.limit(), self.state.take_added()) {
            // It stays too large until it can be trimmed.
            let _ = self.trim(limit, added, reporter);
        }
    }

    fn trim(&self, limit: u64, added: u64, reporter: &dyn Reporter) -> io::Result<()> {
        if !self.is_ours()? {
            return Ok(());
        }
        let usage = self.lock(USAGE)?;
        let path = self.root().join(USAGE);
        let known = fs_err::read_to_string(&path).ok().and_then(|text| text.trim().parse::<u64>().ok());
        let mut total = known.map(|known| known.saturating_add(added)).filter(|total| *total <= limit);
        let mut trash = None;
        if total.is_none() {
            let entries = sections::entries(self.root())?;
            let mut held: u64 = entries.iter().map(|entry| entry.size).sum();
            if held > limit {
                let keep = Keep { size: Some(Size(limit / 100 * KEPT_PERCENT)), used_within: None };
                let exclusive = self.lock_file(IN_USE)?;
                let alone = exclusive.file().try_lock().is_ok();
                if alone {
                    self.forget_locks();
                }
                let blocks = self.section(blocks::SECTION);
                let mut victims = victims(entries, keep);
                victims.retain(|entry| alone || entry.path.starts_with(&blocks));
                let (removed, removed_to) = self.evict(&victims);
                held = held.saturating_sub(removed.size.0);
                trash = removed_to;
                reporter.detail(&format!("removed {} of the cache, which had passed its limit", removed.size));
            }
            total = Some(held);
        }
        let file = self.temporary_file()?;
        fs_err::write(file.path(), total.unwrap_or_default().to_string())?;
        file.persist(&path).map_err(|error| error.error)?;
        drop(usage);
        drop(trash);
        Ok(())
    }

    /// Moves entries that nobody has used meanwhile away. They are deleted with the directory that is given back.
    fn evict(&self, victims: &[Entry]) -> (Removed, Option<tempfile::TempDir>) {
        let mut removed = Removed::default();
        let Ok(trash) = self.temporary_directory() else { return (removed, None) };
        for (number, entry) in victims.iter().enumerate() {
            let unused = fs_err::symlink_metadata(&entry.path)
                .and_then(|metadata| metadata.modified())
                .is_ok_and(|used| used == entry.used);
            if unused && fs_err::rename(&entry.path, trash.path().join(number.to_string())).is_ok() {
                removed.entries += 1;
                removed.size.0 += entry.size;
            }
        }
        (removed, Some(trash))
    }

    /// Waits until nobody works with the cache, and keeps others from it.
    fn exclusive(&self, reporter: &dyn Reporter) -> io::Result<Option<Lock>> {
        if !self.root().exists() {
            return Ok(None);
        }
        if !self.is_ours()? {
            let root = self.root().display();
            return Err(io::Error::other(format!(
                "{root} holds other things than a cache of packhouse; remove it by hand"
            )));
        }
        *self.state.held() = None;
        let file = self.lock_file(IN_USE)?;
        if file.file().try_lock().is_err() {
            reporter.step("Waiting", "for those who work with the cache");
            file.file().lock()?;
        }
        self.forget_locks();
        Ok(Some(Lock { _file: file }))
    }

    /// Whether the root is a cache, and not somebody's directory with things of the same names: it has the tag. What holds
    /// nothing but a cache's parts gets it.
    fn is_ours(&self) -> io::Result<bool> {
        let tag = self.root().join(TAG);
        if tag.exists() {
            return Ok(true);
        }
        for entry in fs_err::read_dir(self.root())? {
            let name = entry?.file_name();
            let ours = SECTIONS.iter().any(|section| *section.name == *name) || name == "tmp" || name == "locks";
            if !ours && name != USAGE {
                return Ok(false);
            }
        }
        fs_err::write(tag, TAG_CONTENT)?;
        Ok(true)
    }

    fn forget_usage(&self) {
        drop(fs_err::remove_file(self.root().join(USAGE)));
    }

    /// Removes the locks of things that are done. Nobody may be working with the cache.
    fn forget_locks(&self) {
        for file in fs_err::read_dir(self.root().join("locks")).into_iter().flatten().flatten() {
            if file.file_name() != IN_USE && file.file_name() != USAGE {
                drop(fs_err::remove_file(file.path()));
            }
        }
    }
}

/// The entries that are more than `keep`.
fn victims(mut entries: Vec<Entry>, keep: Keep) -> Vec<Entry> {
    let oldest = keep.used_within.and_then(|age| SystemTime::now().checked_sub(age));
    let mut total: u64 = entries.iter().map(|entry| entry.size).sum();
    entries.sort_by(|left, right| (left.used, &left.path).cmp(&(right.used, &right.path)));
    entries.retain(|entry| {
        let goes = oldest.is_some_and(|oldest| entry.used < oldest) || keep.size.is_some_and(|size| total > size.0);
        total -= if goes { entry.size } else { 0 };
        goes
    });
    entries
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use std::fs::FileTimes;

    use super::super::Blocks;
    use super::*;
    use crate::digest::Sha256;
    use crate::report::Silent;

    const HOUR: Duration = Duration::from_secs(3600);

    fn cache(directory: &tempfile::TempDir) -> Cache {
        let cache = Cache::at(directory.path().join("cache"));
        fs_err::create_dir_all(cache.root()).unwrap();
        cache
    }

    /// An entry of 64 KiB that was used so many hours ago.
    fn entry(cache: &Cache, path: &str, hours: u32) {
        let path = cache.root().join(path);
        let file =
            if path.file_name().is_some_and(|name| name == "wheel") { path.join("files/x.py") } else { path.clone() };
        fs_err::create_dir_all(file.parent().unwrap()).unwrap();
        fs_err::write(&file, [7; 64 << 10]).unwrap();
        let times = FileTimes::new().set_modified(SystemTime::now() - hours * HOUR);
        fs_err::File::open(&path).unwrap().file().set_times(times).unwrap();
    }

    fn left(cache: &Cache) -> Vec<String> {
        let root = cache.root();
        let entries = sections::entries(root).unwrap();
        let mut left: Vec<String> =
            entries.iter().map(|entry| entry.path.strip_prefix(root).unwrap().display().to_string()).collect();
        left.sort();
        left
    }

    fn filled(directory: &tempfile::TempDir) -> Cache {
        let cache = cache(directory);
        entry(&cache, "wheels/v2/wheel", 5);
        entry(&cache, "wheels/v1/left by another version", 90);
        entry(&cache, "blocks/v1/ab/abcd", 3);
        entry(&cache, "artefacts/sha256/cd/cdef", 1);
        cache
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first_whatever_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let cache = filled(&directory);
        let keep = Keep { size: Some(Size(200 << 10)), used_within: None };
        assert_eq!(cache.prune(keep, &Silent).unwrap().entries, 1);
        assert_eq!(left(&cache), ["artefacts/sha256/cd/cdef", "blocks/v1/ab/abcd", "wheels/v2/wheel"]);
        let keep = Keep { size: None, used_within: Some(4 * HOUR) };
        assert_eq!(cache.prune(keep, &Silent).unwrap().entries, 1);
        assert_eq!(left(&cache), ["artefacts/sha256/cd/cdef", "blocks/v1/ab/abcd"]);
        assert_eq!(cache.clear(&Silent).unwrap().entries, 2);
        assert_eq!(left(&cache), Vec::<String>::new());
        assert_eq!(fs_err::read_dir(cache.root()).unwrap().count(), 2, "the locks and the tag");
    }

    #[test]
    fn what_is_used_stays_and_a_use_is_written_once_an_hour() {
        let directory = tempfile::tempdir().unwrap();
        let cache = filled(&directory);
        let modified = |path: &str| fs_err::metadata(cache.root().join(path)).unwrap().modified().unwrap();
        entry(&cache, "tools/new", 0);
        let before = modified("tools/new");
        for path in ["tools/new", "wheels/v2/wheel", "nothing"] {
            cache.used(&cache.root().join(path));
        }
        assert_eq!(modified("tools/new"), before);
        assert!(modified("wheels/v2/wheel").elapsed().unwrap() < HOUR / 2);
        cache.prune(Keep { size: None, used_within: Some(2 * HOUR) }, &Silent).unwrap();
        assert_eq!(left(&cache), ["artefacts/sha256/cd/cdef", "tools/new", "wheels/v2/wheel"]);
    }

    #[test]
    fn a_run_that_passes_the_limit_trims_and_one_that_adds_nothing_does_not_look() {
        let directory = tempfile::tempdir().unwrap();
        let cache = filled(&directory).with_limit(Size(200 << 10));
        cache.settle(&Silent);
        assert_eq!(left(&cache).len(), 4);
        cache.added(1);
        cache.settle(&Silent);
        assert_eq!(left(&cache), ["artefacts/sha256/cd/cdef", "blocks/v1/ab/abcd"]);
        let known: u64 = fs_err::read_to_string(cache.root().join(USAGE)).unwrap().parse().unwrap();
        assert_eq!(known, 128 << 10);
        // Below the limit only the sum is kept.
        entry(&cache, "tools/new", 0);
        cache.added(1000);
        cache.settle(&Silent);
        assert_eq!(fs_err::read_to_string(cache.root().join(USAGE)).unwrap(), (known + 1000).to_string());
        assert_eq!(fs_err::read_dir(cache.root().join("tmp")).unwrap().count(), 0);
    }

    #[test]
    fn beside_a_running_build_blocks_alone_are_trimmed() {
        let directory = tempfile::tempdir().unwrap();
        let cache = filled(&directory).with_limit(Size(70 << 10));
        let other = Cache::at(cache.root());
        other.hold();
        cache.added(1);
        cache.settle(&Silent);
        assert_eq!(left(&cache).len(), 3, "{:?}", left(&cache));
        assert!(!left(&cache).contains(&"blocks/v1/ab/abcd".to_owned()));
        other.settle(&Silent);
        fs_err::remove_file(cache.root().join(USAGE)).unwrap();
        cache.added(1);
        cache.settle(&Silent);
        assert_eq!(left(&cache), Vec::<String>::new());
    }

    #[test]
    fn a_directory_with_other_things_is_never_trimmed() {
        let directory = tempfile::tempdir().unwrap();
        let cache = filled(&directory).with_limit(Size(1));
        fs_err::write(cache.root().join("thesis.tex"), "mine").unwrap();
        cache.added(1);
        cache.settle(&Silent);
        assert!(cache.prune(Keep::default(), &Silent).is_err());
        assert!(cache.clear(&Silent).is_err());
        assert_eq!(left(&cache).len(), 4);
    }

    #[test]
    fn many_threads_and_trims_at_once_read_right_blocks_or_none() {
        let directory = tempfile::tempdir().unwrap();
        let root = cache(&directory).root().to_path_buf();
        let content = |number: u32| vec![number as u8; 20_000];
        std::thread::scope(|scope| {
            for thread in 0..4_u32 {
                let root = root.clone();
                scope.spawn(move || {
                    for round in 0..40_u32 {
                        let cache = Cache::at(&root).with_limit(Size(300_000));
                        let blocks = Blocks::of(&cache);
                        let number = (round * 7 + thread * 13) % 30;
                        let key = Sha256::of(&number.to_be_bytes());
                        match blocks.get(key) {
                            Some(block) => assert_eq!(block, content(number)),
                            None => blocks.put(key, &content(number)),
                        }
                        assert!(!cache.has_failed(), "{:?}", cache.state);
                        cache.settle(&Silent);
                    }
                });
            }
        });
        let total: u64 = sections::entries(&root).unwrap().iter().map(|entry| entry.size).sum();
        assert!(total <= 400_000, "{total}");
        assert_eq!(fs_err::read_dir(root.join("tmp")).unwrap().count(), 0);
    }
}
