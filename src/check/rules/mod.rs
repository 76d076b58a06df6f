//! The rules, one file per family. Each looks at a [`super::Subject`] and knows nothing of the others.

pub(super) mod binaries;
pub(super) mod configuration;
pub(super) mod documents;
pub(super) mod links;
pub(super) mod maintainer_scripts;
pub(super) mod metadata;
pub(super) mod modes;
pub(super) mod places;
pub(super) mod python;
pub(super) mod relations;
pub(super) mod scripts;
pub(super) mod traces;
pub(super) mod units;
pub(super) mod users;
