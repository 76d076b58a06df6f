//! Static detection: what a directory with a Python manifest is to the workspace.
//!
//! A package with something to call (programs in `bin/`, console scripts) is a service, any other a library. Nothing is
//! run; what could not be read stands in [`Member::unread`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::combine::read_project;
use super::package_info;
use super::project::{Project, Style};
use super::pyproject::requirement_name;
use super::source::{Error, Source};
use crate::diagnostic::{Diagnose, Location};
use crate::name::normalize;
use crate::workspace::{Directory, EcosystemKind, Kind, Member, Requirement, package_name};

const MANIFESTS: &[&str] = &["pyproject.toml", "setup.cfg", "setup.py"];

pub(super) fn detect(directory: Directory<'_>) -> Result<Vec<Member>, Box<dyn Diagnose + Send + Sync>> {
    if !directory.entries.iter().any(|entry| MANIFESTS.contains(&entry.as_str())) {
        return Ok(Vec::new());
    }
    let Some(project) = read_project(&directory.root.join(directory.path))? else { return Ok(Vec::new()) };
    Ok(vec![member(directory, &project)?])
}

/// Whether the directory is an unpacked source distribution.
pub(super) fn closes(directory: Directory<'_>) -> bool {
    let has = |name: &str| directory.entries.iter().any(|entry| entry == name);
    has(package_info::FILE) && MANIFESTS.iter().any(|name| has(name))
}

fn member(directory: Directory<'_>, project: &Project) -> Result<Member, Error> {
    let ecosystem_name = normalize(&project.name);
    let name = package_name(EcosystemKind::Python, &ecosystem_name).map_err(|invalid| {
        let text = Source::read(&project.manifest).map(|source| source.text).unwrap_or_default();
        let at = text.find(&project.name).unwrap_or_default();
        Error::Invalid {
            message: invalid.to_string(),
            location: Box::new(Location::new(&project.manifest, text, at..at + project.name.len())),
            hints: vec![
                "give the package another name there".to_owned(),
                format!("or leave it out: `exclude = [\"{}\"]` in packhouse.toml", directory.path.display()),
            ],
        }
    })?;
    let manifest = relative(directory, project, &project.manifest)?;
    for file in &project.files {
        relative(directory, project, file)?;
    }
    let (kind, reason) = kind(project);
    let mut commands = project.bin.clone();
    for script in &project.console_scripts {
        if !commands.contains(&script.name) {
            commands.push(script.name.clone());
        }
    }
    for program in &project.programs {
        if !commands.contains(program) {
            commands.push(program.clone());
        }
    }
    let (requires, optional) = requires(directory, project)?;
    Ok(Member {
        name,
        ecosystem_name,
        ecosystem: EcosystemKind::Python,
        kind,
        path: directory.path.to_path_buf(),
        manifest,
        version: project.version.clone(),
        summary: project.summary.clone(),
        license: project.license.clone(),
        reason,
        commands,
        requires,
        optional,
        dependencies: Vec::new(),
        unread: project.unread.clone(),
        submodule: directory.submodule.map(Path::to_path_buf),
    })
}

fn kind(project: &Project) -> (Kind, String) {
    let manifest = project.manifest.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let scripts = match project.style {
        Style::Project => "[project.scripts]",
        Style::Poetry => "[tool.poetry.scripts]",
        Style::SetupCfg | Style::SetupPy => "console_scripts",
    };
    match (project.bin.is_empty(), project.console_scripts.is_empty()) {
        (false, true) => (Kind::Service, format!("{manifest} and bin/")),
        (false, false) => (Kind::Service, format!("{manifest}, bin/ and {scripts}")),
        (true, false) => (Kind::Service, format!("{manifest} and {scripts}")),
        (true, true) if !project.programs.is_empty() => {
            (Kind::Service, format!("{manifest} and programs of its wheel"))
        }
        (true, true) => (Kind::Library, format!("{manifest}, no programs in bin/ and no {scripts}")),
    }
}

