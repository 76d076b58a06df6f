//! setup.py, read without being run.
//!
//! A `setup()` call is a program's, but nearly all of them are written as data: literals, names bound once, a version
//! picked out of a file by a pattern, requirements read from a text file. The source is parsed (tree-sitter) and that
//! much of Python is worked out, with a budget, over files of the project only: no import, no call of anything that is
//! not in the table of `evaluate.rs`, no environment. What cannot be known this way is said, with its line.

mod calls;
mod evaluate;
mod literal;
mod modules;
mod named_files;
mod scope;
#[cfg(test)]
mod tests;
mod value;

use std::collections::BTreeMap;

use tree_sitter::Node;

use self::evaluate::Evaluator;
pub(super) use self::modules::StaticModules;
use self::scope::{Scope, descendants, parse};
use self::value::{Located, Value};
use super::combine::Origin;
use super::facts::{
    Dependencies, Facts, Field, check_requirement, entry_point, metadata_requirement, split_extra, with_marker,
};
use super::project::EntryPoint;
use super::source::{Error, Source};
use super::{referenced, setup_cfg};

/// The keywords of `setup()` that are read, and what they say.
const KEYWORDS: &[(&str, Field)] = &[
    ("name", Field::Name),
    ("version", Field::Version),
    ("description", Field::Summary),
    ("license", Field::License),
    ("python_requires", Field::RequiresPython),
    ("install_requires", Field::Dependencies),
    ("extras_require", Field::OptionalDependencies),
    ("entry_points", Field::Scripts),
    ("setup_requires", Field::SetupRequires),
];

/// Reads the file; `None` when it is no setup script at all.
pub(super) fn read(source: &Source, origin: Origin) -> Result<Option<Facts>, Error> {
    let tree = parse(source)?;
    let root = tree.root_node();
    if let Some(fault) = root.has_error().then(|| first_error(root)).flatten() {
        // Python 2's print statement and the like: what stands around it can still be read.
        let mut facts = Facts::default();
        let line = fault.start_position().row + 1;
        facts.unread.push((Field::Other, format!("setup.py:{line}: not understood as Python 3")));
        return Ok(read_calls(source, root, origin)?.map(|mut found| {
            found.unread.extend(facts.unread);
            found
        }));
    }
    read_calls(source, root, origin)
}

fn read_calls(source: &Source, root: Node<'_>, origin: Origin) -> Result<Option<Facts>, Error> {
    let scope = Scope::new(source, root);
    let mut calls: Vec<Node<'_>> = descendants(root).filter(|node| is_setup_call(source, &scope, *node)).collect();
    let mut facts = Facts::default();
    let Some(call) = calls.pop() else {
        let text = &source.text;
        if !text.contains("setuptools") && !text.contains("distutils") {
            return Ok(None);
        }
        facts.unread.push((Field::Other, "setup.py:1: no call of setup()".to_owned()));
        return Ok(Some(facts));
    };
    if !calls.is_empty() {
        // Which one runs depends on a condition; nothing in them can be taken for certain.
        let line = call.start_position().row + 1;
        for (keyword, field) in KEYWORDS {
            facts.unread.push((*field, format!("setup.py:{line}: {keyword}: setup() is called in several places")));
        }
        return Ok(Some(facts));
    }
    let evaluator = Evaluator::new(source, &scope);
    let arguments = arguments(source, &evaluator, call, &mut facts);
    for (keyword, field) in KEYWORDS {
        let Some(argument) = arguments.get(*keyword) else { continue };
        let line = source.line_at(argument.span().start);
        match take(source, &evaluator, *field, argument, &mut facts) {
            Ok(true) => {}
            Ok(false) => facts.unread.push((*field, format!("setup.py:{line}: {keyword} is not a literal"))),
            Err(error) if origin == Origin::Archive => {
                facts.unread.push((*field, format!("setup.py:{line}: {keyword}: {error}")));
            }
            Err(error) => return Err(error),
        }
    }
    for path in evaluator.files() {
        if !facts.files.contains(&path) {
            facts.files.push(path);
        }
    }
    Ok(Some(facts))
}

