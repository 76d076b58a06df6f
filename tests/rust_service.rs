//! A cargo workspace with a crate of its own, one from a registry and one from a git repository: locked, vendored and
//! built without anything but this machine.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::process::Command;

use globset::GlobSet;
use packhouse::cache::Cache;
use packhouse::config::{Maintainer, ProjectSettings, RepositorySettings, Settings};
use packhouse::diagnostic::ExitCode;
use packhouse::digest::Sha256;
use packhouse::ecosystem::{Context, Error, Outcome, Release, Upgrade, of};
use packhouse::name::{OrgName, PackageName};
use packhouse::package::Staged;
use packhouse::report::{Progress, Reporter, Silent, Unit};
use packhouse::target::{Architecture, Target, distribution, distributions};
use packhouse::tree::{Node, Source};
use packhouse::workspace::{EcosystemKind, Kind, Member, Workspace};

/// Runs the rest of a test in a process of its own whose cargo has a home of its own, so that nothing of the test's
/// registry stays on the machine. `true`: this is that process.
fn in_own_cargo_home(test: &str) -> bool {
    const MARK: &str = "PACKHOUSE_TEST_CARGO_HOME";
    if std::env::var_os(MARK).is_some() {
        return true;
    }
    let home = tempfile::tempdir().expect("a directory");
    let output = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", test, "--nocapture"])
        .env("CARGO_HOME", home.path())
        .env(MARK, "1")
        .output()
        .expect("this test runs");
    let told = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("1 passed"), "{told}\n{complaints}");
    false
}

