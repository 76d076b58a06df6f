//! pyproject.toml: `[project]` (PEP 621), `[build-system]` (PEP 518), `[tool.poetry]`, and the tools' own tables that say
//! where dynamic fields come from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::facts::{Dependencies, Facts, Field, check_requirement, entry_point, metadata_requirement, program_names};
use super::project::{BuildSystem, Style};
use super::requirements::requirement::join_normalised;
use super::requirements::{PathRequirement, Requirement, UrlRequirement};
use super::setup_py::StaticModules;
use super::source::{Error, Source};
use super::toml_tree::{Item, parse};
use super::{package_info, poetry, referenced};

/// What a pyproject.toml is to a package.
#[derive(Debug)]
pub(super) struct PyProject {
    /// Where its metadata stand; `None`: nowhere in this file.
    pub(super) style: Option<Style>,
    /// What it says.
    pub(super) facts: Facts,
    /// Fields that `dynamic` names and that the file itself does not say; `None` without `[project]`: all.
    pub(super) dynamic: Option<Vec<Field>>,
    /// `[build-system]`.
    pub(super) build_system: Option<BuildSystem>,
    /// `[tool.uv.sources]` and its like: the directories of some of the dependencies.
    pub(super) path_sources: Vec<PathRequirement>,
    /// Archives of some of the dependencies.
    pub(super) url_sources: Vec<UrlRequirement>,
}

impl PyProject {
    /// Whether the build back end is setuptools, which reads setup.cfg and setup.py too.
    pub(super) fn is_setuptools(&self) -> bool {
        self.build_system.as_ref().is_none_or(|system| {
            system.backend.starts_with("setuptools") || !system.backend_path.is_empty() || system.backend.is_empty()
        })
    }
}

/// Reads the file.
pub(super) fn read(source: &Source) -> Result<PyProject, Error> {
    parse(source, |root| {
        let build_system = root.get("build-system").map(|table| read_build_system(source, table)).transpose()?;
        let poetry_table = root.at(&["tool", "poetry"]).filter(|table| {
            let package_mode = table.get("package-mode").and_then(|mode| mode.value.as_bool()).unwrap_or(true);
            package_mode && table.value.as_table().is_some()
        });
        let project_table = root.get("project");
        let mut result = PyProject {
            style: None,
            facts: Facts::default(),
            dynamic: None,
            build_system,
            path_sources: Vec::new(),
            url_sources: Vec::new(),
        };
        match (project_table, poetry_table) {
            (Some(project), poetry_table) => {
                result.style = Some(Style::Project);
                let (facts, dynamic) = read_project(source, project)?;
                result.facts = facts;
                if let Some(table) = poetry_table {
                    let takes = |field| dynamic.contains(&field);
                    result.facts.fill(poetry::read(source, table)?, takes);
                }
                fill_from_tools(source, root, project, &mut result.facts, &dynamic)?;
                result.facts.programs.extend(programs(source, root)?);
                result.dynamic = Some(dynamic);
            }
            (None, Some(table)) if table.get("name").is_some() => {
                result.style = Some(Style::Poetry);
                result.facts = poetry::read(source, table)?;
                result.dynamic = Some(Vec::new());
            }
            (None, _) => {}
        }
        read_uv_sources(source, root, &mut result)?;
        Ok(result)
    })
}

fn read_build_system(source: &Source, table: Item<'_>) -> Result<BuildSystem, Error> {
    let Some(requires) = table.get("requires") else {
        let hint = "PEP 518 wants `requires = [\"setuptools>=61\"]` or the like";
        return Err(source.error(table.span(), "`[build-system]` without `requires`", &[hint]));
    };
    let mut result = BuildSystem { requires: Vec::new(), backend: String::new(), backend_path: Vec::new() };
    for (text, span) in requires.strings(source)? {
        result.requires.push(check_requirement(source, &text, span)?);
    }
    result.backend = table.string(source, "build-backend")?.unwrap_or_default();
    if let Some(paths) = table.get("backend-path") {
        for (path, span) in paths.strings(source)? {
            let inside = !path.starts_with('/') && !path.split('/').any(|part| part == "..");
            if !inside {
                return Err(source.error(span, format!("`{path}` leaves the project"), &[]));
            }
            result.backend_path.push(path);
        }
    }
    Ok(result)
}

