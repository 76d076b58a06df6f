//! Builds wheels from source: the repository's own packages, and distributions that have no wheel.
//!
//! The build runs the project's back end (PEP 517, PEP 518) in the sandbox: a copy of the source at a fixed place, an
//! environment that packhouse itself has assembled from the wheels of the build lock, no network, nothing else to write
//! to. What the back end asks for beyond its declared requirements must be in that environment too, or the build stops
//! before it begins and says what to add.
//!
//! What comes out is verified like any other wheel and packed again in one form (sorted, no times, no compression, since it
//! never leaves the cache), so that equal content is an equal wheel. It is kept under a key of everything that went in.

mod again;
mod packer;
mod stamp;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;

use pep508_rs::{Requirement, VerbatimUrl, VersionOrUrl};
use serde::{Deserialize, Serialize};

use self::packer::Packer;
use self::stamp::Stamp;
use super::archive;
use super::build_environment::BuildEnvironment;
use super::environment::{self, Part, Place};
use super::host::Interpreter;
use super::project::{self, BuildSystem};
use super::source_tree::{self, SourceTree};
use super::store::{self, UnpackedWheel, come_into_place};
use super::tags::PythonEnvironment;
use super::wheel::{self, Wheel};
use crate::cache::{Cache, record};
use crate::diagnostic::{Code, Diagnose, ExitCode, Location, codes, io_code, io_hints};
use crate::digest::{Digests, Sha256};
use crate::ecosystem::rust::embedded::Crates;
use crate::name::normalize;
use crate::sandbox::{self, Bind, Sandbox, Step};
use crate::tree::{InstallPath, InvalidInstallPath};

/// Changes when the way of building does.
const SECTION: &str = "built-wheels/v3";
/// Runs the hooks.
const HOOK: &str = include_str!("build/hook.py");
/// The time that third-party sources are built at (1980-01-01, the first that ZIP knows): it must not depend on the
/// repository's history, or every commit would build them again.
const SOURCE_TIME: i64 = 315_532_800;
/// So much of a failed build's output is shown.
const SHOWN_OUTPUT: usize = 6000;

/// Where builds happen: an interpreter and the wheels of the build lock.
pub(super) struct Workshop<'a> {
    pub(super) cache: &'a Cache,
    pub(super) sandbox: &'a Sandbox,
    pub(super) interpreter: &'a Interpreter,
    /// What the interpreter offers; for markers.
    pub(super) environment: PythonEnvironment,
    /// The environment's contents, in the order of names.
    pub(super) tools: Vec<Arc<UnpackedWheel>>,
}

/// What is built from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Origin<'a> {
    /// A package of the repository.
    Package {
        root: &'a Path,
        directory: &'a Path,
        vendor: &'a Path,
        build_system: &'a BuildSystem,
        /// What cargo needs, where it has a part in the build; vendored.
        crates: Option<&'a Crates>,
    },
    /// A vendored source distribution.
    Archive { path: &'a Path, file_name: &'a str, sha256: Sha256 },
}

/// A wheel to build.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order<'a> {
    /// The distribution's name.
    pub(super) name: &'a str,
    /// For back ends that would ask git.
    pub(super) version: Option<&'a str>,
    /// Whether the wheel must be of this version: the manifest has none.
    pub(super) stamp: bool,
    /// What it is built from.
    pub(super) origin: Origin<'a>,
    /// SOURCE_DATE_EPOCH of a package of the repository.
    pub(super) time: i64,
}

impl<'a> Order<'a> {
    fn crates(&self) -> Option<&'a Crates> {
        match self.origin {
            Origin::Package { crates, .. } => crates,
            Origin::Archive { .. } => None,
        }
    }
}

/// A wheel that was built, now or before.
#[derive(Debug, Clone)]
pub(super) struct Built {
    pub(super) wheel: Arc<UnpackedWheel>,
    /// How the build was isolated.
    pub(super) isolation: String,
    /// Name and version of the crates that cargo built for it.
    pub(super) crates: BTreeSet<(String, String)>,
}

