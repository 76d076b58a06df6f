//! `[[services.NAME.files]]` from the configuration to the machine: dpkg, rpm, rpmbuild, lintian and rpmlint are the judges.
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

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use packhouse::config::{self, Maintainer};
use packhouse::diagnostic::{Diagnose as _, ExitCode};
use packhouse::format::{self, Contents, FileInfo, FileKind, WriteOptions, Written};
use packhouse::name::PackageName;
use packhouse::package::{
    self, Changelog, Error, Inputs, Package, Release, Stage, Staged, Version, check_shared_paths,
};
use packhouse::target::{Architecture, Compression, Target, distribution};
use packhouse::tree::{Content, InstallPath, Node, Tree};
use packhouse::workspace::{EcosystemKind, Kind, Member, Workspace};

const TIME: i64 = 1_767_225_600;

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
        let project = "[project]\norg = \"acme\"\nmaintainer = \"Acme Cloud <cloud@acme.example>\"\n\
                       homepage = \"https://acme.example\"\nlicense = \"Apache-2.0\"\n";
        repository.put("packhouse.toml", &format!("{project}{services}"), 0o644);
        for (file, text, mode) in [
            ("acme-api/deploy/logrotate", "/var/log/acme-api/*.log { weekly }\n", 0o600),
            ("acme-api/deploy/secret.conf", "token = \"\"\n", 0o664),
            ("acme-api/deploy/sudoers", "acme-api ALL=(root) NOPASSWD: /usr/bin/acme-api\n", 0o644),
            ("acme-api/docs/guide.md", "# Guide\n", 0o644),
            ("acme-api/docs/more/faq.md", "# Questions\n", 0o644),
            ("acme-api/share/a.txt", "a\n", 0o666),
            ("acme-api/share/run", "#!/bin/sh\nexit 0\n", 0o700),
            ("acme-api/share/sub/b.txt", "b is longer than a\n", 0o644),
            ("acme-web/data.json", "{}\n", 0o644),
        ] {
            repository.put(file, text, mode);
        }
        std::os::unix::fs::symlink("sub/b.txt", repository.path("acme-api/share/link")).expect("a link");
        repository
    }

    fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    fn put(&self, file: &str, text: &str, mode: u32) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().expect("a parent")).expect("mkdir");
        fs::write(&path, text).expect("write");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("chmod");
    }

    fn workspace(&self) -> Workspace {
        let member = |name: &str| Member {
            name: PackageName::parse(name).expect("a name"),
            ecosystem_name: name.to_owned(),
            ecosystem: EcosystemKind::Rust,
            kind: Kind::Service,
            path: PathBuf::from(name),
            manifest: PathBuf::from(name).join("Cargo.toml"),
            version: Some("1.2.3".to_owned()),
            summary: Some("The interface of the cloud.".to_owned()),
            license: None,
            reason: "a test".to_owned(),
            commands: vec![name.to_owned()],
            requires: Vec::new(),
            optional: BTreeMap::new(),
            dependencies: Vec::new(),
            unread: Vec::new(),
            submodule: None,
        };
        let root = self.directory.path().canonicalize().expect("a root");
        Workspace { root, members: vec![member("acme-api"), member("acme-web")] }
    }

    fn assemble(&self, target: &str) -> Result<Package, Error> {
        let settings = config::load(self.directory.path(), None).expect("settings");
        let workspace = self.workspace();
        let distribution = distribution(target).expect("a distribution");
        let target = Target { distribution, architecture: Architecture::X86_64 };
        let revision = format!("1{}", target.distribution.revision_suffix);
        let version = Version { epoch: 0, debian: "1.2.3".to_owned(), rpm: "1.2.3".to_owned(), revision };
        let author = Maintainer { name: "Ada Acme".to_owned(), mail: "ada@acme.example".to_owned() };
        let release = Release { version: version.clone(), time: TIME, author, changes: vec!["Begin".to_owned()] };
        let mut tree = Tree::new();
        let program = path("/usr/lib/acme/acme-api/bin/acme-api");
        tree.file(program.clone(), Content::bytes(*b"#!/bin/sh\nexit 0\n"), 0o755).expect("free");
        let commands = vec![("acme-api".to_owned(), program)];
        package::assemble(Inputs {
            settings: &settings,
            workspace: &workspace,
            member: &workspace.members[0],
            target: &target,
            staged: Staged { tree, commands, ..Staged::default() },
            version,
            changelog: Changelog { releases: vec![release] },
            time: TIME,
        })
    }

    #[track_caller]
    fn package(&self, target: &str) -> Package {
        self.assemble(target).unwrap_or_else(|error| panic!("{error} {:?}", error.hints()))
    }

    fn write(&self, target: &str) -> Written {
        let out = self.path("out");
        fs::create_dir_all(&out).expect("mkdir");
        let options = WriteOptions { compression: Some(Compression::Gzip), ..WriteOptions::default() };
        format::write(&self.package(target), &out, &options).expect("a package")
    }
}

