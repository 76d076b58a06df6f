//! Works out expressions, as far as they are data.
//!
//! Nothing is run: there is a table of operations that are understood, each free of effects, over values that are known.
//! Files are those of the project only. A budget bounds time and memory, since `a = b + b` repeated is a program too.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use tree_sitter::Node;

use super::literal::unescape;
use super::modules::StaticModules;
use super::scope::{Binding, Scope};
use super::value::{Located, Value};
use crate::ecosystem::python::requirements::requirement::join_normalised;
use crate::ecosystem::python::source::Source;

/// Expressions worked out, their nesting, and the bytes and elements of one value.
pub(super) const STEP_LIMIT: usize = 20_000;
const DEPTH_LIMIT: usize = 100;
const TEXT_LIMIT: usize = 1024 * 1024;
const LIST_LIMIT: usize = 10_000;

/// Local names of a function that is being worked out, or of a comprehension.
pub(super) type Locals = BTreeMap<String, Located>;

/// What a reading may cost, all the files taken together that it leads to.
#[derive(Debug, Default)]
pub(super) struct Budget {
    steps: Cell<usize>,
    depth: Cell<usize>,
}

impl Budget {
    /// Whether one more file may be parsed.
    pub(super) fn take_file(&self) -> bool {
        self.steps.set(self.steps.get() + STEP_LIMIT / 100);
        self.steps.get() <= STEP_LIMIT
    }
}

/// See the module.
pub(super) struct Evaluator<'s, 't> {
    pub(super) source: &'s Source,
    pub(super) scope: &'s Scope<'t>,
    pub(super) budget: Rc<Budget>,
    pub(super) files: RefCell<Vec<PathBuf>>,
}

impl<'s, 't> Evaluator<'s, 't> {
    pub(super) fn new(source: &'s Source, scope: &'s Scope<'t>) -> Self {
        Self::within(&Rc::default(), source, scope)
    }

    /// As [`Evaluator::new`], as a part of a work that has begun.
    pub(super) fn within(budget: &Rc<Budget>, source: &'s Source, scope: &'s Scope<'t>) -> Self {
        Self { source, scope, budget: Rc::clone(budget), files: RefCell::new(Vec::new()) }
    }

