//! The repository being packaged: its services, its libraries and the graph between them.
//!
//! Discovery is static. Nothing of the repository is run: no `setup.py`, no `cargo`, no git command that would honour
//! hooks or fsmonitor; files are parsed. Languages are known to the [`Detector`]s that the caller gives, not here.

pub mod changes;
mod check;
mod discover;
mod error;
mod graph;
pub mod history;
mod overrides;
mod submodules;
mod tracked;
mod walk;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::name::{InvalidName, PackageName, normalize};

pub use discover::{discover, discover_unconfigured};
pub use error::Error;
pub use submodules::require_checked_out;
pub(crate) use walk::is_only_ignored;

/// A language's way of doing things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EcosystemKind {
    /// Python packages.
    Python,
    /// Cargo packages.
    Rust,
}

/// What a member is to the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Becomes a package.
    Service,
    /// Is used by services and becomes no package of its own.
    Library,
}

/// Index of a member in [`Workspace::members`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct MemberId(pub usize);

/// A directory that was taken for a service or a library.
#[derive(Debug, Clone, Serialize)]
pub struct Member {
    /// The operating system's package name (service) or the normalised name (library).
    pub name: PackageName,
    /// The name as the ecosystem knows it, normalised the ecosystem's way; requirements refer to this one.
    pub ecosystem_name: String,
    /// Its language.
    pub ecosystem: EcosystemKind,
    /// Service or library.
    pub kind: Kind,
    /// Its directory, relative to the workspace's root, `/`-separated; empty for the root itself.
    pub path: PathBuf,
    /// The manifest that it was read from, relative to the root.
    pub manifest: PathBuf,
    /// The version that stands in the manifest, as it is written there; `None` when it comes from git.
    pub version: Option<String>,
    /// One line from the manifest.
    pub summary: Option<String>,
    /// SPDX expression or free text from the manifest.
    pub license: Option<String>,
    /// Why it was taken for what it is: `setup.py and bin/`, `bin target acme-edge`.
    pub reason: String,
    /// The commands it brings, by name (`acme-api`).
    pub commands: Vec<String>,
    /// Names of what it requires that may be members of the same ecosystem (`ecosystem_name`s).
    pub requires: Vec<Requirement>,
    /// The same for each of its extras, by normalised name: needed by whoever requires it with that extra.
    #[serde(skip)]
    pub optional: BTreeMap<String, Vec<Requirement>>,
    /// The members it needs directly; filled by [`discover`] from `requires`.
    pub dependencies: Vec<MemberId>,
    /// What could not be read without running code: file, line and what it was.
    pub unread: Vec<String>,
    /// The submodule it lives in, relative to the root.
    pub submodule: Option<PathBuf>,
}

/// A requirement by name, with the place where it stands.
#[derive(Debug, Clone, Serialize)]
pub struct Requirement {
    /// The name, normalised the ecosystem's way.
    pub name: String,
    /// The directory it names, relative to the root, when it is a path (`-e ../lib`, cargo's `path =`).
    pub path: Option<PathBuf>,
    /// The extras that it asks for, normalised.
    #[serde(skip)]
    pub extras: Vec<String>,
    /// File (relative to the root) and line (from 1), for messages.
    pub file: PathBuf,
    /// See `file`.
    pub line: usize,
}

/// The repository being packaged.
#[derive(Debug, Clone, Serialize)]
pub struct Workspace {
    /// Its root, absolute.
    pub root: PathBuf,
    /// All members, sorted by path.
    pub members: Vec<Member>,
}

impl Workspace {
    /// The member behind an id of this workspace.
    pub fn member(&self, id: MemberId) -> Option<&Member> {
        self.members.get(id.0)
    }

    /// The services, in the order of their paths.
    pub fn services(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.kind == Kind::Service)
    }

    /// The service of this package name.
    pub fn service(&self, name: &str) -> Option<&Member> {
        self.services().find(|member| member.name.as_str() == name)
    }

    /// The absolute directory of a member.
    pub fn directory(&self, member: &Member) -> PathBuf {
        self.root.join(&member.path)
    }

    /// The members that `member` needs, directly and through others, each once, dependencies before their users;
    /// `member` itself is not among them.
    pub fn closure(&self, member: &Member) -> Vec<&Member> {
        let mut order = Vec::new();
        self.visit(member, &mut order);
        order.into_iter().filter_map(|id| self.member(id)).collect()
    }

    fn visit(&self, member: &Member, order: &mut Vec<MemberId>) {
        for &id in &member.dependencies {
            if !order.contains(&id) {
                if let Some(dependency) = self.member(id) {
                    self.visit(dependency, order);
                }
                if !order.contains(&id) {
                    order.push(id);
                }
            }
        }
    }
}

/// A directory that discovery has come to.
#[derive(Debug, Clone, Copy)]
pub struct Directory<'a> {
    /// The workspace's root, absolute.
    pub root: &'a Path,
    /// The directory, relative to the root; empty for the root itself.
    pub path: &'a Path,
    /// Names of the files and directories in it (ignored ones left out), sorted.
    pub entries: &'a [String],
    /// The submodule it lives in, relative to the root.
    pub submodule: Option<&'a Path>,
}

/// A language's part in discovery.
pub trait Detector {
    /// The members that this directory's manifest declares. A cargo workspace's root gives all its members at once, with
    /// their own paths. An empty answer: nothing of this language here.
    fn detect(
        &self,
        directory: Directory<'_>,
    ) -> Result<Vec<Member>, Box<dyn crate::diagnostic::Diagnose + Send + Sync>>;

    /// Whether the directory is one package of this language with all that is in it and below it, whatever else has a
    /// manifest there: an unpacked archive of sources, whose samples, tests and compiled parts are its own.
    fn closes(&self, _directory: Directory<'_>) -> bool {
        false
    }
}

/// The name of a detected member: its own, normalised. One that can be no package's (`x`, `_private`) gets the
/// ecosystem's in front, which is good enough for a library; for a service discovery refuses it unless
/// `[services.NAME]` gives it a name.
///
/// # Errors
/// Never for the names that manifests may have.
pub fn package_name(ecosystem: EcosystemKind, ecosystem_name: &str) -> Result<PackageName, InvalidName> {
    let normal = normalize(ecosystem_name);
    PackageName::parse(&normal).or_else(|_| {
        let prefix = match ecosystem {
            EcosystemKind::Python => "python",
            EcosystemKind::Rust => "rust",
        };
        let plain = normal.chars().filter(|character| character.is_ascii_lowercase() || character.is_ascii_digit());
        PackageName::parse(&format!("{prefix}-{}", plain.take(80).collect::<String>()))
    })
}
