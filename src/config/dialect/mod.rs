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

/// Reads one tool's table of a manifest; what is to be known of it goes to the notes.
type Read = fn(&CrateManifest, &Options, &mut Vec<Note>) -> Result<Option<Tables>, Error>;

/// A dialect: whose table it is, for which format it was written, and who reads it.
struct Dialect {
    tool: &'static str,
    format: Format,
    read: Read,
}

/// Whose table overlays are for.
const GENERATE_RPM: &str = "cargo-generate-rpm";

/// In the order in which they are asked: of two for one format the first counts.
const DIALECTS: [Dialect; 2] = [
    Dialect { tool: "cargo-deb", format: Format::Deb, read: cargo_deb::read },
    Dialect { tool: GENERATE_RPM, format: Format::Rpm, read: generate_rpm::read },
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
        let options = options.of(member.name.as_str(), &member.ecosystem_name);
        if let Some(adopted) = adopted(workspace, member, &options, &mut notes)? {
            settings.adopted.insert(member.name.to_string(), adopted);
        }
    }
    let has = |tool: &str| {
        let tables = settings.adopted.values().flat_map(|adopted| [&adopted.deb, &adopted.rpm]);
        tables.flatten().any(|table| table.dialect == Some(tool))
    };
    let is_variant = |overlay: &Overlay| matches!(overlay, Overlay::Variant(_));
    let overlays = options.overlays.iter();
    for (is_given, has_table, switch, table) in [
        (options.strict_compat, !settings.adopted.is_empty(), "--strict-compat", "a table of another packaging tool"),
        (overlays.clone().any(is_variant), !settings.adopted.is_empty(), "--variant", "a table that could have one"),
        (
            overlays.clone().any(|overlay| !is_variant(overlay)),
            has(GENERATE_RPM),
            "--set-metadata and --metadata-overwrite",
            "`[package.metadata.generate-rpm]`",
        ),
    ] {
        if is_given && !has_table {
            let message = format!("{switch}: nothing is changed, because no manifest that is read has {table}");
            notes.push(Note { message, location: None, hint: None });
        }
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
    let is_wanted = |format: Format| options.formats.as_ref().is_none_or(|formats| formats.contains(&format));
    let mut found: Vec<(&Dialect, Tables)> = Vec::new();
    let (first, last): (Vec<&Dialect>, Vec<&Dialect>) = DIALECTS.iter().partition(|dialect| is_wanted(dialect.format));
    for (dialects, is_own) in [(first, true), (last, false)] {
        // What another format's table says counts only where a format has none of its own.
        let is_served = |format: Format| found.iter().any(|(dialect, _)| dialect.format == format);
        if !is_own && [Format::Deb, Format::Rpm].into_iter().all(|format| !is_wanted(format) || is_served(format)) {
            break;
        }
        for dialect in dialects {
            let Some(mut tables) = (dialect.read)(&manifest, options, notes)? else { continue };
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
