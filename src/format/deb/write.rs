//! Writes a .deb (deb(5)): `debian-binary`, the control archive, the data archive, both as plans that are packed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use tar::EntryType;

use super::tar_writer::{self, Owner};
use super::{archive, control, owner};
use crate::format::error::Error;
use crate::format::mode::mode_of;
use crate::format::output::Output;
use crate::format::pack::{Plan, extension, pack};
use crate::format::{Resolved, Written, text};
use crate::package::Package;
use crate::target::Format;
use crate::tree::{Content, Entry, InstallPath, Node, Role};

const VERSION: &[u8] = b"2.0\n";

/// Steps, in order: check all that can be wrong, then write `debian-binary`, the control archive (in memory, it is
/// small), the data archive (streamed; its size is patched into the member's header at the end), then name the file.
pub(in crate::format) fn write(package: &Package, directory: &Path, options: Resolved<'_>) -> Result<Written, Error> {
    // What is made at run time is not in the archive; the postrm knows of it.
    let mut entries = package.tree.with_directories();
    entries.retain(|_, entry| entry.role != Role::Ghost);
    let time = u64::try_from(package.time).ok().filter(|&time| time <= tar_writer::MAX_SIZE);
    let time = time.ok_or_else(|| Error::Unwritable {
        what: format!("time {}", package.time),
        rule: "it must lie between 1970 and 2242",
        hint: "correct SOURCE_DATE_EPOCH or the commit's date",
    })?;
    let items = items(&entries, package.time)?;
    let control_files = control_files(package, &entries)?;

    let mut output = Output::create(directory, file_name(package))?;
    let path = output.path().to_path_buf();
    let write_error = |source: io::Error| Error::Write { path: path.clone(), source };

    let control = control_archive(&control_files, time).map_err(write_error)?;
    let mut control_packed = Vec::new();
    pack(&control, Resolved { threads: Some(1), blocks: None, ..options }, false, &mut control_packed, &path)?;
    // The directory of all is as old as any other that holds what is vendored.
    let newest =
        entries.values().filter_map(|entry| entry.time).max().map_or(package.time, |time| time.min(package.time));
    let newest = u64::try_from(newest).unwrap_or_default();
    let data = data_archive(&items, newest).map_err(write_error)?;
    let extension = extension(options.compression);
    let data_name = format!("data.tar.{extension}");
    let file = output.file();
    let header_at = (|| {
        archive::start(file)?;
        member(file, "debian-binary", package.time, VERSION)?;
        member(file, &format!("control.tar.{extension}"), package.time, &control_packed)?;
        let header_at = file.stream_position()?;
        file.write_all(archive::header(&data_name, package.time, 0).as_bytes())?;
        Ok(header_at)
    })()
    .map_err(write_error)?;

    let size = pack(&data, options, false, &mut *file, &path)?.size;

    (|| {
        if size > archive::MAX_MEMBER_SIZE {
            return Err(io::Error::other("its data archive is larger than deb(5) allows (10 GB)"));
        }
        if size % 2 == 1 {
            file.write_all(b"\n")?;
        }
        file.seek(SeekFrom::Start(header_at))?;
        file.write_all(archive::header(&data_name, package.time, size).as_bytes())
    })()
    .map_err(write_error)?;
    output.finish(None)
}

/// `name_version_architecture.deb`, the version without its epoch, as dpkg-deb and archives name it.
fn file_name(package: &Package) -> String {
    let architecture = package.architecture.map_or("all", |architecture| architecture.name(Format::Deb));
    format!("{}_{}_{architecture}.deb", package.name, package.version.debian_without_epoch())
}

fn member(file: &mut dyn Write, name: &str, time: i64, content: &[u8]) -> io::Result<()> {
    file.write_all(archive::header(name, time, content.len() as u64).as_bytes())?;
    file.write_all(content)?;
    if content.len() % 2 == 1 { file.write_all(b"\n") } else { Ok(()) }
}

/// One file of the control archive.
struct ControlFile<'a> {
    name: &'a str,
    mode: u32,
    content: String,
}

