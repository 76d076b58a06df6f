//! The files that people write about a Python package, read as text, within bounds, and the one error that all their
//! readers share.
//!
//! A manifest comes from a repository that nobody has looked at yet, so the size is bounded before anything is read and
//! the text must be UTF-8 (with or without a byte order mark). Python itself would guess at an encoding from the locale;
//! a lock must not depend on one.

use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnose, Location, codes, io_code, io_hints};

/// The largest manifest that is read, in bytes.
pub const SIZE_LIMIT: u64 = 4 * 1024 * 1024;

/// What is wrong with a file that describes a Python package.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A link in the place of a program.
    #[error("{} is a link to {}, where nothing is", path.display(), to.display())]
    Dangling {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        to: PathBuf,
    },
    /// The file is larger than [`SIZE_LIMIT`].
    #[error("{} is larger than {SIZE_LIMIT} bytes, which no file of this kind is", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file is not text in UTF-8.
    #[error("{} is not text in UTF-8: {what}", path.display())]
    Encoding {
        /// The file.
        path: PathBuf,
        /// What was found, with its place.
        what: String,
    },
    /// The file says something that cannot be meant, or that packhouse cannot do.
    #[error("{message}")]
    Invalid {
        /// What is wrong.
        message: String,
        /// Where.
        location: Box<Location>,
        /// What to do.
        hints: Vec<String>,
    },
}

impl Diagnose for Error {
    fn code(&self) -> &'static Code {
        match self {
            Self::Read { source, .. } => io_code(source),
            Self::Dangling { .. } => &codes::SOURCE_TREE_UNUSABLE,
            Self::TooLarge { .. } | Self::Encoding { .. } | Self::Invalid { .. } => &codes::INVALID_MANIFEST,
        }
    }

    fn location(&self) -> Option<&Location> {
        match self {
            Self::Invalid { location, .. } => Some(location),
            _ => None,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Read { source, .. } => io_hints(source),
            Self::TooLarge { .. } => Vec::new(),
            Self::Dangling { path, to } => {
                vec![format!("make {}, or remove the link {}", to.display(), path.display())]
            }
            Self::Encoding { .. } => vec!["save the file as UTF-8".to_owned()],
            Self::Invalid { hints, .. } => hints.clone(),
        }
    }
}

/// A text file with its path: what spans of errors refer to.
#[derive(Debug, Clone)]
pub struct Source {
    /// Absolute path.
    pub path: PathBuf,
    /// Its whole text, without a byte order mark.
    pub text: String,
}

impl Source {
    /// Reads `path`.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Read { path: path.to_path_buf(), source };
        let mut bytes = Vec::new();
        let file = fs_err::File::open(path).map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")));
        }
        file.take(SIZE_LIMIT + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > SIZE_LIMIT {
            return Err(Error::TooLarge { path: path.to_path_buf() });
        }
        Self::from_bytes(path, bytes)
    }

    /// Reads `path`; `None` when there is no such file.
    pub fn read_if_there(path: &Path) -> Result<Option<Self>, Error> {
        match Self::read(path) {
            Ok(source) => Ok(Some(source)),
            Err(Error::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes `bytes` for the content of `path`.
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, Error> {
        let encoding = |what: String| Error::Encoding { path: path.to_path_buf(), what };
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return Err(encoding("it starts with the byte order mark of UTF-16 or UTF-32".to_owned()));
        }
        let bytes = match bytes.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) => rest.to_vec(),
            None => bytes,
        };
        let text = String::from_utf8(bytes).map_err(|error| {
            let good = error.utf8_error().valid_up_to();
            let before = error.as_bytes().get(..good).unwrap_or_default();
            let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
            let byte = error.as_bytes().get(good).copied().unwrap_or_default();
            encoding(format!("byte 0x{byte:02x} in line {line}"))
        })?;
        Ok(Self { path: path.to_path_buf(), text })
    }

    /// The line (from 1) of a byte offset.
    pub fn line_at(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().get(..offset.min(self.text.len())).unwrap_or_default();
        before.iter().filter(|&&byte| byte == b'\n').count() + 1
    }

    /// An error at `span`.
    pub fn error(&self, span: Range<usize>, message: impl Into<String>, hints: &[&str]) -> Error {
        Error::Invalid {
            message: message.into(),
            location: Box::new(Location::new(&self.path, self.text.clone(), span)),
            hints: hints.iter().map(|&hint| hint.to_owned()).collect(),
        }
    }
}
