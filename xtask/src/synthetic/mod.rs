//! Any number of tiny packages, fast: what repositories are tried and measured with.
//!
//! Each has eight files, a name of its own and a version; names are spread over the alphabet and over sources. Debs are put
//! together here (about 1 KB); rpms are one package of rpmbuild's in which name, version and digests are replaced (about 6 KB).

mod deb;
mod rpm;

use std::path::{Path, PathBuf};

use crate::Result;
use crate::process::say;

pub(crate) use deb::deb;
pub(crate) use rpm::Template;

/// Length of each name, so that one can stand in another's place.
const NAME: usize = 12;

/// The name of package `number`: `golem-000042`. Neighbours begin with different letters.
pub(crate) fn name(number: usize) -> String {
    const WORDS: [&str; 16] = [
        "acorn", "basil", "cedar", "daisy", "elder", "fungi", "golem", "hazel", "libex", "lilac", "maple", "olive",
        "poppy", "reeds", "thyme", "zebra",
    ];
    let word = WORDS.get(number.wrapping_mul(7) % WORDS.len()).unwrap_or(&"acorn");
    let name = format!("{word}-{number:06}");
    debug_assert_eq!(name.len(), NAME);
    name
}

/// What is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Deb,
    Rpm,
}

/// A directory of `count` packages at version 1.0-1, made once: `<letter>/<file>`, as pools are laid out.
pub(crate) fn directory(place: &Path, format: Format, count: usize) -> Result<PathBuf> {
    let extension = if format == Format::Deb { "deb" } else { "rpm" };
    let directory = place.join(format!("{count}-{extension}"));
    if directory.is_dir() {
        return Ok(directory);
    }
    say("Making", &format!("{count} tiny {extension}s"));
    let unfinished = place.join(format!("{count}-{extension}.unfinished"));
    if unfinished.exists() {
        fs_err::remove_dir_all(&unfinished)?;
    }
    let template = if format == Format::Rpm { Some(Template::make(&place.join("template"))?) } else { None };
    for letter in 'a'..='z' {
        fs_err::create_dir_all(unfinished.join(letter.to_string()))?;
    }
    let make = |from: usize| -> std::result::Result<(), String> {
        for number in (from..count).step_by(2) {
            let name = name(number);
            let letter = name.get(..1).unwrap_or("a");
            let place = unfinished.join(letter);
            let (path, bytes) = match &template {
                None => {
                    (place.join(format!("{name}_1.0-1_amd64.deb")), deb(&name, "1.0-1", "").map_err(|e| e.to_string())?)
                }
                Some(template) => (
                    place.join(format!("{name}-1.0-1.x86_64.rpm")),
                    template.rpm(&name, "1.0").map_err(|e| e.to_string())?,
                ),
            };
            fs_err::write(path, bytes).map_err(|error| error.to_string())?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| make(1));
        let first = make(0);
        first.and(other.join().unwrap_or_else(|_| Err("a thread panicked".to_owned())))
    })?;
    fs_err::rename(&unfinished, &directory)?;
    Ok(directory)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::process::run;

    #[test]
    fn dpkg_rpm_and_packhouse_read_what_is_made() {
        let place = std::env::temp_dir().join(format!("xtask-synthetic-{}", std::process::id()));
        fs_err::create_dir_all(&place).unwrap();
        for format in [Format::Deb, Format::Rpm] {
            let made = directory(&place, format, 40).unwrap();
            let file = |name: &str| made.join("l").join(name);
            if format == Format::Deb {
                let deb = file("libex-000008_1.0-1_amd64.deb");
                let fields = run(Command::new("dpkg-deb").arg("-f").arg(&deb).args(["Package", "Source"])).unwrap();
                assert_eq!(fields, "Package: libex-000008\nSource: libex-000008-src\n");
                let files = run(Command::new("dpkg-deb").arg("-c").arg(&deb)).unwrap();
                assert_eq!(files.lines().filter(|line| line.starts_with('-')).count(), 8, "{files}");
                let size = fs_err::metadata(&deb).unwrap().len();
                assert!((800..2000).contains(&size), "{size}");
            } else {
                let rpm = file("libex-000008-1.0-1.x86_64.rpm");
                let said = run(Command::new("rpm").args(["-Kv", "--nosignature"]).arg(&rpm)).unwrap();
                assert!(!said.contains("BAD") && said.contains("Payload SHA256 digest: OK"), "{said}");
                let files = run(Command::new("rpm").args(["-qlp", "--nosignature"]).arg(&rpm)).unwrap();
                assert_eq!(
                    files.lines().filter(|line| line.contains("libex-000008")).count(),
                    9,
                    "eight and their directory: {files}"
                );
                let info = packhouse::format::rpm::read(&rpm).unwrap();
                assert_eq!((info.name.as_str(), info.version.as_str()), ("libex-000008", "1.0"));
                let size = fs_err::metadata(&rpm).unwrap().len();
                assert!((4000..9000).contains(&size), "{size}");
            }
        }
        fs_err::remove_dir_all(&place).unwrap();
    }
}
