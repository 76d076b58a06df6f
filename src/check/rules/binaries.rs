//! ELF files: what they need, and whether the package says so (Policy 8, 10.1, 10.2; rpm's elfdeps).

use std::collections::HashSet;

use crate::check::subject::{Elf, Item};
use crate::check::{Formats, Hit, Rule, Severity, Subject};
use crate::target::Architecture;
use crate::tree::elf::ElfFacts;

pub(in crate::check) static RULES: &[Rule] = &[
    Rule {
        code: "wrong-architecture",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a program is for another processor than its package",
        explanation: "The kernel refuses it with “exec format error”. A program in a package for any processor (`all`, `noarch`) runs on \
                      one only.",
        remedy: "Build it for the target's architecture.",
        source: "Policy 5.6.8; lintian binary-from-other-architecture, arch-independent-package-contains-binary-or-object; rpmlint \
                 arch-independent-package-contains-binary-or-object",
        find: architecture,
    },
    Rule {
        code: "unstripped-binary",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "an own program carries its symbol table",
        explanation: "The table for the linker and debugger is often larger than the program, and is not read when it runs.",
        remedy: "Strip it (`profile.release.strip = \"symbols\"`); packhouse strips what it compiles. Never strip files from wheels: some do \
                 not load any more.",
        source: "Policy 10.1; lintian unstripped-binary-or-object; rpmlint unstripped-binary-or-object",
        find: unstripped,
    },
    Rule {
        code: "foreign-library-path",
        severity: Severity::Error,
        formats: Formats::Both,
        title: "a program looks for libraries in a directory that is not the package's",
        explanation: "A run path (`DT_RUNPATH`, `DT_RPATH`) that names a directory of the build machine, or one that others can write to, \
                      lets them choose which code runs. An empty or relative one is the directory that the program is started in.",
        remedy: "Link with `$ORIGIN` or without a run path; a wheel that has one is to be replaced.",
        source: "Policy 10.2; ld.so(8); lintian custom-library-search-path; rpmlint binary-or-shlib-defines-rpath",
        find: run_paths,
    },
    Rule {
        code: "no-libc-dependency",
        severity: Severity::Error,
        formats: Formats::DEB,
        title: "the package does not depend on the C library that its programs need",
        explanation: "A program that is linked dynamically against glibc needs `libc6`, in at least the version whose symbols it uses: on an \
                      older system it does not start.",
        remedy: "Build it with packhouse, which reads the symbols, or add `libc6 (>= VERSION)` to `depends`.",
        source: "Policy 8.6; lintian missing-dependency-on-libc",
        find: libc,
    },
    Rule {
        code: "library-not-required",
        severity: Severity::Error,
        formats: Formats::RPM,
        title: "a library that a program needs is neither in the package nor required",
        explanation: "rpm's own scanner writes a requirement for each library (`libz.so.1()(64bit)`) and symbol version that an ELF file \
                      names and the package does not hold. Without it the package is installed where it does not start.",
        remedy: "Build it with packhouse, which reads the ELF files, or do not filter requirements in the spec file.",
        source: "rpm's elfdeps; rpm-dependencies(7)",
        find: required,
    },
    Rule {
        code: "damaged-elf-file",
        severity: Severity::Warning,
        formats: Formats::Both,
        title: "an ELF file cannot be read",
        explanation: "It begins as an ELF file, and its tables do not fit it. What it needs cannot be told; most likely it was cut off or \
                      changed by a tool.",
        remedy: "Compare it with the original.",
        source: "System V gABI, chapter 4",
        find: damaged,
    },
];

fn elf_files(subject: &Subject) -> impl Iterator<Item = (&Item, &ElfFacts)> {
    subject.files().filter_map(|item| item.elf().map(|facts| (item, facts)))
}

fn architecture(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    let known = subject.machine();
    if known.is_none() && !subject.is_independent() {
        return hits;
    }
    // Wheels carry programs for several machines; firmware and emulators' guests are data.
    let own = elf_files(subject).filter(|(item, facts)| facts.is_program && !item.vendored);
    for (item, facts) in
        own.filter(|(item, _)| !item.path.starts_with("/usr/share/") && !item.path.starts_with("/usr/lib/firmware/"))
    {
        let name = |machine: Option<Architecture>| machine.map_or("another machine", Architecture::machine);
        match known {
            Some(machine) if facts.architecture != Some(machine) => {
                hits.push(Hit::at(
                    &item.path,
                    format!("it is for {}, the package for {}", name(facts.architecture), machine.machine()),
                ));
            }
            None => {
                hits.push(Hit::at(&item.path, format!("it is for {}, the package for any", name(facts.architecture))))
            }
            Some(_) => {}
        }
    }
    hits
}

