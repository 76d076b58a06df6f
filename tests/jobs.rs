//! Which jobs of a build are done again: exactly those whose inputs have changed, and their results are those of a build
//! that knows nothing of earlier ones.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "these are tests"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use packhouse::ecosystem;
use packhouse::workspace::{Detector, changes, discover};

/// A back end without requirements: `identity` is name and version, `src` is what is installed.
const BACK_END: &str = r#"
import base64, hashlib, os, zipfile

def build_wheel(directory, config=None, metadata=None):
    name, version = open("identity").read().split()
    version = os.environ.get("PBR_VERSION", version)
    stem = "%s-%s" % (name.replace("-", "_"), version)
    info = stem + ".dist-info"
    files = {}
    for top, _, names in os.walk("src"):
        for file in names:
            path = os.path.join(top, file)
            files[os.path.relpath(path, "src")] = open(path).read()
    if os.path.exists("entry_points.txt"):
        files[info + "/entry_points.txt"] = open("entry_points.txt").read()
    files[info + "/WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[info + "/METADATA"] = "Metadata-Version: 2.1\nName: %s\nVersion: %s\nLicense-Expression: MIT\n" % (name, version)
    record = ""
    for path, text in sorted(files.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += "%s,sha256=%s,%d\n" % (path, digest, len(text.encode()))
    files[info + "/RECORD"] = record + info + "/RECORD,,\n"
    wheel = stem + "-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(directory, wheel), "w") as archive:
        for path, text in sorted(files.items()):
            archive.writestr(path, text)
    return wheel
"#;

const SETTINGS: &str = "[project]\norg = \"acme\"\nmaintainer = \"Acme Cloud <cloud@acme.example>\"\nlicense = \"MIT\"\n\
    targets = [\"debian-12\"]\n\
    [services.acme-api]\nsummary = \"API of the cloud\"\nconfig = [\"etc/api.toml\"]\n\
    [services.acme-worker]\nsummary = \"Worker of the cloud\"\n\
    [services.acme-solo]\nsummary = \"Something of its own\"\n\
    [services.acme-solo.systemd]\nunits = [\"acme-solo.service\"]\n\
    [[services.acme-solo.files]]\nsource = \"data/**\"\npath = \"/usr/share/acme-solo/\"\n";

const UNIT: &str =
    "[Unit]\nDescription=Something\n[Service]\nExecStart=/usr/bin/acme-solo\n[Install]\nWantedBy=multi-user.target\n";

/// Three Python services, two of which use a library, and two crates.
struct World {
    directory: tempfile::TempDir,
    environment: BTreeMap<&'static str, String>,
}

/// What a build did, by package.
#[derive(Debug, PartialEq, Eq)]
struct Done {
    built: BTreeSet<String>,
    fresh: BTreeSet<String>,
    notes: Vec<String>,
    reasons: Vec<String>,
}

impl World {
    fn new() -> Self {
        let mut world = Self { directory: tempfile::tempdir().expect("a directory"), environment: BTreeMap::new() };
        world.environment.insert("PACKHOUSE_CACHE_DIR", world.path("cache").display().to_string());
        world.put("repo/.gitignore", "/target/\n__pycache__/\n*.log\n");
        world.put("repo/packhouse.toml", SETTINGS);
        for (name, version, needs) in [
            ("acme-common", "version = \"1.0\"", ""),
            ("acme-api", "version = \"1.0\"", "\"acme-common\""),
            ("acme-worker", "version = \"1.0\"", "\"acme-common\""),
            ("acme-solo", "dynamic = [\"version\"]", ""),
        ] {
            world.put(
                &format!("repo/{name}/pyproject.toml"),
                &format!(
                    "[project]\nname = \"{name}\"\n{version}\ndependencies = [{needs}]\n[build-system]\nrequires = []\n\
                     build-backend = \"packer\"\nbackend-path = [\"build-tools\"]\n"
                ),
            );
            world.put(&format!("repo/{name}/build-tools/packer.py"), BACK_END);
            world.put(&format!("repo/{name}/identity"), &format!("{name} 1.0"));
            let module = name.replace('-', "_");
            world.put(&format!("repo/{name}/src/{module}/__init__.py"), "def main():\n    print('one')\n");
            if name != "acme-common" {
                let script = "#!/usr/bin/env python3\nprint('usage: it\\n\\nIt does things.')\n";
                world.put(&format!("repo/{name}/bin/{name}"), script);
            }
        }
        world.put("repo/acme-api/etc/api.toml", "port = 1\n");
        world.put("repo/shared/a.json", "{}\n");
        world.put("repo/shared/acme-solo.service", UNIT);
        symlink("../shared", world.path("repo/acme-solo/data")).expect("a link");
        symlink("../shared/acme-solo.service", world.path("repo/acme-solo/acme-solo.service")).expect("a link");
        world.git(&["init", "-q", "-b", "main"]);
        world.run(&["lock"]);
        world.run(&["vendor"]);
        world.git(&["add", "-A"]);
        world.git(&["commit", "-qm", "All of it"]);
        world.git(&["tag", "acme-solo-v1.0"]);
        world
    }

    fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    fn put(&self, file: &str, text: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().expect("a parent")).expect("mkdir");
        fs::write(path, text).expect("write");
    }

    fn git(&self, arguments: &[&str]) {
        let date = "2026-03-02T09:00:00+0000";
        let status = Command::new("git")
            .args(["-c", "user.name=Ada", "-c", "user.email=ada@acme.example"])
            .args(arguments)
            .current_dir(self.path("repo"))
            .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")])
            .envs([("GIT_AUTHOR_DATE", date), ("GIT_COMMITTER_DATE", date)])
            .status();
        assert!(status.expect("git").success(), "{arguments:?}");
    }

    fn try_run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_packhouse"));
        command.current_dir(self.path("repo")).env_remove("SOURCE_DATE_EPOCH").envs(&self.environment);
        command.args(arguments).output().expect("it runs")
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let output = self.try_run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    fn build(&self, arguments: &[&str]) -> Done {
        let all = [&["build", "-v", "--format", "json"], arguments].concat();
        let output = self.run(&all);
        let mut done = Done { built: BTreeSet::new(), fresh: BTreeSet::new(), notes: Vec::new(), reasons: Vec::new() };
        for line in String::from_utf8_lossy(&output.stderr).lines() {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
            let package = || text("subject").split(['_', '/']).next().unwrap_or_default().to_owned();
            match (text("reason").as_str(), text("verb").as_str()) {
                ("step", "Built") => drop(done.built.insert(package())),
                ("step", "Fresh") => drop(done.fresh.insert(package())),
                ("note", _) => done.notes.push(text("message")),
                ("detail", _) => done.reasons.push(text("message")),
                _ => {}
            }
        }
        done.notes.sort();
        done
    }

    /// Builds, and expects `packages` to be made again for a reason that has `reason` in it, and all others not.
    fn rebuilds(&self, packages: &[&str], reason: &str) -> Done {
        let done = self.build(&[]);
        let expected: BTreeSet<String> = packages.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(done.built, expected, "for `{reason}`: {:?}", done.reasons);
        assert_eq!(done.built.len() + done.fresh.len(), self.services(), "{done:?}");
        for package in packages {
            let told = format!("{package} for debian-12/");
            let why = done.reasons.iter().find(|line| line.starts_with(&told)).expect("a reason");
            assert!(why.contains(reason), "{why} has no `{reason}`");
        }
        let again = self.build(&[]);
        assert_eq!(again.built, BTreeSet::new(), "after `{reason}`: {:?}", again.reasons);
        assert_eq!(again.notes, done.notes, "what was said is said again");
        done
    }

    fn services(&self) -> usize {
        let settings = packhouse::config::load(&self.path("repo"), None).expect("settings");
        settings.services.len()
    }

    /// The services that git sees a difference in since `revision`.
    fn changed_since(&self, revision: &str) -> BTreeSet<String> {
        let settings = packhouse::config::load(&self.path("repo"), None).expect("settings");
        let detectors: Vec<&dyn Detector> = ecosystem::all().into_iter().map(|one| one as &dyn Detector).collect();
        let workspace = discover(&settings, &detectors).unwrap_or_else(|_| unreachable!("it was built"));
        changes::since(&workspace, revision).expect("a revision")
    }

    /// The artefacts are those that a build with an empty cache makes.
    fn is_as_if_new(&self) {
        let mut other = self.environment.clone();
        other.insert("PACKHOUSE_CACHE_DIR", self.path("empty").display().to_string());
        let out = self.path("other");
        let mut command = Command::new(env!("CARGO_BIN_EXE_packhouse"));
        command.current_dir(self.path("repo")).env_remove("SOURCE_DATE_EPOCH").envs(&other);
        let output = command.args(["build", "--out"]).arg(&out).output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let list = |place: &Path| fs::read_to_string(place.join("packhouse-artefacts.json")).expect("a list");
        assert_eq!(list(&self.path("repo/target/packhouse")), list(&out));
        let artefacts = packhouse::build::Artefacts::read(&self.path("repo/target/packhouse/packhouse-artefacts.json"));
        assert_eq!(artefacts.expect("all are whole").len(), self.services());
        fs::remove_dir_all(self.path("empty")).and_then(|()| fs::remove_dir_all(out)).expect("removed");
    }
}

/// An address that answers every request with `bytes`.
fn serve(bytes: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", bytes.len());
            // Who asks may hang up.
            drop(stream.read(&mut [0; 4096]));
            drop(stream.write_all(&[head.as_bytes(), &bytes].concat()));
        }
    });
    url
}

