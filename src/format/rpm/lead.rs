//! The lead: 96 bytes that file(1) and old tools look at, and rpm itself only checks for its magic.

use super::read::LEAD;
use crate::package::Package;
use crate::target::Architecture;

/// Its bytes for a binary package of format version 3.0, as every rpm since 2.1 writes.
pub(super) fn lead(package: &Package) -> Vec<u8> {
    let architecture: u16 = match package.architecture {
        Some(Architecture::X86_64) => 1,
        Some(Architecture::Aarch64) => 19,
        None => 255,
    };
    let (binary_package, linux, header_signatures): (u16, u16, u16) = (0, 1, 5);
    let version = &package.version;
    let name = format!("{}-{}-{}", package.name, version.rpm, version.revision);

    let mut bytes = vec![0xed, 0xab, 0xee, 0xdb, 3, 0];
    bytes.extend(binary_package.to_be_bytes());
    bytes.extend(architecture.to_be_bytes());
    // 66 bytes, the last of them always NUL.
    bytes.extend(name.bytes().chain(std::iter::repeat(0)).take(65));
    bytes.push(0);
    bytes.extend(linux.to_be_bytes());
    bytes.extend(header_signatures.to_be_bytes());
    bytes.resize(LEAD, 0);
    bytes
}
