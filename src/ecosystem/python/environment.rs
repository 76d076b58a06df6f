//! Puts unpacked wheels together to an environment: a tree of paths, nothing is copied.
//!
//! The layout is that of a virtual environment (PEP 405), which CPython recognises by `pyvenv.cfg` beside `bin`:
//!
//! ```text
//! <prefix>/pyvenv.cfg                         home, and the line that hides the system's site-packages
//! <prefix>/bin/python                         link to /usr/bin/pythonX.Y; python3 and pythonX.Y lead to it
//! <prefix>/bin/<command>                      launchers, scripts
//! <prefix>/lib/pythonX.Y/site-packages/…      purelib and platlib are one place
//! ```
//!
//! Where a wheel's files go is said by "Binary distribution format", what is written about it by "Recording installed
//! projects" (PEP 376, PEP 627). What an installer leaves that would tell of the build is not made: `direct_url.json`,
//! `REQUESTED`, byte-code of somebody else's paths. Shared objects are 0644 here; a format that wants another mode
//! changes it when it packs (Debian: 0644, rpmlint: 0755).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use super::bytecode::Bytecode;
use super::launcher;
use super::record::{csv_field, record_line};
use super::store::UnpackedWheel;
use super::wheel::File;
use crate::diagnostic::{Code, Diagnose, ExitCode, codes, io_code, io_hints};
use crate::target::PythonVersion;
use crate::tree::{Content, Entry, InstallPath, InvalidInstallPath, Node, PathConflict, Source, Tree};

/// Where an environment will be and what runs it.
#[derive(Debug, Clone)]
pub struct Place {
    /// The directory with `pyvenv.cfg`.
    pub prefix: InstallPath,
    /// The interpreter's version.
    pub python: PythonVersion,
    /// The interpreter: `/usr/bin/python3.11`.
    pub interpreter: InstallPath,
    /// Whether the link to the interpreter is relative (as packages want it, Debian Policy 10.5) or absolute (for an
    /// environment that is used at another place than its prefix).
    pub relative: bool,
}

impl Place {
    /// `<prefix>/bin/python`.
    pub fn python(&self) -> Result<InstallPath, InvalidInstallPath> {
        self.prefix.join("bin/python")
    }

    /// `lib/pythonX.Y/site-packages`, relative to the prefix.
    pub fn site(&self) -> String {
        format!("lib/python{}/site-packages", self.python)
    }
}

/// A wheel to install.
#[derive(Debug, Clone)]
pub struct Part {
    /// The wheel.
    pub wheel: Arc<UnpackedWheel>,
    /// Third-party content, shipped as it was locked.
    pub vendored: bool,
    /// Its byte-code, if there is an interpreter to make it.
    pub bytecode: Option<Arc<Bytecode>>,
}

/// An environment as a tree, and what is worth knowing about it.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Everything below the prefix.
    pub tree: Tree,
    /// The commands in `bin`, with the name of the distribution that brought each.
    pub commands: BTreeMap<String, String>,
    /// `.pth` files: they run code at every start of the interpreter, so they are named.
    pub startup_files: Vec<InstallPath>,
}

/// What keeps wheels from being put together.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Two wheels bring different files for one path.
    #[error("{second} and {first} both bring {path}, with different content")]
    Conflict {
        /// The path.
        path: InstallPath,
        /// What brought it first.
        first: String,
        /// What brought it then.
        second: String,
    },
    /// A file of a wheel for a place that does not exist.
    #[error("{wheel}: its file `{file}` is for an unknown place (known: purelib, platlib, scripts, data, headers)")]
    Scheme {
        /// The wheel.
        wheel: String,
        /// The file.
        file: String,
    },
    /// A command cannot be made.
    #[error("{wheel}: {error}")]
    Launcher {
        /// The wheel.
        wheel: String,
        /// Why.
        #[source]
        error: launcher::Error,
    },
    /// A path that cannot be installed.
    #[error(transparent)]
    Path(#[from] InvalidInstallPath),
    /// Reading the store.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Diagnose for Error {
    fn code(&self) -> &'static Code {
        match self {
            Self::Conflict { .. } => &codes::FILES_COLLIDE,
            Self::Scheme { .. } => &codes::DAMAGED_WHEEL,
            Self::Launcher { error, .. } => error.code(),
            Self::Path(_) => &codes::INVALID_INSTALL_PATH,
            Self::Io(error) => io_code(error),
        }
    }

    fn exit_code(&self) -> ExitCode {
        ExitCode::Failed
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Conflict { .. } => {
                vec![
                    "two distributions of one import name cannot be installed together: require only one of them"
                        .to_owned(),
                ]
            }
            Self::Launcher { error, .. } => error.hints(),
            Self::Io(error) => io_hints(error),
            Self::Scheme { .. } | Self::Path(_) => Vec::new(),
        }
    }
}

