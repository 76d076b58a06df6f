//! The vendor directory: what is in it, what packhouse has put there, what is somebody else's.
//!
//! `packhouse-vendor.json` in it lists the files that packhouse has put there, with their digests. It is committed with
//! them (the vendor directory may be a submodule) and it is why packhouse can remove what is no longer named without ever
//! removing a file that a person put there: only what the list names, with the content that the list names, is removed.
//!
//! The order of writing keeps that true when the program is killed at any moment: first the list of what will be there,
//! old and new; then the files, each by one rename; then what is no longer named goes; last the list of what is there.
//! What an interrupted run leaves behind is a `.packhouse-*` file, which the next one removes.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256 as Hasher};

use crate::digest::Sha256;

/// The list of what packhouse has put into a vendor directory.
pub(super) const LIST: &str = "packhouse-vendor.json";
/// What the names of files begin with that are not complete yet.
const TEMPORARY: &str = ".packhouse-";
/// The longest list that is read.
const LONGEST_LIST: u64 = 16 << 20;

/// The content of [`LIST`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct List {
    /// The form of this file.
    schema_version: u32,
    /// Digests by file name.
    pub(super) files: BTreeMap<String, Sha256>,
}

impl List {
    /// A list of these files.
    pub(super) fn new(files: BTreeMap<String, Sha256>) -> Self {
        Self { schema_version: 1, files }
    }
}

/// Why the directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// It cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Its list is none.
    #[error("{} cannot be read: {reason}", path.display())]
    List {
        /// The list's path.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It is a link that leads elsewhere.
    #[error("{} is a link that leads out of the repository, to {}", path.display(), to.display())]
    Outside {
        /// The directory.
        path: PathBuf,
        /// Where it leads.
        to: PathBuf,
    },
    /// It is a submodule without its content.
    #[error("{} is a git submodule that is not checked out", path.display())]
    Submodule {
        /// The directory.
        path: PathBuf,
        /// The command that mends it.
        command: String,
    },
}

/// A vendor directory that exists.
#[derive(Debug)]
pub(super) struct VendorDirectory {
    path: PathBuf,
    /// Holds the lock while packhouse writes.
    _lock: Option<fs_err::File>,
}

/// What stands in a vendor directory.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Listing {
    /// Files with a name that can be an artefact's, sorted.
    pub(super) files: Vec<String>,
    /// What an interrupted run has left.
    pub(super) temporary: Vec<String>,
    /// Directories and what has no readable name, for notes.
    pub(super) others: Vec<String>,
}

