//! The program as a user meets it: exit codes, where an error points, what is advised.

#![allow(clippy::expect_used, clippy::indexing_slicing)]

use std::path::Path;

use assert_cmd::Command;

fn packhouse(directory: &Path) -> Command {
    let mut command = Command::cargo_bin("packhouse").expect("the program");
    command.current_dir(directory).env("PACKHOUSE_CACHE_DIR", directory.join(".cache")).env_remove("SOURCE_DATE_EPOCH");
    command
}

/// A repository with one Rust service, without git.
fn repository(configuration: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |path: &str, text: &str| {
        let path = directory.path().join(path);
        fs_err::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs_err::write(path, text).expect("a file");
    };
    write("packhouse.toml", configuration);
    write("edge/Cargo.toml", "[package]\nname = \"acme-edge\"\nversion = \"1.0.0\"\nedition = \"2024\"\n");
    write("edge/src/main.rs", "fn main() {}\n");
    directory
}

const CONFIGURATION: &str = "[project]\norg = \"acme\"\nmaintainer = \"Acme <cloud@acme.example>\"\n";

fn stderr(command: &mut Command) -> (i32, String) {
    let output = command.output().expect("it runs");
    (output.status.code().expect("an exit code"), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn list_shows_each_member_and_why_it_was_taken_for_what_it_is() {
    let repository = repository(CONFIGURATION);
    let output = packhouse(repository.path()).arg("list").output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("acme-edge 1.0.0  rust service in edge: bin target acme-edge"), "{text}");
}

#[test]
fn json_results_are_one_document_per_line_with_a_reason_and_a_version() {
    let repository = repository(CONFIGURATION);
    let output = packhouse(repository.path()).args(["list", "--format", "json"]).output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let document: serde_json::Value = serde_json::from_str(text.trim()).expect("one document");
    assert_eq!(document["reason"], "member");
    assert_eq!(document["schema_version"], 1);
    assert_eq!(document["name"], "acme-edge");
}

#[test]
fn an_unknown_key_is_a_usage_error_that_points_at_it_and_suggests_the_right_one() {
    let repository = repository(&format!("{CONFIGURATION}licence = \"MIT\"\n"));
    let (code, text) = stderr(packhouse(repository.path()).arg("list"));
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("packhouse.toml:4:1"), "{text}");
    assert!(text.contains("did you mean `license`?"), "{text}");
}

#[test]
fn errors_are_json_as_well_when_asked_for() {
    let repository = repository(&format!("{CONFIGURATION}licence = \"MIT\"\n"));
    let (code, text) = stderr(packhouse(repository.path()).args(["list", "--format", "json"]));
    assert_eq!(code, 2);
    let document: serde_json::Value = serde_json::from_str(text.trim()).expect("one document");
    assert_eq!(document["reason"], "error");
    assert_eq!(document["location"]["line"], 4);
    assert_eq!(document["exit_code"], 2);
}

#[test]
fn a_misspelt_service_is_a_usage_error_that_names_the_nearest() {
    let repository = repository(CONFIGURATION);
    let (code, text) = stderr(packhouse(repository.path()).args(["build", "acme-egde"]));
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("did you mean `acme-edge`?"), "{text}");
}

#[test]
fn an_unknown_target_names_those_that_are_known() {
    let repository = repository(CONFIGURATION);
    let (code, text) = stderr(packhouse(repository.path()).args(["build", "--target", "debian-99"]));
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("debian-12") && text.contains("el9"), "{text}");
}

#[test]
fn without_a_configuration_the_error_says_how_to_get_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let (code, text) = stderr(packhouse(directory.path()).arg("list"));
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("packhouse init"), "{text}");
}

#[test]
fn init_writes_a_configuration_that_list_reads_and_never_overwrites_one() {
    let repository = repository(CONFIGURATION);
    fs_err::remove_file(repository.path().join("packhouse.toml")).expect("it is gone");
    let init = ["init", "--org", "acme", "--maintainer", "Acme <cloud@acme.example>"];
    packhouse(repository.path()).args(init).assert().success();
    packhouse(repository.path()).arg("list").assert().success();
    let (code, text) = stderr(packhouse(repository.path()).args(init));
    assert_eq!(code, 2, "{text}");
}

#[test]
fn cargo_packhouse_is_the_same_program() {
    let repository = repository(CONFIGURATION);
    let mut command = Command::cargo_bin("cargo-packhouse").expect("the program");
    command.current_dir(repository.path()).args(["packhouse", "list"]).assert().success();
}

#[test]
fn a_build_without_a_vendor_directory_names_the_command_that_fills_it() {
    let repository = repository(CONFIGURATION);
    fs_err::write(
        repository.path().join("edge/Cargo.lock"),
        "version = 4\n\n[[package]]\nname = \"acme-edge\"\nversion = \"1.0.0\"\n",
    )
    .expect("a lock");
    fs_err::write(
        repository.path().join("edge/Cargo.toml"),
        "[package]\nname = \"acme-edge\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\n[dependencies]\nitoa = \"1\"\n",
    )
    .expect("a manifest");
    let (code, text) = stderr(packhouse(repository.path()).arg("build"));
    assert_ne!(code, 0, "{text}");
    assert!(text.contains("packhouse lock") || text.contains("packhouse vendor acme-edge"), "{text}");
    assert!(!repository.path().join("target/packhouse/packhouse-artefacts.json").exists());
}

