//! Publishing: packages of both formats into suites of both halves, in one call.
//!
//! Packages are copied, hashed, read and signed before the lock is taken, several at a time. With the lock, everything is
//! judged before anything becomes visible: a call with one bad package changes nothing.

mod held;
mod judge;
mod prepare;

use std::path::PathBuf;
use std::time::Instant;

use serde::Serialize;

use super::commit::Committer;
use super::error::RepoError;
use super::ingest::Item;
use super::layout::{self, Repository, check_component, check_suite};
use super::page;
use super::sign::Signer;
use super::snippets;
use super::spool::Spool;
use super::store::Store;
use super::suite::Kind;
use super::travel;
use super::writer::Writer;
use crate::report::Reporter;

/// So many packages are told one by one.
const TOLD: usize = 100;

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
/// index byte for byte. The same name, version and architecture with another content is an error unless `force`, whichever
/// suite has it.
pub fn publish(
    repository: &mut Repository,
    items: &[Item],
    options: &PublishOptions<'_>,
) -> Result<Published, RepoError> {
    let (published, known) = publish_indices(repository, items, options)?;
    page::refresh_with(repository, &known, options.reporter);
    Ok(published)
}

/// All but the site, under the lock; with what was read for the site.
fn publish_indices(
    repository: &mut Repository,
    items: &[Item],
    options: &PublishOptions<'_>,
) -> Result<(Published, page::Known), RepoError> {
    for item in items {
        check_suite(&item.suite)?;
        check_component(&item.component)?;
    }
    let started = Instant::now();
    let store = Store::at(repository.root());
    let opened = layout::open(repository.root())?;
    let signer = &options.signer.clone().of(opened.configuration())?;
    let options = &PublishOptions { signer, ..*options };
    let spool = Spool::new(&store)?;
    let mut prepared = prepare::all(&store, &spool, items, &opened, options)?;
    let pages =
        prepared.iter_mut().flatten().filter_map(|prepared| Some((prepared.record.sha256, *prepared.page.take()?)));
    let known: page::Known = pages.collect();

    let mut writer = Writer::new(store, options.reporter)?;
    writer.check(signer)?;
    // Preparing and waiting for another publisher took their time.
    let time = options.time.saturating_add(started.elapsed().as_secs().try_into().unwrap_or(i64::MAX));
    let options = &PublishOptions { time, ..*options };
    let judged = judge::all(&writer, &spool, items, prepared, options)?;
    let (mut changes, mut suites): (Vec<_>, Vec<_>) = judged.into_iter().unzip();
    for change in &mut changes {
        let kept = writer.repository.options(change.suite());
        if kept.keep_versions.is_none() && kept.keep_days.is_none() {
            continue;
        }
        let names = change.put_records().map(|record| record.identity.name.clone()).collect();
        travel::apply_retention(change, &writer.store, &kept, Some(&names), time, options.reporter)?;
    }
    let committer = Committer { signer: options.signer, time, reporter: options.reporter };
    let roots = writer.commit(changes, &committer)?;
    for (suite, root) in suites.iter_mut().zip(&roots) {
        suite.packages = usize::try_from(root.count()).unwrap_or(usize::MAX);
        let (name, _) = snippets::snippet(&writer.repository, root)?;
        suite.snippet = writer.store.path(&name);
    }
    *repository = writer.repository;
    suites.iter().for_each(|suite| tell(suite, options));
    Ok((Published { suites }, known))
}

fn tell(done: &PublishedSuite, options: &PublishOptions<'_>) {
    for (verb, into, packages) in
        [("Published", "to", &done.added), ("Replaced", "in", &done.replaced), ("Unchanged", "in", &done.unchanged)]
    {
        let step = |what: &str| options.reporter.step(verb, &format!("{what} {into} {}", done.suite));
        match packages.len() {
            0..=TOLD => packages.iter().for_each(|package| step(package)),
            count => step(&format!("{count} packages")),
        }
    }
}
