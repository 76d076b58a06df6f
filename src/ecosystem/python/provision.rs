//! uv: the one on PATH if it is recent enough, else a pinned one in packhouse's cache.
//!
//! The pinned one is the project's own wheel, taken from the index that is configured (a mirror has it as well as the
//! original) and held against the digests below, so it does not matter who hands it over. It is unpacked to
//! `tools/uv-VERSION/uv` in the cache by one rename.

use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::index::{self, IndexClient};
use super::indexes::{IndexError, Indexes};
use super::uv::Uv;
use crate::cache::Cache;
use crate::diagnostic::{Code, Diagnose, ExitCode, codes, io_code, io_hints};
use crate::digest::Sha256;
use crate::fetch::{self, Client, Download};
use crate::report::Reporter;
use crate::target::Architecture;

/// A release of uv for one processor.
struct Release {
    architecture: Architecture,
    /// The wheel's file name.
    wheel: &'static str,
    /// SHA-256 of the wheel.
    wheel_sha256: &'static str,
    /// Its length in bytes.
    wheel_size: u64,
    /// SHA-256 of the program in it.
    program_sha256: &'static str,
    /// Its length in bytes.
    program_size: u64,
}

/// The version that is provisioned.
pub const VERSION: &str = "0.13.8";

/// Source: the project's page on the index; the wheels were compared with it.
const RELEASES: [Release; 2] = [
    Release {
        architecture: Architecture::X86_64,
        wheel: "uv-0.13.8-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        wheel_sha256: "e18a57b8b352eb7c8feb317b9f6f533c8f0ad9673fd6cf34bbe3cf1a9f6a8984",
        wheel_size: 17_389_450,
        program_sha256: "4a7607589912d9c20e86b860b032f7c7f2913c9a3e76f46aef136885387452b8",
        program_size: 37_991_656,
    },
    Release {
        architecture: Architecture::Aarch64,
        wheel: "uv-0.13.8-py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64.whl",
        wheel_sha256: "0b3e8b1a4f5e405e31e2ff33de8af4744831e9f7338539671efbd8c3c94e791d",
        wheel_size: 17_953_056,
        program_sha256: "5aa4427bd923cfdca2d56a3577f60d8fa7825aa3b496fef975dfd6f03db57d28",
        program_size: 35_453_000,
    },
];

