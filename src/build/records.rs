//! What came out of a job the last time, and from what.
//!
//! One for each service and target of a repository, in the cache. One that is damaged, or of another form, is as good as none.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cache::record;
use crate::digest::Sha256;
use crate::ecosystem::Context;
use crate::format::Artefact;
use crate::tree::InstallPath;

/// Changes with the form of records.
const SECTION: &str = "jobs/v1";

/// A job that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// All that went in, by name.
    pub(super) inputs: BTreeMap<String, Sha256>,
    /// What came out.
    pub(super) artefacts: Vec<Artefact>,
    /// What the user was told.
    pub(super) notes: Vec<String>,
    /// The paths of each package that no other may have, for [`super::claims::Claims`].
    pub(super) claims: Vec<(String, Vec<String>)>,
    /// How long it took when its tree had to be made: milliseconds.
    pub(super) duration: u64,
}

impl Record {
    /// Reads that of `service` for `target`.
    pub(super) fn read(context: Context<'_>, service: &str, target: &str) -> Option<Self> {
        let (key, place) = place(context, service, target);
        serde_json::from_slice(&record::read(&place, &key)?).ok()
    }

    /// Keeps it. That it cannot be kept only means that the job is done again.
    pub(super) fn write(&self, context: Context<'_>, service: &str, target: &str) {
        let (key, place) = place(context, service, target);
        drop(serde_json::to_vec(self).map(|json| record::write(context.cache, &place, &key, &json)));
    }

    /// How long it took.
    pub(super) fn duration(&self) -> Duration {
        Duration::from_millis(self.duration)
    }

    /// The paths of each package.
    pub(super) fn claims(&self) -> Option<Vec<(&str, Vec<InstallPath>)>> {
        let parsed = |paths: &[String]| paths.iter().map(|path| InstallPath::parse(path).ok()).collect::<Option<_>>();
        self.claims.iter().map(|(package, paths)| Some((package.as_str(), parsed(paths)?))).collect()
    }
}

/// What a record is about, and where it stands.
fn place(context: Context<'_>, service: &str, target: &str) -> (String, PathBuf) {
    let root = context.workspace.root.as_os_str().as_encoded_bytes();
    let key = [root, service.as_bytes(), target.as_bytes()].join(&0);
    let key = Sha256::of(&key).to_string();
    let place = context.cache.section(SECTION).join(&key);
    (key, place)
}
