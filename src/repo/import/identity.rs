//! What a suite says of itself, and how that is kept: clients remember Origin, Label and Codename, and refuse an index in
//! which they are others (apt's `acquire-item.cc`).

use std::collections::BTreeSet;

use serde::Serialize;

use super::ImportPlan;
use crate::repo::error::RepoError;
use crate::repo::layout::{Repository, check_line};
use crate::repo::options::SuiteOptions;
use crate::repo::root;
use crate::repo::store::Store;
use crate::repo::suite::{Kind, Suite};

/// What a suite says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// `Origin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// `Label`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// `Suite`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suite: Option<String>,
    /// `Codename`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codename: Option<String>,
    /// `Version`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// `Description`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Seconds between `Date` and `Valid-Until`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_for: Option<i64>,
    /// `NotAutomatic`.
    pub not_automatic: bool,
    /// `ButAutomaticUpgrades`.
    pub but_automatic_upgrades: bool,
    /// Without `all` and `source`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub architectures: BTreeSet<String>,
    /// Components that have an index, packages or not.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub components: BTreeSet<String>,
}

/// Gives the suites that are going to be made the names that clients know them by. One that is there keeps its own, and must
/// have the same.
pub(super) fn keep(repository: &mut Repository, store: &Store, plan: &ImportPlan) -> Result<(), RepoError> {
    for planned in
        plan.suites.iter().filter(|planned| planned.kind == Kind::Apt && planned.identity != Identity::default())
    {
        let suite = Suite::of(Kind::Apt, &planned.suite);
        let options = options(repository, &suite, &planned.identity)?;
        if root::current_digest(store, &suite)?.is_none() {
            repository.set_options(&suite, options);
            continue;
        }
        let held = repository.options(&suite);
        for (what, held, wanted) in [
            ("Origin", &held.origin, &options.origin),
            ("Label", &held.label, &options.label),
            ("Codename", &held.codename, &options.codename),
        ] {
            if held != wanted {
                let name = |value: &Option<String>| value.clone().unwrap_or_else(|| "the repository's".to_owned());
                return Err(RepoError::OtherIdentity {
                    suite: planned.suite.clone(),
                    what,
                    held: name(held),
                    found: name(wanted),
                });
            }
        }
    }
    Ok(())
}

/// The options of a suite with this identity: what is as the repository has it anyway is not said again, and what the
/// source does not say is left out (a field that appears is a change, too).
fn options(repository: &Repository, suite: &Suite, identity: &Identity) -> Result<SuiteOptions, RepoError> {
    let configuration = repository.configuration();
    let field = |value: &Option<String>, usual: &str, what: &'static str| {
        if let Some(value) = value {
            check_line(value, what)?;
        }
        let value = value.clone().unwrap_or_default();
        Ok::<_, RepoError>((value != usual).then_some(value))
    };
    let valid_for = identity.valid_for.and_then(|seconds| u64::try_from(seconds).ok());
    Ok(SuiteOptions {
        origin: field(&identity.origin, &configuration.origin, "an Origin")?,
        label: field(&identity.label, &configuration.label, "a Label")?,
        suite: field(&identity.suite, &suite.name, "a Suite")?,
        codename: field(&identity.codename, &suite.name, "a Codename")?,
        version: match &identity.version {
            Some(version) => field(&Some(version.clone()), "", "a Version")?,
            None => None,
        },
        description: match &identity.description {
            Some(description) => field(&Some(description.clone()), &configuration.description, "a Description")?,
            None => None,
        },
        architectures: identity.architectures.clone(),
        components: identity.components.clone(),
        not_automatic: identity.not_automatic,
        but_automatic_upgrades: identity.but_automatic_upgrades,
        valid_for,
        ..SuiteOptions::default()
    })
}
