//! What is shown of packages whose every word was written by somebody who wants to be more than shown.

use std::collections::BTreeMap;

use super::bill::{Bill, Component};
use super::changes::Release;
use super::facts::Facts;
use super::files::{Files, Line};
use super::names::package_page;
use super::relations::{Relation, Relations};
use super::tree::{self, Node};
use super::view::{self, Held, ListView, Recent, SiteView, SuiteView};
use super::{render, search};
use crate::digest::Sha256;
use crate::repo::record::{Identity, Record};
use crate::repo::suite::{Kind, Suite};

const HOSTILE: &str = "</pre></title><script>alert(1)</script>\" onload='x' {{ 7 * 7 }} &amp;<!--";

fn record(name: &str, version: &str, architecture: &str, published: i64) -> Record {
    Record {
        identity: Identity {
            name: name.to_owned(),
            version: version.to_owned(),
            architecture: architecture.to_owned(),
        },
        source: name.to_owned(),
        source_version: version.to_owned(),
        component: "main".to_owned(),
        place: format!("pool/main/a/{name}/{name}_{version}_{architecture}.deb"),
        size: 1234,
        sha256: Sha256::of(version.as_bytes()),
        content: Sha256::of(b""),
        original: Sha256::of(b""),
        published,
        phase: None,
        further: Vec::new(),
    }
}

fn hostile() -> Facts {
    let text = HOSTILE.to_owned();
    Facts {
        summary: text.clone(),
        description: vec![text.clone(), format!(" {text}")],
        homepage: Some(text.clone()),
        license: Some(text.clone()),
        section: Some(text.clone()),
        maintainer: Some(text.clone()),
        installed: 1,
        relations: vec![Relations {
            label: text.clone(),
            all: vec![vec![Relation { name: text.clone(), rest: text.clone() }]],
            more: 3,
        }],
        files: Files {
            count: 1,
            size: 1,
            lines: vec![Line { path: text.clone(), size: 1, files: Some(2), link: Some(text.clone()), config: true }],
        },
        releases: vec![
            Release { version: text.clone(), day: text.clone(), author: text.clone(), text: text.clone() };
            5
        ],
        bill: Some(Bill {
            format: text.clone(),
            path: text.clone(),
            total: 2,
            components: vec![Component { name: text.clone(), version: text.clone(), license: text }],
        }),
    }
}

/// A page that has one script, the site's own, and whose every tag is one of the templates'.
fn assert_harmless(page: &str) {
    assert_eq!(page.matches("<script").count(), 1, "{page}");
    assert!(!page.contains("onload='") && !page.contains("<!--"), "{page}");
    assert!(page.contains("{{ 7 * 7 }}"), "{page}");
    assert!(page.contains("Content-Security-Policy") && !page.contains(" style="), "{page}");
    assert_eq!(page.matches("<title>").count(), 1);
    assert_eq!(page.matches("</title>").count(), 1);
}

#[test]
fn whatever_a_package_says_is_text() {
    let suite = Suite::of(Kind::Apt, "stable");
    let held = Held { suite: suite.clone(), record: record(HOSTILE, HOSTILE, HOSTILE, 0) };
    let facts = BTreeMap::from([(suite, hostile())]);
    let view = view::package(HOSTILE, &view::by_suite(vec![held]), &facts, &|_| true);
    assert_harmless(&render::package(HOSTILE, &view).expect("a page"));
    let node = Node { entries: vec![search::listed(HOSTILE, HOSTILE)], children: Vec::new() };
    let list = render::list(HOSTILE, &view::list(HOSTILE, &node)).expect("a page");
    assert_harmless(&list);
    let json: serde_json::Value = serde_json::from_str(&render::node(&node)).expect("JSON");
    assert_eq!(json["e"][0]["n"], HOSTILE);
    let site = SiteView {
        description: HOSTILE.to_owned(),
        fingerprints: vec!["ABCD".to_owned(), HOSTILE.to_owned()],
        check: HOSTILE.to_owned(),
        suites: vec![SuiteView {
            kind: "apt",
            name: HOSTILE.to_owned(),
            anchor: HOSTILE.to_owned(),
            packages: 1,
            architectures: vec![HOSTILE.to_owned()],
            generation: 1,
            day: "2026-01-05".to_owned(),
            setups: Vec::new(),
        }],
        total: 1,
        recent: vec![Recent {
            time: 0,
            name: HOSTILE.to_owned(),
            version: HOSTILE.to_owned(),
            summary: HOSTILE.to_owned(),
        }],
        list: ListView { prefix: String::new(), total: 1, packages: Vec::new(), lists: Vec::new() },
    };
    assert_harmless(&render::index(HOSTILE, &site).expect("a page"));
}

