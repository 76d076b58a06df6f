//! A project that nobody has configured: one service is built without a file, and `init` says what it found and writes only
//! what is needed.

#![allow(clippy::expect_used, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;

struct World {
    directory: tempfile::TempDir,
}

impl World {
    /// A crate with a program in `project/edge`, and git's user of this machine.
    fn new() -> Self {
        let world = Self { directory: tempfile::tempdir().expect("a directory") };
        world.put("home/.gitconfig", "[user]\n\tname = Jo Doe\n\temail = jo@acme.example\n");
        world.put(
            "project/edge/Cargo.toml",
            "[package]\nname = \"edge\"\nversion = \"1.0.0\"\nedition = \"2021\"\nlicense = \"MIT\"\ndescription = \"Serves the edge\"\n",
        );
        world.put("project/edge/Cargo.lock", "version = 4\n\n[[package]]\nname = \"edge\"\nversion = \"1.0.0\"\n");
        world.put("project/edge/src/main.rs", "fn main() { println!(\"edge 1.0.0\"); }\n");
        world
    }

    fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs_err::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs_err::write(path, text).expect("a file");
    }

    fn commit(&self) {
        for arguments in [&["init", "-q"][..], &["add", "-A"], &["commit", "-qm", "start"]] {
            let mut git = Command::new("git");
            git.current_dir(self.path("project")).env("HOME", self.path("home")).args(arguments).assert().success();
        }
    }

    /// packhouse in a directory of the project.
    fn packhouse(&self, directory: &str, arguments: &[&str]) -> Output {
        let mut command = Command::cargo_bin("packhouse").expect("the program");
        command.current_dir(self.path(directory)).args(arguments);
        let rustup = std::env::var_os("RUSTUP_HOME").map(PathBuf::from).or_else(|| Some(home()?.join(".rustup")));
        let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(home()?.join(".cargo")));
        command.env("HOME", self.path("home")).env("PACKHOUSE_CACHE_DIR", self.path("cache"));
        for (name, value) in [("RUSTUP_HOME", rustup), ("CARGO_HOME", cargo)] {
            command.envs(value.map(|value| (name, value)));
        }
        for name in ["SOURCE_DATE_EPOCH", "PACKHOUSE_ORG", "PACKHOUSE_MAINTAINER", "XDG_CONFIG_HOME"] {
            command.env_remove(name);
        }
        command.output().expect("it runs")
    }

    /// The installed paths and the maintainer of the one .deb in `directory`.
    fn deb(&self, directory: &str) -> String {
        let found: Vec<PathBuf> = fs_err::read_dir(self.path(directory))
            .expect("artefacts")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "deb"))
            .collect();
        let [deb] = found.as_slice() else { unreachable!("{found:?}") };
        let of = |arguments: &[&str]| {
            let mut command = std::process::Command::new("dpkg-deb");
            String::from_utf8(command.args(arguments).arg(deb).output().expect("dpkg-deb").stdout).expect("text")
        };
        format!("{}{}", of(&["-c"]), of(&["-f"]))
    }
}

