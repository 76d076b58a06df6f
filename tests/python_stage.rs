//! Staging Python services, from the outside: a repository is locked, vendored and staged, and what comes out is run by the
//! interpreter of this machine at its final place.
//!
//! The tests of the module `online` ask the Python index that pip and uv are configured with on this machine.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use packhouse::cache::Cache;
use packhouse::config::{Maintainer, ProjectSettings, RepositorySettings, ServiceSettings, Settings};
use packhouse::digest::Sha256;
use packhouse::ecosystem::python::environment::materialize;
use packhouse::ecosystem::{self, Context, Release, Upgrade};
use packhouse::name::{OrgName, PackageName};
use packhouse::package::Staged;
use packhouse::report::Silent;
use packhouse::target::{PythonVersion, distributions, parse_target};
use packhouse::tree::{InstallPath, Node, Tree};
use packhouse::workspace::{EcosystemKind, Kind, Member, MemberId, Workspace};

const TIME: i64 = 1_700_000_000;

/// A back end that packs the package of the current directory's name, so that a test needs none from an index.
const BACK_END: &str = r#"
import base64, hashlib, os, zipfile

def build_wheel(directory, config=None, metadata=None):
    name, version = open("identity").read().split()
    stem = "%s-%s" % (name.replace("-", "_"), version)
    info = stem + ".dist-info"
    files = {}
    for top, _, names in os.walk("src"):
        for file in names:
            path = os.path.join(top, file)
            files[os.path.relpath(path, "src")] = open(path).read()
    if os.path.exists("entry_points.txt"):
        files[info + "/entry_points.txt"] = open("entry_points.txt").read()
    files[info + "/WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[info + "/METADATA"] = "Metadata-Version: 2.1\nName: %s\nVersion: %s\nLicense-Expression: MIT\n" % (name, version)
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += "%s,sha256=%s,%d\n" % (path, digest, len(text.encode()))
    files[info + "/RECORD"] = record + info + "/RECORD,,\n"
    wheel = stem + "-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(directory, wheel), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return wheel
"#;

struct Repository {
    directory: tempfile::TempDir,
    settings: Settings,
    workspace: Workspace,
    cache: Cache,
    threads: usize,
    release: Release,
}

impl Repository {
    fn new(targets: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        let known = distributions();
        let settings = Settings {
            root: root.clone(),
            project: ProjectSettings {
                org: OrgName::parse("acme").unwrap(),
                maintainer: Maintainer { name: "Acme".to_owned(), mail: "cloud@acme.example".to_owned() },
                homepage: None,
                license: None,
                targets: targets.iter().map(|target| parse_target(target, &known).unwrap()).collect(),
                members: None,
                exclude: globset::GlobSet::empty(),
                vendor: PathBuf::from("vendor"),
                effort: packhouse::format::Effort::Default,
            },
            indexes: Vec::new(),
            services: BTreeMap::new(),
            adopted: Default::default(),
            distributions: known,
            licenses: packhouse::config::LicensePolicy::default(),
            repository: RepositorySettings::default(),
        };
        let cache = Cache::at(root.join("cache"));
        let workspace = Workspace { root, members: Vec::new() };
        let release = Release { time: TIME, ..Release::default() };
        Self { directory, settings, workspace, cache, threads: 2, release }
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.directory.path().join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }

    fn member(&mut self, name: &str, kind: Kind, manifest: &str, dependencies: &[usize]) -> usize {
        self.workspace.members.push(Member {
            name: PackageName::parse(name).unwrap(),
            ecosystem_name: name.to_owned(),
            ecosystem: EcosystemKind::Python,
            kind,
            path: PathBuf::from(name),
            manifest: PathBuf::from(name).join(manifest),
            version: Some("1.0".to_owned()),
            summary: None,
            license: None,
            reason: String::new(),
            commands: Vec::new(),
            requires: Vec::new(),
            optional: std::collections::BTreeMap::new(),
            dependencies: dependencies.iter().copied().map(MemberId).collect(),
            unread: Vec::new(),
            submodule: None,
        });
        self.workspace.members.len() - 1
    }

    /// A service and a library that are built by [`BACK_END`] and need nothing from outside.
    fn self_contained(targets: &[&str]) -> Self {
        let mut repository = Self::new(targets);
        for (name, dependencies) in [("acme-common", ""), ("acme-api", "dependencies = [\"acme-common\"]\n")] {
            repository.write(
                &format!("{name}/pyproject.toml"),
                &format!(
                    "[project]\nname = \"{name}\"\nversion = \"1.0\"\n{dependencies}\n[build-system]\nrequires = []\n\
                     build-backend = \"packer\"\nbackend-path = [\"build-tools\"]\n"
                ),
            );
            repository.write(&format!("{name}/build-tools/packer.py"), BACK_END);
            repository.write(&format!("{name}/identity"), &format!("{name} 1.0"));
        }
        repository.write("acme-common/src/acme_common/__init__.py", "greeting = 'hello from the library'\n");
        repository.write(
            "acme-api/src/acme_api/__init__.py",
            "import sys\nfrom acme_common import greeting\n\ndef main():\n    print(greeting, sys.flags.isolated, sys.prefix)\n",
        );
        repository.write("acme-api/entry_points.txt", "[console_scripts]\nacme-api = acme_api:main\n");
        repository.write("acme-api/bin/acme-tool", "#!/usr/bin/env python3\nimport acme_api\nacme_api.main()\n");
        let library = repository.member("acme-common", Kind::Library, "pyproject.toml", &[]);
        repository.member("acme-api", Kind::Service, "pyproject.toml", &[library]);
        repository
    }

    fn context(&self) -> Context<'_> {
        Context {
            settings: &self.settings,
            workspace: &self.workspace,
            cache: &self.cache,
            reporter: &Silent,
            offline: false,
            locked: false,
            threads: self.threads,
        }
    }

    fn service(&self) -> &Member {
        self.workspace.service("acme-api").unwrap()
    }

    fn prepare(&self) {
        let python = ecosystem::of(EcosystemKind::Python);
        python.lock(self.context(), self.service(), &Upgrade::Nothing).unwrap_or_else(|error| panic!("{error}"));
        python.vendor(self.context(), self.service()).unwrap_or_else(|error| panic!("{error}"));
    }

    fn try_stage(&self, target: &str) -> Result<Staged, ecosystem::Error> {
        let target = parse_target(target, &self.settings.distributions).unwrap();
        ecosystem::of(EcosystemKind::Python).stage(self.context(), self.service(), &target, &self.release)
    }

    fn stage(&self, target: &str) -> Staged {
        self.try_stage(target).unwrap_or_else(|error| panic!("{error}\n{:?}", error.hints()))
    }
}

