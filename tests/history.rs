//! Versions, changelogs and times from real git repositories, hostile ones among them.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use globset::GlobSet;
use packhouse::config::{Maintainer, ProjectSettings, RepositorySettings, ServiceSettings, Settings};
use packhouse::diagnostic::{Diagnose as _, ExitCode};
use packhouse::name::{OrgName, PackageName};
use packhouse::package::version::{Snapshot, map};
use packhouse::package::{Changelog, changelog};
use packhouse::target::{Distribution, distribution, distributions};
use packhouse::workspace::history::{ChangelogRequest, History, HistoryError, MOST_CHANGES, VersionOrigin};
use packhouse::workspace::{EcosystemKind, Kind, Member, MemberId, Workspace};

/// A git repository in a temporary directory, with a clock that goes on by an hour with every commit.
struct Fixture {
    directory: tempfile::TempDir,
    clock: i64,
}

const START: i64 = 1_600_000_000;

impl Fixture {
    fn new() -> Self {
        let fixture = Self { directory: tempfile::tempdir().expect("a directory"), clock: START };
        fixture.git(&["init", "-q", "-b", "main"]);
        fixture
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn command(&self, directory: &Path) -> Command {
        let mut command = Command::new("git");
        command
            .current_dir(directory)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", "/nonexistent")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .envs([("GIT_AUTHOR_NAME", "Ann Author"), ("GIT_AUTHOR_EMAIL", "ann@example.org")])
            .envs([("GIT_COMMITTER_NAME", "Carl"), ("GIT_COMMITTER_EMAIL", "carl@example.org")])
            .env("GIT_AUTHOR_DATE", format!("{} +0000", self.clock))
            .env("GIT_COMMITTER_DATE", format!("{} +0000", self.clock))
            .args(["-c", "protocol.file.allow=always", "-c", "commit.gpgsign=false"]);
        command
    }

    fn git(&self, arguments: &[&str]) {
        self.git_in(Path::new(""), arguments);
    }

    fn git_in(&self, below: &Path, arguments: &[&str]) {
        let output = self.command(&self.path().join(below)).args(arguments).output().expect("git runs");
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs_err::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs_err::write(path, text).expect("written");
    }

    /// Writes a file and commits everything.
    fn commit(&mut self, path: &str, text: &str, message: &str) -> i64 {
        self.write(path, text);
        self.clock += 3600;
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty-message", "-m", message]);
        self.clock
    }

    fn workspace(&self, members: Vec<Member>) -> Workspace {
        Workspace { root: self.path().to_path_buf(), members }
    }
}

fn member(name: &str, ecosystem: EcosystemKind, path: &str, version: Option<&str>) -> Member {
    let manifest = if ecosystem == EcosystemKind::Rust { "Cargo.toml" } else { "pyproject.toml" };
    Member {
        name: PackageName::parse(name).expect("a name"),
        ecosystem_name: name.to_owned(),
        ecosystem,
        kind: Kind::Service,
        path: PathBuf::from(path),
        manifest: Path::new(path).join(manifest),
        version: version.map(str::to_owned),
        summary: None,
        license: None,
        reason: String::new(),
        commands: Vec::new(),
        requires: Vec::new(),
        optional: std::collections::BTreeMap::new(),
        dependencies: Vec::new(),
        unread: Vec::new(),
        submodule: None,
    }
}

fn settings(root: &Path) -> Settings {
    Settings {
        root: root.to_path_buf(),
        project: ProjectSettings {
            org: OrgName::parse("acme").expect("a name"),
            maintainer: maintainer(),
            homepage: None,
            license: None,
            targets: Vec::new(),
            members: None,
            exclude: GlobSet::empty(),
            vendor: PathBuf::from("vendor"),
            effort: packhouse::format::Effort::default(),
        },
        indexes: Vec::new(),
        services: [].into(),
        adopted: Default::default(),
        distributions: distributions(),
        licenses: packhouse::config::LicensePolicy::default(),
        repository: RepositorySettings::default(),
    }
}

fn maintainer() -> Maintainer {
    Maintainer { name: "Acme Cloud".to_owned(), mail: "cloud@acme.example".to_owned() }
}

fn debian_12() -> Distribution {
    distribution("debian-12").expect("built in")
}

fn changelog_of(workspace: &Workspace, number: usize) -> Changelog {
    let history = History::open(workspace).expect("a history");
    let member = &workspace.members[number];
    let source = history.source_version(member, &settings(&workspace.root)).expect("a version");
    let distribution = debian_12();
    let version = map(&source.text, source.scheme, source.snapshot.as_ref(), 0, 1, &distribution).expect("mapped");
    let time = history.last_change(member).expect("a time");
    let maintainer = maintainer();
    let request = ChangelogRequest {
        member,
        source: &source,
        version: &version,
        maintainer: &maintainer,
        time,
        distribution: &distribution,
    };
    history.changelog(&request).expect("a changelog")
}

/// Version and changes of each release.
fn shape(changelog: &Changelog) -> Vec<(String, Vec<&str>)> {
    let releases = changelog.releases.iter();
    releases
        .map(|release| (release.version.debian.clone(), release.changes.iter().map(String::as_str).collect()))
        .collect()
}

#[test]
fn changes_are_grouped_by_the_version_of_the_manifest_and_only_own_paths_count() {
    let mut fixture = Fixture::new();
    let manifest = |version: &str| format!("[project]\nname = \"api\"\nversion = \"{version}\"\n");
    fixture.commit("services/api/pyproject.toml", &manifest("1.0.0"), "feat: begin");
    fixture.commit("services/other/x", "1", "other: unrelated");
    fixture.commit("common/lib/lib.py", "1", "fix(lib): used by api");
    let bumped = fixture.commit("services/api/pyproject.toml", &manifest("1.1.0"), "Release 1.1.0");
    fixture.commit("README", "1", "docs: unrelated");
    let last = fixture.commit("services/api/a.py", "1", "fix: after the bump");
    fixture.commit("services/other/x", "2", "other: newest");
    let mut api = member("api", EcosystemKind::Python, "services/api", Some("1.1.0"));
    api.dependencies = vec![MemberId(0)];
    let mut lib = member("lib", EcosystemKind::Python, "common/lib", Some("1.0.0"));
    lib.kind = Kind::Library;
    let workspace = fixture.workspace(vec![lib, api]);
    let changelog = changelog_of(&workspace, 1);
    assert_eq!(
        shape(&changelog),
        [
            ("1.1.0".to_owned(), vec!["fix: after the bump", "Release 1.1.0"]),
            ("1.0.0".to_owned(), vec!["fix(lib): used by api", "feat: begin"]),
        ]
    );
    assert_eq!(changelog.releases[0].time, last);
    assert_eq!(changelog.releases[0].author, maintainer());
    assert_eq!(changelog.releases[1].author.to_string(), "Ann Author <ann@example.org>");
    assert!(changelog.releases[1].time < bumped);
}

#[test]
fn changes_are_grouped_by_tags_when_the_service_has_some() {
    let mut fixture = Fixture::new();
    fixture.commit("api/a", "1", "first");
    fixture.git(&["tag", "api-v1.0.0"]);
    fixture.git(&["tag", "v9.9.9"]);
    fixture.commit("api/a", "2", "second");
    fixture.git(&["tag", "-a", "-m", "annotated", "api-v1.1.0rc1"]);
    fixture.commit("api/a", "3", "third");
    fixture.git(&["tag", "other-v3.0.0"]);
    fixture.commit("other", "3", "past the tag");
    let workspace = fixture.workspace(vec![member("api", EcosystemKind::Python, "api", None)]);
    let history = History::open(&workspace).expect("a history");
    let source = history.source_version(&workspace.members[0], &settings(fixture.path())).expect("a version");
    assert_eq!((source.text.as_str(), source.from), ("1.1.0rc1", VersionOrigin::Tag));
    let Some(Snapshot { count: 2, commit }) = source.snapshot else { panic!("{source:?}") };
    assert_eq!(commit.len(), 8);
    assert_eq!(
        shape(&changelog_of(&workspace, 0)),
        [
            (format!("1.1.0~rc1+2.g{commit}"), vec!["third"]),
            ("1.1.0~rc1".to_owned(), vec!["second"]),
            ("1.0.0".to_owned(), vec!["first"]),
        ]
    );
}

#[test]
fn at_a_tag_there_is_no_snapshot_and_the_tag_is_the_first_release() {
    let mut fixture = Fixture::new();
    fixture.commit("a", "1", "first");
    fixture.git(&["tag", "v1.0.0"]);
    fixture.commit("a", "2", "second");
    fixture.git(&["tag", "1.1.0"]);
    let workspace = fixture.workspace(vec![member("api", EcosystemKind::Rust, "", None)]);
    assert_eq!(
        shape(&changelog_of(&workspace, 0)),
        [("1.1.0".to_owned(), vec!["second"]), ("1.0.0".to_owned(), vec!["first"])]
    );
}

#[test]
fn an_inherited_version_groups_changes_and_its_bump_is_listed() {
    let mut fixture = Fixture::new();
    let root = |version: &str, more: &str| {
        format!("[workspace]\nmembers = [\"api\"]\n{more}[workspace.package]\nversion = \"{version}\"\n")
    };
    fixture.write("Cargo.toml", &root("0.1.0", ""));
    fixture.write("api/Cargo.toml", "[package]\nname = \"api\"\nversion.workspace = true\n");
    fixture.commit("api/src/main.rs", "fn main() {}", "Begin");
    fixture.commit("Cargo.toml", &root("0.1.0", "# note\n"), "Say something in the root manifest");
    fixture.commit("Cargo.toml", &root("0.2.0", ""), "Release 0.2.0");
    let locked = fixture.commit("Cargo.lock", "version = 4\n", "Lock");
    let workspace = fixture.workspace(vec![member("api", EcosystemKind::Rust, "api", Some("0.2.0"))]);
    let changelog = changelog_of(&workspace, 0);
    assert_eq!(shape(&changelog), [("0.2.0".to_owned(), vec!["Release 0.2.0"]), ("0.1.0".to_owned(), vec!["Begin"])]);
    assert_eq!(changelog.releases[0].time, locked, "a changed lock changes the package");
}

#[test]
fn a_library_in_a_submodule_tells_its_own_history_and_lands_with_the_release_that_took_it_in() {
    let mut library = Fixture::new();
    library.commit("lib.py", "1", "lib: begin");
    let mut fixture = Fixture::new();
    fixture.git(&["submodule", "add", "-q", library.path().to_str().expect("text"), "common/lib"]);
    fixture.clock += 7200;
    let manifest = |version: &str| format!("[project]\nversion = \"{version}\"\n");
    fixture.commit("api/pyproject.toml", &manifest("1.0"), "api: begin");
    // Written before the release of 1.1 but taken in after it.
    library.commit("lib.py", "2", "lib: improve");
    fixture.commit("api/pyproject.toml", &manifest("1.1"), "api: 1.1");
    fixture.git_in(Path::new("common/lib"), &["pull", "-q"]);
    fixture.write("api/pyproject.toml", &manifest("1.2"));
    let taken = fixture.commit("README", "", "Take the library in");
    let mut lib = member("lib", EcosystemKind::Python, "common/lib", None);
    lib.kind = Kind::Library;
    lib.submodule = Some(PathBuf::from("common/lib"));
    let mut api = member("api", EcosystemKind::Python, "api", Some("1.2"));
    api.dependencies = vec![MemberId(1)];
    let workspace = fixture.workspace(vec![api, lib]);
    let changelog = changelog_of(&workspace, 0);
    assert_eq!(
        shape(&changelog),
        [
            ("1.2".to_owned(), vec!["Take the library in", "lib: improve"]),
            ("1.1".to_owned(), vec!["api: 1.1"]),
            ("1.0".to_owned(), vec!["api: begin", "lib: begin"]),
        ]
    );
    assert_eq!(changelog.releases[0].time, taken, "not the older time of the library's commit");
}

#[test]
fn a_merge_counts_only_when_it_changes_something_itself() {
    let mut fixture = Fixture::new();
    fixture.commit("api/a", "1", "begin");
    fixture.git(&["checkout", "-q", "-b", "side"]);
    fixture.commit("api/b", "1", "side work");
    fixture.git(&["checkout", "-q", "main"]);
    fixture.commit("api/a", "2", "main work");
    fixture.clock += 3600;
    fixture.git(&["merge", "-q", "--no-ff", "-m", "Merge side", "side"]);
    let workspace = fixture.workspace(vec![member("api", EcosystemKind::Python, "api", Some("1.0"))]);
    let changelog = changelog_of(&workspace, 0);
    assert_eq!(shape(&changelog), [("1.0".to_owned(), vec!["main work", "side work", "begin"])]);
}

#[test]
fn without_a_repository_or_commits_a_manifest_version_works_and_another_is_an_error_with_advice() {
    let nowhere = tempfile::tempdir().expect("a directory");
    let empty = Fixture::new();
    for root in [nowhere.path(), empty.path()] {
        let members = vec![
            member("api", EcosystemKind::Rust, "api", Some("1.2.3")),
            member("tagged", EcosystemKind::Rust, "tagged", None),
        ];
        let workspace = Workspace { root: root.to_path_buf(), members };
        let changelog = changelog_of(&workspace, 0);
        assert_eq!(shape(&changelog), [("1.2.3".to_owned(), vec!["Packaged api 1.2.3."])]);
        assert_eq!(changelog.releases[0].time, changelog::EARLIEST);
        let history = History::open(&workspace).expect("a history");
        assert!(!history.has_commits(&workspace.members[0]));
        let error = history.source_version(&workspace.members[1], &settings(root)).expect_err("no version");
        assert_eq!(error.exit_code(), ExitCode::Usage);
        assert!(error.hints()[0].contains("[services.tagged]"), "{:?}", error.hints());
    }
}

#[test]
fn an_unpacked_source_distribution_is_as_old_as_its_archive_says_and_a_copy_without_times_has_none() {
    let root = tempfile::tempdir().expect("a directory");
    let workspace = Workspace {
        root: root.path().to_path_buf(),
        members: vec![member("tool", EcosystemKind::Python, "", Some("1.0"))],
    };
    let path = root.path().join("PKG-INFO");
    fs_err::write(&path, "Name: tool\n").expect("written");
    let time = || History::open(&workspace).expect("a history").last_change(&workspace.members[0]).expect("a time");
    assert_eq!(time(), changelog::EARLIEST, "it has just come here");
    let made = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_600_000_000);
    fs_err::File::open(&path).expect("opened").set_modified(made).expect("set");
    assert_eq!(time(), 1_600_000_000);
    fs_err::File::open(&path).expect("opened").set_modified(std::time::UNIX_EPOCH).expect("set");
    assert_eq!(time(), changelog::EARLIEST, "1970 is a time that was lost");
}

