//! Man pages and completions: those of the repository, those made from `--help`, judged by groff and man.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::result_large_err,
    reason = "these are tests"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use packhouse::config::{self, Maintainer};
use packhouse::diagnostic::{Diagnose as _, ExitCode};
use packhouse::name::PackageName;
use packhouse::package::{self, Changelog, Error, Inputs, Learned, Package, Release, Staged, Version};
use packhouse::target::{Architecture, Target, distribution};
use packhouse::tree::{Content, InstallPath, Node, Tree};
use packhouse::workspace::{EcosystemKind, Kind, Member, Workspace};

const TIME: i64 = 1_767_225_600;

fn path(text: &str) -> InstallPath {
    InstallPath::parse(text).expect("a path")
}

/// A repository with one service, `acme-api`, and its command of the same name.
struct Repository {
    directory: tempfile::TempDir,
}

impl Repository {
    /// `service` is what stands in `[services.acme-api]`.
    fn new(service: &str) -> Self {
        let repository = Self { directory: tempfile::tempdir().expect("a directory") };
        repository.put(
            "packhouse.toml",
            format!(
                "[project]\norg = \"acme\"\nmaintainer = \"Acme Cloud <cloud@acme.example>\"\n\
                 homepage = \"https://acme.example/a~b\"\nlicense = \"Apache-2.0\"\n[services.acme-api]\n{service}"
            ),
        );
        repository.put("acme-api/pyproject.toml", "[project]\nname = \"acme-api\"\n");
        repository
    }

    fn put(&self, file: &str, text: impl AsRef<[u8]>) {
        let path = self.directory.path().join(file);
        fs::create_dir_all(path.parent().expect("a parent")).expect("mkdir");
        fs::write(path, text).expect("write");
    }

    fn package(&self, target: &str, help: Option<&str>) -> Result<Package, Error> {
        let settings = config::load(self.directory.path(), None).expect("settings");
        let name = PackageName::parse("acme-api").expect("a name");
        let member = Member {
            name,
            ecosystem_name: "acme-api".to_owned(),
            ecosystem: EcosystemKind::Python,
            kind: Kind::Service,
            path: PathBuf::from("acme-api"),
            manifest: PathBuf::from("acme-api/pyproject.toml"),
            version: Some("1.2.3".to_owned()),
            summary: Some("The 'interface' of the cloud \\ of \"Acme\".".to_owned()),
            license: None,
            reason: "a test".to_owned(),
            commands: vec!["acme-api".to_owned()],
            requires: Vec::new(),
            optional: BTreeMap::new(),
            dependencies: Vec::new(),
            unread: Vec::new(),
            submodule: None,
        };
        let workspace =
            Workspace { root: self.directory.path().canonicalize().expect("a root"), members: vec![member] };
        let target =
            Target { distribution: distribution(target).expect("a distribution"), architecture: Architecture::X86_64 };
        let version = Version {
            epoch: 0,
            debian: "1.2.3".to_owned(),
            rpm: "1.2.3".to_owned(),
            revision: format!("1{}", target.distribution.revision_suffix),
        };
        let author = Maintainer { name: "Ada Acme".to_owned(), mail: "ada@acme.example".to_owned() };
        let release = Release { version: version.clone(), time: TIME, author, changes: vec!["Begin".to_owned()] };
        let program = path("/usr/lib/acme/acme-api/bin/acme-api");
        let mut tree = Tree::new();
        tree.file(program.clone(), Content::bytes(&b"#!/bin/sh\n"[..]), 0o755).expect("free");
        let commands = vec![("acme-api".to_owned(), program)];
        let inputs = Inputs {
            settings: &settings,
            workspace: &workspace,
            member: &workspace.members[0],
            target: &target,
            staged: Staged { tree, commands, ..Staged::default() },
            version,
            changelog: Changelog { releases: vec![release] },
            time: TIME,
        };
        let help = help.map(|text| ("acme-api".to_owned(), text.to_owned()));
        package::assemble_with(inputs, &Learned { help: help.into_iter().collect(), ..Learned::default() })
    }

    /// The page that is made from `help`.
    fn page(&self, help: Option<&str>) -> String {
        page(&self.package("debian-12", help).expect("a package"), "/usr/share/man/man1/acme-api.1.gz")
    }
}

fn bytes(package: &Package, at: &str) -> Vec<u8> {
    let entry = package.tree.get(&path(at)).unwrap_or_else(|| panic!("{at} is missing"));
    let Node::File(content) = &entry.node else { panic!("{at} is no file") };
    let mut bytes = Vec::new();
    content.open().expect("it opens").read_to_end(&mut bytes).expect("it reads");
    bytes
}

