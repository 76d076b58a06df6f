//! A TOML document as a tree whose every node knows its place, for files with keys that are not packhouse's.
//!
//! pyproject.toml belongs to many tools, so it is not read into one structure: what packhouse needs is looked up, with an
//! error at the value's place when it is of another type than the standard says.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::source::{Error, Source};

/// A node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item<'a> {
    /// The value.
    pub(super) value: &'a DeValue<'a>,
    start: usize,
    end: usize,
    /// `[tool]` of the document.
    tool: Option<&'a DeValue<'a>>,
}

/// Parses the document and gives its root to `then`.
pub(super) fn parse<T>(source: &Source, then: impl FnOnce(Item<'_>) -> Result<T, Error>) -> Result<T, Error> {
    let document = DeTable::parse(&source.text).map_err(|error| {
        source.error(error.span().unwrap_or_default(), format!("the file is no TOML: {}", error.message()), &[])
    })?;
    let span = document.span();
    let root = DeValue::Table(document.into_inner());
    let tool = root.as_table().and_then(|table| table.get("tool")).map(Spanned::get_ref);
    then(Item { value: &root, start: span.start, end: span.end, tool })
}

impl<'a> Item<'a> {
    fn child(&self, value: &'a Spanned<DeValue<'a>>) -> Item<'a> {
        let span = value.span();
        Item { value: value.get_ref(), start: span.start, end: span.end, tool: self.tool }
    }

    /// Its place in the file.
    pub(super) fn span(&self) -> Range<usize> {
        self.start..self.end
    }

    /// `FILE:LINE: what`, for what could not be read.
    pub(super) fn note(&self, source: &Source, what: &str) -> String {
        let name = source.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        format!("{name}:{}: {what}", source.line_at(self.start))
    }

    /// The value of `key`, when this is a table that has it.
    pub(super) fn get(&self, key: &str) -> Option<Item<'a>> {
        self.value.as_table()?.get(key).map(|value| self.child(value))
    }

    /// `[tool.NAME]` of the document.
    pub(super) fn root_tool(&self, name: &str) -> Option<Item<'a>> {
        self.tool?.as_table()?.get(name).map(|value| self.child(value))
    }

    /// The value at the end of a path of keys.
    pub(super) fn at(&self, path: &[&str]) -> Option<Item<'a>> {
        path.iter().try_fold(*self, |item, key| item.get(key))
    }

    /// The elements of an array; none for anything else.
    pub(super) fn elements(&self) -> Vec<Item<'a>> {
        let elements = self.value.as_array().into_iter().flat_map(|array| array.iter());
        elements.map(|value| self.child(value)).collect()
    }

    /// The entries of the table at `key`; none when there is no such key.
    pub(super) fn entries(&self, source: &Source, key: &str) -> Result<Vec<(&'a str, Item<'a>)>, Error> {
        let Some(item) = self.get(key) else { return Ok(Vec::new()) };
        let Some(table) = item.value.as_table() else {
            return Err(source.error(item.span(), format!("`{key}` must be a table"), &[]));
        };
        Ok(table.iter().map(|(name, value)| (name.get_ref().as_ref(), item.child(value))).collect())
    }

    /// The text that this is.
    pub(super) fn as_string(&self, source: &Source) -> Result<String, Error> {
        match self.value.as_str() {
            Some(text) => Ok(text.to_owned()),
            None => {
                let message = format!("a text is expected here, this is a value of type {}", self.value.type_str());
                Err(source.error(self.span(), message, &[]))
            }
        }
    }

    /// The text at `key`, if there is such a key.
    pub(super) fn string(&self, source: &Source, key: &str) -> Result<Option<String>, Error> {
        self.get(key).map(|item| item.as_string(source)).transpose()
    }

    /// The array of texts that this is, each with its place.
    pub(super) fn strings(&self, source: &Source) -> Result<Vec<(String, Range<usize>)>, Error> {
        if self.value.as_array().is_none() {
            let message = format!("an array of texts is expected here, this is {}", self.value.type_str());
            return Err(source.error(self.span(), message, &[]));
        }
        self.elements().into_iter().map(|item| Ok((item.as_string(source)?, item.span()))).collect()
    }
}
