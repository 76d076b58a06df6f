//! Relations from the configuration to a control file and a header, judged by dpkg, rpm and their build tools.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::result_large_err,
    clippy::string_slice,
    reason = "these are tests"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use packhouse::config::{self, Error, Maintainer, Settings};
use packhouse::diagnostic::{Diagnose as _, ExitCode};
use packhouse::format::{self, WriteOptions};
use packhouse::name::PackageName;
use packhouse::package::{self, Changelog, Component, Inputs, Package, Release, Stage, Staged, Version};
use packhouse::target::{Architecture, Compression, Format, PythonVersion, Target, distribution};
use packhouse::tree::{Content, InstallPath, Tree};
use packhouse::workspace::{EcosystemKind, Kind, Member, Workspace};

const TIME: i64 = 1_767_225_600;

/// A repository with one service and one library; `service` are the keys of the service's table.
struct Repository {
    directory: tempfile::TempDir,
}

impl Repository {
    fn new(service: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let text = format!(
            "[project]\norg = \"acme\"\nmaintainer = \"Acme Cloud <cloud@acme.example>\"\nlicense = \"Apache-2.0\"\n\
             [services.acme-api]\n{service}"
        );
        fs::write(directory.path().join("packhouse.toml"), text).expect("written");
        fs::create_dir(directory.path().join("acme-api")).expect("made");
        Self { directory }
    }

    fn load(&self) -> Result<Settings, Error> {
        config::load(self.directory.path(), None)
    }

    fn assemble(&self, target: &str, staged: Staged) -> Package {
        let member = |name: &str, kind| Member {
            name: PackageName::parse(name).expect("a name"),
            ecosystem_name: name.to_owned(),
            ecosystem: EcosystemKind::Python,
            kind,
            path: PathBuf::from(name),
            manifest: PathBuf::from(name).join("pyproject.toml"),
            version: Some("1.2.3".to_owned()),
            summary: Some("The interface of the cloud.".to_owned()),
            license: None,
            reason: "a test".to_owned(),
            commands: Vec::new(),
            requires: Vec::new(),
            optional: BTreeMap::new(),
            dependencies: Vec::new(),
            unread: Vec::new(),
            submodule: None,
        };
        let workspace = Workspace {
            root: self.directory.path().canonicalize().expect("a root"),
            members: vec![member("acme-api", Kind::Service), member("acme-common", Kind::Library)],
        };
        let target =
            Target { distribution: distribution(target).expect("a distribution"), architecture: Architecture::X86_64 };
        let version = Version {
            epoch: 0,
            debian: "1.2.3".to_owned(),
            rpm: "1.2.3".to_owned(),
            revision: format!("1{}", target.distribution.revision_suffix),
        };
        let author = Maintainer { name: "Ada Acme".to_owned(), mail: "ada@acme.example".to_owned() };
        let release = Release { version: version.clone(), time: TIME, author, changes: vec!["Begin".to_owned()] };
        package::assemble(Inputs {
            settings: &self.load().expect("settings"),
            workspace: &workspace,
            member: &workspace.members[0],
            target: &target,
            staged,
            version,
            changelog: Changelog { releases: vec![release] },
            time: TIME,
        })
        .expect("a package")
    }

    fn write(&self, package: &Package) -> PathBuf {
        let options = WriteOptions { compression: Some(Compression::Gzip), ..WriteOptions::default() };
        format::write(package, self.directory.path(), &options).expect("a package").path
    }
}

fn staged() -> Staged {
    let mut tree = Tree::new();
    let at = InstallPath::parse("/usr/lib/acme/acme-api/bin/acme-api").expect("a path");
    tree.file(at, Content::bytes(&b"#!/bin/sh\n"[..]), 0o755).expect("a free path");
    Staged { tree, ..Staged::default() }
}

