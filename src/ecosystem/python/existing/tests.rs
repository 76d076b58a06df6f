//! The locks that the tools themselves have written (`testdata/locks`, one project locked by each), and graphs made here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::graph::{Edge, Graph, Node, Origin, Pin};
use super::pdm_lock::PdmLock;
use super::pipfile_lock::PipfileLock;
use super::poetry_lock::PoetryLock;
use crate::ecosystem::python::tags::PythonEnvironment;
use crate::target::{Architecture, PythonVersion};

fn environments() -> Vec<PythonEnvironment> {
    let of = |minor| PythonEnvironment {
        python: PythonVersion::three(minor),
        glibc: (2, 36),
        architecture: Architecture::X86_64,
    };
    vec![of(9), of(11)]
}

/// A file of `testdata/locks`.
fn file(path: &str) -> String {
    fs_err::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/locks").join(path)).unwrap()
}

/// What the project of `testdata/locks` requires.
fn roots(extra: bool) -> Vec<Edge> {
    let own = ["httpx[http2]>=0.27,<0.29", "tomli>=2; python_version < '3.11'", "colorama; sys_platform == 'win32'"];
    own.into_iter().chain(extra.then_some("click>=8")).map(Edge::of).collect()
}

const ALWAYS: [&str; 9] = ["anyio", "certifi", "h11", "h2", "hpack", "httpcore", "httpx", "hyperframe", "idna"];
const OLD: [&str; 3] = ["exceptiongroup", "tomli", "typing-extensions"];

/// The names that `pins` have for each of the two environments.
fn names(pins: &[Pin]) -> [BTreeSet<&str>; 2] {
    [0, 1].map(|position| {
        let here = pins.iter().filter(|pin| pin.environments.contains(&position));
        here.map(|pin| pin.name.as_str()).collect()
    })
}

/// That what is reached is right: all of ALWAYS, OLD on 3.9, nothing of the developers' group, no other platform's.
fn judge(pins: &[Pin], extra: bool) {
    let [old, new] = names(pins);
    let base: BTreeSet<&str> = ALWAYS.into_iter().chain(extra.then_some("click")).collect();
    // sniffio and typing-extensions come and go with the versions of anyio.
    let varying = |name: &&str| !["sniffio", "typing-extensions"].contains(name);
    assert_eq!(new.into_iter().filter(varying).collect::<BTreeSet<_>>(), base);
    let with_old: BTreeSet<&str> = base.into_iter().chain(OLD).filter(varying).collect();
    assert_eq!(old.into_iter().filter(varying).collect::<BTreeSet<_>>(), with_old);
    assert!(pins.iter().all(|pin| pin.version.is_some() && !pin.files.is_empty() && pin.origin == Origin::Index(None)));
}

fn manifest(path: &str) -> toml::Table {
    file(path).parse().unwrap()
}

/// The manifest with another list of dependencies.
fn changed(path: &str, from: &str, to: &str) -> toml::Table {
    let text = file(path);
    assert!(text.contains(from));
    text.replacen(from, to, 1).parse().unwrap()
}

#[test]
fn locks_of_poetry_are_read_and_known_to_be_of_their_manifest() {
    for directory in ["poetry-1", "poetry-2", "poetry-2-project"] {
        let lock = PoetryLock::parse(&file(&format!("{directory}/poetry.lock")), Path::new("/x")).unwrap();
        let path = format!("{directory}/pyproject.toml");
        assert!(lock.is_of(&manifest(&path)), "{directory}");
        assert!(!lock.is_of(&changed(&path, "httpx", "httpy")), "{directory}");
        assert!(lock.is_of(&changed(&path, "description", "keywords")), "{directory}");
        judge(&lock.graph.reach(&roots(false), &[], &environments()).unwrap(), false);
        judge(&lock.graph.reach(&roots(true), &["cli".to_owned()], &environments()).unwrap(), true);
    }
}

#[test]
fn locks_of_pdm_are_read_and_known_to_be_of_their_manifest() {
    for name in ["pdm.lock", "pdm-static-urls.lock"] {
        let lock = PdmLock::parse(&file(&format!("pdm/{name}")), Path::new("/x")).unwrap();
        assert!(lock.is_of(&manifest("pdm/pyproject.toml")), "{name}");
        assert!(!lock.is_of(&changed("pdm/pyproject.toml", "httpx", "httpy")), "{name}");
        judge(&lock.graph.reach(&roots(false), &[], &environments()).unwrap(), false);
        let pins = lock.graph.reach(&roots(true), &["cli".to_owned()], &environments()).unwrap();
        judge(&pins, true);
        assert_eq!(pins[0].files[0].url.is_some(), name.contains("urls"));
    }
}

