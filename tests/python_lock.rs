//! Locking Python services, from the outside: the locks that come out, for repositories that are put together here.
//!
//! The tests of the module `online` ask the Python index that pip and uv are configured with on this machine. All others
//! have an index of their own, on 127.0.0.1.

// A test's helpers may fail as a test does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use packhouse::cache::Cache;
use packhouse::config::{
    IndexSettings, Maintainer, ProjectSettings, PythonSettings, RepositorySettings, ServiceSettings, Settings,
};
use packhouse::diagnostic::{Diagnose, ExitCode};
use packhouse::digest::Sha256;
use packhouse::ecosystem::python::lock::{is_fresh, load};
use packhouse::ecosystem::python::pylock::{BUILD_LOCK_FILE, LOCK_FILE, LockedPackage, PyLock};
use packhouse::ecosystem::{self, Context, Outcome, Upgrade};
use packhouse::name::{OrgName, PackageName};
use packhouse::report::{Progress, Reporter, Unit};
use packhouse::target::{distributions, parse_target};
use packhouse::workspace::{EcosystemKind, Kind, Member, MemberId, Workspace};

/// Keeps everything that is said.
#[derive(Default)]
struct Record(Mutex<Vec<String>>);

impl Record {
    fn add(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
    fn text(&self) -> String {
        self.0.lock().unwrap().join("\n")
    }
}

impl Reporter for Record {
    fn step(&self, verb: &str, subject: &str) {
        self.add(&format!("{verb} {subject}"));
    }
    fn note(&self, message: &str) {
        self.add(message);
    }
    fn detail(&self, message: &str) {
        self.add(message);
    }
    fn progress(&self, label: &str, _total: u64, _unit: Unit) -> Box<dyn Progress> {
        self.add(label);
        Box::new(packhouse::report::Silent)
    }
}

/// A repository with its settings and its members, as discovery would give them.
struct Repository {
    directory: tempfile::TempDir,
    settings: Settings,
    workspace: Workspace,
    cache: Cache,
    record: Record,
    offline: bool,
    locked: bool,
}

impl Repository {
    fn new(targets: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        let known = distributions();
        let settings = Settings {
            root: root.clone(),
            project: ProjectSettings {
                org: OrgName::parse("acme").unwrap(),
                maintainer: Maintainer { name: "Acme".to_owned(), mail: "cloud@acme.example".to_owned() },
                homepage: None,
                license: None,
                targets: targets
                    .iter()
                    .map(|target| parse_target(&format!("{target}/x86_64"), &known).unwrap())
                    .collect(),
                members: None,
                exclude: globset::GlobSet::empty(),
                vendor: PathBuf::from("vendor"),
                effort: packhouse::format::Effort::default(),
            },
            indexes: Vec::new(),
            services: BTreeMap::new(),
            adopted: Default::default(),
            distributions: known,
            licenses: packhouse::config::LicensePolicy::default(),
            repository: RepositorySettings::default(),
        };
        let cache = Cache::at(root.join("cache"));
        let workspace = Workspace { root, members: Vec::new() };
        Self { directory, settings, workspace, cache, record: Record::default(), offline: false, locked: false }
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.directory.path().join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs_err::read_to_string(self.directory.path().join(path)).unwrap()
    }

    /// A member with a pyproject.toml; returns its position.
    fn member(
        &mut self,
        name: &str,
        kind: Kind,
        version: Option<&str>,
        dependencies: &[usize],
        project: &str,
    ) -> usize {
        let line = version.map_or("dynamic = [\"version\"]".to_owned(), |version| format!("version = \"{version}\""));
        self.write(&format!("{name}/pyproject.toml"), &format!("[project]\nname = \"{name}\"\n{line}\n{project}\n"));
        self.workspace.members.push(Member {
            name: PackageName::parse(name).unwrap(),
            ecosystem_name: name.to_owned(),
            ecosystem: EcosystemKind::Python,
            kind,
            path: PathBuf::from(name),
            manifest: PathBuf::from(name).join("pyproject.toml"),
            version: version.map(str::to_owned),
            summary: None,
            license: None,
            reason: String::new(),
            commands: Vec::new(),
            requires: Vec::new(),
            optional: std::collections::BTreeMap::new(),
            dependencies: dependencies.iter().copied().map(MemberId).collect(),
            unread: Vec::new(),
            submodule: None,
        });
        self.workspace.members.len() - 1
    }

    fn service(&mut self, project: &str) -> usize {
        self.member("acme-api", Kind::Service, Some("1.0"), &[], project)
    }

    fn python(&mut self, change: impl FnOnce(&mut PythonSettings)) {
        let mut settings = ServiceSettings::default();
        change(&mut settings.python);
        self.settings.services.insert("acme-api".to_owned(), settings);
    }

    fn context(&self) -> Context<'_> {
        Context {
            settings: &self.settings,
            workspace: &self.workspace,
            cache: &self.cache,
            reporter: &self.record,
            offline: self.offline,
            locked: self.locked,
            threads: 2,
        }
    }

    fn api(&self) -> &Member {
        self.workspace.members.iter().find(|member| member.name.as_str() == "acme-api").unwrap()
    }

    fn lock_with(&self, upgrade: &Upgrade) -> Result<Outcome, ecosystem::Error> {
        ecosystem::of(EcosystemKind::Python).lock(self.context(), self.api(), upgrade)
    }

    fn lock(&self) -> Result<Outcome, ecosystem::Error> {
        self.lock_with(&Upgrade::Nothing)
    }

    /// Locks, and gives the locked packages.
    fn locked(&self) -> Vec<LockedPackage> {
        let outcome = self.lock().unwrap_or_else(|error| panic!("{error}\n{:?}", error.hints()));
        assert_eq!(outcome, Outcome::Changed);
        self.runtime().packages
    }

    fn runtime(&self) -> PyLock {
        PyLock::read(&self.directory.path().join("acme-api").join(LOCK_FILE)).unwrap().unwrap()
    }

    fn refused(&self) -> ecosystem::Error {
        let error = self.lock().expect_err("the lock is refused");
        assert!(!self.directory.path().join("acme-api").join(LOCK_FILE).exists(), "nothing half-written");
        error
    }
}

fn names(packages: &[LockedPackage]) -> Vec<&str> {
    packages.iter().map(|package| package.name.as_str()).collect()
}

fn find<'a>(packages: &'a [LockedPackage], name: &str) -> &'a LockedPackage {
    packages.iter().find(|package| package.name == name).unwrap_or_else(|| panic!("{name} in {:?}", names(packages)))
}

