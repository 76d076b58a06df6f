//! Files of the cache that are believed only when they are whole: a line with the version and a SHA-256, then the content.
//!
//! The digest is of what the file is about as well as of its content, so that a file in another's place is as good as
//! none, just as one that is cut short, has a flipped bit, or was made by a packhouse that writes them otherwise.

use std::io::{self, Read as _, Write as _};
use std::path::Path;

use sha2::{Digest as _, Sha256 as Sha256Hasher};

use super::{Cache, used};
use crate::digest::Sha256;

/// Begins each file. Changes with its form.
const MAGIC: &[u8] = b"packhouse cache 1 ";
/// The magic, 64 digits and a line feed.
const HEAD: usize = MAGIC.len() + 65;

/// What the file at `path` holds, if it is there, whole and about `subject`. A damaged one is removed.
pub(crate) fn read(path: &Path, subject: &str) -> Option<Vec<u8>> {
    let mut file = match fs_err::File::open(path) {
        Ok(file) => file,
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                forget(path);
            }
            return None;
        }
    };
    let metadata = file.metadata().ok()?;
    let mut read = || -> io::Result<Option<Vec<u8>>> {
        let mut start = [0; HEAD];
        if metadata.len() < HEAD as u64 {
            return Ok(None);
        }
        file.read_exact(&mut start)?;
        let mut content = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default() - HEAD);
        file.read_to_end(&mut content)?;
        Ok((start.as_slice() == head(subject, &content)).then_some(content))
    };
    match read() {
        Ok(Some(content)) => {
            used::touch_if_due(path, &metadata);
            Some(content)
        }
        Ok(None) | Err(_) => {
            forget(path);
            None
        }
    }
}

/// A record that has no place yet; it vanishes unless it gets one.
#[derive(Debug)]
pub(super) struct Prepared {
    file: tempfile::TempPath,
    size: u64,
}

/// Puts `content`, which is about `subject`, at `path` by one rename.
pub(crate) fn write(cache: &Cache, path: &Path, subject: &str, content: &[u8]) -> io::Result<()> {
    place(cache, prepare(cache, subject, content)?, path)
}

/// Writes a record, but not to its place.
pub(super) fn prepare(cache: &Cache, subject: &str, content: &[u8]) -> io::Result<Prepared> {
    let mut file = cache.temporary_file()?;
    file.write_all(&head(subject, content))?;
    file.write_all(content)?;
    Ok(Prepared { file: file.into_temp_path(), size: (HEAD + content.len()) as u64 })
}

/// Puts a record in its place.
pub(super) fn place(cache: &Cache, prepared: Prepared, path: &Path) -> io::Result<()> {
    let Prepared { mut file, size } = prepared;
    // The directory is there already, but for the first time; a damaged cache may have anything in the file's place.
    for attempt in 0..3 {
        match file.persist(path) {
            Ok(()) => break,
            Err(error) if attempt == 2 => return Err(error.error),
            Err(error) => {
                file = error.path;
                match error.error.kind() {
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                        path.parent().map_or(Ok(()), |parent| cache.directory(parent))?;
                    }
                    io::ErrorKind::IsADirectory => forget(path),
                    _ => return Err(error.error),
                }
            }
        }
    }
    cache.added(size);
    Ok(())
}

fn head(subject: &str, content: &[u8]) -> Vec<u8> {
    let mut hasher = Sha256Hasher::new();
    hasher.update((subject.len() as u64).to_be_bytes());
    hasher.update(subject);
    hasher.update(content);
    let digest = Sha256(hasher.finalize().into());
    [MAGIC, digest.to_string().as_bytes(), b"\n"].concat()
}

/// Removes whatever stands at `path`. What cannot be removed is only not believed, again and again.
pub(crate) fn forget(path: &Path) {
    let Ok(metadata) = fs_err::symlink_metadata(path) else { return };
    drop(if metadata.is_dir() { fs_err::remove_dir_all(path) } else { fs_err::remove_file(path) });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_single_damaged_byte_and_every_cut_makes_a_record_none_and_removes_it() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::at(directory.path());
        let path = cache.section("help").join("ab").join("record");
        let fill = || write(&cache, &path, "subject", b"some content").unwrap();
        fill();
        assert_eq!(read(&path, "subject").unwrap(), b"some content");
        let whole = fs_err::read(&path).unwrap();
        for index in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[index] ^= 1;
            for damaged in [&flipped[..], &whole[..index], &[&whole[..], b"x"].concat()] {
                fs_err::write(&path, damaged).unwrap();
                assert_eq!(read(&path, "subject"), None, "{index}");
                assert!(!path.exists(), "{index}");
            }
        }
        fill();
        assert_eq!(read(&path, "another subject"), None);
    }

    #[test]
    fn whatever_stands_in_its_place_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::at(directory.path());
        let path = cache.section("help").join("record");
        let place = || {
            write(&cache, &path, "subject", b"content").unwrap();
            assert_eq!(read(&path, "subject").unwrap(), b"content");
            fs_err::remove_file(&path).unwrap();
        };
        place();
        fs_err::create_dir_all(path.join("below")).unwrap();
        place();
        fs_err::create_dir_all(path.join("below")).unwrap();
        assert_eq!(read(&path, "subject"), None);
        fs_err::os::unix::fs::symlink("nowhere", &path).unwrap();
        place();
    }
}
