//! What is kept of cargo's work: the programs, where they do not change while packages are written, and what cargo said of
//! the last build, so that it is not asked again while nothing that it would look at has changed. Asking costs a sandbox and
//! a walk over every crate; the answer would be the same.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::cache::Cache;
use crate::digest::{Digests, Sha256};
use crate::stamp::Stamp;
use crate::tree::{Content, Source};

/// What cargo made.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Built {
    /// Bin target and file.
    pub(super) programs: Vec<(String, PathBuf)>,
    /// Name and version of every crate that went into the programs.
    pub(super) crates: BTreeSet<(String, String)>,
    /// Whatever else cargo made for people, below `target/<profile>/`, programs among it.
    pub(super) files: BTreeSet<PathBuf>,
    /// Where build scripts have put their files, below the same.
    pub(super) outs: BTreeSet<PathBuf>,
    /// The files that entries of `files` name: by their paths below the same, where they are.
    pub(super) wanted: BTreeMap<PathBuf, PathBuf>,
    pub(super) isolation: String,
}

/// The last build of a service.
#[derive(Serialize, Deserialize)]
struct Record {
    /// Of all that it was made from.
    key: Sha256,
    built: Built,
    /// The programs as cargo left them.
    stamps: Vec<Stamp>,
}

/// Where a service's record is.
fn place(section: &Path, service: &str) -> PathBuf {
    section.join("built").join(format!("{service}.json"))
}

/// What was made of `key` the last time, if the programs are as they were left. A record that was damaged is none.
pub(super) fn get(section: &Path, service: &str, key: Sha256) -> Option<Built> {
    let text = fs_err::read_to_string(place(section, service)).ok()?;
    let (digest, body) = text.split_once('\n')?;
    let record: Record = serde_json::from_str(body).ok()?;
    let is_whole = digest.parse::<Sha256>().ok()? == Sha256::of(body.as_bytes());
    (is_whole && record.key == key && stamps(&record.built).ok()? == record.stamps).then_some(record.built)
}

/// Keeps what was made of `key`. Where it cannot be kept, cargo is asked again.
pub(super) fn put(cache: &Cache, section: &Path, service: &str, key: Sha256, built: &Built) -> io::Result<()> {
    let record = Record { key, built: built.clone(), stamps: stamps(built)? };
    let body = serde_json::to_string(&record)?;
    let file = cache.temporary_file()?;
    fs_err::write(file.path(), format!("{}\n{body}", Sha256::of(body.as_bytes())))?;
    fs_err::create_dir_all(section.join("built"))?;
    file.persist(place(section, service)).map(drop).map_err(|error| error.error)
}

fn stamps(built: &Built) -> io::Result<Vec<Stamp>> {
    let files = built.programs.iter().map(|(_, program)| program).chain(built.wanted.values());
    files.map(|file| Ok(Stamp::of(&fs_err::metadata(file)?))).collect()
}

/// Puts a program where it does not change while packages are written.
pub(super) fn keep(cache: &Cache, data: &[u8]) -> io::Result<Content> {
    let digests = Digests::of(data);
    let name = digests.sha256.to_string();
    let place = cache.section("cargo-programs").join(name.get(..2).unwrap_or_default()).join(&name);
    // A disk that filled up may have left less.
    if fs_err::read(&place).is_ok_and(|kept| kept == data) {
        cache.used(&place);
    } else {
        let file = cache.temporary_file()?;
        fs_err::write(file.path(), data)?;
        if let Some(parent) = place.parent() {
            cache.directory(parent)?;
        }
        if place.is_dir() {
            fs_err::remove_dir_all(&place)?;
        }
        file.persist(&place).map_err(|error| error.error)?;
        cache.added(digests.size);
    }
    Ok(Content { source: Source::Path(place), digests })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn a_build_is_only_believed_for_what_it_was_made_from_and_while_its_programs_are_untouched() {
        let section = tempfile::tempdir().unwrap();
        let cache = Cache::at(section.path().join("cache"));
        let program = section.path().join("edge");
        fs_err::write(&program, "a program").unwrap();
        let built = Built {
            programs: vec![("edge".to_owned(), program.clone())],
            crates: BTreeSet::from([("itoa".to_owned(), "1.0.18".to_owned())]),
            isolation: "namespaces".to_owned(),
            ..Built::default()
        };
        let (key, other) = (Sha256::of(b"sources"), Sha256::of(b"other sources"));
        assert_eq!(get(section.path(), "acme-edge", key), None);
        put(&cache, section.path(), "acme-edge", key, &built).unwrap();
        assert_eq!(get(section.path(), "acme-edge", key), Some(built.clone()));
        assert_eq!(get(section.path(), "acme-edge", other), None);
        assert_eq!(get(section.path(), "acme-ctl", key), None);

        let record = place(section.path(), "acme-edge");
        let text = fs_err::read_to_string(&record).unwrap();
        fs_err::write(&record, text.replace("1.0.18", "1.0.19")).unwrap();
        assert_eq!(get(section.path(), "acme-edge", key), None);
        fs_err::write(&record, text).unwrap();
        fs_err::write(&program, "another one, longer").unwrap();
        assert_eq!(get(section.path(), "acme-edge", key), None);
        fs_err::remove_file(&program).unwrap();
        assert_eq!(get(section.path(), "acme-edge", key), None);
    }
}
