//! The signature of an RPM: whether there is one of ours, and putting one in.
//!
//! An .rpm is lead, signature header, header, payload. The signature covers the header, which holds the payload's digest;
//! it stands in the signature header, so that signing changes nothing after that: header and payload together are what
//! identifies a package whoever signed it. Source: rpm's documentation, "RPM package format" and `rpmgensig.c` (RSA under
//! tag 268, EdDSA under 267).

use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::sign::Signer;
use super::store::{Copied, Store};
use crate::digest::Sha256;

const LEAD: usize = 96;
const INTRODUCTION: usize = 16;
const ENTRY: usize = 16;
/// rpm's limits on the signature header.
const MAX_ENTRIES: usize = 32;
const MAX_STORE: usize = 64 << 20;
const REGION: u32 = 62;
const SIG_DSA: u32 = 267;
const SIG_RSA: u32 = 268;
const SIG_OPENPGP: u32 = 278;
const SIG_PGP: u32 = 1002;
const SIG_GPG: u32 = 1005;
const BINARY: u32 = 7;

/// One entry of a header.
#[derive(Debug, Clone)]
struct Entry {
    tag: u32,
    kind: u32,
    count: u32,
    data: Vec<u8>,
}

/// What stands before the header of a package that [`crate::format::rpm::read`] has found good.
struct Front {
    lead: Vec<u8>,
    entries: Vec<Entry>,
}

/// SHA-256 of what no signature changes: header and payload.
pub(super) fn immutable_digest(path: &Path, header_start: u64) -> io::Result<Sha256> {
    let mut file = fs_err::File::open(path)?;
    file.seek(SeekFrom::Start(header_start))?;
    Ok(Sha256::of_reader(&mut file)?.0)
}

/// Whether the package carries a valid signature by this key.
pub(super) fn is_signed_by(path: &Path, header_range: (u64, u64), signer: &Signer) -> io::Result<bool> {
    let mut file = BufReader::new(fs_err::File::open(path)?);
    let front = Front::read(&mut file)?;
    let header = read_range(&mut file, header_range)?;
    let ours = |entry: &Entry| [SIG_RSA, SIG_DSA].contains(&entry.tag) && signer.has_signed(&entry.data, &header);
    Ok(front.entries.iter().any(ours))
}

/// A copy of the package at `path` with our signature in the place of any other.
pub(super) fn sign(
    store: &Store,
    path: &Path,
    header_range: (u64, u64),
    signer: &Signer,
    time: i64,
) -> Result<Copied, super::RepoError> {
    let failed = || super::RepoError::io("the package could not be signed");
    let mut file = BufReader::new(fs_err::File::open(path).map_err(failed())?);
    let mut front = Front::read(&mut file).map_err(failed())?;
    let header = read_range(&mut file, header_range).map_err(failed())?;
    let data = signer.detached_binary(&header, time)?;
    let others = [SIG_DSA, SIG_RSA, SIG_OPENPGP, SIG_PGP, SIG_GPG];
    front.entries.retain(|entry| !others.contains(&entry.tag));
    let tag = if signer.is_rsa() { SIG_RSA } else { SIG_DSA };
    front.entries.push(Entry { tag, kind: BINARY, count: data.len() as u32, data });
    front.entries.sort_by_key(|entry| entry.tag);
    file.seek(SeekFrom::Start(header_range.0)).map_err(failed())?;
    let front = front.bytes().map_err(failed())?;
    store.copy_in(&mut front.as_slice().chain(file)).map_err(failed())
}

fn read_range(file: &mut (impl Read + Seek), (start, end): (u64, u64)) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(end.saturating_sub(start)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl Front {
    fn read(reader: &mut impl Read) -> io::Result<Self> {
        let mut lead = vec![0; LEAD];
        reader.read_exact(&mut lead)?;
        let mut introduction = [0; INTRODUCTION];
        reader.read_exact(&mut introduction)?;
        let count = number(&introduction, 8)? as usize;
        let size = number(&introduction, 12)? as usize;
        if count == 0 || count > MAX_ENTRIES || size > MAX_STORE {
            return Err(malformed());
        }
        let mut bytes = Vec::new();
        reader.take((count * ENTRY + size) as u64).read_to_end(&mut bytes)?;
        let (index, store) = bytes.split_at_checked(count * ENTRY).ok_or_else(malformed)?;
        let mut entries = Vec::with_capacity(count);
        for entry in index.chunks_exact(ENTRY) {
            let (tag, kind, count) = (number(entry, 0)?, number(entry, 4)?, number(entry, 12)?);
            if tag != REGION {
                let data = store.get(number(entry, 8)? as usize..).ok_or_else(malformed)?;
                let data = data.get(..length(kind, count as usize, data)?).ok_or_else(malformed)?.to_vec();
                entries.push(Entry { tag, kind, count, data });
            }
        }
        Ok(Self { lead, entries })
    }

    /// Lead and signature header, padded so that the header begins at a multiple of eight bytes.
    fn bytes(&self) -> io::Result<Vec<u8>> {
        let mut index = Vec::new();
        let mut store = Vec::new();
        for entry in &self.entries {
            store.resize(store.len().next_multiple_of(alignment(entry.kind)), 0);
            write_entry(&mut index, entry.tag, entry.kind, store.len() as u32, entry.count)?;
            store.extend(&entry.data);
        }
        let count = self.entries.len() + 1;
        let trailer = store.len() as u32;
        write_entry(&mut store, REGION, BINARY, 0_u32.wrapping_sub((count * ENTRY) as u32), ENTRY as u32)?;
        let mut bytes = self.lead.clone();
        bytes.extend([0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0]);
        bytes.extend((count as u32).to_be_bytes());
        bytes.extend((store.len() as u32).to_be_bytes());
        write_entry(&mut bytes, REGION, BINARY, trailer, ENTRY as u32)?;
        bytes.extend(index);
        bytes.extend(store);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        Ok(bytes)
    }
}

fn write_entry(target: &mut Vec<u8>, tag: u32, kind: u32, offset: u32, count: u32) -> io::Result<()> {
    [tag, kind, offset, count].into_iter().try_for_each(|value| target.write_all(&value.to_be_bytes()))
}

/// Bytes of `count` values of a type, which begin `data`.
fn length(kind: u32, count: usize, data: &[u8]) -> io::Result<usize> {
    let width = match kind {
        6 | 8 | 9 => {
            let ends = data.iter().enumerate().filter(|(_, byte)| **byte == 0).map(|(at, _)| at + 1);
            return ends.take(count).last().ok_or_else(malformed);
        }
        _ => alignment(kind),
    };
    count.checked_mul(width).ok_or_else(malformed)
}

fn alignment(kind: u32) -> usize {
    match kind {
        3 => 2,
        4 => 4,
        5 => 8,
        _ => 1,
    }
}

fn number(bytes: &[u8], at: usize) -> io::Result<u32> {
    let bytes = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()).ok_or_else(malformed)?;
    Ok(u32::from_be_bytes(*bytes))
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the signature header is malformed")
}