/// Every kind of entry; nothing in it needs a user of the package's own.
const EVERYTHING: &str = r#"
[services.acme-api]
[[services.acme-api.files]]
source = "deploy/logrotate"
path = "/etc/logrotate.d/acme-api"
[[services.acme-api.files]]
source = "deploy/secret.conf"
path = "/etc/acme/"
mode = "0640"
group = "adm"
[[services.acme-api.files]]
type = "directory"
path = "/etc/acme/acme-api.d"
[[services.acme-api.files]]
type = "directory"
path = "/var/lib/acme-api/spool"
mode = "2770"
user = "daemon"
group = "daemon"
[[services.acme-api.files]]
source = "share"
path = "/usr/share/acme-api"
[[services.acme-api.files]]
source = "docs/**/*.md"
path = "/usr/share/doc/acme-api/"
role = "documentation"
[[services.acme-api.files]]
type = "symlink"
path = "/usr/share/acme-api/current"
target = "/usr/share/acme-api/sub"
[[services.acme-api.files]]
type = "symlink"
path = "/usr/share/acme-api/settings"
target = "/etc/acme/secret.conf"
[[services.acme-api.files]]
type = "hard-link"
path = "/usr/share/acme-api/sub/a-first.txt"
target = "b.txt"
[[services.acme-api.files]]
type = "hard-link"
path = "/usr/share/acme-api/sub/c-last.txt"
target = "/usr/share/acme-api/sub/b.txt"
[[services.acme-api.files]]
source = "share/run"
path = "/usr/lib/acme/acme-api/libexec/ping"
capabilities = "cap_net_raw=ep"
[[services.acme-api.files]]
type = "ghost"
path = "/var/log/acme-api/api.log"
mode = "0640"
user = "daemon"
[[services.acme-api.files]]
type = "ghost"
path = "/var/cache/acme-api/"
mode = "0750"
"#;

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

fn is_root() -> bool {
    text_of("id", &["-u"]).trim() == "0"
}

/// The files that our own reader sees in a package.
fn listed(written: &Written) -> BTreeMap<String, FileInfo> {
    let files = match format::inspect(&written.path).expect("a package").package {
        Contents::Deb(info) => info.files,
        Contents::Rpm(info) => info.files,
    };
    files.into_iter().map(|file| (file.path.clone(), file)).collect()
}

