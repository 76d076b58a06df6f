//! What is kept of a file's content while it streams by: the first bytes of programs, the text of the small files that
//! rules read, the facts of ELF files, and paths of a build. All of it within bounds, whatever the file is.

use std::cell::Cell;
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use object::elf::{FileHeader64, PT_LOAD};
use object::read::elf::{FileHeader as _, ProgramHeader as _};
use object::{Endianness, ReadCache, ReadRef};
use regex::bytes::{Regex, RegexBuilder};

use super::subject::{Elf, Facts, Trace, file_name, parent};
use crate::tree::elf;

/// First bytes that are kept of programs: a shebang line is cut by the kernel at 256 bytes (execve(2)).
const HEAD: usize = 300;
/// A file that rules read.
const MAX_TEXT: usize = 8 * 1024 * 1024;
/// All that is kept of one package.
const MAX_KEPT: usize = 128 * 1024 * 1024;
/// An ELF file; larger ones are kept on disk while they are read.
const MAX_ELF: u64 = 4 * 1024 * 1024 * 1024;
const ELF_IN_MEMORY: usize = 16 * 1024 * 1024;
/// One table of an ELF file, and all that is read of one.
const MAX_ELF_TABLE: u64 = 16 * 1024 * 1024;
const MAX_ELF_READ: u64 = 64 * 1024 * 1024;
/// Content is searched in pieces of this size; a path at the border of two is found because the end of one is searched again
/// with the next.
const PIECE: usize = 128 * 1024;
const OVERLAP: usize = 512;
/// Paths of a build that are reported for one file.
const MAX_TRACES: usize = 3;

/// What is wanted of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Its first bytes.
    pub(super) head: bool,
    /// All of it.
    pub(super) text: bool,
    /// Paths of a build.
    pub(super) traces: bool,
}

impl Wanted {
    /// What rules want to know of the file at `path`.
    pub(super) fn of(path: &str, mode: u32, vendored: bool) -> Self {
        let text = is_read(path);
        Self { head: text || mode & 0o111 != 0 || path.ends_with(".gz"), text, traces: !vendored }
    }
}

/// Whether some rule reads the file's text: units, sysusers.d, tmpfiles.d, presets, RECORD, a .deb's changelog.
fn is_read(path: &str) -> bool {
    const DIRECTORIES: [&str; 11] = [
        "/usr/lib/systemd/system",
        "/usr/lib/systemd/user",
        "/lib/systemd/system",
        "/lib/systemd/user",
        "/etc/systemd/system",
        "/usr/lib/systemd/system-preset",
        "/lib/systemd/system-preset",
        "/usr/lib/sysusers.d",
        "/usr/lib/tmpfiles.d",
        "/etc/tmpfiles.d",
        "/etc/sysusers.d",
    ];
    let directory = parent(path).unwrap_or_default();
    DIRECTORIES.contains(&directory)
        || (directory.ends_with(".dist-info") && file_name(path) == "RECORD")
        || (directory.starts_with("/usr/share/doc/")
            && matches!(file_name(path), "changelog.Debian.gz" | "changelog.gz"))
}

/// Reads the contents of one package.
#[derive(Debug)]
pub(super) struct Examiner {
    kept: usize,
    places: Option<Regex>,
}

impl Examiner {
    /// `places` are directories of this very build, which no file may name.
    pub(super) fn new(places: &[String]) -> Self {
        // A directory at `/x` would be found in any text.
        let places = places.iter().filter(|place| place.matches('/').count() >= 2).map(|place| regex::escape(place));
        let pattern = places.collect::<Vec<_>>().join("|");
        let places = (!pattern.is_empty()).then(|| RegexBuilder::new(&pattern).unicode(false).build().ok()).flatten();
        Self { kept: 0, places }
    }

