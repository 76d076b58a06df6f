//! Suites over time and beside each other, with the clients that have to follow.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use packhouse::repo::travel::{
    self, Actor, GcOptions, PromoteOptions, Promotion, Settings, SnapshotId, Target, Wanted,
};
use packhouse::repo::{Kind, RepoError, Suite};
use packhouse::report::Silent;

use crate::support::{Apt, Bench, Dnf, both, now, signer, walk};

fn apt(name: &str) -> Suite {
    Suite::of(Kind::Apt, name)
}

fn yum(name: &str) -> Suite {
    Suite::of(Kind::Yum, name)
}

/// Does something as who has the key.
fn act<T>(bench: &mut Bench, work: impl FnOnce(&Bench, &Actor<'_>) -> Result<T, RepoError>) -> Result<T, RepoError> {
    act_at(bench, now(), work)
}

fn act_at<T>(
    bench: &mut Bench,
    time: i64,
    work: impl FnOnce(&Bench, &Actor<'_>) -> Result<T, RepoError>,
) -> Result<T, RepoError> {
    let signer = signer();
    let done = work(bench, &Actor { signer: Some(&signer), time, reporter: &Silent });
    reopen(bench);
    done
}

fn reopen(bench: &mut Bench) {
    bench.repository = packhouse::repo::open(bench.repository.root()).expect("a repository");
}

fn wanted(texts: &[&str]) -> Vec<Wanted> {
    texts.iter().map(|text| text.parse().expect("a package")).collect()
}

fn promote(bench: &mut Bench, from: &Suite, to: &Suite, names: &[&str]) -> Result<Promotion, RepoError> {
    let wanted = wanted(names);
    let options = PromoteOptions { wanted: &wanted, ..PromoteOptions::default() };
    act(bench, |bench, actor| travel::promote(&bench.repository, from, to, &options, actor))
}

fn remove(bench: &mut Bench, suite: &Suite, names: &[&str], force: bool) -> Result<travel::Removed, RepoError> {
    act(bench, |bench, actor| travel::remove(&bench.repository, suite, &wanted(names), None, force, actor))
}

fn set(bench: &mut Bench, suite: &str, settings: &Settings) -> Result<travel::WasSet, RepoError> {
    act(bench, |bench, actor| travel::set(&bench.repository, suite, settings, false, actor))
}

/// Collects at once, but for the generation in place.
fn collect(bench: &mut Bench, dry_run: bool) -> travel::Freed {
    let options = GcOptions { grace: 0, generations: 1, dry_run };
    act_at(bench, now() + 5, |bench, actor| travel::gc(&bench.repository, options, actor)).expect("collected")
}

/// A client of a suite that downloads.
fn client(bench: &Bench, name: &str, suite: &str) -> Apt {
    let snippet = std::fs::read_to_string(bench.published(&format!("acme-{suite}.sources"))).expect("a snippet");
    Apt::new(bench, name, &snippet.replace("\nURIs: file:", "\nURIs: copy:"))
}

fn dnf(bench: &Bench, name: &str, suite: &str) -> Dnf {
    Dnf::new(bench, name, &std::fs::read_to_string(bench.published(&format!("acme-{suite}.repo"))).expect("a snippet"))
}

/// The names and versions that a suite has.
fn held(bench: &Bench, suite: &Suite) -> Vec<String> {
    let shown = travel::show(&bench.repository, suite).expect("shown");
    shown.contents.into_iter().map(|package| format!("{} {}", package.name, package.versions.join(" "))).collect()
}

fn exists(bench: &Bench, place: &str) -> bool {
    bench.published(place).exists()
}

#[test]
fn a_rollback_reaches_clients_that_saw_what_is_rolled_back_and_can_be_rolled_back_itself() {
    let mut bench = Bench::new();
    let (one, two) = (bench.deb("acme-one", "1", "amd64"), bench.deb("acme-two", "1", "amd64"));
    let (first, second) = (bench.rpm("acme-one", "1", "one", ""), bench.rpm("acme-two", "1", "two", ""));
    bench.publish("bookworm", &[&one]).expect("published");
    bench.publish("bookworm", &[&two]).expect("published");
    bench.publish("el9", &[&first]).expect("published");
    bench.publish("el9", &[&second]).expect("published");
    let (debian, fedora) = (client(&bench, "debian", "bookworm"), dnf(&bench, "fedora", "el9"));
    assert_eq!(debian.update().expect("updated"), ["acme-one", "acme-two"]);
    assert_eq!(fedora.packages(), ["acme-one-1-1.el9", "acme-two-1-1.el9"]);
    for suite in [apt("bookworm"), yum("el9")] {
        let back = |bench: &mut Bench| {
            act(bench, |bench, actor| travel::rollback(&bench.repository, &suite, Target::Previous, actor))
        };
        let done = back(&mut bench).expect("rolled back");
        assert_eq!((done.to, done.generation, done.packages), (1, 3, 1));
    }
    assert_eq!(debian.update().expect("updated"), ["acme-one"]);
    assert_eq!(fedora.packages(), ["acme-one-1-1.el9"]);
    for suite in [apt("bookworm"), yum("el9")] {
        act(&mut bench, |bench, actor| travel::rollback(&bench.repository, &suite, Target::Previous, actor))
            .expect("rolled back");
        let log = travel::log(&bench.repository, &suite).expect("a log");
        let log: Vec<_> = log.iter().map(|generation| (generation.number, generation.packages)).collect();
        assert_eq!(log, [(4, 2), (3, 1), (2, 2), (1, 1)]);
    }
    assert_eq!(debian.update().expect("updated"), ["acme-one", "acme-two"]);
    assert_eq!(fedora.packages(), ["acme-one-1-1.el9", "acme-two-1-1.el9"]);
    debian.download("acme-two").expect("downloaded");
}

#[test]
fn a_rollback_to_what_is_gone_names_it_and_changes_nothing() {
    let mut bench = Bench::new();
    let (one, two) = (bench.deb("acme-one", "1", "amd64"), bench.deb("acme-two", "1", "amd64"));
    bench.publish("bookworm", &[&one, &two]).expect("published");
    remove(&mut bench, &apt("bookworm"), &["acme-two"], false).expect("removed");
    std::fs::remove_file(bench.published("apt/pool/main/a/acme-two/acme-two_1_amd64.deb")).unwrap();
    let before = bench.visible();
    let to = |target| {
        move |bench: &Bench, actor: &Actor<'_>| travel::rollback(&bench.repository, &apt("bookworm"), target, actor)
    };
    let error = act(&mut bench, to(Target::Number(1))).expect_err("refused").to_string();
    assert!(error.contains("apt/pool/main/a/acme-two/acme-two_1_amd64.deb"), "{error}");
    for target in [Target::Number(0), Target::Number(7), Target::Time(0)] {
        act(&mut bench, to(target)).expect_err("there is none");
    }
    assert!(bench.visible() == before);
    let same = act(&mut bench, to(Target::Number(2))).expect("nothing to do");
    assert!(same.unchanged && bench.visible() == before);
}

#[test]
fn a_snapshot_stays_as_it_was_until_it_is_removed() {
    let mut bench = Bench::new();
    let (deb, rpm) = (bench.deb("acme", "1", "amd64"), bench.rpm("acme", "1", "one", ""));
    bench.publish("bookworm", &[&deb]).expect("published");
    bench.publish("el9", &[&rpm]).expect("published");
    set(&mut bench, "bookworm", &Settings { valid_for: Some(Some(3600)), ..Settings::default() }).expect("set");
    let suites = [apt("bookworm"), yum("el9")];
    let id: SnapshotId = "20261121T160000Z".parse().expect("an ID");
    let take = |bench: &mut Bench, suites: &[Suite]| {
        act(bench, |bench, actor| travel::snapshot(&bench.repository, suites, &id, actor))
    };
    take(&mut bench, &suites).expect("taken");
    take(&mut bench, &suites[..1]).expect_err("it is there already");

    let (deb, rpm) = (bench.deb("acme", "2", "amd64"), bench.rpm("acme", "2", "two", ""));
    bench.publish("bookworm", &[&deb]).expect("published");
    bench.publish("el9", &[&rpm]).expect("published");
    remove(&mut bench, &suites[0], &["acme=1"], false).expect("removed");
    remove(&mut bench, &suites[1], &["acme=1-1.el9"], false).expect("removed");
    collect(&mut bench, false);

    let release = std::fs::read_to_string(bench.published("apt/snapshot/20261121T160000Z/dists/bookworm/InRelease"));
    assert!(!release.unwrap().contains("Valid-Until"), "nobody renews a snapshot");
    let now_there = std::fs::read_to_string(bench.published("apt/dists/bookworm/InRelease")).unwrap();
    assert!(now_there.contains("Valid-Until"), "{now_there}");
    let snippet = std::fs::read_to_string(bench.published("acme-bookworm.sources")).unwrap();
    let snippet =
        snippet.replace("\nURIs: file:", "\nURIs: copy:").replace("/apt\n", "/apt/snapshot/20261121T160000Z\n");
    let old = Apt::new(&bench, "old", &snippet);
    assert_eq!(old.update().expect("updated"), ["acme"]);
    assert!(old.download("acme").expect("downloaded").to_string_lossy().ends_with("acme_1_amd64.deb"));
    let new = client(&bench, "new", "bookworm");
    new.update().expect("updated");
    assert!(new.download("acme").expect("downloaded").to_string_lossy().ends_with("acme_2_amd64.deb"));
    let snippet = std::fs::read_to_string(bench.published("acme-el9.repo")).unwrap();
    let old = Dnf::new(&bench, "old-dnf", &snippet.replace("/yum/el9\n", "/yum/snapshot/20261121T160000Z/el9\n"));
    assert_eq!(old.packages(), ["acme-1-1.el9"]);
    let install = old.command(&["install", "acme"]);
    assert!(install.status.success(), "{}", both(&install));

    travel::remove_suite(&bench.repository, &suites[1], false, &unsigned()).expect_err("the snapshot needs it");
    assert_eq!(travel::snapshots(&bench.repository).expect("listed").len(), 2);
    travel::remove_snapshot(&bench.repository, &id, None, false, &unsigned()).expect("removed");
    travel::remove_snapshot(&bench.repository, &id, None, false, &unsigned()).expect_err("it is gone");
    assert!(!exists(&bench, "apt/snapshot") && !exists(&bench, "yum/snapshot"));
    assert!(exists(&bench, "apt/pool/main/a/acme/acme_1_amd64.deb"));
    collect(&mut bench, false);
    assert!(!exists(&bench, "apt/pool/main/a/acme/acme_1_amd64.deb"));
    assert!(exists(&bench, "apt/pool/main/a/acme/acme_2_amd64.deb"));
}

fn unsigned() -> Actor<'static> {
    Actor { signer: None, time: now(), reporter: &Silent }
}

#[test]
fn a_suite_of_a_repository_with_a_url_says_where_its_snapshots_are() {
    let mut bench = Bench::new();
    let directory = tempfile::tempdir().unwrap();
    let new = packhouse::repo::NewRepository {
        origin: "Acme",
        label: "Acme",
        description: "Packages",
        url: Some("https://packages.acme.example/linux"),
        key: &crate::support::key().public(),
    };
    let deb = bench.deb("acme", "1", "amd64");
    bench.repository = packhouse::repo::init(directory.path(), &new).expect("a repository");
    bench.publish("bookworm", &[&deb]).expect("published");
    let line = "Snapshots: https://packages.acme.example/linux/apt/snapshot/@SNAPSHOTID@/";
    let release = |bench: &Bench| std::fs::read_to_string(bench.published("apt/dists/bookworm/Release")).unwrap();
    assert!(release(&bench).lines().any(|present| present == line), "{}", release(&bench));
    set(&mut bench, "bookworm", &Settings { snapshots: Some(String::new()), ..Settings::default() }).expect("set");
    assert!(!release(&bench).contains("Snapshots"), "{}", release(&bench));
}

#[test]
fn everything_is_promoted_by_reference_and_twice_changes_nothing() {
    let mut bench = Bench::new();
    let debs = [bench.deb("acme", "1", "amd64"), bench.deb("acme-common", "1", "all")];
    let rpm = bench.rpm("acme", "1", "one", "");
    bench.publish("testing", &[&debs[0], &debs[1]]).expect("published");
    bench.publish("testing", &[&rpm]).expect("published");
    for kind in [Kind::Apt, Kind::Yum] {
        let (from, to) = (Suite::of(kind, "testing"), Suite::of(kind, "stable"));
        let done = promote(&mut bench, &from, &to, &[]).expect("promoted");
        assert_eq!(done.generation, 1);
        let again = promote(&mut bench, &from, &to, &[]).expect("promoted");
        assert_eq!((again.promoted, again.generation), (0, 1));
        assert_eq!(held(&bench, &from), held(&bench, &to));
    }
    let inode = |place: &str| std::fs::metadata(bench.published(place)).expect("there").ino();
    let same = ["apt/dists/@/main/binary-amd64/Packages.gz", "yum/@/packages/a/acme-1-1.el9.noarch.rpm"];
    for place in same {
        assert_eq!(inode(&place.replace('@', "testing")), inode(&place.replace('@', "stable")), "{place}");
    }
    let debian = client(&bench, "debian", "stable");
    assert_eq!(debian.update().expect("updated"), ["acme", "acme-common"]);
    debian.download("acme").expect("downloaded");
    let fedora = dnf(&bench, "fedora", "stable");
    assert_eq!(fedora.packages(), ["acme-1-1.el9"]);
    let install = fedora.command(&["install", "acme"]);
    assert!(install.status.success(), "{}", both(&install));

    // What only the target has stays there.
    let own = bench.deb("acme-own", "1", "amd64");
    let new = bench.deb("acme", "2", "amd64");
    bench.publish("stable", &[&own]).expect("published");
    bench.publish("testing", &[&new]).expect("published");
    let done = promote(&mut bench, &apt("testing"), &apt("stable"), &[]).expect("promoted");
    assert_eq!((done.promoted, done.packages), (1, 4));
    assert_eq!(held(&bench, &apt("stable")), ["acme 2 1", "acme-common 1", "acme-own 1"]);
}

#[test]
fn a_promotion_that_makes_no_sense_is_refused_and_changes_nothing() {
    let mut bench = Bench::new();
    let one = bench.deb_with("acme", "1", "amd64", "one", "");
    let other = bench.deb_with("acme", "1", "amd64", "other", "");
    bench.publish("stable", &[&one]).expect("published");
    bench.publish_with("testing", &[&other], true, &signer()).expect("published");
    let before = bench.visible();
    let said = |bench: &mut Bench, names: &[&str]| {
        promote(bench, &apt("testing"), &apt("stable"), names).expect_err("refused").to_string()
    };
    for names in [vec![], vec!["acme"]] {
        let error = said(&mut bench, &names);
        assert!(error.contains("another content") && error.contains("acme 1 amd64"), "{error}");
    }
    assert!(said(&mut bench, &["acme=2"]).contains("no package acme 2"));
    assert!(said(&mut bench, &["amce"]).contains("no package amce"));
    promote(&mut bench, &apt("stable"), &apt("stable"), &[]).expect_err("onto itself");
    let nearest = travel::suite(&bench.repository, "tseting").expect_err("there is none");
    let hints = packhouse::diagnostic::Diagnose::hints(&nearest);
    assert_eq!(hints, ["did you mean `testing`?"]);
    set(&mut bench, "stable", &Settings { frozen: Some(true), ..Settings::default() }).expect("set");
    assert!(said(&mut bench, &["acme"]).contains("frozen"));
    for error in [
        remove(&mut bench, &apt("stable"), &["acme"], true).expect_err("frozen"),
        bench.publish("stable", &[&bench.deb("acme-two", "1", "amd64")]).expect_err("frozen"),
    ] {
        assert!(error.to_string().contains("frozen"), "{error}");
    }
    let visible: Vec<_> = bench.visible();
    let changed = |(path, _): &&(std::path::PathBuf, Vec<u8>)| !path.ends_with("packhouse-repository.json");
    assert!(visible.iter().filter(changed).eq(before.iter().filter(changed)));
    set(&mut bench, "stable", &Settings { frozen: Some(false), ..Settings::default() }).expect("set");
    let wanted = wanted(&["acme"]);
    let forced = PromoteOptions { wanted: &wanted, force: true, ..PromoteOptions::default() };
    act(&mut bench, |bench, actor| travel::promote(&bench.repository, &apt("testing"), &apt("stable"), &forced, actor))
        .expect("promoted");
    let debian = client(&bench, "debian", "stable");
    debian.update().expect("updated");
    let downloaded = debian.download("acme").expect("downloaded");
    assert_eq!(std::fs::read(downloaded).unwrap(), std::fs::read(other).unwrap());
}

/// What `stable` has, what `testing` has beside `acme` with these relations, and whether `acme` may enter `stable`.
struct Case {
    what: &'static str,
    stable: &'static [(&'static str, &'static str, &'static str)],
    testing: &'static [(&'static str, &'static str, &'static str)],
    relations: &'static str,
    good: bool,
}

