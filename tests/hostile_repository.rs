//! A repository that wants to run its own code on the machine that packages it: whatever does not build must not let it.
//! Each trap is set where git, cargo, rustup, uv or Python would walk into it.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "in a test both are the way to fail")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;

const CONFIGURATION: &str =
    "[project]\norg = \"acme\"\nmaintainer = \"Acme <cloud@acme.example>\"\ntargets = [\"debian-12\"]\n";

struct Hostile {
    directory: tempfile::TempDir,
}

impl Hostile {
    fn new() -> Self {
        let hostile = Self { directory: tempfile::tempdir().expect("a directory") };
        let (sprung, script) = (hostile.sprung(), hostile.path("trap"));
        let python = format!("open({:?}, 'a').write('python ')\n", sprung.display().to_string());
        hostile.write("packhouse.toml", CONFIGURATION);
        hostile.write("trap", &format!("#!/bin/sh\necho \"$0 $*\" >> {}\nexit 1\n", sprung.display()));
        fs_err::set_permissions(&script, PermissionsExt::from_mode(0o755)).expect("a program");
        let script = script.display();

        // Python: the setup script, a back end in the tree, files that interpreters and uv pick up.
        hostile.write(
            "old/setup.py",
            &format!("{python}from setuptools import setup\nsetup(name='acme-old', version='1.0', scripts=['bin/acme-old'])\n"),
        );
        hostile.write("old/bin/acme-old", "#!/usr/bin/env python3\n");
        hostile.write(
            "new/pyproject.toml",
            "[project]\nname = \"acme-new\"\ndynamic = [\"version\"]\ndependencies = [\"acme-old\"]\n\
             [project.scripts]\nacme-new = \"acme_new:main\"\n\
             [build-system]\nrequires = []\nbuild-backend = \"evil\"\nbackend-path = [\".\"]\n",
        );
        for name in ["evil", "setuptools", "sitecustomize", "usercustomize", "acme_new"] {
            hostile.write(&format!("new/{name}.py"), &python);
            hostile.write(&format!("{name}.py"), &python);
            hostile.write(&format!("old/{name}.py"), &python);
        }
        hostile.write(
            "old/pyproject.toml",
            "[build-system]\nrequires = []\nbuild-backend = \"evil\"\nbackend-path = [\".\"]\n",
        );
        hostile.write("new/.python-version", "3.11\n");
        for name in ["uv", "python3", "python3.11", "cargo", "rustc", "git", "keyring"] {
            hostile.link("trap", name);
            hostile.link("trap", &format!("new/{name}"));
            hostile.link("trap", &format!("edge/{name}"));
        }
        hostile.link("trap", "new/.venv/bin/python");

        // Rust: everything that cargo runs on its own.
        hostile.write(
            "edge/Cargo.toml",
            "[package]\nname = \"acme-edge\"\nversion = \"1.0.0\"\nedition = \"2021\"\nbuild = \"build.rs\"\n",
        );
        hostile.write("edge/src/main.rs", "fn main() {}\n");
        hostile.write(
            "edge/build.rs",
            &format!("fn main() {{ std::fs::write({:?}, \"build.rs\").unwrap(); }}\n", sprung.display().to_string()),
        );
        let cargo = format!(
            "[build]\nrustc = \"{script}\"\nrustc-wrapper = \"{script}\"\nrustc-workspace-wrapper = \"{script}\"\n\
             [registry]\nglobal-credential-providers = [\"{script}\"]\n[credential-alias]\ntoken = [\"{script}\"]\n\
             [alias]\ngenerate-lockfile = \"!{script}\"\nupdate = \"!{script}\"\nvendor = \"!{script}\"\n\
             [net]\ngit-fetch-with-cli = true\n[target.x86_64-unknown-linux-gnu]\nrunner = \"{script}\"\nlinker = \"{script}\"\n"
        );
        hostile.write(".cargo/config.toml", &cargo);
        hostile.write("edge/.cargo/config.toml", &cargo);

        // git: everything that a command of it would run.
        git(&hostile.root(), &["init", "-q"]);
        git(&hostile.root(), &["add", "packhouse.toml", "old", "new/pyproject.toml", "edge"]);
        git(&hostile.root(), &["commit", "-q", "-m", "x"]);
        git(&hostile.root(), &["tag", "v1.0.0"]);
        hostile.write(".gitattributes", "* filter=trap diff=trap merge=trap\n");
        let configuration = format!(
            "[core]\n\trepositoryformatversion = 0\n\tfsmonitor = {script}\n\thooksPath = {root}/hooks\n\tpager = {script}\n\
             \teditor = {script}\n\tsshCommand = {script}\n\tgitProxy = {script}\n[credential]\n\thelper = {script}\n\
             [filter \"trap\"]\n\tclean = {script}\n\tsmudge = {script}\n\tprocess = {script}\n[diff \"trap\"]\n\tcommand = {script}\n\
             \ttextconv = {script}\n[gpg]\n\tprogram = {script}\n[uploadpack]\n\tpackObjectsHook = {script}\n",
            root = hostile.root().display()
        );
        hostile.write(".git/config", &configuration);
        for hook in ["post-checkout", "pre-commit", "post-index-change", "reference-transaction", "fsmonitor-watchman"]
        {
            hostile.link("trap", &format!("hooks/{hook}"));
            hostile.link("trap", &format!(".git/hooks/{hook}"));
        }
        hostile
    }