    /// Examines one file; reads it to its end only when it must.
    pub(super) fn examine(&mut self, mut reader: &mut dyn Read, wanted: Wanted) -> io::Result<Facts> {
        let mut facts = Facts::default();
        let mut search = Search { places: self.places.as_ref(), found: Vec::new() };
        let mut piece = Vec::with_capacity(if wanted.traces || wanted.text { PIECE } else { HEAD });
        Read::take(&mut reader, piece.capacity() as u64).read_to_end(&mut piece)?;
        let is_elf = piece.starts_with(b"\x7fELF");
        if wanted.head && !is_elf {
            facts.head = piece.get(..HEAD.min(piece.len())).unwrap_or_default().to_vec();
            keep(&mut self.kept, facts.head.len())?;
        }
        let mut spool = is_elf.then(|| tempfile::spooled_tempfile(ELF_IN_MEMORY));
        let mut text = (wanted.text && !is_elf).then(Vec::new);
        if spool.is_none() && text.is_none() && !wanted.traces {
            return Ok(facts);
        }
        let (mut size, mut fresh) = (0_u64, 0);
        loop {
            let new = piece.get(fresh..).unwrap_or_default();
            size += new.len() as u64;
            if let Some(spool) = &mut spool {
                if size > MAX_ELF {
                    return Err(too_large("an ELF file in it is larger than 4 GiB"));
                }
                spool.write_all(new)?;
            }
            if let Some(text) = &mut text {
                if size > MAX_TEXT as u64 {
                    return Err(too_large("a unit, a changelog or a list of files in it is larger than 8 MiB"));
                }
                keep(&mut self.kept, new.len())?;
                text.extend_from_slice(new);
            }
            let ended = new.is_empty();
            if wanted.traces {
                search.search(&piece);
            }
            if ended {
                break;
            }
            let overlap = piece.len().saturating_sub(OVERLAP);
            piece.drain(..overlap);
            fresh = piece.len();
            Read::take(&mut reader, PIECE as u64).read_to_end(&mut piece)?;
        }
        facts.text = text;
        facts.traces = search.found;
        if let Some(mut spool) = spool {
            spool.seek(SeekFrom::Start(0))?;
            facts.elf = read_elf(&ReadCache::new(spool), size);
        }
        Ok(facts)
    }
}

/// Counts what is kept.
fn keep(kept: &mut usize, bytes: usize) -> io::Result<()> {
    *kept += bytes;
    if *kept > MAX_KEPT {
        return Err(too_large("its programs, units and lists of files take more than 128 MiB"));
    }
    Ok(())
}

fn too_large(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn read_elf<R: object::read::ReadCacheOps>(cache: &ReadCache<R>, size: u64) -> Elf {
    let mut identity = [0; 5];
    if let Ok(bytes) = ReadRef::read_bytes_at(cache, 0, 5.min(size)) {
        identity.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    }
    // ELFCLASS64: others are of machines that packhouse does not package for.
    if identity.last() != Some(&2) {
        return Elf::None;
    }
    let left = Cell::new(MAX_ELF_READ);
    let frugal = Frugal { cache, left: &left };
    match elf::parse(frugal) {
        Ok(Some(facts)) if is_whole(frugal, size) => Elf::Facts(Arc::new(facts)),
        _ => Elf::Damaged,
    }
}

/// Whether what is loaded of an ELF file is all there.
fn is_whole<'data>(data: impl ReadRef<'data>, size: u64) -> bool {
    let Ok(header) = FileHeader64::<Endianness>::parse(data) else { return false };
    let Ok(endian) = header.endian() else { return false };
    header.program_headers(endian, data).is_ok_and(|segments| {
        segments.iter().all(|segment| {
            let end = segment.p_offset(endian).checked_add(segment.p_filesz(endian));
            segment.p_type(endian) != PT_LOAD || end.is_some_and(|end| end <= size)
        })
    })
}

/// Reads so much of an ELF file and no more: its tables may claim any size, any number of times.
struct Frugal<'a, R: object::read::ReadCacheOps> {
    cache: &'a ReadCache<R>,
    left: &'a Cell<u64>,
}

impl<R: object::read::ReadCacheOps> Clone for Frugal<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R: object::read::ReadCacheOps> Copy for Frugal<'_, R> {}

impl<R: object::read::ReadCacheOps> Frugal<'_, R> {
    fn spend(self, bytes: u64) -> Result<(), ()> {
        let left = self.left.get().checked_sub(bytes).ok_or(())?;
        self.left.set(left);
        Ok(())
    }
}

impl<'a, R: object::read::ReadCacheOps> ReadRef<'a> for Frugal<'a, R> {
    fn len(self) -> Result<u64, ()> {
        ReadRef::len(self.cache)
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'a [u8], ()> {
        if size > MAX_ELF_TABLE {
            return Err(());
        }
        self.spend(size.saturating_add(64))?;
        self.cache.read_bytes_at(offset, size)
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'a [u8], ()> {
        let bytes = self.cache.read_bytes_at_until(range, delimiter)?;
        self.spend(bytes.len() as u64 + 64)?;
        Ok(bytes)
    }
}

/// Directories of packhouse's own staging (see `ecosystem`), and of what pip, uv and tempfile make.
const STAGING_PLACES: [&str; 5] = [
    r"/packhouse/(?:source|work|environment|home)\b",
    r"/target/packhouse/[\w.+-]{1,64}",
    r"/tmp/\.tmp[A-Za-z0-9]{6}\b",
    r"/tmp/pip-(?:build|install|req|ephem|modern)[\w-]{1,64}",
    r"/tmp/build-env-\w{1,64}",
];

