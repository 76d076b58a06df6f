//! The environment that wheels are built in, made of the build lock.
//!
//! It is chosen for two at once: which packages are wanted is the target's word, because the lock was resolved for the
//! targets; which of their files run is that of the interpreter that builds, which may be another one. What has no wheel
//! is built first, each after those that it needs itself.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use pep508_rs::{Requirement, VerbatimUrl};
use rayon::prelude::*;

use super::build::{self, Order, Origin, Workshop, build_order};
use super::host::Interpreter;
use super::pylock::{LockedFile, LockedPackage, PyLock};
use super::stage::{StageError, boxed};
use super::store::{self, UnpackedWheel};
use super::tags::{PythonEnvironment, Unusable, best_wheel};
use crate::cache::Cache;
use crate::ecosystem::Error;
use crate::name::normalize;
use crate::sandbox::Sandbox;
use crate::target::Architecture;

/// A locked source distribution that must be built.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    /// Normalised.
    pub(super) name: &'a str,
    /// PEP 440.
    pub(super) version: Option<&'a str>,
    /// The file.
    pub(super) file: &'a LockedFile,
}

/// What a workshop is made of.
#[derive(Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) cache: &'a Cache,
    pub(super) sandbox: &'a Sandbox,
    pub(super) interpreter: &'a Interpreter,
    /// The environment that the result is for.
    pub(super) target: PythonEnvironment,
    /// `None` when nothing is required to build.
    pub(super) lock: Option<&'a PyLock>,
    /// Where a locked file is vendored.
    pub(super) path: &'a (dyn Fn(&LockedFile) -> Result<&'a Path, Error> + Sync),
}

/// A workshop with everything that the build lock has for this interpreter.
pub(super) fn workshop(request: Request<'_>) -> Result<Workshop<'_>, Error> {
    let environment = PythonEnvironment {
        python: request.interpreter.version,
        // Without a glibc only pure wheels fit.
        glibc: request.interpreter.glibc.unwrap_or((0, 0)),
        architecture: Architecture::host().unwrap_or(request.target.architecture),
    };
    let (mut wheels, mut sources) = (Vec::new(), BTreeMap::new());
    for package in request.lock.iter().flat_map(|lock| &lock.packages) {
        match choose(package, &request.target, &environment).map_err(|reason| unusable(reason, &environment))? {
            None => {}
            Some(Tool::Wheel(file)) => wheels.push(file),
            Some(Tool::Source(source)) => drop(sources.insert(source.name.to_owned(), source)),
        }
    }
    let tools: Vec<Arc<UnpackedWheel>> = wheels
        .par_iter()
        .map(|file| store::unpack(request.cache, (request.path)(file)?, file.hashes.sha256).map_err(boxed))
        .collect::<Result<_, Error>>()?;
    let Request { cache, sandbox, interpreter, .. } = request;
    let mut workshop = Workshop { cache, sandbox, interpreter, environment, tools };
    sort(&mut workshop);
    build_sources(&request, &mut workshop, &sources)?;
    Ok(workshop)
}

/// Builds the build requirements that have no wheel, each with those before it.
fn build_sources(
    request: &Request<'_>,
    workshop: &mut Workshop<'_>,
    sources: &BTreeMap<String, Source<'_>>,
) -> Result<(), Error> {
    if sources.is_empty() {
        return Ok(());
    }
    let mut needs = BTreeMap::new();
    for (name, source) in sources {
        let path = (request.path)(source.file)?;
        let requires = build::requires_of_archive(request.cache, path, &source.file.name).map_err(boxed)?;
        let names = requires.iter().filter_map(|text| text.parse::<Requirement<VerbatimUrl>>().ok());
        needs.insert(name.clone(), names.map(|requirement| normalize(requirement.name.as_ref())).collect::<Vec<_>>());
    }
    let order = build_order(&needs).map_err(|circle| boxed(StageError::Circle(circle)))?;
    for source in order.iter().filter_map(|name| sources.get(name)) {
        let origin = Origin::Archive {
            path: (request.path)(source.file)?,
            file_name: &source.file.name,
            sha256: source.file.hashes.sha256,
        };
        let order = Order { name: source.name, version: source.version, stamp: false, origin, time: 0 };
        let built = workshop.build(order).map_err(boxed)?;
        workshop.tools.push(built.wheel);
        sort(workshop);
    }
    Ok(())
}

/// One order for one content: the environment's files and the keys of what is built in it depend on it.
fn sort(workshop: &mut Workshop<'_>) {
    workshop.tools.sort_by_key(|wheel| (normalize(wheel.name()), wheel.sha256()));
}

enum Tool<'a> {
    Wheel(&'a LockedFile),
    Source(Source<'a>),
}

/// The file of a build requirement that runs in `environment`, if `target` wants the package at all.
fn choose<'a>(
    package: &'a LockedPackage,
    target: &PythonEnvironment,
    environment: &PythonEnvironment,
) -> Result<Option<Tool<'a>>, Unusable> {
    if !target.wants(package)? {
        return Ok(None);
    }
    let archive = package.archive.iter().filter(|file| file.name.ends_with(".whl")).cloned().collect::<Vec<_>>();
    if best_wheel(&archive, environment).is_some()
        && let Some(file) = &package.archive
    {
        return Ok(Some(Tool::Wheel(file)));
    }
    if let Some(file) = best_wheel(&package.wheels, environment) {
        return Ok(Some(Tool::Wheel(file)));
    }
    let source = package.sdist.iter().chain(&package.archive).find(|file| !file.name.ends_with(".whl"));
    match source {
        Some(file) => Ok(Some(Tool::Source(Source { name: &package.name, version: package.version.as_deref(), file }))),
        None => {
            let names: Vec<&str> = package.files().map(|file| file.name.as_str()).collect();
            Err(Unusable::NoFile {
                package: package.title(),
                environment: environment.to_string(),
                files: if names.is_empty() { "none".to_owned() } else { names.join(", ") },
            })
        }
    }
}

fn unusable(reason: Unusable, environment: &PythonEnvironment) -> Error {
    boxed(StageError::Unusable { service: "the build environment".to_owned(), target: environment.to_string(), reason })
}
