//! What the pages show: plain values for the templates, made by pure functions from records, facts and lists.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bill::Bill;
use super::changes::Release;
use super::facts::Facts;
use super::files::Files;
use super::names::{href_path, package_page, stem};
use super::tree::{Entry, Node};
use crate::package::version::{compare_debian, compare_rpm};
use crate::repo::record::Record;
use crate::repo::suite::{Kind, Suite};

/// How many versions a page shows of each suite.
const VERSIONS: usize = 50;

/// The index page.
#[derive(Debug, Serialize)]
pub(super) struct SiteView {
    pub(super) description: String,
    /// The signing keys', in groups of four: two while one replaces the other.
    pub(super) fingerprints: Vec<String>,
    /// The command that shows the fingerprint of the key that is served.
    pub(super) check: String,
    pub(super) suites: Vec<SuiteView>,
    /// How many names of packages there are.
    pub(super) total: usize,
    /// The newest packages.
    pub(super) recent: Vec<Recent>,
    /// All packages, when they are few, or the lists of them.
    pub(super) list: ListView,
}

/// A suite, and how a client comes to use it.
#[derive(Debug, Serialize)]
pub(super) struct SuiteView {
    /// `apt`, `yum`.
    pub(super) kind: &'static str,
    pub(super) name: String,
    /// In the page's addresses: `apt-bookworm`.
    pub(super) anchor: String,
    pub(super) packages: u64,
    pub(super) architectures: Vec<String>,
    pub(super) generation: u64,
    /// The day of its index.
    pub(super) day: String,
    /// Ways to set a client up: who reads it, and the commands.
    pub(super) setups: Vec<Setup>,
}

/// Commands for one kind of client.
#[derive(Debug, Serialize)]
pub(super) struct Setup {
    /// `apt`, `dnf`, `zypper`.
    pub(super) client: &'static str,
    /// Lines for a shell.
    pub(super) commands: String,
}

/// A package that came lately.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Recent {
    /// When, seconds since 1970.
    pub(super) time: i64,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) summary: String,
}

/// A list of packages, or of lists.
#[derive(Debug, Serialize)]
pub(super) struct ListView {
    /// What all names in it begin with.
    pub(super) prefix: String,
    pub(super) total: usize,
    pub(super) packages: Vec<ListedView>,
    pub(super) lists: Vec<SublistView>,
}

#[derive(Debug, Serialize)]
pub(super) struct ListedView {
    pub(super) name: String,
    pub(super) summary: String,
    /// Relative to the root.
    pub(super) href: String,
}

#[derive(Debug, Serialize)]
pub(super) struct SublistView {
    pub(super) prefix: String,
    pub(super) count: usize,
    /// Relative to the root.
    pub(super) href: String,
}

/// The page of one name.
#[derive(Debug, Serialize)]
pub(super) struct PackageView {
    pub(super) name: String,
    pub(super) about: About,
    /// `apt`, `dnf`, `zypper` and the command.
    pub(super) commands: Vec<Setup>,
    pub(super) suites: Vec<InSuiteView>,
    pub(super) releases: Vec<Release>,
    pub(super) details: Vec<Detail>,
}

/// What the newest package says of itself.
#[derive(Debug, Default, Serialize)]
pub(super) struct About {
    pub(super) summary: String,
    pub(super) description: Vec<String>,
    pub(super) homepage: Option<String>,
    pub(super) license: Option<String>,
    pub(super) section: Option<String>,
    pub(super) maintainer: Option<String>,
}

