//! Damage of every kind: named, and put back where that is possible.

use std::path::{Path, PathBuf};
use std::process::Command;

use packhouse::digest::Sha256;
use packhouse::repo::travel::{self, Actor, SnapshotId};
use packhouse::repo::verify::{self, Report};
use packhouse::repo::{self, Kind, Suite};
use packhouse::report::Silent;

use crate::support::{Apt, Bench, Dnf, now, run, signer, walk};

/// A part of a path, and what happens to the file.
type Case<'a> = (&'a str, &'a dyn Fn(&Path));

/// A repository with two generations in each of its suites.
fn published() -> Bench {
    let mut bench = Bench::new();
    for (version, name) in [("1", "acme"), ("1", "zeta"), ("2", "acme")] {
        let (deb, rpm) = (bench.deb(name, version, "amd64"), bench.rpm(name, version, "one", ""));
        bench.publish("bookworm", &[&deb]).expect("published");
        bench.publish("el9", &[&rpm]).expect("published");
    }
    bench
}

fn verified(bench: &Bench) -> Report {
    verify::verify(&repo::open(bench.repository.root()).unwrap(), &Silent).expect("verified")
}

fn repaired(bench: &Bench) -> Report {
    let repository = repo::open(bench.repository.root()).unwrap();
    verify::repair(&repository, &signer(), now(), &Silent).expect("repaired")
}

fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    // What shares the content with other names is damaged under all of them.
    std::fs::write(path, bytes).unwrap();
}

/// The files of the repository whose path has this in it.
fn find(bench: &Bench, part: &str) -> Vec<PathBuf> {
    let root = bench.repository.root();
    let mut found = walk(root);
    found.retain(|path| path.strip_prefix(root).unwrap().to_string_lossy().contains(part));
    assert!(!found.is_empty(), "nothing has {part} in its name");
    found.sort();
    found
}

/// What apt and dnf see.
fn seen(bench: &Bench, name: &str) -> (Vec<String>, Vec<String>) {
    let read = |file: &str| std::fs::read_to_string(bench.published(file)).expect("a snippet");
    let debs = Apt::new(bench, &format!("{name}-apt"), &read("acme-bookworm.sources")).update().expect("updated");
    (debs, Dnf::new(bench, &format!("{name}-dnf"), &read("acme-el9.repo")).packages())
}

#[test]
fn a_repository_that_is_whole_has_no_damage() {
    let bench = published();
    let report = verified(&bench);
    assert!(report.damages.is_empty(), "{:#?}", report.damages);
    let counts: Vec<(String, u64, u64)> =
        report.suites.iter().map(|suite| (suite.suite.to_string(), suite.generation, suite.packages)).collect();
    assert_eq!(counts, [("apt suite bookworm".to_owned(), 3, 3), ("yum suite el9".to_owned(), 3, 3)]);
}

#[test]
fn every_damage_that_can_be_repaired_is_named_and_repaired() {
    let bench = published();
    let root = bench.repository.root().to_path_buf();
    let base = bench.path("base");
    run(Command::new("cp").arg("-a").arg(&root).arg(&base));
    let whole = seen(&bench, "whole");
    let remove = |path: &Path| std::fs::remove_file(path).unwrap();
    let cases: [Case<'_>; 12] = [
        ("main/binary-amd64/Packages.gz", &remove),
        ("main/binary-amd64/Packages.gz", &flip),
        ("dists/bookworm/Release", &remove),
        ("dists/bookworm/Release.gpg", &flip),
        ("dists/bookworm/InRelease", &flip),
        ("acme-bookworm.sources", &flip),
        ("acme-el9.repo", &remove),
        ("key.gpg", &flip),
        ("key.asc", &remove),
        ("repodata/repomd.xml.asc", &flip),
        ("repodata/repomd.xml", &flip),
        ("yum/el9/packages/a/acme-1-1.el9.noarch.rpm", &|path| {
            // The same package lies in the other suite, too.
            let twin = root.join("yum/el9/packages/twin.rpm");
            std::fs::hard_link(path, twin).unwrap();
        }),
    ];
    for (number, (part, damage)) in cases.iter().enumerate() {
        std::fs::remove_dir_all(&root).unwrap();
        run(Command::new("cp").arg("-a").arg(&base).arg(&root));
        damage(&find(&bench, part)[0]);
        let report = verified(&bench);
        if part.ends_with(".rpm") {
            assert!(report.damages.is_empty(), "{:#?}", report.damages);
            continue;
        }
        assert!(report.damages.iter().any(|found| found.path.contains(part)), "{part}: {:#?}", report.damages);
        let report = repaired(&bench);
        assert!(!report.is_damaged(), "{part}: {:#?}", report.damages);
        let after = verified(&bench);
        assert!(after.damages.is_empty(), "{part}: {:#?}", after.damages);
        assert_eq!(seen(&bench, &format!("after-{number}")), whole, "{part}");
    }
}

