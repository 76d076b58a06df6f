//! Walks the tar archives of a .deb as dpkg does: ustar and GNU headers, GNU long names; pax headers, sparse files and
//! other extensions are refused because dpkg refuses them (deb(5)). Names are read within a limit, which the `tar`
//! crate's own handling of long names does not have.

use std::io::{self, Read};

use tar::EntryType;

use crate::format::error::Fault;
use crate::format::listing::FileKind;
use crate::format::text::repaired;

/// Longer names than any file system takes.
const MAX_NAME: u64 = 8192;
/// More files than any package has.
const MAX_ENTRIES: usize = 500_000;
/// All names of one archive together.
const MAX_NAMES: usize = 128 * 1024 * 1024;

/// One entry of an archive.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// Absolute, normalised; `/` for the root.
    pub(super) path: String,
    pub(super) kind: FileKind,
    pub(super) mode: u32,
    pub(super) user: String,
    pub(super) group: String,
    pub(super) size: u64,
    pub(super) time: i64,
    pub(super) link: Option<String>,
}

/// Calls `each` with every entry and its content.
pub(super) fn walk(
    reader: impl Read,
    mut each: impl FnMut(Item, &mut dyn Read) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut archive = tar::Archive::new(reader);
    let (mut long_name, mut long_link) = (None, None);
    let (mut entries, mut names) = (0, 0_usize);
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry?;
        entries += 1;
        if entries > MAX_ENTRIES {
            return Err(Fault::malformed("it has more entries than any package"));
        }
        let header = entry.header().clone();
        match header.entry_type() {
            EntryType::GNULongName => {
                long_name = Some(read_long(&mut entry)?);
                continue;
            }
            EntryType::GNULongLink => {
                long_link = Some(read_long(&mut entry)?);
                continue;
            }
            _ => {}
        }
        let kind = kind(header.entry_type())?;
        let size = header.entry_size()?;
        let raw = long_name.take().unwrap_or_else(|| header.path_bytes().into_owned());
        let path = absolute(&raw)?;
        if kind != FileKind::File && size != 0 {
            // Some readers skip such bytes, others take them for the next entry.
            return Err(Fault::malformed(format!("`{}` is no regular file and has content", path.escape_debug())));
        }
        let link = long_link.take().or_else(|| header.link_name_bytes().map(|name| name.into_owned()));
        let link = match kind {
            FileKind::Symlink => Some(repaired(&link.unwrap_or_default())),
            FileKind::Hardlink => Some(absolute(&link.unwrap_or_default())?),
            _ => None,
        };
        names += path.len() + link.as_ref().map_or(0, String::len);
        if names > MAX_NAMES {
            return Err(Fault::malformed("the names of its files take too much memory"));
        }
        // An archive made with numbers alone has no names.
        let name = |bytes: Option<&[u8]>, number: io::Result<u64>| match bytes {
            Some(name) if !name.is_empty() => String::from_utf8_lossy(name).into_owned(),
            _ => number.map(|number| number.to_string()).unwrap_or_default(),
        };
        let item = Item {
            path,
            kind,
            mode: header.mode()? & 0o7777,
            user: name(header.username_bytes(), header.uid()),
            group: name(header.groupname_bytes(), header.gid()),
            size,
            time: i64::try_from(header.mtime()?).unwrap_or(i64::MAX),
            link,
        };
        each(item, &mut entry)?;
    }
    Ok(())
}

fn kind(entry_type: EntryType) -> Result<FileKind, Fault> {
    Ok(match entry_type {
        EntryType::Regular | EntryType::Continuous => FileKind::File,
        EntryType::Directory => FileKind::Directory,
        EntryType::Symlink => FileKind::Symlink,
        EntryType::Link => FileKind::Hardlink,
        EntryType::Char | EntryType::Block | EntryType::Fifo => FileKind::Special,
        EntryType::XHeader | EntryType::XGlobalHeader => {
            return Err(Fault::malformed("it has pax headers, which dpkg does not read"));
        }
        other => {
            let letter = char::from(other.as_byte()).escape_default().to_string();
            return Err(Fault::malformed(format!("it has an entry of the type `{letter}`, which dpkg does not read")));
        }
    })
}

fn read_long(entry: &mut impl Read) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    entry.by_ref().take(MAX_NAME + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_NAME {
        return Err(Fault::malformed("a file's name is longer than a file system allows"));
    }
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    Ok(bytes)
}

/// `./usr/bin/` as `/usr/bin`; refuses what leaves the root.
fn absolute(raw: &[u8]) -> Result<String, Fault> {
    let text = repaired(raw);
    let mut path = String::with_capacity(text.len() + 1);
    for part in text.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part == ".." || part.contains('\0') {
            return Err(Fault::malformed(format!("the file name `{}` leaves its place", text.escape_debug())));
        }
        path.push('/');
        path.push_str(part);
    }
    Ok(if path.is_empty() { "/".to_owned() } else { path })
}

/// Reads all of an entry as text of at most `limit` bytes.
pub(super) fn text(item: &Item, content: &mut dyn Read, limit: u64) -> Result<String, Fault> {
    let mut bytes = Vec::new();
    content.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(Fault::malformed(format!("its `{}` is larger than {limit} bytes", item.path)));
    }
    String::from_utf8(bytes).map_err(|_| Fault::malformed(format!("its `{}` is not UTF-8", item.path)))
}

/// Reads to the end, so that the decompressor checks what follows the archive, too.
pub(super) fn drain(reader: &mut dyn Read) -> io::Result<()> {
    io::copy(reader, &mut io::sink()).map(drop)
}