#[test]
fn no_deb_enters_a_suite_that_lacks_what_the_other_one_has_for_it() {
    const CASES: [Case; 14] = [
        Case {
            what: "what nobody has is the distribution's",
            stable: &[],
            testing: &[],
            relations: "Depends: libc6 (>= 2)",
            good: true,
        },
        Case { what: "missing", stable: &[], testing: &[("lib", "1", "")], relations: "Depends: lib", good: false },
        Case {
            what: "there",
            stable: &[("lib", "1", "")],
            testing: &[("lib", "1", "")],
            relations: "Depends: lib",
            good: true,
        },
        Case {
            what: "too old",
            stable: &[("lib", "1", "")],
            testing: &[("lib", "2", "")],
            relations: "Depends: lib (>= 2)",
            good: false,
        },
        Case {
            what: "older than a pre-release",
            stable: &[("lib", "2~rc1", "")],
            testing: &[("lib", "2", "")],
            relations: "Pre-Depends: lib (>= 2)",
            good: false,
        },
        Case {
            what: "new enough",
            stable: &[("lib", "3", "")],
            testing: &[("lib", "2", "")],
            relations: "Depends: lib (>= 2)",
            good: true,
        },
        Case {
            what: "an alternative",
            stable: &[("other", "1", "")],
            testing: &[("lib", "2", "")],
            relations: "Depends: lib (>= 2) | other",
            good: true,
        },
        Case {
            what: "provided",
            stable: &[("real", "1", "Provides: virtual\n")],
            testing: &[("real", "2", "Provides: virtual\n")],
            relations: "Depends: virtual",
            good: true,
        },
        Case {
            what: "provided without a version",
            stable: &[("real", "1", "Provides: virtual\n")],
            testing: &[("real", "2", "Provides: virtual (= 2)\n")],
            relations: "Depends: virtual (>= 2)",
            good: false,
        },
        Case {
            what: "provided in that version",
            stable: &[("real", "1", "Provides: virtual (= 3)\n")],
            testing: &[("real", "2", "Provides: virtual (= 2)\n")],
            relations: "Depends: virtual (>= 2)",
            good: true,
        },
        Case {
            what: "only one that it breaks",
            stable: &[("lib", "1", "")],
            testing: &[("lib", "2", "")],
            relations: "Depends: lib\nBreaks: lib (<< 2)",
            good: false,
        },
        Case {
            what: "only one that breaks it",
            stable: &[("lib", "1", "Conflicts: acme\n")],
            testing: &[("lib", "2", "")],
            relations: "Depends: lib",
            good: false,
        },
        Case {
            what: "any architecture where it is allowed",
            stable: &[("lib", "1", "Multi-Arch: allowed\n")],
            testing: &[("lib", "2", "Multi-Arch: allowed\n")],
            relations: "Depends: lib:any",
            good: true,
        },
        Case {
            what: "not allowed for any architecture",
            stable: &[("lib", "1", "")],
            testing: &[("lib", "2", "Multi-Arch: allowed\n")],
            relations: "Depends: lib:any",
            good: false,
        },
    ];
    for Case { what, stable, testing, relations, good } in CASES {
        let mut bench = Bench::new();
        let own = bench.deb_with("acme", "1", "amd64", "one", &format!("{relations}\n"));
        bench.publish("testing", &[&own]).expect("published");
        let there = bench.deb("there", "1", "amd64");
        bench.publish("stable", &[&there]).expect("published");
        for (suite, packages) in [("stable", stable), ("testing", testing)] {
            for (name, version, fields) in packages {
                // Equal packages in both suites are the same file.
                let deb = bench.deb_with(name, version, "amd64", "lib", fields);
                bench.publish_with(suite, &[&deb], true, &signer()).expect("published");
            }
        }
        let done = promote(&mut bench, &apt("testing"), &apt("stable"), &["acme"]);
        assert_eq!(done.is_ok(), good, "{what}: {done:?}");
        if !good {
            let error = done.expect_err("refused").to_string();
            assert!(error.contains("acme 1 amd64 needs "), "{error}");
            let names: Vec<&str> = testing.iter().map(|(name, ..)| *name).chain(["acme"]).collect();
            promote(&mut bench, &apt("testing"), &apt("stable"), &names).expect("together");
        }
    }
}

