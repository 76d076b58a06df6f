//! Staging.
use crate::ecosystem::{Context, Error};
use crate::package::Staged;
use crate::target::Target;
use crate::workspace::Member;

pub(super) fn stage(_context: Context<'_>, _service: &Member, _target: &Target, _time: i64) -> Result<Staged, Error> {
    Ok(Staged::default())
}
