//! Manifests that cargo-deb 3.8 refuses, or makes a package of that does not work: the packages that packhouse makes of them
//! as they are, and cargo-deb's switches. The programs are there already (`--no-build`), so that no compiler is needed; dpkg
//! and rpm are the judges.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "these are tests"
)]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PROJECT: &str =
    "[project]\norg = \"acme\"\nmaintainer = \"Acme Cloud <cloud@acme.example>\"\ntargets = [\"debian-12\"]\n";

const PACKAGE: &str = "[package]\nname = \"my_App\"\nversion = \"1.2.0\"\nedition = \"2021\"\nlicense = \"MIT\"\n\
    description = \"Serves the edge of a cloud\"\nauthors = [\"Ada <ada@acme.example>\"]\n[package.metadata.deb]\n";

const UNIT: &str = "[Unit]\nDescription=Edge\n[Service]\nExecStart=/usr/bin/my_App\nUser=edge\n[Install]\nWantedBy=multi-user.target\n";

/// A repository with the crate `my_App`.
struct Repository {
    place: tempfile::TempDir,
}

impl Repository {
    fn new(table: &str, files: &[(&str, &str)]) -> Self {
        let repository = Self { place: tempfile::tempdir().expect("a directory") };
        repository.put("packhouse.toml", PROJECT);
        repository.put(".gitignore", "target/\n");
        repository.put("app/Cargo.toml", &format!("{PACKAGE}{table}\n"));
        repository.put("app/src/main.rs", "fn main() {}\n");
        for (path, text) in files {
            repository.put(&format!("app/{path}"), text);
        }
        fs::create_dir_all(repository.root().join("app/target/release")).expect("made");
        fs::copy("/bin/true", repository.root().join("app/target/release/my_App")).expect("a program");
        repository
    }

    fn commit(&self) {
        for arguments in [&["init", "-q"][..], &["add", "-A"], &["commit", "-q", "-m", "Begin"]] {
            let mut git = Command::new("git");
            git.current_dir(self.root()).args(arguments);
            for (name, value) in [("NAME", "Ada"), ("EMAIL", "ada@acme.example"), ("DATE", "2026-01-02T03:04:05Z")] {
                git.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
            }
            assert!(git.status().expect("git").success());
        }
    }

