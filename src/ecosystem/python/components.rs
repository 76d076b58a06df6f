//! What is inside an environment, from the wheels' own metadata: for copyright files and the SBOM.
//!
//! A licence is what METADATA says, the most exact word first ("Core metadata specifications"): `License-Expression`
//! (PEP 639), a `License` that is one short line, the classifiers that name one licence exactly, the others as they stand.

use std::collections::BTreeSet;
use std::io;

use super::store::UnpackedWheel;
use super::wheel::{header, headers};
use crate::name::normalize;
use crate::package::Component;

/// Classifiers below `License ::` that mean one SPDX licence and no other (the list of trove classifiers, the SPDX licence
/// list). `BSD License` is not among them: it does not say which.
const CLASSIFIERS: &[(&str, &str)] = &[
    ("MIT License", "MIT"),
    ("MIT No Attribution License (MIT-0)", "MIT-0"),
    ("Apache Software License", "Apache-2.0"),
    ("ISC License (ISCL)", "ISC"),
    ("Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"),
    ("Python Software Foundation License", "PSF-2.0"),
    ("The Unlicense (Unlicense)", "Unlicense"),
    ("zlib/libpng License", "Zlib"),
    ("GNU General Public License v2 (GPLv2)", "GPL-2.0-only"),
    ("GNU General Public License v2 or later (GPLv2+)", "GPL-2.0-or-later"),
    ("GNU General Public License v3 (GPLv3)", "GPL-3.0-only"),
    ("GNU General Public License v3 or later (GPLv3+)", "GPL-3.0-or-later"),
    ("GNU Lesser General Public License v2 (LGPLv2)", "LGPL-2.0-only"),
    ("GNU Lesser General Public License v2 or later (LGPLv2+)", "LGPL-2.0-or-later"),
    ("GNU Lesser General Public License v3 (LGPLv3)", "LGPL-3.0-only"),
    ("GNU Lesser General Public License v3 or later (LGPLv3+)", "LGPL-3.0-or-later"),
    ("GNU Affero General Public License v3", "AGPL-3.0-only"),
    ("GNU Affero General Public License v3 or later (AGPLv3+)", "AGPL-3.0-or-later"),
    ("Zope Public License", "ZPL-2.1"),
];

/// The components of `wheels`, sorted. Those whose names are in `locals` are the repository's own: no index knows them.
pub(super) fn components<'a>(
    wheels: impl Iterator<Item = &'a UnpackedWheel>,
    locals: &BTreeSet<String>,
) -> io::Result<Vec<Component>> {
    let mut components = Vec::new();
    for wheel in wheels {
        let metadata = wheel.metadata("METADATA")?.unwrap_or_default();
        let name = normalize(wheel.name());
        let kind = if locals.contains(&name) { "generic" } else { "pypi" };
        components.push(Component {
            purl: format!("pkg:{kind}/{name}@{}", percent(wheel.version())),
            name,
            version: wheel.version().to_owned(),
            license: license(&metadata),
        });
    }
    components.sort();
    Ok(components)
}

/// A version in a package URL: letters, digits and `.-_~` stand as they are.
fn percent(text: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'~');
    percent_encoding::utf8_percent_encode(text, KEPT).to_string()
}

fn license(metadata: &str) -> Option<String> {
    if let Some(expression) = header(metadata, "License-Expression").filter(|text| !text.is_empty()) {
        return Some(expression.to_owned());
    }
    let classifiers: Vec<&str> = headers(metadata, "Classifier")
        .filter_map(|text| text.strip_prefix("License :: "))
        .map(|text| text.rsplit(" :: ").next().unwrap_or(text).trim())
        .filter(|text| *text != "OSI Approved")
        .collect();
    let exact: Option<Vec<&str>> = classifiers
        .iter()
        .map(|text| CLASSIFIERS.iter().find(|(name, _)| name == text).map(|(_, spdx)| *spdx))
        .collect();
    let written = header(metadata, "License").filter(|text| is_a_name(text));
    match (exact, written) {
        (Some(exact), _) if exact.len() == 1 => exact.first().map(|text| (*text).to_owned()),
        (_, Some(written)) => Some(written.to_owned()),
        _ if classifiers.is_empty() => None,
        _ => Some(classifiers.join(" AND ")),
    }
}

/// Whether `License` names a licence rather than being its text.
fn is_a_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 100 && !text.eq_ignore_ascii_case("unknown") && !text.ends_with(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_exact_word_about_a_licence_is_taken() {
        for (metadata, expected) in [
            ("License-Expression: MIT OR Apache-2.0\nLicense: x\n", Some("MIT OR Apache-2.0")),
            ("License: BSD-3-Clause\nClassifier: License :: OSI Approved :: BSD License\n", Some("BSD-3-Clause")),
            ("License: whatever\nClassifier: License :: OSI Approved :: MIT License\n", Some("MIT")),
            ("Classifier: License :: OSI Approved :: BSD License\n", Some("BSD License")),
            ("Classifier: License :: OSI Approved\nClassifier: Topic :: X\n", None),
            ("License: UNKNOWN\n", None),
            ("Name: x\n\nLicense: in the description\n", None),
        ] {
            assert_eq!(license(metadata).as_deref(), expected, "{metadata}");
        }
    }

    #[test]
    fn versions_are_escaped_in_package_urls() {
        assert_eq!(percent("1.0+local.1"), "1.0%2Blocal.1");
    }
}
