//! Discovery from outside: repositories made with git, looked at with the library.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test both are the way to fail")]

use std::path::{Path, PathBuf};
use std::process::Command;

use packhouse::config::{self, Settings};
use packhouse::diagnostic::Diagnose;
use packhouse::ecosystem::python::Python;
use packhouse::ecosystem::rust::Rust;
use packhouse::workspace::{
    self, Detector, Directory, EcosystemKind, Error, Kind, Member, Requirement, Workspace, discover,
    discover_unconfigured, package_name,
};

/// A language of one file, `fake`: the first line is the name, the others are requirements (`=PATH` by directory).
/// A `bin` directory makes a service.
struct Fake;

impl Detector for Fake {
    fn detect(&self, directory: Directory<'_>) -> Result<Vec<Member>, Box<dyn Diagnose + Send + Sync>> {
        if !directory.entries.contains(&"fake".to_owned()) {
            return Ok(Vec::new());
        }
        let manifest = directory.path.join("fake");
        let text = fs_err::read_to_string(directory.root.join(&manifest)).unwrap();
        let name = packhouse::name::normalize(text.lines().next().unwrap());
        let requirement = |(index, line): (usize, &str)| Requirement {
            name: packhouse::name::normalize(line),
            path: line.strip_prefix('=').map(PathBuf::from),
            extras: Vec::new(),
            file: manifest.clone(),
            line: index + 1,
        };
        let is_service = directory.entries.contains(&"bin".to_owned());
        let mut commands: Vec<String> = Vec::new();
        if is_service {
            for entry in fs_err::read_dir(directory.root.join(directory.path).join("bin")).unwrap() {
                commands.push(entry.unwrap().file_name().into_string().unwrap());
            }
        }
        commands.sort();
        Ok(vec![Member {
            name: package_name(EcosystemKind::Python, &name).unwrap(),
            ecosystem_name: name,
            ecosystem: EcosystemKind::Python,
            kind: if is_service { Kind::Service } else { Kind::Library },
            path: directory.path.to_path_buf(),
            manifest: manifest.clone(),
            version: None,
            summary: None,
            license: None,
            reason: "fake".to_owned(),
            commands,
            requires: text.lines().enumerate().skip(1).map(requirement).collect(),
            optional: std::collections::BTreeMap::new(),
            dependencies: Vec::new(),
            unread: Vec::new(),
            submodule: directory.submodule.map(Path::to_path_buf),
        }])
    }
}

const CONFIGURATION: &str = "[project]\norg = \"acme\"\nmaintainer = \"A <a@acme.example>\"\n";

struct Repository {
    directory: tempfile::TempDir,
}

impl Repository {
    fn new(files: &[(&str, &str)]) -> Self {
        let repository = Self { directory: tempfile::tempdir().unwrap() };
        repository.write(&[("packhouse.toml", CONFIGURATION)]);
        repository.write(files);
        repository
    }

    fn root(&self) -> PathBuf {
        self.directory.path().canonicalize().unwrap()
    }

    fn write(&self, files: &[(&str, &str)]) {
        for (path, text) in files {
            let path = self.directory.path().join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        }
    }

    fn configure(&self, more: &str) {
        self.write(&[("packhouse.toml", &format!("{CONFIGURATION}{more}"))]);
    }

    fn git(&self, arguments: &[&str]) {
        let settings = ["-c", "protocol.file.allow=always", "-c", "user.name=A", "-c", "user.email=a@acme.example"];
        let output = Command::new("git")
            .args(settings)
            .args(arguments)
            .current_dir(self.directory.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn commit(&self) {
        self.git(&["init", "-q"]);
        self.git(&["add", "-A"]);
        self.git(&["commit", "-qm", "All"]);
    }

    fn settings(&self) -> Settings {
        config::load(&self.root(), None).unwrap()
    }

    fn discover(&self) -> Result<Workspace, Error> {
        discover(&self.settings(), &[&Fake, &Rust])
    }

    fn workspace(&self) -> Workspace {
        self.discover().unwrap_or_else(|error| panic!("{error} {:?}", error.location()))
    }

    fn refused(&self) -> Refusal {
        let error = self.discover().unwrap_err();
        let place = error.location().map(|location| (location.path.clone(), location.line_and_column().0));
        Refusal { message: error.to_string(), hints: error.hints().join("; "), place, error }
    }
}

struct Refusal {
    error: Error,
    message: String,
    hints: String,
    place: Option<(PathBuf, usize)>,
}

/// `service NAME PATH` or `library NAME PATH` of each member.
fn told(workspace: &Workspace) -> Vec<String> {
    let tell = |member: &Member| {
        let kind = if member.kind == Kind::Service { "service" } else { "library" };
        format!("{kind} {} {}", member.name, member.path.display())
    };
    workspace.members.iter().map(tell).collect()
}

fn dependencies<'a>(workspace: &'a Workspace, name: &str) -> Vec<&'a str> {
    let member = workspace.members.iter().find(|member| member.name.as_str() == name).unwrap();
    workspace.closure(member).iter().map(|member| member.ecosystem_name.as_str()).collect()
}

