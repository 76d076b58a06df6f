//! A Rust service with a package of debug symbols, from its sources to a repository: binutils, dpkg, rpm, lintian and
//! rpmlint are the judges.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "these are tests"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use object::Object as _;
use serde_json::Value;

const SETTINGS: &str = "[project]\norg = \"acme\"\nmaintainer = \"Acme Cloud <cloud@acme.example>\"\nlicense = \"MIT\"\n\
    homepage = \"https://acme.example\"\ntargets = [\"debian-12\", \"el9\"]\n\
    [targets.debian-12]\ncompression = \"xz\"\n[services.acme-edge]\nsummary = \"edge of the Acme cloud\"\n";

const SOURCE: &str = "#[inline(never)]\nfn answer(words: usize) -> usize {\n    words.pow(3) + 41\n}\n\n\
    fn main() {\n    println!(\"{}\", answer(std::env::args().count()));\n}\n";

/// A repository with one service at `root`, locked and vendored.
fn repository(root: &Path, debug: bool) {
    let put = |path: &str, text: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, text).expect("written");
    };
    put("packhouse.toml", &format!("{SETTINGS}[services.acme-edge.rust]\ndebug-package = {debug}\n"));
    put("edge/Cargo.toml", "[package]\nname = \"acme-edge\"\nversion = \"1.0.0\"\nedition = \"2024\"\n");
    put("edge/src/main.rs", SOURCE);
    for arguments in [&["init", "-q"][..], &["add", "-A"], &["commit", "-q", "-m", "Begin"]] {
        let mut git = Command::new("git");
        git.current_dir(root).args(arguments);
        for (name, value) in [("NAME", "Ada"), ("EMAIL", "ada@acme.example"), ("DATE", "2026-01-02T03:04:05Z")] {
            git.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
        }
        assert!(git.status().expect("git").success());
    }
    for step in ["lock", "vendor"] {
        packhouse(root, &[step]);
    }
}