/// Where a file of a wheel goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Destination {
    /// Relative to site-packages.
    Site(String),
    /// A file in `bin`.
    Script(String),
    /// Relative to the prefix.
    Prefix(String),
    /// Nowhere.
    Nowhere,
}

/// Where `file` of `wheel` goes; `None` when it is for a place that does not exist.
pub(super) fn destination(wheel: &UnpackedWheel, file: &File) -> Option<Destination> {
    let path = file.path.as_str();
    if let Some(name) = path.strip_prefix(wheel.dist_info()).and_then(|rest| rest.strip_prefix('/')) {
        let replaced =
            ["RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"];
        if replaced.contains(&name) {
            return Some(Destination::Nowhere);
        }
    }
    let site = |path: &str| {
        // Byte-code that came along was made for other paths and times.
        if path.ends_with(".pyc") { Destination::Nowhere } else { Destination::Site(path.to_owned()) }
    };
    let Some(rest) = path.strip_prefix(&wheel.data()).and_then(|rest| rest.strip_prefix('/')) else {
        return Some(site(path));
    };
    let (scheme, below) = rest.split_once('/')?;
    match scheme {
        "purelib" | "platlib" => Some(site(below)),
        "scripts" => Some(Destination::Script(below.to_owned())),
        "data" => Some(Destination::Prefix(below.to_owned())),
        "headers" => Some(Destination::Nowhere),
        _ => None,
    }
}

/// An environment of `parts` at `place`.
pub fn assemble(place: &Place, parts: &[Part]) -> Result<Environment, Error> {
    let mut assembly = Assembly {
        place,
        environment: Environment { tree: Tree::new(), commands: BTreeMap::new(), startup_files: Vec::new() },
        owners: HashMap::new(),
    };
    assembly.skeleton()?;
    for part in parts {
        assembly.install(part)?;
    }
    assembly.check_directories()?;
    Ok(assembly.environment)
}

struct Assembly<'a> {
    place: &'a Place,
    environment: Environment,
    owners: HashMap<InstallPath, Arc<str>>,
}

