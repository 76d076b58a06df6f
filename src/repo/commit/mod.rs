//! Commits: suites get new generations, each in one step.
//!
//! Order of writes: shards, index files and the pool's packages, all under names that no index names yet, and durable; then
//! what lies beside the signed index, and the root; then, when the directories are durable too, the signed index itself,
//! whose rename is the moment of publication. So a reader at any moment, and a publisher killed at any instruction, sees the
//! old generation or the new, whole.

mod apt;
mod shards;
#[cfg(test)]
mod tests;
mod yum;

use std::path::{Path, PathBuf};

use rayon::iter::{IntoParallelRefMutIterator as _, ParallelDrainRange as _, ParallelIterator as _};

use super::change::Change;
use super::error::RepoError;
use super::index::{self, Built, Held};
use super::layout::{Configuration, Repository};
use super::root::{self, Root};
use super::sign::Signer;
use super::snippets;
use super::store::{Copied, Store};
use super::suite::{Kind, Suite};
use super::sweep;
use crate::digest::Sha256;
use crate::report::Reporter;

/// How far a signed index may be ahead of the clock: apt refuses one that is more than ten seconds ahead.
const AHEAD: i64 = 10;

/// What a commit needs besides the changes.
#[derive(Clone, Copy)]
pub(super) struct Committer<'a> {
    /// The repository's key.
    pub(super) signer: &'a Signer,
    /// Seconds since 1970-01-01 UTC: now.
    pub(super) time: i64,
    /// Who is told.
    pub(super) reporter: &'a dyn Reporter,
}

/// A generation that is being made.
struct Next {
    /// Its root, the more complete the later.
    root: Root,
    /// The root in place, whose index files it may use again.
    base: Root,
    donor: Option<Root>,
    fresh: bool,
    unfinished: bool,
    files: Vec<(Copied, String)>,
    built: Vec<Built>,
}

/// What a generation is published with.
struct Dressed {
    /// The digest of the signed index.
    index: Sha256,
    /// Small files that lie beside it, with their places.
    staged: Vec<(tempfile::TempPath, String)>,
    switch: Switch,
}

/// The step that publishes.
enum Switch {
    /// Rename the signed index to its place.
    File(tempfile::TempPath, String),
    /// Exchange the directory of the index; these files go into it.
    Directory { directory: tempfile::TempDir, staged: Vec<(tempfile::TempPath, PathBuf)>, place: String },
}

/// Makes the changes current, suite by suite, and gives the root of each (the one in place where nothing changed). The lock
/// is held. A suite that was not there is added to the configuration.
pub(super) fn commit(
    repository: &mut Repository,
    store: &Store,
    changes: Vec<Change>,
    by: &Committer<'_>,
) -> Result<Vec<Root>, RepoError> {
    let failed = || RepoError::io("the repository could not be written");
    let suites: Vec<Suite> = changes.iter().map(|change| change.suite().clone()).collect();
    let mut roots: Vec<Option<Root>> = vec![None; changes.len()];
    let mut pending: Vec<(usize, Next)> = Vec::new();
    for (number, change) in changes.into_iter().enumerate() {
        if change.is_idle() {
            if change.base.number > 0 {
                beside(repository, store, &change.base)?;
            }
            if let Some(root) = roots.get_mut(number) {
                *root = Some(change.base);
            }
        } else {
            pending.push((number, next(repository, store, change, by.time)?));
        }
    }
    let known = repository.configuration.clone();
    for suite in &suites {
        if !known.of(suite.kind).contains_key(&suite.name) {
            let options = repository.options(suite);
            repository.set_options(suite, options);
        }
    }

    build(store, &mut pending)?;
    let configuration = &repository.configuration;
    let dressed = pending.par_iter_mut().map(|(_, next)| dress(store, configuration, next, by.signer));
    let mut dressed = dressed.collect::<Result<Vec<_>, RepoError>>()?;
    for ((_, next), dressed) in pending.iter().zip(&mut dressed) {
        let text = serde_json::to_vec(&next.root).map_err(|error| failed()(error.into()))?;
        let place = root::file(&next.root.suite, dressed.index);
        dressed.staged.push((store.prepared(&text).map_err(failed())?, place));
        dressed.staged.extend(snippet(repository, store, &next.root)?);
    }

    // Files are durable before they have their names.
    store.settle(waiting(&pending, &dressed)).map_err(failed())?;
    if known != repository.configuration {
        repository.save(store)?;
    }
    for ((_, next), dressed) in pending.iter_mut().zip(&mut dressed) {
        retire(store, next, by.time).map_err(failed())?;
        let placed = next.files.par_drain(..).try_for_each(|(copied, place)| {
            by.reporter.detail(&format!("{place} ({} bytes)", copied.size));
            store.place(copied.file, &place)
        });
        placed.map_err(failed())?;
        for (file, place) in dressed.staged.drain(..) {
            store.place(file, &place).map_err(failed())?;
        }
        match &mut dressed.switch {
            Switch::File(..) => apt::place(store, next)?,
            Switch::Directory { directory, staged, .. } => {
                yum::place(store, next, directory.path(), std::mem::take(staged), by.time)?;
            }
        }
    }
    // The names are durable before the index says them.
    store.barrier().map_err(failed())?;
    let mut superseded = Vec::new();
    for dressed in dressed {
        match dressed.switch {
            Switch::File(file, place) => store.place(file, &place).map_err(failed())?,
            Switch::Directory { directory, place, .. } => {
                yum::switch(store, &directory, &place).map_err(failed())?;
                superseded.push(directory);
            }
        }
    }
    store.barrier().map_err(failed())?;
    drop(superseded);
    for (number, next) in pending {
        sweep::suite(store, &next.root.suite, by.time)?;
        if let Some(root) = roots.get_mut(number) {
            *root = Some(next.root);
        }
    }
    Ok(roots.into_iter().flatten().collect())
}

