//! Patterns for files as cargo-deb and cargo-generate-rpm have them: those of the `glob` crate.
//!
//! They differ from our own (see [`crate::config::FileSource::Glob`]): directories are never found, names that begin with a dot are,
//! and `{` means itself. What is found is written into the settings file by file, so that nothing after the configuration
//! has to know.

use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use crate::config::value::Rule;

/// More files than anybody means with one pattern.
const MOST: usize = 100_000;

/// Whether `text` is a pattern.
pub(super) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// The files that `pattern`, relative to `directory` (absolute), finds: their paths in the same form, sorted. Links to
/// files are among them.
pub(super) fn expand(directory: &Path, pattern: &str) -> Result<Vec<PathBuf>, Rule> {
    let mut found = vec![PathBuf::new()];
    let mut parts = pattern.split('/').filter(|part| !part.is_empty() && *part != ".").peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        let mut next = Vec::new();
        if !is_pattern(part) {
            next.extend(found.iter().map(|path| path.join(part)));
        } else if part == "**" {
            for path in &found {
                below(directory, path, &mut next)?;
            }
        } else {
            let matcher = matcher(part)?;
            for path in &found {
                let names = names(directory, path)?.into_iter().filter(|name| matcher.is_match(name));
                next.extend(names.map(|name| path.join(name)));
            }
        }
        next.retain(|path| {
            let path = directory.join(path);
            if is_last { path.symlink_metadata().is_ok() && !path.is_dir() } else { path.is_dir() }
        });
        if next.len() > MOST {
            return Err(format!("`{pattern}` finds more than {MOST} files"));
        }
        found = next;
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// One name of a pattern; only `*`, `?` and `[` mean something.
fn matcher(part: &str) -> Result<GlobMatcher, Rule> {
    let mut escaped = String::new();
    for character in part.chars() {
        match character {
            '{' | '}' | '\\' => escaped.extend(['[', character, ']']),
            other => escaped.push(other),
        }
    }
    let glob = GlobBuilder::new(&escaped).literal_separator(true).backslash_escape(false).build();
    glob.map(|glob| glob.compile_matcher()).map_err(|error| format!("`{part}` is no pattern: {}", error.kind()))
}

/// What a directory holds, git's own left out; nothing where there is none.
fn names(directory: &Path, path: &Path) -> Result<Vec<String>, Rule> {
    let place = directory.join(path);
    if !place.is_dir() {
        return Ok(Vec::new());
    }
    let unreadable = |error: std::io::Error| format!("`{}` cannot be read: {error}", path.display());
    let mut names = Vec::new();
    for entry in fs_err::read_dir(&place).map_err(unreadable)? {
        match entry.map_err(unreadable)?.file_name().into_string() {
            Ok(name) if name != ".git" => names.push(name),
            Ok(_) => {}
            Err(name) => return Err(format!("`{}` is not UTF-8", path.join(name).display())),
        }
    }
    names.sort();
    Ok(names)
}

/// The directory itself and all below it; links to directories are not followed, because they may lead in circles.
fn below(directory: &Path, path: &Path, all: &mut Vec<PathBuf>) -> Result<(), Rule> {
    let mut pending = vec![path.to_path_buf()];
    while let Some(path) = pending.pop() {
        for name in names(directory, &path)? {
            let inner = path.join(name);
            if directory.join(&inner).symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
                pending.push(inner);
            }
        }
        all.push(path);
        if all.len() > MOST {
            return Err(format!("there are more than {MOST} directories below `{}`", path_or_dot(all)));
        }
    }
    Ok(())
}

fn path_or_dot(all: &[PathBuf]) -> String {
    let first = all.first().map(|path| path.display().to_string()).unwrap_or_default();
    if first.is_empty() { ".".to_owned() } else { first }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_find_what_the_glob_crate_finds() {
        let directory = tempfile::tempdir().unwrap();
        for file in ["a.txt", ".hidden", "b{1}.txt", "sub/c.txt", "sub/deep/d.txt", "other/e.md"] {
            let path = directory.path().join(file);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, "").unwrap();
        }
        let of = |pattern: &str| -> Vec<String> {
            let found = expand(directory.path(), pattern).unwrap();
            found.iter().map(|path| path.display().to_string()).collect()
        };
        assert_eq!(of("*"), [".hidden", "a.txt", "b{1}.txt"], "no directories, but hidden files");
        assert_eq!(of("*/*.txt"), ["sub/c.txt"]);
        assert_eq!(of("**/*.txt"), ["a.txt", "b{1}.txt", "sub/c.txt", "sub/deep/d.txt"]);
        assert_eq!(of("sub/**/*"), ["sub/c.txt", "sub/deep/d.txt"]);
        assert_eq!(of("b{1}.*"), ["b{1}.txt"]);
        assert_eq!(of("[!a-z]*"), [".hidden"]);
        assert_eq!(of("../*/a.txt").len(), 1);
        assert_eq!(of("nothing/*"), [""; 0]);
        assert!(expand(directory.path(), "a[").is_err());
    }
}