#[test]
fn the_configured_version_comes_before_the_manifest_s_and_the_tag_s() {
    let mut fixture = Fixture::new();
    fixture.commit("a", "1", "first");
    fixture.git(&["tag", "v1.0.0"]);
    let workspace = fixture.workspace(vec![member("api", EcosystemKind::Rust, "", Some("0.5.0"))]);
    let history = History::open(&workspace).expect("a history");
    let mut settings = settings(fixture.path());
    let source = history.source_version(&workspace.members[0], &settings).expect("a version");
    assert_eq!((source.text.as_str(), source.from), ("0.5.0", VersionOrigin::Manifest));
    let table = ServiceSettings { version: Some("7.0.0".to_owned()), ..ServiceSettings::default() };
    settings.services.insert("api".to_owned(), table);
    let source = history.source_version(&workspace.members[0], &settings).expect("a version");
    assert_eq!((source.text.as_str(), source.from), ("7.0.0", VersionOrigin::Setting));
}

#[test]
fn a_shallow_clone_is_refused_with_the_command_that_mends_it() {
    let mut fixture = Fixture::new();
    fixture.commit("api/a", "1", "first");
    fixture.commit("api/a", "2", "second");
    let clone = tempfile::tempdir().expect("a directory");
    let url = format!("file://{}", fixture.path().display());
    let mut command = fixture.command(clone.path());
    assert!(command.args(["clone", "-q", "--depth=1", &url, "."]).status().expect("git runs").success());
    let members = vec![member("api", EcosystemKind::Rust, "api", Some("1.0.0"))];
    let workspace = Workspace { root: clone.path().to_path_buf(), members };
    let history = History::open(&workspace).expect("a history");
    let error = history.last_change(&workspace.members[0]).expect_err("shallow");
    assert!(matches!(error, HistoryError::Shallow { .. }));
    assert!(error.hints()[0].contains("--unshallow"));
}

