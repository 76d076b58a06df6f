//! A [`Subject`] from a package that is about to be written. Contents of others are not read again, but for the dynamic
//! section of libraries and the first line of programs; own files are searched for paths of the build.

use std::io;

use super::content::{Examiner, Wanted};
use super::subject::{Elf, Facts, Identity, Item, Script, Subject};
use crate::format::FileKind;
use crate::package::{Package, Stage};
use crate::target::Format;
use crate::tree::{Content, Entry, InstallPath, Node, Role, Tree, elf};

impl Subject {
    /// What rules look at in `package`. `places` are directories of this build that no file of its own may name.
    pub fn of_package(package: &Package, places: &[String]) -> io::Result<Self> {
        let format = package.target.format();
        let independent = match format {
            Format::Deb => "all",
            Format::Rpm => "noarch",
        };
        let identity = Identity {
            format,
            name: package.name.as_str().to_owned(),
            version: match format {
                Format::Deb => package.version.debian(),
                Format::Rpm => package.version.rpm(),
            },
            architecture: package.architecture.map_or(independent, |machine| machine.name(format)).to_owned(),
            summary: package.summary.clone(),
            description: package.description.clone(),
        };
        let mut examiner = Examiner::new(places);
        let mut items = Vec::with_capacity(package.tree.len());
        for (path, entry) in package.tree.iter() {
            // A .deb has no ghosts; its postrm takes them away.
            if entry.role != Role::Ghost || format == Format::Rpm {
                items.push(item(&mut examiner, path, entry, package)?);
            }
        }
        for directory in &package.owned_directories {
            if package.tree.get(directory).is_none() {
                items.push(item(&mut examiner, directory, &Entry::root(Node::Directory, 0o755), package)?);
            }
        }
        let mut subject = Self::new(identity, items).map_err(|error| io::Error::other(error.to_string()))?;
        subject.fields = fields(package);
        subject.relations = relations(package);
        subject.scripts = scripts(package);
        if format == Format::Deb {
            let config = package.tree.iter().filter(|(_, entry)| entry.role == Role::Config);
            subject.conffiles = config.map(|(path, _)| path.as_str().to_owned()).collect();
        } else {
            let author = |release: &crate::package::Release| format!("{} - {}", release.author, release.version.rpm());
            subject.changelog = package.changelog.releases.iter().map(author).collect();
        }
        subject.time = Some(package.time);
        subject.systemd = Some(package.target.distribution.systemd);
        subject.unwritten = true;
        Ok(subject)
    }
}

fn item(examiner: &mut Examiner, path: &InstallPath, entry: &Entry, package: &Package) -> io::Result<Item> {
    let (kind, link, size, content) = match &entry.node {
        Node::Directory => (FileKind::Directory, None, 0, Facts::default()),
        Node::Symlink(target) => (FileKind::Symlink, Some(target.clone()), 0, Facts::default()),
        Node::HardLink(file) => (FileKind::Hardlink, Some(file.as_str().to_owned()), 0, Facts::default()),
        Node::File(content) => {
            let facts = facts(examiner, path.as_str(), entry, is_of_others(path, entry, &package.tree), content)?;
            (FileKind::File, None, content.digests.size, facts)
        }
    };
    let config = entry.role == Role::Config;
    Ok(Item {
        path: path.as_str().to_owned(),
        kind,
        mode: crate::format::mode_of(path, entry, package.target.format()),
        user: entry.user.clone(),
        group: entry.group.clone(),
        time: Some(entry.time(package.time)),
        link,
        config,
        noreplace: config && !entry.marks.replaceable,
        ghost: entry.role == Role::Ghost,
        license: entry.role == Role::License,
        vendored: entry.vendored,
        size,
        content,
    })
}

/// Whether what stands in the file is not ours: it was vendored, or is the byte-code of what was, which has the texts of its
/// source.
fn is_of_others(path: &InstallPath, entry: &Entry, tree: &Tree) -> bool {
    let source = || {
        let (directory, code) = path.as_str().rsplit_once("/__pycache__/")?;
        let module = code.strip_suffix(".pyc")?.split_once('.')?.0;
        tree.get(&InstallPath::parse(&format!("{directory}/{module}.py")).ok()?)
    };
    entry.vendored || source().is_some_and(|source| source.vendored)
}