/// A file of a made-up distribution.
#[derive(Clone)]
struct Artefact {
    name: String,
    bytes: Vec<u8>,
}

fn wheel_tagged(name: &str, version: &str, tags: &str, requires: &[&str]) -> Artefact {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    let module = name.replace('-', "_");
    let info = format!("{module}-{version}.dist-info");
    let lines: String = requires.iter().map(|text| format!("Requires-Dist: {text}\n")).collect();
    for (path, text) in [
        (format!("{module}.py"), "raise SystemExit('this must never run')\n".to_owned()),
        (format!("{info}/METADATA"), format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{lines}\n")),
        (format!("{info}/WHEEL"), format!("Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tags}\n")),
        (format!("{info}/RECORD"), String::new()),
    ] {
        archive.start_file(path, options).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    let bytes = archive.finish().unwrap().into_inner();
    Artefact { name: format!("{module}-{version}-{tags}.whl"), bytes }
}

fn wheel(name: &str, version: &str, requires: &[&str]) -> Artefact {
    wheel_tagged(name, version, "py3-none-any", requires)
}

/// A source distribution of the old kind, whose setup.py leaves a trace when it is run.
fn sdist(name: &str, version: &str, requires: &str, trace: &Path) -> Artefact {
    let encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut builder = tar::Builder::new(encoder);
    let setup = format!(
        "open({:?}, 'w').write('ran')\nfrom setuptools import setup\nsetup(name='{name}')\n",
        trace.display().to_string()
    );
    for (path, text) in [
        (format!("{name}-{version}/PKG-INFO"), format!("Metadata-Version: 1.1\nName: {name}\nVersion: {version}\n")),
        (format!("{name}-{version}/setup.py"), setup),
        (format!("{name}-{version}/{name}.egg-info/PKG-INFO"), String::new()),
        (format!("{name}-{version}/{name}.egg-info/requires.txt"), requires.to_owned()),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    Artefact { name: format!("{name}-{version}.tar.gz"), bytes: builder.into_inner().unwrap().finish().unwrap() }
}

/// An index on this machine, as a bare one is: PEP 503 pages without sizes, ranges not understood. With a login it
/// answers 401 to who has none.
struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(files: Vec<Artefact>, login: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, files) = (Arc::clone(&requests), Arc::new(files));
        let login = login.map(str::to_owned);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, files, login) = (Arc::clone(&seen), Arc::clone(&files), login.clone());
                std::thread::spawn(move || while answer(&stream, &seen, &files, login.as_deref()).is_some() {});
            }
        });
        Self { port, requests }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/simple", self.port)
    }

    /// Requests so far.
    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn answer(mut stream: &TcpStream, seen: &Mutex<Vec<String>>, files: &[Artefact], login: Option<&str>) -> Option<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 || head.len() > 65536 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut words = head.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    seen.lock().unwrap().push(format!("{method} {path}"));
    let (status, kind, body) = respond(&head, &path, files, login);
    let challenge = if status.starts_with("401") { "WWW-Authenticate: Basic realm=\"index\"\r\n" } else { "" };
    let length = body.len();
    let response = format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{challenge}\r\n");
    stream.write_all(response.as_bytes()).ok()?;
    if method != "HEAD" {
        stream.write_all(&body).ok()?;
    }
    Some(())
}

fn respond(head: &str, path: &str, files: &[Artefact], login: Option<&str>) -> (&'static str, &'static str, Vec<u8>) {
    use base64::Engine as _;
    if let Some(login) = login {
        let wanted = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(login));
        let given = head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case("authorization").then(|| value.trim().to_owned())
        });
        if given != Some(wanted) {
            return ("401 Unauthorized", "text/plain", Vec::new());
        }
    }
    if let Some(project) = path.strip_prefix("/simple/").map(|rest| rest.trim_matches('/')) {
        let of_project = |file: &&Artefact| packhouse::name::normalize(file.name.split('-').next().unwrap()) == project;
        let links: String = files
            .iter()
            .filter(of_project)
            .map(|file| format!("<a href=\"/files/{0}#sha256={1}\">{0}</a>\n", file.name, Sha256::of(&file.bytes)))
            .collect();
        if links.is_empty() {
            return ("404 Not Found", "text/plain", Vec::new());
        }
        return ("200 OK", "text/html", format!("<!DOCTYPE html><html><body>{links}</body></html>").into_bytes());
    }
    let file = path.strip_prefix("/files/").and_then(|name| files.iter().find(|file| file.name == name));
    match file {
        Some(file) => ("200 OK", "application/octet-stream", file.bytes.clone()),
        None => ("404 Not Found", "text/plain", Vec::new()),
    }
}

/// setuptools, as far as a resolver sees it, for the locks of what builds.
fn setuptools() -> Artefact {
    wheel("setuptools", "80.0", &[])
}

/// A service whose requirements.txt takes everything from `server`.
fn service_on(server: &Server, targets: &[&str], requirements: &str) -> Repository {
    let mut repository = Repository::new(targets);
    repository.service("");
    repository.write("acme-api/requirements.txt", &format!("--index-url {}\n{requirements}\n", server.url()));
    repository
}

#[test]
fn a_wheel_is_locked_with_digest_size_and_index_and_what_builds_beside_it() {
    let (six, tools) = (wheel("six", "1.0", &[]), setuptools());
    let server = Server::start(vec![six.clone(), tools], None);
    let repository = service_on(&server, &["debian-12", "el9"], "six>=1");
    let packages = repository.locked();
    assert_eq!(names(&packages), ["six"]);
    let six_locked = find(&packages, "six");
    assert_eq!(six_locked.index.as_deref(), Some(server.url().as_str()));
    assert_eq!(six_locked.marker, None);
    assert!(six_locked.sdist.is_none());
    let file = &six_locked.wheels[0];
    assert_eq!(file.hashes.sha256, Sha256::of(&six.bytes));
    assert_eq!(file.size, Some(six.bytes.len() as u64));
    let locks = load(repository.context(), repository.api()).unwrap();
    assert_eq!(names(&locks.build.unwrap().packages), ["setuptools"]);
    assert_eq!(locks.runtime.tool.packhouse.local["acme-api"], "acme-api");
    assert_eq!(locks.runtime.tool.packhouse.targets, ["debian-12/amd64", "el9/x86_64"]);
}

