//! Real shapes of setup.py, as they stand in the wild.

use crate::ecosystem::python::combine::read_project;
use crate::ecosystem::python::project::Project;
use crate::ecosystem::python::source::Error;

fn project_in(files: &[(&str, &str)]) -> (tempfile::TempDir, Result<Option<Project>, Error>) {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("the-directory");
    for (name, text) in files {
        let path = root.join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }
    let project = read_project(&root);
    (directory, project)
}

fn project(files: &[(&str, &str)]) -> Project {
    project_in(files).1.unwrap().unwrap()
}

fn names(project: &Project) -> Vec<&str> {
    project.dependencies.iter().map(|line| line.requirement.as_str()).collect()
}

fn lines(project: &Project) -> Vec<(String, usize)> {
    let name = |path: &std::path::Path| path.file_name().unwrap().to_string_lossy().into_owned();
    project.dependencies.iter().map(|line| (name(&line.file), line.line)).collect()
}

#[test]
fn literal_arguments_are_read_with_their_lines() {
    let text = r#"#!/usr/bin/env python
from setuptools import setup, find_packages

setup(
    name="acme-api",
    version='1.4.2',
    description="The API "
                "of the Acme cloud",
    license="Apache-2.0",
    python_requires=">=3.9",
    packages=find_packages(exclude=["tests"]),
    install_requires=[
        "flask>=3",  # the framework
        'requests[socks]; python_version < "3.13"',
    ],
    extras_require={"postgres": ["psycopg[binary]"], ":sys_platform=='win32'": ["pywin32"]},
    setup_requires=["setuptools-git-version"],
    entry_points={"console_scripts": ["acme-api = acme.api:main", "acme-admin=acme.admin:cli.run [x]"]},
)
"#;
    let project = project(&[("setup.py", text)]);
    assert_eq!(project.name, "acme-api");
    assert_eq!(project.version.as_deref(), Some("1.4.2"));
    assert_eq!(project.summary.as_deref(), Some("The API of the Acme cloud"));
    assert_eq!(project.license.as_deref(), Some("Apache-2.0"));
    assert_eq!(project.requires_python.as_deref(), Some(">=3.9"));
    let expected = ["flask>=3", "requests[socks]; python_version < \"3.13\"", "pywin32 ; sys_platform=='win32'"];
    assert_eq!(names(&project), expected);
    assert_eq!(lines(&project), [13, 14, 16].map(|line| ("setup.py".to_owned(), line)));
    assert_eq!(project.optional_dependencies["postgres"], ["psycopg[binary]"]);
    assert_eq!(project.build_system.requires, ["setuptools>=40.8.0", "setuptools-git-version"]);
    assert_eq!(project.build_system.backend, "setuptools.build_meta:__legacy__");
    let scripts: Vec<_> = project.console_scripts.iter().map(|s| (&*s.name, &*s.module, &*s.attribute)).collect();
    assert_eq!(scripts, [("acme-api", "acme.api", "main"), ("acme-admin", "acme.admin", "cli.run")]);
    assert_eq!(project.unread, Vec::<String>::new());
}

#[test]
fn names_bound_once_and_concatenations_are_followed() {
    let text = r#"
import setuptools
NAME = "acme" + "-lib"
MAJOR = 2
VERSION = f"{MAJOR}.1"
BASE = ["six"]
REQUIRED = BASE + ["attrs>=%s" % "20"]
meta = dict(name=NAME, version=VERSION)
setuptools.setup(install_requires=[*REQUIRED, "idna"], **meta)
"#;
    let project = project(&[("setup.py", text)]);
    assert_eq!((project.name.as_str(), project.version.as_deref()), ("acme-lib", Some("2.1")));
    assert_eq!(names(&project), ["six", "attrs>=20", "idna"]);
    assert!(project.unread.is_empty(), "{:?}", project.unread);
}

