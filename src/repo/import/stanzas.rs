//! Stanzas of an index, one after the other, in bounded memory (deb822(5)).

use std::io::{self, BufRead, Read};

/// One stanza is never longer: control files of 1 MiB are refused at the door too.
const MAXIMAL_STANZA: usize = 4 << 20;

/// Fields in their order; continuation lines keep their line breaks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Stanza(Vec<(String, String)>);

impl Stanza {
    /// The value of a field, its name compared without case, without blanks around it.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(present, _)| present.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    }

    /// The words of a field; none when it is not there.
    pub(super) fn words(&self, name: &str) -> impl Iterator<Item = &str> {
        self.field(name).unwrap_or_default().split_whitespace()
    }

    /// The lines of a field that have something on them.
    pub(super) fn lines(&self, name: &str) -> impl Iterator<Item = &str> {
        self.field(name).unwrap_or_default().lines().map(str::trim).filter(|line| !line.is_empty())
    }
}

/// Calls `each` for every stanza. What is malformed is an error of kind `InvalidData`.
pub(super) fn read(reader: impl BufRead, each: &mut dyn FnMut(Stanza) -> io::Result<()>) -> io::Result<()> {
    let malformed = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut reader = reader;
    let (mut stanza, mut length, mut line) = (Stanza::default(), 0, Vec::new());
    loop {
        line.clear();
        let read = (&mut reader).take(MAXIMAL_STANZA as u64).read_until(b'\n', &mut line)?;
        length += read;
        if length > MAXIMAL_STANZA {
            return Err(malformed("a stanza is longer than 4 MiB"));
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\n', '\r']);
        if read == 0 || text.trim().is_empty() {
            if !stanza.0.is_empty() {
                each(std::mem::take(&mut stanza))?;
            }
            length = 0;
            if read == 0 {
                return Ok(());
            }
        } else if text.starts_with([' ', '\t']) {
            let (_, value) = stanza.0.last_mut().ok_or_else(|| malformed("it begins with a continuation line"))?;
            value.push('\n');
            value.push_str(text);
        } else if !text.starts_with('#') {
            let (name, value) = text.split_once(':').ok_or_else(|| malformed("a line has no field name"))?;
            if stanza.field(name).is_some() {
                return Err(malformed(&format!("a stanza has the field `{}` twice", name.escape_debug())));
            }
            stanza.0.push((name.to_owned(), value.to_owned()));
        }
    }
}

/// The only stanza of a text.
pub(super) fn single(text: &str) -> io::Result<Stanza> {
    let mut first = None;
    read(text.as_bytes(), &mut |stanza| {
        if first.replace(stanza).is_some() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it has more than one stanza"));
        }
        Ok(())
    })?;
    first.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it has no stanza"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stanzas_are_told_apart_by_empty_lines() {
        let text = "A: 1\nB:\n x\n y\n\n\n# said\nA: 2\n";
        let mut all = Vec::new();
        read(text.as_bytes(), &mut |stanza| {
            all.push(stanza);
            Ok(())
        })
        .expect("stanzas");
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].lines("b").collect::<Vec<_>>(), ["x", "y"]);
        assert_eq!(all[1].field("A"), Some("2"));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for text in ["A: 1\nA: 2\n", " x\n", "no name\n", ""] {
            assert!(single(text).is_err(), "{text:?}");
        }
        assert!(single("A: 1\n\nB: 2\n").is_err());
    }
}
