//! Which names a module binds, and to what.
//!
//! A name is known when it is bound exactly once, in no condition and no loop, and never changed in place. Everything else
//! depends on the order in which the program runs.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use tree_sitter::{Node, Parser, Tree};

use crate::ecosystem::python::source::{Error, Source};

/// The largest program that is parsed, in bytes.
const SIZE_LIMIT: usize = 1024 * 1024;

/// Methods that change what they are called on.
const MUTATORS: &[&str] = &[
    "append",
    "extend",
    "insert",
    "remove",
    "pop",
    "clear",
    "update",
    "setdefault",
    "add",
    "discard",
    "sort",
    "reverse",
    "popitem",
];

/// Parses a Python file.
pub(super) fn parse(source: &Source) -> Result<Tree, Error> {
    if source.text.len() > SIZE_LIMIT {
        return Err(source.error(0..0, format!("a program of more than {SIZE_LIMIT} bytes"), &[]));
    }
    let mut parser = Parser::new();
    let grammar = parser.set_language(&tree_sitter_python::LANGUAGE.into()).ok();
    grammar
        .and_then(|()| parser.parse(&source.text, None))
        .ok_or_else(|| source.error(0..0, "the parser of Python gave up", &[]))
}

/// All nodes below `root`, itself first, in the order of the text; without recursion, whatever the depth.
pub(super) fn descendants(root: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    descendants_with_depth(root).map(|(node, _)| node)
}

/// As [`descendants`], each with the number of its ancestors up to `root`.
fn descendants_with_depth(root: Node<'_>) -> impl Iterator<Item = (Node<'_>, usize)> {
    let mut cursor = root.walk();
    let mut depth = 0;
    let mut started = false;
    let mut done = false;
    std::iter::from_fn(move || {
        if done {
            return None;
        }
        if !started {
            started = true;
            return Some((cursor.node(), depth));
        }
        if cursor.goto_first_child() {
            depth += 1;
            return Some((cursor.node(), depth));
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                done = true;
                return None;
            }
            depth -= 1;
        }
        Some((cursor.node(), depth))
    })
}

/// Where a statement stands.
#[derive(Debug, Clone, Copy, Default)]
struct Surroundings {
    /// In a function or class.
    inner: bool,
    /// In a condition, a loop or a handler.
    conditional: bool,
}

impl Surroundings {
    /// Those of the children of a node.
    fn below(self, kind: &str) -> Self {
        Self {
            inner: self.inner || matches!(kind, "function_definition" | "class_definition" | "lambda"),
            conditional: self.conditional
                || matches!(
                    kind,
                    "if_statement" | "for_statement" | "while_statement" | "try_statement" | "match_statement"
                ),
        }
    }
}

/// What a name is bound to.
#[derive(Debug, Clone)]
pub(super) enum Binding<'t> {
    /// `name = expression`.
    Expression(Node<'t>),
    /// `from module import attribute as name`.
    Import { module: String, attribute: String },
    /// `import module`.
    Module(String),
    /// Bound in a way, or so often, that its value depends on the run.
    Unknown,
}

