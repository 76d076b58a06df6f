//! The vendor directory of a Python service, from the outside: what is in it after a run that went well, and after one
//! that was killed, had no room, or found somebody else's files.

// A test's helpers may fail as a test does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
// The server knows faults that only other tests need.
#[allow(dead_code, unreachable_pub)]
#[path = "../src/fetch/server.rs"]
mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use packhouse::cache::Cache;
use packhouse::config::{Maintainer, ProjectSettings, RepositorySettings, Settings};
use packhouse::diagnostic::Diagnose;
use packhouse::digest::Sha256;
use packhouse::ecosystem::python::lock::Locks;
use packhouse::ecosystem::python::pylock::{Hashes, LockFacts, LockedFile, LockedPackage, PyLock, Tools};
use packhouse::ecosystem::python::vendor::{VendorError, Vendored, check, fill};
use packhouse::ecosystem::{Context, Outcome};
use packhouse::name::{OrgName, PackageName};
use packhouse::report::{Progress, Reporter, Silent, Unit};
use packhouse::target::{distributions, parse_target};
use packhouse::workspace::{EcosystemKind, Kind, Member, Workspace};
use server::{Reply, Server};

/// Keeps what the user is told.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Reporter for Notes {
    fn step(&self, _verb: &str, _subject: &str) {}
    fn note(&self, message: &str) {
        self.0.lock().unwrap().push(message.to_owned());
    }
    fn detail(&self, _message: &str) {}
    fn progress(&self, _label: &str, _total: u64, _unit: Unit) -> Box<dyn Progress> {
        Box::new(Silent)
    }
}

/// A repository with one service, at a given place.
struct Repository {
    settings: Settings,
    workspace: Workspace,
    cache: Cache,
    notes: Notes,
    offline: bool,
}

impl Repository {
    fn at(root: &Path, cache: &Path) -> Self {
        let known = distributions();
        let project = ProjectSettings {
            org: OrgName::parse("acme").unwrap(),
            maintainer: Maintainer { name: "Acme".to_owned(), mail: "cloud@acme.example".to_owned() },
            homepage: None,
            license: None,
            targets: vec![parse_target("debian-12/amd64", &known).unwrap()],
            members: None,
            exclude: globset::GlobSet::empty(),
            vendor: PathBuf::from("vendor"),
            effort: packhouse::format::Effort::default(),
        };
        let settings = Settings {
            root: root.to_path_buf(),
            project,
            indexes: Vec::new(),
            services: BTreeMap::new(),
            adopted: Default::default(),
            distributions: known,
            licenses: packhouse::config::LicensePolicy::default(),
            repository: RepositorySettings::default(),
        };
        let service = Member {
            name: PackageName::parse("acme-api").unwrap(),
            ecosystem_name: "acme-api".to_owned(),
            ecosystem: EcosystemKind::Python,
            kind: Kind::Service,
            path: PathBuf::from("api"),
            manifest: PathBuf::from("api/pyproject.toml"),
            version: None,
            summary: None,
            license: None,
            reason: String::new(),
            commands: Vec::new(),
            requires: Vec::new(),
            optional: std::collections::BTreeMap::new(),
            dependencies: Vec::new(),
            unread: Vec::new(),
            submodule: None,
        };
        let workspace = Workspace { root: root.to_path_buf(), members: vec![service] };
        fs_err::create_dir_all(root.join("api")).unwrap();
        Self { settings, workspace, cache: Cache::at(cache), notes: Notes::default(), offline: false }
    }

