//! What `vendor.txt` and requirements by URL name, as stand-ins for the resolution and as locked packages.

use crate::ecosystem::Context;
use crate::fetch::Client;

use super::closure::Closure;
use super::indexes::Indexes;
use super::lock_error::LockError;
use super::select::Sites;
use super::shim::Shim;
use super::vendor_txt::VendorFile;

/// Stand-ins for all that `vendor` and the closure's archives name.
pub(super) fn stand_ins(
    _context: Context<'_>,
    _client: &Client,
    vendor: &VendorFile,
    closure: &Closure<'_>,
    _sites: &Sites,
    _indexes: &Indexes,
) -> Result<Vec<Shim>, LockError> {
    if vendor.entries.is_empty() && closure.archives().next().is_none() {
        return Ok(Vec::new());
    }
    Err(LockError::Io(std::io::Error::other("not yet")))
}