const ALL: [&str; 3] = ["acme-api", "acme-solo", "acme-worker"];

#[test]
fn a_change_of_a_file_builds_the_services_that_are_made_from_it_and_no_others() {
    let world = World::new();
    let repo = |file: &str| world.path(&format!("repo/{file}"));
    let mode = |file: &str, mode: u32| fs::set_permissions(repo(file), PermissionsExt::from_mode(mode)).expect("chmod");
    world.rebuilds(&ALL, "it has not been built before");
    type Change<'a> = &'a dyn Fn();
    let changes: [(&str, Change<'_>, &[&str]); 12] = [
        (
            "acme-worker/src/acme_worker/__init__.py has changed",
            &|| world.put("repo/acme-worker/src/acme_worker/__init__.py", "X = 1\n"),
            &["acme-worker"],
        ),
        (
            "acme-common/src/acme_common/__init__.py has changed",
            &|| world.put("repo/acme-common/src/acme_common/__init__.py", "Y = 1\n"),
            &["acme-api", "acme-worker"],
        ),
        (
            "acme-common/src/acme_common/new.py is new",
            &|| world.put("repo/acme-common/src/acme_common/new.py", ""),
            &["acme-api", "acme-worker"],
        ),
        (
            "acme-common/src/acme_common/renamed.py is new, and 1 more",
            &|| {
                fs::rename(repo("acme-common/src/acme_common/new.py"), repo("acme-common/src/acme_common/renamed.py"))
                    .expect("mv")
            },
            &["acme-api", "acme-worker"],
        ),
        ("acme-api/etc/api.toml has changed", &|| world.put("repo/acme-api/etc/api.toml", "port = 2\n"), &["acme-api"]),
        ("a.json has changed", &|| world.put("repo/shared/a.json", "[]\n"), &["acme-solo"]),
        ("b.log is new", &|| world.put("repo/shared/b.log", "ignored by git\n"), &["acme-solo"]),
        ("a.json has changed", &|| mode("shared/a.json", 0o755), &["acme-solo"]),
        (
            "acme-solo.service has changed",
            &|| world.put("repo/shared/acme-solo.service", &UNIT.replace("Something", "Else")),
            &["acme-solo"],
        ),
        (
            "acme-solo/data (link) has changed",
            &|| {
                fs::rename(repo("shared"), repo("other")).expect("mv");
                fs::remove_file(repo("acme-solo/data")).expect("rm");
                fs::remove_file(repo("acme-solo/acme-solo.service")).expect("rm");
                symlink("../other", repo("acme-solo/data")).expect("ln");
                symlink("../other/acme-solo.service", repo("acme-solo/acme-solo.service")).expect("ln");
            },
            &["acme-solo"],
        ),
        (
            "[services.acme-api] has changed",
            &|| {
                world
                    .put("repo/packhouse.toml", &format!("# A line more\n{}", SETTINGS.replace("API of", "The API of")))
            },
            &["acme-api"],
        ),
        ("LICENSE has changed", &|| world.put("repo/LICENSE", "Do as you like.\n"), &ALL),
    ];
    for (reason, change, packages) in changes {
        change();
        let reason = if reason.contains("(link)") { "" } else { reason };
        let done = world.rebuilds(packages, reason);
        // What git ignores it does not see.
        if !reason.contains(".log") {
            assert!(world.changed_since("HEAD").is_superset(&done.built), "{reason}");
        }
    }
    world.put("repo/README.md", "of no one\n");
    world.put("repo/acme-api/src/acme_api/__pycache__/x.pyc", "of no one\n");
    world.rebuilds(&[], "");
    world.is_as_if_new();
}

#[test]
fn history_locks_targets_environment_and_published_packages_are_inputs_too() {
    let mut world = World::new();
    world.rebuilds(&ALL, "it has not been built before");

    // A commit that touches one service is nothing to the others; what is named by its tag is now past it.
    world.put("repo/acme-worker/src/acme_worker/more.py", "");
    world.git(&["add", "-A"]);
    world.git(&["commit", "-qm", "Work more"]);
    world.rebuilds(&["acme-solo", "acme-worker"], "");
    world.git(&["tag", "acme-solo-v1.1"]);
    world.rebuilds(&["acme-solo"], "");

    // A lock, and a wheel that it names.
    let wheel = world.path("extra-1.0-py3-none-any.whl");
    let pack = "import sys, zipfile\na = zipfile.ZipFile(sys.argv[1], 'w')\ni = 'extra-1.0.dist-info/'\n\
        for n, t in [('extra.py', sys.argv[2]), (i + 'METADATA', 'Metadata-Version: 2.1\\nName: extra\\nVersion: 1.0\\nLicense: MIT\\n'), \
        (i + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')]: a.writestr(n, t)\n\
        import base64, hashlib\n\
        r = ''.join('%s,sha256=%s,%d\\n' % (n, base64.urlsafe_b64encode(hashlib.sha256(a.read(n)).digest()).rstrip(b'=').decode(), len(a.read(n))) for n in a.namelist())\n\
        a.writestr(i + 'RECORD', r + i + 'RECORD,,\\n')\n";
    for content in ["Z = 1", "Z = 2"] {
        let made = Command::new("python3").args(["-c", pack]).arg(&wheel).arg(content).status();
        assert!(made.expect("python3").success());
        let sha256 = packhouse::digest::Sha256::of(&fs::read(&wheel).expect("the wheel"));
        let url = serve(fs::read(&wheel).expect("the wheel"));
        let line = format!("{url}/extra-1.0-py3-none-any.whl#sha256={sha256}\n");
        world.put("repo/acme-api/vendor.txt", &line);
        world.run(&["lock"]);
        world.run(&["vendor"]);
        world.rebuilds(&["acme-api"], "");
    }
    let vendored = world.path("repo/acme-api/vendor/extra-1.0-py3-none-any.whl");
    let whole = fs::read(&vendored).expect("the vendored wheel");
    fs::write(&vendored, "something else").expect("write");
    assert!(!world.try_run(&["build"]).status.success(), "a damaged wheel is an error, whatever was built before");
    fs::write(&vendored, whole).expect("write");
    world.rebuilds(&[], "");

    // The target's own data, and the environment.
    let settings = fs::read_to_string(world.path("repo/packhouse.toml")).expect("read");
    world.put("repo/packhouse.toml", &format!("{settings}[targets.debian-12]\ncompression = \"gzip\"\n"));
    world.rebuilds(&ALL, "the target has changed");
    world.environment.insert("PACKHOUSE_SANDBOX", "none".to_owned());
    world.rebuilds(&ALL, "isolation has changed");
    world.environment.remove("PACKHOUSE_SANDBOX");
    world.rebuilds(&ALL, "isolation has changed");
    world.is_as_if_new();
    world.environment.insert("SOURCE_DATE_EPOCH", "1700000000".to_owned());
    world.rebuilds(&ALL, "the changelog has changed, and 1 more");
    world.environment.remove("SOURCE_DATE_EPOCH");
    world.rebuilds(&ALL, "the changelog has changed, and 1 more");

    // What was published last, and artefacts that are not as they were built.
    fs::create_dir(world.path("published")).expect("mkdir");
    let out = world.path("repo/target/packhouse");
    let artefact = |package: &str| {
        let names = fs::read_dir(&out).expect("artefacts").map(|entry| entry.expect("an entry").path());
        let starts = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(package));
        names.into_iter().find(starts).expect("an artefact")
    };
    let api = artefact("acme-api_");
    fs::copy(&api, world.path("published/acme-api.deb")).expect("copied");
    let published = world.path("published").display().to_string();
    let with = world.build(&["--previous", &published]);
    assert_eq!(with.built, BTreeSet::from(["acme-api".to_owned()]), "{:?}", with.reasons);
    assert_eq!(world.build(&["--previous", &published]).built, BTreeSet::new());
    world.rebuilds(&["acme-api"], "what was published last has changed");
    let bytes = fs::read(&api).expect("read");
    for damage in [&bytes[..100], &[bytes.clone(), vec![0]].concat()] {
        fs::write(&api, damage).expect("write");
        world.rebuilds(&["acme-api"], "is not there as it was built");
        assert!(fs::read(&api).expect("read") == bytes, "it is as it was");
    }
    fs::remove_file(artefact("acme-worker_")).expect("removed");
    world.rebuilds(&["acme-worker"], "is not there as it was built");

    // Records that are damaged, or gone.
    for record in fs::read_dir(world.path("cache/jobs/v1")).expect("records") {
        let path = record.expect("a record").path();
        let text = fs::read_to_string(&path).expect("read");
        fs::write(&path, text.replace("acme-", "emca-")).expect("write");
    }
    // The record of the whole build would answer before they are read.
    fs::remove_dir_all(world.path("cache/fresh")).expect("removed");
    world.rebuilds(&ALL, "it has not been built before");
    for records in ["cache/jobs", "cache/fresh"] {
        fs::remove_dir_all(world.path(records)).expect("removed");
    }
    world.rebuilds(&ALL, "it has not been built before");
    world.is_as_if_new();
}