#[test]
fn index_files_and_shards_are_put_back_as_they_were() {
    let bench = published();
    let root = bench.repository.root().to_path_buf();
    let current: Vec<PathBuf> = {
        let repomd = std::fs::read_to_string(bench.published("yum/el9/repodata/repomd.xml")).unwrap();
        let release = std::fs::read_to_string(bench.published("apt/dists/bookworm/InRelease")).unwrap();
        let named = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            path.to_string_lossy().contains("by-hash") && release.contains(&name)
                || name.ends_with(".xml.gz") && repomd.contains(&name)
        };
        walk(&root).into_iter().filter(named).collect()
    };
    assert!(current.len() >= 4, "{current:?}");
    for path in current {
        let before = std::fs::read(&path).unwrap();
        for gone in [true, false] {
            if gone {
                std::fs::remove_file(&path).unwrap()
            } else {
                flip(&path)
            }
            let relative = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
            assert!(verified(&bench).damages.iter().any(|damage| damage.path == relative), "{relative}");
            let report = repaired(&bench);
            assert!(!report.is_damaged(), "{:#?}", report.damages);
            assert!(std::fs::read(&path).unwrap() == before, "{relative}");
        }
    }
    let mut rebuilt = 0;
    for path in find(&bench, ".packhouse/objects/") {
        let before = std::fs::read(&path).unwrap();
        // Every part of it: the records, texts, gzip members.
        for tenth in 0..10 {
            let mut bytes = before.clone();
            let at = bytes.len() * tenth / 10;
            bytes[at] ^= 0x20;
            std::fs::write(&path, &bytes).unwrap();
            let relative = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
            let report = verified(&bench);
            let Some(damage) = report.damages.iter().find(|damage| damage.path == relative) else {
                // A shard of an older generation.
                assert!(report.damages.is_empty(), "{:#?}", report.damages);
                std::fs::write(&path, &before).unwrap();
                break;
            };
            assert!(damage.lost.contains("packages of"), "{}", damage.lost);
            if !repaired(&bench).is_damaged() {
                rebuilt += 1;
                assert!(std::fs::read(&path).unwrap() == before, "{relative}");
            }
            std::fs::write(&path, &before).unwrap();
        }
    }
    assert!(rebuilt >= 8, "only {rebuilt} of about twenty damages were repaired");
    assert!(verified(&bench).damages.is_empty());
}

#[test]
fn a_package_that_is_gone_or_altered_is_named_with_what_is_lost_and_stays_damaged() {
    let bench = published();
    let gone = find(&bench, "/zeta_1_amd64.deb").remove(0);
    std::fs::remove_file(gone).unwrap();
    flip(&find(&bench, "/acme-2-1.el9.noarch.rpm")[0]);
    for report in [verified(&bench), repaired(&bench)] {
        let lost: Vec<&str> = report.damages.iter().map(|damage| damage.lost.as_str()).collect();
        assert_eq!(
            lost,
            [
                "nobody can install zeta 1 amd64 in the apt suite bookworm",
                "nobody can install acme 2-1.el9 noarch in the yum suite el9"
            ]
        );
        assert!(report.is_damaged());
    }
}

#[test]
fn a_root_that_is_gone_makes_the_generation_before_it_current_again() {
    let mut bench = published();
    let roots = find(&bench, ".packhouse/roots/apt/bookworm/");
    let index = packhouse::digest::Sha256::of(&std::fs::read(bench.published("apt/dists/bookworm/InRelease")).unwrap());
    let current = roots.iter().find(|path| path.to_string_lossy().contains(&index.to_string())).expect("the root");
    std::fs::remove_file(current).unwrap();
    let report = verified(&bench);
    assert!(report.damages.iter().any(|damage| damage.path == "apt/dists/bookworm/InRelease"), "{:#?}", report.damages);
    assert!(!repaired(&bench).is_damaged());
    let deb = bench.deb_with("acme", "2", "amd64", "one", "");
    let again = bench.publish("bookworm", &[&deb]).expect("published");
    assert_eq!(again.suites[0].packages, 3);
    assert!(verified(&bench).damages.is_empty());
}

#[test]
fn the_command_ends_with_1_while_damage_is_left() {
    let bench = published();
    let verify = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_packhouse"));
        command.args(["--format", "json", "repo", "verify"]).arg(bench.repository.root()).output().unwrap()
    };
    assert_eq!(verify().status.code(), Some(0));
    std::fs::remove_file(&find(&bench, "/zeta_1_amd64.deb")[0]).unwrap();
    let damaged = verify();
    assert_eq!(damaged.status.code(), Some(1));
    let said: serde_json::Value = serde_json::from_slice(&damaged.stdout).expect("one document");
    assert_eq!(said["damages"][0]["path"], "apt/pool/main/z/zeta/zeta_1_amd64.deb");
}