#[test]
fn a_repository_of_another_user_is_refused_as_git_does_it() {
    let mut fixture = Fixture::new();
    fixture.commit("api/a", "1", "first");
    // Only root can give files away.
    if std::os::unix::fs::chown(fixture.path(), Some(12345), None).is_err() {
        return;
    }
    std::os::unix::fs::chown(fixture.path().join(".git"), Some(12345), None).expect("given away");
    let workspace = fixture.workspace(vec![member("api", EcosystemKind::Rust, "api", Some("1.0.0"))]);
    let error = History::open(&workspace).expect_err("another user's");
    assert!(error.hints()[0].contains("safe.directory"), "{error}: {:?}", error.hints());
}

/// Feeds `git fast-import`, which takes commits that no porcelain would make.
fn import(fixture: &Fixture, stream: &[u8]) {
    use std::io::Write as _;
    let mut command = fixture.command(fixture.path());
    let mut child = command.args(["fast-import", "--quiet", "--date-format=raw-permissive"]).stdin(Stdio::piped());
    let child = &mut child;
    let mut child = child.spawn().expect("git runs");
    child.stdin.take().expect("piped").write_all(stream).expect("written");
    assert!(child.wait().expect("ended").success());
}

fn imported_commit(
    stream: &mut Vec<u8>,
    author: &[u8],
    time: &str,
    encoding: Option<&str>,
    message: &[u8],
    content: usize,
) {
    stream.extend_from_slice(b"commit refs/heads/main\nauthor ");
    stream.extend_from_slice(author);
    stream.extend_from_slice(format!(" {time}\ncommitter Carl <carl@example.org> {time}\n").as_bytes());
    if let Some(encoding) = encoding {
        stream.extend_from_slice(format!("encoding {encoding}\n").as_bytes());
    }
    stream.extend_from_slice(format!("data {}\n", message.len()).as_bytes());
    stream.extend_from_slice(message);
    stream
        .extend_from_slice(format!("\nM 644 inline api/a\ndata {}\n{content}\n", content.to_string().len()).as_bytes());
}

