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

const SYNOPSIS: &str =
    "a synopsis has no article and not the package's name in front, and no full stop at its end (Debian Policy 3.4.1)";
const SEPARATE: &str = "separated debug symbols are a package of their own, as Debian has them";

const fn of(what: &'static str, ours: &'static str, theirs: &'static str, reason: &'static str) -> Intended {
    Intended { what, of: None, ours, theirs, reason }
}

/// All of them.
pub(super) const INTENDED: &[Intended] = &[
    of("field Section", "misc", "-", "a package without a section is in none of apt's lists (Debian Policy 5.6.5)"),
    Intended {
        of: Some("sniffnet"),
        ..of("field Section", "network", "Network", "sections are lower-case (Debian Policy 2.4)")
    },
    of("synopsis", "", "A ", SYNOPSIS),
    Intended { of: Some("atuin"), ..of("synopsis", "magical", "atuin - magical", SYNOPSIS) },
    Intended { of: Some("condure"), ..of("member usr/lib*", "-", "", SEPARATE) },
];
