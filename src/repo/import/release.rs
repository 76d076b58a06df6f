//! The Release file of a suite that another tool has published.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::Identity;
use super::index::Checksum;
use super::stanzas::{self, Stanza};

/// No Release file is longer: Debian's has 220 KB.
const MAXIMUM: u64 = 16 << 20;

/// What a Release file says.
#[derive(Debug)]
pub(in crate::repo) struct Release {
    pub(super) identity: Identity,
    pub(super) components: Vec<String>,
    /// Size and digest of each listed file, by its name.
    pub(in crate::repo) files: BTreeMap<String, (u64, Checksum)>,
}

/// Reads InRelease, or Release where there is none: what clients take.
pub(super) fn read(directory: &Path) -> io::Result<Release> {
    let in_release = directory.join("InRelease");
    if in_release.is_file() {
        return parse(signed_text(&load(&in_release)?)?);
    }
    parse(&load(&directory.join("Release"))?)
}

/// What an InRelease file says.
pub(in crate::repo) fn signed(text: &str) -> io::Result<Release> {
    parse(signed_text(text)?)
}

fn load(path: &Path) -> io::Result<String> {
    let length = fs_err::metadata(path)?.len();
    if length > MAXIMUM {
        return Err(malformed("it is longer than any Release file"));
    }
    Ok(String::from_utf8_lossy(&fs_err::read(path)?).into_owned())
}

/// The text that a cleartext signature is over (RFC 9580, 7). The signature itself cannot be judged without its key: who
/// imports a repository trusts the directory that it is in.
fn signed_text(text: &str) -> io::Result<&str> {
    let body = text.strip_prefix("-----BEGIN PGP SIGNED MESSAGE-----").and_then(|rest| rest.split_once("\n\n"));
    let body = body.and_then(|(_, body)| body.split_once("\n-----BEGIN PGP SIGNATURE-----"));
    body.map(|(body, _)| body).ok_or_else(|| malformed("it is no signed message"))
}

fn parse(text: &str) -> io::Result<Release> {
    let stanza = stanzas::single(text)?;
    let text = |name: &str| stanza.field(name).filter(|value| !value.is_empty()).map(str::to_owned);
    let yes = |name: &str| stanza.field(name).is_some_and(|value| value.eq_ignore_ascii_case("yes"));
    let time = |name: &str| stanza.field(name).and_then(seconds);
    let valid_for = time("Valid-Until").zip(time("Date")).map(|(until, date)| until - date).filter(|valid| *valid > 0);
    let identity = Identity {
        origin: text("Origin"),
        label: text("Label"),
        suite: text("Suite"),
        codename: text("Codename"),
        version: text("Version"),
        description: text("Description"),
        valid_for,
        not_automatic: yes("NotAutomatic"),
        but_automatic_upgrades: yes("ButAutomaticUpgrades"),
        architectures: stanza
            .words("Architectures")
            .filter(|word| !["all", "source"].contains(word))
            .map(str::to_owned)
            .collect(),
        components: stanza.words("Components").map(str::to_owned).collect(),
    };
    let components = stanza.words("Components").map(str::to_owned).collect();
    let files = files(&stanza)?;
    Ok(Release { identity, components, files })
}

/// The listed files, by the strongest digests that there are.
fn files(stanza: &Stanza) -> io::Result<BTreeMap<String, (u64, Checksum)>> {
    let fields = [("SHA256", "sha256"), ("SHA512", "sha512"), ("SHA1", "sha1")];
    let (field, algorithm) = fields
        .into_iter()
        .find(|(field, _)| stanza.lines(field).next().is_some())
        .ok_or_else(|| malformed("it lists no files by SHA-256, SHA-512 or SHA-1"))?;
    let entry = |line: &str| {
        let mut words = line.split_whitespace();
        let (digest, size, name) = (words.next()?, words.next()?, words.next()?);
        Some((name.to_owned(), (size.parse().ok()?, Checksum::parse(algorithm, digest)?)))
    };
    let read =
        |line: &str| entry(line).ok_or_else(|| malformed("a line of its list of files is not `digest size name`"));
    stanza.lines(field).map(read).collect()
}

/// A date of RFC 1123 as seconds since 1970.
fn seconds(date: &str) -> Option<i64> {
    let date = date.replace("UTC", "+0000").replace("GMT", "+0000");
    jiff::fmt::rfc2822::parse(&date).ok().map(|zoned| zoned.timestamp().as_second())
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Origin: Acme\nLabel: Acme Stable\nSuite: stable\nCodename: bookworm\nVersion: 12.1\n\
                        Date: Sat, 21 Nov 2026 06:04:09 UTC\nValid-Until: Sat, 28 Nov 2026 06:04:09 +0000\nNotAutomatic: yes\n\
                        Architectures: amd64 arm64 source\nComponents: main extra\nMD5Sum:\n 00 1 x\nSHA256:\n \
                        e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 0 main/binary-amd64/Packages\n";

    #[test]
    fn what_clients_remember_is_read() {
        let release = parse(TEXT).expect("a Release file");
        let identity = &release.identity;
        assert_eq!((identity.origin.as_deref(), identity.label.as_deref()), (Some("Acme"), Some("Acme Stable")));
        assert_eq!((identity.suite.as_deref(), identity.codename.as_deref()), (Some("stable"), Some("bookworm")));
        assert_eq!((identity.valid_for, identity.not_automatic), (Some(7 * 86_400), true));
        assert_eq!(identity.architectures.iter().collect::<Vec<_>>(), ["amd64", "arm64"]);
        assert_eq!(release.files["main/binary-amd64/Packages"].0, 0);
    }

    #[test]
    fn the_text_of_a_signed_message_ends_before_its_signature() {
        let signed = format!(
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{}\n-----BEGIN PGP SIGNATURE-----\n\nxyz\n-----END PGP SIGNATURE-----\n",
            TEXT.trim_end()
        );
        assert_eq!(signed_text(&signed).expect("a text"), TEXT.trim_end());
        assert!(signed_text(TEXT).is_err());
    }

    #[test]
    fn a_line_whose_columns_are_in_another_order_is_refused() {
        let text = "Date: x\nSHA256:\n main/binary-amd64/Packages 0 e3b0\n";
        assert!(parse(text).expect_err("refused").to_string().contains("digest size name"));
    }
}
