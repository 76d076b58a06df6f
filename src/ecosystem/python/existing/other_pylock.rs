//! `pylock.toml` and `pylock.NAME.toml` of other tools (PEP 751).
//!
//! Beyond what packhouse writes itself they have packages of directories and of version control, and markers that ask for
//! the extras and groups of an installation. Those are answered before a marker is read as one of PEP 508: wanted are the
//! extras of the settings and the lock's default groups.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::Question;
use crate::ecosystem::python::lock_error::LockError;
use crate::ecosystem::python::pylock::{LockedFile, LockedPackage, PyLock};
use crate::ecosystem::python::requirements::requirement::join_normalised;
use crate::ecosystem::python::uv_lock::{Artefact, Place, Reached};
use crate::name::normalize;

/// What the reader of packhouse's own locks passes over.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Rest {
    #[serde(default)]
    default_groups: Vec<String>,
    #[serde(default)]
    packages: Vec<RestOfPackage>,
}

#[derive(Deserialize)]
struct RestOfPackage {
    vcs: Option<toml::Value>,
    directory: Option<Directory>,
}

#[derive(Deserialize)]
struct Directory {
    path: String,
}

/// What the lock has for each environment; it lies at `path`. `fault` makes the error of a sentence that goes on with it.
pub(super) fn reach(
    question: &Question<'_>,
    path: &Path,
    text: &str,
    fault: &dyn Fn(String) -> LockError,
) -> Result<Vec<Reached>, LockError> {
    let lock = PyLock::parse(path, text).map_err(|error| {
        let mut fault = fault(error.to_string().replace("this lock file ", ""));
        if let (LockError::Existing { location, .. }, Some(place)) =
            (&mut fault, crate::diagnostic::Diagnose::location(&error))
        {
            *location = Some(Box::new(place.clone()));
        }
        fault
    })?;
    let rest: Rest = toml::from_str(text).map_err(|error| fault(format!("cannot be read: {}", error.message())))?;
    let directory = path.parent().unwrap_or(Path::new("/"));
    let mut reached = Vec::new();
    for (mut package, rest_of_it) in lock.packages.into_iter().zip(rest.packages) {
        let asked = |variable: &str, value: &str| match variable {
            "extras" => question.extras.iter().any(|extra| normalize(extra) == normalize(value)),
            _ => rest.default_groups.iter().any(|group| normalize(group) == normalize(value)),
        };
        package.marker = package.marker.map(|marker| settled(&marker, &asked));
        let mut wanted = BTreeSet::new();
        for (position, environment) in question.environments.iter().enumerate() {
            if environment.wants(&package).map_err(|error| fault(format!("cannot be used: {error}")))? {
                wanted.insert(position);
            }
        }
        if wanted.is_empty() {
            continue;
        }
        if let Some(vcs) = &rest_of_it.vcs {
            let url = vcs.get("url").and_then(toml::Value::as_str).unwrap_or("a repository");
            let url = crate::ecosystem::python::indexes::redact(url);
            return Err(fault(format!("takes {} from {url}, whose content no digest fixes", package.title())));
        }
        reached.push(of(
            package,
            rest_of_it.directory.map(|it| join_normalised(directory, Path::new(&it.path))),
            wanted,
            fault,
        )?);
    }
    Ok(reached)
}

fn of(
    package: LockedPackage,
    directory: Option<PathBuf>,
    environments: BTreeSet<usize>,
    fault: &dyn Fn(String) -> LockError,
) -> Result<Reached, LockError> {
    let artefact = |file: &LockedFile| -> Result<Artefact, LockError> {
        let url = file.url.clone().ok_or_else(|| fault(format!("does not say where {} is", file.name)))?;
        Ok(Artefact { name: file.name.clone(), url, sha256: Some(file.hashes.sha256), size: file.size })
    };
    let archive = package.archive.as_ref().map(artefact).transpose()?;
    let place = match (&archive, directory, package.files().next()) {
        (Some(archive), ..) => Place::Archive(archive.url.clone()),
        (None, Some(directory), _) => Place::Directory(directory),
        (None, None, Some(_)) => Place::Index(package.index.clone().unwrap_or_default()),
        (None, None, None) => return Err(fault(format!("has no file for {}", package.title()))),
    };
    let mut sdist = package.sdist.as_ref().map(artefact).transpose()?;
    let mut wheels = package.wheels.iter().map(artefact).collect::<Result<Vec<_>, _>>()?;
    match archive {
        Some(archive) if archive.name.ends_with(".whl") => wheels.push(archive),
        Some(archive) => sdist = Some(archive),
        None => {}
    }
    let (name, version) = (package.name, package.version);
    Ok(Reached { name, version, place, sdist, wheels, environments, required_by: BTreeSet::new() })
}

/// The marker with `'NAME' in extras` and `'NAME' in dependency_groups` replaced by what they come to.
fn settled(marker: &str, asked: &dyn Fn(&str, &str) -> bool) -> String {
    const VARIABLES: [&str; 2] = ["extras", "dependency_groups"];
    let mut text = String::new();
    let mut rest = marker;
    while let Some(start) = rest.find(['\'', '"']) {
        let (before, quoted) = rest.split_at(start);
        let quote = if quoted.starts_with('"') { '"' } else { '\'' };
        let Some((value, after)) = quoted.get(1..).and_then(|inner| inner.split_once(quote)) else { break };
        let words = after.trim_start();
        let (negated, words) = match words.strip_prefix("not ").map(str::trim_start) {
            Some(words) => (true, words),
            None => (false, words),
        };
        let variable = words.strip_prefix("in ").map(str::trim_start).and_then(|words| {
            let end =
                words.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(words.len());
            words.split_at_checked(end).filter(|(name, _)| VARIABLES.contains(name))
        });
        text.push_str(before);
        match variable {
            Some((variable, after)) => {
                let holds = asked(variable, value) != negated;
                text.push_str(if holds { "python_version > '0'" } else { "python_version < '0'" });
                rest = after;
            }
            None => {
                text.push_str(&format!("{quote}{value}{quote}"));
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_of_the_installation_is_answered_and_nothing_else_is_touched() {
        let asked = |variable: &str, value: &str| (variable, value) == ("extras", "x");
        for (marker, expected) in [
            ("'x' in extras", "python_version > '0'"),
            ("\"x\"  not  in extras and os_name == 'nt'", "python_version < '0' and os_name == 'nt'"),
            (
                "('dev' in dependency_groups) or sys_platform == \"linux\"",
                "(python_version < '0') or sys_platform == \"linux\"",
            ),
            ("'linux' in sys_platform", "'linux' in sys_platform"),
            ("os_name == 'unclosed", "os_name == 'unclosed"),
        ] {
            assert_eq!(settled(marker, &asked), expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_marker_makes_it_panic(text in "('[a-zé]{0,3}'|\"|'| not| in| extras|dependency_groups|\\PC{0,3}){0,12}") {
            settled(&text, &|_, _| true);
        }
    }
}
