//! From the text of a requirements file to its logical lines: continuation joined, comments gone, every piece still
//! traceable to its place in the file.
//!
//! The order is pip's (`req_file.py`, `preprocess`): join lines that end in a backslash, then drop comments, then expand
//! `${VARIABLES}`; the last is refused here.

use std::ops::Range;

use super::super::source::{Error, Source};

/// How many lines a file may have, with all that it names.
pub(super) const LINE_LIMIT: usize = 100_000;

/// One logical line: never empty, without comment, trimmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ecosystem::python) struct LogicalLine {
    /// What it says.
    pub(in crate::ecosystem::python) text: String,
    /// The line (from 1) that it starts on.
    pub(in crate::ecosystem::python) number: usize,
    /// Where each joined piece starts: in `text`, and in the file.
    pieces: Vec<(usize, usize)>,
}

impl LogicalLine {
    /// The place in the file of a byte range of `text`.
    pub(in crate::ecosystem::python) fn span(&self, range: Range<usize>) -> Range<usize> {
        let start = self.offset(range.start);
        let end = if range.end > range.start { self.offset(range.end - 1) + 1 } else { start };
        start..end.max(start)
    }

    /// The place in the file of all of it.
    pub(in crate::ecosystem::python) fn whole(&self) -> Range<usize> {
        self.span(0..self.text.len())
    }

    fn offset(&self, position: usize) -> usize {
        let piece = self.pieces.iter().rev().find(|(start, _)| *start <= position);
        piece.map_or(position, |(start, offset)| offset + (position - start))
    }
}

/// A physical line with its place: number from 1, offset of its first byte.
struct Physical<'a> {
    text: &'a str,
    number: usize,
    offset: usize,
}

/// The logical lines of `source`.
pub(in crate::ecosystem::python) fn logical_lines(source: &Source) -> Result<Vec<LogicalLine>, Error> {
    let mut lines = Vec::new();
    let mut joined: Option<LogicalLine> = None;
    for physical in physical_lines(source)? {
        let is_comment = physical.text.trim_start().starts_with('#');
        let continues = physical.text.ends_with('\\') && !is_comment;
        let line =
            joined.get_or_insert_with(|| LogicalLine { text: String::new(), number: physical.number, pieces: vec![] });
        if is_comment && !line.text.is_empty() {
            // A comment ends a joined line; the space lets it be seen as one.
            line.text.push(' ');
        }
        line.pieces.push((line.text.len(), physical.offset));
        line.text.push_str(if continues { physical.text.trim_end_matches('\\') } else { physical.text });
        if !continues {
            lines.extend(joined.take().and_then(without_comment));
        }
    }
    lines.extend(joined.take().and_then(without_comment));
    for line in &lines {
        refuse_variables(source, line)?;
    }
    Ok(lines)
}

fn physical_lines(source: &Source) -> Result<Vec<Physical<'_>>, Error> {
    let mut lines = Vec::new();
    let mut offset = 0;
    let mut number = 0;
    for chunk in source.text.split_inclusive('\n') {
        number += 1;
        if number > LINE_LIMIT {
            let message = format!("a requirements file of more than {LINE_LIMIT} lines");
            return Err(source.error(offset..offset, message, &[]));
        }
        let text = chunk.strip_suffix('\n').unwrap_or(chunk);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if let Some((at, bad)) = text.char_indices().find(|&(_, character)| is_forbidden(character)) {
            let span = offset + at..offset + at + bad.len_utf8();
            let message = format!("the character U+{:04X} cannot stand in a requirements file", u32::from(bad));
            return Err(source.error(span, message, &["pip takes some of them for the end of a line; remove it"]));
        }
        lines.push(Physical { text, number, offset });
        offset += chunk.len();
    }
    Ok(lines)
}

/// Control characters, and what Python's `str.splitlines` takes for the end of a line although editors do not.
fn is_forbidden(character: char) -> bool {
    (character.is_control() && character != '\t') || matches!(character, '\u{2028}' | '\u{2029}')
}