fn page(package: &Package, at: &str) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes(package, at).as_slice()).read_to_string(&mut text).expect("gzip of UTF-8");
    text
}

fn has(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().expect("a shell");
    if !found.status.success() {
        println!("skipped: no {program} here");
    }
    found.status.success()
}

/// What groff and man say against a page: nothing. Gives what a reader sees.
fn assert_clean(page: &str) -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("acme-api.1");
    fs::write(&file, page).expect("written");
    if has("groff") {
        let judged = Command::new("groff")
            .args(["-man", "-Tutf8", "-k", "-ww", "-z"])
            .arg(&file)
            .env("LC_ALL", "C.UTF-8")
            .output()
            .expect("groff");
        let said = String::from_utf8_lossy(&judged.stderr).into_owned();
        assert!(judged.status.success() && said.is_empty(), "groff: {said}\n{page}");
    }
    if !has("man") {
        return String::new();
    }
    // As lintian calls it, but for its filter of warnings.
    let shown = Command::new("man")
        .args(["--warnings", "-E", "UTF-8", "-l"])
        .arg(&file)
        .envs([("MANWIDTH", "80"), ("LC_ALL", "C.UTF-8"), ("MAN_KEEP_FORMATTING", ""), ("MANROFFSEQ", "")])
        .stdin(Stdio::null())
        .output()
        .expect("man");
    let said = String::from_utf8_lossy(&shown.stderr);
    assert!(shown.status.success() && said.trim().is_empty(), "man: {said}\n{page}");
    String::from_utf8_lossy(&shown.stdout).into_owned()
}

const ARGPARSE: &str = "\
usage: acme-api [-h] [--config CONFIG] [--level {debug,info}]
                {run,stop} ...

Runs the API: it's \"quick\".

positional arguments:
  {run,stop}
    run                 Runs it
    stop                Stops it

options:
  -h, --help            show this help message and exit
  --config CONFIG       where `bind` is set (default: ~/.config/acme/with-a-very-long-name-that-does-not-end/acme-api.toml)

server options:
  --level {debug,info}  how much it says; 100% of it
                        or \\less

Report bugs.
";

#[test]
fn a_command_without_a_page_gets_one_from_its_help() {
    let repository = Repository::new("");
    let page = repository.page(Some(ARGPARSE));
    assert!(
        page.contains(".TH \"ACME\\-API\" \"1\" \"2026\\-01\\-01\" \"acme\\-api 1.2.3\" \"Acme Cloud\"\n"),
        "{page}"
    );
    assert!(page.contains("\nacme\\-api \\- \\(aqinterface\\(aq of the cloud"), "{page}");
    let shown = assert_clean(&page);
    if !shown.is_empty() {
        for text in [
            "acme-api - 'interface' of the cloud \\ of \"Acme\"",
            "[-h] [--config CONFIG] [--level {debug,info}] {run,stop} ...",
            "Runs the API: it's \"quick\".",
            "ARGUMENTS",
            "OPTIONS",
            "--config CONFIG",
            "where `bind` is set (default:",
            "server options",
            "how much it says; 100% of it or \\less",
            "NOTES",
            "Report bugs.",
            "https://acme.example/a~b",
        ] {
            assert!(shown.contains(text), "{text} is missing:\n{shown}");
        }
    }
    assert_eq!(page, repository.page(Some(ARGPARSE)), "the same every time");
    if has("lexgrog") {
        let file = repository.directory.path().join("acme-api.1");
        fs::write(&file, &page).expect("written");
        let whatis = Command::new("lexgrog").arg(&file).output().expect("lexgrog");
        assert!(String::from_utf8_lossy(&whatis.stdout).contains("acme-api - 'interface' of the cloud"));
    }
}

#[test]
fn clicks_and_claps_layouts_make_clean_pages_too() {
    let click = "Usage: acme-api [OPTIONS] COMMAND [ARGS]...\n\n  Does it.\n\n  * one\n  * two\n\nOptions:\n  --port INTEGER  \
                 The port  [default: 80]\n  --help          Show this message and exit.\n\nCommands:\n  run  Runs it.\n";
    let clap = "Does it \u{2013} at once\n\nUsage: acme-api [OPTIONS] <FILE>\n       acme-api --list\n\nArguments:\n  <FILE>\n          \
                What to read\n\nOptions:\n  -p, --port <PORT>\n          The port\n\n          More of it\n\n      --long\n          \
                Another\n\nExamples:\n  acme-api -p 1 'x y'\n  .dotfile\n";
    for (help, texts) in [
        (click, ["COMMANDS", "--port INTEGER", "* two", "[default: 80]"]),
        (clap, ["acme-api --list", "--long", "More of it", "acme-api -p 1 'x y'"]),
    ] {
        let shown = assert_clean(&Repository::new("").page(Some(help)));
        for text in texts.into_iter().filter(|_| !shown.is_empty()) {
            assert!(shown.contains(text), "{text} is missing:\n{shown}");
        }
    }
}