    /// The files whose content went into values, absolute.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        self.files.borrow().clone()
    }

    /// The value of an expression of the module; `None` when it cannot be known.
    pub(super) fn evaluate(&self, node: Node<'t>) -> Option<Located> {
        self.expression(node, &Locals::new())
    }

    /// The value of a name of the module.
    pub(super) fn name(&self, name: &str) -> Option<Located> {
        match self.scope.binding(name)? {
            Binding::Expression(node) => self.guarded(|| self.expression(*node, &Locals::new())),
            Binding::Import { module, attribute } => {
                let module = module.trim_start_matches('.');
                let (value, file) = self.modules().value(&format!("{module}.{attribute}"), &(0..0))?;
                self.files.borrow_mut().push(file);
                Some(Located { value, span: 0..0 })
            }
            Binding::Module(module) => Some(Located { value: Value::Module(module.clone()), span: 0..0 }),
            Binding::Unknown => None,
        }
    }

    /// A value as text, reading the file it stands for.
    pub(super) fn text(&self, value: &Value) -> Option<String> {
        match value {
            Value::Text(text) => Some(text.clone()),
            Value::Content(path) => self.read(path),
            Value::Path(path) => path.to_str().map(str::to_owned),
            _ => None,
        }
    }

    /// A value as a version: text, or a tuple whose parts are joined by dots.
    pub(super) fn version(&self, value: &Value) -> Option<String> {
        let text = match value {
            Value::List(parts) => {
                let parts: Option<Vec<String>> = parts.iter().map(|part| plain(&part.value)).collect();
                parts?.join(".")
            }
            Value::Number(number) => number.clone(),
            other => self.text(other)?.trim().to_owned(),
        };
        (!text.is_empty() && text.len() < 200 && !text.contains('\n')).then_some(text)
    }

    pub(super) fn source_text(&self, node: Node<'_>) -> &'s str {
        self.source.text.get(node.byte_range()).unwrap_or_default()
    }

    fn directory(&self) -> &'s Path {
        self.source.path.parent().unwrap_or(Path::new("/"))
    }

    pub(super) fn absolute(&self, path: &Path) -> PathBuf {
        join_normalised(self.directory(), path)
    }

    pub(super) fn relative(&self, path: &Path) -> PathBuf {
        let absolute = self.absolute(path);
        absolute.strip_prefix(self.directory()).map(Path::to_path_buf).unwrap_or(absolute)
    }

    /// Whether it is a file of the project.
    pub(super) fn is_file(&self, path: &Path) -> bool {
        self.is_inside(path) && self.absolute(path).is_file()
    }

    fn is_inside(&self, path: &Path) -> bool {
        self.absolute(path).starts_with(self.directory())
    }

    pub(super) fn modules(&self) -> StaticModules {
        StaticModules::within(&self.budget, self.directory())
    }

    /// The text of a file of the project.
    pub(super) fn read(&self, path: &Path) -> Option<String> {
        if !self.is_inside(path) {
            return None;
        }
        let source = Source::read(&self.absolute(path)).ok()?;
        self.files.borrow_mut().push(source.path);
        (source.text.len() <= TEXT_LIMIT).then_some(source.text)
    }

    /// Runs one step of the work within the budget.
    pub(super) fn guarded<T>(&self, work: impl FnOnce() -> Option<T>) -> Option<T> {
        let Budget { steps, depth } = &*self.budget;
        steps.set(steps.get() + 1);
        if steps.get() > STEP_LIMIT || depth.get() >= DEPTH_LIMIT {
            return None;
        }
        depth.set(depth.get() + 1);
        let result = work();
        depth.set(depth.get() - 1);
        result
    }

    /// The value of an expression.
    pub(super) fn expression(&self, node: Node<'t>, locals: &Locals) -> Option<Located> {
        let value = self.guarded(|| self.value(node, locals))?;
        let (bytes, elements) = match &value {
            Value::Text(text) => (text.len(), 0),
            Value::List(elements) => (0, elements.len()),
            _ => (0, 0),
        };
        if bytes > TEXT_LIMIT || elements > LIST_LIMIT {
            return None;
        }
        Some(Located { value, span: node.byte_range() })
    }

    fn value(&self, node: Node<'t>, locals: &Locals) -> Option<Value> {
        match node.kind() {
            "none" => Some(Value::None),
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            "integer" | "float" => Some(Value::Number(self.source_text(node).to_owned())),
            "string" => self.string(node, locals).map(Value::Text),
            "concatenated_string" => {
                let parts: Option<String> = children(node).into_iter().map(|part| self.string(part, locals)).collect();
                parts.map(Value::Text)
            }
            "list" | "tuple" | "set" | "expression_list" => self.list(node, locals),
            "dictionary" => self.dictionary(node, locals),
            "parenthesized_expression" => self.expression(node.named_child(0)?, locals).map(|inner| inner.value),
            "identifier" => self.identifier(node, locals),
            "binary_operator" => {
                let left = self.expression(node.child_by_field_name("left")?, locals)?;
                let right = self.expression(node.child_by_field_name("right")?, locals)?;
                binary(self.source_text(node.child_by_field_name("operator")?), left, right)
            }
            "not_operator" => {
                let truth = self.expression(node.child_by_field_name("argument")?, locals)?.value.truth()?;
                Some(Value::Bool(!truth))
            }
            "conditional_expression" => {
                let parts = children(node);
                let [then, condition, otherwise] = parts.as_slice() else { return None };
                let truth = self.expression(*condition, locals)?.value.truth()?;
                self.expression(if truth { *then } else { *otherwise }, locals).map(|found| found.value)
            }
            "attribute" => self.attribute(node, locals),
            "subscript" => self.subscript(node, locals),
            "call" => self.call(node, locals),
            "list_comprehension" | "generator_expression" | "set_comprehension" => self.comprehension(node, locals),
            _ => None,
        }
    }

    fn string(&self, node: Node<'t>, locals: &Locals) -> Option<String> {
        if node.kind() != "string" {
            return None;
        }
        let mut prefix = "";
        let mut result = String::new();
        let mut cursor = node.walk();
        let parts: Vec<Node<'t>> = node.children(&mut cursor).collect();
        for part in parts {
            match part.kind() {
                "string_start" => prefix = self.source_text(part).trim_end_matches(['"', '\'']),
                "string_content" => {
                    let mut inner = unescape(prefix, self.source_text(part))?;
                    if prefix.contains(['f', 'F']) {
                        inner = inner.replace("{{", "{").replace("}}", "}");
                    }
                    result.push_str(&inner);
                }
                "interpolation" => {
                    if part.child_by_field_name("format_specifier").is_some()
                        || part.child_by_field_name("type_conversion").is_some()
                    {
                        return None;
                    }
                    let value = self.expression(part.child_by_field_name("expression")?, locals)?;
                    result.push_str(&plain(&value.value)?);
                }
                _ => {}
            }
        }
        (!prefix.contains(['b', 'B'])).then_some(result)
    }

    fn list(&self, node: Node<'t>, locals: &Locals) -> Option<Value> {
        let mut elements = Vec::new();
        for child in children(node) {
            if child.kind() == "list_splat" {
                let inner = self.expression(child.named_child(0)?, locals)?;
                match inner.value {
                    Value::List(inner) => elements.extend(inner),
                    Value::Lines(_) => elements.push(inner),
                    _ => return None,
                }
            } else {
                elements.push(self.expression(child, locals)?);
            }
            if elements.len() > LIST_LIMIT {
                return None;
            }
        }
        Some(Value::List(elements))
    }

    fn dictionary(&self, node: Node<'t>, locals: &Locals) -> Option<Value> {
        let mut entries: Vec<(Located, Located)> = Vec::new();
        for child in children(node) {
            match child.kind() {
                "pair" => {
                    let key = self.expression(child.child_by_field_name("key")?, locals)?;
                    // A value that cannot be known makes the dictionary unknown, unless it is one that nobody asks for.
                    let value = child.child_by_field_name("value")?;
                    let value = self.expression(value, locals)?;
                    entries.retain(|(known, _)| known.value != key.value);
                    entries.push((key, value));
                }
                "dictionary_splat" => {
                    let Value::Dict(inner) = self.expression(child.named_child(0)?, locals)?.value else { return None };
                    for (key, value) in inner {
                        entries.retain(|(known, _)| known.value != key.value);
                        entries.push((key, value));
                    }
                }
                _ => return None,
            }
            if entries.len() > LIST_LIMIT / 10 {
                return None;
            }
        }
        Some(Value::Dict(entries))
    }

    fn identifier(&self, node: Node<'t>, locals: &Locals) -> Option<Value> {
        let name = self.source_text(node);
        if let Some(local) = locals.get(name) {
            return Some(local.value.clone());
        }
        if let Some(value) = self.scope.alias(name, node.start_byte()) {
            return self.expression(value, locals).map(|found| found.value);
        }
        if name == "__file__" {
            return self.source.path.file_name().map(|name| Value::Path(PathBuf::from(name)));
        }
        if let Some(code) = self.scope.execution(name) {
            return self.executed(code, locals);
        }
        if let Some(found) = self.name(name) {
            // Another module's value has its place where it is used here.
            return match self.scope.binding(name) {
                Some(Binding::Import { .. }) => found.value.relocated(&node.byte_range()),
                _ => Some(found.value),
            };
        }
        if self.scope.binding(name).is_none()
            && let Some(code) = self.scope.execution("")
            && let Some(Value::Namespace(path)) = self.executed(code, locals)
        {
            return self.namespace_member(&path, name);
        }
        None
    }

    /// `exec(open("package/version.py").read(), names)`: the names of that file.
    fn executed(&self, code: Node<'t>, locals: &Locals) -> Option<Value> {
        let inner = match code.kind() {
            "call" if self.source_text(code.child_by_field_name("function")?) == "compile" => {
                code.child_by_field_name("arguments")?.named_child(0)?
            }
            _ => code,
        };
        match self.expression(inner, locals)?.value {
            Value::Content(path) => Some(Value::Namespace(path)),
            _ => None,
        }
    }

    fn namespace_member(&self, path: &Path, name: &str) -> Option<Value> {
        if !self.is_inside(path) {
            return None;
        }
        let source = Source::read(&self.absolute(path)).ok()?;
        self.files.borrow_mut().push(source.path.clone());
        // A file that runs another one leads no further than the budget's depth.
        self.guarded(|| StaticModules::value_within(&self.budget, &source, name, &(0..0)))
    }

    /// See [`Value::Namespace`].
    pub(super) fn member(&self, path: &Path, name: &str) -> Option<Value> {
        self.namespace_member(path, name)
    }

    fn attribute(&self, node: Node<'t>, locals: &Locals) -> Option<Value> {
        let attribute = self.source_text(node.child_by_field_name("attribute")?);
        let object = self.expression(node.child_by_field_name("object")?, locals)?;
        match object.value {
            Value::Path(path) if attribute == "parent" => parent(&path),
            Value::Path(path) if attribute == "name" => {
                path.file_name().map(|name| Value::Text(name.to_string_lossy().into_owned()))
            }
            Value::Module(module) if matches!(module.as_str(), "os" | "re" | "io" | "sys") => {
                Some(Value::Module(format!("{module}.{attribute}")))
            }
            Value::Module(module) => {
                let dotted = format!("{module}.{attribute}");
                match self.modules().value(&dotted, &node.byte_range()) {
                    Some((value, file)) => {
                        self.files.borrow_mut().push(file);
                        Some(value)
                    }
                    None => Some(Value::Module(dotted)),
                }
            }
            _ => None,
        }
    }

    fn subscript(&self, node: Node<'t>, locals: &Locals) -> Option<Value> {
        let object = self.expression(node.child_by_field_name("value")?, locals)?;
        let index = node.child_by_field_name("subscript")?;
        if index.kind() == "slice" {
            return matches!(object.value, Value::Lines(_)).then_some(object.value);
        }
        if let Value::Namespace(path) = &object.value {
            let Value::Text(name) = self.expression(index, locals)?.value else { return None };
            return self.namespace_member(path, &name);
        }
        let negative = index.kind() == "unary_operator" && self.source_text(index).starts_with('-');
        let key =
            if negative { self.expression(index.named_child(0)?, locals)? } else { self.expression(index, locals)? };
        match (object.value, key.value) {
            (Value::Dict(entries), key) => {
                entries.into_iter().find(|(known, _)| known.value == key).map(|(_, value)| value.value)
            }
            (Value::List(elements), Value::Number(number)) => {
                // A file's lines among the elements are an unknown number of them.
                if elements.iter().any(|element| matches!(element.value, Value::Lines(_))) {
                    return None;
                }
                let at = position(&number, negative, elements.len())?;
                elements.into_iter().nth(at).map(|element| element.value)
            }
            (Value::Match(groups), Value::Number(number)) if !negative => group(&groups, &Value::Number(number)),
            (Value::Match(groups), name @ Value::Text(_)) => group(&groups, &name),
            (Value::Lines(path), Value::Number(number)) => {
                let text = self.read(&path)?;
                let lines: Vec<&str> = text.lines().collect();
                let at = position(&number, negative, lines.len())?;
                lines.get(at).map(|line| Value::Text((*line).to_owned()))
            }
            _ => None,
        }
    }

    fn comprehension(&self, node: Node<'t>, locals: &Locals) -> Option<Value> {
        let body = node.child_by_field_name("body")?;
        let mut clauses = children(node).into_iter().filter(|child| child.kind() != body.kind() || *child != body);
        let generator = clauses.next().filter(|clause| clause.kind() == "for_in_clause")?;
        let conditions: Vec<Node<'t>> = clauses.collect();
        let items = self.expression(generator.child_by_field_name("right")?, locals)?;
        let variable = generator.child_by_field_name("left")?;
        match items.value {
            // Whatever is filtered out or trimmed: the file of requirements is what is meant.
            Value::Lines(path) | Value::File(path) => Some(Value::Lines(path)),
            Value::List(elements) if variable.kind() == "identifier" => {
                let mut result = Vec::new();
                for element in elements {
                    if matches!(element.value, Value::Lines(_)) {
                        result.push(element);
                        continue;
                    }
                    let mut inner = locals.clone();
                    inner.insert(self.source_text(variable).to_owned(), element);
                    let mut taken = true;
                    for condition in &conditions {
                        let condition = condition.named_child(0).filter(|_| condition.kind() == "if_clause")?;
                        taken &= self.expression(condition, &inner)?.value.truth()?;
                    }
                    if taken {
                        result.push(self.expression(body, &inner)?);
                    }
                }
                Some(Value::List(result))
            }
            _ => None,
        }
    }

    /// A value with its place.
    pub(super) fn located(value: Value, span: Range<usize>) -> Located {
        Located { value, span }
    }
}