impl Assembly<'_> {
    /// What makes the directory an environment.
    fn skeleton(&mut self) -> Result<(), Error> {
        let owner: Arc<str> = "the environment itself".into();
        let Place { prefix, python, interpreter, relative } = self.place;
        let link = self.place.python()?;
        let home = interpreter.parent().map_or_else(|| "/".to_owned(), |parent| parent.to_string());
        // Without the second line some of CPython 3.8 to 3.13 show the system's site-packages.
        let configuration =
            format!("home = {home}\ninclude-system-site-packages = false\nversion = {python}\n").into_bytes();
        self.add(prefix.join("pyvenv.cfg")?, Entry::root(Node::File(Content::bytes(configuration)), 0o644), &owner)?;
        let target = if *relative { link.relative_link_to(interpreter) } else { interpreter.to_string() };
        self.add(link, Entry::root(Node::Symlink(target), 0o777), &owner)?;
        for name in ["python3".to_owned(), format!("python{python}")] {
            let path = prefix.join(&format!("bin/{name}"))?;
            self.add(path, Entry::root(Node::Symlink("python".to_owned()), 0o777), &owner)?;
        }
        Ok(())
    }

    /// Adds one wheel: its files, its launchers, its record, its byte-code.
    fn install(&mut self, part: &Part) -> Result<(), Error> {
        let wheel = part.wheel.as_ref();
        let owner: Arc<str> = wheel.file_name().into();
        let site = self.place.site();
        let mut record: Vec<(String, String)> = Vec::new();
        // What is made of a vendored wheel alone does not change with the service.
        let time = part.vendored.then(|| wheel.time());
        let made = |node, mode| Entry { time, ..Entry::root(node, mode) };
        let own = |node, mode| {
            let entry = made(node, mode);
            if part.vendored { entry.vendored() } else { entry }
        };
        for file in wheel.files() {
            let destination = destination(wheel, file)
                .ok_or_else(|| Error::Scheme { wheel: wheel.file_name().to_owned(), file: file.path.clone() })?;
            let (below, recorded) = match &destination {
                Destination::Nowhere => continue,
                Destination::Site(path) => (format!("{site}/{path}"), path.clone()),
                Destination::Script(path) => (format!("bin/{path}"), format!("../../../bin/{path}")),
                Destination::Prefix(path) => (path.clone(), format!("../../../{path}")),
            };
            let path = self.place.prefix.join(&below)?;
            let (content, mode) = match &destination {
                Destination::Script(name) => (self.script(wheel, file, name)?, 0o755),
                Destination::Prefix(below) if below.starts_with("bin/") => (wheel.content(file), 0o755),
                _ => (wheel.content(file), 0o644),
            };
            if let Some(name) = below.strip_prefix("bin/") {
                self.environment.commands.insert(name.to_owned(), wheel.name().to_owned());
            }
            if path.as_str().ends_with(".pth") && matches!(&destination, Destination::Site(name) if !name.contains('/'))
            {
                self.environment.startup_files.push(path.clone());
            }
            record.push((recorded.clone(), record_line(&recorded, &content.digests)));
            self.add(path, own(Node::File(content), mode), &owner)?;
        }
        for script in self.console_scripts(wheel)? {
            let text = launcher::launcher(&self.place.python()?, &script).map_err(|error| in_wheel(wheel, error))?;
            let content = Content::bytes(text.into_bytes());
            let recorded = format!("../../../bin/{}", script.name);
            record.push((recorded.clone(), record_line(&recorded, &content.digests)));
            let path = self.place.prefix.join(&format!("bin/{}", script.name))?;
            self.add(path, made(Node::File(content), 0o755), &owner)?;
            self.environment.commands.insert(script.name, wheel.name().to_owned());
        }
        self.describe(part, record, &owner)?;
        if let Some(bytecode) = &part.bytecode {
            for (below, content) in bytecode.files() {
                let path = self.place.prefix.join(&format!("{site}/{below}"))?;
                self.add(path, made(Node::File(content.clone()), 0o644), &owner)?;
            }
        }
        Ok(())
    }

    fn console_scripts(&self, wheel: &UnpackedWheel) -> Result<Vec<super::project::EntryPoint>, Error> {
        let Some(text) = wheel.metadata("entry_points.txt")? else { return Ok(Vec::new()) };
        launcher::console_scripts(wheel.name(), &text).map_err(|error| in_wheel(wheel, error))
    }

    /// A script of a wheel, with the first line that it needs here.
    fn script(&self, wheel: &UnpackedWheel, file: &File, name: &str) -> Result<Content, Error> {
        let content = wheel.content(file);
        rewritten(content, &self.place.python()?, name).map_err(|error| match error {
            ScriptError::Launcher(error) => in_wheel(wheel, error),
            ScriptError::Io(error) => Error::Io(error),
        })
    }

    /// `INSTALLER` and `RECORD` of an installed wheel.
    fn describe(&mut self, part: &Part, mut record: Vec<(String, String)>, owner: &Arc<str>) -> Result<(), Error> {
        let wheel = part.wheel.as_ref();
        let time = part.vendored.then(|| wheel.time());
        let directory = wheel.dist_info();
        let installer = Content::bytes(&b"packhouse\n"[..]);
        let recorded = format!("{directory}/INSTALLER");
        record.push((recorded.clone(), record_line(&recorded, &installer.digests)));
        let own = format!("{directory}/RECORD");
        record.push((own.clone(), format!("{},,\n", csv_field(&own))));
        record.sort();
        record.dedup();
        let text: String = record.into_iter().map(|(_, line)| line).collect();
        for (below, content) in [(recorded, installer), (own, Content::bytes(text.into_bytes()))] {
            let path = self.place.prefix.join(&format!("{}/{below}", self.place.site()))?;
            self.add(path, Entry { time, ..Entry::root(Node::File(content), 0o644) }, owner)?;
        }
        Ok(())
    }

    fn add(&mut self, path: InstallPath, entry: Entry, owner: &Arc<str>) -> Result<(), Error> {
        self.environment.tree.insert(path.clone(), entry).map_err(|PathConflict { path }| Error::Conflict {
            first: self.owners.get(&path).map(ToString::to_string).unwrap_or_default(),
            second: owner.to_string(),
            path,
        })?;
        self.owners.entry(path).or_insert_with(|| owner.clone());
        Ok(())
    }

    /// No file of one wheel is a directory of another. What lies below a path comes right after it.
    fn check_directories(&self) -> Result<(), Error> {
        let owner = |path: &InstallPath| self.owners.get(path).map(ToString::to_string).unwrap_or_default();
        let paths = || self.environment.tree.iter().map(|(path, _)| path);
        match paths().zip(paths().skip(1)).find(|(path, next)| next.is_within(path)) {
            None => Ok(()),
            Some((path, next)) => Err(Error::Conflict { path: path.clone(), first: owner(path), second: owner(next) }),
        }
    }
}

