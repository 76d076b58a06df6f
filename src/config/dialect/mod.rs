//! Tables that a crate's manifest has for other packaging tools, read as configuration.
//!
//! Each dialect is parsed with its places and becomes [`ServiceSettings`], the same that `[services.NAME]` becomes: nothing
//! after the configuration knows of other tools. A table of one format serves the other as well, as far as it goes; where
//! there is one for each, each serves its own. What a table says that nobody knows is a [`Note`]: the tool whose table it is
//! may be newer, and no build fails for it.

mod cargo_deb;
mod generate_rpm;
mod glob;
pub(super) mod keys;
mod manifest;
mod options;
mod place;

use std::fmt;

pub use options::{Options, Overlay, Overrides};

use super::error::Error;
use super::{Addition, FileKind, FileSource, Layout, ServiceSettings, Settings};
use crate::diagnostic::Location;
use crate::target::Format;
use crate::workspace::{EcosystemKind, Member, Workspace};
use manifest::CrateManifest;

/// What one crate's tables say.
#[derive(Debug, Clone, Default)]
pub struct Adopted {
    /// For .deb packages.
    pub deb: Option<ServiceSettings>,
    /// For RPM packages.
    pub rpm: Option<ServiceSettings>,
}

impl Adopted {
    /// What counts for packages of `format`.
    pub fn of(&self, format: Format) -> Option<&ServiceSettings> {
        match format {
            Format::Deb => self.deb.as_ref(),
            Format::Rpm => self.rpm.as_ref(),
        }
    }
}

/// One table as settings for both formats.
pub(super) struct Tables {
    pub(super) deb: ServiceSettings,
    pub(super) rpm: ServiceSettings,
}

/// Something about a table that the user should know and that is no error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What.
    pub message: String,
    /// Where it stands.
    pub location: Option<Location>,
    /// What to do.
    pub hint: Option<String>,
}

impl fmt::Display for Note {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(location) = &self.location {
            let (line, column) = location.line_and_column();
            write!(out, "{}:{line}:{column}: ", location.path.display())?;
        }
        out.write_str(&self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(out, "; {hint}"))
    }
}

/// A dialect: whose table it is, for which format it was written, and who reads it.
struct Dialect {
    tool: &'static str,
    format: Format,
    read: fn(&CrateManifest, &Options, &mut Vec<Note>) -> Result<Option<Tables>, Error>,
}

/// In the order in which they are asked: of two for one format the first counts.
const DIALECTS: [Dialect; 2] = [
    Dialect { tool: "cargo-deb", format: Format::Deb, read: cargo_deb::read },
    Dialect { tool: "cargo-generate-rpm", format: Format::Rpm, read: generate_rpm::read },
];

/// The page `docs/compatibility.md`: every key of every dialect, and what becomes of it.
pub fn compatibility() -> String {
    let all: Vec<keys::Dialect> = [cargo_deb::DIALECT].into_iter().chain(generate_rpm::DIALECTS).collect();
    keys::page(&all)
}

/// Reads what the manifests of all services say for other tools into `settings`.
///
/// # Errors
/// When a manifest cannot be read, and for what its tool would refuse as well: values of another type than its key takes.
pub fn adopt(settings: &mut Settings, workspace: &Workspace, options: &Options) -> Result<Vec<Note>, Error> {
    let mut notes = Vec::new();
    for member in workspace.services().filter(|member| member.ecosystem == EcosystemKind::Rust) {
        if settings.service(&member.name).adopt == Some(false) {
            continue;
        }
        if let Some(adopted) = adopted(workspace, member, options, &mut notes)? {
            settings.adopted.insert(member.name.to_string(), adopted);
        }
    }
    if options.strict_compat && settings.adopted.is_empty() {
        notes.push(Note {
            message: "--strict-compat changes nothing: no manifest has a table of another packaging tool".to_owned(),
            location: None,
            hint: None,
        });
    }
    Ok(notes)
}

/// Of what cargo makes, a copy in the repository's own target directory is never taken: it is older, or somebody else's.
fn forget_copies(settings: &mut ServiceSettings, manifest: &CrateManifest, workspace: &Workspace) {
    if settings.rust.prebuilt {
        return;
    }
    let own = manifest.manifest.bin.iter().filter_map(|bin| bin.name.as_deref());
    let others = workspace.members.iter().filter(|member| member.ecosystem == EcosystemKind::Rust);
    let programs: Vec<&str> = own.chain(others.flat_map(|member| &member.commands).map(String::as_str)).collect();
    for entry in &mut settings.files {
        match &mut entry.kind {
            FileKind::File(FileSource::Built { path, literal })
                if programs.iter().any(|program| path.as_path() == std::path::Path::new(program)) =>
            {
                literal.clear();
            }
            FileKind::File(FileSource::BuiltGlob { base, literal, .. }) if base.as_os_str().is_empty() => {
                literal.clear()
            }
            _ => {}
        }
    }
}

/// What the manifest of one crate says; `None` when it has no such table.
fn adopted(
    workspace: &Workspace,
    member: &Member,
    options: &Options,
    notes: &mut Vec<Note>,
) -> Result<Option<Adopted>, Error> {
    let manifest = CrateManifest::read(&workspace.root, &member.manifest)?;
    let mut found: Vec<(&Dialect, Tables)> = Vec::new();
    for dialect in &DIALECTS {
        if let Some(mut tables) = (dialect.read)(&manifest, options, notes)? {
            for settings in [&mut tables.deb, &mut tables.rpm] {
                settings.dialect = Some(dialect.tool);
                forget_copies(settings, &manifest, workspace);
                settings.layout.get_or_insert(Layout::Flat);
                if options.strict_compat {
                    settings.additions.refuse_the_rest();
                    settings.plain_revision = true;
                    settings.library_relations.get_or_insert(settings.additions.has(Addition::Relations));
                }
            }
            found.push((dialect, tables));
        }
    }
    if found.is_empty() {
        return Ok(None);
    }
    let of = |format: Format| {
        let own = found.iter().find(|(dialect, _)| dialect.format == format);
        own.or(found.first()).map(|(_, tables)| match format {
            Format::Deb => tables.deb.clone(),
            Format::Rpm => tables.rpm.clone(),
        })
    };
    Ok(Some(Adopted { deb: of(Format::Deb), rpm: of(Format::Rpm) }))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_about_other_tools_is_what_the_code_says() {
        let page = fs_err::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/compatibility.md")).unwrap();
        assert_eq!(page, super::compatibility(), "run `cargo xtask docs`");
    }
}
