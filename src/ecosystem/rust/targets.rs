//! Which of cargo's targets make the files that entries of `files` name (the Cargo book, "Cargo Targets").
//!
//! All of them are built by one call of cargo. A file that no target makes may come from a build script; it is looked for
//! when cargo has run.

use std::path::Path;

use cargo_toml::Manifest;

use super::detect;
use super::error::RustError;
use super::project::Project;
use crate::config::FileSource;
use crate::workspace::{Member, Workspace};

/// What one crate can make.
struct Crate {
    name: String,
    bins: Vec<String>,
    examples: Vec<String>,
    /// The files of its library that a program of another language can use.
    libraries: Vec<String>,
}

/// What cargo is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Selection {
    /// Other crates of the workspace; the service's own is always one.
    packages: Vec<String>,
    bins: Vec<String>,
    examples: Vec<String>,
    library: bool,
}

impl Selection {
    /// What makes the files that `sources` name, for the service `own` of `workspace`.
    pub(super) fn of<'a>(
        workspace: &Workspace,
        project: &Project,
        own: &Member,
        sources: impl Iterator<Item = &'a FileSource>,
    ) -> Result<Self, RustError> {
        let mut crates = vec![Crate::of(project, own)?];
        for member in project.members(workspace)? {
            if !std::ptr::eq(member, own) && member.path != own.path {
                crates.push(Crate::of(project, member)?);
            }
        }
        let mut selection = Self::default();
        for source in sources {
            match source {
                FileSource::Built { path, .. } => selection.add(&crates, |file| Path::new(file) == path),
                FileSource::BuiltGlob { pattern, .. } => selection.add(&crates, |file| pattern.is_match(file)),
                FileSource::Path(_) | FileSource::Glob { .. } => {}
            }
        }
        Ok(selection)
    }

    /// Adds the targets whose files match. A name that several crates have is the service's own.
    fn add(&mut self, crates: &[Crate], matches: impl Fn(&str) -> bool) {
        for (number, one) in crates.iter().enumerate() {
            let bins: Vec<&String> = one.bins.iter().filter(|bin| matches(bin)).collect();
            let examples: Vec<&String> =
                one.examples.iter().filter(|example| matches(&format!("examples/{example}"))).collect();
            let library = one.libraries.iter().any(|file| matches(file));
            if bins.is_empty() && examples.is_empty() && !library {
                continue;
            }
            if number > 0 && !self.packages.contains(&one.name) {
                self.packages.push(one.name.clone());
            }
            self.bins.extend(bins.into_iter().cloned());
            self.examples.extend(examples.into_iter().cloned());
            self.library |= library;
            return;
        }
    }

    /// The arguments of `cargo build`; all programs of the service itself when they are wanted, or nothing in particular.
    pub(super) fn arguments(&self, own: &str, all: bool) -> Vec<String> {
        let Self { packages, bins, examples, library } = self;
        let nothing = bins.is_empty() && examples.is_empty() && !library;
        let mut arguments: Vec<String> = (all || nothing).then(|| "--bins".to_owned()).into_iter().collect();
        let mut add = |option: &str, names: &[String]| {
            let mut names = names.to_vec();
            names.sort();
            names.dedup();
            arguments.extend(names.into_iter().flat_map(|name| [option.to_owned(), name]));
        };
        if !packages.is_empty() {
            add("--package", &[packages.as_slice(), &[own.to_owned()]].concat());
        }
        add("--bin", bins);
        add("--example", examples);
        arguments.extend(library.then(|| "--lib".to_owned()));
        arguments
    }
}

impl Crate {
    fn of(project: &Project, member: &Member) -> Result<Self, RustError> {
        let manifest = detect::manifest(&project.repository, &member.path, &project.directory)
            .map_err(|error| RustError::Manifest { error: error.to_string() })?;
        let names = |products: &[cargo_toml::Product]| products.iter().filter_map(|one| one.name.clone()).collect();
        Ok(Self {
            name: member.ecosystem_name.clone(),
            bins: names(&manifest.bin),
            examples: names(&manifest.example),
            libraries: libraries(&manifest),
        })
    }
}

fn libraries(manifest: &Manifest) -> Vec<String> {
    let Some(library) = &manifest.lib else { return Vec::new() };
    let Some(name) = library.name.as_ref().map(|name| name.replace('-', "_")) else { return Vec::new() };
    let files = library.crate_type.iter().filter_map(|kind| match kind.as_str() {
        "cdylib" | "dylib" => Some(format!("lib{name}.so")),
        "staticlib" => Some(format!("lib{name}.a")),
        _ => None,
    });
    files.collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    fn crates() -> Vec<Crate> {
        let strings = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        vec![
            Crate {
                name: "tool".to_owned(),
                bins: strings(&["tool", "toolctl"]),
                examples: strings(&["demo"]),
                libraries: strings(&["libtool.so"]),
            },
            Crate {
                name: "helper".to_owned(),
                bins: strings(&["helper", "tool"]),
                examples: Vec::new(),
                libraries: Vec::new(),
            },
        ]
    }

    fn arguments(files: &[&str]) -> String {
        let mut selection = Selection::default();
        for file in files {
            selection.add(&crates(), |name| name == *file);
        }
        selection.arguments("tool", false).join(" ")
    }

    #[test]
    fn one_call_of_cargo_makes_what_is_named_and_nothing_else() {
        assert_eq!(arguments(&["tool"]), "--bin tool");
        assert_eq!(arguments(&["libtool.so", "tool", "examples/demo", "tool"]), "--bin tool --example demo --lib");
        assert_eq!(arguments(&["helper", "toolctl"]), "--package helper --package tool --bin helper --bin toolctl");
        assert_eq!(arguments(&["tool.1"]), "--bins", "a build script may make it");
    }

    #[test]
    fn a_pattern_selects_the_programs_that_it_finds() {
        let pattern = globset::Glob::new("tool*").unwrap().compile_matcher();
        let mut selection = Selection::default();
        selection.add(&crates(), |name| pattern.is_match(name));
        assert_eq!(selection.arguments("tool", false).join(" "), "--bin tool --bin toolctl");
    }
}
