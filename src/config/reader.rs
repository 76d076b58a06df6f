//! Reads a TOML table key by key. Every key that is asked for is remembered, so that what nobody asked for is an error
//! with a suggestion, without a second list of the keys that exist. All values keep their spans.

use std::cell::RefCell;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::dialect::Note;
use super::error::Error;
use super::files::Place;
use super::suggest::closest;
use crate::diagnostic::{Location, shortened};

/// The file that is read.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// As the user would name it.
    pub(super) path: PathBuf,
    /// All of it.
    pub(super) text: Arc<str>,
}

impl Source {
    pub(super) fn location(&self, span: Range<usize>) -> Box<Location> {
        Box::new(Location::new(&self.path, self.text.as_ref(), span))
    }

    /// The file's root table.
    pub(super) fn parse(&self) -> Result<Spanned<DeTable<'_>>, Error> {
        DeTable::parse(&self.text).map_err(|error| Error::Syntax {
            message: error.message().to_owned(),
            location: self.location(error.span().unwrap_or(0..0)),
        })
    }
}

/// One text of the file, with its key and place.
#[derive(Debug, Clone)]
pub(super) struct Text<'a> {
    source: &'a Source,
    key: String,
    value: String,
    span: Range<usize>,
}

impl<'a> Text<'a> {
    pub(super) fn as_str(&self) -> &str {
        &self.value
    }

    /// What `parse` makes of it; its error is one of this place.
    pub(super) fn parse<T, P: std::fmt::Display>(
        &self,
        parse: impl FnOnce(&str) -> Result<T, P>,
        hint: &str,
    ) -> Result<T, Error> {
        parse(&self.value).map_err(|problem| self.error(problem, (!hint.is_empty()).then(|| hint.to_owned())))
    }

    /// An error of this place.
    pub(super) fn error(&self, problem: impl std::fmt::Display, hints: impl IntoIterator<Item = String>) -> Error {
        Error::Value {
            key: shortened(&self.key),
            problem: shortened(&problem.to_string()),
            hints: hints.into_iter().collect(),
            location: self.source.location(self.span.clone()),
        }
    }

    /// Where it stands, for errors that show later.
    pub(super) fn place(&self) -> Place {
        Place::new(self.source.clone(), self.span.clone())
    }

    /// Where it stands.
    pub(super) fn location(&self) -> Location {
        *self.source.location(self.span.clone())
    }

    /// A warning about this place.
    pub(super) fn note(&self, message: impl Into<String>, hint: Option<String>) -> Note {
        Note { message: message.into(), location: Some(self.location()), hint }
    }

    /// One of these words.
    pub(super) fn choice<T: Copy>(&self, choices: &[(&'static str, T)]) -> Result<T, Error> {
        let found = choices.iter().find(|(word, _)| *word == self.value);
        found.map(|(_, choice)| *choice).ok_or_else(|| {
            let words = choices.iter().map(|(word, _)| *word);
            let hint = match closest(&self.value, words.clone()) {
                Some(word) => format!("did you mean `{word}`?"),
                None => {
                    format!("write one of {}", words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "))
                }
            };
            self.error(format!("unknown value `{}`", self.value), Some(hint))
        })
    }

    /// Checks it and keeps it as it is.
    pub(super) fn checked<P: std::fmt::Display>(
        self,
        check: impl FnOnce(&str) -> Result<(), P>,
        hint: &str,
    ) -> Result<String, Error> {
        self.parse(check, hint)?;
        Ok(self.value)
    }
}

/// Lists with the keys that they stand at; `None` for one that stands by itself.
pub(super) type NamedLists<'a> = Vec<(Option<Text<'a>>, Vec<Text<'a>>)>;

/// A value of a key that takes several types, with its place.
pub(super) struct Item<'a> {
    /// Its place, and what it says if it is no list and no table.
    pub(super) text: Text<'a>,
    pub(super) value: Value<'a>,
}

/// What an [`Item`] is.
pub(super) enum Value<'a> {
    Text,
    Number,
    Boolean(bool),
    List(Vec<Item<'a>>),
    Table(Reader<'a>),
    /// A date or a number with a point.
    Other,
}

impl Item<'_> {
    /// An error of a value that is not of the type that its key takes.
    pub(super) fn mistyped(&self, expected: &'static str) -> Error {
        let found = match &self.value {
            Value::Text => "a string",
            Value::Number => "an integer",
            Value::Boolean(_) => "a boolean",
            Value::List(_) => "an array",
            Value::Table(_) => "a table",
            Value::Other => "a date or a float",
        };
        let location = self.text.source.location(self.text.span.clone());
        Error::Type { key: self.text.key.clone(), expected, found, location }
    }
}

/// A table being read.
pub(super) struct Reader<'a> {
    source: &'a Source,
    table: &'a DeTable<'a>,
    /// Where the table is introduced.
    span: Range<usize>,
    /// The table's name with its parents, dotted; empty for the root.
    name: String,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a Source, table: &'a DeTable<'a>, span: Range<usize>, name: &str) -> Self {
        Self { source, table, span, name: name.to_owned(), asked: RefCell::new(Vec::new()) }
    }

