//! What a package says of what is inside: copyright file, licence field, bill of materials, and the policy that all of it
//! is held against.
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

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use packhouse::config::{self, Maintainer};
use packhouse::diagnostic::{Diagnose as _, ExitCode};
use packhouse::format::{self, WriteOptions};
use packhouse::name::PackageName;
use packhouse::package::licenses::{LicenseError, settle};
use packhouse::package::{
    self, Changelog, Component, Error, Inputs, LicenseFile, Package, Release, SourceArtefact, Staged, Version,
};
use packhouse::target::{Architecture, Compression, PythonVersion, Target, distribution};
use packhouse::tree::{Content, Entry, InstallPath, Node, Role, Tree};
use packhouse::workspace::{EcosystemKind, Kind, Member, Workspace};

const TIME: i64 = 1_767_225_600;
const SITE: &str = "/usr/lib/acme/acme-api/lib/python3.11/site-packages";

const MIT: &str = "MIT License\n\nCopyright (c) 2015-2020 Jane Doe\n\nPermission is hereby granted, free of charge, to any person obtaining a copy\nof this software and associated documentation files (the \"Software\"), to deal\nin the Software without restriction, including without limitation the rights\nto use, copy, modify, merge, publish, distribute, sublicense, and/or sell\ncopies of the Software, and to permit persons to whom the Software is\nfurnished to do so, subject to the following conditions:\n\nThe above copyright notice and this permission notice shall be included in all\ncopies or substantial portions of the Software.\n\nTHE SOFTWARE IS PROVIDED \"AS IS\", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR\nIMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,\nFITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE\nAUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER\nLIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,\nOUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE\nSOFTWARE.\n";

fn path(text: &str) -> InstallPath {
    InstallPath::parse(text).expect("a path")
}

struct Repository {
    directory: tempfile::TempDir,
}

impl Repository {
    /// `more` follows the project's table.
    fn new(more: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let text = format!(
            "[project]\norg = \"acme\"\nmaintainer = \"Acme Cloud <cloud@acme.example>\"\n\
             homepage = \"https://acme.example\"\nlicense = \"Apache-2.0\"\ntargets = [\"debian-12\"]\n{more}"
        );
        fs::write(directory.path().join("packhouse.toml"), text).expect("write");
        fs::create_dir(directory.path().join("acme-api")).expect("mkdir");
        Self { directory }
    }

    fn member() -> Member {
        Member {
            name: PackageName::parse("acme-api").expect("a name"),
            ecosystem_name: "acme-api".to_owned(),
            ecosystem: EcosystemKind::Python,
            kind: Kind::Service,
            path: PathBuf::from("acme-api"),
            manifest: PathBuf::from("acme-api/pyproject.toml"),
            version: Some("1.2.3".to_owned()),
            summary: Some("Interface of the cloud".to_owned()),
            license: None,
            reason: "a test".to_owned(),
            commands: Vec::new(),
            requires: Vec::new(),
            optional: std::collections::BTreeMap::new(),
            dependencies: Vec::new(),
            unread: Vec::new(),
            submodule: None,
        }
    }

    fn settle(&self, components: &mut [Component]) -> Result<Vec<String>, LicenseError> {
        settle(&config::load(self.directory.path(), None).expect("settings"), &Self::member(), components)
    }

    fn assemble(&self, target: &str, staged: Staged) -> Result<Package, Error> {
        let settings = config::load(self.directory.path(), None).expect("settings");
        let root = self.directory.path().canonicalize().expect("a root");
        let workspace = Workspace { root, members: vec![Self::member()] };
        let target =
            Target { distribution: distribution(target).expect("a distribution"), architecture: Architecture::X86_64 };
        let version = Version {
            epoch: 0,
            debian: "1.2.3".to_owned(),
            rpm: "1.2.3".to_owned(),
            revision: format!("1{}", target.distribution.revision_suffix),
        };
        let author = Maintainer { name: "Ada Acme".to_owned(), mail: "ada@acme.example".to_owned() };
        let release =
            Release { version: version.clone(), time: TIME, author, changes: vec!["feat(api): begin".to_owned()] };
        package::assemble(Inputs {
            settings: &settings,
            workspace: &workspace,
            member: &workspace.members[0],
            target: &target,
            staged,
            version,
            changelog: Changelog { releases: vec![release] },
            time: TIME,
        })
    }

