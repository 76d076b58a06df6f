//! What a page says of one package file, read from the file itself: the index has neither its changelog nor its bill of
//! materials.
//!
//! Reading means unpacking, so the facts are kept below `.packhouse/page` as long as the page shows them.

use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::bill::{self, Bill};
use super::changes::{self, Release};
use super::files::{self, Files};
use super::relations::{self, Relations};
use crate::format::deb::{self, DebInfo};
use crate::format::rpm::{self, RpmInfo};
use crate::format::{self, FileInfo, FileKind};
use crate::package::changelog::clean;

/// What a package says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::repo) struct Facts {
    /// One line.
    pub(super) summary: String,
    /// Paragraphs; one that begins with a blank is to be shown as it is.
    pub(super) description: Vec<String>,
    /// An http or https URL.
    pub(super) homepage: Option<String>,
    /// RPM's `License`.
    pub(super) license: Option<String>,
    /// Debian's `Section`, RPM's `Group`.
    pub(super) section: Option<String>,
    /// Debian's `Maintainer`, RPM's `Packager` or `Vendor`; the name alone.
    pub(super) maintainer: Option<String>,
    /// What it takes when it is installed, bytes.
    pub(super) installed: u64,
    pub(super) relations: Vec<Relations>,
    pub(super) files: Files,
    pub(super) releases: Vec<Release>,
    pub(super) bill: Option<Bill>,
}

/// Reads the package at `path`, which must have been published: nothing is verified again.
pub(super) fn read(path: &Path) -> Result<Facts, format::Error> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("rpm") => read_rpm(path),
        // A source package is described by its .dsc, which the index has.
        Some("dsc") => Ok(Facts { summary: "Source package".to_owned(), ..Facts::default() }),
        _ => read_deb(path),
    }
}

fn read_deb(path: &Path) -> Result<Facts, format::Error> {
    let mut sight = Sight::default();
    let info = deb::read_contents(path, &mut |file, content| sight.look(file, content))?;
    Ok(sight.facts(&info))
}

/// What is seen of a .deb's files while it is read.
#[derive(Default)]
pub(in crate::repo) struct Sight {
    /// Several files may serve as the changelog, and the package's name is known only afterwards.
    changelogs: Vec<(String, Vec<Release>)>,
    bill: Option<Bill>,
}

impl Sight {
    /// Looks at one file.
    pub(in crate::repo) fn look(&mut self, file: &FileInfo, content: &mut dyn Read) -> io::Result<()> {
        let is_changelog = file.path.starts_with("/usr/share/doc/") && file.path.contains("/changelog");
        if file.kind == FileKind::File && is_changelog && self.changelogs.len() < 16 {
            self.changelogs.push((file.path.clone(), changes::of_file(&file.path, content)?));
        } else if self.bill.is_none() && file.kind == FileKind::File && bill::is_bill(&file.path) {
            self.bill = bill::read(&file.path, content)?;
        }
        Ok(())
    }

    /// The facts, once all of the package was read.
    pub(in crate::repo) fn facts(self, info: &DebInfo) -> Facts {
        let own = self.changelogs.into_iter().filter(|(_, releases)| !releases.is_empty());
        let own = own.filter_map(|(path, releases)| Some((changes::rank(&path, info.package())?, releases)));
        let releases = own.min_by_key(|(rank, _)| *rank).map(|(_, releases)| releases).unwrap_or_default();
        let field = |name: &str| info.field(name).map(clean).filter(|value| !value.is_empty());
        let description = info.field("Description").unwrap_or_default();
        let (summary, rest) = description.split_once('\n').unwrap_or((description, ""));
        let kibibytes = info.field("Installed-Size").and_then(|size| size.trim().parse::<u64>().ok());
        let listed = files::list(&info.files);
        Facts {
            summary: clean(summary),
            // One blank begins every line, a second one what is to be left as it is (Policy 5.6.13).
            description: paragraphs(rest.lines().map(|line| line.strip_prefix([' ', '\t']).unwrap_or(line))),
            homepage: field("Homepage").filter(|url| is_web(url)),
            license: None,
            section: field("Section"),
            maintainer: field("Maintainer").map(|text| person(&text)),
            installed: kibibytes.map_or(listed.size, |size| size.saturating_mul(1024)),
            relations: relations::of_deb(info),
            files: listed,
            releases,
            bill: self.bill,
        }
    }
}

fn read_rpm(path: &Path) -> Result<Facts, format::Error> {
    let info = rpm::read(path)?;
    let mut bill = None;
    if has_bill(&info) {
        rpm::read_contents(path, &mut |file, content| {
            if bill.is_none() && bill::is_bill(&file.path) {
                bill = bill::read(&file.path, content)?;
            }
            Ok(())
        })?;
    }
    Ok(Facts { bill, ..header(&info) })
}

/// The facts of an .rpm whose header tells all of them.
pub(in crate::repo) fn of_header(info: &RpmInfo) -> Option<Facts> {
    (!has_bill(info)).then(|| header(info))
}

fn has_bill(info: &RpmInfo) -> bool {
    info.files.iter().any(|file| bill::is_bill(&file.path))
}

fn header(info: &RpmInfo) -> Facts {
    let text = |value: Option<&String>| value.map(|value| clean(value)).filter(|value| !value.is_empty());
    Facts {
        summary: clean(&info.summary),
        description: paragraphs(info.description.lines()),
        homepage: text(info.url.as_ref()).filter(|url| is_web(url)),
        license: text(Some(&info.license)),
        section: text(info.group.as_ref()).filter(|group| group != "Unspecified"),
        maintainer: text(info.packager.as_ref().or(info.vendor.as_ref())).map(|text| person(&text)),
        installed: info.installed_size,
        relations: relations::of_rpm(info),
        files: files::list(&info.files),
        releases: changes::of_header(&info.changelog),
        bill: None,
    }
}

/// Lines as paragraphs: an empty line or a ` .` ends one, and lines that are to stay as they are go together.
fn paragraphs<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut paragraphs: Vec<String> = Vec::new();
    let mut open = false;
    for line in lines.take(400) {
        let verbatim = line.starts_with([' ', '\t', '-', '*']);
        if line.trim().is_empty() || line.trim() == "." {
            open = false;
            continue;
        }
        let text = if verbatim { format!(" {}", changes::indented(line.trim_end())) } else { clean(line) };
        match paragraphs.last_mut().filter(|last| open && last.starts_with(' ') == verbatim) {
            Some(last) => {
                last.push(if verbatim { '\n' } else { ' ' });
                last.push_str(&text);
            }
            None => paragraphs.push(text),
        }
        open = true;
    }
    paragraphs
}

fn is_web(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| ["http", "https"].contains(&url.scheme()))
}

/// `Name <mail>` without the mail address.
fn person(text: &str) -> String {
    text.split_once('<').map_or(text, |(name, _)| name).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_becomes_paragraphs_and_what_is_set_by_hand_stays() {
        let lines = ["one", "and more", ".", "two", " verbatim", "  deeper", "", "- item"];
        assert_eq!(paragraphs(lines.into_iter()), ["one and more", "two", "  verbatim\n   deeper", " - item"]);
        assert!(paragraphs(std::iter::empty()).is_empty());
    }

    #[test]
    fn only_what_a_browser_may_open_is_a_homepage() {
        assert!(is_web("https://acme.example/"));
        for bad in ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "acme.example", ""] {
            assert!(!is_web(bad), "{bad}");
        }
    }
}
