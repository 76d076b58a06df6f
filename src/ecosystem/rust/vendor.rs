//! Vendoring.
use crate::ecosystem::{Context, Error, Outcome};
use crate::workspace::Member;

pub(super) fn vendor(_context: Context<'_>, _service: &Member) -> Result<Outcome, Error> {
    Ok(Outcome::Fresh)
}