#[test]
fn a_hostile_help_says_only_words() {
    let secret = tempfile::NamedTempFile::new().expect("a file");
    secret.as_file().write_all(b"S3CRET\n").expect("written");
    let so = format!(".so {}", secret.path().display());
    let hostile = format!(
        "usage: acme-api \\X'x' .so\n\n{so}\n'so {0}\n\\!.so {0}\n.\\\" gone\n.de TH\n..\n.pso cat {0}\n\\\n\nOptions:\n{so}\n  \
         --a\"b\\fB\\n(.$ \\*[x]  {so}\n    {so}\n  {so}\n\n  \u{1b}]0;title\u{7}\u{1b}[31m--red\u{1b}[0m  \u{202e}bidi\u{0}\u{8}\n\n.TH:\n  .SH \
         \"x\n  '\n  .\n  \\\n  {1}\n",
        secret.path().display(),
        "w".repeat(5000)
    );
    let page = Repository::new("").page(Some(&hostile));
    for line in page.lines().filter(|line| line.starts_with(['.', '\''])) {
        let request = line.split([' ', '\\']).next().expect("a word");
        assert!(
            [".TH", ".SH", ".SS", ".PP", ".TP", ".IP", ".B", ".ad", ".nh", ".nf", ".fi", "."].contains(&request),
            "{line}"
        );
    }
    assert!(!page.contains(['\u{1b}', '\u{7}', '\u{202e}', '\0']));
    let shown = assert_clean(&page);
    assert!(!shown.contains("S3CRET"));
    assert!(shown.is_empty() || shown.contains(".so "), "{shown}");
    // More than any help is none: the page is made without it.
    let endless = format!("usage: acme-api\n\nOptions:\n{}", "  --x  y\n".repeat(1_200_000));
    let page = Repository::new("").page(Some(&endless));
    assert!(page.len() < 4096 && !page.contains("\\-\\-x"), "{}", page.len());
    assert_clean(&page);
}

#[test]
fn a_command_that_could_not_be_asked_gets_a_page_of_what_is_known() {
    let repository = Repository::new(
        "description = \"\"\"\nServes the API.\n\n.so what\n\"\"\"\nconfig = [\"etc/acme-api.toml\"]\n\
         [services.acme-api.systemd]\ncommand = \"acme-api\"\n",
    );
    repository.put("acme-api/etc/acme-api.toml", "bind = 1\n");
    for help in [None, Some("{\"no\": \"help\"}")] {
        let shown = assert_clean(&repository.page(help));
        for text in [
            "Serves the API.",
            ".so what",
            "/etc/acme/acme-api.toml",
            "/usr/lib/systemd/system/acme-api.service",
            "systemctl(1)",
        ] {
            assert!(shown.is_empty() || shown.contains(text), "{text} is missing:\n{shown}");
        }
    }
}

const PAGE: &str = ".TH ACME 1 2026-01-01\n.SH NAME\nacme-api \\- it\n";

#[test]
fn pages_of_the_repository_go_to_their_sections_compressed_without_a_time() {
    let repository = Repository::new("man = [\"man/acme-api.1\", \"man/acme*.5\", \"man/acme-old.8.gz\"]\n");
    repository.put("acme-api/man/acme-api.1", PAGE);
    repository.put("acme-api/man/acme.conf.5", ".Dd January 1, 2026\n.Dt ACME 5\n");
    repository.put("acme-api/man/acme-b.5", PAGE);
    repository.put("acme-api/man/other.5", "not looked at");
    let mut named = flate2::GzBuilder::new().mtime(77).filename("x").write(Vec::new(), flate2::Compression::fast());
    named.write_all(PAGE.as_bytes()).expect("written");
    repository.put("acme-api/man/acme-old.8.gz", named.finish().expect("gzip"));
    for target in ["debian-12", "el9"] {
        let package = repository.package(target, Some(ARGPARSE)).expect("a package");
        for at in ["man1/acme-api.1.gz", "man5/acme.conf.5.gz", "man5/acme-b.5.gz", "man8/acme-old.8.gz"] {
            let compressed = bytes(&package, &format!("/usr/share/man/{at}"));
            // No name, no time, and the mark of the best compression (RFC 1952).
            assert_eq!(compressed[3..9], [0, 0, 0, 0, 0, 2], "{at}");
        }
        assert_eq!(page(&package, "/usr/share/man/man1/acme-api.1.gz"), PAGE, "the command has its page");
        assert!(package.tree.get(&path("/usr/share/man/man5/other.5.gz")).is_none());
        let owned = package.owned_directories.iter().any(|directory| directory.as_str().starts_with("/usr/share/man"));
        assert!(!owned, "{:?}", package.owned_directories);
    }
}

