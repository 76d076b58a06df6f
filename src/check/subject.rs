//! What rules look at: a package of either format, as far as it can be judged without installing it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::relation;
use crate::format::FileKind;
use crate::target::{Architecture, Format};
use crate::tree::elf::ElfFacts;

/// Directories that no package has more of.
const MAX_DIRECTORIES: usize = 1_000_000;
/// Links that lead to links, as the kernel counts them (path_resolution(7)).
const MAX_LINKS: usize = 40;

/// A package.
#[derive(Debug)]
pub struct Subject {
    pub(super) format: Format,
    pub(super) name: String,
    /// As the format spells it, with epoch and revision.
    pub(super) version: String,
    /// `amd64`, `noarch`.
    pub(super) architecture: String,
    pub(super) summary: String,
    pub(super) description: String,
    /// Fields with text of people: name and value.
    pub(super) fields: Vec<(String, String)>,
    /// By the format's names: `Depends`, `Requires`.
    pub(super) relations: Vec<(&'static str, Vec<String>)>,
    pub(super) scripts: Vec<Script>,
    /// Lines of a .deb's `conffiles`.
    pub(super) conffiles: Vec<String>,
    /// RPM's changelog: the head lines, newest first.
    pub(super) changelog: Vec<String>,
    /// When it was built, where it says so (RPM), or the time of a package that is about to be written.
    pub(super) time: Option<i64>,
    /// The version of systemd on the target; unknown for an artefact.
    pub(super) systemd: Option<u32>,
    /// Whether it is a package that is about to be written.
    pub(super) unwritten: bool,
    items: Vec<Item>,
    index: HashMap<String, usize>,
    /// All directories, listed and implied.
    directories: HashSet<String>,
}

/// A maintainer script or scriptlet.
#[derive(Debug, Clone)]
pub(super) struct Script {
    /// `postinst`, `post`.
    pub(super) name: String,
    /// What runs it: an RPM's tag, a .deb's first line; empty when it does not say.
    pub(super) program: String,
    pub(super) text: String,
    /// RPM's (`rpmscriptFlags`).
    pub(super) flags: u32,
}

/// One path of the package.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) path: String,
    pub(super) kind: FileKind,
    pub(super) mode: u32,
    pub(super) user: String,
    pub(super) group: String,
    pub(super) time: Option<i64>,
    pub(super) link: Option<String>,
    pub(super) config: bool,
    pub(super) noreplace: bool,
    pub(super) ghost: bool,
    pub(super) license: bool,
    /// Content of others that is shipped as it is. An artefact does not tell: what lies in a Python tree counts.
    pub(super) vendored: bool,
    pub(super) size: u64,
    pub(super) content: Facts,
}

/// What is known of a regular file's content.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    /// The first bytes of programs and compressed documents.
    pub(super) head: Vec<u8>,
    /// All of the small files that rules read.
    pub(super) text: Option<Vec<u8>>,
    pub(super) elf: Elf,
    /// Paths of a build in it.
    pub(super) traces: Vec<Trace>,
}

/// Whether it is an ELF file.
#[derive(Debug, Clone, Default)]
pub(super) enum Elf {
    /// No, or not looked at.
    #[default]
    None,
    /// Yes.
    Facts(Arc<ElfFacts>),
    /// It begins as one and cannot be read.
    Damaged,
}

/// A path that only the machine of the build has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trace {
    /// A directory of packhouse's own staging.
    Staging(String),
    /// A home or working directory of somebody.
    Machine(String),
}

/// Where a path leads when all links of the package are followed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// A path of the package.
    Inside(&'a str),
    /// A path that the package does not have.
    Outside(String),
    /// Above the root.
    Nowhere,
    /// In a circle.
    Circle,
}

/// A package that is larger than any.
#[derive(Debug, thiserror::Error)]
#[error("it has more directories than any package")]
pub(super) struct TooLarge;

/// What a [`Subject`] is made of, beside its files.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) format: Format,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) architecture: String,
    pub(super) summary: String,
    pub(super) description: String,
}

impl Subject {
    pub(super) fn new(identity: Identity, items: Vec<Item>) -> Result<Self, TooLarge> {
        let mut directories = HashSet::new();
        let mut index = HashMap::with_capacity(items.len());
        for (number, item) in items.iter().enumerate() {
            index.insert(item.path.clone(), number);
            let mut path = item.path.as_str();
            if item.kind == FileKind::Directory {
                directories.insert(path.to_owned());
            }
            while let Some(parent) = parent(path) {
                if !directories.insert(parent.to_owned()) {
                    break;
                }
                path = parent;
            }
            if directories.len() > MAX_DIRECTORIES {
                return Err(TooLarge);
            }
        }
        let Identity { format, name, version, architecture, summary, description } = identity;
        Ok(Self {
            format,
            name,
            version,
            architecture,
            summary,
            description,
            fields: Vec::new(),
            relations: Vec::new(),
            scripts: Vec::new(),
            conffiles: Vec::new(),
            changelog: Vec::new(),
            time: None,
            systemd: None,
            unwritten: false,
            items,
            index,
            directories,
        })
    }

