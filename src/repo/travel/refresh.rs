//! Renews what ages: the date until which an index is valid, and phases that follow a schedule.
//!
//! The content stays, and with it every index file: clients fetch a new signature of some kilobytes. Meant for a timer.

use serde::Serialize;

use super::super::error::RepoError;
use super::super::layout::Repository;
use super::super::phase;
use super::super::suite::Suite;
use super::actor::Actor;

/// What `refresh` did to a suite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refreshed {
    /// The suite.
    #[serde(flatten)]
    pub suite: Suite,
    /// The generation in place then.
    pub generation: u64,
    /// Its date, seconds since 1970-01-01 UTC.
    pub date: i64,
    /// Until when it is valid; for ever without.
    pub valid_until: Option<i64>,
    /// What was due; nothing was done without.
    pub due: Vec<String>,
}

/// Renews suites whose validity is more than half over (all with `force`), and moves phases on.
pub fn refresh(
    repository: &Repository,
    suites: &[Suite],
    force: bool,
    actor: &Actor<'_>,
) -> Result<Vec<Refreshed>, RepoError> {
    actor.alone(repository, |writer| {
        let mut refreshed = Vec::new();
        let mut changes = Vec::new();
        for suite in suites {
            let mut change = writer.change(suite)?;
            if change.base.number == 0 {
                continue;
            }
            let options = writer.repository.options(suite);
            let mut due = phase::advance(&mut change, &writer.store, &options, actor.time)?;
            if force || is_due(options.valid_for, change.base.valid_until, actor.time) {
                change.renew = true;
                due.push("renew".to_owned());
            }
            if !due.is_empty() {
                change.note = due.join("; ");
            }
            refreshed.push(Refreshed {
                suite: suite.clone(),
                generation: change.base.number,
                date: change.base.date,
                valid_until: change.base.valid_until,
                due,
            });
            changes.push(change);
        }
        let roots = actor.commit_all(writer, changes)?;
        for (refreshed, root) in refreshed.iter_mut().zip(roots) {
            refreshed.generation = root.number;
            refreshed.date = root.date;
            refreshed.valid_until = root.valid_until;
        }
        Ok(refreshed)
    })
}

/// Whether less than half of the validity is left. An index from before it had one has none left.
fn is_due(valid_for: Option<u64>, until: Option<i64>, now: i64) -> bool {
    let Some(valid_for) = valid_for else { return false };
    let left = until.map_or(0, |until| u64::try_from(until.saturating_sub(now)).unwrap_or(0));
    left < valid_for / 2
}

#[cfg(test)]
mod tests {
    use super::is_due;

    #[test]
    fn an_index_is_renewed_when_less_than_half_of_its_time_is_left() {
        assert!(!is_due(None, None, 0));
        assert!(is_due(Some(100), None, 0));
        assert!(!is_due(Some(100), Some(1050), 1000));
        assert!(is_due(Some(100), Some(1049), 1000));
        assert!(is_due(Some(100), Some(900), 1000));
    }
}
