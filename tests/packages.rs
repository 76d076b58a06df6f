//! From a staged tree to packages: assembled by packhouse, judged by dpkg, rpm, lintian, rpmlint, systemd and the
//! distributions' own scanners of dependencies.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::result_large_err,
    clippy::string_slice,
    reason = "these are tests"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use packhouse::config::{self, Maintainer, Settings};
use packhouse::diagnostic::{Diagnose as _, ExitCode};
use packhouse::format::{self, WriteOptions, Written};
use packhouse::name::PackageName;
use packhouse::package::{
    self, Changelog, Component, Error, Inputs, Package, Release, Stage, Staged, Version, check_shared_paths,
};
use packhouse::target::{Architecture, Compression, Format, PythonVersion, Target, distribution};
use packhouse::tree::{Content, Entry, InstallPath, Node, Tree};
use packhouse::workspace::{EcosystemKind, Kind, Member, Workspace};

const TIME: i64 = 1_767_225_600;
const PREFIX: &str = "/usr/lib/acme/acme-api";

fn path(text: &str) -> InstallPath {
    InstallPath::parse(text).expect("a path")
}

/// A repository with two services on disk.
struct Repository {
    directory: tempfile::TempDir,
}

impl Repository {
    /// `services` are the tables below `[services]`.
    fn new(services: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let repository = Self { directory };
        repository.put(
            "packhouse.toml",
            &format!(
                "[project]\norg = \"acme\"\nmaintainer = \"Acme Cloud <cloud@acme.example>\"\n\
                 homepage = \"https://acme.example\"\nlicense = \"Apache-2.0\"\ntargets = [\"debian-12\"]\n{services}"
            ),
        );
        repository.put("acme-api/pyproject.toml", "[project]\nname = \"acme-api\"\n");
        repository.put("acme-web/pyproject.toml", "[project]\nname = \"acme-web\"\n");
        repository
    }

    fn put(&self, file: &str, text: &str) {
        let path = self.directory.path().join(file);
        fs::create_dir_all(path.parent().expect("a parent")).expect("mkdir");
        fs::write(path, text).expect("write");
    }

    fn settings(&self) -> Settings {
        config::load(self.directory.path(), None).expect("settings")
    }

    fn workspace(&self) -> Workspace {
        let member = |name: &str| Member {
            name: PackageName::parse(name).expect("a name"),
            ecosystem_name: name.to_owned(),
            ecosystem: EcosystemKind::Python,
            kind: Kind::Service,
            path: PathBuf::from(name),
            manifest: PathBuf::from(name).join("pyproject.toml"),
            version: Some("1.2.3".to_owned()),
            summary: Some("The interface of the cloud.".to_owned()),
            license: None,
            reason: "a test".to_owned(),
            commands: vec![name.to_owned()],
            requires: Vec::new(),
            optional: std::collections::BTreeMap::new(),
            dependencies: Vec::new(),
            unread: Vec::new(),
            submodule: None,
        };
        let root = self.directory.path().canonicalize().expect("a root");
        Workspace { root, members: vec![member("acme-api"), member("acme-web")] }
    }

    fn assemble(&self, target: &str, staged: Staged) -> Result<Package, Error> {
        self.assemble_with(target, staged, |_| {})
    }

    fn assemble_with(&self, target: &str, staged: Staged, change: impl FnOnce(&mut Member)) -> Result<Package, Error> {
        let settings = self.settings();
        let mut workspace = self.workspace();
        change(&mut workspace.members[0]);
        let target =
            Target { distribution: distribution(target).expect("a distribution"), architecture: Architecture::X86_64 };
        let version = Version {
            epoch: 0,
            debian: "1.2.3".to_owned(),
            rpm: "1.2.3".to_owned(),
            revision: format!("1{}", target.distribution.revision_suffix),
        };
        let changelog = changelog(&version);
        package::assemble(Inputs {
            settings: &settings,
            workspace: &workspace,
            member: &workspace.members[0],
            target: &target,
            staged,
            version,
            changelog,
            time: TIME,
        })
    }

    fn write(&self, package: &Package) -> Written {
        let out = self.directory.path().join("out");
        fs::create_dir_all(&out).expect("mkdir");
        // lintian 2.116 knows no zstd members.
        let options = WriteOptions { compression: Some(Compression::Gzip), ..WriteOptions::default() };
        format::write(package, &out, &options).expect("a package")
    }
}

