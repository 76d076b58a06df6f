//! The signed index of a suite, its root, and the index files that both name.

use std::collections::BTreeSet;
use std::path::Path;

use rayon::prelude::*;

use super::{Cure, Damage, signature};
use crate::digest::Sha256;
use crate::repo::error::RepoError;
use crate::repo::import::{index as packed, release};
use crate::repo::layout::Repository;
use crate::repo::root::{self, IndexFile, Root};
use crate::repo::snippets;
use crate::repo::store::Store;
use crate::repo::suite::{Kind, Suite};

pub(super) const UNSIGNED: &str = "clients refuse the suite";

/// The root of the index that clients see, once its signatures and what it lists have been compared with it.
pub(super) fn root(
    store: &Store,
    suite: &Suite,
    keys: &signature::Keys,
    damages: &mut Vec<Damage>,
) -> Result<Option<Root>, RepoError> {
    let path = suite.index();
    let failed = || RepoError::io("the repository's index could not be read");
    let Some(digest) = root::current_digest(store, suite)? else {
        // Never published, or gone?
        if newest(store, suite)?.is_some() {
            damages.push(Damage::new(path, "it is not there", UNSIGNED, Cure::Reinstate(suite.clone())));
        }
        return Ok(None);
    };
    let root = match root::load(store, suite, digest) {
        Ok(Some(root)) => root,
        Ok(None) => {
            let what = "it is not an index that packhouse made, or its root below .packhouse is gone";
            damages.push(Damage::new(path, what, "the suite cannot be changed", Cure::Reinstate(suite.clone())));
            return Ok(None);
        }
        Err(error) => {
            let file = root::file(suite, digest);
            damages.push(Damage::new(
                file,
                error.to_string(),
                "the suite cannot be changed",
                Cure::Reinstate(suite.clone()),
            ));
            return Ok(None);
        }
    };
    let renew = || Cure::Renew(suite.clone());
    let text = String::from_utf8_lossy(&fs_err::read(store.path(&path)).map_err(failed())?).into_owned();
    match suite.kind {
        Kind::Apt => match keys.cleartext(&text) {
            Err(what) => damages.push(Damage::new(path, what, UNSIGNED, renew())),
            Ok(_) => listed(&root, &text, &path, &renew(), damages),
        },
        Kind::Yum => {
            let signature = format!("{path}.asc");
            match fs_err::read_to_string(store.path(&signature)) {
                Err(error) => damages.push(Damage::new(signature, error.to_string(), UNSIGNED, renew())),
                Ok(armored) => {
                    if let Err(what) = keys.detached(&armored, text.as_bytes()) {
                        damages.push(Damage::new(signature, what, UNSIGNED, renew()));
                    }
                }
            }
            named(&root, &text, &path, &renew(), damages);
        }
    }
    beside(store, &root, keys, damages);
    Ok(Some(root))
}

/// repomd.xml must name the files that the root says.
pub(super) fn named(root: &Root, text: &str, path: &str, cure: &Cure, damages: &mut Vec<Damage>) {
    if let Some(file) = root.files.iter().find(|file| !text.contains(&file.packed.1.to_string())) {
        let what = format!("it does not name the {} metadata", file.path);
        damages.push(Damage::new(path, what, UNSIGNED, cure.clone()));
    }
}

/// What InRelease lists must be what the root says.
pub(super) fn listed(root: &Root, text: &str, path: &str, cure: &Cure, damages: &mut Vec<Damage>) {
    let lost = "clients are told of other files than there are";
    let mut wrong = |what: String| damages.push(Damage::new(path, what, lost, cure.clone()));
    let files = match release::signed(text) {
        Ok(release) => release.files,
        Err(error) => return wrong(error.to_string()),
    };
    for file in &root.files {
        for (name, size, digest) in file.listed() {
            if files.get(&name).is_none_or(|(listed, checksum)| *listed != size || !checksum.is(digest)) {
                wrong(format!("it does not list {name} as its root does"));
            }
        }
    }
}

/// The small files that are made with the index.
fn beside(store: &Store, root: &Root, keys: &signature::Keys, damages: &mut Vec<Damage>) {
    let mut paths: BTreeSet<String> = root.beside.keys().cloned().collect();
    for (path, digest) in &root.beside {
        let found = fs_err::read(store.path(path)).map(|content| Sha256::of(&content));
        let what = match found {
            Ok(found) if found == *digest => continue,
            Ok(_) => "it is not what was published".to_owned(),
            Err(error) => reason(&error),
        };
        let lost = match root.suite.kind {
            Kind::Apt => "clients that do not read InRelease refuse the suite",
            Kind::Yum => UNSIGNED,
        };
        damages.push(Damage::new(path, what, lost, Cure::Renew(root.suite.clone())));
        paths.remove(path);
    }
    let release = format!("{}/Release", root.suite.directory());
    let signature = format!("{release}.gpg");
    if root.suite.kind == Kind::Apt && paths.contains(&release) && paths.contains(&signature) {
        let data = fs_err::read(store.path(&release)).unwrap_or_default();
        let armored = fs_err::read_to_string(store.path(&signature)).unwrap_or_default();
        if let Err(what) = keys.detached(&armored, &data) {
            let lost = "clients that do not read InRelease refuse the suite";
            damages.push(Damage::new(signature, what, lost, Cure::Renew(root.suite.clone())));
        }
    }
}

