//! Packages of a yum suite lie below it, because clients find them by a path without `..`: a package that enters another
//! suite gets a hard link there.

use std::collections::BTreeSet;

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use super::super::error::RepoError;
use super::super::record::Record;
use super::super::store::Store;
use super::super::suite::{Kind, Suite};
use crate::digest::Sha256;

/// Puts the packages' files of one suite where another one has them. Nothing names them there yet.
pub(super) fn link(store: &Store, from: &Suite, to: &Suite, records: &[Record]) -> Result<(), RepoError> {
    if from.kind == Kind::Apt {
        // The pool is one.
        return Ok(());
    }
    let failed = || RepoError::io(format!("the packages of {to} could not be linked"));
    let places: BTreeSet<String> = records
        .iter()
        .filter_map(|record| record.path(to).rsplit_once('/').map(|(directory, _)| directory.to_owned()))
        .collect();
    for place in places {
        let directory = store.path(&place);
        store.make_directory(&directory).map_err(failed())?;
        store.soil(&directory);
    }
    records.par_iter().try_for_each(|record| {
        let (held, wanted) = (record.path(from), record.path(to));
        match fs_err::hard_link(store.path(&held), store.path(&wanted)) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => same(store, record, &wanted),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(failed()(error)),
            // A file system without hard links.
            Err(_) => store.link(&held, &wanted).map_err(failed()),
        }
    })
}

/// An error when the file at a place is not the package's.
fn same(store: &Store, record: &Record, place: &str) -> Result<(), RepoError> {
    let failed = || RepoError::io("a package could not be read");
    let mut file = fs_err::File::open(store.path(place)).map_err(failed())?;
    match Sha256::of_reader(&mut file).map_err(failed())? == (record.sha256, record.size) {
        true => Ok(()),
        false => Err(RepoError::refused_change(
            format!("{place} is there with another content"),
            Vec::new(),
            "publish the package itself with `--force`, or collect what is not named any more with `packhouse repo gc`"
                .to_owned(),
        )),
    }
}
