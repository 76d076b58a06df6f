//! Staging: from the locks and the vendor directory to the private tree of a service, without network.
//!
//! In order: load the locks and check every vendored file against them; choose each package's file for the target; unpack
//! the wheels into the store; build what has none, the repository's own packages among them; make byte-code where an
//! interpreter of the target's minor version is here; put everything together as a map of paths; name the commands and
//! what is inside; look for traces of the build. All but building is per wheel and kept, so a second stage of the same
//! inputs reads indexes and copies nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::build::{Built, Order, Origin};
use super::bytecode::Compiler;
use super::commands;
use super::components;
use super::crates;
use super::environment::{self, Part, Place};
use super::host::{self, Interpreter};
use super::interpreter::interpreter;
use super::lock;
use super::native;
use super::project::{self, Project};
use super::pylock::LockedFile;
use super::store::{self, UnpackedWheel};
use super::tags::{Choice, PythonEnvironment, Unusable, best_of};
use super::tools;
use super::traces;
use super::vendor::{self, Vendored};
use super::wheel::header;
use crate::diagnostic::{Code, Diagnose, ExitCode, codes};
use crate::ecosystem::{Context, Error, Release};
use crate::name::normalize;
use crate::package::{Component, Staged};
use crate::sandbox::Sandbox;
use crate::target::{PythonVersion, Target};
use crate::tree::{InstallPath, InvalidInstallPath};
use crate::workspace::Member;

/// What keeps a service from being staged, beyond what its parts say themselves.
#[derive(Debug, thiserror::Error)]
pub(super) enum StageError {
    /// There is no Python package.
    #[error("{} has no pyproject.toml, setup.cfg or setup.py", .0.display())]
    NoProject(PathBuf),
    /// A locked package cannot be had for the target.
    #[error("{service} for {target}: {reason}")]
    Unusable {
        /// The service.
        service: String,
        /// The target.
        target: String,
        /// Why.
        #[source]
        reason: Unusable,
    },
    /// A wheel says that it is not for the target's interpreter.
    #[error("{wheel} says `Requires-Python: {requires}`, {target} has Python {python}")]
    Python {
        /// The wheel.
        wheel: String,
        /// What it says.
        requires: String,
        /// The target.
        target: String,
        /// What that has.
        python: PythonVersion,
    },
    /// A file that the lock names is not vendored.
    #[error("{service}: `{file}` is not in its vendor directory")]
    NotVendored {
        /// The service.
        service: String,
        /// The file.
        file: String,
    },
    /// No interpreter to build with.
    #[error("{what} must be built from source for {target}, and this machine has no Python to build it with")]
    NoInterpreter {
        /// What must be built.
        what: String,
        /// The target.
        target: String,
    },
    /// Source distributions that need each other to be built.
    #[error("these build requirements need each other to be built: {}", .0.join(", "))]
    Circle(Vec<String>),
    /// A wheel that was built here does not fit the target.
    #[error("{wheel}, built here with CPython {built}, does not fit {target}, which has {wanted}")]
    Unfit {
        /// The wheel.
        wheel: String,
        /// The interpreter it was built with.
        built: String,
        /// The target.
        target: String,
        /// What the target offers.
        wanted: String,
    },
    /// A wheel that was built here needs a newer C library than the target has.
    #[error(
        "`{file}` of {wheel}, built here, needs glibc {}.{} (for {symbol}), {target} has {}.{}",
        need.0, need.1, has.0, has.1
    )]
    Glibc {
        /// The wheel.
        wheel: String,
        /// The file in it.
        file: String,
        /// A symbol of that version.
        symbol: String,
        /// What it needs.
        need: (u32, u32),
        /// The target.
        target: String,
        /// What the target has.
        has: (u32, u32),
    },
    /// A built file that is damaged.
    #[error("`{file}` of {wheel}, built here, is a damaged ELF file: {reason}")]
    Elf {
        /// The wheel.
        wheel: String,
        /// The file in it.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A place that cannot be.
    #[error(transparent)]
    Path(#[from] InvalidInstallPath),
    /// The store or the package's directory.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Diagnose for StageError {
    fn code(&self) -> &'static Code {
        match self {
            Self::NoProject(_) => &codes::NO_PYTHON_MANIFEST,
            Self::Unusable { .. } => &codes::NO_DISTRIBUTION,
            Self::Python { .. } => &codes::PYTHON_EXCLUDED,
            Self::NotVendored { .. } => &codes::VENDORED_FILE_MISSING,
            Self::NoInterpreter { .. } => &codes::NO_INTERPRETER,
            Self::Circle(_) => &codes::BUILD_CYCLE,
            Self::Unfit { .. } => &codes::WHEEL_DOES_NOT_FIT,
            Self::Glibc { .. } => &codes::GLIBC_TOO_NEW,
            Self::Elf { .. } => &codes::UNREADABLE_ELF,
            Self::Path(_) => &codes::INVALID_INSTALL_PATH,
            Self::Io(error) => crate::diagnostic::io_code(error),
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::NoInterpreter { .. } => ExitCode::Environment,
            Self::NoProject(_) => ExitCode::Usage,
            _ => ExitCode::Failed,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Unusable { service, .. } => {
                vec![format!("run `packhouse lock {service}`, then `packhouse vendor {service}`")]
            }
            Self::Python { target, .. } => vec![format!(
                "require another version of it for that interpreter (`; python_version == …`), another interpreter for \
                 {target}, or leave {target} out of `targets`"
            )],
            Self::NotVendored { service, .. } => vec![format!("run `packhouse vendor {service}`")],
            Self::NoInterpreter { .. } => vec![
                "install Python 3.9 or newer: `sudo apt-get install python3` or `sudo dnf install python3`".to_owned(),
            ],
            Self::Circle(_) => vec!["pin a version of one of them that has a wheel".to_owned()],
            Self::Unfit { built, .. } => vec![format!(
                "what is compiled fits only the interpreter and processor it is compiled with (here: {built}): build on the \
                 target's own release, or take a version that has a wheel"
            )],
            Self::Glibc { target, .. } => vec![format!(
                "build on {target} itself or on something older, or take a version that has a manylinux wheel"
            )],
            Self::Io(error) => crate::diagnostic::io_hints(error),
            Self::NoProject(_) => {
                vec!["check `members` and `path` in packhouse.toml; `packhouse list` shows what was found".to_owned()]
            }
            Self::Elf { .. } | Self::Path(_) => Vec::new(),
        }
    }
}