#[test]
fn an_unpacked_source_distribution_is_one_package_with_all_that_lies_in_it() {
    let project = "[project]\nname = \"tool\"\ndynamic = [\"version\"]\n[project.scripts]\ntool = \"tool:main\"\n";
    let crate_of_it = "[package]\nname = \"tool\"\nversion = \"1.0.0\"\n";
    let sample = "[project]\nname = \"sample\"\nversion = \"1\"\n[project.scripts]\ntool = \"sample:main\"\n";
    let files = [
        ("tool/pyproject.toml", project),
        ("tool/Cargo.toml", crate_of_it),
        ("tool/src/main.rs", "fn main() {}"),
        ("tool/samples/one/pyproject.toml", sample),
        ("tool/samples/two/pyproject.toml", sample),
        ("toolbox/pyproject.toml", "[project]\nname = \"toolbox\"\nversion = \"1\"\n"),
    ];
    let repository = Repository::new(&files);
    let discover = || discover(&repository.settings(), &[&Python, &Rust]);
    assert!(discover().is_err(), "a checkout has several packages of one name");
    repository.write(&[("tool/PKG-INFO", "Metadata-Version: 2.4\nName: tool\nVersion: 1.2.3\n")]);
    let workspace = discover().unwrap();
    let members: Vec<(&str, Option<&str>)> =
        workspace.members.iter().map(|member| (member.name.as_str(), member.version.as_deref())).collect();
    assert_eq!(members, [("tool", Some("1.2.3")), ("toolbox", Some("1"))]);
}

#[test]
fn services_and_libraries_are_found_in_the_order_of_their_paths() {
    let edge =
        "[package]\nname = \"acme_edge\"\nversion = \"1.2.3\"\ndescription = \"An\\n  edge\"\nlicense = \"MIT\"\n";
    let repository = Repository::new(&[
        ("services/web/fake", "acme_web\nacme-api-client\nflask"),
        ("services/web/bin/acme-web", ""),
        ("common/client/fake", "Acme.API.Client\nacme-base"),
        ("common/base/fake", "acme-base\nacme-base"),
        ("edge/Cargo.toml", edge),
        ("edge/src/main.rs", ""),
    ]);
    let workspace = repository.workspace();
    assert_eq!(
        told(&workspace),
        [
            "library acme-base common/base",
            "library acme-api-client common/client",
            "service acme-edge edge",
            "service acme-web services/web"
        ]
    );
    assert_eq!(dependencies(&workspace, "acme-web"), ["acme-base", "acme-api-client"]);
    let edge = workspace.service("acme-edge").unwrap();
    assert_eq!((edge.version.as_deref(), edge.summary.as_deref()), (Some("1.2.3"), Some("An edge")));
    assert_eq!((edge.license.as_deref(), edge.reason.as_str()), (Some("MIT"), "bin target acme_edge"));
    let unconfigured = discover_unconfigured(&repository.root(), &[&Fake, &Rust]).unwrap();
    assert_eq!(told(&unconfigured), told(&workspace));
}

#[test]
fn what_is_ignored_vendored_generated_or_a_fixture_is_no_member() {
    let repository = Repository::new(&[
        (".gitignore", "/build/\n*.egg\n!keep.egg\n"),
        ("api/fake", "api"),
        ("api/.gitignore", "generated\n"),
        ("api/generated/fake", "generated"),
        ("generated/fake", "kept-generated"),
        ("build/x/fake", "build"),
        ("old.egg/fake", "old"),
        ("keep.egg/fake", "kept-egg"),
        ("api/vendor/dep/fake", "vendored"),
        ("api/venv/pyvenv.cfg", ""),
        ("api/venv/lib/fake", "environment"),
        ("api/tests/data/fake", "fixture"),
        ("testdata/fake", "fixture-two"),
        ("web/node_modules/x/fake", "node"),
        (".hidden/fake", "hidden"),
        ("target/CACHEDIR.TAG", ""),
        ("target/package/fake", "cargo-output"),
        ("rust/Cargo.toml", "[package]\nname = \"rusty\"\n"),
        ("rust/target/fake", "cargo-output-two"),
        ("shooting/target/fake", "kept-target"),
    ]);
    let expected = [
        "library api api",
        "library kept-generated generated",
        "library kept-egg keep.egg",
        "library rusty rust",
        "library kept-target shooting/target",
    ];
    assert_eq!(told(&repository.workspace()), expected);
    // The same in a git repository without commits, whatever the machine's own git ignores.
    repository.git(&["init", "-q"]);
    fs_err::write(repository.root().join(".git/info/exclude"), "keep.egg\n").unwrap();
    assert_eq!(told(&repository.workspace()), expected);
}