#[test]
fn no_rpm_enters_a_suite_that_lacks_what_the_other_one_has_for_it() {
    for (what, stable, testing, relations, good) in [
        ("what nobody has is the distribution's", "", "", "Requires: libc.so.6()(64bit)", true),
        ("too old", "Provides: data = 1", "Provides: data = 2", "Requires: data >= 2", false),
        ("new enough", "Provides: data = 3", "Provides: data = 2", "Requires: data >= 2", true),
        ("a file", "", "", "Requires: /usr/bin/lib", true),
        ("one or the other", "", "Provides: data", "Requires: (data or lib)", true),
        ("both", "", "Provides: data", "Requires: (data and lib)", false),
        (
            "one package with both",
            "Provides: data = 5",
            "Provides: data = 2",
            "Requires: (data >= 2 with data < 3)",
            false,
        ),
        ("only where the other is", "", "Provides: data", "Requires: (data if lib)", false),
        ("where the other is not", "", "Provides: data", "Requires: (data if nothing)", true),
        ("only one that it conflicts with", "", "Provides: data = 2", "Requires: lib\nConflicts: lib < 2", false),
    ] {
        let mut bench = Bench::new();
        let own = bench.rpm("acme", "1", "one", relations);
        bench.publish("testing", &[&own]).expect("published");
        for (suite, version, provides) in [("stable", "1", stable), ("testing", "2", testing)] {
            let lib = bench.rpm("lib", version, "lib", provides);
            bench.publish(suite, &[&lib]).expect("published");
        }
        let done = promote(&mut bench, &yum("testing"), &yum("stable"), &["acme"]);
        assert_eq!(done.is_ok(), good, "{what}: {done:?}");
        if !good {
            promote(&mut bench, &yum("testing"), &yum("stable"), &["acme", "lib"]).expect("together");
            assert_eq!(held(&bench, &yum("stable")), ["acme 1-1.el9", "lib 2-1.el9 1-1.el9"]);
        }
    }
}

