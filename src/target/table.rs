//! The table of distributions.
//!
//! Sources: the distributions' own package lists (Debian 11 to 13, Ubuntu 22.04 and 24.04), Red Hat's package manifest
//! for EL 8, 9 and 10, Fedora's and openSUSE's release notes. dpkg reads zstd from 1.21.18 on (deb(5)), so Debian 11 gets xz; RPM
//! reads zstd from 4.14 on.

use super::{Compression, Distribution, Format, PythonVersion};

struct Row {
    name: &'static str,
    title: &'static str,
    format: Format,
    suite: &'static str,
    revision_suffix: &'static str,
    pythons: &'static [u8],
    glibc: (u32, u32),
    systemd: u32,
    compression: Compression,
    rpm: Option<(u32, u32)>,
}

use Compression::{Xz, Zstd};
use Format::{Deb, Rpm};

#[rustfmt::skip]
const TABLE: &[Row] = &[
    Row { name: "debian-11",    title: "Debian 11 (bullseye)",     format: Deb, suite: "bullseye", revision_suffix: "~deb11u1",      pythons: &[9],           glibc: (2, 31), systemd: 247, compression: Xz,   rpm: None },
    Row { name: "debian-12",    title: "Debian 12 (bookworm)",     format: Deb, suite: "bookworm", revision_suffix: "~deb12u1",      pythons: &[11],          glibc: (2, 36), systemd: 252, compression: Zstd, rpm: None },
    Row { name: "debian-13",    title: "Debian 13 (trixie)",       format: Deb, suite: "trixie",   revision_suffix: "~deb13u1",      pythons: &[13],          glibc: (2, 41), systemd: 257, compression: Zstd, rpm: None },
    Row { name: "ubuntu-22.04", title: "Ubuntu 22.04 (jammy)",     format: Deb, suite: "jammy",    revision_suffix: "~ubuntu22.04",  pythons: &[10],          glibc: (2, 35), systemd: 249, compression: Zstd, rpm: None },
    Row { name: "ubuntu-24.04", title: "Ubuntu 24.04 (noble)",     format: Deb, suite: "noble",    revision_suffix: "~ubuntu24.04",  pythons: &[12],          glibc: (2, 39), systemd: 255, compression: Zstd, rpm: None },
    Row { name: "el8",          title: "Enterprise Linux 8",       format: Rpm, suite: "el8",      revision_suffix: ".el8",          pythons: &[11, 12, 9],   glibc: (2, 28), systemd: 239, compression: Zstd, rpm: Some((4, 14)) },
    Row { name: "el9",          title: "Enterprise Linux 9",       format: Rpm, suite: "el9",      revision_suffix: ".el9",          pythons: &[11, 12, 9],   glibc: (2, 34), systemd: 252, compression: Zstd, rpm: Some((4, 16)) },
    Row { name: "el10",         title: "Enterprise Linux 10",      format: Rpm, suite: "el10",     revision_suffix: ".el10",         pythons: &[12],          glibc: (2, 39), systemd: 257, compression: Zstd, rpm: Some((4, 19)) },
    Row { name: "fedora-42",    title: "Fedora 42",                format: Rpm, suite: "fc42",     revision_suffix: ".fc42",         pythons: &[13],          glibc: (2, 41), systemd: 257, compression: Zstd, rpm: Some((4, 20)) },
    Row { name: "fedora-43",    title: "Fedora 43",                format: Rpm, suite: "fc43",     revision_suffix: ".fc43",         pythons: &[14],          glibc: (2, 42), systemd: 258, compression: Zstd, rpm: Some((6, 0)) },
    Row { name: "opensuse-15.6", title: "openSUSE Leap 15.6",      format: Rpm, suite: "leap15.6", revision_suffix: ".lp156",        pythons: &[11, 12],      glibc: (2, 38), systemd: 254, compression: Zstd, rpm: Some((4, 14)) },
    Row { name: "opensuse-16.0", title: "openSUSE Leap 16.0",      format: Rpm, suite: "leap16.0", revision_suffix: ".lp160",        pythons: &[13],          glibc: (2, 40), systemd: 257, compression: Zstd, rpm: Some((4, 20)) },
];

/// All built-in distributions.
pub fn distributions() -> Vec<Distribution> {
    TABLE
        .iter()
        .map(|row| Distribution {
            name: row.name.to_owned(),
            title: row.title.to_owned(),
            format: row.format,
            suite: row.suite.to_owned(),
            revision_suffix: row.revision_suffix.to_owned(),
            pythons: row.pythons.iter().copied().map(PythonVersion::three).collect(),
            glibc: row.glibc,
            systemd: row.systemd,
            compression: row.compression,
            compression_is_asked_for: false,
            // The table has xz where zstd cannot be read.
            reads_zstd: row.compression == Zstd,
            rpm: row.rpm,
            suse: row.name.starts_with("opensuse"),
        })
        .collect()
}

/// The built-in distribution of this name.
pub fn distribution(name: &str) -> Option<Distribution> {
    distributions().into_iter().find(|distribution| distribution.name == name)
}
