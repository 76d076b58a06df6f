//! `Pipfile.lock`: flat lists, each package with its marker; `default` is what is deployed.
//!
//! Files are digests alone, without names: an index is asked which of its files have them. `index` names one of
//! `_meta.sources`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use super::graph::{Origin, Pin, PinnedFile, digest, marker};
use super::is_default_index;
use super::python_json::{Style, text_of};
use crate::digest::Sha256;
use crate::ecosystem::python::requirements::requirement::join_normalised;
use crate::ecosystem::python::tags::PythonEnvironment;
use crate::name::normalize;

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "_meta")]
    meta: Meta,
    #[serde(default)]
    default: BTreeMap<String, Package>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Meta {
    #[serde(default)]
    hash: BTreeMap<String, String>,
    pipfile_spec: Option<u32>,
    #[serde(default)]
    sources: Vec<Source>,
}

#[derive(Deserialize)]
struct Source {
    #[serde(default)]
    name: String,
    url: String,
}

#[derive(Deserialize)]
struct Package {
    version: Option<String>,
    #[serde(default)]
    hashes: Vec<String>,
    markers: Option<String>,
    index: Option<String>,
    path: Option<String>,
    file: Option<String>,
    git: Option<String>,
}

/// A `Pipfile.lock`.
pub(super) struct PipfileLock {
    document: Document,
}

impl PipfileLock {
    /// Reads `text`. An error is the sentence that goes on with the lock's path.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let document: Document = serde_json::from_str(text).map_err(|error| format!("cannot be read: {error}"))?;
        match document.meta.pipfile_spec {
            None | Some(6) => Ok(Self { document }),
            Some(other) => Err(format!("has the pipfile-spec {other}, packhouse reads 6")),
        }
    }

    /// Whether the lock was made from this Pipfile, by pipenv's own word.
    pub(super) fn is_of(&self, pipfile: &toml::Table) -> bool {
        let Some(hash) = self.document.meta.hash.get("sha256") else { return true };
        content(pipfile).iter().any(|content| Sha256::of(content.as_bytes()).to_string() == *hash)
    }

    /// What each environment needs; the lock lies in `directory` (absolute).
    pub(super) fn reach(&self, directory: &Path, environments: &[PythonEnvironment]) -> Result<Vec<Pin>, String> {
        let mut pins = Vec::new();
        for (name, package) in &self.document.default {
            let marker = package.markers.as_deref().map(marker).transpose()?;
            let wanted: BTreeSet<usize> = environments
                .iter()
                .enumerate()
                .filter(|(_, environment)| {
                    marker.as_ref().is_none_or(|marker| marker.evaluate(&environment.markers(), &[]))
                })
                .map(|(position, _)| position)
                .collect();
            if wanted.is_empty() {
                continue;
            }
            let inside = |path: &str| join_normalised(directory, Path::new(path));
            let is_archive = |path: &&String| !inside(path).is_dir();
            let origin = match (&package.path, &package.file, &package.git) {
                (Some(path), ..) if is_archive(&path) => Origin::File(inside(path)),
                (Some(path), ..) => Origin::Directory(inside(path)),
                (_, Some(file), _) if file.contains("://") => Origin::Url(file.clone()),
                (_, Some(file), _) => Origin::File(inside(file)),
                (_, _, Some(git)) => Origin::Other(format!("the git repository {git}")),
                _ => Origin::Index(self.source(package.index.as_deref(), name)?),
            };
            let version = match package.version.as_deref() {
                None => None,
                Some(text) => Some(
                    text.strip_prefix("==")
                        .map(|version| version.trim_start_matches('=').trim().to_owned())
                        .ok_or_else(|| {
                            format!("pins no version of {name} (`{text}`): it was made for another environment")
                        })?,
                ),
            };
            let files = package.hashes.iter().map(|hash| {
                let sha256 = digest(hash, name)?;
                Ok(PinnedFile { name: None, url: None, sha256 })
            });
            pins.push(Pin {
                name: normalize(name),
                version,
                origin,
                files: files.collect::<Result<_, String>>()?,
                environments: wanted,
                required_by: BTreeSet::from(["the project".to_owned()]),
            });
        }
        Ok(pins)
    }

    /// The URL of an index that is not the default one. pipenv leaves `${VARIABLES}` for logins in it.
    fn source(&self, index: Option<&str>, name: &str) -> Result<Option<String>, String> {
        let sources = &self.document.meta.sources;
        let source = match index {
            Some(index) => Some(
                sources
                    .iter()
                    .find(|source| source.name == index)
                    .ok_or_else(|| format!("takes {name} from the source {index}, which it does not describe"))?,
            ),
            // pipenv's first source is its default one.
            None => sources.first(),
        };
        let Some(url) = source.map(|source| source.url.as_str()) else { return Ok(None) };
        let bare = match url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1))) {
            Some((scheme, rest)) => format!("{scheme}://{rest}"),
            None => url.to_owned(),
        };
        Ok(Some(bare).filter(|url| !is_default_index(url)))
    }
}

/// What pipenv hashes (`Pipfile.get_hash` in `plette/pipfiles.py`).
fn content(pipfile: &toml::Table) -> Vec<String> {
    const OWN: [&str; 7] = ["source", "packages", "dev-packages", "requires", "scripts", "pipfile", "pipenv"];
    let get = |key: &str| pipfile.get(key).map(super::json);
    let empty = || serde_json::json!({});
    let mut form = serde_json::json!({
        "_meta": {
            "sources": get("source").unwrap_or_else(|| serde_json::json!([])),
            "requires": get("requires").unwrap_or_else(empty),
        },
        "default": get("packages").unwrap_or_else(empty),
        "develop": get("dev-packages").unwrap_or_else(empty),
    });
    let mut forms = vec![text_of(&form, Style::Dense)];
    if let Some(table) = form.as_object_mut() {
        let further = pipfile.iter().filter(|(key, _)| !OWN.contains(&key.as_str()));
        table.extend(further.map(|(key, value)| (key.clone(), super::json(value))));
    }
    forms.push(text_of(&form, Style::Dense));
    forms
}
