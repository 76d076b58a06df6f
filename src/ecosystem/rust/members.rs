//! Which packages belong to a cargo workspace, by cargo's own rules.
//!
//! Source: The Cargo Book, "Workspaces": the root package, what `members` matches, and all path dependencies below the
//! root's directory; without what `exclude` names, unless `members` names it too.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use globset::GlobBuilder;

use super::manifest::{Error, Read, inside};

/// The most directories that one pattern may look at.
const MOST_DIRECTORIES: usize = 100_000;

/// The workspace whose root's manifest is `read`.
pub(super) struct CargoWorkspace<'a> {
    root: &'a Path,
    read: &'a Read,
}

impl<'a> CargoWorkspace<'a> {
    /// The workspace of this manifest; `None` when it has no `[workspace]`.
    pub(super) fn of(root: &'a Path, read: &'a Read) -> Option<Self> {
        read.manifest.workspace.as_ref().map(|_| Self { root, read })
    }

    fn patterns(&self) -> &[String] {
        self.read.manifest.workspace.as_ref().map(|workspace| workspace.members.as_slice()).unwrap_or_default()
    }

    /// Whether `exclude` takes this directory out.
    pub(super) fn excludes(&self, directory: &Path) -> bool {
        let starts = |text: &String| {
            inside(self.root, self.read.directory(), Path::new(text)).is_some_and(|path| directory.starts_with(path))
        };
        let exclude = self.read.manifest.workspace.as_ref().map(|workspace| workspace.exclude.as_slice());
        exclude.unwrap_or_default().iter().any(starts) && !self.patterns().iter().any(starts)
    }

    /// Whether `members` names this directory, as far as its patterns tell.
    pub(super) fn lists(&self, directory: &Path) -> bool {
        let Ok(relative) = directory.strip_prefix(self.read.directory()) else { return false };
        self.patterns().iter().any(|pattern| {
            let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
            let glob = GlobBuilder::new(pattern).literal_separator(true).build();
            glob.is_ok_and(|glob| glob.compile_matcher().is_match(relative))
        })
    }

    /// The manifests of all its packages, the root's own left out; sorted by path.
    pub(super) fn members(&self) -> Result<Vec<Read>, Error> {
        let own = self.read.directory();
        let mut pending: BTreeSet<PathBuf> = BTreeSet::new();
        for pattern in self.patterns() {
            pending.extend(self.expand(pattern)?);
        }
        pending.extend(self.below(self.read.path_dependencies(self.root, self.read)));
        let mut seen: BTreeSet<PathBuf> = BTreeSet::from([own.to_path_buf()]);
        let mut members = Vec::new();
        while let Some(directory) = pending.pop_first() {
            if !seen.insert(directory.clone()) || self.excludes(&directory) {
                continue;
            }
            let member = Read::new(self.root, &directory)?;
            // The root of another workspace speaks for itself.
            if member.manifest.workspace.is_some() {
                continue;
            }
            pending.extend(self.below(member.path_dependencies(self.root, self.read)));
            members.push(member);
        }
        members.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(members)
    }

    /// The path dependencies that are members by being below the root.
    fn below(&self, paths: BTreeSet<PathBuf>) -> impl Iterator<Item = PathBuf> {
        let exists = |path: &PathBuf| {
            path.starts_with(self.read.directory()) && self.root.join(path).join("Cargo.toml").is_file()
        };
        paths.into_iter().filter(exists).collect::<Vec<_>>().into_iter()
    }

    /// The directories that a pattern of `members` names.
    fn expand(&self, pattern: &str) -> Result<Vec<PathBuf>, Error> {
        let own = self.read.directory();
        if !pattern.contains(['*', '?', '[']) {
            let hint = "correct `members` of [workspace]";
            let problem = |problem: &str| self.read.error(format!("the member `{pattern}` {problem}"), hint);
            let path = inside(self.root, own, Path::new(pattern));
            let path = path.ok_or_else(|| problem("leads out of the repository"))?;
            if !self.root.join(&path).join("Cargo.toml").is_file() {
                return Err(problem("has no Cargo.toml"));
            }
            return Ok(vec![path]);
        }
        let mut found = vec![own.to_path_buf()];
        for segment in pattern.split('/').filter(|segment| !segment.is_empty() && *segment != ".") {
            let mut next = BTreeSet::new();
            for directory in &found {
                match segment {
                    ".." => next.extend(inside(self.root, directory, Path::new(".."))),
                    "**" => self.all_below(directory, &mut next)?,
                    _ if segment.contains(['*', '?', '[']) => {
                        let glob = GlobBuilder::new(segment).build().map_err(|error| {
                            let problem = format!("the pattern `{pattern}` is wrong: {}", error.kind());
                            self.read.error(problem, "correct `members` of [workspace]")
                        })?;
                        let matcher = glob.compile_matcher();
                        let names = self.directories(directory)?.into_iter();
                        next.extend(names.filter(|name| matcher.is_match(name)).map(|name| directory.join(name)));
                    }
                    name => next.extend([directory.join(name)]),
                }
            }
            if next.len() > MOST_DIRECTORIES {
                let problem = format!("the pattern `{pattern}` matches too many directories");
                return Err(self.read.error(problem, "name the members more exactly"));
            }
            found = next.into_iter().collect();
        }
        found.retain(|path| self.root.join(path).join("Cargo.toml").is_file());
        Ok(found)
    }

    fn all_below(&self, directory: &Path, all: &mut BTreeSet<PathBuf>) -> Result<(), Error> {
        let mut pending = vec![directory.to_path_buf()];
        while let Some(directory) = pending.pop() {
            for name in self.directories(&directory)? {
                pending.push(directory.join(name));
            }
            all.insert(directory);
            if all.len() > MOST_DIRECTORIES {
                break;
            }
        }
        Ok(())
    }

    /// Names of the directories in a directory; hidden ones and symbolic links left out.
    fn directories(&self, directory: &Path) -> Result<Vec<String>, Error> {
        let path = self.root.join(directory);
        if !path.is_dir() {
            return Ok(Vec::new());
        }
        let mut names = Vec::new();
        for entry in fs_err::read_dir(path)? {
            let entry = entry?;
            if let (true, Ok(name)) = (entry.file_type()?.is_dir(), entry.file_name().into_string())
                && !name.starts_with('.')
            {
                names.push(name);
            }
        }
        Ok(names)
    }
}
