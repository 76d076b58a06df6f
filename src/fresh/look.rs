//! How files are looked at, and whether they still look so.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::NotFresh;
use crate::stamp::{Stamp, is_absent};

/// So many looks are not worth a thread.
const FEW: usize = 256;

/// What about a path counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Manner {
    /// The entry itself: of a directory which names are in it, of a link where it leads.
    Itself = 1,
    /// What a link leads to; also when there is nothing.
    Behind = 2,
    /// Only that it is the same one, of the same owner: a directory in which things come and go that do not count.
    Place = 3,
}

impl Manner {
    pub(super) fn of(number: u8) -> Option<Self> {
        [Self::Itself, Self::Behind, Self::Place].into_iter().find(|manner| *manner as u8 == number)
    }
}

/// What is there now; `None` when nothing is.
pub(super) fn stamp(path: &Path, manner: Manner) -> io::Result<Option<Stamp>> {
    let metadata = match manner {
        Manner::Itself => fs_err::symlink_metadata(path),
        Manner::Behind | Manner::Place => fs_err::metadata(path),
    };
    match metadata {
        Ok(metadata) if manner == Manner::Place => {
            let owner = i64::from(metadata.uid());
            Ok(Some(Stamp { size: 0, modified: owner, changed: 0, ..Stamp::of(&metadata) }))
        }
        Ok(metadata) => Ok(Some(Stamp::of(&metadata))),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Paths to look at.
#[derive(Debug, Default)]
pub(super) struct Paths(pub(super) BTreeSet<(PathBuf, Manner)>);

impl Paths {
    pub(super) fn add(&mut self, path: impl Into<PathBuf>, manner: Manner) {
        self.0.insert((path.into(), manner));
    }

    /// A file that may be a link, or not there.
    pub(super) fn add_file(&mut self, path: impl Into<PathBuf>) {
        let path = path.into();
        if path.is_symlink() {
            self.add(&path, Manner::Itself);
        }
        self.add(path, Manner::Behind);
    }

    /// Everything below a directory, and the directory; links are not followed.
    pub(super) fn add_all_below(&mut self, directory: &Path, leave: &dyn Fn(&Path) -> bool) -> Result<(), NotFresh> {
        let walk = walkdir::WalkDir::new(directory).into_iter().filter_entry(|entry| !leave(entry.path()));
        for entry in walk {
            let entry = entry.map_err(|error| NotFresh::new(format!("cannot be read: {error}")))?;
            if entry.path_is_symlink() {
                self.add(entry.path(), Manner::Behind);
            }
            self.add(entry.path(), Manner::Itself);
        }
        Ok(())
    }
}

/// Paths with what was there.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seen(pub(super) Vec<(PathBuf, Manner, Option<Stamp>)>);

impl Seen {
    /// Looks at `paths`; what may have changed since `moment`, or cannot be looked at, is said.
    pub(super) fn at(paths: Paths, moment: i64) -> Result<Self, NotFresh> {
        let paths: Vec<_> = paths.0.into_iter().collect();
        let look = |(path, manner): (PathBuf, Manner)| {
            let stamp = stamp(&path, manner).map_err(|error| NotFresh::new(format!("cannot be read: {error}")))?;
            if manner != Manner::Place && stamp.is_some_and(|stamp| !stamp.is_older_than(moment)) {
                return Err(NotFresh::young(&path));
            }
            Ok((path, manner, stamp))
        };
        paths.into_par_iter().with_min_len(FEW).map(look).collect::<Result<_, _>>().map(Self)
    }

    /// Whether all of it is as it was.
    pub(super) fn holds(&self) -> Result<(), NotFresh> {
        self.0.par_iter().with_min_len(FEW).try_for_each(|(path, manner, then)| still(path, *manner, *then))
    }
}

/// Whether `path` is as it was.
pub(super) fn still(path: &Path, manner: Manner, then: Option<Stamp>) -> Result<(), NotFresh> {
    match stamp(path, manner) {
        Ok(now) if now == then => Ok(()),
        Ok(_) => Err(NotFresh::new(format!("{} has changed", path.display()))),
        Err(error) => Err(NotFresh::new(error.to_string())),
    }
}