/// The file that clients need to use the suite.
pub(super) fn snippet(
    repository: &Repository,
    store: &Store,
    root: &Root,
    damages: &mut Vec<Damage>,
) -> Result<(), RepoError> {
    let (name, text) = snippets::snippet(repository, root)?;
    let what = match fs_err::read(store.path(&name)) {
        Ok(held) if held == text.as_bytes() => return Ok(()),
        Ok(_) => "it is not what was published".to_owned(),
        Err(error) => reason(&error),
    };
    let lost = "clients cannot be given the file that they need";
    damages.push(Damage::new(name, what, lost, Cure::Snippet(root.suite.clone())));
    Ok(())
}

/// The index files and their further names. Gives how many there are.
pub(super) fn files(store: &Store, root: &Root, damages: &mut Vec<Damage>) -> Result<u64, RepoError> {
    let judged: Vec<Vec<Damage>> = root.files.par_iter().map(|file| judge(store, root, file)).collect();
    damages.extend(judged.into_iter().flatten());
    Ok(root.files.len() as u64)
}

fn judge(store: &Store, root: &Root, file: &IndexFile) -> Vec<Damage> {
    let mut damages = Vec::new();
    let (size, digest) = file.packed;
    let (addressed, plain) = names(&root.suite, file);
    let lost = || format!("clients cannot read {}", file.path);
    if let Some(what) = differs(&store.path(&addressed), size, digest) {
        damages.push(Damage::new(&addressed, what, lost(), Cure::Index(root.suite.clone(), file.path.clone())));
    } else if let (size, Some(digest)) = file.open
        && packed::open_form(&store.path(&addressed), "gz").and_then(|mut text| Sha256::of_reader(&mut text)).ok()
            != Some((digest, size))
    {
        let what = format!("it does not unpack to the {} that is listed", file.path);
        damages.push(Damage::new(&addressed, what, lost(), Cure::Renew(root.suite.clone())));
    }
    if let Some(plain) = plain
        && let Some(what) = differs(&store.path(&plain), size, digest)
    {
        let lost = "clients that know no by-hash names cannot read it";
        damages.push(Damage::new(plain, what, lost, Cure::Link { from: addressed }));
    }
    damages
}

/// The name that says the content of an index file, and of an apt suite its plain one.
pub(super) fn names(suite: &Suite, file: &IndexFile) -> (String, Option<String>) {
    (file.place(suite), (suite.kind == Kind::Apt).then(|| file.plain_place(suite)))
}

/// What is wrong with a file that must have this size and digest.
pub(super) fn differs(path: &Path, size: u64, digest: Sha256) -> Option<String> {
    let mut file = match fs_err::File::open(path) {
        Ok(file) => file,
        Err(error) => return Some(reason(&error)),
    };
    match Sha256::of_reader(&mut file) {
        Ok((found, length)) if found == digest && length == size => None,
        Ok((_, length)) if length != size => Some(format!("it has {length} bytes instead of {size}")),
        Ok((found, _)) => Some(format!("its SHA-256 is {found}")),
        Err(error) => Some(reason(&error)),
    }
}

fn reason(error: &std::io::Error) -> String {
    if error.kind() == std::io::ErrorKind::NotFound { "it is not there".to_owned() } else { error.to_string() }
}

/// The newest root of a suite that can be read, with the digest of its index, whatever index is in place.
pub(super) fn newest(store: &Store, suite: &Suite) -> Result<Option<(Sha256, Root)>, RepoError> {
    let directory = store.path(&suite.roots());
    if !directory.is_dir() {
        return Ok(None);
    }
    let failed = || RepoError::io("the repository's roots could not be read");
    let mut newest: Option<(Sha256, Root)> = None;
    for entry in fs_err::read_dir(directory).map_err(failed())? {
        let name = entry.map_err(failed())?.file_name();
        let digest = name.to_string_lossy().strip_suffix(".json").and_then(|digest| digest.parse().ok());
        let Some(digest) = digest else { continue };
        let Ok(Some(root)) = root::load(store, suite, digest) else { continue };
        if newest.as_ref().is_none_or(|(_, held)| held.number < root.number) {
            newest = Some((digest, root));
        }
    }
    Ok(newest)
}
