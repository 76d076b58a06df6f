//! The table with what a command line lays over it, as cargo-generate-rpm does (`CompoundMetadataConfig`): for each key the
//! last layer that has it speaks alone. Tables and arrays are not merged: who lays `assets` over the manifest's gives all of
//! them.
//!
//! Each layer keeps its own text, so that an error shows the line of the manifest, of the file, or of the switch that it
//! stands in.

use std::path::PathBuf;
use std::sync::Arc;

use toml::Spanned;
use toml::de::DeTable;

use super::super::options::Overlay;
use crate::config::error::Error;
use crate::config::reader::{Item, Reader, Source, Text};
use crate::config::suggest::closest;
use crate::config::{Note, find};

/// How the text of a `--set-metadata` is named where it is shown.
const SWITCH: &str = "--set-metadata";

/// A text with the keys that lead to its table.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    source: Source,
    keys: Vec<String>,
}

impl Layer {
    /// The manifest's own table.
    pub(super) fn manifest(source: &Source, keys: &[&str]) -> Self {
        Self { source: source.clone(), keys: keys.iter().map(|key| (*key).to_owned()).collect() }
    }

    /// What `overlay` lays over `manifest`.
    fn over(overlay: &Overlay, manifest: &Self) -> Result<Self, Error> {
        Ok(match overlay {
            Overlay::Text(text) => {
                let source = Source { path: PathBuf::from(SWITCH), text: Arc::from(text.as_str()) };
                Self { source, keys: Vec::new() }
            }
            Overlay::File { path, text, table } => Self {
                source: Source { path: path.clone(), text: Arc::clone(text) },
                keys: table.as_deref().map(dotted).transpose()?.unwrap_or_default(),
            },
            Overlay::Variant(name) => {
                let mut layer = manifest.clone();
                layer.keys.extend(["variants".to_owned(), name.clone()]);
                layer
            }
        })
    }

    /// The document, to be held as long as its tables are read.
    fn parse(&self) -> Result<Spanned<DeTable<'_>>, Error> {
        self.source.parse()
    }

    /// The table in the document.
    fn reader<'a>(&'a self, document: &'a Spanned<DeTable<'a>>) -> Result<Reader<'a>, Error> {
        let keys: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        let Some((table, span)) = find::descend(document.get_ref(), &keys) else {
            return Err(self.lacking(document, &keys));
        };
        Ok(Reader::new(&self.source, table, span.unwrap_or(0..0), &self.keys.join(".")))
    }

    /// A table that was asked for and is not there, shown at the last one that is.
    fn lacking(&self, document: &Spanned<DeTable<'_>>, keys: &[&str]) -> Error {
        let present = (0..keys.len()).rev().find_map(|count| {
            let there = keys.get(..count).unwrap_or_default();
            find::descend(document.get_ref(), there).map(|(table, span)| (count, table, span.unwrap_or(0..0)))
        });
        let (count, known, span) = match present {
            Some((count, table, span)) => (count, table.keys().map(|key| key.get_ref().as_ref()).collect(), span),
            None => (0, Vec::new(), 0..0),
        };
        let missing = keys.get(count).copied().unwrap_or_default();
        let hint = closest(missing, known.iter().copied()).map(|near| format!("did you mean `{near}`?"));
        let hint = hint.or_else(|| (!known.is_empty()).then(|| format!("there are: {}", known.join(", "))));
        Error::Value {
            key: keys.join("."),
            problem: format!("no table `{missing}` in {}", self.source.path.display()),
            hints: hint.into_iter().collect(),
            location: self.source.location(span),
        }
    }
}

/// The keys of a dotted path of bare keys.
fn dotted(path: &str) -> Result<Vec<String>, Error> {
    let is_bare = |key: &str| {
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    if path.split('.').all(is_bare) {
        return Ok(path.split('.').map(str::to_owned).collect());
    }
    Err(Error::Argument { problem: format!("`{path}` after `#` is no dotted path of TOML's bare keys (`a.b-c.d`)") })
}

/// The manifest's layer and those over it, lowest first.
pub(super) fn layers(manifest: Layer, overlays: &[&Overlay]) -> Result<Vec<Layer>, Error> {
    let over: Vec<Layer> = overlays.iter().map(|overlay| Layer::over(overlay, &manifest)).collect::<Result<_, _>>()?;
    Ok(std::iter::once(manifest).chain(over).collect())
}

/// Gives `read` all layers at once.
pub(super) fn with_layers<T>(layers: &[Layer], read: impl FnOnce(Layered<'_>) -> Result<T, Error>) -> Result<T, Error> {
    let documents: Vec<_> = layers.iter().map(Layer::parse).collect::<Result<_, _>>()?;
    let readers = layers.iter().zip(&documents).map(|(layer, document)| layer.reader(document));
    read(Layered { readers: readers.collect::<Result<_, _>>()? })
}

/// The layers as one table.
pub(super) struct Layered<'a> {
    readers: Vec<Reader<'a>>,
}

impl<'a> Layered<'a> {
    /// What the last layer that has `key` says; every layer is asked, so that none calls the key unknown.
    fn last<T>(
        &self,
        key: &'static str,
        ask: impl Fn(&Reader<'a>) -> Result<Option<T>, Error>,
    ) -> Result<Option<T>, Error> {
        let mut found = Ok(None);
        for reader in &self.readers {
            if reader.item(key)?.is_some() {
                found = ask(reader);
            }
        }
        found
    }

    pub(super) fn string(&self, key: &'static str) -> Result<Option<Text<'a>>, Error> {
        self.last(key, |reader| reader.string(key))
    }

    pub(super) fn boolean(&self, key: &'static str) -> Result<Option<bool>, Error> {
        self.last(key, |reader| reader.boolean(key))
    }

    pub(super) fn item(&self, key: &'static str) -> Result<Option<Item<'a>>, Error> {
        self.last(key, |reader| reader.item(key))
    }

    pub(super) fn number(&self, key: &'static str, most: u32) -> Result<Option<u32>, Error> {
        self.last(key, |reader| reader.number(key, 0, most))
    }

    pub(super) fn table(&self, key: &'static str) -> Result<Option<Reader<'a>>, Error> {
        self.last(key, |reader| reader.table(key))
    }

    /// An array of tables; `None` when no layer has the key.
    pub(super) fn array(&self, key: &'static str) -> Result<Option<Vec<Reader<'a>>>, Error> {
        self.last(key, |reader| reader.array(key).map(Some))
    }

    /// The key without which the tool does nothing.
    pub(super) fn missing(&self, key: &str, example: &'static str) -> Error {
        match self.readers.first() {
            Some(reader) => reader.missing(key, example),
            None => Error::Argument { problem: format!("`{key}` is missing") },
        }
    }

    /// What nobody asked for, in any layer.
    pub(super) fn rest(self, notes: &mut Vec<Note>) {
        self.readers.into_iter().for_each(|reader| reader.rest(notes));
    }
}
