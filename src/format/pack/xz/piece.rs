//! What is kept of a block of the archive: a block of the .xz stream, or a piece of one.
//!
//! LZMA2 (chunks of up to 2 MiB, each with a header) keeps its dictionary from one chunk to the next, unless a header says that it
//! is begun anew. So pieces that were compressed apart, each with what is before it as preset dictionary, are one block when
//! they are put in a row: the state of the coder is begun anew at each, the dictionary at the first alone.

use std::io;

/// How a piece stands to what is before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is a complete block.
    Block = 0,
    /// It begins a block.
    Begins = 1,
    /// It goes on with the block that the piece before it is in.
    GoesOn = 2,
}

/// A piece with what has to be known to put it into a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) kind: Kind,
    /// A complete block, or chunks of LZMA2 without the mark of their end.
    pub(super) packed: Vec<u8>,
    /// The CRC64 of what they unpack to; of no account for a complete block, which has it.
    pub(super) checksum: u64,
}

impl Piece {
    /// A complete block.
    pub(super) fn block(packed: Vec<u8>) -> Self {
        Self { kind: Kind::Block, packed, checksum: 0 }
    }

    /// As one sequence of bytes: the rest after `packed`, which is large and stays where it is.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        let Self { kind, mut packed, checksum } = self;
        packed.reserve_exact(9);
        packed.extend(checksum.to_le_bytes());
        packed.push(kind as u8);
        packed
    }

    /// The piece of `unpacked` bytes that became these bytes; an error if that cannot be.
    pub(super) fn from_bytes(mut bytes: Vec<u8>, unpacked: u64) -> io::Result<Self> {
        let length = bytes.len();
        let piece = || {
            let kind = match bytes.pop()? {
                0 => Kind::Block,
                1 => Kind::Begins,
                2 => Kind::GoesOn,
                _ => return None,
            };
            let checksum = u64::from_le_bytes(*bytes.last_chunk::<8>()?);
            bytes.truncate(bytes.len() - 8);
            let is_whole = kind == Kind::Block || sizes(kind, &bytes) == Some(unpacked);
            is_whole.then_some(Self { kind, packed: bytes, checksum })
        };
        piece().ok_or_else(|| {
            let message = format!("these {length} bytes are no piece of an xz block with {unpacked} bytes");
            io::Error::new(io::ErrorKind::InvalidData, message)
        })
    }
}

/// To how many bytes these chunks unpack; `None` if they are not whole, or begin the dictionary where they must not.
fn sizes(kind: Kind, mut chunks: &[u8]) -> Option<u64> {
    let mut begins = kind == Kind::Begins;
    // The first chunk that is compressed says all settings.
    let mut needs_settings = true;
    let mut unpacked = 0;
    while let Some((&control, rest)) = chunks.split_first() {
        let ([high, low], rest) = (*rest.first_chunk::<2>()?, rest.get(2..)?);
        let size = u64::from(u16::from_be_bytes([high, low])) + 1;
        let begins_dictionary = control == 1 || control >= 0xE0;
        if begins_dictionary != begins {
            return None;
        }
        chunks = match control {
            1 | 2 => {
                unpacked += size;
                rest.get(size as usize..)?
            }
            0x80.. => {
                let has_settings = control >= 0xC0;
                if needs_settings && !has_settings {
                    return None;
                }
                needs_settings = false;
                unpacked += size + (u64::from(control & 0x1F) << 16);
                let packed = usize::from(u16::from_be_bytes(*rest.first_chunk::<2>()?)) + 1;
                rest.get(2 + usize::from(has_settings) + packed..)?
            }
            _ => return None,
        };
        begins = false;
    }
    Some(unpacked)
}
