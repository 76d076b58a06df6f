//! Other people's tools, which must find in a package what was put into it.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Command, Stdio};

use packhouse::digest::Digests;

use crate::trees::{TIME, Thing, Things};

/// One way to read a package: its name, and the shell's commands. `$1` is the package; the working directory is empty.
pub struct Reader {
    pub name: &'static str,
    script: &'static str,
}

/// They unpack a .deb into the working directory.
pub const DEB: [Reader; 2] = [
    Reader { name: "dpkg-deb -x", script: r#"dpkg-deb -x "$1" ."# },
    Reader { name: "bsdtar", script: r#"bsdtar -xOf "$1" 'data.tar*' | bsdtar -xpf -"# },
];

/// They unpack an .rpm.
pub const RPM: [Reader; 3] = [
    Reader { name: "rpm2cpio | cpio", script: r#"rpm2cpio "$1" | cpio -idm --quiet --no-absolute-filenames"# },
    Reader { name: "bsdtar", script: r#"bsdtar -xpf "$1""# },
    Reader {
        name: "rpm -i",
        script: r#"rpm="rpm --root $PWD --dbpath /.rpm"
            $rpm --initdb && $rpm -i --nodeps --noscripts "$1" && $rpm -V --nodeps acme >&2 && rm -rf .rpm"#,
    },
];

/// They write the package's files as a tar archive to their standard output.
pub const AS_TAR: [Reader; 2] = [
    Reader { name: "dpkg-deb --fsys-tarfile", script: r#"dpkg-deb --fsys-tarfile "$1""# },
    Reader { name: "rpm2cpio | bsdtar", script: r#"rpm2cpio "$1" | bsdtar -cf - --format=pax @-"# },
];

fn shell(script: &str, package: &Path, directory: &Path) -> Command {
    let mut command = Command::new("bash");
    command.args(["-c", &format!("set -euo pipefail; umask 022; {script}"), "bash"]).arg(package);
    command.current_dir(directory).env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
    command
}

impl Reader {
    /// Unpacks `package` and tells what came out.
    pub fn unpack(&self, package: &Path) -> Things {
        let place = tempfile::tempdir().expect("a temporary directory");
        let output = shell(self.script, package, place.path()).output().expect("bash");
        let errors = String::from_utf8_lossy(&output.stderr);
        // Debian's rpm says that it is not to be used.
        let is_quiet = errors.lines().all(|line| line.starts_with("rpm: "));
        assert!(output.status.success() && is_quiet, "{}: {}: {errors}", self.name, output.status);
        things(place.path())
    }

    /// What is in the archive that it writes.
    pub fn stream(&self, package: &Path) -> Things {
        let place = tempfile::tempdir().expect("a temporary directory");
        let mut child = shell(self.script, package, place.path()).stdout(Stdio::piped()).spawn().expect("bash");
        let mut output = child.stdout.take().expect("a pipe");
        let things = archived(&mut output);
        std::io::copy(&mut output, &mut std::io::sink()).expect("the rest");
        assert!(child.wait().expect("bash").success(), "{}", self.name);
        things
    }
}

/// What stands below a directory.
fn things(root: &Path) -> Things {
    let mut found = Things::new();
    let mut inodes: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for entry in walkdir::WalkDir::new(root).min_depth(1).sort_by_file_name() {
        let entry = entry.expect("an entry");
        let relative = entry.path().strip_prefix(root).expect("below");
        let name = relative.to_str().expect("UTF-8").to_owned();
        let metadata = entry.metadata().expect("its metadata");
        let kind = metadata.file_type();
        let thing = if kind.is_dir() {
            Thing::Directory
        } else if kind.is_symlink() {
            let to = std::fs::read_link(entry.path()).expect("a link");
            Thing::Link(String::from_utf8(to.as_os_str().as_bytes().to_vec()).expect("UTF-8"))
        } else {
            if metadata.nlink() > 1 {
                inodes.entry(metadata.ino()).or_default().push(name.clone());
            }
            if metadata.mode() & 0o400 == 0 {
                std::fs::set_permissions(entry.path(), std::fs::Permissions::from_mode(0o600)).expect("to read it");
            }
            let mut file = std::fs::File::open(entry.path()).expect("a file");
            Thing::File { content: Digests::of_reader(&mut file).expect("its bytes").sha256, first_name: None }
        };
        let mode = if kind.is_symlink() { 0o777 } else { metadata.mode() & 0o7777 };
        found.insert(name, (thing, mode));
    }
    for names in inodes.values() {
        let first = names.iter().min().expect("a name");
        for name in names {
            let of = found.get(first).expect("the first").1;
            let (thing, mode) = found.get_mut(name).expect("it");
            // Another name of a file that was made readable.
            *mode = of;
            if let Thing::File { first_name, .. } = thing {
                *first_name = Some(first.clone());
            }
        }
    }
    found
}

/// What a tar archive says. Owners and times are judged here: all is root's and of the package's time.
fn archived(reader: &mut dyn Read) -> Things {
    let mut found = Things::new();
    let mut names: HashMap<String, Vec<String>> = HashMap::new();
    let plain = |bytes: &[u8]| {
        let text = std::str::from_utf8(bytes).expect("UTF-8");
        text.strip_prefix("./").unwrap_or(text).trim_end_matches('/').to_owned()
    };
    let mut archive = tar::Archive::new(reader);
    for entry in archive.entries().expect("an archive") {
        let mut entry = entry.expect("an entry");
        let name = plain(&entry.path_bytes());
        if name.is_empty() || name == "." {
            continue;
        }
        let header = entry.header();
        let owner = (header.uid().expect("an owner"), header.gid().expect("a group"));
        assert_eq!((owner, header.mtime().expect("a time")), ((0, 0), TIME as u64), "{name}");
        let mode = header.mode().expect("a mode") & 0o7777;
        let link = entry.link_name_bytes().map(|link| link.into_owned());
        let thing = match header.entry_type() {
            tar::EntryType::Directory => (Thing::Directory, mode),
            tar::EntryType::Symlink => {
                (Thing::Link(String::from_utf8(link.expect("where it leads")).expect("UTF-8")), 0o777)
            }
            tar::EntryType::Link => {
                let first = plain(&link.expect("what it is a name of"));
                let names = names.entry(first.clone()).or_insert_with(|| vec![first.clone()]);
                names.push(name.clone());
                found.get(&first).expect("the file before its other names").clone()
            }
            _ => {
                let content = Digests::of_reader(&mut entry).expect("its bytes").sha256;
                (Thing::File { content, first_name: None }, mode)
            }
        };
        assert!(found.insert(name.clone(), thing).is_none(), "{name} is there twice");
    }
    for names in names.values() {
        let first = names.iter().min().expect("a name");
        for name in names {
            if let Some((Thing::File { first_name, .. }, _)) = found.get_mut(name) {
                *first_name = Some(first.clone());
            }
        }
    }
    found
}
