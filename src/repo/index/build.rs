//! Making index files: what is there is used again, whole or its beginning; the rest is read from shards, hashed and written,
//! several files at a time.

use std::io::{self, Read as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use sha2::{Digest as _, Sha256 as Hasher};

use super::Planned;
use super::mark::{self, Begun, Mark};
use crate::digest::Sha256;
use crate::repo::error::RepoError;
use crate::repo::root::IndexFile;
use crate::repo::store::{self, Store};

/// So many index files are made durable one by one; more of them with their file system.
const MANY: usize = 32;

/// An index file that is there.
#[derive(Debug, Clone)]
pub(in crate::repo) struct Held<'a> {
    pub(in crate::repo) file: &'a IndexFile,
    /// Relative to the repository.
    pub(in crate::repo) place: String,
}

/// An index file with its content: one that is there already, somewhere, or a new one.
#[derive(Debug)]
pub(in crate::repo) struct Built {
    pub(in crate::repo) file: IndexFile,
    pub(in crate::repo) content: Content,
}

/// Where the gzip form of an index file is.
#[derive(Debug)]
pub(in crate::repo) enum Content {
    /// In the repository at this place.
    At(String),
    /// In a temporary file, which is being made durable.
    New(Written),
}

/// A new file.
#[derive(Debug)]
pub(in crate::repo) struct Written {
    path: tempfile::TempPath,
    syncing: Option<JoinHandle<io::Result<()>>>,
}

impl Written {
    /// The file, durable unless there are so many that all are made durable together.
    pub(in crate::repo) fn settled(self) -> io::Result<tempfile::TempPath> {
        if let Some(syncing) = self.syncing {
            syncing.join().map_err(|_| io::Error::other("an index could not be made durable"))??;
        }
        Ok(self.path)
    }
}

/// A file to make.
struct Work<'a> {
    planned: &'a Planned,
    beginnings: Vec<Sha256>,
    begun: Option<Begun>,
}

/// Half of the work on one file.
struct Job {
    number: usize,
    packed: bool,
    size: u64,
}

/// What one half gives.
#[derive(Default)]
struct Half {
    size: u64,
    digest: Option<Sha256>,
    /// How far the digest was after so many pieces.
    marks: Vec<(usize, Hasher)>,
    written: Option<Written>,
}

/// Builds files, several at a time. `held` tells of the files that the owner of a planned one has.
pub(in crate::repo) fn build<'a>(
    store: &Store,
    plans: &[Planned],
    held: &dyn Fn(usize) -> Vec<Held<'a>>,
) -> Result<Vec<Built>, RepoError> {
    let mut built: Vec<Option<Built>> = Vec::with_capacity(plans.len());
    let (mut works, mut jobs) = (Vec::new(), Vec::new());
    for (number, planned) in plans.iter().enumerate() {
        let beginnings = planned.beginnings();
        let key = planned.key(beginnings.last().copied().unwrap_or(Sha256::of(b"")));
        let mut held = held(number);
        // Of several equal files the one of the same name, which has its place already.
        held.sort_by_key(|held| held.file.path != planned.path);
        let equal = held.iter().find(|held| held.file.key == key && store.path(&held.place).exists());
        built.push(equal.map(|Held { file, place }| Built {
            file: IndexFile { path: planned.path.clone(), ..(*file).clone() },
            content: Content::At(place.clone()),
        }));
        let begun = if equal.is_none() { mark::begun(store, planned, &beginnings, &held) } else { None };
        if equal.is_none() {
            let size = planned.size() - planned.length(begun.as_ref().map_or(0, |begun| begun.pieces), false);
            jobs.extend(
                [false, true].into_iter().filter(|packed| *packed || planned.is_listed_open).map(|packed| Job {
                    number,
                    packed,
                    size,
                }),
            );
        }
        works.push((key, Work { planned, beginnings, begun }));
    }
    let mut halves = all(store, &works, jobs)?;
    for (number, (key, work)) in works.iter().enumerate() {
        let Some(place) = built.get_mut(number).filter(|place| place.is_none()) else { continue };
        let open = halves.remove(&(number, false)).unwrap_or_default();
        let packed = halves.remove(&(number, true)).unwrap_or_default();
        *place = work.finish(*key, open, packed);
    }
    Ok(built.into_iter().flatten().collect())
}

