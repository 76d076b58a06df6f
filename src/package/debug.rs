//! The package of debug symbols that goes with a package of our own programs: `NAME-dbgsym` as dh_strip and
//! dh_gencontrol make it, `NAME-debuginfo` as rpm's find-debuginfo does.
//!
//! Only programs that were compiled here have one. Vendored binaries are shipped as they were locked, and two services that
//! vendor the same wheel would both hold a file of its build id.

use std::collections::BTreeSet;

use super::{DebianOnly, DebugFile, Error, Package, Relations, Scripts};
use crate::name::PackageName;
use crate::target::Format;
use crate::tree::{Entry, InstallPath, Node, Tree};

/// Where debuggers look (GDB's manual, "Debugging Information in Separate Files").
const ROOT: &str = "/usr/lib/debug/.build-id";

/// The package with the debug symbols of `package`; `None` when there are none.
pub fn debug_symbols(package: &Package, files: &[DebugFile]) -> Result<Option<Package>, Error> {
    if files.is_empty() {
        return Ok(None);
    }
    let of = package.name.as_str();
    let place =
        |text: &str| InstallPath::parse(text).map_err(|invalid| Error::Path { package: of.to_owned(), invalid });
    let conflict = |conflict| Error::Conflict { package: of.to_owned(), conflict };
    let mut tree = Tree::new();
    let mut directories = BTreeSet::from([place(ROOT)?]);
    let mut build_ids: Vec<String> = files.iter().map(|file| file.build_id.clone()).collect();
    build_ids.sort();
    build_ids.dedup();
    for id in &build_ids {
        // Two commands of equal bytes are one program.
        let Some(file) = files.iter().find(|file| file.build_id == *id) else { continue };
        let (directory, rest) = id.split_at_checked(2).unwrap_or((id, ""));
        directories.insert(place(&format!("{ROOT}/{directory}"))?);
        let entry = Entry::root(Node::File(file.content.clone()), 0o644);
        tree.insert(place(&format!("{ROOT}/{directory}/{rest}.debug"))?, entry).map_err(conflict)?;
        if package.target.format() == Format::Rpm {
            // From a core dump, which has build ids alone, to the program.
            let link = place(&format!("{ROOT}/{directory}/{rest}"))?;
            let to = link.relative_link_to(&file.program);
            tree.symlink(link, to).map_err(conflict)?;
        }
    }
    let (name, summary, description, relations) = match package.target.format() {
        Format::Deb => {
            let name = format!("{of}-dbgsym");
            let documents = place(&format!("/usr/share/doc/{name}"))?;
            tree.symlink(documents, of).map_err(conflict)?;
            let depends = vec![format!("{of} (= {})", package.version.debian())];
            let relations = Relations { depends, ..Relations::default() };
            (name, format!("debug symbols for {of}"), String::new(), relations)
        }
        Format::Rpm => {
            let provides = build_ids.iter().map(|id| format!("debuginfo(build-id) = {id}")).collect();
            let relations = Relations { provides, ..Relations::default() };
            let description = format!(
                "This package provides debug information for package {of}. Debug information is useful when developing \
                 applications that use this package or when debugging this package."
            );
            (format!("{of}-debuginfo"), format!("Debug information for package {of}"), description, relations)
        }
    };
    // Policy 2.4: the area of the archive stays.
    let section = match package.section.split_once('/') {
        Some((area, _)) => format!("{area}/debug"),
        None => "debug".to_owned(),
    };
    let invalid_name = |_| Error::Text {
        package: of.to_owned(),
        what: format!("the name `{name}` of its package of debug symbols"),
        problem: "is too long",
    };
    Ok(Some(Package {
        name: PackageName::parse(&name).map_err(invalid_name)?,
        source: package.source.clone(),
        version: package.version.clone(),
        target: package.target.clone(),
        architecture: Some(package.target.architecture),
        summary,
        description,
        maintainer: package.maintainer.clone(),
        vendor: package.vendor.clone(),
        // dh_gencontrol leaves it out; rpmbuild does not.
        homepage: package.homepage.clone().filter(|_| package.target.format() == Format::Rpm),
        license: package.license.clone(),
        section,
        relations,
        scripts: Scripts::default(),
        debian: DebianOnly::default(),
        changelog: package.changelog.clone(),
        time: package.time,
        tree,
        owned_directories: directories.into_iter().collect(),
        build_ids,
        notes: Vec::new(),
    }))
}