#[test]
fn a_lock_that_is_up_to_date_is_left_alone_without_a_request() {
    let server = Server::start(vec![wheel("six", "1.0", &[]), setuptools()], None);
    let mut repository = service_on(&server, &["debian-12"], "six");
    repository.locked();
    let before = server.requests().len();
    let text = repository.read(&format!("acme-api/{LOCK_FILE}"));
    repository.offline = true;
    repository.locked = true;
    let start = std::time::Instant::now();
    assert_eq!(repository.lock().unwrap(), Outcome::Fresh);
    assert!(start.elapsed().as_millis() < 300, "{:?}", start.elapsed());
    assert!(is_fresh(repository.context(), repository.api()).unwrap());
    assert_eq!(server.requests().len(), before);
    assert_eq!(repository.read(&format!("acme-api/{LOCK_FILE}")), text);
}

#[test]
fn a_lock_older_than_the_requirements_is_refused_by_locked_offline_and_load() {
    let server = Server::start(vec![wheel("six", "1.0", &[]), setuptools()], None);
    let mut repository = service_on(&server, &["debian-12"], "six");
    repository.locked();
    let text = repository.read(&format!("acme-api/{LOCK_FILE}"));
    repository.write("acme-api/requirements.txt", &format!("--index-url {}\nsix>=0.5\n", server.url()));
    let error = load(repository.context(), repository.api()).unwrap_err();
    assert!(error.hints()[0].contains("packhouse lock acme-api"), "{error}");
    repository.offline = true;
    assert!(repository.lock().unwrap_err().to_string().contains("--offline"));
    repository.locked = true;
    let error = repository.lock().unwrap_err();
    assert_eq!(error.exit_code(), ExitCode::Policy);
    assert_eq!(repository.read(&format!("acme-api/{LOCK_FILE}")), text);
}

#[test]
fn what_does_not_change_the_resolution_does_not_make_a_lock_stale() {
    let server = Server::start(vec![wheel("six", "1.0", &[]), setuptools()], None);
    let mut repository = service_on(&server, &["debian-12"], "six");
    repository.locked();
    repository.workspace.members.clear();
    repository.member("acme-api", Kind::Service, Some("2.0"), &[], "description = \"another\"");
    assert!(is_fresh(repository.context(), repository.api()).unwrap());
    repository.settings.project.targets.push(parse_target("el9/x86_64", &distributions()).unwrap());
    assert!(!is_fresh(repository.context(), repository.api()).unwrap());
}

#[test]
fn versions_stay_until_they_are_upgraded() {
    let old = Server::start(vec![wheel("six", "1.0", &[]), setuptools()], None);
    let repository = service_on(&old, &["debian-12"], "six");
    repository.locked();
    let new = Server::start(vec![wheel("six", "1.0", &[]), wheel("six", "2.0", &[]), setuptools()], None);
    let lock = repository.read(&format!("acme-api/{LOCK_FILE}")).replace(&old.port.to_string(), &new.port.to_string());
    repository.write(&format!("acme-api/{LOCK_FILE}"), &lock);
    repository.write("acme-api/requirements.txt", &format!("--index-url {}\nsix>0\n", new.url()));
    assert_eq!(find(&repository.locked(), "six").version.as_deref(), Some("1.0"));
    repository.lock_with(&Upgrade::Names(vec!["Six".to_owned()])).unwrap();
    assert_eq!(find(&repository.runtime().packages, "six").version.as_deref(), Some("2.0"));
}

#[test]
fn the_repository_s_own_packages_win_over_squatters_and_bring_their_requirements() {
    let squatter = wheel("acme-common", "99.0", &["evil"]);
    let files = vec![
        squatter,
        wheel("acme-deep", "99.0", &[]),
        wheel("six", "1.0", &[]),
        wheel("extra-dep", "1.0", &[]),
        setuptools(),
    ];
    let server = Server::start(files, None);
    let mut repository = Repository::new(&["debian-12"]);
    let deep = repository.member("acme-deep", Kind::Library, None, &[], "dependencies = [\"six\"]");
    let common = repository.member(
        "acme-common",
        Kind::Library,
        Some("1.2"),
        &[deep],
        "dependencies = [\"acme_deep>=3\"]\n[project.optional-dependencies]\nx = [\"extra-dep\"]",
    );
    repository.member("acme-api", Kind::Service, Some("1.0"), &[common], "dependencies = [\"Acme.Common[x]>=1\"]");
    repository.write("acme-api/requirements.txt", &format!("--index-url {}\n", server.url()));
    let packages = repository.locked();
    assert_eq!(names(&packages), ["extra-dep", "six"]);
    let local: Vec<String> = repository.runtime().tool.packhouse.local.into_keys().collect();
    assert_eq!(local, ["acme-api", "acme-common", "acme-deep"]);
    assert!(!server.requests().iter().any(|request| request.contains("acme")), "{:?}", server.requests());
}

#[test]
fn a_package_of_ours_that_only_a_stranger_requires_is_refused() {
    let server = Server::start(vec![wheel("stranger", "1.0", &["acme-deep"]), setuptools()], None);
    let mut repository = service_on(&server, &["debian-12"], "stranger");
    repository.member("acme-deep", Kind::Library, Some("1.0"), &[], "");
    let error = repository.refused();
    assert!(error.to_string().contains("stranger requires acme-deep"), "{error}");
}

#[test]
fn a_package_without_a_wheel_is_locked_as_source_and_nothing_of_it_is_run() {
    let place = tempfile::tempdir().unwrap();
    let trace = place.path().join("trace");
    let files = vec![
        sdist("legacy", "0.6", "six\n\n[fast]\nspeed\n", &trace),
        wheel("six", "1.0", &[]),
        wheel("top", "1.0", &["legacy<2"]),
        setuptools(),
    ];
    let server = Server::start(files, None);
    let repository = service_on(&server, &["debian-12", "debian-13"], "top");
    let packages = repository.locked();
    assert_eq!(names(&packages), ["legacy", "six", "top"]);
    let legacy = find(&packages, "legacy");
    assert_eq!(legacy.sdist.as_ref().unwrap().name, "legacy-0.6.tar.gz");
    assert!(legacy.wheels.is_empty() && legacy.index.is_some());
    assert!(!trace.exists(), "setup.py was run");
    assert!(find(&packages, "top").sdist.is_none());
}

#[test]
fn a_digest_that_no_file_has_is_an_error_at_the_requirement() {
    let six = wheel("six", "1.0", &[]);
    let server = Server::start(vec![six.clone(), setuptools()], None);
    let wrong = "0".repeat(64);
    let repository = service_on(&server, &["debian-12"], &format!("six==1.0 --hash=sha256:{wrong}"));
    let error = repository.refused();
    assert!(error.to_string().contains("digest"), "{error}");
    assert_eq!(error.location().unwrap().line_and_column().0, 2);
    let right = Sha256::of(&six.bytes);
    let lines = format!("--index-url {}\nsix==1.0 --hash=sha256:{wrong} --hash=sha256:{right}\n", server.url());
    repository.write("acme-api/requirements.txt", &lines);
    assert_eq!(names(&repository.locked()), ["six"]);
}

