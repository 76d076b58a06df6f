//! What can keep a staged tree from becoming a package.

use crate::config::closest;
use crate::diagnostic::{Clue, Code, Diagnose, ExitCode, Location, codes, io_code, io_hints};
use crate::target::Format;
use crate::tree::{InstallPath, InvalidInstallPath, PathConflict};

/// Why a package could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Two things want one path.
    #[error("{package}: {conflict}")]
    Conflict {
        /// The package.
        package: String,
        /// The path.
        conflict: PathConflict,
    },
    /// Two services would install a file at one path.
    #[error("{first} and {second} would both install {path}, and only one of them could be on a machine")]
    SharedPath {
        /// The path.
        path: String,
        /// One service.
        first: String,
        /// The other.
        second: String,
    },
    /// Two services would become packages of one name.
    #[error("{first} and {second} would both become the package {package}")]
    SharedName {
        /// The package.
        package: String,
        /// One service.
        first: String,
        /// The other.
        second: String,
    },
    /// Two services would install a directory with different modes or owners.
    #[error("{first} and {second} would both install the directory {path}, with different modes or owners")]
    SharedDirectory {
        /// The directory.
        path: String,
        /// One service.
        first: String,
        /// The other.
        second: String,
    },
    /// An entry of `[[services.NAME.files]]` that cannot be installed.
    #[error("{package}: {problem}")]
    File {
        /// The package.
        package: String,
        /// What is wrong with it.
        problem: String,
        /// What to do.
        hint: String,
        /// Where the entry stands.
        location: Option<Box<Location>>,
    },
    /// A path from the configuration is none.
    #[error("{package}: {invalid}")]
    Path {
        /// The package.
        package: String,
        /// What is wrong with it.
        invalid: InvalidInstallPath,
    },
    /// A file that the configuration names is not there.
    #[error("{package}: {what} `{}` does not exist", path.display())]
    Missing {
        /// The package.
        package: String,
        /// What it was meant to be.
        what: &'static str,
        /// The path, relative to the service's directory.
        path: std::path::PathBuf,
    },
    /// A shared library that neither the tree nor a known package of the target provides.
    #[error(
        "{package}: {file} needs the shared library {library}, which nothing in the package or in {target} is known to provide"
    )]
    UnknownLibrary {
        /// The package.
        package: String,
        /// The file that needs it.
        file: InstallPath,
        /// Its SONAME.
        library: String,
        /// What Debian's Policy would call its package; RPM's name of the library.
        expected: String,
        /// Whose name that is.
        format: Format,
        /// The target.
        target: String,
    },
    /// A symbol version that the target's C library does not have.
    #[error("{package}: {file} needs {symbol}, but {target} has glibc {glibc}")]
    GlibcTooNew {
        /// The package.
        package: String,
        /// The file that needs it.
        file: InstallPath,
        /// The symbol with its version: `fmod@GLIBC_2.38`.
        symbol: String,
        /// The target.
        target: String,
        /// The target's version.
        glibc: String,
        /// Whether the file is third-party content.
        vendored: bool,
    },
    /// A symbol version that the target's library does not have.
    #[error("{package}: {file} needs {symbol}, but {limit}")]
    SymbolTooNew {
        /// The package.
        package: String,
        /// The file that needs it.
        file: InstallPath,
        /// The symbol with its version: `_ZSt4endl@GLIBCXX_3.4.32`.
        symbol: String,
        /// How far the target's library goes: `libstdc++.so.6 of debian-12/amd64 ends with GLIBCXX_3.4.30`.
        limit: String,
        /// Whether the file is third-party content.
        vendored: bool,
    },
    /// A file that no linker made.
    #[error("{package}: {file} is no ELF file to trust: {problem}")]
    Elf {
        /// The package.
        package: String,
        /// The file.
        file: InstallPath,
        /// What is wrong with it.
        problem: String,
    },
    /// A program for another processor.
    #[error("{package}: {file} is a program for {found}, but the target is {target}")]
    WrongArchitecture {
        /// The package.
        package: String,
        /// The file.
        file: InstallPath,
        /// Its architecture.
        found: &'static str,
        /// The target.
        target: String,
    },
    /// A unit whose command is none of the service's.
    #[error("{package}: the unit's command `{command}` is none of the service's commands ({known})")]
    UnknownCommand {
        /// The package.
        package: String,
        /// The first word of `command`.
        command: String,
        /// Those there are.
        known: String,
    },
    /// A text that must not stand in a unit or a field.
    #[error("{package}: {what} {problem}")]
    Text {
        /// The package.
        package: String,
        /// Which text.
        what: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A man page or a completion.
    #[error("{package}: {error}")]
    Page {
        /// The package.
        package: String,
        /// What is wrong.
        error: super::pages::PageError,
    },
    /// A unit, or a sysusers.d or tmpfiles.d file, that systemd would not take or that could not work.
    #[error("{package}: {problem}")]
    Systemd {
        /// The package.
        package: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        hints: Vec<String>,
        /// Where.
        location: Option<Box<Location>>,
    },
    /// What is inside may not be there, or its licence cannot be told.
    #[error(transparent)]
    Licenses(#[from] super::licenses::LicenseError),
    /// A template of packhouse's own failed; a defect of packhouse.
    #[error("a template of packhouse failed: {0}")]
    Template(#[from] minijinja::Error),
}

impl Diagnose for Error {
    fn code(&self) -> &'static Code {
        match self {
            Self::Io(error) => io_code(error),
            Self::Conflict { .. } => &codes::FILES_COLLIDE,
            Self::SharedPath { .. } | Self::SharedDirectory { .. } => &codes::SHARED_PATH,
            Self::SharedName { .. } => &codes::SAME_PACKAGE,
            Self::File { .. } => &codes::FILE_NOT_INSTALLABLE,
            Self::Path { .. } => &codes::INVALID_INSTALL_PATH,
            Self::Missing { .. } => &codes::NAMED_FILE_MISSING,
            Self::UnknownLibrary { .. } => &codes::UNKNOWN_LIBRARY,
            Self::GlibcTooNew { .. } | Self::SymbolTooNew { .. } => &codes::GLIBC_TOO_NEW,
            Self::Elf { .. } => &codes::UNREADABLE_ELF,
            Self::WrongArchitecture { .. } => &codes::FOREIGN_ARCHITECTURE,
            Self::UnknownCommand { .. } => &codes::UNKNOWN_COMMAND,
            Self::Text { problem, .. } if problem.contains("link") => &codes::LINK_LEAVES_REPOSITORY,
            Self::Text { .. } => &codes::INVALID_TEXT,
            Self::Page { error, .. } => error.code(),
            Self::Systemd { .. } => &codes::INVALID_UNIT,
            Self::Licenses(error) => error.code(),
            Self::Template(_) => &codes::INTERNAL_ERROR,
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Page { error, .. } => error.exit_code(),
            Self::Missing { .. }
            | Self::SharedPath { .. }
            | Self::SharedName { .. }
            | Self::SharedDirectory { .. }
            | Self::File { .. }
            | Self::Path { .. }
            | Self::UnknownCommand { .. }
            | Self::Systemd { .. }
            | Self::Text { .. } => ExitCode::Usage,
            Self::Licenses(error) => error.exit_code(),
            _ => ExitCode::Failed,
        }
    }

    fn location(&self) -> Option<&Location> {
        match self {
            Self::Systemd { location, .. } | Self::File { location, .. } => location.as_deref(),
            _ => None,
        }
    }

    fn clues(&self) -> Vec<Clue> {
        match self {
            Self::Licenses(error) => error.clues(),
            Self::Page { package, error } => vec![Clue::of_service(package, error.key())],
            Self::Missing { package, .. } => vec![Clue::of_service(package, "config")],
            Self::UnknownCommand { package, .. } => vec![Clue::of_service(package, "systemd.command")],
            Self::UnknownLibrary { package, .. } => vec![Clue::of_service(package, "depends")],
            Self::Systemd { package, .. } => vec![Clue::of_service(package, "systemd")],
            Self::File { package, .. } => vec![Clue::of_service(package, "files")],
            Self::Text { package, what, .. } if what.contains("command") => {
                vec![Clue::of_service(package, "systemd.command")]
            }
            Self::Text { package, what, .. } if what.contains("configuration") => {
                vec![Clue::of_service(package, "config")]
            }
            _ => Vec::new(),
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Io(error) => io_hints(error),
            Self::Licenses(error) => error.hints(),
            Self::Page { error, .. } => error.hints(),
            Self::Conflict { .. } => vec!["rename one of the two, or leave one out".to_owned()],
            Self::SharedPath { .. } => {
                vec!["give the file a name of its own in one of the two, or leave it to one of them".to_owned()]
            }
            Self::SharedName { first, .. } => {
                vec![format!("give one of them another name: `package = \"NAME\"` in [services.{first}]")]
            }
            Self::SharedDirectory { .. } => {
                vec!["give the directory the same mode and owner in both, or one of its own to one of them".to_owned()]
            }
            Self::File { hint, .. } => vec![hint.clone()],
            Self::Missing { package, .. } => {
                vec![format!("correct the path in [services.{package}], relative to the service's directory")]
            }
            Self::UnknownLibrary { package, library, expected, format: Format::Rpm, .. } => vec![format!(
                "if a package holds {library}, say so in [services.{package}]: depends = {{ rpm = [\"{expected}\"] }}"
            )],
            Self::UnknownLibrary { package, library, expected, .. } => vec![format!(
                "declare the package that holds {library} in [services.{package}]: depends = {{ deb = [\"{expected}\"] }}, \
                 or, when it has another name, depends = {{ deb = [\"{expected} | NAME\"] }}"
            )],
            Self::GlibcTooNew { vendored: true, .. } | Self::SymbolTooNew { vendored: true, .. } => vec![
                "pin a release of that dependency whose wheels are built for an older distribution, or drop this target"
                    .to_owned(),
            ],
            Self::GlibcTooNew { .. } | Self::SymbolTooNew { .. } => vec![
                "build on the oldest distribution among the targets, or leave this target out with --target".to_owned(),
            ],
            Self::Elf { .. } => vec!["leave the file out, or take it from where it is whole".to_owned()],
            Self::WrongArchitecture { .. } => vec!["build for this target on a machine of its architecture".to_owned()],
            Self::UnknownCommand { package, command, known } => {
                let near = closest(command, known.split(", ")).map(|near| format!("did you mean `{near}`?"));
                let place = format!(
                    "let [services.{package}.systemd] command begin with one of the service's commands, or list it in `commands`"
                );
                near.into_iter().chain([place]).collect()
            }
            Self::Systemd { hints, .. } => hints.clone(),
            Self::Path { .. } | Self::Text { .. } | Self::Template(_) => Vec::new(),
        }
    }
}
