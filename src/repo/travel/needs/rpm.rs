//! What an element of `primary.xml` says of relations. It is packhouse's own text: one element on each line.

use super::relation::{Atom, Expression};
use super::{MultiArch, Need, Package};
use crate::relation::rpm::Comparison;
use crate::repo::record::Identity;

/// The package's name.
pub(super) fn name(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.trim_start().strip_prefix("<name>")?.strip_suffix("</name>"))
}

/// Whether it is, offers or needs something that `wanted` says yes to.
pub(super) fn mentions(text: &str, wanted: &dyn Fn(&str) -> bool) -> bool {
    text.lines().any(|line| {
        let line = line.trim_start();
        if let Some(name) = line.strip_prefix("<rpm:entry name=\"").and_then(|rest| rest.split('"').next()) {
            let name = unescape(name);
            return match name.starts_with('(') {
                true => expression(&name).names().any(wanted),
                false => wanted(&name),
            };
        }
        let own = line.strip_prefix("<name>").and_then(|rest| rest.strip_suffix("</name>"));
        own.or_else(|| file(line)).is_some_and(|name| wanted(&unescape(name)))
    })
}

/// The path of a `<file>` element.
fn file(line: &str) -> Option<&str> {
    line.strip_prefix("<file")?.split_once('>')?.1.strip_suffix("</file>")
}

/// Reads an element; `None` when it is none.
pub(super) fn read(text: &str) -> Option<Package> {
    let (mut name, mut version, mut architecture) = (None, None, None);
    let (mut offers, mut needs, mut against, mut files) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut list = "";
    for line in text.lines().map(str::trim_start) {
        if let Some(rest) = line.strip_prefix("<rpm:entry ") {
            let Some(atom) = entry(rest) else { continue };
            match list {
                "provides" => offers.push(atom),
                "requires" => needs.push(Need {
                    text: spelt(&atom),
                    expression: match atom.name.starts_with('(') {
                        true => expression(&atom.name),
                        false => Expression::Atom(atom),
                    },
                }),
                "conflicts" => against.push(atom),
                _ => {}
            }
        } else if let Some(rest) = line.strip_prefix("<rpm:") {
            list = rest.strip_suffix('>').unwrap_or_default();
        } else if let Some(path) = file(line) {
            files.push(unescape(path));
        } else if let Some(rest) = line.strip_prefix("<name>") {
            name = rest.strip_suffix("</name>").map(unescape);
        } else if let Some(rest) = line.strip_prefix("<arch>") {
            architecture = rest.strip_suffix("</arch>").map(unescape);
        } else if let Some(rest) = line.strip_prefix("<version ") {
            let value = |key: &str| attribute(rest, key);
            version = Some(whole(value("epoch").as_deref(), &value("ver")?, value("rel").as_deref()));
        }
    }
    let identity = Identity { name: name?, version: version?, architecture: architecture? };
    if identity.architecture == "src" {
        // It needs things where it is built.
        needs.clear();
    }
    Some(Package { identity, multi_arch: MultiArch::No, offers, files, needs, against })
}

/// `epoch:version-release`; epoch 0 is left out.
fn whole(epoch: Option<&str>, version: &str, release: Option<&str>) -> String {
    let epoch = epoch.filter(|epoch| *epoch != "0").map(|epoch| format!("{epoch}:")).unwrap_or_default();
    let release = release.map(|release| format!("-{release}")).unwrap_or_default();
    format!("{epoch}{version}{release}")
}

fn entry(attributes: &str) -> Option<Atom> {
    let value = |key: &str| attribute(attributes, key);
    let comparison = match value("flags").as_deref() {
        Some("LT") => Some(Comparison::Less),
        Some("LE") => Some(Comparison::LessOrEqual),
        Some("EQ") => Some(Comparison::Equal),
        Some("GE") => Some(Comparison::GreaterOrEqual),
        Some("GT") => Some(Comparison::Greater),
        _ => None,
    };
    let version = match comparison {
        Some(comparison) => {
            Some((comparison, whole(value("epoch").as_deref(), &value("ver")?, value("rel").as_deref())))
        }
        None => None,
    };
    Some(Atom { name: value("name")?, qualifier: None, version })
}

