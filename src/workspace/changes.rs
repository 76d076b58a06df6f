//! Which services differ from a revision: in their own directories, in those of the libraries they use, in what links in
//! these lead to, or in the repository's configuration.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use git2::{DiffOptions, Repository, RepositoryOpenFlags};

use super::{Member, Workspace};
use crate::diagnostic::{Code, Diagnose, ExitCode, codes};

/// Why the difference cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum ChangesError {
    /// There is no git repository, or it cannot be read.
    #[error("{} cannot be compared with another revision: {reason}", root.display())]
    Repository {
        /// The workspace's root.
        root: PathBuf,
        /// What git says.
        reason: String,
    },
    /// No such revision.
    #[error("there is no revision `{revision}` in this repository")]
    Revision {
        /// What was asked for.
        revision: String,
        /// The branch or tag whose name is near.
        meant: Option<String>,
    },
}

impl Diagnose for ChangesError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Repository { .. } => &codes::GIT_UNREADABLE,
            Self::Revision { .. } => &codes::UNKNOWN_REVISION,
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Repository { .. } => ExitCode::Failed,
            Self::Revision { .. } => ExitCode::Usage,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Repository { .. } => Vec::new(),
            Self::Revision { meant: Some(meant), .. } => vec![format!("did you mean `{meant}`?")],
            Self::Revision { revision, .. } => {
                vec![format!("in a shallow clone, fetch it first: `git fetch origin {revision}`")]
            }
        }
    }
}

/// Files that hold for the directories below them: a Cargo workspace's lock, manifest and toolchain, a Python project's
/// lock and interpreter, and the licence that goes into every package.
const INHERITED: [&str; 11] = [
    "Cargo.lock",
    "Cargo.toml",
    "rust-toolchain",
    "rust-toolchain.toml",
    "uv.lock",
    "pylock.toml",
    ".python-version",
    "LICENSE",
    "LICENSE.txt",
    "LICENSE.md",
    "COPYING",
];

/// Whether the file of this name in the workspace's root is where its settings stand. One that is gone may have been it.
fn holds_settings(workspace: &Workspace, name: &str) -> bool {
    name == crate::config::FILE_NAME
        || fs_err::read_to_string(workspace.root.join(name)).map_or(true, |text| text.contains("packhouse"))
}

/// The branch or tag whose name is near.
fn meant(repository: &Repository, revision: &str) -> Option<String> {
    let references = repository.references().ok()?;
    let names: Vec<String> = references.flatten().filter_map(|one| Some(one.shorthand().ok()?.to_owned())).collect();
    crate::config::closest(revision, names.iter().map(String::as_str)).map(str::to_owned)
}

/// Names of the services that differ between `revision` and the working tree, untracked files included.
pub fn since(workspace: &Workspace, revision: &str) -> Result<BTreeSet<String>, ChangesError> {
    let unreadable = |error: git2::Error| ChangesError::Repository {
        root: workspace.root.clone(),
        reason: error.message().to_owned(),
    };
    let repository =
        Repository::open_ext(&workspace.root, RepositoryOpenFlags::empty(), [] as [&Path; 0]).map_err(unreadable)?;
    let base = repository
        .revparse_single(revision)
        .and_then(|object| object.peel_to_tree())
        .map_err(|_| ChangesError::Revision { revision: revision.to_owned(), meant: meant(&repository, revision) })?;
    let mut options = DiffOptions::new();
    options.include_untracked(true).recurse_untracked_dirs(true).ignore_submodules(false);
    let diff = repository.diff_tree_to_workdir_with_index(Some(&base), Some(&mut options)).map_err(unreadable)?;
    let top = repository.workdir().unwrap_or(&workspace.root);
    let prefix = workspace.root.strip_prefix(top).unwrap_or(Path::new("")).to_path_buf();
    let mut changed: BTreeSet<PathBuf> = BTreeSet::new();
    for delta in diff.deltas() {
        for file in [delta.old_file(), delta.new_file()] {
            if let Some(path) = file.path() {
                // What is beside the workspace, in a repository that holds more than it, is not ours.
                if let Ok(path) = path.strip_prefix(&prefix) {
                    changed.insert(path.to_path_buf());
                } else if prefix.starts_with(path) {
                    changed.insert(PathBuf::new());
                }
            }
        }
    }
    // The workspace itself is a submodule that changed, or the settings of all services did.
    let everything = [crate::config::FILE_NAME, "Cargo.toml", "pyproject.toml", ""]
        .iter()
        .any(|name| changed.contains(Path::new(name)) && (!name.ends_with(".toml") || holds_settings(workspace, name)));
    let touches =
        |directory: &Path| changed.iter().any(|path| path.starts_with(directory) || directory.starts_with(path));
    // What a directory takes from those above it: locks, manifests and tools' settings.
    let inherits = |directory: &Path| {
        directory.ancestors().skip(1).any(|above| {
            INHERITED.iter().any(|name| changed.contains(&above.join(name)))
                || changed.iter().any(|path| path.starts_with(above.join(".cargo")))
        })
    };
    let differs = |member: &Member| {
        touches(&member.path) || inherits(&member.path) || linked(workspace, member).iter().any(|place| touches(place))
    };
    Ok(workspace
        .services()
        .filter(|service| everything || differs(service) || workspace.closure(service).into_iter().any(differs))
        .map(|service| service.name.to_string())
        .collect())
}

/// The places outside the directory of `member`, relative to the root, that links in it lead to. What cannot be read leads
/// nowhere: the build says what is wrong with it.
fn linked(workspace: &Workspace, member: &Member) -> BTreeSet<PathBuf> {
    let directory = workspace.directory(member);
    let left_out = |name: &std::ffi::OsStr| matches!(name.to_str(), Some(".git" | "target" | "node_modules" | ".venv"));
    let walk = walkdir::WalkDir::new(&directory).into_iter().filter_entry(|entry| !left_out(entry.file_name()));
    let links = walk.flatten().filter(|entry| entry.path_is_symlink());
    let places = links.filter_map(|link| fs_err::canonicalize(link.path()).ok());
    let outside = places.filter(|place| !place.starts_with(&directory));
    outside.filter_map(|place| Some(place.strip_prefix(&workspace.root).ok()?.to_path_buf())).collect()
}
