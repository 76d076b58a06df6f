//! Files into the cache: several at a time, verified as they come.
//!
//! The bytes are taken as they are (`Accept-Encoding: identity`, anything else is refused: some servers call a .tar.gz
//! gzip-encoded), hashed while they are written to the file's part, and never more of them than the lock says. What is
//! broken off is continued with a range request, in this run or a later one; a continued file that comes out wrong is
//! fetched once more as a whole, because its beginning may have been another file's. A whole file that comes out wrong is
//! an error and is not asked for again.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use sha2::{Digest as _, Sha256 as Hasher};
use ureq::http::header;
use url::Url;

use super::address::{is_private, public};
use super::client::{Client, network_error, status_error};
use super::error::Error;
use super::part::Part;
use super::retry::with_retries;
use crate::cache::Cache;
use crate::digest::Sha256;
use crate::report::{Progress, Reporter, Silent, Unit};

/// Connections at a time. More make some servers stall for seconds.
pub(super) const CONNECTIONS: usize = 8;
/// The most that is taken for a file whose size is not known.
pub const LARGEST_FILE: u64 = 8 << 30;

/// A file to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// What to call it in messages.
    pub name: String,
    /// http, https or file.
    pub url: Url,
    /// What it must be. `None`: whatever comes is taken and its digest told, over https or from this machine only.
    pub sha256: Option<Sha256>,
    /// How long it must be, in bytes.
    pub size: Option<u64>,
}

/// A file in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Where it is: [`Cache::artefact`].
    pub path: PathBuf,
    /// Its digest.
    pub sha256: Sha256,
    /// Its length in bytes.
    pub size: u64,
    /// It was in the cache already.
    pub cached: bool,
}

/// Fetches all `downloads` that the cache does not have and gives the files in the same order. When one fails the others
/// stop, what they have so far is kept for the next run, and the error is the one of the first that failed.
pub fn download(
    client: &Client,
    downloads: &[Download],
    cache: &Cache,
    reporter: &dyn Reporter,
) -> Result<Vec<Fetched>, Error> {
    let mut results: Vec<Option<Fetched>> = Vec::with_capacity(downloads.len());
    let mut missing: BTreeMap<(Option<Sha256>, &str), Vec<usize>> = BTreeMap::new();
    for (index, wanted) in downloads.iter().enumerate() {
        let found = cached(cache, wanted)?;
        if found.is_none() {
            let address = if wanted.sha256.is_some() { "" } else { wanted.url.as_str() };
            missing.entry((wanted.sha256, address)).or_default().push(index);
        }
        results.push(found);
    }
    let mut jobs: Vec<(&Download, Vec<usize>)> =
        missing.into_values().filter_map(|places| Some((downloads.get(*places.first()?)?, places))).collect();
    // The longest first, so that none of them is alone at the end.
    jobs.sort_by_key(|(wanted, places)| (std::cmp::Reverse(wanted.size), places.first().copied()));
    for (wanted, places) in run(client, &jobs, cache, reporter)?.into_iter().zip(jobs.iter().map(|(_, places)| places))
    {
        for place in places {
            if let Some(result) = results.get_mut(*place) {
                *result = Some(wanted.clone());
            }
        }
    }
    Ok(results.into_iter().flatten().collect())
}

