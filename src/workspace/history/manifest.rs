//! The version that a manifest declares at some commit, read without running anything.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use git2::{Odb, Oid};
use regex::Regex;

use super::paths::read_file;
use crate::workspace::EcosystemKind;

/// Reads the version of one member at many commits.
pub(super) struct Versions<'a> {
    odb: &'a Odb<'a>,
    ecosystem: EcosystemKind,
    /// The member's directory in its repository.
    directory: &'a Path,
}

impl<'a> Versions<'a> {
    pub(super) fn new(odb: &'a Odb<'a>, ecosystem: EcosystemKind, directory: &'a Path) -> Self {
        Self { odb, ecosystem, directory }
    }

    /// The version in the manifest of `tree` (a commit's), if it stands there literally.
    pub(super) fn at(&self, tree: Oid) -> Option<String> {
        match self.ecosystem {
            EcosystemKind::Rust => self.cargo(tree),
            EcosystemKind::Python => self.python(tree),
        }
    }

    fn toml(&self, tree: Oid, path: &Path) -> Option<toml::Table> {
        String::from_utf8(read_file(self.odb, tree, path)?).ok()?.parse().ok()
    }

    fn cargo(&self, tree: Oid) -> Option<String> {
        let manifest = self.toml(tree, &self.directory.join("Cargo.toml"))?;
        match manifest.get("package")?.get("version")? {
            toml::Value::String(version) => Some(version.clone()),
            inherited if inherited.get("workspace")?.as_bool()? => {
                let mut roots = ancestors(self.directory).into_iter();
                roots.find_map(|directory| {
                    let root = self.toml(tree, &directory.join("Cargo.toml"))?;
                    root.get("workspace")?.get("package")?.get("version")?.as_str().map(str::to_owned)
                })
            }
            _ => None,
        }
    }

    fn python(&self, tree: Oid) -> Option<String> {
        let text = |name: &str| {
            let bytes = read_file(self.odb, tree, &self.directory.join(name))?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        };
        let from_pyproject = || {
            let manifest = self.toml(tree, &self.directory.join("pyproject.toml"))?;
            let project = manifest.get("project").and_then(|project| project.get("version"));
            let poetry = || manifest.get("tool")?.get("poetry")?.get("version");
            project.or_else(poetry)?.as_str().map(str::to_owned)
        };
        from_pyproject().or_else(|| setup_cfg(&text("setup.cfg")?)).or_else(|| setup_py(&text("setup.py")?))
    }
}

/// `directory` and all above it, down to the root of the repository.
pub(super) fn ancestors(directory: &Path) -> Vec<PathBuf> {
    directory.ancestors().map(Path::to_path_buf).collect()
}

/// `version = 1.2.3` in `[metadata]`; `attr:` and `file:` are no literals.
fn setup_cfg(text: &str) -> Option<String> {
    let mut section = "";
    for line in text.lines() {
        if let Some(name) = line.trim().strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if section == "metadata"
            && let Some((key, value)) = line.split_once(['=', ':'])
            && key.trim() == "version"
        {
            let value = value.trim();
            return (!value.is_empty() && !value.contains(':')).then(|| value.to_owned());
        }
    }
    None
}

/// The literal `version="1.2.3"` of a `setup()` call.
fn setup_py(text: &str) -> Option<String> {
    static LITERAL: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"(?m)^[^#\n]*?\bversion\s*=\s*(?:"([^"\n]+)"|'([^'\n]+)')"#).ok());
    let found = LITERAL.as_ref()?.captures(text)?;
    found.get(1).or_else(|| found.get(2)).map(|version| version.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_literals_are_versions() {
        assert_eq!(setup_py("from x import y\nsetup(name='a', version='1.2.3')").as_deref(), Some("1.2.3"));
        assert_eq!(setup_py("# version = '0'\nsetup(\n    version = \"2.0\",\n)").as_deref(), Some("2.0"));
        assert_eq!(setup_py("setup(version=read('VERSION'))"), None);
        assert_eq!(setup_cfg("[metadata]\nname = a\nversion = 1.0\n").as_deref(), Some("1.0"));
        assert_eq!(setup_cfg("[metadata]\nversion = attr: a.__version__\n"), None);
        assert_eq!(setup_cfg("[bumpversion]\nversion = 3\n"), None);
    }
}
