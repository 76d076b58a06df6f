//! Finds cargo and rustc, and runs cargo where the repository cannot steer it.
//!
//! `.cargo/config.toml` and `rust-toolchain.toml` are searched from the working directory upwards, and either may name a
//! program to run (`rustc-wrapper`, `credential-provider`, a toolchain's path). Outside the sandbox cargo is therefore
//! run in an empty directory with `--manifest-path`; of the repository's configuration only the registries' addresses are
//! handed over. The toolchain's own programs are run, not rustup's proxies, so that none is downloaded on the way.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use toml::Value;

use super::error::RustError;
use super::project::{Project, parse};
use crate::diagnostic::Location;
use crate::report::Reporter;
use crate::sandbox::EndsWithUs;

/// An installed toolchain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Toolchain {
    /// The directory with `bin`, `lib`.
    pub(super) sysroot: PathBuf,
    /// cargo's absolute path.
    pub(super) cargo: PathBuf,
    /// rustc's absolute path.
    pub(super) rustc: PathBuf,
    /// `x86_64-unknown-linux-gnu`.
    pub(super) host: String,
    /// `1.95.0`.
    pub(super) release: String,
    /// rustc's commit, for the paths of the standard library.
    pub(super) commit: String,
}

/// Variables that reach cargo when it works with the network: where its files and its credentials are, proxies,
/// certificates. `CARGO_HTTP_*`, `CARGO_NET_*`, `CARGO_REGISTRIES_*` and `CARGO_REGISTRY_*` are let through too.
const PASSED: &[&str] = &[
    "HOME",
    "PATH",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "SSH_AUTH_SOCK",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
];
const PASSED_PREFIXES: &[&str] = &["CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTRIES_", "CARGO_REGISTRY_"];

impl Toolchain {
    /// The one that `project` asks for in its `rust-toolchain.toml`, else the default one.
    pub(super) fn of(project: &Project) -> Result<Self, RustError> {
        let Some((path, text)) = project.toolchain_file()? else { return Self::find(None, None) };
        let (channel, line) = channel(&path, &text)?;
        let location = || Box::new(Location::line(&path, text.as_str(), line));
        Self::find(channel.as_deref(), Some(&location))
    }

    /// The default one, wherever packhouse runs.
    pub(super) fn default() -> Result<Self, RustError> {
        Self::find(None, None)
    }

    /// Which one it is does not change while packhouse runs: it is asked once for each channel.
    fn find(channel: Option<&str>, location: Option<&dyn Fn() -> Box<Location>>) -> Result<Self, RustError> {
        static FOUND: Mutex<BTreeMap<Option<String>, Toolchain>> = Mutex::new(BTreeMap::new());
        let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(toolchain) = found.get(&channel.map(str::to_owned)) {
            return Ok(toolchain.clone());
        }
        let toolchain = Self::ask(channel, location)?;
        found.insert(channel.map(str::to_owned), toolchain.clone());
        Ok(toolchain)
    }

