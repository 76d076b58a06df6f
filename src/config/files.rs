//! `[[services.NAME.files]]`: what a package installs beside its private tree.
//!
//! All that can be told without the repository's files is checked here; whether a source exists and a user is known for a
//! target is found when the package is put together, and told with the [`Place`] that is kept for that.

use std::ops::Range;
use std::path::PathBuf;

use globset::GlobMatcher;

use super::capabilities::capabilities;
use super::error::Error;
use super::reader::{Reader, Source, Text};
use super::selector::Selector;
use super::value::{self, Rule};
use crate::diagnostic::Location;
use crate::target::{Distribution, Format, Target, accounts, hierarchy};
use crate::tree::{InstallPath, Marks, Role};

/// One entry.
#[derive(Debug, Clone)]
pub struct FileSettings {
    /// What it installs.
    pub kind: FileKind,
    /// Where.
    pub path: InstallPath,
    /// Whether `path` ended in `/`: what is installed goes into it under its own name.
    pub into: bool,
    /// Permission bits, when they are given.
    pub mode: Option<u32>,
    /// Owner; `None` for root.
    pub user: Option<String>,
    /// Group; `None` for root.
    pub group: Option<String>,
    /// `config`, `documentation`, `license`.
    pub role: Role,
    /// What more the format may know of it.
    pub marks: Marks,
    /// Whether it is compressed on the way (`gzip -9n`), with `.gz` at the end of its name.
    pub compress: bool,
    /// In the form of cap_from_text(3).
    pub capabilities: Option<String>,
    /// Which targets it is for; none for all of them.
    pub targets: Vec<Selector>,
    /// Where the entry stands.
    pub place: Place,
}

impl FileSettings {
    /// Whether it counts for packages for `target`.
    pub fn is_for(&self, target: &Target) -> bool {
        self.targets.is_empty() || self.targets.iter().any(|selector| selector.matches(target))
    }
}

/// What an entry installs.
#[derive(Debug, Clone)]
pub enum FileKind {
    /// A file, or a directory with what is in it, or what a pattern matches.
    File(FileSource),
    /// A directory with a mode and an owner of its own, empty as far as this entry goes.
    Directory,
    /// A symbolic link.
    Symlink {
        /// Where it leads: always absolute here.
        target: InstallPath,
    },
    /// Another name of a file of this package in the same directory.
    HardLink {
        /// The file.
        target: InstallPath,
    },
    /// What the service makes at run time; `into` makes it a directory.
    Ghost,
}

/// Where an entry's files are, relative to the service's directory.
#[derive(Debug, Clone)]
pub enum FileSource {
    /// A file or a directory. A table that was written for another tool may lead elsewhere in the repository.
    Path(PathBuf),
    /// Whatever matches below a directory.
    Glob {
        /// The part of the pattern without special characters: what is found keeps its path below it.
        base: PathBuf,
        /// The whole pattern, matched against paths relative to the service's directory.
        pattern: Box<GlobMatcher>,
    },
    /// What cargo makes.
    Built {
        /// Below `target/<profile>/`: `tool`, `libtool.so`, `examples/demo`.
        path: PathBuf,
        /// Where it is in the repository, from the service's directory: taken when cargo makes no such file, because
        /// another program may have put it there. Empty for nowhere.
        literal: PathBuf,
    },
    /// Whatever cargo makes that matches.
    BuiltGlob {
        /// The part of the pattern without special characters, below `target/<profile>/`; may be empty.
        base: PathBuf,
        /// The whole pattern, matched against paths below `target/<profile>/`.
        pattern: Box<GlobMatcher>,
        /// Where `base` is in the repository, from the service's directory; empty for nowhere.
        literal: PathBuf,
    },
}

/// Where something stands in the configuration, for errors that only show when the repository is known.
#[derive(Clone)]
pub struct Place {
    source: Source,
    span: Range<usize>,
}

/// Says nothing: where a setting stands is no part of what it says, and what is shown of settings tells whether they are
/// what they were ([`crate::fingerprint::Fingerprint::value`]).
impl std::fmt::Debug for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Place")
    }
}

impl Place {
    pub(super) fn new(source: Source, span: Range<usize>) -> Self {
        Self { source, span }
    }

