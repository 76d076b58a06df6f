//! Reads a Debian changelog (deb-changelog(5)) that somebody wrote: an RPM has its history in the header.

use super::EARLIEST;
use crate::config::Maintainer;
use crate::package::{Release, Version};

/// The releases in `text`, newest first; what is no entry is passed over, as dpkg-parsechangelog(1) does with a warning.
pub fn parse_debian(text: &str) -> Vec<Release> {
    let mut releases = Vec::new();
    let mut entry: Option<(Version, Vec<String>)> = None;
    for line in text.lines() {
        if let Some(version) = heading(line) {
            entry = Some((version, Vec::new()));
        } else if let Some(trailer) = line.strip_prefix(" -- ") {
            releases.extend(entry.take().and_then(|(version, changes)| release(version, changes, trailer)));
        } else if let Some((_, changes)) = &mut entry {
            let words = line.trim();
            match (words.strip_prefix(['*', '-', '+']), changes.last_mut()) {
                (Some(change), _) => changes.push(change.trim_start().to_owned()),
                // `[ Name ]` begins what that person changed.
                (None, _) if words.is_empty() || words.starts_with("[ ") => {}
                (None, Some(change)) => *change = format!("{change} {words}"),
                (None, None) => changes.push(words.to_owned()),
            }
        }
    }
    releases
}

/// The version in `name (version) distribution; urgency=medium`.
fn heading(line: &str) -> Option<Version> {
    let first = line.chars().next().filter(char::is_ascii_alphanumeric);
    let (_, rest) = line.split_once(" (").filter(|_| first.is_some())?;
    let (version, _) = rest.split_once(')').filter(|(_, rest)| rest.contains(';'))?;
    let (epoch, version) = version.split_once(':').unwrap_or(("0", version));
    let (upstream, revision) = version.rsplit_once('-').unwrap_or((version, ""));
    let is_version = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+~-:".contains(&byte));
    (!upstream.is_empty() && is_version(version)).then(|| Version {
        epoch: epoch.parse().unwrap_or_default(),
        debian: upstream.to_owned(),
        rpm: upstream.replace(['-', ':'], "_"),
        revision: revision.to_owned(),
    })
}

/// `Name <mail>  Mon, 02 Jan 2006 15:04:05 +0100`.
fn release(version: Version, changes: Vec<String>, trailer: &str) -> Option<Release> {
    let (name, rest) = trailer.split_once(" <")?;
    let (mail, date) = rest.split_once('>')?;
    let time = jiff::fmt::rfc2822::parse(date.trim()).map_or(EARLIEST, |time| time.timestamp().as_second());
    let author = Maintainer { name: name.trim().to_owned(), mail: mail.trim().to_owned() };
    Some(Release { version, time, author, changes })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "acme (1:2.0~rc1-3) unstable; urgency=medium\n\n  [ Ann ]\n  * Answer faster\n    than before\n  * Listen\n\n \
                        -- Ann Bee <ann@acme.example>  Mon, 02 Jan 2006 15:04:05 +0100\n\nacme (1.9) unstable; urgency=low\n\n  * Begin\n\n \
                        -- Bob <bob@acme.example>  never\n\n(garbage\n -- x\n";

    #[test]
    fn entries_are_read_as_people_write_them() {
        let releases = parse_debian(TEXT);
        assert_eq!(releases.len(), 2);
        assert_eq!(releases[0].changes, ["Answer faster than before", "Listen"]);
        assert_eq!((releases[0].version.debian(), releases[0].time), ("1:2.0~rc1-3".to_owned(), 1_136_210_645));
        assert_eq!(releases[0].author.to_string(), "Ann Bee <ann@acme.example>");
        assert_eq!((releases[1].version.debian(), releases[1].time), ("1.9".to_owned(), EARLIEST));
    }

    #[test]
    fn what_packhouse_writes_reads_back() {
        let releases = parse_debian(TEXT);
        let name = crate::name::PackageName::parse("acme").expect("a name");
        let text =
            crate::package::changelog::debian(&crate::package::Changelog { releases: releases.clone() }, &name, "sid");
        assert_eq!(parse_debian(&text), releases);
    }
}
