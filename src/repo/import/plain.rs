//! A directory of packages without indices.

use std::io;
use std::path::Path;

use super::{Identity, ImportOptions, ImportPlan, Left, PlannedSuite, relative};
use crate::repo::error::RepoError;
use crate::repo::ingest::Item;
use crate::repo::suite::Kind;

/// Plans for every package below the root. Links are not followed.
pub(super) fn plan(root: &Path, options: &ImportOptions, plan: &mut ImportPlan) -> Result<(), RepoError> {
    let (mut apt, mut yum) = (Vec::new(), Vec::new());
    for entry in walkdir::WalkDir::new(root).sort_by_file_name() {
        let entry = entry.map_err(io::Error::from).map_err(RepoError::io("the source could not be read"))?;
        if entry.file_type().is_dir() {
            continue;
        }
        let extension = entry.path().extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let items = match extension {
            "deb" | "ddeb" | "dsc" => &mut apt,
            "rpm" => &mut yum,
            "udeb" => {
                let reason = "packages of the Debian installer have no place in a packhouse repository";
                plan.left.push(Left::package(relative(root, entry.path()), reason));
                continue;
            }
            _ => continue,
        };
        if !entry.file_type().is_file() {
            plan.left
                .push(Left::package(relative(root, entry.path()), "links are not followed where no index names them"));
            continue;
        }
        items.push(entry.into_path());
    }
    if apt.is_empty() && yum.is_empty() {
        return Ok(());
    }
    let [suite] = options.suites.as_slice() else {
        return Err(RepoError::SuiteNeeded { path: options.source.clone() });
    };
    for (kind, paths) in [(Kind::Apt, apt), (Kind::Yum, yum)] {
        let item = |path| Item { path, suite: suite.clone(), component: options.component.clone(), sha256: None };
        let items = paths.into_iter().map(item).collect();
        plan.suites.push(PlannedSuite {
            kind,
            suite: suite.clone(),
            identity: Identity::default(),
            packages: 0,
            items,
        });
    }
    Ok(())
}