fn home() -> Option<PathBuf> {
    std::env::var_os("HOME").map(PathBuf::from)
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const BUILD: [&str; 3] = ["build", "--target", "debian-12"];

#[test]
fn one_service_is_built_without_a_file_with_git_and_without_and_from_a_directory_below() {
    for with_git in [true, false] {
        let world = World::new();
        if with_git {
            world.commit();
        }
        // Without git the project begins where its manifest is.
        let root = if with_git { "project" } else { "project/edge" };
        let output = world.packhouse("project/edge/src", &BUILD);
        assert!(output.status.success(), "{}", stderr(&output));
        let told = stderr(&output);
        assert!(told.contains("organisation edge (from the name of the only service)"), "{told}");
        assert!(told.contains("Jo Doe <jo@acme.example> (git's user on this machine)"), "{told}");
        let deb = world.deb(&format!("{root}/target/packhouse"));
        assert!(
            deb.contains("./usr/lib/edge/edge/bin/edge") && deb.contains("Maintainer: Jo Doe <jo@acme.example>"),
            "{deb}"
        );
        assert!(!world.path("project/packhouse.toml").exists() && !world.path("project/edge/packhouse.toml").exists());
        let again = world.packhouse("project/edge/src", &BUILD);
        let told = stderr(&again);
        assert!(told.contains("nothing has changed since the last build"), "{told}");
        // What was assumed is told again.
        assert_eq!(told.matches("organisation edge").count(), 1, "{told}");
        assert_eq!(stdout(&again), stdout(&output));
    }
}

#[test]
fn a_file_or_an_argument_that_comes_later_counts_although_nothing_else_has_changed() {
    let world = World::new();
    world.commit();
    assert!(world.packhouse("project", &BUILD).status.success());
    let told = [&BUILD[..], &["--org", "acme", "--maintainer", "Acme <cloud@acme.example>"]].concat();
    assert!(world.packhouse("project", &told).status.success());
    let deb = world.deb("project/target/packhouse");
    assert!(
        deb.contains("./usr/lib/acme/edge/bin/edge") && deb.contains("Maintainer: Acme <cloud@acme.example>"),
        "{deb}"
    );
    world.put("project/packhouse.toml", "[project]\norg = \"other\"\nmaintainer = \"O <o@acme.example>\"\n");
    let output = world.packhouse("project", &BUILD);
    assert!(output.status.success() && !stderr(&output).contains("nothing has changed"), "{}", stderr(&output));
    let deb = world.deb("project/target/packhouse");
    assert!(deb.contains("./usr/lib/other/edge/bin/edge") && deb.contains("Maintainer: O <o@acme.example>"), "{deb}");
    // What stands on the command line is stronger than the file as well.
    assert!(world.packhouse("project", &told).status.success());
    assert!(world.deb("project/target/packhouse").contains("./usr/lib/acme/edge/bin/edge"));
}

#[test]
fn the_manifests_author_goes_before_gits_user_and_the_environment_before_both() {
    let world = World::new();
    let manifest = fs_err::read_to_string(world.path("project/edge/Cargo.toml")).expect("text");
    world.put("project/edge/Cargo.toml", &format!("{manifest}authors = [\"Nobody\", \"Ann <ann@acme.example>\"]\n"));
    let output = world.packhouse("project/edge", &["list"]);
    assert!(stderr(&output).contains("Ann <ann@acme.example> (from `authors` of Cargo.toml)"), "{}", stderr(&output));
    let mut command = Command::cargo_bin("packhouse").expect("the program");
    let output = command
        .current_dir(world.path("project/edge"))
        .args(["list"])
        .env("HOME", world.path("home"))
        .env("PACKHOUSE_CACHE_DIR", world.path("cache"))
        .env("PACKHOUSE_ORG", "acme")
        .env("PACKHOUSE_MAINTAINER", "Env <env@acme.example>")
        .output()
        .expect("it runs");
    let told = stderr(&output);
    assert!(
        told.contains("organisation acme (from PACKHOUSE_ORG)") && told.contains("Env <env@acme.example>"),
        "{told}"
    );
}

#[test]
fn what_cannot_be_guessed_is_named_with_the_command_that_writes_it_down() {
    let world = World::new();
    fs_err::remove_file(world.path("home/.gitconfig")).expect("removed");
    let output = world.packhouse("project/edge", &["list"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let told = stderr(&output);
    assert!(told.contains("maintainer") && told.contains("--maintainer") && told.contains("packhouse init"), "{told}");

    let world = World::new();
    world.put("project/ctl/Cargo.toml", "[package]\nname = \"ctl\"\nversion = \"1.0.0\"\nedition = \"2021\"\n");
    world.put("project/ctl/src/main.rs", "fn main() {}\n");
    world.commit();
    let output = world.packhouse("project", &["list"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let told = stderr(&output);
    assert!(told.contains("2 services (ctl, edge)") && told.contains("packhouse init --org project"), "{told}");
    let output = world.packhouse("project", &["list", "--org", "acme"]);
    let services = stdout(&output).lines().filter(|line| !line.starts_with(' ')).count();
    assert!(output.status.success() && services == 2, "{}{}", stdout(&output), stderr(&output));
}

#[test]
fn a_directory_without_a_project_is_not_searched_for_one() {
    let world = World::new();
    let output = world.packhouse("project", &["list"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("no configuration found") && stderr(&output).contains("packhouse init"));
}

#[test]
fn init_says_what_it_found_and_writes_nothing_when_nothing_is_needed() {
    let world = World::new();
    world.commit();
    for arguments in [&["init", "--dry-run"][..], &["init"]] {
        let output = world.packhouse("project", arguments);
        assert!(output.status.success(), "{}", stderr(&output));
        let told = stderr(&output);
        for part in [
            "edge is a service: in edge: bin target edge",
            "commands: edge",
            "version: 1.0.0 (from edge/Cargo.toml)",
            "lock: edge/Cargo.lock",
            "needs no packhouse.toml",
        ] {
            assert!(told.contains(part), "{part}\n{told}");
        }
        assert!(!world.path("project/packhouse.toml").exists());
        assert_eq!(stdout(&output).is_empty(), arguments.len() == 2, "{}", stdout(&output));
    }
}

#[test]
fn init_prints_exactly_what_it_would_write_and_never_overwrites() {
    let world = World::new();
    world.put("project/edge/edge.service", "[Service]\nExecStart=/usr/bin/edge\n");
    world.put("project/edge/etc/edge.toml", "a = 1\n");
    world.commit();
    let built = world.packhouse("project", &BUILD);
    let told = stderr(&built);
    assert!(
        built.status.success() && told.contains("edge.service, etc/edge.toml will not be in the package"),
        "{told}"
    );
    let again = world.packhouse("project", &BUILD);
    assert!(stderr(&again).contains("edge.service, etc/edge.toml will not be in the package"), "{}", stderr(&again));

    let proposed = world.packhouse("project", &["init", "--dry-run"]);
    assert!(proposed.status.success() && !world.path("project/packhouse.toml").exists(), "{}", stderr(&proposed));
    assert!(world.packhouse("project", &["init"]).status.success());
    let written = fs_err::read_to_string(world.path("project/packhouse.toml")).expect("written");
    assert_eq!(written.trim_end(), stdout(&proposed).trim_end());
    assert!(
        written.contains("units = [\"edge.service\"]") && written.contains("config = [\"etc/edge.toml\"]"),
        "{written}"
    );
    for arguments in [&["init"][..], &["init", "--dry-run"], &["init", "--org", "acme"]] {
        let refused = world.packhouse("project", arguments);
        assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
        assert!(stderr(&refused).contains("is configured already"), "{}", stderr(&refused));
    }
    assert_eq!(fs_err::read_to_string(world.path("project/packhouse.toml")).expect("text"), written);
    let built = world.packhouse("project", &BUILD);
    assert!(built.status.success(), "{}", stderr(&built));
    let deb = world.deb("project/target/packhouse");
    assert!(deb.contains("./usr/lib/systemd/system/edge.service") && deb.contains("./etc/edge/edge.toml"), "{deb}");
}

#[test]
fn init_is_json_as_well_when_asked_for() {
    let world = World::new();
    world.commit();
    let output = world.packhouse("project", &["init", "--org", "acme", "--dry-run", "--format", "json"]);
    let documents: Vec<serde_json::Value> =
        stdout(&output).lines().map(|line| serde_json::from_str(line).expect("a document")).collect();
    let [service, configuration] = documents.as_slice() else { panic!("{documents:?}") };
    assert_eq!((&service["reason"], &service["name"]), (&"service".into(), &"edge".into()));
    assert_eq!(service["facts"][0]["subject"], "is a service");
    assert_eq!((&configuration["reason"], &configuration["org"]), (&"configuration".into(), &"acme".into()));
    assert_eq!((&configuration["needed"], &configuration["written"]), (&true.into(), &false.into()));
    assert!(configuration["text"].as_str().expect("text").contains("org = \"acme\""));
}

#[test]
fn a_crates_manifest_may_be_named_as_cargos_users_do() {
    let world = World::new();
    world.commit();
    let manifest = Path::new("edge/Cargo.toml").display().to_string();
    let output = world.packhouse("project", &["list", "--manifest-path", &manifest]);
    assert!(output.status.success() && stdout(&output).contains("edge 1.0.0"), "{}", stderr(&output));
}
