//! The bytes of a plan, read once, in order, each content checked against what the tree says of it.

use std::io::Read;
use std::ops::Range;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256 as Sha256Hasher};

use super::plan::{Plan, Segment};
use crate::cache::seal;
use crate::digest::Sha256;
use crate::format::error::Error;
use crate::tree::{Content, InstallPath, Source as Place};

/// Bytes that are read at a time.
const PIECE: usize = 256 * 1024;

/// Reads a plan from its beginning to its end; what nobody wants is not read.
pub(super) struct Reader<'a> {
    plan: &'a Plan<'a>,
    /// The content that was begun and is not read to its end.
    open: Option<Open<'a>>,
    buffer: Vec<u8>,
}

/// A content that is being read.
struct Open<'a> {
    path: &'a InstallPath,
    content: &'a Content,
    reader: Box<dyn Read + Send + 'a>,
    hasher: Sha256Hasher,
    position: u64,
}

impl<'a> Reader<'a> {
    pub(super) fn new(plan: &'a Plan<'a>) -> Self {
        Self { plan, open: None, buffer: vec![0; PIECE] }
    }

    /// Gives the bytes of `range` to `take`. Ranges come in order, none overlaps another.
    pub(super) fn read(&mut self, range: Range<u64>, take: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
        for segment in self.plan.segments(range) {
            match segment {
                Segment::Bytes(bytes) => take(bytes),
                Segment::Zeros(mut length) => {
                    const ZEROS: [u8; 512] = [0; 512];
                    while length > 0 {
                        let part = ZEROS.get(..length.min(512) as usize).unwrap_or(&ZEROS);
                        take(part);
                        length -= part.len() as u64;
                    }
                }
                Segment::Content { path, content, offset, length } => {
                    if self.open.as_ref().is_none_or(|open| !std::ptr::eq(open.content, content)) {
                        self.open = Some(Open::new(path, content)?);
                    }
                    // What stands before the first block that is wanted has to be read for its digest.
                    self.copy(offset, &mut |_| {})?;
                    self.copy(offset + length, take)?;
                }
            }
        }
        Ok(())
    }

    /// Passes over `range`, but for the rest of a content that was begun: its digest is to be compared.
    pub(super) fn skip(&mut self, range: Range<u64>) -> Result<(), Error> {
        let Some(open) = &self.open else { return Ok(()) };
        let until = open.position.saturating_add(range.end - range.start);
        self.copy(until, &mut |_| {})
    }

    /// Reads what is left of a content that was begun: its digest is to be compared.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        self.copy(u64::MAX, &mut |_| {})
    }

    /// Reads the open content up to `until`.
    fn copy(&mut self, until: u64, take: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let until = until.min(open.content.digests.size);
        while open.position < until {
            let room = (until - open.position).min(self.buffer.len() as u64) as usize;
            let chunk = open.read(self.buffer.get_mut(..room).unwrap_or_default())?;
            take(chunk);
        }
        if open.position == open.content.digests.size
            && let Some(open) = self.open.take()
        {
            open.finish()?;
        }
        Ok(())
    }
}

impl<'a> Open<'a> {
    fn new(path: &'a InstallPath, content: &'a Content) -> Result<Self, Error> {
        let reader: Box<dyn Read + Send + 'a> = match &content.source {
            Place::Path(file) => {
                let opened = fs_err::File::open(file);
                Box::new(opened.map_err(|source| Error::Read { path: file.clone(), source })?)
            }
            Place::Bytes(bytes) => Box::new(bytes.as_ref()),
        };
        Ok(Self { path, content, reader, hasher: Sha256Hasher::new(), position: 0 })
    }

    fn read<'b>(&mut self, buffer: &'b mut [u8]) -> Result<&'b [u8], Error> {
        let length = self.fill(buffer)?;
        if length == 0 {
            return Err(self.changed(format!("it had {} bytes, now {}", self.content.digests.size, self.position)));
        }
        let chunk = buffer.get(..length).unwrap_or_default();
        self.hasher.update(chunk);
        self.position += length as u64;
        Ok(chunk)
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        loop {
            match self.reader.read(buffer) {
                Ok(length) => return Ok(length),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(source) => {
                    let path = match &self.content.source {
                        Place::Path(file) => file.clone(),
                        Place::Bytes(_) => PathBuf::from(self.path.as_str()),
                    };
                    return Err(Error::Read { path, source });
                }
            }
        }
    }

    /// Compares it with what the tree says.
    fn finish(mut self) -> Result<(), Error> {
        if self.fill(&mut [0])? > 0 {
            return Err(self.changed(format!("it had {} bytes, now more", self.content.digests.size)));
        }
        if Sha256(std::mem::take(&mut self.hasher).finalize().into()) != self.content.digests.sha256 {
            return Err(self.changed("its SHA-256 is another".to_owned()));
        }
        Ok(())
    }

    fn changed(&self, what: String) -> Error {
        if let Place::Path(file) = &self.content.source {
            seal::break_if_sealed(file);
        }
        Error::Changed { path: self.path.clone(), what }
    }
}