#[test]
fn two_services_with_one_path_are_refused_also_when_one_of_them_is_not_built_again() {
    let world = World::new();
    world.build(&[]);
    // Only the wheel that its back end makes tells.
    let entry = "[console_scripts]\nacme-api = acme_worker:main\n";
    world.put("repo/acme-worker/entry_points.txt", entry);
    // The second time both are known, and refused as before.
    for _ in 0..2 {
        let refused = world.try_run(&["build"]);
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(told.contains("acme-api and acme-worker would both install /usr/bin/acme-api"), "{told}");
    }
    fs::remove_file(world.path("repo/acme-worker/entry_points.txt")).expect("removed");
    world.rebuilds(&[], "");
}

#[test]
fn a_change_beside_a_crate_starts_no_cargo_and_one_in_it_or_in_what_it_can_reach_does() {
    let world = World::new();
    for (name, needs) in [("edge", "shape = { path = \"../shape\" }\n"), ("tool", ""), ("shape", "")] {
        let manifest =
            format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2021\"\n[dependencies]\n{needs}");
        world.put(&format!("repo/rust/{name}/Cargo.toml"), &manifest);
    }
    world.put("repo/rust/Cargo.toml", "[workspace]\nmembers = [\"edge\", \"tool\", \"shape\"]\nresolver = \"2\"\n");
    world.put("repo/rust/edge/src/main.rs", "fn main() { println!(\"{}\", shape::sides()); }\n");
    world.put("repo/rust/tool/src/main.rs", "fn main() {}\n");
    world.put("repo/rust/shape/src/lib.rs", "pub fn sides() -> u8 { 4 }\n");
    let added = "[services.edge]\nsummary = \"Edge of the cloud\"\n[services.tool]\nsummary = \"Tool of the cloud\"\n";
    world.put("repo/packhouse.toml", &format!("{SETTINGS}{added}"));
    world.run(&["lock", "edge", "tool"]);
    world.run(&["vendor"]);
    world.rebuilds(&[&ALL[..], &["edge", "tool"]].concat(), "it has not been built before");

    world.put("repo/acme-worker/src/acme_worker/__init__.py", "X = 1\n");
    world.rebuilds(&["acme-worker"], "acme_worker/__init__.py has changed");
    world.put("repo/rust/tool/src/main.rs", "fn main() { println!(\"tool\"); }\n");
    world.rebuilds(&["tool"], "rust/tool/src/main.rs has changed");
    world.put("repo/rust/shape/src/lib.rs", "pub fn sides() -> u8 { 5 }\n");
    world.rebuilds(&["edge"], "rust/shape/src/lib.rs has changed");
    world.put("repo/rust/edge/src/main.rs", "fn main() { print!(include_str!(\"../../../acme-worker/identity\")); }\n");
    world.rebuilds(&["edge"], "");
    world.put("repo/acme-worker/identity", "acme-worker  1.0");
    world.rebuilds(&["acme-worker", "edge"], "acme-worker/identity has changed");
    world.is_as_if_new();
}

