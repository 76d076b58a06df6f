//! `packhouse pack`: for measurements; not among the commands that `--help` lists.

use std::path::PathBuf;

use clap::Args;

use super::Failure;
use super::build::{CompressionName, EffortName};
use super::session::{Session, usage};
use crate::build::directory::{self, Options};
use crate::name::PackageName;
use crate::target::{Compression, distributions};

/// Pack a plain directory as it is, without services, checks or history; for measuring and comparing.
#[derive(Debug, Args)]
#[command(hide = true)]
pub(super) struct Pack {
    /// What it holds is installed below `/`.
    #[arg(value_name = "DIRECTORY")]
    tree: PathBuf,
    /// What to pack for: debian-12, el9/x86_64, …
    #[arg(short, long, value_name = "TARGET", value_delimiter = ',', required = true)]
    target: Vec<String>,
    /// The package's name.
    #[arg(long, default_value = "tree")]
    name: String,
    /// The package's version.
    #[arg(long, value_name = "VERSION", default_value = "1.0")]
    version: String,
    /// The payload's compressor (default: the target's).
    #[arg(long, value_enum)]
    compression: Option<CompressionName>,
    /// How hard to compress.
    #[arg(long, value_enum, default_value = "default")]
    effort: EffortName,
    /// Where the packages go (default: the current directory).
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
}

pub(super) fn run(session: &Session, arguments: &Pack) -> Result<(), Failure> {
    let options = Options {
        directory: session.path(&arguments.tree)?,
        targets: super::build::targets(&arguments.target, &distributions())?,
        name: PackageName::parse(&arguments.name).map_err(|error| usage(error.to_string()))?,
        version: arguments.version.clone(),
        time: directory::TIME,
        compression: arguments.compression.map(Compression::from),
        effort: arguments.effort.into(),
        out: session.path(&arguments.out)?,
    };
    for path in directory::pack(session.cache(), &options)? {
        session.print(&path.display().to_string())?;
    }
    Ok(())
}
