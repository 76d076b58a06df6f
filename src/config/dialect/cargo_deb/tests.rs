use std::path::PathBuf;

use super::super::keys;
use super::super::manifest::CrateManifest;
use super::super::options::{Options, Overlay, Overrides};
use super::super::{Note, Tables};
use super::DIALECT;
use crate::config::error::Error;
use crate::config::{FileKind, FileSettings, FileSource, MultiArch, RelationKind, RelationSettings, Stage, TextSource};
use crate::diagnostic::Diagnose as _;
use crate::target::{Architecture, Format, Target, distribution};
use crate::tree::Role;

/// A repository with a crate in `crates/app` of a workspace.
struct Project {
    _keep: tempfile::TempDir,
    root: PathBuf,
}

const WORKSPACE: &str = "[workspace]\nmembers = [\"crates/app\"]\n[workspace.package]\nauthors = [\"Ada <ada@example.org>\", \"Bob\"]\n\
                         repository = \"https://example.org/app\"\n[profile.release]\nopt-level = 3\n";

const PACKAGE: &str = "[package]\nname = \"my_App\"\nversion = \"1.2.0\"\nedition = \"2021\"\ndescription = \"Shows it.\"\n\
                       license = \"MIT\"\nauthors.workspace = true\nrepository.workspace = true\n\n";

impl Project {
    fn new(table: &str) -> Self {
        let keep = tempfile::tempdir().unwrap();
        let root = keep.path().canonicalize().unwrap();
        let project = Self { _keep: keep, root };
        project.file("Cargo.toml", WORKSPACE);
        project.file("crates/app/src/main.rs", "fn main() {}");
        project.file("crates/app/Cargo.toml", &format!("{PACKAGE}[package.metadata.deb]\n{table}"));
        project
    }

    fn file(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }

    fn with(self, files: &[(&str, &str)]) -> Self {
        files.iter().for_each(|(path, text)| self.file(&format!("crates/app/{path}"), text));
        self
    }

    fn read(&self, options: &Options) -> Result<(Option<Tables>, Vec<Note>), Error> {
        let manifest = CrateManifest::read(&self.root, "crates/app/Cargo.toml".as_ref())?;
        let mut notes = Vec::new();
        let tables = super::read(&manifest, options, &mut notes)?;
        Ok((tables, notes))
    }

    fn tables(&self, options: &Options) -> (Tables, Vec<String>) {
        let (tables, notes) = match self.read(options) {
            Ok(read) => read,
            Err(error) => panic!("{}", shown(&error)),
        };
        (tables.unwrap(), notes.iter().map(ToString::to_string).collect())
    }

    /// The settings for a .deb; there must be nothing to note.
    fn deb(&self) -> crate::config::ServiceSettings {
        let (tables, notes) = self.tables(&Options::default());
        assert_eq!(notes, [""; 0]);
        tables.deb
    }

    fn error(&self) -> String {
        self.read(&Options::default()).map_or_else(|error| shown(&error), |_| "no error".to_owned())
    }
}

/// Place, message and hints.
fn shown(error: &Error) -> String {
    let place =
        error.location().map(|location| format!("{}:{}: ", location.path.display(), location.line_and_column().0));
    format!("{}{error} [{}]", place.unwrap_or_default(), error.hints().join("; "))
}

fn variant(name: &str) -> Options {
    Options { overlays: vec![Overlay::Variant(name.to_owned())], ..Options::default() }
}

/// `mode source -> path`, one line per file.
fn listing(files: &[FileSettings]) -> Vec<String> {
    let mut lines: Vec<String> = files
        .iter()
        .map(|file| {
            let what = match &file.kind {
                FileKind::File(FileSource::Path(path)) => path.display().to_string(),
                FileKind::File(FileSource::Built { path, .. }) => format!("built {}", path.display()),
                FileKind::File(FileSource::BuiltGlob { base, pattern, .. }) => {
                    format!("built {} in {}", pattern.glob().glob(), base.display())
                }
                FileKind::Symlink { target } => format!("link to {target}"),
                other => format!("{other:?}"),
            };
            let mode = file.mode.map_or("-".to_owned(), |mode| format!("{mode:o}"));
            let end = [(file.into, "/"), (file.compress, " gz"), (file.role == Role::Config, " config")];
            let end: String = end.into_iter().filter(|(is, _)| *is).map(|(_, text)| text).collect();
            format!("{mode} {what} -> {}{end}", file.path)
        })
        .collect();
    lines.sort();
    lines
}

