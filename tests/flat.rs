//! A Rust service without a tree of its own: its programs, a library, an example and what its build script writes go where
//! the configuration says. dpkg and rpm are the judges.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "these are tests"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

const SETTINGS: &str = "[project]\norg = \"acme\"\nmaintainer = \"Acme Cloud <cloud@acme.example>\"\nlicense = \"MIT\"\n\
    targets = [\"debian-12\", \"el9\"]\n[targets.debian-12]\ncompression = \"xz\"\n\
    [services.acme-edge]\nsummary = \"edge of the Acme cloud\"\n";

const BUILT: &str = "layout = \"flat\"\npackage = \"edge-tools\"\npriority = \"important\"\n\
    add = { sbom = false, lintian-overrides = false }\n\
    [[services.acme-edge.files]]\ntype = \"built\"\nsource = \"acme-edge\"\npath = \"/usr/bin/\"\n\
    [[services.acme-edge.files]]\ntype = \"built\"\nsource = \"helper\"\npath = \"/usr/sbin/edge-helper\"\n\
    [[services.acme-edge.files]]\ntype = \"built\"\nsource = \"libacme_edge.so\"\npath = \"/usr/lib/edge-tools/\"\nmode = \"0644\"\n\
    [[services.acme-edge.files]]\ntype = \"built\"\nsource = \"examples/demo\"\npath = \"/usr/lib/edge-tools/demo\"\n\
    [[services.acme-edge.files]]\ntype = \"built\"\nsource = \"build/acme-edge-*/out/*.txt\"\npath = \"/usr/share/edge-tools/\"\n\
    [[services.acme-edge.files]]\nsource = \"edge.conf\"\npath = \"/etc/edge-tools/\"\n";

/// A cargo workspace of two crates at `root`, locked and vendored; `settings` follow those of the project.
fn repository(root: &Path, settings: &str) {
    let put = |path: &str, text: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, text).expect("written");
    };
    put("packhouse.toml", &format!("{SETTINGS}{settings}"));
    put(
        "Cargo.toml",
        "[workspace]\nmembers = [\"edge\", \"helper\"]\nresolver = \"3\"\n[profile.release]\nopt-level = 0\n",
    );
    put(
        "edge/Cargo.toml",
        "[package]\nname = \"acme-edge\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n",
    );
    let main = "fn main() {\n    println!(\"usage: acme-edge [OPTIONS]\\n\\nOptions:\\n  --port <PORT>  where it listens\");\n}\n";
    put("edge/src/main.rs", main);
    put("edge/src/bin/unwanted.rs", "compile_error!(\"nobody asked for it\");\n");
    put("edge/src/lib.rs", "#[unsafe(no_mangle)]\npub extern \"C\" fn acme_edge() -> i32 { 41 }\n");
    put("edge/examples/demo.rs", "fn main() {}\n");
    put(
        "edge/build.rs",
        "fn main() {\n    let out = std::path::PathBuf::from(std::env::var_os(\"OUT_DIR\").unwrap());\n    \
         std::fs::write(out.join(\"words.txt\"), \"words\").unwrap();\n    println!(\"cargo::rerun-if-changed=build.rs\");\n}\n",
    );
    put("edge/edge.conf", "port = 80\n");
    put("helper/Cargo.toml", "[package]\nname = \"helper\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    put("helper/src/main.rs", "fn main() {}\n");
    for arguments in [&["init", "-q"][..], &["add", "-A"], &["commit", "-q", "-m", "Begin"]] {
        let mut git = Command::new("git");
        git.current_dir(root).args(arguments);
        for (name, value) in [("NAME", "Ada"), ("EMAIL", "ada@acme.example"), ("DATE", "2026-01-02T03:04:05Z")] {
            git.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
        }
        assert!(git.status().expect("git").success());
    }
    for step in ["lock", "vendor"] {
        packhouse(root, &[step]).expect(step);
    }
}

/// What it printed; else what it complained of.
fn packhouse(root: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_packhouse"));
    command.current_dir(root).args(arguments).env("PACKHOUSE_CACHE_DIR", root.with_extension("cache"));
    command.env_remove("SOURCE_DATE_EPOCH");
    let output = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(String::from_utf8_lossy(&output.stdout).into_owned() + &said) } else { Err(said) }
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).env("LC_ALL", "C.UTF-8").env("TZ", "UTC").output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Mode and path of each file of a .deb, directories left out.
fn members(deb: &Path) -> Vec<String> {
    let listing = output("dpkg-deb", &["--contents", deb.to_str().expect("UTF-8")]);
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        (!words[0].starts_with('d')).then(|| format!("{} {}", words[0], words[5..].join(" ")))
    };
    listing.lines().filter_map(line).collect()
}

