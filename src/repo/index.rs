//! Index files, put together from the members of shards.

use std::io::{self, Read, Write as _};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use sha2::Digest as _;

use super::cell::{Cell, CellName, Stream};
use super::compress;
use super::error::RepoError;
use super::root::{IndexFile, Root};
use super::shard::{Piece, ShardReference};
use super::store::{self, Copied, Store};
use crate::digest::Sha256;

/// So many index files are made durable one by one; more of them with their file system.
const MANY: usize = 32;
/// How much is read, hashed and written at once.
const BUFFER: usize = 256 << 10;

/// What an index file is to be made of.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    /// See [`IndexFile::path`].
    pub(super) path: String,
    /// Text before all others.
    pub(super) head: Vec<u8>,
    /// A stream of each of these shards; its position among the streams of its cell.
    pub(super) pieces: Vec<(ShardReference, usize)>,
    /// Text after all others.
    pub(super) tail: Vec<u8>,
}

impl Planned {
    /// The file at `path` of one stream of some cells, in order.
    pub(super) fn of<'a>(
        path: String,
        stream: Stream,
        cells: impl IntoIterator<Item = (&'a CellName, &'a Cell)>,
    ) -> Self {
        let mut pieces = Vec::new();
        for (name, cell) in cells {
            let Some(position) = name.position(stream) else { continue };
            let has_any = |shard: &&ShardReference| shard.streams.get(position).is_some_and(|(open, _)| *open > 0);
            pieces.extend(cell.present().filter(has_any).map(|shard| (shard.clone(), position)));
        }
        Self { path, head: Vec::new(), pieces, tail: Vec::new() }
    }

    /// Equal keys, equal files.
    pub(super) fn key(&self) -> Sha256 {
        let mut hasher = sha2::Sha256::new();
        for text in [&self.head, &self.tail] {
            hasher.update((text.len() as u64).to_be_bytes());
            hasher.update(text);
        }
        for (shard, position) in &self.pieces {
            hasher.update(shard.digest.0);
            hasher.update((*position as u64).to_be_bytes());
        }
        Sha256(hasher.finalize().into())
    }

    /// How much there is to hash.
    fn size(&self) -> u64 {
        self.pieces.iter().filter_map(|(shard, position)| shard.streams.get(*position)).map(|(open, _)| open).sum()
    }

    /// Gives the whole file to `each`, open or packed, in pieces.
    pub(super) fn read(
        &self,
        store: &Store,
        packed: bool,
        each: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), RepoError> {
        let failed = || RepoError::io("an index could not be written");
        let form = |text: &[u8]| if packed { compress::member(text) } else { Ok(text.to_vec()) };
        let is_empty = self.head.is_empty() && self.pieces.is_empty() && self.tail.is_empty();
        if !self.head.is_empty() || is_empty {
            each(&form(&self.head).map_err(failed())?).map_err(failed())?;
        }
        let mut buffer = vec![0; BUFFER];
        for (shard, position) in &self.pieces {
            let mut reader = Piece { shard, position: *position }.open(store, packed)?;
            loop {
                let length = match reader.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(length) => length,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => return Err(failed()(error)),
                };
                each(buffer.get(..length).unwrap_or_default()).map_err(failed())?;
            }
        }
        if !self.tail.is_empty() {
            each(&form(&self.tail).map_err(failed())?).map_err(failed())?;
        }
        Ok(())
    }
}

/// The gzip form of an index file of a root, made again from its shards.
pub(super) fn again(store: &Store, root: &Root, file: &IndexFile) -> Result<Copied, RepoError> {
    let failed = || RepoError::io("an index could not be written");
    let planned = root.planned(store)?.into_iter().find(|planned| planned.path == file.path);
    let mut result = Ok(());
    let copied = store.produce(|writer| -> io::Result<()> {
        if let Some(planned) = planned {
            result = planned.read(store, true, &mut |bytes| writer.write_all(bytes));
        }
        Ok(())
    });
    result?;
    copied.map_err(failed())
}

/// An index file with its content: one that is there already, somewhere, or a new one.
#[derive(Debug)]
pub(super) struct Built {
    pub(super) file: IndexFile,
    pub(super) content: Content,
}

