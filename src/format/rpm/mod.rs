//! RPM packages, format version 4: read by every rpm from 4.x to 6.x (rpm's documentation, "RPM package format").

mod cpio;
mod files;
mod group;
mod header;
mod lead;
mod payload;
mod read;
mod relations;
mod scriptlets;
mod sign;
mod signature;
mod tag;
mod write;

pub use payload::read_contents;
pub use read::{ChangelogEntry, Dependency, RpmInfo, read, read_from};
pub use sign::{HeaderSignature, Signer, SignerError, header_signature, immutable_digest, sign};
pub(super) use write::write;

use crate::format::error::Error;
use crate::tree::InstallPath;

/// A user or a group that owns a file: rpm looks it up by name when it unpacks.
fn text_of_owner(path: &InstallPath, name: &str) -> Result<(), Error> {
    let good = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.len() <= 32
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    if good {
        return Ok(());
    }
    Err(Error::Unpackable {
        path: path.clone(),
        rule: format!("`{}` cannot be the name of its owner", name.escape_debug()),
        hint: "use the name of a user and a group, such as `root`",
    })
}
