//! Runs a build step without network and with a read-only world.
//!
//! A build step (a PEP 517 back end, `cargo build`, `compileall`) is code that somebody else wrote. What it makes must be
//! a function of what it was given, so it gets nothing else: no network, no environment, no writable place but those that
//! it is told of, and the same paths on every machine (`/packhouse/…`), because paths end up in what compilers write.
//!
//! The kernel's namespaces do this without a privileged helper (namespaces(7), user_namespaces(7), pivot_root(2)), where
//! they are permitted. Three rungs, the strongest that works is found by doing it once ([`probe`]):
//!
//! 1. mount, network, IPC and UTS namespaces (within a user namespace unless root): the whole file system read-only, a
//!    private `/tmp`, binds at fixed places, no interface but loopback;
//! 2. a network namespace only: the step sees the machine's own paths;
//! 3. none, where containers forbid namespaces, or on request. [`Mode::Require`] makes this an error.
//!
//! What was used stands in every [`Output`], and from there in the artefacts' record.

mod namespaces;
mod process;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use crate::config::closest;
use crate::diagnostic::{Code, Diagnose, ExitCode, codes, io_code, io_hints};
use crate::variables;

pub use process::{EndsWithUs, kill_running};

/// What no step may see, whoever runs it: signing keys.
static HIDDEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Hides a file or directory of the host from every step that runs from now on, at its own place and wherever a bind would
/// show it; what is not there is not hidden. Only [`Isolation::World`] can.
pub fn hide(path: impl Into<PathBuf>) {
    HIDDEN.lock().unwrap_or_else(PoisonError::into_inner).insert(path.into());
}

/// Where a step may find its private, writable home (when it sees fixed places).
const HOME: &str = "/packhouse/home";

/// A command to run in isolation. The environment is empty but for what is listed; the network is cut off; only
/// `writable` binds, `$HOME` and `/tmp` can be written to.
#[derive(Debug, Clone, Default)]
pub struct Step {
    /// The program, an absolute path inside the sandbox (may lie below a `bind`'s destination).
    pub program: PathBuf,
    /// Its arguments. A path among them must be one that the step sees: see [`Sandbox::inside`].
    pub arguments: Vec<OsString>,
    /// Working directory (a path inside the sandbox: may lie below a `bind`'s destination).
    pub directory: PathBuf,
    /// Environment beyond the base (`PATH`, `HOME`, `TMPDIR`, `LC_ALL=C.UTF-8`, `TZ=UTC`). A `PATH` here is put before
    /// the base's `/usr/bin:/bin`; any other name replaces the base's value.
    pub environment: Vec<(String, OsString)>,
    /// Host directories (or files) shown at fixed places inside, so that paths in results do not depend on the machine.
    /// Later ones may lie within earlier ones.
    pub binds: Vec<Bind>,
    /// How long it may run; it is killed then, with all that it started, and [`Output::timed_out`] says so.
    pub time_limit: Option<Duration>,
}

/// A host directory or file shown inside the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bind {
    /// On the host.
    pub source: PathBuf,
    /// Inside. A place that the host does not have is made. When mounts are not to be had the step sees `source` itself.
    pub destination: PathBuf,
    /// Whether the step may write there.
    pub writable: bool,
}

impl Bind {
    /// Shows `source` at `destination`, read-only.
    pub fn read_only(source: impl Into<PathBuf>, destination: impl Into<PathBuf>) -> Self {
        Self { source: source.into(), destination: destination.into(), writable: false }
    }

    /// Shows `source` at `destination`, writable.
    pub fn writable(source: impl Into<PathBuf>, destination: impl Into<PathBuf>) -> Self {
        Self { source: source.into(), destination: destination.into(), writable: true }
    }
}

/// How much isolation the user asks for: `PACKHOUSE_SANDBOX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// The strongest that this machine permits.
    #[default]
    Auto,
    /// At least a network namespace, else an error.
    Require,
    /// None.
    None,
}

