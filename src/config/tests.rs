//! What a person writes, and what they are told.

use std::path::Path;

use super::*;
use crate::diagnostic::{Diagnose, ExitCode};

const LEAST: &str = "[project]\norg = \"acme\"\nmaintainer = \"Acme Cloud <cloud@acme.example>\"\n";

fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = directory.path().join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }
    directory
}

fn settings(text: &str) -> Settings {
    let directory = directory(&[("packhouse.toml", text)]);
    load(directory.path(), None).unwrap_or_else(|error| panic!("{error} {:?}", error.location()))
}

/// Line, column, message and hints of the error that this text gives.
fn refused(text: &str) -> (usize, usize, String, String) {
    let directory = directory(&[("packhouse.toml", text)]);
    let error = load(directory.path(), None).expect_err(text);
    assert_eq!(error.exit_code(), ExitCode::Usage);
    let location = error.location().unwrap_or_else(|| panic!("{error} has no location"));
    assert_eq!(location.path, Path::new("packhouse.toml"));
    let (line, column) = location.line_and_column();
    (line, column, error.to_string(), error.hints().join("; "))
}

#[test]
fn org_and_maintainer_are_enough() {
    let settings = settings(LEAST);
    assert_eq!(settings.project.org.as_str(), "acme");
    assert_eq!(settings.project.maintainer.to_string(), "Acme Cloud <cloud@acme.example>");
    assert_eq!(settings.project.vendor, Path::new("vendor"));
    let targets: Vec<String> = settings.project.targets.iter().map(|target| target.distribution.name.clone()).collect();
    assert_eq!(targets, DEFAULT_TARGETS);
    assert!(settings.services.is_empty() && settings.project.members.is_none());
}

#[test]
fn every_key_of_the_contract_is_read() {
    let text = r#"
[project]
org = "acme"
maintainer = "Acme Cloud <cloud@acme.example>"
homepage = "https://acme.example"
license = "Apache-2.0"
targets = ["debian-12/amd64", "el9/x86_64", "mine/arm64"]
members = ["services/*", "common/*"]
exclude = ["experiments"]
vendor = "third_party"

[[index]]
name = "internal"
url = "https://pypi.acme.example/simple"
packages = ["Acme_*"]

[services.acme-api]
path = "services/api"
kind = "service"
summary = "The API of the Acme cloud"
description = "One line.\nAnother."
license = "MIT OR Apache-2.0"
section = "net"
commands = ["acme-api", "acme-api-admin"]
config = ["etc/acme-api.toml"]
depends = { deb = ["postgresql-client (>= 15) | pgcli"], rpm = ["postgresql >= 15"] }
version = "1.2.3rc1"
revision = 2
epoch = 1

[services.acme-api.systemd]
command = "acme-api --config /etc/acme/acme-api.toml"
user = "acme-api"
restart = "stop-start"
enable = true
start = false

[services.acme-api.python]
interpreter = "system"
version = "3.11"
extras = ["Fast_Json"]
no-binary = ["psycopg2"]
build-requires = { "Some.Thing" = ["setuptools>=68", "wheel"] }

[services.acme-edge.rust]
features = ["tls", "dep/feature"]
no-default-features = true
profile = "dist"
debug-package = true

[targets.debian-12]
compression = "xz"
revision-suffix = "~acme12"

[targets.mine]
base = "debian-13"
suite = "mine"

[repository]
path = "repo"
key = "keys/acme.asc"
"#;
    let settings = settings(text);
    let targets: Vec<String> = settings.project.targets.iter().map(ToString::to_string).collect();
    assert_eq!(targets, ["debian-12/amd64", "el9/x86_64", "mine/arm64"]);
    let debian = &settings.project.targets[0].distribution;
    assert_eq!(debian.compression, crate::target::Compression::Xz);
    assert_eq!(debian.revision_suffix, "~acme12");
    assert_eq!(settings.project.targets[2].distribution.suite, "mine");
    assert_eq!(settings.project.targets[2].distribution.glibc, (2, 41));
    assert!(settings.project.exclude.is_match("experiments"));
    let members = settings.project.members.as_ref().unwrap();
    assert!(members.is_match("services/api") && !members.is_match("services/api/deeper"));
    assert_eq!(settings.indexes[0].packages, ["acme-*"]);

    let api = settings.service(&PackageName::parse("acme-api").unwrap());
    assert_eq!(api.path.as_deref(), Some(Path::new("services/api")));
    assert_eq!(api.kind, Some(KindSetting::Service));
    assert_eq!(
        api.relations.get(RelationKind::Depends, &settings.project.targets[0]),
        ["postgresql-client (>= 15) | pgcli"]
    );
    assert_eq!((api.revision, api.epoch, api.version.as_deref()), (Some(2), Some(1), Some("1.2.3rc1")));
    let systemd = api.systemd.unwrap();
    assert_eq!((systemd.restart, systemd.enable, systemd.start), (RestartPolicy::StopStart, Some(true), Some(false)));
    assert_eq!(api.python.version, Some(PythonVersion::three(11)));
    assert_eq!(api.python.extras, ["fast-json"]);
    assert_eq!(api.python.build_requires["some-thing"], ["setuptools>=68", "wheel"]);
    let edge = settings.service(&PackageName::parse("acme-edge").unwrap());
    assert_eq!((edge.rust.profile.as_deref(), edge.rust.no_default_features), (Some("dist"), true));
    assert_eq!(settings.repository.key.as_deref(), Some("keys/acme.asc"));
}

