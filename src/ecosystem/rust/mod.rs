//! Rust: `Cargo.lock` is the lock, `cargo vendor` fills the vendor directory, `cargo build --frozen` builds.

/// The Rust ecosystem.
#[derive(Debug, Clone, Copy)]
pub struct Rust;

mod binary;
mod components;
mod crates;
mod debug;
mod detect;
mod doctor;
pub(in crate::ecosystem) mod embedded;
mod error;
mod explain;
mod fingerprint;
mod kept;
mod linked;
mod linkers;
mod lock;
mod lockfile;
mod made;
mod manifest;
mod members;
mod project;
mod stage;
mod targets;
mod toolchain;
mod vendor;
mod wanted;

pub use error::RustError;
pub(crate) use explain::is_described_elsewhere;

use std::path::PathBuf;

use crate::config::{Person, Settings};
use crate::diagnostic::Diagnose;
use crate::doctor::{Finding, Ground};
use crate::ecosystem::{Context, Ecosystem, Error, Outcome, Release, Upgrade};
use crate::fingerprint::{Files, Fingerprint};
use crate::package::Staged;
use crate::sandbox::Sandbox;
use crate::survey::Fact;
use crate::target::Target;
use crate::workspace::{Detector, Directory, EcosystemKind, Member, Workspace};

impl Detector for Rust {
    fn detect(&self, directory: Directory<'_>) -> Result<Vec<Member>, Box<dyn Diagnose + Send + Sync>> {
        detect::detect(directory)
    }
}

impl Ecosystem for Rust {
    fn kind(&self) -> EcosystemKind {
        EcosystemKind::Rust
    }

    fn lock(&self, context: Context<'_>, service: &Member, upgrade: &Upgrade) -> Result<Outcome, Error> {
        lock::lock(context, service, upgrade)
    }

    fn locked(&self, context: Context<'_>, service: &Member) -> Result<Option<Vec<String>>, Error> {
        lock::names(context, service).map_err(|error| Box::new(error) as Error)
    }

    fn is_same_name(&self, one: &str, other: &str) -> bool {
        one == other
    }

    fn vendor(&self, context: Context<'_>, service: &Member) -> Result<Outcome, Error> {
        vendor::vendor(context, service)
    }

    fn machine(&self, _settings: &Settings) -> Vec<PathBuf> {
        toolchain::places()
    }

    fn people(&self, workspace: &Workspace, member: &Member) -> Vec<Person> {
        explain::people(workspace, member)
    }

    fn explain(&self, context: Context<'_>, service: &Member) -> Vec<Fact> {
        explain::explain(context, service)
    }

    fn prepare(&self, context: Context<'_>, service: &Member) {
        let toolchain =
            || project::Project::of(context.workspace, service).and_then(|it| toolchain::Toolchain::of(&it));
        rayon::join(|| drop(toolchain()), || drop(Sandbox::from_environment()));
    }

    fn examine(&self, ground: &Ground<'_>) -> Vec<Finding> {
        doctor::examine(ground)
    }

    fn inputs(
        &self,
        context: Context<'_>,
        service: &Member,
        targets: &[&Target],
        files: &Files,
    ) -> Result<Vec<Fingerprint>, Error> {
        fingerprint::inputs(context, service, targets, files).map_err(|error| Box::new(error) as Error)
    }

    fn stage(
        &self,
        context: Context<'_>,
        service: &Member,
        target: &Target,
        release: &Release,
    ) -> Result<Staged, Error> {
        stage::stage(context, service, target, release.time)
    }
}
