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
}

impl Selector {
    /// Whether `target` is one of them.
    pub fn matches(&self, target: &Target) -> bool {
        match self {
            Self::All => true,
            Self::Format(format) => target.format() == *format,
            Self::Distribution(name) => target.distribution.name == *name,
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
