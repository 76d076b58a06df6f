//! What a suite holds, for a build that follows it.

use std::path::PathBuf;

use serde::de::DeserializeOwned;

use super::error::RepoError;
use super::layout::Repository;
use super::state::{AptState, States, YumState};
use super::store::Store;
use super::suite::Kind;
use super::{apt, yum};

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
    let store = Store::at(repository.root());
    let found = match kind {
        Kind::Apt => {
            let state: AptState = load(&States::of("apt", suite, &apt::index(suite)), &store)?;
            let packages = state.packages.into_iter().filter(|deb| deb.package == name);
            let found = packages.map(|deb| InSuite {
                path: store.path(&format!("apt/{}", deb.filename)),
                version: deb.version,
                architecture: deb.architecture,
            });
            found.collect()
        }
        Kind::Yum => {
            let state: YumState = load(&States::of("yum", suite, &yum::index(suite)), &store)?;
            let packages = state.packages.into_iter().filter(|rpm| rpm.name == name);
            let found = packages.map(|rpm| {
                let epoch = if rpm.epoch == 0 { String::new() } else { format!("{}:", rpm.epoch) };
                InSuite {
                    version: format!("{epoch}{}-{}", rpm.version, rpm.release),
                    path: store.path(&format!("yum/{suite}/{}", rpm.location)),
                    architecture: rpm.architecture,
                }
            });
            found.collect()
        }
    };
    Ok(found)
}

/// The state of the index in place. A publisher may replace both in between, so that what is missing is looked for again.
fn load<T: DeserializeOwned + Default>(states: &States<'_>, store: &Store) -> Result<T, RepoError> {
    match states.load(store) {
        Err(RepoError::ForeignIndex { .. }) => states.load(store),
        state => state,
    }
}
