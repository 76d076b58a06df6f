//! Which paths a build may look at: more than it does, never less.
//!
//! Everything in the workspace counts, whether git ignores it or not (what `[[files]]` names may well be ignored), but for
//! directories that are known to be somebody's cache: ignored, untracked, with a name of [`CACHES`] that neither the
//! configuration nor a manifest mentions.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::look::{Manner, Paths};
use super::{NotFresh, git, machine};
use crate::build::PreviousSource;
use crate::cache::Cache;
use crate::config::{FileKind, FileSource, Settings};
use crate::target::Format;
use crate::workspace::{self, Member, Workspace};

/// What a build was asked to look at.
#[derive(Debug, Clone, Copy)]
pub struct Looked<'a> {
    /// The configuration.
    pub settings: &'a Settings,
    /// The services and libraries.
    pub workspace: &'a Workspace,
    /// Where the artefacts go.
    pub out: &'a Path,
    /// What they are compared with.
    pub previous: &'a PreviousSource,
    /// The configuration's file, when the user named one.
    pub manifest: Option<&'a Path>,
    /// The revision that services must differ from.
    pub revision: Option<&'a str>,
}

/// Directories that tools fill and a build does not read.
const CACHES: [&str; 9] =
    ["target", "node_modules", ".venv", "venv", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox", ".nox"];

/// Python's own cache, beside every source that was imported.
const BYTECODE: &str = "__pycache__";

/// What is looked for by name in the directories above the workspace.
const ABOVE: [&str; 14] = [
    crate::config::FILE_NAME,
    "Cargo.toml",
    "Cargo.lock",
    "pyproject.toml",
    // Without a configuration, manifests say where a project begins.
    "setup.cfg",
    "setup.py",
    "uv.toml",
    ".python-version",
    ".gitignore",
    ".gitattributes",
    ".gitmodules",
    "rust-toolchain",
    "rust-toolchain.toml",
    ".cargo/config",
];

pub(super) fn paths(start: &Path, cache: &Cache, looked: &Looked<'_>) -> Result<Paths, NotFresh> {
    if let Some(revision) = looked.revision.filter(|revision| revision.contains("@{")) {
        return Err(NotFresh::new(format!("`{revision}` may mean another revision at another time")));
    }
    let Looked { settings, workspace, .. } = *looked;
    let real = |path: &Path| fs_err::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let configurations = [crate::config::FILE_NAME, "pyproject.toml", "Cargo.toml"].map(Path::new);
    let manifests = workspace.members.iter().map(|member| member.manifest.as_path());
    let files = configurations.into_iter().chain(manifests).chain(looked.manifest);
    let texts = files.map(|file| fs_err::read_to_string(settings.root.join(file)).unwrap_or_default());
    let mut text = texts.collect::<Vec<_>>().join("\n");
    for table in settings.adopted.values().flat_map(|adopted| [&adopted.deb, &adopted.rpm]).flatten() {
        // What cargo makes, wherever it makes it; what of it is read is named below.
        let profile = table.rust.profile.as_deref().unwrap_or("release");
        text = text.replace("target/release/", "").replace(&format!("target/{profile}/"), "");
    }
    let mut walk = Walk {
        root: &settings.root,
        vendor: &settings.project.vendor,
        paths: Paths::default(),
        leave: [real(looked.out), real(cache.root())]
            .into_iter()
            .filter(|place| is_for_nothing_else(place, looked, &text))
            .collect(),
        text,
        pending: vec![(settings.root.clone(), false)],
        visited: HashSet::new(),
    };
    for member in &workspace.members {
        let directory = settings.root.join(&member.path);
        walk.pending.push((directory.join(&settings.project.vendor), true));
        // What is named is read, whatever else has put it there.
        let named = crate::build::files_of(settings, &member.name);
        walk.pending.extend(named.into_iter().map(|path| (directory.join(path), true)));
    }
    match looked.previous {
        PreviousSource::Nowhere => {}
        PreviousSource::Path(path) => {
            walk.paths.add_file(path);
            walk.pending.push((real(path), true));
        }
        PreviousSource::Repository => {
            if let Some(path) = crate::build::local_repository(settings) {
                walk.paths.add_file(&path);
                walk.paths.add_file(path.join(crate::repo::CONFIGURATION));
                walk.pending.push((real(&path), true));
            }
        }
    }
    walk.run()?;
    let mut paths = walk.paths;
    if let Some(manifest) = looked.manifest {
        paths.add_file(manifest);
    }
    for above in start.ancestors().chain(settings.root.ancestors()) {
        ABOVE.iter().for_each(|name| paths.add_file(above.join(name)));
        paths.add_file(above.join(".cargo/config.toml"));
        let dot_git = above.join(".git");
        paths.add(&dot_git, Manner::Place);
        if dot_git.exists() {
            git::repository(&mut paths, &dot_git)?;
        }
    }
    if let Some(revision) = looked.revision {
        // Any file of git's own may be named as a revision.
        let name = revision.split(['~', '^', ':']).next().unwrap_or_default();
        settings.root.ancestors().for_each(|above| paths.add_file(above.join(".git").join(name)));
    }
    git::configuration(&mut paths);
    machine::paths(&mut paths, settings);
    Ok(paths)
}

/// Whether nothing that is read lies in the directory `place` for results: no member, no source of a file, and nothing that
/// `text`, the configuration and the manifests, names.
fn is_for_nothing_else(place: &Path, looked: &Looked<'_>, text: &str) -> bool {
    let Looked { settings, workspace, .. } = looked;
    let holds_sources = |member: &Member| {
        let directory = settings.root.join(&member.path);
        let of = |format| settings.service_for(&member.name, format).files;
        [Format::Deb, Format::Rpm].into_iter().flat_map(of).any(|file| match &file.kind {
            FileKind::File(FileSource::Path(path)) => {
                let source = directory.join(path);
                source.starts_with(place) || place.starts_with(&source)
            }
            FileKind::File(FileSource::Glob { base, pattern }) => {
                let base = directory.join(base);
                base.starts_with(place) || (place.starts_with(&base) && reaches(pattern, &directory, place))
            }
            FileKind::File(FileSource::Built { literal, .. } | FileSource::BuiltGlob { literal, .. }) => {
                !literal.as_os_str().is_empty() && directory.join(literal).starts_with(place)
            }
            _ => false,
        })
    };
    let mentioned = |directory: &Path| {
        place.strip_prefix(directory).is_ok_and(|below| text.contains(&format!("{}/", below.display())))
    };
    let members = || workspace.members.iter().map(|member| (member, settings.root.join(&member.path)));
    !settings.root.starts_with(place)
        && !mentioned(&settings.root)
        && !members()
            .any(|(member, directory)| directory.starts_with(place) || mentioned(&directory) || holds_sources(member))
}

/// Whether a pattern relative to `directory` may find something in `place`.
fn reaches(pattern: &globset::GlobMatcher, directory: &Path, place: &Path) -> bool {
    let Ok(below) = place.strip_prefix(directory) else { return true };
    let text = pattern.glob().glob();
    text.contains("**")
        || Path::new(text).components().count() > below.components().count()
        || below.ancestors().any(|above| pattern.is_match(above))
}

struct Walk<'a> {
    /// The workspace's.
    root: &'a Path,
    /// The name of vendor directories.
    vendor: &'a Path,
    paths: Paths,
    /// Where results and the cache are, without links.
    leave: Vec<PathBuf>,
    /// Configuration and manifests.
    text: String,
    /// With each directory: whether caches count as well.
    pending: Vec<(PathBuf, bool)>,
    visited: HashSet<(PathBuf, bool)>,
}

