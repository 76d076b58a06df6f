//! `[package.metadata.deb]`: the table of cargo-deb 3.8, read as settings for packages of both formats.
//!
//! What the tool does with each key is reproduced where it is meant, and mended where it is a slip: `docs/compatibility.md`
//! says which ([`keys`]). Nothing is built or asked here: what cargo makes is named, and found when it is there.

mod assets;
mod description;
mod files;
mod keys;
mod relations;
mod scripts;
mod systemd;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::PathBuf;

use cargo_toml::{DebugSetting, StripSetting};

pub(super) use keys::DIALECT;

use super::manifest::CrateManifest;
use super::{Note, Options, Tables};
use crate::config::error::Error;
use crate::config::files::Place;
use crate::config::reader::Text;
use crate::config::value::{self, Rule};
use crate::config::{Addition, Additions, Maintainer, MultiArch, RustSettings, ServiceSettings, TextSource};
use crate::diagnostic::Location;
use crate::name::PackageName;
use crate::tree::InstallPath;
use table::{Chosen, Table};

/// A table that is being read.
struct Reading<'a> {
    manifest: &'a CrateManifest,
    table: Table<'a>,
    /// What the user should know.
    notes: Vec<Note>,
    /// The package's name.
    package: String,
    /// The cargo profile.
    profile: String,
    features: Features,
    multi_arch: Option<MultiArch>,
    /// Whether RPMs are made from the table too: there is none for them.
    for_rpm: bool,
    /// Where the table begins.
    place: Place,
    /// Destinations of which everything has been said.
    told: BTreeSet<String>,
    /// The files that were read, from the crate's directory.
    read: Vec<PathBuf>,
}

/// What the table says; `None` when there is none.
pub(super) fn read(
    manifest: &CrateManifest,
    options: &Options,
    notes: &mut Vec<Note>,
) -> Result<Option<Tables>, Error> {
    let document = manifest.document()?;
    let Some(reader) = manifest.table(&document, &["package", "metadata", "deb"])? else { return Ok(None) };
    let place = reader.place();
    // A variant that the other tool's table alone has is none of this one's.
    let has = |tool: &str, name: &str| manifest.has(&document, &["package", "metadata", tool, "variants", name]);
    let wanted = match options.variants().last() {
        Some(name) if !has("deb", name) && has("generate-rpm", name) => None,
        wanted => wanted,
    };
    let Chosen { table, variant } = table::read(reader, wanted, notes)?;
    let overrides = &options.overrides;
    let profile = overrides.profile.clone().or_else(|| table.profile.as_ref().map(|text| text.as_str().to_owned()));
    let package = match (&table.name, &variant) {
        (Some(name), _) => name.as_str().to_owned(),
        (None, Some(variant)) => format!("{}-{}", manifest.package_name(), plain_name(variant)),
        (None, None) => manifest.package_name(),
    };
    let features = Features::of(manifest, &table, options);
    let mut reading = Reading {
        manifest,
        notes: Vec::new(),
        package,
        profile: profile.unwrap_or_else(|| "release".to_owned()),
        features,
        multi_arch: overrides.multi_arch,
        for_rpm: !manifest.has(&document, &["package", "metadata", "generate-rpm"])
            && !manifest.has(&document, &["package", "metadata", "rpm"]),
        place,
        told: BTreeSet::new(),
        read: Vec::new(),
        table,
    };
    let tables = reading.tables(options);
    notes.append(&mut reading.notes);
    tables.map(Some)
}

/// As cargo-deb makes a package's name of a crate's.
fn plain_name(text: &str) -> String {
    text.to_ascii_lowercase().replace('_', "-")
}

