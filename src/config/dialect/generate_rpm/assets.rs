//! `assets`: the files of the package (`AssetInfo` of the tool).
//!
//! Where a mode is not given, the file's own counts. cargo-generate-rpm did so until 0.19; since then it writes 0664, and a
//! program that is installed so cannot be started. `dir = true`, which it takes and then fails on, makes an empty directory.

use std::path::Path;

use super::super::manifest::CrateManifest;
use super::super::place;
use super::source::{self, Named};
use crate::config::Note;
use crate::config::capabilities::capabilities;
use crate::config::error::Error;
use crate::config::files::{FileKind, FileSettings, FileSource};
use crate::config::reader::{Item, Reader, Value};
use crate::config::value::{self, Rule};
use crate::tree::{InstallPath, Marks, Role};

/// What is said of an asset beside its source and its place.
struct Attributes {
    mode: Option<u32>,
    user: Option<String>,
    group: Option<String>,
    role: Role,
    marks: Marks,
    capabilities: Option<String>,
}

/// All files that the assets install.
pub(super) fn assets(
    krate: &CrateManifest,
    tables: Vec<Reader<'_>>,
    profile: &str,
    notes: &mut Vec<Note>,
) -> Result<Vec<FileSettings>, Error> {
    let mut all = Vec::new();
    for table in tables {
        asset(krate, table, profile, notes, &mut all)?;
    }
    Ok(all)
}

fn asset(
    krate: &CrateManifest,
    table: Reader<'_>,
    profile: &str,
    notes: &mut Vec<Note>,
    all: &mut Vec<FileSettings>,
) -> Result<(), Error> {
    let source = table.string("source")?;
    let is_directory = table.boolean("dir")?.unwrap_or_default();
    let dest = table.string("dest")?.ok_or_else(|| table.missing("dest", "dest = \"/usr/bin/tool\""))?;
    let attributes = attributes(&table)?;
    if !dest.as_str().starts_with(['/', '.']) {
        let hint = format!("write `/{}`", dest.as_str());
        return Err(dest.error("the place of a file begins with `/`", Some(hint)));
    }
    let mut add =
        |kind: FileKind, path: InstallPath, into: bool| all.push(settings(&table, &attributes, kind, path, into));
    if is_directory {
        if let Some(source) = source {
            let hint = Some("leave `source` out: what is to lie in the directory is an asset of its own".to_owned());
            notes.push(source.note("a directory has no source; it is left out", hint));
        }
        let path = place::installed(&dest, "", notes)?;
        add(FileKind::Directory, path, false);
        table.rest(notes);
        return Ok(());
    }
    let source = source.ok_or_else(|| table.missing("source", "source = \"target/release/tool\""))?;
    match source::named(krate, &source, profile, notes)? {
        Named::Built(path, literal) => {
            let to = place::installed(&dest, name(&path), notes)?;
            add(FileKind::File(FileSource::Built { path, literal }), to, false);
        }
        Named::BuiltPattern { base, pattern, literal } => {
            let to = place::installed(&dest, "", notes)?;
            add(FileKind::File(FileSource::BuiltGlob { base, pattern, literal }), to, true);
        }
        Named::File(path) => {
            let to = place::installed(&dest, name(&path), notes)?;
            add(FileKind::File(FileSource::Path(path)), to, false);
        }
        Named::Files(found) => {
            let to = place::installed(&dest, "", notes)?;
            for (path, below) in found {
                let to = dest.parse(|_| to.join(&below.to_string_lossy()), "rename the file")?;
                add(FileKind::File(FileSource::Path(path)), to, false);
            }
        }
    }
    table.rest(notes);
    Ok(())
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

fn settings(
    table: &Reader<'_>,
    attributes: &Attributes,
    kind: FileKind,
    path: InstallPath,
    into: bool,
) -> FileSettings {
    let is_directory = matches!(kind, FileKind::Directory);
    FileSettings {
        kind,
        path,
        into,
        mode: attributes.mode,
        user: attributes.user.clone(),
        group: attributes.group.clone(),
        // Only files are configuration or documentation, or have capabilities; rpm drops the marks of a directory, too.
        role: if is_directory { Role::Plain } else { attributes.role },
        marks: if is_directory { Marks::default() } else { attributes.marks },
        compress: false,
        capabilities: attributes.capabilities.clone().filter(|_| !is_directory),
        targets: Vec::new(),
        place: table.place(),
    }
}

fn attributes(table: &Reader<'_>) -> Result<Attributes, Error> {
    let mode = table.string("mode")?.map(|text| text.parse(mode, MODE_HINT)).transpose()?;
    let caps = table.string("caps")?.map(|text| {
        text.parse(capabilities, "write a text like `cap_net_bind_service=ep` (cap_from_text(3), setcap(8))")
    });
    let is_documentation = table.boolean("doc")?.unwrap_or_default();
    let config = table.item("config")?.map(|item| configuration(&item)).transpose()?.flatten();
    let (role, replaceable, may_be_missing) = match config {
        Some((no_replace, missing_ok)) => (Role::Config, !no_replace, missing_ok),
        None if is_documentation => (Role::Documentation, false, false),
        None => (Role::Plain, false, false),
    };
    Ok(Attributes {
        mode,
        user: owner(table, "user")?,
        group: owner(table, "group")?,
        role,
        marks: Marks { replaceable, may_be_missing, documentation: is_documentation },
        capabilities: caps.transpose()?,
    })
}

pub(super) const MODE_HINT: &str = "write it like `755` or `0644`";

/// A user or a group.
pub(super) fn owner(table: &Reader<'_>, key: &'static str) -> Result<Option<String>, Error> {
    table.string(key)?.map(|text| text.checked(|name| value::word(name, "._-"), "")).transpose()
}

/// Permission bits in octal. The file's type may stand before them, as `stat -c %f` has it, and says nothing.
pub(super) fn mode(text: &str) -> Result<u32, Rule> {
    let digits = !text.is_empty() && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| digits && *mode <= 0o177_777);
    mode.map(|mode| mode & 0o7777).ok_or_else(|| format!("`{text}` is no mode in octal digits"))
}

