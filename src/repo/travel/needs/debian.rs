//! What a stanza of `Packages` says of relations.

use super::relation::{Atom, Expression};
use super::{MultiArch, Need, Package};
use crate::relation::rpm::Comparison;
use crate::repo::record::Identity;

/// Fields with names of packages in them.
const NAMING: [&str; 4] = ["Package", "Provides", "Depends", "Pre-Depends"];

/// The fields of a stanza that has no continued lines among those that matter.
fn fields(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = text.lines().filter(|line| !line.starts_with([' ', '\t']));
    lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim()))
}

/// The package's name.
pub(super) fn name(text: &str) -> Option<&str> {
    fields(text).find(|(name, _)| *name == "Package").map(|(_, value)| value)
}

/// Whether it is, offers or needs something that `wanted` says yes to.
pub(super) fn mentions(text: &str, wanted: &dyn Fn(&str) -> bool) -> bool {
    let values = fields(text).filter(|(name, _)| NAMING.contains(name)).map(|(_, value)| value);
    let mut names = values.flat_map(|value| value.split([',', '|'])).map(|relation| {
        let relation = relation.trim_start();
        relation.split([' ', '(', ':', '[']).next().unwrap_or(relation)
    });
    names.any(wanted)
}

/// Reads a stanza; `None` when it is none.
pub(super) fn read(text: &str) -> Option<Package> {
    let (mut name, mut version, mut architecture) = (None, None, None);
    let mut multi_arch = MultiArch::No;
    let (mut provides, mut needs, mut against) = (Vec::new(), Vec::new(), Vec::new());
    for (field, value) in fields(text) {
        match field {
            "Package" => name = Some(value.to_owned()),
            "Version" => version = Some(value.to_owned()),
            "Architecture" => architecture = Some(value.to_owned()),
            "Multi-Arch" if value == "foreign" => multi_arch = MultiArch::Foreign,
            "Multi-Arch" if value == "allowed" => multi_arch = MultiArch::Allowed,
            "Provides" => provides.extend(relations(value).filter_map(atom)),
            "Depends" | "Pre-Depends" => needs
                .extend(relations(value).map(|text| Need { text: text.to_owned(), expression: alternatives(text) })),
            "Conflicts" | "Breaks" => against.extend(relations(value).filter_map(atom)),
            _ => {}
        }
    }
    let identity = Identity { name: name?, version: version?, architecture: architecture? };
    let version = Some((Comparison::Equal, identity.version.clone()));
    let mut offers = vec![Atom { name: identity.name.clone(), qualifier: None, version }];
    offers.append(&mut provides);
    Some(Package { identity, multi_arch, offers, files: Vec::new(), needs, against })
}

fn relations(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|relation| !relation.is_empty())
}

/// `one (>= 1) | other:any`.
pub(super) fn alternatives(text: &str) -> Expression {
    let mut parts: Vec<Expression> =
        text.split('|').map(|part| atom(part).map_or(Expression::Unknown, Expression::Atom)).collect();
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            Expression::Or(parts)
        }
        None => Expression::Unknown,
    }
}

fn atom(text: &str) -> Option<Atom> {
    let text = text.trim();
    let (name, rest) = text.split_at_checked(text.find([' ', '(', ':']).unwrap_or(text.len()))?;
    let (qualifier, rest) = match rest.strip_prefix(':') {
        None => (None, rest),
        Some(rest) => {
            let (qualifier, rest) = rest.split_at_checked(rest.find([' ', '(']).unwrap_or(rest.len()))?;
            (Some(qualifier.to_owned()), rest)
        }
    };
    let rest = rest.trim();
    let version = if rest.is_empty() {
        None
    } else {
        let inner = rest.strip_prefix('(')?.strip_suffix(')')?.trim();
        let end = inner.find(|character| !matches!(character, '<' | '>' | '=')).unwrap_or(inner.len());
        let (operator, version) = inner.split_at_checked(end)?;
        let comparison = match operator {
            "<<" => Comparison::Less,
            "<=" | "<" => Comparison::LessOrEqual,
            "=" => Comparison::Equal,
            ">=" | ">" => Comparison::GreaterOrEqual,
            ">>" => Comparison::Greater,
            _ => return None,
        };
        Some((comparison, version.trim().to_owned()))
    };
    Some(Atom { name: name.to_owned(), qualifier, version })
}
