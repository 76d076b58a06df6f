//! `assets` and `merge-assets` as they are written.
//!
//! Source: cargo-deb 3.8.0, `CargoDebAssetArrayOrTable` and `MergeByKey`. Two of its slips are not repeated: merging by source
//! drops links and all but one of several assets that share a source, and a variant that merges into a table without
//! `assets` loses what `$auto` stands for.

use crate::config::dialect::Note;
use crate::config::error::Error;
use crate::config::reader::{Item, Reader, Text, Value};

/// One asset.
#[derive(Clone)]
pub(super) enum Asset<'a> {
    /// `"$auto"`: the programs, shared libraries and readme of the crate.
    Auto,
    /// A file or a pattern, and where it goes.
    File { source: Text<'a>, dest: Text<'a>, mode: Option<u32>, preserve: Option<bool> },
    /// A link at `dest` that leads to `target`.
    Link { dest: Text<'a>, target: Text<'a> },
}

/// `merge-assets` of a variant.
pub(super) struct Merge<'a> {
    append: Vec<Asset<'a>>,
    by_source: Vec<Asset<'a>>,
    by_destination: Vec<Asset<'a>>,
}

const FORMS: &str = "write `[\"source\", \"dest\", \"mode\"]`, `{ source = …, dest = …, mode = … }`, `{ dest = …, link_name = … }` or `\"$auto\"`";

/// An array of assets.
pub(super) fn list<'a>(item: Item<'a>, notes: &mut Vec<Note>) -> Result<Vec<Asset<'a>>, Error> {
    match item.value {
        Value::List(items) => items.into_iter().map(|item| asset(item, notes)).collect(),
        _ => Err(item.text.error("must be an array of assets", Some(FORMS.to_owned()))),
    }
}

fn asset<'a>(item: Item<'a>, notes: &mut Vec<Note>) -> Result<Asset<'a>, Error> {
    let wrong = |text: &Text<'a>, problem: &str| Err(text.error(problem, Some(FORMS.to_owned())));
    let Item { text, value } = item;
    match value {
        Value::Text if text.as_str() == "$auto" => Ok(Asset::Auto),
        Value::Text => wrong(&text, &format!("`{}` is no asset", text.as_str())),
        Value::List(items) => {
            let mut texts = Vec::new();
            for item in items {
                match item.value {
                    Value::Text => texts.push(item.text),
                    _ => return wrong(&item.text, "an asset's array holds strings alone"),
                }
            }
            let mut texts = texts.into_iter();
            match (texts.next(), texts.next(), texts.next(), texts.next()) {
                (Some(source), Some(dest), mode, None) => {
                    Ok(Asset::File { source, dest, mode: mode.as_ref().map(permissions).transpose()?, preserve: None })
                }
                _ => wrong(&text, "an asset has a source, a destination and, if need be, a mode"),
            }
        }
        Value::Table(table) => tabular(table, &text, notes),
        _ => wrong(&text, "is no asset"),
    }
}

fn tabular<'a>(table: Reader<'a>, text: &Text<'a>, notes: &mut Vec<Note>) -> Result<Asset<'a>, Error> {
    let source = table.string("source")?;
    let dest = table.string("dest")?;
    let mode = table.string("mode")?.as_ref().map(permissions).transpose()?;
    // The manual has the one spelling, the program the other, and neither complains.
    let preserve = [table.boolean("preserve-symlinks")?, table.boolean("preserve_symlinks")?];
    let target = [table.string("link_name")?, table.string("link-name")?].into_iter().flatten().next();
    let asset = match (source, dest, target) {
        (Some(source), Some(dest), link) => {
            if let Some(link) = link {
                notes.push(link.note("an asset with a `source` is no link: `link_name` is left out", None));
            }
            Asset::File { source, dest, mode, preserve: preserve.into_iter().flatten().next() }
        }
        (None, Some(dest), Some(target)) => Asset::Link { dest, target },
        (_, None, _) => return Err(text.error("the asset has no `dest`", Some(FORMS.to_owned()))),
        (None, Some(_), None) => {
            return Err(text.error("the asset has neither `source` nor `link_name`", Some(FORMS.to_owned())));
        }
    };
    table.rest(notes);
    Ok(asset)
}

/// An octal number.
fn permissions(text: &Text<'_>) -> Result<u32, Error> {
    let parse = |text: &str| match u32::from_str_radix(text, 8) {
        Ok(mode) if mode <= 0o7777 => Ok(mode),
        _ => Err(format!("`{text}` is no mode")),
    };
    text.parse(parse, "write the permission bits in octal, as a text: \"644\", \"755\"")
}

/// `merge-assets`.
pub(super) fn merge<'a>(table: Reader<'a>, notes: &mut Vec<Note>) -> Result<Merge<'a>, Error> {
    let append = table.item("append")?.map(|item| list(item, notes)).transpose()?.unwrap_or_default();
    let (mut by_source, mut by_destination) = (Vec::new(), Vec::new());
    if let Some(by) = table.table("by")? {
        by_source = by.item("src")?.map(|item| list(item, notes)).transpose()?.unwrap_or_default();
        by_destination = by.item("dest")?.map(|item| list(item, notes)).transpose()?.unwrap_or_default();
        by.rest(notes);
    }
    table.rest(notes);
    Ok(Merge { append, by_source, by_destination })
}

impl<'a> Merge<'a> {
    /// The assets of the main table with this in it: first what is appended, then what replaces.
    pub(super) fn into(self, mut assets: Vec<Asset<'a>>) -> Vec<Asset<'a>> {
        assets.extend(self.append);
        let keys: [for<'s> fn(&'s Asset<'a>) -> Option<&'s str>; 2] = [Asset::source, Asset::destination];
        for (replacements, key) in [self.by_source, self.by_destination].into_iter().zip(keys) {
            assets.retain(|asset| match asset {
                Asset::Auto => !replacements.iter().any(|one| matches!(one, Asset::Auto)),
                _ => key(asset).is_none_or(|wanted| replacements.iter().all(|one| key(one) != Some(wanted))),
            });
            assets.extend(replacements);
        }
        assets
    }
}

impl<'a> Asset<'a> {
    fn source(&self) -> Option<&str> {
        match self {
            Self::File { source, .. } => Some(source.as_str()),
            Self::Auto | Self::Link { .. } => None,
        }
    }

    fn destination(&self) -> Option<&str> {
        match self {
            Self::File { dest, .. } | Self::Link { dest, .. } => Some(dest.as_str()),
            Self::Auto => None,
        }
    }
}
