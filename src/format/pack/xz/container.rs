//! What stands around the blocks of an .xz stream: header, index and footer (The .xz File Format 1.2.1, sections 2.1, 3.1, 4).

use std::io;

use flate2::Crc;

use super::super::codec;

/// Stream flags: no special version, CRC64.
const FLAGS: [u8; 2] = [0, 4];
/// Bytes of a CRC64.
const CHECK: u64 = 8;
/// Flags of a block's header: both sizes are there, in this order after the flags.
const BOTH_SIZES: u8 = 0xC0;

/// One stream being put together: what its index will say.
#[derive(Debug, Default)]
pub(super) struct Stream {
    records: Vec<Record>,
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

    fn add(&mut self, unpacked: u64, packed: &[u8]) -> io::Result<()> {
        let record = record(packed).filter(|record| record.unpacked == unpacked).ok_or_else(|| {
            let message = format!("these {} bytes are no xz block of {unpacked} bytes", packed.len());
            io::Error::new(io::ErrorKind::InvalidData, message)
        })?;
        self.records.push(record);
        Ok(())
    }

    fn end(self: Box<Self>, _checksum: Option<u64>) -> io::Result<Vec<u8>> {
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
