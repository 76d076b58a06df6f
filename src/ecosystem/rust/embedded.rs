//! The crates of a package of another language with parts in Rust: a Python package that maturin or setuptools-rust
//! builds.
//!
//! Its `Cargo.lock` is the lock of them. They are vendored beside what else the package needs, and its build step gets
//! them, the toolchain and a cargo that knows no other source.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::components;
use super::error::RustError;
use super::linkers;
use super::lockfile::Lock;
use super::project::Project;
use super::stage::replaced;
use super::toolchain::Toolchain;
use super::vendor::Shelf;
use crate::digest::Sha256;
use crate::ecosystem::{Context, Outcome};
use crate::package::Component;
use crate::sandbox::Bind;
use crate::tree::InstallPath;
use crate::workspace::Workspace;

/// Where a build step sees the crates and the toolchain.
const CRATES: &str = "/packhouse/crates";
const TOOLCHAIN: &str = "/packhouse/rust";

/// The crates of one package.
#[derive(Debug)]
pub(in crate::ecosystem) struct Crates {
    project: Project,
    lock: Lock,
    vendor: PathBuf,
    package: String,
    toolchain: Toolchain,
}

impl Crates {
    /// Those that `Cargo.lock` in `directory` (relative to `root`) names for `package`, vendored in `vendor` (absolute);
    /// `None` without that lock.
    pub(in crate::ecosystem) fn of(
        root: &Path,
        directory: &Path,
        vendor: PathBuf,
        package: &str,
    ) -> Result<Option<Self>, RustError> {
        let project = Project { repository: root.to_path_buf(), directory: directory.to_path_buf() };
        let Some(lock) = Lock::read(&project)? else { return Ok(None) };
        let toolchain = Toolchain::of(&project)?;
        Ok(Some(Self { project, lock, vendor, package: package.to_owned(), toolchain }))
    }

