//! `[tool.poetry]` of pyproject.toml, in the words of the standards.
//!
//! Poetry's version constraints (`^1.2`, `~1.2`, `1.*`, `>=1,<2 || >=3`) are not PEP 440's; source:
//! <https://python-poetry.org/docs/dependency-specification/>. An alternative (`||`) has no form in PEP 508 and is an
//! error, except for Python itself, where it becomes a marker.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use super::facts::{Dependencies, Facts, Field, check_requirement, entry_point, metadata_requirement, program_names};
use super::requirements::PathRequirement;
use super::requirements::requirement::join_normalised;
use super::source::{Error, Source};
use super::toml_tree::Item;

/// Reads the table; `dependencies_only` when `[project]` says all but the dependencies.
pub(super) fn read(source: &Source, poetry: Item<'_>) -> Result<Facts, Error> {
    let mut facts = Facts {
        name: poetry.string(source, "name")?,
        version: poetry.string(source, "version")?,
        summary: poetry.string(source, "description")?,
        license: poetry.string(source, "license")?,
        ..Facts::default()
    };
    // `version = "0.0.0"` together with a plugin that takes the version from git.
    let plugin = poetry.root_tool("poetry-dynamic-versioning").and_then(|plugin| plugin.get("enable"));
    if plugin.and_then(|enable| enable.value.as_bool()) == Some(true) {
        facts.version = None;
    }
    let mut dependencies = Dependencies::default();
    let mut optional: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, item) in poetry.entries(source, "dependencies")? {
        if name.eq_ignore_ascii_case("python") {
            facts.requires_python = python(source, item)?;
            continue;
        }
        match item.value.as_array() {
            Some(_) => {
                for one in item.elements() {
                    dependency(source, name, one, &mut dependencies, &mut optional, &mut facts)?;
                }
            }
            None => dependency(source, name, item, &mut dependencies, &mut optional, &mut facts)?,
        }
    }
    facts.dependencies = Some(dependencies);
    let mut extras = BTreeMap::new();
    for (name, item) in poetry.entries(source, "extras")? {
        let mut requirements = Vec::new();
        for member in item.strings(source)? {
            let key = crate::name::normalize(member.0.split(['[', '>', '=', '<', ' ']).next().unwrap_or_default());
            match optional.get(&key) {
                Some(known) => requirements.extend(known.iter().cloned()),
                // Not optional: everybody has it.
                None => continue,
            }
        }
        extras.insert(crate::name::normalize(name), requirements);
    }
    facts.optional_dependencies = Some(extras);
    let mut scripts = Vec::new();
    for (name, item) in poetry.entries(source, "scripts")? {
        let target = match item.value.as_str() {
            Some(target) => Some(target.to_owned()),
            None => {
                let kind = item.string(source, "type")?.unwrap_or_default();
                let reference = item.string(source, "callable")?.or(item.string(source, "reference")?);
                if kind == "file" {
                    facts.programs.extend(program_names(reference.as_deref()));
                    continue;
                }
                reference
            }
        };
        match target {
            Some(target) => scripts.push(entry_point(source, name, &target, item.span())?),
            None => facts.unread.push((Field::Other, item.note(source, &format!("script {name} calls nothing")))),
        }
    }
    facts.scripts = Some(scripts);
    Ok(facts)
}

/// `python = "^3.9"`.
fn python(source: &Source, item: Item<'_>) -> Result<Option<String>, Error> {
    let text = item.as_string(source)?;
    let alternatives = convert_at(source, &text, item.span())?;
    match alternatives.as_slice() {
        [one] => Ok((!one.is_empty()).then(|| one.join(","))),
        several => {
            // The span from the lowest to the highest: Requires-Python has no alternative.
            let lowest = several.first().and_then(|first| first.iter().find(|part| part.starts_with('>')).cloned());
            let highest = several.last().and_then(|last| last.iter().find(|part| part.starts_with('<')).cloned());
            Ok(Some(lowest.into_iter().chain(highest).collect::<Vec<_>>().join(",")).filter(|text| !text.is_empty()))
        }
    }
}