/// A wheel could not be built.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The environment lacks what the back end needs.
    #[error("building {name} needs {}, which its build lock does not have", missing.join(" and "))]
    Missing {
        /// What was to be built.
        name: String,
        /// The requirements.
        missing: Vec<String>,
    },
    /// A requirement of the back end that is none.
    #[error("{name} has the build requirement `{requirement}`, which cannot be read: {reason}")]
    Requirement {
        /// What was to be built.
        name: String,
        /// The requirement.
        requirement: String,
        /// Why.
        reason: String,
    },
    /// The back end failed.
    #[error("building {name} failed ({status})\n{output}")]
    Failed {
        /// What was to be built.
        name: String,
        /// How the step ended.
        status: String,
        /// The end of what it said.
        output: String,
    },
    /// The back end made something else.
    #[error("building {name} gave {got}")]
    Result {
        /// What was to be built.
        name: String,
        /// What came instead.
        got: String,
    },
    /// A manifest without a version, and a back end that knows another than the tag.
    #[error("{name} is built as version {got}, and the git tag or the configuration says {wanted}")]
    Version {
        /// What was built.
        name: String,
        /// What the wheel says.
        got: String,
        /// What its package is to be.
        wanted: String,
    },
    /// The manifest of a source distribution.
    #[error("{archive}: {error}")]
    Manifest {
        /// The source distribution.
        archive: String,
        /// What is wrong.
        error: String,
    },
    /// The source distribution itself.
    #[error(transparent)]
    Archive(#[from] archive::Error),
    /// The package's directory.
    #[error("{name} cannot be copied for building: {error}")]
    Source {
        /// What was to be built.
        name: String,
        /// Why.
        error: String,
    },
    /// The wheel that came out, or one of the environment's.
    #[error(transparent)]
    Wheel(#[from] wheel::Error),
    /// The build environment.
    #[error("the build environment of {name}: {error}")]
    Environment {
        /// What was to be built.
        name: String,
        /// What is wrong.
        #[source]
        error: environment::Error,
    },
    /// A place that cannot hold an environment.
    #[error(transparent)]
    Place(#[from] InvalidInstallPath),
    /// The step could not be run.
    #[error(transparent)]
    Sandbox(#[from] sandbox::Error),
    /// The cache.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Diagnose for Error {
    fn code(&self) -> &'static Code {
        match self {
            Self::Missing { .. } => &codes::BUILD_REQUIREMENT_MISSING,
            Self::Requirement { .. } => &codes::INVALID_REQUIREMENT,
            Self::Failed { .. } | Self::Result { .. } => &codes::PYTHON_BUILD_FAILED,
            Self::Version { .. } => &codes::VERSION_DIFFERS,
            Self::Manifest { .. } => &codes::DAMAGED_SOURCE,
            Self::Archive(error) => error.code(),
            Self::Source { .. } => &codes::SOURCE_TREE_UNUSABLE,
            Self::Wheel(error) => error.code(),
            Self::Environment { error, .. } => error.code(),
            Self::Place(_) => &codes::INVALID_INSTALL_PATH,
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

    fn location(&self) -> Option<&Location> {
        None
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Missing { name, missing } => {
                let list: Vec<String> = missing.iter().map(|requirement| format!("{requirement:?}")).collect();
                vec![format!(
                    "name it in [services.SERVICE.python]: `build-requires = {{ {} = [{}] }}`, then run `packhouse lock` and \
                     `packhouse vendor`",
                    normalize(name),
                    list.join(", ")
                )]
            }
            Self::Version { name, got, .. } => vec![
                format!(
                    "write `version = \"{got}\"` under [services.{name}] in packhouse.toml, where that is the right one"
                ),
                "or write the version into the manifest as a literal".to_owned(),
            ],
            Self::Failed { name, output, .. } => failure_hints(name, output),
            Self::Archive(error) => error.hints(),
            Self::Wheel(error) => error.hints(),
            Self::Environment { error, .. } => error.hints(),
            Self::Sandbox(error) => error.hints(),
            Self::Io(error) => io_hints(error),
            _ => Vec::new(),
        }
    }
}

/// What usually helps, by what the output says.
fn failure_hints(name: &str, output: &str) -> Vec<String> {
    const SIGNS: &[(&[&str], &str)] = &[
        (
            &[
                "Temporary failure in name resolution",
                "Network is unreachable",
                "Could not resolve host",
                "NameResolutionError",
            ],
            "build steps have no network: what the build downloads must be in the source or in the build lock",
        ),
        (
            &["unable to detect version", "setuptools-scm was unable", "Unable to determine version", "vcs_versioning"],
            "the version comes from git, which builds do not see: set `version` in [services.NAME], or tag the commit",
        ),
        (
            &["No space left on device"],
            "free some space, or name another place for packhouse's cache with PACKHOUSE_CACHE_DIR",
        ),
        (&["Python.h: No such file"], "install the headers of the interpreter (python3-dev, python3-devel)"),
        (
            &[
                "command 'gcc' failed: No such file",
                "command 'x86_64-linux-gnu-gcc' failed: No such file",
                "cc: not found",
                "No such file or directory: 'gcc'",
            ],
            "install a C compiler (build-essential, gcc)",
        ),
        (
            &["ModuleNotFoundError", "No module named"],
            "a module that the build imports is missing: name it in `build-requires` of [services.SERVICE.python]",
        ),
    ];
    let mut hints: Vec<String> = SIGNS
        .iter()
        .filter(|(signs, _)| signs.iter().any(|sign| output.contains(sign)))
        .map(|(_, hint)| (*hint).to_owned())
        .collect();
    if hints.is_empty() {
        hints.push(format!(
            "the output above is that of the build back end of {name}; a version with a wheel needs no build"
        ));
    }
    hints
}

#[derive(Serialize)]
struct HookOrder<'a> {
    source: &'a Path,
    wheels: PathBuf,
    answer: PathBuf,
    backend: &'a str,
    backend_path: &'a [String],
    available: Vec<String>,
    satisfied: bool,
}

#[derive(Deserialize)]
struct HookAnswer {
    requires: Vec<String>,
    wheel: Option<String>,
    /// The files of imported modules.
    #[serde(default)]
    imported: Vec<String>,
}

/// What is kept beside a built wheel.
#[derive(Debug, Serialize, Deserialize)]
struct Index {
    file_name: String,
    sha256: Sha256,
    isolation: String,
    #[serde(default)]
    crates: BTreeSet<(String, String)>,
}

/// What a back end made.
struct Made {
    /// The wheel's path.
    wheel: PathBuf,
    isolation: String,
    /// Whether it imported no module of what it built.
    is_static: bool,
}

impl Workshop<'_> {
    /// Builds what `order` names, or finds it in the cache.
    pub(super) fn build(&self, order: Order<'_>) -> Result<Built, Error> {
        let prepared = Prepared::new(order)?;
        let key = self.key(order, &prepared)?.to_string();
        let place = self.cache.section(SECTION).join(&key);
        if let Some(built) = self.load(&place, &key) {
            return Ok(built);
        }
        // Several services and targets need the same wheel at the same moment: one builds it, the others find it.
        let lock = place.file_name().and_then(|name| name.to_str()?.get(..2)).unwrap_or_default();
        let _guard = self.cache.lock(&format!("built-wheels-{lock}"))?;
        if let Some(built) = self.load(&place, &key) {
            return Ok(built);
        }
        let shape = self.shape(order, &prepared);
        let again = shape.as_deref().and_then(|shape| self.again(&prepared, shape));
        let ((index, content), is_static) = match again {
            Some(again) => (again, true),
            None => self.make(order, &prepared)?,
        };
        let finished = self.cache.temporary_directory()?;
        fs_err::write(finished.path().join(&index.file_name), content)?;
        let text = serde_json::to_vec(&index).map_err(io::Error::from)?;
        record::write(self.cache, &finished.path().join("index.json"), &key, &text)?;
        come_into_place(self.cache, finished, &place, || self.load(&place, &key).is_some())?;
        let built = self.load(&place, &key);
        let built = built.ok_or_else(|| Error::Io(io::Error::other(format!("{} was lost", place.display()))))?;
        if let Some(shape) = shape.filter(|_| is_static) {
            self.remember(&prepared, &shape, &key, &built.wheel)?;
        }
        Ok(built)
    }

    /// Has the back end make the wheel: what is kept of it, its bytes, and whether no module of the package was imported.
    fn make(&self, order: Order<'_>, prepared: &Prepared) -> Result<((Index, Vec<u8>), bool), Error> {
        let temporary = self.cache.temporary_directory()?;
        let source = temporary.path().join("source");
        fs_err::create_dir(&source)?;
        prepared.copy_to(order, &source)?;
        let build_system = match order.origin {
            Origin::Package { build_system, .. } => build_system.clone(),
            Origin::Archive { file_name, .. } => build_system_of(&source, file_name)?,
        };
        self.check(order.name, &build_system.requires)?;
        let Made { wheel, isolation, is_static } = self.run(order, &build_system, temporary.path())?;
        let (file_name, sha256, content) = self.normalise(order, &wheel, temporary.path())?;
        let crates = order.crates().map(|crates| crates.built(&source)).unwrap_or_default();
        Ok(((Index { file_name, sha256, isolation, crates }, content), is_static))
    }

    /// A digest of all that the result depends on.
    fn key(&self, order: Order<'_>, prepared: &Prepared) -> io::Result<Sha256> {
        let mut text = format!(
            "name {}\nversion {} {}\ninterpreter {} {:?}\nhook {}\nisolation {}\n",
            normalize(order.name),
            order.version.unwrap_or_default(),
            order.stamp,
            self.interpreter.full_version,
            self.environment,
            Sha256::of(HOOK.as_bytes()),
            // What was built with less isolation is no result where more is asked for.
            self.sandbox.isolation(),
        );
        match order.origin {
            Origin::Package { build_system, crates, .. } => {
                text.push_str(&format!("package {} {} {build_system:?}\n", prepared.digest, order.time));
                if let Some(crates) = crates {
                    text.push_str(&format!("crates {}\n", crates.key()?));
                }
            }
            Origin::Archive { sha256, .. } => text.push_str(&format!("archive {sha256}\n")),
        }
        for tool in &self.tools {
            text.push_str(&format!("tool {}\n", tool.sha256()));
        }
        Ok(Sha256::of(text.as_bytes()))
    }

    /// What was built before, if it is there and whole.
    fn load(&self, place: &Path, key: &str) -> Option<Built> {
        let index: Index = serde_json::from_slice(&record::read(&place.join("index.json"), key)?).ok()?;
        // It was a good wheel when it came here: what cannot be unpacked now is damaged.
        let wheel = store::unpack(self.cache, &place.join(&index.file_name), index.sha256).ok()?;
        self.cache.used(place);
        Some(Built { wheel, isolation: index.isolation, crates: index.crates })
    }

    /// All of `requires` that apply are met by the environment.
    fn check(&self, name: &str, requires: &[String]) -> Result<(), Error> {
        let mut missing = Vec::new();
        for text in requires {
            let unreadable =
                |reason: String| Error::Requirement { name: name.to_owned(), requirement: text.clone(), reason };
            let requirement =
                Requirement::<VerbatimUrl>::from_str(text).map_err(|error| unreadable(error.message.to_string()))?;
            if !requirement.marker.evaluate(&self.environment.markers(), &[]) {
                continue;
            }
            let wanted = requirement.name.to_string();
            let present = self.tools.iter().find(|tool| normalize(tool.name()) == normalize(&wanted));
            let met = present.is_some_and(|tool| match &requirement.version_or_url {
                Some(VersionOrUrl::VersionSpecifier(specifiers)) => {
                    pep440_rs::Version::from_str(tool.version()).is_ok_and(|version| specifiers.contains(&version))
                }
                Some(VersionOrUrl::Url(_)) | None => true,
            });
            if !met {
                missing.push(text.clone());
            }
        }
        if missing.is_empty() { Ok(()) } else { Err(Error::Missing { name: name.to_owned(), missing }) }
    }

    /// Runs the back end below `directory`.
    fn run(&self, order: Order<'_>, build_system: &BuildSystem, directory: &Path) -> Result<Made, Error> {
        let (work, environment) = (directory.join("work"), directory.join("environment"));
        fs_err::create_dir(&work)?;
        let crates = order.crates();
        let mut binds = crates.map(Crates::binds).unwrap_or_default();
        binds.extend([
            Bind::writable(directory.join("source"), "/packhouse/source"),
            Bind::writable(&work, "/packhouse/work"),
            Bind::read_only(&environment, "/packhouse/environment"),
        ]);
        let seen = |path: &str| self.sandbox.seen(&binds, Path::new(path));
        let (source_seen, work_seen) = (seen("/packhouse/source"), seen("/packhouse/work"));
        let environment_seen = seen("/packhouse/environment");
        let environment = self.environment(order.name, &environment_seen, &environment)?;
        if let Some(bind) = binds.last_mut() {
            bind.source.clone_from(&environment.directory);
        }
        fs_err::write(work.join("hook.py"), HOOK)?;
        let mut variables = variables(order, &source_seen, &environment_seen);
        if let Some(crates) = crates {
            let inside = |path: &Path| self.sandbox.inside(&binds, path);
            let home = work_seen.join("cargo");
            fs_err::create_dir(work.join("cargo"))?;
            fs_err::write(work.join("cargo/config.toml"), crates.configuration(&inside, &source_seen, &home))?;
            variables.extend(crates.environment(&inside, &home));
            let programs = crates.programs(&inside);
            for (_, path) in variables.iter_mut().filter(|(name, _)| name == "PATH") {
                path.push(":");
                path.push(&programs);
            }
        }
        let hook = HookOrder {
            source: &source_seen,
            wheels: work_seen.join("wheels"),
            answer: work_seen.join("answer.json"),
            backend: &build_system.backend,
            backend_path: &build_system.backend_path,
            available: self.tools.iter().map(|tool| normalize(tool.name())).collect(),
            satisfied: false,
        };
        let mut step = Step {
            program: environment_seen.join("bin/python"),
            arguments: ["-B", "hook.py", "order.json"].map(|name| name.into()).to_vec(),
            directory: source_seen.clone(),
            environment: variables,
            binds: binds.clone(),
            ..Step::default()
        };
        for (argument, name) in step.arguments.iter_mut().skip(1).zip(["hook.py", "order.json"]) {
            *argument = work_seen.join(name).into_os_string();
        }
        let (answer, isolation) = self.hook(order.name, &step, &hook, &work)?;
        let answer = match answer.wheel {
            Some(_) => answer,
            None => {
                // A name is missing; if its marker does not apply here, the build may go on.
                self.check(order.name, &answer.requires)?;
                self.hook(order.name, &step, &HookOrder { satisfied: true, ..hook }, &work)?.0
            }
        };
        self.check(order.name, &answer.requires)?;
        environment.keep(self.sandbox, self.interpreter, &answer.imported);
        let file_name = answer.wheel.unwrap_or_default();
        if file_name.is_empty() || file_name.contains('/') || !file_name.ends_with(".whl") {
            let got = format!("`{}`, which is not the name of a wheel", file_name.escape_debug());
            return Err(Error::Result { name: order.name.to_owned(), got });
        }
        let is_static = !answer.imported.iter().any(|file| Path::new(file).starts_with(&source_seen));
        Ok(Made { wheel: work.join("wheels").join(file_name), isolation, is_static })
    }

    /// One run of the hook script.
    fn hook(&self, name: &str, step: &Step, order: &HookOrder<'_>, work: &Path) -> Result<(HookAnswer, String), Error> {
        fs_err::write(work.join("order.json"), serde_json::to_vec(order).map_err(io::Error::from)?)?;
        let mut said = Vec::new();
        let output = self.sandbox.run_with(step, &mut |_, piece| {
            said.extend_from_slice(piece);
            let excess = said.len().saturating_sub(SHOWN_OUTPUT);
            said.drain(..excess);
        })?;
        let answer = fs_err::read(work.join("answer.json")).ok();
        let answer = answer.and_then(|bytes| serde_json::from_slice::<HookAnswer>(&bytes).ok());
        match answer {
            Some(answer) if output.status.success() => Ok((answer, output.isolation)),
            _ => Err(Error::Failed {
                name: name.to_owned(),
                status: output.status.to_string(),
                output: readable(&String::from_utf8_lossy(&said)),
            }),
        }
    }

    /// The build environment, which the step sees as `seen`; in `directory` if it can be nowhere else.
    fn environment(&self, name: &str, seen: &Path, directory: &Path) -> Result<BuildEnvironment<'_>, Error> {
        let place = Place {
            prefix: InstallPath::parse(&seen.to_string_lossy())?,
            python: self.interpreter.version,
            interpreter: InstallPath::parse(&self.interpreter.path.to_string_lossy())?,
            relative: false,
        };
        let parts: Vec<Part> =
            self.tools.iter().map(|wheel| Part { wheel: wheel.clone(), vendored: true, bytecode: None }).collect();
        BuildEnvironment::of(self.cache, self.sandbox, self.interpreter, place, &parts, directory)
            .map_err(|error| Error::Environment { name: name.to_owned(), error })
    }

    /// Verifies the wheel at `file` and packs it again in one form: its file name, digest and bytes.
    fn normalise(&self, order: Order<'_>, file: &Path, directory: &Path) -> Result<(String, Sha256, Vec<u8>), Error> {
        let made = Wheel::open(file)?;
        let (got, dist_info) = (made.name().clone(), made.dist_info().to_owned());
        if normalize(&got.name) != normalize(order.name) {
            let got = format!("a wheel of {} {}", got.name, got.version);
            return Err(Error::Result { name: order.name.to_owned(), got });
        }
        let content = directory.join("content");
        fs_err::create_dir(&content)?;
        let files = made.unpack(&content)?;
        let stamp = Stamp::of(order, &got)?;
        let record = format!("{dist_info}/RECORD");
        let mut packer = Packer::default();
        // maturin's bill of materials has the place of the build and a random number in it; the package's own has the same
        // crates, and those of all other parts.
        let sboms = format!("{dist_info}/sboms/");
        let left_out = |path: &str| order.crates().is_some() && path.starts_with(&sboms);
        for file in files.iter().filter(|file| !is_record(&file.path, &record) && !left_out(&file.path)) {
            let path = stamp.as_ref().map_or_else(|| file.path.clone(), |stamp| stamp.path(&file.path));
            let content = content.join(&file.path);
            match stamp.as_ref().filter(|_| file.path == format!("{dist_info}/METADATA")) {
                Some(stamp) => {
                    let text = stamp.metadata(&fs_err::read_to_string(content)?);
                    let digests = Digests::of_reader(&mut text.as_bytes())?;
                    packer.add(&path, file.executable, &mut text.as_bytes(), &digests)?;
                }
                None => packer.add(&path, file.executable, &mut fs_err::File::open(content)?, &file.digests)?,
            }
        }
        let record = stamp.as_ref().map_or_else(|| record.clone(), |stamp| stamp.path(&record));
        let bytes = packer.finish(&record)?;
        let file_name = file.file_name().unwrap_or_default().to_string_lossy();
        let file_name = stamp.map_or_else(|| file_name.clone().into_owned(), |stamp| stamp.path(&file_name));
        Ok((file_name, Sha256::of(&bytes), bytes))
    }
}

