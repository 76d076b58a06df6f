//! What a repository holds, for people and programs.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::super::error::RepoError;
use super::super::layout::Repository;
use super::super::options::SuiteOptions;
use super::super::record::Record;
use super::super::root::{self, Root};
use super::super::store::Store;
use super::super::suite::{Kind, Suite};
use super::names::no_package;
use crate::config::closest;
use crate::package::version::{compare_debian, compare_rpm};

/// One suite, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Which.
    #[serde(flatten)]
    pub suite: Suite,
    /// The number of the current generation; 0 when nothing was published yet.
    pub generation: u64,
    /// Its date, seconds since 1970-01-01 UTC.
    pub date: i64,
    /// Until when clients are to believe it.
    pub valid_until: Option<i64>,
    /// How many packages it holds.
    pub packages: u64,
    /// The same by component and architecture.
    pub cells: BTreeMap<String, u64>,
    /// Whether nothing enters or leaves it.
    pub frozen: bool,
}

/// One suite with the names of its packages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownSuite {
    /// In short.
    #[serde(flatten)]
    pub suite: Listed,
    /// What the administrator said of it.
    pub options: SuiteOptions,
    /// Its packages, by name.
    pub contents: Vec<ShownPackage>,
}

/// A package of a suite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownPackage {
    /// Its name.
    pub name: String,
    /// Its versions, the newest first.
    pub versions: Vec<String>,
    /// Its architectures.
    pub architectures: BTreeSet<String>,
}

/// One package in one version for one architecture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackageVersion {
    /// The suite that has it.
    pub suite: Suite,
    /// All that is known of it.
    #[serde(flatten)]
    pub record: Record,
    /// Its file, relative to the repository.
    pub path: String,
}

/// One generation of a suite that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Generation {
    /// The suite.
    #[serde(flatten)]
    pub suite: Suite,
    /// 1 for the first.
    pub number: u64,
    /// Seconds since 1970-01-01 UTC.
    pub date: i64,
    /// What the commit did.
    pub note: String,
    /// How many packages it holds.
    pub packages: u64,
}

/// All suites.
pub fn list(repository: &Repository) -> Result<Vec<Listed>, RepoError> {
    let store = Store::at(repository.root());
    repository.suites().iter().map(|suite| listed(repository, suite, &current(&store, suite)?)).collect()
}

fn current(store: &Store, suite: &Suite) -> Result<Root, RepoError> {
    Ok(root::current(store, suite)?.unwrap_or_else(|| Root::empty(suite)))
}

fn listed(repository: &Repository, suite: &Suite, root: &Root) -> Result<Listed, RepoError> {
    Ok(Listed {
        suite: suite.clone(),
        generation: root.number,
        date: root.date,
        valid_until: root.valid_until,
        packages: root.count(),
        cells: root.cells.iter().map(|(name, cell)| (name.to_string(), cell.count())).collect(),
        frozen: repository.options(suite).frozen,
    })
}

/// A suite with the names of all its packages.
pub fn show(repository: &Repository, suite: &Suite) -> Result<ShownSuite, RepoError> {
    let store = Store::at(repository.root());
    let root = current(&store, suite)?;
    let mut names: BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
    for record in root.records(&store) {
        let identity = record?.identity;
        let (versions, architectures) = names.entry(identity.name).or_default();
        versions.insert(identity.version);
        architectures.insert(identity.architecture);
    }
    let contents = names.into_iter().map(|(name, (versions, architectures))| {
        let mut versions: Vec<String> = versions.into_iter().collect();
        versions.sort_by(|left, right| compare(suite.kind, right, left));
        ShownPackage { name, versions, architectures }
    });
    let contents = contents.collect();
    Ok(ShownSuite { suite: listed(repository, suite, &root)?, options: repository.options(suite), contents })
}

/// All versions of one package of a suite, the newest first.
pub fn package(repository: &Repository, suite: &Suite, name: &str) -> Result<Vec<PackageVersion>, RepoError> {
    let store = Store::at(repository.root());
    let root = current(&store, suite)?;
    let mut found = root.find(&store, name)?;
    if found.is_empty() {
        let mut names = BTreeSet::new();
        for record in root.records(&store) {
            names.insert(record?.identity.name);
        }
        let near = closest(name, names.iter().map(String::as_str));
        return Err(match near {
            Some(near) => RepoError::Unknown {
                what: format!("{suite} has no package {name}"),
                hint: format!("did you mean `{near}`?"),
                code: &crate::diagnostic::codes::UNKNOWN_PACKAGE,
            },
            None => no_package(suite, name, &[]),
        });
    }
    newest_first(suite.kind, &mut found);
    let versions =
        found.into_iter().map(|record| PackageVersion { path: record.path(suite), suite: suite.clone(), record });
    Ok(versions.collect())
}

/// The generations of a suite that are kept, the newest first: it can be rolled back to any of them.
pub fn log(repository: &Repository, suite: &Suite) -> Result<Vec<Generation>, RepoError> {
    let store = Store::at(repository.root());
    let mut generations = Vec::new();
    for root in root::history(&store, suite) {
        let root = root?;
        generations.push(Generation {
            suite: suite.clone(),
            number: root.number,
            date: root.date,
            packages: root.count(),
            note: root.note,
        });
    }
    Ok(generations)
}

/// Sorts versions of packages, the newest first.
pub(super) fn newest_first(kind: Kind, records: &mut [Record]) {
    records.sort_by(|left, right| {
        compare(kind, &right.identity.version, &left.identity.version)
            .then_with(|| left.identity.architecture.cmp(&right.identity.architecture))
    });
}

/// Compares versions as the clients of a suite do.
pub(super) fn compare(kind: Kind, left: &str, right: &str) -> std::cmp::Ordering {
    match kind {
        Kind::Apt => compare_debian(left, right),
        Kind::Yum => compare_rpm(left, right),
    }
}