fn changelog(version: &Version) -> Changelog {
    let author = Maintainer { name: "Ada Acme".to_owned(), mail: "ada@acme.example".to_owned() };
    let release = Release { version: version.clone(), time: TIME, author, changes: vec!["Begin".to_owned()] };
    Changelog { releases: vec![release] }
}

/// What the Python ecosystem would stage: a command, a module, its byte-code.
fn python(compile: bool) -> Staged {
    let mut tree = Tree::new();
    let mut add = |at: &str, text: &str, mode: u32| {
        tree.file(path(&format!("{PREFIX}/{at}")), Content::bytes(text.as_bytes()), mode).expect("free");
    };
    add("bin/acme-api", "#!/usr/lib/acme/acme-api/bin/python\nimport acme\nacme.main()\n", 0o755);
    add("lib/python3.11/site-packages/acme/__init__.py", "def main():\n    print('hello')\n", 0o644);
    if !compile {
        add("lib/python3.11/site-packages/acme/__pycache__/__init__.cpython-311.pyc", "byte-code", 0o644);
    }
    tree.symlink(path(&format!("{PREFIX}/bin/python")), "../../../../bin/python3.11").expect("free");
    Staged {
        tree,
        commands: vec![("acme-api".to_owned(), path(&format!("{PREFIX}/bin/acme-api")))],
        python: Some(PythonVersion::three(11)),
        compile_on_install: compile.then(|| path(&format!("{PREFIX}/lib"))),
        components: vec![
            Component {
                purl: "pkg:pypi/evil@1".to_owned(),
                name: "evil\nLicense: none".to_owned(),
                version: "1\u{1b}[31m".to_owned(),
                license: Some("Do what\nyou want\n\nFiles: *\nLicense: none".to_owned()),
                ..Component::default()
            },
            Component {
                purl: "pkg:pypi/x@1".to_owned(),
                name: "x".to_owned(),
                version: "1".to_owned(),
                ..Component::default()
            },
        ],
        isolation: Vec::new(),
        ..Staged::default()
    }
}

/// A program of this machine, with `from` replaced by `to` (of one length).
fn program(from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = fs::read("/bin/true").expect("a program");
    while let Some(at) = bytes.windows(from.len()).position(|window| window == from).filter(|_| from != to) {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}

fn rust(bytes: Vec<u8>, vendored: bool) -> Staged {
    let mut staged = Staged {
        commands: vec![("acme-api".to_owned(), path(&format!("{PREFIX}/bin/acme-api")))],
        ..Staged::default()
    };
    let mut entry = Entry::root(Node::File(Content::bytes(bytes)), 0o755);
    entry.vendored = vendored;
    staged.tree.insert(path(&format!("{PREFIX}/bin/acme-api")), entry).expect("free");
    staged
}

fn run(program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program).args(arguments).env("LC_ALL", "C.UTF-8").env("TZ", "UTC").output();
    output.unwrap_or_else(|error| panic!("{program} must be installed: {error}"))
}

