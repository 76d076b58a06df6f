//! What something is made from, by name, and whether that has changed.
//!
//! A [`Fingerprint`] holds a digest for each thing that goes into a piece of work, under a name that a person knows
//! (`services/acme-api/setup.py`, `settings`), so that the reason for doing it again can be told. Files are known by
//! [`Files`], which reads only those that were touched since it read them last.
//!
//! Nothing here decides that two things are equal because they look alike: a file counts as unread-but-known only by a
//! stamp that the kernel would have changed (see [`crate::stamp`]), and its digest is of all its content.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::cache::Cache;
use crate::digest::Sha256;
use crate::stamp::{self, Stamp, is_absent};

/// Deeper than any tree that a person made.
const MAX_DEPTH: usize = 64;

/// A file that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    stamp: Stamp,
    /// When it was read: taken before the reading began.
    read: i64,
    sha256: Sha256,
}

/// The digests of files, of which only those are read that nobody has read since they were changed.
#[derive(Debug)]
pub struct Files {
    root: PathBuf,
    /// What is made here, and so no source.
    made: Vec<PathBuf>,
    place: PathBuf,
    before: BTreeMap<PathBuf, Known>,
    now: Mutex<BTreeMap<PathBuf, Known>>,
}

impl Files {
    /// Those of the repository at `root`, in which `made` are the places of results. What was kept and cannot be read is as
    /// good as nothing.
    pub fn of(cache: &Cache, root: &Path, made: Vec<PathBuf>) -> Self {
        let name = Sha256::of(root.as_os_str().as_encoded_bytes());
        let place = cache.section("stamps").join(format!("files-{name}.json"));
        let before = fs_err::read(&place).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let root = fs_err::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
        Self { root, made, place, before: before.unwrap_or_default(), now: Mutex::default() }
    }

    /// Whether `path` is where results go.
    pub fn is_made(&self, path: &Path) -> bool {
        self.made.iter().any(|made| made == path)
    }

    /// The digest of the regular file that `path` is or leads to, and its stamp.
    pub(crate) fn digest(&self, path: &Path) -> io::Result<(Sha256, Stamp)> {
        let read = stamp::now();
        let mut file = fs_err::File::open(path)?;
        let seen = Stamp::of(&file.metadata()?);
        let holds = |known: &&Known| known.stamp == seen && seen.is_older_than(known.read);
        let known = self.now().get(path).filter(holds).copied();
        if let Some(known) = known {
            return Ok((known.sha256, seen));
        }
        let known = match self.before.get(path).filter(holds) {
            Some(known) => *known,
            None => Known { stamp: seen, read, sha256: Sha256::of_reader(&mut file)?.0 },
        };
        self.now().insert(path.to_path_buf(), known);
        Ok((known.sha256, seen))
    }

    /// Keeps what is known for the next time, also of files that were not asked for now and are still there. That it cannot
    /// be kept (a full disk) only means that files are read again.
    pub fn keep(&self, cache: &Cache) {
        let now = self.now();
        if now.iter().all(|(path, known)| self.before.get(path) == Some(known)) {
            return;
        }
        let mut all = self.before.clone();
        all.retain(|path, _| now.contains_key(path) || path.exists());
        all.extend(now.iter().map(|(path, known)| (path.clone(), *known)));
        let written = || -> io::Result<()> {
            let file = cache.temporary_file()?;
            fs_err::write(file.path(), serde_json::to_vec(&all)?)?;
            fs_err::create_dir_all(cache.section("stamps"))?;
            file.persist(&self.place).map_err(|error| error.error)?;
            Ok(())
        };
        drop(written());
    }

    fn now(&self) -> std::sync::MutexGuard<'_, BTreeMap<PathBuf, Known>> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Digests by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fingerprint {
    parts: BTreeMap<String, Sha256>,
    /// How the files looked: two fingerprints of one moment are equal only if nobody has touched a file between them.
    looks: BTreeMap<String, Stamp>,
}

impl Fingerprint {
    /// Notes that `text` goes in.
    pub fn text(&mut self, name: impl std::fmt::Display, text: &str) {
        self.note(thing(name), text);
    }

    fn note(&mut self, name: String, text: &str) {
        self.parts.insert(name, Sha256::of(text.as_bytes()));
    }

    /// Notes a value by all that its `Debug` shows.
    pub fn value(&mut self, name: impl std::fmt::Display, value: &impl std::fmt::Debug) {
        self.text(name, &format!("{value:?}"));
    }