fn unstripped(subject: &Subject) -> Vec<Hit> {
    let own = elf_files(subject).filter(|(item, facts)| facts.is_program && facts.has_symbol_table && !item.vendored);
    // Kernels' modules and files for debuggers need their symbols.
    let own = own.filter(|(item, _)| !item.path.starts_with("/usr/lib/debug/") && !item.path.ends_with(".ko"));
    own.map(|(item, _)| Hit::at(&item.path, "it has a symbol table")).collect()
}

/// Directories that only root writes to and the loader knows anyway.
const SYSTEM: [&str; 4] = ["/usr/lib", "/usr/lib64", "/lib", "/lib64"];

fn run_paths(subject: &Subject) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (item, facts) in elf_files(subject) {
        for path in &facts.search {
            let path = path.trim_end_matches('/');
            if path.starts_with("$ORIGIN") || path.starts_with("${ORIGIN}") {
                continue;
            }
            let private = path.starts_with("/usr/lib")
                && (subject.is_directory(path) || path.split('/').any(|part| part == subject.name));
            let system = SYSTEM.contains(&path)
                || path.starts_with("/usr/lib/x86_64-linux-gnu")
                || path.starts_with("/usr/lib/aarch64-linux-gnu");
            if private || system {
                continue;
            }
            let what = if path.is_empty() { "an empty one".to_owned() } else { format!("`{path}`") };
            hits.push(Hit::at(&item.path, format!("its run path has {what}")));
        }
    }
    hits.dedup();
    hits
}

/// Names by which the package's own libraries can be found.
fn held(subject: &Subject) -> HashSet<&str> {
    let names = subject.items().map(Item::name).filter(|name| name.contains(".so"));
    names.chain(elf_files(subject).filter_map(|(_, facts)| facts.soname.as_deref())).collect()
}

/// The libraries that the package's ELF files need from outside, with the file and the symbol versions.
fn needed(subject: &Subject) -> Vec<(&Item, &str, Vec<&str>)> {
    let held = held(subject);
    let mut all = Vec::new();
    for (item, facts) in elf_files(subject) {
        let foreign =
            facts.architecture.is_none() || (subject.machine().is_some() && facts.architecture != subject.machine());
        // elfdeps: a program that cannot be executed needs nothing.
        if foreign || (facts.has_interpreter && !item.is_executable()) {
            continue;
        }
        for library in facts.needed.iter().filter(|library| !held.contains(library.as_str())) {
            let versions = facts.versions.get(library).into_iter().flatten().map(String::as_str).collect();
            all.push((item, library.as_str(), versions));
        }
    }
    all
}

fn libc(subject: &Subject) -> Vec<Hit> {
    // The C library itself, and packages that say it with another one's name.
    let named =
        ["libc6", "libc6-i386", "libc6-dev", "libc6.1", "libc0.1", "musl"].iter().any(|name| subject.requires(name));
    if named {
        return Vec::new();
    }
    let needs = needed(subject).into_iter().find(|(_, library, _)| *library == "libc.so.6");
    needs
        .map(|(item, ..)| Hit::at(&item.path, "it needs libc.so.6, and nothing requires `libc6`"))
        .into_iter()
        .collect()
}

fn required(subject: &Subject) -> Vec<Hit> {
    let names: HashSet<&str> = subject.required_names().collect();
    let mut seen = HashSet::new();
    let mut hits = Vec::new();
    for (item, library, versions) in needed(subject) {
        // elfdeps leaves out what is no library by its name.
        if !library.contains(".so") || !(library.starts_with("lib") || library.starts_with("ld")) {
            continue;
        }
        let capabilities = std::iter::once(format!("{library}()(64bit)"))
            .chain(versions.iter().map(|version| format!("{library}({version})(64bit)")));
        for capability in capabilities {
            if !names.contains(capability.as_str()) && seen.insert(capability.clone()) {
                hits.push(Hit::at(&item.path, format!("it needs `{capability}`")));
            }
        }
    }
    hits
}

fn damaged(subject: &Subject) -> Vec<Hit> {
    let files = subject
        .files()
        .filter(|item| matches!(item.content.elf, Elf::Damaged) && !item.path.starts_with("/usr/lib/debug/"));
    files.map(|item| Hit::at(&item.path, "its tables do not fit it")).collect()
}
