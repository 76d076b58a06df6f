//! A tree as a directory, for those who must run what is in it.
//!
//! A tree of a few thousand files takes longer to lay out than a command takes to answer, and from one build to the next a
//! few of them change. So the directory stays in the cache, with a list of what is in it: [`update`] removes what is no
//! longer so and adds what is new. The list is away while that is done, and a directory without one is made anew.
//!
//! Files are links into the store where the file system allows it, so nothing may write to them: a directory is kept only
//! where the sandbox shows it read-only.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::cache::{record, seal};
use crate::ecosystem::python::environment::put_file;
use crate::tree::{Content, InstallPath, Node, Tree};

/// What stands at a path.
#[derive(Debug, Clone)]
pub(super) enum Wanted {
    /// A directory with nothing in it.
    Directory,
    /// A file with this mode.
    File(Content, u32),
    /// A link.
    Link(PathBuf),
}

/// What is to be in a directory, by path.
pub(super) type Plan = BTreeMap<String, Wanted>;

/// What of `tree` stands below `prefix`.
pub(super) fn plan(tree: &Tree, prefix: &InstallPath) -> Plan {
    let mut plan = Plan::new();
    for (path, entry) in tree.iter().filter(|(path, _)| path.is_within(prefix)) {
        let wanted = match &entry.node {
            Node::Directory => Wanted::Directory,
            Node::Symlink(target) => Wanted::Link(target.into()),
            Node::File(content) => Wanted::File(content.clone(), entry.mode),
            // Nothing that Python installs is one.
            Node::HardLink(_) => continue,
        };
        let below = path.as_str().strip_prefix(prefix.as_str()).unwrap_or_default();
        plan.insert(below.trim_start_matches('/').to_owned(), wanted);
    }
    plan
}

/// Puts what `plan` says into `directory`, which must not exist.
pub(super) fn lay_out(directory: &Path, plan: &Plan) -> io::Result<()> {
    fs_err::create_dir_all(directory)?;
    add(directory, plan.iter())
}

/// Makes the directory that is kept at `place` what `plan` says, and gives its path. Nobody else may use it meanwhile. What
/// cannot be made so, because other things stand in the way, is made anew.
pub(super) fn update(place: &Path, plan: &Plan) -> io::Result<PathBuf> {
    bring_up_to_date(place, plan).or_else(|_| {
        record::forget(place);
        bring_up_to_date(place, plan)
    })
}

fn bring_up_to_date(place: &Path, plan: &Plan) -> io::Result<PathBuf> {
    let (directory, list) = (place.join("tree"), place.join("list.json"));
    let described: BTreeMap<&str, String> =
        plan.iter().map(|(path, wanted)| (path.as_str(), describe(wanted))).collect();
    let present = fs_err::read(&list).ok();
    let present: Option<BTreeMap<String, String>> = present.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let Some(present) = present else {
        remove(&list)?;
        if directory.exists() {
            fs_err::remove_dir_all(&directory)?;
        }
        lay_out(&directory, plan)?;
        return keep(place, &list, &described);
    };
    let stays = |path: &str, wanted: &Wanted| {
        described.get(path) == present.get(path) && is_there(&directory.join(path), wanted)
    };
    let missing: Vec<(&String, &Wanted)> = plan.iter().filter(|(path, wanted)| !stays(path, wanted)).collect();
    let new: BTreeSet<&str> = missing.iter().map(|(path, _)| path.as_str()).collect();
    let old: Vec<&String> =
        present.keys().filter(|path| new.contains(path.as_str()) || !plan.contains_key(*path)).collect();
    if missing.is_empty() && old.is_empty() {
        return Ok(directory);
    }
    remove(&list)?;
    for path in old.into_iter().rev() {
        remove(&directory.join(path))?;
        // A package without files would be one that can be imported all the same.
        for parent in Path::new(path).ancestors().skip(1).take_while(|parent| !parent.as_os_str().is_empty()) {
            if std::fs::remove_dir(directory.join(parent)).is_err() {
                break;
            }
        }
    }
    add(&directory, missing.into_iter())?;
    keep(place, &list, &described)
}

/// Writes the list; gives the directory.
fn keep(place: &Path, list: &Path, described: &BTreeMap<&str, String>) -> io::Result<PathBuf> {
    let mut file = tempfile::NamedTempFile::new_in(place)?;
    file.write_all(&serde_json::to_vec(described)?)?;
    file.persist(list).map_err(|error| error.error)?;
    Ok(place.join("tree"))
}