#[test]
fn a_wheel_too_new_for_a_target_is_an_error_that_names_it_unless_there_is_a_source() {
    let place = tempfile::tempdir().unwrap();
    let new = wheel_tagged("fast", "1.0", "cp311-cp311-manylinux_2_35_x86_64", &[]);
    let server = Server::start(vec![new.clone(), setuptools()], None);
    let repository = service_on(&server, &["debian-12", "el9"], "fast");
    let error = repository.refused();
    let text = error.to_string();
    assert!(
        text.contains("fast 1.0") && text.contains("el9/x86_64") && text.contains(&new.name) && text.contains("2.34"),
        "{text}"
    );
    let source = sdist("fast", "1.0", "", &place.path().join("trace"));
    let server = Server::start(vec![new.clone(), source, setuptools()], None);
    let repository = service_on(&server, &["debian-12", "el9"], "fast");
    let fast = find(&repository.locked(), "fast").clone();
    assert_eq!(fast.wheels[0].name, new.name);
    assert!(fast.sdist.is_some());
}

#[test]
fn each_target_has_its_own_wheel_and_no_other_is_locked() {
    let tags = [
        "cp311-cp311-manylinux_2_34_x86_64",
        "cp311-cp311-manylinux_2_28_x86_64",
        "cp311-cp311-manylinux_2_36_x86_64",
        "cp313-cp313-manylinux_2_41_x86_64",
        "cp312-cp312-manylinux_2_17_x86_64",
        "cp311-cp311-win_amd64",
    ];
    let mut files: Vec<Artefact> = tags.iter().map(|tags| wheel_tagged("fast", "1.0", tags, &[])).collect();
    files.push(setuptools());
    let server = Server::start(files, None);
    let repository = service_on(&server, &["debian-12", "debian-13", "el9"], "fast");
    let packages = repository.locked();
    let wheels: Vec<&str> = find(&packages, "fast").wheels.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(
        wheels,
        [
            "fast-1.0-cp311-cp311-manylinux_2_34_x86_64.whl",
            "fast-1.0-cp311-cp311-manylinux_2_36_x86_64.whl",
            "fast-1.0-cp313-cp313-manylinux_2_41_x86_64.whl"
        ]
    );
}

#[test]
fn a_marker_says_for_which_targets_a_package_is() {
    let server = Server::start(vec![wheel("old", "1.0", &[]), wheel("six", "1.0", &[]), setuptools()], None);
    let repository = service_on(
        &server,
        &["debian-12", "debian-13"],
        "old; python_version < '3.12'\nsix; sys_platform == 'linux'\nwin; sys_platform == 'win32'",
    );
    let packages = repository.locked();
    assert_eq!(names(&packages), ["old", "six"]);
    let marker = find(&packages, "old").marker.clone().unwrap();
    assert!(marker.contains("3.11") && !marker.contains("3.13"), "{marker}");
    assert_eq!(find(&packages, "six").marker, None);
}

#[test]
fn a_pinned_name_comes_from_its_index_at_any_depth_and_credentials_are_written_nowhere() {
    let private = Server::start(
        vec![
            wheel("acme-secret", "1.0", &["acme-dep", "six"]),
            wheel("acme-dep", "1.0", &["acme-deeper"]),
            wheel("acme-deeper", "1.0", &[]),
            wheel("six", "99.0", &[]),
        ],
        Some("robot:s3cr3t-t0ken"),
    );
    let public = Server::start(
        vec![
            wheel("acme-secret", "9.0", &[]),
            wheel("acme-dep", "9.0", &["evil"]),
            wheel("evil", "1.0", &[]),
            wheel("six", "1.0", &[]),
            setuptools(),
        ],
        None,
    );
    let mut repository = service_on(&public, &["debian-12"], "acme-secret");
    repository.settings.indexes.push(IndexSettings {
        name: "internal".to_owned(),
        url: format!("http://robot:s3cr3t-t0ken@127.0.0.1:{}/simple", private.port),
        packages: vec!["acme-*".to_owned()],
    });
    let packages = repository.locked();
    assert_eq!(names(&packages), ["acme-deeper", "acme-dep", "acme-secret", "six"]);
    for package in &packages {
        let (index, version) = if package.name == "six" { (&public, "1.0") } else { (&private, "1.0") };
        assert_eq!(package.index.as_deref(), Some(index.url().as_str()), "{}", package.name);
        assert_eq!(package.version.as_deref(), Some(version));
    }
    let said = format!(
        "{}{}{}",
        repository.record.text(),
        repository.read(&format!("acme-api/{LOCK_FILE}")),
        repository.read(&format!("acme-api/{BUILD_LOCK_FILE}"))
    );
    assert!(!said.contains("s3cr3t"), "{said}");
    assert!(private.requests().iter().all(|request| !request.contains("/simple/six")), "{:?}", private.requests());
}

#[test]
fn an_index_that_refuses_the_login_is_named_without_the_login() {
    let private = Server::start(vec![wheel("acme-secret", "1.0", &[])], Some("robot:right"));
    let public = Server::start(vec![setuptools()], None);
    let mut repository = service_on(&public, &["debian-12"], "acme-secret");
    let url = format!("http://robot:wr0ng-t0ken@127.0.0.1:{}/simple", private.port);
    repository.settings.indexes.push(IndexSettings {
        name: "internal".to_owned(),
        url,
        packages: vec!["acme-*".to_owned()],
    });
    let error = repository.refused();
    let said = format!("{error} {:?} {}", error.hints(), repository.record.text());
    assert!(said.contains("acme-secret") && !said.contains("wr0ng"), "{said}");
}