    /// What it is called: `name version architecture`.
    pub fn title(&self) -> String {
        super::harmless(&format!("{} {} {}", self.name, self.version, self.architecture))
    }

    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The processor that it is built for; `None` for any and for those that packhouse does not know.
    pub(super) fn machine(&self) -> Option<Architecture> {
        Architecture::parse(&self.architecture)
    }

    /// Whether it says that it runs on any processor.
    pub(super) fn is_independent(&self) -> bool {
        matches!(self.architecture.as_str(), "all" | "noarch")
    }

    /// The expressions of a relation.
    pub(super) fn relation(&self, name: &str) -> &[String] {
        self.relations.iter().find(|(field, _)| *field == name).map_or(&[], |(_, list)| list.as_slice())
    }

    /// What must be there when it is: `Depends` and `Pre-Depends`, `Requires`.
    pub(super) fn requirements(&self) -> impl Iterator<Item = &str> {
        let hard = |name: &str| matches!(name, "Depends" | "Pre-Depends" | "Requires");
        self.relations.iter().filter(move |(name, _)| hard(name)).flat_map(|(_, list)| list).map(String::as_str)
    }

    /// Whether a package or capability is among the requirements, perhaps as an alternative.
    pub(super) fn requires(&self, name: &str) -> bool {
        self.requirements().any(|expression| relation::names(self.format, expression).any(|found| found == name))
    }

    /// The names of all packages and capabilities that are required.
    pub(super) fn required_names(&self) -> impl Iterator<Item = &str> {
        self.requirements().flat_map(|expression| relation::names(self.format, expression))
    }

    /// Whether it holds debug symbols and nothing else, as `NAME-dbgsym` and `NAME-debuginfo` do: they belong to a package
    /// that says the rest.
    pub(super) fn is_debug_symbols(&self) -> bool {
        let mut files = self.items.iter().filter(|item| item.kind == FileKind::File).peekable();
        files.peek().is_some() && files.all(|item| item.path.starts_with("/usr/lib/debug/"))
    }

    pub(super) fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.iter()
    }

    /// Regular files and further names of them.
    pub(super) fn files(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| matches!(item.kind, FileKind::File | FileKind::Hardlink))
    }

    pub(super) fn links(&self) -> impl Iterator<Item = (&Item, &str)> {
        let links = self.items.iter().filter(|item| item.kind == FileKind::Symlink);
        links.filter_map(|item| item.link.as_deref().map(|link| (item, link)))
    }

    /// Small files directly in one of these directories, with their texts.
    pub(super) fn texts_in<'a>(&'a self, directories: &'a [&str]) -> impl Iterator<Item = (&'a Item, String)> {
        self.files().filter_map(move |item| {
            let parent = parent(&item.path)?;
            let text = item.content.text.as_ref().filter(|_| directories.contains(&parent))?;
            Some((item, String::from_utf8_lossy(text).into_owned()))
        })
    }

    pub(super) fn get(&self, path: &str) -> Option<&Item> {
        self.index.get(path).and_then(|number| self.items.get(*number))
    }

    /// Whether anything of the package stands at this path, an implied directory included.
    pub(super) fn has(&self, path: &str) -> bool {
        self.index.contains_key(path) || self.directories.contains(path)
    }

    pub(super) fn is_directory(&self, path: &str) -> bool {
        self.directories.contains(path)
    }

    /// Where `path` leads, all links followed (path_resolution(7)).
    pub(super) fn resolve(&self, path: &str) -> Place<'_> {
        let mut left: Vec<String> = components(path).rev().map(str::to_owned).collect();
        let mut at = String::new();
        let mut followed = 0;
        while let Some(part) = left.pop() {
            if part == ".." {
                match at.rfind('/') {
                    Some(end) => at.truncate(end),
                    None => return Place::Nowhere,
                }
                continue;
            }
            let here = format!("{at}/{part}");
            match self.get(&here).filter(|item| item.kind == FileKind::Symlink).and_then(|item| item.link.as_deref()) {
                Some(link) => {
                    followed += 1;
                    if followed > MAX_LINKS {
                        return Place::Circle;
                    }
                    if link.starts_with('/') {
                        at.clear();
                    }
                    left.extend(components(link).rev().map(str::to_owned));
                }
                None => at = here,
            }
        }
        match self.index.get_key_value(at.as_str()).map(|(path, _)| path).or_else(|| self.directories.get(&at)) {
            Some(path) => Place::Inside(path),
            None => Place::Outside(at),
        }
    }

    /// The file that `path` leads to, if it is one of the package.
    pub(super) fn target(&self, path: &str) -> Option<&Item> {
        let Place::Inside(path) = self.resolve(path) else { return None };
        let item = self.get(path)?;
        // Another name of a file has the file's content.
        match (item.kind, &item.link) {
            (FileKind::Hardlink, Some(file)) => self.get(file).or(Some(item)),
            _ => Some(item),
        }
    }

    /// Whether a path that the package does not have could only be the package's own: the deepest directory above it that
    /// the package has files in is no shared one.
    pub(super) fn is_own(&self, path: &str) -> bool {
        let mut above = parent(path);
        while let Some(directory) = above {
            if self.directories.contains(directory) {
                return components(directory).count() >= 4 && !is_shared(directory);
            }
            above = parent(directory);
        }
        false
    }
}

