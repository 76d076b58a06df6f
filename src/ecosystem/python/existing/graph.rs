//! The graph that the locks of Poetry and PDM hold, walked once for each environment from what the manifests require.
//!
//! Both locks have every group of the project and every platform; what a service needs is what can be reached from its own
//! requirements, by requirements whose markers hold. So neither the groups of developers nor another platform's packages
//! come in, whatever version of the format says so in whichever way.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, MarkerTree, VerbatimUrl, VersionOrUrl};

use crate::digest::Sha256;
use crate::ecosystem::python::pyproject::requirement_name;
use crate::ecosystem::python::requirements::requirement::parse_plain;
use crate::ecosystem::python::tags::PythonEnvironment;
use crate::name::normalize;

/// Where a lock says that a package comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// An index, by its URL where it is not the default one.
    Index(Option<String>),
    /// An archive at a URL.
    Url(String),
    /// An archive of the repository, absolute.
    File(PathBuf),
    /// A directory, absolute.
    Directory(PathBuf),
    /// What packhouse takes nothing from, in words.
    Other(String),
}

/// A file that a lock names, by its name, its URL, or its digest alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PinnedFile {
    pub(super) name: Option<String>,
    pub(super) url: Option<String>,
    pub(super) sha256: Sha256,
}

/// A package of a lock that some environment needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pin {
    /// Normalised.
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) origin: Origin,
    pub(super) files: Vec<PinnedFile>,
    /// Positions of the environments.
    pub(super) environments: BTreeSet<usize>,
    pub(super) required_by: BTreeSet<String>,
}

/// A package of a lock.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Normalised.
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) origin: Origin,
    pub(super) files: Vec<PinnedFile>,
    pub(super) requires: Vec<Edge>,
    /// By normalised name.
    pub(super) extras: BTreeMap<String, Vec<Edge>>,
    /// Where it is wanted at all.
    pub(super) marker: Option<MarkerTree>,
    /// Alternatives of the interpreters that it is for; none: any.
    pub(super) pythons: Vec<VersionSpecifiers>,
}

/// A requirement.
#[derive(Debug, Clone)]
pub(super) struct Edge {
    /// Normalised.
    pub(super) name: String,
    pub(super) extras: Vec<String>,
    /// Alternatives; none: any.
    pub(super) versions: Vec<VersionSpecifiers>,
    pub(super) marker: Option<MarkerTree>,
}

impl Edge {
    /// A requirement of PEP 508; one that cannot be parsed (PDM writes `${PROJECT_ROOT}` into URLs) is its name.
    pub(super) fn of(text: &str) -> Self {
        match parse_plain(text) {
            Some(requirement) => Self {
                name: normalize(requirement.name.as_ref()),
                extras: requirement.extras.iter().map(|extra| normalize(extra.as_ref())).collect(),
                versions: match requirement.version_or_url {
                    Some(VersionOrUrl::VersionSpecifier(specifiers)) => vec![specifiers],
                    _ => Vec::new(),
                },
                marker: Some(requirement.marker),
            },
            None => Self { name: requirement_name(text), extras: Vec::new(), versions: Vec::new(), marker: None },
        }
    }

    fn admits(&self, node: &Node) -> bool {
        let version = node.version.as_deref().and_then(|version| version.parse::<Version>().ok());
        let admits = |version: &Version| self.versions.iter().any(|specifiers| specifiers.contains(version));
        node.name == self.name && (self.versions.is_empty() || version.as_ref().is_none_or(admits))
    }
}

/// A lock's packages.
#[derive(Debug, Clone, Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
}

