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
        reason: "what lies below /lib is installed below /usr/lib, because /lib is a link wherever it can be installed",
        holds: |one| is_file_below(one.fact, "/lib/") && one.ours.is_none(),
    },
    Intended {
        reason: "what lies below /lib is installed below /usr/lib, because /lib is a link wherever it can be installed",
        holds: |one| is_file_below(one.fact, "/usr/lib/") && one.theirs.is_none() && one.has_merged,
    },
    Intended {
        reason: "a package has a group and somebody who answers for it; the tool writes `Unspecified` and nobody",
        holds: |one| {
            matches!(one.fact, "group" | "packager" | "vendor") && matches!(one.theirs, Some("Unspecified" | "(none)"))
        },
    },
    Intended {
        reason: "a file that this machine's rpm would read in another way than it was meant: only features that are used are required",
        holds: |one| one.fact.starts_with("requires rpmlib("),
    },
    Intended {
        reason: "a scriptlet's shell is required for the time at which it runs; the tool adds the mark of an interpreter to that",
        holds: |one| one.fact.starts_with("requires /bin/sh +"),
    },
];

fn is_file_below(fact: &str, directory: &str) -> bool {
    fact.strip_prefix("file ").is_some_and(|path| path.starts_with(directory))
}