#[test]
fn what_git_tracks_is_not_ignored() {
    let repository = Repository::new(&[
        (".gitignore", "lib/\nbin/\n"),
        ("lib/acme/fake", "acme"),
        ("lib/acme/bin/acme-run", ""),
        ("lib/untracked/fake", "untracked"),
    ]);
    assert_eq!(told(&repository.workspace()), [""; 0]);
    repository.git(&["init", "-q"]);
    repository.git(&["add", "-f", "lib/acme"]);
    assert_eq!(told(&repository.workspace()), ["service acme lib/acme"]);
    fs_err::write(repository.root().join(".git/index"), "DIRC, but no index").unwrap();
    assert_eq!(told(&repository.workspace()), [""; 0]);
}

#[test]
fn another_vendor_directory_is_not_looked_into() {
    let repository = Repository::new(&[("api/fake", "api"), ("api/third_party/wheels/dep/fake", "dep")]);
    assert_eq!(told(&repository.workspace()).len(), 2);
    repository.configure("vendor = \"third_party/wheels\"\n");
    assert_eq!(told(&repository.workspace()), ["library api api"]);
}

#[test]
fn rules_of_the_repository_above_the_root_count() {
    let repository = Repository::new(&[
        (".git/HEAD", ""),
        (".gitignore", "build\n"),
        ("cloud/packhouse.toml", CONFIGURATION),
        ("cloud/build/fake", "build"),
        ("cloud/api/fake", "api"),
    ]);
    let settings = config::load(&repository.root().join("cloud"), None).unwrap();
    assert_eq!(told(&discover(&settings, &[&Fake]).unwrap()), ["library api api"]);
}

#[test]
fn symbolic_links_are_not_followed_out_of_the_repository_nor_around_in_it() {
    let outside = Repository::new(&[("fake", "outside")]);
    let repository = Repository::new(&[("api/fake", "api"), ("linked/README", "")]);
    let link = |to: PathBuf, from: &str| std::os::unix::fs::symlink(to, repository.root().join(from)).unwrap();
    link(outside.root(), "elsewhere");
    link(outside.root().join("fake"), "linked/fake");
    link(repository.root(), "api/round");
    assert_eq!(told(&repository.workspace()), ["library api api"]);
}

#[test]
fn real_submodules_count_as_part_of_the_tree() {
    let base = Repository::new(&[("lib/fake", "acme-base"), (".gitignore", "ignored\n"), ("ignored/fake", "no")]);
    base.commit();
    let common = Repository::new(&[("fake", "acme-common\nacme-base")]);
    common.commit();
    common.git(&["submodule", "--quiet", "add", base.root().to_str().unwrap(), "deps/base"]);
    common.git(&["commit", "-qm", "Base"]);
    let repository = Repository::new(&[("api/fake", "api\nacme-common"), (".gitignore", "lib\n")]);
    repository.commit();
    repository.git(&["submodule", "--quiet", "add", "-f", common.root().to_str().unwrap(), "common"]);
    repository.git(&["submodule", "--quiet", "update", "--init", "--recursive"]);
    repository.git(&["commit", "-qm", "Common"]);

    let workspace = repository.workspace();
    let expected = ["library api api", "library acme-common common", "library acme-base common/deps/base/lib"];
    assert_eq!(told(&workspace), expected);
    let submodules: Vec<_> = workspace.members.iter().map(|member| member.submodule.as_deref()).collect();
    assert_eq!(submodules, [None, Some(Path::new("common")), Some(Path::new("common/deps/base"))]);
    assert_eq!(dependencies(&workspace, "api"), ["acme-base", "acme-common"]);

    // A clone without --recurse-submodules: the error tells the command, and the command mends it.
    let clone = Repository { directory: tempfile::tempdir().unwrap() };
    clone.git(&["clone", "-q", repository.root().to_str().unwrap(), "."]);
    let refusal = clone.refused();
    assert_eq!(refusal.message, "the submodule `common` is not checked out");
    assert!(refusal.hints.contains("`git submodule update --init --recursive common`"), "{}", refusal.hints);
    assert_eq!(refusal.place, Some((PathBuf::from(".gitmodules"), 2)));
    clone.git(&["submodule", "--quiet", "update", "--init", "common"]);
    let refusal = clone.refused();
    assert_eq!(refusal.message, "the submodule `common/deps/base` is not checked out");
    let command = "`git -C common submodule update --init --recursive deps/base`";
    assert!(refusal.hints.contains(command), "{}", refusal.hints);
    clone.git(&["-C", "common", "submodule", "--quiet", "update", "--init", "--recursive", "deps/base"]);
    assert_eq!(told(&clone.workspace()), expected);
}