fn debian(architecture: Architecture) -> Target {
    Target { distribution: distribution("debian-12").unwrap(), architecture }
}

fn rpm() -> Target {
    Target { distribution: distribution("el9").unwrap(), architecture: Architecture::X86_64 }
}

fn amd64(relations: &RelationSettings, kind: RelationKind) -> Vec<String> {
    relations.get(kind, &debian(Architecture::X86_64))
}

#[test]
fn a_crate_without_keys_is_packaged_as_cargo_deb_does_it() {
    let project = Project::new("").with(&[("README.md", "# my_App\n\nIt shows\nthings.\n\n## More\n\nno\n")]);
    let settings = project.deb();
    assert_eq!(settings.package.unwrap().as_str(), "my-app");
    assert_eq!(settings.maintainer.unwrap().to_string(), "Ada <ada@example.org>");
    assert_eq!(settings.copyright.as_deref(), Some("Ada <ada@example.org>, Bob"));
    assert_eq!(settings.homepage.as_deref(), Some("https://example.org/app"));
    assert_eq!(settings.description.as_deref(), Some("It shows\nthings."));
    assert_eq!(settings.library_relations, Some(true), "no `depends` is `$auto`");
    assert_eq!(
        listing(&settings.files),
        ["644 README.md -> /usr/share/doc/my-app/README.md", "755 built my_App -> /usr/bin/my_App"]
    );
    assert_eq!(settings.read, [PathBuf::from("README.md")]);
    assert_eq!(settings.rust.profile.as_deref(), Some("release"));
}

#[test]
fn assets_are_taken_in_all_their_forms() {
    let project = Project::new(
        r#"profile = "dist"
        assets = [
            ["target/release/my_App", "usr/bin/", "755"],
            ["target/dist/tool", "usr/bin/renamed", "4755"],
            ["../../target/release/helper", "/usr/libexec/app/"],
            ["target/release/examples/demo", "usr/share/app/"],
            ["target/release/out/*.1", "usr/share/man/man1/", "644"],
            { source = "conf/app.toml", dest = "etc/app/app.toml", mode = "640" },
            ["conf/**/*", "usr/share/app/conf", "644"],
            ["man/app.1", "usr/share/man/man1/app.1", "644"],
            ["../../NEWS", "usr/share/doc/my-app/NEWS", "644"],
            { dest = "usr/bin/alias", link_name = "/usr/share/app/x" },
        ]"#,
    )
    .with(&[("conf/app.toml", ""), ("conf/sub/.hidden", ""), ("man/app.1", "")]);
    project.file("NEWS", "");
    assert_eq!(
        listing(&project.deb().files),
        [
            "- built examples/demo -> /usr/share/app/demo",
            "- built helper -> /usr/libexec/app/helper",
            "- link to /usr/share/app/x -> /usr/bin/alias",
            "4755 built tool -> /usr/bin/renamed",
            "640 conf/app.toml -> /etc/app/app.toml config",
            "644 ../../NEWS -> /usr/share/doc/my-app/NEWS gz",
            "644 built out/*.1 in out -> /usr/share/man/man1/ gz",
            "644 conf/app.toml -> /usr/share/app/conf/app.toml",
            "644 conf/sub/.hidden -> /usr/share/app/conf/sub/.hidden",
            "644 man/app.1 -> /usr/share/man/man1/app.1 gz",
            "755 built my_App -> /usr/bin/my_App",
        ]
    );
}

#[test]
fn what_cannot_be_an_asset_is_an_error_with_its_place() {
    for (assets, message) in [
        ("[[\"a\"]]", "an asset has a source"),
        ("[\"$all\"]", "`$all` is no asset"),
        ("[{ source = \"x\" }]", "the asset has no `dest`"),
        ("[[\"x\", \"y\", \"rwx\"]]", "`rwx` is no mode"),
        ("[[\"nowhere\", \"usr/share/\", \"644\"]]", "`nowhere` does not exist"),
        ("[[\"no/*\", \"usr/share/\", \"644\"]]", "finds nothing"),
        ("[[\"/etc/passwd\", \"usr/share/\", \"644\"]]", "is a path of this machine"),
        ("[[\"../../../x\", \"usr/share/\", \"644\"]]", "leads out of the repository"),
        ("[[\"target/debug/app\", \"usr/bin/\", \"755\"]]", "a plain `cargo build`"),
        ("[[\"target/x86_64-unknown-linux-gnu/release/app\", \"usr/bin/\", \"755\"]]", "of one target"),
        ("[{ dest = \"usr/bin/x\", link_name = \"../../../x\" }]", "leads above the root"),
    ] {
        let error = Project::new(&format!("assets = {assets}")).error();
        assert!(error.contains(message) && error.starts_with("crates/app/Cargo.toml:"), "{assets}: {error}");
    }
}

