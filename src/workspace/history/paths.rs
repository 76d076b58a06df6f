//! Which commits touch which paths, found without diffs.
//!
//! A path is touched by a commit when what stands there differs from what stands there in every parent. Instead of a
//! diff per commit, the names of the objects along the watched paths are compared; subtrees that have been seen are
//! not read again, so that a commit costs about as many tree reads as directories changed in it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::rc::Rc;

use git2::{ObjectType, Odb, Oid, Repository};

use super::HistoryError;
use super::graph::Graph;
use crate::digest::Sha256;

/// What is watched at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Watched {
    /// All below it but for what is watched on its own further down.
    Own,
    /// A file, as a part of the directories above it.
    Shared,
}

/// The watched paths as a tree of names.
#[derive(Debug)]
pub(super) struct Watch {
    nodes: Vec<Node>,
    count: usize,
}

#[derive(Debug, Default)]
struct Node {
    children: BTreeMap<Vec<u8>, usize>,
    /// The number of the watch right here.
    watched: Option<usize>,
    /// Whether the directories above leave this one out.
    own: bool,
}

/// For each watched path the commits that touch it, as positions in the graph, newest first.
#[derive(Debug, Default)]
pub(super) struct Touched {
    pub(super) commits: Vec<Vec<usize>>,
    /// For watched submodules: the commit that each touching commit names.
    pub(super) links: HashMap<(usize, usize), Oid>,
    /// For each commit what stands at each watched path: equal numbers stand for equal content, 0 for none.
    states: Vec<Vec<u32>>,
}

impl Touched {
    /// What stands at the `watches` in the commit at `position`: equal for equal content.
    pub(super) fn state(&self, position: usize, watches: impl Iterator<Item = usize>) -> Vec<u32> {
        let state = self.states.get(position);
        watches.map(|watch| state.and_then(|state| state.get(watch)).copied().unwrap_or(0)).collect()
    }
}

impl Watch {
    pub(super) fn new() -> Self {
        Self { nodes: vec![Node::default()], count: 0 }
    }

    /// Watches `path` (relative, `/`-separated; empty for the root) and gives its number.
    pub(super) fn add(&mut self, path: &Path, watched: Watched) -> usize {
        let mut at = 0;
        for component in path.components() {
            let name = component.as_os_str().as_encoded_bytes().to_vec();
            let fresh = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else { break };
            at = *node.children.entry(name).or_insert(fresh);
            if at == fresh {
                self.nodes.push(Node::default());
            }
        }
        let next = self.count;
        let Some(node) = self.nodes.get_mut(at) else { return next };
        node.own |= watched == Watched::Own;
        let number = *node.watched.get_or_insert(next);
        self.count = self.count.max(number + 1);
        number
    }

    /// Compares all commits of `graph` with their parents.
    pub(super) fn touched(&self, repository: &Repository, graph: &Graph) -> Result<Touched, HistoryError> {
        let odb = repository.odb().map_err(|source| HistoryError::git(repository, source))?;
        let mut reader = Reader { watch: self, odb, seen: HashMap::new(), ids: HashMap::new(), links: HashMap::new() };
        let missing =
            |object: Oid| HistoryError::Missing { path: repository.path().to_path_buf(), object: object.to_string() };
        let mut states: Vec<Vec<u32>> = Vec::with_capacity(graph.commits.len());
        for commit in &graph.commits {
            let mut state = vec![0; self.count];
            for &(number, id) in &reader.below(commit.tree, 0, &mut HashSet::new()).map_err(missing)?.watched {
                if let Some(slot) = state.get_mut(number) {
                    *slot = id;
                }
            }
            states.push(state);
        }
        let places = self.places();
        let (mut commits_of, mut links) = (vec![Vec::new(); self.count], HashMap::new());
        for (position, commit) in graph.commits.iter().enumerate() {
            for (number, commits) in commits_of.iter_mut().enumerate() {
                let of =
                    |position: usize| states.get(position).and_then(|state| state.get(number)).copied().unwrap_or(0);
                let now = of(position);
                let changed = match commit.parents.as_slice() {
                    [] => now != 0,
                    [parent] => of(*parent) != now,
                    parents => {
                        parents.iter().all(|&parent| of(parent) != now) && {
                            let trees: Vec<_> =
                                parents.iter().filter_map(|&parent| graph.commits.get(parent)).collect();
                            let trees: Vec<Oid> = trees.iter().map(|parent| parent.tree).collect();
                            let place = places.get(number);
                            place.is_some_and(|place| self.merge_brings_own(&reader.odb, commit.tree, &trees, place))
                        }
                    }
                };
                if changed {
                    commits.push(position);
                    if let Some(link) = reader.links.get(&now) {
                        links.insert((number, position), *link);
                    }
                }
            }
        }
        Ok(Touched { commits: commits_of, links, states })
    }
}

