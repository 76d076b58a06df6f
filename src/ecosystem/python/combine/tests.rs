//! Packages of every style, and what detection makes of them.

use std::path::{Path, PathBuf};

use super::read_project;
use crate::diagnostic::Diagnose;
use crate::ecosystem::python::detect::detect;
use crate::ecosystem::python::project::{self, Project, Style};
use crate::ecosystem::python::source::Error;
use crate::workspace::{Directory, Kind, Member};

struct Repository(tempfile::TempDir);

impl Repository {
    fn new(files: &[(&str, &str)]) -> Self {
        let repository = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            let path = repository.0.path().join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        }
        repository
    }

    fn read(&self, path: &str) -> Result<Option<Project>, Error> {
        read_project(&self.0.path().join(path))
    }

    fn project(&self, path: &str) -> Project {
        self.read(path).unwrap().unwrap()
    }

    fn detect(&self, path: &str) -> Result<Vec<Member>, Box<dyn Diagnose + Send + Sync>> {
        let mut entries: Vec<String> = fs_err::read_dir(self.0.path().join(path))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        entries.sort();
        detect(Directory { root: self.0.path(), path: Path::new(path), entries: &entries, submodule: None })
    }

    fn member(&self, path: &str) -> Member {
        let mut members = self.detect(path).unwrap();
        assert_eq!(members.len(), 1);
        members.remove(0)
    }
}

fn names(project: &Project) -> Vec<&str> {
    project.dependencies.iter().map(|line| line.requirement.as_str()).collect()
}

const CLASSIC: &[(&str, &str)] = &[
    (
        "services/api/setup.py",
        "from setuptools import setup\nsetup(name='Acme_API', version='1.2', description='The API.',\n      scripts=['bin/acme-api'])\n",
    ),
    ("services/api/requirements.txt", "-c limits.txt\nflask==3.0.0\nacme-common\n-e ../../common/auth[ldap]\n"),
    ("services/api/limits.txt", "werkzeug<4\n"),
    ("services/api/.python-version", "3.11.2\n"),
    ("services/api/bin/acme-api", "#!/usr/bin/env python\n"),
    ("services/api/bin/acme-api-admin", "#!/usr/bin/env python\n"),
    ("services/api/bin/acme-api~", "#!/usr/bin/env python\n"),
    ("services/api/bin/.hidden", "#!/bin/sh\n"),
    ("services/api/bin/README", "words\n"),
    ("services/api/bin/__pycache__/x.pyc", "x"),
    ("common/auth/setup.py", "from setuptools import setup\nsetup(name='acme.auth', version='3')\n"),
];

#[test]
fn the_classic_layout_is_a_service_whose_libraries_stand_in_requirements_txt() {
    let repository = Repository::new(CLASSIC);
    let project = repository.project("services/api");
    assert_eq!(names(&project), ["flask==3.0.0", "acme-common"]);
    assert_eq!(project.constraints[0].requirement, "werkzeug<4");
    assert_eq!(project.python_version_file.as_deref(), Some("3.11"));
    let member = repository.member("services/api");
    assert_eq!((member.name.as_str(), member.ecosystem_name.as_str()), ("acme-api", "acme-api"));
    assert_eq!((member.kind, member.reason.as_str()), (Kind::Service, "setup.py and bin/"));
    assert_eq!(member.commands, ["acme-api", "acme-api-admin"]);
    assert_eq!(member.manifest, Path::new("services/api/setup.py"));
    assert_eq!((member.version.as_deref(), member.summary.as_deref()), (Some("1.2"), Some("The API.")));
    let requires: Vec<_> = member.requires.iter().map(|r| (r.name.as_str(), r.path.clone(), r.line)).collect();
    let expected = [("flask", None, 2), ("acme-common", None, 3), ("acme-auth", Some(PathBuf::from("common/auth")), 4)];
    assert_eq!(requires, expected);
    assert!(member.requires.iter().all(|r| r.file == Path::new("services/api/requirements.txt")));
    let library = repository.member("common/auth");
    assert_eq!(library.kind, Kind::Library);
    assert_eq!(library.reason, "setup.py, no programs in bin/ and no console_scripts");
}

