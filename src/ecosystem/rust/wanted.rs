//! What a package wants of cargo: its commands, files by name, or nothing because all of it is there already.

use super::error::RustError;
use super::kept::keep;
use super::made::{self, Places, profile_directory};
use super::project::Project;
use crate::config::{FileSource, ServiceSettings};
use crate::ecosystem::Context;
use crate::package::{self, BuiltFile, Staged};
use crate::target::Target;
use crate::workspace::Member;

/// Whether cargo is to be called at all.
pub(super) fn calls_cargo(settings: &ServiceSettings, target: &Target) -> bool {
    let has_built = package::wanted(settings, target).next().is_some();
    !settings.rust.prebuilt && (has_built || settings.dialect.is_none() || !settings.is_flat())
}

/// What is in the repository's own target directory already.
pub(super) fn prebuilt(
    context: Context<'_>,
    service: &Member,
    settings: &ServiceSettings,
    sources: &[&FileSource],
) -> Result<Staged, RustError> {
    let project = Project::of(context.workspace, service)?;
    let profile = settings.rust.profile.as_deref().unwrap_or("release");
    let results = project.absolute().join("target").join(profile_directory(profile));
    let places = Places {
        service: service.name.as_str(),
        root: &project.repository,
        directory: &context.workspace.directory(service),
        results: &results,
        built: None,
    };
    let mut staged = Staged::default();
    for (path, place) in places.find(sources.iter().copied())? {
        let content = keep(context.cache, &fs_err::read(&place)?)?;
        staged.built.insert(path, BuiltFile { content, executable: made::is_executable(&place)? });
    }
    Ok(staged)
}

/// The commands that are installed by their names; `None` for all that cargo makes.
pub(super) fn commands(settings: &ServiceSettings, service: &Member, has_built: bool) -> Option<Vec<String>> {
    let is_silent = settings.is_flat() && (settings.dialect.is_some() || has_built);
    match &settings.commands {
        None if is_silent => Some(Vec::new()),
        None => Some(service.commands.clone()).filter(|commands| !commands.is_empty()),
        Some(commands) if is_silent => Some(commands.clone()),
        Some(commands) => Some(commands.clone()).filter(|commands| !commands.is_empty()),
    }
}
