//! What can be wrong with a repository as a whole.

use std::path::PathBuf;

use super::EcosystemKind;
use crate::diagnostic::{Clue, Code, Diagnose, ExitCode, Location, codes, io_code, io_hints};

/// Why there is no workspace.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A manifest could not be read.
    #[error("{0}")]
    Detector(Box<dyn Diagnose + Send + Sync>),
    /// A submodule that is part of the tree is not there.
    #[error("the submodule `{}` is not checked out", .path.display())]
    NotCheckedOut {
        /// Its directory, relative to the root.
        path: PathBuf,
        /// The command that mends it, to be run in the root.
        command: String,
        /// Where `.gitmodules` names it.
        location: Box<Location>,
    },
    /// `.gitmodules` cannot be understood.
    #[error("{problem}")]
    Submodules {
        /// What is wrong.
        problem: String,
        /// Where.
        location: Box<Location>,
    },
    /// A `[services.NAME]` table that speaks of nothing.
    #[error("`[services.{name}]` matches nothing in this repository")]
    UnknownService {
        /// Its name.
        name: String,
        /// What to do.
        hint: String,
        /// Where.
        location: Option<Box<Location>>,
    },
    /// Two tables speak of one directory.
    #[error("`[services.{first}]` and `[services.{second}]` both speak of `{}`", .path.display())]
    TwoTables {
        /// One table.
        first: String,
        /// The other.
        second: String,
        /// The directory.
        path: PathBuf,
        /// Where the second stands.
        location: Option<Box<Location>>,
    },
    /// A value of a `[services.NAME]` table that does not fit what was found.
    #[error("`services.{name}.{key}`: {problem}")]
    Setting {
        /// The table's name.
        name: String,
        /// The key below it.
        key: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        hint: Option<String>,
        /// Where.
        location: Option<Box<Location>>,
    },
    /// A pattern of `members` that matches no directory with a manifest.
    #[error("pattern {number} of `project.members` matches no directory with a Python or Rust manifest")]
    UnmatchedPattern {
        /// Which one, from 1.
        number: usize,
        /// Where they stand.
        location: Option<Box<Location>>,
    },
    /// A service whose name no package can have.
    #[error("the service `{name}` (`{}`) cannot be a package of this name: {rule}", .manifest.display())]
    NoPackageName {
        /// The name in the manifest.
        name: String,
        /// The service's directory.
        path: PathBuf,
        /// The manifest.
        manifest: PathBuf,
        /// The rule that the name breaks.
        rule: &'static str,
    },
    /// Two members of one ecosystem have one name.
    #[error("two {} packages are named `{name}`: `{}` and `{}`", title(*.ecosystem), .first.display(), .second.display())]
    DuplicateName {
        /// Their ecosystem.
        ecosystem: EcosystemKind,
        /// The name.
        name: String,
        /// One manifest.
        first: PathBuf,
        /// The other manifest.
        second: PathBuf,
    },
    /// Two services would become one package.
    #[error("two services would become the package `{package}`: {first} and {second}")]
    SamePackage {
        /// The package's name.
        package: String,
        /// One of them, with its directory.
        first: String,
        /// The other.
        second: String,
        /// The other's manifest.
        manifest: PathBuf,
    },
    /// Two services want one link in `/usr/bin`.
    #[error("two services want `/usr/bin/{command}`: {first} and {second}")]
    SameCommand {
        /// The command.
        command: String,
        /// One of them, with its directory.
        first: String,
        /// The other.
        second: String,
        /// The other's manifest.
        manifest: PathBuf,
    },
    /// A command that cannot be a file of `/usr/bin`.
    #[error("`{service}`: {rule}")]
    BadCommand {
        /// The service.
        service: String,
        /// The rule that it breaks.
        rule: String,
    },
    /// Members that need each other.
    #[error("the dependencies go in a circle: {chain}")]
    Cycle {
        /// Each requirement with its file and line.
        chain: String,
        /// The first of them.
        location: Option<Box<Location>>,
    },
    /// A requirement names a package of this repository that the configuration leaves out.
    #[error("`{member}` requires `{name}`, which is in this repository (`{}`) but is left out", .path.display())]
    LeftOut {
        /// Who requires.
        member: String,
        /// What is required.
        name: String,
        /// Its directory.
        path: PathBuf,
        /// Where the requirement stands.
        location: Option<Box<Location>>,
    },
    /// A requirement names a directory that does not exist.
    #[error("`{member}` requires the directory `{}`, which does not exist", .path.display())]
    NoDirectory {
        /// Who requires.
        member: String,
        /// The directory.
        path: PathBuf,
        /// Where the requirement stands.
        location: Option<Box<Location>>,
    },
    /// A file or directory could not be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// The ecosystem's name in a sentence.
fn title(ecosystem: EcosystemKind) -> &'static str {
    match ecosystem {
        EcosystemKind::Python => "Python",
        EcosystemKind::Rust => "Rust",
    }
}