#[test]
fn a_project_table_is_read_and_its_scripts_make_a_service() {
    let text = r#"
[build-system]
requires = ["hatchling>=1.20"]
build-backend = "hatchling.build"

[project]
name = "acme-worker"
dynamic = ["version"]
description = "Works"
license = { text = "MIT" }
requires-python = ">=3.11"
dependencies = [
    "requests>=2",
    "acme-common",
    "acme-worker[fast]",
    "wheel @ https://example.org/wheel-1-py3-none-any.whl",
]
[project.optional-dependencies]
fast = ["uvloop"]
docs = ["sphinx"]
[project.scripts]
acme-worker = "acme.worker:main"

[tool.hatch.version]
path = "src/acme/worker/__about__.py"

[tool.uv.sources]
acme-common = { path = "../common", editable = true }
acme-other = { workspace = true }
"#;
    let repository = Repository::new(&[
        ("worker/pyproject.toml", text),
        ("worker/src/acme/worker/__about__.py", "__version__ = '5.0'\n"),
        ("worker/setup.cfg", "[flake8]\nmax-line-length = 100\n"),
        ("common/pyproject.toml", "[project]\nname = 'acme-common'\nversion = '1'\n"),
    ]);
    let project = repository.project("worker");
    assert_eq!(project.style, Style::Project);
    assert_eq!(project.version.as_deref(), Some("5.0"));
    assert_eq!(project.license.as_deref(), Some("MIT"));
    assert_eq!(project.build_system.backend, "hatchling.build");
    assert_eq!(names(&project), ["requests>=2", "acme-common", "uvloop"]);
    assert_eq!(project.urls[0].name.as_deref(), Some("wheel"));
    let member = repository.member("worker");
    assert_eq!((member.kind, member.reason.as_str()), (Kind::Service, "pyproject.toml and [project.scripts]"));
    assert_eq!(member.commands, ["acme-worker"]);
    let common = member.requires.iter().find(|requirement| requirement.name == "acme-common").unwrap();
    assert_eq!((common.path.as_deref(), common.line), (Some(Path::new("common")), 14));
    assert!(member.requires.iter().all(|requirement| requirement.name != "sphinx"));
    assert!(member.unread.is_empty(), "{:?}", member.unread);
}

#[test]
fn dynamic_fields_come_from_setuptools_other_places_and_static_ones_do_not() {
    let text = "[build-system]\nrequires = ['setuptools>=61']\nbuild-backend = 'setuptools.build_meta'\n\
                [project]\nname = 'a-b'\ndynamic = ['version', 'dependencies', 'optional-dependencies']\n\
                [tool.setuptools.dynamic]\nversion = { attr = 'a_b.VERSION' }\ndependencies = { file = ['deps.txt'] }\n\
                optional-dependencies.x = { file = 'x.txt' }\n";
    let files = [
        ("p/pyproject.toml", text),
        ("p/src/a_b/__init__.py", "VERSION = (1, 2)\n"),
        ("p/deps.txt", "attrs\n"),
        ("p/x.txt", "idna\n"),
        (
            "p/setup.py",
            "from setuptools import setup\nsetup(name='other', python_requires='>=2', setup_requires=['cffi'])\n",
        ),
    ];
    let project = Repository::new(&files).project("p");
    assert_eq!((project.name.as_str(), project.version.as_deref()), ("a-b", Some("1.2")));
    assert_eq!(names(&project), ["attrs"]);
    assert_eq!(project.optional_dependencies["x"], ["idna"]);
    assert_eq!(project.requires_python, None);
    assert_eq!(project.build_system.requires, ["setuptools>=61", "cffi"]);
    assert!(project.unread.is_empty(), "{:?}", project.unread);

    let text = "[project]\nname = 'c'\nversion = '1'\ndynamic = ['dependencies']\n";
    let files = [
        ("p/pyproject.toml", text),
        ("p/setup.py", "from setuptools import setup\nsetup(version='9', install_requires=['six'])\n"),
    ];
    let project = Repository::new(&files).project("p");
    assert_eq!((project.version.as_deref(), names(&project)), (Some("1"), vec!["six"]));
    let project = Repository::new(&[("p/pyproject.toml", text)]).project("p");
    assert_eq!(project.unread, ["pyproject.toml:4: dependencies is dynamic and made by the build back end"]);
}

