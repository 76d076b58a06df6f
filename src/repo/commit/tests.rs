//! Commits against a plain list of what the suite must hold, and how long one takes.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::time::Instant;

use crate::digest::Sha256;
use crate::repo::cell::Stream;
use crate::repo::commit::Committer;
use crate::repo::keys::{self, Algorithm, NewKey};
use crate::repo::record::{Entry, Identity, Record};
use crate::repo::root::{self, Root};
use crate::repo::sign::Signer;
use crate::repo::store::Store;
use crate::repo::suite::{Kind, Suite};
use crate::repo::writer::Writer;
use crate::repo::{NewRepository, init};
use crate::report::Silent;

const TIME: i64 = 1_800_000_000;

struct Bench {
    directory: tempfile::TempDir,
    signer: Signer,
}

impl Bench {
    fn new(algorithm: Algorithm) -> Self {
        let new = NewKey {
            user_id: "Acme <a@acme.example>",
            algorithm,
            time: TIME - 10,
            expires_after: None,
            passphrase: None,
        };
        let key = keys::generate(&new).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let new = NewRepository { origin: "Acme", label: "Acme", description: "x", url: None, key: &key.public() };
        init(directory.path(), &new).unwrap();
        Self { directory, signer: key.signer(None, TIME).unwrap() }
    }

    fn store(&self) -> Store {
        Store::at(self.directory.path())
    }

    fn commit(&self, suite: &Suite, time: i64, put: Vec<Entry>, remove: &[Identity]) -> Root {
        let mut writer = Writer::new(self.store(), &Silent).unwrap();
        let mut change = writer.change(suite).unwrap();
        for entry in put {
            change.put(&writer.store, entry).unwrap();
        }
        for identity in remove {
            for record in change.find(&writer.store, &identity.name).unwrap() {
                if record.identity == *identity {
                    change.remove(&record);
                }
            }
        }
        let by = Committer { signer: &self.signer, time, reporter: &Silent };
        writer.commit(vec![change], &by).unwrap().pop().unwrap()
    }
}

fn entry(kind: Kind, name: &str, version: &str, content: &str) -> Entry {
    let identity = Identity {
        name: name.to_owned(),
        version: version.to_owned(),
        architecture: if kind == Kind::Apt { "amd64" } else { "x86_64" }.to_owned(),
    };
    let digest = Sha256::of(content.as_bytes());
    let record = Record {
        source: name.to_owned(),
        source_version: version.to_owned(),
        component: if kind == Kind::Apt { "main" } else { "" }.to_owned(),
        place: format!("pool/main/{}/{name}_{version}.deb", name.chars().next().unwrap()),
        size: content.len() as u64,
        sha256: digest,
        content: digest,
        original: digest,
        published: TIME,
        phase: None,
        further: Vec::new(),
        identity,
    };
    let texts = match kind {
        Kind::Apt => vec![
            format!(
                "Package: {name}\nVersion: {version}\nArchitecture: amd64\nMaintainer: Acme <a@acme.example>\nInstalled-Size: 12\n\
                 Depends: libc6 (>= 2.36), acme-common\nSection: net\nPriority: optional\nHomepage: https://acme.example/{name}\n\
                 Filename: {}\nSize: {}\nSHA256: {digest}\nDescription: a synthetic package\n Nothing in it.\n\n",
                record.place, record.size
            ),
            (0..8).map(|number| format!("usr/share/{name}/file-{number} net/{name}\n")).collect(),
            String::new(),
        ],
        Kind::Yum => {
            let files: String =
                (0..8).map(|number| format!("  <file>/usr/share/{name}/file-{number}</file>\n")).collect();
            let head = format!(
                "<package pkgid=\"{digest}\" name=\"{name}\" arch=\"x86_64\">\n  <version epoch=\"0\" ver=\"{version}\" rel=\"1\"/>\n"
            );
            vec![
                format!(
                    "<package type=\"rpm\">\n  <name>{name}</name>\n  <arch>x86_64</arch>\n  <version epoch=\"0\" ver=\"{version}\" rel=\"1\"/>\n  \
                     <checksum type=\"sha256\" pkgid=\"YES\">{digest}</checksum>\n  <summary>A synthetic package</summary>\n  \
                     <description>Nothing in it.</description>\n  <packager/>\n  <url>https://acme.example/{name}</url>\n  \
                     <time file=\"{TIME}\" build=\"{TIME}\"/>\n  <size package=\"6000\" installed=\"100\" archive=\"900\"/>\n  \
                     <location href=\"{}\"/>\n  <format>\n    <rpm:license>MIT</rpm:license>\n    <rpm:vendor/>\n    \
                     <rpm:group>Unspecified</rpm:group>\n    <rpm:buildhost>build.acme.example</rpm:buildhost>\n    \
                     <rpm:sourcerpm>{name}-{version}-1.src.rpm</rpm:sourcerpm>\n    <rpm:header-range start=\"4504\" end=\"5777\"/>\n    \
                     <rpm:provides>\n      <rpm:entry name=\"{name}\" flags=\"EQ\" epoch=\"0\" ver=\"{version}\" rel=\"1\"/>\n    </rpm:provides>\n    \
                     <rpm:requires>\n      <rpm:entry name=\"/bin/sh\"/>\n    </rpm:requires>\n  </format>\n</package>\n",
                    record.place
                ),
                format!("{head}{files}</package>\n"),
                format!("{head}  <changelog author=\"Acme\" date=\"{TIME}\">- first</changelog>\n</package>\n"),
                String::new(),
            ]
        }
    };
    Entry { record, texts: texts.into_iter().map(String::into_bytes).collect() }
}

