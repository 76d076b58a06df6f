//! Packages that follow a published one: conffiles that went, paths that changed their kind, versions that must grow.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "these are tests"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use packhouse::config::{self, Maintainer};
use packhouse::diagnostic::{Diagnose as _, ExitCode};
use packhouse::name::PackageName;
use packhouse::package::previous::{PathKind, Previous, PreviousError, check};
use packhouse::package::{self, Changelog, Inputs, Package, Release, Staged, Version};
use packhouse::target::{Architecture, Target, distribution};
use packhouse::tree::{Content, InstallPath, Tree};
use packhouse::workspace::{EcosystemKind, Kind, Member, Workspace};

/// A repository with one Rust service that needs nothing, and a place for what is made of it.
struct World {
    directory: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let world = Self { directory: tempfile::tempdir().expect("a directory") };
        world.put("edge/Cargo.toml", "[package]\nname = \"acme-edge\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
        world.put("edge/Cargo.lock", "version = 3\n\n[[package]]\nname = \"acme-edge\"\nversion = \"0.1.0\"\n");
        world.put(
            "edge/src/main.rs",
            "fn main() { println!(\"Usage: acme-edge [OPTIONS]\\n\\nOptions:\\n  -q, --quiet  Say nothing\"); }\n",
        );
        world.put("edge/etc/kept.toml", "kept = 1\n");
        world.put("edge/etc/gone.toml", "gone = 1\n");
        world.configure("1.0.0", "config = [\"etc/kept.toml\", \"etc/gone.toml\"]");
        world.ok(world.packhouse(&["vendor"]));
        world.ok(world.packhouse(&["key", "generate", "--user-id", "Acme <a@acme.example>", "acme.key"]));
        world
            .ok(world.packhouse(&["repo", "init", "repo", "--origin", "acme", "--label", "Acme", "--key", "acme.key"]));
        world
    }

    fn put(&self, file: &str, text: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().expect("a parent")).expect("mkdir");
        fs::write(path, text).expect("write");
    }

    fn path(&self, file: &str) -> PathBuf {
        self.directory.path().join(file)
    }

    fn configure(&self, version: &str, keys: &str) {
        self.put(
            "packhouse.toml",
            &format!(
                "[project]\norg = \"acme\"\nmaintainer = \"Acme Cloud <cloud@acme.example>\"\nlicense = \"Apache-2.0\"\n\
                 targets = [\"debian-12\"]\n[repository]\npath = \"repo\"\nkey = \"acme.key\"\n\
                 [services.acme-edge]\nsummary = \"Edge of the cloud\"\nversion = \"{version}\"\n{keys}\n"
            ),
        );
    }

    fn packhouse(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_packhouse"))
            .current_dir(self.directory.path())
            .args(arguments)
            .env("PACKHOUSE_CACHE_DIR", self.path(".cache"))
            .env("SOURCE_DATE_EPOCH", "1767225600")
            .output()
            .expect("packhouse")
    }

    fn ok(&self, output: Output) -> String {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Builds into `out`; gives the package.
    fn build(&self, out: &str, arguments: &[&str]) -> PathBuf {
        let mut all = vec!["build", "--out", out];
        all.extend(arguments);
        PathBuf::from(self.ok(self.packhouse(&all)).trim())
    }

    fn fails(&self, arguments: &[&str], code: i32, texts: &[&str]) {
        let mut all = vec!["build", "--out", "refused"];
        all.extend(arguments);
        let output = self.packhouse(&all);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{told}");
        texts.iter().for_each(|text| assert!(told.contains(text), "{text} is missing: {told}"));
    }

    fn publish(&self, out: &str, suite: &str) {
        let list = format!("{out}/packhouse-artefacts.json");
        self.ok(self.packhouse(&["publish", &list, "--repo", "repo", "--suite", suite, "--key", "acme.key"]));
    }
}

