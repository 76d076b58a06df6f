//! `packhouse doctor` on machines with which something is wrong: each is broken on purpose.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::disallowed_types)]

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use assert_cmd::Command;

/// A repository with a Rust and a Python service, in git, and a PATH of its own with what both need.
struct Bench {
    directory: tempfile::TempDir,
}

/// What was said of each thing.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    topic: String,
    status: String,
    message: String,
    remedy: String,
    code: String,
}

impl Bench {
    fn new(more: &str) -> Self {
        let bench = Self { directory: tempfile::tempdir().expect("a directory") };
        let head = "[project]\norg = \"acme\"\nmaintainer = \"Acme <cloud@acme.example>\"\ntargets = [\"debian-12\"]\n";
        bench.write("work/packhouse.toml", &format!("{head}{more}"));
        bench.write(
            "work/edge/Cargo.toml",
            "[package]\nname = \"acme-edge\"\nversion = \"1.0.0\"\nedition = \"2024\"\n",
        );
        bench.write("work/edge/src/main.rs", "fn main() {}\n");
        bench.write(
            "work/api/pyproject.toml",
            "[project]\nname = \"acme-api\"\nversion = \"1.0\"\n[project.scripts]\nacme-api = \"acme:main\"\n",
        );
        bench.git(&["init", "--quiet"]);
        bench.git(&["add", "."]);
        bench.git(&["commit", "--quiet", "--message", "first"]);
        fs_err::create_dir_all(bench.path("bin")).expect("a directory");
        for program in ["git", "cargo", "rustc", "python3"] {
            let path = std::env::var_os("PATH").expect("a PATH");
            if let Some(found) = std::env::split_paths(&path).map(|one| one.join(program)).find(|one| one.is_file()) {
                symlink(found, bench.path("bin").join(program)).expect("a link");
            }
        }
        bench.write("bin/uv", "#!/bin/sh\necho 'uv 0.99.1 (x)'\n");
        fs_err::set_permissions(bench.path("bin/uv"), PermissionsExt::from_mode(0o755)).expect("a mode");
        bench
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs_err::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs_err::write(path, text).expect("a file");
    }

    fn git(&self, arguments: &[&str]) {
        let mut command = Command::new("git");
        command.current_dir(self.path("work")).args(["-c", "user.name=a", "-c", "user.email=a@acme.example"]);
        command.args(arguments).assert().success();
    }

    fn command(&self) -> Command {
        let mut command = Command::cargo_bin("packhouse").expect("the program");
        command
            .current_dir(self.path("work"))
            .env("PATH", self.path("bin"))
            .env("PACKHOUSE_CACHE_DIR", self.path("cache"))
            .env_remove("SSL_CERT_FILE")
            .env_remove("SSL_CERT_DIR")
            .env_remove("PACKHOUSE_SANDBOX")
            .env_remove("PIP_FIND_LINKS")
            .env("PIP_CONFIG_FILE", "/dev/null")
            .args(["doctor", "--format", "json"]);
        command
    }

    fn examined(&self, change: impl FnOnce(&mut Command)) -> (i32, Vec<Said>) {
        let mut command = self.command();
        change(&mut command);
        let output = command.output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout);
        let said = text.lines().map(|line| {
            let document: serde_json::Value = serde_json::from_str(line).expect("a document");
            assert_eq!(document["reason"], "doctor");
            let text = |key: &str| document[key].as_str().unwrap_or_default().to_owned();
            let (topic, status, message) = (text("topic"), text("status"), text("message"));
            Said { topic, status, message, remedy: text("remedy"), code: text("code") }
        });
        (output.status.code().expect("a code"), said.collect())
    }

    /// What is said of `topic` after a change that makes it a problem.
    fn broken(&self, topic: &str, change: impl FnOnce(&mut Command)) -> Said {
        let (exit, said) = self.examined(change);
        let found = said.iter().position(|one| one.topic == topic && one.status == "problem");
        assert_eq!((exit, found.is_some()), (4, true), "{topic}: {said:#?}");
        said.into_iter().nth(found.unwrap_or_default()).expect("it was found")
    }
}

