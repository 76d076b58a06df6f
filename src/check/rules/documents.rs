//! Copyright, changelog, manual pages (Policy 12; FHS 4.11).

use std::io::Read as _;

use crate::check::subject::{Item, is_command, parent};
use crate::check::{Formats, Hit, Rule, Severity, Subject};
use crate::format::FileKind;
use crate::target::Format;

pub(in crate::check) static RULES: &[Rule] = &[
    Rule {
        code: "no-copyright",
        severity: Severity::Error,
        formats: Formats::DEB,
        title: "the package has no copyright file",
        explanation: "Every Debian package tells in `/usr/share/doc/PACKAGE/copyright` by whom it is and under which licence it may \
                      be passed on, in a plain file that is neither compressed nor a link.",
        remedy: "Build it with packhouse, which writes the file from the licences of everything inside.",
        source: "Policy 12.5; lintian no-copyright-file",
        find: copyright,
    },
    Rule {
        code: "no-license-file",
        severity: Severity::Warning,
        formats: Formats::RPM,
        title: "no file of the package is marked as its licence",
        explanation: "Most licences ask that their text goes with the program. `%license` files stay when documentation is left out.",
        remedy: "Add a LICENSE file to the repository; packhouse packs it.",
        source: "Fedora packaging guidelines, License Text",
        find: license_file,
    },
    Rule {
        code: "no-changelog",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "the package has no changelog",
        explanation: "Administrators and security tools read what changed: `apt changelog` and `rpm -q --changelog`.",
        remedy: "Build it with packhouse, which writes the changelog from git's history.",
        source: "Policy 12.7; lintian no-changelog; rpmlint no-changelogname-tag",
        find: no_changelog,
    },
    Rule {
        code: "changelog-version",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "the newest entry of the changelog is of another version",
        explanation: "The first entry must be of the version that the package has; else nobody knows what is in it.",
        remedy: "Build it with packhouse, or add an entry for this version.",
        source: "Policy 4.4; rpmlint incoherent-version-in-changelog",
        find: changelog_version,
    },
    Rule {
        code: "changelog-not-compressed",
        severity: Severity::Error,
        formats: Formats::DEB,
        title: "the changelog is not compressed",
        explanation: "Debian's changelogs are compressed with `gzip -9n`, and tools look for `changelog.Debian.gz`.",
        remedy: "Compress it.",
        source: "Policy 12.7; lintian changelog-file-not-compressed",
        find: plain_changelog,
    },
    Rule {
        code: "timestamped-gzip",
        severity: Severity::Warning,
        formats: Formats::Both,
        title: "a compressed document tells when it was compressed",
        explanation: "gzip writes the file's time into its header, so that two builds of the same source differ.",
        remedy: "Compress with `gzip -n`.",
        source: "RFC 1952, MTIME; lintian package-contains-timestamped-gzip",
        find: timestamps,
    },
    Rule {
        code: "manual-page-not-compressed",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a manual page is not compressed",
        explanation: "Manual pages are compressed by every distribution; a plain one stays beside the compressed one of an upgrade.",
        remedy: "Name the page under `pages` of `[services.NAME]`, and packhouse compresses it.",
        source: "Policy 12.1; lintian uncompressed-manual-page; rpmlint manpage-not-compressed",
        find: plain_pages,
    },
    Rule {
        code: "manual-page-misplaced",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a manual page lies in the directory of another section",
        explanation: "man(1) finds `NAME.8` in `man8` only.",
        remedy: "Put the page into the directory of its section, or rename it.",
        source: "FHS 4.11.6; lintian odd-place-for-manual-page",
        find: misplaced_pages,
    },
    Rule {
        code: "no-manual-page",
        severity: Severity::Warning,
        formats: Formats::Both,
        title: "a command has no manual page",
        explanation: "Whoever finds a command in the path asks man(1) what it is.",
        remedy: "Write one, or let packhouse make one from the command's help.",
        source: "Policy 12.1; lintian no-manual-page; rpmlint no-manual-page-for-binary",
        find: no_page,
    },
];

