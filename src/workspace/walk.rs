//! All directories of the repository that may hold a manifest, in the order of their paths.
//!
//! What git ignores and does not track is left out by the rules of gitignore(5), read from the `.gitignore` files of the
//! tree alone: the machine's global ignore file and `.git/info/exclude` do not count, so that every clone gives the same
//! answer. Each
//! submodule is a walk of its own, because its superproject's rules do not apply inside. Symbolic links to directories
//! are never followed; those to files only when they stay in the repository.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use globset::GlobSet;
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::Error;
use super::submodules::{Submodule, submodules};
use super::tracked::Tracked;
use crate::config::value::stays_inside;

/// A directory of the walk.
#[derive(Debug)]
pub(super) struct Found {
    /// Relative to the root.
    pub(super) path: PathBuf,
    /// The names in it, sorted.
    pub(super) entries: Vec<String>,
    /// The submodule it lives in.
    pub(super) submodule: Option<PathBuf>,
    /// It, or a directory above it, matches `exclude`.
    pub(super) excluded: bool,
}

/// Names of directories that never hold members: vendored code, installed code, fixtures.
const SKIPPED: [&str; 7] = ["vendor", "node_modules", "tests", "test", "testdata", "site-packages", "__pycache__"];

/// What the walk needs to know.
pub(super) struct Walk<'a> {
    /// The workspace's root: absolute, without symbolic links.
    pub(super) root: &'a Path,
    /// The name of the vendor directories.
    pub(super) vendor: &'a Path,
    /// What is left out.
    pub(super) exclude: &'a GlobSet,
}

/// Where a walk of one repository begins.
struct Start<'a> {
    /// Relative to the root.
    path: &'a Path,
    /// The submodule that this is.
    submodule: Option<&'a Path>,
    /// The rules of the directories above.
    rules: Vec<Rc<Gitignore>>,
    /// What git tracks there.
    tracked: Tracked,
}

impl Walk<'_> {
    /// Walks from `repository`, the root of the repository that the workspace's root is in.
    pub(super) fn run(&self, repository: &Path) -> Result<Vec<Found>, Error> {
        let mut found = Vec::new();
        let mut pending = submodules(self.root, repository)?;
        let mut known: BTreeSet<PathBuf> = pending.iter().map(|submodule| submodule.path.clone()).collect();
        // The rules of the directories between the repository's root and the workspace's.
        let above = self.root.ancestors().skip(1).take_while(|directory| directory.starts_with(repository));
        let mut rules: Vec<Rc<Gitignore>> =
            above.map(|above| gitignore(above).map(Rc::new)).collect::<Result<_, _>>()?;
        rules.reverse();
        let start = Start { path: Path::new(""), submodule: None, rules, tracked: Tracked::of(repository) };
        self.visit(start, &known, &mut found)?;
        pending.reverse();
        while let Some(submodule) = pending.pop() {
            if self.is_skipped_path(&submodule.path) {
                continue;
            }
            if !submodule.checked_out {
                if self.is_excluded(&submodule.path) {
                    continue;
                }
                return Err(submodule.missing());
            }
            let nested: Vec<Submodule> = submodules(self.root, &self.root.join(&submodule.path))?;
            known.extend(nested.iter().map(|nested| nested.path.clone()));
            pending.extend(nested.into_iter().rev());
            let path = submodule.path.as_path();
            let tracked = Tracked::of(&self.root.join(path));
            let start = Start { path, submodule: Some(path), rules: Vec::new(), tracked };
            self.visit(start, &known, &mut found)?;
        }
        found.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(found)
    }

    /// Walks from `start` down, without entering submodules. The stack is on the heap: a tree may be deep.
    fn visit(&self, start: Start<'_>, submodules: &BTreeSet<PathBuf>, found: &mut Vec<Found>) -> Result<(), Error> {
        let Start { path, submodule, rules, tracked } = start;
        // With each directory: the rules of those above it, and whether they ignore it.
        let mut pending = vec![(path.to_path_buf(), rules, false)];
        while let Some((path, mut rules, ignored)) = pending.pop() {
            let directory = self.root.join(&path);
            let own = gitignore(&directory)?;
            if !own.is_empty() {
                rules.push(Rc::new(own));
            }
            let mut entries = Vec::new();
            let mut below = Vec::new();
            for entry in fs_err::read_dir(&directory)? {
                let entry = entry?;
                let Ok(name) = entry.file_name().into_string() else { continue };
                let (kind, place) = (entry.file_type()?, entry.path());
                if name == ".git" || (kind.is_symlink() && !(place.exists() && stays_inside(self.root, &place))) {
                    continue;
                }
                let child = path.join(&name);
                let is_submodule = submodules.contains(&child);
                let ignored = !is_submodule && (ignored || is_ignored(&rules, &place, kind.is_dir()));
                if ignored && !tracked.contains(&place, kind.is_dir()) {
                    continue;
                }
                if kind.is_dir() && !is_submodule {
                    below.push((name.clone(), child, ignored));
                }
                // Pipes, sockets and devices are not there for anybody.
                if kind.is_file() || kind.is_dir() || (kind.is_symlink() && (place.is_file() || place.is_dir())) {
                    entries.push(name);
                }
            }
            entries.sort();
            for (name, child, ignored) in below {
                if !self.is_skipped(&name, &child) && !is_generated(&self.root.join(&child), &name, &entries) {
                    pending.push((child, rules.clone(), ignored));
                }
            }
            let excluded = self.is_excluded(&path);
            found.push(Found { path, entries, submodule: submodule.map(Path::to_path_buf), excluded });
        }
        Ok(())
    }

    fn is_skipped(&self, name: &str, path: &Path) -> bool {
        name.starts_with('.') || SKIPPED.contains(&name) || path.ends_with(self.vendor)
    }

    fn is_skipped_path(&self, path: &Path) -> bool {
        path.ancestors().any(|path| path.file_name().is_some_and(|name| self.is_skipped(&name.to_string_lossy(), path)))
    }

    fn is_excluded(&self, path: &Path) -> bool {
        // A pattern for the root itself (`.`) leaves out the root's own package, not all that is below.
        self.exclude.is_match(path)
            || path.ancestors().skip(1).any(|above| !above.as_os_str().is_empty() && self.exclude.is_match(above))
    }
}

