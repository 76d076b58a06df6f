//! `RECORD`: the list of a wheel's or an installation's files with their digests and sizes.
//!
//! CSV with three fields: path, `algorithm=digest` in URL-safe base64 without padding, size ("Recording installed
//! projects" and "Binary distribution format" of the packaging specifications). MD5 and SHA-1 prove nothing and are
//! refused, as the specification asks.

use std::collections::BTreeMap;

use base64::Engine as _;
use sha2::Digest as _;

use crate::digest::{Digests, Md5, Sha256};

/// The digest that RECORD names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Sha256,
    Sha384,
    Sha512,
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }
}

/// What RECORD says of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) algorithm: Algorithm,
    digest: String,
    size: Option<u64>,
}

impl Listed {
    /// Compares what was read with what was listed.
    pub(super) fn check(&self, size: u64, digest: &[u8]) -> Result<(), Mismatch> {
        let mismatch = |expected, got| Err(Mismatch { expected, got });
        if let Some(expected) = self.size
            && expected != size
        {
            return mismatch(format!("{expected} bytes"), format!("{size} bytes"));
        }
        let got = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest);
        if self.digest.trim_end_matches('=') != got {
            let name = self.algorithm.name();
            return mismatch(format!("{name}={}", self.digest), format!("{name}={got}"));
        }
        Ok(())
    }
}

/// Computes what the store keeps and what RECORD asks for in one pass.
pub(super) struct Hashers {
    sha256: sha2::Sha256,
    md5: md5::Md5,
    other: Option<Longer>,
}

enum Longer {
    Sha384(sha2::Sha384),
    Sha512(sha2::Sha512),
}

impl Hashers {
    pub(super) fn new(algorithm: Option<Algorithm>) -> Self {
        let other = match algorithm {
            Some(Algorithm::Sha384) => Some(Longer::Sha384(sha2::Sha384::new())),
            Some(Algorithm::Sha512) => Some(Longer::Sha512(sha2::Sha512::new())),
            Some(Algorithm::Sha256) | None => None,
        };
        Self { sha256: sha2::Sha256::new(), md5: md5::Md5::new(), other }
    }

    pub(super) fn update(&mut self, piece: &[u8]) {
        self.sha256.update(piece);
        self.md5.update(piece);
        match &mut self.other {
            Some(Longer::Sha384(hasher)) => hasher.update(piece),
            Some(Longer::Sha512(hasher)) => hasher.update(piece),
            None => {}
        }
    }

    pub(super) fn finish(self, size: u64) -> (Digests, Vec<u8>) {
        let sha256 = Sha256(self.sha256.finalize().into());
        let digest = match self.other {
            Some(Longer::Sha384(hasher)) => hasher.finalize().to_vec(),
            Some(Longer::Sha512(hasher)) => hasher.finalize().to_vec(),
            None => sha256.0.to_vec(),
        };
        (Digests { size, sha256, md5: Md5(self.md5.finalize().into()) }, digest)
    }
}

/// A RECORD, from which files are taken as they are met.
#[derive(Debug)]
pub(super) struct Record(BTreeMap<String, Listed>);

impl Record {
    /// Reads lines of `path,algorithm=digest,size`; the file's own line has neither digest nor size.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidRecord> {
        parse_record(text).map(Self)
    }

    /// What is said of this file; it is not said a second time.
    pub(super) fn take(&mut self, path: &str) -> Option<Listed> {
        self.0.remove(path)
    }

    /// The paths of what has not been taken.
    pub(super) fn rest(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// A line of RECORD that is none.
#[derive(Debug)]
pub(super) struct InvalidRecord {
    /// From 1.
    pub(super) line: usize,
    /// What is wrong with it.
    pub(super) reason: String,
}

/// A file that is not what RECORD says.
#[derive(Debug)]
pub(super) struct Mismatch {
    /// As RECORD has it.
    pub(super) expected: String,
    /// As it is.
    pub(super) got: String,
}

fn parse_record(text: &str) -> Result<BTreeMap<String, Listed>, InvalidRecord> {
    let mut listed = BTreeMap::new();
    for (number, fields) in csv_records(text) {
        let problem = |reason: String| InvalidRecord { line: number, reason };
        let [path, digest, size] = fields.as_slice() else {
            return Err(problem(format!("has {} fields instead of 3", fields.len())));
        };
        let is_record = path.ends_with(".dist-info/RECORD")
            || path.ends_with(".dist-info/RECORD.jws")
            || path.ends_with(".dist-info/RECORD.p7s");
        if digest.is_empty() && is_record {
            continue;
        }
        let (algorithm, digest) =
            digest.split_once('=').ok_or_else(|| problem(format!("has no digest for `{}`", path.escape_debug())))?;
        let algorithm = match algorithm {
            "sha256" => Algorithm::Sha256,
            "sha384" => Algorithm::Sha384,
            "sha512" => Algorithm::Sha512,
            other => return Err(problem(format!("uses the digest `{}`, which proves nothing", other.escape_debug()))),
        };
        let size = match size.as_str() {
            "" => None,
            digits => Some(digits.parse().map_err(|_| problem("has a size that is no number".to_owned()))?),
        };
        if listed.insert(path.clone(), Listed { algorithm, digest: digest.to_owned(), size }).is_some() {
            return Err(problem(format!("lists `{}` a second time", path.escape_debug())));
        }
    }
    Ok(listed)
}

/// The records of a CSV text (RFC 4180) with the lines that they begin on; empty lines are left out.
fn csv_records(text: &str) -> Vec<(usize, Vec<String>)> {
    let mut records = Vec::new();
    let (mut fields, mut field) = (Vec::new(), String::new());
    let (mut quoted, mut line, mut start) = (false, 1, 1);
    let mut characters = text.chars().peekable();
    let mut end = |fields: &mut Vec<String>, field: &mut String, start: usize| {
        if !fields.is_empty() || !field.is_empty() {
            fields.push(std::mem::take(field));
            records.push((start, std::mem::take(fields)));
        }
    };
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if field.is_empty() => quoted = true,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            '\r' if !quoted && characters.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                end(&mut fields, &mut field, start);
                line += 1;
                start = line;
            }
            other => {
                if other == '\n' {
                    line += 1;
                }
                field.push(other);
            }
        }
    }
    end(&mut fields, &mut field, start);
    records
}

/// One line of a RECORD that packhouse writes.
pub(super) fn record_line(path: &str, digests: &Digests) -> String {
    let digest = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digests.sha256.0);
    format!("{},sha256={digest},{}\n", csv_field(path), digests.size)
}

/// A field of a CSV record, quoted where it must be.
pub(super) fn csv_field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn records_with_quotes_and_commas_are_read() {
        let records = csv_records("\"a,\"\"b\"\".py\",x,1\r\n\nc,,\n");
        assert_eq!(
            records,
            [
                (1, vec!["a,\"b\".py".to_owned(), "x".to_owned(), "1".to_owned()]),
                (3, vec!["c".to_owned(), String::new(), String::new()])
            ]
        );
        assert_eq!(csv_field("a,\"b\".py"), "\"a,\"\"b\"\".py\"");
    }

    proptest! {
        #[test]
        fn no_record_makes_parsing_panic(text in "\\PC*") {
            let _ = Record::parse(&text);
        }
    }
}