impl<'a> Reading<'a> {
    fn tables(&mut self, options: &Options) -> Result<Tables, Error> {
        let package = self.name()?;
        let relations = relations::relations(self)?;
        let assets = self.table.assets.clone().unwrap_or_else(|| vec![assets::Asset::Auto]);
        let mut files = files::files(self, &assets)?;
        let systemd = systemd::systemd(self, &mut files)?;
        let scripts = scripts::scripts(self)?;
        let description = description::description(self, options.strict_compat)?;
        let (license_file, copyright) = (self.license_file()?, self.copyright());
        let (triggers, changelog) = (self.table.triggers_file.clone(), self.table.changelog.clone());
        let triggers = triggers.map(|text| self.existing(&text).map(TextSource::File)).transpose()?;
        let changelog_file = match changelog {
            Some(text) => self.changelog(&text)?,
            None => None,
        };
        let revision = options.overrides.revision.clone();
        let revision = revision.or_else(|| self.table.revision.as_ref().map(|text| text.as_str().to_owned()));
        let mut additions = Additions::default();
        // It makes one whatever the table says.
        additions.set(Addition::Copyright, true);
        let deb = ServiceSettings {
            package: Some(package),
            maintainer: options.overrides.maintainer.clone().or_else(|| self.maintainer()),
            homepage: self.homepage(),
            description,
            license_file,
            copyright,
            section: options.overrides.section.clone().or_else(|| self.section()),
            priority: self.priority(),
            multi_arch: self.multi_arch,
            conffiles: self.conffiles(&files)?,
            relations: relations.deb,
            library_relations: relations.automatic.then_some(true),
            files,
            scripts,
            triggers,
            changelog_file,
            additions,
            release_text: revision.map(|text| if text == "0" { String::new() } else { text }),
            systemd,
            rust: self.rust(options),
            read: std::mem::take(&mut self.read),
            ..ServiceSettings::default()
        };
        let rpm = ServiceSettings {
            relations: relations.rpm,
            multi_arch: None,
            triggers: None,
            // An RPM without a release there is not.
            release_text: deb.release_text.clone().filter(|text| !text.is_empty()),
            ..deb.clone()
        };
        let mut deb = deb;
        if let Some(version) = &options.overrides.version {
            whole_version(&mut deb, version);
        }
        Ok(Tables { deb, rpm })
    }

    fn note(&mut self, place: Option<&Text<'_>>, message: String, hint: Option<String>) {
        let location = place.map_or_else(|| self.place.location(), |text| text.location());
        self.notes.push(Note { message, location: Some(location), hint });
    }

    /// What is to be known of the RPM that is made from the table.
    fn rpm_note(&mut self, place: &Text<'_>, message: String, hint: String) {
        if self.for_rpm {
            self.note(Some(place), message, Some(hint));
        }
    }

    fn problem(&self, key: &str, problem: &str, hint: &str) -> Error {
        Error::Value {
            key: format!("package.metadata.deb.{key}"),
            problem: problem.to_owned(),
            hints: vec![hint.to_owned()],
            location: Box::<Location>::new(self.place.location()),
        }
    }

    /// A path of the package that packhouse makes up itself.
    fn path(&self, path: &str) -> Result<InstallPath, Error> {
        InstallPath::parse(path)
            .map_err(|invalid| self.problem("assets", &invalid.to_string(), "name the file in `assets`"))
    }

    /// A path of the repository, from the crate's directory.
    fn file(&self, text: &Text<'_>) -> Result<PathBuf, Error> {
        let manifest = self.manifest;
        text.parse(|text| super::place::inside(&manifest.root, &manifest.directory, text), "")
    }

    /// The same, of a file that has to be there.
    fn existing(&self, text: &Text<'_>) -> Result<PathBuf, Error> {
        let path = self.file(text)?;
        if self.manifest.absolute(&path).is_file() {
            return Ok(path);
        }
        let hint = "correct the path: it is relative to the directory of this Cargo.toml";
        Err(text.error(format!("there is no file `{}`", path.display()), Some(hint.to_owned())))
    }

    /// The changelog; one that a release script has yet to make is no reason to stop.
    fn changelog(&mut self, text: &Text<'_>) -> Result<Option<PathBuf>, Error> {
        let path = self.file(text)?;
        if self.manifest.absolute(&path).is_file() {
            return Ok(Some(path));
        }
        let message = format!("there is no changelog `{}`: it is made from git's history", path.display());
        self.note(Some(text), message, Some("write the file first, or leave `changelog` out".to_owned()));
        Ok(None)
    }

