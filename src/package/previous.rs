//! What follows from the version that was published last.
//!
//! - A conffile that the last version had and this one has not is taken away on upgrade: unchanged ones are removed,
//!   changed ones are kept as `.dpkg-bak` (dpkg-maintscript-helper(1), `rm_conffile`). What the last version's own scripts
//!   take away is taken away by this one too, so that an upgrade may skip versions. A conffile that moved is one that
//!   went and one that came. RPM does the like by itself.
//! - A directory that becomes a symbolic link, or the other way round, is replaced neither by dpkg (Policy 6.6) nor by rpm,
//!   and rpm does not replace a directory by a file either: an error.
//! - A version that the format's own comparison does not put after the last one would never be installed: an error.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{Package, Version, version};
use crate::config::ServiceSettings;
use crate::diagnostic::{Code, Diagnose, ExitCode, codes};
use crate::target::{Format, Target};
use crate::tree::{InstallPath, Node, Tree};

/// A package that was published, as far as the next version has to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previous {
    /// Its format.
    pub format: Format,
    /// Its version, as its format spells it.
    pub version: String,
    /// What it installs, by absolute path.
    pub paths: BTreeMap<String, PathKind>,
    /// Its conffiles; RPM needs none.
    pub conffiles: Vec<String>,
    /// The text of its `preinst`.
    pub preinst: Option<String>,
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathKind {
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A file of any kind.
    File,
}

/// Compares versions as the format's package manager does.
pub fn compare(format: Format, left: &str, right: &str) -> Ordering {
    match format {
        Format::Deb => version::compare_debian(left, right),
        Format::Rpm => version::compare_rpm(left, right),
    }
}

/// `dpkg-maintscript-helper rm_conffile PATH VERSION~ …` of a script that packhouse made: path, and the version without
/// the tilde.
fn removals(script: &str) -> Vec<(String, String)> {
    let line = |line: &str| {
        let words = shlex::split(line.trim())?;
        let mut words = words.iter().map(String::as_str);
        if (words.next(), words.next()) != (Some("dpkg-maintscript-helper"), Some("rm_conffile")) {
            return None;
        }
        let (path, version) = (words.next()?, words.next()?.strip_suffix('~')?);
        (path.starts_with("/etc/") && !version.is_empty()).then(|| (path.to_owned(), version.to_owned()))
    };
    script.lines().filter_map(line).collect()
}

/// The conffiles that this version takes away, each with the first version that came without it; sorted.
pub(super) fn removed_conffiles(
    target: &Target,
    service: &ServiceSettings,
    previous: Option<&Previous>,
    version: &Version,
    tree: &Tree,
) -> Vec<(InstallPath, String)> {
    if target.format() != Format::Deb {
        return Vec::new();
    }
    let mut removed: BTreeMap<InstallPath, String> = BTreeMap::new();
    let mut add = |path: InstallPath, since: &str| {
        let known = removed.entry(path).or_insert_with(|| since.to_owned());
        // The later one covers the earlier one.
        if version::compare_debian(known, since) == Ordering::Less {
            since.clone_into(known);
        }
    };
    for entry in &service.removed_config {
        add(entry.path.clone(), &entry.version);
    }
    if let Some(previous) = previous.filter(|previous| previous.format == Format::Deb) {
        let this = version.debian();
        let removals = removals(previous.preinst.as_deref().unwrap_or_default());
        let carried = removals.iter().map(|(path, since)| (path, since.as_str()));
        let dropped = previous.conffiles.iter().map(|path| (path, this.as_str()));
        for (path, since) in carried.chain(dropped) {
            if let Ok(path) = InstallPath::parse(path) {
                add(path, since);
            }
        }
    }
    removed.into_iter().filter(|(path, _)| tree.get(path).is_none()).collect()
}

/// What keeps a package from following the published one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PreviousError {
    /// It would not be an upgrade.
    #[error("{package} {version} is not newer than {previous}, which is published: {manager} would not upgrade to it")]
    NotNewer {
        /// The package.
        package: String,
        /// Its version.
        version: String,
        /// The published one.
        previous: String,
        /// `dpkg`, `rpm`.
        manager: &'static str,
    },
    /// A path is another kind of thing now.
    #[error(
        "{path} is {now} in {package} and was {before} in {previous}, and {manager} cannot replace the one by the other"
    )]
    Type {
        /// The package with its version.
        package: String,
        /// The published version.
        previous: String,
        /// `dpkg`, `rpm`.
        manager: &'static str,
        /// The path.
        path: String,
        /// What it was.
        before: &'static str,
        /// What it is.
        now: &'static str,
    },
}