fn read_project(source: &Source, project: Item<'_>) -> Result<(Facts, Vec<Field>), Error> {
    let mut dynamic = Vec::new();
    if let Some(names) = project.get("dynamic") {
        for (name, _) in names.strings(source)? {
            dynamic.extend(field_of(&name));
        }
    }
    let Some(name) = project.string(source, "name")? else {
        return Err(source.error(project.span(), "`[project]` without `name`", &["add `name = \"…\"`"]));
    };
    let mut facts = Facts {
        name: Some(name),
        version: project.string(source, "version")?,
        summary: project.string(source, "description")?,
        license: read_license(source, project)?,
        requires_python: project.string(source, "requires-python")?,
        ..Facts::default()
    };
    if let Some(dependencies) = project.get("dependencies") {
        facts.dependencies = Some(read_dependencies(source, dependencies)?);
    }
    if project.get("optional-dependencies").is_some() {
        let mut extras = BTreeMap::new();
        for (name, item) in project.entries(source, "optional-dependencies")? {
            let mut requirements = Vec::new();
            for (text, span) in item.strings(source)? {
                requirements.push(check_requirement(source, &text, span)?);
            }
            extras.insert(crate::name::normalize(name), requirements);
        }
        facts.optional_dependencies = Some(extras);
    }
    if project.get("scripts").is_some() {
        let mut scripts = Vec::new();
        for (name, item) in project.entries(source, "scripts")? {
            scripts.push(entry_point(source, name, &item.as_string(source)?, item.span())?);
        }
        facts.scripts = Some(scripts);
    }
    Ok((facts, dynamic))
}

fn field_of(name: &str) -> Option<Field> {
    Some(match name {
        "version" => Field::Version,
        "description" => Field::Summary,
        "license" => Field::License,
        "requires-python" => Field::RequiresPython,
        "dependencies" => Field::Dependencies,
        "optional-dependencies" => Field::OptionalDependencies,
        "scripts" | "entry-points" => Field::Scripts,
        _ => return None,
    })
}

fn read_license(source: &Source, project: Item<'_>) -> Result<Option<String>, Error> {
    let Some(license) = project.get("license") else { return Ok(None) };
    if license.value.as_str().is_some() {
        return license.as_string(source).map(Some);
    }
    // A whole licence text is no name of one.
    Ok(license.string(source, "text")?.filter(|text| !text.trim().contains('\n')).map(|text| text.trim().to_owned()))
}

fn read_dependencies(source: &Source, item: Item<'_>) -> Result<Dependencies, Error> {
    let mut dependencies = Dependencies::default();
    for (text, span) in item.strings(source)? {
        dependencies.push(metadata_requirement(source, &text, span)?);
    }
    Ok(dependencies)
}

/// Dynamic fields that the tools' own tables explain.
fn fill_from_tools(
    source: &Source,
    root: Item<'_>,
    project: Item<'_>,
    facts: &mut Facts,
    dynamic: &[Field],
) -> Result<(), Error> {
    let directory = source.path.parent().unwrap_or(Path::new("/"));
    let setuptools = root.at(&["tool", "setuptools", "dynamic"]);
    if dynamic.contains(&Field::Version) && facts.version.is_none() {
        let modules = StaticModules::new(directory, package_directories(source, root)?);
        facts.version = dynamic_version(source, root, &modules, facts)?;
    }
    if dynamic.contains(&Field::Dependencies) && facts.dependencies.is_none() {
        let mut files: Vec<(String, std::ops::Range<usize>)> = Vec::new();
        if let Some(item) = setuptools.and_then(|table| table.at(&["dependencies", "file"])) {
            files = one_or_more(source, item)?;
        } else if let Some(item) = root.at(&["tool", "hatch", "metadata", "hooks", "requirements_txt", "files"]) {
            files = item.strings(source)?;
        }
        for (name, span) in files {
            let file = referenced::requirements(source, &name, span)?;
            facts.dependencies.get_or_insert_default().take(file, &mut facts.files);
        }
    }
    let wants_extras = dynamic.contains(&Field::OptionalDependencies) && facts.optional_dependencies.is_none();
    if let Some(table) = setuptools.filter(|_| wants_extras) {
        for (name, item) in table.entries(source, "optional-dependencies")? {
            let mut found = Dependencies::default();
            for (file, span) in item.get("file").map_or(Ok(Vec::new()), |item| one_or_more(source, item))? {
                found.take(referenced::requirements(source, &file, span)?, &mut facts.files);
            }
            let extras = facts.optional_dependencies.get_or_insert_default();
            extras.insert(crate::name::normalize(name), found.texts(source, item.span())?);
        }
    }
    if let Some(item) = project.get("dynamic") {
        let missing = [
            (Field::Dependencies, "dependencies", facts.dependencies.is_none()),
            (Field::OptionalDependencies, "optional-dependencies", facts.optional_dependencies.is_none()),
            (Field::Scripts, "scripts", facts.scripts.is_none()),
        ];
        let hints_elsewhere = directory.join("setup.py").exists() || directory.join("setup.cfg").exists();
        for (field, name, is_missing) in missing {
            if is_missing && dynamic.contains(&field) && !hints_elsewhere {
                facts
                    .unread
                    .push((field, item.note(source, &format!("{name} is dynamic and made by the build back end"))));
            }
        }
    }
    Ok(())
}

