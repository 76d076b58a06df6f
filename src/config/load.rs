//! From the file's tables to [`Settings`]: one function per table.

use std::path::Path;

use globset::{GlobSet, GlobSetBuilder};

use super::error::Error;
use super::find::Found;
use super::reader::{Reader, Source, Text};
use super::suggest::closest;
use super::{IndexSettings, Origin, ProjectSettings, RepositorySettings, Settings, find, licenses, service, value};
use crate::format::Effort;
use crate::name::{OrgName, normalize};
use crate::target::{Compression, Distribution, InvalidTarget, Target, Unreadable, distributions, parse_target};

/// What a plain `build` builds for when nothing is said: the current long-term releases of both families.
pub const DEFAULT_TARGETS: [&str; 2] = ["debian-12", "el9"];

/// The name of the vendor directories when nothing is said.
pub(super) const VENDOR: &str = "vendor";

/// Reads the configuration that is in force in `start`, or the one in `manifest_path`.
///
/// # Errors
/// When there is none, when there are two in one directory, and for everything in it that is unknown or wrong.
pub fn load(start: &Path, manifest_path: Option<&Path>) -> Result<Settings, Error> {
    let found = match manifest_path {
        Some(file) => find::named(file)?,
        None => find::search(start)?,
    };
    read(&found)
}

/// What the `text` of a packhouse.toml says that would stand in `root`.
///
/// # Errors
/// For everything in it that is unknown or wrong.
pub fn parse(text: &str, root: &Path) -> Result<Settings, Error> {
    let source = Source { path: Path::new(find::FILE_NAME).to_path_buf(), text: text.into() };
    read(&Found { root: root.to_path_buf(), source, keys: &[] })
}

/// What a configuration that was found says.
fn read(found: &Found) -> Result<Settings, Error> {
    let document = found.source.parse()?;
    let name = found.keys.join(".");
    let Some((table, span)) = found.table(&document) else { return Err(Error::Missing { start: found.root.clone() }) };
    let reader = Reader::new(&found.source, table, span, &name);
    let origin = Origin::new(found);

    let distributions = targets(&reader)?;
    let settings = Settings {
        project: project(&reader, &distributions)?,
        indexes: indexes(&reader)?,
        services: service::services(&reader, &found.root, &distributions, &origin)?,
        adopted: std::collections::BTreeMap::new(),
        licenses: licenses::licenses(&reader)?,
        repository: repository(&reader, &found.root)?,
        root: found.root.clone(),
        distributions,
    };
    reader.finish()?;
    Ok(settings)
}

/// `[project]`.
fn project(reader: &Reader<'_>, known: &[Distribution]) -> Result<ProjectSettings, Error> {
    let Some(table) = reader.table("project")? else {
        return Err(reader.missing("project.org", "org = \"acme\""));
    };
    let org = table.string("org")?.ok_or_else(|| table.missing("org", "org = \"acme\""))?;
    let org = org.parse(OrgName::parse, "")?;
    let example = "maintainer = \"Name <mail@example.org>\"";
    let maintainer = table.string("maintainer")?.ok_or_else(|| table.missing("maintainer", example))?;
    let maintainer = maintainer.parse(value::maintainer, &format!("write `{example}`"))?;
    let homepage = table.string("homepage")?;
    let homepage =
        homepage.map(|text| text.checked(|text| value::web_address(text, &["https", "http"]).map(|_| ()), ""));
    let license = table.string("license")?.map(|text| text.checked(value::spdx, SPDX)).transpose()?;
    let settings = ProjectSettings {
        org,
        maintainer,
        homepage: homepage.transpose()?,
        license,
        targets: project_targets(&table, known)?,
        members: table.strings("members")?.map(|globs| glob_set(&globs)).transpose()?,
        exclude: table.strings("exclude")?.map(|globs| glob_set(&globs)).transpose()?.unwrap_or_default(),
        vendor: match table.string("vendor")? {
            Some(text) => text.parse(value::file_path, "")?,
            None => Path::new(VENDOR).to_path_buf(),
        },
        effort: match table.string("effort")? {
            Some(text) => text.choice(&Effort::NAMES)?,
            None => Effort::default(),
        },
    };
    table.finish()?;
    Ok(settings)
}

/// How licences are written.
pub(super) const SPDX: &str = "write an SPDX expression, like `Apache-2.0` or `MIT OR Apache-2.0`";

fn project_targets(table: &Reader<'_>, known: &[Distribution]) -> Result<Vec<Target>, Error> {
    let Some(texts) = table.strings("targets")? else {
        let defaults = DEFAULT_TARGETS.iter().filter_map(|target| parse_target(target, known).ok());
        return Ok(defaults.collect());
    };
    if texts.is_empty() {
        return Err(table.problem("targets", "is empty", Some("leave the key out, or name a target".to_owned())));
    }
    let mut targets: Vec<Target> = Vec::new();
    for text in texts {
        let target = parse_target(text.as_str(), known).map_err(|error| {
            let hint = match &error {
                InvalidTarget::Distribution { name, .. } => unknown_distribution(name, known),
                InvalidTarget::Architecture { .. } => None,
            };
            text.error(&error, hint)
        })?;
        if targets.contains(&target) {
            return Err(text.error(format!("{target} stands here twice"), None));
        }
        targets.push(target);
    }
    Ok(targets)
}

/// What may have been meant by a distribution that does not exist.
fn unknown_distribution(name: &str, known: &[Distribution]) -> Option<String> {
    let names = known.iter().map(|distribution| distribution.name.as_str());
    Some(match closest(name, names.clone()) {
        Some(suggestion) => format!("did you mean `{suggestion}`?"),
        None => format!("known: {}; add another one with [targets.{name}]", names.collect::<Vec<_>>().join(", ")),
    })
}