fn add<'a>(directory: &Path, plan: impl Iterator<Item = (&'a String, &'a Wanted)>) -> io::Result<()> {
    let mut made = BTreeSet::new();
    for (path, wanted) in plan {
        let target = directory.join(path);
        if let Some(parent) = target.parent()
            && made.insert(parent.to_path_buf())
        {
            fs_err::create_dir_all(parent)?;
        }
        match wanted {
            Wanted::Directory => fs_err::create_dir_all(&target)?,
            Wanted::Link(link) => fs_err::os::unix::fs::symlink(link, &target)?,
            Wanted::File(content, mode) => {
                put_file(content, *mode, &target)?;
                seal::one(&target)?;
            }
        }
    }
    Ok(())
}

fn describe(wanted: &Wanted) -> String {
    match wanted {
        Wanted::Directory => "directory".to_owned(),
        Wanted::Link(link) => format!("-> {link:?}"),
        Wanted::File(content, mode) => format!("{mode:o} {}", content.digests.sha256),
    }
}

/// Whether something like `wanted` is there, and nobody has written to it.
fn is_there(path: &Path, wanted: &Wanted) -> bool {
    fs_err::symlink_metadata(path).is_ok_and(|metadata| match wanted {
        Wanted::Directory => metadata.is_dir(),
        Wanted::Link(link) => fs_err::read_link(path).is_ok_and(|there| there == *link),
        Wanted::File(content, _) => seal::holds(path, content.digests.size),
    })
}

/// Removes a file, a link, or a directory with nothing in it, if it is there.
fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs_err::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            // What is in it is wanted.
            drop(std::fs::remove_dir(path));
            Ok(())
        }
        Ok(_) => fs_err::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    fn file(text: &str, mode: u32) -> Wanted {
        Wanted::File(Content::bytes(text.as_bytes()), mode)
    }

    fn plan_of(entries: &[(&str, Wanted)]) -> Plan {
        entries.iter().map(|(path, wanted)| ((*path).to_owned(), wanted.clone())).collect()
    }

    /// Everything below `directory` with its mode and content.
    fn seen(directory: &Path) -> Vec<String> {
        use std::os::unix::fs::PermissionsExt as _;
        let mut seen: Vec<String> = walkdir::WalkDir::new(directory)
            .min_depth(1)
            .into_iter()
            .map(|entry| {
                let entry = entry.unwrap();
                let shown = entry.path().strip_prefix(directory).unwrap().display().to_string();
                let metadata = entry.metadata().unwrap();
                if metadata.is_file() {
                    let text = fs_err::read_to_string(entry.path()).unwrap();
                    format!("{shown} {:o} {text}", metadata.permissions().mode() & 0o777)
                } else if metadata.is_symlink() {
                    format!("{shown} -> {}", fs_err::read_link(entry.path()).unwrap().display())
                } else {
                    format!("{shown}/")
                }
            })
            .collect();
        seen.sort();
        seen
    }

    #[test]
    fn what_is_kept_becomes_what_is_wanted_whatever_was_there() {
        let plans = [
            plan_of(&[
                ("a", file("1", 0o644)),
                ("pkg/x.py", file("2", 0o644)),
                ("bin/python", Wanted::Link("/p".into())),
            ]),
            // Other contents, modes and links; a file that becomes a directory and the other way round; nothing left of pkg.
            plan_of(&[("a/b", file("1", 0o755)), ("bin", file("no", 0o644)), ("empty", Wanted::Directory)]),
            plan_of(&[("a/b", file("1", 0o644)), ("a/c", Wanted::Link("b".into())), ("empty/x", file("3", 0o644))]),
            plan_of(&[]),
        ];
        let (room, whole) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let place = room.path().join("kept");
        for from in 0..plans.len() {
            for (to, plan) in plans.iter().enumerate() {
                update(&place, &plans[from]).unwrap();
                let updated = update(&place, plan).unwrap();
                let fresh = whole.path().join(format!("{from}-{to}"));
                lay_out(&fresh, plan).unwrap();
                assert_eq!(seen(&updated), seen(&fresh), "{from} to {to}");
            }
        }
    }

    #[test]
    fn what_was_damaged_lost_or_left_half_done_is_made_again() {
        let room = tempfile::tempdir().unwrap();
        let place = room.path().join("kept");
        let plan = plan_of(&[("pkg/x.py", file("text", 0o644)), ("pkg/y.py", file("more", 0o644))]);
        let directory = update(&place, &plan).unwrap();
        let whole = seen(&directory);
        fs_err::remove_file(directory.join("pkg/x.py")).unwrap();
        fs_err::remove_file(directory.join("pkg/y.py")).unwrap();
        fs_err::write(directory.join("pkg/y.py"), "").unwrap();
        assert_eq!(seen(&update(&place, &plan).unwrap()), whole);
        // Killed while it was changed: the list is away.
        fs_err::remove_file(place.join("list.json")).unwrap();
        fs_err::write(directory.join("pkg/stray.py"), "").unwrap();
        assert_eq!(seen(&update(&place, &plan).unwrap()), whole);
    }
}