fn refused(repository: &Repository, texts: &[&str]) {
    let error = repository.package("debian-12", None).expect_err("an error");
    let told = format!("{error} {}", error.hints().join(" "));
    assert_eq!(error.exit_code(), ExitCode::Usage, "{told}");
    texts.iter().for_each(|text| assert!(told.contains(text), "{text} is missing: {told}"));
}

#[test]
fn what_is_no_page_is_refused_with_a_hint() {
    let one = Repository::new("man = [\"man/acme-api.1\"]\n");
    refused(&one, &["man/acme-api.1", "does not exist", "correct the path"]);
    one.put("acme-api/man/acme-api.1", "# acme-api\n");
    refused(&one, &["no man page", ".TH"]);
    one.put("acme-api/man/acme-api.1", b".TH \xff\n");
    refused(&one, &["not UTF-8"]);
    fs::remove_file(one.directory.path().join("acme-api/man/acme-api.1")).expect("gone");
    std::os::unix::fs::symlink("/etc/passwd", one.directory.path().join("acme-api/man/acme-api.1")).expect("a link");
    refused(&one, &["leads out of the repository"]);
    let compressed = Repository::new("man = [\"man/acme-api.1.gz\"]\n");
    compressed.put("acme-api/man/acme-api.1.gz", PAGE);
    refused(&compressed, &["not compressed by gzip"]);
    let wild = Repository::new("man = [\"man/*.1\"]\n");
    refused(&wild, &["man/*.1", "no man page is named"]);
    wild.put("acme-api/man/bad name.1", PAGE);
    refused(&wild, &["bad name.1", "not the name of a man page"]);
}

#[test]
fn completions_go_where_each_shell_of_the_distribution_looks() {
    let keys = "completions = [\"c/acme-api.bash\", \"c/_acme-api\", \"c/acme-api.fish\"]\n";
    let repository = Repository::new(keys);
    for name in ["acme-api.bash", "_acme-api", "acme-api.fish"] {
        repository.put(&format!("acme-api/c/{name}"), format!("# {name}\n"));
    }
    let zsh = |target: &str| if target == "el9" { "zsh/site-functions" } else { "zsh/vendor-completions" };
    for target in ["debian-12", "ubuntu-24.04", "el9", "fedora-42"] {
        if distribution(target).is_none() {
            continue;
        }
        let zsh = if target.starts_with("fedora") { "zsh/site-functions" } else { zsh(target) };
        let package = repository.package(target, None).expect("a package");
        for (at, text) in [
            ("bash-completion/completions/acme-api".to_owned(), "# acme-api.bash\n"),
            ("fish/vendor_completions.d/acme-api.fish".to_owned(), "# acme-api.fish\n"),
            (format!("{zsh}/_acme-api"), "# _acme-api\n"),
        ] {
            assert_eq!(bytes(&package, &format!("/usr/share/{at}")), text.as_bytes(), "{target} {at}");
        }
    }
    let stranger = Repository::new("completions = [\"other.bash\"]\n");
    stranger.put("acme-api/other.bash", "");
    refused(&stranger, &["`other`", "none of the service's commands (acme-api)", "rename"]);
}

#[test]
fn an_unclear_name_is_refused_where_it_stands() {
    for (key, problem, hint) in [
        ("completions = [\"c/acme-api\"]", "for which shell", "NAME.bash"),
        ("man = [\"man/README\"]", "not the name of a man page", "section"),
        ("man = [\"*/acme-api.1\"]", "wildcard", "section"),
        ("removed-config = [{ path = \"/usr/x\", version = \"1\" }]", "below /etc", "installed"),
        ("removed-config = [{ path = \"/etc/x\", version = \"one\" }]", "no version", "first version"),
        ("removed-config = [{ path = \"/etc/x\" }]", "version", ""),
    ] {
        let repository = Repository::new(key);
        let error = config::load(repository.directory.path(), None).expect_err("an error");
        let told = format!("{error} {}", error.hints().join(" "));
        assert!(told.contains(problem) && told.contains(hint), "{key}: {told}");
        assert!(error.location().is_some(), "{key}");
    }
}