/// The versions of a name in one suite.
#[derive(Debug, Serialize)]
pub(super) struct InSuiteView {
    pub(super) kind: &'static str,
    pub(super) suite: String,
    pub(super) anchor: String,
    /// Newest first.
    pub(super) versions: Vec<VersionView>,
    /// How many are not shown.
    pub(super) more: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct VersionView {
    pub(super) version: String,
    pub(super) day: String,
    /// Of how many machines get it; none when all do.
    pub(super) phase: Option<u8>,
    pub(super) files: Vec<FileView>,
}

/// A file to download.
#[derive(Debug, Serialize)]
pub(super) struct FileView {
    pub(super) architecture: String,
    pub(super) file: String,
    /// Relative to the root.
    pub(super) href: String,
    pub(super) size: String,
    pub(super) sha256: String,
}

/// What is in the newest package of a suite.
#[derive(Debug, Serialize)]
pub(super) struct Detail {
    pub(super) suite: String,
    pub(super) version: String,
    pub(super) architecture: String,
    pub(super) installed: String,
    pub(super) relations: Vec<RelationsView>,
    pub(super) files: FilesView,
    pub(super) bill: Option<Bill>,
}

#[derive(Debug, Serialize)]
pub(super) struct RelationsView {
    pub(super) label: String,
    pub(super) all: Vec<Vec<RelationView>>,
    pub(super) more: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct RelationView {
    pub(super) name: String,
    pub(super) rest: String,
    /// The page of that package, relative to the root, where the repository has it.
    pub(super) href: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct FilesView {
    pub(super) count: usize,
    pub(super) size: String,
    pub(super) lines: Vec<LineView>,
}

#[derive(Debug, Serialize)]
pub(super) struct LineView {
    pub(super) path: String,
    pub(super) size: String,
    pub(super) files: Option<usize>,
    pub(super) link: Option<String>,
    pub(super) config: bool,
}

/// A package in a suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) suite: Suite,
    pub(super) record: Record,
}

/// Newest version first; of one version, the architecture that most machines have first.
pub(super) fn newest_first(kind: Kind, left: &Record, right: &Record) -> Ordering {
    let compare = if kind == Kind::Apt { compare_debian } else { compare_rpm };
    compare(&right.identity.version, &left.identity.version)
        .then_with(|| rank(&left.identity.architecture).cmp(&rank(&right.identity.architecture)))
        .then_with(|| left.identity.cmp(&right.identity))
}

/// The rank of source packages.
const SOURCE: u8 = 3;

fn rank(architecture: &str) -> u8 {
    match architecture {
        "amd64" | "x86_64" => 0,
        "all" | "noarch" => 1,
        "source" | "src" => SOURCE,
        _ => 2,
    }
}

/// Groups the packages of one name by suite, newest first.
pub(super) fn by_suite(held: Vec<Held>) -> BTreeMap<Suite, Vec<Record>> {
    let mut suites: BTreeMap<Suite, Vec<Record>> = BTreeMap::new();
    for Held { suite, record } in held {
        suites.entry(suite).or_default().push(record);
    }
    for (suite, records) in &mut suites {
        records.sort_by(|left, right| newest_first(suite.kind, left, right));
    }
    suites
}

/// The package that tells what a suite has of a name: the newest that is no source package, if there is one.
pub(super) fn speaker(records: &[Record]) -> Option<&Record> {
    records.iter().find(|record| rank(&record.identity.architecture) != SOURCE).or(records.first())
}

/// The page of a name. `facts` has those of each suite's [`speaker`]; `is_known` tells which names have pages.
pub(super) fn package(
    name: &str,
    suites: &BTreeMap<Suite, Vec<Record>>,
    facts: &BTreeMap<Suite, Facts>,
    is_known: &dyn Fn(&str) -> bool,
) -> PackageView {
    let first = |suite: &Suite| suites.get(suite).and_then(|records| speaker(records));
    // What was published last speaks for the package; of several at once, the first suite's.
    let published = |(suite, facts): &(&Suite, &Facts)| {
        (!facts.summary.is_empty(), first(suite).map_or(i64::MIN, |record| record.published))
    };
    let newest = facts.iter().rev().max_by_key(published).map(|(_, facts)| facts.clone()).unwrap_or_default();
    let releases = facts.values().map(|facts| &facts.releases).find(|releases| !releases.is_empty());
    let releases = if newest.releases.is_empty() { releases.cloned().unwrap_or_default() } else { newest.releases };
    let detail = |(suite, facts): (&Suite, &Facts)| Some(detail(suite, first(suite)?, facts, name, is_known));
    PackageView {
        name: name.to_owned(),
        about: About {
            summary: newest.summary,
            description: newest.description,
            homepage: newest.homepage,
            license: newest.license,
            section: newest.section,
            maintainer: newest.maintainer,
        },
        commands: commands(name, suites),
        suites: suites.iter().map(|(suite, records)| in_suite(suite, records)).collect(),
        releases,
        details: facts.iter().filter_map(detail).collect(),
    }
}

/// How the package is installed, by the clients of the suites that have it.
fn commands(name: &str, suites: &BTreeMap<Suite, Vec<Record>>) -> Vec<Setup> {
    let binary = |kind: Kind| {
        let of_kind = suites.iter().filter(move |(suite, _)| suite.kind == kind).flat_map(|(_, records)| records);
        of_kind.into_iter().any(|record| rank(&record.identity.architecture) != SOURCE)
    };
    let word = crate::package::template::shell(name);
    let mut commands = Vec::new();
    if binary(Kind::Apt) {
        commands.push(Setup { client: "apt", commands: format!("sudo apt-get install {word}") });
    }
    if binary(Kind::Yum) {
        commands.push(Setup { client: "dnf", commands: format!("sudo dnf install {word}") });
        commands.push(Setup { client: "zypper", commands: format!("sudo zypper install {word}") });
    }
    commands
}

fn in_suite(suite: &Suite, records: &[Record]) -> InSuiteView {
    let mut versions: Vec<VersionView> = Vec::new();
    let mut more = 0;
    let mut last = "";
    for record in records {
        let version = record.identity.version.as_str();
        if version != last {
            if versions.len() == VERSIONS {
                more += 1;
                last = version;
                continue;
            }
            let phase = record.phase.filter(|phase| *phase < 100);
            versions.push(VersionView {
                version: version.to_owned(),
                day: day(record.published),
                phase,
                files: Vec::new(),
            });
        }
        last = version;
        if more == 0
            && let Some(version) = versions.last_mut()
        {
            version.files.push(file(suite, &record.identity.architecture, &record.place, record.size, record.sha256));
            for further in &record.further {
                version.files.push(file(suite, "source", &further.place, further.size, further.sha256));
            }
        }
    }
    InSuiteView { kind: suite.kind.name(), suite: suite.name.clone(), anchor: anchor(suite), versions, more }
}

fn file(suite: &Suite, architecture: &str, place: &str, size: u64, sha256: crate::digest::Sha256) -> FileView {
    FileView {
        architecture: architecture.to_owned(),
        file: place.rsplit('/').next().unwrap_or(place).to_owned(),
        href: href_path(&format!("{}/{place}", suite.base())),
        size: bytes(size),
        sha256: sha256.to_string(),
    }
}

fn detail(suite: &Suite, record: &Record, facts: &Facts, own: &str, is_known: &dyn Fn(&str) -> bool) -> Detail {
    let relation = |relation: &super::relations::Relation| {
        let leads = !relation.name.is_empty() && relation.name != own && is_known(&relation.name);
        RelationView {
            name: relation.name.clone(),
            rest: relation.rest.clone(),
            href: leads.then(|| page_href(&relation.name)),
        }
    };
    let relations = facts.relations.iter().map(|kind| RelationsView {
        label: kind.label.clone(),
        all: kind.all.iter().map(|one| one.iter().map(relation).collect()).collect(),
        more: kind.more,
    });
    Detail {
        suite: suite.name.clone(),
        version: record.identity.version.clone(),
        architecture: record.identity.architecture.clone(),
        installed: bytes(facts.installed),
        relations: relations.collect(),
        files: files(&facts.files),
        bill: facts.bill.clone(),
    }
}

fn files(files: &Files) -> FilesView {
    let line = |line: &super::files::Line| LineView {
        path: line.path.clone(),
        size: bytes(line.size),
        files: line.files,
        link: line.link.clone(),
        config: line.config,
    };
    FilesView { count: files.count, size: bytes(files.size), lines: files.lines.iter().map(line).collect() }
}

/// A list page.
pub(super) fn list(prefix: &str, node: &Node) -> ListView {
    let listed = |entry: &Entry| ListedView {
        name: entry.name.clone(),
        summary: entry.summary.clone(),
        href: page_href(&entry.name),
    };
    let sublist = |child: &super::tree::Child| SublistView {
        prefix: child.prefix.clone(),
        count: child.count,
        href: href_path(&list_file(&child.prefix)),
    };
    ListView {
        prefix: prefix.to_owned(),
        total: node.count(),
        packages: node.entries.iter().map(listed).collect(),
        lists: node.children.iter().map(sublist).collect(),
    }
}

/// The address of a package's page, relative to the root.
pub(super) fn page_href(name: &str) -> String {
    href_path(&package_page(name))
}

/// The page of the list of what begins with `prefix`, relative to the root.
pub(super) fn list_file(prefix: &str) -> String {
    if prefix.is_empty() { "packages.html".to_owned() } else { format!("lists/{}.html", stem(prefix)) }
}

/// A suite's name in addresses within a page.
pub(super) fn anchor(suite: &Suite) -> String {
    format!("{}-{}", suite.kind.name(), suite.name)
}

/// The day of a time in seconds since 1970-01-01 UTC: `2026-01-05`.
pub(super) fn day(time: i64) -> String {
    let time = jiff::Timestamp::from_second(time).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%d").to_string()
}

/// A size for people: `1.2 MB`, in powers of 1000 as apt and dnf show them.
pub(super) fn bytes(size: u64) -> String {
    let mut value = size as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 999.5 {
            return if unit == "B" || value >= 99.95 {
                format!("{value:.0} {unit}")
            } else {
                format!("{value:.1} {unit}")
            };
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_with_two_or_three_digits() {
        for (size, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (99_940, "99.9 kB"),
            (123_456, "123 kB"),
            (999_600, "1.0 MB"),
            (5_200_000_000, "5.2 GB"),
        ] {
            assert_eq!(bytes(size), text);
        }
    }
}
