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

/// Expands `%(key)s` in the values of the section `name`, by its own keys and those of `[DEFAULT]`, and `%%`, as
/// `configparser.BasicInterpolation` does. Only where a value is asked for: other tools' sections may mean `%` otherwise.
pub(super) fn interpolated(source: &Source, sections: &[Section], name: &str) -> Result<Option<Section>, Error> {
    let Some(section) = sections.iter().find(|section| section.name == name) else { return Ok(None) };
    let defaults = sections.iter().find(|section| section.name == "DEFAULT");
    let mut result = Section { name: section.name.clone(), entries: Vec::new() };
    for entry in &section.entries {
        let mut lines = Vec::new();
        for (line, span) in &entry.lines {
            let fault = |message: String| source.error(span.clone(), message, &["write `%%` for a plain `%`"]);
            let text = expand(line, section, defaults, 0).map_err(fault)?;
            // What was one line may have become several, all with its place.
            lines.extend(text.split('\n').map(|part| (part.trim().to_owned(), span.clone())));
        }
        result.entries.push(Entry { key: entry.key.clone(), lines });
    }
    Ok(Some(result))
}

/// `configparser.MAX_INTERPOLATION_DEPTH`, and a bound for what comes out.
const DEPTH_LIMIT: usize = 10;
const EXPANSION_LIMIT: usize = 256 * 1024;

fn expand(text: &str, section: &Section, defaults: Option<&Section>, depth: usize) -> Result<String, String> {
    if !text.contains('%') {
        return Ok(text.to_owned());
    }
    if depth >= DEPTH_LIMIT {
        return Err("values that refer to each other too deeply".to_owned());
    }
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        result.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            result.push('%');
            rest = after;
            continue;
        }
        let reference = after.strip_prefix('(').and_then(|after| after.split_once(")s"));
        let Some((key, after)) = reference else {
            return Err("`%` must be followed by `%` or `(key)s`".to_owned());
        };
        let of = |section: &&Section| section.entries.iter().find(|entry| entry.key == key).cloned();
        let found = of(&section).or_else(|| defaults.as_ref().and_then(of));
        let Some(entry) = found else { return Err(format!("`%({key})s` refers to no key of the section")) };
        result.push_str(&expand(&entry.value(), section, defaults, depth + 1)?);
        if result.len() > EXPANSION_LIMIT {
            return Err(format!("`%({key})s` grows beyond {EXPANSION_LIMIT} bytes"));
        }
        rest = after;
    }
    result.push_str(rest);
    Ok(result)
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
    fn references_are_expanded_and_growth_is_bounded() {
        let text = "[DEFAULT]\nd = x\n[a]\nbase =\n  one\n  two\nall =\n  %(base)s\n  %(d)s 100%%\nbad = %(no)s\n";
        let source = source(text);
        let sections = parse(&source).unwrap();
        assert!(interpolated(&source, &sections, "a").is_err());
        let good = Source { text: text.replace("bad = %(no)s", ""), ..source };
        let sections = parse(&good).unwrap();
        let section = interpolated(&good, &sections, "a").unwrap().unwrap();
        assert_eq!(section.entries[1].value(), "one\ntwo\nx 100%");
        let mut bomb = String::from("[a]\nx0 = aaaaaaaaaa\n");
        for at in 1..9 {
            bomb.push_str(&format!("x{at} = {}\n", format!("%(x{})s", at - 1).repeat(100)));
        }
        let circle = "[a]\nx = %(x)s\n".to_owned();
        for text in [bomb, circle] {
            let source = Source { path: Path::new("/setup.cfg").to_path_buf(), text };
            assert!(interpolated(&source, &parse(&source).unwrap(), "a").is_err());
        }
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