/// The names of a module.
#[derive(Debug)]
pub(super) struct Scope<'t> {
    bindings: BTreeMap<String, Binding<'t>>,
    functions: BTreeMap<String, Node<'t>>,
    /// `exec(code, name)`: the name (empty: the module itself) and the code.
    executions: Vec<(String, Node<'t>)>,
    /// `with value as name: body`: the name, the body's range, the value.
    aliases: Vec<(String, Range<usize>, Node<'t>)>,
}

impl<'t> Scope<'t> {
    /// Collects the names of the module whose root is `root`.
    pub(super) fn new(source: &Source, root: Node<'t>) -> Self {
        let mut scope =
            Self { bindings: BTreeMap::new(), functions: BTreeMap::new(), executions: vec![], aliases: vec![] };
        let mut changed = BTreeSet::new();
        let text = |node: Node<'_>| source.text.get(node.byte_range()).unwrap_or_default();
        let mut stack: Vec<Surroundings> = Vec::new();
        for (node, depth) in descendants_with_depth(root) {
            stack.truncate(depth);
            let here = stack.last().copied().unwrap_or_default();
            stack.push(here.below(node.kind()));
            match node.kind() {
                "assignment" => scope.assignment(source, node, here, &mut changed),
                "with_statement" => scope.with(source, node),
                "augmented_assignment" | "delete_statement" | "global_statement" | "named_expression" => {
                    changed.extend(
                        descendants(node).take(50).filter(|n| n.kind() == "identifier").map(|n| text(n).to_owned()),
                    );
                }
                "for_statement" if !here.inner => {
                    let targets = node.child_by_field_name("left").into_iter().flat_map(descendants);
                    changed.extend(targets.filter(|n| n.kind() == "identifier").map(|n| text(n).to_owned()));
                }
                "function_definition" => {
                    if let Some(name) = node.child_by_field_name("name").map(text) {
                        if !here.inner && !here.conditional {
                            if scope.functions.insert(name.to_owned(), node).is_some() {
                                changed.insert(name.to_owned());
                            }
                        } else if !here.inner {
                            changed.insert(name.to_owned());
                        }
                    }
                }
                "call" => scope.call(source, node, &mut changed),
                "import_from_statement" if !here.inner => scope.import_from(source, node),
                "import_statement" if !here.inner => scope.import(source, node),
                _ => {}
            }
        }
        for name in changed {
            scope.functions.remove(&name);
            scope.bindings.insert(name, Binding::Unknown);
        }
        scope
    }

    /// What `name` is bound to.
    pub(super) fn binding(&self, name: &str) -> Option<&Binding<'t>> {
        self.bindings.get(name)
    }

    /// The definition of a function.
    pub(super) fn function(&self, name: &str) -> Option<Node<'t>> {
        self.functions.get(name).copied()
    }

    /// Whether the module defines a function of this name.
    pub(super) fn defines_function(&self, name: &str) -> bool {
        self.functions.contains_key(name)
    }

    /// The code that is executed into the dictionary `name` (empty: into the module itself).
    pub(super) fn execution(&self, name: &str) -> Option<Node<'t>> {
        let mut found = self.executions.iter().filter(|(into, _)| into == name);
        match (found.next(), found.next()) {
            (Some((_, code)), None) => Some(*code),
            _ => None,
        }
    }

    /// What `name` is at byte `at`, when a `with` around it says so.
    pub(super) fn alias(&self, name: &str, at: usize) -> Option<Node<'t>> {
        let around = self.aliases.iter().filter(|(alias, body, _)| alias == name && body.contains(&at));
        around.min_by_key(|(_, body, _)| body.len()).map(|(_, _, value)| *value)
    }

    fn with(&mut self, source: &Source, node: Node<'t>) {
        let Some(body) = node.child_by_field_name("body") else { return };
        let items = descendants(node).take_while(|inner| inner.start_byte() < body.start_byte());
        for item in items.filter(|inner| inner.kind() == "as_pattern") {
            let Some(alias) = item.child_by_field_name("alias") else { continue };
            let name = source.text.get(alias.byte_range()).unwrap_or_default().to_owned();
            if let Some(value) = item.named_child(0) {
                self.aliases.push((name, body.byte_range(), value));
            }
        }
    }

    fn bind(&mut self, name: &str, binding: Binding<'t>) {
        let slot = self.bindings.entry(name.to_owned());
        slot.and_modify(|known| *known = Binding::Unknown).or_insert(binding);
    }

    fn assignment(&mut self, source: &Source, node: Node<'t>, here: Surroundings, changed: &mut BTreeSet<String>) {
        let Some(left) = node.child_by_field_name("left") else { return };
        let text = |node: Node<'_>| source.text.get(node.byte_range()).unwrap_or_default().to_owned();
        match left.kind() {
            "identifier" if !here.inner => {
                // `a = b = value`: the value is the last right side.
                let mut right = node.child_by_field_name("right");
                while let Some(inner) = right.filter(|right| right.kind() == "assignment") {
                    right = inner.child_by_field_name("right");
                }
                let binding = match right {
                    Some(right) if !here.conditional => Binding::Expression(right),
                    _ => Binding::Unknown,
                };
                self.bind(&text(left), binding);
            }
            "identifier" => {}
            // `name[key] = …`, `name.attribute = …`, `a, b = …`.
            "subscript" | "attribute" => {
                let mut base = left;
                while let Some(inner) = base.child_by_field_name("value").or(base.child_by_field_name("object")) {
                    base = inner;
                }
                changed.insert(text(base));
            }
            _ if !here.inner => {
                changed.extend(descendants(left).filter(|n| n.kind() == "identifier").map(text));
            }
            _ => {}
        }
    }

    fn call(&mut self, source: &Source, node: Node<'t>, changed: &mut BTreeSet<String>) {
        let Some(function) = node.child_by_field_name("function") else { return };
        let text = |node: Node<'_>| source.text.get(node.byte_range()).unwrap_or_default().to_owned();
        if function.kind() == "attribute" {
            let method = function.child_by_field_name("attribute").map(text).unwrap_or_default();
            if MUTATORS.contains(&method.as_str()) {
                let mut base = function.child_by_field_name("object");
                while let Some(inner) = base.and_then(|base| base.child_by_field_name("value")) {
                    base = Some(inner);
                }
                if let Some(base) = base.filter(|base| base.kind() == "identifier") {
                    // Inside a function the name is most likely its own, unless the module has one of that name.
                    changed.insert(text(base));
                }
            }
        } else if text(function) == "exec" {
            let arguments = node.child_by_field_name("arguments");
            if let Some(code) = arguments.and_then(|arguments| arguments.named_child(0)) {
                // The names go into the last dictionary that is given: `exec(code, None, names)`.
                let into = [2, 1].iter().find_map(|&at| arguments.and_then(|arguments| arguments.named_child(at)));
                let into = into.map(text).unwrap_or_default();
                self.executions.push((into, code));
            }
        }
    }

    fn import_from(&mut self, source: &Source, node: Node<'t>) {
        let text = |node: Node<'_>| source.text.get(node.byte_range()).unwrap_or_default().to_owned();
        let module = node.child_by_field_name("module_name").map(text).unwrap_or_default();
        let mut cursor = node.walk();
        let names: Vec<Node<'_>> = node.children_by_field_name("name", &mut cursor).collect();
        for name in names {
            let attribute = name.child_by_field_name("name").unwrap_or(name);
            let alias = name.child_by_field_name("alias").unwrap_or(attribute);
            let import = Binding::Import { module: module.clone(), attribute: text(attribute) };
            // `try: from setuptools import setup; except: from distutils.core import setup` is no doubt of ours.
            self.bindings.entry(text(alias)).or_insert(import);
        }
    }

    fn import(&mut self, source: &Source, node: Node<'t>) {
        let text = |node: Node<'_>| source.text.get(node.byte_range()).unwrap_or_default().to_owned();
        let mut cursor = node.walk();
        let names: Vec<Node<'_>> = node.children_by_field_name("name", &mut cursor).collect();
        for name in names {
            let (module, bound) = match (name.child_by_field_name("name"), name.child_by_field_name("alias")) {
                (Some(module), Some(alias)) => (text(module), text(alias)),
                _ => {
                    let module = text(name);
                    let first = module.split('.').next().unwrap_or_default().to_owned();
                    (first.clone(), first)
                }
            };
            self.bindings.entry(bound).or_insert(Binding::Module(module));
        }
    }
}