/// What clients get: the unpacked index of a stream, checked against the root.
fn served(store: &Store, root: &Root, path: &str) -> String {
    let file = root.files.iter().find(|file| file.path == path).unwrap();
    let packed = fs_err::read(store.path(&file.place(&root.suite))).unwrap();
    assert_eq!((packed.len() as u64, Sha256::of(&packed)), file.packed);
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
    let digest = (root.suite.kind == Kind::Apt).then(|| Sha256::of(text.as_bytes()));
    assert_eq!((text.len() as u64, digest), file.open);
    text
}

#[test]
fn after_any_changes_the_index_holds_what_was_put_and_not_removed() {
    for (kind, stream, path) in
        [(Kind::Apt, Stream::Packages, "main/binary-amd64/Packages"), (Kind::Yum, Stream::Primary, "primary")]
    {
        let bench = Bench::new(Algorithm::Ed25519);
        let (store, suite) = (bench.store(), Suite::of(kind, "stable"));
        let mut wanted: BTreeMap<Identity, Entry> = BTreeMap::new();
        // From one shard to several and back to one.
        for (round, (put, remove)) in
            [(0..1, 0..0), (1..700, 0..0), (100..2500, 0..50), (0..0, 300..310), (0..0, 0..2490)]
                .into_iter()
                .enumerate()
        {
            let put: Vec<Entry> = put
                .map(|number| entry(kind, &format!("p{number}"), "1.0", &format!("{round} {number}")))
                .chain(remove.clone().take(3).map(|number| entry(kind, &format!("p{number}"), "2.0", "new")))
                .collect();
            let remove: Vec<Identity> =
                remove.map(|number| entry(kind, &format!("p{number}"), "1.0", "").record.identity).collect();
            for entry in &put {
                wanted.insert(entry.record.identity.clone(), entry.clone());
            }
            for identity in &remove {
                wanted.remove(identity);
            }
            let made = bench.commit(&suite, TIME, put, &remove);
            let root = root::current(&store, &suite).unwrap().unwrap();
            assert_eq!(root, made);
            assert_eq!((root.number, root.count()), (round as u64 + 1, wanted.len() as u64));
            let held: Vec<Entry> = root.entries(&store).map(Result::unwrap).collect();
            assert!(held.len() == wanted.len() && held.iter().all(|entry| wanted[&entry.record.identity] == *entry));
            let text = served(&store, &root, path);
            let bodies: Vec<u8> = held.iter().flat_map(|entry| entry.text(&suite, stream)).copied().collect();
            assert!(text.contains(std::str::from_utf8(&bodies).unwrap()));
            let frame = if kind == Kind::Apt { 0..1 } else { 150..300 };
            assert!(frame.contains(&(text.len() - bodies.len())), "{}", text.len() - bodies.len());
            let name = wanted.keys().next().unwrap().name.clone();
            assert_eq!(
                root.find(&store, &name).unwrap().len(),
                wanted.keys().filter(|identity| identity.name == name).count()
            );
        }
        let numbers: Vec<u64> = root::history(&store, &suite).map(|root| root.unwrap().number).collect();
        assert_eq!(numbers, [5, 4, 3, 2, 1]);
        let second = root::history(&store, &suite).map(Result::unwrap).find(|root| root.number == 2);
        assert_eq!(second.unwrap().count(), 700);
    }
}

