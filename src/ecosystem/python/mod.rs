//! Python: uv resolves, packhouse downloads, verifies and installs.

pub mod project;
pub mod pylock;
pub mod requirements;
pub mod source;
pub mod vendor_txt;

/// The Python ecosystem.
#[derive(Debug, Clone, Copy)]
pub struct Python;

mod combine;
mod detect;
mod facts;
mod ini;
mod lock;
mod poetry;
mod pyproject;
mod referenced;
mod setup_cfg;
mod setup_py;
mod stage;
mod toml_tree;
mod vendor;

use crate::diagnostic::Diagnose;
use crate::ecosystem::{Context, Ecosystem, Error, Outcome, Upgrade};
use crate::package::Staged;
use crate::target::Target;
use crate::workspace::{Detector, Directory, EcosystemKind, Member};

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

    fn vendor(&self, context: Context<'_>, service: &Member) -> Result<Outcome, Error> {
        vendor::vendor(context, service)
    }

    fn stage(&self, context: Context<'_>, service: &Member, target: &Target, time: i64) -> Result<Staged, Error> {
        stage::stage(context, service, target, time)
    }
}