/// One line per entry: path, mode, content. Equal listings are equal packages.
fn listing(tree: &Tree) -> Vec<String> {
    tree.iter()
        .map(|(path, entry)| {
            let what = match &entry.node {
                Node::Directory => "directory".to_owned(),
                Node::Symlink(target) => format!("-> {target}"),
                Node::HardLink(path) => format!("= {path}"),
                Node::File(content) => content.digests.sha256.to_string(),
            };
            format!("{path} {:o} {} {what}", entry.mode, entry.vendored)
        })
        .collect()
}

fn text(tree: &Tree, path: &str) -> String {
    let entry = tree.get(&InstallPath::parse(path).unwrap()).unwrap_or_else(|| panic!("{path} is missing"));
    let Node::File(content) = &entry.node else { panic!("{path} is no file") };
    let mut text = String::new();
    content.open().unwrap().read_to_string(&mut text).unwrap();
    text
}

/// A staged service at its final place, by an overlay over `/usr/lib` that only the commands run here see.
struct Installed {
    directory: tempfile::TempDir,
}

impl Installed {
    /// `None` where this machine has not the interpreter or does not let us mount.
    fn new(staged: &Staged) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let lower = directory.path().join("lower/acme");
        fs_err::create_dir_all(&lower).unwrap();
        for name in ["upper", "work"] {
            fs_err::create_dir(directory.path().join(name)).unwrap();
        }
        let prefix = InstallPath::parse("/usr/lib/acme/acme-api").unwrap();
        materialize(&staged.tree, &prefix, &lower.join("acme-api")).unwrap();
        for (name, path) in &staged.commands {
            fs_err::os::unix::fs::symlink(path.as_str(), directory.path().join(name)).unwrap();
        }
        let installed = Self { directory };
        let interpreter = format!("/usr/bin/python{}", staged.python.unwrap());
        if !Path::new(&interpreter).exists() || installed.run("true").is_err() {
            println!("skipped: no {interpreter}, or no mounts");
            return None;
        }
        Some(installed)
    }

    fn root(&self) -> &Path {
        self.directory.path()
    }

    /// Standard output of a shell script that sees the service installed; all output when it fails.
    fn run(&self, script: &str) -> Result<String, String> {
        let root = self.root().display();
        let mount = format!(
            "mount -t overlay overlay -o lowerdir={root}/lower:/usr/lib,upperdir={root}/upper,workdir={root}/work /usr/lib"
        );
        let mut command = Command::new("unshare");
        if !rustix::process::geteuid().is_root() {
            command.arg("-Ur");
        }
        let output = command
            .args(["-m", "sh", "-ec", &format!("{mount}\n{script}")])
            .env_remove("PYTHONDONTWRITEBYTECODE")
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            Ok(text(&output.stdout))
        } else {
            Err(text(&output.stdout) + &text(&output.stderr))
        }
    }

    /// Files that running left behind in the tree.
    fn left_behind(&self) -> Vec<PathBuf> {
        walkdir::WalkDir::new(self.root().join("upper"))
            .into_iter()
            .map(Result::unwrap)
            .filter(|entry| entry.file_type().is_file())
            .map(walkdir::DirEntry::into_path)
            .collect()
    }
}

