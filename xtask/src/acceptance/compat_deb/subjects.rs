//! What is packaged by both: cargo-deb itself, and public crates with a table for it.

use crate::acceptance::crates::Crate;

/// One crate, and how it is prepared.
pub(super) struct Subject {
    pub(super) krate: Crate,
    /// Where in its repository the crate lies; its table may name files beside it.
    pub(super) directory: &'static str,
    pub(super) variant: Option<&'static str>,
    /// Further switches, the same for both.
    pub(super) arguments: &'static [&'static str],
    /// What cargo-deb refuses in the manifest, and what it gets in its place; packhouse gets the manifest as it is.
    pub(super) mended: &'static [(&'static str, &'static str)],
}

impl Subject {
    /// The crate with its variant.
    pub(super) fn label(&self) -> String {
        let variant = self.variant.map(|variant| format!("-{variant}")).unwrap_or_default();
        format!("{}-{}{variant}", self.krate.name, self.krate.version)
    }
}

const fn of(name: &'static str, version: &'static str, sha256: &'static str) -> Subject {
    Subject { krate: Crate { name, version, sha256 }, directory: "", variant: None, arguments: &[], mended: &[] }
}

/// routinator's key for another tool of the family, which cargo-deb does not know.
const USR_MERGE: (&str, &str) = ("usr-merge = false\n", "");

/// In the order in which they are packaged.
pub(super) const SUBJECTS: &[Subject] = &[
@SUBJECTS@
];
