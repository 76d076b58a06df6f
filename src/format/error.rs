//! What can go wrong while a package is written or read.

use std::io;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnose, ExitCode, codes, io_code, io_hints};
use crate::relation::Invalid;
use crate::tree::InstallPath;

/// Why a package could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The artefact could not be written; nothing of it is left.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The artefact.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file could not be read, or its compressed data are damaged.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system or the decompressor said.
        source: io::Error,
    },
    /// A staged file is not what the tree said it was.
    #[error("{path} changed while it was packed: {what}")]
    Changed {
        /// Where the file is installed.
        path: InstallPath,
        /// What differs.
        what: String,
    },
    /// Something of the package cannot be said in the target's format.
    #[error("the package's {what} cannot be written: {rule}")]
    Unwritable {
        /// The field, relation or script, with its value.
        what: String,
        /// The rule it breaks.
        rule: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// A relation that is none of its field.
    #[error("the package's {field} `{}` cannot be written: {invalid}", text.escape_debug())]
    Relation {
        /// The field or tag.
        field: &'static str,
        /// The relation.
        text: String,
        /// What is wrong with it.
        invalid: Invalid,
    },
    /// A file of the tree cannot be packed in the target's format.
    #[error("{path} cannot be packed: {rule}")]
    Unpackable {
        /// Where the file is installed.
        path: InstallPath,
        /// The rule it breaks.
        rule: String,
        /// What to do.
        hint: &'static str,
    },
    /// A file that should be a package is none, or a hostile one.
    #[error("{} is not a well-formed package: {what}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A digest in a package does not match its content.
    #[error("{} is damaged or was altered: {what}", path.display())]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// Which digest, and what it should be.
        what: String,
    },
    /// The signer gave no signature.
    #[error("cannot sign {}: {source}", path.display())]
    Sign {
        /// The package.
        path: PathBuf,
        /// What the signer said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// A hard link to something that is no file of the package.
    pub(super) fn dangling_hard_link(path: &InstallPath, file: &InstallPath) -> Self {
        Self::Unpackable {
            path: path.clone(),
            rule: format!("it is a hard link to {file}, which is no file of the package"),
            hint: "let it name a file of the package, or use a symbolic link",
        }
    }
}

impl Diagnose for Error {
    fn code(&self) -> &'static Code {
        match self {
            Self::Write { source, .. } => io_code(source),
            Self::Read { source, .. } => match source.kind() {
                io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof => {
                    &codes::DAMAGED_PACKAGE
                }
                _ => io_code(source),
            },
            Self::Changed { .. } => &codes::FILE_CHANGED_WHILE_PACKED,
            Self::Unwritable { .. } | Self::Unpackable { .. } => &codes::NOT_WRITABLE_IN_FORMAT,
            Self::Relation { .. } => &codes::INVALID_RELATION,
            Self::Malformed { .. } | Self::Mismatch { .. } => &codes::DAMAGED_PACKAGE,
            Self::Sign { .. } => &codes::SIGNING_FAILED,
        }
    }

    fn exit_code(&self) -> ExitCode {
        ExitCode::Failed
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Write { source, .. } | Self::Read { source, .. } => io_hints(source),
            Self::Changed { .. } => vec!["run the build again while nothing else writes to its files".to_owned()],
            Self::Relation { invalid, .. } => vec![invalid.hint.clone()],
            Self::Unwritable { hint, .. } | Self::Unpackable { hint, .. } => vec![(*hint).to_owned()],
            Self::Malformed { .. } | Self::Mismatch { .. } => {
                vec!["fetch or build the package again and compare its SHA-256 with the origin's".to_owned()]
            }
            Self::Sign { .. } => vec!["`packhouse key lint KEY` says whether the key can sign".to_owned()],
        }
    }
}

/// An error of a reader that does not know the file's name yet.
#[derive(Debug)]
pub(super) enum Fault {
    Io(io::Error),
    Malformed(String),
    Mismatch(String),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Fault {
    /// A malformed package.
    pub(super) fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed(what.into())
    }

    /// The same error, with the file's name.
    pub(super) fn at(self, path: &Path) -> Error {
        let path = path.to_path_buf();
        match self {
            Self::Io(source) => Error::Read { path, source },
            Self::Malformed(what) => Error::Malformed { path, what },
            Self::Mismatch(what) => Error::Mismatch { path, what },
        }
    }
}
