//! Reads wheels, which are hostile until they have been read to their end.
//!
//! A wheel is a ZIP archive with a `RECORD` of all its files (PEP 427, "Binary distribution format" of the packaging
//! specifications). ZIP lets two readers see two different archives (duplicate names, local headers that disagree with
//! the central directory, data before and after), so whatever is ambiguous is refused rather than interpreted. Nothing is
//! written outside the directory that the caller gives, and no more than [`MOST_BYTES`]; every file must stand in
//! `RECORD` with its SHA-256 (or 384, 512) and nothing else may stand there. Installers that skip this check install what
//! nobody signed for.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use zip::read::{ArchiveOffset, Config};
use zip::{CompressionMethod, ZipArchive};

use super::record::{Hashers, Mismatch, Record};
use super::tags::{InvalidWheelName, WheelName};
use crate::diagnostic::{Code, Diagnose, codes, io_code, io_hints};
use crate::digest::{Digests, Sha256};
use crate::name::normalize;

/// The most entries that a wheel may have.
pub const MOST_ENTRIES: usize = 100_000;
/// The most bytes that a wheel may unpack to.
pub const MOST_BYTES: u64 = 4 << 30;
/// The largest central directory that is read: far more than [`MOST_ENTRIES`] of usual length need.
const MOST_DIRECTORY_BYTES: u64 = 64 << 20;
/// An entry that is larger than [`RATIO_FLOOR`] may not be more than this many times larger than its compressed form.
const MOST_RATIO: u64 = 200;
/// Below this size any ratio is harmless.
const RATIO_FLOOR: u64 = 4 << 20;
/// The largest metadata file (`WHEEL`, `METADATA`, `RECORD`, `entry_points.txt`) that is read into memory.
const MOST_METADATA_BYTES: u64 = 32 << 20;
/// 1985-01-01, in seconds since 1970.
const EARLIEST: i64 = 473_385_600;

/// A wheel that cannot be taken, and why.
#[derive(Debug, thiserror::Error)]
#[error("{wheel}: {problem}")]
pub struct Error {
    /// The wheel's file name.
    pub wheel: String,
    /// What is wrong.
    #[source]
    pub problem: Problem,
}

/// What is wrong with a wheel.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Its file name.
    #[error(transparent)]
    FileName(#[from] InvalidWheelName),
    /// Its SHA-256 is not the locked one.
    #[error("its SHA-256 is {got}, the lock has {expected}")]
    Digest {
        /// In the lock.
        expected: Sha256,
        /// Of the file.
        got: Sha256,
    },
    /// It is no archive, or a damaged one.
    #[error("it is not a readable ZIP archive: {0}")]
    Archive(String),
    /// Something that archives can have and wheels must not.
    #[error("its entry `{entry}` {reason}")]
    Entry {
        /// The entry's name, escaped.
        entry: String,
        /// Why it is refused.
        reason: &'static str,
    },
    /// Too many, too much.
    #[error("it has {what}, more than the {limit} that are allowed")]
    TooMuch {
        /// What there is too much of.
        what: String,
        /// The limit.
        limit: u64,
    },
    /// `*.dist-info` and what stands in it.
    #[error("{0}")]
    Metadata(String),
    /// A file that RECORD does not list.
    #[error("`{0}` is not listed in RECORD")]
    Unlisted(String),
    /// A file that RECORD lists and that is not there.
    #[error("RECORD lists `{0}`, which is not in the archive")]
    Missing(String),
    /// A line of RECORD that is no entry.
    #[error("line {line} of RECORD {reason}")]
    Record {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A file that is not what RECORD says.
    #[error("`{file}` does not match RECORD: expected {expected}, got {got}")]
    Mismatch {
        /// The file.
        file: String,
        /// As RECORD has it.
        expected: String,
        /// As it is.
        got: String,
    },
    /// Reading the archive or writing what is in it.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Diagnose for Error {
    fn code(&self) -> &'static Code {
        match &self.problem {
            Problem::Io(error) => io_code(error),
            Problem::Digest { .. } => &codes::VENDORED_FILE_CHANGED,
            Problem::FileName(_)
            | Problem::Archive(_)
            | Problem::Entry { .. }
            | Problem::TooMuch { .. }
            | Problem::Metadata(_)
            | Problem::Unlisted(_)
            | Problem::Missing(_)
            | Problem::Record { .. }
            | Problem::Mismatch { .. } => &codes::DAMAGED_WHEEL,
        }
    }

    fn hints(&self) -> Vec<String> {
        match &self.problem {
            Problem::Io(error) => io_hints(error),
            Problem::Digest { .. } => {
                vec![
                    "fetch it again with `packhouse vendor`; if it stays different, somebody has replaced it"
                        .to_owned(),
                ]
            }
            Problem::FileName(_) => Vec::new(),
            _ => vec![
                "no installer should take this file: pin another version of it, or have it built from source \
                 (`no-binary` of [services.NAME.python])"
                    .to_owned(),
            ],
        }
    }
}