fn output(program: &str, directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .current_dir(directory)
        .args(arguments)
        .envs([("LC_ALL", "C.UTF-8"), ("HOME", "/nonexistent")])
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {complaint}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// All kinds, as one writes them.
const ALL: &str = r#"
pre-depends = { deb = ["init-system-helpers (>= 1.54~)"], rpm = ["shadow-utils"] }
depends = { deb = ["postgresql-client (>= 15)|pgcli", "tzdata"], debian-12 = ["libpq5"], rpm = ["postgresql >= 15", "(glibc-langpack-en if glibc >= 2.24)"], el8 = ["crypto-policies"] }
recommends = ["ca-certificates"]
suggests = { deb = ["nginx | apache2"], rpm = ["(nginx or httpd)"] }
enhances = ["acme-desktop"]
supplements = { rpm = ["(acme-web and httpd)"] }
conflicts = { deb = ["acme-legacy"], rpm = ["acme-legacy", "(acme-beta unless acme-lab)"] }
breaks = { deb = ["acme-web (<< 2:1.0~rc1)"], rpm = ["acme-web < 2:1.0~rc1"] }
replaces = { deb = ["acme-old (<< 1.0)"], rpm = ["acme-old < 1.0"] }
provides = { deb = ["acme-server (= 3)"], rpm = ["acme-server = 3", "acme(server)"] }
built-using = { deb = ["gcc-12 (= 12.2.0-14)"] }
static-built-using = { deb = ["golang-1.19 (= 1.19.8-2)"] }
"#;

#[test]
fn every_kind_reaches_the_control_file_as_dpkg_gencontrol_writes_it() {
    let repository = Repository::new(ALL);
    let deb = repository.write(&repository.assemble("debian-12", staged()));
    let written = output("dpkg-deb", repository.directory.path(), &["-f", deb.to_str().expect("a path")]);
    let relations: Vec<&str> = written
        .lines()
        .skip_while(|line| !line.starts_with("Installed-Size"))
        .skip(1)
        .take_while(|line| !line.starts_with("Section"))
        .collect();

    let source = repository.directory.path().join("source");
    fs::create_dir_all(source.join("debian/tmp/DEBIAN")).expect("made");
    fs::write(
        source.join("debian/control"),
        "Source: acme-api\nMaintainer: A <a@example.org>\n\nPackage: acme-api\nArchitecture: all\n\
         Static-Built-Using: golang-1.19 (= 1.19.8-2)\nBuilt-Using: gcc-12 (= 12.2.0-14)\nProvides: acme-server (= 3)\n\
         Replaces: acme-old (<< 1.0)\nBreaks: acme-web (<< 2:1.0~rc1)\nConflicts: acme-legacy\nEnhances: acme-desktop\n\
         Suggests: nginx | apache2\nRecommends: ca-certificates\nDepends: libpq5, postgresql-client (>= 15) | pgcli, tzdata\n\
         Pre-Depends: init-system-helpers (>= 1.54~)\nDescription: x\n y\n",
    )
    .expect("written");
    fs::write(
        source.join("debian/changelog"),
        "acme-api (1.2.3-1) unstable; urgency=medium\n\n  * Begin\n\n -- A <a@example.org>  Sun, 15 Jun 2025 15:06:40 +0000\n",
    )
    .expect("written");
    output("dpkg-gencontrol", &source, &["-Pdebian/tmp"]);
    let control = fs::read_to_string(source.join("debian/tmp/DEBIAN/control")).expect("a control file");
    let kinds = ["Pre-", "Depends", "Rec", "Sug", "Enh", "Conf", "Brea", "Repl", "Prov", "Built", "Static"];
    let expected: Vec<&str> = control.lines().filter(|line| kinds.iter().any(|kind| line.starts_with(kind))).collect();
    assert_eq!(relations, expected, "{written}");
}

/// Names, versions and flags of all relations but those on rpm itself.
fn header(rpm: &Path) -> Vec<String> {
    let kinds = ["PROVIDE", "REQUIRE", "RECOMMEND", "SUGGEST", "SUPPLEMENT", "ENHANCE", "CONFLICT", "OBSOLETE"];
    let format: String =
        kinds.iter().map(|kind| format!("[{kind}|%{{{kind}NAME}}|%{{{kind}FLAGS}}|%{{{kind}VERSION}}\\n]")).collect();
    let text = output("rpm", Path::new("/"), &["-qp", "--qf", &format, rpm.to_str().expect("a path")]);
    let mut lines: Vec<String> = text.lines().filter(|line| !line.contains("|rpmlib(")).map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn every_kind_reaches_the_header_as_rpmbuild_writes_it() {
    let repository = Repository::new(ALL);
    let package = repository.assemble("el9", staged());
    let ours = repository.write(&package);
    let place = repository.directory.path();
    fs::write(
        place.join("x.spec"),
        "Name: acme-api\nVersion: 1.2.3\nRelease: 1.el9\nSummary: x\nLicense: MIT\nBuildArch: noarch\nAutoReqProv: no\n\
         Requires(pre): shadow-utils\nRequires: postgresql >= 15\nRequires: (glibc-langpack-en if glibc >= 2.24)\n\
         Recommends: ca-certificates\nSuggests: (nginx or httpd)\nEnhances: acme-desktop\n\
         Supplements: (acme-web and httpd)\nConflicts: acme-legacy (acme-beta unless acme-lab) acme-web < 2:1.0~rc1\n\
         Obsoletes: acme-old < 1.0\nProvides: acme-server = 3 acme(server)\n%description\nx\n%files\n",
    )
    .expect("written");
    let top = format!("_topdir {}", place.display());
    output("rpmbuild", place, &["-bb", "--quiet", "--define", &top, "--nodeps", "x.spec"]);
    let theirs = place.join("RPMS/noarch/acme-api-1.2.3-1.el9.noarch.rpm");
    assert_eq!(header(&ours), header(&theirs));

    let rpmlib = |rpm: &Path| {
        let text = output("rpm", place, &["-qp", "--requires", rpm.to_str().expect("a path")]);
        let of_dependencies = ["Rich", "Tilde", "Caret"];
        let mut lines: Vec<String> = text
            .lines()
            .filter(|line| of_dependencies.iter().any(|feature| line.starts_with(&format!("rpmlib({feature}"))))
            .map(str::to_owned)
            .collect();
        lines.sort();
        lines
    };
    assert_eq!(rpmlib(&ours), rpmlib(&theirs));
    let shown = format::inspect(&ours).expect("an rpm").to_string();
    for line in [
        "Enhances: acme-desktop",
        "Supplements: (acme-web and httpd)",
        "Conflicts: acme-web < 2:1.0~rc1",
        "Obsoletes: acme-old < 1.0",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
}

#[test]
fn a_relation_is_for_the_distributions_that_its_key_names() {
    let repository = Repository::new(ALL);
    let depends = |target: &str| repository.assemble(target, staged()).relations.depends;
    assert_eq!(depends("debian-12"), ["libpq5", "postgresql-client (>= 15) | pgcli", "tzdata"]);
    assert_eq!(depends("debian-13"), ["postgresql-client (>= 15) | pgcli", "tzdata"]);
    assert_eq!(depends("el8"), ["(glibc-langpack-en if glibc >= 2.24)", "crypto-policies", "postgresql >= 15"]);
    assert_eq!(repository.assemble("el9", staged()).relations.recommends, ["ca-certificates"]);
}

#[test]
fn a_wrong_relation_is_shown_where_it_stands() {
    // The text, what is underlined, a part of the message and a part of the hint.
    let cases = [
        (
            "depends = { deb = [\"x1\", \"libpq5 > 15\"] }",
            "\"libpq5 > 15\"",
            "no version in parentheses",
            "`name (>= version)`",
        ),
        ("depends = { deb = [\"libpq5 (> 15)\"] }", "\"libpq5 (> 15)\"", "obsolete", "`>>`"),
        ("depends = { debian-12 = [\"libpq5 [amd64]\"] }", "\"libpq5 [amd64]\"", "architectures", "leave it out"),
        ("depends = { deb = [\"${misc:Depends}\"] }", "\"${misc:Depends}\"", "a variable", "write the names out"),
        ("depends = { rpm = [\"a>=1\"] }", "\"a>=1\"", "without blanks", "`name >= version`"),
        ("depends = { el9 = [\"(a and b or c)\"] }", "\"(a and b or c)\"", "mixes operators", "parentheses"),
        ("depends = [\"nginx (>= 1)\"]", "\"nginx (>= 1)\"", "no relation of RPM", "rpm = […] }"),
        ("depends = [\"nginx >= 1\"]", "\"nginx >= 1\"", "no relation of Debian", "deb = […] }"),
        ("conflicts = { deb = [\"a1 | b1\"] }", "\"a1 | b1\"", "alternatives", "one relation for each"),
        ("provides = { rpm = [\"(a or b)\"] }", "\"(a or b)\"", "boolean expression", "one package"),
        ("supplements = [\"a1\"]", "\"a1\"", "no `Supplements`", "recommend"),
        ("supplements = { deb = [\"a1\"] }", "deb", "no `Supplements`", "recommend"),
        ("built-using = { rpm = [\"a1\"] }", "rpm", "no such relation", "built-using = { deb"),
        (
            "static-built-using = { fedora-43 = [\"a1\"] }",
            "fedora-43",
            "no such relation",
            "static-built-using = { deb",
        ),
        ("built-using = { deb = [\"gcc-12\"] }", "\"gcc-12\"", "no version", "(= version)"),
        ("depends = { debain-12 = [\"a1\"] }", "debain-12", "name of a distribution", ""),
        ("depends = \"nginx\"", "\"nginx\"", "a table of them", ""),
    ];
    for (text, marked, message, hint) in cases {
        let repository = Repository::new(text);
        let error = repository.load().expect_err(text);
        assert_eq!(error.exit_code(), ExitCode::Usage);
        let location = error.location().unwrap_or_else(|| panic!("{text}: {error} has no place"));
        assert_eq!(&location.text[location.span.clone()], marked, "{text}");
        assert!(error.to_string().contains(message), "{text}: {error}");
        assert!(error.hints().join("; ").contains(hint), "{text}: {:?}", error.hints());
    }
}

#[test]
fn nothing_hostile_reaches_a_field_or_a_header() {
    let hostile = [
        "libc6\nEssential: yes",
        "libc6\r\nX: y",
        "libc6, evil",
        "${misc:Depends}",
        "${env:HOME}",
        "%(touch /tmp/x)",
        "%{lua:os.exit()}",
        "%dnl",
        "libc6\0",
        "libc6\u{7f}",
        "libc6\u{202e}cba",
        "libc6\u{200b}",
        "$(id)",
        "`id`",
        "libc6;id",
        "libc6 (>= 1\n)",
    ];
    let place = tempfile::tempdir().expect("a directory");
    for text in hostile {
        for key in ["deb", "rpm", "debian-12"] {
            let value = toml::Value::String(text.to_owned());
            let repository = Repository::new(&format!("recommends = {{ {key} = [{value}] }}"));
            let error = repository.load().expect_err(text);
            assert!(!error.to_string().contains(['\u{202e}', '\u{7f}', '\r']), "{error}");
        }
        // And past the configuration: the writers check again.
        for target in ["debian-12", "el9"] {
            let mut package = Repository::new("").assemble(target, staged());
            package.relations.enhances = vec![text.to_owned()];
            let error = format::write(&package, place.path(), &WriteOptions::default()).expect_err(text);
            assert!(!error.hints().is_empty(), "{error}");
        }
    }
    assert_eq!(fs::read_dir(place.path()).expect("a directory").count(), 0);
}

#[test]
fn an_rpm_provides_nothing_of_its_private_tree_but_says_what_it_bundles() {
    let place = tempfile::tempdir().expect("a directory");
    fs::write(place.path().join("x.c"), "int acme(void) { return 1; }\n").expect("written");
    output("gcc", place.path(), &["-shared", "-fPIC", "-Wl,-soname,libcrypto.so.3", "-o", "libcrypto.so.3", "x.c"]);
    let library = Content::file(&place.path().join("libcrypto.so.3")).expect("a library");
    let component = |purl: &str| Component { purl: purl.to_owned(), ..Component::default() };
    let staged = || {
        let mut staged = staged();
        let site = "/usr/lib/acme/acme-api/lib/python3.11/site-packages";
        for (file, content) in [
            ("crypto.libs/libcrypto.so.3", library.clone()),
            ("requests-2.0.dist-info/METADATA", Content::bytes(&b"Name: requests\nVersion: 2.0\n"[..])),
        ] {
            let at = InstallPath::parse(&format!("{site}/{file}")).expect("a path");
            staged.tree.file(at, content, 0o644).expect("a free path");
        }
        staged.python = Some(PythonVersion::three(11));
        staged.components = vec![
            component("pkg:pypi/Requests.Toolbelt@2.0.post1"),
            component("pkg:pypi/acme-common@2.3.0"),
            component("pkg:generic/acme-ledger@1.0.0"),
            component("pkg:cargo/hyper@1.0.0-rc.4"),
        ];
        staged
    };
    let repository = Repository::new("");
    for (target, post, own) in
        [("el8", "+post1", "1.el8"), ("el9", "^post1", "1.el9"), ("fedora-43", "^post1", "1.fc43")]
    {
        let package = repository.assemble(target, staged());
        let rpm = repository.write(&package);
        let provides = output("rpm", place.path(), &["-qp", "--provides", rpm.to_str().expect("a path")]);
        let mut provides: Vec<&str> = provides.lines().collect();
        provides.sort_unstable();
        let expected = [
            format!("acme-api = 1.2.3-{own}"),
            format!("acme-api(x86-64) = 1.2.3-{own}"),
            "bundled(crate(hyper)) = 1.0.0~rc.4".to_owned(),
            format!("bundled(python3dist(requests-toolbelt)) = 2{post}"),
        ];
        assert_eq!(provides, expected, "{target}");
        let requires = &package.relations.depends;
        for exact in ["python(abi) = 3.11", "/usr/bin/python3.11"] {
            assert!(requires.iter().any(|one| one == exact), "{requires:?}");
        }
        assert!(!requires.iter().any(|one| one.starts_with("libcrypto")), "{requires:?}");
    }
    let debian = repository.assemble("debian-12", staged());
    assert!(debian.relations.provides.is_empty() && debian.relations.depends.contains(&"python3.11".to_owned()));
}

#[test]
fn a_scriptlet_of_rpm_requires_what_it_runs_when_it_runs() {
    let repository = Repository::new(
        "[services.acme-api.systemd]\ncommand = \"acme-api\"\nuser = \"acme-api\"\nrestart = \"stop-start\"\n",
    );
    let staged = || {
        let mut staged = staged();
        let program = InstallPath::parse("/usr/lib/acme/acme-api/bin/acme-api").expect("a path");
        staged.commands = vec![("acme-api".to_owned(), program)];
        staged
    };
    for (target, inline_user) in [("el8", true), ("el9", true), ("el10", false)] {
        let package = repository.assemble(target, staged());
        let rpm = repository.write(&package);
        let format = "[%{REQUIRENAME} %{REQUIREFLAGS:deptype}\\n]";
        let text = output("rpm", Path::new("/"), &["-qp", "--qf", format, rpm.to_str().expect("a path")]);
        for when in ["pre", "post", "preun", "posttrans"] {
            let uses = package
                .scripts
                .iter()
                .any(|(stage, script)| stage.name(Format::Rpm) == Some(when) && script.text.contains("systemctl"));
            assert_eq!(text.lines().any(|line| line == format!("systemd {when}")), uses, "{target} {when}: {text}");
        }
        let pre = package.scripts.text(Stage::PreInstall).unwrap_or_default();
        assert_eq!(pre.contains("systemd-sysusers"), inline_user, "{target}: {pre}");
        output("rpm", Path::new("/"), &["-K", "--nosignature", rpm.to_str().expect("a path")]);
    }
}