#[track_caller]
fn text_of(program: &str, arguments: &[&str]) -> String {
    let output = run(program, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {errors}{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn utf8(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn hint(error: &Error) -> String {
    error.hints().join("\n")
}

const SERVICE: &str = "[services.acme-api]\nconfig = [\"etc/acme-api.toml\", \"other.ini\"]\n\
    [services.acme-api.systemd]\ncommand = \"acme-api --config '/etc/acme/a b.toml' 100%\"\nuser = \"acme-api\"\n";

fn service() -> Repository {
    let repository = Repository::new(SERVICE);
    repository.put("acme-api/etc/acme-api.toml", "answer = 42\n");
    repository.put("acme-api/other.ini", "[x]\n");
    repository
}

#[test]
fn lintian_finds_no_error_and_no_warning_in_a_whole_service_and_no_idle_override() {
    for compile in [false, true] {
        let repository = service();
        let package = repository.assemble("debian-12", python(compile)).expect("a package");
        let written = repository.write(&package);
        let arguments = ["--allow-root", "--no-cfg", "--display-info", "--tag-display-limit=0", utf8(&written.path)];
        let report = String::from_utf8(run("lintian", &arguments).stdout).expect("UTF-8");
        // The dependency on the interpreter is on the exact one; the byte-code of this test is none.
        let serious = report.lines().filter(|line| line.starts_with(['E', 'W']) || line.contains("unused-override"));
        assert_eq!(serious.collect::<Vec<_>>(), Vec::<&str>::new(), "{report}");
    }
}

#[test]
fn lintian_finds_no_error_and_no_warning_in_a_compiled_tool() {
    let repository = Repository::new("");
    let package = repository.assemble("debian-12", rust(program(b"x", b"x"), false)).expect("a package");
    let written = repository.write(&package);
    let report = text_of(
        "lintian",
        &["--allow-root", "--no-cfg", "--display-info", "--fail-on=error,warning", utf8(&written.path)],
    );
    assert!(!report.contains("unused-override"), "{report}");
}

#[test]
fn rpmlint_finds_no_error_but_what_is_published_later_or_no_rpm_has() {
    let repository = service();
    let package = repository.assemble("el9", python(true)).expect("a package");
    let written = repository.write(&package);
    let report = String::from_utf8(run("rpmlint", &[utf8(&written.path)]).stdout).expect("UTF-8");
    // A signature comes with the publication, the groups of old have gone, and no name of ours means translations.
    let known = ["no-signature", "no-dependency-on locales-api"];
    let errors: Vec<&str> =
        report.lines().filter(|line| line.contains(": E: ") && !known.iter().any(|tag| line.contains(tag))).collect();
    assert_eq!(errors, Vec::<&str>::new(), "{report}");
    assert!(!report.contains("dangerous-command"), "{report}");
}

#[test]
fn configuration_units_users_and_commands_are_where_they_belong() {
    for (target, format) in [("debian-12", Format::Deb), ("el9", Format::Rpm), ("el10", Format::Rpm)] {
        let repository = service();
        let package = repository.assemble(target, python(false)).expect("a package");
        let written = repository.write(&package);
        let file = utf8(&written.path);
        let (files, configuration) = match format {
            Format::Deb => {
                (text_of("dpkg-deb", &["--contents", file]), text_of("dpkg-deb", &["--info", file, "conffiles"]))
            }
            Format::Rpm => (text_of("rpm", &["-qplv", file]), text_of("rpm", &["-qpc", file])),
        };
        assert_eq!(configuration, "/etc/acme/acme-api.toml\n/etc/acme/other.ini\n");
        for name in [
            "/usr/bin/acme-api -> ../lib/acme/acme-api/bin/acme-api",
            "/usr/lib/systemd/system/acme-api.service",
            "/usr/lib/sysusers.d/acme-api.conf",
        ] {
            assert!(files.contains(name), "{name} is not in {files}");
        }
        if format == Format::Rpm {
            let provides = text_of("rpm", &["-qp", "--provides", file]);
            assert_eq!(provides.contains("user(acme-api) = "), target == "el10", "{provides}");
            let requires = text_of("rpm", &["-qp", "--qf", "[%{REQUIRENAME} %{REQUIREFLAGS:deptype}\n]", file]);
            assert!(requires.lines().any(|line| line.starts_with("systemd") && line.contains("pre")), "{requires}");
            assert!(!files.lines().any(|line| line.ends_with(" /usr/bin") || line.ends_with(" /etc")), "{files}");
        }
    }
}

#[test]
fn a_summary_never_makes_a_user_that_systemd_refuses() {
    for summary in ["API: the best one", "a % of \\\"it\\\" \\\\", ":", "it's $(x) `y`"] {
        let repository = Repository::new(&format!(
            "[services.acme-api]\nsummary = \"{summary}\"\n[services.acme-api.systemd]\ncommand = \"acme-api\"\nuser = \"acme-api\"\n"
        ));
        let package = repository.assemble("debian-12", python(false)).expect("a package");
        let written = repository.write(&package);
        let root = repository.directory.path().join("root");
        text_of("dpkg-deb", &["-x", utf8(&written.path), utf8(&root)]);
        fs::create_dir_all(root.join("etc")).expect("mkdir");
        let root_option = format!("--root={}", utf8(&root));
        text_of("systemd-sysusers", &[&root_option, "acme-api.conf"]);
        let users = fs::read_to_string(root.join("etc/passwd")).expect("users");
        let user: Vec<&str> =
            users.lines().find(|line| line.starts_with("acme-api:")).expect("it").split(':').collect();
        assert_eq!((user.len(), user[5]), (7, "/var/lib/acme-api"), "{users}");
    }
}

#[test]
fn a_summary_of_one_word_or_of_the_package_s_name_becomes_one_that_says_something() {
    for (summary, expected) in [
        ("The API", "API of acme"),
        ("acme-api", "service acme-api of acme"),
        ("Acme API", "service acme-api of acme"),
        ("acme-api: API", "API of acme"),
        (&"x".repeat(200), "service acme-api of acme"),
        ("API of the cloud.", "API of the cloud"),
    ] {
        let repository = Repository::new(&format!("[services.acme-api]\nsummary = \"{summary}\"\n"));
        let package = repository.assemble("debian-12", python(false)).expect("a package");
        assert_eq!(package.summary, expected, "{summary}");
    }
}

#[test]
fn a_generated_unit_is_valid_and_hardened() {
    for user in ["", "user = \"acme-api\"\n"] {
        let repository =
            Repository::new(&format!("[services.acme-api.systemd]\ncommand = \"acme-api --x '$HOME %n'\"\n{user}"));
        let package = repository.assemble("debian-12", python(false)).expect("a package");
        let unit = package.tree.get(&path("/usr/lib/systemd/system/acme-api.service")).expect("a unit");
        let Node::File(content) = &unit.node else { panic!("a file") };
        let mut text = String::new();
        std::io::Read::read_to_string(&mut content.open().expect("it"), &mut text).expect("text");
        assert!(text.contains("ExecStart=/usr/bin/acme-api --x \"$$HOME %%n\""), "{text}");
        let root = repository.directory.path();
        // The command is not on this machine.
        let file = root.join("acme-api.service");
        fs::write(&file, text.replace("/usr/bin/acme-api", "/bin/true")).expect("write");
        text_of("systemd-analyze", &["verify", "--man=no", utf8(&file)]);
        text_of("systemd-analyze", &["security", "--offline=true", "--threshold=30", "--no-pager", utf8(&file)]);
    }
}

#[test]
fn units_of_the_repository_are_taken_as_they_are() {
    let repository = Repository::new(
        "[services.acme-api.systemd]\nunits = [\"d/acme-api.service\", \"d/acme-job@.service\", \"d/acme.timer\"]\nrestart = \"never\"\n",
    );
    let unit = "[Service]\nExecStart=/usr/bin/acme-api\n[Install]\nWantedBy=multi-user.target\n";
    repository.put("acme-api/d/acme-api.service", unit);
    repository.put("acme-api/d/acme-job@.service", unit);
    let timer = "[Timer]\nOnCalendar=daily\nUnit=acme-api.service\n[Install]\nWantedBy=timers.target\n";
    repository.put("acme-api/d/acme.timer", timer);
    let package = repository.assemble("debian-12", python(false)).expect("a package");
    let postinst = package.scripts.text(Stage::PostInstall).expect("a postinst");
    assert!(postinst.contains("resume acme.timer acme-api.service\n"), "{postinst}");
    assert!(!postinst.contains("acme-job@"), "{postinst}");
    assert!(!postinst.contains("restart"), "{postinst}");

    // A unit that starts what the tree has not would fail on the machine alone.
    repository.put("acme-api/d/acme-api.service", "[Service]\nExecStart=-/usr/lib/acme/acme-api/bin/gone\n");
    let error = repository.assemble("debian-12", python(false)).expect_err("a unit without its program");
    assert!(error.to_string().contains("bin/gone"), "{error}");
}

#[test]
fn what_is_missing_or_leads_out_of_the_repository_is_refused() {
    let repository = Repository::new(SERVICE);
    let error = repository.assemble("debian-12", python(false)).expect_err("a missing file");
    assert!(matches!(error, Error::Missing { .. }), "{error}");
    assert_eq!(error.exit_code(), ExitCode::Usage);

    repository.put("acme-api/other.ini", "");
    fs::create_dir_all(repository.directory.path().join("acme-api/etc")).expect("mkdir");
    std::os::unix::fs::symlink("/etc/hostname", repository.directory.path().join("acme-api/etc/acme-api.toml"))
        .expect("link");
    let error = repository.assemble("debian-12", python(false)).expect_err("a link to elsewhere");
    assert!(error.to_string().contains("leads out of the repository"), "{error}");
}

#[test]
fn a_licence_that_is_a_link_to_elsewhere_is_not_taken_into_the_package() {
    for place in ["LICENSE", "acme-api/COPYING"] {
        let repository = Repository::new("");
        repository.put("acme-api/pyproject.toml", "");
        repository.put("LICENSES/Apache-2.0.txt", "The licence\n");
        let link = repository.directory.path().join(place);
        std::os::unix::fs::symlink("/etc/hostname", &link).expect("link");
        let error = repository.assemble("debian-12", python(false)).expect_err("a link to elsewhere");
        assert!(error.to_string().contains("leads out of the repository"), "{error}");
        fs::remove_file(&link).expect("remove");
        std::os::unix::fs::symlink(repository.directory.path().join("LICENSES/Apache-2.0.txt"), &link).expect("link");
        repository.assemble("debian-12", python(false)).expect("a link within the repository");
    }
}

#[test]
fn two_services_cannot_install_one_file() {
    let repository = Repository::new(
        "[services.acme-api]\nconfig = [\"etc/cloud.toml\"]\n[services.acme-web]\nconfig = [\"conf/cloud.toml\"]\n",
    );
    let error =
        check_shared_paths(&repository.settings(), &repository.workspace()).expect_err("one file, two packages");
    let text = error.to_string();
    assert!(text.contains("/etc/acme/cloud.toml") && text.contains("acme-api") && text.contains("acme-web"), "{text}");

    let repository = Repository::new(
        "[services.acme-api.systemd]\nunits = [\"x/acme-web.service\"]\n[services.acme-web.systemd]\ncommand = \"acme-web\"\n",
    );
    let error =
        check_shared_paths(&repository.settings(), &repository.workspace()).expect_err("one unit, two packages");
    assert!(error.to_string().contains("acme-web.service"), "{error}");

    let repository = Repository::new("[services.acme-api]\ncommands = [\"acme-web\"]\n");
    let mut workspace = repository.workspace();
    check_shared_paths(&repository.settings(), &workspace).expect("Python's commands are known when it is built");
    workspace.members[1].ecosystem = EcosystemKind::Rust;
    let error = check_shared_paths(&repository.settings(), &workspace).expect_err("one command, two packages");
    assert!(error.to_string().contains("/usr/bin/acme-web"), "{error}");

    let good =
        Repository::new("[services.acme-api]\nconfig = [\"etc/a\"]\n[services.acme-web]\nconfig = [\"etc/b\"]\n");
    check_shared_paths(&good.settings(), &good.workspace()).expect("no conflict");
}

#[test]
fn a_library_that_nobody_is_known_to_hold_is_refused_until_it_is_declared() {
    let unknown = || rust(program(b"libc.so.6\0", b"libq.so.6\0"), false);
    let repository = Repository::new("");
    let error = repository.assemble("debian-12", unknown()).expect_err("an unknown library");
    assert!(error.to_string().contains("libq.so.6") && error.to_string().contains(PREFIX), "{error}");
    assert!(hint(&error).contains("deb = [\"libq6\"]") && hint(&error).contains("libq6 | NAME"), "{}", hint(&error));
    for declared in ["libq6 (>= 1)", "libq6 | acme-q"] {
        let repository = Repository::new(&format!("[services.acme-api]\ndepends = {{ deb = [\"{declared}\"] }}\n"));
        let package = repository.assemble("debian-12", unknown()).expect("a package");
        assert_eq!(package.relations.depends, [declared]);
    }
    // RPM asks for the library itself.
    let error = repository.assemble("el9", unknown()).expect_err("an unknown library");
    assert!(hint(&error).contains("rpm = [\"libq.so.6()(64bit)\"]"), "{}", hint(&error));
    let declared = "[services.acme-api]\ndepends = { rpm = [\"libq.so.6()(64bit)\"] }\n";
    let package = Repository::new(declared).assemble("el9", unknown()).expect("a package");
    assert!(package.relations.depends.contains(&"libq.so.6()(64bit)".to_owned()), "{:?}", package.relations.depends);
}

#[test]
fn what_the_target_s_libraries_lack_and_programs_for_other_machines_are_refused() {
    let repository = Repository::new("");
    let true_of = |target: &str| repository.assemble(target, rust(program(b"GLIBC_2.34\0", b"GLIBC_2.99\0"), false));
    let error = true_of("debian-13").expect_err("too new a symbol");
    assert!(matches!(error, Error::GlibcTooNew { vendored: false, .. }), "{error}");
    assert!(error.to_string().contains("GLIBC_2.99") && hint(&error).contains("oldest distribution"), "{error}");

    let mut foreign = program(b"x", b"x");
    foreign[18..20].copy_from_slice(&183_u16.to_le_bytes());
    let error = repository.assemble("debian-12", rust(foreign.clone(), false)).expect_err("another machine's program");
    assert!(matches!(error, Error::WrongArchitecture { .. }), "{error}");
    let package = repository.assemble("debian-12", rust(foreign, true)).expect("third parties may carry it as data");
    assert_eq!(package.architecture, None);
}

#[test]
fn a_static_program_makes_a_package_of_its_architecture() {
    // Only headers: an executable without a dynamic section.
    let mut bytes = program(b"x", b"x")[..64].to_vec();
    bytes[16..18].copy_from_slice(&2_u16.to_le_bytes());
    bytes[32..48].fill(0);
    bytes[56..64].fill(0);
    bytes.extend_from_slice(&[0; 64]);
    let repository = Repository::new("");
    let package = repository.assemble("debian-12", rust(bytes, false)).expect("a package");
    assert_eq!(package.architecture, Some(Architecture::X86_64));
    assert_eq!(package.relations.depends, Vec::<String>::new());
}

/// Libraries of this machine's programs; dpkg-shlibdeps and elfdeps know what they need.
const PROGRAMS: [&str; 6] =
    ["/bin/true", "/usr/bin/git", "/usr/bin/python3.11", "/usr/bin/gpgv", "/usr/bin/rpm", "/usr/bin/apt-get"];

#[test]
fn dependencies_agree_with_dpkg_shlibdeps_and_elfdeps() {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let mut compared = 0;
    for program in PROGRAMS.iter().filter(|program| Path::new(program).exists()) {
        let staged = || rust(fs::read(program).expect("it"), false);
        let elfdeps = text_of("/usr/lib/rpm/elfdeps", &["--requires", program]);
        let oracle: BTreeSet<&str> = elfdeps.lines().collect();
        // Of rpm's and apt's own libraries no table knows.
        let own = oracle.iter().filter(|name| name.starts_with("librpm") || name.starts_with("libapt-"));
        let own: Vec<String> = own.filter(|name| name.contains("()")).map(|name| format!("\"{name}\"")).collect();
        let declared = Repository::new(&format!("[services.acme-api]\ndepends = {{ rpm = [{}] }}\n", own.join(", ")));
        let rpm = declared.assemble("fedora-42", staged()).expect("a package").relations.depends;
        let repository = Repository::new("");
        assert_eq!(rpm.iter().map(String::as_str).collect::<BTreeSet<_>>(), oracle, "{program}");

        // The names of packages are those of this machine's release.
        if !release.contains("VERSION_CODENAME=bookworm") {
            continue;
        }
        let Ok(package) = repository.assemble("debian-12", staged()) else { continue };
        let place = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(place.path().join("debian")).expect("mkdir");
        fs::write(place.path().join("debian/control"), "Source: x\n\nPackage: x\nArchitecture: any\n").expect("write");
        let output = Command::new("dpkg-shlibdeps").args(["-O", "-e", program]).current_dir(place.path()).output();
        let output = output.expect("dpkg-shlibdeps must be installed");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let field = text.trim().strip_prefix("shlibs:Depends=").unwrap_or_else(|| panic!("{program}: {text}"));
        let split = |relation: &str| -> (String, String) {
            let (name, version) = relation.split_once(" (>= ").unwrap_or((relation, "0"));
            (name.to_owned(), version.trim_end_matches(')').to_owned())
        };
        let oracle: Vec<_> = field.split(", ").map(split).collect();
        let ours: Vec<_> = package.relations.depends.iter().map(|relation| split(relation)).collect();
        let names =
            |relations: &[(String, String)]| relations.iter().map(|(name, _)| name.clone()).collect::<BTreeSet<_>>();
        assert_eq!(names(&ours), names(&oracle), "{program}");
        for (name, version) in &ours {
            let (_, wanted) = oracle.iter().find(|(known, _)| known == name).expect("it");
            // These packages are numbered like their symbol versions; of the others, the release has a new enough one.
            if ["libc6", "libssl3"].contains(&name.as_str()) {
                let weaker = run("dpkg", &["--compare-versions", version, "lt", wanted]).status.success();
                assert!(!weaker, "{program}: {name} {version} < {wanted}");
            }
        }
        compared += 1;
    }
    assert!(compared >= 3 || !release.contains("VERSION_CODENAME=bookworm"), "only {compared} programs were compared");
}

#[test]
fn summaries_follow_both_formats_custom() {
    let long = "word ".repeat(30);
    for (given, wanted) in [
        ("The interface of the cloud.", "interface of the cloud"),
        ("acme-api: answers questions", "answers questions"),
        ("  many\n\tblanks  ", "many blanks"),
        ("...", "service acme-api of acme"),
        (long.as_str(), "word word word word word word word word word word word word word word word"),
    ] {
        let repository = Repository::new("");
        let change = |member: &mut Member| member.summary = Some(given.to_owned());
        let package = repository.assemble_with("debian-12", python(false), change).expect("a package");
        assert_eq!(package.summary, wanted);
        let package = repository.assemble_with("el9", python(false), change).expect("a package");
        assert!(package.summary.starts_with(char::is_uppercase), "{}", package.summary);
    }
}

#[test]
fn the_copyright_file_keeps_its_fields_whatever_components_say() {
    for license in ["MIT OR Apache-2.0", "Apache-2.0", "GPL-3.0-or-later WITH GCC-exception-3.1"] {
        let repository = Repository::new(&format!("[services.acme-api]\nlicense = \"{license}\"\n"));
        repository.put("LICENSE", "Terms\n\n.\n\tand more\n\u{1b}[31mFiles: x\n");
        for (target, at) in
            [("debian-12", "/usr/share/doc/acme-api/copyright"), ("el9", "/usr/share/licenses/acme-api/copyright")]
        {
            let package = repository.assemble(target, python(false)).expect("a package");
            let Node::File(content) = &package.tree.get(&path(at)).expect("it").node else { panic!("a file") };
            let mut text = String::new();
            std::io::Read::read_to_string(&mut content.open().expect("it"), &mut text).expect("text");
            assert_eq!(text.lines().filter(|line| line.starts_with("Files:")).count(), 1, "{text}");
            assert!(!text.contains("\nLicense: none"), "{text}");
            assert!(!text.contains(|character: char| character.is_control() && character != '\n'), "{text}");
            for line in text.lines().filter(|line| !line.is_empty()) {
                let field = line
                    .split_once(':')
                    .is_some_and(|(name, _)| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
                assert!(line.starts_with(' ') || field, "{line:?} is neither a field nor continues one:\n{text}");
            }
            assert_eq!(text.contains("On Debian systems"), target == "debian-12", "{text}");
        }
    }
}

#[test]
fn a_manifest_s_free_licence_text_stays_in_its_field() {
    let repository = Repository::new("");
    repository.put(
        "packhouse.toml",
        "[project]\norg = \"acme\"\nmaintainer = \"A <a@acme.example>\"\ntargets = [\"debian-12\"]\n",
    );
    let change = |member: &mut Member| member.license = Some("Custom licence\n\nFiles: *\n of ours".to_owned());
    for target in ["debian-12", "el9"] {
        let package = repository.assemble_with(target, python(false), change).expect("a package");
        assert_eq!(package.license, "LicenseRef-Custom-licence AND LicenseRef-evil-License-none AND LicenseRef-x");
        repository.write(&package);
    }
}

#[test]
fn a_package_is_the_same_from_another_directory() {
    let digests = |target: &str| {
        let repository = service();
        repository.write(&repository.assemble(target, python(true)).expect("a package")).sha256
    };
    assert_eq!(digests("debian-12"), digests("debian-12"));
    assert_eq!(digests("el9"), digests("el9"));
}

#[test]
fn every_script_is_clean_to_the_shell() {
    for target in ["debian-12", "el8", "el9", "el10"] {
        for restart in ["after-upgrade", "stop-start", "never"] {
            for start in ["true", "false"] {
                let repository = Repository::new(&format!(
                    "[services.acme-api.systemd]\ncommand = \"acme-api\"\nuser = \"acme-api\"\nrestart = \"{restart}\"\nstart = {start}\nenable = {start}\n"
                ));
                let package = repository.assemble(target, python(true)).expect("a package");
                for (_, script) in package.scripts.iter() {
                    let script = &script.text;
                    let file = repository.directory.path().join("script");
                    fs::write(&file, script).expect("write");
                    let output = run("/bin/sh", &["-n", utf8(&file)]);
                    assert!(output.status.success(), "{script}");
                    // With no systemd running and no such directory every scriptlet of RPM must still succeed.
                    assert_eq!(script.trim_end().ends_with("exit 0"), target != "debian-12", "{script}");
                }
            }
        }
    }
}

/// All files and directories below `root` but dpkg's own, sorted.
fn listing(root: &Path) -> Vec<String> {
    let text =
        text_of("find", &[utf8(root), "-path", &format!("{}/var/lib/dpkg", utf8(root)), "-prune", "-o", "-print"]);
    let mut lines: Vec<String> = text.lines().map(|line| line.replace(utf8(root), "")).collect();
    lines.sort();
    lines
}

#[test]
fn byte_code_that_a_deb_compiles_is_there_after_installing_and_upgrading_and_gone_after_removing() {
    if !Path::new("/usr/bin/python3.11").exists() {
        return;
    }
    let repository = Repository::new("[services.acme-api]\nconfig = [\"etc/a.toml\"]\n");
    repository.put("acme-api/etc/a.toml", "");
    let compiled = repository.write(&repository.assemble("debian-12", python(true)).expect("a package")).path;
    let first = repository.directory.path().join("first.deb");
    fs::rename(compiled, &first).expect("rename");
    let mut next = python(true);
    next.tree.remove(&path(&format!("{PREFIX}/lib/python3.11/site-packages/acme/__init__.py"))).expect("a module");
    let module = path(&format!("{PREFIX}/lib/python3.11/site-packages/acme.py"));
    next.tree.file(module, Content::bytes(&b"def main():\n    pass\n"[..]), 0o644).expect("free");
    let next = repository.write(&repository.assemble("debian-12", next).expect("a package")).path;

    let root = repository.directory.path().join("root");
    for directory in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "etc"] {
        fs::create_dir_all(root.join(directory)).expect("mkdir");
    }
    fs::write(root.join("var/lib/dpkg/status"), "").expect("status");
    let before = listing(&root);
    let dpkg = |arguments: &[&str]| {
        let root = format!("--root={}", utf8(&root));
        let options = ["--force-script-chrootless", "--force-not-root", "--force-depends", "--log=/dev/null", &root];
        text_of("dpkg", &[&options[..], arguments].concat())
    };
    let code = |at: &str| root.join("usr/lib/acme/acme-api/lib/python3.11/site-packages").join(at).exists();
    dpkg(&["-i", utf8(&first)]);
    assert!(code("acme/__pycache__/__init__.cpython-311.pyc"));
    dpkg(&["-i", utf8(&next)]);
    assert!(code("__pycache__/acme.cpython-311.pyc") && !code("acme"), "{:?}", listing(&root));
    dpkg(&["-i", utf8(&first)]);
    assert!(code("acme/__pycache__/__init__.cpython-311.pyc") && !code("__pycache__"), "{:?}", listing(&root));
    dpkg(&["--remove", "acme-api"]);
    assert!(!root.join("usr/lib/acme").exists() && root.join("etc/acme/a.toml").exists(), "{:?}", listing(&root));
    dpkg(&["--purge", "acme-api"]);
    // What is left are directories that the distribution holds, which this root has not.
    let left: Vec<String> = listing(&root).into_iter().filter(|line| !before.contains(line)).collect();
    assert!(left.iter().all(|line| !line.contains("acme")), "{left:?}");
}

#[test]
fn rpm_s_scriptlets_leave_byte_code_only_where_its_module_is() {
    if !Path::new("/usr/bin/python3.11").exists() {
        return;
    }
    let repository = Repository::new("");
    let scripts = repository.assemble("el9", python(true)).expect("a package").scripts;
    let root = repository.directory.path().join("it's a root");
    let site = root.join("site");
    fs::create_dir_all(site.join("old/deep")).expect("mkdir");
    let call = |stage: Stage, instances: &str| {
        let quoted = format!("'{}'", utf8(&root).replace('\'', "'\\''"));
        let script = scripts.text(stage).expect("a scriptlet").replace(&format!("{PREFIX}/lib"), &quoted);
        text_of("/bin/sh", &["-c", &script, "sh", instances]);
    };
    for module in ["kept.py", "old/deep/gone.py", "with.dots.py"] {
        fs::write(site.join(module), "x = 1\n").expect("write");
    }
    call(Stage::PostTransaction, "1");
    let code = |at: &str| site.join(at).exists();
    assert!(code("__pycache__/kept.cpython-311.pyc") && code("old/deep/__pycache__/gone.cpython-311.pyc"));

    // An upgrade: the new version's files are there, its byte-code among them; then the old ones' go.
    fs::write(site.join("__pycache__/kept.cpython-311.pyc"), "of the new version").expect("write");
    call(Stage::PreRemove, "1");
    fs::remove_file(site.join("old/deep/gone.py")).expect("rpm erases it");
    call(Stage::PostRemove, "1");
    assert_eq!(fs::read(site.join("__pycache__/kept.cpython-311.pyc")).expect("it"), b"of the new version");
    assert!(code("__pycache__/with.dots.cpython-311.pyc"));
    assert!(!code("old"), "what was only byte-code is gone");

    call(Stage::PreRemove, "0");
    assert!(!code("__pycache__") && code("kept.py"));
}
