//! The apt half: where packages go in the pool, which index files a suite has, and what stands in them of a package.

pub(super) mod release;

use std::collections::{BTreeMap, BTreeSet};

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
    let prefix: String = source.chars().take(if source.starts_with("lib") { 4 } else { 1 }).collect();
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    let tag = tagged.map(|digest| digest.to_string().chars().take(12).collect::<String>() + "/").unwrap_or_default();
    format!("pool/{component}/{prefix}/{source}/{tag}{package}_{version}_{architecture}.deb")
}

/// What the indices say of a .deb, in the order of its cell's streams: `Packages`, `Contents`, `Translation`.
pub(super) fn texts(info: &DebInfo, record: &Record) -> Vec<Vec<u8>> {
    vec![packages(info, record).into_bytes(), Vec::new(), Vec::new()]
}

/// The stanza of `Packages`: the control file's fields, with what only an index knows before the description.
fn packages(info: &DebInfo, record: &Record) -> String {
    let line = |name: &str, value: &str| {
        let separator = if value.is_empty() || value.starts_with('\n') { "" } else { " " };
        format!("{name}:{separator}{value}\n")
    };
    let is = |name: &str, wanted: &str| name.eq_ignore_ascii_case(wanted);
    let mut text = line("Package", info.package());
    for (name, value) in &info.control {
        if !is(name, "Package") && !is(name, "Description") {
            text.push_str(&line(name, value));
        }
    }
    if let Some(percent) = record.phase {
        text.push_str(&line("Phased-Update-Percentage", &percent.to_string()));
    }
    text.push_str(&line("Filename", &record.place));
    text.push_str(&line("Size", &record.size.to_string()));
    text.push_str(&line("SHA256", &record.sha256.to_string()));
    text.push_str(&line("Description", info.field("Description").unwrap_or_default()));
    text.push('\n');
    text
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
