//! The stand-alone licence paragraphs of a copyright file.
//!
//! Debian has the texts of some licences on every system, and its Policy (12.5) wants them named instead of repeated. The
//! others are the SPDX list's own texts; without their examples of a copyright notice, because the real notices stand beside
//! the files. What is not on the list (`LicenseRef-…`) has the text that came with the component, or the place of it.

use std::collections::BTreeMap;

use spdx::{LicenseItem, LicenseReq};

use super::copyright::Copyright;
use crate::package::changelog::clean;
use crate::package::licenses::{Expression, debian_name};
use crate::package::{Component, Error};
use crate::target::Format;

/// Licences whose text every Debian system has: identifier, file in `/usr/share/common-licenses`, title.
const COMMON_LICENSES: &[(&str, &str, &str)] = &[
    ("Apache-2.0", "Apache-2.0", "Apache License, Version 2.0"),
    ("CC0-1.0", "CC0-1.0", "CC0 1.0 Universal"),
    ("GFDL-1.2-only", "GFDL-1.2", "GNU Free Documentation License, version 1.2"),
    ("GFDL-1.2-or-later", "GFDL-1.2", "GNU Free Documentation License, version 1.2"),
    ("GFDL-1.3-only", "GFDL-1.3", "GNU Free Documentation License, version 1.3"),
    ("GFDL-1.3-or-later", "GFDL-1.3", "GNU Free Documentation License, version 1.3"),
    ("GPL-1.0-only", "GPL-1", "GNU General Public License, version 1"),
    ("GPL-1.0-or-later", "GPL-1", "GNU General Public License, version 1"),
    ("GPL-2.0-only", "GPL-2", "GNU General Public License, version 2"),
    ("GPL-2.0-or-later", "GPL-2", "GNU General Public License, version 2"),
    ("GPL-3.0-only", "GPL-3", "GNU General Public License, version 3"),
    ("GPL-3.0-or-later", "GPL-3", "GNU General Public License, version 3"),
    ("LGPL-2.0-only", "LGPL-2", "GNU Library General Public License, version 2"),
    ("LGPL-2.0-or-later", "LGPL-2", "GNU Library General Public License, version 2"),
    ("LGPL-2.1-only", "LGPL-2.1", "GNU Lesser General Public License, version 2.1"),
    ("LGPL-2.1-or-later", "LGPL-2.1", "GNU Lesser General Public License, version 2.1"),
    ("LGPL-3.0-only", "LGPL-3", "GNU Lesser General Public License, version 3"),
    ("LGPL-3.0-or-later", "LGPL-3", "GNU Lesser General Public License, version 3"),
    ("MPL-1.1", "MPL-1.1", "Mozilla Public License, Version 1.1"),
    ("MPL-2.0", "MPL-2.0", "Mozilla Public License, Version 2.0"),
];

/// A longer text of a licence that is not on the list is named by its place in the package.
const LONGEST: usize = 16 * 1024;

/// Name and text of every licence, in the order of the names. Names differ in more than the case of their letters.
pub(super) fn license_paragraphs(copyright: &Copyright<'_>) -> Result<Vec<(String, String)>, Error> {
    let mut licenses: BTreeMap<String, (&LicenseReq, Vec<&Component>)> = BTreeMap::new();
    for license in copyright.license.licenses() {
        licenses.entry(debian_name(license).to_ascii_lowercase()).or_insert_with(|| (license, Vec::new()));
    }
    for component in copyright.components {
        for license in component.expression.iter().flat_map(Expression::licenses) {
            let name = debian_name(license).to_ascii_lowercase();
            licenses.entry(name).or_insert_with(|| (license, Vec::new())).1.push(component);
        }
    }
    let paragraph = |(license, components): (&LicenseReq, Vec<&Component>)| {
        let mut text = match &license.license {
            LicenseItem::Spdx { id, or_later } => listed(id.name, *or_later, copyright.format),
            LicenseItem::Other(_) => own_terms(license, &components, copyright)?,
        };
        if let Some(exception) = license.addition.as_ref().and_then(spdx::AdditionItem::id) {
            text.push_str(&format!("\n\nException {}:\n\n{}", exception.name, exception.text()));
        }
        Ok((debian_name(license), text))
    };
    licenses.into_values().map(paragraph).collect()
}

/// The text of a licence of the SPDX list.
fn listed(name: &str, or_later: bool, format: Format) -> String {
    let common = COMMON_LICENSES.iter().find(|(spdx, _, _)| *spdx == name);
    if let (Some((spdx, file, title)), Format::Deb) = (common, format) {
        let later =
            if spdx.ends_with("-or-later") || or_later { ",\nor (at your option) any later version" } else { "" };
        return format!(
            "The terms are those of the {title}{later}.\n\nOn Debian systems, the full text is in\n\
             /usr/share/common-licenses/{file}."
        );
    }
    let text = spdx::license_id(name).map(|id| id.text()).unwrap_or_default();
    let is_example = |line: &&str| {
        let small = line.to_lowercase();
        !(small.contains("copyright")
            && (small.contains("<year") || small.contains("<owner") || small.contains("<copyright")))
    };
    text.lines().filter(is_example).collect::<Vec<_>>().join("\n")
}

/// The text of a licence that is not on the list.
fn own_terms(license: &LicenseReq, components: &[&Component], copyright: &Copyright<'_>) -> Result<String, Error> {
    let mut parts: Vec<String> = Vec::new();
    let mut add = |part: String| {
        if !part.trim().is_empty() && !parts.contains(&part) {
            parts.push(part);
        }
    };
    if copyright.license.licenses().contains(&license) {
        match copyright.license_text {
            Some(text) if is_short(text) => add(text.to_owned()),
            _ => add(format!("The terms are those of {}.", clean(copyright.holder))),
        }
    }
    for component in components.iter().filter(|component| !component.own) {
        let mut any = false;
        for file in &component.license_files {
            let text = file.text()?;
            any |= !file.is_notice();
            match &file.installed {
                _ if is_short(&text) => add(text),
                Some(path) => add(format!("The text is in {path}.")),
                None => add(text.chars().take(LONGEST).collect()),
            }
        }
        if !any {
            let said = component.license.as_deref().unwrap_or("nothing");
            let said: String = said.chars().take(2000).collect();
            add(format!(
                "No licence text came with {} {}. Its metadata say:\n\n{said}",
                clean(&component.name),
                clean(&component.version)
            ));
        }
    }
    Ok(parts.join("\n\n"))
}

/// Whether a text may stand in the file: neither long nor one that Debian wants named.
fn is_short(text: &str) -> bool {
    let whole = ["TERMS AND CONDITIONS FOR", "GNU GENERAL PUBLIC LICENSE", "GNU Free Documentation License"];
    text.len() <= LONGEST && !whole.iter().any(|title| text.contains(title))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debian_names_the_texts_that_it_has_and_every_other_text_is_whole() {
        for (spdx, file, _) in COMMON_LICENSES {
            assert!(spdx::license_id(spdx).is_some_and(|id| !id.is_deprecated()), "{spdx}");
            assert!(listed(spdx, false, Format::Deb).contains(&format!("/usr/share/common-licenses/{file}.")));
            assert!(listed(spdx, false, Format::Rpm).len() > 2000, "{spdx}");
        }
        assert!(listed("GPL-2.0-or-later", false, Format::Deb).contains("any later version"));
        let mit = listed("MIT", false, Format::Deb);
        assert!(mit.contains("Permission is hereby granted") && !mit.contains("<year>"), "{mit}");
    }
}
