//! Relations of both formats as expressions.

use std::cmp::Ordering;

use super::super::super::suite::Kind;
use crate::package::version::{compare_debian, compare_rpm};
use crate::relation::rpm::Comparison;

/// A name, perhaps qualified, perhaps with versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Atom {
    pub(super) name: String,
    /// `any` or an architecture.
    pub(super) qualifier: Option<String>,
    pub(super) version: Option<(Comparison, String)>,
}

/// What a relation asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expression {
    Atom(Atom),
    /// All of them.
    And(Vec<Expression>),
    /// One of them.
    Or(Vec<Expression>),
    /// One package that satisfies both.
    With(Box<Expression>, Box<Expression>),
    /// One package that satisfies the first and not the second.
    Without(Box<Expression>, Box<Expression>),
    /// The first where the second is satisfied; the third where it is not.
    If(Box<Expression>, Box<Expression>, Option<Box<Expression>>),
    /// What cannot be read: nothing satisfies it.
    Unknown,
}

impl Expression {
    /// All names in it.
    pub(super) fn names(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match self {
            Self::Atom(atom) => Box::new(std::iter::once(atom.name.as_str())),
            Self::And(parts) | Self::Or(parts) => Box::new(parts.iter().flat_map(|part| part.names())),
            Self::With(one, other) | Self::Without(one, other) => Box::new(one.names().chain(other.names())),
            Self::If(then, condition, other) => {
                Box::new(then.names().chain(condition.names()).chain(other.iter().flat_map(|part| part.names())))
            }
            Self::Unknown => Box::new(std::iter::empty()),
        }
    }
}

impl Atom {
    /// Whether something offered under this name has a version that is asked for.
    pub(super) fn admits(&self, kind: Kind, offered: &Self) -> bool {
        let Some((asked, version)) = &self.version else { return true };
        let Some((held, held_version)) = &offered.version else {
            // Debian's unversioned Provides satisfies no versioned relation, rpm's does.
            return kind == Kind::Yum;
        };
        let order = match kind {
            Kind::Apt => compare_debian(held_version, version),
            Kind::Yum => compare_releases(held_version, version),
        };
        // Two ranges overlap where their ends differ in the right direction, or are the same point of both.
        match order {
            Ordering::Less => goes_up(*held) || goes_down(*asked),
            Ordering::Greater => goes_down(*held) || goes_up(*asked),
            Ordering::Equal => {
                (has_point(*held) && has_point(*asked))
                    || (goes_up(*held) && goes_up(*asked))
                    || (goes_down(*held) && goes_down(*asked))
            }
        }
    }
}

fn goes_up(comparison: Comparison) -> bool {
    matches!(comparison, Comparison::Greater | Comparison::GreaterOrEqual)
}

fn goes_down(comparison: Comparison) -> bool {
    matches!(comparison, Comparison::Less | Comparison::LessOrEqual)
}

fn has_point(comparison: Comparison) -> bool {
    matches!(comparison, Comparison::Equal | Comparison::LessOrEqual | Comparison::GreaterOrEqual)
}

/// rpm compares releases only where both versions have one.
fn compare_releases(left: &str, right: &str) -> Ordering {
    let bare = |version: &str| version.rsplit_once('-').map(|(bare, _)| bare.to_owned());
    match (bare(left), bare(right)) {
        (Some(left), None) => compare_rpm(&left, right),
        (None, Some(right)) => compare_rpm(left, &right),
        _ => compare_rpm(left, right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn atom(kind: Kind, text: &str) -> Atom {
        let expression = match kind {
            Kind::Apt => super::super::debian::alternatives(text),
            Kind::Yum => super::super::rpm::expression(text),
        };
        let Expression::Atom(atom) = expression else { panic!("{text} is no simple relation") };
        atom
    }

    #[test]
    fn versions_are_compared_as_dpkg_and_rpm_do() {
        let admits = |kind, asked: &str, held: &str| atom(kind, asked).admits(kind, &atom(kind, held));
        for (asked, held, expected) in [
            ("a", "a (= 1)", true),
            ("a (>= 1)", "a (= 1~rc1)", false),
            ("a (>= 1)", "a (= 1)", true),
            ("a (<< 1)", "a (= 1~rc1)", true),
            ("a (>> 1)", "a (= 1)", false),
            ("a (= 1)", "a (= 1-1)", false),
            ("a (>= 1)", "a", false),
        ] {
            assert_eq!(admits(Kind::Apt, asked, held), expected, "{asked} of {held}");
        }
        for (asked, held, expected) in [
            ("a", "a = 1", true),
            ("a = 1", "a = 1-3", true),
            ("a = 1-2", "a = 1-3", false),
            ("a >= 2", "a = 1:1", true),
            ("a >= 2", "a", true),
            ("a >= 2", "a < 2", false),
            ("a >= 2", "a <= 2", true),
            ("a > 2", "a > 1", true),
        ] {
            assert_eq!(admits(Kind::Yum, asked, held), expected, "{asked} of {held}");
        }
    }
}
