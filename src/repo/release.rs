//! The Release file of an apt suite: what it says, and in what order.
//!
//! Source: DebianRepository/Format and apt's `debmetaindex.cc`. Two of its rules fail without a word when broken, with
//! no package to be seen: a line is ` digest size path` in this order, and the uncompressed `Packages` must be listed
//! whether or not it is there.

use std::fmt::Write as _;

use super::error::RepoError;
use super::layout::Configuration;
use crate::digest::Sha256;

/// A file of a suite, as its Release file lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// Relative to the suite's directory.
    pub(super) path: String,
    pub(super) size: u64,
    pub(super) sha256: Sha256,
}

/// What a Release file says.
#[derive(Debug)]
pub(super) struct Release<'a> {
    pub(super) configuration: &'a Configuration,
    pub(super) suite: &'a str,
    /// Seconds since 1970-01-01 UTC.
    pub(super) date: i64,
    pub(super) architectures: &'a [String],
    pub(super) components: &'a [String],
    pub(super) files: &'a [Listed],
}

impl Release<'_> {
    /// The text. No line ends with a blank: a signature over such a text would be a bad one.
    pub(super) fn text(&self) -> Result<String, RepoError> {
        let date = rfc1123(self.date)?;
        let fields = [
            ("Origin", self.configuration.origin.as_str()),
            ("Label", &self.configuration.label),
            ("Suite", self.suite),
            ("Codename", self.suite),
            ("Date", &date),
            ("Acquire-By-Hash", "yes"),
            ("Architectures", &self.architectures.join(" ")),
            ("Components", &self.components.join(" ")),
            ("Description", &self.configuration.description),
        ];
        let mut text = String::new();
        for (name, value) in fields {
            let _ = writeln!(text, "{name}: {value}");
        }
        text.push_str("SHA256:\n");
        for file in self.files {
            let _ = writeln!(text, " {} {:>10} {}", file.sha256, file.size, file.path);
        }
        Ok(text)
    }
}

/// RFC 1123 with the zone that apt wants: `Sat, 21 Nov 2026 06:04:09 UTC`.
fn rfc1123(seconds: i64) -> Result<String, RepoError> {
    let timestamp = jiff::Timestamp::from_second(seconds)
        .map_err(|error| RepoError::OpenPgp(format!("{seconds} is no time: {error}")))?;
    Ok(timestamp.strftime("%a, %d %b %Y %H:%M:%S UTC").to_string())
}

#[cfg(test)]
mod tests {
    use super::rfc1123;

    #[test]
    fn a_date_is_written_as_apt_reads_it() {
        assert_eq!(rfc1123(0).expect("a date"), "Thu, 01 Jan 1970 00:00:00 UTC");
        assert_eq!(rfc1123(1_795_241_049).expect("a date"), "Sat, 21 Nov 2026 06:04:09 UTC");
    }
}