impl Watch {
    /// For each number its node and the names that lead there from the root.
    fn places(&self) -> Vec<(usize, Vec<&[u8]>)> {
        let mut places = vec![(0, Vec::new()); self.count];
        let mut pending = vec![(0, Vec::new())];
        while let Some((number, names)) = pending.pop() {
            let Some(node) = self.nodes.get(number) else { continue };
            for (name, child) in &node.children {
                let mut below = names.clone();
                below.push(name.as_slice());
                pending.push((*child, below));
            }
            if let Some(place) = node.watched.and_then(|watched| places.get_mut(watched)) {
                *place = (number, names);
            }
        }
        places
    }

    /// Whether `merge` has something at a place that no parent has, not only a new mixture of what they have. A file
    /// that was changed on both sides counts.
    fn merge_brings_own(
        &self,
        odb: &Odb<'_>,
        merge: Oid,
        parents: &[Oid],
        (node, names): &(usize, Vec<&[u8]>),
    ) -> bool {
        let find = |tree: Oid| {
            names.iter().try_fold((DIRECTORY, tree), |(_, at), name| {
                let entries = read_tree(odb, at)?;
                entries.into_iter().find(|(_, entry, _)| entry == name).map(|(mode, _, id)| (mode, id))
            })
        };
        let parents: Vec<Option<Object>> = parents.iter().map(|&parent| find(parent)).collect();
        self.is_new(odb, find(merge), &parents, Some(*node))
    }

    fn is_new(&self, odb: &Odb<'_>, merge: Option<Object>, parents: &[Option<Object>], node: Option<usize>) -> bool {
        if parents.contains(&merge) {
            return false;
        }
        let directory = |object: &Option<Object>| match object {
            Some((DIRECTORY, tree)) => read_tree(odb, *tree),
            _ => None,
        };
        let Some(entries) = directory(&merge) else { return true };
        let parents: Vec<HashMap<Vec<u8>, Object>> = parents
            .iter()
            .map(|parent| {
                let entries = directory(parent).unwrap_or_default();
                entries.into_iter().map(|(mode, name, id)| (name, (mode, id))).collect()
            })
            .collect();
        let mut names: BTreeMap<&[u8], Option<Object>> =
            parents.iter().flat_map(|parent| parent.keys()).map(|name| (name.as_slice(), None)).collect();
        names.extend(entries.iter().map(|(mode, name, id)| (name.as_slice(), Some((*mode, *id)))));
        names.into_iter().any(|(name, object)| {
            let child = node.and_then(|node| self.nodes.get(node)).and_then(|node| node.children.get(name)).copied();
            if child.and_then(|child| self.nodes.get(child)).is_some_and(|child| child.own) {
                return false;
            }
            let there: Vec<Option<Object>> = parents.iter().map(|parent| parent.get(name).copied()).collect();
            self.is_new(odb, object, &there, child)
        })
    }
}

/// Mode and name of what stands at a path.
type Object = (u32, Oid);

const DIRECTORY: u32 = 0o040_000;

/// What stands in a directory: a digest of what is not watched on its own, and the numbers of what is.
#[derive(Debug)]
struct State {
    rest: Sha256,
    watched: Vec<(usize, u32)>,
}

struct Reader<'a> {
    watch: &'a Watch,
    odb: Odb<'a>,
    seen: HashMap<(Oid, usize), Rc<State>>,
    /// States by their digest; 0 is "nothing there".
    ids: HashMap<Sha256, u32>,
    links: HashMap<u32, Oid>,
}

