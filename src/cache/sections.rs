//! What the cache holds: its sections, and the entries in them.
//!
//! An entry is what comes and goes as a whole: a file or a directory below its section, beyond the shelves that only
//! sort (`v1`, `sha256`, `ab`). What is not in the table is not packhouse's and is never removed.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// One kind of things that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    /// Its directory.
    pub name: &'static str,
    /// What people read.
    pub what: &'static str,
    /// Whether it is another program's and one entry.
    whole: bool,
}

const fn section(name: &'static str, what: &'static str) -> Section {
    Section { name, what, whole: false }
}

/// All there are.
pub(super) const SECTIONS: &[Section] = &[
    section("artefacts", "downloads"),
    section("parts", "unfinished downloads"),
    section("wheels", "unpacked wheels"),
    section("bytecode", "byte-code of wheels"),
    section("built-wheels", "wheels built from sources"),
    section("build-environments", "environments that wheels are built in"),
    section("cargo-target", "results of cargo"),
    section("cargo-programs", "programs that cargo made"),
    section("cargo-vendor", "looked-at vendor directories of crates"),
    section("blocks", "compressed blocks of packages"),
    section("facts", "facts of ELF files"),
    section("layouts", "services laid out to be asked for --help"),
    section("help", "what commands print for --help"),
    section("stamps", "digests of vendored files"),
    section("directories", "digests of plain directories"),
    section("fresh", "records of whole builds"),
    section("jobs", "records of built packages"),
    section("tools", "tools"),
    Section { name: "uv", what: "uv's own cache", whole: true },
];

/// What comes and goes as a whole.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) section: Section,
    pub(super) path: PathBuf,
    /// Bytes on the disk.
    pub(super) size: u64,
    pub(super) used: SystemTime,
}

/// All entries of the cache at `root`. What goes while it is looked at is left out.
pub(super) fn entries(root: &Path) -> io::Result<Vec<Entry>> {
    let mut found = Vec::new();
    for section in SECTIONS {
        let directory = root.join(section.name);
        if section.whole {
            add(*section, directory, &mut found)?;
        } else {
            collect(*section, &directory, &mut found)?;
        }
    }
    Ok(found)
}

fn collect(section: Section, directory: &Path, found: &mut Vec<Entry>) -> io::Result<()> {
    let Some(children) = unless_gone(fs_err::read_dir(directory))? else { return Ok(()) };
    for child in children {
        let child = child?;
        if child.file_type()?.is_dir() && is_shelf(&child.file_name().to_string_lossy()) {
            collect(section, &child.path(), found)?;
        } else {
            add(section, child.path(), found)?;
        }
    }
    Ok(())
}

/// Whether a directory of this name only sorts what is in it.
fn is_shelf(name: &str) -> bool {
    let version = name.strip_prefix('v').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    version || name == "sha256" || (name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn add(section: Section, path: PathBuf, found: &mut Vec<Entry>) -> io::Result<()> {
    let Some(metadata) = unless_gone(fs_err::symlink_metadata(&path))? else { return Ok(()) };
    let size = if metadata.is_dir() { size(&path) } else { metadata.blocks() * 512 };
    found.push(Entry { section, path, size, used: metadata.modified()? });
    Ok(())
}

/// Bytes that a directory takes on the disk.
pub(super) fn size(directory: &Path) -> u64 {
    let entries = walkdir::WalkDir::new(directory).into_iter().filter_map(Result::ok);
    entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.blocks() * 512).sum()
}

/// What of the cache at `root` this user may not read and write: its directories and the shelves in them, or the place
/// where it would be made. `sudo` leaves such.
pub(super) fn refused(root: &Path) -> Option<PathBuf> {
    use rustix::fs::Access;
    let allowed = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
    // What is no directory is in the way, and is taken away where a directory is wanted.
    let refuses =
        |path: &Path| path.is_dir() && rustix::fs::access(path, allowed).is_err_and(|error| is_refusal(error.into()));
    let top = root.ancestors().find(|path| path.exists())?;
    if top != root {
        return rustix::fs::access(top, Access::WRITE_OK | Access::EXEC_OK)
            .is_err_and(|error| is_refusal(error.into()))
            .then(|| top.to_path_buf());
    }
    let names = SECTIONS.iter().map(|section| section.name).chain(["tmp", "locks"]);
    let shelves = |directory: PathBuf| {
        let entries = fs_err::read_dir(&directory).into_iter().flatten().flatten();
        let names = entries.filter(|entry| entry.file_name().to_str().is_some_and(is_shelf));
        std::iter::once(directory).chain(names.map(|entry| entry.path()))
    };
    let below = names.map(|name| root.join(name)).flat_map(shelves);
    std::iter::once(root.to_path_buf()).chain(below).find(|path| refuses(path))
}

fn is_refusal(error: io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}

fn unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        other => other.map(Some),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn every_section_that_is_written_to_is_in_the_table() {
        let sources = walkdir::WalkDir::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
        let mut found = std::collections::BTreeSet::new();
        for file in
            sources.into_iter().map(Result::unwrap).filter(|file| file.path().extension() == Some("rs".as_ref()))
        {
            let text = fs_err::read_to_string(file.path()).unwrap();
            let code = text.split("mod tests {").next().unwrap_or_default();
            for begin in ["cache.section(\"", "SECTION: &str = \""] {
                let names = code.split(begin).skip(1).filter_map(|rest| rest.split(['"', '/']).next());
                found.extend(names.map(str::to_owned));
            }
        }
        assert!(found.len() > 8, "{found:?}");
        for name in found {
            assert!(SECTIONS.iter().any(|section| section.name == name), "{name} is in no table");
        }
    }
}
