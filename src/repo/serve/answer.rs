//! The head of an answer: conditions (RFC 9110, 13) and ranges (14), decided from the request's headers and what the
//! file's metadata say. Pure: no file is read here.

use std::ops::Range;
use std::time::{Duration, SystemTime};

use hyper::StatusCode;
use hyper::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, IF_MATCH,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, LAST_MODIFIED, RANGE,
};

use super::media;

/// A file as far as an answer depends on it.
pub(super) struct Facts<'a> {
    /// Relative to the root.
    pub(super) path: &'a str,
    pub(super) size: u64,
    pub(super) modified: SystemTime,
    pub(super) inode: u64,
}

/// What is answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(HeaderName, String)>,
    /// The bytes of the file that follow.
    pub(super) bytes: Range<u64>,
}

/// Decides the answer to a GET or HEAD of an existing file.
pub(super) fn decide(request: &HeaderMap, facts: &Facts<'_>) -> Answer {
    // Whole seconds: that is what the header can say.
    let since_epoch = facts.modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(since_epoch.as_secs());
    let tag = format!("\"{:x}-{:x}-{:x}\"", facts.inode, since_epoch.as_nanos(), facts.size);
    let mut headers = vec![
        (ETAG, tag.clone()),
        (LAST_MODIFIED, httpdate::fmt_http_date(modified)),
        (CACHE_CONTROL, media::cache_control(facts.path).to_owned()),
    ];
    let none = |status, headers| Answer { status, headers, bytes: 0..0 };

    let text = |name: &HeaderName| request.get(name).and_then(|value| value.to_str().ok());
    let date = |name: &HeaderName| text(name).and_then(|value| httpdate::parse_http_date(value).ok());
    let failed = match text(&IF_MATCH) {
        Some(tags) => !names(tags, &tag, false),
        None => date(&IF_UNMODIFIED_SINCE).is_some_and(|date| modified > date),
    };
    if failed {
        return none(StatusCode::PRECONDITION_FAILED, headers);
    }
    let unchanged = match text(&IF_NONE_MATCH) {
        Some(tags) => names(tags, &tag, true),
        // Equal, not "not newer": after a rollback a name may hold an older file than the client has.
        None => date(&IF_MODIFIED_SINCE).is_some_and(|date| modified == date),
    };
    if unchanged {
        return none(StatusCode::NOT_MODIFIED, headers);
    }

    headers.push((CONTENT_TYPE, media::content_type(facts.path).to_owned()));
    headers.push((ACCEPT_RANGES, "bytes".to_owned()));
    let same = text(&IF_RANGE).is_none_or(|value| {
        // Two versions of a file may share their second; only what never changes is known by its date.
        let by_date = || httpdate::parse_http_date(value).is_ok_and(|date| modified == date);
        value == tag || (media::is_immutable(facts.path) && by_date())
    });
    let wanted = request.get(RANGE).filter(|_| same).and_then(|value| value.to_str().ok());
    match wanted.map_or(Wanted::All, |value| wanted_range(value, facts.size)) {
        Wanted::All => {
            headers.push((CONTENT_LENGTH, facts.size.to_string()));
            Answer { status: StatusCode::OK, headers, bytes: 0..facts.size }
        }
        Wanted::Part(bytes) => {
            headers.push((CONTENT_LENGTH, (bytes.end - bytes.start).to_string()));
            let last = bytes.end.saturating_sub(1);
            headers.push((CONTENT_RANGE, format!("bytes {}-{last}/{}", bytes.start, facts.size)));
            Answer { status: StatusCode::PARTIAL_CONTENT, headers, bytes }
        }
        Wanted::Impossible => {
            headers.retain(|(name, _)| *name != CONTENT_TYPE);
            headers.push((CONTENT_RANGE, format!("bytes */{}", facts.size)));
            none(StatusCode::RANGE_NOT_SATISFIABLE, headers)
        }
    }
}

/// Whether a list of entity tags has this one; `weak` compares without their `W/`.
fn names(list: &str, tag: &str, weak: bool) -> bool {
    list.split(',').map(str::trim).any(|one| {
        let one = if weak { one.strip_prefix("W/").unwrap_or(one) } else { one };
        one == "*" || one == tag
    })
}

#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    All,
    Part(Range<u64>),
    Impossible,
}

