//! `[package.metadata.generate-rpm]`: the table of cargo-generate-rpm.

use super::manifest::CrateManifest;
use super::{Note, Options, Tables};
use crate::config::error::Error;

/// What the table says; `None` when there is none.
pub(super) fn read(_manifest: &CrateManifest, _options: &Options, _notes: &mut Vec<Note>) -> Result<Option<Tables>, Error> {
    Ok(None)
}
