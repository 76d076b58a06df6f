//! Packages as the distributions' own tools see them: dpkg, lintian, rpm and rpmlint are the judges.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "these are tests"
)]

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use packhouse::cache::{Blocks, Cache};
use packhouse::config::Maintainer;
use packhouse::format::{self, Effort, Error, FileKind, WriteOptions, Written, deb, rpm};
use packhouse::name::PackageName;
use packhouse::package::{Changelog, DebianOnly, Package, Relations, Release, Stage, Version};
use packhouse::target::{Architecture, Compression, Target, distribution};
use packhouse::tree::{Content, Entry, InstallPath, Node, Role, Tree};

const TIME: i64 = 1_750_000_000;

fn path(text: &str) -> InstallPath {
    InstallPath::parse(text).expect("a path")
}

fn maintainer() -> Maintainer {
    Maintainer { name: "Acme Packagers".to_owned(), mail: "packages@example.org".to_owned() }
}

/// A small package with everything that a package can have; no architecture of its own.
fn sample(distribution_name: &str) -> Package {
    let distribution = distribution(distribution_name).expect("a known distribution");
    let revision = format!("1{}", distribution.revision_suffix);
    let is_deb = distribution.format == packhouse::target::Format::Deb;
    let version = Version { epoch: 0, debian: "1.2.0~rc.1".to_owned(), rpm: "1.2.0~rc.1".to_owned(), revision };
    let mut tree = Tree::new();
    let mut add = |at: &str, text: &[u8], mode: u32, role: Role| {
        let entry = Entry::root(Node::File(Content::bytes(text)), mode).with_role(role);
        tree.insert(path(at), entry).expect("a free path");
    };
    add("/usr/lib/acme/acme-api/bin/acme-api", b"#!/bin/sh\necho \"hello from acme\"\n", 0o755, Role::Plain);
    add("/usr/lib/acme/acme-api/lib/libacme.so.1", b"not really a library", 0o644, Role::Plain);
    add("/etc/acme-api/acme-api.conf", b"# nothing is set\n", 0o644, Role::Config);
    add(
        "/usr/share/doc/acme-api/copyright",
        COPYRIGHT.as_bytes(),
        0o644,
        if is_deb { Role::Plain } else { Role::License },
    );
    if is_deb {
        add("/usr/share/doc/acme-api/changelog.Debian.gz", &changelog_gz(&version), 0o644, Role::Documentation);
    }
    let long = format!("/usr/share/acme-api/{}/{}.txt", "directory-".repeat(9), "name-".repeat(20));
    add(&long, b"far away\n", 0o644, Role::Plain);
    add("/usr/share/acme-api/empty", b"", 0o644, Role::Plain);
    tree.symlink(path("/usr/bin/acme-api"), "../lib/acme/acme-api/bin/acme-api").expect("a free path");
    tree.insert(path("/var/lib/acme-api"), Entry::root(Node::Directory, 0o750)).expect("a free path");
    let owned = ["/usr/lib/acme", "/usr/lib/acme/acme-api", "/usr/lib/acme/acme-api/bin", "/usr/lib/acme/acme-api/lib"];
    let script = |action: &str| format!("#!/bin/sh\nset -e\n# {action}\nexit 0");
    Package {
        name: PackageName::parse("acme-api").expect("a name"),
        source: PackageName::parse("acme-cloud").expect("a name"),
        version: version.clone(),
        target: Target { distribution, architecture: Architecture::X86_64 },
        architecture: None,
        summary: "answers the questions of other services".to_owned(),
        description:
            "The programming interface of Acme's cloud, which other services ask when they want to know something \
                      about their customers.\n\nIt has two paragraphs.\n- and a list"
                .to_owned(),
        maintainer: maintainer(),
        vendor: "Acme".to_owned(),
        homepage: Some("https://example.org/acme-api".to_owned()),
        license: "MIT".to_owned(),
        section: "net".to_owned(),
        relations: if is_deb {
            Relations { recommends: vec!["ca-certificates".to_owned()], ..Relations::default() }
        } else {
            Relations {
                depends: vec!["python3.11 >= 3.11.2".to_owned(), "(acme-one or acme-two)".to_owned()],
                pre_depends: vec!["shadow-utils".to_owned()],
                recommends: vec!["ca-certificates".to_owned()],
                replaces: vec!["acme-old < 1.0".to_owned()],
                conflicts: vec!["acme-evil".to_owned()],
                ..Relations::default()
            }
        },
        scripts: [
            (Stage::PostInstall, script("after the installation")),
            (Stage::PreRemove, script("before the removal")),
            (Stage::PostRemove, script("after the removal")),
        ]
        .into_iter()
        .collect(),
        debian: DebianOnly::default(),
        changelog: Changelog {
            releases: vec![
                Release {
                    version: version.clone(),
                    time: TIME,
                    author: maintainer(),
                    changes: vec!["Answer faster".to_owned(), "Say % and ünïcode right".to_owned()],
                },
                Release { version, time: TIME - 864_000, author: maintainer(), changes: vec!["Begin".to_owned()] },
            ],
        },
        time: TIME,
        tree,
        owned_directories: owned.map(path).to_vec(),
        build_ids: Vec::new(),
        notes: Vec::new(),
    }
}

const COPYRIGHT: &str = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n\
    Files: *\nCopyright: 2025 Acme\nLicense: MIT-like\n Do what you want.\n";

