//! A package as its reader sees it: a file, or what was read of it already.

use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom};

pub(super) enum Opened<'a> {
    Memory(Cursor<&'a [u8]>),
    File(BufReader<fs_err::File>),
}

/// Remembers whether it was the reader that failed, rather than who made something of what it gave.
pub(super) struct Watched<'a> {
    pub(super) inner: &'a mut dyn Read,
    pub(super) failed: bool,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer);
        self.failed |= read.is_err();
        read
    }
}

impl Read for Opened<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Memory(bytes) => bytes.read(buffer),
            Self::File(file) => file.read(buffer),
        }
    }
}

impl BufRead for Opened<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self {
            Self::Memory(bytes) => bytes.fill_buf(),
            Self::File(file) => file.fill_buf(),
        }
    }

    fn consume(&mut self, amount: usize) {
        match self {
            Self::Memory(bytes) => bytes.consume(amount),
            Self::File(file) => file.consume(amount),
        }
    }
}

impl Seek for Opened<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::Memory(bytes) => bytes.seek(to),
            Self::File(file) => file.seek(to),
        }
    }
}
