//! Reads a Debian source control file (.dsc; dsc(5), Policy 5.4), signed or not, from anyone.
//!
//! The signature is not verified: whose it would have to be is for whoever publishes to know, and clients trust the
//! repository's own. Its wrapper (RFC 9580, 7) is taken off by a splitter that refuses whatever stands outside of it:
//! only what a signature covers may be read (CVE-2015-0840 of dpkg was text beside it).

use std::path::Path;

use super::read::{is_package_name, is_version};
use super::stanza;
use crate::digest::{Md5, Sha256};
use crate::format::Error;
use crate::format::error::Fault;

const BEGIN: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";
const END: &str = "-----END PGP SIGNATURE-----";
/// No .dsc is larger.
pub(crate) const MAX_SIZE: u64 = 1024 * 1024;
/// No source package has more files.
const MAX_FILES: usize = 200;

/// A source package as its .dsc tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dsc {
    /// Its fields in their order, values with their continuation lines.
    pub fields: Vec<(String, String)>,
    /// The files beside it, in the order of `Checksums-Sha256`.
    pub files: Vec<SourceFile>,
}

/// A file of a source package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its name, which is no path.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of its content.
    pub sha256: Sha256,
    /// MD5, which `Files` gives. Never trusted.
    pub md5: Option<Md5>,
}

impl Dsc {
    /// The value of a field, its name compared without case.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(present, _)| present.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// `Source`.
    pub fn source(&self) -> &str {
        self.field("Source").unwrap_or_default()
    }

    /// `Version`, with epoch and revision.
    pub fn version(&self) -> &str {
        self.field("Version").unwrap_or_default()
    }

    /// What the .dsc itself is called: `acme_1.0-1.dsc`.
    pub fn file_name(&self) -> String {
        format!("{}_{}.dsc", self.source(), without_epoch(self.version()))
    }
}

fn without_epoch(version: &str) -> &str {
    version.split_once(':').map_or(version, |(_, rest)| rest)
}

/// Reads the text of the .dsc at `path`.
pub fn parse(path: &Path, text: &[u8]) -> Result<Dsc, Error> {
    parse_text(text).map_err(|fault| fault.at(path))
}

fn parse_text(text: &[u8]) -> Result<Dsc, Fault> {
    if text.len() as u64 > MAX_SIZE {
        return Err(Fault::malformed(format!("it is larger than {MAX_SIZE} bytes")));
    }
    let text = std::str::from_utf8(text).map_err(|_| Fault::malformed("it is not UTF-8"))?;
    let inside = unwrapped(text)?;
    let mut dsc = Dsc { fields: stanza::parse(&inside)?, files: Vec::new() };
    for (good, field) in [
        (dsc.field("Format").is_some_and(is_format), "Format"),
        (is_package_name(dsc.source()), "Source"),
        (is_version(dsc.version()), "Version"),
        (dsc.field("Maintainer").is_some_and(|value| !value.trim().is_empty()), "Maintainer"),
    ] {
        if !good {
            return Err(match dsc.field(field) {
                None => Fault::malformed(format!("it has no field `{field}`")),
                Some(value) => {
                    Fault::malformed(format!("its field `{field}` is malformed: `{}`", value.escape_debug()))
                }
            });
        }
    }
    dsc.files = files(&dsc)?;
    Ok(dsc)
}

/// `1.0`, `3.0 (quilt)`.
fn is_format(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".() ".contains(&byte))
}

/// The text within the signature's wrapper; the text itself when it has none.
fn unwrapped(text: &str) -> Result<String, Fault> {
    if !text.starts_with(BEGIN) {
        if text.lines().any(|line| line.starts_with("-----")) {
            return Err(Fault::malformed("it has text before its signature"));
        }
        return Ok(text.to_owned());
    }
    let broken = || Fault::malformed("its signature is not well-formed");
    let mut lines = text.lines().map(str::trim_end);
    if lines.next() != Some(BEGIN) {
        return Err(broken());
    }
    // Armor headers: only `Hash` may stand here, then one empty line.
    for line in lines.by_ref() {
        match line {
            "" => break,
            line if line.starts_with("Hash: ") => {}
            _ => return Err(broken()),
        }
    }
    let mut inside = String::new();
    for line in lines.by_ref() {
        if line == SIGNATURE {
            return finished(lines, inside);
        }
        let line = line.strip_prefix("- ").unwrap_or(line);
        if line.starts_with('-') {
            return Err(Fault::malformed("it has a line that begins with a dash within its signature"));
        }
        inside.push_str(line);
        inside.push('\n');
    }
    Err(broken())
}

/// After the signature there is nothing.
fn finished<'a>(mut lines: impl Iterator<Item = &'a str>, inside: String) -> Result<String, Fault> {
    if !lines.by_ref().any(|line| line == END) {
        return Err(Fault::malformed("its signature is not well-formed"));
    }
    if lines.any(|line| !line.is_empty()) {
        return Err(Fault::malformed("it has text after its signature"));
    }
    Ok(inside)
}

