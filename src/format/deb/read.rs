//! Reads a .deb from anyone, in bounded memory (deb(5)): nothing is unpacked to disk, nothing in it is run, and what
//! dpkg would not read is refused.

use std::collections::HashSet;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use serde::Serialize;

use super::archive::{self, Member};
use super::stanza;
use super::tar_reader::{self, Item};
use crate::format::Error;
use crate::format::compression::{Bounded, decoder, most_unpacked};
use crate::format::error::Fault;
use crate::format::listing::{FileInfo, FileKind};
use crate::relation::debian::check_version as check_debian_version;
use crate::target::Compression;

/// One member of the control archive, unpacked (`md5sums` of a large tree is the largest).
const MAX_CONTROL_FILE: u64 = 1024 * 1024;
/// The control archive, unpacked.
const MAX_CONTROL: u64 = 64 * 1024 * 1024;
/// The files that a package may have in its control archive beside `control` (deb(5), deb-triggers(5), deb-symbols(5)).
const KNOWN: [&str; 12] = [
    "conffiles",
    "md5sums",
    "shlibs",
    "symbols",
    "triggers",
    "templates",
    "config",
    "preinst",
    "postinst",
    "prerm",
    "postrm",
    "isinstallable",
];
/// What is read at once of a member.
const BUFFER: usize = 128 * 1024;
const SCRIPTS: [&str; 5] = ["preinst", "postinst", "prerm", "postrm", "config"];

/// Whether the list of files is wanted; it means unpacking all of the data archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// Leave [`DebInfo::files`] empty.
    Skip,
    /// Read them.
    List,
}

/// What a .deb says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DebInfo {
    /// The fields of `control` in their order. A value keeps its continuation lines (`"short\n long\n ."`), so that
    /// `Name: value` is the field again. `Package`, `Version` and `Architecture` are there and well-formed.
    pub control: Vec<(String, String)>,
    /// Maintainer scripts: name and text.
    pub scripts: Vec<(String, String)>,
    /// The lines of `triggers` (deb-triggers(5)), comments left out.
    pub triggers: Vec<String>,
    /// debconf's `templates`.
    pub templates: Option<String>,
    /// The paths in `conffiles`, in their order; lines with a flag (`remove-on-upgrade`) are left as they are.
    pub conffiles: Vec<String>,
    /// Files of the data archive in its order; empty when they were not asked for.
    pub files: Vec<FileInfo>,
    /// How the data archive is compressed; `None` when it is stored.
    pub compression: Option<Compression>,
    /// Bytes of the .deb.
    pub size: u64,
}

impl DebInfo {
    /// The value of a field, its name compared without case.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.control.iter().find(|(present, _)| present.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// `Package`.
    pub fn package(&self) -> &str {
        self.field("Package").unwrap_or_default()
    }

    /// `Version`, with epoch and revision.
    pub fn version(&self) -> &str {
        self.field("Version").unwrap_or_default()
    }

    /// `Architecture`.
    pub fn architecture(&self) -> &str {
        self.field("Architecture").unwrap_or_default()
    }

    /// The source package's name: `Source` without a version in parentheses, else `Package`.
    pub fn source(&self) -> &str {
        let source = self.field("Source").and_then(|source| source.split_whitespace().next());
        source.unwrap_or_else(|| self.package())
    }
}

/// Reads the .deb at `path`. Both archives are decompressed to their ends when `files` is [`Files::List`].
pub fn read(path: &Path, files: Files) -> Result<DebInfo, Error> {
    read_file(path, files, &mut |_, _| Ok(())).map_err(|fault| fault.at(path))
}

/// The same of all that `source` has, which errors call `path`; `each` is given every file of the data archive where files are
/// listed.
pub fn read_from(
    source: &mut (impl Read + Seek),
    path: &Path,
    files: Files,
    each: &mut Visitor<'_>,
) -> Result<DebInfo, Error> {
    read_all(source, files, each).map_err(|fault| fault.at(path))
}

/// The same with the list of files; `each` is given every file of the data archive with its content, which it need not read.
pub fn read_contents(path: &Path, each: &mut Visitor<'_>) -> Result<DebInfo, Error> {
    read_file(path, Files::List, each).map_err(|fault| fault.at(path))
}

