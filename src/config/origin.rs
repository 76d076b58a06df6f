//! Where a table of the configuration stands, for errors that only show when the repository is known.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::find::{Found, in_directory, named, read_text, search};
use super::reader::Source;
use crate::diagnostic::{Clue, Location};
use crate::name::PackageName;

/// The place of a `[services.NAME]` table.
#[derive(Clone)]
pub struct Origin {
    path: PathBuf,
    text: Arc<str>,
    /// The keys that lead to the table, from the file's root.
    keys: Vec<String>,
    span: Range<usize>,
}

/// Says nothing, for the reason that [`super::Place`] has.
impl std::fmt::Debug for Origin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Origin")
    }
}

impl Origin {
    pub(super) fn new(found: &Found) -> Self {
        let keys = found.keys.iter().map(|key| (*key).to_owned()).collect();
        Self { path: found.source.path.clone(), text: Arc::clone(&found.source.text), keys, span: 0..0 }
    }

    pub(super) fn at(&self, name: &PackageName, span: Range<usize>) -> Self {
        let mut origin = self.clone();
        origin.keys.extend(["services".to_owned(), name.as_str().to_owned()]);
        origin.span = span;
        origin
    }

    /// The file, as the user would name it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The table itself.
    pub fn location(&self) -> Location {
        Location::new(&self.path, self.text.as_ref(), self.span.clone())
    }

    /// The value behind `keys` in this table; `None` when it is not there.
    pub fn find(&self, keys: &[&str]) -> Option<Location> {
        let source = Source { path: self.path.clone(), text: Arc::clone(&self.text) };
        let document = source.parse().ok()?;
        let mut all = self.keys.iter().map(String::as_str).chain(keys.iter().copied());
        let mut value = document.get_ref().get(all.next()?)?;
        for key in all {
            value = value.get_ref().get(key)?;
        }
        Some(*source.location(value.span()))
    }
}

/// Where a clue leads in the repository of the configuration that is in force in `start`, or of `manifest_path`.
pub(crate) fn follow(start: &Path, manifest_path: Option<&Path>, clue: &Clue) -> Option<Location> {
    let found = match manifest_path {
        Some(file) => named(file),
        None => search(start),
    };
    let found = found.ok()?;
    match clue {
        Clue::Key(keys) => {
            let origin = Origin::new(&found);
            let mut keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            while !keys.is_empty() {
                if let Some(location) = origin.find(&keys) {
                    return Some(location);
                }
                // A service without a table has no place; the list of all tables is none.
                let last = keys.pop();
                if keys == ["services"] || last.is_none() {
                    break;
                }
            }
            None
        }
        Clue::Word { file, word } => {
            let text = read_text(&found.root.join(file)).ok()?;
            let start = [format!("\"{word}\""), format!("'{word}'"), word.clone()].iter().find_map(|spelling| {
                let quotes = usize::from(spelling.len() > word.len());
                text.find(spelling.as_str()).map(|start| start + quotes)
            })?;
            Some(Location::new(file, text.as_ref(), start..start + word.len()))
        }
    }
}

/// The value behind `keys` in the configuration of the directory `root`; `None` when it is not there.
pub(crate) fn locate(root: &Path, keys: &[&str]) -> Option<Location> {
    let found = in_directory(root, root).ok()??;
    Origin::new(&found).find(keys)
}