#[test]
fn every_usual_way_to_read_requirements_from_a_file_is_known() {
    let ways = [
        r##"setup(name="x", install_requires=open("requirements.txt").read().splitlines())"##,
        r##"setup(name="x", install_requires=open("requirements.txt").readlines())"##,
        r##"setup(name="x", install_requires=list(open("requirements.txt")))"##,
        r##"setup(name="x", install_requires=open(os.path.join(os.path.dirname(__file__), "requirements.txt")).read().split("\n"))"##,
        r##"setup(name="x", install_requires=(Path(__file__).parent / "requirements.txt").read_text().split())"##,
        r##"
with open("README.md") as f:
    readme = f.read()
with open("requirements.txt") as f:
    required = [l.strip() for l in f if l.strip() and not l.startswith("#")]
setup(name="x", install_requires=required)"##,
        r##"
from pip.req import parse_requirements
reqs = [str(ir.req) for ir in parse_requirements("requirements.txt", session="hack")]
setup(name="x", install_requires=reqs)"##,
        r##"
here = os.path.abspath(os.path.dirname(__file__))
def read(*parts):
    """Reads."""
    with io.open(os.path.join(here, *parts), encoding="utf-8") as handle:
        return handle.read()
setup(name="x", install_requires=[r for r in read("requirements.txt").splitlines() if r])"##,
        r##"
def load_requirements(path):
    result = []
    for line in open(path):
        line = line.split("#")[0].strip()
        if line:
            result.append(line)
    return result
setup(name="x", install_requires=load_requirements("requirements.txt"))"##,
        r##"
import pathlib, pkg_resources
with pathlib.Path('requirements.txt').open() as requirements_txt:
    install_requires = [str(r) for r in pkg_resources.parse_requirements(requirements_txt)]
setup(name="x", install_requires=install_requires)"##,
        r##"
def get_requirements():
    with open('./requirements.txt') as f:
        packages = []
        for line in f:
            packages.append(line)
    return packages
setup(name="x", install_requires=get_requirements())"##,
        r##"setup(name="x", install_requires=list(filter(None, map(str.strip, open("requirements.txt")))))"##,
    ];
    for way in ways {
        let text = format!("import os, io\nfrom pathlib import Path\nfrom setuptools import setup\n{way}\n");
        let project = project(&[
            ("setup.py", &text),
            ("requirements.txt", "# libs\nflask==3.0.0\nacme-lib\n"),
            ("README.md", "x"),
        ]);
        assert_eq!(names(&project), ["flask==3.0.0", "acme-lib"], "{way}");
        assert_eq!(lines(&project), [2, 3].map(|line| ("requirements.txt".to_owned(), line)), "{way}");
        assert!(project.unread.is_empty(), "{way}: {:?}", project.unread);
    }
}

#[test]
fn requirements_files_of_other_names_and_places_are_followed() {
    let text = "from setuptools import setup\nsetup(name='x', install_requires=open('requirements/base.txt').read().splitlines() + ['six'])\n";
    let project = project(&[
        ("setup.py", text),
        ("requirements/base.txt", "-r more.txt\nidna\n"),
        ("requirements/more.txt", "attrs\n"),
    ]);
    assert_eq!(names(&project), ["attrs", "idna", "six"]);
    let files: Vec<_> =
        project.files.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(files, ["setup.py", "base.txt", "more.txt"]);
}

#[test]
fn every_usual_way_to_find_the_version_in_a_module_is_known() {
    let ways = [
        r#"
import re
version = re.search(r"^__version__\s*=\s*['\"]([^'\"]*)['\"]", open("acme/__init__.py").read(), re.MULTILINE).group(1)"#,
        r#"
import re, io
with io.open("acme/__init__.py", "rt", encoding="utf8") as f:
    version = re.search(r"__version__ = \"(.*?)\"", f.read()).group(1)"#,
        r#"
about = {}
with open(os.path.join("acme", "__init__.py")) as f:
    exec(f.read(), about)
version = about["__version__"]"#,
        r#"
exec(open("acme/__init__.py").read())
version = __version__"#,
        r#"
import runpy
version = runpy.run_path("acme/__init__.py")["__version__"]"#,
        "import acme\nversion = acme.__version__",
        "from acme import __version__ as version",
        r#"
import re
def read(*names):
    with open(os.path.join(os.path.dirname(__file__), *names)) as f:
        return f.read()
def find_version(*file_paths):
    version_file = read(*file_paths)
    version_match = re.search(r"^__version__ = ['\"]([^'\"]*)['\"]", version_file, re.M)
    if version_match:
        return version_match.group(1)
    raise RuntimeError("Unable to find version string.")
version = find_version("acme", "__init__.py")"#,
        r#"
import codecs
def get_version(rel_path):
    for line in codecs.open(rel_path, 'r').read().splitlines():
        if line.startswith('__version__'):
            delim = '"' if '"' in line else "'"
            return line.split(delim)[1]
    raise RuntimeError("no version")
version = get_version("acme/__init__.py")"#,
        "version = open('VERSION').read().strip()",
        "_locals = {}\nwith open('acme/__init__.py') as fp:\n    exec(fp.read(), None, _locals)\nversion = _locals['__version__']",
        "from acme.about import VERSION\nversion = '.'.join([str(v) for v in VERSION])",
        "version = '.'.join(map(str, (1, 9, 3)))",
        "VERSION = (1, 9, 3)\nversion = '.'.join(str(part) for part in VERSION)",
        "import ast, re\n_version_re = re.compile(r'__version__\\s+=\\s+(.*)')\nwith open('acme/__init__.py', 'rb') as f:\n    version = str(ast.literal_eval(_version_re.search(f.read().decode('utf-8')).group(1)))",
    ];
    for way in ways {
        let text = format!("import os\nfrom setuptools import setup\n{way}\nsetup(name='acme', version=version)\n");
        let files = [
            ("setup.py", text.as_str()),
            ("acme/__init__.py", "import sys\n__version__ = \"1.9.3\"\n"),
            ("VERSION", "1.9.3\n"),
            ("acme/about.py", "VERSION = (1, 9, 3)\n"),
        ];
        let project = project(&files);
        assert_eq!(project.version.as_deref(), Some("1.9.3"), "{way}: {:?}", project.unread);
    }
}