fn attribute(text: &str, key: &str) -> Option<String> {
    let begin = text.match_indices(key).find_map(|(at, _)| {
        let bounded = at == 0 || text.as_bytes().get(at - 1) == Some(&b' ');
        text.get(at + key.len()..).filter(|_| bounded)?.strip_prefix("=\"")
    })?;
    begin.split('"').next().map(unescape)
}

fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

fn spelt(atom: &Atom) -> String {
    let version = atom.version.as_ref().map(|(comparison, version)| format!(" {comparison} {version}"));
    format!("{}{}", atom.name, version.unwrap_or_default())
}

/// Reads a relation as a spec file has it: `name >= 1` or a boolean one in parentheses.
pub(super) fn expression(text: &str) -> Expression {
    let mut tokens = tokens(text).into_iter().peekable();
    let read = operand(&mut tokens, 0);
    read.filter(|_| tokens.peek().is_none()).unwrap_or(Expression::Unknown)
}

/// Words and parentheses. Names may have parentheses in them: `libc.so.6()(64bit)`.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let mut open = 0_usize;
        let end = rest.char_indices().position(|(at, character)| match character {
            ' ' => at > 0,
            '(' if at == 0 => false,
            '(' => {
                open += 1;
                false
            }
            ')' if open > 0 => {
                open -= 1;
                false
            }
            ')' => at > 0,
            _ => false,
        });
        let end = if rest.starts_with(['(', ')']) { 1 } else { end.unwrap_or(rest.len()) };
        let (token, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        tokens.push(token);
        rest = after.trim_start();
    }
    tokens
}

type Tokens<'a> = std::iter::Peekable<std::vec::IntoIter<&'a str>>;

fn operand(tokens: &mut Tokens<'_>, depth: usize) -> Option<Expression> {
    let first = tokens.next()?;
    if first != "(" {
        let comparison = tokens.peek().and_then(|token| comparison(token));
        let version = match comparison {
            Some(comparison) => {
                tokens.next();
                Some((comparison, tokens.next()?.to_owned()))
            }
            None => None,
        };
        return Some(Expression::Atom(Atom { name: first.to_owned(), qualifier: None, version }));
    }
    if depth > 16 {
        return None;
    }
    let first = operand(tokens, depth + 1)?;
    let operator = tokens.next()?;
    if operator == ")" {
        return Some(first);
    }
    let second = operand(tokens, depth + 1)?;
    let boxed = Box::new;
    match operator {
        "and" | "or" | "with" => {
            let mut parts = vec![first, second];
            loop {
                match tokens.next()? {
                    ")" => break,
                    next if next == operator => parts.push(operand(tokens, depth + 1)?),
                    _ => return None,
                }
            }
            match operator {
                "and" => Some(Expression::And(parts)),
                "or" => Some(Expression::Or(parts)),
                _ => parts.into_iter().reduce(|one, other| Expression::With(boxed(one), boxed(other))),
            }
        }
        "without" => (tokens.next()? == ")").then(|| Expression::Without(boxed(first), boxed(second))),
        "if" | "unless" => {
            let otherwise = match tokens.next()? {
                ")" => None,
                "else" => {
                    let otherwise = operand(tokens, depth + 1)?;
                    (tokens.next()? == ")").then_some(())?;
                    Some(boxed(otherwise))
                }
                _ => return None,
            };
            Some(Expression::If(boxed(first), boxed(second), otherwise)).filter(|_| operator == "if")
        }
        _ => None,
    }
}

fn comparison(text: &str) -> Option<Comparison> {
    Some(match text {
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        "=" => Comparison::Equal,
        ">=" => Comparison::GreaterOrEqual,
        ">" => Comparison::Greater,
        _ => return None,
    })
}