    fn root(&self) -> PathBuf {
        self.place.path().join("repository")
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn packhouse(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_packhouse"));
        command.env("PACKHOUSE_CACHE_DIR", self.place.path().join("cache")).env_remove("SOURCE_DATE_EPOCH");
        command.arg("-C").arg(self.root()).arg("build").arg("--no-build").args(arguments);
        command.output().expect("packhouse runs")
    }

    /// The package that these arguments make, and what was said.
    fn build(&self, arguments: &[&str]) -> (PathBuf, String) {
        if !self.root().join(".git").exists() {
            self.commit();
        }
        let output = self.packhouse(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let package = printed.lines().next().map(PathBuf::from).expect("a package");
        (package, said)
    }
}

fn run(program: &str, arguments: &[&str], package: &Path) -> String {
    let output = Command::new(program).args(arguments).arg(package).output().expect(program);
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// `mode path`, or `mode path -> target`, of everything but directories.
fn members(package: &Path) -> Vec<String> {
    let listing = run("dpkg-deb", &["-c"], package);
    let lines = listing.lines().filter(|line| !line.starts_with('d'));
    lines
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            format!("{} {}", words[0], words[5..].join(" "))
        })
        .collect()
}

fn field(package: &Path, name: &str) -> String {
    let output = Command::new("dpkg-deb").arg("-f").arg(package).arg(name).output().expect("dpkg-deb");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn script(package: &Path, name: &str) -> String {
    let output = Command::new("dpkg-deb").arg("-I").arg(package).arg(name).output().expect("dpkg-deb");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn units_and_users_work_without_maintainer_scripts_and_unknown_keys_are_warnings() {
    let repository = Repository::new(
        "systemd-units = { enable = true, usr-merge = false }\nmaintainer-script = \"debian\"",
        &[("systemd/my-app.service", UNIT), ("systemd/my_App.sysusers", "u edge - \"Edge\" /var/lib/edge\n")],
    );
    let (deb, said) = repository.build(&[]);
    for part in ["unknown key `usr-merge`", "did you mean `maintainer-scripts`?"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let all = members(&deb);
    for path in ["./usr/lib/systemd/system/my-app.service", "./usr/lib/sysusers.d/my_App.conf", "./usr/bin/my_App"] {
        assert!(all.iter().any(|line| line.ends_with(path)), "{path}: {all:?}");
    }
    let postinst = script(&deb, "postinst");
    for part in ["deb-systemd-helper", "enable", "my-app.service", "systemd-sysusers"] {
        assert!(postinst.contains(part), "{part}: {postinst}");
    }
    assert!(script(&deb, "prerm").contains("stop"), "{}", script(&deb, "prerm"));
    assert_eq!(field(&deb, "Package"), "my-app");

    let (rpm, _) = repository.build(&["--target", "el9"]);
    let files = run("rpm", &["-qpl"], &rpm);
    assert!(files.contains("/usr/lib/systemd/system/my-app.service") && files.contains("/usr/bin/my_App"), "{files}");
    let scripts = run("rpm", &["-qp", "--scripts"], &rpm);
    assert!(scripts.contains("my-app.service"), "{scripts}");
}

#[test]
fn links_are_kept_when_the_manifest_says_so_in_either_spelling() {
    for spelling in ["preserve-symlinks", "preserve_symlinks"] {
        let table = format!(
            "assets = [[\"target/release/my_App\", \"usr/bin/\", \"755\"], {{ source = \"link.txt\", dest = \"usr/share/my-app/\", mode = \"644\", {spelling} = true }},\n\
             {{ dest = \"usr/bin/edge\", link_name = \"/usr/bin/my_App\" }}, [\"link.txt\", \"usr/share/my-app/copy.txt\", \"644\"],\n\
             [\"real.txt\", \"usr/share/my-app/\", \"644\"]]"
        );
        let repository = Repository::new(&table, &[("real.txt", "text\n")]);
        symlink("real.txt", repository.root().join("app/link.txt")).expect("a link");
        let all = members(&repository.build(&[]).0);
        for line in [
            "lrwxrwxrwx ./usr/share/my-app/link.txt -> real.txt",
            "lrwxrwxrwx ./usr/bin/edge -> my_App",
            "-rw-r--r-- ./usr/share/my-app/copy.txt",
        ] {
            assert!(all.iter().any(|one| one == line), "{spelling}: {line}: {all:#?}");
        }
    }
}

#[test]
fn an_asset_without_mode_has_that_of_its_file_whatever_the_umask_was() {
    let table = "assets = [[\"target/release/my_App\", \"usr/bin/\"], [\"run.sh\", \"usr/libexec/my-app/\"], [\"data.txt\", \"usr/share/my-app/\"]]";
    let repository = Repository::new(table, &[("run.sh", "#!/bin/sh\n"), ("data.txt", "text\n")]);
    let mode = |path: &str, mode: u32| {
        fs::set_permissions(repository.root().join(path), fs::Permissions::from_mode(mode)).expect("a mode");
    };
    mode("app/run.sh", 0o775);
    mode("app/data.txt", 0o664);
    mode("app/target/release/my_App", 0o700);
    let all = members(&repository.build(&[]).0);
    for line in [
        "-rwxr-xr-x ./usr/bin/my_App",
        "-rwxr-xr-x ./usr/libexec/my-app/run.sh",
        "-rw-r--r-- ./usr/share/my-app/data.txt",
    ] {
        assert!(all.iter().any(|one| one == line), "{line}: {all:#?}");
    }
}

#[test]
fn no_field_is_empty_and_libraries_are_depended_on_though_the_table_forgot_them() {
    let repository = Repository::new("depends = \"\"\nrecommends = []\nconflicts = \" \"", &[]);
    let (deb, _) = repository.build(&[]);
    assert!(field(&deb, "Depends").starts_with("libc6 (>= "), "{}", field(&deb, "Depends"));
    let control = run("dpkg-deb", &["-f"], &deb);
    assert!(control.lines().all(|line| !line.trim_end().ends_with(':')), "{control}");
    let (deb, _) = repository.build(&["--strict-compat", "--force"]);
    assert_eq!(field(&deb, "Depends"), "", "as cargo-deb has it, but without the field");
    assert!(!run("dpkg-deb", &["-f"], &deb).contains("Depends"));
}

#[test]
fn cargo_debs_switches_do_what_they_do_there() {
    let repository = Repository::new(
        "section = \"net\"\n[package.metadata.deb.variants.small]\nsection = \"utils\"\nname = \"my-small-app\"",
        &[],
    );
    let (deb, _) =
        repository.build(&["-p", "my_App", "--variant", "small", "--deb-revision", "", "--output", "dist", "-Z", "gz"]);
    assert!(deb.starts_with(repository.root().join("dist")), "{}", deb.display());
    assert_eq!((field(&deb, "Package"), field(&deb, "Section")), ("my-small-app".to_owned(), "utils".to_owned()));
    assert_eq!(field(&deb, "Version"), "1.2.0");
    assert!(run("ar", &["t"], &deb).contains("data.tar.gz"));

    let manifest = repository.root().join("app/Cargo.toml").display().to_string();
    let (deb, _) = repository.build(&[
        "--manifest-path",
        &manifest,
        "--deb-version",
        "2:3.my.own-5",
        "--multiarch",
        "foreign",
        "--section",
        "admin",
        "--maintainer",
        "Grace <grace@acme.example>",
        "--target",
        "x86_64-unknown-linux-gnu",
        "--fast",
    ]);
    assert_eq!(field(&deb, "Version"), "2:3.my.own-5");
    assert_eq!(field(&deb, "Multi-Arch"), "foreign");
    assert_eq!(field(&deb, "Section"), "admin");
    assert_eq!(field(&deb, "Maintainer"), "Grace <grace@acme.example>");

    for (arguments, part) in [
        (&["--install"][..], "sudo apt install"),
        (&["--target", "x86_64-unknown-linux-musl"], "own C library"),
        (&["--output", "x.deb"], "names a directory"),
        (&["--variant", "smal"], "did you mean `--variant small`?"),
    ] {
        let output = repository.packhouse(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(part), "{arguments:?}: {said}");
    }
}
