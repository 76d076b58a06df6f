//! The door: every line is a package that must not get in, made here byte by byte, with the reason that is given.
//!
//! A good package of the same making is published first, so that each bad one is refused for what is said of it.

mod bombs;
mod debs;
mod rpms;
mod sources;

use std::path::Path;

use packhouse::repo::RepoError;

use crate::support::{Bench, walk};

/// What is wrong, the file's bytes, and a part of the reason.
type Case = (String, Vec<u8>, &'static str);

/// Publishes each alone and together with a good package: it is named, its reason is given, and nothing changes.
fn all_are_refused(suffix: &str, suite: &str, good: &[u8], cases: Vec<Case>) {
    let mut bench = Bench::new();
    let place = bench.path(&format!("good.{suffix}"));
    std::fs::write(&place, good).unwrap();
    bench.publish(suite, &[&place]).expect("the package that the others are made from is good");
    let before = bench.visible();
    let other = if suffix == "deb" { bench.deb("other", "1", "all") } else { bench.rpm("other", "1", "one", "") };
    let mut wrong = Vec::new();
    for (number, (what, bytes, reason)) in cases.into_iter().enumerate() {
        let path = bench.path(&format!("case-{number}.{suffix}"));
        std::fs::write(&path, bytes).unwrap();
        for packages in [&[path.as_path()][..], &[&other, &path]] {
            match bench.publish(suite, packages) {
                Err(error) => wrong.extend(complaint(&error, &path, reason).map(|why| format!("{what}: {why}"))),
                Ok(_) => wrong.push(format!("{what}: it was published")),
            }
        }
        std::fs::remove_file(&path).unwrap();
        if wrong.is_empty() {
            assert!(bench.visible() == before, "{what}: the repository was changed");
            let left = walk(&bench.published(".packhouse/tmp"));
            assert!(left.is_empty(), "{what}: {left:?} are left");
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// What is wrong with an error; nothing when it is a refusal of this file for this reason.
fn complaint(error: &RepoError, path: &Path, reason: &str) -> Option<String> {
    match error {
        RepoError::BadPackage { path: named, reason: said } if named == path && said.contains(reason) => None,
        RepoError::BadPackage { .. } => Some(format!("it should say `{reason}`: {error}")),
        other => Some(format!("it was not refused, but: {other:?}")),
    }
}