    /// The place as errors show it.
    pub fn location(&self) -> Location {
        *self.source.location(self.span.clone())
    }
}

/// The type that an entry names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Built,
    Directory,
    Symlink,
    HardLink,
    Ghost,
}

const KINDS: [(&str, Kind); 6] = [
    ("file", Kind::File),
    ("built", Kind::Built),
    ("directory", Kind::Directory),
    ("symlink", Kind::Symlink),
    ("hard-link", Kind::HardLink),
    ("ghost", Kind::Ghost),
];

/// The entries of `[services.NAME]`.
pub(super) fn files(table: &Reader<'_>, known: &[Distribution]) -> Result<Vec<FileSettings>, Error> {
    table.array("files")?.into_iter().map(|table| file(table, known)).collect()
}

fn file(table: Reader<'_>, known: &[Distribution]) -> Result<FileSettings, Error> {
    let kind = table.string("type")?.map(|text| text.choice(&KINDS)).transpose()?.unwrap_or(Kind::File);
    let targets = targets(&table, known)?;
    let path = table.string("path")?;
    let path = path.ok_or_else(|| table.missing("path", "path = \"/usr/share/acme-api/data.json\""))?;
    let (install, into) = install_path(&path)?;
    allowed_place(&path, &install, into, &targets, known)?;
    let what = match kind {
        Kind::File => FileKind::File(file_source(&table, into)?),
        Kind::Built => FileKind::File(built(file_source(&table, into)?)),
        Kind::Directory => FileKind::Directory,
        Kind::Ghost => FileKind::Ghost,
        Kind::Symlink => FileKind::Symlink { target: link_target(&table, &install)?.1 },
        Kind::HardLink => FileKind::HardLink { target: hard_link_target(&table, &install)? },
    };
    let is_link = matches!(kind, Kind::Symlink | Kind::HardLink);
    let is_file = matches!(kind, Kind::File | Kind::Built);
    if is_link && into {
        let hint = "write the name that the link is to have after the `/`";
        return Err(path.error("a link needs a name", Some(hint.to_owned())));
    }
    let not_for = |key: &'static str, is_for: bool, rule: &str| match table.string(key)? {
        Some(text) if !is_for => {
            Err(text.error(rule, Some(format!("leave `{key}` out, or give the entry another type"))))
        }
        other => Ok(other),
    };
    not_for("source", is_file, "only a file has a source")?;
    not_for("target", is_link, "only a link has a target")?;
    let linked = "a symbolic link is always root's with the mode 0777, and a hard link is another name of its target";
    let mode = not_for("mode", !is_link, linked)?;
    let user = not_for("user", !is_link, linked)?;
    let group = not_for("group", !is_link, linked)?;
    let role = not_for("role", is_file, "only a file has a role")?;
    let caps = not_for("capabilities", is_file, "only a file has capabilities")?;

    let is_directory = kind == Kind::Directory || (kind == Kind::Ghost && into);
    let settings = FileSettings {
        mode: mode.map(|text| text.parse(|text| permissions(text, is_directory), MODE_HINT)).transpose()?,
        user: user.map(|text| text.checked(|text| owner(text, accounts::user), "")).transpose()?,
        group: group.map(|text| text.checked(|text| owner(text, accounts::group), "")).transpose()?,
        role: role_of(kind, role.as_ref(), &path, &install)?,
        marks: Marks::default(),
        compress: false,
        capabilities: caps.map(|text| text.parse(capabilities, CAPABILITIES_HINT)).transpose()?,
        kind: what,
        path: install,
        into,
        targets,
        place: table.place(),
    };
    table.finish()?;
    Ok(settings)
}

fn targets(table: &Reader<'_>, known: &[Distribution]) -> Result<Vec<Selector>, Error> {
    let Some(texts) = table.strings("targets")? else { return Ok(Vec::new()) };
    if texts.is_empty() {
        return Err(table.problem("targets", "is empty", Some("leave the key out, or name a target".to_owned())));
    }
    texts.iter().map(|text| text.parse(|text| Selector::parse(text, known), "")).collect()
}

