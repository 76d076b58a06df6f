//! What can go wrong with a repository, and what to do about it.

use std::io;
use std::path::PathBuf;

use super::import::Left;
use crate::diagnostic::{Code, Diagnose, ExitCode, codes, io_code, io_hints};

/// An error of the repository stage.
#[derive(Debug, thiserror::Error)]
pub enum RepoError {
    /// A file or directory could not be read or written.
    #[error("{context}: {source}")]
    Io {
        /// What was being done.
        context: String,
        /// The system's answer; names the path.
        #[source]
        source: io::Error,
    },
    /// There is no repository at this place.
    #[error("{} is not a repository", path.display())]
    NotARepository {
        /// The place.
        path: PathBuf,
    },
    /// There is a repository at this place already.
    #[error("{} is a repository already", path.display())]
    AlreadyARepository {
        /// The place.
        path: PathBuf,
    },
    /// A file of the repository's own bookkeeping cannot be understood.
    #[error("{}: {reason}", path.display())]
    BadState {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The published index is not the one that packhouse wrote.
    #[error("{} was not written by packhouse, or its record below .packhouse is gone", path.display())]
    ForeignIndex {
        /// The index.
        path: PathBuf,
    },
    /// A suite, component, origin or label that cannot be one.
    #[error("`{text}` cannot be {what}: {rule}")]
    InvalidWord {
        /// What was given.
        text: String,
        /// What it was meant to be.
        what: &'static str,
        /// The rule it breaks.
        rule: &'static str,
    },
    /// A package that must not enter a repository.
    #[error("{}: {reason}", path.display())]
    BadPackage {
        /// The package.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The same name, version and architecture are published with another content.
    #[error("{}: {identity} is already published in {suite} with another content", path.display())]
    OtherContent {
        /// The package that was to be published.
        path: PathBuf,
        /// Name, version and architecture.
        identity: String,
        /// The suite that has it.
        suite: String,
    },
    /// A step of a rotation that cannot be taken now.
    #[error("{0}")]
    Rotation(String),
    /// A package that is not in a suite.
    #[error("{package} is not in {place}")]
    NoSuchPackage {
        /// Its name, with a version if one was given.
        package: String,
        /// Where it was looked for.
        place: String,
    },
    /// The same package was named twice in one call, with different contents.
    #[error("{identity} was given twice with different contents: {} and {}", first.display(), second.display())]
    GivenTwice {
        /// Name, version and architecture.
        identity: String,
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// A secret key that cannot sign a repository.
    #[error("{}: {reason}", path.display())]
    UnusableKey {
        /// The key's file.
        path: PathBuf,
        /// Why not.
        reason: String,
        /// What to do.
        hint: String,
    },
    /// The key given is not the repository's.
    #[error("the repository is signed with {expected}, the key given is {found}")]
    OtherKey {
        /// The fingerprint of the repository's key.
        expected: String,
        /// The fingerprint of the key given.
        found: String,
    },
    /// gpg or a command did not give a signature that can be used.
    #[error("{program} did not sign: {reason}")]
    Signer {
        /// The program.
        program: String,
        /// What went wrong.
        reason: String,
    },
    /// A key could not be made or a signature not be given.
    #[error("OpenPGP: {0}")]
    OpenPgp(String),
    /// A key file would be overwritten.
    #[error("{} exists", path.display())]
    KeyExists {
        /// The file.
        path: PathBuf,
    },
    /// A suite, package, generation or snapshot that is not there.
    #[error("{what}")]
    Unknown {
        /// What was asked for.
        what: String,
        /// What there is instead.
        hint: String,
        /// What kind of thing.
        code: &'static Code,
    },
    /// A change that would do harm.
    #[error("{reason}{}", listed(details))]
    RefusedChange {
        /// Why not.
        reason: String,
        /// What of it.
        details: Vec<String>,
        /// What to do.
        hint: String,
    },
    /// Nothing can be served at this address.
    #[error("cannot listen on `{address}`: {source}")]
    Listen {
        /// What was given.
        address: String,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// What was to be imported has nothing to import.
    #[error("nothing in {} can be imported: {reason}", path.display())]
    NothingToImport {
        /// The source.
        path: PathBuf,
        /// What was looked for.
        reason: String,
    },
    /// Packages without an index that assigns them to a suite.
    #[error("{} does not say which suite its packages belong to", path.display())]
    SuiteNeeded {
        /// The source.
        path: PathBuf,
    },
    /// Some packages of another repository cannot be taken over.
    #[error("{} packages cannot be taken over:{}", lost.len(), list(lost))]
    CannotTakeOver {
        /// Which, and why.
        lost: Vec<Left>,
    },
    /// A suite that clients know under other names.
    #[error("the {what} of the suite {suite} is {held} here and {found} in what was to be imported")]
    OtherIdentity {
        /// The suite.
        suite: String,
        /// `Origin`, `Label` or `Codename`.
        what: &'static str,
        /// As it is published here.
        held: String,
        /// As clients of the source know it.
        found: String,
    },
    /// A repository is not what was published.
    #[error("{files} files of the repository are damaged")]
    Damaged {
        /// How many.
        files: usize,
        /// Whether that is after a repair.
        repaired: bool,
    },
    /// Nothing enters or leaves a frozen suite.
    #[error("{suite} is frozen")]
    Frozen {
        /// The suite.
        suite: String,
    },
    /// The machine's clock is behind what has been published.
    #[error("the clock of this machine is {seconds} s behind the last publication of {suite}")]
    ClockBehind {
        /// How far.
        seconds: i64,
        /// The suite.
        suite: String,
    },
}

impl RepoError {
    /// Wraps an I/O error with what was being done.
    pub(crate) fn io(context: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let context = context.into();
        move |source| Self::Io { context, source }
    }

    /// A change that is refused, and why.
    pub(crate) fn refused_change(reason: String, details: Vec<String>, hint: String) -> Self {
        Self::RefusedChange { reason, details, hint }
    }

    /// A passphrase that was asked for and not given.
    pub(crate) fn asking(source: io::Error) -> Self {
        Self::Io { context: "no passphrase".to_owned(), source }
    }

    /// Whether it is one package that is at fault.
    pub(crate) fn is_about_a_package(&self) -> bool {
        matches!(self, Self::BadPackage { .. } | Self::OtherContent { .. } | Self::GivenTwice { .. })
    }

    /// A package that is refused, and why.
    pub(crate) fn refused(path: impl Into<PathBuf>, reason: impl Into<String>) -> Self {
        Self::BadPackage { path: path.into(), reason: reason.into() }
    }
}

/// Details after a reason, not too many.
fn listed(details: &[String]) -> String {
    const SHOWN: usize = 20;
    let mut text = String::new();
    for (number, detail) in details.iter().take(SHOWN).enumerate() {
        text.push_str(if number == 0 { ": " } else { "; " });
        text.push_str(detail);
    }
    match details.len().saturating_sub(SHOWN) {
        0 => text,
        more => format!("{text}; and {more} more"),
    }
}

/// Each on a line of its own, the first fifty.
fn list(lost: &[Left]) -> String {
    let mut text: String = lost.iter().take(50).map(|left| format!("\n  {}: {}", left.path, left.reason)).collect();
    if lost.len() > 50 {
        text.push_str(&format!("\n  and {} more", lost.len() - 50));
    }
    text
}

impl From<pgp::errors::Error> for RepoError {
    fn from(error: pgp::errors::Error) -> Self {
        Self::OpenPgp(error.to_string())
    }
}

impl Diagnose for RepoError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Io { source, .. } => io_code(source),
            Self::NotARepository { .. } => &codes::NOT_A_REPOSITORY,
            Self::AlreadyARepository { .. } => &codes::REPOSITORY_EXISTS,
            Self::BadState { .. } | Self::ForeignIndex { .. } => &codes::REPOSITORY_STATE_DAMAGED,
            Self::InvalidWord { .. } => &codes::INVALID_ARGUMENT,
            Self::BadPackage { .. } => &codes::PACKAGE_REFUSED,
            Self::OtherContent { .. } => &codes::ALREADY_PUBLISHED,
            Self::Rotation(_) => &codes::ROTATION_STEP,
            Self::NoSuchPackage { .. } => &codes::UNKNOWN_PACKAGE,
            Self::GivenTwice { .. } => &codes::PACKAGE_GIVEN_TWICE,
            Self::UnusableKey { .. } => &codes::UNUSABLE_KEY,
            Self::OtherKey { .. } => &codes::OTHER_KEY,
            Self::Signer { .. } | Self::OpenPgp(_) => &codes::SIGNING_FAILED,
            Self::KeyExists { .. } => &codes::FILE_EXISTS,
            Self::Unknown { code, .. } => code,
            Self::RefusedChange { .. } => &codes::CHANGE_REFUSED,
            Self::Listen { .. } => &codes::CANNOT_LISTEN,
            Self::NothingToImport { .. } => &codes::NOTHING_TO_IMPORT,
            Self::SuiteNeeded { .. } => &codes::SUITE_NEEDED,
            Self::CannotTakeOver { .. } => &codes::CANNOT_TAKE_OVER,
            Self::OtherIdentity { .. } => &codes::OTHER_IDENTITY,
            Self::Damaged { .. } => &codes::REPOSITORY_DAMAGED,
            Self::Frozen { .. } => &codes::SUITE_FROZEN,
            Self::ClockBehind { .. } => &codes::CLOCK_BEHIND,
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::NotARepository { .. }
            | Self::AlreadyARepository { .. }
            | Self::InvalidWord { .. }
            | Self::Unknown { .. }
            | Self::UnusableKey { .. }
            | Self::OtherKey { .. }
            | Self::NoSuchPackage { .. }
            | Self::Rotation(_)
            | Self::Listen { .. }
            | Self::SuiteNeeded { .. }
            | Self::KeyExists { .. } => ExitCode::Usage,
            _ => ExitCode::Failed,
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Io { source, .. } => return io_hints(source),
            Self::NotARepository { path } => format!("make one with `packhouse repo init {}`", path.display()),
            Self::AlreadyARepository { .. } => "publish into it with `packhouse publish`".to_owned(),
            Self::BadState { .. } | Self::ForeignIndex { .. } => {
                "restore it from a backup, or publish all packages into a new repository".to_owned()
            }
            Self::OtherContent { .. } => {
                "give the package a new version; `--force` replaces it, but machines that have it keep the old content"
                    .to_owned()
            }
            Self::NoSuchPackage { .. } => "`packhouse repo show SUITE` lists what there is".to_owned(),
            Self::BadPackage { .. } => {
                "build it again with `packhouse build`; `packhouse check FILE` says what else is wrong with it"
                    .to_owned()
            }
            Self::OtherIdentity { .. } => {
                "clients refuse a suite whose name changes; import it into a repository that has no such suite"
                    .to_owned()
            }
            Self::Damaged { repaired: false, .. } => {
                "`packhouse repo verify --repair` puts back what follows from what is left".to_owned()
            }
            Self::Damaged { repaired: true, .. } => {
                "restore these files from a backup, or publish these packages again with `--force`".to_owned()
            }
            Self::SuiteNeeded { .. } => "name it with `--suite`".to_owned(),
            Self::CannotTakeOver { .. } => {
                "mend them where they are, or leave them out with `--leave-out`; nothing was changed".to_owned()
            }
            Self::NothingToImport { .. } => {
                "name the directory that clients see: the one with `dists` in it, or with `repodata`".to_owned()
            }
            Self::GivenTwice { .. } => "publish one of them".to_owned(),
            Self::UnusableKey { hint, .. } | Self::Unknown { hint, .. } | Self::RefusedChange { hint, .. } => {
                hint.clone()
            }
            Self::OtherKey { .. } => {
                "name the repository's own key with `--key`; while it is being replaced, the old and the new one"
                    .to_owned()
            }
            Self::Signer { program, .. } if program.starts_with("gpg") => {
                "`gpg -K` lists the keys there are; the agent must have the passphrase or a way to ask for it"
                    .to_owned()
            }
            Self::Signer { .. } => {
                "a command gets the data on standard input and writes one detached binary OpenPGP signature; see \
                 docs/signing.md"
                    .to_owned()
            }
            Self::KeyExists { .. } => "name another file, or add `--force` to lose the key that is there".to_owned(),
            Self::Listen { .. } => {
                "name another address and port with `--address`, such as 127.0.0.1:8081; port 0 takes a free one"
                    .to_owned()
            }
            Self::Frozen { suite } => {
                format!("thaw it with `packhouse repo set {suite} --frozen no`, or name another suite")
            }
            Self::ClockBehind { .. } => {
                "set the clock; apt clients ignore an index that is older than the one they have".to_owned()
            }
            Self::InvalidWord { .. } | Self::OpenPgp(_) | Self::Rotation(_) => {
                return Vec::new();
            }
        };
        vec![hint]
    }
}
