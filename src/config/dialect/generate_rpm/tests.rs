use std::path::{Path, PathBuf};

use super::super::keys;
use super::super::manifest::CrateManifest;
use super::super::options::{Options, Overlay, Overrides};
use super::super::{Note, Tables};
use crate::config::error::Error;
use crate::config::files::{FileKind, FileSettings, FileSource};
use crate::config::scripts::{Stage, TextSource};
use crate::config::{RelationKind, Selector};
use crate::target::Format;
use crate::tree::{Marks, Role};

/// A repository with one crate.
struct Project {
    _keep: tempfile::TempDir,
    root: PathBuf,
    directory: PathBuf,
}

const PACKAGE: &str = "[package]\nname = \"Demo_tool\"\nversion = \"1.2.0\"\nedition = \"2021\"\nlicense = \"MIT\"\n\
                       description = \"Shows how it is done.\"\nrepository = \"https://example.org/demo\"\n\n";

impl Project {
    /// A crate that is the repository, with this after its `[package]`.
    fn new(table: &str) -> Self {
        Self::at("", "", table)
    }

    /// A crate in `directory` of a workspace whose manifest says `workspace`.
    fn at(directory: &str, workspace: &str, table: &str) -> Self {
        let keep = tempfile::tempdir().expect("a directory");
        let root = keep.path().canonicalize().expect("a path");
        let project = Self { _keep: keep, root, directory: PathBuf::from(directory) };
        if !workspace.is_empty() {
            project.file("Cargo.toml", workspace);
        }
        project.file(&format!("{directory}/src/main.rs"), "fn main() {}");
        project.file(&format!("{directory}/Cargo.toml"), &format!("{PACKAGE}{table}"));
        project
    }

    fn file(&self, path: &str, text: &str) {
        let path = self.root.join(path.trim_start_matches('/'));
        fs_err::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs_err::write(path, text).expect("written");
    }

    fn read(&self, options: &Options) -> Result<(Option<Tables>, Vec<Note>), Error> {
        let manifest = CrateManifest::read(&self.root, &self.directory.join("Cargo.toml"))?;
        let mut notes = Vec::new();
        let tables = super::read(&manifest, options, &mut notes)?;
        Ok((tables, notes))
    }

    fn tables(&self, options: &Options) -> (Tables, Vec<String>) {
        let (tables, notes) = self.read(options).expect("a good table");
        (tables.expect("a table"), notes.iter().map(ToString::to_string).collect())
    }

    fn error(&self, options: &Options) -> String {
        match self.read(options) {
            Ok(_) => String::from("no error"),
            Err(error) => shown(&error),
        }
    }
}

/// Place, message and hints.
fn shown(error: &Error) -> String {
    use crate::diagnostic::Diagnose as _;
    let place = error.location().map(|location| {
        let (line, column) = location.line_and_column();
        format!("{}:{line}:{column}: ", location.path.display())
    });
    format!("{}{error} [{}]", place.unwrap_or_default(), error.hints().join("; "))
}

fn overlays(overlays: &[Overlay]) -> Options {
    Options { overlays: overlays.to_vec(), ..Options::default() }
}

fn text(text: &str) -> Overlay {
    Overlay::Text(text.to_owned())
}

/// Every file with its source, mode, owner and marks, on a line.
fn files(files: &[FileSettings]) -> Vec<String> {
    let one = |file: &FileSettings| {
        let source = match &file.kind {
            FileKind::File(FileSource::Built { path, .. }) => format!("built {}", path.display()),
            FileKind::File(FileSource::BuiltGlob { pattern, base, .. }) => {
                format!("built {} from {}", pattern.glob(), base.display())
            }
            FileKind::File(FileSource::Path(path)) => path.display().to_string(),
            FileKind::File(FileSource::Glob { .. }) => "pattern".to_owned(),
            FileKind::Directory => "directory".to_owned(),
            other => format!("{other:?}"),
        };
        let mode = file.mode.map_or("as it is".to_owned(), |mode| format!("{mode:o}"));
        let owner = format!("{}:{}", file.user.as_deref().unwrap_or("-"), file.group.as_deref().unwrap_or("-"));
        let Marks { replaceable, may_be_missing, documentation } = file.marks;
        let marks = [(replaceable, " replaceable"), (may_be_missing, " missingok"), (documentation, " doc")];
        let marks: String = marks.into_iter().filter(|(set, _)| *set).map(|(_, name)| name).collect();
        let caps = file.capabilities.as_deref().map(|caps| format!(" {caps}")).unwrap_or_default();
        let into = if file.into { "/" } else { "" };
        format!("{}{into} <- {source}, {mode} {owner} {:?}{marks}{caps}", file.path, file.role)
    };
    files.iter().map(one).collect()
}

