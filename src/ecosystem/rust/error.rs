//! What goes wrong with cargo's packages.

use std::path::PathBuf;

use crate::diagnostic::{Clue, Code, Diagnose, ExitCode, Location, codes, io_code, io_hints};

/// What cannot be locked, vendored or built.
#[derive(Debug, thiserror::Error)]
pub enum RustError {
    /// No cargo.
    #[error("cargo is not on this machine: no directory of PATH has it")]
    NoCargo,
    /// The toolchain that the repository asks for is not installed.
    #[error("{} asks for the Rust toolchain `{channel}`, which is not installed: {why}", location.path.display())]
    NoToolchain {
        /// The channel.
        channel: String,
        /// What rustup or rustc said.
        why: String,
        /// The line.
        location: Box<Location>,
    },
    /// `[toolchain] path`, or a channel that is a path.
    #[error("{} names a toolchain that packhouse does not run: {why}", location.path.display())]
    ToolchainRefused {
        /// Why.
        why: String,
        /// The line.
        location: Box<Location>,
    },
    /// A manifest, lock or configuration that cannot be read.
    #[error("cannot read {}: {message}", location.path.display())]
    Toml {
        /// The parser's message.
        message: String,
        /// The place.
        location: Box<Location>,
    },
    /// No `Cargo.lock`.
    #[error("there is no {}", lock.display())]
    NoLock {
        /// The lock, relative to the root.
        lock: PathBuf,
        /// The service.
        service: String,
        /// Whether `--locked` was given.
        locked: bool,
    },
    /// `Cargo.lock` is older than the manifests.
    #[error("{} does not fit the manifests: {why}", location.path.display())]
    StaleLock {
        /// What does not fit.
        why: String,
        /// Where the manifest says so.
        location: Box<Location>,
        /// The service.
        service: String,
        /// Whether `--locked` was given.
        locked: bool,
    },
    /// `--upgrade` together with `--locked`.
    #[error("an upgrade would change {}, and --locked forbids it", lock.display())]
    UpgradeLocked {
        /// The lock, relative to the root.
        lock: PathBuf,
    },
    /// cargo failed.
    #[error("`cargo {command}` failed for {service} ({status}){}", output_of(stderr))]
    Cargo {
        /// The subcommand.
        command: String,
        /// The service.
        service: String,
        /// How it ended.
        status: String,
        /// What it said.
        stderr: String,
    },
    /// A vendored crate is not what the lock names.
    #[error("the vendor directory {} is not what {} names: {why}", directory.display(), lock.display())]
    Vendor {
        /// The vendor directory, relative to the root.
        directory: PathBuf,
        /// The lock, relative to the root.
        lock: PathBuf,
        /// What differs.
        why: String,
        /// The service.
        service: String,
    },
    /// What cargo vendored has not the lock's checksum.
    #[error("what cargo vendored for {service} is not what Cargo.lock names: {why}")]
    Checksum {
        /// The service.
        service: String,
        /// What differs.
        why: String,
    },
    /// Another machine's architecture.
    #[error("{service} cannot be built for {target} on this machine")]
    Architecture {
        /// The service.
        service: String,
        /// The target.
        target: String,
    },
    /// A command that no bin target makes.
    #[error("{service} has no bin target `{command}`; cargo built {}", if built.is_empty() { "none".to_owned() } else { built.join(", ") })]
    NoCommand {
        /// The service.
        service: String,
        /// The command.
        command: String,
        /// What there is.
        built: Vec<String>,
    },
    /// An entry of `files` names what cargo does not make.
    #[error("{service}: cargo makes no file `{file}`; it made {}", if built.is_empty() { "none".to_owned() } else { built.join(", ") })]
    NoFile {
        /// The service.
        service: String,
        /// The file, below `target/<profile>/`.
        file: String,
        /// What there is.
        built: Vec<String>,
    },
    /// A manifest that cannot be used.
    #[error("{error}")]
    Manifest {
        /// What is wrong.
        error: String,
    },
    /// A binary that needs a newer C library than the target's.
    #[error("{command} needs {symbol}, and {target} has glibc {}.{}", glibc.0, glibc.1)]
    Glibc {
        /// The binary's name.
        command: String,
        /// `fmod@GLIBC_2.38`.
        symbol: String,
        /// The target.
        target: String,
        /// The target's version.
        glibc: (u32, u32),
    },
    /// A binary that cannot be read.
    #[error("{command} is no ELF program for {target}: {why}")]
    Binary {
        /// The binary's name.
        command: String,
        /// The target.
        target: String,
        /// Why.
        why: String,
    },
    /// No objcopy, and a package of debug symbols is wanted.
    #[error("{} is not on this machine, and the package of debug symbols needs it", program.display())]
    NoObjcopy {
        /// Where it was looked for.
        program: PathBuf,
    },
    /// objcopy failed.
    #[error("cannot take the debug symbols out of {command} ({status}){}", output_of(stderr))]
    Objcopy {
        /// The program.
        command: String,
        /// How it ended.
        status: String,
        /// What it said.
        stderr: String,
    },
    /// A program without a build id.
    #[error("{command} has no build id, by which its debug symbols would be found")]
    NoBuildId {
        /// The program.
        command: String,
    },
    /// The sandbox.
    #[error(transparent)]
    Sandbox(#[from] crate::sandbox::Error),
    /// Files.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Two files at one place.
    #[error(transparent)]
    Conflict(#[from] crate::tree::PathConflict),
    /// A name that cannot be a path.
    #[error(transparent)]
    Path(#[from] crate::tree::InvalidInstallPath),
}

fn output_of(stderr: &str) -> String {
    let stderr = stderr.trim();
    if stderr.is_empty() { String::new() } else { format!(":\n{stderr}") }
}

impl Diagnose for RustError {
    fn code(&self) -> &'static Code {
        match self {
            Self::NoCargo => &codes::NO_CARGO,
            Self::NoToolchain { .. } => &codes::NO_TOOLCHAIN,
            Self::ToolchainRefused { .. } => &codes::TOOLCHAIN_REFUSED,
            Self::Toml { .. } => &codes::INVALID_TOML,
            Self::NoLock { .. } => &codes::LOCK_MISSING,
            Self::StaleLock { .. } | Self::UpgradeLocked { .. } => &codes::LOCK_OUTDATED,
            Self::Cargo { .. } => &codes::CARGO_FAILED,
            Self::Vendor { why, .. } if why.contains(": it is missing") => &codes::VENDORED_FILE_MISSING,
            Self::Vendor { .. } => &codes::VENDORED_FILE_CHANGED,
            Self::Checksum { .. } => &codes::DOWNLOAD_CHANGED,
            Self::Architecture { .. } => &codes::FOREIGN_ARCHITECTURE,
            Self::NoCommand { .. } => &codes::UNKNOWN_COMMAND,
            Self::NoFile { .. } => &codes::FILE_NOT_INSTALLABLE,
            Self::Manifest { .. } => &codes::INVALID_MANIFEST,
            Self::Glibc { .. } => &codes::GLIBC_TOO_NEW,
            Self::Binary { .. } => &codes::UNREADABLE_ELF,
            Self::NoObjcopy { .. } => &codes::NO_OBJCOPY,
            Self::Objcopy { .. } | Self::NoBuildId { .. } => &codes::DEBUG_SYMBOLS,
            Self::Sandbox(error) => error.code(),
            Self::Io(error) => io_code(error),
            Self::Conflict(_) => &codes::FILES_COLLIDE,
            Self::Path(_) => &codes::INVALID_INSTALL_PATH,
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::NoCargo | Self::NoToolchain { .. } | Self::NoObjcopy { .. } => ExitCode::Environment,
            Self::ToolchainRefused { .. } | Self::NoCommand { .. } | Self::NoFile { .. } => ExitCode::Usage,
            // `--locked` says that the lock must be as it is; without it, it is work that has not been done.
            Self::NoLock { locked: false, .. } | Self::StaleLock { locked: false, .. } => ExitCode::Failed,
            Self::NoLock { .. } | Self::StaleLock { .. } | Self::UpgradeLocked { .. } => ExitCode::Policy,
            Self::Sandbox(error) => error.exit_code(),
            _ => ExitCode::Failed,
        }
    }

    fn location(&self) -> Option<&Location> {
        match self {
            Self::NoToolchain { location, .. }
            | Self::ToolchainRefused { location, .. }
            | Self::Toml { location, .. }
            | Self::StaleLock { location, .. } => Some(location),
            _ => None,
        }
    }

    fn clues(&self) -> Vec<Clue> {
        match self {
            Self::NoCommand { service, .. } => vec![Clue::of_service(service, "commands")],
            Self::NoFile { service, .. } => vec![Clue::of_service(service, "files")],
            _ => Vec::new(),
        }
    }

    fn hints(&self) -> Vec<String> {
        let one = |hint: String| vec![hint];
        match self {
            Self::NoCargo => {
                one("install Rust: `sudo apt-get install cargo`, `sudo dnf install cargo`, or https://rustup.rs".to_owned())
            }
            Self::NoToolchain { channel, .. } => one(format!("run `rustup toolchain install {channel}`")),
            Self::ToolchainRefused { .. } => {
                one("name a channel (`channel = \"1.95.0\"`) that rustup can install".to_owned())
            }
            Self::NoLock { service, .. } => one(format!(
                "run `packhouse lock {service}` (which runs cargo generate-lockfile), and commit Cargo.lock"
            )),
            Self::StaleLock { service, .. } => one(format!(
                "run `packhouse lock {service}` (which runs cargo update --workspace), and commit Cargo.lock"
            )),
            Self::UpgradeLocked { .. } => one("leave out --locked".to_owned()),
            Self::Vendor { service, .. } => one(format!("run `packhouse vendor {service}`")),
            Self::Checksum { .. } => {
                one("the registry or its mirror gave something else than was locked: do not use it".to_owned())
            }
            Self::Architecture { .. } => {
                one("run `packhouse build` on a machine of that architecture (`packhouse build --dry-run` names the jobs)"
                    .to_owned())
            }
            Self::NoCommand { service, command, built } => {
                let correct =
                    format!("correct `commands` under [services.{service}], or the features it is built with");
                match crate::config::closest(command, built.iter().map(String::as_str)) {
                    Some(near) => vec![format!("did you mean `{near}`?"), correct],
                    None => one(correct),
                }
            }
            Self::NoFile { service, file, built } => {
                let correct = format!(
                    "correct the entry of `files` of {service}; what another program makes in the target directory must be \
                     there before packhouse runs"
                );
                match crate::config::closest(file, built.iter().map(String::as_str)) {
                    Some(near) => vec![format!("did you mean `{near}`?"), correct],
                    None => one(correct),
                }
            }
            Self::Glibc { target, .. } => vec![
                format!("build on {target} itself or on an older release, in a container of it"),
                "or leave that target out of `targets`".to_owned(),
            ],
            Self::Cargo { stderr, .. } if stderr.contains("No space left on device") => {
                one("free some space, or name another place for packhouse's cache with PACKHOUSE_CACHE_DIR".to_owned())
            }
            Self::Cargo { stderr, service, .. } if stderr.contains("lock file") => {
                one(format!("run `packhouse lock {service}`, then `packhouse vendor {service}`"))
            }
            Self::Cargo { command, .. } if matches!(command.as_str(), "vendor" | "update" | "generate-lockfile") => one(
                "cargo runs outside of the repository: of its .cargo/config.toml only the registries' addresses are handed over"
                    .to_owned(),
            ),
            Self::NoObjcopy { .. } => one(
                "`sudo apt-get install binutils`, `sudo dnf install binutils`, or leave out `debug-package`".to_owned(),
            ),
            Self::NoBuildId { .. } => one(
                "take `--build-id=none` out of the flags for the linker, or leave out `debug-package`".to_owned(),
            ),
            Self::Sandbox(error) => error.hints(),
            Self::Io(error) => io_hints(error),
            _ => Vec::new(),
        }
    }
}