fn run(program: &str, directory: &Path, arguments: &[&str]) {
    let output = Command::new(program)
        .current_dir(directory)
        .args(arguments)
        .envs([("GIT_AUTHOR_NAME", "a"), ("GIT_AUTHOR_EMAIL", "a@example.org")])
        .envs([("GIT_COMMITTER_NAME", "a"), ("GIT_COMMITTER_EMAIL", "a@example.org")])
        .output()
        .expect(program);
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn write(path: &Path, text: &str) {
    fs_err::create_dir_all(path.parent().expect("a parent")).expect("made");
    fs_err::write(path, text).expect("written");
}

/// A registry and a git repository on disk.
struct World {
    directory: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let world = Self { directory: tempfile::tempdir().expect("a directory") };
        let crates = world.path("crates");
        let source = crates.join("tiny-numbers-1.0.0");
        write(
            &source.join("Cargo.toml"),
            "[package]\nname = \"tiny-numbers\"\nversion = \"1.0.0\"\nedition = \"2021\"\nlicense = \"MIT OR Apache-2.0\"\n",
        );
        write(
            &source.join("src/lib.rs"),
            "pub fn place() -> &'static str { file!() }\npub fn check(n: usize) -> usize { [1, 2, 3][n] }\n",
        );
        run("tar", &crates, &["czf", "tiny-numbers-1.0.0.crate", "tiny-numbers-1.0.0"]);
        let checksum = Sha256::of(&fs_err::read(crates.join("tiny-numbers-1.0.0.crate")).expect("read"));
        let index = world.path("index");
        write(
            &index.join("config.json"),
            &format!("{{\"dl\":\"file://{}/{{crate}}-{{version}}.crate\"}}", crates.display()),
        );
        write(
            &index.join("ti/ny/tiny-numbers"),
            &format!(
                "{{\"name\":\"tiny-numbers\",\"vers\":\"1.0.0\",\"deps\":[],\"cksum\":\"{checksum}\",\"features\":{{}},\"yanked\":false}}\n"
            ),
        );
        let git = world.path("git-crate");
        write(&git.join("Cargo.toml"), "[package]\nname = \"from-git\"\nversion = \"0.3.0\"\nedition = \"2021\"\n");
        write(&git.join("src/lib.rs"), "pub fn name() -> &'static str { \"git\" }\n");
        for repository in [&index, &git] {
            run("git", repository, &["init", "-q", "-b", "main"]);
            run("git", repository, &["add", "-A"]);
            run("git", repository, &["commit", "-q", "-m", "x"]);
        }
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A repository with the cargo workspace.
    fn repository(&self, root: &Path) {
        write(
            &root.join(".cargo/config.toml"),
            &format!(
                "[registries.test]\nindex = \"file://{}\"\n[build]\nrustflags = [\"--cfg\", \"flag_of_the_repository\"]\n",
                self.path("index").display()
            ),
        );
        write(
            &root.join("Cargo.toml"),
            "[workspace]\nmembers = [\"app\", \"shared\"]\nresolver = \"3\"\n[profile.release]\nopt-level = 0\n",
        );
        write(
            &root.join("app/Cargo.toml"),
            &format!(
                "[package]\nname = \"tiny-app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\nshared.path = \"../shared\"\n\
                 tiny-numbers = {{ version = \"1\", registry = \"test\" }}\nfrom-git = {{ git = \"file://{}\" }}\n",
                self.path("git-crate").display()
            ),
        );
        write(
            &root.join("app/src/main.rs"),
            "fn main() {\n    #[cfg(not(flag_of_the_repository))]\n    compile_error!(\"flags of the repository\");\n    \
             println!(\"{} {} {}\", shared::name(), from_git::name(), tiny_numbers::place());\n    \
             println!(\"{} {}\", file!(), env!(\"CARGO_MANIFEST_DIR\"));\n    \
             println!(\"{}\", tiny_numbers::check(std::env::args().count()));\n}\n",
        );
        write(
            &root.join("shared/Cargo.toml"),
            "[package]\nname = \"shared\"\nversion = \"0.2.0\"\nedition = \"2021\"\nlicense = \"Apache-2.0\"\n",
        );
        write(&root.join("shared/src/lib.rs"), "pub fn name() -> &'static str { \"shared\" }\n");
    }
}

fn member(name: &str, path: &str, kind: Kind) -> Member {
    Member {
        name: PackageName::parse(name).expect("a name"),
        ecosystem_name: name.to_owned(),
        ecosystem: EcosystemKind::Rust,
        kind,
        path: PathBuf::from(path),
        manifest: Path::new(path).join("Cargo.toml"),
        version: Some("0.1.0".to_owned()),
        summary: None,
        license: Some("Apache-2.0".to_owned()),
        reason: String::new(),
        commands: if kind == Kind::Service { vec![name.to_owned()] } else { Vec::new() },
        requires: Vec::new(),
        optional: std::collections::BTreeMap::new(),
        dependencies: Vec::new(),
        unread: Vec::new(),
        submodule: None,
    }
}

/// Keeps what it is told.
#[derive(Default)]
struct Recorder(std::sync::Mutex<Vec<String>>);

impl Reporter for Recorder {
    fn step(&self, verb: &str, subject: &str) {
        self.0.lock().expect("unpoisoned").push(format!("{verb} {subject}"));
    }
    fn note(&self, message: &str) {
        self.step("note:", message);
    }
    fn detail(&self, _message: &str) {}
    fn progress(&self, _label: &str, _total: u64, _unit: Unit) -> Box<dyn Progress> {
        Box::new(Silent)
    }
}

struct Bench {
    settings: Settings,
    workspace: Workspace,
    cache: Cache,
    recorder: Recorder,
}

impl Bench {
    fn new(root: &Path, cache: &Path) -> Self {
        let settings = Settings {
            root: root.to_path_buf(),
            project: ProjectSettings {
                org: OrgName::parse("acme").expect("a name"),
                maintainer: Maintainer { name: "A".to_owned(), mail: "a@example.org".to_owned() },
                homepage: None,
                license: None,
                targets: Vec::new(),
                members: None,
                exclude: GlobSet::empty(),
                vendor: PathBuf::from("vendor"),
                effort: packhouse::format::Effort::Default,
            },
            indexes: Vec::new(),
            services: [].into(),
            adopted: Default::default(),
            distributions: distributions(),
            licenses: packhouse::config::LicensePolicy::default(),
            repository: RepositorySettings::default(),
        };
        let members = vec![member("tiny-app", "app", Kind::Service), member("shared", "shared", Kind::Library)];
        let workspace = Workspace { root: root.to_path_buf(), members };
        Self { settings, workspace, cache: Cache::at(cache), recorder: Recorder::default() }
    }

    fn context(&self) -> Context<'_> {
        Context {
            settings: &self.settings,
            workspace: &self.workspace,
            cache: &self.cache,
            reporter: &self.recorder,
            offline: false,
            locked: false,
            threads: 2,
        }
    }

    fn lock(&self) -> Result<Outcome, Error> {
        of(EcosystemKind::Rust).lock(self.context(), &self.workspace.members[0], &Upgrade::Nothing)
    }

    fn vendor(&self) -> Result<Outcome, Error> {
        of(EcosystemKind::Rust).vendor(self.context(), &self.workspace.members[0])
    }

    fn stage(&self, target: &str) -> Result<Staged, Error> {
        let mut distribution = distribution(target).expect("built in");
        // The test's machine may be newer than the target.
        distribution.glibc = (2, 99);
        let target = Target { distribution, architecture: Architecture::host().expect("a known machine") };
        of(EcosystemKind::Rust).stage(
            self.context(),
            &self.workspace.members[0],
            &target,
            &Release { time: 1_600_000_000, ..Release::default() },
        )
    }
}

