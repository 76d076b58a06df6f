//! Names filed under what they begin with, so that no list is long and a new name changes few of them.
//!
//! A radix tree: a node of at most [`LIMIT`] entries is a leaf and holds them; a larger one has a child for each next
//! character after what all its keys begin with. The shape follows from the entries alone, never from the order in
//! which they came, so that a site written step by step is the site that is written at once. Each node is a file; a
//! change reads and writes those on one way from the root to a leaf.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How many entries a list has at most.
pub(super) const LIMIT: usize = 500;

/// A package in a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Entry {
    /// What it is filed under.
    #[serde(rename = "k")]
    pub(super) key: String,
    /// The package's name.
    #[serde(rename = "n")]
    pub(super) name: String,
    /// One line.
    #[serde(rename = "s")]
    pub(super) summary: String,
}

/// A node below another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Child {
    /// What all keys in it begin with; its address.
    #[serde(rename = "p")]
    pub(super) prefix: String,
    /// How many entries it has, with those further below.
    #[serde(rename = "c")]
    pub(super) count: usize,
}

/// A node: a leaf when it has no children.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Node {
    /// Its entries in order; of an inner node those whose key ends here.
    #[serde(rename = "e", default)]
    pub(super) entries: Vec<Entry>,
    /// In order of their prefixes.
    #[serde(rename = "d", default)]
    pub(super) children: Vec<Child>,
}

impl Node {
    /// How many entries it has, with those further below.
    pub(super) fn count(&self) -> usize {
        self.entries.len() + self.children.iter().map(|child| child.count).sum::<usize>()
    }
}

/// What happens to one entry.
pub(super) enum Change {
    Put(Entry),
    /// Key and name.
    Remove(String, String),
}

impl Change {
    fn key(&self) -> &str {
        match self {
            Self::Put(entry) => &entry.key,
            Self::Remove(key, _) => key,
        }
    }

    fn apply(&self, entries: &mut Vec<Entry>) {
        match self {
            Self::Put(entry) => match search(entries, &entry.key, &entry.name) {
                Ok(position) => {
                    if let Some(held) = entries.get_mut(position) {
                        held.clone_from(entry);
                    }
                }
                Err(position) => entries.insert(position, entry.clone()),
            },
            Self::Remove(key, name) => {
                if let Ok(position) = search(entries, key, name) {
                    entries.remove(position);
                }
            }
        }
    }
}

fn search(entries: &[Entry], key: &str, name: &str) -> Result<usize, usize> {
    entries.binary_search_by(|held| (held.key.as_str(), held.name.as_str()).cmp(&(key, name)))
}

/// Reads a node by its address.
type Load<'a, E> = Box<dyn Fn(&str) -> Result<Node, E> + 'a>;

/// A tree whose nodes are read when they are needed.
pub(super) struct Tree<'a, E> {
    load: Load<'a, E>,
    /// Nodes by address, as they are to be; `None` for those that go.
    changed: BTreeMap<String, Option<Node>>,
}

impl<'a, E> Tree<'a, E> {
    /// The tree whose nodes `load` reads by their addresses. The root's address is empty; it is there always.
    pub(super) fn new(load: impl Fn(&str) -> Result<Node, E> + 'a) -> Self {
        Self { load: Box::new(load), changed: BTreeMap::new() }
    }

    /// Changes one entry.
    pub(super) fn change(&mut self, change: &Change) -> Result<(), E> {
        self.descend("", "", change).map(drop)
    }

    /// The nodes that are to be written, and those that are to be removed (`None`).
    pub(super) fn changed(self) -> BTreeMap<String, Option<Node>> {
        self.changed
    }

    fn node(&self, address: &str) -> Result<Node, E> {
        match self.changed.get(address) {
            Some(node) => Ok(node.clone().unwrap_or_default()),
            None => (self.load)(address),
        }
    }

    fn put(&mut self, address: &str, node: Node) -> Child {
        let count = node.count();
        self.changed.insert(address.to_owned(), Some(node));
        Child { prefix: address.to_owned(), count }
    }