fn changelog_gz(version: &Version) -> Vec<u8> {
    use std::io::Write as _;
    let text = format!(
        "acme-cloud ({}) unstable; urgency=medium\n\n  * Answer faster. (Closes: #123456)\n\n \
         -- Acme Packagers <packages@example.org>  Sun, 15 Jun 2025 15:06:40 +0000\n",
        version.debian()
    );
    let mut encoder = flate2::GzBuilder::new().mtime(0).write(Vec::new(), flate2::Compression::best());
    encoder.write_all(text.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }
    fn path(&self) -> &Path {
        self.0.path()
    }
    fn write(&self, package: &Package, options: WriteOptions) -> Written {
        format::write(package, self.path(), &options).expect("a package")
    }
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

const COMPRESSIONS: [Compression; 3] = [Compression::Zstd, Compression::Xz, Compression::Gzip];

fn with(compression: Compression) -> WriteOptions<'static> {
    WriteOptions { compression: Some(compression), ..WriteOptions::default() }
}

#[test]
fn dpkg_reads_installs_verifies_and_removes_a_deb_of_every_compression() {
    for compression in COMPRESSIONS {
        let place = Place::new();
        let written = place.write(&sample("debian-12"), with(compression));
        assert_eq!(written.file, Path::new("acme-api_1.2.0~rc.1-1~deb12u1_all.deb"));
        let file = utf8(&written.path);

        let control = text_of("dpkg-deb", &["--field", file]);
        insta::allow_duplicates! { insta::assert_snapshot!("control", control); }
        let contents = text_of("dpkg-deb", &["--contents", file]);
        assert!(contents.lines().all(|line| line.contains(" root/root ")), "{contents}");
        assert!(contents.starts_with("drwxr-xr-x root/root         0 2025-06-15 "), "{contents}");
        assert!(contents.contains(&format!("{}.txt", "name-".repeat(20))), "{contents}");

        let root = place.path().join("root");
        for directory in ["var/lib/dpkg/info", "var/lib/dpkg/updates"] {
            fs::create_dir_all(root.join(directory)).expect("mkdir");
        }
        fs::write(root.join("var/lib/dpkg/status"), "").expect("status");
        let dpkg_root = format!("--root={}", utf8(&root));
        let dpkg = ["--force-script-chrootless", "--force-not-root", "--log=/dev/null", &dpkg_root];
        text_of("dpkg", &[&dpkg[..], &["-i", file]].concat());
        let mode = |at: &str| fs::symlink_metadata(root.join(at)).expect(at).permissions().mode() & 0o7777;
        assert_eq!(mode("usr/lib/acme/acme-api/lib/libacme.so.1"), 0o644);
        assert_eq!(mode("usr/lib/acme/acme-api/bin/acme-api"), 0o755);
        assert_eq!(mode("var/lib/acme-api"), 0o750);
        assert_eq!(fs::metadata(root.join("usr/share/acme-api/empty")).expect("empty").mtime(), TIME);
        assert_eq!(
            fs::read_link(root.join("usr/bin/acme-api")).expect("a link"),
            Path::new("../lib/acme/acme-api/bin/acme-api")
        );
        assert_eq!(text_of("dpkg", &[&dpkg_root, "--verify"]), "");
        fs::write(root.join("usr/share/acme-api/empty"), "tampered").expect("write");
        assert!(text_of("dpkg", &[&dpkg_root, "--verify"]).contains("/usr/share/acme-api/empty"));
        text_of("dpkg", &[&dpkg[..], &["-P", "acme-api"]].concat());
        assert!(!root.join("usr/share/acme-api").exists() && !root.join("etc/acme-api").exists());
    }
}