#[test]
fn a_source_package_takes_along_what_was_built_from_it() {
    let mut bench = Bench::new();
    let packages = [
        bench.deb_with("acme-api", "2", "amd64", "one", "Source: acme\nDepends: acme-common (= 2)\n"),
        bench.deb_with("acme-common", "2", "all", "one", "Source: acme\n"),
        bench.deb_with("acme-api", "1", "amd64", "one", "Source: acme\n"),
        bench.deb("other", "1", "amd64"),
    ];
    bench.publish("testing", &packages.each_ref().map(|path| path.as_path())).expect("published");
    let wanted = wanted(&["acme"]);
    let options = PromoteOptions { wanted: &wanted, sources: true, ..PromoteOptions::default() };
    act(&mut bench, |bench, actor| {
        travel::promote(&bench.repository, &apt("testing"), &apt("stable"), &options, actor)
    })
    .expect("promoted");
    assert_eq!(held(&bench, &apt("stable")), ["acme-api 2", "acme-common 2"]);
}

#[test]
fn what_others_need_is_removed_only_with_them_or_by_force() {
    let mut bench = Bench::new();
    let debs = [
        bench.deb_with("acme-api", "1", "amd64", "one", "Depends: acme-common (>= 1)\n"),
        bench.deb("acme-common", "1", "all"),
        bench.deb("acme-common", "2", "all"),
    ];
    bench.publish("bookworm", &debs.each_ref().map(|path| path.as_path())).expect("published");
    let suite = apt("bookworm");
    remove(&mut bench, &suite, &["acme-common=1"], false).expect("another one serves");
    let error = remove(&mut bench, &suite, &["acme-common"], false).expect_err("refused").to_string();
    assert!(error.contains("acme-api 1 amd64 needs acme-common (>= 1)"), "{error}");
    let error = remove(&mut bench, &suite, &["acme-common=7"], false).expect_err("there is none");
    let hints = packhouse::diagnostic::Diagnose::hints(&error);
    assert_eq!(hints, ["it has acme-common 2 all"]);
    remove(&mut bench, &suite, &["acme-common", "acme-api"], false).expect("together");
    assert!(held(&bench, &suite).is_empty());
    assert_eq!(client(&bench, "debian", "bookworm").update().expect("updated"), [""; 0]);
    let done = act(&mut bench, |bench, actor| travel::rollback(&bench.repository, &suite, Target::Previous, actor));
    assert_eq!(done.expect("rolled back").packages, 2);
    let forced = remove(&mut bench, &suite, &["acme-common"], true).expect("forced");
    assert_eq!(forced.lacking, ["acme-api 1 amd64 needs acme-common (>= 1)"]);
}

