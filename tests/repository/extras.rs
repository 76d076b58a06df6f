//! Indices beyond the packages themselves, judged by their readers: apt-file, apt's translations, dnf's notices and groups.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Apt, Bench, Dnf, both, run, write};

fn snippet(bench: &Bench) -> String {
    let text = std::fs::read_to_string(bench.published("acme-bookworm.sources")).expect("a snippet");
    text.replace("\nURIs: file:", "\nURIs: copy:")
}

fn repo(bench: &Bench) -> String {
    std::fs::read_to_string(bench.published("acme-el9.repo")).expect("a snippet")
}

#[test]
fn apt_file_finds_packages_by_their_files() {
    let mut bench = Bench::new();
    let (api, common) = (bench.deb("acme-api", "1.0", "amd64"), bench.deb("acme-common", "1.0", "all"));
    bench.publish("bookworm", &[&api, &common]).expect("published");
    let apt = Apt::new(&bench, "client", &snippet(&bench));
    // What apt-file brings: without it, apt does not ask for Contents.
    apt.configure(&std::fs::read_to_string("/etc/apt/apt.conf.d/50apt-file.conf").expect("apt-file is installed"));
    apt.update().expect("updated");
    let search = |pattern: &str| {
        let output = apt.command("apt-file", &["search", pattern]);
        let mut lines: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
        lines.sort();
        assert!(!lines.is_empty(), "{}", both(&output));
        lines
    };
    assert_eq!(search("acme-api/file"), ["acme-api: /usr/share/acme-api/file"]);
    assert_eq!(search("share/acme-common"), ["acme-common: /usr/share/acme-common/file"]);
    let next = bench.deb("acme-next", "1.0", "amd64");
    bench.publish("bookworm", &[&next]).expect("published");
    apt.update().expect("updated");
    assert_eq!(search("acme-").len(), 3, "the new package's files are there beside the others'");
}

#[test]
fn packages_of_debug_symbols_are_installed_from_where_their_package_is() {
    let mut bench = Bench::new();
    let api = bench.deb("acme-api", "1.0", "amd64");
    let symbols = bench.deb_with("acme-api-dbgsym", "1.0", "amd64", "x", "Depends: acme-api (= 1.0)\nSection: debug\n");
    let renamed = symbols.with_extension("ddeb");
    std::fs::rename(&symbols, &renamed).expect("renamed");
    bench.publish("bookworm", &[&api, &renamed]).expect("published");
    let apt = Apt::new(&bench, "client", &snippet(&bench));
    assert_eq!(apt.update().expect("updated"), ["acme-api", "acme-api-dbgsym"]);
    apt.download("acme-api-dbgsym").expect("downloaded, with its package");
}

/// An .rpm with this changelog.
fn rpm(bench: &Bench, name: &str, version: &str, changelog: &str) -> PathBuf {
    let top = bench.path(&format!("top-{name}-{version}"));
    let spec = top.join("x.spec");
    write(
        &spec,
        &format!(
            "Name: {name}\nVersion: {version}\nRelease: 1.el9\nSummary: x\nLicense: MIT\nBuildArch: noarch\nAutoReqProv: no\n\
             Packager: Acme <a@acme.example>\n%description\nx\n%files\n%changelog\n{changelog}"
        ),
    );
    let mut build = Command::new("rpmbuild");
    build.env("HOME", &top).arg("--define").arg(format!("_topdir {}", top.display())).arg("-bb").arg(&spec);
    run(&mut build);
    top.join(format!("RPMS/noarch/{name}-{version}-1.el9.noarch.rpm"))
}

