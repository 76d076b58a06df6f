//! The options of a line: those that are understood, those that are refused, and why.

use std::ops::Range;

use crate::ecosystem::python::requirements::options::Spec;
use crate::ecosystem::python::source::{Error, Source};

/// What an option is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    NoDeps,
    Platform,
    Abi,
    Implementation,
    PythonVersion,
    OnlyBinary,
    NoBinary,
    PreferBinary,
    Pre,
    IndexUrl,
    ExtraIndexUrl,
    FindLinks,
    Hash,
    Requirement,
    Constraint,
    Editable,
}

/// What is understood.
#[rustfmt::skip]
pub(super) const OPTIONS: &[Spec<Key>] = &[
    Spec { long: &["--no-deps", "--no-dependencies"], short: None, has_value: false, key: Key::NoDeps },
    Spec { long: &["--platform"], short: None, has_value: true, key: Key::Platform },
    Spec { long: &["--abi"], short: None, has_value: true, key: Key::Abi },
    Spec { long: &["--implementation"], short: None, has_value: true, key: Key::Implementation },
    Spec { long: &["--python-version"], short: None, has_value: true, key: Key::PythonVersion },
    Spec { long: &["--only-binary"], short: None, has_value: true, key: Key::OnlyBinary },
    Spec { long: &["--no-binary"], short: None, has_value: true, key: Key::NoBinary },
    Spec { long: &["--prefer-binary"], short: None, has_value: false, key: Key::PreferBinary },
    Spec { long: &["--pre"], short: None, has_value: false, key: Key::Pre },
    Spec { long: &["--index-url", "--pypi-url"], short: Some('i'), has_value: true, key: Key::IndexUrl },
    Spec { long: &["--extra-index-url"], short: None, has_value: true, key: Key::ExtraIndexUrl },
    Spec { long: &["--find-links"], short: Some('f'), has_value: true, key: Key::FindLinks },
    Spec { long: &["--hash"], short: None, has_value: true, key: Key::Hash },
    Spec { long: &["--requirement"], short: Some('r'), has_value: true, key: Key::Requirement },
    Spec { long: &["--constraint"], short: Some('c'), has_value: true, key: Key::Constraint },
    Spec { long: &["--editable"], short: Some('e'), has_value: true, key: Key::Editable },
];

const TRUST: &str = "a vendored file must come over a connection that is checked; have the certificate trusted instead: \
                     SSL_CERT_FILE";
const PLACE: &str = "where files are kept is packhouse's own: the service's vendor directory and the cache";
const BUILDING: &str = "nothing is built while vendoring; how a source is built stands in its own pyproject.toml";
const NETWORK: &str = "proxies and certificates are settings of the machine, not of a project";
const NOTHING: &str = "it changes nothing of what is vendored; remove it";

/// What pip understands and packhouse refuses, and why.
#[rustfmt::skip]
pub(super) const REFUSED: &[(&str, &str)] = &[
    ("--trusted-host", TRUST),
    ("--cert", NETWORK), ("--client-cert", NETWORK), ("--proxy", NETWORK),
    ("--dest", PLACE), ("-d", PLACE), ("--destination-dir", PLACE), ("--destination-directory", PLACE),
    ("--src", PLACE), ("--source", PLACE), ("--source-dir", PLACE), ("--source-directory", PLACE),
    ("--cache-dir", PLACE), ("--no-cache-dir", PLACE), ("--no-clean", PLACE),
    ("--no-build-isolation", BUILDING), ("--global-option", BUILDING), ("--install-option", BUILDING),
    ("--build-option", BUILDING), ("--config-settings", BUILDING), ("-C", BUILDING), ("--use-pep517", BUILDING),
    ("--no-use-pep517", BUILDING), ("--check-build-dependencies", BUILDING), ("--use-feature", BUILDING),
    ("--use-deprecated", BUILDING),
    ("--ignore-requires-python", "a package whose Requires-Python excludes the interpreter would not run"),
    ("--require-virtualenv", NOTHING), ("--verbose", NOTHING), ("-v", NOTHING), ("--quiet", NOTHING), ("-q", NOTHING),
    ("--log", NOTHING), ("--exists-action", NOTHING), ("--progress-bar", NOTHING), ("--no-color", NOTHING),
    ("--no-input", NOTHING), ("--disable-pip-version-check", NOTHING), ("--isolated", NOTHING), ("--debug", NOTHING),
    ("--timeout", NETWORK), ("--retries", NETWORK),
    ("--no-index", "name the index that it comes from"),
    ("--require-hashes", "the lock has a hash of everything"),
];

/// The error for an option that is not understood.
pub(super) fn unknown(source: &Source, name: &str, span: Range<usize>) -> Error {
    let plain = name.split('=').next().unwrap_or(name);
    if let Some((_, why)) = REFUSED.iter().find(|(refused, _)| *refused == plain) {
        return source.error(span, format!("`{plain}` is refused in vendor.txt"), &[why]);
    }
    let known = OPTIONS.iter().flat_map(|spec| spec.long);
    let mut hints = Vec::new();
    let near = crate::config::closest(plain, known.clone().copied());
    hints.extend(near.map(|near| format!("did you mean `{near}`?")));
    hints.push(format!("understood are: {}", known.copied().collect::<Vec<_>>().join(", ")));
    let hints: Vec<&str> = hints.iter().map(String::as_str).collect();
    source.error(span, format!("unknown option `{plain}` in vendor.txt"), &hints)
}
