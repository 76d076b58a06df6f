//! Writing the site: all of it, or the step from what it shows to what is published.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use rayon::prelude::*;

use super::facts::{self, Facts};
use super::names::package_page;
use super::state::{self, State, failed, node_stem};
use super::tree::{self, Change, Entry, Node, Tree};
use super::view::{self, Held, Recent, Setup, SiteView, SuiteView};
use super::{AT_ONCE, Known, difference, render, search};
use crate::digest::Sha256;
use crate::repo::error::RepoError;
use crate::repo::keys;
use crate::repo::layout::{self, Repository};
use crate::repo::record::Record;
use crate::repo::root::{self, Root};
use crate::repo::snippets;
use crate::repo::store::Store;
use crate::repo::suite::Suite;
use crate::report::{Reporter, Unit};

/// How many new packages the index shows, and how many are remembered.
const RECENT: usize = 12;
const REMEMBERED: usize = 60;
/// A package with so many changed names is looked up by reading all records once.
const FEW: usize = 20;
/// Files that are made durable together.
const BATCH: usize = 2000;

/// A repository as it is now, and the place of its site.
pub(super) struct Site<'a> {
    store: &'a Store,
    reporter: &'a dyn Reporter,
    known: &'a Known,
    repository: Repository,
    /// Suites that were published, with the digests of their indices.
    roots: Vec<(Suite, Sha256, Root)>,
}

/// What the lists say of a page.
struct Page {
    name: String,
    /// Nothing when the page is gone.
    shown: Option<(String, Recent)>,
}

impl<'a> Site<'a> {
    /// The repository as it is now. Whoever calls it holds the site's lock.
    pub(super) fn now(store: &'a Store, known: &'a Known, reporter: &'a dyn Reporter) -> Result<Self, RepoError> {
        let repository = layout::open(store.root())?;
        let mut roots = Vec::new();
        for suite in repository.suites() {
            // A publisher may replace the index between these steps, and an old root goes only after a day or more.
            let Some(digest) = root::current_digest(store, &suite)? else { continue };
            let root = root::load(store, &suite, digest)?
                .ok_or_else(|| RepoError::ForeignIndex { path: store.path(&suite.index()) })?;
            roots.push((suite, digest, root));
        }
        Ok(Self { store, reporter, known, repository, roots })
    }

    /// Writes what differs from what the site shows; gives whether there was anything.
    pub(super) fn step(&self) -> Result<bool, RepoError> {
        let Some(state) = State::load(self.store)? else {
            return self.all_or_later(State::new(Vec::new(), Vec::new()));
        };
        if state.behind {
            self.reporter.detail("the site is behind what is published: `packhouse repo page` writes it");
            return Ok(false);
        }
        if state.suites == self.shown() {
            return Ok(false);
        }
        let Some(names) = self.changed(&state)? else { return self.all_or_later(state) };
        if names.len() > AT_ONCE {
            return self.all_or_later(state);
        }
        self.write_changed(state, &names)?;
        Ok(true)
    }

    fn shown(&self) -> Vec<(Suite, Sha256)> {
        self.roots.iter().map(|(suite, digest, _)| (suite.clone(), *digest)).collect()
    }

    /// Writes all of a small site; a large one is somebody's decision.
    fn all_or_later(&self, mut state: State) -> Result<bool, RepoError> {
        let count: u64 = self.roots.iter().map(|(.., root)| root.count()).sum();
        if count <= AT_ONCE as u64 {
            self.write_all()?;
            return Ok(true);
        }
        state.behind = true;
        state.save(self.store)?;
        self.reporter.note(&format!(
            "the site is not written after so large a change ({count} packages): `packhouse repo page` writes it"
        ));
        Ok(false)
    }