impl Diagnose for Error {
    fn code(&self) -> &'static Code {
        match self {
            Self::Detector(error) => error.code(),
            Self::NotCheckedOut { .. } => &codes::SUBMODULE_NOT_CHECKED_OUT,
            Self::Submodules { .. } => &codes::INVALID_SUBMODULES,
            Self::UnknownService { .. } => &codes::UNKNOWN_SERVICE,
            Self::TwoTables { .. } => &codes::TABLE_TWICE,
            Self::Setting { .. } => &codes::INVALID_VALUE,
            Self::UnmatchedPattern { .. } => &codes::UNMATCHED_PATTERN,
            Self::NoPackageName { .. } => &codes::UNUSABLE_PACKAGE_NAME,
            Self::DuplicateName { .. } => &codes::DUPLICATE_NAME,
            Self::SamePackage { .. } => &codes::SAME_PACKAGE,
            Self::SameCommand { .. } => &codes::SAME_COMMAND,
            Self::BadCommand { .. } => &codes::UNUSABLE_COMMAND,
            Self::Cycle { .. } => &codes::DEPENDENCY_CYCLE,
            Self::LeftOut { .. } => &codes::MEMBER_LEFT_OUT,
            Self::NoDirectory { .. } => &codes::PATH_DEPENDENCY_MISSING,
            Self::Io(error) => io_code(error),
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Detector(error) => error.exit_code(),
            Self::UnknownService { .. }
            | Self::TwoTables { .. }
            | Self::Setting { .. }
            | Self::UnmatchedPattern { .. }
            | Self::LeftOut { .. } => ExitCode::Usage,
            _ => ExitCode::Failed,
        }
    }

    fn location(&self) -> Option<&Location> {
        match self {
            Self::Detector(error) => error.location(),
            Self::NotCheckedOut { location, .. } | Self::Submodules { location, .. } => Some(location),
            Self::UnknownService { location, .. }
            | Self::TwoTables { location, .. }
            | Self::Setting { location, .. }
            | Self::UnmatchedPattern { location, .. }
            | Self::Cycle { location, .. }
            | Self::LeftOut { location, .. }
            | Self::NoDirectory { location, .. } => location.as_deref(),
            _ => None,
        }
    }

    fn clues(&self) -> Vec<Clue> {
        let word = |file: &PathBuf, word: &str| vec![Clue::Word { file: file.clone(), word: word.to_owned() }];
        match self {
            Self::Detector(error) => error.clues(),
            Self::NoPackageName { manifest, name, .. } => word(manifest, name),
            Self::DuplicateName { second, name, .. } => word(second, name),
            Self::SamePackage { manifest, package, .. } => word(manifest, package),
            Self::SameCommand { manifest, command, .. } => word(manifest, command),
            Self::BadCommand { service, .. } => vec![Clue::of_service(service, "commands")],
            _ => Vec::new(),
        }
    }

    fn hints(&self) -> Vec<String> {
        let one = |hint: &str| vec![hint.to_owned()];
        match self {
            Self::Detector(error) => error.hints(),
            Self::NotCheckedOut { command, path, .. } => vec![
                format!("run `{command}`"),
                format!("if it is not needed, write `exclude = [\"{}\"]` in [project]", path.display()),
            ],
            Self::UnknownService { hint, .. } => one(hint),
            Self::TwoTables { .. } => one("keep one of the two tables"),
            Self::Setting { hint, .. } => hint.iter().cloned().collect(),
            Self::UnmatchedPattern { .. } => one(
                "patterns are relative to the repository's root, and `*` does not match `/`; `packhouse list` without the key shows all directories",
            ),
            Self::NoPackageName { path, .. } => vec![
                format!("write `[services.NAME]` with `path = \"{}\"` to give it another name", dot(path)),
                format!("or leave it out with `exclude = [\"{}\"]` in [project]", dot(path)),
            ],
            Self::DuplicateName { ecosystem: EcosystemKind::Python, .. } => one(
                "rename one of them, or leave one out with `exclude` in [project]; names are compared as PEP 503 says: case, `-`, `_` and `.` make no difference",
            ),
            Self::DuplicateName { .. } => one(
                "rename one of them, or give one of them another name with `[services.NAME]` and `path = \"DIRECTORY\"`",
            ),
            Self::SamePackage { .. } => {
                one("give one of them another name with `[services.NAME]` and `path = \"DIRECTORY\"`")
            }
            Self::SameCommand { command, .. } => {
                vec![format!("say in `commands` of one service's table which commands it brings, without `{command}`")]
            }
            Self::BadCommand { .. } => {
                one("rename it, or name the service's commands with `commands = [...]` in its table")
            }
            Self::Cycle { .. } => one("take one requirement out of the circle, or move what both need into a library"),
            Self::LeftOut { .. } => one(
                "a package of this repository never comes from an index: take it into `members`, or out of `exclude`",
            ),
            Self::NoDirectory { .. } => {
                one("correct the path; a submodule is checked out by `git submodule update --init`")
            }
            Self::Io(error) => io_hints(error),
            Self::Submodules { .. } => Vec::new(),
        }
    }
}

/// A directory as the configuration names it.
fn dot(path: &std::path::Path) -> String {
    if path.as_os_str().is_empty() { ".".to_owned() } else { path.display().to_string() }
}
