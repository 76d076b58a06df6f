//! The files of a package as its header lists them: parallel arrays, sorted by path as rpm searches them.

use std::collections::{BTreeMap, HashMap};

use super::header::{Builder, Value};
use super::tag::{self, file, verify};
use super::{cpio, text_of_owner};
use crate::format::error::Error;
use crate::format::mode::mode_of;
use crate::format::text;
use crate::package::Package;
use crate::target::Format;
use crate::tree::{Entry, InstallPath, Node, Role};

/// A file of the package.
pub(super) struct Item {
    pub(super) path: InstallPath,
    pub(super) entry: Entry,
    /// `./usr/bin/acme`.
    pub(super) name: String,
    /// Type and permission bits.
    pub(super) mode: u32,
    /// Bytes of its content, or of a link's target.
    pub(super) size: u64,
    /// Its number in the payload; names of one file share the number of the first.
    pub(super) inode: u32,
    /// How many names of the file there are.
    pub(super) links: u32,
    /// Its time of modification, seconds since 1970.
    pub(super) time: u32,
}

impl Item {
    /// Whether the payload holds it: what is made at run time is only listed.
    pub(super) fn is_packed(&self) -> bool {
        self.entry.role != Role::Ghost
    }
}

/// The tree's explicit entries and the directories that the package owns, sorted bytewise by path. Directories that belong to
/// the distribution are not among them: two owners of one directory must agree on its mode. A hard link is told as the file
/// that it is a name of.
pub(super) fn items(package: &Package) -> Result<Vec<Item>, Error> {
    let mut entries: Vec<(InstallPath, Entry)> =
        package.tree.iter().map(|(path, entry)| (path.clone(), entry.clone())).collect();
    let mut all = package.tree.with_directories();
    for directory in &package.owned_directories {
        if package.tree.get(directory).is_none() {
            let implied = all.remove(directory).unwrap_or_else(|| Entry::root(Node::Directory, 0o755));
            entries.push((directory.clone(), implied));
        }
    }
    entries.sort_by(|(left, _), (right, _)| left.as_str().cmp(right.as_str()));
    entries.dedup_by(|(left, _), (right, _)| left == right);
    // The number of each file that has further names, and how many names it has.
    let mut names: HashMap<InstallPath, (u32, u32)> = HashMap::new();
    for (path, entry) in &entries {
        if let Node::HardLink(file) = &entry.node {
            let target = package.tree.get(file).filter(|target| matches!(target.node, Node::File(_)));
            let target = target.filter(|target| target.role != Role::Ghost);
            let role = target.ok_or_else(|| Error::dangling_hard_link(path, file))?.role;
            if role == Role::Config {
                return Err(Error::Unpackable {
                    path: path.clone(),
                    rule: format!("it is a hard link to the configuration file {file}"),
                    hint: "use a symbolic link",
                });
            }
            names.entry(file.clone()).or_insert((0, 1)).1 += 1;
        }
    }
    let mut items = Vec::with_capacity(entries.len());
    for (number, (path, mut entry)) in entries.into_iter().enumerate() {
        let file = if let Node::HardLink(file) = &entry.node { file.clone() } else { path.clone() };
        if file != path {
            entry = package.tree.get(&file).cloned().ok_or_else(|| Error::dangling_hard_link(&path, &file))?;
        }
        let number = number as u32 + 1;
        let (inode, links) = match names.get_mut(&file) {
            Some((first, links)) => {
                *first = if *first == 0 { number } else { *first };
                (*first, *links)
            }
            None => (number, 1),
        };
        let time = u32::try_from(entry.time(package.time)).unwrap_or_default();
        items.push(Item { time, ..item(path, &file, entry, inode, links)? });
    }
    Ok(items)
}

/// `file` is the path of the file that the entry is a name of: its own, but for hard links.
fn item(path: InstallPath, file: &InstallPath, entry: Entry, inode: u32, links: u32) -> Result<Item, Error> {
    text_of_owner(&path, &entry.user)?;
    text_of_owner(&path, &entry.group)?;
    let (kind, size) = match &entry.node {
        Node::File(content) => (0o100_000, content.digests.size),
        Node::HardLink(file) => return Err(Error::dangling_hard_link(&path, file)),
        Node::Directory => (0o040_000, 0),
        Node::Symlink(target) => {
            text::link_target(&path, target)?;
            (0o120_000, target.len() as u64)
        }
    };
    if entry.role == Role::Config && !matches!(entry.node, Node::File(_)) {
        return Err(Error::Unpackable {
            path,
            rule: "a configuration file must be a regular file".to_owned(),
            hint: "ship it without the role of a configuration file",
        });
    }
    let mode = kind | mode_of(file, &entry, Format::Rpm);
    Ok(Item { name: format!("./{}", path.relative()), mode, size, path, entry, inode, links, time: 0 })
}

/// The order of the payload, as numbers of items, and for each whether its content follows: what has a time of its own
/// (vendored content and the directories that hold it), then what changes with the service's own commits, each as they are listed; then files of several
/// names, name after name, the content with the last (as rpmbuild writes it, and as rpm reads it). Gives the length of the
/// first part as well.
pub(super) fn payload_order(items: &[Item]) -> (Vec<(usize, bool)>, usize) {
    let packed = || items.iter().enumerate().filter(|(_, item)| item.is_packed());
    let comes_first = |item: &Item| item.entry.time.is_some();
    let single = || packed().filter(|(_, item)| item.links == 1);
    let mut order: Vec<(usize, bool)> =
        single().filter(|(_, item)| comes_first(item)).map(|(number, _)| (number, true)).collect();
    let first_part = order.len();
    order.extend(single().filter(|(_, item)| !comes_first(item)).map(|(number, _)| (number, true)));
    let mut sets: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (number, item) in packed().filter(|(_, item)| item.links > 1) {
        sets.entry(item.inode).or_default().push(number);
    }
    for set in sets.into_values() {
        let last = set.last().copied();
        order.extend(set.into_iter().map(|number| (number, Some(number) == last)));
    }
    (order, first_part)
}

