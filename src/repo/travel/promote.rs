//! Packages from one suite to another.
//!
//! Everything, when nothing is named: shards that the target lacks, or has only a part of, are taken over as they are, so that
//! what is written does not depend on the number of packages. Nothing can become uninstallable then, for whatever the one
//! suite has the other has afterwards. Of named packages each relation is looked at.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::Serialize;

use super::super::change::Change;
use super::super::error::RepoError;
use super::super::layout::Repository;
use super::super::record::{Entry, Identity, Record};
use super::super::root::{self, Root};
use super::super::shard::{self, ShardReference};
use super::super::store::Store;
use super::super::suite::{Kind, Suite};
use super::actor::{Actor, thawed};
use super::listing::{compare, newest_first};
use super::names::{EMPTY, Wanted, no_package};
use super::needs::{self, Names, World};
use super::remove::shortened;
use super::{apply_retention, links};
use crate::diagnostic::codes;

/// What is to be promoted, and how.
#[derive(Debug, Clone, Copy, Default)]
pub struct PromoteOptions<'a> {
    /// These packages (in their newest version, unless one is said); everything without.
    pub wanted: &'a [Wanted],
    /// The names are those of source packages: all that was built from them.
    pub sources: bool,
    /// A package of the same name and version with another content is replaced.
    pub force: bool,
    /// Packages may lack what they need.
    pub uninstallable: bool,
}

/// What was promoted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Promotion {
    /// From where.
    pub from: Suite,
    /// To where.
    pub to: Suite,
    /// The target's generation then.
    pub generation: u64,
    /// How many packages the target holds then.
    pub packages: u64,
    /// How many are new there.
    pub promoted: u64,
    /// Those, when they were named.
    pub added: Vec<String>,
    /// What was there already, when it was named.
    pub unchanged: Vec<String>,
    /// Relations that nothing satisfies in the target.
    pub lacking: Vec<String>,
    /// What the target's retention took out.
    pub removed: Vec<String>,
}

/// What a promotion is made of.
#[derive(Default)]
struct Plan {
    /// Entries to put.
    entries: Vec<Entry>,
    /// Records of shards that are taken over whole; of a yum suite alone.
    taken: Vec<Record>,
    promoted: u64,
    unchanged: Vec<String>,
    /// Same name and version, other content.
    others: Vec<String>,
}

/// Puts packages of one suite into another one.
pub fn promote(
    repository: &Repository,
    from: &Suite,
    to: &Suite,
    options: &PromoteOptions<'_>,
    actor: &Actor<'_>,
) -> Result<Promotion, RepoError> {
    if from == to {
        let what = format!("{from} cannot be promoted onto itself");
        let hint = "name two suites; `packhouse repo list` lists those there are".to_owned();
        return Err(RepoError::Unknown { what, hint, code: &codes::INVALID_ARGUMENT });
    }
    actor.alone(repository, |writer| {
        thawed(&writer.repository, to)?;
        let mut change = writer.change(to)?;
        let Some(source) = root::current(&writer.store, from)? else {
            let what = format!("{from} has no packages");
            return Err(RepoError::Unknown { what, hint: EMPTY.to_owned(), code: &codes::EMPTY_SUITE });
        };
        let everything = options.wanted.is_empty();
        let plan = match everything {
            true => all(&writer.store, &source, &mut change)?,
            false => named(&writer.store, &source, &change, options)?,
        };
        if !plan.others.is_empty() && !options.force {
            return Err(RepoError::refused_change(
                format!("{to} has the same names and versions with another content"),
                plan.others,
                "give them new versions; `--force` replaces them, but machines that have them keep the old content"
                    .to_owned(),
            ));
        }
        let mut records = plan.taken;
        records.extend(plan.entries.iter().map(|entry| entry.record.clone()));
        let (mut added, mut names) = (Vec::new(), BTreeSet::new());
        for entry in &plan.entries {
            names.insert(entry.record.identity.name.clone());
            if !everything {
                added.push(entry.record.identity.to_string());
                newer(&writer.store, &change, &entry.record, actor)?;
            }
        }
        let new: BTreeSet<Identity> = plan.entries.iter().map(|entry| entry.record.identity.clone()).collect();
        for entry in plan.entries {
            for held in change.find(&writer.store, &entry.record.identity.name)? {
                // It may be in another component.
                if held.identity == entry.record.identity {
                    change.remove(&held);
                }
            }
            change.put(&writer.store, entry)?;
        }
        let lacking = match everything {
            true => Vec::new(),
            false => lacking(&writer.store, &source, &change, &new)?,
        };
        if !lacking.is_empty() && !options.uninstallable {
            return Err(refusal(to, lacking));
        }
        let suite_options = writer.repository.options(to);
        let names = (!everything).then_some(&names);
        let retained = apply_retention(&mut change, &writer.store, &suite_options, names, actor.time, actor.reporter)?;
        if actor.signer.is_some() {
            links::link(&writer.store, from, to, &records)?;
        }
        let what = if everything { "everything".to_owned() } else { shortened(&added) };
        change.note = format!("promote {what} from {}", from.name);
        if !change.is_idle() {
            change.donor = Some(source);
        }
        let packages = change.count(&writer.store)?;
        let root = actor.commit(writer, change)?;
        Ok(Promotion {
            from: from.clone(),
            to: to.clone(),
            generation: root.number,
            packages,
            promoted: plan.promoted,
            added,
            unchanged: plan.unchanged,
            lacking: lacking.iter().map(ToString::to_string).collect(),
            removed: retained.removed.iter().map(Identity::to_string).collect(),
        })
    })
}