#[test]
fn the_keyring_that_pip_is_configured_with_opens_an_index_for_the_resolver_too() {
    use std::os::unix::fs::PermissionsExt;
    let index = Server::start(vec![wheel("six", "1.0", &[]), setuptools()], Some("oauth2accesstoken:k3yr1ng"));
    let repository = Repository::new(&["debian-12"]);
    repository.write(
        "packhouse.toml",
        "[project]\norg = \"acme\"\nmaintainer = \"Acme <cloud@acme.example>\"\ntargets = [\"debian-12\"]\n",
    );
    repository.write(
        "acme-api/pyproject.toml",
        "[project]\nname = \"acme-api\"\nversion = \"1.0\"\ndependencies = [\"six\"]\n[project.scripts]\nacme-api = \"m:main\"\n",
    );
    repository
        .write("bin/keyring", "#!/bin/sh\necho \"$@\" >> \"$0.log\"\n[ \"$3\" = oauth2accesstoken ] && echo k3yr1ng\n");
    let root = repository.settings.root.clone();
    fs_err::set_permissions(root.join("bin/keyring"), PermissionsExt::from_mode(0o755)).unwrap();
    let run = |provider: &str, arguments: &[&str]| {
        repository
            .write("pip.conf", &format!("[global]\nindex-url = {}\nkeyring-provider = {provider}\n", index.url()));
        let path = std::env::var("PATH").unwrap();
        let output = assert_cmd::Command::cargo_bin("packhouse")
            .unwrap()
            .args(arguments)
            .current_dir(&root)
            .env_clear()
            .env("PATH", format!("{}:{path}", root.join("bin").display()))
            .env("HOME", root.join("home"))
            .env("PIP_CONFIG_FILE", root.join("pip.conf"))
            .env("PACKHOUSE_CACHE_DIR", root.join("cache"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!said.contains("k3yr1ng"), "{said}");
        (output.status.success(), said)
    };
    let (success, said) = run("disabled", &["lock", "-v"]);
    assert!(!success && !root.join("bin/keyring.log").exists(), "{said}");
    for arguments in [&["lock", "-v"][..], &["vendor", "-v"]] {
        let (success, said) = run("subprocess", arguments);
        assert!(success, "{said}");
    }
    assert!(!repository.read("acme-api/pylock.packhouse.toml").contains("k3yr1ng"));
    assert!(root.join("acme-api/vendor/six-1.0-py3-none-any.whl").is_file());
}

#[test]
fn a_requirement_that_resolves_nowhere_is_an_error_with_its_line() {
    let server = Server::start(vec![wheel("six", "1.0", &[]), setuptools()], None);
    let repository = service_on(&server, &["debian-12"], "six\nno-such-thing>=2");
    let error = repository.refused();
    assert!(error.to_string().contains("no-such-thing"), "{error}");
    let location = error.location().unwrap();
    assert_eq!(location.line_and_column().0, 3);
    assert!(location.path.ends_with("requirements.txt"));
    assert!(!error.hints().is_empty());
}

#[test]
fn a_uv_lock_is_taken_as_it_is_and_refused_when_it_is_older_than_the_requirements() {
    let six = wheel("six", "1.0", &[]);
    let server = Server::start(vec![six.clone(), wheel("six", "2.0", &[]), setuptools()], None);
    let repository = service_on(&server, &["debian-12"], "six");
    let lock = format!(
        "version = 1\nrequires-python = \">=3.11\"\n[[package]]\nname = \"acme-api\"\nversion = \"1.0\"\nsource = {{ editable = \".\" }}\ndependencies = [{{ name = \"six\" }}]\n\n[[package]]\nname = \"six\"\nversion = \"1.0\"\nsource = {{ registry = \"{}\" }}\nwheels = [{{ url = \"http://127.0.0.1:{}/files/{}\", hash = \"sha256:{}\" }}]\n",
        server.url(),
        server.port,
        six.name,
        Sha256::of(&six.bytes)
    );
    repository.write("acme-api/uv.lock", &lock);
    assert_eq!(find(&repository.locked(), "six").version.as_deref(), Some("1.0"));
    repository.write("acme-api/requirements.txt", &format!("--index-url {}\nsix>=2\n", server.url()));
    let error = repository.lock().unwrap_err();
    assert!(error.to_string().contains("older than the requirements"), "{error}");
    assert_eq!(error.location().unwrap().line_and_column().0, 2);
}

#[test]
fn a_pylock_toml_is_taken_as_it_is() {
    let six = wheel("six", "1.0", &[]);
    let server = Server::start(vec![six.clone(), wheel("six", "2.0", &[]), setuptools()], None);
    let repository = service_on(&server, &["debian-12"], "six");
    let lock = format!(
        "lock-version = \"1.0\"\ncreated-by = \"other\"\n[[packages]]\nname = \"six\"\nversion = \"1.0\"\nindex = \"{}\"\nwheels = [{{ url = \"http://127.0.0.1:{}/files/{}\", hashes = {{ sha256 = \"{}\" }} }}]\n",
        server.url(),
        server.port,
        six.name,
        Sha256::of(&six.bytes)
    );
    repository.write("acme-api/pylock.toml", &lock);
    let packages = repository.locked();
    assert_eq!(find(&packages, "six").version.as_deref(), Some("1.0"));
    assert_eq!(find(&packages, "six").wheels[0].size, Some(six.bytes.len() as u64));
}

/// The lines that the locks of Poetry, PDM and pipenv have for `artefact` and nothing else: name and digest.
fn pinned(artefact: &Artefact) -> String {
    format!("{{file = \"{}\", hash = \"sha256:{}\"}}", artefact.name, Sha256::of(&artefact.bytes))
}

/// An index with two versions of everything, and a repository that requires `top`, which requires `six`.
fn two_versions() -> (Server, Repository, Artefact, Artefact) {
    let (six, top) = (wheel("six", "1.0", &[]), wheel("top", "1.0", &["six>=1"]));
    let newer = [wheel("six", "2.0", &[]), wheel("top", "2.0", &["six>=1"])];
    let files = [six.clone(), top.clone()].into_iter().chain(newer).chain([setuptools()]);
    let server = Server::start(files.collect(), None);
    let repository = service_on(&server, &["debian-12", "debian-13"], "top");
    (server, repository, six, top)
}

/// What was locked, as `name version` with the only file's digest.
fn pins(packages: &[LockedPackage]) -> Vec<(String, Sha256)> {
    packages.iter().map(|package| (package.title(), package.wheels[0].hashes.sha256)).collect()
}

#[test]
fn what_a_poetry_lock_pins_is_what_is_locked_and_its_groups_of_developers_are_not() {
    let (server, repository, six, top) = two_versions();
    let lock = |six_file: &str| {
        format!(
            "[[package]]\nname = \"six\"\nversion = \"1.0\"\npython-versions = \"*\"\ngroups = [\"main\", \"dev\"]\nfiles = [{six_file}]\n\n\
             [[package]]\nname = \"pytest\"\nversion = \"9.0\"\npython-versions = \">=3.9\"\ngroups = [\"dev\"]\nfiles = []\n\n\
             [[package]]\nname = \"top\"\nversion = \"1.0\"\npython-versions = \">=3.8\"\ngroups = [\"main\"]\nfiles = [{}]\n\
             [package.dependencies]\nsix = \">=1,<3\"\npytest = {{version = \"*\", markers = \"sys_platform == 'win32'\"}}\n\n\
             [metadata]\nlock-version = \"2.1\"\npython-versions = \">=3.9\"\n",
            pinned(&top)
        )
    };
    repository.write("acme-api/poetry.lock", &lock(&pinned(&six)));
    let packages = repository.locked();
    let expected = [("six 1.0".to_owned(), Sha256::of(&six.bytes)), ("top 1.0".to_owned(), Sha256::of(&top.bytes))];
    assert_eq!(pins(&packages), expected);
    assert_eq!(packages[0].index.as_deref(), Some(server.url().as_str()));
    assert!(repository.record.text().contains("from acme-api/poetry.lock"), "{}", repository.record.text());
    // A digest that no file has is an error, whatever else the index offers.
    let other = format!("{{file = \"{}\", hash = \"sha256:{}\"}}", six.name, "0".repeat(64));
    repository.write("acme-api/poetry.lock", &lock(&other));
    let error = repository.lock().unwrap_err();
    assert!(error.to_string().contains("pins six 1.0 by digests that no file"), "{error}");
    assert!(error.hints()[0].contains("poetry lock"), "{:?}", error.hints());
    // And the requirements must be met by it.
    repository.write("acme-api/poetry.lock", &lock(&pinned(&six)));
    repository.write("acme-api/requirements.txt", &format!("--index-url {}\ntop>=2\n", server.url()));
    let error = repository.lock().unwrap_err();
    assert!(error.to_string().contains("older than the requirements"), "{error}");
    assert_eq!(error.location().unwrap().line_and_column().0, 2);
}

#[test]
fn what_a_pdm_lock_pins_is_what_is_locked_with_urls_or_without() {
    let (server, repository, six, top) = two_versions();
    let url = |artefact: &Artefact| {
        let url = format!("http://127.0.0.1:{}/files/{}", server.port, artefact.name);
        format!("{{url = \"{url}\", hash = \"sha256:{}\"}}", Sha256::of(&artefact.bytes))
    };
    for of in [&pinned as &dyn Fn(&Artefact) -> String, &url] {
        repository.write(
            "acme-api/pdm.lock",
            &format!(
                "[metadata]\ngroups = [\"default\"]\nlock_version = \"4.5.0\"\n\n[[package]]\nname = \"six\"\nversion = \"1.0\"\n\
                 requires_python = \">=3.8\"\nfiles = [{}]\n\n[[package]]\nname = \"top\"\nversion = \"1.0\"\n\
                 dependencies = [\"six>=1\", \"win ; sys_platform == 'win32'\"]\nfiles = [{}]\n",
                of(&six),
                of(&top)
            ),
        );
        let packages = repository.locked();
        assert_eq!(names(&packages), ["six", "top"]);
        assert_eq!(pins(&packages)[0], ("six 1.0".to_owned(), Sha256::of(&six.bytes)));
    }
}

#[test]
fn what_a_pipfile_lock_pins_is_what_is_locked_by_its_digests_alone() {
    let (_server, repository, six, top) = two_versions();
    let entry = |artefact: &Artefact, more: &str| {
        format!(
            r#"{{"hashes": ["sha256:{}", "sha256:{}"], "version": "==1.0"{more}}}"#,
            "1".repeat(64),
            Sha256::of(&artefact.bytes)
        )
    };
    repository.write(
        "acme-api/Pipfile.lock",
        &format!(
            r#"{{"_meta": {{"hash": {{}}, "pipfile-spec": 6, "sources": [{{"name": "pypi", "url": "https://pypi.org/simple", "verify_ssl": true}}]}},
               "default": {{"six": {}, "top": {}, "win": {}}}, "develop": {{"pytest": {{"hashes": [], "version": "==9"}}}}}}"#,
            entry(&six, r#", "index": "pypi""#),
            entry(&top, r#", "markers": "python_version >= '3.8'""#),
            entry(&six, r#", "markers": "sys_platform == 'win32'""#),
        ),
    );
    let packages = repository.locked();
    assert_eq!(names(&packages), ["six", "top"]);
    assert_eq!(pins(&packages)[1], ("top 1.0".to_owned(), Sha256::of(&top.bytes)));
}

#[test]
fn requirements_with_digests_on_every_line_admit_nothing_else() {
    let (server, repository, six, top) = two_versions();
    let line = |artefact: &Artefact| {
        let name = artefact.name.split('-').next().unwrap();
        format!("{name}==1.0 \\\n    --hash=sha256:{}\n", Sha256::of(&artefact.bytes))
    };
    let head = format!("--index-url {}\n", server.url());
    repository.write("acme-api/requirements.txt", &format!("{head}{}", line(&top)));
    let error = repository.lock().unwrap_err();
    assert!(error.to_string().contains("six has no --hash"), "{error}");
    repository.write("acme-api/requirements.txt", &format!("{head}{}{}", line(&top), line(&six)));
    let packages = repository.locked();
    assert_eq!(names(&packages), ["six", "top"]);
    assert_eq!(packages[0].version.as_deref(), Some("1.0"));
}

#[test]
fn of_several_locks_that_of_the_project_s_own_tool_is_taken_and_the_others_are_named() {
    let (server, mut repository, six, top) = two_versions();
    let pylock = "lock-version = \"1.0\"\ncreated-by = \"other\"\n";
    repository.write("acme-api/pylock.toml", pylock);
    repository.write("acme-api/uv.lock", "version = 99");
    repository.workspace.members.clear();
    repository.service("[tool.poetry]\npackages = []");
    repository.write(
        "acme-api/poetry.lock",
        &format!(
            "[[package]]\nname = \"six\"\nversion = \"1.0\"\npython-versions = \"*\"\n\n[[package]]\nname = \"top\"\nversion = \"1.0\"\n\
             python-versions = \"*\"\n[package.dependencies]\nsix = \"*\"\n\n[metadata]\nlock-version = \"1.1\"\npython-versions = \"*\"\n\
             [metadata.files]\nsix = [{}]\ntop = [{}]\n",
            pinned(&six),
            pinned(&top)
        ),
    );
    repository.write("acme-api/requirements.txt", &format!("--index-url {}\ntop\n", server.url()));
    assert_eq!(names(&repository.locked()), ["six", "top"]);
    let said = repository.record.text();
    assert!(said.contains("acme-api/uv.lock, acme-api/pylock.toml, beside it, is not asked"), "{said}");
}

#[test]
fn a_lock_that_leads_astray_is_refused() {
    let (_server, repository, six, top) = two_versions();
    let lock = |more: &str| {
        format!(
            "[[package]]\nname = \"six\"\nversion = \"1.0\"\npython-versions = \"*\"\n{more}\n\n[[package]]\nname = \"top\"\nversion = \"1.0\"\n\
             python-versions = \"*\"\nfiles = [{}]\n[package.dependencies]\nsix = \"*\"\n\n[metadata]\nlock-version = \"2.0\"\n",
            pinned(&top)
        )
    };
    let digest = Sha256::of(&six.bytes);
    let file = |text: &str| format!("files = [{{file = \"six-1.0-py3-none-any.whl\", hash = \"{text}\"}}]");
    let from = |kind: &str, url: &str| {
        format!("{}\n[package.source]\ntype = \"{kind}\"\nurl = \"{url}\"", file(&format!("sha256:{digest}")))
    };
    for (more, says) in [
        ("files = []".to_owned(), "has no digest for six 1.0"),
        (file("md5:00"), "has a digest of md5"),
        (file("sha256:zz"), "which is none"),
        (file("nothing"), "which is none"),
        (from("file", "../../../etc/passwd"), "which is no file of the repository"),
        (from("url", "file:///etc/passwd"), "from which nothing is fetched"),
        (from("url", "ssh://user:secret@host/six.whl"), "ssh://***@host"),
        (from("git", "https://example.org/six.git"), "whose content no digest fixes"),
        (from("legacy", "ftp://example.org/simple"), "which is the URL of no index"),
        (from("directory", "../../elsewhere"), "that is no package of this repository"),
    ] {
        repository.write("acme-api/poetry.lock", &lock(&more));
        let error = repository.refused();
        assert!(error.to_string().contains(says), "{more}\n{error}");
        assert!(!error.to_string().contains("secret") && !error.hints().is_empty(), "{error}");
    }
    for (text, says) in [
        ("[[package", "cannot be read"),
        ("[metadata]\nlock-version = \"3.0\"\n", "lock-version 3.0"),
        ("[metadata]\nlock-version = \"2.1\"\ncontent-hash = \"00\"\n", "is older than pyproject.toml"),
    ] {
        repository.write("acme-api/poetry.lock", text);
        let error = repository.refused();
        assert!(error.to_string().contains(says), "{text}\n{error}");
    }
}

#[test]
fn the_same_input_gives_the_same_bytes_in_another_directory() {
    let server = Server::start(vec![wheel("six", "1.0", &[]), wheel("top", "1.0", &["six"]), setuptools()], None);
    let texts: Vec<String> = (0..2)
        .map(|_| {
            let repository = service_on(&server, &["debian-12", "debian-13"], "top");
            repository.locked();
            repository.read(&format!("acme-api/{LOCK_FILE}")) + &repository.read(&format!("acme-api/{BUILD_LOCK_FILE}"))
        })
        .collect();
    assert_eq!(texts[0], texts[1]);
}

#[test]
fn extras_and_build_requirements_of_the_settings_are_locked() {
    let server = Server::start(vec![wheel("six", "1.0", &[]), wheel("cython", "3.0", &[]), setuptools()], None);
    let mut repository = Repository::new(&["debian-12"]);
    repository.service("[project.optional-dependencies]\nx = [\"six\"]");
    repository.write("acme-api/requirements.txt", &format!("--index-url {}\n", server.url()));
    repository.python(|python| {
        python.extras = vec!["x".to_owned()];
        python.build_requires.insert("acme-api".to_owned(), vec!["cython>=3".to_owned()]);
    });
    assert_eq!(names(&repository.locked()), ["six"]);
    let locks = load(repository.context(), repository.api()).unwrap();
    assert_eq!(names(&locks.build.unwrap().packages), ["cython", "setuptools"]);
}

#[test]
fn a_line_of_vendor_txt_without_dependencies_replaces_what_an_index_would_give() {
    let place = tempfile::tempdir().unwrap();
    let files = vec![
        wheel("top", "1.0", &["fast"]),
        wheel("fast", "2.0", &["never"]),
        wheel_tagged("fast", "1.0", "cp311-cp311-manylinux_2_17_x86_64", &["never"]),
        sdist("fast", "1.0", "never\n", &place.path().join("trace")),
        setuptools(),
    ];
    let server = Server::start(files, None);
    let repository = service_on(&server, &["debian-12"], "top");
    repository.write("acme-api/vendor.txt", "fast==1.0 --platform macosx_10_6_intel --no-deps\n");
    let packages = repository.locked();
    assert_eq!(names(&packages), ["fast", "top"]);
    let fast = find(&packages, "fast");
    assert_eq!(fast.sdist.as_ref().unwrap().name, "fast-1.0.tar.gz");
    assert!(fast.wheels.is_empty());
    repository.write("acme-api/vendor.txt", "fast==1.0\n");
    let error = repository.lock().unwrap_err();
    assert!(error.to_string().contains("never"), "its dependencies are wanted now: {error}");
    repository.write("acme-api/vendor.txt", "fast==1.0 --platform manylinux_2_17_x86_64\n");
    let error = repository.lock().unwrap_err();
    assert!(error.hints().iter().any(|hint| hint.contains("--no-deps")), "{error}");
}

#[test]
fn an_archive_by_its_url_overrides_the_index_and_brings_its_requirements() {
    let mine = wheel("fast", "1.5+mine", &["six", "flask; extra == 'web'"]);
    let files = vec![
        wheel("top", "1.0", &["fast>=1"]),
        wheel("fast", "2.0", &["never"]),
        wheel("six", "1.0", &[]),
        setuptools(),
    ];
    let server = Server::start(files, None);
    let store = Server::start(vec![mine.clone()], None);
    let url = format!("http://127.0.0.1:{}/files/{}", store.port, mine.name);
    let digest = Sha256::of(&mine.bytes);
    for by_requirement in [false, true] {
        let line = format!("fast @ {url}#sha256={digest}");
        let repository = service_on(&server, &["debian-12"], if by_requirement { &line } else { "" });
        repository.write("acme-api/vendor.txt", "");
        if !by_requirement {
            repository.write("acme-api/vendor.txt", &format!("{url}#sha256={digest}\n"));
        }
        let top = repository.read("acme-api/requirements.txt") + "top\n";
        repository.write("acme-api/requirements.txt", &top);
        let packages = repository.locked();
        assert_eq!(names(&packages), ["fast", "six", "top"]);
        let archive = find(&packages, "fast").archive.as_ref().unwrap();
        assert_eq!((archive.hashes.sha256, archive.url.as_deref()), (digest, Some(url.as_str())));
        assert_eq!(find(&packages, "fast").version.as_deref(), Some("1.5+mine"));
    }
}

#[test]
fn two_processors_each_have_their_wheel() {
    let files = vec![
        wheel_tagged("fast", "1.0", "cp311-cp311-manylinux_2_17_x86_64", &[]),
        wheel_tagged("fast", "1.0", "cp311-cp311-manylinux_2_17_aarch64", &[]),
        setuptools(),
    ];
    let server = Server::start(files, None);
    let mut repository = service_on(&server, &["debian-12"], "fast");
    repository.settings.project.targets.push(parse_target("debian-12/arm64", &distributions()).unwrap());
    let packages = repository.locked();
    assert_eq!(find(&packages, "fast").wheels.len(), 2);
    assert_eq!(find(&packages, "fast").marker, None);
    assert_eq!(repository.runtime().environments.len(), 2);
}

#[test]
fn the_lock_of_a_uv_workspace_above_serves_its_members_and_no_others() {
    let six = wheel("six", "1.0", &[]);
    let server = Server::start(vec![six.clone(), wheel("six", "2.0", &[]), setuptools()], None);
    let package = |name: &str, directory: &str| {
        format!(
            "[[package]]\nname = \"{name}\"\nversion = \"1.0\"\nsource = {{ editable = \"{directory}\" }}\ndependencies = [{{ name = \"six\" }}]\n"
        )
    };
    let lock = |member: &str| {
        format!(
            "version = 1\nrequires-python = \">=3.11\"\n{member}[[package]]\nname = \"six\"\nversion = \"1.0\"\nsource = {{ registry = \"{}\" }}\nwheels = [{{ url = \"http://127.0.0.1:{}/files/{}\", hash = \"sha256:{}\" }}]\n",
            server.url(),
            server.port,
            six.name,
            Sha256::of(&six.bytes)
        )
    };
    let version = |text: &str| {
        let repository = service_on(&server, &["debian-12"], "six");
        repository.write("uv.lock", text);
        find(&repository.locked(), "six").version.clone().unwrap()
    };
    assert_eq!(version(&lock(&package("acme-api", "acme-api"))), "1.0");
    assert_eq!(version(&lock(&package("another", "another"))), "2.0");
}

#[test]
fn a_directory_of_links_that_is_not_there_is_said_and_passed_over() {
    let server = Server::start(vec![wheel("six", "1.0", &[]), setuptools()], None);
    let repository = service_on(&server, &["debian-12"], "--find-links nowhere\nsix");
    assert_eq!(names(&repository.locked()), ["six"]);
    assert!(repository.record.text().contains("nowhere"), "{}", repository.record.text());
}

#[test]
fn a_file_in_a_directory_of_links_is_found() {
    let server = Server::start(vec![wheel("six", "1.0", &[]), setuptools()], None);
    let repository = service_on(&server, &["debian-12"], "--find-links wheels\nsix\nlocal");
    let local = wheel("local", "3.0", &["six"]);
    repository.write("acme-api/wheels/x", "");
    fs_err::write(repository.directory.path().join("acme-api/wheels").join(&local.name), &local.bytes).unwrap();
    let packages = repository.locked();
    assert_eq!(names(&packages), ["local", "six"]);
    let file = &find(&packages, "local").wheels[0];
    assert!(file.url.as_deref().unwrap().starts_with("file:///"), "{file:?}");
    let text = repository.read(&format!("acme-api/{LOCK_FILE}"));
    assert!(text.contains("path = \"wheels/local-3.0") && !text.contains("file:"), "{text}");
    assert_eq!((file.hashes.sha256, file.size), (Sha256::of(&local.bytes), Some(local.bytes.len() as u64)));
}

#[test]
fn an_extra_that_there_is_not_is_an_error() {
    let server = Server::start(vec![setuptools()], None);
    let mut repository = service_on(&server, &["debian-12"], "");
    repository.python(|python| python.extras = vec!["nope".to_owned()]);
    let error = repository.refused();
    assert!(error.to_string().contains("`nope`"), "{error}");
    assert_eq!(error.exit_code(), ExitCode::Usage);
}

#[test]
fn no_binary_takes_the_source_and_locks_what_builds_it() {
    let place = tempfile::tempdir().unwrap();
    let trace = place.path().join("trace");
    let files =
        vec![wheel("fast", "1.0", &[]), sdist("fast", "1.0", "", &trace), wheel("cython", "3.0", &[]), setuptools()];
    let server = Server::start(files, None);
    let mut repository = service_on(&server, &["debian-12"], "fast");
    repository.python(|python| {
        python.no_binary = vec!["Fast".to_owned()];
        python.build_requires.insert("fast".to_owned(), vec!["cython".to_owned()]);
    });
    let packages = repository.locked();
    assert!(find(&packages, "fast").wheels.is_empty() && find(&packages, "fast").sdist.is_some());
    let build = load(repository.context(), repository.api()).unwrap().build.unwrap();
    assert_eq!(names(&build.packages), ["cython", "setuptools"]);
    assert!(!trace.exists());
}

/// These ask the index that this machine is configured with.
mod online {
    use super::*;

    const SIX: &str = "flask\nrequests\nsqlalchemy\ngunicorn\npydantic\ncryptography";

    fn service(targets: &[&str], requirements: &str) -> Repository {
        let mut repository = Repository::new(targets);
        repository.service("");
        repository.write("acme-api/requirements.txt", requirements);
        repository
    }

    #[test]
    fn six_well_known_packages_are_locked_for_three_distributions() {
        let repository = service(&["debian-12", "debian-13", "el9"], SIX);
        let packages = repository.locked();
        assert!(packages.len() >= 20, "{:?}", names(&packages));
        for package in &packages {
            assert!(!package.wheels.is_empty() && package.sdist.is_none(), "{}", package.name);
            for file in package.files() {
                assert!(file.size.is_some_and(|size| size > 500), "{file:?}");
                assert!(file.name.ends_with("any.whl") || file.name.contains("manylinux"), "{}", file.name);
            }
        }
        let core = find(&packages, "pydantic-core");
        let wheels: Vec<&str> = core.wheels.iter().map(|file| file.name.as_str()).collect();
        assert!(
            wheels.iter().any(|name| name.contains("-cp311-")) && wheels.iter().any(|name| name.contains("-cp313-")),
            "{wheels:?}"
        );
        assert!(load(repository.context(), repository.api()).unwrap().build.is_some());
    }

    #[test]
    fn docopt_which_has_no_wheel_is_locked_as_source() {
        let repository = service(&["debian-12", "el9"], "docopt==0.6.2");
        let packages = repository.locked();
        assert_eq!(names(&packages), ["docopt"]);
        assert_eq!(packages[0].sdist.as_ref().unwrap().name, "docopt-0.6.2.tar.gz");
    }
}
