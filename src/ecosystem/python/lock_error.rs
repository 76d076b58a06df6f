//! What can go wrong while a service is locked, or its lock is read.

use std::path::PathBuf;

use crate::diagnostic::{Clue, Code, Diagnose, ExitCode, Location, codes, io_code, io_hints};
use crate::ecosystem::Error;

use super::indexes::IndexError;
use super::interpreter::InterpreterError;
use super::pylock::LockFileError;
use super::uv::UvError;
use super::uv_lock::UvLockError;

/// An error of locking.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// A manifest or requirements file, or `vendor.txt`, or the network.
    #[error("{0}")]
    Other(Error),
    /// No interpreter fits.
    #[error(transparent)]
    Interpreter(#[from] InterpreterError),
    /// The indexes cannot be used.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// uv cannot be run.
    #[error(transparent)]
    Uv(#[from] UvError),
    /// A lock file cannot be read or written.
    #[error(transparent)]
    LockFile(#[from] LockFileError),
    /// Input/output.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The service's directory has no manifest any more.
    #[error("{service} has no Python manifest in {}", directory.display())]
    NoProject {
        /// The service.
        service: String,
        /// Its directory.
        directory: PathBuf,
    },
    /// What a package requires cannot be read.
    #[error("the requirements of {package} cannot be read without running its code: {what}")]
    Unread {
        /// The package of the repository.
        package: String,
        /// File, line and what stands there.
        what: String,
    },
    /// An option of `vendor.txt` that only a line without dependencies can have.
    #[error("{option} needs --no-deps beside it: the dependencies of `{requirement}` are resolved for the targets")]
    VendorOption {
        /// The option.
        option: String,
        /// The requirement.
        requirement: String,
        /// The line.
        location: Option<Box<Location>>,
    },
    /// An archive is not what the requirement calls it.
    #[error("the archive that is required as {wanted} is {found}")]
    OtherName {
        /// The name before `@`.
        wanted: String,
        /// Name and version of the archive.
        found: String,
        /// The requirement.
        location: Option<Box<Location>>,
    },
    /// Two lines or archives for one name.
    #[error("{package} is named twice in vendor.txt and the requirements by URL")]
    Twice {
        /// The name.
        package: String,
    },
    /// The settings want an extra that there is not.
    #[error("{service} has no extra `{extra}` (it has: {known})")]
    NoExtra {
        /// The service.
        service: String,
        /// The extra.
        extra: String,
        /// Those that it has.
        known: String,
    },
    /// A requirement that is none.
    #[error("`{requirement}` is no requirement: {reason}")]
    Requirement {
        /// What stands there.
        requirement: String,
        /// What is wrong with it.
        reason: String,
        /// Where.
        location: Option<Box<Location>>,
    },
    /// A requirement by path that is no package of the repository.
    #[error("{}, which is required here, is no Python package of this repository", path.display())]
    NotMember {
        /// The path.
        path: PathBuf,
        /// Where it is required.
        location: Option<Box<Location>>,
    },
    /// No set of versions fits.
    #[error("the requirements of {service} cannot be met: {explanation}")]
    Unresolvable {
        /// The service.
        service: String,
        /// The resolver's explanation.
        explanation: String,
        /// The requirement that it speaks of.
        location: Option<Box<Location>>,
    },
    /// A name came from another index than the one it is pinned to, or something else that the result must not be.
    #[error("the resolution for {service} was refused: {reason}")]
    Refused {
        /// The service.
        service: String,
        /// Why.
        reason: String,
        /// What to do.
        hint: String,
    },
    /// A lock that the repository brings along cannot be used.
    #[error("{} {reason}", path.display())]
    Existing {
        /// The lock.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// What to do.
        hint: String,
        /// The requirement that it does not meet.
        location: Option<Box<Location>>,
    },
    /// Nothing of a package fits a target.
    #[error("{package} cannot be had for {target}: {reason}")]
    Unusable {
        /// Name and version.
        package: String,
        /// The target.
        target: String,
        /// Why, with the files that there are.
        reason: String,
        /// What to do.
        hint: String,
    },
    /// A source distribution does not say what it requires.
    #[error("{package} has no wheel, and its source distribution {file} does not say what it requires: {reason}")]
    Source {
        /// Name of the package.
        package: String,
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
    /// None of a package's files has a digest that the user allows.
    #[error("none of the files of {package} has one of the digests that are required (found: {found})")]
    Digest {
        /// Name and version.
        package: String,
        /// What the index offers.
        found: String,
        /// Where the digests stand.
        location: Option<Box<Location>>,
    },
    /// `--require-hashes` and a package without any.
    #[error("{package} has no --hash, which --require-hashes asks of everything that is installed")]
    NoDigest {
        /// Name and version.
        package: String,
        /// Where `--require-hashes` stands.
        location: Option<Box<Location>>,
    },
    /// `--locked`, and the lock would change.
    #[error("the lock of {service} is missing or out of date, and --locked forbids to write one")]
    WouldChange {
        /// The service.
        service: String,
    },
    /// `--offline`, and the lock must be made.
    #[error("the lock of {service} is missing or out of date, and --offline forbids to resolve")]
    Offline {
        /// The service.
        service: String,
    },
    /// There is no lock.
    #[error("{service} has no lock")]
    Missing {
        /// The service.
        service: String,
    },
    /// The lock is older than what it depends on.
    #[error("the lock of {service} is out of date: requirements, targets or settings have changed since it was made")]
    Stale {
        /// The service.
        service: String,
        /// `--locked` was given.
        policy: bool,
    },
}

impl LockError {
    /// An error of `uv.lock` at `path`.
    pub(super) fn existing(path: PathBuf, error: &UvLockError) -> Self {
        let hint = "run `uv lock` to bring it up to date, or remove it so that packhouse resolves by itself".to_owned();
        Self::Existing { path, reason: error.to_string(), hint, location: None }
    }
}

impl From<Error> for LockError {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl Diagnose for LockError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Other(error) => error.code(),
            Self::Interpreter(error) => error.code(),
            Self::Index(error) => error.code(),
            Self::Uv(error) => error.code(),
            Self::LockFile(error) => error.code(),
            Self::Io(error) => io_code(error),
            Self::NoProject { .. } => &codes::NO_PYTHON_MANIFEST,
            Self::Unread { .. } => &codes::REQUIREMENTS_NOT_READABLE,
            Self::VendorOption { .. } | Self::OtherName { .. } | Self::Twice { .. } => &codes::INVALID_VENDOR_TXT,
            Self::NoExtra { .. } => &codes::UNKNOWN_EXTRA,
            Self::Requirement { .. } => &codes::INVALID_REQUIREMENT,
            Self::NotMember { .. } => &codes::PATH_DEPENDENCY_MISSING,
            Self::Unresolvable { .. } => &codes::UNRESOLVABLE,
            Self::Refused { .. } => &codes::RESOLUTION_REFUSED,
            Self::Existing { .. } => &codes::LOCK_UNUSABLE,
            Self::Unusable { .. } | Self::Source { .. } => &codes::NO_DISTRIBUTION,
            Self::Digest { .. } => &codes::DIGEST_MISMATCH,
            Self::NoDigest { .. } => &codes::DIGEST_MISSING,
            Self::Missing { .. } => &codes::LOCK_MISSING,
            Self::Offline { .. } => &codes::OFFLINE,
            Self::WouldChange { .. } | Self::Stale { .. } => &codes::LOCK_OUTDATED,
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Other(error) => error.exit_code(),
            Self::Interpreter(error) => error.exit_code(),
            Self::Index(error) => error.exit_code(),
            Self::Uv(error) => error.exit_code(),
            Self::LockFile(error) => error.exit_code(),
            Self::NoExtra { .. } => ExitCode::Usage,
            Self::WouldChange { .. } | Self::Stale { policy: true, .. } => ExitCode::Policy,
            _ => ExitCode::Failed,
        }
    }

    fn location(&self) -> Option<&Location> {
        match self {
            Self::Other(error) => error.location(),
            Self::Interpreter(error) => error.location(),
            Self::Index(error) => error.location(),
            Self::LockFile(error) => error.location(),
            Self::NotMember { location, .. }
            | Self::Requirement { location, .. }
            | Self::VendorOption { location, .. }
            | Self::OtherName { location, .. }
            | Self::Unresolvable { location, .. }
            | Self::Existing { location, .. }
            | Self::Digest { location, .. }
            | Self::NoDigest { location, .. } => location.as_deref(),
            _ => None,
        }
    }

    fn clues(&self) -> Vec<Clue> {
        match self {
            Self::Other(error) => error.clues(),
            Self::Interpreter(error) => error.clues(),
            Self::NoExtra { service, .. } => vec![Clue::of_service(service, "python.extras")],
            _ => Vec::new(),
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Other(error) => return error.hints(),
            Self::Interpreter(error) => return error.hints(),
            Self::Index(error) => return error.hints(),
            Self::Uv(error) => return error.hints(),
            Self::LockFile(error) => return error.hints(),
            Self::Io(error) => return io_hints(error),
            Self::NoProject { .. } => "check `members` and `path` in packhouse.toml; `packhouse list` shows what was found".to_owned(),
            Self::Unread { .. } => {
                "name them in requirements.txt, or in `dependencies` of [project] in pyproject.toml".to_owned()
            }
            Self::VendorOption { .. } => {
                "add --no-deps and name the dependencies on lines of their own; an index for all can be named by [[index]]"
                    .to_owned()
            }
            Self::OtherName { .. } => "correct the name or the URL".to_owned(),
            Self::Twice { package } => format!("keep one of the places that name {package}"),
            Self::NoExtra { service, extra, known } => match crate::config::closest(extra, known.split(", ")) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("change `extras` in [services.{service}.python]"),
            },
            Self::Requirement { .. } => "write it as in PEP 508: `name[extra]>=1.0; python_version < '3.13'`".to_owned(),
            Self::NotMember { .. } => {
                "check the path; a directory outside of the repository can be a submodule of it".to_owned()
            }
            Self::Unresolvable { explanation, .. } if explanation.contains("was not found in the package registry") => {
                "check the name; an index that has it is named by [[index]] in packhouse.toml".to_owned()
            }
            Self::Unresolvable { explanation, .. } if explanation.contains("authentication") => {
                "give the index's login by PACKHOUSE_INDEX_<NAME>_USERNAME and _PASSWORD, or in ~/.netrc".to_owned()
            }
            Self::Unresolvable { .. } => "loosen one of the requirements that it names, then run `packhouse lock`".to_owned(),
            Self::Refused { hint, .. } | Self::Existing { hint, .. } | Self::Unusable { hint, .. } => hint.clone(),
            Self::Source { .. } => {
                "require a version that has a wheel, or give an index that has a wheel of this one".to_owned()
            }
            Self::Digest { .. } => {
                "if the new files are to be trusted, write their digests to the requirement; else find out who changed them"
                    .to_owned()
            }
            Self::NoDigest { package, .. } => format!("add {package} with its --hash to the requirements file"),
            Self::WouldChange { service } | Self::Offline { service } | Self::Missing { service } => {
                format!("run `packhouse lock {service}`")
            }
            Self::Stale { service, .. } => format!("run `packhouse lock {service}`"),
        };
        vec![hint]
    }
}
