//! What git tracks, whatever its ignore rules say (gitignore(5): "files already tracked by Git are not affected").
//!
//! Only the index file is parsed, without opening the repository: no configuration of it is read, so that neither
//! fsmonitor nor hooks nor filters have a say. An index in a form that the library does not know (split, sparse) counts
//! as none: then the ignore rules decide alone.

use std::path::{Path, PathBuf};

/// The mode of an entry that is a submodule's commit (gitformat-index(5)).
const GITLINK: u32 = 0o160_000;

/// The tracked files of one repository.
pub(super) struct Tracked {
    top: PathBuf,
    index: Option<git2::Index>,
}

impl Tracked {
    /// The index of the repository whose working tree is `top` (absolute).
    pub(super) fn of(top: &Path) -> Self {
        let file = git_directory(top).map(|directory| directory.join("index")).filter(|index| index.is_file());
        let index = file.and_then(|file| git2::Index::open(&file).ok());
        Self { top: top.to_path_buf(), index }
    }

    /// Whether `path` (relative to the top) is a submodule, as far as the index can be asked.
    pub(super) fn is_submodule(&self, path: &Path) -> Option<bool> {
        let index = self.index.as_ref()?;
        Some(index.get_path(path, 0).is_some_and(|entry| entry.mode == GITLINK))
    }

    /// Whether the file, or anything in the directory, is tracked; `path` is absolute.
    pub(super) fn contains(&self, path: &Path, is_directory: bool) -> bool {
        let (Some(index), Ok(inner)) = (&self.index, path.strip_prefix(&self.top)) else { return false };
        if is_directory { index.find_prefix(inner.join("")).is_ok() } else { index.get_path(inner, 0).is_some() }
    }
}

/// The directory with the index: `.git`, or where a `.git` file leads (gitrepository-layout(5)).
fn git_directory(top: &Path) -> Option<PathBuf> {
    let git = top.join(".git");
    if git.is_dir() {
        return Some(git);
    }
    if !git.is_file() {
        return None;
    }
    let text = crate::config::read_text(&git).ok()?;
    Some(top.join(text.trim_end().strip_prefix("gitdir: ")?))
}