    fn write(&self, package: &Package) -> PathBuf {
        // lintian 2.116 knows no zstd members.
        let options = WriteOptions { compression: Some(Compression::Gzip), ..WriteOptions::default() };
        format::write(package, self.directory.path(), &options).expect("a package").path
    }
}

fn component(name: &str, license: &str) -> Component {
    Component {
        purl: format!("pkg:pypi/{name}@1.0"),
        name: name.to_owned(),
        version: "1.0".to_owned(),
        license: Some(license.to_owned()).filter(|text| !text.is_empty()),
        paths: vec![path(&format!("{SITE}/{name}")), path(&format!("{SITE}/{name}-1.0.dist-info"))],
        artefact: Some(SourceArtefact {
            sha256: Some(packhouse::digest::Sha256::of(name.as_bytes())),
            url: Some(format!("https://index.example.org/{name}-1.0-py3-none-any.whl")),
            is_checkout: false,
        }),
        ..Component::default()
    }
}

fn with_file(mut component: Component, name: &str, text: &str) -> Component {
    let installed = path(&format!("{SITE}/{}-1.0.dist-info/{name}", component.name));
    let content = Content::bytes(text.as_bytes());
    component.license_files.push(LicenseFile { name: name.to_owned(), content, installed: Some(installed) });
    component
}

/// What a service with these components would be staged as.
fn staged(components: Vec<Component>) -> Staged {
    let mut tree = Tree::new();
    let mut add = |at: &str, content: Content, mode: u32, vendored: bool| {
        let mut entry = Entry::root(Node::File(content), mode);
        entry.vendored = vendored;
        tree.insert(path(at), entry).expect("free");
    };
    for component in &components {
        for directory in &component.paths {
            let code = Content::bytes(format!("# {}\n", component.purl).into_bytes());
            add(&format!("{directory}/METADATA"), code, 0o644, true);
        }
        for file in &component.license_files {
            if let Some(at) = &file.installed {
                add(at.as_str(), file.content.clone(), 0o644, true);
            }
        }
    }
    let program = "#!/usr/lib/acme/acme-api/bin/python\nimport acme\n";
    add("/usr/lib/acme/acme-api/bin/acme-api", Content::bytes(program.as_bytes()), 0o755, false);
    tree.symlink(path("/usr/lib/acme/acme-api/bin/python"), "../../../../bin/python3.11").expect("free");
    Staged { tree, components, python: Some(PythonVersion::three(11)), ..Staged::default() }
}

fn text_at(package: &Package, at: &str) -> String {
    let entry = package.tree.get(&path(at)).unwrap_or_else(|| panic!("{at} is missing"));
    let Node::File(content) = &entry.node else { panic!("a file") };
    let mut text = String::new();
    content.open().expect("it").read_to_string(&mut text).expect("text");
    text
}

fn copyright(package: &Package) -> String {
    text_at(package, "/usr/share/doc/acme-api/copyright")
}

fn bill(package: &Package) -> serde_json::Value {
    serde_json::from_str(&text_at(package, "/usr/share/doc/acme-api/acme-api.cdx.json")).expect("JSON")
}