#[test]
fn a_lock_of_pipenv_is_read_and_known_to_be_of_its_pipfile() {
    let lock = PipfileLock::parse(&file("pipenv/Pipfile.lock")).unwrap();
    assert!(lock.is_of(&manifest("pipenv/Pipfile")));
    assert!(!lock.is_of(&changed("pipenv/Pipfile", "httpx", "httpy")));
    // It is made for one interpreter, 3.11: for another it has names without versions.
    let of = |position: usize| lock.reach(Path::new("/x"), &environments()[position..=position]);
    let pins = of(1).unwrap();
    let [new, _] = names(&pins);
    assert!(ALWAYS.iter().all(|name| new.contains(name)), "{new:?}");
    assert!(!new.contains("iniconfig") && !new.contains("colorama") && !new.contains("tomli"), "{new:?}");
    let index = Origin::Index(Some("https://index.example/simple".to_owned()));
    let httpx = pins.iter().find(|pin| pin.name == "httpx").unwrap();
    assert_eq!((&httpx.origin, httpx.version.as_deref()), (&index, Some("0.28.1")));
    assert!(pins.iter().all(|pin| pin.files.iter().all(|file| file.name.is_none()) && !pin.files.is_empty()));
    let error = of(0).unwrap_err();
    assert!(error.contains("pins no version of tomli"), "{error}");
}

fn node(name: &str, version: &str, requires: &[&str]) -> Node {
    Node {
        name: name.to_owned(),
        version: Some(version.to_owned()),
        origin: Origin::Index(None),
        files: Vec::new(),
        requires: requires.iter().map(|text| Edge::of(text)).collect(),
        extras: BTreeMap::new(),
        marker: None,
        pythons: Vec::new(),
    }
}

fn reached(nodes: Vec<Node>, roots: &[&str]) -> Result<Vec<String>, String> {
    let roots: Vec<Edge> = roots.iter().map(|text| Edge::of(text)).collect();
    let pins = Graph { nodes }.reach(&roots, &[], &environments())?;
    let shown = pins.into_iter().map(|pin| {
        let environments: Vec<String> = pin.environments.iter().map(ToString::to_string).collect();
        format!("{} {} {}", pin.name, pin.version.unwrap_or_default(), environments.join(","))
    });
    Ok(shown.collect())
}

#[test]
fn of_two_versions_the_one_for_the_interpreter_and_the_requirement_is_taken() {
    let mut old = node("six", "1.0", &[]);
    old.pythons = vec!["<3.10".parse().unwrap()];
    let mut new = node("six", "2.0", &[]);
    new.pythons = vec![">=3.10".parse().unwrap()];
    assert_eq!(reached(vec![old, new], &["six"]).unwrap(), ["six 1.0 0", "six 2.0 1"]);
    let both = || vec![node("six", "1.0", &[]), node("six", "2.0", &[])];
    assert_eq!(reached(both(), &["six<2"]).unwrap(), ["six 1.0 0,1"]);
    let unclear = reached(both(), &["six"]).unwrap_err();
    assert!(unclear.contains("does not say which `six` the project needs on CPython 3.9"), "{unclear}");
}

#[test]
fn circles_end_extras_bring_what_they_name_and_a_missing_requirement_is_an_error() {
    let mut top = node("top", "1", &["loop"]);
    top.extras = BTreeMap::from([("x".to_owned(), vec![Edge::of("extra")])]);
    let nodes =
        || vec![top.clone(), node("loop", "1", &["top"]), node("extra", "1", &[]), node("other", "1", &["gone"])];
    assert_eq!(reached(nodes(), &["top"]).unwrap(), ["top 1 0,1", "loop 1 0,1"]);
    assert_eq!(reached(nodes(), &["Top[X]"]).unwrap().len(), 3);
    assert!(reached(nodes(), &["other"]).unwrap_err().contains("which `gone` other needs"));
    assert!(reached(nodes(), &["absent"]).unwrap().is_empty(), "the comparison with what is required finds it");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_a_reader_panic(text in "(\\[\\[package\\]\\]\nname = \"a\"\nversion = \"1\"\n|files = \\[\\]\n|dependencies = \\[\"\\PC{0,9}\"\\]\n|\\[metadata\\]\nlock_version = \"4\"\n|\\PC{0,12}){0,6}") {
        let _ = PoetryLock::parse(&text, Path::new("/x"));
        let _ = PdmLock::parse(&text, Path::new("/x"));
        let _ = PipfileLock::parse(&text);
    }
}