/// Where the gzip form of an index file is.
#[derive(Debug)]
pub(super) enum Content {
    /// In the repository at this place.
    At(String),
    /// In a temporary file, which is being made durable.
    New(Written),
}

/// A new file.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) path: tempfile::TempPath,
    syncing: Option<JoinHandle<io::Result<()>>>,
}

impl Written {
    /// The file, durable unless there are so many that all are made durable together.
    pub(super) fn settled(self) -> io::Result<tempfile::TempPath> {
        if let Some(syncing) = self.syncing {
            syncing.join().map_err(|_| io::Error::other("an index could not be made durable"))??;
        }
        Ok(self.path)
    }
}

/// Half of the work on one file.
struct Job<'a> {
    number: usize,
    planned: &'a Planned,
    packed: bool,
}

/// What the two halves give.
#[derive(Default)]
struct Halves {
    open: Option<(u64, Sha256)>,
    packed: Option<(u64, Sha256)>,
    written: Option<Written>,
}

/// Builds files, several at a time. `known` finds an equal file and where it is.
pub(super) fn build(
    store: &Store,
    plans: &[Planned],
    known: &dyn Fn(usize, Sha256) -> Option<(IndexFile, String)>,
) -> Result<Vec<Built>, RepoError> {
    let mut found = Vec::with_capacity(plans.len());
    let mut jobs = Vec::new();
    for (number, planned) in plans.iter().enumerate() {
        let key = planned.key();
        let held = known(number, key);
        if held.is_none() {
            jobs.push(Job { number, planned, packed: false });
            jobs.push(Job { number, planned, packed: true });
        }
        found.push((key, held, Halves::default()));
    }
    // Taken from the end: first what is written, for the disk works on while the rest is hashed; the largest first.
    jobs.sort_by_key(|job| (job.packed, job.planned.size()));
    let singly = jobs.len() / 2 <= MANY;
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(jobs.len());
    let (queue, results) = (Mutex::new(jobs), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let Some(job) = queue.lock().unwrap_or_else(PoisonError::into_inner).pop() else { return };
            let done = run(store, &job, singly);
            let failed = done.is_err();
            results.lock().unwrap_or_else(PoisonError::into_inner).push((job.number, done));
            if failed {
                queue.lock().unwrap_or_else(PoisonError::into_inner).clear();
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..workers {
            scope.spawn(work);
        }
        work();
    });
    for (number, done) in results.into_inner().unwrap_or_else(PoisonError::into_inner) {
        let done = done?;
        if let Some((_, _, halves)) = found.get_mut(number) {
            halves.open = halves.open.or(done.open);
            halves.packed = halves.packed.or(done.packed);
            halves.written = halves.written.take().or(done.written);
        }
    }
    let built = found.into_iter().zip(plans).filter_map(|((key, held, halves), planned)| {
        let path = planned.path.clone();
        if let Some((file, place)) = held {
            return Some(Built { file: IndexFile { path, ..file }, content: Content::At(place) });
        }
        let (open, packed, written) = (halves.open?, halves.packed?, halves.written?);
        Some(Built { file: IndexFile { path, key, open, packed }, content: Content::New(written) })
    });
    Ok(built.collect())
}

fn run(store: &Store, job: &Job<'_>, singly: bool) -> Result<Halves, RepoError> {
    let mut hasher = sha2::Sha256::new();
    let mut size = 0;
    if !job.packed {
        job.planned.read(store, false, &mut |bytes| {
            hasher.update(bytes);
            size += bytes.len() as u64;
            Ok(())
        })?;
        return Ok(Halves { open: Some((size, Sha256(hasher.finalize().into()))), ..Halves::default() });
    }
    let failed = || RepoError::io("an index could not be written");
    let mut file = store.temporary_file().map_err(failed())?;
    job.planned.read(store, true, &mut |bytes| {
        hasher.update(bytes);
        size += bytes.len() as u64;
        file.write_all(bytes)
    })?;
    store::make_readable(file.as_file()).map_err(failed())?;
    let (file, path) = file.into_parts();
    let syncing = singly.then(|| std::thread::Builder::new().spawn(move || file.sync_data()));
    let syncing = syncing.transpose().map_err(failed())?;
    let written = Some(Written { path, syncing });
    Ok(Halves { packed: Some((size, Sha256(hasher.finalize().into()))), written, ..Halves::default() })
}
