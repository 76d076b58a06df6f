//! The files that an entry of `[[services.NAME.files]]` names: one file, a directory with what is in it, or what a pattern
//! finds.
//!
//! Everything that is there is taken, whether git ignores it or not, because what a build step made is often the very thing
//! to install; only `.git` is left out, and empty directories, which git does not keep. The umask never counts: a file is
//! 0755 when its owner may execute it, else 0644. A symbolic link stays one as long as it leads to something that is
//! installed with it, and is followed when it leads to another file of the repository; one that leaves the repository is
//! an error.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use crate::config::FileSource;
use crate::config::value::stays_inside;

/// More files than anybody means to install with one entry.
const MAX_FILES: usize = 200_000;
/// Deeper than any tree that a person made.
const MAX_DEPTH: usize = 64;

/// One file of a source.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Its path below the place where the entry installs; empty for a source that is one file.
    pub(super) below: String,
    /// What it is.
    pub(super) what: What,
}

/// What a source is made of.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A regular file, and whether its owner may execute it.
    File { path: PathBuf, executable: bool },
    /// A link to something of the same source, by its path below.
    Link { to: String },
}

/// What is wrong with a source, and what to do.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) what: String,
    pub(super) hint: String,
}

/// What was found, and the name of the source itself (for a path that ends in `/`).
#[derive(Debug)]
pub(super) struct Sources {
    pub(super) found: Vec<Found>,
    /// `None` when the files go directly into the entry's path: what a pattern found.
    pub(super) name: Option<String>,
    /// Whether the source is one file and nothing else.
    pub(super) is_file: bool,
}

/// Finds the files of `source` in the service's `directory`, in the repository at `root` (absolute, resolved).
pub(super) fn find(root: &Path, directory: &Path, source: &FileSource) -> Result<Sources, Problem> {
    match source {
        FileSource::Path(path) => {
            let place = resolve(root, &directory.join(path), path)?;
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            if place.is_dir() {
                let found = walk(root, &place, path)?;
                if found.is_empty() {
                    return Err(problem(
                        format!("the directory `{}` has no files in it", path.display()),
                        "an empty directory is an entry of its own: type = \"directory\", without `source`",
                    ));
                }
                return Ok(Sources { found, name: Some(name), is_file: false });
            }
            let what = file(&place, path)?;
            Ok(Sources { found: vec![Found { below: String::new(), what }], name: Some(name), is_file: true })
        }
        FileSource::Glob { base, pattern } => {
            let place = resolve(root, &directory.join(base), base)?;
            let matches = |below: &str| {
                let whole = base.join(below);
                let inside = whole.ancestors().take_while(|path| *path != base.as_path());
                inside.into_iter().any(|path| pattern.is_match(path))
            };
            let mut found = if place.is_dir() { walk(root, &place, base)? } else { Vec::new() };
            found.retain(|found| matches(&found.below));
            if found.is_empty() {
                return Err(problem(
                    format!("the pattern `{}` finds nothing", pattern.glob().glob()),
                    "correct the pattern (`*` does not match `/`, `**` does), or drop the entry",
                ));
            }
            // A link whose target was not found is no link to something that is installed.
            let names: std::collections::BTreeSet<String> = found.iter().map(|found| found.below.clone()).collect();
            for one in &mut found {
                if let What::Link { to } = &one.what
                    && !names.iter().any(|name| name == to || is_below(name, to))
                {
                    let path = base.join(&one.below);
                    let place = resolve(root, &directory.join(&path), &path)?;
                    one.what = file(&place, &path)?;
                }
            }
            Ok(Sources { found, name: None, is_file: false })
        }
        // What cargo makes is no file of the repository (see `super::built`).
        FileSource::Built { .. } | FileSource::BuiltGlob { .. } => {
            Ok(Sources { found: Vec::new(), name: None, is_file: false })
        }
    }
}

fn is_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}

fn problem(what: String, hint: &str) -> Problem {
    Problem { what, hint: hint.to_owned() }
}

fn unreadable(name: &Path, error: &std::io::Error) -> Problem {
    problem(format!("`{}` cannot be read: {error}", name.display()), "correct the path or the file's permissions")
}