/// Looks at one file of the data archive and its content.
pub type Visitor<'a> = dyn FnMut(&FileInfo, &mut dyn Read) -> std::io::Result<()> + 'a;

fn read_file(path: &Path, files: Files, each: &mut Visitor<'_>) -> Result<DebInfo, Fault> {
    read_all(&mut fs_err::File::open(path)?, files, each)
}

fn read_all(file: &mut (impl Read + Seek), files: Files, each: &mut Visitor<'_>) -> Result<DebInfo, Fault> {
    let size = file.seek(SeekFrom::End(0))?;
    let members = archive::members(file)?;
    let expected = || Fault::malformed("its members are not debian-binary, control.tar and data.tar, in this order");
    // Signing tools add members after these three, whose names begin with `_`. One in between would be skipped by some
    // readers and taken by others.
    let [version, control, data, more @ ..] = members.as_slice() else { return Err(expected()) };
    if version.name != "debian-binary" || more.iter().any(|member| !member.name.starts_with('_')) {
        return Err(expected());
    }
    let control_compression = compression_of(&control.name, "control.tar").ok_or_else(expected)??;
    let compression = compression_of(&data.name, "data.tar").ok_or_else(expected)??;
    check_version(file, version)?;

    let mut info = DebInfo {
        control: Vec::new(),
        scripts: Vec::new(),
        triggers: Vec::new(),
        templates: None,
        conffiles: Vec::new(),
        files: Vec::new(),
        compression,
        size,
    };
    read_control(&mut info, open(file, control, control_compression, MAX_CONTROL)?)?;
    if files == Files::List {
        read_data(&mut info, open(file, data, compression, most_unpacked(data.size))?, each)?;
    }
    Ok(info)
}

/// The compression that a member's name tells; `None` when it is another member.
fn compression_of(name: &str, stem: &str) -> Option<Result<Option<Compression>, Fault>> {
    Some(match name.strip_prefix(stem)? {
        "" => Ok(None),
        ".gz" => Ok(Some(Compression::Gzip)),
        ".xz" => Ok(Some(Compression::Xz)),
        ".zst" => Ok(Some(Compression::Zstd)),
        ".bz2" | ".lzma" => Err(Fault::malformed(format!("`{name}` is compressed in a way that dpkg has given up"))),
        _ => return None,
    })
}

fn open<'a>(
    file: &'a mut (impl Read + Seek),
    member: &Member,
    compression: Option<Compression>,
    limit: u64,
) -> Result<Bounded<Box<dyn Read + 'a>>, Fault> {
    file.seek(SeekFrom::Start(member.offset))?;
    let capacity = usize::try_from(member.size).unwrap_or(usize::MAX).clamp(1, BUFFER);
    Ok(Bounded::new(decoder(compression, BufReader::with_capacity(capacity, file.take(member.size)))?, limit))
}

fn check_version(file: &mut (impl Read + Seek), member: &Member) -> Result<(), Fault> {
    let mut text = Vec::new();
    file.seek(SeekFrom::Start(member.offset))?;
    file.take(member.size.min(64)).read_to_end(&mut text)?;
    // deb(5): minor versions and further lines may be added.
    if text.starts_with(b"2.") && text.contains(&b'\n') {
        return Ok(());
    }
    Err(Fault::malformed("its format version is not 2.x"))
}

