//! Files that a manifest names: read, when they are the project's own.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::requirements::requirement::join_normalised;
use super::requirements::{self, RequirementsFile};
use super::source::{Error, Source};

/// The file `name`, relative to the manifest; it must not leave the manifest's directory (as setuptools demands).
pub(super) fn path(manifest: &Source, name: &str, span: Range<usize>) -> Result<PathBuf, Error> {
    let directory = manifest.path.parent().unwrap_or(Path::new("/"));
    let path = join_normalised(directory, Path::new(name.trim()));
    if !path.starts_with(directory) {
        return Err(manifest.error(span, format!("`{name}` leaves the directory of the project"), &[]));
    }
    Ok(path)
}

/// Reads it.
pub(super) fn read(manifest: &Source, name: &str, span: Range<usize>) -> Result<Source, Error> {
    Source::read(&path(manifest, name, span.clone())?).map_err(|error| at(manifest, name, span, error))
}

/// Reads it as a requirements file.
pub(super) fn requirements(manifest: &Source, name: &str, span: Range<usize>) -> Result<RequirementsFile, Error> {
    requirements::read_source(&read(manifest, name, span)?)
}

fn at(manifest: &Source, name: &str, span: Range<usize>, error: Error) -> Error {
    match error {
        Error::Read { source, .. } => manifest.error(span, format!("cannot read `{name}`: {source}"), &[]),
        other => other,
    }
}