fn program(staged: &Staged) -> Vec<u8> {
    let (_, path) = &staged.commands[0];
    assert_eq!(path.as_str(), "/usr/lib/acme/tiny-app/bin/tiny-app");
    let entry = staged.tree.get(path).expect("in the tree");
    assert_eq!(entry.mode, 0o755);
    let Node::File(content) = &entry.node else { panic!("a file") };
    let mut bytes = Vec::new();
    content.open().expect("opened").read_to_end(&mut bytes).expect("read");
    bytes
}

use std::io::Read as _;

#[test]
fn a_service_is_locked_vendored_and_built_offline_with_equal_bytes_in_another_directory() {
    if !in_own_cargo_home("a_service_is_locked_vendored_and_built_offline_with_equal_bytes_in_another_directory") {
        return;
    }
    let world = World::new();
    let (first, second) = (world.path("first"), world.path("a/much/longer/second"));
    world.repository(&first);
    let bench = Bench::new(&first, &world.path("cache-one"));

    let error = bench.stage("debian-12").expect_err("no lock");
    assert!(error.hints()[0].contains("packhouse lock tiny-app"), "{:?}", error.hints());
    let locked = of(EcosystemKind::Rust).lock(
        Context { locked: true, ..bench.context() },
        &bench.workspace.members[0],
        &Upgrade::Nothing,
    );
    assert_eq!(locked.expect_err("--locked").exit_code(), ExitCode::Policy);
    assert!(!first.join("Cargo.lock").exists());

    assert_eq!(bench.lock().expect("locked"), Outcome::Changed);
    assert_eq!(bench.lock().expect("locked"), Outcome::Fresh);
    let error = bench.stage("debian-12").expect_err("no vendor directory");
    assert!(error.hints()[0].contains("packhouse vendor tiny-app"), "{:?}", error.hints());

    assert_eq!(bench.vendor().expect("vendored"), Outcome::Changed);
    let start = std::time::Instant::now();
    assert_eq!(bench.vendor().expect("vendored"), Outcome::Fresh);
    assert!(start.elapsed().as_secs() < 1, "{:?}", start.elapsed());
    assert!(!fs_err::read_to_string(first.join(".cargo/config.toml")).expect("read").contains("vendor"));

    // The sources and registries are gone from the world: only the vendor directory is left.
    fs_err::rename(world.path("index"), world.path("index-away")).expect("moved");
    fs_err::rename(world.path("git-crate"), world.path("git-away")).expect("moved");
    let staged = bench.stage("debian-12").expect("built");
    let one = program(&staged);
    let Node::File(content) = &staged.tree.get(&staged.commands[0].1).expect("there").node else { panic!("a file") };
    let Source::Path(path) = &content.source else { panic!("on disk") };
    let mut executable = fs_err::metadata(path).expect("there").permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut executable, 0o755);
    fs_err::set_permissions(path, executable).expect("set");
    let output = Command::new(path).output().expect("it runs");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.starts_with("shared git "), "{told}");
    let components: Vec<(&str, Option<&str>)> =
        staged.components.iter().map(|component| (component.purl.as_str(), component.license.as_deref())).collect();
    assert_eq!(
        components,
        [
            ("pkg:cargo/from-git@0.3.0", None),
            ("pkg:cargo/shared@0.2.0", Some("Apache-2.0")),
            ("pkg:cargo/tiny-numbers@1.0.0", Some("MIT OR Apache-2.0")),
        ]
    );
    assert_eq!(staged.isolation.len(), 1);

    fs_err::create_dir_all(second.parent().expect("a parent")).expect("made");
    run("cp", world.directory.path(), &["-r", "first", "a/much/longer/second"]);
    let other = Bench { cache: Cache::at(world.path("cache-two")), ..Bench::new(&second, Path::new("/")) };
    let two = program(&other.stage("debian-12").expect("built"));
    // Without mounts a crate that keeps `env!("CARGO_MANIFEST_DIR")`, as this one does, keeps the machine's path.
    if staged.isolation[0].contains("mount") {
        assert!(one == two, "two directories, two programs ({} and {} bytes)", one.len(), two.len());
        let text = String::from_utf8_lossy(&one);
        let leaked = world.directory.path().display().to_string();
        assert!(!text.contains(&leaked), "a path of the machine is in the program");
    } else {
        let said = bench.recorder.0.lock().expect("unpoisoned").join("\n");
        assert!(said.contains("note: tiny-app keeps the path"), "{said}");
    }

    // A change that keeps the file's time is seen.
    let source = second.join("shared/src/lib.rs");
    let time = fs_err::metadata(&source).expect("there").modified().expect("a time");
    fs_err::write(&source, "pub fn name() -> &'static str { \"changed\" }\n").expect("written");
    let times = std::fs::FileTimes::new().set_modified(time);
    fs_err::OpenOptions::new().write(true).open(&source).expect("opened").file().set_times(times).expect("set");
    let three = program(&other.stage("debian-12").expect("built"));
    assert!(String::from_utf8_lossy(&three).contains("changed"), "the change is in the program");
    assert!(one != three);

    // A manifest that the lock does not fit.
    let manifest = second.join("app/Cargo.toml");
    let text = fs_err::read_to_string(&manifest).expect("read").replace("version = \"1\"", "version = \"2\"");
    fs_err::write(&manifest, text).expect("written");
    let error = other.stage("debian-12").expect_err("stale");
    assert_eq!(error.exit_code(), ExitCode::Failed);
    assert_eq!(error.location().expect("a place").line_and_column().0, 8, "{error}");
}