/// Everything that the source has and the target has not.
fn all(store: &Store, source: &Root, change: &mut Change) -> Result<Plan, RepoError> {
    let mut plan = Plan::default();
    let mut taken: Vec<ShardReference> = Vec::new();
    for (name, offered) in &source.cells {
        let held = change.base.cells.entry(name.clone()).or_default();
        if held.count() == 0 {
            if offered.count() > 0 {
                *held = offered.clone();
                plan.promoted += offered.count();
                taken.extend(offered.present().cloned());
            }
            continue;
        }
        if held.bits == offered.bits {
            for number in 0..offered.shards.len() {
                if offered.at(number).next().is_none() || held.at(number).eq(offered.at(number)) {
                    continue;
                }
                let (old, new): (Vec<_>, Vec<_>) = (held.at(number).collect(), offered.at(number).collect());
                if merge(store, &old, &new, &mut plan)? {
                    taken.extend(new.into_iter().cloned());
                    held.replace(number, offered);
                }
            }
        } else {
            let (old, new): (Vec<_>, Vec<_>) = (held.present().collect(), offered.present().collect());
            if merge(store, &old, &new, &mut plan)? {
                taken.extend(offered.present().cloned());
                *held = offered.clone();
            }
        }
    }
    if !taken.is_empty() {
        change.renew = true;
    }
    if source.suite.kind == Kind::Yum {
        for reference in &taken {
            plan.taken.extend(shard::records(store, reference)?);
        }
    }
    Ok(plan)
}

/// Whether shards of the target can be replaced by those of the source, which have all that they have. Where they cannot, what
/// is missing in the target is planned to be put.
fn merge(
    store: &Store,
    held: &[&ShardReference],
    offered: &[&ShardReference],
    plan: &mut Plan,
) -> Result<bool, RepoError> {
    let mut old: BTreeMap<Identity, Record> = BTreeMap::new();
    for reference in held {
        old.extend(shard::records(store, reference)?.into_iter().map(|record| (record.identity.clone(), record)));
    }
    let (mut equal, mut new) = (0, 0);
    let mut missing: Vec<(&ShardReference, BTreeSet<Identity>)> = Vec::new();
    let mut others = Vec::new();
    for &reference in offered {
        let mut wanted = BTreeSet::new();
        for record in shard::records(store, reference)? {
            match old.get(&record.identity) {
                Some(old) if *old == record => equal += 1,
                Some(old) if old.content == record.content => {}
                Some(_) => {
                    others.push(record.identity.to_string());
                    wanted.insert(record.identity);
                }
                None => {
                    new += 1;
                    wanted.insert(record.identity);
                }
            }
        }
        missing.push((reference, wanted));
    }
    plan.promoted += new;
    if equal == old.len() && others.is_empty() {
        return Ok(new > 0);
    }
    plan.promoted += others.len() as u64;
    plan.others.append(&mut others);
    for (reference, wanted) in missing.into_iter().filter(|(_, wanted)| !wanted.is_empty()) {
        let entries = shard::entries(store, reference)?.into_iter();
        plan.entries.extend(entries.filter(|entry| wanted.contains(&entry.record.identity)));
    }
    Ok(false)
}

