//! The static site of a repository: `index.html`, lists, and one page for each name of a package, apt and yum together.
//!
//! It is written after a generation is current and never decides anything: a publish whose site cannot be written has
//! published. A step compares the roots that the site shows with those in place, and writes the pages of the names that
//! differ, whoever made the difference: whatever a killed publisher left out is in the next step. Names are filed in
//! [`tree`]s, so that a step in a large repository writes as few files as in a small one. Pure functions make views
//! ([`view`]) of records and facts, and text ([`render`]) of views.

mod bill;
mod changes;
mod difference;
mod facts;
mod files;
mod names;
mod relations;
mod render;
mod search;
mod site;
mod state;
#[cfg(test)]
mod tests;
mod tree;
mod view;

use std::collections::BTreeMap;

use super::error::RepoError;
use super::layout::{self, Repository};
use super::root;
use super::store::Store;
use crate::digest::Sha256;
use crate::report::Reporter;
pub(super) use facts::{Facts, Sight, of_header};
use site::Site;
use state::State;

/// How many changed pages a publisher writes; more are left to [`write`].
pub(super) const AT_ONCE: usize = 1000;

/// What packages say of themselves, by the digest of their files, for those who have read them already.
pub(super) type Known = BTreeMap<Sha256, Facts>;

/// Brings the site up to what is published. Called after every commit, without the repository's lock. It does not fail:
/// what is wrong with the site is told as a note.
pub fn refresh(repository: &Repository, reporter: &dyn Reporter) {
    refresh_with(repository, &Known::new(), reporter);
}

/// The same by somebody who has read packages.
pub(super) fn refresh_with(repository: &Repository, known: &Known, reporter: &dyn Reporter) {
    if !repository.configuration().page {
        return;
    }
    if let Err(error) = follow(repository, known, reporter) {
        let error = error.to_string();
        reporter
            .note(&format!("the site shows what was published before: {error}; `packhouse repo page` writes it anew"));
    }
}

/// Writes all of the site anew; gives the number of its packages' pages.
pub fn write(repository: &Repository, reporter: &dyn Reporter) -> Result<usize, RepoError> {
    let store = Store::at(repository.root());
    let lock = state::lock(&store, true)?;
    let known = Known::new();
    let count = Site::now(&store, &known, reporter)?.write_all()?;
    drop(lock);
    // What was published meanwhile.
    follow(repository, &known, reporter)?;
    Ok(count)
}

/// Removes the site.
pub fn remove(repository: &Repository) -> Result<(), RepoError> {
    let store = Store::at(repository.root());
    let _lock = state::lock(&store, true)?;
    // The record first: without it nothing of a site that is half removed is believed.
    for file in [state::file("state.json").as_str(), "index.html", "packages.html"] {
        store.remove(file).map_err(state::failed())?;
    }
    for directory in ["packages", "lists", "search", "assets", &state::file("lists"), &state::file("facts")] {
        match fs_err::remove_dir_all(store.path(directory)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(state::failed()(error)),
            _ => {}
        }
    }
    Ok(())
}

fn follow(repository: &Repository, known: &Known, reporter: &dyn Reporter) -> Result<(), RepoError> {
    let store = Store::at(repository.root());
    loop {
        // Whoever has the lock looks again before and after it lets go.
        let Some(lock) = state::lock(&store, false)? else { return Ok(()) };
        while Site::now(&store, known, reporter)?.step()? {}
        drop(lock);
        if !is_behind(repository)? {
            return Ok(());
        }
    }
}

/// Whether something was published that the site does not show, and that somebody is to write.
fn is_behind(repository: &Repository) -> Result<bool, RepoError> {
    let store = Store::at(repository.root());
    let Some(state) = State::load(&store)? else { return Ok(false) };
    if state.behind {
        return Ok(false);
    }
    let mut shown = 0;
    for suite in layout::open(repository.root())?.suites() {
        let digest = root::current_digest(&store, &suite)?;
        if digest != state.suites.iter().find(|(held, _)| *held == suite).map(|(_, digest)| *digest) {
            return Ok(true);
        }
        shown += usize::from(digest.is_some());
    }
    Ok(shown != state.suites.len())
}