/// The control archive's files, sorted by name.
fn control_files(
    package: &Package,
    entries: &BTreeMap<InstallPath, Entry>,
) -> Result<Vec<ControlFile<'static>>, Error> {
    let plain = |name, content| ControlFile { name, mode: 0o644, content };
    let mut files = vec![plain("control", control::control(package, entries)?)];
    let conffiles = control::conffiles(entries)?;
    if !conffiles.is_empty() {
        files.push(plain("conffiles", conffiles));
    }
    let md5sums = control::md5sums(entries);
    if !md5sums.is_empty() && !package.debian.without_md5sums {
        files.push(plain("md5sums", md5sums));
    }
    for (stage, script) in package.scripts.iter() {
        let Some(name) = stage.name(Format::Deb) else {
            return Err(Error::Unwritable {
                what: "script for a whole transaction".to_owned(),
                rule: "dpkg has no such script",
                hint: "do its work in the postinst",
            });
        };
        files.push(script_file(name, &script.text)?);
    }
    let debian = &package.debian;
    files.extend(debian.config.as_deref().map(|text| script_file("config", text)).transpose()?);
    for (name, text) in [("templates", &debian.templates), ("triggers", &debian.triggers)] {
        if let Some(text) = text {
            files.push(plain(name, text::script(name, text)?.to_owned()));
        }
    }
    files.sort_unstable_by_key(|file| file.name);
    Ok(files)
}

/// A maintainer script, which dpkg runs itself.
fn script_file(name: &'static str, text: &str) -> Result<ControlFile<'static>, Error> {
    if !text::script(name, text)?.starts_with("#!") {
        return Err(Error::Unwritable {
            what: name.to_owned(),
            rule: "a maintainer script must begin with `#!` (Policy 10.4)",
            hint: "begin it with `#!/bin/sh`",
        });
    }
    Ok(ControlFile { name, mode: 0o755, content: text.to_owned() })
}

fn control_archive(files: &[ControlFile<'_>], time: u64) -> io::Result<Plan<'static>> {
    let mut plan = Plan::new(tar_writer::BLOCK);
    tar_writer::header(&mut plan, &root(time))?;
    for file in files {
        let (name, size) = (format!("./{}", file.name), file.content.len() as u64);
        let (mode, owner) = (file.mode, Owner::ROOT);
        let entry =
            tar_writer::Entry { name: &name, entry_type: EntryType::Regular, mode, owner, size, time, link: "" };
        tar_writer::header(&mut plan, &entry)?;
        plan.write_all(file.content.as_bytes())?;
        tar_writer::padding(&mut plan, size)?;
    }
    plan.entry(None, None);
    tar_writer::end(&mut plan)?;
    Ok(plan)
}

/// The entry `./`, which dpkg-deb writes and lintian wants.
fn root(time: u64) -> tar_writer::Entry<'static> {
    let (mode, owner) = (0o755, Owner::ROOT);
    tar_writer::Entry { name: "./", entry_type: EntryType::Directory, mode, owner, size: 0, time, link: "" }
}

/// What an entry of the data archive is.
enum Kind<'a> {
    Directory,
    File(&'a Content),
    Symlink(&'a str),
    /// Another name of a file that stands before it, by its name in the archive.
    Link(String),
}

/// An entry of the data archive, checked.
struct Item<'a> {
    path: &'a InstallPath,
    kind: Kind<'a>,
    name: String,
    mode: u32,
    owner: Owner,
    /// Seconds since 1970.
    time: u64,
    /// Whether it is as it is since before the service's last commits.
    settled: bool,
}

impl Item<'_> {
    fn size(&self) -> u64 {
        if let Kind::File(content) = self.kind { content.digests.size } else { 0 }
    }
}

fn items(entries: &BTreeMap<InstallPath, Entry>, package_time: i64) -> Result<Vec<Item<'_>>, Error> {
    let firsts = first_names(entries)?;
    let mut items = Vec::with_capacity(entries.len());
    for (path, entry) in entries {
        let slash = if matches!(entry.node, Node::Directory) { "/" } else { "" };
        // A file and its other names are one inode: mode and owner are the file's.
        let file = if let Node::HardLink(file) = &entry.node { file } else { path };
        let of = entries.get(file).unwrap_or(entry);
        let kind = match (&of.node, firsts.get(file)) {
            (_, Some(first)) if *first != path => Kind::Link(format!("./{}", first.relative())),
            (Node::File(content), _) => Kind::File(content),
            (Node::Directory, _) => Kind::Directory,
            (Node::Symlink(target), _) => {
                text::link_target(path, target)?;
                Kind::Symlink(target)
            }
            (Node::HardLink(_), _) => return Err(Error::dangling_hard_link(path, file)),
        };
        let name = format!("./{}{slash}", path.relative());
        let item = Item {
            path,
            kind,
            name,
            mode: mode_of(file, of, Format::Deb),
            owner: owner::owner(path, &of.user, &of.group)?,
            time: u64::try_from(of.time(package_time)).unwrap_or_default(),
            settled: entry.time.is_some(),
        };
        if item.size() > tar_writer::MAX_SIZE {
            return Err(Error::Unpackable {
                path: path.clone(),
                rule: "a file of a .deb must be smaller than 8 GiB".to_owned(),
                hint: "leave it out, or fetch it after the installation",
            });
        }
        items.push(item);
    }
    Ok(items)
}

