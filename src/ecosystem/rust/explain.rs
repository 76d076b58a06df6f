//! What somebody who sees a cargo package for the first time wants to know of it, and who stands in its manifest.

use toml::{Table, Value};

use super::project::{ManifestText, Project};
use crate::config::Person;
use crate::ecosystem::Context;
use crate::survey::Fact;
use crate::workspace::{Member, Workspace};

/// The tables of other packaging tools below `[package.metadata]`.
const FOREIGN: [&str; 3] = ["deb", "generate-rpm", "rpm"];

/// The maintainer that a table of cargo-deb names, then the authors.
pub(super) fn people(workspace: &Workspace, member: &Member) -> Vec<Person> {
    let Ok(manifest) = ManifestText::read(&workspace.root, &member.manifest) else { return Vec::new() };
    let package = manifest.table.get("package");
    let told = package.and_then(|package| package.get("metadata")?.get("deb")?.get("maintainer")?.as_str());
    let mut people: Vec<Person> = told
        .map(|person| (person.to_owned(), "`maintainer` of [package.metadata.deb]".to_owned()))
        .into_iter()
        .collect();
    let authors = match package.and_then(|package| package.get("authors")) {
        Some(Value::Array(authors)) => authors.clone(),
        Some(Value::Table(_)) => inherited_authors(workspace, member).unwrap_or_default(),
        _ => Vec::new(),
    };
    let authors = authors.iter().filter_map(Value::as_str);
    people.extend(authors.map(|author| (author.to_owned(), "from `authors` of Cargo.toml".to_owned())));
    people
}

fn inherited_authors(workspace: &Workspace, member: &Member) -> Option<Vec<Value>> {
    let project = Project::of(workspace, member).ok()?;
    let root = ManifestText::read(&workspace.root, &project.directory.join("Cargo.toml")).ok()?;
    root.table.get("workspace")?.get("package")?.get("authors")?.as_array().cloned()
}

/// See [`crate::ecosystem::Ecosystem::explain`].
pub(super) fn explain(context: Context<'_>, service: &Member) -> Vec<Fact> {
    let workspace = context.workspace;
    let Ok(manifest) = ManifestText::read(&workspace.root, &service.manifest) else { return Vec::new() };
    let Ok(project) = Project::of(workspace, service) else { return Vec::new() };
    let mut facts = vec![compiler(&manifest.table, &project)];
    let lock = project.lock();
    facts.push(if workspace.root.join(&lock).is_file() {
        Fact::new("lock", format!("{}, which is respected", lock.display()))
    } else {
        Fact::missing("lock", format!("there is no {}: `packhouse lock` makes it", lock.display()))
    });
    let tables = tables(&manifest.table);
    if !tables.is_empty() {
        facts.push(Fact::new("reads", format!("{} of {}", tables.join(", "), service.manifest.display())));
    }
    facts
}

/// The tables that other packaging tools read, as they are headed.
fn tables(manifest: &Table) -> Vec<String> {
    let metadata = manifest.get("package").and_then(|package| package.get("metadata")).and_then(Value::as_table);
    let names = FOREIGN.iter().filter(|name| metadata.is_some_and(|metadata| metadata.contains_key(**name)));
    names.map(|name| format!("[package.metadata.{name}]")).collect()
}

/// Whether the manifest of `member` says for other tools what is in its package.
pub(crate) fn is_described_elsewhere(workspace: &Workspace, member: &Member) -> bool {
    let manifest = ManifestText::read(&workspace.root, &member.manifest);
    manifest.is_ok_and(|manifest| !tables(&manifest.table).is_empty())
}

fn compiler(manifest: &Table, project: &Project) -> Fact {
    let text = match (project.toolchain_file(), manifest.get("package").and_then(|package| package.get("rust-version")))
    {
        (Ok(Some((file, _))), _) => format!("the toolchain of {}", file.display()),
        (_, Some(Value::String(version))) => format!("rustc {version} or newer, which `rust-version` asks for"),
        _ => "the cargo of this machine: no rust-toolchain.toml names another".to_owned(),
    };
    Fact::new("compiler", text)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use crate::ecosystem;
    use crate::workspace::{EcosystemKind, discover_unconfigured};

    #[test]
    fn authors_are_inherited_and_a_table_of_cargo_deb_goes_before_them() {
        let directory = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path: PathBuf = directory.path().join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        };
        put(
            "Cargo.toml",
            "[workspace]\nmembers = [\"one\", \"two\"]\n[workspace.package]\nauthors = [\"W <w@x.example>\"]\n",
        );
        let package = |name: &str, more: &str| {
            format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nauthors.workspace = true\n{more}")
        };
        put("one/Cargo.toml", &package("one", ""));
        put("one/src/main.rs", "fn main() {}");
        put("two/Cargo.toml", &package("two", "[package.metadata.deb]\nmaintainer = \"D <d@x.example>\"\n"));
        put("two/src/main.rs", "fn main() {}");
        let workspace =
            discover_unconfigured(directory.path(), &[&super::super::Rust as &dyn crate::workspace::Detector]).unwrap();
        let of = |name: &str| {
            let member = workspace.service(name).unwrap();
            let people = ecosystem::of(EcosystemKind::Rust).people(&workspace, member);
            people.into_iter().map(|(person, _)| person).collect::<Vec<_>>()
        };
        assert_eq!(of("one"), ["W <w@x.example>"]);
        assert_eq!(of("two"), ["D <d@x.example>", "W <w@x.example>"]);
    }
}
