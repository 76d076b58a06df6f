//! `debian/copyright` in the machine-readable format (copyright-format 1.0); RPM packages carry the same file as their
//! `%license`.
//!
//! Own code is `Files: *`; after it comes a paragraph for each group of components that have one licence and one set of
//! holders, with the paths that are theirs. What is compiled into a program has no path: the program has the licences of all
//! that went into it, and the notices of all holders. Each licence's text stands once, as a paragraph of its own.

use std::collections::BTreeMap;

use minijinja::{Value, context};

use super::folded;
use super::license_texts::license_paragraphs;
use crate::name::PackageName;
use crate::package::changelog::clean;
use crate::package::licenses::{self, Expression};
use crate::package::{Component, Error, template};
use crate::target::Format;
use crate::tree::{InstallPath, Node, Tree};

/// What the copyright file says.
pub(in crate::package) struct Copyright<'a> {
    pub(in crate::package) name: &'a PackageName,
    pub(in crate::package) maintainer: String,
    pub(in crate::package) holder: &'a str,
    /// What the configuration says of the copyright of the project's own code.
    pub(in crate::package) notice: Option<&'a str>,
    pub(in crate::package) homepage: Option<&'a str>,
    pub(in crate::package) prefix: &'a InstallPath,
    /// Tells directories from files.
    pub(in crate::package) tree: &'a Tree,
    /// Settled.
    pub(in crate::package) components: &'a [Component],
    /// The licence of the project's own code.
    pub(in crate::package) license: &'a Expression,
    /// The project's licence file, if it has one.
    pub(in crate::package) license_text: Option<&'a str>,
    /// Debian's packages name the texts that every Debian system has; others carry them.
    pub(in crate::package) format: Format,
    /// The year of the package's time.
    pub(in crate::package) year: i16,
}

/// A paragraph about files.
#[derive(Debug)]
struct Stanza {
    files: Vec<String>,
    holders: Vec<String>,
    license: String,
    comment: String,
}

/// The copyright file.
pub(in crate::package) fn copyright(copyright: &Copyright<'_>) -> Result<String, Error> {
    let own = match copyright.notice {
        Some(notice) => clean(notice),
        None => format!("{} {}", copyright.year, clean(copyright.holder)),
    };
    let mut stanzas = vec![Stanza {
        files: vec!["*".to_owned()],
        holders: vec![own.clone()],
        license: copyright.license.debian(),
        comment: String::new(),
    }];
    stanzas.extend(with_files(copyright)?);
    stanzas.extend(compiled_in(copyright, own)?);
    let stanzas: Vec<Value> = stanzas
        .into_iter()
        .map(|stanza| {
            context! {
                files => stanza.files.join("\n "),
                holders => stanza.holders.join("\n "),
                license => stanza.license,
                comment => folded(&stanza.comment),
            }
        })
        .collect();
    let paragraphs = license_paragraphs(copyright)?.into_iter();
    let licenses: Vec<Value> = paragraphs.map(|(name, text)| context! { name, text => folded(&text) }).collect();
    let values = context! {
        name => copyright.name.as_str(),
        maintainer => copyright.maintainer.clone(),
        homepage => copyright.homepage.map(clean),
        comment => folded(&remarks(copyright)),
        stanzas,
        licenses,
    };
    Ok(template::render(include_str!("../../../templates/deb/copyright"), values)?)
}

/// What the header says of third parties.
fn remarks(copyright: &Copyright<'_>) -> String {
    if copyright.components.iter().all(|component| component.own) {
        return String::new();
    }
    let has_tree = copyright.tree.iter().any(|(path, _)| path.is_within(copyright.prefix));
    let mut text = match copyright.components.iter().any(|component| !component.compiled_into.is_empty()) {
        true if !has_tree => "The programs are compiled with third-party libraries.".to_owned(),
        true => format!("The programs below {}\nare compiled with third-party libraries.", copyright.prefix),
        false => format!("The tree below {}\ncarries third-party components as they were released.", copyright.prefix),
    };
    text.push_str(&format!(
        "\nWhat is inside, with its origin and digests, is listed in the SBOM (CycloneDX):\n/usr/share/doc/{0}/{0}.cdx.json",
        copyright.name
    ));
    let without = copyright.components.iter().filter(|one| one.paths.is_empty() && one.compiled_into.is_empty());
    let without: Vec<String> = without.map(|component| format!("\n  {}", line_of(component))).collect();
    if !without.is_empty() {
        text.push_str("\nAmong them, without a file that is theirs alone:");
        text.push_str(&without.concat());
    }
    text
}

fn line_of(component: &Component) -> String {
    let license = component.expression.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{} {}: {license}", clean(&component.name), clean(&component.version))
}