/// One file of a wheel, after unpacking.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct File {
    /// Path in the archive.
    pub path: String,
    /// Whether the archive marks it executable.
    pub executable: bool,
    /// Size and digests of the content, computed while unpacking.
    pub digests: Digests,
}

/// What stands at a position of the archive.
#[derive(Debug)]
struct Member {
    index: usize,
    path: String,
    executable: bool,
    size: u64,
}

/// A wheel whose structure has been checked; its contents have not been read yet.
#[derive(Debug)]
pub struct Wheel {
    file_name: String,
    name: WheelName,
    dist_info: String,
    archive: ZipArchive<fs_err::File>,
    members: Vec<Member>,
}

impl Wheel {
    /// Opens the wheel at `path` and checks its structure and its `WHEEL` and `METADATA` files.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self::read(path, &file_name).map_err(|problem| Error { wheel: file_name.clone(), problem })
    }

    fn read(path: &Path, file_name: &str) -> Result<Self, Problem> {
        let name = WheelName::parse(file_name)?;
        let mut file = fs_err::File::open(path)?;
        check_end(&mut file)?;
        let config = Config { archive_offset: ArchiveOffset::Known(0) };
        let mut archive = ZipArchive::with_config(config, file).map_err(archive_problem)?;
        if archive.len() > MOST_ENTRIES {
            return Err(Problem::TooMuch { what: format!("{} entries", archive.len()), limit: MOST_ENTRIES as u64 });
        }
        if archive.has_duplicate_names() {
            return Err(Problem::Archive("two entries have the same name".to_owned()));
        }
        let members = members(&mut archive)?;
        // Local headers agree with the central directory, entries do not overlap, none is hidden between them.
        archive.validate_header_consistency().map_err(archive_problem)?;
        let dist_info = find_dist_info(&members)?;
        let mut wheel = Self { file_name: file_name.to_owned(), name, dist_info, archive, members };
        wheel.check_metadata()?;
        Ok(wheel)
    }

    /// Its file name, taken apart.
    pub fn name(&self) -> &WheelName {
        &self.name
    }

    /// Its metadata directory: `flask-3.0.0.dist-info`.
    pub fn dist_info(&self) -> &str {
        &self.dist_info
    }

    /// The names of its files, in the order of the archive.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|member| member.path.as_str())
    }

    /// A metadata file as text; `None` when there is none.
    pub fn metadata(&mut self, file: &str) -> Result<Option<String>, Error> {
        self.metadata_text(file).map_err(|problem| Error { wheel: self.file_name.clone(), problem })
    }

    /// Unpacks all files below `directory`, which must be empty, and checks each against RECORD. Modes are 0444 and 0555.
    /// In the order of paths.
    pub fn unpack(mut self, directory: &Path) -> Result<Vec<File>, Error> {
        self.unpack_checked(directory).map_err(|problem| Error { wheel: self.file_name.clone(), problem })
    }

    /// The time of its newest member, taken as UTC (the format has no zone), in seconds since 1970. Never before 1985: many
    /// wheels have the beginning of the format's time, 1980, and distributions take files from before 1984 for damaged.
    pub fn time(&mut self) -> i64 {
        let members: Vec<usize> = self.members.iter().map(|member| member.index).collect();
        let time = |index: usize| {
            let time = self.archive.by_index_raw(index).ok()?.last_modified()?;
            let civil = jiff::civil::DateTime::new(
                i16::try_from(time.year()).ok()?,
                i8::try_from(time.month()).ok()?,
                i8::try_from(time.day()).ok()?,
                i8::try_from(time.hour()).ok()?,
                i8::try_from(time.minute()).ok()?,
                i8::try_from(time.second()).ok()?,
                0,
            );
            Some(civil.ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second())
        };
        members.into_iter().filter_map(time).max().unwrap_or(EARLIEST).max(EARLIEST)
    }

    fn metadata_text(&mut self, file: &str) -> Result<Option<String>, Problem> {
        let path = format!("{}/{file}", self.dist_info);
        let Some(member) = self.members.iter().find(|member| member.path == path) else { return Ok(None) };
        if member.size > MOST_METADATA_BYTES {
            return Err(Problem::TooMuch {
                what: format!("{} bytes in {path}", member.size),
                limit: MOST_METADATA_BYTES,
            });
        }
        let mut text = Vec::new();
        let entry = self.archive.by_index(member.index).map_err(archive_problem)?;
        entry.take(member.size + 1).read_to_end(&mut text)?;
        let text = String::from_utf8(text).map_err(|_| Problem::Metadata(format!("{path} is not UTF-8")))?;
        Ok(Some(text))
    }

    fn required(&mut self, file: &str) -> Result<String, Problem> {
        self.metadata_text(file)?.ok_or_else(|| Problem::Metadata(format!("{}/{file} is missing", self.dist_info)))
    }

    /// `WHEEL` says a version that is understood, and all three places agree on name and version.
    fn check_metadata(&mut self) -> Result<(), Problem> {
        let wheel = self.required("WHEEL")?;
        let version = header(&wheel, "Wheel-Version").unwrap_or_default();
        if version.split('.').next() != Some("1") {
            return Err(Problem::Metadata(format!(
                "its Wheel-Version is `{}`, only 1.x is known",
                version.escape_debug()
            )));
        }
        let stem = self.dist_info.strip_suffix(".dist-info").unwrap_or_default();
        let (name, version) = stem.rsplit_once('-').unwrap_or((stem, ""));
        self.check_identity(name, version, "the directory")?;
        let metadata = self.required("METADATA")?;
        let field = |name| header(&metadata, name).unwrap_or_default().to_owned();
        self.check_identity(&field("Name"), &field("Version"), "METADATA")
    }

    fn check_identity(&self, name: &str, version: &str, place: &str) -> Result<(), Problem> {
        if normalize(name) == normalize(&self.name.name) && same_version(version, &self.name.version) {
            return Ok(());
        }
        Err(Problem::Metadata(format!(
            "its file name says {} {}, {place} says {} {}",
            self.name.name,
            self.name.version,
            name.escape_debug(),
            version.escape_debug()
        )))
    }

    fn unpack_checked(&mut self, directory: &Path) -> Result<Vec<File>, Problem> {
        let record = self.required("RECORD")?;
        let mut expected =
            Record::parse(&record).map_err(|error| Problem::Record { line: error.line, reason: error.reason })?;
        let exempt = ["RECORD", "RECORD.jws", "RECORD.p7s"].map(|name| format!("{}/{name}", self.dist_info));
        let mut made = BTreeSet::new();
        let mut files = Vec::with_capacity(self.members.len());
        let mut buffer = vec![0; 128 * 1024];
        for member in &self.members {
            let listed = expected.take(&member.path);
            let wanted = match listed {
                _ if exempt.contains(&member.path) => None,
                None => return Err(Problem::Unlisted(member.path.clone())),
                Some(listed) => Some(listed),
            };
            let target = directory.join(&member.path);
            if let Some(parent) = target.parent()
                && made.insert(parent.to_path_buf())
            {
                fs_err::create_dir_all(parent)?;
            }
            let mut output = create(&target, member.executable)?;
            let mut entry = self.archive.by_index(member.index).map_err(archive_problem)?;
            let mut hasher = Hashers::new(wanted.as_ref().map(|listed| listed.algorithm));
            let mut size = 0;
            loop {
                let length = entry.read(&mut buffer).map_err(|error| Problem::Archive(error.to_string()))?;
                if length == 0 {
                    break;
                }
                size += length as u64;
                if size > member.size {
                    return Err(entry_problem(&member.path, "is larger than the archive says"));
                }
                let piece = buffer.get(..length).unwrap_or_default();
                hasher.update(piece);
                output.write_all(piece)?;
            }
            let (digests, digest) = hasher.finish(size);
            if let Some(listed) = wanted {
                listed.check(size, &digest).map_err(|Mismatch { expected, got }| Problem::Mismatch {
                    file: member.path.clone(),
                    expected,
                    got,
                })?;
            }
            files.push(File { path: member.path.clone(), executable: member.executable, digests });
        }
        if let Some(path) = expected.rest().find(|path| !exempt.iter().any(|exempt| exempt == path)) {
            return Err(Problem::Missing(path.to_owned()));
        }
        files.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(files)
    }
}

