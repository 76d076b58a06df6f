//! The bill of materials that is installed with a package: CycloneDX 1.6 in JSON (ECMA-424,
//! <https://cyclonedx.org/docs/1.6/json/>), at `/usr/share/doc/PACKAGE/PACKAGE.cdx.json`, where scanners look for the
//! suffix.
//!
//! It has the package itself, every component with its package URL, version, licence, holders and the artefact it came from,
//! and who needs whom. The same package gives the same bytes: nothing is random, the time is the package's, the serial
//! number follows from the content.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::changelog::clean;
use super::licenses::{self, Expression};
use super::{Component, Version};
use crate::config::Maintainer;
use crate::digest::Sha256;
use crate::name::{OrgName, PackageName};
use crate::target::{Format, Target};

/// What the bill says of the package itself.
pub(super) struct Subject<'a> {
    pub(super) name: &'a PackageName,
    pub(super) org: &'a OrgName,
    pub(super) version: &'a Version,
    pub(super) target: &'a Target,
    /// `amd64`, `all`, `noarch`.
    pub(super) architecture: &'a str,
    pub(super) summary: &'a str,
    pub(super) maintainer: &'a Maintainer,
    pub(super) homepage: Option<&'a str>,
    /// The licence of own code.
    pub(super) license: &'a Expression,
    /// Seconds since 1970.
    pub(super) time: i64,
}

/// The document, with a line break at its end. `components` are settled.
pub(super) fn cyclonedx(subject: &Subject<'_>, components: &[Component]) -> std::io::Result<String> {
    let root = package_url(subject);
    let mut listed: BTreeMap<&str, Value> = BTreeMap::new();
    let mut dependencies: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for component in components {
        listed.insert(&component.purl, entry(component)?);
        dependencies.entry(&component.purl).or_default();
    }
    let known: BTreeSet<&str> = listed.keys().copied().collect();
    for component in components {
        let needed = component.dependencies.iter().filter_map(|purl| known.get(purl.as_str()).copied());
        let needed = needed.filter(|purl| *purl != component.purl);
        dependencies.entry(&component.purl).or_default().extend(needed);
    }
    // What nobody in the tree needs is there because of the service.
    let wanted: BTreeSet<&str> = dependencies.values().flatten().copied().collect();
    let direct: BTreeSet<&str> = components.iter().filter(|one| one.direct).map(|one| one.purl.as_str()).collect();
    let of_root: BTreeSet<&str> =
        known.iter().filter(|purl| direct.contains(*purl) || !wanted.contains(*purl)).copied().collect();
    let mut graph = vec![json!({ "ref": root, "dependsOn": of_root })];
    graph.extend(dependencies.iter().map(|(purl, needed)| json!({ "ref": purl, "dependsOn": needed })));

    let time = jiff::Timestamp::from_second(subject.time).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let tool = json!({ "type": "application", "name": "packhouse", "version": env!("CARGO_PKG_VERSION") });
    let mut document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "lifecycles": [{ "phase": "build" }],
            "tools": { "components": [tool] },
            "component": about(subject, &root),
        },
        "components": listed.into_values().collect::<Vec<_>>(),
        "dependencies": graph,
    });
    let serial = serial_number(&document.to_string());
    if let Some(object) = document.as_object_mut() {
        object.insert("serialNumber".to_owned(), Value::String(serial));
    }
    let mut text = serde_json::to_string_pretty(&document).map_err(std::io::Error::other)?;
    text.push('\n');
    Ok(text)
}

/// The package itself.
fn about(subject: &Subject<'_>, root: &str) -> Value {
    let version = match subject.target.format() {
        Format::Deb => subject.version.debian(),
        Format::Rpm => subject.version.rpm(),
    };
    let contact = json!({ "name": clean(&subject.maintainer.name), "email": subject.maintainer.mail });
    let mut about = json!({
        "type": "application",
        "bom-ref": root,
        "group": subject.org.as_str(),
        "name": subject.name.as_str(),
        "version": version,
        "description": clean(subject.summary),
        "purl": root,
        "supplier": { "name": clean(&subject.maintainer.name), "contact": [contact] },
        "licenses": license(subject.license),
    });
    if let (Some(homepage), Some(object)) = (subject.homepage, about.as_object_mut()) {
        object.insert("externalReferences".to_owned(), json!([{ "type": "website", "url": homepage }]));
    }
    about
}

