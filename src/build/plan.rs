//! Which jobs have to be done, in which order, and doing them.
//!
//! First all jobs are looked at: what is made from the same as the last time, and whose artefacts are where they were put, is
//! not done again. The others are done longest first, by the time they took the last time, so that no long one is left to
//! run alone at the end.
//!
//! Two floors of threads. Jobs run on threads of their own, as many as there may be; what a job does in parallel inside
//! (unpacking, building, byte-code) runs in rayon's one pool, which has as many. A thread of a job that waits for the pool
//! does nothing else, and whoever works in the pool never waits for what a job holds: so a permit to pack may be held while
//! the pool works, which would be a deadlock if waiting threads took up other jobs. In the pool itself work is stolen, so
//! that a lock of the cache must not be held there across a call of rayon.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rayon::prelude::*;

use super::records::Record;
use super::{Error, Job, Options, Released, Shared, inputs, release};
use crate::ecosystem::{self, Context};
use crate::fingerprint::Fingerprint;
use crate::format::Artefact;
use crate::report::Silent;
use crate::target::Target;
use crate::workspace::{EcosystemKind, Member};

/// A job that was looked at.
pub(super) struct Planned<'a> {
    pub(super) job: Job<'a>,
    pub(super) released: Released,
    /// All that goes in, when it can be told.
    pub(super) fingerprint: Option<Fingerprint>,
    /// What came out the last time.
    record: Option<Record>,
    /// Why it must be done; `None` when it need not.
    pub(super) stale: Option<String>,
}

/// Looks at all jobs, in the order of services and targets.
pub(super) fn plan<'a>(
    context: Context<'_>,
    shared: &Shared<'_>,
    options: &Options<'a>,
    targets: &'a [Target],
) -> Vec<Result<Planned<'a>, Error>> {
    let services: Vec<_> =
        options.services.par_iter().map(|service| plan_service(context, shared, options, service, targets)).collect();
    services.into_iter().flatten().collect()
}

fn plan_service<'a>(
    context: Context<'_>,
    shared: &Shared<'_>,
    options: &Options<'_>,
    service: &'a Member,
    targets: &'a [Target],
) -> Vec<Result<Planned<'a>, Error>> {
    let jobs = targets.iter().map(|target| Job { service, target });
    let released: Vec<_> =
        jobs.map(|job| release(context, &shared.history, &job).map(|released| (job, released))).collect();
    let known: Vec<(&Target, &Released)> =
        released.iter().flatten().map(|(job, released)| (job.target, released)).collect();
    let fingerprints = look(context, shared, service, &known);
    let mut fingerprints = fingerprints.map(|all| all.into_iter().map(Some).collect()).unwrap_or_else(|error| {
        context.reporter.detail(&format!("{}: what it is made from cannot be told: {error}", service.name));
        Vec::new()
    });
    fingerprints.resize(known.len(), None);
    let mut fingerprints = fingerprints.into_iter();
    released
        .into_iter()
        .map(|released| {
            let (job, released) = released?;
            let fingerprint = fingerprints.next().flatten();
            let record = Record::read(context, service.name.as_str(), &job.target.to_string());
            let stale = stale(shared, options, fingerprint.as_ref(), record.as_ref());
            Ok(Planned { job, released, fingerprint, record, stale })
        })
        .collect()
}

/// What `service` is made from for each of `targets`. The user hears of it when it is made.
pub(super) fn look(
    context: Context<'_>,
    shared: &Shared<'_>,
    service: &Member,
    targets: &[(&Target, &Released)],
) -> Result<Vec<Fingerprint>, ecosystem::Error> {
    let context = Context { reporter: &Silent, ..context };
    inputs::of(context, &shared.files, &shared.published, shared.effort, service, targets)
}

/// Why a job must be done.
fn stale(
    shared: &Shared<'_>,
    options: &Options<'_>,
    now: Option<&Fingerprint>,
    record: Option<&Record>,
) -> Option<String> {
    let Some(record) = record else { return Some("it has not been built before".to_owned()) };
    let Some(now) = now else { return Some("what it is made from cannot be told".to_owned()) };
    if let Some(difference) = now.difference(&record.inputs) {
        return Some(difference);
    }
    if options.force {
        return Some("it is wanted again".to_owned());
    }
    if record.claims().is_none() || record.artefacts.is_empty() {
        return Some("the record of it cannot be read".to_owned());
    }
    let is_there = |artefact: &&Artefact| {
        let found = shared.files.digest(&options.out.join(&artefact.file));
        found.is_ok_and(|(sha256, _)| sha256 == artefact.sha256)
    };
    let missing = record.artefacts.iter().find(|artefact| !is_there(artefact));
    missing.map(|artefact| format!("{} is not there as it was built", artefact.file.display()))
}

impl Planned<'_> {
    /// The artefacts of a job that need not be done; what was said of them is said again.
    pub(super) fn take(&self, context: Context<'_>, shared: &Shared<'_>) -> Result<Vec<Artefact>, Error> {
        let Self { job, record: Some(record), .. } = self else { return Ok(Vec::new()) };
        let target = job.target.to_string();
        for (package, paths) in record.claims().unwrap_or_default() {
            shared.claims.add(package, &target, &paths).map_err(|error| job.failed(error.into()))?;
        }
        record.notes.iter().for_each(|note| shared.said.once(context.reporter, note));
        Ok(record.artefacts.clone())
    }

    /// How long it may take: as the last time; else nobody knows, and what has much to build comes first.
    fn length(&self) -> (Option<Reverse<Duration>>, EcosystemKind) {
        (self.record.as_ref().map(|record| Reverse(record.duration())), self.job.service.ecosystem)
    }
}

/// The indices of those of `planned` that are stale, longest first.
pub(super) fn order(planned: &[Result<Planned<'_>, Error>]) -> Vec<usize> {
    let stale = |one: &Result<Planned<'_>, Error>| one.as_ref().is_ok_and(|planned| planned.stale.is_some());
    let mut order: Vec<usize> =
        planned.iter().enumerate().filter(|(_, one)| stale(one)).map(|(index, _)| index).collect();
    let length = |index: usize| {
        let planned = planned.get(index).and_then(|planned| planned.as_ref().ok());
        planned.map(|planned| (planned.length().0, Reverse(planned.length().1)))
    };
    order.sort_by_key(|&index| length(index));
    order
}

/// Calls `work` for those of `planned` that are stale, longest first, on `threads` threads; gives what it gave in the order
/// of `planned`, `None` for the others.
pub(super) fn run<T: Send>(
    planned: &[Result<Planned<'_>, Error>],
    threads: usize,
    work: impl Fn(&Planned<'_>) -> T + Sync,
) -> Vec<Option<T>> {
    let order = order(planned);
    let results: Vec<Mutex<Option<T>>> = planned.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, order.len().max(1)) {
            scope.spawn(|| {
                while let Some(&index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let (Some(Ok(planned)), Some(result)) = (planned.get(index), results.get(index)) {
                        *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(work(planned));
                    }
                }
            });
        }
    });
    results.into_iter().map(|result| result.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}
