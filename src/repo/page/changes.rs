//! What changed: the newest entries of a package's changelog, from deb-changelog(5) or from RPM's header.

use flate2::bufread::MultiGzDecoder;
use serde::{Deserialize, Serialize};
use std::io::{BufReader, Read};

use crate::format::rpm::ChangelogEntry;
use crate::package::changelog::clean;

/// How many releases are shown.
const RELEASES: usize = 10;
/// How many lines of one release are shown.
const LINES: usize = 60;
/// More of a changelog is not read.
const LONGEST: u64 = 256 * 1024;

/// One release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Release {
    /// `1.0-1`.
    pub(super) version: String,
    /// The day, `2026-01-05`; empty when it is not told.
    pub(super) day: String,
    /// Who made it.
    pub(super) author: String,
    /// The text, with its line breaks.
    pub(super) text: String,
}

/// How well the file of this path, of the package `name`, serves as its changelog: the smaller the better.
pub(super) fn rank(path: &str, name: &str) -> Option<usize> {
    let file = path.strip_prefix("/usr/share/doc/")?.strip_prefix(name)?.strip_prefix('/')?;
    ["changelog.Debian.gz", "changelog.Debian", "changelog.gz", "changelog"].iter().position(|known| *known == file)
}

/// The releases of a changelog file, gzip or not; none when it has another form than deb-changelog(5).
pub(super) fn of_file(path: &str, content: &mut dyn Read) -> std::io::Result<Vec<Release>> {
    let mut bytes = Vec::new();
    if path.ends_with(".gz") {
        // What is no gzip has no releases; the package itself has been verified.
        let _ = MultiGzDecoder::new(BufReader::new(content)).take(LONGEST).read_to_end(&mut bytes);
    } else {
        content.take(LONGEST).read_to_end(&mut bytes)?;
    }
    Ok(parse(&String::from_utf8_lossy(&bytes)))
}

fn parse(text: &str) -> Vec<Release> {
    let mut releases = Vec::new();
    let mut open: Option<(String, Vec<String>)> = None;
    for line in text.lines() {
        if let Some(trailer) = line.strip_prefix(" -- ") {
            if let Some((version, lines)) = open.take() {
                let (author, date) = trailer.split_once("  ").unwrap_or((trailer, ""));
                let day = jiff::fmt::rfc2822::parse(date.trim()).map(|date| date.strftime("%Y-%m-%d").to_string());
                let (author, day) = (person(author), day.unwrap_or_default());
                releases.push(Release { version, day, author, text: body(lines) });
                if releases.len() == RELEASES {
                    break;
                }
            }
        } else if !line.starts_with(char::is_whitespace) && !line.is_empty() {
            let version = line.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(version, _)| version);
            open = version.map(|version| (clean(version), Vec::new()));
        } else if let Some((_, lines)) = &mut open {
            lines.push(line.strip_prefix("  ").unwrap_or(line).to_owned());
        }
    }
    releases
}

/// The releases of an RPM's header.
pub(super) fn of_header(entries: &[ChangelogEntry]) -> Vec<Release> {
    let release = |entry: &ChangelogEntry| {
        // `Name <mail> - version`: some packages leave the version out.
        let version = entry.author.rsplit_once('>').map_or("", |(_, rest)| rest.trim_start_matches([' ', '-']));
        Release {
            version: clean(version),
            day: super::view::day(entry.time),
            author: person(&entry.author),
            text: body(entry.text.lines().map(str::to_owned).collect()),
        }
    };
    entries.iter().take(RELEASES).map(release).collect()
}

/// The name without the mail address, which is for those who have the package.
fn person(text: &str) -> String {
    clean(text.split_once('<').map_or(text, |(name, _)| name))
}

/// Cleaned lines, those that are too many left out.
fn body(mut lines: Vec<String>) -> String {
    let more = lines.len().saturating_sub(LINES);
    lines.truncate(LINES);
    let mut text: String = lines.iter().map(|line| indented(line) + "\n").collect();
    text = text.trim_matches('\n').to_owned();
    if more > 0 {
        text.push_str(&format!("\n… {more} more lines"));
    }
    text
}

/// A cleaned line with the blanks it begins with.
pub(super) fn indented(line: &str) -> String {
    let blanks = line.chars().take_while(|character| *character == ' ').count().min(16);
    let cleaned = clean(line);
    let cut = cleaned.char_indices().nth(400).map_or(cleaned.len(), |(end, _)| end);
    format!("{:blanks$}{}", "", cleaned.get(..cut).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
acme-api (1.1-1) bookworm; urgency=medium

  * Answer faster
    and more often
  [ Someone \u{1b}[31melse\u{202e} ]
  * <script>alert(1)</script>

 -- Acme Team <team@acme.example>  Mon, 05 Jan 2026 10:00:00 +0000

acme-api (1.0-1) bookworm; urgency=medium

  * First

 -- Acme Team <team@acme.example>  Thu, 01 Jan 2026 10:00:00 +0000
";

    #[test]
    fn a_debian_changelog_is_read_release_by_release() {
        let releases = of_file("/usr/share/doc/acme-api/changelog", &mut TEXT.as_bytes()).expect("read");
        assert_eq!(releases.len(), 2);
        let first = &releases[0];
        assert_eq!(
            (first.version.as_str(), first.day.as_str(), first.author.as_str()),
            ("1.1-1", "2026-01-05", "Acme Team")
        );
        assert_eq!(first.text, "* Answer faster\n  and more often\n[ Someone else ]\n* <script>alert(1)</script>");
    }

    #[test]
    fn what_is_no_changelog_has_no_releases() {
        for text in ["", "Changes in 1.0\n==========\n\n* one\n", "(", "a (1", "\u{1f}\u{8b}", " -- x  y\n"] {
            assert_eq!(parse(text), [], "{text:?}");
        }
        let broken = of_file("/usr/share/doc/a/changelog.gz", &mut b"\x1f\x8bnonsense".as_slice()).expect("read");
        assert_eq!(broken, []);
    }

    #[test]
    fn the_changelog_of_debian_is_preferred_to_that_of_the_author() {
        let own = rank("/usr/share/doc/acme/changelog.Debian.gz", "acme");
        assert!(own < rank("/usr/share/doc/acme/changelog.gz", "acme") && own.is_some());
        for other in ["/usr/share/doc/acme/changelog.html", "/usr/share/doc/other/changelog.gz", "/etc/changelog"] {
            assert_eq!(rank(other, "acme"), None);
        }
    }

    #[test]
    fn an_rpm_tells_versions_behind_its_authors() {
        let entry = |author: &str| ChangelogEntry {
            time: 1_767_614_400,
            author: author.to_owned(),
            text: "- one\n- two".to_owned(),
        };
        let releases = of_header(&[entry("Acme <a@acme.example> - 1.0-1"), entry("Acme <a@acme.example>")]);
        assert_eq!(releases[0].version, "1.0-1");
        assert_eq!(releases[1].version, "");
        assert_eq!((releases[0].author.as_str(), releases[0].day.as_str()), ("Acme", "2026-01-05"));
        assert_eq!(releases[0].text, "- one\n- two");
    }
}