const HEAD: &str = "[package.metadata.generate-rpm]\n";
const ASSETS: &str = "assets = [{ source = \"target/release/demo\", dest = \"/usr/bin/demo\" }]\n";

#[test]
fn a_crate_without_a_table_has_no_settings() {
    assert!(Project::new("").read(&Options::default()).expect("no error").0.is_none());
}

#[test]
fn identity_comes_from_the_table_and_else_from_the_manifest() {
    let (Tables { rpm, deb }, notes) = Project::new(&format!("{HEAD}{ASSETS}")).tables(&Options::default());
    assert_eq!(rpm.package.as_ref().map(ToString::to_string).as_deref(), Some("Demo_tool"), "as the crate is spelt");
    assert_eq!(deb.package.as_ref().map(ToString::to_string).as_deref(), Some("demo-tool"));
    assert_eq!(rpm.summary.as_deref(), Some("Shows how it is done."));
    assert_eq!(rpm.description.as_deref(), Some("Shows how it is done."));
    assert_eq!(rpm.homepage.as_deref(), Some("https://example.org/demo"));
    assert_eq!((rpm.version, rpm.revision, rpm.release_text, rpm.epoch), (None, None, None, None));
    assert_eq!(rpm.library_relations, Some(true));
    assert_eq!(notes, [""; 0]);

    let table = "name = \"other\"\nversion = \"2~rc1\"\nlicense = \"MIT/Apache-2.0\"\nsummary = \"One\\nline\"\n\
                 description = \"Much.\\n\\nMore.\"\nurl = \"https://other.example\"\nrelease = \"0.1.beta\"\nepoch = 3\n\
                 vendor = \"Acme\"\nauto-req = \"no\"\n";
    let (Tables { rpm, deb }, _) = Project::new(&format!("{HEAD}{table}{ASSETS}")).tables(&Options::default());
    assert_eq!(rpm.package.map(|name| name.to_string()).as_deref(), Some("other"));
    assert_eq!(rpm.version.as_deref(), Some("2-rc1"), "as a manifest has it");
    assert_eq!(rpm.license.as_deref(), Some("MIT OR Apache-2.0"));
    assert_eq!(rpm.summary.as_deref(), Some("One line"));
    assert_eq!(rpm.description.as_deref(), Some("Much.\n\nMore."));
    assert_eq!(rpm.homepage.as_deref(), Some("https://other.example"));
    assert_eq!((rpm.release_text.as_deref(), rpm.epoch), (Some("0.1.beta"), Some(3)));
    assert_eq!((rpm.vendor.as_deref(), rpm.library_relations), (Some("Acme"), Some(false)));
    assert_eq!((deb.release_text, deb.epoch), (None, Some(3)), "a release like this is no Debian revision");
}

#[test]
fn a_licence_that_spdx_does_not_know_gives_way_to_the_manifests() {
    let (Tables { rpm, .. }, notes) =
        Project::new(&format!("{HEAD}license = \"MPLv2.0\"\n{ASSETS}")).tables(&Options::default());
    assert_eq!(rpm.license, None);
    assert!(notes.concat().contains("the manifest's own licence is taken: `MIT`"), "{notes:?}");
}

#[test]
fn a_release_is_a_number_or_a_text() {
    for (written, revision, release) in [
        ("3", Some(3), None),
        ("\"3\"", Some(3), None),
        ("\"0\"", None, Some("0")),
        ("\"2.fc40\"", None, Some("2.fc40")),
    ] {
        let project = Project::new(&format!("{HEAD}release = {written}\n{ASSETS}"));
        let (Tables { rpm, .. }, _) = project.tables(&Options::default());
        assert_eq!((rpm.revision, rpm.release_text.as_deref()), (revision, release), "{written}");
    }
    for wrong in ["true", "\"1-2\"", "\"\"", "[1]"] {
        let error = Project::new(&format!("{HEAD}release = {wrong}\n{ASSETS}")).error(&Options::default());
        assert!(error.starts_with("Cargo.toml:10:"), "{error}");
    }
}