#[test]
fn dnf_upgrades_for_security_what_a_changelog_says_is_of_security() {
    let mut bench = Bench::new();
    let first = "* Thu Jan 01 2026 A <a@acme.example> - 1.0-1.el9\n- first\n";
    let mended = format!(
        "* Fri Jan 02 2026 A <a@acme.example> - 1.1-1.el9\n- mend CVE-2026-12345 & GHSA-abcd-1234-efgh <now>\n- urgency=high\n{first}"
    );
    let later = format!("* Sat Jan 03 2026 A <a@acme.example> - 1.2-1.el9\n- nothing of the kind\n{mended}");
    let (one, two) = (rpm(&bench, "acme", "1.0", first), rpm(&bench, "acme", "1.1", &mended));
    let three = rpm(&bench, "acme", "1.2", &later);
    let (plain, plainer) = (rpm(&bench, "plain", "1.0", first), rpm(&bench, "plain", "1.1", first));

    bench.publish("el9", &[&one, &plain]).expect("published");
    let dnf = Dnf::new(&bench, "client", &repo(&bench));
    let install = dnf.command(&["install", "acme", "plain"]);
    assert!(install.status.success(), "{}", both(&install));
    let list = || both(&dnf.command(&["--refresh", "-q", "updateinfo", "list"]));
    assert_eq!(list(), "", "nothing is of security yet");

    // The version that was mended need not be there: a later one has its entry.
    bench.publish("el9", &[&three, &plainer]).expect("published");
    let said = list();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("acme-1.1-1.el9.noarch") && said.contains("Important/Sec."), "{said}");
    bench.publish("el9", &[&two]).expect("published");
    let said = list();
    assert_eq!(said.lines().count(), 1, "both versions have the notice, and it is told once: {said}");
    let info = both(&dnf.command(&["-q", "updateinfo", "info"]));
    assert!(info.contains("CVE-2026-12345") && info.contains("GHSA-abcd-1234-efgh"), "{info}");
    let cve = both(&dnf.command(&["-q", "updateinfo", "list", "--cve", "CVE-2026-12345"]));
    assert!(cve.contains("acme-1.1-1.el9"), "{cve}");

    let root = bench.path("zypp");
    write(&root.join("etc/zypp/repos.d/acme.repo"), &repo(&bench));
    let mut zypper = Command::new("zypper");
    zypper.env("HOME", &root).arg("--root").arg(&root);
    let patches = run(zypper.args(["--gpg-auto-import-keys", "-n", "list-patches", "--all"]));
    assert!(
        patches.contains("acme-1.1-1.el9.noarch") && patches.contains("security") && patches.contains("important"),
        "{patches}"
    );

    let upgrade = dnf.command(&["upgrade", "--security"]);
    assert!(upgrade.status.success(), "{}", both(&upgrade));
    let installed = both(&dnf.command(&["-q", "repoquery", "--installed", "--qf", "%{name}-%{version}"]));
    assert!(installed.contains("acme-1.2\n") && installed.contains("plain-1.0\n"), "{installed}");
}

const COMPS: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<comps>\n  <group>\n    <id>acme</id>\n    <name>Acme's services</name>\n    \
    <description>All of them</description>\n    <default>false</default>\n    <uservisible>true</uservisible>\n    <packagelist>\n      \
    <packagereq type=\"mandatory\">acme</packagereq>\n    </packagelist>\n  </group>\n</comps>\n";

#[test]
fn dnf_installs_a_group_that_was_given() {
    let mut bench = Bench::new();
    let acme = rpm(&bench, "acme", "1.0", "");
    bench.publish("el9", &[&acme]).expect("published");
    let comps = bench.path("comps.xml");
    write(&comps, &COMPS.replace("<id>acme</id>", ""));
    let error = bench.groups("el9", &comps).expect_err("refused").to_string();
    assert!(error.contains("comps.xml") && error.contains("has no id"), "{error}");
    write(&comps, COMPS);
    bench.groups("el9", &comps).expect("published");
    let dnf = Dnf::new(&bench, "client", &repo(&bench));
    let said = both(&dnf.command(&["-q", "group", "list"]));
    assert!(said.contains("Acme's services"), "{said}");
    let install = dnf.command(&["group", "install", "acme"]);
    assert!(install.status.success(), "{}", both(&install));
    assert!(both(&install).contains("acme"), "{}", both(&install));
    // Later publications keep it.
    let next = rpm(&bench, "next", "1.0", "");
    bench.publish("el9", &[&next]).expect("published");
    let said = both(&dnf.command(&["--refresh", "-q", "group", "list"]));
    assert!(said.contains("Acme's services"), "{said}");
}

#[test]
fn long_descriptions_that_stand_in_a_translation_are_shown() {
    let mut bench = Bench::new();
    bench.option("bookworm", "translations", true.into());
    let (api, common) = (bench.deb("acme-api", "1.0", "amd64"), bench.deb("acme-common", "1.0", "all"));
    bench.publish("bookworm", &[&api, &common]).expect("published");
    let text = read(&bench.published("apt/dists/bookworm/main/binary-amd64/Packages.gz"));
    assert!(text.contains("Description: a test\nDescription-md5: ") && !text.contains("of packages"), "{text}");
    let apt = Apt::new(&bench, "client", &snippet(&bench));
    apt.configure("Acquire::Languages \"en\";\n");
    apt.update().expect("updated");
    for package in ["acme-api", "acme-common"] {
        let shown = both(&apt.command("apt-cache", &["show", package]));
        assert!(shown.contains("a test\n of packages\n .\n and more\n"), "{shown}");
    }
}

fn read(path: &Path) -> String {
    let mut text = String::new();
    let file = std::fs::File::open(path).expect("an index");
    std::io::Read::read_to_string(&mut flate2::read::MultiGzDecoder::new(file), &mut text).expect("UTF-8");
    text
}