impl Mode {
    /// Reads `PACKHOUSE_SANDBOX`; unset or empty is [`Mode::Auto`].
    pub fn from_environment() -> Result<Self, Error> {
        match std::env::var_os(variables::PACKHOUSE_SANDBOX) {
            Some(value) if !value.is_empty() => Self::parse(&value.to_string_lossy()),
            _ => Ok(Self::Auto),
        }
    }

    /// Reads `auto`, `require` or `none`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "auto" => Ok(Self::Auto),
            "require" => Ok(Self::Require),
            "none" => Ok(Self::None),
            _ => Err(Error::Mode(text.to_owned())),
        }
    }
}

/// What keeps a step away from the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Mount, network, IPC and UTS namespaces, a read-only world, fixed places.
    World {
        /// Within a user namespace (packhouse does not run as root).
        user: bool,
    },
    /// A network namespace only.
    Network {
        /// Within a user namespace.
        user: bool,
    },
    /// Nothing.
    None,
}

impl Isolation {
    /// Whether the step cannot reach the network.
    pub fn cuts_network(self) -> bool {
        self != Self::None
    }

    /// Whether binds appear at their destinations.
    pub fn has_fixed_places(self) -> bool {
        matches!(self, Self::World { .. })
    }
}

impl std::fmt::Display for Isolation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::World { user: true } => "user, mount, network, ipc and uts namespaces, read-only world",
            Self::World { user: false } => "mount, network, ipc and uts namespaces, read-only world",
            Self::Network { user: true } => "user and network namespaces",
            Self::Network { user: false } => "network namespace",
            Self::None => "none",
        })
    }
}

/// What [`probe`] found.
#[derive(Debug, Clone)]
pub struct Probe {
    /// The strongest isolation that works here.
    pub isolation: Isolation,
    /// Why stronger ones do not, one sentence each.
    pub refusals: Vec<String>,
}

/// Finds the strongest isolation that this machine permits, by doing it; once per process.
pub fn probe() -> &'static Probe {
    static PROBE: OnceLock<Probe> = OnceLock::new();
    PROBE.get_or_init(|| {
        let user = !rustix::process::geteuid().is_root();
        let mut candidates = vec![Isolation::World { user }];
        if !user {
            // Root of a container may lack the capability but still be allowed a user namespace.
            candidates.push(Isolation::World { user: true });
        }
        candidates.push(Isolation::Network { user });
        if !user {
            candidates.push(Isolation::Network { user: true });
        }
        let mut refusals = Vec::new();
        for isolation in candidates {
            match process::attempt(isolation) {
                Ok(()) => return Probe { isolation, refusals },
                Err(error) => refusals.push(format!("{isolation}: {error}")),
            }
        }
        Probe { isolation: Isolation::None, refusals }
    })
}

/// What a step did.
#[derive(Debug, Clone)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Whether it was killed because its time was over.
    pub timed_out: bool,
    /// The last [`OUTPUT_LIMIT`] bytes of its standard output.
    pub stdout: Vec<u8>,
    /// The last [`OUTPUT_LIMIT`] bytes of its standard error.
    pub stderr: Vec<u8>,
    /// What kept it away from the world, in words; for the artefacts' record.
    pub isolation: String,
}

/// So much of each of a step's streams is kept: the end, where errors stand.
pub const OUTPUT_LIMIT: usize = 1024 * 1024;

/// Which of a step's streams a piece of output came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Receives a step's output while it runs.
pub type Listener<'a> = &'a mut dyn FnMut(Stream, &[u8]);

