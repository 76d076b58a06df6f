//! Taking over repositories of other tools, judged by what clients then see.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use packhouse::digest::Sha256;
use packhouse::repo::import::{self, ImportOptions, ImportPlan};
use packhouse::repo::{PublishOptions, Published, RepoError};
use packhouse::report::Silent;

use crate::support::{Apt, Bench, Dnf, now, run, signer, walk, write};

fn options(source: &Path) -> ImportOptions {
    ImportOptions { source: source.into(), suites: Vec::new(), component: "main".into(), leave_out: false }
}

fn import(bench: &mut Bench, options: &ImportOptions) -> Result<(ImportPlan, Published), RepoError> {
    let mut plan = import::plan(options)?;
    let signer = signer();
    let publish = PublishOptions { link: true, sign_rpms: false, ..PublishOptions::of(&signer, now(), &Silent) };
    let published = import::import(&mut bench.repository, &mut plan, options.leave_out, &publish)?;
    Ok((plan, published))
}

/// What apt sees of a suite, through the snippet that the repository has for it.
fn seen(bench: &Bench, suite: &str) -> Vec<String> {
    let sources = std::fs::read_to_string(bench.published(&format!("acme-{suite}.sources"))).expect("a snippet");
    Apt::new(bench, &format!("client-{suite}"), &sources).update().expect("updated")
}

const DISTRIBUTIONS: &str = "Codename: bookworm\nSuite: stable\nOrigin: Acme\nLabel: Acme\nVersion: 12.1\nArchitectures: amd64 arm64 source\n\
                             Components: main extra\nDescription: old\nValidFor: 7d\n\nCodename: trixie\nOrigin: Acme\nLabel: Acme\n\
                             Architectures: amd64\nComponents: main\n";

fn reprepro(root: &Path, arguments: &[&str]) {
    run(Command::new("reprepro").arg("--silent").arg("-b").arg(root).args(arguments));
}

/// A repository of reprepro's with two suites, two components, and a package for all architectures.
fn reprepro_repository(bench: &Bench) -> PathBuf {
    let root = bench.path("reprepro");
    write(&root.join("conf/distributions"), DISTRIBUTIONS);
    let fields = "Section: net\nPriority: optional\n";
    for (suite, component, name, version, architecture) in [
        ("bookworm", "main", "acme-api", "1.0-1", "amd64"),
        ("bookworm", "main", "acme-common", "1.0-1", "all"),
        ("bookworm", "extra", "acme-extra", "2:2.0-1", "amd64"),
        ("bookworm", "main", "acme-arm", "1.0-1", "arm64"),
        ("trixie", "main", "acme-api", "2.0-1", "amd64"),
    ] {
        let deb = bench.deb_with(name, version, architecture, "one", fields);
        reprepro(&root, &["-C", component, "includedeb", suite, deb.to_str().unwrap()]);
    }
    root
}

#[test]
fn a_repository_of_reprepro_is_taken_over_with_its_suites_components_and_names() {
    let mut bench = Bench::new();
    let root = reprepro_repository(&bench);
    // Its database is not needed.
    std::fs::remove_dir_all(root.join("db")).unwrap();
    let (plan, published) = import(&mut bench, &options(&root)).expect("imported");
    assert_eq!(plan.left, []);
    let counts: Vec<(&str, usize)> =
        published.suites.iter().map(|suite| (suite.suite.as_str(), suite.packages)).collect();
    assert_eq!(counts, [("bookworm", 4), ("trixie", 1)]);
    let identity = &plan.suites[0].identity;
    assert_eq!((identity.origin.as_deref(), identity.label.as_deref()), (Some("Acme"), Some("Acme")));
    assert_eq!((identity.suite.as_deref(), identity.codename.as_deref()), (Some("stable"), Some("bookworm")));
    assert_eq!(identity.valid_for, Some(7 * 86_400));
    assert_eq!(seen(&bench, "bookworm"), ["acme-api", "acme-common", "acme-extra"]);
    assert_eq!(seen(&bench, "trixie"), ["acme-api"]);
    let pool = walk(&bench.published("apt/pool"));
    assert_eq!(pool.len(), 5);
    assert!(pool.iter().any(|path| path.to_string_lossy().contains("/pool/extra/a/acme-extra/")), "{pool:?}");
    for path in &pool {
        let theirs = walk(&root.join("pool")).into_iter().find(|other| other.file_name() == path.file_name()).unwrap();
        assert!(std::fs::read(path).unwrap() == std::fs::read(theirs).unwrap());
    }
    // Again: nothing to do.
    let (_, again) = import(&mut bench, &options(&root)).expect("imported");
    assert!(again.suites.iter().all(|suite| suite.added.is_empty()));
}

