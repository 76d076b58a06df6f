//! What is in a package, for `inspect`: one value for both formats, as JSON and as text for people.
//!
//! The text comes from packages of anyone; control characters in it are shown escaped, so that it cannot talk to a
//! terminal.

use std::fmt::{self, Display, Write as _};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use serde::Serialize;

use super::deb::{self, DebInfo};
use super::error::{Error, Fault};
use super::listing::{FileInfo, FileKind};
use super::rpm::{self, RpmInfo};
use crate::digest::Sha256;

/// A package's file and what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// The file's name.
    pub file: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the file.
    pub sha256: Sha256,
    /// What the package says of itself.
    #[serde(flatten)]
    pub package: Contents,
}

/// What a package says of itself, in its format's own terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "format", rename_all = "lowercase")]
pub enum Contents {
    /// A .deb.
    Deb(DebInfo),
    /// An .rpm; its digests are good.
    Rpm(Box<RpmInfo>),
}

/// Reads the package at `path`; the format is told by the content, not by the name.
pub fn inspect(path: &Path) -> Result<Inspection, Error> {
    let first = || -> Result<([u8; 8], Sha256, u64), Fault> {
        let mut file = fs_err::File::open(path)?;
        let mut magic = [0; 8];
        file.read_exact(&mut magic).map_err(|_| Fault::malformed("it is shorter than any package"))?;
        file.seek(SeekFrom::Start(0))?;
        let (sha256, size) = Sha256::of_reader(&mut file)?;
        Ok((magic, sha256, size))
    };
    let (magic, sha256, size) = first().map_err(|fault| fault.at(path))?;
    let package = if magic.starts_with(b"!<arch>\n") {
        Contents::Deb(deb::read(path, deb::Files::List)?)
    } else if magic.starts_with(&[0xed, 0xab, 0xee, 0xdb]) {
        Contents::Rpm(Box::new(rpm::read(path)?))
    } else {
        return Err(Fault::malformed("it is neither a .deb nor an .rpm").at(path));
    };
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Inspection { file, size, sha256, package })
}

/// The text for people: fields, scripts, files.
impl Display for Inspection {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        field(out, "File", &self.file)?;
        field(out, "Size", &format!("{} bytes", self.size))?;
        field(out, "SHA-256", &self.sha256.to_string())?;
        match &self.package {
            Contents::Deb(info) => deb(out, info),
            Contents::Rpm(info) => rpm(out, info),
        }
    }
}

fn deb(out: &mut fmt::Formatter<'_>, info: &DebInfo) -> fmt::Result {
    for (name, value) in &info.control {
        field(out, name, value)?;
    }
    scripts(out, info.scripts.iter().map(|(name, text)| (name.clone(), text.as_str())))?;
    let triggers = info.triggers.join("\n");
    let triggers = Some(("triggers".to_owned(), triggers.as_str())).filter(|(_, text)| !text.is_empty());
    scripts(out, triggers.into_iter())?;
    scripts(out, info.templates.iter().map(|text| ("templates".to_owned(), text.as_str())))?;
    files(out, &info.files)
}

