//! Texts that the configuration holds, or names a file for.

use std::io::Read as _;
use std::path::Path;

use super::{Error, LICENSE_FILES};
use crate::config::value::stays_inside;
use crate::config::{ServiceSettings, Settings, TextSource};
use crate::name::PackageName;

/// More than any text of a package has.
const LONGEST: u64 = 8 << 20;

/// What `source` says; `directory` is the service's, `what` is what the text is meant to be: `the script`.
pub(super) fn read(
    settings: &Settings,
    directory: &Path,
    package: &PackageName,
    source: &TextSource,
    what: &'static str,
) -> Result<String, Error> {
    let file = match source {
        TextSource::Inline(text) => return Ok(text.clone()),
        TextSource::File(file) => file,
    };
    let bytes = bytes(settings, directory, package, file, what)?;
    String::from_utf8(bytes).map_err(|_| refused(package, file, what, "is not UTF-8"))
}

/// The content of a file of the repository.
pub(super) fn bytes(
    settings: &Settings,
    directory: &Path,
    package: &PackageName,
    file: &Path,
    what: &'static str,
) -> Result<Vec<u8>, Error> {
    let path = directory.join(file);
    if !path.is_file() {
        return Err(Error::Missing { package: package.to_string(), what, path: file.to_path_buf() });
    }
    if !stays_inside(&settings.root, &path) {
        return Err(refused(package, file, what, "is a link that leads out of the repository"));
    }
    if fs_err::metadata(&path)?.len() > LONGEST {
        return Err(refused(package, file, what, "is larger than 8 MiB"));
    }
    Ok(fs_err::read(&path)?)
}

fn refused(package: &PackageName, file: &Path, what: &'static str, problem: &'static str) -> Error {
    Error::Text { package: package.to_string(), what: format!("{what} `{}`", file.display()), problem }
}

/// The text of a changelog, which may be compressed.
pub(super) fn changelog(
    settings: &Settings,
    directory: &Path,
    package: &PackageName,
    file: &Path,
) -> Result<Vec<u8>, Error> {
    let what = "the changelog";
    let bytes = bytes(settings, directory, package, file, what)?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut plain = Vec::new();
    let mut decoder = flate2::read::MultiGzDecoder::new(bytes.as_slice()).take(LONGEST + 1);
    decoder.read_to_end(&mut plain).map_err(|_| refused(package, file, what, "is compressed and damaged"))?;
    if plain.len() as u64 > LONGEST {
        return Err(refused(package, file, what, "is larger than 8 MiB"));
    }
    Ok(plain)
}

/// The project's licence file: the one that is named, else the service's own, else the repository's.
pub(super) fn license(
    package: &PackageName,
    service: &ServiceSettings,
    directory: &Path,
    settings: &Settings,
) -> Result<Option<String>, Error> {
    const LONGEST: u64 = 1024 * 1024;
    if let Some((file, skipped)) = &service.license_file {
        let bytes = bytes(settings, directory, package, file, "the licence file")?;
        let text = String::from_utf8_lossy(&bytes);
        return Ok(Some(text.split_inclusive('\n').skip(*skipped).collect()));
    }
    for directory in [directory, settings.root.as_path()] {
        for name in LICENSE_FILES {
            let path = directory.join(name);
            if path.is_file() {
                let what = format!("the licence file `{name}`");
                let refused = |problem| Err(Error::Text { package: package.to_string(), what, problem });
                if !stays_inside(&settings.root, &path) {
                    return refused("is a link that leads out of the repository");
                }
                if path.metadata()?.len() > LONGEST {
                    return refused("is longer than a mebibyte, which no licence is");
                }
                return Ok(Some(String::from_utf8_lossy(&fs_err::read(path)?).into_owned()));
            }
        }
    }
    Ok(None)
}
