//! Every package looked at by itself, on all cores, once one of them was refused: people want to know of all at once.

use std::collections::HashMap;
use std::path::PathBuf;

use rayon::prelude::*;

use crate::digest::Sha256;
use crate::format::deb::{self, Files};
use crate::format::rpm;
use crate::repo::ingest::Item;

/// The packages that cannot be published, with the reason.
pub(super) fn all(items: &[Item]) -> Vec<(PathBuf, String)> {
    let judged: Vec<(Option<String>, Option<String>)> = items.par_iter().map(judge).collect();
    let mut refused = Vec::new();
    let mut first: HashMap<(&str, String), &Item> = HashMap::new();
    for (item, (identity, problem)) in items.iter().zip(judged) {
        let problem = problem.or_else(|| {
            let held = first.insert((&item.suite, identity?), item)?;
            Some(format!("the same name, version and architecture as {}", held.path.display()))
        });
        if let Some(problem) = problem {
            refused.push((item.path.clone(), problem));
        }
    }
    refused
}

/// Name, version and architecture; what is wrong with it.
fn judge(item: &Item) -> (Option<String>, Option<String>) {
    let digest = fs_err::File::open(&item.path).and_then(|mut file| Sha256::of_reader(&mut file));
    match (digest, item.sha256) {
        (Err(error), _) => return (None, Some(error.to_string())),
        (Ok((digest, _)), Some(expected)) if digest != expected => {
            return (None, Some(format!("its SHA-256 is {digest}, its index says {expected}")));
        }
        _ => {}
    }
    let extension = item.path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match extension {
        "rpm" => match rpm::read(&item.path) {
            Ok(info) => (Some(format!("{} {} {}", info.name, info.evr(), info.architecture)), None),
            Err(error) => (None, Some(error.to_string())),
        },
        "deb" | "ddeb" => match deb::read(&item.path, Files::Skip) {
            Ok(info) => {
                let missing = ["Maintainer", "Description"]
                    .into_iter()
                    .find(|name| info.field(name).is_none_or(|value| value.trim().is_empty()));
                let problem = missing.map(|name| format!("its control file has no field `{name}`"));
                (Some(format!("{} {} {}", info.package(), info.version(), info.architecture())), problem)
            }
            Err(error) => (None, Some(error.to_string())),
        },
        _ => (None, None),
    }
}
