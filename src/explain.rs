//! Everything that has a code: what `packhouse check` finds, and errors. `packhouse explain` and the pages below
//! `docs/errors` are made of this.

use std::fmt::Write as _;

use crate::check::{self, Formats, Rule};
use crate::diagnostic::{Code, codes};
use crate::target::Format;

/// One of them.
#[derive(Debug, Clone, Copy)]
pub enum Entry {
    /// What a package must not do.
    Check(&'static Rule),
    /// What keeps packhouse from its work.
    Error(&'static Code),
}

/// All of them: errors, then checks, each in the order of its catalogue.
pub fn all() -> impl Iterator<Item = Entry> {
    codes::all().map(Entry::Error).chain(check::rules().map(Entry::Check))
}

/// The one with this code.
pub fn find(code: &str) -> Option<Entry> {
    all().find(|entry| entry.code() == code)
}

impl Entry {
    /// Its code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Check(rule) => rule.code,
            Self::Error(code) => code.name,
        }
    }

    /// One line.
    pub fn title(self) -> &'static str {
        match self {
            Self::Check(rule) => rule.title,
            Self::Error(code) => code.title,
        }
    }

    /// `error`, `warning` or `note`.
    pub fn severity(self) -> &'static str {
        match self {
            Self::Check(rule) => rule.severity.name(),
            Self::Error(_) => "error",
        }
    }

    /// Why.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::Check(rule) => rule.explanation,
            Self::Error(code) => code.explanation,
        }
    }

    /// What to do.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Check(rule) => rule.remedy,
            Self::Error(code) => code.remedy,
        }
    }

    /// What leads to it.
    pub fn example(self) -> Option<&'static str> {
        match self {
            Self::Check(_) => None,
            Self::Error(code) => Some(code.example),
        }
    }

    /// Where it applies and what follows: `deb, rpm`, `exit status 2`.
    pub fn scope(self) -> String {
        match self {
            Self::Check(rule) => match rule.formats {
                Formats::Both => "deb, rpm",
                Formats::Only(Format::Deb) => "deb",
                Formats::Only(Format::Rpm) => "rpm",
            }
            .to_owned(),
            Self::Error(code) => {
                let exits: Vec<String> = code.exits.iter().map(|exit| (*exit as u8).to_string()).collect();
                format!("exit status {}", exits.join(" or "))
            }
        }
    }

    /// Its page, in Markdown.
    pub fn page(self) -> String {
        let mut page = format!(
            "# {}\n\n*{}*, {}: {}.\n\n{}\n",
            self.code(),
            self.severity(),
            self.scope(),
            self.title(),
            self.explanation()
        );
        if let Some(example) = self.example() {
            page.push_str(&format!("\n```text\n{example}\n```\n"));
        }
        page.push_str(&format!("\n{}\n", self.remedy()));
        if let Self::Check(rule) = self {
            page.push_str(&format!("\nSource: {}\n", rule.source));
        }
        page.push_str("\n[All codes](README.md)\n");
        page
    }
}

/// The list of all pages, in Markdown.
pub fn index() -> String {
    let mut index = String::from(
        "# Codes\n\nMade from `src/diagnostic/codes` and `src/check` by `cargo xtask docs`; `packhouse explain CODE` says the same.\n",
    );
    let mut table = |title: &str, entries: &mut dyn Iterator<Item = Entry>| {
        // A String takes whatever is written.
        let _ = write!(index, "\n## {title}\n\n| code | |\n|---|---|\n");
        for entry in entries {
            let (code, title) = (entry.code(), entry.title().replace('|', "\\|"));
            let _ = writeln!(index, "| [`{code}`]({code}.md) | {title} |");
        }
    };
    for (title, codes) in codes::FAMILIES {
        table(title, &mut codes.iter().copied().map(Entry::Error));
    }
    table("What `packhouse check` finds", &mut check::rules().map(Entry::Check));
    index
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_code_has_its_page_in_the_documentation_and_no_page_is_of_anything_else() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors");
        let read = |name: &str| fs_err::read_to_string(directory.join(name)).unwrap_or_default();
        let mut names = BTreeSet::from(["README.md".to_owned()]);
        assert_eq!(read("README.md"), index(), "run `cargo xtask docs`");
        for entry in all() {
            let name = format!("{}.md", entry.code());
            assert_eq!(read(&name), entry.page(), "{name}: run `cargo xtask docs`");
            names.insert(name);
        }
        let present = fs_err::read_dir(&directory).unwrap();
        let present: BTreeSet<String> =
            present.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        assert_eq!(present, names, "run `cargo xtask docs`");
    }
}
