//! Replacing the key of a repository, in two steps, so that every client works throughout.
//!
//! From the first step on everything is signed by both keys and both certificates are handed out: a client that has the
//! old one goes on, and whoever fetches the certificates gets the new one too. The second step, when all clients have had
//! the time to do so, drops the old key; packages that only it has signed are signed anew, as a client that comes later
//! will never see its certificate. A header of an .rpm has room for one signature: between the steps it is the old key's.
//! Snapshots get the same signatures over what they always said, which holds for the .rpm packages in them too: their old
//! signatures stay.

use serde::Serialize;

use super::keys::Certificates;
use super::resign;
use super::sign::Signer;
use crate::repo::commit::Committer;
use crate::repo::error::RepoError;
use crate::repo::layout::{Configuration, Repository};
use crate::repo::store::Store;
use crate::repo::suite::Kind;
use crate::repo::travel::snapshot;
use crate::repo::writer::Writer;
use crate::report::Reporter;

/// What is to be done about a repository's key.
#[derive(Debug, Clone)]
pub enum Step {
    /// Both keys sign from now on: the repository's and this one. The same key again hands out its certificate anew,
    /// after it was prolonged.
    To(Signer),
    /// The new key alone signs from now on.
    Finish,
    /// The old key alone signs again.
    Abort,
    /// The new key alone signs from now on, without a step between: the old one is lost, or not to be trusted any more.
    AtOnce,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rotated {
    /// The fingerprint of the repository's key.
    pub key: String,
    /// The fingerprint of the key that is to replace it.
    pub next: Option<String>,
    /// The suites that have new signatures: `apt suite bookworm`.
    pub suites: Vec<String>,
    /// How many .rpm packages were signed anew.
    pub packages: u64,
    /// How many snapshots were signed anew.
    pub snapshots: u64,
}

/// How a step is taken.
#[derive(Clone, Copy)]
pub struct RotationOptions<'a> {
    /// Change nothing: only tell what would be.
    pub dry_run: bool,
    /// Seconds since 1970-01-01 UTC: now.
    pub time: i64,
    /// Who is told.
    pub reporter: &'a dyn Reporter,
}

/// Takes a step of a rotation. `signer` is the repository's present key; for [`Step::Finish`] and [`Step::AtOnce`] the
/// new one.
pub fn rotate(
    repository: &Repository,
    step: &Step,
    signer: &Signer,
    options: &RotationOptions<'_>,
) -> Result<Rotated, RepoError> {
    let RotationOptions { dry_run, time, reporter } = *options;
    let mut writer = Writer::new(Store::at(repository.root()), reporter)?;
    let configuration = writer.repository.configuration().clone();
    let (signers, wanted) = plan(step, signer, &configuration)?;
    // The more certificates clients can fetch the better: first those that are added, last those that go.
    let adds = matches!(step, Step::To(_));
    if adds && !dry_run {
        hand_out(&mut writer, &signers, &wanted)?;
    }
    let dropped = dropped(&writer, &wanted)?;
    let mut changes = Vec::new();
    let mut packages = 0;
    for suite in writer.repository.suites() {
        let mut change = writer.change(&suite)?;
        if change.base.number == 0 {
            continue;
        }
        if suite.kind == Kind::Yum && !adds {
            let signer = (!dry_run).then_some(&signers);
            packages += resign::packages(&mut change, &writer.store, &dropped, signer, time, reporter)?;
        }
        change.renew = true;
        change.note = match step {
            Step::To(_) => format!("sign with {}", signers.fingerprints().join(" and ")),
            Step::Finish | Step::Abort | Step::AtOnce => format!("sign with {} alone", signers.fingerprint()),
        };
        changes.push(change);
    }
    let suites = changes.iter().map(|change| change.suite().to_string()).collect();
    let snapshots = snapshot::kept(&writer.store)?.len() as u64;
    if dry_run {
        return Ok(Rotated { key: wanted.fingerprint, next: wanted.next, suites, packages, snapshots });
    }
    let by = Committer { signer: &signers, time, reporter };
    // What a commit asks for are the keys that there will be; it is written when all is signed.
    writer.repository.configuration = wanted.clone();
    writer.commit(changes, &by)?;
    snapshot::resign(&writer.repository, &writer.store, &signers, time)?;
    if !adds {
        hand_out(&mut writer, &signers, &wanted)?;
    }
    drop(writer);
    crate::repo::page::refresh(repository, reporter);
    Ok(Rotated { key: wanted.fingerprint, next: wanted.next, suites, packages, snapshots })
}

/// The certificates that were handed out and will not be any more.
fn dropped(writer: &Writer, wanted: &Configuration) -> Result<Certificates, RepoError> {
    let handed_out = Certificates::read(&writer.store.path("key.asc"))?;
    let stays = |fingerprint: &String| *fingerprint == wanted.fingerprint || wanted.next.as_ref() == Some(fingerprint);
    Ok(Certificates::new(handed_out.iter().filter(|held| !stays(&held.fingerprint())).cloned().collect()))
}

/// Who signs after a step, and what the configuration says of it.
fn plan(step: &Step, signer: &Signer, now: &Configuration) -> Result<(Signer, Configuration), RepoError> {
    let found = signer.fingerprint();
    let of = |expected: &String| match *expected == found {
        true => Ok(()),
        false => Err(RepoError::OtherKey { expected: expected.clone(), found: found.clone() }),
    };
    let mut wanted = now.clone();
    match (step, &now.next) {
        (Step::To(new), next) => {
            of(&now.fingerprint)?;
            let new_fingerprint = new.fingerprint();
            match next {
                Some(next) if *next != new_fingerprint => {
                    return Err(RepoError::Rotation(format!(
                        "the repository's key is being replaced by {next} already; `--finish` or `--abort` that first"
                    )));
                }
                None if new_fingerprint == now.fingerprint => return Ok((new.clone(), wanted)),
                _ => {}
            }
            wanted.next = Some(new_fingerprint);
            Ok((signer.clone().with(new.clone()), wanted))
        }
        (Step::AtOnce, _) => {
            wanted.fingerprint = found;
            wanted.next = None;
            Ok((signer.clone(), wanted))
        }
        (Step::Finish, Some(next)) => {
            of(next)?;
            wanted.fingerprint.clone_from(next);
            wanted.next = None;
            Ok((signer.clone(), wanted))
        }
        (Step::Abort, Some(_)) => {
            of(&now.fingerprint)?;
            wanted.next = None;
            Ok((signer.clone(), wanted))
        }
        (Step::Finish | Step::Abort, None) => {
            Err(RepoError::Rotation("the repository's key is not being replaced; begin with `--to NEWKEY`".to_owned()))
        }
    }
}

/// Writes the certificates that clients fetch, and the configuration.
fn hand_out(writer: &mut Writer, signers: &Signer, wanted: &Configuration) -> Result<(), RepoError> {
    let failed = || RepoError::io("the repository's key could not be written");
    let certificates = signers.certificate();
    writer.store.write("key.asc", certificates.armored()?.as_bytes()).map_err(failed())?;
    writer.store.write("key.gpg", &certificates.binary()?).map_err(failed())?;
    writer.store.barrier().map_err(failed())?;
    let configuration = &mut writer.repository.configuration;
    configuration.fingerprint.clone_from(&wanted.fingerprint);
    configuration.next.clone_from(&wanted.next);
    writer.repository.save(&writer.store)?;
    writer.store.barrier().map_err(failed())
}
