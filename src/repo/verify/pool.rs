//! The packages: every file that a current root or a snapshot names, by size and SHA-256, on all cores.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::index::differs;
use super::{Cure, Damage, Report};
use crate::digest::Sha256;
use crate::repo::error::RepoError;
use crate::repo::root::Root;
use crate::repo::store::Store;
use crate::report::{Reporter, Unit};

/// A file that must be there.
struct Wanted {
    size: u64,
    sha256: Sha256,
    /// The first package and suite that need it.
    by: String,
}

/// Reads every file once, however many suites and snapshots name it. Shards that cannot be read have been told of already.
pub(super) fn check(
    store: &Store,
    roots: &[(String, Root)],
    report: &mut Report,
    reporter: &dyn Reporter,
) -> Result<(), RepoError> {
    let mut wanted: BTreeMap<String, Wanted> = BTreeMap::new();
    for (owner, root) in roots {
        let (suite, mut files) = (&root.suite, 0);
        for record in root.records(store).flatten() {
            let by = format!("{} in the {owner}", record.identity);
            let further =
                record.further.iter().map(|file| (format!("{}/{}", suite.base(), file.place), file.size, file.sha256));
            for (path, size, sha256) in std::iter::once((record.path(suite), record.size, record.sha256)).chain(further)
            {
                files += 1;
                if wanted.get(&path).is_some_and(|held| held.sha256 != sha256) {
                    let what = format!("two packages want it with different contents, one is {by}");
                    report.damages.push(Damage::new(&path, what, "one of them cannot be installed", Cure::None));
                }
                wanted.entry(path).or_insert_with(|| Wanted { size, sha256, by: by.clone() });
            }
        }
        if let Some(checked) = report.suites.iter_mut().find(|checked| checked.owner() == *owner) {
            checked.files += files;
        }
    }
    let progress = reporter.progress("Verifying", wanted.len() as u64, Unit::Items);
    let judged: Vec<(&String, Option<String>)> = wanted
        .par_iter()
        .map(|(path, wanted)| {
            let what = differs(&store.path(path), wanted.size, wanted.sha256);
            progress.advance(1);
            (path, what)
        })
        .collect();
    let good: BTreeMap<Sha256, &String> = judged
        .iter()
        .filter(|(_, what)| what.is_none())
        .filter_map(|(path, _)| Some((wanted.get(*path)?.sha256, *path)))
        .collect();
    for (path, what) in &judged {
        let (Some(what), Some(wanted)) = (what, wanted.get(*path)) else { continue };
        let cure = good.get(&wanted.sha256).map_or(Cure::None, |from| Cure::Link { from: (*from).clone() });
        let lost = format!("nobody can install {}", wanted.by);
        report.damages.push(Damage::new(*path, what, lost, cure));
    }
    Ok(())
}
