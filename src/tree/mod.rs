//! The staged tree: the files to install, with modes, owners and roles. The only thing that a package writer reads.
//!
//! A tree is a map of paths, not a directory on disk: contents stay where they are (the content-addressed store, a build
//! directory, memory) and are read once, by the packer. Sizes and digests are known before packing.

pub mod elf;
pub(crate) mod facts;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use crate::digest::Digests;

/// An absolute path on the installed system, normalised: begins with `/`, no `.`/`..`, no empty component, no control
/// characters, not `/` itself. Orders bytewise by component, so that a directory comes right before what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct InstallPath(String);

/// A text that is no [`InstallPath`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` cannot be a path of an installed file: {rule}", text.escape_debug())]
pub struct InvalidInstallPath {
    /// What was given.
    pub text: String,
    /// The rule it breaks.
    pub rule: &'static str,
}

impl InstallPath {
    /// Checks `text`, which must begin with `/`.
    pub fn parse(text: &str) -> Result<Self, InvalidInstallPath> {
        let invalid = |rule| InvalidInstallPath { text: text.to_owned(), rule };
        let relative = text.strip_prefix('/').ok_or_else(|| invalid("it must begin with `/`"))?;
        if relative.is_empty() || relative.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(invalid("empty components, `.` and `..` are not allowed"));
        }
        if text.chars().any(char::is_control) {
            return Err(invalid("control characters are not allowed"));
        }
        // A file system allows names of 255 bytes. dpkg unpacks to NAME.dpkg-new and rpm to NAME;6b019763 first: the longest
        // that either can install is nine shorter.
        if text.len() > 4000 || relative.split('/').any(|part| part.len() > 246) {
            return Err(invalid("it is longer than dpkg and rpm can unpack"));
        }
        Ok(Self(text.to_owned()))
    }

    /// With the leading `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without the leading `/`.
    pub fn relative(&self) -> &str {
        self.0.get(1..).unwrap_or_default()
    }

    /// The path of `below` under this one.
    pub fn join(&self, below: &str) -> Result<Self, InvalidInstallPath> {
        Self::parse(&format!("{}/{below}", self.0))
    }

    /// The directory it is in; `None` directly under `/`.
    pub fn parent(&self) -> Option<Self> {
        let (parent, _) = self.0.rsplit_once('/')?;
        (!parent.is_empty()).then(|| Self(parent.to_owned()))
    }

    /// Its last component.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// Whether it is `directory` or below it.
    pub fn is_within(&self, directory: &InstallPath) -> bool {
        self.0.strip_prefix(&directory.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The target of a relative symbolic link at this path that leads to `target`.
    pub fn relative_link_to(&self, target: &InstallPath) -> String {
        let from: Vec<&str> = self.relative().split('/').collect();
        let to: Vec<&str> = target.relative().split('/').collect();
        let directories = from.len() - 1;
        let shared = from.iter().take(directories).zip(&to).take_while(|(left, right)| left == right).count();
        let mut parts = vec![".."; directories - shared];
        parts.extend(to.iter().skip(shared));
        parts.join("/")
    }
}

impl fmt::Display for InstallPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Ord for InstallPath {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        // By component is bytewise with `/` before everything else: there are no empty components and no control characters.
        let (left, right) = (self.0.as_bytes(), other.0.as_bytes());
        let rank = |byte: &u8| if *byte == b'/' { 0 } else { *byte };
        match left.iter().zip(right).find(|(left, right)| left != right) {
            Some((left, right)) => rank(left).cmp(&rank(right)),
            None => left.len().cmp(&right.len()),
        }
    }
}

impl PartialOrd for InstallPath {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Where a file's content is.
#[derive(Debug, Clone)]
pub enum Source {
    /// A file on disk that does not change while packhouse runs (the store, a build's output).
    Path(PathBuf),
    /// Made by packhouse.
    Bytes(Arc<[u8]>),
}

/// A file's content: where it is, and what is known of it.
#[derive(Debug, Clone)]
pub struct Content {
    /// Where it is.
    pub source: Source,
    /// Its size and digests.
    pub digests: Digests,
}

impl Content {
    /// Content in memory.
    pub fn bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        Self { digests: Digests::of(&bytes), source: Source::Bytes(bytes) }
    }

    /// Content of a file on disk, read once for its digests.
    pub fn file(path: &Path) -> io::Result<Self> {
        let mut reader = fs_err::File::open(path)?;
        Ok(Self { digests: Digests::of_reader(&mut reader)?, source: Source::Path(path.to_path_buf()) })
    }

