//! Paths of the build in files of the package.

use crate::check::subject::{Item, Trace};
use crate::check::{Formats, Hit, Rule, Severity, Subject};

pub(in crate::check) static RULES: &[Rule] = &[
    Rule {
        code: "staging-path",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a file names a directory of the build",
        explanation: "The path is one of staging: it is not there on the machine that the package is installed on. What uses it fails, and \
                      two builds in different directories differ.",
        remedy: "Have the build find its files at run time (`importlib.resources`, `__file__`, `/proc/self/exe`); remap paths of compilers \
                 (`--remap-path-prefix`, `-ffile-prefix-map`).",
        source: "packhouse; rpmlint file-contains-buildroot; reproducible-builds.org, Build path",
        find: staging,
    },
    Rule {
        code: "build-machine-path",
        severity: Severity::Warning,
        formats: Formats::Both,
        title: "a file names a home or working directory of the build machine",
        explanation: "The path tells who built the package and where. It is harmless when it only stands in messages, and makes two builds \
                      differ.",
        remedy: "Remap paths of compilers (`--remap-path-prefix`, `-ffile-prefix-map`), or build with packhouse's sandbox.",
        source: "reproducible-builds.org, Build path",
        find: machine,
    },
];

/// Own files: third-party ones are shipped as they are, and are not searched.
fn traces(subject: &Subject) -> impl Iterator<Item = (&Item, &Trace)> {
    let documents =
        |item: &&Item| !item.path.starts_with("/usr/share/doc/") && !item.path.starts_with("/usr/lib/debug/");
    subject.files().filter(documents).flat_map(|item| item.content.traces.iter().map(move |trace| (item, trace)))
}

fn staging(subject: &Subject) -> Vec<Hit> {
    let found = traces(subject).filter_map(|(item, trace)| match trace {
        Trace::Staging(path) => Some(Hit::at(&item.path, format!("it contains `{path}`"))),
        Trace::Machine(_) => None,
    });
    let links = subject.links().filter(|(_, link)| {
        ["/packhouse/", "/tmp/", "/build/", "/builds/"].iter().any(|place| link.starts_with(place))
    });
    found.chain(links.map(|(item, link)| Hit::at(&item.path, format!("it leads to `{link}`")))).collect()
}

fn machine(subject: &Subject) -> Vec<Hit> {
    let found = traces(subject).filter_map(|(item, trace)| match trace {
        Trace::Machine(path) => Some(Hit::at(&item.path, format!("it contains `{path}`"))),
        Trace::Staging(_) => None,
    });
    found.collect()
}
