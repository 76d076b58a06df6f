//! What cargo made, as entries of `files` name it: by paths below `target/<profile>/`, or patterns of these.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Staged;
use crate::config::{FileKind, FileSettings, FileSource, ServiceSettings};
use crate::target::Target;
use crate::tree::{Content, InstallPath};

/// A file that a build made.
#[derive(Debug, Clone)]
pub struct BuiltFile {
    /// Its content.
    pub content: Content,
    /// Whether it may be executed.
    pub executable: bool,
}

/// The entries for `target` that name what cargo makes.
pub fn wanted<'a>(service: &'a ServiceSettings, target: &'a Target) -> impl Iterator<Item = &'a FileSource> {
    service.files.iter().filter(move |entry| entry.is_for(target)).filter_map(|entry| match &entry.kind {
        FileKind::File(source @ (FileSource::Built { .. } | FileSource::BuiltGlob { .. })) => Some(source),
        _ => None,
    })
}

/// The path below the entry's place, and the file, of everything of `built` that `source` names.
pub(super) fn find<'a>(built: &'a BTreeMap<PathBuf, BuiltFile>, source: &FileSource) -> Vec<(String, &'a BuiltFile)> {
    match source {
        FileSource::Built { path, .. } => built.get(path).map(|file| (String::new(), file)).into_iter().collect(),
        FileSource::BuiltGlob { base, pattern, .. } => built
            .iter()
            .filter(|(path, _)| pattern.is_match(path))
            .filter_map(|(path, file)| Some((below(base, path)?, file)))
            .collect(),
        FileSource::Path(_) | FileSource::Glob { .. } => Vec::new(),
    }
}

/// What is kept of the path of a file that a pattern finds: what is below its fixed part; of what a build script wrote, what is
/// below the directory that it was given, whose name is cargo's.
fn below(base: &Path, path: &Path) -> Option<String> {
    let mut parts = path.components();
    let written: Vec<_> = parts.by_ref().take(3).collect();
    let is_out = written.first().is_some_and(|first| first.as_os_str() == "build") && base.components().count() < 3;
    let below = if is_out { parts.as_path() } else { path.strip_prefix(base).ok()? };
    Some(below.to_str()?.to_owned())
}

/// Where an entry puts a file that it finds at `below`.
pub(super) fn place(entry: &FileSettings, below: &str) -> Option<InstallPath> {
    match &entry.kind {
        FileKind::File(FileSource::Built { path, .. }) if entry.into => {
            entry.path.join(path.file_name()?.to_str()?).ok()
        }
        _ if below.is_empty() => Some(entry.path.clone()),
        _ => entry.path.join(below).ok(),
    }
}

/// Where the first entry that names the file at `path` below `target/<profile>/` puts it.
pub(crate) fn place_of(service: &ServiceSettings, target: &Target, path: &Path) -> Option<InstallPath> {
    service.files.iter().filter(|entry| entry.is_for(target)).find_map(|entry| match &entry.kind {
        FileKind::File(FileSource::Built { path: own, .. }) if own == path => place(entry, ""),
        FileKind::File(FileSource::BuiltGlob { base, pattern, .. }) if pattern.is_match(path) => {
            place(entry, &below(base, path)?)
        }
        _ => None,
    })
}

/// Directories of commands, which everybody has in `PATH`.
const COMMANDS: [&str; 3] = ["/usr/bin", "/usr/sbin", "/usr/games"];

/// The name of the command that a program at `path` is.
pub(super) fn command(path: &InstallPath) -> Option<&str> {
    let directory = path.parent()?;
    COMMANDS.contains(&directory.as_str()).then(|| path.file_name())
}

/// The commands that `files` install: name and content, in the order of their names.
pub(crate) fn commands<'a>(
    service: &ServiceSettings,
    staged: &'a Staged,
    target: &Target,
) -> BTreeMap<String, &'a BuiltFile> {
    let mut commands = BTreeMap::new();
    for entry in service.files.iter().filter(|entry| entry.is_for(target)) {
        let FileKind::File(source) = &entry.kind else { continue };
        for (below, file) in find(&staged.built, source) {
            let place = place(entry, &below).filter(|_| file.executable);
            if let Some(name) = place.as_ref().and_then(command) {
                commands.insert(name.to_owned(), file);
            }
        }
    }
    commands
}