    /// Changes the node at `address`; as a leaf it would be at `edge`. Gives what is there now, wherever that is.
    fn descend(&mut self, address: &str, edge: &str, change: &Change) -> Result<Option<Child>, E> {
        let mut node = self.node(address)?;
        let is_root = edge.is_empty();
        if node.children.is_empty() {
            change.apply(&mut node.entries);
            if node.entries.is_empty() && !is_root {
                self.changed.insert(address.to_owned(), None);
                return Ok(None);
            }
            return Ok(Some(self.settle(address, edge, node.entries)));
        }
        let key = change.key();
        if key == address {
            change.apply(&mut node.entries);
        } else if let Some(next) = key.strip_prefix(address).and_then(|rest| rest.chars().next()) {
            let below = format!("{address}{next}");
            let position = node.children.partition_point(|child| child.prefix.as_str() < below.as_str());
            let held = node.children.get(position).filter(|child| child.prefix.starts_with(&below));
            let child = match (held.map(|child| child.prefix.clone()), change) {
                (Some(prefix), change) => {
                    node.children.remove(position);
                    self.descend(&prefix, &below, change)?
                }
                (None, Change::Put(entry)) => Some(self.settle(&below, &below, vec![entry.clone()])),
                (None, Change::Remove(..)) => None,
            };
            if let Some(child) = child {
                node.children.insert(position, child);
            }
        } else if let Change::Put(entry) = change {
            // It parts from this node's keys before their common beginning ends.
            let common = common_prefix(key, address).to_owned();
            let mut above = Node::default();
            above.children.push(Child { prefix: address.to_owned(), count: node.count() });
            match key.strip_prefix(common.as_str()).and_then(|rest| rest.chars().next()) {
                None => above.entries.push(entry.clone()),
                Some(next) => {
                    let below = format!("{common}{next}");
                    let leaf = self.settle(&below, &below, vec![entry.clone()]);
                    let position = above.children.partition_point(|child| child.prefix < leaf.prefix);
                    above.children.insert(position, leaf);
                }
            }
            return Ok(Some(self.put(&common, above)));
        }
        if node.count() <= LIMIT {
            let mut entries = Vec::new();
            self.gather(address, node, &mut entries)?;
            self.changed.insert(address.to_owned(), None);
            return Ok(Some(self.settle(edge, edge, entries)));
        }
        if let ([only], true, false) = (node.children.as_slice(), node.entries.is_empty(), is_root) {
            self.changed.insert(address.to_owned(), None);
            return Ok(Some(only.clone()));
        }
        Ok(Some(self.put(address, node)))
    }

    /// Takes all entries out of a node and of those below it, which go.
    fn gather(&mut self, address: &str, node: Node, entries: &mut Vec<Entry>) -> Result<(), E> {
        entries.extend(node.entries);
        for child in node.children {
            let below = self.node(&child.prefix)?;
            self.gather(&child.prefix, below, entries)?;
        }
        self.changed.insert(address.to_owned(), None);
        Ok(())
    }

    /// Puts sorted entries at `edge`, as a leaf or as a node with leaves below it. What was at `address` goes.
    fn settle(&mut self, address: &str, edge: &str, entries: Vec<Entry>) -> Child {
        if entries.len() <= LIMIT {
            return self.put(edge, Node { entries, children: Vec::new() });
        }
        if address != edge {
            self.changed.insert(address.to_owned(), None);
        }
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            return self.put(edge, Node::default());
        };
        // In order, the first and the last have in common what all have.
        let common = if edge.is_empty() { String::new() } else { common_prefix(&first.key, &last.key).to_owned() };
        if common != edge {
            self.changed.insert(edge.to_owned(), None);
        }
        let mut node = Node::default();
        let mut groups: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
        for entry in entries {
            match entry.key.strip_prefix(common.as_str()).and_then(|rest| rest.chars().next()) {
                Some(next) => groups.entry(format!("{common}{next}")).or_default().push(entry),
                None => node.entries.push(entry),
            }
        }
        for (below, entries) in groups {
            let child = self.settle(&below, &below, entries);
            node.children.push(child);
        }
        self.put(&common, node)
    }
}

/// All nodes of a tree of these entries, by address.
pub(super) fn build(mut entries: Vec<Entry>) -> BTreeMap<String, Node> {
    entries.sort();
    entries.dedup_by(|left, right| left.key == right.key && left.name == right.name);
    let mut tree: Tree<'_, std::convert::Infallible> = Tree::new(|_| Ok(Node::default()));
    tree.settle("", "", entries);
    tree.changed.into_iter().filter_map(|(address, node)| Some((address, node?))).collect()
}

