//! The yum half.

use std::collections::BTreeMap;
use std::process::Command;

use flate2::read::MultiGzDecoder;
use packhouse::repo::{self, keys::Algorithm};
use quick_xml::escape::unescape;
use quick_xml::events::Event;

use crate::support::{Bench, Dnf, both, key, new_key, now, output, run, walk};

fn repo(bench: &Bench, suite: &str) -> String {
    std::fs::read_to_string(bench.published(&format!("acme-{suite}.repo"))).expect("a snippet")
}

#[test]
fn dnf_installs_what_was_published_with_both_checks_on() {
    for algorithm in [Algorithm::Rsa3072, Algorithm::Ed25519] {
        let key = new_key(algorithm);
        let mut bench = Bench::with_key(&key);
        let library = bench.rpm("acme-common", "2.0^git1", "one", "Provides: acme-data = 1:2");
        let service =
            bench.rpm("acme-api", "1.0~rc1", "one", "Requires: acme-data >= 1:1\nRequires: /usr/bin/acme-common");
        let signer = key.signer(None, now()).unwrap();
        bench.publish_with("el9", &[&library, &service], false, &signer).expect("published");
        let repo = repo(&bench, "el9");
        assert!(repo.contains("\ngpgcheck=1\n") && repo.contains("\nrepo_gpgcheck=1\n"), "{repo}");
        let dnf = Dnf::new(&bench, "client", &repo);
        assert_eq!(dnf.packages(), ["acme-api-1.0~rc1-1.el9", "acme-common-2.0^git1-1.el9"]);
        let install = dnf.command(&["install", "acme-api"]);
        assert!(install.status.success(), "{}", both(&install));
        assert!(dnf.root().join("usr/bin/acme-api").is_file());
        assert!(dnf.root().join("usr/bin/acme-common").is_file(), "the dependency came along");
    }
}

#[test]
fn the_snippets_of_a_repository_with_a_url_name_it_everywhere() {
    let directory = tempfile::tempdir().unwrap();
    let new = repo::NewRepository {
        origin: "Acme Cloud",
        label: "Acme",
        description: "Packages",
        url: Some("https://packages.acme.example/linux/"),
        key: &key().public(),
    };
    let mut bench = Bench::new();
    let (deb, rpm) = (bench.deb("acme", "1", "amd64"), bench.rpm("acme", "1", "one", ""));
    bench.repository = repo::init(&directory.path().join("a repo"), &new).expect("a repository");
    bench.publish("bookworm", &[&deb]).expect("published");
    bench.publish("el9", &[&rpm]).expect("published");
    let read = |name: &str| std::fs::read_to_string(bench.published(name)).unwrap();
    let sources = read("acme-cloud-bookworm.sources");
    for line in [
        "URIs: https://packages.acme.example/linux/apt",
        "Suites: bookworm",
        "Components: main",
        "Signed-By: /etc/apt/keyrings/acme-cloud.gpg",
    ] {
        assert!(sources.lines().any(|present| present == line), "{sources}");
    }
    let repo = read("acme-cloud-el9.repo");
    for line in [
        "[acme-cloud-el9]",
        "baseurl=https://packages.acme.example/linux/yum/el9",
        "gpgkey=https://packages.acme.example/linux/key.asc",
    ] {
        assert!(repo.lines().any(|present| present == line), "{repo}");
    }
}

#[test]
fn a_place_that_clients_could_not_be_told_of_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let new = repo::NewRepository { origin: "Acme", label: "Acme", description: "x", url: None, key: &key().public() };
    let error = repo::init(&directory.path().join("a repo"), &new).expect_err("refused").to_string();
    assert!(error.contains("has blanks"), "{error}");
    repo::init(&directory.path().join("repo"), &new).expect("a repository");
    let error = repo::init(&directory.path().join("repo"), &new).expect_err("refused").to_string();
    assert!(error.contains("is a repository already"), "{error}");
    let error = repo::open(directory.path()).expect_err("none").to_string();
    assert!(error.contains("is not a repository"), "{error}");
}