#[test]
fn assets_keep_their_marks_and_take_their_mode_from_the_file_when_none_is_given() {
    let project = Project::new(
        r#"[package.metadata.generate-rpm]
assets = [
  { source = "target/release/demo", dest = "/usr/bin/" },
  { source = "target/release/*.so", dest = "/usr/lib64/demo", mode = "0100755" },
  { source = "README.md", dest = "/usr/share/doc/demo/", mode = "644", doc = true },
  { source = "a.conf", dest = "/etc/demo/a.conf", config = true },
  { source = "a.conf", dest = "/etc/demo/b.conf", config = "noreplace", user = "demo", group = "adm" },
  { source = "a.conf", dest = "/etc/demo/c.conf", config = "missingok", mode = "640" },
  { source = "a.conf", dest = "/etc/demo/d.conf", config = ["noreplace", "missingok"], doc = true },
  { source = "a.conf", dest = "/etc/demo/e.conf", config = false },
  { source = "share/*/x*.txt", dest = "/usr/share/demo" },
  { dest = "/var/lib/demo", dir = true, mode = "750", user = "demo" },
  { source = "run", dest = "/lib/systemd/system/demo.service", caps = "CAP_NET_RAW=ep" },
]
"#,
    );
    for file in ["README.md", "a.conf", "share/one/x1.txt", "share/two/x{2}.txt", "share/two/y.txt", "run"] {
        project.file(file, file);
    }
    let (Tables { rpm, deb }, notes) = project.tables(&Options::default());
    assert_eq!(
        files(&rpm.files),
        [
            "/usr/bin/demo <- built demo, as it is -:- Plain",
            "/usr/lib64/demo/ <- built *.so from , 755 -:- Plain",
            "/usr/share/doc/demo/README.md <- README.md, 644 -:- Documentation doc",
            "/etc/demo/a.conf <- a.conf, as it is -:- Config replaceable",
            "/etc/demo/b.conf <- a.conf, as it is demo:adm Config",
            "/etc/demo/c.conf <- a.conf, 640 -:- Config replaceable missingok",
            "/etc/demo/d.conf <- a.conf, as it is -:- Config missingok doc",
            "/etc/demo/e.conf <- a.conf, as it is -:- Plain",
            "/usr/share/demo/one/x1.txt <- share/one/x1.txt, as it is -:- Plain",
            "/usr/share/demo/two/x{2}.txt <- share/two/x{2}.txt, as it is -:- Plain",
            "/var/lib/demo <- directory, 750 demo:- Plain",
            "/usr/lib/systemd/system/demo.service <- run, as it is -:- Plain cap_net_raw=ep",
        ]
    );
    let in_etc = |file: &&FileSettings| file.path.as_str().starts_with("/etc/");
    assert!(deb.files.iter().filter(in_etc).all(|file| file.role == Role::Config), "as Policy 10.7.2 has it");
    assert_eq!(notes.len(), 2, "{notes:?}");
    for part in ["/usr/lib/systemd/system/demo.service", "`/usr/lib64` must not be used by packages of Debian"] {
        assert!(notes.concat().contains(part), "{notes:?}");
    }
}

#[test]
fn a_source_is_looked_for_in_the_workspace_and_then_in_the_crate() {
    let table = r#"[package.metadata.generate-rpm]
assets = [
  { source = "both.txt", dest = "/usr/share/demo/" },
  { source = "own.txt", dest = "/usr/share/demo/" },
  { source = "data/*", dest = "/usr/share/demo/" },
  { source = "../../target/release/demo", dest = "/usr/bin/" },
  { source = "neither.txt", dest = "/usr/share/demo/" },
]
post_install_script = "post.sh"
"#;
    let project = Project::at("crates/demo", "[workspace]\nmembers = [\"crates/*\"]\n", table);
    for file in ["both.txt", "crates/demo/both.txt", "crates/demo/own.txt", "crates/demo/data/x", "post.sh"] {
        project.file(file, file);
    }
    let (Tables { rpm, .. }, _) = project.tables(&Options::default());
    let sources: Vec<String> =
        files(&rpm.files).iter().map(|file| file.split(" <- ").nth(1).expect("a source").to_owned()).collect();
    assert_eq!(
        sources,
        [
            "../../both.txt, as it is -:- Plain",
            "own.txt, as it is -:- Plain",
            "data/x, as it is -:- Plain",
            "built demo, as it is -:- Plain",
            "neither.txt, as it is -:- Plain"
        ]
    );
    assert_eq!(
        rpm.scripts.stages.get(&Stage::PostInstall).map(|script| &script.text),
        Some(&TextSource::Inline("post.sh".to_owned()))
    );
    assert_eq!(rpm.read, [Path::new("../../post.sh")]);
}