/// A step could not be run; that a step ran and failed is no error of the sandbox.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `PACKHOUSE_SANDBOX` has another value.
    #[error("`{0}` is no value of PACKHOUSE_SANDBOX: it is `auto`, `require` or `none`")]
    Mode(String),
    /// [`Mode::Require`], and no namespaces.
    #[error("this machine permits no namespaces, and PACKHOUSE_SANDBOX=require asks for them ({})", refusals.join("; "))]
    Unavailable {
        /// Why each rung was refused.
        refusals: Vec<String>,
    },
    /// A bind that cannot be made.
    #[error("cannot show {} at {} in the sandbox: {reason}", source_path.display(), destination.display())]
    Bind {
        /// On the host.
        source_path: PathBuf,
        /// Inside.
        destination: PathBuf,
        /// Why.
        reason: String,
    },
    /// A part of setting up failed although the probe had worked.
    #[error("cannot set up the sandbox for {}: {reason}", program.display())]
    Setup {
        /// What was to be run.
        program: PathBuf,
        /// What failed.
        reason: String,
    },
    /// The program could not be started.
    #[error("cannot run {}", program.display())]
    Start {
        /// What was to be run.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Temporary directories or pipes.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Diagnose for Error {
    fn code(&self) -> &'static Code {
        match self {
            Self::Mode(_) => &codes::UNKNOWN_SANDBOX_MODE,
            Self::Unavailable { .. } => &codes::NO_NAMESPACES,
            Self::Bind { .. } | Self::Setup { .. } => &codes::SANDBOX_SETUP,
            Self::Start { .. } => &codes::PROGRAM_NOT_STARTED,
            Self::Io(error) => io_code(error),
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Mode(_) => ExitCode::Usage,
            Self::Unavailable { .. } | Self::Setup { .. } => ExitCode::Environment,
            Self::Start { source, .. } if source.kind() == io::ErrorKind::NotFound => ExitCode::Environment,
            _ => ExitCode::Failed,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Unavailable { .. } => vec![
                "permit unprivileged user namespaces (`sysctl kernel.unprivileged_userns_clone=1`, on Ubuntu \
                 `kernel.apparmor_restrict_unprivileged_userns=0`), or run the container with a seccomp profile that allows them"
                    .to_owned(),
                "set PACKHOUSE_SANDBOX=auto to build without isolation; the artefacts' record then says so".to_owned(),
            ],
            Self::Mode(text) => closest(text, ["auto", "require", "none"])
                .map(|near| format!("did you mean `PACKHOUSE_SANDBOX={near}`?"))
                .into_iter()
                .collect(),
            Self::Bind { .. } | Self::Setup { .. } => vec![
                "`packhouse doctor` says what this machine permits; `PACKHOUSE_SANDBOX=none` builds without isolation, and the \
                 artefacts' record then says so"
                    .to_owned(),
            ],
            Self::Io(error) | Self::Start { source: error, .. } => io_hints(error),
        }
    }
}

/// Runs steps with one isolation.
#[derive(Debug, Clone, Copy)]
pub struct Sandbox {
    isolation: Isolation,
}

impl Sandbox {
    /// What `mode` gives on this machine.
    pub fn new(mode: Mode) -> Result<Self, Error> {
        let isolation = if mode == Mode::None { Isolation::None } else { probe().isolation };
        if mode == Mode::Require && !isolation.cuts_network() {
            return Err(Error::Unavailable { refusals: probe().refusals.clone() });
        }
        Ok(Self { isolation })
    }

    /// What `PACKHOUSE_SANDBOX` asks for.
    pub fn from_environment() -> Result<Self, Error> {
        Self::new(Mode::from_environment()?)
    }

    /// What its steps are kept away with.
    pub fn isolation(&self) -> Isolation {
        self.isolation
    }

    /// The path at which a step with `binds` sees `host`: below the destination of the innermost bind that shows it, or
    /// `host` itself.
    pub fn inside(&self, binds: &[Bind], host: &Path) -> PathBuf {
        if !self.isolation.has_fixed_places() {
            return host.to_path_buf();
        }
        translate(host, binds.iter().map(|bind| (bind.source.as_path(), bind.destination.as_path())))
    }

    /// The path at which a step with `binds` really sees what is meant by `inside`, a path with the binds' destinations:
    /// `inside` itself, or below the bind's source where there are no fixed places.
    pub fn seen(&self, binds: &[Bind], inside: &Path) -> PathBuf {
        if self.isolation.has_fixed_places() {
            return inside.to_path_buf();
        }
        translate(inside, binds.iter().map(|bind| (bind.destination.as_path(), bind.source.as_path())))
    }

