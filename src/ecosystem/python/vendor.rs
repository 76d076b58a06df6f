//! Vendoring: a service's vendor directory holds exactly the files that its two locks name.
//!
//! Nothing is asked of the network when the files are there with the right content. What is missing comes through the
//! cache, which all services share, and is copied (the vendor directory is the user's: a hard link into the cache would
//! let an edit in one place change the other). Files that packhouse has put there and that no lock names any more are
//! removed; files that it has not put there are kept, and named in a note, because they take no part in any build.
//!
//! Only the service's own vendor directory is looked at. A library may have one too, for the environment of its tests;
//! nothing of it ever reaches a service.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use url::Url;

use super::closure::Closure;
use super::crates;
use super::indexes::{Indexes, Surroundings};
use super::lock::{self, Locks};
use super::pylock::LockedFile;
use super::stamps::Stamps;
use super::vendor_directory::{DirectoryError, List, Listing, VendorDirectory};
use crate::diagnostic::{Code, Diagnose, ExitCode, Location, codes, io_code, io_hints};
use crate::digest::Sha256;
use crate::ecosystem::{Context, Error, Outcome, Upgrade};
use crate::fetch::{self, Client, Download};
use crate::workspace::Member;

/// The vendored files of a service, each verified.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Vendored {
    /// Absolute paths by file name: all files of both locks and no others.
    pub files: BTreeMap<String, PathBuf>,
}

/// Why a service cannot be vendored, or is not.
#[derive(Debug, thiserror::Error)]
pub enum VendorError {
    /// The vendor directory cannot be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// A file cannot be fetched.
    #[error("{service} cannot be vendored: {source}")]
    Fetch {
        /// The service.
        service: String,
        /// Why.
        source: Box<fetch::Error>,
    },
    /// The locks name two contents for one file name.
    #[error("the locks of {service} name two different files `{name}`: {first} and {second}")]
    TwoFiles {
        /// The service.
        service: String,
        /// The file.
        name: String,
        /// A digest.
        first: Sha256,
        /// Another.
        second: Sha256,
    },
    /// The lock does not say where a missing file comes from.
    #[error("the lock of {service} does not say where `{name}` comes from, and it is not in {}", directory.display())]
    NoUrl {
        /// The service.
        service: String,
        /// The file.
        name: String,
        /// The vendor directory.
        directory: PathBuf,
    },
    /// Files are missing or not what the lock names.
    #[error("the vendor directory of {service} is not what its lock names: {}", describe(missing, changed))]
    Incomplete {
        /// The service.
        service: String,
        /// Names of files that are not there.
        missing: Vec<String>,
        /// Names of files with another content.
        changed: Vec<String>,
    },
}

/// `flask-3.whl, six.whl and 3 more are missing; click.whl has another content`.
fn describe(missing: &[String], changed: &[String]) -> String {
    let part = |names: &[String], one: &str, many: &str| {
        let (shown, rest) = names.split_at(names.len().min(5));
        let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
        let verb = if names.len() == 1 { one } else { many };
        (!names.is_empty()).then(|| format!("{}{more} {verb}", shown.join(", ")))
    };
    let parts =
        [part(missing, "is missing", "are missing"), part(changed, "has another content", "have another content")];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

impl Diagnose for VendorError {
    fn code(&self) -> &'static Code {
        match self {
            Self::Directory(DirectoryError::Io(error)) => io_code(error),
            Self::Directory(DirectoryError::Submodule { .. }) => &codes::SUBMODULE_NOT_CHECKED_OUT,
            Self::Directory(DirectoryError::List { .. } | DirectoryError::Outside { .. }) => {
                &codes::VENDOR_DIRECTORY_UNUSABLE
            }
            Self::Fetch { source, .. } => source.code(),
            Self::TwoFiles { .. } => &codes::TWO_FILES_OF_ONE_NAME,
            Self::Incomplete { changed, .. } if !changed.is_empty() => &codes::VENDORED_FILE_CHANGED,
            Self::NoUrl { .. } | Self::Incomplete { .. } => &codes::VENDORED_FILE_MISSING,
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Fetch { source, .. } => source.exit_code(),
            _ => ExitCode::Failed,
        }
    }

    fn location(&self) -> Option<&Location> {
        match self {
            Self::Fetch { source, .. } => source.location(),
            _ => None,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Directory(DirectoryError::Io(error)) => io_hints(error),
            Self::Directory(DirectoryError::Submodule { command, .. }) => vec![format!("run `{command}`")],
            Self::Directory(DirectoryError::List { .. }) => {
                vec![
                    "restore it from git, or remove it: then packhouse removes nothing that it has put there before"
                        .to_owned(),
                ]
            }
            Self::Directory(DirectoryError::Outside { .. }) => {
                vec!["make it a directory, or a link to one inside the repository".to_owned()]
            }
            Self::Fetch { source, .. } => source.hints(),
            Self::TwoFiles { service, .. } => {
                vec![format!("take the package from one index only, then run `packhouse lock {service}`")]
            }
            Self::NoUrl { service, .. } => {
                vec![format!("put the file there, or run `packhouse lock {service}` to look for it again")]
            }
            Self::Incomplete { service, .. } => vec![format!("run `packhouse vendor {service}`")],
        }
    }
}