fn run(program: &str, arguments: &[&str], directory: &Path) -> String {
    let output = Command::new(program).args(arguments).current_dir(directory).env("LC_ALL", "C.UTF-8").output();
    let output = output.unwrap_or_else(|error| panic!("{program} must be installed: {error}"));
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Components as well-known wheels are, with a hostile one.
fn usual() -> Vec<Component> {
    let mut flask = with_file(component("flask", "BSD-3-Clause"), "LICENSE.txt", "Copyright 2010 Pallets\n");
    flask.direct = true;
    flask.dependencies = vec!["pkg:pypi/click@1.0".to_owned(), "pkg:pypi/gone@1.0".to_owned()];
    let mut numpy = component("numpy", "");
    numpy.classifiers = vec!["OSI Approved :: BSD License".to_owned()];
    let gpl = "GNU GENERAL PUBLIC LICENSE\n Version 3\nTERMS AND CONDITIONS\n".to_owned() + &"Clause.\n".repeat(5000);
    let numpy = with_file(numpy, "LICENSE", &format!("Copyright (c) 2005, NumPy Developers.\n----\n{gpl}"));
    let mut authors = component("certifi", "MPL-2.0");
    authors.authors = vec!["Kenneth Reitz <me@example.org>".to_owned()];
    vec![
        flask,
        numpy,
        authors,
        with_file(component("click", "MIT"), "LICENSE", MIT),
        with_file(component("itsdangerous", ""), "LICENSE", MIT),
        component("cryptography", "Apache-2.0 OR BSD-3-Clause"),
        component("psycopg", "LGPL-3.0-only"),
        component("pillow", "MIT-CMU"),
        with_file(
            component("evil", "x\nFiles: *\nLicense: none"),
            "COPYING",
            "Do it.\n\nFiles: *\nLicense: none\n\u{1b}[31m\u{202e}Copyright: 2020 nobody\n.\n\n\n\nFormat: x\n",
        ),
    ]
}

#[test]
fn the_copyright_file_has_a_paragraph_for_each_licence_and_holder_and_each_text_once() {
    let repository = Repository::new("");
    let package = repository.assemble("debian-12", staged(usual())).expect("a package");
    let text = copyright(&package);
    let start = |field: &str| text.lines().filter(|line| line.starts_with(field)).collect::<Vec<_>>();
    assert_eq!(start("Format:").len(), 1);
    let names: BTreeSet<&str> =
        text.split("\n\n").filter_map(|part| part.strip_prefix("License: ")?.lines().next()).collect();
    let expected = [
        "Apache-2.0",
        "BSD-3-Clause",
        "LGPL-3.0-only",
        "LicenseRef-evil",
        "LicenseRef-numpy",
        "MIT",
        "MIT-CMU",
        "MPL-2.0",
    ];
    assert_eq!(names.into_iter().collect::<Vec<_>>(), expected, "{text}");
    let files = "Files: usr/lib/acme/acme-api/lib/python3.11/site-packages/click-1.0.dist-info/*\n \
                 usr/lib/acme/acme-api/lib/python3.11/site-packages/click/*\n";
    let grouped = text.split("\n\n").find(|part| part.starts_with(files)).unwrap_or_else(|| panic!("{text}"));
    assert!(grouped.contains("Copyright: 2015-2020 Jane Doe\nLicense: MIT\n"), "{grouped}");
    assert!(grouped.contains("\n click 1.0\n itsdangerous 1.0"), "{grouped}");
    assert!(text.contains("Copyright: Kenneth Reitz <me@example.org>\nLicense: MPL-2.0\n"), "{text}");
    assert!(text.contains("License: Apache-2.0 or BSD-3-Clause\n"), "{text}");
    assert_eq!(text.matches("Permission is hereby granted").count(), 1, "{text}");
    assert!(text.contains("/usr/share/common-licenses/LGPL-3.") && !text.contains("Clause.\n Clause."), "{text}");
    assert!(text.contains("The text is in /usr/lib/acme/acme-api/"), "{text}");
    // What a component says stays text.
    assert!(!text.contains("\nLicense: none") && start("Files: *") == ["Files: *"], "{text}");
    assert!(text.lines().all(|line| !line.contains(['\u{1b}', '\u{202e}', '\t', '\r'])), "{text}");
}

#[test]
fn lintian_accepts_the_package_and_the_copyright_file_as_that_of_a_source() {
    let repository = Repository::new("");
    let package = repository.assemble("debian-12", staged(usual())).expect("a package");
    let file = repository.write(&package);
    let directory = repository.directory.path();
    let options = ["--allow-root", "--no-cfg", "--display-info", "--tag-display-limit=0"];
    let report = run("lintian", &[&options[..], &[file.to_str().expect("UTF-8")]].concat(), directory);
    let serious = report.lines().filter(|line| line.starts_with(['E', 'W']) || line.contains("override"));
    assert_eq!(serious.collect::<Vec<_>>(), Vec::<&str>::new(), "{report}");

    // Only source packages are asked whether the format is kept.
    let source = directory.join("x-1.0");
    for (name, text) in [
        ("debian/copyright", copyright(&package).as_str()),
        (
            "debian/control",
            "Source: x\nMaintainer: A <a@acme.example>\nStandards-Version: 4.6.2\n\nPackage: x\nArchitecture: all\nDescription: x\n x\n",
        ),
        (
            "debian/changelog",
            "x (1.0) unstable; urgency=medium\n\n  * X\n\n -- A <a@acme.example>  Thu, 01 Jan 2026 00:00:00 +0000\n",
        ),
        ("debian/source/format", "3.0 (native)\n"),
        ("debian/rules", "#!/usr/bin/make -f\n%:\n\ttrue\n"),
    ] {
        let at = source.join(name);
        fs::create_dir_all(at.parent().expect("a parent")).expect("mkdir");
        fs::write(at, text).expect("write");
    }
    let built = run("dpkg-source", &["-b", "x-1.0"], directory);
    assert!(directory.join("x_1.0.dsc").is_file(), "{built}");
    let report = run(
        "lintian",
        &[&options[..], &["-C", "debian/copyright/dep5,debian/copyright", "x_1.0.dsc"]].concat(),
        directory,
    );
    // The files are those of the binary package.
    let other = ["superfluous-file-pattern", "N:", "O:"];
    let wrong = report.lines().filter(|line| !other.iter().any(|tag| line.contains(tag)));
    assert_eq!(wrong.collect::<Vec<_>>(), Vec::<&str>::new(), "{report}");
}

#[test]
fn the_licence_of_an_rpm_is_that_of_everything_in_it_and_the_texts_are_whole() {
    let repository = Repository::new("");
    fs::write(repository.directory.path().join("LICENSE"), "Our terms.\n").expect("write");
    let package = repository.assemble("el9", staged(usual())).expect("a package");
    assert_eq!(
        package.license,
        "Apache-2.0 AND (Apache-2.0 OR BSD-3-Clause) AND BSD-3-Clause AND LGPL-3.0-only AND LicenseRef-evil AND \
         LicenseRef-numpy AND MIT AND MIT-CMU AND MPL-2.0"
    );
    let file = repository.write(&package);
    let licenses = run("rpm", &["-qpL", file.to_str().expect("UTF-8")], repository.directory.path());
    assert_eq!(licenses, "/usr/share/licenses/acme-api/LICENSE\n/usr/share/licenses/acme-api/copyright\n");
    let text = text_at(&package, "/usr/share/licenses/acme-api/copyright");
    assert!(!text.contains("common-licenses") && text.contains("Mozilla Public License Version 2.0"), "{text}");
}

#[test]
fn what_is_compiled_into_a_program_is_named_with_it_and_its_own_terms_are_installed() {
    let program = path("/usr/lib/acme/acme-api/bin/acme-api");
    let mut notice = component("serde", "MIT OR Apache-2.0");
    notice.purl = "pkg:cargo/serde@1.0".to_owned();
    notice.license_files = ["LICENSE-MIT", "about/NOTICE"]
        .map(|name| LicenseFile {
            name: name.to_owned(),
            content: Content::bytes(if name == "LICENSE-MIT" { MIT } else { "Made by many.\n" }.as_bytes()),
            installed: None,
        })
        .into();
    notice.paths = Vec::new();
    notice.compiled_into = vec![program.clone()];
    let mut staged = Staged { components: vec![notice], ..Staged::default() };
    staged.tree.file(program, Content::bytes(&b"#!/bin/sh\n"[..]), 0o755).expect("free");
    for (target, at) in [
        ("debian-12", "/usr/share/doc/acme-api/third-party/serde-1.0/about-NOTICE"),
        ("el9", "/usr/share/licenses/acme-api/serde-1.0/about-NOTICE"),
    ] {
        let package = Repository::new("").assemble(target, staged.clone()).expect("a package");
        assert_eq!(text_at(&package, at), "Made by many.\n");
        assert_eq!(package.tree.get(&path(at)).expect("it").role, Role::License);
        let others = package.tree.iter().filter(|(path, _)| path.as_str().contains("LICENSE-MIT")).count();
        assert_eq!(others, 0, "a common text is not repeated");
        let copyright = package.tree.iter().find(|(path, _)| path.file_name() == "copyright").expect("it").0.clone();
        let text = text_at(&package, copyright.as_str());
        let stanza = text.split("\n\n").find(|part| part.starts_with("Files: usr/lib/acme/acme-api/bin/acme-api\n"));
        let stanza = stanza.unwrap_or_else(|| panic!("{text}"));
        assert!(stanza.contains("\nLicense: Apache-2.0, and MIT or Apache-2.0\n"), "{stanza}");
        assert!(stanza.contains("2015-2020 Jane Doe (serde)") && stanza.contains(&format!("see {at}")), "{stanza}");
    }
}

#[test]
fn a_policy_names_all_that_it_does_not_allow_at_once_and_the_remedies() {
    let refused = |policy: &str| {
        let error = Repository::new(policy).settle(&mut usual()).expect_err("refused");
        assert_eq!(error.exit_code(), ExitCode::Policy);
        (error.to_string(), error.hints().join("\n"))
    };
    let (text, hints) = refused("[licenses]\nallow = [\"MIT\", \"BSD-3-Clause\"]\n");
    for line in [
        "acme-api (its own code): Apache-2.0",
        "certifi 1.0: MPL-2.0",
        "psycopg 1.0: LGPL-3.0-only",
        "numpy 1.0: its licence is not known",
        "evil 1.0: its licence is not known",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    // Of alternatives one is enough.
    assert!(!text.contains("cryptography") && !text.contains("click"), "{text}");
    assert!(hints.contains("exceptions = [{ name = \"certifi\", allow = [\"MPL-2.0\"] }]"), "{hints}");
    assert!(hints.contains("the project's own code"), "{hints}");
    assert!(hints.contains("[[licenses.clarify]] name = \"numpy\""), "{hints}");

    let good = "[licenses]\nallow = [\"MIT\", \"BSD-3-Clause\", \"Apache-2.0\", \"MIT-CMU\", \"LGPL-3.0-only\"]\n\
                exceptions = [{ name = \"Certifi\", allow = [\"MPL-2.0\"] }, { name = \"evil\", allow = [\"LicenseRef-evil\"] }]\n\
                [[licenses.clarify]]\nname = \"numpy\"\nexpression = \"BSD-3-Clause\"\n";
    let mut components = usual();
    let notes = Repository::new(good).settle(&mut components).expect("all is allowed");
    assert_eq!(notes, Vec::<String>::new());
    let numpy = components.iter().find(|one| one.name == "numpy").expect("it");
    assert_eq!(numpy.expression.as_ref().map(ToString::to_string).as_deref(), Some("BSD-3-Clause"));
}

#[test]
fn without_a_policy_an_unknown_licence_is_said_and_nothing_is_refused() {
    let mut components = usual();
    let repository = Repository::new("");
    let notes = repository.settle(&mut components).expect("no policy");
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].contains("numpy 1.0") && notes[0].contains("BSD License"), "{notes:?}");
    assert!(notes.iter().all(|note| !note.chars().any(char::is_control)), "{notes:?}");
    // What is settled is settled.
    assert_eq!(repository.settle(&mut components).expect("again"), Vec::<String>::new());
}