#[test]
fn a_vendor_submodule_is_only_needed_by_those_who_need_it() {
    let wheels = Repository::new(&[("fake", "wheels")]);
    wheels.commit();
    let repository = Repository::new(&[("api/fake", "api")]);
    repository.commit();
    repository.git(&["submodule", "--quiet", "add", wheels.root().to_str().unwrap(), "api/vendor"]);
    repository.git(&["submodule", "--quiet", "deinit", "-f", "api/vendor"]);
    assert_eq!(told(&repository.workspace()), ["library api api"]);
    let root = repository.root();
    workspace::require_checked_out(&root, Path::new("web/vendor")).unwrap();
    let error = workspace::require_checked_out(&root, Path::new("api/vendor")).unwrap_err();
    assert!(error.hints()[0].contains("git submodule update --init --recursive api/vendor"), "{:?}", error.hints());
    repository.git(&["submodule", "--quiet", "update", "--init", "api/vendor"]);
    workspace::require_checked_out(&root, Path::new("api/vendor")).unwrap();
}

#[test]
fn a_leftover_of_a_submodule_is_none() {
    // Removed with git, still named in .gitmodules.
    let repository = Repository::new(&[("api/fake", "api"), (".gitmodules", "[submodule \"a\"]\npath = gone\n")]);
    repository.commit();
    assert_eq!(told(&repository.workspace()), ["library api api"]);
    // An archive without git: a directory that is empty should have been filled, one that is not there was left out.
    let archive = Repository::new(&[("api/fake", "api"), (".gitmodules", "[submodule \"a\"]\npath = lib\n")]);
    assert_eq!(told(&archive.workspace()), ["library api api"]);
    fs_err::create_dir(archive.root().join("lib")).unwrap();
    assert!(matches!(archive.refused().error, Error::NotCheckedOut { .. }));
    archive.write(&[("lib/fake", "acme-lib")]);
    assert_eq!(told(&archive.workspace()), ["library api api", "library acme-lib lib"]);
}

#[test]
fn an_excluded_submodule_need_not_be_there() {
    let other = Repository::new(&[("fake", "other")]);
    other.commit();
    let repository = Repository::new(&[("api/fake", "api")]);
    repository.commit();
    repository.git(&["submodule", "--quiet", "add", other.root().to_str().unwrap(), "extern/other"]);
    repository.git(&["submodule", "--quiet", "deinit", "-f", "extern/other"]);
    assert!(matches!(repository.refused().error, Error::NotCheckedOut { .. }));
    repository.configure("exclude = [\"extern\"]\n");
    assert_eq!(told(&repository.workspace()), ["library api api"]);
}

#[test]
fn members_and_exclude_choose() {
    let repository = Repository::new(&[
        ("services/a/fake", "acme-a"),
        ("services/b/fake", "acme-b"),
        ("services/b/deep/fake", "deep"),
        ("other/fake", "other"),
    ]);
    repository.configure("members = [\"services/*\"]\nexclude = [\"services/b\"]\n");
    assert_eq!(told(&repository.workspace()), ["library acme-a services/a"]);
    repository.configure("members = [\"services/*\", \"servces/x\"]\n");
    assert_eq!(
        repository.refused().message,
        "pattern 2 of `project.members` matches no directory with a Python or Rust manifest"
    );
}

#[test]
fn a_package_of_the_repository_that_is_left_out_cannot_be_required() {
    let repository = Repository::new(&[("api/fake", "api\nflask\nacme-common"), ("common/fake", "acme_common")]);
    repository.configure("exclude = [\"common\"]\n");
    let refusal = repository.refused();
    assert_eq!(refusal.message, "`api` requires `acme-common`, which is in this repository (`common`) but is left out");
    assert_eq!(refusal.place, Some((PathBuf::from("api/fake"), 3)));
}

#[test]
fn a_table_overrides_what_was_detected() {
    let repository = Repository::new(&[
        ("a/fake", "acme-a"),
        ("b/fake", "acme-b"),
        ("b/bin/acme-b", ""),
        ("b/bin/acme-b-debug", ""),
        ("c/fake", "x"),
        ("c/bin/x", ""),
    ]);
    let refusal = repository.refused();
    assert!(refusal.message.contains("`x`") && refusal.message.contains("c/fake"), "{}", refusal.message);
    assert!(refusal.hints.contains("`[services.NAME]` with `path = \"c\"`"), "{}", refusal.hints);

    let renamed = "[services.acme-x]\npath = \"c\"\n";
    let changed = "[services.acme-a]\nkind = \"service\"\n[services.acme-b]\ncommands = [\"acme-b\"]\n";
    repository.configure(&format!("{changed}{renamed}"));
    let workspace = repository.workspace();
    assert_eq!(told(&workspace), ["service acme-a a", "service acme-b b", "service acme-x c"]);
    assert_eq!(workspace.service("acme-b").unwrap().commands, ["acme-b"]);
    assert_eq!(workspace.service("acme-a").unwrap().reason, "`kind = \"service\"` of [services.acme-a] (fake)");
}