#[test]
fn links_among_the_sources_are_followed_unless_they_are_to_be_kept_in_either_spelling() {
    for (key, kept) in [("", false), ("preserve-symlinks = true", true), ("preserve_symlinks = true", true)] {
        let own = [
            (format!("{key}\nassets = [[\"link.txt\", \"usr/share/app/\", \"644\"]]"), kept),
            (
                format!("assets = [{{ source = \"link.txt\", dest = \"usr/share/app/\", mode = \"644\", {key} }}]")
                    .replace(", }", " }"),
                kept,
            ),
        ];
        for (table, kept) in own {
            let project = Project::new(&table).with(&[("real.txt", "")]);
            std::os::unix::fs::symlink("real.txt", project.root.join("crates/app/link.txt")).unwrap();
            let wanted = match kept {
                true => "- link to /usr/share/app/real.txt -> /usr/share/app/link.txt",
                false => "644 link.txt -> /usr/share/app/link.txt",
            };
            assert_eq!(listing(&project.deb().files), [wanted], "{table}");
        }
    }
}

#[test]
fn of_two_assets_for_one_place_the_first_counts_and_what_is_written_out_wins_over_auto() {
    let project = Project::new(
        r#"assets = ["$auto", ["target/release/my_App", "usr/bin/my_App", "4755"], ["a", "usr/share/x", "644"], ["b", "usr/share/x", "600"]]"#,
    )
    .with(&[("a", ""), ("b", "")]);
    let (tables, notes) = project.tables(&Options::default());
    assert_eq!(listing(&tables.deb.files), ["4755 built my_App -> /usr/bin/my_App", "644 a -> /usr/share/x"]);
    assert_eq!(notes.len(), 1);
    assert!(notes[0].contains("two assets go to /usr/share/x"), "{notes:?}");
}

