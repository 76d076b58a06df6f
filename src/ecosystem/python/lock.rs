//! Locking.
use crate::ecosystem::{Context, Error, Outcome, Upgrade};
use crate::workspace::Member;

pub(super) fn lock(_context: Context<'_>, _service: &Member, _upgrade: &Upgrade) -> Result<Outcome, Error> {
    Ok(Outcome::Fresh)
}