#[test]
fn lintian_finds_nothing_that_the_writer_is_to_blame_for() {
    let place = Place::new();
    let mut package = sample("debian-12");
    // /usr/lib/acme is the private tree's place; the rest is as Policy wants it.
    package.tree.remove(&path("/var/lib/acme-api"));
    package.tree.remove(&path("/usr/lib/acme/acme-api/lib/libacme.so.1"));
    let written = place.write(&package, with(Compression::Xz));
    let output = run("lintian", &["--allow-root", "--no-cfg", "--tag-display-limit=0", utf8(&written.path)]);
    let report = String::from_utf8_lossy(&output.stdout);
    let errors: Vec<&str> = report.lines().filter(|line| line.starts_with("E:")).collect();
    assert!(errors.is_empty(), "{report}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn rpm_reads_installs_verifies_and_erases_an_rpm_of_every_compression() {
    for compression in COMPRESSIONS {
        let place = Place::new();
        let written = place.write(&sample("el9"), with(compression));
        assert_eq!(written.file, Path::new("acme-api-1.2.0~rc.1-1.el9.noarch.rpm"));
        let file = utf8(&written.path);

        let query = |what: &[&str]| text_of("rpm", &[&["-qp"], what, &[file]].concat());
        let digests = text_of("rpm", &["--define", "_pkgverify_level digest", "-Kv", file]);
        assert!(
            digests.contains("Header SHA256 digest: OK") && digests.contains("Payload SHA256 digest: OK"),
            "{digests}"
        );
        let requires = query(&["--requires"]);
        let flag = match compression {
            Compression::Zstd => "rpmlib(PayloadIsZstd)",
            Compression::Xz => "rpmlib(PayloadIsXz)",
            Compression::Gzip => "rpmlib(CompressedFileNames)",
        };
        assert!(requires.contains(flag), "{requires}");
        insta::allow_duplicates! {
            insta::assert_snapshot!("rpm-information", query(&["-i", "--qf", ""]));
            let fixed: Vec<&str> = requires.lines().filter(|line| !line.contains("PayloadIs")).collect();
            insta::assert_snapshot!("rpm-requires", fixed.join("\n"));
            insta::assert_snapshot!("rpm-provides", query(&["--provides"]));
            insta::assert_snapshot!("rpm-changelog", query(&["--changelog"]));
            insta::assert_snapshot!("rpm-scripts", query(&["--scripts"]));
            insta::assert_snapshot!("rpm-files", query(&["-lv", "--dump"]));
        }
        assert_eq!(query(&["--conflicts"]).trim(), "acme-evil");
        assert_eq!(query(&["--obsoletes"]).trim(), "acme-old < 1.0");
        assert_eq!(query(&["--recommends"]).trim(), "ca-certificates");
        assert_eq!(query(&["--configfiles"]).trim(), "/etc/acme-api/acme-api.conf");
        assert_eq!(query(&["--licensefiles"]).trim(), "/usr/share/doc/acme-api/copyright");

        let root = place.path().join("root");
        fs::create_dir(&root).expect("mkdir");
        let root_arguments = ["--root", utf8(&root), "--dbpath", "/var/lib/rpm"];
        let rpm = |what: &[&str]| text_of("rpm", &[&root_arguments[..], what].concat());
        rpm(&["--initdb"]);
        rpm(&["-i", "--nodeps", "--noscripts", file]);
        let mode = |at: &str| fs::symlink_metadata(root.join(at)).expect(at).permissions().mode() & 0o7777;
        assert_eq!(mode("usr/lib/acme/acme-api/lib/libacme.so.1"), 0o755);
        assert_eq!(mode("var/lib/acme-api"), 0o750);
        assert_eq!(fs::metadata(root.join("usr/share/acme-api/empty")).expect("empty").mtime(), TIME);
        assert_eq!(rpm(&["-V", "--nodeps", "acme-api"]), "");
        assert_eq!(rpm(&["-qf", "/usr/lib/acme/acme-api"]).trim(), "acme-api-1.2.0~rc.1-1.el9.noarch");
        fs::write(root.join("usr/share/acme-api/empty"), "tampered").expect("write");
        let verify = run("rpm", &[&root_arguments[..], &["-V", "--nodeps", "acme-api"]].concat());
        assert!(String::from_utf8_lossy(&verify.stdout).contains("/usr/share/acme-api/empty"));
        rpm(&["-e", "--nodeps", "--noscripts", "acme-api"]);
        assert!(!root.join("usr/lib/acme").exists() && !root.join("etc/acme-api/acme-api.conf").exists());
    }
}

/// Bytes that nothing makes smaller, and different for each seed.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..length).map(|_| next()).collect()
}

/// A package with three megabytes of vendored content, that are older than it, around its own.
fn with_vendored(distribution: &str, own: &[u8], time: i64) -> Package {
    let mut package = sample(distribution);
    for (number, name) in ["aaa/__init__.py", "zzz/__init__.py", "zzz/data"].into_iter().enumerate() {
        let content = Content::bytes(noise(1_000_000, 2 * number as u64 + 1));
        let entry = Entry { time: Some(TIME - 1000), ..Entry::root(Node::File(content), 0o644).vendored() };
        package.tree.insert(path(&format!("/usr/lib/acme/acme-api/lib/{name}")), entry).expect("a free path");
    }
    let content = Content::bytes(own);
    package.tree.file(path("/usr/lib/acme/acme-api/lib/own.py"), content, 0o644).expect("a free path");
    package.time = time;
    package
}

#[test]
fn a_commit_that_changes_own_code_packs_nothing_of_what_is_vendored_again() {
    for (distribution, compression) in COMPRESSIONS.into_iter().flat_map(|one| [("debian-12", one), ("el9", one)]) {
        let (place, cache) = (Place::new(), Place::new());
        let blocks = Blocks::of(&Cache::at(cache.path()));
        let kept = || -> u64 {
            let files = walkdir::WalkDir::new(cache.path()).into_iter().map(|entry| entry.expect("an entry"));
            files.filter(|entry| entry.file_type().is_file()).map(|entry| entry.metadata().expect("it").len()).sum()
        };
        let options = || WriteOptions { blocks: Some(&blocks), ..with(compression) };
        place.write(&with_vendored(distribution, b"first", TIME), options());
        let first = kept();
        assert!(first > 3_000_000, "{first}");
        let second = with_vendored(distribution, b"second, and longer", TIME + 60);
        let warm = place.write(&second, options());
        assert!(kept() - first < 100_000, "{distribution} {compression:?}: {} bytes more", kept() - first);
        let cold = Place::new().write(&second, with(compression));
        assert_eq!(warm.sha256, cold.sha256, "{distribution} {compression:?}");
    }
}

#[test]
fn vendored_content_comes_first_and_keeps_its_own_time() {
    let place = Place::new();
    let deb = place.write(&with_vendored("debian-12", b"own", TIME), WriteOptions::default());
    let listing =
        text_of("sh", &["-c", &format!("dpkg-deb --fsys-tarfile {} | tar -tv --utc --full-time", utf8(&deb.path))]);
    let line = |name: &str| {
        let found = listing.lines().position(|line| line.ends_with(name)).expect(name);
        (found, listing.lines().nth(found).expect("it").to_owned())
    };
    assert!(line("zzz/data").0 < line("lib/own.py").0, "{listing}");
    let times = |name: &str| line(name).1;
    let (old, new) = (
        text_of("date", &["-u", "-d", &format!("@{}", TIME - 1000), "+%F %T"]),
        text_of("date", &["-u", "-d", &format!("@{TIME}"), "+%F %T"]),
    );
    for name in ["zzz/data", "acme-api/lib/zzz/", "./usr/"] {
        assert!(times(name).contains(old.trim()), "{listing}");
    }
    for name in ["lib/own.py", "./etc/"] {
        assert!(times(name).contains(new.trim()), "{listing}");
    }
    let rpm = place.write(&with_vendored("el9", b"own", TIME), WriteOptions::default());
    let query = ["-qp", "--qf", "[%{FILENAMES} %{FILEMTIMES}\\n]", utf8(&rpm.path)];
    let listing = text_of("rpm", &query);
    assert!(listing.contains(&format!("lib/zzz/data {}", TIME - 1000)), "{listing}");
    assert!(listing.contains(&format!("lib/own.py {TIME}")), "{listing}");
}