impl Graph {
    /// What `roots` need in each of `environments`; `extras` are those of the project that are wanted. Roots that the lock
    /// does not have are passed over: whoever asks compares what came out with what is required. An error is the sentence
    /// that goes on with the lock's path.
    pub(super) fn reach(
        &self,
        roots: &[Edge],
        extras: &[String],
        environments: &[PythonEnvironment],
    ) -> Result<Vec<Pin>, String> {
        let project = extra_names(extras);
        let mut reached: BTreeMap<usize, (BTreeSet<usize>, BTreeSet<String>)> = BTreeMap::new();
        for (position, environment) in environments.iter().enumerate() {
            let markers = environment.markers();
            let holds = |marker: &Option<MarkerTree>, extras: &[ExtraName]| {
                marker.as_ref().is_none_or(|marker| marker.evaluate(&markers, extras))
            };
            let here = |node: &Node| {
                let python = node.pythons.is_empty() || node.pythons.iter().any(|python| environment.meets(python));
                python && holds(&node.marker, &project)
            };
            let target = |edge: &Edge| -> Result<Option<usize>, ()> {
                let named = || self.nodes.iter().enumerate().filter(|(_, node)| edge.admits(node));
                let fitting: Vec<usize> = named().filter(|(_, node)| here(node)).map(|(index, _)| index).collect();
                match fitting.as_slice() {
                    [only] => Ok(Some(*only)),
                    [] => Ok(None),
                    _ => Err(()),
                }
            };
            let mut seen: BTreeSet<(usize, Option<String>)> = BTreeSet::new();
            let mut open: Vec<(usize, Option<String>)> = Vec::new();
            let mut follow = |edge: &Edge, by: Option<&Node>, open: &mut Vec<(usize, Option<String>)>| {
                let unclear = |by: &str| format!("does not say which `{}` {by} needs on {environment}", edge.name);
                let to = match (target(edge), by) {
                    (Ok(Some(to)), _) => to,
                    (Ok(None), None) => return Ok(()),
                    (_, by) => return Err(unclear(by.map_or("the project", |node| node.name.as_str()))),
                };
                let (environments, required_by) = reached.entry(to).or_default();
                environments.insert(position);
                required_by.insert(by.map_or_else(|| "the project".to_owned(), |node| node.name.clone()));
                open.push((to, None));
                open.extend(edge.extras.iter().map(|extra| (to, Some(extra.clone()))));
                Ok(())
            };
            for root in roots.iter().filter(|root| holds(&root.marker, &project)) {
                follow(root, None, &mut open)?;
            }
            while let Some((index, extra)) = open.pop() {
                let Some(node) = self.nodes.get(index).filter(|_| seen.insert((index, extra.clone()))) else {
                    continue;
                };
                let edges = match &extra {
                    None => node.requires.as_slice(),
                    Some(extra) => node.extras.get(extra).map(Vec::as_slice).unwrap_or_default(),
                };
                let asked = extra_names(extra.as_slice());
                for edge in edges.iter().filter(|edge| holds(&edge.marker, &asked)) {
                    follow(edge, Some(node), &mut open)?;
                }
            }
        }
        let pins = reached.into_iter().filter_map(|(index, (environments, required_by))| {
            let Node { name, version, origin, files, .. } = self.nodes.get(index)?.clone();
            Some(Pin { name, version, origin, files, environments, required_by })
        });
        Ok(pins.collect())
    }
}

fn extra_names(extras: &[String]) -> Vec<ExtraName> {
    extras.iter().filter_map(|extra| extra.parse().ok()).collect()
}

/// `sha256:…` of a lock. An error is the sentence that goes on with the lock's path.
pub(super) fn digest(hash: &str, of: &str) -> Result<Sha256, String> {
    match hash.split_once(':') {
        Some(("sha256", digits)) => {
            digits.parse().map_err(|_| format!("has the digest `{hash}` for {of}, which is none"))
        }
        Some((algorithm, _)) => {
            Err(format!("has a digest of {algorithm} for {of}, and packhouse trusts SHA-256 alone"))
        }
        None => Err(format!("has the digest `{hash}` for {of}, which is none")),
    }
}

/// A marker of a lock. An error is the sentence that goes on with the lock's path.
pub(super) fn marker(text: &str) -> Result<MarkerTree, String> {
    let bad = || format!("has a marker that cannot be read: `{}`", text.chars().take(200).collect::<String>());
    // The parser goes down a level for each bracket.
    if text.matches('(').count() > 256 {
        return Err(bad());
    }
    MarkerTree::parse_str::<VerbatimUrl>(text).map_err(|_| bad())
}