#[test]
fn places_of_merged_directories_are_those_below_usr() {
    let project =
        Project::new(r#"assets = [["u", "lib/systemd/system/my-app.service", "644"], ["u", "/bin/u", "755"]]"#)
            .with(&[("u", "")]);
    let (tables, notes) = project.tables(&Options::default());
    assert_eq!(listing(&tables.deb.files), ["644 u -> /usr/lib/systemd/system/my-app.service", "755 u -> /usr/bin/u"]);
    assert_eq!(notes.len(), 2, "{notes:?}");
}

#[test]
fn a_variant_inherits_what_it_does_not_say_and_merges_assets() {
    let project = Project::new(
        r#"section = "net"
        assets = [["target/release/my_App", "usr/bin/", "755"], ["3", "var/lib/a/3", "644"], ["3", "var/lib/a/merged", "644"],
                  { dest = "usr/bin/alias", link_name = "my_App" }]
        [package.metadata.deb.variants.append]
        merge-assets.append = [["4", "var/lib/a/4", "644"]]
        [package.metadata.deb.variants.by-dest]
        name = "other"
        section = "utils"
        merge-assets.by.dest = [["4", "var/lib/a/merged", "600"]]
        [package.metadata.deb.variants.by-src]
        merge-assets.by.src = [["3", "var/lib/b", "644"]]
        [package.metadata.deb.variants.own]
        assets = [["4", "var/lib/only", "644"]]"#,
    )
    .with(&[("3", ""), ("4", "")]);
    let of = |name: &str| {
        let (tables, _) = project.tables(&variant(name));
        (tables.deb.package.unwrap().to_string(), tables.deb.section.unwrap(), listing(&tables.deb.files))
    };
    let base = ["- link to /usr/bin/my_App -> /usr/bin/alias", "755 built my_App -> /usr/bin/my_App"];
    let with = |more: &[&str]| -> Vec<String> {
        let mut all: Vec<String> = base.iter().chain(more).map(|line| (*line).to_owned()).collect();
        all.sort();
        all
    };
    let (name, section, files) = of("append");
    assert_eq!((name.as_str(), section.as_str()), ("my-app-append", "net"));
    assert_eq!(files, with(&["644 3 -> /var/lib/a/3", "644 3 -> /var/lib/a/merged", "644 4 -> /var/lib/a/4"]));
    let (name, section, files) = of("by-dest");
    assert_eq!((name.as_str(), section.as_str()), ("other", "utils"));
    assert_eq!(files, with(&["644 3 -> /var/lib/a/3", "600 4 -> /var/lib/a/merged"]));
    assert_eq!(of("by-src").2, with(&["644 3 -> /var/lib/b"]), "links are kept");
    assert_eq!(of("own").2, ["644 4 -> /var/lib/only"]);
    let error = project.read(&variant("apend")).map_or_else(|error| shown(&error), |_| String::new());
    assert!(error.contains("--variant append"), "{error}");
}

#[test]
fn unknown_keys_are_warnings_that_name_the_nearest_one() {
    let project = Project::new(
        "usr-merge = true\nmaintainer_scripts = \"debian\"\nsystemd-units = { enabled = true }\nassets = [{ source = \"a\", dest = \"usr/share/a\", owner = \"x\" }]",
    )
    .with(&[("a", ""), ("systemd/service", "")]);
    let (_, notes) = project.tables(&Options::default());
    let all = notes.join("\n");
    assert!(all.contains("crates/app/Cargo.toml:11:1: unknown key `usr-merge`"), "{all}");
    assert!(all.contains("did you mean `maintainer-scripts`?") && all.contains("did you mean `enable`?"), "{all}");
    assert!(all.contains("unknown key `owner` in `[package.metadata.deb.assets]`"), "{all}");
    assert_eq!(notes.len(), 4, "{all}");
}

#[test]
fn relations_are_taken_apart_and_mended() {
    let project = Project::new(
        r#"depends = ["$auto, systemd (>= 247)", "libfoo [armhf]", "libbar [!armhf !i386]", "libbaz [amd64 arm64]", "adduser,"]
        recommends = "one | two, three"
        conflicts = "old-app"
        breaks = "older (<< 2.0)"
        replaces = ["older (<< 2.0)", "old-app"]
        provides = "app (= 1.0)""#,
    );
    let (tables, notes) = project.tables(&Options::default());
    let deb = &tables.deb.relations;
    let depends = amd64(deb, RelationKind::Depends);
    assert_eq!(depends, ["systemd (>= 247)", "adduser", "libbar", "libbaz"]);
    assert_eq!(amd64(deb, RelationKind::Recommends), ["one | two", "three"]);
    assert_eq!(tables.deb.library_relations, Some(true));
    let of_rpm = |kind| tables.rpm.relations.get(kind, &rpm());
    assert_eq!(of_rpm(RelationKind::Depends), [""; 0], "names of Debian's packages mean nothing there");
    assert_eq!(of_rpm(RelationKind::Provides), ["app = 1.0"]);
    assert_eq!(of_rpm(RelationKind::Conflicts), ["old-app", "older < 2.0"]);
    assert_eq!(of_rpm(RelationKind::Replaces), ["older < 2.0"], "what has no upper version is replaced in files alone");
    assert!(notes.iter().any(|note| note.contains("which an RPM leaves out")), "{notes:?}");

    let project =
        Project::new("depends = \"${shlibs:Depends}, ${misc:Depends}, libfoo (> 1.0)\"\npre-depends = \"$auto\"");
    let (tables, notes) = project.tables(&Options::default());
    assert_eq!(amd64(&tables.deb.relations, RelationKind::Depends), ["libfoo (>= 1.0)"]);
    assert_eq!(tables.deb.library_relations, Some(true));
    assert!(amd64(&tables.deb.relations, RelationKind::PreDepends).is_empty());
    assert_eq!(notes.len(), 5, "{notes:?}");

    let project = Project::new("depends = \"\"");
    let settings = project.deb();
    assert_eq!(settings.library_relations, None, "packhouse's own rule decides");
    assert!(settings.relations.all.is_empty(), "an empty field is none");
    assert!(Project::new("depends = \"Not A Name\"").error().contains("no package's name"));
}

#[test]
fn units_are_found_under_their_names_and_need_no_maintainer_scripts() {
    let project = Project::new("systemd-units = { enable = false }").with(&[
        ("systemd/my-app.service", ""),
        ("systemd/my-app@.service", ""),
        ("systemd/timer", ""),
        ("systemd/my-app.tmpfile", ""),
        ("systemd/my_App.sysusers", ""),
    ]);
    let systemd = project.deb().systemd.unwrap();
    let names = |units: &[crate::config::UnitSource]| -> Vec<String> {
        units.iter().map(|unit| format!("{} as {}", unit.path.display(), unit.name.clone().unwrap())).collect()
    };
    assert_eq!(
        names(&systemd.units),
        [
            "systemd/my-app.service as my-app.service",
            "systemd/my-app@.service as my-app@.service",
            "systemd/timer as my-app.timer"
        ]
    );
    assert_eq!(names(&systemd.tmpfiles), ["systemd/my-app.tmpfile as my-app.conf"]);
    assert_eq!(names(&systemd.sysusers), ["systemd/my_App.sysusers as my_App.conf"], "the crate's name will do");
    let policy = systemd.units[0].policy.unwrap();
    assert_eq!((policy.enable, policy.start), (Some(false), Some(true)));
}

#[test]
fn several_tables_of_units_have_their_own_policies() {
    let project = Project::new(
        r#"maintainer-scripts = "debian"
        assets = [["conf/plain.service", "usr/lib/systemd/system/", "644"], ["conf/quiet.timer", "usr/lib/systemd/system/", "644"]]
        systemd-units = [
            { unit-name = "worker", start = false, restart-after-upgrade = false },
            { unit-scripts = "units", unit-name = "plain", stop-on-upgrade = false, restart-after-upgrade = false },
        ]"#,
    )
    .with(&[
        ("debian/worker.service", ""),
        ("debian/my-app.worker.socket", ""),
        ("conf/plain.service", ""),
        ("conf/quiet.timer", ""),
        ("debian/postinst", "#!/bin/sh\n#DEBHELPER#\n"),
        ("debian/worker.prerm", "#!/bin/sh\n"),
        ("debian/templates", "Template: x/y\n"),
    ]);
    let settings = project.deb();
    let systemd = settings.systemd.unwrap();
    let of = |name: &str| systemd.units.iter().find(|unit| unit.name.as_deref() == Some(name)).unwrap().policy.unwrap();
    assert_eq!(systemd.units.len(), 3);
    assert_eq!((of("worker.service").start, of("worker.socket").start), (Some(false), Some(false)));
    assert_eq!(
        (of("worker.service").restart_after_upgrade, of("worker.service").stop_on_upgrade),
        (Some(false), Some(true))
    );
    assert_eq!(of("plain.service").stop_on_upgrade, Some(false));
    assert_eq!(listing(&settings.files), ["644 conf/quiet.timer -> /usr/lib/systemd/system/quiet.timer"]);
    let scripts = settings.scripts;
    let text = |stage| scripts.stages.get(&stage).map(|script| script.text.clone());
    assert_eq!(text(Stage::PostInstall), Some(TextSource::File(PathBuf::from("debian/postinst"))));
    assert_eq!(text(Stage::PreRemove), Some(TextSource::File(PathBuf::from("debian/worker.prerm"))));
    assert_eq!(text(Stage::PreInstall), None);
    assert!(scripts.stages.values().all(|script| script.written_for == Format::Deb));
    assert_eq!(scripts.debconf.unwrap().templates, Some(TextSource::File(PathBuf::from("debian/templates"))));
}

#[test]
fn settings_for_a_unit_that_is_not_there_are_noted() {
    let (_, notes) = Project::new("systemd-units = { unit-name = \"nobody\" }").tables(&Options::default());
    assert!(notes.len() == 1 && notes[0].contains("finds no unit"), "{notes:?}");
}

#[test]
fn texts_and_numbers_that_no_package_can_have_are_mended_with_a_note() {
    let project = Project::new(
        "name = \"My_Tool\"\nmaintainer = \"Nobody\"\npriority = \"extra\"\nsection = \"Net\"\nconf-files = [\"/opt/x\"]\nrevision = \"0\"",
    );
    let (tables, notes) = project.tables(&Options::default());
    let deb = &tables.deb;
    assert_eq!(deb.package.as_ref().unwrap().as_str(), "my-tool");
    assert_eq!((deb.maintainer.clone(), deb.priority.clone()), (None, None));
    assert_eq!(deb.section.as_deref(), Some("net"));
    assert_eq!(deb.release_text.as_deref(), Some(""));
    assert_eq!(tables.rpm.release_text, None, "an RPM has a release");
    assert!(deb.conffiles.is_empty());
    assert_eq!(notes.len(), 4, "{notes:?}");
}

#[test]
fn documents_are_named_by_files_that_must_be_there() {
    let project = Project::new(
        "license-file = [\"../../LICENSE\", \"4\"]\nchangelog = \"debian/changelog\"\ntriggers-file = \"debian/triggers\"\n\
         extended-description-file = \"about.txt\"\nextended-description = \"no\"\nconf-files = [\"usr/share/a\"]\n\
         assets = [[\"about.txt\", \"/usr/share/a\", \"644\"]]",
    )
    .with(&[("debian/changelog", ""), ("debian/triggers", ""), ("about.txt", "Long\n\ttext\n")]);
    project.file("LICENSE", "");
    let (tables, notes) = project.tables(&Options::default());
    let deb = tables.deb;
    assert_eq!(deb.license_file, Some((PathBuf::from("../../LICENSE"), 4)));
    assert_eq!(deb.changelog_file, Some(PathBuf::from("debian/changelog")));
    assert_eq!(deb.triggers, Some(TextSource::File(PathBuf::from("debian/triggers"))));
    assert_eq!(deb.description.as_deref(), Some("Long\n  text"));
    assert_eq!(deb.conffiles.iter().map(ToString::to_string).collect::<Vec<_>>(), ["/usr/share/a"]);
    assert_eq!(tables.rpm.triggers, None);
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(Project::new("triggers-file = \"nowhere\"").error().contains("there is no file `nowhere`"));
    let (tables, notes) = Project::new("changelog = \"target/changelog\"").tables(&Options::default());
    assert!(tables.deb.changelog_file.is_none() && notes[0].contains("from git's history"), "{notes:?}");
}

#[test]
fn the_command_line_wins_over_the_table() {
    let project = Project::new("revision = \"3\"\nsection = \"net\"\nfeatures = [\"a\"]\ndbgsym = true");
    let overrides = Overrides {
        version: Some("2:1.5-7".to_owned()),
        section: Some("utils".to_owned()),
        features: vec!["b".to_owned()],
        no_default_features: true,
        profile: Some("dist".to_owned()),
        profile_settings: vec![("lto".to_owned(), "thin".to_owned())],
        debug_package: Some(false),
        cargo_arguments: vec!["-v".to_owned()],
        no_build: true,
        ..Overrides::default()
    };
    let (tables, _) = project.tables(&Options { overrides, ..Options::default() });
    let deb = tables.deb;
    assert_eq!((deb.epoch, deb.version.as_deref(), deb.release_text.as_deref()), (Some(2), Some("1.5"), Some("7")));
    assert_eq!(tables.rpm.version, None, "it is a version of a .deb");
    assert_eq!(tables.rpm.release_text.as_deref(), Some("3"));
    assert_eq!(deb.section.as_deref(), Some("utils"));
    assert_eq!((deb.rust.features, deb.rust.no_default_features), (vec!["a".to_owned(), "b".to_owned()], true));
    assert_eq!(deb.rust.cargo_arguments, ["--config", "profile.dist.lto=\"thin\"", "-v"]);
    assert!(deb.rust.prebuilt && !deb.rust.debug_package);
}

#[test]
fn shared_libraries_go_where_each_format_looks_for_them() {
    let project = Project::new("[lib]\ncrate-type = [\"cdylib\"]\n").with(&[("src/lib.rs", "")]);
    let text = fs_err::read_to_string(project.root.join("crates/app/Cargo.toml")).unwrap();
    project.file("crates/app/Cargo.toml", &text.replace("[lib]", "\n[lib]"));
    let places = |options: &Options, target: &Target| -> Vec<String> {
        let files = project.tables(options).0.deb.files;
        let wanted = files.iter().filter(|file| file.is_for(target) && file.path.as_str().ends_with(".so"));
        wanted.map(|file| file.path.to_string()).collect()
    };
    let multi_arch = Overrides { multi_arch: Some(MultiArch::Same), ..Overrides::default() };
    let multi_arch = Options { overrides: multi_arch, ..Options::default() };
    assert_eq!(places(&Options::default(), &debian(Architecture::X86_64)), ["/usr/lib/libmy_App.so"]);
    assert_eq!(places(&Options::default(), &rpm()), ["/usr/lib64/libmy_App.so"]);
    assert_eq!(places(&multi_arch, &debian(Architecture::Aarch64)), ["/usr/lib/aarch64-linux-gnu/libmy_App.so"]);
    assert_eq!(places(&multi_arch, &rpm()), ["/usr/lib64/libmy_App.so"]);
}

#[test]
fn programs_whose_features_are_off_are_not_among_auto() {
    let project = Project::new(
        "features = [\"extra\"]\n[features]\nextra = []\nother = []\n[[bin]]\nname = \"one\"\npath = \"src/main.rs\"\nrequired-features = [\"extra\"]\n\
         [[bin]]\nname = \"two\"\npath = \"src/main.rs\"\nrequired-features = [\"other\"]\n",
    );
    assert_eq!(listing(&project.deb().files), ["755 built one -> /usr/bin/one"]);
    let all = Options { overrides: Overrides { all_features: true, ..Overrides::default() }, ..Options::default() };
    assert_eq!(project.tables(&all).0.deb.files.len(), 2);
}

#[test]
fn debug_information_that_the_profile_asks_for_stays() {
    let strip = |profile: &str, table: &str| {
        let project = Project::new(table);
        project.file("Cargo.toml", &format!("{WORKSPACE}{profile}"));
        let rust = project.tables(&Options::default()).0.deb.rust;
        (rust.strip, rust.debug_package)
    };
    assert_eq!(strip("", ""), (None, false));
    assert_eq!(strip("debug = \"line-tables-only\"\n", ""), (Some(false), false));
    assert_eq!(strip("debug = 1\nstrip = true\n", ""), (None, false));
    assert_eq!(strip("debug = 1\n", "separate-debug-symbols = true"), (None, true));
}

#[test]
fn every_key_of_the_list_is_read_and_no_other() {
    let project = Project::new(
        r#"systemd-units = { }
        merge-assets = { append = [], by = { src = [], dest = [] } }
        assets = [{ source = "src/main.rs", dest = "usr/share/a" }]
        [package.metadata.deb.variants.one]"#,
    );
    keys::check(&DIALECT, || drop(project.read(&variant("one")).map_err(|error| panic!("{}", shown(&error)))));
}

#[test]
fn a_manifest_without_the_table_is_none_of_cargo_debs() {
    let project = Project::new("");
    let text = fs_err::read_to_string(project.root.join("crates/app/Cargo.toml")).unwrap();
    project.file("crates/app/Cargo.toml", &text.replace("[package.metadata.deb]", ""));
    assert!(project.read(&Options::default()).unwrap().0.is_none());
    let project = Project::new("depends = 7");
    assert!(project.error().contains("must be a string, or an array of strings"), "{}", project.error());
}

#[test]
fn completions_of_zsh_go_where_each_format_looks_for_them() {
    let project =
        Project::new("assets = [[\"_app\", \"usr/share/zsh/vendor-completions/\", \"644\"]]").with(&[("_app", "")]);
    let files = project.deb().files;
    let place = |target: &Target| -> Vec<String> {
        files.iter().filter(|file| file.is_for(target)).map(|file| file.path.to_string()).collect()
    };
    assert_eq!(place(&debian(Architecture::X86_64)), ["/usr/share/zsh/vendor-completions/_app"]);
    assert_eq!(place(&rpm()), ["/usr/share/zsh/site-functions/_app"]);
}

#[test]
fn a_description_too_long_for_a_synopsis_stands_below_it() {
    let project = Project::new("extended-description = \"More.\"");
    let text = fs_err::read_to_string(project.root.join("crates/app/Cargo.toml")).unwrap();
    project.file("crates/app/Cargo.toml", &text.replace("Shows it.", "Shows it\\nin two lines."));
    assert_eq!(project.deb().description.as_deref(), Some("Shows it\nin two lines.\n\nMore."));
}
