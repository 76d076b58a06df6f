//! `[package.metadata.generate-rpm]`, the table of cargo-generate-rpm 0.21, and the one of its dead predecessor cargo-rpm.
//!
//! Source: cargo-generate-rpm's README and `src/config`. The tool calls no unknown key by name, looks at values only when it
//! comes to them, and builds nothing itself; what is read here is what it would have packaged after a `cargo build`.

mod assets;
mod keys;
mod legacy;
mod overlay;
mod relations;
mod scripts;
mod source;
mod switches;
#[cfg(test)]
mod tests;

use super::manifest::CrateManifest;
use super::{Note, Options, Overlay, Tables};
use crate::config::error::Error;
use crate::config::reader::Value;
use crate::config::value::{self, Rule};
use crate::config::{RustSettings, ServiceSettings, find, licenses};
use crate::name::{PackageName, normalize};
use crate::target::Format;
pub(super) use keys::DIALECTS;
use overlay::{Layer, Layered};

/// The keys that lead to the table.
const TABLE: [&str; 3] = ["package", "metadata", "generate-rpm"];
/// Those of cargo-deb's, which makes .debs itself when it is there.
const DEB_TABLE: [&str; 3] = ["package", "metadata", "deb"];

/// What the table says; `None` when there is none.
pub(super) fn read(krate: &CrateManifest, options: &Options, notes: &mut Vec<Note>) -> Result<Option<Tables>, Error> {
    let document = krate.document()?;
    if find::descend(document.get_ref(), &TABLE).is_none() {
        return legacy::read(krate, options, notes);
    }
    let is_wanted = options.formats.as_ref().is_none_or(|formats| formats.contains(&Format::Deb));
    let makes_debs = is_wanted && find::descend(document.get_ref(), &DEB_TABLE).is_none();
    let has_variant = |table: &[&str], name: &str| {
        find::descend(document.get_ref(), &[table, &["variants", name]].concat()).is_some()
    };
    // A variant of cargo-deb's table alone is none of this one.
    let is_ours = |overlay: &&Overlay| match overlay {
        Overlay::Variant(name) => has_variant(&TABLE, name) || !has_variant(&DEB_TABLE, name),
        _ => true,
    };
    let overlays: Vec<&Overlay> = options.overlays.iter().filter(is_ours).collect();
    let layers = overlay::layers(Layer::manifest(&krate.source, &TABLE), &overlays)?;
    overlay::with_layers(&layers, |table| settings(krate, options, table, makes_debs, notes)).map(Some)
}

/// `makes_debs`: nobody but this table says what a .deb is made of.
fn settings(
    krate: &CrateManifest,
    options: &Options,
    table: Layered<'_>,
    makes_debs: bool,
    notes: &mut Vec<Note>,
) -> Result<Tables, Error> {
    let profile = options.overrides.profile.as_deref().unwrap_or("release");
    let assets = table.array("assets")?.ok_or_else(|| table.missing("assets", ASSETS))?;
    let mut files = assets::assets(krate, assets, profile, notes)?;
    if !options.strict_compat {
        assets::compress_pages(&mut files);
    }
    let (scripts, read) = scripts::scripts(krate, &table, notes)?;
    let needs_shell = table.boolean("require-sh")?.unwrap_or(true);
    let mut relations = relations::relations(&table, needs_shell)?;
    let name = name(krate, &table, notes)?;
    let (revision, release_text) = release(&table)?;
    let mut rpm = ServiceSettings {
        package: name,
        summary: None,
        description: None,
        license: license(krate, &table, notes)?,
        homepage: homepage(krate, &table, notes)?,
        vendor: table.string("vendor")?.map(|text| text.checked(value::one_line, "")).transpose()?,
        version: version(&table)?,
        revision,
        release_text,
        epoch: table.number("epoch", i32::MAX.unsigned_abs())?,
        relations: std::mem::take(&mut relations.rpm),
        library_relations: options.overrides.auto_req.or(auto_req(&table, notes)?),
        scripts,
        read,
        files,
        ..ServiceSettings::default()
    };
    (rpm.summary, rpm.description) = descriptions(krate, &table)?;
    // What the tool makes of the ELF files that it packs is no addition of ours.
    rpm.library_relations.get_or_insert(true);
    // It is asked for where it counts: the table of each variant is read when its turn comes.
    drop(table.item("variants")?);
    table.rest(notes);

    let mut deb = rpm.clone();
    deb.package = rpm.package.as_ref().and_then(|name| PackageName::parse(&normalize(name.as_str())).ok());
    deb.relations = std::mem::take(&mut relations.deb);
    deb.files = assets::for_deb(&rpm.files);
    // RPM's release may be what no Debian revision is.
    deb.release_text = None;
    if makes_debs {
        notes.extend(relations::note(relations, &krate.package_name()));
    }
    let mut tables = Tables { deb, rpm };
    switches::apply(options, RustSettings::default(), &mut tables);
    Ok(tables)
}

const ASSETS: &str = "assets = [{ source = \"target/release/tool\", dest = \"/usr/bin/tool\", mode = \"755\" }]";