#[test]
fn zypper_installs_what_was_published() {
    let mut bench = Bench::new();
    let rpm = bench.rpm("acme-api", "1.0", "one", "");
    bench.publish("el9", &[&rpm]).expect("published");
    let root = bench.path("zypp");
    let repos = root.join("etc/zypp/repos.d");
    std::fs::create_dir_all(&repos).unwrap();
    std::fs::write(repos.join("acme.repo"), repo(&bench, "el9")).unwrap();
    let mut zypper = Command::new("zypper");
    zypper.env("HOME", bench.path("zypp")).arg("--root").arg(&root);
    zypper.args(["--gpg-auto-import-keys", "-n", "install", "--no-recommends", "acme-api"]);
    run(&mut zypper);
    assert!(root.join("usr/bin/acme-api").is_file());
}

#[test]
fn rpm_finds_the_signature_good_and_without_the_key_unknown() {
    for algorithm in [Algorithm::Rsa4096, Algorithm::Ed25519] {
        let key = new_key(algorithm);
        let mut bench = Bench::with_key(&key);
        let rpm = bench.rpm("acme", "1.0", "one", "");
        bench.publish_with("el9", &[&rpm], false, &key.signer(None, now()).unwrap()).expect("published");
        let published = bench.published("yum/el9/packages/a/acme-1.0-1.el9.noarch.rpm");
        let database = bench.path("rpmdb");
        let rpmkeys = |arguments: &[&str]| {
            let mut command = Command::new("rpmkeys");
            output(command.arg("--define").arg(format!("_dbpath {}", database.display())).args(arguments))
        };
        let unknown = rpmkeys(&["-Kv", published.to_str().unwrap()]);
        assert!(both(&unknown).contains("NOKEY"), "{}", both(&unknown));
        assert!(rpmkeys(&["--import", bench.published("key.asc").to_str().unwrap()]).status.success());
        let known = rpmkeys(&["-Kv", published.to_str().unwrap()]);
        let said = both(&known);
        assert!(known.status.success() && said.contains("Signature, key ID") && !said.contains("NOKEY"), "{said}");
        assert!(said.contains("Header SHA256 digest: OK") && said.contains("Payload SHA256 digest: OK"), "{said}");
    }
}

#[test]
fn a_tampered_repomd_is_refused_by_dnf() {
    let mut bench = Bench::new();
    let rpm = bench.rpm("acme", "1.0", "one", "");
    bench.publish("el9", &[&rpm]).expect("published");
    let repomd = bench.published("yum/el9/repodata/repomd.xml");
    let text = std::fs::read_to_string(&repomd).unwrap();
    std::fs::write(&repomd, text.replace("<revision>", "<revision>1")).unwrap();
    let dnf = Dnf::new(&bench, "client", &repo(&bench, "el9"));
    assert_eq!(dnf.packages(), Vec::<String>::new());
    let install = dnf.command(&["install", "acme"]);
    assert!(!install.status.success(), "{}", both(&install));
}

#[test]
fn tampered_metadata_and_a_tampered_package_are_refused_by_dnf() {
    let mut bench = Bench::new();
    let rpm = bench.rpm("acme", "1.0", "one", "");
    bench.publish("el9", &[&rpm]).expect("published");
    let flip = |path: &std::path::Path| {
        let mut bytes = std::fs::read(path).unwrap();
        let at = bytes.len() - 30;
        bytes[at] ^= 1;
        std::fs::write(path, bytes).unwrap();
    };
    let package = bench.published("yum/el9/packages/a/acme-1.0-1.el9.noarch.rpm");
    flip(&package);
    let dnf = Dnf::new(&bench, "client", &repo(&bench, "el9"));
    assert_eq!(dnf.packages(), ["acme-1.0-1.el9"]);
    let install = dnf.command(&["install", "acme"]);
    assert!(!install.status.success() && !dnf.root().join("usr/bin/acme").exists(), "{}", both(&install));

    let mut metadata = walk(&bench.published("yum/el9/repodata")).into_iter();
    let primary = metadata.find(|path| path.to_string_lossy().ends_with("primary.xml.gz")).unwrap();
    flip(&primary);
    let dnf = Dnf::new(&bench, "second", &repo(&bench, "el9"));
    assert_eq!(dnf.packages(), Vec::<String>::new());
}

#[test]
fn a_client_with_another_key_refuses_the_repository() {
    let mut bench = Bench::new();
    let rpm = bench.rpm("acme", "1.0", "one", "");
    bench.publish("el9", &[&rpm]).expect("published");
    std::fs::write(bench.published("key.asc"), new_key(Algorithm::Ed25519).public().armored().unwrap()).unwrap();
    let dnf = Dnf::new(&bench, "client", &repo(&bench, "el9"));
    assert_eq!(dnf.packages(), Vec::<String>::new());
}

