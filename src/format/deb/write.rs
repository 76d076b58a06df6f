//! Writes a .deb (deb(5)): `debian-binary`, the control archive, the data archive, each content read once and compressed
//! on its way into the file.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use tar::EntryType;

use super::tar_writer::{self, Owner};
use super::{archive, control, owner};
use crate::format::compression::{Encoder, extension};
use crate::format::error::Error;
use crate::format::mode::mode_of;
use crate::format::output::{Output, copy_content};
use crate::format::{Resolved, Written, text};
use crate::package::Package;
use crate::target::Format;
use crate::tree::{Entry, InstallPath, Node};

const VERSION: &[u8] = b"2.0\n";

/// Steps, in order: check all that can be wrong, then write `debian-binary`, the control archive (in memory, it is
/// small), the data archive (streamed; its size is patched into the member's header at the end), then name the file.
pub(in crate::format) fn write(package: &Package, directory: &Path, options: Resolved) -> Result<Written, Error> {
    let entries = package.tree.with_directories();
    let time = u64::try_from(package.time).ok().filter(|&time| time <= tar_writer::MAX_SIZE);
    let time = time.ok_or_else(|| Error::Unwritable {
        what: format!("time {}", package.time),
        rule: "it must lie between 1970 and 2242",
        hint: "correct SOURCE_DATE_EPOCH or the commit's date",
    })?;
    let items = items(&entries)?;
    let control_files = control_files(package, &entries)?;

    let mut output = Output::create(directory, file_name(package))?;
    let path = output.path().to_path_buf();
    let write_error = |source: io::Error| Error::Write { path: path.clone(), source };

    let control = control_archive(&control_files, time, options).map_err(write_error)?;
    let extension = extension(options.compression);
    let data_name = format!("data.tar.{extension}");
    let file = output.file();
    let header_at = (|| {
        archive::start(file)?;
        member(file, "debian-binary", package.time, VERSION)?;
        member(file, &format!("control.tar.{extension}"), package.time, &control)?;
        let header_at = file.stream_position()?;
        file.write_all(archive::header(&data_name, package.time, 0).as_bytes())?;
        Ok(header_at)
    })()
    .map_err(write_error)?;

    let room = items.iter().map(|item| tar_writer::room(&item.name, item.size())).sum();
    let buffered = BufWriter::with_capacity(256 * 1024, file);
    let mut encoder =
        Encoder::new(options.compression, options.effort, options.threads, room, buffered).map_err(write_error)?;
    write_data(&items, time, &mut encoder, &path)?;
    let file = encoder.finish().and_then(|out| out.into_inner().map_err(|error| error.into_error()));
    let file = file.map_err(write_error)?;

    (|| {
        let end = file.stream_position()?;
        let size = end - header_at - archive::header("", 0, 0).len() as u64;
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
    output.finish()
}

/// `name_version_architecture.deb`, the version without its epoch, as dpkg-deb and archives name it.
fn file_name(package: &Package) -> String {
    let architecture = package.architecture.map_or("all", |architecture| architecture.name(Format::Deb));
    let version = &package.version;
    format!("{}_{}-{}_{architecture}.deb", package.name, version.debian, version.revision)
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
    if !md5sums.is_empty() {
        files.push(plain("md5sums", md5sums));
    }
    let scripts = &package.scripts;
    if scripts.post_transaction.is_some() {
        return Err(Error::Unwritable {
            what: "script for the end of the transaction".to_owned(),
            rule: "dpkg has no such script",
            hint: "do its work in the postinst",
        });
    }
    for (name, script) in [
        ("preinst", &scripts.pre_install),
        ("postinst", &scripts.post_install),
        ("prerm", &scripts.pre_remove),
        ("postrm", &scripts.post_remove),
    ] {
        let Some(script) = script else { continue };
        if !text::script(name, script)?.starts_with("#!") {
            return Err(Error::Unwritable {
                what: name.to_owned(),
                rule: "a maintainer script must begin with `#!` (Policy 10.4)",
                hint: "begin it with `#!/bin/sh`",
            });
        }
        files.push(ControlFile { name, mode: 0o755, content: script.clone() });
    }
    files.sort_unstable_by_key(|file| file.name);
    Ok(files)
}

fn control_archive(files: &[ControlFile<'_>], time: u64, options: Resolved) -> io::Result<Vec<u8>> {
    let room = files.iter().map(|file| tar_writer::room(file.name, file.content.len() as u64)).sum();
    let mut out = Encoder::new(options.compression, options.effort, 1, room, Vec::new())?;
    tar_writer::header(&mut out, &root(time))?;
    for file in files {
        let (name, size) = (format!("./{}", file.name), file.content.len() as u64);
        let (mode, owner) = (file.mode, Owner::ROOT);
        let entry =
            tar_writer::Entry { name: &name, entry_type: EntryType::Regular, mode, owner, size, time, link: "" };
        tar_writer::header(&mut out, &entry)?;
        out.write_all(file.content.as_bytes())?;
        tar_writer::padding(&mut out, size)?;
    }
    tar_writer::end(&mut out)?;
    out.finish()
}

/// The entry `./`, which dpkg-deb writes and lintian wants.
fn root(time: u64) -> tar_writer::Entry<'static> {
    let (mode, owner) = (0o755, Owner::ROOT);
    tar_writer::Entry { name: "./", entry_type: EntryType::Directory, mode, owner, size: 0, time, link: "" }
}

/// An entry of the data archive, checked.
struct Item<'a> {
    path: &'a InstallPath,
    entry: &'a Entry,
    name: String,
    owner: Owner,
}

impl Item<'_> {
    fn size(&self) -> u64 {
        if let Node::File(content) = &self.entry.node { content.digests.size } else { 0 }
    }
}

fn items(entries: &BTreeMap<InstallPath, Entry>) -> Result<Vec<Item<'_>>, Error> {
    let mut items = Vec::with_capacity(entries.len());
    for (path, entry) in entries {
        let slash = if matches!(entry.node, Node::Directory) { "/" } else { "" };
        let owner = owner::owner(path, &entry.user, &entry.group)?;
        if let Node::Symlink(target) = &entry.node {
            text::link_target(path, target)?;
        }
        let item = Item { path, entry, name: format!("./{}{slash}", path.relative()), owner };
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

fn write_data(items: &[Item<'_>], time: u64, out: &mut dyn Write, artefact: &Path) -> Result<(), Error> {
    let write_error = |source| Error::Write { path: artefact.to_path_buf(), source };
    tar_writer::header(out, &root(time)).map_err(write_error)?;
    for item in items {
        let (entry_type, link) = match &item.entry.node {
            Node::Directory => (EntryType::Directory, ""),
            Node::File(_) => (EntryType::Regular, ""),
            Node::Symlink(target) => (EntryType::Symlink, target.as_str()),
            Node::HardLink(_) => (EntryType::Link, ""),
        };
        let mode = mode_of(item.path, item.entry, Format::Deb);
        let (name, owner, size) = (item.name.as_str(), item.owner, item.size());
        let entry = tar_writer::Entry { name, entry_type, mode, owner, size, time, link };
        tar_writer::header(out, &entry).map_err(write_error)?;
        if let Node::File(content) = &item.entry.node {
            copy_content(item.path, content, out, artefact)?;
            tar_writer::padding(out, size).map_err(write_error)?;
        }
    }
    tar_writer::end(out).map_err(write_error)
}