fn first_error(root: Node<'_>) -> Option<Node<'_>> {
    descendants(root).find(|node| node.is_error() || node.is_missing())
}

/// `setup(…)`, `setuptools.setup(…)`, `distutils.core.setup(…)`.
fn is_setup_call(source: &Source, scope: &Scope<'_>, node: Node<'_>) -> bool {
    if node.kind() != "call" {
        return false;
    }
    let Some(function) = node.child_by_field_name("function") else { return false };
    let text = source.text.get(function.byte_range()).unwrap_or_default();
    match function.kind() {
        "identifier" => text == "setup" && !scope.defines_function("setup"),
        "attribute" => match text.rsplit_once('.') {
            Some((module, "setup")) => {
                ["setuptools", "distutils", "skbuild", "numpy", "core"].iter().any(|known| module.starts_with(known))
            }
            _ => false,
        },
        _ => false,
    }
}

/// An argument of `setup()`: its expression, or a value out of `**keywords`.
enum Argument<'t> {
    Expression(Node<'t>),
    Value(Located),
}

impl Argument<'_> {
    fn span(&self) -> std::ops::Range<usize> {
        match self {
            Self::Expression(node) => node.byte_range(),
            Self::Value(value) => value.span.clone(),
        }
    }
}

fn arguments<'t>(
    source: &Source,
    evaluator: &Evaluator<'_, 't>,
    call: Node<'t>,
    facts: &mut Facts,
) -> BTreeMap<String, Argument<'t>> {
    let mut result = BTreeMap::new();
    let Some(list) = call.child_by_field_name("arguments") else { return result };
    let mut cursor = list.walk();
    for argument in list.named_children(&mut cursor) {
        match argument.kind() {
            "keyword_argument" => {
                let name = argument.child_by_field_name("name").and_then(|name| source.text.get(name.byte_range()));
                if let (Some(name), Some(value)) = (name, argument.child_by_field_name("value")) {
                    result.insert(name.to_owned(), Argument::Expression(value));
                }
            }
            "dictionary_splat" => {
                let value = argument.named_child(0).and_then(|value| evaluator.evaluate(value));
                let Some(Value::Dict(entries)) = value.map(|value| value.value) else {
                    let line = argument.start_position().row + 1;
                    for (keyword, field) in KEYWORDS {
                        let message = format!("setup.py:{line}: {keyword} may stand in keywords that are no literal");
                        facts.doubts.push((*field, message));
                    }
                    continue;
                };
                for (key, value) in entries {
                    if let Value::Text(key) = key.value {
                        result.insert(key, Argument::Value(value));
                    }
                }
            }
            _ => {}
        }
    }
    // What is said by name is known whatever the rest holds: Python refuses a keyword that comes twice.
    facts
        .doubts
        .retain(|(field, _)| !KEYWORDS.iter().any(|(keyword, known)| known == field && result.contains_key(*keyword)));
    result
}

/// Takes the value of one keyword; `false` when it cannot be known.
fn take<'t>(
    source: &Source,
    evaluator: &Evaluator<'_, 't>,
    field: Field,
    argument: &Argument<'t>,
    facts: &mut Facts,
) -> Result<bool, Error> {
    let value = match argument {
        Argument::Expression(node) => evaluator.evaluate(*node),
        Argument::Value(value) => Some(value.clone()),
    };
    if let Some(Located { value: Value::None, .. }) = value {
        return Ok(true);
    }
    let node = match argument {
        Argument::Expression(node) => Some(*node),
        Argument::Value(_) => None,
    };
    match field {
        Field::Version => {
            let version = value.and_then(|value| evaluator.version(&value.value));
            let version = match (version, node) {
                (None, Some(node)) => evaluator.version_from_named_file(node)?,
                (version, _) => version,
            };
            facts.version = version;
            Ok(facts.version.is_some())
        }
        Field::Name | Field::Summary | Field::License | Field::RequiresPython => {
            let Some(text) = value.and_then(|value| evaluator.text(&value.value)) else { return Ok(false) };
            let text = text.trim().to_owned();
            let target = match field {
                Field::Name => &mut facts.name,
                Field::Summary => &mut facts.summary,
                Field::License => &mut facts.license,
                _ => &mut facts.requires_python,
            };
            *target = (!text.is_empty()).then_some(text);
            Ok(true)
        }
        Field::Dependencies => {
            let mut found = Dependencies::default();
            let known = take_requirements(source, evaluator, value, node, &mut found, facts)?;
            if known {
                let dependencies = facts.dependencies.get_or_insert_default();
                dependencies.named.extend(found.named);
                dependencies.paths.extend(found.paths);
                dependencies.urls.extend(found.urls);
            }
            Ok(known)
        }
        Field::SetupRequires => {
            let mut found = Dependencies::default();
            let known = take_requirements(source, evaluator, value, node, &mut found, facts)?;
            facts.setup_requires.extend(found.texts(source, argument.span())?);
            Ok(known)
        }
        Field::OptionalDependencies => take_extras(source, evaluator, value, facts),
        Field::Scripts => take_entry_points(source, value, facts),
        Field::Other => Ok(true),
    }
}

