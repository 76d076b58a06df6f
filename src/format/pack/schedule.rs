//! Compresses the blocks of a plan on several threads and gives them back in order.
//!
//! Whoever has nothing to do takes the next block: it reads it (one at a time does) and compresses it. So there are never more
//! blocks in memory than threads, but for compressed ones that wait for their turn, and those are bounded. The thread that
//! called writes them in order. Whatever goes wrong stops all of them; the first error is told.

use std::collections::BTreeMap;
use std::hash::Hasher as _;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256 as Sha256Hasher};
use twox_hash::XxHash64;

use super::codec::{Codec, Context};
use super::plan::Plan;
use super::source::Reader;
use crate::cache::{Blocks, Pending};
use crate::digest::Sha256;
use crate::format::error::Error;

/// Compressed blocks that may wait for their turn, for each thread, while they have fewer bytes than this together.
const WAITING: usize = 2;
const WAITING_BYTES: usize = 16 << 20;

/// What is to be done.
pub(super) struct Work<'a> {
    pub(super) plan: &'a Plan<'a>,
    pub(super) codec: &'a dyn Codec,
    pub(super) ranges: Vec<Range<u64>>,
    /// What stands before each of them as its context.
    pub(super) contexts: Vec<Vec<Range<u64>>>,
    /// The blocks' keys.
    pub(super) keys: &'a [Sha256],
    pub(super) blocks: Option<&'a Blocks>,
    pub(super) threads: usize,
    /// The digests of the whole archive that are wanted, which takes reading all of it.
    pub(super) wants: Wants,
    /// Where the archive's second part begins, if its checksum is to go on from there another time.
    pub(super) part: Option<Part>,
}

impl Work<'_> {
    /// What stands before the block of this number as its context.
    fn context(&self, number: usize) -> &[Range<u64>] {
        self.contexts.get(number).map_or(&[], Vec::as_slice)
    }
}

/// The second part of an archive, the one that changes with the service's own commits.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// How many blocks the first one has.
    pub(super) first: usize,
    /// The checksum of the first one, if it is known: it is not read then, but for what is missing of it.
    pub(super) known: Option<XxHash64>,
}

/// Digests of the whole archive.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wants {
    pub(super) sha256: bool,
    pub(super) xxh64: bool,
}

/// Those that were wanted.
#[derive(Debug, Clone, Default)]
pub(super) struct Digests {
    pub(super) sha256: Option<Sha256>,
    pub(super) xxh64: Option<u64>,
    /// That of the first part, where it was not known.
    pub(super) first: Option<XxHash64>,
}

/// Takes a block: its length before compression, and what it was compressed to.
type Take<'a> = dyn FnMut(u64, Vec<u8>) -> Result<(), Error> + 'a;

/// A block's bytes after those of its context.
type Buffer = Arc<Vec<u8>>;

/// Memory of blocks that are done, to be used again. It has a lock of its own: whoever waits for room holds that of the
/// source, and must not keep others from finishing.
type Spare = Mutex<Vec<Vec<u8>>>;

/// What is read, by one thread at a time.
struct Source<'a> {
    work: &'a Work<'a>,
    reader: Reader<'a>,
    next: usize,
    /// The block before the next one with its own context, if it was read and there is a context.
    previous: Option<Buffer>,
    spare: &'a Spare,
    sha256: Option<Sha256Hasher>,
    xxh64: Option<XxHash64>,
    /// The checksum of the archive's first part, to go on from another time.
    first: Option<XxHash64>,
}

/// A block to be compressed, or what is kept of it.
enum Task {
    Kept(Vec<u8>),
    Compress(Buffer),
}

/// What is compressed, waiting to be written.
#[derive(Default)]
struct Finished {
    waiting: BTreeMap<usize, Vec<u8>>,
    written: usize,
    /// Blocks to be kept when all contents, which may go on in later blocks, have turned out to be what their keys say.
    pending: Vec<Pending>,
    error: Option<Error>,
    stopped: bool,
}

impl Finished {
    /// How many bytes wait.
    fn bytes(&self) -> usize {
        self.waiting.values().map(Vec::len).sum()
    }
}

struct Shared<'a> {
    work: &'a Work<'a>,
    spare: &'a Spare,
    source: Mutex<Source<'a>>,
    finished: Mutex<Finished>,
    changed: Condvar,
}

