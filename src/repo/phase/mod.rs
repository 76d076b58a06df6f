//! Phased updates: an apt suite gives a new version to some machines first.
//!
//! A phase belongs to a version of a *source* package, and all its binary packages have the same: apt draws per source
//! and version, and a machine must not get half of what was built together. It stands in the index alone, so that
//! raising it makes no new package; a [`schedule`] raises it with time, whenever `repo refresh` runs. dnf and zypper know
//! no such thing: for them a suite is a ring, and packages are promoted from one to the next.

mod draw;
pub mod schedule;
mod stanza;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::cell::Stream;
use super::change::Change;
use super::commit::Committer;
use super::error::RepoError;
use super::layout::Repository;
use super::options::{Schedule, SuiteOptions};
use super::page;
use super::record::Record;
use super::root::{self, Root};
use super::sign::Signer;
use super::store::Store;
use super::suite::{Kind, Suite};
use super::writer::Writer;
use crate::package::version::compare_debian;
use crate::report::Reporter;

pub use draw::{admits, draw};
pub use stanza::with_phase;

/// A version of a source package that not everybody gets yet, or that has a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Phased {
    /// The apt suite.
    pub suite: String,
    /// The source package.
    pub source: String,
    /// Its version.
    pub version: String,
    /// How many percent of the machines get it; none: all.
    pub percentage: Option<u8>,
    /// Its binary packages.
    pub packages: BTreeSet<String>,
    /// How it is rolled out: `1h:5,1d:100`.
    pub schedule: Option<String>,
}

/// What is to happen to a package's phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// This percentage from now on; a schedule ends with it.
    Percentage(u8),
    /// This schedule, from now on and for every version that is published from now on.
    Schedule(Vec<(u64, u8)>),
    /// No schedule any more; the percentage stays.
    Unscheduled,
}

/// Which package is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chosen<'a> {
    /// The name of a binary or source package.
    pub name: &'a str,
    /// Of the source package; without, the newest there is.
    pub version: Option<&'a str>,
}

/// With what a phase is changed.
#[derive(Clone, Copy)]
pub struct PhaseOptions<'a> {
    /// The suite; without, every apt suite that has the package.
    pub suite: Option<&'a str>,
    /// Seconds since 1970-01-01 UTC: now.
    pub time: i64,
    /// Who is told.
    pub reporter: &'a dyn Reporter,
}

/// A source package's version.
type Version = (String, String);

/// Gives a package another phase, or a schedule. Tells how things are afterwards.
///
/// Without a `signer` nothing is changed, and it only tells how things would be.
pub fn set(
    repository: &Repository,
    chosen: Chosen<'_>,
    wanted: &Wanted,
    signer: Option<&Signer>,
    options: &PhaseOptions<'_>,
) -> Result<Vec<Phased>, RepoError> {
    let mut writer = Writer::new(Store::at(repository.root()), options.reporter)?;
    let suites = apt_suites(&writer.repository, options.suite)?;
    let mut changes = Vec::new();
    let mut phased = Vec::new();
    let mut settings = false;
    for suite in suites {
        let mut change = writer.change(&suite)?;
        let Some(version) = find(&change.base, &writer.store, chosen)? else { continue };
        let mut held = writer.repository.options(&suite);
        let before = held.clone();
        match wanted {
            Wanted::Percentage(_) | Wanted::Unscheduled => drop(held.schedules.remove(&version.0)),
            Wanted::Schedule(steps) => {
                let schedule = Schedule { start: options.time, steps: steps.clone() };
                held.schedules.insert(version.0.clone(), schedule);
            }
        }
        let percentage = match wanted {
            Wanted::Percentage(percentage) => Some(Some(*percentage)),
            Wanted::Schedule(steps) => {
                let schedule = Schedule { start: options.time, steps: steps.clone() };
                Some(schedule::percentage(&schedule, options.time, options.time))
            }
            Wanted::Unscheduled => None,
        };
        let now = put(&mut change, &writer.store, &held, &version, percentage)?;
        if held != before {
            writer.repository.set_options(&suite, held);
            settings = true;
        }
        phased.push(now);
        changes.push(change);
    }
    if phased.is_empty() {
        return Err(unknown(&writer.repository, chosen, options.suite));
    }
    let Some(signer) = signer else { return Ok(phased) };
    if settings {
        writer.repository.save(&writer.store)?;
        writer.store.barrier().map_err(RepoError::io("the repository could not be written"))?;
    }
    changes.retain(|change| !change.is_idle());
    if !changes.is_empty() {
        let by = Committer { signer, time: options.time, reporter: options.reporter };
        writer.commit(changes, &by)?;
        drop(writer);
        page::refresh(repository, options.reporter);
    }
    Ok(phased)
}

