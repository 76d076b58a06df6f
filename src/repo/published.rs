//! What a suite holds, for a build that follows it.

use std::path::PathBuf;

use super::error::RepoError;
use super::layout::Repository;
use super::root;
use super::store::Store;
use super::suite::{Kind, Suite};

/// A package in a suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InSuite {
    /// The whole version, as the format spells it.
    pub version: String,
    /// `amd64`, `all`, `x86_64`, `noarch`.
    pub architecture: String,
    /// Where its file is.
    pub path: PathBuf,
}

/// The packages of one name in a suite; none when there is no such suite.
pub fn in_suite(repository: &Repository, kind: Kind, suite: &str, name: &str) -> Result<Vec<InSuite>, RepoError> {
    let (store, suite) = (Store::at(repository.root()), Suite::of(kind, suite));
    let Some(root) = root::current(&store, &suite)? else { return Ok(Vec::new()) };
    let records = root.find(&store, name)?.into_iter();
    let found = records.filter(|record| !["source", "src"].contains(&record.identity.architecture.as_str()));
    let found = found.map(|record| InSuite {
        path: store.path(&record.path(&suite)),
        version: record.identity.version,
        architecture: record.identity.architecture,
    });
    Ok(found.collect())
}
