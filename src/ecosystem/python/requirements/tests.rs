use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;
use crate::diagnostic::Diagnose;

const DIGEST: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

struct Files(tempfile::TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let directory = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            let path = directory.path(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        }
        directory
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self) -> Result<RequirementsFile, Error> {
        read(&self.path("requirements.txt"))
    }
}

fn read_text(text: &str) -> Result<RequirementsFile, Error> {
    Files::new(&[("requirements.txt", text)]).read()
}

fn named(requirements: &[Requirement]) -> Vec<(&str, usize)> {
    requirements
        .iter()
        .map(|requirement| match requirement {
            Requirement::Named(named) => (named.requirement.as_str(), named.line),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn each_form_of_a_requirement_keeps_what_it_says() {
    let text = format!(
        "\u{feff}flask[async]>=3 ; python_version < \"3.13\"  # web\n\
         six==1.16.0 \\\n    --hash=sha256:{DIGEST} \\\n    --hash sha256:{DIGEST}\n\
         ./lib\n-e ../common[x,Y_z]\n--editable=file:../common/other#egg=other\n\
         wheel @ https://example.org/wheel-1-py3-none-any.whl#sha256={DIGEST} ; os_name == 'posix'\n\
         https://example.org/a.tar.gz#egg=a\nlocal @ file:../l%20ib\n"
    );
    let files = Files::new(&[("p/requirements.txt", &text)]);
    let file = read(&files.path("p/requirements.txt")).unwrap();
    let [flask, six, lib, common, other, wheel, archive, local] = file.requirements.as_slice() else {
        panic!("{:?}", file.requirements)
    };
    let Requirement::Named(flask) = flask else { panic!("{flask:?}") };
    assert_eq!(flask.requirement, "flask[async]>=3 ; python_version < \"3.13\"");
    let Requirement::Named(six) = six else { panic!("{six:?}") };
    assert_eq!((six.line, six.sha256.len()), (2, 2));
    let Requirement::Path(lib) = lib else { panic!("{lib:?}") };
    assert_eq!((lib.path.clone(), lib.editable), (files.path("p/lib"), false));
    let Requirement::Path(common) = common else { panic!("{common:?}") };
    assert_eq!((common.path.clone(), common.editable), (files.path("common"), true));
    assert_eq!(common.extras, ["x", "y-z"]);
    let Requirement::Path(other) = other else { panic!("{other:?}") };
    assert_eq!((other.path.clone(), other.name.as_deref()), (files.path("common/other"), Some("other")));
    let Requirement::Url(wheel) = wheel else { panic!("{wheel:?}") };
    assert_eq!((wheel.name.as_deref(), wheel.marker.as_deref()), (Some("wheel"), Some("os_name == 'posix'")));
    assert_eq!(wheel.url, "https://example.org/wheel-1-py3-none-any.whl");
    assert_eq!(wheel.sha256, [DIGEST.parse().unwrap()]);
    let Requirement::Url(archive) = archive else { panic!("{archive:?}") };
    assert_eq!((archive.name.as_deref(), archive.sha256.len()), (Some("a"), 0));
    let Requirement::Path(local) = local else { panic!("{local:?}") };
    assert_eq!((local.path.clone(), local.name.as_deref()), (files.path("l ib"), Some("local")));
}

#[test]
fn options_are_typed_and_the_lock_decides() {
    let file = read_text(
        "--index-url https://a.example.org/simple\n--extra-index-url=https://b.example.org/simple\n-f ./links\n--no-index\n\
         --pre --prefer-binary\n--no-binary :all:\n--only-binary=Lxml,six\n--require-hashes\n",
    )
    .unwrap();
    let options = file.options;
    let index = options.index_url.unwrap();
    assert_eq!((index.value.as_str(), index.line), ("https://a.example.org/simple", 1));
    assert_eq!(options.extra_index_urls[0].value, "https://b.example.org/simple");
    assert_eq!(options.find_links[0].value, "./links");
    assert!(options.no_index.is_some() && options.pre.is_some() && options.require_hashes.is_some());
    assert_eq!(options.binary.no_binary, Names::All);
    assert_eq!(options.binary.only_binary, Names::These(vec!["lxml".into(), "six".into()]));
    assert_eq!(options.binary.allowed("LXML"), Allowed { wheels: true, sources: false });
    assert_eq!(options.binary.allowed("other"), Allowed { wheels: false, sources: true });
}

#[test]
fn nested_files_are_found_beside_the_file_that_names_them_and_paths_from_the_first() {
    let files = Files::new(&[
        ("requirements.txt", "-r requirements/prod.txt\n-c requirements/limits.txt\nlast\n"),
        ("requirements/prod.txt", "-r base.txt\n-e .\n"),
        ("requirements/base.txt", "six\n"),
        ("requirements/limits.txt", "six<2\n-r base.txt\n-c more.txt\n"),
        ("requirements/more.txt", "idna<4\n"),
    ]);
    let file = files.read().unwrap();
    assert!(matches!(&file.requirements[1], Requirement::Path(path) if path.path == files.0.path()));
    let rest: Vec<Requirement> =
        file.requirements.iter().filter(|requirement| matches!(requirement, Requirement::Named(_))).cloned().collect();
    assert_eq!(named(&rest), [("six", 1), ("six", 1), ("last", 3)]);
    assert_eq!(named(&file.constraints), [("six<2", 1), ("idna<4", 1)]);
    assert_eq!(file.files.len(), 5);
}

#[test]
fn files_that_name_each_other_are_an_error_that_shows_the_circle() {
    let files =
        Files::new(&[("requirements.txt", "-r a.txt\n"), ("a.txt", "six\n-r b.txt\n"), ("b.txt", "-r ./a.txt\n")]);
    let error = files.read().unwrap_err();
    assert!(error.to_string().contains("a.txt → ") && error.to_string().contains("b.txt"), "{error}");
    assert!(error.location().unwrap().path.ends_with("b.txt"));
}

#[test]
fn what_a_lock_cannot_carry_is_an_error_at_its_place() {
    let cases: &[(&str, &str)] = &[
        ("six\nflask ==\n", "="),
        ("six\nflask requests\n", "r"),
        ("six=>1\n", "=>1"),
        ("-e git+https://example.org/a.git@v1#egg=a\n", "-e git+https://example.org/a.git@v1#egg=a"),
        ("a @ git+ssh://git@example.org/a.git\n", "a @ git+ssh://git@example.org/a.git"),
        ("-i https://${USER}@example.org/\n", "${USER}"),
        ("--trusted-host example.org\n", "--trusted-host"),
        ("six --global-option=x\n", "--global-option"),
        ("--extra-index https://e.org\n", "--extra-index"),
        ("six --hash=md5:00\n", "--hash=md5:00"),
        ("six --hash=sha256:00\n", "--hash=sha256:00"),
        ("--hash=sha256:00\n", "--hash=sha256:00"),
        ("six --pre\n", "--pre"),
        ("-r a.txt -r b.txt\n", "-r a.txt -r b.txt"),
        ("-r missing.txt\n", "-r missing.txt"),
        ("-r https://example.org/r.txt\n", "-r https://example.org/r.txt"),
        ("-e ./lib ; x\n", ";"),
        ("six ; python_version ~ '3'\n", "~"),
        ("six ; python_version < 'x'\n", "six ; python_version < 'x'"),
        ("six ; 'a' == 'b'\n", "six ; 'a' == 'b'"),
        ("./pkg.whl\n", "./pkg.whl"),
        ("pkg.tar.gz\n", ""),
        ("a-[x]\n", "-"),
        ("a[x-]\n", "-"),
        ("http://example.org/a.zip\n", "http://example.org/a.zip"),
        ("https://u:p@example.org/a.zip\n", "https://u:p@example.org/a.zip"),
        ("https://example.org/a.zip#md5=1\n", "https://example.org/a.zip#md5=1"),
        ("--pre=x\n", "--pre=x"),
        ("-i\n", "-i"),
        ("-i 'x\n", "'x"),
        ("--\n", "--"),
        ("-\n", "-"),
        ("six ((((((((((((((((((((((((((((((((((((((\n", "six ("),
    ];
    for (text, span) in cases {
        let error = read_text(text).expect_err(text);
        let location = error.location().unwrap_or_else(|| panic!("{text}: {error}"));
        let found = location.text.get(location.span.clone()).unwrap();
        assert!(found.starts_with(span) || found.contains(span), "{text}: {error}: {found:?}");
        assert!(!error.to_string().contains('\n'));
    }
    let error = read_text("-e git+https://example.org/a.git\n").unwrap_err();
    assert!(error.hints().iter().any(|hint| hint.contains("submodule")));
}

#[test]
fn other_encodings_and_huge_files_are_refused() {
    let files = Files::new(&[]);
    let path = files.path("requirements.txt");
    for bytes in [&b"\xff\xfes\0i\0x\0"[..], b"# caf\xe9\nsix\n"] {
        fs_err::write(&path, bytes).unwrap();
        assert!(matches!(files.read(), Err(Error::Encoding { .. })));
    }
    fs_err::write(&path, vec![b'\n'; 5 * 1024 * 1024]).unwrap();
    assert!(matches!(files.read(), Err(Error::TooLarge { .. })));
    fs_err::write(&path, vec![b'\n'; 200_000]).unwrap();
    assert!(files.read().unwrap_err().to_string().contains("lines"));
    fs_err::remove_file(&path).unwrap();
    fs_err::create_dir_all(&path).unwrap();
    assert!(matches!(files.read(), Err(Error::Read { .. })));
}

#[test]
fn many_inclusions_of_many_files_end() {
    let mut texts: Vec<(String, String)> = Vec::new();
    for level in 0..20 {
        texts.push((format!("{level}.txt"), format!("-r {0}.txt\n", level + 1).repeat(4)));
    }
    texts.push(("20.txt".to_owned(), "six\n".to_owned()));
    texts.push(("requirements.txt".to_owned(), "-r 0.txt\n".to_owned()));
    let files: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let error = Files::new(&files).read().unwrap_err();
    assert!(error.to_string().contains("requirement files"), "{error}");
}

/// Lines that pip and packhouse must understand alike. Those that start with `!` are refused by both.
const CORPUS: &str = include_str!("corpus.txt");

/// What pip itself makes of each line of the corpus: name, extras, specifier, marker, hashes, URL.
const ORACLE: &str = r##"
import json, os, sys, tempfile
from pip._internal.req.req_file import parse_requirements
from pip._internal.req.constructors import install_req_from_parsed_requirement
from pip._internal.network.session import PipSession
session = PipSession()
out = []
for line in sys.stdin.read().split("\n----\n"):
    line = line.lstrip("!")
    with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as f:
        f.write(line + "\n")
    try:
        found = []
        for parsed in parse_requirements(f.name, session):
            r = install_req_from_parsed_requirement(parsed)
            hashes = sorted(h for hs in r.hash_options.values() for h in hs)
            if r.req is None or r.link is not None:
                found.append({"url": r.link.url_without_fragment, "hashes": hashes})
            else:
                found.append({
                    "name": r.req.name, "extras": sorted(r.req.extras), "hashes": hashes,
                    "specifiers": sorted(s.replace(" ", "") for s in map(str, r.req.specifier)), "marker": r.markers is not None,
                })
        out.append(found)
    except BaseException as e:
        out.append(None)
    os.unlink(f.name)
print(json.dumps(out))
"##;

#[test]
fn lines_mean_what_they_mean_to_pip() {
    let corpus: Vec<&str> = CORPUS.trim_end().split("\n----\n").collect();
    let output = Command::new("/usr/bin/python3")
        .args(["-W", "ignore", "-c", ORACLE])
        .stdin({
            let mut file = tempfile::tempfile().unwrap();
            std::io::Write::write_all(&mut file, corpus.join("\n----\n").as_bytes()).unwrap();
            std::io::Seek::rewind(&mut file).unwrap();
            file
        })
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers: Vec<Option<Vec<BTreeMap<String, serde_json::Value>>>> =
        serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answers.len(), corpus.len());
    let mut differences = Vec::new();
    for (line, answer) in corpus.iter().zip(answers) {
        let ours = read_text(&format!("{}\n", line.trim_start_matches('!'))).ok().map(|file| {
            assert!(file.constraints.is_empty());
            file.requirements.iter().map(describe).collect::<Vec<_>>()
        });
        if answer.is_none() != line.starts_with('!') || ours != answer {
            differences.push(format!("{line}\n  pip:       {answer:?}\n  packhouse: {ours:?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn describe(requirement: &Requirement) -> BTreeMap<String, serde_json::Value> {
    let mut result = BTreeMap::new();
    let hashes = |digests: &[Sha256]| {
        let mut texts: Vec<String> = digests.iter().map(Sha256::to_string).collect();
        texts.sort();
        serde_json::Value::from(texts)
    };
    match requirement {
        Requirement::Named(named) => {
            let parsed: pep508_rs::Requirement<url::Url> = named.requirement.parse().unwrap();
            // pip keeps the name as it is written.
            let end = named.requirement.find(|c: char| !c.is_ascii_alphanumeric() && !"._-".contains(c));
            let name = named.requirement.get(..end.unwrap_or(named.requirement.len())).unwrap();
            result.insert("name".into(), name.into());
            let mut extras: Vec<String> = parsed.extras.iter().map(ToString::to_string).collect();
            extras.sort();
            result.insert("extras".into(), extras.into());
            let mut specifiers = match parsed.version_or_url {
                Some(pep508_rs::VersionOrUrl::VersionSpecifier(specifiers)) => {
                    specifiers.iter().map(|specifier| specifier.to_string().replace(' ', "")).collect()
                }
                _ => Vec::new(),
            };
            specifiers.sort();
            result.insert("specifiers".into(), specifiers.into());
            result.insert("marker".into(), named.requirement.contains(';').into());
            result.insert("hashes".into(), hashes(&named.sha256));
        }
        Requirement::Url(url) => {
            result.insert("url".into(), url.url.clone().into());
            result.insert("hashes".into(), hashes(&url.sha256));
        }
        Requirement::Path(path) => {
            result.insert("path".into(), path.path.display().to_string().into());
        }
    }
    result
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,80}") {
        let _ = read_text(&text);
    }

    #[test]
    fn no_mixture_of_its_words_makes_the_reader_panic(
        words in proptest::collection::vec("(-[a-z]|--hash=|sha256:|==|>=|~=|;|@|\\[|\\]|\\(|\\)|#| #|\\\\\n|\"|'|https://|file:|\\./|a|1\\.0|\\*|,|<| |\n|ä|python_version|extra| and | or | in |\\$\\{|A|\\})", 0..30),
    ) {
        let _ = read_text(&words.concat());
    }

    #[test]
    fn spans_of_errors_lie_in_the_file(text in "[a-z=<;@\\[\\] \\\\\n#-]{0,60}") {
        if let Err(Error::Invalid { location, .. }) = read_text(&text) {
            proptest::prop_assert!(location.text.get(location.span.clone()).is_some());
        }
    }
}

#[test]
fn a_file_is_named_as_it_was_asked_for() {
    let files = Files::new(&[("requirements.txt", "six\n")]);
    let file = files.read().unwrap();
    assert_eq!(file.files, [files.path("requirements.txt")]);
    assert!(
        matches!(&file.requirements[0], Requirement::Named(line) if line.file == Path::new(&files.path("requirements.txt")))
    );
}
