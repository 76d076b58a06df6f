//! What is going to happen to each suite: decided before anything is written.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::error::RepoError;
use super::ingest::{self, Item};
use super::pool::{Place, Pool};
use super::publish::PublishOptions;
use super::state::{AptState, Rpm, States, YumState};
use super::store::{Copied, Store};
use super::yum;
use crate::digest::Sha256;
use crate::format::deb::DebInfo;
use crate::format::rpm::RpmInfo;

/// What is going to happen to one suite.
#[derive(Default)]
pub(super) struct Plan<State> {
    pub(super) state: State,
    /// Where each package stands in `state`, by its identity.
    places: HashMap<String, usize>,
    pub(super) pool: Vec<(Copied, String)>,
    given: HashMap<String, (Sha256, PathBuf)>,
    pub(super) added: Vec<String>,
    pub(super) replaced: Vec<String>,
    pub(super) unchanged: Vec<String>,
    /// The index must be written again although nothing is new: a publisher was killed.
    unfinished: bool,
}

impl<State> Plan<State> {
    /// Whether the suite's index stays as it is.
    pub(super) fn is_idle(&self) -> bool {
        self.added.is_empty() && self.replaced.is_empty() && !self.unfinished
    }

    /// Remembers which file brought a package; a second one must have the same content. Says whether this is the first.
    fn first(&mut self, identity: &str, content: Sha256, path: &Path) -> Result<bool, RepoError> {
        match self.given.get(identity) {
            None => {
                self.given.insert(identity.to_owned(), (content, path.to_path_buf()));
                Ok(true)
            }
            Some((held, _)) if *held == content => Ok(false),
            Some((_, first)) => Err(RepoError::GivenTwice {
                identity: identity.to_owned(),
                first: first.clone(),
                second: path.to_path_buf(),
            }),
        }
    }
}

/// A suite's state, as far as both halves are alike.
pub(super) trait Suite: Default + serde::de::DeserializeOwned {
    /// What tells packages apart: name, version, architecture.
    fn identities(&self) -> impl Iterator<Item = String>;
}

impl Suite for AptState {
    fn identities(&self) -> impl Iterator<Item = String> {
        self.packages.iter().map(|deb| format!("{} {} {}", deb.package, deb.version, deb.architecture))
    }
}

impl Suite for YumState {
    fn identities(&self) -> impl Iterator<Item = String> {
        let identity = |rpm: &Rpm| rpm_identity(&rpm.name, rpm.epoch, &rpm.version, &rpm.release, &rpm.architecture);
        self.packages.iter().map(identity)
    }
}

/// An epoch of 0 and none at all are the same to rpm.
fn rpm_identity(name: &str, epoch: u32, version: &str, release: &str, architecture: &str) -> String {
    let epoch = if epoch == 0 { String::new() } else { format!("{epoch}:") };
    format!("{name} {epoch}{version}-{release} {architecture}")
}

/// The plan of a suite, with its state when it is asked for the first time.
pub(super) fn planned<'a, State: Suite>(
    plans: &'a mut BTreeMap<String, Plan<State>>,
    store: &Store,
    kind: &str,
    suite: &str,
    index: &str,
) -> Result<&'a mut Plan<State>, RepoError> {
    match plans.entry(suite.to_owned()) {
        Entry::Occupied(entry) => Ok(entry.into_mut()),
        Entry::Vacant(entry) => {
            let states = States::of(kind, suite, index);
            let state: State = states.load(store)?;
            let places = state.identities().enumerate().map(|(at, identity)| (identity, at)).collect();
            let unfinished = store.path(&states.mark()).exists();
            Ok(entry.insert(Plan { state, places, unfinished, ..Plan::default() }))
        }
    }
}

/// Plans for one .deb.
pub(super) fn plan_deb(
    plan: &mut Plan<AptState>,
    pool: &mut Pool<'_>,
    item: &Item,
    copy: Copied,
    info: &DebInfo,
    options: &PublishOptions<'_>,
) -> Result<(), RepoError> {
    let (package, version, architecture) = (info.package(), info.version(), info.architecture());
    let identity = format!("{package} {version} {architecture}");
    if !plan.first(&identity, copy.sha256, &item.path)? {
        return Ok(());
    }
    let held = plan.places.get(&identity).copied();
    if let Some(deb) = held.and_then(|at| plan.state.packages.get(at)) {
        if deb.sha256 == copy.sha256 {
            plan.unchanged.push(identity);
            return Ok(());
        }
        if !options.force {
            let (path, suite) = (item.path.clone(), item.suite.clone());
            return Err(RepoError::OtherContent { path, identity, suite });
        }
    }
    let mut record = ingest::deb_record(info, &item.component, &copy, false);
    let mut place = format!("apt/{}", record.filename);
    let mut there = pool.deb(&place, copy.sha256)?;
    if there == Place::Other {
        record = ingest::deb_record(info, &item.component, &copy, true);
        place = format!("apt/{}", record.filename);
        there = pool.deb(&place, copy.sha256)?;
    }
    if there == Place::Free {
        pool.claim(&place, copy.sha256);
        plan.pool.push((copy, place));
    }
    match held.and_then(|at| plan.state.packages.get_mut(at)) {
        Some(place) => {
            *place = record;
            plan.replaced.push(identity);
        }
        None => {
            plan.state.packages.push(record);
            plan.added.push(identity);
        }
    }
    Ok(())
}

/// Plans for one .rpm.
pub(super) fn plan_rpm(
    plan: &mut Plan<YumState>,
    pool: &mut Pool<'_>,
    item: &Item,
    copy: Copied,
    info: &RpmInfo,
    immutable: Sha256,
    options: &PublishOptions<'_>,
) -> Result<(), RepoError> {
    let epoch = info.epoch.unwrap_or(0);
    let identity = rpm_identity(&info.name, epoch, &info.version, &info.release, &info.architecture);
    if !plan.first(&identity, immutable, &item.path)? {
        return Ok(());
    }
    let held = plan.places.get(&identity).copied();
    if let Some(rpm) = held.and_then(|at| plan.state.packages.get(at)) {
        if rpm.immutable == immutable {
            plan.unchanged.push(identity);
            return Ok(());
        }
        if !options.force {
            let (path, suite) = (item.path.clone(), item.suite.clone());
            return Err(RepoError::OtherContent { path, identity, suite });
        }
    }
    let original = copy.sha256;
    let place = |tag| {
        let location = yum::location(&info.name, &info.version, &info.release, &info.architecture, tag);
        format!("yum/{}/{location}", item.suite)
    };
    let (mut at, mut tag) = (place(None), None);
    let mut there = pool.rpm(&at, immutable)?;
    if there == Place::Other {
        tag = Some(immutable);
        at = place(tag);
        there = pool.rpm(&at, immutable)?;
    }
    let copy = if there == Place::Same {
        // Signed already, by a publication that was not finished or that has been replaced since: the bytes stay.
        let failed = || RepoError::io("a published package could not be read");
        let mut file = fs_err::File::open(pool.store.path(&at)).map_err(failed())?;
        pool.store.copy_in(&mut file).map_err(failed())?
    } else {
        copy
    };
    let (copy, record) = ingest::rpm_record(pool.store, copy, original, immutable, tag, options.signer, options.time)?;
    pool.claim(&at, immutable);
    plan.pool.push((copy, at));
    match held.and_then(|at| plan.state.packages.get_mut(at)) {
        Some(place) => {
            *place = record;
            plan.replaced.push(identity);
        }
        None => {
            plan.state.packages.push(record);
            plan.added.push(identity);
        }
    }
    Ok(())
}