#[test]
fn additions_change_the_end_of_an_index_and_digests_go_on_from_a_mark() {
    let suite = Suite::of(Kind::Apt, "stable");
    let path = "main/binary-amd64/Packages";
    let bench = Bench::new(Algorithm::Ed25519);
    let store = bench.store();
    let make = |number: usize, version: &str| entry(Kind::Apt, &format!("p{number}"), version, &format!("{number}"));
    let first: Vec<Entry> = (0..2000).map(|number| make(number, "1")).collect();
    let mut wanted: BTreeMap<Identity, Entry> =
        first.iter().map(|entry| (entry.record.identity.clone(), entry.clone())).collect();
    let mut last = bench.commit(&suite, TIME, first, &[]);
    let marks = |root: &Root| root.files.iter().find(|file| file.path == path).unwrap().marks.clone();
    assert!(!marks(&last).is_empty());
    let (mut resumed, mut cut) = (0, 0);
    for round in 0..60_usize {
        // Most are new; some take the place of what is there, settled or added; and some go away.
        let (put, remove) = match round % 6 {
            4 => (vec![make(round * 7, "2")], vec![make(round * 7, "1").record.identity]),
            5 => (Vec::new(), vec![make(3000 + (round - 5) * 30, "1").record.identity]),
            _ => ((0..30).map(|more| make(3000 + round * 30 + more, "1")).collect(), Vec::new()),
        };
        for entry in &put {
            wanted.insert(entry.record.identity.clone(), entry.clone());
        }
        remove.iter().for_each(|identity| drop(wanted.remove(identity)));
        let root = bench.commit(&suite, TIME, put, &remove);
        // Both digests are those of the bytes that are there.
        let text = served(&store, &root, path);
        let mut stanzas: Vec<&[u8]> = text.split_inclusive("\n\n").map(str::as_bytes).collect();
        let mut expected: Vec<&[u8]> = wanted.values().map(|entry| entry.texts[0].as_slice()).collect();
        stanzas.sort_unstable();
        expected.sort_unstable();
        assert!(stanzas == expected, "{round}");
        served(&store, &root, "main/Contents-amd64");
        let settled = |root: &Root| root.cells.values().flat_map(|cell| cell.shards.clone()).collect::<Vec<_>>();
        if settled(&root) == settled(&last) {
            resumed += 1;
            assert_eq!(marks(&root), marks(&last));
        } else {
            cut += 1;
            assert_ne!(marks(&root), marks(&last));
        }
        last = root;
    }
    assert!(resumed > 15 && cut > 10, "{resumed} {cut}");
    assert!(last.cells.values().any(|cell| !cell.recent.is_empty()));
}

#[test]
fn dates_never_go_back_and_the_time_of_modification_grows_with_every_commit() {
    let bench = Bench::new(Algorithm::Ed25519);
    let (store, suite) = (bench.store(), Suite::of(Kind::Apt, "stable"));
    let mut last = None;
    for (number, time) in [TIME, TIME, TIME - 5, TIME + 1, TIME + 60].into_iter().enumerate() {
        let root = bench.commit(&suite, time, vec![entry(Kind::Apt, &format!("p{number}"), "1", "x")], &[]);
        let modified = fs_err::metadata(store.path(&suite.index())).unwrap().modified().unwrap();
        let modified = modified.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        assert_eq!(modified, root.stamp as u64);
        if let Some((date, stamp)) = last {
            assert!(root.date >= date && root.stamp > stamp && root.date - time <= 5);
        }
        last = Some((root.date, root.stamp));
    }
    let mut writer = Writer::new(store, &Silent).unwrap();
    let mut change = writer.change(&suite).unwrap();
    change.renew = true;
    let by = Committer { signer: &bench.signer, time: TIME, reporter: &Silent };
    let error = writer.commit(vec![change], &by).unwrap_err().to_string();
    assert!(error.contains("60 s behind the last publication of stable"), "{error}");
}

