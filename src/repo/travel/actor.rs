//! Who changes a repository.

use super::super::change::Change;
use super::super::commit::Committer;
use super::super::error::RepoError;
use super::super::layout::Repository;
use super::super::page;
use super::super::root::Root;
use super::super::sign::Signer;
use super::super::store::Store;
use super::super::suite::Suite;
use super::super::writer::Writer;
use crate::report::Reporter;

/// Who changes suites, or only tries to.
#[derive(Clone, Copy)]
pub struct Actor<'a> {
    /// The repository's key; without it nothing is changed, and what would be is told.
    pub signer: Option<&'a Signer>,
    /// Seconds since 1970-01-01 UTC: now.
    pub time: i64,
    /// Who is told.
    pub reporter: &'a dyn Reporter,
}

impl Actor<'_> {
    /// Does some work as the only one who changes the repository.
    pub(super) fn alone<T>(
        &self,
        repository: &Repository,
        work: impl FnOnce(&mut Writer) -> Result<T, RepoError>,
    ) -> Result<T, RepoError> {
        let mut writer = Writer::new(Store::at(repository.root()), self.reporter)?;
        let done = work(&mut writer)?;
        drop(writer);
        if self.signer.is_some() {
            page::refresh(repository, self.reporter);
        }
        Ok(done)
    }

    /// Makes a change current, unless it is only tried; gives the suite's root then.
    pub(super) fn commit(&self, writer: &mut Writer, change: Change) -> Result<Root, RepoError> {
        let base = change.base.clone();
        Ok(self.commit_all(writer, vec![change])?.into_iter().next().unwrap_or(base))
    }

    /// The same for several suites.
    pub(super) fn commit_all(&self, writer: &mut Writer, changes: Vec<Change>) -> Result<Vec<Root>, RepoError> {
        let Some(signer) = self.signer else {
            let would =
                |change: Change| Root { number: change.base.number + u64::from(!change.is_idle()), ..change.base };
            return Ok(changes.into_iter().map(would).collect());
        };
        writer.commit(changes, &Committer { signer, time: self.time, reporter: self.reporter })
    }
}

/// An error when nothing may enter or leave a suite.
pub(super) fn thawed(repository: &Repository, suite: &Suite) -> Result<(), RepoError> {
    match repository.options(suite).frozen {
        false => Ok(()),
        true => Err(RepoError::Frozen { suite: suite.name.clone() }),
    }
}
