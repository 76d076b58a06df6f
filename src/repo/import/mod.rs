//! Taking over what another tool has published: reprepro, aptly, createrepo_c, or a directory of packages.
//!
//! Only what clients read is read here: Release, Packages and Sources, or repomd.xml and primary.xml. These say which package
//! belongs to which suite and component, and what its digest is; every database of the other tool may be gone. Everything is
//! hostile until parsed, names are checked before they are looked at, and each file must be what its index says.
//!
//! Nothing is changed unless all packages can be taken over, or what cannot is to be left out.

mod apt;
mod examine;
mod identity;
pub(super) mod index;
mod place;
mod plain;
pub(super) mod release;
mod stanzas;
mod yum;

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::error::RepoError;
use super::ingest::Item;
use super::layout::Repository;
use super::publish::{PublishOptions, Published, publish};
use super::store::Store;
use super::suite::Kind;
use super::writer::Writer;
use crate::report::Reporter;
pub use identity::Identity;

/// What to take over, and into what.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// The directory that the other tool published, or one with packages in it.
    pub source: PathBuf,
    /// The suites to take over; all when there are none. For packages that no index assigns to a suite, the one they go to.
    pub suites: Vec<String>,
    /// The component of packages that no index assigns to one.
    pub component: String,
    /// Leave out what cannot be taken over instead of changing nothing.
    pub leave_out: bool,
}

/// What was found, and what would happen.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ImportPlan {
    /// The suites, in order of kind and name.
    pub suites: Vec<PlannedSuite>,
    /// What cannot be taken over.
    pub left: Vec<Left>,
}

/// One suite to be taken over.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedSuite {
    /// apt or yum.
    pub kind: Kind,
    /// Its name: the directory of its indices.
    pub suite: String,
    /// What clients know it by.
    pub identity: Identity,
    /// How many packages it has.
    pub packages: usize,
    /// Their files.
    #[serde(skip)]
    pub(super) items: Vec<Item>,
}

/// Something that cannot be taken over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Left {
    /// The file, relative to the source.
    pub path: String,
    /// Why not, and what to do about it where there is something.
    pub reason: String,
    /// Whether a package is lost with it; nothing is imported then unless it may be left out.
    pub package: bool,
}

impl Left {
    fn package(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { path: path.into(), reason: reason.into(), package: true }
    }

    fn other(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { path: path.into(), reason: reason.into(), package: false }
    }
}

/// Reads the indices of the source and looks whether the files that they name are there.
pub fn plan(options: &ImportOptions) -> Result<ImportPlan, RepoError> {
    let failed = || RepoError::io(format!("{} could not be read", options.source.display()));
    let root = fs_err::canonicalize(&options.source).map_err(failed())?;
    // The directory of aptly itself has its published trees in `public`.
    let root = if root.join("public/dists").is_dir() { root.join("public") } else { root };
    let mut plan = ImportPlan::default();
    let apt = apt::plan(&root, options, &mut plan)?;
    let yum = yum::plan(&root, options, &mut plan)?;
    if !apt && !yum {
        plain::plan(&root, options, &mut plan)?;
    }
    for suite in &mut plan.suites {
        suite.packages = suite.items.len();
    }
    plan.suites.retain(|suite| suite.packages > 0 || suite.identity != Identity::default());
    plan.suites.sort_by(|left, right| (left.kind, &left.suite).cmp(&(right.kind, &right.suite)));
    plan.left.sort();
    plan.left.dedup();
    if plan.suites.is_empty() {
        let reason = if options.suites.is_empty() {
            "it has neither indices (dists/*/Release, repodata/repomd.xml) nor packages".to_owned()
        } else {
            format!("it has no suite called {}", options.suites.join(" or "))
        };
        return Err(RepoError::NothingToImport { path: options.source.clone(), reason });
    }
    Ok(plan)
}

/// Publishes what was planned, under the names that clients know. Where a package is refused, all are examined, so that one
/// run tells of all that is wrong.
pub fn import(
    repository: &mut Repository,
    plan: &mut ImportPlan,
    leave_out: bool,
    options: &PublishOptions<'_>,
) -> Result<Published, RepoError> {
    check(plan, leave_out)?;
    let writer = Writer::new(Store::at(repository.root()), options.reporter)?;
    let before = writer.repository.clone();
    *repository = before.clone();
    identity::keep(repository, &writer.store, plan)?;
    repository.save(&writer.store)?;
    drop(writer);
    let sample = sample(plan);
    let published = all(repository, plan, leave_out, options);
    if published.is_err() {
        // Suites that did not come to be are not to be named.
        let writer = Writer::new(Store::at(repository.root()), options.reporter)?;
        before.save(&writer.store)?;
    }
    if !options.sign_rpms
        && let Some(path) = signed_by_others(&sample, options)
    {
        options.reporter.note(&format!(
            "rpms such as {} are not signed with the repository's key, and the file for clients asks for that: import with \
             --sign, or give clients the other key too",
            path.display()
        ));
    }
    published
}

/// Some of the rpms.
fn sample(plan: &ImportPlan) -> Vec<PathBuf> {
    let suites = plan.suites.iter().filter(|suite| suite.kind == Kind::Yum);
    suites.flat_map(|suite| suite.items.iter().take(100)).map(|item| item.path.clone()).collect()
}

/// An rpm without a signature of ours, if there is one.
fn signed_by_others<'a>(rpms: &'a [PathBuf], options: &PublishOptions<'_>) -> Option<&'a Path> {
    let ours = |path: &Path| {
        let held = crate::format::rpm::header_signature(path).ok().flatten();
        held.is_some_and(|held| options.signer.has_signed(&held.signature, &held.header))
    };
    rpms.iter().map(PathBuf::as_path).find(|path| !ours(path))
}

fn all(
    repository: &mut Repository,
    plan: &mut ImportPlan,
    leave_out: bool,
    options: &PublishOptions<'_>,
) -> Result<Published, RepoError> {
    // Taken, not cloned: there may be a hundred thousand.
    let mut items: Vec<Item> = plan.suites.iter_mut().flat_map(|suite| std::mem::take(&mut suite.items)).collect();
    let first = match publish(repository, &items, options) {
        Err(error) if error.is_about_a_package() => error,
        result => return result,
    };
    options.reporter.note(&format!("{first}; looking at all packages"));
    let refused = examine::all(&items);
    if refused.is_empty() {
        return Err(first);
    }
    items.retain(|item| !refused.iter().any(|(path, _)| *path == item.path));
    plan.left.extend(refused.into_iter().map(|(path, reason)| Left::package(path.to_string_lossy(), reason)));
    check(plan, leave_out)?;
    publish(repository, &items, options)
}

/// Nothing is imported in part unless that was asked for.
fn check(plan: &ImportPlan, leave_out: bool) -> Result<(), RepoError> {
    let lost: Vec<Left> = plan.left.iter().filter(|left| left.package).cloned().collect();
    if lost.is_empty() || leave_out { Ok(()) } else { Err(RepoError::CannotTakeOver { lost }) }
}

/// Tells of everything that stays behind and is no package.
pub fn tell(plan: &ImportPlan, reporter: &dyn Reporter) {
    for Left { path, reason, .. } in &plan.left {
        reporter.note(&format!("not taken over: {path}: {reason}"));
    }
}

/// Whether a suite is among those asked for.
fn wanted(options: &ImportOptions, suite: &str) -> bool {
    options.suites.is_empty() || options.suites.iter().any(|wanted| wanted == suite)
}

/// A path below the root, as people and messages name it.
fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned()
}
