//! What Rust services need of the machine: the toolchain that each asks for, and a linker.

use std::path::{Path, PathBuf};

use super::debug::OBJCOPY;
use super::error::RustError;
use super::linkers;
use super::project::Project;
use super::toolchain::Toolchain;
use crate::doctor::{Finding, Ground, install};
use crate::workspace::{EcosystemKind, Member};

pub(super) fn examine(ground: &Ground<'_>) -> Vec<Finding> {
    let Some(context) = ground.project else {
        return [cargo(Toolchain::default()), linker(None)].map(|finding| finding.unless(false)).into();
    };
    let of_rust = |service: &&Member| service.ecosystem == EcosystemKind::Rust;
    let services: Vec<&Member> = context.workspace.services().filter(of_rust).collect();
    let mut findings: Vec<Finding> = Vec::new();
    for service in &services {
        let project = Project::of(context.workspace, service);
        let linked = linker(project.as_ref().ok());
        let toolchain = cargo(project.and_then(|project| Toolchain::of(&project)));
        let mut found = vec![toolchain, linked];
        if context.settings.service(&service.name).rust.debug_package && !Path::new(OBJCOPY).is_file() {
            found.push(Finding::of("objcopy", &RustError::NoObjcopy { program: PathBuf::from(OBJCOPY) }));
        }
        // Most services have the same answers.
        found.retain(|finding| !findings.contains(finding));
        findings.extend(found);
    }
    findings
}

fn cargo(toolchain: Result<Toolchain, RustError>) -> Finding {
    match toolchain {
        Ok(Toolchain { cargo, release, host, .. }) => {
            Finding::ok("cargo", format!("{release} for {host}, {}", cargo.display()))
        }
        Err(error) => Finding::of("cargo", &error),
    }
}

/// rustc links with `cc`, unless a configuration names another program.
fn linker(project: Option<&Project>) -> Finding {
    let named = |path: &PathBuf| ["cc", "gcc", "clang"].iter().any(|name| path.ends_with(name));
    let usual: Vec<PathBuf> = linkers::places().filter(|path| path.is_file()).collect();
    let own = project.map(linkers::programs).unwrap_or_default();
    match usual.iter().find(|path| named(path)).or_else(|| own.iter().find(|path| !usual.contains(path))) {
        Some(path) => Finding::ok("linker", path.display().to_string()),
        None => Finding::problem(
            "linker",
            "there is no cc in /usr/bin, with which rustc links",
            install("gcc libc6-dev", "gcc glibc-devel"),
        ),
    }
}
