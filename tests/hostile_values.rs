//! Every text of the configuration and of a manifest, filled with what breaks control fields, scripts, units, spec files and
//! names: it is refused with its place, or the packages say nothing but what they should, to dpkg, rpm and the shell.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "these are tests"
)]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use packhouse::config::{self, Maintainer};
use packhouse::diagnostic::Diagnose as _;
use packhouse::format::{self, WriteOptions};
use packhouse::name::PackageName;
use packhouse::package::{self, Changelog, Inputs, Release, Staged, Version};
use packhouse::target::{Architecture, Compression, Target, distribution};
use packhouse::tree::{Content, InstallPath, Tree};
use packhouse::workspace::{EcosystemKind, Kind, Member, Workspace};

const TIME: i64 = 1_767_225_600;

/// Where the texts go: the key's name, and the configuration with `§` in their place.
const CONFIGURATION: &[(&str, &str)] = &[
    ("project.org", "[project]\norg = §\nmaintainer = \"A <a@acme.example>\"\n"),
    ("project.maintainer", "[project]\norg = \"acme\"\nmaintainer = §\n"),
    ("project.homepage", "[project]\norg = \"acme\"\nmaintainer = \"A <a@acme.example>\"\nhomepage = §\n"),
    ("project.license", "[project]\norg = \"acme\"\nmaintainer = \"A <a@acme.example>\"\nlicense = §\n"),
    ("services", "[services.§]\nsummary = \"x\"\n"),
    ("summary", "[services.acme-api]\nsummary = §\n"),
    ("description", "[services.acme-api]\ndescription = §\n"),
    ("license", "[services.acme-api]\nlicense = §\n"),
    ("section", "[services.acme-api]\nsection = §\n"),
    ("version", "[services.acme-api]\nversion = §\n"),
    ("commands", "[services.acme-api]\ncommands = [§]\n"),
    ("config", "[services.acme-api]\nconfig = [§]\n"),
    ("depends.deb", "[services.acme-api]\ndepends = { deb = [§] }\n"),
    ("depends.rpm", "[services.acme-api]\ndepends = { rpm = [§] }\n"),
    ("systemd.user", "[services.acme-api.systemd]\ncommand = \"acme-api\"\nuser = §\n"),
    ("systemd.command", "[services.acme-api.systemd]\ncommand = §\n"),
    ("systemd.units", "[services.acme-api.systemd]\nunits = [§]\n"),
    ("systemd.environment-file", "[services.acme-api.systemd]\ncommand = \"acme-api\"\nenvironment-file = §\n"),
    ("systemd.schedule", "[services.acme-api.systemd]\ncommand = \"acme-api\"\nschedule = [§]\n"),
    ("systemd.listen", "[services.acme-api.systemd]\ncommand = \"acme-api\"\nlisten = [§]\n"),
    (
        "systemd.directives",
        "[services.acme-api.systemd]\ncommand = \"acme-api\"\ndirectives = { Service = { MemoryMax = § } }\n",
    ),
    ("recommends", "[services.acme-api]\nrecommends = [§]\n"),
    ("provides.deb", "[services.acme-api]\nprovides = { deb = [§] }\n"),
    ("conflicts.rpm", "[services.acme-api]\nconflicts = { rpm = [§] }\n"),
    ("static-built-using", "[services.acme-api]\nstatic-built-using = { deb = [§] }\n"),
    ("files.source", "[[services.acme-api.files]]\nsource = §\npath = \"/etc/acme/x\"\n"),
    ("files.path", "[[services.acme-api.files]]\ntype = \"directory\"\npath = §\n"),
    ("files.target", "[[services.acme-api.files]]\ntype = \"symlink\"\npath = \"/usr/share/acme/x\"\ntarget = §\n"),
    ("files.ghost", "[[services.acme-api.files]]\ntype = \"ghost\"\npath = §\n"),
    ("files.mode", "[[services.acme-api.files]]\ntype = \"directory\"\npath = \"/etc/acme/d\"\nmode = §\n"),
    ("files.user", "[[services.acme-api.files]]\ntype = \"directory\"\npath = \"/etc/acme/d\"\nuser = §\n"),
    (
        "files.capabilities",
        "[[services.acme-api.files]]\nsource = \"pyproject.toml\"\npath = \"/usr/lib/acme/x\"\nmode = \"0755\"\n\
         capabilities = §\n",
    ),
    ("removed-config", "[services.acme-api]\nremoved-config = [{ path = §, version = \"1.0\" }]\n"),
    ("removed-config.version", "[services.acme-api]\nremoved-config = [{ path = \"/etc/acme/x\", version = § }]\n"),
    ("licenses.allow", "[licenses]\nallow = [§]\n"),
    ("check.allow", "[[services.acme-api.check.allow]]\ncode = \"setuid-file\"\nreason = §\n"),
];