#[test]
fn a_suite_is_removed_with_its_history_and_others_stay() {
    let mut bench = Bench::new();
    let (deb, rpm) = (bench.deb("acme", "1", "amd64"), bench.rpm("acme", "1", "one", ""));
    bench.publish("bookworm", &[&deb]).expect("published");
    bench.publish("trixie", &[&deb]).expect("published");
    bench.publish("el9", &[&rpm]).expect("published");
    for suite in [apt("bookworm"), yum("el9")] {
        travel::remove_suite(&bench.repository, &suite, true, &unsigned()).expect("tried");
        reopen(&mut bench);
        assert!(bench.repository.suites().contains(&suite));
        travel::remove_suite(&bench.repository, &suite, false, &unsigned()).expect("removed");
        reopen(&mut bench);
    }
    assert_eq!(bench.repository.suites(), [apt("trixie")]);
    for gone in ["apt/dists/bookworm", "yum/el9", "acme-bookworm.sources", "acme-el9.repo"] {
        assert!(!exists(&bench, gone), "{gone}");
    }
    assert_eq!(client(&bench, "debian", "trixie").update().expect("updated"), ["acme"]);
    bench.publish("el9", &[&rpm]).expect("published anew");
    assert_eq!(dnf(&bench, "fedora", "el9").packages(), ["acme-1-1.el9"]);
}