/// `config`: whether it is kept when it was changed (`noreplace`), and whether it may be missing.
fn configuration(item: &Item<'_>) -> Result<Option<(bool, bool)>, Error> {
    const EXPECTED: &str = "true, false, \"noreplace\", \"missingok\" or an array of these two";
    const WORDS: [(&str, (bool, bool)); 2] = [("noreplace", (true, false)), ("missingok", (false, true))];
    match &item.value {
        Value::Boolean(false) => Ok(None),
        Value::Boolean(true) => Ok(Some((false, false))),
        Value::Text => item.text.choice(&WORDS).map(Some),
        Value::List(words) => {
            let mut all = (false, false);
            for word in words {
                if !matches!(word.value, Value::Text) {
                    return Err(word.mistyped(EXPECTED));
                }
                let (no_replace, missing_ok) = word.text.choice(&WORDS)?;
                all = (all.0 | no_replace, all.1 | missing_ok);
            }
            Ok(Some(all))
        }
        _ => Err(item.mistyped(EXPECTED)),
    }
}

/// Lets man pages be compressed, as Policy 12.1 has it and as rpmbuild does.
pub(super) fn compress_pages(files: &mut [FileSettings]) {
    for file in files {
        let is_page = file.path.as_str().starts_with("/usr/share/man/") && !file.path.as_str().ends_with(".gz");
        file.compress = is_page && !file.into && matches!(file.kind, FileKind::File(_));
    }
}

/// What the same assets are in a .deb, where everything in /etc is configuration (Policy 10.7.2).
pub(super) fn for_deb(files: &[FileSettings]) -> Vec<FileSettings> {
    let mut files = files.to_vec();
    for file in &mut files {
        if matches!(file.kind, FileKind::File(_)) && file.path.as_str().starts_with("/etc/") {
            file.role = Role::Config;
        }
    }
    compress_pages(&mut files);
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_octal_digits_with_or_without_the_files_type() {
        for (text, read) in [("755", 0o755), ("0644", 0o644), ("0100755", 0o755), ("4755", 0o4755), ("0777", 0o777)] {
            assert_eq!(mode(text), Ok(read), "{text}");
        }
        for wrong in ["", "rwx", "0o755", "888", "-1", "+755", "7777777"] {
            assert!(mode(wrong).is_err(), "{wrong:?}");
        }
    }
}
