//! Stand-ins for what a resolver must not look for on an index: the repository's own packages, and what `vendor.txt`
//! names.
//!
//! A stand-in is a directory with a static `[project]` table, so that the resolver learns name, version and requirements
//! without running a line of the repository's code. It stands in the constraints of the resolution, which makes it the
//! only candidate for its name at any depth: a package of the same name on an index cannot win.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr as _;

use pep508_rs::{ExtraName, Requirement, VerbatimUrl};

use super::pylock::LockedPackage;

/// What a stand-in stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A package of the repository.
    Member,
    /// A file that `vendor.txt` names.
    Vendored(Box<LockedPackage>),
}

/// A stand-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shim {
    /// Normalised.
    pub name: String,
    /// PEP 440; `None` when nobody knows it without running code. Then no requirement's version is held against it.
    pub version: Option<String>,
    /// PEP 508.
    pub dependencies: Vec<String>,
    /// By extra.
    pub optional_dependencies: BTreeMap<String, Vec<String>>,
    /// See [`Origin`].
    pub origin: Origin,
}

impl Shim {
    /// Takes `Requires-Dist` lines of metadata: those under an extra to the extra, the others to all.
    pub fn take(&mut self, requires: &[String]) {
        for text in requires {
            let Ok(requirement) = Requirement::<VerbatimUrl>::from_str(text) else {
                self.dependencies.push(text.clone());
                continue;
            };
            let extras: Vec<String> = self
                .optional_dependencies
                .keys()
                .filter(|extra| {
                    let named: Result<ExtraName, _> = extra.parse();
                    named.is_ok_and(|named| {
                        requirement.marker.evaluate_extras(&[named]) && !requirement.marker.evaluate_extras(&[])
                    })
                })
                .cloned()
                .collect();
            if extras.is_empty() {
                self.dependencies.push(text.clone());
            }
            for extra in extras {
                let Ok(named) = extra.parse::<ExtraName>() else { continue };
                let mut plain = requirement.clone();
                plain.marker = plain.marker.simplify_extras(std::slice::from_ref(&named));
                self.optional_dependencies.entry(extra).or_default().push(plain.to_string());
            }
        }
    }

    /// Writes it below `directory`, as `shim/NAME/pyproject.toml`, with requirements fit for `shims`.
    pub fn write(&self, directory: &Path, shims: &BTreeMap<String, Self>) -> std::io::Result<()> {
        let place = directory.join(self.place());
        fs_err::create_dir_all(&place)?;
        let list = |requirements: &[String]| {
            let texts = requirements.iter().map(|text| toml::Value::String(fitted(text, shims)));
            toml::Value::Array(texts.collect())
        };
        let mut project = toml::Table::new();
        project.insert("name".to_owned(), self.name.clone().into());
        project.insert("version".to_owned(), self.version.clone().unwrap_or_else(|| "0".to_owned()).into());
        project.insert("dependencies".to_owned(), list(&self.dependencies));
        if !self.optional_dependencies.is_empty() {
            let extras = self.optional_dependencies.iter().map(|(extra, texts)| (extra.clone(), list(texts))).collect();
            project.insert("optional-dependencies".to_owned(), toml::Value::Table(extras));
        }
        let mut document = toml::Table::new();
        document.insert("project".to_owned(), toml::Value::Table(project));
        fs_err::write(place.join("pyproject.toml"), document.to_string())
    }

    /// Its directory, relative to that of the resolution.
    pub fn place(&self) -> String {
        format!("shim/{}", self.name)
    }
}

/// A requirement as the resolver is told it: for a stand-in, no URL, and no version when its version is not known. A
/// text that cannot be parsed stays as it is; the resolver then says why.
pub fn fitted(text: &str, shims: &BTreeMap<String, Shim>) -> String {
    let Ok(mut requirement) = Requirement::<VerbatimUrl>::from_str(text) else { return text.to_owned() };
    let Some(shim) = shims.get(requirement.name.as_ref() as &str) else { return text.to_owned() };
    if shim.version.is_none() || matches!(requirement.version_or_url, Some(pep508_rs::VersionOrUrl::Url(_))) {
        requirement.version_or_url = None;
    }
    requirement.to_string()
}

/// The normalised name of a requirement.
pub fn name_of(text: &str) -> Option<String> {
    let requirement = Requirement::<VerbatimUrl>::from_str(text).ok()?;
    Some(requirement.name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_of_metadata_go_to_their_extras() {
        let mut shim = Shim {
            name: "x".to_owned(),
            version: None,
            dependencies: Vec::new(),
            optional_dependencies: BTreeMap::from([("db".to_owned(), Vec::new()), ("web".to_owned(), Vec::new())]),
            origin: Origin::Member,
        };
        let lines = ["six", "psycopg ; python_version > '3.9' and extra == 'db'", "flask; extra=='web' or extra=='db'"];
        shim.take(&lines.map(str::to_owned));
        assert_eq!(shim.dependencies, ["six"]);
        assert_eq!(shim.optional_dependencies["db"], ["psycopg ; python_full_version >= '3.10'", "flask"]);
        assert_eq!(shim.optional_dependencies["web"], ["flask"]);
    }

    #[test]
    fn a_requirement_of_a_stand_in_keeps_its_extras_and_marker_but_no_url() {
        let shim = |version: Option<&str>| Shim {
            name: "acme-common".to_owned(),
            version: version.map(str::to_owned),
            dependencies: Vec::new(),
            optional_dependencies: BTreeMap::new(),
            origin: Origin::Member,
        };
        let known = BTreeMap::from([("acme-common".to_owned(), shim(Some("1.0")))]);
        let unknown = BTreeMap::from([("acme-common".to_owned(), shim(None))]);
        let text = "Acme_Common[db]>=1; python_version > '3.9'";
        assert_eq!(fitted(text, &known), "acme-common[db]>=1 ; python_full_version >= '3.10'");
        assert_eq!(fitted(text, &unknown), "acme-common[db] ; python_full_version >= '3.10'");
        assert_eq!(fitted("acme.common @ https://x.example/a.whl", &known), "acme-common");
        assert_eq!(fitted("flask>=1", &known), "flask>=1");
    }
}
