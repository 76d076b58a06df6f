//! A crate's manifest as the dialects need it: what cargo sees in it, and its text with its places.

use std::ops::Range;
use std::path::{Path, PathBuf};

use cargo_toml::{Filesystem, Inheritable, Manifest, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::error::Error;
use crate::config::find::read_text;
use crate::config::reader::{Reader, Source};
use crate::name::normalize;

/// The manifest of one crate, with its places.
pub(in crate::config) struct CrateManifest {
    /// The repository's root, absolute.
    pub(in crate::config) root: PathBuf,
    /// The crate's directory, relative to the root.
    pub(in crate::config) directory: PathBuf,
    /// The directory of its cargo workspace, relative to the root; its own when it stands alone.
    pub(in crate::config) workspace: PathBuf,
    /// The file, relative to the root.
    pub(in crate::config) source: Source,
    /// What cargo sees: with what it inherits, and the targets that are found by their files' names.
    pub(in crate::config) manifest: Manifest,
    /// The workspace's root manifest, whose profiles count.
    pub(in crate::config) above: Option<Manifest>,
}

impl CrateManifest {
    /// Reads `path`, relative to `root`.
    pub(in crate::config) fn read(root: &Path, path: &Path) -> Result<Self, Error> {
        let directory = path.parent().unwrap_or(Path::new("")).to_path_buf();
        let source = Source { path: path.to_path_buf(), text: read_text(&root.join(path))? };
        let mut manifest = parse(&source)?;
        let (workspace, above) = match &manifest.workspace {
            Some(_) => (directory.clone(), None),
            None => governing(root, &directory, &manifest)?,
        };
        let completed = {
            let absolute = root.join(&workspace);
            let above = above.as_ref().map(|above| (above, absolute.as_path()));
            let filesystem = root.join(&directory);
            manifest.complete_from_abstract_filesystem::<Value, _>(Filesystem::new(&filesystem), above)
        };
        completed.map_err(|error| Error::Syntax { message: error.to_string(), location: source.location(0..0) })?;
        Ok(Self { root: root.to_path_buf(), directory, workspace, source, manifest, above })
    }

    /// The parsed text, to look for tables in.
    pub(in crate::config) fn document(&self) -> Result<Spanned<DeTable<'_>>, Error> {
        self.source.parse()
    }

    /// The table behind `keys`; `None` when there is none.
    pub(in crate::config) fn table<'a>(
        &'a self,
        document: &'a Spanned<DeTable<'a>>,
        keys: &[&str],
    ) -> Result<Option<Reader<'a>>, Error> {
        let mut found: Option<&Spanned<DeValue<'_>>> = None;
        for key in keys {
            let value = match found {
                None => document.get_ref().get(*key),
                Some(value) => value.get_ref().as_table().and_then(|table| table.get(*key)),
            };
            let Some(value) = value else { return Ok(None) };
            found = Some(value);
        }
        let Some(value) = found else { return Ok(None) };
        let name = keys.join(".");
        match value.get_ref().as_table() {
            Some(table) => Ok(Some(Reader::new(&self.source, table, value.span(), &name))),
            None => Err(Error::Type {
                key: name,
                expected: "a table",
                found: "something else",
                location: self.source.location(value.span()),
            }),
        }
    }

    /// Whether there is something behind `keys`.
    pub(in crate::config) fn has(&self, document: &Spanned<DeTable<'_>>, keys: &[&str]) -> bool {
        let Some((first, rest)) = keys.split_first() else { return false };
        let mut value = document.get_ref().get(*first);
        for key in rest {
            value = value.and_then(|value| value.get_ref().as_table()).and_then(|table| table.get(*key));
        }
        value.is_some()
    }

    /// `[package]`; a reader of dialects never sees a manifest without one, which is no member.
    pub(in crate::config) fn package(&self) -> Option<&cargo_toml::Package> {
        self.manifest.package.as_ref()
    }

    /// The crate's name.
    pub(in crate::config) fn name(&self) -> &str {
        self.package().map(|package| package.name.as_str()).unwrap_or_default()
    }

    /// The crate's name as both tools make a package's name of it.
    pub(in crate::config) fn package_name(&self) -> String {
        normalize(self.name())
    }

    /// A path from the crate's directory as one from the root, without `..`.
    pub(in crate::config) fn directory_of(&self, path: &Path) -> PathBuf {
        let mut all = self.directory.clone();
        for part in path.components() {
            match part {
                std::path::Component::ParentDir => {
                    all.pop();
                }
                std::path::Component::CurDir => {}
                other => all.push(other),
            }
        }
        all
    }

    /// A path from the crate's directory, absolute.
    pub(in crate::config) fn absolute(&self, path: &Path) -> PathBuf {
        self.root.join(self.directory_of(path))
    }

    /// A field of `[package]` that a workspace may give.
    pub(in crate::config) fn text(
        &self,
        field: impl Fn(&cargo_toml::Package) -> &Option<Inheritable<String>>,
    ) -> Option<String> {
        let text = field(self.package()?).as_ref()?.get().ok()?;
        (!text.trim().is_empty()).then(|| text.clone())
    }

    /// `authors`.
    pub(in crate::config) fn authors(&self) -> &[String] {
        self.package().and_then(|package| package.authors.get().ok()).map(Vec::as_slice).unwrap_or_default()
    }

    /// The readme, from the crate's directory.
    pub(in crate::config) fn readme(&self) -> Option<PathBuf> {
        let path = self.package()?.readme.get().ok()?.as_path()?.to_path_buf();
        self.absolute(&path).is_file().then_some(path)
    }

    /// `license-file`, from the crate's directory.
    pub(in crate::config) fn license_file(&self) -> Option<PathBuf> {
        self.package()?.license_file.as_ref()?.get().ok().cloned()
    }

    /// A cargo profile, which the workspace's root alone can set.
    pub(in crate::config) fn profile(&self, name: &str) -> Option<&cargo_toml::Profile> {
        let profiles = &self.above.as_ref().unwrap_or(&self.manifest).profile;
        match name {
            "release" => profiles.release.as_ref(),
            "dev" => profiles.dev.as_ref(),
            custom => profiles.custom.get(custom),
        }
    }
}