    /// The names that differ from what the site shows; `None` when that cannot be told, or is too much.
    fn changed(&self, state: &State) -> Result<Option<BTreeSet<String>>, RepoError> {
        let mut names = BTreeSet::new();
        for (suite, digest, root) in &self.roots {
            let held = state.suites.iter().find(|(held, _)| held == suite).map(|(_, digest)| *digest);
            if held == Some(*digest) {
                continue;
            }
            let old = match held {
                None => Root::empty(suite),
                Some(held) => match root::load(self.store, suite, held)? {
                    Some(old) => old,
                    None => return Ok(None),
                },
            };
            match difference::names(self.store, &old, root)? {
                Some(changed) => names.extend(changed),
                None => return Ok(None),
            }
        }
        for (suite, digest) in &state.suites {
            if !self.roots.iter().any(|(held, ..)| held == suite) {
                let Some(old) = root::load(self.store, suite, *digest)? else { return Ok(None) };
                match difference::names(self.store, &old, &Root::empty(suite))? {
                    Some(changed) => names.extend(changed),
                    None => return Ok(None),
                }
            }
        }
        Ok(Some(names))
    }

    fn write_changed(&self, state: State, names: &BTreeSet<String>) -> Result<(), RepoError> {
        let mut held: BTreeMap<&str, Vec<Held>> = names.iter().map(|name| (name.as_str(), Vec::new())).collect();
        for (suite, _, root) in &self.roots {
            let mut take = |record: Record| {
                if let Some(held) = held.get_mut(record.identity.name.as_str()) {
                    held.push(Held { suite: suite.clone(), record });
                }
            };
            if names.len() <= FEW {
                for name in names {
                    root.find(self.store, name)?.into_iter().for_each(&mut take);
                }
            } else {
                for record in root.records(self.store) {
                    take(record?);
                }
            }
        }
        let there: HashSet<&str> = held.iter().filter(|(_, held)| !held.is_empty()).map(|(name, _)| *name).collect();
        let is_known = |name: &str| {
            there.contains(name) || (!names.contains(name) && self.store.path(&package_page(name)).exists())
        };
        let mut lists = Tree::new(|address: &str| self.node(&state::list_file(address), address));
        let mut searches = Tree::new(|address: &str| self.node(&search_file(address), address));
        let mut recent: Vec<Recent> =
            state.recent.into_iter().filter(|package| !names.contains(&package.name)).collect();
        for (name, held) in held {
            let page = self.page(name, held, &is_known)?;
            let summary = page.shown.as_ref().map_or("", |(summary, _)| summary.as_str());
            let change = |entry: Entry| match &page.shown {
                Some(_) => Change::Put(entry),
                None => Change::Remove(entry.key, entry.name),
            };
            lists.change(&change(search::listed(name, summary)))?;
            for entry in search::found(name, summary) {
                searches.change(&change(entry))?;
            }
            recent.extend(page.shown.map(|(_, recent)| recent));
        }
        for (address, node) in lists.changed() {
            self.put_list(&address, node.as_ref())?;
        }
        for (address, node) in searches.changed() {
            self.put_search(&address, node.as_ref())?;
        }
        self.finish(recent)
    }

    /// Writes all pages anew, and removes what is none of them; gives their number.
    pub(super) fn write_all(&self) -> Result<usize, RepoError> {
        let mut held: BTreeMap<String, Vec<Held>> = BTreeMap::new();
        for (suite, _, root) in &self.roots {
            for record in root.records(self.store) {
                let record = record?;
                held.entry(record.identity.name.clone()).or_default().push(Held { suite: suite.clone(), record });
            }
        }
        let count = held.len();
        let names: HashSet<String> = held.keys().cloned().collect();
        let progress = self.reporter.progress("Writing", count as u64, Unit::Items);
        let mut pages: Vec<Page> = Vec::with_capacity(count);
        let held: Vec<(String, Vec<Held>)> = held.into_iter().collect();
        for batch in held.chunks(BATCH) {
            let written: Result<Vec<Page>, RepoError> = batch
                .par_iter()
                .map(|(name, held)| {
                    let page = self.page(name, held.clone(), &|name| names.contains(name));
                    progress.advance(1);
                    page
                })
                .collect();
            pages.extend(written?);
            self.store.settle([]).map_err(failed())?;
        }
        drop(progress);

        let summary = |page: &Page| page.shown.as_ref().map(|(summary, _)| summary.clone()).unwrap_or_default();
        let lists = tree::build(pages.iter().map(|page| search::listed(&page.name, &summary(page))).collect());
        let searches = tree::build(pages.iter().flat_map(|page| search::found(&page.name, &summary(page))).collect());
        for (address, node) in &lists {
            self.put_list(address, Some(node))?;
        }
        for (address, node) in &searches {
            self.put_search(address, Some(node))?;
        }
        self.sweep("packages", &names.iter().map(|name| package_page(name)).collect())?;
        self.sweep("lists", &lists.keys().map(|address| view::list_file(address)).collect())?;
        self.sweep("search", &searches.keys().map(|address| search_file(address)).collect())?;
        self.sweep(&state::file("lists"), &lists.keys().map(|address| state::list_file(address)).collect())?;
        self.sweep(&state::file("facts"), &names.iter().map(|name| state::facts_file(name)).collect())?;
        self.sweep("assets", &render::assets().map(|(name, _)| format!("assets/{name}")).collect())?;
        self.finish(pages.into_iter().filter_map(|page| page.shown).map(|(_, recent)| recent).collect())?;
        Ok(count)
    }

