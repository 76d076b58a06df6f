use std::path::PathBuf;

use super::*;
use crate::diagnostic::Diagnose;
use crate::ecosystem::python::requirements::Names;

fn read_text(text: &str) -> (tempfile::TempDir, Result<VendorFile, Error>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vendor.txt");
    fs_err::write(&path, text).unwrap();
    let result = read(&path);
    (directory, result)
}

fn one(text: &str) -> VendorRequirement {
    match read_text(text).1.unwrap().entries.as_slice() {
        [VendorEntry::Requirement(entry)] => (**entry).clone(),
        other => panic!("{other:?}"),
    }
}

fn refused(text: &str) -> (String, String, Vec<String>) {
    let error = read_text(text).1.unwrap_err();
    let location = error.location().unwrap();
    (error.to_string(), location.text.get(location.span.clone()).unwrap().to_owned(), error.hints())
}

const DIGEST: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

#[test]
fn the_line_of_the_classic_layout_is_understood() {
    let entry = one("# wheels\nconfluent-kafka==2.3.0 --platform linux_x86_64 --no-deps\n");
    assert_eq!(entry.requirement, "confluent-kafka==2.3.0");
    assert!(entry.no_deps && !entry.source_or_pure);
    assert_eq!(entry.platforms, ["linux_x86_64"]);
    assert_eq!(entry.line, 2);
}

#[test]
fn every_option_that_is_understood_reaches_its_field() {
    let entry = one(&format!(
        "numpy>=1,<3 --no-deps --platform manylinux_2_28_x86_64 --platform=manylinux2014_x86_64 --abi cp311 --abi abi3 \
         --implementation cp --python-version 311 --prefer-binary --only-binary numpy --no-binary :none: --pre \
         -i https://a.example.org/simple --extra-index-url https://b.example.org/simple -f https://c.example.org/ \
         --hash=sha256:{DIGEST}"
    ));
    assert_eq!(entry.requirement, "numpy>=1,<3");
    assert_eq!(entry.platforms, ["manylinux_2_28_x86_64", "manylinux2014_x86_64"]);
    assert_eq!(entry.abis, ["cp311", "abi3"]);
    assert_eq!(entry.implementation.as_deref(), Some("cp"));
    assert_eq!(entry.python_version.as_deref(), Some("3.11"));
    assert!(entry.binary.prefer_binary && entry.pre);
    assert_eq!(entry.binary.only_binary, Names::These(vec!["numpy".to_owned()]));
    assert_eq!(entry.index_url.unwrap().value, "https://a.example.org/simple");
    assert_eq!(entry.extra_index_urls[0].value, "https://b.example.org/simple");
    assert_eq!(entry.find_links[0].value, "https://c.example.org/");
    assert_eq!(entry.sha256, [DIGEST.parse().unwrap()]);
}