    /// The key with its tables, as messages name it.
    pub(super) fn full_key(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    pub(super) fn missing(&self, key: &str, example: &'static str) -> Error {
        let location = self.source.location(self.span.clone());
        Error::MissingKey { key: self.full_key(key), example, location }
    }

    /// An error of this key's value.
    pub(super) fn problem(&self, key: &str, problem: &str, hint: Option<String>) -> Error {
        let span = self.table.get(key).map_or_else(|| self.span.clone(), Spanned::span);
        Error::Value {
            key: self.full_key(key),
            problem: problem.to_owned(),
            hints: hint.into_iter().collect(),
            location: self.source.location(span),
        }
    }

    fn get(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        #[cfg(test)]
        super::dialect::keys::record(self.full_key(key));
        self.asked.borrow_mut().push(key);
        self.table.get(key)
    }

    fn wrong(&self, key: &str, expected: &'static str, value: &Spanned<DeValue<'_>>) -> Error {
        let found = match value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a float",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        Error::Type { key: self.full_key(key), expected, found, location: self.source.location(value.span()) }
    }

    fn text(&self, key: &str, value: &Spanned<DeValue<'_>>, expected: &'static str) -> Result<Text<'a>, Error> {
        let text = value.get_ref().as_str().ok_or_else(|| self.wrong(key, expected, value))?;
        Ok(Text { source: self.source, key: self.full_key(key), value: text.to_owned(), span: value.span() })
    }

    /// A string.
    pub(super) fn string(&self, key: &'static str) -> Result<Option<Text<'a>>, Error> {
        self.get(key).map(|value| self.text(key, value, "a string")).transpose()
    }

    /// An array of strings, each once.
    pub(super) fn strings(&self, key: &'static str) -> Result<Option<Vec<Text<'a>>>, Error> {
        self.get(key).map(|value| self.list(key, value)).transpose()
    }

    fn list(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<Vec<Text<'a>>, Error> {
        let expected = "an array of strings";
        let array = value.get_ref().as_array().ok_or_else(|| self.wrong(key, expected, value))?;
        let mut texts: Vec<Text<'a>> = Vec::new();
        for value in array {
            let text = self.text(key, value, expected)?;
            if texts.iter().any(|other| other.value == text.value) {
                return Err(text.error(format!("`{}` stands here twice", text.value), None));
            }
            texts.push(text);
        }
        Ok(texts)
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self, key: &'static str) -> Result<Option<bool>, Error> {
        let Some(value) = self.get(key) else { return Ok(None) };
        value.get_ref().as_bool().map(Some).ok_or_else(|| self.wrong(key, "true or false", value))
    }

    /// A number between `least` and `most`.
    pub(super) fn number(&self, key: &'static str, least: u32, most: u32) -> Result<Option<u32>, Error> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let integer = value.get_ref().as_integer().ok_or_else(|| self.wrong(key, "an integer", value))?;
        match u32::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => Err(Error::Value {
                key: self.full_key(key),
                problem: format!("{integer} is not between {least} and {most}"),
                hints: Vec::new(),
                location: self.source.location(value.span()),
            }),
        }
    }

    /// A table.
    pub(super) fn table(&self, key: &'static str) -> Result<Option<Reader<'a>>, Error> {
        let Some(value) = self.get(key) else { return Ok(None) };
        self.reader(key, value).map(Some)
    }

    fn reader(&self, key: &str, value: &'a Spanned<DeValue<'a>>) -> Result<Reader<'a>, Error> {
        let table = value.get_ref().as_table().ok_or_else(|| self.wrong(key, "a table", value))?;
        Ok(Reader::new(self.source, table, value.span(), &self.full_key(key)))
    }

    /// The tables of a table whose keys are names, with their names.
    pub(super) fn tables(&self, key: &'static str) -> Result<Vec<(Text<'a>, Reader<'a>)>, Error> {
        let Some(outer) = self.table(key)? else { return Ok(Vec::new()) };
        let table = |(name, value): (Text<'a>, _)| {
            let table = outer.reader(&name.value, value)?;
            Ok((name, table))
        };
        outer.named().map(table).collect()
    }

    /// The lists of a table whose keys are names, with their names.
    pub(super) fn lists(&self, key: &'static str) -> Result<Vec<(Text<'a>, Vec<Text<'a>>)>, Error> {
        let Some(outer) = self.table(key)? else { return Ok(Vec::new()) };
        let list = |(name, value): (Text<'a>, _)| {
            let list = outer.list(&name.value, value)?;
            Ok((name, list))
        };
        outer.named().map(list).collect()
    }

    /// All keys of a table whose values are texts, numbers, booleans or arrays of these, as texts.
    pub(super) fn scalars(&self) -> Result<Vec<(Text<'a>, Vec<Text<'a>>)>, Error> {
        let expected = "a string, a number, true, false, or an array of these";
        self.named()
            .map(|(name, value)| {
                let values = match value.get_ref() {
                    DeValue::Array(values) => {
                        let values = values.iter().map(|value| self.scalar(&name.value, value, expected));
                        values.collect::<Result<Vec<_>, _>>()?
                    }
                    _ => vec![self.scalar(&name.value, value, expected)?],
                };
                Ok((name, values))
            })
            .collect()
    }

    fn scalar(&self, key: &str, value: &Spanned<DeValue<'_>>, expected: &'static str) -> Result<Text<'a>, Error> {
        let text = match value.get_ref() {
            DeValue::String(text) => text.clone().into_owned(),
            DeValue::Integer(number) => number.to_string(),
            DeValue::Boolean(truth) => if *truth { "yes" } else { "no" }.to_owned(),
            _ => return Err(self.wrong(key, expected, value)),
        };
        Ok(Text { source: self.source, key: self.full_key(key), value: text, span: value.span() })
    }