/// `place` without symbolic links; it must be there and in the repository. `name` is how the user calls it.
fn resolve(root: &Path, place: &Path, name: &Path) -> Result<PathBuf, Problem> {
    let name = if name.as_os_str().is_empty() { Path::new(".") } else { name };
    if place.symlink_metadata().is_err() {
        return Err(problem(
            format!("`{}` does not exist", name.display()),
            "correct `source`, relative to the service's directory; what a build step makes must be there before packhouse runs",
        ));
    }
    if !stays_inside(root, place) {
        return Err(problem(
            format!("`{}` is a link that leads out of the repository, or to nothing", name.display()),
            "put the file itself into the repository",
        ));
    }
    place.canonicalize().map_err(|error| unreadable(name, &error))
}

/// A regular file at `place`, which has no links in it.
fn file(place: &Path, name: &Path) -> Result<What, Problem> {
    let metadata = fs_err::metadata(place).map_err(|error| unreadable(name, &error))?;
    if metadata.is_file() {
        return Ok(What::File { path: place.to_path_buf(), executable: metadata.permissions().mode() & 0o100 != 0 });
    }
    let what = if metadata.is_dir() { "a link to a directory elsewhere" } else { "neither a file nor a directory" };
    Err(problem(
        format!("`{}` is {what}, and cannot be installed with the rest", name.display()),
        "name what it stands for in an entry of its own, or remove it",
    ))
}

/// All files below the directory `top`, sorted by path; `name` is how the user calls it.
fn walk(root: &Path, top: &Path, name: &Path) -> Result<Vec<Found>, Problem> {
    let mut found = Vec::new();
    let mut pending = vec![(top.to_path_buf(), String::new(), 0_usize)];
    while let Some((directory, below, depth)) = pending.pop() {
        let shown = name.join(&below);
        if depth > MAX_DEPTH || found.len() > MAX_FILES {
            let what = format!("`{}` has more in it than one entry can install", shown.display());
            return Err(problem(what, "name the directories that are meant in entries of their own"));
        }
        for entry in fs_err::read_dir(&directory).map_err(|error| unreadable(&shown, &error))? {
            let entry = entry.map_err(|error| unreadable(&shown, &error))?;
            let Ok(own) = entry.file_name().into_string() else {
                let what = format!("`{}` holds a name that is not UTF-8: {:?}", shown.display(), entry.file_name());
                return Err(problem(what, "rename the file"));
            };
            if own == ".git" {
                continue;
            }
            let path = if below.is_empty() { own } else { format!("{below}/{own}") };
            let kind = entry.file_type().map_err(|error| unreadable(&shown, &error))?;
            if kind.is_dir() {
                pending.push((entry.path(), path, depth + 1));
                continue;
            }
            let shown = name.join(&path);
            let what =
                if kind.is_symlink() { link(root, top, &entry.path(), &shown)? } else { file(&entry.path(), &shown)? };
            found.push(Found { below: path, what });
        }
    }
    found.sort_by(|left, right| left.below.split('/').cmp(right.below.split('/')));
    Ok(found)
}

/// A symbolic link at `place` below `top`: kept when what it names is below `top`, too.
fn link(root: &Path, top: &Path, place: &Path, name: &Path) -> Result<What, Problem> {
    let resolved = resolve(root, place, name)?;
    if resolved.starts_with(top) {
        let target = fs_err::read_link(place).map_err(|error| unreadable(name, &error))?;
        // The next step of a chain of links, when it can be told by its text alone; else its end.
        let step = place.parent().map(|parent| normal(&parent.join(&target)));
        let is_entry = |step: &PathBuf| {
            step.starts_with(top)
                && step.parent().is_some_and(|parent| parent.canonicalize().is_ok_and(|real| real == parent))
        };
        let to = step.filter(is_entry).unwrap_or(resolved);
        if let Some(to) = to.strip_prefix(top).ok().and_then(Path::to_str).filter(|to| !to.is_empty()) {
            return Ok(What::Link { to: to.to_owned() });
        }
    }
    file(&place.canonicalize().map_err(|error| unreadable(name, &error))?, name)
}

