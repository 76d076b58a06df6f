//! What packages of a suite need of each other.
//!
//! A suite has some of what its packages need; the distribution has the rest, and only its machines know that. So nothing
//! is asked of a suite alone: what one state of it (or another suite) has for a relation, the next must have too. That is
//! what keeps a promotion or a removal from making a package uninstallable.

mod debian;
mod relation;
mod rpm;
mod scan;
mod world;

use std::collections::{BTreeSet, HashSet};

use relation::{Atom, Expression};
pub(super) use scan::{in_change, in_root};
pub(super) use world::World;

use super::super::error::RepoError;
use super::super::record::Identity;
use super::super::suite::Kind;

/// What a package offers, needs and does not bear.
#[derive(Debug, Clone)]
pub(super) struct Package {
    pub(super) identity: Identity,
    /// apt's `Multi-Arch`.
    multi_arch: MultiArch,
    /// Names that others may need, with their versions; a package's own name is among them.
    offers: Vec<Atom>,
    /// Paths that others may need.
    files: Vec<String>,
    needs: Vec<Need>,
    /// Conflicts and Breaks.
    against: Vec<Atom>,
}

/// One thing that must be there.
#[derive(Debug, Clone)]
struct Need {
    /// As its package spells it.
    text: String,
    expression: Expression,
}

/// Whether a package serves others of another architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MultiArch {
    No,
    Foreign,
    Allowed,
}

/// A relation that nothing would satisfy any more.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Lack {
    /// Whose.
    pub(super) package: Identity,
    /// `acme-common (>= 2)`.
    pub(super) need: String,
    /// What satisfied it.
    pub(super) by: BTreeSet<Identity>,
}

impl std::fmt::Display for Lack {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} needs {}", self.package, self.need)
    }
}

impl Package {
    /// Reads a stanza of `Packages` or an element of `primary.xml`.
    fn read(kind: Kind, text: &str) -> Option<Self> {
        match kind {
            Kind::Apt => debian::read(text),
            Kind::Yum => rpm::read(text),
        }
    }

    /// All names that it may be needed by.
    pub(super) fn offered(&self) -> impl Iterator<Item = &str> {
        self.offers.iter().map(|offer| offer.name.as_str()).chain(self.files.iter().map(String::as_str))
    }

    /// All names that its needs have, and those that it does not bear.
    pub(super) fn needed(&self) -> impl Iterator<Item = &str> {
        self.needs.iter().flat_map(|need| need.expression.names())
    }

    /// Whether one of its needs names one of these.
    fn needs_any(&self, names: &HashSet<String>) -> bool {
        self.needed().any(|name| names.contains(name))
    }

    /// What of its needs `before` satisfies and `after` does not, on a machine of any of these architectures.
    pub(super) fn lacks(&self, before: &World, after: &World, machines: &BTreeSet<String>) -> Vec<Lack> {
        let own = &self.identity.architecture;
        let everywhere = ["all", "noarch"].contains(&own.as_str());
        let machines: Vec<&str> =
            if everywhere { machines.iter().map(String::as_str).collect() } else { vec![own.as_str()] };
        let lacking = self.needs.iter().filter(|need| {
            machines.iter().any(|machine| {
                before.satisfies(self, &need.expression, machine) && !after.satisfies(self, &need.expression, machine)
            })
        });
        lacking
            .map(|need| Lack {
                package: self.identity.clone(),
                need: need.text.clone(),
                by: before.candidates(&need.expression).map(|package| package.identity.clone()).collect(),
            })
            .collect()
    }
}

/// What packages of a suite would lack if `removed` were gone from what `change` makes of it.
pub(super) fn missed(
    store: &super::super::store::Store,
    change: &super::super::change::Change,
    removed: &BTreeSet<Identity>,
) -> Result<Vec<Lack>, RepoError> {
    let kind = change.suite().kind;
    let gone = in_change(store, change, &|package| removed.contains(&package.identity), &Names::of(removed))?;
    let offered: HashSet<String> = gone.iter().flat_map(|package| package.offered()).map(str::to_owned).collect();
    let stays = |package: &Package| !removed.contains(&package.identity);
    let dependents =
        in_change(store, change, &|package| stays(package) && package.needs_any(&offered), &Names::These(&offered))?;
    if dependents.is_empty() {
        return Ok(Vec::new());
    }
    let wanted: HashSet<String> = dependents.iter().flat_map(|package| package.needed()).map(str::to_owned).collect();
    let there = in_change(
        store,
        change,
        &|package| package.offered().any(|name| wanted.contains(name)),
        &Names::These(&wanted),
    )?;
    let machines = machines(there.iter().chain(&dependents));
    let after = World::of(kind, there.iter().filter(|package| stays(package)).cloned());
    let before = World::of(kind, there);
    Ok(dependents.iter().flat_map(|package| package.lacks(&before, &after, &machines)).collect())
}

/// The architectures of machines that packages are for.
pub(super) fn machines<'a>(packages: impl Iterator<Item = &'a Package>) -> BTreeSet<String> {
    let mut machines: BTreeSet<String> = packages
        .map(|package| package.identity.architecture.clone())
        .filter(|architecture| !["all", "noarch", "src", "source"].contains(&architecture.as_str()))
        .collect();
    if machines.is_empty() {
        machines.insert("any".to_owned());
    }
    machines
}

/// Which texts are worth reading closely.
pub(super) enum Names<'a> {
    /// Those that mention one of these.
    These(&'a HashSet<String>),
    /// Those of packages with one of these names.
    Own(HashSet<String>),
}

impl Names<'static> {
    /// The texts of these packages.
    pub(super) fn of(packages: &BTreeSet<Identity>) -> Self {
        Self::Own(packages.iter().map(|identity| identity.name.clone()).collect())
    }
}

impl Names<'_> {
    /// Whether a text may be one of those that are looked for. Cheap: most are not.
    fn may_be(&self, kind: Kind, text: &str) -> bool {
        match (self, kind) {
            (Self::These(names), Kind::Apt) => debian::mentions(text, &|name| names.contains(name)),
            (Self::These(names), Kind::Yum) => rpm::mentions(text, &|name| names.contains(name)),
            (Self::Own(names), Kind::Apt) => debian::name(text).is_some_and(|name| names.contains(name)),
            (Self::Own(names), Kind::Yum) => rpm::name(text).is_some_and(|name| names.contains(name)),
        }
    }
}