/// Makes the vendor directory of `service` hold exactly what its locks name; makes the locks first if there are none. Locks
/// that are out of date are an error: what they name is not what is required.
pub(super) fn vendor(context: Context<'_>, service: &Member) -> Result<Outcome, Error> {
    lock::lock(context, service, &Upgrade::Nothing)?;
    let locks = lock::load(context, service).map_err(Error::from)?;
    let mut outcome = fill(context, service, &locks)?;
    for project in Closure::read(context, service)?.projects() {
        if let Some(crates) = crates::of(context, project)?
            && crates.fill(context).map_err(|error| Box::new(error) as Error)? == Outcome::Changed
        {
            outcome = Outcome::Changed;
        }
    }
    Ok(outcome)
}

/// The vendored files of `service`, every one of them present and with the content that its locks name. Uses no network.
pub fn verify(context: Context<'_>, service: &Member) -> Result<Vendored, Error> {
    let locks = lock::load(context, service).map_err(Error::from)?;
    Ok(check(context, service, &locks)?)
}

/// Where the vendor directory of a service is.
fn place(context: Context<'_>, service: &Member) -> PathBuf {
    context.workspace.directory(service).join(&context.settings.project.vendor)
}

/// All files of both locks by name.
fn needed<'a>(service: &Member, locks: &'a Locks) -> Result<BTreeMap<&'a str, &'a LockedFile>, VendorError> {
    let mut needed: BTreeMap<&str, &LockedFile> = BTreeMap::new();
    let packages = std::iter::once(&locks.runtime).chain(&locks.build).flat_map(|lock| &lock.packages);
    for file in packages.flat_map(|package| package.files()) {
        match needed.get(file.name.as_str()) {
            Some(known) if known.hashes != file.hashes => {
                return Err(VendorError::TwoFiles {
                    service: service.name.to_string(),
                    name: file.name.clone(),
                    first: known.hashes.sha256,
                    second: file.hashes.sha256,
                });
            }
            Some(known) if known.url.is_some() && known.size.is_some() => {}
            _ => drop(needed.insert(&file.name, file)),
        }
    }
    Ok(needed)
}

