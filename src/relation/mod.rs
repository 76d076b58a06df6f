//! Relations between packages: their kinds, and the grammars of both formats.
//!
//! A relation reaches a control field or a header only through [`debian::canonical`] or [`rpm::parse`]: when the
//! configuration is read, so that the error points at the text, and again when a package is written, so that nothing
//! that packhouse makes itself goes past them. Both give the spelling that the format's own tools would write.

pub mod debian;
pub mod rpm;

use crate::target::Format;

/// A kind of relation, by Debian's name for it (Policy 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RelationKind {
    /// `Pre-Depends`, `Requires(pre)`.
    PreDepends,
    /// `Depends`, `Requires`.
    Depends,
    /// `Recommends`.
    Recommends,
    /// `Suggests`.
    Suggests,
    /// `Enhances`.
    Enhances,
    /// RPM's `Supplements`; Debian has none.
    Supplements,
    /// `Conflicts`.
    Conflicts,
    /// `Breaks`; RPM's `Conflicts`.
    Breaks,
    /// `Replaces`, `Obsoletes`.
    Replaces,
    /// `Provides`.
    Provides,
    /// `Built-Using`; RPM has none.
    BuiltUsing,
    /// `Static-Built-Using`; RPM has none.
    StaticBuiltUsing,
}

impl RelationKind {
    /// All, with their keys in the configuration.
    pub const ALL: [(Self, &'static str); 12] = [
        (Self::PreDepends, "pre-depends"),
        (Self::Depends, "depends"),
        (Self::Recommends, "recommends"),
        (Self::Suggests, "suggests"),
        (Self::Enhances, "enhances"),
        (Self::Supplements, "supplements"),
        (Self::Conflicts, "conflicts"),
        (Self::Breaks, "breaks"),
        (Self::Replaces, "replaces"),
        (Self::Provides, "provides"),
        (Self::BuiltUsing, "built-using"),
        (Self::StaticBuiltUsing, "static-built-using"),
    ];

    /// The field's name in `format`; `None` when the format has no such relation.
    pub fn field(self, format: Format) -> Option<&'static str> {
        let (deb, rpm) = match self {
            Self::PreDepends => (Some("Pre-Depends"), Some("Requires(pre)")),
            Self::Depends => (Some("Depends"), Some("Requires")),
            Self::Recommends => (Some("Recommends"), Some("Recommends")),
            Self::Suggests => (Some("Suggests"), Some("Suggests")),
            Self::Enhances => (Some("Enhances"), Some("Enhances")),
            Self::Supplements => (None, Some("Supplements")),
            Self::Conflicts => (Some("Conflicts"), Some("Conflicts")),
            Self::Breaks => (Some("Breaks"), Some("Conflicts")),
            Self::Replaces => (Some("Replaces"), Some("Obsoletes")),
            Self::Provides => (Some("Provides"), Some("Provides")),
            Self::BuiltUsing => (Some("Built-Using"), None),
            Self::StaticBuiltUsing => (Some("Static-Built-Using"), None),
        };
        match format {
            Format::Deb => deb,
            Format::Rpm => rpm,
        }
    }
}

/// Why a text is no relation of its field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{rule}")]
pub struct Invalid {
    /// The rule it breaks, with the offending part.
    pub rule: String,
    /// What to write instead.
    pub hint: String,
}

fn invalid<T>(rule: impl Into<String>, hint: impl Into<String>) -> Result<T, Invalid> {
    Err(Invalid { rule: rule.into(), hint: hint.into() })
}

/// No relation is longer. A rich one of RPM's may be long, but no person writes one like this.
const LONGEST: usize = 1000;

/// What holds in both formats before any grammar: one line of printable ASCII, no macros, no substitution variables.
fn plain(text: &str) -> Result<&str, Invalid> {
    if text.len() > LONGEST {
        return invalid(
            format!("a relation of {} bytes is too long", text.len()),
            format!("the limit is {LONGEST} bytes; write several relations"),
        );
    }
    let shown = text.escape_debug();
    if !text.chars().all(|character| character == ' ' || character.is_ascii_graphic()) {
        let rule = format!("`{shown}` has characters that no relation has");
        return invalid(rule, "write one line of plain ASCII, without tabs and line breaks");
    }
    if text.contains("${") || text.contains('%') {
        let rule = format!("`{shown}` has a variable or a macro, and nothing would expand it");
        return invalid(rule, "write the names out; what packhouse finds by itself need not be named");
    }
    if text.contains(',') {
        return invalid(format!("`{shown}` is more than one relation"), "write several as several strings");
    }
    match text.trim() {
        "" => invalid("is empty", "name a package, or leave it out"),
        trimmed => Ok(trimmed),
    }
}
