//! The Release file of an apt suite: what it says, and in what order.
//!
//! Source: DebianRepository/Format and apt's `debmetaindex.cc`. Two of its rules fail without a word when broken, with
//! no package to be seen: a line is ` digest size path` in this order, and the uncompressed `Packages` must be listed
//! whether or not it is there.

use std::fmt::Write as _;

use crate::repo::error::RepoError;
use crate::repo::layout::Configuration;
use crate::repo::root::Root;

/// What a Release file says.
#[derive(Debug)]
pub(in crate::repo) struct Release<'a> {
    pub(in crate::repo) configuration: &'a Configuration,
    /// The generation, its number, dates and files set.
    pub(in crate::repo) root: &'a Root,
}

impl Release<'_> {
    /// The text. No line ends with a blank: a signature over such a text would be a bad one.
    pub(in crate::repo) fn text(&self) -> Result<String, RepoError> {
        let Self { configuration, root } = self;
        let options = &root.options;
        let or = |own: &Option<String>, usual: &str| own.clone().unwrap_or_else(|| usual.to_owned());
        let flag = |set: bool| if set { "yes".to_owned() } else { String::new() };
        // apt goes nowhere by a relative one.
        let snapshots = configuration.url.as_ref().map(|url| format!("{url}/apt/snapshot/@SNAPSHOTID@/"));
        // `all` is listed for what reads `binary-all`; the second field says that it need not.
        let mut architectures = vec!["all".to_owned()];
        architectures.extend(super::architectures(&root.cells, options));
        let fields = [
            ("Origin", or(&options.origin, &configuration.origin)),
            ("Label", or(&options.label, &configuration.label)),
            ("Suite", or(&options.suite, &root.suite.name)),
            ("Version", options.version.clone().unwrap_or_default()),
            ("Codename", or(&options.codename, &root.suite.name)),
            ("Snapshots", options.snapshots.clone().or(snapshots).unwrap_or_default()),
            ("Date", rfc1123(root.date)?),
            // A root is filed under the digest of its index: no two generations may have the same, of one second either.
            ("X-Packhouse-Generation", root.number.to_string()),
            ("Valid-Until", root.valid_until.map(rfc1123).transpose()?.unwrap_or_default()),
            ("Acquire-By-Hash", "yes".to_owned()),
            ("NotAutomatic", flag(options.not_automatic)),
            ("ButAutomaticUpgrades", flag(options.but_automatic_upgrades)),
            ("No-Support-for-Architecture-all", "Packages".to_owned()),
            ("Architectures", architectures.join(" ")),
            ("Components", root.components().join(" ")),
            ("Description", or(&options.description, &configuration.description)),
        ];
        let mut text = String::new();
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
            let _ = writeln!(text, "{name}: {value}");
        }
        text.push_str("SHA256:\n");
        for file in &root.files {
            for (name, size, digest) in file.listed() {
                let _ = writeln!(text, " {digest} {size:>10} {name}");
            }
        }
        Ok(text)
    }
}

/// RFC 1123 with the zone that apt wants: `Sat, 21 Nov 2026 06:04:09 UTC`.
fn rfc1123(seconds: i64) -> Result<String, RepoError> {
    let timestamp = jiff::Timestamp::from_second(seconds)
        .map_err(|error| RepoError::OpenPgp(format!("{seconds} is no time: {error}")))?;
    Ok(timestamp.strftime("%a, %d %b %Y %H:%M:%S UTC").to_string())
}

#[cfg(test)]
mod tests {
    use super::rfc1123;

    #[test]
    fn a_date_is_written_as_apt_reads_it() {
        assert_eq!(rfc1123(0).expect("a date"), "Thu, 01 Jan 1970 00:00:00 UTC");
        assert_eq!(rfc1123(1_795_241_049).expect("a date"), "Sat, 21 Nov 2026 06:04:09 UTC");
    }
}