    fn ask(channel: Option<&str>, location: Option<&dyn Fn() -> Box<Location>>) -> Result<Self, RustError> {
        let cargo = on_path("cargo").ok_or(RustError::NoCargo)?;
        let rustc = on_path("rustc").ok_or(RustError::NoCargo)?;
        let ask = |rustc: &Path, arguments: &[&str]| -> Result<String, RustError> {
            let neutral = tempfile::tempdir()?;
            let mut command = Command::new(rustc);
            command.args(arguments).current_dir(neutral.path()).env_clear().envs(passed()).stdin(Stdio::null());
            command.env("RUSTUP_AUTO_INSTALL", "0");
            if let Some(channel) = channel {
                command.env("RUSTUP_TOOLCHAIN", channel);
            }
            let output = command.output()?;
            if output.status.success() {
                return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
            }
            let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Err(match (channel, location) {
                (Some(channel), Some(location)) => {
                    RustError::NoToolchain { channel: channel.to_owned(), why, location: location() }
                }
                _ => RustError::Cargo {
                    command: "rustc".to_owned(),
                    service: "the toolchain".to_owned(),
                    status: output.status.to_string(),
                    stderr: why,
                },
            })
        };
        let sysroot = PathBuf::from(ask(&rustc, &["--print", "sysroot"])?);
        let own = |name: &str, other: &Path| {
            let own = sysroot.join("bin").join(name);
            if own.is_file() { own } else { other.to_path_buf() }
        };
        let (cargo, rustc) = (own("cargo", &cargo), own("rustc", &rustc));
        let version = ask(&rustc, &["-vV"])?;
        let field = |name: &str| {
            let line = version.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            line.unwrap_or_default().to_owned()
        };
        let toolchain = Self {
            cargo,
            rustc,
            host: field("host"),
            release: field("release"),
            commit: field("commit-hash"),
            sysroot,
        };
        // A rustc that is not rustup's takes no notice of the channel.
        if let (Some(channel), Some(location)) = (channel, location)
            && channel.starts_with(|first: char| first.is_ascii_digit())
            && !format!("{}.", toolchain.release).starts_with(&format!("{channel}."))
            && !toolchain.release.starts_with(&format!("{channel}-"))
        {
            let why = format!("{} is {}", toolchain.rustc.display(), toolchain.release);
            return Err(RustError::NoToolchain { channel: channel.to_owned(), why, location: location() });
        }
        Ok(toolchain)
    }

    /// Runs cargo with the network for `project`, outside the repository; gives its standard output.
    pub(super) fn cargo(
        &self,
        project: &Project,
        service: &str,
        arguments: &[OsString],
        reporter: &dyn Reporter,
    ) -> Result<Vec<u8>, RustError> {
        let neutral = tempfile::tempdir()?;
        let mut command = Command::new(&self.cargo);
        command.args(arguments).arg("--manifest-path").arg(project.absolute().join("Cargo.toml"));
        command.args(["--color", "never"]);
        for registry in registries(project)? {
            command.arg("--config").arg(registry);
        }
        command.current_dir(neutral.path()).env_clear().envs(passed()).env("RUSTC", &self.rustc);
        command.envs([("LC_ALL", "C.UTF-8"), ("CARGO_TERM_PROGRESS_WHEN", "never")]).stdin(Stdio::null());
        if std::env::var_os(crate::variables::CARGO_HTTP_CAINFO).is_none()
            && let Some(certificates) = std::env::var_os(crate::variables::SSL_CERT_FILE)
        {
            command.env("CARGO_HTTP_CAINFO", certificates);
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let (child, ends_with_us) = EndsWithUs::spawn(&mut command)?;
        let output = child.wait_with_output();
        drop(ends_with_us);
        let output = output?;
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        if !output.status.success() {
            let name = arguments.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            return Err(RustError::Cargo {
                command: name,
                service: service.to_owned(),
                status: output.status.to_string(),
                stderr,
            });
        }
        stderr.lines().for_each(|line| reporter.detail(line.trim()));
        Ok(output.stdout)
    }
}

/// Where toolchains and what they link with are looked for, and what changes when one does; there or not. rustup's programs
/// on PATH are always the same: its settings and each of its toolchains tell.
pub(super) fn places() -> Vec<PathBuf> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let path = std::env::var_os(crate::variables::PATH).unwrap_or_default();
    let mut places: Vec<PathBuf> = Vec::new();
    for directory in std::env::split_paths(&path).filter(|directory| directory.is_absolute()) {
        places.extend(["cargo", "rustc"].map(|name| directory.join(name)));
        places.push(directory.join("../lib/rustlib/components"));
    }
    places.extend(super::linkers::places());
    places.push(super::debug::OBJCOPY.into());
    let rustup =
        variable(crate::variables::RUSTUP_HOME).or_else(|| Some(variable(crate::variables::HOME)?.join(".rustup")));
    if let Some(rustup) = rustup {
        let toolchains = rustup.join("toolchains");
        for toolchain in fs_err::read_dir(&toolchains).into_iter().flatten().flatten() {
            places.extend(
                ["", "bin/cargo", "bin/rustc", "lib", "lib/rustlib", "lib/rustlib/components"]
                    .map(|name| toolchain.path().join(name)),
            );
        }
        places.extend([rustup.join("settings.toml"), toolchains]);
    }
    places
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os(crate::variables::PATH)?;
    let absolute = std::env::split_paths(&path).filter(|directory| directory.is_absolute());
    absolute.map(|directory| directory.join(program)).find(|candidate| candidate.is_file())
}