#[test]
fn a_small_program_is_packed_with_xz_unless_somebody_asks_for_zstd() {
    let place = Place::new();
    let mut package = sample("debian-12");
    let program = [b"\x7fELF".to_vec(), noise(2_000_000, 7)].concat();
    package.tree.file(path("/usr/lib/acme/acme-api/bin/program"), Content::bytes(program), 0o755).expect("free");
    let member = |written: &Written| {
        let members = text_of("ar", &["t", utf8(&written.path)]);
        members.lines().find(|member| member.starts_with("data.tar")).expect("a member").to_owned()
    };
    assert_eq!(member(&place.write(&package, WriteOptions::default())), "data.tar.xz");
    assert_eq!(member(&place.write(&package, with(Compression::Zstd))), "data.tar.zst");
    package.target.distribution = package.target.distribution.compressed_with(Compression::Zstd).expect("it reads it");
    assert_eq!(member(&place.write(&package, WriteOptions::default())), "data.tar.zst");
    let mut other = sample("debian-12");
    other.tree.file(path("/usr/share/acme-api/data"), Content::bytes(noise(2_000_000, 7)), 0o644).expect("free");
    assert_eq!(member(&place.write(&other, WriteOptions::default())), "data.tar.zst");
}

#[test]
fn rpm2cpio_gives_an_archive_that_cpio_unpacks() {
    let place = Place::new();
    let written = place.write(&sample("el9"), WriteOptions::default());
    let script = "rpm2cpio \"$1\" | bsdtar -tf - || rpm2cpio \"$1\" | cpio -t --quiet";
    let listing = text_of("sh", &["-c", script, "sh", utf8(&written.path)]);
    assert!(listing.lines().any(|line| line.ends_with("usr/lib/acme/acme-api/bin/acme-api")), "{listing}");
}

#[test]
fn rpmlint_finds_nothing_that_the_writer_is_to_blame_for() {
    let place = Place::new();
    let written = place.write(&sample("el9"), WriteOptions::default());
    let output = run("rpmlint", &[utf8(&written.path)]);
    let report = String::from_utf8_lossy(&output.stdout);
    // What the sample itself asks for (an empty file, a directory of its own mode, a library that is none), and what
    // rpmbuild's own packages have, too.
    let known = [
        "zero-length",
        "non-standard-dir-perm",
        "script-without-shebang",
        "without-ldconfig",
        "not-listed-as-documentation",
        "no-signature",
        "no-dependency-on locales-api",
    ];
    let errors: Vec<&str> =
        report.lines().filter(|line| line.contains(": E: ") && !known.iter().any(|tag| line.contains(tag))).collect();
    assert!(errors.is_empty(), "{report}");
}

#[test]
fn the_same_package_has_the_same_bytes_wherever_and_however_it_is_written() {
    for name in ["debian-11", "debian-12", "el9"] {
        let mut package = sample(name);
        // More than one block of xz, from a file on disk.
        let place = Place::new();
        let big = place.path().join("big");
        let noise: Vec<u8> = (0_u32..6_500_000).flat_map(|number| (number / 512 * 7).to_le_bytes()).collect();
        fs::write(&big, noise).expect("write");
        let content = Content::file(&big).expect("digests");
        package.tree.file(path("/usr/share/acme-api/big"), content, 0o644).expect("a free path");
        for compression in COMPRESSIONS {
            let options = |threads| WriteOptions { effort: Effort::Fast, threads, ..with(compression) };
            let (one, two) = (Place::new(), Place::new());
            let first = one.write(&package, options(Some(1)));
            let second = two.write(&package, options(Some(2)));
            assert_eq!(first.sha256, second.sha256, "{name} {compression:?}");
            assert_eq!(fs::metadata(&first.path).expect("a file").len(), first.size);
            assert_eq!(fs::metadata(&first.path).expect("a file").permissions().mode() & 0o777, 0o644);
        }
    }
}

/// Run in another process by the test below it.
#[test]
#[ignore = "a part of another test"]
fn write_into_the_directory_of_the_environment() {
    let directory = PathBuf::from(std::env::var_os("WRITE_INTO").expect("WRITE_INTO"));
    for name in ["debian-12", "el9"] {
        format::write(&sample(name), &directory, &WriteOptions::default()).expect("a package");
    }
}

#[test]
fn umask_time_zone_and_locale_do_not_change_the_bytes() {
    let exe = std::env::current_exe().expect("this test");
    let settings = ["umask 077; TZ=Asia/Kathmandu LC_ALL=tr_TR.UTF-8", "umask 000; TZ=America/Los_Angeles LC_ALL=C"];
    let places = settings.map(|setting| {
        let place = Place::new();
        let test = "--exact write_into_the_directory_of_the_environment --ignored";
        let script = format!("{setting} WRITE_INTO='{}' exec '{}' {test}", utf8(place.path()), utf8(&exe));
        text_of("sh", &["-c", &script]);
        place
    });
    for name in ["debian-12", "el9"] {
        let here = Place::new();
        let written = here.write(&sample(name), WriteOptions::default());
        for place in &places {
            let other = place.path().join(&written.file);
            assert!(fs::read(&other).expect("a file") == fs::read(&written.path).expect("a file"), "{name}");
            assert_eq!(fs::metadata(&other).expect("a file").permissions().mode() & 0o777, 0o644);
        }
    }
}