    /// Opens it for reading.
    pub fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(match &self.source {
            Source::Path(path) => Box::new(fs_err::File::open(path)?),
            Source::Bytes(bytes) => Box::new(bytes.as_ref()),
        })
    }
}

/// What a file is to the package, beside its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Nothing special.
    #[default]
    Plain,
    /// A conffile (Debian Policy 10.7), `%config(noreplace)`.
    Config,
    /// Documentation, `%doc`.
    Documentation,
    /// A licence text, `%license`.
    License,
    /// Made by the service at run time and the package's all the same: `%ghost`; not in a .deb, whose `postrm` takes it away
    /// on purge.
    Ghost,
}

/// What more RPM's list of files may say of a file (rpm-spec(5)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Marks {
    /// A configuration file that a new version replaces, the old one being kept beside it: `%config` without `noreplace`.
    pub replaceable: bool,
    /// It may be missing without being reported: `%config(missingok)`.
    pub may_be_missing: bool,
    /// Documentation, beside what it is else.
    pub documentation: bool,
}

/// What stands at a path.
#[derive(Debug, Clone)]
pub enum Node {
    /// A directory; listed explicitly when it is empty or has a mode or owner of its own, else implied.
    Directory,
    /// A regular file.
    File(Content),
    /// A symbolic link with this target.
    Symlink(String),
    /// Another name of the regular file at this path of the same tree.
    HardLink(InstallPath),
}

/// One entry of the tree.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What stands there.
    pub node: Node,
    /// Permission bits (`0o755`); 0o777 for links.
    pub mode: u32,
    /// Owning user's name.
    pub user: String,
    /// Owning group's name.
    pub group: String,
    /// What it is to the package.
    pub role: Role,
    /// What more RPM may say of it.
    pub marks: Marks,
    /// File capabilities as setcap(8) reads them (`cap_net_bind_service=ep`).
    pub capabilities: Option<String>,
    /// Third-party content that is shipped exactly as it was locked: never stripped, patched or scanned for Provides.
    pub vendored: bool,
    /// When its content was made (seconds since 1970), if that is known and does not move with the service's commits; the
    /// package's time stands in for it, and it is never later than that. What nobody changed thus packs to the same bytes.
    pub time: Option<i64>,
}

/// Two different things want the same path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("two different files want the path {path}")]
pub struct PathConflict {
    /// The path.
    pub path: InstallPath,
}

/// The files to install.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    entries: BTreeMap<InstallPath, Entry>,
}

impl Tree {
    /// An empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entry. The same file twice (equal content, mode and owner) is one entry; anything else at a taken path is an error.
    pub fn insert(&mut self, path: InstallPath, entry: Entry) -> Result<(), PathConflict> {
        if let Some(present) = self.entries.get(&path) {
            let same = present.mode == entry.mode
                && (&present.user, &present.group) == (&entry.user, &entry.group)
                && present.capabilities == entry.capabilities
                && match (&present.node, &entry.node) {
                    (Node::Directory, Node::Directory) => true,
                    (Node::Symlink(left), Node::Symlink(right)) => left == right,
                    (Node::HardLink(left), Node::HardLink(right)) => left == right,
                    (Node::File(left), Node::File(right)) => left.digests == right.digests,
                    _ => false,
                };
            return if same { Ok(()) } else { Err(PathConflict { path }) };
        }
        self.entries.insert(path, entry);
        Ok(())
    }

    /// Adds a root-owned file.
    pub fn file(&mut self, path: InstallPath, content: Content, mode: u32) -> Result<(), PathConflict> {
        self.insert(path, Entry::root(Node::File(content), mode))
    }

    /// Adds a symbolic link.
    pub fn symlink(&mut self, path: InstallPath, target: impl Into<String>) -> Result<(), PathConflict> {
        self.insert(path, Entry::root(Node::Symlink(target.into()), 0o777))
    }

    /// Adds all entries of `other`.
    pub fn merge(&mut self, other: Tree) -> Result<(), PathConflict> {
        other.entries.into_iter().try_for_each(|(path, entry)| self.insert(path, entry))
    }

    /// The entry at a path.
    pub fn get(&self, path: &InstallPath) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// Takes the entry at a path out.
    pub fn remove(&mut self, path: &InstallPath) -> Option<Entry> {
        self.entries.remove(path)
    }

