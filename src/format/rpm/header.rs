//! The header structure of RPM's file format: an index of typed entries and a store of their data, used twice in a
//! package, for signatures and for metadata.
//!
//! Built in the order that rpm itself writes: the region's tag first, the others sorted, the region's trailer last in the
//! store. Read within rpm's own limits (`rpmio/header.c`), every access checked against the store.

use std::collections::BTreeMap;
use std::io::Read;

use super::tag::kind;
use crate::format::error::Fault;
use crate::format::text::repaired;

const MAGIC: [u8; 8] = [0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0];
/// Bytes before the index.
pub(super) const INTRODUCTION: usize = 16;
const ENTRY: usize = 16;
/// rpm's own limit of entries.
const MAX_ENTRIES: usize = 0xffff;
/// rpm's own limit is 256 MiB; no package comes near this one.
const MAX_STORE: usize = 128 * 1024 * 1024;
/// More values of one tag than any package has.
const MAX_VALUES: usize = 500_000;

/// A value of a header that is being built.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Int16(Vec<u16>),
    Int32(Vec<u32>),
    Int64(Vec<u64>),
    Text(String),
    Bytes(Vec<u8>),
    Texts(Vec<String>),
    /// One text in the locale "C".
    Localised(String),
}

impl Value {
    fn kind(&self) -> u32 {
        match self {
            Self::Int16(_) => kind::INT16,
            Self::Int32(_) => kind::INT32,
            Self::Int64(_) => kind::INT64,
            Self::Text(_) => kind::STRING,
            Self::Bytes(_) => kind::BIN,
            Self::Texts(_) => kind::STRING_ARRAY,
            Self::Localised(_) => kind::I18NSTRING,
        }
    }

    fn count(&self) -> usize {
        match self {
            Self::Int16(values) => values.len(),
            Self::Int32(values) => values.len(),
            Self::Int64(values) => values.len(),
            Self::Text(_) | Self::Localised(_) => 1,
            Self::Bytes(bytes) => bytes.len(),
            Self::Texts(texts) => texts.len(),
        }
    }

    fn alignment(&self) -> usize {
        match self {
            Self::Int16(_) => 2,
            Self::Int32(_) => 4,
            Self::Int64(_) => 8,
            _ => 1,
        }
    }

    fn append(&self, store: &mut Vec<u8>) {
        match self {
            Self::Int16(values) => values.iter().for_each(|value| store.extend(value.to_be_bytes())),
            Self::Int32(values) => values.iter().for_each(|value| store.extend(value.to_be_bytes())),
            Self::Int64(values) => values.iter().for_each(|value| store.extend(value.to_be_bytes())),
            Self::Text(text) | Self::Localised(text) => append_text(store, text),
            Self::Bytes(bytes) => store.extend(bytes),
            Self::Texts(texts) => texts.iter().for_each(|text| append_text(store, text)),
        }
    }
}

fn append_text(store: &mut Vec<u8>, text: &str) {
    store.extend(text.as_bytes());
    store.push(0);
}

/// A header that is being built.
#[derive(Debug, Clone, Default)]
pub(super) struct Builder {
    entries: BTreeMap<u32, Value>,
}

impl Builder {
    /// Sets a tag. A list without values is no entry at all: rpm refuses empty ones.
    pub(super) fn set(&mut self, tag: u32, value: Value) {
        if value.count() > 0 {
            self.entries.insert(tag, value);
        }
    }

    /// One 32-bit number.
    pub(super) fn number(&mut self, tag: u32, value: u32) {
        self.set(tag, Value::Int32(vec![value]));
    }

    /// One text.
    pub(super) fn text(&mut self, tag: u32, text: impl Into<String>) {
        self.set(tag, Value::Text(text.into()));
    }

