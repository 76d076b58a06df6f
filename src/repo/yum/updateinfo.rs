//! `updateinfo.xml`: which versions of a package mend something of security, told from its changelog.
//!
//! An entry of the changelog is one of security when it names a CVE, GHSA, RUSTSEC or PYSEC number, or says
//! `urgency=high`, `urgency=critical` or `urgency=emergency`. Each becomes a notice about the version that the entry
//! belongs to, whether or not that version is still in the suite: dnf and zypper take any later one for it
//! (`dnf upgrade --security`), so that a mended version which is removed again goes on to count. A notice is a function of
//! the package's name and the entry, the same in every version that has the entry.
//!
//! Severity is said where the entry has an urgency; nothing is guessed. Source: createrepo_c's `xml_dump_updateinfo.c`,
//! libsolv's `repo_updateinfoxml.c`.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::Regex;

use super::primary::escape;
use crate::format::rpm::{ChangelogEntry, RpmInfo};

/// More entries of security than any package is asked about.
const MOST: usize = 50;

/// The numbers by which problems are known, each with the page about it: `{}` stands for the number.
const PAGES: [(&str, &str); 4] = [
    ("CVE-", "https://www.cve.org/CVERecord?id={}"),
    ("GHSA-", "https://github.com/advisories/{}"),
    ("RUSTSEC-", "https://rustsec.org/advisories/{}.html"),
    ("PYSEC-", "https://osv.dev/vulnerability/{}"),
];

#[expect(clippy::expect_used, reason = "the pattern is constant, and a test uses it")]
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"\b(?:CVE-[0-9]{4}-[0-9]{4,19}|GHSA(?:-[0-9a-z]{4}){3}|RUSTSEC-[0-9]{4}-[0-9]{4,9}|PYSEC-[0-9]{4}-[0-9]{1,9})\b",
    )
    .expect("a pattern")
});
#[expect(clippy::expect_used, reason = "the pattern is constant, and a test uses it")]
static URGENCY: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)\burgency=(low|medium|high|critical|emergency)\b").expect("a pattern"));

/// The version that a notice is about.
struct Mended<'a> {
    epoch: &'a str,
    version: &'a str,
    release: &'a str,
}

/// The `<update>` elements of one package; empty when its changelog has nothing of security.
pub(in crate::repo) fn notices(info: &RpmInfo) -> String {
    let epoch = info.epoch.unwrap_or(0).to_string();
    let own = Mended { epoch: &epoch, version: &info.version, release: &info.release };
    let mut xml = String::new();
    let mut told = HashSet::new();
    let of_security = info.changelog.iter().enumerate().filter(|(_, entry)| is_of_security(&entry.text));
    for (at, entry) in of_security.take(MOST) {
        // The newest entry is the package's own, however it spells its version.
        let mended = if at == 0 { Some(Mended { ..own }) } else { version_of(entry) };
        if let Some(mended) = mended
            && told.insert(format!("{}:{}-{}", mended.epoch, mended.version, mended.release))
        {
            notice(&mut xml, info, entry, &mended);
        }
    }
    xml
}

fn is_of_security(text: &str) -> bool {
    NUMBER.is_match(text) || severity(text).is_some_and(|severity| matches!(severity, "Important" | "Critical"))
}

/// What an urgency (Policy 5.6.17) is among the severities that dnf knows.
fn severity(text: &str) -> Option<&'static str> {
    let urgency = URGENCY.captures(text)?.get(1)?.as_str().to_ascii_lowercase();
    Some(match urgency.as_str() {
        "low" => "Low",
        "medium" => "Moderate",
        "high" => "Important",
        _ => "Critical",
    })
}

/// The version at the end of an entry's author: `Name <mail> - 1:1.0-1`.
fn version_of(entry: &ChangelogEntry) -> Option<Mended<'_>> {
    let (_, text) = entry.author.rsplit_once('>')?;
    let text = text.trim_start_matches([' ', '-']).trim_end();
    let (epoch, text) = text.split_once(':').unwrap_or(("0", text));
    let (version, release) = text.rsplit_once('-')?;
    let good = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+._~^".contains(&byte))
    };
    let all = good(version) && good(release) && epoch.parse::<u32>().is_ok();
    all.then_some(Mended { epoch, version, release })
}