    /// All explicit entries, directories before what is in them, bytewise by component.
    pub fn iter(&self) -> impl Iterator<Item = (&InstallPath, &Entry)> {
        self.entries.iter()
    }

    /// How many explicit entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All entries with their parent directories, explicit or implied (root-owned, 0755), in the same order. An implied
    /// directory is as old as the newest entry below it that has a time of its own.
    pub fn with_directories(&self) -> BTreeMap<InstallPath, Entry> {
        let mut all = self.entries.clone();
        for (path, entry) in &self.entries {
            let mut parent = path.parent();
            while let Some(directory) = parent {
                parent = directory.parent();
                if self.entries.contains_key(&directory) {
                    continue;
                }
                let is_new = !all.contains_key(&directory);
                let implied = all.entry(directory).or_insert_with(|| Entry::root(Node::Directory, 0o755));
                if !is_new && implied.time >= entry.time {
                    break;
                }
                implied.time = implied.time.max(entry.time);
            }
        }
        all
    }
}

impl Entry {
    /// Its content, when it is a file.
    pub fn content(&self) -> Option<&Content> {
        match &self.node {
            Node::File(content) => Some(content),
            Node::Directory | Node::Symlink(_) | Node::HardLink(_) => None,
        }
    }

    /// A root-owned entry without a special role.
    pub fn root(node: Node, mode: u32) -> Self {
        Self {
            node,
            mode,
            user: "root".to_owned(),
            group: "root".to_owned(),
            role: Role::Plain,
            marks: Marks::default(),
            capabilities: None,
            vendored: false,
            time: None,
        }
    }

    /// The same with this role.
    pub fn with_role(self, role: Role) -> Self {
        Self { role, ..self }
    }

    /// The same, marked as third-party content.
    pub fn vendored(self) -> Self {
        Self { vendored: true, ..self }
    }

    /// The time of modification that a package of `package_time` gives it (seconds since 1970).
    pub fn time(&self, package_time: i64) -> i64 {
        self.time.map_or(package_time, |time| time.min(package_time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> InstallPath {
        InstallPath::parse(text).expect("a valid path")
    }

    #[test]
    fn relative_links_climb_to_the_shared_directory_and_no_further() {
        let link = path("/usr/bin/acme-api").relative_link_to(&path("/usr/lib/acme/acme-api/bin/acme-api"));
        assert_eq!(link, "../lib/acme/acme-api/bin/acme-api");
        let python = path("/usr/lib/acme/acme-api/bin/python").relative_link_to(&path("/usr/bin/python3.11"));
        assert_eq!(python, "../../../../bin/python3.11");
    }

    #[test]
    fn an_implied_directory_is_as_old_as_the_newest_content_with_a_time_of_its_own() {
        let mut tree = Tree::new();
        let mut add = |text: &str, time| {
            let entry = Entry { time, ..Entry::root(Node::File(Content::bytes(Vec::new())), 0o644) };
            tree.insert(path(text), entry).expect("a free path");
        };
        add("/usr/lib/acme/a", Some(5));
        add("/usr/lib/acme/b/c", Some(7));
        add("/usr/lib/acme/own", None);
        add("/etc/acme", None);
        let all = tree.with_directories();
        let time = |text: &str| all.get(&path(text)).expect("an entry").time(100);
        assert_eq!(
            ["/usr", "/usr/lib/acme", "/usr/lib/acme/b", "/usr/lib/acme/own", "/etc"].map(time),
            [7, 7, 7, 100, 100]
        );
        assert_eq!(all[&path("/usr/lib/acme/b/c")].time(6), 6, "never later than the package");
    }

    #[test]
    fn a_directory_comes_right_before_its_contents() {
        let mut paths = [path("/a-b"), path("/a/c"), path("/a")];
        paths.sort();
        assert_eq!(paths, [path("/a"), path("/a/c"), path("/a-b")]);
    }

    proptest::proptest! {
        #[test]
        fn paths_are_ordered_by_component(left in "(/[!-.a-c]{1,3}){1,4}", right in "(/[!-.a-c]{1,3}){1,4}") {
            let by_component = left.split('/').cmp(right.split('/'));
            proptest::prop_assert_eq!(InstallPath(left).cmp(&InstallPath(right)), by_component);
        }
    }

    #[test]
    fn paths_that_leave_their_place_are_refused() {
        for text in ["usr", "/", "/usr/../etc", "/usr//bin", "/usr/./bin", "/a\nb", "/usr/"] {
            assert!(InstallPath::parse(text).is_err(), "{text:?}");
        }
    }
}
