//! The apt half: where packages go in the pool, which index files a suite has, and what stands in them of a package.

mod contents;
pub(super) mod release;
pub(super) mod sources;
mod stanza;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use stanza::Descriptions;

use super::cell::{Cell, CellName, Stream};
use super::index::Planned;
use super::options::SuiteOptions;
use super::record::Record;
use crate::digest::Sha256;
use crate::format::deb::DebInfo;

/// What a suite without any package of a real architecture serves: packages for all architectures must stand in the
/// index of each that clients have.
const USUAL_ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];

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
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    format!("{}/{package}_{version}_{architecture}.deb", pool_directory(component, source, tagged))
}

/// Where the packages of one source go in the pool (relative to `apt`): `pool/main/a/acme`.
pub(super) fn pool_directory(component: &str, source: &str, tagged: Option<Sha256>) -> String {
    let prefix: String = source.chars().take(if source.starts_with("lib") { 4 } else { 1 }).collect();
    let tag = tagged.map(|digest| "/".to_owned() + &digest.to_string().chars().take(12).collect::<String>());
    format!("pool/{component}/{prefix}/{source}{}", tag.unwrap_or_default())
}

/// What the indices say of a .deb, in the order of its cell's streams: `Packages`, `Contents`, `Translation`.
pub(super) fn texts(info: &DebInfo, record: &Record, descriptions: Descriptions) -> Vec<Vec<u8>> {
    let translation = match descriptions {
        Descriptions::Whole => String::new(),
        Descriptions::Short => stanza::translation(info),
    };
    [stanza::packages(info, record, descriptions), contents::lines(info), translation].map(String::into_bytes).into()
}

/// The suite's architectures that have an index, `all` and `source` aside.
pub(super) fn architectures(cells: &BTreeMap<CellName, Cell>, options: &SuiteOptions) -> Vec<String> {
    let mut architectures: BTreeSet<&str> = options.architectures.iter().map(String::as_str).collect();
    architectures.extend(cells.keys().map(|cell| cell.architecture.as_str()));
    for special in ["all", "source"] {
        architectures.remove(special);
    }
    if architectures.is_empty() {
        architectures.extend(USUAL_ARCHITECTURES);
    }
    architectures.into_iter().map(str::to_owned).collect()
}

/// The suite's components.
pub(super) fn components(cells: &BTreeMap<CellName, Cell>, options: &SuiteOptions) -> Vec<String> {
    let mut components = options.components.clone();
    components.extend(cells.keys().map(|cell| cell.component.clone()));
    if components.is_empty() {
        components.insert("main".to_owned());
    }
    components.into_iter().collect()
}

/// The suite's index files. A package for all architectures stands in the `Packages` of each.
pub(super) fn index_files(cells: &BTreeMap<CellName, Cell>, options: &SuiteOptions) -> Vec<Planned> {
    let mut files = Vec::new();
    let mut architectures = architectures(cells, options);
    architectures.push("all".to_owned());
    for component in components(cells, options) {
        let cell = |architecture: &str| cells.get_key_value(&CellName::of(&component, architecture));
        let mut has_translation = false;
        for architecture in &architectures {
            let own = cell(architecture).filter(|_| architecture != "all");
            let path = format!("{component}/binary-{architecture}/Packages");
            files.push(Planned::of(path, Stream::Packages, own.into_iter().chain(cell("all"))));
            let contents =
                Planned::of(format!("{component}/Contents-{architecture}"), Stream::Contents, cell(architecture));
            if options.contents && !contents.pieces.is_empty() {
                files.push(contents);
            }
            has_translation |= cell(architecture).is_some_and(|(name, cell)| {
                !Planned::of(String::new(), Stream::Translation, [(name, cell)]).pieces.is_empty()
            });
        }
        if has_translation {
            let path = format!("{component}/i18n/Translation-en");
            let all = architectures.iter().filter_map(|architecture| cell(architecture));
            files.push(Planned::of(path, Stream::Translation, all));
        }
        if let Some(source) = cell("source") {
            files.push(Planned::of(format!("{component}/source/Sources"), Stream::Sources, [source]));
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_goes_below_its_source_without_its_epoch() {
        let path = |source, version| pool_path("main", source, "acme", version, "amd64", None);
        assert_eq!(path("acme", "1:1.0~rc1+b-1"), "pool/main/a/acme/acme_1.0~rc1+b-1_amd64.deb");
        assert_eq!(path("libacme", "1.0"), "pool/main/liba/libacme/acme_1.0_amd64.deb");
    }

    #[test]
    fn a_suite_of_packages_for_all_architectures_has_an_index_for_each_usual_one() {
        let cells = BTreeMap::from([(CellName::of("main", "all"), Cell::default())]);
        assert_eq!(architectures(&cells, &SuiteOptions::default()), ["amd64", "arm64"]);
        let paths: Vec<String> =
            index_files(&cells, &SuiteOptions::default()).into_iter().map(|planned| planned.path).collect();
        let binary = |architecture| format!("main/binary-{architecture}/Packages");
        assert_eq!(paths, ["amd64", "arm64", "all"].map(binary));
    }
}