fn dependency(
    source: &Source,
    name: &str,
    item: Item<'_>,
    dependencies: &mut Dependencies,
    optional: &mut BTreeMap<String, Vec<String>>,
    facts: &mut Facts,
) -> Result<(), Error> {
    let span = item.span();
    let fault = |message: String, hints: &[&str]| source.error(span.clone(), message, hints);
    if item.value.as_str().is_none() && item.value.as_table().is_none() {
        return Err(fault(format!("the dependency `{name}` must be a text or a table"), &[]));
    }
    let table = item.value.as_table().map(|_| item);
    let string = |key| table.map_or(Ok(None), |table| table.string(source, key));
    let flag = |key| table.and_then(|table| table.get(key)).and_then(|value| value.value.as_bool()).unwrap_or(false);
    let extras = match table.and_then(|table| table.get("extras")) {
        Some(extras) => extras.strings(source)?.into_iter().map(|(extra, _)| crate::name::normalize(&extra)).collect(),
        None => Vec::new(),
    };
    let marker = marker(source, item, table)?;
    if let Some(index) = string("source")? {
        let what = format!("{name} is to come from poetry's source {index}: give it an [[index]] in packhouse.toml");
        facts.unread.push((Field::Other, item.note(source, &what)));
    }
    if string("git")?.is_some() {
        return Err(fault(
            format!("`{name}` comes from a git repository, whose content is not fixed by a hash"),
            &[
                "name an archive of the commit: `url = \"https://…/archive/<commit>.tar.gz\"`",
                "or make it a git submodule and name its directory: `path = \"…\"`",
            ],
        ));
    }
    if let Some(path) = string("path")? {
        if flag("optional") {
            return Err(fault(format!("`{name}` is an optional directory, which is not understood"), &[]));
        }
        let directory = source.path.parent().unwrap_or(Path::new("/"));
        dependencies.paths.push(PathRequirement {
            name: Some(name.to_owned()),
            extras,
            marker,
            path: join_normalised(directory, Path::new(&path)),
            editable: flag("develop"),
            file: source.path.clone(),
            line: source.line_at(span.start),
        });
        return Ok(());
    }
    let extras_text = if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
    let mut requirement = format!("{name}{extras_text}");
    if let Some(url) = string("url")? {
        requirement = format!("{requirement} @ {url}");
    } else {
        let text = match item.value.as_str() {
            Some(text) => text.to_owned(),
            None => string("version")?.unwrap_or_else(|| "*".to_owned()),
        };
        match convert_at(source, &text, span.clone())?.as_slice() {
            [one] => requirement.push_str(&one.join(",")),
            _ => {
                let message = format!("`{name}`: alternatives (`||`) cannot be said as a requirement of PEP 508");
                return Err(fault(message, &["write one range, with `!=` for what is to be left out"]));
            }
        }
    }
    if let Some(marker) = marker {
        requirement = format!("{requirement} ; {marker}");
    }
    if flag("optional") {
        let checked = check_requirement(source, &requirement, span)?;
        optional.entry(crate::name::normalize(name)).or_default().push(checked);
    } else {
        dependencies.push(metadata_requirement(source, &requirement, span)?);
    }
    Ok(())
}

/// `markers`, `python` and `platform` of a dependency's table, as one marker.
fn marker(source: &Source, item: Item<'_>, table: Option<Item<'_>>) -> Result<Option<String>, Error> {
    let Some(table) = table else { return Ok(None) };
    let mut parts = Vec::new();
    if let Some(markers) = table.string(source, "markers")? {
        parts.push(markers);
    }
    if let Some(platform) = table.string(source, "platform")? {
        parts.push(format!("sys_platform == \"{}\"", platform.replace('"', "")));
    }
    if let Some(python) = table.string(source, "python")? {
        let alternatives = convert_at(source, &python, item.span())?;
        if alternatives.iter().all(|alternative| !alternative.is_empty()) {
            let all: Vec<String> = alternatives.iter().map(|parts| python_marker(parts)).collect();
            parts.push(all.join(" or "));
        }
    }
    Ok(match parts.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        several => Some(several.iter().map(|part| format!("({part})")).collect::<Vec<_>>().join(" and ")),
    })
}

fn python_marker(specifiers: &[String]) -> String {
    let parts: Vec<String> = specifiers
        .iter()
        .map(|specifier| {
            let at = specifier.find(|character: char| character.is_ascii_digit()).unwrap_or(specifier.len());
            let (operator, version) = specifier.split_at_checked(at).unwrap_or((specifier, ""));
            let short = version.split('.').count() <= 2 && matches!(operator, ">=" | "<");
            let variable = if short { "python_version" } else { "python_full_version" };
            format!("{variable} {operator} \"{version}\"")
        })
        .collect();
    parts.join(" and ")
}

fn convert_at(source: &Source, text: &str, span: Range<usize>) -> Result<Vec<Vec<String>>, Error> {
    convert(text).ok_or_else(|| source.error(span, format!("`{text}` is no version constraint"), &[]))
}

