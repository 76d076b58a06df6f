//! One suite of the apt half: `Packages` for each component and architecture, their by-hash copies, and the signed
//! Release files.
//!
//! Order of writes: pool, by-hash, plain names, `Release`, `Release.gpg`, the state, and last `InRelease`, whose rename
//! is the moment of publication. A client that began with the index before still finds all its by-hash files.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::compress;
use super::error::RepoError;
use super::layout::Configuration;
use super::release::{Listed, Release};
use super::sign::Signer;
use super::state::{AptState, Deb, States};
use super::store::Store;
use crate::digest::Sha256;

/// What a suite without any package of a real architecture serves: packages for all architectures must stand in the
/// index of each that clients have.
const USUAL_ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];

/// The suite's signed index, relative to the repository.
pub(super) fn index(suite: &str) -> String {
    format!("apt/dists/{suite}/InRelease")
}

/// Where a package goes in the pool (relative to `apt`): `pool/main/a/acme/acme_1.0-1_amd64.deb`.
///
/// The epoch is left out, as everywhere in Debian. `tagged` puts a directory named after the content in between, for a
/// package whose place is taken by another content.
pub(super) fn pool_path(
    component: &str,
    source: &str,
    package: &str,
    version: &str,
    architecture: &str,
    tagged: Option<Sha256>,
) -> String {
    let prefix: String = source.chars().take(if source.starts_with("lib") { 4 } else { 1 }).collect();
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    let tag = tagged.map(|digest| digest.to_string().chars().take(12).collect::<String>() + "/").unwrap_or_default();
    format!("pool/{component}/{prefix}/{source}/{tag}{package}_{version}_{architecture}.deb")
}

/// The suite's architectures and components.
pub(super) fn dimensions(packages: &[Deb]) -> (Vec<String>, Vec<String>) {
    let real = |deb: &&Deb| deb.architecture != "all";
    let mut architectures: BTreeSet<String> =
        packages.iter().filter(real).map(|deb| deb.architecture.clone()).collect();
    if architectures.is_empty() {
        architectures.extend(USUAL_ARCHITECTURES.map(str::to_owned));
    }
    let mut components: BTreeSet<String> = packages.iter().map(|deb| deb.component.clone()).collect();
    if components.is_empty() {
        components.insert("main".to_owned());
    }
    (architectures.into_iter().collect(), components.into_iter().collect())
}

/// Writes the suite's index for `packages` (their files are in the pool) and makes it current. Gives the new state.
pub(super) fn write(
    store: &Store,
    configuration: &Configuration,
    suite: &str,
    previous: &AptState,
    mut packages: Vec<Deb>,
    signer: &Signer,
    date: i64,
) -> Result<AptState, RepoError> {
    let failed = || RepoError::io(format!("the index of {suite} could not be written"));
    packages.sort();
    let (architectures, components) = dimensions(&packages);
    let directory = format!("apt/dists/{suite}");
    let mut listed = Vec::new();
    let mut by_hash = Vec::new();
    let mut plain = Vec::new();
    for component in &components {
        for architecture in &architectures {
            let place = format!("{component}/binary-{architecture}");
            let text = packages_text(&packages, component, architecture);
            let forms = [
                ("Packages", text.clone().into_bytes()),
                ("Packages.gz", compress::gzip(text.as_bytes()).map_err(failed())?),
                ("Packages.zst", compress::zstd(text.as_bytes()).map_err(failed())?),
            ];
            for (name, content) in forms {
                let sha256 = Sha256::of(&content);
                let addressed = format!("{directory}/{place}/by-hash/SHA256/{sha256}");
                store.write_addressed(&addressed, &content).map_err(failed())?;
                by_hash.push(addressed);
                listed.push(Listed { path: format!("{place}/{name}"), size: content.len() as u64, sha256 });
                plain.push((format!("{directory}/{place}/{name}"), content));
            }
        }
    }
    store.barrier().map_err(failed())?;
    by_hash.sort();
    by_hash.dedup();

    let release =
        Release { configuration, suite, date, architectures: &architectures, components: &components, files: &listed };
    let release = release.text()?;
    let detached = signer.detached(release.as_bytes(), date)?;
    let in_release = signer.cleartext(&release, date)?;
    let state = AptState { date, packages, files: previous.files.succeeded_by(by_hash, date) };
    let index = index(suite);
    let states = States::of("apt", suite, &index);
    states.save(store, in_release.as_bytes(), &state)?;
    for (path, content) in plain {
        store.write(&path, &content).map_err(failed())?;
    }
    store.write(&format!("{directory}/Release"), release.as_bytes()).map_err(failed())?;
    store.write(&format!("{directory}/Release.gpg"), detached.as_bytes()).map_err(failed())?;
    store.barrier().map_err(failed())?;
    store.write(&index, in_release.as_bytes()).map_err(failed())?;
    store.barrier().map_err(failed())?;

    sweep(store, &directory, &state).map_err(failed())?;
    states.sweep(store, in_release.as_bytes()).map_err(failed())?;
    Ok(state)
}

/// The text of one `Packages` file. A package for all architectures stands in each of them.
fn packages_text(packages: &[Deb], component: &str, architecture: &str) -> String {
    let mut text = String::new();
    let served =
        |deb: &&Deb| deb.component == component && (deb.architecture == architecture || deb.architecture == "all");
    for deb in packages.iter().filter(served) {
        let Deb { control, filename, size, sha256, description, .. } = deb;
        let _ = write!(text, "{control}Filename: {filename}\nSize: {size}\nSHA256: {sha256}\n{description}\n");
    }
    text
}

/// Removes by-hash files that no kept index names.
fn sweep(store: &Store, directory: &str, state: &AptState) -> std::io::Result<()> {
    let root = store.path(directory);
    for entry in walkdir::WalkDir::new(&root).follow_links(false) {
        let entry = entry.map_err(std::io::Error::from)?;
        let Ok(below) = entry.path().strip_prefix(&root) else { continue };
        let relative = format!("{directory}/{}", below.to_string_lossy());
        if entry.file_type().is_file() && relative.contains("/by-hash/") && !state.files.keeps(&relative) {
            store.remove(&relative)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deb(package: &str, architecture: &str) -> Deb {
        Deb {
            component: "main".into(),
            package: package.into(),
            version: "1.0".into(),
            architecture: architecture.into(),
            filename: "pool/x".into(),
            size: 1,
            sha256: Sha256::of(b""),
            control: format!("Package: {package}\n"),
            description: "Description: x\n".into(),
        }
    }

    #[test]
    fn a_package_goes_below_its_source_without_its_epoch() {
        let path = |source, version| pool_path("main", source, "acme", version, "amd64", None);
        assert_eq!(path("acme", "1:1.0~rc1+b-1"), "pool/main/a/acme/acme_1.0~rc1+b-1_amd64.deb");
        assert_eq!(path("libacme", "1.0"), "pool/main/liba/libacme/acme_1.0_amd64.deb");
    }

    #[test]
    fn packages_for_all_architectures_stand_in_every_index_even_when_there_is_no_other() {
        let (architectures, _) = dimensions(&[deb("a", "all")]);
        assert_eq!(architectures, ["amd64", "arm64"]);
        let packages = [deb("a", "all"), deb("b", "amd64"), deb("c", "arm64")];
        assert_eq!(dimensions(&packages).0, ["amd64", "arm64"]);
        let text = packages_text(&packages, "main", "amd64");
        assert!(text.contains("Package: a\n") && text.contains("Package: b\n") && !text.contains("Package: c\n"));
    }
}