    /// A directory of the repository, from the crate's.
    fn directory(&self, text: &Text<'_>) -> Result<PathBuf, Error> {
        self.file(text)
    }

    fn name(&mut self) -> Result<PackageName, Error> {
        let lower = plain_name(&self.package);
        let text = self.table.name.clone();
        if lower != self.package {
            let message = format!("the package is named `{lower}`: `{}` is no name of a Debian package", self.package);
            self.note(text.as_ref(), message, Some(format!("write `name = \"{lower}\"`")));
            self.package.clone_from(&lower);
        }
        match &text {
            Some(text) => text.parse(|_| PackageName::parse(&lower), ""),
            None => PackageName::parse(&lower).map_err(|invalid| {
                self.problem("name", &invalid.to_string(), "give the package a name: `name = \"…\"`")
            }),
        }
    }

    /// The table's maintainer, else the first author.
    fn maintainer(&mut self) -> Option<Maintainer> {
        let own = self.table.maintainer.clone();
        let text =
            own.as_ref().map(|text| text.as_str().to_owned()).or_else(|| self.manifest.authors().first().cloned())?;
        match value::maintainer(&text) {
            Ok(maintainer) => Some(maintainer),
            Err(rule) => {
                let message = format!("the maintainer {rule}: the project's stands in");
                self.note(own.as_ref(), message, Some("write `maintainer = \"Name <mail@example.org>\"`".to_owned()));
                None
            }
        }
    }

    /// `homepage`, else `documentation`, else `repository`.
    fn homepage(&self) -> Option<String> {
        let manifest = self.manifest;
        let text = manifest
            .text(|package| &package.homepage)
            .or_else(|| manifest.text(|package| &package.documentation))
            .or_else(|| manifest.text(|package| &package.repository))?;
        value::web_address(&text, &["https", "http"]).is_ok().then_some(text)
    }

    fn section(&mut self) -> Option<String> {
        let text = self.table.section.clone()?;
        let lower = text.as_str().trim().to_ascii_lowercase();
        match value::section(&lower) {
            Ok(()) => Some(lower),
            Err(rule) => {
                let hint = "choose one of Debian's sections: `utils`, `net`, `admin`, `devel`, …";
                self.note(Some(&text), format!("`section`: {rule}: it is left out"), Some(hint.to_owned()));
                None
            }
        }
    }

    fn priority(&mut self) -> Option<String> {
        const PRIORITIES: [&str; 4] = ["required", "important", "standard", "optional"];
        let text = self.table.priority.clone()?;
        let lower = text.as_str().trim().to_ascii_lowercase();
        if PRIORITIES.contains(&lower.as_str()) {
            return Some(lower);
        }
        let message = format!("the priority is `optional`: `{}` is none (Debian Policy 2.5)", text.as_str());
        self.note(Some(&text), message, Some("write `priority = \"optional\"`, or leave it out".to_owned()));
        None
    }

    /// `license-file` with the lines to leave out, else the manifest's.
    fn license_file(&self) -> Result<Option<(PathBuf, usize)>, Error> {
        let Some(texts) = &self.table.license_file else {
            let file = self.manifest.license_file().filter(|path| self.manifest.absolute(path).is_file());
            return Ok(file.map(|path| (path, 0)));
        };
        let mut texts = texts.iter();
        let Some(file) = texts.next() else { return Ok(None) };
        let count = |text: &str| text.trim().parse::<usize>().map_err(|_| format!("`{text}` is no number of lines"));
        let skipped = texts.next().map(|text| text.parse(count, "write `license-file = [\"LICENSE\", \"4\"]`"));
        Ok(Some((self.existing(file)?, skipped.transpose()?.unwrap_or_default())))
    }

    /// `copyright`, else the authors.
    fn copyright(&self) -> Option<String> {
        let text = match &self.table.copyright {
            Some(text) => text.as_str().to_owned(),
            None => self.manifest.authors().join(", "),
        };
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        value::one_line(&line).is_ok().then_some(line)
    }

