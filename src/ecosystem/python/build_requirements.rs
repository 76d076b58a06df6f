//! What must be there to build what has no wheel: the repository's own packages, and source distributions.
//!
//! Back ends are named statically (`build-system.requires` of PEP 518, `setup_requires`, what the settings add); what a
//! back end asks for only when it runs belongs into `build-requires` of the settings. All of a service's builds share one
//! set, resolved at once for the same interpreters as the service. A build requirement may itself have no wheel; then what
//! builds that joins the set, until nothing new turns up.

use std::collections::BTreeSet;

use crate::config::PythonSettings;
use crate::ecosystem::Context;
use crate::fetch::{Client, Download, download};

use super::closure::Closure;
use super::lock_error::LockError;
use super::pylock::LockedPackage;
use super::sdist::{self, SourceFacts};
use super::uv_lock::Artefact;

/// How deep builds may need builds.
pub(super) const DEPTH: usize = 8;

/// What the repository's own packages need to be built, as PEP 508.
pub(super) fn of_locals(closure: &Closure<'_>, settings: &PythonSettings) -> BTreeSet<String> {
    let mut requirements = BTreeSet::new();
    for local in &closure.locals {
        requirements.extend(local.project.build_system.requires.iter().cloned());
        requirements.extend(added(settings, &local.member.ecosystem_name));
    }
    requirements
}

/// What the source distributions (and archives) among `packages` need to be built.
pub(super) fn of_sources(
    context: Context<'_>,
    client: &Client,
    packages: &[LockedPackage],
    settings: &PythonSettings,
) -> Result<BTreeSet<String>, LockError> {
    let mut requirements = BTreeSet::new();
    for package in packages {
        let sources = package.sdist.iter().chain(package.archive.iter().filter(|file| !file.name.ends_with(".whl")));
        for file in sources {
            let artefact = Artefact {
                name: file.name.clone(),
                url: file.url.clone().unwrap_or_default(),
                sha256: Some(file.hashes.sha256),
                size: file.size,
            };
            requirements.extend(facts(context, client, &package.name, &artefact)?.build_requires);
            requirements.extend(added(settings, &package.name));
        }
    }
    Ok(requirements)
}

fn added<'a>(settings: &'a PythonSettings, name: &str) -> impl Iterator<Item = String> + 'a {
    settings.build_requires.get(name).into_iter().flatten().cloned()
}

/// What the source distribution `file` of `package` says, fetched into the cache and verified first.
pub(super) fn facts(
    context: Context<'_>,
    client: &Client,
    package: &str,
    file: &Artefact,
) -> Result<SourceFacts, LockError> {
    let refused = |reason: String| LockError::Source { package: package.to_owned(), file: file.name.clone(), reason };
    let url = url::Url::parse(&file.url).map_err(|error| refused(error.to_string()))?;
    let wanted = Download { name: file.name.clone(), url, sha256: file.sha256, size: file.size };
    let fetched = download(client, &[wanted], context.cache, context.reporter)
        .map_err(|error| LockError::Other(Box::new(error)))?;
    let path =
        fetched.first().map(|fetched| fetched.path.clone()).ok_or_else(|| refused("it was not fetched".to_owned()))?;
    sdist::read(&path, &file.name).map_err(|error| refused(error.to_string()))
}