#[test]
fn a_full_disk_leaves_nothing_behind() {
    use packhouse::diagnostic::Diagnose as _;
    let place = Place::new();
    let small = place.path().join("small");
    fs::create_dir(&small).expect("mkdir");
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs", utf8(&small)]).output();
    if !mount.is_ok_and(|output| output.status.success()) {
        // Only root may mount; `a_failed_write_leaves_nothing_behind` covers the same path with another cause.
        return;
    }
    let mut state = 1_u64;
    let noise: Vec<u8> = (0..400_000)
        .flat_map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 16).to_le_bytes()
        })
        .collect();
    let results = ["debian-12", "el9"].map(|name| {
        let mut package = sample(name);
        let content = Content::bytes(noise.clone());
        package.tree.file(path("/usr/share/acme-api/noise"), content, 0o644).expect("a free path");
        let result = format::write(&package, &small, &WriteOptions::default());
        (result, fs::read_dir(&small).expect("a directory").count())
    });
    text_of("umount", &[utf8(&small)]);
    for (result, left) in results {
        let error = result.expect_err("the disk is full");
        assert!(error.hints().iter().any(|hint| hint.contains("space")), "{error}");
        assert_eq!(left, 0);
    }
}

#[test]
fn inspect_shows_the_same_facts_to_people_and_to_programs() {
    for name in ["debian-12", "el9"] {
        let place = Place::new();
        let written = place.write(&sample(name), WriteOptions::default());
        let inspection = format::inspect(&written.path).expect("a package");
        assert_eq!((inspection.size, inspection.sha256), (written.size, written.sha256));
        // The compressors' versions may change size and digest.
        let text: Vec<String> = inspection.to_string().lines().skip(3).map(str::to_owned).collect();
        insta::assert_snapshot!(format!("inspect-{name}"), text.join("\n"));
        let json = serde_json::to_value(&inspection).expect("JSON");
        assert_eq!(json["format"], if name == "el9" { "rpm" } else { "deb" });
        assert_eq!(json["size"], written.size);
    }
    let place = Place::new();
    let file = place.path().join("neither");
    fs::write(&file, "neither of the two").expect("write");
    assert!(format::inspect(&file).expect_err("an error").to_string().contains("neither a .deb nor an .rpm"));
}

#[test]
fn readers_tell_what_was_written() {
    let place = Place::new();
    let package = sample("debian-12");
    let written = place.write(&package, WriteOptions::default());
    let info = deb::read(&written.path, deb::Files::List).expect("a deb");
    assert_eq!((info.package(), info.version(), info.source()), ("acme-api", "1.2.0~rc.1-1~deb12u1", "acme-cloud"));
    assert_eq!(info.conffiles, ["/etc/acme-api/acme-api.conf"]);
    assert_eq!(info.scripts.len(), 3);
    assert_eq!(info.files.len(), package.tree.with_directories().len());
    assert_eq!(info.compression, Some(Compression::Zstd));

    let package = sample("el9");
    let written = place.write(&package, WriteOptions::default());
    let info = rpm::read(&written.path).expect("an rpm");
    assert_eq!((info.name.as_str(), info.evr().as_str()), ("acme-api", "1.2.0~rc.1-1.el9"));
    assert_eq!(info.package_size, written.size);
    assert_eq!(info.files.len(), package.tree.len() + package.owned_directories.len());
    let link = info.files.iter().find(|file| file.path == "/usr/bin/acme-api").expect("the link");
    assert_eq!((link.kind, link.link.as_deref()), (FileKind::Symlink, Some("../lib/acme/acme-api/bin/acme-api")));
    assert_eq!(info.source_rpm.as_deref(), Some("acme-cloud-1.2.0~rc.1-1.el9.src.rpm"));
    assert!(!info.signed);
}

#[test]
fn a_failed_write_leaves_nothing_behind() {
    for name in ["debian-12", "el9"] {
        let place = Place::new();
        let file = place.path().join("content");
        fs::write(&file, "before").expect("write");
        let mut package = sample(name);
        let content = Content::file(&file).expect("digests");
        package.tree.file(path("/usr/share/acme-api/changing"), content, 0o644).expect("a free path");
        for changed in ["change", "longer than before", "short"] {
            fs::write(&file, changed).expect("write");
            let out = place.path().join("out");
            fs::create_dir_all(&out).expect("mkdir");
            let error = format::write(&package, &out, &WriteOptions::default()).expect_err("it changed");
            assert!(matches!(error, Error::Changed { .. }), "{error}");
            assert_eq!(fs::read_dir(&out).expect("a directory").count(), 0, "{name}");
        }
    }
}

