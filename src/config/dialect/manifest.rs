//! A crate's manifest as the dialects need it.

use std::path::{Path, PathBuf};

use crate::config::error::Error;
use crate::config::find::read_text;
use crate::config::reader::Source;

/// The manifest of one crate, with its places.
pub(in crate::config) struct CrateManifest {
    /// The repository's root, absolute.
    pub(in crate::config) root: PathBuf,
    /// The file, relative to the root.
    pub(in crate::config) source: Source,
}

impl CrateManifest {
    /// Reads `path`, relative to `root`.
    pub(in crate::config) fn read(root: &Path, path: &Path) -> Result<Self, Error> {
        let text = read_text(&root.join(path))?;
        Ok(Self { root: root.to_path_buf(), source: Source { path: path.to_path_buf(), text } })
    }
}