#[test]
fn publishing_keeps_as_many_versions_as_the_suite_says_and_what_others_need() {
    let mut bench = Bench::new();
    let first = bench.deb("acme", "1", "amd64");
    bench.publish("bookworm", &[&first]).expect("published");
    set(&mut bench, "bookworm", &Settings { keep_versions: Some(Some(2)), ..Settings::default() }).expect("set");
    let user = bench.deb_with("acme-user", "1", "amd64", "one", "Depends: acme (= 2)\n");
    bench.publish("bookworm", &[&user]).expect("published");
    for version in ["2", "3", "4"] {
        let deb = bench.deb("acme", version, "amd64");
        bench.publish("bookworm", &[&deb]).expect("published");
    }
    assert_eq!(held(&bench, &apt("bookworm")), ["acme 4 3 2", "acme-user 1"]);
    remove(&mut bench, &apt("bookworm"), &["acme-user"], false).expect("removed");
    let suites = [apt("bookworm")];
    let retain = |bench: &mut Bench| {
        act(bench, |bench, actor| travel::retain(&bench.repository, &suites, actor)).expect("retained")
    };
    assert_eq!(retain(&mut bench)[0].removed, ["acme 2 amd64"]);
    assert!(retain(&mut bench)[0].removed.is_empty());
    assert_eq!(held(&bench, &apt("bookworm")), ["acme 4 3"]);
}

#[test]
fn what_nobody_names_is_collected_and_nothing_else() {
    let mut bench = Bench::new();
    let names = ["acme-one", "acme-two"];
    let debs = names.map(|name| bench.deb(name, "1", "amd64"));
    let rpms = names.map(|name| bench.rpm(name, "1", name, ""));
    for (debs, rpms) in debs.iter().zip(&rpms) {
        bench.publish("bookworm", &[debs]).expect("published");
        bench.publish("el9", &[rpms]).expect("published");
    }
    remove(&mut bench, &apt("bookworm"), &["acme-one"], false).expect("removed");
    remove(&mut bench, &yum("el9"), &["acme-one"], false).expect("removed");
    let all = |bench: &Bench| -> BTreeSet<_> { walk(bench.repository.root()).into_iter().collect() };
    let before = all(&bench);
    let usual = GcOptions { grace: 48 * 60 * 60, generations: 10, dry_run: false };
    let nothing = travel::gc(&bench.repository, usual, &unsigned()).expect("collected");
    assert_eq!((nothing.bytes, all(&bench) == before), (0, true), "all of it may still be fetched");
    let tried = collect(&mut bench, true);
    assert!(tried.bytes > 0 && all(&bench) == before);
    let freed = collect(&mut bench, false);
    assert_eq!(freed, tried);
    assert_eq!((freed.packages.files, freed.generations.files), (2, 4));
    assert!(!exists(&bench, "apt/pool/main/a/acme-one"), "directories that are empty go");
    assert!(exists(&bench, "apt/pool/main/a/acme-two/acme-two_1_amd64.deb"));
    assert!(!exists(&bench, "yum/el9/packages/a/acme-one-1-1.el9.noarch.rpm"));
    assert_eq!(collect(&mut bench, false).bytes, 0);
    let debian = client(&bench, "debian", "bookworm");
    assert_eq!(debian.update().expect("updated"), ["acme-two"]);
    debian.download("acme-two").expect("downloaded");
    let fedora = dnf(&bench, "fedora", "el9");
    let install = fedora.command(&["install", "acme-two"]);
    assert!(install.status.success(), "{}", both(&install));
    assert_eq!(travel::log(&bench.repository, &apt("bookworm")).expect("a log").len(), 1);
    bench.publish("bookworm", &[&debs[0]]).expect("published again");
    assert_eq!(debian.update().expect("updated"), names);
}

