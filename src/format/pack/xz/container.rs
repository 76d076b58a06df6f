//! What stands around the blocks of an .xz stream and around pieces that make one: headers, index and footer (The .xz File
//! Format 1.2.1, sections 2.1, 3, 4).

use std::io;

use flate2::Crc;

use super::super::codec;
use super::checksum;
use super::piece::{Kind, Piece};

/// Stream flags: no special version, CRC64.
const FLAGS: [u8; 2] = [0, 4];
/// Bytes of a CRC64.
const CHECK: u64 = 8;
/// Flags of a block's header: both sizes are there, in this order after the flags.
const BOTH_SIZES: u8 = 0xC0;

/// LZMA2, with one byte of properties.
const LZMA2: [u8; 2] = [0x21, 1];

/// One stream being put together.
#[derive(Debug)]
pub(super) struct Stream {
    /// The largest dictionary, in bytes.
    dictionary: u64,
    /// What its index will say.
    records: Vec<Record>,
    open: Option<Open>,
}

/// A block that more pieces may come to. Its header has both sizes, so it has to wait for the last one.
#[derive(Debug)]
struct Open {
    chunks: Vec<u8>,
    unpacked: u64,
    checksum: u64,
}

#[derive(Debug, PartialEq, Eq)]
struct Record {
    /// Header, data and check without the padding between them.
    unpadded: u64,
    unpacked: u64,
}

impl codec::Stream for Stream {
    fn begin(&mut self, _size: u64) -> Vec<u8> {
        let mut header = b"\xFD7zXZ\0".to_vec();
        header.extend(FLAGS);
        header.extend(crc32(&FLAGS));
        header
    }

    fn add(&mut self, unpacked: u64, packed: Vec<u8>) -> io::Result<Vec<u8>> {
        let Piece { kind, packed, checksum } = Piece::from_bytes(packed, unpacked)?;
        match (kind, &mut self.open) {
            (Kind::GoesOn, Some(open)) => {
                open.chunks.extend(packed);
                open.unpacked += unpacked;
                open.checksum = checksum::joined(open.checksum, checksum, unpacked);
                Ok(Vec::new())
            }
            (Kind::GoesOn, None) => Err(invalid("a piece of an xz block goes on with nothing".to_owned())),
            (Kind::Begins, _) => {
                let before = self.close();
                self.open = Some(Open { chunks: packed, unpacked, checksum });
                Ok(before)
            }
            (Kind::Block, _) => {
                let record = record(&packed).filter(|record| record.unpacked == unpacked).ok_or_else(|| {
                    invalid(format!("these {} bytes are no xz block of {unpacked} bytes", packed.len()))
                })?;
                let before = self.close();
                self.records.push(record);
                Ok(if before.is_empty() { packed } else { [before, packed].concat() })
            }
        }
    }

    fn end(mut self: Box<Self>, _checksum: Option<u64>) -> io::Result<Vec<u8>> {
        let mut end = self.close();
        end.extend(self.index()?);
        Ok(end)
    }
}

impl Stream {
    /// Of blocks with dictionaries of at most so many bytes.
    pub(super) fn new(dictionary: u32) -> Self {
        Self { dictionary: u64::from(dictionary), records: Vec::new(), open: None }
    }

    /// The open block, which nothing comes to any more.
    fn close(&mut self) -> Vec<u8> {
        let Some(Open { chunks: mut block, unpacked, checksum }) = self.open.take() else { return Vec::new() };
        // The mark of the chunks' end.
        block.push(0);
        let header = header(block.len() as u64, unpacked, self.dictionary.min(unpacked));
        let unpadded = (header.len() + block.len()) as u64 + CHECK;
        self.records.push(Record { unpadded, unpacked });
        block.splice(0..0, header);
        block.resize(block.len().next_multiple_of(4), 0);
        block.extend(checksum.to_le_bytes());
        block
    }

    fn index(&self) -> io::Result<Vec<u8>> {
        let mut index = vec![0];
        put_number(&mut index, self.records.len() as u64);
        for record in &self.records {
            put_number(&mut index, record.unpadded);
            put_number(&mut index, record.unpacked);
        }
        index.resize(index.len().next_multiple_of(4), 0);
        index.extend(crc32(&index));
        // Its size in units of four bytes, less one.
        let backward = u32::try_from(index.len() / 4 - 1).map_err(io::Error::other)?;
        let mut sealed = backward.to_le_bytes().to_vec();
        sealed.extend(FLAGS);
        index.extend(crc32(&sealed));
        index.extend(sealed);
        index.extend(b"YZ");
        Ok(index)
    }
}

/// The header of a block of LZMA2 (section 3.1).
fn header(packed: u64, unpacked: u64, dictionary: u64) -> Vec<u8> {
    let mut fields = vec![BOTH_SIZES];
    put_number(&mut fields, packed);
    put_number(&mut fields, unpacked);
    fields.extend(LZMA2);
    // Two or three times a power of two, the smallest that is large enough (section 5.3.1).
    let sizes = (0..40_u8).map(|bits| (2 | u64::from(bits & 1)) << (bits / 2 + 11));
    fields.push(sizes.take_while(|size| *size < dictionary).count() as u8);
    fields.resize((fields.len() + 1).next_multiple_of(4) - 1, 0);
    // In units of four bytes, less one: with its own byte and the sum that follows.
    let size = (fields.len() + 5) / 4 - 1;
    let mut header = [&[size as u8], fields.as_slice()].concat();
    let sum = crc32(&header);
    header.extend(sum);
    header
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// What the index has to say of a block; `None` if that is not a block with both sizes in its header and of just that length.
fn record(packed: &[u8]) -> Option<Record> {
    let header_size = (usize::from(*packed.first()?) + 1) * 4;
    let (fields, sum) = packed.get(..header_size)?.split_last_chunk::<4>()?;
    let rest = fields.get(2..)?;
    if header_size < 8 || fields.get(1)? & BOTH_SIZES != BOTH_SIZES || *sum != crc32(fields) {
        return None;
    }
    let (compressed, rest) = number(rest)?;
    let (unpacked, _) = number(rest)?;
    let unpadded = (header_size as u64).checked_add(compressed)?.checked_add(CHECK)?;
    (unpadded.checked_next_multiple_of(4)? == packed.len() as u64).then_some(Record { unpadded, unpacked })
}

fn crc32(bytes: &[u8]) -> [u8; 4] {
    let mut sum = Crc::new();
    sum.update(bytes);
    sum.sum().to_le_bytes()
}

/// A number in seven bits a byte, the lowest first (section 1.2).
fn put_number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(9).enumerate() {
        value |= u64::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(index + 1..)?));
        }
    }
    None
}
