//! What can be wrong with the man pages and completions of a repository.

use std::path::PathBuf;

use crate::diagnostic::{Code, Diagnose, ExitCode, codes, io_code, io_hints};

/// A man page or a completion cannot be taken. Paths are relative to the service's directory.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// A file could not be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A file is not there.
    #[error("{what} `{}` does not exist", path.display())]
    Missing {
        /// What it was meant to be.
        what: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// A file is a link that leads elsewhere.
    #[error("{what} `{}` is a link that leads out of the repository", path.display())]
    Outside {
        /// What it was meant to be.
        what: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// No file has a name like this.
    #[error("no man page is named like `{}`", pattern.display())]
    NoMatch {
        /// What was looked for.
        pattern: PathBuf,
    },
    /// A file that is no man page.
    #[error("the man page `{}`: {problem}", path.display())]
    Page {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A completion of a command that the service does not have.
    #[error("`{}` completes `{command}`, which is none of the service's commands ({known})", file.display())]
    UnknownCommand {
        /// The file.
        file: PathBuf,
        /// What its name says.
        command: String,
        /// Those there are.
        known: String,
    },
}

impl PageError {
    /// The key of `[services.NAME]` that is at fault.
    pub(in crate::package) fn key(&self) -> &'static str {
        match self {
            Self::UnknownCommand { .. } => "completions",
            Self::Missing { what, .. } | Self::Outside { what, .. } if what.contains("completion") => "completions",
            _ => "man",
        }
    }
}

impl Diagnose for PageError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Io(error) => io_code(error),
            Self::Missing { .. } | Self::NoMatch { .. } => &codes::NAMED_FILE_MISSING,
            Self::Outside { .. } => &codes::LINK_LEAVES_REPOSITORY,
            Self::Page { .. } => &codes::INVALID_MAN_PAGE,
            Self::UnknownCommand { .. } => &codes::UNKNOWN_COMMAND,
        }
    }

    fn exit_code(&self) -> ExitCode {
        if matches!(self, Self::Io(_)) { ExitCode::Failed } else { ExitCode::Usage }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Io(error) => return io_hints(error),
            Self::Missing { .. } | Self::NoMatch { .. } => "correct the path, relative to the service's directory",
            Self::Outside { .. } => "put the file itself into the repository",
            Self::Page { .. } => {
                "a man page is a file like `NAME.SECTION` with the macros of man(7) or mdoc(7); leave it out of `man` to \
                 have one made from the command's --help"
            }
            Self::UnknownCommand { command, known, .. } => {
                let near = crate::config::closest(command, known.split(", "));
                let near = near.map(|near| format!("did you mean `{near}`?"));
                let rename = "rename the file after the command, or list the command in `commands`".to_owned();
                return near.into_iter().chain([rename]).collect();
            }
        };
        vec![hint.to_owned()]
    }
}