fn read_control(info: &mut DebInfo, mut reader: Bounded<Box<dyn Read + '_>>) -> Result<(), Fault> {
    let mut seen: Vec<String> = Vec::new();
    tar_reader::walk(&mut reader, |item, content| {
        if item.path == "/" && item.kind == FileKind::Directory {
            return Ok(());
        }
        let name = item.path.trim_start_matches('/').to_owned();
        let known = name == "control" || KNOWN.contains(&name.as_str());
        if !known || item.kind != FileKind::File {
            let name = name.escape_debug();
            return Err(Fault::malformed(format!("its control archive has `{name}`, which dpkg does not know")));
        }
        if seen.contains(&name) {
            return Err(Fault::malformed(format!("its control archive has `{name}` twice")));
        }
        if name == "control" {
            info.control = stanza::parse(&tar_reader::text(&item, content, MAX_CONTROL_FILE)?)?;
        } else if name == "conffiles" {
            let text = tar_reader::text(&item, content, MAX_CONTROL_FILE)?;
            info.conffiles = text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
        } else if name == "triggers" {
            let text = tar_reader::text(&item, content, MAX_CONTROL_FILE)?;
            let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
            info.triggers = lines.filter(|line| !line.is_empty()).map(str::to_owned).collect();
        } else if name == "templates" {
            info.templates = Some(script_text(&item, content)?);
        } else if SCRIPTS.contains(&name.as_str()) {
            let script = script_text(&item, content)?;
            info.scripts.push((name.clone(), script));
        }
        seen.push(name);
        Ok(())
    })?;
    tar_reader::drain(&mut reader)?;
    if !seen.iter().any(|name| name == "control") {
        return Err(Fault::malformed("it has no control file"));
    }
    check_identity(info)
}

/// A maintainer script may be a binary; it is shown as text where it is one.
fn script_text(item: &Item, content: &mut dyn Read) -> Result<String, Fault> {
    let mut bytes = Vec::new();
    content.take(MAX_CONTROL + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_CONTROL_FILE {
        return Ok(format!("({} bytes)", item.size));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// File names of a repository are made of these: they must be what deb-control(5) and Policy 5.6 say.
fn check_identity(info: &DebInfo) -> Result<(), Fault> {
    let architecture = info.architecture();
    let good_architecture = (1..=64).contains(&architecture.len())
        && architecture.starts_with(|first: char| first.is_ascii_alphanumeric())
        && architecture.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    for (good, field) in [
        (is_package_name(info.package()), "Package"),
        (info.field("Source").is_none_or(is_source), "Source"),
        (is_version(info.version()), "Version"),
        (good_architecture, "Architecture"),
    ] {
        if !good {
            return Err(match info.field(field) {
                None => Fault::malformed(format!("its control file has no field `{field}`")),
                Some(value) => {
                    Fault::malformed(format!("its field `{field}` is malformed: `{}`", value.escape_debug()))
                }
            });
        }
    }
    Ok(())
}

/// Policy 5.6.1, for source packages and binary ones.
pub(super) fn is_package_name(name: &str) -> bool {
    (2..=200).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte))
}

/// Policy 5.6.12.
pub(super) fn is_version(version: &str) -> bool {
    version.len() <= 200 && check_debian_version(version).is_ok()
}

/// `name` or `name (version)`, Policy 5.6.1.
fn is_source(text: &str) -> bool {
    let (name, version) = text.split_once(' ').unwrap_or((text, ""));
    let inner = version.trim().strip_prefix('(').and_then(|inner| inner.strip_suffix(')'));
    is_package_name(name) && (version.is_empty() || inner.is_some_and(|version| is_version(version.trim())))
}

fn read_data(info: &mut DebInfo, mut reader: Bounded<Box<dyn Read + '_>>, each: &mut Visitor<'_>) -> Result<(), Fault> {
    let conffiles: HashSet<&str> = info.conffiles.iter().map(String::as_str).collect();
    let files = &mut info.files;
    tar_reader::walk(&mut reader, |item, content| {
        if item.path != "/" {
            let config = conffiles.contains(item.path.as_str());
            let file = file_info(item, config);
            each(&file, content)?;
            files.push(file);
        }
        Ok(())
    })?;
    tar_reader::drain(&mut reader)?;
    Ok(())
}

fn file_info(item: Item, config: bool) -> FileInfo {
    let license = item.path.starts_with("/usr/share/doc/") && item.path.ends_with("/copyright");
    FileInfo {
        documentation: item.path.starts_with("/usr/share/doc/") && item.kind == FileKind::File,
        path: item.path,
        kind: item.kind,
        mode: item.mode,
        user: item.user,
        group: item.group,
        size: item.size,
        time: item.time,
        link: item.link,
        sha256: None,
        config,
        noreplace: config,
        missing_ok: false,
        license,
        ghost: false,
        capabilities: None,
    }
}
