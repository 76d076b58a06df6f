//! What `vendor.txt` and requirements by URL name, on its way into a resolution.
//!
//! A line with `--no-deps` and an archive are locked before anything is resolved, and take part in the resolution as
//! stand-ins that no index can override: others may require them, and an archive brings its own requirements. A line
//! without `--no-deps` is one more requirement of the service.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::ecosystem::Context;
use crate::fetch::Client;
use crate::name::normalize;

use super::build_requirements::facts;
use super::closure::{Closure, location};
use super::index::IndexClient;
use super::indexes::Indexes;
use super::lock_error::LockError;
use super::project::RequirementLine;
use super::pylock::{LockedFile, LockedPackage};
use super::resolve::StaticMetadata;
use super::sdist::Headers;
use super::select::Sites;
use super::shim::{Origin, Shim};
use super::uv_lock::Artefact;
use super::vendor_lock;
use super::vendor_txt::{VendorArchive, VendorEntry, VendorFile, VendorRequirement};

/// The most of a wheel's METADATA that is read.
const LONGEST_METADATA: u64 = 16 << 20;

/// What is locked before the resolution.
#[derive(Debug, Default)]
pub(super) struct Vendored {
    /// With complete files.
    pub packages: Vec<LockedPackage>,
    /// One for each name.
    pub shims: Vec<Shim>,
    /// PEP 508: what the service requires because of it.
    pub requirements: Vec<String>,
    /// What archives require, with the place of the archive.
    pub lines: Vec<RequirementLine>,
}

/// The lines of `vendor.txt` that are for the resolver.
pub(super) fn resolver_lines(vendor: &VendorFile) -> Result<Vec<&VendorRequirement>, LockError> {
    let mut lines = Vec::new();
    for entry in &vendor.entries {
        let VendorEntry::Requirement(entry) = entry else { continue };
        if entry.no_deps {
            continue;
        }
        let option = [
            ("--platform", entry.platforms.is_empty()),
            ("--abi", entry.abis.is_empty()),
            ("--implementation", entry.implementation.is_none()),
            ("--python-version", entry.python_version.is_none()),
            ("--index-url", entry.index_url.is_none()),
            ("--extra-index-url", entry.extra_index_urls.is_empty()),
            ("--find-links", entry.find_links.is_empty()),
        ];
        if let Some((option, _)) = option.into_iter().find(|(_, absent)| !absent) {
            return Err(LockError::VendorOption {
                option: option.to_owned(),
                requirement: entry.requirement.clone(),
                location: location(&entry.file, entry.line),
            });
        }
        lines.push(&**entry);
    }
    Ok(lines)
}

/// Locks what `vendor` and the closure's requirements by URL name. `known` is the lock of before.
pub(super) fn lock(
    context: Context<'_>,
    client: &Client,
    vendor: &VendorFile,
    closure: &Closure<'_>,
    sites: &Sites,
    indexes: &Indexes,
    known: &[LockedPackage],
) -> Result<Vendored, LockError> {
    let index = IndexClient::new(client);
    let resolve = |vendor: &VendorFile| {
        vendor_lock::resolve(context, &index, vendor, sites, indexes, known)
            .map_err(|error| LockError::Other(Box::new(error)))
    };
    let mut vendored = Vendored::default();
    for package in resolve(vendor)?.packages {
        let place = vendor.entries.iter().find_map(|entry| match entry {
            VendorEntry::Archive(archive) if package.archive.is_some() && is_of(&package, &archive.url) => {
                Some((archive.file.clone(), archive.line))
            }
            _ => None,
        });
        vendored.add(context, client, package, place)?;
    }
    for shim in &vendored.shims {
        vendored.requirements.push(shim.name.clone());
    }
    for url in closure.archives() {
        let archive =
            VendorArchive { url: url.url.clone(), sha256: url.sha256.clone(), file: url.file.clone(), line: url.line };
        let file = VendorFile { entries: vec![VendorEntry::Archive(archive)], files: Vec::new() };
        for package in resolve(&file)?.packages {
            match &url.name {
                Some(name) if normalize(name) != package.name => {
                    return Err(LockError::OtherName {
                        wanted: name.clone(),
                        found: package.title(),
                        location: location(&url.file, url.line),
                    });
                }
                // The requirement itself stands among those of its package.
                Some(_) => {}
                None => {
                    let extras =
                        if url.extras.is_empty() { String::new() } else { format!("[{}]", url.extras.join(",")) };
                    let marker = url.marker.as_ref().map(|marker| format!(" ; {marker}")).unwrap_or_default();
                    vendored.requirements.push(format!("{}{extras}{marker}", package.name));
                }
            }
            vendored.add(context, client, package, Some((url.file.clone(), url.line)))?;
        }
    }
    Ok(vendored)
}