/// A new file that nobody will write to again.
fn create(path: &Path, executable: bool) -> io::Result<fs_err::File> {
    use fs_err::os::unix::fs::OpenOptionsExt as _;
    let mode = if executable { 0o555 } else { 0o444 };
    fs_err::OpenOptions::new().write(true).create_new(true).mode(mode).open(path)
}

fn archive_problem(error: zip::result::ZipError) -> Problem {
    match error {
        zip::result::ZipError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => Problem::Io(error),
        other => Problem::Archive(other.to_string()),
    }
}

fn entry_problem(name: &str, reason: &'static str) -> Problem {
    Problem::Entry { entry: name.escape_debug().take(200).collect(), reason }
}

/// The end of the archive is the end of the file, and its directory is of a size that can be read.
///
/// The end of central directory record (APPNOTE 4.3.16) has 22 bytes and a comment; with ZIP64 (4.3.14, 4.3.15) the size
/// stands in another record, which a locator of 20 bytes before it leads to.
fn check_end(file: &mut fs_err::File) -> Result<(), Problem> {
    let broken = |reason: &str| Problem::Archive(reason.to_owned());
    let length = file.seek(SeekFrom::End(0))?;
    let tail_length = length.min(22 + 0xffff + 20);
    file.seek(SeekFrom::Start(length - tail_length))?;
    let mut tail = Vec::new();
    (&mut *file).take(tail_length).read_to_end(&mut tail)?;
    let start = (0..tail.len().saturating_sub(21)).rev().find(|&start| {
        tail.get(start..start + 4) == Some(b"PK\x05\x06")
            && little_endian(&tail, start + 20, 2) == Some((tail.len() - start - 22) as u64)
    });
    let start = start.ok_or_else(|| broken("it does not end where its directory ends"))?;
    let mut size = little_endian(&tail, start + 12, 4).unwrap_or_default();
    if let Some(locator) = start.checked_sub(20).filter(|&at| tail.get(at..at + 4) == Some(b"PK\x06\x07")) {
        let offset = little_endian(&tail, locator + 8, 8).unwrap_or(u64::MAX);
        let mut record = [0; 56];
        file.seek(SeekFrom::Start(offset.min(length)))?;
        file.read_exact(&mut record).map_err(|_| broken("its ZIP64 directory is not where it says"))?;
        size = little_endian(&record, 40, 8).unwrap_or(u64::MAX);
    }
    if size > MOST_DIRECTORY_BYTES {
        return Err(Problem::TooMuch { what: format!("a directory of {size} bytes"), limit: MOST_DIRECTORY_BYTES });
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(())
}

fn little_endian(bytes: &[u8], start: usize, length: usize) -> Option<u64> {
    let bytes = bytes.get(start..start.checked_add(length)?)?;
    Some(bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

/// All files of the archive, each with a name that cannot lead anywhere but below where it is unpacked.
fn members(archive: &mut ZipArchive<fs_err::File>) -> Result<Vec<Member>, Problem> {
    let mut files = BTreeMap::new();
    let mut directories = BTreeSet::new();
    let mut total: u64 = 0;
    for index in 0..archive.len() {
        let entry = archive.by_index_data(index).map_err(archive_problem)?;
        let shown = String::from_utf8_lossy(entry.name_raw()).into_owned();
        let refuse = |reason| Err(entry_problem(&shown, reason));
        let Ok(name) = std::str::from_utf8(entry.name_raw()) else { return refuse("has a name that is not UTF-8") };
        let (path, is_directory) = match name.strip_suffix('/') {
            Some(path) => (path, true),
            None => (name, false),
        };
        if let Some(reason) = unsafe_name(path) {
            return refuse(reason);
        }
        if entry.encrypted() {
            return refuse("is encrypted");
        }
        if !matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
            return refuse("is compressed in a way that wheels do not use");
        }
        let mode = entry.unix_mode().unwrap_or(0);
        match mode & 0o170_000 {
            0o120_000 => return refuse("is a symbolic link"),
            0 | 0o100_000 => {}
            0o040_000 if is_directory => {}
            _ => return refuse("is neither a file nor a directory"),
        }
        if is_directory {
            if entry.size() != 0 {
                return refuse("is a directory with content");
            }
            if !directories.insert(path.to_owned()) {
                return refuse("is there twice");
            }
            continue;
        }
        let size = entry.size();
        if size > RATIO_FLOOR && size / MOST_RATIO > entry.compressed_size() {
            return refuse("unpacks to more than 200 times its size");
        }
        total = total.saturating_add(size);
        if total > MOST_BYTES {
            return Err(Problem::TooMuch { what: format!("at least {total} bytes"), limit: MOST_BYTES });
        }
        let member = Member { index, path: path.to_owned(), executable: mode & 0o111 != 0, size };
        if files.insert(path.to_owned(), member).is_some() {
            return refuse("is there twice");
        }
    }
    for path in files.keys() {
        if directories.contains(path) {
            return Err(entry_problem(path, "is a file and a directory"));
        }
        let mut parent = path.as_str();
        while let Some((above, _)) = parent.rsplit_once('/') {
            if files.contains_key(above) {
                return Err(entry_problem(above, "is a file and a directory"));
            }
            parent = above;
        }
    }
    if let Some(directory) = directories.iter().find(|path| {
        let mut parent = path.as_str();
        std::iter::from_fn(|| {
            parent = parent.rsplit_once('/')?.0;
            Some(parent)
        })
        .any(|above| files.contains_key(above))
    }) {
        return Err(entry_problem(directory, "is below a file"));
    }
    let mut members: Vec<Member> = files.into_values().collect();
    members.sort_by_key(|member| member.index);
    Ok(members)
}

/// Why a name in an archive cannot be taken; `None` when it can.
pub(super) fn unsafe_name(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("has no name");
    }
    if path.starts_with('/') {
        return Some("has an absolute path");
    }
    if path.contains('\\') {
        return Some("has a backslash in its name");
    }
    if path.chars().nth(1) == Some(':') {
        return Some("names a drive");
    }
    if path.chars().any(char::is_control) {
        return Some("has control characters in its name");
    }
    if path.split('/').any(|part| part == "..") {
        return Some("leads out of the archive with `..`");
    }
    if path.split('/').any(|part| part.is_empty() || part == ".") {
        return Some("has an empty component or `.` in its path");
    }
    if path.len() > 3000 || path.split('/').any(|part| part.len() > 255) {
        return Some("has a longer name than file systems allow");
    }
    None
}

fn find_dist_info(members: &[Member]) -> Result<String, Problem> {
    let found: BTreeSet<&str> = members
        .iter()
        .filter_map(|member| member.path.split_once('/').map(|(top, _)| top))
        .filter(|top| top.ends_with(".dist-info"))
        .collect();
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only.to_owned()),
        (None, _) => Err(Problem::Metadata("it has no .dist-info directory".to_owned())),
        (Some(first), Some(second)) => {
            Err(Problem::Metadata(format!("it has two .dist-info directories, `{first}` and `{second}`")))
        }
    }
}

/// PEP 440 equality, with `_` for `-` as file names have it.
fn same_version(left: &str, right: &str) -> bool {
    use std::str::FromStr as _;
    let parse = |text: &str| pep440_rs::Version::from_str(&text.replace('_', "-")).ok();
    left == right || matches!((parse(left), parse(right)), (Some(left), Some(right)) if left == right)
}

/// The first value of a field in the header part of an RFC 822 text.
pub(super) fn header<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    headers(text, name).next()
}

/// All values of a field in the header part of an RFC 822 text; folded lines are left out.
pub(super) fn headers<'a>(text: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    text.lines().take_while(|line| !line.trim_end().is_empty()).filter_map(move |line| {
        let (field, value) = line.split_once(':')?;
        field.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

#[cfg(test)]
pub(super) mod tests;
