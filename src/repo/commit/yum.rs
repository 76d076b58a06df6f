//! The last steps of a commit to a yum suite.
//!
//! `repomd.xml` and its signature are two files, and a client that gets one new and one old refuses both. So the whole
//! `repodata` directory is made aside (older metadata are hard links in it) and exchanged with the current one in a single
//! step, renameat2(2) with RENAME_EXCHANGE. Where the file system has no such step, the signature goes just before
//! `repomd.xml`, which is last. zypper fetches `repomd.xml.key` beside the signature.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::{Dressed, Next, Switch};
use crate::digest::Sha256;
use crate::repo::error::RepoError;
use crate::repo::index::Content;
use crate::repo::sign::Signer;
use crate::repo::store::{self, Store};
use crate::repo::sweep::GRACE;
use crate::repo::yum;

/// Signs the new generation and prepares its directory.
pub(super) fn dress(store: &Store, next: &mut Next, signer: &Signer) -> Result<Dressed, RepoError> {
    let suite = next.root.suite.clone();
    let failed = || RepoError::io(format!("the metadata of {} could not be written", suite.name));
    let root = &mut next.root;
    let repomd = yum::repomd(root);
    let signature = signer.detached_blocks(repomd.as_bytes(), root.date)?;
    let certificate = signer.certificate().armored()?;
    let directory = store.temporary_directory().map_err(failed())?;
    let (path, place) = (directory.path().to_path_buf(), root.suite.index_directory());
    let mut staged = Vec::new();
    for (name, content) in [("repomd.xml.key", &certificate), ("repomd.xml.asc", &signature), ("repomd.xml", &repomd)] {
        let file = store.prepared(content.as_bytes()).map_err(failed())?;
        store::touch(&file, root.stamp).map_err(failed())?;
        if name != "repomd.xml" {
            root.beside.insert(format!("{place}/{name}"), Sha256::of(content.as_bytes()));
        }
        staged.push((file, path.join(name)));
    }
    let index = Sha256::of(repomd.as_bytes());
    Ok(Dressed { index, staged: Vec::new(), switch: Switch::Directory { directory, staged, place } })
}

/// Fills the new directory: the new metadata files, and those that clients may still ask for.
pub(super) fn place(
    store: &Store,
    next: &mut Next,
    new: &Path,
    staged: Vec<(tempfile::TempPath, std::path::PathBuf)>,
    time: i64,
) -> Result<(), RepoError> {
    let suite = &next.root.suite;
    let failed = || RepoError::io(format!("the metadata of {} could not be written", suite.name));
    let name_of = |place: &str| place.rsplit('/').next().unwrap_or_default().to_owned();
    let current = store.path(&suite.index_directory());
    let mut wanted: BTreeMap<String, Content> = BTreeMap::new();
    for built in next.built.drain(..) {
        wanted.insert(name_of(&built.file.place(suite)), built.content);
    }
    for (name, content) in wanted {
        match content {
            Content::New(written) => {
                let file = written.settled().map_err(failed())?;
                file.persist(new.join(name)).map_err(|error| failed()(error.error))?;
            }
            Content::At(held) => link(&store.path(&held), &new.join(name)).map_err(failed())?,
        }
    }
    if current.is_dir() {
        for entry in fs_err::read_dir(&current).map_err(failed())? {
            let entry = entry.map_err(failed())?;
            let name = entry.file_name();
            let kept = entry.metadata().map_err(failed())?.mtime() > time - GRACE;
            if kept && !name.to_string_lossy().starts_with("repomd.xml") && !new.join(&name).exists() {
                link(&entry.path(), &new.join(&name)).map_err(failed())?;
            }
        }
    }
    for (file, path) in staged {
        file.persist(path).map_err(|error| failed()(error.error))?;
    }
    store.soil(new);
    Ok(())
}

/// Makes the new directory current.
pub(super) fn switch(store: &Store, directory: &tempfile::TempDir, place: &str) -> io::Result<()> {
    if store.exchange(directory, place)? {
        return Ok(());
    }
    one_by_one(store, directory.path(), place)
}

/// The same without the single step: metadata, the key, the signature, and last `repomd.xml`. What the new directory has not
/// is removed.
fn one_by_one(store: &Store, new: &Path, place: &str) -> io::Result<()> {
    let mut names = Vec::new();
    for entry in fs_err::read_dir(new)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    let order = |name: &String| ["repomd.xml.key", "repomd.xml.asc", "repomd.xml"].iter().position(|last| last == name);
    names.sort_by_key(|name| (order(name), name.clone()));
    for name in &names {
        if name == "repomd.xml.asc" {
            store.barrier()?;
        }
        store.place(tempfile::TempPath::try_from_path(new.join(name))?, &format!("{place}/{name}"))?;
    }
    store.barrier()?;
    for entry in fs_err::read_dir(store.path(place))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !names.contains(&name) {
            store.remove(&format!("{place}/{name}"))?;
        }
    }
    Ok(())
}

/// A hard link, or a copy where the file system has none.
fn link(held: &Path, new: &Path) -> io::Result<()> {
    if fs_err::hard_link(held, new).is_ok() {
        return Ok(());
    }
    fs_err::copy(held, new)?;
    fs_err::File::open(new)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_exchange_of_directories_files_are_moved_one_by_one_and_others_go() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::at(directory.path());
        let _lock = store.lock(&crate::report::Silent).expect("the lock");
        for name in ["kept.xml.gz", "forgotten.xml.gz", "repomd.xml"] {
            store.write(&format!("yum/el9/repodata/{name}"), b"old").expect("written");
        }
        let new = store.temporary_directory().expect("a directory");
        for name in ["new.xml.gz", "kept.xml.gz", "repomd.xml.asc", "repomd.xml"] {
            fs_err::write(new.path().join(name), name).expect("written");
        }
        one_by_one(&store, new.path(), "yum/el9/repodata").expect("moved");
        let repodata = directory.path().join("yum/el9/repodata");
        let mut names: Vec<String> = fs_err::read_dir(&repodata)
            .expect("a directory")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        assert_eq!(names, ["kept.xml.gz", "new.xml.gz", "repomd.xml", "repomd.xml.asc"]);
        assert_eq!(fs_err::read_to_string(repodata.join("repomd.xml")).expect("read"), "repomd.xml");
    }
}