#[test]
fn vendor_brings_a_lock_up_to_date_unless_it_must_not_change() {
    let world = World::new();
    let manifest = fs::read_to_string(world.path("repo/acme-solo/pyproject.toml")).expect("a manifest");
    let manifest = manifest.replace("dependencies = []", "dependencies = [\"acme-common\"]");
    world.put("repo/acme-solo/pyproject.toml", &manifest);
    let output = world.try_run(&["vendor", "--locked"]);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(world.try_run(&["build", "acme-solo"]).status.code(), Some(1));
    world.run(&["vendor"]);
    world.run(&["vendor", "--locked"]);
    assert!(world.build(&["acme-solo"]).built.contains("acme-solo"));
}

#[test]
fn only_of_the_targets_that_are_asked_for_it_is_said_what_they_have_not() {
    let world = World::new();
    world.put("repo/packhouse.toml", &SETTINGS.replace("\"debian-12\"", "\"debian-12\", \"debian-13\""));
    world.put("repo/acme-solo/.python-version", "3.11\n");
    let locked = world.run(&["lock"]);
    let note = "debian-13/amd64 has no CPython 3.11";
    assert!(String::from_utf8_lossy(&locked.stderr).contains(note));
    let vendored = world.run(&["vendor"]);
    assert!(String::from_utf8_lossy(&vendored.stderr).matches(note).count() <= 1);
    let notes = |target: &str| world.build(&["acme-solo", "--target", target]).notes;
    let about = |notes: Vec<String>| notes.iter().filter(|one| one.contains("CPython")).count();
    assert_eq!(about(notes("debian-12")), 0);
    assert_eq!(about(notes("debian-13")), 1);
}

