//! Findings as SARIF 2.1.0 (OASIS), which code hosts show beside the changes: one run, the whole catalogue as its rules, each
//! finding with the artefact and the member's path as a logical location.

use serde_json::{Value, json};

use super::{Finding, rules};

/// The document for these artefacts, each named as it is to be shown.
pub fn sarif(artefacts: &[(String, Vec<Finding>)]) -> Value {
    let rules: Vec<Value> = rules()
        .map(|rule| {
            json!({
                "id": rule.code,
                "shortDescription": { "text": rule.title },
                "fullDescription": { "text": rule.explanation },
                "help": { "text": format!("{} {} ({})", rule.explanation, rule.remedy, rule.source) },
                "defaultConfiguration": { "level": rule.severity.name() },
            })
        })
        .collect();
    let index = |code: &str| super::rules().position(|rule| rule.code == code);
    let mut results = Vec::new();
    for (artefact, findings) in artefacts {
        for finding in findings {
            let mut location = json!({ "physicalLocation": { "artifactLocation": { "uri": uri(artefact) } } });
            if let (Some(path), Some(object)) = (&finding.path, location.as_object_mut()) {
                let name = path.rsplit('/').next().unwrap_or(path);
                let logical = json!([{ "name": name, "fullyQualifiedName": path, "kind": "member" }]);
                object.insert("logicalLocations".to_owned(), logical);
            }
            let text = match &finding.path {
                Some(path) => format!("{path}: {}", finding.detail),
                None => finding.detail.clone(),
            };
            results.push(json!({
                "ruleId": finding.code,
                "ruleIndex": index(finding.code),
                "level": finding.severity.name(),
                "message": { "text": text },
                "locations": [location],
            }));
        }
    }
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "packhouse",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// A path as a relative reference (RFC 3986): everything but unreserved characters and slashes escaped.
fn uri(path: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(path, KEPT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_reference_whatever_is_in_it() {
        assert_eq!(uri("out/acme_1.0~rc1-1_amd64.deb"), "out/acme_1.0~rc1-1_amd64.deb");
        assert_eq!(uri("a b:%.deb"), "a%20b%3A%25.deb");
    }
}
