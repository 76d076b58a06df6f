//! The site, written by publishing.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use packhouse::repo::page;
use packhouse::report::{Progress, Reporter, Silent, Unit};

use crate::support::{Bench, run, walk, write};

/// Remembers what it is told.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Reporter for Notes {
    fn step(&self, _verb: &str, _subject: &str) {}
    fn note(&self, message: &str) {
        self.0.lock().expect("a lock").push(message.to_owned());
    }
    fn detail(&self, _message: &str) {}
    fn progress(&self, _label: &str, _total: u64, _unit: Unit) -> Box<dyn Progress> {
        Box::new(Silent)
    }
}

fn read(bench: &Bench, file: &str) -> String {
    std::fs::read_to_string(bench.published(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The files of the site, relative to the repository.
fn site(bench: &Bench) -> Vec<(PathBuf, Vec<u8>)> {
    let root = bench.repository.root();
    let mut files: Vec<PathBuf> = ["packages", "lists", "search", "assets"]
        .iter()
        .filter(|part| root.join(part).exists())
        .flat_map(|part| walk(&root.join(part)))
        .collect();
    files.extend(["index.html", "packages.html"].map(|file| root.join(file)).into_iter().filter(|file| file.exists()));
    files.sort();
    files
        .into_iter()
        .map(|file| (file.strip_prefix(root).expect("below").to_path_buf(), std::fs::read(&file).expect("a file")))
        .collect()
}

/// A .deb with a changelog, a bill of materials and relations.
fn rich_deb(bench: &Bench, version: &str) -> PathBuf {
    let tree = bench.path(&format!("rich-{version}"));
    write(
        &tree.join("DEBIAN/control"),
        &format!(
            "Package: acme-rich\nVersion: {version}\nArchitecture: all\nMaintainer: Acme <a@acme.example>\nDepends: acme-api (>= 1), libc6 | musl\nHomepage: https://acme.example/rich\nDescription: <b>rich</b> package\n of many words\n"
        ),
    );
    let documents = tree.join("usr/share/doc/acme-rich");
    write(
        &documents.join("changelog"),
        &format!(
            "acme-rich ({version}) stable; urgency=medium\n\n  * Improve the <i>taste</i>\n\n -- Acme <a@acme.example>  Mon, 05 Jan 2026 10:00:00 +0000\n"
        ),
    );
    run(Command::new("gzip").arg("-n").arg(documents.join("changelog")));
    write(
        &documents.join("acme-rich.cdx.json"),
        r#"{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"name": "sugar", "version": "2.0", "licenses": [{"license": {"id": "MIT"}}]}]}"#,
    );
    let path = bench.path(&format!("acme-rich-{version}.deb"));
    run(Command::new("dpkg-deb").args(["--root-owner-group", "-Zgzip", "-b"]).arg(&tree).arg(&path));
    path
}

#[test]
fn a_publish_writes_the_pages_of_what_it_changed_and_leaves_the_others_alone() {
    let mut bench = Bench::new();
    let api = bench.deb("acme-api", "1.0-1", "amd64");
    let rpm = bench.rpm("acme-api", "1.1", "one", "Requires: acme-ctl\n");
    let ctl = bench.rpm("acme-ctl", "1.0", "one", "");
    bench.publish("stable", &[&api]).expect("published");
    let inode = |file: &str| std::fs::metadata(bench.published(file)).expect("a page").ino();
    let first = inode("packages/acme-api.html");
    let rich = rich_deb(&bench, "1.0-1");
    bench.publish("stable", &[&rich]).expect("published");
    let inode = |file: &str| std::fs::metadata(bench.published(file)).expect("a page").ino();
    assert_eq!(inode("packages/acme-api.html"), first);
    bench.publish("el9", &[&rpm, &ctl]).expect("published");

    let page = read(&bench, "packages/acme-api.html");
    for wanted in [
        "acme-api_1.0-1_amd64.deb",
        "acme-api-1.1-1.el9.noarch.rpm",
        "second &lt;change&gt;",
        "sudo dnf install acme-api",
    ] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    assert!(page.contains("packages&#x2f;acme-ctl.html"), "what it requires is linked: {page}");
    let page = read(&bench, "packages/acme-rich.html");
    for wanted in [
        "&lt;b&gt;rich&lt;&#x2f;b&gt;",
        "Improve the &lt;i&gt;taste",
        "sugar",
        "CycloneDX 1.6",
        "packages&#x2f;acme-api.html",
        "libc6",
    ] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    assert!(!page.contains("packages&#x2f;libc6.html"), "what it has not is not: {page}");
    let index = read(&bench, "index.html");
    for wanted in ["<b>3</b> packages", "stable", "el9", "Signed-By:", "acme-rich"] {
        assert!(index.contains(wanted), "{wanted}: {index}");
    }
    let list = read(&bench, "packages.html");
    let at = |name: &str| list.find(name).unwrap_or_else(|| panic!("{name}: {list}"));
    assert!(at("acme-api.html") < at("acme-ctl.html") && at("acme-ctl.html") < at("acme-rich.html"));

    let by_steps = site(&bench);
    assert_eq!(page::write(&bench.repository, &Silent).expect("written"), 3);
    assert!(by_steps == site(&bench), "a site written at once is the same");
}

#[test]
fn what_a_killed_publisher_did_not_write_is_written_by_the_next() {
    let mut bench = Bench::new();
    let (one, two, three) =
        (bench.deb("acme-one", "1", "all"), bench.deb("acme-two", "1", "all"), bench.deb("acme-three", "1", "all"));
    bench.publish("stable", &[&one]).expect("published");
    let saved = bench.path("saved");
    let parts = ["packages", "lists", "search", "index.html", "packages.html", ".packhouse/page"];
    let copy = |from: &Path, to: &Path| {
        for part in parts.iter().filter(|part| from.join(part).exists()) {
            std::fs::create_dir_all(to.join(part).parent().expect("a parent")).expect("a directory");
            run(Command::new("rm").arg("-rf").arg(to.join(part)));
            run(Command::new("cp").arg("-a").arg(from.join(part)).arg(to.join(part)));
        }
    };
    copy(bench.repository.root(), &saved);
    bench.publish("stable", &[&two]).expect("published");
    copy(&saved, bench.repository.root());
    assert!(!bench.published("packages/acme-two.html").exists());
    bench.publish("testing", &[&three]).expect("published");
    assert!(read(&bench, "packages/acme-two.html").contains("acme-two_1_all.deb"));
    assert!(read(&bench, "packages.html").contains("acme-two.html"));
    // And without any record, all is written.
    std::fs::remove_dir_all(bench.published(".packhouse/page")).expect("removed");
    std::fs::write(bench.published("packages/stale.html"), "stale").expect("written");
    page::refresh(&bench.repository, &Silent);
    assert!(!bench.published("packages/stale.html").exists());
}

#[test]
fn a_site_that_cannot_be_written_is_told_and_fails_nothing() {
    let mut bench = Bench::new();
    let (one, two) = (bench.deb("acme-one", "1", "all"), bench.deb("acme-two", "1", "all"));
    std::fs::write(bench.published("packages"), "in the way").expect("written");
    let published = bench.publish("stable", &[&one]).expect("published");
    assert_eq!(published.suites[0].packages, 1);
    let notes = Notes::default();
    page::refresh(&bench.repository, &notes);
    let told = notes.0.lock().expect("a lock").join("\n");
    assert!(told.contains("`packhouse repo page`") && told.contains("packages"), "{told}");
    std::fs::remove_file(bench.published("packages")).expect("removed");
    bench.publish("stable", &[&two]).expect("published");
    assert!(bench.published("packages/acme-one.html").exists());
}

#[test]
fn a_repository_without_a_site_has_none_until_it_is_wanted_again() {
    let mut bench = Bench::new();
    let (one, two) = (bench.deb("acme-one", "1", "all"), bench.deb("acme-two", "1", "all"));
    bench.publish("stable", &[&one]).expect("published");
    let root = bench.repository.root().to_path_buf();
    let program = |arguments: &[&str]| {
        run(Command::new(env!("CARGO_BIN_EXE_packhouse")).args(["repo", "page"]).args(arguments).arg(&root))
    };
    program(&["--off"]);
    assert_eq!(site(&bench), []);
    bench.publish("stable", &[&two]).expect("published");
    assert_eq!(site(&bench), []);
    assert!(program(&[]).contains("2 pages"));
    assert!(bench.published("packages/acme-two.html").exists());
}
