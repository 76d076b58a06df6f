//! Unpacked wheels in the cache, shared by all services and targets.
//!
//! `wheels/<SHA-256 of the archive>/files/…` holds the content, read-only; `index.json` beside it lists every file with
//! its size and digests, so that nothing is hashed twice. Both come into place by one rename. A wheel that is there
//! already is trusted by its index, which is a record: the archive's SHA-256 was verified before it was opened, and RECORD
//! while it was unpacked. Its files are sealed; a wheel of which one is missing or was written to is unpacked again.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::wheel::{self, File, Problem, Wheel};
use crate::cache::{Cache, record, seal};
use crate::digest::Sha256;
use crate::tree::{Content, Source};

/// Changes when the layout does, so that an old cache is not misread.
pub(super) const SECTION: &str = "wheels/v3";

/// What is known of an unpacked wheel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Index {
    file_name: String,
    dist_info: String,
    name: String,
    version: String,
    pure: bool,
    /// When it was made, by its newest member: seconds since 1970.
    time: i64,
    files: Vec<File>,
}

/// A wheel in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnpackedWheel {
    sha256: Sha256,
    files: PathBuf,
    index: Index,
}

impl UnpackedWheel {
    /// The archive's digest: what the lock names.
    pub fn sha256(&self) -> Sha256 {
        self.sha256
    }

    /// The archive's file name.
    pub fn file_name(&self) -> &str {
        &self.index.file_name
    }

    /// The distribution's name, as METADATA has it.
    pub fn name(&self) -> &str {
        &self.index.name
    }

    /// The distribution's version, as METADATA has it.
    pub fn version(&self) -> &str {
        &self.index.version
    }

    /// `flask-3.0.0.dist-info`.
    pub fn dist_info(&self) -> &str {
        &self.index.dist_info
    }

    /// `flask-3.0.0.data`, where files for other places than site-packages stand.
    pub fn data(&self) -> String {
        format!("{}.data", self.index.dist_info.trim_end_matches(".dist-info"))
    }

    /// Whether it holds nothing of one processor (its tags say so).
    pub fn is_pure(&self) -> bool {
        self.index.pure
    }

    /// When it was made, by its newest member: seconds since 1970.
    pub fn time(&self) -> i64 {
        self.index.time
    }

    /// The directory with its files.
    pub fn directory(&self) -> &Path {
        &self.files
    }

    /// Its files, in the order of their paths.
    pub fn files(&self) -> &[File] {
        &self.index.files
    }

    /// The content of one of its files.
    pub fn content(&self, file: &File) -> Content {
        Content { source: Source::Path(self.files.join(&file.path)), digests: file.digests }
    }

    /// A file of its dist-info directory as text; `None` when there is none.
    pub fn metadata(&self, name: &str) -> io::Result<Option<String>> {
        let path = format!("{}/{name}", self.index.dist_info);
        let Some(file) = self.index.files.iter().find(|file| file.path == path) else { return Ok(None) };
        let path = self.files.join(path);
        let text = fs_err::read_to_string(&path)?;
        // What is in it goes into other files than itself, so that it is not only the packer who must see damage.
        if Sha256::of(text.as_bytes()) != file.digests.sha256 {
            seal::break_if_sealed(&path);
            return Err(io::Error::other(format!("{} was damaged; run the command again", path.display())));
        }
        Ok(Some(text))
    }

    /// Whether all files are there as they were put.
    fn is_whole(&self) -> bool {
        self.index.files.iter().all(|file| seal::holds(&self.files.join(&file.path), file.digests.size))
    }
}

/// The wheel at `wheel`, whose SHA-256 must be `sha256`, unpacked in the store. Any number of threads and processes may do
/// this at once.
pub fn unpack(cache: &Cache, wheel: &Path, sha256: Sha256) -> Result<Arc<UnpackedWheel>, wheel::Error> {
    let file_name = wheel.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let place = cache.section(SECTION).join(sha256.to_string());
    if let Some(present) = load(&place, sha256, &file_name) {
        cache.used(&place);
        return Ok(Arc::new(present));
    }
    add(cache, wheel, sha256, &place).map(Arc::new).map_err(|problem| match problem {
        Failure::Wheel(error) => error,
        Failure::Problem(problem) => wheel::Error { wheel: file_name, problem },
    })
}

/// The wheel of this digest, if it is in the store, whole.
fn load(place: &Path, sha256: Sha256, file_name: &str) -> Option<UnpackedWheel> {
    let index: Index = serde_json::from_slice(&record::read(&place.join("index.json"), &sha256.to_string())?).ok()?;
    let wheel = UnpackedWheel { sha256, files: place.join("files"), index };
    (wheel.index.file_name == file_name && wheel.is_whole()).then_some(wheel)
}

enum Failure {
    Wheel(wheel::Error),
    Problem(Problem),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Problem(Problem::Io(error))
    }
}

impl From<wheel::Error> for Failure {
    fn from(error: wheel::Error) -> Self {
        Self::Wheel(error)
    }
}

