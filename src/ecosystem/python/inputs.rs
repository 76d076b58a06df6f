//! The digest by which a lock knows that it is up to date.
//!
//! Everything that the resolution depends on is written down as text, one fact a line, and hashed; nothing that it does
//! not depend on is in it. So a summary, a new version of the service or another checkout's path leaves a lock alone, and a
//! check needs neither network nor resolver.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::config::PythonSettings;
use crate::digest::Sha256;

use super::closure::Closure;
use super::existing::Existing;
use super::indexes::Indexes;
use super::project::RequirementLine;
use super::requirements::{BinaryPolicy, Options};
use super::select::Sites;
use super::vendor_txt::{VendorEntry, VendorFile};

/// Raised when the same inputs give another lock than before.
const FORMAT: u32 = 1;

/// All that a lock depends on.
pub(super) struct Inputs<'a> {
    pub root: &'a std::path::Path,
    pub closure: &'a Closure<'a>,
    pub sites: &'a Sites,
    pub settings: &'a PythonSettings,
    pub indexes: &'a Indexes,
    pub vendor: &'a VendorFile,
    pub existing: Option<&'a Existing>,
}

impl Inputs<'_> {
    /// The digest.
    pub(super) fn digest(&self) -> String {
        Sha256::of(self.text().as_bytes()).to_string()
    }

    fn text(&self) -> String {
        let mut text = format!("packhouse lock {FORMAT}\n");
        let mut fact = |line: String| {
            text.push_str(&line);
            text.push('\n');
        };
        for site in &self.sites.sites {
            fact(format!("target {} {}", site.target, site.environment));
        }
        let constrained = self.names_with_versions();
        for local in &self.closure.locals {
            let project = &local.project;
            fact(format!("package {} in {}", local.member.ecosystem_name, local.member.path.display()));
            if constrained.contains(&local.member.ecosystem_name) {
                fact(format!("version {}", project.version.as_deref().unwrap_or("dynamic")));
            }
            for line in &project.dependencies {
                fact(format!("requires {}", described(line)));
            }
            for requirement in &local.requirements {
                fact(format!("requires by name {requirement}"));
            }
            for line in &project.constraints {
                fact(format!("constraint {}", described(line)));
            }
            for url in &project.urls {
                let digests: Vec<String> = url.sha256.iter().map(ToString::to_string).collect();
                fact(format!("archive {:?} {} {}", url.name, url.url, digests.join(" ")));
            }
            for (extra, requirements) in &project.optional_dependencies {
                fact(format!("extra {extra}: {}", requirements.join(", ")));
            }
            fact(format!("builds with {}", project.build_system.requires.join(", ")));
            fact(options(&project.options));
        }
        fact(format!(
            "settings {:?} {:?} {:?}",
            self.settings.extras, self.settings.build_requires, self.settings.no_binary
        ));
        fact(self.indexes.describe(self.root));
        for entry in &self.vendor.entries {
            fact(vendored(entry));
        }
        if let Some(existing) = self.existing {
            fact(format!("lock {}", Sha256::of(existing.text.as_bytes())));
        }
        text
    }

    /// Names that some requirement holds to a version.
    fn names_with_versions(&self) -> BTreeSet<String> {
        let texts = self.closure.lines().map(|line| &line.requirement);
        let parsed = texts.filter_map(|text| text.parse::<pep508_rs::Requirement<pep508_rs::VerbatimUrl>>().ok());
        parsed
            .filter(|requirement| requirement.version_or_url.is_some())
            .map(|requirement| requirement.name.to_string())
            .collect()
    }
}

fn described(line: &RequirementLine) -> String {
    let mut text = line.requirement.clone();
    for sha256 in &line.sha256 {
        let _ = write!(text, " {sha256}");
    }
    text
}

/// The options that change a resolution; the indexes are described by themselves.
fn options(options: &Options) -> String {
    format!(
        "options pre={} hashes={} {}",
        options.pre.is_some(),
        options.require_hashes.is_some(),
        binary(&options.binary)
    )
}

fn binary(policy: &BinaryPolicy) -> String {
    format!("no-binary {:?} only-binary {:?} prefer {}", policy.no_binary, policy.only_binary, policy.prefer_binary)
}

/// An entry of `vendor.txt` without the place where it stands.
fn vendored(entry: &VendorEntry) -> String {
    match entry {
        VendorEntry::Archive(archive) => format!("vendor {} {:?}", archive.url, archive.sha256),
        VendorEntry::Requirement(entry) => {
            let index = entry.index_url.as_ref().map(|placed| &placed.value);
            let extra: Vec<&String> = entry.extra_index_urls.iter().map(|placed| &placed.value).collect();
            let links: Vec<&String> = entry.find_links.iter().map(|placed| &placed.value).collect();
            let constraints: Vec<String> = entry.constraints.iter().map(described).collect();
            format!(
                "vendor {} {} {:?} {:?} {:?} {:?} {} {} {} {index:?} {extra:?} {links:?} {:?} {constraints:?}",
                entry.requirement,
                entry.no_deps,
                entry.platforms,
                entry.abis,
                entry.implementation,
                entry.python_version,
                entry.source_or_pure,
                entry.pre,
                binary(&entry.binary),
                entry.sha256,
            )
        }
    }
}