pub(super) fn boxed(error: impl Diagnose + Send + Sync + 'static) -> Error {
    Box::new(error)
}

pub(super) fn stage(
    context: Context<'_>,
    service: &Member,
    target: &Target,
    release: &Release,
) -> Result<Staged, Error> {
    Staging::new(context, service, target, release)?.run()
}

/// One service for one target.
struct Staging<'a> {
    context: Context<'a>,
    service: &'a Member,
    target: &'a Target,
    release: &'a Release,
    directory: PathBuf,
    project: Project,
    python: PythonVersion,
    environment: PythonEnvironment,
    locks: lock::Locks,
    vendored: Vendored,
    sandbox: Sandbox,
}

/// What building gave.
struct Results {
    parts: Vec<Part>,
    /// The wheel of the service itself.
    own: Arc<UnpackedWheel>,
    isolation: BTreeSet<String>,
    /// Crates that were compiled into the wheels.
    crates: Vec<Component>,
}

impl<'a> Staging<'a> {
    fn new(context: Context<'a>, service: &'a Member, target: &'a Target, release: &'a Release) -> Result<Self, Error> {
        let directory = context.workspace.directory(service);
        let project = read_project(&directory)?;
        let python = interpreter(context, service, &project, target).map_err(boxed)?;
        let locks = lock::load(context, service).map_err(boxed)?;
        let vendored = vendor::verify(context, service)?;
        let sandbox = Sandbox::from_environment().map_err(boxed)?;
        let environment = PythonEnvironment::of(target, python);
        Ok(Self {
            context,
            service,
            target,
            release,
            directory,
            project,
            python,
            environment,
            locks,
            vendored,
            sandbox,
        })
    }