    fn shelf(&self) -> Shelf<'_> {
        Shelf { project: &self.project, lock: &self.lock, directory: &self.vendor, service: &self.package }
    }

    /// Vendors them. Uses the network.
    pub(in crate::ecosystem) fn fill(&self, context: Context<'_>) -> Result<Outcome, RustError> {
        self.shelf().fill(context)
    }

    /// That they are vendored.
    pub(in crate::ecosystem) fn require(&self, context: Context<'_>) -> Result<(), RustError> {
        self.shelf().require(context)
    }

    /// What a build depends on beside the sources: crates, toolchain, linkers.
    pub(in crate::ecosystem) fn key(&self) -> std::io::Result<String> {
        let mut text = format!(
            "{} {} {} {}",
            self.lock.digest, self.toolchain.release, self.toolchain.commit, self.toolchain.host
        );
        for program in linkers::programs(&self.project) {
            let (sha256, _) = Sha256::of_reader(&mut fs_err::File::open(&program)?)?;
            text.push_str(&format!(" {sha256}"));
        }
        Ok(text)
    }

    /// The crates that cargo has built somewhere below `directory`, by what it leaves of each (`.fingerprint/NAME-HASH`):
    /// also those that only built others, of all versions that the lock has of one name.
    pub(in crate::ecosystem) fn built(&self, directory: &Path) -> BTreeSet<(String, String)> {
        let names = marked(directory);
        let external = self.lock.packages.iter().filter(|package| package.source.is_some());
        external
            .filter(|package| names.contains(&package.name))
            .map(|package| (package.name.clone(), package.version.clone()))
            .collect()
    }

    /// What is known of the crates `built`, which were compiled into `files`.
    pub(in crate::ecosystem) fn components(
        &self,
        workspace: &Workspace,
        built: &BTreeSet<(String, String)>,
        files: &[InstallPath],
    ) -> Result<Vec<Component>, RustError> {
        let own = self.lock.packages.iter().find(|package| package.source.is_none());
        let own = own.map(|package| package.name.as_str()).unwrap_or_default();
        let compiled = components::Compiled { workspace, own, lock: &self.lock, vendor: &self.vendor, crates: built };
        let mut components = components::components(&compiled)?;
        components::compiled_into(&mut components, files);
        Ok(components)
    }

    /// What the build step must see.
    pub(in crate::ecosystem) fn binds(&self) -> Vec<Bind> {
        let mut binds = Vec::new();
        if !self.lock.external().is_empty() {
            binds.push(Bind::read_only(&self.vendor, CRATES));
        }
        if !self.toolchain.sysroot.starts_with("/usr") {
            binds.push(Bind::read_only(&self.toolchain.sysroot, TOOLCHAIN));
        }
        binds
    }

    /// The directory with cargo and rustc, as `inside` shows it to the step.
    pub(in crate::ecosystem) fn programs(&self, inside: &dyn Fn(&Path) -> PathBuf) -> PathBuf {
        self.toolchain.cargo.parent().map(inside).unwrap_or_default()
    }

    /// Variables of the step; `home` is a directory of its own, as it sees it.
    pub(in crate::ecosystem) fn environment(
        &self,
        inside: &dyn Fn(&Path) -> PathBuf,
        home: &Path,
    ) -> Vec<(String, OsString)> {
        let variables: [(&str, OsString); 5] = [
            ("CARGO_HOME", home.into()),
            ("RUSTC", inside(&self.toolchain.rustc).into_os_string()),
            ("CARGO_INCREMENTAL", "0".into()),
            ("CARGO_TERM_PROGRESS_WHEN", "never".into()),
            ("CARGO_PROFILE_RELEASE_STRIP", "symbols".into()),
        ];
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// `config.toml` of the step's cargo: sources replaced by the vendored crates, paths mapped. `source` is where the step
    /// sees the package, `home` its cargo home.
    pub(in crate::ecosystem) fn configuration(
        &self,
        inside: &dyn Fn(&Path) -> PathBuf,
        source: &Path,
        home: &Path,
    ) -> String {
        const VENDORED: &str = "packhouse-vendored";
        let text = |path: &Path| path.display().to_string();
        let mut sources = Table::new();
        let directory = Table::from_iter([("directory".to_owned(), Value::String(text(&inside(&self.vendor))))]);
        sources.insert(VENDORED.to_owned(), Value::Table(directory));
        for source in self.lock.packages.iter().filter_map(|package| package.source.as_deref()) {
            let (key, value) = replaced(source, VENDORED);
            sources.insert(key, Value::Table(value));
        }
        let library = self.toolchain.sysroot.join("lib/rustlib/src/rust");
        let flags = [
            (text(source), "/usr/src/packhouse".to_owned()),
            (text(home), "/usr/src/packhouse/cargo".to_owned()),
            (text(&inside(&self.vendor)), "/usr/src/packhouse/vendor".to_owned()),
            (text(&inside(&library)), format!("/rustc/{}", self.toolchain.commit)),
        ];
        let flags = flags.map(|(from, to)| Value::String(format!("--remap-path-prefix={from}={to}")));
        let build = Table::from_iter([("rustflags".to_owned(), Value::Array(flags.to_vec()))]);
        let net = Table::from_iter([("offline".to_owned(), Value::Boolean(true))]);
        let document = [("source", sources), ("build", build), ("net", net)];
        Table::from_iter(document.map(|(key, table)| (key.to_owned(), Value::Table(table)))).to_string()
    }
}

/// The names of crates that cargo has left a mark of.
fn marked(directory: &Path) -> BTreeSet<String> {
    let walk = walkdir::WalkDir::new(directory).max_depth(8).into_iter().filter_map(Result::ok);
    let marks = walk.filter(|entry| entry.path().parent().is_some_and(|parent| parent.ends_with(".fingerprint")));
    marks.filter_map(|entry| Some(entry.file_name().to_str()?.rsplit_once('-')?.0.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crates_that_cargo_built_are_known_by_what_it_leaves() {
        let directory = tempfile::tempdir().expect("a directory");
        for path in ["target/release/.fingerprint/pyo3-ffi-0123456789abcdef", "target/release/deps/serde-00", "src/a-b"]
        {
            fs_err::create_dir_all(directory.path().join(path)).expect("made");
        }
        assert_eq!(marked(directory.path()), BTreeSet::from(["pyo3-ffi".to_owned()]));
    }
}