fn packhouse(root: &Path, arguments: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_packhouse"));
    command.current_dir(root).args(arguments).env("PACKHOUSE_CACHE_DIR", root.with_extension("cache"));
    command.env_remove("SOURCE_DATE_EPOCH");
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Builds into `out` of `root`; file names and digests.
fn build(root: &Path) -> Vec<(String, String)> {
    packhouse(root, &["build", "--out", "out"]);
    let text = fs::read(root.join("out/packhouse-artefacts.json")).expect("a list");
    let list: Value = serde_json::from_slice(&text).expect("JSON");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let artefacts = list["artefacts"].as_array().expect("a list");
    artefacts.iter().map(|one| (text(&one["file"]), text(&one["sha256"]))).collect()
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).env("LC_ALL", "C.UTF-8").output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {complaint}{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn utf8(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// The build id that readelf shows.
fn build_id(file: &Path) -> String {
    let notes = output("readelf", &["-nW", utf8(file)]);
    let (_, id) = notes.lines().find_map(|line| line.split_once("Build ID: ")).expect("a build id");
    id.trim().to_owned()
}

/// That `program` is stripped and names the file of its symbols, and that this tells lines of the source without a path of
/// this machine.
fn judge(root: &Path, program: &Path, debug: &Path) {
    let id = build_id(program);
    assert_eq!(build_id(debug), id);
    assert!(debug.ends_with(format!("{}/{}.debug", &id[..2], &id[2..])), "{}", debug.display());
    let sections = output("readelf", &["-SW", utf8(program)]);
    assert!(sections.contains(".gnu_debuglink") && !sections.contains(".symtab"), "{sections}");
    assert!(!sections.contains(".debug_info"), "{sections}");
    let bytes = fs::read(program).expect("a program");
    let (name, sum) =
        object::File::parse(&bytes[..]).expect("an ELF file").gnu_debuglink().expect("well-formed").expect("there");
    assert_eq!(name, debug.file_name().expect("a name").as_encoded_bytes());
    let mut crc = flate2::Crc::new();
    crc.update(&fs::read(debug).expect("symbols"));
    assert_eq!(sum, crc.sum(), "gdb would refuse the file");
    let information = output("readelf", &["--debug-dump=info", "--dwarf-depth=1", utf8(debug)]);
    assert!(information.contains("/usr/src/packhouse/edge\n"), "the source's directory is not mapped");
    let lines = output("readelf", &["--debug-dump=decodedline", utf8(debug)]);
    assert!(lines.contains("src/main.rs:"), "no lines of the source");
    let sections = output("readelf", &["-SW", utf8(debug)]);
    let information = sections.lines().find(|line| line.contains(" .debug_info ")).expect("debug information");
    assert!(information.contains(" C "), "not compressed: {information}");

    let plain = root.join("plain.debug");
    output("objcopy", &["--decompress-debug-sections", utf8(debug), utf8(&plain)]);
    for file in [program, &plain] {
        let bytes = fs::read(file).expect("readable");
        for path in [utf8(root), "/packhouse/src", "/packhouse/target"] {
            let found = bytes.windows(path.len()).any(|window| window == path.as_bytes());
            assert!(!found, "{} has {path} in it", file.display());
        }
    }
    let symbols = output("nm", &["-C", utf8(debug)]);
    let address =
        symbols.lines().find(|line| line.ends_with("acme_edge::answer") || line.contains("acme_edge::answer"));
    let address = address.and_then(|line| line.split_whitespace().next()).expect("the function's symbol");
    let place = output("addr2line", &["-i", "-e", utf8(debug), address]);
    assert!(place.lines().any(|line| line.starts_with("/usr/src/packhouse/edge/src/main.rs:")), "{place}");
}

#[test]
fn debug_symbols_are_a_package_of_their_own_in_both_formats() {
    let place = tempfile::tempdir().expect("a directory");
    let root = place.path().join("first");
    repository(&root, true);
    let artefacts = build(&root);
    let files: Vec<&str> = artefacts.iter().map(|(file, _)| file.as_str()).collect();
    let out = root.join("out");
    let [main_rpm, main_deb, debug_deb, debug_rpm] = [
        "acme-edge-1.0.0-1.el9.x86_64.rpm",
        "acme-edge_1.0.0-1~deb12u1_amd64.deb",
        "acme-edge-dbgsym_1.0.0-1~deb12u1_amd64.deb",
        "acme-edge-debuginfo-1.0.0-1.el9.x86_64.rpm",
    ];
    if cfg!(target_arch = "x86_64") {
        let mut expected = [main_rpm, main_deb, debug_deb, debug_rpm];
        expected.sort_unstable();
        assert_eq!(files, expected);
    }
    let find = |start: &str, end: &str| -> PathBuf {
        let name = files.iter().find(|name| name.starts_with(start) && name.ends_with(end));
        out.join(name.unwrap_or_else(|| panic!("{start}*{end} of {files:?}")))
    };
    let (deb, dbgsym) = (find("acme-edge_", ".deb"), find("acme-edge-dbgsym_", ".deb"));
    let (rpm, debuginfo) = (find("acme-edge-1", ".rpm"), find("acme-edge-debuginfo-", ".rpm"));

    // Debian: what dpkg installs, and what its fields say.
    let installed = place.path().join("debian");
    for directory in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "etc"] {
        fs::create_dir_all(installed.join(directory)).expect("made");
    }
    fs::write(installed.join("var/lib/dpkg/status"), "").expect("written");
    let at = format!("--root={}", utf8(&installed));
    let options = ["--force-script-chrootless", "--force-not-root", "--force-depends", "--log=/dev/null", &at];
    output("dpkg", &[&options[..], &["-i", utf8(&deb), utf8(&dbgsym)]].concat());
    assert_eq!(output("dpkg", &[&at, "--verify"]), "");
    let program = installed.join("usr/lib/acme/acme-edge/bin/acme-edge");
    assert_eq!(output(utf8(&program), &["a"]), "49\n");
    let id = build_id(&program);
    let symbols = |root: &Path| root.join(format!("usr/lib/debug/.build-id/{}/{}.debug", &id[..2], &id[2..]));
    judge(&root, &program, &symbols(&installed));
    let documents = fs::read_link(installed.join("usr/share/doc/acme-edge-dbgsym")).expect("a link");
    assert_eq!(documents, Path::new("acme-edge"));
    let fields = output("dpkg-deb", &["-f", utf8(&dbgsym)]);
    let names: Vec<&str> =
        fields.lines().filter(|line| !line.starts_with(' ')).filter_map(|line| line.split(':').next()).collect();
    // The order of a package that dh_strip made.
    let expected = [
        "Package",
        "Source",
        "Version",
        "Auto-Built-Package",
        "Architecture",
        "Maintainer",
        "Installed-Size",
        "Depends",
        "Section",
        "Priority",
        "Description",
        "Build-Ids",
    ];
    assert_eq!(names, expected, "{fields}");
    for line in [
        "Auto-Built-Package: debug-symbols",
        "Depends: acme-edge (= 1.0.0-1~deb12u1)",
        "Section: debug",
        "Description: debug symbols for acme-edge",
        &format!("Build-Ids: {id}"),
    ] {
        assert!(fields.lines().any(|found| found == line), "{line}: {fields}");
    }
    let found = output("lintian", &["--allow-root", "--fail-on", "none", "--no-tag-display-limit", utf8(&dbgsym)]);
    let found: Vec<&str> = found.lines().filter(|line| line.starts_with("E:") || line.starts_with("W:")).collect();
    assert!(found.is_empty(), "{found:?}");

    // RPM: the program is the same, and its symbols are found by its build id.
    let unpacked = place.path().join("rpm");
    fs::create_dir(&unpacked).expect("made");
    for package in [&rpm, &debuginfo] {
        let script = "cd \"$1\" && rpm2cpio \"$2\" | cpio -idm --quiet";
        output("sh", &["-c", script, "sh", utf8(&unpacked), utf8(package)]);
    }
    let program_of_rpm = unpacked.join("usr/lib/acme/acme-edge/bin/acme-edge");
    assert!(fs::read(&program).expect("a program") == fs::read(&program_of_rpm).expect("a program"));
    judge(&root, &program_of_rpm, &symbols(&unpacked));
    let link = symbols(&unpacked).with_extension("");
    assert_eq!(link.canonicalize().expect("a link"), program_of_rpm.canonicalize().expect("a program"));
    let query = |arguments: &[&str]| output("rpm", &[&["-qp"][..], arguments, &[utf8(&debuginfo)]].concat());
    assert!(query(&["--provides"]).contains(&format!("debuginfo(build-id) = {id}\n")));
    let requires = query(&["--requires"]);
    assert!(requires.lines().all(|line| line.starts_with("rpmlib(")), "{requires}");
    assert_eq!(query(&["--qf", "%{GROUP}"]), "Development/Debug");
    let listed = query(&["-l"]);
    let directory = format!("/usr/lib/debug/.build-id/{}", &id[..2]);
    let expected = [
        "/usr/lib/debug/.build-id",
        &directory,
        &format!("{directory}/{}", &id[2..]),
        &format!("{directory}/{}.debug", &id[2..]),
    ];
    assert_eq!(listed.lines().collect::<Vec<_>>(), expected);
    let report = Command::new("rpmlint").args([utf8(&rpm), utf8(&debuginfo)]).output().expect("rpmlint");
    let report = String::from_utf8_lossy(&report.stdout).into_owned();
    // rpmlint says these of what find-debuginfo makes as well: it takes the files for libraries, and the link leads into
    // the other package.
    let known = [
        "unstripped-binary-or-object",
        "shared-library-without-dependency-information",
        "dangling-relative-symlink",
        "no-documentation",
        "no-signature",
        "invalid-license",
    ];
    let found: Vec<&str> = report
        .lines()
        .filter(|line| line.starts_with("acme-edge-debuginfo."))
        .filter(|line| !known.iter().any(|tag| line.contains(tag)))
        .collect();
    assert!(found.is_empty(), "{report}");

    // Another directory and another cache give the same bytes.
    let other = place.path().join("a/much/longer/second");
    fs::create_dir_all(&other).expect("made");
    repository(&other, true);
    assert_eq!(build(&other), artefacts);

    // A repository takes them beside their packages.
    let key = place.path().join("key");
    packhouse(&root, &["key", "generate", utf8(&key), "--algorithm", "ed25519"]);
    let list = out.join("packhouse-artefacts.json");
    let published = place.path().join("published");
    packhouse(&root, &["repo", "init", utf8(&published), "--key", utf8(&key)]);
    let arguments = ["publish", utf8(&list), "--repo", utf8(&published), "--suite", "{target}", "--key", utf8(&key)];
    packhouse(&root, &arguments);
    let all = walk(&published);
    for (start, end) in [("acme-edge-dbgsym_", ".deb"), ("acme-edge-debuginfo-", ".rpm")] {
        assert!(all.iter().any(|name| name.starts_with(start) && name.ends_with(end)), "{all:?}");
    }
}

/// All file names below `directory`.
fn walk(directory: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let entry = entry.expect("an entry");
        if entry.file_type().expect("a type").is_dir() {
            names.extend(walk(&entry.path()));
        } else {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names
}

#[test]
fn without_the_setting_nothing_of_symbols_is_made() {
    let place = tempfile::tempdir().expect("a directory");
    let root = place.path().join("plain");
    repository(&root, false);
    let artefacts = build(&root);
    assert_eq!(artefacts.len(), 2, "{artefacts:?}");
    assert!(!artefacts.iter().any(|(file, _)| file.contains("dbgsym") || file.contains("debuginfo")), "{artefacts:?}");
}
