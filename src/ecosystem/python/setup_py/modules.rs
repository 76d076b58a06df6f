//! Names in the project's own modules, looked up without importing them (`attr: package.__version__`).

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::evaluate::{Budget, Evaluator};
use super::scope::{Scope, parse};
use super::value::Value;
use crate::ecosystem::python::requirements::requirement::join_normalised;
use crate::ecosystem::python::source::{Error, Source};

/// Finds modules as `setuptools/config/expand.py` does.
#[derive(Debug)]
pub(in crate::ecosystem::python) struct StaticModules {
    budget: Rc<Budget>,
    directory: PathBuf,
    package_directories: BTreeMap<String, String>,
}

impl StaticModules {
    /// For the project in `directory`; `package_directories` is setuptools' `package_dir`.
    pub(in crate::ecosystem::python) fn new(directory: &Path, package_directories: BTreeMap<String, String>) -> Self {
        Self { budget: Rc::default(), directory: directory.to_path_buf(), package_directories }
    }

    /// As [`StaticModules::new`], as a part of a work that has begun.
    pub(super) fn within(budget: &Rc<Budget>, directory: &Path) -> Self {
        let package_directories = BTreeMap::from([(String::new(), "src".to_owned())]);
        Self { budget: Rc::clone(budget), directory: directory.to_path_buf(), package_directories }
    }

    /// The value of `package.module.attribute` as a version, with the file it stands in; `None` when it is no literal.
    pub(in crate::ecosystem::python) fn attribute(&self, dotted: &str) -> Result<Option<(String, PathBuf)>, Error> {
        let Some((module, attribute)) = dotted.rsplit_once('.') else { return Ok(None) };
        for path in self.candidates(module) {
            if let Some(source) = Source::read_if_there(&path)? {
                let version = Self::variable_within(&self.budget, &source, &[attribute])?;
                return Ok(version.map(|version| (version, path)));
            }
        }
        Ok(None)
    }

    /// The value of `package.module.attribute`, its places those of `span`, with the file it stands in.
    pub(super) fn value(&self, dotted: &str, span: &Range<usize>) -> Option<(Value, PathBuf)> {
        let (module, attribute) = dotted.rsplit_once('.')?;
        for path in self.candidates(module) {
            if let Some(source) = Source::read_if_there(&path).ok()? {
                return Some((Self::value_within(&self.budget, &source, attribute, span)?, path));
            }
        }
        None
    }

    /// The value that `source` binds `name` to.
    pub(super) fn value_within(budget: &Rc<Budget>, source: &Source, name: &str, span: &Range<usize>) -> Option<Value> {
        if !budget.take_file() {
            return None;
        }
        let tree = parse(source).ok()?;
        let scope = Scope::new(source, tree.root_node());
        let evaluator = Evaluator::within(budget, source, &scope);
        evaluator.name(name)?.value.relocated(span)
    }

    /// The first of `names` that `source` binds to a literal, as a version (a tuple's parts joined by dots).
    pub(in crate::ecosystem::python) fn variable(source: &Source, names: &[&str]) -> Result<Option<String>, Error> {
        Self::variable_within(&Rc::default(), source, names)
    }

    /// As [`StaticModules::variable`], as a part of a work that has begun.
    pub(super) fn variable_within(
        budget: &Rc<Budget>,
        source: &Source,
        names: &[&str],
    ) -> Result<Option<String>, Error> {
        if !budget.take_file() {
            return Ok(None);
        }
        let tree = parse(source)?;
        let scope = Scope::new(source, tree.root_node());
        let evaluator = Evaluator::within(budget, source, &scope);
        Ok(names.iter().find_map(|name| evaluator.version(&evaluator.name(name)?.value)))
    }

    fn candidates(&self, module: &str) -> Vec<PathBuf> {
        let mut bases = Vec::new();
        let first = module.split('.').next().unwrap_or_default();
        if let Some(mapped) = self.package_directories.get(first) {
            // The package itself lives in that directory.
            let rest = module.get(first.len() + 1..).unwrap_or_default().replace('.', "/");
            bases.push(Path::new(mapped).join(rest));
        }
        let relative = module.replace('.', "/");
        let root = self.package_directories.get("").map(String::as_str);
        for base in root.into_iter().chain(["", "src"]) {
            bases.push(Path::new(base).join(&relative));
        }
        let mut files = Vec::new();
        for base in bases {
            let base = join_normalised(&self.directory, &base);
            let mut name = base.clone().into_os_string();
            name.push(".py");
            files.extend([base.join("__init__.py"), PathBuf::from(name)]);
        }
        files.retain(|file| file.starts_with(&self.directory));
        files
    }
}
