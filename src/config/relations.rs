//! Relations to other packages: `depends`, `recommends`, … of `[services.NAME]`.

use super::error::Error;
use super::reader::Reader;
use super::selector::Selector;
use super::value;
use crate::target::{Distribution, Target};

/// A kind of relation, by Debian's name for it (Policy 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RelationKind {
    /// `Pre-Depends`, `Requires(pre)`.
    PreDepends,
    /// `Depends`, `Requires`.
    Depends,
    /// `Recommends`.
    Recommends,
    /// `Suggests`.
    Suggests,
    /// `Enhances`.
    Enhances,
    /// RPM's `Supplements`; Debian has none.
    Supplements,
    /// `Conflicts`.
    Conflicts,
    /// `Breaks`; RPM's `Conflicts` with a version.
    Breaks,
    /// `Replaces`, `Obsoletes`.
    Replaces,
    /// `Provides`.
    Provides,
    /// `Built-Using`; RPM has none.
    BuiltUsing,
    /// `Static-Built-Using`; RPM has none.
    StaticBuiltUsing,
}

/// All relations of a service's table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RelationSettings {
    /// In the order of the file.
    pub all: Vec<(RelationKind, Selector, Vec<String>)>,
}

impl RelationSettings {
    /// The expressions of one kind for `target`, in the order of the file.
    pub fn get(&self, kind: RelationKind, target: &Target) -> Vec<String> {
        let chosen = self.all.iter().filter(|(one, selector, _)| *one == kind && selector.matches(target));
        chosen.flat_map(|(_, _, expressions)| expressions.iter().cloned()).collect()
    }
}

/// The relations of `[services.NAME]`.
pub(super) fn relations(table: &Reader<'_>, known: &[Distribution]) -> Result<RelationSettings, Error> {
    let mut all = Vec::new();
    for (name, texts) in table.lists("depends")? {
        let selector = name.parse(|text| Selector::parse(text, known), "")?;
        let expressions = texts.into_iter().map(|text| text.checked(value::dependency, ""));
        all.push((RelationKind::Depends, selector, expressions.collect::<Result<_, _>>()?));
    }
    Ok(RelationSettings { all })
}