#[test]
fn an_index_that_expires_is_renewed_before_and_its_files_stay_the_same() {
    let mut bench = Bench::new();
    let deb = bench.deb("acme", "1", "amd64");
    bench.publish("bookworm", &[&deb]).expect("published");
    let suites = [apt("bookworm")];
    let hour = Settings { valid_for: Some(Some(3600)), ..Settings::default() };
    let early = now() - 3500;
    // Made as if an hour ago: the dates of generations must grow, so in a repository of its own.
    let mut past = Bench::new();
    let items = [packhouse::repo::Item {
        path: deb.clone(),
        suite: "bookworm".to_owned(),
        component: "main".to_owned(),
        sha256: None,
    }];
    let key = signer();
    let options = packhouse::repo::PublishOptions::of(&key, early - 200, &Silent);
    packhouse::repo::publish(&mut past.repository, &items, &options).expect("published");
    act_at(&mut past, early - 200, |bench, actor| travel::set(&bench.repository, "bookworm", &hour, false, actor))
        .expect("set");
    let client = client(&past, "client", "bookworm");
    let said = client.update().expect_err("it is over");
    assert!(said.contains("is expired"), "{said}");
    let by_hash = |bench: &Bench| -> BTreeSet<_> {
        walk(&bench.published("apt/dists")).into_iter().filter(|path| is_by_hash(path)).collect()
    };
    let before = by_hash(&past);
    let refresh = |bench: &mut Bench, time: i64, force| {
        act_at(bench, time, |bench, actor| travel::refresh(&bench.repository, &suites, force, actor))
            .expect("refreshed")
            .remove(0)
    };
    let renewed = refresh(&mut past, now(), false);
    assert_eq!((renewed.generation, renewed.due.len()), (3, 1));
    assert_eq!(client.update().expect("updated"), ["acme"]);
    assert_eq!(by_hash(&past), before);
    let idle = refresh(&mut past, now(), false);
    assert_eq!((idle.generation, idle.due.len()), (3, 0));
    assert_eq!(refresh(&mut past, now(), true).generation, 4);
    let never = refresh(&mut bench, now(), false);
    assert!(never.due.is_empty() && never.valid_until.is_none());
}

fn is_by_hash(path: &Path) -> bool {
    path.to_string_lossy().contains("/by-hash/")
}

#[test]
fn what_clients_refuse_to_see_changed_is_set_before_the_first_publication_or_by_force() {
    let mut bench = Bench::new();
    let codename = |text: &str| Settings { codename: Some(text.to_owned()), ..Settings::default() };
    set(&mut bench, "bookworm", &codename("deb12")).expect_err("a suite that is not there");
    set(&mut bench, "apt/bookworm", &codename("deb12")).expect("set");
    let deb = bench.deb("acme", "1", "amd64");
    bench.publish("bookworm", &[&deb]).expect("published");
    let apt = client(&bench, "client", "bookworm");
    apt.update().expect("updated");
    let before = bench.visible();
    for settings in [
        codename("other"),
        Settings { label: Some("Other".to_owned()), ..Settings::default() },
        Settings { origin: Some("Other".to_owned()), ..Settings::default() },
        Settings { not_automatic: Some(true), ..Settings::default() },
    ] {
        let error = set(&mut bench, "bookworm", &settings).expect_err("refused").to_string();
        assert!(error.contains("clients of apt suite bookworm would refuse"), "{error}");
    }
    assert!(bench.visible() == before);
    let fine =
        Settings { version: Some("12.1".to_owned()), suite: Some("oldstable".to_owned()), ..Settings::default() };
    assert_eq!(set(&mut bench, "bookworm", &fine).expect("set").generation, 2);
    apt.update().expect("these may change");
    act(&mut bench, |bench, actor| travel::set(&bench.repository, "bookworm", &codename("other"), true, actor))
        .expect("forced");
    let said = apt.update().expect_err("refused");
    assert!(said.contains("changed its 'Codename' value from 'deb12' to 'other'"), "{said}");
}

#[test]
fn rings_serve_dnf_by_a_variable_and_packages_move_from_one_to_the_next() {
    let mut bench = Bench::new();
    let rpm = bench.rpm("acme", "1", "one", "");
    for ring in ["canary", "stable"] {
        let settings = Settings { ring: Some(Some(ring.to_owned())), ..Settings::default() };
        set(&mut bench, &format!("yum/el9-{ring}"), &settings).expect("set");
        let wrong = set(&mut bench, &format!("yum/el9{ring}"), &settings);
        wrong.expect_err("a ring's suite is called after it");
    }
    bench.publish("el9-canary", &[&rpm]).expect("published");
    promote(&mut bench, &yum("el9-canary"), &yum("el9-stable"), &[]).expect("promoted");
    let new = bench.rpm("acme", "2", "two", "");
    bench.publish("el9-canary", &[&new]).expect("published");
    let snippet = std::fs::read_to_string(bench.published("acme-el9.repo")).expect("a file for clients");
    assert!(snippet.contains("/yum/el9-$ring\n") && snippet.contains("canary, stable"), "{snippet}");
    let client = |bench: &Bench, ring: &str| {
        let dnf = Dnf::new(bench, ring, &snippet);
        crate::support::write(&bench.path(&format!("{ring}/vars/ring")), &format!("{ring}\n"));
        dnf
    };
    let seen = |bench: &Bench, ring: &str| {
        let dnf = client(bench, ring);
        let varsdir = format!("--setopt=varsdir={}", bench.path(&format!("{ring}/vars")).display());
        let listed = dnf.command(&[&varsdir, "--refresh", "-q", "repoquery", "--qf", "%{name}-%{evr}"]);
        String::from_utf8_lossy(&listed.stdout).trim().to_owned()
    };
    assert_eq!(seen(&bench, "canary"), "acme-1-1.el9\nacme-2-1.el9");
    assert_eq!(seen(&bench, "stable"), "acme-1-1.el9");
    promote(&mut bench, &yum("el9-canary"), &yum("el9-stable"), &["acme=2-1.el9"]).expect("promoted");
    assert_eq!(seen(&bench, "stable"), "acme-1-1.el9\nacme-2-1.el9");
}