    fn run(&self) -> Result<Staged, Error> {
        let (wheels, sources) = self.choose()?;
        let compiler = self.compiler()?;
        let (vendored, built) =
            rayon::join(|| self.unpack_all(&wheels, compiler.as_ref()), || self.build_all(&sources, compiler.as_ref()));
        let (mut parts, Results { parts: made, own, isolation, crates }) = (vendored?, built?);
        parts.extend(made);
        // Wheels of equal names would be two versions of one distribution; the order decides nothing else.
        parts.sort_by_key(|part| (normalize(part.wheel.name()), part.wheel.sha256()));
        let place = self.place()?;
        let mut assembled = environment::assemble(&place, &parts).map_err(boxed)?;
        for file in &assembled.startup_files {
            self.context
                .reporter
                .detail(&format!("{}: {file} runs code at every start of the interpreter", self.service.name));
        }
        let commands = commands::commands(
            &commands::Own {
                service: self.service,
                project: &self.project,
                directory: &self.directory,
                org: self.context.settings.project.org.as_str(),
                distribution: own.name(),
                chosen: self.context.settings.service(&self.service.name).commands,
            },
            &place,
            &mut assembled,
        )
        .map_err(boxed)?;
        let tree = assembled.tree;
        traces::check(&tree, self.context.cache.root()).map_err(boxed)?;
        let installed = components::Installed { place: &place, parts: &parts, own: &own, lock: &self.locks.runtime };
        let mut components = components::components(&installed).map_err(|error| boxed(StageError::Io(error)))?;
        components.extend(crates);
        Ok(Staged {
            tree,
            commands,
            python: Some(self.python),
            compile_on_install: if compiler.is_some() {
                None
            } else {
                Some(place.prefix.join(&place.site()).map_err(unfit)?)
            },
            components,
            isolation: isolation.into_iter().collect(),
            ..Staged::default()
        })
    }

    fn place(&self) -> Result<Place, Error> {
        let prefix = format!("/usr/lib/{}/{}", self.context.settings.project.org, self.service.name);
        let interpreter = format!("/usr/bin/python{}", self.python);
        Ok(Place {
            prefix: InstallPath::parse(&prefix).map_err(unfit)?,
            python: self.python,
            interpreter: InstallPath::parse(&interpreter).map_err(unfit)?,
            relative: true,
        })
    }

    /// The wheels that the target takes, and the sources that it needs built.
    fn choose(&self) -> Result<(Vec<&LockedFile>, Vec<tools::Source<'_>>), Error> {
        let (mut wheels, mut sources) = (Vec::new(), Vec::new());
        for package in &self.locks.runtime.packages {
            let choice = self.environment.choose(package).map_err(|reason| {
                boxed(StageError::Unusable {
                    service: self.service.name.to_string(),
                    target: self.target.to_string(),
                    reason,
                })
            })?;
            match choice {
                None => {}
                Some(Choice::Wheel(file)) => wheels.push(file),
                Some(Choice::Source(file)) => {
                    sources.push(tools::Source { name: &package.name, version: package.version.as_deref(), file });
                }
            }
        }
        Ok((wheels, sources))
    }

    fn unpack_all(&self, files: &[&LockedFile], compiler: Option<&Interpreter>) -> Result<Vec<Part>, Error> {
        // The largest first: one at a time is taken from the bridge.
        let mut files = files.to_vec();
        files.sort_by_key(|file| std::cmp::Reverse(file.size));
        let unpacked = files.into_iter().par_bridge().map(|file| {
            let path = self.vendored_path(file)?;
            let wheel = store::unpack(self.context.cache, path, file.hashes.sha256).map_err(boxed)?;
            self.check_python(&wheel)?;
            Ok(wheel)
        });
        let wheels = unpacked.collect::<Result<Vec<_>, Error>>()?;
        self.parts(wheels, true, compiler)
    }

    fn vendored_path(&self, file: &LockedFile) -> Result<&Path, Error> {
        self.vendored.files.get(&file.name).map(PathBuf::as_path).ok_or_else(|| {
            boxed(StageError::NotVendored { service: self.service.name.to_string(), file: file.name.clone() })
        })
    }

