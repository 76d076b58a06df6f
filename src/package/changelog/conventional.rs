//! Changes in groups, for histories that follow Conventional Commits 1.0 (<https://www.conventionalcommits.org>).
//!
//! Nothing is dropped: what follows no convention, and what is of no interest by itself (`chore`, `ci`, `style`), stands
//! under "Other changes" as it was written. A release in which no change follows the convention has no groups.

use super::clean;

/// Changes under one heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// `None` when the release has no groups: there is one then, with everything.
    pub title: Option<&'static str>,
    /// One line each, in the order of the release.
    pub changes: Vec<String>,
}

const BREAKING: &str = "Breaking changes";
const REVERTED: &str = "Reverted changes";
const OTHER: &str = "Other changes";
/// The headings, in their order.
const TITLES: [&str; 7] = [BREAKING, "New features", "Fixes", "Performance", "Documentation", REVERTED, OTHER];

/// The types that the specification, its commitlint configuration and Angular's guidelines name, with their headings.
const TYPES: &[(&str, &str)] = &[
    ("build", OTHER),
    ("bugfix", "Fixes"),
    ("chore", OTHER),
    ("ci", OTHER),
    ("deps", OTHER),
    ("doc", "Documentation"),
    ("docs", "Documentation"),
    ("feat", "New features"),
    ("feature", "New features"),
    ("fix", "Fixes"),
    ("hotfix", "Fixes"),
    ("perf", "Performance"),
    ("refactor", OTHER),
    ("revert", REVERTED),
    ("security", "Fixes"),
    ("style", OTHER),
    ("test", OTHER),
    ("tests", OTHER),
];

/// The changes of a release, cleaned, in groups.
pub fn groups(changes: &[String]) -> Vec<Group> {
    let changes: Vec<String> = changes.iter().map(|change| clean(change)).filter(|change| !change.is_empty()).collect();
    let read: Vec<Option<Subject<'_>>> = changes.iter().map(|change| Subject::read(change)).collect();
    if read.iter().all(Option::is_none) {
        return vec![Group { title: None, changes }];
    }
    let mut found: Vec<Group> = TITLES.map(|title| Group { title: Some(title), changes: Vec::new() }).into();
    for (change, subject) in changes.iter().zip(&read) {
        let (title, text) = match subject {
            Some(subject) => (subject.title(), subject.text(change)),
            None if change.starts_with("Revert \"") => (REVERTED, change.clone()),
            None => (OTHER, change.clone()),
        };
        if let Some(group) = found.iter_mut().find(|group| group.title == Some(title)) {
            group.changes.push(text);
        }
    }
    found.retain(|group| !group.changes.is_empty());
    found
}

/// `type(scope)!: description`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subject<'a> {
    title: &'static str,
    scope: Option<&'a str>,
    /// Whether it says that it breaks what was there.
    pub(crate) breaking: bool,
    description: &'a str,
    /// How many bytes stand before the colon.
    pub(crate) head: usize,
}

impl<'a> Subject<'a> {
    /// Reads a cleaned subject; `None` for one that follows no convention.
    pub(crate) fn read(subject: &'a str) -> Option<Self> {
        let (head, description) = subject.split_once(':')?;
        let description = description.strip_prefix(' ')?.trim();
        let (bare, breaking) = head.strip_suffix('!').map_or((head, false), |bare| (bare, true));
        let (word, scope) = match bare.split_once('(') {
            Some((word, rest)) => (word, Some(rest.strip_suffix(')')?.trim())),
            None => (bare, None),
        };
        let (_, title) = TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(word))?;
        let scope = scope.filter(|scope| !scope.is_empty());
        (!description.is_empty()).then_some(Self { title, scope, breaking, description, head: bare.len() })
    }

    fn title(&self) -> &'static str {
        if self.breaking { BREAKING } else { self.title }
    }

    /// As it stands under its heading; under one that does not tell the type, the whole.
    fn text(&self, whole: &str) -> String {
        match (self.title(), self.scope) {
            (OTHER, _) => whole.to_owned(),
            (_, Some(scope)) => format!("{scope}: {}", self.description),
            (_, None) => self.description.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(changes: &[&str]) -> Vec<(Option<&'static str>, Vec<String>)> {
        let changes: Vec<String> = changes.iter().map(|&change| change.to_owned()).collect();
        groups(&changes).into_iter().map(|group| (group.title, group.changes)).collect()
    }

    #[test]
    fn changes_stand_under_the_heading_of_their_type_and_the_others_as_they_were_written() {
        let found = of(&[
            "fix(api): answer 404",
            "Merge branch 'x'",
            "feat!: drop Python 3.8",
            "chore: tidy",
            "feat: add a thing",
            "perf(db): ask once",
            "Revert \"feat: a bad idea\"",
            "revert: fix of yesterday",
            "api: not a type",
            "FIX: shouted",
            "fix:without a blank",
            "fix(api: unclosed",
            "docs: explain",
        ]);
        let expected = [
            (BREAKING, vec!["drop Python 3.8"]),
            ("New features", vec!["add a thing"]),
            ("Fixes", vec!["api: answer 404", "shouted"]),
            ("Performance", vec!["db: ask once"]),
            ("Documentation", vec!["explain"]),
            (REVERTED, vec!["Revert \"feat: a bad idea\"", "fix of yesterday"]),
            (
                OTHER,
                vec!["Merge branch 'x'", "chore: tidy", "api: not a type", "fix:without a blank", "fix(api: unclosed"],
            ),
        ];
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(title, changes)| (Some(title), changes.into_iter().map(str::to_owned).collect::<Vec<_>>()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_release_without_the_convention_stays_a_flat_list() {
        let flat = of(&["Begin", "api: x", "Revert \"Begin\""]);
        assert_eq!(flat, [(None, vec!["Begin".to_owned(), "api: x".to_owned(), "Revert \"Begin\"".to_owned()])]);
    }

    proptest! {
        #[test]
        fn no_change_is_ever_dropped(changes in proptest::collection::vec("(feat|fix|chore|x)?(\\(a\\))?!?:? ?.{0,20}", 0..20)) {
            let wanted = changes.iter().filter(|change| !clean(change).is_empty()).count();
            let found: usize = groups(&changes).iter().map(|group| group.changes.len()).sum();
            prop_assert_eq!(found, wanted);
        }
    }
}