/// Programs that go into the wheel as they are, by the tools' own tables.
fn programs(source: &Source, root: Item<'_>) -> Result<Vec<String>, Error> {
    let mut paths: Vec<String> = Vec::new();
    if let Some(item) = root.at(&["tool", "setuptools", "script-files"]) {
        paths.extend(item.strings(source)?.into_iter().map(|(path, _)| path));
    }
    if let Some(wheel) = root.at(&["tool", "hatch", "build", "targets", "wheel"]) {
        for (_, item) in wheel.entries(source, "shared-scripts")? {
            paths.extend(item.value.as_str().map(str::to_owned));
        }
    }
    let backend = root.at(&["build-system", "build-backend"]).and_then(|item| item.value.as_str()).unwrap_or_default();
    // In a repository the crate is a service by itself, and this a way of putting it on an index; an unpacked source
    // distribution is one package with all that is in it.
    let is_unpacked = source.path.parent().is_some_and(|directory| directory.join(package_info::FILE).is_file());
    if backend.starts_with("maturin") && is_unpacked {
        let bindings = root.at(&["tool", "maturin", "bindings"]).and_then(|item| item.value.as_str());
        if let Some((_, manifest)) = cargo_manifest(source, root)? {
            paths.extend(cargo_programs(source, &manifest, bindings));
        }
    }
    Ok(program_names(paths.iter().map(String::as_str)))
}

/// The Cargo.toml that maturin builds, with its path; `None` when it is not there.
fn cargo_manifest(source: &Source, root: Item<'_>) -> Result<Option<(PathBuf, toml::Table)>, Error> {
    let item = root.at(&["tool", "maturin", "manifest-path"]);
    let name = item.and_then(|item| item.value.as_str()).unwrap_or("Cargo.toml");
    let path = referenced::path(source, name, item.map_or(0..0, |item| item.span()))?;
    let file = Source::read_if_there(&path)?;
    Ok(file.map(|file| (file.path, file.text.parse().unwrap_or_default())))
}

/// The programs that maturin packs: those of a crate with `bindings = "bin"`, or that binds to Python in no way.
fn cargo_programs(source: &Source, manifest: &toml::Table, bindings: Option<&str>) -> Vec<String> {
    let has = |table: &str, name: &str| manifest.get(table).is_some_and(|table| table.get(name).is_some());
    let binds = ["pyo3", "cffi", "uniffi"].iter().any(|name| has("dependencies", name)) || has("lib", "crate-type");
    if bindings.map_or(binds, |bindings| bindings != "bin") {
        return Vec::new();
    }
    let listed = manifest.get("bin").and_then(toml::Value::as_array).into_iter().flatten();
    let mut names: Vec<String> = listed.filter_map(|bin| Some(bin.get("name")?.as_str()?.to_owned())).collect();
    let package = manifest.get("package").and_then(|package| package.get("name")?.as_str());
    let is_there = source.path.parent().is_some_and(|directory| directory.join("src/main.rs").is_file());
    if let Some(package) = package.filter(|_| names.is_empty() && is_there) {
        names.push(package.to_owned());
    }
    names
}

fn one_or_more(source: &Source, item: Item<'_>) -> Result<Vec<(String, std::ops::Range<usize>)>, Error> {
    match item.value.as_str() {
        Some(text) => Ok(vec![(text.to_owned(), item.span())]),
        None => item.strings(source),
    }
}

/// `package-dir` of setuptools.
fn package_directories(source: &Source, root: Item<'_>) -> Result<BTreeMap<String, String>, Error> {
    let mut directories = BTreeMap::new();
    if let Some(table) = root.at(&["tool", "setuptools"]) {
        for (package, item) in table.entries(source, "package-dir")? {
            directories.insert(package.to_owned(), item.as_string(source)?);
        }
    }
    Ok(directories)
}

