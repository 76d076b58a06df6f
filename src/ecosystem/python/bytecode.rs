//! Byte-code of a wheel, made once per wheel and interpreter.
//!
//! A service's tree is read-only in use, so byte-code is shipped. It is of the kind that is never checked against its
//! source (PEP 552, `UNCHECKED_HASH`): times of installed files mean nothing here. The path in it does not depend on where
//! it will be installed, because CPython replaces it by the real one when it loads a module (`_fix_co_filename` of
//! importlib), so all services share it. The patch level of the compiler shows in a few files, so it is part of the key.
//!
//! A file that does not compile (left-overs of Python 2, templates) has no byte-code, as with every installer.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::environment::{Destination, destination};
use super::host::Interpreter;
use super::store::{self, UnpackedWheel, come_into_place};
use crate::cache::{Cache, record, seal};
use crate::diagnostic::{Code, Diagnose, ExitCode, codes, io_code, io_hints};
use crate::digest::Digests;
use crate::sandbox::{self, Bind, Sandbox, Step};
use crate::target::PythonVersion;
use crate::tree::{Content, Source};

/// Changes when what is compiled, or how, does.
const SECTION: &str = "bytecode/v2";
/// Compiles what a list names.
const COMPILER: &str = include_str!("bytecode/compile.py");
/// How it says `ENOSPC` and `EDQUOT`.
const NO_SPACE: [&str; 2] = ["[Errno 28]", "[Errno 122]"];
/// What one process of the interpreter compiles of a wheel: at most so many sources, …
const MOST_SOURCES: usize = 64;
/// … and no further one after so many bytes. Neither depends on the machine, because byte-code may depend on what the
/// process has compiled before.
const ENOUGH_BYTES: u64 = 1 << 20;

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
    fn code(&self) -> &'static Code {
        match self {
            Self::Compiler { .. } => &codes::BYTECODE_FAILED,
            Self::Sandbox(error) => error.code(),
            Self::Io(error) => io_code(error),
        }
    }

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

/// Makes byte-code with one interpreter.
#[derive(Debug, Clone, Copy)]
pub struct Compiler<'a> {
    /// Where it is kept.
    pub cache: &'a Cache,
    /// What the interpreter runs in.
    pub sandbox: &'a Sandbox,
    /// The interpreter.
    pub interpreter: &'a Interpreter,
    /// How many processes of it work at once.
    pub processes: usize,
}

/// A wheel whose byte-code is not in the cache.
struct Missing<'a> {
    number: usize,
    wheel: &'a UnpackedWheel,
    sources: Vec<SourceFile>,
    /// Becomes the place in the cache; in it `files`, and the messages of each unit as `messages-0`, ….
    directory: tempfile::TempDir,
    units: usize,
}

/// A source that lands in site-packages.
struct SourceFile {
    /// In the wheel.
    path: String,
    /// In site-packages.
    site: String,
    size: u64,
}