#[test]
fn a_link_that_leads_nowhere_is_no_obstacle_unless_it_is_a_program() {
    let world = World::new();
    symlink("/run/acme/solo.sock", world.path("repo/acme-solo/socket")).expect("a link");
    symlink("ada@machine.4711:1", world.path("repo/acme-solo/src/.#solo.py")).expect("a link");
    let output = world.try_run(&["build", "acme-solo"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    // This back end opens all that is in `src`: what it says is what pip shows.
    assert!(!output.status.success() && said.contains("No such file or directory: 'src/.#solo.py'"), "{said}");
    fs::remove_file(world.path("repo/acme-solo/src/.#solo.py")).expect("removed");
    world.run(&["build", "acme-solo"]);
    symlink("../tools/solo", world.path("repo/acme-solo/bin/other")).expect("a link");
    let output = world.try_run(&["build", "acme-solo"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let expected = format!("{} is a link to ../tools/solo", world.path("repo/acme-solo/bin/other").display());
    assert!(!output.status.success() && said.contains(&expected), "{said}");
}

#[test]
fn a_dry_run_tells_what_a_build_would_do_in_which_order_and_why_and_writes_nothing() {
    let world = World::new();
    let plan = |arguments: &[&str]| -> Vec<[String; 3]> {
        let output = world.run(&[&["build", "--dry-run", "--format", "json"], arguments].concat());
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
        lines
            .map(|line| ["service", "action", "why"].map(|key| line[key].as_str().unwrap_or_default().to_owned()))
            .collect()
    };
    let all = |action: &str, why: &str| {
        ["acme-api", "acme-solo", "acme-worker"].map(|service| [service, action, why].map(str::to_owned))
    };
    let sorted = |mut plan: Vec<[String; 3]>| {
        plan.sort();
        plan
    };
    assert_eq!(sorted(plan(&[])), all("build", "it has not been built before"));
    assert!(!world.path("repo/target").exists() && !world.path("cache/jobs").exists());
    world.build(&[]);
    assert_eq!(plan(&[]), all("fresh", "nothing has changed"));
    assert_eq!(sorted(plan(&["--force"])), all("build", "it is wanted again"));
    world.put("repo/acme-solo/src/acme_solo/__init__.py", "def main():\n    print('two')\n");
    let before = walk(&world.path("repo/target"));
    let planned = plan(&[]);
    let [service, action, why] = &planned[0];
    assert_eq!((service.as_str(), action.as_str()), ("acme-solo", "build"), "what is to be built comes first");
    assert!(why.contains("__init__.py"), "{why}");
    assert_eq!(planned[1..].iter().filter(|[_, action, _]| action == "fresh").count(), 2);
    assert_eq!(walk(&world.path("repo/target")), before);
    let human = world.run(&["build", "--dry-run", "acme-solo"]);
    let expected = format!("build  acme-solo for debian-12/amd64: {why}\n");
    assert_eq!(String::from_utf8_lossy(&human.stdout), expected);
    assert!(world.build(&[]).built.contains("acme-solo"), "it is still to be done");
}

/// All paths below `directory` with their times of modification.
fn walk(directory: &Path) -> Vec<(PathBuf, std::time::SystemTime)> {
    let entries =
        walkdir::WalkDir::new(directory).sort_by_file_name().into_iter().map(|entry| entry.expect("an entry"));
    entries
        .map(|entry| (entry.path().to_path_buf(), entry.metadata().expect("there").modified().expect("a time")))
        .collect()
}