#[test]
fn an_unknown_key_is_told_with_its_place_and_what_was_meant() {
    let (line, column, message, hint) = refused(&format!("{LEAST}licence = \"MIT\"\n"));
    assert_eq!((line, column), (4, 1));
    assert_eq!(message, "unknown key `licence` in `[project]`");
    assert_eq!(hint, "did you mean `license`?");

    let (line, column, message, hint) = refused(&format!("{LEAST}[services.acme-api]\n  comands = []\n"));
    assert_eq!((line, column), (5, 3));
    assert_eq!(message, "unknown key `comands` in `[services.acme-api]`");
    assert_eq!(hint, "did you mean `commands`?");

    let (line, .., hint) = refused(&format!("{LEAST}\n[service.acme-api]\n"));
    assert_eq!((line, hint.as_str()), (5, "did you mean `services`?"));
}

#[test]
fn what_is_missing_is_asked_for() {
    let (.., message, hint) = refused("[project]\norg = \"acme\"\n");
    assert_eq!(message, "`project.maintainer` is missing");
    assert!(hint.contains("packhouse init --org ORG --maintainer \"NAME <MAIL>\""), "{hint}");
    let (.., message, _) = refused("");
    assert_eq!(message, "`project.org` is missing");

    let empty = directory(&[(".git/HEAD", "")]);
    let error = load(empty.path(), None).unwrap_err();
    assert!(matches!(error, Error::Missing { .. }), "{error}");
    assert!(error.hints()[0].contains("packhouse init --org ORG --maintainer \"NAME <MAIL>\""));
}