    /// The header's bytes, magic included, with all entries in the region `region`.
    pub(super) fn build(&self, region: u32) -> Vec<u8> {
        let mut index = Vec::with_capacity((self.entries.len() + 1) * ENTRY);
        let mut store = Vec::new();
        for (tag, value) in &self.entries {
            store.resize(store.len().next_multiple_of(value.alignment()), 0);
            index.extend(entry(*tag, value.kind(), store.len() as u32, value.count() as u32));
            value.append(&mut store);
        }
        // The trailer's offset is negative: how far before it the index begins.
        let entries = self.entries.len() + 1;
        let trailer_at = store.len() as u32;
        store.extend(entry(region, kind::BIN, 0_u32.wrapping_sub((entries * ENTRY) as u32), ENTRY as u32));

        let mut bytes = MAGIC.to_vec();
        bytes.extend((entries as u32).to_be_bytes());
        bytes.extend((store.len() as u32).to_be_bytes());
        bytes.extend(entry(region, kind::BIN, trailer_at, ENTRY as u32));
        bytes.extend(index);
        bytes.extend(store);
        bytes
    }
}

fn entry(tag: u32, kind: u32, offset: u32, count: u32) -> [u8; ENTRY] {
    let mut bytes = [0; ENTRY];
    let parts = [tag, kind, offset, count].into_iter().flat_map(u32::to_be_bytes);
    bytes.iter_mut().zip(parts).for_each(|(byte, value)| *byte = value);
    bytes
}

/// Where an entry's data lie.
#[derive(Debug, Clone, Copy)]
struct Place {
    kind: u32,
    offset: usize,
    count: usize,
}

/// A header that was read.
#[derive(Debug, Clone)]
pub(super) struct Header {
    /// All its bytes, magic included: what digests and signatures are made over.
    pub(super) bytes: Vec<u8>,
    store_at: usize,
    places: BTreeMap<u32, Place>,
}

impl Header {
    /// Reads a header whose entries all lie in the region `region`.
    pub(super) fn read(reader: &mut dyn Read, region: u32) -> Result<Self, Fault> {
        let ends = |_| Fault::malformed("it ends within a header");
        let mut bytes = vec![0; INTRODUCTION];
        reader.read_exact(&mut bytes).map_err(ends)?;
        if !bytes.starts_with(&MAGIC) {
            return Err(Fault::malformed("a header does not begin with its magic number"));
        }
        let entries = number(&bytes, 8)? as usize;
        let store = number(&bytes, 12)? as usize;
        if entries == 0 || entries > MAX_ENTRIES || store > MAX_STORE {
            return Err(Fault::malformed("a header is larger than rpm allows, or empty"));
        }
        // Memory grows with what is really there, not with what the header claims.
        let length = entries * ENTRY + store;
        reader.take(length as u64).read_to_end(&mut bytes)?;
        if bytes.len() != INTRODUCTION + length {
            return Err(Fault::malformed("it ends within a header"));
        }
        let store_at = INTRODUCTION + entries * ENTRY;
        let mut header = Self { bytes, store_at, places: BTreeMap::new() };
        header.index(entries, store)?;
        header.check_overlaps(store)?;
        header.check_region(entries, store, region)?;
        Ok(header)
    }

    fn index(&mut self, entries: usize, store: usize) -> Result<(), Fault> {
        for number_of_entry in 0..entries {
            let at = INTRODUCTION + number_of_entry * ENTRY;
            let tag = number(&self.bytes, at)?;
            let place = Place {
                kind: number(&self.bytes, at + 4)?,
                offset: number(&self.bytes, at + 8)? as usize,
                count: number(&self.bytes, at + 12)? as usize,
            };
            let size = match place.kind {
                kind::CHAR | kind::INT8 | kind::BIN => 1,
                kind::INT16 => 2,
                kind::INT32 => 4,
                kind::INT64 => 8,
                kind::STRING | kind::STRING_ARRAY | kind::I18NSTRING => 1,
                _ => return Err(Fault::malformed(format!("tag {tag} has an unknown type"))),
            };
            let end = place.count.checked_mul(size).and_then(|length| length.checked_add(place.offset));
            if place.count == 0 || end.is_none_or(|end| end > store) || !place.offset.is_multiple_of(size) {
                return Err(Fault::malformed(format!("the data of tag {tag} lie outside the header")));
            }
            if place.kind == kind::STRING && place.count != 1 {
                return Err(Fault::malformed(format!("tag {tag} has more than one text")));
            }
            if self.places.insert(tag, place).is_some() {
                return Err(Fault::malformed(format!("tag {tag} stands twice in a header")));
            }
        }
        Ok(())
    }