/// The texts, with `MARK` for a file that must not come into being.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "x\nEssential: yes",
        "x\n\nPackage: evil",
        "x\r\nEssential: yes",
        "${misc:Depends}",
        "${env:HOME}",
        "%(touch MARK)",
        "%{lua:os.execute('touch MARK')}",
        "x\n%post\ntouch MARK",
        "$(touch MARK)",
        "`touch MARK`",
        "'; touch MARK; '",
        "\"; touch MARK; \"",
        "root; touch MARK",
        "x\nExecStartPre=/usr/bin/touch MARK",
        "x\n[Service]\nUser=root",
        "%n %i %H $HOME ${HOME}",
        "x\u{202e}y",
        "x\u{2066}y",
        "x\u{1b}[31mred",
        "x\u{0}y",
        "x\u{7f}y",
        "x\u{85}y",
        "x\u{2028}y",
        "..",
        "../../etc/passwd",
        "/etc/passwd",
        "-rf",
        "#x",
        "\\",
        "x\\\ny",
        "x, evil",
        "x | evil (>= 1), y",
        "libc6 (>= 1",
        "(a if b",
        "caf\u{e9} \u{1f600}",
        "",
        " ",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push("a".repeat(5000));
    texts.push("word ".repeat(100_000));
    texts.push("word ".repeat(2_000_000));
    texts
}

/// A value of the key that is right but for the text in it.
fn embedded(key: &str, text: &str) -> Vec<String> {
    let mut values = vec![text.to_owned()];
    match key {
        "project.maintainer" => values.extend([format!("{text} <a@acme.example>"), format!("A <{text}@acme.example>")]),
        "project.homepage" => values.push(format!("https://acme.example/{text}")),
        "project.license" | "license" => values.push(format!("MIT AND {text}")),
        "version" => values.push(format!("1.0{text}")),
        "config" => values.push(format!("etc/{text}")),
        "depends.deb" => values.extend([format!("libfoo1 (>= {text})"), format!("libfoo1 | {text}")]),
        "depends.rpm" => values.extend([format!("foo >= {text}"), format!("(foo if {text})")]),
        "systemd.command" => values.extend([format!("acme-api {text}"), format!("acme-api '{text}'")]),
        "systemd.units" => values.push(format!("{text}.service")),
        "files.path" | "files.ghost" | "files.target" | "removed-config" => {
            values.extend([
                format!("/usr/share/acme/{text}"),
                format!("/etc/acme/{text}"),
                format!("/var/lib/acme/{text}"),
            ]);
        }
        "provides.deb" => values.push(format!("libfoo1 (= {text})")),
        "conflicts.rpm" => values.push(format!("foo = {text}")),
        "static-built-using" => values.push(format!("rustc (= {text})")),
        "removed-config.version" => values.push(format!("1{text}")),
        "systemd.environment-file" => values.push(format!("/etc/acme/{text}")),
        "systemd.listen" => values.push(format!("/run/{text}")),
        _ => {}
    }
    values
}

/// The text as a TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