#[test]
fn a_service_with_a_library_runs_at_its_place_through_links_and_isolated() {
    let repository = Repository::self_contained(&["debian-12"]);
    repository.prepare();
    let staged = repository.stage("debian-12");
    let names: Vec<&str> = staged.commands.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["acme-api", "acme-tool"]);
    assert_eq!(staged.python, Some(PythonVersion::three(11)));
    let components: Vec<String> =
        staged.components.iter().map(|component| format!("{} {:?}", component.purl, component.license)).collect();
    assert_eq!(components, ["pkg:generic/acme-common@1.0 Some(\"MIT\")"]);
    assert_eq!(staged.isolation.len(), 1, "{:?}", staged.isolation);
    assert_eq!(
        text(&staged.tree, "/usr/lib/acme/acme-api/bin/acme-tool"),
        "#!/usr/lib/acme/acme-api/bin/python -Iu\nimport acme_api\nacme_api.main()\n"
    );
    let Some(installed) = Installed::new(&staged) else { return };
    let root = installed.root().display();
    let said = installed.run(&format!("cd /; PYTHONPATH=/nowhere {root}/acme-api; {root}/acme-tool")).unwrap();
    assert_eq!(said, "hello from the library 1 /usr/lib/acme/acme-api\n".repeat(2));
    assert_eq!(installed.left_behind(), Vec::<PathBuf>::new(), "byte-code is there already");
}

#[test]
fn the_tree_is_the_same_from_another_directory_cache_and_number_of_threads() {
    let one = Repository::self_contained(&["debian-12"]);
    let mut two = Repository::self_contained(&["debian-12"]);
    two.threads = 1;
    one.prepare();
    two.prepare();
    let (left, right) = (listing(&one.stage("debian-12").tree), listing(&two.stage("debian-12").tree));
    assert_eq!(left, right);
    println!("digest of the listing: {}", Sha256::of(left.join("\n").as_bytes()));
    assert_eq!(listing(&one.stage("debian-12").tree), left, "a second stage gives the same");
}

#[test]
fn a_target_whose_interpreter_is_not_here_has_its_byte_code_made_on_installation() {
    let repository = Repository::self_contained(&["debian-13"]);
    repository.prepare();
    let staged = repository.stage("debian-13");
    assert_eq!(staged.python, Some(PythonVersion::three(13)));
    let pyc = staged.tree.iter().any(|(path, _)| path.as_str().ends_with(".pyc"));
    let site = staged.compile_on_install.map(|path| path.to_string());
    if pyc {
        assert_eq!(site, None);
    } else {
        assert_eq!(site.as_deref(), Some("/usr/lib/acme/acme-api/lib/python3.13/site-packages"));
    }
}

