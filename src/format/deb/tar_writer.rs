//! The tar archives of a .deb, in the form that dpkg-deb itself writes: GNU headers, names below `./`, GNU long names
//! for what does not fit, no pax headers. The blocks are written directly because the `tar` crate's builder strips `./`.

use std::io::{self, Write};

use tar::{EntryType, Header};

/// A member's size field has eleven octal digits.
pub(super) const MAX_SIZE: u64 = 0o77_777_777_777;
/// Contents are padded to a multiple of it.
pub(super) const BLOCK: u64 = 512;
const NAME: usize = 100;

/// Owner and group of an entry, with the numbers that Debian has fixed for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) user: (&'static str, u64),
    pub(super) group: (&'static str, u64),
}

impl Owner {
    pub(super) const ROOT: Self = Self { user: ("root", 0), group: ("root", 0) };
}

/// What the header of one entry says.
pub(super) struct Entry<'a> {
    /// As it stands in the archive: `./usr/bin/acme`, with a trailing slash for directories.
    pub(super) name: &'a str,
    pub(super) entry_type: EntryType,
    pub(super) mode: u32,
    pub(super) owner: Owner,
    pub(super) size: u64,
    pub(super) time: u64,
    pub(super) link: &'a str,
}

/// Writes the header of an entry; its content and [`padding`] follow.
pub(super) fn header(out: &mut dyn Write, entry: &Entry<'_>) -> io::Result<()> {
    if entry.link.len() > NAME {
        long(out, EntryType::GNULongLink, entry.link)?;
    }
    if entry.name.len() > NAME {
        long(out, EntryType::GNULongName, entry.name)?;
    }
    let mut header = plain(entry.entry_type, entry.mode, entry.size, entry.time, entry.name);
    header.set_uid(entry.owner.user.1);
    header.set_gid(entry.owner.group.1);
    header.set_username(entry.owner.user.0)?;
    header.set_groupname(entry.owner.group.0)?;
    put(&mut header.as_old_mut().linkname, entry.link);
    header.set_cksum();
    out.write_all(header.as_bytes())
}

fn plain(entry_type: EntryType, mode: u32, size: u64, time: u64, name: &str) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(entry_type);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(size);
    header.set_mtime(time);
    put(&mut header.as_old_mut().name, name);
    header
}

fn put(place: &mut [u8; NAME], text: &str) {
    place.iter_mut().zip(text.bytes()).for_each(|(byte, value)| *byte = value);
}

/// GNU tar's extension: the name as the content of an entry before the one it belongs to.
fn long(out: &mut dyn Write, entry_type: EntryType, text: &str) -> io::Result<()> {
    let size = text.len() as u64 + 1;
    let mut header = plain(entry_type, 0o644, size, 0, "././@LongLink");
    header.set_username("root")?;
    header.set_groupname("root")?;
    header.set_cksum();
    out.write_all(header.as_bytes())?;
    out.write_all(text.as_bytes())?;
    out.write_all(&[0])?;
    padding(out, size)
}

/// Fills the last block of a content of `size` bytes.
pub(super) fn padding(out: &mut dyn Write, size: u64) -> io::Result<()> {
    let rest = (size % BLOCK) as usize;
    if rest == 0 { Ok(()) } else { out.write_all([0; BLOCK as usize].get(rest..).unwrap_or_default()) }
}

/// Ends the archive. GNU tar pads to 10 KiB records; two blocks of zeros are what the format asks for.
pub(super) fn end(out: &mut dyn Write) -> io::Result<()> {
    out.write_all(&[0; 2 * BLOCK as usize])
}