#[test]
fn damage_of_a_snapshot_is_named_and_repaired_from_what_is_left() {
    let mut bench = published();
    let id: SnapshotId = "frozen".parse().expect("an ID");
    let signer = signer();
    let actor = Actor { signer: Some(&signer), time: now(), reporter: &Silent };
    let suites = [Suite::of(Kind::Apt, "bookworm"), Suite::of(Kind::Yum, "el9")];
    travel::snapshot(&bench.repository, &suites, &id, &actor).expect("taken");
    let (deb, rpm) = (bench.deb("later", "1", "amd64"), bench.rpm("later", "1", "one", ""));
    bench.publish("bookworm", &[&deb]).expect("published");
    bench.publish("el9", &[&rpm]).expect("published");
    let report = verified(&bench);
    assert!(report.damages.is_empty(), "{:#?}", report.damages);
    let owners: Vec<(String, u64)> = report.suites.iter().map(|suite| (suite.owner(), suite.packages)).collect();
    assert_eq!(owners[2], ("snapshot frozen of the apt suite bookworm".to_owned(), 3));
    assert_eq!(owners[3], ("snapshot frozen of the yum suite el9".to_owned(), 3));

    let remove = |path: &Path| std::fs::remove_file(path).unwrap();
    let (apt, yum) = ("apt/snapshot/frozen", "yum/snapshot/frozen/el9");
    let held = |part: &str, end: &str| {
        let found = find(&bench, part).into_iter().find(|path| path.to_string_lossy().ends_with(end)).unwrap();
        found.strip_prefix(bench.repository.root()).unwrap().to_string_lossy().into_owned()
    };
    let by_hash = held("apt/snapshot/frozen/dists/bookworm/main/binary-amd64/by-hash", "");
    let primary = held("yum/snapshot/frozen/el9/repodata", "-primary.xml.gz");
    let cases: [Case<'_>; 9] = [
        (&format!("{apt}/dists/bookworm/InRelease"), &flip),
        (&format!("{apt}/dists/bookworm/Release.gpg"), &remove),
        (&format!("{apt}/dists/bookworm/main/binary-amd64/Packages.gz"), &remove),
        (&by_hash, &flip),
        (&format!("{apt}/pool"), &remove),
        (&format!("{yum}/repodata/repomd.xml.asc"), &flip),
        (&format!("{yum}/repodata/repomd.xml"), &remove),
        (&primary, &flip),
        (&format!("{yum}/packages"), &remove),
    ];
    for (path, damage) in cases {
        damage(&bench.published(path));
        let report = verified(&bench);
        assert!(report.damages.iter().any(|found| found.path == path), "{path}: {:#?}", report.damages);
        let report = repaired(&bench);
        assert!(!report.is_damaged(), "{path}: {:#?}", report.damages);
        let after = verified(&bench);
        assert!(after.damages.is_empty(), "{path}: {:#?}", after.damages);
    }
    let snippet = std::fs::read_to_string(bench.published("acme-bookworm.sources")).unwrap();
    let snippet = snippet.replace("\nURIs: file:", "\nURIs: copy:").replace("/apt\n", &format!("/{apt}\n"));
    assert_eq!(Apt::new(&bench, "apt", &snippet).update().expect("updated"), ["acme", "zeta"]);
    let snippet = std::fs::read_to_string(bench.published("acme-el9.repo")).unwrap();
    let dnf = Dnf::new(&bench, "dnf", &snippet.replace("/yum/el9\n", &format!("/{yum}\n")));
    assert!(dnf.packages().iter().all(|package| !package.starts_with("later")), "{:?}", dnf.packages());
}

#[test]
fn a_wrong_digest_in_a_root_does_not_live_on() {
    let bench = published();
    let whole = seen(&bench, "whole");
    let index = std::fs::read(bench.published("apt/dists/bookworm/InRelease")).unwrap();
    let path = bench.published(&format!(".packhouse/roots/apt/bookworm/{}.json", Sha256::of(&index)));
    let mut root: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let files = root["files"].as_array_mut().unwrap();
    let packages = files.iter_mut().find(|file| file["path"] == "main/binary-amd64/Packages").unwrap();
    packages["open"][1] = serde_json::Value::from("0".repeat(64));
    std::fs::write(&path, root.to_string()).unwrap();

    let report = verified(&bench);
    let told = report.damages.iter().any(|damage| damage.what.contains("does not unpack to"));
    assert!(told, "{:#?}", report.damages);
    let report = repaired(&bench);
    assert!(!report.is_damaged(), "{:#?}", report.damages);
    let after = verified(&bench);
    assert!(after.damages.is_empty(), "{:#?}", after.damages);
    assert_eq!(seen(&bench, "after"), whole);
}
