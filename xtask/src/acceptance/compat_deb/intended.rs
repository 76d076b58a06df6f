//! Where packhouse means to differ from cargo-deb, and why.

use super::compare::Difference;
use super::subjects::Subject;

/// A difference that is meant.
pub(super) struct Intended {
    /// What differs; `*` at the end stands for anything.
    pub(super) what: &'static str,
    /// In which crate; `None` for any.
    of: Option<&'static str>,
    /// What packhouse has holds this.
    ours: &'static str,
    /// What cargo-deb has holds this.
    theirs: &'static str,
    pub(super) reason: &'static str,
}

impl Intended {
    /// Whether this is why they differ.
    pub(super) fn explains(&self, subject: &Subject, difference: &Difference) -> bool {
        let what = match self.what.strip_suffix('*') {
            Some(start) => difference.what.starts_with(start),
            None => difference.what == self.what,
        };
        what && self.of.is_none_or(|name| name == subject.krate.name)
            && difference.ours.contains(self.ours)
            && difference.theirs.contains(self.theirs)
    }
}

/// All of them.
pub(super) const INTENDED: &[Intended] = &[
    Intended {
        what: "field Section",
        of: None,
        ours: "misc",
        theirs: "-",
        reason: "a package without a section is in none of apt's lists (Debian Policy 5.6.5 recommends one)",
    },
    Intended {
        what: "field Section",
        of: Some("sniffnet"),
        ours: "network",
        theirs: "Network",
        reason: "sections are lower-case (Debian Policy 2.4)",
    },
];
