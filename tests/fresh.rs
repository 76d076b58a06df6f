//! A build that changes nothing is answered from a record; whatever could change its result is built.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::expect_used, reason = "these are tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

const MAIN: &str = "fn main() { println!(\"{}\", \"one\"); }\n";

/// A git repository with one Rust service, built once.
struct World {
    directory: tempfile::TempDir,
    program: PathBuf,
    environment: BTreeMap<&'static str, String>,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let mut world =
            Self { program: PathBuf::from(env!("CARGO_BIN_EXE_packhouse")), environment: BTreeMap::new(), directory };
        world.environment.insert("PACKHOUSE_CACHE_DIR", world.path("cache").display().to_string());
        let path = std::env::var("PATH").unwrap_or_default();
        world.environment.insert("PATH", format!("{}:{path}", world.path("bin").display()));
        fs::create_dir_all(world.path("bin")).expect("mkdir");
        world.put("repo/edge/Cargo.toml", "[package]\nname = \"acme-edge\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
        world.put("repo/edge/Cargo.lock", "version = 3\n\n[[package]]\nname = \"acme-edge\"\nversion = \"0.1.0\"\n");
        world.put("repo/edge/src/main.rs", MAIN);
        world.put("repo/edge/etc/edge.toml", "port = 1\n");
        world.put("repo/.gitignore", "/target/\n*.log\n");
        world.put(
            "repo/packhouse.toml",
            "[project]\norg = \"acme\"\nmaintainer = \"Acme Cloud <cloud@acme.example>\"\nlicense = \"Apache-2.0\"\n\
             targets = [\"debian-12\"]\n[repository]\npath = \"published\"\n\
             [services.acme-edge]\nsummary = \"Edge of the cloud\"\nconfig = [\"etc/edge.toml\"]\n",
        );
        world.git(&["init", "-q", "-b", "main"]);
        world.git(&["add", "-A"]);
        world.git(&["commit", "-qm", "Edge"]);
        world.ok(&["vendor"]);
        world.git(&["add", "-A"]);
        world.git(&["commit", "-q", "--allow-empty", "-m", "Vendored"]);
        world.built("the first build");
        world
    }

    fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    fn put(&self, file: &str, text: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().expect("a parent")).expect("mkdir");
        fs::write(path, text).expect("write");
    }

    fn git(&self, arguments: &[&str]) {
        let status = Command::new("git")
            .current_dir(self.path("repo"))
            .args(["-c", "user.name=A", "-c", "user.email=a@acme.example"])
            .args(arguments)
            .status();
        assert!(status.expect("git").success(), "{arguments:?}");
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.program);
        command.current_dir(self.path("repo")).args(arguments).env_remove("SOURCE_DATE_EPOCH").envs(&self.environment);
        command.output().expect("packhouse")
    }

    /// What it printed, and what it told.
    fn ok(&self, arguments: &[&str]) -> (String, String) {
        let output = self.run(arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{told}");
        (String::from_utf8_lossy(&output.stdout).into_owned(), told)
    }

    fn build(&self, arguments: &[&str]) -> (String, String) {
        self.ok(&[&["build"], arguments].concat())
    }

    /// That the next build is none from the record, and that the one after it is.
    fn built(&self, why: &str) {
        self.built_with(why, &[]);
    }

    fn built_with(&self, why: &str, arguments: &[&str]) {
        // A change within the clock's granularity of the one before it is waited for by the build.
        let (printed, told) = self.build(arguments);
        assert!(!is_fresh(&told), "{why}: {told}");
        let (again, told) = self.build(arguments);
        assert!(is_fresh(&told), "after {why}: {told}");
        assert_eq!(again, printed, "{why}");
    }

    fn fresh(&self, why: &str) {
        let (_, told) = self.build(&[]);
        assert!(is_fresh(&told), "{why}: {told}");
    }

    /// That what is there now is what a build elsewhere, without anything kept, makes.
    fn is_as_a_clean_build(&self) {
        let mut clean = self.environment.clone();
        clean.insert("PACKHOUSE_CACHE_DIR", self.path("clean-cache").display().to_string());
        let world = Self {
            directory: tempfile::tempdir().expect("a directory"),
            program: self.program.clone(),
            environment: clean,
        };
        let mut command = Command::new(&world.program);
        command.current_dir(self.path("repo")).args(["build", "--out", "../clean"]).envs(&world.environment);
        assert!(command.output().expect("packhouse").status.success());
        let list = |directory: &Path| fs::read_to_string(directory.join("packhouse-artefacts.json")).expect("a list");
        assert_eq!(list(&self.path("repo/target/packhouse")), list(&self.path("clean")));
    }

    fn package(&self) -> PathBuf {
        PathBuf::from(self.build(&[]).0.trim())
    }
}

