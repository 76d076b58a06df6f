//! Rings: dnf and zypper know no phased updates, but their URLs may have variables.
//!
//! Suites `el9-canary` and `el9-stable` are the rings `canary` and `stable` of `el9`. One .repo file serves all machines:
//! its URL ends with `el9-$ring`, and each machine says in a file which ring it is in. Packages are promoted from ring to
//! ring as from suite to suite.

use super::super::error::RepoError;
use super::super::layout::{Configuration, Repository};
use super::super::snippets;
use super::super::suite::{Kind, Suite};

/// What the rings of a suite share: `el9` of the suite `el9-canary` with the ring `canary`.
fn group<'a>(suite: &'a str, ring: &str) -> Option<&'a str> {
    suite.strip_suffix(ring)?.strip_suffix('-').filter(|group| !group.is_empty())
}

/// An error when a suite cannot be this ring.
pub(super) fn check(repository: &Repository, suite: &Suite, ring: &str) -> Result<(), RepoError> {
    let wrong = |rule| Err(RepoError::InvalidWord { text: ring.to_owned(), what: "the ring of this suite", rule });
    if suite.kind == Kind::Apt {
        return wrong("apt has phased updates (`packhouse repo phase`); rings are for dnf and zypper");
    }
    match group(&suite.name, ring) {
        None => wrong("a suite that is a ring is called GROUP-RING, as in `el9-canary`"),
        Some(group) if repository.configuration().yum.contains_key(group) => {
            wrong("a suite of the group's own name has the file that the rings need")
        }
        Some(_) => Ok(()),
    }
}

/// The files for clients of rings: their names and texts.
pub(super) fn snippets(repository: &Repository) -> Result<Vec<(String, String)>, RepoError> {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    let Configuration { yum, .. } = repository.configuration();
    for (suite, options) in yum {
        let Some(ring) = options.ring.as_deref() else { continue };
        let Some(group) = group(suite, ring) else { continue };
        match groups.iter_mut().find(|(known, _)| *known == group) {
            Some((_, rings)) => rings.push(ring),
            None => groups.push((group, vec![ring])),
        }
    }
    groups.into_iter().map(|(group, rings)| snippets::rings(repository, group, &rings)).collect()
}