    fn root(&self) -> PathBuf {
        self.directory.path().join("repository")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// The file that every trap writes to.
    fn sprung(&self) -> PathBuf {
        self.directory.path().join("sprung")
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs_err::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs_err::write(path, text).expect("a file");
    }

    fn link(&self, target: &str, name: &str) {
        let path = self.path(name);
        fs_err::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs_err::os::unix::fs::symlink(self.path(target), path).expect("a link");
    }

    /// Runs packhouse where a careless user would, with the current directory first on PATH.
    fn packhouse(&self, directory: &str, arguments: &[&str]) -> Output {
        let path = std::env::var("PATH").expect("PATH");
        Command::cargo_bin("packhouse")
            .expect("the program")
            .args(arguments)
            .current_dir(self.path(directory))
            .env("PATH", format!(".:{path}"))
            .env("PACKHOUSE_CACHE_DIR", self.directory.path().join("cache"))
            .env_remove("SOURCE_DATE_EPOCH")
            .output()
            .expect("it runs")
    }

    /// Nothing was run so far.
    fn safe(&self, after: &str, output: &Output) {
        let sprung = fs_err::read_to_string(self.sprung()).unwrap_or_default();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(sprung.is_empty(), "{after} ran code of the repository: {sprung}\n{said}");
    }
}

fn git(directory: &Path, arguments: &[&str]) {
    let output = std::process::Command::new("git")
        .args(["-c", "user.name=A", "-c", "user.email=a@acme.example"])
        .args(arguments)
        .current_dir(directory)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .expect("git");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn listing_locking_vendoring_and_telling_the_changelog_run_nothing_of_the_repository() {
    let hostile = Hostile::new();
    for (directory, arguments) in [
        ("", &["list"][..]),
        ("new", &["list", "--format", "json"]),
        ("", &["changelog", "acme-new"]),
        ("", &["lock", "-v"]),
        ("edge", &["lock", "--locked"]),
        ("new", &["vendor"]),
        ("", &["lock", "--upgrade"]),
    ] {
        let output = hostile.packhouse(directory, arguments);
        hostile.safe(&arguments.join(" "), &output);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    // A toolchain in the repository would be cargo and rustc themselves.
    hostile.write("edge/rust-toolchain.toml", "[toolchain]\npath = \"toolchain\"\n");
    for program in ["cargo", "rustc"] {
        hostile.link("trap", &format!("edge/toolchain/bin/{program}"));
    }
    for arguments in [&["lock", "acme-edge", "--upgrade"][..], &["vendor", "acme-edge"], &["build", "acme-edge"]] {
        let output = hostile.packhouse("edge", arguments);
        hostile.safe(&arguments.join(" "), &output);
    }
    // The traps do work: git and Python themselves walk into them.
    let status = std::process::Command::new("git").args(["status"]).current_dir(hostile.root()).output();
    assert!(status.is_ok() && hostile.sprung().exists(), "the traps of git are not set");
}