#[test]
fn a_client_of_the_old_repository_goes_on_with_the_new_one() {
    let mut bench = Bench::new();
    let root = reprepro_repository(&bench);
    let old = format!("Types: deb\nURIs: copy:{}\nSuites: bookworm\nComponents: main\nTrusted: yes\n", root.display());
    let apt = Apt::new(&bench, "client", &old);
    assert_eq!(apt.update().expect("updated"), ["acme-api", "acme-common"]);
    import(&mut bench, &options(&root)).expect("imported");
    // The same place, as clients see it: only then does apt compare what it knows of the origin.
    std::fs::rename(root.join("dists"), bench.path("old-dists")).unwrap();
    std::fs::rename(root.join("pool"), bench.path("old-pool")).unwrap();
    std::os::unix::fs::symlink(bench.published("apt/dists"), root.join("dists")).unwrap();
    std::os::unix::fs::symlink(bench.published("apt/pool"), root.join("pool")).unwrap();
    let key = bench.published("key.gpg");
    write(
        &bench.path("client/etc/apt/sources.list.d/test.sources"),
        &old.replace("Trusted: yes", &format!("Signed-By: {}", key.display())),
    );
    assert_eq!(apt.update().expect("no change of Origin, Label or Codename"), ["acme-api", "acme-common"]);
}

#[test]
fn a_tree_that_aptly_has_published_is_taken_over() {
    let mut bench = Bench::new();
    let home = bench.path("aptly");
    let config = bench.path("aptly.conf");
    write(&config, &format!("{{\"rootDir\": \"{}\"}}", home.display()));
    let aptly =
        |arguments: &[&str]| run(Command::new("aptly").arg(format!("-config={}", config.display())).args(arguments));
    aptly(&["repo", "create", "-distribution=bookworm", "-component=main", "acme"]);
    let (one, two) = (bench.deb("acme-one", "1.0-1", "amd64"), bench.deb("acme-two", "1.0-1", "all"));
    aptly(&["repo", "add", "acme", one.to_str().unwrap(), two.to_str().unwrap()]);
    aptly(&[
        "publish",
        "repo",
        "-skip-signing",
        "-acquire-by-hash",
        "-origin=Acme",
        "-label=Acme",
        "-architectures=amd64",
        "acme",
    ]);
    let (plan, published) = import(&mut bench, &options(&home)).expect("imported");
    assert_eq!(plan.left, []);
    assert_eq!(published.suites[0].packages, 2);
    assert_eq!(seen(&bench, "bookworm"), ["acme-one", "acme-two"]);
}

#[test]
fn a_repository_of_createrepo_c_is_taken_over_and_its_packages_keep_their_bytes() {
    let mut bench = Bench::new();
    let theirs = bench.path("theirs");
    let root = theirs.join("el9");
    std::fs::create_dir_all(root.join("Packages/a")).unwrap();
    for (name, version) in [("acme-api", "1.0"), ("acme-api", "1.1"), ("acme-common", "1.0")] {
        let rpm = bench.rpm(name, version, "one", "");
        std::fs::rename(&rpm, root.join(format!("Packages/a/{name}-{version}-1.el9.noarch.rpm"))).unwrap();
    }
    run(Command::new("createrepo_c").args(["-q", "--no-database", "--compress-type=xz"]).arg(&root));
    let before: BTreeSet<Sha256> = walk(&root.join("Packages")).iter().map(|path| digest(path)).collect();
    let (plan, published) = import(&mut bench, &options(&theirs)).expect("imported");
    assert_eq!(plan.left, []);
    assert_eq!((published.suites[0].suite.as_str(), published.suites[0].packages), ("el9", 3));
    let repo = std::fs::read_to_string(bench.published("acme-el9.repo")).unwrap();
    let dnf = Dnf::new(&bench, "client", &repo);
    assert_eq!(dnf.packages(), ["acme-api-1.0-1.el9", "acme-api-1.1-1.el9", "acme-common-1.0-1.el9"]);
    assert_eq!(
        walk(&root.join("Packages")).iter().map(|path| digest(path)).collect::<BTreeSet<_>>(),
        before,
        "the source is left as it is"
    );
}

