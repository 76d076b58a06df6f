//! Licence texts and notices of what is compiled into programs: nothing of it is in the tree, so they are installed beside
//! the documentation. Texts that every copyright file has anyhow are left out.

use crate::name::PackageName;
use crate::package::{Component, Error, licenses};
use crate::target::Format;
use crate::tree::{Entry, InstallPath, Node, Role, Tree};

/// Installs them, and notes in `components` where.
pub(in crate::package) fn install_notices(
    tree: &mut Tree,
    package: &PackageName,
    format: Format,
    components: &mut [Component],
) -> Result<(), Error> {
    let conflict = |conflict| Error::Conflict { package: package.to_string(), conflict };
    for component in components.iter_mut().filter(|component| !component.compiled_into.is_empty()) {
        let directory = format!("{}-{}", word(&component.name), word(&component.version));
        for file in component.license_files.iter_mut().filter(|file| file.installed.is_none()) {
            if licenses::standard_text(file)?.is_some() {
                continue;
            }
            let place = match format {
                Format::Deb => format!("/usr/share/doc/{package}/third-party"),
                Format::Rpm => format!("/usr/share/licenses/{package}"),
            };
            let path = InstallPath::parse(&format!("{place}/{directory}/{}", word(&file.name)));
            let path = path.map_err(|invalid| Error::Path { package: package.to_string(), invalid })?;
            let entry = Entry::root(Node::File(file.content.clone()), 0o644).with_role(Role::License).vendored();
            tree.insert(path.clone(), entry).map_err(conflict)?;
            file.installed = Some(path);
        }
    }
    Ok(())
}

/// A name as part of a path.
fn word(text: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "._+-".contains(character);
    let word: String = text.chars().take(100).map(|character| if plain(character) { character } else { '-' }).collect();
    if word.trim_matches('.').is_empty() { format!("-{word}") } else { word }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_part_of_a_path() {
        assert_eq!(word("1.0+x"), "1.0+x");
        assert_eq!(word("../../etc/passwd"), "..-..-etc-passwd");
        assert_eq!(word(".."), "-..");
        assert_eq!(word(""), "-");
    }
}