#[test]
fn a_second_publication_reaches_dnf_and_keeps_the_metadata_that_clients_may_still_read() {
    let mut bench = Bench::new();
    let (one, two) = (bench.rpm("acme", "1.0", "one", ""), bench.rpm("acme", "1.1", "two", ""));
    bench.publish("el9", &[&one]).expect("published");
    let old: Vec<_> = walk(&bench.published("yum/el9/repodata"))
        .into_iter()
        .filter(|path| path.to_string_lossy().ends_with(".gz"))
        .collect();
    let dnf = Dnf::new(&bench, "client", &repo(&bench, "el9"));
    assert_eq!(dnf.packages(), ["acme-1.0-1.el9"]);
    bench.publish("el9", &[&two]).expect("published");
    assert_eq!(dnf.packages(), ["acme-1.0-1.el9", "acme-1.1-1.el9"]);
    assert!(old.iter().all(|path| path.is_file()));
}

#[test]
fn an_rpm_signed_meanwhile_is_the_same_package_and_other_bytes_are_not() {
    let mut bench = Bench::new();
    let one = bench.rpm("acme", "1.0", "one", "");
    bench.publish("el9", &[&one]).expect("published");
    let ours = bench.path("signed.rpm");
    std::fs::copy(bench.published("yum/el9/packages/a/acme-1.0-1.el9.noarch.rpm"), &ours).unwrap();
    assert_ne!(std::fs::read(&one).unwrap(), std::fs::read(&ours).unwrap());
    let again = bench.publish("el9", &[&ours]).expect("published");
    assert_eq!(again.suites[0].unchanged, ["acme 1.0-1.el9 noarch"]);

    let two = bench.rpm("acme", "1.0", "two", "");
    let error = bench.publish("el9", &[&two]).expect_err("refused").to_string();
    assert!(error.contains("with another content"), "{error}");
    let forced = bench.publish_with("el9", &[&two], true, &crate::support::signer()).expect("published");
    assert_eq!(forced.suites[0].replaced, ["acme 1.0-1.el9 noarch"]);
    let dnf = Dnf::new(&bench, "client", &repo(&bench, "el9"));
    let install = dnf.command(&["install", "acme"]);
    assert!(install.status.success(), "{}", both(&install));
    assert_eq!(std::fs::read_to_string(dnf.root().join("usr/bin/acme")).unwrap(), "two\n");
}

#[test]
fn epochs_share_a_file_name_and_do_not_harm_each_other_and_a_package_that_comes_back_keeps_its_bytes() {
    let mut bench = Bench::new();
    let (plain, epoch) = (bench.rpm("acme", "1.0", "plain", ""), bench.rpm("acme", "1.0", "epoch", "Epoch: 1"));
    bench.publish("el9", &[&plain, &epoch]).expect("published");
    let dnf = Dnf::new(&bench, "client", &repo(&bench, "el9"));
    assert_eq!(dnf.packages(), ["acme-1.0-1.el9", "acme-1:1.0-1.el9"]);
    let install = dnf.command(&["install", "acme-0:1.0-1.el9"]);
    assert!(install.status.success(), "{}", both(&install));
    assert_eq!(std::fs::read_to_string(dnf.root().join("usr/bin/acme")).unwrap(), "plain\n");
    let upgrade = dnf.command(&["upgrade", "acme"]);
    assert!(upgrade.status.success(), "{}", both(&upgrade));
    assert_eq!(std::fs::read_to_string(dnf.root().join("usr/bin/acme")).unwrap(), "epoch\n");

    let place = bench.published("yum/el9/packages/a/acme-1.0-1.el9.noarch.rpm");
    let before = std::fs::read(&place).unwrap();
    let other = bench.rpm("acme", "1.0", "other", "");
    bench.publish_with("el9", &[&other], true, &crate::support::signer()).expect("published");
    bench.publish_with("el9", &[&plain], true, &crate::support::signer()).expect("published");
    assert!(std::fs::read(&place).unwrap() == before);
}

