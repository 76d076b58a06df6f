//! `add` of `[services.NAME]`: what packhouse adds to a package without being asked.

use std::collections::BTreeMap;

use super::error::Error;
use super::layer::Layer;
use super::reader::Reader;

/// One of those things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Addition {
    /// The history, made from git's.
    Changelog,
    /// The copyright file.
    Copyright,
    /// The licence texts of the project and of what is inside.
    Licenses,
    /// lintian's overrides for what is meant.
    LintianOverrides,
    /// Man pages of commands that have none.
    ManPages,
    /// The list of digests that dpkg and debsums read.
    Md5sums,
    /// Relations that follow from the content.
    Relations,
    /// The software bill of materials.
    Sbom,
    /// What units need from maintainer scripts when they are installed as plain files.
    SystemdScripts,
}

impl Addition {
    /// All of them, with the names that the configuration has for them.
    pub const ALL: [(&'static str, Self); 9] = [
        ("changelog", Self::Changelog),
        ("copyright", Self::Copyright),
        ("licenses", Self::Licenses),
        ("lintian-overrides", Self::LintianOverrides),
        ("man-pages", Self::ManPages),
        ("md5sums", Self::Md5sums),
        ("relations", Self::Relations),
        ("sbom", Self::Sbom),
        ("systemd-scripts", Self::SystemdScripts),
    ];
}

/// What was said of them; what nothing was said of is added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Additions(pub(super) BTreeMap<Addition, bool>);

impl Additions {
    /// Whether it is wanted.
    pub fn has(&self, addition: Addition) -> bool {
        self.0.get(&addition).copied().unwrap_or(true)
    }

    /// Decides.
    pub fn set(&mut self, addition: Addition, wanted: bool) {
        self.0.insert(addition, wanted);
    }

    /// Turns off all that nothing was said of.
    pub fn refuse_the_rest(&mut self) {
        for (_, addition) in Addition::ALL {
            self.0.entry(addition).or_insert(false);
        }
    }
}

impl Layer for Additions {
    fn over(self, below: Self) -> Self {
        Self(self.0.over(below.0))
    }
}

/// The table `add`.
pub(super) fn additions(table: &Reader<'_>) -> Result<Additions, Error> {
    let Some(table) = table.table("add")? else { return Ok(Additions::default()) };
    let mut additions = Additions::default();
    for (name, addition) in Addition::ALL {
        if let Some(wanted) = table.boolean(name)? {
            additions.set(addition, wanted);
        }
    }
    table.finish()?;
    Ok(additions)
}