fn documents(subject: &Subject) -> String {
    format!("/usr/share/doc/{}", subject.name)
}

/// A package may share its documents with one that it depends on: its directory is then a link (Policy 12.3).
fn are_elsewhere(subject: &Subject) -> bool {
    subject.get(&documents(subject)).is_some_and(|item| item.kind == FileKind::Symlink)
}

fn copyright(subject: &Subject) -> Vec<Hit> {
    let path = format!("{}/copyright", documents(subject));
    match subject.get(&path).map(|item| item.kind) {
        Some(FileKind::File | FileKind::Hardlink) => Vec::new(),
        Some(_) => vec![Hit::at(path, "it must be a plain file")],
        None if are_elsewhere(subject) => Vec::new(),
        None => vec![Hit::at(path, "it is missing")],
    }
}

fn license_file(subject: &Subject) -> Vec<Hit> {
    let found = subject.items().any(|item| item.license || item.path.starts_with("/usr/share/licenses/"));
    if found || subject.is_debug_symbols() || subject.items().next().is_none() {
        Vec::new()
    } else {
        vec![Hit::new("no file is a `%license`")]
    }
}

const CHANGELOGS: [&str; 2] = ["changelog.Debian.gz", "changelog.gz"];

fn changelog_item(subject: &Subject) -> Option<&Item> {
    CHANGELOGS.iter().find_map(|name| subject.get(&format!("{}/{name}", documents(subject))))
}

fn no_changelog(subject: &Subject) -> Vec<Hit> {
    match subject.format {
        Format::Rpm if subject.changelog.is_empty() => vec![Hit::new("it has no changelog")],
        Format::Deb if changelog_item(subject).is_none() && !are_elsewhere(subject) => {
            let plain = ["changelog.Debian", "changelog"];
            if plain.iter().any(|name| subject.has(&format!("{}/{name}", documents(subject)))) {
                return Vec::new();
            }
            vec![Hit::at(format!("{}/changelog.Debian.gz", documents(subject)), "it is missing")]
        }
        _ => Vec::new(),
    }
}

fn changelog_version(subject: &Subject) -> Vec<Hit> {
    match subject.format {
        Format::Deb => debian_changelog_version(subject),
        Format::Rpm => rpm_changelog_version(subject),
    }
}

fn debian_changelog_version(subject: &Subject) -> Vec<Hit> {
    let Some(item) = changelog_item(subject) else { return Vec::new() };
    let Some(text) = &item.content.text else { return Vec::new() };
    let mut first = Vec::new();
    let unpacked = flate2::read::GzDecoder::new(text.as_slice()).take(4096).read_to_end(&mut first);
    let first = String::from_utf8_lossy(&first).into_owned();
    let line = first.lines().next().unwrap_or_default();
    // `package (version) distribution; urgency=medium`: deb-changelog(5).
    let version = line.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(version, _)| version.trim());
    match version {
        Some(version) if version == subject.version => Vec::new(),
        // A rebuild without changes adds to the version and not to the changelog (Policy 5.6.12.2).
        Some(version) if subject.version.strip_prefix(version).is_some_and(|rest| rest.starts_with("+b")) => Vec::new(),
        Some(version) => {
            vec![Hit::at(&item.path, format!("its newest entry is of {version}, the package of {}", subject.version))]
        }
        None if unpacked.is_err() => vec![Hit::at(&item.path, "it cannot be decompressed")],
        // `changelog.gz` of a package with a revision is its upstream's, in any form.
        None if item.name() == "changelog.gz" => Vec::new(),
        None => vec![Hit::at(&item.path, "its first line is no head of an entry")],
    }
}

