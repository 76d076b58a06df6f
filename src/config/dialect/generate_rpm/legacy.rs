//! `[package.metadata.rpm]`, the table of cargo-rpm, which is dead since 2022.
//!
//! The table says which files there are, and a template of a spec file the rest. The files are read here; what stands in the
//! template (relations, scripts, a changelog) is not, and a note says so. Source: `src/config.rs` and `src/archive.rs` of
//! cargo-rpm 0.8.

use std::path::{Path, PathBuf};

use super::super::manifest::CrateManifest;
use super::super::{Note, Options, Tables, place};
use super::{assets, switches};
use crate::config::ServiceSettings;
use crate::config::error::Error;
use crate::config::files::{FileKind, FileSettings, FileSource};
use crate::config::reader::{Reader, Text};
use crate::config::value;
use crate::name::{PackageName, normalize};
use crate::tree::{Marks, Role};

/// The keys that lead to the table.
const TABLE: [&str; 3] = ["package", "metadata", "rpm"];

/// What the table says; `None` when there is none.
pub(super) fn read(krate: &CrateManifest, options: &Options, notes: &mut Vec<Note>) -> Result<Option<Tables>, Error> {
    let document = krate.document()?;
    let Some(table) = krate.table(&document, &TABLE)? else { return Ok(None) };
    let directory = table.string("config")?.map(|text| text.parse(|text| inside(krate, text), "")).transpose()?;
    let directory = directory.unwrap_or_else(|| PathBuf::from(".rpm"));
    let mut rpm = ServiceSettings {
        package: table.string("package")?.map(|text| text.parse(PackageName::rpm, "")).transpose()?,
        ..ServiceSettings::default()
    };
    let name = rpm.package.as_ref().map_or_else(|| krate.name().to_owned(), ToString::to_string);
    rpm.package = rpm.package.or_else(|| PackageName::rpm(&name).ok());
    tell(krate, &directory, &name, &table, notes);
    if let Some(cargo) = table.table("cargo")? {
        rpm.rust.profile =
            cargo.string("profile")?.map(|text| text.checked(|text| value::word(text, "_-"), "")).transpose()?;
        let flags = cargo.strings("buildflags")?.unwrap_or_default();
        let flags = flags.into_iter().filter(|flag| flag.as_str() != "--release");
        rpm.rust.cargo_arguments = flags.map(|flag| flag.checked(value::one_line, "")).collect::<Result<_, _>>()?;
        ignored(
            "target",
            cargo.string("target")?,
            "name what is built for with `--target` of `packhouse build`",
            notes,
        );
        cargo.rest(notes);
    }
    for (bin, file) in table.tables("targets")? {
        let path = bin.parse(|text| inside(krate, text), "")?;
        let literal = Path::new("target/release").join(&path);
        let source = FileSource::Built { path: path.clone(), literal };
        rpm.files.push(entry(source, &path, file, 0o755, notes)?);
    }
    for (name, file) in table.tables("files")? {
        let source = directory.join(name.as_str());
        let source = name.parse(|_| inside(krate, &source.to_string_lossy()), "")?;
        rpm.files.push(entry(FileSource::Path(source.clone()), &source, file, 0o644, notes)?);
    }
    ignored("output", table.string("output")?, "name the directory with `--out` of `packhouse build`", notes);
    ignored(
        "target_architecture",
        table.string("target_architecture")?,
        "name it with `--target` of `packhouse build`: `el9/aarch64`",
        notes,
    );
    if let Some(hooks) = table.item("build_hooks")? {
        let hint = "run these commands before `packhouse build`".to_owned();
        notes.push(hooks.text.note("`build_hooks` are not run", Some(hint)));
    }
    table.rest(notes);
    rpm.library_relations = options.overrides.auto_req;
    assets::compress_pages(&mut rpm.files);
    let mut deb = rpm.clone();
    deb.package = rpm.package.as_ref().and_then(|name| PackageName::parse(&normalize(name.as_str())).ok());
    deb.files = assets::for_deb(&rpm.files);
    let rust = rpm.rust.clone();
    let mut tables = Tables { deb, rpm };
    switches::apply(options, rust, &mut tables);
    Ok(Some(tables))
}

fn inside(krate: &CrateManifest, text: &str) -> Result<PathBuf, value::Rule> {
    place::inside(&krate.root, &krate.directory, text)
}

/// That the table is read, and what is not.
fn tell(krate: &CrateManifest, directory: &Path, name: &str, table: &Reader<'_>, notes: &mut Vec<Note>) {
    let spec = directory.join(format!("{name}.spec"));
    let mut message =
        "`[package.metadata.rpm]` is the table of cargo-rpm, which nobody maintains; its files are read".to_owned();
    let mut hint = "move it to `[package.metadata.generate-rpm]`, or to packhouse.toml".to_owned();
    if krate.absolute(&spec).is_file() {
        message.push_str(&format!(", `{}` is not", spec.display()));
        hint.push_str("; relations and scripts of the spec file go there, too");
    }
    notes.push(Note { message, location: Some(table.place().location()), hint: Some(hint) });
}

/// A key that means nothing here.
fn ignored(key: &str, text: Option<Text<'_>>, hint: &str, notes: &mut Vec<Note>) {
    notes.extend(text.map(|text| text.note(format!("`{key}` is left out"), Some(hint.to_owned()))));
}

fn entry(
    source: FileSource,
    from: &Path,
    table: Reader<'_>,
    mode: u32,
    notes: &mut Vec<Note>,
) -> Result<FileSettings, Error> {
    let path = table.string("path")?.ok_or_else(|| table.missing("path", "path = \"/usr/bin/tool\""))?;
    let name = from.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let given = table.string("mode")?.map(|text| text.parse(assets::mode, assets::MODE_HINT)).transpose()?;
    let settings = FileSettings {
        kind: FileKind::File(source),
        path: place::installed(&path, name, notes)?,
        into: false,
        mode: Some(given.unwrap_or(mode)),
        user: assets::owner(&table, "username")?,
        group: assets::owner(&table, "groupname")?,
        role: Role::Plain,
        marks: Marks::default(),
        compress: false,
        capabilities: None,
        targets: Vec::new(),
        place: table.place(),
    };
    table.rest(notes);
    Ok(settings)
}
