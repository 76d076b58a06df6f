//! Crates that package with cargo-deb or cargo-generate-rpm, built as they are: no packhouse.toml but for the organisation.
//! dpkg and rpm are the judges.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "these are tests"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PROJECT: &str = "[project]\norg = \"acme\"\nmaintainer = \"Acme Cloud <cloud@acme.example>\"\n\
    targets = [\"debian-12\", \"el9\"]\n[targets.debian-12]\ncompression = \"xz\"\n";

const PACKAGE: &str = "[package]\nname = \"edge\"\nversion = \"1.2.0\"\nedition = \"2024\"\nlicense = \"MIT\"\n\
    description = \"Serves the edge of a cloud.\"\nauthors = [\"Ada <ada@acme.example>\"]\n";

const DEB: &str = "[package.metadata.deb]\nmaintainer = \"Grace <grace@acme.example>\"\nsection = \"net\"\npriority = \"important\"\n\
    depends = \"$auto, ca-certificates\"\nchangelog = \"debian/changelog\"\nconf-files = [\"/etc/edge.conf\"]\n\
    maintainer-scripts = \"debian\"\nusr-merge = true\nassets = [\n\
    [\"target/release/edge\", \"usr/bin/\", \"755\"],\n\
    [\"edge.conf\", \"etc/\", \"644\"],\n\
    [\"../docs/edge.1\", \"usr/share/man/man1/\", \"644\"],\n\
    [\"edge.service\", \"lib/systemd/system/\", \"644\"],\n\
    [\"edge.service\", \"usr/share/doc/edge/example.service\", \"644\"],\n]\n";

const RPM: &str = "[package.metadata.generate-rpm]\nrelease = \"3.beta\"\npost_install_script = \"echo installed $1\"\nassets = [\n\
    { source = \"target/release/edge\", dest = \"/usr/bin/edge-rpm\", mode = \"755\" },\n\
    { source = \"edge.conf\", dest = \"/etc/edge.conf\", config = true, user = \"nobody-knows\" },\n]\n";

/// A repository of the crate `edge` with these tables.
struct Repository {
    place: tempfile::TempDir,
}

impl Repository {
    fn new(tables: &str) -> Self {
        let repository = Self { place: tempfile::tempdir().expect("a directory") };
        repository.put("packhouse.toml", PROJECT);
        repository.put("edge/Cargo.toml", &format!("{PACKAGE}{tables}"));
        repository.put("edge/src/main.rs", "fn main() {\n    println!(\"edge\");\n}\n");
        repository.put("edge/edge.conf", "port = 80\n");
        repository.put("docs/edge.1", ".TH EDGE 1\n.SH NAME\nedge \\- serves\n");
        repository.put("edge/edge.service", "[Unit]\nDescription=Edge\n[Service]\nExecStart=/usr/bin/edge\n");
        let changelog = "edge (1.2.0) unstable; urgency=low\n\n  * Begin.\n\n -- Ada <ada@acme.example>  Fri, 02 Jan 2026 03:04:05 +0000\n";
        repository.put("edge/debian/changelog", changelog);
        repository.put("edge/debian/postinst", "#!/bin/sh\nset -e\necho hello\n#DEBHELPER#\n");
        for arguments in [&["init", "-q"][..], &["add", "-A"], &["commit", "-q", "-m", "Begin"]] {
            let mut git = Command::new("git");
            git.current_dir(repository.root()).args(arguments);
            for (name, value) in [("NAME", "Ada"), ("EMAIL", "ada@acme.example"), ("DATE", "2026-01-02T03:04:05Z")] {
                git.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
            }
            assert!(git.status().expect("git").success());
        }
        for step in ["lock", "vendor"] {
            repository.packhouse(&[step]);
        }
        repository
    }

    fn root(&self) -> PathBuf {
        self.place.path().join("repository")
    }

    fn out(&self, file: &str) -> PathBuf {
        self.root().join("out").join(file)
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, text).expect("written");
    }

    /// What it said.
    fn packhouse(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_packhouse"));
        command.current_dir(self.root()).args(arguments).env_remove("SOURCE_DATE_EPOCH");
        let output = command.env("PACKHOUSE_CACHE_DIR", self.place.path().join("cache")).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
        said
    }

    fn build(&self, arguments: &[&str]) -> String {
        self.packhouse(&[&["build", "--out", "out"], arguments].concat())
    }
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).env("LC_ALL", "C.UTF-8").env("TZ", "UTC").output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn utf8(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Mode and path of each file of a .deb, directories left out.
fn members(deb: &Path) -> Vec<String> {
    let listing = output("dpkg-deb", &["--contents", utf8(deb)]);
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        (!words[0].starts_with('d')).then(|| format!("{} {}", words[0], words[5..].join(" ")))
    };
    listing.lines().filter_map(line).collect()
}

