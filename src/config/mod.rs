//! `packhouse.toml` and the metadata tables, validated into [`Settings`].
//!
//! What stands here has been checked: names are names, globs compile, targets exist, paths are relative and stay inside
//! the repository. Each stage reads the part that is its own; nothing else in the program reads a configuration file.

mod additions;
#[cfg(test)]
mod adopted_tests;
mod capabilities;
mod check;
pub mod dialect;
mod error;
mod files;
mod find;
mod init;
mod layer;
mod licenses;
mod load;
mod origin;
mod pages;
mod previous;
mod reader;
mod relations;
mod scripts;
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
use crate::target::{Distribution, Format, PythonVersion, Target};
use crate::tree::InstallPath;
use crate::workspace::Member;

pub use additions::{Addition, Additions};
pub use check::{AllowSettings, CheckSettings};
pub use dialect::{Adopted, Note, Options as DialectOptions, adopt};
pub use error::Error;
pub use files::{FileKind, FileSettings, FileSource, Place};
pub(crate) use find::read_text;
pub use find::{FILE_NAME, repository_root};
pub use init::{Proposal, propose};
use layer::{Layer as _, layer};
pub use licenses::{Clarification, LicenseException, LicensePolicy};
pub use load::{DEFAULT_TARGETS, load};
pub use origin::Origin;
pub(crate) use origin::locate;
pub(crate) use pages::page_name;
pub use pages::{Completion, PageSettings, Shell};
pub use previous::RemovedConfig;
pub use relations::{RelationKind, RelationSettings};
pub use scripts::{Debconf, Script, ScriptSettings, Stage, TextSource};
pub use selector::Selector;
pub(crate) use suggest::closest;
pub use systemd::{RestartPolicy, SystemdSettings, UnitPolicy, UnitSource};

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
    /// What the manifests of services say for other packaging tools, by member's name.
    pub adopted: BTreeMap<String, Adopted>,
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
    /// The mail address; empty when a manifest that was written for another tool has none.
    pub mail: String,
}

impl std::fmt::Display for Maintainer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.mail.as_str() {
            "" => formatter.write_str(&self.name),
            mail => write!(formatter, "{} <{mail}>", self.name),
        }
    }
}

/// Where the files of a service go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Everything into a tree of its own, `/usr/lib/<org>/<service>`; commands are links into it.
    #[default]
    Private,
    /// Programs into `/usr/bin` themselves, or only where `files` say, if these name what cargo makes.
    Flat,
}

/// `Multi-Arch` of a Debian package (deb-control(5)); none is `no`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MultiArch {
    /// Packages of several architectures may be installed together.
    Same,
    /// It serves packages of any architecture.
    Foreign,
    /// Whoever depends on it says which of the two.
    Allowed,
}