#[test]
fn a_machine_that_has_everything_is_told_line_by_line_and_the_exit_status_is_0() {
    let bench = Bench::new("");
    let (exit, said) = bench.examined(|_| ());
    let problems: Vec<&Said> = said.iter().filter(|one| one.status == "problem").collect();
    // A machine without a C compiler cannot link, whatever is done here.
    let has_linker = ["/usr/bin/cc", "/bin/cc"].iter().any(|cc| Path::new(cc).exists());
    assert_eq!((exit, problems.len()), if has_linker { (0, 0) } else { (4, 1) }, "{said:#?}");
    for topic in [
        "project",
        "git",
        "history",
        "sandbox",
        "uv",
        "python",
        "cargo",
        "linker",
        "cache",
        "disk",
        "clock",
        "certificates",
    ] {
        assert!(said.iter().any(|one| one.topic == topic), "{topic}: {said:#?}");
    }
    assert!(said.iter().any(|one| one.topic == "uv" && one.message.starts_with("0.99.1, ")), "{said:#?}");
    assert!(said.iter().all(|one| (one.status == "ok") == one.remedy.is_empty()), "{said:#?}");
    assert!(!bench.path("cache").exists(), "nothing is made");
}

#[test]
fn without_a_project_what_is_missing_is_a_warning() {
    let bench = Bench::new("");
    fs_err::create_dir(bench.path("empty")).expect("a directory");
    let (exit, said) = bench.examined(|command| {
        command.current_dir(bench.path("empty")).env("PATH", bench.path("empty"));
    });
    assert_eq!(exit, 0, "{said:#?}");
    let status = |topic: &str| said.iter().find(|one| one.topic == topic).map(|one| one.status.clone());
    assert_eq!(status("cargo").as_deref(), Some("warning"), "{said:#?}");
    assert_eq!(status("uv").as_deref(), Some("warning"), "{said:#?}");
    assert_eq!(status("git").as_deref(), Some("warning"), "{said:#?}");
}

#[test]
fn missing_tools_are_problems_of_a_project_that_needs_them() {
    let bench = Bench::new("");
    let said = bench.broken("cargo", |command| {
        command.env("PATH", bench.path("none"));
    });
    assert_eq!(said.code, "no-cargo");
    assert!(said.remedy.contains("install cargo"), "{said:?}");
    bench.write("work/rust-toolchain.toml", "[toolchain]\nchannel = \"1.2.3\"\n");
    let said = bench.broken("cargo", |_| ());
    assert_eq!(said.code, "no-toolchain");
    assert!(
        said.message.starts_with("rust-toolchain.toml:2:") && said.remedy.contains("rustup toolchain install 1.2.3"),
        "{said:?}"
    );
}

#[test]
fn an_old_uv_is_told_with_its_version_and_an_interpreter_that_no_target_has_with_its_place() {
    let bench = Bench::new("[services.acme-api.python]\nversion = \"3.8\"\n");
    bench.write("bin/uv", "#!/bin/sh\necho 'uv 0.1.7'\n");
    let said = bench.broken("python", |_| ());
    assert_eq!(said.code, "interpreter-not-in-target");
    assert!(said.message.starts_with("packhouse.toml:6:11: "), "{said:?}");
    let (_, all) = bench.examined(|_| ());
    let uv = all.iter().find(|one| one.topic == "uv").expect("uv");
    assert!(uv.status == "warning" && uv.message.contains("0.1.7") && uv.remedy.contains("install uv"), "{uv:?}");
}

