//! One resolution by uv, for all targets at once, with the rules that packhouse adds to it.
//!
//! The project that uv sees is generated: its one table names the service's stand-in, its environments are the targets'.
//! uv may build nothing, so no code runs, neither the repository's nor an index's. Three things it cannot be told in one
//! go are found by asking again, each question adding something, so that the number of questions is bounded:
//!
//! * A name that is pinned to an index must come from it at any depth, but uv binds only names that the project itself
//!   requires. So each pinned name that turns up is required by an extra of the project, which nothing installs.
//! * A package that has no wheel: its metadata are read from its source distribution (verified by its digest, read as
//!   text) and told to uv as `dependency-metadata`.
//! * Metadata of a version that uv then does not take.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use crate::ecosystem::Context;

use super::indexes::{Index, IndexError, IndexKind, Indexes, names_in};
use super::pylock::LockedPackage;
use super::shim::{Shim, fitted};
use super::tags::PythonEnvironment;
use super::uv::{Uv, UvError};
use super::uv_lock::{Artefact, Place, Reached, UvLock, UvLockError};

/// The name of the generated project.
const PROJECT: &str = "packhouse-resolution";
/// The extra that binds pinned names to their index.
const PINS: &str = "pins";
/// How often uv is asked at most; a set that needs more packages without wheels than this is not credible.
const ROUNDS: usize = 64;

/// What is to be resolved.
pub(super) struct Request<'a> {
    /// PEP 508; what is wanted.
    pub requirements: Vec<String>,
    /// PEP 508; limits to what is taken.
    pub constraints: Vec<String>,
    /// By normalised name.
    pub shims: &'a BTreeMap<String, Shim>,
    /// Where from.
    pub indexes: &'a Indexes,
    /// For what, each once.
    pub environments: &'a [PythonEnvironment],
    /// Versions to keep if they fit.
    pub preferences: Vec<LockedPackage>,
    /// `--pre`.
    pub prereleases: bool,
}

/// What a source distribution says about itself, without being run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct StaticMetadata {
    /// PEP 508.
    pub requires_dist: Vec<String>,
    /// Its extras.
    pub extras: Vec<String>,
    /// `Requires-Python`.
    pub requires_python: Option<String>,
}

/// Why there is no resolution.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResolveError {
    #[error(transparent)]
    Uv(#[from] UvError),
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("the lock that uv wrote {0}")]
    Lock(#[from] UvLockError),
    /// uv's explanation, condensed.
    #[error("{0}")]
    Unresolvable(String),
    #[error("{name} is pinned to the index {index}, but {name} {version} comes from {found}")]
    Pinned { name: String, version: String, index: String, found: String },
    #[error("no resolution after {ROUNDS} attempts: more and more packages without wheels turn up")]
    Endless,
    /// Reading a source distribution failed.
    #[error("{0}")]
    Source(super::lock_error::LockError),
}

