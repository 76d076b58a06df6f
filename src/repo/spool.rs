//! Texts that wait for their commit, in an unlinked temporary file: a hundred thousand packages need the memory of their
//! records alone.

use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};

use super::error::RepoError;
use super::store::Store;

/// So much is collected before it is written.
const BUFFER: usize = 1 << 20;

/// A growing file of texts. Several threads may add to it.
#[derive(Debug)]
pub(super) struct Spool {
    file: fs_err::File,
    tail: Mutex<Tail>,
}

/// What is not written yet.
#[derive(Debug, Default)]
struct Tail {
    /// How much is in the file.
    written: u64,
    buffer: Vec<u8>,
}

/// Some texts in a spool.
#[derive(Debug, Clone)]
pub(super) struct Spooled {
    spool: Arc<Spool>,
    begin: u64,
    lengths: Box<[u32]>,
}

impl Spool {
    /// An empty one.
    pub(super) fn new(store: &Store) -> Result<Arc<Self>, RepoError> {
        let file = store.unlinked().map_err(RepoError::io("a temporary file could not be made"))?;
        Ok(Arc::new(Self { file, tail: Mutex::default() }))
    }

    /// Adds some texts.
    pub(super) fn push(self: &Arc<Self>, texts: &[Vec<u8>]) -> Result<Spooled, RepoError> {
        let failed = || RepoError::io("a temporary file could not be written");
        let length = |text: &Vec<u8>| u32::try_from(text.len()).map_err(|_| std::io::ErrorKind::FileTooLarge.into());
        let lengths = texts.iter().map(length).collect::<Result<_, _>>().map_err(failed())?;
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = tail.written + tail.buffer.len() as u64;
        texts.iter().for_each(|text| tail.buffer.extend_from_slice(text));
        if tail.buffer.len() >= BUFFER {
            self.file.file().write_all_at(&tail.buffer, tail.written).map_err(failed())?;
            tail.written += tail.buffer.len() as u64;
            tail.buffer.clear();
        }
        Ok(Spooled { spool: Arc::clone(self), begin, lengths })
    }

    fn read(&self, begin: u64, length: usize) -> std::io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let buffered = usize::try_from(begin.saturating_sub(tail.written)).unwrap_or(usize::MAX);
        if begin >= tail.written {
            let held = tail.buffer.get(buffered..).and_then(|held| held.get(..length));
            bytes.copy_from_slice(held.ok_or(std::io::ErrorKind::UnexpectedEof)?);
        } else {
            drop(tail);
            // Texts that were added together are written together.
            self.file.file().read_exact_at(&mut bytes, begin)?;
        }
        Ok(bytes)
    }
}

impl Spooled {
    /// The texts.
    pub(super) fn read(&self) -> Result<Vec<Vec<u8>>, RepoError> {
        let length = self.lengths.iter().map(|length| *length as usize).sum();
        let bytes = self.spool.read(self.begin, length);
        let bytes = bytes.map_err(RepoError::io("a temporary file could not be read"))?;
        let mut rest = bytes.as_slice();
        let mut texts = Vec::with_capacity(self.lengths.len());
        for length in &self.lengths {
            let (text, after) = rest.split_at_checked(*length as usize).unwrap_or((rest, &[]));
            texts.push(text.to_vec());
            rest = after;
        }
        Ok(texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_from_the_file_and_from_memory() {
        let directory = tempfile::tempdir().expect("a directory");
        let spool = Spool::new(&Store::at(directory.path())).expect("a spool");
        let texts: Vec<Vec<Vec<u8>>> =
            (0..50_u8).map(|number| vec![vec![number; 60_000], vec![], vec![number; 7]]).collect();
        let spooled: Vec<Spooled> = texts.iter().map(|texts| spool.push(texts).expect("spooled")).collect();
        for (texts, spooled) in texts.iter().zip(&spooled) {
            assert!(spooled.read().expect("read") == *texts);
        }
    }
}