/// A path of the project relative to the root; outside of it is an error.
fn relative(directory: Directory<'_>, project: &Project, path: &Path) -> Result<PathBuf, Error> {
    match path.strip_prefix(directory.root) {
        Ok(relative) => Ok(relative.to_path_buf()),
        Err(_) => {
            let source = Source::read(&project.manifest)?;
            let message =
                format!("{} lies outside of the repository, which must hold all that it needs", path.display());
            Err(source.error(0..0, message, &["move it into the repository, or add it as a git submodule"]))
        }
    }
}

/// What a package requires, and what each of its extras requires.
type Requires = (Vec<Requirement>, BTreeMap<String, Vec<Requirement>>);

fn requires(directory: Directory<'_>, project: &Project) -> Result<Requires, Error> {
    let mut by_name: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut paths = Vec::new();
    for path in &project.paths {
        let fault = |message: String, hints: &[&str]| -> Result<Error, Error> {
            let text = Source::read(&path.file)?.text;
            let location = Box::new(Location::line(&path.file, text, path.line));
            Ok(Error::Invalid { message, location, hints: hints.iter().map(|&hint| hint.to_owned()).collect() })
        };
        let Ok(relative) = path.path.strip_prefix(directory.root) else {
            let message = format!("{} lies outside of the repository", path.path.display());
            return Err(fault(message, &["move it into the repository, or add it as a git submodule"])?);
        };
        if !path.path.is_dir() {
            let message = format!("there is no directory {}", path.path.display());
            return Err(fault(message, &["if it is a submodule: git submodule update --init --recursive"])?);
        }
        let name = match &path.name {
            Some(name) => normalize(name),
            None => read_project(&path.path)?.map(|project| normalize(&project.name)).unwrap_or_default(),
        };
        by_name.insert(name.clone(), relative.to_path_buf());
        paths.push((name, relative.to_path_buf(), path));
    }
    let mut result: Vec<Requirement> = Vec::new();
    for line in &project.dependencies {
        let name = requirement_name(&line.requirement);
        let path = by_name.get(&name).cloned();
        let file = relative(directory, project, &line.file)?;
        result.push(Requirement { name, path, extras: extras(&line.requirement), file, line: line.line });
    }
    for (name, path, requirement) in paths {
        if result.iter().any(|known| known.path.as_ref() == Some(&path)) {
            continue;
        }
        let file = relative(directory, project, &requirement.file)?;
        let extras = requirement.extras.iter().map(|extra| normalize(extra)).collect();
        result.push(Requirement { name, path: Some(path), extras, file, line: requirement.line });
    }
    for url in &project.urls {
        if let Some(name) = &url.name {
            let file = relative(directory, project, &url.file)?;
            let extras = Vec::new();
            result.push(Requirement { name: normalize(name), path: None, extras, file, line: url.line });
        }
    }
    let mut optional: BTreeMap<String, Vec<Requirement>> = BTreeMap::new();
    if !project.optional_dependencies.is_empty() {
        let source = Source::read(&project.manifest)?;
        for (extra, texts) in &project.optional_dependencies {
            let list = optional.entry(normalize(extra)).or_default();
            for text in texts {
                let name = requirement_name(text);
                let path = by_name.get(&name).cloned();
                let file = relative(directory, project, &project.manifest)?;
                let before = source.text.find(text.as_str()).and_then(|at| source.text.get(..at)).unwrap_or_default();
                let line = before.matches('\n').count() + 1;
                list.push(Requirement { name, path, extras: extras(text), file, line });
            }
        }
    }
    Ok((result, optional))
}

/// The extras that a requirement asks for, normalised.
fn extras(requirement: &str) -> Vec<String> {
    let parsed = requirement.parse::<pep508_rs::Requirement<pep508_rs::VerbatimUrl>>();
    let extras = parsed.map(|requirement| requirement.extras).unwrap_or_default();
    extras.iter().map(|extra| normalize(extra.as_ref())).collect()
}
