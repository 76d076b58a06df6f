//! The format-neutral package: identity, relations, scripts, changelog, tree. What a careful maintainer decides, before
//! it is spelt in Debian's or RPM's way by [`crate::format`].

mod assemble;
mod built;
mod bundled;
pub mod changelog;
mod component;
mod debug;
mod directories;
mod documents;
mod error;
mod files;
mod former;
mod libraries;
pub mod licenses;
pub mod pages;
pub mod previous;
mod relations;
mod sbom;
mod script;
mod scripts;
mod shared;
mod sources;
mod systemd;
pub(crate) mod template;
mod texts;
pub mod version;

pub(crate) use assemble::LICENSE_FILES;
pub(crate) use assemble::assemble_asking;
pub use assemble::{Inputs, Learned, assemble, assemble_with};
pub use built::{BuiltFile, wanted};
pub(crate) use built::{commands as built_commands, place_of as built_place};
pub(crate) use component::is_license_file;
pub use component::{Component, LicenseFile, SourceArtefact};
pub use debug::debug_symbols;
pub use error::Error;
pub use libraries::library_relations;
pub(crate) use sbom::percent as package_url_part;
pub use script::{Script, Scripts};
pub use shared::check_shared_paths;
pub(crate) use systemd::{unit_directives, unit_sections};

use serde::Serialize;

pub use crate::config::Stage;
use crate::config::{Maintainer, MultiArch};
use crate::name::PackageName;
use crate::target::{Architecture, Target};
use crate::tree::{Content, InstallPath, Tree};

/// A package for one target, ready to be written.
#[derive(Debug, Clone)]
pub struct Package {
    /// Its name.
    pub name: PackageName,
    /// The service's source name: `Source` of Debian, the name of the source RPM.
    pub source: PackageName,
    /// Its version.
    pub version: Version,
    /// What it is built for.
    pub target: Target,
    /// `None` when it holds nothing of one architecture: `all`, `noarch`.
    pub architecture: Option<Architecture>,
    /// One line, no full stop, at most 80 characters.
    pub summary: String,
    /// Paragraphs separated by empty lines; plain text.
    pub description: String,
    /// Who answers for it.
    pub maintainer: Maintainer,
    /// The organisation: RPM's `Vendor`.
    pub vendor: String,
    /// Its page.
    pub homepage: Option<String>,
    /// SPDX expression of everything in it.
    pub license: String,
    /// Debian's section.
    pub section: String,
    /// Relations to other packages, in the target's own names and syntax.
    pub relations: Relations,
    /// Maintainer scripts or scriptlets.
    pub scripts: Scripts,
    /// What only a .deb has.
    pub debian: DebianOnly,
    /// Newest release first.
    pub changelog: Changelog,
    /// Seconds since 1970-01-01 UTC; the time of every file and of the build (SOURCE_DATE_EPOCH).
    pub time: i64,
    /// The files.
    pub tree: Tree,
    /// Directories of `tree` that belong to this package (RPM lists them; the distribution's own are never among them).
    pub owned_directories: Vec<InstallPath>,
    /// The build ids of the programs whose debug symbols it holds; not empty for a package of debug symbols alone.
    pub build_ids: Vec<String>,
    /// What the user should know of how it was put together.
    pub notes: Vec<String>,
}

/// A version in both formats' spelling; `package::version` maps SemVer and PEP 440 to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Version {
    /// Epoch; 0 is not written.
    pub epoch: u32,
    /// Debian's upstream version (Policy 5.6.12): `1.2.0~rc.1`.
    pub debian: String,
    /// RPM's Version tag (rpm-version(7)): `1.2.0~rc.1`.
    pub rpm: String,
    /// Debian's revision, RPM's release, with the distribution's suffix: `1~deb12u1`, `1.el9`. Empty for a .deb without.
    pub revision: String,
}

impl Version {
    /// `[epoch:]upstream[-revision]` as dpkg reads it.
    pub fn debian(&self) -> String {
        let epoch = if self.epoch == 0 { String::new() } else { format!("{}:", self.epoch) };
        format!("{epoch}{}", self.debian_without_epoch())
    }

    /// The same without the epoch, as it stands in the names of files.
    pub fn debian_without_epoch(&self) -> String {
        let revision = if self.revision.is_empty() { String::new() } else { format!("-{}", self.revision) };
        format!("{}{revision}", self.debian)
    }

