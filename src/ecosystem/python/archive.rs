//! Unpacks source distributions, which are hostile: whatever they hold is run, but only in the sandbox, and nothing of
//! them may come to lie outside the directory that they are unpacked into.
//!
//! Taken are `.tar.gz` (PEP 625), and what older projects and `vendor.txt` have: `.tgz`, `.tar.xz`, `.tar`, `.zip`. One
//! directory at the top, regular files and directories only; a link to a file of the archive becomes a copy of it, as
//! wheels and packages have no use for it; any other link, device or pipe is refused. Owners, times and all permissions
//! but "executable" are the archive's own business.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;

use super::wheel::unsafe_name;
use crate::diagnostic::{Code, Diagnose, codes, io_code, io_hints};

/// The most entries that an archive may have.
const MOST_ENTRIES: usize = 100_000;
/// The most bytes that an archive may unpack to.
const MOST_BYTES: u64 = 4 << 30;
/// The most memory that the xz decoder may take: enough for `xz -9` (65 MiB), not for a dictionary of gigabytes.
const XZ_MEMORY: u64 = 256 << 20;

/// A source distribution that cannot be taken.
#[derive(Debug, thiserror::Error)]
#[error("{archive}: {problem}")]
pub struct Error {
    /// Its file name.
    pub archive: String,
    /// What is wrong.
    #[source]
    pub problem: Problem,
}

/// What is wrong with a source distribution.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Its name ends in something else.
    #[error("it is no .tar.gz, .tgz, .tar.xz, .tar or .zip")]
    Format,
    /// An entry that is refused.
    #[error("its entry `{entry}` {reason}")]
    Entry {
        /// The entry's name, escaped.
        entry: String,
        /// Why.
        reason: String,
    },
    /// Too many entries or bytes.
    #[error("it has {what}, more than the {limit} that are allowed")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// More or less than one directory at the top.
    #[error("it must have one directory at the top, it has {0}")]
    Top(String),
    /// It is damaged or cut short.
    #[error("it cannot be read: {0}")]
    Damaged(String),
    /// Writing what is in it.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Diagnose for Error {
    fn code(&self) -> &'static Code {
        match &self.problem {
            Problem::Io(error) => io_code(error),
            Problem::Format
            | Problem::Entry { .. }
            | Problem::TooMuch { .. }
            | Problem::Top(_)
            | Problem::Damaged(_) => &codes::DAMAGED_SOURCE,
        }
    }

    fn hints(&self) -> Vec<String> {
        match &self.problem {
            Problem::Io(error) => io_hints(error),
            _ => vec!["pin another version of it, or one that has a wheel".to_owned()],
        }
    }
}

/// Unpacks what is in the one top directory of the archive at `path`, whose name is `file_name`, into `directory`, which
/// must exist and be empty.
pub fn unpack(path: &Path, file_name: &str, directory: &Path) -> Result<(), Error> {
    let wrap = |problem| Error { archive: file_name.to_owned(), problem };
    open(path, file_name, directory).map_err(wrap)
}

/// Whether a file of this name is a source distribution that can be unpacked.
pub fn is_source_archive(file_name: &str) -> bool {
    [".tar.gz", ".tgz", ".tar.xz", ".tar", ".zip"].iter().any(|suffix| file_name.ends_with(suffix))
}

fn open(path: &Path, file_name: &str, directory: &Path) -> Result<(), Problem> {
    let file = fs_err::File::open(path)?;
    let buffered = io::BufReader::with_capacity(128 * 1024, file);
    if file_name.ends_with(".tar.gz") || file_name.ends_with(".tgz") {
        tar(flate2::bufread::MultiGzDecoder::new(buffered), directory)
    } else if file_name.ends_with(".tar.xz") {
        let decoder = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, liblzma::stream::CONCATENATED)
            .map_err(|error| Problem::Damaged(error.to_string()))?;
        tar(liblzma::bufread::XzDecoder::new_stream(buffered, decoder), directory)
    } else if file_name.ends_with(".tar") {
        tar(buffered, directory)
    } else if file_name.ends_with(".zip") {
        zip(buffered, directory)
    } else {
        Err(Problem::Format)
    }
}

