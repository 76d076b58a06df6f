//! Which directories are git submodules, from `.gitmodules` alone (gitmodules(5), git-config(1) for the syntax).
//!
//! git is not asked: its configuration file format is small, and an `include` in a hostile repository must not be
//! followed.

use std::path::{Path, PathBuf};

use super::Error;
use super::tracked::Tracked;
use crate::config::{read_text, value};
use crate::diagnostic::Location;

/// A submodule of a superproject.
#[derive(Debug, Clone)]
pub(super) struct Submodule {
    /// Its directory, relative to the workspace's root.
    pub(super) path: PathBuf,
    /// Whether its files are there.
    pub(super) checked_out: bool,
    /// The command that checks it out, to be run in the workspace's root.
    pub(super) command: String,
    /// Where `.gitmodules` names it.
    pub(super) location: Box<Location>,
}

impl Submodule {
    /// The error when it is needed and not there.
    pub(super) fn missing(&self) -> Error {
        Error::NotCheckedOut { path: self.path.clone(), command: self.command.clone(), location: self.location.clone() }
    }
}

/// The submodules of the superproject in `superproject` (absolute) that lie below `root`, sorted by path.
pub(super) fn submodules(root: &Path, superproject: &Path) -> Result<Vec<Submodule>, Error> {
    let file = superproject.join(".gitmodules");
    if !file.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Ok(Vec::new());
    }
    let text = read_text(&file)?;
    let shown = file.strip_prefix(root).unwrap_or(&file);
    let at = |line: usize| Box::new(Location::line(shown, text.as_ref(), line));
    let has_git = superproject.join(".git").exists();
    let tracked = Tracked::of(superproject);
    let mut found = Vec::new();
    for (line, path) in paths(&text).map_err(|(line, problem)| Error::Submodules { problem, location: at(line) })? {
        let inner = value::file_path(&path).map_err(|problem| Error::Submodules { problem, location: at(line) })?;
        let directory = superproject.join(&inner);
        if !value::stays_inside(superproject, &directory) {
            let problem = format!("the submodule `{path}` leads out of the repository");
            return Err(Error::Submodules { problem, location: at(line) });
        }
        let Ok(relative) = directory.strip_prefix(root) else { continue };
        // What git has removed may still stand in the file; and where there is no git (an unpacked archive), a submodule
        // without files is an empty directory, or never belonged to the archive.
        if tracked.is_submodule(&inner) == Some(false) || !(has_git || directory.exists()) {
            continue;
        }
        let checked_out = if has_git { directory.join(".git").exists() } else { is_filled(&directory) };
        let command = command(root, superproject, relative, &inner);
        found.push(Submodule { path: relative.to_path_buf(), checked_out, command, location: at(line) });
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found.dedup_by(|one, other| one.path == other.path);
    Ok(found)
}

/// The command for a person who stands in the workspace's root.
fn command(root: &Path, superproject: &Path, relative: &Path, inner: &Path) -> String {
    let quote = |path: &Path| {
        let text = path.to_string_lossy().into_owned();
        shlex::try_quote(&text).map(std::borrow::Cow::into_owned).unwrap_or(text)
    };
    match superproject.strip_prefix(root) {
        // git only takes paths of the superproject that it stands in.
        Ok(nested) if !nested.as_os_str().is_empty() => {
            format!("git -C {} submodule update --init --recursive {}", quote(nested), quote(inner))
        }
        _ => format!("git submodule update --init --recursive {}", quote(relative)),
    }
}

fn is_filled(directory: &Path) -> bool {
    fs_err::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some())
}

/// The `path` of each `[submodule "NAME"]` section with its line.
fn paths(text: &str) -> Result<Vec<(usize, String)>, (usize, String)> {
    let mut paths = Vec::new();
    let mut inside = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_start_matches('\u{feff}').trim();
        if let Some(section) = line.strip_prefix('[') {
            inside = section.get(..9).is_some_and(|word| word.eq_ignore_ascii_case("submodule"));
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        if inside && key.trim().eq_ignore_ascii_case("path") {
            paths.push((index + 1, unquote(value.trim()).map_err(|problem| (index + 1, problem))?));
        }
    }
    Ok(paths)
}

/// A value with its quotes, escapes and trailing comment removed.
fn unquote(value: &str) -> Result<String, String> {
    let mut text = String::new();
    let mut kept = 0;
    let mut quoted = false;
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => quoted = !quoted,
            '#' | ';' if !quoted => break,
            '\\' => match characters.next() {
                Some(escaped @ ('"' | '\\')) => text.push(escaped),
                Some('t') => text.push('\t'),
                Some('n') => text.push('\n'),
                _ => return Err(format!("`{value}` has an escape that git does not know")),
            },
            other => text.push(other),
        }
        if quoted || !character.is_whitespace() {
            kept = text.len();
        }
    }
    if quoted {
        return Err(format!("`{value}` has a quote that is not closed"));
    }
    text.truncate(kept);
    Ok(text)
}

/// Whether `directory` (relative to `root`) can be used: it is an error when it is a submodule, or lies in one, that is
/// not checked out. For the commands that need a directory which discovery does not look into, like a vendor directory.
///
/// # Errors
/// [`Error::NotCheckedOut`] with the command; [`Error::Submodules`] and [`Error::Io`] when `.gitmodules` cannot be read.
pub fn require_checked_out(root: &Path, directory: &Path) -> Result<(), Error> {
    let mut superproject = crate::config::repository_root(root).map_err(|error| match error {
        crate::config::Error::Io(error) => error,
        other => std::io::Error::other(other),
    })?;
    loop {
        let submodules = submodules(root, &superproject)?;
        let Some(submodule) = submodules.iter().find(|submodule| directory.starts_with(&submodule.path)) else {
            return Ok(());
        };
        if !submodule.checked_out {
            return Err(submodule.missing());
        }
        superproject = root.join(&submodule.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_git_reads_them() {
        let text = "[submodule \"a\"]\n\tpath = common/a # why\n\turl = ../a\n[Submodule \"b c\"]\nPATH = \"b c\"\n[core]\npath = no\n[submodule \"d\"] ; x\n path=d\\\\e\n";
        let expected = [(2, "common/a"), (5, "b c"), (9, "d\\e")].map(|(line, path)| (line, path.to_owned()));
        assert_eq!(paths(text).unwrap(), expected);
        assert!(paths("[submodule \"a\"]\npath = \"a\n").is_err());
        assert!(paths("[submodule \"a\"]\npath = \\x\n").is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "(\\[submodule \"a\"\\]\n|path ?=|\\PC{0,9}|[\"\\\\;#\n]){0,12}") {
            for (line, path) in paths(&text).unwrap_or_default() {
                assert!((1..=text.lines().count()).contains(&line) && path.len() <= text.len());
            }
        }
    }

    #[test]
    fn a_submodule_cannot_lie_outside_of_its_superproject() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        fs_err::write(root.join(".gitmodules"), "[submodule \"a\"]\npath = ../../etc\n").unwrap();
        assert!(matches!(submodules(&root, &root), Err(Error::Submodules { .. })));
    }
}