#[test]
fn poetry_is_read_in_the_words_of_the_standards() {
    let text = r#"
[tool.poetry]
name = "acme-poet"
version = "0.3.1"
description = "Poems"
license = "MIT"

[tool.poetry.dependencies]
python = "^3.9"
requests = "^2.28"
attrs = { version = "~22.1", extras = ["x"], python = "<3.11", markers = "sys_platform == 'linux'" }
numpy = [{ version = "1.24", python = "<3.9" }, { version = ">=1.26", python = ">=3.9" }]
redis = { version = "*", optional = true }
acme-common = { path = "../common", develop = true }

[tool.poetry.extras]
cache = ["redis"]

[tool.poetry.scripts]
poet = "poet.main:run"

[tool.poetry.group.dev.dependencies]
pytest = "*"

[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
"#;
    let repository =
        Repository::new(&[("poet/pyproject.toml", text), ("common/setup.cfg", "[metadata]\nname = acme-common\n")]);
    let project = repository.project("poet");
    assert_eq!((project.style, project.version.as_deref()), (Style::Poetry, Some("0.3.1")));
    assert_eq!(project.requires_python.as_deref(), Some(">=3.9,<4.0"));
    let mut sorted = names(&project);
    sorted.sort_unstable();
    let expected = [
        "attrs[x]>=22.1,<22.2 ; (sys_platform == 'linux') and (python_version < \"3.11\")",
        "numpy==1.24 ; python_version < \"3.9\"",
        "numpy>=1.26 ; python_version >= \"3.9\"",
        "requests>=2.28,<3.0",
    ];
    assert_eq!(sorted, expected);
    assert_eq!(project.optional_dependencies["cache"], ["redis"]);
    assert_eq!(project.paths[0].name.as_deref(), Some("acme-common"));
    let member = repository.member("poet");
    assert_eq!(member.reason, "pyproject.toml and [tool.poetry.scripts]");
    assert!(member.requires.iter().any(|r| r.path.as_deref() == Some(Path::new("common"))));
}

#[test]
fn a_file_that_only_configures_tools_is_no_package() {
    let tools = "[tool.black]\nline-length = 100\n[tool.poetry]\npackage-mode = false\n";
    let repository = Repository::new(&[("pyproject.toml", tools), ("setup.cfg", "[flake8]\nx = 1\n")]);
    assert!(repository.detect("").unwrap().is_empty());
    let repository = Repository::new(&[("a.txt", "")]);
    assert!(repository.detect("").unwrap().is_empty());
}

#[test]
fn a_requirement_on_itself_brings_its_extras_and_nothing_else() {
    let files = [
        (
            "p/pyproject.toml",
            "[project]\nname='p'\nversion='1'\n[project.optional-dependencies]\na=['p[b]','six']\nb=['idna']\nc=['x']\n",
        ),
        ("p/requirements.txt", "-e .[a]\n"),
    ];
    let project = Repository::new(&files).project("p");
    assert_eq!(names(&project), ["six", "idna"]);
    assert!(project.paths.is_empty());
}

#[test]
fn python_version_files_are_read_as_their_tools_do() {
    let cases = [
        ("3.11\n", Some("3.11")),
        ("3.11.2", Some("3.11")),
        ("cpython-3.12.1-linux-x86_64-gnu\n", Some("3.12")),
        ("python3.10\n", Some("3.10")),
        ("system\n", None),
        ("# why\n\n3.9\n3.8\n", Some("3.9")),
        ("", None),
        ("pypy3.10-7.3.12\n", Some("pypy3.10-7.3.12")),
        ("3.13t\n", Some("3.13t")),
    ];
    for (text, expected) in cases {
        let repository = Repository::new(&[("setup.cfg", "[metadata]\nname = x1\n"), (".python-version", text)]);
        assert_eq!(repository.project("").python_version_file.as_deref(), expected, "{text:?}");
    }
}

#[test]
fn faults_are_errors_at_their_place() {
    let cases: &[(&str, &str, &str)] = &[
        ("pyproject.toml", "[project]\nname = 'a'\ndependencies = ['b', 'c ==']\n", "c =="),
        ("pyproject.toml", "[project]\nname = 'a'\ndependencies = 'b'\n", "'b'"),
        ("pyproject.toml", "[project\n", ""),
        ("pyproject.toml", "[project]\nversion = '1'\n", "[project]"),
        ("pyproject.toml", "[project]\nname = 'a b'\n", "a b"),
        ("pyproject.toml", "[project]\nname = 'ab'\n[project.scripts]\nx = 'y'\n", "'y'"),
        ("pyproject.toml", "[project]\nname = 'ab'\n[project.scripts]\n'../x' = 'y:z'\n", "'y:z'"),
        ("pyproject.toml", "[tool.poetry]\nname = 'ab'\n[tool.poetry.dependencies]\nx = '^a'\n", "'^a'"),
        ("pyproject.toml", "[tool.poetry]\nname = 'ab'\n[tool.poetry.dependencies]\nx = {git = 'u'}\n", "{git = 'u'}"),
        ("pyproject.toml", "[tool.poetry]\nname = 'ab'\n[tool.poetry.dependencies]\nx = '^1 || ^2'\n", "'^1 || ^2'"),
        (
            "pyproject.toml",
            "[project]\nname = 'ab'\ndependencies=['x']\n[tool.uv.sources]\nx = {git = 'u'}\n",
            "{git = 'u'}",
        ),
        (
            "pyproject.toml",
            "[project]\nname = 'ab'\ndependencies=['x']\n[tool.uv.sources]\nx = {path = '../../y'}\n",
            "",
        ),
        ("setup.cfg", "[metadata]\nname = ab\n[options]\ninstall_requires =\n  x\n  y ==\n", "y =="),
        ("setup.cfg", "[metadata]\nname = ab\nversion = file: ../v\n", "file: ../v"),
        ("setup.cfg", "[metadata]\nname = ab\n[options.entry_points]\nconsole_scripts =\n  x\n", "x"),
        ("setup.py", "from setuptools import setup\nsetup(name='ab', install_requires=['x', 'y=='])\n", "'y=='"),
        ("requirements.txt", "six\n-e ../../elsewhere\n", "-e ../../elsewhere"),
        ("requirements.txt", "six\n-e missing\n", "-e missing"),
        ("requirements.txt", "six\n-r ../../outside.txt\n", "-r ../../outside.txt"),
    ];
    for (name, text, span) in cases {
        let path = format!("p/{name}");
        let mut files = vec![(path.as_str(), *text)];
        if *name == "requirements.txt" {
            files.push(("p/setup.cfg", "[metadata]\nname = ab\n"));
        }
        let Err(error) = Repository::new(&files).detect("p") else { panic!("{text}") };
        let location = error.location().unwrap_or_else(|| panic!("{text}: {error}"));
        assert!(location.path.ends_with(name), "{text}: {:?}", location.path);
        let (line, _) = location.line_and_column();
        let line = location.text.lines().nth(line - 1).unwrap();
        assert!(line.contains(span.trim_matches('\'')), "{text}: {error}: {line}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
}

#[test]
fn a_name_that_no_package_can_have_is_good_enough_for_a_library() {
    let repository = Repository::new(&[("p/setup.cfg", "[metadata]\nname = x\n")]);
    let member = repository.detect("p").unwrap().remove(0);
    assert_eq!((member.name.as_str(), member.ecosystem_name.as_str()), ("python-x", "x"));
}

#[test]
fn an_archive_of_somebody_else_is_read_as_far_as_it_can_be() {
    let files = [
        (
            "p/setup.py",
            "from setuptools import setup\nsetup(name=x(), install_requires=['a>=1.*,=>2'], setup_requires=['cffi'])\n",
        ),
        ("p/setup.cfg", "[metadata]\nno sense\n"),
        ("p/requirements.txt", "-e git+https://example.org/x.git\n"),
    ];
    let repository = Repository::new(&files);
    assert!(repository.read("p").is_err());
    let project = project::read_archive(&repository.0.path().join("p")).unwrap().unwrap();
    assert_eq!(project.name, "");
    assert_eq!(project.build_system.requires, ["setuptools>=40.8.0", "cffi"]);
    assert!(project.unread.iter().any(|text| text.contains("install_requires: `a>=1.*,=>2`")), "{:?}", project.unread);
}

#[test]
fn a_requirements_file_that_setup_py_names_and_that_is_missing_is_said() {
    let text =
        "from setuptools import setup\nsetup(name='ab', install_requires=open('requirements.txt').readlines())\n";
    let project = Repository::new(&[("p/setup.py", text)]).project("p");
    assert_eq!(project.unread, ["setup.py:2: install_requires is not a literal"]);
}

#[test]
fn setup_cfg_is_believed_where_setup_py_hides_keywords_and_that_is_said() {
    let files = [
        ("p/setup.py", "from setuptools import setup\nsetup(version='2', **extensions())\n"),
        ("p/setup.cfg", "[metadata]\nname = ab\nversion = 1\n[options]\ninstall_requires = six\n"),
    ];
    let project = Repository::new(&files).project("p");
    assert_eq!((project.name.as_str(), project.version.as_deref(), names(&project)), ("ab", Some("2"), vec!["six"]));
    let expected =
        "setup.py:2: install_requires may stand in keywords that are no literal; another manifest's is taken";
    assert!(project.unread.iter().any(|text| text == expected), "{:?}", project.unread);
    assert!(!project.unread.iter().any(|text| text.contains(": version")), "{:?}", project.unread);
}

#[test]
fn programs_that_a_wheel_brings_make_a_service_too() {
    let repository = Repository::new(&[
        (
            "old/setup.py",
            "from setuptools import setup\nsetup(name='old', version='1', scripts=['scripts/old-tool'])\n",
        ),
        ("cfg/setup.cfg", "[metadata]\nname = cfg\nversion = 1\n[options]\nscripts =\n    tools/cfg-tool\n"),
        (
            "hatch/pyproject.toml",
            "[project]\nname = 'hatch'\nversion = '1'\n[build-system]\nrequires = ['hatchling']\nbuild-backend = 'hatchling.build'\n\
             [tool.hatch.build.targets.wheel.shared-scripts]\n'a.sh' = 'hatch-tool'\n",
        ),
        (
            "poetry/pyproject.toml",
            "[tool.poetry]\nname = 'poetry-x'\nversion = '1'\n[tool.poetry.scripts]\nx = {reference = 'tools/poetry-tool', type = 'file'}\n",
        ),
        (
            "maturin/pyproject.toml",
            "[project]\nname = 'maturin-x'\ndynamic = ['version']\n[build-system]\nrequires = ['maturin']\nbuild-backend = 'maturin'\n",
        ),
        ("maturin/PKG-INFO", "Metadata-Version: 2.1\nName: maturin-x\nVersion: 1.0.0b2\n"),
        (
            "crate/pyproject.toml",
            "[project]\nname = 'crate-x'\nversion = '1'\n[build-system]\nrequires = ['maturin']\nbuild-backend = 'maturin'\n",
        ),
        ("crate/Cargo.toml", "[package]\nname = 'crate'\nversion = '1'\n[[bin]]\nname = 'its-own-tool'\n"),
        ("maturin/Cargo.toml", "[package]\nname = 'fast'\nversion = '1.0.0-beta.2'\n[[bin]]\nname = 'fast-tool'\n"),
        (
            "bound/pyproject.toml",
            "[project]\nname = 'bound'\nversion = '1'\n[build-system]\nrequires = ['maturin']\nbuild-backend = 'maturin'\n",
        ),
        ("bound/Cargo.toml", "[package]\nname = 'b'\n[dependencies]\npyo3 = '0.2'\n[[bin]]\nname = 'no-tool'\n"),
    ]);
    for (path, command) in [
        ("old", "old-tool"),
        ("cfg", "cfg-tool"),
        ("hatch", "hatch-tool"),
        ("poetry", "poetry-tool"),
        ("maturin", "fast-tool"),
    ] {
        let member = repository.member(path);
        assert_eq!((member.kind, member.commands), (Kind::Service, vec![command.to_owned()]), "{path}");
    }
    assert_eq!(repository.member("maturin").version.as_deref(), Some("1.0.0b2"));
    assert_eq!(repository.member("bound").kind, Kind::Library);
    assert_eq!(repository.member("crate").kind, Kind::Library, "the crate is the service");
}
