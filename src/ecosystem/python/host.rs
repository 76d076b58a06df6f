//! The CPython interpreters of this machine.
//!
//! A target's own minor version is found as `/usr/bin/pythonX.Y`, else on PATH. What stands on PATH may be a shim that
//! chooses another version by the directory it is run in, or a wrapper; so a candidate is resolved to the file that it
//! leads to and asked, in the sandbox, what it is.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::sandbox::{self, Sandbox, Step};
use crate::target::PythonVersion;

/// An interpreter that was asked what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    /// The file itself, no link.
    pub path: PathBuf,
    /// Major and minor.
    pub version: PythonVersion,
    /// `3.11.2`.
    pub full_version: String,
    /// The C library it runs on, `(2, 36)` for glibc 2.36; `None` for another one.
    pub glibc: Option<(u32, u32)>,
}

/// What an interpreter says of itself, one fact per line.
const QUESTION: &str = "import os, sys
print(sys.implementation.name)
print('%d.%d.%d%s' % (sys.version_info[:3] + ('' if sys.version_info[3] == 'final' else sys.version_info[3] + str(sys.version_info[4]),)))
print(os.confstr('CS_GNU_LIBC_VERSION') if 'CS_GNU_LIBC_VERSION' in os.confstr_names else '')
";

/// The interpreter of this minor version, if this machine has one.
pub fn of_version(sandbox: &Sandbox, version: PythonVersion) -> Result<Option<Interpreter>, sandbox::Error> {
    let name = format!("python{version}");
    for candidate in candidates(&name) {
        if let Some(found) = ask(sandbox, &candidate)?
            && found.version == version
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The newest interpreter among `versions` that this machine has, else its `python3` when that is at least 3.9.
pub fn any(sandbox: &Sandbox, versions: &[PythonVersion]) -> Result<Option<Interpreter>, sandbox::Error> {
    for version in versions {
        if let Some(found) = of_version(sandbox, *version)? {
            return Ok(Some(found));
        }
    }
    for candidate in candidates("python3") {
        if let Some(found) = ask(sandbox, &candidate)?
            && found.version >= PythonVersion::three(9)
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Where interpreters of these versions, and `python3`, are looked for; there or not.
pub(super) fn places(versions: &BTreeSet<PythonVersion>) -> Vec<PathBuf> {
    let names: Vec<String> = versions.iter().map(|version| format!("python{version}")).collect();
    directories()
        .iter()
        .flat_map(|directory| {
            let named = names.iter().map(String::as_str).chain(["python3"]);
            named.map(|name| directory.join(name)).collect::<Vec<_>>()
        })
        .collect()
}

fn directories() -> Vec<PathBuf> {
    let path = std::env::var_os(crate::variables::PATH).unwrap_or_default();
    std::iter::once(PathBuf::from("/usr/bin"))
        .chain(std::env::split_paths(&path))
        .filter(|directory| directory.is_absolute())
        .collect()
}

/// Files of this name, `/usr/bin` first, then along PATH.
fn candidates(name: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for directory in directories() {
        let Ok(file) = fs_err::canonicalize(directory.join(name)) else { continue };
        if !found.contains(&file) && is_program(&file) {
            found.push(file);
        }
    }
    found
}

/// Whether a file is an ELF program rather than a script (a version manager's shim).
fn is_program(file: &Path) -> bool {
    use std::io::Read as _;
    let mut magic = [0; 4];
    fs_err::File::open(file).is_ok_and(|mut file| file.read_exact(&mut magic).is_ok()) && magic == *b"\x7fELF"
}

/// What `path` is; `None` when it is no CPython that works. Asked once per process.
fn ask(sandbox: &Sandbox, path: &Path) -> Result<Option<Interpreter>, sandbox::Error> {
    static ANSWERS: Mutex<Option<HashMap<PathBuf, Option<Interpreter>>>> = Mutex::new(None);
    let mut guard = ANSWERS.lock().unwrap_or_else(PoisonError::into_inner);
    let answers = guard.get_or_insert_with(HashMap::new);
    if let Some(known) = answers.get(path) {
        return Ok(known.clone());
    }
    let step = Step {
        program: path.to_path_buf(),
        arguments: ["-I", "-S", "-B", "-c", QUESTION].map(Into::into).to_vec(),
        directory: PathBuf::from("/"),
        ..Step::default()
    };
    let output = match sandbox.run(&step) {
        Ok(output) => output,
        // Not for this machine's processor, or gone.
        Err(sandbox::Error::Start { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let answer = output.status.success().then(|| parse(path, &String::from_utf8_lossy(&output.stdout))).flatten();
    answers.insert(path.to_path_buf(), answer.clone());
    Ok(answer)
}

fn parse(path: &Path, answer: &str) -> Option<Interpreter> {
    let mut lines = answer.lines();
    let implementation = lines.next()?;
    let full_version = lines.next()?.to_owned();
    let glibc = lines.next().and_then(|text| text.strip_prefix("glibc ")).and_then(|text| {
        let (major, minor) = text.split_once('.')?;
        Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
    });
    let version = PythonVersion::parse(&full_version)?;
    (implementation == "cpython").then(|| Interpreter { path: path.to_path_buf(), version, full_version, glibc })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Mode;

    #[test]
    fn the_systems_interpreter_is_found_by_its_version_and_says_what_it_is() {
        let sandbox = Sandbox::new(Mode::Auto).unwrap();
        let Some(found) = any(&sandbox, &[]).unwrap() else {
            println!("skipped: no python3 here");
            return;
        };
        assert!(found.full_version.starts_with(&format!("{}.", found.version)), "{found:?}");
        assert_eq!(of_version(&sandbox, found.version).unwrap().map(|again| again.version), Some(found.version));
        assert_eq!(of_version(&sandbox, PythonVersion::three(99)).unwrap(), None);
    }

    #[test]
    fn answers_that_are_none_are_not_taken() {
        let path = Path::new("/x");
        assert_eq!(parse(path, ""), None);
        assert_eq!(parse(path, "pypy\n3.9.1\n"), None);
        let found = parse(path, "cpython\n3.13.0rc1\nglibc 2.41\n").unwrap();
        assert_eq!((found.version, found.glibc), (PythonVersion::three(13), Some((2, 41))));
        assert_eq!(parse(path, "cpython\n3.12.4\n\n").unwrap().glibc, None);
    }
}