/// Resolves `request`. `read` gives the metadata of a source distribution.
pub(super) fn resolve(
    context: Context<'_>,
    uv: &Uv,
    request: &Request<'_>,
    read: &dyn Fn(&str, &Artefact) -> Result<StaticMetadata, super::lock_error::LockError>,
) -> Result<Vec<Reached>, ResolveError> {
    let mut pins: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut sources: BTreeMap<String, StaticMetadata> = BTreeMap::new();
    for text in request.requirements.iter().chain(request.shims.values().flat_map(|shim| &shim.dependencies)) {
        let Ok(requirement) = text.parse::<pep508_rs::Requirement<pep508_rs::VerbatimUrl>>() else { continue };
        let name = requirement.name.to_string();
        if !request.shims.contains_key(&name) && request.indexes.pin_of(&name)?.is_some() {
            let marker = requirement.marker.try_to_string().unwrap_or_default();
            pins.entry(name).or_default().insert(marker);
        }
    }
    for round in 0..ROUNDS {
        context.reporter.detail(&format!("resolving, attempt {}", round + 1));
        let lock = match attempt(context, uv, request, &pins, &sources)? {
            Ok(lock) => lock,
            Err(text) => {
                // Something was not found: perhaps because it was looked for at the wrong index, or has no wheels.
                let mut learned = false;
                for name in names_in(&text) {
                    let known = pins.contains_key(&name) || request.shims.contains_key(&name);
                    if !known && request.indexes.pin_of(&name)?.is_some() {
                        pins.entry(name).or_default().insert(String::new());
                        learned = true;
                    }
                }
                if !learned {
                    for name in without_wheels(&text) {
                        if !sources.contains_key(&name) && !request.shims.contains_key(&name) {
                            sources.insert(name, StaticMetadata::default());
                            learned = true;
                        }
                    }
                }
                if learned {
                    continue;
                }
                return Err(ResolveError::Unresolvable(condense(&text)));
            }
        };
        let mut learned = false;
        for package in &lock {
            let Place::Index(found) = &package.place else { continue };
            if let Some(index) = request.indexes.pin_of(&package.name)? {
                if index.url != *found {
                    let markers = pins.entry(package.name.clone()).or_default();
                    let before = markers.len();
                    markers.extend(
                        package
                            .environments
                            .iter()
                            .filter_map(|&position| request.environments.get(position).map(PythonEnvironment::marker)),
                    );
                    if markers.len() == before {
                        return Err(ResolveError::Pinned {
                            name: package.name.clone(),
                            version: package.version.clone().unwrap_or_default(),
                            index: index.url.clone(),
                            found: found.clone(),
                        });
                    }
                    learned = true;
                }
            } else if request.indexes.by_url(found).is_some_and(|index| !index.pins.is_empty()) {
                return Err(ResolveError::Pinned {
                    name: package.name.clone(),
                    version: package.version.clone().unwrap_or_default(),
                    index: "another one".to_owned(),
                    found: found.clone(),
                });
            }
        }
        for package in &lock {
            if let (Some(told), Some(sdist)) = (sources.get(&package.name), &package.sdist) {
                let real = read(&package.name, sdist).map_err(ResolveError::Source)?;
                if *told != real {
                    sources.insert(package.name.clone(), real);
                    learned = true;
                }
            }
        }
        if !learned {
            return Ok(lock);
        }
    }
    Err(ResolveError::Endless)
}

/// Asks uv once: what it found, or what it says.
fn attempt(
    context: Context<'_>,
    uv: &Uv,
    request: &Request<'_>,
    pins: &BTreeMap<String, BTreeSet<String>>,
    sources: &BTreeMap<String, StaticMetadata>,
) -> Result<Result<Vec<Reached>, String>, ResolveError> {
    let directory = context.cache.temporary_directory()?;
    let place = directory.path();
    for shim in request.shims.values() {
        shim.write(place, request.shims)?;
    }
    let named: Vec<(String, &Index)> = request
        .indexes
        .all()
        .filter(|index| is_there(context, index))
        .enumerate()
        .map(|(number, index)| (format!("packhouse-{number}"), index))
        .collect();
    fs_err::write(place.join("pyproject.toml"), project(request, pins, &named)?)?;
    fs_err::write(place.join("uv.toml"), configuration(request, sources, &named))?;
    if !request.preferences.is_empty() {
        fs_err::write(place.join("uv.lock"), preferences(&request.preferences))?;
    }
    let mut environment: Vec<(String, OsString)> = Vec::new();
    for (name, index) in &named {
        if let Some(credentials) = &index.credentials {
            let name = name.to_uppercase().replace('-', "_");
            environment.push((format!("UV_INDEX_{name}_USERNAME"), credentials.username.clone().into()));
            environment.push((format!("UV_INDEX_{name}_PASSWORD"), credentials.password.clone().into()));
        }
    }
    let answer = uv.run(context, place, &["lock", "--config-file", "uv.toml"], &environment)?;
    if !answer.success {
        return Ok(Err(answer.text));
    }
    let text = fs_err::read_to_string(place.join("uv.lock"))?;
    let lock = UvLock::parse(&text, place)?;
    Ok(Ok(lock.reach(PROJECT, &[], request.environments)?))
}

/// A directory of `--find-links` that is not there is passed over, as pip does, but said.
fn is_there(context: Context<'_>, index: &Index) -> bool {
    let path =
        url::Url::parse(&index.url).ok().filter(|url| url.scheme() == "file").and_then(|url| url.to_file_path().ok());
    let there = path.is_none_or(|path| path.is_dir());
    if !there {
        context
            .reporter
            .note(&format!("{}, which {} names, is not there and is not searched", index.url, index.origin));
    }
    there
}

