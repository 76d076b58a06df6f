//! Python: uv resolves, packhouse downloads, verifies and installs.

pub mod archive;
mod build;
mod build_environment;
mod build_requirements;
pub mod bytecode;
mod closure;
mod combine;
mod commands;
mod components;
mod detect;
pub mod environment;
mod existing;
mod explain;
mod facts;
mod fingerprint;
pub mod host;
mod html;
pub mod index;
pub mod indexes;
mod ini;
mod inputs;
pub mod interpreter;
pub mod launcher;
pub mod lock;
pub mod lock_error;
mod native;
mod people;
mod poetry;
pub mod project;
pub mod provision;
pub mod pylock;
mod pyproject;
mod record;
mod referenced;
pub mod requirements;
mod resolve;
mod sdist;
mod select;
mod setup_cfg;
mod setup_py;
pub mod shim;
pub mod source;
mod source_tree;
mod stage;
mod stamps;
pub mod store;
pub mod tags;
mod toml_tree;
mod tools;
mod traces;
pub mod uv;
pub mod uv_lock;
pub mod vendor;
mod vendor_directory;
mod vendor_lock;
pub mod vendor_txt;
mod vendored;
pub mod wheel;

use std::path::PathBuf;

use crate::config::{Person, Settings};
use crate::diagnostic::Diagnose;
use crate::ecosystem::{Context, Ecosystem, Error, Outcome, Release, Upgrade};
use crate::fingerprint::{Files, Fingerprint};
use crate::package::Staged;
use crate::survey::Fact;
use crate::target::Target;
use crate::workspace::{Detector, Directory, EcosystemKind, Member, Workspace};

/// The Python ecosystem.
#[derive(Debug, Clone, Copy)]
pub struct Python;

impl Detector for Python {
    fn detect(&self, directory: Directory<'_>) -> Result<Vec<Member>, Box<dyn Diagnose + Send + Sync>> {
        detect::detect(directory)
    }
}

impl Ecosystem for Python {
    fn kind(&self) -> EcosystemKind {
        EcosystemKind::Python
    }

    fn lock(&self, context: Context<'_>, service: &Member, upgrade: &Upgrade) -> Result<Outcome, Error> {
        lock::lock(context, service, upgrade)
    }

    fn locked(&self, context: Context<'_>, service: &Member) -> Result<Option<Vec<String>>, Error> {
        lock::names(context, service).map_err(stage::boxed)
    }

    fn is_same_name(&self, one: &str, other: &str) -> bool {
        crate::name::normalize(one) == crate::name::normalize(other)
    }

    fn vendor(&self, context: Context<'_>, service: &Member) -> Result<Outcome, Error> {
        vendor::vendor(context, service)
    }

    fn machine(&self, settings: &Settings) -> Vec<PathBuf> {
        let versions = settings.distributions.iter().flat_map(|distribution| distribution.pythons.iter().copied());
        host::places(&versions.collect())
    }

    fn people(&self, workspace: &Workspace, member: &Member) -> Vec<Person> {
        people::people(&workspace.directory(member))
    }

    fn explain(&self, context: Context<'_>, service: &Member) -> Vec<Fact> {
        explain::explain(context, service)
    }

    fn inputs(
        &self,
        context: Context<'_>,
        service: &Member,
        targets: &[&Target],
        files: &Files,
    ) -> Result<Vec<Fingerprint>, Error> {
        fingerprint::inputs(context, service, targets, files)
    }

    fn stage(
        &self,
        context: Context<'_>,
        service: &Member,
        target: &Target,
        release: &Release,
    ) -> Result<Staged, Error> {
        stage::stage(context, service, target, release)
    }
}