/// The file in the cache; one that is not what it is called is removed.
fn cached(cache: &Cache, wanted: &Download) -> Result<Option<Fetched>, Error> {
    let Some(sha256) = wanted.sha256 else { return Ok(None) };
    let path = cache.artefact(sha256);
    let size = match fs_err::metadata(&path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if wanted.size.is_some_and(|expected| expected != size) {
        let (found, size) = Sha256::of_reader(&mut fs_err::File::open(&path)?)?;
        if found == sha256 {
            return Err(size_error(wanted, wanted.size.unwrap_or(size), size.to_string()));
        }
        fs_err::remove_file(&path)?;
        return Ok(None);
    }
    cache.used(&path);
    Ok(Some(Fetched { path, sha256, size, cached: true }))
}

/// Runs all jobs, [`CONNECTIONS`] at a time; results in their order.
fn run(
    client: &Client,
    jobs: &[(&Download, Vec<usize>)],
    cache: &Cache,
    reporter: &dyn Reporter,
) -> Result<Vec<Fetched>, Error> {
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    let files = match jobs {
        [(only, _)] => only.name.clone(),
        _ => format!("{} files", jobs.len()),
    };
    let total: Option<u64> = jobs.iter().map(|(wanted, _)| wanted.size).sum();
    let progress = match total {
        Some(total) => reporter.progress(&format!("Downloading {files}"), total, Unit::Bytes),
        None => {
            // Not every index tells sizes.
            reporter.step("Downloading", &files);
            Box::new(Silent)
        }
    };
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let done = Mutex::new(BTreeMap::new());
    let failed = Mutex::new(BTreeMap::new());
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some((wanted, places)) = jobs.get(index) else { return };
            match fetch(client, wanted, cache, &*progress, &stop) {
                Ok(Some(fetched)) => {
                    reporter.detail(&format!("fetched {} ({} bytes)", public(&wanted.url), fetched.size));
                    lock(&done).insert(index, fetched);
                }
                Ok(None) => return,
                Err(error) => {
                    stop.store(true, Ordering::Relaxed);
                    lock(&failed).insert(places.first().copied(), error);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..CONNECTIONS.min(jobs.len()) {
            scope.spawn(work);
        }
        work();
    });
    match lock(&failed).pop_first() {
        Some((_, error)) => Err(error),
        None => Ok(std::mem::take(&mut *lock(&done)).into_values().collect()),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Fetches one file; `None` when `stop` was set meanwhile.
fn fetch(
    client: &Client,
    wanted: &Download,
    cache: &Cache,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Option<Fetched>, Error> {
    let part = match wanted.sha256 {
        Some(sha256) => Part::of(cache, sha256)?,
        None if wanted.url.scheme() == "file" || is_private(&wanted.url) => Part::unnamed(cache)?,
        None => return Err(Error::Unprotected { name: wanted.name.clone(), url: public(&wanted.url) }),
    };
    // Another process may have fetched it while this one waited for the part.
    if let Some(found) = cached(cache, wanted)? {
        part.discard();
        return Ok(Some(found));
    }
    let mut transfer = Transfer::continue_with(part, wanted, progress)?;
    loop {
        match with_retries(client.pause, || transfer.run(client, stop)) {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => {
                transfer.fail(&error);
                return Err(error);
            }
        }
        let got = Sha256(transfer.hasher.clone().finalize().into());
        match wanted.sha256 {
            Some(expected) if got != expected && transfer.continued => transfer.restart()?,
            Some(expected) if got != expected => {
                transfer.part.discard();
                let (name, url) = (wanted.name.clone(), public(&wanted.url));
                return Err(Error::Hash { name, url, expected, got });
            }
            _ => {
                let (path, size) = (cache.artefact(got), transfer.length);
                transfer.part.complete(&path)?;
                cache.added(size);
                return Ok(Some(Fetched { path, sha256: got, size, cached: false }));
            }
        }
    }
}

/// One file on its way.
struct Transfer<'a> {
    wanted: &'a Download,
    progress: &'a dyn Progress,
    part: Part,
    hasher: Hasher,
    length: u64,
    /// What the progress has been told of, which does not go back.
    reported: u64,
    /// Part of it came from an earlier answer.
    continued: bool,
}

impl<'a> Transfer<'a> {
    /// Goes on with what `part` has.
    fn continue_with(part: Part, wanted: &'a Download, progress: &'a dyn Progress) -> Result<Self, Error> {
        let mut transfer =
            Self { wanted, progress, part, hasher: Hasher::new(), length: 0, reported: 0, continued: false };
        let length = transfer.part.length()?;
        if length > 0 && (length > transfer.limit() || wanted.url.scheme() == "file") {
            transfer.restart()?;
        } else if length > 0 {
            let mut buffer = vec![0; 128 * 1024];
            let file = transfer.part.content()?;
            loop {
                let count = file.read(&mut buffer)?;
                let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
                transfer.hasher.update(bytes);
                transfer.length += count as u64;
            }
            transfer.continued = true;
            transfer.report();
        }
        Ok(transfer)
    }

    fn limit(&self) -> u64 {
        self.wanted.size.unwrap_or(LARGEST_FILE)
    }

    /// Begins again with nothing.
    fn restart(&mut self) -> Result<(), Error> {
        self.part.truncate(0)?;
        self.hasher = Hasher::new();
        self.length = 0;
        self.continued = false;
        Ok(())
    }

    /// Whether anything of a failed transfer is worth keeping: not what fills a disk, not what is not the file.
    fn fail(self, error: &Error) {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        let useless = match error {
            Error::Io(error) => matches!(error.kind(), StorageFull | QuotaExceeded),
            Error::Size { .. } | Error::TooLong { .. } | Error::Encoded { .. } => true,
            _ => self.length == 0,
        };
        if useless {
            self.part.discard();
        }
    }

    /// One request for what is missing. `false`: stopped.
    fn run(&mut self, client: &Client, stop: &AtomicBool) -> Result<bool, Error> {
        if self.length > 0 && self.wanted.size == Some(self.length) {
            return Ok(true);
        }
        let url = &self.wanted.url;
        if url.scheme() == "file" {
            self.restart()?;
            let mut file = fs_err::File::open(local_path(url)?)?;
            return self.receive(&mut file, None, stop, Error::Io);
        }
        let range = format!("bytes={}-", self.length);
        let mut headers = vec![(header::ACCEPT, "*/*"), (header::ACCEPT_ENCODING, "identity")];
        if self.length > 0 {
            headers.push((header::RANGE, &range));
        }
        let mut answer = client.open(url, &headers)?;
        if let Some(encoding) = answer.header(header::CONTENT_ENCODING).map(str::trim)
            && !matches!(encoding, "" | "identity")
        {
            return Err(Error::Encoded { url: public(url), encoding: encoding.to_owned() });
        }
        match answer.status {
            206 if self.length > 0 => {
                let start = answer.header(header::CONTENT_RANGE).and_then(range_start);
                if start != Some(self.length) {
                    self.restart()?;
                    let reason = "the server sent another range than the one that was asked for".to_owned();
                    return Err(Error::Network { url: public(url), reason, certificate: false });
                }
                self.continued = true;
            }
            // There is nothing behind what is here: its digest tells whether it is the file.
            416 if self.length > 0 => {
                self.continued = true;
                return Ok(true);
            }
            200 => {
                if self.length > 0 {
                    self.restart()?;
                }
            }
            _ => return Err(status_error(url, &answer, false)),
        }
        // With a transfer encoding the header means nothing (RFC 9112 §6.3).
        let length =
            answer.header(header::CONTENT_LENGTH).filter(|_| !answer.headers.contains_key(header::TRANSFER_ENCODING));
        let rest = length.and_then(|text| text.trim().parse::<u64>().ok());
        let total = rest.map(|rest| self.length.saturating_add(rest));
        if let (Some(expected), Some(total)) = (self.wanted.size, total)
            && expected != total
        {
            return Err(size_error(self.wanted, expected, total.to_string()));
        }
        let mut body = answer.body.as_reader();
        self.receive(&mut body, total, stop, |error| network_error(url, &error))
    }

    fn receive(
        &mut self,
        body: &mut dyn Read,
        total: Option<u64>,
        stop: &AtomicBool,
        broken: impl Fn(std::io::Error) -> Error,
    ) -> Result<bool, Error> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            if stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
            let count = match body.read(&mut buffer) {
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(broken(error)),
            };
            let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
            let limit = self.limit();
            if self.length + count as u64 > limit {
                return Err(match self.wanted.size {
                    Some(expected) => size_error(self.wanted, expected, format!("more than {expected}")),
                    None => Error::TooLong { url: public(&self.wanted.url), limit },
                });
            }
            self.part.append(bytes)?;
            self.hasher.update(bytes);
            self.length += count as u64;
            self.report();
        }
        match total.or(self.wanted.size) {
            Some(expected) if self.length < expected && self.wanted.url.scheme() == "file" => {
                Err(size_error(self.wanted, expected, self.length.to_string()))
            }
            Some(expected) if self.length < expected => {
                let reason = format!("it broke off after {} of {expected} bytes", self.length);
                Err(Error::Network { url: public(&self.wanted.url), reason, certificate: false })
            }
            _ => Ok(true),
        }
    }

    fn report(&mut self) {
        if self.length > self.reported {
            self.progress.advance(self.length - self.reported);
            self.reported = self.length;
        }
    }
}

fn size_error(wanted: &Download, expected: u64, got: String) -> Error {
    Error::Size { name: wanted.name.clone(), url: public(&wanted.url), expected, got }
}

/// The first byte of a `Content-Range` (`bytes 7-9/10`; RFC 9110 §14.4).
fn range_start(text: &str) -> Option<u64> {
    let (start, _) = text.trim().strip_prefix("bytes ")?.split_once('-')?;
    start.trim().parse().ok()
}

/// The path of a `file:` URL.
pub(super) fn local_path(url: &Url) -> Result<PathBuf, Error> {
    url.to_file_path().map_err(|()| Error::Address { url: public(url), reason: "it names no file of this machine" })
}