#[test]
fn a_table_that_matches_nothing_is_an_error() {
    let repository = Repository::new(&[("a/fake", "acme-api"), ("b/fake", "acme-web")]);
    repository.configure("\n[services.acme-apo]\nsummary = \"x\"\n");
    let refusal = repository.refused();
    assert_eq!(refusal.message, "`[services.acme-apo]` matches nothing in this repository");
    assert_eq!(refusal.hints, "did you mean `[services.acme-api]`?");
    assert_eq!(refusal.place, Some((PathBuf::from("packhouse.toml"), 5)));
    repository.configure("[services.acme-api]\npath = \"c\"\n");
    assert!(matches!(repository.refused().error, Error::UnknownService { .. }));
    repository.configure("[services.acme-api]\n[services.acme-zoo]\npath = \"a\"\n");
    assert!(matches!(repository.refused().error, Error::TwoTables { .. }));
    repository.configure("exclude = [\"a\"]\n[services.acme-api]\n");
    assert!(repository.refused().hints.contains("left out"), "{}", repository.refused().hints);
}

#[test]
fn a_table_that_does_not_fit_is_an_error_with_its_place() {
    let repository = Repository::new(&[("a/fake", "acme-api"), ("a/bin/acme-api", ""), ("a/etc/api.toml", "")]);
    let secret = Repository::new(&[]);
    let link = repository.root().join("a/etc/link.toml");
    std::os::unix::fs::symlink(secret.root().join("packhouse.toml"), link).unwrap();
    repository
        .configure("[services.acme-api]\nconfig = [\"etc/api.toml\"]\nsystemd.command = \"acme-api --x 'y z'\"\n");
    repository.workspace();
    for (table, part) in [
        ("config = [\"etc/apy.toml\"]", "`etc/apy.toml` does not exist"),
        ("config = [\"etc\"]", "is not a regular file"),
        ("config = [\"etc/link.toml\"]", "leads out of the repository"),
        ("systemd.units = [\"acme-api.service\"]", "does not exist"),
        ("systemd.command = \"acme-apy --x\"", "`acme-apy` is no command of `acme-api`"),
        ("systemd.command = \"acme-api 'x\"", "a quote is not closed"),
        ("rust.profile = \"dist\"", "is a Python package"),
    ] {
        repository.configure(&format!("[services.acme-api]\n{table}\n"));
        let refusal = repository.refused();
        assert!(refusal.message.contains(part), "{table}: {}", refusal.message);
        assert_eq!(refusal.place, Some((PathBuf::from("packhouse.toml"), 5)), "{table}");
    }
}

#[test]
fn names_and_commands_that_collide_name_both_places() {
    let repository = Repository::new(&[("one/fake", "acme_api"), ("two/fake", "Acme.API")]);
    let message = repository.refused().message;
    assert_eq!(message, "two Python packages are named `acme-api`: `one/fake` and `two/fake`");

    let rust = |name: &str| format!("[package]\nname = \"{name}\"\n");
    let repository = Repository::new(&[
        ("one/fake", "acme-api"),
        ("one/bin/one", ""),
        ("two/Cargo.toml", &rust("acme_api")),
        ("two/src/main.rs", ""),
    ]);
    let message = repository.refused().message;
    assert_eq!(
        message,
        "two services would become the package `acme-api`: `acme-api` in `one/fake` and `acme_api` in `two/Cargo.toml`"
    );
    repository.configure("[services.acme-rust]\npath = \"two\"\n");
    assert_eq!(told(&repository.workspace()), ["service acme-api one", "service acme-rust two"]);

    let repository = Repository::new(&[
        ("one/fake", "acme-one"),
        ("one/bin/acme", ""),
        ("two/fake", "acme-two"),
        ("two/bin/acme", ""),
    ]);
    let refusal = repository.refused();
    assert_eq!(
        refusal.message,
        "two services want `/usr/bin/acme`: `acme-one` in `one/fake` and `acme-two` in `two/fake`"
    );
    repository.configure("[services.acme-two]\ncommands = []\n");
    repository.workspace();
}

#[test]
fn circles_are_told_with_every_step() {
    let repository = Repository::new(&[
        ("a/fake", "acme-a\nflask\nacme-b"),
        ("b/fake", "acme-b\nacme-c"),
        ("c/fake", "acme-c\nrequests\n=b"),
    ]);
    let refusal = repository.refused();
    assert_eq!(
        refusal.message,
        "the dependencies go in a circle: `acme-b` needs `acme-c` (b/fake:2), which needs `acme-b` (c/fake:3)"
    );
    assert_eq!(refusal.place, Some((PathBuf::from("b/fake"), 2)));
}