struct World {
    directory: tempfile::TempDir,
    mark: PathBuf,
    tools: PathBuf,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let mark = directory.path().join("mark");
        let tools = directory.path().join("tools");
        fs::create_dir(&tools).expect("mkdir");
        // Whatever the scripts call does nothing; what the texts call would be seen.
        for tool in [
            "chmod",
            "chown",
            "coreutils",
            "deb-systemd-helper",
            "deb-systemd-invoke",
            "dpkg-maintscript-helper",
            "dpkg-statoverride",
            "find",
            "mkdir",
            "python3.11",
            "rm",
            "rmdir",
            "setcap",
            "systemctl",
            "systemd-sysusers",
            "systemd-tmpfiles",
            "unlink",
            "cat",
        ] {
            let path = tools.join(tool);
            fs::write(&path, "#!/bin/sh\nexit 0\n").expect("write");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("chmod");
        }
        std::os::unix::fs::symlink("/usr/bin/touch", tools.join("touch")).expect("a link");
        fs::create_dir(directory.path().join("acme-api")).expect("mkdir");
        fs::write(directory.path().join("acme-api/pyproject.toml"), "[project]\nname = \"acme-api\"\n").expect("write");
        Self { directory, mark, tools }
    }

    fn root(&self) -> &Path {
        self.directory.path()
    }

    fn configure(&self, text: &str) {
        let project = "[project]\norg = \"acme\"\nmaintainer = \"A <a@acme.example>\"\n";
        let text = if text.starts_with("[project]") { text.to_owned() } else { format!("{project}{text}") };
        fs::write(self.root().join("packhouse.toml"), text).expect("write");
    }

    /// The package for one target, or the error's text, which must tell its remedy or its place.
    fn package(
        &self,
        target: &str,
        member: &Member,
        changelog: &dyn Fn(&Version) -> Changelog,
    ) -> Result<PathBuf, String> {
        let settings = config::load(self.root(), None).map_err(|error| {
            assert!(error.location().is_some() || error.to_string().contains("is larger than"), "no place: {error}");
            error.to_string()
        })?;
        let target =
            Target { distribution: distribution(target).expect("a distribution"), architecture: Architecture::X86_64 };
        let revision = format!("1{}", target.distribution.revision_suffix);
        let version = Version { epoch: 0, debian: "1.2.3".to_owned(), rpm: "1.2.3".to_owned(), revision };
        let workspace = Workspace { root: self.root().canonicalize().expect("a root"), members: vec![member.clone()] };
        let package = package::assemble(Inputs {
            settings: &settings,
            workspace: &workspace,
            member: &workspace.members[0],
            target: &target,
            staged: staged(),
            changelog: changelog(&version),
            version,
            time: TIME,
        })
        .map_err(|error| error.to_string())?;
        let out = self.root().join("out");
        let _ = fs::remove_dir_all(&out);
        fs::create_dir(&out).expect("mkdir");
        let options = WriteOptions { compression: Some(Compression::Gzip), ..WriteOptions::default() };
        let written = format::write(&package, &out, &options).map_err(|error| error.to_string())?;
        Ok(out.join(written.file))
    }

    /// What dpkg, rpm and the shell make of the packages.
    fn judge(&self, member: &Member, changelog: &dyn Fn(&Version) -> Changelog, what: &str) -> bool {
        let mut accepted = false;
        match self.package("debian-12", member, changelog) {
            Ok(file) => {
                self.judge_deb(&file, what);
                accepted = true;
            }
            Err(error) => assert!(error.len() < 20_000, "{what}: {error:.200}"),
        }
        // EL 8 has the most in its scriptlets.
        match self.package("el8", member, changelog) {
            Ok(file) => {
                self.judge_rpm(&file, what);
                accepted = true;
            }
            Err(error) => assert!(error.len() < 20_000, "{what}: {error:.200}"),
        }
        assert!(!self.mark.exists(), "{what} was run");
        accepted
    }

    fn judge_deb(&self, file: &Path, what: &str) {
        let known: BTreeSet<&str> = [
            "Package",
            "Version",
            "Architecture",
            "Maintainer",
            "Installed-Size",
            "Pre-Depends",
            "Depends",
            "Section",
            "Priority",
            "Homepage",
            "Description",
        ]
        .into();
        let fields = run("dpkg-deb", &["-f".as_ref(), file.as_os_str()]);
        for line in fields.lines().filter(|line| !line.starts_with(' ')) {
            let (name, _) = line.split_once(':').unwrap_or((line, ""));
            assert!(known.contains(name), "{what}: {line:.200}");
        }
        assert!(fields.starts_with("Package: acme-api\n"), "{what}: {fields:.200}");
        let control = self.root().join("control");
        let _ = fs::remove_dir_all(&control);
        run("dpkg-deb", &["-e".as_ref(), file.as_os_str(), control.as_os_str()]);
        for script in ["preinst", "postinst", "prerm", "postrm"] {
            let path = control.join(script);
            if path.exists() {
                for argument in ["configure", "purge"] {
                    self.shell(&path, argument, what);
                }
            }
        }
        let tree = self.root().join("tree");
        let _ = fs::remove_dir_all(&tree);
        run("dpkg-deb", &["-x".as_ref(), file.as_os_str(), tree.as_os_str()]);
        self.judge_tree(&tree, what);
    }

    fn judge_rpm(&self, file: &Path, what: &str) {
        let query = "[%{NAME}\\n][%{PREIN}\\n--\\n][%{POSTIN}\\n--\\n][%{PREUN}\\n--\\n][%{POSTUN}\\n--\\n][%{POSTTRANS}\\n--\\n]";
        let answer = run("rpm", &["-qp".as_ref(), "--qf".as_ref(), query.as_ref(), file.as_os_str()]);
        assert!(answer.starts_with("acme-api\n"), "{what}: {answer:.200}");
        for script in answer.trim_start_matches("acme-api\n").split("\n--\n").filter(|script| *script != "(none)") {
            let path = self.root().join("scriptlet");
            fs::write(&path, script).expect("write");
            for argument in ["0", "2"] {
                self.shell(&path, argument, what);
            }
        }
        run("rpm", &["-qp".as_ref(), "-i".as_ref(), "-l".as_ref(), "--changelog".as_ref(), file.as_os_str()]);
    }

    /// Runs a script where only `touch` does anything.
    fn shell(&self, script: &Path, argument: &str, what: &str) {
        // What it remembers is below the directory of the test.
        let run = self.root().join("run/packhouse");
        fs::create_dir_all(run.join("acme-api")).expect("mkdir");
        let text =
            fs::read_to_string(script).expect("a script").replace("/run/packhouse", run.to_str().expect("UTF-8"));
        let here = self.root().join("script");
        fs::write(&here, text).expect("write");
        let output = Command::new("/bin/sh")
            .arg(&here)
            .arg(argument)
            .env_clear()
            .env("PATH", &self.tools)
            .env("DPKG_MAINTSCRIPT_PACKAGE", "acme-api")
            .output()
            .expect("a shell");
        assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(!self.mark.exists(), "{what} was run by {}", script.display());
    }

    /// Names without control characters, and units with the sections and the keys that they should have.
    fn judge_tree(&self, tree: &Path, what: &str) {
        for entry in walkdir::WalkDir::new(tree) {
            let entry = entry.expect("an entry");
            let name = entry.path().strip_prefix(tree).expect("below").to_str().expect("UTF-8").to_owned();
            assert!(!name.chars().any(char::is_control), "{what}: {name:?}");
            if name.ends_with(".service") {
                let unit = fs::read_to_string(entry.path()).expect("a unit");
                let sections = unit.lines().filter(|line| line.starts_with('[')).count();
                assert_eq!(sections, 3, "{what}: {unit:.2000}");
                assert_eq!(unit.matches("\nExec").count(), 1, "{what}: {unit:.2000}");
                assert!(unit.lines().all(|line| line.trim() != "User=root"), "{what}: {unit:.2000}");
            }
            if name.contains("sysusers.d/") && entry.file_type().is_file() {
                let lines = fs::read_to_string(entry.path()).expect("sysusers.d");
                assert!(
                    lines.lines().all(|line| line.starts_with("u ") || line.starts_with('#')),
                    "{what}: {lines:.200}"
                );
            }
        }
    }
}

