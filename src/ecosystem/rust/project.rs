//! Where a cargo package's workspace is, and what its manifests and its repository's configuration say, read as data.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::error::RustError;
use crate::diagnostic::Location;
use crate::workspace::{EcosystemKind, Member, Workspace};

/// The cargo workspace of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Project {
    /// The repository's root, absolute.
    pub(super) repository: PathBuf,
    /// The directory of `Cargo.lock`, relative to the repository's root.
    pub(super) directory: PathBuf,
}

/// A manifest, parsed, with its text for messages.
#[derive(Debug, Clone)]
pub(super) struct ManifestText {
    /// Relative to the repository's root.
    pub(super) path: PathBuf,
    pub(super) text: String,
    pub(super) table: Table,
}

impl Project {
    /// The workspace that cargo would take for `member`: its own manifest's `[workspace]` or `package.workspace`, else the
    /// nearest manifest above it with a `[workspace]` that does not exclude it, else itself.
    pub(super) fn of(workspace: &Workspace, member: &Member) -> Result<Self, RustError> {
        let project =
            |directory: &Path| Self { repository: workspace.root.clone(), directory: directory.to_path_buf() };
        let own = ManifestText::read(&workspace.root, &member.path.join("Cargo.toml"))?;
        if own.table.contains_key("workspace") {
            return Ok(project(&member.path));
        }
        let named = own.table.get("package").and_then(|package| package.get("workspace")).and_then(Value::as_str);
        if let Some(named) = named {
            return Ok(project(&normalized(&member.path.join(named))));
        }
        for outer in member.path.ancestors().skip(1) {
            let path = outer.join("Cargo.toml");
            if !workspace.root.join(&path).is_file() {
                continue;
            }
            let manifest = ManifestText::read(&workspace.root, &path)?;
            let Some(table) = manifest.table.get("workspace") else { continue };
            let inside = member.path.strip_prefix(outer).unwrap_or(&member.path);
            let excluded =
                table.get("exclude").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            if !excluded.map(|exclude| normalized(Path::new(exclude))).any(|exclude| inside.starts_with(exclude)) {
                return Ok(project(outer));
            }
        }
        Ok(project(&member.path))
    }

    pub(super) fn absolute(&self) -> PathBuf {
        self.repository.join(&self.directory)
    }

    /// `Cargo.lock`, relative to the repository's root.
    pub(super) fn lock(&self) -> PathBuf {
        self.directory.join("Cargo.lock")
    }

    /// The members of `workspace` that this lock is for.
    pub(super) fn members<'a>(&self, workspace: &'a Workspace) -> Result<Vec<&'a Member>, RustError> {
        let mut members = Vec::new();
        for member in workspace.members.iter().filter(|member| member.ecosystem == EcosystemKind::Rust) {
            if member.path.starts_with(&self.directory) && Self::of(workspace, member)? == *self {
                members.push(member);
            }
        }
        Ok(members)
    }

    /// What `.cargo/config.toml` files of the repository say that concerns builds and registries, nearest first.
    pub(super) fn configurations(&self) -> Result<Vec<ManifestText>, RustError> {
        let mut found = Vec::new();
        for directory in self.directory.ancestors() {
            for name in [".cargo/config.toml", ".cargo/config"] {
                let path = directory.join(name);
                if self.repository.join(&path).is_file() {
                    found.push(ManifestText::read(&self.repository, &path)?);
                    break;
                }
            }
        }
        Ok(found)
    }

    /// The toolchain file that rustup would obey here.
    pub(super) fn toolchain_file(&self) -> Result<Option<(PathBuf, String)>, RustError> {
        for directory in self.directory.ancestors() {
            for name in ["rust-toolchain", "rust-toolchain.toml"] {
                let path = directory.join(name);
                let absolute = self.repository.join(&path);
                if absolute.is_file() {
                    return Ok(Some((path, fs_err::read_to_string(absolute)?)));
                }
            }
        }
        Ok(None)
    }
}

impl ManifestText {
    /// Reads `path`, relative to `root`.
    pub(super) fn read(root: &Path, path: &Path) -> Result<Self, RustError> {
        let text = fs_err::read_to_string(root.join(path))?;
        let table = parse(path, &text)?;
        Ok(Self { path: path.to_path_buf(), text, table })
    }

    /// The first line on which `word` stands after the table `header`, for messages.
    pub(super) fn location(&self, word: &str) -> Location {
        let line = self.text.lines().position(|line| {
            let key = line.split(['=', '.']).next().unwrap_or_default().trim().trim_matches('"');
            key == word || line.trim().trim_matches(['[', ']']).rsplit('.').next() == Some(word)
        });
        Location::line(&self.path, self.text.as_str(), line.map_or(1, |line| line + 1))
    }
}

/// Parses TOML; an error has its place.
pub(super) fn parse(path: &Path, text: &str) -> Result<Table, RustError> {
    text.parse::<Table>().map_err(|error| RustError::Toml {
        message: error.message().to_owned(),
        location: Box::new(Location::new(path, text, error.span().unwrap_or(0..0))),
    })
}

/// `path` without `.` and with `..` taken back.
fn normalized(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            std::path::Component::ParentDir => {
                normal.pop();
            }
            std::path::Component::Normal(name) => normal.push(name),
            _ => {}
        }
    }
    normal
}
