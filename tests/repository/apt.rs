//! The apt half.

use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use packhouse::digest::Sha256;
use packhouse::repo::keys::Algorithm;
use packhouse::repo::{self, PublishOptions};
use packhouse::report::Silent;

use crate::support::{Apt, Bench, both, new_key, now, output, run, signer, walk};

fn snippet(bench: &Bench, suite: &str) -> String {
    std::fs::read_to_string(bench.published(&format!("acme-{suite}.sources"))).expect("a snippet")
}

/// The snippet for a client that downloads.
fn sources(bench: &Bench, suite: &str) -> String {
    let snippet = snippet(bench, suite);
    assert!(snippet.contains("\nURIs: file:"), "{snippet}");
    snippet.replace("\nURIs: file:", "\nURIs: copy:")
}

#[test]
fn apt_downloads_what_was_published_with_the_snippet_alone() {
    let mut bench = Bench::new();
    let api = bench.deb("acme-api", "1:1.0~rc1+b-1~deb12u1", "amd64");
    let common = bench.deb("acme-common", "2.0-1", "all");
    let foreign = bench.deb("acme-arm", "1.0-1", "arm64");
    let published = bench.publish("bookworm", &[&api, &common, &foreign]).expect("published");
    assert_eq!(published.suites[0].packages, 3);
    assert_eq!(
        published.suites[0].added,
        ["acme-api 1:1.0~rc1+b-1~deb12u1 amd64", "acme-common 2.0-1 all", "acme-arm 1.0-1 arm64"]
    );

    let apt = Apt::new(&bench, "local", &snippet(&bench, "bookworm"));
    assert_eq!(apt.update().expect("updated"), ["acme-api", "acme-common"]);
    let apt = Apt::new(&bench, "client", &sources(&bench, "bookworm"));
    assert_eq!(apt.update().expect("updated"), ["acme-api", "acme-common"]);
    let downloaded = apt.download("acme-api").expect("downloaded");
    assert_eq!(std::fs::read(downloaded).unwrap(), std::fs::read(api).unwrap());
    apt.download("acme-common").expect("downloaded");
    assert!(
        bench.published("apt/pool/main/a/acme-api/acme-api_1.0~rc1+b-1~deb12u1_amd64.deb").is_file(),
        "the pool is laid out as Debian's"
    );
}

#[test]
fn a_suite_of_packages_for_all_architectures_is_seen() {
    let mut bench = Bench::new();
    let common = bench.deb("acme-common", "2.0-1", "all");
    bench.publish("bookworm", &[&common]).expect("published");
    let apt = Apt::new(&bench, "client", &sources(&bench, "bookworm"));
    assert_eq!(apt.update().expect("updated"), ["acme-common"]);
}

#[test]
fn two_publications_within_one_second_reach_a_client_that_saw_the_first() {
    let mut bench = Bench::new();
    let (one, two) = (bench.deb("acme-one", "1", "amd64"), bench.deb("acme-two", "1", "amd64"));
    bench.publish("bookworm", &[&one]).expect("published");
    let apt = Apt::new(&bench, "client", &sources(&bench, "bookworm"));
    assert_eq!(apt.update().expect("updated"), ["acme-one"]);
    bench.publish("bookworm", &[&two]).expect("published");
    assert_eq!(apt.update().expect("updated"), ["acme-one", "acme-two"]);
}

#[test]
fn two_suites_share_the_pool_and_keep_their_own_packages() {
    let mut bench = Bench::new();
    let (old, new, both) = (
        bench.deb("acme", "1~deb12u1", "amd64"),
        bench.deb("acme", "1~deb13u1", "amd64"),
        bench.deb("common", "1", "all"),
    );
    bench.publish("bookworm", &[&old, &both]).expect("published");
    bench.publish("trixie", &[&new, &both]).expect("published");
    let apt = Apt::new(&bench, "client", &sources(&bench, "trixie"));
    assert_eq!(apt.update().expect("updated"), ["acme", "common"]);
    let policy = apt.command("apt-cache", &["policy", "acme"]);
    assert!(String::from_utf8_lossy(&policy.stdout).contains("Candidate: 1~deb13u1"));
    let debs = walk(&bench.published("apt/pool")).len();
    assert_eq!(debs, 3);
}

