//! `packhouse pack`, which measurements use: what comes out is the directory, and nothing is done twice.

#![allow(clippy::expect_used)]

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

fn directory() -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a directory");
    let tree = root.path().join("tree/usr/lib/acme");
    fs_err::create_dir_all(tree.join("empty")).expect("directories");
    fs_err::write(tree.join("one"), "one").expect("a file");
    fs_err::hard_link(tree.join("one"), tree.join("two")).expect("a hard link");
    fs_err::os::unix::fs::symlink("one", tree.join("link")).expect("a link");
    root
}

fn pack(root: &Path) -> Vec<PathBuf> {
    let mut command = Command::cargo_bin("packhouse").expect("the program");
    command.current_dir(root).env("PACKHOUSE_CACHE_DIR", root.join("cache"));
    let output = command.args(["pack", "tree", "--target", "debian-12,el9", "--out", "out"]).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(PathBuf::from).collect()
}

fn unpacked(root: &Path, deb: &Path, name: &str) -> PathBuf {
    let to = root.join(name);
    Command::new("dpkg-deb").arg("-x").args([deb, &to]).assert().success();
    to
}

#[test]
fn a_packed_directory_comes_out_as_it_was_and_a_change_is_seen_at_once() {
    let root = directory();
    let packages = pack(root.path());
    assert_eq!(packages.len(), 2);
    let deb = packages.first().expect("a .deb");
    for text in ["one", "two", "six"] {
        // The same size, at once: nothing but the content tells.
        fs_err::write(root.path().join("tree/usr/lib/acme/one"), text).expect("a file");
        assert_eq!(&pack(root.path()), &packages);
        let to = unpacked(root.path(), deb, text);
        Command::new("diff").arg("-r").args([root.path().join("tree"), to.clone()]).assert().success();
        let inode = |name: &str| fs_err::metadata(to.join("usr/lib/acme").join(name)).expect("a file").ino();
        assert_eq!(inode("one"), inode("two"));
    }
}

#[test]
fn an_unchanged_directory_is_not_packed_again_but_a_package_that_was_changed_is() {
    let root = directory();
    std::thread::sleep(std::time::Duration::from_millis(100));
    let packages = pack(root.path());
    let before: Vec<u64> = packages.iter().map(|path| fs_err::metadata(path).expect("a package").ino()).collect();
    pack(root.path());
    let inodes =
        || -> Vec<u64> { packages.iter().map(|path| fs_err::metadata(path).expect("a package").ino()).collect() };
    assert_eq!(inodes(), before, "packages were written anew");
    let rpm = packages.last().expect("an .rpm");
    let content = fs_err::read(rpm).expect("it is there");
    fs_err::write(rpm, "broken").expect("it can be written");
    pack(root.path());
    assert_eq!(fs_err::read(rpm).expect("it is there"), content);
}
