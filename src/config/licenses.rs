//! `[licenses]`: which licences may be in a package.

use super::error::Error;
use super::reader::Reader;

/// The policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LicensePolicy {}

/// `[licenses]`.
pub(super) fn licenses(_reader: &Reader<'_>) -> Result<LicensePolicy, Error> {
    Ok(LicensePolicy {})
}
