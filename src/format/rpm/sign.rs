//! Signs a package that is already written: only its signature header changes.

use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest as _, Sha256 as Sha256Hasher};

use super::read::{Opened, open};
use super::signature::{self, Signature};
use super::tag;
use crate::digest::Sha256;
use crate::format::Error;
use crate::format::error::Fault;

/// What a signer may fail with.
pub type SignerError = Box<dyn std::error::Error + Send + Sync>;

/// Gives the binary OpenPGP signature over some bytes.
pub type Signer<'a> = dyn FnMut(&[u8]) -> Result<Vec<u8>, SignerError> + 'a;

/// Writes the .rpm at `input` to `output` with an OpenPGP signature over its header: what `sign` gives for the header's
/// bytes, one binary version 4 signature packet, detached. A former signature is replaced; header and payload stay as
/// they are, byte for byte. The payload is covered by its digest in the header.
///
/// RSA serves every client; EdDSA needs rpm ≥ 4.16. Gives where the header lies now: its first byte, and the byte after its
/// last.
pub fn sign(input: &Path, output: &mut dyn Write, sign: &mut Signer<'_>) -> Result<(u64, u64), Error> {
    let Opened { lead, signature: old, header, mut payload, .. } = open(input).map_err(|fault| fault.at(input))?;
    let facts = signature::facts(&old).map_err(|fault| fault.at(input))?;
    if hex::encode(Sha256Hasher::digest(&header.bytes)) != facts.sha256 {
        return Err(Fault::Mismatch("the digest of its header does not match".to_owned()).at(input));
    }
    let sign_error = |source: SignerError| Error::Sign { path: input.to_path_buf(), source };
    let bytes = sign(&header.bytes).map_err(sign_error)?;
    let tag = signature::tag_of(&bytes)
        .ok_or_else(|| sign_error("the signer gave no binary OpenPGP signature of version 4".into()))?;
    let signature = signature::header(&facts, Some(&Signature { tag, bytes }));

    let write_error = |source: io::Error| Error::Write { path: input.to_path_buf(), source };
    for part in [&lead, &signature, &header.bytes] {
        output.write_all(part).map_err(write_error)?;
    }
    io::copy(&mut payload, output).map_err(write_error)?;
    output.flush().map_err(write_error)?;
    let start = (lead.len() + signature.len()) as u64;
    Ok((start, start + header.bytes.len() as u64))
}

/// SHA-256 over header and payload: the identity of a package, whether signed or not.
pub fn immutable_digest(path: &Path) -> Result<Sha256, Error> {
    let digest = || -> Result<Sha256, Fault> {
        let Opened { header, payload, .. } = open(path)?;
        let (digest, _) = Sha256::of_reader(&mut header.bytes.as_slice().chain(payload))?;
        Ok(digest)
    };
    digest().map_err(|fault| fault.at(path))
}

/// An OpenPGP signature over a package's header, and what it was made over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderSignature {
    /// One binary signature packet.
    pub signature: Vec<u8>,
    /// The header's bytes.
    pub header: Vec<u8>,
}

/// The OpenPGP signature over the header of the .rpm at `path`, unverified; `None` when it has none.
pub fn header_signature(path: &Path) -> Result<Option<HeaderSignature>, Error> {
    let find = || -> Result<Option<HeaderSignature>, Fault> {
        let Opened { signature, header, .. } = open(path)?;
        let bytes = match signature.binary(tag::SIG_RSA)? {
            Some(bytes) => Some(bytes),
            None => signature.binary(tag::SIG_DSA)?,
        };
        Ok(bytes.map(|bytes| HeaderSignature { signature: bytes.to_vec(), header: header.bytes.clone() }))
    };
    find().map_err(|fault| fault.at(path))
}