fn is_fresh(told: &str) -> bool {
    told.contains("nothing has changed since the last build")
}

fn modified(path: &Path) -> SystemTime {
    fs::metadata(path).and_then(|metadata| metadata.modified()).expect("a time")
}

fn set_modified(path: &Path, time: SystemTime) {
    fs::File::options().append(true).open(path).and_then(|file| file.set_modified(time)).expect("a time");
}

#[test]
fn a_fresh_answer_prints_what_the_build_printed_and_says_its_notes_again() {
    let world = World::new();
    let (built, told) = world.build(&["--force"]);
    let notes =
        |told: &str| -> Vec<String> { told.lines().filter(|line| line.contains("note")).map(str::to_owned).collect() };
    assert!(notes(&told).iter().any(|note| note.contains("the man page of `acme-edge`")), "{told}");
    let (again, told_again) = world.build(&[]);
    assert!(is_fresh(&told_again) && !is_fresh(&told), "{told_again}");
    assert_eq!((again, notes(&told_again)), (built, notes(&told)));
    // The form is not part of the record: a program is answered from what a person has built.
    let (json, _) = world.build(&["--format", "json"]);
    let (forced, _) = world.build(&["--format", "json", "--force"]);
    assert_eq!(json, forced);
    assert!(json.contains("\"reason\":\"artefact\""), "{json}");
    let (quiet, told) = world.build(&["-q"]);
    assert!(quiet.contains("acme-edge_0.1.0") && told.is_empty(), "{told}");
}

#[test]
fn every_change_of_the_repositorys_files_is_built() {
    let world = World::new();
    let main = world.path("repo/edge/src/main.rs");
    let before = modified(&main);
    fs::write(&main, MAIN.replace("one", "two")).expect("write");
    set_modified(&main, before);
    world.built("a change of the same size with its time set back");
    world.put("repo/edge/src/other.rs", "");
    world.built("an untracked file");
    world.put("repo/edge/src/generated.log", "");
    world.built("an ignored file, which a build may read all the same");
    fs::rename(world.path("repo/edge/src/other.rs"), world.path("repo/edge/src/another.rs")).expect("mv");
    world.built("another name");
    fs::remove_file(world.path("repo/edge/src/another.rs")).expect("rm");
    world.built("a file that is gone");
    let configuration = fs::read_to_string(world.path("repo/packhouse.toml")).expect("text");
    world.put("repo/packhouse.toml", &configuration.replace("Edge of the cloud", "Edge of the world"));
    world.built("a setting");
    world.put("repo/edge/etc/edge.toml", "port = 2\n");
    world.built("a conffile");
    let vendored = world.path("repo/edge/vendor");
    fs::create_dir_all(vendored.join("left-over")).expect("mkdir");
    let output = world.run(&["build"]);
    assert!(!output.status.success() || !is_fresh(&String::from_utf8_lossy(&output.stderr)), "a vendor directory");
    fs::remove_dir(vendored.join("left-over")).expect("rmdir");
    world.put("rust-toolchain.toml", "");
    world.built("a file in a directory above the repository that tools look for");
    world.is_as_a_clean_build();
    // What nobody reads does not count.
    world.put("repo/target/debug/acme-edge", "");
    world.put("cache/other", "");
    world.put("repo/target/packhouse/notes.txt", "");
    let (_, told) = world.build(&[]);
    assert!(is_fresh(&told), "{told}");
}

