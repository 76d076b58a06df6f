//! Which libraries of its own tree a file gets to see: what ld.so(8) would find, and what it may find already loaded.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::elf::ElfFacts;
use crate::tree::{InstallPath, Node, Tree};

/// Where a needed library is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Where the loader looks on behalf of the file.
    InReach,
    /// In the tree, where the loader does not look by itself. It is there when something else has loaded it before, as the
    /// libraries that wheels bring beside their packages are.
    Elsewhere,
    /// Not in the tree.
    Outside,
}

/// The libraries of a tree.
#[derive(Debug, Default)]
pub(super) struct TreeLibraries {
    /// Where there are files of the target's architecture, and links to such.
    paths: BTreeSet<String>,
    /// Names by which one that is loaded would be recognised.
    names: BTreeSet<String>,
}

impl TreeLibraries {
    /// `files` are the tree's ELF files for the target's architecture.
    pub(super) fn new<'a>(tree: &Tree, files: impl Iterator<Item = (&'a InstallPath, &'a ElfFacts)>) -> Self {
        let mut libraries = Self::default();
        for (path, facts) in files {
            libraries.add(path.as_str().to_owned());
            libraries.names.extend(facts.soname.clone());
        }
        let mut links: BTreeMap<&str, String> = BTreeMap::new();
        for (path, entry) in tree.iter() {
            match &entry.node {
                Node::Symlink(target) => {
                    links.insert(path.as_str(), joined(directory(path), target));
                }
                Node::HardLink(target) => {
                    links.insert(path.as_str(), target.as_str().to_owned());
                }
                Node::File(_) | Node::Directory => {}
            }
        }
        // A link may lead to a link; the kernel follows forty.
        for path in links.keys() {
            let mut target = links.get(path);
            for _ in 0..40 {
                match target.and_then(|target| links.get(target.as_str())) {
                    Some(next) => target = Some(next),
                    None => break,
                }
            }
            if target.is_some_and(|target| libraries.paths.contains(target)) {
                libraries.add((*path).to_owned());
            }
        }
        libraries
    }

    fn add(&mut self, path: String) {
        self.names.extend(path.rsplit('/').next().map(str::to_owned));
        self.paths.insert(path);
    }

    /// Where the library is that the file at `path` needs.
    pub(super) fn place(&self, path: &InstallPath, facts: &ElfFacts, library: &str) -> Place {
        let origin = directory(path);
        // Not the loader's rule, but libraries that are shipped together are loaded together.
        let mut searched = facts.search.iter().map(String::as_str).chain(["$ORIGIN"]);
        let in_reach = searched.any(|part| {
            let part = part.replace("${ORIGIN}", "$ORIGIN").replace("$ORIGIN", origin);
            self.paths.contains(&joined(&part, library))
        });
        match in_reach {
            true => Place::InReach,
            false if self.names.contains(library) => Place::Elsewhere,
            false => Place::Outside,
        }
    }
}

fn directory(path: &InstallPath) -> &str {
    path.as_str().rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// `path` as seen from `directory`, without `.` and `..`.
fn joined(directory: &str, path: &str) -> String {
    let from = if path.starts_with('/') { "" } else { directory };
    let mut parts: Vec<&str> = Vec::new();
    for part in from.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Content, Entry};

    fn path(text: &str) -> InstallPath {
        InstallPath::parse(text).expect("a path")
    }

    fn searching(search: &[&str]) -> ElfFacts {
        ElfFacts { search: search.iter().map(|part| (*part).to_owned()).collect(), ..ElfFacts::default() }
    }

    /// What a file in `/t/numpy/core` with this search path sees of a library at `/t/numpy.libs/libx-1f.so.3`.
    fn place(search: &[&str], library: &str) -> Place {
        let at = path("/t/numpy.libs/libx-1f.so.3");
        let facts = ElfFacts { soname: Some("libx.so.3".to_owned()), ..ElfFacts::default() };
        let mut tree = Tree::new();
        tree.file(at.clone(), Content::bytes(*b"x"), 0o644).expect("a file");
        tree.symlink(path("/t/links/liby.so"), "../links/libx.so").expect("a link");
        tree.symlink(path("/t/links/libx.so"), "../numpy.libs/libx-1f.so.3").expect("a link");
        tree.symlink(path("/t/links/libz.so.1"), "/usr/lib/libz.so.1").expect("a link");
        tree.insert(path("/t/links/hard.so"), Entry::root(Node::HardLink(at.clone()), 0o644)).expect("a link");
        let libraries = TreeLibraries::new(&tree, [(&at, &facts)].into_iter());
        libraries.place(&path("/t/numpy/core/a.so"), &searching(search), library)
    }

    #[test]
    fn a_library_is_found_by_the_file_s_own_search_path() {
        assert_eq!(place(&["/elsewhere", "$ORIGIN/../../numpy.libs"], "libx-1f.so.3"), Place::InReach);
        assert_eq!(place(&["${ORIGIN}/../.././numpy.libs/"], "libx-1f.so.3"), Place::InReach);
        assert_eq!(place(&["/t/numpy.libs"], "libx-1f.so.3"), Place::InReach);
    }

    #[test]
    fn a_library_that_the_loader_does_not_find_may_have_been_loaded_under_its_name_or_soname() {
        assert_eq!(place(&[], "libx-1f.so.3"), Place::Elsewhere);
        assert_eq!(place(&[], "libx.so.3"), Place::Elsewhere);
        assert_eq!(place(&[], "libz.so.9"), Place::Outside);
    }

    #[test]
    fn links_count_when_they_end_at_a_library_of_the_tree() {
        for library in ["libx.so", "liby.so", "hard.so"] {
            assert_eq!(place(&["$ORIGIN/../../links"], library), Place::InReach, "{library}");
        }
        assert_eq!(place(&["$ORIGIN/../../links"], "libz.so.1"), Place::Outside);
    }

    #[test]
    fn circles_of_links_end() {
        let mut tree = Tree::new();
        tree.symlink(path("/t/a.so"), "b.so").expect("a link");
        tree.symlink(path("/t/b.so"), "a.so").expect("a link");
        let libraries = TreeLibraries::new(&tree, std::iter::empty());
        assert_eq!(libraries.place(&path("/t/c"), &searching(&[]), "a.so"), Place::Outside);
    }
}