    /// Notes what is at `path`: a file's content and whether it can be executed, a directory's files (all but `.git`), a
    /// link's text and what it leads to, or that nothing is there. A link to a directory outside the repository is an error,
    /// since nobody knows how much is there.
    pub fn path(&mut self, files: &Files, path: &Path) -> io::Result<()> {
        let mut pending = vec![(path.to_path_buf(), 0)];
        while let Some((path, depth)) = pending.pop() {
            if depth > MAX_DEPTH {
                return Err(io::Error::other(format!("{} is too deep", path.display())));
            }
            let metadata = match fs_err::symlink_metadata(&path) {
                Err(error) if is_absent(&error) => {
                    self.note(named(files, &path)?, "absent");
                    continue;
                }
                metadata => metadata?,
            };
            if metadata.is_symlink() {
                let name = named(files, &path)?;
                let target = fs_err::read_link(&path)?;
                self.note(format!("{name}{THING} (link)"), &format!("{:?}", target.as_os_str().as_encoded_bytes()));
                match fs_err::canonicalize(&path) {
                    Ok(real) if path.starts_with(&real) => {}
                    Ok(real) if real.starts_with(&files.root) => pending.push((real, depth + 1)),
                    Ok(real) if real.is_file() => self.insert(name, files, &real)?,
                    Ok(_) => return Err(io::Error::other(format!("{name} leads out of the repository"))),
                    Err(error) if is_absent(&error) => self.note(name, "leads nowhere"),
                    Err(error) => return Err(error),
                }
            } else if metadata.is_dir() {
                for entry in fs_err::read_dir(&path)? {
                    let entry = entry?;
                    if entry.file_name() != ".git" {
                        pending.push((entry.path(), depth + 1));
                    }
                }
            } else {
                self.file(files, &path)?;
            }
        }
        Ok(())
    }

    /// Notes the content of the regular file that `path` is or leads to, and whether it can be executed.
    pub fn file(&mut self, files: &Files, path: &Path) -> io::Result<()> {
        self.file_at(files, path, path)
    }

    /// The same for a file that is shown at another path of the repository.
    pub fn file_at(&mut self, files: &Files, shown: &Path, path: &Path) -> io::Result<()> {
        self.insert(named(files, shown)?, files, path)
    }

    /// The same for a file that has another name than its path.
    pub fn file_as(&mut self, name: impl std::fmt::Display, files: &Files, path: &Path) -> io::Result<()> {
        self.insert(thing(name), files, path)
    }

    fn insert(&mut self, name: String, files: &Files, path: &Path) -> io::Result<()> {
        let metadata = fs_err::metadata(path)?;
        if !metadata.is_file() {
            return Err(io::Error::other(format!("{} is no regular file", path.display())));
        }
        let (sha256, stamp) = files.digest(path)?;
        self.parts.insert(name.clone(), Sha256::of(format!("{sha256} {:o}", metadata.mode() & 0o111).as_bytes()));
        self.looks.insert(name, stamp);
        Ok(())
    }

    /// Takes all of `other` in.
    pub fn add(&mut self, other: Self) {
        self.parts.extend(other.parts);
        self.looks.extend(other.looks);
    }

    /// The digests, to be kept.
    pub fn parts(&self) -> &BTreeMap<String, Sha256> {
        &self.parts
    }

    /// What differs from the digests of `before`, in words; `None` when nothing does.
    pub fn difference(&self, before: &BTreeMap<String, Sha256>) -> Option<String> {
        let changed = self.parts.iter().filter_map(|(name, digest)| match before.get(name) {
            Some(then) if then == digest => None,
            Some(_) => Some(format!("{name} has changed")),
            None => Some(format!("{name} is new")),
        });
        let gone = before.keys().filter(|name| !self.parts.contains_key(*name)).map(|name| format!("{name} is gone"));
        let mut all = changed.chain(gone);
        let first = all.next()?.replace(THING, "");
        Some(match all.count() {
            0 => first,
            more => format!("{first}, and {more} more"),
        })
    }
}

/// What no path has in it: marks names that are none.
const THING: char = '\0';

fn thing(name: impl std::fmt::Display) -> String {
    format!("{THING}{name}")
}