fn glob_set(globs: &[Text<'_>]) -> Result<GlobSet, Error> {
    let mut builder = GlobSetBuilder::new();
    for text in globs {
        builder.add(text.parse(value::glob, "")?);
    }
    let all = || globs.first().map(|text| text.error("the patterns are too large", None));
    builder.build().or_else(|_| all().map_or_else(|| Ok(GlobSet::empty()), Err))
}

/// `[targets.NAME]`, applied to the built-in distributions.
fn targets(reader: &Reader<'_>) -> Result<Vec<Distribution>, Error> {
    let mut known = distributions();
    let built_in = known.clone();
    for (name, table) in reader.tables("targets")? {
        let base = match table.string("base")? {
            Some(text) => {
                let find = |base: &str| built_in.iter().find(|one| one.name == base).cloned();
                let base = find(text.as_str());
                base.ok_or_else(|| {
                    text.error(
                        format!("unknown distribution `{}`", text.as_str()),
                        unknown_base(text.as_str(), &built_in),
                    )
                })?
            }
            None => built_in.iter().find(|one| one.name == name.as_str()).cloned().ok_or_else(|| {
                let hint = unknown_base(name.as_str(), &built_in);
                name.error("no such distribution is built in", hint)
            })?,
        };
        let lower = |text: &str| match text.chars().any(|character| character.is_ascii_uppercase()) {
            true => Err(format!("`{text}` must be lower-case")),
            false => value::word(text, ".-"),
        };
        let title =
            if base.name == name.as_str() { base.title.clone() } else { format!("{} ({})", name.as_str(), base.title) };
        let mut distribution = Distribution { name: name.checked(lower, "")?, title, ..base };
        if let Some(text) = table.string("compression")? {
            let chosen = text.choice(&Compression::NAMES)?;
            let known = distribution.compressed_with(chosen);
            distribution = known.map_err(|error| text.error(&error, Some(Unreadable::HINT.to_owned())))?;
        }
        if let Some(text) = table.string("suite")? {
            distribution.suite = text.checked(|text| value::word(text, "._-"), "")?;
        }
        if let Some(text) = table.string("revision-suffix")? {
            let suffix = |text: &str| if text.is_empty() { Ok(()) } else { value::word(text, ".+~") };
            distribution.revision_suffix = text.checked(suffix, "")?;
        }
        table.finish()?;
        match known.iter_mut().find(|one| one.name == distribution.name) {
            Some(one) => *one = distribution,
            None => known.push(distribution),
        }
    }
    Ok(known)
}

fn unknown_base(name: &str, built_in: &[Distribution]) -> Option<String> {
    let names = built_in.iter().map(|distribution| distribution.name.as_str());
    Some(match closest(name, names.clone()) {
        Some(suggestion) => format!("did you mean `{suggestion}`? Or say what it is like: `base = \"{suggestion}\"`"),
        None => format!("say what it is like: `base = \"…\"` with one of {}", names.collect::<Vec<_>>().join(", ")),
    })
}

/// `[[index]]`.
fn indexes(reader: &Reader<'_>) -> Result<Vec<IndexSettings>, Error> {
    let mut indexes: Vec<IndexSettings> = Vec::new();
    for table in reader.array("index")? {
        let name = table.string("name")?.ok_or_else(|| table.missing("name", "name = \"internal\""))?;
        let url = table.string("url")?;
        let url = url.ok_or_else(|| table.missing("url", "url = \"https://pypi.example.org/simple\""))?;
        let packages = table.strings("packages")?.unwrap_or_default();
        if indexes.iter().any(|other| other.name == name.as_str()) {
            return Err(name.error(format!("two indexes are named `{}`", name.as_str()), None));
        }
        let mut patterns = Vec::new();
        for text in packages {
            text.parse(value::python_pattern, "")?;
            let pattern = normalize(text.as_str());
            if let Some(other) = indexes.iter().find(|other| other.packages.contains(&pattern)) {
                return Err(text.error(format!("`{pattern}` is pinned to `{}` already", other.name), None));
            }
            patterns.push(pattern);
        }
        let hint = "credentials come from the environment, netrc or a keyring command";
        let address = |text: &str| value::web_address(text, &["https", "http", "file"]).map(|_| ());
        indexes.push(IndexSettings {
            name: name.checked(|text| value::word(text, "._-"), "")?,
            url: url.checked(address, hint)?,
            packages: patterns,
        });
        table.finish()?;
    }
    Ok(indexes)
}

/// `[repository]`.
fn repository(reader: &Reader<'_>, root: &Path) -> Result<RepositorySettings, Error> {
    let Some(table) = reader.table("repository")? else { return Ok(RepositorySettings::default()) };
    let place = |text: &str| match text.contains("://") {
        true => value::web_address(text, &["s3", "file", "https", "http"]).map(|_| ()),
        false => value::path_in(root, text).map(|_| ()),
    };
    let hint = "give other places on the command line, with --repo";
    let key = |text: &str| match text.starts_with("gpg:") || text.starts_with("command:") {
        true => Ok(()),
        false => value::path_in(root, text).map(|_| ()),
    };
    let signing_key = |name| table.string(name)?.map(|text| text.checked(key, "")).transpose();
    let certificate =
        |name| table.string(name)?.map(|text| text.parse(|text| value::path_in(root, text), "")).transpose();
    let settings = RepositorySettings {
        path: table.string("path")?.map(|text| text.checked(place, hint)).transpose()?,
        key: signing_key("key")?,
        certificate: certificate("certificate")?,
        next_key: signing_key("next-key")?,
        next_certificate: certificate("next-certificate")?,
    };
    table.finish()?;
    Ok(settings)
}