    fn context(&self) -> Context<'_> {
        Context {
            settings: &self.settings,
            workspace: &self.workspace,
            cache: &self.cache,
            reporter: &self.notes,
            offline: self.offline,
            locked: false,
            threads: 2,
        }
    }

    fn fill(&self, locks: &Locks) -> Result<Outcome, VendorError> {
        fill(self.context(), &self.workspace.members[0], locks)
    }

    fn check(&self, locks: &Locks) -> Result<Vendored, VendorError> {
        check(self.context(), &self.workspace.members[0], locks)
    }

    fn vendor(&self) -> PathBuf {
        self.workspace.root.join("api/vendor")
    }

    fn names(&self) -> BTreeSet<String> {
        let entries = fs_err::read_dir(self.vendor()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn notes(&self) -> String {
        self.notes.0.lock().unwrap().join("\n")
    }
}

/// A repository in a fresh directory, and a server with `count` wheels of `size` bytes.
struct World {
    directory: tempfile::TempDir,
    repository: Repository,
    server: Server,
    wheels: BTreeMap<String, Vec<u8>>,
}

impl World {
    fn new(count: usize, size: usize) -> Self {
        Self::with(count, size, |request, wheels: &BTreeMap<String, Vec<u8>>| match wheels.get(&request.path[1..]) {
            Some(wheel) => Reply::ranged(request, wheel),
            None => Reply::status(404),
        })
    }

    fn with(
        count: usize,
        size: usize,
        answer: impl Fn(&server::Request, &BTreeMap<String, Vec<u8>>) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        let repository = Repository::at(&root.join("repository"), &root.join("cache"));
        let wheels: BTreeMap<String, Vec<u8>> =
            (0..count).map(|number| (format!("p{number}-1-py3-none-any.whl"), content(number, size))).collect();
        let served = wheels.clone();
        let server = Server::new(move |request| answer(request, &served));
        Self { directory, repository, server, wheels }
    }

    /// Locks that name these of its wheels.
    fn locks(&self, names: impl IntoIterator<Item = usize>) -> Locks {
        let packages = names.into_iter().map(|number| {
            let name = format!("p{number}-1-py3-none-any.whl");
            let wheel = &self.wheels[&name];
            LockedPackage {
                name: format!("p{number}"),
                version: Some("1".to_owned()),
                marker: None,
                requires_python: None,
                index: None,
                archive: None,
                sdist: None,
                wheels: vec![LockedFile {
                    url: Some(self.server.url(&format!("/{name}")).to_string()),
                    name,
                    size: Some(wheel.len() as u64),
                    hashes: Hashes { sha256: Sha256::of(wheel) },
                }],
            }
        });
        locks(packages.collect())
    }

    /// Runs `fill` in another process, below `prefix` (`unshare …`), with the locks written to a file.
    fn child(&self, locks: &Locks, prefix: &str) -> Command {
        let path = self.directory.path().join("locks.toml");
        // A child that has been started before may be reading it.
        let text = locks.runtime.to_text();
        if fs_err::read_to_string(&path).ok().as_ref() != Some(&text) {
            fs_err::write(&path, text).unwrap();
        }
        let program = std::env::current_exe().unwrap();
        let script = format!("{prefix} exec \"$0\" --exact the_child --ignored --nocapture");
        let mut command = Command::new("sh");
        command
            .args(["-ec", &script])
            .arg(program)
            .env("TEST_LOCKS", path)
            .env("TEST_ROOT", &self.repository.workspace.root)
            .env("TEST_CACHE", self.repository.cache.root())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

fn content(number: usize, size: usize) -> Vec<u8> {
    (0..size).map(|position| (position.wrapping_mul(31 + 2 * number) >> 3) as u8).collect()
}

fn locks(packages: Vec<LockedPackage>) -> Locks {
    let runtime = PyLock {
        lock_version: "1.0".to_owned(),
        environments: Vec::new(),
        requires_python: None,
        created_by: "packhouse".to_owned(),
        packages,
        tool: Tools { packhouse: LockFacts::default() },
    };
    Locks { runtime, build: None }
}

/// What [`World::child`] runs.
#[test]
#[ignore = "run by other tests, as a process of its own"]
fn the_child() {
    let variable = |name: &str| PathBuf::from(std::env::var_os(name).unwrap());
    let repository = Repository::at(&variable("TEST_ROOT"), &variable("TEST_CACHE"));
    let runtime = PyLock::read(&variable("TEST_LOCKS")).unwrap().unwrap();
    match repository.fill(&Locks { runtime, build: None }) {
        Ok(outcome) => println!("outcome {outcome:?}"),
        Err(error) => println!("error {error}\nhints {:?}\nexit {:?}", error.hints(), error.exit_code()),
    }
}

#[test]
fn the_vendor_directory_holds_what_the_lock_names_and_a_second_run_asks_nobody() {
    let world = World::new(20, 100_000);
    let (repository, locks) = (&world.repository, world.locks(0..20));
    assert_eq!(repository.fill(&locks).unwrap(), Outcome::Changed);
    assert_eq!(repository.names().len(), 21);
    for (name, wheel) in &world.wheels {
        let path = repository.vendor().join(name);
        assert_eq!(&fs_err::read(&path).unwrap(), wheel);
        assert_eq!(fs_err::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
    }
    let requests = world.server.requests().len();
    assert_eq!(requests, 20);
    let begin = Instant::now();
    assert_eq!(repository.fill(&locks).unwrap(), Outcome::Fresh);
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    assert_eq!(world.server.requests().len(), requests);
    assert_eq!(repository.check(&locks).unwrap().files.len(), 20);
    assert_eq!(repository.notes(), "");
}

#[test]
fn the_list_of_what_was_vendored_is_the_same_wherever_it_was_made() {
    let (one, other) = (World::new(3, 1000), World::new(3, 1000));
    for (world, order) in [(&one, [0, 1, 2]), (&other, [2, 0, 1])] {
        world.repository.fill(&world.locks(order)).unwrap();
    }
    let list = |world: &World| fs_err::read(world.repository.vendor().join("packhouse-vendor.json")).unwrap();
    assert_eq!(list(&one), list(&other));
}

#[test]
fn what_is_no_longer_named_goes_and_what_others_put_there_stays_and_is_named() {
    let world = World::new(3, 1000);
    let repository = &world.repository;
    repository.fill(&world.locks(0..3)).unwrap();
    for name in ["mine.whl", ".git", ".gitattributes", "README.md"] {
        fs_err::write(repository.vendor().join(name), "mine").unwrap();
    }
    fs_err::create_dir(repository.vendor().join("notes")).unwrap();
    // Packhouse has put this one there too, but somebody has changed it since.
    fs_err::write(repository.vendor().join("p2-1-py3-none-any.whl"), "changed").unwrap();
    assert_eq!(repository.fill(&world.locks(0..1)).unwrap(), Outcome::Changed);
    let expected = [
        ".git",
        ".gitattributes",
        "README.md",
        "mine.whl",
        "notes",
        "p0-1-py3-none-any.whl",
        "p2-1-py3-none-any.whl",
        "packhouse-vendor.json",
    ];
    assert_eq!(repository.names(), expected.map(str::to_owned).into());
    let notes = repository.notes();
    assert!(notes.contains("api/vendor") && notes.contains("mine.whl") && notes.contains("notes/"), "{notes}");
    assert!(notes.contains("p2-1") && !notes.contains("README") && !notes.contains(".git"), "{notes}");
    assert_eq!(repository.fill(&world.locks(0..1)).unwrap(), Outcome::Fresh);
    assert_eq!(repository.check(&world.locks(0..1)).unwrap().files.len(), 1);
}

#[test]
fn an_empty_vendor_directory_is_an_error_that_names_the_files_and_the_command() {
    let world = World::new(7, 1000);
    let error = world.repository.check(&world.locks(0..7)).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("p0-1-py3-none-any.whl") && text.contains("and 2 more are missing"), "{text}");
    assert_eq!(error.hints(), ["run `packhouse vendor acme-api`"]);
}

#[test]
fn a_file_with_another_content_of_the_same_size_is_seen_and_replaced() {
    let world = World::new(2, 1000);
    let (repository, locks) = (&world.repository, world.locks(0..2));
    repository.fill(&locks).unwrap();
    let path = repository.vendor().join("p1-1-py3-none-any.whl");
    let modified = fs_err::metadata(&path).unwrap().modified().unwrap();
    fs_err::write(&path, content(9, 1000)).unwrap();
    fs_err::File::open(&path).unwrap().set_modified(modified).unwrap();
    let error = repository.check(&locks).unwrap_err();
    assert!(error.to_string().contains("p1-1-py3-none-any.whl has another content"), "{error}");
    assert_eq!(repository.fill(&locks).unwrap(), Outcome::Changed);
    repository.check(&locks).unwrap();
    assert_eq!(world.server.requests().len(), 2, "the cache had it");
}

#[test]
fn a_file_that_went_bad_in_the_cache_is_fetched_again() {
    let world = World::new(1, 1000);
    let (repository, locks) = (&world.repository, world.locks(0..1));
    repository.fill(&locks).unwrap();
    fs_err::write(repository.cache.artefact(Sha256::of(&content(0, 1000))), content(5, 1000)).unwrap();
    fs_err::remove_dir_all(repository.vendor()).unwrap();
    repository.fill(&locks).unwrap();
    repository.check(&locks).unwrap();
    assert_eq!(world.server.requests().len(), 2);
}

#[test]
fn a_wrong_digest_puts_nothing_into_the_vendor_directory() {
    let world = World::with(3, 1000, |request, wheels| {
        let mut wheel = wheels[&request.path[1..]].clone();
        if request.path.starts_with("/p1") {
            wheel[500] ^= 1;
        }
        Reply::whole(wheel)
    });
    let error = world.repository.fill(&world.locks(0..3)).unwrap_err();
    assert!(error.to_string().contains("p1-1-py3-none-any.whl") && error.to_string().contains("sha256"), "{error}");
    assert!(!error.hints().is_empty());
    assert!(world.repository.names().is_empty());
    assert!(world.repository.check(&world.locks(0..3)).is_err());
}

#[test]
fn offline_the_cache_is_enough_and_without_it_the_file_is_named() {
    let mut world = World::new(2, 1000);
    let locks = world.locks(0..2);
    world.repository.fill(&locks).unwrap();
    fs_err::remove_dir_all(world.repository.vendor()).unwrap();
    world.repository.offline = true;
    assert_eq!(world.repository.fill(&locks).unwrap(), Outcome::Changed);
    let requests = world.server.requests().len();
    fs_err::remove_dir_all(world.repository.vendor()).unwrap();
    fs_err::remove_dir_all(world.repository.cache.root()).unwrap();
    let error = world.repository.fill(&locks).unwrap_err();
    assert!(error.to_string().contains("--offline"), "{error}");
    assert_eq!(world.server.requests().len(), requests);
}

#[test]
fn the_vendor_directory_of_a_library_is_never_looked_at() {
    let world = World::new(1, 1000);
    let library = world.repository.workspace.root.join("library/vendor");
    fs_err::create_dir_all(&library).unwrap();
    fs_err::write(library.join("p0-1-py3-none-any.whl"), content(0, 1000)).unwrap();
    assert!(world.repository.check(&world.locks(0..1)).is_err());
}

#[test]
fn two_contents_for_one_name_are_refused() {
    let world = World::new(2, 1000);
    let mut locks = world.locks(0..1);
    let mut build = world.locks(1..2).runtime;
    build.packages[0].wheels[0].name = "p0-1-py3-none-any.whl".to_owned();
    locks.build = Some(build);
    assert!(matches!(world.repository.fill(&locks), Err(VendorError::TwoFiles { .. })));
}

#[test]
fn a_run_killed_at_any_moment_leaves_nothing_half_written_and_the_next_one_goes_on() {
    for delay in (0..300).step_by(25) {
        let world = World::with(12, 200_000, |request, wheels| {
            Reply::ranged(request, &wheels[&request.path[1..]]).slowly(Duration::from_millis(10))
        });
        let (repository, locks) = (&world.repository, world.locks(0..12));
        let mut child = world.child(&locks, "").spawn().unwrap();
        std::thread::sleep(Duration::from_millis(delay));
        child.kill().unwrap();
        child.wait().unwrap();
        if repository.vendor().exists() {
            for name in repository.names().iter().filter(|name| name.ends_with(".whl")) {
                assert_eq!(
                    &fs_err::read(repository.vendor().join(name)).unwrap(),
                    &world.wheels[name],
                    "after {delay} ms"
                );
            }
        }
        repository.fill(&locks).unwrap();
        repository.check(&locks).unwrap();
        assert_eq!(repository.names().len(), 13, "after {delay} ms: {:?}", repository.names());
        assert_eq!(repository.notes(), "", "after {delay} ms");
    }
}

#[test]
fn a_file_half_fetched_by_a_killed_run_is_continued() {
    let world = World::with(1, 2_000_000, |request, wheels| {
        Reply::ranged(request, &wheels[&request.path[1..]]).slowly(Duration::from_millis(if request.earlier == 0 {
            40
        } else {
            0
        }))
    });
    let (repository, locks) = (&world.repository, world.locks(0..1));
    let mut child = world.child(&locks, "").spawn().unwrap();
    let part = repository.cache.section("parts").join(format!("{}.part", Sha256::of(&content(0, 2_000_000))));
    let begin = Instant::now();
    while fs_err::metadata(&part).map_or(0, |metadata| metadata.len()) < 300_000 {
        assert!(begin.elapsed() < Duration::from_secs(60), "the child did not begin");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    repository.fill(&locks).unwrap();
    repository.check(&locks).unwrap();
    let requests = world.server.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests[1].header("range").is_some(), "{:?}", requests[1]);
}

#[test]
fn two_processes_may_vendor_the_same_service_at_once() {
    let world = World::with(6, 100_000, |request, wheels| {
        Reply::ranged(request, &wheels[&request.path[1..]]).slowly(Duration::from_millis(5))
    });
    let locks = world.locks(0..6);
    let children: Vec<_> = (0..3).map(|_| world.child(&locks, "").spawn().unwrap()).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("outcome"), "{text}");
    }
    world.repository.check(&locks).unwrap();
    assert_eq!(world.repository.names().len(), 7);
    assert_eq!(world.server.requests().len(), 6);
}

/// Runs the child with `mounts` done in a mount namespace of its own, and gives what it says.
fn in_mounts(world: &World, locks: &Locks, mounts: &str) -> String {
    let inner = format!("{mounts} exec \"$0\" --exact the_child --ignored --nocapture");
    let command = format!("exec unshare --map-root-user --user --mount sh -ec '{inner}' \"$0\";");
    let output = world.child(locks, &command).output().unwrap();
    let (text, trouble) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(
        text.contains("outcome") || text.contains("error"),
        "the mounts could not be made (this test needs mount namespaces): {text}{trouble}"
    );
    text.into_owned()
}

#[test]
fn a_read_only_vendor_directory_is_named_and_left_as_it_was() {
    let world = World::new(2, 1000);
    let locks = world.locks(0..2);
    fs_err::create_dir_all(world.repository.vendor()).unwrap();
    let mounts = "mount --bind \"$TEST_ROOT/api/vendor\" \"$TEST_ROOT/api/vendor\"; \
                  mount -o remount,bind,ro \"$TEST_ROOT/api/vendor\";";
    let text = in_mounts(&world, &locks, mounts);
    assert!(text.contains("error") && text.contains("api/vendor"), "{text}");
    assert!(text.contains("read-only"), "{text}");
    assert!(world.repository.names().is_empty());
    assert_eq!(world.repository.fill(&locks).unwrap(), Outcome::Changed);
}

#[test]
fn a_vendor_directory_without_room_holds_whole_files_only() {
    let world = World::new(4, 600_000);
    let locks = world.locks(0..4);
    fs_err::create_dir_all(world.repository.vendor()).unwrap();
    let listing = world.directory.path().join("listing");
    let mounts = "mount -t tmpfs -o size=1m none \"$TEST_ROOT/api/vendor\";";
    // What is in the tmpfs is gone with it, so it is looked at from inside.
    let inner = format!(
        "{mounts} \"$0\" --exact the_child --ignored --nocapture; \
         cd \"$TEST_ROOT/api/vendor\"; sha256sum *.whl > \"{0}\" 2>/dev/null || true; ls -A > \"{0}.all\";",
        listing.display()
    );
    let command = format!("exec unshare --map-root-user --user --mount sh -ec '{inner}' \"$0\";");
    let output = world.child(&locks, &command).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("error"),
        "a full disk was no error, or no tmpfs could be mounted: {text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains("api/vendor") && text.contains("free some space"), "{text}");
    let digests: BTreeSet<String> = world.wheels.values().map(|wheel| Sha256::of(wheel).to_string()).collect();
    for line in fs_err::read_to_string(&listing).unwrap().lines() {
        assert!(digests.contains(&line[..64]), "{line}");
    }
    let all = fs_err::read_to_string(format!("{}.all", listing.display())).unwrap();
    assert!(!all.contains(".packhouse-"), "{all}");
}

#[test]
fn a_cache_without_room_keeps_nothing_half_written() {
    let world = World::new(3, 900_000);
    let locks = world.locks(0..3);
    fs_err::create_dir_all(world.repository.cache.root()).unwrap();
    let text = in_mounts(&world, &locks, "mount -t tmpfs -o size=1m none \"$TEST_CACHE\";");
    assert!(text.contains("error") && text.contains("free some space"), "{text}");
    assert!(world.repository.names().is_empty());
    assert_eq!(world.repository.fill(&locks).unwrap(), Outcome::Changed);
}

#[test]
fn a_lock_that_names_nothing_makes_no_directory() {
    let world = World::new(1, 10);
    assert_eq!(world.repository.fill(&locks(Vec::new())).unwrap(), Outcome::Fresh);
    assert!(!world.repository.vendor().exists());
}

#[test]
fn files_of_the_build_lock_are_vendored_too() {
    let world = World::new(2, 1000);
    let mut locks = world.locks(0..1);
    locks.build = Some(world.locks(0..2).runtime);
    world.repository.fill(&locks).unwrap();
    assert_eq!(world.repository.check(&locks).unwrap().files.len(), 2);
    assert_eq!(world.server.requests().len(), 2);
}