/// Drops the comment and the white space around; `None` when nothing is left.
fn without_comment(mut line: LogicalLine) -> Option<LogicalLine> {
    let mut after_space = true;
    let mut end = line.text.len();
    for (at, character) in line.text.char_indices() {
        if character == '#' && after_space {
            end = at;
            break;
        }
        after_space = character.is_whitespace();
    }
    line.text.truncate(end);
    line.text.truncate(line.text.trim_end().len());
    let lead = line.text.len() - line.text.trim_start().len();
    line.text.drain(..lead);
    // Pieces keep pointing at the same bytes: those before the new start move the file's offset on instead.
    for (start, offset) in &mut line.pieces {
        *offset += lead.saturating_sub(*start);
        *start = start.saturating_sub(lead);
    }
    (!line.text.is_empty()).then_some(line)
}

/// pip expands `${NAME}` (capitals, digits, `_`) from the environment; a lock must not depend on it.
fn refuse_variables(source: &Source, line: &LogicalLine) -> Result<(), Error> {
    let mut from = 0;
    while let Some(found) = line.text.get(from..).and_then(|rest| rest.find("${")) {
        let start = from + found;
        let rest = line.text.get(start + 2..).unwrap_or_default();
        if let Some((name, _)) = rest.split_once('}') {
            let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
            if !name.is_empty() && name.bytes().all(allowed) {
                return Err(source.error(
                    line.span(start..start + name.len() + 3),
                    format!("`${{{name}}}` would be taken from the environment, which must not decide what is locked"),
                    &[
                        "write the value out",
                        "credentials of an index belong in netrc, a keyring or the index's own variables, its URL in \
                         [[index]] of packhouse.toml",
                    ],
                ));
            }
        }
        from = start + 2;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn source(text: &str) -> Source {
        Source { path: Path::new("/r.txt").to_path_buf(), text: text.to_owned() }
    }

    fn texts(text: &str) -> Vec<(usize, String)> {
        logical_lines(&source(text)).unwrap().into_iter().map(|line| (line.number, line.text)).collect()
    }

    #[test]
    fn comments_and_blank_lines_vanish_but_a_hash_inside_a_word_stays() {
        let lines = texts("# one\n\n a==1 # two\r\nhttps://example.org/x.whl#sha256=ab\n\t#three\n");
        assert_eq!(lines, [(3, "a==1".to_owned()), (4, "https://example.org/x.whl#sha256=ab".to_owned())]);
    }

    #[test]
    fn a_backslash_joins_lines_and_a_comment_ends_the_join() {
        let lines = texts("a \\\n  --hash=x \\\n  --hash=y\nb \\\n# c\nd\\\n");
        let expected = [(1, "a   --hash=x   --hash=y"), (4, "b"), (6, "d")];
        assert_eq!(lines, expected.map(|(number, text)| (number, text.to_owned())));
    }

    #[test]
    fn spans_lead_back_to_the_file_through_joined_lines() {
        let source = source("# head\n   flask \\\n    --hash=x\n");
        let lines = logical_lines(&source).unwrap();
        let at = lines[0].text.find("--hash").unwrap();
        assert_eq!(source.text.get(lines[0].span(at..at + 8)), Some("--hash=x"));
        assert_eq!(source.text.get(lines[0].span(0..5)), Some("flask"));
    }

    #[test]
    fn a_variable_of_the_environment_is_an_error_that_names_it() {
        let error = logical_lines(&source("-i https://${TOKEN}@example.org/\n")).unwrap_err();
        assert!(error.to_string().contains("${TOKEN}"), "{error}");
        assert_eq!(texts("a==${lower}"), [(1, "a==${lower}".to_owned())]);
    }

    #[test]
    fn characters_that_pip_takes_for_line_ends_are_errors() {
        for bad in ["a # x\u{2028}evil==1", "a\u{85}b", "a\x0cb", "a\rb", "a\0"] {
            assert!(logical_lines(&source(bad)).is_err(), "{bad:?}");
        }
    }
}