#[test]
fn every_wrong_value_is_told_where_it_stands() {
    // What is added to the least configuration, the line where it is wrong, a part of what is said.
    let cases: &[(&str, usize, &str)] = &[
        ("targets = \"debian-12\"", 4, "must be an array of strings, not a string"),
        ("targets = []", 4, "is empty"),
        ("targets = [\"debian-21\"]", 4, "unknown distribution `debian-21`"),
        ("targets = [\"debian-12/sparc\"]", 4, "unknown architecture `sparc`"),
        ("targets = [\"el9\",\n\"el9\"]", 5, "twice"),
        ("license = \"MIT/Apache-2.0\"", 4, "no SPDX identifier"),
        ("homepage = \"acme.example\"", 4, "no URL"),
        ("homepage = \"javascript:alert(1)\"", 4, "must start with `https://`"),
        ("members = [\"../other\"]", 4, "without `..`"),
        ("members = [\"a[\"]", 4, "unclosed"),
        ("vendor = \"/srv\"", 4, "must be relative"),
        ("org = \"acme\"", 4, "duplicate key"),
        ("[[index]]\nname = \"a\"\nurl = \"https://u:p@example.org/simple\"", 6, "credentials"),
        ("[[index]]\nname = \"a\"", 4, "`index.url` is missing"),
        (
            "[[index]]\nname=\"a\"\nurl=\"https://a.example\"\npackages=[\"x\"]\n[[index]]\nname=\"b\"\nurl=\"https://b.example\"\npackages=[\"X\"]",
            11,
            "pinned to `a` already",
        ),
        ("[services.Acme_API]", 4, "cannot be a package name"),
        ("[services.acme]\npath = \"../x\"", 5, "must not contain `..`"),
        ("[services.acme]\nconfig = [\"/etc/passwd\"]", 5, "must be relative"),
        ("[services.acme]\ncommands = [\"a/b\"]", 5, "cannot be a command"),
        ("[services.acme]\nkind = \"servce\"", 5, "unknown value `servce`"),
        ("[services.acme]\nepoch = -1", 5, "not between 0 and"),
        ("[services.acme]\nepoch = 99999999999999999999", 5, "not between 0 and"),
        ("[services.acme]\nrevision = 0", 5, "not between 1 and"),
        ("[services.acme]\nversion = \"latest\"", 5, "is no version"),
        ("[services.acme]\nsummary = \"a\\nDepends: evil\"", 5, "one line"),
        ("[services.acme]\ndepends = { deb = [\"a, b\"] }", 5, "more than one relation"),
        ("[services.acme]\ndepends = { rpm = [\"%{lua:x}\"] }", 5, "a variable or a macro"),
        ("[services.acme.systemd]\nuser = \"Acme API\"", 5, "is no user's name"),
        ("[services.acme.systemd]\nuser = \"root\"", 5, "is a user of the system"),
        ("[services.acme.systemd]\nunits = [\"acme.conf\"]", 5, "is no unit's name"),
        ("[services.acme.systemd]\nunits = [\"a.service\"]\ncommand = \"a\"", 6, "only when there are no `units`"),
        ("[services.acme.systemd]\nrestart = \"always\"", 5, "unknown value `always`"),
        ("[services.acme.systemd]\nenable = \"yes\"", 5, "must be true or false, not a string"),
        ("[services.acme.python]\nversion = \"2.7\"", 5, "no minor version of Python 3"),
        ("[services.acme.python]\ninterpreter = \"bundled\"", 5, "`bundled` is not available"),
        ("[services.acme.python.build-requires]\nx = [\"a b c\"]", 5, "Expected"),
        ("[services.acme.rust]\nfeatures = [\"a b\"]", 5, "may hold only"),
        ("[targets.debain-12]\ncompression = \"xz\"", 4, "no such distribution"),
        ("[targets.mine]\nbase = \"debian\"", 5, "unknown distribution `debian`"),
        ("[targets.el9]\ncompression = \"lzma\"", 5, "unknown value `lzma`"),
        ("[targets.debian-11]\ncompression = \"zstd\"", 5, "cannot read zstd"),
        ("[repository]\npath = \"/srv/repo\"", 5, "must be relative"),
        ("[repository]\nkey = \"a\" \"b\"", 5, ""),
    ];
    for (added, expected, part) in cases {
        let (line, _, message, _) = refused(&format!("{LEAST}{added}\n"));
        assert_eq!(line, *expected, "{added}: {message}");
        assert!(message.contains(part), "{added}: {message}");
    }
}

#[test]
fn the_search_goes_upwards_and_stops_at_the_repository() {
    let tree = directory(&[("packhouse.toml", LEAST), ("services/api/setup.py", "")]);
    let root = tree.path().canonicalize().unwrap();
    assert_eq!(load(&root.join("services/api"), None).unwrap().root, root);

    let nested = directory(&[("packhouse.toml", LEAST), ("repository/.git/HEAD", ""), ("repository/src/lib.rs", "")]);
    let error = load(&nested.path().join("repository/src"), None).unwrap_err();
    assert!(matches!(error, Error::Missing { .. }), "{error}");

    let submodule =
        directory(&[("packhouse.toml", LEAST), ("lib/.git", "gitdir: ../.git/modules/lib\n"), (".git/HEAD", "")]);
    assert!(load(&submodule.path().join("lib"), None).is_ok());
    let worktree = "gitdir: /home/jo/modules/cloud/.git/worktrees/lib\n";
    submodule_git(&submodule, worktree);
    assert!(matches!(load(&submodule.path().join("lib"), None), Err(Error::Missing { .. })));
}

