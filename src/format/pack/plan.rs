//! An archive as a plan: the bytes of its headers, and contents that stay where they are until they are packed.
//!
//! Nothing is read to make one, and its headers are one allocation: a hundred thousand entries take some fifty megabytes as
//! a tar, whatever the size of their contents.

use std::io::{self, Write};
use std::ops::Range;

use super::cut;
use crate::tree::{Content, InstallPath};

/// Headers, contents and padding, in order.
pub(in crate::format) struct Plan<'a> {
    headers: Vec<u8>,
    entries: Vec<Entry<'a>>,
    /// Contents are padded with zeros to a multiple of it.
    alignment: u64,
    length: u64,
    /// Whether the next entry is the first of a part.
    begins: bool,
}

/// One entry: the headers from where the entry before it ended, then its content and what pads it.
struct Entry<'a> {
    path: Option<&'a InstallPath>,
    content: Option<&'a Content>,
    /// Where its headers end in those of the plan.
    headers_end: usize,
    /// Where it ends in the archive.
    end: u64,
    /// Whether it is the first of a part of the archive that has blocks of its own.
    begins: bool,
}

/// What stands in a range of the archive.
#[derive(Debug, Clone, Copy)]
pub(super) enum Segment<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// So many zeros.
    Zeros(u64),
    /// Bytes of a content.
    Content { path: &'a InstallPath, content: &'a Content, offset: u64, length: u64 },
}

impl<'a> Plan<'a> {
    /// Of nothing yet. Contents are padded to a multiple of `alignment`.
    pub(in crate::format) fn new(alignment: u64) -> Self {
        Self { headers: Vec::new(), entries: Vec::new(), alignment, length: 0, begins: false }
    }

    /// What comes from here on changes at other times than what was before, and is not put into blocks with it.
    pub(in crate::format) fn part(&mut self) {
        self.begins = true;
    }

    /// Ends an entry, whose headers have been written to the plan, with its content.
    pub(in crate::format) fn entry(&mut self, path: Option<&'a InstallPath>, content: Option<&'a Content>) {
        let begin = self.entries.last().map_or(0, |entry| entry.headers_end);
        let head = (self.headers.len() - begin) as u64;
        let size = content.filter(|_| path.is_some()).map_or(0, |content| content.digests.size);
        self.length += head + size.next_multiple_of(self.alignment);
        self.entries.push(Entry {
            path,
            content,
            headers_end: self.headers.len(),
            end: self.length,
            begins: std::mem::take(&mut self.begins),
        });
    }

    /// Bytes of the whole archive.
    pub(in crate::format) fn size(&self) -> u64 {
        self.length + self.tail()
    }

    /// Where the second part begins, if there is one.
    pub(super) fn second_part(&self) -> Option<u64> {
        let number = self.entries.iter().position(|entry| entry.begins)?;
        Some(self.start_of(number))
    }

    /// Bytes after the last entry, which end the archive.
    pub(super) fn tail(&self) -> u64 {
        let begin = self.entries.last().map_or(0, |entry| entry.headers_end);
        (self.headers.len() - begin) as u64
    }

    /// The entries as the cutter sees them.
    pub(super) fn entries(&self) -> impl Iterator<Item = cut::Entry<'a>> + '_ {
        (0..self.entries.len()).filter_map(|number| {
            let entry = self.entries.get(number)?;
            let size = entry.size();
            let head = self.headers_of(number).len() as u64;
            let path = entry.path.map_or("", InstallPath::as_str);
            let padding = entry.end - self.start_of(number) - head - size;
            Some(cut::Entry { path, head, content: size, padding, begins: entry.begins })
        })
    }

    /// What stands in `range`, in order.
    pub(super) fn segments(&self, range: Range<u64>) -> impl Iterator<Item = Segment<'_>> {
        let first = self.entries.partition_point(|entry| entry.end <= range.start);
        (first..=self.entries.len())
            .flat_map(|number| self.parts(number))
            .scan(self.start_of(first), move |position, segment| {
                let begin = *position;
                *position += segment.length();
                (begin < range.end).then(|| segment.cut(begin, &range))
            })
            .filter(|segment| segment.length() > 0)
    }

    /// The three parts of an entry; of the number after the last one, the tail.
    fn parts(&self, number: usize) -> [Segment<'_>; 3] {
        let headers = self.headers_of(number);
        let (mut content, mut padding) = (Segment::Zeros(0), 0);
        if let Some(Entry { path: Some(path), content: Some(one), .. }) = self.entries.get(number) {
            let length = one.digests.size;
            content = Segment::Content { path, content: one, offset: 0, length };
            padding = length.next_multiple_of(self.alignment) - length;
        }
        [Segment::Bytes(headers), content, Segment::Zeros(padding)]
    }

    fn headers_of(&self, number: usize) -> &[u8] {
        let end = |number: usize| self.entries.get(number).map(|entry| entry.headers_end);
        let begin = number.checked_sub(1).and_then(end).unwrap_or(0);
        self.headers.get(begin..end(number).unwrap_or(self.headers.len())).unwrap_or_default()
    }

    fn start_of(&self, number: usize) -> u64 {
        number.checked_sub(1).and_then(|before| self.entries.get(before)).map_or(0, |entry| entry.end)
    }
}

impl Entry<'_> {
    fn size(&self) -> u64 {
        self.content.filter(|_| self.path.is_some()).map_or(0, |content| content.digests.size)
    }
}

/// What is written to a plan are the headers of the next entry, or what ends the archive.
impl Write for Plan<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.headers.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Segment<'_> {
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Zeros(length) | Self::Content { length, .. } => *length,
        }
    }

    /// The part of it, which begins at `begin` in the archive, that lies in `range`.
    fn cut(self, begin: u64, range: &Range<u64>) -> Self {
        let from = range.start.saturating_sub(begin).min(self.length());
        let to = range.end.saturating_sub(begin).min(self.length());
        match self {
            Self::Bytes(bytes) => Self::Bytes(bytes.get(from as usize..to as usize).unwrap_or_default()),
            Self::Zeros(_) => Self::Zeros(to.saturating_sub(from)),
            Self::Content { path, content, offset, .. } => {
                Self::Content { path, content, offset: offset + from, length: to.saturating_sub(from) }
            }
        }
    }
}