/// What is wrong with a needed file.
fn fault(needed: &LockedFile, found: Option<&(u64, Sha256)>) -> Option<Fault> {
    match found {
        None => Some(Fault::Missing),
        Some((size, sha256)) => {
            let right = *sha256 == needed.hashes.sha256 && needed.size.is_none_or(|expected| expected == *size);
            (!right).then_some(Fault::Changed)
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Missing,
    Changed,
}

/// Like [`verify`], for locks that have been loaded already.
pub fn check(context: Context<'_>, service: &Member, locks: &Locks) -> Result<Vendored, VendorError> {
    let needed = needed(service, locks)?;
    let path = place(context, service);
    let directory = VendorDirectory::open(&context.workspace.root, &path)?;
    let names: Vec<&str> = needed.keys().copied().collect();
    let mut found = BTreeMap::new();
    if directory.is_some() {
        let mut stamps = Stamps::of(context.cache, &path);
        found = stamps.digests(&path, &names).map_err(DirectoryError::from)?;
        stamps.keep(context.cache);
    }
    let with = |wanted: Fault| -> Vec<String> {
        let faulty = needed.iter().filter(|(name, file)| fault(file, found.get(**name)) == Some(wanted));
        faulty.map(|(name, _)| (*name).to_owned()).collect()
    };
    let (missing, changed) = (with(Fault::Missing), with(Fault::Changed));
    if !missing.is_empty() || !changed.is_empty() {
        return Err(VendorError::Incomplete { service: service.name.to_string(), missing, changed });
    }
    Ok(Vendored { files: needed.keys().map(|name| ((*name).to_owned(), path.join(name))).collect() })
}

/// Makes the vendor directory hold exactly what `locks` name. The steps, in this order: look at what is there; fetch what
/// is not; write what will be there; put the files in place; remove what is no longer named; write what is there.
pub fn fill(context: Context<'_>, service: &Member, locks: &Locks) -> Result<Outcome, VendorError> {
    let needed = needed(service, locks)?;
    let (root, path) = (&context.workspace.root, place(context, service));
    let io = DirectoryError::from;
    if needed.is_empty() && VendorDirectory::open(root, &path)?.is_none() {
        return Ok(Outcome::Fresh);
    }
    let directory = VendorDirectory::open_to_write(root, &path)?;
    let (listing, list) = (directory.listing()?, directory.list()?);
    let mut names: Vec<&str> = needed.keys().copied().chain(list.files.keys().map(String::as_str)).collect();
    names.sort_unstable();
    names.dedup();
    let mut stamps = Stamps::of(context.cache, &path);
    let found = stamps.digests(&path, &names).map_err(io)?;

    let absent: Vec<&LockedFile> =
        needed.iter().filter(|(name, file)| fault(file, found.get(**name)).is_some()).map(|(_, file)| *file).collect();
    // Of what packhouse has put here, that which nothing needs any more and nobody has changed.
    let obsolete: Vec<&String> = list
        .files
        .iter()
        .filter(|(name, sha256)| {
            !needed.contains_key(name.as_str()) && found.get(*name).is_some_and(|(_, now)| now == *sha256)
        })
        .map(|(name, _)| name)
        .collect();
    let wanted = List::new(needed.iter().map(|(name, file)| ((*name).to_owned(), file.hashes.sha256)).collect());
    note_foreign(context, &path, &listing, &needed, &obsolete);

    if absent.is_empty() && obsolete.is_empty() && listing.temporary.is_empty() && list == wanted {
        stamps.keep(context.cache);
        return Ok(Outcome::Fresh);
    }
    let artefacts = fetch_all(context, service, &path, &absent)?;
    let mut both = wanted.clone();
    for (name, sha256) in &list.files {
        both.files.entry(name.clone()).or_insert(*sha256);
    }
    directory.write_list(&both)?;
    absent
        .par_iter()
        .zip(&artefacts)
        .try_for_each(|(file, artefact)| put(context, service, &directory, file, artefact))?;
    for name in obsolete.iter().copied().chain(&listing.temporary) {
        context.reporter.detail(&format!("removed {}", path.join(name).display()));
        directory.remove(name)?;
    }
    directory.write_list(&wanted)?;
    let names: Vec<&str> = needed.keys().copied().collect();
    stamps.digests(&path, &names).map_err(io)?;
    stamps.keep(context.cache);
    let counts = [(absent.len(), "added"), (obsolete.len(), "removed")];
    let counts: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let counts = if counts.is_empty() { String::new() } else { format!(", {}", counts.join(", ")) };
    context.reporter.step("Vendored", &format!("{} ({} files{counts})", service.name, needed.len()));
    Ok(Outcome::Changed)
}

/// Names what is in the directory and is neither needed nor packhouse's.
fn note_foreign(
    context: Context<'_>,
    path: &Path,
    listing: &Listing,
    needed: &BTreeMap<&str, &LockedFile>,
    obsolete: &[&String],
) {
    let foreign = listing.files.iter().filter(|name| !needed.contains_key(name.as_str()) && !obsolete.contains(name));
    // What cargo needs is told from what is not by its own lock.
    let others = listing.others.iter().filter(|name| name.trim_end_matches('/') != crates::DIRECTORY);
    let names: Vec<&str> = foreign.chain(others).map(String::as_str).collect();
    if !names.is_empty() {
        let directory = path.strip_prefix(&context.workspace.root).unwrap_or(path);
        let message = format!(
            "{} holds what no lock names and packhouse did not put there; it is kept and takes no part in builds: {}",
            directory.display(),
            names.join(", ")
        );
        context.reporter.note(&message);
    }
}

/// Fetches `files` into the cache; their paths there, in the same order.
fn fetch_all(
    context: Context<'_>,
    service: &Member,
    directory: &Path,
    files: &[&LockedFile],
) -> Result<Vec<PathBuf>, VendorError> {
    let failed = |error| VendorError::Fetch { service: service.name.to_string(), source: Box::new(error) };
    let mut downloads = Vec::new();
    for file in files {
        downloads.push(download_of(context, service, directory, file)?);
    }
    if downloads.is_empty() {
        return Ok(Vec::new());
    }
    let client = client(context, service).map_err(failed)?;
    let fetched = fetch::download(&client, &downloads, context.cache, context.reporter).map_err(failed)?;
    Ok(fetched.into_iter().map(|file| file.path).collect())
}

fn download_of(
    context: Context<'_>,
    service: &Member,
    directory: &Path,
    file: &LockedFile,
) -> Result<Download, VendorError> {
    let sha256 = file.hashes.sha256;
    let url = match &file.url {
        Some(text) => Url::parse(text).map_err(|_| VendorError::Fetch {
            service: service.name.to_string(),
            source: Box::new(fetch::Error::Address { url: super::indexes::redact(text), reason: "it is no URL" }),
        })?,
        // The cache may have it although nobody knows from where.
        None => Url::from_file_path(context.cache.artefact(sha256))
            .ok()
            .filter(|_| context.cache.artefact(sha256).is_file())
            .ok_or_else(|| VendorError::NoUrl {
                service: service.name.to_string(),
                name: file.name.clone(),
                directory: directory.to_path_buf(),
            })?,
    };
    Ok(Download { name: file.name.clone(), url, sha256: Some(sha256), size: file.size })
}

/// A client with the logins of the indexes that the service uses.
fn client(context: Context<'_>, service: &Member) -> Result<Client, fetch::Error> {
    // What is wrong with manifests or settings of indexes is the lock's to say; files may not need any login.
    let closure = Closure::read(context, service).ok();
    let projects = closure.as_ref().map(Closure::projects).unwrap_or_default();
    let variable = |name: &str| std::env::var(name).ok();
    let around = Surroundings { variable: &variable, system: Path::new("/etc") };
    match Indexes::collect(&context.settings.indexes, &projects, &around) {
        Ok(indexes) => indexes.client(context.offline),
        Err(error) => {
            context.reporter.note(&format!("no index's login is used: {error}"));
            Client::of_user(context.offline)
        }
    }
}

/// Puts one file in its place. A file of the cache that has gone bad there is fetched again, once.
fn put(
    context: Context<'_>,
    service: &Member,
    directory: &VendorDirectory,
    file: &LockedFile,
    artefact: &Path,
) -> Result<(), VendorError> {
    let expected = file.hashes.sha256;
    if directory.put(artefact, &file.name, expected)? == expected {
        return Ok(());
    }
    context.reporter.note(&format!("{} in the cache has gone bad and is fetched again", file.name));
    fs_err::remove_file(artefact).map_err(DirectoryError::from)?;
    let again = fetch_all(context, service, directory.path(), &[file])?;
    let got = again.first().map(|path| directory.put(path, &file.name, expected)).transpose()?;
    match got {
        Some(got) if got == expected => Ok(()),
        got => Err(VendorError::Fetch {
            service: service.name.to_string(),
            source: Box::new(fetch::Error::Hash {
                name: file.name.clone(),
                url: file.url.clone().unwrap_or_default(),
                expected,
                got: got.unwrap_or(Sha256([0; 32])),
            }),
        }),
    }
}