fn add(cache: &Cache, path: &Path, expected: Sha256, place: &Path) -> Result<UnpackedWheel, Failure> {
    let (got, _) = Sha256::of_reader(&mut fs_err::File::open(path)?)?;
    if got != expected {
        return Err(Failure::Problem(Problem::Digest { expected, got }));
    }
    let temporary = cache.temporary_directory()?;
    let files = temporary.path().join("files");
    fs_err::create_dir(&files)?;
    let mut wheel = Wheel::open(path)?;
    let metadata = wheel.metadata("METADATA")?.unwrap_or_default();
    let tags = wheel.name();
    let pure = tags.platforms.iter().all(|platform| platform == "any");
    let index = Index {
        file_name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        dist_info: wheel.dist_info().to_owned(),
        name: wheel::header(&metadata, "Name").unwrap_or_default().to_owned(),
        version: wheel::header(&metadata, "Version").unwrap_or_default().to_owned(),
        pure,
        time: wheel.time(),
        files: wheel.unpack(&files)?,
    };
    let text = serde_json::to_vec(&index).map_err(io::Error::from)?;
    record::write(cache, &temporary.path().join("index.json"), &expected.to_string(), &text)?;
    let unpacked = UnpackedWheel { sha256: expected, files: place.join("files"), index };
    come_into_place(cache, temporary, place, || load(place, expected, &unpacked.index.file_name).is_some())?;
    Ok(unpacked)
}

/// Seals a finished directory and renames it to `place`. Where another process was faster its result is kept, if it is
/// `whole`; what is damaged there is put aside first.
pub(super) fn come_into_place(
    cache: &Cache,
    temporary: tempfile::TempDir,
    place: &Path,
    whole: impl Fn() -> bool,
) -> io::Result<()> {
    if let Some(parent) = place.parent() {
        cache.directory(parent)?;
    }
    set_mode(temporary.path(), 0o755)?;
    seal::all(&temporary.path().join("files"))?;
    for _ in 0..2 {
        match fs_err::rename(temporary.path(), place) {
            Ok(()) => {
                // Nothing is left to clean up at the old path.
                let _ = temporary.keep();
                cache.added_entry(place);
                return Ok(());
            }
            Err(error) if is_taken(&error) => {
                if whole() {
                    return Ok(());
                }
                let aside = tempfile::TempDir::new_in(temporary.path().parent().unwrap_or(Path::new("/")))?;
                match fs_err::rename(place, aside.path().join("damaged")) {
                    Ok(()) => {}
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
            Err(error) => return Err(error),
        }
    }
    if whole() { Ok(()) } else { Err(io::Error::other(format!("{} keeps changing", place.display()))) }
}

/// Whether a directory cannot be renamed because of what stands there.
fn is_taken(error: &io::Error) -> bool {
    use io::ErrorKind::{AlreadyExists, DirectoryNotEmpty, NotADirectory};
    matches!(error.kind(), AlreadyExists | DirectoryNotEmpty | NotADirectory)
}

fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystem::python::wheel::tests::Maker;

    fn wheel(directory: &Path) -> (PathBuf, Sha256) {
        let mut maker = Maker::new("demo", "1.0");
        maker.add("demo/__init__.py", "x = 1\n");
        let bytes = maker.bytes();
        let path = directory.join("demo-1.0-py3-none-any.whl");
        fs_err::write(&path, &bytes).unwrap();
        (path, Sha256::of(&bytes))
    }

    #[test]
    fn a_wheel_is_unpacked_once_and_found_again() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::at(directory.path().join("cache"));
        let (path, sha256) = wheel(directory.path());
        let first = unpack(&cache, &path, sha256).unwrap();
        assert_eq!((first.name(), first.version(), first.is_pure()), ("demo", "1.0", true));
        fs_err::remove_file(&path).unwrap();
        let second = unpack(&cache, &path, sha256).unwrap();
        assert_eq!(first, second);
        assert!(second.metadata("METADATA").unwrap().unwrap().contains("Name: demo"));
        assert_eq!(second.metadata("entry_points.txt").unwrap(), None);
    }

    #[test]
    fn what_was_damaged_or_lost_in_the_store_is_unpacked_again() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::at(directory.path().join("cache"));
        let (path, sha256) = wheel(directory.path());
        let first = unpack(&cache, &path, sha256).unwrap();
        let file = first.directory().join("demo/__init__.py");
        fs_err::remove_file(&file).unwrap();
        unpack(&cache, &path, sha256).unwrap();
        assert_eq!(fs_err::read_to_string(&file).unwrap(), "x = 1\n");
        fs_err::remove_file(first.directory().parent().unwrap().join("index.json")).unwrap();
        unpack(&cache, &path, sha256).unwrap();
    }

    #[test]
    fn another_digest_than_the_locked_one_is_refused_before_the_archive_is_opened() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::at(directory.path().join("cache"));
        let path = directory.path().join("demo-1.0-py3-none-any.whl");
        fs_err::write(&path, "no archive at all").unwrap();
        let error = unpack(&cache, &path, Sha256::of(b"locked")).unwrap_err();
        assert!(error.to_string().contains("the lock has"), "{error}");
        assert!(!cache.section(SECTION).exists());
    }

    #[test]
    fn many_at_once_agree_and_leave_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::at(directory.path().join("cache"));
        let (path, sha256) = wheel(directory.path());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| unpack(&cache, &path, sha256).unwrap());
            }
        });
        assert_eq!(fs_err::read_dir(cache.root().join("tmp")).unwrap().count(), 0);
    }
}