#[test]
fn dpkg_unpacks_every_kind_of_entry_as_it_was_meant() {
    let repository = Repository::new(EVERYTHING);
    let written = repository.write("debian-12");
    let file = utf8(&written.path);
    let contents = text_of("dpkg-deb", &["--contents", file]);
    // The name that comes first has the content, the others are links to it.
    let link = |name: &str| {
        let end = format!("./usr/share/acme-api/sub/{name} link to ./usr/share/acme-api/sub/a-first.txt");
        contents.lines().any(|line| line.starts_with("hrw-r--r-- root/root         0 ") && line.ends_with(&end))
    };
    assert!(link("b.txt") && link("c-last.txt"), "{contents}");
    assert!(!contents.contains("api.log") && !contents.contains("/var/cache/acme-api"), "{contents}");
    assert!(contents.contains("drwxrws--- daemon/daemon "), "{contents}");
    assert!(contents.contains("-rw-r----- root/adm "), "{contents}");
    // Policy 10.5: relative within a top-level directory, absolute between two.
    assert!(contents.contains("./usr/share/acme-api/current -> sub\n"), "{contents}");
    assert!(contents.contains("./usr/share/acme-api/settings -> /etc/acme/secret.conf\n"), "{contents}");
    let conffiles = text_of("dpkg-deb", &["--info", file, "conffiles"]);
    assert_eq!(conffiles, "/etc/acme/secret.conf\n/etc/logrotate.d/acme-api\n");
    let sums = text_of("dpkg-deb", &["--info", file, "md5sums"]);
    let of = |name: &str| {
        sums.lines().find(|line| line.ends_with(name)).expect(name).split(' ').next().expect("a sum").to_owned()
    };
    assert_eq!(of("sub/b.txt"), of("sub/a-first.txt"));
    assert!(text_of("dpkg-deb", &["--field", file, "Depends"]).contains("libcap2-bin"));
    assert_eq!(text_of("dpkg-deb", &["--field", file, "Recommends"]).trim(), "logrotate");
    if !is_root() {
        return;
    }
    let root = repository.path("root");
    for directory in ["var/lib/dpkg/info", "var/lib/dpkg/updates"] {
        fs::create_dir_all(root.join(directory)).expect("mkdir");
    }
    fs::write(root.join("var/lib/dpkg/status"), "").expect("status");
    let dpkg_root = format!("--root={}", utf8(&root));
    let dpkg = ["--force-script-chrootless", "--force-depends", "--log=/dev/null", &dpkg_root];
    text_of("dpkg", &[&dpkg[..], &["-i", file]].concat());
    assert_eq!(text_of("dpkg", &[&dpkg_root, "--verify"]), "");
    let metadata = |at: &str| fs::symlink_metadata(root.join(at)).expect(at);
    let inode = metadata("usr/share/acme-api/sub/b.txt").ino();
    assert_eq!(metadata("usr/share/acme-api/sub/a-first.txt").ino(), inode);
    assert_eq!(metadata("usr/share/acme-api/sub/c-last.txt").nlink(), 3);
    assert_eq!(metadata("usr/share/acme-api/run").permissions().mode() & 0o7777, 0o755);
    assert_eq!(metadata("usr/share/acme-api/a.txt").permissions().mode() & 0o7777, 0o644);
    assert!(metadata("etc/acme/acme-api.d").is_dir());
    text_of("dpkg", &[&dpkg[..], &["-P", "acme-api"]].concat());
    for gone in ["usr/share/acme-api", "etc/acme", "var/lib/acme-api"] {
        assert!(!root.join(gone).exists(), "{gone} is left");
    }
}