fn notice(xml: &mut String, info: &RpmInfo, entry: &ChangelogEntry, mended: &Mended<'_>) {
    let Mended { epoch, version, release } = mended;
    let (name, architecture) = (escape(&info.name), escape(&info.architecture));
    let evr = if *epoch == "0" { format!("{version}-{release}") } else { format!("{epoch}:{version}-{release}") };
    let from = info.packager.as_deref().or(info.vendor.as_deref()).unwrap_or_default();
    let date = jiff::Timestamp::from_second(entry.time).unwrap_or_default().strftime("%Y-%m-%d %H:%M:%S");
    let _ = write!(
        xml,
        "<update from=\"{}\" status=\"stable\" type=\"security\" version=\"1\">\n  <id>{name}-{evr}.{architecture}</id>\n  \
         <title>{name} {evr}: security update</title>\n",
        escape(from)
    );
    if let Some(severity) = severity(&entry.text) {
        let _ = writeln!(xml, "  <severity>{severity}</severity>");
    }
    let _ = write!(xml, "  <issued date=\"{date}\"/>\n  <updated date=\"{date}\"/>\n");
    references(xml, &entry.text);
    let source = info.source_rpm.as_deref().unwrap_or_default();
    let _ = write!(
        xml,
        "  <description>{}</description>\n  <pkglist>\n    <collection>\n      <package name=\"{name}\" version=\"{version}\" \
         release=\"{release}\" epoch=\"{epoch}\" arch=\"{architecture}\" src=\"{}\">\n        \
         <filename>{name}-{version}-{release}.{architecture}.rpm</filename>\n      </package>\n    </collection>\n  \
         </pkglist>\n</update>\n",
        escape(&entry.text),
        escape(source)
    );
}

/// A reference for each number, in the order of the text.
fn references(xml: &mut String, text: &str) {
    let mut told = HashSet::new();
    let numbers: Vec<&str> = NUMBER.find_iter(text).map(|found| found.as_str()).filter(|id| told.insert(*id)).collect();
    if numbers.is_empty() {
        return;
    }
    xml.push_str("  <references>\n");
    for id in numbers {
        let page = PAGES.iter().find(|(begin, _)| id.starts_with(begin)).map_or("", |(_, page)| page);
        let kind = if id.starts_with("CVE-") { "cve" } else { "other" };
        let href = page.replace("{}", id);
        let _ = writeln!(xml, "    <reference href=\"{href}\" id=\"{id}\" title=\"{id}\" type=\"{kind}\"/>");
    }
    xml.push_str("  </references>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(author: &str, text: &str) -> ChangelogEntry {
        ChangelogEntry { time: 1_767_614_400, author: author.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn an_entry_is_of_security_by_its_numbers_or_its_urgency() {
        for text in [
            "- Mend CVE-2026-1234 in the parser",
            "- (CVE-2026-123456)",
            "- see GHSA-abcd-1234-efgh",
            "- RUSTSEC-2026-0001",
            "- PYSEC-2026-7",
            "- faster (urgency=HIGH)",
            "- urgency=emergency",
        ] {
            assert!(is_of_security(text), "{text}");
        }
        for text in ["- security matters", "- CVE", "- XCVE-2026-1234x", "- urgency=low", "- CVE-26-1"] {
            assert!(!is_of_security(text), "{text}");
        }
    }

    #[test]
    fn the_version_of_an_entry_stands_after_its_author() {
        let version = |author| {
            let entry = entry(author, "");
            version_of(&entry).map(|found| format!("{}:{}-{}", found.epoch, found.version, found.release))
        };
        assert_eq!(version("A <a@b> - 1:1.0~rc1-1.el9").as_deref(), Some("1:1.0~rc1-1.el9"));
        assert_eq!(version("A <a@b> 1.0-1").as_deref(), Some("0:1.0-1"));
        for bad in ["A <a@b>", "A <a@b> - 1.0", "A - 1.0-1", "A <a@b> - x:1.0-1", "A <a@b> - 1.0-1\"/>"] {
            assert_eq!(version(bad), None, "{bad}");
        }
    }
}
