//! Again, a little later: three retries with growing pauses, or as long as the server asks for.

use std::time::Duration;

use super::error::Error;

/// How often a request is made again.
const RETRIES: u32 = 3;
/// The first pause; each further one is twice as long.
pub(super) const PAUSE: Duration = Duration::from_millis(500);
/// The longest pause that a server is granted by `Retry-After`.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Runs `attempt` until it succeeds, fails for good, or has failed too often.
pub(super) fn with_retries<T>(pause: Duration, mut attempt: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    let mut pause = pause;
    for _ in 0..RETRIES {
        match attempt() {
            Err(error) if error.is_transient() => {
                std::thread::sleep(error.retry_after().unwrap_or(pause).min(LONGEST_PAUSE));
                pause *= 2;
            }
            result => return result,
        }
    }
    attempt()
}

/// Reads `Retry-After` (RFC 9110 §10.2.3): seconds, or a date.
pub(super) fn retry_after(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    let seconds = date.as_second().saturating_sub(jiff::Timestamp::now().as_second());
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken() -> Error {
        Error::Network { url: String::new(), reason: String::new(), certificate: false }
    }

    #[test]
    fn a_broken_connection_is_tried_four_times_and_no_more() {
        let mut calls = 0;
        let result: Result<(), _> = with_retries(Duration::ZERO, || {
            calls += 1;
            Err(broken())
        });
        assert!(result.is_err());
        assert_eq!(calls, 4);
    }

    #[test]
    fn what_will_not_change_is_tried_once() {
        let mut calls = 0;
        let _: Result<(), _> = with_retries(Duration::ZERO, || {
            calls += 1;
            Err(Error::Network { url: String::new(), reason: String::new(), certificate: true })
        });
        assert_eq!(calls, 1);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert_eq!(retry_after("soon"), None);
    }
}