fn rpm_changelog_version(subject: &Subject) -> Vec<Hit> {
    let Some(head) = subject.changelog.first() else { return Vec::new() };
    // `Name <mail> - [epoch:]version[-release]`; the release often without the distribution's suffix.
    let Some((_, version)) = head.rsplit_once('>') else { return Vec::new() };
    let version = version.trim().trim_start_matches('-').trim();
    if version.is_empty() || !version.starts_with(|first: char| first.is_ascii_digit()) {
        return vec![Hit::new(format!("the changelog's newest entry `{head}` names no version"))];
    }
    let without_epoch = |text: &str| text.split_once(':').map_or(text, |(_, rest)| rest).to_owned();
    let (said, is) = (without_epoch(version), without_epoch(&subject.version));
    if is.starts_with(&said) || said.starts_with(&is) {
        return Vec::new();
    }
    vec![Hit::new(format!("the changelog's newest entry is of {version}, the package of {}", subject.version))]
}

fn plain_changelog(subject: &Subject) -> Vec<Hit> {
    let names = ["changelog.Debian", "changelog"];
    let paths = names.iter().map(|name| format!("{}/{name}", documents(subject)));
    let plain = paths.filter(|path| subject.get(path).is_some_and(|item| item.kind == FileKind::File));
    plain.map(|path| Hit::at(path, "it is not compressed")).collect()
}

fn timestamps(subject: &Subject) -> Vec<Hit> {
    let is_document = |path: &str| path.starts_with("/usr/share/doc/") || path.starts_with("/usr/share/man/");
    let compressed = subject.files().filter(|item| is_document(&item.path) && item.path.ends_with(".gz"));
    let dated = compressed.filter(|item| match item.content.head.get(..8) {
        Some([0x1f, 0x8b, _, _, time @ ..]) => time.iter().any(|byte| *byte != 0),
        _ => false,
    });
    dated.map(|item| Hit::at(&item.path, "its gzip header has a time")).collect()
}

/// Section and file name of the files below `/usr/share/man`, translations included.
fn pages(subject: &Subject) -> impl Iterator<Item = (&Item, &str)> {
    subject.items().filter(|item| item.path.starts_with("/usr/share/man/")).filter_map(|item| {
        let directory = parent(&item.path)?.rsplit('/').next()?;
        let section = directory.strip_prefix("man").filter(|section| !section.is_empty())?;
        (item.kind != FileKind::Directory).then_some((item, section))
    })
}

const COMPRESSED: [&str; 4] = [".gz", ".bz2", ".xz", ".zst"];

fn plain_pages(subject: &Subject) -> Vec<Hit> {
    let plain = pages(subject).filter(|(item, _)| {
        matches!(item.kind, FileKind::File | FileKind::Hardlink)
            && !COMPRESSED.iter().any(|ending| item.path.ends_with(ending))
    });
    plain.map(|(item, _)| Hit::at(&item.path, "it is not compressed")).collect()
}

fn misplaced_pages(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (item, section) in pages(subject) {
        let name = COMPRESSED.iter().find_map(|ending| item.name().strip_suffix(ending)).unwrap_or_else(|| item.name());
        let own = name.rsplit_once('.').map(|(_, section)| section).unwrap_or_default();
        if !own.starts_with(section) {
            hits.push(Hit::at(&item.path, format!("its name does not say section {section}")));
        }
    }
    hits
}

fn no_page(subject: &Subject) -> Vec<Hit> {
    let pages: std::collections::HashSet<&str> = pages(subject)
        .filter_map(|(item, _)| {
            let name =
                COMPRESSED.iter().find_map(|ending| item.name().strip_suffix(ending)).unwrap_or_else(|| item.name());
            name.rsplit_once('.').map(|(command, _)| command)
        })
        .collect();
    let commands = subject.items().filter(|item| is_command(&item.path) && item.kind != FileKind::Directory);
    let without = commands.filter(|item| !pages.contains(item.name()));
    without.map(|item| Hit::at(&item.path, "there is no manual page of this name")).collect()
}