fn field(deb: &Path, name: &str) -> String {
    output("dpkg-deb", &["--field", utf8(deb), name]).trim().to_owned()
}

#[test]
fn a_crate_of_cargo_deb_is_packaged_as_it_is_and_better() {
    let repository = Repository::new(DEB);
    let said = repository.build(&[]);
    assert!(said.contains("edge/Cargo.toml:") && said.contains("unknown key `usr-merge`"), "{said}");

    let deb = repository.out("edge_1.2.0-1~deb12u1_amd64.deb");
    let members = members(&deb);
    for member in [
        "-rwxr-xr-x ./usr/bin/edge",
        "-rw-r--r-- ./etc/edge.conf",
        "-rw-r--r-- ./usr/share/man/man1/edge.1.gz",
        "-rw-r--r-- ./usr/lib/systemd/system/edge.service",
        "-rw-r--r-- ./usr/share/doc/edge/example.service",
        "-rw-r--r-- ./usr/share/doc/edge/changelog.Debian.gz",
        "-rw-r--r-- ./usr/share/doc/edge/copyright",
        "-rw-r--r-- ./usr/share/doc/edge/edge.cdx.json",
    ] {
        assert!(members.contains(&member.to_owned()), "{member}: {members:#?}");
    }
    assert!(!members.iter().any(|member| member.contains("/usr/lib/acme")), "{members:#?}");
    assert_eq!(field(&deb, "Maintainer"), "Grace <grace@acme.example>");
    assert_eq!((field(&deb, "Section"), field(&deb, "Priority")), ("net".to_owned(), "important".to_owned()));
    let depends = field(&deb, "Depends");
    assert!(depends.contains("libc6 (>=") && depends.contains("ca-certificates"), "{depends}");
    let unpacked = repository.place.path().join("unpacked");
    output("dpkg-deb", &["--raw-extract", utf8(&deb), utf8(&unpacked)]);
    let control = |file: &str| fs::read_to_string(unpacked.join("DEBIAN").join(file)).expect(file);
    assert_eq!(control("conffiles"), "/etc/edge.conf\n");
    assert!(control("md5sums").contains("usr/bin/edge"));
    let script = control("postinst");
    assert!(script.contains("echo hello") && !script.contains("#DEBHELPER#"), "{script}");
    assert!(script.contains("edge.service"), "a unit that is a plain file is looked after: {script}");
    let changelog = unpacked.join("usr/share/doc/edge/changelog.Debian.gz");
    assert!(output("gzip", &["-dc", utf8(&changelog)]).contains("* Begin."));

    let rpm = repository.out("edge-1.2.0-1.el9.x86_64.rpm");
    let listing = output("rpm", &["-qlp", utf8(&rpm)]);
    assert!(listing.contains("/usr/bin/edge\n") && listing.contains("/etc/edge.conf\n"), "{listing}");
    assert_eq!(output("rpm", &["-qcp", utf8(&rpm)]), "/etc/edge.conf\n");
    let requires = output("rpm", &["-qRp", utf8(&rpm)]);
    assert!(requires.contains("libc.so.6(") && !requires.contains("ca-certificates"), "{requires}");
}