/// What both formats have in common: where entries go and what has been seen.
struct Unpacking<'a> {
    directory: &'a Path,
    top: Option<String>,
    entries: usize,
    bytes: u64,
    /// Paths below the top; `true` for files.
    seen: BTreeMap<String, bool>,
    /// Links: path and the path of the file that they mean, both below the top.
    links: Vec<(String, String)>,
}

fn refuse(entry: &str, reason: impl Into<String>) -> Problem {
    Problem::Entry { entry: entry.escape_debug().take(200).collect(), reason: reason.into() }
}

impl<'a> Unpacking<'a> {
    fn new(directory: &'a Path) -> Self {
        Self { directory, top: None, entries: 0, bytes: 0, seen: BTreeMap::new(), links: Vec::new() }
    }

    /// The path below the top directory of an entry's name; `None` for the top directory itself.
    fn below(&mut self, name: &str) -> Result<Option<String>, Problem> {
        self.entries += 1;
        if self.entries > MOST_ENTRIES {
            return Err(Problem::TooMuch { what: "more entries", limit: MOST_ENTRIES as u64 });
        }
        let path = name.strip_prefix("./").unwrap_or(name);
        let path = path.strip_suffix('/').unwrap_or(path);
        if matches!(path, "." | "") && name.starts_with('.') {
            return Ok(None);
        }
        if let Some(reason) = unsafe_name(path) {
            return Err(refuse(name, reason));
        }
        let (top, below) = path.split_once('/').map_or((path, None), |(top, below)| (top, Some(below.to_owned())));
        match &self.top {
            None => self.top = Some(top.to_owned()),
            Some(present) if present == top => {}
            Some(present) => return Err(Problem::Top(format!("`{present}` and `{}`", top.escape_debug()))),
        }
        Ok(below)
    }

    /// Notes a path; everything above it must be a directory, and nothing may be there twice as different things.
    fn note(&mut self, path: &str, is_file: bool) -> Result<(), Problem> {
        if let Some(before) = self.seen.insert(path.to_owned(), is_file)
            && (before || is_file)
        {
            return Err(refuse(path, "is there twice"));
        }
        let mut above = path;
        while let Some((parent, _)) = above.rsplit_once('/') {
            if self.seen.get(parent) == Some(&true) {
                return Err(refuse(path, "is below a file"));
            }
            above = parent;
        }
        Ok(())
    }

    fn make_directory(&mut self, path: &str) -> Result<(), Problem> {
        self.note(path, false)?;
        Ok(fs_err::create_dir_all(self.directory.join(path))?)
    }

    fn file(&mut self, path: &str, executable: bool, content: &mut dyn Read) -> Result<(), Problem> {
        use fs_err::os::unix::fs::OpenOptionsExt as _;
        self.note(path, true)?;
        let target = self.directory.join(path);
        if let Some(parent) = target.parent() {
            fs_err::create_dir_all(parent)?;
        }
        let mode = if executable { 0o755 } else { 0o644 };
        let mut output = fs_err::OpenOptions::new().write(true).create_new(true).mode(mode).open(&target)?;
        let left = MOST_BYTES - self.bytes;
        let copied = copy(&mut content.take(left + 1), &mut output)?;
        self.bytes += copied;
        if copied > left {
            return Err(Problem::TooMuch { what: "more bytes", limit: MOST_BYTES });
        }
        Ok(())
    }