impl Compiler<'_> {
    /// The byte-code of `wheels`, in their order, from the cache if it is there. All that is missing is made by one start of
    /// the interpreter. When one wheel fails the others' is kept all the same.
    pub fn compile(&self, wheels: &[&UnpackedWheel]) -> Result<Vec<Arc<Bytecode>>, Error> {
        let mut made: Vec<Option<Arc<Bytecode>>> = wheels.iter().map(|wheel| self.present(wheel)).collect();
        if made.iter().filter(|made| made.is_none()).count() > 1 {
            // Services share most of their wheels: the first that comes makes byte-code, with all the processes there may
            // be, the others find it. Nothing below gives work to the thread pool, which might wait for this very lock.
            let _lock = self.cache.lock(&format!("bytecode-{}", self.interpreter.full_version))?;
            for (made, wheel) in made.iter_mut().zip(wheels).filter(|(made, _)| made.is_none()) {
                *made = self.present(wheel);
            }
            self.make(wheels, &mut made)?;
        } else {
            self.make(wheels, &mut made)?;
        }
        Ok(made.into_iter().flatten().collect())
    }

    /// What the byte-code of a wheel is kept by, and where.
    fn place(&self, wheel: &UnpackedWheel) -> (String, PathBuf) {
        let key = format!("{}-{}", wheel.sha256(), self.interpreter.full_version);
        let place = self.cache.section(SECTION).join(&key);
        (key, place)
    }

    fn present(&self, wheel: &UnpackedWheel) -> Option<Arc<Bytecode>> {
        let (key, place) = self.place(wheel);
        let present = load(&place, &key).map(Arc::new)?;
        self.cache.used(&place);
        Some(present)
    }

    /// Makes what is not in `made` yet.
    fn make(&self, wheels: &[&UnpackedWheel], made: &mut [Option<Arc<Bytecode>>]) -> Result<(), Error> {
        let absent = wheels.iter().enumerate().filter(|(number, _)| made.get(*number).is_some_and(Option::is_none));
        let absent: Vec<(usize, &&UnpackedWheel)> = absent.collect();
        if absent.is_empty() {
            return Ok(());
        }
        let room = self.cache.temporary_directory()?;
        let mut missing = Vec::new();
        for (number, wheel) in absent {
            let directory = tempfile::TempDir::new_in(room.path())?;
            fs_err::create_dir(directory.path().join("files"))?;
            missing.push(Missing { number, wheel, sources: sources(wheel), directory, units: 0 });
        }
        let said = self.run(&mut missing, room.path())?;
        let mut results =
            in_threads(self.processes, missing, |missing| (missing.number, self.keep(missing, &said).map(Arc::new)));
        results.sort_by_key(|(number, _)| *number);
        let mut failure = None;
        for (number, result) in results {
            match result {
                Ok(bytecode) => made.iter_mut().skip(number).take(1).for_each(|made| *made = Some(bytecode.clone())),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// Compiles all of `missing`; gives what the interpreter said on standard error.
    fn run(&self, missing: &mut [Missing<'_>], room: &Path) -> Result<String, Error> {
        let store = self.cache.section(store::SECTION);
        let binds = vec![Bind::read_only(&store, "/packhouse/wheels"), Bind::writable(room, "/packhouse/bytecode")];
        let seen = |path: &Path| self.sandbox.inside(&binds, path);
        let mut units = Vec::new();
        for missing in missing {
            let (files, output) = (seen(missing.wheel.directory()), seen(missing.directory.path()));
            for sources in units_of(&missing.sources) {
                let rows = sources.iter().map(|source| Row {
                    source: files.join(&source.path),
                    output: output.join("files").join(pyc_path(&source.site, self.interpreter.version)),
                    shown: format!("lib/python{}/site-packages/{}", self.interpreter.version, source.site),
                });
                units.push(Unit {
                    size: sources.iter().map(|source| source.size).sum(),
                    messages: output.join(messages(missing.units)),
                    rows: rows.collect(),
                });
                missing.units += 1;
            }
        }
        run_units(self.sandbox, self.interpreter, self.processes, units, binds, room)
    }

    /// Brings what was made for one wheel into the cache, if all of its units came to their end.
    fn keep(&self, missing: Missing<'_>, said: &str) -> Result<Bytecode, Error> {
        let Missing { wheel, sources, directory, units, .. } = missing;
        let mut index = Index { files: Vec::new(), failed: Vec::new() };
        for unit in 0..units {
            let path = directory.path().join(messages(unit));
            match fs_err::read_to_string(&path) {
                Ok(text) => index.failed.extend(text.lines().map(str::to_owned)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(Error::Compiler {
                        interpreter: self.interpreter.path.clone(),
                        wheel: wheel.file_name().to_owned(),
                        output: if said.is_empty() { "it was killed".to_owned() } else { said.to_owned() },
                    });
                }
                Err(error) => return Err(error.into()),
            }
            fs_err::remove_file(&path)?;
        }
        let files = directory.path().join("files");
        for source in &sources {
            let below = pyc_path(&source.site, self.interpreter.version);
            match fs_err::File::open(files.join(&below)) {
                Ok(mut file) => index.files.push((below, Digests::of_reader(&mut file)?)),
                Err(error) if is_without_byte_code(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        index.files.sort_by(|left, right| left.0.cmp(&right.0));
        let (key, place) = self.place(wheel);
        let text = serde_json::to_vec(&index).map_err(io::Error::from)?;
        record::write(self.cache, &directory.path().join("index.json"), &key, &text)?;
        come_into_place(self.cache, directory, &place, || load(&place, &key).is_some())?;
        Ok(bytecode(&place, index))
    }
}

/// What one process compiles.
pub(super) struct Unit {
    /// Bytes.
    pub(super) size: u64,
    /// The file that is there when the unit came to its end: what does not compile, a line each.
    pub(super) messages: PathBuf,
    pub(super) rows: Vec<Row>,
}

/// One source; paths are those that the step sees.
pub(super) struct Row {
    pub(super) source: PathBuf,
    pub(super) output: PathBuf,
    /// The path to embed.
    pub(super) shown: String,
}

/// Compiles `units`, the largest first; `room` is a writable one of the `binds`. Gives what the interpreter said on standard
/// error.
pub(super) fn run_units(
    sandbox: &Sandbox,
    interpreter: &Interpreter,
    processes: usize,
    mut units: Vec<Unit>,
    binds: Vec<Bind>,
    room: &Path,
) -> Result<String, Error> {
    if units.is_empty() {
        return Ok(String::new());
    }
    units.sort_by_key(|unit| std::cmp::Reverse(unit.size));
    let mut list = List::default();
    list.add(processes.max(1).to_string().as_ref());
    for Unit { messages, rows, .. } in &units {
        list.add(rows.len().to_string().as_ref());
        list.add(messages.as_os_str());
        for Row { source, output, shown } in rows {
            list.add(source.as_os_str());
            list.add(output.as_os_str());
            list.add(shown.as_ref());
        }
    }
    fs_err::write(room.join("list"), list.0)?;
    // `PYTHONHASHSEED` stands in the environment (before CPython 3.11 the order of set constants depends on it), so
    // the interpreter is run without `-I`; its environment has nothing else.
    let step = Step {
        program: interpreter.path.clone(),
        arguments: ["-s", "-S", "-B", "-c", COMPILER]
            .map(Into::into)
            .into_iter()
            .chain([sandbox.inside(&binds, room).join("list").into_os_string()])
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
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if NO_SPACE.iter().any(|number| said.contains(number)) {
        let message = format!("no space left for byte-code on the file system of {}", room.display());
        return Err(Error::Io(io::Error::new(io::ErrorKind::StorageFull, message)));
    }
    Ok(if output.status.success() { said } else { format!("{said} ({})", output.status).trim().to_owned() })
}

/// Fields that end in NUL.
#[derive(Default)]
struct List(Vec<u8>);

impl List {
    fn add(&mut self, field: &OsStr) {
        self.0.extend_from_slice(field.as_bytes());
        self.0.push(0);
    }
}

/// The name of the file with the messages of a unit.
fn messages(unit: usize) -> String {
    format!("messages-{unit}")
}

/// The sources of `wheel` that land in site-packages.
fn sources(wheel: &UnpackedWheel) -> Vec<SourceFile> {
    wheel
        .files()
        .iter()
        .filter_map(|file| match destination(wheel, file) {
            Some(Destination::Site(site)) if site.ends_with(".py") => {
                Some(SourceFile { path: file.path.clone(), site, size: file.digests.size })
            }
            _ => None,
        })
        .collect()
}

/// `sources` in pieces for one process each.
fn units_of(sources: &[SourceFile]) -> Vec<&[SourceFile]> {
    let (mut units, mut rest) = (Vec::new(), sources);
    while !rest.is_empty() {
        let mut bytes = 0;
        let length = rest.iter().take(MOST_SOURCES).take_while(|source| {
            let taken = bytes < ENOUGH_BYTES;
            bytes += source.size;
            taken
        });
        let (unit, left) = rest.split_at(length.count().min(rest.len()));
        units.push(unit);
        rest = left;
    }
    units
}

/// Whether there is no byte-code at a place: the source does not compile, or its name leaves no room for the ending.
pub(super) fn is_without_byte_code(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidFilename)
}

/// What `work` gives for each of `items`, by so many threads, in any order.
fn in_threads<T: Send, R: Send>(threads: usize, items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let threads = threads.clamp(1, items.len().max(1));
    let (items, results) = (Mutex::new(items), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let next = items.lock().unwrap_or_else(PoisonError::into_inner).pop();
                    let Some(item) = next else { return };
                    let result = work(item);
                    results.lock().unwrap_or_else(PoisonError::into_inner).push(result);
                }
            });
        }
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// `pkg/__pycache__/mod.cpython-311.pyc` of `pkg/mod.py` (PEP 3147).
pub(super) fn pyc_path(site: &str, python: PythonVersion) -> String {
    let (directory, name) = site.rsplit_once('/').map_or(("", site), |(directory, name)| (directory, name));
    let stem = name.strip_suffix(".py").unwrap_or(name);
    let separator = if directory.is_empty() { "" } else { "/" };
    format!("{directory}{separator}__pycache__/{stem}.cpython-{}{}.pyc", python.major, python.minor)
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
            let compiler = Compiler { cache: &cache, sandbox: &sandbox, interpreter: &interpreter, processes: 2 };
            let made = compiler.compile(&[&wheel]).unwrap().remove(0);
            assert_eq!(made.failed().len(), 1, "{:?}", made.failed());
            assert!(made.failed()[0].contains("demo/old.py"));
            let again = compiler.compile(&[&wheel]).unwrap().remove(0);
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

    /// A wheel of this name with these modules, unpacked.
    fn wheel(directory: &Path, cache: &Cache, name: &str, modules: &[(String, String)]) -> Arc<UnpackedWheel> {
        let mut maker = Maker::new(name, "1.0");
        for (path, text) in modules {
            maker.add(path, text);
        }
        let path = directory.join(format!("{name}-1.0-py3-none-any.whl"));
        fs_err::write(&path, maker.bytes()).unwrap();
        store::unpack(cache, &path, Sha256::of(&maker.bytes())).unwrap()
    }

    #[test]
    fn wheels_that_are_made_together_have_each_its_own_byte_code_with_any_number_of_processes() {
        let sandbox = Sandbox::new(Mode::Auto).unwrap();
        let Some(interpreter) = host::any(&sandbox, &[]).unwrap() else {
            println!("skipped: no python3 here");
            return;
        };
        let module = |number: usize| {
            let text = format!("def shared(first, second_{number}):\n    return first.decoding_table, 'word'\n");
            (format!("m{number}.py"), text)
        };
        let many: Vec<(String, String)> = (0..150).map(module).collect();
        let other = ("m1.py".to_owned(), "x = 1\n".to_owned());
        let wrong = ("w.py".to_owned(), "def decoding_table(:\n".to_owned());
        let made = |processes: usize, companion: bool| {
            let directory = tempfile::tempdir().unwrap();
            let cache = Cache::at(directory.path().join("cache"));
            let one = wheel(directory.path(), &cache, "one", &many);
            let second = wheel(directory.path(), &cache, "other", &[other.clone(), wrong.clone()]);
            let compiler = Compiler { cache: &cache, sandbox: &sandbox, interpreter: &interpreter, processes };
            let wheels: &[&UnpackedWheel] = if companion { &[&second, &one] } else { &[&one] };
            let made = compiler.compile(wheels).unwrap();
            if companion {
                let (names, failed) = (made[0].files(), made[0].failed());
                assert_eq!((names.len(), failed.len()), (1, 1), "{names:?} {failed:?}");
                assert!(failed[0].contains("w.py"), "{failed:?}");
                assert_ne!(made[0].files()[0].1.digests, made[1].files()[1].1.digests);
            }
            let files = made.last().unwrap().files().iter();
            files.map(|(path, content)| (path.clone(), content.digests)).collect::<Vec<_>>()
        };
        let alone = made(1, false);
        assert_eq!(alone.len(), 150);
        for (processes, companion) in [(1, true), (2, true), (7, false)] {
            assert!(made(processes, companion) == alone, "{processes} {companion}");
        }
    }

    #[test]
    fn what_ends_the_compiler_of_one_wheel_does_not_concern_the_others() {
        use std::os::unix::fs::PermissionsExt as _;
        let sandbox = Sandbox::new(Mode::None).unwrap();
        let Some(mut interpreter) = host::any(&sandbox, &[]).unwrap() else {
            println!("skipped: no python3 here");
            return;
        };
        let directory = tempfile::tempdir().unwrap();
        // As on a full disk: no file may be larger than a few kilobytes.
        let limited = directory.path().join("python");
        let script = format!("#!/bin/sh\nulimit -f 8\nexec {} \"$@\"\n", interpreter.path.display());
        fs_err::write(&limited, script).unwrap();
        fs_err::set_permissions(&limited, std::fs::Permissions::from_mode(0o755)).unwrap();
        interpreter.path = limited;
        let cache = Cache::at(directory.path().join("cache"));
        let module = |text: String| [("m.py".to_owned(), text)];
        let large = (0..2000).map(|number| format!("name_{number} = 'text {number}'\n")).collect();
        let large = wheel(directory.path(), &cache, "large", &module(large));
        let small = wheel(directory.path(), &cache, "small", &module("x = 1\n".to_owned()));
        let compiler = Compiler { cache: &cache, sandbox: &sandbox, interpreter: &interpreter, processes: 2 };
        let error = compiler.compile(&[&large, &small]).unwrap_err().to_string();
        assert!(error.contains("could not compile large-1.0") && error.contains("OSError"), "{error}");
        assert_eq!(compiler.present(&small).unwrap().files().len(), 1);
        assert!(compiler.present(&large).is_none());
        assert_eq!(fs_err::read_dir(cache.root().join("tmp")).unwrap().count(), 0);
    }

    #[test]
    fn a_name_without_room_for_the_ending_only_has_no_byte_code() {
        let sandbox = Sandbox::new(Mode::Auto).unwrap();
        let Some(interpreter) = host::any(&sandbox, &[]).unwrap() else {
            println!("skipped: no python3 here");
            return;
        };
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::at(directory.path().join("cache"));
        let modules = [format!("{}.py", "n".repeat(252)), "ümläut/日本.py".to_owned()];
        let wheel = wheel(directory.path(), &cache, "demo", &modules.map(|path| (path, "x = 1\n".to_owned())));
        let compiler = Compiler { cache: &cache, sandbox: &sandbox, interpreter: &interpreter, processes: 1 };
        let made = compiler.compile(&[&wheel]).unwrap().remove(0);
        assert_eq!((made.files().len(), made.failed().len()), (1, 1), "{made:?}");
        assert!(made.files()[0].0.starts_with("ümläut/__pycache__/日本.cpython-"));
    }

    #[test]
    fn pieces_of_a_wheel_have_a_bounded_number_of_sources_and_end_when_they_have_enough() {
        let of = |sizes: &[u64]| {
            let source = |size: &u64| SourceFile { path: String::new(), site: String::new(), size: *size };
            let sources: Vec<SourceFile> = sizes.iter().map(source).collect();
            units_of(&sources).iter().map(|unit| unit.len()).collect::<Vec<_>>()
        };
        assert_eq!(of(&[]), [0; 0]);
        assert_eq!(of(&[10; 150]), [64, 64, 22]);
        assert_eq!(of(&[ENOUGH_BYTES * 9, 1, ENOUGH_BYTES - 1, 1, 1]), [1, 2, 2]);
    }

    #[test]
    fn the_place_of_byte_code_is_that_of_pep_3147() {
        assert_eq!(pyc_path("a/b.py", PythonVersion::three(11)), "a/__pycache__/b.cpython-311.pyc");
        assert_eq!(pyc_path("b.py", PythonVersion::three(13)), "__pycache__/b.cpython-313.pyc");
    }
}
