use super::*;
use crate::ecosystem::python::host;
use crate::ecosystem::python::wheel::tests::Maker;
use crate::sandbox::Mode;
use crate::target::Architecture;

/// A back end that packs `*.py` of the current directory, for tests that must not need a downloaded one.
const BACK_END: &str = r#"
import base64, hashlib, os, zipfile

def get_requires_for_build_wheel(config=None):
    if os.path.exists("requires.txt"):
        return open("requires.txt").read().split("\n")[:-1]
    return []

def build_wheel(directory, config=None, metadata=None):
    if os.path.exists("fail"):
        raise SystemExit("unable to detect version of this")
    open("left-over", "w").close()
    name, version = open("name").read().split()
    info = "%s-%s.dist-info" % (name, version)
    files = {f: open(f).read() for f in reversed(sorted(os.listdir("."))) if f.endswith(".py")}
    files["where.py"] = "import os; path = %r; epoch = %r; version = %r" % (
        os.getcwd(), os.environ["SOURCE_DATE_EPOCH"], os.environ.get("SETUPTOOLS_SCM_PRETEND_VERSION_FOR_DEMO"))
    files[info + "/WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[info + "/METADATA"] = "Metadata-Version: 2.1\nName: %s\nVersion: %s\n" % (name, version)
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += "%s,sha256=%s,%d\n" % (path, digest, len(text))
    files[info + "/RECORD"] = record + info + "/RECORD,,\n"
    wheel = "%s-%s-py3-none-any.whl" % (name, version)
    with zipfile.ZipFile(os.path.join(directory, wheel), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return wheel
"#;

struct Bench {
    directory: tempfile::TempDir,
    cache: Cache,
    sandbox: Sandbox,
    interpreter: Interpreter,
    tools: Vec<Arc<UnpackedWheel>>,
    system: BuildSystem,
}

impl Bench {
    fn new() -> Option<Self> {
        Self::with(Mode::Auto)
    }

    /// With the back end under the name of one that is known to copy modules.
    fn of_setuptools() -> Option<Self> {
        let mut bench = Self::new()?;
        bench.system.backend = "setuptools.build_meta".to_owned();
        bench.system.requires = vec!["setuptools>=40".to_owned()];
        bench.tools = vec![bench.tool("setuptools", "")];
        Some(bench)
    }

    /// A wheel with the back end, and these entry points.
    fn tool(&self, name: &str, entry_points: &str) -> Arc<UnpackedWheel> {
        let mut maker = Maker::new(name, "70.0");
        maker.add(&format!("{name}/__init__.py"), "");
        maker.add(&format!("{name}/build_meta.py"), BACK_END);
        if !entry_points.is_empty() {
            maker.add(&format!("{name}-70.0.dist-info/entry_points.txt"), entry_points);
        }
        let bytes = maker.bytes();
        let path = self.directory.path().join(format!("{name}-70.0-py3-none-any.whl"));
        fs_err::write(&path, &bytes).unwrap();
        store::unpack(&self.cache, &path, Sha256::of(&bytes)).unwrap()
    }

    fn with(mode: Mode) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::at(directory.path().join("cache"));
        let sandbox = Sandbox::new(mode).unwrap();
        let Some(interpreter) = host::any(&sandbox, &[]).unwrap() else {
            println!("skipped: no python3 here");
            return None;
        };
        let mut maker = Maker::new("backend", "2.0");
        maker.add("backend.py", BACK_END);
        let path = directory.path().join("backend-2.0-py3-none-any.whl");
        fs_err::write(&path, maker.bytes()).unwrap();
        let tool = store::unpack(&cache, &path, Sha256::of(&maker.bytes())).unwrap();
        let system = BuildSystem {
            requires: vec!["Backend>=1".to_owned(), "ignored; python_version < '3'".to_owned()],
            backend: "backend".to_owned(),
            backend_path: Vec::new(),
        };
        let bench = Self { directory, cache, sandbox, interpreter, tools: vec![tool], system };
        bench.write("name", "demo 1.0");
        bench.write("demo.py", "x = 1\n");
        Some(bench)
    }

    fn write(&self, name: &str, text: &str) {
        let package = self.package();
        fs_err::create_dir_all(&package).unwrap();
        fs_err::write(package.join(name), text).unwrap();
    }

    fn package(&self) -> PathBuf {
        self.directory.path().join("repository/demo")
    }

    fn build(&self) -> Result<Built, Error> {
        self.build_at(1_700_000_000)
    }

    /// What is built shows `time`, so that a test can see whether the back end made it.
    fn build_at(&self, time: i64) -> Result<Built, Error> {
        let root = self.directory.path().join("repository");
        let workshop = Workshop {
            cache: &self.cache,
            sandbox: &self.sandbox,
            interpreter: &self.interpreter,
            environment: PythonEnvironment {
                python: self.interpreter.version,
                glibc: self.interpreter.glibc.unwrap(),
                architecture: Architecture::host().unwrap(),
            },
            tools: self.tools.clone(),
        };
        workshop.build(Order {
            name: "demo",
            version: Some("1.0"),
            stamp: false,
            origin: Origin::Package {
                root: &root,
                directory: &self.package(),
                vendor: Path::new("vendor"),
                build_system: &self.system,
                crates: None,
            },
            time,
        })
    }
}

fn text(built: &Built, path: &str) -> String {
    fs_err::read_to_string(built.wheel.directory().join(path)).unwrap()
}

#[test]
fn a_package_is_built_from_a_copy_at_a_fixed_place_and_found_again() {
    let Some(bench) = Bench::new() else { return };
    let built = bench.build().unwrap();
    assert_eq!((built.wheel.name(), built.wheel.version()), ("demo", "1.0"));
    assert_eq!(text(&built, "demo.py"), "x = 1\n");
    if bench.sandbox.isolation().has_fixed_places() {
        assert_eq!(
            text(&built, "where.py"),
            "import os; path = '/packhouse/source'; epoch = '1700000000'; version = '1.0'"
        );
    }
    assert!(!bench.package().join("left-over").exists(), "the repository is never written to");
    let started = std::time::Instant::now();
    let again = bench.build().unwrap();
    assert_eq!(again.wheel.sha256(), built.wheel.sha256());
    println!("found again in {:?}", started.elapsed());
    bench.write("demo.py", "x = 2\n");
    assert_ne!(bench.build().unwrap().wheel.sha256(), built.wheel.sha256());
}

#[test]
fn the_environment_is_kept_with_byte_code_of_what_was_imported_and_made_again_when_it_is_damaged() {
    let Some(bench) = Bench::new() else { return };
    if !bench.sandbox.isolation().has_fixed_places() {
        println!("skipped: no mount namespaces here");
        return;
    }
    let first = bench.build().unwrap();
    let kept = bench.cache.section("build-environments/v2");
    let environments = || fs_err::read_dir(&kept).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let [environment] = environments().try_into().unwrap();
    let site = environment.join(format!("files/lib/python{}/site-packages", bench.interpreter.version));
    let code = || fs_err::read_dir(site.join("__pycache__")).unwrap().next().unwrap().unwrap().path();
    assert!(code().file_name().unwrap().to_str().unwrap().starts_with("backend.cpython-"));
    assert_eq!(fs_err::read(code()).unwrap()[4..8], [1, 0, 0, 0], "unchecked hash");
    for damaged in [code(), site.join("backend.py")] {
        fs_err::remove_file(&damaged).unwrap();
        bench.write("demo.py", &format!("x = {}\n", damaged.display().to_string().len()));
        assert_ne!(bench.build().unwrap().wheel.sha256(), first.wheel.sha256());
        assert_eq!(environments(), std::slice::from_ref(&environment));
        assert!(damaged.exists());
    }
    bench.write("demo.py", "x = 1\n");
    drop(fs_err::remove_dir_all(bench.cache.section(SECTION)));
    assert_eq!(bench.build().unwrap().wheel.sha256(), first.wheel.sha256());
    assert_eq!(fs_err::read_dir(bench.cache.root().join("tmp")).unwrap().count(), 0);
}

#[test]
fn the_same_source_gives_the_same_wheel_in_another_place() {
    let (Some(one), Some(two)) = (Bench::new(), Bench::new()) else { return };
    if one.sandbox.isolation().has_fixed_places() {
        assert_eq!(one.build().unwrap().wheel.sha256(), two.build().unwrap().wheel.sha256());
    }
    let Some(bare) = Bench::with(Mode::None) else { return };
    let built = bare.build().unwrap();
    assert_eq!(built.isolation, "none");
    assert_eq!(text(&built, "demo.py"), "x = 1\n");
}

#[test]
fn what_the_build_needs_and_does_not_have_is_named_with_the_remedy() {
    let Some(mut bench) = Bench::new() else { return };
    bench.write("requires.txt", "cffi>=1.12\nother; python_version < '3'\n");
    let error = bench.build().unwrap_err();
    assert_eq!(error.to_string(), "building demo needs cffi>=1.12, which its build lock does not have");
    assert!(error.hints()[0].contains(r#"build-requires = { demo = ["cffi>=1.12"] }"#), "{:?}", error.hints());
    bench.write("requires.txt", "other; python_version < '3'\n");
    bench.build().unwrap();
    bench.system.requires.push("backend>=3".to_owned());
    assert!(bench.build().unwrap_err().to_string().contains("backend>=3"));
    bench.system.requires = vec!["?".to_owned()];
    assert!(matches!(bench.build(), Err(Error::Requirement { .. })));
}

#[test]
fn a_failed_build_shows_the_end_of_its_output_and_what_helps() {
    let Some(bench) = Bench::new() else { return };
    bench.write("fail", "");
    let error = bench.build().unwrap_err();
    assert!(error.to_string().contains("  | unable to detect version of this"), "{error}");
    assert!(error.hints()[0].contains("set `version`"), "{:?}", error.hints());
    assert_eq!(fs_err::read_dir(bench.cache.root().join("tmp")).unwrap().count(), 0, "nothing half-written is kept");
}

#[test]
fn a_wheel_of_another_name_is_no_result() {
    let Some(bench) = Bench::new() else { return };
    bench.write("name", "other 1.0");
    assert_eq!(bench.build().unwrap_err().to_string(), "building demo gave a wheel of other 1.0");
}

#[test]
fn sources_are_built_after_those_they_need_and_a_circle_is_named() {
    let needs = |pairs: &[(&str, &[&str])]| -> BTreeMap<String, Vec<String>> {
        pairs
            .iter()
            .map(|(name, needs)| ((*name).to_owned(), needs.iter().map(|name| (*name).to_owned()).collect()))
            .collect()
    };
    let order = build_order(&needs(&[("a", &["b", "outside"]), ("b", &["c"]), ("c", &[])])).unwrap();
    assert_eq!(order, ["c", "b", "a"]);
    let circle = build_order(&needs(&[("a", &["b"]), ("b", &["a"]), ("c", &[])])).unwrap_err();
    assert_eq!(circle, ["a", "b"]);
}

/// The time of the build in which the back end ran.
fn epoch(built: &Built) -> String {
    text(built, "where.py").split("epoch = '").nth(1).unwrap().split('\'').next().unwrap().to_owned()
}

#[test]
fn a_change_inside_a_module_needs_no_back_end_and_gives_what_it_would_give() {
    let Some(bench) = Bench::of_setuptools() else { return };
    bench.write("setup.py", "from setuptools import setup\nsetup(name='demo')\n");
    bench.write("other.py", "x = 1\n");
    let first = bench.build_at(1_700_000_001).unwrap();
    for (number, time) in [(2, 1_700_000_002), (3, 1_700_000_003)] {
        bench.write("demo.py", &format!("x = {number}\n"));
        let built = bench.build_at(time).unwrap();
        assert_eq!(text(&built, "demo.py"), format!("x = {number}\n"));
        assert_eq!(text(&built, "other.py"), "x = 1\n");
        assert_eq!(epoch(&built), "1700000001", "the back end did not run");
        assert_eq!(built.isolation, first.isolation);
    }
    let again = bench.build_at(1_700_000_003).unwrap();
    fs_err::remove_dir_all(bench.cache.section(SECTION)).unwrap();
    let whole = bench.build_at(1_700_000_001).unwrap();
    assert_eq!(epoch(&whole), "1700000001");
    assert_eq!(again.wheel.sha256(), whole.wheel.sha256());
}

#[test]
fn a_module_that_may_stand_in_the_wheel_for_another_is_told_from_it_or_the_back_end_is_asked() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::at(directory.path().join("cache"));
    let mut maker = Maker::new("demo", "1.0");
    maker.add("demo/a.py", "same");
    maker.add("demo/b.py", "same");
    maker.add("demo/c.py", "other");
    let path = directory.path().join("demo-1.0-py3-none-any.whl");
    fs_err::write(&path, maker.bytes()).unwrap();
    let wheel = store::unpack(&cache, &path, Sha256::of(&maker.bytes())).unwrap();
    let place = |paths: &[(&str, &str)], path: &str| {
        let modules = paths.iter().map(|(path, text)| ((*path).to_owned(), Sha256::of(text.as_bytes()))).collect();
        let (_, text) = paths.iter().find(|(one, _)| *one == path).unwrap();
        again::place(&wheel, &modules, path, Sha256::of(text.as_bytes())).map(|found| found.map(str::to_owned)).ok()
    };
    let plain = [("demo/a.py", "same"), ("demo/b.py", "same"), ("demo/c.py", "other"), ("tests/c.py", "other")];
    assert_eq!(place(&plain, "demo/a.py"), Some(Some("demo/a.py".to_owned())));
    assert_eq!(place(&plain, "tests/c.py"), Some(None), "it is not packed");
    let nested = [("src/demo/a.py", "same"), ("src/demo/b.py", "same"), ("src/demo/c.py", "other")];
    assert_eq!(place(&nested, "src/demo/b.py"), Some(Some("demo/b.py".to_owned())));
    let twice = [("demo/a.py", "same"), ("demo/b.py", "same"), ("src/demo/c.py", "other"), ("old/demo/c.py", "other")];
    assert_eq!(place(&twice, "old/demo/c.py"), None, "either of two");
    let moved = [("demo/a.py", "same"), ("demo/b.py", "same"), ("lib/x.py", "other")];
    assert_eq!(place(&moved, "lib/x.py"), None, "it stands where its path does not tell");
}

#[test]
fn what_a_back_end_may_decide_by_has_it_asked_again() {
    let Some(mut bench) = Bench::of_setuptools() else { return };
    bench.write("setup.py", "from setuptools import setup\nsetup(name='demo')\n");
    bench.build_at(1_700_000_001).unwrap();
    let mut time = 1_700_000_001;
    let mut asked = |bench: &Bench, why: &str| {
        time += 1;
        assert_eq!(epoch(&bench.build_at(time).unwrap()), time.to_string(), "{why}");
    };
    bench.write("another.py", "");
    asked(&bench, "a module more");
    bench.write("README", "text");
    asked(&bench, "another file");
    bench.write("README", "other text");
    asked(&bench, "another file's content");
    bench.write("setup.py", "from setuptools import setup\nsetup(name='demo', description='x')\n");
    asked(&bench, "setup.py");
    bench.write("setup.cfg", "[metadata]\nversion = attr: demo.x\n");
    asked(&bench, "setup.cfg");
    bench.write("demo.py", "x = 5\n");
    asked(&bench, "a module that setup.cfg reads");
    fs_err::remove_file(bench.package().join("setup.cfg")).unwrap();
    let plugin = bench.tool("plugin", "[setuptools.finalize_distribution_options]\nx = plugin:x\n");
    bench.tools.push(plugin);
    bench.write("demo.py", "x = 6\n");
    asked(&bench, "a plugin");
    bench.write("demo.py", "x = 7\n");
    asked(&bench, "still a plugin");
}