#[test]
fn scripts_stand_in_the_table_or_in_a_file_of_the_repository_and_nowhere_else() {
    let table = r#"
pre_install_script = "echo one"
pre_install_script_flags = 0b1101
pre_install_script_prog = ["/usr/bin/bash", "-e", "-e"]
post_install_script = "packaging/post"
post_uninstall_script = "/sbin/ldconfig"
pre_uninstall_script = "scripts/gone.sh"
post_trans_script_flags = 1
"#;
    let project = Project::new(&format!("{HEAD}{ASSETS}{table}"));
    project.file("packaging/post", "echo two\n");
    let (Tables { rpm, .. }, notes) = project.tables(&Options::default());
    let of = |stage: Stage| {
        let script = rpm.scripts.stages.get(&stage)?;
        let TextSource::Inline(text) = &script.text else { return None };
        assert_eq!(script.written_for, Format::Rpm);
        Some(format!("{text}|{}|{}", script.interpreter.join(" "), script.flags))
    };
    assert_eq!(of(Stage::PreInstall).as_deref(), Some("echo one|/usr/bin/bash -e -e|5"));
    assert_eq!(of(Stage::PostInstall).as_deref(), Some("echo two\n|/bin/sh|0"));
    assert_eq!(of(Stage::PostRemove).as_deref(), Some("/sbin/ldconfig|/bin/sh|0"), "the machine's own is not read");
    assert_eq!(of(Stage::PreRemove).as_deref(), Some("scripts/gone.sh|/bin/sh|0"));
    assert_eq!(of(Stage::PostTransaction), None);
    assert_eq!(rpm.read, [Path::new("packaging/post")]);
    let all = notes.join("\n");
    assert_eq!(notes.len(), 3, "{all}");
    for part in ["bits that rpm does not know", "`scripts/gone.sh` is no file", "`post_trans_script_flags` has no"] {
        assert!(all.contains(part), "{all}");
    }
}

#[test]
fn relations_are_those_of_an_rpm_and_a_deb_has_what_speaks_of_the_package_itself() {
    let table = r#"
[package.metadata.generate-rpm.requires]
git = "*"
filesystem = ">= 3, < 9"
"(a if b)" = ""
[package.metadata.generate-rpm.provides]
demo = "= 1.2"
[package.metadata.generate-rpm.obsoletes]
old-demo = "< 1"
[package.metadata.generate-rpm.supplements]
bash = ""
"#;
    let (Tables { rpm, deb }, notes) = Project::new(&format!("{HEAD}{ASSETS}{table}")).tables(&Options::default());
    let of = |all: &[(RelationKind, Selector, Vec<String>)]| {
        all.iter().map(|(kind, _, list)| format!("{kind:?}: {}", list.join(", "))).collect::<Vec<_>>()
    };
    assert_eq!(
        of(&rpm.relations.all),
        [
            "Depends: /bin/sh, (a if b), filesystem >= 3, filesystem < 9, git",
            "Replaces: old-demo < 1",
            "Provides: demo = 1.2",
            "Supplements: bash"
        ]
    );
    assert_eq!(
        of(&deb.relations.all),
        ["Conflicts: old-demo (<< 1)", "Replaces: old-demo (<< 1)", "Provides: demo (= 1.2)"]
    );
    assert_eq!(notes.len(), 1, "one for all that a .deb does without: {notes:?}");
    for part in ["`git`", "`filesystem`", "`(a if b)`", "`bash`", "depends = { deb = […] }"] {
        assert!(notes.concat().contains(part), "{part}: {notes:?}");
    }
    let debs = "\n[package.metadata.deb]\n";
    let (Tables { rpm, .. }, notes) =
        Project::new(&format!("{HEAD}{ASSETS}require-sh = false\n{table}{debs}")).tables(&Options::default());
    assert!(!of(&rpm.relations.all).concat().contains("/bin/sh"));
    assert_eq!(notes, [""; 0], "where a table of cargo-deb makes the .deb, nothing is lost");
}

