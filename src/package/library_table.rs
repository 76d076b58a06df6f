//! Which Debian or Ubuntu package holds a shared library.
//!
//! Sources: the `shlibs` files of Debian 12's and 13's packages, PEP 600's list of what manylinux wheels may link to, and
//! the list of the 64-bit-time transition, which renamed packages in Debian 13 and Ubuntu 24.04. What is not here is an
//! error that says how to declare it, so a row that is not sure is better left out.

use crate::target::Distribution;

/// Where a row holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    /// In every release.
    Everywhere,
    /// In these alone: others have another SONAME, or none.
    Only(&'static [&'static str]),
}

use Where::{Everywhere, Only};

/// A library.
struct Row {
    soname: &'static str,
    /// Its package up to Debian 12 and Ubuntu 22.04.
    before: &'static str,
    /// Its package since the 64-bit-time transition.
    since: &'static str,
    place: Where,
}

const fn row(soname: &'static str, package: &'static str) -> Row {
    Row { soname, before: package, since: package, place: Everywhere }
}

const fn renamed(soname: &'static str, before: &'static str, since: &'static str) -> Row {
    Row { soname, before, since, place: Everywhere }
}

const fn only(soname: &'static str, package: &'static str, names: &'static [&'static str]) -> Row {
    Row { soname, before: package, since: package, place: Only(names) }
}

const DEBIAN_11: &[&str] = &["debian-11"];
const DEBIAN_12: &[&str] = &["debian-12"];
const DEBIAN_13: &[&str] = &["debian-13"];
const DEBIAN: &[&str] = &["debian-11", "debian-12", "debian-13"];
const UBUNTU: &[&str] = &["ubuntu-22.04", "ubuntu-24.04"];
const UBUNTU_22: &[&str] = &["ubuntu-22.04"];
const UBUNTU_24: &[&str] = &["ubuntu-24.04"];
const NOT_DEBIAN_11: &[&str] = &["debian-12", "debian-13", "ubuntu-22.04", "ubuntu-24.04"];
const OLD_TIFF: &[&str] = &["debian-11", "ubuntu-22.04"];
const NEW_TIFF: &[&str] = &["debian-12", "debian-13", "ubuntu-24.04"];
const OPENLDAP_25: &[&str] = &["debian-12", "ubuntu-22.04"];
const OPENLDAP_26: &[&str] = &["debian-13", "ubuntu-24.04"];