#[test]
fn a_page_has_both_formats_newest_first_and_leads_to_what_the_repository_has() {
    let (apt, yum) = (Suite::of(Kind::Apt, "stable"), Suite::of(Kind::Yum, "el9"));
    let held = |suite: &Suite, version: &str, architecture: &str, published: i64| Held {
        suite: suite.clone(),
        record: record("acme", version, architecture, published),
    };
    let all = vec![
        held(&apt, "1.0-1", "amd64", 10),
        held(&apt, "1.10-1", "arm64", 30),
        held(&apt, "1.10-1", "amd64", 30),
        held(&apt, "1.9-1", "amd64", 20),
        held(&yum, "1.10-1", "x86_64", 30),
    ];
    let suites = view::by_suite(all);
    let relation = |name: &str| Relation { name: name.to_owned(), rest: String::new() };
    let facts = |summary: &str| Facts {
        summary: summary.to_owned(),
        relations: vec![Relations {
            label: "Depends".to_owned(),
            all: vec![vec![relation("libc6"), relation("acme-lib++")], vec![relation("acme")]],
            more: 0,
        }],
        ..Facts::default()
    };
    let facts = BTreeMap::from([(apt.clone(), facts("of apt")), (yum, facts("of yum"))]);
    let view = view::package("acme", &suites, &facts, &|name| name != "libc6");
    assert_eq!(view.about.summary, "of apt");
    let versions: Vec<&str> = view.suites[0].versions.iter().map(|version| version.version.as_str()).collect();
    assert_eq!(versions, ["1.10-1", "1.9-1", "1.0-1"]);
    let builds: Vec<&str> = view.suites[0].versions[0].files.iter().map(|file| file.architecture.as_str()).collect();
    assert_eq!(builds, ["amd64", "arm64"]);
    let clients: Vec<&str> = view.commands.iter().map(|command| command.client).collect();
    assert_eq!(clients, ["apt", "dnf", "zypper"]);
    let relations = &view.details[0].relations[0].all;
    let hrefs: Vec<Option<&str>> = relations.iter().flatten().map(|relation| relation.href.as_deref()).collect();
    assert_eq!(hrefs, [None, Some("packages/acme-lib%2B%2B.html"), None], "not to what it has not, nor to itself");
    let page = render::package("Acme", &view).expect("a page");
    assert!(page.contains("<a href=\"..&#x2f;packages&#x2f;acme-lib%2B%2B.html\">acme-lib++</a>"), "{page}");
    assert!(page.contains("2 older"), "{page}");
}

#[test]
fn a_package_that_cannot_be_read_has_a_page_all_the_same() {
    let suite = Suite::of(Kind::Apt, "stable");
    let held = Held { suite: suite.clone(), record: record("acme", "1", "amd64", 0) };
    let facts = BTreeMap::from([(suite, Facts::default())]);
    let view = view::package("acme", &view::by_suite(vec![held]), &facts, &|_| false);
    let page = render::package("Acme", &view).expect("a page");
    assert!(page.contains("acme_1_amd64.deb"), "{page}");
}

#[test]
fn a_list_of_many_leads_to_lists_and_an_index_of_many_stays_small() {
    let entries = (0..100_000)
        .map(|number| search::listed(&format!("{}-{number}", ["alpha", "beta", "gamma"][number % 3]), "one of many"));
    let nodes = tree::build(entries.collect());
    let root = &nodes[""];
    let list = view::list("", root);
    assert_eq!((list.total, list.packages.len()), (100_000, 0));
    assert_eq!(list.lists.iter().map(|list| list.prefix.as_str()).collect::<Vec<_>>(), ["alpha-", "beta-", "gamma-"]);
    let site = SiteView {
        description: String::new(),
        fingerprints: Vec::new(),
        check: String::new(),
        suites: Vec::new(),
        total: list.total,
        recent: Vec::new(),
        list,
    };
    let index = render::index("Acme", &site).expect("a page");
    assert!(index.len() < 10_000, "{}", index.len());
    assert!(index.contains("lists&#x2f;alpha-.html"), "{index}");
    let largest = nodes
        .iter()
        .map(|(address, node)| render::list("Acme", &view::list(address, node)).expect("a page").len())
        .max();
    assert!(largest.is_some_and(|length| length < 150_000), "{largest:?}");
    assert_eq!(package_page("acme"), "packages/acme.html");
}