#[test]
fn what_cargo_makes_goes_where_the_files_say_and_no_tree_is_made() {
    let place = tempfile::tempdir().expect("a directory");
    let root = place.path().join("repository");
    repository(&root, BUILT);
    packhouse(&root, &["build", "--out", "out"]).expect("built");

    let deb = root.join("out/edge-tools_1.0.0-1~deb12u1_amd64.deb");
    assert_eq!(
        members(&deb),
        [
            "-rw-r--r-- ./etc/edge-tools/edge.conf",
            "-rwxr-xr-x ./usr/bin/acme-edge",
            "-rwxr-xr-x ./usr/lib/edge-tools/demo",
            "-rw-r--r-- ./usr/lib/edge-tools/libacme_edge.so",
            "-rwxr-xr-x ./usr/sbin/edge-helper",
            "-rw-r--r-- ./usr/share/doc/edge-tools/changelog.Debian.gz",
            "-rw-r--r-- ./usr/share/doc/edge-tools/copyright",
            "-rw-r--r-- ./usr/share/edge-tools/words.txt",
            "-rw-r--r-- ./usr/share/man/man1/acme-edge.1.gz",
            "-rw-r--r-- ./usr/share/man/man1/edge-helper.1.gz",
        ]
    );
    let field = |name: &str| output("dpkg-deb", &["--field", deb.to_str().expect("UTF-8"), name]);
    assert_eq!((field("Package").trim(), field("Priority").trim()), ("edge-tools", "important"));
    assert!(field("Depends").contains("libc6 (>="), "{}", field("Depends"));
    let unpacked = place.path().join("unpacked");
    output("dpkg-deb", &["--raw-extract", deb.to_str().expect("UTF-8"), unpacked.to_str().expect("UTF-8")]);
    assert_eq!(
        fs::read_to_string(unpacked.join("DEBIAN/conffiles")).expect("conffiles"),
        "/etc/edge-tools/edge.conf\n"
    );
    let page = unpacked.join("usr/share/man/man1/acme-edge.1.gz");
    let page = output("gzip", &["-dc", page.to_str().expect("UTF-8")]);
    assert!(page.contains("where it listens"), "its page is made from what it prints: {page}");

    let rpm = root.join("out/edge-tools-1.0.0-1.el9.x86_64.rpm");
    let listing = output("rpm", &["-qlvp", rpm.to_str().expect("UTF-8")]);
    for file in ["/usr/bin/acme-edge", "/usr/sbin/edge-helper", "/usr/lib/edge-tools/libacme_edge.so"] {
        assert!(listing.lines().any(|line| line.ends_with(file)), "{file}: {listing}");
    }
    assert!(!listing.contains("/usr/lib/acme"), "{listing}");

    let said = packhouse(&root, &["build", "--out", "out"]).expect("built again");
    assert!(said.contains("Fresh"), "{said}");
    // A change of the build script shows.
    let script = root.join("edge/build.rs");
    let text = fs::read_to_string(&script).expect("read").replace("\"words\"", "\"other words\"");
    fs::write(&script, text).expect("written");
    packhouse(&root, &["build", "--out", "out", "--target", "debian-12"]).expect("built");
    output("dpkg-deb", &["--extract", deb.to_str().expect("UTF-8"), unpacked.to_str().expect("UTF-8")]);
    assert_eq!(fs::read_to_string(unpacked.join("usr/share/edge-tools/words.txt")).expect("read"), "other words");
}

#[test]
fn without_files_the_commands_themselves_are_installed() {
    let place = tempfile::tempdir().expect("a directory");
    let root = place.path().join("repository");
    repository(&root, "layout = \"flat\"\ncommands = [\"acme-edge\"]\nadd = { man-pages = false, md5sums = false }\n");
    fs::remove_file(root.join("edge/src/bin/unwanted.rs")).expect("removed");
    packhouse(&root, &["build", "acme-edge", "--out", "out", "--target", "debian-12"]).expect("built");
    let members = members(&root.join("out/acme-edge_1.0.0-1~deb12u1_amd64.deb"));
    assert!(members.contains(&"-rwxr-xr-x ./usr/bin/acme-edge".to_owned()), "{members:?}");
    assert!(!members.iter().any(|member| member.contains("/usr/lib/") || member.contains("/man/")), "{members:?}");
}

#[test]
fn a_file_that_cargo_does_not_make_is_an_error_that_says_what_it_made() {
    let place = tempfile::tempdir().expect("a directory");
    let root = place.path().join("repository");
    repository(
        &root,
        "layout = \"flat\"\n[[services.acme-edge.files]]\ntype = \"built\"\nsource = \"acme-edge.1\"\npath = \"/usr/share/x/\"\n\
         [[services.acme-edge.files]]\ntype = \"built\"\nsource = \"acme-edge\"\npath = \"/usr/bin/\"\n",
    );
    let said = packhouse(&root, &["build", "acme-edge", "--out", "out", "--target", "debian-12"]).expect_err("refused");
    assert!(said.contains("cargo makes no file `acme-edge.1`; it made acme-edge"), "{said}");
}