#[test]
fn markers_and_options_before_the_requirement_and_quotes_are_understood() {
    let marked = r#"uvloop ; python_version < "3.13" and sys_platform == 'linux' --no-deps"#;
    assert_eq!(one(marked).requirement, r#"uvloop ; python_version < "3.13" and sys_platform == 'linux'"#);
    assert_eq!(one("--no-deps click==8.1.7").requirement, "click==8.1.7");
    assert_eq!(one(r#""click ; python_version > '3'" --no-deps"#).requirement, "click ; python_version > '3'");
    assert_eq!(one("click==8.1.7 \\\n  --no-deps # why").requirement, "click==8.1.7");
}

#[test]
fn an_archive_is_taken_by_its_url_with_its_hash() {
    let (_directory, file) = read_text(&format!(
        "https://example.org/a/foo-1.0.tar.xz\nhttps://example.org/b/bar-2.0.zip#sha256={DIGEST}\n\
         baz @ https://example.org/baz-3.0-py3-none-any.whl --hash=sha256:{DIGEST}\n"
    ));
    let archives: Vec<(String, usize, usize)> = file
        .unwrap()
        .entries
        .into_iter()
        .map(|entry| match entry {
            VendorEntry::Archive(archive) => (archive.url, archive.sha256.len(), archive.line),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        ("https://example.org/a/foo-1.0.tar.xz", 0, 1),
        ("https://example.org/b/bar-2.0.zip", 1, 2),
        ("https://example.org/baz-3.0-py3-none-any.whl", 1, 3),
    ];
    assert_eq!(archives, expected.map(|(url, count, line)| (url.to_owned(), count, line)));
}

#[test]
fn another_systems_platform_means_a_pure_wheel_or_the_source() {
    assert!(one("markupsafe --platform macosx_10_6_intel --no-deps").source_or_pure);
    assert!(one("markupsafe --platform win_amd64 --no-deps").source_or_pure);
    assert!(refused("markupsafe --platform macosx_10_6_intel --only-binary :all:").0.contains("another system"));
    assert!(refused("x --platform win32 --platform linux_x86_64 --no-deps").0.contains("another system"));
}

#[test]
fn a_restriction_needs_no_deps_or_only_wheels_as_in_pip() {
    let (message, span, hints) = refused("numpy --platform linux_x86_64\n");
    assert!(message.contains("needs `--no-deps` or `--only-binary :all:`"), "{message}");
    assert_eq!(span, "--platform linux_x86_64");
    assert!(!hints.is_empty());
    assert!(!one("numpy --python-version 3.11 --only-binary=:all:").no_deps);
}

#[test]
fn files_named_by_r_and_c_are_expanded_with_the_lines_options() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs_err::write(directory.path().join(name), text).unwrap();
    write("vendor.txt", "-r more.txt --no-deps --platform linux_x86_64\nflask -c limits.txt\n");
    write("more.txt", "click==8.1.7\n-r deep.txt\n");
    write("deep.txt", "six\nhttps://example.org/x-1.tar.gz\n");
    write("limits.txt", "werkzeug<3\n");
    let error = read(&directory.path().join("vendor.txt")).unwrap_err();
    assert!(error.to_string().contains("archive is vendored as it is"), "{error}");
    write("deep.txt", "six\n");
    let file = read(&directory.path().join("vendor.txt")).unwrap();
    let seen: Vec<_> = file
        .entries
        .iter()
        .map(|entry| match entry {
            VendorEntry::Requirement(entry) => {
                (entry.requirement.as_str(), entry.no_deps, entry.platforms.len(), entry.constraints.len())
            }
            VendorEntry::Archive(archive) => panic!("{archive:?}"),
        })
        .collect();
    assert_eq!(seen, [("click==8.1.7", true, 1, 0), ("six", true, 1, 0), ("flask", false, 0, 1)]);
    let names: Vec<PathBuf> = file.files.iter().map(|path| path.file_name().unwrap().into()).collect();
    assert_eq!(names, ["vendor.txt", "more.txt", "deep.txt", "limits.txt"].map(PathBuf::from));
}

#[test]
fn an_unknown_option_is_an_error_with_its_span_and_what_is_understood() {
    let (message, span, hints) = refused("numpy --no-dep\n");
    assert_eq!(message, "unknown option `--no-dep` in vendor.txt");
    assert_eq!(span, "--no-dep");
    assert_eq!(hints[0], "did you mean `--no-deps`?");
    assert!(hints[1].contains("--python-version"));
}

#[test]
fn every_option_of_the_refused_is_refused_with_a_reason() {
    for (option, _) in super::options::REFUSED {
        let (message, span, hints) = refused(&format!("numpy {option}=x\n"));
        assert_eq!(message, format!("`{option}` is refused in vendor.txt"));
        assert!(span.starts_with(option), "{span}");
        assert_eq!(hints.len(), 1);
    }
}

#[test]
fn what_is_no_requirement_and_no_archive_is_an_error() {
    for bad in [
        "--no-deps",
        "-c",
        "flask requests",
        "./lib --no-deps",
        "-e ../lib",
        "git+https://example.org/x.git",
        "http://example.org/x.tar.gz",
        "https://user:secret@example.org/x.tar.gz",
        "https://example.org/page",
        "flask ==",
        "https://example.org/x.tar.gz --platform linux_x86_64 --no-deps",
        "flask --hash=md5:abc",
        "flask --python-version pypy --no-deps",
        "'flask",
        "-r missing.txt",
        "-r vendor.txt",
    ] {
        let (_directory, result) = read_text(bad);
        let error = result.expect_err(bad);
        assert!(error.location().is_some(), "{bad}");
    }
}

#[test]
fn the_documentation_names_every_option() {
    let documentation = include_str!("../../../../docs/vendor-txt.md");
    let understood = super::options::OPTIONS.iter().flat_map(|spec| spec.long.iter().copied());
    for option in understood.chain(super::options::REFUSED.iter().map(|(option, _)| *option)) {
        assert!(
            documentation.contains(&format!("`{option}`")) || documentation.contains(&format!("`{option} ")),
            "{option}"
        );
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("vendor.txt");
        fs_err::write(&path, bytes).unwrap();
        let _ = read(&path);
    }

    #[test]
    fn no_mixture_of_its_words_makes_the_reader_panic(
        words in proptest::collection::vec("(--[a-z-]{1,12}|-[a-z]|=|==|;|@|\\[|\\]|\\(|#|\\\\\n|\"|'|https://|a|1\\.0|<| |\n|ä|:all:|--no-deps|--platform)", 0..30),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("vendor.txt");
        fs_err::write(&path, words.concat()).unwrap();
        let _ = read(&path);
    }
}
