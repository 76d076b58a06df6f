//! What one manifest says about a package: the form in which pyproject.toml, setup.cfg and setup.py are read, before they
//! are combined.
//!
//! `None` means that the manifest says nothing of the field; what it says but what cannot be known without running code
//! stands in `unread`, by field, because another manifest may well say it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::project::{EntryPoint, RequirementLine};
use super::requirements::requirement::{Place, check_pep508, classify, has_direct_reference};
use super::requirements::{PathRequirement, Requirement, RequirementsFile, UrlRequirement};
use super::source::{Error, Source};

/// A field of the metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    Name,
    Version,
    Summary,
    License,
    RequiresPython,
    Dependencies,
    OptionalDependencies,
    Scripts,
    SetupRequires,
    /// Something that is no field of the metadata and that has to be said all the same.
    Other,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) summary: Option<String>,
    pub(super) license: Option<String>,
    pub(super) requires_python: Option<String>,
    pub(super) dependencies: Option<Dependencies>,
    pub(super) optional_dependencies: Option<BTreeMap<String, Vec<String>>>,
    pub(super) scripts: Option<Vec<EntryPoint>>,
    /// Programs that the wheel brings as they are, by name: scripts, what is compiled.
    pub(super) programs: Vec<String>,
    /// PEP 508 texts.
    pub(super) setup_requires: Vec<String>,
    pub(super) unread: Vec<(Field, String)>,
    /// Fields that may be stated where it cannot be seen (`setup(**keywords)`): a weaker manifest's word is taken, and
    /// that it is in doubt is said.
    pub(super) doubts: Vec<(Field, String)>,
    /// Other files that were read.
    pub(super) files: Vec<PathBuf>,
}

/// Requirements of all kinds.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Dependencies {
    pub(super) named: Vec<RequirementLine>,
    pub(super) paths: Vec<PathRequirement>,
    pub(super) urls: Vec<UrlRequirement>,
}

impl Dependencies {
    pub(super) fn push(&mut self, requirement: Requirement) {
        match requirement {
            Requirement::Named(named) => self.named.push(named),
            Requirement::Path(path) => self.paths.push(path),
            Requirement::Url(url) => self.urls.push(url),
        }
    }

    /// Takes the requirements of a file; its constraints and options are the lock's, through requirements.txt itself.
    pub(super) fn take(&mut self, file: RequirementsFile, files: &mut Vec<PathBuf>) {
        files.extend(file.files);
        for requirement in file.requirements {
            self.push(requirement);
        }
    }

    /// All of them as PEP 508 texts, for what is kept as text (extras, build requirements).
    pub(super) fn texts(&self, source: &Source, span: Range<usize>) -> Result<Vec<String>, Error> {
        let nameless = |what: &str| {
            let message = format!("{what} is required here without a name");
            source.error(span.clone(), message, &["write `name @ …`"])
        };
        let text = |name: &str, extras: &[String], target: &str, marker: &Option<String>| {
            let extras = if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
            let marker = marker.as_ref().map(|marker| format!(" ; {marker}")).unwrap_or_default();
            format!("{name}{extras} @ {target}{marker}")
        };
        let mut texts: Vec<String> = self.named.iter().map(|line| line.requirement.clone()).collect();
        for url in &self.urls {
            let name = url.name.as_deref().ok_or_else(|| nameless(&url.url))?;
            let hash = url.sha256.first().map(|digest| format!("#sha256={digest}")).unwrap_or_default();
            texts.push(text(name, &url.extras, &format!("{}{hash}", url.url), &url.marker));
        }
        for path in &self.paths {
            let name = path.name.as_deref().ok_or_else(|| nameless(&path.path.display().to_string()))?;
            let url = url::Url::from_directory_path(&path.path).map_err(|()| nameless("a directory"))?;
            texts.push(text(name, &path.extras, url.as_str(), &path.marker));
        }
        Ok(texts)
    }
}

