//! Names of files that an index gives: looked at before they are opened, for they come from outside.

use std::path::{Component, Path, PathBuf};

/// The longest name that is looked at.
const MAXIMUM: usize = 1024;

/// The file `name` below `base`, which is itself below `root`; an error says why there is none that may be read.
///
/// A link may lead anywhere within the source, as pools of links do, and nowhere else.
pub(super) fn file(root: &Path, base: &Path, name: &str) -> Result<PathBuf, String> {
    check(name)?;
    let path = base.join(name);
    let real = fs_err::canonicalize(&path).map_err(|_| "the file that its index names is not there".to_owned())?;
    if !real.starts_with(root) {
        return Err("it is a link that leads out of the repository".to_owned());
    }
    if !real.is_file() {
        return Err("it is no file".to_owned());
    }
    Ok(real)
}

/// A relative, normalised name without a scheme and without control characters.
pub(super) fn check(name: &str) -> Result<(), String> {
    let plain = |component: Component<'_>| matches!(component, Component::Normal(_));
    let good = !name.is_empty()
        && name.len() <= MAXIMUM
        && !name.chars().any(char::is_control)
        && !name.contains('\\')
        && !name.contains("://")
        && !name.split('/').any(|part| part.is_empty() || part == ".")
        && Path::new(name).components().all(plain);
    if good { Ok(()) } else { Err(format!("`{}` is not the name of a file in a repository", name.escape_debug())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_the_repository_are_refused() {
        for name in
            ["../x", "/etc/passwd", "a/../../x", "a//b", "./a", "", "http://x/y", "a\nb", "a\\b", "pool/", "a\0"]
        {
            assert!(check(name).is_err(), "{name:?}");
        }
        check("pool/main/a/acme/acme_1.0~rc1+b-1_amd64.deb").expect("a good name");
    }

    #[test]
    fn a_link_out_of_the_repository_is_refused_and_one_within_is_followed() {
        let root = tempfile::tempdir().expect("a directory");
        let real = fs_err::canonicalize(root.path()).expect("a path");
        fs_err::write(real.join("inside"), "x").expect("written");
        fs_err::os::unix::fs::symlink("inside", real.join("good")).expect("a link");
        fs_err::os::unix::fs::symlink("/etc/hostname", real.join("bad")).expect("a link");
        assert_eq!(file(&real, &real, "good").expect("a file"), real.join("inside"));
        assert!(file(&real, &real, "bad").expect_err("refused").contains("leads out"));
        assert!(file(&real, &real, "none").expect_err("refused").contains("not there"));
    }
}
