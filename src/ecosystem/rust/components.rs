//! What is compiled into a service's programs: the crates that cargo built for the target, with their manifests and licence
//! files from the vendor directory (the Cargo book, "The `package` section") and their place in the lock.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use toml::{Table, Value};

use super::error::RustError;
use super::lockfile::{Lock, LockedPackage};
use super::project::ManifestText;
use crate::package::{Component, LicenseFile, SourceArtefact, is_license_file, package_url_part};
use crate::tree::{Content, InstallPath};
use crate::workspace::{EcosystemKind, Workspace};

/// At most so many licence files of one crate are looked at.
const MOST_FILES: usize = 50;

/// What the components are taken from.
pub(super) struct Compiled<'a> {
    pub(super) workspace: &'a Workspace,
    /// The name of the crate that is built.
    pub(super) own: &'a str,
    pub(super) lock: &'a Lock,
    pub(super) vendor: &'a Path,
    /// Name and version of every crate that went into the programs.
    pub(super) crates: &'a BTreeSet<(String, String)>,
}

/// All crates but the service itself, in the order of their package URLs. What they are compiled into is not known here.
pub(super) fn components(compiled: &Compiled<'_>) -> Result<Vec<Component>, RustError> {
    let Compiled { workspace, own: own_name, lock, vendor, crates } = compiled;
    let mut components = Vec::new();
    let own = lock.packages.iter().find(|one| one.source.is_none() && one.name == *own_name);
    let direct: BTreeSet<String> = own.map(|own| needed(own, compiled).collect()).unwrap_or_default();
    for (name, version) in crates.iter() {
        let locked = lock.package(name, version);
        let mut component = Component {
            purl: package_url(name, version),
            name: name.clone(),
            version: version.clone(),
            dependencies: locked.map(|locked| needed(locked, compiled).collect()).unwrap_or_default(),
            ..Component::default()
        };
        component.direct = direct.contains(&component.purl);
        match locked.filter(|package| package.source.is_some()) {
            Some(package) => of_manifest(&mut component, package, vendor)?,
            None if name == own_name => continue,
            None => {
                let mut members = workspace.members.iter().filter(|one| one.ecosystem == EcosystemKind::Rust);
                component.license = members.find(|one| one.ecosystem_name == *name).and_then(|one| one.license.clone());
                component.own = true;
            }
        }
        components.push(component);
    }
    components.sort_by(|left, right| left.purl.cmp(&right.purl));
    Ok(components)
}

/// Notes that everything is compiled into `programs`.
pub(super) fn compiled_into(components: &mut [Component], programs: &[InstallPath]) {
    for component in components {
        component.compiled_into = programs.to_vec();
    }
}

fn package_url(name: &str, version: &str) -> String {
    format!("pkg:cargo/{name}@{}", package_url_part(version))
}

/// The package URLs of the crates that `package` needs, of those that were built.
fn needed<'a>(package: &'a LockedPackage, compiled: &'a Compiled<'_>) -> impl Iterator<Item = String> + 'a {
    let found = package.needs().flat_map(|text| compiled.lock.resolve(text));
    let built = found.filter(|one| compiled.crates.contains(&(one.name.clone(), one.version.clone())));
    built.map(|one| package_url(&one.name, &one.version))
}

/// What a vendored crate says of itself.
fn of_manifest(component: &mut Component, package: &LockedPackage, vendor: &Path) -> Result<(), RustError> {
    let directory = vendor.join(package.directory());
    let manifest = ManifestText::read(&directory, Path::new("Cargo.toml"))?;
    let empty = Table::new();
    let table = manifest.table.get("package").and_then(Value::as_table).unwrap_or(&empty);
    component.license = table.get("license").and_then(Value::as_str).map(str::to_owned);
    let authors = table.get("authors").and_then(Value::as_array);
    component.authors = authors.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    component.license_files = license_files(&directory, table.get("license-file").and_then(Value::as_str))?;
    let source = package.source.as_deref().unwrap_or_default();
    component.artefact = Some(SourceArtefact {
        sha256: package.checksum.as_deref().and_then(|text| text.parse().ok()),
        url: origin(source),
        is_checkout: package.is_git(),
    });
    Ok(())
}

/// The licence files of a crate: those in its own directory that are called so, and the one that its manifest names.
fn license_files(directory: &Path, named: Option<&str>) -> io::Result<Vec<LicenseFile>> {
    let mut names: BTreeSet<String> = BTreeSet::new();
    for entry in fs_err::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_license_file(&name) && entry.file_type()?.is_file() {
            names.insert(name);
        }
    }
    // The name is data of the crate: it must not lead out of it.
    let root = fs_err::canonicalize(directory)?;
    let inside = |name: &&str| {
        crate::config::value::relative_path(name).is_ok()
            && crate::config::value::stays_inside(&root, &directory.join(name))
    };
    names.extend(
        named
            .filter(inside)
            .filter(|name| directory.join(name).symlink_metadata().is_ok_and(|at| at.is_file()))
            .map(str::to_owned),
    );
    let file = |name: String| {
        let content = Content::file(&directory.join(&name))?;
        Ok(LicenseFile { name, content, installed: None })
    };
    names.into_iter().take(MOST_FILES).map(file).collect()
}

/// Where a locked source is to be had: a repository, or a registry other than the default, which the package URL implies.
fn origin(source: &str) -> Option<String> {
    let is_default = source.ends_with("/rust-lang/crates.io-index") || source == "sparse+https://index.crates.io/";
    let address = source.split_once('+').map_or(source, |(_, address)| address);
    let mut url =
        url::Url::parse(address).ok().filter(|url| !is_default && matches!(url.scheme(), "https" | "http"))?;
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    url.set_query(None);
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_of_a_crate_is_named_without_secrets() {
        assert_eq!(origin("registry+https://github.com/rust-lang/crates.io-index"), None);
        assert_eq!(
            origin("git+https://me:secret@example.org/a.git?branch=x#0123").as_deref(),
            Some("https://example.org/a.git#0123")
        );
        assert_eq!(
            origin("sparse+https://cargo.example.org/index/").as_deref(),
            Some("https://cargo.example.org/index/")
        );
        assert_eq!(origin("git+file:///home/x#0123"), None);
    }

    #[test]
    fn licence_files_do_not_lead_out_of_the_crate() {
        let directory = tempfile::tempdir().expect("a directory");
        for name in ["LICENSE-MIT", "NOTICE", "lib.rs", "terms.txt"] {
            fs_err::write(directory.path().join(name), name).expect("written");
        }
        std::os::unix::fs::symlink("/etc/passwd", directory.path().join("LICENSE-LINK")).expect("a link");
        std::os::unix::fs::symlink("/etc", directory.path().join("about")).expect("a link");
        let names = |named: Option<&str>| {
            let files = license_files(directory.path(), named).expect("read");
            files.into_iter().map(|file| file.name).collect::<Vec<_>>()
        };
        assert_eq!(names(Some("terms.txt")), ["LICENSE-MIT", "NOTICE", "terms.txt"]);
        assert_eq!(names(Some("../../etc/passwd")), ["LICENSE-MIT", "NOTICE"]);
        assert_eq!(names(Some("LICENSE-LINK")), ["LICENSE-MIT", "NOTICE"]);
        assert_eq!(names(Some("about/passwd")), ["LICENSE-MIT", "NOTICE"], "by a directory that is a link");
    }
}