#[test]
fn lintian_has_nothing_to_say_of_well_placed_files() {
    let repository = Repository::new(EVERYTHING);
    let written = repository.write("debian-12");
    let output = run("lintian", &["--allow-root", "--no-cfg", "--tag-display-limit=0", utf8(&written.path)]);
    let report = String::from_utf8_lossy(&output.stdout);
    // What the entries ask for on purpose: modes of their own; the command has no man page here.
    let asked = ["non-standard-file-perm", "non-standard-dir-perm", "no-manual-page", "initial-upload-closes-no-bugs"];
    let found: Vec<&str> = report
        .lines()
        .filter(|line| line.starts_with("E:") || line.starts_with("W:"))
        .filter(|line| !asked.iter().any(|tag| line.contains(tag)))
        .collect();
    assert!(found.is_empty(), "{report}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn rpm_installs_verifies_and_erases_every_kind_of_entry() {
    let repository = Repository::new(EVERYTHING);
    let written = repository.write("el9");
    let file = utf8(&written.path);
    let requires = text_of("rpm", &["-qp", "--requires", file]);
    for feature in ["rpmlib(PartialHardlinkSets) <= 4.0.4-1", "rpmlib(FileCaps) <= 4.6.1-1"] {
        assert!(requires.contains(feature), "{requires}");
    }
    if !is_root() {
        return;
    }
    let root = repository.path("root");
    fs::create_dir_all(root.join("etc")).expect("mkdir");
    // Where a user is not known, rpm takes the set-id bits away.
    for file in ["etc/passwd", "etc/group"] {
        fs::copy(Path::new("/").join(file), root.join(file)).expect("the system's accounts");
    }
    let rpm = |what: &[&str]| text_of("rpm", &[&["--root", utf8(&root), "--dbpath", "/var/lib/rpm"], what].concat());
    rpm(&["--initdb"]);
    rpm(&["-i", "--nodeps", "--noscripts", file]);
    // What is made at run time is not there yet, and that is no fault.
    assert_eq!(rpm(&["-V", "--nodeps", "--noscripts", "acme-api"]), "");
    let metadata = |at: &str| fs::symlink_metadata(root.join(at)).expect(at);
    assert_eq!(metadata("usr/share/acme-api/sub/a-first.txt").nlink(), 3);
    assert_eq!(fs::read_to_string(root.join("usr/share/acme-api/sub/a-first.txt")).expect("b"), "b is longer than a\n");
    assert_eq!(metadata("var/lib/acme-api/spool").permissions().mode() & 0o7777, 0o2770);
    assert!(!root.join("var/log/acme-api/api.log").exists() && root.join("var/log/acme-api").is_dir());
    let caps = text_of("getcap", &[utf8(&root.join("usr/lib/acme/acme-api/libexec/ping"))]);
    assert!(caps.contains("cap_net_raw"), "{caps}");
    fs::write(root.join("var/log/acme-api/api.log"), "started").expect("a log");
    fs::set_permissions(root.join("var/log/acme-api/api.log"), fs::Permissions::from_mode(0o640)).expect("chmod");
    rpm(&["-e", "--nodeps", "--noscripts", "acme-api"]);
    for gone in ["usr/share/acme-api", "etc/acme", "var/lib/acme-api", "var/log/acme-api"] {
        assert!(!root.join(gone).exists(), "{gone} is left");
    }
}

/// What rpm tells of every file, in one line each.
const FILE_FACTS: &str = "[%{FILENAMES} %{FILEMODES:perms} %{FILEFLAGS:fflags} %{FILECAPS} %{FILENLINKS} %{FILESIZES} \
                          %{FILEUSERNAME} %{FILEGROUPNAME} %{FILEVERIFYFLAGS:hex} %{FILEDIGESTS} %{FILELINKTOS}\n]";

#[test]
fn the_header_says_of_each_file_what_rpmbuild_would_say() {
    let repository = Repository::new(EVERYTHING);
    let ours = repository.write("el9");
    let top = repository.path("rpmbuild");
    let sources = repository.path("acme-api");
    let spec = format!(
        "Name: acme-api\nVersion: 1\nRelease: 1\nSummary: The same\nLicense: MIT\nBuildArch: noarch\n\
         %description\nThe same.\n%install\ncd %{{buildroot}}\n\
         mkdir -p etc/logrotate.d etc/acme/acme-api.d var/lib/acme-api/spool usr/share usr/share/doc/acme-api \
         usr/lib/acme/acme-api/libexec var/log/acme-api var/cache/acme-api\n\
         cp {0}/deploy/logrotate etc/logrotate.d/acme-api\ncp {0}/deploy/secret.conf etc/acme\n\
         cp -a {0}/share usr/share/acme-api\ncp -a {0}/docs/. usr/share/doc/acme-api\n\
         chmod -R u=rwX,go=rX usr\nln -s sub usr/share/acme-api/current\n\
         ln -s ../../../etc/acme/secret.conf usr/share/acme-api/settings\n\
         ln usr/share/acme-api/sub/b.txt usr/share/acme-api/sub/a-first.txt\n\
         ln usr/share/acme-api/sub/b.txt usr/share/acme-api/sub/c-last.txt\n\
         cp -a {0}/share/run usr/lib/acme/acme-api/libexec/ping\nchmod 755 usr/lib/acme/acme-api/libexec/ping\n\
         %files\n%config(noreplace) %attr(644,root,root) /etc/logrotate.d/acme-api\n%dir /etc/acme\n\
         %config(noreplace) %attr(640,root,adm) /etc/acme/secret.conf\n%dir /etc/acme/acme-api.d\n\
         %dir /var/lib/acme-api\n%dir %attr(2770,daemon,daemon) /var/lib/acme-api/spool\n/usr/share/acme-api\n\
         %doc /usr/share/doc/acme-api\n%dir /usr/lib/acme\n%dir /usr/lib/acme/acme-api\n\
         %dir /usr/lib/acme/acme-api/libexec\n%caps(cap_net_raw=ep) /usr/lib/acme/acme-api/libexec/ping\n\
         %dir /var/log/acme-api\n%ghost %attr(640,daemon,root) /var/log/acme-api/api.log\n\
         %ghost %dir %attr(750,root,root) /var/cache/acme-api\n",
        utf8(&sources)
    );
    fs::write(repository.path("same.spec"), spec).expect("write");
    let define = format!("_topdir {}", utf8(&top));
    text_of(
        "rpmbuild",
        &["-bb", "--define", &define, "--define", "_binary_payload w2.gzdio", utf8(&repository.path("same.spec"))],
    );
    let theirs = top.join("RPMS/noarch/acme-api-1-1.noarch.rpm");
    let facts = |file: &Path| text_of("rpm", &["-qp", "--qf", FILE_FACTS, utf8(file)]);
    let (ours_facts, theirs_facts) = (facts(&ours.path), facts(&theirs));
    let ours_lines: BTreeSet<&str> = ours_facts.lines().collect();
    let paths: BTreeSet<&str> = theirs_facts.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(paths.len() > 20, "{theirs_facts}");
    for line in theirs_facts.lines() {
        assert!(ours_lines.contains(line), "rpmbuild: {line}\nours:\n{ours_facts}");
    }
    // And no file more, but those that packhouse adds: the command, its file and page, the licence, the list of components.
    let added = [
        "/usr/bin/acme-api",
        "/usr/lib/acme/acme-api/bin",
        "/usr/share/doc/acme-api/acme-api.cdx.json",
        "/usr/share/licenses/acme-api",
        "/usr/share/man/",
    ];
    for line in ours_facts.lines() {
        let path = line.split(' ').next().expect("a path");
        assert!(paths.contains(path) || added.iter().any(|added| path.starts_with(added)), "{line}");
    }
    // The archive itself: the same names in the same order, the content of linked files with the last.
    let archive = |file: &Path| {
        let listing = text_of("sh", &["-c", "rpm2cpio \"$1\" | cpio -tv --quiet", "sh", utf8(file)]);
        let facts = |line: &str| -> Option<String> {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let name = fields.get(8)?;
            let is_common = !added.iter().any(|added| name.get(1..).is_some_and(|name| name.starts_with(added)));
            is_common.then(|| format!("{} {} {} {name}", fields[0], fields[1], fields[4]))
        };
        listing.lines().filter_map(facts).collect::<Vec<String>>()
    };
    assert_eq!(archive(&ours.path), archive(&theirs));
    let requires = |file: &Path| text_of("rpm", &["-qp", "--requires", utf8(file)]);
    let rpmlib = |text: &str| {
        text.lines().filter(|line| line.starts_with("rpmlib(")).map(str::to_owned).collect::<BTreeSet<_>>()
    };
    assert_eq!(rpmlib(&requires(&ours.path)), rpmlib(&requires(&theirs)));
}

#[test]
fn rpmlint_has_no_error_for_well_placed_files() {
    let repository = Repository::new(EVERYTHING);
    let written = repository.write("el9");
    let output = run("rpmlint", &[utf8(&written.path)]);
    let report = String::from_utf8_lossy(&output.stdout);
    // The modes that the entries ask for; and what rpmbuild's own packages have, too.
    let asked =
        ["non-readable", "non-standard-dir-perm", "no-signature", "no-group-tag", "no-dependency-on locales-api"];
    let found: Vec<&str> =
        report.lines().filter(|line| line.contains(": E: ") && !asked.iter().any(|tag| line.contains(tag))).collect();
    assert!(found.is_empty(), "{report}");
}

#[test]
fn our_own_readers_tell_links_ghosts_flags_and_capabilities() {
    let repository = Repository::new(EVERYTHING);
    let deb = listed(&repository.write("debian-12"));
    let b = &deb["/usr/share/acme-api/sub/b.txt"];
    assert_eq!((b.kind, b.link.as_deref()), (FileKind::Hardlink, Some("/usr/share/acme-api/sub/a-first.txt")));
    assert!(deb["/etc/logrotate.d/acme-api"].config && !deb.contains_key("/var/log/acme-api/api.log"));

    let written = repository.write("el9");
    let rpm = listed(&written);
    let b = &rpm["/usr/share/acme-api/sub/b.txt"];
    assert_eq!((b.kind, b.link.as_deref()), (FileKind::Hardlink, Some("/usr/share/acme-api/sub/a-first.txt")));
    assert_eq!(rpm["/usr/share/acme-api/sub/a-first.txt"].kind, FileKind::File);
    assert_eq!(rpm["/usr/lib/acme/acme-api/libexec/ping"].capabilities.as_deref(), Some("cap_net_raw=ep"));
    assert!(rpm["/var/log/acme-api/api.log"].ghost && rpm["/usr/share/doc/acme-api/guide.md"].documentation);
    let shown = format::inspect(&written.path).expect("a package").to_string();
    for line in [
        "-rwxr-xr-x root/root         17 /usr/lib/acme/acme-api/libexec/ping (cap_net_raw=ep)",
        "/usr/share/acme-api/sub/b.txt link to /usr/share/acme-api/sub/a-first.txt",
        "-rw-r----- daemon/root          0 /var/log/acme-api/api.log (not shipped)",
        "drwxrws--- daemon/daemon          0 /var/lib/acme-api/spool",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
}

#[test]
fn a_service_with_its_own_user_gets_its_files_from_the_maintainer_scripts_on_debian() {
    let repository = Repository::new(
        r#"
[services.acme-api.systemd]
command = "acme-api"
user = "acme-api"
[[services.acme-api.files]]
source = "deploy/secret.conf"
path = "/etc/acme/secret.conf"
mode = "0640"
group = "acme-api"
[[services.acme-api.files]]
source = "share/run"
path = "/usr/lib/acme/acme-api/libexec/helper"
mode = "4750"
user = "acme-api"
group = "acme-api"
"#,
    );
    let package = repository.package("debian-12");
    let secret = package.tree.get(&path("/etc/acme/secret.conf")).expect("the file");
    assert_eq!((secret.user.as_str(), secret.group.as_str(), secret.mode), ("root", "root", 0o640));
    let helper = package.tree.get(&path("/usr/lib/acme/acme-api/libexec/helper")).expect("the file");
    assert_eq!(helper.mode, 0o750, "root is not what the set-user-id bit was meant for");
    let postinst = package.scripts.text(Stage::PostInstall).expect("a postinst");
    for line in [
        "chown -h root:acme-api \"${DPKG_ROOT:-}\"/etc/acme/secret.conf",
        "chmod 0640 \"${DPKG_ROOT:-}\"/etc/acme/secret.conf",
        "chmod 4750 \"${DPKG_ROOT:-}\"/usr/lib/acme/acme-api/libexec/helper",
    ] {
        assert!(postinst.contains(line), "{postinst}");
    }
    let package = repository.package("el9");
    let secret = package.tree.get(&path("/etc/acme/secret.conf")).expect("the file");
    assert_eq!((secret.user.as_str(), secret.group.as_str()), ("root", "acme-api"));
}

#[test]
fn entries_are_for_the_targets_that_they_name() {
    let repository = Repository::new(
        r#"
[[services.acme-api.files]]
source = "share/a.txt"
path = "/usr/share/acme-api/deb"
targets = ["deb"]
[[services.acme-api.files]]
source = "share/a.txt"
path = "/usr/share/acme-api/el9"
targets = ["el9"]
"#,
    );
    let has = |target: &str| {
        let package = repository.package(target);
        ["deb", "el9"].map(|name| package.tree.get(&path(&format!("/usr/share/acme-api/{name}"))).is_some())
    };
    assert_eq!((has("debian-13"), has("el9"), has("fedora-42")), ([true, false], [false, true], [false, false]));
}

#[test]
fn what_only_shows_with_the_repository_is_told_with_its_place() {
    let file = |source: &str, at: &str| format!("source = \"{source}\"\npath = \"{at}\"");
    let symlink = |at: &str, to: &str| format!("type = \"symlink\"\npath = \"{at}\"\ntarget = \"{to}\"");
    let outside = "acme-api/outside";
    for (entry, reason) in [
        (file("nothing.txt", "/usr/share/acme-api/x"), "does not exist"),
        (file("share/*.html", "/usr/share/acme-api/"), "finds nothing"),
        (file("outside", "/usr/share/acme-api/x"), "leads out of the repository"),
        (file("share", "/usr/lib/acme/acme-web/share"), "private tree of another service"),
        (symlink("/usr/share/acme-api/x", "/usr/lib/acme/acme-api/nothing"), "does not install"),
        (symlink("/usr/lib/acme/acme-api/bin/acme-api", "x"), "two different files"),
        (format!("{}\nuser = \"somebody\"", file("share/a.txt", "/usr/share/x/a")), "nobody makes the user"),
        (format!("{}\ngroup = \"somebody\"", file("share/a.txt", "/usr/share/x/a")), "nobody makes the group"),
        (format!("{}\ncapabilities = \"cap_kill=ep\"", file("share", "/usr/share/x")), "one file at a time"),
        (format!("{}\ncapabilities = \"cap_kill=ep\"", file("share/a.txt", "/usr/share/x")), "not executable"),
        ("type = \"hard-link\"\npath = \"/usr/share/x/a\"\ntarget = \"b\"".to_owned(), "no file of this package"),
        ("type = \"directory\"\npath = \"/etc/acme\"\nmode = \"0750\"".to_owned(), "shared by all services"),
        (file("docs/guide.md", "/usr/share/man/man1/acme.1"), "Debian Policy 12.1"),
        (file("docs/guide.md", "/usr/lib/systemd/system/x.service"), "systemd] units"),
        (
            format!(
                "{}\n[[services.acme-api.files]]\n{}",
                file("share/a.txt", "/usr/share/x"),
                file("share/a.txt", "/usr/share/x/y")
            ),
            "which is no directory",
        ),
    ] {
        let repository = Repository::new(&format!("[services.acme-api]\n[[services.acme-api.files]]\n{entry}\n"));
        std::os::unix::fs::symlink("/etc/passwd", repository.path(outside)).expect("a link");
        for target in ["debian-12", "el9"] {
            let error = repository.assemble(target).map(|_| ()).expect_err(reason);
            let said = format!("{error} ({})", error.hints().join("; "));
            assert!(said.contains(reason), "{entry}\n{said}");
            assert!(!error.hints().is_empty() && error.exit_code() == ExitCode::Usage, "{said}");
            let location = error.location().unwrap_or_else(|| panic!("{said} has no place"));
            assert!(location.line_and_column().0 > 6, "{said}");
        }
    }
}

#[test]
fn names_that_would_mislead_whoever_lists_the_files_are_refused() {
    let entry = "[[services.acme-api.files]]\nsource = \"share\"\npath = \"/usr/share/acme-api\"\n";
    for name in ["a\nb", "a\u{202e}b", "a\u{1b}[31m", "a*", "a\\b", "a\"b", "a ", " a"] {
        let repository = Repository::new(entry);
        repository.put(&format!("acme-api/share/{name}"), "x", 0o644);
        for target in ["debian-12", "el9"] {
            let error = repository.assemble(target).map(|_| ()).expect_err("a bad name");
            assert!(error.location().is_some() && !error.hints().is_empty(), "{name:?}: {error}");
        }
    }
}

#[test]
fn two_services_never_want_one_path_nor_one_directory_with_two_modes() {
    let two = |api: &str, web: &str| {
        let repository =
            Repository::new(&format!("[[services.acme-api.files]]\n{api}\n[[services.acme-web.files]]\n{web}\n"));
        let settings = config::load(repository.directory.path(), None).expect("settings");
        check_shared_paths(&settings, &repository.workspace()).map_err(|error| error.to_string())
    };
    let api = |at: &str| format!("source = \"share/a.txt\"\npath = \"{at}\"");
    let web = |at: &str| format!("source = \"data.json\"\npath = \"{at}\"");
    let directory = |at: &str, mode: &str| format!("type = \"directory\"\npath = \"{at}\"\nmode = \"{mode}\"");
    assert!(two(&api("/usr/share/acme/x"), &web("/usr/share/acme/x")).expect_err("one path").contains("both install"));
    assert!(
        two(&api("/usr/share/acme/x"), &web("/usr/share/acme/x/y")).expect_err("below it").contains("both install")
    );
    let other = directory("/var/lib/acme", "0750");
    assert!(two(&directory("/var/lib/acme", "0755"), &other).expect_err("two modes").contains("different modes"));
    assert!(two(&api("/var/lib/acme/x"), &other).expect_err("an implied one").contains("different modes"));
    assert_eq!(two(&other, &other), Ok(()));
    assert_eq!(two(&api("/usr/share/acme/x"), &web("/usr/share/acme/y")), Ok(()));
    let only = |text: String, target: &str| format!("{text}\ntargets = [\"{target}\"]");
    let (one, another) = (only(api("/usr/share/acme/x"), "deb"), only(web("/usr/share/acme/x"), "rpm"));
    assert_eq!(two(&one, &another), Ok(()), "they never meet on one machine");
}

#[test]
fn the_umask_and_the_order_of_the_entries_do_not_change_the_package() {
    let entries: Vec<&str> = EVERYTHING.split("[[services.acme-api.files]]").skip(1).collect();
    let reversed: String =
        entries.iter().rev().map(|entry| format!("[[services.acme-api.files]]{entry}")).collect::<Vec<_>>().concat();
    for target in ["debian-12", "el9"] {
        let (one, two) = (Repository::new(EVERYTHING), Repository::new(&format!("[services.acme-api]\n{reversed}")));
        for file in ["acme-api/share/a.txt", "acme-api/docs/guide.md"] {
            fs::set_permissions(two.path(file), fs::Permissions::from_mode(0o600)).expect("chmod");
        }
        assert_eq!(one.write(target).sha256, two.write(target).sha256, "{target}");
    }
}

#[test]
fn hard_links_to_nothing_are_refused_by_the_writers_too() {
    for target in ["debian-12", "el9"] {
        let repository = Repository::new("");
        let mut package = repository.package(target);
        let entry = packhouse::tree::Entry::root(Node::HardLink(path("/usr/share/acme/nothing")), 0o644);
        package.tree.insert(path("/usr/share/acme/link"), entry).expect("free");
        let error =
            format::write(&package, repository.directory.path(), &WriteOptions::default()).expect_err("no file");
        assert!(error.to_string().contains("no file of the package"), "{error}");
        assert!(!error.hints().is_empty());
    }
}
