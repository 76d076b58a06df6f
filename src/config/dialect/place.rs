//! Where a foreign table's files come from and go to: rules that the tools share.

use std::path::{Component, Path, PathBuf};

use super::{CrateManifest, Note};
use crate::config::error::Error;
use crate::config::reader::Text;
use crate::config::value::{self, Rule};
use crate::target::{Format, hierarchy};
use crate::tree::InstallPath;

/// What a source names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// Something that cargo makes: the path below `target/<profile>`.
    Built(PathBuf),
    /// Something of the repository: the path from the crate's directory, which may begin with `..`.
    File(PathBuf),
}

/// Reads a source. `target/release/` and `target/<profile>/`, of the crate or of its workspace, mean what cargo makes,
/// wherever it puts it; both tools have it so, but for the workspace's directory, which they take literally and stale.
pub(super) fn origin(manifest: &CrateManifest, text: &Text<'_>, profile: &str) -> Result<Origin, Error> {
    let path = text.parse(|text| inside(&manifest.root, &manifest.directory, text), OUTSIDE)?;
    let hint =
        "write `target/release/NAME`: it stands for the directory that cargo really uses, for any profile and target";
    for directory in [&manifest.directory, &manifest.workspace] {
        let Ok(below) = manifest.directory_of(&path).strip_prefix(directory.join("target")).map(Path::to_path_buf)
        else {
            continue;
        };
        let mut parts = below.components();
        let Some(Component::Normal(first)) = parts.next() else { continue };
        let rest = parts.as_path().to_path_buf();
        let first = first.to_string_lossy();
        if rest.as_os_str().is_empty() {
            continue;
        }
        if first == "release" || first == profile_directory(profile) {
            return Ok(Origin::Built(rest));
        }
        if first == "debug" {
            return Err(
                text.error("names what a plain `cargo build` makes, which no release holds", Some(hint.to_owned()))
            );
        }
        if first.contains('-') && (rest.starts_with("release") || rest.starts_with(profile_directory(profile))) {
            return Err(text.error("names the target directory of one target", Some(hint.to_owned())));
        }
    }
    Ok(Origin::File(path))
}

const OUTSIDE: &str = "bring the file into the repository: a package is made from nothing else";

/// Cargo's directory for a profile.
pub(super) fn profile_directory(profile: &str) -> &str {
    if profile == "dev" { "debug" } else { profile }
}

/// A path from the crate's directory in its shortest form, which stays in the repository.
pub(super) fn inside(root: &Path, directory: &Path, text: &str) -> Result<PathBuf, Rule> {
    value::one_line(text)?;
    if text.len() > 4096 {
        return Err("is longer than a path may be".to_owned());
    }
    let mut parts: Vec<&std::ffi::OsStr> = Vec::new();
    let mut up = 0_usize;
    for component in Path::new(text).components() {
        match component {
            Component::Normal(name) => parts.push(name),
            Component::CurDir => {}
            Component::ParentDir if parts.pop().is_none() => up += 1,
            Component::ParentDir => {}
            Component::RootDir | Component::Prefix(_) => {
                return Err(format!("`{text}` is a path of this machine, and not of the repository"));
            }
        }
    }
    let path: PathBuf = std::iter::repeat_n(std::ffi::OsStr::new(".."), up).chain(parts).collect();
    let outside = up > directory.components().count() || !value::stays_inside(root, &root.join(directory).join(&path));
    if outside { Err(format!("`{text}` leads out of the repository")) } else { Ok(path) }
}

/// Directories that are links on every distribution that packages are made for (merged /usr). dpkg loses track of files
/// that a package has below them, and RPM refuses to install some.
const MERGED: [(&str, &str); 4] =
    [("/lib/", "/usr/lib/"), ("/lib64/", "/usr/lib64/"), ("/bin/", "/usr/bin/"), ("/sbin/", "/usr/sbin/")];

/// Where `text` installs a source of this name: a place that ends in `/` takes it in. Without a name, `text` is a directory.
pub(super) fn installed(text: &Text<'_>, name: &str, notes: &mut Vec<Note>) -> Result<InstallPath, Error> {
    let mut path = String::new();
    for part in text.as_str().split('/').filter(|part| !part.is_empty() && *part != ".") {
        path.push('/');
        path.push_str(part);
    }
    if !name.is_empty() && (text.as_str().ends_with('/') || path.is_empty()) {
        path.push('/');
        path.push_str(name);
    }
    if let Some((from, to)) = MERGED.iter().find(|(from, _)| path.starts_with(from)) {
        let merged = format!("{to}{}", path.strip_prefix(from).unwrap_or_default());
        let link = from.trim_end_matches('/');
        notes.push(text.note(
            format!("`{path}` is installed at {merged}: {link} is a link wherever this package can be installed"),
            Some(format!("write `{}`", merged.trim_start_matches('/'))),
        ));
        path = merged;
    }
    let parse = |_: &str| -> Result<InstallPath, Rule> {
        crate::config::files::plain_path(&path)?;
        InstallPath::parse(&path).map_err(|invalid| invalid.to_string())
    };
    let path = text.parse(parse, "name a place without `..`, like `usr/share/NAME/`")?;
    let objection =
        [Format::Deb, Format::Rpm].into_iter().find_map(|format| hierarchy::objection(path.as_str(), format));
    if let Some((problem, hint)) = objection {
        notes.push(text.note(problem, Some(hint.to_owned())));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_may_lie_elsewhere_in_the_repository_and_never_outside() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        fs_err::create_dir_all(root.join("crates/app")).unwrap();
        let of = |text: &str| inside(&root, Path::new("crates/app"), text);
        assert_eq!(of("./a//b/../c"), Ok(PathBuf::from("a/c")));
        assert_eq!(of("../../LICENSE"), Ok(PathBuf::from("../../LICENSE")));
        assert_eq!(of("x/../../../LICENSE"), Ok(PathBuf::from("../../LICENSE")));
        for wrong in ["../../../x", "/etc/passwd", "", "a\nb"] {
            assert!(of(wrong).is_err(), "{wrong:?} must be refused");
        }
    }
}