#[test]
fn what_a_format_cannot_say_is_an_error_with_a_hint() {
    use packhouse::diagnostic::Diagnose as _;
    type Change = fn(&mut Package);
    let both: [Change; 6] = [
        |package| package.tree.symlink(path("/usr/bin/broken"), "a\0b").expect("a free path"),
        |package| package.summary = "one\nEssential: yes".to_owned(),
        |package| package.maintainer.name = "Eve\nDepends: evil".to_owned(),
        |package| package.homepage = Some("https://example.org\n".to_owned()),
        |package| package.time = -1,
        |package| package.description = "\u{1b}[31mred".to_owned(),
    ];
    let debian: [Change; 5] = [
        |package| package.relations.depends = vec!["one, two".to_owned()],
        |package| package.scripts.set(Stage::PostInstall, "echo no interpreter\n"),
        |package| package.scripts.set(Stage::PostTransaction, "#!/bin/sh\n"),
        |package| package.version.debian = "v1".to_owned(),
        |package| {
            let entry = Entry { user: "acme".to_owned(), ..Entry::root(Node::Directory, 0o755) };
            package.tree.insert(path("/srv/acme"), entry).expect("a free path");
        },
    ];
    let red_hat: [Change; 3] = [
        |package| package.relations.breaks = vec!["one".to_owned()],
        |package| package.relations.depends = vec!["one >= ".to_owned()],
        |package| package.version.rpm = "1-2".to_owned(),
    ];
    let place = Place::new();
    let check = |name: &str, change: Change| {
        let mut package = sample(name);
        change(&mut package);
        let error = format::write(&package, place.path(), &WriteOptions::default()).expect_err("an error");
        assert!(!error.hints().is_empty(), "{error}");
        assert_eq!(fs::read_dir(place.path()).expect("a directory").count(), 0, "{error}");
    };
    both.into_iter().chain(debian).for_each(|change| check("debian-12", change));
    both.into_iter().chain(red_hat).for_each(|change| check("el9", change));
}

#[test]
fn a_package_of_one_architecture_and_an_epoch_says_so_in_both_formats() {
    for (name, architecture) in [("debian-13", Architecture::X86_64), ("el8", Architecture::Aarch64)] {
        let place = Place::new();
        let mut package = sample(name);
        package.architecture = Some(architecture);
        package.version.epoch = 2;
        package.scripts.set(Stage::PreInstall, "#!/bin/sh\nexit 0\n");
        let written = place.write(&package, WriteOptions::default());
        let file = utf8(&written.path);
        if name == "debian-13" {
            assert_eq!(written.file, Path::new("acme-api_1.2.0~rc.1-1~deb13u1_amd64.deb"));
            assert_eq!(text_of("dpkg-deb", &["--field", file, "Version"]).trim(), "2:1.2.0~rc.1-1~deb13u1");
            assert!(text_of("dpkg-deb", &["--info", file]).contains("preinst"));
        } else {
            assert_eq!(written.file, Path::new("acme-api-1.2.0~rc.1-1.el8.aarch64.rpm"));
            let provides = text_of("rpm", &["-qp", "--provides", file]);
            assert!(provides.contains("acme-api(aarch-64) = 2:1.2.0~rc.1-1.el8"), "{provides}");
            let scripts = text_of("rpm", &["-qp", "--qf", "[%{REQUIRENAME} %{REQUIREFLAGS:deptype}\\n]", file]);
            assert!(scripts.contains("/bin/sh pre,interp"), "{scripts}");
            assert!(scripts.contains("shadow-utils pre"), "{scripts}");
            assert!(scripts.contains("config(acme-api) config"), "{scripts}");
            assert!(scripts.contains("rpmlib(FileDigests) rpmlib"), "{scripts}");
        }
    }
}

#[test]
fn text_of_a_changelog_stays_in_its_entry() {
    let place = Place::new();
    let mut package = sample("el9");
    package.changelog.releases[0].author.name = "Eve\n* Mallory".to_owned();
    let written = place.write(&package, WriteOptions::default());
    let info = rpm::read(&written.path).expect("an rpm");
    assert_eq!(info.changelog.len(), 2);
    assert!(info.changelog.iter().all(|entry| !entry.author.contains('\n')), "{:?}", info.changelog);
}

#[test]
fn rpm_gives_a_file_to_a_user_by_name() {
    let place = Place::new();
    let mut package = sample("el9");
    let entry = Entry { user: "acme".to_owned(), group: "acme".to_owned(), ..Entry::root(Node::Directory, 0o700) };
    package.tree.insert(path("/srv/acme"), entry).expect("a free path");
    let written = place.write(&package, WriteOptions::default());
    let dump = text_of("rpm", &["-qp", "--dump", utf8(&written.path)]);
    assert!(dump.lines().any(|line| line.starts_with("/srv/acme ") && line.contains(" acme acme ")), "{dump}");
}

/// A key of gpg's own making, the signer of the tests.
struct Key {
    home: tempfile::TempDir,
}

impl Key {
    fn new(algorithm: &str) -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).expect("chmod");
        let key = Self { home };
        key.gpg(&["--quick-generate-key", "Acme <packages@example.org>", algorithm, "sign", "never"]);
        key
    }
    fn gpg(&self, arguments: &[&str]) -> Vec<u8> {
        let home = ["--homedir", utf8(self.home.path()), "--batch", "--passphrase", ""];
        let output = run("gpg", &[&home[..], arguments].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }
    fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        let file = self.home.path().join("header");
        fs::write(&file, bytes).expect("write");
        self.gpg(&["--digest-algo", "SHA256", "--detach-sign", "--output", "-", utf8(&file)])
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        let _ = Command::new("gpgconf").args(["--homedir", utf8(self.home.path()), "--kill", "all"]).output();
    }
}

