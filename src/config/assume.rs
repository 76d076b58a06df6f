//! Settings of a project that has no configuration: one service needs none.
//!
//! What a packhouse.toml would have to say is guessed ([`super::guess`]); everything else has a default anyway. Several
//! services share an organisation, which is a decision, so that they want a file, or to be told.

use std::collections::BTreeMap;
use std::path::Path;

use globset::GlobSet;

use super::error::Error;
use super::guess::{self, Guess, People, Told};
use super::{DEFAULT_TARGETS, LicensePolicy, Maintainer, ProjectSettings, RepositorySettings, Settings};
use crate::format::Effort;
use crate::name::OrgName;
use crate::target::{distributions, parse_target};
use crate::workspace::Workspace;

/// Settings that nobody wrote.
#[derive(Debug, Clone)]
pub struct Assumed {
    /// The settings.
    pub settings: Settings,
    /// Where the organisation came from.
    pub org: Guess<OrgName>,
    /// Where the maintainer came from.
    pub maintainer: Guess<Maintainer>,
}

/// Guesses the settings of the workspace in `root`; `start` is where the configuration was looked for.
///
/// # Errors
/// When there is nothing to package, when there are several services and nobody said whose, when something cannot be
/// guessed, when an argument is wrong.
pub fn assume(start: &Path, workspace: &Workspace, told: &Told, people: People<'_>) -> Result<Assumed, Error> {
    let root = &workspace.root;
    if workspace.members.is_empty() {
        return Err(Error::Missing { start: start.to_path_buf() });
    }
    let org = guess::org(root, workspace, told)?;
    let services: Vec<String> = workspace.services().map(|service| service.name.to_string()).collect();
    if services.len() > 1 && told.org.is_none() && told.default_org.is_none() {
        return Err(Error::Several { services, org: org.value.to_string() });
    }
    let maintainer = guess::maintainer(root, workspace, told, people)?;
    let distributions = distributions();
    let targets = DEFAULT_TARGETS.iter().filter_map(|target| parse_target(target, &distributions).ok()).collect();
    let project = ProjectSettings {
        org: org.value.clone(),
        maintainer: maintainer.value.clone(),
        homepage: None,
        license: None,
        targets,
        members: None,
        exclude: GlobSet::empty(),
        vendor: Path::new(super::load::VENDOR).to_path_buf(),
        effort: Effort::default(),
    };
    let settings = Settings {
        root: root.clone(),
        project,
        indexes: Vec::new(),
        services: BTreeMap::new(),
        adopted: BTreeMap::new(),
        distributions,
        licenses: LicensePolicy::default(),
        repository: RepositorySettings::default(),
    };
    Ok(Assumed { settings, org, maintainer })
}
