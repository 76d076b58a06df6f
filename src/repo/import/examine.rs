//! Every package looked at by itself, on all cores, once one of them was refused: people want to know of all at once.

use std::collections::HashMap;
use std::path::PathBuf;

use rayon::prelude::*;

use crate::repo::error::RepoError;
use crate::repo::ingest::{self, Item};
use crate::repo::record::Identity;

/// The packages that cannot be published, with the reason.
pub(super) fn all(items: &[Item]) -> Vec<(PathBuf, String)> {
    let judged: Vec<Result<Option<Identity>, RepoError>> = items.par_iter().map(ingest::look).collect();
    let mut refused = Vec::new();
    let mut first: HashMap<(&str, Identity), &Item> = HashMap::new();
    for (item, judged) in items.iter().zip(judged) {
        let problem = match judged {
            Err(RepoError::BadPackage { reason, .. }) => Some(reason),
            Err(error) => Some(error.to_string()),
            Ok(identity) => identity.and_then(|identity| {
                let held = first.insert((&item.suite, identity), item)?;
                Some(format!("the same name, version and architecture as {}", held.path.display()))
            }),
        };
        refused.extend(problem.map(|problem| (item.path.clone(), problem)));
    }
    refused
}
