//! What is going to happen to each suite: decided with the lock, before anything is written.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::held::{self, Held};
use super::prepare::{self, Body, Prepared, Wanted};
use super::{PublishOptions, PublishedSuite};
use crate::digest::Sha256;
use crate::repo::change::Change;
use crate::repo::error::RepoError;
use crate::repo::ingest::{self, Facts, Item, Source};
use crate::repo::pool::{self, Key, Place, Pool};
use crate::repo::record::{Entry, Identity, Record};
use crate::repo::root::{self, Root};
use crate::repo::spool::{Spool, Spooled};
use crate::repo::store::Copied;
use crate::repo::suite::{Kind, Suite};
use crate::repo::writer::Writer;

/// So many packages are named in a note.
const NAMED: usize = 5;

/// Everything that decisions are made of.
struct Judge<'a> {
    writer: &'a Writer,
    spool: &'a Arc<Spool>,
    options: &'a PublishOptions<'a>,
    pool: Pool<'a>,
    held: Held,
    /// Which item brought which content of a package first.
    given: HashMap<Key, (Sha256, usize)>,
    /// The packages that were brought to each suite.
    brought: HashSet<Key>,
    suites: BTreeMap<Suite, (Change, PublishedSuite)>,
}

/// The changes of all the suites that are named, and of those whose last publisher was killed; in order.
pub(super) fn all(
    writer: &Writer,
    spool: &Arc<Spool>,
    items: &[Item],
    prepared: Vec<Vec<Prepared>>,
    options: &PublishOptions<'_>,
) -> Result<Vec<(Change, PublishedSuite)>, RepoError> {
    let store = &writer.store;
    let mut roots: BTreeMap<Suite, Root> = BTreeMap::new();
    for suite in writer.repository.suites() {
        if let Some(root) = root::current(store, &suite)? {
            roots.insert(suite, root);
        }
    }
    let wanted: HashSet<(Kind, &Identity)> =
        prepared.iter().flatten().map(|prepared| (prepared.suite.kind, &prepared.record.identity)).collect();
    let held = held::find(store, &roots, &wanted)?;
    drop(wanted);
    let mut judge = Judge {
        writer,
        spool,
        options,
        pool: Pool::of(store),
        held,
        given: HashMap::new(),
        brought: HashSet::new(),
        suites: BTreeMap::new(),
    };
    for (suite, root) in roots {
        if root.is_unfinished(store)? {
            judge.suite(&suite)?;
        }
    }
    // Part by part, each of which is freed when it is done.
    for (number, prepared) in prepared.into_iter().flatten().enumerate() {
        judge.one(items, number, prepared)?;
    }
    let suites = judge.suites.into_values().map(|(mut change, done)| {
        change.note = note(&done);
        (change, done)
    });
    Ok(suites.collect())
}

