//! A package's bill of materials, where it carries one: CycloneDX (ECMA-424) or SPDX 2 (ISO/IEC 5962), both in JSON.

use std::io::Read;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::package::changelog::clean;

/// A larger bill is not read.
const LARGEST: u64 = 16 * 1024 * 1024;
/// How many components are shown.
const SHOWN: usize = 400;

/// What a bill lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bill {
    /// `CycloneDX 1.6`, `SPDX-2.3`.
    pub(super) format: String,
    /// Where the package installs it.
    pub(super) path: String,
    /// How many components it has.
    pub(super) total: usize,
    /// The first of them, by name.
    pub(super) components: Vec<Component>,
}

/// Something that is in the package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Component {
    pub(super) name: String,
    pub(super) version: String,
    /// An SPDX expression, or what stands in its place; empty when unknown.
    pub(super) license: String,
}

/// Whether a file may be a bill of materials.
pub(super) fn is_bill(path: &str) -> bool {
    let Some(file) = path.strip_prefix("/usr/share/doc/").and_then(|path| path.rsplit('/').next()) else {
        return false;
    };
    let file = file.to_ascii_lowercase();
    let known = [".cdx.json", ".spdx.json", "bom.json"];
    known.iter().any(|end| file.ends_with(end)) || (file.contains("sbom") && file.ends_with(".json"))
}

/// Reads a bill; none when it has another form.
pub(super) fn read(path: &str, content: &mut dyn Read) -> std::io::Result<Option<Bill>> {
    let mut bytes = Vec::new();
    content.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Ok(None);
    }
    Ok(serde_json::from_slice(&bytes).ok().and_then(|document| parse(path, &document)))
}

fn parse(path: &str, document: &Value) -> Option<Bill> {
    let text = |value: &Value, key: &str| short(value.get(key).and_then(Value::as_str).unwrap_or_default());
    let list = |key: &str| document.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let (format, mut components) = if text(document, "bomFormat") == "CycloneDX" {
        let components = list("components").iter().map(|one| Component {
            name: text(one, "name"),
            version: text(one, "version"),
            license: licenses(one),
        });
        (format!("CycloneDX {}", text(document, "specVersion")), components.collect::<Vec<_>>())
    } else {
        let format = text(document, "spdxVersion");
        if !format.starts_with("SPDX-2") {
            return None;
        }
        let components = list("packages").iter().map(|one| {
            let license = ["licenseConcluded", "licenseDeclared"].map(|key| text(one, key));
            let license = license.into_iter().find(|license| !["", "NOASSERTION", "NONE"].contains(&license.as_str()));
            Component {
                name: text(one, "name"),
                version: text(one, "versionInfo"),
                license: license.unwrap_or_default(),
            }
        });
        (format, components.collect())
    };
    components.retain(|component| !component.name.is_empty());
    components.sort();
    components.dedup();
    let total = components.len();
    components.truncate(SHOWN);
    Some(Bill { format: format.trim().to_owned(), path: short(path), total, components })
}

/// CycloneDX: an expression, or several licences that all hold.
fn licenses(component: &Value) -> String {
    let choices = component.get("licenses").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let name = |choice: &Value| {
        let license = choice.get("license");
        let text = choice.get("expression").or(license.and_then(|one| one.get("id").or(one.get("name"))));
        text.and_then(Value::as_str).map(short)
    };
    choices.iter().filter_map(name).collect::<Vec<_>>().join(" AND ")
}

fn short(text: &str) -> String {
    clean(text).chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bills_of_both_forms_are_read() {
        let cyclonedx = json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [
            {"name": "zeta", "version": "2", "licenses": [{"license": {"id": "MIT"}}, {"license": {"name": "Own"}}]},
            {"name": "alpha", "version": "1", "licenses": [{"expression": "MIT OR Apache-2.0"}]},
            {"version": "1"}, 7,
        ]});
        let bill = parse("/usr/share/doc/a/a.cdx.json", &cyclonedx).expect("a bill");
        assert_eq!((bill.format.as_str(), bill.total), ("CycloneDX 1.6", 2));
        assert_eq!(bill.components[0].license, "MIT OR Apache-2.0");
        assert_eq!(bill.components[1].license, "MIT AND Own");
        let spdx = json!({"spdxVersion": "SPDX-2.3", "packages": [
            {"name": "alpha", "versionInfo": "1", "licenseConcluded": "NOASSERTION", "licenseDeclared": "MIT"},
        ]});
        let bill = parse("/usr/share/doc/a/a.spdx.json", &spdx).expect("a bill");
        assert_eq!((bill.format.as_str(), bill.components[0].license.as_str()), ("SPDX-2.3", "MIT"));
    }

    #[test]
    fn another_form_is_no_bill() {
        for document in [json!({}), json!([]), json!({"bomFormat": "x"}), json!({"spdxVersion": "SPDX-3.0"})] {
            assert_eq!(parse("/usr/share/doc/a/sbom.json", &document), None);
        }
        assert_eq!(read("/usr/share/doc/a/sbom.json", &mut b"{".as_slice()).expect("read"), None);
        assert!(is_bill("/usr/share/doc/acme/acme.cdx.json") && is_bill("/usr/share/doc/acme/SBOM-1.json"));
        assert!(!is_bill("/opt/acme/acme.cdx.json") && !is_bill("/usr/share/doc/acme/data.json"));
    }
}