#[test]
fn a_requirement_by_directory_must_exist() {
    let repository = Repository::new(&[("a/fake", "acme-a\n=gone")]);
    let refusal = repository.refused();
    assert_eq!(refusal.message, "`acme-a` requires the directory `gone`, which does not exist");
    assert_eq!(refusal.place, Some((PathBuf::from("a/fake"), 2)));
}

const WORKSPACE: &str = r#"
[workspace]
members = ["crates/*", "tool"]
exclude = ["crates/out"]
[workspace.package]
version = "2.0.0"
license = "MIT"
description = "shared"
[workspace.dependencies]
acme-shared = { path = "shared" }
serde = "1"
"#;

const EDGE: &str = r#"[package]
name = "acme-edge"
version.workspace = true
license.workspace = true
description.workspace = true

[dependencies]
serde.workspace = true
acme-shared = { workspace = true, features = ["x"] }

[target.'cfg(unix)'.dependencies]
renamed = { path = "../codec", package = "acme-codec" }
[dev-dependencies]
acme-tool = { path = "../../tool" }
"#;

const TOOL: &str = r#"[package]
name = "acme-tool"
[build-dependencies]
acme-codec = { path = "../crates/codec" }
[[bin]]
name = "acmectl"
path = "cli.rs"
[[bin]]
name = "acme-hidden"
path = "hidden.rs"
required-features = ["extra"]
[[bin]]
name = "acme-shown"
path = "shown.rs"
required-features = ["tls"]
[features]
default = ["net"]
net = ["tls"]
tls = []
extra = []
"#;

#[test]
fn a_cargo_workspace_gives_each_member_once() {
    let repository = Repository::new(&[
        ("rust/Cargo.toml", WORKSPACE),
        ("rust/crates/edge/Cargo.toml", EDGE),
        ("rust/crates/edge/src/main.rs", "fn main() {}"),
        ("rust/crates/edge/src/bin/acme-edge-admin.rs", "fn main() {}"),
        ("rust/crates/edge/src/bin/acme-edge-top/main.rs", "fn main() {}"),
        ("rust/crates/codec/Cargo.toml", "[package]\nname = \"acme-codec\"\nversion = \"0.1.0\"\n[lib]\n"),
        ("rust/crates/codec/src/lib.rs", ""),
        ("rust/crates/out/Cargo.toml", "[package]\nname = \"alone\"\nversion = \"0.1.0\"\n"),
        ("rust/crates/empty/README", ""),
        // Neither listed nor matched, and a member all the same: a path dependency below the root.
        ("rust/shared/Cargo.toml", "[package]\nname = \"acme-shared\"\nversion.workspace = true\n"),
        ("rust/shared/src/lib.rs", ""),
        ("rust/tool/Cargo.toml", TOOL),
        // A second workspace in the same repository.
        ("other/Cargo.toml", "[workspace]\n[package]\nname = \"other\"\nversion = \"1.0.0\"\nautobins = false\n"),
        ("other/src/main.rs", ""),
    ]);
    let workspace = repository.workspace();
    assert_eq!(
        told(&workspace),
        [
            "library other other",
            "library acme-codec rust/crates/codec",
            "service acme-edge rust/crates/edge",
            "library alone rust/crates/out",
            "library acme-shared rust/shared",
            "service acme-tool rust/tool",
        ]
    );
    let edge = workspace.service("acme-edge").unwrap();
    assert_eq!(edge.commands, ["acme-edge", "acme-edge-admin", "acme-edge-top"]);
    assert_eq!((edge.version.as_deref(), edge.license.as_deref()), (Some("2.0.0"), Some("MIT")));
    assert_eq!(edge.summary.as_deref(), Some("shared"));
    let requires: Vec<_> = edge
        .requires
        .iter()
        .map(|one| (one.name.as_str(), one.path.as_deref().unwrap().to_str().unwrap(), one.line))
        .collect();
    assert_eq!(requires, [("acme-shared", "rust/shared", 9), ("acme-codec", "rust/crates/codec", 12)]);
    assert_eq!(dependencies(&workspace, "acme-edge"), ["acme-codec", "acme-shared"]);
    let tool = workspace.service("acme-tool").unwrap();
    assert_eq!(tool.commands, ["acme-shown", "acmectl"]);
    assert_eq!(tool.version, None);
    assert_eq!(dependencies(&workspace, "acme-tool"), ["acme-codec"]);
}

#[test]
fn a_patched_crate_is_the_directory_that_the_patch_names() {
    let patch = "[workspace]\nmembers = [\"app\"]\n[patch.crates-io]\nleft-pad = { path = \"forks/left-pad\" }\n";
    let repository = Repository::new(&[
        ("Cargo.toml", patch),
        ("app/Cargo.toml", "[package]\nname = \"app\"\n[dependencies]\nleft-pad = \"1\"\n"),
        ("app/src/main.rs", ""),
        ("forks/left-pad/Cargo.toml", "[package]\nname = \"left-pad\"\nversion = \"1.0.1\"\n[workspace]\n"),
        ("forks/left-pad/src/lib.rs", ""),
    ]);
    assert_eq!(dependencies(&repository.workspace(), "app"), ["left-pad"]);
}

