//! Runs a build step without network and with a read-only world.

use std::ffi::OsString;
use std::path::PathBuf;

/// A command to run in isolation. The environment is empty but for what is listed; the network is cut off; only
/// `writable` can be written to.
#[derive(Debug, Clone, Default)]
pub struct Step {
    /// The program, an absolute path.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Working directory (a path inside the sandbox: may lie below a `bind`'s destination).
    pub directory: PathBuf,
    /// Environment beyond the base (`PATH`, `HOME`, `LC_ALL=C.UTF-8`, `TZ=UTC`, …).
    pub environment: Vec<(String, OsString)>,
    /// Host directories shown at fixed places inside, so that paths in results do not depend on the machine.
    pub binds: Vec<Bind>,
}

/// A host directory shown inside the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bind {
    /// On the host.
    pub source: PathBuf,
    /// Inside; when mounts are not to be had the step sees `source` itself.
    pub destination: PathBuf,
    /// Whether the step may write there.
    pub writable: bool,
}
