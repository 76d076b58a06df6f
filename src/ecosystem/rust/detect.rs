//! Static detection: members of a cargo workspace, or a single crate, with their bin targets and path dependencies.
//!
//! Neither cargo nor any code of the repository is run: `cargo metadata` would honour a `rustc-wrapper` of the
//! repository's `.cargo/config.toml`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cargo_toml::{Filesystem, Inheritable, Manifest, Value};

use super::manifest::{Error, Read, inside};
use super::members::CargoWorkspace;
use crate::diagnostic::Diagnose;
use crate::workspace::{Directory, EcosystemKind, Kind, Member, package_name};

pub(super) fn detect(directory: Directory<'_>) -> Result<Vec<Member>, Box<dyn Diagnose + Send + Sync>> {
    if directory.entries.iter().all(|name| name != "Cargo.toml") {
        return Ok(Vec::new());
    }
    packages(directory).map_err(|error| Box::new(error) as _)
}

/// The members that this directory's manifest speaks for.
fn packages(directory: Directory<'_>) -> Result<Vec<Member>, Error> {
    let root = directory.root;
    let read = Read::new(root, directory.path)?;
    let mut members = Vec::new();
    if let Some(workspace) = CargoWorkspace::of(root, &read) {
        let patches = read.patches(root)?;
        if read.manifest.package.is_some() {
            members.push(member(directory, &read, Some(&read), &patches)?);
        }
        for package in workspace.members()? {
            members.push(member(directory, &package, Some(&read), &patches)?);
        }
        return Ok(members);
    }
    match governing(root, &read)? {
        // The workspace's root has told of it.
        Governed::Member => Ok(Vec::new()),
        Governed::Unlisted(workspace) => Err(Error::Unlisted { path: read.path, workspace }),
        Governed::Nobody => {
            let patches = read.patches(root)?;
            members.push(member(directory, &read, None, &patches)?);
            Ok(members)
        }
    }
}

/// Whether a package without `[workspace]` belongs to one.
enum Governed {
    /// It is one of the workspace's packages.
    Member,
    /// It lies in the workspace with this manifest, which does not list it.
    Unlisted(PathBuf),
    /// It stands alone.
    Nobody,
}

/// Looks for the workspace as cargo does: where `package.workspace` says, else upwards.
fn governing(root: &Path, read: &Read) -> Result<Governed, Error> {
    let directory = read.directory();
    let named = read.manifest.package.as_ref().and_then(|package| package.workspace.as_deref());
    let candidates: Vec<PathBuf> = match named {
        Some(path) => match inside(root, directory, path) {
            Some(path) => vec![path],
            None => {
                let problem = format!("`package.workspace` leads out of the repository: `{}`", path.display());
                return Err(read.error(problem, "correct `package.workspace`"));
            }
        },
        None => directory.ancestors().skip(1).map(Path::to_path_buf).collect(),
    };
    for candidate in candidates {
        if !root.join(&candidate).join("Cargo.toml").is_file() {
            continue;
        }
        let above = Read::new(root, &candidate)?;
        let Some(workspace) = CargoWorkspace::of(root, &above) else { continue };
        if workspace.excludes(directory) {
            return Ok(Governed::Nobody);
        }
        let is_member =
            workspace.lists(directory) || workspace.members()?.iter().any(|member| member.directory() == directory);
        return Ok(if is_member { Governed::Member } else { Governed::Unlisted(above.path) });
    }
    Ok(Governed::Nobody)
}

