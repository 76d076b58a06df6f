//! What each published index was made of, so that packages already published are never read again.
//!
//! A state is filed under the SHA-256 of the signed index that it belongs to (`InRelease`, `repomd.xml`), and written
//! before it: whichever index is in place, its state is there. The one rename that makes an index current makes its state
//! current too, and a publisher killed at any point leaves at most a state that no index names.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::RepoError;
use super::store::{PRIVATE, Store};
use crate::digest::Sha256;

/// How long files of superseded indices stay for clients that began with an older index: two days.
pub(super) const GRACE: i64 = 48 * 60 * 60;

/// What an apt suite holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AptState {
    /// `Date` of its Release file, seconds since 1970-01-01 UTC.
    pub(super) date: i64,
    /// Sorted by component, name, version, architecture.
    pub(super) packages: Vec<Deb>,
    /// The by-hash files that the index names, and those that an older one named.
    pub(super) files: Files,
}

/// A published .deb.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deb {
    pub(super) component: String,
    pub(super) package: String,
    pub(super) version: String,
    pub(super) architecture: String,
    /// Relative to the directory `apt`.
    pub(super) filename: String,
    pub(super) size: u64,
    pub(super) sha256: Sha256,
    /// The fields of the package's control file that precede `Filename` in the index.
    pub(super) control: String,
    /// `Description` with its continuation lines, which ends the stanza.
    pub(super) description: String,
}

/// What a yum suite holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct YumState {
    /// The revision of its repomd.xml, seconds since 1970-01-01 UTC.
    pub(super) date: i64,
    /// Sorted by name, epoch, version, release, architecture.
    pub(super) packages: Vec<Rpm>,
    /// The metadata files that the index names, and those that an older one named.
    pub(super) files: Files,
}

/// A published .rpm.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rpm {
    pub(super) name: String,
    pub(super) epoch: u32,
    pub(super) version: String,
    pub(super) release: String,
    pub(super) architecture: String,
    /// Relative to the suite's directory.
    pub(super) location: String,
    pub(super) size: u64,
    /// Of the published file.
    pub(super) sha256: Sha256,
    /// Of what no signature changes: header and payload.
    pub(super) immutable: Sha256,
    /// Of the file that was given to `publish`, before packhouse signed it.
    pub(super) original: Sha256,
    /// The package's elements in primary.xml, filelists.xml and other.xml.
    pub(super) primary: String,
    pub(super) filelists: String,
    pub(super) other: String,
}

/// The content-addressed files of an index, by path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Files {
    /// Named by the current index.
    pub(super) current: Vec<String>,
    /// Named by an older one.
    pub(super) retired: Vec<Retired>,
}

/// A file that no current index names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Retired {
    pub(super) path: String,
    /// When it was superseded, seconds since 1970-01-01 UTC.
    pub(super) since: i64,
}

impl Files {
    /// These files as the past of an index that names `current` and is made at `now`: those whose grace has ended are
    /// forgotten.
    pub(super) fn succeeded_by(&self, current: Vec<String>, now: i64) -> Self {
        let superseded = self.current.iter().map(|path| Retired { path: path.clone(), since: now });
        let mut retired: Vec<Retired> = self
            .retired
            .iter()
            .cloned()
            .chain(superseded)
            .filter(|file| !current.contains(&file.path) && now - file.since < GRACE)
            .collect();
        retired.sort_by(|left, right| left.path.cmp(&right.path).then(right.since.cmp(&left.since)));
        retired.dedup_by(|left, right| left.path == right.path);
        Self { current, retired }
    }

    /// Whether the file is still to be kept.
    pub(super) fn keeps(&self, path: &str) -> bool {
        self.current.iter().any(|kept| kept == path) || self.retired.iter().any(|kept| kept.path == path)
    }
}

/// The states of one suite.
#[derive(Debug)]
pub(super) struct States<'a> {
    /// Below `.packhouse/state`: `apt/bookworm`.
    directory: String,
    /// The signed index, relative to the repository.
    index: &'a str,
}

impl<'a> States<'a> {
    pub(super) fn of(kind: &str, suite: &str, index: &'a str) -> Self {
        Self { directory: format!("{PRIVATE}/state/{kind}/{suite}"), index }
    }

    /// The state of the index that is in place; the empty one when there is none.
    pub(super) fn load<T: DeserializeOwned + Default>(&self, store: &Store) -> Result<T, RepoError> {
        let failed = || RepoError::io("the repository's state could not be read");
        let index = store.path(self.index);
        if !index.exists() {
            return Ok(T::default());
        }
        let digest = Sha256::of(&fs_err::read(&index).map_err(failed())?);
        let path = store.path(&self.file(digest));
        if !path.exists() {
            return Err(RepoError::ForeignIndex { path: index });
        }
        let text = fs_err::read(&path).map_err(failed())?;
        serde_json::from_slice(&text).map_err(|error| RepoError::BadState { path, reason: error.to_string() })
    }

    /// Files the state of the index whose content is `index`.
    pub(super) fn save<T: Serialize>(&self, store: &Store, index: &[u8], state: &T) -> Result<(), RepoError> {
        let relative = self.file(Sha256::of(index));
        let text = serde_json::to_vec(state)
            .map_err(|error| RepoError::BadState { path: store.path(&relative), reason: error.to_string() })?;
        store.write(&relative, &text).map_err(RepoError::io("the repository's state could not be written"))
    }

    /// Removes the states of indices other than `index`.
    pub(super) fn sweep(&self, store: &Store, index: &[u8]) -> std::io::Result<()> {
        let keep = self.file(Sha256::of(index));
        for entry in fs_err::read_dir(store.path(&self.directory))? {
            let name = entry?.file_name();
            let relative = format!("{}/{}", self.directory, name.to_string_lossy());
            if relative != keep && relative.ends_with(".json") {
                store.remove(&relative)?;
            }
        }
        Ok(())
    }

    /// A mark that stands while files are being written: where a publisher finds it, the one before it was killed.
    pub(super) fn mark(&self) -> String {
        format!("{}/unfinished", self.directory)
    }

    fn file(&self, digest: Sha256) -> String {
        format!("{}/{digest}.json", self.directory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_superseded_file_is_kept_for_the_grace_period_and_a_file_that_comes_back_is_current_again() {
        let first = Files { current: vec!["a".into(), "b".into()], retired: vec![] };
        let second = first.succeeded_by(vec!["b".into()], 1000);
        assert_eq!(second.retired, [Retired { path: "a".into(), since: 1000 }]);
        assert!(second.keeps("a"));
        let back = second.succeeded_by(vec!["a".into()], 2000);
        assert_eq!(back.retired, [Retired { path: "b".into(), since: 2000 }]);
        let later = second.succeeded_by(vec!["b".into()], 1000 + GRACE);
        assert!(!later.keeps("a"));
    }
}