#[test]
fn a_clarification_holds_for_the_text_that_was_read_and_for_no_other() {
    let numpy = || usual().into_iter().filter(|one| one.name == "numpy").collect::<Vec<_>>();
    let digest = numpy()[0].license_files[0].content.digests.sha256;
    let clarify = |more: &str| {
        Repository::new(&format!("[[licenses.clarify]]\nname = \"numpy\"\nexpression = \"BSD-3-Clause\"\n{more}"))
    };
    assert_eq!(clarify(&format!("sha256 = \"{digest}\"\n")).settle(&mut numpy()).expect("the same text").len(), 0);
    let error = clarify(&format!("sha256 = \"{}\"\n", "0".repeat(64))).settle(&mut numpy()).expect_err("another text");
    assert_eq!(error.exit_code(), ExitCode::Policy);
    assert!(error.to_string().contains(&digest.to_string()), "{error}");
    assert_eq!(clarify("version = \"2.0\"\n").settle(&mut numpy()).expect("another version").len(), 1);
}

#[test]
fn what_no_policy_can_be_is_refused_where_it_stands() {
    for (text, problem) in [
        ("[licenses]\nallow = [\"BSD\"]\n", "BSD"),
        ("[licenses]\nallow = [\"MIT OR Apache-2.0\"]\n", "MIT OR Apache-2.0"),
        ("[licenses]\nalow = [\"MIT\"]\n", "alow"),
        ("[licenses]\nexceptions = [{ name = \"x\", allow = [\"MIT\"] }]\n", "exceptions to nothing"),
        ("[licenses]\nallow = []\nexceptions = [{ name = \"x\" }]\n", "exceptions.allow"),
        ("[[licenses.clarify]]\nname = \"x\"\nexpression = \"Foo-1.0\"\n", "Foo-1.0"),
        ("[[licenses.clarify]]\nname = \"x\"\nexpression = \"MIT\"\nsha256 = \"12\"\n", "12"),
        (
            "[[licenses.clarify]]\nname = \"x\"\nexpression = \"MIT\"\n[[licenses.clarify]]\nname = \"X\"\nexpression = \"ISC\"\n",
            "already",
        ),
    ] {
        let repository = Repository::new(text);
        let error = config::load(repository.directory.path(), None).expect_err(text);
        assert_eq!(error.exit_code(), ExitCode::Usage, "{error}");
        assert!(error.location().is_some() && error.to_string().contains(problem), "{text}: {error}");
    }
}