fn digest(path: &Path) -> Sha256 {
    Sha256::of(&std::fs::read(path).unwrap())
}

#[test]
fn a_directory_of_packages_goes_to_the_suite_that_is_named() {
    let mut bench = Bench::new();
    let root = bench.path("files");
    std::fs::create_dir_all(root.join("deep/er")).unwrap();
    let (deb, rpm) = (bench.deb("acme", "1", "amd64"), bench.rpm("acme", "1", "one", ""));
    std::fs::rename(deb, root.join("deep/acme.deb")).unwrap();
    std::fs::rename(rpm, root.join("deep/er/acme.rpm")).unwrap();
    write(&root.join("README"), "not a package");
    let error = import(&mut bench, &options(&root)).expect_err("no suite").to_string();
    assert!(error.contains("does not say which suite"), "{error}");
    let named = ImportOptions { suites: vec!["any".into()], ..options(&root) };
    let (_, published) = import(&mut bench, &named).expect("imported");
    assert_eq!(published.suites.iter().map(|suite| suite.packages).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn nothing_is_imported_while_a_package_is_missing_or_damaged_unless_it_may_be_left_out() {
    let mut bench = Bench::new();
    let root = reprepro_repository(&bench);
    let find =
        |part: &str| walk(&root.join("pool")).into_iter().find(|path| path.to_string_lossy().contains(part)).unwrap();
    std::fs::remove_file(find("acme-extra")).unwrap();
    let arm = find("acme-arm");
    let mut bytes = std::fs::read(&arm).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&arm, bytes).unwrap();
    let error = import(&mut bench, &options(&root)).expect_err("refused").to_string();
    assert!(error.contains("acme-extra") && error.contains("not there"), "{error}");
    assert!(!bench.published("apt").exists(), "nothing was written");

    let partial = ImportOptions { leave_out: true, ..options(&root) };
    let (plan, published) = import(&mut bench, &partial).expect("imported");
    let left: Vec<String> = plan.left.iter().map(|left| format!("{}: {}", left.path, left.reason)).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(left.iter().any(|left| left.contains("acme-arm") && left.contains("its index says")), "{left:?}");
    assert_eq!(published.suites.iter().map(|suite| suite.packages).sum::<usize>(), 3);
}

#[test]
fn indices_that_their_release_file_does_not_know_are_refused() {
    let mut bench = Bench::new();
    let root = reprepro_repository(&bench);
    for path in walk(&root.join("dists/bookworm/main/binary-amd64")) {
        if path.file_name().unwrap().to_string_lossy().starts_with("Packages") {
            std::fs::write(&path, "Package: evil\n").unwrap();
        }
    }
    let error = import(&mut bench, &options(&root)).expect_err("refused").to_string();
    assert!(error.contains("not the file that the Release file names"), "{error}");
}

#[test]
fn a_name_that_leaves_the_source_is_not_followed() {
    let mut bench = Bench::new();
    let outside = bench.deb("secret", "1", "amd64");
    let root = bench.path("evil");
    let content = std::fs::read(&outside).unwrap();
    let packages = format!(
        "Package: secret\nVersion: 1\nArchitecture: amd64\nFilename: ../{}\nSize: {}\nSHA256: {}\n",
        outside.file_name().unwrap().to_string_lossy(),
        content.len(),
        Sha256::of(&content)
    );
    write(&root.join("dists/x/main/binary-amd64/Packages"), &packages);
    let release = format!(
        "Codename: x\nComponents: main\nArchitectures: amd64\nSHA256:\n {} {} main/binary-amd64/Packages\n",
        Sha256::of(packages.as_bytes()),
        packages.len()
    );
    write(&root.join("dists/x/Release"), &release);
    let error = import(&mut bench, &options(&root)).expect_err("refused").to_string();
    assert!(error.contains("is not the name of a file in a repository"), "{error}");
}
