//! Runs uv, in a world that is the same on every machine: an empty environment, a home and a configuration of its own, a
//! cache inside packhouse's, no downloads of interpreters.
//!
//! uv is asked to resolve and for nothing else here. It needs some CPython to be there, of any version, although none of
//! the repository's or the index's code is run with it.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::diagnostic::{Code, Diagnose, ExitCode, codes};
use crate::ecosystem::Context;
use crate::sandbox::EndsWithUs;
use crate::variables;

use super::indexes::redact;

/// The oldest uv whose answers packhouse understands (`revision` 2 of uv.lock, `format = "flat"` of an index).
pub const OLDEST: (u64, u64, u64) = (0, 8, 0);

/// Where interpreters and tools are looked for by uv.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A uv that can be run.
#[derive(Debug, Clone)]
pub struct Uv {
    program: PathBuf,
}

/// Why uv could not do its work; what it says about requirements is no error of this kind.
#[derive(Debug, thiserror::Error)]
pub enum UvError {
    /// It could not be started or fed.
    #[error("cannot run uv: {0}")]
    Io(#[from] std::io::Error),
    /// No CPython.
    #[error("uv found no Python interpreter on this machine")]
    NoInterpreter,
    /// None on PATH and none may be had.
    #[error("there is no uv of version {}.{}.{} or later on PATH{}", OLDEST.0, OLDEST.1, OLDEST.2, found.as_ref().map(|found| format!(" (found {found})")).unwrap_or_default())]
    NotThere {
        /// What was found instead.
        found: Option<String>,
    },
}

impl Diagnose for UvError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Io(error) => crate::diagnostic::io_code(error),
            Self::NoInterpreter => &codes::NO_INTERPRETER,
            Self::NotThere { .. } => &codes::NO_UV,
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Io(_) => ExitCode::Failed,
            Self::NoInterpreter | Self::NotThere { .. } => ExitCode::Environment,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Io(error) => crate::diagnostic::io_hints(error),
            Self::NoInterpreter => {
                vec!["install one, of any version: `sudo apt-get install python3` or `sudo dnf install python3`".to_owned()]
            }
            Self::NotThere { .. } => vec![
                "install uv (`pip install uv`), or run without --offline so that packhouse may fetch a pinned one into its cache"
                    .to_owned(),
            ],
        }
    }
}

/// What a run of uv said.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Whether it was content.
    pub success: bool,
    /// Standard error, without credentials.
    pub text: String,
}

impl Uv {
    /// The uv at `program`.
    pub fn at(program: PathBuf) -> Self {
        Self { program }
    }

    /// The first uv on PATH that is recent enough. Programs come before scripts that choose one (pyenv's), which take
    /// ten times as long to start.
    pub fn on_path() -> Result<Self, UvError> {
        let directories = std::env::var_os(crate::variables::PATH).unwrap_or_default();
        let mut candidates: Vec<PathBuf> = std::env::split_paths(&directories)
            // A relative one leads into whatever directory packhouse runs in.
            .filter(|directory| directory.is_absolute())
            .map(|directory| directory.join("uv"))
            .filter(|path| path.is_file())
            .collect();
        candidates.sort_by_key(|path| !is_elf(path));
        let mut found = None;
        for program in candidates {
            let uv = Self { program };
            if let Some(version) = uv.version() {
                if version >= OLDEST {
                    return Ok(uv);
                }
                found = Some(format!("{}.{}.{}", version.0, version.1, version.2));
            }
        }
        Err(UvError::NotThere { found })
    }

    /// The program's path.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// `uv --version`.
    pub(super) fn version(&self) -> Option<(u64, u64, u64)> {
        let output = Command::new(&self.program)
            .arg("--version")
            .env_clear()
            .env("PATH", PATH)
            .env("HOME", "/nonexistent")
            .stdin(Stdio::null())
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let mut numbers = text.split_whitespace().nth(1)?.split(['.', '-', '+']).map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?))
    }

    /// Runs it in `directory` with `arguments`; `environment` is what it sees beyond the base, credentials of indexes
    /// among it.
    pub fn run(
        &self,
        context: Context<'_>,
        directory: &Path,
        arguments: &[&str],
        environment: &[(String, OsString)],
    ) -> Result<Answer, UvError> {
        let home = directory.join("home");
        fs_err::create_dir_all(&home)?;
        context.cache.used(&context.cache.section("uv"));
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .args(["--color", "never", "--no-progress", "--no-python-downloads"])
            .current_dir(directory)
            .env_clear()
            .env("PATH", PATH)
            .env("HOME", &home)
            .env("LC_ALL", "C.UTF-8")
            .env("UV_CACHE_DIR", context.cache.section("uv"))
            .env("UV_PYTHON_DOWNLOADS", "never")
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        for name in [variables::SSL_CERT_FILE, variables::SSL_CERT_DIR, variables::HTTPS_PROXY, variables::NO_PROXY] {
            for name in [name.to_owned(), name.to_lowercase()] {
                if let Some(value) = std::env::var_os(&name).filter(|value| !value.is_empty()) {
                    command.env(name, value);
                }
            }
        }
        if let Some(netrc) = netrc() {
            command.env(variables::NETRC, netrc);
        }
        if context.offline {
            command.arg("--offline");
        }
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let (mut child, ends_with_us) = EndsWithUs::spawn(&mut command)?;
        let mut bytes = Vec::new();
        if let Some(stderr) = child.stderr.take() {
            // A resolver's explanation may be long; what is beyond a megabyte helps nobody.
            let mut limited = stderr.take(1 << 20);
            limited.read_to_end(&mut bytes)?;
            std::io::copy(limited.get_mut(), &mut std::io::sink())?;
        }
        let status = child.wait();
        drop(ends_with_us);
        let status = status?;
        let place = format!("{}/", directory.display());
        let mut text = redact(&String::from_utf8_lossy(&bytes)).replace(&place, "");
        for (name, value) in environment {
            let secret = value.to_string_lossy();
            if name.ends_with("_PASSWORD") && !secret.is_empty() {
                text = text.replace(secret.as_ref(), "***");
            }
        }
        if !status.success() && text.contains("No interpreter found") {
            return Err(UvError::NoInterpreter);
        }
        Ok(Answer { success: status.success(), text })
    }
}