/// A `Range` header for a file of `size` bytes. Several ranges, other units and what is malformed are answered with the whole file, as RFC 9110
/// allows.
fn wanted_range(value: &str, size: u64) -> Wanted {
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // More digits than fit are beyond every file.
        digits.then(|| text.parse::<u64>().unwrap_or(u64::MAX))
    };
    let Some((first, last)) = value.trim().strip_prefix("bytes=").and_then(|range| range.trim().split_once('-')) else {
        return Wanted::All;
    };
    let (first, last) = match (first, last) {
        ("", length) => match number(length) {
            Some(0) => return Wanted::Impossible,
            Some(length) => (size.saturating_sub(length), size),
            None => return Wanted::All,
        },
        (first, "") => match number(first) {
            Some(first) => (first, size),
            None => return Wanted::All,
        },
        (first, last) => match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => (first, size.min(last.saturating_add(1))),
            _ => return Wanted::All,
        },
    };
    if first < size { Wanted::Part(first..last) } else { Wanted::Impossible }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOL: &str = "apt/pool/main/a/acme/acme_1_all.deb";

    fn answer(path: &str, request: &[(&str, &str)]) -> Answer {
        let modified = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_250);
        let mut headers = HeaderMap::new();
        for (name, value) in request {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            headers.insert(name, value.parse().expect("a value"));
        }
        decide(&headers, &Facts { path, size: 1000, modified, inode: 7 })
    }

    fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
        answer.headers.iter().find(|(held, _)| held.as_str() == name).map(|(_, value)| value.as_str())
    }

    const DATE: &str = "Tue, 14 Nov 2023 22:13:20 GMT";

    #[test]
    fn one_range_is_answered_with_that_part() {
        for (range, wanted) in [
            ("bytes=0-0", 0..1),
            ("bytes=10-19", 10..20),
            ("bytes=990-", 990..1000),
            ("bytes=990-99999999999999999999999", 990..1000),
            ("bytes=-10", 990..1000),
            ("bytes=-5000", 0..1000),
        ] {
            let answer = answer(POOL, &[("range", range)]);
            assert_eq!((answer.status.as_u16(), &answer.bytes), (206, &wanted), "{range}");
            let said = format!("bytes {}-{}/1000", wanted.start, wanted.end - 1);
            assert_eq!(header(&answer, "content-range"), Some(said.as_str()));
        }
    }

    #[test]
    fn what_is_beyond_the_end_cannot_be_had_and_what_is_no_range_gives_all() {
        for range in ["bytes=1000-", "bytes=5000-6000", "bytes=-0", "bytes=99999999999999999999999-"] {
            let answer = answer(POOL, &[("range", range)]);
            assert_eq!(answer.status.as_u16(), 416, "{range}");
            assert_eq!(header(&answer, "content-range"), Some("bytes */1000"));
        }
        for range in
            ["bytes=0-1,5-6", "lines=1-2", "bytes=5-1", "bytes=a-b", "bytes=-", "bytes=1-x", "bytes=+1-2", "5-6"]
        {
            assert_eq!(answer(POOL, &[("range", range)]).status.as_u16(), 200, "{range}");
        }
    }

    #[test]
    fn a_part_is_given_only_of_the_file_that_the_client_began_with() {
        let tag = header(&answer(POOL, &[]), "etag").expect("a tag").to_owned();
        let part = |path: &str, condition: &str| {
            answer(path, &[("range", "bytes=5-"), ("if-range", condition)]).status.as_u16()
        };
        assert_eq!(part(POOL, &tag), 206);
        assert_eq!(part(POOL, DATE), 206);
        assert_eq!(part(POOL, "Tue, 14 Nov 2023 22:13:21 GMT"), 200);
        assert_eq!(part(POOL, "\"other\""), 200);
        assert_eq!(part(POOL, &format!("W/{tag}")), 200);
        assert_eq!(part("apt/dists/stable/InRelease", &tag), 206);
        assert_eq!(part("apt/dists/stable/InRelease", DATE), 200);
    }

    #[test]
    fn what_the_client_has_is_not_sent_again() {
        let tag = header(&answer("index.html", &[]), "etag").expect("a tag").to_owned();
        for (name, value, status) in [
            ("if-none-match", tag.as_str(), 304),
            ("if-none-match", &format!("\"x\", W/{tag}"), 304),
            ("if-none-match", "*", 304),
            ("if-none-match", "\"x\"", 200),
            ("if-modified-since", DATE, 304),
            ("if-modified-since", "Tue, 14 Nov 2023 22:13:21 GMT", 200),
            ("if-modified-since", "nonsense", 200),
            ("if-match", &tag, 200),
            ("if-match", "\"x\"", 412),
            ("if-unmodified-since", "Tue, 14 Nov 2023 22:13:19 GMT", 412),
            ("if-unmodified-since", DATE, 200),
        ] {
            assert_eq!(answer("index.html", &[(name, value)]).status.as_u16(), status, "{name}: {value}");
        }
        let both = answer("index.html", &[("if-none-match", "\"x\""), ("if-modified-since", DATE)]);
        assert_eq!(both.status.as_u16(), 200, "an entity tag decides alone");
    }

    #[test]
    fn caches_ask_for_all_but_what_never_changes() {
        assert_eq!(header(&answer(POOL, &[]), "cache-control"), Some("public, max-age=31536000, immutable"));
        assert_eq!(header(&answer("apt/dists/x/InRelease", &[]), "cache-control"), Some("no-cache"));
        assert_eq!(header(&answer(POOL, &[]), "last-modified"), Some(DATE));
    }
}
