//! A root with a shell, a few programs and stubs that write down how they are called, for dpkg and rpm to install into.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Programs of this machine that scripts may call.
const PROGRAMS: [&str; 8] = ["bash", "cat", "find", "mkdir", "mktemp", "perl", "rm", "unlink"];
/// Programs that a system has and this root only pretends to have.
const STUBS: [&str; 3] = ["systemctl", "deb-systemd-helper", "deb-systemd-invoke"];

pub(crate) struct Machine {
    root: tempfile::TempDir,
}

pub(crate) fn run(program: &str, arguments: &[&str]) -> Output {
    // Who is not root is root of a namespace.
    let is_root = Command::new("id").arg("-u").output().expect("id").stdout == b"0\n";
    let mut command = match is_root {
        true => Command::new(program),
        false => {
            let mut command = Command::new("unshare");
            command.args(["--user", "--map-root-user", program]);
            command
        }
    };
    command.args(arguments).env("LC_ALL", "C").env_remove("DPKG_ROOT").output().expect(program)
}

pub(crate) fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

pub(crate) fn utf8(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

impl Machine {
    pub(crate) fn new() -> Self {
        let machine = Self { root: tempfile::tempdir().expect("a directory") };
        for directory in [
            "usr/bin",
            "usr/lib/systemd/system",
            "run/systemd/system",
            "tmp",
            "var/tmp",
            "var/lib/rpm",
            "var/lib/dpkg/info",
            "var/lib/dpkg/updates",
            "var/log",
            "etc",
            "dev",
        ] {
            fs::create_dir_all(machine.path(directory)).expect("mkdir");
        }
        symlink("usr/bin", machine.path("bin")).expect("a link");
        symlink("usr/bin", machine.path("sbin")).expect("a link");
        symlink("bin", machine.path("usr/sbin")).expect("a link");
        fs::write(machine.path("dev/null"), "").expect("write");
        fs::write(machine.path("var/lib/dpkg/status"), "").expect("write");
        fs::write(machine.path("log"), "").expect("write");
        for program in PROGRAMS {
            machine.bring(program);
        }
        fs::copy(machine.path("usr/bin/bash"), machine.path("usr/bin/sh")).expect("copy");
        for stub in STUBS {
            // deb-systemd-helper asks: `was-enabled` and `debian-installed` are true.
            machine.program(stub, &format!("#!/bin/sh\necho \"{stub} $*\" >> /log\n"));
        }
        machine
    }

    /// Copies a program with the libraries that it loads.
    fn bring(&self, program: &str) {
        let found = run("sh", &["-c", &format!("command -v {program}")]);
        let found = fs::canonicalize(String::from_utf8_lossy(&found.stdout).trim()).expect(program);
        fs::copy(&found, self.path("usr/bin").join(program)).expect("copy");
        let libraries = String::from_utf8(run("ldd", &[utf8(&found)]).stdout).expect("text");
        for library in libraries.split_whitespace().filter(|word| word.starts_with('/')) {
            let place = self.path(library.trim_start_matches('/'));
            fs::create_dir_all(place.parent().expect("a parent")).expect("mkdir");
            fs::copy(library, place).expect("copy");
        }
    }

    fn program(&self, name: &str, text: &str) {
        let path = self.path("usr/bin").join(name);
        fs::write(&path, text).expect("write");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("chmod");
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.path().join(relative)
    }

    /// dpkg, or rpm by the name of the file or package that it is told; what the scripts wrote since the last time, and
    /// how it ended.
    pub(crate) fn dpkg(&self, arguments: &[&str]) -> (Vec<String>, Output) {
        let root = format!("--root={}", utf8(self.root.path()));
        let options = ["--force-depends", "--force-not-root", "--log=/dev/null", &root];
        let output = run("dpkg", &[&options[..], arguments].concat());
        (self.log(), output)
    }

    pub(crate) fn rpm(&self, arguments: &[&str]) -> (Vec<String>, Output) {
        let options = ["--root", utf8(self.root.path()), "--dbpath", "/var/lib/rpm", "--nodeps"];
        let output = run("rpm", &[&options[..], arguments].concat());
        (self.log(), output)
    }

    /// Whether rpm has installed a package of this name.
    pub(crate) fn has(&self, package: &str) -> bool {
        let root = ["--root", utf8(self.root.path()), "--dbpath", "/var/lib/rpm", "-q", package];
        run("rpm", &root).status.success()
    }

    fn log(&self) -> Vec<String> {
        let lines = fs::read_to_string(self.path("log")).expect("the log").lines().map(str::to_owned).collect();
        fs::write(self.path("log"), "").expect("write");
        lines
    }
}
