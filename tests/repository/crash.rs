//! Publishers that are killed, and publishers that meet.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::read::MultiGzDecoder;
use packhouse::digest::Sha256;
use packhouse::repo::keys::SecretKey;
use packhouse::repo::{self, Item, PublishOptions};
use packhouse::report::Silent;

use crate::support::{Apt, Bench, key, now, output, run, signer, walk};

const REPOSITORY: &str = "PACKHOUSE_TEST_REPOSITORY";
const KEY: &str = "PACKHOUSE_TEST_KEY";
const PACKAGES: &str = "PACKHOUSE_TEST_PACKAGES";

/// Not a test: the process that the test below kills.
#[test]
#[ignore = "run by the test of killed publishers"]
fn publisher() {
    let (Some(root), Some(key), Some(packages)) =
        (std::env::var_os(REPOSITORY), std::env::var_os(KEY), std::env::var_os(PACKAGES))
    else {
        return;
    };
    let signer = SecretKey::read(Path::new(&key)).unwrap().signer(None, now()).unwrap();
    let mut repository = repo::open(Path::new(&root)).unwrap();
    let items: Vec<Item> = std::env::split_paths(&packages)
        .map(|path| Item {
            suite: if path.extension().unwrap() == "deb" { "bookworm" } else { "el9" }.to_owned(),
            path,
            component: "main".to_owned(),
            sha256: None,
        })
        .collect();
    let options = PublishOptions::of(&signer, now(), &Silent);
    repo::publish(&mut repository, &items, &options).unwrap();
}

#[test]
fn a_publisher_killed_before_any_rename_leaves_the_old_state_or_the_new_and_the_next_one_goes_on() {
    let mut bench = Bench::new();
    let (old_deb, new_deb) = (bench.deb("acme", "1", "amd64"), bench.deb("newer", "1", "amd64"));
    let (old_rpm, new_rpm) = (bench.rpm("acme", "1", "one", ""), bench.rpm("newer", "1", "one", ""));
    bench.publish("bookworm", &[&old_deb]).expect("published");
    bench.publish("el9", &[&old_rpm]).expect("published");
    let key_file = bench.path("secret.asc");
    key().write(&key_file, false).unwrap();
    let root = bench.repository.root().to_path_buf();
    let base = bench.path("base");
    run(Command::new("cp").arg("-a").arg(&root).arg(&base));
    let sources = std::fs::read_to_string(root.join("acme-bookworm.sources")).unwrap();

    // strace counts each system call by itself: the step that exchanges the metadata is the only renameat2.
    let (mut kills, mut seen) = (0, BTreeSet::new());
    let mut moments = [("rename", 1), ("renameat2", 1)].into_iter();
    let mut moment = moments.next();
    while let Some((call, number)) = moment {
        std::fs::remove_dir_all(&root).unwrap();
        run(Command::new("cp").arg("-a").arg(&base).arg(&root));
        let mut publisher = Command::new("strace");
        publisher.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e"]);
        publisher.arg(format!("inject={call}:signal=KILL:when={number}"));
        publisher.arg(std::env::current_exe().unwrap());
        publisher.args(["--exact", "crash::publisher", "--ignored"]);
        publisher.env(REPOSITORY, &root).env(KEY, &key_file);
        publisher.env(PACKAGES, std::env::join_paths([&new_deb, &new_rpm]).unwrap());
        let status = output(&mut publisher).status;

        let apt = Apt::new(&bench, &format!("client-{call}-{number}"), &sources);
        let debs = apt.update().unwrap_or_else(|said| panic!("killed at {call} {number}: {said}"));
        let rpms = yum_packages(&root, &bench);
        seen.insert((debs.len(), rpms));
        if status.success() {
            assert_eq!((debs.len(), rpms), (2, 2));
            moment = moments.next();
            continue;
        }
        (kills, moment) = (kills + 1, Some((call, number + 1)));
        // The next one cleans up and completes.
        let again = bench.publish("bookworm", &[&new_deb]).expect("published");
        assert_eq!(again.suites.iter().find(|done| done.suite == "bookworm").unwrap().packages, 2);
        bench.publish("el9", &[&new_rpm]).expect("published");
        assert_eq!((apt.update().unwrap().len(), yum_packages(&root, &bench)), (2, 2));
        assert_eq!(walk(&root.join(".packhouse/tmp")), Vec::<PathBuf>::new());
    }
    assert!(kills > 10, "every rename was one moment of death, {kills} were seen");
    assert_eq!(seen, BTreeSet::from([(1, 1), (2, 1), (2, 2)]));
}

/// How many packages the yum suite has, after checking all that dnf would check.
fn yum_packages(root: &Path, bench: &Bench) -> usize {
    let suite = root.join("yum/el9");
    let repodata = suite.join("repodata");
    let signature = repodata.join("repomd.xml.asc");
    let binary = bench.path("signature");
    run(Command::new("gpg")
        .arg("--homedir")
        .arg(bench.directory.path())
        .args(["--yes", "-q", "-o"])
        .arg(&binary)
        .arg("--dearmor")
        .arg(&signature));
    run(Command::new("gpgv").arg("--keyring").arg(root.join("key.gpg")).arg(&binary).arg(repodata.join("repomd.xml")));
    let repomd = std::fs::read_to_string(repodata.join("repomd.xml")).unwrap();
    for location in values(&repomd, "href") {
        let content = std::fs::read(suite.join(&location)).unwrap();
        assert!(repomd.contains(&Sha256::of(&content).to_string()), "{location}");
    }
    let primary = values(&repomd, "href").into_iter().find(|location| location.contains("primary")).unwrap();
    let mut text = String::new();
    let file = std::fs::File::open(suite.join(primary)).unwrap();
    std::io::Read::read_to_string(&mut MultiGzDecoder::new(file), &mut text).unwrap();
    let locations = values(&text, "href");
    for location in &locations {
        let content = std::fs::read(suite.join(location)).unwrap();
        assert!(text.contains(&Sha256::of(&content).to_string()), "{location}");
    }
    locations.len()
}

fn values(xml: &str, attribute: &str) -> Vec<String> {
    let begin = format!("{attribute}=\"");
    xml.split(&begin).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[test]
fn publishers_at_the_same_time_lose_nothing() {
    let mut bench = Bench::new();
    let first = bench.deb("acme-0", "1", "amd64");
    bench.publish("bookworm", &[&first]).expect("published");
    let root = bench.repository.root().to_path_buf();
    let debs: Vec<PathBuf> = (1..4).map(|number| bench.deb(&format!("acme-{number}"), "1", "amd64")).collect();
    std::thread::scope(|scope| {
        for path in debs {
            let root = root.clone();
            scope.spawn(move || {
                let signer = signer();
                let mut repository = repo::open(&root).unwrap();
                let item = Item { path, suite: "bookworm".into(), component: "main".into(), sha256: None };
                let options = PublishOptions::of(&signer, now(), &Silent);
                repo::publish(&mut repository, &[item], &options).unwrap();
            });
        }
    });
    let sources = std::fs::read_to_string(root.join("acme-bookworm.sources")).unwrap();
    let apt = Apt::new(&bench, "client", &sources);
    assert_eq!(apt.update().expect("updated"), ["acme-0", "acme-1", "acme-2", "acme-3"]);
}