impl Vendored {
    fn add(
        &mut self,
        context: Context<'_>,
        client: &Client,
        package: LockedPackage,
        place: Option<(PathBuf, usize)>,
    ) -> Result<(), LockError> {
        let metadata = match &package.archive {
            Some(file) => archive_metadata(context, client, &package, file)?,
            None => StaticMetadata::default(),
        };
        if let Some((file, line)) = place {
            let lines = metadata.requires_dist.iter().filter(|text| !text.contains("extra ==")).map(|text| {
                RequirementLine { requirement: text.clone(), sha256: Vec::new(), file: file.clone(), line }
            });
            self.lines.extend(lines);
        }
        match self.shims.iter_mut().find(|shim| shim.name == package.name) {
            // Two versions, each for its targets: which one a requirement meets differs, so none is held against it.
            Some(shim) if package.marker.is_some() => shim.version = None,
            Some(_) => {
                return Err(LockError::Twice { package: package.name });
            }
            None => {
                let mut shim = Shim {
                    name: package.name.clone(),
                    version: package.version.clone(),
                    dependencies: Vec::new(),
                    optional_dependencies: metadata.extras.iter().map(|extra| (normalize(extra), Vec::new())).collect(),
                    origin: Origin::Vendored(Box::new(package.clone())),
                };
                shim.take(&metadata.requires_dist);
                self.shims.push(shim);
            }
        }
        self.packages.push(package);
        Ok(())
    }
}

/// Whether the locked archive is the one at this URL.
fn is_of(package: &LockedPackage, url: &str) -> bool {
    let bare = super::indexes::without_credentials(url).0;
    let locked = package.archive.as_ref().and_then(|file| file.url.as_deref()).unwrap_or_default();
    super::indexes::without_credentials(locked).0 == bare
}

fn archive_metadata(
    context: Context<'_>,
    client: &Client,
    package: &LockedPackage,
    file: &LockedFile,
) -> Result<StaticMetadata, LockError> {
    if !file.name.ends_with(".whl") {
        let artefact = Artefact {
            name: file.name.clone(),
            url: file.url.clone().unwrap_or_default(),
            sha256: Some(file.hashes.sha256),
            size: file.size,
        };
        return Ok(facts(context, client, &package.name, &artefact)?.metadata);
    }
    // The wheel was fetched into the cache, and verified, to be locked.
    let path = context.cache.artefact(file.hashes.sha256);
    wheel_metadata(&path).map_err(|reason| LockError::Source {
        package: package.title(),
        file: file.name.clone(),
        reason,
    })
}

/// The METADATA of a wheel.
fn wheel_metadata(path: &Path) -> Result<StaticMetadata, String> {
    let file = fs_err::File::open(path).map_err(|error| error.to_string())?;
    let mut archive = zip::ZipArchive::new(file).map_err(|error| error.to_string())?;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|error| error.to_string())?;
        let name = entry.name().map_err(|error| error.to_string())?.into_owned();
        let is_metadata = name
            .split_once('/')
            .is_some_and(|(directory, file)| directory.ends_with(".dist-info") && file == "METADATA");
        if is_metadata {
            let mut bytes = Vec::new();
            entry.take(LONGEST_METADATA).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
            return Ok(Headers::parse(&String::from_utf8_lossy(&bytes)).metadata());
        }
    }
    Err("it has no METADATA".to_owned())
}