impl Item {
    pub(super) fn name(&self) -> &str {
        file_name(&self.path)
    }

    pub(super) fn is_executable(&self) -> bool {
        self.mode & 0o111 != 0
    }

    /// The facts of an ELF file.
    pub(super) fn elf(&self) -> Option<&ElfFacts> {
        match &self.content.elf {
            Elf::Facts(facts) => Some(facts),
            Elf::None | Elf::Damaged => None,
        }
    }

    /// Its `#!` line without the `#!`: program and the rest.
    pub(super) fn shebang(&self) -> Option<(String, String)> {
        let rest = self.content.head.strip_prefix(b"#!")?;
        let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        let (program, arguments) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        Some((program.to_owned(), arguments.trim().to_owned()))
    }
}

/// Directories of many packages, four levels deep or deeper; what is missing there may come from another one.
fn is_shared(directory: &str) -> bool {
    const SHARED: [&str; 8] = [
        "/usr/lib/systemd/",
        "/usr/lib/python",
        "/usr/lib64/python",
        "/usr/lib/x86_64-linux-gnu/",
        "/usr/lib/aarch64-linux-gnu/",
        "/usr/share/",
        "/usr/include/",
        "/etc/",
    ];
    SHARED.iter().any(|shared| directory.starts_with(shared))
}

/// The directory that a path is in; `None` for the root and what lies directly in it.
pub(super) fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(parent, _)| parent).filter(|parent| !parent.is_empty())
}

/// The last component.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

fn components(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.split('/').filter(|part| !matches!(*part, "" | "."))
}

/// The directories of commands: what is in them is in everybody's `PATH`.
pub(super) fn is_command(path: &str) -> bool {
    matches!(parent(path), Some("/usr/bin" | "/usr/sbin" | "/usr/games" | "/bin" | "/sbin"))
}

/// The minor version of the Python tree that a path is in: 11 for `…/lib/python3.11/…`.
pub(super) fn python_tree(path: &str) -> Option<u8> {
    path.split('/').find_map(|part| part.strip_prefix("python3.")?.parse().ok())
}

/// Whether a path lies where Python's packages are installed.
pub(super) fn in_python_tree(path: &str) -> bool {
    path.contains("/site-packages/") || path.contains("/dist-packages/") || python_tree(path).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(path: &str, link: Option<&str>) -> Item {
        Item {
            path: path.to_owned(),
            kind: if link.is_some() { FileKind::Symlink } else { FileKind::File },
            mode: 0o755,
            user: "root".to_owned(),
            group: "root".to_owned(),
            time: None,
            link: link.map(str::to_owned),
            config: false,
            noreplace: false,
            ghost: false,
            license: false,
            vendored: false,
            size: 0,
            content: Facts::default(),
        }
    }

    #[test]
    fn links_are_followed_as_the_kernel_follows_them() {
        let identity = Identity {
            format: Format::Deb,
            name: "a".to_owned(),
            version: "1-1".to_owned(),
            architecture: "all".to_owned(),
            summary: String::new(),
            description: String::new(),
        };
        let items = vec![
            item("/usr/bin/a", Some("../lib/acme/a/bin/a")),
            item("/usr/lib/acme/a/bin/a", None),
            item("/usr/lib/acme/a/current", Some("bin")),
            item("/usr/bin/b", Some("/usr/lib/acme/a/current/./a")),
            item("/usr/bin/up", Some("../../../etc/passwd")),
            item("/usr/bin/loop", Some("loop")),
            item("/usr/bin/gone", Some("../lib/acme/a/bin/gone")),
        ];
        let subject = Subject::new(identity, items).expect("small");
        assert_eq!(subject.resolve("/usr/bin/a"), Place::Inside("/usr/lib/acme/a/bin/a"));
        assert_eq!(subject.resolve("/usr/bin/b"), Place::Inside("/usr/lib/acme/a/bin/a"));
        assert_eq!(subject.resolve("/usr/bin/up"), Place::Nowhere);
        assert_eq!(subject.resolve("/usr/bin/loop"), Place::Circle);
        assert_eq!(subject.resolve("/usr/bin/gone"), Place::Outside("/usr/lib/acme/a/bin/gone".to_owned()));
        assert!(subject.is_own("/usr/lib/acme/a/bin/gone") && !subject.is_own("/usr/lib/acme/b/bin/x"));
        assert!(!subject.is_own("/usr/bin/other"));
    }
}
