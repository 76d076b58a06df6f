//! Reads the payload of an .rpm from anyone, in bounded memory: cpio in the "new ASCII" form (magic 070701, 070702) or in
//! rpm's stripped one (07070X), compressed as the header says. Nothing is unpacked to disk.

use std::collections::HashMap;
use std::io::{self, Read};
use std::path::Path;

use super::read::{RpmInfo, open, read};
use crate::format::compression::{Bounded, decoder, most_unpacked};
use crate::format::deb::Visitor;
use crate::format::error::{Error, Fault};
use crate::format::listing::{FileInfo, FileKind};
use crate::format::text::repaired;
use crate::target::Compression;

/// Longer names than any file system takes.
const MAX_NAME: u64 = 8192;

/// Reads the .rpm at `path` as [`read`] does; `each` is then given every file that has content, with it.
pub fn read_contents(path: &Path, each: &mut Visitor<'_>) -> Result<RpmInfo, Error> {
    let info = read(path)?;
    walk(path, &info, each).map_err(|fault| fault.at(path))?;
    Ok(info)
}

fn walk(path: &Path, info: &RpmInfo, each: &mut Visitor<'_>) -> Result<(), Fault> {
    let compression = match info.payload_compressor.as_str() {
        "zstd" => Some(Compression::Zstd),
        "xz" => Some(Compression::Xz),
        "gzip" => Some(Compression::Gzip),
        "none" | "identity" => None,
        other => {
            let other = other.escape_debug();
            return Err(Fault::malformed(format!("its payload is compressed with `{other}`, which is not supported")));
        }
    };
    let payload = open(path)?.payload;
    let limit = most_unpacked(info.package_size);
    let mut archive = Archive { reader: Bounded::new(decoder(compression, payload)?, limit), position: 0 };
    let numbers: HashMap<&str, usize> =
        info.files.iter().enumerate().map(|(number, file)| (file.path.as_str(), number)).collect();
    let mut entries = 0;
    while let Some((number, size)) = archive.header(info, &numbers)? {
        entries += 1;
        if entries > info.files.len() {
            return Err(Fault::malformed("its payload has more files than its header"));
        }
        let file = info.files.get(number).ok_or_else(|| Fault::malformed("its payload has a file of no number"))?;
        let mut content = (&mut archive.reader).take(size);
        if file.kind == FileKind::File {
            each(file, &mut content)?;
        }
        io::copy(&mut content, &mut io::sink())?;
        if content.limit() > 0 {
            return Err(Fault::malformed("its payload ends within a file"));
        }
        archive.position += size;
        archive.align()?;
    }
    io::copy(&mut archive.reader, &mut io::sink())?;
    Ok(())
}

struct Archive<R> {
    reader: R,
    position: u64,
}

impl<R: Read> Archive<R> {
    /// The number of the next file and the size of its content; `None` at the end.
    fn header(&mut self, info: &RpmInfo, numbers: &HashMap<&str, usize>) -> Result<Option<(usize, u64)>, Fault> {
        let magic = self.bytes(6)?;
        match magic.as_slice() {
            b"070701" | b"070702" => {}
            b"07070X" => {
                let number = hexadecimal(&self.bytes(8)?)?;
                self.align()?;
                let number = usize::try_from(number).unwrap_or(usize::MAX);
                let file = info.files.get(number);
                return Ok(Some((number, file.map_or(0, stripped_size))));
            }
            _ => return Err(Fault::malformed("its payload is no cpio archive")),
        }
        let mut fields = [0; 13];
        for field in &mut fields {
            *field = hexadecimal(&self.bytes(8)?)?;
        }
        let [_inode, _mode, _user, _group, _links, _time, size, .., name_size, _checksum] = fields;
        if name_size == 0 || name_size > MAX_NAME {
            return Err(Fault::malformed("a file's name in its payload is longer than a file system allows"));
        }
        let mut name = self.bytes(name_size)?;
        name.pop();
        self.align()?;
        let name = repaired(&name);
        if name == "TRAILER!!!" {
            return Ok(None);
        }
        let path = format!("/{}", name.trim_start_matches("./").trim_start_matches('/'));
        match numbers.get(path.as_str()) {
            Some(number) => Ok(Some((*number, size))),
            None => Err(Fault::malformed(format!("its payload has `{}`, its header has not", path.escape_debug()))),
        }
    }

    fn bytes(&mut self, length: u64) -> Result<Vec<u8>, Fault> {
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        self.reader.read_exact(&mut bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Fault::malformed("its payload ends early"),
            _ => Fault::Io(error),
        })?;
        self.position += length;
        Ok(bytes)
    }

    /// Skips to a multiple of four bytes.
    fn align(&mut self) -> Result<(), Fault> {
        let rest = self.position.next_multiple_of(4) - self.position;
        self.bytes(rest).map(drop)
    }
}

/// What stands for a file in the stripped form: its content, or a link's target.
fn stripped_size(file: &FileInfo) -> u64 {
    match file.kind {
        FileKind::File => file.size,
        FileKind::Symlink => file.link.as_ref().map_or(0, |link| link.len() as u64),
        FileKind::Directory | FileKind::Hardlink | FileKind::Special => 0,
    }
}

fn hexadecimal(digits: &[u8]) -> Result<u64, Fault> {
    let text = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let number = text.and_then(|text| u64::from_str_radix(text, 16).ok());
    number.ok_or_else(|| Fault::malformed("its payload has a number that is none"))
}