#[test]
fn gpgv_and_sqv_accept_both_forms_of_the_release_signature_by_every_kind_of_key() {
    for algorithm in [Algorithm::Rsa4096, Algorithm::Ed25519] {
        let key = new_key(algorithm);
        let mut bench = Bench::with_key(&key);
        let deb = bench.deb("acme", "1", "amd64");
        bench.publish_with("bookworm", &[&deb], false, &key.signer(None, now()).unwrap()).expect("published");
        let dists = bench.published("apt/dists/bookworm");
        let (binary, armored) = (bench.published("key.gpg"), bench.published("key.asc"));
        gpgv(&binary, &[&dists.join("InRelease")]);
        gpgv(&binary, &[&dists.join("Release.gpg"), &dists.join("Release")]);
        run(std::process::Command::new("sqv")
            .arg("--keyring")
            .arg(&armored)
            .arg(dists.join("Release.gpg"))
            .arg(dists.join("Release")));
        let mut split = std::process::Command::new("gpgv");
        split.arg("-o").arg(bench.path("text")).arg("--keyring").arg(&binary).arg(dists.join("InRelease"));
        assert!(run(&mut split).contains("Good signature"));
        assert_eq!(
            std::fs::read_to_string(bench.path("text")).unwrap().trim_end(),
            std::fs::read_to_string(dists.join("Release")).unwrap().trim_end()
        );
    }
}

fn gpgv(keyring: &Path, files: &[&Path]) {
    run(std::process::Command::new("gpgv").arg("--keyring").arg(keyring).args(files));
}

#[test]
fn a_tampered_index_is_refused_by_apt() {
    let mut bench = Bench::new();
    let deb = bench.deb("acme", "1", "amd64");
    bench.publish("bookworm", &[&deb]).expect("published");
    let release = bench.published("apt/dists/bookworm/InRelease");
    let text = std::fs::read_to_string(&release).unwrap();
    std::fs::write(&release, text.replace("Components: main", "Components: evil")).unwrap();
    std::fs::remove_file(bench.published("apt/dists/bookworm/Release.gpg")).unwrap();
    let apt = Apt::new(&bench, "client", &sources(&bench, "bookworm"));
    let said = apt.update().expect_err("refused");
    assert!(said.contains("BADSIG") || said.contains("invalid"), "{said}");
}

#[test]
fn packages_lists_that_the_signed_release_does_not_name_are_refused_by_apt() {
    let mut bench = Bench::new();
    let deb = bench.deb("acme", "1", "amd64");
    bench.publish("bookworm", &[&deb]).expect("published");
    // Files under plain names are hard links of others.
    let mut seen = std::collections::BTreeSet::new();
    for path in walk(&bench.published("apt/dists/bookworm/main")) {
        if !seen.insert(std::fs::metadata(&path).unwrap().ino()) {
            continue;
        }
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, bytes).unwrap();
    }
    let apt = Apt::new(&bench, "client", &sources(&bench, "bookworm"));
    let said = apt.update().expect_err("refused");
    assert!(said.contains("Hash Sum mismatch"), "{said}");
}

#[test]
fn a_tampered_package_is_refused_by_apt() {
    let mut bench = Bench::new();
    let deb = bench.deb("acme", "1", "amd64");
    bench.publish("bookworm", &[&deb]).expect("published");
    let apt = Apt::new(&bench, "client", &sources(&bench, "bookworm"));
    apt.update().expect("updated");
    let pool = bench.published("apt/pool/main/a/acme/acme_1_amd64.deb");
    let mut bytes = std::fs::read(&pool).unwrap();
    let last = bytes.len() - 20;
    bytes[last] ^= 1;
    std::fs::write(&pool, bytes).unwrap();
    let said = apt.download("acme").expect_err("refused");
    assert!(said.contains("Hash Sum mismatch"), "{said}");
}

