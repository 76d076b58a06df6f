//! The signature header: digests and sizes of what follows, an OpenPGP signature over the header once there is one, and
//! reserved space, so that a signature changes neither the length of the file nor anything else in it.

use super::header::{Builder, Header, Value};
use super::tag;
use crate::format::error::Fault;

/// Bytes that signatures may take before the file grows: rpm's own default.
const RESERVED: usize = 4096 + 32;
/// An entry of the index.
const ENTRY: usize = 16;

/// What the signature header says.
pub(super) struct Facts {
    pub(super) sha1: String,
    pub(super) sha256: String,
    /// Bytes of header and payload.
    pub(super) size: u64,
    /// Bytes of the uncompressed payload.
    pub(super) archive_size: u64,
}

/// A signature over the header.
pub(super) struct Signature {
    /// [`tag::SIG_RSA`] or [`tag::SIG_DSA`].
    pub(super) tag: u32,
    pub(super) bytes: Vec<u8>,
}

/// The header and its padding to eight bytes. It has the same length with and without a signature that fits into the
/// reserved space.
pub(super) fn header(facts: &Facts, signature: Option<&Signature>) -> Vec<u8> {
    let mut builder = Builder::default();
    builder.text(tag::SIG_SHA1, facts.sha1.as_str());
    builder.text(tag::SIG_SHA256, facts.sha256.as_str());
    match (u32::try_from(facts.size), u32::try_from(facts.archive_size)) {
        (Ok(size), Ok(archive_size)) => {
            builder.number(tag::SIG_SIZE, size);
            builder.number(tag::SIG_PAYLOADSIZE, archive_size);
        }
        _ => {
            builder.set(tag::SIG_LONGSIZE, Value::Int64(vec![facts.size]));
            builder.set(tag::SIG_LONGARCHIVESIZE, Value::Int64(vec![facts.archive_size]));
        }
    }
    builder.set(tag::SIG_RESERVEDSPACE, Value::Bytes(vec![0; RESERVED]));
    let mut bytes = builder.build(tag::HEADER_SIGNATURES);
    if let Some(signature) = signature {
        let wanted = bytes.len();
        builder.set(signature.tag, Value::Bytes(signature.bytes.clone()));
        let grown = builder.build(tag::HEADER_SIGNATURES).len();
        // What it grew by is taken from the reserve; alignment may ask for a few bytes more or less.
        let reserve = (RESERVED + wanted).saturating_sub(grown);
        if reserve > ENTRY {
            builder.set(tag::SIG_RESERVEDSPACE, Value::Bytes(vec![0; reserve]));
        }
        bytes = builder.build(tag::HEADER_SIGNATURES);
    }
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

/// What a package's signature header said, to write it again.
pub(super) fn facts(signature: &Header) -> Result<Facts, Fault> {
    let text = |tag: u32| -> Result<String, Fault> {
        signature.text(tag)?.ok_or_else(|| Fault::malformed("it has no digest of its header"))
    };
    let size = |long: u32, short: u32| -> Result<u64, Fault> {
        let size = match signature.number(long)? {
            Some(size) => Some(size),
            None => signature.number(short)?,
        };
        size.ok_or_else(|| Fault::malformed("it does not record its size"))
    };
    Ok(Facts {
        sha1: text(tag::SIG_SHA1)?,
        sha256: text(tag::SIG_SHA256)?,
        size: size(tag::SIG_LONGSIZE, tag::SIG_SIZE)?,
        archive_size: size(tag::SIG_LONGARCHIVESIZE, tag::SIG_PAYLOADSIZE)?,
    })
}

/// The tag that an OpenPGP signature packet (RFC 9580, 5.2) belongs under: rpm calls everything that is not RSA "DSA".
pub(super) fn tag_of(packet: &[u8]) -> Option<u32> {
    let (&first, rest) = packet.split_first()?;
    // Packet type 2, in the new or in the old form of the header (RFC 9580, 4.2).
    let body = if first & 0xc0 == 0xc0 {
        let (&length, rest) = (first & 0x3f == 2).then(|| rest.split_first())??;
        match length {
            0..=191 => rest,
            192..=223 => rest.get(1..)?,
            255 => rest.get(4..)?,
            _ => return None,
        }
    } else {
        let octets = match first & 0x83 {
            0x80 => 1,
            0x81 => 2,
            0x82 => 4,
            _ => return None,
        };
        (first & 0x3c == 2 << 2).then(|| rest.get(octets..))??
    };
    // Version, type, public-key algorithm.
    match (body.first()?, body.get(2)?) {
        (4, 1..=3) => Some(tag::SIG_RSA),
        (4, _) => Some(tag::SIG_DSA),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_that_fits_does_not_change_the_length() {
        let facts = Facts { sha1: "0".repeat(40), sha256: "1".repeat(64), size: 5000, archive_size: 9000 };
        let unsigned = header(&facts, None);
        for length in [1, 71, 72, 73, 74, 119, 310, 566, 3000] {
            let signature = Signature { tag: tag::SIG_RSA, bytes: vec![7; length] };
            assert_eq!(header(&facts, Some(&signature)).len(), unsigned.len(), "{length}");
        }
        let huge = Signature { tag: tag::SIG_RSA, bytes: vec![7; 10_000] };
        assert!(header(&facts, Some(&huge)).len() > unsigned.len());
    }

    #[test]
    fn signatures_are_told_by_their_algorithm() {
        assert_eq!(tag_of(&[0xc2, 5, 4, 0, 1, 8, 0]), Some(tag::SIG_RSA));
        assert_eq!(tag_of(&[0x89, 0, 5, 4, 0, 1, 8, 0]), Some(tag::SIG_RSA));
        assert_eq!(tag_of(&[0x88, 5, 4, 0, 22, 8, 0]), Some(tag::SIG_DSA));
        for bad in [&[][..], &[0xc2], &[0x99, 0, 1, 4], &[0xc2, 5, 6, 0, 27], b"-----BEGIN PGP SIGNATURE-----"] {
            assert_eq!(tag_of(bad), None, "{bad:?}");
        }
    }
}