/// Takes the steps of schedules that are due; `repo refresh` does it too. Tells them.
pub fn advance_all(
    repository: &Repository,
    signer: &Signer,
    options: &PhaseOptions<'_>,
) -> Result<Vec<String>, RepoError> {
    let mut writer = Writer::new(Store::at(repository.root()), options.reporter)?;
    let mut changes = Vec::new();
    let mut notes = Vec::new();
    for suite in apt_suites(&writer.repository, options.suite)? {
        let mut change = writer.change(&suite)?;
        let settings = writer.repository.options(&suite);
        let due = advance(&mut change, &writer.store, &settings, options.time)?;
        if !due.is_empty() {
            notes.extend(due.into_iter().map(|note| format!("{}: {note}", suite.name)));
            changes.push(change);
        }
    }
    if !changes.is_empty() {
        let by = Committer { signer, time: options.time, reporter: options.reporter };
        writer.commit(changes, &by)?;
        drop(writer);
        page::refresh(repository, options.reporter);
    }
    Ok(notes)
}

/// Brings the phases of a suite to where its schedules are at `now`; `repo refresh` does it. Tells what changed.
pub(super) fn advance(
    change: &mut Change,
    store: &Store,
    options: &SuiteOptions,
    now: i64,
) -> Result<Vec<String>, RepoError> {
    let mut notes = Vec::new();
    if change.suite().kind != Kind::Apt || options.schedules.is_empty() {
        return Ok(notes);
    }
    // Of each version of a scheduled source: when it was published last, and its phase.
    let mut versions: BTreeMap<Version, (i64, Option<u8>)> = BTreeMap::new();
    for record in change.base.records(store) {
        let record = record?;
        if is_binary(&record) && options.schedules.contains_key(&record.source) {
            let (published, phase) = versions.entry((record.source, record.source_version)).or_insert((i64::MIN, None));
            *published = record.published.max(*published);
            *phase = phase.or(effective(record.phase));
        }
    }
    for (version, (published, phase)) in &versions {
        let Some(schedule) = options.schedules.get(&version.0) else { continue };
        let newer = |other: &Version| other.0 == version.0 && compare_debian(&other.1, &version.1).is_gt();
        // Not all that was built from an older version need be built from the newest.
        if phase.is_none() && versions.keys().any(newer) {
            continue;
        }
        let percentage = schedule::percentage(schedule, *published, now);
        if *phase != percentage {
            put(change, store, options, version, Some(Some(percentage.unwrap_or(100))))?;
            notes.push(format!("phase {} {} {}", version.0, version.1, percentage.unwrap_or(100)));
        }
    }
    Ok(notes)
}

/// The phase that a package is published with: the one asked for, else where its source's schedule begins.
pub(super) fn at_publication(
    schedules: &BTreeMap<String, Schedule>,
    source: &str,
    asked: Option<u8>,
    now: i64,
) -> Option<u8> {
    let scheduled = || schedules.get(source).and_then(|schedule| schedule::percentage(schedule, now, now));
    effective(asked.or_else(scheduled))
}

/// Everything that not everybody gets, or that has a schedule; of `chosen` alone when it is given.
pub fn list(
    repository: &Repository,
    suite: Option<&str>,
    chosen: Option<Chosen<'_>>,
) -> Result<Vec<Phased>, RepoError> {
    let store = Store::at(repository.root());
    let mut listed = Vec::new();
    for suite in apt_suites(repository, suite)? {
        let options = repository.options(&suite);
        let Some(root) = root::current(&store, &suite)? else { continue };
        let only = match chosen {
            None => None,
            Some(chosen) => match find(&root, &store, chosen)? {
                None => continue,
                found => found,
            },
        };
        let mut found: BTreeMap<Version, Phased> = BTreeMap::new();
        for record in root.records(&store) {
            let record = record?;
            let version = (record.source.clone(), record.source_version.clone());
            let wanted = match &only {
                Some(only) => *only == version,
                None => effective(record.phase).is_some(),
            };
            if wanted && is_binary(&record) {
                let phased = found.entry(version).or_insert_with(|| entry(&suite, &record, &options));
                phased.packages.insert(record.identity.name);
            }
        }
        listed.extend(found.into_values());
    }
    match chosen {
        Some(chosen) if listed.is_empty() => Err(unknown(repository, chosen, suite)),
        _ => Ok(listed),
    }
}

fn entry(suite: &Suite, record: &Record, options: &SuiteOptions) -> Phased {
    Phased {
        suite: suite.name.clone(),
        source: record.source.clone(),
        version: record.source_version.clone(),
        percentage: effective(record.phase),
        packages: BTreeSet::new(),
        schedule: options.schedules.get(&record.source).map(|schedule| schedule::text(&schedule.steps)),
    }
}