impl VendorDirectory {
    /// The directory at `path`, below `root`; [`None`] when there is none yet.
    pub(super) fn open(root: &Path, path: &Path) -> Result<Option<Self>, DirectoryError> {
        check_submodule(root, path)?;
        match fs_err::canonicalize(path) {
            Ok(real) => {
                let root = fs_err::canonicalize(root)?;
                if !real.starts_with(&root) {
                    return Err(DirectoryError::Outside { path: path.to_path_buf(), to: real });
                }
                Ok(Some(Self { path: path.to_path_buf(), _lock: None }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The same for writing: it is made when there is none, and other packhouses are waited for.
    pub(super) fn open_to_write(root: &Path, path: &Path) -> Result<Self, DirectoryError> {
        let directory = match Self::open(root, path)? {
            Some(directory) => directory,
            None => {
                fs_err::create_dir_all(path)?;
                Self { path: path.to_path_buf(), _lock: None }
            }
        };
        let handle = fs_err::File::open(path)?;
        // A file system without locks has no lock to wait for.
        let _ = flock(&handle, FlockOperation::LockExclusive);
        Ok(Self { _lock: Some(handle), ..directory })
    }

    /// Its path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What stands in it. Git's own files and a README are nobody's business and left out.
    pub(super) fn listing(&self) -> Result<Listing, DirectoryError> {
        let mut listing = Listing::default();
        for entry in fs_err::read_dir(&self.path)? {
            let entry = entry?;
            let name = match entry.file_name().into_string() {
                Ok(name) => name,
                Err(name) => {
                    listing.others.push(name.to_string_lossy().into_owned());
                    continue;
                }
            };
            if name == LIST || is_left_alone(&name) {
                continue;
            }
            let kind = entry.file_type()?;
            match () {
                () if kind.is_dir() => listing.others.push(format!("{name}/")),
                () if name.starts_with(TEMPORARY) => listing.temporary.push(name),
                () => listing.files.push(name),
            }
        }
        listing.files.sort();
        listing.temporary.sort();
        listing.others.sort();
        Ok(listing)
    }

    /// Reads [`LIST`]; empty when there is none.
    pub(super) fn list(&self) -> Result<List, DirectoryError> {
        let path = self.path.join(LIST);
        let fault = |reason: String| DirectoryError::List { path: path.clone(), reason };
        let mut bytes = Vec::new();
        match fs_err::File::open(&path) {
            Ok(file) => file.take(LONGEST_LIST).read_to_end(&mut bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(List::new(BTreeMap::new())),
            Err(error) => return Err(error.into()),
        };
        let list: List = serde_json::from_slice(&bytes).map_err(|error| fault(error.to_string()))?;
        if list.schema_version != 1 {
            return Err(fault(format!("its schema_version is {}, this packhouse knows 1", list.schema_version)));
        }
        match list.files.keys().find(|name| !is_file_name(name)) {
            Some(name) => Err(fault(format!("`{name}` is no file name"))),
            None => Ok(list),
        }
    }

    /// Writes [`LIST`] unless it stands there already; returns whether it was written.
    pub(super) fn write_list(&self, list: &List) -> Result<bool, DirectoryError> {
        let path = self.path.join(LIST);
        let mut text = serde_json::to_string_pretty(list).map_err(io::Error::from)?;
        text.push('\n');
        if fs_err::read(&path).is_ok_and(|old| old == text.as_bytes()) {
            return Ok(false);
        }
        let mut file = self.temporary()?;
        file.write_all(text.as_bytes())?;
        self.place(file, &path)?;
        Ok(true)
    }

    /// Copies `source` to the file `name` in it and gives the digest of what was copied, by one rename; nothing is put
    /// there when the digest is not `expected`.
    pub(super) fn put(&self, source: &Path, name: &str, expected: Sha256) -> Result<Sha256, DirectoryError> {
        let mut reader = fs_err::File::open(source)?;
        let mut file = self.temporary()?;
        let mut hasher = Hasher::new();
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let count = reader.read(&mut buffer)?;
            let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
            hasher.update(bytes);
            file.write_all(bytes).map_err(|error| named(error, &self.path.join(name)))?;
        }
        let digest = Sha256(hasher.finalize().into());
        if digest == expected {
            self.place(file, &self.path.join(name))?;
        }
        Ok(digest)
    }

    /// Removes a file; one that is not there is removed already.
    pub(super) fn remove(&self, name: &str) -> Result<(), DirectoryError> {
        match fs_err::remove_file(self.path.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn temporary(&self) -> Result<tempfile::NamedTempFile, DirectoryError> {
        Ok(crate::unfinished::file(&self.path, TEMPORARY, "", 0o644)?)
    }

    fn place(&self, file: tempfile::NamedTempFile, path: &Path) -> Result<(), DirectoryError> {
        use std::os::unix::fs::PermissionsExt as _;
        // The mode again, because the umask was taken off it.
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644)).map_err(|error| named(error, path))?;
        file.as_file().sync_data().map_err(|error| named(error, path))?;
        file.persist(path).map_err(|error| named(error.error, path))?;
        Ok(())
    }
}

/// What is never packhouse's and never worth a word: git's files (in a submodule `.git` is a file), a README, the file
/// that keeps an empty directory in git.
fn is_left_alone(name: &str) -> bool {
    name.starts_with(".git") || name.starts_with("README") || name == ".keep"
}

/// Whether `name` is the name of a file and nothing else.
fn is_file_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 255 && !name.starts_with('.') && !name.contains(['/', '\0'])
}

fn named(error: io::Error, path: &Path) -> io::Error {
    io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display()))
}

/// An error if a `.gitmodules` at or below `root` names the directory at `path` or one above it as a submodule that is not
/// checked out (git leaves an empty directory, or none).
fn check_submodule(root: &Path, path: &Path) -> Result<(), DirectoryError> {
    for repository in path.ancestors().skip(1).take_while(|above| above.starts_with(root)) {
        let text = match fs_err::read(repository.join(".gitmodules")) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => continue,
            Err(error) => return Err(error.into()),
        };
        for module in submodule_paths(&text) {
            let checkout = repository.join(module);
            if path.starts_with(&checkout) && !checkout.join(".git").exists() {
                let relative = repository.strip_prefix(root).unwrap_or(Path::new(""));
                let place =
                    if relative.as_os_str().is_empty() { String::new() } else { format!("-C {} ", quote(relative)) };
                let command = format!("git {place}submodule update --init -- {}", quote(Path::new(module)));
                return Err(DirectoryError::Submodule { path: checkout, command });
            }
        }
    }
    Ok(())
}

/// The `path` values of a `.gitmodules` (git-config(1)).
fn submodule_paths(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let (key, value) = line.split_once('=')?;
        let value = value.trim().trim_matches('"');
        (key.trim().eq_ignore_ascii_case("path") && !value.is_empty()).then_some(value)
    })
}