/// Gives all blocks in order to `write`, with their lengths before compression. An error of the compressor becomes one by
/// `failed`.
pub(super) fn run(
    work: &Work<'_>,
    failed: &(dyn Fn(io::Error) -> Error + Sync),
    write: &mut Take<'_>,
) -> Result<Digests, Error> {
    let spare = Spare::default();
    let shared = Shared {
        work,
        spare: &spare,
        source: Mutex::new(Source::new(work, &spare)),
        finished: Mutex::default(),
        changed: Condvar::new(),
    };
    let result = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..work.threads.clamp(1, work.ranges.len().max(1)))
            .map(|_| {
                let shared = &shared;
                std::thread::Builder::new().spawn_scoped(scope, move || shared.work(failed))
            })
            .collect();
        // One is enough; none is an error.
        let guard = Guard(&shared);
        let result = if workers.iter().any(Result::is_ok) {
            shared.write(write)
        } else {
            Err(failed(io::Error::other("cannot start threads")))
        };
        shared.stop(None);
        drop(guard);
        let died = workers.into_iter().flatten().any(|worker| worker.join().is_err());
        if died { Err(failed(io::Error::other("a compressor's thread died"))) } else { result }
    });
    let Finished { error, pending, .. } = std::mem::take(&mut *lock(&shared.finished));
    error.map_or(result, Err)?;
    pending.into_iter().for_each(Pending::keep);
    Ok(lock(&shared.source).digests())
}

/// Whoever waits for a thread that panics is told.
struct Guard<'a, 'b>(&'a Shared<'b>);

impl Drop for Guard<'_, '_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop(None);
        }
    }
}

impl Shared<'_> {
    /// What each thread does.
    fn work(&self, failed: &(dyn Fn(io::Error) -> Error + Sync)) {
        let guard = Guard(self);
        while let Some((number, task)) = self.take() {
            match task.and_then(|task| self.perform(number, task).map_err(failed)) {
                Ok(packed) => {
                    lock(&self.finished).waiting.insert(number, packed);
                    self.changed.notify_all();
                }
                Err(error) => return self.stop(Some(error)),
            }
        }
        drop(guard);
    }

    /// The next block, as soon as there is room for its result; `None` when there is none.
    fn take(&self) -> Option<(usize, Result<Task, Error>)> {
        let mut source = lock(&self.source);
        let number = source.next;
        if number >= self.work.ranges.len() {
            return None;
        }
        let room = self.work.threads.max(1) * WAITING;
        // The block that is to be written next always has room: without it nothing goes on.
        let full = |finished: &mut Finished| {
            let ahead = number.saturating_sub(finished.written);
            !finished.stopped && (ahead >= room || ahead > 0 && finished.bytes() > WAITING_BYTES)
        };
        let finished = self.changed.wait_while(lock(&self.finished), full).unwrap_or_else(PoisonError::into_inner);
        if finished.stopped {
            return None;
        }
        drop(finished);
        Some((number, source.take()))
    }

    fn perform(&self, number: usize, task: Task) -> io::Result<Vec<u8>> {
        let buffer = match task {
            Task::Kept(packed) => return Ok(packed),
            Task::Compress(buffer) => buffer,
        };
        let parts: Vec<usize> = self.work.context(number).iter().map(length).collect();
        let (bytes, block) = buffer.split_at(parts.iter().sum::<usize>().min(buffer.len()));
        if self.work.ranges.get(number).is_none_or(|range| range.end - range.start != block.len() as u64) {
            return Err(io::Error::other("a block of the archive has another length than it was planned with"));
        }
        let packed = self.work.codec.compress(Context { bytes, parts: &parts }, block)?;
        if let (Some(blocks), Some(&key)) = (self.work.blocks, self.work.keys.get(number)) {
            let pending = blocks.prepare(key, &packed);
            lock(&self.finished).pending.extend(pending);
        }
        if let Some(buffer) = Arc::into_inner(buffer) {
            lock(self.spare).push(buffer);
        }
        Ok(packed)
    }

    /// What the calling thread does.
    fn write(&self, write: &mut Take<'_>) -> Result<(), Error> {
        for (number, range) in self.work.ranges.iter().enumerate() {
            let missing = |finished: &mut Finished| !finished.stopped && !finished.waiting.contains_key(&number);
            let mut finished =
                self.changed.wait_while(lock(&self.finished), missing).unwrap_or_else(PoisonError::into_inner);
            // Stopped: whoever did it has told why.
            let Some(packed) = finished.waiting.remove(&number) else { return Ok(()) };
            drop(finished);
            write(range.end - range.start, packed)?;
            lock(&self.finished).written += 1;
            self.changed.notify_all();
        }
        Ok(())
    }

    fn stop(&self, error: Option<Error>) {
        let mut finished = lock(&self.finished);
        finished.stopped = true;
        finished.error = finished.error.take().or(error);
        drop(finished);
        self.changed.notify_all();
    }
}

