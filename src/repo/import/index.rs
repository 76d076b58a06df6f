//! Index files of another tool: found, checked against the digest in the signed root, and unpacked in bounded memory.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use liblzma::bufread::XzDecoder;

use crate::digest::Sha256;

/// No index unpacks to more: Debian's largest Packages has 60 MB, Fedora's primary.xml 200 MB.
const MAXIMAL_INDEX: u64 = 8 << 30;

/// The digest that an index gives of a file, in whatever algorithm it uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::repo) enum Checksum {
    Sha256(Sha256),
    /// Lower-case hexadecimal.
    Sha512(String),
    /// The same. Too weak to trust a stranger with, good enough to tell a damaged file on one's own disk.
    Sha1(String),
}

impl Checksum {
    /// That of yum's `type` attribute; `None` of an unknown one.
    pub(super) fn parse(algorithm: &str, digest: &str) -> Option<Self> {
        let hexadecimal = |length: usize| {
            let good = digest.len() == length && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
            good.then(|| digest.to_ascii_lowercase())
        };
        match algorithm {
            "sha256" => digest.parse().ok().map(Self::Sha256),
            "sha512" => hexadecimal(128).map(Self::Sha512),
            "sha" | "sha1" => hexadecimal(40).map(Self::Sha1),
            _ => None,
        }
    }

    /// Whether it is this SHA-256.
    pub(in crate::repo) fn is(&self, digest: Sha256) -> bool {
        *self == Self::Sha256(digest)
    }

    /// Whether it is that of the file.
    pub(super) fn matches(&self, path: &Path) -> io::Result<bool> {
        let mut file = fs_err::File::open(path)?;
        match self {
            Self::Sha256(expected) => Ok(Sha256::of_reader(&mut file)?.0 == *expected),
            Self::Sha512(expected) => Ok(hex::encode(digest::<sha2::Sha512>(&mut file)?) == *expected),
            Self::Sha1(expected) => Ok(hex::encode(digest::<sha1::Sha1>(&mut file)?) == *expected),
        }
    }
}

fn digest<D: sha2::Digest>(reader: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut hasher = D::new();
    let mut buffer = vec![0; 128 << 10];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().to_vec()),
            length => hasher.update(buffer.get(..length).unwrap_or_default()),
        }
    }
}

/// The content of a file, unpacked as its name says.
pub(super) fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    open_form(path, path.extension().and_then(|extension| extension.to_str()).unwrap_or_default())
}

/// The content of a file in this form: `gz`, `xz`, `zst`; anything else is plain.
pub(in crate::repo) fn open_form(path: &Path, form: &str) -> io::Result<Box<dyn BufRead>> {
    let file = BufReader::with_capacity(256 << 10, fs_err::File::open(path)?);
    let reader: Box<dyn Read> = match form {
        "gz" => Box::new(MultiGzDecoder::new(file)),
        "xz" => Box::new(XzDecoder::new_multi_decoder(file)),
        "zst" => Box::new(zstd::stream::read::Decoder::with_buffer(file)?),
        "bz2" | "lzma" | "zck" => {
            return Err(io::Error::new(io::ErrorKind::Unsupported, format!("files of the kind .{form} are not read")));
        }
        _ => Box::new(file),
    };
    Ok(Box::new(BufReader::with_capacity(256 << 10, reader.take(MAXIMAL_INDEX))))
}