impl Facts {
    /// Fills what is not known yet from a weaker manifest, all fields that `takes` lets through.
    pub(super) fn fill(&mut self, weaker: Facts, takes: impl Fn(Field) -> bool) {
        fn fill<T>(mine: &mut Option<T>, other: Option<T>, takes: bool) {
            if mine.is_none() && takes {
                *mine = other;
            }
        }
        // What the stronger one could not read is not said by the weaker one either: setuptools would take the first.
        let unread_before: Vec<Field> = self.unread.iter().map(|(field, _)| *field).collect();
        let takes = |field| takes(field) && (field == Field::Other || !unread_before.contains(&field));
        for (field, text) in weaker.unread {
            if takes(field) && !self.knows(field) {
                self.unread.push((field, text));
            }
        }
        let self_knows: Vec<Field> =
            weaker.doubts.iter().map(|(field, _)| *field).filter(|field| self.knows(*field)).collect();
        fill(&mut self.name, weaker.name, takes(Field::Name));
        fill(&mut self.version, weaker.version, takes(Field::Version));
        fill(&mut self.summary, weaker.summary, takes(Field::Summary));
        fill(&mut self.license, weaker.license, takes(Field::License));
        fill(&mut self.requires_python, weaker.requires_python, takes(Field::RequiresPython));
        fill(&mut self.dependencies, weaker.dependencies, takes(Field::Dependencies));
        fill(&mut self.optional_dependencies, weaker.optional_dependencies, takes(Field::OptionalDependencies));
        fill(&mut self.scripts, weaker.scripts, takes(Field::Scripts));
        self.doubts.extend(weaker.doubts.into_iter().filter(|(field, _)| takes(*field) && !self_knows.contains(field)));
        if takes(Field::SetupRequires) {
            self.setup_requires.extend(weaker.setup_requires);
        }
        self.programs.extend(weaker.programs);
        self.files.extend(weaker.files);
    }

    /// Takes from what was found out when the package's archive was made all that its manifests do not settle.
    pub(super) fn complete(&mut self, found: Facts) {
        fn take<T>(mine: &mut Option<T>, found: Option<T>, unsettled: bool) -> bool {
            let takes = found.is_some() && (unsettled || mine.is_none());
            if takes {
                *mine = found;
            }
            takes
        }
        let unsettled: Vec<Field> = self.unread.iter().chain(&self.doubts).map(|(field, _)| *field).collect();
        let open = |field| unsettled.contains(&field);
        let settled = [
            (Field::Name, take(&mut self.name, found.name, open(Field::Name))),
            (Field::Version, take(&mut self.version, found.version, open(Field::Version))),
            (Field::Summary, take(&mut self.summary, found.summary, open(Field::Summary))),
            (Field::License, take(&mut self.license, found.license, open(Field::License))),
            (
                Field::RequiresPython,
                take(&mut self.requires_python, found.requires_python, open(Field::RequiresPython)),
            ),
            (Field::Dependencies, take(&mut self.dependencies, found.dependencies, open(Field::Dependencies))),
            (
                Field::OptionalDependencies,
                take(&mut self.optional_dependencies, found.optional_dependencies, open(Field::OptionalDependencies)),
            ),
            (Field::Scripts, take(&mut self.scripts, found.scripts, open(Field::Scripts))),
        ];
        let remains = |field: Field| !settled.contains(&(field, true));
        self.unread.retain(|(field, _)| remains(*field));
        self.doubts.retain(|(field, _)| remains(*field));
        self.files.extend(found.files);
    }

    /// Moves the doubts to what is unread, each with what was done about it.
    pub(super) fn settle_doubts(&mut self) {
        for (field, text) in std::mem::take(&mut self.doubts) {
            let text = if self.knows(field) { format!("{text}; another manifest's is taken") } else { text };
            self.unread.push((field, text));
        }
    }

    fn knows(&self, field: Field) -> bool {
        match field {
            Field::Name => self.name.is_some(),
            Field::Version => self.version.is_some(),
            Field::Summary => self.summary.is_some(),
            Field::License => self.license.is_some(),
            Field::RequiresPython => self.requires_python.is_some(),
            Field::Dependencies => self.dependencies.is_some(),
            Field::OptionalDependencies => self.optional_dependencies.is_some(),
            Field::Scripts => self.scripts.is_some(),
            Field::SetupRequires | Field::Other => false,
        }
    }
}