/// Whether a file does not fit into the cpio's own headers.
pub(super) fn has_large(items: &[Item]) -> bool {
    items.iter().any(|item| item.size > cpio::MAX_SIZE)
}

/// Whether a file has several names.
pub(super) fn has_hard_links(items: &[Item]) -> bool {
    items.iter().any(|item| item.links > 1)
}

/// Whether a file has capabilities.
pub(super) fn has_capabilities(items: &[Item]) -> bool {
    items.iter().any(|item| item.entry.capabilities.is_some())
}

/// Bytes of all files and symbolic links, each file once: what rpm calls the package's size.
pub(super) fn installed_size(items: &[Item]) -> u64 {
    let counts = |(number, item): &(usize, &Item)| item.inode as usize == number + 1;
    items.iter().enumerate().filter(counts).map(|(_, item)| item.size).sum()
}

/// Puts the arrays of all files into the header.
pub(super) fn describe(header: &mut Builder, items: &[Item]) {
    let numbers = |of: &dyn Fn(&Item) -> u32| Value::Int32(items.iter().map(of).collect());
    let texts = |of: &dyn Fn(&Item) -> String| Value::Texts(items.iter().map(of).collect());
    let (directories, indexes) = directories(items);

    header.set(tag::DIRNAMES, Value::Texts(directories));
    header.set(tag::DIRINDEXES, Value::Int32(indexes));
    header.set(tag::BASENAMES, texts(&|item| item.path.file_name().to_owned()));
    if has_large(items) {
        header.set(tag::LONGFILESIZES, Value::Int64(items.iter().map(|item| item.size).collect()));
    } else {
        header.set(tag::FILESIZES, numbers(&|item| item.size as u32));
    }
    header.set(tag::FILEMODES, Value::Int16(items.iter().map(|item| item.mode as u16).collect()));
    header.set(tag::FILERDEVS, Value::Int16(vec![0; items.len()]));
    header.set(tag::FILEMTIMES, numbers(&|item| item.time));
    header.set(tag::FILEDIGESTS, texts(&digest));
    header.set(tag::FILELINKTOS, texts(&link));
    header.set(tag::FILEFLAGS, numbers(&flags));
    header.set(tag::FILEUSERNAME, texts(&|item| item.entry.user.clone()));
    header.set(tag::FILEGROUPNAME, texts(&|item| item.entry.group.clone()));
    header.set(tag::FILEVERIFYFLAGS, numbers(&verified));
    header.set(tag::FILEDEVICES, numbers(&|_| 1));
    header.set(tag::FILEINODES, numbers(&|item| item.inode));
    header.set(tag::FILELANGS, texts(&|_| String::new()));
    header.set(tag::FILECOLORS, numbers(&|_| 0));
    if has_capabilities(items) {
        header.set(tag::FILECAPS, texts(&|item| item.entry.capabilities.clone().unwrap_or_default()));
    }
    if !items.is_empty() {
        header.number(tag::FILEDIGESTALGO, tag::SHA256);
    }
}

/// The directories with a trailing slash, each once, and the number of each file's.
fn directories(items: &[Item]) -> (Vec<String>, Vec<u32>) {
    let mut names = Vec::new();
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let mut indexes = Vec::with_capacity(items.len());
    for item in items {
        let path = item.path.as_str();
        let directory = path.strip_suffix(item.path.file_name()).unwrap_or(path);
        let next = names.len() as u32;
        let number = *numbers.entry(directory).or_insert(next);
        if number == next {
            names.push(directory.to_owned());
        }
        indexes.push(number);
    }
    (names, indexes)
}

fn digest(item: &Item) -> String {
    match &item.entry.node {
        Node::File(content) if item.is_packed() => content.digests.sha256.to_string(),
        _ => String::new(),
    }
}

fn link(item: &Item) -> String {
    if let Node::Symlink(target) = &item.entry.node { target.clone() } else { String::new() }
}

/// What `rpm -V` compares: everything, but of what is made at run time neither digest, size, target nor time.
fn verified(item: &Item) -> u32 {
    let made = verify::DIGEST | verify::SIZE | verify::LINK | verify::TIME;
    if item.is_packed() { u32::MAX } else { !made }
}

/// Directories whose files rpmbuild takes for documentation without being told (`%__docdir_path`).
const DOCUMENTATION: [&str; 3] = ["/usr/share/doc/", "/usr/share/man/", "/usr/share/info/"];

fn flags(item: &Item) -> u32 {
    let role = match item.entry.role {
        Role::Plain => 0,
        Role::Config if item.entry.marks.replaceable => file::CONFIG,
        Role::Config => file::CONFIG | file::NOREPLACE,
        Role::Documentation => file::DOC,
        Role::License => file::LICENSE,
        Role::Ghost => file::GHOST,
    };
    let path = item.path.as_str();
    let is_directory = matches!(item.entry.node, Node::Directory);
    let is_documentation = !is_directory && DOCUMENTATION.iter().any(|directory| path.starts_with(directory));
    let is_documentation = is_documentation || item.entry.marks.documentation;
    let may_be_missing = item.entry.marks.may_be_missing;
    role | if is_documentation { file::DOC } else { 0 } | if may_be_missing { file::MISSINGOK } else { 0 }
}
