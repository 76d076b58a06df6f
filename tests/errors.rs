//! Errors as a person and a program meet them: code, place, what mends it, the nearest name for a misspelt one.

#![allow(clippy::expect_used, clippy::indexing_slicing)]

use std::path::Path;

use assert_cmd::Command;
use packhouse::explain;

const CONFIGURATION: &str = "[project]\norg = \"acme\"\nmaintainer = \"Acme <cloud@acme.example>\"\n";

fn write(directory: &Path, path: &str, text: &str) {
    let path = directory.join(path);
    fs_err::create_dir_all(path.parent().expect("a parent")).expect("a directory");
    fs_err::write(path, text).expect("a file");
}

/// A repository with a Rust and a Python service, without git.
fn repository(more: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let root = directory.path();
    write(root, "packhouse.toml", &format!("{CONFIGURATION}{more}"));
    write(root, "edge/Cargo.toml", "[package]\nname = \"acme-edge\"\nversion = \"1.0.0\"\nedition = \"2024\"\n");
    write(root, "edge/src/main.rs", "fn main() {}\n");
    write(
        root,
        "api/pyproject.toml",
        "[project]\nname = \"acme-api\"\nversion = \"1.0\"\nrequires-python = \">=3.9\"\n[project.scripts]\nacme-api = \"acme:main\"\n",
    );
    directory
}

fn packhouse(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("packhouse").expect("the program");
    command
        .current_dir(directory)
        .env("PACKHOUSE_CACHE_DIR", directory.join(".cache"))
        .env("PACKHOUSE_SANDBOX", "none")
        .env_remove("SOURCE_DATE_EPOCH");
    let output = command.args(arguments).output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().expect("a code"), text(&output.stdout), text(&output.stderr))
}

/// What a call complains of, with its code.
fn complaint(directory: &Path, arguments: &[&str], code: &str) -> String {
    let (exit, _, text) = packhouse(directory, arguments);
    assert!(exit != 0 && text.contains(&format!("error[{code}]: ")), "{arguments:?} ends with {exit}: {text}");
    assert!(explain::find(code).is_some(), "{code} is explained");
    text
}