fn facts(examiner: &mut Examiner, path: &str, entry: &Entry, of_others: bool, content: &Content) -> io::Result<Facts> {
    let wanted = Wanted::of(path, entry.mode, of_others);
    let may_be_elf = entry.mode & 0o111 != 0 || path.contains(".so");
    // A large file is not read whole for the little that its headers say.
    let elf = if may_be_elf { elf::read(content)? } else { None };
    if let (Some(facts), false) = (&elf, wanted.traces) {
        return Ok(Facts { elf: Elf::Facts(facts.clone()), ..Facts::default() });
    }
    if wanted == (Wanted { head: false, text: false, traces: false }) {
        return Ok(Facts::default());
    }
    examiner.examine(&mut content.open()?, wanted)
}

fn fields(package: &Package) -> Vec<(String, String)> {
    let maintainer = package.maintainer.to_string();
    let fields = match package.target.format() {
        Format::Deb => vec![
            ("Package", Some(package.name.as_str().to_owned())),
            ("Maintainer", Some(maintainer)),
            ("Section", Some(package.section.clone())),
            ("Homepage", package.homepage.clone()),
            ("Description", Some(format!("{}\n{}", package.summary, package.description))),
        ],
        Format::Rpm => vec![
            ("Name", Some(package.name.as_str().to_owned())),
            ("Summary", Some(package.summary.clone())),
            ("Description", Some(package.description.clone())),
            ("License", Some(package.license.clone())),
            ("Vendor", Some(package.vendor.clone())),
            ("Packager", Some(maintainer)),
            ("URL", package.homepage.clone()),
        ],
    };
    fields.into_iter().filter_map(|(name, value)| value.map(|value| (name.to_owned(), value))).collect()
}

fn relations(package: &Package) -> Vec<(&'static str, Vec<String>)> {
    let all = &package.relations;
    let lists = match package.target.format() {
        Format::Deb => vec![
            ("Depends", &all.depends),
            ("Pre-Depends", &all.pre_depends),
            ("Recommends", &all.recommends),
            ("Suggests", &all.suggests),
            ("Enhances", &all.enhances),
            ("Conflicts", &all.conflicts),
            ("Breaks", &all.breaks),
            ("Replaces", &all.replaces),
            ("Provides", &all.provides),
        ],
        Format::Rpm => vec![
            ("Requires", &all.depends),
            ("Provides", &all.provides),
            ("Conflicts", &all.conflicts),
            ("Obsoletes", &all.replaces),
            ("Recommends", &all.recommends),
            ("Suggests", &all.suggests),
            ("Supplements", &all.supplements),
            ("Enhances", &all.enhances),
        ],
    };
    lists.into_iter().map(|(name, list)| (name, list.clone())).collect()
}

fn scripts(package: &Package) -> Vec<Script> {
    let format = package.target.format();
    let shebang = |text: &str| {
        let line = text.strip_prefix("#!").and_then(|rest| rest.lines().next());
        line.unwrap_or_default().trim().to_owned()
    };
    let debian = |name: &str, text: &str| Script {
        name: name.to_owned(),
        program: shebang(text),
        text: text.to_owned(),
        flags: 0,
    };
    let one = |(stage, script): (Stage, &crate::package::Script)| {
        let name = stage.name(format)?;
        Some(match format {
            Format::Deb => debian(name, &script.text),
            Format::Rpm => {
                let mut program = script.interpreter.join(" ");
                if program.is_empty() {
                    program.push_str(script.program());
                }
                Script { name: name.to_owned(), program, text: script.text.clone(), flags: script.flags }
            }
        })
    };
    let config = package.debian.config.iter().filter(|_| format == Format::Deb).map(|text| debian("config", text));
    package.scripts.iter().filter_map(one).chain(config).collect()
}