#[test]
fn what_is_wrong_with_a_cargo_manifest_is_told_where_it_stands() {
    let package = "[package]\nname = \"app\"\nversion = \"1.0.0\"\n";
    let cases: &[(&str, &str, Option<usize>)] = &[
        ("[package\n", "unclosed table", Some(1)),
        ("[package]\nname = 3\n", "invalid type", Some(2)),
        ("[dependencies]\n", "has neither [package] nor [workspace]", None),
        ("[workspace]\nmembers = [\"gone\"]\n", "the member `gone` has no Cargo.toml", None),
        ("[workspace]\nmembers = [\"../../out\"]\n", "leads out of the repository", None),
        ("[package]\nname = \"app\"\nversion.workspace = true\n", "no manifest above it has [workspace]", None),
        ("[package]\nname = \"app\"\nworkspace = \"../..\"\n", "`package.workspace` leads out", None),
        ("[workspace]\n[package]\nname = \"app\"\nversion.workspace = true\n", "not all fields of `app`", None),
    ];
    for (text, part, line) in cases {
        let repository = Repository::new(&[("app/Cargo.toml", text)]);
        let refusal = repository.refused();
        assert!(refusal.message.contains(part), "{text}: {}", refusal.message);
        assert_eq!(refusal.place.map(|(_, line)| line), *line, "{text}");
        assert!(!refusal.message.contains(repository.root().to_str().unwrap()), "{}", refusal.message);
    }
    for (dependency, part) in [
        ("out = { path = \"../../out\" }", "the path dependency `out` leads out of the repository: `../../out`"),
        ("out = { path = \"/\" }", "leads out of the repository"),
        ("gone = { path = \"../gone\" }", "leads to `gone`, where there is no Cargo.toml"),
    ] {
        let repository = Repository::new(&[("app/Cargo.toml", &format!("{package}[dependencies]\n{dependency}\n"))]);
        let refusal = repository.refused();
        assert!(refusal.message.contains(part), "{dependency}: {}", refusal.message);
        assert_eq!(refusal.place, Some((PathBuf::from("app/Cargo.toml"), 5)));
    }
}

#[test]
fn a_crate_that_its_workspace_does_not_list_is_an_error_as_for_cargo() {
    let repository = Repository::new(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"app\"]\n"),
        ("app/Cargo.toml", "[package]\nname = \"app\"\n"),
        ("stray/Cargo.toml", "[package]\nname = \"stray\"\n"),
    ]);
    let message = repository.refused().message;
    assert!(message.contains("`stray/Cargo.toml` lies in the workspace of `Cargo.toml`"), "{message}");
    repository.configure("exclude = [\"stray\"]\n");
    assert_eq!(told(&repository.workspace()), ["library app app"]);
}

