//! What the site is made of so far: `.packhouse/page`, which only the holder of its own lock changes.
//!
//! ```text
//! state.json                the roots that the site shows, and the newest packages
//! lists/<prefix>.json       the nodes of the lists
//! facts/<ab>/<name>.json    what was read from the packages that a page shows
//! lock
//! ```

use std::collections::BTreeMap;

use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};

use super::facts::Facts;
use super::names::stem;
use super::view::Recent;
use crate::digest::Sha256;
use crate::repo::error::RepoError;
use crate::repo::store::{PRIVATE, Store};
use crate::repo::suite::Suite;

/// Raised when pages or what is kept of them change their form: the site is then written anew.
const FORMAT: u32 = 1;

/// What the site shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    format: u32,
    /// The index of each suite.
    pub(super) suites: Vec<(Suite, Sha256)>,
    /// More changed than a publisher waits for: the site stays as it is until somebody asks for it.
    #[serde(default)]
    pub(super) behind: bool,
    /// Newest first; more than are shown, since some may be removed.
    #[serde(default)]
    pub(super) recent: Vec<Recent>,
}

/// The right to change the site.
pub(super) struct PageLock(#[expect(dead_code, reason = "holding it is all")] fs_err::File);

impl State {
    pub(super) fn new(suites: Vec<(Suite, Sha256)>, recent: Vec<Recent>) -> Self {
        Self { format: FORMAT, suites, behind: false, recent }
    }

    /// What is recorded; nothing when there is no site, or one in another form.
    pub(super) fn load(store: &Store) -> Result<Option<Self>, RepoError> {
        match fs_err::read(store.path(&file("state.json"))) {
            Ok(text) => Ok(serde_json::from_slice(&text).ok().filter(|state: &Self| state.format == FORMAT)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed()(error)),
        }
    }

    /// Records it, durably.
    pub(super) fn save(&self, store: &Store) -> Result<(), RepoError> {
        let path = file("state.json");
        let text = serde_json::to_vec(self)
            .map_err(|error| RepoError::BadState { path: store.path(&path), reason: error.to_string() })?;
        store.write(&path, &text).map_err(failed())?;
        store.barrier().map_err(failed())
    }
}

/// Takes the site's lock; when `wait` is false and somebody else has it, gives `None`.
pub(super) fn lock(store: &Store, wait: bool) -> Result<Option<PageLock>, RepoError> {
    let path = store.path(&file("lock"));
    if let Some(directory) = path.parent() {
        store.make_directory(directory).map_err(failed())?;
    }
    let held = fs_err::OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(failed())?;
    let operation = if wait { FlockOperation::LockExclusive } else { FlockOperation::NonBlockingLockExclusive };
    match rustix::io::retry_on_intr(|| rustix::fs::flock(held.file(), operation)) {
        Ok(()) => Ok(Some(PageLock(held))),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(failed()(error.into())),
    }
}

/// What was read from the packages of a name, by the digest of their files. What cannot be read is read again.
pub(super) fn facts(store: &Store, name: &str) -> BTreeMap<Sha256, Facts> {
    let text = fs_err::read(store.path(&facts_file(name))).unwrap_or_default();
    let listed: Vec<(Sha256, Facts)> = serde_json::from_slice(&text).unwrap_or_default();
    listed.into_iter().collect()
}

/// Where they are kept, relative to the repository.
pub(super) fn facts_file(name: &str) -> String {
    let digest: String = Sha256::of(name.as_bytes()).to_string().chars().take(2).collect();
    file(&format!("facts/{digest}/{}.json", stem(name)))
}

/// Where a node of the lists is kept, relative to the repository.
pub(super) fn list_file(address: &str) -> String {
    file(&format!("lists/{}.json", node_stem(address)))
}

/// The file of a node, without its extension; no other stem is that of the root.
pub(super) fn node_stem(address: &str) -> String {
    if address.is_empty() { "=".to_owned() } else { stem(address) }
}

/// A file of the site's own bookkeeping, relative to the repository.
pub(super) fn file(name: &str) -> String {
    format!("{PRIVATE}/page/{name}")
}

pub(super) fn failed() -> impl FnOnce(std::io::Error) -> RepoError {
    RepoError::io("the site could not be written")
}
