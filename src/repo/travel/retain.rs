//! What a suite forgets: versions that are too many or too old.
//!
//! The newest version of a package always stays, and so does what another package of the suite needs and would not get
//! from any other. A version's age counts from when a newer one took its place.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::super::change::Change;
use super::super::error::RepoError;
use super::super::layout::Repository;
use super::super::options::SuiteOptions;
use super::super::record::{Identity, Record};
use super::super::store::Store;
use super::super::suite::Suite;
use super::actor::{Actor, thawed};
use super::listing::newest_first;
use super::needs;
use crate::report::Reporter;

/// What `retain` did to a suite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retained {
    /// The suite.
    #[serde(flatten)]
    pub suite: Suite,
    /// The generation in place then.
    pub generation: u64,
    /// What went.
    pub removed: Vec<String>,
    /// What would have gone if nothing needed it.
    pub needed: Vec<String>,
}

/// What retention takes out of a suite, and what stays because something needs it.
#[derive(Debug, Default)]
pub(in crate::repo) struct Outcome {
    pub(in crate::repo) removed: BTreeSet<Identity>,
    pub(in crate::repo) needed: Vec<String>,
}

/// Applies the retention of suites to all their packages.
pub fn retain(repository: &Repository, suites: &[Suite], actor: &Actor<'_>) -> Result<Vec<Retained>, RepoError> {
    actor.alone(repository, |writer| {
        let mut retained = Vec::new();
        for suite in suites {
            let options = writer.repository.options(suite);
            if options.keep_versions.is_none() && options.keep_days.is_none() {
                continue;
            }
            thawed(&writer.repository, suite)?;
            let mut change = writer.change(suite)?;
            let outcome = apply(&mut change, &writer.store, &options, None, actor.time, actor.reporter)?;
            change.note = format!("retain: {} removed", outcome.removed.len());
            let root = actor.commit(writer, change)?;
            retained.push(Retained {
                suite: suite.clone(),
                generation: root.number,
                removed: outcome.removed.iter().map(Identity::to_string).collect(),
                needed: outcome.needed,
            });
        }
        Ok(retained)
    })
}

/// Takes out of a change what the suite's retention does not keep, of these packages (or all). Publishing applies it to
/// the names that it touches, so that its cost does not grow with the suite.
pub(in crate::repo) fn apply(
    change: &mut Change,
    store: &Store,
    options: &SuiteOptions,
    names: Option<&BTreeSet<String>>,
    now: i64,
    reporter: &dyn Reporter,
) -> Result<Outcome, RepoError> {
    if options.keep_versions.is_none() && options.keep_days.is_none() {
        return Ok(Outcome::default());
    }
    let mut groups: BTreeMap<(String, String, String), Vec<Record>> = BTreeMap::new();
    let mut add = |record: Record| {
        let identity = &record.identity;
        let group = (record.component.clone(), identity.name.clone(), identity.architecture.clone());
        groups.entry(group).or_default().push(record);
    };
    match names {
        Some(names) => {
            for name in names {
                change.find(store, name)?.into_iter().for_each(&mut add);
            }
        }
        None => {
            for record in change.records(store) {
                add(record?);
            }
        }
    }
    let mut doomed: BTreeMap<Identity, Record> = BTreeMap::new();
    for mut versions in groups.into_values().filter(|versions| versions.len() > 1) {
        newest_first(change.suite().kind, &mut versions);
        let spent = spent(&versions, options, now);
        let versions = versions.into_iter().zip(spent).filter(|(_, spent)| *spent);
        doomed.extend(versions.map(|(record, _)| (record.identity.clone(), record)));
    }
    let mut outcome = Outcome::default();
    while !doomed.is_empty() {
        let lacks = needs::missed(store, change, &doomed.keys().cloned().collect())?;
        let mut kept = false;
        for lack in lacks {
            for identity in &lack.by {
                if doomed.remove(identity).is_some() {
                    kept = true;
                    outcome.needed.push(format!("{identity} stays: {lack}"));
                }
            }
        }
        if !kept {
            break;
        }
    }
    outcome.needed.iter().for_each(|note| reporter.note(note));
    for (identity, record) in doomed {
        reporter.detail(&format!("{identity} is not kept any longer"));
        change.remove(&record);
        outcome.removed.insert(identity);
    }
    Ok(outcome)
}

/// Which of these versions (the newest first) are too many or too old.
fn spent(versions: &[Record], options: &SuiteOptions, now: i64) -> Vec<bool> {
    let mut superseded: Option<i64> = None;
    let mut spent = Vec::with_capacity(versions.len());
    for (number, record) in versions.iter().enumerate() {
        let many = options.keep_versions.is_some_and(|keep| number as u64 >= u64::from(keep.max(1)));
        let old = options.keep_days.zip(superseded).is_some_and(|(days, superseded)| {
            superseded.max(record.published) < now.saturating_sub(i64::from(days) * 24 * 60 * 60)
        });
        spent.push(number > 0 && (many || old));
        superseded = Some(superseded.map_or(record.published, |earlier| earlier.min(record.published)));
    }
    spent
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Sha256;

    fn versions(published: &[i64]) -> Vec<Record> {
        let record = |(number, published): (usize, &i64)| Record {
            identity: Identity {
                name: "a".to_owned(),
                version: format!("{}", 100 - number),
                architecture: "all".to_owned(),
            },
            source: "a".to_owned(),
            source_version: "1".to_owned(),
            component: "main".to_owned(),
            place: String::new(),
            size: 0,
            sha256: Sha256::of(b""),
            content: Sha256::of(b""),
            original: Sha256::of(b""),
            published: *published,
            phase: None,
            further: Vec::new(),
        };
        published.iter().enumerate().map(record).collect()
    }

    #[test]
    fn the_newest_version_stays_and_age_counts_from_when_a_newer_one_came() {
        let day = 24 * 60 * 60;
        let now = 100 * day;
        let with = |keep_versions, keep_days| SuiteOptions { keep_versions, keep_days, ..SuiteOptions::default() };
        let spent = |published: &[i64], options: &SuiteOptions| spent(&versions(published), options, now);
        assert_eq!(spent(&[3, 2, 1], &with(Some(2), None)), [false, false, true]);
        assert_eq!(spent(&[3, 2], &with(Some(0), None)), [false, true], "0 is no number of versions");
        let days = with(None, Some(10));
        assert_eq!(spent(&[0], &days), [false]);
        assert_eq!(spent(&[95 * day, 0], &days), [false, false], "it was the newest five days ago");
        assert_eq!(spent(&[95 * day, 80 * day, 0], &days), [false, false, true]);
        assert_eq!(spent(&[0, 95 * day], &days), [false, false], "an old version that came late");
    }
}