#[test]
fn a_suite_that_takes_over_anothers_packages_uses_its_shards_and_index_files() {
    let bench = Bench::new(Algorithm::Ed25519);
    let (store, testing, stable) = (bench.store(), Suite::of(Kind::Apt, "testing"), Suite::of(Kind::Apt, "stable"));
    let put = (0..1000).map(|number| entry(Kind::Apt, &format!("p{number}"), "1", "x")).collect();
    let donor = bench.commit(&testing, TIME, put, &[]);
    let mut writer = Writer::new(bench.store(), &Silent).unwrap();
    let mut change = writer.change(&stable).unwrap();
    change.take_over(&donor);
    let by = Committer { signer: &bench.signer, time: TIME, reporter: &Silent };
    let root = writer.commit(vec![change], &by).unwrap().pop().unwrap();
    assert_eq!((root.cells.clone(), root.files.clone()), (donor.cells, donor.files.clone()));
    for (ours, theirs) in root.files.iter().zip(&donor.files) {
        let inode = |place: String| std::os::unix::fs::MetadataExt::ino(&fs_err::metadata(store.path(&place)).unwrap());
        assert_eq!(inode(ours.place(&stable)), inode(theirs.place(&testing)));
    }
    assert!(served(&store, &root, "main/binary-amd64/Packages").contains("Package: p999\n"));
}

/// Prints how long it takes to add a package to suites of 10,000 and 100,000, by the steps of this module alone.
#[test]
#[ignore = "a measurement, run by hand: cargo test --release --lib a_package_is_added -- --ignored --nocapture"]
fn a_package_is_added_to_large_suites() {
    for count in [10_000, 100_000] {
        let bench = Bench::new(Algorithm::Rsa4096);
        let suites = [Suite::of(Kind::Apt, "stable"), Suite::of(Kind::Yum, "el9")];
        for suite in &suites {
            let started = Instant::now();
            let mut writer = Writer::new(bench.store(), &Silent).unwrap();
            let mut change = writer.change(suite).unwrap();
            for number in 0..count {
                let entry = entry(suite.kind, &format!("package-{number}"), "1.0", &number.to_string());
                change.put(&writer.store, entry).unwrap();
            }
            let spooled = started.elapsed();
            let by = Committer { signer: &bench.signer, time: TIME, reporter: &Silent };
            writer.commit(vec![change], &by).unwrap();
            println!("{count} {suite}: spooled {spooled:?}, first index {:?}", started.elapsed());
        }
        for round in 0..7 {
            let started = Instant::now();
            let mut writer = Writer::new(bench.store(), &Silent).unwrap();
            let mut changes = Vec::new();
            for suite in &suites {
                let mut change = writer.change(suite).unwrap();
                let entry = entry(suite.kind, &format!("new-{round}"), "1.0", &round.to_string());
                change.put(&writer.store, entry).unwrap();
                changes.push(change);
            }
            let by = Committer { signer: &bench.signer, time: TIME + round, reporter: &Silent };
            writer.commit(changes, &by).unwrap();
            println!("{count} + 1 to both: {:?}", started.elapsed());
        }
        let started = Instant::now();
        let mut writer = Writer::new(bench.store(), &Silent).unwrap();
        let donor = root::current(&writer.store, &suites[0]).unwrap().unwrap();
        let mut change = writer.change(&Suite::of(Kind::Apt, "next")).unwrap();
        change.take_over(&donor);
        let by = Committer { signer: &bench.signer, time: TIME + 10, reporter: &Silent };
        writer.commit(vec![change], &by).unwrap();
        println!("{count} promoted: {:?}", started.elapsed());
    }
}