/// The named children of a node, comments left out.
pub(super) fn children<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| child.kind() != "comment").collect()
}

/// What `str()` makes of a value.
pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Number(number) => Some(number.clone()),
        Value::Path(path) => path.to_str().map(str::to_owned),
        _ => None,
    }
}

/// The directory of a path; `None` above the project.
pub(super) fn parent(path: &Path) -> Option<Value> {
    path.parent().map(|parent| Value::Path(parent.to_path_buf()))
}

/// `match.group(key)`.
pub(super) fn group(groups: &[(Option<String>, Option<String>)], key: &Value) -> Option<Value> {
    let found = match key {
        Value::Number(number) => groups.get(number.parse::<usize>().ok()?),
        Value::Text(name) => groups.iter().find(|(known, _)| known.as_ref() == Some(name)),
        _ => None,
    };
    found.map(|(_, text)| text.clone().map_or(Value::None, Value::Text))
}

fn position(number: &str, negative: bool, length: usize) -> Option<usize> {
    let number: usize = number.parse().ok()?;
    if negative { length.checked_sub(number) } else { Some(number) }
}

fn binary(operator: &str, left: Located, right: Located) -> Option<Value> {
    match (operator, left.value, right.value) {
        ("+", Value::Text(left), Value::Text(right)) => {
            (left.len() + right.len() <= TEXT_LIMIT).then(|| Value::Text(left + &right))
        }
        ("+", Value::List(mut left), Value::List(right)) => {
            left.extend(right);
            Some(Value::List(left))
        }
        ("+", Value::List(mut list), lines @ Value::Lines(_)) => {
            list.push(Located { value: lines, span: right.span });
            Some(Value::List(list))
        }
        ("+", lines @ Value::Lines(_), Value::List(list)) => {
            let mut elements = vec![Located { value: lines, span: left.span }];
            elements.extend(list);
            Some(Value::List(elements))
        }
        ("+", one @ Value::Lines(_), two @ Value::Lines(_)) => {
            Some(Value::List(vec![Located { value: one, span: left.span }, Located { value: two, span: right.span }]))
        }
        ("/", Value::Path(left), right) => Some(Value::Path(left.join(plain(&right)?))),
        ("%", Value::Text(format), value) => {
            let values = match value {
                Value::List(values) => values.iter().map(|value| plain(&value.value)).collect::<Option<Vec<_>>>()?,
                other => vec![plain(&other)?],
            };
            let mut parts = format.split("%s");
            let mut text = parts.next()?.to_owned();
            let rest: Vec<&str> = parts.collect();
            if rest.len() != values.len() || text.contains('%') || rest.iter().any(|part| part.contains('%')) {
                return None;
            }
            for (value, part) in values.iter().zip(rest) {
                text.push_str(value);
                text.push_str(part);
            }
            Some(Value::Text(text))
        }
        _ => None,
    }
}
