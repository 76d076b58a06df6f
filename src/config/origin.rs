//! Where a table of the configuration stands, for errors that only show when the repository is known.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::find::{Found, in_directory};
use super::reader::Source;
use crate::diagnostic::Location;
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

/// The value behind `keys` in the configuration of the directory `root`; `None` when it is not there.
pub(crate) fn locate(root: &Path, keys: &[&str]) -> Option<Location> {
    let found = in_directory(root, root).ok()??;
    Origin::new(&found).find(keys)
}
