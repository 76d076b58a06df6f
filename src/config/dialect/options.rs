//! What the command line says about other tools' tables: which variant, and what stands in the place of what they say.

use std::path::PathBuf;
use std::sync::Arc;

use crate::config::{Maintainer, MultiArch};
use crate::target::Format;

/// How foreign tables are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Add nothing that the tool whose table it is would not make, so that the two packages can be compared.
    pub strict_compat: bool,
    /// The formats that are built, when that is known: a table that serves none of them is not read.
    pub formats: Option<Vec<Format>>,
    /// The services, by their names or cargo's, that overlays and overrides are for; empty for all of them.
    pub services: Vec<String>,
    /// What is laid over a table before it is read, in the order of the command line.
    pub overlays: Vec<Overlay>,
    /// What stands in the place of what a table says.
    pub overrides: Overrides,
}

/// Something laid over a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Overlay {
    /// One of the table's own variants (`--variant`).
    Variant(String),
    /// A TOML file (`--metadata-overwrite FILE[#TABLE]`); read by the front, so that what is compared holds what it says.
    File {
        /// The file, as it was named.
        path: PathBuf,
        /// All of it.
        text: Arc<str>,
        /// The table of it that is meant, dotted.
        table: Option<String>,
    },
    /// TOML itself (`--set-metadata`).
    Text(String),
}

/// Values from the command line, which win over the table's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The whole version of a .deb, revision included (`--deb-version`).
    pub version: Option<String>,
    /// The revision; empty or `0` for none (`--deb-revision`).
    pub revision: Option<String>,
    /// `--maintainer`, which wins over the table's; it has been checked.
    pub maintainer: Option<Maintainer>,
    /// `--section`.
    pub section: Option<String>,
    /// `--multiarch`.
    pub multi_arch: Option<MultiArch>,
    /// `--features`, beside the table's.
    pub features: Vec<String>,
    /// `--all-features`.
    pub all_features: bool,
    /// `--no-default-features`.
    pub no_default_features: bool,
    /// `--profile`.
    pub profile: Option<String>,
    /// Settings of that profile (`--override-debug`, `--override-lto`).
    pub profile_settings: Vec<(String, String)>,
    /// `--no-build`: the programs are in the target directory already.
    pub no_build: bool,
    /// `--strip` and `--no-strip`.
    pub strip: Option<bool>,
    /// `--dbgsym` and `--no-dbgsym`.
    pub debug_package: Option<bool>,
    /// `--auto-req`: whether an RPM requires the libraries that it needs.
    pub auto_req: Option<bool>,
    /// What stands after `--`, for `cargo build`.
    pub cargo_arguments: Vec<String>,
}

impl Options {
    /// What counts for one service, which cargo knows by `crate_name`.
    pub(super) fn of(&self, service: &str, crate_name: &str) -> Self {
        if self.services.is_empty() || self.services.iter().any(|name| name == service || name == crate_name) {
            return self.clone();
        }
        Self { strict_compat: self.strict_compat, formats: self.formats.clone(), ..Self::default() }
    }

    /// The variants that were asked for, in their order.
    pub fn variants(&self) -> impl Iterator<Item = &str> {
        self.overlays.iter().filter_map(|overlay| match overlay {
            Overlay::Variant(name) => Some(name.as_str()),
            _ => None,
        })
    }
}