#[test]
fn the_vendor_directory_is_judged_byte_by_byte_mended_and_foreign_files_are_kept() {
    if !in_own_cargo_home("the_vendor_directory_is_judged_byte_by_byte_mended_and_foreign_files_are_kept") {
        return;
    }
    let world = World::new();
    let root = world.path("repository");
    world.repository(&root);
    let bench = Bench::new(&root, &world.path("cache"));
    assert_eq!(bench.vendor().expect("vendored"), Outcome::Changed, "locks first when there is no lock");
    let vendor = root.join("vendor");
    let source = vendor.join("tiny-numbers-1.0.0/src/lib.rs");
    let good = fs_err::read(&source).expect("read");
    write(&vendor.join("NOTES"), "mine");
    write(&vendor.join(".git"), "gitdir: elsewhere");
    write(&vendor.join("old-0.1.0/.cargo-checksum.json"), "{}");

    type Damage = fn(&Path);
    let damages: [(&str, Damage); 6] = [
        ("SHA-256 of src/lib.rs", |root| fs_err::write(root.join("src/lib.rs"), "// evil").expect("written")),
        ("src/lib.rs is missing", |root| fs_err::remove_file(root.join("src/lib.rs")).expect("removed")),
        ("build.rs does not belong to it", |root| fs_err::write(root.join("build.rs"), "").expect("written")),
        ("no regular file", |root| std::os::unix::fs::symlink("/etc/passwd", root.join("link")).expect("linked")),
        ("its checksum is 00", |root| {
            let path = root.join(".cargo-checksum.json");
            let mut json: serde_json::Value =
                serde_json::from_slice(&fs_err::read(&path).expect("read")).expect("JSON");
            json["package"] = "00".into();
            fs_err::write(path, json.to_string()).expect("written");
        }),
        ("it is missing", |root| fs_err::remove_dir_all(root).expect("removed")),
    ];
    for (why, damage) in damages {
        damage(&vendor.join("tiny-numbers-1.0.0"));
        let error = bench.stage("debian-12").expect_err(why);
        assert!(error.to_string().contains(why), "{error}");
        assert!(error.hints()[0].contains("packhouse vendor tiny-app"));
        assert_eq!(bench.vendor().expect("mended"), Outcome::Changed);
        assert_eq!(fs_err::read(&source).expect("read"), good);
    }
    assert_eq!(fs_err::read_to_string(vendor.join("NOTES")).expect("kept"), "mine");
    assert_eq!(fs_err::read_to_string(vendor.join(".git")).expect("kept"), "gitdir: elsewhere");
    assert!(!vendor.join("old-0.1.0").exists(), "a crate that the lock does not name");
    let said = bench.recorder.0.lock().expect("unpoisoned").join("\n");
    assert!(said.contains("note: kept in vendor: NOTES"), "{said}");
    let left: Vec<_> = fs_err::read_dir(&root).expect("read").map(|entry| entry.expect("read").file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with(".packhouse")), "{left:?}");
}

