//! Which services `build --changed-since` takes, in real git repositories.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "these are tests"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use packhouse::name::PackageName;
use packhouse::workspace::changes::{ChangesError, since};
use packhouse::workspace::{EcosystemKind, Kind, Member, MemberId, Workspace};

struct Repository {
    directory: tempfile::TempDir,
}

impl Repository {
    /// Two services, one of which uses the library, all committed; the library is a submodule.
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let repository = Self { directory };
        let library = repository.directory.path().join("library");
        let root = repository.root();
        fs::create_dir_all(&library).expect("mkdir");
        git(&library, &["init", "-q"]);
        fs::write(library.join("lib.py"), "1\n").expect("write");
        commit(&library);
        fs::create_dir_all(&root).expect("mkdir");
        git(&root, &["init", "-q"]);
        for file in ["services/api/api.py", "services/web/web.py", "edge/tool/main.rs", "edge/Cargo.lock", "README"] {
            repository.put(file, "1\n");
        }
        repository.put(".gitignore", "ignored\n");
        repository.put("packhouse.toml", "[project]\n");
        git(&root, &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../library", "common/lib"]);
        commit(&root);
        repository
    }

    fn root(&self) -> PathBuf {
        self.directory.path().join("cloud")
    }

    fn put(&self, file: &str, text: &str) {
        let path = self.root().join(file);
        fs::create_dir_all(path.parent().expect("a parent")).expect("mkdir");
        fs::write(path, text).expect("write");
    }

    fn workspace(&self) -> Workspace {
        let member = |path: &str, name: &str, kind: Kind, dependencies: Vec<MemberId>| Member {
            name: PackageName::parse(name).expect("a name"),
            ecosystem_name: name.to_owned(),
            ecosystem: EcosystemKind::Python,
            kind,
            path: PathBuf::from(path),
            manifest: PathBuf::from(path).join("pyproject.toml"),
            version: None,
            summary: None,
            license: None,
            reason: "a test".to_owned(),
            commands: Vec::new(),
            requires: Vec::new(),
            optional: std::collections::BTreeMap::new(),
            dependencies,
            unread: Vec::new(),
            submodule: None,
        };
        Workspace {
            root: self.root().canonicalize().expect("a root"),
            members: vec![
                member("common/lib", "acme-lib", Kind::Library, Vec::new()),
                member("edge/tool", "acme-tool", Kind::Service, Vec::new()),
                member("services/api", "acme-api", Kind::Service, vec![MemberId(0)]),
                member("services/web", "acme-web", Kind::Service, Vec::new()),
            ],
        }
    }

    #[track_caller]
    fn changed(&self) -> Vec<String> {
        since(&self.workspace(), "HEAD").expect("changes").into_iter().collect()
    }
}

fn git(directory: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@acme.example"])
        .args(arguments)
        .current_dir(directory)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .expect("git must be installed");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn commit(directory: &Path) {
    git(directory, &["add", "-A"]);
    git(directory, &["commit", "-q", "-m", "change"]);
}

#[test]
fn nothing_changed_means_no_service() {
    let repository = Repository::new();
    assert_eq!(repository.changed(), Vec::<String>::new());
    repository.put("README", "2\n");
    repository.put("services/api/ignored", "2\n");
    assert_eq!(repository.changed(), Vec::<String>::new());
}

#[test]
fn a_service_changes_with_its_own_files_even_before_they_are_committed() {
    let repository = Repository::new();
    repository.put("services/web/new.py", "2\n");
    assert_eq!(repository.changed(), ["acme-web"]);
    fs::remove_file(repository.root().join("services/api/api.py")).expect("remove");
    assert_eq!(repository.changed(), ["acme-api", "acme-web"]);
    commit(&repository.root());
    assert_eq!(repository.changed(), Vec::<String>::new());
    let since_first: Vec<String> = since(&repository.workspace(), "HEAD~1").expect("changes").into_iter().collect();
    assert_eq!(since_first, ["acme-api", "acme-web"]);
}

#[test]
fn a_service_changes_with_the_libraries_it_uses_in_submodules_too() {
    let repository = Repository::new();
    let library = repository.root().join("common/lib");
    fs::write(library.join("lib.py"), "2\n").expect("write");
    assert_eq!(repository.changed(), ["acme-api"], "not committed in the submodule");
    commit(&library);
    assert_eq!(repository.changed(), ["acme-api"], "not committed in the repository");
    commit(&repository.root());
    assert_eq!(repository.changed(), Vec::<String>::new());
    let before: Vec<String> = since(&repository.workspace(), "HEAD~1").expect("changes").into_iter().collect();
    assert_eq!(before, ["acme-api"]);
}

#[test]
fn what_holds_for_the_directories_below_it_changes_those_services() {
    let repository = Repository::new();
    repository.put("edge/Cargo.lock", "2\n");
    assert_eq!(repository.changed(), ["acme-tool"]);
    commit(&repository.root());
    repository.put("edge/.cargo/config.toml", "[build]\n");
    assert_eq!(repository.changed(), ["acme-tool"]);
    commit(&repository.root());
    repository.put("packhouse.toml", "[project]\norg = \"acme\"\n");
    assert_eq!(repository.changed(), ["acme-api", "acme-tool", "acme-web"]);
}

#[test]
fn a_workspace_below_the_repository_s_root_is_told_from_what_is_beside_it() {
    let repository = Repository::new();
    let mut workspace = repository.workspace();
    workspace.root = workspace.root.join("services");
    workspace.members.retain(|member| member.path.starts_with("services"));
    for member in &mut workspace.members {
        member.path = member.path.strip_prefix("services").expect("below it").to_path_buf();
        member.dependencies.clear();
    }
    repository.put("web/web.py", "a directory of the same name, elsewhere\n");
    repository.put("packhouse.toml", "another workspace's\n");
    let changed = since(&workspace, "HEAD").expect("changes");
    assert!(changed.is_empty(), "{changed:?}");
    repository.put("services/web/web.py", "2\n");
    assert!(since(&workspace, "HEAD").expect("changes").contains("acme-web"));
}

#[test]
fn an_unknown_revision_is_an_error_with_the_command_that_fetches_it() {
    use packhouse::diagnostic::Diagnose as _;
    let repository = Repository::new();
    let error = since(&repository.workspace(), "origin/main").expect_err("no such revision");
    assert!(matches!(error, ChangesError::Revision { .. }), "{error}");
    assert!(error.hints().concat().contains("git fetch"), "{:?}", error.hints());
}
