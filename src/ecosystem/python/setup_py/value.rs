//! The values that can be worked out.

use std::ops::Range;
use std::path::PathBuf;

/// A value with the place of its expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Located {
    pub(super) value: Value,
    pub(super) span: Range<usize>,
}

/// A value of Python's, or what is known of it. Paths are relative to the project.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    /// Digits as they are written.
    Number(String),
    Text(String),
    /// A list, tuple or set.
    List(Vec<Located>),
    Dict(Vec<(Located, Located)>),
    /// A file or directory of the project, by its name.
    Path(PathBuf),
    /// An open file.
    File(PathBuf),
    /// The text of a file, maybe trimmed.
    Content(PathBuf),
    /// The lines of a file, maybe filtered or trimmed.
    Lines(PathBuf),
    /// The names that a Python file of the project binds.
    Namespace(PathBuf),
    /// A module of the project, dotted.
    Module(String),
    /// A compiled pattern, in the words of Rust's `regex`.
    Pattern(String),
    /// The groups of a match, the whole first, with their names.
    Match(Vec<(Option<String>, Option<String>)>),
}

impl Value {
    /// What `bool()` makes of it, where that is known.
    pub(super) fn truth(&self) -> Option<bool> {
        match self {
            Self::None => Some(false),
            Self::Bool(value) => Some(*value),
            Self::Text(text) => Some(!text.is_empty()),
            Self::Match(_) => Some(true),
            Self::List(elements) if elements.iter().all(|element| !matches!(element.value, Self::Lines(_))) => {
                Some(!elements.is_empty())
            }
            _ => None,
        }
    }
}