/// The package of one manifest.
fn member(
    directory: Directory<'_>,
    read: &Read,
    workspace: Option<&Read>,
    patches: &[(String, PathBuf)],
) -> Result<Member, Error> {
    let root = directory.root;
    let completed = complete(root, read, workspace)?;
    let Some(package) = &completed.package else {
        return Err(read.error("has no [package]", "correct `members` of the workspace"));
    };
    let (commands, hidden) = commands(&completed);
    let kind = if commands.is_empty() { Kind::Library } else { Kind::Service };
    let version = read.has_package_key("version").then(|| value(&package.version)).flatten();
    let version = version.map(|version| version.to_string());
    let line = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text =
        |field: &Option<Inheritable<String>>| field.as_ref().and_then(value).filter(|text| !text.trim().is_empty());
    let requires = read.completed(completed.clone()).requirements(root, patches)?;
    Ok(Member {
        name: package_name(EcosystemKind::Rust, &package.name)
            .map_err(|error| read.error(error.to_string(), "rename the package"))?,
        ecosystem_name: package.name.clone(),
        ecosystem: EcosystemKind::Rust,
        kind,
        path: read.directory().to_path_buf(),
        manifest: read.path.clone(),
        version,
        summary: text(&package.description).map(line),
        license: text(&package.license),
        reason: reason(&commands, &hidden),
        commands,
        requires,
        optional: std::collections::BTreeMap::new(),
        dependencies: Vec::new(),
        unread: Vec::new(),
        submodule: directory.submodule.map(Path::to_path_buf),
    })
}

/// The manifest in `directory` with what it inherits from the one in `workspace` (both relative to `root`), and with all of
/// its targets.
pub(super) fn manifest(root: &Path, directory: &Path, workspace: &Path) -> Result<Manifest, Error> {
    let read = Read::new(root, directory)?;
    let above = (workspace != directory).then(|| Read::new(root, workspace)).transpose()?;
    complete(root, &read, above.as_ref())
}

fn value<T: Clone>(field: &Inheritable<T>) -> Option<T> {
    field.get().ok().cloned()
}

/// The manifest with what it inherits and with the targets that cargo finds by their files' names.
fn complete(root: &Path, read: &Read, workspace: Option<&Read>) -> Result<Manifest, Error> {
    let mut manifest = read.manifest.clone();
    let directory = root.join(read.directory());
    let above = workspace.map(|workspace| (&workspace.manifest, root.join(workspace.directory())));
    if above.is_none() && manifest.needs_workspace_inheritance() {
        let hint = "take the directory of the workspace's root into the repository, or write the values out";
        return Err(read.error("inherits from a workspace, but no manifest above it has [workspace]", hint));
    }
    let above = above.as_ref().map(|(manifest, path)| (*manifest, path.as_path()));
    let filesystem = Filesystem::new(&directory);
    manifest.complete_from_abstract_filesystem::<Value, _>(filesystem, above).map_err(|error| {
        read.error(message(&error), "correct the manifest, or [workspace.package] of the workspace")
    })?;
    Ok(manifest)
}

/// The innermost message, without the paths of this machine.
fn message(error: &cargo_toml::Error) -> String {
    match error {
        cargo_toml::Error::Workspace(inner) => message(&inner.0),
        other => other.to_string(),
    }
}

/// The bin targets that a plain build makes, and those that need a feature which is not on by default, with it.
fn commands(manifest: &Manifest) -> (Vec<String>, Vec<(String, String)>) {
    let enabled = default_features(manifest);
    let (mut commands, mut hidden) = (Vec::new(), Vec::new());
    for bin in &manifest.bin {
        let Some(name) = &bin.name else { continue };
        match bin.required_features.iter().find(|feature| !enabled.contains(feature.as_str())) {
            None => commands.push(name.clone()),
            Some(feature) => hidden.push((name.clone(), feature.clone())),
        }
    }
    commands.sort();
    commands.dedup();
    (commands, hidden)
}

/// The features that `default` turns on, directly and through others.
fn default_features(manifest: &Manifest) -> BTreeSet<&str> {
    let mut enabled = BTreeSet::new();
    let mut pending = vec!["default"];
    while let Some(feature) = pending.pop() {
        if enabled.insert(feature)
            && let Some(more) = manifest.features.get(feature)
        {
            pending.extend(more.iter().map(String::as_str));
        }
    }
    enabled
}

fn reason(commands: &[String], hidden: &[(String, String)]) -> String {
    match (commands, hidden) {
        ([one], _) => format!("bin target {one}"),
        ([], []) => "no bin target".to_owned(),
        ([], [(name, feature), ..]) => {
            format!("bin target {name} needs the feature {feature}, which is not on by default")
        }
        (several, _) => format!("bin targets {}", several.join(", ")),
    }
}
