//! `packhouse.toml` and the metadata tables, validated into [`Settings`].
//!
//! What stands here has been checked: names are names, globs compile, targets exist, paths are relative and stay inside
//! the repository. Each stage reads the part that is its own; nothing else in the program reads a configuration file.

mod assume;
mod capabilities;
mod check;
mod error;
mod files;
mod find;
mod guess;
mod licenses;
mod load;
mod origin;
mod pages;
mod previous;
mod proposal;
mod reader;
mod relations;
mod selector;
mod service;
mod suggest;
mod systemd;
#[cfg(test)]
mod tests;
pub(crate) mod value;

use std::collections::BTreeMap;
use std::path::PathBuf;

use globset::GlobSet;
use serde::{Deserialize, Serialize};

use crate::format::Effort;
use crate::name::{OrgName, PackageName};
use crate::target::{Distribution, PythonVersion, Target};

pub use assume::{Assumed, assume};
pub use check::{AllowSettings, CheckSettings};
pub use error::Error;
pub use files::{FileKind, FileSettings, FileSource, Place};
pub(crate) use find::read_text;
pub use find::{FILE_NAME, present, project_root, repository_root};
pub use guess::{Guess, People, Person, Told};
pub(crate) use guess::{maintainer as guess_maintainer, org as guess_org};
pub use licenses::{Clarification, LicenseException, LicensePolicy};
pub use load::{DEFAULT_TARGETS, load, parse};
pub use origin::Origin;
pub(crate) use origin::locate;
pub(crate) use pages::page_name;
pub use pages::{Completion, PageSettings, Shell};
pub use previous::RemovedConfig;
pub use proposal::{Content, Setting, Table, render};
pub use relations::{RelationKind, RelationSettings};
pub use selector::Selector;
pub(crate) use suggest::closest;
pub use systemd::{RestartPolicy, SystemdSettings};

/// The whole configuration of a workspace.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The repository's root: the directory of `packhouse.toml`, absolute.
    pub root: PathBuf,
    /// `[project]`.
    pub project: ProjectSettings,
    /// `[[index]]`, in the order of the file.
    pub indexes: Vec<IndexSettings>,
    /// `[services.NAME]` by package name.
    pub services: BTreeMap<String, ServiceSettings>,
    /// The distributions known: built in, with what `[targets.NAME]` changes or adds.
    pub distributions: Vec<Distribution>,
    /// `[licenses]`.
    pub licenses: LicensePolicy,
    /// `[repository]`.
    pub repository: RepositorySettings,
}

/// `[project]`.
#[derive(Debug, Clone)]
pub struct ProjectSettings {
    /// The directory under `/usr/lib`, the prefix of commands.
    pub org: OrgName,
    /// Who answers for the packages.
    pub maintainer: Maintainer,
    /// The project's page.
    pub homepage: Option<String>,
    /// SPDX expression.
    pub license: Option<String>,
    /// What a plain `build` builds for; never empty.
    pub targets: Vec<Target>,
    /// Which directories are taken, as globs relative to the root; `None` takes all that are detected.
    pub members: Option<GlobSet>,
    /// Which directories are left out.
    pub exclude: GlobSet,
    /// The name of the vendor directory inside each service (default `vendor`).
    pub vendor: PathBuf,
    /// How hard packages are compressed unless `build` is told otherwise.
    pub effort: Effort,
}

/// `Name <mail@example.org>`, as both formats want it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Maintainer {
    /// The person's or team's name; no line breaks, no `<`.
    pub name: String,
    /// The mail address.
    pub mail: String,
}

impl std::fmt::Display for Maintainer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} <{}>", self.name, self.mail)
    }
}

/// `[[index]]`: a Python index beside those that pip and uv are configured with.
#[derive(Debug, Clone)]
pub struct IndexSettings {
    /// How other parts of the configuration and the lock name it.
    pub name: String,
    /// The base of its simple API (PEP 503); without credentials.
    pub url: String,
    /// Names pinned to it: only these are taken from it, and these only from it. Empty: any name.
    pub packages: Vec<String>,
}