const ROWS: &[Row] = &[
    row("libEGL.so.1", "libegl1"),
    row("libGL.so.1", "libgl1"),
    row("libICE.so.6", "libice6"),
    row("libSM.so.6", "libsm6"),
    row("libX11.so.6", "libx11-6"),
    row("libXext.so.6", "libxext6"),
    row("libXrender.so.1", "libxrender1"),
    row("libacl.so.1", "libacl1"),
    row("libatomic.so.1", "libatomic1"),
    row("libattr.so.1", "libattr1"),
    row("libaudit.so.1", "libaudit1"),
    row("libblkid.so.1", "libblkid1"),
    row("libbrotlicommon.so.1", "libbrotli1"),
    row("libbrotlidec.so.1", "libbrotli1"),
    row("libbrotlienc.so.1", "libbrotli1"),
    row("libbsd.so.0", "libbsd0"),
    row("libbz2.so.1.0", "libbz2-1.0"),
    row("libcap-ng.so.0", "libcap-ng0"),
    row("libcap.so.2", "libcap2"),
    row("libcares.so.2", "libc-ares2"),
    row("libcom_err.so.2", "libcom-err2"),
    row("libcrypt.so.1", "libcrypt1"),
    only("libcrypto.so.1.1", "libssl1.1", DEBIAN_11),
    Row { soname: "libcrypto.so.3", before: "libssl3", since: "libssl3t64", place: Only(NOT_DEBIAN_11) },
    renamed("libcurl.so.4", "libcurl4", "libcurl4t64"),
    row("libdbus-1.so.3", "libdbus-1-3"),
    row("libedit.so.2", "libedit2"),
    renamed("libev.so.4", "libev4", "libev4t64"),
    renamed("libevent-2.1.so.7", "libevent-2.1-7", "libevent-2.1-7t64"),
    row("libexpat.so.1", "libexpat1"),
    row("libexslt.so.0", "libxslt1.1"),
    only("libffi.so.7", "libffi7", DEBIAN_11),
    only("libffi.so.8", "libffi8", NOT_DEBIAN_11),
    row("libfontconfig.so.1", "libfontconfig1"),
    row("libfreetype.so.6", "libfreetype6"),
    row("libgcc_s.so.1", "libgcc-s1"),
    renamed("libgdbm.so.6", "libgdbm6", "libgdbm6t64"),
    row("libgfortran.so.5", "libgfortran5"),
    renamed("libgio-2.0.so.0", "libglib2.0-0", "libglib2.0-0t64"),
    renamed("libglib-2.0.so.0", "libglib2.0-0", "libglib2.0-0t64"),
    row("libgmp.so.10", "libgmp10"),
    renamed("libgnutls.so.30", "libgnutls30", "libgnutls30t64"),
    renamed("libgobject-2.0.so.0", "libglib2.0-0", "libglib2.0-0t64"),
    row("libgomp.so.1", "libgomp1"),
    row("libgssapi_krb5.so.2", "libgssapi-krb5-2"),
    renamed("libgthread-2.0.so.0", "libglib2.0-0", "libglib2.0-0t64"),
    only("libicudata.so.67", "libicu67", DEBIAN_11),
    only("libicui18n.so.67", "libicu67", DEBIAN_11),
    only("libicuuc.so.67", "libicu67", DEBIAN_11),
    only("libicudata.so.70", "libicu70", UBUNTU_22),
    only("libicui18n.so.70", "libicu70", UBUNTU_22),
    only("libicuuc.so.70", "libicu70", UBUNTU_22),
    only("libicudata.so.72", "libicu72", DEBIAN_12),
    only("libicui18n.so.72", "libicu72", DEBIAN_12),
    only("libicuuc.so.72", "libicu72", DEBIAN_12),
    only("libicudata.so.74", "libicu74", UBUNTU_24),
    only("libicui18n.so.74", "libicu74", UBUNTU_24),
    only("libicuuc.so.74", "libicu74", UBUNTU_24),
    only("libicudata.so.76", "libicu76", DEBIAN_13),
    only("libicui18n.so.76", "libicu76", DEBIAN_13),
    only("libicuuc.so.76", "libicu76", DEBIAN_13),
    row("libidn2.so.0", "libidn2-0"),
    row("libjansson.so.4", "libjansson4"),
    only("libjpeg.so.62", "libjpeg62-turbo", DEBIAN),
    only("libjpeg.so.8", "libjpeg-turbo8", UBUNTU),
    row("libk5crypto.so.3", "libk5crypto3"),
    row("libkeyutils.so.1", "libkeyutils1"),
    row("libkrb5.so.3", "libkrb5-3"),
    only("liblber-2.4.so.2", "libldap-2.4-2", DEBIAN_11),
    only("liblber-2.5.so.0", "libldap-2.5-0", OPENLDAP_25),
    only("liblber.so.2", "libldap2", OPENLDAP_26),
    row("liblcms2.so.2", "liblcms2-2"),
    only("libldap-2.4.so.2", "libldap-2.4-2", DEBIAN_11),
    only("libldap_r-2.4.so.2", "libldap-2.4-2", DEBIAN_11),
    only("libldap-2.5.so.0", "libldap-2.5-0", OPENLDAP_25),
    only("libldap.so.2", "libldap2", OPENLDAP_26),
    row("liblmdb.so.0", "liblmdb0"),
    row("liblz4.so.1", "liblz4-1"),
    row("liblzma.so.5", "liblzma5"),
    renamed("libmagic.so.1", "libmagic1", "libmagic1t64"),
    row("libmariadb.so.3", "libmariadb3"),
    row("libmount.so.1", "libmount1"),
    only("libmysqlclient.so.21", "libmysqlclient21", UBUNTU),
    row("libncurses.so.6", "libncurses6"),
    row("libncursesw.so.6", "libncursesw6"),
    row("libnghttp2.so.14", "libnghttp2-14"),
    row("libnuma.so.1", "libnuma1"),
    only("libodbc.so.2", "libodbc1", DEBIAN_11),
    only("libodbc.so.2", "libodbc2", NOT_DEBIAN_11),
    row("libpam.so.0", "libpam0g"),
    row("libpanelw.so.6", "libncursesw6"),
    renamed("libpcap.so.0.8", "libpcap0.8", "libpcap0.8t64"),
    row("libpcre2-8.so.0", "libpcre2-8-0"),
    renamed("libpng16.so.16", "libpng16-16", "libpng16-16t64"),
    row("libpq.so.5", "libpq5"),
    only("libpython3.9.so.1.0", "libpython3.9", DEBIAN_11),
    only("libpython3.10.so.1.0", "libpython3.10", UBUNTU_22),
    only("libpython3.11.so.1.0", "libpython3.11", DEBIAN_12),
    only("libpython3.12.so.1.0", "libpython3.12t64", UBUNTU_24),
    only("libpython3.13.so.1.0", "libpython3.13", DEBIAN_13),
    row("libquadmath.so.0", "libquadmath0"),
    row("librdkafka.so.1", "librdkafka1"),
    renamed("libreadline.so.8", "libreadline8", "libreadline8t64"),
    row("libsasl2.so.2", "libsasl2-2"),
    row("libseccomp.so.2", "libseccomp2"),
    row("libselinux.so.1", "libselinux1"),
    row("libsnappy.so.1", "libsnappy1v5"),
    row("libsodium.so.23", "libsodium23"),
    row("libsqlite3.so.0", "libsqlite3-0"),
    only("libssl.so.1.1", "libssl1.1", DEBIAN_11),
    Row { soname: "libssl.so.3", before: "libssl3", since: "libssl3t64", place: Only(NOT_DEBIAN_11) },
    row("libstdc++.so.6", "libstdc++6"),
    row("libsystemd.so.0", "libsystemd0"),
    only("libtiff.so.5", "libtiff5", OLD_TIFF),
    only("libtiff.so.6", "libtiff6", NEW_TIFF),
    row("libtinfo.so.6", "libtinfo6"),
    row("libudev.so.1", "libudev1"),
    row("libusb-1.0.so.0", "libusb-1.0-0"),
    row("libuuid.so.1", "libuuid1"),
    renamed("libuv.so.1", "libuv1", "libuv1t64"),
    only("libwebp.so.6", "libwebp6", DEBIAN_11),
    only("libwebp.so.7", "libwebp7", NOT_DEBIAN_11),
    row("libxcb.so.1", "libxcb1"),
    row("libxml2.so.2", "libxml2"),
    row("libxslt.so.1", "libxslt1.1"),
    row("libxxhash.so.0", "libxxhash0"),
    row("libyaml-0.so.2", "libyaml-0-2"),
    row("libz.so.1", "zlib1g"),
    row("libzmq.so.5", "libzmq5"),
    row("libzstd.so.1", "libzstd1"),
];

