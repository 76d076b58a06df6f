//! Which of the targets a value is for.

use crate::config::value::Rule;
use crate::target::{Distribution, Format, Target};

use super::suggest::closest;

/// Which targets a value is for. As a key or a word of the configuration: `deb`, `rpm`, or a distribution's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// All of them.
    All,
    /// Those of one format.
    Format(Format),
    /// Those of one distribution.
    Distribution(String),
    /// Those of one format whose architecture is, or is not, one of these, as dpkg-architecture(1) has names and wildcards.
    Architecture {
        /// The format.
        format: Format,
        /// `amd64`, `any-arm64`, `linux-any`.
        names: Vec<String>,
        /// Whether the names are those that it is not for.
        negated: bool,
    },
}

impl Selector {
    /// Whether `target` is one of them.
    pub fn matches(&self, target: &Target) -> bool {
        match self {
            Self::All => true,
            Self::Format(format) => target.format() == *format,
            Self::Distribution(name) => target.distribution.name == *name,
            Self::Architecture { format, names, negated } => {
                let debian = target.architecture.debian();
                let is_it = |name: &String| is_architecture(name, debian);
                target.format() == *format && names.iter().any(is_it) != *negated
            }
        }
    }

    /// Reads `deb`, `rpm`, or the name of one of the `known` distributions.
    pub(super) fn parse(text: &str, known: &[Distribution]) -> Result<Self, Rule> {
        match text {
            "deb" => return Ok(Self::Format(Format::Deb)),
            "rpm" => return Ok(Self::Format(Format::Rpm)),
            _ => {}
        }
        if known.iter().any(|distribution| distribution.name == text) {
            return Ok(Self::Distribution(text.to_owned()));
        }
        let names = ["deb", "rpm"].into_iter().chain(known.iter().map(|distribution| distribution.name.as_str()));
        let suggestion = closest(text, names).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
        Err(format!("`{text}` is neither `deb` nor `rpm` nor the name of a distribution{suggestion}"))
    }
}

/// Whether a name or a wildcard of Debian (Policy 11.1.1) stands for `debian`, an architecture of Linux with the GNU C library.
fn is_architecture(name: &str, debian: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    match parts.as_slice() {
        [one] => *one == "any" || *one == debian,
        [before @ .., processor] => {
            (*processor == "any" || *processor == debian)
                && before.iter().all(|part| ["any", "linux", "gnu"].contains(part))
                && before.len() <= 2
        }
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn architectures_match_as_dpkg_matches_them() {
        for (name, matches) in [
            ("amd64", true),
            ("any", true),
            ("linux-any", true),
            ("any-amd64", true),
            ("gnu-linux-amd64", true),
            ("arm64", false),
            ("kfreebsd-any", false),
            ("musl-linux-any", false),
            ("any-arm64", false),
        ] {
            assert_eq!(is_architecture(name, "amd64"), matches, "{name}");
        }
    }
}
