//! The tables of relations: a name, and how its versions are compared (`Config::table_to_dependencies`).
//!
//! A relation is one of RPM's names. What only speaks of the package itself (what it provides, what it stands in the place
//! of, what it cannot be beside) is good in a .deb as well, if its name can be one there. What needs another package to be
//! there is not carried over, because the distributions have other names for it; one note says so for all of them.

use super::overlay::Layered;
use crate::config::error::Error;
use crate::config::reader::{Reader, Text, Value};
use crate::config::relations::{RelationKind, RelationSettings};
use crate::config::{Note, Selector};
use crate::diagnostic::Location;
use crate::relation::rpm::{Comparison, Relation};
use crate::relation::{debian, rpm};

/// Each table with what it is.
pub(super) const TABLES: [(&str, RelationKind); 8] = [
    ("requires", RelationKind::Depends),
    ("obsoletes", RelationKind::Replaces),
    ("conflicts", RelationKind::Conflicts),
    ("provides", RelationKind::Provides),
    ("recommends", RelationKind::Recommends),
    ("supplements", RelationKind::Supplements),
    ("suggests", RelationKind::Suggests),
    ("enhances", RelationKind::Enhances),
];

/// The relations of each format's package.
#[derive(Debug, Default)]
pub(super) struct Relations {
    pub(super) rpm: RelationSettings,
    pub(super) deb: RelationSettings,
    /// The names of those that only an RPM has, and where the first of them stands.
    pub(super) left: Vec<String>,
    pub(super) place: Option<Location>,
}

/// Reads all tables. `needs_shell`: `require-sh` is not turned off.
pub(super) fn relations(table: &Layered<'_>, needs_shell: bool) -> Result<Relations, Error> {
    let mut all = Relations::default();
    for (key, kind) in TABLES {
        let mut expressions = Vec::new();
        if kind == RelationKind::Depends && needs_shell {
            expressions.push("/bin/sh".to_owned());
        }
        if let Some(table) = table.table(key)? {
            for (name, relation) in listed(kind, &table)? {
                expressions.push(relation.to_string());
                let carried = debian(kind, &relation);
                if carried.is_empty() {
                    all.place.get_or_insert_with(|| name.location());
                    if !all.left.contains(&relation.name) {
                        all.left.push(relation.name);
                    }
                }
                for (kind, expression) in carried {
                    add(&mut all.deb, kind, expression);
                }
            }
        }
        expressions.into_iter().for_each(|expression| add(&mut all.rpm, kind, expression));
    }
    Ok(all)
}

/// Adds `expression` to the others of its kind.
fn add(settings: &mut RelationSettings, kind: RelationKind, expression: String) {
    match settings.all.iter_mut().find(|(one, ..)| *one == kind) {
        Some((.., expressions)) if expressions.contains(&expression) => {}
        Some((.., expressions)) => expressions.push(expression),
        None => settings.all.push((kind, Selector::All, vec![expression])),
    }
}

/// The relations of one table, each with its key.
fn listed<'a>(kind: RelationKind, table: &Reader<'a>) -> Result<Vec<(Text<'a>, Relation)>, Error> {
    let mut all = Vec::new();
    for (name, version) in table.items()? {
        if !matches!(version.value, Value::Text) {
            return Err(version.mistyped("a string like \">= 1.2\" or \"*\""));
        }
        for comparison in comparisons(version.text.as_str()) {
            let comparison = version.text.parse(|_| comparison, HINT)?;
            let text = match comparison {
                None => name.as_str().to_owned(),
                Some(comparison) => format!("{} {comparison}", name.as_str()),
            };
            let relation =
                rpm::parse(kind, &text).map_err(|invalid| name.error(&invalid, Some(invalid.hint.clone())))?;
            all.push((name.clone(), relation));
        }
    }
    Ok(all)
}

const HINT: &str =
    "write `\"*\"`, or an operator, a blank and a version: `\">= 1.2\"`; several with commas between them";