/// The packages that are named.
fn named(store: &Store, source: &Root, change: &Change, options: &PromoteOptions<'_>) -> Result<Plan, RepoError> {
    let kind = source.suite.kind;
    let mut plan = Plan::default();
    let mut seen = BTreeSet::new();
    for wanted in options.wanted {
        let mut entries = match options.sources {
            true => built_from(store, source, wanted)?,
            false => source.find_entries(store, &wanted.name)?,
        };
        if !options.sources {
            let mut versions: Vec<Record> = entries.iter().map(|entry| entry.record.clone()).collect();
            newest_first(kind, &mut versions);
            let newest = |entry: &Entry| {
                let architecture = &entry.record.identity.architecture;
                let newest = versions.iter().find(|record| record.identity.architecture == *architecture);
                newest.is_some_and(|newest| newest.identity == entry.record.identity)
            };
            entries.retain(|entry| match &wanted.version {
                Some(version) => entry.record.identity.version == *version,
                None => newest(entry),
            });
            if entries.is_empty() {
                let held: BTreeSet<String> = versions.into_iter().map(|record| record.identity.version).collect();
                let held: Vec<String> = held.into_iter().map(|version| format!("{} {version}", wanted.name)).collect();
                return Err(no_package(&source.suite, &wanted.to_string(), &held));
            }
        }
        entries.retain(|entry| seen.insert(entry.record.identity.clone()));
        for entry in entries {
            let identity = &entry.record.identity;
            let held = change.find(store, &identity.name)?;
            match held.iter().find(|held| held.identity == *identity) {
                Some(held) if held.content == entry.record.content => plan.unchanged.push(identity.to_string()),
                held => {
                    plan.others.extend(held.map(|held| held.identity.to_string()));
                    plan.promoted += 1;
                    plan.entries.push(entry);
                }
            }
        }
    }
    Ok(plan)
}

/// A source package with all that was built from it, in the version that is wanted or the newest.
fn built_from(store: &Store, source: &Root, wanted: &Wanted) -> Result<Vec<Entry>, RepoError> {
    let kind = source.suite.kind;
    let mut found: BTreeMap<String, BTreeSet<Identity>> = BTreeMap::new();
    for record in source.records(store) {
        let record = record?;
        if record.source == wanted.name {
            found.entry(record.source_version).or_default().insert(record.identity);
        }
    }
    let version = match &wanted.version {
        Some(version) => Some(version.clone()),
        None => found.keys().max_by(|left, right| compare(kind, left, right)).cloned(),
    };
    let Some(identities) = version.and_then(|version| found.get(&version)) else {
        let held: Vec<String> = found.keys().map(|version| format!("{} {version}", wanted.name)).collect();
        return Err(no_package(&source.suite, &format!("built from {wanted}"), &held));
    };
    let names: BTreeSet<&str> = identities.iter().map(|identity| identity.name.as_str()).collect();
    let mut entries = Vec::new();
    for name in names {
        let named = source.find_entries(store, name)?.into_iter();
        entries.extend(named.filter(|entry| identities.contains(&entry.record.identity)));
    }
    Ok(entries)
}

/// Says when a package will not be what machines get.
fn newer(store: &Store, change: &Change, record: &Record, actor: &Actor<'_>) -> Result<(), RepoError> {
    let kind = change.suite().kind;
    let mut held = change.find(store, &record.identity.name)?;
    held.retain(|held| {
        held.identity.architecture == record.identity.architecture
            && compare(kind, &held.identity.version, &record.identity.version).is_gt()
    });
    newest_first(kind, &mut held);
    if let Some(newest) = held.first() {
        let version = &newest.identity.version;
        actor.reporter.note(&format!(
            "{} has {version} as well, which is newer than {}",
            change.suite(),
            record.identity
        ));
    }
    Ok(())
}

/// What packages that are new in the target need, have where they come from, and lack where they go.
fn lacking(
    store: &Store,
    source: &Root,
    change: &Change,
    new: &BTreeSet<Identity>,
) -> Result<Vec<needs::Lack>, RepoError> {
    let kind = source.suite.kind;
    let promoted = needs::in_change(store, change, &|package| new.contains(&package.identity), &Names::of(new))?;
    let wanted: HashSet<String> = promoted.iter().flat_map(|package| package.needed()).map(str::to_owned).collect();
    let pick = |package: &needs::Package| package.offered().any(|name| wanted.contains(name));
    let before = needs::in_root(store, source, &pick, &Names::These(&wanted))?;
    let after = needs::in_change(store, change, &pick, &Names::These(&wanted))?;
    let machines = needs::machines(before.iter().chain(&promoted));
    let (before, after) = (World::of(kind, before), World::of(kind, after));
    Ok(promoted.iter().flat_map(|package| package.lacks(&before, &after, &machines)).collect())
}

fn refusal(to: &Suite, lacking: Vec<needs::Lack>) -> RepoError {
    let names: BTreeSet<&str> =
        lacking.iter().flat_map(|lack| &lack.by).map(|identity| identity.name.as_str()).collect();
    let names = names.into_iter().collect::<Vec<_>>().join(" ");
    RepoError::refused_change(
        format!("packages would not be installable in {to}"),
        lacking.iter().map(ToString::to_string).collect(),
        format!("promote what they need as well ({names}), or add `--allow-uninstallable`"),
    )
}
