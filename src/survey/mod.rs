//! What there is in a repository, told to a person who sees packhouse for the first time: why each service is one, what it
//! brings, what it runs on, and what is still missing. `init` prints it; nothing is decided by it.

mod found;
mod propose;

use serde::Serialize;

use crate::diagnostic::Diagnose as _;
use crate::ecosystem::{self, Context};
use crate::workspace::Member;
use crate::workspace::history::{History, VersionOrigin};

pub use found::Found;
pub use propose::{Proposal, propose};

/// One thing that is known of a service, or missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// `commands`, `version`, `lock`, …
    pub subject: &'static str,
    /// What is known of it.
    pub text: String,
    /// Whether a build would fail for it.
    pub missing: bool,
}

impl Fact {
    /// Something that is there.
    pub fn new(subject: &'static str, text: impl Into<String>) -> Self {
        Self { subject, text: text.into(), missing: false }
    }

    /// Something that a build will ask for.
    pub fn missing(subject: &'static str, text: impl Into<String>) -> Self {
        Self { subject, text: text.into(), missing: true }
    }
}

/// All that is known of `service`.
pub fn explain(context: Context<'_>, service: &Member, found: &Found) -> Vec<Fact> {
    let path = if service.path.as_os_str().is_empty() { ".".to_owned() } else { service.path.display().to_string() };
    let mut facts = vec![Fact::new("is a service", format!("in {path}: {}", service.reason))];
    if !service.commands.is_empty() {
        facts.push(Fact::new("commands", service.commands.join(", ")));
    }
    facts.push(version(context, service));
    facts.extend(ecosystem::of(service.ecosystem).explain(context, service));
    facts.extend(found.facts());
    facts
}

fn version(context: Context<'_>, service: &Member) -> Fact {
    let found = History::open(context.workspace).and_then(|history| history.source_version(service, context.settings));
    match found {
        Ok(version) => {
            let from = match version.from {
                VersionOrigin::Setting => "from the configuration".to_owned(),
                VersionOrigin::Manifest => format!("from {}", service.manifest.display()),
                VersionOrigin::Tag => "from the git tag".to_owned(),
            };
            Fact::new("version", format!("{} ({from})", version.spelt()))
        }
        Err(error) => Fact::missing("version", format!("{error}: {}", error.hints().join("; "))),
    }
}
