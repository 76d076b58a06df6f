//! Where an asset's `source` is: below `target/release/` what cargo makes, else a file of the repository.
//!
//! `cargo generate-rpm -p DIRECTORY` runs in the directory of the cargo workspace and looks for a source there first, then
//! in the crate's own; without `-p` the two are one.

use std::path::{Path, PathBuf};

use globset::GlobMatcher;

use super::super::manifest::CrateManifest;
use super::super::{glob, place};
use crate::config::Note;
use crate::config::error::Error;
use crate::config::reader::Text;
use crate::config::value;

/// What a source names.
pub(super) enum Named {
    /// One thing that cargo makes: its path below `target/<profile>/`, and as it was written.
    Built(PathBuf, PathBuf),
    /// Several things that cargo makes.
    BuiltPattern { base: PathBuf, pattern: Box<GlobMatcher>, literal: PathBuf },
    /// One file, from the crate's directory.
    File(PathBuf),
    /// What a pattern finds: each file from the crate's directory, with its path below the pattern's fixed part.
    Files(Vec<(PathBuf, PathBuf)>),
}

/// Whether the tool takes `text` for a pattern: only for a `*`.
fn is_pattern(text: &str) -> bool {
    text.contains('*')
}

/// Reads a source.
pub(super) fn named(
    krate: &CrateManifest,
    text: &Text<'_>,
    profile: &str,
    notes: &mut Vec<Note>,
) -> Result<Named, Error> {
    if let Some(other) = other_target(text.as_str(), profile) {
        let message = format!("`{}` is taken as it lies there: packhouse does not build {other}", text.as_str());
        notes.push(text.note(message, Some("write `target/release/NAME` for what packhouse builds".to_owned())));
        return file(krate, text);
    }
    match place::origin(krate, text, profile)? {
        place::Origin::Built(path) if is_pattern(text.as_str()) => {
            let parse = |_: &str| value::glob(&braceless(&path.to_string_lossy()));
            let pattern = text.parse(parse, "")?.compile_matcher();
            let (base, literal) = (fixed(&path), fixed(Path::new(text.as_str())));
            Ok(Named::BuiltPattern { base, pattern: Box::new(pattern), literal })
        }
        place::Origin::Built(path) => Ok(Named::Built(path, PathBuf::from(text.as_str()))),
        place::Origin::File(_) => file(krate, text),
    }
}

/// What a path below `target/` is of, when it is of no build that packhouse does.
fn other_target(text: &str, profile: &str) -> Option<String> {
    let (first, rest) = text.strip_prefix("target/")?.split_once('/')?;
    let built = ["release", "debug", place::profile_directory(profile)];
    match first {
        "debug" if profile != "dev" => Some("with the profile `dev`".to_owned()),
        triple if triple.contains('-') && built.iter().any(|directory| rest.starts_with(&format!("{directory}/"))) => {
            Some(format!("for `{triple}` by name"))
        }
        _ => None,
    }
}

/// A file or several of the repository.
fn file(krate: &CrateManifest, text: &Text<'_>) -> Result<Named, Error> {
    let parse = |text: &str| place::inside(&krate.root, &krate.directory, text);
    let outside = "bring the file into the repository: a package is made from nothing else";
    if !is_pattern(text.as_str()) {
        let path = first_existing(krate, Path::new(text.as_str()));
        return Ok(Named::File(match path {
            Some(path) => text.parse(|_| parse(&path.to_string_lossy()), outside)?,
            None => text.parse(parse, outside)?,
        }));
    }
    for below in directories(krate) {
        let pattern = below.join(text.as_str());
        let pattern = text.parse(|_| parse(&pattern.to_string_lossy()), outside)?;
        let directory = krate.root.join(&krate.directory);
        let found = text.parse(|_| glob::expand(&directory, &pattern.to_string_lossy()), "")?;
        if !found.is_empty() {
            let base = fixed(&pattern);
            let below = |path: &PathBuf| path.strip_prefix(&base).unwrap_or(path).to_path_buf();
            return Ok(Named::Files(found.into_iter().map(|path| (path.clone(), below(&path))).collect()));
        }
    }
    let hint = "correct the pattern: it is looked for in the workspace's directory, then in the crate's";
    Err(text.error(format!("the pattern `{}` finds nothing", text.as_str()), Some(hint.to_owned())))
}

/// The path from the crate's directory of the first file of this name.
pub(super) fn first_existing(krate: &CrateManifest, path: &Path) -> Option<PathBuf> {
    let candidates = directories(krate).into_iter().map(|directory| directory.join(path));
    candidates.into_iter().find(|path| krate.absolute(path).symlink_metadata().is_ok())
}

/// The directories in which a source is looked for, from the crate's.
fn directories(krate: &CrateManifest) -> Vec<PathBuf> {
    let mut directories = vec![PathBuf::new()];
    if let Ok(below) = krate.directory.strip_prefix(&krate.workspace)
        && below.components().next().is_some()
    {
        directories.insert(0, below.components().map(|_| "..").collect());
    }
    directories
}

/// The part of a pattern before the first name with a `*`.
fn fixed(pattern: &Path) -> PathBuf {
    pattern.components().take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '['])).collect()
}

/// A pattern of the glob crate in our own grammar: there, braces mean themselves.
fn braceless(pattern: &str) -> String {
    let escape = |character| match character {
        '{' | '}' => format!("[{character}]"),
        other => String::from(other),
    };
    pattern.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_build_of_another_target_or_profile_is_told_from_ours() {
        assert_eq!(other_target("target/release/tool", "release"), None);
        assert_eq!(other_target("target/dist/tool", "dist"), None);
        assert_eq!(other_target("target/rpm/tool.service", "release"), None);
        assert_eq!(other_target("target/man-pages/tool.1", "release"), None);
        assert!(other_target("target/debug/tool", "release").is_some());
        assert!(other_target("target/x86_64-unknown-linux-musl/release/tool", "release").is_some());
        assert_eq!(other_target("target/debug/tool", "dev"), None);
    }

    #[test]
    fn what_a_pattern_finds_keeps_its_path_below_the_fixed_part() {
        assert_eq!(fixed(Path::new("share/*/x.txt")), Path::new("share"));
        assert_eq!(fixed(Path::new("pre*")), Path::new(""));
        assert_eq!(fixed(Path::new("../share/a*")), Path::new("../share"));
        assert_eq!(braceless("a{b}*"), "a[{]b[}]*");
    }
}