/// Whether the directory is a virtual environment or cargo's output.
fn is_generated(directory: &Path, name: &str, siblings: &[String]) -> bool {
    directory.join("pyvenv.cfg").exists()
        || directory.join("conda-meta").is_dir()
        || (name == "target"
            && (siblings.iter().any(|sibling| sibling == "Cargo.toml") || directory.join("CACHEDIR.TAG").exists()))
}

/// Whether git ignores the directory `path` (absolute) by the rules of the tree, and tracks nothing in it.
pub(crate) fn is_only_ignored(path: &Path) -> bool {
    let top = path.ancestors().skip(1).find(|above| above.join(".git").exists()).unwrap_or(Path::new("/"));
    let mut chain: Vec<&Path> = path.ancestors().take_while(|above| above.starts_with(top)).collect();
    chain.reverse();
    let mut rules = Vec::new();
    let mut ignored = false;
    for (directory, below) in chain.iter().zip(chain.iter().skip(1)) {
        let Ok(own) = gitignore(directory) else { return false };
        rules.push(Rc::new(own));
        ignored = ignored || is_ignored(&rules, below, true);
    }
    ignored && !Tracked::of(top).contains(path, true)
}

/// The rules of one directory's `.gitignore`; a symbolic link is not read, as git does not read it.
fn gitignore(directory: &Path) -> Result<Gitignore, Error> {
    let file = directory.join(".gitignore");
    let mut builder = GitignoreBuilder::new(directory);
    if file.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) {
        let text = String::from_utf8_lossy(&fs_err::read(&file)?).into_owned();
        for line in text.trim_start_matches('\u{feff}').lines() {
            // A pattern that git cannot use is one that git passes over too.
            let _ = builder.add_line(None, line);
        }
    }
    Ok(builder.build().unwrap_or_else(|_| Gitignore::empty()))
}

/// The last rule that matches wins, and the nearest file's rules come last (gitignore(5)).
fn is_ignored(rules: &[Rc<Gitignore>], path: &Path, is_directory: bool) -> bool {
    for rule in rules.iter().rev() {
        match rule.matched(path, is_directory) {
            Match::Ignore(_) => return true,
            Match::Whitelist(_) => return false,
            Match::None => {}
        }
    }
    false
}