impl Reader<'_> {
    fn id(&mut self, digest: Sha256) -> u32 {
        let next = u32::try_from(self.ids.len()).unwrap_or(u32::MAX).saturating_add(1);
        *self.ids.entry(digest).or_insert(next)
    }

    /// The state of `tree` at `node`; `Err` names an object that is missing or damaged. `above` are the trees on the way,
    /// so that a forged repository cannot send the reader round in circles.
    fn below(&mut self, tree: Oid, node: usize, above: &mut HashSet<(Oid, usize)>) -> Result<Rc<State>, Oid> {
        if let Some(state) = self.seen.get(&(tree, node)) {
            return Ok(Rc::clone(state));
        }
        if !above.insert((tree, node)) {
            return Err(tree);
        }
        let watch = self.watch;
        let Some(place) = watch.nodes.get(node) else { return Err(tree) };
        let mut state = State { rest: Sha256::of(tree.as_bytes()), watched: Vec::new() };
        if !place.children.is_empty() {
            let mut rest = Vec::new();
            for (mode, name, id) in read_tree(&self.odb, tree).ok_or(tree)? {
                let Some(&child) = place.children.get(&name) else {
                    rest.extend_from_slice(&mode.to_be_bytes());
                    rest.extend_from_slice(&name);
                    rest.push(0);
                    rest.extend_from_slice(id.as_bytes());
                    continue;
                };
                let inner = self.entry(mode, id, child, above)?;
                if !watch.nodes.get(child).is_some_and(|child| child.own) {
                    rest.extend_from_slice(&name);
                    rest.push(0);
                    rest.extend_from_slice(&inner.rest.0);
                }
                state.watched.extend_from_slice(&inner.watched);
            }
            state.rest = Sha256::of(&rest);
        }
        if let Some(number) = place.watched {
            let id = self.id(state.rest);
            state.watched.push((number, id));
        }
        above.remove(&(tree, node));
        let state = Rc::new(state);
        self.seen.insert((tree, node), Rc::clone(&state));
        Ok(state)
    }

    fn entry(&mut self, mode: u32, id: Oid, node: usize, above: &mut HashSet<(Oid, usize)>) -> Result<Rc<State>, Oid> {
        const SUBMODULE: u32 = 0o160_000;
        if mode == DIRECTORY {
            return self.below(id, node, above);
        }
        let mut bytes = mode.to_be_bytes().to_vec();
        bytes.extend_from_slice(id.as_bytes());
        let rest = Sha256::of(&bytes);
        let number = self.id(rest);
        if mode == SUBMODULE {
            self.links.insert(number, id);
        }
        let watch = self.watch;
        let watched = watch.nodes.get(node).and_then(|node| node.watched);
        Ok(Rc::new(State { rest, watched: watched.map(|watched| (watched, number)).into_iter().collect() }))
    }
}

/// The entries of a tree object: octal mode, space, name, NUL, 20 bytes of the object's name.
fn read_tree(odb: &Odb<'_>, id: Oid) -> Option<Vec<(u32, Vec<u8>, Oid)>> {
    let object = odb.read(id).ok()?;
    if object.kind() != ObjectType::Tree {
        return None;
    }
    let mut rest = object.data();
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let space = rest.iter().position(|&byte| byte == b' ')?;
        let mode = u32::from_str_radix(std::str::from_utf8(rest.get(..space)?).ok()?, 8).ok()?;
        rest = rest.get(space + 1..)?;
        let end = rest.iter().position(|&byte| byte == 0)?;
        let name = rest.get(..end)?.to_vec();
        let id = Oid::from_bytes(rest.get(end + 1..end + 21)?).ok()?;
        rest = rest.get(end + 21..)?;
        entries.push((mode, name, id));
    }
    Some(entries)
}

/// The content of the file at `path` in `tree`, at most a mebibyte.
pub(super) fn read_file(odb: &Odb<'_>, tree: Oid, path: &Path) -> Option<Vec<u8>> {
    let mut at = tree;
    for component in path.components() {
        let name = component.as_os_str().as_encoded_bytes();
        at = read_tree(odb, at)?.into_iter().find(|(_, entry, _)| entry == name)?.2;
    }
    let (size, kind) = odb.read_header(at).ok()?;
    if kind != ObjectType::Blob || size > 1024 * 1024 {
        return None;
    }
    Some(odb.read(at).ok()?.data().to_vec())
}
