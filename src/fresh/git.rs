//! What of git's own files decides about versions, changelogs and changes: where HEAD and the refs stand, the index, the
//! configurations. Objects are named by their content and need no look.

use std::path::{Path, PathBuf};

use super::NotFresh;
use super::look::{Manner, Paths};
use crate::variables;

/// In the directory of a repository or of a worktree (gitrepository-layout(5)).
const FILES: [&str; 17] = [
    "HEAD",
    "config",
    "config.worktree",
    "index",
    "packed-refs",
    "shallow",
    "commondir",
    "gitdir",
    "info/attributes",
    "info/exclude",
    "info/grafts",
    "info/sparse-checkout",
    "objects/info/alternates",
    // What a revision on the command line may name beside refs.
    "FETCH_HEAD",
    "MERGE_HEAD",
    "ORIG_HEAD",
    "CHERRY_PICK_HEAD",
];

/// The repository whose working tree has `dot_git`: a directory, or the file of a worktree or submodule.
pub(super) fn repository(paths: &mut Paths, dot_git: &Path) -> Result<(), NotFresh> {
    let mut directory = dot_git.to_path_buf();
    if dot_git.is_file() {
        paths.add(dot_git, Manner::Itself);
        let text = fs_err::read_to_string(dot_git).map_err(NotFresh::io)?;
        let Some(place) = text.trim_end().strip_prefix("gitdir: ") else { return Ok(()) };
        directory = dot_git.parent().unwrap_or(Path::new("/")).join(place);
    }
    own_files(paths, &directory)?;
    if let Ok(common) = fs_err::read_to_string(directory.join("commondir")) {
        own_files(paths, &directory.join(common.trim_end()))?;
    }
    if let Ok(configuration) = git2::Repository::open(&directory).and_then(|repository| repository.config()) {
        named(paths, &configuration, &directory);
    }
    Ok(())
}

fn own_files(paths: &mut Paths, directory: &Path) -> Result<(), NotFresh> {
    paths.add(directory, Manner::Place);
    FILES.iter().for_each(|name| paths.add_file(directory.join(name)));
    for name in ["refs", "reftable"] {
        let below = directory.join(name);
        if below.is_dir() {
            paths.add_all_below(&below, &|_| false)?;
        } else {
            paths.add(below, Manner::Behind);
        }
    }
    Ok(())
}

/// The user's and the system's configuration, there or not, and what it names.
pub(super) fn configuration(paths: &mut Paths) {
    paths.add_file("/etc/gitconfig");
    paths.add_file("/etc/gitattributes");
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let home = variable(variables::HOME);
    let base = variable(variables::XDG_CONFIG_HOME).or_else(|| Some(home.as_ref()?.join(".config")));
    if let Some(home) = &home {
        paths.add_file(home.join(".gitconfig"));
    }
    for name in ["config", "ignore", "attributes"] {
        if let Some(base) = &base {
            paths.add_file(base.join("git").join(name));
        }
    }
    if let Ok(configuration) = git2::Config::open_default() {
        named(paths, &configuration, Path::new("/etc"));
    }
}

/// Files that a configuration names.
fn named(paths: &mut Paths, configuration: &git2::Config, directory: &Path) {
    let home = std::env::var_os(variables::HOME).map(PathBuf::from).unwrap_or_default();
    let Ok(entries) = configuration.entries(None) else { return };
    let _ = entries.for_each(|entry| {
        let (Ok(name), Ok(value)) = (entry.name(), entry.value()) else { return };
        let is_include = name.starts_with("include") && name.ends_with(".path");
        if !is_include && !matches!(name, "core.excludesfile" | "core.attributesfile") {
            return;
        }
        match value.strip_prefix("~/") {
            Some(below) => paths.add_file(home.join(below)),
            // Relative to the file that names it, which is one of these.
            None => {
                [directory, &home, &home.join(".config/git")].iter().for_each(|base| paths.add_file(base.join(value)))
            }
        }
    });
}