fn passed() -> Vec<(OsString, OsString)> {
    let passes = |name: &str| PASSED.contains(&name) || PASSED_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(passes)).collect()
}

/// The channel of a toolchain file (TOML, or the old form that is the channel alone) and its line.
fn channel(path: &Path, text: &str) -> Result<(Option<String>, usize), RustError> {
    let old = path.extension().is_none() && !text.contains('[');
    let (channel, refused) = if old {
        (Some(text.trim().to_owned()), None)
    } else {
        let table = parse(path, text)?;
        let toolchain = table.get("toolchain");
        let get = |key: &str| toolchain.and_then(|table| table.get(key)).and_then(Value::as_str).map(str::to_owned);
        (get("channel"), get("path"))
    };
    let key = if refused.is_some() { "path" } else { "channel" };
    let line = text.lines().position(|line| line.trim_start().starts_with(key)).map_or(1, |line| line + 1);
    let refuse =
        |why: String| RustError::ToolchainRefused { why, location: Box::new(Location::line(path, text, line)) };
    if let Some(path) = refused {
        return Err(refuse(format!("`path = \"{}\"` would run programs of the repository", path.escape_debug())));
    }
    if let Some(channel) = &channel {
        let plain = channel.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        if !plain || channel.is_empty() || channel.starts_with(['.', '-']) {
            return Err(refuse(format!("`{}` is no channel", channel.escape_debug())));
        }
    }
    Ok((channel, line))
}

/// `registries.NAME.index` of the repository's configuration, as arguments of `--config`.
fn registries(project: &Project) -> Result<Vec<String>, RustError> {
    let mut arguments = Vec::new();
    // cargo lets later arguments win, the nearest file comes first.
    for configuration in project.configurations()?.iter().rev() {
        let registries = configuration.table.get("registries").and_then(Value::as_table);
        for (name, registry) in registries.into_iter().flatten() {
            if let Some(index) = registry.get("index").and_then(Value::as_str) {
                let quoted = |text: &str| Value::String(text.to_owned()).to_string();
                arguments.push(format!("registries.{}.index = {}", quoted(name), quoted(index)));
            }
        }
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_toolchain_file_may_name_a_channel_and_nothing_that_is_run() {
        let read = |name: &str, text: &str| channel(Path::new(name), text);
        let toml = "[toolchain]\nchannel = \"1.95.0\"\ncomponents = [\"clippy\"]\n";
        assert_eq!(read("rust-toolchain.toml", toml).expect("read"), (Some("1.95.0".to_owned()), 2));
        assert_eq!(read("rust-toolchain", "stable\n").expect("read").0.as_deref(), Some("stable"));
        assert_eq!(read("rust-toolchain.toml", "[toolchain]\nprofile = \"minimal\"\n").expect("read").0, None);
        for (name, text) in [
            ("rust-toolchain.toml", "[toolchain]\npath = \"./evil\"\n"),
            ("rust-toolchain.toml", "[toolchain]\nchannel = \"/tmp/evil\"\n"),
            ("rust-toolchain", "../evil\n"),
        ] {
            assert!(matches!(read(name, text), Err(RustError::ToolchainRefused { .. })), "{text}");
        }
    }
}