/// Gives all binary packages of a version this phase; with none given they keep theirs.
fn put(
    change: &mut Change,
    store: &Store,
    options: &SuiteOptions,
    version: &Version,
    percentage: Option<Option<u8>>,
) -> Result<Phased, RepoError> {
    let suite = change.suite().clone();
    let mut phased: Option<Phased> = None;
    let mut names = BTreeSet::new();
    for record in change.base.records(store) {
        let record = record?;
        if !is_binary(&record) || record.source != version.0 || record.source_version != version.1 {
            continue;
        }
        phased.get_or_insert_with(|| entry(&suite, &record, options)).packages.insert(record.identity.name.clone());
        if percentage.is_some_and(|percentage| effective(percentage) != effective(record.phase)) {
            names.insert(record.identity.name);
        }
    }
    let mut phased =
        phased.ok_or_else(|| absent(Chosen { name: &version.0, version: Some(&version.1) }, Some(&suite.name)))?;
    let Some(percentage) = percentage.map(effective) else { return Ok(phased) };
    phased.percentage = percentage;
    if !names.is_empty() {
        let note = format!("phase {} {} {}", version.0, version.1, percentage.unwrap_or(100));
        change.note = if change.note.is_empty() { note } else { format!("{}; {note}", change.note) };
    }
    for name in names {
        for mut entry in change.base.find_entries(store, &name)? {
            let record = &mut entry.record;
            let position = record.cell(suite.kind).position(Stream::Packages);
            if record.source != version.0 || record.source_version != version.1 {
                continue;
            }
            let Some(text) = position.and_then(|position| entry.texts.get_mut(position)) else { continue };
            record.phase = percentage;
            let stanza = std::str::from_utf8(text).map_err(|_| RepoError::BadState {
                path: store.path(&suite.index()),
                reason: format!("the entry of {} is not UTF-8", record.identity),
            })?;
            *text = with_phase(stanza, percentage).into_bytes();
            change.put(store, entry)?;
        }
    }
    Ok(phased)
}

/// The source package and version that is meant, when the suite has it.
fn find(root: &Root, store: &Store, chosen: Chosen<'_>) -> Result<Option<Version>, RepoError> {
    // A binary package's name is found in one shard. A source package has no place of its own, so all are looked at.
    let named = root.find(store, chosen.name)?.into_iter().find(is_binary).map(|record| record.source);
    let source = named.unwrap_or_else(|| chosen.name.to_owned());
    let mut newest: Option<Version> = None;
    for record in root.records(store) {
        let record = record?;
        let meant = chosen.version.is_none_or(|version| record.source_version == version);
        if record.source != source || !meant || !is_binary(&record) {
            continue;
        }
        if newest.as_ref().is_none_or(|(_, held)| compare_debian(&record.source_version, held).is_gt()) {
            newest = Some((record.source, record.source_version));
        }
    }
    Ok(newest)
}

/// Whether it stands in `Packages`.
fn is_binary(record: &Record) -> bool {
    record.cell(Kind::Apt).position(Stream::Packages).is_some()
}

/// A hundred percent is no phase.
fn effective(phase: Option<u8>) -> Option<u8> {
    phase.filter(|percentage| *percentage < 100)
}

fn apt_suites(repository: &Repository, suite: Option<&str>) -> Result<Vec<Suite>, RepoError> {
    let all = repository.suites();
    let Some(name) = suite else { return Ok(all.into_iter().filter(|suite| suite.kind == Kind::Apt).collect()) };
    let named: Vec<Suite> = all.into_iter().filter(|suite| suite.name == name).collect();
    match named.iter().find(|suite| suite.kind == Kind::Apt) {
        Some(suite) => Ok(vec![suite.clone()]),
        None if named.is_empty() => {
            let found = super::travel::suites(repository, name)?;
            Ok(found.into_iter().filter(|suite| suite.kind == Kind::Apt).collect())
        }
        None => Err(RepoError::InvalidWord {
            text: name.to_owned(),
            what: "a suite with phases",
            rule: "dnf and zypper know no phased updates; make suites into rings, and promote from one to the next",
        }),
    }
}

/// A package that no suite has, with the name that was probably meant.
fn unknown(repository: &Repository, chosen: Chosen<'_>, suite: Option<&str>) -> RepoError {
    let meant = |suite: &Suite| match super::travel::package(repository, suite, chosen.name) {
        Err(error @ RepoError::Unknown { .. }) => Some(error),
        _ => None,
    };
    let meant = apt_suites(repository, suite).ok().and_then(|suites| suites.iter().find_map(meant));
    meant.unwrap_or_else(|| absent(chosen, suite))
}

fn absent(chosen: Chosen<'_>, suite: Option<&str>) -> RepoError {
    let version = chosen.version.map(|version| format!(" {version}")).unwrap_or_default();
    let place = suite.map_or_else(|| "any apt suite".to_owned(), |suite| format!("the apt suite {suite}"));
    RepoError::NoSuchPackage { package: format!("{}{version}", chosen.name), place }
}