fn rpm(out: &mut fmt::Formatter<'_>, info: &RpmInfo) -> fmt::Result {
    field(out, "Name", &info.name)?;
    field(out, "Version", &info.evr())?;
    field(out, "Architecture", &info.architecture)?;
    field(out, "License", &info.license)?;
    for (name, value) in [
        ("Vendor", &info.vendor),
        ("Packager", &info.packager),
        ("URL", &info.url),
        ("Source", &info.source_rpm),
        ("Build-Host", &info.build_host),
    ] {
        if let Some(value) = value {
            field(out, name, value)?;
        }
    }
    field(out, "Installed-Size", &format!("{} bytes", info.installed_size))?;
    field(out, "Payload", &info.payload_compressor)?;
    field(out, "Signed", if info.signed { "yes" } else { "no" })?;
    for (name, list) in [
        ("Provides", &info.provides),
        ("Requires", &info.requires),
        ("Recommends", &info.recommends),
        ("Suggests", &info.suggests),
        ("Supplements", &info.supplements),
        ("Enhances", &info.enhances),
        ("Conflicts", &info.conflicts),
        ("Obsoletes", &info.obsoletes),
    ] {
        let mut relations: Vec<String> = list.iter().map(ToString::to_string).collect();
        relations.dedup();
        for relation in relations {
            field(out, name, &relation)?;
        }
    }
    field(out, "Summary", &info.summary)?;
    let description: Vec<String> = info.description.lines().map(|line| format!("\n {line}")).collect();
    field(out, "Description", &description.concat())?;
    let how = info.script_programs.iter().zip(&info.script_flags);
    let title = |((name, text), (program, flags)): (&(String, String), (&String, &u32))| {
        let words = [(1, "macros are expanded"), (2, "a query format"), (4, "must not fail")];
        let marks = words.iter().filter(|(flag, _)| flags & flag != 0).map(|(_, word)| (*word).to_owned());
        let program = Some(program.clone()).filter(|program| !matches!(program.as_str(), "" | "/bin/sh"));
        let marks: Vec<String> = program.into_iter().chain(marks).collect();
        let marks = if marks.is_empty() { String::new() } else { format!(" ({})", marks.join(", ")) };
        (format!("{name}{marks}"), text.clone())
    };
    let titled: Vec<(String, String)> = info.scripts.iter().zip(how).map(title).collect();
    scripts(out, titled.iter().map(|(name, text)| (name.clone(), text.as_str())))?;
    files(out, &info.files)
}

fn field(out: &mut fmt::Formatter<'_>, name: &str, value: &str) -> fmt::Result {
    let separator = if value.starts_with('\n') { "" } else { " " };
    writeln!(out, "{}:{separator}{}", harmless(name), harmless(value))
}

/// Texts of several lines, each under its title.
fn scripts<'a>(out: &mut fmt::Formatter<'_>, scripts: impl Iterator<Item = (String, &'a str)>) -> fmt::Result {
    for (name, text) in scripts {
        writeln!(out, "\n{}:", harmless(&name))?;
        for line in text.lines() {
            writeln!(out, "    {}", harmless(line))?;
        }
    }
    Ok(())
}

fn files(out: &mut fmt::Formatter<'_>, files: &[FileInfo]) -> fmt::Result {
    writeln!(out, "\nFiles:")?;
    for file in files {
        let owner = format!("{}/{}", file.user, file.group);
        let arrow = if file.kind == FileKind::Hardlink { " link to " } else { " -> " };
        let link = file.link.as_ref().map(|link| format!("{arrow}{link}")).unwrap_or_default();
        let marks: String = [
            (file.config, " (configuration)"),
            (file.config && !file.noreplace, " (replaced)"),
            (file.missing_ok, " (may be missing)"),
            (file.documentation, " (documentation)"),
            (file.license, " (licence)"),
            (file.ghost, " (not shipped)"),
        ]
        .into_iter()
        .filter_map(|(is, mark)| is.then_some(mark))
        .collect();
        let capabilities = file.capabilities.as_ref().map(|text| format!(" ({text})")).unwrap_or_default();
        let (path, link, owner) = (harmless(&file.path), harmless(&link), harmless(&owner));
        let capabilities = harmless(&capabilities);
        writeln!(out, "{} {owner} {:>10} {path}{link}{capabilities}{marks}", permissions(file), file.size)?;
    }
    Ok(())
}

/// `drwxr-xr-x`, as ls(1) has it.
fn permissions(file: &FileInfo) -> String {
    let mut text = String::from(match file.kind {
        FileKind::File => "-",
        FileKind::Directory => "d",
        FileKind::Symlink => "l",
        FileKind::Hardlink => "h",
        FileKind::Special => "?",
    });
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = file.mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (bits & 1 != 0, file.mode & special != 0) {
            (true, true) => letter,
            (false, true) => letter.to_ascii_uppercase(),
            (true, false) => 'x',
            (false, false) => '-',
        });
    }
    text
}

/// Control characters escaped, line breaks kept.
fn harmless(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut clean, character| {
        if character == '\n' || !character.is_control() {
            clean.push(character);
        } else {
            let _ = write!(clean, "{}", character.escape_default());
        }
        clean
    })
}
