//! Stanzas of `Sources`: what a suite's index says of one source package (DebianRepository/Format; apt-ftparchive(1)).

use std::fmt::Write as _;

use super::stanza::field;
use crate::digest::Digests;
use crate::format::deb::{Dsc, SourceFile};

/// Fields of a .dsc that the index writes itself, over all files, the .dsc among them.
const WRITTEN: [&str; 6] = ["Source", "Package", "Files", "Checksums-Sha1", "Checksums-Sha256", "Checksums-Sha512"];

/// The stanza, with the empty line that ends it. `directory` is where its files are, relative to the repository's `apt`;
/// `digests` are the .dsc's own; `files` are the others with their MD5, which apt wants in `Files` though it does not trust
/// it.
pub(in crate::repo) fn stanza(dsc: &Dsc, directory: &str, digests: &Digests, files: &[&SourceFile]) -> String {
    let mut text = field("Package", dsc.source());
    for (name, value) in dsc.fields.iter().filter(|(name, _)| !WRITTEN.iter().any(|own| own.eq_ignore_ascii_case(name)))
    {
        text.push_str(&field(name, value));
    }
    text.push_str(&field("Directory", directory));
    let name = dsc.file_name();
    let _ = write!(text, "Files:\n {} {} {name}\n", digests.md5, digests.size);
    for SourceFile { name, size, md5, .. } in files {
        let md5 = md5.map(|md5| md5.to_string()).unwrap_or_default();
        let _ = writeln!(text, " {md5} {size} {name}");
    }
    let _ = write!(text, "Checksums-Sha256:\n {} {} {name}\n", digests.sha256, digests.size);
    for SourceFile { name, size, sha256, .. } in files {
        let _ = writeln!(text, " {sha256} {size} {name}");
    }
    text.push('\n');
    text
}