#[test]
fn what_depends_on_the_run_is_said_with_its_line_and_not_guessed() {
    let text = r#"
import os, subprocess, sys
from setuptools import setup
requires = ["six"]
if sys.version_info < (3, 8):
    requires.append("importlib-metadata")
extras = {}
extras["a"] = ["b"]
name = "one"
name = "two"
setup(
    name="real",
    version=os.environ.get("VERSION", "0"),
    description=name,
    install_requires=requires,
    extras_require=extras,
    license=subprocess.check_output(["licence"]),
)
"#;
    let project = project(&[("setup.py", text)]);
    assert_eq!(project.version, None);
    assert!(project.dependencies.is_empty() && project.optional_dependencies.is_empty());
    let expected = [
        "setup.py:13: version is not a literal",
        "setup.py:14: description is not a literal",
        "setup.py:17: license is not a literal",
        "setup.py:15: install_requires is not a literal",
        "setup.py:16: extras_require is not a literal",
    ];
    assert_eq!(project.unread, expected);
}

#[test]
fn a_setup_in_a_function_or_under_main_is_found_and_two_are_not_guessed_between() {
    let main = "from setuptools import setup\ndef main():\n    setup(name='m', version='1')\nif __name__ == '__main__':\n    main()\n";
    assert_eq!(project(&[("setup.py", main)]).version.as_deref(), Some("1"));
    let twice = "from setuptools import setup\nif x:\n    setup(name='a', version='1')\nelse:\n    setup(name='b', version='2')\n";
    let project = project(&[("setup.py", twice)]);
    assert_eq!(project.name, "the-directory");
    assert!(project.unread.iter().any(|text| text.contains("called in several places")), "{:?}", project.unread);
}

#[test]
fn keywords_that_are_hidden_are_said() {
    let text = "from setuptools import setup\nimport conf\nsetup(name='a', **conf.get())\n";
    let project = project(&[("setup.py", text)]);
    assert_eq!(project.name, "a");
    assert!(
        project.unread.iter().any(|text| text.contains("install_requires may stand in keywords")),
        "{:?}",
        project.unread
    );
    assert!(!project.unread.iter().any(|text| text.contains("name may")), "{:?}", project.unread);
}

#[test]
fn an_empty_setup_takes_all_from_setup_cfg() {
    let cfg = "[metadata]\nname = acme_lib\nversion = attr: acme.__version__\nlicense = MIT\n\n[options]\npackage_dir =\n    = src\n\
               python_requires = >=3.8\ninstall_requires =\n    attrs\n    # not me\n    idna; python_version < \"3.12\"\nsetup_requires = wheel; cffi\n\n\
               [options.extras_require]\ntest = pytest; tox\nssl =\n    pyopenssl; python_version < \"3\"\n\n[options.entry_points]\nconsole_scripts =\n    acme = acme.cli:main\n";
    let files = [
        ("setup.py", "import setuptools\nsetuptools.setup()\n"),
        ("setup.cfg", cfg),
        ("src/acme/__init__.py", "__version__: str = '0.7'\n"),
    ];
    let project = project(&files);
    assert_eq!((project.name.as_str(), project.version.as_deref()), ("acme_lib", Some("0.7")));
    assert_eq!(project.manifest.file_name().unwrap(), "setup.cfg");
    assert_eq!(names(&project), ["attrs", "idna; python_version < \"3.12\""]);
    assert_eq!(lines(&project), [("setup.cfg".to_owned(), 11), ("setup.cfg".to_owned(), 13)]);
    assert_eq!(project.optional_dependencies["test"], ["pytest", "tox"]);
    assert_eq!(project.optional_dependencies["ssl"], ["pyopenssl; python_version < \"3\""]);
    assert_eq!(project.build_system.requires, ["setuptools>=40.8.0", "wheel", "cffi"]);
    assert_eq!(project.console_scripts[0].name, "acme");
    assert!(project.unread.is_empty(), "{:?}", project.unread);
}