#[test]
fn a_hostile_history_gives_a_changelog_that_dpkg_reads_as_one_entry_per_release() {
    let fixture = Fixture::new();
    let mut stream = Vec::new();
    type Commit<'a> = (&'a [u8], &'a str, Option<&'a str>, &'a [u8]);
    let commits: &[Commit<'_>] = &[
        (b"J\xf6rg <j@example.org>", "1600000000 +0200", Some("ISO-8859-1"), b"Gr\xfc\xdfe"),
        (b"\xff\xfe <bytes@example.org>", "1600000100 +0000", None, b"raw \xff\xfe bytes"),
        (b"Eve <no mail at all>", "1600000200 +0000", None, b" -- Eve <e@x.org>  Thu, 01 Jan 1970 00:00:00 +0000"),
        (b"Eve <e@x.org>", "1600000300 +9900", None, b"evil (9.9-1) unstable; urgency=high"),
        (b"Eve <e@x.org>", "99999999999 +0000", None, b"\x1b[2J\x1b]0;t\x07clear \xe2\x80\xae gpj.exe"),
        (b"Eve <e@x.org>", "0 +0000", None, b"\n\n"),
        (b"Eve <e@x.org>", "1600000400 +0000", None, b"* Thu Jan 01 2099 E <e@x.org> - 1-1"),
        (b"Eve <e@x.org>", "1600000500 +0000", None, b"%(id) ${source:Version} $(id) `id`"),
    ];
    for (content, (author, time, encoding, message)) in commits.iter().enumerate() {
        imported_commit(&mut stream, author, time, *encoding, message, content);
    }
    stream.extend_from_slice(b"tag api-v0.9.0\nfrom refs/heads/main\ntagger x <x@x> 1600000500 +0000\ndata 1\nx\n");
    imported_commit(&mut stream, b"Eve <e@x.org>", "1600000600 +0000", None, &[b'x'; 10_000_000], 99);
    import(&fixture, &stream);
    let workspace = fixture.workspace(vec![member("api", EcosystemKind::Python, "api", Some("1.0.0"))]);
    let log = changelog_of(&workspace, 0);
    assert_eq!(log.releases.len(), 2);
    assert_eq!(log.releases[0].time, 1_600_000_600);
    assert!(log.releases[0].changes[0].chars().count() <= 501);
    let old = &log.releases[1].changes;
    assert_eq!(old.len(), commits.len(), "nothing is dropped: {old:?}");
    assert!(old.contains(&"Grüße".to_owned()) && old.contains(&"clear gpj.exe".to_owned()), "{old:?}");
    assert!(old.iter().any(|change| change.ends_with("(without a message)")), "{old:?}");
    let text = changelog::debian(&log, &workspace.members[0].name, "bookworm");
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs_err::write(file.path(), &text).expect("written");
    let output = Command::new("dpkg-parsechangelog")
        .args(["--all", "--format", "rfc822", "-l"])
        .arg(file.path())
        .output()
        .expect("dpkg-parsechangelog runs");
    assert!(output.stderr.is_empty(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
    let parsed = String::from_utf8(output.stdout).expect("text");
    assert_eq!(parsed.lines().filter(|line| line.starts_with("Version: ")).count(), 2, "{parsed}");
}

#[test]
fn ten_thousand_commits_are_read_in_a_few_seconds_and_the_rest_is_counted() {
    let fixture = Fixture::new();
    let mut stream = Vec::new();
    for number in 0..10_000_usize {
        let time = format!("{} +0000", START + number as i64);
        imported_commit(&mut stream, b"Ann <ann@example.org>", &time, None, b"change", number);
        stream.extend_from_slice(format!("M 644 inline lib{}/deep/er/file\ndata 1\nx\n", number % 50).as_bytes());
    }
    import(&fixture, &stream);
    let mut members = vec![member("api", EcosystemKind::Python, "api", Some("1.0.0"))];
    members.extend((0..50).map(|number| {
        member(&format!("lib{number}"), EcosystemKind::Rust, &format!("lib{number}/deep"), Some("1.0.0"))
    }));
    let workspace = fixture.workspace(members);
    let start = std::time::Instant::now();
    let history = History::open(&workspace).expect("a history");
    let taken = start.elapsed();
    assert!(history.has_commits(&workspace.members[0]));
    println!("10,000 commits, 51 members: {taken:?}");
    // Far above what it takes, because the build is not optimised and the machine is shared; growth with the square would show.
    assert!(taken.as_secs() < 60, "{taken:?}");
    let changelog = changelog_of(&workspace, 0);
    assert_eq!(changelog.releases[0].changes.len(), MOST_CHANGES + 1);
    assert_eq!(changelog.releases[0].changes.last().map(String::as_str), Some("… and 9000 earlier changes"));
}