    /// `[epoch:]version-release` as rpm reads it.
    pub fn rpm(&self) -> String {
        let epoch = if self.epoch == 0 { String::new() } else { format!("{}:", self.epoch) };
        format!("{epoch}{}-{}", self.rpm, self.revision)
    }
}

/// Relations, each a list of expressions in the target format's own syntax, already checked
/// (`python3.11 (>= 3.11.2)`, `libc.so.6(GLIBC_2.34)(64bit)`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Relations {
    /// `Depends`, `Requires`.
    pub depends: Vec<String>,
    /// `Pre-Depends`, `Requires(pre)`.
    pub pre_depends: Vec<String>,
    /// `Recommends`.
    pub recommends: Vec<String>,
    /// `Suggests`.
    pub suggests: Vec<String>,
    /// `Enhances`.
    pub enhances: Vec<String>,
    /// RPM's `Supplements`; Debian has none.
    pub supplements: Vec<String>,
    /// `Conflicts`.
    pub conflicts: Vec<String>,
    /// `Breaks`; RPM has none.
    pub breaks: Vec<String>,
    /// `Replaces`, `Obsoletes`.
    pub replaces: Vec<String>,
    /// `Provides` beside the package's own name.
    pub provides: Vec<String>,
    /// `Built-Using` (Policy 7.8); RPM has none.
    pub built_using: Vec<String>,
    /// `Static-Built-Using` (deb-control(5)); RPM has none.
    pub static_built_using: Vec<String>,
    /// What a scriptlet runs: `Requires(post)` and the like. Debian has none of these.
    pub scriptlets: Vec<(Stage, String)>,
}

/// What only a .deb has beside files and relations (deb(5)).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DebianOnly {
    /// `Priority` (default `optional`).
    pub priority: Option<String>,
    /// `Multi-Arch`.
    pub multi_arch: Option<MultiArch>,
    /// Further fields of `control`: names and values.
    pub fields: Vec<(String, String)>,
    /// The member `triggers` (deb-triggers(5)).
    pub triggers: Option<String>,
    /// debconf's script `config`.
    pub config: Option<String>,
    /// debconf's `templates`.
    pub templates: Option<String>,
    /// Whether it goes without the list of digests.
    pub without_md5sums: bool,
}

/// The history that ships in the package.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Changelog {
    /// Newest first; never empty in a package that is written.
    pub releases: Vec<Release>,
}

/// One version's changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Release {
    /// The version as the source spells it; both formats map it.
    pub version: Version,
    /// Seconds since 1970-01-01 UTC.
    pub time: i64,
    /// Who released it.
    pub author: Maintainer,
    /// One line per change, without bullet; valid UTF-8, no control characters, never empty lines.
    pub changes: Vec<String>,
}

/// What an ecosystem's stage step gives for one service and target: the private tree and what must be known about it.
#[derive(Debug, Clone, Default)]
pub struct Staged {
    /// Files under `/usr/lib/<org>/<service>` only; of a service without a tree of its own, its commands.
    pub tree: Tree,
    /// What was made for entries of `files`, by the paths that these know it by (`target/<profile>/` left out).
    pub built: std::collections::BTreeMap<std::path::PathBuf, BuiltFile>,
    /// Commands to link into `/usr/bin`: name and the file in `tree` that it leads to.
    pub commands: Vec<(String, InstallPath)>,
    /// The interpreter that the tree needs, exactly.
    pub python: Option<crate::target::PythonVersion>,
    /// Directory whose byte-code must be compiled on installation, because no interpreter of that minor was here.
    pub compile_on_install: Option<InstallPath>,
    /// What is inside.
    pub components: Vec<Component>,
    /// Source packages of the target's distribution that were linked into its programs, as `Static-Built-Using` names
    /// them: `rustc (= 1.63.0+dfsg1-2)`.
    pub linked: Vec<String>,
    /// The debug symbols of its programs, when they are to be a package of their own.
    pub debug: Vec<DebugFile>,
    /// How build steps were isolated (`user, mount and network namespaces`); empty when none ran.
    pub isolation: Vec<String>,
}

/// The debug symbols of one program.
#[derive(Debug, Clone)]
pub struct DebugFile {
    /// The program's build id, in hexadecimal digits.
    pub build_id: String,
    /// Where the program is installed.
    pub program: InstallPath,
    /// The file of debug symbols.
    pub content: Content,
}
