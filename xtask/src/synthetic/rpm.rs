//! A tiny .rpm: one that rpmbuild has made, with an uncompressed payload, in which every name, version and digest is replaced
//! by another of the same length. Whatever rpmbuild writes is in it, reserved space for signatures included.

use std::path::Path;
use std::process::Command;

use sha2::{Digest as _, Sha256};

use super::NAME;
use crate::Result;
use crate::process::run;

/// Stands for the name.
const MARK: &str = "namenamename";
/// Stands for the version.
const VERSION: &str = "7.7";
/// Bytes of the lead.
const LEAD: usize = 96;

/// The package that all others are made from.
#[derive(Debug)]
pub(crate) struct Template {
    /// Lead, signature header and padding.
    signatures: Vec<u8>,
    header: Vec<u8>,
    payload: Vec<u8>,
}

impl Template {
    /// Lets rpmbuild make it below `place`.
    pub(crate) fn make(place: &Path) -> Result<Self> {
        debug_assert_eq!(MARK.len(), NAME);
        fs_err::create_dir_all(place)?;
        let spec = place.join("template.spec");
        let files: String = ["one", "two", "three", "four", "five", "six"]
            .iter()
            .map(|file| format!("echo {file} > %{{buildroot}}/usr/share/%{{name}}/{file}\n"))
            .collect();
        let text = format!(
            "Name: {MARK}\nVersion: {VERSION}\nRelease: 1\nSummary: A synthetic package that stands for many\nLicense: MIT\n\
             URL: https://acme.example/{MARK}\nVendor: Acme\nPackager: Acme Packages <packages@acme.example>\nAutoReqProv: no\n\
             Requires: glibc >= 2.34\nRequires: /usr/bin/sh\nProvides: config({MARK}) = {VERSION}-1\n\
             %global __os_install_post %{{nil}}\n%global debug_package %{{nil}}\n%global _build_id_links none\n\
             %description\n{MARK} has eight small files. It does nothing, depends on what is usual, and is here so that\n\
             indices have something to tell.\n%install\nmkdir -p %{{buildroot}}/usr/bin %{{buildroot}}/etc %{{buildroot}}/usr/share/%{{name}}\n\
             echo x > %{{buildroot}}/usr/bin/%{{name}}\necho y > %{{buildroot}}/etc/%{{name}}.conf\n{files}\
             %files\n/usr/bin/%{{name}}\n%config(noreplace) /etc/%{{name}}.conf\n%dir /usr/share/%{{name}}\n/usr/share/%{{name}}/*\n\
             %changelog\n* Mon Jan 05 2026 Acme <packages@acme.example> - {VERSION}-1\n- Second\n* Thu Jan 01 2026 Acme <packages@acme.example> - 0.1-1\n- First\n"
        );
        fs_err::write(&spec, text)?;
        let mut build = Command::new("rpmbuild");
        build.env("HOME", place).args(["-bb", "--quiet", "--target", "x86_64", "--define", "_binary_payload w.ufdio"]);
        build
            .arg("--define")
            .arg(format!("_topdir {}", place.display()))
            .arg("--define")
            .arg(format!("_rpmdir {}", place.display()));
        run(build.arg("--define").arg("_rpmfilename template.rpm").arg(&spec))?;
        let mut bytes = fs_err::read(place.join("template.rpm"))?;
        let header_at = end_of_header(&bytes, LEAD)?.next_multiple_of(8);
        let payload = bytes.split_off(end_of_header(&bytes, header_at)?);
        let header = bytes.split_off(header_at);
        Ok(Self { signatures: bytes, header, payload })
    }

    /// The bytes of a package of this name and version, which have the lengths of [`super::name`] and `1.0`.
    pub(crate) fn rpm(&self, name: &str, version: &str) -> Result<Vec<u8>> {
        if name.len() != NAME || version.len() != VERSION.len() {
            return Err(format!("`{name}` {version} does not have the template's lengths").into());
        }
        let renamed = |bytes: &[u8]| {
            replaced(&replaced(bytes, MARK.as_bytes(), name.as_bytes()), VERSION.as_bytes(), version.as_bytes())
        };
        let payload = renamed(&self.payload);
        let sha256 = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
        let header = replaced(&renamed(&self.header), sha256(&self.payload).as_bytes(), sha256(&payload).as_bytes());
        let mut signatures = renamed(&self.signatures);
        let sha1 = |bytes: &[u8]| hex::encode(sha1::Sha1::digest(bytes));
        let md5 =
            |header: &[u8], payload: &[u8]| md5::Md5::new_with_prefix(header).chain_update(payload).finalize().to_vec();
        for (old, new) in [
            (sha256(&self.header).into_bytes(), sha256(&header).into_bytes()),
            (sha1(&self.header).into_bytes(), sha1(&header).into_bytes()),
            (md5(&self.header, &self.payload), md5(&header, &payload)),
        ] {
            signatures = replaced(&signatures, &old, &new);
        }
        Ok([signatures, header, payload].concat())
    }
}

/// Where the header that begins at `at` ends: its magic, two numbers, entries of 16 bytes, data.
fn end_of_header(bytes: &[u8], at: usize) -> Result<usize> {
    let number = |at: usize| -> Result<usize> {
        let number: [u8; 4] = bytes.get(at..at + 4).ok_or("a short template")?.try_into()?;
        Ok(u32::from_be_bytes(number) as usize)
    };
    Ok(at + 16 + number(at + 8)? * 16 + number(at + 12)?)
}

/// `bytes` with every `old` as `new`, which is as long.
fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut result = bytes.to_vec();
    for at in memchr::memmem::find_iter(bytes, old) {
        if let Some(place) = result.get_mut(at..at + old.len()) {
            place.copy_from_slice(new);
        }
    }
    result
}
