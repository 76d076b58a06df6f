//! SHA-256 and MD5 as types, and the one function that reads a stream once for all of them.
//!
//! SHA-256 is what packhouse trusts (locks, store, repositories). MD5 exists because a .deb's `md5sums` (deb-md5sums(5))
//! is defined with it; it is never trusted.

use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;

use md5::Md5 as Md5Hasher;
use sha2::{Digest as _, Sha256 as Sha256Hasher};

macro_rules! digest_type {
    ($(#[$doc:meta])* $name:ident, $length:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $length]);

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, formatter)
            }
        }

        impl FromStr for $name {
            type Err = InvalidDigest;
            fn from_str(text: &str) -> Result<Self, InvalidDigest> {
                let mut bytes = [0; $length];
                hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidDigest(text.to_owned()))?;
                Ok(Self(bytes))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

digest_type!(
    /// A SHA-256 digest (FIPS 180-4); text form is 64 hexadecimal digits.
    Sha256,
    32
);
digest_type!(
    /// An MD5 digest (RFC 1321); only for formats that are defined with it.
    Md5,
    16
);

/// A text that is no hexadecimal digest of the wanted length.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a hexadecimal digest of the expected length")]
pub struct InvalidDigest(pub String);

/// Size and digests of one content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Digests {
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the content.
    pub sha256: Sha256,
    /// MD5 of the content.
    pub md5: Md5,
}

impl Sha256 {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256Hasher::digest(bytes).into())
    }

    /// The digest of all that `reader` gives, read in bounded memory, and its length in bytes.
    pub fn of_reader(reader: &mut dyn Read) -> io::Result<(Self, u64)> {
        let mut hasher = Sha256Hasher::new();
        let size = for_each_chunk(reader, |chunk| hasher.update(chunk))?;
        Ok((Self(hasher.finalize().into()), size))
    }
}

impl Digests {
    /// The digests of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self { size: bytes.len() as u64, sha256: Sha256::of(bytes), md5: Md5(Md5Hasher::digest(bytes).into()) }
    }

    /// The digests of all that `reader` gives; one read, bounded memory.
    pub fn of_reader(reader: &mut dyn Read) -> io::Result<Self> {
        let mut sha256 = Sha256Hasher::new();
        let mut md5 = Md5Hasher::new();
        let size = for_each_chunk(reader, |chunk| {
            sha256.update(chunk);
            md5.update(chunk);
        })?;
        Ok(Self { size, sha256: Sha256(sha256.finalize().into()), md5: Md5(md5.finalize().into()) })
    }
}

/// Reads all of `reader` in pieces and gives its length in bytes.
fn for_each_chunk(reader: &mut dyn Read, mut take: impl FnMut(&[u8])) -> io::Result<u64> {
    let mut buffer = vec![0; 128 * 1024];
    let mut size = 0;
    loop {
        let length = match reader.read(&mut buffer) {
            Ok(0) => return Ok(size),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        take(buffer.get(..length).unwrap_or_default());
        size += length as u64;
    }
}
