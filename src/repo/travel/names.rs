//! Which suite is meant by a name, and what the nearest one is when there is none.

use super::super::error::RepoError;
use super::super::layout::Repository;
use super::super::suite::{Kind, Suite};
use crate::config::closest;
use crate::diagnostic::codes;

/// What to do where a suite has nothing yet.
pub(super) const EMPTY: &str = "publish into it first: `packhouse publish FILE --suite SUITE`";

/// The suites that a name means: `el9`, or `yum/el9` where an apt suite has the same name.
pub fn suites(repository: &Repository, text: &str) -> Result<Vec<Suite>, RepoError> {
    let all = repository.suites();
    let (kind, name) = split(text);
    let found: Vec<Suite> =
        all.iter().filter(|suite| suite.name == name && kind.is_none_or(|kind| suite.kind == kind)).cloned().collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let hint = match closest(name, all.iter().map(|suite| suite.name.as_str())) {
        Some(near) => format!("did you mean `{near}`?"),
        None if all.is_empty() => "the repository has none: publish something".to_owned(),
        None => "`packhouse repo list` lists those it has".to_owned(),
    };
    Err(RepoError::Unknown { what: format!("there is no suite `{text}`"), hint, code: &codes::UNKNOWN_SUITE })
}

/// The one suite that a name means.
pub fn suite(repository: &Repository, text: &str) -> Result<Suite, RepoError> {
    let mut found = suites(repository, text)?;
    match (found.pop(), found.is_empty()) {
        (Some(suite), true) => Ok(suite),
        _ => Err(RepoError::Unknown {
            what: format!("`{text}` is an apt suite and a yum suite"),
            hint: format!("write `apt/{text}` or `yum/{text}`"),
            code: &codes::INVALID_ARGUMENT,
        }),
    }
}

/// The half of the repository, where it is said, and the name.
pub(super) fn split(text: &str) -> (Option<Kind>, &str) {
    let half = |kind: Kind| text.strip_prefix(kind.name())?.strip_prefix('/').map(|name| (Some(kind), name));
    half(Kind::Apt).or_else(|| half(Kind::Yum)).unwrap_or((None, text))
}

/// A suite has no package of this name.
pub(super) fn no_package(suite: &Suite, wanted: &str, versions: &[String]) -> RepoError {
    let hint = match versions {
        [] => format!("`packhouse repo show {}` lists what it has", suite.name),
        versions => format!("it has {}", versions.join(", ")),
    };
    RepoError::Unknown { what: format!("{suite} has no package {wanted}"), hint, code: &codes::UNKNOWN_PACKAGE }
}

/// A package that is meant: NAME, or NAME=VERSION.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// Its whole version.
    pub version: Option<String>,
}

impl std::str::FromStr for Wanted {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, version) = match text.split_once('=') {
            Some((name, version)) => (name, Some(version)),
            None => (text, None),
        };
        if name.is_empty() || version.is_some_and(str::is_empty) {
            return Err("write NAME or NAME=VERSION");
        }
        Ok(Self { name: name.to_owned(), version: version.map(str::to_owned) })
    }
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.name)?;
        self.version.iter().try_for_each(|version| write!(formatter, " {version}"))
    }
}
