//! The catalogue of errors: what each code means, an example, how to mend it, and the exit status that goes with it.
//!
//! A code is a static, so that an error can only have one that is explained here: [`Diagnose::code`](super::Diagnose::code)
//! has no default. Variants that a person would take for one problem share a code. A code, once published, does not change
//! its meaning; what `packhouse check` finds has its codes in [`crate::check`], and no code is in both.

use super::ExitCode;

/// What is known of one kind of error.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// Its name: words in small letters with hyphens.
    pub name: &'static str,
    /// The exit statuses that it may end with, the usual one first.
    pub exits: &'static [ExitCode],
    /// One line.
    pub title: &'static str,
    /// What happened and why that is an error.
    pub explanation: &'static str,
    /// What leads to it, or what it looks like.
    pub example: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

impl Code {
    /// The usual exit status.
    pub fn exit(&self) -> ExitCode {
        self.exits.first().copied().unwrap_or(ExitCode::Failed)
    }
}

/// One family: a static for each code, and the list of them.
macro_rules! codes {
    ($($name:ident = $code:literal, [$($exit:ident),+], $title:literal, $explanation:literal, $example:literal, $remedy:literal;)+) => {
        $(
            #[doc = $title]
            pub static $name: super::Code = super::Code {
                name: $code,
                exits: &[$(crate::diagnostic::ExitCode::$exit),+],
                title: $title,
                explanation: $explanation,
                example: $example,
                remedy: $remedy,
            };
        )+
        pub(super) static ALL: &[&super::Code] = &[$(&$name),+];
    };
}

mod command;
mod configuration;
mod machine;
mod network;
mod package;
mod python;
mod repository;
mod rust;
mod workspace;

pub use command::*;
pub use configuration::*;
pub use machine::*;
pub use network::*;
pub use package::*;
pub use python::*;
pub use repository::*;
pub use rust::*;
pub use workspace::*;

/// All families with what they are about, in the order of the documentation.
pub static FAMILIES: &[(&str, &[&Code])] = &[
    ("The command line", command::ALL),
    ("The configuration", configuration::ALL),
    ("The repository of sources", workspace::ALL),
    ("This machine", machine::ALL),
    ("The network", network::ALL),
    ("Python services", python::ALL),
    ("Rust services", rust::ALL),
    ("Packages", package::ALL),
    ("Repositories of packages", repository::ALL),
];

/// Every code there is.
pub fn all() -> impl Iterator<Item = &'static Code> {
    FAMILIES.iter().flat_map(|(_, codes)| codes.iter().copied())
}

/// The code of this name.
pub fn find(name: &str) -> Option<&'static Code> {
    all().find(|code| code.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// Every Rust source below `directory` but the catalogue.
    fn sources(directory: &Path, found: &mut String) {
        for entry in fs_err::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("diagnostic/codes") {
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push_str(&fs_err::read_to_string(&path).unwrap());
            }
        }
    }

    #[test]
    fn every_code_is_a_kebab_case_word_of_its_own_and_says_what_why_and_what_to_do() {
        let mut seen: BTreeSet<&str> = crate::check::rules().map(|rule| rule.code).collect();
        for code in all() {
            assert!(seen.insert(code.name), "{} stands twice", code.name);
            let good = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
            assert!(code.name.split('-').all(good), "{}", code.name);
            for text in [code.title, code.explanation, code.remedy] {
                assert!(text.len() >= 8 && text.trim() == text && !text.contains("  "), "{}: {text:?}", code.name);
            }
            assert!(code.explanation.ends_with('.') && code.remedy.ends_with('.'), "{}", code.name);
            assert!(!code.title.ends_with('.') && code.title.chars().count() <= 90, "{}", code.name);
            assert!(!code.example.trim().is_empty(), "{}", code.name);
            assert!(!code.exits.is_empty(), "{}", code.name);
        }
    }

    #[test]
    fn every_code_of_the_catalogue_is_the_code_of_some_error() {
        let mut text = String::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
        for code in all() {
            let used = format!("codes::{}", code.name.to_uppercase().replace('-', "_"));
            let ends = |rest: &str| !rest.starts_with(|next: char| next == '_' || next.is_ascii_alphanumeric());
            assert!(text.split(&used).skip(1).any(ends), "nothing has the code {}", code.name);
        }
    }
}
