//! From vendored sources to artefacts: stage, assemble, write. Offline; nothing here or below opens a connection.
//!
//! Services and targets are independent of one another, so they are staged and packed side by side, bounded by the number
//! of threads. Artefacts come into place by renames; the list of them, `packhouse-artefacts.json`, is written last.

use std::path::{Path, PathBuf};

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use serde::{Deserialize, Serialize};

use crate::diagnostic::{Diagnose, ExitCode, Location, io_hints};
use crate::ecosystem::{self, Context};
use crate::format::{self, Artefact};
use crate::package::{self, Inputs};
use crate::target::{Format, Target};
use crate::workspace::history::{self, History, SourceVersion};
use crate::workspace::{EcosystemKind, Member};

/// The file that lists what a build made.
pub const ARTEFACTS_FILE: &str = "packhouse-artefacts.json";

/// What to build, and where to.
#[derive(Debug, Clone)]
pub struct Options<'a> {
    /// The services.
    pub services: Vec<&'a Member>,
    /// The targets.
    pub targets: Vec<Target>,
    /// The directory for the artefacts; made when it is not there.
    pub out: PathBuf,
}

/// `packhouse-artefacts.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artefacts {
    /// 1.
    pub schema_version: u32,
    /// Sorted by file name.
    pub artefacts: Vec<Artefact>,
}

/// Why a build failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A step failed for one service.
    #[error("cannot build {service} for {target}: {error}")]
    Step {
        /// The service.
        service: String,
        /// The target.
        target: String,
        /// What failed.
        error: ecosystem::Error,
    },
    /// The version or the history of a service could not be told.
    #[error("cannot tell the version of {service}: {error}")]
    Version {
        /// The service.
        service: String,
        /// Why.
        error: ecosystem::Error,
    },
    /// A list of artefacts that is none.
    #[error("{} is no list of artefacts: {reason}", path.display())]
    List {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl Error {
    fn inner(&self) -> Option<&(dyn Diagnose + Send + Sync)> {
        match self {
            Self::Step { error, .. } | Self::Version { error, .. } => Some(error.as_ref()),
            Self::Io(_) | Self::List { .. } => None,
        }
    }
}

impl Diagnose for Error {
    fn exit_code(&self) -> ExitCode {
        self.inner().map_or(ExitCode::Failed, Diagnose::exit_code)
    }

    fn location(&self) -> Option<&Location> {
        self.inner().and_then(Diagnose::location)
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Io(error) => io_hints(error),
            _ => self.inner().map(Diagnose::hints).unwrap_or_default(),
        }
    }
}
