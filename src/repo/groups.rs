//! Group metadata of a yum suite.

use std::path::Path;

use super::commit::Committer;
use super::error::RepoError;
use super::layout::{Repository, check_suite};
use super::page;
use super::publish::PublishOptions;
use super::shard;
use super::store::Store;
use super::suite::{Kind, Suite};
use super::writer::Writer;
use super::yum::comps;
use crate::digest::Sha256;

/// Publishes the group metadata (`comps.xml`) at `path` with a yum suite, from now on and with all its generations to come.
/// A suite that is not there is made.
pub fn set_groups(
    repository: &mut Repository,
    suite: &str,
    path: &Path,
    options: &PublishOptions<'_>,
) -> Result<(), RepoError> {
    check_suite(suite)?;
    let failed = || RepoError::io(format!("{} could not be taken in", path.display()));
    let text = fs_err::read(path).map_err(failed())?;
    comps::check(&text).map_err(|reason| RepoError::refused(path, format!("this is no group metadata: {reason}")))?;
    let digest = Sha256::of(&text);
    let mut writer = Writer::new(Store::at(repository.root()), options.reporter)?;
    writer.check(options.signer)?;
    let suite = Suite::of(Kind::Yum, suite);
    let mut own = writer.repository.options(&suite);
    if own.frozen {
        return Err(RepoError::Frozen { suite: suite.name });
    }
    if own.groups != Some(digest) {
        let failed = || RepoError::io("the group metadata could not be written");
        writer.store.write(&shard::object(digest), &text).map_err(failed())?;
        writer.store.barrier().map_err(failed())?;
        own.groups = Some(digest);
        writer.repository.set_options(&suite, own);
        writer.repository.save(&writer.store)?;
        let mut change = writer.change(&suite)?;
        change.note = "set the groups".to_owned();
        change.renew = true;
        let committer = Committer { signer: options.signer, time: options.time, reporter: options.reporter };
        writer.commit(vec![change], &committer)?;
        options.reporter.step("Published", &format!("the groups of {}", path.display()));
    }
    *repository = writer.repository.clone();
    drop(writer);
    page::refresh(repository, options.reporter);
    Ok(())
}
