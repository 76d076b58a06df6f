//! `poetry.lock`, of the lock versions 1.x and 2.x.
//!
//! Up to 1.1 the files stand in `[metadata.files]`, by package name for all versions of it; since then with each package.
//! Files have names and digests and no URLs. Groups are not asked: since 2.1 they stand in the lock, before they did
//! not; what the project's own requirements reach is the main group in each.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::graph::{Edge, Graph, Node, Origin, PinnedFile, digest, marker};
use super::is_default_index;
use super::python_json::{Style, text_of};
use crate::digest::Sha256;
use crate::ecosystem::python::poetry::convert;
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
#[serde(rename_all = "kebab-case")]
struct Metadata {
    lock_version: Option<String>,
    content_hash: Option<String>,
    #[serde(default)]
    files: BTreeMap<String, Vec<File>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Package {
    name: String,
    version: String,
    python_versions: Option<String>,
    files: Option<Vec<File>>,
    #[serde(default)]
    dependencies: BTreeMap<String, toml::Value>,
    #[serde(default)]
    extras: BTreeMap<String, Vec<String>>,
    source: Option<Source>,
    markers: Option<toml::Value>,
}

#[derive(Deserialize, Clone)]
struct File {
    file: String,
    hash: String,
}

#[derive(Deserialize)]
struct Source {
    r#type: String,
    #[serde(default)]
    url: String,
}

/// A `poetry.lock`.
pub(super) struct PoetryLock {
    pub(super) graph: Graph,
    content_hash: Option<String>,
}

impl PoetryLock {
    /// Reads `text`, which lies in `directory` (absolute). An error is the sentence that goes on with the lock's path.
    pub(super) fn parse(text: &str, directory: &Path) -> Result<Self, String> {
        let document: Document =
            toml::from_str(text).map_err(|error| format!("cannot be read: {}", error.message()))?;
        let version = document.metadata.lock_version.unwrap_or_else(|| "1.0".to_owned());
        if !["1.", "2."].iter().any(|known| version.starts_with(known)) {
            return Err(format!("has the lock-version {version}, packhouse reads 1 and 2"));
        }
        let mut nodes = Vec::new();
        for package in &document.package {
            let files = package.files.as_ref().or_else(|| document.metadata.files.get(&package.name));
            nodes.push(node(package, files.map(Vec::as_slice).unwrap_or_default(), directory)?);
        }
        Ok(Self { graph: Graph { nodes }, content_hash: document.metadata.content_hash })
    }