/// The user's netrc, which uv reads for indexes that want credentials.
fn netrc() -> Option<PathBuf> {
    let given = std::env::var_os(variables::NETRC).map(PathBuf::from);
    let path = given.or_else(|| Some(PathBuf::from(std::env::var_os(variables::HOME)?).join(".netrc")))?;
    path.is_file().then_some(path)
}

fn is_elf(path: &Path) -> bool {
    let mut magic = [0; 4];
    fs_err::File::open(path).is_ok_and(|mut file| file.read_exact(&mut magic).is_ok()) && magic == *b"\x7fELF"
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::cache::Cache;
    use crate::config::{Maintainer, ProjectSettings, RepositorySettings, Settings};
    use crate::name::OrgName;
    use crate::report::Silent;
    use crate::workspace::Workspace;

    /// Runs a stand-in for uv, a shell script.
    fn run(script: &str, environment: &[(String, OsString)]) -> Result<Answer, UvError> {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("uv");
        fs_err::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs_err::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let settings = Settings {
            root: PathBuf::from("/r"),
            project: ProjectSettings {
                org: OrgName::parse("acme").unwrap(),
                maintainer: Maintainer { name: "A".to_owned(), mail: "a@example.org".to_owned() },
                homepage: None,
                license: None,
                targets: Vec::new(),
                members: None,
                exclude: globset::GlobSet::empty(),
                vendor: PathBuf::from("vendor"),
                effort: crate::format::Effort::default(),
            },
            indexes: Vec::new(),
            services: Default::default(),
            adopted: Default::default(),
            distributions: Vec::new(),
            licenses: crate::config::LicensePolicy::default(),
            repository: RepositorySettings::default(),
        };
        let cache = Cache::at(directory.path().join("cache"));
        let workspace = Workspace { root: PathBuf::from("/r"), members: Vec::new() };
        let context = Context {
            settings: &settings,
            workspace: &workspace,
            cache: &cache,
            reporter: &Silent,
            offline: false,
            locked: false,
            threads: 1,
        };
        Uv::at(program).run(context, directory.path(), &["lock"], environment)
    }

    #[test]
    fn uv_sees_an_environment_of_its_own_and_may_not_fetch_interpreters() {
        let answer = run("env >&2; echo \"arguments $*\" >&2", &[]).unwrap();
        let text = answer.text;
        assert!(text.contains("UV_PYTHON_DOWNLOADS=never") && text.contains("arguments lock "), "{text}");
        assert!(!text.contains("CARGO"), "{text}");
        let home = text.lines().find(|line| line.starts_with("HOME=")).unwrap();
        assert_eq!(home, "HOME=home", "its own, named without the directory");
    }

    #[test]
    fn a_machine_without_an_interpreter_is_told_what_to_install() {
        let error =
            run("echo 'error: No interpreter found for Python >=3.6 in search path' >&2; exit 2", &[]).unwrap_err();
        assert!(matches!(error, UvError::NoInterpreter));
        assert_eq!(error.exit_code(), ExitCode::Environment);
        assert!(error.hints()[0].contains("python3"));
    }

    #[test]
    fn passwords_are_cut_out_of_what_uv_says() {
        let secret = [("UV_INDEX_X_PASSWORD".to_owned(), OsString::from("t0psecret"))];
        let answer =
            run("echo \"401 for t0psecret at https://me:t0psecret@x.example/simple\" >&2; exit 1", &secret).unwrap();
        assert!(!answer.success);
        assert_eq!(answer.text.trim(), "401 for *** at https://***@x.example/simple");
    }
}
