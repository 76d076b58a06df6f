//! Differences that are meant, each with its reason. What is in no rule here is a failure, and so is a rule that nothing
//! needs: a table that is longer than the truth hides something.

use super::Difference;

/// A kind of difference that is meant.
pub(super) struct Intended {
    /// Why ours is right.
    pub(super) reason: &'static str,
    pub(super) holds: fn(&Difference<'_>) -> bool,
}

/// All of them.
pub(super) const INTENDED: &[Intended] = &[
    Intended {
        reason: "an asset without a mode has the file's own (0755 or 0644); the tool writes 0664, and programs cannot be started",
        holds: |one| {
            one.fact.ends_with(": mode")
                && one.theirs == Some("100664")
                && matches!(one.ours, Some("100755" | "100644"))
        },
    },
    Intended {
        reason: "what the table puts below /lib is installed below /usr/lib: /lib is a link wherever the package can be installed",
        holds: |one| {
            let (theirs, ours) = (one.path("/lib/"), one.path("/usr/lib/"));
            (theirs.is_some() && one.ours.is_none()) || (ours.is_some() && one.theirs.is_none() && one.has_merged)
        },
    },
    Intended {
        reason: "a package owns the directories that are its own; the tool leaves them behind when the package is removed",
        holds: |one| one.is_our_directory && one.theirs.is_none(),
    },
    Intended {
        reason: "what lies below /usr/share/doc and /usr/share/man is documentation, as rpmbuild marks it",
        holds: |one| {
            let below = ["/usr/share/doc/", "/usr/share/man/"].iter().any(|directory| one.path(directory).is_some());
            below && one.fact.ends_with(": flags") && one.theirs == Some("0") && one.ours == Some("2")
        },
    },
    Intended {
        reason: "a package has a group, a vendor and somebody who answers for it; the tool writes `Unspecified`, or nothing",
        holds: |one| {
            matches!(one.fact, "group" | "packager" | "vendor") && matches!(one.theirs, Some("Unspecified" | "(none)"))
        },
    },
    Intended {
        reason: "a summary is one line of at most 79 characters that begins with a capital letter and no article, as rpmlint asks",
        holds: |one| {
            let plain = |text: &str| text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
            let (Some(theirs), Some(ours)) = (one.theirs.map(plain), one.ours.map(plain)) else { return false };
            one.fact == "summary" && !ours.is_empty() && theirs.contains(&ours)
        },
    },
    Intended {
        reason: "a description has lines of at most 79 characters and no line break at its end, as rpmlint asks",
        holds: |one| {
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            one.fact == "description" && one.theirs.map(words) == one.ours.map(words)
        },
    },
    Intended {
        reason: "each feature of rpm is required that the package uses; the tool names a part of them",
        holds: |one| one.fact.starts_with("requires rpmlib(") && one.theirs.is_none(),
    },
    Intended {
        reason: "what runs %preuntrans and %postuntrans is required for then, as what runs the other scriptlets",
        holds: |one| {
            let then = [" +100100", " +200100"].iter().any(|bits| one.fact.ends_with(bits));
            one.fact.starts_with("requires /bin/sh ") && then && one.theirs.is_none()
        },
    },
    Intended {
        reason: "`<lua>` is rpm itself: no package provides it, and dnf would install none that requires it",
        holds: |one| one.fact.starts_with("requires <lua> ") && one.ours.is_none(),
    },
    Intended {
        reason: "a licence that SPDX does not know is not written; the manifest says it in SPDX's words",
        holds: |one| (one.fact, one.theirs, one.ours) == ("license", Some("MPLv2.0"), Some("MPL-2.0")),
    },
    Intended {
        reason: "users and groups that every system has need no relation",
        holds: |one| one.fact.starts_with("recommends group(daemon)") && one.ours.is_none(),
    },
];