impl Diagnose for PreviousError {
    fn code(&self) -> &'static Code {
        match self {
            Self::NotNewer { .. } => &codes::NOT_NEWER,
            Self::Type { .. } => &codes::PATH_KIND_CHANGED,
        }
    }

    fn exit_code(&self) -> ExitCode {
        ExitCode::Policy
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::NotNewer { package, .. } => vec![
                format!(
                    "release a higher version; or, to go back to an older one, raise `epoch` in [services.{package}], or set \
                     `version` there to the published version with `+really` and the older version behind it: \
                     `2.0.0+really1.9.0`"
                ),
                "build with --no-previous when this package is not for the repository that was compared with"
                    .to_owned(),
            ],
            Self::Type { manager: "dpkg", now: "a symbolic link", .. } => vec![
                "ship it at another path; dpkg keeps the old directory in place of the link, unless all maintainer \
                 scripts call `dpkg-maintscript-helper dir_to_symlink`"
                    .to_owned(),
            ],
            Self::Type { manager: "dpkg", before: "a symbolic link", .. } => vec![
                "ship it at another path; dpkg keeps the old link in place of the directory, unless all maintainer \
                 scripts call `dpkg-maintscript-helper symlink_to_dir`"
                    .to_owned(),
            ],
            Self::Type { .. } => {
                vec!["ship it at another path, and remove the old one in a release before".to_owned()]
            }
        }
    }
}

/// Makes sure that `package` can follow `previous`.
pub fn check(package: &Package, previous: &Previous) -> Result<(), PreviousError> {
    let format = package.target.format();
    let (version, manager) = match format {
        Format::Deb => (package.version.debian(), "dpkg"),
        Format::Rpm => (package.version.rpm(), "rpm"),
    };
    if compare(format, &version, &previous.version) == Ordering::Less {
        return Err(PreviousError::NotNewer {
            package: package.name.to_string(),
            version,
            previous: previous.version.clone(),
            manager,
        });
    }
    for (path, entry) in package.tree.with_directories() {
        let Some(before) = previous.paths.get(path.as_str()) else { continue };
        let now = match entry.node {
            Node::Directory => PathKind::Directory,
            Node::Symlink(_) => PathKind::Symlink,
            Node::File(_) | Node::HardLink(_) => PathKind::File,
        };
        if replaceable(format, *before, now) {
            continue;
        }
        return Err(PreviousError::Type {
            package: format!("{} {version}", package.name),
            previous: previous.version.clone(),
            manager,
            path: path.to_string(),
            before: word(*before),
            now: word(now),
        });
    }
    Ok(())
}

/// Whether a package manager puts `now` where `before` is. Both replace a file by a directory; neither replaces a directory
/// and a link by each other (dpkg keeps what is there, rpm refuses the upgrade); only dpkg replaces a directory by a file.
fn replaceable(format: Format, before: PathKind, now: PathKind) -> bool {
    match (before, now) {
        (PathKind::Directory, PathKind::Symlink) | (PathKind::Symlink, PathKind::Directory) => false,
        (PathKind::Directory, PathKind::File) => format == Format::Deb,
        _ => true,
    }
}

fn word(kind: PathKind) -> &'static str {
    match kind {
        PathKind::File => "a file",
        PathKind::Directory => "a directory",
        PathKind::Symlink => "a symbolic link",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_lines_are_read_from_a_script() {
        let script = "#!/bin/sh\nset -e\n# dpkg-maintscript-helper rm_conffile /etc/a 1~\n\
                      dpkg-maintscript-helper rm_conffile /etc/acme/old.toml 1.1-1~deb12u1~ -- \"$@\"\n  \
                      dpkg-maintscript-helper rm_conffile '/etc/acme/it'\\''s' 2:3-1~ -- \"$@\"\n\
                      dpkg-maintscript-helper rm_conffile /usr/x 1~ -- \"$@\"\n\
                      dpkg-maintscript-helper mv_conffile /etc/b /etc/c 1~ -- \"$@\"\n\
                      dpkg-maintscript-helper rm_conffile /etc/unfinished\n'open quote\n";
        let found = removals(script);
        let expected = [("/etc/acme/old.toml", "1.1-1~deb12u1"), ("/etc/acme/it's", "2:3-1")];
        assert_eq!(found, expected.map(|(path, version)| (path.to_owned(), version.to_owned())));
    }

    #[test]
    fn directories_and_links_do_not_replace_each_other() {
        use Format::{Deb, Rpm};
        use PathKind::{Directory, File, Symlink};
        for format in [Deb, Rpm] {
            for (before, now) in [(Directory, Symlink), (Symlink, Directory)] {
                assert!(!replaceable(format, before, now), "{before:?} {now:?}");
            }
            for (before, now) in [(File, Symlink), (Symlink, File), (Directory, Directory), (File, Directory)] {
                assert!(replaceable(format, before, now), "{before:?} {now:?}");
            }
        }
        assert!(replaceable(Deb, Directory, File) && !replaceable(Rpm, Directory, File));
    }
}
