//! One folder per language behind one small trait.

pub mod python;
pub mod rust;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::cache::Cache;
use crate::config::{Person, Settings};
use crate::fingerprint::{Files, Fingerprint};
use crate::package::Staged;
use crate::report::Reporter;
use crate::survey::Fact;
use crate::target::Target;
use crate::workspace::{Detector, EcosystemKind, Member, Workspace};

/// What every step of a language works with.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The configuration.
    pub settings: &'a Settings,
    /// The repository's services and libraries.
    pub workspace: &'a Workspace,
    /// Downloads, unpacked wheels, tools.
    pub cache: &'a Cache,
    /// Where progress goes.
    pub reporter: &'a dyn Reporter,
    /// `--offline`: the network must not be used.
    pub offline: bool,
    /// `--locked`: a lock that would change is an error (exit 3).
    pub locked: bool,
    /// How many things may be done at once.
    pub threads: usize,
}

/// Which locked versions may move.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Upgrade {
    /// None that still fits.
    #[default]
    Nothing,
    /// These names.
    Names(Vec<String>),
    /// All.
    All,
}

/// What history says of the packages that are built: versions that no manifest has, and the time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Release {
    /// The versions of the service and of its libraries that come from the configuration or from a tag, as the language
    /// spells them, by `ecosystem_name`. What is not here has its manifest's.
    pub versions: BTreeMap<String, String>,
    /// The SOURCE_DATE_EPOCH of the service and of the package made of it.
    pub time: i64,
    /// Those of its libraries, by `ecosystem_name`: a library is built once for all the services that use it, whenever
    /// they last changed.
    pub times: BTreeMap<String, i64>,
}

/// Any error of a language's stage.
pub type Error = Box<dyn crate::diagnostic::Diagnose + Send + Sync>;

/// What `lock` and `vendor` did with one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Nothing had to be done; no network request was made.
    Fresh,
    /// Files were written.
    Changed,
}

/// A language: detect, lock, vendor, stage.
pub trait Ecosystem: Detector + Sync {
    /// Which one.
    fn kind(&self) -> EcosystemKind;
    /// Resolves `service` for all of the project's targets and writes its lock. Uses the network.
    fn lock(&self, context: Context<'_>, service: &Member, upgrade: &Upgrade) -> Result<Outcome, Error>;
    /// The names that the lock of `service` has, as the language spells them; `None` when there is no lock yet.
    fn locked(&self, context: Context<'_>, service: &Member) -> Result<Option<Vec<String>>, Error>;
    /// Whether two spellings are one name.
    fn is_same_name(&self, one: &str, other: &str) -> bool;
    /// Makes the vendor directory hold exactly what the lock names. Uses the network.
    fn vendor(&self, context: Context<'_>, service: &Member) -> Result<Outcome, Error>;
    /// Files outside of the repository, there or not, whose change may change what a stage makes: interpreters, tools.
    fn machine(&self, settings: &Settings) -> Vec<PathBuf>;
    /// Asks the machine what making `service` will ask it first, so that the answers are there. What fails says so there.
    fn prepare(&self, _context: Context<'_>, _service: &Member) {}
    /// Who stands in the manifest of `member`, the most responsible first. What cannot be read names nobody.
    fn people(&self, workspace: &Workspace, member: &Member) -> Vec<Person>;
    /// What somebody who sees `service` for the first time wants to know of it: what it runs on, which lock it has, which
    /// tables of other tools are read. Nothing is asked of the network.
    fn explain(&self, context: Context<'_>, service: &Member) -> Vec<Fact>;
    /// Everything that [`Ecosystem::stage`] makes the tree of `service` from, beside the settings and the release: sources,
    /// locks, vendored files, tools; one answer for each of `targets`, in their order. An error means that it cannot be
    /// told, so that the tree must be made. Never uses the network.
    fn inputs(
        &self,
        context: Context<'_>,
        service: &Member,
        targets: &[&Target],
        files: &Files,
    ) -> Result<Vec<Fingerprint>, Error>;
    /// Makes the private tree of `service` for `target` from its vendor directory. Never uses the network.
    fn stage(
        &self,
        context: Context<'_>,
        service: &Member,
        target: &Target,
        release: &Release,
    ) -> Result<Staged, Error>;
}

/// All languages.
pub fn all() -> Vec<&'static dyn Ecosystem> {
    vec![&python::Python, &rust::Rust]
}

/// The language of this kind.
pub fn of(kind: EcosystemKind) -> &'static dyn Ecosystem {
    match kind {
        EcosystemKind::Python => &python::Python,
        EcosystemKind::Rust => &rust::Rust,
    }
}