fn dynamic_version(
    source: &Source,
    root: Item<'_>,
    modules: &StaticModules,
    facts: &mut Facts,
) -> Result<Option<String>, Error> {
    let version = root.at(&["tool", "setuptools", "dynamic", "version"]);
    if let Some(item) = version.and_then(|table| table.get("file")) {
        let mut text = String::new();
        for (name, span) in one_or_more(source, item)? {
            let file = referenced::read(source, &name, span)?;
            text.push_str(file.text.trim());
            facts.files.push(file.path);
        }
        return Ok(Some(text));
    }
    if let Some(item) = version.and_then(|table| table.get("attr")) {
        let attribute = item.as_string(source)?;
        return Ok(match modules.attribute(&attribute)? {
            Some((version, file)) => {
                facts.files.push(file);
                Some(version)
            }
            None => {
                facts.unread.push((Field::Version, item.note(source, &format!("version is no literal {attribute}"))));
                None
            }
        });
    }
    // hatch: a file with `__version__ = "…"` or `VERSION = "…"`; pdm: the same with `source = "file"`.
    for path in [["tool", "hatch", "version", "path"], ["tool", "pdm", "version", "path"]] {
        let Some(item) = root.at(&path) else { continue };
        let name = item.as_string(source)?;
        let file = referenced::read(source, &name, item.span())?;
        let found = StaticModules::variable(&file, &["__version__", "VERSION", "version"])?;
        if found.is_none() {
            facts.unread.push((Field::Version, item.note(source, &format!("no literal __version__ in {name}"))));
        }
        facts.files.push(file.path);
        return Ok(found);
    }
    let backend = root.at(&["build-system", "build-backend"]).and_then(|item| item.value.as_str()).unwrap_or_default();
    if backend.starts_with("flit") {
        let named = root.at(&["tool", "flit", "module", "name"]).and_then(|item| item.value.as_str());
        let module = named.map_or_else(|| facts.name.clone().unwrap_or_default().replace('-', "_"), str::to_owned);
        if let Some((version, file)) = modules.attribute(&format!("{module}.__version__"))? {
            facts.files.push(file);
            return Ok(Some(version));
        }
    }
    if backend.starts_with("maturin") {
        let Some((path, manifest)) = cargo_manifest(source, root)? else { return Ok(None) };
        // A version that is inherited from a workspace stands elsewhere; `1.0.0-beta.1` is `1.0.0b1` to Python.
        let version = manifest.get("package").and_then(|package| package.get("version")?.as_str());
        let version = version.and_then(|version| version.parse::<pep440_rs::Version>().ok());
        facts.files.push(path);
        return Ok(version.map(|version| version.to_string()));
    }
    Ok(None)
}

/// `[tool.uv.sources]`: where uv takes some of the dependencies from
/// (<https://docs.astral.sh/uv/concepts/projects/dependencies/#dependency-sources>). `workspace = true` needs nothing: a
/// name of this repository is always taken from the repository.
fn read_uv_sources(source: &Source, root: Item<'_>, result: &mut PyProject) -> Result<(), Error> {
    let Some(uv) = root.at(&["tool", "uv"]) else { return Ok(()) };
    let directory = source.path.parent().unwrap_or(Path::new("/")).to_path_buf();
    let needed: Vec<String> = result
        .facts
        .dependencies
        .iter()
        .flat_map(|dependencies| &dependencies.named)
        .map(|line| line.requirement.as_str())
        .chain(
            result.facts.optional_dependencies.iter().flat_map(|extras| extras.values().flatten().map(String::as_str)),
        )
        .map(requirement_name)
        .collect();
    for (name, item) in uv.entries(source, "sources")? {
        if !needed.contains(&crate::name::normalize(name)) {
            continue;
        }
        let tables = if item.value.as_array().is_some() { item.elements() } else { vec![item] };
        for table in tables {
            let marker = table.string(source, "marker")?;
            let line = source.line_at(table.span().start);
            if let Some(path) = table.string(source, "path")? {
                let editable = table.get("editable").and_then(|value| value.value.as_bool()).unwrap_or(false);
                let path = join_normalised(&directory, Path::new(&path));
                let (name, file) = (Some(name.to_owned()), source.path.clone());
                let requirement = PathRequirement { name, extras: Vec::new(), marker, path, editable, file, line };
                result.path_sources.push(requirement);
            } else if table.get("git").is_some() {
                return Err(source.error(
                    table.span(),
                    format!("`{name}` comes from a git repository, whose content is not fixed by a hash"),
                    &[
                        "name an archive of the commit: `url = \"https://…/archive/<commit>.tar.gz\"`",
                        "or make it a git submodule and name its directory: `path = \"…\"`",
                    ],
                ));
            } else if let Some(url) = table.string(source, "url")? {
                if let Requirement::Url(mut url) =
                    metadata_requirement(source, &format!("{name} @ {url}"), table.span())?
                {
                    url.marker = marker;
                    result.url_sources.push(url);
                }
            } else if let Some(index) = table.string(source, "index")? {
                let what = format!("{name} is to come from uv's index {index}: give it an [[index]] in packhouse.toml");
                result.facts.unread.push((Field::Other, table.note(source, &what)));
            } else if table.get("workspace").is_none() {
                let hint = "`path`, `url` and `workspace` are";
                return Err(source.error(table.span(), format!("the source of `{name}` is not understood"), &[hint]));
            }
        }
    }
    Ok(())
}

/// The normalised name at the start of a PEP 508 text.
pub(super) fn requirement_name(requirement: &str) -> String {
    let is_name = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-');
    let end = requirement.find(|character| !is_name(character)).unwrap_or(requirement.len());
    crate::name::normalize(requirement.get(..end).unwrap_or_default())
}
