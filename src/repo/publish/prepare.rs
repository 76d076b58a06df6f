//! What can be done before the lock is taken: packages copied, hashed, read, signed, and what indices say of them.

use rayon::iter::ParallelIterator as _;
use rayon::slice::ParallelSlice as _;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::PublishOptions;
use crate::format::deb::Files;
use crate::repo::apt::Descriptions;
use crate::repo::error::RepoError;
use crate::repo::ingest::{self, How, Ingested, Item, Source};
use crate::repo::layout::Repository;
use crate::repo::options::SuiteOptions;
use crate::repo::page::{self, Facts};
use crate::repo::phase;
use crate::repo::record::{Identity, Record};
use crate::repo::root::{self, Root};
use crate::repo::spool::{Spool, Spooled};
use crate::repo::store::{Copied, Store};
use crate::repo::suite::{Kind, Suite};
use crate::repo::yum;
use crate::report::Unit;

/// So many packages are prepared by one thread in a row.
const PART: usize = 64;

/// One item, ready to be judged.
pub(super) struct Prepared {
    pub(super) suite: Suite,
    pub(super) record: Record,
    pub(super) body: Body,
    /// What its page says, where that was read as well.
    pub(super) page: Option<Box<Facts>>,
}

/// What there is besides a record.
pub(super) enum Body {
    /// The file to publish, and the texts of it in its usual place.
    New { file: Copied, texts: Spooled },
    /// The .dsc to publish, with its files.
    Source { file: Copied, source: Box<Source> },
    /// Nothing: the suite had the package when it was looked at without the lock.
    Held,
}

/// What of a .deb the indices of its suite have.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub(super) files: Files,
    pub(super) descriptions: Descriptions,
}

impl Wanted {
    pub(super) fn of(options: &SuiteOptions) -> Self {
        Self {
            files: if options.contents { Files::List } else { Files::Skip },
            descriptions: if options.translations { Descriptions::Short } else { Descriptions::Whole },
        }
    }
}

/// Prepares all items, in order, in parts.
pub(super) fn all(
    store: &Store,
    spool: &Arc<Spool>,
    items: &[Item],
    repository: &Repository,
    options: &PublishOptions<'_>,
) -> Result<Vec<Vec<Prepared>>, RepoError> {
    let progress = options.reporter.progress("Checking", items.len() as u64, Unit::Items);
    let mut roots = BTreeMap::new();
    if options.sign_rpms {
        for item in items {
            let suite = Suite::of(Kind::Yum, &item.suite);
            if let Entry::Vacant(place) = roots.entry(suite) {
                let root = root::current(store, place.key())?;
                place.insert(root);
            }
        }
    }
    // What is more than a publisher writes pages for is not kept in memory either.
    let pages = repository.configuration().page && items.len() <= page::AT_ONCE;
    let prepared = items.par_chunks(PART).map(|items| {
        let prepared = items.iter().map(|item| {
            let prepared = one(store, spool, item, &roots, repository, pages, options);
            progress.advance(1);
            prepared
        });
        prepared.collect::<Result<Vec<_>, _>>()
    });
    // All of them, so that the error is that of the first bad one.
    let prepared: Vec<Result<Vec<Prepared>, RepoError>> = prepared.collect();
    prepared.into_iter().collect()
}

/// Prepares one item; with what its page says where `pages` are wanted.
pub(super) fn one(
    store: &Store,
    spool: &Arc<Spool>,
    item: &Item,
    roots: &BTreeMap<Suite, Option<Root>>,
    repository: &Repository,
    pages: bool,
    options: &PublishOptions<'_>,
) -> Result<Prepared, RepoError> {
    let apt = Suite::of(Kind::Apt, &item.suite);
    let suite_options = repository.options(&apt);
    let wanted = Wanted::of(&suite_options);
    let facts =
        |copy: &Copied, phase| ingest::Facts { size: copy.size, sha256: copy.sha256, published: options.time, phase };
    match ingest::take(store, item, How { link: options.link, files: wanted.files, page: pages })? {
        Ingested::Deb { copy, info, page } => {
            let phase = phase::at_publication(&suite_options.schedules, info.source(), options.phase, options.time);
            let entry = ingest::deb_entry(&info, &item.component, &facts(&copy, phase), wanted.descriptions, None);
            let body = Body::New { file: copy, texts: spool.push(&entry.texts)? };
            Ok(Prepared { suite: apt, record: entry.record, body, page })
        }
        Ingested::Source { copy, source } => {
            let entry = ingest::source_entry(&source, &item.component, &facts(&copy, None), None);
            let body = Body::Source { file: copy, source };
            Ok(Prepared { suite: apt, record: entry.record, body, page: None })
        }
        Ingested::Rpm { copy, mut info, immutable } => {
            let suite = Suite::of(Kind::Yum, &item.suite);
            let original = copy.sha256;
            let mut file = copy;
            if options.sign_rpms {
                // A signature takes its time: not for what is there.
                let identity = Identity {
                    name: info.name.clone(),
                    version: yum::version(&info),
                    architecture: info.architecture.clone(),
                };
                let held = roots.get(&suite).and_then(Option::as_ref).map(|root| root.find(store, &info.name));
                let held = held.transpose()?.unwrap_or_default().into_iter().find(|held| held.identity == identity);
                if let Some(record) = held.filter(|held| held.content == immutable) {
                    return Ok(Prepared { suite, record, body: Body::Held, page: None });
                }
                if let Some(signed) = ingest::signed(store, &file, &mut info, options.signer, options.time)? {
                    file = signed;
                }
            }
            let entry = ingest::rpm_entry(&info, &facts(&file, None), original, immutable, None);
            let body = Body::New { file, texts: spool.push(&entry.texts)? };
            let page = if pages { page::of_header(&info).map(Box::new) } else { None };
            Ok(Prepared { suite, record: entry.record, body, page })
        }
    }
}