    /// A link is resolved by its text alone, relative to `base`, and must stay below the top directory.
    fn link(&mut self, path: &str, base: &str, target: &str) -> Result<(), Problem> {
        let mut parts: Vec<&str> = if base.is_empty() { Vec::new() } else { base.split('/').collect() };
        if target.starts_with('/') || target.contains('\\') || target.chars().any(char::is_control) {
            return Err(refuse(path, format!("is a link to `{}`, outside of the archive", target.escape_debug())));
        }
        for part in target.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    if parts.pop().is_none() {
                        return Err(refuse(path, format!("is a link to `{target}`, outside of the archive")));
                    }
                }
                part => parts.push(part),
            }
        }
        self.note(path, true)?;
        self.links.push((path.to_owned(), parts.join("/")));
        Ok(())
    }

    /// Links become copies of the files that they mean. Links to links are followed as far as there are links.
    fn finish(mut self) -> Result<(), Problem> {
        let mut pending = std::mem::take(&mut self.links);
        while !pending.is_empty() {
            let open: Vec<String> = pending.iter().map(|(path, _)| path.clone()).collect();
            let (ready, waiting): (Vec<_>, Vec<_>) =
                pending.into_iter().partition(|(_, target)| !open.contains(target));
            if ready.is_empty() {
                let (path, _) = waiting.first().cloned().unwrap_or_default();
                return Err(refuse(&path, "is a link that leads to itself"));
            }
            for (path, target) in ready {
                if self.seen.get(&target) != Some(&true) {
                    return Err(refuse(&path, format!("is a link to `{target}`, which is no file of the archive")));
                }
                let source = self.directory.join(&target);
                let executable = is_executable(&source)?;
                self.seen.remove(&path);
                let mut content = fs_err::File::open(&source)?;
                self.file(&path, executable, &mut content)?;
            }
            pending = waiting;
        }
        if self.seen.values().any(|is_file| *is_file) { Ok(()) } else { Err(Problem::Top("no files".to_owned())) }
    }
}

fn is_executable(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs_err::metadata(path)?.permissions().mode() & 0o111 != 0)
}

/// Copies; what goes wrong on the reading side is the archive's fault, on the writing side the machine's.
fn copy(reader: &mut dyn Read, writer: &mut dyn io::Write) -> Result<u64, Problem> {
    let mut buffer = vec![0; 128 * 1024];
    let mut copied = 0;
    loop {
        let length = reader.read(&mut buffer).map_err(|error| Problem::Damaged(error.to_string()))?;
        if length == 0 {
            return Ok(copied);
        }
        writer.write_all(buffer.get(..length).unwrap_or_default())?;
        copied += length as u64;
    }
}

fn tar(reader: impl Read, directory: &Path) -> Result<(), Problem> {
    // Headers and padding count too: a stream that never ends must end.
    let mut archive = tar::Archive::new(reader.take(MOST_BYTES + MOST_ENTRIES as u64 * 4096));
    let mut unpacking = Unpacking::new(directory);
    let damaged = |error: io::Error| Problem::Damaged(error.to_string());
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let kind = entry.header().entry_type();
        if kind.is_pax_global_extensions() {
            continue;
        }
        let raw = entry.path_bytes().into_owned();
        let name =
            String::from_utf8(raw).map_err(|error| refuse(&error.to_string(), "has a name that is not UTF-8"))?;
        if name.len() > 4096 {
            return Err(refuse(&name, "has a longer name than file systems allow"));
        }
        // Two readers of one header must not see two archives (a size in an extended header that is not the header's).
        if entry.size() != entry.header().size().map_err(damaged)? {
            return Err(refuse(&name, "has two sizes"));
        }
        let Some(path) = unpacking.below(&name)? else {
            if kind.is_dir() {
                continue;
            }
            return Err(Problem::Top(format!("the file `{}`", name.escape_debug())));
        };
        if kind.is_dir() {
            unpacking.make_directory(&path)?;
        } else if kind.is_file() || kind.is_contiguous() {
            let executable = entry.header().mode().unwrap_or(0o644) & 0o111 != 0;
            unpacking.file(&path, executable, &mut entry)?;
        } else if kind.is_symlink() || kind.is_hard_link() {
            let target = entry.link_name_bytes().unwrap_or_default().into_owned();
            let target =
                String::from_utf8(target).map_err(|_| refuse(&name, "is a link to a name that is not UTF-8"))?;
            if kind.is_symlink() {
                let base = path.rsplit_once('/').map_or("", |(base, _)| base).to_owned();
                unpacking.link(&path, &base, &target)?;
            } else {
                // A hard link names its target from the archive's root (pax(1)).
                let top = unpacking.top.clone().unwrap_or_default();
                let below = target.strip_prefix("./").unwrap_or(&target);
                let below = below.strip_prefix(&format!("{top}/")).ok_or_else(|| {
                    refuse(&name, format!("is a link to `{}`, outside of the archive", target.escape_debug()))
                })?;
                unpacking.link(&path, "", below)?;
            }
        } else {
            return Err(refuse(&name, "is neither a file, a directory nor a link"));
        }
    }
    unpacking.finish()
}

