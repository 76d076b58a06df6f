//! What an administrator says of a suite: kept in `packhouse-repository.json`, and in every root made with it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::digest::Sha256;

/// The options of one suite. Each has a default, so that a suite needs none. A text of a Release field that is empty leaves
/// the field out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SuiteOptions {
    /// apt's `Origin`, where it is not the repository's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// apt's `Label`, where it is not the repository's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// apt's `Suite`, where it is not the suite's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suite: Option<String>,
    /// apt's `Codename`, where it is not the suite's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codename: Option<String>,
    /// apt's `Version`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// apt's `Description`, where it is not the repository's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Architectures that have an index even when they have no package.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub architectures: BTreeSet<String>,
    /// Components that have an index even when they have no package.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub components: BTreeSet<String>,
    /// Clients install from this suite only what they are told to.
    #[serde(skip_serializing_if = "is_false")]
    pub not_automatic: bool,
    /// What was installed from this suite is upgraded from it, `not_automatic` notwithstanding.
    #[serde(skip_serializing_if = "is_false")]
    pub but_automatic_upgrades: bool,
    /// Seconds that an index is valid for; without: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_for: Option<u64>,
    /// Whether there are `Contents` files.
    pub contents: bool,
    /// Whether long descriptions stand in `Translation-en` instead of `Packages`; of packages published from then on.
    #[serde(skip_serializing_if = "is_false")]
    pub translations: bool,
    /// How many versions of a package are kept; without: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_versions: Option<u32>,
    /// How many days a version that is not the newest is kept; without: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_days: Option<u32>,
    /// Nothing enters or leaves the suite.
    #[serde(skip_serializing_if = "is_false")]
    pub frozen: bool,
    /// The ring that a yum suite is: `canary` of the suite `el9-canary`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ring: Option<String>,
    /// apt's `Snapshots`, where it is not below the repository's URL: a URL with `@SNAPSHOTID@` in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshots: Option<String>,
    /// Group metadata of a yum suite: the object that has the XML.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Sha256>,
    /// How packages are rolled out, by the name of their source package.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub schedules: BTreeMap<String, Schedule>,
}

/// How a source package's newest version is rolled out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// When it began, seconds since 1970-01-01 UTC.
    pub start: i64,
    /// From so many seconds after the start on, so many percent.
    pub steps: Vec<(u64, u8)>,
}

impl Default for SuiteOptions {
    fn default() -> Self {
        Self {
            origin: None,
            label: None,
            suite: None,
            codename: None,
            version: None,
            description: None,
            architectures: BTreeSet::new(),
            components: BTreeSet::new(),
            not_automatic: false,
            but_automatic_upgrades: false,
            valid_for: None,
            contents: true,
            translations: false,
            keep_versions: None,
            keep_days: None,
            frozen: false,
            ring: None,
            snapshots: None,
            groups: None,
            schedules: BTreeMap::new(),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
fn is_false(value: &bool) -> bool {
    !value
}
