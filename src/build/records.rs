//! What came out of a job the last time, and from what.
//!
//! One record for each service and target of a repository, in the cache. It begins with a digest of itself, so that one that
//! is damaged, or of another form, is as good as none.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

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
        let text = fs_err::read_to_string(place(context, service, target)).ok()?;
        let (digest, json) = text.split_once('\n')?;
        (digest.parse().ok() == Some(Sha256::of(json.as_bytes()))).then(|| serde_json::from_str(json).ok())?
    }

    /// Keeps it. That it cannot be kept only means that the job is done again.
    pub(super) fn write(&self, context: Context<'_>, service: &str, target: &str) {
        let written = || -> std::io::Result<()> {
            let json = serde_json::to_string(self)?;
            let place = place(context, service, target);
            let file = context.cache.temporary_file()?;
            fs_err::write(file.path(), format!("{}\n{json}", Sha256::of(json.as_bytes())))?;
            if let Some(parent) = place.parent() {
                fs_err::create_dir_all(parent)?;
            }
            file.persist(&place).map_err(|error| error.error)?;
            Ok(())
        };
        drop(written());
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

fn place(context: Context<'_>, service: &str, target: &str) -> PathBuf {
    let root = context.workspace.root.as_os_str().as_encoded_bytes();
    let key = [root, service.as_bytes(), target.as_bytes()].join(&0);
    context.cache.section(SECTION).join(format!("{}.json", Sha256::of(&key)))
}