fn run(program: &str, arguments: &[&std::ffi::OsStr]) -> String {
    let output: Output = Command::new(program).args(arguments).env("LC_ALL", "C.UTF-8").output().expect("a program");
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn staged() -> Staged {
    let mut tree = Tree::new();
    let program = InstallPath::parse("/usr/lib/acme/acme-api/bin/acme-api").expect("a path");
    tree.file(program.clone(), Content::bytes(b"#!/bin/sh\n".as_slice()), 0o755).expect("free");
    Staged { tree, commands: vec![("acme-api".to_owned(), program)], ..Staged::default() }
}

fn member() -> Member {
    Member {
        name: PackageName::parse("acme-api").expect("a name"),
        ecosystem_name: "acme-api".to_owned(),
        ecosystem: EcosystemKind::Python,
        kind: Kind::Service,
        path: PathBuf::from("acme-api"),
        manifest: PathBuf::from("acme-api/pyproject.toml"),
        version: Some("1.2.3".to_owned()),
        summary: Some("Interface of the cloud".to_owned()),
        license: Some("MIT".to_owned()),
        reason: "a test".to_owned(),
        commands: vec!["acme-api".to_owned()],
        requires: Vec::new(),
        optional: std::collections::BTreeMap::new(),
        dependencies: Vec::new(),
        unread: Vec::new(),
        submodule: None,
    }
}

fn changelog(version: &Version) -> Changelog {
    let author = Maintainer { name: "Ada".to_owned(), mail: "ada@acme.example".to_owned() };
    let release = Release { version: version.clone(), time: TIME, author, changes: vec!["Begin".to_owned()] };
    Changelog { releases: vec![release] }
}

#[test]
fn no_text_of_the_configuration_becomes_a_field_a_command_or_a_directive() {
    let world = World::new();
    let mark = world.mark.to_str().expect("UTF-8").to_owned();
    let (mut accepted, mut refused) = (0, 0);
    for (key, configuration) in CONFIGURATION {
        for text in texts() {
            for value in embedded(key, &text.replace("MARK", &mark)) {
                world.configure(&configuration.replace('§', &quoted(&value)));
                let what = format!("{key} = {:?}", value.chars().take(80).collect::<String>());
                match world.judge(&member(), &changelog, &what) {
                    true => accepted += 1,
                    false => refused += 1,
                }
            }
        }
    }
    // Both happen: a summary is a text like any other, a user's name is not.
    assert!(accepted > 50 && refused > 300, "{accepted} accepted, {refused} refused");
}

#[test]
fn no_text_of_a_manifest_or_of_history_becomes_a_field_a_command_or_a_directive() {
    let world = World::new();
    let mark = world.mark.to_str().expect("UTF-8").to_owned();
    world.configure("[services.acme-api.systemd]\ncommand = \"acme-api\"\nuser = \"acme-api\"\n");
    let mut accepted = 0;
    for text in texts() {
        let text = text.replace("MARK", &mark);
        let what = format!("{:?}", text.chars().take(80).collect::<String>());
        let member = Member { summary: Some(text.clone()), license: Some(text.clone()), ..member() };
        let history = |version: &Version| {
            let mut history = changelog(version);
            history.releases[0].author = Maintainer { name: text.clone(), mail: text.clone() };
            history.releases[0].changes = vec![text.clone(), "End".to_owned()];
            history
        };
        accepted += usize::from(world.judge(&member, &history, &what));
    }
    // What cannot stand in a field at all, like a text that turns the direction of writing, is refused.
    assert!(accepted > 25, "{accepted} accepted");
}