fn is_record(path: &str, record: &str) -> bool {
    path.strip_prefix(record).is_some_and(|rest| matches!(rest, "" | ".jws" | ".p7s"))
}

/// What is built from, read.
struct Prepared {
    digest: Sha256,
    tree: Option<SourceTree>,
}

impl Prepared {
    fn new(order: Order<'_>) -> Result<Self, Error> {
        match order.origin {
            Origin::Archive { sha256, .. } => Ok(Self { digest: sha256, tree: None }),
            Origin::Package { root, directory, vendor, .. } => {
                let tree = SourceTree::read(root, directory, vendor).map_err(|error| match error {
                    source_tree::Error::Io(error) => Error::Io(error),
                    other => Error::Source { name: order.name.to_owned(), error: other.to_string() },
                })?;
                Ok(Self { digest: tree.digest(), tree: Some(tree) })
            }
        }
    }

    fn copy_to(&self, order: Order<'_>, directory: &Path) -> Result<(), Error> {
        match (&self.tree, order.origin) {
            (Some(tree), _) => Ok(tree.copy_to(directory)?),
            (None, Origin::Archive { path, file_name, sha256 }) => {
                let (got, _) = Sha256::of_reader(&mut fs_err::File::open(path)?)?;
                if got != sha256 {
                    let problem = wheel::Problem::Digest { expected: sha256, got };
                    return Err(Error::Wheel(wheel::Error { wheel: file_name.to_owned(), problem }));
                }
                Ok(archive::unpack(path, file_name, directory)?)
            }
            (None, Origin::Package { .. }) => Ok(()),
        }
    }
}