/// The path, and whether it ended in `/`.
fn install_path(text: &Text<'_>) -> Result<(InstallPath, bool), Error> {
    let parse = |text: &str| -> Result<(InstallPath, bool), Rule> {
        plain_path(text)?;
        let trimmed = text.strip_suffix('/').unwrap_or(text);
        let path = InstallPath::parse(trimmed).map_err(|invalid| invalid.to_string())?;
        Ok((path, trimmed.len() != text.len()))
    };
    text.parse(parse, "write an absolute path without `..`, like `/usr/share/acme-api/data.json`")
}

/// What every path of a package must be so that no list of files can misread it (deb-md5sums(5), deb-conffiles(5),
/// dpkg-statoverride(1), which takes patterns).
pub(super) fn plain_path(text: &str) -> Result<(), Rule> {
    value::one_line(text)?;
    if text.len() > 4000 {
        return Err("is longer than a file system allows".to_owned());
    }
    if text.contains(['\\', '*', '?', '[', ']', '"']) {
        return Err(format!(
            "`{text}` has a character that has a meaning of its own in lists of files: one of `\\*?[]\"`"
        ));
    }
    if text.split('/').any(|part| part.trim() != part) {
        return Err(format!("`{text}` has blanks at the end of a name"));
    }
    Ok(())
}

/// Refuses what is not for packages, on the targets that the entry is for.
fn allowed_place(
    text: &Text<'_>,
    path: &InstallPath,
    into: bool,
    targets: &[Selector],
    known: &[Distribution],
) -> Result<(), Error> {
    // `/usr/share/doc/` as a place to put something into is no claim to the directory itself.
    let probe = if into { format!("{path}/x") } else { path.to_string() };
    for format in [Format::Deb, Format::Rpm] {
        let is_for = |selector: &Selector| match selector {
            Selector::All => true,
            Selector::Format(other) => *other == format,
            Selector::Distribution(name) => known.iter().any(|one| one.name == *name && one.format == format),
            Selector::Architecture { format: other, .. } => *other == format,
        };
        if (targets.is_empty() || targets.iter().any(is_for))
            && let Some((problem, hint)) = hierarchy::objection(&probe, format)
        {
            return Err(text.error(problem, Some(hint.to_owned())));
        }
    }
    Ok(())
}

/// `source`: a path or a pattern, relative to the service's directory.
fn file_source(table: &Reader<'_>, into: bool) -> Result<FileSource, Error> {
    let text = table.string("source")?;
    let text = text.ok_or_else(|| table.missing("source", "source = \"data.json\""))?;
    if !text.as_str().contains(['*', '?', '[', '{']) {
        return Ok(FileSource::Path(text.parse(value::file_path, "")?));
    }
    if !into {
        let hint = "end `path` in `/`: what the pattern finds goes into that directory";
        return Err(text.error("a pattern may find several files", Some(hint.to_owned())));
    }
    let parse = |text: &str| -> Result<FileSource, Rule> {
        let pattern = value::glob(text)?;
        let normal = pattern.glob().to_owned();
        let special = |part: &&str| !part.contains(['*', '?', '[', '{']);
        let base: PathBuf = normal.split('/').take_while(special).collect();
        value::relative_path(base.to_str().filter(|base| !base.is_empty()).unwrap_or("."))?;
        Ok(FileSource::Glob { base, pattern: Box::new(pattern.compile_matcher()) })
    };
    text.parse(parse, "")
}

/// The same, below `target/<profile>/`.
fn built(source: FileSource) -> FileSource {
    match source {
        FileSource::Path(path) => FileSource::Built { path, literal: PathBuf::new() },
        FileSource::Glob { base, pattern } => FileSource::BuiltGlob { base, pattern, literal: PathBuf::new() },
        other => other,
    }
}

const MODE_HINT: &str = "write the permission bits in octal, as a text: mode = \"0640\"";
const CAPABILITIES_HINT: &str = "write a text like `cap_net_bind_service=ep` (cap_from_text(3), setcap(8))";

