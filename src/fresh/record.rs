//! The record's file: what was answered, then what was looked at, in the order of paths and without what a path shares with
//! the one before it, so that thousands of them are read in a millisecond; a digest of all that at the end.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::look::{Manner, Seen, still};
use super::{Answer, NotFresh};
use crate::digest::Sha256;
use crate::stamp::Stamp;

/// Changes with the form of the file.
const MAGIC: &[u8] = b"packhouse fresh 1\n";

/// The bytes of a record.
pub(super) fn write(identity: Sha256, answer: &Answer, seen: &Seen) -> Option<Vec<u8>> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&identity.0);
    let answer = serde_json::to_vec(answer).ok()?;
    bytes.extend_from_slice(&u32::try_from(answer.len()).ok()?.to_le_bytes());
    bytes.extend_from_slice(&answer);
    let mut before: &[u8] = b"";
    for (path, manner, stamp) in &seen.0 {
        let path = path.as_os_str().as_bytes();
        let shared = path.iter().zip(before).take_while(|(one, other)| one == other).count();
        let rest = path.get(shared..)?;
        bytes.push(*manner as u8);
        bytes.push(u8::from(stamp.is_some()));
        bytes.extend_from_slice(&u16::try_from(shared).ok()?.to_le_bytes());
        bytes.extend_from_slice(&u16::try_from(rest.len()).ok()?.to_le_bytes());
        bytes.extend_from_slice(rest);
        if let Some(Stamp { device, inode, mode, size, modified, changed }) = stamp {
            for number in [*device, *inode, *size, modified.cast_unsigned(), changed.cast_unsigned()] {
                bytes.extend_from_slice(&number.to_le_bytes());
            }
            bytes.extend_from_slice(&mode.to_le_bytes());
        }
        before = path;
    }
    bytes.extend_from_slice(&Sha256::of(&bytes).0);
    Some(bytes)
}

/// The answer of the record `bytes`, when it is for `identity` and all that it looked at is as it was.
pub(super) fn answer(bytes: &[u8], identity: Sha256) -> Result<Answer, NotFresh> {
    let broken = || NotFresh::new("the record of the last build cannot be read".to_owned());
    let (body, digest) = bytes.split_last_chunk::<32>().ok_or_else(broken)?;
    let mut rest = Reader(body.strip_prefix(MAGIC).ok_or_else(broken)?);
    if rest.array().ok_or_else(broken)? != identity.0 {
        return Err(NotFresh::new("packhouse, the environment or this machine is another one".to_owned()));
    }
    if Sha256::of(body).0 != *digest {
        return Err(broken());
    }
    let length = u32::from_le_bytes(rest.array().ok_or_else(broken)?);
    let answer = rest.take(usize::try_from(length).map_err(|_| broken())?).ok_or_else(broken)?;
    let mut path = Vec::new();
    while !rest.0.is_empty() {
        let (manner, stamp) = rest.entry(&mut path).ok_or_else(broken)?;
        still(Path::new(OsStr::from_bytes(&path)), manner, stamp)?;
    }
    serde_json::from_slice(answer).map_err(|_| broken())
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    /// The next entry; `path` has the one before it, and then its own.
    fn entry(&mut self, path: &mut Vec<u8>) -> Option<(Manner, Option<Stamp>)> {
        let [manner, is_there] = self.array()?;
        let shared = usize::from(u16::from_le_bytes(self.array()?));
        let length = usize::from(u16::from_le_bytes(self.array()?));
        if shared > path.len() {
            return None;
        }
        path.truncate(shared);
        path.extend_from_slice(self.take(length)?);
        let mut number = || Some(u64::from_le_bytes(self.array()?));
        let stamp = if is_there == 1 {
            let (device, inode, size) = (number()?, number()?, number()?);
            let (modified, changed) = (number()?.cast_signed(), number()?.cast_signed());
            Some(Stamp { device, inode, mode: u32::from_le_bytes(self.array()?), size, modified, changed })
        } else {
            None
        };
        Some((Manner::of(manner)?, stamp))
    }
}

/// For tests of the form.
#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn record(directory: &Path) -> Vec<u8> {
        let (file, gone) = (directory.join("a"), directory.join("ab/none"));
        fs_err::write(&file, "one").unwrap();
        let look = |path: &PathBuf| super::super::look::stamp(path, Manner::Behind).unwrap();
        let seen = Seen(vec![
            (file.clone(), Manner::Behind, look(&file)),
            (gone.clone(), Manner::Behind, look(&gone)),
            (directory.to_path_buf(), Manner::Place, super::super::look::stamp(directory, Manner::Place).unwrap()),
        ]);
        let answer = Answer { root: directory.to_path_buf(), artefacts: Vec::new(), notes: vec!["mind".to_owned()] };
        write(Sha256::of(b"me"), &answer, &seen).unwrap()
    }

    #[test]
    fn a_record_answers_whom_it_is_for_until_something_changes() {
        let directory = tempfile::tempdir().unwrap();
        let bytes = record(directory.path());
        assert_eq!(answer(&bytes, Sha256::of(b"me")).unwrap().notes, ["mind"]);
        assert!(answer(&bytes, Sha256::of(b"you")).is_err());
        fs_err::create_dir(directory.path().join("ab")).unwrap();
        assert!(answer(&bytes, Sha256::of(b"me")).is_ok(), "nothing that counts has changed");
        fs_err::write(directory.path().join("ab/none"), "").unwrap();
        let reason = answer(&bytes, Sha256::of(b"me")).unwrap_err().to_string();
        assert!(reason.ends_with("ab/none has changed"), "{reason}");
    }

    #[test]
    fn a_record_that_is_damaged_or_cut_short_answers_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let bytes = record(directory.path());
        for length in 0..bytes.len() {
            assert!(answer(&bytes[..length], Sha256::of(b"me")).is_err(), "{length}");
        }
        for place in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1;
            assert!(answer(&damaged, Sha256::of(b"me")).is_err(), "{place}");
        }
    }
}