#[test]
fn settings_name_the_commands_and_an_unknown_one_is_an_error() {
    let mut repository = Repository::self_contained(&["debian-12"]);
    repository.prepare();
    let settings = ServiceSettings { commands: Some(vec!["acme-tool".to_owned()]), ..ServiceSettings::default() };
    repository.settings.services.insert("acme-api".to_owned(), settings);
    assert_eq!(repository.stage("debian-12").commands.len(), 1);
    let settings = ServiceSettings { commands: Some(vec!["acme-tol".to_owned()]), ..ServiceSettings::default() };
    repository.settings.services.insert("acme-api".to_owned(), settings);
    let error = repository.try_stage("debian-12").unwrap_err();
    assert!(error.hints().iter().any(|hint| hint.contains("did you mean `acme-tool`?")), "{:?}", error.hints());
}

#[test]
fn without_a_lock_and_with_a_stale_one_staging_says_what_to_run() {
    let repository = Repository::self_contained(&["debian-12"]);
    let error = repository.try_stage("debian-12").unwrap_err();
    assert!(error.hints().iter().any(|hint| hint.contains("packhouse")), "{error}: {:?}", error.hints());
    repository.prepare();
    repository.stage("debian-12");
    repository.write("acme-api/requirements.txt", "six\n");
    let error = repository.try_stage("debian-12").unwrap_err();
    assert!(error.hints().iter().any(|hint| hint.contains("packhouse lock")), "{error}: {:?}", error.hints());
}

#[test]
fn a_package_that_writes_its_own_location_is_an_error() {
    let repository = Repository::self_contained(&["debian-12"]);
    let tell = BACK_END.replace("    files = {}\n", "    files = {'acme_api/where.py': 'x = %r' % os.getcwd()}\n");
    repository.write("acme-api/build-tools/packer.py", &tell);
    repository.prepare();
    let error = repository.try_stage("debian-12").unwrap_err();
    assert!(error.to_string().contains("where") && error.to_string().contains("contains the path"), "{error}");
}

#[test]
fn a_package_without_a_version_of_its_own_is_of_the_version_that_the_tag_says() {
    let mut repository = Repository::self_contained(&["debian-12"]);
    let dynamic = |name: &str| {
        format!(
            "[project]\nname = \"{name}\"\ndynamic = [\"version\"]\n{}[build-system]\nrequires = []\nbuild-backend = \"packer\"\n\
             backend-path = [\"build-tools\"]\n",
            if name == "acme-api" { "dependencies = [\"acme-common\"]\n" } else { "" }
        )
    };
    for name in ["acme-api", "acme-common"] {
        repository.write(&format!("{name}/pyproject.toml"), &dynamic(name));
    }
    // One asks as setuptools-scm does, the other knows nothing and says what setuptools then says.
    let asking = BACK_END.replace(
        "open(\"identity\").read().split()",
        "\"acme-api\", os.environ[\"SETUPTOOLS_SCM_PRETEND_VERSION_FOR_ACME_API\"]",
    );
    repository.write("acme-api/build-tools/packer.py", &asking);
    repository.write("acme-common/identity", "acme-common 0.0.0");
    repository.release.versions =
        [("acme-api", "1.4"), ("acme-common", "0.9+3.gabc")].map(|(name, text)| (name.into(), text.into())).into();
    repository.prepare();
    let staged = repository.stage("debian-12");
    let site = "/usr/lib/acme/acme-api/lib/python3.11/site-packages";
    let metadata = text(&staged.tree, &format!("{site}/acme_api-1.4.dist-info/METADATA"));
    assert!(metadata.contains("\nVersion: 1.4\n"), "{metadata}");
    let metadata = text(&staged.tree, &format!("{site}/acme_common-0.9+3.gabc.dist-info/METADATA"));
    assert!(metadata.contains("\nVersion: 0.9+3.gabc\n"), "{metadata}");
    // A back end that knows better than the tag is asked about, not overruled.
    repository.write("acme-common/identity", "acme-common 2.0");
    let error = repository.try_stage("debian-12").unwrap_err();
    assert!(error.to_string().contains("2.0") && error.to_string().contains("0.9"), "{error}");
    assert!(error.hints().iter().any(|hint| hint.contains("version = \"2.0\"")), "{:?}", error.hints());
}

