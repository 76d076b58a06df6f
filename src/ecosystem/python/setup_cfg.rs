//! setup.cfg, as setuptools reads it.
//!
//! Source: <https://setuptools.pypa.io/en/latest/userguide/declarative_config.html> and `setuptools/config/setupcfg.py`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use super::facts::{
    Dependencies, Facts, Field, check_requirement, entry_point, metadata_requirement, program_names, split_extra,
    with_marker,
};
use super::ini::{Entry, Section, interpolated, parse};
use super::project::EntryPoint;
use super::referenced;
use super::requirements::Requirement;
use super::setup_py::StaticModules;
use super::source::{Error, Source};

/// Reads the file; `None` when it configures other tools only.
pub(super) fn read(source: &Source) -> Result<Option<Facts>, Error> {
    let sections = parse(source)?;
    let section = |name: &str| interpolated(source, &sections, name);
    let (metadata, options) = (section("metadata")?, section("options")?);
    let (metadata, options) = (metadata.as_ref(), options.as_ref());
    let is_package = metadata.is_some_and(|section| get(section, "name").is_some()) || options.is_some();
    if !is_package {
        return Ok(None);
    }
    let mut facts = Facts::default();
    if let Some(metadata) = metadata {
        let text = |key| get(metadata, key).map(Entry::value).filter(|value| !value.is_empty());
        facts.name = text("name");
        facts.summary = text("description").or_else(|| text("summary"));
        facts.license = text("license").filter(|license| !license.starts_with("file:") && !license.contains('\n'));
        if let Some(entry) = get(metadata, "version") {
            version(source, entry, &sections, &mut facts)?;
        }
    }
    if let Some(options) = options {
        facts.requires_python = get(options, "python_requires").map(Entry::value).filter(|value| !value.is_empty());
        if let Some(entry) = get(options, "install_requires") {
            let dependencies = facts.dependencies.get_or_insert_default();
            requirements(source, entry, dependencies, &mut facts.files)?;
        }
        if let Some(entry) = get(options, "setup_requires") {
            for (text, span) in list(entry) {
                facts.setup_requires.push(check_requirement(source, &text, span)?);
            }
        }
        if let Some(entry) = get(options, "scripts") {
            facts.programs = program_names(entry.lines.iter().map(|(line, _)| line.as_str()));
        }
        if let Some(entry) = get(options, "entry_points") {
            facts.scripts = entry_points(source, &entry.value(), entry.span(), &mut facts.files)?;
        }
    }
    if let Some(section) = section("options.extras_require")? {
        extras(source, &section, &mut facts)?;
    }
    if let Some(section) = section("options.entry_points")? {
        let mut scripts = Vec::new();
        if let Some(entry) = get(&section, "console_scripts") {
            for (line, span) in entry.lines.iter().filter(|(line, _)| !line.is_empty()) {
                scripts.push(script(source, line, span.clone())?);
            }
        }
        facts.scripts = Some(scripts);
    }
    Ok(Some(facts))
}

/// A key in any of the spellings that setuptools takes (`python-requires`, `Name`).
fn get<'a>(section: &'a Section, key: &str) -> Option<&'a Entry> {
    section.entries.iter().find(|entry| entry.key.to_ascii_lowercase().replace('-', "_") == key)
}

/// A list: one a line, or with `;` in one line.
fn list(entry: &Entry) -> Vec<(String, Range<usize>)> {
    let is_one_line = entry.lines.iter().skip(1).all(|(line, _)| line.is_empty());
    let mut result = Vec::new();
    for (line, span) in entry.lines.iter().filter(|(line, _)| !line.is_empty() && !line.starts_with('#')) {
        // A `;` in a single line divides requirements, so such a line can hold no marker (setuptools' rule).
        let parts: Vec<&str> = if is_one_line { line.split(';').collect() } else { vec![line.as_str()] };
        for part in parts.into_iter().map(str::trim).filter(|part| !part.is_empty()) {
            result.push((part.to_owned(), span.clone()));
        }
    }
    result
}