fn parse(source: &Source) -> Result<Manifest, Error> {
    Manifest::from_str(&source.text).map_err(|error| {
        let span: Range<usize> = match &error {
            cargo_toml::Error::Parse(error) => error.span().unwrap_or(0..0),
            _ => 0..0,
        };
        Error::Syntax { message: error.to_string(), location: source.location(span) }
    })
}

/// The workspace that a manifest without `[workspace]` belongs to, as cargo looks for it.
fn governing(root: &Path, directory: &Path, manifest: &Manifest) -> Result<(PathBuf, Option<Manifest>), Error> {
    let named = manifest.package.as_ref().and_then(|package| package.workspace.as_deref());
    let candidates: Vec<PathBuf> = match named {
        Some(path) => super::place::inside(root, directory, &path.to_string_lossy())
            .map(|path| {
                let mut all = directory.to_path_buf();
                path.components().for_each(|part| match part {
                    std::path::Component::ParentDir => drop(all.pop()),
                    other => all.push(other),
                });
                vec![all]
            })
            .unwrap_or_default(),
        None => directory.ancestors().skip(1).map(Path::to_path_buf).collect(),
    };
    for candidate in candidates {
        let path = candidate.join("Cargo.toml");
        if !root.join(&path).is_file() {
            continue;
        }
        let source = Source { path: path.clone(), text: read_text(&root.join(&path))? };
        let above = parse(&source)?;
        let Some(workspace) = &above.workspace else { continue };
        let below = directory.strip_prefix(&candidate).unwrap_or(directory);
        if workspace.exclude.iter().any(|exclude| below.starts_with(exclude.trim_end_matches('/'))) {
            break;
        }
        return Ok((candidate, Some(above)));
    }
    Ok((directory.to_path_buf(), None))
}
