//! `pdm.lock`, of the lock versions 3 and 4.
//!
//! A package with extras is an entry of its own, beside the one without: here they are one node. Files have names, or
//! URLs under the strategy `static_urls`; before version 4 they stand in `[metadata.files]`. Requirements are PEP 508.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::graph::{Edge, Graph, Node, Origin, PinnedFile, digest, marker};
use super::python_json::{Style, text_of};
use crate::digest::Sha256;
use crate::ecosystem::python::requirements::requirement::join_normalised;
use crate::name::normalize;

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    package: Vec<Package>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize, Default)]
struct Metadata {
    lock_version: Option<String>,
    content_hash: Option<String>,
    #[serde(default)]
    files: BTreeMap<String, Vec<File>>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: Option<String>,
    #[serde(default)]
    extras: Vec<String>,
    requires_python: Option<String>,
    marker: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
    #[serde(default)]
    files: Vec<File>,
    path: Option<String>,
    url: Option<String>,
    git: Option<String>,
    #[serde(flatten)]
    rest: BTreeMap<String, toml::Value>,
}

#[derive(Deserialize)]
struct File {
    file: Option<String>,
    url: Option<String>,
    hash: String,
}

/// A `pdm.lock`.
pub(super) struct PdmLock {
    pub(super) graph: Graph,
    content_hash: Option<String>,
}

impl PdmLock {
    /// Reads `text`, which lies in `directory` (absolute). An error is the sentence that goes on with the lock's path.
    pub(super) fn parse(text: &str, directory: &Path) -> Result<Self, String> {
        let document: Document =
            toml::from_str(text).map_err(|error| format!("cannot be read: {}", error.message()))?;
        let version = document.metadata.lock_version.unwrap_or_default();
        if !["3", "4"].iter().any(|known| version.split('.').next() == Some(known)) {
            return Err(format!("has the lock_version `{version}`, packhouse reads 3 and 4"));
        }
        let mut nodes: Vec<Node> = Vec::new();
        // Entries without extras first: the others add to them.
        for package in document.package.iter().filter(|package| package.extras.is_empty()) {
            nodes.push(node(package, &document.metadata.files, directory)?);
        }
        for package in document.package.iter().filter(|package| !package.extras.is_empty()) {
            let mut own = node(package, &document.metadata.files, directory)?;
            own.requires.retain(|edge| edge.name != own.name);
            let edges = std::mem::take(&mut own.requires);
            let known = nodes.iter().position(|node| node.name == own.name && node.version == own.version);
            let place = known.unwrap_or_else(|| {
                nodes.push(own);
                nodes.len() - 1
            });
            if let Some(node) = nodes.get_mut(place) {
                for extra in &package.extras {
                    node.extras.entry(normalize(extra)).or_default().extend(edges.iter().cloned());
                }
            }
        }
        Ok(Self { graph: Graph { nodes }, content_hash: document.metadata.content_hash })
    }

    /// Whether the lock was made from this pyproject.toml, by PDM's own word.
    pub(super) fn is_of(&self, pyproject: &toml::Table) -> bool {
        let hash = self.content_hash.as_deref().and_then(|hash| hash.strip_prefix("sha256:"));
        hash.is_none_or(|hash| {
            content(pyproject).iter().any(|content| Sha256::of(content.as_bytes()).to_string() == *hash)
        })
    }
}

/// What PDM hashes (`PyProject.content_hash` in `pdm/project/project_file.py`), as the versions 2.x did.
fn content(pyproject: &toml::Table) -> Vec<String> {
    let project = pyproject.get("project");
    let pdm = pyproject.get("tool").and_then(|tool| tool.get("pdm"));
    let get = |table: Option<&toml::Value>, key: &str| table.and_then(|table| table.get(key)).map(super::json);
    let empty = || serde_json::json!({});
    let of_tool = get(pdm, "dev-dependencies").unwrap_or_else(empty);
    let mut of_both = pyproject.get("dependency-groups").map_or_else(empty, super::json);
    if let (Some(both), Some(tool)) = (of_both.as_object_mut(), of_tool.as_object()) {
        for (group, members) in tool {
            let list = both.entry(group.clone()).or_insert_with(|| serde_json::json!([]));
            if let (Some(list), Some(members)) = (list.as_array_mut(), members.as_array()) {
                list.extend(members.iter().cloned());
            }
        }
    }
    let mut forms = Vec::new();
    for development in [of_tool, of_both] {
        let form = serde_json::json!({
            "sources": get(pdm, "source").unwrap_or_else(|| serde_json::json!([])),
            "dependencies": get(project, "dependencies").unwrap_or_else(|| serde_json::json!([])),
            "dev-dependencies": development,
            "optional-dependencies": get(project, "optional-dependencies").unwrap_or_else(empty),
            "requires-python": get(project, "requires-python").unwrap_or_else(|| "".into()),
        });
        forms.push(text_of(&form, Style::Spaced));
        let resolution = get(pdm, "resolution").unwrap_or_else(empty);
        let overrides = resolution.get("overrides").cloned().unwrap_or_else(empty);
        for (key, value) in [("overrides", overrides), ("resolution", resolution)] {
            let mut form = form.clone();
            if let Some(table) = form.as_object_mut() {
                table.insert(key.to_owned(), value);
            }
            forms.push(text_of(&form, Style::Spaced));
        }
    }
    forms
}

fn node(package: &Package, before: &BTreeMap<String, Vec<File>>, directory: &Path) -> Result<Node, String> {
    let name = normalize(&package.name);
    let inside = |path: &str| join_normalised(directory, Path::new(path));
    let is_archive = |path: &str| path.ends_with(".whl") || super::SDIST_ENDINGS.iter().any(|end| path.ends_with(end));
    let version_control = ["hg", "svn", "bzr"].into_iter().find(|key| package.rest.contains_key(*key));
    let origin = match (&package.path, &package.url, &package.git, version_control) {
        (Some(path), ..) if is_archive(path) => Origin::File(inside(path)),
        (Some(path), ..) => Origin::Directory(inside(path)),
        (_, Some(url), ..) => Origin::Url(url.clone()),
        (_, _, Some(git), _) => Origin::Other(format!("the git repository {git}")),
        (_, _, _, Some(kind)) => Origin::Other(format!("a {kind} repository")),
        _ => Origin::Index(None),
    };
    let title = match &package.version {
        Some(version) => format!("{} {version}", package.name),
        None => package.name.clone(),
    };
    let old = before.get(&title).map(Vec::as_slice).unwrap_or_default();
    let files = package.files.iter().chain(old).map(|file| {
        let shown = file.file.as_ref().or(file.url.as_ref()).unwrap_or(&title);
        Ok(PinnedFile { name: file.file.clone(), url: file.url.clone(), sha256: digest(&file.hash, shown)? })
    });
    let pythons = match package.requires_python.as_deref().map(str::trim) {
        None | Some("" | "*") => Vec::new(),
        Some(text) => {
            vec![text.parse().map_err(|_| format!("has `{text}` for the versions of Python of {title}"))?]
        }
    };
    Ok(Node {
        name,
        version: package.version.clone(),
        origin,
        files: files.collect::<Result<_, String>>()?,
        requires: package.dependencies.iter().map(|text| Edge::of(text)).collect(),
        extras: BTreeMap::new(),
        marker: package.marker.as_deref().map(marker).transpose()?,
        pythons,
    })
}
