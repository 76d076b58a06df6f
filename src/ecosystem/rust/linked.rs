//! `Static-Built-Using`: the source package of the Rust toolchain, where it is one of the target's own distribution.
//!
//! A Rust program has the standard library inside. When rustc is a Debian package of the release that is built for, a
//! security update of that package is a reason to build the program again, and the field says so in the archive's own
//! terms (deb-control(5), since dpkg 1.21.3), as Debian's dh-cargo does. A toolchain of rustup is no package of any
//! archive, and neither is rustc of another release one of the target's: of these nothing can be said. The C library is
//! linked dynamically; vendored crates are no packages, and stand in the package's other documents.

use std::io;
use std::path::Path;

use crate::relation::{RelationKind, debian};
use crate::target::{Distribution, Format};

/// `rustc (= VERSION)` when `rustc` belongs to a package of `distribution`, which the machine with this `root` runs.
pub(super) fn linked(root: &Path, rustc: &Path, distribution: &Distribution) -> io::Result<Vec<String>> {
    if distribution.format != Format::Deb || !rustc.starts_with("/usr") || !runs(root, distribution)? {
        return Ok(Vec::new());
    }
    let Some(package) = owner(root, rustc)? else { return Ok(Vec::new()) };
    let status = fs_err::read_to_string(root.join("var/lib/dpkg/status"))?;
    let stanza = status.split("\n\n").find(|stanza| field(stanza, "Package") == Some(package.as_str()));
    let Some((stanza, version)) = stanza.and_then(|stanza| Some((stanza, field(stanza, "Version")?))) else {
        return Ok(Vec::new());
    };
    // `Source: NAME` or `Source: NAME (VERSION)`, where they are not the package's own.
    let (source, version) = match field(stanza, "Source").map(|source| source.split_once(" (").unwrap_or((source, "")))
    {
        Some((source, "")) => (source, version),
        Some((source, version)) => (source, version.trim_end_matches(')')),
        None => (package.as_str(), version),
    };
    let relation = format!("{source} (= {version})");
    let spelt = debian::canonical(RelationKind::StaticBuiltUsing, &relation);
    spelt
        .map(|relation| vec![relation])
        .map_err(|error| io::Error::other(format!("dpkg's status says of rustc: {error}")))
}

/// Whether this machine runs `distribution` (os-release(5)).
fn runs(root: &Path, distribution: &Distribution) -> io::Result<bool> {
    let text = match fs_err::read_to_string(root.join("etc/os-release")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        text => text?,
    };
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.unwrap_or_default().trim_matches('"')
    };
    Ok(format!("{}-{}", value("ID"), value("VERSION_ID")) == distribution.name)
}

/// The package that `program` was installed by: `rustc`, `rustc-web`, `rustc-1.80`.
fn owner(root: &Path, program: &Path) -> io::Result<Option<String>> {
    let directory = root.join("var/lib/dpkg/info");
    if !directory.is_dir() {
        return Ok(None);
    }
    let mut lists = Vec::new();
    for entry in fs_err::read_dir(&directory)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.starts_with("rustc") && name.ends_with(".list") {
            lists.push(name);
        }
    }
    lists.sort();
    for name in lists {
        let text = fs_err::read_to_string(directory.join(&name))?;
        if text.lines().any(|line| Path::new(line) == program) {
            let name = name.trim_end_matches(".list");
            return Ok(Some(name.split(':').next().unwrap_or(name).to_owned()));
        }
    }
    Ok(None)
}

/// A field of a stanza, in one line.
fn field<'a>(stanza: &'a str, name: &str) -> Option<&'a str> {
    stanza.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::distribution;

    fn machine(list: &str, status: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a directory");
        let put = |file: &str, text: &str| {
            let path = root.path().join(file);
            fs_err::create_dir_all(path.parent().expect("a parent")).expect("made");
            fs_err::write(path, text).expect("written");
        };
        put("etc/os-release", "NAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nID=debian\n");
        put(&format!("var/lib/dpkg/info/{list}.list"), "/.\n/usr\n/usr/bin\n/usr/bin/rustc\n");
        put("var/lib/dpkg/info/rustc-doc.list", "/.\n/usr/share/doc/rustc-doc\n");
        put("var/lib/dpkg/status", &format!("Package: bash\nVersion: 5\n\n{status}\n\nPackage: zsh\nVersion: 6\n"));
        root
    }

    #[test]
    fn a_toolchain_of_the_targets_own_release_is_named_by_its_source_package() {
        let debian = distribution("debian-12").expect("built in");
        let rustc = Path::new("/usr/bin/rustc");
        let asked = |root: &tempfile::TempDir, rustc: &Path, distribution: &Distribution| {
            linked(root.path(), rustc, distribution).expect("readable")
        };
        let plain = machine("rustc", "Package: rustc\nStatus: install ok installed\nVersion: 1.63.0+dfsg1-2");
        assert_eq!(asked(&plain, rustc, &debian), ["rustc (= 1.63.0+dfsg1-2)"]);
        let other = "Package: rustc-web\nSource: rustc-web-src (1.78.0-1)\nVersion: 1.78.0-1+b1";
        assert_eq!(asked(&machine("rustc-web:amd64", other), rustc, &debian), ["rustc-web-src (= 1.78.0-1)"]);

        let rustup = Path::new("/home/x/.rustup/toolchains/stable/bin/rustc");
        assert!(asked(&plain, rustup, &debian).is_empty());
        assert!(asked(&plain, Path::new("/usr/local/bin/rustc"), &debian).is_empty());
        for other in ["debian-13", "el9"] {
            assert!(asked(&plain, rustc, &distribution(other).expect("built in")).is_empty(), "{other}");
        }
        let broken = machine("rustc", "Package: rustc\nVersion: 1.63 evil");
        assert!(linked(broken.path(), rustc, &debian).is_err());
    }
}