    /// Builds what has no wheel: `sources`, the service's libraries, the service itself.
    fn build_all(&self, sources: &[tools::Source<'_>], compiler: Option<&Interpreter>) -> Result<Results, Error> {
        let what = || self.service.name.to_string();
        let interpreter = host::any(&self.sandbox, &[self.python])
            .map_err(boxed)?
            .ok_or_else(|| boxed(StageError::NoInterpreter { what: what(), target: self.target.to_string() }))?;
        let path = |file: &LockedFile| self.vendored_path(file);
        let workshop = tools::workshop(tools::Request {
            cache: self.context.cache,
            sandbox: &self.sandbox,
            interpreter: &interpreter,
            target: self.environment,
            lock: self.locks.build.as_ref(),
            path: &path,
        })?;
        let mut locals = Vec::new();
        for (name, path) in &self.locks.runtime.tool.packhouse.local {
            if *name != normalize(&self.service.ecosystem_name) {
                let directory = self.context.workspace.root.join(path);
                let project = read_project(&directory)?;
                locals.push((name.clone(), directory, project));
            }
        }
        let own = (normalize(&self.service.ecosystem_name), self.directory.clone(), self.project.clone());
        let root = self.context.workspace.root.as_path();
        let mut crates = Vec::new();
        for (_, _, project) in locals.iter().chain([&own]) {
            let of_project = crates::of(self.context, project)?;
            if let Some(of_project) = &of_project {
                of_project.require(self.context).map_err(boxed)?;
            }
            crates.push(of_project);
        }
        let mut orders = Vec::new();
        for source in sources {
            let origin = Origin::Archive {
                path: self.vendored_path(source.file)?,
                file_name: &source.file.name,
                sha256: source.file.hashes.sha256,
            };
            orders.push(Order {
                name: source.name,
                version: source.version,
                stamp: false,
                origin,
                time: self.release.time,
            });
        }
        for ((name, directory, project), crates) in locals.iter().chain([&own]).zip(&crates) {
            let told = self.release.versions.get(name).map(String::as_str);
            // What the configuration says of a package that has a version of its own is for back ends that would ask git.
            let stamp = told.is_some() && project.version.is_none();
            let version = told.or(project.version.as_deref());
            let vendor = self.context.settings.project.vendor.as_path();
            let (build_system, crates) = (&project.build_system, crates.as_ref());
            let origin = Origin::Package { root, directory, vendor, build_system, crates };
            let time = self.release.times.get(name).copied().unwrap_or(self.release.time);
            orders.push(Order { name, version, stamp, origin, time });
        }
        let names: Vec<&str> = orders.iter().map(|order| order.name).collect();
        self.context.reporter.step("Building", &format!("{} for {}", names.join(", "), self.target));
        let made: Vec<Built> = orders
            .par_iter()
            .map(|order| {
                let built = workshop.build(*order).map_err(boxed)?;
                self.check_python(&built.wheel)?;
                self.check_fits(&built.wheel, &interpreter)?;
                Ok(built)
            })
            .collect::<Result<_, Error>>()?;
        let mut compiled = Vec::new();
        // The repository's own packages are the last.
        for (built, crates) in made.iter().rev().zip(crates.iter().rev()) {
            if let Some(crates) = crates {
                let files = self.compiled_files(&built.wheel)?;
                let workspace = self.context.workspace;
                compiled.extend(crates.components(workspace, &built.crates, &files).map_err(boxed)?);
            }
        }
        let isolation = made.iter().map(|built| built.isolation.clone()).collect();
        let wheels: Vec<Arc<UnpackedWheel>> = made.into_iter().map(|built| built.wheel).collect();
        let own = wheels.last().cloned().ok_or_else(|| boxed(StageError::NoProject(self.directory.clone())))?;
        Ok(Results { parts: self.parts(wheels, false, compiler)?, own, isolation, crates: compiled })
    }

    /// Where the ELF files of a wheel that was built here are installed.
    fn compiled_files(&self, wheel: &UnpackedWheel) -> Result<Vec<InstallPath>, Error> {
        let place = self.place()?;
        let mut files = Vec::new();
        for file in wheel.files() {
            let is_elf = native::is_elf(&wheel.directory().join(&file.path));
            let below = match environment::destination(wheel, file) {
                Some(environment::Destination::Site(path)) => format!("{}/{path}", place.site()),
                Some(environment::Destination::Script(name)) => format!("bin/{name}"),
                Some(environment::Destination::Prefix(path)) => path,
                _ => continue,
            };
            if is_elf.map_err(|error| boxed(StageError::Io(error)))? {
                files.push(place.prefix.join(&below).map_err(unfit)?);
            }
        }
        Ok(files)
    }

    /// The wheel's own metadata admits the target's interpreter: its tags do not say up to which one it works, and
    /// resolvers disregard upper bounds.
    fn check_python(&self, wheel: &UnpackedWheel) -> Result<(), Error> {
        let metadata = wheel.metadata("METADATA").map_err(|error| boxed(StageError::Io(error)))?.unwrap_or_default();
        let Some(requires) = header(&metadata, "Requires-Python").filter(|text| !text.is_empty()) else {
            return Ok(());
        };
        // What cannot be read excludes nothing; pip does the same with metadata that old tools have written.
        if requires.parse().is_ok_and(|specifiers| !self.environment.meets(&specifiers)) {
            return Err(boxed(StageError::Python {
                wheel: wheel.file_name().to_owned(),
                requires: requires.to_owned(),
                target: self.target.to_string(),
                python: self.python,
            }));
        }
        Ok(())
    }

    /// A wheel that was built here is for the target: its tags, and what its shared objects ask of the C library.
    fn check_fits(&self, wheel: &UnpackedWheel, interpreter: &Interpreter) -> Result<(), Error> {
        let names = [wheel.file_name().to_owned()];
        if best_of(&names, |name| name, &self.environment).is_none() {
            return Err(boxed(StageError::Unfit {
                wheel: wheel.file_name().to_owned(),
                built: interpreter.full_version.clone(),
                target: self.target.to_string(),
                wanted: self.environment.to_string(),
            }));
        }
        if wheel.is_pure() {
            return Ok(());
        }
        for file in wheel.files() {
            let bytes =
                fs_err::read(wheel.directory().join(&file.path)).map_err(|error| boxed(StageError::Io(error)))?;
            let need = native::needed_glibc(&bytes).map_err(|reason| {
                boxed(StageError::Elf { wheel: wheel.file_name().to_owned(), file: file.path.clone(), reason })
            })?;
            if let Some(need) = need.filter(|need| need.version > self.environment.glibc) {
                return Err(boxed(StageError::Glibc {
                    wheel: wheel.file_name().to_owned(),
                    file: file.path.clone(),
                    symbol: need.symbol,
                    need: need.version,
                    target: self.target.to_string(),
                    has: self.environment.glibc,
                }));
            }
        }
        Ok(())
    }

    /// The interpreter that makes byte-code: one of the target's minor version, if this machine has one.
    fn compiler(&self) -> Result<Option<Interpreter>, Error> {
        let found = host::of_version(&self.sandbox, self.python).map_err(boxed)?;
        // A pre-release's byte-code may have another magic number than the release's.
        let found = found.filter(|found| found.full_version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
        if found.is_none() {
            self.context.reporter.detail(&format!(
                "{}: no CPython {} here, byte-code will be made on installation",
                self.service.name, self.python
            ));
        }
        Ok(found)
    }

    /// Wheels with their byte-code.
    fn parts(
        &self,
        wheels: Vec<Arc<UnpackedWheel>>,
        vendored: bool,
        interpreter: Option<&Interpreter>,
    ) -> Result<Vec<Part>, Error> {
        let Some(interpreter) = interpreter else {
            return Ok(wheels.into_iter().map(|wheel| Part { wheel, vendored, bytecode: None }).collect());
        };
        let Context { cache, threads: processes, .. } = self.context;
        let compiler = Compiler { cache, sandbox: &self.sandbox, interpreter, processes };
        let wanted: Vec<&UnpackedWheel> = wheels.iter().map(AsRef::as_ref).collect();
        let made = compiler.compile(&wanted).map_err(boxed)?;
        let parts = wheels.into_iter().zip(made).map(|(wheel, made)| {
            for failure in made.failed() {
                self.context.reporter.detail(&format!("{}: no byte-code: {failure}", wheel.file_name()));
            }
            Part { wheel, vendored, bytecode: Some(made) }
        });
        Ok(parts.collect())
    }
}

fn unfit(error: InvalidInstallPath) -> Error {
    boxed(StageError::Path(error))
}

fn read_project(directory: &Path) -> Result<Project, Error> {
    project::read(directory)?.ok_or_else(|| boxed(StageError::NoProject(directory.to_path_buf())))
}