fn common_prefix<'a>(left: &'a str, right: &str) -> &'a str {
    let end = left.char_indices().zip(right.chars()).find(|((_, one), other)| one != other).map(|((end, _), _)| end);
    let end = end.unwrap_or_else(|| left.len().min(right.len()));
    left.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn entry(key: &str) -> Entry {
        Entry { key: key.to_owned(), name: key.to_owned(), summary: "s".to_owned() }
    }

    fn apply(nodes: &RefCell<BTreeMap<String, Node>>, changes: &[Change]) {
        let changed = {
            let mut tree: Tree<'_, String> =
                Tree::new(|address| Ok(nodes.borrow().get(address).cloned().unwrap_or_default()));
            for change in changes {
                tree.change(change).expect("nodes are read");
            }
            tree.changed()
        };
        for (address, node) in changed {
            match node {
                Some(node) => nodes.borrow_mut().insert(address, node),
                None => nodes.borrow_mut().remove(&address),
            };
        }
    }

    #[test]
    fn no_list_is_longer_than_its_limit_and_every_name_is_found() {
        let names: BTreeSet<String> = (0..20_000).map(|number| format!("package-{number:x}-{}", number % 7)).collect();
        let nodes = build(names.iter().map(|name| entry(name)).collect());
        let mut found = BTreeSet::new();
        for (address, node) in &nodes {
            assert!(node.entries.len() <= LIMIT && node.children.len() <= LIMIT, "{address}");
            found.extend(node.entries.iter().map(|entry| entry.name.clone()));
            for child in &node.children {
                assert_eq!(nodes.get(&child.prefix).map(Node::count), Some(child.count), "{address}");
            }
        }
        assert_eq!(found, names);
        assert_eq!(nodes.get("").map(Node::count), Some(names.len()));
    }

    #[test]
    fn one_more_name_among_many_changes_a_handful_of_lists() {
        let nodes = RefCell::new(build((0..100_000).map(|number| entry(&format!("pkg{number:06}"))).collect()));
        let mut tree: Tree<'_, String> =
            Tree::new(|address| Ok(nodes.borrow().get(address).cloned().unwrap_or_default()));
        tree.change(&Change::Put(entry("pkg050000-new"))).expect("nodes are read");
        let changed = tree.changed();
        assert!(changed.len() <= 7, "{:?}", changed.keys());
        assert!(changed.values().flatten().map(|node| node.entries.len()).sum::<usize>() <= LIMIT);
    }

    #[test]
    fn a_name_that_parts_early_and_goes_again_leaves_the_tree_as_it_was() {
        let keys: Vec<Entry> = (0..600).map(|number| entry(&format!("common-{number:03}"))).collect();
        let nodes = RefCell::new(build(keys.clone()));
        for other in ["c", "com", "common-", "common-1", "x", "a", "common-0001"] {
            apply(&nodes, &[Change::Put(entry(other))]);
            let mut all = keys.clone();
            all.push(entry(other));
            assert_eq!(*nodes.borrow(), build(all), "{other}");
            apply(&nodes, &[Change::Remove(other.to_owned(), other.to_owned())]);
            assert_eq!(*nodes.borrow(), build(keys.clone()), "{other}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

        #[test]
        fn the_order_of_changes_does_not_matter(
            first in proptest::collection::btree_set("[ab]{1,3}(c{9}[a-d]{0,5}|[a-c]{0,8})", 300..1200),
            second in proptest::collection::btree_set("[ab]{1,3}(c{9}[a-d]{0,5}|[a-c]{0,8})", 0..600),
        ) {
            let nodes = RefCell::new(build(Vec::new()));
            let put: Vec<Change> = first.iter().map(|key| Change::Put(entry(key))).collect();
            put.chunks(97).for_each(|changes| apply(&nodes, changes));
            prop_assert_eq!(&*nodes.borrow(), &build(first.iter().map(|key| entry(key)).collect()));

            let mut changes: Vec<Change> = second.iter().map(|key| Change::Put(entry(key))).collect();
            changes.extend(first.iter().filter(|key| key.len() % 2 == 0).map(|key| Change::Remove(key.clone(), key.clone())));
            changes.chunks(31).for_each(|changes| apply(&nodes, changes));
            let mut left = first.clone();
            left.extend(second);
            left.retain(|key| !(first.contains(key) && key.len() % 2 == 0));
            prop_assert_eq!(&*nodes.borrow(), &build(left.iter().map(|key| entry(key)).collect()));
        }
    }
}