    /// Runs `step` to its end.
    pub fn run(&self, step: &Step) -> Result<Output, Error> {
        self.run_with(step, &mut |_, _| ())
    }

    /// Puts nothing in the places of what is hidden.
    fn hide_from(&self, binds: &mut Vec<Bind>, private: &Path) -> Result<(), Error> {
        let hidden = HIDDEN.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if hidden.is_empty() || !self.isolation.has_fixed_places() {
            return Ok(());
        }
        let (file, directory) = (private.join("no-file"), private.join("no-directory"));
        fs_err::write(&file, "")?;
        fs_err::create_dir(&directory)?;
        let shown = binds.clone();
        for path in hidden {
            let Ok(metadata) = fs_err::metadata(&path) else { continue };
            let nothing = if metadata.is_dir() { &directory } else { &file };
            // A bind shows it elsewhere; its own place is hidden unless the step has another directory there anyway.
            let place = path.canonicalize()?;
            let inside = self.inside(&shown, &place);
            let fresh = ["/tmp", "/run"].iter().any(|fresh| place.starts_with(fresh));
            let own = (!fresh && inside != place).then(|| place.clone());
            let elsewhere = (!fresh || inside != place).then_some(inside);
            binds.extend(own.into_iter().chain(elsewhere).map(|place| Bind::read_only(nothing, place)));
        }
        Ok(())
    }

    /// Runs `step` to its end and gives its output to `listener` as it comes.
    pub fn run_with(&self, step: &Step, listener: Listener<'_>) -> Result<Output, Error> {
        let private = crate::unfinished::directory(&std::env::temp_dir(), "packhouse-step-")?;
        let (home, temporary) = (private.path().join("home"), private.path().join("tmp"));
        fs_err::create_dir(&home)?;
        fs_err::create_dir(&temporary)?;
        let mut binds = vec![Bind::writable(&home, HOME), Bind::writable(&temporary, "/tmp")];
        binds.extend(step.binds.iter().cloned());
        self.hide_from(&mut binds, private.path())?;
        let base = [
            ("PATH", OsString::from("/usr/bin:/bin")),
            ("HOME", self.inside(&binds, &home).into_os_string()),
            ("TMPDIR", self.inside(&binds, &temporary).into_os_string()),
            ("LC_ALL", OsString::from("C.UTF-8")),
            ("TZ", OsString::from("UTC")),
        ];
        let mut environment: Vec<(String, OsString)> =
            base.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        for (name, value) in &step.environment {
            let mut value = value.clone();
            if name == "PATH" {
                value.push(":/usr/bin:/bin");
            }
            environment.retain(|(present, _)| present != name);
            environment.push((name.clone(), value));
        }
        let complete = Step {
            program: self.seen(&step.binds, &step.program),
            arguments: step.arguments.clone(),
            directory: self.seen(&step.binds, &step.directory),
            environment,
            binds,
            time_limit: step.time_limit,
        };
        process::run(&complete, self.isolation, listener)
    }
}

/// Runs one step in the given mode.
pub fn run(step: &Step, mode: Mode) -> Result<Output, Error> {
    Sandbox::new(mode)?.run(step)
}

/// `path` with the longest of the `from` prefixes replaced by its `to`.
fn translate<'a>(path: &Path, pairs: impl Iterator<Item = (&'a Path, &'a Path)>) -> PathBuf {
    pairs
        .filter_map(|(from, to)| Some((from.components().count(), path.strip_prefix(from).ok()?, to)))
        .max_by_key(|(length, _, _)| *length)
        .map_or_else(
            || path.to_path_buf(),
            |(_, rest, to)| if rest.as_os_str().is_empty() { to.to_path_buf() } else { to.join(rest) },
        )
}

#[cfg(test)]
mod tests;
