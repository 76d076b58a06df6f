//! The files of a package as its header lists them: parallel arrays, sorted by path as rpm searches them.

use std::collections::HashMap;

use super::header::{Builder, Value};
use super::tag::{self, file};
use super::{cpio, text_of_owner};
use crate::format::error::Error;
use crate::format::mode::mode_of;
use crate::format::text;
use crate::package::Package;
use crate::target::Format;
use crate::tree::{Entry, InstallPath, Node, Role};

/// A file to be packed.
pub(super) struct Item {
    pub(super) path: InstallPath,
    pub(super) entry: Entry,
    /// `./usr/bin/acme`.
    pub(super) name: String,
    /// Type and permission bits.
    pub(super) mode: u32,
    /// Bytes of its content, or of a link's target.
    pub(super) size: u64,
}

/// The tree's explicit entries and the directories that the package owns, sorted bytewise by path. Directories that belong to
/// the distribution are not among them: two owners of one directory must agree on its mode.
pub(super) fn items(package: &Package) -> Result<Vec<Item>, Error> {
    let mut entries: Vec<(InstallPath, Entry)> =
        package.tree.iter().map(|(path, entry)| (path.clone(), entry.clone())).collect();
    for directory in &package.owned_directories {
        if package.tree.get(directory).is_none() {
            entries.push((directory.clone(), Entry::root(Node::Directory, 0o755)));
        }
    }
    entries.sort_by(|(left, _), (right, _)| left.as_str().cmp(right.as_str()));
    entries.dedup_by(|(left, _), (right, _)| left == right);
    entries.into_iter().map(item).collect()
}

fn item((path, entry): (InstallPath, Entry)) -> Result<Item, Error> {
    text_of_owner(&path, &entry.user)?;
    text_of_owner(&path, &entry.group)?;
    let (kind, size) = match &entry.node {
        Node::File(content) => (0o100_000, content.digests.size),
        Node::HardLink(_) => (0o100_000, 0),
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
    let mode = kind | mode_of(&path, &entry, Format::Rpm);
    Ok(Item { name: format!("./{}", path.relative()), mode, size, path, entry })
}

/// Whether a file does not fit into the cpio's own headers.
pub(super) fn has_large(items: &[Item]) -> bool {
    items.iter().any(|item| item.size > cpio::MAX_SIZE)
}

/// Bytes of all regular files, what rpm calls the package's size.
pub(super) fn installed_size(items: &[Item]) -> u64 {
    items.iter().filter(|item| matches!(item.entry.node, Node::File(_))).map(|item| item.size).sum()
}

/// Puts the arrays of all files into the header.
pub(super) fn describe(header: &mut Builder, items: &[Item], time: u32) {
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
    header.set(tag::FILEMTIMES, numbers(&|_| time));
    header.set(tag::FILEDIGESTS, texts(&digest));
    header.set(tag::FILELINKTOS, texts(&link));
    header.set(tag::FILEFLAGS, numbers(&flags));
    header.set(tag::FILEUSERNAME, texts(&|item| item.entry.user.clone()));
    header.set(tag::FILEGROUPNAME, texts(&|item| item.entry.group.clone()));
    header.set(tag::FILEVERIFYFLAGS, numbers(&|_| u32::MAX));
    header.set(tag::FILEDEVICES, numbers(&|_| 1));
    header.set(tag::FILEINODES, Value::Int32((1..=items.len() as u32).collect()));
    header.set(tag::FILELANGS, texts(&|_| String::new()));
    header.set(tag::FILECOLORS, numbers(&|_| 0));
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
    if let Node::File(content) = &item.entry.node { content.digests.sha256.to_string() } else { String::new() }
}

fn link(item: &Item) -> String {
    if let Node::Symlink(target) = &item.entry.node { target.clone() } else { String::new() }
}

fn flags(item: &Item) -> u32 {
    match item.entry.role {
        Role::Plain => 0,
        Role::Config => file::CONFIG | file::NOREPLACE,
        Role::Documentation => file::DOC,
        Role::License => file::LICENSE,
        Role::Ghost => file::GHOST,
    }
}