/// The order of the archive: what has a time of its own (vendored content) comes first, with the directories that it needs, then what
/// changes with the service's own commits; each part by path. Gives the length of the first part as well. Links to files stand in the second:
/// they must come after their file.
fn ordered<'a, 'b>(items: &'b [Item<'a>]) -> (Vec<&'b Item<'a>>, usize) {
    let comes_first = |item: &Item<'_>| item.settled && !matches!(item.kind, Kind::Link(_) | Kind::Directory);
    let mut directories: HashSet<InstallPath> = HashSet::new();
    for item in items.iter().filter(|item| comes_first(item)) {
        let mut parent = item.path.parent();
        while let Some(directory) = parent {
            parent = directory.parent();
            if !directories.insert(directory) {
                break;
            }
        }
    }
    let (mut first, second): (Vec<&Item<'_>>, Vec<&Item<'_>>) =
        items.iter().partition(|item| comes_first(item) || directories.contains(item.path));
    let length = first.len();
    first.extend(second);
    (first, length)
}

/// For each file with hard links, the name that comes first in the archive: it has the content, whichever the tree gives
/// it to, because a link can only be made to what has been unpacked.
fn first_names(entries: &BTreeMap<InstallPath, Entry>) -> Result<HashMap<&InstallPath, &InstallPath>, Error> {
    let mut firsts = HashMap::new();
    for (path, entry) in entries {
        let Node::HardLink(file) = &entry.node else { continue };
        let target = entries.get(file).filter(|entry| matches!(entry.node, Node::File(_)));
        let target = target.ok_or_else(|| Error::dangling_hard_link(path, file))?;
        if target.role == Role::Config {
            return Err(Error::Unpackable {
                path: path.clone(),
                rule: format!("it is a hard link to the conffile {file} (Policy 10.7.3)"),
                hint: "use a symbolic link",
            });
        }
        let first = firsts.entry(file).or_insert_with(|| file.min(path));
        *first = (*first).min(path);
    }
    Ok(firsts)
}

/// `root_time` is that of the directory that holds all.
fn data_archive<'a>(items: &[Item<'a>], root_time: u64) -> io::Result<Plan<'a>> {
    let mut plan = Plan::new(tar_writer::BLOCK);
    tar_writer::header(&mut plan, &root(root_time))?;
    plan.entry(None, None);
    let (items, first_part) = ordered(items);
    for (number, item) in items.into_iter().enumerate() {
        if number == first_part {
            plan.part();
        }
        let (entry_type, link) = match &item.kind {
            Kind::Directory => (EntryType::Directory, ""),
            Kind::File(_) => (EntryType::Regular, ""),
            Kind::Symlink(target) => (EntryType::Symlink, *target),
            Kind::Link(first) => (EntryType::Link, first.as_str()),
        };
        let (name, mode, owner, size, time) = (item.name.as_str(), item.mode, item.owner, item.size(), item.time);
        let entry = tar_writer::Entry { name, entry_type, mode, owner, size, time, link };
        tar_writer::header(&mut plan, &entry)?;
        plan.entry(Some(item.path), if let Kind::File(content) = item.kind { Some(content) } else { None });
    }
    tar_writer::end(&mut plan)?;
    Ok(plan)
}