#[test]
fn the_same_table_may_stand_in_a_manifest() {
    let body = "org = \"acme\"\nmaintainer = \"A <a@acme.example>\"\nlicence = \"MIT\"\n";
    for (file, table) in [
        ("Cargo.toml", "workspace.metadata.packhouse"),
        ("Cargo.toml", "package.metadata.packhouse"),
        ("pyproject.toml", "tool.packhouse"),
    ] {
        let good = directory(&[(file, &format!("[{table}.project]\n{}", body.replace("licence", "license")))]);
        assert_eq!(load(good.path(), None).unwrap().project.license.as_deref(), Some("MIT"));
        assert!(load(Path::new("/"), Some(&good.path().join(file))).is_ok());
        let wrong = directory(&[(file, &format!("[{table}.project]\n{body}"))]);
        let error = load(wrong.path(), None).unwrap_err();
        assert_eq!(error.to_string(), format!("unknown key `licence` in `[{table}.project]`"));
        assert_eq!(error.location().unwrap().line_and_column(), (4, 1));
    }
    let without = directory(&[("pyproject.toml", "[project]\nname = \"x\"\n")]);
    let error = load(without.path(), Some(&without.path().join("pyproject.toml"))).unwrap_err();
    assert!(matches!(error, Error::NoTable { .. }), "{error}");
}

#[test]
fn two_configurations_in_one_directory_are_an_error_that_names_both() {
    let both = directory(&[("packhouse.toml", LEAST), ("pyproject.toml", "[tool.packhouse]\n")]);
    let message = load(both.path(), None).unwrap_err().to_string();
    assert!(message.contains("packhouse.toml") && message.contains("pyproject.toml: [tool.packhouse]"), "{message}");
    let twice = "[workspace.metadata.packhouse]\n[package.metadata.packhouse]\n";
    let both = directory(&[("Cargo.toml", twice)]);
    let message = load(both.path(), None).unwrap_err().to_string();
    assert!(message.contains("workspace.metadata") && message.contains("package.metadata"), "{message}");
}

#[test]
fn a_table_remembers_where_it_stands() {
    let settings = settings(&format!("{LEAST}\n[services.acme-api]\nconfig = [\"a\"]\n"));
    let origin = settings.services["acme-api"].origin.clone().unwrap();
    assert_eq!(origin.location().line_and_column().0, 5);
    assert_eq!(origin.find(&["config"]).unwrap().line_and_column(), (6, 10));
    assert!(origin.find(&["python"]).is_none());
}

fn submodule_git(repository: &tempfile::TempDir, text: &str) {
    fs_err::write(repository.path().join("lib/.git"), text).unwrap();
}

proptest::proptest! {
    /// A valid configuration with a part of it replaced: no panic, and every place is inside the file.
    #[test]
    fn no_text_makes_the_loader_panic(at in 0_usize..400, length in 0_usize..40, text in "[\\x00-\\x7fä\"=.#\\[\\]{}]{0,12}") {
        let mut characters: Vec<char> = format!(
            "{LEAST}targets = [\"el9\"]\n[services.acme-api]\ncommands = [\"a\"]\nconfig = ['etc/a']\nepoch = 0x1F\n\
             depends = {{ deb = [\"x (>= 1)\"] }}\nsystemd.user = \"acme\"\npython = {{ version = \"3.11\" }}\n[[index]]\nname = \"i\"\nurl = \"https://i.example\"\n"
        ).chars().collect();
        let start = at.min(characters.len());
        let end = (start + length).min(characters.len());
        characters.splice(start..end, text.chars());
        let text: String = characters.into_iter().collect();
        let directory = directory(&[("packhouse.toml", &text), (".git/HEAD", "")]);
        if let Err(error) = load(directory.path(), None) {
            let location = error.location().expect("every error of a file has its place");
            assert!(location.text.get(location.span.clone()).is_some());
            assert!(!error.to_string().is_empty());
        }
    }
}
