//! Man pages and completions of a service's commands.

use super::error::Error;
use super::reader::Reader;

/// `man` and `completions` of `[services.NAME]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageSettings {}

/// What `[services.NAME]` says of them.
pub(super) fn pages(_table: &Reader<'_>) -> Result<PageSettings, Error> {
    Ok(PageSettings {})
}