fn array(texts: impl IntoIterator<Item = String>) -> toml::Value {
    toml::Value::Array(texts.into_iter().map(toml::Value::String).collect())
}

fn table(pairs: impl IntoIterator<Item = (&'static str, toml::Value)>) -> toml::Table {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// The generated pyproject.toml. `requires-python` is lower than any target's, because uv wants an interpreter on this
/// machine that meets it; the environments say what is meant.
fn project(
    request: &Request<'_>,
    pins: &BTreeMap<String, BTreeSet<String>>,
    named: &[(String, &Index)],
) -> Result<String, IndexError> {
    let mut sources = toml::Table::new();
    for shim in request.shims.values() {
        sources.insert(shim.name.clone(), table([("path", shim.place().into())]).into());
    }
    let mut pinned = Vec::new();
    for (name, markers) in pins {
        let Some(index) = request.indexes.pin_of(name)? else { continue };
        let Some((label, _)) = named.iter().find(|(_, known)| known.url == index.url) else { continue };
        sources.insert(name.clone(), table([("index", label.clone().into())]).into());
        let unconditional = markers.contains("");
        pinned.extend(
            markers
                .iter()
                .filter(|marker| !unconditional || marker.is_empty())
                .map(|marker| if marker.is_empty() { name.clone() } else { format!("{name} ; {marker}") }),
        );
    }
    let mut project = table([
        ("name", PROJECT.into()),
        ("version", "0".into()),
        ("requires-python", ">=3.6".into()),
        ("dependencies", array(request.requirements.iter().map(|text| fitted(text, request.shims)))),
    ]);
    if !pinned.is_empty() {
        project.insert("optional-dependencies".to_owned(), table([(PINS, array(pinned))]).into());
    }
    let mut constraints: Vec<String> = request.constraints.iter().map(|text| fitted(text, request.shims)).collect();
    constraints.extend(request.shims.keys().cloned());
    let explicit = named.iter().filter(|(_, index)| !index.pins.is_empty()).map(|(label, index)| {
        table([("name", label.clone().into()), ("url", index.url.clone().into()), ("explicit", true.into())]).into()
    });
    let uv = table([
        ("package", false.into()),
        ("environments", array(request.environments.iter().map(PythonEnvironment::marker))),
        ("constraint-dependencies", array(constraints)),
        ("sources", sources.into()),
        ("index", toml::Value::Array(explicit.collect())),
        ("workspace", toml::Table::new().into()),
    ]);
    let document = table([("project", project.into()), ("tool", table([("uv", uv.into())]).into())]);
    Ok(document.to_string())
}

/// The generated uv.toml, which stands in place of the user's and the system's.
fn configuration(
    request: &Request<'_>,
    sources: &BTreeMap<String, StaticMetadata>,
    named: &[(String, &Index)],
) -> String {
    let simple = || named.iter().filter(|(_, index)| index.kind == IndexKind::Simple);
    // Without a default of its own, uv would ask the public one: where that is not wanted, the last one has its place.
    let default = match (&request.indexes.default, request.indexes.without_default) {
        (Some(default), false) => Some(default.url.as_str()),
        (None, false) => None,
        (_, true) => simple().next_back().map(|(_, index)| index.url.as_str()),
    };
    let mut indexes: Vec<toml::Value> = Vec::new();
    for (label, index) in named {
        let mut entry = table([("name", label.clone().into()), ("url", index.url.clone().into())]);
        if index.kind == IndexKind::Links {
            entry.insert("format".to_owned(), "flat".into());
        }
        if !index.pins.is_empty() {
            entry.insert("explicit".to_owned(), true.into());
        }
        if default == Some(index.url.as_str()) {
            entry.insert("default".to_owned(), true.into());
        }
        indexes.push(entry.into());
    }
    let metadata = sources.iter().map(|(name, facts)| {
        let mut entry = table([
            ("name", name.clone().into()),
            ("requires-dist", array(facts.requires_dist.iter().cloned())),
            ("provides-extra", array(facts.extras.iter().cloned())),
        ]);
        if let Some(requires) = &facts.requires_python {
            entry.insert("requires-python".to_owned(), requires.clone().into());
        }
        entry.into()
    });
    let mut document = table([
        ("no-build", true.into()),
        ("no-binary-package", array(sources.keys().cloned())),
        ("no-index", (request.indexes.without_default && simple().next().is_none()).into()),
        ("prerelease", if request.prereleases { "allow" } else { "if-necessary-or-explicit" }.into()),
        ("dependency-metadata", toml::Value::Array(metadata.collect())),
        ("index", toml::Value::Array(indexes)),
    ]);
    document.retain(|_, value| value.as_array().is_none_or(|list| !list.is_empty()));
    document.to_string()
}

/// A uv.lock with nothing but versions: uv keeps those that still fit.
fn preferences(packages: &[LockedPackage]) -> String {
    let list = packages.iter().filter_map(|package| {
        let registry = table([("registry", package.index.clone()?.into())]);
        let file = |file: &super::pylock::LockedFile| -> Option<toml::Value> {
            let hash = format!("sha256:{}", file.hashes.sha256);
            Some(table([("url", file.url.clone()?.into()), ("hash", hash.into())]).into())
        };
        let mut entry = table([
            ("name", package.name.clone().into()),
            ("version", package.version.clone()?.into()),
            ("source", registry.into()),
        ]);
        if let Some(sdist) = package.sdist.as_ref().and_then(file) {
            entry.insert("sdist".to_owned(), sdist);
        }
        entry.insert("wheels".to_owned(), toml::Value::Array(package.wheels.iter().filter_map(file).collect()));
        if let Some(marker) = &package.marker {
            entry.insert("resolution-markers".to_owned(), array([marker.clone()]));
        }
        Some(toml::Value::Table(entry))
    });
    let document = table([
        ("version", 1.into()),
        ("requires-python", ">=3.6".into()),
        ("package", toml::Value::Array(list.collect())),
    ]);
    document.to_string()
}

/// Names of which uv says that wheels are required. First those of which no version has one: a package some of whose
/// versions have wheels may turn out to be none of the trouble.
fn without_wheels(text: &str) -> Vec<String> {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let quoted = |before: &str| -> BTreeSet<String> {
        let parts = flat.split(before).skip(1);
        parts.filter_map(|rest| Some(crate::name::normalize(rest.split('`').next()?))).collect()
    };
    let all = quoted("Wheels are required for `");
    let never: Vec<String> = all
        .iter()
        .filter(|name| flat.contains(&format!("all versions of {name} have no usable wheels")))
        .cloned()
        .collect();
    if never.is_empty() { all.into_iter().collect() } else { never }
}

/// uv's explanation without its frame: what it does at the moment, the marker of the split, its advice to others.
fn condense(text: &str) -> String {
    let mut kept: Vec<String> = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        let noise = line.is_empty()
            || ["Using ", "Resolved ", "warning: ", "hint: ", "error: No solution found"]
                .iter()
                .any(|start| line.starts_with(start));
        if noise && !line.contains("authentication") && !line.contains("could not be queried") {
            continue;
        }
        let line = line.trim_start_matches("error: ").trim_start_matches("cause: ").trim_start_matches("hint: ");
        kept.push(line.to_owned());
    }
    let joined = kept
        .join(" ")
        .replace("your project's requirements", "the requirements")
        .replace("your project", "the service");
    let mut short: String = joined.chars().take(1500).collect();
    if short.len() < joined.len() {
        short.push('…');
    }
    if short.is_empty() { "uv gave no reason".to_owned() } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_any_wheel_come_before_those_with_some() {
        let text = "error: No solution found when resolving dependencies\n  cause: Because all versions of docopt have no\n usable wheels and pipreqs depends\n\nhint: Wheels are required for `docopt` because\nhint: Wheels are required for `pipreqs` because";
        assert_eq!(without_wheels(text), ["docopt"]);
        assert_eq!(without_wheels("Wheels are required for `Psy_copg2` because"), ["psy-copg2"]);
        assert!(without_wheels("Because flask was not found").is_empty());
    }

    #[test]
    fn an_explanation_is_condensed_to_the_cause() {
        let text = "Using CPython 3.11.2 interpreter at: /usr/bin/python3\nerror: No solution found when resolving dependencies for split (markers: x)\n  cause: Because there is no version of flask==99 and your project depends on flask==99, we can conclude that your project's requirements are unsatisfiable.\n\nhint: try this\n";
        assert_eq!(
            condense(text),
            "Because there is no version of flask==99 and the service depends on flask==99, we can conclude that the requirements are unsatisfiable."
        );
    }
}