    /// No two tags may share data, as in rpm (`hdrblobVerifyInfo`): a hundred tags over the same texts would be read into
    /// a hundred times the memory.
    fn check_overlaps(&self, store: usize) -> Result<(), Fault> {
        let mut places: Vec<(u32, Place)> = self.places.iter().map(|(tag, place)| (*tag, *place)).collect();
        places.sort_by_key(|(_, place)| place.offset);
        let ends = places.iter().skip(1).map(|(_, place)| place.offset).chain([store]);
        for ((tag, place), end) in places.iter().zip(ends) {
            let room = end - place.offset;
            let data = self.data(*place).get(..room).unwrap_or_default();
            let fits = match place.kind {
                kind::STRING | kind::STRING_ARRAY | kind::I18NSTRING => {
                    data.iter().filter(|byte| **byte == 0).take(place.count).count() == place.count
                }
                kind::INT16 => place.count * 2 <= room,
                kind::INT32 => place.count * 4 <= room,
                kind::INT64 => place.count * 8 <= room,
                _ => place.count <= room,
            };
            if !fits {
                return Err(Fault::malformed(format!("the data of tag {tag} reach into those of another")));
            }
        }
        Ok(())
    }

    /// rpm ≥ 4.14 takes a header from a file only when its region covers it whole.
    fn check_region(&self, entries: usize, store: usize, region: u32) -> Result<(), Fault> {
        let malformed = || Fault::malformed("a header's region does not cover it");
        let first = number(&self.bytes, INTRODUCTION)?;
        let place = self.places.get(&region).ok_or_else(malformed)?;
        let trailer = self.store_at + place.offset;
        let covers = first == region
            && place.kind == kind::BIN
            && place.count == ENTRY
            && place.offset + ENTRY == store
            && number(&self.bytes, trailer)? == region
            && number(&self.bytes, trailer + 4)? == kind::BIN
            && number(&self.bytes, trailer + 12)? as usize == ENTRY
            && number(&self.bytes, trailer + 8)? == 0_u32.wrapping_sub((entries * ENTRY) as u32);
        if covers { Ok(()) } else { Err(malformed()) }
    }

    /// Whether a tag is there.
    pub(super) fn has(&self, tag: u32) -> bool {
        self.places.contains_key(&tag)
    }

    /// All tags, sorted.
    #[cfg(test)]
    fn tags(&self) -> impl Iterator<Item = u32> {
        self.places.keys().copied()
    }

    fn data(&self, place: Place) -> &[u8] {
        self.bytes.get(self.store_at + place.offset..).unwrap_or_default()
    }

    /// The first text of a tag.
    pub(super) fn text(&self, tag: u32) -> Result<Option<String>, Fault> {
        Ok(self.texts_of(tag, 1)?.into_iter().next())
    }

    /// All texts of a tag; none when it is not there.
    pub(super) fn texts(&self, tag: u32) -> Result<Vec<String>, Fault> {
        self.texts_of(tag, usize::MAX)
    }

    fn texts_of(&self, tag: u32, at_most: usize) -> Result<Vec<String>, Fault> {
        let Some(place) = self.places.get(&tag).copied() else { return Ok(Vec::new()) };
        if !matches!(place.kind, kind::STRING | kind::STRING_ARRAY | kind::I18NSTRING) {
            return Err(wrong_kind(tag));
        }
        let count = place.count.min(at_most);
        if count > MAX_VALUES {
            return Err(Fault::malformed(format!("tag {tag} has more values than any package")));
        }
        let mut texts = Vec::with_capacity(count);
        let mut rest = self.data(place);
        for _ in 0..count {
            let end = rest.iter().position(|&byte| byte == 0);
            let end = end.ok_or_else(|| Fault::malformed(format!("a text of tag {tag} has no end")))?;
            let (text, after) = rest.split_at_checked(end).unwrap_or_default();
            texts.push(repaired(text));
            rest = after.get(1..).unwrap_or_default();
        }
        Ok(texts)
    }