fn quote(path: &Path) -> String {
    let text = path.to_string_lossy();
    shlex::try_quote(&text).map(|quoted| quoted.into_owned()).unwrap_or_else(|_| text.clone().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_the_same_text_for_the_same_files() {
        let root = tempfile::tempdir().unwrap();
        let directory = VendorDirectory::open_to_write(root.path(), &root.path().join("vendor")).unwrap();
        let files = [("b.whl", b"2"), ("a.whl", b"1")].map(|(name, bytes)| (name.to_owned(), Sha256::of(bytes)));
        assert!(directory.write_list(&List::new(files.clone().into())).unwrap());
        let text = fs_err::read_to_string(directory.path().join(LIST)).unwrap();
        assert!(text.find("a.whl").unwrap() < text.find("b.whl").unwrap() && text.ends_with("}\n"), "{text}");
        assert!(!directory.write_list(&directory.list().unwrap()).unwrap());
    }

    #[test]
    fn a_list_that_names_other_places_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let directory = VendorDirectory::open_to_write(root.path(), &root.path().join("vendor")).unwrap();
        let digest = Sha256::of(b"");
        for name in ["../a", "a/b", ".git", ""] {
            let text = format!(r#"{{"schema_version":1,"files":{{"{name}":"{digest}"}}}}"#);
            fs_err::write(directory.path().join(LIST), text).unwrap();
            assert!(matches!(directory.list(), Err(DirectoryError::List { .. })), "{name}");
        }
        fs_err::write(directory.path().join(LIST), r#"{"schema_version":2,"files":{}}"#).unwrap();
        assert!(directory.list().unwrap_err().to_string().contains("schema_version is 2"));
    }

    #[test]
    fn a_submodule_that_is_not_checked_out_is_named_with_the_command() {
        let root = tempfile::tempdir().unwrap();
        let service = root.path().join("services/api");
        fs_err::create_dir_all(service.join("vendor")).unwrap();
        let modules = "[submodule \"v\"]\n\tpath = services/api/vendor\n\turl = https://example.org/v.git\n";
        fs_err::write(root.path().join(".gitmodules"), modules).unwrap();
        let error = VendorDirectory::open(root.path(), &service.join("vendor")).unwrap_err();
        let DirectoryError::Submodule { command, .. } = error else { panic!("{error}") };
        assert_eq!(command, "git submodule update --init -- services/api/vendor");
        fs_err::write(service.join("vendor/.git"), "gitdir: x").unwrap();
        assert!(VendorDirectory::open(root.path(), &service.join("vendor")).unwrap().is_some());
    }

    #[test]
    fn a_link_out_of_the_repository_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), root.path().join("vendor")).unwrap();
        let error = VendorDirectory::open_to_write(root.path(), &root.path().join("vendor")).unwrap_err();
        assert!(matches!(error, DirectoryError::Outside { .. }), "{error}");
    }
}