#[test]
fn rpm_accepts_our_signature_and_nothing_else_of_the_package_changes() {
    for (algorithm, field) in [("rsa3072", "RSAHEADER"), ("ed25519", "DSAHEADER")] {
        let place = Place::new();
        let key = Key::new(algorithm);
        let written = place.write(&sample("el9"), WriteOptions::default());
        let signed = place.path().join("signed.rpm");
        let mut output = fs::File::create(&signed).expect("a file");
        rpm::sign(&written.path, &mut output, &mut |bytes| Ok(key.sign(bytes))).expect("a signature");

        assert!(rpm::read(&signed).expect("an rpm").signed);
        assert_eq!(fs::metadata(&signed).expect("a file").len(), written.size, "the signature fits the reserved space");
        let digest = rpm::immutable_digest(&written.path).expect("a digest");
        assert_eq!(rpm::immutable_digest(&signed).expect("a digest"), digest);

        let public = place.path().join("key.asc");
        fs::write(&public, key.gpg(&["--armor", "--export"])).expect("write");
        let database = place.path().join("db");
        let dbpath = ["--dbpath", utf8(&database)];
        text_of("rpm", &[&dbpath[..], &["--initdb"]].concat());
        text_of("rpmkeys", &[&dbpath[..], &["--import", utf8(&public)]].concat());
        let checked =
            text_of("rpmkeys", &[&dbpath[..], &["--define", "_pkgverify_level all", "-Kv", utf8(&signed)]].concat());
        assert!(checked.contains("Signature, key ID") && checked.contains(": OK"), "{checked}");
        let shown = text_of("rpm", &["-qp", "--nosignature", "--qf", &format!("%{{{field}:pgpsig}}"), utf8(&signed)]);
        assert!(shown.contains("Key ID"), "{shown}");

        // Signing again replaces the signature.
        let again = place.path().join("again.rpm");
        let mut output = fs::File::create(&again).expect("a file");
        rpm::sign(&signed, &mut output, &mut |bytes| Ok(key.sign(bytes))).expect("a signature");
        assert_eq!(rpm::immutable_digest(&again).expect("a digest"), digest);

        // A byte of the payload: refused by rpm and by us.
        let mut bytes = fs::read(&signed).expect("a file");
        *bytes.last_mut().expect("a byte") ^= 1;
        fs::write(&signed, bytes).expect("write");
        let refused =
            run("rpmkeys", &[&dbpath[..], &["--define", "_pkgverify_level all", "-K", utf8(&signed)]].concat());
        assert!(!refused.status.success());
        assert!(matches!(rpm::read(&signed), Err(Error::Mismatch { .. })));
    }
}

#[test]
fn a_signer_that_fails_or_gives_no_signature_is_an_error() {
    let place = Place::new();
    let written = place.write(&sample("el9"), WriteOptions::default());
    let refuse: &mut rpm::Signer<'_> = &mut |_| Err("no key".into());
    let error = rpm::sign(&written.path, &mut Vec::new(), refuse).expect_err("an error");
    assert!(error.to_string().contains("no key"), "{error}");
    assert!(rpm::sign(&written.path, &mut Vec::new(), &mut |_| Ok(b"nonsense".to_vec())).is_err());
}

#[test]
fn readers_read_what_the_distributions_own_tools_write() {
    let place = Place::new();
    let tree = place.path().join("tree");
    fs::create_dir_all(tree.join("DEBIAN")).expect("mkdir");
    fs::create_dir_all(tree.join("usr/share/hello")).expect("mkdir");
    fs::write(tree.join("usr/share/hello/hello"), "hello\n").expect("write");
    let control =
        "Package: hello\nVersion: 1:2-3\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: hello\n";
    fs::write(tree.join("DEBIAN/control"), control).expect("write");
    for compression in ["gzip", "xz", "zstd", "none"] {
        let file = place.path().join(format!("{compression}.deb"));
        text_of("dpkg-deb", &[&format!("-Z{compression}"), "-b", utf8(&tree), utf8(&file)]);
        let info = deb::read(&file, deb::Files::List).expect("a deb");
        assert_eq!((info.package(), info.version()), ("hello", "1:2-3"));
        let paths: Vec<&str> = info.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["/usr", "/usr/share", "/usr/share/hello", "/usr/share/hello/hello"]);
    }
}

fn ar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = b"!<arch>\n".to_vec();
    for (name, content) in members {
        bytes.extend(format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 100_644, content.len()).bytes());
        bytes.extend(*content);
        if content.len() % 2 == 1 {
            bytes.push(b'\n');
        }
    }
    bytes
}

fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, *content).expect("memory");
    }
    builder.into_inner().expect("memory")
}

