//! What is inside a package, beside its own code: one vendored package or library of the repository each, with all that the
//! copyright file, the SBOM and `Provides: bundled(…)` say of it.
//!
//! The ecosystems fill in facts, as they stand in the metadata; what follows from them (the licence as an SPDX expression)
//! is settled by [`super::licenses`].

use std::io::{self, Read as _};

use crate::digest::Sha256;
use crate::tree::{Content, InstallPath};

use super::licenses::Expression;

/// One component.
#[derive(Debug, Clone, Default)]
pub struct Component {
    /// Package URL without qualifiers: `pkg:pypi/flask@3.0.0`.
    pub purl: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What its metadata say of its licence: an SPDX expression (`License-Expression`, cargo's `license`) or free text
    /// (`License`).
    pub license: Option<String>,
    /// What stands behind `License :: ` in its classifiers.
    pub classifiers: Vec<String>,
    /// Its licence files and notices.
    pub license_files: Vec<LicenseFile>,
    /// Who its metadata say wrote it.
    pub authors: Vec<String>,
    /// The file that it came in, as the lock has it.
    pub artefact: Option<SourceArtefact>,
    /// The package URLs of the components that it needs.
    pub dependencies: Vec<String>,
    /// Whether the service itself requires it.
    pub direct: bool,
    /// Whether it is the repository's own code.
    pub own: bool,
    /// The files and directories of the tree that are its alone; empty for what is compiled into a program.
    pub paths: Vec<InstallPath>,
    /// The programs that it is compiled into.
    pub compiled_into: Vec<InstallPath>,
    /// SBOMs that came with it (PEP 770), where they are installed.
    pub sboms: Vec<InstallPath>,
    /// Its licence; filled by [`super::licenses::settle`].
    pub expression: Option<Expression>,
}

/// A licence text or a notice that came with a component.
#[derive(Debug, Clone)]
pub struct LicenseFile {
    /// Its path in the component, for people.
    pub name: String,
    /// Its text.
    pub content: Content,
    /// Where it is in the package; `None` for what is only compiled in.
    pub installed: Option<InstallPath>,
}

/// Where a component came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceArtefact {
    /// What the lock expects of the file.
    pub sha256: Option<Sha256>,
    /// Where the lock says it is to be had; never with credentials.
    pub url: Option<String>,
    /// A commit of a version-control system instead of a file of an index.
    pub is_checkout: bool,
}

/// So much of a licence file is read: the longest licences have some 50 kB.
const LONGEST: u64 = 1024 * 1024;

impl LicenseFile {
    /// Its text, cut at a mebibyte; bytes that are no UTF-8 are replaced.
    pub(super) fn text(&self) -> io::Result<String> {
        let mut bytes = Vec::new();
        self.content.open()?.take(LONGEST).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Whether [`Self::text`] is not all of it.
    pub(super) fn is_cut(&self) -> bool {
        self.content.digests.size > LONGEST
    }

    /// Whether it is there to be passed on, and not to grant anything (section 4d of the Apache License).
    pub(super) fn is_notice(&self) -> bool {
        let name = self.file_name().to_ascii_lowercase();
        ["notice", "author", "copyright", "contributor", "thanks", "patents"].iter().any(|word| name.starts_with(word))
    }

    /// The last part of its name.
    pub(super) fn file_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }
}

/// Whether a file of this name is a licence or a notice, wherever it stands (PEP 639's default globs, and what cargo's users
/// write).
pub(crate) fn is_license_file(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let code = [".py", ".pyc", ".pyi", ".rs", ".c", ".h", ".so", ".js", ".html", ".json", ".toml", ".yml"];
    ["licen", "copying", "notice", "authors", "unlicense", "copyright"].iter().any(|word| name.starts_with(word))
        && !code.iter().any(|suffix| name.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licence_files_are_known_by_their_names() {
        for name in ["LICENSE", "LICENCE.txt", "License-MIT", "COPYING.LESSER", "NOTICE", "UNLICENSE", "licenses.md"] {
            assert!(is_license_file(name), "{name}");
        }
        for name in ["license.py", "README", "METADATA", "_license.txt", "licenses.json"] {
            assert!(!is_license_file(name), "{name}");
        }
    }
}
