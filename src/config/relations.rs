//! Relations to other packages: `depends`, `recommends`, … of `[services.NAME]`.
//!
//! The two formats have neither the same names of packages nor the same grammar, so that a relation is written for one of
//! them, or for one distribution: `depends = { deb = […], el9 = […] }`. A plain list is for all, and what stands in it must
//! be good in both. Everything is parsed here, in its format's grammar, so that a mistake is shown where it was made.

use super::error::Error;
use super::reader::{Reader, Text};
use super::selector::Selector;
pub use crate::relation::RelationKind;
use crate::relation::{Invalid, debian, rpm};
use crate::target::{Distribution, Format, Target};

/// All relations of a service's table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RelationSettings {
    /// In the order of [`RelationKind::ALL`], each spelt as its format's own tools would.
    pub all: Vec<(RelationKind, Selector, Vec<String>)>,
}

super::layer::layer!(RelationSettings { all });

impl RelationSettings {
    /// The expressions of one kind for `target`: those of all selectors that match it.
    pub fn get(&self, kind: RelationKind, target: &Target) -> Vec<String> {
        let chosen = self.all.iter().filter(|(one, selector, _)| *one == kind && selector.matches(target));
        chosen.flat_map(|(_, _, expressions)| expressions.iter().cloned()).collect()
    }
}

/// The relations of `[services.NAME]`.
pub(super) fn relations(table: &Reader<'_>, known: &[Distribution]) -> Result<RelationSettings, Error> {
    let mut all = Vec::new();
    for (kind, key) in RelationKind::ALL {
        for (name, texts) in table.list_or_lists(key)? {
            let selector = match &name {
                Some(name) => name.parse(|text| Selector::parse(text, known), "")?,
                None => Selector::All,
            };
            let formats = formats(&selector, known);
            let lacking = formats.iter().any(|format| kind.field(*format).is_none());
            if let Some(place) = name.as_ref().or(texts.first()).filter(|_| lacking) {
                return Err(unavailable(kind, key, place));
            }
            let spell = |text: Text<'_>| spelt(kind, key, &formats, &text);
            all.push((kind, selector, texts.into_iter().map(spell).collect::<Result<_, _>>()?));
        }
    }
    Ok(RelationSettings { all })
}

/// Whose grammar the relations of `selector` must follow.
fn formats(selector: &Selector, known: &[Distribution]) -> Vec<Format> {
    match selector {
        Selector::All => vec![Format::Deb, Format::Rpm],
        Selector::Format(format) | Selector::Architecture { format, .. } => vec![*format],
        Selector::Distribution(name) => {
            known.iter().filter(|one| one.name == *name).map(|distribution| distribution.format).collect()
        }
    }
}

/// A kind that a format does not have.
fn unavailable(kind: RelationKind, key: &str, place: &Text<'_>) -> Error {
    let (problem, hint) = match kind {
        RelationKind::Supplements => (
            "Debian's packages have no `Supplements`",
            "write `supplements = { rpm = […] }`; on Debian, let the other package recommend this one".to_owned(),
        ),
        _ => (
            "RPM's packages have no such relation",
            format!(
                "write `{key} = {{ deb = […] }}`; RPM's say what is vendored with `bundled(…)`, without being asked"
            ),
        ),
    };
    place.error(problem, Some(hint))
}

/// One relation, in the spelling of the format's own tools.
fn spelt(kind: RelationKind, key: &str, formats: &[Format], text: &Text<'_>) -> Result<String, Error> {
    let refuse = |invalid: Invalid| text.error(&invalid, Some(invalid.hint.clone()));
    let of = |format: Format| match format {
        Format::Deb => debian::canonical(kind, text.as_str()),
        Format::Rpm => rpm::parse(kind, text.as_str()).map(|relation| relation.to_string()),
    };
    match formats {
        [one] => of(*one).map_err(refuse),
        _ => {
            let (deb, rpm) = (of(Format::Deb), of(Format::Rpm));
            match (deb, rpm) {
                (Ok(deb), Ok(rpm)) if deb == rpm => Ok(deb),
                // What is wrong in both is wrong for a reason of its own.
                (Err(invalid), Err(_)) => Err(refuse(invalid)),
                (deb, _) => {
                    let (good, other, hint) =
                        if deb.is_ok() { ("deb", "RPM", "rpm") } else { ("rpm", "Debian", "deb") };
                    let hint = format!("write `{key} = {{ {good} = [\"{}\"], {hint} = […] }}`", text.as_str());
                    Err(text.error(format!("`{}` is no relation of {other}", text.as_str()), Some(hint)))
                }
            }
        }
    }
}