#[test]
fn an_altered_byte_in_the_header_or_the_payload_of_an_rpm_is_refused_at_the_door() {
    let mut bench = Bench::new();
    let good = std::fs::read(bench.rpm("acme", "1.0", "one", "")).unwrap();
    let path = bench.path("altered.rpm");
    // The payload is short and comes last, the header is before it.
    for from_end in [30, 1000] {
        let mut bytes = good.clone();
        let at = bytes.len() - from_end;
        bytes[at] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let error = bench.publish("el9", &[&path]).expect_err("refused").to_string();
        assert!(error.contains("altered.rpm"), "{error}");
    }
    assert!(!bench.published("yum").exists());
}

#[test]
fn createrepo_c_says_the_same_of_the_same_packages() {
    let mut bench = Bench::new();
    let preamble = "URL: https://acme.example/?a=1&b=2\nVendor: Acme\nRequires: acme-data >= 1:1-2\nRequires(pre): /bin/sh\n\
                    Provides: thing = 3\nConflicts: other < 2\nObsoletes: older <= 1.0-1\nRecommends: nice\nSuggests: maybe\n\
                    Supplements: base\nEnhances: tool";
    let (one, two) = (bench.rpm("acme", "1.0", "one", preamble), bench.rpm("zeta", "2.0^git1", "two", "Epoch: 3"));
    bench.publish("el9", &[&one, &two]).expect("published");
    let suite = bench.published("yum/el9");
    let out = bench.path("theirs");
    std::fs::create_dir(&out).unwrap();
    run(Command::new("createrepo_c").args(["--no-database", "--general-compress-type=gz", "-o"]).arg(&out).arg(&suite));
    for kind in ["primary", "filelists", "other"] {
        let ours = packages(&suite, kind);
        let theirs = packages(&out, kind);
        assert_eq!(ours.len(), 2);
        assert_eq!(ours, theirs, "{kind}");
    }
}

/// The packages of one metadata file: what is said of each, as sorted lines of path, attributes and text.
pub(crate) fn packages(root: &std::path::Path, kind: &str) -> BTreeMap<String, Vec<String>> {
    let suffix = format!("{kind}.xml.gz");
    let path = walk(&root.join("repodata")).into_iter().find(|path| path.to_string_lossy().ends_with(&suffix)).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut MultiGzDecoder::new(std::fs::File::open(path).unwrap()), &mut text).unwrap();
    let mut reader = quick_xml::Reader::from_str(&text);
    let (mut all, mut stack, mut lines, mut content) = (BTreeMap::new(), Vec::new(), Vec::new(), String::new());
    let mut head = Vec::new();
    loop {
        let event = reader.read_event().expect("well-formed XML");
        match &event {
            Event::Eof => break,
            Event::Start(element) | Event::Empty(element) => {
                let name = element.name().as_ref().to_owned();
                let mut attributes: Vec<String> = element
                    .attributes()
                    .map(|attribute| attribute.unwrap())
                    // createrepo_c takes the time of publication from the file.
                    .filter(|attribute| !(name == "time" && attribute.key.as_ref() == "file"))
                    .map(|a| format!("{}={}", a.key.as_ref(), unescape(&a.value).unwrap()))
                    .collect();
                attributes.sort();
                head.push(attributes.join(" "));
                stack.push(name);
                content.clear();
                if matches!(event, Event::Empty(_)) {
                    lines.push(format!("{} {} ", stack.join("/"), head.pop().unwrap()));
                    stack.pop();
                }
            }
            Event::Text(text) => content.push_str(text.as_ref()),
            // The same character, spelt out by one of the two.
            Event::GeneralRef(name) => content.push_str(&unescape(&format!("&{};", name.as_ref() as &str)).unwrap()),
            Event::End(_) => {
                lines.push(format!("{} {} {}", stack.join("/"), head.pop().unwrap(), content.trim()));
                content.clear();
                if stack.pop().as_deref() == Some("package") {
                    lines.sort();
                    // A source package differs by its architecture alone.
                    let parts = ["/version ", "package/arch ", "/package arch="];
                    let tells = |line: &&String| parts.iter().any(|part| line.contains(part));
                    let identity: Vec<String> = lines.iter().filter(tells).cloned().collect();
                    assert!(all.insert(identity.join(" "), std::mem::take(&mut lines)).is_none());
                }
            }
            _ => {}
        }
    }
    all
}
