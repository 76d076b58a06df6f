//! `[package.metadata.deb]` as it is written: every key with its type and place, and what a variant inherits.
//!
//! Source: cargo-deb 3.8.0, `src/parse/manifest.rs`, `CargoDeb`.

use super::assets::{self, Asset, Merge};
use crate::config::dialect::Note;
use crate::config::error::Error;
use crate::config::reader::{Item, Reader, Text, Value};
use crate::relation::RelationKind;

/// One table: the main one, or a variant with what it inherits.
#[derive(Clone, Default)]
pub(super) struct Table<'a> {
    pub(super) name: Option<Text<'a>>,
    pub(super) maintainer: Option<Text<'a>>,
    pub(super) copyright: Option<Text<'a>>,
    /// The file, and how many of its lines are left out.
    pub(super) license_file: Option<Vec<Text<'a>>>,
    pub(super) changelog: Option<Text<'a>>,
    /// In the order of [`RELATIONS`].
    pub(super) relations: Vec<(RelationKind, Option<Vec<Text<'a>>>)>,
    pub(super) extended_description: Option<Text<'a>>,
    pub(super) extended_description_file: Option<Text<'a>>,
    pub(super) section: Option<Text<'a>>,
    pub(super) priority: Option<Text<'a>>,
    pub(super) revision: Option<Text<'a>>,
    pub(super) conf_files: Option<Vec<Text<'a>>>,
    pub(super) assets: Option<Vec<Asset<'a>>>,
    pub(super) triggers_file: Option<Text<'a>>,
    pub(super) maintainer_scripts: Option<Text<'a>>,
    pub(super) features: Option<Vec<Text<'a>>>,
    pub(super) default_features: Option<bool>,
    pub(super) separate_debug_symbols: Option<bool>,
    pub(super) dbgsym: Option<bool>,
    pub(super) preserve_symlinks: Option<bool>,
    pub(super) systemd_units: Option<Vec<Units<'a>>>,
    pub(super) profile: Option<Text<'a>>,
}

/// `[package.metadata.deb.systemd-units]`, or one of several.
#[derive(Clone)]
pub(super) struct Units<'a> {
    pub(super) unit_scripts: Option<Text<'a>>,
    pub(super) unit_name: Option<Text<'a>>,
    pub(super) enable: bool,
    pub(super) start: bool,
    pub(super) restart_after_upgrade: bool,
    pub(super) stop_on_upgrade: bool,
}

/// The relations that the table has.
const RELATIONS: [(RelationKind, &str); 9] = [
    (RelationKind::Depends, "depends"),
    (RelationKind::PreDepends, "pre-depends"),
    (RelationKind::Recommends, "recommends"),
    (RelationKind::Suggests, "suggests"),
    (RelationKind::Enhances, "enhances"),
    (RelationKind::Conflicts, "conflicts"),
    (RelationKind::Breaks, "breaks"),
    (RelationKind::Replaces, "replaces"),
    (RelationKind::Provides, "provides"),
];

/// Reads the table, or the variant that is `wanted`, with what it inherits.
pub(super) fn read<'a>(reader: Reader<'a>, wanted: Option<&str>, notes: &mut Vec<Note>) -> Result<Chosen<'a>, Error> {
    let place = reader.place();
    let all = reader.tables("variants")?;
    let (main, merge) = table(&reader, notes)?;
    if merge.is_some() {
        let location = Some(place.location());
        let message = "`merge-assets` means something in a variant only: it is left out".to_owned();
        notes.push(Note { message, location, hint: Some("write the assets into `assets`".to_owned()) });
    }
    let known: Vec<String> = all.iter().map(|(name, _)| name.as_str().to_owned()).collect();
    let mut read = Vec::new();
    for (name, reader) in all {
        let (table, merge) = table(&reader, notes)?;
        reader.rest(notes);
        read.push((name, table, merge));
    }
    let chosen = match wanted {
        None => Chosen { table: main, variant: None },
        Some(wanted) => match read.into_iter().find(|(name, ..)| name.as_str() == wanted) {
            Some((name, own, merge)) => {
                let variant = own.name.is_none() && main.name.is_none();
                Chosen { table: own.over(main, merge), variant: variant.then(|| name.as_str().to_owned()) }
            }
            None => {
                return Err(reader.problem(
                    "variants",
                    &format!("there is no variant `{wanted}`"),
                    hint(wanted, &known),
                ));
            }
        },
    };
    reader.rest(notes);
    Ok(chosen)
}

/// The table that counts.
pub(super) struct Chosen<'a> {
    pub(super) table: Table<'a>,
    /// The variant that gives the package its name, when no table does.
    pub(super) variant: Option<String>,
}

fn hint(wanted: &str, known: &[String]) -> Option<String> {
    match crate::config::closest(wanted, known.iter().map(String::as_str)) {
        Some(near) => Some(format!("did you mean `--variant {near}`?")),
        None if known.is_empty() => Some("leave `--variant` out: the table has none".to_owned()),
        None => Some(format!("the variants are {}", known.join(", "))),
    }
}

