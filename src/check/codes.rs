//! The catalogue: every rule, by family.

use super::rules::{
    binaries, configuration, documents, links, maintainer_scripts, metadata, modes, places, python, relations, scripts,
    traces, units, users,
};
use super::{Formats, Rule, Severity};

/// The code of an exception that was not needed.
pub(super) const UNUSED_ALLOW: &str = "unused-allow";

/// All families, in the order of the documentation.
static FAMILIES: &[&[Rule]] = &[
    metadata::RULES,
    relations::RULES,
    documents::RULES,
    places::RULES,
    modes::RULES,
    links::RULES,
    configuration::RULES,
    scripts::RULES,
    maintainer_scripts::RULES,
    units::RULES,
    users::RULES,
    binaries::RULES,
    python::RULES,
    traces::RULES,
    OWN,
];

/// What concerns the check itself.
static OWN: &[Rule] = &[Rule {
    code: UNUSED_ALLOW,
    severity: Severity::Warning,
    formats: Formats::Both,
    title: "an exception that was not needed",
    explanation: "The configuration allows something that the package does not do. An exception that outlives its reason \
                  hides the next mistake of its kind.",
    remedy: "Remove the entry from `allow` under `[services.NAME.check]`, or correct its code or path.",
    source: "lintian's unused-override says the same",
    // Found by `check` itself, which knows the exceptions.
    find: |_| Vec::new(),
}];

/// Every rule there is.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

/// The rule of this code.
pub fn find(code: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.code == code)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_a_kebab_case_word_of_its_own_and_every_rule_says_why_and_what_to_do() {
        let mut seen = BTreeSet::new();
        for rule in rules() {
            assert!(seen.insert(rule.code), "{} stands twice", rule.code);
            let good = |part: &str| {
                !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            };
            assert!(rule.code.split('-').all(good), "{}", rule.code);
            for text in [rule.title, rule.explanation, rule.remedy, rule.source] {
                assert!(text.len() >= 8 && text.trim() == text && !text.contains("  "), "{}: {text:?}", rule.code);
            }
            assert!(!rule.title.ends_with('.') && rule.title.len() <= 90, "{}", rule.code);
        }
        assert!(seen.len() > 60, "{}", seen.len());
    }
}