/// Components that have files of their own, grouped.
fn with_files(copyright: &Copyright<'_>) -> Result<Vec<Stanza>, Error> {
    let mut groups: BTreeMap<(String, Vec<String>), Vec<&Component>> = BTreeMap::new();
    for component in copyright.components.iter().filter(|component| !component.paths.is_empty()) {
        let license = component.expression.as_ref().map(Expression::debian).unwrap_or_default();
        groups.entry((license, holders_of(component, copyright)?)).or_default().push(component);
    }
    let stanzas = groups.into_iter().map(|((license, holders), components)| {
        let mut files: Vec<String> =
            components.iter().flat_map(|one| &one.paths).flat_map(|path| patterns(path, copyright.tree)).collect();
        files.sort();
        files.dedup();
        let names: Vec<String> =
            components.iter().map(|one| format!("{} {}", clean(&one.name), clean(&one.version))).collect();
        Stanza { files, holders, license, comment: names.join("\n") }
    });
    let mut stanzas: Vec<Stanza> = stanzas.collect();
    stanzas.sort_by(|left, right| left.files.cmp(&right.files));
    Ok(stanzas)
}

fn holders_of(component: &Component, copyright: &Copyright<'_>) -> Result<Vec<String>, Error> {
    if component.own && component.license_files.is_empty() {
        return Ok(vec![format!("{} {}", copyright.year, clean(copyright.holder))]);
    }
    Ok(licenses::holders(component)?)
}

/// Programs with what is compiled into them.
fn compiled_in(copyright: &Copyright<'_>, own: String) -> Result<Vec<Stanza>, Error> {
    let mut programs: BTreeMap<Vec<&InstallPath>, Vec<&Component>> = BTreeMap::new();
    for component in copyright.components.iter().filter(|component| !component.compiled_into.is_empty()) {
        programs.entry(component.compiled_into.iter().collect()).or_default().push(component);
    }
    let mut stanzas = Vec::new();
    for (paths, components) in programs {
        // One holder of many crates is named once.
        let mut holders: Vec<(String, Vec<String>)> = Vec::new();
        let mut comment = String::from("Compiled into it:");
        for component in &components {
            comment.push_str(&format!("\n  {}", line_of(component)));
            for file in component.license_files.iter().filter_map(|file| file.installed.as_ref()) {
                comment.push_str(&format!("\n    see {file}"));
            }
            for holder in holders_of(component, copyright)?.into_iter().filter(|holder| *holder != own) {
                match holders.iter_mut().find(|(known, _)| *known == holder) {
                    Some((_, names)) => names.push(clean(&component.name)),
                    None => holders.push((holder, vec![clean(&component.name)])),
                }
            }
        }
        let others = holders.into_iter().map(|(holder, names)| format!("{holder} ({})", names.join(", ")));
        let all = components.iter().filter_map(|component| component.expression.clone());
        let license = Expression::all(std::iter::once(copyright.license.clone()).chain(all));
        stanzas.push(Stanza {
            files: paths.into_iter().flat_map(|path| patterns(path, copyright.tree)).collect(),
            holders: std::iter::once(own.clone()).chain(others).collect(),
            license: license.as_ref().map(Expression::debian).unwrap_or_default(),
            comment,
        });
    }
    Ok(stanzas)
}

/// A path of the tree as patterns of the format: a directory with all that is in it, a module with its byte-code.
fn patterns(path: &InstallPath, tree: &Tree) -> Vec<String> {
    let mut escaped = String::new();
    for character in path.relative().chars() {
        match character {
            // Blanks separate patterns, and there is no way to quote them.
            blank if blank.is_whitespace() => escaped.push('?'),
            '*' | '?' | '\\' => escaped.extend(['\\', character]),
            other => escaped.push(other),
        }
    }
    let is_directory = tree.get(path).is_none_or(|entry| matches!(entry.node, Node::Directory));
    if is_directory {
        return vec![format!("{escaped}/*")];
    }
    let byte_code = escaped.strip_suffix(".py").and_then(|stem| {
        let (directory, stem) = stem.rsplit_once('/')?;
        Some(format!("{directory}/__pycache__/{stem}.*"))
    });
    std::iter::once(escaped).chain(byte_code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Content;

    #[test]
    fn patterns_cover_a_path_and_nothing_else() {
        let mut tree = Tree::new();
        let path = |text: &str| InstallPath::parse(text).expect("a path");
        for file in ["/usr/lib/x/six.py", "/usr/lib/x/odd *?\\name"] {
            tree.file(path(file), Content::bytes(&b""[..]), 0o644).expect("free");
        }
        assert_eq!(patterns(&path("/usr/lib/x/flask"), &tree), ["usr/lib/x/flask/*"]);
        assert_eq!(patterns(&path("/usr/lib/x/six.py"), &tree), ["usr/lib/x/six.py", "usr/lib/x/__pycache__/six.*"]);
        assert_eq!(patterns(&path("/usr/lib/x/odd *?\\name"), &tree), ["usr/lib/x/odd?\\*\\?\\\\name"]);
    }
}