/// Releases before the 64-bit-time transition.
const OLD_TIME: &[&str] = &["debian-11", "debian-12", "ubuntu-22.04"];

/// The package that holds `soname` in `distribution`; `None` when that is not known.
pub(super) fn package(soname: &str, distribution: &Distribution) -> Option<&'static str> {
    // A distribution of the user's own is told by its C library: the transition came with glibc 2.37 and later.
    let built_in = crate::target::distribution(&distribution.name).is_some();
    let old = if built_in { OLD_TIME.contains(&distribution.name.as_str()) } else { distribution.glibc < (2, 37) };
    let mut rows = ROWS.iter().filter(|row| row.soname == soname);
    let row = rows.find(|row| match row.place {
        Everywhere => true,
        Only(names) => names.contains(&distribution.name.as_str()),
    })?;
    Some(if old { row.before } else { row.since })
}

/// The newest `GLIBCXX_3.4.N` of a distribution's libstdc++ (the GCC that it is built by: GCC's "ABI Policy and
/// Guidelines"); `None` for a distribution of the user's own.
pub(super) fn newest_glibcxx(distribution: &Distribution) -> Option<u32> {
    Some(match distribution.name.as_str() {
        "el8" => 25,
        "debian-11" => 28,
        "el9" => 29,
        "debian-12" | "ubuntu-22.04" => 30,
        "debian-13" | "ubuntu-24.04" | "el10" => 33,
        "fedora-42" | "fedora-43" => 34,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::{Format, distributions};

    #[test]
    fn every_library_has_at_most_one_package_in_each_release() {
        for distribution in distributions().iter().filter(|distribution| distribution.format == Format::Deb) {
            for one in ROWS {
                let holds = |row: &&Row| {
                    row.soname == one.soname
                        && match row.place {
                            Everywhere => true,
                            Only(names) => names.contains(&distribution.name.as_str()),
                        }
                };
                assert!(ROWS.iter().filter(holds).count() <= 1, "{} in {}", one.soname, distribution.name);
            }
        }
    }

    #[test]
    fn releases_named_in_the_table_exist() {
        for row in ROWS {
            if let Only(names) = row.place {
                for name in names {
                    assert!(crate::target::distribution(name).is_some(), "{name}");
                }
            }
        }
    }

    #[test]
    fn a_release_without_a_library_does_not_get_its_package() {
        let of = |soname: &str, name: &str| package(soname, &crate::target::distribution(name).expect("it"));
        assert_eq!(of("libssl.so.3", "debian-11"), None);
        assert_eq!(of("libssl.so.1.1", "debian-11"), Some("libssl1.1"));
        assert_eq!(of("libssl.so.1.1", "debian-12"), None);
        assert_eq!(of("libssl.so.3", "debian-12"), Some("libssl3"));
        assert_eq!(of("libssl.so.3", "ubuntu-24.04"), Some("libssl3t64"));
        assert_eq!(of("libffi.so.8", "debian-11"), None);
        assert_eq!(of("libodbc.so.2", "debian-11"), Some("libodbc1"));
        assert_eq!(of("libldap.so.2", "debian-13"), Some("libldap2"));
    }

    /// Every library that this machine's own packages say they hold, where this machine runs a release of the table.
    #[test]
    fn this_machine_s_shlibs_say_the_same() {
        let release = fs_err::read_to_string("/etc/os-release").unwrap_or_default();
        let field = |name: &str| {
            release.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim_matches('"').to_owned())
        };
        let name = format!("{}-{}", field("ID=").unwrap_or_default(), field("VERSION_ID=").unwrap_or_default());
        let Some(distribution) = crate::target::distribution(&name) else { return };
        let Ok(directory) = fs_err::read_dir("/var/lib/dpkg/info") else { return };
        let mut compared = 0;
        for file in directory.filter_map(Result::ok) {
            if file.path().extension().is_none_or(|extension| extension != "shlibs") {
                continue;
            }
            for line in fs_err::read_to_string(file.path()).expect("shlibs").lines() {
                let words: Vec<&str> = line.split_whitespace().collect();
                let [library, version, holder, ..] = words.as_slice() else { continue };
                // Of the distribution's own: others bring private copies, and `udeb:` lines are for its installer.
                if library.ends_with(':') || !(holder.starts_with("lib") || *holder == "zlib1g") {
                    continue;
                }
                for soname in [format!("{library}.so.{version}"), format!("{library}-{version}.so")] {
                    if ROWS.iter().any(|row| row.soname == soname) {
                        assert_eq!(package(&soname, &distribution), Some(*holder), "{soname}");
                        compared += 1;
                    }
                }
            }
        }
        assert!(compared > 10, "only {compared} libraries were compared");
    }
}
