//! `[[services.NAME.files]]`: what a package installs beside its private tree.

use super::error::Error;
use super::reader::Reader;
use crate::target::Distribution;

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSettings {}

/// The entries of `[services.NAME]`.
pub(super) fn files(_table: &Reader<'_>, _known: &[Distribution]) -> Result<Vec<FileSettings>, Error> {
    Ok(Vec::new())
}
