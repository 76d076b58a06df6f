//! Stanzas of `Packages` and `Translation-en`: what a suite's indices say of one .deb.
//!
//! The fields are the package's own, as apt-ftparchive(1) and dpkg-scanpackages(1) copy them, with those that only an
//! index has. Differences from apt-ftparchive, on purpose: SHA-256 alone (apt takes the strongest digest it finds, MD5 and
//! SHA-1 are not trusted by any client that is left), and the package's own order of fields (which means nothing).

use std::fmt::Write as _;

use md5::{Digest as _, Md5};

use crate::format::deb::DebInfo;
use crate::repo::record::Record;

/// Names of fields as dpkg spells them; others keep the package's spelling.
const SPELT: [&str; 28] = [
    "Architecture",
    "Breaks",
    "Bugs",
    "Built-Using",
    "Conflicts",
    "Depends",
    "Enhances",
    "Essential",
    "Homepage",
    "Important",
    "Installed-Size",
    "Maintainer",
    "Multi-Arch",
    "Origin",
    "Package-Type",
    "Pre-Depends",
    "Priority",
    "Protected",
    "Provides",
    "Recommends",
    "Replaces",
    "Section",
    "Source",
    "Static-Built-Using",
    "Suggests",
    "Tag",
    "Task",
    "Version",
];

/// Where the long description of a package stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::repo) enum Descriptions {
    /// In `Packages`.
    Whole,
    /// In `Translation-en`; `Packages` has the first line and the digest that leads there.
    Short,
}

/// The stanza of `Packages`, with the empty line that ends it.
pub(super) fn packages(info: &DebInfo, record: &Record, descriptions: Descriptions) -> String {
    let mut text = field("Package", info.package());
    for (name, value) in &info.control {
        if !["Package", "Description"].iter().any(|own| own.eq_ignore_ascii_case(name)) {
            let spelt = SPELT.into_iter().find(|spelt| spelt.eq_ignore_ascii_case(name)).unwrap_or(name);
            text.push_str(&field(spelt, value));
        }
    }
    let _ = write!(text, "Filename: {}\nSize: {}\nSHA256: {}\n", record.place, record.size, record.sha256);
    if let Some(phase) = record.phase {
        let _ = writeln!(text, "Phased-Update-Percentage: {phase}");
    }
    let description = info.field("Description").unwrap_or_default();
    match descriptions {
        Descriptions::Whole => text.push_str(&field("Description", description)),
        Descriptions::Short => {
            let first = description.split('\n').next().unwrap_or_default();
            text.push_str(&field("Description", first));
            let _ = writeln!(text, "Description-md5: {}", description_md5(description));
        }
    }
    text.push('\n');
    text
}

/// The stanza of `Translation-en`, with the empty line that ends it.
pub(super) fn translation(info: &DebInfo) -> String {
    let description = info.field("Description").unwrap_or_default();
    let (package, digest) = (info.package(), description_md5(description));
    format!("Package: {package}\nDescription-md5: {digest}\n{}\n", field("Description-en", description))
}

/// What apt calls the digest of a description: of its value as it stands in the control file, to the end of its last line.
fn description_md5(description: &str) -> String {
    hex::encode(Md5::new_with_prefix(description).chain_update("\n").finalize())
}

/// `Name: value`; a value that begins on the next line has no blank before it.
pub(super) fn field(name: &str, value: &str) -> String {
    let separator = if value.is_empty() || value.starts_with('\n') { "" } else { " " };
    format!("{name}:{separator}{value}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both digests are apt-ftparchive's (`-o APT::FTPArchive::LongDescription=false`).
    #[test]
    fn the_digest_of_a_description_is_apts() {
        assert_eq!(description_md5("b short only"), "3bb9339f72d8c0b334810ca17f769cba");
        let long = "ünï short\n long\n .\n  verbatim   \n more";
        assert_eq!(description_md5(long), "393219f8b40400701e684b2bb3fc72a2");
    }
}