#[test]
fn hostile_debs_are_refused_with_a_reason() {
    const GOOD: &[u8] = b"Package: acme\nVersion: 1\nArchitecture: all\n";
    let control = tar_of(&[("./control", GOOD)]);
    let data = tar_of(&[("./usr/x", b"x")]);
    let version: (&str, &[u8]) = ("debian-binary", b"2.0\n");
    let good = [version, ("control.tar", &control), ("data.tar", &data)];
    let place = Place::new();
    let file = place.path().join("hostile.deb");
    let read = |bytes: &[u8]| {
        fs::write(&file, bytes).expect("write");
        deb::read(&file, deb::Files::List)
    };
    assert_eq!(read(&ar(&good)).expect("the good one").files.len(), 1);

    let bomb = zstd::stream::encode_all(vec![0; 100 << 20].as_slice(), 1).expect("memory");
    let climbing = tar_of(&[("../../etc/passwd", b"x")]);
    let twice = tar_of(&[("./control", GOOD), ("control", GOOD)]);
    let odd = tar_of(&[("./control", GOOD), ("./sub/control", b"x")]);
    let two_stanzas = tar_of(&[("./control", b"Package: acme\nVersion: 1\nArchitecture: all\n\nPackage: evil\n")]);
    let forged = tar_of(&[("./control", b"Package: ../../acme\nVersion: 1\nArchitecture: all\n")]);
    let slash = tar_of(&[("./control", b"Package: acme\nVersion: 1/../2\nArchitecture: all\n")]);
    let none = tar_of(&[("./md5sums", b"")]);
    let mut truncated = ar(&good);
    truncated.truncate(truncated.len() - 600);
    for (bytes, reason) in [
        (b"hello".to_vec(), "ar archive"),
        (ar(&[version, good[2], good[1]]), "in this order"),
        (ar(&[version, good[1], good[1], good[2]]), "in this order"),
        (ar(&[version, good[1], ("data.zip", b"x")]), "in this order"),
        (ar(&[version, good[1]]), "in this order"),
        (ar(&[("debian-binary", b"3.0\n"), good[1], good[2]]), "2.x"),
        (ar(&[version, ("control.tar.zst", &bomb), good[2]]), ""),
        (ar(&[version, good[1], ("data.tar", &climbing)]), "leaves its place"),
        (ar(&[version, ("control.tar", &twice), good[2]]), "twice"),
        (ar(&[version, ("control.tar", &odd), good[2]]), "does not know"),
        (ar(&[version, ("control.tar", &two_stanzas), good[2]]), "one stanza"),
        (ar(&[version, ("control.tar", &forged), good[2]]), "`Package`"),
        (ar(&[version, ("control.tar", &slash), good[2]]), "`Version`"),
        (ar(&[version, ("control.tar", &none), good[2]]), "no control file"),
        (truncated, ""),
    ] {
        let error = read(&bytes).expect_err(reason);
        assert!(error.to_string().contains(reason), "{error} / {reason}");
    }
}

/// Packages to mutate, made once.
fn seeds() -> &'static [Vec<u8>; 3] {
    static SEEDS: std::sync::OnceLock<[Vec<u8>; 3]> = std::sync::OnceLock::new();
    SEEDS.get_or_init(|| {
        let place = Place::new();
        let read = |name: &str, options| fs::read(place.write(&sample(name), options).path).expect("a file");
        // Not compressed, so that changes reach the tar archives.
        let control =
            tar_of(&[("./control", b"Package: acme\nVersion: 1\nArchitecture: all\n"), ("./conffiles", b"/etc/a\n")]);
        let data = tar_of(&[("./etc/a", b"content"), ("./usr/bin/acme", b"more content")]);
        let stored = ar(&[("debian-binary", b"2.0\n"), ("control.tar", &control), ("data.tar", &data)]);
        [read("debian-12", with(Compression::Gzip)), stored, read("el9", WriteOptions::default())]
    })
}

fn mutate(bytes: &[u8], changes: &[(proptest::sample::Index, u8)], cut: Option<proptest::sample::Index>) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (index, value) in changes {
        let at = index.index(bytes.len());
        bytes[at] = *value;
    }
    if let Some(cut) = cut {
        bytes.truncate(cut.index(bytes.len()));
    }
    bytes
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn readers_never_panic_on_mutated_packages(
        changes in proptest::collection::vec(proptest::prelude::any::<(proptest::sample::Index, u8)>(), 1..6),
        cut in proptest::option::weighted(0.2, proptest::prelude::any::<proptest::sample::Index>()),
    ) {
        let [deb_bytes, stored_deb_bytes, rpm_bytes] = seeds();
        let place = Place::new();
        let file: PathBuf = place.path().join("mutated");
        for bytes in [deb_bytes, stored_deb_bytes] {
            fs::write(&file, mutate(bytes, &changes, cut)).expect("write");
            let _ = deb::read(&file, deb::Files::List);
        }
        let mutated = mutate(rpm_bytes, &changes, cut);
        fs::write(&file, &mutated).expect("write");
        // Only the lead, the reserved space and padding are outside the digests.
        if let Ok(info) = rpm::read(&file) {
            proptest::prop_assert_eq!(info.name, "acme-api");
        }
        let _ = rpm::immutable_digest(&file);
    }
}

#[test]
fn a_file_that_changes_while_it_is_packed_leaves_no_block_of_itself() {
    use std::os::unix::fs::FileExt as _;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let big = directory.path().join("big");
    // It goes on in a second block.
    let file = fs::File::create(&big).expect("a file");
    file.set_len(70 << 20).expect("room");
    let cache = Cache::at(directory.path().join("cache"));
    let blocks = Blocks::of(&cache);
    let mut package = sample("debian-12");
    package.tree.file(path("/usr/share/acme-api/big"), Content::file(&big).expect("read"), 0o644).expect("a free path");
    let options = |blocks| WriteOptions { effort: Effort::Fast, blocks, ..with(Compression::Zstd) };
    let right = Place::new().write(&package, options(None)).sha256;
    file.write_all_at(b"changed", 1000).expect("written");
    let error = format::write(&package, directory.path(), &options(Some(&blocks))).expect_err("it changed");
    assert!(error.to_string().contains("changed while it was packed"), "{error}");
    assert_eq!(fs::read_dir(cache.root().join("tmp")).expect("tmp").count(), 0);
    file.write_all_at(&[0; 7], 1000).expect("written");
    for warm in ["without blocks", "with its blocks"] {
        assert_eq!(Place::new().write(&package, options(Some(&blocks))).sha256, right, "{warm}");
    }
    assert!(fs::read_dir(cache.section("blocks/v1")).expect("blocks").count() > 1);
}