#[test]
fn the_bill_of_materials_lists_everything_with_its_origin_and_who_needs_whom() {
    for (target, root) in [
        ("debian-12", "pkg:deb/acme/acme-api@1.2.3-1~deb12u1?arch=all&distro=debian-12"),
        ("el9", "pkg:rpm/acme/acme-api@1.2.3-1.el9?arch=noarch&distro=el9"),
    ] {
        let package = Repository::new("").assemble(target, staged(usual())).expect("a package");
        let bill = bill(&package);
        assert_eq!((&bill["bomFormat"], &bill["specVersion"]), (&"CycloneDX".into(), &"1.6".into()));
        assert_eq!(bill["metadata"]["timestamp"], "2026-01-01T00:00:00Z");
        assert_eq!(bill["metadata"]["component"]["purl"], root);
        let components = bill["components"].as_array().expect("a list");
        assert_eq!(components.len(), usual().len());
        let of = |name: &str| components.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(of("flask")["licenses"][0]["license"]["id"], "BSD-3-Clause");
        assert_eq!(of("cryptography")["licenses"][0]["expression"], "Apache-2.0 OR BSD-3-Clause");
        assert_eq!(of("numpy")["licenses"][0]["license"]["name"], "LicenseRef-numpy");
        assert_eq!(of("click")["hashes"][0]["alg"], "SHA-256");
        assert_eq!(of("click")["externalReferences"][0]["url"], "https://index.example.org/click-1.0-py3-none-any.whl");
        // Every reference is one of the document's, and every component is reached from the package.
        let graph = bill["dependencies"].as_array().expect("a list");
        let needs = |purl: &str| -> Vec<String> {
            let node = graph.iter().find(|node| node["ref"] == purl).unwrap_or_else(|| panic!("{purl} has no node"));
            node["dependsOn"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|one| one.as_str().expect("it").to_owned())
                .collect()
        };
        assert_eq!(needs("pkg:pypi/flask@1.0"), ["pkg:pypi/click@1.0"]);
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut pending = vec![root.to_owned()];
        while let Some(purl) = pending.pop() {
            if seen.insert(purl.clone()) {
                pending.extend(needs(&purl));
            }
        }
        assert_eq!(seen.len(), components.len() + 1);
        assert!(!needs(root).contains(&"pkg:pypi/click@1.0".to_owned()));
    }
}