/// The requirements that a value stands for: a list, one text of several lines, or a file that is read.
fn take_requirements<'t>(
    source: &Source,
    evaluator: &Evaluator<'_, 't>,
    value: Option<Located>,
    node: Option<Node<'t>>,
    into: &mut Dependencies,
    facts: &mut Facts,
) -> Result<bool, Error> {
    let value = value.or_else(|| node.and_then(|node| evaluator.requirements_from_named_file(node)));
    let Some(value) = value else { return Ok(false) };
    let elements = match value.value {
        Value::List(elements) => elements,
        _ => vec![value],
    };
    for element in elements {
        match element.value {
            Value::Text(text) => {
                for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
                    into.push(metadata_requirement(source, line, element.span.clone())?);
                }
            }
            Value::Lines(path) | Value::Content(path) => {
                let name = path.to_string_lossy().into_owned();
                if !evaluator.is_file(&path) {
                    return Ok(false);
                }
                into.take(referenced::requirements(source, &name, element.span)?, &mut facts.files);
            }
            _ => return Ok(false),
        }
    }
    Ok(true)
}

fn take_extras(
    source: &Source,
    evaluator: &Evaluator<'_, '_>,
    value: Option<Located>,
    facts: &mut Facts,
) -> Result<bool, Error> {
    let Some(Value::Dict(entries)) = value.map(|value| value.value) else { return Ok(false) };
    let mut extras: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut conditional = Dependencies::default();
    for (key, value) in entries {
        let Value::Text(key) = key.value else { return Ok(false) };
        let span = value.span.clone();
        let mut found = Dependencies::default();
        if !take_requirements(source, evaluator, Some(value), None, &mut found, facts)? {
            return Ok(false);
        }
        let (name, marker) = split_extra(&key);
        let known = extras.entry(name.clone()).or_default();
        for text in found.texts(source, span.clone())? {
            let text = match &marker {
                Some(marker) => with_marker(&text, marker),
                None => text,
            };
            if name.is_empty() {
                conditional.push(metadata_requirement(source, &text, span.clone())?);
            } else {
                known.push(check_requirement(source, &text, span.clone())?);
            }
        }
    }
    extras.remove("");
    if conditional != Dependencies::default() {
        let dependencies = facts.dependencies.get_or_insert_default();
        dependencies.named.extend(conditional.named);
        dependencies.paths.extend(conditional.paths);
        dependencies.urls.extend(conditional.urls);
    }
    facts.optional_dependencies = Some(extras);
    Ok(true)
}

fn take_entry_points(source: &Source, value: Option<Located>, facts: &mut Facts) -> Result<bool, Error> {
    let Some(value) = value else { return Ok(false) };
    let mut scripts: Vec<EntryPoint> = Vec::new();
    match value.value {
        Value::Text(text) => {
            facts.scripts = setup_cfg::entry_points(source, &text, value.span, &mut facts.files)?;
            return Ok(true);
        }
        Value::Dict(entries) => {
            for (key, value) in entries {
                if key.value != Value::Text("console_scripts".to_owned()) {
                    continue;
                }
                let elements = match value.value {
                    Value::List(elements) => elements,
                    Value::Text(_) => vec![value],
                    Value::Dict(entries) => {
                        for (name, target) in entries {
                            let (Value::Text(name), Value::Text(target)) = (name.value, target.value) else {
                                return Ok(false);
                            };
                            scripts.push(entry_point(source, &name, &target, value.span.clone())?);
                        }
                        continue;
                    }
                    _ => return Ok(false),
                };
                for element in elements {
                    let Value::Text(text) = element.value else { return Ok(false) };
                    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
                        scripts.push(setup_cfg::script(source, line, element.span.clone())?);
                    }
                }
            }
        }
        _ => return Ok(false),
    }
    facts.scripts = Some(scripts);
    Ok(true)
}

/// The texts that the one call of `setup()` is given for `keywords`, as far as they can be known.
pub(super) fn texts(source: &Source, keywords: &[&str]) -> Result<BTreeMap<String, String>, Error> {
    let tree = parse(source)?;
    let root = tree.root_node();
    let scope = Scope::new(source, root);
    let mut calls = descendants(root).filter(|node| is_setup_call(source, &scope, *node));
    let (Some(call), None) = (calls.next(), calls.next()) else { return Ok(BTreeMap::new()) };
    let evaluator = Evaluator::new(source, &scope);
    let arguments = arguments(source, &evaluator, call, &mut Facts::default());
    let known = keywords.iter().filter_map(|keyword| {
        let value = match arguments.get(*keyword)? {
            Argument::Expression(node) => evaluator.evaluate(*node)?,
            Argument::Value(value) => value.clone(),
        };
        Some(((*keyword).to_owned(), evaluator.text(&value.value)?.trim().to_owned()))
    });
    Ok(known.collect())
}
