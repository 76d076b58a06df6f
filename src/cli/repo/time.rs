//! Times and spans as people write them.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// A time for people.
pub(super) fn shown(seconds: i64) -> String {
    Timestamp::from_second(seconds)
        .map_or_else(|_| format!("{seconds} s"), |time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// A time of somebody: RFC 3339, or without a zone for UTC; a date alone is its last second.
pub(super) fn point(text: &str) -> Result<i64, String> {
    if let Ok(time) = Timestamp::from_str(text) {
        return Ok(time.as_second());
    }
    let civil = match (Date::from_str(text), DateTime::from_str(text)) {
        (Ok(date), _) if text.len() == 10 => date.at(23, 59, 59, 0),
        (_, Ok(time)) => time,
        _ => return Err("write a time as 2026-11-21, 2026-11-21T16:00 (UTC) or 2026-11-21T16:00:00+01:00".to_owned()),
    };
    civil.to_zoned(TimeZone::UTC).map(|time| time.timestamp().as_second()).map_err(|error| error.to_string())
}

/// A span of seconds: `90s`, `30m`, `12h`, `7d`, `2w`.
pub(super) fn span(text: &str) -> Result<u64, String> {
    let rule = || "write a number with s, m, h, d or w after it, as in 7d".to_owned();
    if text == "0" {
        return Ok(0);
    }
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(rule)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        "w" => 7 * 24 * 60 * 60,
        _ => return Err(rule()),
    };
    let number: u64 = number.parse().map_err(|_| rule())?;
    number.checked_mul(unit).filter(|seconds| *seconds <= 100 * 366 * 24 * 60 * 60).ok_or_else(rule)
}

/// The same, or `none`.
pub(super) fn span_or_none(text: &str) -> Result<Option<u64>, String> {
    if text == "none" { Ok(None) } else { span(text).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_a_unit() {
        assert_eq!(span("90s"), Ok(90));
        assert_eq!(span("2w"), Ok(14 * 24 * 60 * 60));
        assert_eq!(span("0"), Ok(0));
        assert_eq!(span_or_none("none"), Ok(None));
        for bad in ["", "7", "d", "-1d", "1.5h", "7 d", "1y", "ä", "99999999999999999w"] {
            assert!(span(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_date_is_its_last_second_in_utc() {
        assert_eq!(point("1970-01-01"), Ok(24 * 60 * 60 - 1));
        assert_eq!(point("1970-01-02T00:00"), Ok(24 * 60 * 60));
        assert_eq!(point("1970-01-01T01:00:10+01:00"), Ok(10));
        assert!(point("yesterday").is_err());
        assert_eq!(shown(0), "1970-01-01 00:00:00 UTC");
    }
}
