//! Static detection.
use crate::diagnostic::Diagnose;
use crate::workspace::{Directory, Member};

pub(super) fn detect(_directory: Directory<'_>) -> Result<Vec<Member>, Box<dyn Diagnose + Send + Sync>> {
    Ok(Vec::new())
}
