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
const NO_MASK: &str = "debhelper masks no removed unit any more (13.11, Debian 12): a removed file needs no mask";
const SEPARATE: &str = "separated debug symbols are a package of their own, as Debian has them";

const fn of(what: &'static str, ours: &'static str, theirs: &'static str, reason: &'static str) -> Intended {
    Intended { what, of: None, ours, theirs, reason }
}

const fn forms(what: &'static str, ours: &'static str, theirs: &'static str, reason: &'static str) -> Intended {
    Intended { of: Some("forms"), ..of(what, ours, theirs, reason) }
}

const WITHOUT_MODE: &str = "an asset without mode is a file; cargo-deb takes the array of two for a link";
const JOB: &str =
    "a job that a timer starts is not started by installing it; users are made, where a file for them is found";

/// All of them.
pub(super) const INTENDED: &[Intended] = &[
    of("field Section", "misc", "-", "a package without a section is in none of apt's lists (Debian Policy 5.6.5)"),
    Intended {
        of: Some("sniffnet"),
        ..of("field Section", "network", "Network", "sections are lower-case (Debian Policy 2.4)")
    },
    of("synopsis", "", "A ", SYNOPSIS),
    Intended { of: Some("routinator"), ..of("synopsis", "RPKI", "An RPKI", SYNOPSIS) },
    of(
        "control preinst",
        "preinst",
        "-",
        "what ran before an upgrade is remembered, so that what was stopped by hand stays so",
    ),
    Intended { of: Some("atuin"), ..of("synopsis", "magical", "atuin - magical", SYNOPSIS) },
    of("effect on remove", "-", "deb-systemd-helper mask", NO_MASK),
    of("effect on purge", "-", "deb-systemd-helper unmask", NO_MASK),
    of("effect on failed removal", "restart", "start", "both start what the prerm has stopped"),
    forms("member data*", "-", "", WITHOUT_MODE),
    forms("member usr/share/forms/two-renamed.txt", "-rw-r--r--", "-", WITHOUT_MODE),
    forms("conffiles", "", "/etc/forms/link", "a link is no conffile (Debian Policy 10.7.3)"),
    forms("effect on install", "", "start quiet.service", JOB),
    forms("effect on upgrade", "", "start quiet.service", JOB),
    forms("effect on failed upgrade", "", "start quiet.service", JOB),
    forms(
        "member usr/lib/sysusers.d*",
        "",
        "-",
        "a sysusers file of the crate's name counts where the package has none",
    ),
    forms(
        "member usr/lib/tmpfiles.d/*",
        "-",
        "-rw-r--r--",
        "one tmpfiles.d file is installed once, and not under each unit's name",
    ),
    Intended { of: Some("condure"), ..of("member usr/lib*", "-", "", SEPARATE) },
];
