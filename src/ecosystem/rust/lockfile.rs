//! `Cargo.lock` as data (the Cargo book, "Cargo.toml vs Cargo.lock"; cargo's `src/resolver/encode.rs`), and whether it
//! still fits the manifests, found without running cargo.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use toml::{Table, Value};

use super::error::RustError;
use super::project::{ManifestText, Project};
use crate::digest::Sha256;
use crate::workspace::Member;

/// The whole lock.
#[derive(Debug, Clone)]
pub(super) struct Lock {
    pub(super) packages: Vec<LockedPackage>,
    /// Of the file's bytes.
    pub(super) digest: Sha256,
}

#[derive(Debug, Clone, Deserialize)]
struct LockText {
    #[serde(default)]
    package: Vec<LockedPackage>,
}

/// One package of a lock.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct LockedPackage {
    pub(super) name: String,
    pub(super) version: String,
    /// `registry+URL`, `sparse+URL`, `git+URL#revision`; none for directories.
    pub(super) source: Option<String>,
    pub(super) checksum: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

impl LockedPackage {
    /// The directory that `cargo vendor --versioned-dirs` gives it.
    pub(super) fn directory(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    /// Its entries of dependencies, for [`Lock::resolve`].
    pub(super) fn needs(&self) -> impl Iterator<Item = &str> {
        self.dependencies.iter().map(String::as_str)
    }

    pub(super) fn is_git(&self) -> bool {
        self.source.as_deref().is_some_and(|source| source.starts_with("git+"))
    }
}

impl Lock {
    /// Reads the lock of `project`; `None` when there is none.
    pub(super) fn read(project: &Project) -> Result<Option<Self>, RustError> {
        let path = project.lock();
        let text = match fs_err::read_to_string(project.repository.join(&path)) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        Self::parse(&path, &text).map(Some)
    }

    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, RustError> {
        let lock: LockText = toml::from_str(text).map_err(|error| {
            let location = crate::diagnostic::Location::new(path, text, error.span().unwrap_or(0..0));
            RustError::Toml { message: error.message().to_owned(), location: Box::new(location) }
        })?;
        for package in &lock.package {
            let plain = |text: &str, more: &[u8]| {
                !text.is_empty()
                    && !text.starts_with('.')
                    && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
            };
            if !plain(&package.name, b"-_") || !plain(&package.version, b"-.+") {
                let at = text.find(&format!("\"{}\"", package.name)).unwrap_or(0);
                let location = crate::diagnostic::Location::new(path, text, at..at + package.name.len() + 2);
                let message = format!("`{} {}` is no name and version of a crate", package.name, package.version);
                return Err(RustError::Toml { message, location: Box::new(location) });
            }
        }
        Ok(Self { packages: lock.package, digest: Sha256::of(text.as_bytes()) })
    }

    /// What is to be vendored, by the directory's name.
    pub(super) fn external(&self) -> BTreeMap<String, &LockedPackage> {
        let external = self.packages.iter().filter(|package| package.source.is_some());
        external.map(|package| (package.directory(), package)).collect()
    }

    pub(super) fn package(&self, name: &str, version: &str) -> Option<&LockedPackage> {
        self.packages.iter().find(|package| package.name == name && package.version == version)
    }

    /// The packages that the entry `text` of a dependency list may mean: `name`, `name version`, `name version (source)`.
    pub(super) fn resolve<'a>(&'a self, text: &str) -> impl Iterator<Item = &'a LockedPackage> + use<'a> {
        let mut parts = text.split(' ').map(str::to_owned);
        let (name, version) = (parts.next().unwrap_or_default(), parts.next());
        self.packages.iter().filter(move |package| {
            package.name == name && version.as_ref().is_none_or(|version| package.version == *version)
        })
    }

    /// The first thing in the manifests of `members` that this lock does not fit, if there is one.
    pub(super) fn misfit(
        &self,
        project: &Project,
        members: &[&Member],
        locked: bool,
    ) -> Result<Option<RustError>, RustError> {
        let root = ManifestText::read(&project.repository, &project.directory.join("Cargo.toml"))?;
        for member in members {
            let manifest = ManifestText::read(&project.repository, &member.path.join("Cargo.toml"))?;
            if let Some((why, word)) = self.misfit_of(&root.table, &manifest.table) {
                return Ok(Some(RustError::StaleLock {
                    why: format!("{why} ({})", manifest.path.display()),
                    location: Box::new(manifest.location(&word)),
                    service: member.name.to_string(),
                    locked,
                }));
            }
        }
        Ok(None)
    }

