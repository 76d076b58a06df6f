//! Publishing: packages of both formats into suites of both halves, in one call.
//!
//! Everything is judged before anything becomes visible: a call with one bad package changes nothing. Then each suite is
//! written on its own, its packages first and its signed index last.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::error::RepoError;
use super::ingest::{self, Ingested, Item};
use super::layout::{self, Repository, check_component, check_suite};
use super::plan::{Plan, plan_deb, plan_rpm, planned};
use super::pool::Pool;
use super::sign::Signer;
use super::state::{AptState, States, YumState};
use super::store::{Copied, Store};
use super::suite::Kind;
use super::{apt, snippets, yum};
use crate::report::{Reporter, Unit};

/// How far a new index may be ahead of the clock before waiting is no answer: seconds.
const PATIENCE: i64 = 10;

/// How to publish.
#[derive(Clone, Copy)]
pub struct PublishOptions<'a> {
    /// Replace a package of the same name, version and architecture that has another content.
    pub force: bool,
    /// Hard-link the files into the repository where the file system can; they must not be changed in place afterwards.
    pub link: bool,
    /// Give every .rpm a signature of the repository's key; else its bytes stay as they are.
    pub sign_rpms: bool,
    /// How many percent of the machines get the packages at first (apt only).
    pub phase: Option<u8>,
    /// Seconds since 1970-01-01 UTC: now.
    pub time: i64,
    /// The repository's key.
    pub signer: &'a Signer,
    /// Who is told.
    pub reporter: &'a dyn Reporter,
}

impl<'a> PublishOptions<'a> {
    /// The usual way: nothing replaced, files copied, packages signed, for everybody.
    pub fn of(signer: &'a Signer, time: i64, reporter: &'a dyn Reporter) -> Self {
        Self { force: false, link: false, sign_rpms: true, phase: None, time, signer, reporter }
    }
}

/// What a call to [`publish`] did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Published {
    /// The suites that were named, in order of kind and name.
    pub suites: Vec<PublishedSuite>,
}

/// What it did to one suite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublishedSuite {
    /// apt or yum.
    pub kind: Kind,
    /// Its name.
    pub suite: String,
    /// How many packages it holds now.
    pub packages: usize,
    /// New: `acme-api 1.0-1 amd64`.
    pub added: Vec<String>,
    /// Replaced by another content, because of `force`.
    pub replaced: Vec<String>,
    /// There already, with the same content.
    pub unchanged: Vec<String>,
    /// The file that clients need, absolute.
    pub snippet: PathBuf,
}

/// Publishes `items` into the repository.
///
/// A package that is there already with the same content is left alone, and a suite to which nothing happens keeps its
/// index byte for byte. The same name, version and architecture with another content is an error unless `force`.
pub fn publish(
    repository: &mut Repository,
    items: &[Item],
    options: &PublishOptions<'_>,
) -> Result<Published, RepoError> {
    for item in items {
        check_suite(&item.suite)?;
        check_component(&item.component)?;
    }
    let started = Instant::now();
    let store = Store::at(repository.root());
    let _lock = store.lock(options.reporter).map_err(RepoError::io("the repository could not be locked"))?;
    // Another publisher may have added suites since it was opened.
    *repository = layout::open(repository.root())?;
    let expected = repository.configuration.fingerprint.clone();
    if expected != options.signer.fingerprint() {
        return Err(RepoError::OtherKey { expected, found: options.signer.fingerprint() });
    }

    // Waiting for another publisher took its time.
    let time = options.time.saturating_add(started.elapsed().as_secs().try_into().unwrap_or(i64::MAX));
    let options = &PublishOptions { time, ..*options };
    let mut debs: BTreeMap<String, Plan<AptState>> = BTreeMap::new();
    let mut rpms: BTreeMap<String, Plan<YumState>> = BTreeMap::new();
    let mut pool = Pool::of(&store);
    let progress = options.reporter.progress("Checking", items.len() as u64, Unit::Items);
    for item in items {
        match ingest::take(&store, item)? {
            Ingested::Deb { copy, info } => {
                let plan = planned(&mut debs, &store, "apt", &item.suite, &apt::index(&item.suite))?;
                plan_deb(plan, &mut pool, item, copy, &info, options)?;
            }
            Ingested::Rpm { copy, info, immutable } => {
                let plan = planned(&mut rpms, &store, "yum", &item.suite, &yum::index(&item.suite))?;
                plan_rpm(plan, &mut pool, item, copy, &info, immutable, options)?;
            }
        }
        progress.advance(1);
    }
    drop(progress);
    unfinished_suites(repository, &store, &mut debs, &mut rpms)?;

    let mut suites = Vec::new();
    for (suite, plan) in debs {
        suites.push(write_apt(repository, &store, &suite, plan, options)?);
    }
    for (suite, plan) in rpms {
        suites.push(write_yum(repository, &store, &suite, plan, options)?);
    }
    Ok(Published { suites })
}