/// `a/./b/../c` as `a/c`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn place() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        fs_err::create_dir_all(root.join("service/share/sub")).unwrap();
        for (name, mode) in [("share/a.txt", 0o600), ("share/run", 0o700), ("share/sub/b.txt", 0o666)] {
            let path = root.join("service").join(name);
            fs_err::write(&path, name).unwrap();
            fs_err::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        }
        (directory, root)
    }

    fn of(root: &Path, source: &str) -> Result<Vec<(String, String)>, String> {
        let source = if source.contains('*') {
            let pattern = globset::GlobBuilder::new(source).literal_separator(true).build().unwrap();
            let base = source.split('/').take_while(|part| !part.contains('*')).collect();
            FileSource::Glob { base, pattern: Box::new(pattern.compile_matcher()) }
        } else {
            FileSource::Path(source.into())
        };
        let sources = find(root, &root.join("service"), &source).map_err(|problem| problem.what)?;
        let shown = |found: Found| match found.what {
            What::File { executable, .. } => (found.below, if executable { "755" } else { "644" }.to_owned()),
            What::Link { to } => (found.below, format!("-> {to}")),
        };
        Ok(sources.found.into_iter().map(shown).collect())
    }

    fn pairs(list: &[(&str, &str)]) -> Result<Vec<(String, String)>, String> {
        Ok(list.iter().map(|(path, what)| ((*path).to_owned(), (*what).to_owned())).collect())
    }

    #[test]
    fn a_directory_is_taken_with_what_is_in_it_and_no_umask_counts() {
        let (_keep, root) = place();
        fs_err::create_dir(root.join("service/share/empty")).unwrap();
        assert_eq!(of(&root, "share"), pairs(&[("a.txt", "644"), ("run", "755"), ("sub/b.txt", "644")]));
        assert_eq!(of(&root, "share/run"), pairs(&[("", "755")]));
        assert!(of(&root, "share/empty").unwrap_err().contains("no files"));
        assert!(of(&root, "share/gone").unwrap_err().contains("does not exist"));
    }

    #[test]
    fn patterns_keep_the_path_below_their_fixed_part_and_must_find_something() {
        let (_keep, root) = place();
        assert_eq!(of(&root, "share/*.txt"), pairs(&[("a.txt", "644")]));
        assert_eq!(of(&root, "share/**/*.txt"), pairs(&[("a.txt", "644"), ("sub/b.txt", "644")]));
        assert_eq!(of(&root, "share/s*"), pairs(&[("sub/b.txt", "644")]));
        assert!(of(&root, "share/*.html").unwrap_err().contains("finds nothing"));
        assert!(of(&root, "nowhere/*").unwrap_err().contains("does not exist"));
    }

    #[test]
    fn links_stay_links_inside_are_followed_outside_and_never_leave_the_repository() {
        let (_keep, root) = place();
        let share = root.join("service/share");
        fs_err::write(root.join("shared.txt"), "shared").unwrap();
        symlink("../a.txt", share.join("sub/one")).unwrap();
        symlink("one", share.join("sub/two")).unwrap();
        symlink("sub", share.join("directory")).unwrap();
        symlink("../../shared.txt", share.join("elsewhere")).unwrap();
        assert_eq!(
            of(&root, "share"),
            pairs(&[
                ("a.txt", "644"),
                ("directory", "-> sub"),
                ("elsewhere", "644"),
                ("run", "755"),
                ("sub/b.txt", "644"),
                ("sub/one", "-> a.txt"),
                ("sub/two", "-> sub/one"),
            ])
        );
        // What the pattern did not find is not there to be linked to.
        assert_eq!(of(&root, "share/sub/o*"), pairs(&[("one", "644")]));
        for target in ["/etc/passwd", "../../../../../etc/passwd", "nowhere"] {
            let link = share.join("bad");
            symlink(target, &link).unwrap();
            assert!(of(&root, "share").unwrap_err().contains("leads out of the repository"), "{target}");
            assert!(of(&root, "share/bad").unwrap_err().contains("leads out of the repository"), "{target}");
            fs_err::remove_file(&link).unwrap();
        }
        symlink("loop", share.join("loop")).unwrap();
        assert!(of(&root, "share").is_err());
    }

    #[test]
    fn what_is_neither_file_nor_directory_is_refused() {
        let (_keep, root) = place();
        let pipe = root.join("service/share/pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert!(of(&root, "share").unwrap_err().contains("neither a file nor a directory"));
        assert!(of(&root, "share/pipe").unwrap_err().contains("neither a file nor a directory"));
        fs_err::remove_file(pipe).unwrap();
        std::os::unix::fs::symlink("../..", root.join("service/share/up")).unwrap();
        assert!(of(&root, "share").unwrap_err().contains("a directory elsewhere"));
    }
}