impl MultiArch {
    /// All of them, as they are written.
    pub const ALL: [(&'static str, Self); 3] =
        [("same", Self::Same), ("foreign", Self::Foreign), ("allowed", Self::Allowed)];
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

/// `[services.NAME]`: only what differs from what was detected. A table that a manifest has for another packaging tool
/// becomes the same.
#[derive(Debug, Clone, Default)]
pub struct ServiceSettings {
    /// The directory this table speaks of, when NAME is not the detected name: this renames it.
    pub path: Option<PathBuf>,
    /// Overrides the detected kind.
    pub kind: Option<KindSetting>,
    /// Whether what its manifest says for other packaging tools counts (default: yes).
    pub adopt: Option<bool>,
    /// The tool whose table this was made from; `None` for packhouse's own.
    pub dialect: Option<&'static str>,
    /// Where its files go.
    pub layout: Option<Layout>,
    /// The package's name, when it is not the service's.
    pub package: Option<PackageName>,
    /// Who answers for the package, when it is not who answers for the project.
    pub maintainer: Option<Maintainer>,
    /// The package's page, when it is not the project's.
    pub homepage: Option<String>,
    /// RPM's `Vendor`, when it is not the maintainer's name.
    pub vendor: Option<String>,
    /// One line, for `Description` and `Summary`.
    pub summary: Option<String>,
    /// The long description.
    pub description: Option<String>,
    /// SPDX expression; else the manifest's, else the project's.
    pub license: Option<String>,
    /// The licence's text, in the place of the licence file that is found, without its first lines.
    pub license_file: Option<(PathBuf, usize)>,
    /// Who holds the copyright, as one line of the copyright file.
    pub copyright: Option<String>,
    /// Debian section (default `misc`).
    pub section: Option<String>,
    /// Debian's priority (default `optional`).
    pub priority: Option<String>,
    /// Debian's `Multi-Arch`.
    pub multi_arch: Option<MultiArch>,
    /// Commands to link into `/usr/bin`; `None` takes the detected ones.
    pub commands: Option<Vec<String>>,
    /// Conffiles: paths in the service's directory; `etc/X` is installed at `/etc/<org>/X`, keeping what follows `etc/`.
    pub config: Vec<PathBuf>,
    /// Installed files that are conffiles beside those of which it is known.
    pub conffiles: Vec<InstallPath>,
    /// Relations to other packages beyond those that packhouse finds.
    pub relations: RelationSettings,
    /// Whether it depends on the packages of the shared libraries that it needs; `None` as [`Addition::Relations`] is.
    pub library_relations: Option<bool>,
    /// `[[services.NAME.files]]`: further files, directories and links.
    pub files: Vec<FileSettings>,
    /// Man pages and completions of its commands.
    pub pages: PageSettings,
    /// Conffiles of earlier versions, for builds that cannot read the last published package.
    pub removed_config: Vec<RemovedConfig>,
    /// Scripts beside those that packhouse makes.
    pub scripts: ScriptSettings,
    /// Debian's triggers (deb-triggers(5)).
    pub triggers: Option<TextSource>,
    /// The history, as a Debian changelog, in the place of git's.
    pub changelog_file: Option<PathBuf>,
    /// Further control fields of a .deb.
    pub extra_fields: Vec<(String, String)>,
    /// What packhouse adds.
    pub additions: Additions,
    /// `[services.NAME.check]`.
    pub check: CheckSettings,
    /// Version that stands in place of the manifest's or the tag's.
    pub version: Option<String>,
    /// Debian revision and RPM release number, before the distribution's suffix (default 1).
    pub revision: Option<u32>,
    /// The same when it is no number: RPM's `1.beta`; empty for a .deb without a revision.
    pub release_text: Option<String>,
    /// Whether the revision goes without the distribution's suffix.
    pub plain_revision: bool,
    /// Epoch of both formats (default 0).
    pub epoch: Option<u32>,
    /// `[services.NAME.systemd]`.
    pub systemd: Option<SystemdSettings>,
    /// `[services.NAME.python]`.
    pub python: PythonSettings,
    /// `[services.NAME.rust]`.
    pub rust: RustSettings,
    /// Files that were read to make this, relative to the service's directory; they may lie elsewhere in the repository.
    pub read: Vec<PathBuf>,
    /// Where the table stands; `None` for a service without one.
    pub origin: Option<Origin>,
}

layer!(ServiceSettings {
    path,
    kind,
    adopt,
    dialect,
    layout,
    package,
    maintainer,
    homepage,
    vendor,
    summary,
    description,
    license,
    license_file,
    copyright,
    section,
    priority,
    multi_arch,
    commands,
    config,
    conffiles,
    relations,
    library_relations,
    files,
    pages,
    removed_config,
    scripts,
    triggers,
    changelog_file,
    extra_fields,
    additions,
    check,
    version,
    revision,
    release_text,
    plain_revision,
    epoch,
    systemd,
    python,
    rust,
    read,
    origin,
});

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

layer!(PythonSettings { version, extras, build_requires, no_binary });

/// `[services.NAME.rust]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RustSettings {
    /// Cargo features to build with.
    pub features: Vec<String>,
    /// Build with all features.
    pub all_features: bool,
    /// Leave out the default features.
    pub no_default_features: bool,
    /// The cargo profile (default `release`).
    pub profile: Option<String>,
    /// Whether the debug symbols of its programs become a package of their own.
    pub debug_package: bool,
    /// Whether programs lose their symbols (default: yes).
    pub strip: Option<bool>,
    /// Take what is in the repository's own target directory, and do not call cargo.
    pub prebuilt: bool,
    /// Further arguments of `cargo build`.
    pub cargo_arguments: Vec<String>,
}

layer!(RustSettings {
    features,
    all_features,
    no_default_features,
    profile,
    debug_package,
    strip,
    prebuilt,
    cargo_arguments,
});

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
    /// What packhouse's own configuration says of one service; the defaults when it has no table. Good for what is the same
    /// in every format; a package is made from [`Settings::service_for`].
    pub fn service(&self, name: &PackageName) -> ServiceSettings {
        self.services.get(name.as_str()).cloned().unwrap_or_default()
    }

    /// The settings of one service for packages of `format`: what its manifest says for other packaging tools, and over that
    /// what packhouse's own configuration says.
    pub fn service_for(&self, name: &PackageName, format: Format) -> ServiceSettings {
        let own = self.service(name);
        let adopted = self.adopted.get(name.as_str()).and_then(|adopted| adopted.of(format));
        match adopted.filter(|_| own.adopt != Some(false)) {
            Some(below) => own.over_adopted(below.clone()),
            None => own,
        }
    }

    /// Who answers for the packages of a service.
    pub fn maintainer<'a>(&'a self, service: &'a ServiceSettings) -> &'a Maintainer {
        service.maintainer.as_ref().unwrap_or(&self.project.maintainer)
    }

    /// The page of a service's packages.
    pub fn homepage<'a>(&'a self, service: &'a ServiceSettings) -> Option<&'a str> {
        service.homepage.as_deref().or(self.project.homepage.as_deref())
    }
}

impl ServiceSettings {
    /// These settings over what another tool's table says. A file in the place of one of the table's replaces it.
    fn over_adopted(mut self, mut below: Self) -> Self {
        let is_own = |entry: &FileSettings| self.files.iter().any(|own| (&own.path, own.into) == (&entry.path, false));
        below.files.retain(|entry| entry.into || !is_own(entry));
        let systemd = match (self.systemd.take(), below.systemd.take()) {
            (Some(own), Some(below)) => Some(own.over(below)),
            (own, below) => own.or(below),
        };
        Self { systemd, ..self.over(below) }
    }

    /// The name of the package that `member` becomes.
    pub fn package_name<'a>(&'a self, member: &'a Member) -> &'a PackageName {
        self.package.as_ref().unwrap_or(&member.name)
    }

    /// Whether packhouse adds it.
    pub fn adds(&self, addition: Addition) -> bool {
        self.additions.has(addition)
    }

    /// Whether its files go where they say and nowhere else.
    pub fn is_flat(&self) -> bool {
        self.layout.unwrap_or_default() == Layout::Flat
    }

    /// Whether it depends on the packages of the shared libraries that it needs.
    pub fn relates_to_libraries(&self) -> bool {
        self.library_relations.unwrap_or_else(|| self.adds(Addition::Relations))
    }
}