    /// `conf-files`, as far as they are installed; those in /etc are known without being named.
    fn conffiles(&mut self, files: &[crate::config::FileSettings]) -> Result<Vec<InstallPath>, Error> {
        let texts = self.table.conf_files.clone().unwrap_or_default();
        let mut paths = Vec::new();
        for text in texts {
            let parse = |text: &str| -> Result<InstallPath, Rule> {
                InstallPath::parse(&format!("/{}", text.trim_start_matches('/'))).map_err(|invalid| invalid.to_string())
            };
            let path = text.parse(parse, "write the path of an installed file")?;
            // What cargo makes and a pattern finds is not known yet.
            let installed =
                |file: &crate::config::FileSettings| file.path == path || (file.into && path.is_within(&file.path));
            if files.iter().any(installed) {
                paths.push(path);
            } else {
                let message = format!("`conf-files` names {path}, which no asset installs: it is left out");
                self.note(Some(&text), message, Some("correct the path; files in /etc need not be named".to_owned()));
            }
        }
        Ok(paths)
    }

    fn rust(&mut self, options: &Options) -> RustSettings {
        let overrides = &options.overrides;
        let separate = self.table.separate_debug_symbols.unwrap_or_default() || self.table.dbgsym.unwrap_or_default();
        let debug_package = overrides.debug_package.unwrap_or(separate);
        let profile = self.manifest.profile(&self.profile);
        let asked_for = profile.is_some_and(|profile| {
            profile.debug.as_ref().is_some_and(|debug| *debug != DebugSetting::None)
                && profile.strip.as_ref().is_none_or(|strip| *strip != StripSetting::Symbols)
        });
        let debug = overrides.profile_settings.iter().find(|(key, _)| key == "debug").map(|(_, value)| value != "none");
        let asked_for = debug.unwrap_or(asked_for);
        let setting = |(key, value): &(String, String)| {
            vec!["--config".to_owned(), format!("profile.{}.{key}=\"{value}\"", self.profile)]
        };
        let settings: Vec<Vec<String>> = overrides.profile_settings.iter().map(setting).collect();
        RustSettings {
            features: self.features.asked_for.clone(),
            all_features: overrides.all_features,
            no_default_features: !self.features.default,
            profile: Some(self.profile.clone()),
            debug_package,
            // Who asks for debug information in the profile wants it, as cargo-deb sees it.
            strip: overrides.strip.or((asked_for && !debug_package).then_some(false)),
            prebuilt: overrides.no_build,
            cargo_arguments: [settings.concat(), overrides.cargo_arguments.clone()].concat(),
        }
    }
}

/// `--deb-version`: epoch, version and revision at once.
pub(super) fn whole_version(settings: &mut ServiceSettings, text: &str) {
    let (epoch, rest) = match text.split_once(':') {
        Some((epoch, rest)) => (epoch.parse().ok(), rest),
        None => (None, text),
    };
    let (version, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
    settings.epoch = epoch.or(settings.epoch);
    settings.version = Some(version.to_owned());
    settings.release_text = Some(revision.to_owned());
    settings.plain_revision = true;
}

/// The features that the programs are built with.
struct Features {
    /// By the table and the command line.
    asked_for: Vec<String>,
    /// Whether the default ones are on.
    default: bool,
    /// All that are on, through others too; `None` for every one.
    on: Option<BTreeSet<String>>,
}

impl Features {
    fn of(manifest: &CrateManifest, table: &Table<'_>, options: &Options) -> Self {
        let own = table.features.iter().flatten().map(|text| text.as_str().to_owned());
        let asked_for: Vec<String> = own.chain(options.overrides.features.iter().cloned()).collect();
        let default = !options.overrides.no_default_features && table.default_features.unwrap_or(true);
        let mut on = BTreeSet::new();
        let mut pending: Vec<String> = asked_for.clone();
        pending.extend(default.then(|| "default".to_owned()));
        while let Some(feature) = pending.pop() {
            let more = manifest.manifest.features.get(&feature).cloned().unwrap_or_default();
            if on.insert(feature) {
                pending.extend(more);
            }
        }
        Self { asked_for, default, on: (!options.overrides.all_features).then_some(on) }
    }

    fn has(&self, feature: &str) -> bool {
        self.on.as_ref().is_none_or(|on| on.contains(feature))
    }
}