#[test]
fn a_package_that_reads_its_name_from_the_run_gets_the_directorys_and_says_so() {
    let project = project(&[("setup.py", "from setuptools import setup\nsetup(name=compute())\n")]);
    assert_eq!(project.name, "the-directory");
    assert_eq!(project.unread, ["setup.py:2: name is not a literal; the directory's, the-directory, is taken"]);
}

#[test]
fn python_2_around_the_call_does_not_hide_it() {
    let text =
        "from setuptools import setup\nprint 'hello'\nsetup(name='old', version='1.0', install_requires=['six'])\n";
    let project = project(&[("setup.py", text)]);
    assert_eq!((project.name.as_str(), project.version.as_deref()), ("old", Some("1.0")));
    assert_eq!(names(&project), ["six"]);
}

#[test]
fn a_setup_py_that_is_no_setup_script_is_no_package() {
    assert!(project_in(&[("setup.py", "print('hello')\n")]).1.unwrap().is_none());
}

#[test]
fn a_malicious_setup_py_is_not_run() {
    let directory = tempfile::tempdir().unwrap();
    let witness = directory.path().join("witness");
    let text = format!(
        "import os, subprocess\nfrom setuptools import setup\nopen({0:?}, 'w').write('x')\nos.system('touch {1}')\n\
         exec(\"open({0:?}, 'w')\")\n__import__('os').system('touch {1}')\n\
         setup(name='evil', version=(lambda: open({0:?}, 'w').write('1') and '1')(), \
         install_requires=[subprocess.getoutput('touch {1}')], description=eval(\"os.system('touch {1}')\"))\n",
        witness.to_str().unwrap(),
        witness.display(),
    );
    let project = project(&[("setup.py", &text)]);
    assert_eq!(project.name, "evil");
    assert_eq!(project.version, None);
    assert!(!witness.exists());
}

#[test]
fn files_outside_of_the_project_are_not_read() {
    let directory = tempfile::tempdir().unwrap();
    let secret = directory.path().join("secret");
    fs_err::write(&secret, "hunter2").unwrap();
    for path in [secret.to_str().unwrap().to_owned(), "../secret".to_owned()] {
        let root = directory.path().join("p");
        fs_err::create_dir_all(&root).unwrap();
        let text = format!("from setuptools import setup\nsetup(name='x', version=open({path:?}).read())\n");
        fs_err::write(root.join("setup.py"), text).unwrap();
        let project = read_project(&root).unwrap().unwrap();
        assert_eq!(project.version, None, "{path}");
    }
}

#[test]
fn programs_that_grow_or_go_in_circles_end() {
    let mut doubling = String::from("from setuptools import setup\na0 = 'xxxxxxxxxx'\n");
    for at in 1..90 {
        doubling.push_str(&format!("a{at} = a{0} + a{0}\n", at - 1));
    }
    doubling.push_str("setup(name='x', version=a89)\n");
    let deep =
        format!("from setuptools import setup\nsetup(name='x', version={}1{})\n", "(".repeat(5000), ")".repeat(5000));
    let circle =
        "from setuptools import setup\na = b\nb = a\ndef f(x): return f(x)\nsetup(name='x', version=a + f(1))\n";
    let import = "from setuptools import setup\nfrom x import __version__\nsetup(name='x', version=__version__)\n";
    for text in [doubling.as_str(), &deep, circle, import] {
        let project = project(&[("setup.py", text), ("x/__init__.py", "from x import __version__\n")]);
        assert_eq!(project.version, None);
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        let directory = tempfile::tempdir().unwrap();
        for name in ["setup.py", "setup.cfg", "pyproject.toml", "requirements.txt", ".python-version"] {
            fs_err::write(directory.path().join(name), &bytes).unwrap();
            let _ = read_project(directory.path());
        }
    }

    #[test]
    fn no_mixture_of_python_makes_the_reader_panic(
        words in proptest::collection::vec(
            "(setup\\(|\\)|name=|version=|install_requires=|\\[|\\]|\\{|\\}|'a'|f'\\{x\\}'|x|x = |\n|\n    |def f\\(x\\):|return |open\\(|\\.read\\(\\)|\
             re\\.search\\(|\\.group\\(1\\)|,|\\+|%|\\*|for x in |if |with |as |lambda |exec\\(|\\[0\\]|\\[-1\\]|\\.split\\('a'\\)|:|\\(|1|ä)", 0..60),
    ) {
        let directory = tempfile::tempdir().unwrap();
        fs_err::write(directory.path().join("setup.py"), format!("from setuptools import setup\n{}", words.concat())).unwrap();
        let _ = read_project(directory.path());
    }
}