    /// All numbers of a tag, whatever their width; none when it is not there.
    pub(super) fn numbers(&self, tag: u32) -> Result<Vec<u64>, Fault> {
        let Some(place) = self.places.get(&tag).copied() else { return Ok(Vec::new()) };
        let width = match place.kind {
            kind::CHAR | kind::INT8 => 1,
            kind::INT16 => 2,
            kind::INT32 => 4,
            kind::INT64 => 8,
            _ => return Err(wrong_kind(tag)),
        };
        if place.count > MAX_VALUES {
            return Err(Fault::malformed(format!("tag {tag} has more values than any package")));
        }
        let data = self.data(place).get(..place.count * width).unwrap_or_default();
        let value = |bytes: &[u8]| bytes.iter().fold(0_u64, |value, &byte| value << 8 | u64::from(byte));
        Ok(data.chunks_exact(width).map(value).collect())
    }

    /// The first number of a tag.
    pub(super) fn number(&self, tag: u32) -> Result<Option<u64>, Fault> {
        Ok(self.numbers(tag)?.first().copied())
    }

    /// The bytes of a binary tag.
    pub(super) fn binary(&self, tag: u32) -> Result<Option<&[u8]>, Fault> {
        let Some(place) = self.places.get(&tag).copied() else { return Ok(None) };
        if place.kind != kind::BIN {
            return Err(wrong_kind(tag));
        }
        Ok(self.data(place).get(..place.count))
    }
}

fn wrong_kind(tag: u32) -> Fault {
    Fault::malformed(format!("tag {tag} has the wrong type"))
}

fn number(bytes: &[u8], at: usize) -> Result<u32, Fault> {
    let bytes = at.checked_add(4).and_then(|end| bytes.get(at..end)).and_then(|bytes| bytes.try_into().ok());
    bytes.map(u32::from_be_bytes).ok_or_else(|| Fault::malformed("it ends within a header"))
}

#[cfg(test)]
mod tests {
    use super::super::tag;
    use super::*;

    fn sample() -> Vec<u8> {
        let mut builder = Builder::default();
        builder.text(tag::NAME, "acme");
        builder.set(tag::FILEMODES, Value::Int16(vec![0o100_644, 0o40_755]));
        builder.set(tag::LONGFILESIZES, Value::Int64(vec![1, u64::MAX]));
        builder.set(tag::BASENAMES, Value::Texts(vec!["a".to_owned(), String::new(), "c".to_owned()]));
        builder.set(tag::SUMMARY, Value::Localised("one line".to_owned()));
        builder.set(tag::PROVIDENAME, Value::Texts(Vec::new()));
        builder.build(tag::HEADER_IMMUTABLE)
    }

    #[test]
    fn what_was_built_reads_back() {
        let header = Header::read(&mut sample().as_slice(), tag::HEADER_IMMUTABLE).expect("a header");
        assert_eq!(header.text(tag::NAME).expect("text").as_deref(), Some("acme"));
        assert_eq!(header.texts(tag::BASENAMES).expect("texts"), ["a", "", "c"]);
        assert_eq!(header.numbers(tag::FILEMODES).expect("numbers"), [0o100_644, 0o40_755]);
        assert_eq!(header.numbers(tag::LONGFILESIZES).expect("numbers"), [1, u64::MAX]);
        assert!(!header.has(tag::PROVIDENAME));
    }

    #[test]
    fn any_changed_byte_of_the_index_gives_an_error_or_a_header_but_never_a_panic() {
        let bytes = sample();
        for at in 0..bytes.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] ^= change;
                if let Ok(header) = Header::read(&mut bytes.as_slice(), tag::HEADER_IMMUTABLE) {
                    for tag in header.tags().collect::<Vec<_>>() {
                        let _ = (header.texts(tag), header.numbers(tag), header.binary(tag));
                    }
                }
            }
        }
    }
}