#[test]
fn packages_are_collected_beside_publishers_and_none_is_lost() {
    let mut bench = Bench::new();
    let debs: Vec<_> = (0..12).map(|number| bench.deb(&format!("acme-{number}"), "1", "amd64")).collect();
    bench.publish("bookworm", &[&debs[0]]).expect("published");
    let done = std::sync::atomic::AtomicBool::new(false);
    let order = std::sync::atomic::Ordering::Relaxed;
    let repository = bench.repository.clone();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let options = GcOptions { grace: 0, generations: 1, dry_run: false };
            while !done.load(order) {
                // As if all grace were over, of what was written just now too.
                let actor = Actor { signer: None, time: now() + 5, reporter: &Silent };
                travel::gc(&repository, options, &actor).expect("collected");
            }
        });
        for deb in &debs[1..] {
            bench.publish("bookworm", &[deb]).expect("published");
        }
        done.store(true, order);
    });
    let apt = client(&bench, "client", "bookworm");
    let names = apt.update().expect("updated");
    assert_eq!(names.len(), 12, "{names:?}");
    for name in names {
        apt.download(&name).expect("downloaded");
    }
}

#[test]
fn every_command_tells_what_it_would_do_and_does_it() {
    let mut bench = Bench::new();
    let (one, two) = (bench.deb("acme", "1", "amd64"), bench.deb("acme", "2", "amd64"));
    bench.publish("testing", &[&one]).expect("published");
    bench.publish("testing", &[&two]).expect("published");
    let key = bench.path("key.asc");
    crate::support::key().write(&key, true).expect("written");
    let place = bench.repository.root().to_path_buf();
    let packhouse = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_packhouse"));
        command.args(["repo", "--format", "json"]).args(arguments).env("HOME", bench.directory.path());
        command.current_dir(bench.directory.path());
        let output = crate::support::output(&mut command);
        (output.status.code().expect("a status"), both(&output))
    };
    let (repo, key) = (place.to_str().expect("UTF-8"), key.to_str().expect("UTF-8"));
    for (arguments, reason) in [
        (vec!["promote", "--from", "testing", "--to", "stable", "--create"], "promotion"),
        (vec!["set", "stable", "--valid-for", "7d", "--keep-versions", "2"], "options"),
        (vec!["refresh", "stable", "--force"], "refresh"),
        (vec!["snapshot", "stable", "--name", "s1"], "snapshot"),
        (vec!["remove", "stable", "acme=1"], "removal"),
        (vec!["rollback", "stable"], "rollback"),
        (vec!["set", "stable", "--keep-versions", "1"], "options"),
        (vec!["retain"], "retention"),
        (vec!["snapshot", "--remove", "s1"], "snapshot"),
        (vec!["remove", "stable", "--suite"], "removal"),
    ] {
        let before = bench.visible();
        let with = |more: &[&str]| packhouse(&[arguments.as_slice(), &["--repo", repo], more].concat());
        let (status, said) = with(&["--dry-run"]);
        assert_eq!(status, 0, "{arguments:?}: {said}");
        assert!(said.contains(&format!("\"reason\":\"{reason}\"")), "{arguments:?}: {said}");
        assert!(bench.visible() == before, "{arguments:?} was only tried");
        let (status, said) = with(&["--key", key]);
        assert_eq!(status, 0, "{arguments:?}: {said}");
        assert!(bench.visible() != before, "{arguments:?} does something");
    }
    for (arguments, status, text) in [
        (vec!["list", repo], 0, "\"packages\":2"),
        (vec!["show", "testing", "--repo", repo], 0, "\"versions\":[\"2\",\"1\"]"),
        (vec!["show", "testing", "acme", "--repo", repo], 0, "apt/pool/main/a/acme/acme_2_amd64.deb"),
        (vec!["show", "testing", "amce", "--repo", repo], 2, "did you mean `acme`?"),
        (vec!["log", "testing", "--repo", repo], 0, "\"note\":\"publish acme 2 amd64\""),
        (vec!["log", "tseting", "--repo", repo], 2, "did you mean `testing`?"),
        (vec!["snapshot", "--repo", repo], 2, "no suite"),
        (vec!["gc", repo], 0, "\"bytes\":"),
    ] {
        let (got, said) = packhouse(&arguments);
        assert!(got == status && said.contains(text), "{arguments:?}: {got} {said}");
    }
}
