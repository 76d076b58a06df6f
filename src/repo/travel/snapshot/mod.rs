//! Copies of suites that stay as they are until they are removed.
//!
//! `apt/snapshot/<ID>/dists/<suite>` has an index of its own, signed anew because it must not have a Valid-Until, and
//! `apt/snapshot/<ID>/pool` is a link to the pool: so `<URL>/apt/snapshot/<ID>` is a whole archive, and apt 2.7 and later
//! go there (`apt update --snapshot ID`), because the suite's Release says in `Snapshots` where they are. Of a yum
//! suite it is `yum/snapshot/<ID>/<suite>`. Index files are hard links.

mod make;

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::super::error::RepoError;
use super::super::layout::Repository;
use super::super::root::{self, Root};
use super::super::sign::Signer;
use super::super::store::{PRIVATE, Store};
use super::super::suite::{Kind, Suite};
use super::actor::Actor;
use super::names::EMPTY;
use crate::diagnostic::codes;
pub(in crate::repo) use make::{below, make, names};

/// The name of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SnapshotId(String);

impl SnapshotId {
    /// The usual one: the time as snapshot services have it, `20261121T160000Z`.
    pub fn of_time(seconds: i64) -> Result<Self, RepoError> {
        let time = jiff::Timestamp::from_second(seconds)
            .map_err(|error| RepoError::OpenPgp(format!("{seconds} is no time: {error}")))?;
        Ok(Self(time.strftime("%Y%m%dT%H%M%SZ").to_string()))
    }
}