/// How the source distribution unpacked in `directory` is built.
pub(super) fn build_system_of(directory: &Path, file_name: &str) -> Result<BuildSystem, Error> {
    let manifest = |error: String| Error::Manifest { archive: file_name.to_owned(), error };
    match project::read(directory) {
        Ok(Some(project)) => Ok(project.build_system),
        Ok(None) => Err(manifest("it has neither pyproject.toml nor setup.py".to_owned())),
        Err(error) => Err(manifest(error.to_string())),
    }
}

/// The names of what a source distribution's back end needs, without building it.
pub(super) fn requires_of_archive(cache: &Cache, path: &Path, file_name: &str) -> Result<Vec<String>, Error> {
    let temporary = cache.temporary_directory()?;
    archive::unpack(path, file_name, temporary.path())?;
    Ok(build_system_of(temporary.path(), file_name)?.requires)
}

/// The environment of a build. Compilers and linkers are told to leave paths, debugging information and symbol tables out;
/// the version stands in for git, which builds do not see (setuptools-scm and hatch-vcs, pbr, pdm-backend, poetry- and
/// uv-dynamic-versioning).
fn variables(order: Order<'_>, source: &Path, environment: &Path) -> Vec<(String, std::ffi::OsString)> {
    let time = if matches!(order.origin, Origin::Archive { .. }) { SOURCE_TIME } else { order.time };
    let flags = format!("-g0 -ffile-prefix-map={}=.", source.display());
    let mut variables: Vec<(String, std::ffi::OsString)> = [
        ("PATH", environment.join("bin").into_os_string()),
        ("VIRTUAL_ENV", environment.into()),
        ("SOURCE_DATE_EPOCH", time.max(SOURCE_TIME).to_string().into()),
        ("PYTHONHASHSEED", "0".into()),
        ("PYTHONDONTWRITEBYTECODE", "1".into()),
        ("PYTHONNOUSERSITE", "1".into()),
        ("PIP_NO_INDEX", "1".into()),
        ("CARGO_NET_OFFLINE", "true".into()),
        ("CFLAGS", flags.clone().into()),
        ("CXXFLAGS", flags.into()),
        ("LDFLAGS", "-s".into()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    if let Some(version) = order.version {
        let name = normalize(order.name).replace('-', "_").to_uppercase();
        for variable in [
            format!("SETUPTOOLS_SCM_PRETEND_VERSION_FOR_{name}"),
            // Where it does not know the name yet; nothing else is built in this step.
            "SETUPTOOLS_SCM_PRETEND_VERSION".to_owned(),
            "PBR_VERSION".to_owned(),
            "PDM_BUILD_SCM_VERSION".to_owned(),
            "POETRY_DYNAMIC_VERSIONING_BYPASS".to_owned(),
            "UV_DYNAMIC_VERSIONING_BYPASS".to_owned(),
        ] {
            variables.push((variable, version.into()));
        }
    }
    variables
}

/// A build's output without control characters, its first line whole.
fn readable(output: &str) -> String {
    let whole =
        if output.len() >= SHOWN_OUTPUT { output.split_once('\n').map_or(output, |(_, rest)| rest) } else { output };
    whole
        .trim_end()
        .lines()
        .map(|line| line.chars().filter(|letter| !letter.is_control() || *letter == '\t').collect::<String>())
        .map(|line| format!("  | {line}\n"))
        .collect::<String>()
        .trim_end()
        .to_owned()
}

/// The order in which source distributions that the environment itself needs are built: each after those of them that it
/// requires. `needs` has, for each name, the names that its back end requires. A circle is given back as its names.
pub(super) fn build_order(needs: &BTreeMap<String, Vec<String>>) -> Result<Vec<String>, Vec<String>> {
    let mut order: Vec<String> = Vec::new();
    while order.len() < needs.len() {
        let open = |name: &String| needs.contains_key(name) && !order.contains(name);
        let ready: Vec<String> = needs
            .iter()
            .filter(|(name, requires)| open(name) && !requires.iter().any(open))
            .map(|(name, _)| name.clone())
            .collect();
        if ready.is_empty() {
            return Err(needs.keys().filter(|name| open(name)).cloned().collect());
        }
        order.extend(ready);
    }
    Ok(order)
}

#[cfg(test)]
mod tests;