#[test]
fn a_client_with_another_key_refuses_the_repository() {
    let mut bench = Bench::new();
    let deb = bench.deb("acme", "1", "amd64");
    bench.publish("bookworm", &[&deb]).expect("published");
    let other = new_key(Algorithm::Ed25519).public().binary().unwrap();
    std::fs::write(bench.published("key.gpg"), other).unwrap();
    let apt = Apt::new(&bench, "client", &sources(&bench, "bookworm"));
    let said = apt.update().expect_err("refused");
    assert!(said.contains("NO_PUBKEY"), "{said}");
}

#[test]
fn clients_that_know_no_by_hash_are_served_too() {
    let mut bench = Bench::new();
    let deb = bench.deb("acme", "1", "amd64");
    bench.publish("bookworm", &[&deb]).expect("published");
    let sources = sources(&bench, "bookworm") + "By-Hash: no\n";
    let apt = Apt::new(&bench, "client", &sources);
    assert_eq!(apt.update().expect("updated"), ["acme"]);
}

#[test]
fn publishing_the_same_again_changes_no_byte() {
    let mut bench = Bench::new();
    let (deb, rpm) = (bench.deb("acme", "1", "amd64"), bench.rpm("acme", "1", "one", ""));
    bench.publish("bookworm", &[&deb]).expect("published");
    bench.publish("el9", &[&rpm]).expect("published");
    let before = bench.visible();
    let again = bench.publish("bookworm", &[&deb, &deb]).expect("published");
    assert_eq!(again.suites[0].unchanged, ["acme 1 amd64"]);
    let again = bench.publish("el9", &[&rpm]).expect("published");
    assert_eq!(again.suites[0].unchanged, ["acme 1-1.el9 noarch"]);
    assert!(bench.visible() == before);
}

#[test]
fn the_same_version_with_other_bytes_is_refused_and_nothing_changes_unless_it_is_forced() {
    let mut bench = Bench::new();
    let one = bench.deb_with("acme", "1", "amd64", "one", "");
    let two = bench.deb_with("acme", "1", "amd64", "two", "");
    let new = bench.deb("brand-new", "1", "amd64");
    bench.publish("bookworm", &[&one]).expect("published");
    let before = bench.visible();
    let error = bench.publish("bookworm", &[&new, &two]).expect_err("refused").to_string();
    assert!(error.contains("acme 1 amd64 is already published in bookworm with another content"), "{error}");
    assert!(bench.visible() == before, "a call with one bad package publishes none");

    let signer = signer();
    let forced = bench.publish_with("bookworm", &[&two], true, &signer).expect("published");
    assert_eq!(forced.suites[0].replaced, ["acme 1 amd64"]);
    let apt = Apt::new(&bench, "client", &sources(&bench, "bookworm"));
    apt.update().expect("updated");
    assert_eq!(std::fs::read(apt.download("acme").expect("downloaded")).unwrap(), std::fs::read(&two).unwrap());
    let kept = bench.published("apt/pool/main/a/acme/acme_1_amd64.deb");
    assert_eq!(std::fs::read(kept).unwrap(), std::fs::read(&one).unwrap(), "the pool is immutable");
}

#[test]
fn the_same_version_with_other_bytes_is_refused_whichever_suite_has_it() {
    let mut bench = Bench::new();
    let one = bench.deb_with("acme", "1", "amd64", "one", "");
    let two = bench.deb_with("acme", "1", "amd64", "two", "");
    bench.publish("bookworm", &[&one]).expect("published");
    let error = bench.publish("trixie", &[&two]).expect_err("refused").to_string();
    assert!(error.contains("acme 1 amd64 is already published in bookworm with another content"), "{error}");
    bench.publish("trixie", &[&one]).expect("published");
    bench.publish_with("sid", &[&two], true, &signer()).expect("published");
    bench.publish("testing", &[&two]).expect("a content that is published already may go to further suites");
}

