//! INI files as Python's `configparser.RawConfigParser` reads them, with the place of every line.
//!
//! Source: <https://docs.python.org/3/library/configparser.html#supported-ini-file-structure> and `_read` of CPython's
//! `configparser.py`: a deeper indented line goes on with the value above it, `#` and `;` start a comment only at the
//! start of a line, a section or key that comes twice is an error.

use std::ops::Range;

use super::source::{Error, Source};

/// A key with its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// As it is written.
    pub(super) key: String,
    /// Its lines, trimmed, each with its place; the first is what stands behind the `=` and may be empty.
    pub(super) lines: Vec<(String, Range<usize>)>,
}

/// `[name]`.
#[derive(Debug, Clone)]
pub(super) struct Section {
    /// As it is written.
    pub(super) name: String,
    /// In the order of the file.
    pub(super) entries: Vec<Entry>,
}

impl Entry {
    /// The whole value, lines joined by line ends, trimmed.
    pub(super) fn value(&self) -> String {
        let lines: Vec<&str> = self.lines.iter().map(|(line, _)| line.as_str()).collect();
        lines.join("\n").trim().to_owned()
    }

    /// The place of the value.
    pub(super) fn span(&self) -> Range<usize> {
        let mut lines = self.lines.iter().filter(|(line, _)| !line.is_empty());
        let first = lines.next().or(self.lines.first());
        let start = first.map_or(0, |(_, span)| span.start);
        start..lines.next_back().or(first).map_or(start, |(_, span)| span.end)
    }
}

/// Reads `source`.
pub(super) fn parse(source: &Source) -> Result<Vec<Section>, Error> {
    let mut sections: Vec<Section> = Vec::new();
    let mut offset = 0;
    // Indentation of the key whose value may go on.
    let mut key_indent: Option<usize> = None;
    for chunk in source.text.split_inclusive('\n') {
        let start = offset;
        offset += chunk.len();
        let text = chunk.trim();
        let indent = chunk.chars().take_while(|character| character.is_whitespace()).count();
        let lead = chunk.len() - chunk.trim_start().len();
        let span = start + lead..start + lead + text.len();
        if text.starts_with(['#', ';']) {
            continue;
        }
        if text.is_empty() {
            let entry = sections.last_mut().and_then(|section| section.entries.last_mut());
            if let Some(entry) = entry.filter(|_| key_indent.is_some()) {
                entry.lines.push((String::new(), start..start));
            }
            continue;
        }
        let goes_on = key_indent.is_some_and(|key_indent| indent > key_indent);
        let entry = sections.last_mut().and_then(|section| section.entries.last_mut());
        if let Some(entry) = entry.filter(|_| goes_on) {
            entry.lines.push((text.to_owned(), span));
            continue;
        }
        key_indent = None;
        if let Some(name) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(name, _)| name) {
            if sections.iter().any(|section| section.name == name) {
                return Err(source.error(span, format!("the section `[{name}]` comes a second time"), &[]));
            }
            sections.push(Section { name: name.to_owned(), entries: Vec::new() });
            continue;
        }
        let Some(section) = sections.last_mut() else {
            return Err(source.error(span, "a line before the first `[section]`", &[]));
        };
        let Some(at) = text.find(['=', ':']) else {
            let hint = "write `key = value`; indent a line that goes on with a value";
            return Err(source.error(span, "a line that is no `key = value`", &[hint]));
        };
        let (key, value) = text.split_at_checked(at).unwrap_or((text, ""));
        let key = key.trim_end();
        let rest = value.get(1..).unwrap_or_default();
        let value = rest.trim_start();
        if section.entries.iter().any(|entry| entry.key == key) {
            return Err(source.error(span, format!("the key `{key}` comes a second time"), &[]));
        }
        let value_start = span.end - value.len();
        let lines = vec![(value.to_owned(), value_start..span.end)];
        section.entries.push(Entry { key: key.to_owned(), lines });
        key_indent = Some(indent);
    }
    Ok(sections)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn source(text: &str) -> Source {
        Source { path: Path::new("/setup.cfg").to_path_buf(), text: text.to_owned() }
    }

    #[test]
    fn values_go_on_over_indented_lines_and_comments_inside_them_vanish() {
        let source = source("[a]\nx = 1\n# no\ny:\n  one\n  # not me\n\n  two ; stays\n\n[b]\nz=\n");
        let sections = parse(&source).unwrap();
        assert_eq!(sections.len(), 2);
        assert_eq!(sections[0].entries[1].value(), "one\n\ntwo ; stays");
        let (line, span) = &sections[0].entries[1].lines[1];
        assert_eq!((source.text.get(span.clone()), line.as_str()), (Some("one"), "one"));
        assert_eq!(sections[1].entries[0].value(), "");
    }

    #[test]
    fn what_configparser_refuses_is_refused() {
        for bad in ["x = 1\n", "[a]\nx\n", "[a]\nx=1\nx=2\n", "[a]\n[a]\n"] {
            assert!(parse(&source(bad)).is_err(), "{bad:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "[\\[\\]a=: \\n#;\\tä\\r]{0,60}") {
            if let Ok(sections) = parse(&source(&text)) {
                for entry in sections.iter().flat_map(|section| &section.entries) {
                    for (line, span) in &entry.lines {
                        proptest::prop_assert_eq!(text.get(span.clone()), Some(line.as_str()));
                    }
                    let _ = (entry.value(), entry.span());
                }
            }
        }
    }
}