impl FromStr for SnapshotId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // apt takes these for answers to a question.
        const ANSWERS: [&str; 10] = ["yes", "no", "true", "false", "with", "without", "on", "off", "enable", "disable"];
        let good = (1..=64).contains(&text.len())
            && text.starts_with(|first: char| first.is_ascii_alphanumeric())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if !good {
            return Err("1 to 64 letters, digits, `.`, `_` and `-`, first a letter or a digit".to_owned());
        }
        if ANSWERS.contains(&text.to_ascii_lowercase().as_str()) {
            return Err(format!("apt would take `{text}` for an answer to whether snapshots are wanted"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for SnapshotId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<SnapshotId> for String {
    fn from(id: SnapshotId) -> Self {
        id.0
    }
}

impl fmt::Display for SnapshotId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A snapshot of one suite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// Its name; snapshots of several suites may share one.
    pub id: SnapshotId,
    /// The suite.
    #[serde(flatten)]
    pub suite: Suite,
    /// The generation that it is of.
    pub generation: u64,
    /// The date of that, seconds since 1970-01-01 UTC.
    pub date: i64,
    /// How many packages it has.
    pub packages: u64,
    /// Where it is, relative to the repository: of apt the archive's root, of yum the suite's.
    pub path: String,
}

/// The directory of a half's snapshots of one name.
pub(in crate::repo) fn top(kind: Kind, id: &SnapshotId) -> String {
    format!("{}/snapshot/{id}", kind.name())
}

/// The directory of a suite's snapshot.
pub(in crate::repo) fn directory(suite: &Suite, id: &SnapshotId) -> String {
    match suite.kind {
        Kind::Apt => format!("{}/dists/{}", top(suite.kind, id), suite.name),
        Kind::Yum => format!("{}/{}", top(suite.kind, id), suite.name),
    }
}

/// Where the root of a snapshot is kept.
fn state(suite: &Suite, id: &SnapshotId) -> String {
    format!("{PRIVATE}/snapshots/{}/{id}/{}.json", suite.kind.name(), suite.name)
}

fn described(id: &SnapshotId, root: &Root) -> Snapshot {
    let path = match root.suite.kind {
        Kind::Apt => top(Kind::Apt, id),
        Kind::Yum => directory(&root.suite, id),
    };
    Snapshot {
        id: id.clone(),
        suite: root.suite.clone(),
        generation: root.number,
        date: root.date,
        packages: root.count(),
        path,
    }
}

/// Makes a snapshot of suites as they are now.
pub fn snapshot(
    repository: &Repository,
    suites: &[Suite],
    id: &SnapshotId,
    actor: &Actor<'_>,
) -> Result<Vec<Snapshot>, RepoError> {
    actor.alone(repository, |writer| {
        let store = &writer.store;
        let mut frozen = Vec::new();
        for suite in suites {
            let root = root::current(store, suite)?.ok_or_else(|| RepoError::Unknown {
                what: format!("{suite} has no packages"),
                hint: EMPTY.to_owned(),
                code: &codes::EMPTY_SUITE,
            })?;
            if store.path(&directory(suite, id)).exists() {
                return Err(RepoError::refused_change(
                    format!("there is a snapshot {id} of {suite}"),
                    Vec::new(),
                    "choose another name, or remove it with `packhouse repo snapshot --remove`".to_owned(),
                ));
            }
            // Nobody renews a snapshot: it must not expire.
            frozen.push(Root { valid_until: None, ..root });
        }
        if let Some(signer) = actor.signer {
            let signer = &signer.clone().of(writer.repository.configuration())?;
            for root in &frozen {
                make(&writer.repository, store, root, id, signer, actor.time)?;
            }
        }
        Ok(frozen.iter().map(|root| described(id, root)).collect())
    })
}

/// Signs all snapshots anew, with the keys that the repository has from now on.
///
/// Packages of a yum suite stay as they are: their digests stand in what the snapshot keeps.
pub(in crate::repo) fn resign(
    repository: &Repository,
    store: &Store,
    signer: &Signer,
    time: i64,
) -> Result<(), RepoError> {
    kept(store)?.iter().try_for_each(|(id, root)| make(repository, store, root, id, signer, time))
}

/// All snapshots, by name.
pub fn snapshots(repository: &Repository) -> Result<Vec<Snapshot>, RepoError> {
    let store = Store::at(repository.root());
    Ok(kept(&store)?.iter().map(|(id, root)| described(id, root)).collect())
}

/// What snapshots hold: it stays.
pub(super) fn roots(store: &Store) -> Result<Vec<Root>, RepoError> {
    Ok(kept(store)?.into_iter().map(|(_, root)| root).collect())
}

/// The snapshots with their roots, by name.
pub(in crate::repo) fn kept(store: &Store) -> Result<Vec<(SnapshotId, Root)>, RepoError> {
    let failed = || RepoError::io("the snapshots could not be read");
    let top = store.path(&format!("{PRIVATE}/snapshots"));
    let mut kept = Vec::new();
    if !top.is_dir() {
        return Ok(kept);
    }
    for entry in walkdir::WalkDir::new(&top).sort_by_file_name() {
        let entry = entry.map_err(std::io::Error::from).map_err(failed())?;
        let path = entry.path();
        if !entry.file_type().is_file() || path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let bad = |reason: String| RepoError::BadState { path: path.to_path_buf(), reason };
        let name = path.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default();
        let id: SnapshotId = name.parse().map_err(bad)?;
        let text = fs_err::read(path).map_err(failed())?;
        kept.push((id, serde_json::from_slice(&text).map_err(|error| bad(error.to_string()))?));
    }
    kept.sort_by(|(left, _), (right, _)| left.cmp(right));
    Ok(kept)
}

/// Removes a snapshot, of one suite or of all.
pub fn remove_snapshot(
    repository: &Repository,
    id: &SnapshotId,
    suite: Option<&Suite>,
    dry_run: bool,
    actor: &Actor<'_>,
) -> Result<Vec<Snapshot>, RepoError> {
    let failed = || RepoError::io(format!("the snapshot {id} could not be removed"));
    actor.alone(repository, |writer| {
        let store = &writer.store;
        let all = kept(store)?;
        let meant = |(kept, root): &&(SnapshotId, Root)| kept == id && suite.is_none_or(|suite| root.suite == *suite);
        let removed: Vec<&Root> = all.iter().filter(meant).map(|(_, root)| root).collect();
        if removed.is_empty() {
            let near = crate::config::closest(&id.0, all.iter().map(|(id, _)| id.0.as_str()));
            let hint = match near {
                Some(near) if near != id.0 => format!("did you mean `{near}`?"),
                _ => "`packhouse repo snapshot --list` lists those there are".to_owned(),
            };
            let code = &codes::UNKNOWN_SNAPSHOT;
            return Err(RepoError::Unknown { what: format!("there is no snapshot {id}"), hint, code });
        }
        let described = removed.iter().map(|root| described(id, root)).collect();
        if dry_run {
            return Ok(described);
        }
        for root in removed {
            let away = store.temporary_directory().map_err(failed())?;
            let place = store.path(&directory(&root.suite, id));
            if place.exists() {
                fs_err::rename(&place, away.path().join("gone")).map_err(failed())?;
            }
            store.remove(&state(&root.suite, id)).map_err(failed())?;
            if root.suite.kind == Kind::Apt && is_empty(&store.path(&format!("{}/dists", top(Kind::Apt, id)))) {
                store.remove(&format!("{}/pool", top(Kind::Apt, id))).map_err(failed())?;
            }
            for kind in [Kind::Apt, Kind::Yum] {
                let emptied = [
                    format!("{}/dists", top(kind, id)),
                    top(kind, id),
                    format!("{}/snapshot", kind.name()),
                    format!("{PRIVATE}/snapshots/{}/{id}", kind.name()),
                ];
                for directory in emptied.map(|directory| store.path(&directory)) {
                    if is_empty(&directory) {
                        fs_err::remove_dir(&directory).map_err(failed())?;
                    }
                }
            }
        }
        store.sync_all().map_err(failed())?;
        Ok(described)
    })
}

fn is_empty(directory: &Path) -> bool {
    fs_err::read_dir(directory).is_ok_and(|mut entries| entries.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::SnapshotId;

    #[test]
    fn a_snapshot_is_named_by_its_time_or_a_word_that_apt_takes_for_none() {
        assert_eq!(SnapshotId::of_time(1_795_276_800).expect("a time").to_string(), "20261121T160000Z");
        for good in ["20261121T160000Z", "2026.4", "before-the_move"] {
            assert!(good.parse::<SnapshotId>().is_ok(), "{good}");
        }
        for bad in ["", "no", "Enable", "a/b", "..", ".a", "a b", "ä", &"a".repeat(65)] {
            assert!(bad.parse::<SnapshotId>().is_err(), "{bad}");
        }
    }
}