#[test]
fn what_the_table_names_is_what_the_package_is_made_from() {
    let repository = Repository::new(DEB);
    let build = || repository.build(&["--target", "debian-12"]);
    build();
    let again = build();
    assert!(again.contains("Fresh") && again.contains("unknown key `usr-merge`"), "notes are told again: {again}");
    let deb = repository.out("edge_1.2.0-1~deb12u1_amd64.deb");
    let mut before = fs::read(&deb).expect("built");
    for (path, text) in [
        (
            "edge/debian/changelog",
            "edge (1.2.0) unstable; urgency=low\n\n  * Anew.\n\n -- Ada <ada@acme.example>  Fri, 02 Jan 2026 03:04:05 +0000\n",
        ),
        ("edge/debian/postinst", "#!/bin/sh\nset -e\necho other\n#DEBHELPER#\n"),
        ("edge/debian/prerm", "#!/bin/sh\nset -e\n#DEBHELPER#\n"),
        ("docs/edge.1", ".TH EDGE 1\n.SH NAME\nedge \\- serves others\n"),
    ] {
        repository.put(path, text);
        build();
        let now = fs::read(&deb).expect("built");
        assert_ne!(now, before, "{path} has changed and the package has not");
        before = now;
    }
    // What another build leaves in the repository's own target directory is nothing to the package.
    repository.put("edge/target/release/edge", "stale");
    build();
    assert_eq!(fs::read(&deb).expect("built"), before);
}

#[test]
fn compared_strictly_nothing_is_added() {
    let repository = Repository::new(DEB);
    repository.build(&["--target", "debian-12", "--strict-compat"]);
    let deb = repository.out("edge_1.2.0-1_amd64.deb");
    let members = members(&deb);
    for addition in ["cdx.json", "lintian", "third-party"] {
        assert!(!members.iter().any(|member| member.contains(addition)), "{addition}: {members:#?}");
    }
    assert!(members.contains(&"-rwxr-xr-x ./usr/bin/edge".to_owned()), "{members:#?}");
}

#[test]
fn each_format_has_its_own_table_when_there_are_two() {
    let repository = Repository::new(&format!("{DEB}{RPM}"));
    let said = repository.build(&[]);
    assert!(said.contains("nobody-knows"), "an owner that nobody makes is told, not refused: {said}");
    assert!(
        members(&repository.out("edge_1.2.0-1~deb12u1_amd64.deb")).contains(&"-rwxr-xr-x ./usr/bin/edge".to_owned())
    );
    let rpm = repository.out("edge-1.2.0-3.beta.el9.x86_64.rpm");
    let listing = output("rpm", &["-qlp", utf8(&rpm)]);
    assert!(listing.contains("/usr/bin/edge-rpm\n") && !listing.contains("/usr/bin/edge\n"), "{listing}");
    assert!(output("rpm", &["-qp", "--scripts", utf8(&rpm)]).contains("echo installed $1"));
}

#[test]
fn packhouse_toml_lies_over_the_table_and_can_leave_it_alone() {
    let repository = Repository::new(DEB);
    let own = "[services.edge]\nsection = \"web\"\nadd = { sbom = false }\n\
        [[services.edge.files]]\nsource = \"edge.conf\"\npath = \"/usr/share/edge/default.conf\"\n";
    repository.put("packhouse.toml", &format!("{PROJECT}{own}"));
    repository.build(&["--target", "debian-12"]);
    let deb = repository.out("edge_1.2.0-1~deb12u1_amd64.deb");
    let members = members(&deb);
    assert_eq!(field(&deb, "Section"), "web");
    assert!(members.contains(&"-rw-r--r-- ./usr/share/edge/default.conf".to_owned()), "{members:#?}");
    assert!(!members.iter().any(|member| member.ends_with(".cdx.json")), "{members:#?}");

    repository.put("packhouse.toml", &format!("{PROJECT}[services.edge]\nadopt = false\n"));
    repository.build(&["--target", "debian-12"]);
    let members = self::members(&deb);
    assert!(members.contains(&"-rwxr-xr-x ./usr/lib/acme/edge/bin/edge".to_owned()), "{members:#?}");
    assert_eq!(field(&deb, "Maintainer"), "Acme Cloud <cloud@acme.example>");
}
