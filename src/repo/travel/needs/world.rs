//! Packages that are there together, by what they offer.

use std::collections::HashMap;

use super::relation::{Atom, Expression};
use super::{MultiArch, Package};
use crate::repo::suite::Kind;

/// Some packages of a suite.
#[derive(Debug)]
pub(in crate::repo::travel) struct World {
    kind: Kind,
    packages: Vec<Package>,
    /// Numbers of packages, by the names that they offer.
    offering: HashMap<String, Vec<usize>>,
}

impl World {
    /// These packages.
    pub(in crate::repo::travel) fn of(kind: Kind, packages: impl IntoIterator<Item = Package>) -> Self {
        let packages: Vec<Package> = packages.into_iter().collect();
        let mut offering: HashMap<String, Vec<usize>> = HashMap::new();
        for (number, package) in packages.iter().enumerate() {
            for name in package.offered() {
                let numbers = offering.entry(name.to_owned()).or_default();
                if numbers.last() != Some(&number) {
                    numbers.push(number);
                }
            }
        }
        Self { kind, packages, offering }
    }

    /// Whether there is what `package` asks for with `expression`, on a machine of this architecture.
    pub(super) fn satisfies(&self, package: &Package, expression: &Expression, machine: &str) -> bool {
        match expression {
            Expression::And(parts) => parts.iter().all(|part| self.satisfies(package, part, machine)),
            Expression::Or(parts) => parts.iter().any(|part| self.satisfies(package, part, machine)),
            Expression::If(then, condition, otherwise) => {
                match (self.satisfies(package, condition, machine), otherwise) {
                    (true, _) => self.satisfies(package, then, machine),
                    (false, Some(otherwise)) => self.satisfies(package, otherwise, machine),
                    (false, None) => true,
                }
            }
            Expression::Atom(_) | Expression::With(..) | Expression::Without(..) => self
                .candidates(expression)
                .any(|candidate| self.fits(candidate, expression, machine) && !self.conflict(package, candidate)),
            Expression::Unknown => false,
        }
    }

    /// Packages that offer a name which the expression has.
    pub(super) fn candidates<'a>(&'a self, expression: &'a Expression) -> impl Iterator<Item = &'a Package> {
        let numbers = expression.names().filter_map(|name| self.offering.get(name)).flatten();
        numbers.filter_map(|number| self.packages.get(*number))
    }

    /// Whether one package is what the expression asks for.
    fn fits(&self, candidate: &Package, expression: &Expression, machine: &str) -> bool {
        match expression {
            Expression::Atom(atom) => self.serves(candidate, atom, machine) && self.offers(candidate, atom),
            Expression::And(parts) => parts.iter().all(|part| self.fits(candidate, part, machine)),
            Expression::Or(parts) => parts.iter().any(|part| self.fits(candidate, part, machine)),
            Expression::With(one, other) => self.fits(candidate, one, machine) && self.fits(candidate, other, machine),
            Expression::Without(one, other) => {
                self.fits(candidate, one, machine) && !self.fits(candidate, other, machine)
            }
            Expression::If(..) | Expression::Unknown => false,
        }
    }

    fn offers(&self, candidate: &Package, atom: &Atom) -> bool {
        candidate.offers.iter().any(|offer| offer.name == atom.name && atom.admits(self.kind, offer))
            || (atom.version.is_none() && candidate.files.contains(&atom.name))
    }

    /// Whether a package is there for a machine of this architecture.
    fn serves(&self, candidate: &Package, atom: &Atom, machine: &str) -> bool {
        let own = candidate.identity.architecture.as_str();
        match (self.kind, atom.qualifier.as_deref()) {
            (Kind::Apt, None) => own == machine || own == "all" || candidate.multi_arch == MultiArch::Foreign,
            (Kind::Apt, Some("any")) => candidate.multi_arch == MultiArch::Allowed,
            (Kind::Apt, Some(architecture)) => own == architecture,
            (Kind::Yum, _) => {
                let is_32_bit = own.len() == 4 && own.starts_with('i') && own.ends_with("86");
                own == machine || own == "noarch" || (machine == "x86_64" && is_32_bit)
            }
        }
    }

    /// Whether two packages cannot be installed together.
    fn conflict(&self, one: &Package, other: &Package) -> bool {
        if one.identity.name == other.identity.name {
            // A package is not in conflict with itself, and other versions of it are replaced.
            return one.identity != other.identity;
        }
        let against = |one: &Package, other: &Package| one.against.iter().any(|atom| self.offers(other, atom));
        against(one, other) || against(other, one)
    }
}
