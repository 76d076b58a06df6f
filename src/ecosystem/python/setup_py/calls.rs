//! Calls that are understood: reading files, joining paths, patterns, and the module's own small functions.

use std::collections::BTreeMap;
use std::path::PathBuf;

use regex::RegexBuilder;
use tree_sitter::Node;

use super::evaluate::{Evaluator, Locals, children, group, parent, plain};
use super::value::{Located, Value};

/// Arguments of a call.
struct Arguments {
    positional: Vec<Located>,
    named: BTreeMap<String, Located>,
    /// Whether every argument is known.
    complete: bool,
}

impl Arguments {
    fn first(&self) -> Option<&Located> {
        self.positional.first()
    }

    fn take_first(mut self) -> Option<Value> {
        if self.positional.is_empty() { None } else { Some(self.positional.swap_remove(0).value) }
    }
}

/// How the statements of a function end.
enum Flow {
    /// They go on behind it.
    Next,
    /// `return`.
    Return(Located),
}

impl<'t> Evaluator<'_, 't> {
    pub(super) fn call(&self, node: Node<'t>, locals: &Locals) -> Option<Value> {
        let function = node.child_by_field_name("function")?;
        let list = node.child_by_field_name("arguments")?;
        let arguments = self.arguments(list, locals);
        if function.kind() == "identifier" {
            let name = self.source_text(function);
            if let Some(definition) = self.scope.function(name) {
                return self.user_function(definition, arguments);
            }
            return self.known_function(name, list, arguments, locals);
        }
        if function.kind() != "attribute" {
            return None;
        }
        let dotted: String = self.source_text(function).split_whitespace().collect();
        if let Some(value) = self.known_dotted(&dotted, &arguments) {
            return Some(value);
        }
        let method = self.source_text(function.child_by_field_name("attribute")?);
        let object = self.expression(function.child_by_field_name("object")?, locals)?;
        self.method(object.value, method, arguments)
    }

    fn arguments(&self, list: Node<'t>, locals: &Locals) -> Arguments {
        let mut result = Arguments { positional: Vec::new(), named: BTreeMap::new(), complete: true };
        if list.kind() == "generator_expression" {
            match self.expression(list, locals) {
                Some(value) => result.positional.push(value),
                None => result.complete = false,
            }
            return result;
        }
        for child in children(list) {
            match child.kind() {
                "keyword_argument" => {
                    let name = child.child_by_field_name("name").map(|name| self.source_text(name).to_owned());
                    let value = child.child_by_field_name("value").and_then(|value| self.expression(value, locals));
                    match (name, value) {
                        (Some(name), Some(value)) => {
                            result.named.insert(name, value);
                        }
                        // `encoding=locale.…`, `session=False`, `mode=…`: the table knows which it needs.
                        _ => result.complete = false,
                    }
                }
                "list_splat" => {
                    let inner = child.named_child(0).and_then(|inner| self.expression(inner, locals));
                    match inner.map(|inner| inner.value) {
                        Some(Value::List(elements)) => result.positional.extend(elements),
                        _ => result.complete = false,
                    }
                }
                "dictionary_splat" => result.complete = false,
                _ => match self.expression(child, locals) {
                    Some(value) if result.complete => result.positional.push(value),
                    _ => result.complete = false,
                },
            }
        }
        result
    }

    fn known_function(&self, name: &str, list: Node<'t>, arguments: Arguments, locals: &Locals) -> Option<Value> {
        match name {
            "open" | "file" => arguments.take_first().and_then(as_path).map(Value::File),
            "dirname" | "abspath" | "realpath" | "join" | "Path" | "normpath" => self.path_function(name, &arguments),
            "parse_requirements" => match arguments.take_first()? {
                Value::Text(name) => Some(Value::Lines(PathBuf::from(name))),
                Value::Path(path) | Value::File(path) | Value::Content(path) | Value::Lines(path) => {
                    Some(Value::Lines(path))
                }
                _ => None,
            },
            "str" => arguments.take_first().and_then(|value| match value {
                content @ Value::Content(_) => Some(content),
                other => plain(&other).map(Value::Text),
            }),
            "list" | "tuple" | "set" | "sorted" | "frozenset" => match arguments.take_first() {
                None if children(list).is_empty() => Some(Value::List(Vec::new())),
                Some(list @ (Value::List(_) | Value::Lines(_))) => Some(list),
                Some(Value::File(path)) => Some(Value::Lines(path)),
                _ => None,
            },
            "dict" if arguments.complete && arguments.positional.is_empty() => {
                let entry =
                    |(name, value): (String, Located)| (Self::located(Value::Text(name), value.span.clone()), value);
                Some(Value::Dict(arguments.named.into_iter().map(entry).collect()))
            }
            // Whatever is filtered or mapped, a file's lines stay the file's.
            "filter" | "map" => {
                let parts = children(list);
                let items = self.expression(*parts.get(1)?, locals)?.value;
                match items {
                    Value::Lines(path) | Value::File(path) => Some(Value::Lines(path)),
                    Value::List(elements) if name == "map" && self.source_text(*parts.first()?) == "str" => {
                        let texts = elements.iter().map(|element| {
                            Some(Self::located(Value::Text(plain(&element.value)?), element.span.clone()))
                        });
                        texts.collect::<Option<Vec<_>>>().map(Value::List)
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Functions of Python's own modules, by their dotted name.
    fn known_dotted(&self, dotted: &str, arguments: &Arguments) -> Option<Value> {
        match dotted {
            "io.open" | "codecs.open" => {
                arguments.first().cloned().and_then(|first| as_path(first.value)).map(Value::File)
            }
            "os.getcwd" | "os.getcwdu" | "Path.cwd" | "pathlib.Path.cwd" => Some(Value::Path(PathBuf::new())),
            "os.path.dirname" | "os.path.abspath" | "os.path.realpath" | "os.path.join" | "os.path.normpath"
            | "path.dirname" | "path.abspath" | "path.realpath" | "path.join" | "path.normpath" | "osp.join"
            | "osp.dirname" | "osp.abspath" | "op.join" | "op.dirname" | "op.abspath" => {
                self.path_function(dotted.rsplit('.').next()?, arguments)
            }
            "pathlib.Path" | "pathlib.PurePath" => self.path_function("Path", arguments),
            "re.search" | "re.match" | "re.findall" | "re.compile" => self.pattern(dotted, arguments),
            "ast.literal_eval" => {
                // Of the literals only plain texts: that is what a version is.
                let text = self.text(&arguments.first()?.value)?;
                let text = text.trim();
                let quote = text.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
                let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
                (!inner.contains(['"', '\'', '\\'])).then(|| Value::Text(inner.to_owned()))
            }
            "runpy.run_path" => arguments.first().cloned().and_then(|first| as_path(first.value)).map(Value::Namespace),
            "pkg_resources.parse_requirements" => match arguments.first()?.value.clone() {
                Value::File(path) | Value::Content(path) | Value::Lines(path) => Some(Value::Lines(path)),
                _ => None,
            },
            _ => None,
        }
    }

    fn path_function(&self, name: &str, arguments: &Arguments) -> Option<Value> {
        if !arguments.complete {
            return None;
        }
        match name {
            "dirname" => parent(&as_path(arguments.first()?.value.clone())?),
            "abspath" | "realpath" | "normpath" => as_path(arguments.first()?.value.clone()).map(Value::Path),
            "join" | "Path" => {
                let mut path = PathBuf::new();
                for part in &arguments.positional {
                    path.push(as_path(part.value.clone())?);
                }
                Some(Value::Path(path))
            }
            _ => None,
        }
    }

    fn pattern(&self, function: &str, arguments: &Arguments) -> Option<Value> {
        let pattern = arguments.first().map(|first| first.value.clone());
        let Some(Value::Text(pattern)) = pattern else { return None };
        // Flags are not values: they are found in their text. `None` stays for those that are not known.
        if function == "re.compile" {
            return Some(Value::Pattern(pattern));
        }
        let text = self.text(&arguments.positional.get(1)?.value)?;
        self.search(&pattern, &text, function)
    }

    /// Patterns are tried with `re.M` and without: what is looked for is one line of a file.
    fn search(&self, pattern: &str, text: &str, function: &str) -> Option<Value> {
        let regex = RegexBuilder::new(pattern).multi_line(true).size_limit(1 << 20).build().ok()?;
        let captures = regex.captures(text);
        if function.ends_with("findall") {
            let mut found = Vec::new();
            for captures in regex.captures_iter(text).take(1000) {
                let text = if regex.captures_len() > 1 { captures.get(1) } else { captures.get(0) };
                found.push(Self::located(Value::Text(text.map_or("", |text| text.as_str()).to_owned()), 0..0));
            }
            return Some(Value::List(found));
        }
        let Some(captures) = captures else { return Some(Value::None) };
        if function.ends_with("match") && captures.get(0).is_none_or(|whole| whole.start() != 0) {
            return Some(Value::None);
        }
        let names = regex.capture_names().map(|name| name.map(str::to_owned));
        let groups = captures.iter().map(|group| group.map(|group| group.as_str().to_owned()));
        Some(Value::Match(names.zip(groups).collect()))
    }

    fn method(&self, object: Value, method: &str, arguments: Arguments) -> Option<Value> {
        match (object, method) {
            (Value::Path(path), "read_text") => Some(Value::Content(path)),
            (Value::Path(path), "open") => Some(Value::File(path)),
            (Value::Path(path), "resolve" | "absolute" | "as_posix" | "expanduser") => Some(Value::Path(path)),
            (Value::Path(path), "joinpath") => {
                let mut path = path;
                for part in &arguments.positional {
                    path.push(as_path(part.value.clone())?);
                }
                Some(Value::Path(path))
            }
            (Value::File(path), "read") => Some(Value::Content(path)),
            (Value::File(path), "readlines") => Some(Value::Lines(path)),
            (Value::File(path), "readline") => {
                let text = self.read(&path)?;
                Some(Value::Text(text.lines().next().unwrap_or_default().to_owned()))
            }
            (Value::Content(path), "strip" | "rstrip" | "lstrip" | "decode" | "encode")
                if arguments.positional.len() <= 1 =>
            {
                Some(Value::Content(path))
            }
            (Value::Content(path), "splitlines") => Some(Value::Lines(path)),
            (Value::Content(path), "split") => match arguments.first().map(|first| &first.value) {
                None => Some(Value::Lines(path)),
                Some(Value::Text(separator)) if separator == "\n" || separator == "\r\n" => Some(Value::Lines(path)),
                _ => None,
            },
            (Value::Pattern(pattern), "search" | "match" | "findall") => {
                let text = self.text(&arguments.first()?.value)?;
                self.search(&pattern, &text, method)
            }
            (Value::Match(groups), "group") => match arguments.first() {
                Some(key) => group(&groups, &key.value),
                None => group(&groups, &Value::Number("0".to_owned())),
            },
            (Value::Match(groups), "groups") => {
                let groups = groups.into_iter().skip(1);
                Some(Value::List(
                    groups.map(|(_, text)| Self::located(text.map_or(Value::None, Value::Text), 0..0)).collect(),
                ))
            }
            (Value::Dict(entries), "get") => {
                let key = arguments.first()?;
                let found = entries.into_iter().find(|(known, _)| known.value == key.value);
                found.map(|(_, value)| value.value).or_else(|| arguments.positional.get(1).map(|d| d.value.clone()))
            }
            (Value::Namespace(path), "get") => {
                self.text(&arguments.first()?.value).and_then(|name| self.member(&path, &name))
            }
            (Value::Text(text), method) => text_method(&text, method, &arguments),
            _ => None,
        }
    }

    fn user_function(&self, definition: Node<'t>, arguments: Arguments) -> Option<Value> {
        if !arguments.complete {
            return None;
        }
        let mut locals = Locals::new();
        let mut positional = arguments.positional.into_iter();
        let mut named = arguments.named;
        for parameter in children(definition.child_by_field_name("parameters")?) {
            match parameter.kind() {
                "identifier" => {
                    let name = self.source_text(parameter);
                    let value = positional.next().or_else(|| named.remove(name))?;
                    locals.insert(name.to_owned(), value);
                }
                "default_parameter" | "typed_parameter" | "typed_default_parameter" => {
                    let named_node = parameter.child_by_field_name("name").or_else(|| parameter.named_child(0))?;
                    if named_node.kind() == "list_splat_pattern" {
                        let rest: Vec<Located> = positional.by_ref().collect();
                        let name = self.source_text(named_node.named_child(0)?).to_owned();
                        locals.insert(name, Self::located(Value::List(rest), parameter.byte_range()));
                        continue;
                    }
                    let name = self.source_text(named_node);
                    let given = positional.next().or_else(|| named.remove(name));
                    let value = match (given, parameter.child_by_field_name("value")) {
                        (Some(value), _) => value,
                        (None, Some(default)) => self.expression(default, &Locals::new())?,
                        (None, None) => return None,
                    };
                    locals.insert(name.to_owned(), value);
                }
                "list_splat_pattern" => {
                    let rest: Vec<Located> = positional.by_ref().collect();
                    let name = self.source_text(parameter.named_child(0)?).to_owned();
                    locals.insert(name, Self::located(Value::List(rest), parameter.byte_range()));
                }
                // `**keywords` hand on an encoding; nothing that is given may be lost.
                "dictionary_splat_pattern" if named.is_empty() => {
                    let name = self.source_text(parameter.named_child(0)?).to_owned();
                    locals.insert(name, Self::located(Value::Dict(Vec::new()), parameter.byte_range()));
                }
                _ => return None,
            }
        }
        let body = definition.child_by_field_name("body")?;
        match self.guarded(|| self.block(body, &mut locals))? {
            Flow::Return(found) => Some(found.value),
            Flow::Next => Some(Value::None),
        }
    }

    /// Works out statements; `None` when one of them is not understood.
    fn block(&self, block: Node<'t>, locals: &mut Locals) -> Option<Flow> {
        for statement in children(block) {
            match statement.kind() {
                "return_statement" => {
                    return match statement.named_child(0) {
                        Some(value) => self.expression(value, locals).map(Flow::Return),
                        None => Some(Flow::Return(Self::located(Value::None, statement.byte_range()))),
                    };
                }
                "expression_statement" => {
                    let inner = statement.named_child(0)?;
                    match inner.kind() {
                        // A documentation string.
                        "string" | "concatenated_string" => {}
                        "assignment" => {
                            let left = inner.child_by_field_name("left").filter(|left| left.kind() == "identifier")?;
                            let value = self.expression(inner.child_by_field_name("right")?, locals)?;
                            locals.insert(self.source_text(left).to_owned(), value);
                        }
                        _ => return None,
                    }
                }
                "with_statement" => {
                    if let Flow::Return(found) = self.guarded(|| self.with(statement, locals))? {
                        return Some(Flow::Return(found));
                    }
                }
                "if_statement" => {
                    let condition = self.expression(statement.child_by_field_name("condition")?, locals)?;
                    if condition.value.truth()? {
                        let body = statement.child_by_field_name("consequence")?;
                        if let Flow::Return(found) = self.guarded(|| self.block(body, locals))? {
                            return Some(Flow::Return(found));
                        }
                    } else if let Some(alternative) = statement.child_by_field_name("alternative") {
                        let body =
                            alternative.child_by_field_name("body").filter(|_| alternative.kind() == "else_clause")?;
                        if let Flow::Return(found) = self.guarded(|| self.block(body, locals))? {
                            return Some(Flow::Return(found));
                        }
                    }
                }
                "import_statement" | "import_from_statement" | "pass_statement" => {}
                _ => return None,
            }
        }
        Some(Flow::Next)
    }

    fn with(&self, statement: Node<'t>, locals: &mut Locals) -> Option<Flow> {
        let clause = children(statement).into_iter().find(|child| child.kind() == "with_clause")?;
        for item in children(clause) {
            let value = item.child_by_field_name("value")?;
            if value.kind() == "as_pattern" {
                let name = self.source_text(value.child_by_field_name("alias")?).to_owned();
                let value = self.expression(value.named_child(0)?, locals)?;
                locals.insert(name, value);
            }
        }
        self.block(statement.child_by_field_name("body")?, locals)
    }
}

/// A path out of what may name one.
fn as_path(value: Value) -> Option<PathBuf> {
    match value {
        Value::Text(text) => Some(PathBuf::from(text)),
        Value::Path(path) => Some(path),
        _ => None,
    }
}

fn text_method(text: &str, method: &str, arguments: &Arguments) -> Option<Value> {
    let argument = |at: usize| match arguments.positional.get(at).map(|argument| &argument.value) {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    };
    if !arguments.complete {
        return None;
    }
    let located = |text: &str| Located { value: Value::Text(text.to_owned()), span: 0..0 };
    Some(match (method, arguments.positional.len()) {
        ("strip", 0) => Value::Text(text.trim().to_owned()),
        ("rstrip", 0) => Value::Text(text.trim_end().to_owned()),
        ("lstrip", 0) => Value::Text(text.trim_start().to_owned()),
        ("strip", 1) => {
            let set = argument(0)?;
            Value::Text(text.trim_matches(|character| set.contains(character)).to_owned())
        }
        ("rstrip", 1) => {
            let set = argument(0)?;
            Value::Text(text.trim_end_matches(|character| set.contains(character)).to_owned())
        }
        ("lstrip", 1) => {
            let set = argument(0)?;
            Value::Text(text.trim_start_matches(|character| set.contains(character)).to_owned())
        }
        ("lower", 0) => Value::Text(text.to_lowercase()),
        ("upper", 0) => Value::Text(text.to_uppercase()),
        ("decode" | "encode", _) => Value::Text(text.to_owned()),
        ("splitlines", 0) => Value::List(text.lines().map(located).collect()),
        ("split", 0) => Value::List(text.split_whitespace().map(located).collect()),
        ("split", 1) => {
            let separator = argument(0)?;
            if separator.is_empty() {
                return None;
            }
            Value::List(text.split(separator.as_str()).map(located).collect())
        }
        ("startswith", 1) => Value::Bool(text.starts_with(argument(0)?.as_str())),
        ("endswith", 1) => Value::Bool(text.ends_with(argument(0)?.as_str())),
        ("replace", 2) => {
            let (from, to) = (argument(0)?, argument(1)?);
            // An empty pattern, or a long replacement, would make much of little.
            if from.is_empty() || text.len().checked_mul(to.len().max(1))? > 1 << 20 {
                return None;
            }
            Value::Text(text.replace(from.as_str(), &to))
        }
        ("join", 1) => {
            let Some(Value::List(elements)) = arguments.first().map(|first| &first.value) else { return None };
            let parts: Option<Vec<String>> = elements.iter().map(|element| plain(&element.value)).collect();
            let parts = parts?;
            let size: usize = parts.iter().map(|part| part.len() + text.len()).sum();
            if size > 1 << 20 {
                return None;
            }
            Value::Text(parts.join(text))
        }
        ("format", _) if arguments.named.is_empty() => {
            let values: Option<Vec<String>> =
                arguments.positional.iter().map(|argument| plain(&argument.value)).collect();
            let values = values?;
            let mut parts = text.split("{}");
            let mut result = parts.next()?.to_owned();
            let rest: Vec<&str> = parts.collect();
            if rest.len() != values.len() || result.contains(['{', '}']) || rest.iter().any(|p| p.contains(['{', '}']))
            {
                return None;
            }
            for (value, part) in values.iter().zip(rest) {
                result.push_str(value);
                result.push_str(part);
            }
            Value::Text(result)
        }
        _ => return None,
    })
}