fn table<'a>(reader: &Reader<'a>, notes: &mut Vec<Note>) -> Result<(Table<'a>, Option<Merge<'a>>), Error> {
    let relations = RELATIONS.iter().map(|(kind, key)| Ok((*kind, texts(reader, key)?)));
    // Debug symbols are compressed with the package that they are in; the key is known all the same.
    reader.boolean("compress-debug-symbols")?;
    let preserve = [reader.boolean("preserve-symlinks")?, reader.boolean("preserve_symlinks")?];
    let assets = reader.item("assets")?.map(|item| assets::list(item, notes)).transpose()?;
    let table = Table {
        name: reader.string("name")?,
        maintainer: reader.string("maintainer")?,
        copyright: reader.string("copyright")?,
        license_file: texts(reader, "license-file")?,
        changelog: reader.string("changelog")?,
        relations: relations.collect::<Result<_, Error>>()?,
        extended_description: reader.string("extended-description")?,
        extended_description_file: reader.string("extended-description-file")?,
        section: reader.string("section")?,
        priority: reader.string("priority")?,
        revision: reader.string("revision")?,
        conf_files: texts(reader, "conf-files")?,
        assets,
        triggers_file: reader.string("triggers-file")?,
        maintainer_scripts: reader.string("maintainer-scripts")?,
        features: texts(reader, "features")?,
        default_features: reader.boolean("default-features")?,
        separate_debug_symbols: reader.boolean("separate-debug-symbols")?,
        dbgsym: reader.boolean("dbgsym")?,
        preserve_symlinks: preserve.into_iter().flatten().next(),
        systemd_units: reader.item("systemd-units")?.map(|item| units(item, notes)).transpose()?,
        profile: reader.string("profile")?,
    };
    let merge = reader.table("merge-assets")?.map(|table| assets::merge(table, notes)).transpose()?;
    Ok((table, merge))
}

/// A string, or an array of strings.
fn texts<'a>(reader: &Reader<'a>, key: &'static str) -> Result<Option<Vec<Text<'a>>>, Error> {
    let Some(item) = reader.item(key)? else { return Ok(None) };
    let wrong = |text: &Text<'a>| text.error("must be a string, or an array of strings", None);
    let one = |item: Item<'a>| match item.value {
        Value::Text => Ok(item.text),
        _ => Err(wrong(&item.text)),
    };
    match item.value {
        Value::List(items) => items.into_iter().map(one).collect::<Result<_, _>>().map(Some),
        _ => one(item).map(|text| Some(vec![text])),
    }
}

/// `systemd-units`: one table, or an array of tables.
fn units<'a>(item: Item<'a>, notes: &mut Vec<Note>) -> Result<Vec<Units<'a>>, Error> {
    let mut one = |item: Item<'a>| match item.value {
        Value::Table(table) => unit(table, notes),
        _ => Err(item.text.error("must be a table, or an array of tables", None)),
    };
    match item.value {
        Value::List(items) => items.into_iter().map(one).collect(),
        _ => Ok(vec![one(item)?]),
    }
}

fn unit<'a>(table: Reader<'a>, notes: &mut Vec<Note>) -> Result<Units<'a>, Error> {
    let choice = |key| Ok::<bool, Error>(table.boolean(key)?.unwrap_or(true));
    let units = Units {
        unit_scripts: table.string("unit-scripts")?,
        unit_name: table.string("unit-name")?,
        enable: choice("enable")?,
        start: choice("start")?,
        restart_after_upgrade: choice("restart-after-upgrade")?,
        stop_on_upgrade: choice("stop-on-upgrade")?,
    };
    table.rest(notes);
    Ok(units)
}

impl<'a> Table<'a> {
    /// This variant over the main table; each key that it has not is inherited.
    fn over(self, main: Self, merge: Option<Merge<'a>>) -> Self {
        let mut assets = self.assets.or(main.assets);
        if let Some(merge) = merge {
            assets = Some(merge.into(assets.unwrap_or_else(|| vec![Asset::Auto])));
        }
        let relations = self.relations.into_iter().zip(main.relations);
        Self {
            name: self.name.or(main.name),
            maintainer: self.maintainer.or(main.maintainer),
            copyright: self.copyright.or(main.copyright),
            license_file: self.license_file.or(main.license_file),
            changelog: self.changelog.or(main.changelog),
            relations: relations.map(|((kind, own), (_, main))| (kind, own.or(main))).collect(),
            extended_description: self.extended_description.or(main.extended_description),
            extended_description_file: self.extended_description_file.or(main.extended_description_file),
            section: self.section.or(main.section),
            priority: self.priority.or(main.priority),
            revision: self.revision.or(main.revision),
            conf_files: self.conf_files.or(main.conf_files),
            assets,
            triggers_file: self.triggers_file.or(main.triggers_file),
            maintainer_scripts: self.maintainer_scripts.or(main.maintainer_scripts),
            features: self.features.or(main.features),
            default_features: self.default_features.or(main.default_features),
            separate_debug_symbols: self.separate_debug_symbols.or(main.separate_debug_symbols),
            dbgsym: self.dbgsym.or(main.dbgsym),
            preserve_symlinks: self.preserve_symlinks.or(main.preserve_symlinks),
            systemd_units: self.systemd_units.or(main.systemd_units),
            profile: self.profile.or(main.profile),
        }
    }

    /// The relations of one kind, taken apart at their commas; `None` when the key is not there.
    pub(super) fn relations(&self, kind: RelationKind) -> Option<&[Text<'a>]> {
        let found = self.relations.iter().find(|(one, _)| *one == kind);
        found.and_then(|(_, texts)| texts.as_deref())
    }
}