/// The package's name: the crate's as it is spelt, which may have `_` and capitals.
fn name(krate: &CrateManifest, table: &Layered<'_>, notes: &mut Vec<Note>) -> Result<Option<PackageName>, Error> {
    if let Some(text) = table.string("name")? {
        return text.parse(PackageName::rpm, "").map(Some);
    }
    match PackageName::rpm(krate.name()) {
        Ok(name) => Ok(Some(name)),
        Err(invalid) => {
            notes.push(Note {
                message: invalid.to_string(),
                location: None,
                hint: Some("give it a `name`".to_owned()),
            });
            Ok(None)
        }
    }
}

/// `version`, as the manifest would have it: what sorts before a release is `1.0-rc1` there, and becomes `1.0~rc1` again.
fn version(table: &Layered<'_>) -> Result<Option<String>, Error> {
    let text = table.string("version")?.map(|text| text.checked(value::version, "")).transpose()?;
    Ok(text.map(|text| text.replacen('~', "-", 1)))
}

/// `release`: a number, to which the distribution is added, or a text that stands for itself.
fn release(table: &Layered<'_>) -> Result<(Option<u32>, Option<String>), Error> {
    let Some(item) = table.item("release")? else { return Ok((None, None)) };
    if !matches!(item.value, Value::Text | Value::Number) {
        return Err(item.mistyped("a string or an integer"));
    }
    let text = item.text;
    let good = |text: &str| -> Result<(), Rule> {
        let good =
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._+~^".contains(&byte));
        if good { Ok(()) } else { Err(format!("`{text}` is no release (rpm-spec(5))")) }
    };
    text.parse(good, "write digits, letters and `._+~^`, like `1` or `0.1.beta`")?;
    match text.as_str().parse::<u32>() {
        Ok(number) if number > 0 && number < 1_000_000 && !text.as_str().starts_with(['0', '+']) => {
            Ok((Some(number), None))
        }
        _ => Ok((None, Some(text.as_str().to_owned()))),
    }
}

/// The one line and the paragraphs. The tool has one text for both: `summary`, else `description`, else the manifest's;
/// where both are given, the longer one has a place of its own here.
fn descriptions(krate: &CrateManifest, table: &Layered<'_>) -> Result<(Option<String>, Option<String>), Error> {
    let given = |key| -> Result<Option<String>, Error> {
        table.string(key)?.map(|text| text.checked(value::lines, "")).transpose()
    };
    let (summary, description) = (given("summary")?, given("description")?);
    let one = summary.clone().or_else(|| description.clone());
    let one = one.or_else(|| krate.text(|package| &package.description));
    let line = one.as_deref().map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    Ok((line.filter(|line| !line.is_empty()), description.or(one)))
}

/// `license`: whatever RPM packages write there. `MIT/Apache-2.0`, as manifests had it, is an alternative; what SPDX does not
/// know gives way to the manifest's own, if there is one.
fn license(krate: &CrateManifest, table: &Layered<'_>, notes: &mut Vec<Note>) -> Result<Option<String>, Error> {
    let Some(text) = table.string("license")? else { return Ok(None) };
    let spelt = text.as_str().replace('/', " OR ");
    let Err(why) = licenses::valid(&spelt) else { return Ok(Some(spelt)) };
    let own = krate.text(|package| &package.license);
    let message = match &own {
        Some(own) => format!("{why}; the manifest's own licence is taken: `{own}`"),
        None => why,
    };
    notes.push(text.note(message, Some("write it like `MIT OR Apache-2.0` (https://spdx.org/licenses)".to_owned())));
    Ok(if own.is_none() && value::spdx(&spelt).is_ok() { Some(spelt) } else { None })
}

/// `url`, else the manifest's `homepage`, else its `repository`.
fn homepage(krate: &CrateManifest, table: &Layered<'_>, notes: &mut Vec<Note>) -> Result<Option<String>, Error> {
    let good = |text: &str| value::web_address(text, &["https", "http"]).is_ok();
    if let Some(text) = table.string("url")? {
        if good(text.as_str()) {
            return Ok(Some(text.as_str().to_owned()));
        }
        notes.push(text.note(format!("`{}` is no address of the web; it is left out", text.as_str()), None));
    }
    let homepage = krate.text(|package| &package.homepage);
    let all = [homepage, krate.text(|package| &package.repository)];
    Ok(all.into_iter().flatten().find(|text| good(text)))
}

/// `auto-req`: `no` and `disabled` turn the search for libraries off; `None` when nothing is said.
fn auto_req(table: &Layered<'_>, notes: &mut Vec<Note>) -> Result<Option<bool>, Error> {
    let Some(text) = table.string("auto-req")? else { return Ok(None) };
    match text.as_str() {
        "no" | "disabled" => Ok(Some(false)),
        "auto" | "yes" => Ok(None),
        other => {
            let hint = "write `no` to turn the search for libraries off, or leave it out".to_owned();
            notes.push(text.note(format!("`auto-req = \"{other}\"` changes nothing"), Some(hint)));
            Ok(None)
        }
    }
}