#[test]
fn discovery_runs_nothing_of_the_repository_and_writes_nothing() {
    let trap = tempfile::tempdir().unwrap();
    let sprung = trap.path().join("sprung");
    let quoted = format!("{:?}", sprung.display().to_string());
    let repository = Repository::new(&[
        ("trap.sh", &format!("#!/bin/sh\ntouch {}\n", sprung.display())),
        ("setup.py", &format!("open({quoted}, 'w')\n")),
        ("fake", "acme"),
        ("edge/Cargo.toml", "[package]\nname = \"edge\"\nbuild = \"build.rs\"\n"),
        ("edge/src/main.rs", "fn main() {}"),
        ("edge/build.rs", &format!("fn main() {{ std::fs::write({quoted}, \"\").unwrap(); }}")),
    ]);
    let script = repository.root().join("trap.sh");
    Command::new("chmod").arg("+x").arg(&script).status().unwrap();
    let script = script.display();
    let cargo =
        format!("[build]\nrustc = \"{script}\"\nrustc-wrapper = \"{script}\"\n[alias]\nmetadata = \"!{script}\"\n");
    repository.git(&["init", "-q"]);
    let git = format!(
        "[core]\n\trepositoryformatversion = 0\n\tfsmonitor = {script}\n\thooksPath = {root}\n\tpager = {script}\n\
         \tsshCommand = {script}\n[filter \"trap\"]\n\tclean = {script}\n\tsmudge = {script}\n",
        root = repository.root().display()
    );
    repository.write(&[
        (".cargo/config.toml", &cargo),
        (".gitattributes", "* filter=trap\n"),
        (".git/config", &git),
        (".gitmodules", "[include]\n\tpath = trap.sh\n"),
    ]);
    let list = || {
        let output = Command::new("find").arg(repository.root()).args(["-printf", "%p %T@ %C@\n"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let before = list();
    assert_eq!(told(&repository.workspace()), ["library acme ", "service edge edge"]);
    assert_eq!(list(), before);
    assert!(!sprung.exists(), "code of the repository was run");
    // The trap does work: git itself walks into it.
    Command::new("git").arg("-C").arg(repository.root()).args(["status", "--porcelain"]).output().unwrap();
    assert!(sprung.exists(), "the trap is not set");
}

#[test]
fn hostile_trees_give_an_error_and_not_a_panic() {
    let repository = Repository::new(&[("fake", "acme")]);
    let manifest = repository.root().join("Cargo.toml");
    let settings = repository.settings();
    fs_err::write(&manifest, [0xff, 0xfe, b'[']).unwrap();
    discover(&settings, &[&Fake, &Rust]).unwrap_err();
    fs_err::remove_file(&manifest).unwrap();
    Command::new("mkfifo").arg(&manifest).status().unwrap();
    assert_eq!(told(&repository.workspace()), ["library acme "]);
    fs_err::remove_file(&manifest).unwrap();
    for text in ["[submodule \"x\"]\npath = /etc\n", "[submodule \"x\"]\npath = \"a\n", "[submodule \"x\"]\npath =\n"] {
        repository.write(&[(".gitmodules", text)]);
        let refusal = repository.refused();
        assert_eq!(refusal.place, Some((PathBuf::from(".gitmodules"), 2)), "{text}: {}", refusal.message);
    }
    repository.write(&[(".gitmodules", ""), (".gitignore", "[\n\\\n!\n/\n")]);
    let deep = "d/".repeat(900);
    repository.write(&[(&format!("{deep}fake"), "deep")]);
    assert_eq!(repository.workspace().members.len(), 2);
}

/// The names of what `name` needs, directly.
fn needs(workspace: &Workspace, name: &str) -> Vec<String> {
    let member = workspace.members.iter().find(|member| member.ecosystem_name == name).unwrap();
    member.dependencies.iter().map(|id| workspace.member(*id).unwrap().ecosystem_name.clone()).collect()
}

#[test]
fn an_extra_of_a_library_brings_its_packages_to_those_who_ask_for_it_alone() {
    let project = |name: &str, dependencies: &str, more: &str| {
        format!("[project]\nname = \"{name}\"\nversion = \"1.0\"\ndependencies = [{dependencies}]\n{more}")
    };
    let scripts = |name: &str| format!("[project.scripts]\n{name} = \"m:main\"\n");
    let extras = "[project.optional-dependencies]\nCache_It = [\"cache[fast]\"]\nall = [\"common[cache-it]\"]\n";
    let repository = Repository::new(&[
        ("common/pyproject.toml", &project("common", "", extras)),
        ("cache/pyproject.toml", &project("cache", "", "[project.optional-dependencies]\nfast = [\"speed>1\"]\n")),
        ("speed/pyproject.toml", &project("speed", "", "")),
        ("plain/pyproject.toml", &project("plain", "\"common\"", &scripts("plain"))),
        (
            "by-name/pyproject.toml",
            &project("by-name", "\"common[all]>=1; python_version > '3'\"", &scripts("by-name")),
        ),
        ("by-path/setup.py", "from setuptools import setup\nsetup(name='by-path', version='1')\n"),
        ("by-path/bin/by-path", "#!/usr/bin/env python3\n"),
        ("by-path/requirements.txt", "-e ../common[cache-it]\n"),
        ("own/pyproject.toml", &project("own", "", &format!("{}{extras}", scripts("own")))),
    ]);
    repository.configure("[services.own.python]\nextras = [\"cache-it\"]\n");
    let workspace = discover(&repository.settings(), &[&Python]).unwrap();
    assert_eq!(needs(&workspace, "plain"), ["common"]);
    for service in ["by-name", "by-path"] {
        assert_eq!(needs(&workspace, service), ["cache", "common", "speed"], "{service}");
    }
    assert_eq!(needs(&workspace, "own"), ["cache", "speed"]);
    assert!(needs(&workspace, "common").is_empty());
}

#[test]
fn a_service_with_an_impossible_name_is_refused_unless_it_is_left_out_or_named_otherwise() {
    let repository = Repository::new(&[
        ("p/setup.py", "from setuptools import setup\nsetup(name='x', version='1')\n"),
        ("p/bin/run-x", "#!/usr/bin/env python3\n"),
    ]);
    let discover = || discover(&repository.settings(), &[&Python]);
    let error = discover().unwrap_err();
    assert!(error.to_string().contains("`x`"), "{error}");
    assert!(error.hints().iter().any(|hint| hint.contains("exclude = [\"p\"]")), "{:?}", error.hints());
    repository.configure("[services.acme-x]\npath = \"p\"\n");
    assert_eq!(told(&discover().unwrap()), ["service acme-x p"]);
    repository.configure("exclude = [\"p\"]\n");
    assert!(discover().unwrap().members.is_empty());
}
