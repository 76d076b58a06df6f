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
    /// The value with `span` for its own and every element's place, when it is data and speaks of no file: what another
    /// module's names are good for here.
    pub(super) fn relocated(self, span: &Range<usize>) -> Option<Self> {
        let moved = |located: Located| Some(Located { value: located.value.relocated(span)?, span: span.clone() });
        match self {
            data @ (Self::None | Self::Bool(_) | Self::Number(_) | Self::Text(_)) => Some(data),
            Self::List(elements) => elements.into_iter().map(moved).collect::<Option<_>>().map(Self::List),
            Self::Dict(entries) => {
                let entries = entries.into_iter().map(|(key, value)| Some((moved(key)?, moved(value)?)));
                entries.collect::<Option<_>>().map(Self::Dict)
            }
            _ => None,
        }
    }

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