/// Home and working directories of developers and of continuous integration.
const MACHINE_PLACES: [&str; 5] = [
    r"/(?:home/[a-z_][a-z0-9_.-]{0,31}|root|Users/[A-Za-z][\w.-]{0,31})/(?:\.cargo|\.rustup|\.cache/(?:uv|pip|packhouse))/",
    r"/home/runner/work/[\w.-]{1,64}",
    r"/builds/[\w.-]{1,64}/[\w.-]{1,64}/",
    r"/__w/[\w.-]{1,64}/[\w.-]{1,64}",
    r"/build/[a-z0-9][a-z0-9+.~-]{1,64}-[0-9A-Za-z]{6}/",
];

static STAGING: LazyLock<Option<Regex>> = LazyLock::new(|| any_of(&STAGING_PLACES));
static MACHINE: LazyLock<Option<Regex>> = LazyLock::new(|| any_of(&MACHINE_PLACES));

fn any_of(patterns: &[&str]) -> Option<Regex> {
    RegexBuilder::new(&patterns.join("|")).unicode(false).build().ok()
}

struct Search<'a> {
    places: Option<&'a Regex>,
    found: Vec<Trace>,
}

impl Search<'_> {
    fn search(&mut self, piece: &[u8]) {
        if self.found.len() >= MAX_TRACES {
            return;
        }
        let staging = [self.places, STAGING.as_ref()].into_iter().flatten();
        let staging = staging.flat_map(|pattern| pattern.find_iter(piece)).map(|found| (true, found));
        let machine =
            MACHINE.as_ref().into_iter().flat_map(|pattern| pattern.find_iter(piece)).map(|found| (false, found));
        for (is_staging, found) in staging.chain(machine) {
            let text = String::from_utf8_lossy(found.as_bytes()).into_owned();
            let trace = if is_staging { Trace::Staging(text) } else { Trace::Machine(text) };
            if !self.found.contains(&trace) && self.found.len() < MAX_TRACES {
                self.found.push(trace);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Wanted = Wanted { head: true, text: false, traces: true };

    fn examine(bytes: &[u8]) -> Facts {
        Examiner::new(&["/srv/of/somebody".to_owned()]).examine(&mut &bytes[..], ALL).expect("within bounds")
    }

    #[test]
    fn a_path_of_the_build_is_found_wherever_it_stands() {
        for at in [0, 100, PIECE - 20, PIECE - 1, PIECE, PIECE + 3, 2 * PIECE - 512, 3 * PIECE - 7] {
            let mut bytes = vec![b'x'; 3 * PIECE + 100];
            let path = b"/packhouse/source/a";
            bytes.splice(at..at + path.len(), path.iter().copied());
            assert_eq!(examine(&bytes).traces, [Trace::Staging("/packhouse/source".to_owned())], "{at}");
        }
    }

    #[test]
    fn places_of_builds_and_of_people_are_told_apart_and_others_are_left_alone() {
        let found = examine(b"'/srv/of/somebody/x' /home/ada/.cargo/registry/src/x /tmp/.tmpAb12Cd/y");
        assert_eq!(
            found.traces,
            [
                Trace::Staging("/srv/of/somebody".to_owned()),
                Trace::Staging("/tmp/.tmpAb12Cd".to_owned()),
                Trace::Machine("/home/ada/.cargo/".to_owned()),
            ]
        );
        let harmless = b"/home/user/file /root/.ssh /tmp/x /usr/src/packhouse/edge/vendor/a-1/src/lib.rs /usr/lib/packhouse/home2 /build/";
        assert_eq!(examine(harmless).traces, []);
    }

    #[test]
    fn a_damaged_elf_file_is_told_and_a_good_one_is_read() {
        let program = fs_err::read(std::env::current_exe().expect("a program")).expect("its bytes");
        let wanted = Wanted { head: false, text: false, traces: false };
        let read = |bytes: &[u8]| Examiner::new(&[]).examine(&mut &bytes[..], wanted).expect("within bounds").elf;
        assert!(matches!(read(&program), Elf::Facts(facts) if facts.has_interpreter));
        assert!(matches!(read(&program[..3000]), Elf::Damaged));
        assert!(matches!(read(b"#!/bin/sh\n"), Elf::None));
    }

    #[test]
    fn tables_of_absurd_sizes_cost_no_memory() {
        let program = fs_err::read(std::env::current_exe().expect("a program")).expect("its bytes");
        let mut cursor = io::Cursor::new(program);
        cursor.set_position(0);
        let cache = ReadCache::new(cursor);
        let left = Cell::new(MAX_ELF_READ);
        let frugal = Frugal { cache: &cache, left: &left };
        assert!(frugal.read_bytes_at(0, MAX_ELF_TABLE + 1).is_err());
        left.set(1000);
        assert!(frugal.read_bytes_at(0, 2000).is_err());
        assert!(frugal.read_bytes_at(0, 500).is_ok());
    }
}