#[test]
fn every_change_of_git_that_may_be_a_version_or_a_change_is_built() {
    let world = World::new();
    world.git(&["tag", "v7.0.0"]);
    world.built("a tag");
    world.git(&["commit", "-q", "--amend", "--allow-empty", "-m", "Vendored, and said so"]);
    world.built("an amended commit");
    world.git(&["commit", "-q", "--allow-empty", "-m", "Nothing"]);
    world.built("a commit");
    world.git(&["pack-refs", "--all"]);
    world.built("packed refs");
    world.git(&["checkout", "-q", "-b", "other", "HEAD~1"]);
    world.built("another branch");
    world.git(&["config", "core.autocrlf", "false"]);
    world.built("git's configuration");
    world.put("repo/edge/etc/edge.toml", "port = 2\n");
    world.built("an uncommitted change");
    world.built_with("a revision to compare with", &["--changed-since", "HEAD~1"]);
    world.git(&["commit", "-qam", "Another port"]);
    world.git(&["commit", "-q", "--allow-empty", "-m", "And again"]);
    let (printed, told) = world.build(&["--changed-since", "HEAD~1"]);
    assert!(printed.is_empty() && told.contains("no service differs"), "{printed} {told}");
    // What git makes of the time of day is not written down.
    for _ in 0..2 {
        let (_, told) = world.build(&["--changed-since", "main@{0}"]);
        assert!(!is_fresh(&told), "{told}");
    }
}

#[test]
fn another_environment_packhouse_or_argument_is_another_build() {
    let mut world = World::new();
    world.environment.insert("SOURCE_DATE_EPOCH", "1767225600".to_owned());
    world.built("a time");
    world.environment.insert("PACKHOUSE_SANDBOX", "none".to_owned());
    world.built("another sandbox");
    world.environment.insert("LC_ALL", "C".to_owned());
    world.fresh("a variable that nobody reads");
    world.built_with("another directory", &["--out", "../out"]);
    world.built_with("a target", &["--target", "debian-13", "--out", "../thirteen"]);
    world.fresh("the builds into other directories");
    world.built_with("the default's target alone", &["acme-edge"]);
    let copy = world.path("copy-of-packhouse");
    fs::copy(&world.program, &copy).expect("a copy");
    world.program = copy;
    world.built("another file of packhouse");
    world.put("bin/python3.11", "#!/bin/sh\n");
    world.built("an interpreter that came");
    world.put("bin/python3.11", "#!/bin/sh\nexit 1\n");
    world.built("an interpreter that was replaced");
    let list = world.path("repo/target/packhouse/packhouse-artefacts.json");
    let output = world.run(&["build", "--previous", "../nowhere"]);
    assert_eq!(output.status.code(), Some(2), "a build that fails");
    assert!(list.exists());
    let output = world.run(&["build", "--previous", "../nowhere"]);
    assert_eq!(output.status.code(), Some(2), "a build that failed leaves no record");
}

#[test]
fn artefacts_are_made_again_when_they_are_not_what_was_made() {
    let world = World::new();
    let package = world.package();
    let bytes = fs::read(&package).expect("a package");
    fs::remove_file(&package).expect("rm");
    world.built("a package that is gone");
    let before = modified(&package);
    let mut edited = bytes.clone();
    if let Some(last) = edited.last_mut() {
        *last ^= 1;
    }
    fs::write(&package, edited).expect("write");
    set_modified(&package, before);
    world.built("a package that was edited");
    assert_eq!(fs::read(&package).expect("a package"), bytes);
    let copy = package.with_extension("copy");
    fs::copy(&package, &copy).expect("cp");
    fs::rename(&copy, &package).expect("mv");
    world.built("a package that was replaced");
    fs::remove_file(package.with_file_name("packhouse-artefacts.json")).expect("rm");
    world.built("a list that is gone");
    fs::remove_dir_all(world.path("repo/target")).expect("rm");
    world.built("a directory that is gone");
    assert_eq!(fs::read(&package).expect("a package"), bytes);
}