    /// Whether the lock was made from this pyproject.toml, by Poetry's own word.
    pub(super) fn is_of(&self, pyproject: &toml::Table) -> bool {
        let Some(hash) = &self.content_hash else { return true };
        content(pyproject).iter().any(|content| Sha256::of(content.as_bytes()).to_string() == *hash)
    }
}

/// What Poetry hashes (`Locker._get_content_hash` in `poetry/packages/locker.py`), as the versions since 1.0 did.
fn content(pyproject: &toml::Table) -> Vec<String> {
    const LEGACY: [&str; 4] = ["dependencies", "source", "extras", "dev-dependencies"];
    let json = |table: Option<&toml::Value>, key: &str| table.and_then(|table| table.get(key)).map(super::json);
    let poetry = pyproject.get("tool").and_then(|tool| tool.get("poetry"));
    let take = |keys: &[&str], table: Option<&toml::Value>| -> serde_json::Map<String, serde_json::Value> {
        keys.iter().filter_map(|key| Some(((*key).to_owned(), json(table, key)?))).collect()
    };
    let with_null = |keys: &[&str]| -> serde_json::Map<String, serde_json::Value> {
        keys.iter().map(|key| ((*key).to_owned(), json(poetry, key).unwrap_or_default())).collect()
    };
    let project = take(&["requires-python", "dependencies", "optional-dependencies"], pyproject.get("project"));
    let groups = pyproject.get("dependency-groups").map(super::json);
    let mut forms = Vec::new();
    let mut all = with_null(&LEGACY);
    forms.push(all.clone());
    all.extend(take(&["group"], poetry));
    forms.push(all);
    if !project.is_empty() || groups.is_some() {
        let own = take(&["dependencies", "source", "extras", "dev-dependencies", "group"], poetry);
        let mut document = serde_json::Map::new();
        if !project.is_empty() {
            document.insert("project".to_owned(), project.into());
        }
        let mut without_groups = document.clone();
        document.extend(groups.map(|groups| ("dependency-groups".to_owned(), groups)));
        for document in [&mut document, &mut without_groups] {
            document.insert("tool".to_owned(), serde_json::json!({ "poetry": own }));
            forms.push(document.clone());
        }
    }
    forms.into_iter().map(|form| text_of(&form.into(), Style::Spaced)).collect()
}

fn node(package: &Package, files: &[File], directory: &Path) -> Result<Node, String> {
    let name = normalize(&package.name);
    let title = format!("{name} {}", package.version);
    let mut requires = Vec::new();
    let mut optional: BTreeMap<String, Vec<Edge>> = BTreeMap::new();
    for (name, value) in &package.dependencies {
        let several = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for value in several {
            let edge = edge(name, value, &title)?;
            match value.get("optional").and_then(toml::Value::as_bool) {
                Some(true) => optional.entry(edge.name.clone()).or_default().push(edge),
                _ => requires.push(edge),
            }
        }
    }
    let mut extras = BTreeMap::new();
    for (extra, members) in &package.extras {
        let mut edges = Vec::new();
        for member in members {
            // What is not optional is required by all anyway.
            let plain = Edge::of(member);
            for mut edge in optional.get(&plain.name).into_iter().flatten().cloned() {
                edge.extras.extend(plain.extras.iter().cloned());
                edges.push(edge);
            }
        }
        extras.insert(normalize(extra), edges);
    }
    let origin = match &package.source {
        None => Origin::Index(None),
        Some(Source { r#type, url }) => match r#type.as_str() {
            "legacy" => Origin::Index(Some(url.clone()).filter(|url| !is_default_index(url))),
            "url" => Origin::Url(url.clone()),
            "file" => Origin::File(join_normalised(directory, Path::new(url))),
            "directory" => Origin::Directory(join_normalised(directory, Path::new(url))),
            "git" => Origin::Other(format!("the git repository {url}")),
            other => Origin::Other(format!("a source of the type {other}")),
        },
    };
    let files = files.iter().map(|file| {
        Ok(PinnedFile { name: Some(file.file.clone()), url: None, sha256: digest(&file.hash, &file.file)? })
    });
    let condition = match &package.markers {
        Some(toml::Value::String(text)) => Some(text.as_str()),
        Some(table) => table.get("main").and_then(toml::Value::as_str),
        None => None,
    };
    let pythons = match package.python_versions.as_deref() {
        None | Some("*" | "") => Vec::new(),
        Some(text) => specifiers(text).ok_or_else(|| format!("has the versions `{text}` of Python for {title}"))?,
    };
    Ok(Node {
        name,
        version: Some(package.version.clone()),
        origin,
        files: files.collect::<Result<_, String>>()?,
        requires,
        extras,
        marker: condition.map(marker).transpose()?,
        pythons,
    })
}

/// Poetry's constraint as alternatives; none: any version.
fn specifiers(text: &str) -> Option<Vec<pep440_rs::VersionSpecifiers>> {
    let alternatives = convert(text)?;
    if alternatives.iter().any(Vec::is_empty) {
        return Some(Vec::new());
    }
    alternatives.iter().map(|parts| parts.join(",").parse().ok()).collect()
}

fn edge(name: &str, value: &toml::Value, by: &str) -> Result<Edge, String> {
    let text = |key: &str| value.get(key).and_then(toml::Value::as_str);
    let version = value.as_str().or_else(|| text("version"));
    let versions = match version {
        None => Vec::new(),
        Some(version) => specifiers(version)
            .ok_or_else(|| format!("says that {by} needs {name} `{version}`, which is no version constraint"))?,
    };
    let extras = value.get("extras").and_then(toml::Value::as_array);
    let extras = extras.into_iter().flatten().filter_map(toml::Value::as_str).map(normalize).collect();
    Ok(Edge { name: normalize(name), extras, versions, marker: text("markers").map(marker).transpose()? })
}