    /// What does not fit and the word that stands at its place.
    fn misfit_of(&self, root: &Table, manifest: &Table) -> Option<(String, String)> {
        let package = manifest.get("package")?;
        let name = package.get("name")?.as_str()?;
        let inherited = || root.get("workspace")?.get("package")?.get("version")?.as_str();
        let version = match package.get("version") {
            Some(Value::String(version)) => version.as_str(),
            Some(_) => inherited().unwrap_or("0.0.0"),
            None => "0.0.0",
        };
        let Some(locked) = self.packages.iter().find(|package| package.name == name && package.source.is_none()) else {
            return Some((format!("it does not name {name}"), "name".to_owned()));
        };
        if locked.version != version {
            let why = format!("it names {name} {}, the manifest {version}", locked.version);
            return Some((why, "version".to_owned()));
        }
        let mut wanted = Vec::new();
        dependencies(manifest, &mut wanted);
        for table in manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values) {
            table.as_table().into_iter().for_each(|table| dependencies(table, &mut wanted));
        }
        let mut names = Vec::new();
        for (key, value) in wanted {
            let inherits = value.get("workspace").and_then(Value::as_bool) == Some(true);
            let shared = || root.get("workspace")?.get("dependencies")?.get(key);
            let value = if inherits { shared()? } else { value };
            let name = value.get("package").and_then(Value::as_str).unwrap_or(key);
            names.push(name);
            let requirement = value.as_str().or_else(|| value.get("version")?.as_str());
            let requirement = requirement.and_then(|text| semver::VersionReq::parse(text).ok());
            let git = value.get("git").and_then(Value::as_str);
            let entries = locked.dependencies.iter().filter(|entry| entry.split(' ').next() == Some(name));
            let fits = entries.flat_map(|entry| self.resolve(entry)).any(|package| {
                let version = semver::Version::parse(&package.version).ok();
                let source = package.source.as_deref();
                let kind = match (git, value.get("path")) {
                    (Some(git), _) => {
                        source
                            .and_then(|source| source.strip_prefix("git+"))
                            .is_some_and(|source| source.split(['?', '#']).next() == Some(git))
                            || source.is_none()
                    }
                    // `[patch]` may put a directory or a repository in place of a registry's crate.
                    _ => true,
                };
                kind && requirement
                    .as_ref()
                    .is_none_or(|wanted| version.is_some_and(|version| wanted.matches(&version)))
            });
            if !fits {
                let what = requirement.map(|requirement| format!("{name} {requirement}"));
                return Some((
                    format!("it has no {} for {}", what.unwrap_or(name.to_owned()), locked.name),
                    key.to_owned(),
                ));
            }
        }
        let surplus =
            locked.dependencies.iter().find(|entry| !names.contains(&entry.split(' ').next().unwrap_or_default()));
        surplus.map(|entry| {
            (format!("it gives {} the dependency {entry}, which is gone", locked.name), "dependencies".to_owned())
        })
    }
}

fn dependencies<'a>(table: &'a Table, found: &mut Vec<(&'a str, &'a Value)>) {
    for key in ["dependencies", "dev-dependencies", "build-dependencies", "dev_dependencies", "build_dependencies"] {
        let entries = table.get(key).and_then(Value::as_table).into_iter().flatten();
        found.extend(entries.map(|(name, value)| (name.as_str(), value)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
version = 4

[[package]]
name = "app"
version = "0.1.0"
dependencies = ["itoa 1.0.18", "lib", "rand"]

[[package]]
name = "itoa"
version = "0.4.8"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "00"

[[package]]
name = "itoa"
version = "1.0.18"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "01"

[[package]]
name = "lib"
version = "0.1.0"

[[package]]
name = "rand"
version = "0.9.0"
source = "git+https://example.org/rand?tag=v1#0123456789012345678901234567890123456789"
"#;

    fn misfit(manifest: &str) -> Option<String> {
        let lock = Lock::parse(Path::new("Cargo.lock"), LOCK).expect("a lock");
        let root: Table =
            "[workspace.dependencies]\nitoa = \"1\"\n[workspace.package]\nversion = \"0.1.0\"".parse().expect("toml");
        lock.misfit_of(&root, &manifest.parse().expect("toml")).map(|(why, _)| why)
    }

    #[test]
    fn a_lock_that_fits_and_each_way_not_to() {
        let manifest = |version: &str, dependencies: &str| {
            format!("[package]\nname = \"app\"\nversion{version}\n[dependencies]\n{dependencies}")
        };
        let good = "lib.path = \"../lib\"\nrandom = { git = \"https://example.org/rand\", tag = \"v1\", package = \"rand\" }\n";
        assert_eq!(misfit(&manifest(" = \"0.1.0\"", &format!("itoa = \"1.0.5\"\n{good}"))), None);
        assert_eq!(misfit(&manifest(".workspace = true", &format!("itoa.workspace = true\n{good}"))), None);
        assert_eq!(
            misfit(&manifest(" = \"0.1.0\"", &format!("{good}[target.'cfg(unix)'.dev-dependencies]\nitoa = \"1\""))),
            None
        );
        for (text, why) in [
            (manifest(" = \"0.2.0\"", good), "0.1.0, the manifest 0.2.0"),
            (manifest(" = \"0.1.0\"", &format!("itoa = \"2\"\n{good}")), "no itoa ^2"),
            (manifest(" = \"0.1.0\"", &format!("itoa = \"0.4\"\n{good}")), "no itoa ^0.4"),
            (manifest(" = \"0.1.0\"", &format!("itoa = \"1\"\nserde = \"1\"\n{good}")), "no serde"),
            (manifest(" = \"0.1.0\"", good), "the dependency itoa 1.0.18, which is gone"),
            (manifest(" = \"0.1.0\"", &format!("itoa = \"1\"\n{}", good.replace("org", "com"))), "no rand"),
            ("[package]\nname = \"new\"".to_owned(), "does not name new"),
        ] {
            let found = misfit(&text).unwrap_or_else(|| panic!("fits:\n{text}"));
            assert!(found.contains(why), "{found}\n{text}");
        }
    }

    #[test]
    fn a_lock_with_names_that_leave_the_vendor_directory_is_refused() {
        for (name, version) in [("../evil", "1.0.0"), ("evil", "../1"), ("", "1"), ("a/b", "1")] {
            let text = format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n");
            assert!(matches!(Lock::parse(Path::new("Cargo.lock"), &text), Err(RustError::Toml { .. })), "{text}");
        }
    }
}
