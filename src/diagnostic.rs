//! What the person in front of the terminal is told when something cannot be done: what is wrong, where, what to do.
//!
//! Every stage has its own error type (`thiserror`); all of them implement [`Diagnose`], so that the front can render any
//! of them the same way, for people (with the source line and the span) and for programs (JSON). Advice is kept apart
//! from the message: a message is a fact, a hint is a thing to try. The code is what an error is known by wherever it is
//! told; [`codes`] has a page for each.

pub mod codes;

use std::ops::Range;
use std::path::{Path, PathBuf};

pub use codes::Code;

/// Exit status of the program, by kind of failure. Success is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// The work itself failed.
    Failed = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// A policy said no: a lock that would change under `--locked`, a failed check or audit.
    Policy = 3,
    /// Something this machine lacks: a tool, an interpreter, a namespace.
    Environment = 4,
    /// The user interrupted the program.
    Interrupted = 130,
    /// Somebody asked it to end.
    Terminated = 143,
}

/// A place in a text file that a person wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file, as the user would name it.
    pub path: PathBuf,
    /// The whole text of the file (so that the front can show the line).
    pub text: String,
    /// Byte range in `text`.
    pub span: Range<usize>,
}

impl Location {
    /// A location that covers `span` of `text`; out-of-range spans are clamped to the text and to character boundaries.
    pub fn new(path: impl AsRef<Path>, text: impl Into<String>, span: Range<usize>) -> Self {
        let text = text.into();
        let start = floor_boundary(&text, span.start);
        let end = floor_boundary(&text, span.end).max(start);
        Self { path: path.as_ref().to_path_buf(), text, span: start..end }
    }

    /// A location that covers the `line`-th line (counted from 1) of `text`.
    pub fn line(path: impl AsRef<Path>, text: impl Into<String>, line: usize) -> Self {
        let text = text.into();
        let mut start = 0;
        for (number, content) in text.split_inclusive('\n').enumerate() {
            if number + 1 == line {
                let end = start + content.trim_end_matches(['\n', '\r']).len();
                return Self::new(path, text.clone(), start..end);
            }
            start += content.len();
        }
        let end = text.len();
        Self::new(path, text, end..end)
    }

    /// Line and column of the start of the span, both counted from 1; the column counts characters.
    pub fn line_and_column(&self) -> (usize, usize) {
        let before = self.text.get(..self.span.start).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }
}

fn floor_boundary(text: &str, position: usize) -> usize {
    let mut position = position.min(text.len());
    while !text.is_char_boundary(position) {
        position -= 1;
    }
    position
}

/// Where to look for the cause of an error that does not know the place itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clue {
    /// A key of the configuration with its tables: `services`, `acme-api`, `commands`. Where it is not there, its table is it.
    Key(Vec<String>),
    /// A word of a file, whose path is relative to the configuration's root.
    Word {
        /// The file.
        file: PathBuf,
        /// The word.
        word: String,
    },
}

impl Clue {
    /// The key `key` (dotted) of `[services.NAME]`.
    pub fn of_service(name: &str, key: &str) -> Self {
        let keys = ["services", name].into_iter().chain(key.split('.'));
        Self::Key(keys.map(str::to_owned).collect())
    }
}

/// What every error of the library can tell beside its message.
pub trait Diagnose: std::error::Error {
    /// What kind of error it is, as `packhouse explain` tells it.
    fn code(&self) -> &'static Code;
    /// The exit status that this error calls for: one of its code's.
    fn exit_code(&self) -> ExitCode {
        self.code().exit()
    }
    /// Where in the user's files the cause stands.
    fn location(&self) -> Option<&Location> {
        None
    }
    /// Where the cause may be found, when [`Diagnose::location`] does not tell; the first that is there counts.
    fn clues(&self) -> Vec<Clue> {
        Vec::new()
    }
    /// What the user can do, one imperative sentence each.
    fn hints(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What a message shows of a text that may be as long as a file: its first 400 characters.
pub fn shortened(text: &str) -> String {
    match text.char_indices().nth(400) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// What kind of error an input/output error is.
pub fn io_code(error: &std::io::Error) -> &'static Code {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => &codes::DISK_FULL,
        ErrorKind::ReadOnlyFilesystem => &codes::READ_ONLY_FILE_SYSTEM,
        ErrorKind::PermissionDenied => &codes::PERMISSION_DENIED,
        ErrorKind::NotFound => &codes::FILE_NOT_FOUND,
        _ => &codes::INPUT_OUTPUT,
    }
}

/// Advice for the input/output errors that have a usual cause (full or read-only disk, missing permission).
pub fn io_hints(error: &std::io::Error) -> Vec<String> {
    use std::io::ErrorKind;
    let advice = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "free some space (`packhouse cache prune --size 1G` makes the cache smaller), or name another place with --out, \
             PACKHOUSE_CACHE_DIR or TMPDIR; nothing half-written was kept"
        }
        ErrorKind::ReadOnlyFilesystem => {
            "the file system is read-only: name another place with --out or PACKHOUSE_CACHE_DIR"
        }
        ErrorKind::PermissionDenied => {
            "check the owner and the mode of the path; if it is of the cache, make it yours with `sudo chown -R \"$(id -un)\"`, \
             or name another cache with PACKHOUSE_CACHE_DIR"
        }
        _ => return Vec::new(),
    };
    vec![advice.to_owned()]
}

impl<E: Diagnose + Send + Sync + 'static> From<E> for Box<dyn Diagnose + Send + Sync> {
    fn from(error: E) -> Self {
        Box::new(error)
    }
}
