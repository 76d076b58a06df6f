//! Relations to other packages (Policy 7; rpm-dependencies(7)).

use std::collections::HashSet;

use crate::check::{Formats, Hit, Rule, Severity, Subject, relation};
use crate::target::Format;

pub(in crate::check) static RULES: &[Rule] = &[
    Rule {
        code: "depends-on-itself",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "the package depends on itself or conflicts with itself",
        explanation: "A dependency on itself says nothing, and a conflict with itself makes upgrades impossible: the new version \
                      may not be there with the old one.",
        remedy: "Remove the relation from `[services.NAME]`.",
        source: "Policy 7.2, 7.4; rpmlint self-obsoletion",
        find: itself,
    },
    Rule {
        code: "duplicate-relation",
        severity: Severity::Warning,
        formats: Formats::DEB,
        title: "a relation stands twice in one field",
        explanation: "It does no harm, and tells that a list is kept in two places.",
        remedy: "Remove one of them from `[services.NAME]`.",
        source: "lintian duplicate-in-relation-field",
        find: duplicates,
    },
    Rule {
        code: "private-library-provided",
        severity: Severity::Error,
        formats: Formats::RPM,
        title: "a private library is offered to other packages",
        explanation: "`Provides: libssl.so.3()(64bit)` says that any program may link against the library. One in a private tree is \
                      not in the loader's path: packages that rely on it are installed and do not start, and the \
                      distribution's own library may be left out.",
        remedy: "Build it with packhouse, which provides nothing from a private tree, or filter with \
                 `%global __provides_exclude_from` in a spec file.",
        source: "Fedora packaging guidelines, AutoProvidesAndRequiresFiltering",
        find: private_libraries,
    },
    Rule {
        code: "private-python-provided",
        severity: Severity::Error,
        formats: Formats::RPM,
        title: "a vendored Python distribution is offered to other packages",
        explanation: "`Provides: python3.11dist(requests)` says that any Python program can import it. From a private tree none can.",
        remedy: "Provide `bundled(python3dist(NAME))` instead; packhouse provides nothing else from a private tree.",
        source: "Fedora packaging guidelines, Bundled Software",
        find: private_distributions,
    },
];

fn itself(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (field, list) in &subject.relations {
        for expression in list {
            // With a version it may speak of another version of itself.
            let strict = match *field {
                "Depends" | "Pre-Depends" | "Recommends" | "Requires" => true,
                "Conflicts" | "Obsoletes" => expression.trim() == subject.name,
                _ => false,
            };
            // RPM's `a = version` is how subpackages are kept together; alone it is harmless only with alternatives.
            let alternatives = expression.contains('|') || expression.starts_with('(');
            // Two architectures of one name may conflict with each other through a virtual package (Policy 7.4).
            let virtual_package = *field == "Conflicts"
                && subject.format == Format::Deb
                && subject
                    .relation("Provides")
                    .iter()
                    .any(|provided| relation::names(subject.format, provided).any(|name| name == subject.name));
            if strict
                && !alternatives
                && !virtual_package
                && relation::names(subject.format, expression).any(|name| name == subject.name)
            {
                hits.push(Hit::new(format!("`{field}: {expression}` is about itself")));
            }
        }
    }
    hits
}

fn duplicates(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (field, list) in &subject.relations {
        let mut seen = HashSet::new();
        for expression in list {
            if !seen.insert(expression.as_str()) {
                hits.push(Hit::new(format!("`{expression}` stands twice in `{field}`")));
            }
        }
    }
    hits
}

/// Whether the dynamic loader finds files of this directory without being told.
fn is_library_directory(directory: &str) -> bool {
    matches!(directory, "/usr/lib" | "/usr/lib64" | "/lib" | "/lib64")
}

fn private_libraries(subject: &Subject) -> Vec<Hit> {
    let public: HashSet<&str> = subject
        .items()
        .filter(|item| crate::check::subject::parent(&item.path).is_some_and(is_library_directory))
        .flat_map(|item| [Some(item.name()), item.elf().and_then(|facts| facts.soname.as_deref())])
        .flatten()
        .collect();
    // A file of ld.so.conf.d puts further directories into the loader's path.
    if subject.items().any(|item| item.path.starts_with("/etc/ld.so.conf.d/")) {
        return Vec::new();
    }
    let mut hits = Vec::new();
    for expression in subject.relation("Provides") {
        let name = expression.split_whitespace().next().unwrap_or_default();
        let library = name.split('(').next().unwrap_or_default();
        let is_library = (library.starts_with("lib") || library.starts_with("ld"))
            && (library.ends_with(".so") || library.contains(".so."))
            && name.contains('(');
        if is_library && !public.contains(library) {
            hits.push(Hit::new(format!("it provides `{name}`, and has no such file where the loader looks")));
        }
    }
    hits
}

fn private_distributions(subject: &Subject) -> Vec<Hit> {
    let is_public = |path: &str| path.starts_with("/usr/lib/python3") || path.starts_with("/usr/lib64/python3");
    let shared = subject
        .items()
        .any(|item| is_public(&item.path) && (item.path.contains(".dist-info") || item.path.contains(".egg-info")));
    if shared {
        return Vec::new();
    }
    let is_distribution = |name: &str| {
        name.strip_prefix("python3").and_then(|rest| rest.split_once("dist(")).is_some_and(|(minor, _)| {
            minor.is_empty()
                || minor.strip_prefix('.').is_some_and(|minor| minor.bytes().all(|byte| byte.is_ascii_digit()))
        })
    };
    let provides = subject.relation("Provides").iter().filter(|one| is_distribution(one));
    provides
        .map(|one| Hit::new(format!("it provides `{one}`, and has it in no directory of the system's Python")))
        .collect()
}