#[test]
fn two_contents_of_one_version_in_one_call_are_refused() {
    let mut bench = Bench::new();
    let one = bench.deb_with("acme", "1", "amd64", "one", "");
    let two = bench.deb_with("acme", "1", "amd64", "two", "");
    let error = bench.publish("bookworm", &[&one, &two]).expect_err("refused").to_string();
    assert!(error.contains("given twice"), "{error}");
}

#[test]
fn packages_that_want_the_same_place_in_the_pool_do_not_harm_each_other() {
    let mut bench = Bench::new();
    let one = bench.deb_with("acme", "1", "amd64", "one", "");
    let two = bench.deb_with("acme", "1", "amd64", "two", "");
    let epoch = bench.deb_with("acme", "1:1", "amd64", "three", "");
    let item = |path: &Path, suite: &str| repo::Item {
        path: path.to_path_buf(),
        suite: suite.into(),
        component: "main".into(),
        sha256: None,
    };
    let items = [item(&one, "trixie"), item(&two, "bookworm"), item(&epoch, "bookworm"), item(&one, "sid")];
    let signer = signer();
    let options = PublishOptions::of(&signer, now(), &Silent);
    let error = repo::publish(&mut bench.repository, &items, &options).expect_err("refused").to_string();
    assert!(error.contains("given twice"), "two contents of one version, in whichever suites: {error}");
    let options = PublishOptions { force: true, ..options };
    repo::publish(&mut bench.repository, &items, &options).expect("published");
    for (suite, wanted) in [("trixie", &one), ("sid", &one), ("bookworm", &epoch)] {
        let apt = Apt::new(&bench, suite, &sources(&bench, suite));
        apt.update().expect("updated");
        assert!(std::fs::read(apt.download("acme").expect("downloaded")).unwrap() == std::fs::read(wanted).unwrap());
    }
    let apt = Apt::new(&bench, "older", &sources(&bench, "bookworm"));
    apt.update().expect("updated");
    let old = apt.command("apt-get", &["install", "--download-only", "--yes", "acme=1"]);
    assert!(old.status.success(), "{}", both(&old));
}

#[test]
fn a_package_that_speaks_for_the_index_is_refused() {
    let mut bench = Bench::new();
    for field in ["Filename: pool/evil.deb\n", "Size: 1\n", "SHA256: 00\n", "Phased-Update-Percentage: 0\n"] {
        let deb = bench.deb_with("acme", "1", "amd64", "one", field);
        let error = bench.publish("bookworm", &[&deb]).expect_err("refused").to_string();
        assert!(error.contains("only an index may have"), "{error}");
    }
    assert!(!bench.published("apt").exists(), "nothing was written");
}

#[test]
fn what_is_no_package_is_refused() {
    let mut bench = Bench::new();
    let good = bench.deb("acme", "1", "amd64");
    let bytes = std::fs::read(&good).unwrap();
    for (name, content) in [
        ("text.deb", b"hello".to_vec()),
        ("empty.deb", Vec::new()),
        ("short.deb", bytes[..bytes.len() / 3].to_vec()),
        ("lead.rpm", vec![0xed, 0xab, 0xee, 0xdb, 3, 0]),
    ] {
        let path = bench.path(name);
        std::fs::write(&path, content).unwrap();
        let error = bench.publish("bookworm", &[&path]).expect_err(name).to_string();
        assert!(error.contains(name), "{error}");
    }
    assert!(!bench.published("apt").exists(), "nothing was written");
}

#[test]
fn a_file_that_is_not_what_the_list_of_artefacts_says_is_refused() {
    let mut bench = Bench::new();
    let deb = bench.deb("acme", "1", "amd64");
    let item = |sha256| repo::Item { path: deb.clone(), suite: "bookworm".into(), component: "main".into(), sha256 };
    let signer = signer();
    let options = PublishOptions::of(&signer, now(), &Silent);
    let wrong = item(Some(Sha256::of(b"something else")));
    let error = repo::publish(&mut bench.repository, &[wrong], &options).expect_err("refused").to_string();
    assert!(error.contains("the list of artefacts says"), "{error}");
    let right = item(Some(Sha256::of(&std::fs::read(&deb).unwrap())));
    repo::publish(&mut bench.repository, &[right], &options).expect("published");
}