fn zip(reader: impl Read + io::Seek, directory: &Path) -> Result<(), Problem> {
    let damaged = |error: zip::result::ZipError| Problem::Damaged(error.to_string());
    let mut archive = zip::ZipArchive::new(reader).map_err(damaged)?;
    if archive.has_duplicate_names() {
        return Err(Problem::Damaged("two entries have the same name".to_owned()));
    }
    archive.validate_header_consistency().map_err(damaged)?;
    let mut unpacking = Unpacking::new(directory);
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(damaged)?;
        let name = std::str::from_utf8(entry.name_raw())
            .map_err(|_| refuse(&String::from_utf8_lossy(entry.name_raw()), "has a name that is not UTF-8"))?
            .to_owned();
        let mode = entry.unix_mode().unwrap_or(0o644);
        if !matches!(mode & 0o170_000, 0 | 0o040_000 | 0o100_000) {
            return Err(refuse(&name, "is neither a file nor a directory"));
        }
        match unpacking.below(&name)? {
            None if name.ends_with('/') => {}
            None => return Err(Problem::Top(format!("the file `{}`", name.escape_debug()))),
            Some(path) if name.ends_with('/') => unpacking.make_directory(&path)?,
            Some(path) => unpacking.file(&path, mode & 0o111 != 0, &mut entry)?,
        }
    }
    unpacking.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;

    enum What<'a> {
        File(&'a str),
        Directory,
        Symlink(&'a str),
        HardLink(&'a str),
        Other(u8),
    }

    /// A tar of these entries; names are written raw, whatever they are.
    fn tarball(entries: &[(&str, What<'_>)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, what) in entries {
            let mut header = tar::Header::new_gnu();
            let raw = header.as_gnu_mut().unwrap();
            raw.name[..name.len()].copy_from_slice(name.as_bytes());
            let (kind, content, link) = match what {
                What::File(text) => (b'0', *text, ""),
                What::Directory => (b'5', "", ""),
                What::Symlink(target) => (b'2', "", *target),
                What::HardLink(target) => (b'1', "", *target),
                What::Other(kind) => (*kind, "", ""),
            };
            raw.linkname[..link.len()].copy_from_slice(link.as_bytes());
            header.set_entry_type(tar::EntryType::new(kind));
            header.set_mode(0o755);
            header.set_size(content.len() as u64);
            header.set_cksum();
            bytes.extend_from_slice(header.as_bytes());
            bytes.extend_from_slice(content.as_bytes());
            bytes.resize(bytes.len().next_multiple_of(512), 0);
        }
        bytes.resize(bytes.len() + 1024, 0);
        bytes
    }

    fn take(name: &str, bytes: &[u8]) -> Result<tempfile::TempDir, Error> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("archive");
        fs_err::write(&path, bytes).unwrap();
        let target = directory.path().join("unpacked");
        fs_err::create_dir(&target).unwrap();
        unpack(&path, name, &target).map(|()| directory)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_source_distribution_is_unpacked_without_its_top_directory_and_links_become_copies() {
        let bytes = tarball(&[
            ("demo-1.0/", What::Directory),
            ("demo-1.0/setup.py", What::File("setup")),
            ("demo-1.0/a/link.py", What::Symlink("../a/second.py")),
            ("demo-1.0/a/second.py", What::Symlink("../setup.py")),
            ("demo-1.0/hard.py", What::HardLink("demo-1.0/setup.py")),
        ]);
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
        xz.write_all(&bytes).unwrap();
        for (name, bytes) in [("d.tar.gz", gzip(&bytes)), ("d.tar", bytes.clone()), ("d.tar.xz", xz.finish().unwrap())]
        {
            let directory = take(name, &bytes).unwrap();
            for file in ["setup.py", "a/link.py", "a/second.py", "hard.py"] {
                let path = directory.path().join("unpacked").join(file);
                assert!(fs_err::symlink_metadata(&path).unwrap().is_file());
                assert_eq!(fs_err::read_to_string(&path).unwrap(), "setup");
            }
        }
        let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        writer.start_file("demo-1.0/setup.py", zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(b"setup").unwrap();
        take("d.zip", &writer.finish().unwrap().into_inner()).unwrap();
    }

    #[test]
    fn whatever_leads_outside_or_is_no_file_is_refused() {
        for (entries, reason) in [
            (vec![("d/../../evil", What::File("x"))], "`..`"),
            (vec![("/etc/evil", What::File("x"))], "absolute"),
            (vec![("d/a\\b", What::File("x"))], "backslash"),
            (vec![("d/a", What::Symlink("/etc/passwd"))], "outside"),
            (vec![("d/a", What::Symlink("../../etc/passwd"))], "outside"),
            (vec![("d/a", What::Symlink("missing"))], "no file of the archive"),
            (vec![("d/a", What::Symlink("a"))], "leads to itself"),
            (vec![("d/a", What::Symlink("b")), ("d/b", What::Symlink("a"))], "leads to itself"),
            (vec![("d/x", What::File("x")), ("d/a", What::HardLink("/etc/passwd"))], "outside"),
            (vec![("d/a", What::Symlink(".")), ("d/a/evil", What::File("x"))], "below a file"),
            (vec![("d/a", What::File("x")), ("d/a", What::File("y"))], "twice"),
            (vec![("d/null", What::Other(b'3'))], "neither"),
            (vec![("d/pipe", What::Other(b'6'))], "neither"),
            (vec![("d/a", What::File("x")), ("e/b", What::File("y"))], "one directory"),
            (vec![("file", What::File("x"))], "one directory"),
            (vec![("d/", What::Directory)], "no files"),
        ] {
            let error = take("d.tar.gz", &gzip(&tarball(&entries))).expect_err(reason).to_string();
            assert!(error.starts_with("d.tar.gz: ") && error.contains(reason), "{reason}: {error}");
        }
        assert!(take("d.rar", b"").is_err());
        assert!(take("d.zip", b"").is_err());
    }

    #[test]
    fn a_truncated_archive_is_an_error() {
        let noise: String = (0..20_000_u32).map(|number| format!("{:x}", number.wrapping_mul(2_654_435_761))).collect();
        let whole = gzip(&tarball(&[("d/a", What::File(&noise))]));
        assert!(take("d.tar.gz", &whole[..whole.len() / 2]).is_err());
    }

    #[test]
    fn a_bomb_is_refused_while_it_is_unpacked() {
        let mut header = tar::Header::new_gnu();
        header.set_path("d/zeros").unwrap();
        header.set_size(MOST_BYTES + 1);
        header.set_cksum();
        let mut unpacking = Unpacking::new(Path::new("/nonexistent"));
        unpacking.bytes = MOST_BYTES;
        let directory = tempfile::tempdir().unwrap();
        unpacking.directory = directory.path();
        let result = unpacking.file("zeros", false, &mut io::repeat(0).take(2));
        assert!(matches!(result, Err(Problem::TooMuch { .. })));
        unpacking.entries = MOST_ENTRIES;
        assert!(matches!(unpacking.below("d/x"), Err(Problem::TooMuch { .. })));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

        #[test]
        fn no_damage_makes_unpacking_panic_or_leave_its_directory(damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..10)) {
            let mut bytes = tarball(&[("d/a", What::File("x")), ("d/b", What::Symlink("a")), ("d/c", What::HardLink("d/a"))]);
            for (place, value) in damage {
                let place = place.index(bytes.len());
                bytes[place] = value;
            }
            if let Ok(directory) = take("d.tar", &bytes) {
                prop_assert_eq!(fs_err::read_dir(directory.path()).unwrap().count(), 2);
            }
        }
    }
}