/// One component.
fn entry(component: &Component) -> std::io::Result<Value> {
    let mut entry = json!({
        "type": "library",
        "bom-ref": component.purl,
        "name": clean(&component.name),
        "version": clean(&component.version),
        "purl": component.purl,
        "scope": "required",
    });
    let Some(object) = entry.as_object_mut() else { return Ok(entry) };
    if let Some(expression) = &component.expression {
        object.insert("licenses".to_owned(), license(expression));
    }
    if !component.own || !component.license_files.is_empty() {
        object.insert("copyright".to_owned(), Value::String(licenses::holders(component)?.join("\n")));
    }
    let mut references = Vec::new();
    if let Some(artefact) = &component.artefact {
        let hashes: Vec<Value> =
            artefact.sha256.iter().map(|digest| json!({ "alg": "SHA-256", "content": digest.to_string() })).collect();
        if let Some(url) = &artefact.url {
            let kind = if artefact.is_checkout { "vcs" } else { "distribution" };
            references.push(json!({ "type": kind, "url": url }));
        }
        if !hashes.is_empty() {
            object.insert("hashes".to_owned(), Value::Array(hashes));
        }
    }
    references.extend(component.sboms.iter().map(|path| json!({ "type": "bom", "url": file_url(path.as_str()) })));
    if !references.is_empty() {
        object.insert("externalReferences".to_owned(), Value::Array(references));
    }
    let places = component.paths.iter().chain(&component.compiled_into);
    let occurrences: Vec<Value> = places.map(|path| json!({ "location": path.as_str() })).collect();
    if !occurrences.is_empty() {
        object.insert("evidence".to_owned(), json!({ "occurrences": occurrences }));
    }
    Ok(entry)
}

/// CycloneDX wants identifiers of the list by themselves, and everything else as an expression.
fn license(expression: &Expression) -> Value {
    match expression {
        Expression::License(one) if one.addition.is_none() && one.license.id().is_some() => {
            let text = one.to_string();
            match text.ends_with('+') {
                true => json!([{ "expression": text }]),
                false => json!([{ "license": { "id": text } }]),
            }
        }
        Expression::License(one) if one.addition.is_none() => json!([{ "license": { "name": one.to_string() } }]),
        other => json!([{ "expression": other.to_string() }]),
    }
}

/// The package URL of the package (<https://github.com/package-url/purl-spec>, types `deb` and `rpm`).
fn package_url(subject: &Subject<'_>) -> String {
    let Subject { name, org, version, target, architecture, .. } = subject;
    let distribution = percent(&target.distribution.name);
    match target.format() {
        Format::Deb => {
            let version = percent(&version.debian());
            format!("pkg:deb/{org}/{name}@{version}?arch={architecture}&distro={distribution}")
        }
        Format::Rpm => {
            let plain = Version { epoch: 0, ..(*version).clone() };
            let epoch = if version.epoch == 0 { String::new() } else { format!("&epoch={}", version.epoch) };
            format!("pkg:rpm/{org}/{name}@{}?arch={architecture}&distro={distribution}{epoch}", percent(&plain.rpm()))
        }
    }
}

const KEPT: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// Part of a package URL: letters, digits and `.-_~` stand as they are.
pub(crate) fn percent(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, KEPT).to_string()
}

fn file_url(path: &str) -> String {
    let parts: Vec<String> = path.split('/').map(percent).collect();
    format!("file://{}", parts.join("/"))
}

/// A UUID of version 8 (RFC 9562, 5.8) from the content's SHA-256.
fn serial_number(content: &str) -> String {
    let mut digits: Vec<char> = Sha256::of(content.as_bytes()).to_string().chars().take(32).collect();
    for (position, digit) in [(12, '8'), (16, 'a')] {
        if let Some(place) = digits.get_mut(position) {
            *place = digit;
        }
    }
    let mut text = String::from("urn:uuid:");
    for (position, digit) in digits.into_iter().enumerate() {
        if matches!(position, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_number_follows_from_the_content() {
        let serial = serial_number("x");
        assert_eq!(serial, serial_number("x"));
        assert_ne!(serial, serial_number("y"));
        let parts: Vec<usize> = serial.trim_start_matches("urn:uuid:").split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
    }

    #[test]
    fn what_urls_reserve_is_escaped() {
        assert_eq!(percent("1:2.0+x~rc1-1"), "1%3A2.0%2Bx~rc1-1");
        assert_eq!(file_url("/usr/lib/a b/x"), "file:///usr/lib/a%20b/x");
    }
}