#[test]
fn what_was_published_is_looked_at_each_time() {
    let world = World::new();
    world.ok(&["key", "generate", "--user-id", "Acme <a@acme.example>", "../acme.key"]);
    world.ok(&["repo", "init", "published", "--origin", "acme", "--label", "Acme", "--key", "../acme.key"]);
    world.built("a repository that came");
    let list = "target/packhouse/packhouse-artefacts.json";
    world.ok(&["publish", list, "--repo", "published", "--suite", "bookworm", "--key", "../acme.key"]);
    world.built("a package that was published");
    let before = world.path("before");
    fs::create_dir_all(&before).expect("mkdir");
    world.built_with("a directory to compare with", &["--previous", "../before"]);
    fs::copy(world.package(), before.join("acme-edge.deb")).expect("cp");
    world.built_with("a package in it", &["--previous", "../before"]);
}

#[test]
fn what_is_installed_from_the_directory_for_artefacts_counts() {
    let world = World::new();
    let configuration = fs::read_to_string(world.path("repo/packhouse.toml")).expect("text");
    let files = "[[services.acme-edge.files]]\nsource = \"out/*.txt\"\npath = \"/usr/share/acme-edge/\"\n";
    world.put("repo/packhouse.toml", &format!("{configuration}{files}"));
    world.put("repo/edge/out/one.txt", "one\n");
    for text in ["one\n", "two\n"] {
        world.put("repo/edge/out/one.txt", text);
        let (_, told) = world.build(&["--out", "edge/out"]);
        assert!(!is_fresh(&told), "{told}");
    }
    world.put("repo/edge/out/two.txt", "two\n");
    let (_, told) = world.build(&["--out", "edge/out"]);
    assert!(!is_fresh(&told), "{told}");
    world.built("into another directory");
    world.put("repo/edge/out/one.txt", "six\n");
    world.built("what lies among other artefacts");
    // A directory of sources is none for artefacts alone.
    let (_, told) = world.build(&["--out", "."]);
    assert!(!is_fresh(&told), "{told}");
    world.put("repo/edge/src/main.rs", &MAIN.replace("one", "two"));
    let (_, told) = world.build(&["--out", "."]);
    assert!(!is_fresh(&told), "{told}");
}

#[test]
fn what_is_installed_from_what_looks_like_a_tools_cache_counts() {
    let world = World::new();
    let configuration = fs::read_to_string(world.path("repo/packhouse.toml")).expect("text");
    let files = "[[services.acme-edge.files]]\nsource = \"data/**\"\npath = \"/usr/share/acme-edge/\"\n";
    world.put("repo/packhouse.toml", &format!("{configuration}{files}"));
    world.put("repo/.gitignore", "/target/\n*.log\nnode_modules/\n");
    let places = ["repo/edge/data/node_modules/one.txt", "repo/edge/data/__pycache__/one.txt"];
    places.iter().for_each(|place| world.put(place, "one\n"));
    world.built("new files");
    for place in places {
        world.put(place, "two\n");
        world.built(place);
    }
}

#[test]
fn a_record_that_cannot_be_read_or_written_costs_nothing_but_time() {
    let world = World::new();
    let records = world.path("cache/fresh/v1");
    let record = fs::read_dir(&records).expect("records").next().expect("a record").expect("it").path();
    let bytes = fs::read(&record).expect("bytes");
    fs::write(&record, bytes.get(..bytes.len() / 2).unwrap_or_default()).expect("write");
    world.built("half a record");
    fs::write(&record, "packhouse fresh 0\n").expect("write");
    world.built("the record of another version");
    fs::remove_dir_all(&records).expect("rm");
    fs::write(&records, "").expect("a file in the way");
    for _ in 0..2 {
        let (printed, told) = world.build(&[]);
        assert!(printed.contains("acme-edge_0.1.0") && !is_fresh(&told), "{told}");
    }
}

#[test]
fn files_from_the_future_are_built_each_time_and_right() {
    let world = World::new();
    let main = world.path("repo/edge/src/main.rs");
    let future = SystemTime::now() + Duration::from_secs(3600);
    for text in ["two", "six"] {
        fs::write(&main, MAIN.replace("one", text)).expect("write");
        set_modified(&main, future);
        for _ in 0..2 {
            let (_, told) = world.build(&[]);
            assert!(!is_fresh(&told), "{told}");
        }
    }
    world.is_as_a_clean_build();
}
