//! The crates of a package whose build back end runs cargo: maturin, setuptools-rust.
//!
//! `Cargo.lock` names them, `vendor/crates` holds them. It is the package's own: without one, what is compiled into it
//! would be whatever is the newest that day.

use std::path::{Path, PathBuf};

use super::project::Project;
use super::pyproject::requirement_name;
use crate::diagnostic::{Code, Diagnose, codes};
use crate::ecosystem::rust::embedded::Crates;
use crate::ecosystem::{Context, Error};

/// Build requirements that bring cargo into a build.
const BACK_ENDS: [&str; 2] = ["maturin", "setuptools-rust"];
/// Below the vendor directory.
pub(super) const DIRECTORY: &str = "crates";

/// A package that cargo is to build, without its lock.
#[derive(Debug, thiserror::Error)]
#[error("{package} is built by cargo ({back_end}), and no Cargo.lock in it says which crates go into it")]
struct NoLock {
    package: String,
    back_end: String,
    manifest: PathBuf,
}

impl Diagnose for NoLock {
    fn code(&self) -> &'static Code {
        &codes::LOCK_MISSING
    }

    fn hints(&self) -> Vec<String> {
        vec![format!("run: cargo generate-lockfile --manifest-path {}", self.manifest.display())]
    }
}

/// The crates of `project`; `None` when cargo has no part in it.
pub(super) fn of(context: Context<'_>, project: &Project) -> Result<Option<Crates>, Error> {
    let names = project.build_system.requires.iter().map(|text| requirement_name(text));
    let Some(back_end) = names.into_iter().find(|name| BACK_ENDS.contains(&name.as_str())) else { return Ok(None) };
    let root = context.workspace.root.as_path();
    let vendor = project.directory.join(&context.settings.project.vendor).join(DIRECTORY);
    let manifest = manifest(&project.directory)?;
    // Beside the manifest, or above it in the package: a workspace has one for its members.
    let beside = manifest.parent().unwrap_or(&project.directory);
    for directory in beside.ancestors().take_while(|above| above.starts_with(&project.directory)) {
        let Ok(relative) = directory.strip_prefix(root) else { continue };
        let crates = Crates::of(root, relative, vendor.clone(), &project.name);
        if let Some(crates) = crates.map_err(|error| Box::new(error) as Error)? {
            return Ok(Some(crates));
        }
    }
    let manifest = manifest.strip_prefix(root).unwrap_or(&manifest).to_path_buf();
    Err(Box::new(NoLock { package: project.name.clone(), back_end, manifest }))
}

/// The Cargo.toml that the back end is told of: maturin's `manifest-path`, the first of setuptools-rust's modules.
fn manifest(directory: &Path) -> Result<PathBuf, Error> {
    let text = match fs_err::read_to_string(directory.join("pyproject.toml")) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(super::stage::boxed(super::stage::StageError::Io(error))),
    };
    let document: toml::Table = text.parse().unwrap_or_default();
    let tool = document.get("tool");
    let of_maturin = tool.and_then(|tool| tool.get("maturin")?.get("manifest-path")?.as_str());
    let of_setuptools = || {
        let table = tool?.get("setuptools-rust")?;
        let modules = ["ext-modules", "bins"].into_iter().find_map(|key| table.get(key)?.as_array()?.first());
        modules?.get("path")?.as_str()
    };
    let named = of_maturin.or_else(of_setuptools).unwrap_or("Cargo.toml");
    Ok(super::requirements::requirement::join_normalised(directory, Path::new(named)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_is_the_one_that_the_back_end_is_told_of() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path();
        let of = |text: &str| {
            fs_err::write(place.join("pyproject.toml"), text).unwrap();
            manifest(place).unwrap().strip_prefix(place).unwrap().display().to_string()
        };
        assert_eq!(of(""), "Cargo.toml");
        assert_eq!(of("[tool.maturin]\nmanifest-path = \"./rust/Cargo.toml\"\n"), "rust/Cargo.toml");
        assert_eq!(of("[[tool.setuptools-rust.ext-modules]]\npath = \"native/Cargo.toml\"\n"), "native/Cargo.toml");
        assert_eq!(of("no TOML"), "Cargo.toml");
    }
}
