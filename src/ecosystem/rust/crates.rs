//! Judges a directory of vendored crates against `Cargo.lock`: each crate's `.cargo-checksum.json` (cargo's
//! `sources/directory.rs`) has the registry's checksum under `package` and a SHA-256 for each file under `files`.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Deserialize;
use walkdir::WalkDir;

use super::lockfile::{Lock, LockedPackage};
use crate::digest::Sha256;

/// The file that cargo puts into each vendored crate.
pub(super) const CHECKSUM_FILE: &str = ".cargo-checksum.json";

#[derive(Debug, Deserialize)]
struct Checksums {
    files: BTreeMap<String, Sha256>,
    package: Option<String>,
}

/// How a vendor directory differs from the lock.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    /// Crates that are missing or not as locked: directory and reason.
    pub(super) wrong: Vec<(String, String)>,
    /// Vendored crates that the lock does not name.
    pub(super) surplus: Vec<String>,
    /// What is no vendored crate.
    pub(super) foreign: Vec<String>,
}

impl Difference {
    /// Compares `directory` with `lock`, every byte of it.
    pub(super) fn between(directory: &Path, lock: &Lock) -> io::Result<Self> {
        let external = lock.external();
        let mut difference = Self::default();
        let wrong: Vec<_> = external
            .par_iter()
            .map(|(name, package)| Ok(judge(&directory.join(name), package)?.map(|why| (name.clone(), why))))
            .collect::<io::Result<Vec<_>>>()?;
        difference.wrong = wrong.into_iter().flatten().collect();
        for name in names(directory)? {
            if external.contains_key(&name) || name.starts_with(".git") {
                continue;
            }
            let is_crate = directory.join(&name).join(CHECKSUM_FILE).is_file();
            if is_crate { &mut difference.surplus } else { &mut difference.foreign }.push(name);
        }
        Ok(difference)
    }

    pub(super) fn is_none(&self) -> bool {
        self.wrong.is_empty() && self.surplus.is_empty()
    }
}

/// The names in a directory, sorted; none when it does not exist.
fn names(directory: &Path) -> io::Result<BTreeSet<String>> {
    let entries = match fs_err::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(error),
    };
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// Why the crate in `directory` is not the locked one; `None` when it is.
fn judge(directory: &Path, package: &LockedPackage) -> io::Result<Option<String>> {
    let missing = |error: &io::Error| matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    match fs_err::symlink_metadata(directory) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Ok(Some("it is no directory".to_owned())),
        Err(error) if missing(&error) => return Ok(Some("it is missing".to_owned())),
        Err(error) => return Err(error),
    }
    let text = match fs_err::read(directory.join(CHECKSUM_FILE)) {
        Ok(text) => text,
        Err(error) if missing(&error) => return Ok(Some(format!("it has no {CHECKSUM_FILE}"))),
        Err(error) => return Err(error),
    };
    let checksums: Checksums = match serde_json::from_slice(&text) {
        Ok(checksums) => checksums,
        Err(error) => return Ok(Some(format!("its {CHECKSUM_FILE} cannot be read: {error}"))),
    };
    if !package.is_git() && (package.checksum.is_none() || checksums.package != package.checksum) {
        let (locked, there) = (package.checksum.as_deref().unwrap_or("none"), checksums.package.as_deref());
        return Ok(Some(format!("its checksum is {}, the lock's {locked}", there.unwrap_or("missing"))));
    }
    let mut unseen: BTreeSet<&str> = checksums.files.keys().map(String::as_str).collect();
    for entry in WalkDir::new(directory).min_depth(1).sort_by_file_name() {
        let entry = entry.map_err(io::Error::from)?;
        if entry.file_type().is_dir() {
            continue;
        }
        let path = entry.path().strip_prefix(directory).unwrap_or(entry.path());
        let Some(name) = path.to_str().filter(|_| entry.file_type().is_file()) else {
            return Ok(Some(format!("{} is no regular file with a plain name", path.display())));
        };
        if name == CHECKSUM_FILE {
            continue;
        }
        let Some(expected) = checksums.files.get(name) else {
            return Ok(Some(format!("{name} does not belong to it")));
        };
        let (found, _) = Sha256::of_reader(&mut fs_err::File::open(entry.path())?)?;
        if found != *expected {
            return Ok(Some(format!("the SHA-256 of {name} is {found}, not {expected}")));
        }
        unseen.remove(name);
    }
    Ok(unseen.first().map(|name| format!("{name} is missing")))
}

/// A digest of names, sizes and times of everything in `directory` that `keep` takes, without reading contents. What lies
/// directly in it is looked at on all cores.
pub(super) fn listing(directory: &Path, keep: impl Fn(&Path) -> bool + Sync) -> io::Result<Sha256> {
    let mut paths = match fs_err::read_dir(directory) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    paths.sort();
    let texts = paths.par_iter().map(|path| list(path, &keep)).collect::<io::Result<Vec<_>>>()?;
    Ok(Sha256::of(&texts.concat()))
}

fn list(directory: &Path, keep: &impl Fn(&Path) -> bool) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let walk = WalkDir::new(directory).follow_root_links(false).sort_by_file_name().into_iter();
    for entry in walk.filter_entry(|entry| keep(entry.path())) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) if error.io_error().is_some_and(|error| error.kind() == io::ErrorKind::NotFound) => continue,
            Err(error) => return Err(error.into()),
        };
        let metadata = entry.metadata().map_err(io::Error::from)?;
        if metadata.is_dir() {
            continue;
        }
        text.extend_from_slice(entry.path().as_os_str().as_encoded_bytes());
        text.push(0);
        for number in [
            i64::try_from(metadata.size()).unwrap_or(i64::MAX),
            metadata.mtime(),
            metadata.mtime_nsec(),
            metadata.ctime(),
            metadata.ctime_nsec(),
            i64::from(metadata.mode()),
        ] {
            text.extend_from_slice(&number.to_be_bytes());
        }
    }
    Ok(text)
}

/// Remembers that a vendor directory has been judged, until it or the lock changes.
#[derive(Debug)]
pub(super) struct Stamp {
    path: PathBuf,
    content: String,
}

impl Stamp {
    /// For `directory` as it is now.
    pub(super) fn of(cache: &crate::cache::Cache, directory: &Path, lock: &Lock) -> io::Result<Self> {
        let name = Sha256::of(directory.as_os_str().as_encoded_bytes()).to_string();
        let listing = listing(directory, |path| path.file_name().is_none_or(|name| name != ".git"))?;
        Ok(Self { path: cache.section("cargo-vendor").join(name), content: format!("{}\n{listing}\n", lock.digest) })
    }

    pub(super) fn is_there(&self) -> bool {
        fs_err::read_to_string(&self.path).is_ok_and(|content| content == self.content)
    }

    pub(super) fn write(&self, cache: &crate::cache::Cache) -> io::Result<()> {
        let file = cache.temporary_file()?;
        fs_err::write(file.path(), &self.content)?;
        if let Some(parent) = self.path.parent() {
            fs_err::create_dir_all(parent)?;
        }
        file.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}