/// Why there is no uv.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// There is no release for this machine.
    #[error("there is no uv of version 0.8 or later on PATH, and packhouse has none for this machine ({0})")]
    Machine(&'static str),
    /// None on PATH, none in the cache, and the network must not be used.
    #[error(
        "there is no uv of version 0.8 or later on PATH nor in packhouse's cache, and --offline forbids to fetch one"
    )]
    Offline,
    /// The indexes cannot be used.
    #[error(transparent)]
    Indexes(#[from] IndexError),
    /// An index cannot be asked.
    #[error("cannot look for uv {VERSION}: {0}")]
    Index(#[from] index::Error),
    /// It cannot be fetched.
    #[error("cannot fetch uv {VERSION}: {0}")]
    Fetch(#[from] fetch::Error),
    /// No index has it.
    #[error("none of the indexes has {0}")]
    NotThere(&'static str),
    /// The wheel is not what it should be, or cannot be unpacked.
    #[error("cannot unpack {wheel}: {reason}")]
    Wheel {
        /// Its file name.
        wheel: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The cache cannot be written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Diagnose for ProvisionError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Machine(_) | Self::NotThere(_) | Self::Wheel { .. } => &codes::NO_UV,
            Self::Offline => &codes::OFFLINE,
            Self::Indexes(error) => error.code(),
            Self::Index(error) => error.code(),
            Self::Fetch(error) => error.code(),
            Self::Io(error) => io_code(error),
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Indexes(error) => error.exit_code(),
            Self::Index(error) => error.exit_code(),
            Self::Fetch(error) => error.exit_code(),
            Self::Machine(_) | Self::Offline | Self::NotThere(_) => ExitCode::Environment,
            _ => ExitCode::Failed,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Indexes(error) => error.hints(),
            Self::Index(error) => error.hints(),
            Self::Fetch(error) => error.hints(),
            Self::Io(error) => io_hints(error),
            Self::Offline => vec!["run the command once without --offline, or install uv".to_owned()],
            _ => vec!["install uv: `pip install uv`, or see https://docs.astral.sh/uv/".to_owned()],
        }
    }
}

/// A uv that packhouse can use. Asks the network only when there is none on PATH that is recent enough
/// ([`super::uv::OLDEST`]) and none in the cache.
pub fn uv(client: &Client, indexes: &Indexes, cache: &Cache, reporter: &dyn Reporter) -> Result<Uv, ProvisionError> {
    match Uv::on_path() {
        Ok(uv) => Ok(uv),
        Err(_) => provisioned(client, indexes, cache, reporter).map(Uv::at),
    }
}

/// The pinned uv, if the cache has it.
pub(super) fn in_cache(cache: &Cache) -> Option<PathBuf> {
    let program = program(cache);
    program.is_file().then_some(program)
}

fn program(cache: &Cache) -> PathBuf {
    cache.section("tools").join(format!("uv-{VERSION}")).join("uv")
}

/// The pinned uv, made if it is not in the cache yet.
fn provisioned(
    client: &Client,
    indexes: &Indexes,
    cache: &Cache,
    reporter: &dyn Reporter,
) -> Result<PathBuf, ProvisionError> {
    let machine = std::env::consts::ARCH;
    let host = Architecture::host().ok_or(ProvisionError::Machine(machine))?;
    let release = RELEASES.iter().find(|release| release.architecture == host);
    let release = release.ok_or(ProvisionError::Machine(machine))?;
    let program = program(cache);
    if is_right(&program, release)? {
        return Ok(program);
    }
    let sha256 = digest(release, release.wheel_sha256)?;
    let mut wheel = cache.artefact(sha256);
    if !wheel.is_file() {
        if client.is_offline() {
            return Err(ProvisionError::Offline);
        }
        reporter.step("Fetching", &format!("uv {VERSION}, because there is none on PATH"));
        let url = find(client, indexes, release)?;
        let download =
            Download { name: release.wheel.to_owned(), url, sha256: Some(sha256), size: Some(release.wheel_size) };
        let fetched = fetch::download(client, &[download], cache, reporter)?;
        wheel = fetched.into_iter().next().map_or(wheel, |file| file.path);
    }
    unpack(&wheel, release, cache, &program)?;
    Ok(program)
}

fn digest(release: &Release, text: &str) -> Result<Sha256, ProvisionError> {
    text.parse().map_err(|_| ProvisionError::Wheel { wheel: release.wheel, reason: "its digest is none".to_owned() })
}

/// Whether the program is there and is the one of the release.
fn is_right(program: &Path, release: &Release) -> Result<bool, ProvisionError> {
    let mut file = match fs_err::File::open(program) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    if file.metadata()?.len() != release.program_size {
        return Ok(false);
    }
    Ok(Sha256::of_reader(&mut file)?.0 == digest(release, release.program_sha256)?)
}

/// Where an index has the wheel.
fn find(client: &Client, indexes: &Indexes, release: &Release) -> Result<url::Url, ProvisionError> {
    let pages = IndexClient::new(client);
    for source in index::sources(indexes, "uv")? {
        let files = pages.files(&source, "uv")?.unwrap_or_default();
        if let Some(file) = files.into_iter().find(|file| file.filename == release.wheel) {
            return Ok(file.url);
        }
    }
    Err(ProvisionError::NotThere(release.wheel))
}

fn unpack(wheel: &Path, release: &Release, cache: &Cache, program: &Path) -> Result<(), ProvisionError> {
    let wrong = |reason: String| ProvisionError::Wheel { wheel: release.wheel, reason };
    let mut archive = zip::ZipArchive::new(fs_err::File::open(wheel)?).map_err(|error| wrong(error.to_string()))?;
    let member = format!("uv-{VERSION}.data/scripts/uv");
    let entry = archive.by_name(&member).map_err(|error| wrong(format!("{member}: {error}")))?;
    let temporary = cache.temporary_file()?;
    let mut file = fs_err::File::create(temporary.path())?;
    let length = io::copy(&mut entry.take(release.program_size + 1), &mut file)?;
    file.sync_all()?;
    drop(file);
    let found = Sha256::of_reader(&mut fs_err::File::open(temporary.path())?)?.0;
    if length != release.program_size || found != digest(release, release.program_sha256)? {
        return Err(wrong(format!("{member} is not the program that it should be")));
    }
    fs_err::set_permissions(temporary.path(), std::fs::Permissions::from_mode(0o755))?;
    if let Some(directory) = program.parent() {
        fs_err::create_dir_all(directory)?;
    }
    // Closed for writing before the rename: a program that is open for writing cannot be run.
    let path = temporary.into_temp_path();
    path.persist(program).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::credentials::Credentials;
    use crate::report::Silent;

    #[test]
    fn each_architecture_has_a_release_with_digests() {
        for architecture in Architecture::ALL {
            let release = RELEASES.iter().find(|release| release.architecture == architecture).unwrap();
            digest(release, release.wheel_sha256).unwrap();
            digest(release, release.program_sha256).unwrap();
            assert!(release.wheel.contains(architecture.machine()) && release.wheel.contains(VERSION));
        }
    }

    #[test]
    fn offline_with_an_empty_cache_says_what_to_do() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::at(directory.path());
        let client = Client::new(Credentials::none(), true).unwrap();
        let error = provisioned(&client, &Indexes::default(), &cache, &Silent).unwrap_err();
        assert!(matches!(error, ProvisionError::Offline), "{error}");
        assert_eq!(error.exit_code(), ExitCode::Environment);
    }

    #[test]
    fn a_wheel_that_is_none_is_refused_and_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::at(directory.path());
        let wheel = directory.path().join("wheel");
        fs_err::write(&wheel, "no zip").unwrap();
        let program = directory.path().join("tools/uv");
        let error = unpack(&wheel, &RELEASES[0], &cache, &program).unwrap_err();
        assert!(matches!(error, ProvisionError::Wheel { .. }), "{error}");
        assert!(!program.exists());
    }
}
