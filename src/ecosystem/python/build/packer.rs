//! The one form in which built wheels are kept: no times, no compression, RECORD at the end.

use std::io::{self, Read, Write as _};

use super::super::record::record_line;
use crate::digest::Digests;

/// Writes a wheel in the one form in which they are kept.
pub(super) struct Packer {
    archive: zip::ZipWriter<io::Cursor<Vec<u8>>>,
    lines: String,
}

impl Default for Packer {
    fn default() -> Self {
        Self { archive: zip::ZipWriter::new(io::Cursor::new(Vec::new())), lines: String::new() }
    }
}

impl Packer {
    fn start(&mut self, path: &str, executable: bool) -> io::Result<()> {
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored)
            .last_modified_time(zip::DateTime::default())
            .unix_permissions(if executable { 0o755 } else { 0o644 })
            .large_file(false);
        self.archive.start_file(path, options).map_err(io::Error::other)
    }

    /// Adds a file, whose digests are known, and its line of RECORD.
    pub(super) fn add(
        &mut self,
        path: &str,
        executable: bool,
        content: &mut dyn Read,
        digests: &Digests,
    ) -> io::Result<()> {
        self.start(path, executable)?;
        io::copy(content, &mut self.archive)?;
        self.lines.push_str(&record_line(path, digests));
        Ok(())
    }

    /// Adds RECORD, at `record`, and gives the archive.
    pub(super) fn finish(mut self, record: &str) -> io::Result<Vec<u8>> {
        self.lines.push_str(&format!("{record},,\n"));
        self.start(record, false)?;
        self.archive.write_all(self.lines.as_bytes())?;
        Ok(self.archive.finish().map_err(io::Error::other)?.into_inner())
    }
}
