//! Scenarios of apt's own integration suite that touch repositories, with the real apt, over HTTP where time matters. Each
//! test says which one it is.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use packhouse::repo::keys::Algorithm;
use packhouse::repo::{self, Item, PublishOptions};
use packhouse::report::Silent;

use crate::support::{Apt, Bench, new_key, now, signer};

/// Python's own file server: it answers If-Modified-Since, as apt wants it.
struct Server(Child, u16);

impl Server {
    fn of(directory: &Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("python3");
        command.args(["-m", "http.server", "--bind", "127.0.0.1", "--directory"]).arg(directory).arg(port.to_string());
        let server = Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("python3"), port);
        for _ in 0..200 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return server;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("the server does not answer");
    }

    fn sources(&self, bench: &Bench, more: &str) -> String {
        let (port, key) = (self.1, bench.published("key.gpg"));
        format!(
            "Types: deb\nURIs: http://127.0.0.1:{port}/apt\nSuites: bookworm\nComponents: main\nSigned-By: {}\n{more}",
            key.display()
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn publish_at(bench: &mut Bench, path: &Path, time: i64) {
    let signer = signer();
    let item = Item { path: path.into(), suite: "bookworm".into(), component: "main".into(), sha256: None };
    repo::publish(&mut bench.repository, &[item], &PublishOptions::of(&signer, time, &Silent)).expect("published");
}

/// Edits the options of the suite in the repository's own file.
fn set(bench: &mut Bench, option: &str, value: serde_json::Value) {
    let path = bench.published(repo::CONFIGURATION);
    let mut configuration: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    configuration["apt"]["bookworm"][option] = value;
    std::fs::write(&path, configuration.to_string()).unwrap();
    bench.repository = repo::open(bench.repository.root()).unwrap();
}

#[test]
fn apt_by_hash_update_a_client_between_two_generations_gets_the_one_it_began_with() {
    let mut bench = Bench::new();
    let (one, two) = (bench.deb("acme-one", "1", "amd64"), bench.deb("acme-two", "1", "amd64"));
    bench.publish("bookworm", &[&one]).expect("published");
    let (index, old) = (bench.published("apt/dists/bookworm/InRelease"), bench.path("old"));
    std::fs::copy(&index, &old).unwrap();
    bench.publish("bookworm", &[&two]).expect("published");
    // As if InRelease had been read before and everything else after the second publication.
    std::fs::copy(&old, &index).unwrap();
    let server = Server::of(bench.repository.root());
    let apt = Apt::new(&bench, "client", &server.sources(&bench, ""));
    assert_eq!(apt.update().expect("updated"), ["acme-one"]);
    let apt = Apt::new(&bench, "plain", &server.sources(&bench, "By-Hash: no\n"));
    let said = apt.update().expect_err("plain names are those of the new generation");
    assert!(said.contains("unexpected size") || said.contains("Hash Sum mismatch"), "{said}");
}

#[test]
fn releasefile_date_older_an_older_index_is_ignored_and_a_publisher_with_a_slow_clock_is_not() {
    let mut bench = Bench::new();
    let (one, two, three) = (
        bench.deb("acme-one", "1", "amd64"),
        bench.deb("acme-two", "1", "amd64"),
        bench.deb("acme-three", "1", "amd64"),
    );
    publish_at(&mut bench, &one, now() - 300);
    let index = bench.published("apt/dists/bookworm/InRelease");
    let old = std::fs::read(&index).unwrap();
    publish_at(&mut bench, &two, now());
    let new = std::fs::read(&index).unwrap();
    let server = Server::of(bench.repository.root());
    let apt = Apt::new(&bench, "client", &server.sources(&bench, ""));
    assert_eq!(apt.update().expect("updated"), ["acme-one", "acme-two"]);
    std::fs::write(&index, &old).unwrap();
    assert_eq!(apt.update().expect("apt says nothing"), ["acme-one", "acme-two"], "what apt has is newer");
    std::fs::write(&index, &new).unwrap();
    // A machine whose clock is a few seconds behind publishes next.
    publish_at(&mut bench, &three, now() - 5);
    assert_eq!(apt.update().expect("updated"), ["acme-one", "acme-three", "acme-two"]);
}

#[test]
fn releasefile_valid_until_an_expired_index_is_refused_until_the_suite_is_published_again() {
    let mut bench = Bench::new();
    let (one, two) = (bench.deb("acme-one", "1", "amd64"), bench.deb("acme-two", "1", "amd64"));
    set(&mut bench, "valid_for", 600.into());
    publish_at(&mut bench, &one, now() - 1200);
    let server = Server::of(bench.repository.root());
    let apt = Apt::new(&bench, "client", &server.sources(&bench, ""));
    let said = apt.update().expect_err("expired");
    assert!(said.contains("is expired"), "{said}");
    publish_at(&mut bench, &two, now());
    assert_eq!(apt.update().expect("updated"), ["acme-one", "acme-two"]);
}

#[test]
fn apt_update_releaseinfo_changes_apt_asks_when_the_label_changes_and_not_when_the_suite_does() {
    let mut bench = Bench::new();
    let names = ["one", "two", "three"].map(|name| bench.deb(&format!("acme-{name}"), "1", "amd64"));
    publish_at(&mut bench, &names[0], now() - 20);
    let server = Server::of(bench.repository.root());
    let apt = Apt::new(&bench, "client", &server.sources(&bench, ""));
    apt.update().expect("updated");
    set(&mut bench, "suite", "oldstable".into());
    set(&mut bench, "version", "12.9".into());
    publish_at(&mut bench, &names[1], now() - 10);
    assert_eq!(apt.update().expect("updated"), ["acme-one", "acme-two"]);
    set(&mut bench, "label", "Other".into());
    publish_at(&mut bench, &names[2], now());
    let said = apt.update().expect_err("asks");
    assert!(said.contains("changed its 'Label' value"), "{said}");
}

#[test]
fn apt_update_hashsum_mismatch_an_index_by_another_hash_is_refused_and_the_old_one_stays() {
    let mut bench = Bench::new();
    let (one, two) = (bench.deb("acme-one", "1", "amd64"), bench.deb("acme-two", "1", "amd64"));
    bench.publish("bookworm", &[&one]).expect("published");
    let server = Server::of(bench.repository.root());
    let apt = Apt::new(&bench, "client", &server.sources(&bench, ""));
    apt.update().expect("updated");
    bench.publish("bookworm", &[&two]).expect("published");
    for path in crate::support::walk(&bench.published("apt/dists/bookworm/main/binary-amd64")) {
        let length = std::fs::metadata(&path).unwrap().len();
        std::fs::write(&path, vec![b'x'; length.try_into().unwrap()]).unwrap();
    }
    let said = apt.update().expect_err("refused");
    assert!(said.contains("Hash Sum mismatch"), "{said}");
    let held = apt.command("apt-cache", &["pkgnames", "acme"]);
    assert_eq!(String::from_utf8_lossy(&held.stdout), "acme-one\n");
}

#[test]
fn signed_by_option_a_keyring_of_several_keys_and_a_fingerprint_choose_the_right_one() {
    let mut bench = Bench::new();
    let deb = bench.deb("acme", "1", "amd64");
    bench.publish("bookworm", &[&deb]).expect("published");
    let server = Server::of(bench.repository.root());
    let other = new_key(Algorithm::Ed25519).public();
    let own = std::fs::read(bench.published("key.gpg")).unwrap();
    let both = bench.path("both.gpg");
    std::fs::write(&both, [other.binary().unwrap(), own].concat()).unwrap();
    let usual = server.sources(&bench, "");
    let signed_by = |value: &str| {
        let lines = usual
            .lines()
            .map(|line| if line.starts_with("Signed-By:") { format!("Signed-By: {value}") } else { line.to_owned() });
        lines.collect::<Vec<_>>().join("\n") + "\n"
    };
    let apt = Apt::new(&bench, "both", &signed_by(both.to_str().unwrap()));
    assert_eq!(apt.update().expect("updated"), ["acme"]);
    // A fingerprint chooses among the keys that apt has for everything.
    let apt = Apt::new(&bench, "fingerprint", &signed_by(&bench.repository.configuration().fingerprint));
    let trusted = bench.path("fingerprint/etc/apt/trusted.gpg.d");
    std::fs::create_dir_all(&trusted).unwrap();
    std::fs::copy(&both, trusted.join("both.gpg")).unwrap();
    assert_eq!(apt.update().expect("updated"), ["acme"]);
    let apt = Apt::new(&bench, "other", &signed_by(&other.fingerprint()));
    let trusted = bench.path("other/etc/apt/trusted.gpg.d");
    std::fs::create_dir_all(&trusted).unwrap();
    std::fs::copy(&both, trusted.join("both.gpg")).unwrap();
    let said = apt.update().expect_err("signed by the wrong one of the two");
    assert!(said.contains("GPG error") || said.contains("not signed"), "{said}");
}

#[test]
fn acquire_binary_all_packages_for_all_architectures_are_seen_once() {
    let mut bench = Bench::new();
    let (all, amd64) = (bench.deb("acme-common", "1", "all"), bench.deb("acme", "1", "amd64"));
    bench.publish("bookworm", &[&all, &amd64]).expect("published");
    let server = Server::of(bench.repository.root());
    let apt = Apt::new(&bench, "client", &server.sources(&bench, ""));
    assert_eq!(apt.update().expect("updated"), ["acme", "acme-common"]);
    let dump = apt.command("apt-cache", &["dumpavail"]);
    assert_eq!(String::from_utf8_lossy(&dump.stdout).matches("Package: acme-common\n").count(), 1);
}
