//! Snapshots: whether clients can use each as it was made. Nobody changes them, so that each has one root, kept for good.

use super::index::{UNSIGNED, differs, listed, named};
use super::{Checked, Cure, Damage, Report, shards, signature};
use crate::repo::error::RepoError;
use crate::repo::root::Root;
use crate::repo::store::Store;
use crate::repo::suite::Kind;
use crate::repo::travel::snapshot::{self, SnapshotId};

/// Looks at all of them; gives their roots, for their packages to be looked at, with what each is called.
pub(super) fn check(
    store: &Store,
    keys: &signature::Keys,
    report: &mut Report,
) -> Result<Vec<(String, Root)>, RepoError> {
    let kept = match snapshot::kept(store) {
        Err(RepoError::BadState { path, reason }) => {
            let path = path.strip_prefix(store.root()).unwrap_or(&path).to_string_lossy().into_owned();
            let lost = "what the snapshot holds is not known, and would be collected";
            report.damages.push(Damage::new(path, reason, lost, Cure::None));
            return Ok(Vec::new());
        }
        kept => kept?,
    };
    let mut roots = Vec::with_capacity(kept.len());
    for (id, root) in kept {
        let mut files = root.files.len() as u64;
        signed(store, &id, &root, keys, &mut report.damages);
        linked(store, &id, &root, &mut report.damages);
        files += shards::check(store, &root, &mut report.damages)?;
        let checked = Checked {
            suite: root.suite.clone(),
            snapshot: Some(id),
            generation: root.number,
            packages: root.count(),
            files,
        };
        roots.push((checked.owner(), root));
        report.suites.push(checked);
    }
    Ok(roots)
}

/// The signed files, and whether they say what the root does.
fn signed(store: &Store, id: &SnapshotId, root: &Root, keys: &signature::Keys, damages: &mut Vec<Damage>) {
    let cure = Cure::Snapshot(root.suite.clone(), id.clone());
    let top = [&*snapshot::directory(&root.suite, id), snapshot::below(root.suite.kind)].join("/");
    let place = |name: &str| format!("{}/{name}", top.trim_end_matches('/'));
    let mut read = |name: &str| match fs_err::read_to_string(store.path(&place(name))) {
        Ok(text) => Some(text),
        Err(error) => {
            damages.push(Damage::new(place(name), error.to_string(), UNSIGNED, cure.clone()));
            None
        }
    };
    let (index, data) = match root.suite.kind {
        Kind::Apt => ("InRelease", "Release"),
        Kind::Yum => ("repomd.xml", "repomd.xml"),
    };
    let signature = if root.suite.kind == Kind::Apt { "Release.gpg" } else { "repomd.xml.asc" };
    let (Some(text), Some(data), Some(armored)) = (read(index), read(data), read(signature)) else { return };
    if let Err(what) = keys.detached(&armored, data.as_bytes()) {
        damages.push(Damage::new(place(signature), what, UNSIGNED, cure.clone()));
    }
    match root.suite.kind {
        Kind::Apt => match keys.cleartext(&text) {
            Err(what) => damages.push(Damage::new(place(index), what, UNSIGNED, cure)),
            Ok(_) => listed(root, &text, &place(index), &cure, damages),
        },
        Kind::Yum => named(root, &text, &place(index), &cure, damages),
    }
}

/// The index files, and the link that leads to the packages.
fn linked(store: &Store, id: &SnapshotId, root: &Root, damages: &mut Vec<Damage>) {
    let suite = &root.suite;
    let cure = || Cure::Snapshot(suite.clone(), id.clone());
    let top = snapshot::directory(suite, id);
    for file in &root.files {
        let (size, digest) = file.packed;
        for name in snapshot::names(suite, file) {
            let place = [&*top, snapshot::below(suite.kind), &*name].map(|part| part.trim_matches('/'));
            let place = place.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
            if let Some(what) = differs(&store.path(&place), size, digest) {
                damages.push(Damage::new(place, what, format!("clients cannot read {}", file.path), cure()));
            }
        }
    }
    let packages = match suite.kind {
        Kind::Apt => format!("{}/pool", snapshot::top(suite.kind, id)),
        Kind::Yum => format!("{top}/packages"),
    };
    if root.count() > 0 && !store.path(&packages).is_dir() {
        damages.push(Damage::new(packages, "it leads nowhere", "clients find no package", cure()));
    }
}
