//! Byte-code of a wheel, made once per wheel and interpreter.
//!
//! A service's tree is read-only in use, so byte-code is shipped. It is of the kind that is never checked against its
//! source (PEP 552, `UNCHECKED_HASH`): times of installed files mean nothing here. The path in it does not depend on where
//! it will be installed, because CPython replaces it by the real one when it loads a module (`_fix_co_filename` of
//! importlib), so all services share it. The patch level of the compiler shows in a few files, so it is part of the key.
//!
//! A file that does not compile (left-overs of Python 2, templates) has no byte-code, as with every installer.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::environment::{Destination, destination};
use super::host::Interpreter;
use super::store::{UnpackedWheel, come_into_place};
use crate::cache::{Cache, record, seal};
use crate::diagnostic::{Diagnose, ExitCode, io_hints};
use crate::digest::Digests;
use crate::sandbox::{self, Bind, Sandbox, Step};
use crate::tree::{Content, Source};

/// Changes when what is compiled, or how, does.
const SECTION: &str = "bytecode/v2";

/// Compiles what `list` names: source, output and the path to embed, NUL-separated. Prints what does not compile.
///
/// `PYTHONHASHSEED` stands in the environment (before CPython 3.11 the order of set constants depends on it), so the
/// interpreter is run without `-I`; its environment has nothing else.
const COMPILER: &str = "import os, py_compile, sys
with open(sys.argv[1], encoding='utf-8') as file:
    fields = file.read().split('\\0')[:-1]
for source, output, shown in zip(fields[0::3], fields[1::3], fields[2::3]):
    os.makedirs(os.path.dirname(output), exist_ok=True)
    try:
        py_compile.compile(source, output, shown, True, 0, py_compile.PycInvalidationMode.UNCHECKED_HASH, 1)
    except Exception as error:
        print('%s: %s' % (shown, str(error).replace('\\n', ' ')))
";

#[derive(Debug, Serialize, Deserialize)]
struct Index {
    /// Path relative to site-packages, and what stands there.
    files: Vec<(String, Digests)>,
    /// Messages of what did not compile.
    failed: Vec<String>,
}

/// The byte-code of one wheel.
#[derive(Debug, Clone)]
pub struct Bytecode {
    files: Vec<(String, Content)>,
    failed: Vec<String>,
}

impl Bytecode {
    /// Its files: path relative to site-packages, and content; in the order of paths.
    pub fn files(&self) -> &[(String, Content)] {
        &self.files
    }

    /// What did not compile, and why.
    pub fn failed(&self) -> &[String] {
        &self.failed
    }
}

/// Byte-code could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The compiler itself ended badly.
    #[error("{} could not compile {wheel}: {output}", interpreter.display())]
    Compiler {
        /// The interpreter.
        interpreter: PathBuf,
        /// The wheel.
        wheel: String,
        /// What it said.
        output: String,
    },
    /// It could not be run.
    #[error(transparent)]
    Sandbox(#[from] sandbox::Error),
    /// Reading or writing the cache.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Diagnose for Error {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Sandbox(error) => error.exit_code(),
            _ => ExitCode::Failed,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Sandbox(error) => error.hints(),
            Self::Io(error) => io_hints(error),
            Self::Compiler { .. } => Vec::new(),
        }
    }
}