#[test]
fn a_library_is_built_once_for_services_of_different_age_and_for_all_targets() {
    let mut repository = Repository::self_contained(&["debian-12", "el9"]);
    repository.prepare();
    repository.release.times.insert("acme-common".to_owned(), TIME - 5);
    let built = || fs_err::read_dir(repository.cache.section("built-wheels/v3")).unwrap().count();
    repository.stage("debian-12");
    assert_eq!(built(), 2);
    repository.stage("el9");
    assert_eq!(built(), 2);
    let built =
        |repository: &Repository| fs_err::read_dir(repository.cache.section("built-wheels/v3")).unwrap().count();
    repository.release.time += 100;
    repository.stage("debian-12");
    assert_eq!(built(&repository), 3, "the service alone is built again");
}

#[test]
fn a_wheel_that_is_not_for_the_targets_python_is_refused_with_what_it_says() {
    let repository = Repository::self_contained(&["debian-12"]);
    let bounded = BACK_END.replace("License-Expression: MIT\\n", "Requires-Python: >=3.8,<3.11\\n");
    assert!(bounded.contains("<3.11"));
    repository.write("acme-common/build-tools/packer.py", &bounded);
    repository.prepare();
    let error = repository.try_stage("debian-12").unwrap_err();
    assert!(error.to_string().contains("Requires-Python: >=3.8,<3.11"), "{error}");
    assert!(error.hints().iter().any(|hint| hint.contains("debian-12")), "{:?}", error.hints());
}

mod online {
    use super::*;

    const REQUIREMENTS: &str = "flask\nrequests\nsqlalchemy\ngunicorn\npydantic\ncryptography\nacme-common\n";

    /// The old style: setup.py, requirements.txt, bin/.
    fn six(targets: &[&str]) -> Repository {
        let mut repository = Repository::new(targets);
        repository.write(
            "acme-api/setup.py",
            "from setuptools import setup, find_packages\nsetup(name='acme-api', version='1.0', packages=find_packages(), scripts=['bin/acme-api'])\n",
        );
        repository.write("acme-api/acme_api/__init__.py", "import acme_common\n");
        repository.write("acme-api/requirements.txt", REQUIREMENTS);
        repository.write(
            "acme-api/bin/acme-api",
            "#!/usr/bin/env python3 -u\nimport acme_api, flask\nprint('flask', flask.__name__)\n",
        );
        repository.write(
            "acme-common/pyproject.toml",
            "[project]\nname = \"acme-common\"\nversion = \"1.0\"\n[build-system]\nrequires = [\"setuptools>=61\"]\nbuild-backend = \"setuptools.build_meta\"\n",
        );
        repository.write("acme-common/acme_common/__init__.py", "");
        let library = repository.member("acme-common", Kind::Library, "pyproject.toml", &[]);
        repository.member("acme-api", Kind::Service, "setup.py", &[library]);
        repository
    }