/// The names behind `file:`.
fn file_names(value: &str) -> Option<Vec<String>> {
    let names = value.strip_prefix("file:")?;
    Some(names.split([',', '\n']).map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

fn requirements(
    source: &Source,
    entry: &Entry,
    into: &mut Dependencies,
    files: &mut Vec<std::path::PathBuf>,
) -> Result<(), Error> {
    if let Some(names) = file_names(&entry.value()) {
        for name in names {
            into.take(referenced::requirements(source, &name, entry.span())?, files);
        }
        return Ok(());
    }
    for (text, span) in list(entry) {
        into.push(metadata_requirement(source, &text, span)?);
    }
    Ok(())
}

fn version(source: &Source, entry: &Entry, sections: &[Section], facts: &mut Facts) -> Result<(), Error> {
    let value = entry.value();
    if let Some(names) = file_names(&value) {
        let mut text = String::new();
        for name in names {
            let file = referenced::read(source, &name, entry.span())?;
            text.push_str(file.text.trim());
            facts.files.push(file.path);
        }
        facts.version = Some(text);
        return Ok(());
    }
    let Some(attribute) = value.strip_prefix("attr:") else {
        facts.version = (!value.is_empty()).then_some(value);
        return Ok(());
    };
    let attribute = attribute.trim();
    let directory = source.path.parent().unwrap_or(Path::new("/"));
    let mut package_directories = BTreeMap::new();
    if let Some(options) = sections.iter().find(|section| section.name == "options") {
        for (line, _) in get(options, "package_dir").into_iter().flat_map(|entry| &entry.lines) {
            for (package, path) in line.split(',').filter_map(|part| part.split_once('=')) {
                package_directories.insert(package.trim().to_owned(), path.trim().to_owned());
            }
        }
    }
    match StaticModules::new(directory, package_directories).attribute(attribute)? {
        Some((version, file)) => {
            facts.version = Some(version);
            facts.files.push(file);
        }
        None => {
            let line = source.line_at(entry.span().start);
            facts.unread.push((Field::Version, format!("setup.cfg:{line}: version is no literal {attribute}")));
        }
    }
    Ok(())
}

fn extras(source: &Source, section: &Section, facts: &mut Facts) -> Result<(), Error> {
    let mut optional: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in &section.entries {
        let mut found = Dependencies::default();
        requirements(source, entry, &mut found, &mut facts.files)?;
        let (name, marker) = split_extra(&entry.key);
        let texts = list(entry);
        if file_names(&entry.value()).is_some() {
            optional.entry(name).or_default().extend(found.texts(source, entry.span())?);
            continue;
        }
        for (text, span) in texts {
            let text = marker.as_deref().map_or(text.clone(), |marker| with_marker(&text, marker));
            if name.is_empty() {
                let requirement: Requirement = metadata_requirement(source, &text, span)?;
                facts.dependencies.get_or_insert_default().push(requirement);
            } else {
                optional.entry(name.clone()).or_default().push(check_requirement(source, &text, span)?);
            }
        }
        if !name.is_empty() {
            optional.entry(name).or_default();
        }
    }
    facts.optional_dependencies = Some(optional);
    Ok(())
}

/// The console scripts of an INI text (`entry_points = """…"""`), or of the file that `file:` names.
pub(super) fn entry_points(
    source: &Source,
    text: &str,
    span: Range<usize>,
    files: &mut Vec<std::path::PathBuf>,
) -> Result<Option<Vec<EntryPoint>>, Error> {
    let inner = match file_names(text) {
        Some(names) => {
            let name = names.first().cloned().unwrap_or_default();
            let file = referenced::read(source, &name, span.clone())?;
            files.push(file.path.clone());
            file
        }
        None => {
            // The text of a literal may be indented as a whole.
            let lines: Vec<&str> = text.lines().map(str::trim).collect();
            Source { path: source.path.clone(), text: lines.join("\n") }
        }
    };
    let mut scripts = Vec::new();
    let mut is_console = false;
    for line in inner.text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            is_console = name.trim() == "console_scripts";
        } else if is_console {
            scripts.push(script(source, line, span.clone())?);
        }
    }
    Ok(Some(scripts))
}

/// `name = module:attribute`.
pub(super) fn script(source: &Source, line: &str, span: Range<usize>) -> Result<EntryPoint, Error> {
    match line.split_once('=') {
        Some((name, value)) => entry_point(source, name, value.trim(), span),
        None => {
            let message = format!("`{line}` is no entry point");
            Err(source.error(span, message, &["write `name = package.module:function`"]))
        }
    }
}
