//! The texts that every package carries: copyright (DEP-5), the licence, lintian's overrides.

use minijinja::context;

use super::libraries::VendoredBinaries;
use super::{Component, Error, template};
use crate::name::PackageName;
use crate::target::Format;
use crate::tree::{InstallPath, Tree};

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
    /// Debian's packages name the texts that every Debian system has; others carry them.
    pub(super) format: Format,
    /// The year of the package's time.
    pub(super) year: i16,
}

/// The copyright file in the machine-readable format.
pub(super) fn copyright(copyright: &Copyright<'_>) -> Result<String, Error> {
    let common = COMMON_LICENSES.iter().find(|(spdx, _)| *spdx == copyright.license).map(|(_, file)| file);
    let text = match (common, copyright.license_text) {
        (Some(file), _) if copyright.format == Format::Deb => {
            format!("On Debian systems, the full text is in /usr/share/common-licenses/{file}.")
        }
        (_, Some(text)) => text.to_owned(),
        (_, None) => format!("The terms are those that the SPDX identifier {} stands for.", copyright.license),
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
        license => short_names(copyright.license),
        license_text => folded(&text),
    };
    Ok(template::render(include_str!("../../templates/deb/copyright"), values)?)
}

/// An SPDX expression as the machine-readable format writes it: its operators are in small letters there.
fn short_names(expression: &str) -> String {
    let word = |word: &str| match word {
        "AND" => "and".to_owned(),
        "OR" => "or".to_owned(),
        "WITH" => "with".to_owned(),
        other => other.to_owned(),
    };
    expression.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

/// What lintian is told not to expect.
pub(super) struct Overrides<'a> {
    pub(super) package: &'a PackageName,
    pub(super) prefix: &'a InstallPath,
    pub(super) tree: &'a Tree,
    pub(super) python: bool,
    pub(super) vendored: VendoredBinaries,
    /// Whether lintian would take it for the first upload to Debian: one entry of the changelog, and revision 1.
    pub(super) first: bool,
}

/// lintian's overrides for what vendoring is about, its errors and warnings only; own code is never covered, and what
/// would not be found is not overridden, as far as that can be told from here. `None` when there is nothing to override.
pub(super) fn lintian_overrides(overrides: &Overrides<'_>) -> Result<Option<String>, Error> {
    let bytecode = overrides.tree.iter().any(|(path, _)| path.as_str().contains("/__pycache__/"));
    let licenses = overrides.tree.iter().any(|(path, _)| {
        let name = path.file_name().to_ascii_lowercase();
        path.as_str().contains(".dist-info/")
            && ["license", "licence", "copying"].iter().any(|word| name.starts_with(word))
    });
    let values = context! {
        licenses,
        package => overrides.package.as_str(),
        tree => overrides.prefix.relative(),
        binaries => overrides.vendored.any,
        unstripped => overrides.vendored.unstripped,
        without_libc => overrides.vendored.without_libc,
        without_needs => overrides.vendored.without_needs,
        python => overrides.python,
        bytecode,
        first => overrides.first,
    };
    let text = template::render(include_str!("../../templates/deb/lintian-overrides"), values)?;
    Ok((!text.trim().is_empty()).then_some(text))
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
    let text: String = text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn first_line(text: &str) -> String {
    license_line(text).unwrap_or_else(|| "see its own files".to_owned())
}

/// The first line of a licence field, which some projects fill with the whole text; cut at 60 characters. `None` when
/// there is nothing in it.
pub(super) fn license_line(text: &str) -> Option<String> {
    let line = single_line(text.trim().lines().next().unwrap_or_default());
    match line.char_indices().nth(60) {
        Some((end, _)) => Some(format!("{}…", line.get(..end).unwrap_or_default())),
        None => Some(line).filter(|line| !line.is_empty()),
    }
}