fn script(deb: &Path, name: &str) -> String {
    let output = Command::new("dpkg-deb").arg("-I").arg(deb).arg(name).output().expect("dpkg-deb");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A root in which dpkg has installed packages; maintainer scripts run outside, with `DPKG_ROOT`.
struct Root(tempfile::TempDir);

impl Root {
    fn new() -> Self {
        let root = Self(tempfile::tempdir().expect("a directory"));
        fs::create_dir_all(root.0.path().join("var/lib/dpkg/info")).expect("mkdir");
        fs::create_dir_all(root.0.path().join("var/lib/dpkg/updates")).expect("mkdir");
        fs::write(root.0.path().join("var/lib/dpkg/status"), "").expect("write");
        root
    }

    fn install(&self, deb: &Path) {
        let output = Command::new("dpkg")
            .arg(format!("--root={}", self.0.path().display()))
            .args(["--force-script-chrootless", "--force-depends", "--force-not-root", "--force-confold", "-i"])
            .arg(deb)
            .env("LC_ALL", "C.UTF-8")
            .output()
            .expect("dpkg");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn etc(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path().join("etc/acme")).expect("it is there");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn change(&self, file: &str) {
        fs::write(self.0.path().join("etc/acme").join(file), "changed = 1\n").expect("written");
    }
}

#[test]
fn a_conffile_that_went_is_taken_away_by_every_later_version() {
    let world = World::new();
    let first = world.build("out-1.0", &[]);
    let names = Command::new("dpkg-deb").arg("-c").arg(&first).output().expect("dpkg-deb");
    assert!(String::from_utf8_lossy(&names.stdout).contains("./usr/share/man/man1/acme-edge.1.gz"));
    assert!(!script(&first, "preinst").contains("rm_conffile"));
    world.publish("out-1.0", "debian-12");
    let rebuilt = world.build("again", &[]);
    assert_eq!(
        fs::read(&first).expect("read"),
        fs::read(&rebuilt).expect("read"),
        "its own predecessor changes nothing"
    );

    world.configure("1.1.0", "config = [\"etc/kept.toml\"]");
    let second = world.build("out-1.1", &[]);
    let line = "dpkg-maintscript-helper rm_conffile /etc/acme/gone.toml '1.1.0-1~deb12u1~' -- \"$@\"";
    let plain = line.replace('\'', "");
    for name in ["preinst", "postinst", "prerm", "postrm"] {
        let text = script(&second, name);
        assert!(text.contains(line) || text.contains(&plain), "{name}: {text}");
    }
    // However the last version is named, it is the same input.
    for previous in ["repo", "out-1.0", first.to_str().expect("UTF-8")] {
        let same = world.build("same", &["--previous", previous]);
        assert_eq!(fs::read(&second).expect("read"), fs::read(&same).expect("read"), "{previous}");
    }
    world.publish("out-1.1", "debian-12");

    world.configure("1.2.0", "config = [\"etc/kept.toml\"]");
    let third = world.build("out-1.2", &[]);
    assert!(script(&third, "preinst").contains("gone.toml"));
    assert!(script(&third, "preinst").contains("1.1.0-1~deb12u1~"), "{}", script(&third, "preinst"));

    for upgrade in [vec![&second], vec![&third], vec![&second, &third]] {
        let (unchanged, changed) = (Root::new(), Root::new());
        for root in [&unchanged, &changed] {
            root.install(&first);
            assert_eq!(root.etc(), ["gone.toml", "kept.toml"]);
        }
        changed.change("gone.toml");
        changed.change("kept.toml");
        for root in [&unchanged, &changed] {
            upgrade.iter().for_each(|deb| root.install(deb));
        }
        assert_eq!(unchanged.etc(), ["kept.toml"]);
        assert_eq!(changed.etc(), ["gone.toml.dpkg-bak", "kept.toml"]);
    }

    // It comes back: nobody takes it away.
    world.configure("1.3.0", "config = [\"etc/kept.toml\", \"etc/gone.toml\"]");
    assert!(!script(&world.build("out-1.3", &[]), "preinst").contains("rm_conffile"));

    // Without the last version at hand the configuration says the same.
    let removed =
        "config = [\"etc/kept.toml\"]\nremoved-config = [{ path = \"/etc/acme/gone.toml\", version = \"1.1.0\" }]";
    world.configure("1.2.0", removed);
    let told = world.build("told", &["--no-previous"]);
    let root = Root::new();
    root.install(&first);
    root.install(&told);
    assert_eq!(root.etc(), ["kept.toml"]);
}

#[test]
fn a_version_that_would_not_be_an_upgrade_is_refused() {
    let world = World::new();
    world.build("out", &[]);
    // A suite of another name counts as well when there is none of the target's.
    world.publish("out", "stable");
    world.configure("1.0.0-rc.1", "");
    world.fails(
        &[],
        3,
        &["1.0.0~rc.1-1~deb12u1 is not newer than 1.0.0-1~deb12u1", "+really", "epoch", "--no-previous"],
    );
    world.build("free", &["--no-previous"]);
    world.configure("1.0.0-rc.1", "epoch = 1");
    world.build("raised", &[]);
    world.configure("0.9.0", "");
    world.fails(&["--previous", "out"], 3, &["not newer"]);
    world.fails(&["--previous", "nowhere"], 2, &["nowhere", "neither a repository nor a directory"]);
    world.fails(&["--previous", "packhouse.toml"], 2, &["packhouse.toml"]);
    // What was made for another distribution is no predecessor.
    let other = world.path("other");
    fs::create_dir_all(&other).expect("mkdir");
    world.configure("2.0.0", "");
    let newer = world.build("other", &["--target", "debian-13", "--no-previous"]);
    assert!(newer.to_string_lossy().contains("deb13"), "{newer:?}");
    world.configure("1.5.0", "");
    world.build("fine", &["--previous", "other"]);
}

fn package(target: &str, version: &str, fill: impl FnOnce(&mut Tree)) -> Package {
    let directory = tempfile::tempdir().expect("a directory");
    let text = "[project]\norg = \"acme\"\nmaintainer = \"Acme <cloud@acme.example>\"\nlicense = \"Apache-2.0\"\n";
    fs::write(directory.path().join("packhouse.toml"), text).expect("written");
    let settings = config::load(directory.path(), None).expect("settings");
    let member = Member {
        name: PackageName::parse("acme-api").expect("a name"),
        ecosystem_name: "acme-api".to_owned(),
        ecosystem: EcosystemKind::Rust,
        kind: Kind::Service,
        path: PathBuf::new(),
        manifest: PathBuf::from("Cargo.toml"),
        version: Some(version.to_owned()),
        summary: Some("Interface of the cloud".to_owned()),
        license: None,
        reason: "a test".to_owned(),
        commands: Vec::new(),
        requires: Vec::new(),
        optional: BTreeMap::new(),
        dependencies: Vec::new(),
        unread: Vec::new(),
        submodule: None,
    };
    let root = directory.path().canonicalize().expect("a root");
    let workspace = Workspace { root, members: vec![member] };
    let target =
        Target { distribution: distribution(target).expect("a distribution"), architecture: Architecture::X86_64 };
    let version = Version { epoch: 0, debian: version.to_owned(), rpm: version.to_owned(), revision: "1".to_owned() };
    let author = Maintainer { name: "Ada Acme".to_owned(), mail: "ada@acme.example".to_owned() };
    let release = Release { version: version.clone(), time: 1_767_225_600, author, changes: vec!["Begin".to_owned()] };
    let mut tree = Tree::new();
    fill(&mut tree);
    package::assemble(Inputs {
        settings: &settings,
        workspace: &workspace,
        member: &workspace.members[0],
        target: &target,
        staged: Staged { tree, ..Staged::default() },
        version,
        changelog: Changelog { releases: vec![release] },
        time: 1_767_225_600,
    })
    .expect("a package")
}

#[test]
fn a_path_that_no_package_manager_replaces_is_an_error_with_the_remedy() {
    let data = "/usr/lib/acme/acme-api/data";
    let path = |text: &str| InstallPath::parse(text).expect("a path");
    let link = |tree: &mut Tree| tree.symlink(path(data), "elsewhere").expect("free");
    let below = |tree: &mut Tree| {
        tree.file(path(&format!("{data}/x")), Content::bytes(&b"x"[..]), 0o644).expect("free");
    };
    let file = |tree: &mut Tree| tree.file(path(data), Content::bytes(&b"x"[..]), 0o644).expect("free");
    for (target, manager, remedy) in [("debian-12", "dpkg", "dpkg-maintscript-helper"), ("el9", "rpm", "another path")]
    {
        let previous = |kind: PathKind, version: &str| {
            let probe = package(target, version, |_| {});
            Previous {
                format: probe.target.format(),
                version: if manager == "dpkg" { probe.version.debian() } else { probe.version.rpm() },
                paths: BTreeMap::from([(data.to_owned(), kind)]),
                conffiles: Vec::new(),
                preinst: None,
            }
        };
        for (before, now) in
            [(PathKind::Directory, package(target, "1.1", link)), (PathKind::Symlink, package(target, "1.1", below))]
        {
            let error = check(&now, &previous(before, "1.0")).expect_err("an error");
            let told = format!("{error} {}", error.hints().join(" "));
            for text in [data, "1.1-1", "1.0-1", manager, "another path", remedy, "a symbolic link", "a directory"] {
                assert!(told.contains(text), "{text} is missing: {told}");
            }
            assert_eq!(error.exit_code(), ExitCode::Policy);
            assert!(matches!(error, PreviousError::Type { .. }));
        }
        let becomes_file = check(&package(target, "1.1", file), &previous(PathKind::Directory, "1.0"));
        assert_eq!(becomes_file.is_err(), manager == "rpm", "{becomes_file:?}");
        for (before, now) in [
            (PathKind::File, package(target, "1.1", link)),
            (PathKind::File, package(target, "1.1", below)),
            (PathKind::Directory, package(target, "1.1", below)),
        ] {
            check(&now, &previous(before, "1.0")).expect("it can be replaced");
        }
        // The same version again is a rebuild; a lower one, by the format's own rules, is refused.
        check(&package(target, "1.0", |_| {}), &previous(PathKind::File, "1.0")).expect("a rebuild");
        let error = check(&package(target, "1.0~rc1", |_| {}), &previous(PathKind::File, "1.0")).expect_err("older");
        assert!(matches!(error, PreviousError::NotNewer { .. }), "{error}");
    }
}
