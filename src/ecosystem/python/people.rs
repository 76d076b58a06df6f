//! Who stands in the manifest of a package, for a project whose configuration names no maintainer.
//!
//! Sources: PEP 621 (`authors`, `maintainers`), poetry's, flit's and setuptools' own spellings. Maintainers go before
//! authors, and what cannot be read names nobody: that it cannot be read is discovery's matter.

use std::path::Path;

use super::ini;
use super::setup_py;
use super::source::Source;
use super::toml_tree::{Item, parse};
use crate::config::Person;

const ROLES: [&str; 2] = ["maintainer", "author"];

/// The people of the package in `directory`.
pub(super) fn people(directory: &Path) -> Vec<Person> {
    let read = |name: &str| Source::read_if_there(&directory.join(name)).ok().flatten();
    let mut people = Vec::new();
    if let Some(source) = read("pyproject.toml") {
        people.extend(parse(&source, |root| Ok(of_pyproject(root))).unwrap_or_default());
    }
    if let Some(source) = read("setup.py") {
        let keywords = ["maintainer", "maintainer_email", "author", "author_email"];
        let texts = setup_py::texts(&source, &keywords).unwrap_or_default();
        people.extend(by_keys("setup.py", |key| texts.get(key).cloned()));
    }
    if let Some(source) = read("setup.cfg")
        && let Ok(sections) = ini::parse(&source)
        && let Some(metadata) = sections.iter().find(|section| section.name == "metadata")
    {
        let normal = |key: &str| key.to_ascii_lowercase().replace('-', "_");
        let value = |key: &str| metadata.entries.iter().find(|entry| normal(&entry.key) == key).map(ini::Entry::value);
        people.extend(by_keys("setup.cfg", value));
    }
    people
}

fn of_pyproject(root: Item<'_>) -> Vec<Person> {
    let mut people = Vec::new();
    let text = |item: Item<'_>, key: &str| item.get(key).and_then(|item| item.value.as_str().map(str::to_owned));
    for role in ROLES {
        let of = |path: &[&str]| root.at(path).map(|item| item.elements()).unwrap_or_default();
        let plural = format!("{role}s");
        // Each may leave out one of the two; whoever has no address cannot be written to.
        for item in of(&["project", &plural]) {
            if let (Some(name), Some(mail)) = (text(item, "name"), text(item, "email")) {
                people.push(format!("{name} <{mail}>"));
            }
        }
        people
            .extend(of(&["tool", "poetry", &plural]).iter().filter_map(|item| item.value.as_str()).map(str::to_owned));
        if let Some(flit) = root.at(&["tool", "flit", "metadata"])
            && let (Some(name), Some(mail)) = (text(flit, role), text(flit, &format!("{role}-email")))
        {
            people.push(format!("{name} <{mail}>"));
        }
    }
    people.into_iter().map(|person| (person, "who stands in pyproject.toml".to_owned())).collect()
}

fn by_keys(file: &str, value: impl Fn(&str) -> Option<String>) -> Vec<Person> {
    let person = |role: &str| Some(format!("{} <{}>", value(role)?, value(&format!("{role}_email"))?));
    ROLES.into_iter().filter_map(person).map(|person| (person, format!("who stands in {file}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(file: &str, text: &str) -> Option<Person> {
        let directory = tempfile::tempdir().unwrap();
        fs_err::write(directory.path().join(file), text).unwrap();
        people(directory.path()).into_iter().next()
    }

    #[test]
    fn maintainers_stand_before_authors_in_every_manifest() {
        for (file, text) in [
            (
                "pyproject.toml",
                "[project]\nauthors = [{name = \"A\", email = \"a@x.example\"}]\n\
                 maintainers = [{name = \"Nobody\"}, {name = \"M\", email = \"m@x.example\"}]\n",
            ),
            ("pyproject.toml", "[tool.poetry]\nauthors = [\"A <a@x.example>\"]\nmaintainers = [\"M <m@x.example>\"]\n"),
            (
                "pyproject.toml",
                "[tool.flit.metadata]\nauthor = \"A\"\nauthor-email = \"a@x.example\"\nmaintainer = \"M\"\n\
                 maintainer-email = \"m@x.example\"\n",
            ),
            (
                "setup.cfg",
                "[metadata]\nauthor = A\nauthor_email = a@x.example\nMaintainer = M\nmaintainer-email = m@x.example\n",
            ),
            (
                "setup.py",
                "from setuptools import setup\nMAIL = 'm@x.example'\n\
                 setup(name='x', author='A', author_email='a@x.example', maintainer='M', maintainer_email=MAIL)\n",
            ),
        ] {
            let (person, place) = first(file, text).expect(text);
            assert_eq!((person.as_str(), place), ("M <m@x.example>", format!("who stands in {file}")), "{text}");
        }
    }

    #[test]
    fn what_is_computed_or_broken_names_nobody() {
        assert_eq!(first("setup.py", "from setuptools import setup\nsetup(author=who(), author_email='a@x')\n"), None);
        assert_eq!(first("pyproject.toml", "[project"), None);
        assert_eq!(first("setup.cfg", "[metadata]\nauthor = A\n"), None);
    }
}
