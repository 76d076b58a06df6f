//! How an update is rolled out over time: `1h:5,6h:25,1d:100`.

use crate::repo::error::RepoError;
use crate::repo::options::Schedule;

/// More steps than anybody plans.
const MAXIMAL_STEPS: usize = 100;

/// Reads `AFTER:PERCENT,…`, where AFTER is a number of seconds, minutes, hours, days or weeks (`s`, `m`, `h`, `d`, `w`)
/// since the publication. Times and percentages rise. Before the first step it is 0 percent.
pub fn parse(text: &str) -> Result<Vec<(u64, u8)>, RepoError> {
    let invalid = |rule| RepoError::InvalidWord { text: text.to_owned(), what: "a schedule", rule };
    let mut steps: Vec<(u64, u8)> = Vec::new();
    for step in text.split(',') {
        let (after, percentage) = step
            .split_once(':')
            .and_then(|(after, percentage)| Some((seconds(after.trim())?, percentage.trim().parse().ok()?)))
            .ok_or_else(|| invalid("its steps are AFTER:PERCENT, separated by commas: `1h:5,6h:25,1d:100`"))?;
        if percentage > 100 {
            return Err(invalid("a percentage is 0 to 100"));
        }
        if steps.last().is_some_and(|(before, least)| *before >= after || *least > percentage) {
            return Err(invalid("each step is later than the one before, and gives it to as many machines or more"));
        }
        steps.push((after, percentage));
    }
    if steps.len() > MAXIMAL_STEPS {
        return Err(invalid("it has more than 100 steps"));
    }
    Ok(steps)
}

fn seconds(text: &str) -> Option<u64> {
    let (number, unit) = match text.char_indices().next_back()? {
        (at, 's') => (text.get(..at)?, 1),
        (at, 'm') => (text.get(..at)?, 60),
        (at, 'h') => (text.get(..at)?, 3_600),
        (at, 'd') => (text.get(..at)?, 86_400),
        (at, 'w') => (text.get(..at)?, 604_800),
        _ if text == "0" => (text, 1),
        _ => return None,
    };
    // Ten years are enough for anybody, and keep additions from overflowing.
    number.parse::<u64>().ok()?.checked_mul(unit).filter(|seconds| *seconds <= 315_360_000)
}

/// As it is written.
pub fn text(steps: &[(u64, u8)]) -> String {
    let step = |(after, percentage): &(u64, u8)| {
        let units = [(604_800, 'w'), (86_400, 'd'), (3_600, 'h'), (60, 'm'), (1, 's')];
        let found = units.into_iter().find(|(length, _)| *after > 0 && after % length == 0);
        let after = found.map_or_else(|| "0".to_owned(), |(length, unit)| format!("{}{unit}", after / length));
        format!("{after}:{percentage}")
    };
    steps.iter().map(step).collect::<Vec<_>>().join(",")
}

/// The percentage at `now` of a version that was published at `published`; none when everybody gets it. What was
/// published before the schedule was set is rolled out from then on.
pub(in crate::repo) fn percentage(schedule: &Schedule, published: i64, now: i64) -> Option<u8> {
    let elapsed = now.saturating_sub(published.max(schedule.start)).max(0).unsigned_abs();
    let reached = schedule.steps.iter().take_while(|(after, _)| *after <= elapsed).last();
    Some(reached.map_or(0, |(_, percentage)| *percentage)).filter(|percentage| *percentage < 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_read_and_written_the_same() {
        let steps = parse("0:1, 1h:5,6h:25,1d:100").unwrap();
        assert_eq!(steps, [(0, 1), (3_600, 5), (21_600, 25), (86_400, 100)]);
        assert_eq!(text(&steps), "0:1,1h:5,6h:25,1d:100");
        assert_eq!(text(&parse("90s:1,2w:3").unwrap()), "90s:1,2w:3");
        for wrong in [
            "",
            "5",
            "1h",
            "1h:101",
            "1h:5,1h:6",
            "2h:5,1h:6",
            "1h:50,2h:5",
            "1y:5",
            "h:5",
            "-1h:5",
            "20000d:1",
            "1é:5",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_percentage_rises_with_time_from_the_later_of_publication_and_schedule() {
        let schedule = Schedule { start: 1_000, steps: parse("1h:5,6h:25,1d:100").unwrap() };
        assert_eq!(percentage(&schedule, 0, 1_000), Some(0));
        assert_eq!(percentage(&schedule, 0, 1_000 + 3_600), Some(5));
        assert_eq!(percentage(&schedule, 5_000, 1_000 + 3_600), Some(0));
        assert_eq!(percentage(&schedule, 5_000, 5_000 + 86_399), Some(25));
        assert_eq!(percentage(&schedule, 5_000, 5_000 + 86_400), None);
        assert_eq!(percentage(&schedule, 5_000, 0), Some(0), "a clock that went back holds everything");
    }
}