#[test]
fn a_repository_of_libraries_alone_is_told_how_to_make_a_service_of_one() {
    let repository = repository(CONFIGURATION);
    fs_err::rename(repository.path().join("edge/src/main.rs"), repository.path().join("edge/src/lib.rs"))
        .expect("moved");
    let (code, text) = stderr(packhouse(repository.path()).arg("vendor"));
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("`kind = \"service\"` under [services.acme-edge]"), "{text}");
}

#[test]
fn what_a_killed_vendor_has_left_is_removed_even_when_there_is_nothing_else_to_do() {
    let repository = repository(CONFIGURATION);
    let leftover = repository.path().join("edge/.packhouse-vendor-killed/serde-1.0.0");
    for _ in 0..2 {
        fs_err::create_dir_all(&leftover).expect("a directory");
        packhouse(repository.path()).args(["vendor", "--offline"]).assert().success();
        assert!(!repository.path().join("edge/.packhouse-vendor-killed").exists());
    }
}

#[test]
fn help_shows_a_subcommands_own_options_first_and_what_the_exit_status_means() {
    let directory = tempfile::tempdir().expect("a directory");
    let help = |arguments: &[&str]| {
        let output = packhouse(directory.path()).args(arguments).output().expect("it runs");
        String::from_utf8(output.stdout).expect("text")
    };
    let build = help(&["build", "--help"]);
    let place = |text: &str| build.find(text).unwrap_or_else(|| panic!("no {text} in {build}"));
    assert!(place("--changed-since") < place("Global options:"));
    assert!(place("Global options:") < place("--manifest-path"));
    assert!(help(&["--help"]).contains("Exit status:"));
}

#[test]
fn a_new_repository_is_readable_for_everyone_whatever_the_umask() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().expect("a directory");
    let program = assert_cmd::cargo::cargo_bin("packhouse");
    let script = "umask 077; \"$0\" key generate --algorithm ed25519 --user-id 'A <a@acme.example>' key && \
                  \"$0\" repo init repository --origin acme --key key";
    let mut shell = Command::new("sh");
    shell.current_dir(directory.path()).arg("-c").arg(script).arg(program).assert().success();
    let mode = |name: &str| fs_err::metadata(directory.path().join(name)).expect(name).permissions().mode() & 0o777;
    assert_eq!(mode("repository"), 0o755);
    assert_eq!(mode("key"), 0o600);
}

#[test]
fn a_name_to_upgrade_that_is_in_no_lock_is_an_error_with_the_nearest() {
    let repository = repository(CONFIGURATION);
    fs_err::write(
        repository.path().join("edge/Cargo.lock"),
        "version = 4\n\n[[package]]\nname = \"acme-edge\"\nversion = \"1.0.0\"\n",
    )
    .expect("a lock");
    let (code, text) = stderr(packhouse(repository.path()).args(["lock", "--upgrade=acme-edg"]));
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("`acme-edg`") && text.contains("did you mean `--upgrade=acme-edge`?"), "{text}");
}

#[test]
fn a_missing_cargo_lock_is_work_to_do_and_a_policy_only_when_locked() {
    let repository = repository(CONFIGURATION);
    let (code, text) = stderr(packhouse(repository.path()).arg("build"));
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("packhouse lock acme-edge"), "{text}");
    let (code, text) = stderr(packhouse(repository.path()).args(["build", "--locked"]));
    assert_eq!(code, 3, "{text}");
}

#[test]
fn a_polite_kill_ends_the_resolver_as_well_and_exits_143() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::{Duration, Instant};
    let repository = repository(CONFIGURATION);
    let at = |path: &str| repository.path().join(path);
    fs_err::create_dir_all(at("api")).expect("a directory");
    let manifest = "[project]\nname = \"acme-api\"\nversion = \"1\"\ndependencies = [\"flask\"]\n\
                    [project.scripts]\nacme-api = \"acme_api:main\"\n";
    fs_err::write(at("api/pyproject.toml"), manifest).expect("a manifest");
    let (tools, note) = (at(".tools"), at(".tools/process"));
    fs_err::create_dir_all(&tools).expect("a directory");
    let resolver = format!(
        "#!/bin/sh\n[ \"$1\" = --version ] && echo 'uv 99.0.0' && exit\necho $$ > '{0}.new' && mv '{0}.new' '{0}'\nexec sleep 60\n",
        note.display()
    );
    fs_err::write(tools.join("uv"), resolver).expect("a resolver");
    fs_err::set_permissions(tools.join("uv"), std::fs::Permissions::from_mode(0o755)).expect("executable");
    let mut running = std::process::Command::new(assert_cmd::cargo::cargo_bin("packhouse"))
        .args(["lock", "acme-api"])
        .current_dir(repository.path())
        .env("PACKHOUSE_CACHE_DIR", at(".cache"))
        .env("PATH", format!("{}:/usr/bin:/bin", tools.display()))
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    let begin = Instant::now();
    while !note.exists() && begin.elapsed() < Duration::from_secs(30) {
        assert!(running.try_wait().expect("a state").is_none(), "it has ended before it was killed");
        std::thread::sleep(Duration::from_millis(20));
    }
    let resolver = fs_err::read_to_string(&note).expect("the resolver runs").trim().to_owned();
    let pid = i32::try_from(running.id()).ok().and_then(rustix::process::Pid::from_raw).expect("a process");
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("a signal");
    assert_eq!(running.wait().expect("an end").code(), Some(143));
    let alive = || {
        let state = fs_err::read_to_string(format!("/proc/{resolver}/stat")).unwrap_or_default();
        !state.is_empty() && !state.contains(") Z ")
    };
    let begin = Instant::now();
    while alive() && begin.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!alive(), "the resolver {resolver} goes on");
}