/// A requirement of a manifest's metadata: PEP 508, with `name @ file:…` and `name @ https:…`.
pub(super) fn metadata_requirement(source: &Source, text: &str, span: Range<usize>) -> Result<Requirement, Error> {
    let base = source.path.parent().unwrap_or(Path::new("/"));
    let span = within_quotes(source, text, span);
    let place = Place { source, line: source.line_at(span.start), span, base };
    if has_direct_reference(text) {
        return classify(text, Vec::new(), &place);
    }
    check_pep508(text, &place)?;
    Ok(Requirement::Named(RequirementLine {
        requirement: text.trim().to_owned(),
        sha256: Vec::new(),
        file: source.path.clone(),
        line: place.line,
    }))
}

/// The place of `text` itself where the span is that of a literal with its quotes.
fn within_quotes(source: &Source, text: &str, span: Range<usize>) -> Range<usize> {
    match source.text.get(span.clone()).and_then(|literal| literal.find(text)) {
        Some(at) => span.start + at..span.start + at + text.len(),
        None => span,
    }
}

/// Checks a requirement that is kept as text (an extra's, a build system's).
pub(super) fn check_requirement(source: &Source, text: &str, span: Range<usize>) -> Result<String, Error> {
    metadata_requirement(source, text, span)?;
    Ok(text.trim().to_owned())
}

/// The names of programs that are given by their paths.
pub(super) fn program_names<'a>(paths: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let names = paths.into_iter().filter_map(|path| path.trim().rsplit('/').next()).map(str::to_owned);
    names.filter(|name| !name.is_empty() && !name.starts_with(['.', '-']) && !name.contains(['*', '?', '['])).collect()
}

/// `module:attribute [extra]` of an entry point.
pub(super) fn entry_point(source: &Source, name: &str, value: &str, span: Range<usize>) -> Result<EntryPoint, Error> {
    let target = value.split('[').next().unwrap_or_default().trim();
    let dotted = |text: &str| {
        !text.is_empty()
            && text.split('.').all(|part| {
                part.starts_with(|first: char| first.is_alphabetic() || first == '_')
                    && part.chars().all(|character| character.is_alphanumeric() || character == '_')
            })
    };
    let name = name.trim();
    if name.is_empty()
        || name.starts_with(['.', '-'])
        || name.contains(['/', '\0', '\n'])
        || name.contains(char::is_whitespace)
    {
        return Err(source.error(span, format!("`{name}` cannot be the name of a command"), &[]));
    }
    match target.split_once(':').map(|(module, attribute)| (module.trim(), attribute.trim())) {
        Some((module, attribute)) if dotted(module) && dotted(attribute) => {
            Ok(EntryPoint { name: name.to_owned(), module: module.to_owned(), attribute: attribute.to_owned() })
        }
        _ => Err(source.error(span, format!("`{value}` is no entry point"), &["write `package.module:function`"])),
    }
}

/// `extras_require` of setuptools: a key may carry a marker (`ssl:python_version<'3'`), and without a name before it the
/// requirements are everybody's.
pub(super) fn split_extra(key: &str) -> (String, Option<String>) {
    let (name, marker) = match key.split_once(':') {
        Some((name, marker)) => (name, Some(marker.trim().to_owned()).filter(|marker| !marker.is_empty())),
        None => (key, None),
    };
    let name = name.trim();
    (if name.is_empty() { String::new() } else { crate::name::normalize(name) }, marker)
}

/// `requirement` with `marker` added to its own.
pub(super) fn with_marker(requirement: &str, marker: &str) -> String {
    match requirement.split_once(';') {
        Some((before, own)) if !own.trim().is_empty() => {
            format!("{} ; ({}) and ({marker})", before.trim(), own.trim())
        }
        _ => format!("{} ; {marker}", requirement.trim().trim_end_matches(';').trim()),
    }
}