#[test]
fn a_program_too_new_for_the_target_and_another_architecture_are_errors_with_advice() {
    let directory = tempfile::tempdir().expect("a directory");
    let root = directory.path().join("repository");
    write(&root.join("app/Cargo.toml"), "[package]\nname = \"tiny-app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
    write(&root.join("app/src/main.rs"), "fn main() {}\n");
    write(&root.join("app/Cargo.lock"), "version = 4\n\n[[package]]\nname = \"tiny-app\"\nversion = \"0.1.0\"\n");
    let mut bench = Bench::new(&root, &directory.path().join("cache"));
    bench.workspace.members.truncate(1);
    let mut target = Target {
        distribution: distribution("debian-12").expect("built in"),
        architecture: Architecture::host().expect("a known machine"),
    };
    target.distribution.glibc = (2, 5);
    let rust = of(EcosystemKind::Rust);
    let error =
        rust.stage(bench.context(), &bench.workspace.members[0], &target, &Release::default()).expect_err("too new");
    assert!(error.to_string().contains("@GLIBC_2."), "{error}");
    assert!(error.hints()[0].contains("older release"), "{:?}", error.hints());

    let other = Architecture::ALL.into_iter().find(|other| Some(*other) != Architecture::host()).expect("another");
    let target = Target { architecture: other, ..target };
    let error = rust
        .stage(bench.context(), &bench.workspace.members[0], &target, &Release::default())
        .expect_err("another machine");
    assert!(error.to_string().contains("cannot be built"), "{error}");

    write(&root.join("rust-toolchain.toml"), "[toolchain]\nchannel = \"1.2.3\"\n");
    let target = Target { architecture: Architecture::host().expect("a known machine"), ..target };
    let error = rust
        .stage(bench.context(), &bench.workspace.members[0], &target, &Release::default())
        .expect_err("not installed");
    assert_eq!(error.exit_code(), ExitCode::Environment, "{error}");
    assert!(error.hints()[0].contains("rustup toolchain install 1.2.3"), "{:?}", error.hints());
    write(&root.join("rust-toolchain.toml"), "[toolchain]\npath = \"evil\"\n");
    let error =
        rust.stage(bench.context(), &bench.workspace.members[0], &target, &Release::default()).expect_err("refused");
    assert_eq!(error.exit_code(), ExitCode::Usage, "{error}");
}

#[test]
fn two_processes_may_vendor_the_same_workspace_at_once() {
    if !in_own_cargo_home("two_processes_may_vendor_the_same_workspace_at_once") {
        return;
    }
    let world = World::new();
    let root = world.path("repository");
    world.repository(&root);
    write(&root.join("packhouse.toml"), "[project]\norg = \"acme\"\nmaintainer = \"A <a@example.org>\"\n");
    let start = || {
        Command::new(env!("CARGO_BIN_EXE_packhouse"))
            .arg("vendor")
            .current_dir(&root)
            .env("PACKHOUSE_CACHE_DIR", world.path("cache"))
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("it starts")
    };
    let running = [start(), start(), start()];
    for process in running {
        let output = process.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let bench = Bench::new(&root, &world.path("cache"));
    assert_eq!(bench.vendor().expect("vendored"), Outcome::Fresh);
    let mut names: Vec<String> = fs_err::read_dir(root.join("vendor"))
        .expect("a vendor directory")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    assert_eq!(names, ["from-git-0.3.0", "tiny-numbers-1.0.0"]);
}