/// The files of `Checksums-Sha256`, with what `Files` says of them.
fn files(dsc: &Dsc) -> Result<Vec<SourceFile>, Fault> {
    let missing = || Fault::malformed("it has no field `Checksums-Sha256`");
    let listed = listed(dsc.field("Checksums-Sha256").ok_or_else(missing)?)?;
    let old = dsc.field("Files").map(self::listed).transpose()?.unwrap_or_default();
    if listed.is_empty() || listed.len() > MAX_FILES || (!old.is_empty() && old.len() != listed.len()) {
        return Err(Fault::malformed("its lists of files are empty, too long or differ"));
    }
    let mut files: Vec<SourceFile> = Vec::new();
    for (digest, size, name) in listed {
        let shown = name.escape_debug();
        if !is_file_name(name, dsc) {
            return Err(Fault::malformed(format!("`{shown}` cannot be the name of a file of {}", dsc.source())));
        }
        if files.iter().any(|file| file.name == name) {
            return Err(Fault::malformed(format!("it names `{shown}` twice")));
        }
        let wrong = || Fault::malformed(format!("what it says of `{shown}` is malformed"));
        let sha256 = digest.parse().map_err(|_| wrong())?;
        let md5 = match old.iter().find(|(.., other)| *other == name) {
            Some((md5, same, _)) if *same == size => Some(md5.parse().map_err(|_| wrong())?),
            None if old.is_empty() => None,
            _ => return Err(wrong()),
        };
        files.push(SourceFile { name: name.to_owned(), size, sha256, md5 });
    }
    Ok(files)
}

/// Lines of ` digest size name`.
fn listed(value: &str) -> Result<Vec<(&str, u64, &str)>, Fault> {
    let line = |text: &'_ str| Fault::malformed(format!("`{}` lists no file", text.trim().escape_debug()));
    let mut all = Vec::new();
    for text in value.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let &[digest, size, name] = words.as_slice() else { return Err(line(text)) };
        if !size.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(line(text));
        }
        all.push((digest, size.parse().map_err(|_| line(text))?, name));
    }
    Ok(all)
}

/// A name that lies beside the .dsc, belongs to its source (dpkg-source(1): `NAME_…`) and is not the .dsc's own.
fn is_file_name(name: &str, dsc: &Dsc) -> bool {
    name.len() <= 255
        && name.strip_prefix(dsc.source()).is_some_and(|rest| rest.starts_with('_'))
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-._~".contains(&byte))
        && !name.ends_with(".dsc")
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSIDE: &str = "Format: 3.0 (quilt)\nSource: acme\nBinary: acme\nVersion: 1:2.0-1\nMaintainer: A <a@b>\n\
        Checksums-Sha256:\n 0000000000000000000000000000000000000000000000000000000000000000 160 acme_2.0.orig.tar.gz\n\
        Files:\n 00000000000000000000000000000000 160 acme_2.0.orig.tar.gz\n";

    fn signed(inside: &str) -> String {
        format!("{BEGIN}\nHash: SHA512\n\n{inside}\n{SIGNATURE}\n\nabc=\n{END}\n")
    }

    #[test]
    fn signed_and_unsigned_it_says_the_same() {
        let plain = parse_text(INSIDE.as_bytes()).expect("a .dsc");
        assert_eq!(parse_text(signed(INSIDE).as_bytes()).expect("a .dsc"), plain);
        assert_eq!(plain.file_name(), "acme_2.0-1.dsc");
        assert_eq!((plain.files[0].name.as_str(), plain.files[0].size), ("acme_2.0.orig.tar.gz", 160));
        assert!(plain.files[0].md5.is_some());
    }

    #[test]
    fn nothing_outside_the_signature_is_read() {
        let good = signed(INSIDE);
        for bad in [
            format!("Evil: yes\n{good}"),
            format!("\n{good}"),
            format!("{good}\nEvil: yes\n"),
            good.replace("Hash: SHA512\n", "Hash: SHA512\nSource: evil\n"),
            good.replace("Source: acme", "Source: acme\n\nSource: evil"),
            good.replace("Source: acme\n", &format!("Source: acme\n{BEGIN}\n")),
            good.replace("Source: acme\n", "- -----BEGIN PGP SIGNATURE-----\nSource: acme\n"),
            good.replace(END, ""),
            good.replace(SIGNATURE, ""),
            format!("{good}{good}"),
        ] {
            assert!(parse_text(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn files_lie_beside_it_and_are_its_own() {
        for name in [
            "../acme_2.0.orig.tar.gz",
            "/etc/passwd",
            "other_2.0.orig.tar.gz",
            "acme_2.0-1.dsc",
            "acme_a/b",
            "acme_a\\b",
            "acme",
        ] {
            let text = INSIDE.replace("acme_2.0.orig.tar.gz", name);
            assert!(parse_text(text.as_bytes()).is_err(), "{name}");
        }
        for (from, to) in [
            (" 160 acme_2.0.orig.tar.gz\nFiles", " -1 acme_2.0.orig.tar.gz\nFiles"),
            (" 160 acme_2.0.orig.tar.gz\nFiles", " 161 acme_2.0.orig.tar.gz\nFiles"),
            ("Checksums-Sha256", "Checksums-Sha1"),
            ("Version: 1:2.0-1", "Version: x"),
            ("Source: acme", "Source: Acme"),
            ("Format: 3.0 (quilt)\n", ""),
        ] {
            assert!(INSIDE.contains(from) && parse_text(INSIDE.replace(from, to).as_bytes()).is_err(), "{to}");
        }
    }
}