/// The generation that a change leads to, as far as its shards.
fn next(repository: &Repository, store: &Store, mut change: Change, time: i64) -> Result<Next, RepoError> {
    let suite = change.suite().clone();
    let (date, stamp) = dates(&change.base, time)?;
    let options = repository.options(&suite);
    let valid = options.valid_for.map(|seconds| date.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX)));
    let cells = shards::cells(store, &mut change)?;
    let root = Root {
        number: change.base.number + 1,
        date,
        stamp,
        valid_until: valid,
        note: std::mem::take(&mut change.note),
        previous: change.before,
        options,
        cells,
        ..Root::empty(&suite)
    };
    let Change { base, donor, fresh, unfinished, files, .. } = change;
    Ok(Next { root, base, donor, fresh, unfinished, files, built: Vec::new() })
}

/// The date of an index that follows `base`, and its time of modification.
///
/// apt ignores an index with an older date than that of the one it has, without a word; with the same date it takes it. But it
/// asks only for what was modified after what it has, in whole seconds, so that the second number always grows.
fn dates(base: &Root, now: i64) -> Result<(i64, i64), RepoError> {
    let ahead = base.date.saturating_sub(now);
    if ahead > AHEAD {
        return Err(RepoError::ClockBehind { seconds: ahead, suite: base.suite.name.clone() });
    }
    Ok((base.date.max(now), now.max(base.stamp.saturating_add(1))))
}

/// Builds the index files of all the generations.
fn build(store: &Store, pending: &mut [(usize, Next)]) -> Result<(), RepoError> {
    let (mut plans, mut owners) = (Vec::new(), Vec::new());
    for (number, (_, next)) in pending.iter().enumerate() {
        let planned = next.root.planned(store)?;
        owners.extend(planned.iter().map(|_| number));
        plans.extend(planned);
    }
    let held = |plan: usize| -> Vec<Held<'_>> {
        let next = owners.get(plan).and_then(|owner| pending.get(*owner)).map(|(_, next)| next);
        let next = next.filter(|next| !next.fresh);
        let roots = next.into_iter().flat_map(|next| std::iter::once(&next.base).chain(&next.donor));
        let files = roots.flat_map(|root| root.files.iter().map(move |file| (root, file)));
        files.map(|(root, file)| Held { file, place: file.place(&root.suite) }).collect()
    };
    let built = index::build(store, &plans, &held)?;
    for (built, owner) in built.into_iter().zip(owners) {
        if let Some((_, next)) = pending.get_mut(owner) {
            next.root.files.push(built.file.clone());
            next.built.push(built);
        }
    }
    Ok(())
}

fn dress(store: &Store, configuration: &Configuration, next: &mut Next, signer: &Signer) -> Result<Dressed, RepoError> {
    match next.root.suite.kind {
        Kind::Apt => apt::dress(store, configuration, next, signer),
        Kind::Yum => yum::dress(store, next, signer),
    }
}

/// Writes the file that clients need of a suite that stays as it is: it may have been lost.
fn beside(repository: &Repository, store: &Store, root: &Root) -> Result<(), RepoError> {
    let Some((file, place)) = snippet(repository, store, root)? else { return Ok(()) };
    let failed = || RepoError::io("a file for clients could not be written");
    store.settle([&*file]).map_err(failed())?;
    store.place(file, &place).map_err(failed())
}

/// The file that clients need, where it differs from what is there.
fn snippet(
    repository: &Repository,
    store: &Store,
    root: &Root,
) -> Result<Option<(tempfile::TempPath, String)>, RepoError> {
    let (name, text) = snippets::snippet(repository, root)?;
    if fs_err::read(store.path(&name)).is_ok_and(|held| held == text.as_bytes()) {
        return Ok(None);
    }
    let file = store.prepared(text.as_bytes());
    Ok(Some((file.map_err(RepoError::io("a file for clients could not be written"))?, name)))
}

/// All files that have no names yet and are not made durable by themselves.
fn waiting<'a>(pending: &'a [(usize, Next)], dressed: &'a [Dressed]) -> impl Iterator<Item = &'a Path> {
    let pool = pending.iter().flat_map(|(_, next)| &next.files).map(|(copied, _)| &*copied.file);
    let staged = dressed.iter().flat_map(|dressed| &dressed.staged).map(|(file, _)| &**file);
    let index = dressed.iter().flat_map(|dressed| match &dressed.switch {
        Switch::File(file, _) => vec![&**file],
        Switch::Directory { staged, .. } => staged.iter().map(|(file, _)| &**file).collect(),
    });
    pool.chain(staged).chain(index)
}

/// Says of files that the new generation does not name when that began: their grace is counted from then on.
fn retire(store: &Store, next: &Next, time: i64) -> std::io::Result<()> {
    let suite = &next.root.suite;
    let current: Vec<String> = next.root.files.iter().map(|file| file.place(suite)).collect();
    for place in next.base.files.iter().map(|file| file.place(suite)) {
        if !current.contains(&place) {
            store.touch(&place, time)?;
        }
    }
    Ok(())
}
