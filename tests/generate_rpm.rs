//! `[package.metadata.generate-rpm]` from the command line to the packages, as rpm and dpkg read them.

#![allow(clippy::expect_used, reason = "these are tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const MANIFEST: &str = r#"[package]
name = "demo_tool"
version = "1.2.0-rc.1"
edition = "2021"
license = "MIT"
description = "Shows how a table is taken over"
homepage = "https://example.org/demo"

[package.metadata.generate-rpm]
assets = [
    { source = "target/release/demo_tool", dest = "/usr/bin/demo-tool" },
    { source = "demo.conf", dest = "/etc/demo/demo.conf", mode = "640", config = true },
    { source = "demo.1", dest = "/usr/share/man/man1/demo-tool.1", mode = "644", doc = true },
    { dest = "/var/lib/demo", dir = true, mode = "750", roup = "root" },
]
post_install_script = "scripts/post"
requires = { coreutils = ">= 8, < 99" }
obsoletes = { old-demo = "< 1" }

[package.metadata.generate-rpm.variants.small]
release = 2
"#;

/// A git repository with one crate, which has no dependencies.
struct World {
    directory: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let world = Self { directory: tempfile::tempdir().expect("a directory") };
        for (file, text) in [
            ("Cargo.toml", MANIFEST),
            ("Cargo.lock", "version = 3\n\n[[package]]\nname = \"demo_tool\"\nversion = \"1.2.0-rc.1\"\n"),
            ("src/main.rs", "fn main() { println!(\"demo\"); }\n"),
            ("demo.conf", "a = 1\n"),
            ("demo.1", ".TH DEMO-TOOL 1\n.SH NAME\ndemo-tool \\- shows\n"),
            ("scripts/post", "echo post \"$1\"\n"),
            (".gitignore", "/target\n"),
            (
                "packhouse.toml",
                "[project]\norg = \"acme\"\nmaintainer = \"Acme Cloud <cloud@acme.example>\"\ntargets = [\"el9\", \"debian-12\"]\n",
            ),
        ] {
            world.put(file, text);
        }
        for arguments in [&["init", "-q"][..], &["add", "-A"], &["commit", "-qm", "Demo"]] {
            let git = Command::new("git")
                .current_dir(world.path("repo"))
                .args(["-c", "user.name=A", "-c", "user.email=a@acme.example"])
                .args(arguments)
                .status();
            assert!(git.expect("git").success(), "{arguments:?}");
        }
        assert!(world.run(&["vendor"]).status.success(), "nothing is to be vendored");
        world
    }

    fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    fn put(&self, file: &str, text: &str) {
        let path = self.path("repo").join(file);
        fs_err::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs_err::write(path, text).expect("written");
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_packhouse"))
            .current_dir(self.path("repo"))
            .args(arguments)
            .env("PACKHOUSE_CACHE_DIR", self.path("cache"))
            .env_remove("SOURCE_DATE_EPOCH")
            .output()
            .expect("packhouse")
    }

    /// The packages that were built, and what was told.
    fn build(&self, arguments: &[&str]) -> (Vec<PathBuf>, String) {
        let output = self.run(&[&["build"], arguments].concat());
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {told}");
        (String::from_utf8_lossy(&output.stdout).lines().map(PathBuf::from).collect(), told)
    }

    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(&[&["build"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}

/// What a program prints, if it is on this machine.
fn printed(program: &str, arguments: &[&str], package: &Path) -> String {
    let output = Command::new(program).args(arguments).arg(package).output().expect(program);
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn of<'a>(packages: &'a [PathBuf], suffix: &str) -> &'a Path {
    packages.iter().find(|path| path.to_string_lossy().ends_with(suffix)).expect("a package")
}

#[test]
fn a_table_of_cargo_generate_rpm_gives_packages_of_both_formats() {
    let world = World::new();
    let (packages, told) = world.build(&[]);
    for part in ["Cargo.toml:14:57:", "did you mean `group`?", "`coreutils` is an RPM's name"] {
        assert!(told.contains(part), "{part}: {told}");
    }

    let rpm = of(&packages, ".rpm");
    let format = "%{NAME} %{VERSION}-%{RELEASE} %{URL}\n[%{FILENAMES} %{FILEMODES:octal} %{FILEFLAGS:fflags}\n]";
    let facts = printed("rpm", &["-qp", "--nosignature", "--queryformat", format], rpm);
    for line in [
        "demo_tool 1.2.0~rc.1-1.el9 https://example.org/demo",
        "/usr/bin/demo-tool 100755 ",
        "/etc/demo/demo.conf 100640 c",
        "/usr/share/man/man1/demo-tool.1.gz 100644 d",
        "/var/lib/demo 40750 ",
    ] {
        assert!(facts.lines().any(|found| found == line), "{line}: {facts}");
    }
    let relations = printed("rpm", &["-qp", "--nosignature", "--requires", "--obsoletes"], rpm);
    for line in ["coreutils >= 8", "coreutils < 99", "old-demo < 1", "libc.so.6()(64bit)"] {
        assert!(relations.lines().any(|found| found.trim() == line), "{line}: {relations}");
    }
    assert!(printed("rpm", &["-qp", "--nosignature", "--scripts"], rpm).contains("echo post \"$1\""));

    let deb = of(&packages, ".deb");
    let control = printed("dpkg-deb", &["-f"], deb);
    for line in ["Package: demo-tool", "Version: 1.2.0~rc.1-1~deb12u1", "Homepage: https://example.org/demo"] {
        assert!(control.lines().any(|found| found == line), "{line}: {control}");
    }
    assert!(control.contains("Replaces: old-demo (<< 1)") && control.contains("libc6"), "{control}");
    assert!(!control.contains("coreutils"), "{control}");
    let files = printed("dpkg-deb", &["-c"], deb);
    for part in [
        "-rwxr-xr-x root/root",
        "./usr/bin/demo-tool\n",
        "./usr/share/man/man1/demo-tool.1.gz\n",
        "drwxr-x--- root/root",
    ] {
        assert!(files.contains(part), "{part}: {files}");
    }
    let conffiles = Command::new("dpkg-deb").arg("-I").arg(deb).arg("conffiles").output().expect("dpkg-deb").stdout;
    assert_eq!(String::from_utf8_lossy(&conffiles).trim(), "/etc/demo/demo.conf");
}

#[test]
fn what_is_laid_over_the_table_counts_in_its_order_and_a_change_of_it_is_built() {
    let world = World::new();
    world.put("../over.toml", "[deep]\nrelease = 3\nvendor = \"Other\"\n");
    let over = format!("{}#deep", world.path("over.toml").display());
    let release = |arguments: &[&str]| {
        let (packages, told) = world.build(&[&["--target", "el9", "--source-date", "1700000000"], arguments].concat());
        let facts = printed(
            "rpm",
            &["-qp", "--nosignature", "--queryformat", "%{RELEASE} %{VENDOR} %{BUILDTIME} %{PAYLOADCOMPRESSOR}"],
            of(&packages, ".rpm"),
        );
        (facts, told.contains("Fresh"))
    };
    let facts = |text: &str, fresh: bool| (format!("{text} 1700000000 xz"), fresh);
    assert_eq!(release(&["--variant", "small", "-s", "vendor = \"One\""]), facts("2.el9 One", false));
    assert_eq!(release(&["--variant", "small", "--metadata-overwrite", &over]), facts("3.el9 Other", false));
    assert_eq!(release(&["--metadata-overwrite", &over, "--variant", "small"]), facts("2.el9 Other", false));
    let arguments = ["--metadata-overwrite", over.as_str()];
    assert_eq!(release(&arguments), facts("3.el9 Other", false));
    assert_eq!(release(&arguments), facts("3.el9 Other", true));
    world.put("../over.toml", "[deep]\nrelease = 4\n");
    assert_eq!(release(&arguments), facts("4.el9 Acme Cloud", false));
    let (gzip, _) = release(&["--payload-compress", "gzip"]);
    assert_eq!(gzip, "1.el9 Acme Cloud 1700000000 gzip");
}

#[test]
fn switches_are_for_the_services_that_are_named() {
    let world = World::new();
    let manifest =
        "[package]\nname = \"other\"\nversion = \"1.0.0\"\nedition = \"2021\"\nlicense = \"MIT\"\n\n[workspace]\n";
    world.put("other/Cargo.toml", manifest);
    world.put("other/src/main.rs", "fn main() {}\n");
    let (lists, told) = world.build(&["demo-tool", "--target", "el9", "--variant", "small", "--dry-run"]);
    assert!(!told.contains("nothing is changed") && lists.len() == 1, "{told}");
    let (_, told) = world.build(&["other", "--target", "el9", "-s", "release = 9", "--dry-run"]);
    assert!(!told.contains("nothing is changed"), "the other has the table: {told}");
    fs_err::write(world.path("repo/Cargo.toml"), MANIFEST.split("[package.metadata").next().expect("a part"))
        .expect("written");
    let (_, told) = world.build(&["--target", "el9", "-s", "release = 9", "--dry-run"]);
    assert!(told.contains("--set-metadata and --metadata-overwrite: nothing is changed"), "{told}");
}

#[test]
fn a_mistake_in_a_switch_is_shown_where_it_is() {
    let world = World::new();
    world.put("over.toml", "[deep]\nepoch = \"x\"\n");
    for (arguments, parts) in [
        (["-s", "release = true"], ["--set-metadata:1:11", "must be a string or an integer"]),
        (["--metadata-overwrite", "over.toml#deep"], ["over.toml:2:9", "must be an integer"]),
        (["--metadata-overwrite", "over.toml#dep"], ["did you mean `deep`?", "over.toml"]),
        (["--metadata-overwrite", "gone.toml"], ["gone.toml", "No such file"]),
        (["--variant", "smal"], ["did you mean `small`?", "variants"]),
        (["--signing-key", "key.asc"], ["publish", "--key key.asc"]),
        (["--arch", "sparc"], ["--arch sparc", "x86_64"]),
        (["--payload-compress", "none"], ["every package is compressed", "--effort fast"]),
    ] {
        let told = world.refused(&arguments);
        assert!(parts.iter().all(|part| told.contains(part)), "{arguments:?}: {told}");
    }
}