/// The byte-code of `wheel` by `interpreter`, from the cache if it is there.
pub fn compile(
    cache: &Cache,
    sandbox: &Sandbox,
    interpreter: &Interpreter,
    wheel: &UnpackedWheel,
) -> Result<Arc<Bytecode>, Error> {
    let key = format!("{}-{}", wheel.sha256(), interpreter.full_version);
    let place = cache.section(SECTION).join(&key);
    if let Some(present) = load(&place, &key) {
        cache.used(&place);
        return Ok(Arc::new(present));
    }
    let sources = sources(wheel);
    let temporary = cache.temporary_directory()?;
    let files = temporary.path().join("files");
    fs_err::create_dir(&files)?;
    let failed =
        if sources.is_empty() { Vec::new() } else { run(sandbox, interpreter, wheel, &sources, temporary.path())? };
    let tag = format!("cpython-{}{}", interpreter.version.major, interpreter.version.minor);
    let mut index = Index { files: Vec::new(), failed };
    for (_, site) in &sources {
        let below = pyc_path(site, &tag);
        match fs_err::File::open(files.join(&below)) {
            Ok(mut file) => index.files.push((below, Digests::of_reader(&mut file)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    index.files.sort_by(|left, right| left.0.cmp(&right.0));
    fs_err::remove_file(temporary.path().join("list")).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    let text = serde_json::to_vec(&index).map_err(io::Error::from)?;
    record::write(cache, &temporary.path().join("index.json"), &key, &text)?;
    come_into_place(cache, temporary, &place, || load(&place, &key).is_some())?;
    Ok(Arc::new(bytecode(&place, index)))
}

/// The sources of `wheel` that land in site-packages: path in the wheel and path there.
fn sources(wheel: &UnpackedWheel) -> Vec<(String, String)> {
    wheel
        .files()
        .iter()
        .filter_map(|file| match destination(wheel, file) {
            Some(Destination::Site(site)) if site.ends_with(".py") => Some((file.path.clone(), site)),
            _ => None,
        })
        .collect()
}

/// Compiles `sources` into `directory/files`; gives the messages of what did not compile.
fn run(
    sandbox: &Sandbox,
    interpreter: &Interpreter,
    wheel: &UnpackedWheel,
    sources: &[(String, String)],
    directory: &Path,
) -> Result<Vec<String>, Error> {
    let binds =
        vec![Bind::read_only(wheel.directory(), "/packhouse/wheel"), Bind::writable(directory, "/packhouse/bytecode")];
    let seen = |path: &str| sandbox.seen(&binds, Path::new(path));
    let (wheel_seen, output_seen) = (seen("/packhouse/wheel"), seen("/packhouse/bytecode"));
    let tag = format!("cpython-{}{}", interpreter.version.major, interpreter.version.minor);
    let mut list = String::new();
    for (path, site) in sources {
        let source = wheel_seen.join(path);
        let output = output_seen.join("files").join(pyc_path(site, &tag));
        for field in [source.as_os_str(), output.as_os_str()] {
            list.push_str(&field.to_string_lossy());
            list.push('\0');
        }
        list.push_str(&format!("lib/python{}/site-packages/{site}\0", interpreter.version));
    }
    fs_err::write(directory.join("list"), list)?;
    let step = Step {
        program: interpreter.path.clone(),
        arguments: ["-s", "-S", "-B", "-c", COMPILER]
            .map(Into::into)
            .into_iter()
            .chain([output_seen.join("list").into_os_string()])
            .collect(),
        directory: PathBuf::from("/"),
        environment: vec![
            ("PYTHONHASHSEED".to_owned(), "0".into()),
            ("PYTHONIOENCODING".to_owned(), "utf-8:backslashreplace".into()),
            // Sources with invalid escapes warn; that is their authors' concern.
            ("PYTHONWARNINGS".to_owned(), "ignore".into()),
        ],
        binds,
        ..Step::default()
    };
    let output = sandbox.run(&step)?;
    if !output.status.success() {
        return Err(Error::Compiler {
            interpreter: interpreter.path.clone(),
            wheel: wheel.file_name().to_owned(),
            output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

/// `pkg/__pycache__/mod.cpython-311.pyc` of `pkg/mod.py` (PEP 3147).
fn pyc_path(site: &str, tag: &str) -> String {
    let (directory, name) = site.rsplit_once('/').map_or(("", site), |(directory, name)| (directory, name));
    let stem = name.strip_suffix(".py").unwrap_or(name);
    let separator = if directory.is_empty() { "" } else { "/" };
    format!("{directory}{separator}__pycache__/{stem}.{tag}.pyc")
}

fn load(place: &Path, key: &str) -> Option<Bytecode> {
    let index: Index = serde_json::from_slice(&record::read(&place.join("index.json"), key)?).ok()?;
    let whole = index.files.iter().all(|(path, digests)| seal::holds(&place.join("files").join(path), digests.size));
    whole.then(|| bytecode(place, index))
}

fn bytecode(place: &Path, index: Index) -> Bytecode {
    let files = index
        .files
        .into_iter()
        .map(|(path, digests)| {
            let source = Source::Path(place.join("files").join(&path));
            (path, Content { source, digests })
        })
        .collect();
    Bytecode { files, failed: index.failed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Sha256;
    use crate::ecosystem::python::host;
    use crate::ecosystem::python::store;
    use crate::ecosystem::python::wheel::tests::Maker;
    use crate::sandbox::Mode;

    #[test]
    fn byte_code_is_the_same_in_every_cache_and_with_every_isolation() {
        let mut results: Vec<Vec<(String, Digests)>> = Vec::new();
        for mode in [Mode::Auto, Mode::None, Mode::Auto] {
            let directory = tempfile::tempdir().unwrap();
            let cache = Cache::at(directory.path().join("a cache"));
            let mut maker = Maker::new("demo", "1.0");
            maker
                .add("demo/__init__.py", "def f(x):\n    return x in {'a', 'b', 'c', 'd'}\n")
                .add("demo/old.py", "print 'two'\n")
                .add("top.py", "x = 1\n")
                .add("demo/data.txt", "no code");
            let bytes = maker.bytes();
            let path = directory.path().join("demo-1.0-py3-none-any.whl");
            fs_err::write(&path, &bytes).unwrap();
            let wheel = store::unpack(&cache, &path, Sha256::of(&bytes)).unwrap();
            let sandbox = Sandbox::new(mode).unwrap();
            let Some(interpreter) = host::any(&sandbox, &[]).unwrap() else {
                println!("skipped: no python3 here");
                return;
            };
            let made = compile(&cache, &sandbox, &interpreter, &wheel).unwrap();
            assert_eq!(made.failed().len(), 1, "{:?}", made.failed());
            assert!(made.failed()[0].contains("demo/old.py"));
            let again = compile(&cache, &sandbox, &interpreter, &wheel).unwrap();
            let shown = |code: &Bytecode| -> Vec<(String, Digests)> {
                code.files().iter().map(|(path, content)| (path.clone(), content.digests)).collect()
            };
            assert_eq!(shown(&made), shown(&again));
            for (_, content) in made.files() {
                let mut code = Vec::new();
                io::Read::read_to_end(&mut content.open().unwrap(), &mut code).unwrap();
                assert_eq!(code[4..8], [1, 0, 0, 0], "unchecked hash");
                let root = directory.path().to_string_lossy().into_owned();
                assert!(!code.windows(root.len()).any(|window| window == root.as_bytes()), "no staging path");
            }
            results.push(shown(&made));
        }
        assert_eq!(results[0].len(), 2);
        assert_eq!(results[0], results[1]);
        assert_eq!(results[0], results[2]);
    }

    #[test]
    fn the_place_of_byte_code_is_that_of_pep_3147() {
        assert_eq!(pyc_path("a/b.py", "cpython-311"), "a/__pycache__/b.cpython-311.pyc");
        assert_eq!(pyc_path("b.py", "cpython-313"), "__pycache__/b.cpython-313.pyc");
    }
}