    /// A list, or a table of lists whose keys are names: each list with its name, `None` for one that stands by itself.
    pub(super) fn list_or_lists(&self, key: &'static str) -> Result<NamedLists<'a>, Error> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        match value.get_ref() {
            DeValue::Array(_) => Ok(vec![(None, self.list(key, value)?)]),
            DeValue::Table(_) => {
                let table = self.reader(key, value)?;
                let list = |(name, value): (Text<'a>, _)| {
                    let list = table.list(&name.value, value)?;
                    Ok((Some(name), list))
                };
                table.named().map(list).collect()
            }
            _ => Err(self.wrong(key, "an array of strings, or a table of them", value)),
        }
    }

    fn named(&self) -> impl Iterator<Item = (Text<'a>, &'a Spanned<DeValue<'a>>)> {
        self.table.iter().map(|(key, value)| {
            let name = key.get_ref().clone().into_owned();
            (Text { source: self.source, key: self.full_key(&name), value: name, span: key.span() }, value)
        })
    }

    /// The value of a key that takes several types.
    pub(super) fn item(&self, key: &'static str) -> Result<Option<Item<'a>>, Error> {
        self.get(key).map(|value| self.item_of(key, value)).transpose()
    }

    /// All keys with their values, whatever they are.
    pub(super) fn items(&self) -> Result<Vec<(Text<'a>, Item<'a>)>, Error> {
        self.named()
            .map(|(name, value)| {
                let item = self.item_of(&name.value, value)?;
                Ok((name, item))
            })
            .collect()
    }

    fn item_of(&self, key: &str, value: &'a Spanned<DeValue<'a>>) -> Result<Item<'a>, Error> {
        let (text, kind) = match value.get_ref() {
            DeValue::String(text) => (text.clone().into_owned(), Value::Text),
            DeValue::Integer(number) => (number.to_string(), Value::Number),
            DeValue::Float(number) => (number.to_string(), Value::Other),
            DeValue::Boolean(truth) => (truth.to_string(), Value::Boolean(*truth)),
            DeValue::Datetime(time) => (time.to_string(), Value::Other),
            DeValue::Array(values) => {
                let items = values.iter().map(|value| self.item_of(key, value)).collect::<Result<_, _>>()?;
                (String::new(), Value::List(items))
            }
            DeValue::Table(_) => (String::new(), Value::Table(self.reader(key, value)?)),
        };
        let text = Text { source: self.source, key: self.full_key(key), value: text, span: value.span() };
        Ok(Item { text, value: kind })
    }

    /// An array of tables (`[[key]]`).
    pub(super) fn array(&self, key: &'static str) -> Result<Vec<Reader<'a>>, Error> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        let array = value.get_ref().as_array().ok_or_else(|| self.wrong(key, "an array of tables", value))?;
        array.iter().map(|value| self.reader(key, value)).collect()
    }

    /// Where the table is introduced, for errors that show later.
    pub(super) fn place(&self) -> Place {
        Place::new(self.source.clone(), self.span.clone())
    }

    /// Where the table is introduced.
    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Nobody will ask for more: what is left of a table that was written for another tool is worth a note.
    pub(super) fn rest(self, notes: &mut Vec<Note>) {
        let known = self.asked.into_inner();
        let mut unknown: Vec<_> = self.table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())).collect();
        unknown.sort_by_key(|key| key.span().start);
        notes.extend(unknown.into_iter().map(|key| Note {
            message: format!("unknown key `{}` in `[{}]`: it is left out", key.get_ref(), self.name),
            location: Some(*self.source.location(key.span())),
            hint: closest(key.get_ref(), known.iter().copied()).map(|near| format!("did you mean `{near}`?")),
        }));
    }

    /// Nobody will ask for more: what is left is unknown.
    pub(super) fn finish(self) -> Result<(), Error> {
        let known = self.asked.into_inner();
        let unknown = self.table.keys().filter(|key| !known.contains(&key.get_ref().as_ref()));
        let Some(key) = unknown.min_by_key(|key| key.span().start) else { return Ok(()) };
        let suggestion = closest(key.get_ref(), known.iter().copied()).map(str::to_owned);
        let table = if self.name.is_empty() { "the configuration".to_owned() } else { format!("`[{}]`", self.name) };
        let location = self.source.location(key.span());
        Err(Error::UnknownKey { key: key.get_ref().clone().into_owned(), table, suggestion, known, location })
    }
}
