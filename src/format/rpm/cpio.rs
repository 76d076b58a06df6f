//! The payload's archive: cpio in the "new ASCII" form (magic 070701), and rpm's own stripped form (07070X, a file's number
//! in the header instead of its metadata) when a file is too large for eight hexadecimal digits.

use std::io::{self, Write};

/// The largest size that fits into a header of the new ASCII form.
pub(super) const MAX_SIZE: u64 = 0xffff_ffff;

/// Headers and contents are padded to a multiple of it.
pub(super) const ALIGNMENT: u64 = 4;

/// What the header of one file says.
pub(super) struct Entry<'a> {
    /// `./usr/bin/acme`.
    pub(super) name: &'a str,
    pub(super) inode: u32,
    /// How many names the file has in the archive.
    pub(super) links: u32,
    pub(super) mode: u32,
    pub(super) time: u32,
    pub(super) size: u32,
}

/// Writes a header of the new ASCII form; the content and [`padding`] follow.
pub(super) fn header(out: &mut dyn Write, entry: &Entry<'_>) -> io::Result<()> {
    let name_size = entry.name.len() + 1;
    let Entry { inode, links, mode, time, size, name } = entry;
    write!(
        out,
        "070701{inode:08x}{mode:08x}{0:08x}{0:08x}{links:08x}{time:08x}{size:08x}{0:08x}{0:08x}{0:08x}{0:08x}\
         {name_size:08x}{0:08x}{name}\0",
        0
    )?;
    padding(out, 110 + name_size as u64)
}

/// Writes a header of rpm's stripped form, for the file of this number.
pub(super) fn stripped_header(out: &mut dyn Write, number: u32) -> io::Result<()> {
    write!(out, "07070X{number:08x}")?;
    padding(out, 14)
}

/// Fills up to a multiple of four bytes.
pub(super) fn padding(out: &mut dyn Write, size: u64) -> io::Result<()> {
    let rest = (size % ALIGNMENT) as usize;
    if rest == 0 { Ok(()) } else { out.write_all([0; ALIGNMENT as usize].get(rest..).unwrap_or_default()) }
}

/// Ends the archive.
pub(super) fn end(out: &mut dyn Write) -> io::Result<()> {
    header(out, &Entry { name: "TRAILER!!!", inode: 0, links: 1, mode: 0, time: 0, size: 0 })
}
