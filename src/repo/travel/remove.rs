//! Taking packages out of a suite, or a suite out of a repository.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::super::error::RepoError;
use super::super::layout::Repository;
use super::super::record::{Identity, Record};
use super::super::snippets;
use super::super::suite::{Kind, Suite};
use super::actor::{Actor, thawed};
use super::names::{Wanted, no_package};
use super::{needs, snapshot};

/// What was taken out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// The suite.
    #[serde(flatten)]
    pub suite: Suite,
    /// The generation in place then.
    pub generation: u64,
    /// How many packages it holds then.
    pub packages: u64,
    /// What went.
    pub removed: Vec<String>,
    /// Relations that nothing satisfies any more.
    pub lacking: Vec<String>,
}

/// Takes packages out of a suite: those of a version, or all of a name. Their files stay until nothing names them and `gc`
/// collects them.
pub fn remove(
    repository: &Repository,
    suite: &Suite,
    wanted: &[Wanted],
    architecture: Option<&str>,
    force: bool,
    actor: &Actor<'_>,
) -> Result<Removed, RepoError> {
    actor.alone(repository, |writer| {
        thawed(&writer.repository, suite)?;
        let mut change = writer.change(suite)?;
        let mut doomed: BTreeMap<Identity, Record> = BTreeMap::new();
        for wanted in wanted {
            let held = change.find(&writer.store, &wanted.name)?;
            let is_meant = |record: &&Record| {
                wanted.version.as_ref().is_none_or(|version| record.identity.version == *version)
                    && architecture.is_none_or(|architecture| record.identity.architecture == architecture)
            };
            let meant: Vec<&Record> = held.iter().filter(is_meant).collect();
            if meant.is_empty() {
                let held: BTreeSet<String> = held.iter().map(|record| record.identity.to_string()).collect();
                return Err(no_package(suite, &wanted.to_string(), &held.into_iter().collect::<Vec<_>>()));
            }
            doomed.extend(meant.into_iter().map(|record| (record.identity.clone(), record.clone())));
        }
        let lacks = needs::missed(&writer.store, &change, &doomed.keys().cloned().collect())?;
        let lacking: Vec<String> = lacks.iter().map(ToString::to_string).collect();
        if !lacking.is_empty() && !force {
            return Err(RepoError::refused_change(
                format!("packages that stay in {suite} would not be installable"),
                lacking,
                "remove them as well, or add `--force`".to_owned(),
            ));
        }
        let removed: Vec<String> = doomed.keys().map(Identity::to_string).collect();
        let packages = change.base.count() - doomed.len() as u64;
        doomed.values().for_each(|record| change.remove(record));
        change.note = format!("remove {}", shortened(&removed));
        let root = actor.commit(writer, change)?;
        Ok(Removed { suite: suite.clone(), generation: root.number, packages, removed, lacking })
    })
}

/// A list that is not too long for a note.
pub(super) fn shortened(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Takes a whole suite out of the repository, with its history. Packages in the pool stay until `gc`; those of a yum suite
/// lie below it and go with it.
pub fn remove_suite(
    repository: &Repository,
    suite: &Suite,
    dry_run: bool,
    actor: &Actor<'_>,
) -> Result<Removed, RepoError> {
    let failed = || RepoError::io(format!("{suite} could not be removed"));
    actor.alone(repository, |writer| {
        thawed(&writer.repository, suite)?;
        let change = writer.change(suite)?;
        let kept = snapshot::snapshots(&writer.repository)?;
        let kept: Vec<String> =
            kept.into_iter().filter(|kept| kept.suite == *suite).map(|kept| kept.id.to_string()).collect();
        if suite.kind == Kind::Yum && !kept.is_empty() {
            return Err(RepoError::refused_change(
                format!("snapshots have packages that lie in {suite}"),
                kept,
                "remove them first with `packhouse repo snapshot --remove ID`".to_owned(),
            ));
        }
        let removed = Removed {
            suite: suite.clone(),
            generation: change.base.number,
            packages: 0,
            removed: vec![format!("{} packages", change.base.count())],
            lacking: Vec::new(),
        };
        if dry_run {
            return Ok(removed);
        }
        let store = &writer.store;
        let snippet = snippets::snippet(&writer.repository, &change.base)?.0;
        let configuration = &mut writer.repository.configuration;
        match suite.kind {
            Kind::Apt => configuration.apt.remove(&suite.name),
            Kind::Yum => configuration.yum.remove(&suite.name),
        };
        writer.repository.save(store)?;
        store.barrier().map_err(failed())?;
        // Clients never see half of it: it is moved away whole.
        let away = store.temporary_directory().map_err(failed())?;
        for (number, place) in [suite.directory(), suite.roots()].into_iter().enumerate() {
            let path = store.path(&place);
            if path.exists() {
                fs_err::rename(&path, away.path().join(number.to_string())).map_err(failed())?;
                path.parent().into_iter().for_each(|parent| store.soil(parent));
            }
        }
        store.remove(&snippet).map_err(failed())?;
        store.barrier().map_err(failed())?;
        Ok(removed)
    })
}