fn in_wheel(wheel: &UnpackedWheel, error: launcher::Error) -> Error {
    Error::Launcher { wheel: wheel.file_name().to_owned(), error }
}

/// What keeps a script from being taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum ScriptError {
    #[error(transparent)]
    Launcher(#[from] launcher::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// `content` with the first line that it needs in the tree whose interpreter is `python`.
pub(super) fn rewritten(content: Content, python: &InstallPath, name: &str) -> Result<Content, ScriptError> {
    let mut head = Vec::new();
    content.open()?.take(1024).read_to_end(&mut head)?;
    let Some(line) = launcher::rewritten_shebang(python, name, &head)? else { return Ok(content) };
    let mut old = Vec::new();
    content.open()?.read_to_end(&mut old)?;
    let rest = old.iter().position(|byte| *byte == b'\n').and_then(|end| old.get(end..)).unwrap_or(b"\n");
    Ok(Content::bytes([line.as_bytes(), rest].concat()))
}

/// Puts the part of `tree` below `prefix` into `directory`, which must not exist yet.
pub fn materialize(tree: &Tree, prefix: &InstallPath, directory: &Path) -> io::Result<()> {
    fs_err::create_dir(directory)?;
    let mut made = HashSet::new();
    for (path, entry) in tree.iter().filter(|(path, _)| path.is_within(prefix)) {
        let below = path.as_str().strip_prefix(prefix.as_str()).unwrap_or_default().trim_start_matches('/');
        let target = directory.join(below);
        if let Some(parent) = target.parent()
            && made.insert(parent.to_path_buf())
        {
            fs_err::create_dir_all(parent)?;
        }
        match &entry.node {
            Node::Directory => fs_err::create_dir_all(&target)?,
            Node::Symlink(link) => fs_err::os::unix::fs::symlink(link, &target)?,
            // Nothing that Python installs is one.
            Node::HardLink(_) => {}
            Node::File(content) => put_file(content, entry.mode, &target)?,
        }
    }
    Ok(())
}

/// Puts a file at `target`, where there is none: a link into the store where the file system allows it, else a copy.
pub(crate) fn put_file(content: &Content, mode: u32, target: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    if let Source::Path(source) = &content.source
        && mode & 0o111 == 0
        && fs_err::hard_link(source, target).is_ok()
    {
        return Ok(());
    }
    let mut output = fs_err::File::create_new(target)?;
    io::copy(&mut content.open()?, &mut output)?;
    fs_err::set_permissions(target, std::fs::Permissions::from_mode(mode))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Cache;
    use crate::digest::Sha256;
    use crate::ecosystem::python::store;
    use crate::ecosystem::python::wheel::tests::Maker;

    fn place() -> Place {
        Place {
            prefix: InstallPath::parse("/usr/lib/acme/acme-api").unwrap(),
            python: PythonVersion::three(11),
            interpreter: InstallPath::parse("/usr/bin/python3.11").unwrap(),
            relative: true,
        }
    }

    struct Shelf(tempfile::TempDir);

    impl Shelf {
        fn part(&self, name: &str, maker: &Maker) -> Part {
            let bytes = maker.bytes();
            let path = self.0.path().join(format!("{name}-1.0-py3-none-any.whl"));
            fs_err::write(&path, &bytes).unwrap();
            let cache = Cache::at(self.0.path().join("cache"));
            Part { wheel: store::unpack(&cache, &path, Sha256::of(&bytes)).unwrap(), vendored: true, bytecode: None }
        }
    }

    fn text(tree: &Tree, path: &str) -> String {
        let entry = tree.get(&place().prefix.join(path).unwrap()).unwrap_or_else(|| panic!("{path} is missing"));
        let Node::File(content) = &entry.node else { panic!("{path} is no file") };
        let mut text = String::new();
        content.open().unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn every_part_of_a_wheel_comes_to_its_place_and_is_recorded() {
        let shelf = Shelf(tempfile::tempdir().unwrap());
        let mut maker = Maker::new("demo", "1.0");
        maker
            .add("demo/__init__.py", "")
            .add("demo/__pycache__/__init__.cpython-311.pyc", "stale")
            .entry("demo/native.so", b"\x7fELF", 0o100_755)
            .add("demo-1.0.data/purelib/demo/more.py", "")
            .add("demo-1.0.data/scripts/demo-script", "#!python -u\nprint()\n")
            .add("demo-1.0.data/data/share/demo.txt", "data")
            .add("demo-1.0.data/headers/demo.h", "gone")
            .add("demo.pth", "import demo")
            .add("demo-1.0.dist-info/direct_url.json", "{}")
            .add("demo-1.0.dist-info/entry_points.txt", "[console_scripts]\ndemo = demo:main\n");
        let environment = assemble(&place(), &[shelf.part("demo", &maker)]).unwrap();
        let tree = &environment.tree;
        let paths: Vec<String> = tree
            .iter()
            .map(|(path, entry)| {
                format!("{:o} {}", entry.mode, path.as_str().strip_prefix("/usr/lib/acme/acme-api/").unwrap())
            })
            .collect();
        assert_eq!(
            paths,
            [
                "755 bin/demo",
                "755 bin/demo-script",
                "777 bin/python",
                "777 bin/python3",
                "777 bin/python3.11",
                "644 lib/python3.11/site-packages/demo/__init__.py",
                "644 lib/python3.11/site-packages/demo/more.py",
                "644 lib/python3.11/site-packages/demo/native.so",
                "644 lib/python3.11/site-packages/demo-1.0.dist-info/INSTALLER",
                "644 lib/python3.11/site-packages/demo-1.0.dist-info/METADATA",
                "644 lib/python3.11/site-packages/demo-1.0.dist-info/RECORD",
                "644 lib/python3.11/site-packages/demo-1.0.dist-info/WHEEL",
                "644 lib/python3.11/site-packages/demo-1.0.dist-info/entry_points.txt",
                "644 lib/python3.11/site-packages/demo.pth",
                "644 pyvenv.cfg",
                "644 share/demo.txt",
            ]
        );
        assert_eq!(
            text(tree, "bin/demo-script"),
            "#!/usr/lib/acme/acme-api/bin/python -Iu\nprint()\n",
            "the wheel's own first line is replaced"
        );
        let record = text(tree, "lib/python3.11/site-packages/demo-1.0.dist-info/RECORD");
        let listed: Vec<&str> = record.lines().map(|line| line.split(',').next().unwrap()).collect();
        assert_eq!(
            listed,
            [
                "../../../bin/demo",
                "../../../bin/demo-script",
                "../../../share/demo.txt",
                "demo-1.0.dist-info/INSTALLER",
                "demo-1.0.dist-info/METADATA",
                "demo-1.0.dist-info/RECORD",
                "demo-1.0.dist-info/WHEEL",
                "demo-1.0.dist-info/entry_points.txt",
                "demo.pth",
                "demo/__init__.py",
                "demo/more.py",
                "demo/native.so",
            ]
        );
        let Some(Entry { node: Node::Symlink(target), .. }) = tree.get(&place().python().unwrap()) else { panic!() };
        assert_eq!(target, "../../../../bin/python3.11");
        assert_eq!(environment.startup_files.len(), 1);
        assert_eq!(environment.commands.keys().collect::<Vec<_>>(), ["demo", "demo-script"]);
    }

    #[test]
    fn two_wheels_with_different_files_for_one_path_are_both_named() {
        let shelf = Shelf(tempfile::tempdir().unwrap());
        let (mut one, mut two, mut three) =
            (Maker::new("one", "1.0"), Maker::new("two", "1.0"), Maker::new("three", "1.0"));
        one.add("shared/__init__.py", "same").add("shared/one.py", "1");
        two.add("shared/__init__.py", "same").add("shared/two.py", "2");
        three.add("shared/__init__.py", "different");
        let (one, two, three) = (shelf.part("one", &one), shelf.part("two", &two), shelf.part("three", &three));
        assemble(&place(), &[one.clone(), two]).unwrap();
        let error = assemble(&place(), &[one.clone(), three]).unwrap_err().to_string();
        assert!(error.contains("one-1.0-py3-none-any.whl") && error.contains("three-1.0-py3-none-any.whl"), "{error}");
        let mut below = Maker::new("below", "1.0");
        below.add("shared/one.py/x.py", "");
        let error = assemble(&place(), &[one.clone(), shelf.part("below", &below)]).unwrap_err().to_string();
        assert!(error.contains("shared/one.py"), "{error}");
        let mut thief = Maker::new("thief", "1.0");
        thief.add("thief-1.0.data/scripts/python", "#!/bin/sh\n");
        let error = assemble(&place(), &[shelf.part("thief", &thief)]).unwrap_err().to_string();
        assert!(error.contains("/bin/python"), "{error}");
    }

    #[test]
    fn a_file_for_an_unknown_place_is_an_error() {
        let shelf = Shelf(tempfile::tempdir().unwrap());
        let mut maker = Maker::new("demo", "1.0");
        maker.add("demo-1.0.data/etc/passwd", "");
        let error = assemble(&place(), &[shelf.part("demo", &maker)]).unwrap_err();
        assert!(matches!(error, Error::Scheme { .. }), "{error}");
    }
}
