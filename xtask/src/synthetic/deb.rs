//! A tiny .deb: deb(5), put together in memory.

use std::io::Write as _;

use crate::Result;

/// Bytes of a .deb of this name and version; `fields` are further lines of its control file, each with its newline.
pub(crate) fn deb(name: &str, version: &str, fields: &str) -> Result<Vec<u8>> {
    let control = format!(
        "Package: {name}\nSource: {name}-src\nVersion: {version}\nArchitecture: amd64\nMaintainer: Acme Packages <packages@acme.example>\n\
         Installed-Size: 40\nDepends: libc6 (>= 2.31), libgcc-s1 (>= 4.2), adduser\nSection: misc\nPriority: optional\n\
         Homepage: https://acme.example/{name}\n{fields}Description: a synthetic package that stands for many\n {name} has eight small files. It does nothing, \
         depends on what is\n usual, and is here so that indices have something to tell.\n .\n Its description has a second paragraph, as most have.\n"
    );
    let directories = ["", "usr/", "usr/bin/", "usr/share/", "usr/share/doc/"].map(|path| format!("./{path}"));
    let mut data = Tar::default();
    for directory in
        directories.iter().cloned().chain([format!("./usr/share/doc/{name}/"), format!("./usr/share/{name}/")])
    {
        data.entry(&directory, None)?;
    }
    data.entry(&format!("./usr/bin/{name}"), Some(b"#!/bin/sh\nexit 0\n"))?;
    for file in ["changelog.gz", "copyright", "README"] {
        data.entry(&format!("./usr/share/doc/{name}/{file}"), Some(b""))?;
    }
    for file in ["one", "two", "three", "four"] {
        data.entry(&format!("./usr/share/{name}/{file}"), Some(name.as_bytes()))?;
    }
    let mut meta = Tar::default();
    meta.entry("./", None)?;
    meta.entry("./control", Some(control.as_bytes()))?;
    let mut bytes = b"!<arch>\n".to_vec();
    member(&mut bytes, "debian-binary", b"2.0\n");
    member(&mut bytes, "control.tar.gz", &meta.finish()?);
    member(&mut bytes, "data.tar.gz", &data.finish()?);
    Ok(bytes)
}

/// One member of the ar archive.
fn member(bytes: &mut Vec<u8>, name: &str, content: &[u8]) {
    let head = format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 1_700_000_000, 0, 0, 100_644, content.len());
    bytes.extend(head.as_bytes());
    bytes.extend(content);
    if content.len() % 2 == 1 {
        bytes.push(b'\n');
    }
}

/// A tar archive that is being written (POSIX ustar).
#[derive(Default)]
struct Tar(Vec<u8>);

impl Tar {
    /// A file, or a directory where there is no content.
    fn entry(&mut self, path: &str, content: Option<&[u8]>) -> Result<()> {
        let (mode, kind) = if content.is_some() { (0o644, b'0') } else { (0o755, b'5') };
        let content = content.unwrap_or_default();
        let numbers = format!("{mode:07o}\0{:07o}\0{:07o}\0{:011o}\0{:011o}\0", 0, 0, content.len(), 1_700_000_000);
        let mut head = format!("{path:\0<100}{numbers}").into_bytes();
        let checksum_at = head.len();
        head.extend(b"        ");
        head.push(kind);
        head.resize(257, 0);
        head.extend(b"ustar\x0000root\0");
        head.resize(297, 0);
        head.extend(b"root\0");
        head.resize(512, 0);
        let sum: u32 = head.iter().map(|&byte| u32::from(byte)).sum();
        let checksum = format!("{sum:06o}\0 ");
        head.get_mut(checksum_at..checksum_at + 8).ok_or("a long path")?.copy_from_slice(checksum.as_bytes());
        self.0.extend(head);
        self.0.extend(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        Ok(())
    }

    /// The archive, compressed.
    fn finish(mut self) -> Result<Vec<u8>> {
        self.0.resize(self.0.len() + 1024, 0);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
        gzip.write_all(&self.0)?;
        Ok(gzip.finish()?)
    }
}
