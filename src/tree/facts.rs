//! What is known of a file's content whatever its path, its package and its target: it is read for that once in a run, and not
//! at all when an earlier one has read it.
//!
//! Keyed by SHA-256, so that it cannot be stale. It is one file in the cache, read whole when the first question comes and
//! replaced by a rename at the end; a damaged or missing one only costs the reading.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, RwLock};

use serde::{Deserialize, Serialize};

use super::elf::ElfFacts;
use super::{Content, Source};
use crate::cache::Cache;
use crate::digest::Sha256;

/// To be raised whenever another version would learn something else of the same content.
const EDITION: u32 = 1;
/// More contents than this are not kept, but for those that the last run asked for: some 20 MB.
const MOST: usize = 200_000;

/// What is known of one content.
#[derive(Debug, Default)]
struct Known {
    /// `None` for what is no ELF file.
    elf: Option<Arc<ElfFacts>>,
    /// Whether lintian may find a library in it, where that was asked.
    embeds: OnceLock<bool>,
    /// Whether this run asked for it.
    used: AtomicBool,
}

/// One line of the file.
#[derive(Serialize, Deserialize)]
struct Line {
    sha256: Sha256,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    elf: Option<Arc<ElfFacts>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    embeds: Option<bool>,
}

/// Facts of contents, shared by all jobs of a run.
#[derive(Debug, Default)]
struct Facts {
    known: RwLock<HashMap<Sha256, Arc<Known>>>,
    /// Whether there is something that the file does not have.
    is_new: AtomicBool,
}

/// Where they are kept, once a run has said so.
static PLACE: Mutex<Option<PathBuf>> = Mutex::new(None);
static FACTS: OnceLock<Facts> = OnceLock::new();

/// Has what is learned of contents kept in `cache`.
pub(crate) fn keep_in(cache: &Cache) {
    if let Ok(mut place) = PLACE.lock() {
        *place = Some(cache.section("facts").join(format!("{EDITION}-{}", env!("CARGO_PKG_VERSION"))));
    }
}

/// Writes down what was learned since [`keep_in`]. What cannot be written is only learned again.
pub(crate) fn save(cache: &Cache) {
    let place = PLACE.lock().ok().and_then(|place| place.clone());
    if let (Some(facts), Some(place)) = (FACTS.get(), place)
        && facts.is_new.swap(false, Ordering::Relaxed)
    {
        drop(facts.write(cache, &place));
    }
}

/// The facts of an ELF file as [`super::elf::read`] gives them; `read` is asked where nobody knows.
pub(super) fn elf(
    content: &Content,
    read: impl FnOnce() -> io::Result<Option<Arc<ElfFacts>>>,
) -> io::Result<Option<Arc<ElfFacts>>> {
    if matches!(content.source, Source::Bytes(_)) {
        return read();
    }
    let facts = FACTS.get_or_init(Facts::open);
    if let Some(known) = facts.get(content.digests.sha256) {
        return Ok(known.elf.clone());
    }
    let elf = read()?;
    facts.add(content.digests.sha256, Known { elf: elf.clone(), used: AtomicBool::new(true), ..Known::default() });
    Ok(elf)
}

/// Whether lintian may find a library in `content`, an ELF file; `read` is asked where nobody knows.
pub(crate) fn embeds(content: &Content, read: impl FnOnce() -> io::Result<bool>) -> io::Result<bool> {
    let facts = FACTS.get_or_init(Facts::open);
    let known = facts.get(content.digests.sha256);
    if let Some(answer) = known.as_ref().and_then(|known| known.embeds.get()) {
        return Ok(*answer);
    }
    let answer = read()?;
    if let Some(known) = known {
        facts.is_new.store(true, Ordering::Relaxed);
        known.embeds.get_or_init(|| answer);
    }
    Ok(answer)
}

impl Facts {
    fn open() -> Self {
        let place = PLACE.lock().ok().and_then(|place| place.clone());
        let text = place.and_then(|place| fs_err::read_to_string(place).ok());
        let known = text.as_deref().and_then(parse).unwrap_or_default();
        Self { known: RwLock::new(known), is_new: AtomicBool::new(false) }
    }

    fn get(&self, sha256: Sha256) -> Option<Arc<Known>> {
        let known = self.known.read().ok()?.get(&sha256).cloned()?;
        known.used.store(true, Ordering::Relaxed);
        Some(known)
    }

    fn add(&self, sha256: Sha256, known: Known) {
        if let Ok(mut all) = self.known.write() {
            all.entry(sha256).or_insert_with(|| Arc::new(known));
            self.is_new.store(true, Ordering::Relaxed);
        }
    }

    fn write(&self, cache: &Cache, place: &std::path::Path) -> io::Result<()> {
        let Ok(all) = self.known.read() else { return Ok(()) };
        let is_kept = |known: &Known| all.len() <= MOST || known.used.load(Ordering::Relaxed);
        let mut body = Vec::new();
        for (sha256, known) in all.iter().filter(|(_, known)| is_kept(known)) {
            let line = Line { sha256: *sha256, elf: known.elf.clone(), embeds: known.embeds.get().copied() };
            serde_json::to_writer(&mut body, &line)?;
            body.push(b'\n');
        }
        let mut file = cache.temporary_file()?;
        writeln!(file, "{}", Sha256::of(&body))?;
        file.write_all(&body)?;
        if let Some(parent) = place.parent() {
            fs_err::create_dir_all(parent)?;
        }
        file.persist(place).map(drop).map_err(|error| error.error)
    }
}

/// The lines below the digest of all of them; nothing when one byte is not as it was written.
fn parse(text: &str) -> Option<HashMap<Sha256, Arc<Known>>> {
    let (digest, body) = text.split_once('\n')?;
    if digest.parse::<Sha256>().ok()? != Sha256::of(body.as_bytes()) {
        return None;
    }
    let known = |line: &str| {
        let line: Line = serde_json::from_str(line).ok()?;
        let embeds = line.embeds.map(OnceLock::from).unwrap_or_default();
        Some((line.sha256, Arc::new(Known { elf: line.elf, embeds, used: AtomicBool::new(false) })))
    };
    body.lines().map(known).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_back_and_what_was_damaged_is_not_believed() {
        let directory = tempfile::tempdir().unwrap();
        let (cache, place) = (Cache::at(directory.path()), directory.path().join("facts"));
        let facts = Facts::default();
        let elf = Some(Arc::new(ElfFacts { needed: vec!["libc.so.6".to_owned()], ..ElfFacts::default() }));
        facts.add(Sha256::of(b"elf"), Known { elf: elf.clone(), embeds: true.into(), ..Known::default() });
        facts.add(Sha256::of(b"text"), Known::default());
        facts.write(&cache, &place).unwrap();
        let text = fs_err::read_to_string(&place).unwrap();
        let read = parse(&text).unwrap();
        assert_eq!(read.len(), 2);
        let known = read.get(&Sha256::of(b"elf")).unwrap();
        assert_eq!((&known.elf, known.embeds.get()), (&elf, Some(&true)));
        assert!(read.get(&Sha256::of(b"text")).unwrap().elf.is_none());
        for damaged in [
            text.replace("libc.so.6", "libc.so.7"),
            text.replace('\n', ""),
            String::new(),
            text.chars().take(200).collect(),
        ] {
            assert!(parse(&damaged).is_none(), "{damaged}");
        }
    }
}
