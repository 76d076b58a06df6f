//! The options of a line: cut into words as a shell would, then matched against a table.
//!
//! pip reads them with Python's `optparse` after `shlex.split`; so `--hash=X`, `--hash X`, `-iURL` and `-i URL` are all
//! understood. Abbreviations (`--extra-index`), which optparse would take, are not.

use std::ops::Range;

use super::super::source::{Error, Source};
use super::lines::LogicalLine;

/// A word with its place in the logical line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ecosystem::python) struct Word {
    /// Without quotes.
    pub(in crate::ecosystem::python) text: String,
    /// In the logical line, quotes included.
    pub(in crate::ecosystem::python) range: Range<usize>,
}

/// One option of a table.
#[derive(Debug)]
pub(in crate::ecosystem::python) struct Spec<K: 'static> {
    /// `--index-url`, and other spellings.
    pub(in crate::ecosystem::python) long: &'static [&'static str],
    /// `i`.
    pub(in crate::ecosystem::python) short: Option<char>,
    /// Whether it takes a value.
    pub(in crate::ecosystem::python) has_value: bool,
    /// What it is.
    pub(in crate::ecosystem::python) key: K,
}

/// An option as it stands in a line.
#[derive(Debug)]
pub(in crate::ecosystem::python) struct Given<K> {
    /// What it is.
    pub(in crate::ecosystem::python) key: K,
    /// Its value, empty for a flag.
    pub(in crate::ecosystem::python) value: String,
    /// As it was written, without the value.
    pub(in crate::ecosystem::python) name: String,
    /// In the logical line, value included.
    pub(in crate::ecosystem::python) range: Range<usize>,
}

/// A line, cut.
#[derive(Debug)]
pub(in crate::ecosystem::python) struct Cut<K> {
    /// What stands before the first option, as it is written; empty when the line starts with an option.
    pub(in crate::ecosystem::python) head: String,
    /// The options.
    pub(in crate::ecosystem::python) options: Vec<Given<K>>,
    /// Words that stand after the first option and are no option's value.
    pub(in crate::ecosystem::python) rest: Vec<Word>,
}

/// Cuts `line` by `table`. `unknown` makes the error for an option that is not in it.
pub(in crate::ecosystem::python) fn cut<K: Copy>(
    source: &Source,
    line: &LogicalLine,
    table: &'static [Spec<K>],
    unknown: &dyn Fn(&str, Range<usize>) -> Error,
) -> Result<Cut<K>, Error> {
    let start = first_option(&line.text);
    let head = line.text.get(..start).unwrap_or_default().trim_end().to_owned();
    let mut words = words(source, line, start)?.into_iter();
    let mut result = Cut { head, options: Vec::new(), rest: Vec::new() };
    while let Some(word) = words.next() {
        if !word.text.starts_with('-') || word.text == "-" {
            result.rest.push(word);
            continue;
        }
        let (name, attached) = split_name(&word.text);
        let found = table.iter().find(|spec| match name.strip_prefix("--") {
            Some(_) => spec.long.contains(&name),
            None => spec.short.is_some_and(|short| name.chars().nth(1) == Some(short)),
        });
        let Some(spec) = found else { return Err(unknown(name, line.span(word.range.clone()))) };
        let mut range = word.range.clone();
        let value = match (spec.has_value, attached) {
            (true, Some(value)) => value.to_owned(),
            (true, None) => match words.next() {
                Some(next) => {
                    range.end = next.range.end;
                    next.text
                }
                None => {
                    let message = format!("`{name}` needs a value");
                    return Err(source.error(line.span(word.range), message, &[]));
                }
            },
            (false, None) => String::new(),
            (false, Some(_)) => {
                let message = format!("`{name}` takes no value");
                return Err(source.error(line.span(word.range), message, &[]));
            }
        };
        result.options.push(Given { key: spec.key, value, name: name.to_owned(), range });
    }
    Ok(result)
}

/// `--name=value` and `-nvalue` in two.
fn split_name(word: &str) -> (&str, Option<&str>) {
    if word.starts_with("--") {
        return match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
    }
    let end = word.char_indices().nth(2).map_or(word.len(), |(at, _)| at);
    let (name, value) = word.split_at_checked(end).unwrap_or((word, ""));
    (name, (!value.is_empty()).then_some(value))
}

/// Where the first word that starts with `-` stands.
fn first_option(text: &str) -> usize {
    let mut after_space = true;
    for (at, character) in text.char_indices() {
        if character == '-' && after_space {
            return at;
        }
        after_space = character.is_whitespace();
    }
    text.len()
}

/// The words of `line` from byte `start` on, by the rules of a POSIX shell (as Python's `shlex.split` has them).
pub(in crate::ecosystem::python) fn words(
    source: &Source,
    line: &LogicalLine,
    start: usize,
) -> Result<Vec<Word>, Error> {
    let mut words = Vec::new();
    let mut current: Option<Word> = None;
    let mut quote: Option<(char, usize)> = None;
    let mut characters = line.text.char_indices().skip_while(|&(at, _)| at < start).peekable();
    while let Some((at, character)) = characters.next() {
        if quote.is_none() && character.is_whitespace() {
            words.extend(current.take());
            continue;
        }
        let word = current.get_or_insert_with(|| Word { text: String::new(), range: at..at });
        word.range.end = at + character.len_utf8();
        match (quote, character) {
            (Some((open, _)), close) if open == close => quote = None,
            (None, '"' | '\'') => quote = Some((character, at)),
            (None, '\\') => {
                if let Some((next_at, next)) = characters.next() {
                    word.text.push(next);
                    word.range.end = next_at + next.len_utf8();
                }
            }
            (Some(('"', _)), '\\') => match characters.peek() {
                Some(&(next_at, next @ ('"' | '\\'))) => {
                    word.text.push(next);
                    word.range.end = next_at + 1;
                    characters.next();
                }
                _ => word.text.push('\\'),
            },
            _ => word.text.push(character),
        }
    }
    if let Some((_, at)) = quote {
        return Err(source.error(line.span(at..line.text.len()), "a quote that is not closed", &[]));
    }
    words.extend(current);
    Ok(words)
}