    /// The index, and last the record of what the site shows.
    fn finish(&self, mut recent: Vec<Recent>) -> Result<(), RepoError> {
        recent.sort_by(|left, right| right.time.cmp(&left.time).then_with(|| left.name.cmp(&right.name)));
        recent.truncate(REMEMBERED);
        for (name, content) in render::assets() {
            self.put(&format!("assets/{name}"), content)?;
        }
        let root = self.node(&state::list_file(""), "")?;
        let configuration = self.repository.configuration();
        let suites: Result<Vec<SuiteView>, RepoError> =
            self.roots.iter().map(|(_, _, root)| self.suite(root)).collect();
        let site = SiteView {
            description: configuration.description.clone(),
            fingerprints: [Some(&configuration.fingerprint), configuration.next.as_ref()]
                .into_iter()
                .flatten()
                .map(|fingerprint| keys::spaced(fingerprint))
                .collect(),
            check: snippets::fingerprint_command(&self.repository),
            suites: suites?,
            total: root.count(),
            recent: recent.iter().take(RECENT).cloned().collect(),
            list: view::list("", &root),
        };
        self.put("index.html", &render::index(&configuration.label, &site)?)?;
        // All pages are durable before the record says that they are there.
        self.store.settle([]).map_err(failed())?;
        self.store.barrier().map_err(failed())?;
        State::new(self.shown(), recent).save(self.store)
    }

    /// Writes the page of a name, or removes it when nobody holds that name.
    fn page(&self, name: &str, held: Vec<Held>, is_known: &dyn Fn(&str) -> bool) -> Result<Page, RepoError> {
        let (file, kept_file) = (package_page(name), state::facts_file(name));
        let suites = view::by_suite(held);
        if suites.is_empty() {
            self.store.remove(&file).map_err(failed())?;
            self.store.remove(&kept_file).map_err(failed())?;
            return Ok(Page { name: name.to_owned(), shown: None });
        }
        let mut kept = state::facts(self.store, name);
        let mut by_suite: BTreeMap<Suite, Facts> = BTreeMap::new();
        let mut by_digest: BTreeMap<Sha256, Facts> = BTreeMap::new();
        for (suite, records) in &suites {
            let Some(record) = view::speaker(records) else { continue };
            let held = by_digest.get(&record.sha256).or_else(|| self.known.get(&record.sha256)).cloned();
            let facts = match held.or_else(|| kept.remove(&record.sha256)) {
                Some(facts) => facts,
                None => self.read(suite, record),
            };
            by_digest.insert(record.sha256, facts.clone());
            by_suite.insert(suite.clone(), facts);
        }
        let view = view::package(name, &suites, &by_suite, is_known);
        let listed: Vec<(&Sha256, &Facts)> = by_digest.iter().collect();
        let text = serde_json::to_string(&listed)
            .map_err(|error| RepoError::BadState { path: self.store.path(&kept_file), reason: error.to_string() })?;
        self.put(&kept_file, &text)?;
        self.put(&file, &render::package(&self.repository.configuration().label, &view)?)?;
        let newest = suites.values().flatten().max_by_key(|record| record.published);
        let recent = Recent {
            time: newest.map_or(0, |record| record.published),
            name: name.to_owned(),
            version: newest.map(|record| record.identity.version.clone()).unwrap_or_default(),
            summary: view.about.summary.clone(),
        };
        Ok(Page { name: name.to_owned(), shown: Some((view.about.summary, recent)) })
    }