/// `kind` of a service's table: overrides what was detected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KindSetting {
    /// Becomes a package.
    Service,
    /// Is used by services.
    Library,
}

/// `[services.NAME]`: only what differs from what was detected.
#[derive(Debug, Clone, Default)]
pub struct ServiceSettings {
    /// The directory this table speaks of, when NAME is not the detected name: this renames it.
    pub path: Option<PathBuf>,
    /// Overrides the detected kind.
    pub kind: Option<KindSetting>,
    /// One line, for `Description` and `Summary`.
    pub summary: Option<String>,
    /// The long description.
    pub description: Option<String>,
    /// SPDX expression; else the manifest's, else the project's.
    pub license: Option<String>,
    /// Debian section (default `misc`).
    pub section: Option<String>,
    /// Commands to link into `/usr/bin`; `None` takes the detected ones.
    pub commands: Option<Vec<String>>,
    /// Conffiles: paths in the service's directory; `etc/X` is installed at `/etc/<org>/X`, keeping what follows `etc/`.
    pub config: Vec<PathBuf>,
    /// Relations to other packages beyond those that packhouse finds.
    pub relations: RelationSettings,
    /// `[[services.NAME.files]]`: further files, directories and links.
    pub files: Vec<FileSettings>,
    /// Man pages and completions of its commands.
    pub pages: PageSettings,
    /// Conffiles of earlier versions, for builds that cannot read the last published package.
    pub removed_config: Vec<RemovedConfig>,
    /// `[services.NAME.check]`.
    pub check: CheckSettings,
    /// Version that stands in place of the manifest's or the tag's.
    pub version: Option<String>,
    /// Debian revision and RPM release number, before the distribution's suffix (default 1).
    pub revision: Option<u32>,
    /// Epoch of both formats (default 0).
    pub epoch: Option<u32>,
    /// `[services.NAME.systemd]`.
    pub systemd: Option<SystemdSettings>,
    /// `[services.NAME.python]`.
    pub python: PythonSettings,
    /// `[services.NAME.rust]`.
    pub rust: RustSettings,
    /// Where the table stands; `None` for a service without one.
    pub origin: Option<Origin>,
}

/// `[services.NAME.python]`.
#[derive(Debug, Clone, Default)]
pub struct PythonSettings {
    /// The interpreter's minor version; strict: a target without it is an error.
    pub version: Option<PythonVersion>,
    /// Extras of the service itself to install.
    pub extras: Vec<String>,
    /// Build requirements beyond the declared ones, by the normalised name of the source they are for.
    pub build_requires: BTreeMap<String, Vec<String>>,
    /// Packages that may be taken as a source distribution although wheels exist.
    pub no_binary: Vec<String>,
}

/// `[services.NAME.rust]`.
#[derive(Debug, Clone, Default)]
pub struct RustSettings {
    /// Cargo features to build with.
    pub features: Vec<String>,
    /// Leave out the default features.
    pub no_default_features: bool,
    /// The cargo profile (default `release`).
    pub profile: Option<String>,
    /// Whether the debug symbols of its programs become a package of their own.
    pub debug_package: bool,
}

/// `[repository]`.
#[derive(Debug, Clone, Default)]
pub struct RepositorySettings {
    /// Default of `--repo`.
    pub path: Option<String>,
    /// The signing key: a file below the root, `gpg:FINGERPRINT` or `command:PROGRAM ARGUMENTS`.
    pub key: Option<String>,
    /// The certificate that a command's signatures are checked with.
    pub certificate: Option<PathBuf>,
    /// The key that is replacing it.
    pub next_key: Option<String>,
    /// The certificate of that.
    pub next_certificate: Option<PathBuf>,
}

impl Settings {
    /// The settings of one service; the defaults when it has no table.
    pub fn service(&self, name: &PackageName) -> ServiceSettings {
        self.services.get(name.as_str()).cloned().unwrap_or_default()
    }
}
