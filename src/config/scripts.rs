//! `scripts` of `[services.NAME]`: what is to run when a package is installed and removed, written by people.
//!
//! The two formats call their scripts with other arguments and at other times. A script is written for one of them, and is
//! told in the other what it would be told in its own.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::error::Error;
use super::layer::layer;
use super::reader::Reader;
use super::value;
use crate::target::Format;

/// A text that stands in the configuration or in a file of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextSource {
    /// The text itself.
    Inline(String),
    /// A file, relative to the service's directory.
    File(PathBuf),
}

impl TextSource {
    /// The file that has to be read.
    pub fn file(&self) -> Option<&PathBuf> {
        match self {
            Self::Inline(_) => None,
            Self::File(path) => Some(path),
        }
    }
}

/// Scripts of a service, and what goes with them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScriptSettings {
    /// Each when it runs.
    pub stages: BTreeMap<Stage, Script>,
    /// Debian's questions.
    pub debconf: Option<Debconf>,
    /// Whether an RPM requires the programs that run its scriptlets (default: yes).
    pub requires_interpreter: Option<bool>,
}

layer!(ScriptSettings { stages, debconf, requires_interpreter });

impl ScriptSettings {
    /// The files that its texts stand in.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        let debconf = self.debconf.iter().flat_map(|debconf| debconf.config.iter().chain(&debconf.templates));
        self.stages.values().map(|script| &script.text).chain(debconf).filter_map(TextSource::file)
    }
}

/// When a script runs (Debian Policy 6; rpm-scriptlets(7)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// `preinst`, `%pre`.
    PreInstall,
    /// `postinst`, `%post`.
    PostInstall,
    /// `prerm`, `%preun`.
    PreRemove,
    /// `postrm`, `%postun`.
    PostRemove,
    /// `%pretrans`; Debian has none.
    PreTransaction,
    /// `%posttrans`; Debian has none.
    PostTransaction,
    /// `%preuntrans`; Debian has none.
    PreUntransaction,
    /// `%postuntrans`; Debian has none.
    PostUntransaction,
}

impl Stage {
    /// All of them, with the names that the configuration has for them.
    pub const ALL: [(&'static str, Self); 8] = [
        ("pre-install", Self::PreInstall),
        ("post-install", Self::PostInstall),
        ("pre-remove", Self::PreRemove),
        ("post-remove", Self::PostRemove),
        ("pre-transaction", Self::PreTransaction),
        ("post-transaction", Self::PostTransaction),
        ("pre-untransaction", Self::PreUntransaction),
        ("post-untransaction", Self::PostUntransaction),
    ];

    /// What `format` calls it: `postinst`, `post`; `None` where it has no such script.
    pub fn name(self, format: Format) -> Option<&'static str> {
        let (deb, rpm) = match self {
            Self::PreInstall => (Some("preinst"), "pre"),
            Self::PostInstall => (Some("postinst"), "post"),
            Self::PreRemove => (Some("prerm"), "preun"),
            Self::PostRemove => (Some("postrm"), "postun"),
            Self::PreTransaction => (None, "pretrans"),
            Self::PostTransaction => (None, "posttrans"),
            Self::PreUntransaction => (None, "preuntrans"),
            Self::PostUntransaction => (None, "postuntrans"),
        };
        match format {
            Format::Deb => deb,
            Format::Rpm => Some(rpm),
        }
    }
}

/// One script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// What it says.
    pub text: TextSource,
    /// The program that runs it, with arguments; empty for what its first line names, else `/bin/sh`.
    pub interpreter: Vec<String>,
    /// RPM's flags: 1 expands macros when it is installed, 2 query formats, 4 makes a failure the package's.
    pub flags: u32,
    /// Whose arguments it takes.
    pub written_for: Format,
}

/// debconf's files (debconf-devel(7)).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Debconf {
    /// The script that asks.
    pub config: Option<TextSource>,
    /// The questions.
    pub templates: Option<TextSource>,
}

/// The table `scripts`.
pub(super) fn scripts(table: &Reader<'_>) -> Result<ScriptSettings, Error> {
    let Some(table) = table.table("scripts")? else { return Ok(ScriptSettings::default()) };
    let formats = [("deb", Format::Deb), ("rpm", Format::Rpm)];
    let written_for = table.string("written-for")?.map(|text| text.choice(&formats)).transpose()?;
    let written_for = written_for.unwrap_or(Format::Deb);
    let mut stages = BTreeMap::new();
    for (name, stage) in Stage::ALL {
        if let Some(text) = table.string(name)? {
            let text = TextSource::File(text.parse(value::file_path, "name a file in the service's directory")?);
            stages.insert(stage, Script { text, interpreter: Vec::new(), flags: 0, written_for });
        }
    }
    let file = |name: &'static str| {
        let text = table.string(name)?;
        text.map(|text| text.parse(value::file_path, "").map(TextSource::File)).transpose()
    };
    let debconf = Debconf { config: file("debconf-config")?, templates: file("debconf-templates")? };
    let debconf = Some(debconf).filter(|debconf| *debconf != Debconf::default());
    table.finish()?;
    Ok(ScriptSettings { stages, debconf, requires_interpreter: None })
}