#[test]
fn layers_speak_in_the_order_of_the_command_line_and_each_alone() {
    let project = Project::new(&format!(
        "{HEAD}{ASSETS}release = 1\nvendor = \"Base\"\n[package.metadata.generate-rpm.requires]\na = \"\"\n\
         [package.metadata.generate-rpm.variants.small]\nrelease = 2\n\
         [package.metadata.generate-rpm.variants.small.requires]\nb = \"\"\n"
    ));
    let file = |table: Option<&str>| Overlay::File {
        path: PathBuf::from("over.toml"),
        text: "release = 3\n[deep.table-1]\nrelease = 4\n".into(),
        table: table.map(str::to_owned),
    };
    let release = |all: &[Overlay]| project.tables(&overlays(all)).0.rpm.revision;
    let small = || Overlay::Variant("small".to_owned());
    assert_eq!(release(&[]), Some(1));
    assert_eq!(release(&[small()]), Some(2));
    assert_eq!(release(&[small(), file(Some("deep.table-1"))]), Some(4));
    assert_eq!(release(&[file(Some("deep.table-1")), small()]), Some(2));
    assert_eq!(release(&[small(), text("release = 5"), text("vendor = \"X\"")]), Some(5));
    let (Tables { rpm, .. }, _) = project.tables(&overlays(&[small()]));
    assert_eq!(rpm.vendor.as_deref(), Some("Base"), "what a layer does not say shows through");
    let depends: Vec<_> = rpm.relations.all.into_iter().flat_map(|(.., list)| list).collect();
    assert_eq!(depends, ["/bin/sh", "b"], "a table replaces a table");
    let (_, notes) = project.tables(&overlays(&[file(None)]));
    assert!(notes.concat().contains("over.toml:2:") && notes.concat().contains("`deep`"), "{notes:?}");
}

#[test]
fn errors_point_into_the_text_that_is_wrong() {
    let project = Project::new(&format!("{HEAD}{ASSETS}"));
    for (overlay, parts) in [
        (text("epoch = \"1\""), ["--set-metadata:1:9:", "must be an integer"]),
        (text("epoch = "), ["--set-metadata:1:", ""]),
        (Overlay::Variant("smal".to_owned()), ["no table `variants`", "did you mean"]),
        (
            Overlay::File { path: "x.toml".into(), text: "[a.bc]\n".into(), table: Some("a.bd".to_owned()) },
            ["x.toml:1:", "did you mean `bc`?"],
        ),
        (
            Overlay::File { path: "x.toml".into(), text: "".into(), table: Some("a.\"b\"".to_owned()) },
            ["is no dotted path", ""],
        ),
    ] {
        let error = project.error(&overlays(std::slice::from_ref(&overlay)));
        // There is no `variants` at all, and nothing near.
        let near = !matches!(overlay, Overlay::Variant(_));
        assert!(parts.iter().take(if near { 2 } else { 1 }).all(|part| error.contains(part)), "{error}");
    }
    for (table, part) in [
        ("assets = [{ source = \"x\", dest = \"/usr/bin/x\", mode = 755 }]", "Cargo.toml:10:"),
        ("assets = [{ source = \"x\", dest = \"/usr/bin/x\", config = \"noreplce\" }]", "did you mean `noreplace`?"),
        ("assets = [{ source = \"x\", dest = \"usr/bin/x\" }]", "write `/usr/bin/x`"),
        ("assets = [{ source = \"../x\", dest = \"/usr/bin/x\" }]", "leads out of the repository"),
        ("assets = [{ source = \"/etc/passwd\", dest = \"/usr/bin/x\" }]", "path of this machine"),
        ("assets = [{ source = \"none/*\", dest = \"/usr/bin/\" }]", "finds nothing"),
        ("assets = [{ dest = \"/usr/bin/x\" }]", "`package.metadata.generate-rpm.assets.source` is missing"),
        ("assets = [{ source = \"x\", dest = \"/x\", caps = \"cap_net_ra=ep\" }]", "did you mean `cap_net_raw`?"),
        ("release = 1", "`package.metadata.generate-rpm.assets` is missing"),
        ("assets = []\nrequires = { a = 1 }", "must be a string like"),
        ("assets = []\nrequires = { a = \"1.0\" }", "compares with no version"),
        ("assets = []\nrequires = [\"a\"]", "must be a table"),
        ("assets = []\npre_trans_script_prog = \"sh\"", "must be an array of strings"),
    ] {
        let error = Project::new(&format!("{HEAD}{table}\n")).error(&Options::default());
        assert!(error.contains(part), "{table}: {error}");
    }
}

