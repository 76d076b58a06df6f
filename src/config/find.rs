//! Finds the configuration: upwards from where the user stands, to the repository's root and no further.
//!
//! In each directory there are four places for the same table; two of them in one directory are an error, because one
//! of them would be ignored without a word.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::Error;
use super::reader::Source;

/// The largest configuration or manifest that is read; a larger one is no work of a person.
const LARGEST: u64 = 8 << 20;

/// The name of packhouse's own file.
pub const FILE_NAME: &str = "packhouse.toml";

/// The files that may hold a configuration, with the keys that lead to the table in each.
const PLACES: [(&str, &[&str], &str); 4] = [
    (FILE_NAME, &[], FILE_NAME),
    ("Cargo.toml", &["workspace", "metadata", "packhouse"], "workspace.metadata.packhouse"),
    ("Cargo.toml", &["package", "metadata", "packhouse"], "package.metadata.packhouse"),
    ("pyproject.toml", &["tool", "packhouse"], "tool.packhouse"),
];

/// A configuration that was found.
#[derive(Debug)]
pub(super) struct Found {
    /// Its directory, absolute, without symbolic links.
    pub(super) root: PathBuf,
    /// The file.
    pub(super) source: Source,
    /// The keys that lead to the table.
    pub(super) keys: &'static [&'static str],
}

impl Found {
    /// The table, in the parsed file.
    pub(super) fn table<'a>(
        &self,
        document: &'a Spanned<DeTable<'a>>,
    ) -> Option<(&'a DeTable<'a>, std::ops::Range<usize>)> {
        descend(document.get_ref(), self.keys).map(|(table, span)| (table, span.unwrap_or(0..0)))
    }
}

pub(super) fn descend<'a>(
    table: &'a DeTable<'a>,
    keys: &[&str],
) -> Option<(&'a DeTable<'a>, Option<std::ops::Range<usize>>)> {
    let mut found = (table, None);
    for key in keys {
        let value: &Spanned<DeValue<'_>> = found.0.get(*key)?;
        found = (value.get_ref().as_table()?, Some(value.span()));
    }
    Some(found)
}

/// Looks in `start`, then in each directory above it, up to the root of the repository that `start` is in.
pub(super) fn search(start: &Path) -> Result<Found, Error> {
    let start = fs_err::canonicalize(start)?;
    for directory in start.ancestors() {
        if let Some(found) = in_directory(&start, directory)? {
            return Ok(found);
        }
        if is_repository_root(directory) {
            break;
        }
    }
    Err(Error::Missing { start })
}

/// The file that the user named.
pub(super) fn named(file: &Path) -> Result<Found, Error> {
    let absolute = fs_err::canonicalize(file)?;
    let root = absolute.parent().unwrap_or(Path::new("/")).to_path_buf();
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or(FILE_NAME);
    let source = Source { path: file.to_path_buf(), text: read_text(file)? };
    let Some((_, _, table)) = PLACES.iter().find(|(place, keys, _)| *place == name && !keys.is_empty()) else {
        return Ok(Found { root, source, keys: &[] });
    };
    match tables_of(&source, name)?.as_slice() {
        [] => Err(Error::NoTable { path: file.to_path_buf(), table }),
        [(keys, _)] => Ok(Found { root, source, keys }),
        [(_, first), (_, second), ..] => Err(Error::Ambiguous { first: first.clone(), second: second.clone() }),
    }
}

/// The configuration of one directory.
pub(super) fn in_directory(start: &Path, directory: &Path) -> Result<Option<Found>, Error> {
    let mut found: Vec<(Source, &'static [&'static str], String)> = Vec::new();
    for name in [FILE_NAME, "Cargo.toml", "pyproject.toml"] {
        let file = directory.join(name);
        if !file.is_file() {
            continue;
        }
        let path = file.strip_prefix(start).unwrap_or(&file).to_path_buf();
        let source = Source { path, text: read_text(&file)? };
        match tables_of(&source, name) {
            Ok(tables) => found.extend(tables.into_iter().map(|(keys, title)| (source.clone(), keys, title))),
            // A manifest that cannot be read is discovery's matter, unless the configuration might stand in it.
            Err(error) if found.is_empty() => return Err(error),
            Err(_) => {}
        }
    }
    if let [(_, _, first), (_, _, second), ..] = found.as_slice() {
        return Err(Error::Ambiguous { first: first.clone(), second: second.clone() });
    }
    Ok(found.pop().map(|(source, keys, _)| Found { root: directory.to_path_buf(), source, keys }))
}

/// The tables of packhouse in a file of this name: the keys that lead there and what to call it.
fn tables_of(source: &Source, name: &str) -> Result<Vec<(&'static [&'static str], String)>, Error> {
    let places: Vec<_> = PLACES.iter().filter(|(place, ..)| *place == name).collect();
    if let [(_, [], title)] = places.as_slice() {
        return Ok(vec![(&[], (*title).to_owned())]);
    }
    if !source.text.contains("packhouse") {
        return Ok(Vec::new());
    }
    let document = source.parse()?;
    let present = places.into_iter().filter(|(_, keys, _)| descend(document.get_ref(), keys).is_some());
    Ok(present.map(|(_, keys, title)| (*keys, format!("{name}: [{title}]"))).collect())
}

/// Whether a repository ends here. A submodule's `.git` is a file that leads into its superproject's `.git/modules`: the
/// repository goes on above it. (A worktree's leads into `.git/worktrees`: there it ends.)
fn is_repository_root(directory: &Path) -> bool {
    let git = directory.join(".git");
    if !git.is_file() {
        return git.exists();
    }
    let text = read_text(&git).unwrap_or_default();
    let inside = text.rsplit_once(".git/").map(|(_, inside)| inside).unwrap_or_default();
    !inside.split('/').any(|part| part == "modules")
}

/// The root of the repository that `start` is in; `start` itself when it is in none. Absolute, without symbolic links.
pub fn repository_root(start: &Path) -> Result<PathBuf, Error> {
    let start = fs_err::canonicalize(start)?;
    let root = start.ancestors().find(|directory| is_repository_root(directory));
    Ok(root.unwrap_or(&start).to_path_buf())
}

/// The text of a file that a person wrote; bounded, and an error when it is not UTF-8.
pub(crate) fn read_text(path: &Path) -> std::io::Result<Arc<str>> {
    let metadata = fs_err::metadata(path)?;
    if !metadata.is_file() {
        return Err(std::io::Error::other(format!("`{}` is not a regular file", path.display())));
    }
    if metadata.len() > LARGEST {
        let problem = format!("`{}` is larger than {} MiB", path.display(), LARGEST >> 20);
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, problem));
    }
    fs_err::read_to_string(path).map(Arc::from)
}