type Halves = std::collections::HashMap<(usize, bool), Half>;

/// Does all jobs on all cores.
fn all(store: &Store, works: &[(Sha256, Work<'_>)], mut jobs: Vec<Job>) -> Result<Halves, RepoError> {
    // Taken from the end: first what is written, for the disk works on while the rest is hashed; the largest first.
    jobs.sort_by_key(|job| (job.packed, job.size));
    let singly = jobs.iter().filter(|job| job.packed).count() <= MANY;
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(jobs.len());
    let (queue, results) = (Mutex::new(jobs), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let Some(job) = queue.lock().unwrap_or_else(PoisonError::into_inner).pop() else { return };
            let Some((_, work)) = works.get(job.number) else { return };
            let done = work.half(store, job.packed, singly);
            let failed = done.is_err();
            results.lock().unwrap_or_else(PoisonError::into_inner).push(((job.number, job.packed), done));
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
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.into_iter().map(|(job, done)| Ok((job, done?))).collect()
}

impl Work<'_> {
    /// Hashes the open form, or hashes and writes the packed one.
    fn half(&self, store: &Store, packed: bool, singly: bool) -> Result<Half, RepoError> {
        let failed = || RepoError::io("an index could not be written");
        let planned = self.planned;
        let mut half = Half::default();
        let mut file = if packed { Some(store.temporary_file().map_err(failed())?) } else { None };
        let (mut hasher, mut from) = (Hasher::new(), 0);
        if let Some(begun) = &self.begun {
            let begun_hasher = if packed { &begun.packed } else { &begun.open };
            (hasher, from) = (begun_hasher.clone(), begun.pieces);
            half.size = planned.length(from, packed);
            if let Some(file) = &mut file {
                // From file to file, without a way through this process where the system has one.
                let held = fs_err::File::open(&begun.held).map_err(failed())?.into_parts().0;
                io::copy(&mut held.take(half.size), file.as_file_mut()).map_err(failed())?;
            }
        }
        let count = planned.pieces.len();
        let marked = (from + 1..count).filter(|pieces| mark::is_marked(planned, *pieces));
        for stop in marked.chain([count]) {
            planned.read(store, packed, from..stop, &mut |bytes| {
                hasher.update(bytes);
                half.size += bytes.len() as u64;
                file.as_mut().map_or(Ok(()), |file| file.write_all(bytes))
            })?;
            from = stop;
            if mark::is_marked(planned, stop) {
                half.marks.push((stop, hasher.clone()));
            }
        }
        half.digest = Some(Sha256(hasher.finalize().into()));
        if let Some(file) = file {
            store::make_readable(file.as_file()).map_err(failed())?;
            let (file, path) = file.into_parts();
            let syncing = singly.then(|| std::thread::Builder::new().spawn(move || file.sync_data()));
            half.written = Some(Written { path, syncing: syncing.transpose().map_err(failed())? });
        }
        Ok(half)
    }

    /// Puts the halves together.
    fn finish(&self, key: Sha256, open: Half, packed: Half) -> Option<Built> {
        let mut marks = self.begun.as_ref().map(|begun| begun.marks.clone()).unwrap_or_default();
        for ((pieces, open), (_, packed)) in open.marks.iter().zip(&packed.marks) {
            if !marks.iter().any(|(held, _)| held == pieces) {
                marks.push((*pieces, Mark::new(*self.beginnings.get(*pieces)?, open, packed)));
            }
        }
        let size = if self.planned.is_listed_open { open.size } else { self.planned.size() };
        let file = IndexFile {
            path: self.planned.path.clone(),
            key,
            open: (size, open.digest),
            packed: (packed.size, packed.digest?),
            marks: marks.into_iter().map(|(_, mark)| mark).collect(),
        };
        Some(Built { file, content: Content::New(packed.written?) })
    }
}
