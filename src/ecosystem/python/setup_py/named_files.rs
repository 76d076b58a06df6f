//! Where the way is too winding to follow: the one file that an expression, and the functions that it calls, speak of.
//!
//! `get_version("package/__init__.py")` and `load_requirements("requirements.txt")` are written in a hundred ways, with
//! loops that are not worked out here; what they read is evident all the same when there is only one such file.

use std::path::{Path, PathBuf};

use tree_sitter::Node;

use super::evaluate::{Evaluator, STEP_LIMIT};
use super::modules::StaticModules;
use super::scope::{Binding, descendants};
use super::value::{Located, Value};
use crate::ecosystem::python::source::{Error, Source};

impl<'t> Evaluator<'_, 't> {
    /// The version in the one Python file that the expression, or the functions that it calls, name: what the many hand
    /// written `get_version("package/__init__.py")` look for, however they do it.
    pub(super) fn version_from_named_file(&self, node: Node<'t>) -> Result<Option<String>, Error> {
        let Some(path) = self.named_file(node, |name| name.ends_with(".py")) else { return Ok(None) };
        let Some(source) = Source::read_if_there(&self.absolute(&path))? else { return Ok(None) };
        self.files.borrow_mut().push(source.path.clone());
        StaticModules::variable_within(&self.budget, &source, &["__version__", "VERSION", "version"])
    }

    /// The requirements file that the expression, or the functions that it calls, name.
    pub(super) fn requirements_from_named_file(&self, node: Node<'t>) -> Option<Located> {
        let is_requirements = |name: &str| {
            let file = name.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
            (file.contains("require") || file.contains("depend"))
                && [".txt", ".in", ".pip"].iter().any(|e| file.ends_with(e))
        };
        let path = self.named_file(node, is_requirements)?;
        Some(Located { value: Value::Lines(path), span: node.byte_range() })
    }

    /// The one file of the project of which the expression speaks, when the expression itself is a call (or is made of
    /// calls) and no other such file is in sight.
    fn named_file(&self, node: Node<'t>, accepts: impl Fn(&str) -> bool) -> Option<PathBuf> {
        let mut found: Vec<PathBuf> = Vec::new();
        let mut queue = vec![node];
        let mut seen: Vec<String> = Vec::new();
        let mut has_call = false;
        while let Some(root) = queue.pop() {
            for inner in descendants(root).take(STEP_LIMIT) {
                match inner.kind() {
                    "call" => {
                        has_call = true;
                        let values = inner.child_by_field_name("arguments").map(|arguments| {
                            let mut cursor = arguments.walk();
                            arguments.named_children(&mut cursor).filter_map(|a| self.evaluate(a)).collect::<Vec<_>>()
                        });
                        for value in values.into_iter().flatten() {
                            if let Value::Path(path) = value.value {
                                self.note_file(&path, &accepts, &mut found);
                            }
                        }
                    }
                    "string" => {
                        if let Some(Value::Text(text)) = self.evaluate(inner).map(|value| value.value) {
                            self.note_file(Path::new(&text), &accepts, &mut found);
                        }
                    }
                    "identifier" => {
                        let name = self.source_text(inner).to_owned();
                        if seen.contains(&name) {
                            continue;
                        }
                        seen.push(name.clone());
                        if let Some(function) = self.scope.function(&name) {
                            queue.push(function);
                        } else if let Some(Binding::Expression(value)) = self.scope.binding(&name) {
                            queue.push(*value);
                        }
                    }
                    _ => {}
                }
            }
        }
        match found.as_slice() {
            [path] if has_call => Some(path.clone()),
            _ => None,
        }
    }

    fn note_file(&self, path: &Path, accepts: &impl Fn(&str) -> bool, found: &mut Vec<PathBuf>) {
        let Some(name) = path.to_str() else { return };
        if accepts(name) && self.is_file(path) {
            let relative = self.relative(path);
            if !found.contains(&relative) {
                found.push(relative);
            }
        }
    }
}