    /// What a package says of itself; nothing when it cannot be read, which is told.
    fn read(&self, suite: &Suite, record: &Record) -> Facts {
        let path = self.store.path(&record.path(suite));
        facts::read(&path).unwrap_or_else(|error| {
            self.reporter.note(&format!("the page of {} has no details: {error}", record.identity));
            Facts::default()
        })
    }

    fn suite(&self, root: &Root) -> Result<SuiteView, RepoError> {
        let (repository, suite) = (&self.repository, &root.suite);
        let is_one = |architecture: &&str| !["all", "source"].contains(architecture);
        let architectures: BTreeSet<&str> =
            root.cells.keys().map(|cell| cell.architecture.as_str()).filter(is_one).collect();
        let setups = snippets::commands(repository, root)?;
        let setups = setups.into_iter().map(|(client, commands)| Setup { client, commands }).collect();
        Ok(SuiteView {
            kind: suite.kind.name(),
            name: suite.name.clone(),
            anchor: view::anchor(suite),
            packages: root.count(),
            architectures: architectures.into_iter().map(str::to_owned).collect(),
            generation: root.number,
            day: view::day(root.date),
            setups,
        })
    }

    fn put_list(&self, address: &str, node: Option<&Node>) -> Result<(), RepoError> {
        let (page, kept) = (view::list_file(address), state::list_file(address));
        let Some(node) = node else {
            self.store.remove(&page).map_err(failed())?;
            return self.store.remove(&kept).map_err(failed());
        };
        let text = serde_json::to_string(node)
            .map_err(|error| RepoError::BadState { path: self.store.path(&kept), reason: error.to_string() })?;
        self.put(&kept, &text)?;
        self.put(&page, &render::list(&self.repository.configuration().label, &view::list(address, node))?)
    }

    fn put_search(&self, address: &str, node: Option<&Node>) -> Result<(), RepoError> {
        match node {
            Some(node) => self.put(&search_file(address), &render::node(node)),
            None => self.store.remove(&search_file(address)).map_err(failed()),
        }
    }

    /// Reads a node of a tree.
    fn node(&self, file: &str, address: &str) -> Result<Node, RepoError> {
        let path = self.store.path(file);
        let reason = match fs_err::read(&path) {
            Ok(text) => match serde_json::from_slice(&text) {
                Ok(node) => return Ok(node),
                Err(error) => error.to_string(),
            },
            // The first package of all.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && address.is_empty() => {
                return Ok(Node::default());
            }
            Err(error) => error.to_string(),
        };
        Err(RepoError::BadState { path, reason })
    }

    /// Makes a file hold this text, unless it does; durable after the next barrier.
    fn put(&self, file: &str, text: &str) -> Result<(), RepoError> {
        if fs_err::read(self.store.path(file)).is_ok_and(|held| held == text.as_bytes()) {
            return Ok(());
        }
        self.store.write_soon(file, text.as_bytes()).map_err(failed())
    }

    /// Removes the files of a directory of the site that are not `wanted`.
    fn sweep(&self, directory: &str, wanted: &HashSet<String>) -> Result<(), RepoError> {
        for entry in walkdir::WalkDir::new(self.store.path(directory)).into_iter().filter_map(Result::ok) {
            let Ok(relative) = entry.path().strip_prefix(self.store.root()) else { continue };
            let relative = relative.to_string_lossy();
            if entry.file_type().is_file() && !wanted.contains(relative.as_ref()) {
                self.store.remove(&relative).map_err(failed())?;
            }
        }
        Ok(())
    }
}

/// Where a node of the search is, relative to the root.
fn search_file(address: &str) -> String {
    format!("search/{}.json", node_stem(address))
}