#[test]
fn unknown_keys_are_notes_with_the_nearest_key() {
    let project = Project::new(&format!(
        "{HEAD}relase = 1\ngroup = \"Applications\"\n\
         assets = [{{ source = \"target/release/x\", dest = \"/usr/bin/x\", roup = \"root\", dir = false }}]\n"
    ));
    let (_, notes) = project.tables(&Options::default());
    let all = notes.join("\n");
    assert_eq!(notes.len(), 3, "{all}");
    for part in ["did you mean `release`?", "unknown key `group`", "did you mean `group`?"] {
        assert!(all.contains(part), "{part}: {all}");
    }
}

#[test]
fn switches_win_over_the_table() {
    let project = Project::new(&format!("{HEAD}auto-req = \"no\"\n{ASSETS}"));
    let overrides = Overrides { auto_req: Some(true), profile: Some("dist".to_owned()), ..Overrides::default() };
    let (Tables { rpm, .. }, _) = project.tables(&Options { overrides, ..Options::default() });
    assert_eq!(rpm.library_relations, Some(true));
    assert_eq!(rpm.rust.profile.as_deref(), Some("dist"));
}

#[test]
fn what_another_build_left_is_taken_as_it_lies_there_with_a_note() {
    let project = Project::new(
        "[package.metadata.generate-rpm]\nassets = [{ source = \"target/x86_64-unknown-linux-musl/release/demo\", dest = \"/usr/bin/demo\" }]\n",
    );
    project.file("target/x86_64-unknown-linux-musl/release/demo", "x");
    let (Tables { rpm, .. }, notes) = project.tables(&Options::default());
    assert_eq!(
        files(&rpm.files),
        ["/usr/bin/demo <- target/x86_64-unknown-linux-musl/release/demo, as it is -:- Plain"]
    );
    assert!(notes.concat().contains("taken as it lies there"), "{notes:?}");
}

#[test]
fn the_table_of_cargo_rpm_is_read_with_a_note() {
    let project = Project::new(
        r#"[package.metadata.rpm]
package = "demo"
output = "out"
[package.metadata.rpm.cargo]
buildflags = ["--release", "--locked"]
[package.metadata.rpm.targets]
demo = { path = "/usr/bin/demo" }
[package.metadata.rpm.files]
"../demo@.service" = { path = "/usr/lib/systemd/system/demo@.service" }
"demo.cron" = { path = "/etc/cron.d/demo", mode = "600", username = "root", owner = "x" }
[package.metadata.rpm.build_hooks]
man = ["make", "man"]
"#,
    );
    for file in ["demo@.service", ".rpm/demo.cron", ".rpm/demo.spec"] {
        project.file(file, file);
    }
    let (Tables { rpm, deb }, notes) = project.tables(&Options::default());
    assert_eq!(rpm.package.map(|name| name.to_string()).as_deref(), Some("demo"));
    assert_eq!(rpm.rust.cargo_arguments, ["--locked"]);
    assert_eq!(
        files(&rpm.files),
        [
            "/usr/bin/demo <- built demo, 755 -:- Plain",
            "/usr/lib/systemd/system/demo@.service <- demo@.service, 644 -:- Plain",
            "/etc/cron.d/demo <- .rpm/demo.cron, 600 root:- Plain",
        ]
    );
    assert_eq!(deb.files.last().map(|file| file.role), Some(Role::Config));
    let all = notes.join("\n");
    assert_eq!(notes.len(), 4, "{all}");
    for part in
        ["nobody maintains", "`.rpm/demo.spec` is not", "`build_hooks` are not run", "unknown key `owner`", "--out"]
    {
        assert!(all.contains(part), "{part}: {all}");
    }
}

#[test]
fn the_lists_of_keys_are_those_that_the_parser_asks_for() {
    let [ours, legacy] = &super::DIALECTS;
    let project = Project::new(&format!("{HEAD}{ASSETS}"));
    keys::check(ours, || drop(project.tables(&Options::default())));
    let project = Project::new(
        "[package.metadata.rpm]\ncargo = {}\ntargets.BIN = { path = \"/usr/bin/x\" }\nfiles.FILE = { path = \"/usr/share/x\" }\n",
    );
    keys::check(legacy, || drop(project.tables(&Options::default())));
}
