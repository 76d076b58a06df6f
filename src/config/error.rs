//! What can be wrong with a configuration: all of it is told with the place where it stands.

use std::path::PathBuf;

use crate::diagnostic::{Diagnose, ExitCode, Location, io_hints};

/// Why there is no valid configuration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No configuration was found on the way up.
    #[error("no configuration found in `{}` or above it", .start.display())]
    Missing {
        /// Where the search began.
        start: PathBuf,
    },
    /// The file that was named holds no table of packhouse.
    #[error("`{}` has no `[{table}]` table", .path.display())]
    NoTable {
        /// The file.
        path: PathBuf,
        /// The table that was looked for.
        table: &'static str,
    },
    /// Two configurations in one directory.
    #[error("two configurations in one directory: `{first}` and `{second}`")]
    Ambiguous {
        /// One of them, as `FILE` or `FILE: TABLE`.
        first: String,
        /// The other.
        second: String,
    },
    /// The file is no TOML.
    #[error("{message}")]
    Syntax {
        /// What the parser says.
        message: String,
        /// Where.
        location: Box<Location>,
    },
    /// A key that does not exist.
    #[error("unknown key `{key}` in {table}")]
    UnknownKey {
        /// The key.
        key: String,
        /// The table it stands in, as a person would say it.
        table: String,
        /// The key that was probably meant.
        suggestion: Option<String>,
        /// The keys that exist there.
        known: Vec<&'static str>,
        /// Where.
        location: Box<Location>,
    },
    /// A value of another type than the key takes.
    #[error("`{key}` must be {expected}, not {found}")]
    Type {
        /// The key with its tables.
        key: String,
        /// What it takes.
        expected: &'static str,
        /// What stands there.
        found: &'static str,
        /// Where.
        location: Box<Location>,
    },
    /// A key without which there is no configuration.
    #[error("`{key}` is missing")]
    MissingKey {
        /// The key with its tables.
        key: String,
        /// How to write it.
        example: &'static str,
        /// Where it should stand.
        location: Box<Location>,
    },
    /// A value that cannot be right.
    #[error("`{key}`: {problem}")]
    Value {
        /// The key with its tables.
        key: String,
        /// What is wrong with it.
        problem: String,
        /// What to write instead.
        hints: Vec<String>,
        /// Where.
        location: Box<Location>,
    },
    /// `init` where there is a configuration already.
    #[error("`{}` is configured already", .path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Something that has no default could not be guessed.
    #[error("the {what} could not be found out")]
    Undecided {
        /// `organisation`, `maintainer`.
        what: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// Several services without a configuration.
    #[error("there are {} services ({}) and no configuration that says whose they are", services.len(), several(services))]
    Several {
        /// Their names.
        services: Vec<String>,
        /// The organisation that `init` would propose.
        org: String,
    },
    /// What `init` made of another tool's files is no configuration; a bug of the program.
    #[error("what was read of other tools' files gives no valid configuration: {problem}")]
    Unfit {
        /// What is wrong with it.
        problem: String,
        /// Where, in the text that was not written.
        location: Option<Box<Location>>,
    },
    /// An argument of `init` that cannot be right.
    #[error("{problem}")]
    Argument {
        /// What is wrong with it.
        problem: String,
    },
    /// The configuration's template could not be rendered; a bug of the program.
    #[error("the template of packhouse.toml cannot be rendered")]
    Template(#[from] minijinja::Error),
    /// A file could not be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// The first of several names.
fn several(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let mut shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        shown.push_str(", …");
    }
    shown
}

/// The command that makes a configuration.
const INIT: &str = "run `packhouse init --org ORG --maintainer \"NAME <MAIL>\"` to write a packhouse.toml";

impl Diagnose for Error {
    fn exit_code(&self) -> ExitCode {
        match self {
            // A file that was named and is not there is a slip on the command line.
            Self::Io(error) if error.kind() == std::io::ErrorKind::NotFound => ExitCode::Usage,
            Self::Io(_) | Self::Template(_) | Self::Unfit { .. } => ExitCode::Failed,
            _ => ExitCode::Usage,
        }
    }

    fn location(&self) -> Option<&Location> {
        match self {
            Self::Syntax { location, .. }
            | Self::UnknownKey { location, .. }
            | Self::Type { location, .. }
            | Self::MissingKey { location, .. }
            | Self::Value { location, .. } => Some(location),
            Self::Unfit { location, .. } => location.as_deref(),
            _ => None,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Missing { .. } => vec![INIT.to_owned()],
            Self::NoTable { table, .. } => vec![format!("add `[{table}]`, or {INIT}")],
            Self::Ambiguous { first, second } => vec![format!("keep one of `{first}` and `{second}`")],
            Self::UnknownKey { suggestion: Some(suggestion), .. } => vec![format!("did you mean `{suggestion}`?")],
            Self::UnknownKey { known, .. } if !known.is_empty() => vec![format!("known here: {}", known.join(", "))],
            Self::MissingKey { example, .. } => vec![format!("write `{example}`"), INIT.to_owned()],
            Self::Value { hints, .. } => hints.clone(),
            Self::Exists { .. } => vec!["edit it, or remove it and run `packhouse init` again".to_owned()],
            Self::Undecided { hint, .. } => vec![
                (*hint).to_owned(),
                "given to `packhouse init`, it is written into a packhouse.toml and need not be given again".to_owned(),
            ],
            Self::Several { org, .. } => vec![
                format!(
                    "run `packhouse init --org {org}` to write a packhouse.toml: all of them install below /usr/lib/{org}"
                ),
                format!("or give `--org {org}` each time, or set PACKHOUSE_ORG"),
            ],
            Self::Io(error) => io_hints(error),
            _ => Vec::new(),
        }
    }
}
