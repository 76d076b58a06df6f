//! Names that have been checked once and are right from then on.
//!
//! Sources: Debian Policy 5.6.7 (package names), rpm-spec(5) (the wider set that RPM takes), PEP 503 (normalisation).

use std::fmt;

use serde::Serialize;

/// A text that cannot be the name it was meant to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` cannot be {what}: {rule}")]
pub struct InvalidName {
    /// What was given.
    pub text: String,
    /// What it was meant to be ("a package name").
    pub what: &'static str,
    /// The rule it breaks.
    pub rule: &'static str,
}

/// The name of a package of an operating system: lower-case letters, digits, `+ - .`, at least two characters, first a
/// letter or digit (Debian Policy 5.6.7; RPM accepts every such name too).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct PackageName(String);

impl PackageName {
    /// Checks `text`.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let invalid = |rule| InvalidName { text: text.to_owned(), what: "a package name", rule };
        if text.len() < 2 || text.len() > 100 {
            return Err(invalid("it must have 2 to 100 characters"));
        }
        if !text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte)) {
            return Err(invalid("only lower-case letters, digits, `+`, `-` and `.` are allowed"));
        }
        if !text.starts_with(|first: char| first.is_ascii_alphanumeric()) {
            return Err(invalid("it must start with a letter or a digit"));
        }
        Ok(Self(text.to_owned()))
    }

    /// Checks `text` as the name of an RPM alone: capitals and `_` as well (rpm-spec(5), "Name").
    pub fn rpm(text: &str) -> Result<Self, InvalidName> {
        let plain: String = text.chars().map(|one| if one == '_' { '-' } else { one.to_ascii_lowercase() }).collect();
        match Self::parse(plain.trim_start_matches('-')) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(InvalidName { what, rule, .. }) => Err(InvalidName { text: text.to_owned(), what, rule }),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The organisation's short name, the directory under `/usr/lib`: a lower-case letter, then letters, digits, `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct OrgName(String);

impl OrgName {
    /// Checks `text`.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let good = text.len() <= 40
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && !text.ends_with('-')
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if good {
            return Ok(Self(text.to_owned()));
        }
        let rule = "a lower-case letter, then at most 39 lower-case letters, digits and inner `-`";
        Err(InvalidName { text: text.to_owned(), what: "an organisation's name", rule })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrgName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The normal form of a distribution's name, by which Python names are compared (PEP 503): lower case, each run of
/// `-`, `_`, `.` one `-`.
pub fn normalize(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for character in name.chars() {
        if matches!(character, '-' | '_' | '.') {
            if !normal.ends_with('-') {
                normal.push('-');
            }
        } else {
            normal.extend(character.to_lowercase());
        }
    }
    normal
}