#[test]
fn variables_that_cannot_be_right_are_problems() {
    let bench = Bench::new("");
    for (name, value, topic, code) in [
        ("PACKHOUSE_SANDBOX", "requir", "sandbox", "unknown-sandbox-mode"),
        ("PACKHOUSE_CACHE_SIZE", "lots", "cache", "invalid-cache-size"),
        ("SSL_CERT_FILE", "none/ca.pem", "certificates", ""),
        ("SSL_CERT_FILE", "/etc/passwd", "certificates", ""),
        ("SSL_CERT_DIR", "none", "certificates", ""),
        ("PACKHOUSE_CACHE_DIR", "/proc/packhouse", "disk", ""),
        ("PACKHOUSE_CACHE_DIR", "/etc/passwd/cache", "disk", ""),
    ] {
        let said = bench.broken(topic, |command| {
            command.env(name, value);
        });
        assert_eq!(said.code, code, "{said:?}");
        assert!(!said.remedy.is_empty(), "{said:?}");
    }
    let (_, all) = bench.examined(|command| {
        command.env("PACKHOUSE_SANDBOX", "none");
    });
    let sandbox = all.iter().find(|one| one.topic == "sandbox").expect("the sandbox");
    assert_eq!((sandbox.status.as_str(), sandbox.remedy.as_str()), ("warning", "unset PACKHOUSE_SANDBOX"));
}

#[test]
fn a_shallow_clone_and_a_commit_of_the_future_are_problems() {
    let bench = Bench::new("");
    bench.write("work/more", "more");
    bench.git(&["add", "."]);
    let mut commit = Command::new("git");
    commit.current_dir(bench.path("work")).env("GIT_COMMITTER_DATE", "2090-01-01T00:00:00Z");
    commit.args(["-c", "user.name=a", "-c", "user.email=a@acme.example", "commit", "--quiet", "--message", "later"]);
    commit.assert().success();
    let said = bench.broken("clock", |_| ());
    assert!(said.message.contains("2090-01-01") && said.remedy.contains("timedatectl"), "{said:?}");
    let from = format!("file://{}", bench.path("work").display());
    bench.git(&["clone", "--quiet", "--depth", "1", &from, "../shallow"]);
    let said = bench.broken("history", |command| {
        command.current_dir(bench.path("shallow"));
    });
    assert!(said.code == "shallow-clone" && said.remedy.contains("git fetch --unshallow"), "{said:?}");
}

#[test]
fn the_projects_signing_key_is_looked_at() {
    let bench = Bench::new("[repository]\nkey = \"acme.key\"\n");
    let said = bench.broken("key", |_| ());
    assert_eq!(said.code, "file-not-found");
    let mut generate = Command::cargo_bin("packhouse").expect("the program");
    generate.current_dir(bench.path("work")).env("PACKHOUSE_CACHE_DIR", bench.path("cache"));
    generate.args(["key", "generate", "acme.key", "--algorithm", "rsa3072"]).assert().success();
    let (_, all) = bench.examined(|_| ());
    assert!(all.iter().any(|one| one.topic == "key" && one.status == "ok"), "{all:#?}");
    fs_err::set_permissions(bench.path("work/acme.key"), PermissionsExt::from_mode(0o644)).expect("a mode");
    let said = bench.broken("key", |_| ());
    assert!(said.code == "unusable-key" && said.remedy.contains("chmod"), "{said:?}");
}

#[test]
fn an_index_is_asked_only_with_network() {
    let bench = Bench::new("[[index]]\nname = \"internal\"\nurl = \"http://127.0.0.1:9/simple\"\n");
    let (_, all) = bench.examined(|_| ());
    assert!(all.iter().all(|one| one.topic != "index"), "{all:#?}");
    let said = bench.broken("index", |command| {
        command
            .arg("--network")
            .env("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
            .env("HTTP_PROXY", "")
            .env("http_proxy", "");
    });
    assert_eq!(said.code, "network-failed");
}

#[test]
fn a_configuration_that_cannot_be_read_is_a_problem_of_the_project() {
    let bench = Bench::new("licence = \"MIT\"\n");
    let said = bench.broken("project", |_| ());
    assert!(said.code == "unknown-key" && said.message.contains("packhouse.toml:5:1"), "{said:?}");
    assert!(said.remedy.contains("`license`"), "{said:?}");
}