#[test]
fn the_same_components_in_another_order_and_place_give_the_same_texts() {
    let texts = |components: Vec<Component>| {
        let package = Repository::new("").assemble("debian-12", staged(components)).expect("a package");
        (copyright(&package), bill(&package).to_string())
    };
    let first = texts(usual());
    let mut turned = usual();
    turned.reverse();
    assert!(texts(turned) == first, "the order of components shows");
    let mut other = usual();
    other[0].version = "1.1".to_owned();
    assert!(texts(other) != first, "another version does not show");
}

#[test]
fn ten_megabytes_of_licence_are_neither_kept_in_memory_nor_shipped_twice() {
    let huge = with_file(component("huge", ""), "LICENSE", &"Copyright 2020 me, all of it.\nx\n".repeat(330_000));
    let repository = Repository::new("");
    let mut components = vec![huge];
    let notes = repository.settle(&mut components).expect("no policy");
    assert!(notes.iter().any(|note| note.contains("its beginning is read")), "{notes:?}");
    let package = repository.assemble("debian-12", staged(components)).expect("a package");
    let text = copyright(&package);
    assert!(text.len() < 64 * 1024, "{} bytes", text.len());
    fs::write(repository.directory.path().join("acme-api/LICENSE"), vec![b'x'; 10_000_000]).expect("write");
    let error = repository.assemble("debian-12", staged(Vec::new())).expect_err("no licence is so long");
    assert!(error.to_string().contains("longer than a mebibyte"), "{error}");
}