/// As a person would name it: relative to the repository.
fn named(files: &Files, path: &Path) -> io::Result<String> {
    let name = path.strip_prefix(&files.root).unwrap_or(path).to_str();
    name.map(str::to_owned).ok_or_else(|| io::Error::other(format!("{} has a name that is not UTF-8", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::time::Duration;

    struct Place {
        root: PathBuf,
        cache: Cache,
        _directory: tempfile::TempDir,
    }

    impl Place {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let root = directory.path().canonicalize().unwrap().join("repository");
            let cache = Cache::at(directory.path().join("cache"));
            fs_err::create_dir_all(root.join("sub")).unwrap();
            fs_err::write(root.join("sub/a"), "one").unwrap();
            fs_err::write(root.join("sub/b"), "two").unwrap();
            symlink("a", root.join("sub/link")).unwrap();
            Self { root, cache, _directory: directory }
        }

        fn look(&self) -> Fingerprint {
            let files = Files::of(&self.cache, &self.root, Vec::new());
            let mut fingerprint = Fingerprint::default();
            fingerprint.path(&files, &self.root.join("sub")).unwrap();
            files.keep(&self.cache);
            fingerprint
        }
    }

    #[test]
    fn a_change_of_content_name_mode_or_link_shows_with_its_name() {
        let place = Place::new();
        let sub = |name: &str| place.root.join("sub").join(name);
        let executable = |mode: u32| fs_err::set_permissions(sub("a"), PermissionsExt::from_mode(mode)).unwrap();
        let steps: [(&dyn Fn(), &str); 6] = [
            (&|| fs_err::write(sub("a"), "ONE").unwrap(), "sub/a has changed"),
            (&|| fs_err::rename(sub("b"), sub("c")).unwrap(), "sub/c is new, and 1 more"),
            (&|| executable(0o755), "sub/a has changed"),
            (&|| fs_err::remove_file(sub("c")).unwrap(), "sub/c is gone"),
            (
                &|| fs_err::create_dir(sub("empty")).and_then(|()| fs_err::write(sub("empty/x"), "")).unwrap(),
                "sub/empty/x is new",
            ),
            (
                &|| fs_err::remove_file(sub("link")).and_then(|()| symlink("empty/x", sub("link"))).unwrap(),
                "sub/link (link) has changed",
            ),
        ];
        let mut before = place.look();
        for (change, reason) in steps {
            assert_eq!(place.look().difference(before.parts()), None);
            change();
            let now = place.look();
            assert_eq!(now.difference(before.parts()).as_deref(), Some(reason));
            before = now;
        }
    }

    #[test]
    fn a_file_that_was_not_touched_is_not_read_again_and_one_that_was_just_written_is() {
        let place = Place::new();
        std::thread::sleep(Duration::from_millis(80));
        let first = place.look();
        // A digest that no content has: who sees it has not read the file.
        let kept = Files::of(&place.cache, &place.root, Vec::new()).place;
        let text = fs_err::read_to_string(&kept).unwrap().replace(&Sha256::of(b"one").to_string(), &"0".repeat(64));
        fs_err::write(&kept, text).unwrap();
        assert_ne!(place.look().parts(), first.parts());
        fs_err::write(place.root.join("sub/a"), "one").unwrap();
        assert_eq!(place.look().parts(), first.parts());
    }

    #[test]
    fn a_file_is_not_taken_for_a_thing_of_the_same_name_and_a_link_to_elsewhere_is_followed() {
        let place = Place::new();
        let files = Files::of(&place.cache, &place.root, Vec::new());
        fs_err::write(place.root.join("settings"), "").unwrap();
        let mut fingerprint = Fingerprint::default();
        fingerprint.path(&files, &place.root.join("settings")).unwrap();
        fingerprint.text("settings", "");
        assert_eq!(fingerprint.parts().len(), 2);

        let elsewhere = place.root.parent().unwrap().join("elsewhere");
        fs_err::create_dir(&elsewhere).unwrap();
        fs_err::write(elsewhere.join("file"), "one").unwrap();
        symlink(elsewhere.join("file"), place.root.join("sub/out")).unwrap();
        let before = place.look();
        fs_err::write(elsewhere.join("file"), "two").unwrap();
        assert_eq!(place.look().difference(before.parts()).as_deref(), Some("sub/out has changed"));
        fs_err::remove_file(place.root.join("sub/out")).unwrap();
        symlink(&elsewhere, place.root.join("sub/out")).unwrap();
        assert!(Fingerprint::default().path(&files, &place.root.join("sub")).is_err());
    }

    #[test]
    fn a_file_that_was_touched_and_put_back_is_equal_and_does_not_look_so() {
        let place = Place::new();
        let first = place.look();
        std::thread::sleep(Duration::from_millis(20));
        fs_err::write(place.root.join("sub/a"), "two").unwrap();
        fs_err::write(place.root.join("sub/a"), "one").unwrap();
        let second = place.look();
        assert_eq!(second.difference(first.parts()), None);
        assert_ne!(second, first);
    }
}
