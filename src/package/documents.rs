//! The texts that every package carries: copyright (DEP-5), the licence, lintian's overrides.

use minijinja::context;

use super::{Component, Error, template};
use crate::name::PackageName;
use crate::tree::{InstallPath, Node, Tree};

/// Licences whose text every Debian system has (Policy 12.5).
const COMMON_LICENSES: &[(&str, &str)] = &[
    ("Apache-2.0", "Apache-2.0"),
    ("GPL-2.0-only", "GPL-2"),
    ("GPL-2.0-or-later", "GPL-2"),
    ("GPL-3.0-only", "GPL-3"),
    ("GPL-3.0-or-later", "GPL-3"),
    ("LGPL-2.1-only", "LGPL-2.1"),
    ("LGPL-2.1-or-later", "LGPL-2.1"),
    ("LGPL-3.0-only", "LGPL-3"),
    ("LGPL-3.0-or-later", "LGPL-3"),
    ("MPL-2.0", "MPL-2.0"),
    ("CC0-1.0", "CC0-1.0"),
];

/// What the copyright file says.
pub(super) struct Copyright<'a> {
    pub(super) name: &'a PackageName,
    pub(super) maintainer: String,
    pub(super) holder: &'a str,
    pub(super) homepage: Option<&'a str>,
    pub(super) prefix: &'a InstallPath,
    pub(super) components: &'a [Component],
    /// SPDX expression of the project's own code.
    pub(super) license: &'a str,
    /// The project's licence file, if it has one.
    pub(super) license_text: Option<&'a str>,
    /// The year of the package's time.
    pub(super) year: i16,
}

/// The copyright file in the machine-readable format.
pub(super) fn copyright(copyright: &Copyright<'_>) -> Result<String, Error> {
    let common = COMMON_LICENSES.iter().find(|(spdx, _)| *spdx == copyright.license).map(|(_, file)| file);
    let text = match (common, copyright.license_text) {
        (Some(file), _) => format!("On Debian systems, the full text is in /usr/share/common-licenses/{file}."),
        (None, Some(text)) => text.to_owned(),
        (None, None) => format!("The terms are those that the SPDX identifier {} stands for.", copyright.license),
    };
    let components: Vec<_> = copyright
        .components
        .iter()
        .map(|component| {
            context! {
                name => single_line(&component.name),
                version => single_line(&component.version),
                license => component.license.as_deref().map_or_else(|| "see its own files".to_owned(), first_line),
            }
        })
        .collect();
    let values = context! {
        name => copyright.name.as_str(),
        maintainer => copyright.maintainer.clone(),
        homepage => copyright.homepage.map(single_line),
        prefix => copyright.prefix.as_str(),
        components,
        year => copyright.year,
        holder => single_line(copyright.holder),
        license => single_line(copyright.license),
        license_text => folded(&text),
    };
    Ok(template::render(include_str!("../../templates/deb/copyright"), values)?)
}

/// lintian's overrides for what vendoring is about; own code is never covered.
pub(super) fn lintian_overrides(
    package: &PackageName,
    prefix: &InstallPath,
    tree: &Tree,
    python: bool,
) -> Result<String, Error> {
    let mut binaries = false;
    let mut bytecode = false;
    for (path, entry) in tree.iter() {
        binaries |= entry.vendored && path.file_name().contains(".so") && matches!(entry.node, Node::File(_));
        bytecode |= path.as_str().ends_with(".pyc");
    }
    let values = context! { package => package.as_str(), tree => prefix.relative(), binaries, python, bytecode };
    Ok(template::render(include_str!("../../templates/deb/lintian-overrides"), values)?)
}

/// `text` as the continuation of a control field: each line after one space, empty ones as ` .`.
fn folded(text: &str) -> String {
    let lines = text.trim_end().lines().map(|line| {
        let line: String = line.chars().filter(|character| !character.is_control() || *character == '\t').collect();
        if line.trim().is_empty() { " .".to_owned() } else { format!(" {}", line.trim_end().replace('\t', "    ")) }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn single_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first line of a licence field, which some projects fill with the whole text; cut at 60 characters.
fn first_line(text: &str) -> String {
    let line = single_line(text.trim().lines().next().unwrap_or_default());
    match line.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None if line.is_empty() => "see its own files".to_owned(),
        None => line,
    }
}