#[test]
fn an_index_that_somebody_else_wrote_is_not_overwritten() {
    let mut bench = Bench::new();
    let (one, two) = (bench.deb("acme", "1", "amd64"), bench.deb("other", "1", "amd64"));
    bench.publish("bookworm", &[&one]).expect("published");
    std::fs::write(bench.published("apt/dists/bookworm/InRelease"), "by hand\n").unwrap();
    let error = bench.publish("bookworm", &[&two]).expect_err("refused").to_string();
    assert!(error.contains("was not written by packhouse"), "{error}");
    assert_eq!(std::fs::read_to_string(bench.published("apt/dists/bookworm/InRelease")).unwrap(), "by hand\n");
}

#[test]
fn names_that_would_leave_the_repository_are_refused() {
    let mut bench = Bench::new();
    let deb = bench.deb("acme", "1", "amd64");
    for suite in ["../x", "/etc", "", ".", "a b", "a/b", "A"] {
        let error = bench.publish(suite, &[&deb]).expect_err("refused").to_string();
        assert!(error.contains("cannot be a suite's name"), "{error}");
    }
}

#[test]
fn another_key_than_the_repositorys_is_refused() {
    let mut bench = Bench::new();
    let deb = bench.deb("acme", "1", "amd64");
    let other = new_key(Algorithm::Ed25519).signer(None, now()).unwrap();
    let error = bench.publish_with("bookworm", &[&deb], false, &other).expect_err("refused").to_string();
    assert!(error.contains("the key given is"), "{error}");
}

#[test]
fn files_are_readable_for_everyone_whatever_the_umask() {
    use std::os::unix::fs::PermissionsExt;
    let mut bench = Bench::new();
    let deb = bench.deb("acme", "1", "amd64");
    bench.publish("bookworm", &[&deb]).expect("published");
    for path in walk(bench.repository.root()) {
        if path.ends_with(".packhouse/lock") {
            continue;
        }
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644, "{}", path.display());
        let parent = path.parent().unwrap();
        assert_eq!(std::fs::metadata(parent).unwrap().permissions().mode() & 0o777, 0o755, "{}", parent.display());
    }
}

#[test]
fn apt_ftparchive_reads_the_same_packages_from_the_pool() {
    let mut bench = Bench::new();
    let one = bench.deb_with("acme", "1", "amd64", "one", "Depends: libc6 (>= 2.36)\nSection: net\n");
    let two = bench.deb("zeta", "2:1-1", "amd64");
    bench.publish("bookworm", &[&two, &one]).expect("published");
    let mut theirs = std::process::Command::new("apt-ftparchive");
    theirs.current_dir(bench.published("apt")).args(["packages", "pool"]);
    let output = output(&mut theirs);
    assert!(output.status.success(), "{}", both(&output));
    let theirs = stanzas(&String::from_utf8_lossy(&output.stdout));
    let packed = std::fs::File::open(bench.published("apt/dists/bookworm/main/binary-amd64/Packages.gz")).unwrap();
    let mut ours = String::new();
    flate2::read::MultiGzDecoder::new(packed).read_to_string(&mut ours).unwrap();
    assert_eq!(stanzas(&ours), theirs);
}

/// Stanzas as sorted sets of fields, without the digests that packhouse does not write.
fn stanzas(text: &str) -> Vec<Vec<String>> {
    let mut stanzas: Vec<Vec<String>> = text
        .split("\n\n")
        .filter(|stanza| !stanza.trim().is_empty())
        .map(|stanza| {
            let mut fields: Vec<String> = Vec::new();
            for line in stanza.lines() {
                match fields.last_mut() {
                    Some(last) if line.starts_with(' ') => last.push_str(&format!("\n{line}")),
                    _ => fields.push(line.to_owned()),
                }
            }
            fields.retain(|field| {
                !["MD5sum", "SHA1", "SHA512"].iter().any(|name| field.starts_with(&format!("{name}:")))
            });
            fields.sort();
            fields
        })
        .collect();
    stanzas.sort();
    stanzas
}
