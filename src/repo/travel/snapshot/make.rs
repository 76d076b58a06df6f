//! Makes the directory of a snapshot, for the first time or again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{SnapshotId, directory, state, top};
use crate::digest::Sha256;
use crate::repo::apt::release::Release;
use crate::repo::error::RepoError;
use crate::repo::index;
use crate::repo::layout::Repository;
use crate::repo::root::{IndexFile, Root};
use crate::repo::sign::Signer;
use crate::repo::store::Store;
use crate::repo::suite::{Kind, Suite};
use crate::repo::yum;

/// Makes a snapshot: its root is kept first, so that whatever it names is, and its directory gets its name in one step. One
/// that is there is replaced: nothing but the signatures is another then.
pub(in crate::repo) fn make(
    repository: &Repository,
    store: &Store,
    root: &Root,
    id: &SnapshotId,
    signer: &Signer,
    time: i64,
) -> Result<(), RepoError> {
    let failed = || RepoError::io(format!("the snapshot {id} could not be made"));
    let suite = &root.suite;
    let aside = store.temporary_directory().map_err(failed())?;
    let below = aside.path().join(below(suite.kind));
    for file in &root.files {
        let held = held(store, root, id, file)?;
        for name in names(suite, file) {
            link(&held, &below.join(name)).map_err(failed())?;
        }
    }
    for (name, text) in signed(repository, root, signer, time)? {
        fs_err::write(below.join(name), text).map_err(failed())?;
    }
    match suite.kind {
        Kind::Apt => symlink(store, "../../pool", &format!("{}/pool", top(Kind::Apt, id))).map_err(failed())?,
        Kind::Yum => {
            fs_err::os::unix::fs::symlink(packages(suite), aside.path().join("packages")).map_err(failed())?;
        }
    }
    open_to_all(aside.path()).map_err(failed())?;
    let text = serde_json::to_vec(root).map_err(|error| failed()(error.into()))?;
    store.write(&state(suite, id), &text).map_err(failed())?;
    store.sync_all().map_err(failed())?;
    store.barrier().map_err(failed())?;
    put(store, aside, &directory(suite, id)).map_err(failed())
}

/// Where the files that a snapshot's signed index names are below its directory.
pub(in crate::repo) fn below(kind: Kind) -> &'static str {
    match kind {
        Kind::Apt => "",
        Kind::Yum => "repodata",
    }
}

/// The names of an index file there.
pub(in crate::repo) fn names(suite: &Suite, file: &IndexFile) -> Vec<String> {
    let index = suite.index_directory();
    let plain = (suite.kind == Kind::Apt).then(|| file.plain_place(suite));
    let names = std::iter::once(file.place(suite)).chain(plain);
    names.filter_map(|place| Some(place.strip_prefix(&index)?.trim_start_matches('/').to_owned())).collect()
}

/// Where the link to the packages of a yum suite leads.
fn packages(suite: &Suite) -> String {
    format!("../../../{}/packages", suite.name)
}

/// The small files, with new signatures.
fn signed(
    repository: &Repository,
    root: &Root,
    signer: &Signer,
    time: i64,
) -> Result<BTreeMap<&'static str, String>, RepoError> {
    Ok(match root.suite.kind {
        Kind::Apt => {
            let release = Release { configuration: repository.configuration(), root }.text()?;
            let detached = signer.detached(release.as_bytes(), time)?;
            let cleartext = signer.cleartext(&release, time)?;
            BTreeMap::from([("Release.gpg", detached), ("InRelease", cleartext), ("Release", release)])
        }
        Kind::Yum => {
            let repomd = yum::repomd(root);
            let signature = signer.detached_blocks(repomd.as_bytes(), time)?;
            let certificate = signer.certificate().armored()?;
            BTreeMap::from([("repomd.xml.asc", signature), ("repomd.xml.key", certificate), ("repomd.xml", repomd)])
        }
    })
}

/// An index file of the root, wherever it still is; from its shards when it is nowhere.
fn held(store: &Store, root: &Root, id: &SnapshotId, file: &IndexFile) -> Result<PathBuf, RepoError> {
    let suite = &root.suite;
    let own = store.path(&directory(suite, id)).join(below(suite.kind));
    let mut places: Vec<PathBuf> = names(suite, file).into_iter().map(|name| own.join(name)).collect();
    places.push(store.path(&file.place(suite)));
    let (size, digest) = file.packed;
    let is_whole = |place: &PathBuf| {
        let found = fs_err::File::open(place).and_then(|mut file| Sha256::of_reader(&mut file));
        found.is_ok_and(|found| found == (digest, size))
    };
    if let Some(place) = places.into_iter().find(is_whole) {
        return Ok(place);
    }
    let failed = || RepoError::io(format!("{} of the snapshot {id} could not be made again", file.path));
    let copied = index::again(store, root, file)?;
    if (copied.size, copied.sha256) != file.packed {
        let reason = format!("{} cannot be made again from what is left", file.path);
        return Err(RepoError::BadState { path: own, reason });
    }
    copied.file.keep().map_err(|error| failed()(error.error))
}

/// Gives the directory its name; what had it goes.
fn put(store: &Store, aside: tempfile::TempDir, place: &str) -> std::io::Result<()> {
    if store.exchange(&aside, place)? {
        return store.barrier();
    }
    // A file system that cannot exchange directories, or whose snapshot there is none of yet.
    let path = store.path(place);
    let gone = store.temporary_directory()?;
    if path.exists() {
        fs_err::rename(&path, gone.path().join("gone"))?;
    }
    fs_err::rename(aside.path(), &path)?;
    path.parent().into_iter().for_each(|parent| store.soil(parent));
    store.barrier()
}

/// A hard link, or a copy where the file system has none.
fn link(held: &Path, new: &Path) -> std::io::Result<()> {
    if let Some(parent) = new.parent() {
        fs_err::create_dir_all(parent)?;
    }
    match fs_err::hard_link(held, new) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(error),
        Err(_) => fs_err::copy(held, new).map(drop),
    }
}

fn symlink(store: &Store, target: &str, place: &str) -> std::io::Result<()> {
    let path = store.path(place);
    if let Some(parent) = path.parent() {
        store.make_directory(parent)?;
        store.soil(parent);
    }
    if fs_err::symlink_metadata(&path).is_ok() {
        if fs_err::read_link(&path).is_ok_and(|held| held == Path::new(target)) {
            return Ok(());
        }
        fs_err::remove_file(&path)?;
    }
    fs_err::os::unix::fs::symlink(target, path)
}

/// Directories and new files are for all clients, whatever the umask.
fn open_to_all(top: &Path) -> std::io::Result<()> {
    for entry in walkdir::WalkDir::new(top) {
        let entry = entry?;
        let mode = if entry.file_type().is_dir() { 0o755 } else { 0o644 };
        if !entry.file_type().is_symlink() {
            fs_err::set_permissions(entry.path(), std::os::unix::fs::PermissionsExt::from_mode(mode))?;
        }
    }
    Ok(())
}