/// Permission bits as chmod(1) has them.
fn permissions(text: &str, is_directory: bool) -> Result<u32, Rule> {
    let octal = (3..=4).contains(&text.len()) && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    let mode = u32::from_str_radix(text, 8).ok().filter(|_| octal);
    let mode = mode.ok_or_else(|| format!("`{text}` is no mode of three or four octal digits"))?;
    if mode & 0o002 != 0 && !(is_directory && mode & 0o1000 != 0) {
        let remedy = if is_directory { ", unless it is a directory with the sticky bit (1777)" } else { "" };
        return Err(format!("`{text}` lets everybody write: no file of a package may be so{remedy}"));
    }
    if is_directory && mode & 0o500 != 0o500 {
        return Err(format!("`{text}` does not let the owner into the directory"));
    }
    if !is_directory && mode & 0o400 == 0 {
        return Err(format!("`{text}` does not let the owner read the file"));
    }
    if !is_directory && (mode & 0o1000 != 0 || mode & 0o4100 == 0o4000 || mode & 0o2010 == 0o2000) {
        return Err(format!("`{text}` has a special bit that means nothing on such a file"));
    }
    Ok(mode)
}

/// Root, one of the system's, or one that the package may make.
fn owner(name: &str, known: fn(&str, Format) -> Option<(&'static str, u64)>) -> Result<(), Rule> {
    let is_known = [Format::Deb, Format::Rpm].into_iter().any(|format| known(name, format).is_some());
    if is_known { Ok(()) } else { value::user(name) }
}

/// Every file in /etc is configuration (Policy 10.7.2, and rpmlint's `non-conffile-in-etc`), and nothing else is
/// (lintian's `non-etc-file-marked-as-conffile`).
fn role_of(kind: Kind, role: Option<&Text<'_>>, path: &Text<'_>, install: &InstallPath) -> Result<Role, Error> {
    let in_etc = install.as_str().starts_with("/etc/");
    if kind == Kind::Ghost {
        return Ok(Role::Ghost);
    }
    if kind == Kind::HardLink && in_etc {
        let hint = "write type = \"symlink\"";
        return Err(path
            .error("hard links to configuration files are not allowed (Debian Policy 10.7.3)", Some(hint.to_owned())));
    }
    let roles = [("config", Role::Config), ("documentation", Role::Documentation), ("license", Role::License)];
    let Some(text) = role else {
        return Ok(if in_etc && matches!(kind, Kind::File | Kind::Built) { Role::Config } else { Role::Plain });
    };
    match (text.choice(&roles)?, in_etc) {
        (Role::Config, false) => {
            let hint = "install it below /etc, or leave `role` out".to_owned();
            Err(text.error("only files in /etc can be configuration files (Debian Policy 10.7.2)", Some(hint)))
        }
        (Role::Documentation | Role::License, true) => {
            let hint = "write role = \"config\", or install it below /usr/share/doc".to_owned();
            Err(text.error("files in /etc are configuration files (Debian Policy 10.7.2)", Some(hint)))
        }
        (role, _) => Ok(role),
    }
}

/// The absolute path that a link at `from` leads to.
fn link_target<'a>(table: &Reader<'a>, from: &InstallPath) -> Result<(Text<'a>, InstallPath), Error> {
    let text = table.string("target")?;
    let text = text.ok_or_else(|| table.missing("target", "target = \"/usr/bin/acme-api\""))?;
    let parse = |target: &str| -> Result<InstallPath, Rule> {
        plain_path(target)?;
        let mut parts: Vec<&str> = match target.starts_with('/') {
            true => Vec::new(),
            false => from.relative().split('/').rev().skip(1).collect::<Vec<_>>().into_iter().rev().collect(),
        };
        for part in target.split('/') {
            match part {
                "" | "." => {}
                ".." if parts.pop().is_none() => return Err(format!("`{target}` leads above the root")),
                ".." => {}
                part => parts.push(part),
            }
        }
        InstallPath::parse(&format!("/{}", parts.join("/"))).map_err(|invalid| invalid.to_string())
    };
    let target = text.parse(parse, "")?;
    if target == *from {
        return Err(text.error("the link leads to itself", None));
    }
    Ok((text, target))
}

/// Two names of one file may stand in two file systems when they are in two directories, and unpacking would fail
/// (lintian's `package-contains-hardlink`).
fn hard_link_target(table: &Reader<'_>, from: &InstallPath) -> Result<InstallPath, Error> {
    let (text, target) = link_target(table, from)?;
    if target.parent() != from.parent() {
        let hint = "write type = \"symlink\", or let both be in one directory".to_owned();
        return Err(text.error("a hard link must be in the directory of its target", Some(hint)));
    }
    Ok(target)
}

#[cfg(test)]
mod tests;