/// Suites that nobody named and whose last publisher was killed are finished too.
fn unfinished_suites(
    repository: &Repository,
    store: &Store,
    debs: &mut BTreeMap<String, Plan<AptState>>,
    rpms: &mut BTreeMap<String, Plan<YumState>>,
) -> Result<(), RepoError> {
    for suite in repository.configuration.apt.keys() {
        let index = apt::index(suite);
        if store.path(&index).exists() && store.path(&States::of("apt", suite, &index).mark()).exists() {
            planned(debs, store, "apt", suite, &index)?;
        }
    }
    for suite in repository.configuration.yum.keys() {
        let index = yum::index(suite);
        if store.path(&index).exists() && store.path(&States::of("yum", suite, &index).mark()).exists() {
            planned(rpms, store, "yum", suite, &index)?;
        }
    }
    Ok(())
}

fn write_apt(
    repository: &mut Repository,
    store: &Store,
    suite: &str,
    plan: Plan<AptState>,
    options: &PublishOptions<'_>,
) -> Result<PublishedSuite, RepoError> {
    let (_, components) = apt::dimensions(&plan.state.packages);
    let (name, text) = snippets::sources(repository, suite, &components)?;
    let index = apt::index(suite);
    let mark = States::of("apt", suite, &index).mark();
    let idle = plan.is_idle();
    let Plan { state, pool, added, replaced, unchanged, .. } = plan;
    let mut packages = state.packages.len();
    if !idle {
        begin(store, &mark, pool, options)?;
        if repository.configuration.apt.insert(suite.to_owned(), Default::default()).is_none() {
            repository.save(store)?;
        }
        let date = date_after(state.date, options.time, suite)?;
        let configuration = repository.configuration.clone();
        let records = state.packages.clone();
        packages = apt::write(store, &configuration, suite, &state, records, options.signer, date)?.packages.len();
    }
    let snippet = end(store, &mark, &name, &text)?;
    let done =
        PublishedSuite { kind: Kind::Apt, suite: suite.to_owned(), packages, added, replaced, unchanged, snippet };
    tell(&done, options);
    Ok(done)
}

fn write_yum(
    repository: &mut Repository,
    store: &Store,
    suite: &str,
    plan: Plan<YumState>,
    options: &PublishOptions<'_>,
) -> Result<PublishedSuite, RepoError> {
    let (name, text) = snippets::repo(repository, suite)?;
    let index = yum::index(suite);
    let mark = States::of("yum", suite, &index).mark();
    let idle = plan.is_idle();
    let Plan { state, pool, added, replaced, unchanged, .. } = plan;
    let mut packages = state.packages.len();
    if !idle {
        begin(store, &mark, pool, options)?;
        if repository.configuration.yum.insert(suite.to_owned(), Default::default()).is_none() {
            repository.save(store)?;
        }
        let date = date_after(state.date, options.time, suite)?;
        let records = state.packages.clone();
        packages = yum::write(store, suite, &state, records, options.signer, date)?.packages.len();
    }
    let snippet = end(store, &mark, &name, &text)?;
    let done =
        PublishedSuite { kind: Kind::Yum, suite: suite.to_owned(), packages, added, replaced, unchanged, snippet };
    tell(&done, options);
    Ok(done)
}

/// Leaves the mark of an unfinished publication, then puts the packages into the pool.
fn begin(
    store: &Store,
    mark: &str,
    pool: Vec<(Copied, String)>,
    options: &PublishOptions<'_>,
) -> Result<(), RepoError> {
    let failed = || RepoError::io("the packages could not be put into the repository");
    store.write(mark, b"").map_err(failed())?;
    store.barrier().map_err(failed())?;
    store.settle(pool.iter().map(|(copy, _)| copy)).map_err(failed())?;
    for (copy, place) in pool {
        options.reporter.detail(&format!("{place} ({} bytes)", copy.size));
        store.place(copy.file, &place).map_err(failed())?;
    }
    store.barrier().map_err(failed())
}

/// Writes the clients' snippet where it differs, and takes the mark away.
fn end(store: &Store, mark: &str, snippet: &str, text: &str) -> Result<PathBuf, RepoError> {
    let failed = || RepoError::io("the publication could not be finished");
    let path = store.path(snippet);
    if !fs_err::read(&path).is_ok_and(|held| held == text.as_bytes()) {
        store.write(snippet, text.as_bytes()).map_err(failed())?;
    }
    store.barrier().map_err(failed())?;
    store.remove(mark).map_err(failed())?;
    Ok(path)
}

/// The date of an index that follows one of `previous`: apt clients ignore an index that is not newer than the one they
/// have, and refuse one from the future.
fn date_after(previous: i64, now: i64, suite: &str) -> Result<i64, RepoError> {
    let next = previous.saturating_add(1);
    let ahead = next.saturating_sub(now);
    if ahead <= 0 {
        return Ok(now);
    }
    if ahead > PATIENCE {
        return Err(RepoError::ClockBehind { seconds: ahead, suite: suite.to_owned() });
    }
    std::thread::sleep(Duration::from_secs(ahead.unsigned_abs()));
    Ok(next)
}

fn tell(done: &PublishedSuite, options: &PublishOptions<'_>) {
    for package in &done.added {
        options.reporter.step("Published", &format!("{package} to {}", done.suite));
    }
    for package in &done.replaced {
        options.reporter.step("Replaced", &format!("{package} in {}", done.suite));
    }
    for package in &done.unchanged {
        options.reporter.step("Unchanged", &format!("{package} in {}", done.suite));
    }
}