#[test]
fn an_error_has_its_code_in_both_forms_and_explain_knows_it() {
    let repository = repository("licence = \"MIT\"\n");
    complaint(repository.path(), &["list"], "unknown-key");
    let (_, _, text) = packhouse(repository.path(), &["list", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(text.trim()).expect("one document");
    assert_eq!(document["code"], "unknown-key");
    let (exit, text, _) = packhouse(repository.path(), &["explain", "error[unknown-key]:"]);
    assert_eq!(exit, 0);
    assert!(text.starts_with("error[unknown-key]: ") && text.contains("Ends with: exit status 2"), "{text}");
    assert!(text.contains("    maintaner = "), "an example: {text}");
    let (_, text, _) = packhouse(repository.path(), &["explain", "unknown-key", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(text.trim()).expect("one document");
    assert_eq!((&document["reason"], &document["exit_codes"]), (&"code".into(), &serde_json::json!([2])));
}

#[test]
fn a_command_line_that_cannot_be_read_has_a_code_as_well() {
    let directory = tempfile::tempdir().expect("a directory");
    let text = complaint(directory.path(), &["biuld"], "invalid-command-line");
    assert!(text.contains("'build'"), "{text}");
    let (exit, _, text) = packhouse(directory.path(), &["build", "--targt", "el9", "--format=json"]);
    let document: serde_json::Value = serde_json::from_str(text.trim()).expect("one document");
    assert_eq!((exit, &document["code"]), (2, &"invalid-command-line".into()));
    assert!(document["message"].as_str().expect("a text").contains("--target"), "{text}");
    assert_eq!(packhouse(directory.path(), &["--version"]).0, 0);
}

#[test]
fn every_misspelt_name_is_answered_with_the_nearest() {
    let repository = repository("");
    let root = repository.path();
    for (arguments, code, nearest) in [
        (["build", "acme-egde"].as_slice(), "unknown-service", "`acme-edge`"),
        (&["build", "--target", "debain-12"], "unknown-target", "`debian-12`"),
        (&["build", "--target", "el9/amd46"], "unknown-target", "`el9/amd64`"),
        (&["pack", "--target", "el99", "."], "unknown-target", "`el9`"),
        (&["explain", "unknown-kye"], "unknown-code", "`unknown-key`"),
        (&["explain", "world-writeable"], "unknown-code", "`world-writable`"),
        (&["check", "--allow", "world-writeable", "."], "unknown-code", "`world-writable`"),
        (&["-C", "eddge", "list"], "no-such-directory", "edge`"),
    ] {
        let text = complaint(root, arguments, code);
        assert!(text.contains("did you mean") && text.contains(nearest), "{arguments:?}: {text}");
    }
    for (configuration, code, nearest) in [
        ("licence = \"MIT\"\n", "unknown-key", "`license`"),
        ("targets = [\"debain-12\"]\n", "invalid-value", "`debian-12`"),
        ("targets = [\"debian-12/amd46\"]\n", "invalid-value", "`debian-12/amd64`"),
        ("effort = \"smal\"\n", "invalid-value", "`small`"),
        ("[licenses]\nallow = [\"Apache2.0\"]\n", "invalid-value", "`Apache-2.0`"),
        ("[services.acme-apl]\nsummary = \"x\"\n", "unknown-service", "acme-api"),
        (
            "[services.acme-api.check]\nallow = [{ code = \"setuid-flie\", reason = \"x\" }]\n",
            "invalid-value",
            "`setuid-file`",
        ),
    ] {
        write(root, "packhouse.toml", &format!("{CONFIGURATION}{configuration}"));
        let text = complaint(root, &["list"], code);
        assert!(text.contains("did you mean") && text.contains(nearest), "{configuration}: {text}");
        assert!(text.contains("packhouse.toml:"), "the place: {text}");
    }
}

#[test]
fn a_misspelt_revision_is_answered_with_the_nearest_branch() {
    let repository = repository("");
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.current_dir(repository.path()).args(["-c", "user.name=a", "-c", "user.email=a@acme.example"]);
        command.args(arguments).assert().success();
    };
    git(&["init", "--quiet", "--initial-branch", "release-2026"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "first"]);
    let text = complaint(repository.path(), &["build", "--changed-since", "relaese-2026"], "unknown-revision");
    assert!(text.contains("did you mean `release-2026`?"), "{text}");
}

#[test]
fn an_error_that_only_shows_later_points_into_the_file_that_is_its_cause() {
    let repository = repository("targets = [\"debian-12\"]\n[services.acme-api.python]\nversion = \"3.8\"\n");
    let root = repository.path();
    let text = complaint(root, &["lock", "acme-api", "--offline"], "interpreter-not-in-target");
    assert!(text.contains("packhouse.toml:6:11"), "{text}");
    let more = "targets = [\"debian-12\"]\n[services.acme-api.python]\nextras = [\"postgre\"]\n";
    write(root, "packhouse.toml", &format!("{CONFIGURATION}{more}"));
    let text = complaint(root, &["lock", "acme-api", "--offline"], "unknown-extra");
    assert!(text.contains("packhouse.toml:6:10"), "{text}");
    write(root, "packhouse.toml", &format!("{CONFIGURATION}targets = [\"debian-12\"]\n"));
    let manifest = "[project]\nname = \"acme-api\"\nversion = \"1.0\"\nrequires-python = \">=3.13\"\n[project.scripts]\nacme-api = \"acme:main\"\n";
    write(root, "api/pyproject.toml", manifest);
    let text = complaint(root, &["lock", "acme-api", "--offline"], "python-excluded");
    assert!(text.contains("api/pyproject.toml:4:1"), "{text}");
    write(
        root,
        "other/setup.py",
        "from setuptools import setup\nsetup(\n    name='acme-api',\n    scripts=['bin/x'],\n)\n",
    );
    write(root, "other/bin/x", "#!/usr/bin/python3\n");
    let text = complaint(root, &["list"], "duplicate-name");
    assert!(text.contains("other/setup.py:3:11"), "{text}");
}

#[test]
fn suites_and_packages_of_a_repository_are_suggested_too() {
    let directory = tempfile::tempdir().expect("a directory");
    let root = directory.path();
    let key = ["key", "generate", "acme.key", "--user-id", "Acme <a@acme.example>", "--algorithm", "ed25519"];
    assert_eq!(packhouse(root, &key).0, 0);
    complaint(root, &key, "file-exists");
    assert_eq!(packhouse(root, &["repo", "init", "repository", "--key", "acme.key", "--origin", "acme"]).0, 0);
    complaint(root, &["repo", "init", "repository", "--key", "acme.key", "--origin", "acme"], "repository-exists");
    write(root, "tree/usr/share/acme/file", "content");
    assert_eq!(packhouse(root, &["pack", "--target", "debian-12", "--name", "acme-api", "tree"]).0, 0);
    let mut files = fs_err::read_dir(root).expect("files").flatten().map(|entry| entry.path());
    let artefact = files.find(|path| path.extension().is_some_and(|extension| extension == "deb"));
    let artefact = artefact.expect("a package").display().to_string();
    let publish = ["publish", &artefact, "--repo", "repository", "--suite", "bookworm", "--key", "acme.key"];
    let (exit, _, text) = packhouse(root, &publish);
    assert_eq!(exit, 0, "{text}");
    let text = complaint(root, &["repo", "show", "bokworm", "--repo", "repository"], "unknown-suite");
    assert!(text.contains("did you mean `bookworm`?"), "{text}");
    let text = complaint(root, &["repo", "show", "bookworm", "acme-apl", "--repo", "repository"], "unknown-package");
    assert!(text.contains("did you mean `acme-api`?"), "{text}");
    complaint(root, &["repo", "list", "tree"], "not-a-repository");
}