impl Judge<'_> {
    /// The change of a suite.
    fn suite(&mut self, suite: &Suite) -> Result<&mut (Change, PublishedSuite), RepoError> {
        if !self.suites.contains_key(suite) {
            let done = PublishedSuite {
                kind: suite.kind,
                suite: suite.name.clone(),
                packages: 0,
                added: Vec::new(),
                replaced: Vec::new(),
                unchanged: Vec::new(),
                snippet: PathBuf::new(),
            };
            self.suites.insert(suite.clone(), (self.writer.change(suite)?, done));
        }
        let missing = || RepoError::BadState { path: suite.to_string().into(), reason: "it is not there".to_owned() };
        self.suites.get_mut(suite).ok_or_else(missing)
    }

    /// Decides on one item.
    fn one(&mut self, items: &[Item], number: usize, prepared: Prepared) -> Result<(), RepoError> {
        let Prepared { suite, record, body, .. } = prepared;
        let key = (suite.kind, record.identity.clone());
        if self.writer.repository.options(&suite).frozen {
            return Err(RepoError::Frozen { suite: suite.name });
        }
        let path = |number: usize| items.get(number).map(|item| item.path.clone()).unwrap_or_default();
        self.suite(&suite)?;
        let Identity { name, version, architecture } = &record.identity;
        let package = [suite.kind.name(), name, version, architecture];
        let [kind, name, version, architecture] = package;
        let is_first_here = self.brought.insert(pool::key(&[kind, name, version, architecture, &suite.name]));
        match self.given.get(&pool::key(&package)) {
            None => {
                self.given.insert(pool::key(&package), (record.content, number));
            }
            Some((content, _)) if *content == record.content => {
                if !is_first_here {
                    return Ok(());
                }
            }
            Some(_) if self.options.force && is_first_here => {}
            Some((_, first)) => {
                let (identity, first, second) = (record.identity.to_string(), path(*first), path(number));
                return Err(RepoError::GivenTwice { identity, first, second });
            }
        }
        let held = self.held.get(&key).map(Vec::as_slice).unwrap_or_default();
        let own = held.iter().find(|(holder, _)| *holder == suite).map(|(_, record)| record.clone());
        let same = held.iter().any(|(_, held)| held.content == record.content);
        let other = held.iter().find(|(holder, held)| held.content != record.content && (*holder == suite || !same));
        if own.as_ref().is_some_and(|own| own.content == record.content) {
            let (_, done) = self.suite(&suite)?;
            done.unchanged.push(record.identity.to_string());
            return Ok(());
        }
        if let Some((holder, _)) = other.filter(|_| !self.options.force) {
            let (identity, suite) = (record.identity.to_string(), holder.name.clone());
            return Err(RepoError::OtherContent { path: path(number), identity, suite });
        }
        match body {
            Body::New { file, texts } => self.put(&suite, record, file, texts, own.as_ref()),
            Body::Source { file, source } => self.put_source(&suite, &record, file, *source, own.as_ref()),
            Body::Held => {
                // It went away between the look without the lock and now.
                let Some(item) = items.get(number) else { return Ok(()) };
                let (store, repository) = (&self.writer.store, &self.writer.repository);
                let again = prepare::one(store, self.spool, item, &BTreeMap::new(), repository, false, self.options)?;
                match again.body {
                    Body::New { file, texts } => self.put(&suite, again.record, file, texts, own.as_ref()),
                    Body::Source { .. } | Body::Held => Ok(()),
                }
            }
        }
    }

    /// Puts a package into a suite and its file into the pool.
    fn put(
        &mut self,
        suite: &Suite,
        mut record: Record,
        mut file: Copied,
        mut texts: Spooled,
        own: Option<&Record>,
    ) -> Result<(), RepoError> {
        let mut place = record.path(suite);
        let mut there = self.pool.look(suite.kind, &place, record.content)?;
        if there == Place::Other {
            let entry = self.entry(suite, &record, &file.file, Some(record.content))?;
            (record, texts) = (entry.record, self.spool.push(&entry.texts)?);
            place = record.path(suite);
            there = self.pool.look(suite.kind, &place, record.content)?;
        }
        if there == Place::Same && suite.kind == Kind::Yum && !self.pool.is_claimed(&place) {
            // Signed already, by a publication that was not finished or that has been replaced since: the bytes stay.
            let store = &self.writer.store;
            let failed = || RepoError::io("a published package could not be read");
            file = store.link_in(&store.path(&place)).map_err(failed())?;
            let tag = record.place.contains(&tag(record.content)).then_some(record.content);
            record = Record { size: file.size, sha256: file.sha256, ..record };
            let entry = self.entry(suite, &record, &file.file, tag)?;
            (record, texts) = (entry.record, self.spool.push(&entry.texts)?);
        }
        if there == Place::Free {
            self.pool.claim(&place, record.content);
            self.suite(suite)?.0.place(file, place);
        }
        self.record(suite, record, texts, own)
    }

    /// Puts a source package into a suite and its files into the pool. What is there with the same content is shared; where
    /// one name is taken by another content, all of them go to another place.
    fn put_source(
        &mut self,
        suite: &Suite,
        record: &Record,
        file: Copied,
        source: Source,
        own: Option<&Record>,
    ) -> Result<(), RepoError> {
        let facts = Facts { size: record.size, sha256: record.sha256, published: record.published, phase: None };
        let mut entry = ingest::source_entry(&source, &record.component, &facts, None);
        let mut places = self.places(suite, &entry.record)?;
        if places.iter().any(|(.., there)| *there == Place::Other) {
            entry = ingest::source_entry(&source, &record.component, &facts, Some(record.content));
            places = self.places(suite, &entry.record)?;
        }
        let files = std::iter::once(file).chain(source.files.into_iter().map(|(_, file)| file));
        for (file, (place, content, there)) in files.zip(places) {
            if there == Place::Free {
                self.pool.claim(&place, content);
                self.suite(suite)?.0.place(file, place);
            }
        }
        let texts = self.spool.push(&entry.texts)?;
        self.record(suite, entry.record, texts, own)
    }

    /// The places of a source package's files, and what stands there.
    fn places(&self, suite: &Suite, record: &Record) -> Result<Vec<(String, Sha256, Place)>, RepoError> {
        let further = record.further.iter().map(|file| (format!("{}/{}", suite.base(), file.place), file.sha256));
        let all = std::iter::once((record.path(suite), record.sha256)).chain(further);
        all.map(|(place, content)| {
            let there = self.pool.look(suite.kind, &place, content)?;
            Ok((place, content, there))
        })
        .collect()
    }

    /// Puts a record into a suite, and tells.
    fn record(&mut self, suite: &Suite, record: Record, texts: Spooled, own: Option<&Record>) -> Result<(), RepoError> {
        let identity = record.identity.to_string();
        let (change, done) = self.suite(suite)?;
        match own {
            Some(own) => {
                change.remove(own);
                done.replaced.push(identity);
            }
            None => done.added.push(identity),
        }
        change.put_spooled(record, texts);
        Ok(())
    }

    /// What the indices of a suite have of a .deb.
    fn wanted(&self, suite: &Suite) -> Wanted {
        Wanted::of(&self.writer.repository.options(suite))
    }

    /// What indices say of a package whose place or bytes are not the usual ones.
    fn entry(&self, suite: &Suite, record: &Record, file: &Path, tag: Option<Sha256>) -> Result<Entry, RepoError> {
        let facts =
            Facts { size: record.size, sha256: record.sha256, published: record.published, phase: record.phase };
        Ok(match suite.kind {
            Kind::Apt => {
                let Wanted { files, descriptions } = self.wanted(suite);
                ingest::deb_entry(&ingest::read_deb(file, files)?, &record.component, &facts, descriptions, tag)
            }
            Kind::Yum => ingest::rpm_entry(&ingest::read_rpm(file)?, &facts, record.original, record.content, tag),
        })
    }
}

/// What a place says of a content that has not the usual place.
fn tag(content: Sha256) -> String {
    content.to_string().chars().take(12).collect()
}

/// What the history says of a change: `publish acme 1.0-1 amd64`.
fn note(done: &PublishedSuite) -> String {
    let count = done.added.len() + done.replaced.len();
    if count == 0 {
        return "finish what a killed publisher began".to_owned();
    }
    let named: Vec<&str> = done.added.iter().chain(&done.replaced).take(NAMED).map(String::as_str).collect();
    let more = if count > NAMED { format!(" and {} more", count - NAMED) } else { String::new() };
    format!("publish {}{more}", named.join(", "))
}