impl<'a> Source<'a> {
    fn new(work: &'a Work<'a>, spare: &'a Spare) -> Self {
        let known = work.part.as_ref().and_then(|part| part.known.clone());
        Self {
            work,
            reader: Reader::new(work.plan),
            next: 0,
            previous: None,
            spare,
            sha256: work.wants.sha256.then(Sha256Hasher::new),
            xxh64: work.wants.xxh64.then(|| known.unwrap_or_else(|| XxHash64::with_seed(0))),
            first: None,
        }
    }

    /// The next block, which there is.
    fn take(&mut self) -> Result<Task, Error> {
        let number = self.next;
        self.next += 1;
        let Some(range) = self.work.ranges.get(number).cloned() else { return Ok(Task::Kept(Vec::new())) };
        let part = self.work.part.as_ref();
        if part.is_some_and(|part| part.known.is_none() && part.first == number) {
            self.first.clone_from(&self.xxh64);
        }
        // What the checksum goes on from has this block in it.
        let is_known = part.is_some_and(|part| part.known.is_some() && number < part.first);
        let kept = self.work.keys.get(number).and_then(|&key| self.work.blocks?.get(key));
        if let Some(packed) = kept {
            self.previous = None;
            if is_known {
                self.reader.skip(range)?
            } else {
                self.pass(range)?
            }
            return Ok(Task::Kept(packed));
        }
        let (mut buffer, context) = self.context(number, &range)?;
        self.reader.read(range, &mut |bytes| buffer.extend_from_slice(bytes))?;
        let block = buffer.get(context..).unwrap_or_default();
        self.sha256.iter_mut().for_each(|hasher| hasher.update(block));
        self.xxh64.iter_mut().filter(|_| !is_known).for_each(|hasher| hasher.write(block));
        let buffer = Arc::new(buffer);
        if !self.work.context(number + 1).is_empty() {
            self.previous = Some(Arc::clone(&buffer));
        }
        Ok(Task::Compress(buffer))
    }

    /// A buffer that begins with the context of the block at `range`, which has this number, and has room for it, and the
    /// context's length.
    fn context(&mut self, number: usize, range: &Range<u64>) -> Result<(Vec<u8>, usize), Error> {
        let begin = self.work.context(number).first().map_or(range.start, |part| part.start);
        let before = begin..range.start;
        let (length, room) = (length(&before), length(&(begin..range.end)));
        // After a small block, which has little context, there is less than what is wanted now.
        let previous = self.previous.take().filter(|previous| previous.len() >= length);
        let mut buffer = match previous.map(Arc::try_unwrap) {
            // Nobody else uses it: the context is moved to its front.
            Some(Ok(mut buffer)) => {
                lock(self.spare).clear();
                buffer.drain(..buffer.len().saturating_sub(length));
                buffer
            }
            Some(Err(shared)) => {
                let mut buffer = self.memory(room);
                buffer.extend_from_slice(shared.get(shared.len().saturating_sub(length)..).unwrap_or_default());
                buffer
            }
            // It is not in memory.
            None => {
                let mut buffer = self.memory(room);
                let mut reader = Reader::new(self.work.plan);
                reader.read(before, &mut |bytes| buffer.extend_from_slice(bytes))?;
                reader.finish()?;
                buffer
            }
        };
        buffer.reserve_exact(room - buffer.len());
        Ok((buffer, length))
    }

    /// Memory for `room` bytes, of a block that is done if there is any. What else there is goes, so that there are never more
    /// buffers than threads.
    fn memory(&mut self, room: usize) -> Vec<u8> {
        let mut spare = lock(self.spare);
        let mut buffer = spare.pop().unwrap_or_default();
        spare.clear();
        drop(spare);
        buffer.clear();
        buffer.reserve_exact(room);
        buffer
    }

    /// Passes over a block that nobody wants; it is read all the same for digests of the archive.
    fn pass(&mut self, range: Range<u64>) -> Result<(), Error> {
        if self.sha256.is_none() && self.xxh64.is_none() {
            return self.reader.skip(range);
        }
        let (sha256, xxh64) = (&mut self.sha256, &mut self.xxh64);
        self.reader.read(range, &mut |bytes| {
            sha256.iter_mut().for_each(|hasher| hasher.update(bytes));
            xxh64.iter_mut().for_each(|hasher| hasher.write(bytes));
        })
    }

    fn digests(&mut self) -> Digests {
        Digests {
            sha256: self.sha256.take().map(|hasher| Sha256(hasher.finalize().into())),
            xxh64: self.xxh64.take().map(|hasher| hasher.finish()),
            first: self.first.take(),
        }
    }
}

fn length(range: &Range<u64>) -> usize {
    (range.end - range.start) as usize
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
