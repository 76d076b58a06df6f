//! What a client would find: the signature good, every file that the signed index names there with its hash, and every
//! package that these name.

use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use sha2::{Digest as _, Sha256};

use super::SUITE;
use crate::Result;
use crate::process::run;

/// The number of debs and rpms that a client would see; an error names what is wrong.
pub(super) fn visible(repository: &Path) -> Result<(usize, usize)> {
    let apt = repository.join("apt/dists").join(SUITE);
    let yum = repository.join("yum").join(SUITE);
    let debs = if apt.join("InRelease").exists() { debs(repository, &apt)? } else { 0 };
    let rpms = if yum.join("repodata/repomd.xml").exists() { rpms(repository, &yum)? } else { 0 };
    Ok((debs, rpms))
}

fn debs(repository: &Path, suite: &Path) -> Result<usize> {
    let in_release = suite.join("InRelease");
    run(Command::new("gpgv").arg("--keyring").arg(repository.join("key.gpg")).arg(&in_release))?;
    let in_release_text = fs_err::read_to_string(&in_release)?;
    let listed =
        in_release_text.lines().skip_while(|line| *line != "SHA256:").skip(1).take_while(|line| line.starts_with(' '));
    let mut packages = Vec::new();
    let mut files = 0;
    for line in listed {
        let [digest, size, path] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            return Err(format!("InRelease has the line `{line}`").into());
        };
        // The open form is listed and need not be there.
        if !path.ends_with(".gz") {
            continue;
        }
        let (directory, _) = path.rsplit_once('/').unwrap_or_default();
        let content = held(&suite.join(directory).join("by-hash/SHA256").join(digest), digest)?;
        if content.len().to_string() != size {
            return Err(format!("{path} has {} bytes, InRelease says {size}", content.len()).into());
        }
        let text = open(&content)?;
        let plain =
            format!("{} {:>10} {}\n", hex::encode(Sha256::digest(&text)), text.len(), path.trim_end_matches(".gz"));
        if !in_release_text.contains(&plain) {
            return Err(format!("{path} does not unpack to what InRelease says").into());
        }
        files += 1;
        if path.ends_with("/binary-amd64/Packages.gz") {
            for stanza in text.split("\n\n").filter(|stanza| !stanza.trim().is_empty()) {
                let field = |name: &str| {
                    let found = stanza.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
                    found.ok_or_else(|| format!("a stanza has no {name}: {stanza}"))
                };
                held(&repository.join("apt").join(field("Filename")?), field("SHA256")?)?;
                packages.push(field("Package")?.to_owned());
            }
        }
    }
    if files == 0 {
        return Err("InRelease lists no index".into());
    }
    Ok(packages.len())
}

fn rpms(repository: &Path, suite: &Path) -> Result<usize> {
    let repodata = suite.join("repodata");
    let repomd = repodata.join("repomd.xml");
    let signature = std::env::temp_dir().join(format!("xtask-signature-{}", std::process::id()));
    run(Command::new("gpg")
        .args(["--batch", "--yes", "-q", "-o"])
        .arg(&signature)
        .arg("--dearmor")
        .arg(repodata.join("repomd.xml.asc")))?;
    run(Command::new("gpgv").arg("--keyring").arg(repository.join("key.gpg")).arg(&signature).arg(&repomd))?;
    let text = fs_err::read_to_string(&repomd)?;
    let mut count = None;
    for data in text.split("<data ").skip(1) {
        let digest = between(data, "<checksum type=\"sha256\">", "<")?;
        let href = between(data, "<location href=\"", "\"")?;
        let content = held(&suite.join(href), digest)?;
        if data.starts_with("type=\"primary\"") {
            let text = open(&content)?;
            let mut packages = 0;
            for package in text.split("<package type=\"rpm\">").skip(1) {
                let digest = between(package, "pkgid=\"YES\">", "<")?;
                held(&suite.join(between(package, "<location href=\"", "\"")?), digest)?;
                packages += 1;
            }
            if between(&text, " packages=\"", "\"")? != packages.to_string() {
                return Err("primary.xml does not say how many packages it has".into());
            }
            count = Some(packages);
        }
    }
    count.ok_or_else(|| "repomd.xml names no primary metadata".into())
}

/// The content of a file that must have this SHA-256.
fn held(path: &Path, digest: &str) -> Result<Vec<u8>> {
    let content = fs_err::read(path)?;
    if hex::encode(Sha256::digest(&content)) == digest {
        Ok(content)
    } else {
        Err(format!("{} is not what its index says", path.display()).into())
    }
}

fn open(content: &[u8]) -> Result<String> {
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(content).read_to_string(&mut text)?;
    Ok(text)
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> Result<&'a str> {
    let found = text.split_once(begin).and_then(|(_, rest)| rest.split_once(end));
    found.map(|(value, _)| value).ok_or_else(|| format!("no {begin}…{end}").into())
}