/// The comparisons of one value: `None` is any version.
fn comparisons(text: &str) -> Vec<Result<Option<String>, String>> {
    if text.trim().is_empty() {
        return vec![Ok(None)];
    }
    let one = |part: &str| match part.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["*"] => Ok(None),
        [operator @ ("<" | "<=" | "=" | ">=" | ">"), version] => Ok(Some(format!("{operator} {version}"))),
        _ => Err(format!("`{}` compares with no version", part.trim())),
    };
    text.split(',').map(one).collect()
}

/// What a relation of an RPM is in a .deb; nothing, when it is none there.
fn debian(kind: RelationKind, relation: &Relation) -> Vec<(RelationKind, String)> {
    let kinds: &[RelationKind] = match kind {
        RelationKind::Provides => &[RelationKind::Provides],
        RelationKind::Conflicts => &[RelationKind::Conflicts],
        // dpkg removes another package only when both are said (Policy 7.6.2).
        RelationKind::Replaces => &[RelationKind::Conflicts, RelationKind::Replaces],
        _ => return Vec::new(),
    };
    let text = match &relation.version {
        None => relation.name.clone(),
        Some((comparison, version)) => {
            let operator = match comparison {
                Comparison::Less => "<<",
                Comparison::LessOrEqual => "<=",
                Comparison::Equal => "=",
                Comparison::GreaterOrEqual => ">=",
                Comparison::Greater => ">>",
            };
            format!("{} ({operator} {version})", relation.name)
        }
    };
    let spelt = kinds.iter().map(|kind| debian::canonical(*kind, &text).map(|text| (*kind, text)));
    spelt.collect::<Result<_, _>>().unwrap_or_default()
}

/// The one note on what a .deb of this table lacks; `service` is how packhouse.toml calls it.
pub(super) fn note(relations: Relations, service: &str) -> Option<Note> {
    let location = relations.place?;
    let names: Vec<String> = relations.left.iter().map(|name| format!("`{name}`")).collect();
    let (verb, them) = if names.len() == 1 { ("is an RPM's name", "it") } else { ("are RPM's names", "them") };
    let message = format!("{} {verb}: the .deb that is made of this table has no relation to {them}", names.join(", "));
    let hint = format!("say what the .deb needs in packhouse.toml: [services.{service}] depends = {{ deb = […] }}");
    Some(Note { message, location: Some(location), hint: Some(hint) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_the_tool_does() {
        let good = |text: &str| comparisons(text).into_iter().collect::<Result<Vec<_>, _>>();
        assert_eq!(good(""), Ok(vec![None]));
        assert_eq!(good(" * "), Ok(vec![None]));
        assert_eq!(good(">= 1.2, < 3.0"), Ok(vec![Some(">= 1.2".to_owned()), Some("< 3.0".to_owned())]));
        for wrong in ["1.0", "!= 1", "> 1 1", ">=1", ">= 1.2, ", ">= 1.2, 3", "* 1"] {
            assert!(good(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn only_what_speaks_of_the_package_itself_is_carried_over_to_a_deb() {
        let of = |kind, text: &str| {
            let relation = rpm::parse(kind, text).expect("a relation");
            debian(kind, &relation).into_iter().map(|(kind, text)| format!("{kind:?} {text}")).collect::<Vec<_>>()
        };
        assert_eq!(of(RelationKind::Provides, "mta"), ["Provides mta"]);
        assert_eq!(of(RelationKind::Conflicts, "old > 1:2"), ["Conflicts old (>> 1:2)"]);
        assert_eq!(of(RelationKind::Replaces, "old < 2"), ["Conflicts old (<< 2)", "Replaces old (<< 2)"]);
        for (kind, text) in [
            (RelationKind::Depends, "git"),
            (RelationKind::Recommends, "git"),
            (RelationKind::Conflicts, "(a and b)"),
            (RelationKind::Provides, "font(:lang=en)"),
            (RelationKind::Provides, "Upper_Case"),
        ] {
            assert!(of(kind, text).is_empty(), "{text}");
        }
    }
}