/// A constraint of Poetry's: alternatives of PEP 440 specifiers that hold together; no specifiers: any version.
pub(super) fn convert(text: &str) -> Option<Vec<Vec<String>>> {
    text.split("||").flat_map(|part| part.split('|')).map(convert_range).collect()
}

fn convert_range(text: &str) -> Option<Vec<String>> {
    const OPERATORS: &[&str] = &["===", "==", "~=", ">=", "<=", "!=", "^", "~", ">", "<", "="];
    let mut result = Vec::new();
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let operator = OPERATORS.iter().find(|operator| rest.starts_with(**operator)).copied().unwrap_or("");
        rest = rest.get(operator.len()..)?.trim_start();
        let end = rest.find(|character: char| character == ',' || character.is_whitespace()).unwrap_or(rest.len());
        let (version, after) = rest.split_at_checked(end)?;
        rest = after.trim_start_matches(|character: char| character == ',' || character.is_whitespace());
        match (operator, version) {
            ("" | "==" | "=", "*") => {}
            ("^", version) => result.extend([format!(">={version}"), format!("<{}", next_breaking(version)?)]),
            ("~", version) => result.extend([format!(">={version}"), format!("<{}", next_minor(version)?)]),
            ("" | "=", version) => result.push(format!("=={version}")),
            (operator, version) => result.push(format!("{operator}{version}")),
        }
    }
    for specifier in &result {
        specifier.parse::<pep440_rs::VersionSpecifier>().ok()?;
    }
    Some(result)
}

fn release(version: &str) -> Option<Vec<u64>> {
    let version: pep440_rs::Version = version.parse().ok()?;
    Some(version.release().to_vec())
}

/// The first version that `^version` excludes: the leftmost part that is not zero goes up.
fn next_breaking(version: &str) -> Option<String> {
    let parts = release(version)?;
    let at = parts.iter().take(3).position(|part| *part > 0).unwrap_or(parts.len().clamp(1, 3) - 1);
    bump(&parts, at)
}

/// The first version that `~version` excludes.
fn next_minor(version: &str) -> Option<String> {
    let parts = release(version)?;
    bump(&parts, if parts.len() > 1 { 1 } else { 0 })
}

fn bump(parts: &[u64], at: usize) -> Option<String> {
    let mut kept: Vec<String> = parts.get(..at)?.iter().map(u64::to_string).collect();
    kept.push(parts.get(at)?.checked_add(1)?.to_string());
    if kept.len() == 1 {
        kept.push("0".to_owned());
    }
    Some(kept.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_become_the_specifiers_that_poetry_documents() {
        let cases = [
            ("^1.2.3", ">=1.2.3,<2.0"),
            ("^1.2", ">=1.2,<2.0"),
            ("^1", ">=1,<2.0"),
            ("^0.2.3", ">=0.2.3,<0.3"),
            ("^0.0.3", ">=0.0.3,<0.0.4"),
            ("^0.0", ">=0.0,<0.1"),
            ("^0", ">=0,<1.0"),
            ("~1.2.3", ">=1.2.3,<1.3"),
            ("~1.2", ">=1.2,<1.3"),
            ("~1", ">=1,<2.0"),
            ("*", ""),
            ("1.*", "==1.*"),
            ("1.2.3", "==1.2.3"),
            ("==1.2.3", "==1.2.3"),
            (">= 1.2, < 1.5", ">=1.2,<1.5"),
            (">=1.2 <1.5", ">=1.2,<1.5"),
            ("~=1.4", "~=1.4"),
            ("^1.0,!=1.3", ">=1.0,<2.0,!=1.3"),
            ("^2.0.0b1", ">=2.0.0b1,<3.0"),
        ];
        for (text, expected) in cases {
            let converted = convert(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(converted, [expected.split(',').filter(|s| !s.is_empty()).collect::<Vec<_>>()], "{text}");
        }
        assert_eq!(convert("^2.7 || ^3.6").unwrap().len(), 2);
        for bad in ["", "^", "abc", "^1.x", ">=", "1 ||", "^99999999999999999999999"] {
            assert_eq!(convert(bad), None, "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_converter_panic(text in "\\PC{0,40}") {
            let _ = convert(&text);
        }
        #[test]
        fn no_constraint_makes_the_converter_panic(text in "[\\^~<>=!*|, 0-9.ab]{0,20}") {
            let _ = convert(&text);
        }
    }
}