    #[test]
    fn a_service_with_compiled_dependencies_imports_all_of_them_from_its_own_tree() {
        let repository = six(&["debian-12", "debian-13", "el9"]);
        repository.prepare();
        let started = std::time::Instant::now();
        let staged = repository.stage("debian-12");
        println!("first stage: {:?}", started.elapsed());
        let started = std::time::Instant::now();
        let again = repository.stage("debian-12");
        println!("second stage: {:?}, {} entries", started.elapsed(), again.tree.len());
        assert_eq!(listing(&staged.tree), listing(&again.tree));
        for target in ["debian-13", "el9"] {
            let other = repository.stage(target);
            assert!(other.tree.len() > 500, "{target}");
        }
        assert!(staged.components.iter().any(|component| component.name == "cryptography"));
        assert!(!repository.directory.path().join("acme-api/build").exists());
        let Some(installed) = Installed::new(&staged) else { return };
        let python = "/usr/lib/acme/acme-api/bin/python";
        let imports =
            "import flask, requests, sqlalchemy, gunicorn, pydantic, cryptography.hazmat.bindings._rust, ssl, sys
assert sys.prefix == '/usr/lib/acme/acme-api', sys.prefix
assert all(p.startswith('/usr/lib') for p in sys.path), sys.path
assert not any('dist-packages' in p for p in sys.path), sys.path
print(flask.Flask.run.__code__.co_filename, flask.__cached__)
class M(pydantic.BaseModel):
    x: int
print(M(x='3').x)";
        let said = installed.run(&format!("cd /\n{python} -I -c \"{imports}\"")).unwrap();
        let site = "/usr/lib/acme/acme-api/lib/python3.11/site-packages/flask";
        assert_eq!(said, format!("{site}/app.py {site}/__pycache__/__init__.cpython-311.pyc\n3\n"));
        let root = installed.root().display();
        let said = installed.run(&format!("cd /; {root}/acme-api; {python} -m gunicorn --version")).unwrap();
        assert!(said.starts_with("flask flask\ngunicorn"), "{said}");
        assert_eq!(installed.left_behind(), Vec::<PathBuf>::new());
        let used = installed.run(&format!(
            "cd /; {python} -I -v -c 'import flask' 2>&1 | grep -c 'code object from.*site-packages.*pyc'"
        ));
        assert!(used.unwrap().trim().parse::<u32>().unwrap() > 50, "byte-code is used");
        let foreign = installed.run(&format!("{python} -I -m pip --version"));
        assert!(foreign.is_err(), "no pip in the tree");
    }

    #[test]
    fn a_source_distribution_and_a_compiled_package_are_built_and_what_does_not_fit_is_refused() {
        if !Path::new("/usr/include/python3.11/Python.h").exists() {
            println!("skipped: no headers of CPython 3.11");
            return;
        }
        let mut repository = Repository::new(&["debian-12"]);
        repository.write(
            "acme-api/pyproject.toml",
            "[project]\nname = \"acme-api\"\nversion = \"1.0\"\ndependencies = [\"docopt==0.6.2\"]\n\
             [project.scripts]\nacme-api = \"acme_api:main\"\n\
             [build-system]\nrequires = [\"setuptools>=70.1\"]\nbuild-backend = \"setuptools.build_meta\"\n",
        );
        repository.write(
            "acme-api/setup.py",
            "from setuptools import Extension, setup\nsetup(ext_modules=[Extension('acme_api.native', ['acme_api/native.c'])])\n",
        );
        repository.write(
            "acme-api/acme_api/native.c",
            "#include <Python.h>\n#include <stdlib.h>\n\
             static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, \"native\", __FILE__, -1, NULL};\n\
             PyMODINIT_FUNC PyInit_native(void) { return PyModule_Create(&module); }\n",
        );
        repository.write(
            "acme-api/acme_api/__init__.py",
            "def main():\n    import docopt\n    from acme_api import native\n    print(docopt.__version__, native.__doc__)\n",
        );
        repository.member("acme-api", Kind::Service, "pyproject.toml", &[]);
        repository.prepare();
        let staged = repository.stage("debian-12");
        let native =
            "/usr/lib/acme/acme-api/lib/python3.11/site-packages/acme_api/native.cpython-311-x86_64-linux-gnu.so";
        let entry = staged.tree.get(&InstallPath::parse(native).unwrap()).unwrap();
        assert_eq!((entry.mode, entry.vendored), (0o644, false));
        assert!(staged.components.iter().any(|component| component.purl == "pkg:pypi/docopt@0.6.2"));
        if let Some(installed) = Installed::new(&staged) {
            let said = installed.run(&format!("{}/acme-api", installed.root().display())).unwrap();
            assert_eq!(said, "0.6.2 acme_api/native.c\n");
        }
        let known = distributions();
        repository.settings.project.targets.push(parse_target("debian-13/amd64", &known).unwrap());
        repository.prepare();
        let error = repository.try_stage("debian-13").unwrap_err();
        assert!(
            error.to_string().contains("does not fit debian-13/amd64") || error.to_string().contains("CPython"),
            "{error}"
        );
    }
}