impl Walk<'_> {
    fn run(&mut self) -> Result<(), NotFresh> {
        while let Some((top, whole)) = self.pending.pop() {
            // Where caches count as well, everything has been looked at.
            let is_known = self.visited.contains(&(top.clone(), true));
            if self.leave.contains(&top) || is_known || !self.visited.insert((top.clone(), whole)) {
                continue;
            }
            if !top.is_dir() {
                self.paths.add_file(top);
                continue;
            }
            self.paths.add_file(&top);
            for entry in fs_err::read_dir(&top).map_err(NotFresh::io)? {
                let entry = entry.map_err(NotFresh::io)?;
                let (path, kind) = (entry.path(), entry.file_type().map_err(NotFresh::io)?);
                let name = entry.file_name();
                let name = name.to_str().unwrap_or_default();
                if name == ".git" {
                    self.paths.add(&path, Manner::Place);
                    git::repository(&mut self.paths, &path)?;
                } else if kind.is_dir() {
                    if whole || !self.is_cache(&path, name) {
                        self.pending.push((path, whole));
                    }
                } else {
                    self.paths.add(&path, Manner::Itself);
                    if kind.is_symlink() {
                        self.link(path);
                    }
                }
            }
        }
        Ok(())
    }

    /// What a link leads to is walked where it is: it may be in a directory that is passed over else.
    fn link(&mut self, path: PathBuf) {
        if let Ok(target) = fs_err::canonicalize(&path)
            && target.is_dir()
            && !path.starts_with(&target)
            && (target.starts_with(self.root) || path.ends_with(self.vendor))
        {
            self.pending.push((target, true));
        }
        self.paths.add(path, Manner::Behind);
    }

    /// Whether a directory is a tool's cache that the build does not read.
    fn is_cache(&self, path: &Path, name: &str) -> bool {
        let mentioned = || {
            let (before, after) = (format!("/{name}"), format!("{name}/"));
            self.text.contains(&before) || self.text.contains(&after) || self.text.contains(&format!("\"{name}\""))
        };
        (name == BYTECODE && !mentioned())
            || (CACHES.contains(&name) && !mentioned() && workspace::is_only_ignored(path))
    }
}
